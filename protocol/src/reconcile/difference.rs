//! From short ids to a difference, and the proof that it was the whole difference.

use std::collections::BTreeSet;

use super::{ElementId, Fingerprint, SYMBOLS_MAX, ShortId, SketchKey};

/// Most short ids in one list, be it peeled, wanted or a page.
pub const SHORT_IDS_MAX: u32 = SYMBOLS_MAX;

/// Why a list of short ids could not be compared with the own set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoDifference {
    /// The list is longer than [`SHORT_IDS_MAX`]: refuse it.
    #[error("{0} short ids in one list, more than {SHORT_IDS_MAX}")]
    List(usize),
    /// Two own elements have the same short id under this key: start again with new nonces.
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
    ///
    /// A responder resolves wanted short ids with it too: `have` are the elements to send.
    pub fn of(
        key: &SketchKey,
        own: impl IntoIterator<Item = ElementId>,
        differing: &[ShortId],
    ) -> Result<Difference, NoDifference> {
        let compared = Comparison::of(key, own, differing)?;
        Ok(Difference { have: compared.listed, want: compared.foreign })
    }

    /// Compares own elements with the other side's whole list of the same interval of ids.
    pub fn of_page(
        key: &SketchKey,
        own: impl IntoIterator<Item = ElementId>,
        theirs: &[ShortId],
    ) -> Result<Difference, NoDifference> {
        let compared = Comparison::of(key, own, theirs)?;
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
        key: &SketchKey,
        own: impl IntoIterator<Item = ElementId>,
        list: &[ShortId],
    ) -> Result<Comparison, NoDifference> {
        if u32::try_from(list.len()).is_ok_and(|length| length <= SHORT_IDS_MAX) {
            Comparison::of_bounded(key, own, list.iter().copied().collect())
        } else {
            Err(NoDifference::List(list.len()))
        }
    }

    fn of_bounded(
        key: &SketchKey,
        own: impl IntoIterator<Item = ElementId>,
        mut foreign: BTreeSet<ShortId>,
    ) -> Result<Comparison, NoDifference> {
        let (mut listed, mut unlisted, mut seen) = (Vec::new(), Vec::new(), Vec::new());
        for id in own {
            let short = key.short(&id);
            seen.push(short);
            if foreign.remove(&short) { listed.push(id) } else { unlisted.push(id) }
        }
        if repeats(seen) {
            return Err(NoDifference::Collision);
        }
        Ok(Comparison { listed, unlisted, foreign: foreign.into_iter().collect() })
    }
}

fn repeats(mut shorts: Vec<ShortId>) -> bool {
    shorts.sort_unstable();
    !shorts.is_sorted_by(|one, next| one < next)
}
