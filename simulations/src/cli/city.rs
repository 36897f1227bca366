//! A whole city of a division table.

use std::path::PathBuf;

use clap::Args;
use hallmesh_simulations::plan::{Fault, Lines, Load, Plan, Shape, Span, Trouble};

use super::run;

const TABLE: &str = "deploy/sample-city/zhangye/divisions.csv";
/// Minutes at the end of a run in which nothing goes wrong.
const QUIET: u64 = 3;

#[derive(Debug, Args)]
pub(crate) struct CityArgs {
    /// The division table, with the columns `tier,code12,parent12,name,mca_code12,note`.
    #[arg(long, value_name = "FILE", default_value = TABLE)]
    halls: PathBuf,
    /// Simulated minutes; the last three, or the second half of a shorter run, are quiet.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(2..=100_000))]
    minutes: u64,
    /// Working days of so many minutes each, with nights and free days between them.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    days: u64,
    /// Everything in the run follows from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Messages lost.
    #[arg(long, value_name = "PERCENT", default_value_t = 5, value_parser = clap::value_parser!(u64).range(0..=100))]
    loss: u64,
    /// Seconds between crashes in the whole city, on average; 0 for none.
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    crash_every: u64,
    /// About how many processes crash in the whole run, instead of --crash-every.
    #[arg(long, value_name = "N", conflicts_with = "crash_every")]
    crashes: Option<u64>,
    /// Seconds between cuts of a division from the rest, on average; 0 for none.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    cut_every: u64,
    /// Citizens who walk into a hall each minute in the whole city; the normal load of half a million a year if not
    /// given.
    #[arg(long, value_name = "N")]
    cases_per_minute: Option<u64>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
    /// Run the seed twice and compare the traces.
    #[arg(long)]
    twice: bool,
}

/// Runs a city and shows what it came to.
pub(crate) fn city(args: &CityArgs) -> anyhow::Result<u8> {
    run::show(&plan(args)?, args.twice, args.json)
}

fn plan(args: &CityArgs) -> anyhow::Result<Plan> {
    let city = Shape::of_table(&args.halls);
    let halls = u64::try_from(city.divisions()?.len())?;
    let span = match args.days {
        1 => Span::minutes(args.minutes),
        days => Span { days, open_minutes: args.minutes, quiet_minutes: QUIET },
    };
    let mut load = Load::normal(halls);
    load.edits = 180;
    if let Some(cases) = args.cases_per_minute {
        load.citizens = cases.saturating_mul(60);
    }
    let open = span.days.saturating_mul(span.open_minutes).saturating_mul(60);
    let crash_every = match args.crashes {
        Some(crashes) => open.checked_div(crashes).unwrap_or(0),
        None => args.crash_every,
    };
    // A third of the crashes each: at any moment, before a commit, after it.
    let each = crash_every.saturating_mul(3);
    let kinds = [Fault::Crash, Fault::CrashBeforeCommit, Fault::CrashAfterCommit];
    let mut trouble: Vec<_> = kinds.into_iter().map(|fault| (fault, each)).collect();
    trouble.push((Fault::Cut, args.cut_every));
    trouble.retain(|(_, every)| *every > 0);
    let lines = Lines::default().weather(args.loss.saturating_mul(10), 10, 5);
    Ok(Plan { seed: args.seed, city, span, load, lines, trouble: Trouble::of(&trouble), ..Plan::default() })
}
