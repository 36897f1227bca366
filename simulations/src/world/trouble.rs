//! Machines and lines in trouble, and the end of all trouble.

use hallmesh_protocol::ids::{DivisionCode, Tier};

use super::{Event, World};
use crate::checkers::Kind;
use crate::faults::{CUTS_MAX, Crash, Lasts};
use crate::plan::{Fault, MINUTE, SECOND};
use crate::sometimes::Branch;
use crate::station::Seat;

/// Milliseconds until staff notice that a clock is wrong, at the most.
const CLOCK_NOTICED: u64 = 2 * MINUTE;

impl World {
    /// A fault is drawn. It has its number even if this run leaves it out, so that the others keep theirs.
    pub(super) fn drawn_fault(&mut self, fault: Fault) {
        let number = self.drawn;
        self.drawn = self.drawn.saturating_add(1);
        // What is drawn for one fault does not depend on whether another was left out.
        self.faults.begin(number);
        let victim = self.faults.victim(self.stations.len());
        let many_days = self.plan.span.days > 1;
        let lasts = self.faults.lasts(many_days);
        let wide = self.faults.below(4);
        if self.plan.only_faults.as_ref().is_some_and(|only| !only.contains(&number)) {
            return;
        }
        if let Some(place) = self.place(victim, wide) {
            self.bring_about(fault, victim, place, lasts);
        }
    }

    /// A fault of the plan, at its time.
    pub(super) fn step_of_plan(&mut self, index: usize) {
        if self.quiet {
            return;
        }
        let Some(step) = self.plan.steps.get(index).cloned() else { return };
        let victim = self.city.halls.iter().position(|at| at.hall.division() == step.place);
        let Some(victim) = victim else { return };
        let lasts = if step.days > 0 { Lasts::Days(step.days) } else { self.faults.lasts(false) };
        // A planned wrong time is that of a whole division, as after a power cut.
        let everybody = matches!(step.fault, Fault::ClockYears | Fault::ClockJump);
        let seats = if everybody { self.under(step.place) } else { vec![victim] };
        for seat in seats {
            self.bring_about(step.fault, seat, step.place, lasts);
        }
    }

    fn bring_about(&mut self, fault: Fault, seat: Seat, place: DivisionCode, lasts: Lasts) {
        let until = self.now.saturating_add(match lasts {
            Lasts::Milliseconds(milliseconds) => milliseconds,
            Lasts::Days(days) => self.days_from_now(days),
        });
        match fault {
            Fault::Crash => self.crash(seat, fault),
            // Whoever writes next is hit: there is always work in the batch.
            Fault::CrashBeforeCommit => self.doom = Some(Crash::BeforeCommit),
            Fault::CrashAfterCommit => self.doom = Some(Crash::AfterCommit),
            Fault::PowerCut => self.power_cut(place),
            Fault::Outage => self.outage(seat, until),
            Fault::Cut | Fault::OneWayCut | Fault::TierCut => self.cut(fault, place, until),
            Fault::Clog => self.clog(seat, until),
            Fault::Suspend => self.suspend(seat, until),
            Fault::ClockJump | Fault::ClockYears => self.clock_goes_wrong(seat, fault),
            Fault::DiskFull => self.disk_full(seat, until),
            Fault::BitFlip => self.damage(seat),
            Fault::DiskLoss => self.disk_loss(seat),
            Fault::Restore => self.restore(seat),
            Fault::Theft => self.theft(seat),
            Fault::Garbage => self.garbage(seat),
            Fault::Replay => self.replay_frame(),
            Fault::Overreach => self.overreach(seat),
            Fault::Flood => self.flood(seat),
            Fault::Equivocation => self.equivocate(seat),
        }
    }

    /// A fault really came about.
    pub(super) fn hit(&mut self, fault: Fault) {
        self.sometimes.fault(fault);
        self.series.fault(fault);
    }

    fn power_cut(&mut self, place: DivisionCode) {
        for seat in self.under(place) {
            self.crash(seat, Fault::PowerCut);
            if self.faults.below(8) == 0 {
                self.clock_goes_wrong(seat, Fault::ClockYears);
            }
        }
    }

    fn outage(&mut self, seat: Seat, until: u64) {
        let Some(station) = self.stations.get_mut(seat).filter(|station| station.is_up()) else { return };
        station.off_until = until;
        self.crash(seat, Fault::Outage);
    }

    /// A division is cut off with everything under it; or heard by nobody; or all halls of its tier are.
    fn cut(&mut self, fault: Fault, place: DivisionCode, until: u64) {
        let Some(cut) = (0..CUTS_MAX).find(|cut| self.cuts & (1 << cut) == 0) else { return };
        let seats = if fault == Fault::TierCut { self.of_tier(place.tier()) } else { self.under(place) };
        if seats.len() == self.stations.len() {
            // Nothing lies outside of the whole city: nothing would be cut.
            return;
        }
        let bit = 1 << cut;
        self.cuts |= bit;
        self.hit(fault);
        let first = seats.first().copied().unwrap_or_default();
        self.checkers.trace.note(self.now, first, Kind::Cut, &[1]);
        self.tell(first, || format!("{} of {} halls", fault.word(), seats.len()));
        for seat in seats {
            let Some(station) = self.stations.get_mut(seat) else { continue };
            if fault == Fault::OneWayCut {
                station.unheard |= bit;
            } else {
                station.inside |= bit;
            }
        }
        self.lines_fall_silent();
        self.later(until.saturating_sub(self.now), Event::Mend(cut));
    }

