//! Kept (P1): a printed receipt means that a disk has the case, a D2 grade means that a second one has
//! all of it, and in the end each printed case is in exactly one hand with every act that was confirmed.
//!
//! A *recovery period* of a case begins when a disk with all that was graded D2 is lost, so that fewer than two are left,
//! and ends when two have it again. Only a case whose every holder lost its disk within one such period may be lost.

use std::collections::{BTreeMap, BTreeSet};

use hallmesh_protocol::cases::State;
use hallmesh_protocol::ids::CaseId;

use crate::station::Seat;

/// Receipts printed, acts confirmed, and how many events of a case each hall keeps.
#[derive(Debug, Default)]
pub struct Kept {
    printed: BTreeSet<CaseId>,
    confirmed: BTreeMap<CaseId, u32>,
    copies: BTreeMap<CaseId, BTreeMap<Seat, u32>>,
    /// The most each hall ever kept: what a mirror has signed for stays true when its disk is lost later.
    ever: BTreeMap<(CaseId, Seat), u32>,
    /// Events of a case that two halls could restore, at the most so far.
    restorable: BTreeMap<CaseId, u32>,
    /// Cases of which a copy went with a disk.
    lost: BTreeSet<CaseId>,
    /// Disks lost in the recovery period in which a case is.
    periods: BTreeMap<CaseId, u32>,
    /// Cases whose every holder lost its disk within one recovery period.
    holders_lost: BTreeSet<CaseId>,
}

/// A hall's hand on a case when all is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Events in its log.
    pub events: u32,
    /// How far it has come.
    pub state: State,
}

impl Kept {
    /// A receipt was printed.
    pub fn printed(&mut self, case: CaseId) -> Option<String> {
        self.printed.insert(case);
        let kept = self.copies.get(&case).is_some_and(|halls| !halls.is_empty());
        let gone_since = self.lost.contains(&case);
        (!kept && !gone_since).then(|| format!("case {case}: a receipt was printed, no disk has the case"))
    }

    /// An act was confirmed to a clerk.
    pub fn recorded(&mut self, case: CaseId, sequence: u32) {
        let last = self.confirmed.entry(case).or_insert(sequence);
        *last = sequence.max(*last);
    }

    /// A hall keeps a case with so many events.
    pub fn kept(&mut self, seat: Seat, case: CaseId, events: u32) {
        self.copies.entry(case).or_default().insert(seat, events);
        let ever = self.ever.entry((case, seat)).or_default();
        *ever = events.max(*ever);
        let needed = self.restorable.get(&case).copied().unwrap_or(0);
        if self.periods.contains_key(&case) && self.copies_now(case, needed) > 1 {
            self.periods.remove(&case);
        }
    }

    /// A hall has another disk than a moment ago, with so many events of each case on it. Says which cases that two halls
    /// could restore no hall can restore now, though not all of their holders have lost their disks.
    pub fn disk_replaced(&mut self, seat: Seat, events: impl Fn(CaseId) -> Option<u32>) -> Vec<String> {
        let held = self.copies.iter().filter_map(|(case, halls)| Some((*case, *halls.get(&seat)?)));
        let held: Vec<_> = held.map(|(case, before)| (case, before, events(case))).collect();
        let found = held.into_iter().filter_map(|(case, before, now)| {
            let halls = self.copies.entry(case).or_default();
            match now {
                Some(now) => halls.insert(seat, now),
                None => halls.remove(&seat),
            };
            if now >= Some(before) {
                return None;
            }
            self.lost.insert(case);
            self.copy_lost(case, before)
        });
        found.collect()
    }

    /// A disk that had so many events of a case is lost.
    fn copy_lost(&mut self, case: CaseId, before: u32) -> Option<String> {
        let needed = self.restorable.get(&case).copied().unwrap_or(0);
        let left = self.copies.get(&case).and_then(|halls| halls.values().copied().max()).unwrap_or(0);
        // What was confirmed and lay on this disk only is lost with it: grade D1 says so.
        let last = left.max(needed).saturating_sub(1);
        if let Some(confirmed) = self.confirmed.get_mut(&case) {
            *confirmed = last.min(*confirmed);
        }
        if before < needed || self.copies_now(case, needed) > 1 {
            return None;
        }
        let lost = self.periods.entry(case).or_default();
        *lost = lost.saturating_add(1);
        let lost = *lost;
        if left >= needed {
            return None;
        }
        self.restorable.insert(case, left);
        if lost > 1 {
            self.holders_lost.insert(case);
            return None;
        }
        Some(format!("case {case}: {needed} events were graded D2, one disk was lost, {left} are left"))
    }

    /// A hall dropped rows of a case.
    pub fn dropped(&mut self, seat: Seat, case: CaseId) -> Option<String> {
        let halls = self.copies.entry(case).or_default();
        halls.remove(&seat);
        let lost = halls.is_empty() && self.printed.contains(&case);
        lost.then(|| format!("case {case}: hall {seat} dropped the last copy"))
    }

    /// A hall says that a second hall could restore all of a case. One that has lost its disk since had it.
    pub fn graded_d2(&mut self, seat: Seat, case: CaseId, events: u32) -> Option<String> {
        let halls = self.copies.get(&case);
        let mut others = halls.into_iter().flatten().filter(|(other, _)| **other != seat);
        let restorable = others.any(|(_, kept)| *kept >= events);
        if restorable {
            let most = self.restorable.entry(case).or_default();
            *most = events.max(*most);
            return None;
        }
        let of_case = self.ever.range((case, Seat::MIN)..=(case, Seat::MAX));
        let had = of_case.into_iter().any(|((_, other), kept)| *other != seat && *kept >= events);
        (!had).then(|| format!("case {case}: hall {seat} grades it D2, no other has {events} events"))
    }

