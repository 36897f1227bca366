//! For whom the key of a case is wrapped: for the lives that read it, and for whoever can open it when all of their disks are
//! lost. That is the recovery key in the charter of each; where that one was stolen with the hall above, it is the present
//! life of that hall, of the next one up that has one, and at the top the root's holders.

use super::{Charter, Directory};
use crate::ids::{HallAt, HallId, Tier};
use crate::record::Space;
use crate::rows;
use crate::seal::WrapPublic;

/// A life, and whether it is for recovery only.
pub type Addressee = (HallAt, bool);

impl Directory<'_> {
    /// For whom a key is wrapped that these lives are to read: for none whose key a stolen machine has.
    pub fn addressees(&self, readers: &[HallAt]) -> Vec<Addressee> {
        let mut found: Vec<Addressee> = Vec::new();
        for reader in readers.iter().filter(|at| !self.is_exposed(**at, false)) {
            let keeper = self.keeper(*reader, readers).map(|keeper| (keeper, true));
            let both = [Some((*reader, false)), keeper].into_iter().flatten();
            let fresh: Vec<Addressee> = both.filter(|to| !found.contains(to)).collect();
            found.extend(fresh);
        }
        found
    }

    /// The key that something is wrapped with, that these lives read, for one of its addressees.
    pub fn key_of(&self, (at, recovery): Addressee, readers: &[HallAt]) -> Option<WrapPublic> {
        let charter = self.life(at)?;
        let own = !recovery || keeps_itself(&charter, readers);
        Some(if own { charter.wrap_key } else { charter.recovery_key })
    }

    /// Whether a stolen machine opens what is wrapped for one of the addressees of a key that these lives read.
    pub(crate) fn is_open_to_thief(&self, (at, recovery): Addressee, readers: &[HallAt]) -> bool {
        let keeps = || self.life(at).is_some_and(|charter| keeps_itself(&charter, readers));
        if recovery && keeps() { self.is_stolen(at) } else { self.is_exposed(at, recovery) }
    }

    /// Whether anybody was ever revoked, or said by the counties to have been stolen: else nothing was stolen.
    pub(crate) fn has_revocations(&self) -> bool {
        let any = |prefix: &str| {
            let mut found = false;
            self.view.scan(&rows::record(Space::Directory, prefix), &[], &mut |_, _| {
                found = true;
                false
            });
            found
        };
        any("revocation/") || any("heard/")
    }

    /// Whether one hall is above another.
    pub(crate) fn is_above(&self, superior: HallId, hall: HallId) -> bool {
        let mut place = hall;
        for _ in Tier::ALL {
            let Some(above) = self.parent(place) else { return false };
            if above == superior {
                return true;
            }
            place = above;
        }
        false
    }

    /// Who keeps a key for a reader: the recovery key in its charter, named by the reader, or else a hall above. None where
    /// that one reads it itself.
    fn keeper(&self, reader: HallAt, readers: &[HallAt]) -> Option<HallAt> {
        if !self.is_exposed(reader, true) {
            return Some(reader);
        }
        let mut place = reader.hall;
        for _ in Tier::ALL {
            let above = self.parent(place)?;
            // The recovery key of the hall at the top is the root's, whatever became of its lives.
            let Some(_) = self.parent(above) else { return self.last_life(above) };
            if let Some(present) = self.present(above) {
                return (!readers.contains(&present)).then_some(present);
            }
            place = above;
        }
        None
    }

    /// The hall above one, by the charter of its last life.
    pub(super) fn parent(&self, hall: HallId) -> Option<HallId> {
        self.card(self.last_life(hall)?)?.parent
    }
}

/// Whether a life that keeps a key for those below does so with its own key: none that reads it, and not at the top.
fn keeps_itself(charter: &Charter, readers: &[HallAt]) -> bool {
    charter.parent.is_some() && !readers.contains(&charter.at())
}
