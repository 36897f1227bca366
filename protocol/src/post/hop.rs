//! The next hop: straight when there is a line, else along the tiers.

use std::collections::BTreeSet;

use crate::ids::HallId;

/// The neighbour that brings a letter closer to `to`, never back to where it came from. A letter that ends here waits
/// for a line to its destination, or for a stick.
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

/// Whether a letter has come as far as lines bring it: down to a hall over its destination, or this hall's own answer
/// that is kept for a hall below. Those above sent it here because they know no better way, and going round would
/// take it from where people fetch it.
pub(crate) fn ends_here(me: HallId, to: HallId, came_from: Option<HallId>) -> bool {
    let over = |above: HallId, below: HallId| above.division().covers(below.division());
    let from_above = |from: HallId| from == me || (over(from, me) && from.tier() < me.tier());
    over(me, to) && came_from.is_some_and(from_above)
}
