//! Settled: when all lines hold again, every hand-over comes to its end and every outbox empties.

use std::fmt::Write as _;

use hallmesh_protocol::cases::{Stage, State};
use hallmesh_protocol::ids::{CaseId, HallId};
use hallmesh_protocol::post::Waiting;
use hallmesh_protocol::query::Counts;

use super::nothing_lost::Ending;

/// Looks for what is still under way.
#[derive(Debug)]
pub struct Settled;

impl Settled {
    /// What is wrong with a hall, from how much it holds and its oldest waiting letters.
    pub fn check(hall: HallId, counts: &Counts, waiting: &[Waiting]) -> Option<String> {
        let between = [Stage::Handing, Stage::Holder];
        let stages = counts.stages.iter().filter(|(stage, _)| between.contains(stage));
        let cases: u64 = stages.map(|(_, count)| *count).sum();
        let (post, forks) = (counts.post, counts.forks);
        if cases == 0 && post == 0 && forks == 0 {
            return None;
        }
        let mut how = format!("hall {hall}: {cases} cases under way, {post} letters wait, {forks} forks");
        for letter in waiting {
            let about = letter.what.case().map(|case| case.to_string()).unwrap_or_default();
            // Writing into a text cannot fail.
            write!(how, "; {} {about} for {}", letter.what.word(), letter.to).ok();
        }
        Some(how)
    }

    /// What is wrong with a printed case, from the hands it is in: nobody brings work any more and staff
    /// work on, so every citizen has the result.
    pub fn delivered(case: CaseId, hands: &[Ending]) -> Option<String> {
        let hand = hands.iter().find(|hand| hand.state != State::Delivered)?;
        Some(format!("case {case} ends in state {}", hand.state.word()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(post: u64, handing: u64, forks: u64) -> Counts {
        Counts {
            directory: 1,
            lists: 1,
            cases: handing,
            closed: 0,
            stages: vec![(Stage::Custodian, 9), (Stage::Handing, handing)],
            post,
            relayed: 0,
            forks,
        }
    }

    #[test]
    fn a_case_that_nobody_delivers_is_seen() {
        let ends = |state| Settled::delivered(CaseId([7; 16]), &[Ending { events: 3, state }]).is_some();
        assert!(!ends(State::Delivered));
        assert!(ends(State::Accepted));
    }

    #[test]
    fn a_waiting_letter_a_case_under_way_and_a_fork_are_seen() {
        let hall = HallId::from_u64(62_070_000_000_000).expect("a hall");
        let found = |post, handing, forks| Settled::check(hall, &counts(post, handing, forks), &[]).is_some();
        assert!(!found(0, 0, 0));
        assert!(found(1, 0, 0));
        assert!(found(0, 1, 0));
        assert!(found(0, 0, 1));
    }
}
