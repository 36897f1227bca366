//! The hunt for planted bugs: small cities with every kind of trouble, seed after seed, until a checker speaks.

use std::io::{self, Write};
use std::panic;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use hallmesh_protocol::planted::{Bug, plant};
use serde::Serialize;

use crate::checkers::{Promise, Violation};
use crate::model::Verdict;
use crate::model::bugs::{ONLY_EXPLORED, check_wrongly, finds};
use crate::panics::caught;
use crate::plan::{Fault, Known, Lines, Load, Plan, Shape, Span, Trouble};
use crate::world;

/// The exit code when a bug is not found.
pub const NOT_FOUND: u8 = 70;
/// States of one case that are looked at.
const STATES_MAX: usize = 4_000_000;
/// The word for a city without any bug.
const NONE: &str = "none";
/// A bug that gave itself away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Which, by its word.
    pub bug: &'static str,
    /// The city in which it was seen; 0 if one case was explored instead.
    pub seed: u64,
    /// How long the hunt took.
    pub milliseconds: u64,
    /// The promise whose checker saw it first, or `panic`.
    pub checker: String,
    /// What was seen.
    pub how: String,
}

/// Runs small cities with a bug planted, or without one, until a checker speaks or the time is over.
pub fn hunt(bug: Option<Bug>, seconds: u64) -> anyhow::Result<Option<Found>> {
    let began = Instant::now();
    let word = bug.map_or(NONE, Bug::word);
    if let Some(bug) = bug.filter(|bug| ONLY_EXPLORED.contains(bug)) {
        return explored(bug, began);
    }
    for seed in 1.. {
        if began.elapsed() >= Duration::from_secs(seconds) {
            break;
        }
        let plan = plan(seed, bug);
        if let Some((checker, how)) = first_violation(&plan, bug)? {
            // What is broken without the bug as well says nothing of the bug.
            let itself = if bug.is_some() { first_violation(&plan, None)? } else { None };
            ensure!(itself.is_none(), "seed {seed} breaks a promise without any bug: {itself:?}");
            let milliseconds = u64::try_from(began.elapsed().as_millis())?;
            return Ok(Some(Found { bug: word, seed, milliseconds, checker, how }));
        }
    }
    Ok(None)
}

/// Looks for a bug where no small city meets it.
fn explored(bug: Bug, began: Instant) -> anyhow::Result<Option<Found>> {
    let setting = finds(bug).context("a setting that finds the bug")?;
    let outcome = check_wrongly(setting, bug, STATES_MAX)?;
    let Verdict::Broken { promise, how, .. } = outcome.verdict else { return Ok(None) };
    let milliseconds = u64::try_from(began.elapsed().as_millis())?;
    let how = format!("{}: {how}", setting.name);
    Ok(Some(Found { bug: bug.word(), seed: 0, milliseconds, checker: promise.word().to_owned(), how }))
}

/// The promises that a hall with an old disk may break before it knows, and by what it has lost.
const BROKEN_BY_OLD_DISKS: [Promise; 8] = [
    Promise::Kept,
    Promise::OneHand,
    Promise::Provable,
    Promise::Lawful,
    Promise::Explained,
    Promise::Settled,
    Promise::ListsAgree,
    Promise::RowsAgree,
];

/// Two days in which old disks are put back into machines.
fn with_old_disks(seed: u64) -> Plan {
    let why = || "old disks were put back".to_owned();
    let known = BROKEN_BY_OLD_DISKS.map(|promise| Known { promise, why: why(), by_chance: true });
    Plan {
        seed,
        city: Shape::made_up(2, 2, 3),
        span: Span { days: 2, open_minutes: 3, quiet_minutes: 3 },
        load: Load { citizens: 2_400, ..Load::default() },
        trouble: Trouble::of(&[(Fault::Restore, 20)]),
        known: known.to_vec(),
        ..Plan::default()
    }
}

/// Days in which one machine after the other loses the battery of its clock.
fn with_wrong_clocks(seed: u64) -> Plan {
    let trouble = Trouble::of(&[(Fault::ClockYears, 5), (Fault::Crash, 15)]);
    Plan {
        seed,
        city: Shape::made_up(2, 2, 3),
        span: Span { days: 3, open_minutes: 2, quiet_minutes: 2 },
        load: Load { citizens: 2_400, inspections: 600, ..Load::default() },
        trouble,
        ..Plan::default()
    }
}

