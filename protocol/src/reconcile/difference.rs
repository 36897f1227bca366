//! From short ids to a difference, and the proof that it was the whole difference.

use std::collections::BTreeSet;

use super::{ElementId, Fingerprint, SYMBOLS_MAX, ShortId, SketchKey};

/// Most short ids in one list, be it peeled, wanted or a page.
pub const SHORT_IDS_MAX: u16 = SYMBOLS_MAX;

/// Why a list of short ids could not be compared with the own set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoDifference {
    /// The list is longer than [`SHORT_IDS_MAX`]: refuse it.
    #[error("{0} short ids in one list, more than {SHORT_IDS_MAX}")]
    List(usize),
    /// Two own elements share a listed short id under this key: start again with new nonces.
    #[error("two own elements share a short id under this key")]
    Collision,
}

/// What one side has and the other lacks, both ways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Own elements the other side lacks, in the order they were handed in: push them.
    pub have: Vec<ElementId>,
    /// Elements the own side lacks, ascending: ask for them.
    pub want: Vec<ShortId>,
}

impl Difference {
    /// Sorts the `differing` short ids, which are on one side only, by whether the own set holds them.
    pub(super) fn among(
        own: impl Iterator<Item = (ElementId, ShortId)>,
        differing: &[ShortId],
    ) -> Result<Difference, NoDifference> {
        let compared = Comparison::of(own, differing)?;
        Ok(Difference { have: compared.listed, want: compared.foreign })
    }

    /// Compares own elements with the other side's whole list of the same interval of ids.
    pub fn of_page(
        key: &SketchKey,
        own: impl IntoIterator<Item = ElementId>,
        theirs: &[ShortId],
    ) -> Result<Difference, NoDifference> {
        let compared = Comparison::of(own.into_iter().map(|id| (id, key.short(&id))), theirs)?;
        Ok(Difference { have: compared.unlisted, want: compared.foreign })
    }
}

/// Whether the own set, less what the other side lacks, plus what `arrived` from it, is the set whose root
/// the other side claimed. `own` is the set as it was when the exchange began.
pub fn sealed(own: Fingerprint, have: &[ElementId], arrived: &[ElementId], their_root: &[u8; 32]) -> bool {
    let mut theirs = own;
    for id in have {
        theirs.remove(id);
    }
    for id in arrived {
        theirs.add(id);
    }
    theirs.root() == *their_root
}

/// The own set against a list of short ids.
struct Comparison {
    /// Own elements that are in the list.
    listed: Vec<ElementId>,
    /// Own elements that are not.
    unlisted: Vec<ElementId>,
    /// Short ids of the list that no own element has.
    foreign: Vec<ShortId>,
}

impl Comparison {
    fn of(
        own: impl Iterator<Item = (ElementId, ShortId)>,
        list: &[ShortId],
    ) -> Result<Comparison, NoDifference> {
        if list.len() > usize::from(SHORT_IDS_MAX) {
            return Err(NoDifference::List(list.len()));
        }
        let list: BTreeSet<ShortId> = list.iter().copied().collect();
        let mut foreign = list.clone();
        let (mut listed, mut unlisted) = (Vec::new(), Vec::new());
        for (id, short) in own {
            match (list.contains(&short), foreign.remove(&short)) {
                (true, true) => listed.push(id),
                (true, false) => return Err(NoDifference::Collision),
                (false, _) => unlisted.push(id),
            }
        }
        Ok(Comparison { listed, unlisted, foreign: foreign.into_iter().collect() })
    }
}
