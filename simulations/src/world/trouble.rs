//! Crashes, cuts, and the end of both.

use super::{Event, World};
use crate::checkers::Kind;
use crate::faults::{CUTS_MAX, Crash};
use crate::network::Weather;
use crate::station::Seat;

impl World {
    pub(super) fn crash_drawn(&mut self) {
        match self.faults.crash() {
            Crash::Anytime => {
                let victim = self.faults.victim(self.stations.len());
                self.crash(victim);
            }
            // Whoever writes next is hit: there is always work in the batch.
            doom @ (Crash::BeforeCommit | Crash::AfterCommit) => self.doom = Some(doom),
        }
    }

    /// A division is cut off with everything under it.
    pub(super) fn cut(&mut self) {
        let Some(cut) = (0..CUTS_MAX).find(|cut| self.cuts & (1 << cut) == 0) else { return };
        let victim = self.faults.victim(self.stations.len());
        let Some(division) = self.stations.get(victim).map(|station| station.at.hall.division()) else {
            return;
        };
        // Mostly a whole town or county goes, not one village.
        let above = division.parent().filter(|_| self.chance.below(4) > 0);
        let above = above.map(|above| above.parent().filter(|_| self.chance.below(4) == 0).unwrap_or(above));
        let division = above.unwrap_or(division);
        let bit = 1 << cut;
        self.cuts |= bit;
        self.traffic.cuts = self.traffic.cuts.saturating_add(1);
        self.checkers.trace.note(self.now, victim, Kind::Cut, &[1]);
        for station in &mut self.stations {
            if division.covers(station.at.hall.division()) {
                station.inside |= bit;
            }
        }
        self.lines_fall_silent();
        let after = self.faults.cut_for();
        self.later(after, Event::Mend(cut));
    }

    pub(super) fn mend(&mut self, bits: u64) {
        self.cuts &= !bits;
        self.checkers.trace.note(self.now, 0, Kind::Cut, &[0]);
        for station in &mut self.stations {
            station.inside &= !bits;
        }
    }

    /// From now on nothing goes wrong and nobody brings new work.
    pub(super) fn quiet(&mut self) {
        self.quiet = true;
        self.doom = None;
        self.network.weather = Weather::default();
        self.mend(u64::MAX);
    }

    /// Lines across a cut are dead; each end finds out by itself.
    fn lines_fall_silent(&mut self) {
        let mut dead = Vec::new();
        for (seat, station) in self.stations.iter().enumerate() {
            let across = station.lines.iter().filter(|(peer, _)| !self.hear_each_other(seat, **peer));
            dead.extend(across.map(|(peer, line)| (seat, *peer, *line)));
        }
        for (seat, peer, line) in dead {
            self.dies(seat, peer, line);
        }
    }

    fn dies(&mut self, seat: Seat, peer: Seat, line: u64) {
        let after = self.network.notices_after(false);
        self.later(after, Event::LineLost { seat, peer, line });
    }
}
