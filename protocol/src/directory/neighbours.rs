//! Neighbours and mirrors are computed from the directory, not discovered: rendezvous hashing (Thaler and
//! Ravishankar 1998), so that every hall can check that a choice is lawful.

use std::collections::BTreeSet;

use super::HallCard;
use crate::ids::{HallAt, HallId, Tier};
use crate::limits::NEIGHBOURS_MAX;

const SIBLINGS: usize = 2;
const LONG_LINKS_DOWN: usize = 3;

/// The halls to which `me` keeps a line: parent, backup parent, two siblings, long links.
pub fn neighbours(me: HallId, halls: &[HallCard]) -> BTreeSet<HallId> {
    let Some(own) = find(halls, me) else { return BTreeSet::new() };
    let mut chosen: BTreeSet<HallId> = BTreeSet::new();
    let mut pick = |label: &str, count: usize, fits: &dyn Fn(&HallCard) -> bool| {
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
type Fits<'a> = &'a dyn Fn(&HallCard) -> bool;

/// The two halls that mirror what `me` holds: its superior and a sibling on another uplink. A hall that
/// lacks one of these uses halls of the next tier, then any.
pub fn mirrors(me: HallId, halls: &[HallCard]) -> Vec<HallAt> {
    let Some(own) = find(halls, me) else { return Vec::new() };
    let parent = |card: &HallCard| Some(card.at.hall) == own.parent;
    let other_uplink = |card: &HallCard| card.tier == own.tier && card.parent != own.parent;
    let same_tier = |card: &HallCard| card.tier == own.tier;
    let next_tier = |card: &HallCard| next_to(card.tier, own.tier);
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

fn find(halls: &[HallCard], hall: HallId) -> Option<&HallCard> {
    let index = halls.binary_search_by_key(&hall, |card| card.at.hall).ok()?;
    halls.get(index)
}

/// So many fitting halls with the best scores, best first; never `me`.
fn best(label: &str, me: HallId, halls: &[HallCard], (count, fits): (usize, Fits<'_>)) -> Vec<HallAt> {
    let key = blake3::Hasher::new_derive_key("hallmesh v1 rendezvous")
        .update(label.as_bytes())
        .update(&me.to_u64().to_be_bytes())
        .finalize();
    let mut best = BTreeSet::new();
    if count == 0 {
        return Vec::new();
    }
    for card in halls.iter().filter(|card| card.at.hall != me && fits(card)) {
        best.insert((score(key.as_bytes(), card.at.hall), card.at));
        if best.len() > count {
            best.pop_last();
        }
    }
    best.into_iter().map(|(_, at)| at).collect()
}

fn score(key: &[u8; 32], hall: HallId) -> [u8; 32] {
    *blake3::keyed_hash(key, &hall.to_u64().to_be_bytes()).as_bytes()
}
