//! People who mean harm: noise on the line, old messages again, a hall that states what is not its own.

use hallmesh_protocol::calendar::Calendar;
use hallmesh_protocol::cases::{Header, Position, SignedEvent, Stage};
use hallmesh_protocol::catalogue::{Delegation, Rights};
use hallmesh_protocol::directory::{Contact, Revocation, RevocationReason};
use hallmesh_protocol::ids::{CaseId, Digest, HallAt};
use hallmesh_protocol::message::{Message, Why};
use hallmesh_protocol::post::{Asked, Letter, LetterBody};
use hallmesh_protocol::query;
use hallmesh_protocol::record::{Body, Issuer, Record};
use hallmesh_protocol::signed::Signed;

use super::World;
use crate::plan::Fault;
use crate::station::{Line, Seat};

/// Bytes of noise in one frame at the most.
const NOISE_MAX: u64 = 2_000;
/// Letters of one flood.
const FLOOD: u64 = 300;
/// A version that nobody has reached.
const VERSION: u32 = 1_000;

impl World {
    /// Noise arrives on a line, or a frame of long ago with some bytes changed.
    pub(super) fn garbage(&mut self, seat: Seat) {
        let Some((peer, line)) = self.a_line_of(seat) else { return };
        let old = self.old_frames.front().map(|(_, _, frame)| frame.to_vec());
        let length = usize::try_from(self.faults.below(NOISE_MAX)).unwrap_or(0);
        let mut frame = old.filter(|_| length % 2 == 0).unwrap_or_else(|| vec![0; length]);
        let changed = frame.len().min((length / 8).saturating_add(1));
        let from = self.faults.victim(frame.len().saturating_sub(changed).saturating_add(1));
        if let Some(bytes) = frame.get_mut(from..from.saturating_add(changed)) {
            self.faults.noise(bytes);
        }
        self.hit(Fault::Garbage);
        self.under_way(seat, peer, line, self.now.saturating_add(1), frame);
    }

    /// A message of long ago arrives again.
    pub(super) fn replay_frame(&mut self) {
        self.remembers = true;
        let nth = self.faults.victim(self.old_frames.len());
        let Some((from, to, frame)) = self.old_frames.get(nth).cloned() else { return };
        let line = self.stations.get(to).and_then(|station| station.lines.get(&from)).copied();
        if let Some(line) = line {
            self.hit(Fault::Replay);
            self.under_way(from, to, line, self.now.saturating_add(1), frame);
        }
    }

    /// Whoever has a hall's key signs what is not the hall's to state, and sends it to a neighbour.
    pub(super) fn overreach(&mut self, seat: Seat) {
        let Some((peer, line)) = self.a_line_of(seat) else { return };
        let Some(at) = self.stations.get(seat).map(|station| station.at) else { return };
        let Some(body) = self.not_its_own(at) else { return };
        let two_faced = matches!(body, Body::Contact(_));
        let previous = Digest([7; 32]);
        let issuer = Issuer::Hall(at);
        let record = Record { issuer, version: VERSION, previous, withdrawn: false, effective_from: 0, body };
        let space = record.body.space();
        let signed = Signed::sign(&record, &[(0, &self.city.event_key(at))]);
        if !two_faced {
            self.checkers.forbidden(&signed);
        }
        self.hit(Fault::Overreach);
        self.tell(seat, || format!("states {} behind its node's back", record.body.key()));
        let frame = Message::Records { space, records: vec![signed], why: Why::Push }.encode();
        self.under_way(seat, peer, line, self.now.saturating_add(1), frame);
    }

