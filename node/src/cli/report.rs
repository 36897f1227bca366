//! What a command has to say, for people and for programs.

use serde::Serialize;
use serde_json::{Map, Value};

use super::exit::Exit;
use super::render;
use crate::ops::{Answer, Problem};
use crate::texts::Texts;

/// The outcome of a command.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) json: Map<String, Value>,
    pub(super) lines: Vec<String>,
    pub(super) exit: Exit,
}

impl Report {
    /// Any value and the lines that say it.
    pub(super) fn new(value: &impl Serialize, lines: Vec<String>) -> Result<Self, Problem> {
        let Ok(Value::Object(mut json)) = serde_json::to_value(value) else {
            return Err(Problem::new("call.malformed"));
        };
        // The schema is put in front when it is printed.
        json.remove("schema");
        Ok(Self { json, lines, exit: Exit::Done })
    }

    /// A node's answer.
    pub(super) fn of(texts: &Texts, answer: &Answer) -> Result<Self, Problem> {
        let mut report = Self::new(answer, render::answer(texts, answer))?;
        report.json.remove("answer");
        Ok(report)
    }

    pub(super) fn ending(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }
}
