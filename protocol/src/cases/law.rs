//! The law of one case as a table: which act may follow in which state, who may do it, what it leads to, and the article
//! that forbids everything else.
//!
//! ```text
//!                    +--------- withdraw, close ----------------------------+
//!                    |                                                      v
//! Received --+--accept--> Accepted <--begin/end procedure--> Suspended   Closed --+
//!   ^ |      |               |  \                                         ^       |
//!   | |      +--refuse-->NotAccepted--------------------------------------|--+    |
//!   | request                |   +--refer-----------------------------------+ |    |
//!   | correction             |                                             v    v
//!   | v                      +--decide--> Decided --certify--> Certified --deliver--> Delivered --archive--> Archived
//! AwaitingCorrection             extend, supply: Accepted stays        rectify: the state stays
//!   --supplement--> Supplemented (as Received)
//! ```
//!
//! Licences are governed by 行政许可法 (Administrative Licensing Law, 2019); provincial procedure rules apply the same order
//! to other matters. Hand-overs change the hand and never the state.

use serde::{Deserialize, Serialize};

use super::deed::Deed;
use super::ending::Closing;
use super::state::State;
use super::statement::{Cited, StatementKind};

/// What allows and forbids a step. The sentences are in the message catalogues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Article {
    /// 行政许可法 32: acceptance, refusal, and being told once what is missing.
    Acceptance,
    /// 行政许可法 34 and 37: who is accepted is examined, and decided in time.
    Decision,
    /// 行政许可法 39: a certificate follows a licence that was granted.
    Certificate,
    /// 行政许可法 42: one extension, approved by the head, reasons told.
    Extension,
    /// 行政许可法 43: a lower authority examines first and reports to the one that decides.
    Review,
    /// 行政许可法 44: the result is delivered.
    Delivery,
    /// 行政许可法 45: while a special procedure runs, time stands still.
    SpecialProcedure,
    /// 行政许可法 69: what was decided is undone by revoking it, not by withdrawing the application.
    Undoing,
    /// 国办发〔2020〕42号: what was granted on a promise is checked afterwards.
    Promise,
    /// DA/T 85-2019: what is filed is finished and stays as it is.
    Archive,
}

impl Article {
    /// Every one of them.
    pub const ALL: [Self; 10] = [
        Self::Acceptance,
        Self::Decision,
        Self::Certificate,
        Self::Extension,
        Self::Review,
        Self::Delivery,
        Self::SpecialProcedure,
        Self::Undoing,
        Self::Promise,
        Self::Archive,
    ];

    /// A stable word, for logs, JSON and catalogues.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Acceptance => "licensing-32",
            Self::Decision => "licensing-37",
            Self::Certificate => "licensing-39",
            Self::Extension => "licensing-42",
            Self::Review => "licensing-43",
            Self::Delivery => "licensing-44",
            Self::SpecialProcedure => "licensing-45",
            Self::Undoing => "licensing-69",
            Self::Promise => "promise-2020-42",
            Self::Archive => "archive",
        }
    }
}

/// Whose act it is. All of them need the case in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The hall that accepts and decides.
    Deciding,
    /// The hall where the citizen stands.
    Window,
    /// Whichever of the two has the case in hand.
    Either,
}

/// The rule for one act.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The states in which it may be done.
    pub from: &'static [State],
    /// By whom.
    pub by: Part,
    /// What it leads to; none if the state stays.
    pub to: Option<State>,
    /// What it rests on.
    pub article: Article,
}

const UNANSWERED: &[State] = &[State::Received, State::Supplemented];
const OPEN: &[State] =
    &[State::Received, State::AwaitingCorrection, State::Supplemented, State::Accepted, State::Suspended];
const EXAMINED: &[State] = &[State::Accepted];
const ACCEPTED: &[State] = &[State::Accepted, State::Suspended];
/// Something was to be brought and may never come: before acceptance, or after it in the time that was given (容缺).
const AWAITED: &[State] = &[State::AwaitingCorrection, State::Accepted];
const ENDED: &[State] =
    &[State::Decided, State::Certified, State::NotAccepted, State::Closed, State::Revoked];
const ANSWERED: &[State] =
    &[State::Decided, State::Certified, State::NotAccepted, State::Closed, State::Revoked, State::Delivered];

/// What was granted on a promise: found true or false by whoever decided, whether the citizen has it yet or not.
const GRANTED: &[State] = &[State::Decided, State::Certified, State::Delivered];
/// What may be supplemented by a statement: what was asked for, or what was to follow (容缺).
const LACKING: &[State] = &[State::AwaitingCorrection, State::Accepted, State::Suspended];
/// A withdrawal that was stated before the decision counts also where it comes after it.
const WITHDRAWABLE: &[State] = &[
    State::Received,
    State::AwaitingCorrection,
    State::Supplemented,
    State::Accepted,
    State::Suspended,
    State::Decided,
    State::Certified,
];
const UNFILED: &[State] = &[
    State::Received,
    State::AwaitingCorrection,
    State::Supplemented,
    State::Accepted,
    State::Suspended,
    State::Decided,
    State::Certified,
    State::NotAccepted,
    State::Closed,
    State::Revoked,
    State::Delivered,
];

