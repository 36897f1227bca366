//! Lines: calling, losing, sending and delivering. Messages are really encoded, decoded and verified, as
//! between real halls.

use std::collections::BTreeSet;

use hallmesh_protocol::ids::{HallId, Tier};
use hallmesh_protocol::message::Message;
use hallmesh_protocol::step::Input;
use hallmesh_protocol::verify;

use super::{Event, World};
use crate::checkers::Kind;
use crate::network::INBOUND_MAX;
use crate::station::{Line, Seat};

impl World {
    /// The node says to which halls it wants lines.
    pub(super) fn keep(&mut self, seat: Seat, halls: &BTreeSet<HallId>) {
        let wanted: BTreeSet<Seat> = halls.iter().filter_map(|hall| self.seat(*hall)).collect();
        if let Some(station) = self.stations.get_mut(seat) {
            station.keep.clone_from(&wanted);
        }
        for peer in wanted {
            self.plan_call(seat, peer, false);
        }
    }

    fn plan_call(&mut self, seat: Seat, peer: Seat, again: bool) {
        let Some(station) = self.stations.get_mut(seat) else { return };
        let wanted = station.keep.contains(&peer) && !station.lines.contains_key(&peer);
        if wanted && station.calling.insert(peer) {
            let after = self.network.calls_after(again);
            self.later(after, Event::Call { seat, peer });
        }
    }

    /// A hall calls another: there is a new line, or it tries again later.
    pub(super) fn call(&mut self, seat: Seat, peer: Seat) {
        let Some(station) = self.stations.get_mut(seat) else { return };
        let called = station.calling.remove(&peer);
        if !called || !station.is_up() || station.lines.contains_key(&peer) {
            return;
        }
        if !self.hear_each_other(seat, peer) || !self.stations.get(peer).is_some_and(|it| it.is_up()) {
            self.plan_call(seat, peer, true);
            return;
        }
        let line = self.network.line();
        for (one, other) in [(seat, peer), (peer, seat)] {
            self.line_up(one, other, line);
        }
    }

    /// A new line takes the place of one that this end still believed in.
    fn line_up(&mut self, seat: Seat, peer: Seat, line: Line) {
        let Some(at) = self.stations.get(peer).map(|station| station.at) else { return };
        let Some(station) = self.stations.get_mut(seat) else { return };
        if station.lines.insert(peer, line).is_some() {
            self.feed(seat, Input::PeerDown(at.hall));
        }
        self.feed(seat, Input::PeerUp(at));
    }

    pub(super) fn line_lost(&mut self, seat: Seat, peer: Seat, line: Line) {
        let Some(hall) = self.stations.get(peer).map(|station| station.at.hall) else { return };
        let Some(station) = self.stations.get_mut(seat) else { return };
        if station.lines.get(&peer) != Some(&line) {
            return;
        }
        station.lines.remove(&peer);
        self.feed(seat, Input::PeerDown(hall));
        self.plan_call(seat, peer, true);
    }

    pub(super) fn send(&mut self, seat: Seat, to: HallId, message: &Message) {
        let Some(peer) = self.seat(to) else { return };
        let Some(line) = self.stations.get(seat).and_then(|station| station.lines.get(&peer)).copied() else {
            return;
        };
        let frame = message.encode();
        self.traffic.sent(message.word(), frame.len());
        let copies = self.network.carry(self.tier(seat), self.tier(peer));
        self.traffic.lost = self.traffic.lost.saturating_add(u64::from(copies.is_empty()));
        for after in copies {
            let Some(receiver) = self.stations.get_mut(peer) else { return };
            if receiver.inbound >= INBOUND_MAX {
                self.traffic.overrun = self.traffic.overrun.saturating_add(1);
                continue;
            }
            receiver.inbound = receiver.inbound.saturating_add(1);
            self.later(after, Event::Deliver { to: peer, from: seat, line, frame: frame.clone() });
        }
    }

    pub(super) fn deliver(&mut self, to: Seat, from: Seat, line: Line, frame: &[u8]) {
        let heard = self.hear_each_other(to, from);
        let Some(sender) = self.stations.get(from).map(|station| station.at.hall) else { return };
        let Some(receiver) = self.stations.get_mut(to) else { return };
        receiver.inbound = receiver.inbound.saturating_sub(1);
        if !heard || !receiver.is_up() || receiver.lines.get(&from) != Some(&line) {
            return;
        }
        let checked = match Message::decode(frame) {
            Ok(message) => verify::message(&receiver.disk, receiver.at.hall, message),
            Err(malformed) => {
                self.checkers.malformed(self.now, sender, malformed);
                return;
            }
        };
        match checked {
            Ok(message) => {
                self.checkers.trace.note(self.now, to, Kind::Message, frame.get(..64).unwrap_or(frame));
                self.feed(to, Input::Received { from: sender, message });
            }
            // It may come before the charter of its signer; it is asked for or sent again.
            Err(_refused) => self.traffic.refused = self.traffic.refused.saturating_add(1),
        }
    }

    /// Whether no cut lies between two halls.
    pub(super) fn hear_each_other(&self, one: Seat, other: Seat) -> bool {
        let inside = |seat: Seat| self.stations.get(seat).map(|station| station.inside);
        inside(one) == inside(other)
    }

    fn tier(&self, seat: Seat) -> Tier {
        self.stations.get(seat).map_or(Tier::Village, |station| station.at.hall.tier())
    }
}
