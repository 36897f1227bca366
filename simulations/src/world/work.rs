//! The people's part of the loop.

use hallmesh_protocol::calendar::CivilDay;
use hallmesh_protocol::step::{Command, Input, Ticket};

use super::{Event, World};
use crate::people::PATIENCE;
use crate::sometimes::Branch;
use crate::station::Seat;

/// Milliseconds until staff look at the desk, at the most.
const DESK_AFTER: u64 = 4_000;

impl World {
    pub(super) fn citizen(&mut self) {
        self.people.now = self.now;
        if let Some((seat, ticket, command)) = self.people.citizen(&self.city, &self.stations) {
            self.command(seat, ticket, command);
        }
    }

    pub(super) fn editor(&mut self) {
        (self.people.now, self.people.today) = (self.now, self.today);
        if let Some((seat, ticket, command)) = self.people.editor(&self.city, &self.stations, &self.plan.load)
        {
            self.command(seat, ticket, command);
        }
    }

    /// The days of the coming year are published.
    pub(super) fn new_year(&mut self) {
        (self.people.now, self.people.today) = (self.now, self.today);
        if let Some((seat, ticket, command)) =
            self.people.new_year(&self.city, &self.stations, &self.plan.load)
        {
            self.command(seat, ticket, command);
        }
    }

    /// An inspector asks a hall about a case; everywhere the answer must be to the point.
    pub(super) fn inspector(&mut self) {
        self.people.now = self.now;
        let Some((seat, case)) = self.people.inspector(&self.stations) else { return };
        let Some(station) = self.stations.get(seat) else { return };
        let today = CivilDay::of_wall(station.clock.at(self.now).wall);
        self.checkers.inspected(self.now, case, &station.disk, today);
        if let Some((ticket, command)) = self.people.reading(&self.city, seat, station, case) {
            self.sometimes.hit(Branch::Inspected);
            self.command(seat, ticket, command);
        }
    }

    /// Somebody tries what is not for them.
    pub(super) fn misuse(&mut self) {
        self.people.now = self.now;
        let Some((seat, commands)) = self.people.misuse(&self.city, &self.stations) else { return };
        self.sometimes.hit(Branch::Misuse);
        for (ticket, command) in commands {
            self.command(seat, ticket, command);
        }
    }

    /// Staff will look at the desk, once, however much comes until then.
    pub(super) fn plan_desk(&mut self, seat: Seat) {
        let Some(station) = self.stations.get_mut(seat) else { return };
        if !std::mem::replace(&mut station.desk_planned, true) {
            let after = self.people.takes(DESK_AFTER);
            self.later(after, Event::Desk(seat));
        }
    }

    pub(super) fn look_at_desk(&mut self, seat: Seat) {
        self.people.now = self.now;
        let Some(station) = self.stations.get_mut(seat) else { return };
        station.desk_planned = false;
        if !station.answers(self.now) {
            return;
        }
        if station.absent {
            self.sometimes.hit(Branch::Absent);
        }
        for (ticket, command) in self.people.desk(&self.city, seat, station) {
            self.command(seat, ticket, command);
        }
        if self.people.is_asked_again(seat) {
            self.later(PATIENCE, Event::Desk(seat));
        }
    }

    fn command(&mut self, seat: Seat, ticket: Ticket, command: Command) {
        if self.stations.get(seat).is_some_and(|station| station.answers(self.now)) {
            self.feed(seat, Input::Command { ticket, command });
        } else {
            self.people.hung_up(seat);
        }
    }
}
