//! Events waiting for the driver.
//!
//! The queue is bounded by what it holds: frames by the receive windows, guests by the seats, `Up` and `Down` by the
//! connections. What an outsider can cause without end, refusals, is counted and not queued.

use std::collections::{BTreeMap, VecDeque};

use libp2p::PeerId;

use super::{NetEvent, Refusal};

/// See the module.
#[derive(Default)]
pub(super) struct Outbox {
    queue: VecDeque<NetEvent>,
    refused: BTreeMap<(Refusal, Option<PeerId>), u64>,
    unsent: BTreeMap<PeerId, u64>,
}

impl Outbox {
    pub(super) fn push(&mut self, event: NetEvent) {
        self.queue.push_back(event);
    }

    /// Counts a refusal; `peer` only for members, or the table would grow with strangers.
    pub(super) fn refused(&mut self, reason: Refusal, peer: Option<PeerId>) {
        let count = self.refused.entry((reason, peer)).or_default();
        *count = count.saturating_add(1);
    }

    /// Counts a frame that did not leave.
    pub(super) fn unsent(&mut self, peer: PeerId) {
        let count = self.unsent.entry(peer).or_default();
        *count = count.saturating_add(1);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.refused.is_empty() && self.unsent.is_empty()
    }

    /// The next event; counts first, or a busy queue would hide them.
    pub(super) fn next(&mut self) -> Option<NetEvent> {
        if let Some(((reason, peer), count)) = self.refused.pop_first() {
            return Some(NetEvent::Refused { reason, peer, count });
        }
        if let Some((peer, count)) = self.unsent.pop_first() {
            return Some(NetEvent::Unsent { peer, count });
        }
        self.queue.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_refusals_is_one_event() {
        let mut outbox = Outbox::default();
        for _ in 0..1000 {
            outbox.refused(Refusal::SeatsFull, None);
        }
        let Some(NetEvent::Refused { reason: Refusal::SeatsFull, peer: None, count: 1000 }) = outbox.next()
        else {
            panic!("not counted");
        };
        assert!(outbox.is_empty());
    }
}
