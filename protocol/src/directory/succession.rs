//! Which lives have ended, and who goes on with what they had in hand.

use super::Directory;
use crate::ids::HallAt;

impl Directory<'_> {
    /// Whether a life is over: revoked, or the hall has a later one. What it signs from then on does nothing. A life
    /// of which nothing is known here is not over.
    pub fn has_ended(&self, at: HallAt) -> bool {
        self.card(at).is_some() && self.present(at.hall) != Some(at)
    }

    /// Who goes on for a life that has ended: whoever was ruled to, else its hall's later life. Nobody yet while there
    /// is neither.
    pub fn successor(&self, of: HallAt) -> Option<HallAt> {
        let present = self.present(of.hall);
        // A life that goes on is the last one: no ruling counts for it. It is what is asked about most.
        if present == Some(of) {
            return None;
        }
        match self.ruling(of) {
            Some((_, ruling)) => self.in_place_of(ruling.to),
            None => present.filter(|next| next.incarnation > of.incarnation),
        }
    }

    /// The present life that answers for a life: itself, or whoever follows it.
    pub(crate) fn answers_for(&self, life: HallAt) -> HallAt {
        self.successor(life).unwrap_or(life)
    }
}
