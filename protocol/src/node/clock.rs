//! What this hall hears of the time, and what people hear of its clock.

use super::Node;
use crate::directory::Directory;
use crate::ids::HallId;
use crate::step::{Cx, Happening};

impl Node {
    /// A neighbour says what its clock shows.
    pub(super) fn heard_time(&mut self, cx: &mut Cx<'_>, from: HallId, wall: u64) {
        let under = self.peers.get(&from).and_then(|peer| Directory::new(cx).card(peer.at)?.parent);
        self.time.heard(from, under, wall, cx.now);
        self.look_at_clock(cx);
    }

    /// People hear of it when this hall begins to doubt its clock, and when it no longer does.
    pub(super) fn look_at_clock(&mut self, cx: &mut Cx<'_>) {
        let doubted = self.time.doubts(cx.now);
        if std::mem::replace(&mut self.clock_doubted, doubted) != doubted {
            cx.happened(Happening::Clock { doubted });
        }
    }
}
