//! Driving the nodes: start, wake, feed, commit, and carrying out what a commit has released.

use hallmesh_protocol::cases::{Renewal, Wrap};
use hallmesh_protocol::clerks;
use hallmesh_protocol::directory::{Addressee, Directory};
use hallmesh_protocol::ids::{CaseId, Digest, HallAt, HallId};
use hallmesh_protocol::query;
use hallmesh_protocol::seal::{Context, digest};
use hallmesh_protocol::step::{Command, Happening, Input, Output, Released, Reply};

use super::{Event, World};
use crate::checkers::Kind;
use crate::city;
use crate::faults::Crash;
use crate::people::Asked;
use crate::plan::{Fault, SECOND};
use crate::sometimes::Branch;
use crate::station::{Fed, Seat};

/// Milliseconds until staff have read that their hall has forgotten what it signed, and have given it up.
const STAFF_NOTICE: u64 = 30 * SECOND;

impl World {
    pub(super) fn start(&mut self, seat: Seat) {
        let Some(station) = self.stations.get_mut(seat).filter(|station| !station.is_up() && self.open)
        else {
            return;
        };
        if station.off_until > self.now || station.full_until > self.now {
            let after = station.off_until.max(station.full_until).saturating_sub(self.now);
            self.later(after, Event::Start(seat));
            return;
        }
        // A clock without a battery keeps its wrong time until somebody looks.
        let set_clock = !self.people.doubts_clock(seat);
        station.disk.has_failed();
        station.start(self.now, self.city.event_key(station.at), set_clock);
        if station.disk.has_failed() {
            self.sometimes.hit(Branch::DamageNoticed);
            self.lose_disk(seat);
            return;
        }
        // A crash on the first morning may have taken the register with it.
        let registered = !clerks::cards(&station.disk).is_empty();
        let at = station.at;
        let advertised = Directory::new(&station.disk).contact(at.hall).is_some_and(|it| it.at == at);
        // Its process may have died before it could say so; staff see it when they look.
        if query::rolled_back(&station.disk).is_some() {
            self.later(STAFF_NOTICE, Event::Rejoin(seat));
        }
        self.checkers.trace.note(self.now, seat, Kind::Power, &[1]);
        self.tell(seat, || "starts".to_owned());
        self.feed(seat, Input::Wake);
        let mut commands = if registered { Vec::new() } else { self.people.staff(&self.city, seat, at.hall) };
        if !registered || !advertised {
            commands.push((self.people.other(seat), Command::Advertise(vec![city::address(at)])));
        }
        for (ticket, command) in commands {
            self.feed(seat, Input::Command { ticket, command });
        }
        self.plan_desk(seat);
    }

    /// The process dies now, and is started again some time later.
    pub(super) fn crash(&mut self, seat: Seat, fault: Fault) {
        if !self.stations.get(seat).is_some_and(|station| station.is_up()) {
            return;
        }
        self.hit(fault);
        self.tell(seat, || format!("dies ({})", fault.word()));
        self.stop(seat);
        let after = self.faults.down_for();
        self.comes_back(seat, after);
    }

    /// The process ends, and whoever was connected finds out.
    pub(super) fn stop(&mut self, seat: Seat) {
        let Some(station) = self.stations.get_mut(seat).filter(|station| station.is_up()) else { return };
        let lines = std::mem::take(&mut station.lines);
        station.end();
        self.checkers.trace.note(self.now, seat, Kind::Power, &[0]);
        self.people.hung_up(seat);
        self.checkers.hung_up(seat);
        let answers = self.chance.below(2) == 0;
        for (peer, line) in lines {
            let after = self.network.notices_after(answers);
            self.later(after, Event::LineLost { seat: peer, peer: seat, line });
        }
    }

    pub(super) fn wake(&mut self, seat: Seat, start: u32) {
        let Some(station) = self.stations.get_mut(seat) else { return };
        if station.starts != start || station.wake_planned.is_none_or(|planned| planned > self.now) {
            return;
        }
        station.wake_planned = None;
        match station.wants_wake() {
            Some(at) if at > self.now => self.plan_wake(seat),
            Some(_) => {
                self.checkers.woke(self.now, seat);
                self.feed(seat, Input::Wake);
            }
            None => {}
        }
    }

    fn note_act(&mut self, asked: Option<&Asked>, reply: &Reply) {
        if let Some(Asked::Deed(_, deed) | Asked::Together(_, deed)) = asked
            && let Some(branch) = Branch::acted(deed, reply)
        {
            self.sometimes.hit(branch);
        }
    }

