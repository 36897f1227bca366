//! In time (P7): the day by which a case is due is the one that the model counts, from the signed acceptance, on every
//! hall; no hall has another acceptance than the others; and a machine whose clock is wrong does not give itself more
//! days than it has.

use std::collections::BTreeMap;

use hallmesh_protocol::cases::Case;
use hallmesh_protocol::catalogue::Catalogue;
use hallmesh_protocol::ids::CaseId;
use hallmesh_protocol::query;
use hallmesh_protocol::step::View;

use crate::clock::FOUNDED;
use crate::plan::HOUR;
use crate::reference::Reference;
use crate::years;

/// Milliseconds by which an acceptance may be dated late: clocks are set by people.
const LATE_MAX: u64 = HOUR;

/// When each case was accepted, as its log says.
#[derive(Debug, Default)]
pub struct InTime {
    accepted: BTreeMap<CaseId, u64>,
}

impl InTime {
    /// A hall committed a case when the world was `at` milliseconds old: what is wrong with the day from which its time
    /// is counted.
    pub fn committed(&mut self, at: u64, case: &Case) -> Option<String> {
        let accepted = case.accepted?;
        if self.accepted.contains_key(&case.id) {
            return None;
        }
        self.accepted.insert(case.id, accepted);
        let late = accepted.saturating_sub(FOUNDED.saturating_add(at));
        (late > LATE_MAX).then(|| format!("case {}: accepted {late} ms before its own date", case.id))
    }

    /// What is wrong with what a hall says about a case's days.
    pub fn asked(&mut self, case: CaseId, view: &dyn View) -> Option<String> {
        let held = query::case(view, case)?;
        let accepted = held.case.accepted?;
        let first = *self.accepted.entry(case).or_insert(accepted);
        if first != accepted {
            return Some(format!("case {case} was accepted at {first} and at {accepted}"));
        }
        let (deadlines, matter) = (query::deadlines(view, &held)?, &held.matter.as_ref()?.matter);
        let known =
            Catalogue::new(view).calendar()?.0.years().last().map_or(years::FIRST - 1, |year| year.year);
        let days = [(deadlines.promised.day, matter.promised_days), (deadlines.legal.day, matter.legal_days)];
        let wrong = days.iter().find(|(day, days)| *day != Reference::due(accepted, *days, known));
        wrong.map(|(day, days)| {
            let right = Reference::due(accepted, *days, known);
            format!("case {case} is said to be due on {day}, it is on {right}")
        })
    }
}
