//! Statements (申述): what a hall that has not the case in hand says about it, signed where it arises and dated there. The
//! custodian includes each, or refuses it with a reason; both are events of the log, and what was stated is in them.

use serde::{Deserialize, Serialize};

use super::ending::Ending;
use super::event::Header;
use super::fold::{Case, NotAllowed};
use super::law::Article;
use super::layout::{Reader, Writer};
use super::moment::{Moment, Span};
use super::state::State;
use super::{SignedEvent, Wrap};
use crate::ids::{CaseId, CaseNumber, ClerkId, Digest, HallAt};
use crate::limits::{BODY_MAX, STATEMENT_MAX, STATEMENT_SEALED_MAX, STATEMENT_WRAPS_MAX};
use crate::seal::Context;
use crate::signed::{Signable, Signed};
use crate::wire::{self, Blob, Malformed};

/// What is stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum StatementKind {
    /// What was missing is there (补充).
    Supplement,
    /// The applicant takes the application back (撤回).
    Withdrawal,
    /// The citizen has the result (送达证明).
    Delivery,
    /// What another authority answers to a question (核验).
    Verification,
    /// Somebody asks for haste (催办).
    Urging,
}

impl StatementKind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::Supplement, Self::Withdrawal, Self::Delivery, Self::Verification, Self::Urging];

    /// A stable word, for logs, JSON and catalogues.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Supplement => "supplement",
            Self::Withdrawal => "withdrawal",
            Self::Delivery => "delivery",
            Self::Verification => "verification",
            Self::Urging => "urging",
        }
    }

    const fn byte(self) -> u8 {
        match self {
            Self::Supplement => 1,
            Self::Withdrawal => 2,
            Self::Delivery => 3,
            Self::Verification => 4,
            Self::Urging => 5,
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.byte() == byte)
    }
}

/// Why a statement is not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Dismissal {
    /// It comes too late: the case has gone on, or the term was over when it was stated.
    TooLate,
    /// Whoever stated it is neither the applicant nor entitled by one.
    NotEntitled,
    /// It has nothing to do with this case, or says nothing that matters to it.
    NotOfTheCase,
    /// What is sealed in it cannot be read here; it has to be stated again.
    Unreadable,
    /// The same was stated before.
    Repeated,
}

impl Dismissal {
    /// Every reason.
    pub const ALL: [Self; 5] =
        [Self::TooLate, Self::NotEntitled, Self::NotOfTheCase, Self::Unreadable, Self::Repeated];

    /// A stable word, for logs, JSON and catalogues.
    pub const fn word(self) -> &'static str {
        match self {
            Self::TooLate => "too-late",
            Self::NotEntitled => "not-entitled",
            Self::NotOfTheCase => "not-of-the-case",
            Self::Unreadable => "unreadable",
            Self::Repeated => "repeated",
        }
    }

    const fn byte(self) -> u8 {
        match self {
            Self::TooLate => 1,
            Self::NotEntitled => 2,
            Self::NotOfTheCase => 3,
            Self::Unreadable => 4,
            Self::Repeated => 5,
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.byte() == byte)
    }
}

/// A statement. It names the case by its number, which is all that a hall off the route has: on the citizen's receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// The case's number.
    pub number: CaseNumber,
    /// The hall that states it, and which life of it.
    pub by: HallAt,
    /// The clerk who took it down.
    pub clerk: ClerkId,
    /// Milliseconds since 1970, by that hall's clock.
    pub wall: u64,
    /// Whether that hall doubted its clock.
    pub suspect_time: bool,
    /// What is stated.
    pub kind: StatementKind,
    /// Which of the case's keys it is sealed under; none if the hall has none of them: then under one of its own.
    pub key: Option<Digest>,
    /// The sealed words.
    pub sealed: Blob,
    /// A key of its own, wrapped to the halls that are to read it.
    pub wraps: Vec<Wrap>,
}

impl Signable for Statement {
    const CONTEXT: Context = Context::STATEMENT;
    const BYTES_MAX: usize = STATEMENT_MAX;
}

impl Statement {
    /// Whether nothing in it passes its bound, and a clerk of the hall that signs stands behind it.
    pub(crate) fn holds(&self) -> bool {
        let by_a_clerk = !self.clerk.is_node() && self.clerk.hall == self.by.hall;
        let short = self.sealed.len() <= STATEMENT_SEALED_MAX && self.wraps.len() <= STATEMENT_WRAPS_MAX;
        by_a_clerk && short && (self.key.is_none() || self.wraps.is_empty())
    }

    /// What a header says of it.
    pub const fn cited(&self, digest: Digest) -> Cited {
        Cited {
            statement: digest,
            by: self.by,
            clerk: self.clerk.number,
            wall: self.wall,
            suspect_time: self.suspect_time,
            kind: self.kind,
        }
    }

    /// What stands for the case's id where a statement is sealed under a key of its own: the number is all that both sides
    /// know.
    pub fn sealed_for(number: CaseNumber) -> CaseId {
        let mut id = [0; 16];
        let mut hasher = blake3::Hasher::new_derive_key("hallmesh v1 statement");
        hasher.update(number.to_string().as_bytes()).finalize_xof().fill(&mut id);
        CaseId(id)
    }
}

/// What a header says in clear of a statement: enough for the fold, and for whoever checks it against the statement itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cited {
    /// SHA-256 over context and bytes of the statement.
    pub statement: Digest,
    /// The hall that stated it.
    pub by: HallAt,
    /// The number of its clerk.
    pub clerk: u16,
    /// When, by that hall's clock.
    pub wall: u64,
    /// Whether that hall doubted its clock.
    pub suspect_time: bool,
    /// What is stated.
    pub kind: StatementKind,
}

