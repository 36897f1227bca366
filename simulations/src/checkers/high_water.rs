//! High water: the highest position a hall has seen of a case never falls and is never dropped.

use std::collections::BTreeMap;

use hallmesh_protocol::cases::Position;
use hallmesh_protocol::ids::CaseId;

use crate::station::Seat;

/// The highest position each hall has committed for each case.
#[derive(Debug, Default)]
pub struct HighWater(BTreeMap<(Seat, CaseId), Position>);

impl HighWater {
    /// A hall committed its position. Says what is wrong with that.
    pub fn stands(&mut self, seat: Seat, case: CaseId, position: Position) -> Option<String> {
        let highest = self.0.entry((seat, case)).or_insert(position);
        if position < *highest {
            return Some(format!("case {case}: hall {seat} stands at {position:?} after {highest:?}"));
        }
        *highest = position;
        None
    }

    /// A hall lost its disk, and with it all that it has seen.
    pub fn disk_lost(&mut self, seat: Seat) {
        self.0.retain(|(at, _), _| *at != seat);
    }

    /// A hall dropped its part in a case.
    pub fn dropped(seat: Seat, case: CaseId) -> Option<String> {
        Some(format!("case {case}: hall {seat} dropped what it has seen of it"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_that_falls_is_seen() {
        let (mut check, case) = (HighWater::default(), CaseId([7; 16]));
        let mut stands = |epoch| check.stands(1, case, Position { term: 0, epoch }).is_some();
        assert_eq!([stands(1), stands(1), stands(3), stands(2)], [false, false, false, true]);
        assert!(HighWater::dropped(1, case).is_some());
    }
}
