//! A swarm, and what it came to.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use hallmesh_simulations::plan::Plan;
use hallmesh_simulations::report::not_asked;
use hallmesh_simulations::swarm::{self, Seen, Tally};

use super::progress;

#[derive(Debug, Args)]
pub(crate) struct SwarmArgs {
    /// How long.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    seconds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Threads.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=64))]
    threads: u8,
    /// Of a hundred restarts after a process has died, so many after which the disk is lost or an old one, half and half.
    #[arg(long, default_value_t = 0, value_name = "PERCENT", value_parser = clap::value_parser!(u64).range(0..=100))]
    bad_restarts: u64,
    /// Write the plan of each failing seed here.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Runs a swarm and shows what it came to.
pub(crate) fn swarm(args: &SwarmArgs) -> anyhow::Result<u8> {
    let (began, limit) = (Instant::now(), Duration::from_secs(args.seconds));
    let bar = progress::bar(args.seconds)?;
    let go_on = |seen: Seen| {
        bar.set_position(began.elapsed().as_secs());
        bar.set_message(format!("{} seeds, {} failed", seen.seeds, seen.failed));
        began.elapsed() < limit
    };
    let draw = |seed| Plan::drawn(seed).with_bad_restarts(args.bad_restarts);
    let tally = swarm::run(args.from, usize::from(args.threads), &draw, &go_on);
    bar.finish_and_clear();
    if let Some(keep) = &args.keep {
        std::fs::create_dir_all(keep).with_context(|| keep.display().to_string())?;
        for failure in &tally.failures {
            let path = keep.join(format!("seed-{}.toml", failure.seed));
            std::fs::write(&path, draw(failure.seed).text()?).with_context(|| path.display().to_string())?;
        }
    }
    show(args, &tally, began.elapsed())?;
    Ok(tally.exit_code())
}

fn show(args: &SwarmArgs, tally: &Tally, took: Duration) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let years = tally.city_years_thousandths();
    if args.json {
        let mut value = serde_json::to_value(tally)?;
        if let Some(fields) = value.as_object_mut() {
            fields.insert("seconds".to_owned(), took.as_secs().into());
            fields.insert("city_years_thousandths".to_owned(), years.into());
            fields.insert("exit_code".to_owned(), tally.exit_code().into());
        }
        writeln!(out, "{value:#}")?;
        return Ok(());
    }
    let (seeds, days, cases, d2) = (tally.seeds, tally.hall_days, tally.cases, tally.d2);
    writeln!(
        out,
        "{seeds} seeds in {} s: {days} working days of halls, {cases} cases, {d2} of them D2, {} hand-overs",
        took.as_secs(),
        tally.hand_overs
    )?;
    writeln!(
        out,
        "that is {}.{:03} working years of a city of 985 halls; {} steps",
        years / 1_000,
        years % 1_000,
        tally.steps
    )?;
    writeln!(out, "{}", tally.losses)?;
    writeln!(out, "cases not asked for in the end: {}", not_asked(&tally.waiting))?;
    writeln!(out, "{} faults:", tally.sometimes.faults_in_all())?;
    for (word, times) in tally.sometimes.faults.iter().chain(&tally.sometimes.branches) {
        writeln!(out, "          {word:<20} {times:>12}")?;
    }
    for failure in &tally.failures {
        let (seed, first) = (failure.seed, &failure.first);
        writeln!(out, "BROKEN    seed {seed}: {} at {} ms: {}", first.promise.word(), first.at, first.how)?;
    }
    for word in &tally.never {
        writeln!(out, "NEVER     {word} did not happen in any run")?;
    }
    if let Some(failure) = tally.failures.first() {
        writeln!(
            out,
            "next      hallmesh-sim explain --seed {0}{1}; hallmesh-sim shrink --seed {0}{1} --out small.toml",
            failure.seed,
            if args.bad_restarts > 0 {
                format!(" --bad-restarts {}", args.bad_restarts)
            } else {
                String::new()
            }
        )?;
    }
    writeln!(out, "{}", if tally.holds() { "all promises hold" } else { "not all is well" })?;
    Ok(())
}
