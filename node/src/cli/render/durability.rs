//! What lies on one disk only, what is final, whom letters do not reach.

use super::super::table::table;
use super::super::time;
use super::{heading, next};
use crate::ops::{Case, Copy, Letter, Overdue, Single, Standing, Status};
use crate::texts::Texts;

/// A case that no second hall keeps is nothing to speak of for so long.
const SINGLE_MS: u64 = 600_000;

/// A grade in words, with the halls that keep the case, or are to keep it.
pub(super) fn grade(texts: &Texts, grade: &str, copies: &[Copy]) -> String {
    let whole: Vec<_> = copies.iter().filter(|copy| copy.whole).map(named).collect();
    let all: Vec<_> = copies.iter().map(named).collect();
    match (grade, whole.is_empty(), all.is_empty()) {
        ("D1", _, true) => texts.say("case.grade_d1_alone", &[]),
        ("D1", _, false) => texts.say("case.grade_d1", &[("halls", &all.join(", "))]),
        (_, true, _) => texts.word("grade", grade),
        (_, false, _) => texts.say("case.grade_d2", &[("halls", &whole.join(", "))]),
    }
}

/// The mirrors of a case, each with what it has signed for.
pub(super) fn copies(texts: &Texts, case: &Case) -> String {
    let known = ["custodian", "handing-over"].contains(&case.stage.as_str());
    let copy = |copy: &Copy| match (known, copy.whole) {
        (false, _) => named(copy),
        (true, true) => texts.say("case.copy_whole", &[("hall", &named(copy))]),
        (true, false) => {
            let signed = [("hall", &named(copy) as &dyn std::fmt::Display), ("events", &copy.events)];
            texts.filled("case.copy_behind", &signed)
        }
    };
    let copies: Vec<_> = case.copies.iter().map(copy).collect();
    if copies.is_empty() { "-".to_owned() } else { copies.join("\n") }
}

/// How a decision stands.
pub(super) fn decision(texts: &Texts, standing: &Standing) -> String {
    match (&standing.name, &standing.hall) {
        (Some(name), Some(hall)) => {
            texts.say("decision.countersigned", &[("hall", &format!("{name} {hall}"))])
        }
        _ if standing.offline => texts.say("decision.provisional_offline", &[]),
        _ => texts.say("decision.provisional", &[]),
    }
}

/// What a clerk has to know of a decision that is not final.
pub(super) fn not_final(texts: &Texts, standing: Option<&Standing>) -> Option<String> {
    let standing = standing.filter(|standing| standing.is_provisional())?;
    Some(format!("! {}", decision(texts, standing)))
}

pub(super) fn singles(texts: &Texts, singles: &[Single], count: u64, after: Option<&str>) -> Vec<String> {
    if singles.is_empty() {
        return vec![texts.say("post.no_single", &[]), next(texts, "hallmesh status")];
    }
    let row = |single: &Single| {
        let copies: Vec<_> = single.copies.iter().map(named).collect();
        vec![
            single.number.clone(),
            texts.word("state", &single.state),
            texts.word("stage", &single.stage),
            time::moment(single.since),
            if copies.is_empty() { "-".to_owned() } else { copies.join(", ") },
        ]
    };
    let rows: Vec<_> = singles.iter().map(row).collect();
    let mut lines = table(&heading(texts, &["case", "state", "stage", "since", "waits_for"]), &rows);
    lines.push(texts.filled("post.single_count", &[("shown", &rows.len()), ("count", &count)]));
    let more = after.map(|mark| format!("hallmesh post list --single --after {mark}"));
    lines.push(next(texts, more.as_deref().unwrap_or("hallmesh peer list")));
    lines
}

pub(super) fn letters(texts: &Texts, letters: &[Letter], overdue: &[Overdue]) -> Vec<String> {
    if letters.is_empty() {
        return vec![texts.say("post.none", &[]), next(texts, "hallmesh case list")];
    }
    let row = |letter: &Letter| {
        let since = time::moment(letter.since);
        vec![
            letter.to.clone(),
            letter.to_name.clone(),
            texts.word("letter", &letter.what),
            letter.case.clone().unwrap_or_else(|| "-".to_owned()),
            if letter.late { format!("{since} !") } else { since },
        ]
    };
    let rows: Vec<_> = letters.iter().map(row).collect();
    let mut lines = table(&heading(texts, &["to", "hall", "letter", "case", "since"]), &rows);
    lines.push(texts.filled("post.count", &[("count", &letters.len())]));
    lines.extend(overdue.iter().map(|it| format!("! {}", late(texts, it))));
    lines.push(next(texts, "hallmesh peer list"));
    lines
}

/// How many cases lie on this disk only, and for how long, if any do.
pub(super) fn single_count(texts: &Texts, status: &Status) -> Option<String> {
    let age = time::span(texts, status.wall.saturating_sub(status.single_since?));
    Some(texts.filled("status.single", &[("count", &status.single), ("span", &age)]))
}

/// Whether cases lie on this disk only for longer than a mirror needs.
pub(super) fn is_single_for_long(status: &Status) -> bool {
    status.single_since.is_some_and(|since| status.wall.saturating_sub(since) > SINGLE_MS)
}

/// The halls that letters do not reach, with how many more there are.
pub(super) fn undeliverable(texts: &Texts, status: &Status) -> Vec<String> {
    let mut lines: Vec<_> = status.overdue.iter().map(|it| late(texts, it)).collect();
    let more = status.undeliverable.saturating_sub(lines.len());
    if more > 0 {
        lines.push(texts.filled("post.late_more", &[("count", &more)]));
    }
    lines
}

fn late(texts: &Texts, overdue: &Overdue) -> String {
    let hall = format!("{} {}", overdue.name, overdue.hall);
    let since = time::moment(overdue.since);
    texts.filled("post.late", &[("hall", &hall), ("count", &overdue.waiting), ("since", &since)])
}

fn named(copy: &Copy) -> String {
    format!("{} {}", copy.name, copy.hall)
}
