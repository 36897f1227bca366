//! What an event says in clear: 160 bytes whose layout depends on the kind.

use serde::{Deserialize, Serialize};

use super::deed::Deed;
use super::layout::{Reader, Writer};
use super::statement::{Cited, Dismissal};
use super::task::Task;
use crate::directory::Addressee;
use crate::ids::{CaseNumber, Digest, DivisionCode, HallAt, HallId, MatterCode};

/// Bytes of the facts in a header.
pub const FACTS_BYTES: usize = 160;

/// The two halls that keep a copy during one epoch.
pub type Mirrors = [Option<HallAt>; 2];

/// Kind code and whether a node that does not know it must keep its hands off the case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FactsKind {
    /// The code.
    pub code: u16,
    /// Unknown and critical: relayed and mirrored, never taken into custody.
    pub critical: bool,
}

/// Why a case changes hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Purpose {
    /// To the hall that decides (受审分离).
    Decide,
    /// Back to the window where the citizen stands, with the result.
    Return,
    /// Back to the window, because something is missing (补正).
    Correct,
    /// To the deciding hall again, with what was missing.
    Supplemented,
    /// To the deciding hall once more, which checks what was promised (告知承诺).
    Check,
}

impl Purpose {
    const ALL: [Self; 5] = [Self::Decide, Self::Return, Self::Correct, Self::Supplemented, Self::Check];

