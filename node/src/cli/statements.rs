//! `hallmesh case state`, `statements`, `include`, `dismiss`: what a hall has to say about a case that another has in hand.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use hallmesh_protocol::cases::{Dismissal, StatementKind};
use hallmesh_protocol::ids::{CaseNumber, HallId};

use super::application;
use super::args::Signer;
use super::case::in_full;
use super::report::Report;
use super::session::{Session, unexpected};
use super::values;
use crate::ops::{Answer, Ask, Content, Problem, StatementAsk, StatementShown};

#[derive(Debug, Subcommand)]
pub(super) enum Statements {
    State(State),
    #[command(name = "statements")]
    Shown {
        case: Option<String>,
        #[arg(long, value_name = "N", default_value_t = 100)]
        count: usize,
    },
    Include(Answered),
    Dismiss {
        #[command(flatten)]
        answered: Answered,
        #[arg(long, value_name = "WORD", value_parser = values::dismissal)]
        reason: Dismissal,
    },
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("words").required(true).args(["text", "file"]))]
pub(super) struct State {
    case: String,
    #[command(flatten)]
    signer: Signer,
    #[arg(long, value_name = "WORD", value_parser = values::statement)]
    kind: StatementKind,
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    #[arg(long, value_name = "FILE.json|-")]
    file: Option<PathBuf>,
    #[arg(long, value_name = "HALL", value_parser = values::hall)]
    deciding: Option<HallId>,
}

#[derive(Debug, Args)]
pub(super) struct Answered {
    case: String,
    statement: String,
    #[command(flatten)]
    signer: Signer,
    #[arg(long, value_name = "TEXT")]
    note: String,
}

pub(super) fn run(session: &Session, what: &Statements) -> Result<Report, Problem> {
    match what {
        Statements::State(state) => self::state(session, state),
        Statements::Shown { case, count } => {
            let of = StatementAsk::Shown { case: case.clone(), count: *count };
            Report::of(&session.texts, &session.ask(&Ask::Statement { of })?)
        }
        Statements::Include(answered) => answer(session, answered, None),
        Statements::Dismiss { answered, reason } => answer(session, answered, Some(*reason)),
    }
}

fn state(session: &Session, state: &State) -> Result<Report, Problem> {
    let content = match (&state.text, &state.file) {
        (_, Some(file)) => application::read(&session.texts, file)?,
        (text, None) => Content::one("text", text.as_deref().unwrap_or_default()),
    };
    // A number in full may be one that this hall has never heard of.
    let known = state.case.parse::<CaseNumber>().is_ok();
    let case = if known { state.case.clone() } else { in_full(session, &state.case)? };
    let of = StatementAsk::State { case, kind: state.kind, deciding: state.deciding, content };
    Report::of(&session.texts, &session.act(&Ask::Statement { of }, &state.signer)?)
}

fn answer(session: &Session, answered: &Answered, dismissed: Option<Dismissal>) -> Result<Report, Problem> {
    let case = in_full(session, &answered.case)?;
    let of = StatementAsk::Shown { case: Some(case.clone()), count: 1 };
    let Answer::Statements { statements } = session.ask(&Ask::Statement { of })? else {
        return Err(unexpected());
    };
    let statement = one(&statements, &answered.statement)?;
    let content = Content::one("note", &answered.note);
    let of = StatementAsk::Answer { case, statement, dismissed, content };
    Report::of(&session.texts, &session.act(&Ask::Statement { of }, &answered.signer)?)
}

/// The digest of the one statement that a text begins: what a clerk signs names it in full.
fn one(statements: &[StatementShown], text: &str) -> Result<String, Problem> {
    let mut found = statements.iter().filter(|it| it.statement.starts_with(text));
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one.statement.clone()),
        (Some(_), Some(_)) => Err(Problem::new("statement.ambiguous").with("statement", text)),
        (None, _) => Err(Problem::new("statement.unknown").with("statement", text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_named_by_a_beginning_that_no_other_has() {
        let named = |statement: &str| StatementShown {
            statement: statement.to_owned(),
            case: String::new(),
            kind: "urging".to_owned(),
            by: String::new(),
            by_name: String::new(),
            clerk: 1,
            stated: 0,
            suspect_time: false,
            outcome: "waiting".to_owned(),
            dismissed: None,
            event: None,
            told_by: None,
            here: true,
        };
        let all = [named("ab12"), named("ab34")];
        assert_eq!(one(&all, "ab1"), Ok("ab12".to_owned()));
        assert_eq!(one(&all, "ab").unwrap_err().code, "statement.ambiguous");
        assert_eq!(one(&all, "cd").unwrap_err().code, "statement.unknown");
    }
}
