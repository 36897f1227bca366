//! `hallmesh post`: letters that wait for other halls, their way by USB stick, and cases that no other hall keeps yet.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use hallmesh_protocol::ids::HallId;
use hallmesh_protocol::parcels::{Carries, Cover};
use hallmesh_protocol::step::TakenIn;
use serde::Serialize;

use super::exit::Exit;
use super::output;
use super::render;
use super::report::Report;
use super::session::{Session, unexpected};
use super::values;
use crate::ops::{Answer, Ask, Problem, StickFile, hex, unhex};
use crate::sticks::{Found, Stick};
use crate::texts::Texts;

/// How often an export begins anew because the directory changed under it.
const EXPORTS_MAX: u32 = 5;

#[derive(Debug, Subcommand)]
pub(super) enum Post {
    List {
        #[arg(long)]
        single: bool,
        #[arg(long, value_name = "MARK", requires = "single")]
        after: Option<String>,
        #[arg(long, value_name = "N", default_value_t = 100)]
        count: usize,
    },
    Export {
        #[arg(long, value_name = "HALL", value_parser = values::hall, required_unless_present = "all")]
        to: Option<HallId>,
        #[arg(long, conflicts_with = "to")]
        all: bool,
        #[arg(value_name = "DIR")]
        stick: PathBuf,
    },
    Import {
        #[arg(value_name = "DIR")]
        stick: PathBuf,
    },
}

pub(super) fn run(session: &Session, post: &Post) -> Result<Report, Problem> {
    match post {
        Post::List { single: true, after, count } => {
            let ask = Ask::Single { after: after.clone(), count: *count };
            Report::of(&session.texts, &session.ask(&ask)?)
        }
        Post::List { count, .. } => Report::of(&session.texts, &session.ask(&Ask::Post { count: *count })?),
        Post::Export { to, stick, .. } => export(session, *to, stick),
        Post::Import { stick } => import(session, stick),
    }
}

/// What an export put on a stick.
#[derive(Debug, Default, Serialize)]
struct Exported {
    dir: String,
    files: BTreeSet<String>,
    halls: BTreeSet<String>,
    letters: usize,
    records: usize,
    removed: usize,
    lists_cut: bool,
}

fn export(session: &Session, to: Option<HallId>, mount: &Path) -> Result<Report, Problem> {
    let stick = Stick::to_write(mount)?;
    let mut tries = 1_u32;
    let mut exported = loop {
        match write_all(session, to, &stick) {
            Err(moved) if moved.code == "post.directory_moved" && tries < EXPORTS_MAX => {
                tries = tries.saturating_add(1);
            }
            other => break other?,
        }
    };
    exported.removed = tidy(&stick, &own_hall(session)?, &exported)?;
    stick.write_index()?;
    exported.dir = stick.room().display().to_string();
    let lines = exported_lines(&session.texts, &exported, mount);
    Report::new(&exported, lines)
}

fn write_all(session: &Session, to: Option<HallId>, stick: &Stick) -> Result<Exported, Problem> {
    let (mut exported, mut ask) = (Exported::default(), Ask::StickWrite { to, next: None, directory: None });
    loop {
        let Answer::StickFile(file) = session.ask(&ask)? else { return Err(unexpected()) };
        let StickFile { name, what, to: hall, count, cut, directory, next, file, .. } = *file;
        stick.write(&name, &unhex(&file).ok_or_else(unexpected)?)?;
        told(session, "post.writing", &name);
        let sum = if what == "letters" { &mut exported.letters } else { &mut exported.records };
        *sum = sum.saturating_add(count);
        exported.lists_cut |= cut;
        exported.halls.extend(hall);
        exported.files.insert(name);
        if next.is_none() {
            return Ok(exported);
        }
        ask = Ask::StickWrite { to, next, directory: Some(directory) };
    }
}

/// Removes this hall's older files for the same halls: all that still waits is in the new ones.
fn tidy(stick: &Stick, own: &str, exported: &Exported) -> Result<usize, Problem> {
    let replaced = |cover: &Cover| {
        let by_this_hall = cover.from.hall.to_string() == own;
        by_this_hall
            && match &cover.carries {
                Carries::Records { .. } => true,
                Carries::Letters { to, .. } => exported.halls.contains(&to.to_string()),
            }
    };
    let mut removed = 0_usize;
    for Found { name, cover } in stick.files()? {
        if cover.is_ok_and(|cover| replaced(&cover)) && !exported.files.contains(&name) {
            stick.remove(&name)?;
            removed = removed.saturating_add(1);
        }
    }
    Ok(removed)
}

