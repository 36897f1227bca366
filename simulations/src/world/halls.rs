//! Driving the nodes: start, wake, feed, commit, and carrying out what a commit has released.

use hallmesh_protocol::clerks;
use hallmesh_protocol::ids::HallId;
use hallmesh_protocol::step::{Happening, Input, Output, Released};

use super::{Event, World};
use crate::checkers::Kind;
use crate::faults::Crash;
use crate::station::{Fed, Seat};

impl World {
    pub(super) fn start(&mut self, seat: Seat) {
        let Some(station) = self.stations.get_mut(seat).filter(|station| !station.is_up()) else { return };
        let key = self.city.event_key(station.at);
        station.start(self.now, key);
        // A crash on the first morning may have taken the register with it.
        let registered = !clerks::cards(&station.disk).is_empty();
        let hall = station.at.hall;
        self.checkers.trace.note(self.now, seat, Kind::Power, &[1]);
        self.feed(seat, Input::Wake);
        if !registered {
            for (ticket, command) in self.people.staff(&self.city, seat, hall) {
                self.feed(seat, Input::Command { ticket, command });
            }
        }
        self.plan_desk(seat);
    }

    /// The process dies now.
    pub(super) fn crash(&mut self, seat: Seat) {
        let Some(station) = self.stations.get_mut(seat).filter(|station| station.is_up()) else { return };
        let lines = std::mem::take(&mut station.lines);
        station.crash();
        self.traffic.crashes = self.traffic.crashes.saturating_add(1);
        self.checkers.trace.note(self.now, seat, Kind::Power, &[0]);
        self.people.hung_up(seat);
        let answers = self.chance.below(2) == 0;
        for (peer, line) in lines {
            let after = self.network.notices_after(answers);
            self.later(after, Event::LineLost { seat: peer, peer: seat, line });
        }
        let after = self.faults.down_for();
        self.later(after, Event::Start(seat));
    }

    pub(super) fn wake(&mut self, seat: Seat, start: u32) {
        let Some(station) = self.stations.get_mut(seat) else { return };
        if station.starts != start || station.wake_planned.is_none_or(|planned| planned > self.now) {
            return;
        }
        station.wake_planned = None;
        match station.wants_wake() {
            Some(at) if at > self.now => self.plan_wake(seat),
            Some(_) => self.feed(seat, Input::Wake),
            None => {}
        }
    }

    pub(super) fn feed(&mut self, seat: Seat, input: Input) {
        let Some(station) = self.stations.get_mut(seat) else { return };
        let start = station.starts;
        match station.feed(self.now, input) {
            Fed::Down => return,
            Fed::Waits(opened) => {
                if opened {
                    let after = self.faults.commit_takes();
                    self.later(after, Event::Commit { seat, start });
                }
            }
            Fed::Free(released) => self.release(seat, released),
        }
        self.traffic.steps = self.traffic.steps.saturating_add(1);
        self.checkers.trace.note(self.now, seat, Kind::Input, &[]);
    }

    pub(super) fn commit(&mut self, seat: Seat, start: u32) {
        let Some(station) = self.stations.get_mut(seat).filter(|station| station.starts == start) else {
            return;
        };
        if self.doom.take_if(|doom| *doom == Crash::BeforeCommit).is_some() {
            #[cfg(feature = "planted-bugs")]
            self.commit_wrongly(seat);
            self.crash(seat);
            return;
        }
        let Some((released, writes)) = station.commit() else { return };
        let changed = self.checkers.commits(self.now, seat, &writes);
        station.disk.commit(writes);
        self.checkers.committed(self.now, seat, changed, &station.disk);
        self.traffic.commits = self.traffic.commits.saturating_add(1);
        if self.doom.take_if(|doom| *doom == Crash::AfterCommit).is_some() {
            self.crash(seat);
            return;
        }
        self.release(seat, released);
    }

    pub(super) fn release(&mut self, seat: Seat, released: Released) {
        for output in released.outputs {
            match output {
                Output::Send { to, message } => self.send(seat, to, &message),
                Output::Reply { ticket, reply } => {
                    self.checkers.replied(self.now, &reply);
                    self.people.answered(ticket, &reply);
                    self.plan_desk(seat);
                }
                Output::Keep(halls) => self.keep(seat, &halls),
                // Doorkeeping belongs to the shell; here every hall of the city is let in.
                Output::RosterChanged => {}
                Output::Happened(happening) => self.happened(seat, &happening),
            }
        }
        self.plan_wake(seat);
    }

    fn happened(&mut self, seat: Seat, happening: &Happening) {
        match happening {
            Happening::Taken(_) | Happening::Returned(_) => self.plan_desk(seat),
            Happening::HandedOver { .. } => {
                self.traffic.hand_overs = self.traffic.hand_overs.saturating_add(1);
            }
            Happening::PeerUp(_)
            | Happening::PeerDown(_)
            | Happening::Holding(_)
            | Happening::Mirrored(_)
            | Happening::Released(_)
            | Happening::Learned { .. } => {}
        }
    }

    /// Plans the next wake, unless an earlier or equal one is planned: a wake that comes too early plans
    /// again.
    fn plan_wake(&mut self, seat: Seat) {
        let Some(station) = self.stations.get_mut(seat) else { return };
        let Some(at) = station.wants_wake() else { return };
        // A node that wants to be woken in the past is woken, but time goes on.
        let at = at.max(self.now.saturating_add(1));
        if station.wake_planned.is_some_and(|planned| planned <= at) {
            return;
        }
        station.wake_planned = Some(at);
        let start = station.starts;
        self.later(at.saturating_sub(self.now), Event::Wake { seat, start });
    }

    pub(super) fn seat(&self, hall: HallId) -> Option<Seat> {
        self.seats.get(&hall).copied()
    }
}
