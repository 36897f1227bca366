//! `hallmesh backup`: all rows of this hall in one file, and the way back.

use std::io::BufWriter;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use hallmesh_protocol::ids::HallAt;
use serde_json::json;

use super::output::Progress;
use super::report::Report;
use super::session::{Session, unexpected};
use super::{files, render, time};
use crate::backup::{self, Archive, BackupError, Contents, Head, Piece, Writing, Written};
use crate::driver::store_problem;
use crate::enrol;
use crate::ops::{Answer, Ask, BackupPiece, Problem, unhex};
use crate::store::{Snapshot, Store, guarded, unwind};

#[derive(Debug, Subcommand)]
pub(super) enum Backup {
    Create {
        #[arg(value_name = "DIR|FILE")]
        target: PathBuf,
    },
    Verify {
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    Restore {
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

pub(super) fn run(session: &Session, backup: &Backup) -> Result<Report, Problem> {
    match backup {
        Backup::Create { target } => create(session, target),
        Backup::Verify { file } => verify(session, file),
        Backup::Restore { file } => restore(session, file),
    }
}

fn create(session: &Session, target: &Path) -> Result<Report, Problem> {
    let mut source = Source::open(session)?;
    let (head, mut piece) = source.first()?;
    let file = file_of(target, &head);
    let mut progress = Progress::new(session, "backup.progress");
    let written = files::write_private_with(&file, |out| {
        let mut writing = Writing::begin(BufWriter::new(out), &head)?;
        writing.add(&piece)?;
        while piece.more {
            progress.show(&time::bytes(writing.bytes()));
            piece = source.after(&piece.last)?;
            writing.add(&piece)?;
        }
        Ok(writing.end()?)
    })?;
    drop(progress);
    created(session, &file, &head, &written)
}

fn created(session: &Session, file: &Path, head: &Head, written: &Written) -> Result<Report, Problem> {
    let (texts, name, size) = (&session.texts, file.display().to_string(), time::bytes(written.bytes));
    let lines = vec![
        texts.filled(
            "backup.created",
            &[("file", &name), ("size", &size), ("rows", &written.rows), ("hall", &head.at())],
        ),
        texts.say("backup.sha256", &[("sha256", &written.sha256)]),
        texts.say("backup.no_keys", &[]),
        render::next(texts, &format!("hallmesh backup verify {name}")),
    ];
    let json = json!({
        "file": name,
        "hall": head.hall.to_string(),
        "incarnation": head.incarnation,
        "made": head.made,
        "rows": written.rows,
        "bytes": written.bytes,
        "sha256": written.sha256,
    });
    Report::new(&json, lines)
}

fn verify(session: &Session, file: &Path) -> Result<Report, Problem> {
    let archive = open(session, file)?;
    let (texts, name, it) = (&session.texts, file.display().to_string(), archive.contents());
    let (size, root) = (time::bytes(it.bytes), enrol::fingerprint(&it.anchor));
    let counts = &it.counts;
    let lines = vec![
        texts.filled("backup.sound", &[("file", &name), ("size", &size), ("rows", &it.rows)]),
        texts.filled(
            "backup.of",
            &[
                ("name", &it.name),
                ("hall", &it.at.hall),
                ("incarnation", &it.at.incarnation),
                ("made", &time::moment(it.made)),
            ],
        ),
        texts.filled(
            "backup.holds",
            &[
                ("cases", &counts.cases),
                ("letters", &counts.post),
                ("directory", &counts.directory),
                ("lists", &counts.lists),
            ],
        ),
        texts.say("backup.root", &[("root", &root)]),
        texts.say("backup.sha256", &[("sha256", &it.sha256)]),
        render::next(texts, &format!("hallmesh backup restore {name}")),
    ];
    Report::new(&verified(&name, &root, it), lines)
}

fn verified(name: &str, root: &str, it: &Contents) -> serde_json::Value {
    json!({
        "file": name,
        "hall": it.at.hall.to_string(),
        "name": it.name,
        "incarnation": it.at.incarnation,
        "root": root,
        "made": it.made,
        "software": it.software,
        "rows": it.rows,
        "tables": it.tables,
        "cases": it.counts.cases,
        "letters": it.counts.post,
        "directory_records": it.counts.directory,
        "list_records": it.counts.lists,
        "bytes": it.bytes,
        "sha256": it.sha256,
    })
}

fn restore(session: &Session, file: &Path) -> Result<Report, Problem> {
    let (dir, archive) = (session.data_dir()?, open(session, file)?);
    let mut progress = Progress::new(session, "backup.restoring");
    let restored = backup::restore(&archive, &dir, &mut |rows| progress.show(&rows))?;
    drop(progress);
    let (texts, dir) = (&session.texts, dir.display().to_string());
    let request = texts.say("placeholder.file", &[]);
    let lines = vec![
        texts.filled(
            "backup.restored",
            &[("name", &restored.name), ("hall", &restored.at), ("dir", &dir), ("rows", &restored.rows)],
        ),
        texts.say("backup.not_alive", &[]),
        render::next(texts, &format!("hallmesh hall rejoin --out {request}")),
    ];
    let json = json!({
        "dir": dir,
        "hall": restored.at.hall.to_string(),
        "name": restored.name,
        "incarnation": restored.at.incarnation,
        "rows": restored.rows,
    });
    Report::new(&json, lines)
}

fn open(session: &Session, file: &Path) -> Result<Archive, Problem> {
    let mut progress = Progress::new(session, "backup.reading");
    let opened = Archive::open(file, &mut |read| progress.show(&time::bytes(read)));
    opened.map_err(|why| Problem::from(why).with("file", file.display()))
}

/// The file itself, or one in the directory whose name says whose rows it holds and of when.
fn file_of(target: &Path, head: &Head) -> PathBuf {
    if !target.is_dir() {
        return target.to_owned();
    }
    let moment: String = time::moment(head.made).chars().filter(char::is_ascii_digit).collect();
    target.join(format!("{}-{}-{moment}.hallbak", head.hall, head.incarnation))
}

/// Where the rows come from: the running node, or its store while it is stopped.
enum Source<'a> {
    Node { session: &'a Session, mark: Option<u64> },
    Store { dir: PathBuf, view: Snapshot, at: HallAt },
}

impl<'a> Source<'a> {
    fn open(session: &'a Session) -> Result<Self, Problem> {
        match session.ask(&Ask::Status) {
            Ok(_) => return Ok(Self::Node { session, mark: None }),
            Err(problem) if problem.code == "node.not_running" => {}
            Err(problem) => return Err(problem),
        }
        let dir = session.data_dir()?;
        let in_store = |why| store_problem(&why, &dir);
        let view = Store::open_with(&dir, unwind).and_then(|store| store.snapshot()).map_err(in_store)?;
        let at = guarded(&dir, || backup::owner(&view)).map_err(in_store)?;
        let at = at.ok_or_else(|| Problem::new("store.format"))?;
        Ok(Self::Store { dir, view, at })
    }

    fn first(&mut self) -> Result<(Head, Piece), Problem> {
        if let Self::Store { at, .. } = self {
            let head = Head::new(*at, time::wall());
            return Ok((head, self.after(&[])?));
        }
        let answered = self.ask(&[])?;
        let hall = answered.hall.parse().ok().ok_or_else(unexpected)?;
        let head = Head::new(HallAt { hall, incarnation: answered.incarnation }, answered.made);
        Ok((head, unpacked(&answered)?))
    }

    fn after(&mut self, last: &[u8]) -> Result<Piece, Problem> {
        match self {
            Self::Store { dir, view, .. } => {
                guarded(dir, || backup::piece(view, last)).map_err(|why| store_problem(&why, dir))
            }
            Self::Node { .. } => unpacked(&self.ask(last)?),
        }
    }

    fn ask(&mut self, last: &[u8]) -> Result<BackupPiece, Problem> {
        let Self::Node { session, mark } = self else { return Err(unexpected()) };
        let ask = Ask::Backup { mark: *mark, after: crate::ops::hex(last) };
        let Answer::Backup(piece) = session.ask(&ask)? else { return Err(unexpected()) };
        *mark = Some(piece.mark);
        Ok(*piece)
    }
}

fn unpacked(answered: &BackupPiece) -> Result<Piece, Problem> {
    let (rows, last) = (unhex(&answered.rows), unhex(&answered.last));
    let (rows, last) = rows.zip(last).ok_or_else(unexpected)?;
    if rows.is_empty() {
        return Err(BackupError::Replaced.into());
    }
    Ok(Piece { rows, last, count: answered.count, more: answered.more })
}
