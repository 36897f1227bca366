//! Neighbours and mirrors are computed from the directory, not discovered: rendezvous hashing (Thaler and
//! Ravishankar 1998), so that every hall can check that a choice is lawful.

use std::collections::BTreeSet;

use super::Place;
use crate::ids::{HallAt, HallId, Tier};
use crate::limits::NEIGHBOURS_MAX;

const SIBLINGS: usize = 2;
const LONG_LINKS_DOWN: usize = 3;

/// The halls to which `me` keeps a line: parent, backup parent, two siblings, long links.
pub fn neighbours(me: HallId, halls: &[Place]) -> BTreeSet<HallId> {
    let Some(own) = find(halls, me) else { return BTreeSet::new() };
    let mut chosen: BTreeSet<HallId> = BTreeSet::new();
    let mut pick = |label: &str, count: usize, fits: &dyn Fn(&Place) -> bool| {
        let best = best(label, me, halls, (count, &|card| fits(card) && !chosen.contains(&card.at.hall)));
        chosen.extend(best.into_iter().map(|at| at.hall));
        chosen.len()
    };
    let grandparent = own.parent.and_then(|parent| find(halls, parent)?.parent);
    pick("parent", 1, &|card| Some(card.at.hall) == own.parent);
    pick("backup", 1, &|card| Some(card.at.hall) == grandparent);
    pick("sibling", SIBLINGS, &|card| card.tier == own.tier && card.parent == own.parent);
    pick("far", 1, &|card| card.tier == own.tier && card.parent != own.parent);
    pick("any", 1, &|_| true);
    if matches!(own.tier, Tier::City | Tier::County) {
        pick("down", LONG_LINKS_DOWN, &|card| card.tier == Tier::Village);
    }
    let taken = pick("none", 0, &|_| false);
    if own.tier == Tier::City {
        pick("top", NEIGHBOURS_MAX.saturating_sub(taken), &|card| card.tier == Tier::County);
    }
    chosen
}

/// Whether a hall may be chosen.
type Fits<'a> = &'a dyn Fn(&Place) -> bool;

/// The two halls that mirror what `me` holds: its superior and a sibling on another uplink. A hall that
/// lacks one of these uses halls of the next tier, then any.
pub fn mirrors(me: HallId, halls: &[Place]) -> Vec<HallAt> {
    let Some(own) = find(halls, me) else { return Vec::new() };
    let parent = |card: &Place| Some(card.at.hall) == own.parent;
    let other_uplink = |card: &Place| card.tier == own.tier && card.parent != own.parent;
    let same_tier = |card: &Place| card.tier == own.tier;
    let next_tier = |card: &Place| next_to(card.tier, own.tier);
    let choices: [(&str, usize, Fits<'_>); 5] = [
        ("parent", 1, &parent),
        ("mirror", 1, &other_uplink),
        ("mirror", 1, &same_tier),
        ("mirror", 2, &next_tier),
        ("mirror", 2, &|_| true),
    ];
    let mut chosen: Vec<HallAt> = Vec::new();
    for (label, count, fits) in choices {
        if chosen.len() < 2 {
            let count = count.min(2_usize.saturating_sub(chosen.len()));
            let fresh = best(label, me, halls, (count, &|card| fits(card) && !chosen.contains(&card.at)));
            chosen.extend(fresh);
        }
    }
    chosen
}

fn next_to(one: Tier, other: Tier) -> bool {
    one.depth().abs_diff(other.depth()) == 1
}

fn find(halls: &[Place], hall: HallId) -> Option<&Place> {
    let index = halls.binary_search_by_key(&hall, |card| card.at.hall).ok()?;
    halls.get(index)
}

/// So many fitting halls with the best scores, best first; never `me`.
fn best(label: &str, me: HallId, halls: &[Place], (count, fits): (usize, Fits<'_>)) -> Vec<HallAt> {
    if count == 0 {
        return Vec::new();
    }
    let key = key(label, me);
    let mut best: BTreeSet<(u64, HallAt)> = BTreeSet::new();
    for place in halls.iter().filter(|place| place.at.hall != me && fits(place)) {
        let scored = (score(key, place.at.hall), place.at);
        if best.len() < count || best.last().is_some_and(|last| scored < *last) {
            best.insert(scored);
            if best.len() > count {
                best.pop_last();
            }
        }
    }
    best.into_iter().map(|(_, at)| at).collect()
}

/// What makes each hall's choices its own.
fn key(label: &str, me: HallId) -> u64 {
    let digest = blake3::Hasher::new_derive_key("hallmesh v1 rendezvous")
        .update(label.as_bytes())
        .update(&me.to_u64().to_be_bytes())
        .finalize();
    digest.as_bytes().iter().take(8).fold(0, |key, byte| key << 8 | u64::from(*byte))
}

/// The finalizer of `SplitMix64` (Steele, Lea and Flood 2014). It needs to spread well and no more: nobody chooses
/// the code of its division, and a hall of a province scores tens of thousands at every start.
fn score(key: u64, hall: HallId) -> u64 {
    let mixed = (key ^ hall.to_u64()).wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}
