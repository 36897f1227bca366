//! What a run came to, for people and for machines.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use hallmesh_protocol::ids::Tier;
use serde::Serialize;

use crate::checkers::{Promise, Violation, Waits};
use crate::people::Work;
use crate::sometimes::Sometimes;

/// What went over the lines and what went wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// Inputs that nodes took.
    pub steps: u64,
    /// Commits that wrote something.
    pub commits: u64,
    /// Messages sent.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Messages lost on the way.
    pub lost: u64,
    /// Messages dropped because too many were under way to one hall.
    pub overrun: u64,
    /// Messages that did not hold where they arrived.
    pub refused: u64,
    /// Cases handed over.
    pub hand_overs: u64,
    /// Messages and bytes by kind.
    pub kinds: BTreeMap<&'static str, (u64, u64)>,
    /// Messages and bytes by the lower of both tiers.
    pub tiers: BTreeMap<&'static str, (u64, u64)>,
}

impl Traffic {
    /// A message was sent.
    pub fn sent(&mut self, kind: &'static str, tier: Tier, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.messages = self.messages.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
        for (messages, sum) in
            [self.kinds.entry(kind).or_default(), self.tiers.entry(tier.as_str()).or_default()]
        {
            *messages = messages.saturating_add(1);
            *sum = sum.saturating_add(bytes);
        }
    }
}

/// Machines that came back otherwise than they went, and what became of what they held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Losses {
    /// Machines started again after a process had died.
    pub restarts: u64,
    /// Disks that were lost with everything on them, those of stolen machines included.
    pub disks_lost: u64,
    /// Disks that were lost and whose backup was restored into a new life.
    pub backups_restored: u64,
    /// Halls that came back with an old disk and did not know it.
    pub rolled_back: u64,
    /// Times that a new life went on with a case.
    pub recovered: u64,
    /// Events that halls have kept apart from the log that counts.
    pub orphans: u64,
}

impl Losses {
    /// Takes another run's along.
    pub fn merge(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.restarts, other.restarts),
            (&mut self.disks_lost, other.disks_lost),
            (&mut self.backups_restored, other.backups_restored),
            (&mut self.rolled_back, other.rolled_back),
            (&mut self.recovered, other.recovered),
            (&mut self.orphans, other.orphans),
        ] {
            *sum = sum.saturating_add(more);
        }
    }
}

impl fmt::Display for Losses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { restarts, disks_lost, backups_restored, rolled_back, recovered, orphans } = self;
        write!(
            f,
            "{restarts} restarts, {disks_lost} disks lost, {backups_restored} backups restored, {rolled_back} rolled \
             back without knowing it; {recovered} times a case went on in a new life, {orphans} events kept as orphans"
        )
    }
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Halls in the city.
    pub halls: usize,
    /// Working days.
    pub days: u64,
    /// Simulated minutes, nights and free days included.
    pub minutes: u64,
    /// Simulated minutes in which machines ran.
    pub running_minutes: u64,
    /// The seed.
    pub seed: u64,
    /// Faults drawn by chance, those left out included.
    pub faults_drawn: u64,
    /// Numbers of the restarts after which a disk was lost or an old one, those left out included.
    #[serde(skip)]
    pub bad_restarts: Vec<u64>,
    /// Over the lines.
    pub traffic: Traffic,
    /// Disks and what they held.
    pub losses: Losses,
    /// Printed cases that a second hall could restore at some time.
    pub d2: u64,
    /// What people saw.
    pub work: Work,
    /// What went wrong, and what was met.
    pub sometimes: Sometimes,
    /// Printed cases that nobody asked for in the end, and why: D1 receipts promise less than D2.
    pub waiting: BTreeMap<Waits, u64>,
    /// Promises broken, each time counted.
    pub broken: u64,
    /// The first of them, described.
    pub violations: Vec<Violation>,
    /// The hash of everything that happened.
    pub trace: String,
}

impl Report {
    /// Which promises were broken.
    pub fn promises(&self) -> BTreeSet<Promise> {
        self.violations.iter().map(|violation| violation.promise).collect()
    }
}

/// The cases that nobody asked for, by reason, in one line.
pub fn not_asked(waiting: &BTreeMap<Waits, u64>) -> String {
    let reasons: Vec<_> = waiting.iter().map(|(why, cases)| format!("{cases} {}", why.word())).collect();
    if reasons.is_empty() { "none".to_owned() } else { reasons.join(", ") }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (traffic, work) = (&self.traffic, &self.work);
        let (halls, days, minutes, seed) = (self.halls, self.days, self.minutes, self.seed);
        writeln!(f, "{halls} halls, {days} working days, {minutes} simulated minutes, seed {seed}")?;
        writeln!(
            f,
            "work      {} received, {} examined, {} decided, {} delivered, {} lists published, {} refused, {} unanswered",
            work.received,
            work.examined,
            work.decided,
            work.delivered,
            work.published,
            work.refused,
            work.unanswered
        )?;
        writeln!(
            f,
            "lines     {} messages lost, {} overrun, {} refused on arrival",
            traffic.lost, traffic.overrun, traffic.refused
        )?;
        let faults: Vec<_> =
            self.sometimes.faults.iter().map(|(word, times)| format!("{times} {word}")).collect();
        writeln!(f, "trouble   {}", if faults.is_empty() { "none".to_owned() } else { faults.join(", ") })?;
        writeln!(
            f,
            "machines  {} steps, {} commits, {} hand-overs, {} messages, {} bytes",
            traffic.steps, traffic.commits, traffic.hand_overs, traffic.messages, traffic.bytes
        )?;
        for (kind, (messages, bytes)) in &traffic.kinds {
            writeln!(f, "          {kind:<10} {messages:>10} messages {bytes:>14} bytes")?;
        }
        writeln!(f, "losses    {}", self.losses)?;
        if !self.waiting.is_empty() {
            writeln!(f, "not asked {}", not_asked(&self.waiting))?;
        }
        writeln!(f, "trace     {}", self.trace)?;
        for Violation { promise, at, how } in &self.violations {
            writeln!(f, "BROKEN    {promise:?} at {at} ms: {how}")?;
        }
        match self.broken {
            0 => writeln!(f, "all promises hold"),
            broken => writeln!(f, "{broken} times a promise was broken"),
        }
    }
}
