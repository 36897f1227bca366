//! What this hall hears of the time, and what people hear of its clock.

use super::Node;
use crate::directory::Directory;
use crate::ids::{HallAt, HallId};
use crate::limits::CLOCK_TOLD_MS;
use crate::step::{Cx, Faith, Happening};
use crate::timekeeper::Voice;

/// Whose word a hall's clock is: of the hall above it, in that one's branch.
pub(super) fn voice_of(cx: &Cx<'_>, at: HallAt) -> Voice {
    let directory = Directory::new(cx);
    let above = directory.card(at)?.parent?;
    Some((directory.branch(above), above))
}

impl Node {
    /// A neighbour says what its clock shows.
    pub(super) fn heard_time(&mut self, cx: &Cx<'_>, from: HallId, wall: u64) {
        if let Some(peer) = self.peers.get(&from) {
            self.time.heard(from, peer.voice, wall, cx.now.ticks);
        }
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