fn own_hall(session: &Session) -> Result<String, Problem> {
    let Answer::Status(status) = session.ask(&Ask::Status)? else { return Err(unexpected()) };
    Ok(status.hall)
}

fn exported_lines(texts: &Texts, exported: &Exported, mount: &Path) -> Vec<String> {
    let mut lines = vec![texts.filled(
        "post.exported",
        &[
            ("letters", &exported.letters),
            ("halls", &exported.halls.len()),
            ("records", &exported.records),
            ("files", &exported.files.len()),
            ("dir", &exported.dir),
        ],
    )];
    lines.push(texts.say("post.exported_stays", &[]));
    if exported.lists_cut {
        lines.push(format!("! {}", texts.say("post.lists_cut", &[])));
    }
    lines.push(render::next(texts, &format!("hallmesh post import {}", mount.display())));
    lines
}

/// What became of one file.
#[derive(Debug, Serialize)]
struct Read {
    file: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

/// What an import took in.
#[derive(Debug, Default, Serialize)]
struct Imported {
    files: Vec<Read>,
    taken: TakenIn,
    removed: usize,
}

fn import(session: &Session, mount: &Path) -> Result<Report, Problem> {
    let stick = Stick::to_read(mount)?;
    let mut imported = Imported::default();
    let mut failed = false;
    for Found { name, cover } in stick.files()? {
        let outcome = match cover {
            Ok(_) => take_in(session, &stick, &name, &mut imported),
            Err(why) => Err(why.into()),
        };
        told(session, "post.reading", &name);
        let (state, problem) = match outcome {
            Ok(state) => (state, None),
            Err(problem) if Exit::of(&problem) == Exit::NotRunning => return Err(problem),
            Err(problem) => ("refused", Some(problem)),
        };
        failed |= problem.is_some();
        imported.files.push(Read { file: name, state, problem });
    }
    if imported.removed > 0 {
        stick.write_index()?;
    }
    let exit = if failed || imported.taken.left > 0 { Exit::Warnings } else { Exit::Done };
    let lines = imported_lines(&session.texts, &imported, mount);
    Ok(Report::new(&imported, lines)?.ending(exit))
}

fn take_in(
    session: &Session,
    stick: &Stick,
    name: &str,
    imported: &mut Imported,
) -> Result<&'static str, Problem> {
    let bytes = stick.read(name)??;
    let answer = session.ask(&Ask::StickRead { file: hex(&bytes) })?;
    if let Answer::OwnFile { needed } = answer {
        if needed {
            return Ok("own");
        }
        stick.remove(name)?;
        imported.removed = imported.removed.saturating_add(1);
        return Ok("removed");
    }
    let Answer::TakenIn(taken) = answer else { return Err(unexpected()) };
    let sum = &mut imported.taken;
    sum.records = sum.records.saturating_add(taken.records);
    sum.letters = sum.letters.saturating_add(taken.letters);
    sum.relayed = sum.relayed.saturating_add(taken.relayed);
    sum.unfit = sum.unfit.saturating_add(taken.unfit);
    sum.left = sum.left.saturating_add(taken.left);
    Ok(if taken.known { "known" } else { "taken" })
}

fn imported_lines(texts: &Texts, imported: &Imported, mount: &Path) -> Vec<String> {
    let taken = &imported.taken;
    let mut lines = vec![texts.filled(
        "post.imported",
        &[
            ("files", &imported.files.len()),
            ("letters", &taken.letters),
            ("relayed", &taken.relayed),
            ("records", &taken.records),
        ],
    )];
    if taken.left > 0 {
        lines.push(format!("! {}", texts.filled("post.left", &[("count", &taken.left)])));
    }
    if taken.unfit > 0 {
        lines.push(format!("! {}", texts.filled("post.unfit", &[("count", &taken.unfit)])));
    }
    if imported.removed > 0 {
        lines.push(texts.filled("post.removed", &[("count", &imported.removed)]));
    }
    for Read { file, problem, .. } in &imported.files {
        if let Some(problem) = problem {
            lines.push(format!("! {file}"));
            lines.extend(super::problem::error(texts, problem));
        }
    }
    lines.push(render::next(texts, &format!("hallmesh post export --all {}", mount.display())));
    lines
}

/// Each file as it is done. A stick is slow, and nobody shall pull it out because nothing moves.
fn told(session: &Session, key: &str, file: &str) {
    let line = session.texts.say(key, &[("file", file)]);
    if !session.global.json
        && let Err(cause) = output::complain(&[line])
    {
        tracing::debug!(%cause, "nobody reads the progress");
    }
}
