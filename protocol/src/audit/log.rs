//! The rows of a hall's Merkle log: one leaf for each event that this life signs, and one for each thing that it
//! signs a receipt for and is bound by. A leaf is written in the commit of what it is of. Receipts that promise
//! nothing are no leaves: that this hall does not know a hand-over, what it has of a case that another goes on with,
//! and that it has heard this.

use serde::{Deserialize, Serialize};

use super::tree;
use crate::cases::{Receipt, ReceiptKind, SignedEvent};
use crate::ids::{CaseId, CaseNumber, Digest, HallAt};
use crate::rows;
use crate::signed::Verified;
use crate::step::{Cx, View};
use crate::wire;

/// What a leaf is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Subject {
    /// An event of a case.
    Event {
        /// The case.
        case: CaseId,
        /// Its place in the case's log.
        sequence: u32,
    },
    /// A receipt about a case.
    Receipt {
        /// The case.
        case: CaseId,
        /// What was signed for.
        kind: ReceiptKind,
        /// The event that was spoken of.
        sequence: u32,
    },
    /// A statement about a case that is not in this hall's hand.
    Statement {
        /// The case's number.
        number: CaseNumber,
    },
}

impl Subject {
    /// The case it is about, if its id is known.
    pub const fn case(&self) -> Option<CaseId> {
        match self {
            Self::Event { case, .. } | Self::Receipt { case, .. } => Some(*case),
            Self::Statement { .. } => None,
        }
    }
}

/// A leaf: the digest of what was signed, and what that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaf {
    /// SHA-256 of the signed message.
    pub digest: Digest,
    /// What it is of.
    pub of: Subject,
}

impl Leaf {
    /// Its hash in the tree.
    pub fn hash(&self) -> Digest {
        tree::leaf(&self.digest.0)
    }
}

/// How many leaves the log of a life has.
pub fn size(view: &dyn View, at: HallAt) -> u64 {
    rows::read(view, &rows::audit_size(at)).unwrap_or(0)
}

/// A leaf of a life's log.
pub fn leaf(view: &dyn View, at: HallAt, place: u64) -> Option<Leaf> {
    rows::read(view, &rows::leaf(at, place))
}

/// Where in a life's log the event with this digest stands.
pub fn place(view: &dyn View, at: HallAt, event: &Digest) -> Option<u64> {
    rows::read(view, &rows::audited(at, event))
}

/// A complete subtree of a life's log.
pub(crate) fn subtree(view: &dyn View, at: HallAt, level: u8, index: u64) -> Option<Digest> {
    match level {
        0 => leaf(view, at, index).map(|leaf| leaf.hash()),
        _ => rows::read(view, &rows::subtree(at, level, index)),
    }
}

/// The root of a life's log when it had so many leaves.
pub fn root(view: &dyn View, at: HallAt, size: u64) -> Option<Digest> {
    tree::root(&|level, index| subtree(view, at, level, index), size)
}

/// An event was signed here.
pub(crate) fn note_event(cx: &mut Cx<'_>, event: &SignedEvent) {
    let (Ok(header), digest) = (event.header(), event.digest()) else { return };
    let of = Subject::Event { case: header.case, sequence: header.sequence };
    append(cx, header.at, &digest, Leaf { digest, of });
}

/// A receipt was signed here. The same said again at another time is not a new leaf, or whoever repeats a letter
/// could make the log grow.
pub(crate) fn note_receipt(cx: &mut Cx<'_>, receipt: &Verified<Receipt>) {
    let said = receipt.value();
    let of = Subject::Receipt { case: said.case, kind: said.kind, sequence: said.sequence };
    let statement = wire::encode(&(said.kind, said.case, said.position, said.sequence, said.head));
    let statement = Digest(*blake3::hash(&statement).as_bytes());
    append(cx, said.by, &statement, Leaf { digest: receipt.signed().digest(), of });
}

/// A statement was signed here.
pub(crate) fn note_statement(cx: &mut Cx<'_>, at: HallAt, (number, digest): (CaseNumber, Digest)) {
    append(cx, at, &digest, Leaf { digest, of: Subject::Statement { number } });
}

/// Adds a leaf and every subtree that it completes.
fn append(cx: &mut Cx<'_>, at: HallAt, statement: &Digest, leaf: Leaf) {
    let statement = rows::audited(at, statement);
    if cx.get(&statement).is_some() {
        return;
    }
    let place = size(cx, at);
    rows::write(cx, statement, &place);
    rows::write(cx, rows::leaf(at, place), &leaf);
    rows::write(cx, rows::audit_size(at), &place.saturating_add(1));
    let (mut hash, mut index, mut level) = (leaf.hash(), place, 0_u8);
    while index & 1 == 1 {
        let Some(left) = subtree(cx, at, level, index.saturating_sub(1)) else { return };
        hash = tree::node(&left, &hash);
        (index, level) = (index >> 1, level.saturating_add(1));
        rows::write(cx, rows::subtree(at, level, index), &hash);
    }
}
