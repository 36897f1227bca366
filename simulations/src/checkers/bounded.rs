//! Bounded: no frame is longer than a frame may be, and no node spins.

use std::collections::BTreeMap;

use hallmesh_protocol::limits::FRAME_MAX;

use crate::plan::SECOND;
use crate::station::Seat;

/// Wakes of one node in one second at the most.
const WAKES_MAX: u64 = 500;

/// Wakes of each node in the present second.
#[derive(Debug, Default)]
pub struct Bounded {
    wakes: BTreeMap<Seat, (u64, u64)>,
}

impl Bounded {
    /// What is wrong with a frame.
    pub fn sent(seat: Seat, bytes: usize) -> Option<String> {
        (bytes > FRAME_MAX).then(|| format!("hall {seat} sent a frame of {bytes} bytes"))
    }

    /// A node asked to be woken. Says once a second if it is too often.
    pub fn woke(&mut self, at: u64, seat: Seat) -> Option<String> {
        let second = at / SECOND;
        let wakes = self.wakes.entry(seat).or_default();
        if wakes.0 != second {
            *wakes = (second, 0);
        }
        wakes.1 = wakes.1.saturating_add(1);
        (wakes.1 == WAKES_MAX).then(|| format!("hall {seat} was woken {WAKES_MAX} times within a second"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spinning_node_and_a_long_frame_are_seen() {
        let mut check = Bounded::default();
        assert!((0..2_000).all(|at| check.woke(at * 10, 1).is_none()));
        assert_eq!((0..2_000).filter_map(|_| check.woke(50_000, 1)).count(), 1);
        assert!(Bounded::sent(1, FRAME_MAX).is_none() && Bounded::sent(1, FRAME_MAX + 1).is_some());
    }
}
