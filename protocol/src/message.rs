//! Everything two neighbours say to each other on a line.

use serde::{Deserialize, Serialize};

use crate::audit::{Checkpoint, Cosignature};
use crate::fixed;
use crate::ids::{Digest, HallAt};
use crate::limits::FRAME_MAX;
use crate::post::{Letter, LetterId};
use crate::reconcile::{ElementId, Nonce, ShortId};
use crate::record::{Record, Space};
use crate::signed::Signed;
use crate::wire::{self, Blob, Malformed};

/// The newest protocol this build speaks.
pub const PROTOCOL: u16 = 6;
/// The oldest.
pub const PROTOCOL_MIN: u16 = 6;

/// The roots of the reconciled sets: equal roots, equal sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roots {
    /// Of the directory.
    #[serde(with = "fixed")]
    pub directory: [u8; 32],
    /// Of the lists.
    #[serde(with = "fixed")]
    pub lists: [u8; 32],
}

impl Roots {
    /// The root of one space.
    pub const fn of(&self, space: Space) -> [u8; 32] {
        match space {
            Space::Directory => self.directory,
            Space::Lists => self.lists,
        }
    }
}

/// A message between neighbours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// The first thing on a line, from both ends.
    Hello {
        /// Newest protocol spoken.
        protocol: u16,
        /// Oldest protocol spoken.
        protocol_min: u16,
        /// Who speaks.
        at: HallAt,
        /// This start of the node.
        boot: u32,
        /// What it holds.
        roots: Roots,
        /// Its clock; zero while it doubts it.
        wall: u64,
        /// The other end has not greeted yet, and is asked to.
        please: bool,
    },
    /// Still here.
    Heartbeat {
        /// What it holds.
        roots: Roots,
        /// Its clock; zero while it doubts it.
        wall: u64,
    },
    /// Symbols of a space, please.
    Ask {
        /// The space.
        space: Space,
        /// The asker's nonce.
        nonce: Nonce,
        /// First symbol.
        from: u16,
        /// How many.
        count: u16,
    },
    /// Symbols, as asked.
    Symbols {
        /// The space.
        space: Space,
        /// The asker's nonce.
        nonce: Nonce,
        /// The answerer's nonce, the same in each answer to one asker's nonce.
        answer: Nonce,
        /// First symbol.
        from: u16,
        /// Packed symbols.
        packed: Blob,
    },
    /// Records by short id, please.
    Want {
        /// The space.
        space: Space,
        /// The asker's nonce.
        nonce: Nonce,
        /// Which.
        ids: Vec<ShortId>,
    },
    /// Records in key order, please.
    Page {
        /// The space.
        space: Space,
        /// After this key.
        after: String,
    },
    /// Records.
    Records {
        /// The space.
        space: Space,
        /// Which.
        records: Vec<Signed<Record>>,
        /// Why they come.
        why: Why,
    },
    /// A letter, for this hall or to be passed on.
    Letter(Letter),
    /// These letters are kept here: the hop is done. Says nothing about custody.
    Taken(Vec<LetterId>),
    /// The sets are too far apart for symbols, or the speaker is reading somebody's whole set: whoever holds less reads
    /// the other's pages.
    Far {
        /// The space.
        space: Space,
        /// Records that the speaker holds.
        count: u64,
    },
    /// How far the speaker's own log has come, and how far that of the other end had when it was last seen: before
    /// cases are spoken of, from both ends.
    Standing {
        /// The speaker's newest checkpoint; none if it has signed nothing.
        mine: Option<Signed<Checkpoint>>,
        /// The newest that the other end has shown in this life.
        yours: Option<Signed<Checkpoint>>,
        /// The other end has not said how it stands, and is asked to.
        please: bool,
    },
    /// The speaker's log has grown.
    Continued {
        /// Its newest checkpoint.
        checkpoint: Signed<Checkpoint>,
        /// The size that the other end knows.
        from: u64,
        /// The proof that nothing before was changed.
        path: Vec<Digest>,
    },
    /// The other end's checkpoint is remembered here.
    Cosigned(Signed<Cosignature>),
    /// The speaker has these: who lacks one and does not get it along the tree may ask for it.
    Announce {
        /// The space.
        space: Space,
        /// Which.
        ids: Vec<ElementId>,
    },
    /// Records that were announced, please.
    Pull {
        /// The space.
        space: Space,
        /// Which.
        ids: Vec<ElementId>,
    },
}

/// Why records come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Why {
    /// They are new, or the other side lacks them.
    Push,
    /// They were wanted.
    Wanted {
        /// Nothing more comes.
        last: bool,
    },
    /// They were asked for in key order.
    Paged {
        /// The last key, to go on from.
        next: String,
        /// The next page comes unasked.
        follows: bool,
        /// Nothing more comes.
        last: bool,
    },
}

impl Message {
    /// The frame that carries it.
    pub fn encode(&self) -> Vec<u8> {
        wire::encode(self)
    }

    /// Reads a frame.
    pub fn decode(frame: &[u8]) -> Result<Self, Malformed> {
        wire::decode(frame, FRAME_MAX)
    }

    /// A stable word for the kind, for counts and logs.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Hello { .. } => "hello",
            Self::Heartbeat { .. } => "heartbeat",
            Self::Ask { .. } => "ask",
            Self::Symbols { .. } => "symbols",
            Self::Want { .. } => "want",
            Self::Page { .. } => "page",
            Self::Records { .. } => "records",
            Self::Letter(_) => "letter",
            Self::Taken(_) => "taken",
            Self::Far { .. } => "far",
            Self::Standing { .. } => "standing",
            Self::Continued { .. } => "continued",
            Self::Cosigned(_) => "cosigned",
            Self::Announce { .. } => "announce",
            Self::Pull { .. } => "pull",
        }
    }
}