    pub(super) fn feed(&mut self, seat: Seat, input: Input) {
        let step_us = self.plan.lines.step_us;
        let Some(station) = self.stations.get_mut(seat) else { return };
        if let (Input::Command { ticket, .. }, true) = (&input, station.is_up()) {
            self.checkers.asked(self.now, seat, *ticket);
        }
        let start = station.starts;
        match station.feed(self.now, input, step_us) {
            Fed::Down => return,
            Fed::Damaged => {
                self.sometimes.hit(Branch::DamageNoticed);
                self.tell(seat, || "reads a damaged row and stops".to_owned());
                self.lose_disk(seat);
                return;
            }
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
        let Some(station) = self.stations.get_mut(seat).filter(|it| it.starts == start && it.is_up()) else {
            return;
        };
        if station.asleep_until > self.now {
            let after = station.asleep_until.saturating_sub(self.now);
            self.later(after, Event::Commit { seat, start });
            return;
        }
        if station.full_until > self.now {
            self.crash(seat, Fault::DiskFull);
            return;
        }
        if self.doom.take_if(|doom| *doom == Crash::BeforeCommit).is_some() {
            #[cfg(feature = "planted-bugs")]
            self.commit_wrongly(seat);
            self.crash(seat, Fault::CrashBeforeCommit);
            return;
        }
        let Some((released, writes)) = station.commit() else { return };
        let changed = self.checkers.commits(self.now, seat, &writes, &station.disk);
        self.series.commits(seat, &writes);
        station.disk.commit(writes);
        self.checkers.committed(self.now, seat, changed, &station.disk);
        self.traffic.commits = self.traffic.commits.saturating_add(1);
        if self.doom.take_if(|doom| *doom == Crash::AfterCommit).is_some() {
            self.crash(seat, Fault::CrashAfterCommit);
            return;
        }
        self.release(seat, released);
    }

    pub(super) fn release(&mut self, seat: Seat, released: Released) {
        for output in released.outputs {
            match output {
                Output::Send { to, message } => self.send(seat, to, message),
                Output::Reply { ticket, reply } => {
                    let asked = self.people.answered(ticket, &reply);
                    self.checkers.replied(self.now, seat, ticket, asked.as_ref(), &reply);
                    self.note_act(asked.as_ref(), &reply);
                    self.tell(seat, || format!("answers {reply:?}"));
                    self.plan_desk(seat);
                }
                Output::Keep(halls) => self.keep(seat, &halls),
                Output::RosterChanged => self.dismiss(seat),
                // Lines are made by who calls whom, not by addresses.
                Output::Reached(_) => {}
                Output::WrapKey { case, to } => self.wrap_key(seat, case, to),
                Output::RenewKey { case, to } => self.renew_key(seat, case, &to),
                Output::Happened(happening) => self.happened(seat, &happening),
            }
        }
        self.plan_wake(seat);
    }

    /// The shell of a hall that can open a case wraps its key to another life.
    fn wrap_key(&mut self, seat: Seat, case: CaseId, to: HallAt) {
        let found = self.stations.get(seat).and_then(|station| query::case(&station.disk, case));
        let wrap = |of| self.wrapped(to, of);
        let wraps = found.iter().flat_map(|view| view.case.all_keys()).map(wrap).collect();
        let ticket = self.people.other(seat);
        self.feed(seat, Input::Command { ticket, command: Command::KeepKeys(case, wraps) });
    }

    /// The shell draws another key for a case, and wraps it.
    fn renew_key(&mut self, seat: Seat, case: CaseId, to: &[Addressee]) {
        let ticket = self.people.other(seat);
        // Nothing here is ever opened: a digest that no other key has will do.
        let key = Digest(digest(Context::CASE_KEY, &ticket.0.to_le_bytes()));
        let wrap = |(at, recovery): &Addressee| Wrap { recovery: *recovery, ..self.wrapped(*at, key) };
        let wraps = to.iter().map(wrap).collect();
        let command = Command::RenewKey(case, Box::new(Renewal { key, wraps }));
        self.feed(seat, Input::Command { ticket, command });
    }

    fn wrapped(&self, to: HallAt, of: Digest) -> Wrap {
        Wrap { to, recovery: false, of, key: self.city.wrapped.clone() }
    }

    fn happened(&mut self, seat: Seat, happening: &Happening) {
        self.tell(seat, || format!("{happening:?}"));
        match happening {
            Happening::Taken(_) => self.plan_desk(seat),
            Happening::Started(_) => {
                self.sometimes.hit(Branch::Started);
                self.plan_desk(seat);
            }
            Happening::RolledBack { .. } => {
                self.later(STAFF_NOTICE, Event::Rejoin(seat));
            }
            Happening::Countersigned(_) => {
                self.sometimes.hit(Branch::Countersigned);
                self.plan_desk(seat);
            }
            Happening::KeyRenewed(_) => {
                self.sometimes.hit(Branch::KeyRenewed);
                self.plan_desk(seat);
            }
            Happening::Returned(_) => {
                self.sometimes.hit(Branch::Returned);
                self.plan_desk(seat);
            }
            Happening::HandedOver { purpose, .. } => {
                self.traffic.hand_overs = self.traffic.hand_overs.saturating_add(1);
                self.sometimes.hit(Branch::handed_over(*purpose));
            }
            Happening::Mirrored(_) => self.sometimes.hit(Branch::GradedD2),
            Happening::Released(_) => self.sometimes.hit(Branch::Released),
            Happening::Recovered(_) => {
                self.sometimes.hit(Branch::Recovered);
                self.losses.recovered = self.losses.recovered.saturating_add(1);
                self.plan_desk(seat);
            }
            Happening::PeerUp(_)
            | Happening::PeerDown(_)
            | Happening::Holding(_)
            | Happening::Blocked(_)
            | Happening::Clock { .. }
            | Happening::Forked(_)
            | Happening::Twins(_)
            | Happening::StatementWaits(_)
            | Happening::StatementAnswered(_)
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
