//! `hallmesh bundle`: one thing in a citizen's life, done with one application (一件事一次办).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{Args, Subcommand, value_parser};
use hallmesh_protocol::ids::{BundleCode, CaseNumber, DivisionCode};

use super::application;
use super::args::Signer;
use super::files;
use super::report::Report;
use super::session::{Session, unexpected};
use super::values;
use crate::ops::{Answer, Ask, BundleAsk, BundleReceived, Content, Problem, Together, Watch};

/// A second hall on a village's line answers within a second or not at all.
const WAIT_SECONDS: u64 = 2;
/// Nobody stands at a window for longer.
const WAIT_SECONDS_MAX: u64 = 60;

#[derive(Debug, Subcommand)]
pub(super) enum Bundle {
    Show(Show),
    Receive(Receive),
    List {
        #[arg(long, conflicts_with = "blocked")]
        open: bool,
        #[arg(long)]
        blocked: bool,
        #[arg(long, value_name = "NUMBER", value_parser = values::number)]
        after: Option<CaseNumber>,
        #[arg(long, value_name = "N", default_value_t = 100)]
        count: usize,
    },
    Status {
        bundle: String,
    },
    Deliver(Noted),
    Close(Reasoned),
}

#[derive(Debug, Args)]
pub(super) struct Show {
    #[arg(value_parser = values::bundle)]
    code: Option<BundleCode>,
    #[arg(long, value_name = "FILE|K=V,...", requires = "code")]
    answers: Option<String>,
    #[arg(long, value_name = "CODE", conflicts_with = "code", value_parser = values::bundle)]
    after: Option<BundleCode>,
    #[arg(long, value_name = "N", default_value_t = 100)]
    count: usize,
}

#[derive(Debug, Args)]
pub(super) struct Receive {
    #[arg(value_parser = values::bundle)]
    code: BundleCode,
    #[arg(long, value_name = "FILE|K=V,...")]
    answers: Option<String>,
    #[arg(long, value_name = "CODE", value_parser = values::division)]
    place: DivisionCode,
    #[arg(long, value_name = "FILE.json|-")]
    applicant: PathBuf,
    #[arg(long, value_name = "SECONDS", default_value_t = WAIT_SECONDS, value_parser = value_parser!(u64).range(..=WAIT_SECONDS_MAX))]
    wait: u64,
    #[command(flatten)]
    signer: Signer,
}

#[derive(Debug, Args)]
pub(super) struct Noted {
    bundle: String,
    #[command(flatten)]
    signer: Signer,
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Reasoned {
    bundle: String,
    #[command(flatten)]
    signer: Signer,
    #[arg(long, value_name = "TEXT")]
    note: String,
}

pub(super) fn run(session: &Session, bundle: &Bundle) -> Result<Report, Problem> {
    match bundle {
        Bundle::Show(show) => self::show(session, show),
        Bundle::Receive(receive) => self::receive(session, receive),
        Bundle::List { open, blocked, after, count } => {
            let only = if *blocked { Some(Watch::Blocked) } else { open.then_some(Watch::Open) };
            ask(session, BundleAsk::Applications { after: *after, only, count: *count })
        }
        Bundle::Status { bundle } => ask(session, BundleAsk::Application { bundle: bundle.clone() }),
        Bundle::Deliver(noted) => {
            together(session, &noted.bundle, Together::Deliver, noted.note.as_deref(), &noted.signer)
        }
        Bundle::Close(reasoned) => {
            let note = Some(reasoned.note.as_str());
            together(session, &reasoned.bundle, Together::Close, note, &reasoned.signer)
        }
    }
}

fn show(session: &Session, show: &Show) -> Result<Report, Problem> {
    let Some(code) = show.code.clone() else {
        let after = show.after.as_ref().map(ToString::to_string).unwrap_or_default();
        return ask(session, BundleAsk::Offered { after, count: show.count });
    };
    ask(session, BundleAsk::One { code, answers: answers(show.answers.as_deref())? })
}

fn receive(session: &Session, receive: &Receive) -> Result<Report, Problem> {
    let content = application::read(&session.texts, &receive.applicant)?;
    let (bundle, place) = (receive.code.clone(), receive.place);
    let answers = answers(receive.answers.as_deref())?;
    let mut answer = session
        .act(&Ask::Bundle { of: BundleAsk::Receive { bundle, answers, place, content } }, &receive.signer)?;
    if let Answer::BundleReceived(received) = &mut answer {
        wait_for_copies(session, received, Duration::from_secs(receive.wait));
    }
    Report::of(&session.texts, &answer)
}

/// Until a second hall keeps every task. Nothing that goes wrong from here on changes that they are received.
fn wait_for_copies(session: &Session, received: &mut BundleReceived, wait: Duration) {
    let until = Instant::now().checked_add(wait);
    let mut kept = true;
    for task in &received.application.tasks {
        let Some(case) = task.id.clone() else { continue };
        let left = until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()));
        let wait_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        let asked = session.ask(&Ask::Kept { case, wait_ms });
        kept &= matches!(asked, Ok(Answer::Case(case)) if case.grade == "D2");
    }
    if kept {
        "D2".clone_into(&mut received.grade);
    }
}

fn together(
    session: &Session,
    bundle: &str,
    what: Together,
    note: Option<&str>,
    signer: &Signer,
) -> Result<Report, Problem> {
    let Answer::Application(found) =
        session.ask(&Ask::Bundle { of: BundleAsk::Application { bundle: bundle.to_owned() } })?
    else {
        return Err(unexpected());
    };
    let content = note.map(|note| Content::one("note", note)).unwrap_or_default();
    let answer = session
        .act(&Ask::Bundle { of: BundleAsk::Record { bundle: found.number, act: what, content } }, signer)?;
    Report::of(&session.texts, &answer)
}

/// Answers to the questions: a JSON file, or `question=option` separated by commas.
fn answers(given: Option<&str>) -> Result<BTreeMap<String, String>, Problem> {
    let Some(given) = given.filter(|it| !it.is_empty()) else { return Ok(BTreeMap::new()) };
    if given.contains('=') {
        let pair = |pair: &str| {
            let (question, option) = pair.split_once('=')?;
            Some((question.trim().to_owned(), option.trim().to_owned()))
        };
        let pairs: Option<Vec<_>> = given.split(',').map(pair).collect();
        let pairs = pairs.ok_or_else(|| Problem::new("bundle.bad_answers").with("given", given))?;
        let answers: BTreeMap<String, String> = pairs.iter().cloned().collect();
        // A question that is answered twice may have been meant either way.
        let once = answers.len() == pairs.len();
        return if once { Ok(answers) } else { Err(Problem::new("bundle.bad_answers").with("given", given)) };
    }
    let text = files::read(Path::new(given))?;
    serde_json::from_str(&text).ok().ok_or_else(|| Problem::new("bundle.bad_answers").with("given", given))
}

fn ask(session: &Session, of: BundleAsk) -> Result<Report, Problem> {
    Report::of(&session.texts, &session.ask(&Ask::Bundle { of })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_pairs_and_nothing_else() {
        let pairs = answers(Some("born=outside, card=yes")).unwrap();
        assert_eq!(pairs.get("born").map(String::as_str), Some("outside"));
        assert_eq!(pairs.get("card").map(String::as_str), Some("yes"));
        assert_eq!(answers(None), Ok(BTreeMap::new()));
        for bad in ["born=outside,card", "born=outside,born=hospital", "no-such-file.json"] {
            assert!(answers(Some(bad)).is_err(), "{bad}");
        }
    }
}
