//! Parcels that came by stick: the same paths as a line, and nothing trusted because it came so.

use super::Node;
use crate::cases::Refusal;
use crate::directory::Directory;
use crate::ids::HallId;
use crate::parcels::{self, Carries, Inside, Opened};
use crate::post::Unfit;
use crate::record::{Record, Space};
use crate::rows;
use crate::signed::Verified;
use crate::step::{Cx, TakenIn};
use crate::verify::{Checked, Content};

impl Node {
    /// Takes a parcel in. All of it is in one commit.
    pub(super) fn take_in(&mut self, cx: &mut Cx<'_>, parcel: Opened) -> Result<TakenIn, Refusal> {
        let Opened { cover, inside, unfit, .. } = parcel;
        let cover = cover.value();
        let mut taken = TakenIn { unfit, ..TakenIn::default() };
        let directory = Directory::new(cx);
        // What it says of the city's own hall has no other way: nobody keeps a line to it.
        let speaks = matches!(&cover.carries, Carries::Records { space: Space::Directory, .. });
        if directory.is_revoked(cover.from) && !(speaks && directory.is_silenced(cover.from)) {
            return Err(Unfit::Revoked.into());
        }
        match (&cover.carries, inside) {
            (Carries::Records { space, part, last }, Inside::Records(records)) => {
                taken.records = self.records_from_stick(cx, &records);
                // It may have told of its own writer's end.
                if *space == Space::Directory && !Directory::new(cx).is_revoked(cover.from) {
                    parcels::heard(cx, cover, (*part, *last));
                }
            }
            (Carries::Letters { to, number, taken: acknowledged, .. }, Inside::Letters(letters)) => {
                if !parcels::compared(cx, cover) {
                    return Err(Unfit::DirectoryFirst.into());
                }
                let by = (cover.from.hall, acknowledged.as_slice());
                parcels::acknowledged(cx, &mut self.post, self.me.at, by);
                if parcels::was_taken(cx, cover, (*to, *number)) {
                    return Ok(TakenIn { known: true, ..taken });
                }
                self.letters_from_stick(cx, cover.from.hall, letters, &mut taken);
                if taken.left == 0 {
                    parcels::take(cx, cover, (*to, *number));
                }
            }
            (Carries::Records { .. }, Inside::Letters(_)) | (Carries::Letters { .. }, Inside::Records(_)) => {
                return Err(Unfit::Damaged.into());
            }
        }
        Ok(taken)
    }

    fn records_from_stick(&mut self, cx: &mut Cx<'_>, records: &[Verified<Record>]) -> u32 {
        let mut new = 0_u32;
        for space in Space::ALL {
            let fresh = self.take_up(cx, space, records);
            new = new.saturating_add(u32::try_from(fresh.len()).unwrap_or(u32::MAX));
            self.tell(cx, space, &fresh, None);
        }
        new
    }

    fn letters_from_stick(
        &mut self,
        cx: &mut Cx<'_>,
        from: HallId,
        letters: Vec<Checked>,
        taken: &mut TakenIn,
    ) {
        self.post.by_stick(true);
        let rolled_back = self.is_rolled_back(cx);
        for letter in letters {
            if rolled_back && is_for(self.me.at.hall, &letter) {
                taken.left = taken.left.saturating_add(1);
                continue;
            }
            let count = match &letter.0 {
                Content::Plain(_) if !is_for(self.me.at.hall, &letter) => &mut taken.relayed,
                Content::Unfit(_) => &mut taken.unfit,
                Content::Plain(_)
                | Content::Records { .. }
                | Content::HandOver(..)
                | Content::Copy(..)
                | Content::Fence(..)
                | Content::Statement(..)
                | Content::Standing { .. }
                | Content::Continued(..)
                | Content::Cosigned(_)
                | Content::Receipt(..) => &mut taken.letters,
            };
            let kept = self.take(cx, from, letter);
            let count = if kept { count } else { &mut taken.left };
            *count = count.saturating_add(1);
        }
        self.post.by_stick(false);
        rows::count(cx, "sticks/parcels", 1);
    }
}

fn is_for(me: HallId, letter: &Checked) -> bool {
    !matches!(&letter.0, Content::Plain(crate::message::Message::Letter(letter)) if letter.to != me)
}
