//! The next hop: straight when there is a line, else along the tiers.

use std::collections::BTreeSet;

use crate::ids::HallId;

/// The neighbour that brings a letter closer to `to`, never back to where it came from.
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
    // Else up: the nearest hall that has me under it.
    let my_superior = |peer: &HallId| peer.division().covers(me.division()) && peer.tier() < me.tier();
    let up = || open().filter(my_superior).max_by_key(|peer| peer.tier());
    // My superiors are away: any hall at least as high may know a way.
    let aside = || open().filter(|peer| peer.tier() <= me.tier()).min_by_key(|peer| peer.tier());
    down.or_else(up).or_else(aside)
}
