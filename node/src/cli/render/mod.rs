//! Answers as lines for people. Pure: the same answer in the same language is the same lines.

mod audit;
mod bundle;
mod case;
mod declaration;
mod due;
mod durability;
mod matter;
mod node;
mod revocation;
mod statements;
#[cfg(test)]
mod tests;

use crate::ops::{Answer, Clerk};
use crate::texts::Texts;

use super::table::table;

/// What an answer says, ending with the next useful command.
pub(super) fn answer(texts: &Texts, answer: &Answer) -> Vec<String> {
    match answer {
        Answer::Status(status) => node::status(texts, status),
        Answer::Peers { peers } => node::peers(texts, peers),
        Answer::Halls { halls } => node::halls(texts, halls),
        Answer::Matters { matters, more } => matter::list(texts, matters, *more),
        Answer::Matter(matter) => matter::one(texts, matter),
        Answer::Bundles { bundles, more } => bundle::list(texts, bundles, *more),
        Answer::Bundle(found) => bundle::one(texts, found),
        Answer::Applications { applications, after } => {
            bundle::applications(texts, applications, after.as_deref())
        }
        Answer::Application(found) => bundle::application(texts, found),
        Answer::BundleReceived(received) => bundle::received(texts, received),
        Answer::BundleRecorded { bundle, cases } => vec![
            texts.filled("bundle.recorded", &[("number", bundle), ("count", &cases.len())]),
            next(texts, &format!("hallmesh bundle status {bundle}")),
        ],
        Answer::Route(route) => matter::route(texts, route),
        Answer::Cases { cases } => case::list(texts, cases),
        Answer::Case(case) => case::one(texts, case),
        Answer::Trace(trace) => case::trace(texts, trace),
        Answer::DueList(found) => due::list(texts, found),
        Answer::DueExplained(found) => due::explained(texts, found),
        Answer::DueComputed(found) => due::computed(texts, found),
        Answer::Contents(contents) => case::contents(texts, contents),
        Answer::Received(received) => case::received(texts, received),
        Answer::Statements { statements } => statements::list(texts, statements),
        Answer::Stated { case, statement } => statements::stated(texts, case, statement),
        Answer::Recorded { case, sequence, decision } => {
            let mut lines = vec![texts.filled("case.recorded", &[("case", case), ("sequence", sequence)])];
            lines.extend(durability::not_final(texts, decision.as_ref()));
            lines.push(next(texts, &format!("hallmesh case show {case}")));
            lines
        }
        Answer::Post { letters, overdue } => durability::letters(texts, letters, overdue),
        Answer::Singles { singles, count, after } => {
            durability::singles(texts, singles, *count, after.as_deref())
        }
        Answer::Audit(found) => audit::show(texts, found),
        Answer::AuditChecked(found) => audit::checked(texts, found),
        Answer::Recorder(state) => node::recorder(texts, *state),
        Answer::Clerks { clerks } => self::clerks(texts, clerks),
        Answer::Published { records } => {
            let said = texts.filled("matter.published", &[("records", records)]);
            vec![said, next(texts, "hallmesh matter list")]
        }
        Answer::Issued { hall, .. } => vec![texts.filled("hall.issued", &[("hall", hall)])],
        Answer::ClerkKept { number } => {
            let said = texts.filled("clerk.kept", &[("number", number)]);
            vec![said, next(texts, "hallmesh clerk list")]
        }
        Answer::RevocationPlan(plan) => revocation::plan(texts, plan),
        Answer::DeclarationPlan(plan) => declaration::plan(texts, plan),
        Answer::KeysPlan(plan) => declaration::keys(texts, plan),
        Answer::KeysGiven { keys } => vec![texts.filled("keys.given", &[("count", keys)])],
        Answer::Happened { events, .. } => vec![texts.filled("happened.count", &[("count", &events.len())])],
        // Their content is for a file, written by the command that asked.
        Answer::Card { .. }
        | Answer::Export { .. }
        | Answer::Recording { .. }
        | Answer::StickFile(_)
        | Answer::TakenIn(_)
        | Answer::OwnFile { .. }
        | Answer::Backup(_)
        | Answer::AuditProof { .. }
        | Answer::Lists { .. }
        | Answer::Done => vec![texts.say("done", &[])],
        Answer::Refused(problem) => super::problem::error(texts, problem),
    }
}

/// The line that says what to type next.
pub(super) fn next(texts: &Texts, command: &str) -> String {
    format!("{}  {command}", texts.say("label.then", &[]))
}

/// A name, marked if its entry was not confirmed by the authority.
pub(super) fn marked(texts: &Texts, name: &str, official: bool) -> String {
    if official { name.to_owned() } else { format!("{name} [{}]", texts.say("mark.not_official", &[])) }
}

/// The beginning of a digest: enough to compare by eye.
fn short(digest: &str) -> String {
    match digest.get(..12) {
        Some(beginning) => format!("{beginning}…"),
        None => digest.to_owned(),
    }
}

/// Headings from the catalogue.
fn heading(texts: &Texts, names: &[&str]) -> Vec<String> {
    names.iter().map(|name| texts.say(&format!("column.{name}"), &[])).collect()
}

/// A labelled value for [`super::table::fields`].
fn field(texts: &Texts, label: &str, value: impl Into<String>) -> (String, String) {
    (texts.say(&format!("field.{label}"), &[]), value.into())
}

fn clerks(texts: &Texts, clerks: &[Clerk]) -> Vec<String> {
    let add = texts.say("clerk.next_add", &[]);
    if clerks.is_empty() {
        return vec![texts.say("clerk.none", &[]), next(texts, &add)];
    }
    let row = |clerk: &Clerk| {
        let roles: Vec<String> = clerk.roles.0.iter().map(|role| texts.word("role", role)).collect();
        let state = if clerk.active { "active" } else { "disabled" };
        vec![clerk.number.to_string(), clerk.name.clone(), roles.join(", "), texts.word("clerk.state", state)]
    };
    let rows: Vec<_> = clerks.iter().map(row).collect();
    let mut lines = table(&heading(texts, &["number", "name", "roles", "state"]), &rows);
    lines.push(next(texts, &add));
    lines
}
