//! Events waiting for the driver.
//!
//! A driver that does not read must not cost us memory without end, whatever others do meanwhile. So the queue holds,
//! for each peer, at most the line the driver knows of and the line there is now, with what the receive windows let
//! in; a line that came and went unseen leaves nothing. Frames of guests are capped, refusals are counted.

use std::collections::{BTreeMap, VecDeque};

use libp2p::{Multiaddr, PeerId};

use super::{LineId, NetEvent, Refusal, limits::GUESTS_WAITING_MAX};

/// See the module.
#[derive(Default)]
pub(super) struct Outbox {
    queue: VecDeque<NetEvent>,
    guests: usize,
    refused: BTreeMap<(Refusal, Option<PeerId>), u64>,
    unsent: BTreeMap<PeerId, u64>,
}

impl Outbox {
    pub(super) fn push(&mut self, event: NetEvent) {
        match &event {
            NetEvent::Down { line, .. } if self.is_unseen(*line) => {
                let line = *line;
                return self.queue.retain(|queued| !is_of(queued, line));
            }
            NetEvent::Guest { .. } if self.guests >= GUESTS_WAITING_MAX => return,
            NetEvent::Guest { .. } => self.guests = self.guests.saturating_add(1),
            // Only the last word about an address counts: an interface that comes and goes takes one place.
            NetEvent::Listening(address) | NetEvent::NotListening(address) => {
                self.queue.retain(|queued| !is_about(queued, address));
            }
            NetEvent::Down { .. }
            | NetEvent::Up { .. }
            | NetEvent::Frame { .. }
            | NetEvent::Refused { .. }
            | NetEvent::Unsent { .. }
            | NetEvent::Fatal(_) => {}
        }
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
        let next = self.queue.pop_front();
        if matches!(next, Some(NetEvent::Guest { .. })) {
            self.guests = self.guests.saturating_sub(1);
        }
        next
    }

    /// Whether the driver has not even heard that this line is up.
    fn is_unseen(&self, of: LineId) -> bool {
        self.queue.iter().any(|queued| matches!(queued, NetEvent::Up { line, .. } if *line == of))
    }
}

fn is_about(event: &NetEvent, of: &Multiaddr) -> bool {
    matches!(event, NetEvent::Listening(address) | NetEvent::NotListening(address) if address == of)
}

fn is_of(event: &NetEvent, of: LineId) -> bool {
    matches!(event, NetEvent::Up { line, .. } | NetEvent::Frame { line, .. } if *line == of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::GuestId;

    fn up(peer: PeerId, line: u64) -> NetEvent {
        NetEvent::Up { peer, line: LineId(line), outbound: false }
    }

    fn frame(peer: PeerId, line: u64) -> NetEvent {
        NetEvent::Frame { peer, line: LineId(line), number: 1, bytes: vec![1] }
    }

    fn down(peer: PeerId, line: u64) -> NetEvent {
        NetEvent::Down { peer, line: LineId(line) }
    }

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

    #[test]
    fn a_line_that_came_and_went_unseen_leaves_nothing() {
        let (mut outbox, peer, other) = (Outbox::default(), PeerId::random(), PeerId::random());
        outbox.push(up(peer, 1));
        outbox.next();
        let kept = [frame(peer, 1), down(peer, 1), up(other, 2)];
        let expected: Vec<_> = kept.iter().map(|event| format!("{event:?}")).collect();
        for event in kept {
            outbox.push(event);
        }
        for line in 3..1000 {
            for event in [up(peer, line), frame(peer, line), down(peer, line)] {
                outbox.push(event);
            }
        }
        let left: Vec<_> = std::iter::from_fn(|| outbox.next()).map(|event| format!("{event:?}")).collect();
        assert_eq!(left, expected);
    }

    #[test]
    fn guests_of_a_driver_that_does_not_read_are_capped() {
        let mut outbox = Outbox::default();
        let visit = |guest| NetEvent::Guest { guest: GuestId(guest), peer: PeerId::random(), frame: vec![1] };
        for guest in 0..1000 {
            outbox.push(visit(guest));
        }
        assert_eq!(std::iter::from_fn(|| outbox.next()).count(), GUESTS_WAITING_MAX);
        outbox.push(visit(1000));
        assert!(outbox.next().is_some());
    }

    #[test]
    fn an_address_that_comes_and_goes_is_told_once_as_it_is_now() {
        let mut outbox = Outbox::default();
        let address: Multiaddr = "/ip4/10.0.0.1/tcp/1".parse().unwrap();
        for _ in 0..1000 {
            outbox.push(NetEvent::Listening(address.clone()));
            outbox.push(NetEvent::NotListening(address.clone()));
        }
        assert!(matches!(outbox.next(), Some(NetEvent::NotListening(gone)) if gone == address));
        assert!(outbox.is_empty());
    }
}
