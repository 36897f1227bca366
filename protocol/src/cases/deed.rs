//! What a clerk can do with a case in hand.

use serde::{Deserialize, Serialize};

use super::ending::{Closing, NotAccepted, Procedure};
use super::layout::{Reader, Writer};
use super::statement::{Cited, Dismissal, StatementKind};
use crate::calendar::TimeRules;
use crate::clerks::Roles;
use crate::ids::{BodyId, Malformed};

/// An act of a clerk. When each may be done says the table in `law.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deed {
    /// 受理.
    Accept,
    /// 容缺受理: accepted, though something is missing that may follow later against the applicant's written promise.
    AcceptLacking {
        /// Working days that the applicant has for it.
        days: u16,
    },
    /// 告知承诺受理: accepted on the applicant's written promise, in the place of what the list lets be promised.
    AcceptPromise,
    /// 核查属实: what was promised is so.
    Check,
    /// 撤销决定: what was promised is not so, and what was granted for it counts no longer.
    Revoke,
    /// 容缺补交: what was to follow is there.
    Supply,
    /// 不予受理.
    RefuseAcceptance {
        /// Why.
        ground: NotAccepted,
        /// The authority whose it is, if it is another one's.
        authority: Option<BodyId>,
    },
    /// 一次性告知补正.
    RequestCorrection,
    /// 补正完成.
    Supplement,
    /// 特别程序开始.
    BeginProcedure {
        /// Which.
        procedure: Procedure,
        /// Working days that it will take, as the applicant is told in writing.
        days: u16,
    },
    /// 特别程序结束.
    EndProcedure,
    /// 延期.
    Extend {
        /// Working days more.
        days: u16,
    },
    /// 决定.
    Decide {
        /// Granted or refused.
        granted: bool,
        /// A certificate is made before the result goes to the window.
        certificate: bool,
    },
    /// 制证.
    Certify,
    /// 转报.
    Refer {
        /// The authority outside of the city that goes on.
        authority: BodyId,
    },
    /// 撤回.
    Withdraw,
    /// 办结 without a decision.
    Close(Closing),
    /// 送达.
    Deliver,
    /// 更正 of a slip of the pen.
    Rectify {
        /// The sequence of the event that is put right.
        event: u32,
    },
    /// 归档.
    Archive,
    /// What another hall has stated is taken up into the log (采纳申述).
    Include(Cited),
    /// What another hall has stated is not taken up, for a reason (不予采纳).
    Dismiss(Cited, Dismissal),
}

impl Deed {
    /// Granted, nothing else to be made.
    pub const GRANT: Self = Self::Decide { granted: true, certificate: false };
    /// Refused.
    pub const DENY: Self = Self::Decide { granted: false, certificate: false };

    /// Whether a clerk with these roles may do it.
    pub(crate) const fn is_for(&self, roles: Roles) -> bool {
        match self {
            Self::Supplement | Self::Deliver | Self::Include(Cited { kind: StatementKind::Delivery, .. }) => {
                roles.window
            }
            Self::Close(Closing::Void | Closing::Removed | Closing::OnPaper)
            | Self::Accept
            | Self::AcceptLacking { .. }
            | Self::AcceptPromise
            | Self::Check
            | Self::Revoke
            | Self::RefuseAcceptance { .. }
            | Self::RequestCorrection
            | Self::BeginProcedure { .. }
            | Self::EndProcedure
            | Self::Decide { .. }
            | Self::Certify
            | Self::Refer { .. } => roles.decide,
            // "经本行政机关负责人批准": the head of the authority, nobody else.
            Self::Extend { .. } => roles.head,
            Self::Supply
            | Self::Withdraw
            | Self::Close(Closing::NotSupplemented)
            | Self::Rectify { .. }
            | Self::Include(_)
            | Self::Dismiss(..)
            | Self::Archive => roles.window || roles.decide,
        }
    }

