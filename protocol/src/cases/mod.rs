//! Cases: append-only logs with one custodian each, and how they change hands.

mod aside;
mod bundle;
mod clocks;
mod countersign;
mod deed;
mod desk;
mod ending;
mod event;
mod facts;
mod fold;
mod handover;
mod keys;
mod law;
mod layout;
mod letters;
mod log;
mod mirroring;
mod moment;
mod promise;
#[cfg(feature = "planted-bugs")]
mod recall;
mod receipt;
mod recovery;
mod routing;
mod state;
mod statement;
mod statements;
mod takeover;
mod task;
mod together;
mod tolerance;
mod watched;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::calendar::CivilDay;
use crate::catalogue::Catalogue;
use crate::clerks::NotEntitled;
use crate::directory::{Inadmissible, NotDeclared};
use crate::ids::{CaseId, Digest, DivisionCode, HallAt, MatterCode};
use crate::limits::{CASE_BYTES_MAX, EARLY_RECEIPTS_MAX};
use crate::seal::Wrapped;
use crate::signed::{Signed, Verified};
use crate::wire::{self, Blob, Malformed};

pub use bundle::{Joined, TaskState, Whole};
pub use clocks::{Clock, ClockKind, Reading, Urgency, clocks, deemed_accepted, pressing};
pub use countersign::Standing;
pub use deed::Deed;
pub use ending::{Closing, Ending, NotAccepted, Procedure};
pub use event::{BadHeader, HEADER_BYTES, Header, Position, SignedEvent, body_digest};
pub use facts::{FACTS_BYTES, Facts, FactsKind, Mirrors, Purpose};
pub use fold::{Case, NotAllowed, Suspension, Transit};
pub use keys::{FIRST_KEY, Renewal};
pub use law::{Article, Part, Rule, forbids, rule};
pub use log::{Custody, Grade, Stage};
pub use moment::{Moment, Span};
pub use promise::Promise;
pub use receipt::{Receipt, ReceiptKind, RefusedBecause};
pub use routing::{NoRoute, Question, Reason, Route, route};
pub use state::State;
pub use statement::{Answered, Cited, Dismissal, Enclosed, Statement, StatementKind};
pub use statements::{Kept, Outcome, Stating};
pub use task::Task;
pub use together::{NotTogether, ReceiveBundle, RecordBundle};
pub use tolerance::Lacking;

pub(crate) use aside::came_late;
pub(crate) use bundle::{joined, numbers};
pub(crate) use countersign::{single_copies, standing};
pub(crate) use handover::{ask, copied_to_me, handed_to_me, receipt_came, send_stuck};
pub(crate) use keys::{
    end_of_renewing, is_wrapped, not_opened, note_theft, noted as noted_thefts, renew, renew_exposed,
};
pub(crate) use letters::{outgoing, written};
pub(crate) use mirroring::{is_moot, replace_silent_mirrors};
#[cfg(feature = "planted-bugs")]
pub(crate) use recall::recall;
pub(crate) use recovery::{
    fence_asked, fence_holds, fenced, has_told, keep_keys, look_after_ended, waits_for, want_key_of_target,
    word_in,
};

pub(crate) use log::{
    case as stored_case, copied, custody, event as stored_event, file as stored_file, open_cases, orphans,
};

/// A case key wrapped to one holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrap {
    /// To whom.
    pub to: HallAt,
    /// To the recovery key named in that hall's charter instead of its own key.
    pub recovery: bool,
    /// Which of the case's keys: [`FIRST_KEY`], or the digest in the event that began it.
    pub of: Digest,
    /// The wrapped key.
    pub key: Wrapped,
}

/// A whole case as it travels: every event, every wrapped key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseFile {
    /// The log.
    pub events: Vec<SignedEvent>,
    /// The keys.
    pub wraps: Vec<Wrap>,
}

impl CaseFile {
    /// Its size on a line.
    pub fn bytes(&self) -> usize {
        wire::encode(self).len()
    }

    /// Its encoding, for carrying it in a file.
    pub fn encode(&self) -> Vec<u8> {
        wire::encode(self)
    }

