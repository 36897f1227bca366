//! Statements: what halls have said about a case, and what became of it.

use super::super::table::table;
use super::super::time;
use super::{heading, next, short};
use crate::ops::StatementShown;
use crate::texts::Texts;

pub(super) fn list(texts: &Texts, statements: &[StatementShown]) -> Vec<String> {
    let Some(first) = statements.iter().find(|it| it.here).or_else(|| statements.first()) else {
        return vec![texts.say("statement.none", &[]), next(texts, "hallmesh case list")];
    };
    let mut lines = rows(texts, statements);
    lines.push(next(texts, &step(texts, first)));
    lines
}

/// One line a statement.
pub(super) fn rows(texts: &Texts, statements: &[StatementShown]) -> Vec<String> {
    let row = |it: &StatementShown| {
        let at = time::moment(it.stated);
        let at = if it.suspect_time { texts.filled("case.suspect_time", &[("at", &at)]) } else { at };
        vec![
            short(&it.statement),
            it.case.clone(),
            texts.word("kind_of_statement", &it.kind),
            it.by_name.clone(),
            at,
            outcome(texts, it),
        ]
    };
    let rows: Vec<_> = statements.iter().map(row).collect();
    table(&heading(texts, &["statement", "case", "what", "hall", "stated", "outcome"]), &rows)
}

/// A statement in a few words.
pub(super) fn in_short(texts: &Texts, it: &StatementShown) -> String {
    let what = texts.word("kind_of_statement", &it.kind);
    format!(
        "{} {what}, {}, {}: {}",
        short(&it.statement),
        it.by_name,
        time::moment(it.stated),
        outcome(texts, it)
    )
}

/// What became of it, and why or where.
fn outcome(texts: &Texts, it: &StatementShown) -> String {
    let word = texts.word("outcome", if it.here { "here" } else { &it.outcome });
    let why = it.dismissed.as_ref().map(|reason| texts.word("dismissal", reason));
    let event = it.event.map(|event| texts.filled("statement.event", &[("event", &event)]));
    [Some(word), why, event, it.told_by.clone()].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

pub(super) fn stated(texts: &Texts, case: &str, statement: &str) -> Vec<String> {
    let said = texts.filled("statement.stated", &[("case", &case), ("statement", &short(statement))]);
    vec![said, next(texts, &format!("hallmesh case statements {case}"))]
}

/// What to do with one that waits here; where nothing is to be done, looking on.
pub(super) fn step(texts: &Texts, it: &StatementShown) -> String {
    if !it.here {
        return format!("hallmesh case statements {}", it.case);
    }
    let (clerk, note) = (texts.say("placeholder.clerk", &[]), texts.say("placeholder.note", &[]));
    let beginning = it.statement.get(..12).unwrap_or(&it.statement);
    format!("hallmesh case include {} {beginning} --clerk {clerk} --note {note}", it.case)
}