    fn byte(self) -> u8 {
        match self {
            Self::Decide => 1,
            Self::Return => 2,
            Self::Correct => 3,
            Self::Supplemented => 4,
            Self::Check => 5,
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.byte() == byte)
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Facts {
    /// Taken in (收件), by any hall with the right.
    Receive {
        /// The case number (办件编号).
        number: CaseNumber,
        /// The matter.
        matter: MatterCode,
        /// The division whose hall decides: as much of the applicant's place as everybody may know.
        place: DivisionCode,
        /// The hall that will accept and decide.
        competent: HallId,
        /// The halls that keep a copy.
        mirrors: Mirrors,
    },
    /// Handed over: the last event of its epoch.
    Transfer {
        /// To this life of this hall.
        to: HallAt,
        /// Why.
        purpose: Purpose,
        /// The halls that keep a copy once it is taken: whoever has to recover the target's part knows whom to ask.
        mirrors: Mirrors,
    },
    /// Taken over: the first event of its epoch.
    Take {
        /// The mirror of the epoch before that had recorded the hand-over.
        witness: HallAt,
    },
    /// Taken back after the target refused.
    Resume {
        /// SHA-256 of the target's signed refusal.
        refusal: Digest,
    },
    /// A clerk's act.
    Act(Deed),
    /// A mirror's life has ended, another hall keeps a copy in its place.
    ReplaceMirror {
        /// The halls that keep a copy from now on.
        mirrors: Mirrors,
    },
    /// Taken up for a life that has ended, by its next life or by a ruling: the first event of a new term.
    Succeed {
        /// The life that has ended.
        from: HallAt,
        /// The halls that keep a copy from now on.
        mirrors: Mirrors,
        /// SHA-256 of the ruling's record; none if it is the next life of the same hall.
        ruling: Option<Digest>,
    },
    /// By a ruling, another hall decides or delivers in the place of one that is lost (改派).
    Reassign {
        /// The last life of the hall that is lost.
        from: HallAt,
        /// Who acts in its place.
        to: HallId,
        /// SHA-256 of the ruling's record.
        ruling: Digest,
    },
    /// What is added from now on is sealed under a new key: a stolen machine could open the one before (换密钥).
    RenewKey {
        /// The digest that names the key: see [`ContentKey::digest`](crate::seal::ContentKey::digest).
        key: Digest,
        /// Of the keys before it, in order and a bit for each, those that the hall lacks: nobody has to hand them on.
        lacked: u16,
        /// For whom it was wrapped, at most six.
        to: Vec<Addressee>,
    },
    /// The case is a task of a bundle (一件事): the event after its receipt, in the same commit.
    Task(Task),
    /// The results that a task waited for are at the window: the task begins (启动).
    Start {
        /// SHA-256 over the digests of the decisions that it waited for, in the order of the tasks.
        results: Digest,
    },
    /// Of a newer protocol: kept and passed on byte for byte.
    Unknown {
        /// Its kind.
        kind: FactsKind,
        /// Its facts.
        bytes: crate::wire::Blob,
    },
}

mod code {
    pub(super) const RECEIVE: u16 = 1;
    pub(super) const TRANSFER: u16 = 2;
    pub(super) const TAKE: u16 = 3;
    pub(super) const RESUME: u16 = 4;
    pub(super) const REPLACE_MIRROR: u16 = 10;
    pub(super) const SUCCEED: u16 = 11;
    pub(super) const REASSIGN: u16 = 12;
    pub(super) const RENEW_KEY: u16 = 32;
    pub(super) const TASK: u16 = 23;
    pub(super) const START: u16 = 24;
}

impl Facts {
    /// A stable word for the kind, for logs, JSON and catalogues.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Receive { .. } => "receive",
            Self::Transfer { .. } => "transfer",
            Self::Take { .. } => "take",
            Self::Resume { .. } => "resume",
            Self::Act(deed) => deed.word(),
            Self::ReplaceMirror { .. } => "replace-mirror",
            Self::Succeed { .. } => "succeed",
            Self::Reassign { .. } => "reassign",
            Self::RenewKey { .. } => "renew-key",
            Self::Task(_) => "task",
            Self::Start { .. } => "start",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// The mirrors that it names: from now on, or from the taking of a hand-over on.
    pub const fn mirrors(&self) -> Option<Mirrors> {
        match self {
            Self::Receive { mirrors, .. }
            | Self::Transfer { mirrors, .. }
            | Self::ReplaceMirror { mirrors }
            | Self::Succeed { mirrors, .. } => Some(*mirrors),
            Self::Take { .. }
            | Self::Resume { .. }
            | Self::Act(_)
            | Self::Reassign { .. }
            | Self::RenewKey { .. }
            | Self::Task(_)
            | Self::Start { .. }
            | Self::Unknown { .. } => None,
        }
    }

    /// The SHA-256 of the ruling that it rests on, if it does.
    pub const fn ruling(&self) -> Option<Digest> {
        match self {
            Self::Succeed { ruling, .. } => *ruling,
            Self::Reassign { ruling, .. } => Some(*ruling),
            Self::Receive { .. }
            | Self::Transfer { .. }
            | Self::Take { .. }
            | Self::Resume { .. }
            | Self::Act(_)
            | Self::ReplaceMirror { .. }
            | Self::RenewKey { .. }
            | Self::Task(_)
            | Self::Start { .. }
            | Self::Unknown { .. } => None,
        }
    }

    /// The statement that it answers, and why that is not included, if it is not.
    pub const fn cites(&self) -> Option<(&Cited, Option<Dismissal>)> {
        match self {
            Self::Act(deed) => deed.cites(),
            Self::Receive { .. }
            | Self::Transfer { .. }
            | Self::Take { .. }
            | Self::Resume { .. }
            | Self::ReplaceMirror { .. }
            | Self::Succeed { .. }
            | Self::Reassign { .. }
            | Self::RenewKey { .. }
            | Self::Task(_)
            | Self::Start { .. }
            | Self::Unknown { .. } => None,
        }
    }

    pub(crate) fn encode(&self) -> (u16, bool, Vec<u8>) {
        let mut to = Writer::new(FACTS_BYTES);
        let code = match self {
            Self::Receive { number, matter, place, competent, mirrors } => {
                to.text(0, &number.to_string()).text(51, matter.as_str());
                to.long(102, place.as_u64()).long(110, competent.to_u64());
                put_mirrors(&mut to, 118, mirrors);
                code::RECEIVE
            }
            Self::Transfer { to: target, purpose, mirrors } => {
                to.at(0, *target).byte(12, purpose.byte());
                put_mirrors(&mut to, 13, mirrors);
                code::TRANSFER
            }
            Self::Take { witness } => {
                to.at(0, *witness);
                code::TAKE
            }
            Self::Resume { refusal } => {
                to.put(0, &refusal.0);
                code::RESUME
            }
            Self::Act(deed) => deed.encode(&mut to),
            Self::ReplaceMirror { mirrors } => {
                put_mirrors(&mut to, 0, mirrors);
                code::REPLACE_MIRROR
            }
            Self::Succeed { from, mirrors, ruling } => {
                to.at(0, *from).put(36, &ruling.unwrap_or(NO_RULING).0);
                put_mirrors(&mut to, 12, mirrors);
                code::SUCCEED
            }
            Self::Reassign { from, to: heir, ruling } => {
                to.at(0, *from).long(12, heir.to_u64()).put(20, &ruling.0);
                code::REASSIGN
            }
            Self::RenewKey { key, lacked, to: addressees } => {
                to.put(0, &key.0).put(32, &lacked.to_le_bytes());
                put_addressees(&mut to, addressees);
                code::RENEW_KEY
            }
            Self::Task(task) => {
                task.encode(&mut to);
                code::TASK
            }
            Self::Start { results } => {
                to.put(0, &results.0);
                code::START
            }
            Self::Unknown { kind, bytes } => {
                to.put(0, bytes.as_bytes());
                return (kind.code, kind.critical, to.done());
            }
        };
        (code, true, to.done())
    }

    pub(crate) fn decode(kind: FactsKind, bytes: &[u8; FACTS_BYTES]) -> Option<Self> {
        let from = Reader::new(bytes);
        Some(match kind.code {
            code::RECEIVE => Self::Receive {
                number: from.text(0)?.parse().ok()?,
                matter: from.text(51)?.parse().ok()?,
                place: from.division(102)?,
                competent: from.hall(110)?,
                mirrors: mirrors(&from, 118)?,
            },
            code::TRANSFER => Self::Transfer {
                to: from.at(0)?,
                purpose: Purpose::from_byte(from.byte(12))?,
                mirrors: mirrors(&from, 13)?,
            },
            code::TAKE => Self::Take { witness: from.at(0)? },
            code::RESUME => Self::Resume { refusal: Digest(from.array(0)) },
            code::REPLACE_MIRROR => Self::ReplaceMirror { mirrors: mirrors(&from, 0)? },
            code::SUCCEED => Self::Succeed {
                from: from.at(0)?,
                mirrors: mirrors(&from, 12)?,
                ruling: Some(Digest(from.array(36))).filter(|ruling| *ruling != NO_RULING),
            },
            code::REASSIGN => {
                Self::Reassign { from: from.at(0)?, to: from.hall(12)?, ruling: Digest(from.array(20)) }
            }
            code::RENEW_KEY => Self::RenewKey {
                key: Digest(from.array(0)),
                lacked: u16::from_le_bytes(from.array(32)),
                to: addressees(&from)?,
            },
            code::TASK => Self::Task(Task::decode(&from)?),
            code::START => Self::Start { results: Digest(from.array(0)) },
            act if Deed::is_kind(act) => Self::Act(Deed::decode(act, &from)?),
            _newer => Self::Unknown { kind, bytes: bytes.to_vec().into() },
        })
    }
}

/// Addressees of a new key at the most: two for each of three halls.
pub(super) const ADDRESSEES_MAX: usize = 6;

/// Where each of them stands: a life and a byte.
#[expect(clippy::arithmetic_side_effects, reason = "constants inside the block")]
fn addressee_places() -> impl Iterator<Item = usize> {
    (0..ADDRESSEES_MAX).map(|place| 34 + 13 * place)
}

#[expect(clippy::arithmetic_side_effects, reason = "constants inside the block")]
fn put_addressees(to: &mut Writer, addressees: &[Addressee]) {
    for (place, (at, recovery)) in addressee_places().zip(addressees) {
        to.at(place, *at).byte(place + 12, u8::from(*recovery));
    }
}

#[expect(clippy::arithmetic_side_effects, reason = "constants inside the block")]
fn addressees(from: &Reader<'_>) -> Option<Vec<Addressee>> {
    let mut found = Vec::new();
    for place in addressee_places() {
        let Some(at) = optional(from, place).ok()? else { break };
        found.push((at, from.byte(place + 12) == 1));
    }
    Some(found)
}

const NO_RULING: Digest = Digest([0; 32]);

#[expect(clippy::arithmetic_side_effects, reason = "constants inside the block")]
fn put_mirrors(to: &mut Writer, offset: usize, mirrors: &Mirrors) {
    let [one, other] = mirrors;
    for (at, place) in [(one, offset), (other, offset + 12)] {
        if let Some(at) = at {
            to.at(place, *at);
        }
    }
}

#[expect(clippy::arithmetic_side_effects, reason = "constants inside the block")]
fn mirrors(from: &Reader<'_>, offset: usize) -> Option<Mirrors> {
    Some([optional(from, offset).ok()?, optional(from, offset + 12).ok()?])
}

/// Twelve zero bytes are no hall.
fn optional(from: &Reader<'_>, offset: usize) -> Result<Option<HallAt>, ()> {
    if from.array(offset) == [0; 12] { Ok(None) } else { from.at(offset).map(Some).ok_or(()) }
}
