//! Many seeds side by side, each with its own plan, until the time is over: how far a city can be trusted.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use serde::Serialize;

use crate::checkers::{Promise, Violation, Waits};
use crate::panics::caught;
use crate::plan::{Fault, Plan};
use crate::report::{Losses, Report};
use crate::sometimes::Sometimes;
use crate::world;

/// Failing seeds that are kept with their story; more are only counted.
const FAILURES_MAX: usize = 100;
/// Halls of the sample city: what a city-year is counted in.
const CITY_HALLS: u64 = 985;
/// Working days of a year.
const YEAR_DAYS: u64 = 250;

/// A run that broke a promise.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// Its seed.
    pub seed: u64,
    /// What broke first.
    pub first: Violation,
}

/// What all runs came to.
#[derive(Debug, Default, Serialize)]
pub struct Tally {
    /// Seeds that were run to their end.
    pub seeds: u64,
    /// Working days of halls: one hall, one day.
    pub hall_days: u64,
    /// Inputs that nodes took.
    pub steps: u64,
    /// Cases received.
    pub cases: u64,
    /// Hand-overs.
    pub hand_overs: u64,
    /// Of these, those that a second hall could restore at some time.
    pub d2: u64,
    /// Disks and what they held.
    pub losses: Losses,
    /// Cases that nobody asked for in the end, by reason.
    pub waiting: BTreeMap<Waits, u64>,
    /// Faults and branches that were met.
    pub sometimes: Sometimes,
    /// Promises broken, by word.
    pub broken: BTreeMap<&'static str, u64>,
    /// The first seeds that failed.
    pub failures: Vec<Failure>,
    /// What was never met, though a swarm of this length should meet it.
    pub never: Vec<&'static str>,
}

/// How a swarm goes on.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Seeds so far.
    pub seeds: u64,
    /// Failing seeds so far.
    pub failed: u64,
}

impl Tally {
    /// Working years of a city of 985 halls, in thousandths.
    pub fn city_years_thousandths(&self) -> u64 {
        self.hall_days.saturating_mul(1_000) / (CITY_HALLS * YEAR_DAYS)
    }

    /// Whether every run kept every promise and everything was met.
    pub fn holds(&self) -> bool {
        self.failures.is_empty() && self.never.is_empty()
    }

    /// The worst that happened, as an exit code.
    pub fn exit_code(&self) -> u8 {
        let promises = self.failures.iter().map(|failure| failure.first.promise.exit_code());
        promises.min().unwrap_or(if self.never.is_empty() { 0 } else { NEVER_MET })
    }

    fn add(&mut self, plan: &Plan, run: Result<Report, String>) {
        let seed = plan.seed;
        self.seeds = self.seeds.saturating_add(1);
        let first = match run {
            Ok(report) => {
                self.count(&report);
                report.violations.into_iter().find(|violation| !plan.knows(violation.promise))
            }
            Err(how) => Some(Violation { promise: Promise::NoPanic, at: 0, how }),
        };
        let Some(first) = first else { return };
        let count = self.broken.entry(first.promise.word()).or_default();
        *count = count.saturating_add(1);
        if self.failures.len() < FAILURES_MAX {
            self.failures.push(Failure { seed, first });
        }
    }

    fn count(&mut self, report: &Report) {
        let halls = u64::try_from(report.halls).unwrap_or(u64::MAX);
        self.hall_days = self.hall_days.saturating_add(halls.saturating_mul(report.days));
        self.steps = self.steps.saturating_add(report.traffic.steps);
        self.cases = self.cases.saturating_add(report.work.received);
        self.d2 = self.d2.saturating_add(report.d2);
        self.losses.merge(&report.losses);
        self.hand_overs = self.hand_overs.saturating_add(report.traffic.hand_overs);
        for (why, cases) in &report.waiting {
            let count = self.waiting.entry(*why).or_default();
            *count = count.saturating_add(*cases);
        }
        self.sometimes.merge(&report.sometimes);
    }
}

/// The exit code of a swarm in which every promise held, but something was never met.
pub const NEVER_MET: u8 = 80;
/// Seeds from which on everything must have been met.
const ENOUGH_SEEDS: u64 = 200;

/// Runs the plans that `draw` gives for the seeds from `first` on, on so many threads, until `go_on` says no; it is asked
/// before each.
pub fn run(
    first: u64,
    threads: usize,
    draw: &(dyn Fn(u64) -> Plan + Sync),
    go_on: &(dyn Fn(Seen) -> bool + Sync),
) -> Tally {
    let (next, tally) = (AtomicU64::new(first), Mutex::new(Tally::default()));
    let work = || {
        loop {
            let seen = seen(&tally);
            if !go_on(seen) {
                return;
            }
            let seed = next.fetch_add(1, Ordering::Relaxed);
            let plan = draw(seed);
            let run = one(&plan);
            // A thread that panics does so outside of this lock.
            if let Ok(mut tally) = tally.lock() {
                tally.add(&plan, run);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(work);
        }
    });
    let mut tally = tally.into_inner().unwrap_or_default();
    tally.failures.sort_by_key(|failure| failure.seed);
    if tally.seeds >= ENOUGH_SEEDS {
        tally.never = tally.sometimes.never(&Fault::ALL);
    }
    tally
}

fn one(plan: &Plan) -> Result<Report, String> {
    caught(|| world::run(plan))?.map_err(|error| format!("{error:#}"))
}

fn seen(tally: &Mutex<Tally>) -> Seen {
    let tally = tally.lock();
    tally.map_or(Seen { seeds: 0, failed: 0 }, |tally| Seen {
        seeds: tally.seeds,
        failed: tally.broken.values().sum(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_promise_of_one_seed_is_kept_and_gives_the_code() {
        let mut tally = Tally::default();
        tally.add(&Plan::drawn(7), Err("boom".to_owned()));
        assert_eq!((tally.seeds, tally.exit_code()), (1, Promise::NoPanic.exit_code()));
        assert!(!tally.holds());
        assert_eq!(tally.failures.first().map(|failure| failure.seed), Some(7));
    }

    #[test]
    fn restarts_go_wrong_as_often_as_is_asked_and_one_seed_gives_one_run() {
        let draw = |seed| Plan::drawn(seed).with_bad_restarts(30);
        let tally = run(1, 2, &draw, &|seen| seen.seeds < 12);
        assert!(tally.failures.is_empty(), "{:?}", tally.failures);
        let Losses { restarts, disks_lost, backups_restored, rolled_back, .. } = tally.losses;
        let bad = disks_lost + backups_restored + rolled_back;
        assert!(restarts > 100 && (restarts / 5..restarts / 2).contains(&bad), "{:?}", tally.losses);
        assert!(backups_restored > 0 && rolled_back > 0, "{:?}", tally.losses);
        let once = |seed| world::run(&draw(seed)).expect("a city");
        assert_eq!(once(3), once(3));
        let none = world::run(&draw(3).with_bad_restarts(0)).expect("a city");
        assert_ne!(once(3).trace, none.trace);
    }

    #[test]
    fn a_swarm_runs_each_seed_once() {
        let tally = run(1, 2, &Plan::drawn, &|seen| seen.seeds < 3);
        assert!((3..=4).contains(&tally.seeds));
        assert!(tally.failures.is_empty(), "{:?}", tally.failures);
        assert!(tally.hall_days > 0 && tally.steps > 0);
    }
}
