//! Bounded: no frame is longer than a frame may be, no node spins, and none talks without end.

use std::collections::BTreeMap;

use hallmesh_protocol::limits::FRAME_MAX;

use crate::plan::SECOND;
use crate::station::Seat;

/// Wakes of one node in one second at the most.
const WAKES_MAX: u64 = 500;
/// Frames that one node sends in one second at the most: passing on what dozens of floods have left stays far below.
const FRAMES_MAX: u64 = 50_000;

/// What each node did in the present second.
#[derive(Debug, Default)]
pub struct Bounded {
    wakes: BTreeMap<Seat, (u64, u64)>,
    frames: BTreeMap<Seat, (u64, u64)>,
}

impl Bounded {
    /// A node sent a frame. What is wrong with that; too many are told once a second.
    pub fn sent(&mut self, at: u64, seat: Seat, bytes: usize) -> Option<String> {
        if bytes > FRAME_MAX {
            return Some(format!("hall {seat} sent a frame of {bytes} bytes"));
        }
        let many = count(&mut self.frames, at, seat) == FRAMES_MAX;
        many.then(|| format!("hall {seat} sent {FRAMES_MAX} frames within a second"))
    }

    /// A node was woken as it had asked. Says once a second if it is too often.
    pub fn woke(&mut self, at: u64, seat: Seat) -> Option<String> {
        let many = count(&mut self.wakes, at, seat) == WAKES_MAX;
        many.then(|| format!("hall {seat} was woken {WAKES_MAX} times within a second"))
    }
}

/// Counts one more of a node within the present second.
fn count(counts: &mut BTreeMap<Seat, (u64, u64)>, at: u64, seat: Seat) -> u64 {
    let second = at / SECOND;
    let counted = counts.entry(seat).or_default();
    if counted.0 != second {
        *counted = (second, 0);
    }
    counted.1 = counted.1.saturating_add(1);
    counted.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spinning_node_a_long_frame_and_endless_talk_are_seen() {
        let mut check = Bounded::default();
        assert!((0..2_000).all(|at| check.woke(at * 10, 1).is_none()));
        assert_eq!((0..2_000).filter_map(|_| check.woke(50_000, 1)).count(), 1);
        assert!(check.sent(1, 1, FRAME_MAX).is_none() && check.sent(1, 1, FRAME_MAX + 1).is_some());
        assert!((0..100_000).all(|at| check.sent(at, 1, 60).is_none()));
        assert_eq!((0..100_000).filter_map(|_| check.sent(190_000, 1, 60)).count(), 1);
    }
}
