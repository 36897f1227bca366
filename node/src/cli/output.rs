//! The one way to the terminal.

use std::io::{self, IsTerminal, Write};

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

/// How far something long has come, on one line that is written over; only where somebody watches.
pub(super) fn progress(said: &str) {
    let mut err = io::stderr().lock();
    if err.is_terminal() {
        // Where even this cannot be written, the outcome still tells.
        write!(err, "\r{said}").and_then(|()| err.flush()).ok();
    }
}

/// The line after the last progress.
pub(super) fn end_progress() {
    let mut err = io::stderr().lock();
    if err.is_terminal() {
        write!(err, "\r\x1b[K").and_then(|()| err.flush()).ok();
    }
}

/// Whoever read along has seen enough, as `head` has: no reason to complain.
fn quietly(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