/// A dense afternoon with every mishap of machines and lines; every other seed a plan of the swarm.
fn plan(seed: u64, hunted: Option<Bug>) -> Plan {
    if hunted == Some(Bug::SignsAfterRollback) {
        return with_old_disks(seed);
    }
    if matches!(hunted, Some(Bug::ClockNeverDoubted | Bug::ClaimedTimeCounts)) {
        return with_wrong_clocks(seed);
    }
    if seed.is_multiple_of(2) {
        return Plan::drawn(seed);
    }
    let trouble = [
        (Fault::Crash, 12),
        (Fault::CrashBeforeCommit, 12),
        (Fault::CrashAfterCommit, 12),
        (Fault::Cut, 15),
        (Fault::Overreach, 30),
        (Fault::Replay, 15),
        (Fault::Theft, 90),
    ];
    Plan {
        seed,
        city: Shape::made_up(2, 2, 3),
        // Half of it quiet: a letter is repeated after a minute at the latest, and needs two or three rounds.
        span: Span { days: 1, open_minutes: 3, quiet_minutes: 3 },
        load: Load { citizens: 2_400, edits: 240, inspections: 240, misuses: 600, ..Load::default() },
        lines: Lines::default().weather(50, 10, 5),
        trouble: Trouble::of(&trouble),
        ..Plan::default()
    }
}

fn first_violation(plan: &Plan, bug: Option<Bug>) -> anyhow::Result<Option<(String, String)>> {
    let run = caught(|| world::run_wrongly(plan, bug));
    plant(None);
    match run {
        Ok(report) => {
            let violations = report?.violations;
            let first = violations.iter().find(|violation| !plan.knows(violation.promise));
            Ok(first.map(described))
        }
        Err(said) => Ok(Some((Promise::NoPanic.word().to_owned(), said))),
    }
}

fn described(violation: &Violation) -> (String, String) {
    (violation.promise.word().to_owned(), violation.how.clone())
}

/// Which bugs are hunted, and for how long.
#[derive(Debug, clap::Args)]
pub struct HuntArgs {
    /// Only this bug, by its word; `none` runs cities without any, which must stay silent.
    #[arg(long, value_name = "WORD", value_parser = chosen)]
    bug: Option<Chosen>,
    /// Seconds for each bug at the most.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Answer in JSON, one line a bug.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug)]
struct Chosen(Option<Bug>);

fn chosen(word: &str) -> Result<Chosen, String> {
    if word == NONE {
        return Ok(Chosen(None));
    }
    let words: Vec<_> = Bug::ALL.iter().map(|bug| bug.word()).collect();
    word.parse().map(|bug| Chosen(Some(bug))).map_err(|why| format!("{why}; there are {}", words.join(" ")))
}

/// Hunts and prints. Gives the exit code.
pub fn command(args: &HuntArgs) -> anyhow::Result<u8> {
    // A panic of a planted bug is a finding, not noise.
    panic::set_hook(Box::new(|_| {}));
    let all = || Bug::ALL.iter().copied().map(Some).collect();
    let bugs: Vec<Option<Bug>> = args.bug.map_or_else(all, |chosen| vec![chosen.0]);
    let (mut code, mut count) = (0, 0_usize);
    for bug in &bugs {
        let found = hunt(*bug, args.seconds)?;
        // Where no bug is planted, nothing may be found.
        if found.is_some() != bug.is_some() {
            code = NOT_FOUND;
        }
        count = count.saturating_add(usize::from(found.is_some()));
        show(bug.map_or(NONE, Bug::word), found.as_ref(), args.json)?;
    }
    if !args.json {
        writeln!(io::stdout(), "{count} of {} found", bugs.len())?;
    }
    Ok(code)
}

fn show(bug: &str, found: Option<&Found>, json: bool) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::json!({ "bug": bug, "found": found }))?;
        return Ok(());
    }
    match found {
        Some(Found { seed, milliseconds, checker, how, .. }) => {
            let (whole, rest) = (milliseconds / 1_000, milliseconds % 1_000);
            writeln!(out, "{bug:<28} found  seed {seed:>4}  {whole:>3}.{rest:03} s  {checker:<13}  {how}")?;
        }
        None => writeln!(out, "{bug:<28} not found")?,
    }
    Ok(())
}
