//! Lines: calling, losing, sending and delivering. Messages are really encoded, decoded and verified, as
//! between real halls.

use std::collections::BTreeSet;

use hallmesh_protocol::directory::Directory;
use hallmesh_protocol::ids::{HallAt, HallId, Tier};
use hallmesh_protocol::message::{Message, PROTOCOL};
use hallmesh_protocol::query;
use hallmesh_protocol::step::{Bytes, Command, Input};
use hallmesh_protocol::verify;

use super::{Event, OLD_FRAMES_MAX, World};
use crate::checkers::{Kind, Remembered};
use crate::network::{INBOUND_MAX, Uplink};
use crate::sometimes::Branch;
use crate::station::{Line, Seat, Station};

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

    /// Who is no longer one of us, as this hall knows it, is shown out.
    pub(super) fn dismiss(&mut self, seat: Seat) {
        let Some(station) = self.stations.get(seat) else { return };
        let stranger = |peer: &Seat| self.stations.get(*peer).is_some_and(|it| !admits(station, it.at));
        let strangers: Vec<_> =
            station.lines.iter().filter(|(peer, _)| stranger(peer)).map(|(a, b)| (*a, *b)).collect();
        for (peer, line) in strangers {
            self.sometimes.hit(Branch::ShownOut);
            self.line_lost(seat, peer, line);
            self.line_lost(peer, seat, line);
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
        if !self.is_reached(seat, peer) {
            self.introduce(seat, peer);
            self.plan_call(seat, peer, true);
            return;
        }
        let line = self.network.line();
        for (one, other) in [(seat, peer), (peer, seat)] {
            self.line_up(one, other, line);
        }
    }

    /// Whether a call comes through: both awake, nothing between them, and each knows the other's present life.
    fn is_reached(&self, seat: Seat, peer: Seat) -> bool {
        let (Some(caller), Some(called)) = (self.stations.get(seat), self.stations.get(peer)) else {
            return false;
        };
        self.answers_call(seat, peer) && admits(caller, called.at) && admits(called, caller.at)
    }

    fn answers_call(&self, seat: Seat, peer: Seat) -> bool {
        let (Some(caller), Some(called)) = (self.stations.get(seat), self.stations.get(peer)) else {
            return false;
        };
        let awake = caller.answers(self.now) && called.answers(self.now) && !called.make.no_inbound;
        awake && self.hears(seat, peer) && self.hears(peer, seat)
    }

    /// A hall that does not know the caller's life is shown its chain of charters, as at the door of a real one.
    fn introduce(&mut self, seat: Seat, peer: Seat) {
        let (Some(caller), Some(called)) = (self.stations.get(seat), self.stations.get(peer)) else { return };
        let directory = Directory::new(&called.disk);
        let stranger = directory.card(caller.at).is_none();
        if !stranger || !self.answers_call(seat, peer) {
            return;
        }
        let chain = query::chain(&caller.disk, caller.at);
        let (records, _) = verify::records(&called.disk, chain);
        self.sometimes.hit(Branch::Introduced);
        let ticket = self.people.other(peer);
        self.feed(peer, Input::Command { ticket, command: Command::Admit(records) });
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
        if station.asleep_until > self.now {
            let after = station.asleep_until.saturating_sub(self.now);
            self.later(after, Event::LineLost { seat, peer, line });
            return;
        }
        station.lines.remove(&peer);
        self.feed(seat, Input::PeerDown(hall));
        self.plan_call(seat, peer, true);
    }

    pub(super) fn send(&mut self, seat: Seat, to: HallId, message: Message) {
        let Some(peer) = self.seat(to) else { return };
        let (from_tier, to_tier) = (self.tier(seat), to.tier());
        let Some(station) = self.stations.get_mut(seat) else { return };
        let Some(line) = station.lines.get(&peer).copied() else { return };
        let word = message.word();
        let message = if station.make.newer { newer(message) } else { message };
        let frame = encoded(&mut self.sent, message);
        let mut uplink: Uplink = station.uplink;
        let copies = self.network.carry(self.now, (from_tier, to_tier), &mut uplink, frame.len());
        station.uplink = uplink;
        self.checkers.sent(self.now, seat, frame.len());
        self.traffic.sent(word, from_tier.max(to_tier), frame.len());
        self.traffic.lost = self.traffic.lost.saturating_add(u64::from(copies.is_empty()));
        if copies.len() > 1 {
            self.sometimes.hit(Branch::Doubled);
        }
        for at in copies {
            self.under_way(seat, peer, line, at, Bytes::clone(&frame));
        }
    }

    /// A frame is on its way and arrives at this age of the world.
    pub(super) fn under_way(&mut self, from: Seat, to: Seat, line: Line, at: u64, frame: impl Into<Bytes>) {
        let frame = frame.into();
        let Some(receiver) = self.stations.get_mut(to) else { return };
        if receiver.inbound >= INBOUND_MAX {
            self.traffic.overrun = self.traffic.overrun.saturating_add(1);
            return;
        }
        receiver.inbound = receiver.inbound.saturating_add(1);
        self.later(at.saturating_sub(self.now), Event::Deliver { to, from, line, frame });
    }

    pub(super) fn deliver(&mut self, to: Seat, from: Seat, line: Line, frame: Bytes) {
        let Some(receiver) = self.stations.get_mut(to) else { return };
        if receiver.busy_until > self.now && receiver.is_up() {
            let after = receiver.busy_until.saturating_sub(self.now);
            receiver.waiting.push_back((from, line, frame));
            self.sometimes.hit(Branch::Busy);
            if self.stations.get(to).is_some_and(|receiver| receiver.waiting.len() == 1) {
                self.later(after, Event::Free(to));
            }
            return;
        }
        receiver.inbound = receiver.inbound.saturating_sub(1);
        self.take(to, from, line, frame);
    }

    /// The processor of a hall may be free for what waits.
    pub(super) fn free(&mut self, seat: Seat) {
        let Some(station) = self.stations.get_mut(seat) else { return };
        if station.busy_until <= self.now
            && let Some((from, line, frame)) = station.waiting.pop_front()
        {
            station.inbound = station.inbound.saturating_sub(1);
            self.take(seat, from, line, frame);
        }
        let Some(station) = self.stations.get(seat).filter(|station| !station.waiting.is_empty()) else {
            return;
        };
        let after = station.busy_until.saturating_sub(self.now);
        self.later(after, Event::Free(seat));
    }

    fn take(&mut self, to: Seat, from: Seat, line: Line, frame: Bytes) {
        let heard = self.hears(to, from);
        let Some(sender) = self.stations.get(from).map(|station| station.at.hall) else { return };
        let Some(receiver) = self.stations.get_mut(to) else { return };
        if !heard || !receiver.answers(self.now) || receiver.lines.get(&from) != Some(&line) {
            return;
        }
        receiver.disk.has_failed();
        let (shows_more, checked) = match Message::decode(&frame) {
            Ok(message) => (
                Remembered::shows_more(receiver.at, &receiver.disk, &message),
                verify::message(&receiver.disk, receiver.at.hall, message),
            ),
            // Nobody stays on a line on which there is no message: the shell hangs up.
            Err(_malformed) => {
                self.traffic.refused = self.traffic.refused.saturating_add(1);
                self.line_lost(to, from, line);
                self.line_lost(from, to, line);
                return;
            }
        };
        if receiver.disk.has_failed() {
            self.lose_disk(to);
            return;
        }
        match checked {
            Ok(message) => {
                self.checkers.trace.note(self.now, to, Kind::Message, frame.get(..64).unwrap_or(&frame));
                self.feed(to, Input::Received { from: sender, message });
                if shows_more {
                    self.checkers.shown_more(to);
                }
            }
            // It may come before the charter of its signer; it is asked for or sent again.
            Err(_refused) => self.traffic.refused = self.traffic.refused.saturating_add(1),
        }
        self.remember(from, to, frame);
    }

    /// Now and then a frame is kept, for somebody to send it again one day.
    fn remember(&mut self, from: Seat, to: Seat, frame: Bytes) {
        if self.remembers && self.traffic.messages.is_multiple_of(17) {
            self.old_frames.push_back((from, to, frame));
            if self.old_frames.len() > OLD_FRAMES_MAX {
                self.old_frames.pop_front();
            }
        }
    }

    /// Whether what `other` says arrives at `one`: no cut lies between them, and both lines are up.
    pub(super) fn hears(&self, one: Seat, other: Seat) -> bool {
        let (Some(one), Some(other)) = (self.stations.get(one), self.stations.get(other)) else {
            return false;
        };
        let open = !one.window_shut && !other.window_shut;
        open && one.inside == other.inside && other.unheard & !one.unheard == 0
    }

    fn tier(&self, seat: Seat) -> Tier {
        self.stations.get(seat).map_or(Tier::Village, |station| station.at.hall.tier())
    }
}