/// The rule for an act of a clerk.
pub const fn rule(deed: &Deed) -> Rule {
    let (from, by, to, article): (&'static [State], Part, Option<State>, Article) = match deed {
        Deed::Accept | Deed::AcceptLacking { .. } | Deed::AcceptPromise => {
            (UNANSWERED, Part::Deciding, Some(State::Accepted), Article::Acceptance)
        }
        Deed::Check => (GRANTED, Part::Deciding, None, Article::Promise),
        Deed::Revoke => (GRANTED, Part::Deciding, None, Article::Undoing),
        Deed::Supply => (ACCEPTED, Part::Either, None, Article::Acceptance),
        Deed::RefuseAcceptance { .. } => {
            (UNANSWERED, Part::Deciding, Some(State::NotAccepted), Article::Acceptance)
        }
        Deed::RequestCorrection => {
            (UNANSWERED, Part::Deciding, Some(State::AwaitingCorrection), Article::Acceptance)
        }
        Deed::Supplement => {
            (&[State::AwaitingCorrection], Part::Window, Some(State::Supplemented), Article::Acceptance)
        }
        Deed::BeginProcedure { .. } => {
            (EXAMINED, Part::Deciding, Some(State::Suspended), Article::SpecialProcedure)
        }
        Deed::EndProcedure => {
            (&[State::Suspended], Part::Deciding, Some(State::Accepted), Article::SpecialProcedure)
        }
        Deed::Extend { .. } => (EXAMINED, Part::Deciding, None, Article::Extension),
        Deed::Decide { .. } => (EXAMINED, Part::Deciding, Some(State::Decided), Article::Decision),
        Deed::Certify => (&[State::Decided], Part::Either, Some(State::Certified), Article::Certificate),
        Deed::Refer { .. } => (EXAMINED, Part::Deciding, Some(State::Closed), Article::Review),
        Deed::Withdraw => (OPEN, Part::Either, Some(State::Closed), Article::Undoing),
        Deed::Close(Closing::NotSupplemented) => {
            (AWAITED, Part::Either, Some(State::Closed), Article::Acceptance)
        }
        Deed::Close(Closing::Void | Closing::Removed) => {
            (OPEN, Part::Either, Some(State::Closed), Article::Undoing)
        }
        Deed::Close(Closing::OnPaper) => (EXAMINED, Part::Deciding, Some(State::Closed), Article::Decision),
        Deed::Deliver => (ENDED, Part::Window, Some(State::Delivered), Article::Delivery),
        Deed::Rectify { .. } => (ANSWERED, Part::Either, None, Article::Decision),
        Deed::Archive => (&[State::Delivered], Part::Either, Some(State::Archived), Article::Archive),
        // What one that is included leads to follows from its kind and date: see `Case::answers`.
        Deed::Include(Cited { kind, .. }) => match kind {
            StatementKind::Supplement => (LACKING, Part::Either, None, Article::Acceptance),
            StatementKind::Withdrawal => (WITHDRAWABLE, Part::Either, None, Article::Undoing),
            StatementKind::Delivery => (ENDED, Part::Window, None, Article::Delivery),
            StatementKind::Verification | StatementKind::Urging => {
                (UNFILED, Part::Either, None, Article::Archive)
            }
        },
        Deed::Dismiss(..) => (UNFILED, Part::Either, None, Article::Archive),
    };
    Rule { from, by, to, article }
}

/// The article that forbids an act in a state in which it is not allowed: what holds of the state goes before what holds of
/// the act.
pub const fn forbids(deed: &Deed, state: State) -> Article {
    match state {
        State::Archived => Article::Archive,
        State::Suspended => Article::SpecialProcedure,
        State::Decided | State::Certified => match deed {
            Deed::Accept
            | Deed::AcceptLacking { .. }
            | Deed::AcceptPromise
            | Deed::RefuseAcceptance { .. }
            | Deed::RequestCorrection
            | Deed::Decide { .. }
            | Deed::Withdraw
            | Deed::Close(_) => Article::Undoing,
            Deed::Supplement
            | Deed::Check
            | Deed::Revoke
            | Deed::Supply
            | Deed::BeginProcedure { .. }
            | Deed::EndProcedure
            | Deed::Extend { .. }
            | Deed::Certify
            | Deed::Refer { .. }
            | Deed::Deliver
            | Deed::Rectify { .. }
            | Deed::Include(_)
            | Deed::Dismiss(..)
            | Deed::Archive => rule(deed).article,
        },
        State::Received
        | State::AwaitingCorrection
        | State::Supplemented
        | State::Accepted
        | State::NotAccepted
        | State::Closed
        | State::Revoked
        | State::Delivered => rule(deed).article,
    }
}
