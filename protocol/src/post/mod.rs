//! The post: what this hall must tell others, kept until it is answered; and what it carries for others.
//!
//! The queue lies in rows; in memory there is one round per destination. A round sends the oldest letters
//! of its destination, up to a window, and repeats them with growing pauses until they are answered. A
//! destination that is away delays no other.

mod hop;
mod letter;
mod queue;

use serde::{Deserialize, Serialize};

use crate::cases::Office;
use crate::ids::{CaseId, HallAt, HallId};
use crate::wire;

pub use letter::{Asked, Letter, LetterBody, LetterId};
pub use queue::{Destination, Patience, Waiting, destinations, waiting};

pub(crate) use queue::Post;

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
    /// Somebody else's letter.
    Relay(Letter),
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
            Self::Relay(_) => "relay",
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
            Self::Relay(_) => None,
        }
    }

    /// Somebody else's letter, if it is one.
    pub(crate) const fn relayed(&self) -> Option<&Letter> {
        match self {
            Self::Relay(letter) => Some(letter),
            Self::HandOver { .. }
            | Self::Copy { .. }
            | Self::Ask(_)
            | Self::Fence { .. }
            | Self::AskFence { .. } => None,
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
            Self::Relay(letter) => return Reference::Relayed(letter.id),
        };
        let mut reference = LetterId::default();
        let name = wire::encode(&(tag, case, to, of));
        let mut hasher = blake3::Hasher::new_derive_key("hallmesh v1 letter reference");
        hasher.update(&name).finalize_xof().fill(&mut reference);
        Reference::Own(reference)
    }
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

/// Sends an answer now if there is a way. An answer that is lost is asked for again.
pub(crate) fn deliver(office: &mut Office<'_, '_>, letter: Letter) {
    if let Some(hop) = office.post.hop(letter.to, None) {
        office.cx.send(hop, crate::message::Message::Letter(letter));
    }
}
