//! Letters: what halls say to each other about cases, hop by hop over the tiers when there is no line.

use serde::{Deserialize, Serialize};

use crate::cases::{CaseFile, Position, Receipt, Statement};
use crate::fixed;
use crate::ids::{CaseId, Digest, HallAt, HallId};
use crate::signed::Signed;
use crate::wire;

/// The name of a letter: follows from what it says, so a repetition is recognised.
pub type LetterId = [u8; 16];

/// A letter from hall to hall. Bodies of cases are sealed; relays read only the outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// Its name.
    #[serde(with = "fixed")]
    pub id: LetterId,
    /// Who wrote it.
    pub from: HallAt,
    /// For whom.
    pub to: HallId,
    /// Relays it has passed.
    pub hops: u8,
    /// What it says.
    pub body: LetterBody,
}

/// What a letter says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LetterBody {
    /// Take this case; the log ends with the hand-over to you.
    HandOver(CaseFile),
    /// Keep a copy of this case.
    Copy(CaseFile),
    /// What the writer signs for.
    Receipt(Signed<Receipt>),
    /// What has become of this hand-over?
    Ask(Asked),
    /// To the hall that follows an ended life: what the writer has of the case, if it has any of it, and its word that
    /// it records nothing more of that life.
    Fence(Option<CaseFile>, Signed<Receipt>),
    /// From the hall that follows an ended life: fence it off, and tell what there is of this case.
    AskFence {
        /// The case.
        case: CaseId,
        /// The life that has ended.
        of: HallAt,
    },
    /// What a hall states about a case that is not in its hand.
    Statement(Signed<Statement>),
}

/// A hand-over that is asked after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The case.
    pub case: CaseId,
    /// The position the target would have.
    pub position: Position,
    /// The hand-over's place in the log.
    pub sequence: u32,
    /// Its digest.
    pub head: Digest,
}

impl LetterBody {
    /// A stable word, for logs and lists.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::HandOver(_) => "hand-over",
            Self::Copy(_) => "copy",
            Self::Receipt(_) => "receipt",
            Self::Ask(_) => "ask",
            Self::Fence(..) => "fence",
            Self::AskFence { .. } => "ask-fence",
            Self::Statement(_) => "statement",
        }
    }
}

impl Letter {
    /// A new letter.
    pub fn write(from: HallAt, to: HallId, body: LetterBody) -> Self {
        Self { id: name(from, to, &body), from, to, hops: 0, body }
    }

    /// Whether its name follows from what it says.
    pub(crate) fn is_named_rightly(&self) -> bool {
        self.id == name(self.from, self.to, &self.body)
    }
}

fn name(from: HallAt, to: HallId, body: &LetterBody) -> LetterId {
    let mut hasher = blake3::Hasher::new_derive_key("hallmesh v1 letter");
    hasher.update(&from.hall.to_u64().to_le_bytes()).update(&from.incarnation.to_le_bytes());
    hasher.update(&to.to_u64().to_le_bytes()).update(&wire::encode(body));
    let mut id = LetterId::default();
    hasher.finalize_xof().fill(&mut id);
    id
}