    /// Whether only a hall with a valid charter may do it: one whose charter has run out still takes in, hands over and
    /// delivers (design section 5).
    pub(crate) const fn needs_valid_charter(&self) -> bool {
        match self {
            Self::Accept
            | Self::AcceptLacking { .. }
            | Self::AcceptPromise
            | Self::Revoke
            | Self::RefuseAcceptance { .. }
            | Self::BeginProcedure { .. }
            | Self::Extend { .. }
            | Self::Decide { .. }
            | Self::Certify
            | Self::Close(Closing::Void | Closing::Removed | Closing::OnPaper)
            | Self::Refer { .. } => true,
            // Time does not stand still because a charter has run out.
            Self::EndProcedure
            | Self::Check
            | Self::RequestCorrection
            | Self::Supplement
            | Self::Supply
            | Self::Withdraw
            | Self::Close(Closing::NotSupplemented)
            | Self::Deliver
            | Self::Rectify { .. }
            | Self::Include(_)
            | Self::Dismiss(..)
            | Self::Archive => false,
        }
    }

    /// Whether what it says is handed to the citizen and cannot be undone: it waits for a countersignature.
    pub const fn binds(&self) -> bool {
        match self {
            Self::RefuseAcceptance { .. }
            | Self::Decide { .. }
            | Self::Certify
            | Self::Refer { .. }
            | Self::Revoke
            | Self::Withdraw
            | Self::Include(Cited { kind: StatementKind::Withdrawal, .. })
            | Self::Close(_) => true,
            Self::Accept
            | Self::AcceptLacking { .. }
            | Self::AcceptPromise
            | Self::Check
            | Self::RequestCorrection
            | Self::Supplement
            | Self::Supply
            | Self::BeginProcedure { .. }
            | Self::EndProcedure
            | Self::Extend { .. }
            | Self::Deliver
            | Self::Rectify { .. }
            | Self::Include(_)
            | Self::Dismiss(..)
            | Self::Archive => false,
        }
    }

    /// Whether a case can go on and on by it: such acts leave room for those that lead to its end.
    pub(crate) const fn prolongs(&self) -> bool {
        match self {
            Self::RequestCorrection
            | Self::Supplement
            | Self::BeginProcedure { .. }
            | Self::Extend { .. }
            | Self::Rectify { .. } => true,
            Self::Accept
            | Self::AcceptLacking { .. }
            | Self::AcceptPromise
            | Self::Check
            | Self::Revoke
            | Self::Supply
            | Self::RefuseAcceptance { .. }
            | Self::EndProcedure
            | Self::Decide { .. }
            | Self::Certify
            | Self::Refer { .. }
            | Self::Withdraw
            | Self::Close(_)
            | Self::Deliver
            // Of a case no more than so many are taken in at all.
            | Self::Include(_)
            | Self::Dismiss(..)
            | Self::Archive => false,
        }
    }

    /// The statement that it answers, and why that is not included, if it is not.
    pub const fn cites(&self) -> Option<(&Cited, Option<Dismissal>)> {
        match self {
            Self::Include(cited) => Some((cited, None)),
            Self::Dismiss(cited, reason) => Some((cited, Some(*reason))),
            Self::Accept
            | Self::AcceptLacking { .. }
            | Self::AcceptPromise
            | Self::Check
            | Self::Revoke
            | Self::Supply
            | Self::RefuseAcceptance { .. }
            | Self::RequestCorrection
            | Self::Supplement
            | Self::BeginProcedure { .. }
            | Self::EndProcedure
            | Self::Extend { .. }
            | Self::Decide { .. }
            | Self::Certify
            | Self::Refer { .. }
            | Self::Withdraw
            | Self::Close(_)
            | Self::Deliver
            | Self::Rectify { .. }
            | Self::Archive => None,
        }
    }
}

