//! What is run: the city, the time, the work and the trouble. A plan and its seed give one run; it is plain data,
//! written to a file when a run fails, drawn from a seed for a swarm, made smaller for a story.

mod drawn;
mod span;
mod trouble;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context as _;
use hallmesh_protocol::chance::Chance;
use serde::{Deserialize, Serialize};

use crate::checkers::Promise;
use crate::city::{Division, made_up, read_table};

pub use span::{DAY, HOUR, MINUTE, SECOND, Span};
pub use trouble::{Fault, Lines, Quality, Step, Trouble};

/// Everything that decides a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Plan {
    /// All chance follows from it.
    pub seed: u64,
    /// Which halls there are.
    pub city: Shape,
    /// How long it goes on.
    pub span: Span,
    /// What people bring.
    pub load: Load,
    /// How good the lines are.
    pub lines: Lines,
    /// What goes wrong by chance.
    pub trouble: Trouble,
    /// What goes wrong at a set time.
    pub steps: Vec<Step>,
    /// Of a hundred restarts after a process has died, those after which the machine has lost its disk or comes back with
    /// an old one, half and half. Machines that are switched off for the night are not counted.
    #[serde(skip_serializing_if = "is_zero")]
    pub bad_restarts: u64,
    /// If given, only these of the faults drawn by chance happen, by their number: how a failing run is made small.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only_faults: Option<BTreeSet<u64>>,
    /// Promises that this run is known to break with the core as it is, and why.
    pub known: Vec<Known>,
    /// Milliseconds after which the run is broken off, as when somebody pulls the plug of the whole city.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_after: Option<u64>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            seed: 1,
            city: Shape::default(),
            span: Span::default(),
            load: Load::default(),
            lines: Lines::default(),
            trouble: Trouble::default(),
            steps: Vec::new(),
            bad_restarts: 0,
            only_faults: None,
            known: Vec::new(),
            stop_after: None,
        }
    }
}

/// A promise that the core does not keep yet in a run. A run in which it is kept after all fails too: the
/// note is out of date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// Which.
    pub promise: Promise,
    /// What is missing.
    pub why: String,
    /// Chance decides whether it comes to that: then it need not break.
    #[serde(default)]
    pub by_chance: bool,
}

impl Known {
    /// Whether the note is out of date where the promise holds.
    pub fn must_break(&self) -> bool {
        !self.by_chance
    }
}

/// The halls of a city.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// A division table, instead of a made-up city.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// Counties.
    #[serde(default)]
    pub counties: u64,
    /// Towns in each.
    #[serde(default)]
    pub towns: u64,
    /// Villages in each of those.
    #[serde(default)]
    pub villages: u64,
}

impl Default for Shape {
    fn default() -> Self {
        Self::made_up(2, 2, 3)
    }
}

impl Shape {
    /// A made-up city.
    pub fn made_up(counties: u64, towns: u64, villages: u64) -> Self {
        Self { table: None, counties, towns, villages }
    }

    /// The city of a division table.
    pub fn of_table(table: &Path) -> Self {
        Self { table: Some(table.display().to_string()), counties: 0, towns: 0, villages: 0 }
    }

    /// Its divisions.
    pub fn divisions(&self) -> anyhow::Result<Vec<Division>> {
        let Some(table) = &self.table else {
            return Ok(made_up(self.counties, self.towns, self.villages));
        };
        let bytes = std::fs::read(table).with_context(|| table.clone())?;
        read_table(&bytes)
    }
}

/// What people bring to the halls while they are open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Load {
    /// Citizens an hour who walk into a hall, in the whole city.
    pub citizens: u64,
    /// Changes of lists an hour, in the whole city.
    pub edits: u64,
    /// Questions of inspectors an hour, in the whole city.
    pub inspections: u64,
    /// Tries an hour of people to do what is not for them, in the whole city.
    pub misuses: u64,
    /// Of a hundred halls and days, how many are without their deciding clerk.
    pub absent: u64,
    /// Times as many citizens as else on the first day after a break of four days or more.
    pub backlog: u64,
    /// The working day, counted from 0, from which the lists know the holidays of the coming year; none for never.
    pub calendar_day: Option<u64>,
}

impl Default for Load {
    fn default() -> Self {
        Self {
            citizens: 2_400,
            edits: 180,
            inspections: 120,
            misuses: 0,
            absent: 0,
            backlog: 1,
            calendar_day: None,
        }
    }
}

impl Load {
    /// Cases a year of a city as people plan with, and what it is in a stressed one (both for about a thousand halls).
    const CASES_A_YEAR: u64 = 500_000;
    const HALLS: u64 = 985;
    const OPEN_HOURS_A_YEAR: u64 = 250 * 8;

    /// The normal load of a city of so many halls: half a million cases a year where there are 985.
    pub fn normal(halls: u64) -> Self {
        let citizens = halls.saturating_mul(Self::CASES_A_YEAR) / (Self::HALLS * Self::OPEN_HOURS_A_YEAR);
        Self { citizens: citizens.max(1), edits: 6, inspections: 60, misuses: 6, ..Self::default() }
    }
}

impl Plan {
    /// Reads a plan or scenario.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        Self::parse(&text).with_context(|| path.display().to_string())
    }

    /// Reads the text of a plan.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let plan: Self = toml::from_str(text)?;
        plan.check()?;
        Ok(plan)
    }

    /// The text of a plan, from which it can be run again.
    pub fn text(&self) -> anyhow::Result<String> {
        Ok(toml::to_string(self)?)
    }

    /// Whether chance puts old disks back into machines.
    pub fn puts_disks_back(&self) -> bool {
        self.bad_restarts > 0 || self.trouble.0.contains_key(&Fault::Restore)
    }

    /// Whether a promise is known to break in this run.
    pub fn knows(&self, promise: Promise) -> bool {
        self.known.iter().any(|known| known.promise == promise)
    }

    fn check(&self) -> anyhow::Result<()> {
        self.span.check()?;
        self.lines.check()?;
        anyhow::ensure!(self.bad_restarts <= 100, "bad_restarts are percent: at most 100");
        for step in &self.steps {
            let (days, open) = (self.span.days, self.span.open_minutes);
            anyhow::ensure!(step.day < days, "a step is on day {}, the run has {days}", step.day);
            anyhow::ensure!(step.minute < open, "a step is in minute {}, a day has {open}", step.minute);
        }
        Ok(())
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands the field over by reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The stream of chance of a seed.
pub(crate) fn chance_of(seed: u64) -> Chance {
    let mut bytes = [0; 32];
    bytes.iter_mut().zip(seed.to_le_bytes()).for_each(|(to, from)| *to = from);
    Chance::from_seed(bytes)
}
