//! What a run looks like over time: how changes of directory and lists spread, what waits in the outboxes, what people have done,
//! when something went wrong. Collected only when somebody asks for it, seen from outside of the nodes, and never a part
//! of the run: a run that is followed has the same trace as one that is not.
//!
//! Time is counted in milliseconds with the halls open: nights, in which no machine runs, are left out.

mod outboxes;
mod spread;

use std::collections::BTreeMap;

use hallmesh_protocol::ids::Tier;
use hallmesh_protocol::step::{View, Writes};

use crate::people::Work;
use crate::plan::{Fault, MINUTE, Plan, SECOND};
use crate::station::{Seat, Station};

pub use outboxes::Outboxes;
pub use spread::{Spread, Until};

/// Samples of a run at the most, about.
const SAMPLES_MAX: u64 = 400;
/// Milliseconds between two samples at the least.
const SAMPLE_EVERY_MIN: u64 = SECOND;

/// How things stood at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When, in milliseconds with the halls open.
    pub at: u64,
    /// Letters that wait in any outbox.
    pub letters: u64,
    /// Milliseconds for which the oldest of them has waited.
    pub oldest: u64,
    /// What people had done by then.
    pub work: Work,
}

/// A run over time.
#[derive(Debug, Default)]
pub struct Series {
    listens: bool,
    now: u64,
    every: u64,
    next: u64,
    samples: Vec<Sample>,
    spread: Spread,
    outboxes: Outboxes,
    /// How often each kind of fault came about in each stretch of time between two samples.
    faults: BTreeMap<(Fault, u64), u64>,
}

impl Series {
    /// Nobody asks.
    pub fn silent() -> Self {
        Self::default()
    }

    /// A run of this plan is followed; its halls stand as they were founded.
    pub fn of(plan: &Plan, stations: &[Station]) -> Self {
        let running = plan.span.running_minutes().saturating_mul(MINUTE);
        let tiers: Vec<Tier> = stations.iter().map(|station| station.at.hall.tier()).collect();
        let mut spread = Spread::among(tiers);
        if let Some(first) = stations.first() {
            spread.founded(&first.disk);
        }
        let every = running.div_ceil(SAMPLES_MAX).max(SAMPLE_EVERY_MIN);
        Self { listens: true, every, spread, ..Self::default() }
    }

    /// One edit is followed, in a city that holds what one of its halls does.
    pub(crate) fn of_edit(stations: &[Station], seat: Seat) -> Self {
        let mut spread = Spread::among(stations.iter().map(|station| station.at.hall.tier()).collect());
        if let Some(station) = stations.get(seat) {
            spread.founded(&station.disk);
        }
        Self { listens: true, every: MINUTE, spread, ..Self::default() }
    }

    /// Whether anybody asks.
    pub fn listens(&self) -> bool {
        self.listens
    }

    /// It is later now, and people have done this much. Whoever asks is shown how things stand, every now and then.
    pub fn goes_on(&mut self, now: u64, work: &Work) {
        self.now = now;
        if now >= self.next {
            self.look(work);
            let begun = now.checked_div(self.every).unwrap_or(0);
            self.next = begun.saturating_add(1).saturating_mul(self.every);
        }
    }

    /// How things stand now is kept, whenever the last time was.
    pub fn look(&mut self, work: &Work) {
        let (letters, oldest) = (self.outboxes.waiting(), self.outboxes.oldest(self.now));
        self.samples.push(Sample { at: self.now, letters, oldest, work: *work });
    }

    /// A hall commits.
    pub fn commits(&mut self, seat: Seat, writes: &Writes) {
        if !self.listens {
            return;
        }
        for (key, value) in writes {
            self.outboxes.written(self.now, seat, key, value.is_some());
            if let Some(row) = value {
                self.spread.written(self.now, seat, key, row);
            }
        }
    }

    /// A hall has another disk than a moment ago: a new one, or an old one.
    pub fn disk_replaced(&mut self, seat: Seat, disk: &dyn View) {
        if self.listens {
            self.outboxes.replaced(self.now, seat, disk);
            self.spread.replaced(self.now, seat, disk);
        }
    }

    /// A fault really came about.
    pub fn fault(&mut self, fault: Fault) {
        if self.listens {
            let stretch = self.now.checked_div(self.every).unwrap_or(0);
            let times = self.faults.entry((fault, stretch)).or_default();
            *times = times.saturating_add(1);
        }
    }

    /// How things stood, in order.
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// How changes of directory and lists spread.
    pub fn spread(&self) -> &Spread {
        &self.spread
    }

    /// Milliseconds of one stretch of time.
    pub fn every(&self) -> u64 {
        self.every
    }

    /// Faults by kind: from when on, for one stretch of time, how often.
    pub fn faults(&self) -> BTreeMap<Fault, Vec<(u64, u64)>> {
        let mut kinds: BTreeMap<Fault, Vec<(u64, u64)>> = BTreeMap::new();
        for ((fault, stretch), times) in &self.faults {
            kinds.entry(*fault).or_default().push((stretch.saturating_mul(self.every), *times));
        }
        kinds
    }

    /// When the run ended.
    pub fn end(&self) -> u64 {
        self.now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Span;
    use crate::world;

    #[test]
    fn a_run_is_sampled_evenly_and_at_its_end() {
        let mut series = Series { every: 1_000, listens: true, ..Series::default() };
        let work = Work { received: 3, ..Work::default() };
        for now in [0, 400, 999, 1_000, 1_001, 3_700, 4_000, 4_100] {
            series.goes_on(now, &work);
        }
        series.look(&work);
        let times: Vec<_> = series.samples().iter().map(|sample| sample.at).collect();
        assert_eq!(times, [0, 1_000, 3_700, 4_000, 4_100]);
        assert_eq!(series.samples()[0].work.received, 3);
    }

    #[test]
    fn faults_are_counted_by_the_stretch_in_which_they_came() {
        let mut series = Series { every: 1_000, listens: true, ..Series::default() };
        for (now, fault) in [(100, Fault::Crash), (900, Fault::Crash), (2_000, Fault::Crash), (0, Fault::Cut)]
        {
            series.now = now;
            series.fault(fault);
        }
        let faults = series.faults();
        assert_eq!(faults[&Fault::Crash], [(0, 2), (2_000, 1)]);
        assert_eq!(faults[&Fault::Cut], [(0, 1)]);
    }

    #[test]
    fn a_long_run_has_no_more_samples_than_a_short_one() {
        let span = Span { days: 5_000, open_minutes: 10, quiet_minutes: 5 };
        let series = Series::of(&Plan { span, ..Plan::default() }, &[]);
        assert!(series.every() * SAMPLES_MAX >= 5_000 * 10 * MINUTE);
        let short = Series::of(&Plan::default(), &[]);
        assert_eq!(short.every(), 7 * MINUTE / SAMPLES_MAX);
    }

    #[test]
    fn a_run_that_is_followed_is_the_same_run() {
        let span = Span { days: 2, open_minutes: 1, quiet_minutes: 2 };
        let plan = Plan { span, ..Plan::drawn(7) };
        let alone = world::run(&plan).expect("runs");
        let (report, series) = world::followed(&plan, &mut |_| true).expect("runs");
        assert_eq!(report, alone);
        let last = series.samples().last().expect("samples");
        assert_eq!(last.work, report.work);
        assert_eq!(last.at, plan.span.running_minutes() * MINUTE);
        let faults: u64 = series.faults().values().flatten().map(|(_, times)| *times).sum();
        assert_eq!(faults, report.sometimes.faults_in_all());
    }
}
