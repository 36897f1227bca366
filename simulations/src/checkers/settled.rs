//! Settled: when all lines hold again, every hand-over comes to its end and every outbox empties. What waits for a ruling,
//! because a life it needs is over, is left out.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hallmesh_protocol::cases::Stage;
use hallmesh_protocol::ids::CaseId;
use hallmesh_protocol::post::{self, Letter, LetterBody, What};
use hallmesh_protocol::query;

use super::kept::Ending;
use crate::station::Station;

/// Cases and letters of one hall that are looked at.
const LOOKED_AT_MAX: usize = 10_000;
/// Letters that are described.
const DESCRIBED_MAX: usize = 4;

/// Looks for what is still under way.
#[derive(Debug)]
pub struct Settled;

impl Settled {
    /// What is wrong with a hall: cases between two halls, letters that wait, logs that contradict each other where
    /// nobody has written two.
    pub fn check(station: &Station, forks_allowed: bool, orphan: impl Fn(CaseId) -> bool) -> Option<String> {
        let mut known = BTreeMap::new();
        let mut waits = |case: CaseId| !*known.entry(case).or_insert_with(|| orphan(case));
        let between = [Stage::Handing, Stage::Holder, Stage::Recovering];
        let desks =
            between.into_iter().flat_map(|stage| query::desk(&station.disk, stage, None, LOOKED_AT_MAX));
        let cases: Vec<_> = desks.filter(|case| waits(*case)).collect();
        let letters: Vec<_> = post::waiting(&station.disk, LOOKED_AT_MAX)
            .into_iter()
            .filter(|letter| about(&letter.what).is_none_or(&mut waits))
            .collect();
        let forks = if forks_allowed { 0 } else { query::counts(&station.disk).forks };
        if cases.is_empty() && letters.is_empty() && forks == 0 {
            return None;
        }
        let (hall, count, between) = (station.at, letters.len(), cases.len());
        let mut how = format!("hall {hall}: {between} cases under way, {count} letters wait, {forks} forks");
        for case in cases.iter().take(DESCRIBED_MAX) {
            let custody = query::case(&station.disk, *case).and_then(|view| view.custody);
            let stage = custody.map_or("unlisted", |custody| custody.stage.word());
            // Writing into a text cannot fail.
            write!(how, "; {stage} {case}").ok();
            let view = query::case(&station.disk, *case).filter(|_| stage == "recovering");
            for missing in
                view.iter().flat_map(|view| query::recovery_waits_for(&station.disk, station.at, &view.case))
            {
                write!(how, " without the word of {missing}").ok();
            }
        }
        for letter in letters.iter().take(DESCRIBED_MAX) {
            let about = about(&letter.what).map(|case| case.to_string()).unwrap_or_default();
            // Writing into a text cannot fail.
            write!(how, "; {} {about} for {}", letter.what.word(), letter.to).ok();
        }
        Some(how)
    }

    /// What is wrong with a printed case, from the hands it is in: nobody brings work any more and staff
    /// work on, so every citizen has the result.
    pub fn delivered(case: CaseId, hands: &[Ending]) -> Option<String> {
        let hand = hands.iter().find(|hand| !hand.state.is_over())?;
        Some(format!("case {case} ends in state {}", hand.state.word()))
    }
}

/// The case that a letter is about.
fn about(what: &What) -> Option<CaseId> {
    match what {
        What::HandOver { case, .. }
        | What::Copy { case }
        | What::Fence { case, .. }
        | What::AskFence { case, .. } => Some(*case),
        What::Ask(asked) => Some(asked.case),
        What::Statement { .. } => None,
        What::Relay(letter) | What::Answer(letter) => about_letter(letter),
    }
}

fn about_letter(letter: &Letter) -> Option<CaseId> {
    match &letter.body {
        LetterBody::HandOver(file) | LetterBody::Copy(file) => Some(file.events.first()?.header().ok()?.case),
        LetterBody::Receipt(receipt) | LetterBody::Fence(_, receipt) => {
            receipt.peek().ok().map(|receipt| receipt.case)
        }
        LetterBody::Ask(asked) => Some(asked.case),
        LetterBody::AskFence { case, .. } => Some(*case),
        LetterBody::Statement(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use hallmesh_protocol::cases::State;

    use super::*;

    #[test]
    fn a_case_that_nobody_delivers_is_seen() {
        let ends = |state| Settled::delivered(CaseId([7; 16]), &[Ending { events: 3, state }]).is_some();
        assert!(!ends(State::Delivered));
        assert!(ends(State::Accepted));
    }
}
