//! Statements: what halls say about a case that another one has in hand, and what became of it.

use hallmesh_protocol::cases::{self, Dismissal, Enclosed, Outcome, Statement, StatementKind, Stating};
use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::clerks::Act;
use hallmesh_protocol::directory::Directory;
use hallmesh_protocol::ids::{CaseNumber, Digest, HallAt, HallId};
use hallmesh_protocol::query::{self, CaseView};
use hallmesh_protocol::seal::WrapSecret;
use hallmesh_protocol::signed::Verified;
use hallmesh_protocol::step::Command;
use serde::{Deserialize, Serialize};

use super::answers::Answer;
use super::content::{self, CaseKey, Content};
use super::deeds::{self, After, Deed, Unsealed};
use super::problem::Problem;
use super::questions::{Asked, find, limit, name};
use super::reading;

/// What can be asked of a node about statements, and done with them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum StatementAsk {
    /// What is stated about a case; what waits at this hall if no case is said.
    Shown {
        /// Its number or id, or the beginning of one.
        case: Option<String>,
        /// At most so many.
        count: usize,
    },
    /// State something about a case that another hall has in hand.
    State {
        /// Its number in full; its id, if it is known here.
        case: String,
        /// What is stated.
        kind: StatementKind,
        /// The hall that decides, as it stands on the receipt: it can read what is sealed. Not needed where the case is known.
        deciding: Option<HallId>,
        /// The words.
        content: Content,
    },
    /// Include a statement, or dismiss it.
    Answer {
        /// The case's number or id, in full.
        case: String,
        /// The statement's digest in full.
        statement: String,
        /// Why it is not included; it is, if not said.
        dismissed: Option<Dismissal>,
        /// Reasons.
        content: Content,
    },
}

/// A statement as this hall knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementShown {
    /// Its digest, in hex.
    pub statement: String,
    /// The case's number.
    pub case: String,
    /// `supplement`, `withdrawal`, `delivery`, `verification` or `urging`.
    pub kind: String,
    /// The hall that stated it.
    pub by: String,
    /// Its name.
    pub by_name: String,
    /// Its clerk.
    pub clerk: u16,
    /// Milliseconds since 1970 when it was stated, by that hall's clock.
    pub stated: u64,
    /// That hall doubted its clock.
    pub suspect_time: bool,
    /// `waiting`, `included` or `dismissed`; of a statement that found no hearing `no-such-case`, `not-here`, `not-yours`,
    /// `full` or `filed`; `on-the-way` while nothing is known of it.
    pub outcome: String,
    /// Why it was dismissed.
    pub dismissed: Option<String>,
    /// The event that answers it.
    pub event: Option<u32>,
    /// Who said what has become of it, if not this hall's own log.
    pub told_by: Option<String>,
    /// It waits here, for a clerk of this hall.
    pub here: bool,
}

/// Answers a question about statements; none if it is a deed.
pub(super) fn answer(asked: &Asked<'_>, of: &StatementAsk) -> Option<Answer> {
    Some(match of {
        StatementAsk::Shown { case: Some(case), .. } => match number(asked, case) {
            Ok(number) => Answer::Statements { statements: of_case(asked, number) },
            Err(why) => Answer::Refused(why),
        },
        StatementAsk::Shown { case: None, count } => Answer::Statements { statements: open(asked, *count) },
        StatementAsk::State { .. } | StatementAsk::Answer { .. } => return None,
    })
}

/// Turns a deed with statements into a command.
pub(super) fn prepare(
    asked: &Asked<'_>,
    of: &StatementAsk,
    act: Verified<Act>,
    (secret, chance): (&WrapSecret, &mut Chance),
) -> Result<Deed, Problem> {
    let command = match of {
        StatementAsk::State { case, kind, deciding, content } => {
            let wanted = stating(asked, (case, *kind, *deciding), content, (secret, chance))?;
            Command::State(act, Box::new(wanted))
        }
        StatementAsk::Answer { case, statement, dismissed, content } => {
            return match answering(asked, (case, statement, *dismissed), content, (secret, chance)) {
                Ok(record) => Ok(Deed::new(Command::Record(act, Box::new(record)), After::Nothing)),
                Err(why) => why.deed(),
            };
        }
        StatementAsk::Shown { .. } => return Err(Problem::new("call.malformed")),
    };
    Ok(Deed::new(command, After::Nothing))
}

