//! Computing a log anew from the rows, and naming the first place that is not as it was written.

use super::checkpoint::{cosignatures, newest};
use super::log::{self, Leaf, Subject};
use super::{subtree, tree};
use crate::cases::SignedEvent;
use crate::directory::Directory;
use crate::ids::{CaseId, Digest, HallAt};
use crate::limits::PAGE_MAX;
use crate::rows;
use crate::seal::PublicKey;
use crate::step::View;

/// What is wrong at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// The leaf is not there.
    LeafMissing,
    /// The leaf cannot be read.
    LeafChanged,
    /// The event that the leaf is of is not there.
    EventMissing,
    /// The event is not the one that was written, or its signature does not hold.
    EventChanged,
    /// The leaf is not found by the event's digest.
    NotFoundByDigest,
    /// A hash over leaves up to this one is not what follows from them.
    Hash,
    /// The log is shorter than what this hall has signed.
    Shorter,
    /// All hashes follow from each other, and not to the root that this hall has signed over so many leaves: some leaf
    /// before was changed together with all that follows from it.
    Rewritten,
}

impl Wrong {
    /// A stable word, for JSON and catalogues.
    pub const fn word(self) -> &'static str {
        match self {
            Self::LeafMissing => "leaf-missing",
            Self::LeafChanged => "leaf-changed",
            Self::EventMissing => "event-missing",
            Self::EventChanged => "event-changed",
            Self::NotFoundByDigest => "not-found-by-digest",
            Self::Hash => "hash",
            Self::Shorter => "shorter",
            Self::Rewritten => "rewritten",
        }
    }
}

/// How far a check has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rechecked {
    /// Leaves of the log.
    pub size: u64,
    /// Leaves that were checked so far, from the first.
    pub checked: u64,
    /// The first place that is wrong, and the leaf there if it can be read.
    pub wrong: Option<(u64, Wrong, Option<Leaf>)>,
}

/// Checks the leaves of a life's log from one on, at most `count` of them; after the last one also that they lead to
/// every root that was signed. Each place is checked against its neighbours only, so a check of pages is one of all.
pub fn recheck(view: &dyn View, at: HallAt, from: u64, count: usize) -> Rechecked {
    let size = log::size(view, at);
    let key = Directory::new(view).card(at).map(|card| card.event_key);
    let count = u64::try_from(count.clamp(1, PAGE_MAX)).unwrap_or(1);
    let to = from.saturating_add(count).min(size);
    let wrong = (from..to).find_map(|place| {
        let wrong = wrong_at(view, at, place, key.as_ref())?;
        Some((place, wrong, doubted_leaf(view, at, place).ok()))
    });
    let wrong = wrong.or_else(|| wrong_root(view, at, size).filter(|_| to == size));
    Rechecked { size, checked: wrong.map_or(to, |(place, ..)| place.min(to)), wrong }
}

fn wrong_at(view: &dyn View, at: HallAt, place: u64, key: Option<&PublicKey>) -> Option<Wrong> {
    let leaf = match doubted_leaf(view, at, place) {
        Ok(leaf) => leaf,
        Err(wrong) => return Some(wrong),
    };
    if let Subject::Event { case, sequence } = leaf.of {
        let event = match own_event(view, case, sequence, &leaf.digest) {
            Ok(event) => event,
            Err(wrong) => return Some(wrong),
        };
        if Some(event).zip(key).is_none_or(|(event, key)| event.verify(key).is_err()) {
            return Some(Wrong::EventChanged);
        }
        if log::place(view, at, &leaf.digest) != Some(place) {
            return Some(Wrong::NotFoundByDigest);
        }
    }
    let (mut index, mut level) = (place, 0_u8);
    while index & 1 == 1 {
        let left = subtree(view, at, level, index.saturating_sub(1));
        let right = subtree(view, at, level, index);
        (index, level) = (index >> 1, level.saturating_add(1));
        let follows = left.zip(right).map(|(left, right)| tree::node(&left, &right));
        if follows.is_none() || subtree(view, at, level, index) != follows {
            return Some(Wrong::Hash);
        }
    }
    None
}

/// The event that a leaf is of. Where another life has gone on with the case from before it, it is an orphan.
fn own_event(view: &dyn View, case: CaseId, sequence: u32, digest: &Digest) -> Result<SignedEvent, Wrong> {
    let read = |key: Vec<u8>| rows::read_doubted::<SignedEvent>(view, &key);
    let in_log = read(rows::event(case, sequence));
    let missing = matches!(in_log, Ok(None));
    let is_it = |event: &SignedEvent| event.digest() == *digest;
    if let Some(event) = in_log.ok().flatten().filter(is_it) {
        return Ok(event);
    }
    match read(rows::orphan(case, digest)) {
        Ok(None) if missing => Err(Wrong::EventMissing),
        orphan => orphan.ok().flatten().filter(is_it).ok_or(Wrong::EventChanged),
    }
}

/// A leaf that somebody may have changed: it is read without trust.
fn doubted_leaf(view: &dyn View, at: HallAt, place: u64) -> Result<Leaf, Wrong> {
    match rows::read_doubted(view, &rows::leaf(at, place)) {
        Ok(leaf) => leaf.ok_or(Wrong::LeafMissing),
        Err(_) => Err(Wrong::LeafChanged),
    }
}

/// Compares with what this hall has signed, smallest log first.
fn wrong_root(view: &dyn View, at: HallAt, size: u64) -> Option<(u64, Wrong, Option<Leaf>)> {
    let cosigned = cosignatures(view, at).into_iter().filter_map(|it| it.checkpoint.peek().ok());
    let mut signed: Vec<_> = cosigned.chain(newest(view, at).map(|last| *last.value())).collect();
    signed.sort_by_key(|checkpoint| checkpoint.size);
    signed.into_iter().find_map(|checkpoint| {
        if checkpoint.size > size {
            return Some((size, Wrong::Shorter, None));
        }
        let holds = log::root(view, at, checkpoint.size) == Some(checkpoint.root);
        (!holds).then(|| (checkpoint.size.saturating_sub(1), Wrong::Rewritten, None))
    })
}
