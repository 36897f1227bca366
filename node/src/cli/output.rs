//! The one way to the terminal.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Map, Value};

/// Of every JSON answer. Grows when a field changes its meaning or goes; new fields do not count.
const SCHEMA: u8 = 1;

#[derive(Serialize)]
struct Versioned<'a> {
    schema: u8,
    #[serde(flatten)]
    answer: &'a Map<String, Value>,
}

/// Lines for people.
pub(super) fn lines(lines: &[String]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    quietly(lines.iter().try_for_each(|line| writeln!(out, "{line}")).and_then(|()| out.flush()))
}

/// One JSON value for programs, on one line.
pub(super) fn json(answer: &Map<String, Value>) -> io::Result<()> {
    let text = serde_json::to_string(&Versioned { schema: SCHEMA, answer })?;
    lines(&[text])
}

/// What went wrong, for people.
pub(super) fn complain(lines: &[String]) -> io::Result<()> {
    let mut err = io::stderr().lock();
    quietly(lines.iter().try_for_each(|line| writeln!(err, "{line}")))
}

/// Whoever read along has seen enough, as `head` has: no reason to complain.
fn quietly(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
