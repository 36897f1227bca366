//! One run, and its verdict.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::Instant;

use clap::Args;
use hallmesh_simulations::checkers::Promise;
use hallmesh_simulations::panics::caught;
use hallmesh_simulations::plan::{Known, MINUTE, Plan};
use hallmesh_simulations::report::Report;
use hallmesh_simulations::story::Story;
use hallmesh_simulations::world;

use super::progress;
use super::source::Source;

/// The exit code when a promise holds that was known to break: the note in the plan is out of date.
const HOLDS_AFTER_ALL: u8 = 81;

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    source: Source,
    /// Run it twice and compare the traces.
    #[arg(long)]
    twice: bool,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
    /// Print the plan first, as it could be given in a file.
    #[arg(long, conflicts_with = "json")]
    plan: bool,
}

/// Runs a plan and shows what it came to.
pub(crate) fn run(args: &RunArgs) -> anyhow::Result<u8> {
    let plan = args.source.plan()?;
    if args.plan {
        writeln!(io::stdout(), "{}", plan.text()?)?;
    }
    show(&plan, args.twice, args.json)
}

/// Runs a plan, shows its report, and gives the exit code.
pub(crate) fn show(plan: &Plan, twice: bool, json: bool) -> anyhow::Result<u8> {
    let began = Instant::now();
    let report = match watched(plan)? {
        Ok(report) => report,
        Err(said) => {
            writeln!(io::stdout(), "BROKEN    {}: {said}", Promise::NoPanic.word())?;
            return Ok(Promise::NoPanic.exit_code());
        }
    };
    let took = began.elapsed().as_millis();
    let same = !twice || watched(plan)?.is_ok_and(|again| again.trace == report.trace);
    let running = u128::from(plan.span.running_minutes().saturating_mul(MINUTE));
    let ratio = running.checked_div(took).unwrap_or(running);
    let verdict = Verdict::of(plan, &report, same);
    let mut out = io::stdout().lock();
    if json {
        let mut value = serde_json::to_value(&report)?;
        if let Some(fields) = value.as_object_mut() {
            fields.insert("real_ms".to_owned(), u64::try_from(took)?.into());
            fields.insert("times_real_time".to_owned(), u64::try_from(ratio)?.into());
            fields.insert("same_trace".to_owned(), if twice { same.into() } else { ().into() });
            fields.insert("exit_code".to_owned(), verdict.code().into());
        }
        writeln!(out, "{value:#}")?;
        return Ok(verdict.code());
    }
    write!(out, "{report}")?;
    for known in &verdict.known {
        writeln!(out, "known     {} breaks: {}", known.promise.word(), known.why)?;
    }
    for promise in &verdict.after_all {
        writeln!(out, "OUTDATED  {} was known to break and holds", promise.word())?;
    }
    if twice {
        let verdict = if same { "the second run was the same" } else { "BROKEN    the second run differs" };
        writeln!(out, "{verdict}")?;
    }
    writeln!(out, "{}.{:03} real seconds, {ratio} times real time", took / 1_000, took % 1_000)?;
    Ok(verdict.code())
}

/// Runs a plan with a bar; what a core said that stopped itself.
fn watched(plan: &Plan) -> anyhow::Result<Result<Report, String>> {
    let bar = progress::bar(1_000)?;
    let mut watch = |progress| {
        progress::show(&bar, progress);
        true
    };
    let told = caught(|| world::told(plan, Story::silent(), &mut watch));
    bar.finish_and_clear();
    told.map_or_else(|said| Ok(Err(said)), |told| Ok(Ok(told?.0)))
}

/// What is to be said of a run, with what its plan knows to break.
pub(super) struct Verdict {
    broken: BTreeSet<Promise>,
    known: Vec<Known>,
    after_all: Vec<Promise>,
}

impl Verdict {
    pub(super) fn of(plan: &Plan, report: &Report, same: bool) -> Self {
        let mut broken = report.promises();
        let (known, after_all): (Vec<_>, Vec<_>) =
            plan.known.iter().cloned().partition(|known| broken.contains(&known.promise));
        for it in &known {
            broken.remove(&it.promise);
        }
        broken.extend((!same).then_some(Promise::SameTrace));
        Self {
            broken,
            known,
            after_all: after_all.into_iter().filter(Known::must_break).map(|known| known.promise).collect(),
        }
    }

    pub(super) fn code(&self) -> u8 {
        let lowest = self.broken.iter().map(|promise| promise.exit_code()).min();
        lowest.unwrap_or(if self.after_all.is_empty() { 0 } else { HOLDS_AFTER_ALL })
    }
}
