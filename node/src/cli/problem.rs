//! Problems as people and programs read them: what happened, why, what to do.

use std::fmt::Display;

use serde_json::{Value, json};

use super::table::fields;
use crate::ops::Problem;
use crate::texts::Texts;

/// Parameters whose values are stable words of the protocol, and what they are words for.
const WORDS: [(&str, &str); 6] = [
    ("tier", "tier"),
    ("level", "tier"),
    ("area_tier", "tier"),
    ("found_tier", "tier"),
    ("role", "role"),
    ("article", "article"),
];
/// The one problem whose `found` and `expected` are tiers.
const OF_TIERS: &str = "lists.tier_not_of_code";

/// The line of a finding in a file: what, where, and what was probably meant.
pub(super) fn found_at(texts: &Texts, problem: &Problem, label: &str, rest: &[String]) -> Vec<String> {
    let label = texts.say(label, &[]);
    let message = sentence(texts, problem, "").unwrap_or_else(|| bare(problem));
    let next = sentence(texts, problem, ".next");
    let first = [format!("{label} {}  {message}", problem.code)];
    let next = next.map(|next| format!("{}  {next}", texts.say("label.next", &[])));
    first.into_iter().chain(rest.iter().cloned().chain(next).map(|line| format!("  {line}"))).collect()
}

/// An error: one line, and what is known beside it.
pub(super) fn error(texts: &Texts, problem: &Problem) -> Vec<String> {
    said(texts, problem, "label.error")
}

/// A warning, in the same form.
pub(super) fn warning(texts: &Texts, problem: &Problem) -> Vec<String> {
    said(texts, problem, "label.warning")
}

/// For programs: the code to branch on, the sentences to show.
pub(super) fn json(texts: &Texts, problem: &Problem) -> Value {
    json!({
        "code": problem.code,
        "params": problem.params,
        "message": sentence(texts, problem, "").unwrap_or_else(|| bare(problem)),
        "why": sentence(texts, problem, ".why"),
        "next": sentence(texts, problem, ".next"),
    })
}

fn said(texts: &Texts, problem: &Problem, label: &str) -> Vec<String> {
    let label = texts.say(label, &[]);
    let message = sentence(texts, problem, "").unwrap_or_else(|| bare(problem));
    let more = [(".why", "label.why"), (".next", "label.next")].into_iter().filter_map(|(suffix, label)| {
        Some((format!("  {}", texts.say(label, &[])), sentence(texts, problem, suffix)?))
    });
    let first = format!("{label} {}  {message}", problem.code);
    std::iter::once(first).chain(fields(&more.collect::<Vec<_>>())).collect()
}

fn sentence(texts: &Texts, problem: &Problem, suffix: &str) -> Option<String> {
    let worded = |(name, value): (&String, &String)| {
        let kind = WORDS.iter().find(|(known, _)| known == name).map(|(_, kind)| *kind);
        let kind = kind.or((problem.code == OF_TIERS).then_some("tier"));
        let word = kind.map(|kind| texts.word(kind, value));
        (name.clone(), word.or_else(|| cause(texts, problem, name, value)).unwrap_or_else(|| value.clone()))
    };
    let params: Vec<(String, String)> = problem.params.iter().map(worded).collect();
    let params: Vec<(&str, &dyn Display)> =
        params.iter().map(|(name, value)| (name.as_str(), value as &dyn Display)).collect();
    texts.find(&format!("error.{}{suffix}", problem.code), &params)
}

/// A reason that is the code of another problem, as its sentence.
fn cause(texts: &Texts, problem: &Problem, name: &str, value: &str) -> Option<String> {
    let params: Vec<(&str, &dyn Display)> =
        problem.params.iter().map(|(name, value)| (name.as_str(), value as &dyn Display)).collect();
    texts.find(&format!("error.{value}"), &params).filter(|_| name == "reason")
}

/// A code without a sentence: from a node that is newer than this command line.
fn bare(problem: &Problem) -> String {
    let params = problem.params.iter().map(|(name, value)| format!("{name}: {value}"));
    params.collect::<Vec<_>>().join(", ")
}
