//! What this hall hears of the time, and what people hear of its clock.

use super::Node;
use crate::directory::Directory;
use crate::ids::HallId;
use crate::limits::CLOCK_TOLD_MS;
use crate::step::{Cx, Faith, Happening};

impl Node {
    /// A neighbour says what its clock shows.
    pub(super) fn heard_time(&mut self, cx: &Cx<'_>, from: HallId, wall: u64) {
        let under = self.peers.get(&from).and_then(|peer| Directory::new(cx).card(peer.at)?.parent);
        self.time.heard(from, under, wall, cx.now.ticks);
    }

    /// People hear of it when this hall begins to doubt its clock, when it no longer does, and what time it is meanwhile.
    pub(super) fn tell_time(&mut self, cx: &mut Cx<'_>) {
        let doubted = cx.faith != Faith::Believed;
        let known = doubted.then(|| cx.now.wall.saturating_sub(cx.now.ticks));
        let moved = match (self.time_told, known) {
            (Some(before), Some(now)) => before.abs_diff(now) > CLOCK_TOLD_MS,
            (before, now) => before.is_some() != now.is_some(),
        };
        if moved {
            self.time_told = known;
            cx.happened(Happening::Clock { known });
        }
    }
}
