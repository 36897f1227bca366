//! The next hop: straight when there is a line, else along the tiers.

use std::collections::BTreeSet;

use crate::ids::HallId;

/// The neighbour that brings a letter closer to `to`, never back to where it came from. A letter that ends here waits
/// for a line down, or for a stick.
pub(crate) fn next_hop(
    me: HallId,
    to: HallId,
    up: &BTreeSet<HallId>,
    came_from: Option<HallId>,
) -> Option<HallId> {
    if up.contains(&to) {
        return Some(to);
    }
    let open = || up.iter().copied().filter(|peer| Some(*peer) != came_from);
    let covers = |peer: &HallId| peer.division().covers(to.division());
    // Below me, or in another branch: the lowest hall that has the destination under it.
    let above_both = |peer: &HallId| covers(peer) && peer.division().covers(me.division());
    let down = open().filter(|peer| covers(peer) && !above_both(peer)).max_by_key(|peer| peer.tier());
    if ends_here(me, to, came_from) {
        return down;
    }
    // Else up: the nearest hall that has me under it.
    let my_superior = |peer: &HallId| peer.division().covers(me.division()) && peer.tier() < me.tier();
    let up = || open().filter(my_superior).max_by_key(|peer| peer.tier());
    // My superiors are away: any hall at least as high may know a way.
    let aside = || open().filter(|peer| peer.tier() <= me.tier()).min_by_key(|peer| peer.tier());
    down.or_else(up).or_else(aside)
}

/// Whether a letter stays at this hall, over its destination, until a line or a stick leads down: a way up or aside was
/// tried, or it is an answer to a stick.
pub(crate) fn ends_here(me: HallId, to: HallId, came_from: Option<HallId>) -> bool {
    came_from == Some(me) && me.division().covers(to.division())
}

/// Whether a hall brings a letter down from `me`: to its destination, or to a hall between.
pub(crate) fn leads_down(me: HallId, to: HallId, by: HallId) -> bool {
    by.division().covers(to.division()) && !by.division().covers(me.division())
}

/// Whether no line leads from `me` down to what lies under it: here people fetch letters with a stick.
pub(crate) fn is_lowest(me: HallId, to: HallId, up: &BTreeSet<HallId>) -> bool {
    me.division().covers(to.division()) && !up.iter().any(|peer| leads_down(me, to, *peer))
}
