//! The proof that an event stands in its hall's log, under a checkpoint that others have cosigned: all that somebody
//! needs who has no node.

use serde::{Deserialize, Serialize};

use super::checkpoint::{Checkpoint, Cosignature, cosignatures, newest};
use super::fork::SignedHeader;
use super::{log, subtree, tree};
use crate::cases::stored_event;
use crate::directory::Directory;
use crate::ids::{CaseId, Digest, HallAt};
use crate::limits::{PROOF_BYTES_MAX, PROOF_PATH_MAX};
use crate::seal::{self, Context};
use crate::signed::{Signed, Unverified};
use crate::step::View;
use crate::wire::{self, Malformed};

/// An event with its way to a cosigned root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inclusion {
    /// The event.
    pub event: SignedHeader,
    /// Its place in the log of its hall, from 0.
    pub place: u64,
    /// The hashes from the leaf to the root, lowest first.
    pub path: Vec<Digest>,
    /// The root, signed by the hall.
    pub checkpoint: Signed<Checkpoint>,
    /// The same root, signed by others.
    pub cosignatures: Vec<Signed<Cosignature>>,
}

/// Why there is no proof. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotProvable {
    /// No such event here.
    #[error("no such event here")]
    UnknownEvent,
    /// Another hall, or another life of this one, has signed the event: its log is there.
    #[error("the event stands in the log of {0}")]
    Elsewhere(HallAt),
    /// No checkpoint covers the event yet: the next neighbour will be shown one.
    #[error("no checkpoint covers the event yet")]
    NotYet,
}

/// Why a proof does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotProven {
    /// The event is none, or another hall's than the checkpoint.
    #[error("the event is not one of the checkpoint's hall")]
    Event,
    /// A signature, or its signer.
    #[error(transparent)]
    Unverified(#[from] Unverified),
    /// The hashes do not lead to the root.
    #[error("the path does not lead from the event to the root")]
    Path,
    /// A cosignature is for another root.
    #[error("a cosignature is for another checkpoint")]
    Cosignature,
}

/// The proof for an event that this life of this hall has signed, under the checkpoint that most witnesses cosigned.
pub fn prove(view: &dyn View, at: HallAt, case: CaseId, sequence: u32) -> Result<Inclusion, NotProvable> {
    let event = stored_event(view, case, sequence).ok_or(NotProvable::UnknownEvent)?;
    let signer = event.header().ok().ok_or(NotProvable::UnknownEvent)?.at;
    if signer != at {
        return Err(NotProvable::Elsewhere(signer));
    }
    let place = log::place(view, at, &event.digest()).ok_or(NotProvable::UnknownEvent)?;
    let (checkpoint, cosignatures) = covering(view, at, place).ok_or(NotProvable::NotYet)?;
    let size = checkpoint.peek().map_or(0, |checkpoint| checkpoint.size);
    let subtrees = |level, index| subtree(view, at, level, index);
    let path = tree::inclusion(&subtrees, place, size).ok_or(NotProvable::NotYet)?;
    Ok(Inclusion { event: SignedHeader::of(&event), place, path, checkpoint, cosignatures })
}

type Covering = (Signed<Checkpoint>, Vec<Signed<Cosignature>>);

/// The checkpoint over a place with the most cosignatures.
fn covering(view: &dyn View, at: HallAt, place: u64) -> Option<Covering> {
    let mut found: Vec<Covering> =
        newest(view, at).map(|last| (last.signed().clone(), Vec::new())).into_iter().collect();
    for cosigned in cosignatures(view, at) {
        match found.iter_mut().find(|(checkpoint, _)| *checkpoint == cosigned.checkpoint) {
            Some((_, cosignatures)) => cosignatures.push(cosigned.cosignature),
            None => found.push((cosigned.checkpoint, vec![cosigned.cosignature])),
        }
    }
    found.retain(|(checkpoint, _)| checkpoint.peek().is_ok_and(|checkpoint| checkpoint.size > place));
    found.into_iter().max_by_key(|(_, cosignatures)| cosignatures.len())
}

impl Inclusion {
    /// Its bytes, for a file.
    pub fn encode(&self) -> Vec<u8> {
        wire::encode(self)
    }

    /// Reads the bytes of a proof. Nothing in it is checked here.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        wire::decode(bytes, PROOF_BYTES_MAX)
    }

    /// Checks every signature and hash, with the keys of a directory. Gives the witnesses whose signature holds; those
    /// that this directory does not know count for nothing.
    pub fn verify(&self, directory: &Directory<'_>) -> Result<Vec<HallAt>, NotProven> {
        let header = self.event.header().ok().ok_or(NotProven::Event)?;
        let card = directory.card(header.at).ok_or(Unverified::UnknownSigner)?;
        let message = self.event.message();
        let bytes = message.strip_prefix(Context::EVENT.as_bytes()).unwrap_or_default();
        let signed = seal::verify(&card.event_key, Context::EVENT, bytes, self.event.signature());
        signed.map_err(Unverified::from)?;
        let checkpoint = *self.checkpoint.verify(&card.event_key)?.value();
        if checkpoint.at != header.at || self.path.len() > PROOF_PATH_MAX {
            return Err(NotProven::Event);
        }
        let leaf = tree::leaf(&seal::digest(Context::EVENT, bytes));
        if !tree::includes(&leaf, self.place, checkpoint.size, &self.path, &checkpoint.root) {
            return Err(NotProven::Path);
        }
        let mut witnesses = Vec::new();
        for signed in &self.cosignatures {
            let said = signed.peek().map_err(Unverified::from)?;
            if (said.at, said.size, said.root) != (checkpoint.at, checkpoint.size, checkpoint.root) {
                return Err(NotProven::Cosignature);
            }
            let Some(card) = directory.card(said.by) else { continue };
            signed.verify(&card.event_key)?;
            witnesses.push(said.by);
        }
        Ok(witnesses)
    }
}
