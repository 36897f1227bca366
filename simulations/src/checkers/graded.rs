//! Graded: what a hall has graded D2 is never followed by another log. A later grade is for a log that goes on from it, and
//! so is the log in which the case ends.

use std::collections::BTreeMap;

use hallmesh_protocol::ids::{CaseId, Digest};

/// The longest log of each case that was graded D2.
#[derive(Debug, Default)]
pub struct Graded(BTreeMap<CaseId, Vec<Digest>>);

impl Graded {
    /// A hall grades this log of a case D2. What is wrong with that?
    pub fn check(&self, case: CaseId, log: &[Digest]) -> Option<String> {
        let known = self.0.get(&case)?;
        let differs = known.iter().zip(log).position(|(one, other)| one != other)?;
        Some(format!("case {case}: event {differs} was graded D2 and another one stands in its place"))
    }

    /// A hall ends with this log of a case in hand. What is wrong with that?
    pub fn ends(&self, case: CaseId, log: &[Digest]) -> Option<String> {
        let known = self.0.get(&case).map_or(0, Vec::len);
        let shorter = (log.len() < known)
            .then(|| format!("case {case}: {known} events were graded D2, it ends with {}", log.len()));
        shorter.or_else(|| self.check(case, log))
    }

    /// A hall has graded this log of a case D2.
    pub fn grade(&mut self, case: CaseId, log: Vec<Digest>) {
        let known = self.0.entry(case).or_default();
        if known.len() < log.len() {
            *known = log;
        }
    }

    /// Every holder has lost its disk: only so many events are left of those that were graded.
    pub fn forget(&mut self, case: CaseId, left: usize) {
        if let Some(known) = self.0.get_mut(&case) {
            known.truncate(left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASE: CaseId = CaseId([7; 16]);

    fn log(events: &[u8]) -> Vec<Digest> {
        events.iter().map(|event| Digest([*event; 32])).collect()
    }

    #[test]
    fn another_event_in_the_place_of_a_graded_one_is_seen() {
        let mut check = Graded::default();
        assert_eq!(check.check(CASE, &log(&[1, 2])), None);
        check.grade(CASE, log(&[1, 2]));
        assert_eq!(check.check(CASE, &log(&[1, 2, 3])), None);
        assert!(check.check(CASE, &log(&[1, 3])).is_some());
        assert!(check.ends(CASE, &log(&[1])).is_some());
        assert_eq!(check.ends(CASE, &log(&[1, 2])), None);
        check.grade(CASE, log(&[1]));
        assert!(check.check(CASE, &log(&[1, 3])).is_some());
        check.forget(CASE, 1);
        assert_eq!(check.check(CASE, &log(&[1, 3])), None);
    }
}
