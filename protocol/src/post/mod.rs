//! The post: what this hall must tell others, kept until it is answered; and what it carries for others.
//!
//! The queue lies in rows; in memory there is one round per destination. A round sends the oldest letters
//! of its destination, up to a window, and repeats them with growing pauses until they are answered. A
//! destination that is away delays no other.

mod burden;
mod hop;
mod letter;
mod queue;
mod round;
mod unfit;
mod waiting;

use serde::{Deserialize, Serialize};

use crate::cases::{Office, Receipt};
use crate::ids::{CaseId, CaseNumber, Digest, HallAt, HallId};
use crate::signed::Signed;
use crate::wire;

pub use letter::{Asked, Letter, LetterBody, LetterId};
pub use unfit::Unfit;
pub use waiting::{Destination, Patience, Place, Waiting, destinations, waiting};

pub(crate) use burden::burden_holds;
pub(crate) use queue::{Post, place_holds, posted_holds, queued_holds};
pub(crate) use waiting::{answer_in, hand_over_in, letter_at, names, place, receivers, silent_copies};

/// What a queued letter is about; its words are made when it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// A case handed over, its log up to a sequence.
    HandOver {
        /// The case.
        case: CaseId,
        /// The last event that goes with it.
        upto: u32,
    },
    /// A copy of a case, as it stands.
    Copy {
        /// The case.
        case: CaseId,
    },
    /// A question after a hand-over that is held but not yet mirrored.
    Ask(Asked),
    /// That an ended life is fenced off, and what there is of the case.
    Fence {
        /// The case.
        case: CaseId,
        /// The life that has ended.
        of: HallAt,
    },
    /// A question for such a fence.
    AskFence {
        /// The case.
        case: CaseId,
        /// The life that has ended.
        of: HallAt,
    },
    /// What a hall has stated about a case.
    Statement {
        /// The case's number.
        number: CaseNumber,
        /// SHA-256 of the statement.
        of: Digest,
    },
    /// Somebody else's letter.
    Relay(Letter),
    /// An answer of this hall that found no way, or that a stick is to take back.
    Answer(Letter),
}

impl What {
    /// A stable word, for lists and JSON.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::HandOver { .. } => "hand-over",
            Self::Copy { .. } => "copy",
            Self::Ask(_) => "ask",
            Self::Fence { .. } => "fence",
            Self::AskFence { .. } => "ask-fence",
            Self::Statement { .. } => "statement",
            Self::Relay(_) => "relay",
            Self::Answer(_) => "answer",
        }
    }

    /// The case it is about, if it is this hall's own letter.
    pub const fn case(&self) -> Option<CaseId> {
        match self {
            Self::HandOver { case, .. }
            | Self::Copy { case }
            | Self::Fence { case, .. }
            | Self::AskFence { case, .. } => Some(*case),
            Self::Ask(asked) => Some(asked.case),
            Self::Statement { .. } | Self::Relay(_) | Self::Answer(_) => None,
        }
    }

    /// A letter that lies here word for word: the next hop takes it off this hall's hands.
    pub(crate) const fn relayed(&self) -> Option<&Letter> {
        match self {
            Self::Relay(letter) | Self::Answer(letter) => Some(letter),
            Self::HandOver { .. }
            | Self::Copy { .. }
            | Self::Ask(_)
            | Self::Fence { .. }
            | Self::AskFence { .. }
            | Self::Statement { .. } => None,
        }
    }

    /// One letter is queued under one reference; a newer one replaces it. A hand-over and the question
    /// after it share theirs.
    fn reference(&self, to: HallId) -> Reference {
        let (tag, case, of) = match self {
            Self::HandOver { case, .. } | Self::Ask(Asked { case, .. }) => (b'h', case, None),
            Self::Copy { case } => (b'c', case, None),
            Self::Fence { case, of } => (b'f', case, Some(of)),
            Self::AskFence { case, of } => (b'a', case, Some(of)),
            Self::Statement { of, .. } => return Reference::Own(named(&(b's', of, to))),
            Self::Relay(letter) | Self::Answer(letter) => return Reference::Relayed(letter.id),
        };
        Reference::Own(named(&(tag, case, to, of)))
    }

    /// An answer is also found by what it is about: a newer one replaces it.
    fn subject(&self, to: HallId) -> Option<Reference> {
        let Self::Answer(Letter { body: LetterBody::Receipt(receipt), .. }) = self else { return None };
        let said: Receipt = Signed::peek(receipt).ok()?;
        Some(Reference::Own(named(&(b'r', (said.kind, said.case, said.position, said.sequence), to))))
    }
}

fn named(about: &impl Serialize) -> LetterId {
    let mut reference = LetterId::default();
    let mut hasher = blake3::Hasher::new_derive_key("hallmesh v1 letter reference");
    hasher.update(&wire::encode(about)).finalize_xof().fill(&mut reference);
    reference
}

/// In keys: a letter of this hall's own.
const OWN: u8 = b'o';
/// In keys: a letter of others.
const RELAYED: u8 = b'r';

/// What a queued letter is found by. Own letters and those of others never share a name: a neighbour that
/// takes a letter off this hall's hands can only mean one of the latter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reference {
    Own(LetterId),
    Relayed(LetterId),
}

impl Reference {
    fn key(self) -> Vec<u8> {
        match self {
            Self::Own(id) | Self::Relayed(id) => crate::rows::letter(self.whose(), &id),
        }
    }

    const fn whose(self) -> u8 {
        match self {
            Self::Own(_) => OWN,
            Self::Relayed(_) => RELAYED,
        }
    }
}

/// Sends an answer now if there is a way; without one it waits for a line or a stick. An answer that is lost is asked
/// for again. A mirror that is the target, too, need not write to itself.
pub(crate) fn deliver(office: &mut Office<'_, '_>, letter: Letter) {
    if letter.to == office.me.at.hall {
        return;
    }
    match office.post.way_of_answer(letter.to) {
        Some(hop) => office.cx.send(hop, crate::message::Message::Letter(letter)),
        None => office.post.keep_answer(office.cx, letter),
    }
}
