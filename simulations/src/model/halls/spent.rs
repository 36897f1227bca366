//! Letters of which nothing comes any more. That is claimed by two rules, and checked wherever the claim is used: a
//! letter that still moved the hall, or was answered, or came to matter later ends the exploration, which is then done
//! again with all letters.

use std::fmt;

use anyhow::{Context as _, ensure};
use hallmesh_protocol::cases::{ReceiptKind, Stage};
use hallmesh_protocol::ids::HallId;

use super::super::letters::{Letters, Said, Written};
use super::{Account, Halls, KeptId, given};

/// A letter that was left out as spent still matters: the rules do not fit the product as it is. The exploration has to
/// be done again without them.
#[derive(Debug)]
pub(in super::super) struct NotSpent;

impl fmt::Display for NotSpent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("something comes of a letter that was taken for spent")
    }
}

impl std::error::Error for NotSpent {}

impl Halls {
    /// The letters among `letters` for this hall of which nothing comes any more, now and whatever else the hall is
    /// told.
    pub(in super::super) fn spent(&mut self, id: KeptId, letters: &Letters) -> anyhow::Result<Letters> {
        let kept = self.kept(id)?;
        let open = letters.both(&self.archive.to(kept.seat)).without(&kept.judged);
        if !open.is_empty() {
            self.ask(id, &open)?;
        }
        for letter in open.iter() {
            let kept = self.kept(id)?;
            let written = self.archive.letter(letter).context("a letter's number")?;
            let spent = is_spent(written, &kept.said, self.hall(kept.seat)?.hall);
            let heard = kept.heard(true);
            let kept = self.kept_mut(id)?;
            kept.judged.add(letter);
            if spent {
                kept.spent.add(letter);
                ensure!(kept.spent.without(&heard) == kept.spent, NotSpent);
            }
        }
        Ok(self.kept(id)?.spent.both(letters))
    }

    /// The questions among `letters` that are after hand-overs which are over, where `kept` says what each hall has
    /// kept: whatever they are answered is spent. That too is checked.
    pub(in super::super) fn spent_questions(
        &mut self,
        kept: &[KeptId],
        letters: &Letters,
    ) -> anyhow::Result<Letters> {
        let mut spent = Letters::default();
        for letter in letters.both(&self.archive.questions).iter() {
            let written = self.archive.letter(letter).context("a letter's number")?;
            let (Some((sequence, by)), to) = (written.asked, written.to) else { continue };
            let (asker, asked) = (kept.get(by).context("a seat")?, kept.get(to).context("a seat")?);
            if is_over(sequence, &self.kept(*asker)?.said, self.hall(by)?.hall) {
                let step = self.hear(*asked, letter)?;
                let idle = step.kept == *asked && self.spent(*asker, &step.sent)? == step.sent;
                ensure!(idle, NotSpent);
                spent.add(letter);
            }
        }
        Ok(spent)
    }

    /// Checks that what was spent before a step of a hall still is.
    pub(in super::super) fn stay_spent(&mut self, before: KeptId, after: KeptId) -> anyhow::Result<()> {
        let spent = self.kept(before)?.spent;
        ensure!(self.spent(after, &spent)? == spent, NotSpent);
        Ok(())
    }
}

/// Whether nothing comes of a letter at a hall any more. A log that is not its writer's to send. A mirror's receipt for
/// less than the head: receipts are compared with the head, and a log never goes back. A target's receipt for a
/// hand-over of this hall that is over.
fn is_spent(written: &Written, at: &Account, hall: HallId) -> bool {
    match written.receipt {
        Some(Said { kind: ReceiptKind::Copied, sequence, .. }) => events(at) > sequence.saturating_add(1),
        Some(Said {
            kind: ReceiptKind::Held | ReceiptKind::Mirrored | ReceiptKind::Refused(_) | ReceiptKind::Unknown,
            sequence,
            ..
        }) => is_over(sequence, at, hall),
        Some(Said {
            kind:
                ReceiptKind::Fenced { .. }
                | ReceiptKind::Known { .. }
                | ReceiptKind::Heard { .. }
                | ReceiptKind::Told { .. },
            ..
        }) => false,
        None => written.unfit,
    }
}

/// Whether a hall made a hand-over at this place of the log and does not wait for the end of it any more.
fn is_over(sequence: u32, at: &Account, hall: HallId) -> bool {
    let handing = at.custody.is_some_and(|custody| custody.stage == Stage::Handing);
    let last = given(&at.headers, hall).last().map(|(sequence, _)| sequence);
    events(at) > sequence && !(handing && last == Some(sequence))
}

fn events(at: &Account) -> u32 {
    u32::try_from(at.log.len()).unwrap_or(u32::MAX)
}