/// Kind codes of acts in an event's header.
mod code {
    pub(super) const ACCEPT: u16 = 5;
    pub(super) const REQUEST_CORRECTION: u16 = 6;
    pub(super) const SUPPLEMENT: u16 = 7;
    pub(super) const DECIDE: u16 = 8;
    pub(super) const DELIVER: u16 = 9;
    pub(super) const REFUSE_ACCEPTANCE: u16 = 13;
    pub(super) const BEGIN_PROCEDURE: u16 = 14;
    pub(super) const END_PROCEDURE: u16 = 15;
    pub(super) const EXTEND: u16 = 16;
    pub(super) const CERTIFY: u16 = 17;
    pub(super) const WITHDRAW: u16 = 18;
    pub(super) const CLOSE: u16 = 19;
    pub(super) const REFER: u16 = 20;
    pub(super) const RECTIFY: u16 = 21;
    pub(super) const ARCHIVE: u16 = 22;
    pub(super) const ACCEPT_LACKING: u16 = 30;
    pub(super) const SUPPLY: u16 = 31;
    pub(super) const INCLUDE: u16 = 33;
    pub(super) const DISMISS: u16 = 34;
    pub(super) const ACCEPT_PROMISE: u16 = 35;
    pub(super) const CHECK: u16 = 36;
    pub(super) const REVOKE: u16 = 37;
}

