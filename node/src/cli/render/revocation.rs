//! What follows from the end of a life of a hall.

use super::super::table::{fields, table};
use super::{field, heading, next};
use crate::ops::{CaseAt, HallBelow, RevocationPlan};
use crate::texts::Texts;

/// What a revocation would do, before it is done.
pub(super) fn plan(texts: &Texts, plan: &RevocationPlan) -> Vec<String> {
    let mut lines = fields(&about(texts, plan));
    lines.extend(below(texts, &plan.below));
    lines.extend(cases(texts, &plan.cases, plan.case_count));
    if !plan.may {
        lines.push(format!("! {}", texts.say("revoke.may_not", &[])));
    }
    lines.push(texts.say("revoke.nothing_changed", &[]));
    let clerk = texts.say("placeholder.clerk", &[]);
    let apply = format!("hallmesh hall revoke {} --apply --reason stolen --clerk {clerk}", plan.hall);
    let done = format!("hallmesh hall list {}", plan.hall);
    lines.push(next(texts, if plan.ends.is_empty() { &done } else { &apply }));
    lines
}

fn about(texts: &Texts, plan: &RevocationPlan) -> Vec<(String, String)> {
    let hall = texts.filled(
        "revoke.hall",
        &[("name", &plan.name), ("hall", &plan.hall), ("incarnation", &plan.incarnation)],
    );
    let lives: Vec<String> = plan.ends.iter().map(u32::to_string).collect();
    let ends = if lives.is_empty() {
        texts.say("revoke.ends_none", &[])
    } else {
        texts.filled("revoke.ends", &[("lives", &lives.join(", "))])
    };
    let line = texts.word("peer.state", if plan.connected { "connected" } else { "cut-off" });
    let papers = texts.filled("revoke.papers", &[("next", &plan.next)]);
    vec![
        field(texts, "hall", hall),
        field(texts, "ends", ends),
        field(texts, "line", line),
        field(texts, "post", texts.filled("revoke.letters", &[("count", &plan.letters)])),
        field(texts, "new_papers", papers),
    ]
}

fn below(texts: &Texts, halls: &[HallBelow]) -> Vec<String> {
    if halls.is_empty() {
        return Vec::new();
    }
    let row = |hall: &HallBelow| {
        let papers = if hall.new_papers { "needed" } else { "kept" };
        vec![hall.hall.clone(), hall.name.clone(), texts.word("revoke.papers_of_below", papers)]
    };
    let rows: Vec<_> = halls.iter().map(row).collect();
    let mut lines = vec![texts.filled("revoke.below", &[("count", &halls.len())])];
    lines.extend(table(&heading(texts, &["code", "hall", "papers"]), &rows));
    lines
}

/// The open cases that are concerned: the first of them, and how many there are.
pub(super) fn cases(texts: &Texts, cases: &[CaseAt], count: u64) -> Vec<String> {
    if count == 0 {
        return vec![texts.say("revoke.no_cases", &[])];
    }
    let row = |case: &CaseAt| {
        vec![
            case.number.clone(),
            texts.word("state", case.state.word()),
            texts.word("revoke.part", &case.part),
        ]
    };
    let rows: Vec<_> = cases.iter().map(row).collect();
    let shown = cases.len();
    let mut lines = vec![texts.filled("revoke.cases", &[("count", &count), ("shown", &shown)])];
    lines.extend(table(&heading(texts, &["case", "state", "part"]), &rows));
    lines
}
