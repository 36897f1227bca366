//! `hallmesh hall revoke` and `heed`: a life of a hall ends, because its machine was stolen or the hall is no more; what the
//! root says of a life is taken up.

use std::io::{self, BufRead, Read, Write};
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use hallmesh_protocol::ids::HallId;
use hallmesh_protocol::record::encode_records;
use serde_json::json;

use super::args::Signer;
use super::report::Report;
use super::session::{Session, unexpected};
use super::time::wall;
use super::{files, passphrase, render, values};
use crate::enrol::{self, Word};
use crate::ops::{Answer, Ask, Problem, ReasonWord, RevocationPlan, hex};
use crate::texts::Texts;

/// A longer answer is no code of a hall.
const ANSWER_MAX: u64 = 64;

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["plan", "apply"]))]
#[command(group = ArgGroup::new("who").args(["root", "clerk"]))]
pub(super) struct Revoke {
    #[arg(value_name = "HALL", value_parser = values::hall)]
    hall: HallId,
    #[arg(long, conflicts_with = "who")]
    plan: bool,
    #[arg(long, requires_all = ["reason", "who"])]
    apply: bool,
    #[arg(long, value_name = "REASON", value_parser = values::reason)]
    reason: Option<ReasonWord>,
    #[arg(long, value_name = "HALL")]
    confirm: Option<String>,
    #[arg(long, value_name = "N", conflicts_with = "root")]
    incarnation: Option<u32>,
    #[arg(long, value_name = "N")]
    clerk: Option<u16>,
    #[arg(long, value_name = "FILE", requires = "clerk")]
    clerk_key: Option<PathBuf>,
    #[arg(long, value_name = "DIR", requires = "out")]
    root: Option<PathBuf>,
    #[arg(long, value_name = "FILE", requires = "root")]
    papers: Option<PathBuf>,
    #[arg(long, value_name = "FILE", requires = "root")]
    out: Option<PathBuf>,
}

pub(super) fn run(session: &Session, revoke: &Revoke) -> Result<Report, Problem> {
    match (revoke.reason, &revoke.root, revoke.clerk) {
        _ if revoke.plan => Report::of(&session.texts, &session.ask(&asked(revoke))?),
        (Some(reason), Some(root), _) => {
            let (papers, out) = (revoke.papers.as_deref(), revoke.out.as_deref());
            let offline = Offline { root, papers, out, confirmed: revoke.confirm.as_deref() };
            let mut report = by_root(session, (revoke.hall, Word::Revoked(reason.reason())), offline)?;
            report.json.insert("reason".to_owned(), json!(reason.word()));
            Ok(report)
        }
        (Some(reason), None, Some(clerk)) => by_clerk(session, revoke, reason, clerk),
        (None, ..) | (Some(_), None, None) => {
            Err(Problem::new("usage.missing").with("args", "--reason, --clerk, --root"))
        }
    }
}

/// `hall heed`: what the root has signed goes from here to every hall.
pub(super) fn heed(session: &Session, file: &Path) -> Result<Report, Problem> {
    let (record, at, word) = enrol::read_word(&files::read(file)?)?;
    let records = hex(&encode_records(std::slice::from_ref(&record)));
    let Answer::Published { records } = session.ask(&Ask::Heed { records })? else {
        return Err(unexpected());
    };
    let texts = &session.texts;
    let said = if records == 0 { "hall.heeded_before" } else { "hall.heeded" };
    let says = said_of(texts, word);
    let what =
        [("hall", &at.hall as &dyn std::fmt::Display), ("incarnation", &at.incarnation), ("says", &says)];
    let lines = vec![texts.filled(said, &what), render::next(texts, "hallmesh hall list")];
    Report::new(
        &json!({
            "hall": at.hall.to_string(),
            "incarnation": at.incarnation,
            "says": word.word(),
            "to": word.heir(),
            "records": records,
        }),
        lines,
    )
}

/// What the root says of a life, in words.
fn said_of(texts: &Texts, word: Word) -> String {
    let to = word.heir().map(|heir| heir.to_string()).unwrap_or_default();
    texts.filled(&format!("hall.word.{}", word.word()), &[("to", &to)])
}

fn asked(revoke: &Revoke) -> Ask {
    Ask::RevocationPlan { hall: revoke.hall, incarnation: revoke.incarnation }
}

