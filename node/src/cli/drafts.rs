//! Drafts of lists: record bodies in hexadecimal, one a line, in the data directory until they are published. The
//! first line says how many there are, with a digest: half a list is never published.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use hallmesh_protocol::record::Body;

use super::args::Signer;
use super::report::Report;
use super::session::{Session, unexpected};
use super::{files, time};
use crate::ops::{Answer, Ask, Problem, hex, unhex};

const ENDING: &str = "draft";
/// Bytes of a draft: as many matters as the largest city has, each at its largest, is less.
const DRAFT_MAX: u64 = 512 << 20;
/// Bodies published by one call.
const BATCH_MAX: usize = 500;
/// Bytes of hexadecimal published by one call: a call fits a frame of the admin socket.
const BATCH_BYTES_MAX: usize = 2 << 20;

/// Writes a draft, named after the time.
pub(super) fn write(dir: &Path, bodies: &[Body]) -> Result<PathBuf, Problem> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let moment = time::moment(u64::try_from(now.as_millis()).unwrap_or(u64::MAX));
    let path = dir.join(format!("{}.{ENDING}", moment.replace(' ', "-").replace(':', "")));
    let mut records: Vec<String> = bodies.iter().map(|body| hex(&body.encode())).collect();
    records.push(String::new());
    let records = records.join("\n");
    files::write_new(&path, &format!("{}\n{records}", heading(&records)))?;
    Ok(path)
}

fn heading(records: &str) -> String {
    let (count, digest) = (records.lines().count(), blake3::hash(records.as_bytes()));
    format!("hallmesh draft, {count} records, blake3 {digest}")
}

/// The records of a draft that is as it was written.
fn records(text: &str) -> Result<Vec<String>, Problem> {
    let whole = text.split_once('\n').filter(|(first, records)| *first == heading(records));
    let (_, records) = whole.ok_or_else(|| Problem::new("draft.damaged"))?;
    Ok(records.lines().map(str::to_owned).collect())
}

/// What a draft is called on the command line.
pub(super) fn name(path: &Path) -> String {
    path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// What is in a draft.
pub(super) fn bodies(session: &Session, draft: &str) -> Result<Vec<Body>, Problem> {
    let path = find(&session.home()?.drafts(), Some(draft))?;
    decoded(&records(&files::read_up_to(&path, DRAFT_MAX)?)?)
}

/// The record bodies of their hexadecimal lines.
pub(super) fn decoded(records: &[String]) -> Result<Vec<Body>, Problem> {
    let body = |text: &String| Body::decode(&unhex(text)?).ok();
    records.iter().map(body).collect::<Option<_>>().ok_or_else(|| Problem::new("draft.damaged"))
}

/// Publishes a draft in calls that the socket can carry. What is published is moved aside.
pub(super) fn publish(session: &Session, draft: Option<&str>, signer: &Signer) -> Result<Report, Problem> {
    let path = find(&session.home()?.drafts(), draft)?;
    let bodies = records(&files::read_up_to(&path, DRAFT_MAX)?)?;
    let mut published: u32 = 0;
    for batch in batches(&bodies) {
        let ask = Ask::Publish { bodies: batch.to_vec() };
        let Answer::Published { records } =
            session.act(&ask, signer).map_err(|why| partly(why, published, &bodies, &path))?
        else {
            return Err(unexpected());
        };
        published = published.saturating_add(records);
    }
    put_aside(&path)?;
    Report::of(&session.texts, &Answer::Published { records: published })
}

/// The first call fails like any other; a later one leaves something published, and that is said.
fn partly(why: Problem, published: u32, bodies: &[String], path: &Path) -> Problem {
    if published == 0 {
        return why;
    }
    Problem::new("draft.partly_published")
        .with("draft", name(path))
        .with("published", published)
        .with("records", bodies.len())
        .with("reason", why.code)
}

fn batches(bodies: &[String]) -> Vec<&[String]> {
    let mut batches = Vec::new();
    let mut rest = bodies;
    while !rest.is_empty() {
        let mut bytes: usize = 0;
        let fitting = rest.iter().take(BATCH_MAX).take_while(|body| {
            bytes = bytes.saturating_add(body.len());
            bytes <= BATCH_BYTES_MAX
        });
        let (batch, after) = rest.split_at(fitting.count().max(1));
        batches.push(batch);
        rest = after;
    }
    batches
}

fn find(dir: &Path, draft: Option<&str>) -> Result<PathBuf, Problem> {
    let listed = fs::read_dir(dir).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let unreadable =
        |cause| Problem::new("file.unreadable").with("file", dir.display()).with("reason", cause);
    let paths = listed.map_err(unreadable)?.into_iter().map(|entry| entry.path());
    let mut drafts: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|ending| ending == ENDING)).collect();
    drafts.sort_unstable();
    match draft {
        None => drafts.pop().ok_or_else(|| Problem::new("draft.none")),
        Some(wanted) => {
            let found = drafts.into_iter().find(|path| name(path) == wanted);
            found.ok_or_else(|| Problem::new("draft.unknown").with("draft", wanted))
        }
    }
}

fn put_aside(path: &Path) -> Result<(), Problem> {
    fs::rename(path, path.with_extension("published"))
        .map_err(|cause| Problem::new("file.not_written").with("file", path.display()).with("reason", cause))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_hold_every_body_once_and_keep_to_both_limits() {
        let bodies: Vec<String> = (0..1_203).map(|number: usize| "ab".repeat(number * 4)).collect();
        let batches = batches(&bodies);
        assert_eq!(batches.concat(), bodies);
        for batch in batches {
            assert!(batch.len() <= BATCH_MAX);
            assert!(batch.iter().map(String::len).sum::<usize>() <= BATCH_BYTES_MAX);
        }
    }

    #[test]
    fn a_draft_that_was_cut_short_or_changed_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let bodies = crate::lists::sample_bodies().unwrap();
        let text = fs::read_to_string(write(dir.path(), &bodies).unwrap()).unwrap();
        let read = records(&text).unwrap();
        assert_eq!(read, bodies.iter().map(|body| hex(&body.encode())).collect::<Vec<_>>());
        let last_line = text.trim_end().rfind('\n').unwrap();
        let without_heading = text.split_once('\n').unwrap().1;
        let changed = format!("{}00\n", text.trim_end());
        for damaged in ["", "\n", &text[..=last_line], &text[..text.len() - 3], without_heading, &changed] {
            assert_eq!(records(damaged).unwrap_err().code, "draft.damaged");
        }
    }

    #[test]
    fn the_newest_draft_is_taken_unless_one_is_named() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["2026-11-24-090000.draft", "2026-11-25-090000.draft", "2026-11-26-090000.published"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        assert_eq!(name(&find(dir.path(), None).unwrap()), "2026-11-25-090000");
        assert_eq!(name(&find(dir.path(), Some("2026-11-24-090000")).unwrap()), "2026-11-24-090000");
        assert_eq!(find(dir.path(), Some("x")).unwrap_err().code, "draft.unknown");
    }
}
