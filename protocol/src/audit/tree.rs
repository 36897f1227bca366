//! The Merkle tree of RFC 6962 (and 9162), as pure functions over complete subtrees: SHA-256, leaves hashed behind a
//! zero byte, inner nodes behind a one, so that neither is ever taken for the other.
//!
//! A tree that only grows keeps the hash of every complete subtree for ever, under its level and its number from the
//! left. From these the root of any size it ever had, and every proof, follow with a logarithmic number of reads.

use sha2::{Digest as _, Sha256};

use crate::ids::Digest;

/// Reads a complete subtree: its level (a leaf is 0) and its number from the left.
pub type Subtrees<'a> = &'a dyn Fn(u8, u64) -> Option<Digest>;

/// The hash of a leaf.
pub fn leaf(bytes: &[u8]) -> Digest {
    Digest(Sha256::new().chain_update([0]).chain_update(bytes).finalize().into())
}

/// The hash of an inner node.
pub fn node(left: &Digest, right: &Digest) -> Digest {
    Digest(Sha256::new().chain_update([1]).chain_update(left.0).chain_update(right.0).finalize().into())
}

/// The root of a tree of so many leaves; none if a subtree is missing.
pub fn root(subtrees: Subtrees<'_>, size: u64) -> Option<Digest> {
    range(subtrees, 0, size)
}

/// The audit path of a leaf: the hashes that lead from it to the root of a tree of so many leaves.
pub fn inclusion(subtrees: Subtrees<'_>, place: u64, size: u64) -> Option<Vec<Digest>> {
    let (mut from, mut to) = (0_u64, size);
    let mut path = Vec::new();
    if place >= size {
        return None;
    }
    while to.saturating_sub(from) > 1 {
        let middle = from.saturating_add(split(to.saturating_sub(from)));
        if place < middle {
            path.push(range(subtrees, middle, to)?);
            to = middle;
        } else {
            path.push(range(subtrees, from, middle)?);
            from = middle;
        }
    }
    path.reverse();
    Some(path)
}

/// The proof that a tree of `new` leaves begins with the tree of `old` leaves.
pub fn consistency(subtrees: Subtrees<'_>, old: u64, new: u64) -> Option<Vec<Digest>> {
    if old == 0 || old > new {
        return (old == 0).then(Vec::new);
    }
    let (mut from, mut to, mut whole) = (0_u64, new, true);
    let mut path = Vec::new();
    while old < to {
        let middle = from.saturating_add(split(to.saturating_sub(from)));
        if old <= middle {
            path.push(range(subtrees, middle, to)?);
            to = middle;
        } else {
            path.push(range(subtrees, from, middle)?);
            from = middle;
            whole = false;
        }
    }
    if !whole {
        path.push(range(subtrees, from, to)?);
    }
    path.reverse();
    Some(path)
}

/// Whether a leaf stands at a place in the tree with this root.
pub fn includes(hash: &Digest, place: u64, size: u64, path: &[Digest], root: &Digest) -> bool {
    if place >= size {
        return false;
    }
    let (mut place, mut last, mut hash) = (place, size.saturating_sub(1), *hash);
    for step in path {
        if last == 0 {
            return false;
        }
        if is_odd(place) || place == last {
            hash = node(step, &hash);
            (place, last) = up_to_odd(place, last);
        } else {
            hash = node(&hash, step);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    last == 0 && hash == *root
}

/// Whether the tree of `new` leaves begins with the tree of `old` leaves.
pub fn continues(old: (u64, &Digest), new: (u64, &Digest), path: &[Digest]) -> bool {
    let ((old, old_root), (new, new_root)) = (old, new);
    if old == 0 || old >= new {
        return path.is_empty() && (old == 0 || (old == new && old_root == new_root));
    }
    let (mut place, mut last) = (old.saturating_sub(1), new.saturating_sub(1));
    while is_odd(place) {
        (place, last) = (place >> 1, last >> 1);
    }
    // A complete old tree is a node of the new one, and is not sent.
    let (first, path) = match path.split_first() {
        _ if old.is_power_of_two() => (old_root, path),
        Some((first, rest)) => (first, rest),
        None => return false,
    };
    let (mut before, mut after) = (*first, *first);
    for step in path {
        if last == 0 {
            return false;
        }
        if is_odd(place) || place == last {
            (before, after) = (node(step, &before), node(step, &after));
            (place, last) = up_to_odd(place, last);
        } else {
            after = node(&after, step);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    last == 0 && before == *old_root && after == *new_root
}

/// The hash over the leaves from `from` up to `to`, where `from` is a place at which a subtree of that many leaves
/// may begin.
fn range(subtrees: Subtrees<'_>, from: u64, to: u64) -> Option<Digest> {
    let (mut parts, mut from) = (Vec::new(), from);
    while from < to {
        let left = to.saturating_sub(from);
        let level = 63_u32.saturating_sub(left.leading_zeros());
        parts.push(subtrees(u8::try_from(level).ok()?, from >> level)?);
        from = from.saturating_add(1 << level);
    }
    let mut parts = parts.into_iter().rev();
    let Some(last) = parts.next() else { return Some(Digest(Sha256::digest([]).into())) };
    Some(parts.fold(last, |right, left| node(&left, &right)))
}

/// The largest power of two below a count of at least two.
fn split(count: u64) -> u64 {
    1 << 63_u32.saturating_sub(count.saturating_sub(1).leading_zeros())
}

const fn is_odd(place: u64) -> bool {
    place & 1 == 1
}

/// The last node of a level may have no neighbour: it is its own parent until it has one on its left.
const fn up_to_odd(place: u64, last: u64) -> (u64, u64) {
    let (mut place, mut last) = (place, last);
    while !is_odd(place) && place != 0 {
        (place, last) = (place >> 1, last >> 1);
    }
    (place, last)
}
