//! Which lives have ended, and who goes on with what they had in hand.

use super::Directory;
use crate::ids::{Digest, HallAt};

/// Who follows a life that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Successor {
    /// The hall, in its present life.
    pub(crate) at: HallAt,
    /// The ruling that says so; none if it is the next life of the same hall.
    pub(crate) ruling: Option<Digest>,
    /// Lives whose word is not waited for: two people have declared that all they knew is lost.
    pub(crate) destroyed: Vec<HallAt>,
}

impl Directory<'_> {
    /// Whether a life is over: revoked, or the hall has a later one. What it signs from then on does nothing. A life
    /// of which nothing is known here is not over.
    pub fn has_ended(&self, at: HallAt) -> bool {
        self.card(at).is_some() && self.present(at.hall) != Some(at)
    }

    /// Who goes on for a life that has ended; nobody yet while its hall has no later life.
    pub(crate) fn successor(&self, of: HallAt) -> Option<Successor> {
        let next = self.present(of.hall).filter(|next| next.incarnation > of.incarnation)?;
        Some(Successor { at: next, ruling: None, destroyed: Vec::new() })
    }

    /// The present life that answers for a life: itself, or whoever follows it.
    pub(crate) fn answers_for(&self, life: HallAt) -> HallAt {
        self.successor(life).map_or(life, |successor| successor.at)
    }
}
