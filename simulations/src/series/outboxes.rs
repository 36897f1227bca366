//! The letters that wait in the outboxes of all halls, and since when: read off the commits, by the world's own time, since
//! the clock of a hall may be years wrong.

use std::collections::BTreeMap;

use hallmesh_protocol::step::View;

use crate::station::Seat;

/// The table of letters that wait: see the key space in `hallmesh_protocol::rows`.
const POST: u8 = 0x30;
/// Letters that are followed at a time; of more the age is not known.
const LETTERS_MAX: usize = 500_000;

/// All outboxes.
#[derive(Debug, Default)]
pub struct Outboxes {
    /// Since when each letter waits, by hall and by the key of its row.
    since: BTreeMap<Seat, BTreeMap<Vec<u8>, u64>>,
    followed: usize,
}

impl Outboxes {
    /// A hall writes a row, or removes it.
    pub fn written(&mut self, at: u64, seat: Seat, key: &[u8], is_there: bool) {
        if key.first() != Some(&POST) {
            return;
        }
        let letters = self.since.entry(seat).or_default();
        if !is_there {
            let gone = letters.remove(key).is_some();
            self.followed = self.followed.saturating_sub(usize::from(gone));
        } else if self.followed < LETTERS_MAX && !letters.contains_key(key) {
            letters.insert(key.to_vec(), at);
            self.followed = self.followed.saturating_add(1);
        }
    }

    /// A hall has another disk. Letters that were on the last one, too, have waited since they were written.
    pub fn replaced(&mut self, at: u64, seat: Seat, disk: &dyn View) {
        let before = self.since.remove(&seat).unwrap_or_default();
        self.followed = self.followed.saturating_sub(before.len());
        disk.scan(&[POST], &[], &mut |key, _| {
            self.written(before.get(key).copied().unwrap_or(at), seat, key, true);
            true
        });
    }

    /// Letters that wait.
    pub fn waiting(&self) -> u64 {
        u64::try_from(self.followed).unwrap_or(u64::MAX)
    }

    /// Milliseconds for which the oldest letter has waited.
    pub fn oldest(&self, at: u64) -> u64 {
        let first = self.since.values().flat_map(BTreeMap::values).min();
        first.map_or(0, |since| at.saturating_sub(*since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::Disk;

    const ONE: [u8; 3] = [POST, 1, 1];
    const OTHER: [u8; 3] = [POST, 1, 2];

    #[test]
    fn the_oldest_letter_of_any_hall_is_known_until_it_is_answered() {
        let mut outboxes = Outboxes::default();
        outboxes.written(5, 0, &[0x20, 1], true);
        assert_eq!((outboxes.waiting(), outboxes.oldest(9)), (0, 0));
        outboxes.written(10, 0, &ONE, true);
        outboxes.written(20, 1, &ONE, true);
        outboxes.written(30, 0, &ONE, true);
        assert_eq!((outboxes.waiting(), outboxes.oldest(40)), (2, 30));
        outboxes.written(50, 0, &ONE, false);
        outboxes.written(50, 0, &ONE, false);
        assert_eq!((outboxes.waiting(), outboxes.oldest(60)), (1, 40));
    }

    #[test]
    fn letters_go_with_their_disk_and_come_back_with_it() {
        let mut outboxes = Outboxes::default();
        outboxes.written(10, 0, &ONE, true);
        outboxes.written(10, 0, &OTHER, true);
        let mut old = Disk::empty();
        old.commit([(ONE.to_vec(), Some([].as_slice().into()))].into_iter().collect());
        outboxes.replaced(20, 0, &old);
        assert_eq!((outboxes.waiting(), outboxes.oldest(30)), (1, 20));
        outboxes.replaced(40, 0, &Disk::empty());
        assert_eq!((outboxes.waiting(), outboxes.oldest(50)), (0, 0));
        outboxes.replaced(60, 0, &old);
        assert_eq!((outboxes.waiting(), outboxes.oldest(70)), (1, 10));
    }
}
