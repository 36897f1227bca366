//! Remembered: a hall that was shown a checkpoint of its own life which its disk does not bear out signs nothing more in
//! this life; and whoever holds such a checkpoint shows it.

use std::collections::BTreeMap;

use hallmesh_protocol::audit;
use hallmesh_protocol::cases::{HEADER_BYTES, Header};
use hallmesh_protocol::ids::HallAt;
use hallmesh_protocol::message::Message;
use hallmesh_protocol::query;
use hallmesh_protocol::step::{View, Writes};

use super::table;
use crate::station::{Seat, Station};

/// Halls that were shown that they have forgotten.
#[derive(Debug, Default)]
pub struct Remembered {
    /// Whether the commit with which they were shown it is over: what came before it in that batch was lawful.
    shown: BTreeMap<Seat, bool>,
}

impl Remembered {
    /// Whether a message shows this life something else than its disk knows.
    pub fn shows_more(at: HallAt, disk: &dyn View, message: &Message) -> bool {
        let Message::Standing { yours: Some(yours), .. } = message else { return false };
        let bears_out =
            |size, root| audit::size(disk, at) >= size && audit::root(disk, at, size) == Some(root);
        yours.peek().is_ok_and(|yours| yours.at == at && !bears_out(yours.size, yours.root))
    }

    /// A hall was shown that it has forgotten.
    pub fn shown(&mut self, seat: Seat) {
        self.shown.entry(seat).or_insert(false);
    }

    /// A hall commits. Says what it has signed and may not.
    pub fn commits(&mut self, seat: Seat, at: Option<HallAt>, writes: &Writes) -> Option<String> {
        let over = self.shown.get_mut(&seat)?;
        if !std::mem::replace(over, true) {
            return None;
        }
        let signed =
            writes.iter().find(|(key, value)| value.is_some() && is_signed(key, at, value.as_deref()))?;
        Some(format!("hall {seat} has forgotten what it signed, knows it, and signs {:02x?}", signed.0))
    }

    /// A hall says that it was rolled back.
    pub fn says_so(&self, seat: Seat) -> Option<String> {
        let known = self.shown.contains_key(&seat);
        (!known).then(|| format!("hall {seat} says that it has forgotten, and nobody has shown it"))
    }

    /// A process ended; what it had not committed it does not know.
    pub fn hung_up(&mut self, seat: Seat) {
        if self.shown.get(&seat) == Some(&false) {
            self.shown.remove(&seat);
        }
    }

    /// A hall has another disk.
    pub fn disk_replaced(&mut self, seat: Seat) {
        self.shown.remove(&seat);
    }

    /// Halls that have forgotten what others remember of them, and were not told.
    pub fn ended(stations: &[Station]) -> Vec<String> {
        let known = largest_known(stations);
        let untold = |station: &&Station| {
            let most = known.get(&station.at).copied().unwrap_or(0);
            most > audit::size(&station.disk, station.at) && query::rolled_back(&station.disk).is_none()
        };
        let untold = stations.iter().filter(untold);
        untold
            .map(|it| format!("hall {} has forgotten what it signed, and nobody has told it", it.at))
            .collect()
    }
}

/// The largest log of each life that anybody has seen of it.
fn largest_known(stations: &[Station]) -> BTreeMap<HallAt, u64> {
    let mut known = BTreeMap::new();
    for witness in stations.iter().flat_map(|station| audit::witnesses(&station.disk, usize::MAX)) {
        if let Ok(seen) = witness.checkpoint.peek() {
            let most = known.entry(seen.at).or_insert(0);
            *most = seen.size.max(*most);
        }
    }
    known
}

/// Whether a row holds something that this life signs about a case.
fn is_signed(key: &[u8], at: Option<HallAt>, value: Option<&[u8]>) -> bool {
    match key.first() {
        Some(&table::EVENT) => value.and_then(signer).is_some_and(|signer| Some(signer) == at),
        Some(&(table::RECEIPT | table::LEAF)) => true,
        Some(_) | None => false,
    }
}

/// Reads who signed the event in a row: version byte, the header's length, the header.
pub(super) fn signer(row: &[u8]) -> Option<HallAt> {
    let header = row.get(1 + 8..)?.get(..HEADER_BYTES)?;
    Some(Header::decode(header).ok()?.at)
}

#[cfg(test)]
mod tests {
    use hallmesh_protocol::step::Bytes;

    use super::*;

    fn writes(table: u8) -> Writes {
        [(vec![table], Some(Bytes::from([1].as_slice())))].into_iter().collect()
    }

    #[test]
    fn a_signature_after_the_commit_in_which_it_was_told_is_seen() {
        let mut check = Remembered::default();
        let leaf = writes(table::LEAF);
        assert!(check.commits(1, None, &leaf).is_none());
        check.shown(1);
        assert!(check.commits(1, None, &leaf).is_none(), "it came before in the same batch");
        assert!(check.commits(1, None, &writes(table::RECORD)).is_none(), "lists go on");
        assert!(check.commits(1, None, &leaf).is_some());
        assert!(check.commits(2, None, &leaf).is_none());
        check.disk_replaced(1);
        assert!(check.commits(1, None, &leaf).is_none(), "a new life");
    }

    #[test]
    fn what_was_told_and_not_committed_is_not_known() {
        let mut check = Remembered::default();
        check.shown(1);
        check.hung_up(1);
        assert!(check.says_so(1).is_some());
        check.shown(1);
        check.commits(1, None, &writes(table::RECORD));
        check.hung_up(1);
        assert!(check.says_so(1).is_none());
    }
}