    /// How many events of a case a hall has ever kept.
    pub fn events_kept(&self, seat: Seat, case: CaseId) -> u32 {
        self.ever.get(&(case, seat)).copied().unwrap_or(0)
    }

    /// How many halls have ever kept so many events of a case at least.
    pub fn copies(&self, case: CaseId, events: u32) -> usize {
        let of_case = self.ever.range((case, Seat::MIN)..=(case, Seat::MAX));
        of_case.filter(|(_, kept)| **kept >= events).count()
    }

    /// How many halls keep so many events of a case at least now.
    pub fn copies_now(&self, case: CaseId, events: u32) -> usize {
        self.copies.get(&case).into_iter().flatten().filter(|(_, kept)| **kept >= events).count()
    }

    /// Whether a receipt of a case was printed.
    pub fn was_printed(&self, case: CaseId) -> bool {
        self.printed.contains(&case)
    }

    /// Whether a copy of a case went with a disk.
    pub fn lost_a_copy(&self, case: CaseId) -> bool {
        self.lost.contains(&case)
    }

    /// Whether every holder of a case lost its disk within one recovery period.
    pub fn lost_every_holder(&self, case: CaseId) -> bool {
        self.holders_lost.contains(&case)
    }

    /// All such cases.
    pub fn all_without_holders(&self) -> impl Iterator<Item = CaseId> {
        self.holders_lost.iter().copied()
    }

    /// Printed cases that a second hall could restore at some time.
    pub fn d2_receipts(&self) -> usize {
        self.restorable.keys().filter(|case| self.printed.contains(case)).count()
    }

    /// How many events are kept anywhere of a case that lay on a lost disk.
    pub fn left(&self, case: CaseId) -> Option<u32> {
        let halls = self.copies.get(&case).filter(|_| self.lost.contains(&case))?;
        Some(halls.values().copied().max().unwrap_or(0))
    }

    /// The halls that keep a case.
    pub fn keepers(&self, case: CaseId) -> impl Iterator<Item = Seat> {
        self.copies.get(&case).into_iter().flat_map(|halls| halls.keys().copied())
    }

    /// Every printed case.
    pub fn all_printed(&self) -> impl Iterator<Item = CaseId> {
        self.printed.iter().copied()
    }

    /// All trouble is over: what is wrong with where the cases are.
    pub fn ended(&self, endings: &[(CaseId, Vec<Ending>)]) -> Vec<(CaseId, String)> {
        endings.iter().filter_map(|(case, hands)| Some((*case, self.ending(*case, hands)?))).collect()
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
        let mut check = Kept::default();
        check.kept(1, CASE, 1);
        assert_eq!(check.printed(CASE), None);
        check.recorded(CASE, 3);
        assert_eq!(check.ended(&one_hand(4)), Vec::new());
    }

    #[test]
    fn a_receipt_without_a_row_is_seen() {
        assert!(Kept::default().printed(CASE).is_some());
    }

    #[test]
    fn dropping_the_last_copy_is_seen() {
        let mut check = Kept::default();
        check.kept(1, CASE, 1);
        check.kept(2, CASE, 1);
        assert_eq!(check.printed(CASE), None);
        assert_eq!(check.dropped(1, CASE), None);
        assert!(check.dropped(2, CASE).is_some());
    }

    #[test]
    fn a_d2_grade_without_a_second_copy_is_seen() {
        let mut check = Kept::default();
        check.kept(1, CASE, 3);
        check.kept(2, CASE, 2);
        assert!(check.graded_d2(1, CASE, 3).is_some());
        check.kept(2, CASE, 3);
        assert_eq!(check.graded_d2(1, CASE, 3), None);
    }

    #[test]
    fn a_case_in_no_hand_or_without_a_confirmed_act_is_seen() {
        let mut check = Kept::default();
        check.kept(1, CASE, 1);
        check.printed(CASE);
        check.recorded(CASE, 4);
        assert_eq!(check.ended(&[(CASE, Vec::new())]).len(), 1);
        assert_eq!(check.ended(&one_hand(4)).len(), 1);
    }

    /// Two halls could restore three events.
    fn graded() -> Kept {
        let mut check = Kept::default();
        check.kept(1, CASE, 3);
        check.kept(2, CASE, 3);
        assert_eq!(check.graded_d2(1, CASE, 3), None);
        check
    }

    fn lost(check: &mut Kept, seat: Seat) -> usize {
        check.disk_replaced(seat, |_| None).len()
    }

    #[test]
    fn a_d2_case_that_goes_with_one_disk_is_seen() {
        let mut check = graded();
        check.kept(2, CASE, 1);
        assert_eq!(lost(&mut check, 1), 1);
        assert!(!check.lost_every_holder(CASE));
    }

    #[test]
    fn a_d2_case_that_goes_with_all_its_holders_is_counted_and_not_blamed() {
        let mut check = graded();
        assert_eq!(lost(&mut check, 1), 0);
        assert!(!check.lost_every_holder(CASE));
        assert_eq!(check.disk_replaced(2, |_| Some(2)), Vec::<String>::new(), "an old disk");
        assert!(check.lost_every_holder(CASE));
        assert_eq!(check.left(CASE), Some(2));
    }

    #[test]
    fn losses_in_two_recovery_periods_are_told_apart() {
        let mut check = graded();
        assert_eq!(lost(&mut check, 1), 0);
        check.kept(3, CASE, 3);
        // Two have it again: whoever loses it from here on by one disk is to blame.
        check.kept(3, CASE, 1);
        assert_eq!(lost(&mut check, 2), 1);
    }
}
