//! Office days: halls open in the morning and close in the evening; in between come people and trouble.

use hallmesh_protocol::ids::Tier;

use super::restarts::BACKED_UP_EVERY;
use super::{Again, Event, World};
use crate::faults::around;
use crate::plan::{HOUR, MINUTE, SECOND};
use crate::sometimes::Branch;
use crate::station::Make;

/// Milliseconds within which the halls open in the morning.
const OPENING: u64 = 2 * SECOND;
/// Of a day, the parts for which a line with a window is up (the first of so many).
const WINDOW_PARTS: u64 = 4;
/// Working days after which the days of one more year are published.
const YEAR_IS_PUBLISHED: u64 = 200;

impl World {
    /// Everything that is known of the days to come.
    pub(super) fn begin(&mut self) {
        self.draw_machines();
        let openings: Vec<_> = self.openings.iter().map(|(at, _)| *at).collect();
        for (day, at) in openings.into_iter().enumerate() {
            self.later(at, Event::Open(day));
        }
        let (load, trouble) = (self.plan.load.clone(), self.plan.trouble.clone());
        let mut all = vec![Again::Citizen, Again::Editor, Again::Inspector, Again::Misuse];
        all.extend((self.plan.puts_disks_back() && self.plan.span.days == 1).then_some(Again::Backup));
        all.extend(trouble.0.keys().map(|fault| Again::Fault(*fault)));
        if load.citizens == 0 {
            all.retain(|again| *again != Again::Citizen);
        }
        for again in all {
            let first = self.next_of(again);
            self.agenda.extend(first.map(|first| (again, first)));
        }
    }

    /// When the halls close on a day.
    pub(super) fn closes(&self, day: usize) -> u64 {
        let opens = self.openings.get(day).map_or(0, |(at, _)| *at);
        opens.saturating_add(self.open_time())
    }

    /// When the halls open so many working days from now, or the quiet part begins.
    pub(super) fn days_from_now(&self, days: u64) -> u64 {
        let day = self.today.saturating_add(usize::try_from(days).unwrap_or(usize::MAX));
        let last = self.closes(self.openings.len().saturating_sub(1));
        self.openings.get(day).map_or(last, |(at, _)| *at).saturating_sub(self.now)
    }

    pub(super) fn open_halls(&mut self, day: usize) {
        (self.open, self.today) = (true, day);
        self.people.after_break = self.openings.get(day).is_some_and(|(_, after)| *after);
        for seat in 0..self.stations.len() {
            let after = self.chance.below(OPENING);
            self.later(after, Event::Start(seat));
            let absent = self.chance.below(100) < self.plan.load.absent;
            if let Some(station) = self.stations.get_mut(seat) {
                station.absent = absent;
            }
        }
        self.back_up();
        self.later(0, Event::Window(false));
        self.later(self.open_time() / WINDOW_PARTS, Event::Window(true));
        let evening = if self.is_last_day() { Event::Quiet } else { Event::Close };
        self.later(self.open_time(), evening);
        for index in 0..self.plan.steps.len() {
            let step = self.plan.steps.get(index).filter(|it| usize::try_from(it.day) == Ok(day));
            if let Some(after) = step.map(|it| it.minute.saturating_mul(MINUTE)) {
                // Whatever is to happen in the first minute happens to halls that are open.
                self.later(after.saturating_add(OPENING * 2), Event::Step(index));
            }
        }
        let all: Vec<_> = self.agenda.keys().copied().collect();
        for again in all {
            self.plan_again(again);
        }
        let day = u64::try_from(day).unwrap_or(u64::MAX);
        let since = self.plan.load.calendar_day.and_then(|first| day.checked_sub(first));
        if since.is_some_and(|since| since.is_multiple_of(YEAR_IS_PUBLISHED)) {
            self.later(OPENING * 2, Event::NewYear);
        }
    }

    /// Machines are switched off for the night, as they are in halls.
    pub(super) fn close_halls(&mut self) {
        self.open = false;
        for seat in 0..self.stations.len() {
            if self.stations.get(seat).is_some_and(|station| station.is_up()) {
                self.sometimes.hit(Branch::Night);
                self.stop(seat);
            }
        }
    }

    /// Lines with a window come up, or go.
    pub(super) fn window(&mut self, shut: bool) {
        if self.plan.lines.window == 0 || (shut && self.quiet) {
            return;
        }
        for station in self.stations.iter_mut().filter(|station| station.make.windowed) {
            station.window_shut = shut;
            self.sometimes.hit(Branch::Window);
        }
        if shut {
            self.lines_fall_silent();
        }
    }

    pub(super) fn again(&mut self, again: Again) {
        if !self.open || self.quiet {
            return;
        }
        match again {
            Again::Citizen => self.citizen(),
            Again::Editor => self.editor(),
            Again::Inspector => self.inspector(),
            Again::Misuse => self.misuse(),
            Again::Backup => self.back_up_some(),
            Again::Fault(fault) => self.drawn_fault(fault),
        }
        let next = self.next_of(again);
        if let (Some(due), Some(next)) = (self.agenda.get_mut(&again), next) {
            *due = due.saturating_add(next);
        } else {
            self.agenda.remove(&again);
        }
        self.plan_again(again);
    }

    /// Plans what comes again, if it comes today.
    fn plan_again(&mut self, again: Again) {
        let Some(due) = self.agenda.get(&again).copied() else { return };
        let (opened, length) = (self.openings.get(self.today).map_or(0, |(at, _)| *at), self.open_time());
        let before = u64::try_from(self.today).unwrap_or(u64::MAX).saturating_mul(length);
        let into_today = due.saturating_sub(before);
        if into_today < length {
            let at = opened.saturating_add(into_today);
            self.later(at.saturating_sub(self.now), Event::Again(again));
        }
    }

    /// Milliseconds of open halls until it comes again.
    fn next_of(&mut self, again: Again) -> Option<u64> {
        let load = &self.plan.load;
        let mean = match again {
            Again::Citizen => {
                let times = if self.people.after_break { load.backlog.max(1) } else { 1 };
                HOUR.checked_div(load.citizens.saturating_mul(times))
            }
            Again::Editor => HOUR.checked_div(load.edits),
            Again::Inspector => HOUR.checked_div(load.inspections),
            Again::Misuse => HOUR.checked_div(load.misuses),
            Again::Backup => Some(BACKED_UP_EVERY),
            Again::Fault(fault) => self.plan.trouble.0.get(&fault).map(|mean| mean.saturating_mul(SECOND)),
        };
        mean.map(|mean| around(&mut self.chance, mean))
    }

    fn open_time(&self) -> u64 {
        self.plan.span.open_minutes.saturating_mul(MINUTE)
    }

    fn is_last_day(&self) -> bool {
        self.today.saturating_add(1) >= self.openings.len()
    }

    /// Which machines cannot be called, have a window, or run a newer node.
    fn draw_machines(&mut self) {
        let lines = self.plan.lines.clone();
        for station in &mut self.stations {
            let mut falls = |percent: u64| self.chance.below(100) < percent;
            let village = station.at.hall.tier() == Tier::Village;
            station.make = Make {
                no_inbound: falls(lines.no_inbound) && village,
                windowed: falls(lines.window) && village,
                newer: falls(lines.newer),
            };
        }
    }
}