    pub(super) fn mend(&mut self, bits: u64) {
        if self.cuts & bits == 0 {
            return;
        }
        self.cuts &= !bits;
        self.checkers.trace.note(self.now, 0, Kind::Cut, &[0]);
        for station in &mut self.stations {
            station.inside &= !bits;
            station.unheard &= !bits;
        }
    }

    fn clog(&mut self, seat: Seat, until: u64) {
        let Some(station) = self.stations.get_mut(seat) else { return };
        station.uplink.clogged_until = until.min(self.now.saturating_add(MINUTE));
        self.hit(Fault::Clog);
    }

    fn suspend(&mut self, seat: Seat, until: u64) {
        let (now, until) = (self.now, until.min(self.closes(self.today)));
        let Some(station) = self.stations.get_mut(seat).filter(|it| it.answers(now) && until > now) else {
            return;
        };
        station.sleep(now, until);
        self.checkers.slept(seat, until.saturating_sub(now));
        let Some(station) = self.stations.get(seat) else { return };
        let lines: Vec<_> = station.lines.iter().map(|(peer, line)| (*peer, *line)).collect();
        self.hit(Fault::Suspend);
        self.tell(seat, || format!("sleeps for {} s", until.saturating_sub(now) / SECOND));
        for (peer, line) in lines {
            let after = self.network.notices_after(false);
            self.later(after, Event::LineLost { seat: peer, peer: seat, line });
            self.later(after.saturating_add(1), Event::LineLost { seat, peer, line });
        }
    }

    fn clock_goes_wrong(&mut self, seat: Seat, fault: Fault) {
        let Some(station) = self.stations.get_mut(seat) else { return };
        station.spoil_clock(fault == Fault::ClockYears);
        self.people.has_doubtful_clock(seat, true);
        self.hit(fault);
        self.tell(seat, || format!("has a wrong clock ({})", fault.word()));
        let after = self.faults.below(CLOCK_NOTICED);
        self.later(after, Event::Clock(seat));
    }

    pub(super) fn set_clock(&mut self, seat: Seat) {
        let Some(station) = self.stations.get_mut(seat) else { return };
        station.set_clock(self.now);
        self.people.has_doubtful_clock(seat, false);
    }

    fn disk_full(&mut self, seat: Seat, until: u64) {
        let Some(station) = self.stations.get_mut(seat).filter(|station| station.is_up()) else { return };
        station.full_until = until;
        self.tell(seat, || "has no room on its disk".to_owned());
    }

    fn damage(&mut self, seat: Seat) {
        let Some(rows) = self.stations.get(seat).map(|station| station.disk.own_rows()) else { return };
        let nth = self.faults.victim(rows);
        if self.stations.get_mut(seat).is_some_and(|station| station.disk.damage(nth)) {
            self.hit(Fault::BitFlip);
        }
    }

    /// From now on nothing goes wrong and nobody brings new work.
    pub(super) fn quiet(&mut self) {
        self.quiet = true;
        self.doom = None;
        self.network.mend();
        self.mend(u64::MAX);
        self.window(false);
        for seat in 0..self.stations.len() {
            self.set_clock(seat);
            let now = self.now;
            let Some(station) = self.stations.get_mut(seat) else { continue };
            station.absent = false;
            station.uplink.clogged_until = 0;
            station.full_until = now;
            if station.off_until < u64::MAX {
                station.off_until = now;
                self.later(1, Event::Start(seat));
            }
            self.plan_desk(seat);
        }
        self.tell(0, || "from here on nothing goes wrong any more".to_owned());
    }

    /// Lines across a cut are dead; each end finds out by itself.
    pub(super) fn lines_fall_silent(&mut self) {
        let mut dead = Vec::new();
        for (seat, station) in self.stations.iter().enumerate() {
            let across = station.lines.iter().filter(|(peer, _)| {
                let both = self.hears(seat, **peer) && self.hears(**peer, seat);
                !both
            });
            dead.extend(across.map(|(peer, line)| (seat, *peer, *line)));
        }
        for (seat, peer, line) in dead {
            self.sometimes.hit(Branch::LineDied);
            let after = self.network.notices_after(false);
            self.later(after, Event::LineLost { seat, peer, line });
        }
    }

    /// Mostly a whole town or county is hit, not one village.
    fn place(&self, victim: Seat, wide: u64) -> Option<DivisionCode> {
        let division = self.stations.get(victim)?.at.hall.division();
        let above = division.parent().filter(|_| wide > 0);
        let above = above.map(|above| above.parent().filter(|_| wide == 3).unwrap_or(above));
        Some(above.unwrap_or(division))
    }

    fn under(&self, place: DivisionCode) -> Vec<Seat> {
        let covered = self.stations.iter().enumerate().filter(|(_, it)| place.covers(it.at.hall.division()));
        covered.map(|(seat, _)| seat).collect()
    }

    fn of_tier(&self, tier: Tier) -> Vec<Seat> {
        let found = self.stations.iter().enumerate().filter(|(_, it)| it.at.hall.tier() == tier);
        found.map(|(seat, _)| seat).collect()
    }
}
