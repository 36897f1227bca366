//! `hallmesh record`: what the flight recorder holds, and a file of it for a replay elsewhere.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use hallmesh_protocol::limits::RECORDING_MAX;
use hallmesh_protocol::recording::{Came, Recording};
use serde_json::json;

use super::files;
use super::render;
use super::report::Report;
use super::session::{Session, unexpected};
use super::time;
use crate::ops::{Answer, Ask, Problem, unhex};

#[derive(Debug, Subcommand)]
pub(super) enum Record {
    Status,
    Save {
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

pub(super) fn run(session: &Session, record: &Record) -> Result<Report, Problem> {
    match record {
        Record::Status => Report::of(&session.texts, &session.ask(&Ask::Recorder)?),
        Record::Save { out } => save(session, out),
    }
}

/// Writes the recording where the caller wants it, for its owner only: the node may not write there.
fn save(session: &Session, out: &Path) -> Result<Report, Problem> {
    files::refuse_existing(out)?;
    let file = fetch(session)?;
    let recording =
        Recording::decode(&file).map_err(|why| Problem::new("recorder.damaged").with("reason", why))?;
    files::write_private(out, &file)?;
    let (inputs, frames, commands) = counts(&recording);
    let (path, since) = (out.display().to_string(), recording.header.begun.wall);
    let (texts, bytes) = (&session.texts, u64::try_from(file.len()).unwrap_or(u64::MAX));
    let lines = vec![
        texts.filled("record.saved", &[("file", &path), ("size", &time::bytes(bytes))]),
        texts.filled(
            "record.holds",
            &[
                ("since", &time::moment(since)),
                ("inputs", &inputs),
                ("frames", &frames),
                ("commands", &commands),
                ("rows", &recording.rows.len()),
            ],
        ),
        texts.say("record.removed", &[]),
        texts.say("record.sealed", &[]),
        render::next(texts, &format!("hallmesh-sim replay {path}")),
    ];
    let json = json!({
        "file": path,
        "bytes": bytes,
        "since": since,
        "inputs": inputs,
        "frames": frames,
        "commands": commands,
        "rows": recording.rows.len(),
    });
    Report::new(&json, lines)
}

/// The file, piece by piece: one answer could not hold it.
fn fetch(session: &Session) -> Result<Vec<u8>, Problem> {
    let (mut file, mut mark) = (Vec::new(), None);
    while file.len() <= RECORDING_MAX {
        let from = u64::try_from(file.len()).unwrap_or(u64::MAX);
        let Answer::Recording { mark: marked, piece, more } = session.ask(&Ask::Recording { mark, from })?
        else {
            return Err(unexpected());
        };
        file.extend(unhex(&piece).ok_or_else(unexpected)?);
        if !more {
            return Ok(file);
        }
        mark = Some(marked);
    }
    Err(unexpected())
}

fn counts(recording: &Recording) -> (usize, usize, usize) {
    let frames = recording.entries.iter().filter(|entry| matches!(entry.came, Came::Frame { .. }));
    let commands = recording.entries.iter().filter(|entry| matches!(entry.came, Came::Command { .. }));
    (recording.entries.len(), frames.count(), commands.count())
}
