//! Checkpoints: how far a hall's log has come, signed by the hall and cosigned by those it meets.

use serde::{Deserialize, Serialize};

use super::log;
use crate::ids::{Digest, HallAt};
use crate::rows;
use crate::seal::{Context, SecretKey};
use crate::signed::{Signable, Signed, Verified};
use crate::step::{Cx, View};

/// Bytes of a checkpoint or a cosignature at the most.
const CHECKPOINT_BYTES_MAX: usize = 256;

/// All that a life of a hall had signed about cases when it signed this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The hall and its life.
    pub at: HallAt,
    /// Leaves of its log.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
    /// Milliseconds since 1970, by the hall's clock.
    pub wall: u64,
}

impl Signable for Checkpoint {
    const CONTEXT: Context = Context::CHECKPOINT;
    const BYTES_MAX: usize = CHECKPOINT_BYTES_MAX;
}

/// What a witness signs: this checkpoint continues all that it was shown of this life before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cosignature {
    /// Whose log.
    pub at: HallAt,
    /// Leaves of it.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
    /// The witness.
    pub by: HallAt,
    /// Milliseconds since 1970, by the witness's clock.
    pub wall: u64,
}

impl Signable for Cosignature {
    const CONTEXT: Context = Context::COSIGNATURE;
    const BYTES_MAX: usize = CHECKPOINT_BYTES_MAX;
}

/// A checkpoint with what one witness has signed under it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cosigned {
    /// The hall's word.
    pub checkpoint: Signed<Checkpoint>,
    /// The witness's.
    pub cosignature: Signed<Cosignature>,
}

/// The checkpoint of the log as it stands, signed anew only if the log has grown; none of an empty log.
pub(crate) fn present(cx: &mut Cx<'_>, at: HallAt, key: &SecretKey) -> Option<Signed<Checkpoint>> {
    let size = log::size(cx, at);
    let last = newest(cx, at);
    if let Some(last) = last.filter(|last| last.value().size == size) {
        return Some(last.signed().clone());
    }
    let root = log::root(cx, at, size).filter(|_| size > 0)?;
    let signed = Verified::own(Checkpoint { at, size, root, wall: cx.now.wall }, key).signed().clone();
    rows::write(cx, rows::checkpoint(at), &signed);
    Some(signed)
}

/// The last checkpoint that a life of this hall has signed.
pub fn newest(view: &dyn View, at: HallAt) -> Option<Verified<Checkpoint>> {
    let signed: Signed<Checkpoint> = rows::read(view, &rows::checkpoint(at))?;
    signed.trusted().ok()
}

/// A witness has cosigned: kept, if it is for the newest checkpoint and newer than what is held of this witness.
pub(crate) fn cosigned(cx: &mut Cx<'_>, at: HallAt, cosignature: &Verified<Cosignature>) {
    let said = cosignature.value();
    let Some(last) = newest(cx, at) else { return };
    let own = last.value();
    let fits = (own.at, own.size, own.root) == (said.at, said.size, said.root);
    let cosigned = Cosigned { checkpoint: last.signed().clone(), cosignature: cosignature.signed().clone() };
    let key = rows::cosignature(at, said.by.hall);
    if fits && rows::read::<Cosigned>(cx, &key).as_ref() != Some(&cosigned) {
        rows::write(cx, key, &cosigned);
    }
}

/// The newest that each witness has cosigned of a life of this hall.
pub fn cosignatures(view: &dyn View, at: HallAt) -> Vec<Cosigned> {
    let mut found = Vec::new();
    view.scan(&rows::cosignatures(at), &[], &mut |key, value| {
        found.push(rows::parse(key, value));
        true
    });
    found
}