/// The number of a case that this hall may not know.
fn number(asked: &Asked<'_>, text: &str) -> Result<CaseNumber, Problem> {
    text.parse().or_else(|_no_number| Ok(find(asked.view, text)?.case.number))
}

/// What is stated about one case: what the log answers, what waits here, and what this hall has stated elsewhere.
pub(super) fn of_case(asked: &Asked<'_>, number: CaseNumber) -> Vec<StatementShown> {
    let known = find(asked.view, &number.to_string()).ok();
    let answered = known.iter().flat_map(|view| &view.case.statements);
    let mut shown: Vec<StatementShown> = answered.map(|it| in_log(asked, number, it)).collect();
    let here = query::open_statements(asked.view, usize::MAX);
    let here = |of: &Digest| here.iter().any(|(_, it, _, here)| it == of && *here);
    for (of, kept) in query::statements(asked.view, number) {
        if shown.iter().any(|it| it.statement == of.to_string()) {
            continue;
        }
        shown.extend(kept_here(asked, (number, of), &kept, here(&of)));
    }
    shown.sort_by_key(|it| it.stated);
    shown
}

/// What waits at this hall, or was stated by it and is not answered.
fn open(asked: &Asked<'_>, count: usize) -> Vec<StatementShown> {
    let open = query::open_statements(asked.view, limit(count)).into_iter();
    open.filter_map(|(number, of, kept, here)| kept_here(asked, (number, of), &kept, here)).collect()
}

/// How many wait for a clerk of this hall.
pub(super) fn waiting(asked: &Asked<'_>) -> usize {
    query::open_statements(asked.view, usize::MAX).iter().filter(|(_, _, _, here)| *here).count()
}

fn in_log(asked: &Asked<'_>, number: CaseNumber, it: &cases::Answered) -> StatementShown {
    let outcome = it.dismissed.map_or(Outcome::Included, Outcome::Dismissed);
    StatementShown {
        event: Some(it.sequence),
        ..shown(asked, (number, it.cited), (Some(outcome), None), false)
    }
}

fn kept_here(
    asked: &Asked<'_>,
    (number, of): (CaseNumber, Digest),
    kept: &cases::Kept,
    here: bool,
) -> Option<StatementShown> {
    let cited = kept.signed.peek().ok()?.cited(of);
    let outcome = if here { Some(Outcome::Waiting) } else { kept.heard.map(|(outcome, ..)| outcome) };
    let told_by = kept.heard.filter(|_| !here).map(|(_, by, _)| by);
    Some(shown(asked, (number, cited), (outcome, told_by), here))
}

fn shown(
    asked: &Asked<'_>,
    (number, cited): (CaseNumber, cases::Cited),
    (outcome, told_by): (Option<Outcome>, Option<HallAt>),
    here: bool,
) -> StatementShown {
    let dismissed = if let Some(Outcome::Dismissed(reason)) = outcome { Some(reason) } else { None };
    StatementShown {
        statement: cited.statement.to_string(),
        case: number.to_string(),
        kind: cited.kind.word().to_owned(),
        by: cited.by.hall.to_string(),
        by_name: name(asked.view, cited.by.hall),
        clerk: cited.clerk,
        stated: cited.wall,
        suspect_time: cited.suspect_time,
        outcome: outcome.map_or("on-the-way", Outcome::word).to_owned(),
        dismissed: dismissed.map(|reason| reason.word().to_owned()),
        event: None,
        told_by: told_by.map(|by| name(asked.view, by.hall)),
        here,
    }
}