fn by_clerk(session: &Session, revoke: &Revoke, reason: ReasonWord, clerk: u16) -> Result<Report, Problem> {
    let Answer::RevocationPlan(plan) = session.ask(&asked(revoke))? else { return Err(unexpected()) };
    confirm(session, revoke.confirm.as_deref(), revoke.hall, &plan.name)?;
    let signer = Signer { clerk, clerk_key: revoke.clerk_key.clone() };
    let ask = Ask::Revoke { hall: revoke.hall, incarnation: plan.incarnation, reason };
    let Answer::Published { .. } = session.act(&ask, &signer)? else { return Err(unexpected()) };
    let texts = &session.texts;
    let mut lines = revoked(session, &plan);
    let file = texts.say("placeholder.file", &[]);
    let next = format!("hallmesh hall issue {file} --out {file} --incarnation {} --clerk {clerk}", plan.next);
    lines.push(render::next(texts, &next));
    let json = json!({
        "hall": plan.hall,
        "incarnation": plan.incarnation,
        "reason": reason.word(),
        "plan": *plan,
    });
    Report::new(&json, lines)
}

fn revoked(session: &Session, plan: &RevocationPlan) -> Vec<String> {
    let texts = &session.texts;
    let what = [("name", &plan.name as &dyn std::fmt::Display), ("incarnation", &plan.incarnation)];
    vec![texts.filled("hall.revoked", &what), texts.filled("hall.revoked_next", &[("next", &plan.next)])]
}

/// What the holders of the root have before them, on a machine that is on no network.
#[derive(Clone, Copy)]
pub(super) struct Offline<'a> {
    /// Where the root's keys are.
    pub(super) root: &'a Path,
    /// Papers of the life that is meant.
    pub(super) papers: Option<&'a Path>,
    /// The file to write.
    pub(super) out: Option<&'a Path>,
    /// The hall's code, typed once more.
    pub(super) confirmed: Option<&'a str>,
}

/// Signs the root's word about a life of a hall, and writes it to a file.
pub(super) fn by_root(
    session: &Session,
    (hall, word): (HallId, Word),
    offline: Offline<'_>,
) -> Result<Report, Problem> {
    let Offline { root, papers, out, confirmed } = offline;
    let out = out.ok_or_else(|| Problem::new("usage.missing").with("args", "--apply, --out"))?;
    let papers = papers.map(files::read).transpose()?;
    confirm(session, confirmed, hall, &hall.to_string())?;
    let (text, at) = enrol::word_of_root(root, hall, papers.as_deref(), word, wall())?;
    files::write_new(out, &text)?;
    let (texts, file) = (&session.texts, out.display().to_string());
    let says = said_of(texts, word);
    let what = [
        ("hall", &at.hall as &dyn std::fmt::Display),
        ("incarnation", &at.incarnation),
        ("says", &says),
        ("file", &file),
    ];
    let lines = vec![
        texts.filled("hall.word_written", &what),
        render::next(texts, &format!("hallmesh hall heed {file}")),
    ];
    let json = json!({
        "hall": at.hall.to_string(),
        "incarnation": at.incarnation,
        "says": word.word(),
        "to": word.heir(),
        "file": file,
    });
    Report::new(&json, lines)
}

/// Nobody ends what cannot be begun again by a slip: the hall's code is typed once more.
pub(super) fn confirm(
    session: &Session,
    confirmed: Option<&str>,
    hall: HallId,
    name: &str,
) -> Result<(), Problem> {
    let typed = match confirmed {
        Some(typed) => typed.to_owned(),
        None if passphrase::is_somebody_there() => typed_code(session, name)?,
        None => String::new(),
    };
    let hall = hall.to_string();
    if typed.trim() == hall { Ok(()) } else { Err(Problem::new("hall.not_confirmed").with("hall", hall)) }
}

fn typed_code(session: &Session, name: &str) -> Result<String, Problem> {
    let ask = || {
        let mut terminal = io::stderr().lock();
        write!(terminal, "{} ", session.texts.filled("hall.revoke_ask", &[("name", &name)]))?;
        terminal.flush()?;
        let mut typed = String::new();
        io::stdin().lock().take(ANSWER_MAX).read_line(&mut typed)?;
        Ok(typed)
    };
    ask().map_err(|cause: io::Error| Problem::new("passphrase.not_read").with("reason", cause))
}
