//! One hand: a case is in at most one hall's hand, hands change only forwards, and there is one log.

use std::collections::BTreeMap;

use hallmesh_protocol::cases::{Position, Stage};
use hallmesh_protocol::ids::CaseId;

use crate::station::Seat;

/// Who believes to have which case in hand, and what each place of each log says.
#[derive(Debug, Default)]
pub struct OneHand {
    hands: BTreeMap<CaseId, BTreeMap<Seat, Position>>,
    highest: BTreeMap<CaseId, Position>,
    logs: BTreeMap<(CaseId, u32), [u8; 32]>,
}

impl OneHand {
    /// A hall committed its part in a case. Says what is wrong with that.
    pub fn stands(&mut self, seat: Seat, case: CaseId, stage: Stage, position: Position) -> Option<String> {
        let hands = self.hands.entry(case).or_default();
        if stage != Stage::Custodian {
            hands.remove(&seat);
            return None;
        }
        let new = hands.insert(seat, position).is_none();
        if hands.len() > 1 {
            return Some(format!("case {case} is in the hands of halls {:?}", hands.keys()));
        }
        let highest = self.highest.entry(case).or_insert(position);
        if new && position < *highest {
            return Some(format!("case {case}: hall {seat} took it at {position:?} after {highest:?}"));
        }
        *highest = position.max(*highest);
        None
    }

    /// A hall committed an event of a log. Only one hall can have written it, so it is the same everywhere.
    pub fn logged(&mut self, seat: Seat, case: CaseId, sequence: u32, event: [u8; 32]) -> Option<String> {
        let known = *self.logs.entry((case, sequence)).or_insert(event);
        (known != event).then(|| format!("case {case} has two events {sequence}; hall {seat} has the second"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASE: CaseId = CaseId([7; 16]);

    fn epoch(epoch: u32) -> Position {
        Position { term: 0, epoch }
    }

    #[test]
    fn a_lawful_hand_over_passes() {
        let mut check = OneHand::default();
        assert_eq!(check.stands(1, CASE, Stage::Custodian, epoch(0)), None);
        assert_eq!(check.stands(1, CASE, Stage::Handing, epoch(0)), None);
        assert_eq!(check.stands(2, CASE, Stage::Holder, epoch(1)), None);
        assert_eq!(check.stands(2, CASE, Stage::Custodian, epoch(1)), None);
    }

    #[test]
    fn two_hands_are_seen() {
        let mut check = OneHand::default();
        assert_eq!(check.stands(1, CASE, Stage::Custodian, epoch(0)), None);
        assert!(check.stands(2, CASE, Stage::Custodian, epoch(1)).is_some());
    }

    #[test]
    fn a_hand_that_goes_back_in_time_is_seen() {
        let mut check = OneHand::default();
        assert_eq!(check.stands(1, CASE, Stage::Custodian, epoch(3)), None);
        assert_eq!(check.stands(1, CASE, Stage::Handing, epoch(3)), None);
        assert!(check.stands(2, CASE, Stage::Custodian, epoch(2)).is_some());
    }

    #[test]
    fn two_events_at_one_place_are_seen() {
        let mut check = OneHand::default();
        assert_eq!(check.logged(1, CASE, 4, [1; 32]), None);
        assert_eq!(check.logged(2, CASE, 4, [1; 32]), None);
        assert!(check.logged(3, CASE, 4, [2; 32]).is_some());
    }
}
