//! Somebody follows a run over time. They look on: nothing in the run depends on it.

use super::World;
use crate::plan::MINUTE;
use crate::station::Seat;

impl World {
    /// Whoever follows the run is told what time it is, and looks at it now and then.
    pub(super) fn look(&mut self) {
        if self.series.listens() {
            let now = self.running();
            self.series.goes_on(now, &self.people.work);
        }
    }

    /// The end of the run is looked at whenever the last time was.
    pub(super) fn last_look(&mut self, end: u64) {
        if self.series.listens() {
            self.now = end.max(self.now);
            self.look();
            self.series.look(&self.people.work);
        }
    }

    /// A hall has another disk than a moment ago.
    pub(super) fn disk_replaced(&mut self, seat: Seat) {
        if let Some(station) = self.stations.get(seat).filter(|_| self.series.listens()) {
            self.series.disk_replaced(seat, &station.disk);
        }
    }

    /// Milliseconds for which the halls have been open in all, the quiet part included.
    fn running(&self) -> u64 {
        let open_time = self.plan.span.open_minutes.saturating_mul(MINUTE);
        let opened = self.openings.get(self.today).map_or(0, |(at, _)| *at);
        let before = u64::try_from(self.today).unwrap_or(u64::MAX).saturating_mul(open_time);
        let today = self.now.saturating_sub(opened);
        before.saturating_add(if self.quiet { today } else { today.min(open_time) })
    }
}
