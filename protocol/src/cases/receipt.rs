//! Receipts: what one hall signs for another about a case. What a target signed for a hand-over it repeats
//! word for word to whoever asks again.

use serde::{Deserialize, Serialize};

use super::Office;
use super::event::Position;
use super::fold::Case;
use super::statements::Outcome;
use crate::audit;
use crate::ids::{CaseId, CaseNumber, Digest, HallAt, HallId};
use crate::post::{self, Letter, LetterBody};
use crate::rows;
use crate::seal::Context;
use crate::signed::{Signable, Signed, Verified};

/// What is signed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ReceiptKind {
    /// A mirror keeps the log up to `sequence`.
    Copied,
    /// The target keeps the case; it is holder, not yet custodian.
    Held,
    /// The target is custodian and a mirror of its epoch keeps the case: the giver may let go.
    Mirrored,
    /// The target will never take this hand-over.
    Refused(RefusedBecause),
    /// The target was asked after a hand-over that it knows nothing of.
    Unknown,
    /// A mirror keeps the log up to `sequence` and records nothing more of a life that has ended.
    Fenced {
        /// The life that has ended.
        of: HallAt,
        /// The hall that follows it.
        to: HallAt,
    },
    /// Another hall tells what it has of a case that an ended life had a part in.
    Known {
        /// The life that has ended.
        of: HallAt,
        /// The hall that follows it.
        to: HallAt,
    },
    /// What has become of a statement about the case.
    Heard {
        /// The case's number: who stated it may know no more of the case.
        number: CaseNumber,
        /// SHA-256 of the statement.
        of: Digest,
        /// What has become of it.
        outcome: Outcome,
    },
    /// A hall that follows an ended life keeps what it was told of the case, up to `sequence`.
    Told {
        /// The life that has ended.
        of: HallAt,
        /// It has every key of the case, too, that the hall has which told it.
        keyed: bool,
    },
}

/// Why a target refuses a hand-over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RefusedBecause {
    /// The log has a critical event this hall's software does not know.
    TooNew,
    /// The log contradicts what this hall has of the same case.
    Fork,
}

/// A signed statement about a case at a position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// What.
    pub kind: ReceiptKind,
    /// The case.
    pub case: CaseId,
    /// The position spoken of: for `Copied` that of the log's end, else that of the new epoch.
    pub position: Position,
    /// For `Copied` the log's last event, else the hand-over itself.
    pub sequence: u32,
    /// Its digest.
    pub head: Digest,
    /// Who signs.
    pub by: HallAt,
    /// Milliseconds since 1970, by the signer's clock.
    pub wall: u64,
}

impl Signable for Receipt {
    const CONTEXT: Context = Context::RECEIPT;
    const BYTES_MAX: usize = 512;
}

/// A receipt of this hall for a case as it stands, at a position.
pub(super) fn sign(
    office: &Office<'_, '_>,
    case: &Case,
    kind: ReceiptKind,
    position: Position,
) -> Verified<Receipt> {
    let receipt = Receipt {
        kind,
        case: case.id,
        position,
        sequence: case.events.saturating_sub(1),
        head: case.head,
        by: office.me.at,
        wall: office.cx.now.wall,
    };
    Verified::own(receipt, &office.me.key)
}

/// Keeps what this hall has signed, to repeat it word for word.
pub(super) fn keep_receipt(office: &mut Office<'_, '_>, receipt: &Verified<Receipt>) {
    let said = receipt.value();
    let key = rows::receipt(said.case, said.position.term, said.position.epoch);
    rows::write(office.cx, key, receipt.signed());
    audit::note_receipt(office.cx, receipt);
}

/// Sends a receipt to whoever asked.
pub(super) fn answer(office: &mut Office<'_, '_>, to: HallId, receipt: Signed<Receipt>) {
    let letter = Letter::write(office.me.at, to, LetterBody::Receipt(receipt));
    post::deliver(office, letter);
}
