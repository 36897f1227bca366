//! How long a run goes on. Office days are counted by the working-day calendar; between them all machines may be off,
//! so that years of deadlines pass without years of heartbeats.

use anyhow::ensure;
use serde::{Deserialize, Serialize};

/// Milliseconds.
pub const SECOND: u64 = 1_000;
/// Milliseconds.
pub const MINUTE: u64 = 60 * SECOND;
/// Milliseconds.
pub const HOUR: u64 = 60 * MINUTE;
/// Milliseconds.
pub const DAY: u64 = 24 * HOUR;

/// Minutes an office day has at the most.
const OPEN_MAX: u64 = 14 * 60;
/// Days of a run at the most: forty years of work.
const DAYS_MAX: u64 = 10_000;

/// Office days, how long each is, and the quiet end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Span {
    /// Working days.
    pub days: u64,
    /// Minutes the halls are open on each. A short day stands for a long one: the calendar goes on all the same.
    pub open_minutes: u64,
    /// Minutes at the end in which everything is mended, nobody brings work, and what is under way must settle.
    pub quiet_minutes: u64,
}

impl Default for Span {
    fn default() -> Self {
        Self { days: 1, open_minutes: 3, quiet_minutes: 4 }
    }
}

impl Span {
    /// One day without a night, of so many minutes in all, of which the last three, or the second half of a
    /// shorter run, are quiet.
    pub fn minutes(minutes: u64) -> Self {
        let quiet_minutes = 3.min(minutes / 2).max(1);
        Self { days: 1, open_minutes: minutes.saturating_sub(quiet_minutes).max(1), quiet_minutes }
    }

    /// Simulated minutes in which machines run.
    pub fn running_minutes(&self) -> u64 {
        self.days.saturating_mul(self.open_minutes).saturating_add(self.quiet_minutes)
    }

    pub(super) fn check(&self) -> anyhow::Result<()> {
        ensure!((1..=DAYS_MAX).contains(&self.days), "days: 1 to {DAYS_MAX}");
        ensure!((1..=OPEN_MAX).contains(&self.open_minutes), "open_minutes: 1 to {OPEN_MAX}");
        ensure!((1..=OPEN_MAX).contains(&self.quiet_minutes), "quiet_minutes: 1 to {OPEN_MAX}");
        Ok(())
    }
}
