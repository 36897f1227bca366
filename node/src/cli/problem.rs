//! Problems as people and programs read them: what happened, why, what to do.

use std::fmt::Display;

use serde_json::{Value, json};

use crate::ops::Problem;
use crate::texts::Texts;

/// Parameters whose values are stable words of the protocol.
const WORDS: [&str; 4] = ["tier", "role", "state", "stage"];

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
    let mut lines = vec![format!("{label} {}  {message}", problem.code)];
    for (suffix, label) in [(".why", "label.why"), (".next", "label.next")] {
        let label = texts.say(label, &[]);
        lines.extend(sentence(texts, problem, suffix).map(|text| format!("  {label}  {text}")));
    }
    lines
}

fn sentence(texts: &Texts, problem: &Problem, suffix: &str) -> Option<String> {
    let worded = |(name, value): (&String, &String)| {
        let known = WORDS.contains(&name.as_str());
        (name.clone(), if known { texts.word(name, value) } else { value.clone() })
    };
    let params: Vec<(String, String)> = problem.params.iter().map(worded).collect();
    let params: Vec<(&str, &dyn Display)> =
        params.iter().map(|(name, value)| (name.as_str(), value as &dyn Display)).collect();
    texts.find(&format!("error.{}{suffix}", problem.code), &params)
}

/// A code without a sentence: from a node that is newer than this command line.
fn bare(problem: &Problem) -> String {
    let params = problem.params.iter().map(|(name, value)| format!("{name}: {value}"));
    params.collect::<Vec<_>>().join(", ")
}
