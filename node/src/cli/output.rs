//! The one way to the terminal.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Map, Value};

use super::session::Session;
use crate::texts::Texts;

/// Of every JSON answer. Grows when a field changes its meaning or goes; new fields do not count.
const SCHEMA: u8 = 1;
/// People see no more in between.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

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

/// How far something slow has come, on one line of a terminal that is written over; nothing anywhere else.
pub(super) struct Progress<'a> {
    texts: &'a Texts,
    key: &'static str,
    shown: Option<Instant>,
    on: bool,
}

impl<'a> Progress<'a> {
    pub(super) fn new(session: &'a Session, key: &'static str) -> Self {
        let on = !session.global.json && io::stderr().is_terminal();
        Self { texts: &session.texts, key, shown: None, on }
    }

    /// Shows it, unless that was done just now.
    pub(super) fn show(&mut self, done: &dyn Display) {
        let due = self.shown.is_none_or(|shown| shown.elapsed() >= PROGRESS_EVERY);
        if self.on && due {
            self.shown = Some(Instant::now());
            let line = self.texts.filled(self.key, &[("done", done)]);
            // A terminal that is gone has nobody who wants to know.
            self.on = write!(io::stderr().lock(), "\r{line}\x1b[K").is_ok();
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if self.on && self.shown.is_some() {
            let _nobody_there = write!(io::stderr().lock(), "\r\x1b[K");
        }
    }
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