    /// Reads an encoded case file. Nothing in it is checked here.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        wire::decode(bytes, CASE_BYTES_MAX)
    }
}

/// A case to be taken in. The body was sealed and its key wrapped by the shell.
#[derive(Clone, Debug)]
pub struct Receive {
    /// Drawn by the shell; new.
    pub case: CaseId,
    /// The matter.
    pub matter: MatterCode,
    /// The applicant's place.
    pub place: DivisionCode,
    /// The sealed application.
    pub body: Blob,
    /// The case key, wrapped to the halls on the route.
    pub wraps: Vec<Wrap>,
}

/// An act to be recorded in a case in hand.
#[derive(Clone, Debug)]
pub struct Record {
    /// The case.
    pub case: CaseId,
    /// What is done.
    pub deed: Deed,
    /// The key that the body is sealed under: it has to be the present one.
    pub key: Digest,
    /// The sealed reasons, documents or proofs.
    pub body: Blob,
}

/// Why a command was not carried out. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Refusal {
    /// The clerk.
    #[error(transparent)]
    Clerk(#[from] NotEntitled),
    /// There is no way for the case.
    #[error(transparent)]
    Route(#[from] NoRoute),
    /// The act does not fit the case.
    #[error(transparent)]
    Act(#[from] NotAllowed),
    /// Tasks of a bundle.
    #[error(transparent)]
    Bundle(#[from] NotTogether),
    /// A parcel is not taken in, or not made.
    #[error(transparent)]
    Parcel(#[from] crate::post::Unfit),
    /// No such case here.
    #[error("no such case here")]
    UnknownCase,
    /// Another hall has the case in hand.
    #[error("the case is in the hand of {0}")]
    ElsewhereInHand(HallAt),
    /// The case is here, but no mirror has recorded the hand-over yet: it can be shown, not acted on.
    #[error("the hand-over is not witnessed yet")]
    NotWitnessed,
    /// The case was in the hand of a life that has ended: this hall goes on with it once that life is fenced off.
    #[error("the case is being recovered")]
    Recovering,
    /// No mirror has signed for the decision yet, and the matter does not let a cut-off hall decide.
    #[error("no mirror has countersigned the decision yet")]
    NotCountersigned,
    /// The case gets, or just got, a new key, since a stolen machine could open the one before: what is to be added is
    /// sealed once more.
    #[error("the case gets a new key")]
    KeyRenewed,
    /// The applicant was not told in time: the application counts as accepted since then (行政许可法 32).
    #[error("the application counts as accepted since {0}")]
    DeemedAccepted(CivilDay),
    /// The applicant still has time for what is missing.
    #[error("the applicant has time until {0}")]
    TooEarly(CivilDay),
    /// A decision is put off by more than the law allows.
    #[error("a decision may be put off by at most {most} working days")]
    TooLong {
        /// The most there is.
        most: u16,
    },
    /// The decision is overdue: it can no longer be put off.
    #[error("the decision was due on {0}")]
    Overdue(CivilDay),
    /// Who is not accepted because another authority decides is told which one, and only then one is named.
    #[error("the authority is named where another one decides, and only there")]
    Authority,
    /// This hall lacks the version of the matter that the case pinned.
    #[error("this hall lacks the version of the matter that the case pinned")]
    NoMatter,
    /// Nobody has given the hall the right to accept the matter any more (受理权).
    #[error("this hall may not accept the matter")]
    MayNotAccept,
    /// The list names nothing for this matter that may follow later (容缺).
    #[error("nothing of the matter may follow later")]
    NothingMayFollow,
    /// The list names nothing for this matter that may be promised (告知承诺).
    #[error("nothing of the matter may be promised")]
    NothingMayBePromised,
    /// The hall may not issue certificates for this matter (出证权).
    #[error("this hall may not issue certificates for the matter")]
    MayNotIssue,
    /// This hall has the case in hand: what there is to say is an act.
    #[error("this hall has the case in hand")]
    InThisHand,
    /// So much is stated and not answered that no more is taken in.
    #[error("too much is stated and not answered")]
    TooManyStatements,
    /// No such statement waits here, or it was answered.
    #[error("no such statement waits here")]
    UnknownStatement,
    /// A statement waits that has to be answered first.
    #[error("the statement {0} has to be answered first")]
    StatementWaits(Digest),
    /// The case id is in use.
    #[error("the case id is in use")]
    CaseIdInUse,
    /// The sealed body is too long, or the case would get too large.
    #[error("the case would get too large")]
    TooLarge,
    /// The deciding hall has no wrapped key: it could not read the case.
    #[error("no key for a hall on the route")]
    NoKeyForRoute,
    /// The lists have no calendar.
    #[error("the lists have no calendar")]
    NoCalendar,
    /// This hall's charter is missing or revoked.
    #[error("this hall is not one of us")]
    NotChartered,
    /// The charter has run out: this hall may still receive, hand over and deliver, but not this.
    #[error("this hall's charter has run out")]
    CharterExpired,
    /// A record may not stand here; its key is given.
    #[error("{key}: {why}")]
    Record {
        /// Which.
        key: String,
        /// Why, as a stable word.
        why: String,
    },
    /// This hall has forgotten what it signed: it signs nothing any more, until its next life.
    #[error("this hall's disk is older than what it has signed")]
    RolledBack,
    /// A declaration of two persons.
    #[error(transparent)]
    Declaration(#[from] NotDeclared),
    /// The clerk's number is taken.
    #[error("clerk {0} exists")]
    ClerkExists(u16),
    /// The card is not one of this hall.
    #[error("not a card of this hall")]
    BadCard,
}

impl Refusal {
    pub(crate) fn record(key: String, why: Inadmissible) -> Self {
        let why = match why {
            Inadmissible::Malformed => "malformed",
            Inadmissible::OutOfScope => "out-of-scope",
            Inadmissible::Issuer => "issuer",
            Inadmissible::Old => "old",
            Inadmissible::Fork => "fork",
            Inadmissible::OtherRoot => "other-root",
        };
        Self::Record { key, why: why.to_owned() }
    }
}

pub(crate) use desk::{note_reading, receive, record};
pub(crate) use statements::{
    came as statement_came, ended_of as ended_statements, is_here as statement_is_here,
    kept_holds as statement_holds, of_hall as stated_by, open as open_statements, open_of as statements_of,
    readdress, restate, state, stated_in,
};
pub(crate) use together::{receive_bundle, record_bundle, start_waiting};
pub(crate) use watched::{all_watched, watched};

/// Receipts of mirrors that came before the hand-over they witness. Losing them costs a repetition.
#[derive(Debug, Default)]
pub(crate) struct EarlyReceipts(VecDeque<Verified<Receipt>>);

impl EarlyReceipts {
    fn keep(&mut self, receipt: &Verified<Receipt>) {
        if self.0.len() >= EARLY_RECEIPTS_MAX {
            self.0.pop_front();
        }
        self.0.push_back(receipt.clone());
    }

    /// All of them, for carrying a node's memory.
    pub(crate) fn carried(&self) -> Vec<Signed<Receipt>> {
        self.0.iter().map(|receipt| receipt.signed().clone()).collect()
    }

    /// What was carried: each receipt was checked before it was kept.
    pub(crate) fn taken_up(carried: Vec<Signed<Receipt>>) -> Self {
        Self(carried.into_iter().filter_map(|receipt| receipt.trusted().ok()).collect())
    }

    fn take(&mut self, case: CaseId) -> Vec<Verified<Receipt>> {
        let (found, rest) = self.0.drain(..).partition(|receipt| receipt.value().case == case);
        self.0 = rest;
        VecDeque::into(found)
    }
}

/// The parts of a node that case work needs.
pub(crate) struct Office<'r, 'c> {
    pub(crate) cx: &'r mut crate::step::Cx<'c>,
    pub(crate) me: &'r crate::node::Me,
    pub(crate) post: &'r mut crate::post::Post,
    pub(crate) early: &'r mut EarlyReceipts,
    /// The halls that keep copies of what this hall holds.
    pub(crate) mirrors: Mirrors,
}

impl Office<'_, '_> {
    fn lists(&self) -> Catalogue<'_> {
        Catalogue::new(self.cx)
    }
}
