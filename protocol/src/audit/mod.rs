//! The audit of a hall by those it meets: one Merkle log for all that a life of a hall signs about cases, in the shape
//! of RFC 6962; checkpoints of it that neighbours remember and cosign; what comes of a hall that has forgotten, and
//! of one that says two things.
//!
//! A log is of one life. It is never shortened; a new life begins a new one.

mod checkpoint;
mod fork;
mod log;
mod proof;
mod recheck;
pub mod tree;
mod witness;

#[cfg(test)]
mod tests;

pub use checkpoint::{Checkpoint, Cosignature, Cosigned, cosignatures, newest};
pub use fork::{Fork, Forked, SignedHeader, known as known_forks};
pub use log::{Leaf, Subject, leaf, place, root, size};
pub use proof::{Inclusion, NotProvable, NotProven, prove};
pub use recheck::{Rechecked, Wrong, recheck};
pub use witness::{RolledBack, Witness, all as witnesses, held as witness, rolled_back};

pub(crate) use checkpoint::{cosigned, present};
pub(crate) use fork::meet;
pub(crate) use log::{note_event, note_receipt, note_statement, subtree};
pub(crate) use witness::{Seen, is_rolled_back, look, shown_own};

use crate::ids::{Digest, HallAt};
use crate::step::View;

/// The proof that the log of a life, of `new` leaves, continues that of `old`.
pub(crate) fn continuation(view: &dyn View, at: HallAt, old: u64, new: u64) -> Option<Vec<Digest>> {
    tree::consistency(&|level, index| subtree(view, at, level, index), old, new)
}