/// Whether a hall's doorkeeper lets this life in.
fn admits(station: &Station, at: HallAt) -> bool {
    Directory::new(&station.disk).present(at.hall) == Some(at)
}

/// The frame of a message; if the last one was the same, its frame.
fn encoded(last: &mut Option<(Message, Bytes)>, message: Message) -> Bytes {
    if let Some((_, frame)) = last.as_ref().filter(|(last, _)| *last == message) {
        return Bytes::clone(frame);
    }
    let frame = Bytes::from(message.encode());
    *last = Some((message, Bytes::clone(&frame)));
    frame
}

/// What a node says that speaks the next version, too: the greeting tells, all else is as before.
fn newer(message: Message) -> Message {
    match message {
        Message::Hello { protocol_min, at, boot, roots, wall, please, .. } => {
            let protocol = PROTOCOL.saturating_add(1);
            Message::Hello { protocol, protocol_min, at, boot, roots, wall, please }
        }
        same @ (Message::Heartbeat { .. }
        | Message::Ask { .. }
        | Message::Symbols { .. }
        | Message::Want { .. }
        | Message::Page { .. }
        | Message::Records { .. }
        | Message::Letter(_)
        | Message::Taken(_)
        | Message::Far { .. }
        | Message::Standing { .. }
        | Message::Continued { .. }
        | Message::Cosigned(_)
        | Message::Announce { .. }
        | Message::Pull { .. }) => same,
    }
}