impl Cited {
    pub(super) fn encode(&self, to: &mut Writer) {
        to.put(0, &self.statement.0).at(32, self.by).put(44, &self.clerk.to_le_bytes());
        to.long(46, self.wall).byte(54, u8::from(self.suspect_time)).byte(55, self.kind.byte());
    }

    pub(super) fn decode(from: &Reader<'_>) -> Option<Self> {
        Some(Self {
            statement: Digest(from.array(0)),
            by: from.at(32)?,
            clerk: Some(u16::from_le_bytes(from.array(44))).filter(|clerk| *clerk != 0)?,
            wall: from.long(46),
            suspect_time: from.byte(54) == 1,
            kind: StatementKind::from_byte(from.byte(55))?,
        })
    }

    /// When it was stated, as the log bounds it: never later than the custodian's clock shows, and what a hall in doubt
    /// claimed counts as that.
    fn moment(&self, event: &Header) -> Moment {
        let here = event.wall;
        let legal = if self.suspect_time { here } else { self.wall.min(here) };
        let checked = !event.suspect_time && self.by.hall != event.at.hall;
        Moment { claimed: self.wall, legal, latest: legal, suspect: self.suspect_time, checked }
    }
}

/// Where a header names the reason for which a statement is not included.
const REASON: usize = 56;

impl Dismissal {
    pub(super) fn encode(self, to: &mut Writer) {
        to.byte(REASON, self.byte());
    }

    pub(super) fn decode(from: &Reader<'_>) -> Option<Self> {
        Self::from_byte(from.byte(REASON))
    }
}

/// The body of an event that includes or dismisses a statement: the statement as it was signed, so that whoever has the log
/// can check it, and what the clerk adds, sealed under the case's present key like every other body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enclosed {
    /// The statement.
    pub statement: Signed<Statement>,
    /// The sealed words of the clerk who answers it, with those of the statement.
    pub note: Blob,
}

impl Enclosed {
    /// As a body.
    pub fn encode(&self) -> Blob {
        wire::encode(self).into()
    }

    /// Reads a body. The signature is not checked here.
    pub fn decode(body: &Blob) -> Result<Self, Malformed> {
        wire::decode(body.as_bytes(), BODY_MAX)
    }

    /// The statement in an event that answers one, with what the header says of it. None of other events.
    pub fn of(event: &SignedEvent) -> Option<Self> {
        let header = event.header().ok()?;
        header.facts.cites()?;
        Self::decode(event.body()).ok()
    }
}

/// A statement that the log answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// What was stated, by whom and when.
    pub cited: Cited,
    /// Why it was not included; none if it was.
    pub dismissed: Option<Dismissal>,
    /// The event's place in the log.
    pub sequence: u32,
}

impl Case {
    /// What has become of a statement, if the log says it.
    pub fn answer_to(&self, statement: &Digest) -> Option<&Answered> {
        self.statements.iter().find(|it| it.cited.statement == *statement)
    }

    /// A statement is answered once, and what is included takes effect from its own date.
    pub(super) fn answers(
        &mut self,
        event: &Header,
        cited: &Cited,
        dismissed: Option<Dismissal>,
    ) -> Result<(), NotAllowed> {
        if self.answer_to(&cited.statement).is_some() {
            return Err(NotAllowed::Answered);
        }
        if dismissed.is_none() {
            let (at, first) = (cited.moment(event), self.earliest(cited.kind));
            self.include(event, cited.kind, first.map_or(at, |first| at.no_earlier_than(first)))?;
        }
        self.statements.push(Answered { cited: *cited, dismissed, sequence: event.sequence });
        Ok(())
    }

    /// What had happened before anything of a kind could be stated: a clock that was wrong, or set back, dates nothing earlier.
    fn earliest(&self, kind: StatementKind) -> Option<Moment> {
        match kind {
            StatementKind::Supplement => {
                let asked = self.asked.filter(|_| self.state == State::AwaitingCorrection);
                asked.or(self.lacking.map(|lacking| lacking.span)).map(|span| span.from)
            }
            StatementKind::Delivery => self.ended,
            StatementKind::Withdrawal | StatementKind::Verification | StatementKind::Urging => None,
        }
    }

    fn include(&mut self, event: &Header, kind: StatementKind, at: Moment) -> Result<(), NotAllowed> {
        match kind {
            StatementKind::Supplement if self.state == State::AwaitingCorrection => {
                if event.at.hall != self.receiving {
                    return Err(NotAllowed::WrongHall);
                }
                self.supplemented(at);
                self.state = State::Supplemented;
            }
            StatementKind::Supplement => self.supplied(at)?,
            StatementKind::Withdrawal if matches!(self.state, State::Decided | State::Certified) => {
                // Who had taken the application back before was decided upon for nothing.
                if self.decided.is_none_or(|decided| at.legal >= decided.legal) {
                    return Err(NotAllowed::WrongState(Article::Undoing));
                }
                self.lapses(at);
            }
            StatementKind::Withdrawal => {
                self.withdrawn(at);
                self.state = State::Closed;
            }
            StatementKind::Delivery if event.at.hall != self.receiving => return Err(NotAllowed::WrongHall),
            StatementKind::Delivery => {
                self.handed_out(at)?;
                self.state = State::Delivered;
            }
            StatementKind::Verification | StatementKind::Urging => {}
        }
        Ok(())
    }
}

impl Case {
    pub(super) fn supplemented(&mut self, at: Moment) {
        self.notices.push(Span::open(at));
        self.asked = self.asked.map(|asked| Span { to: Some(at), ..asked });
    }

    pub(super) fn withdrawn(&mut self, at: Moment) {
        self.ends(Ending::Void, at);
    }
}
