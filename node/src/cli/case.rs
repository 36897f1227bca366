//! `hallmesh case`: the life of a case, from the window to the citizen and out of the archive.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, value_parser};
use hallmesh_protocol::cases::{Deed, Stage};
use hallmesh_protocol::ids::{DivisionCode, MatterCode};

use super::acts::{self, Act};
use super::application;
use super::archive;
use super::args::Signer;
use super::declare::{self, GiveKeys, Takeover};
use super::report::Report;
use super::session::Session;
use super::statements::{self, Statements};
use super::values;
use crate::ops::{Answer, Ask, Content, Problem};

/// A second hall on a village's line answers within a second or not at all.
const WAIT_SECONDS: u64 = 2;
/// Nobody stands at a window for longer.
const WAIT_SECONDS_MAX: u64 = 60;

#[derive(Debug, Subcommand)]
pub(super) enum Case {
    Receive(Receive),
    List {
        #[arg(long, value_parser = values::stage)]
        stage: Option<Stage>,
        #[arg(long, value_name = "N", default_value_t = 100)]
        count: usize,
    },
    Show {
        case: String,
    },
    Trace {
        case: String,
    },
    Read {
        case: String,
        #[command(flatten)]
        signer: Signer,
    },
    Accept(Noted),
    Correct(Correct),
    Decide(Decide),
    Deliver(Noted),
    #[command(flatten)]
    Act(Act),
    #[command(flatten)]
    Statements(Statements),
    Takeover(Takeover),
    GiveKeys(GiveKeys),
    Export {
        case: String,
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    Verify {
        #[arg(value_name = "DIR")]
        dir: PathBuf,
        #[arg(long, value_name = "FINGERPRINT")]
        root: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(super) struct Receive {
    #[arg(long, value_name = "CODE", value_parser = values::matter)]
    matter: MatterCode,
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
    case: String,
    #[command(flatten)]
    signer: Signer,
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["missing", "supply"]))]
pub(super) struct Correct {
    case: String,
    #[command(flatten)]
    signer: Signer,
    #[arg(long, value_name = "TEXT")]
    missing: Option<String>,
    #[arg(long, value_name = "FILE.json|-")]
    supply: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("decision").required(true).args(["grant", "deny"]))]
pub(super) struct Decide {
    case: String,
    #[command(flatten)]
    signer: Signer,
    #[arg(long)]
    grant: bool,
    #[arg(long)]
    deny: bool,
    #[arg(long, conflicts_with = "deny")]
    certificate: bool,
    #[arg(long, value_name = "TEXT")]
    note: String,
}

pub(super) fn run(session: &Session, case: &Case) -> Result<Report, Problem> {
    match case {
        Case::Receive(receive) => self::receive(session, receive),
        Case::List { stage, count } => ask(session, &Ask::Cases { stage: *stage, count: *count }),
        Case::Show { case } => ask(session, &Ask::Case { case: case.clone() }),
        Case::Trace { case } => ask(session, &Ask::Trace { case: case.clone() }),
        Case::Read { case, signer } => act(session, &Ask::Read { case: in_full(session, case)? }, signer),
        Case::Accept(noted) => record(session, &noted.case, Deed::Accept, note(noted), &noted.signer),
        Case::Deliver(noted) => record(session, &noted.case, Deed::Deliver, note(noted), &noted.signer),
        Case::Correct(correct) => self::correct(session, correct),
        Case::Decide(decide) => self::decide(session, decide),
        Case::Act(act) => acts::run(session, act),
        Case::Statements(what) => statements::run(session, what),
        Case::Takeover(takeover) => declare::takeover(session, takeover),
        Case::GiveKeys(give) => declare::give_keys(session, give),
        Case::Export { case, out } => archive::export(session, case, out),
        Case::Verify { dir, root } => archive::verify(session, dir, root.as_deref()),
    }
}

fn receive(session: &Session, receive: &Receive) -> Result<Report, Problem> {
    let content = application::read(&session.texts, &receive.applicant)?;
    let ask = Ask::Receive { matter: receive.matter.clone(), place: receive.place, content };
    let mut answer = session.act(&ask, &receive.signer)?;
    if let Answer::Received(received) = &mut answer {
        // Nothing that goes wrong from here on changes that the case is received.
        let ask = Ask::Kept { case: received.id.clone(), wait_ms: receive.wait.saturating_mul(1_000) };
        if let Ok(Answer::Case(case)) = session.ask(&ask) {
            (received.grade, received.copies) = (case.grade, case.copies);
        }
    }
    Report::of(&session.texts, &answer)
}

/// The deciding hall says once what is missing; the window records what was brought.
fn correct(session: &Session, correct: &Correct) -> Result<Report, Problem> {
    let (deed, content) = match (&correct.missing, &correct.supply) {
        (Some(missing), _) => (Deed::RequestCorrection, Content::one("missing", missing)),
        (None, Some(file)) => (Deed::Supplement, application::read(&session.texts, file)?),
        (None, None) => return Err(Problem::new("usage.missing").with("args", "--missing, --supply")),
    };
    record(session, &correct.case, deed, content, &correct.signer)
}

fn decide(session: &Session, decide: &Decide) -> Result<Report, Problem> {
    let granted = decide.grant && !decide.deny;
    let deed = Deed::Decide { granted, certificate: decide.certificate };
    let note = &decide.note;
    let content = if granted { Content::one("note", note) } else { acts::with_remedy(&session.texts, note) };
    record(session, &decide.case, deed, content, &decide.signer)
}

fn note(noted: &Noted) -> Content {
    noted.note.as_ref().map(|note| Content::one("note", note)).unwrap_or_default()
}

pub(super) fn record(
    session: &Session,
    case: &str,
    deed: Deed,
    content: Content,
    signer: &Signer,
) -> Result<Report, Problem> {
    act(session, &Ask::Record { case: in_full(session, case)?, deed, content }, signer)
}

/// The id of the one case that a text begins: what a clerk signs names it in full.
pub(super) fn in_full(session: &Session, case: &str) -> Result<String, Problem> {
    let Answer::Case(case) = session.ask(&Ask::Case { case: case.to_owned() })? else {
        return Err(super::session::unexpected());
    };
    Ok(case.id)
}

fn ask(session: &Session, ask: &Ask) -> Result<Report, Problem> {
    Report::of(&session.texts, &session.ask(ask)?)
}

fn act(session: &Session, ask: &Ask, signer: &Signer) -> Result<Report, Problem> {
    Report::of(&session.texts, &session.act(ask, signer)?)
}
