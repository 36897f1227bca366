//! `hallmesh audit`: what others remember of this hall's log, proofs from it, and checks of both.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;

use super::exit::Exit;
use super::report::Report;
use super::session::{Session, unexpected};
use super::{files, output, render};
use crate::enrol;
use crate::export::ProofFile;
use crate::ops::{Answer, Ask, AuditChecked, Problem};

/// Leaves that are checked with one call.
const PAGE: usize = 500;
/// Bytes of a proof file at the most.
const PROOF_FILE_MAX: u64 = 4 << 20;

#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    Show,
    Prove {
        case: String,
        #[arg(long, value_name = "N")]
        sequence: u32,
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    Verify {
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
        #[arg(long, value_name = "FINGERPRINT", requires = "file")]
        root: Option<String>,
    },
}

pub(super) fn run(session: &Session, audit: &Audit) -> Result<Report, Problem> {
    match audit {
        Audit::Show => Report::of(&session.texts, &session.ask(&Ask::Audit)?),
        Audit::Prove { case, sequence, file } => prove(session, case, *sequence, file),
        Audit::Verify { file: Some(file), root } => verify_file(session, file, root.as_deref()),
        Audit::Verify { file: None, .. } => verify_log(session),
    }
}

fn prove(session: &Session, case: &str, sequence: u32, path: &Path) -> Result<Report, Problem> {
    files::refuse_existing(path)?;
    let ask = Ask::AuditProve { case: case.to_owned(), sequence };
    let Answer::AuditProof { file } = session.ask(&ask)? else { return Err(unexpected()) };
    let text = serde_json::to_string_pretty(&file).ok().ok_or_else(unexpected)?;
    files::write_new(path, &format!("{text}\n"))?;
    let (texts, shown) = (&session.texts, path.display().to_string());
    let witnesses = file.cosignatures.len();
    let lines = vec![
        texts.filled("audit.proved", &[("file", &shown), ("witnesses", &witnesses)]),
        texts.say("audit.by_hand", &[("file", &shown)]),
        render::next(texts, &format!("hallmesh audit verify {shown}")),
    ];
    let json = json!({ "file": shown, "root": file.root, "leaf": file.leaf, "witnesses": witnesses });
    Report::new(&json, lines)
}

/// Checks a proof; needs no node.
fn verify_file(session: &Session, path: &Path, root: Option<&str>) -> Result<Report, Problem> {
    let text = files::read_up_to(path, PROOF_FILE_MAX)?;
    let file = ProofFile::read(&text)?;
    let proven = file.verify(root)?;
    let (texts, shown) = (&session.texts, path.display().to_string());
    let (at, root) = (proven.header.at, enrol::fingerprint(&proven.anchor));
    let kind = texts.word("event", proven.header.facts.word());
    let witnesses: Vec<String> = proven.witnesses.iter().map(|at| at.hall.to_string()).collect();
    let said = [
        ("hall", &at.hall as &dyn Display),
        ("event", &kind),
        ("case", &proven.header.case),
        ("sequence", &proven.header.sequence),
        ("place", &proven.place),
        ("size", &proven.checkpoint.size),
    ];
    let anchored = if proven.anchored { "case.root_compared" } else { "case.root_not_compared" };
    let lines = vec![
        texts.filled("audit.proof_holds", &said),
        texts
            .filled("audit.proof_witnesses", &[("count", &witnesses.len()), ("halls", &witnesses.join(" "))]),
        texts.say(anchored, &[("root", &root)]),
        texts.say("audit.by_hand", &[("file", &shown)]),
        render::next(texts, "hallmesh audit show"),
    ];
    let json = json!({
        "hall": at.hall.to_string(),
        "incarnation": at.incarnation,
        "case": proven.header.case.to_string(),
        "sequence": proven.header.sequence,
        "place": proven.place,
        "size": proven.checkpoint.size,
        "log_root": proven.checkpoint.root.to_string(),
        "witnesses": witnesses,
        "root": root,
        "anchored": proven.anchored,
    });
    Report::new(&json, lines)
}

/// Checks this hall's own log, page by page: a node goes on working meanwhile.
fn verify_log(session: &Session) -> Result<Report, Problem> {
    let mut from = 0;
    loop {
        let Answer::AuditChecked(found) = session.ask(&Ask::AuditCheck { from, count: PAGE })? else {
            return Err(unexpected());
        };
        let done = found.wrong.is_some() || found.checked >= found.size;
        if done {
            output::end_progress();
            let exit = if found.wrong.is_some() { Exit::Errors } else { Exit::Done };
            let answer = Answer::AuditChecked(found);
            return Ok(Report::of(&session.texts, &answer)?.ending(exit));
        }
        if found.checked <= from {
            return Err(unexpected());
        }
        from = found.checked;
        progress(session, &found);
    }
}

fn progress(session: &Session, found: &AuditChecked) {
    if !session.global.json {
        let said = [("checked", &found.checked as &dyn Display), ("size", &found.size)];
        output::progress(&session.texts.filled("audit.progress", &said));
    }
}