/// Seals what is stated: under the case's key where this hall has it, else under one of its own, for the halls on the
/// receipt.
fn stating(
    asked: &Asked<'_>,
    (case, kind, deciding): (&str, StatementKind, Option<HallId>),
    content: &Content,
    (secret, chance): (&WrapSecret, &mut Chance),
) -> Result<Stating, Problem> {
    let number = number(asked, case)?;
    let too_large = || Problem::new("case.too_large");
    let known = find(asked.view, &number.to_string()).ok();
    let own = known.as_ref().and_then(|view| {
        let key = reading::case_key(asked, view.case.id, view.case.key(), secret)?;
        Some((view.case.id, key))
    });
    if let Some((id, CaseKey { of, key })) = own {
        let sealed = content.seal(id, &key, chance).ok().ok_or_else(too_large)?;
        return Ok(Stating { number, kind, key: Some(of), sealed, wraps: Vec::new() });
    }
    let id = Statement::sealed_for(number);
    let key = CaseKey::next(id, chance);
    let sealed = content.seal(id, &key.key, chance).ok().ok_or_else(too_large)?;
    let directory = Directory::new(asked.view);
    let gave = number.hall_at();
    let mut halls = vec![directory.successor(gave).unwrap_or(gave)];
    let deciding = deciding.or_else(|| known.map(|view| view.case.competent));
    if let Some(hall) = deciding.filter(|hall| *hall != number.hall()) {
        let present = directory.present(hall);
        halls.push(present.ok_or_else(|| Problem::new("hall.unknown").with("hall", hall))?);
    }
    let wraps = content::wrap_to_lives(asked.view, id, &halls, &key, chance)?;
    Ok(Stating { number, kind, key: None, sealed, wraps })
}

/// The act that answers a statement: the statement as it was signed, and the clerk's reasons with its words, sealed under the
/// case's present key, so that whoever reads the case reads what was stated.
fn answering(
    asked: &Asked<'_>,
    (case, statement, dismissed): (&str, &str, Option<Dismissal>),
    content: &Content,
    (secret, chance): (&WrapSecret, &mut Chance),
) -> Result<cases::Record, Unsealed> {
    let view = deeds::exact(asked, case)?;
    let unknown = || Problem::new("statement.unknown").with("statement", statement);
    let of: Digest = statement.parse().ok().ok_or_else(unknown)?;
    let kept = query::statements(asked.view, view.case.number).into_iter().find(|(it, _)| *it == of);
    let signed = kept.ok_or_else(unknown)?.1.signed;
    let said = signed.peek().ok().ok_or_else(unknown)?;
    let cited = said.cited(of);
    // What nobody here can read is not included: its words would be lost.
    let words = words(asked, &view, &said, secret);
    if words.is_none() && dismissed.is_none() {
        return Err(Problem::new("statement.unreadable").into());
    }
    let words = words.unwrap_or_default();
    let fields = content.reveal().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let stated = words.reveal().map(|(name, value)| (format!("statement.{name}"), value.to_owned()));
    let note = Content::of(fields.chain(stated));
    let deed = dismissed.map_or(cases::Deed::Include(cited), |why| cases::Deed::Dismiss(cited, why));
    let record = deeds::sealed_act(asked, view.case.id, deed, &note, (secret, chance))?;
    let body = Enclosed { statement: signed, note: record.body }.encode();
    Ok(cases::Record { body, ..record })
}

/// What is sealed in a statement, if this hall can open it.
fn words(asked: &Asked<'_>, view: &CaseView, said: &Statement, secret: &WrapSecret) -> Option<Content> {
    let (id, key) = if let Some(of) = said.key {
        (view.case.id, reading::case_key(asked, view.case.id, of, secret)?)
    } else {
        let id = Statement::sealed_for(said.number);
        let own = said.wraps.iter().find(|wrap| wrap.to == asked.at && !wrap.recovery)?;
        (id, content::unwrapped(id, own, secret).ok()?)
    };
    Content::open(id, &key.key, &said.sealed).ok()
}

/// What is sealed in the statements about a case that wait here: each with its digest and kind.
pub(super) fn waiting_words(
    asked: &Asked<'_>,
    view: &CaseView,
    secret: &WrapSecret,
) -> Vec<(String, String, Option<Content>)> {
    let open = query::statements(asked.view, view.case.number).into_iter();
    let open = open.filter(|(of, _)| view.case.answer_to(of).is_none());
    let read = open.filter_map(|(of, kept)| {
        let said = kept.signed.peek().ok()?;
        Some((of.to_string(), said.kind.word().to_owned(), words(asked, view, &said, secret)))
    });
    read.collect()
}
