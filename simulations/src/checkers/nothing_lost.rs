//! Nothing lost: a printed receipt means that a disk has the case, a D2 grade means that a second one has
//! all of it, and in the end each printed case is in exactly one hand with every act that was confirmed.

use std::collections::{BTreeMap, BTreeSet};

use hallmesh_protocol::cases::State;
use hallmesh_protocol::ids::CaseId;

use crate::station::Seat;

/// Receipts printed, acts confirmed, and how many events of a case each hall keeps.
#[derive(Debug, Default)]
pub struct NothingLost {
    printed: BTreeSet<CaseId>,
    confirmed: BTreeMap<CaseId, u32>,
    kept: BTreeMap<CaseId, BTreeMap<Seat, u32>>,
}

/// A hall's hand on a case when all is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Events in its log.
    pub events: u32,
    /// How far it has come.
    pub state: State,
}

impl NothingLost {
    /// A receipt was printed.
    pub fn printed(&mut self, case: CaseId) -> Option<String> {
        self.printed.insert(case);
        let kept = self.kept.get(&case).is_some_and(|halls| !halls.is_empty());
        (!kept).then(|| format!("case {case}: a receipt was printed, no disk has the case"))
    }

    /// An act was confirmed to a clerk.
    pub fn recorded(&mut self, case: CaseId, sequence: u32) {
        let last = self.confirmed.entry(case).or_insert(sequence);
        *last = sequence.max(*last);
    }

    /// A hall keeps a case with so many events.
    pub fn kept(&mut self, seat: Seat, case: CaseId, events: u32) {
        self.kept.entry(case).or_default().insert(seat, events);
    }

    /// A hall dropped rows of a case.
    pub fn dropped(&mut self, seat: Seat, case: CaseId) -> Option<String> {
        let halls = self.kept.entry(case).or_default();
        halls.remove(&seat);
        let lost = halls.is_empty() && self.printed.contains(&case);
        lost.then(|| format!("case {case}: hall {seat} dropped the last copy"))
    }

    /// A hall says that a second hall could restore all of a case.
    pub fn graded_d2(&self, seat: Seat, case: CaseId, events: u32) -> Option<String> {
        let mut others = self.kept.get(&case).into_iter().flatten().filter(|(other, _)| **other != seat);
        let restorable = others.any(|(_, kept)| *kept >= events);
        (!restorable).then(|| format!("case {case}: hall {seat} grades it D2, no other has {events} events"))
    }

    /// How many events of a case a hall keeps.
    pub fn events_kept(&self, seat: Seat, case: CaseId) -> u32 {
        self.kept.get(&case).and_then(|halls| halls.get(&seat)).copied().unwrap_or(0)
    }

    /// How many halls keep so many events of a case at least.
    pub fn copies(&self, case: CaseId, events: u32) -> usize {
        self.kept.get(&case).into_iter().flatten().filter(|(_, kept)| **kept >= events).count()
    }

    /// The halls that keep a case.
    pub fn keepers(&self, case: CaseId) -> impl Iterator<Item = Seat> {
        self.kept.get(&case).into_iter().flat_map(|halls| halls.keys().copied())
    }

    /// Every printed case.
    pub fn all_printed(&self) -> impl Iterator<Item = CaseId> {
        self.printed.iter().copied()
    }

    /// All trouble is over: what is wrong with where the cases are.
    pub fn ended(&self, endings: &[(CaseId, Vec<Ending>)]) -> Vec<String> {
        endings.iter().filter_map(|(case, hands)| self.ending(*case, hands)).collect()
    }

    fn ending(&self, case: CaseId, hands: &[Ending]) -> Option<String> {
        let [hand] = hands else {
            return Some(format!("case {case} ends in {} hands", hands.len()));
        };
        let confirmed = self.confirmed.get(&case).copied().unwrap_or(0);
        let lost = hand.events <= confirmed;
        lost.then(|| format!("case {case} ends with {} events, act {confirmed} was confirmed", hand.events))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASE: CaseId = CaseId([7; 16]);

    fn one_hand(events: u32) -> Vec<(CaseId, Vec<Ending>)> {
        vec![(CASE, vec![Ending { events, state: State::Delivered }])]
    }

    #[test]
    fn a_case_kept_and_ended_in_one_hand_passes() {
        let mut check = NothingLost::default();
        check.kept(1, CASE, 1);
        assert_eq!(check.printed(CASE), None);
        check.recorded(CASE, 3);
        assert_eq!(check.ended(&one_hand(4)), Vec::<String>::new());
    }

    #[test]
    fn a_receipt_without_a_row_is_seen() {
        assert!(NothingLost::default().printed(CASE).is_some());
    }

    #[test]
    fn dropping_the_last_copy_is_seen() {
        let mut check = NothingLost::default();
        check.kept(1, CASE, 1);
        check.kept(2, CASE, 1);
        assert_eq!(check.printed(CASE), None);
        assert_eq!(check.dropped(1, CASE), None);
        assert!(check.dropped(2, CASE).is_some());
    }

    #[test]
    fn a_d2_grade_without_a_second_copy_is_seen() {
        let mut check = NothingLost::default();
        check.kept(1, CASE, 3);
        check.kept(2, CASE, 2);
        assert!(check.graded_d2(1, CASE, 3).is_some());
        check.kept(2, CASE, 3);
        assert_eq!(check.graded_d2(1, CASE, 3), None);
    }

    #[test]
    fn a_case_in_no_hand_or_without_a_confirmed_act_is_seen() {
        let mut check = NothingLost::default();
        check.kept(1, CASE, 1);
        check.printed(CASE);
        check.recorded(CASE, 4);
        assert_eq!(check.ended(&[(CASE, Vec::new())]).len(), 1);
        assert_eq!(check.ended(&one_hand(4)).len(), 1);
    }
}