    /// Something that a hall may not state; or, with the same version to each neighbour, another address of its own.
    fn not_its_own(&mut self, at: HallAt) -> Option<Body> {
        let foreign = self.city.matters.iter().find(|matter| !at.hall.division().covers(matter.area));
        let below = at.hall.tier() > hallmesh_protocol::ids::Tier::City;
        let deciding = Rights { receive: true, accept: true, transfer: true, issue: true };
        let area = at.hall.division();
        let delegation = Delegation {
            matter: self.city.matters.first().map(|matter| matter.code.clone()),
            tier: at.hall.tier(),
            area,
            rights: deciding,
            valid_from: 0,
            valid_to: u64::MAX,
            source: "overreach".to_owned(),
            verified: false,
        };
        let own_superior = self.city.parent(at.hall).and_then(|hall| self.seat(hall));
        let above = own_superior.and_then(|seat| self.stations.get(seat)).map(|station| station.at);
        Some(match self.faults.below(6) {
            0 => Body::Matter(Box::new(foreign?.clone())),
            1 if below => Body::Calendar(Calendar::default()),
            2 => Body::Delegation(delegation),
            3 => {
                let at = above?;
                let transport_key = self.city.transport_key(at);
                Body::Revocation(Revocation { at, transport_key, reason: RevocationReason::Stolen, since: 0 })
            }
            4 => Body::Charter(Box::new(self.city.charter(above?))),
            _more => Body::Contact(Contact {
                at,
                addresses: vec![format!("/ip4/10.9.9.9/tcp/{}", self.faults.below(60_000))],
            }),
        })
    }

    /// A neighbour gets hundreds of letters for others, each with another name.
    pub(super) fn flood(&mut self, seat: Seat) {
        let Some((peer, line)) = self.a_line_of(seat) else { return };
        let Some(at) = self.stations.get(seat).map(|station| station.at) else { return };
        self.hit(Fault::Flood);
        self.tell(seat, || "floods a neighbour with letters".to_owned());
        for _letter in 0..FLOOD {
            let to = self.faults.victim(self.stations.len());
            let Some(to) = self.stations.get(to).map(|station| station.at.hall) else { return };
            let mut case = [0; 16];
            self.faults.noise(&mut case);
            let position = Position::default();
            let asked = Asked { case: CaseId(case), position, sequence: 1, head: Digest([0; 32]) };
            let letter = Letter::write(at, to, LetterBody::Ask(asked));
            self.under_way(seat, peer, line, self.now.saturating_add(1), Message::Letter(letter).encode());
        }
    }

    /// A second log of a case that the hall has in hand, the same but for its last event, goes to another hall.
    pub(super) fn equivocate(&mut self, seat: Seat) {
        let Some((peer, line)) = self.a_line_of(seat) else { return };
        let (Some(station), Some(other)) = (self.stations.get(seat), self.stations.get(peer)) else { return };
        let stages = [Stage::Custodian, Stage::Handing];
        let case =
            stages.into_iter().find_map(|stage| query::desk(&station.disk, stage, None, 1).first().copied());
        let Some(case) = case else { return };
        let (at, to) = (station.at, other.at.hall);
        let mut file = query::file(&station.disk, case);
        let last = file.events.pop();
        let Some(header) = last.as_ref().and_then(|event| event.header().ok()).filter(|it| it.at == at)
        else {
            return;
        };
        let body = last.map(|event| event.body().clone()).unwrap_or_default();
        let wall = header.wall.saturating_add(1);
        file.events.push(SignedEvent::sign(Header { wall, ..header }, body, &self.city.event_key(at)));
        self.hit(Fault::Equivocation);
        self.checkers.two_faced(case);
        self.tell(seat, || format!("writes a second log of {case}"));
        let letter = Letter::write(at, to, LetterBody::Copy(file));
        self.under_way(seat, peer, line, self.now.saturating_add(1), Message::Letter(letter).encode());
    }

    fn a_line_of(&mut self, seat: Seat) -> Option<(Seat, Line)> {
        let lines = &self.stations.get(seat)?.lines;
        let nth = self.faults.victim(lines.len());
        lines.iter().nth(nth).map(|(peer, line)| (*peer, *line))
    }
}
