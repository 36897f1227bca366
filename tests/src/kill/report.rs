//! What a run came to, for people and for machines.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use super::blows::Tally;
use super::verdict::Breach;

/// Breaches that are told one by one.
const TOLD_MAX: usize = 20;

/// What the judge found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Receipts in the journal, and acts acknowledged.
    pub receipts: u64,
    /// Cases with a receipt.
    pub cases: u64,
    /// Cases that halls have and nobody holds a receipt for: the answer did not come before the kill.
    pub unacknowledged: u64,
    /// Hand-overs of cases with a receipt.
    pub hand_overs: u64,
    /// Promises broken.
    pub breaches: u64,
    /// The first of them, in words.
    pub told: Vec<String>,
}

impl Found {
    pub(super) fn tell(&mut self, breaches: Vec<Breach>) {
        for breach in breaches {
            self.breaches += 1;
            if self.told.len() < TOLD_MAX {
                self.told.push(breach.to_string());
            }
        }
    }
}

/// A whole run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The seed that the blows follow from.
    pub seed: u64,
    /// The blows.
    pub blows: Tally,
    /// How long each restart took.
    pub restarts: Vec<Duration>,
    /// How long the city was under blows.
    pub under_blows: Duration,
    /// Whether every case was delivered and no letter waited, in the end.
    pub at_rest: bool,
    /// How long the healed city took to come to rest.
    pub until_quiet: Duration,
    /// How long the judge took.
    pub judging: Duration,
    /// Refusals that no kill explains, by code.
    pub refused: BTreeMap<String, u64>,
    /// What the judge found.
    pub found: Found,
}

impl Report {
    /// Whether every promise held.
    pub fn holds(&self) -> bool {
        self.at_rest && self.found.breaches == 0
    }

    /// Of a thousand restarts, so many took no longer.
    pub fn restart(&self, per_mille: usize) -> Duration {
        let mut sorted = self.restarts.clone();
        sorted.sort_unstable();
        let place = (sorted.len().saturating_sub(1) * per_mille).div_ceil(1_000);
        sorted.get(place).copied().unwrap_or_default()
    }

    /// The report as JSON.
    pub fn json(&self) -> Value {
        let (found, blows) = (&self.found, &self.blows);
        json!({
            "seed": self.seed,
            "holds": self.holds(),
            "kills": blows.kills,
            "false_starts": blows.false_starts,
            "stopped": blows.stopped,
            "one_way_cuts": blows.one_way,
            "cuts": blows.cuts,
            "slow_lines": blows.slow,
            "restart_ms": {
                "p50": millis(self.restart(500)),
                "p99": millis(self.restart(990)),
                "max": millis(self.restart(1_000)),
            },
            "receipts": found.receipts,
            "cases": found.cases,
            "unacknowledged_cases": found.unacknowledged,
            "at_rest": self.at_rest,
            "hand_overs": found.hand_overs,
            "refused": self.refused,
            "seconds": {
                "under_blows": self.under_blows.as_secs(),
                "until_quiet": self.until_quiet.as_secs(),
                "judging": self.judging.as_secs(),
            },
            "breaches": found.breaches,
            "told": found.told,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (found, blows) = (&self.found, &self.blows);
        writeln!(f, "seed             {}", self.seed)?;
        writeln!(
            f,
            "blows            {} kills ({} of a starting node), {} stops, {} one-way cuts, {} cuts, {} slow lines",
            blows.kills, blows.false_starts, blows.stopped, blows.one_way, blows.cuts, blows.slow
        )?;
        let (p50, p99, max) = (self.restart(500), self.restart(990), self.restart(1_000));
        writeln!(f, "restart          p50 {p50:.0?}, p99 {p99:.0?}, longest {max:.0?}")?;
        writeln!(
            f,
            "acknowledged     {} receipts and acts of {} cases, {} hand-overs; {} more cases without a receipt",
            found.receipts, found.cases, found.hand_overs, found.unacknowledged
        )?;
        writeln!(
            f,
            "time             {:.0?} under blows, {:.0?} until quiet, {:.0?} judging",
            self.under_blows, self.until_quiet, self.judging
        )?;
        for (code, count) in &self.refused {
            writeln!(f, "refused          {code}: {count}")?;
        }
        if !self.at_rest {
            writeln!(f, "not at rest      cases are open or letters wait, and nothing moves any more")?;
        }
        writeln!(f, "breaches         {}", found.breaches)?;
        found.told.iter().try_for_each(|told| writeln!(f, "  {told}"))
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_sorted_times_and_one_breach_is_enough() {
        let restarts = (1..=100).rev().map(Duration::from_millis).collect();
        let mut report = Report { restarts, at_rest: true, ..Report::default() };
        assert_eq!([500, 990, 1_000].map(|of| millis(report.restart(of))), [51, 100, 100]);
        assert_eq!(Report::default().restart(500), Duration::ZERO);
        assert!(report.holds());
        assert!(!Report { at_rest: false, ..report.clone() }.holds());
        report.found.tell(vec![Breach::Lost("n1".to_owned()); TOLD_MAX + 1]);
        assert!(!report.holds());
        assert_eq!((report.found.breaches, report.found.told.len()), (21, TOLD_MAX));
    }
}