impl Deed {
    /// A stable word, for logs, JSON and catalogues.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::AcceptLacking { .. } => "accept-lacking",
            Self::AcceptPromise => "accept-promise",
            Self::Check => "check",
            Self::Revoke => "revoke",
            Self::Supply => "supply",
            Self::RefuseAcceptance { .. } => "refuse-acceptance",
            Self::RequestCorrection => "request-correction",
            Self::Supplement => "supplement",
            Self::BeginProcedure { .. } => "begin-procedure",
            Self::EndProcedure => "end-procedure",
            Self::Extend { .. } => "extend",
            Self::Decide { .. } => "decide",
            Self::Certify => "certify",
            Self::Refer { .. } => "refer",
            Self::Withdraw => "withdraw",
            Self::Close(_) => "close",
            Self::Deliver => "deliver",
            Self::Rectify { .. } => "rectify",
            Self::Archive => "archive",
            Self::Include(_) => "include",
            Self::Dismiss(..) => "dismiss",
        }
    }

    /// Writes what it says in clear into the facts of a header; gives its kind code.
    pub(super) fn encode(&self, to: &mut Writer) -> u16 {
        match self {
            Self::Accept => code::ACCEPT,
            Self::AcceptLacking { days } => {
                to.put(0, &days.to_le_bytes());
                code::ACCEPT_LACKING
            }
            Self::AcceptPromise => code::ACCEPT_PROMISE,
            Self::Check => code::CHECK,
            Self::Revoke => code::REVOKE,
            Self::Supply => code::SUPPLY,
            Self::RefuseAcceptance { ground, authority } => {
                to.byte(0, ground.byte());
                put_authority(to, authority.as_ref());
                code::REFUSE_ACCEPTANCE
            }
            Self::RequestCorrection => code::REQUEST_CORRECTION,
            Self::Supplement => code::SUPPLEMENT,
            Self::BeginProcedure { procedure, days } => {
                to.byte(0, procedure.byte()).put(1, &days.to_le_bytes());
                code::BEGIN_PROCEDURE
            }
            Self::EndProcedure => code::END_PROCEDURE,
            Self::Extend { days } => {
                to.put(0, &days.to_le_bytes());
                code::EXTEND
            }
            Self::Decide { granted, certificate } => {
                to.byte(0, u8::from(*granted)).byte(1, u8::from(*certificate));
                code::DECIDE
            }
            Self::Certify => code::CERTIFY,
            Self::Refer { authority } => {
                put_authority(to, Some(authority));
                code::REFER
            }
            Self::Withdraw => code::WITHDRAW,
            Self::Close(closing) => {
                to.byte(0, closing.ending().code());
                code::CLOSE
            }
            Self::Deliver => code::DELIVER,
            Self::Rectify { event } => {
                to.short(0, *event);
                code::RECTIFY
            }
            Self::Archive => code::ARCHIVE,
            Self::Include(cited) => {
                cited.encode(to);
                code::INCLUDE
            }
            Self::Dismiss(cited, reason) => {
                cited.encode(to);
                reason.encode(to);
                code::DISMISS
            }
        }
    }

    /// Whether a kind is that of an act known here.
    pub(super) fn is_kind(kind: u16) -> bool {
        (code::ACCEPT..=code::DELIVER).contains(&kind)
            || (code::REFUSE_ACCEPTANCE..=code::ARCHIVE).contains(&kind)
            || (code::ACCEPT_LACKING..=code::SUPPLY).contains(&kind)
            || (code::INCLUDE..=code::REVOKE).contains(&kind)
    }

    /// Reads the facts of an act; none if they have no meaning.
    pub(super) fn decode(kind: u16, from: &Reader<'_>) -> Option<Self> {
        Some(match kind {
            code::ACCEPT => Self::Accept,
            code::ACCEPT_LACKING => Self::AcceptLacking { days: days(u16::from_le_bytes(from.array(0)))? },
            code::ACCEPT_PROMISE => Self::AcceptPromise,
            code::CHECK => Self::Check,
            code::REVOKE => Self::Revoke,
            code::SUPPLY => Self::Supply,
            code::REFUSE_ACCEPTANCE => Self::RefuseAcceptance {
                ground: NotAccepted::from_byte(from.byte(0))?,
                authority: authority(from).ok()?,
            },
            code::REQUEST_CORRECTION => Self::RequestCorrection,
            code::SUPPLEMENT => Self::Supplement,
            code::BEGIN_PROCEDURE => Self::BeginProcedure {
                procedure: Procedure::from_byte(from.byte(0))?,
                days: days(u16::from_le_bytes(from.array(1)))?,
            },
            code::END_PROCEDURE => Self::EndProcedure,
            code::EXTEND => Self::Extend { days: days(u16::from_le_bytes(from.array(0)))? },
            code::DECIDE => match (from.byte(0), from.byte(1)) {
                (granted @ 0..=1, 0) => Self::Decide { granted: granted == 1, certificate: false },
                (1, 1) => Self::Decide { granted: true, certificate: true },
                _meaningless => return None,
            },
            code::CERTIFY => Self::Certify,
            code::REFER => Self::Refer { authority: authority(from).ok()?? },
            code::WITHDRAW => Self::Withdraw,
            code::CLOSE => Self::Close(Closing::from_code(from.byte(0))?),
            code::DELIVER => Self::Deliver,
            code::RECTIFY => Self::Rectify { event: from.short(0) },
            code::ARCHIVE => Self::Archive,
            code::INCLUDE => Self::Include(Cited::decode(from)?),
            code::DISMISS => Self::Dismiss(Cited::decode(from)?, Dismissal::decode(from)?),
            _no_act => return None,
        })
    }
}

/// Working days that an act may name.
fn days(days: u16) -> Option<u16> {
    (1..=TimeRules::DAYS_MAX).contains(&days).then_some(days)
}

/// Where an act names an authority: 18 bytes, zero if none.
const AUTHORITY: usize = 1;

fn put_authority(to: &mut Writer, authority: Option<&BodyId>) {
    if let Some(authority) = authority {
        to.put(AUTHORITY, authority.as_bytes());
    }
}

/// Zeros are no authority; anything else that is none is an error.
fn authority(from: &Reader<'_>) -> Result<Option<BodyId>, Malformed> {
    let bytes = from.array::<18>(AUTHORITY);
    if bytes == [0; 18] { Ok(None) } else { String::from_utf8_lossy(&bytes).parse().map(Some) }
}
