//! `hallmesh-sim`: a simulated city on the command line.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use hallmesh_simulations::checkers::Promise;
use hallmesh_simulations::city;
use hallmesh_simulations::faults::Trouble;
use hallmesh_simulations::model::command::{self, CheckArgs};
use hallmesh_simulations::network::Weather;
use hallmesh_simulations::report::Report;
use hallmesh_simulations::world::{self, Plan};

const TABLE: &str = "deploy/sample-city/zhangye/divisions.csv";

/// Runs a whole city of hallmesh nodes on simulated disks, lines and clocks, and checks its promises.
#[derive(Debug, Parser)]
#[command(
    name = "hallmesh-sim",
    version,
    after_help = "Exit codes: 0 all promises hold; 1 the run could not begin; 2 wrong arguments; 64 a case was in two \
hands; 65 a case or an act was lost; 66 the lists differ in the end; 67 something was still under way in the \
end; 68 two runs of one seed differ; 69 an exploration did not come out as expected. The lowest one that applies is \
given."
)]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// A city at work, with trouble, then mended and quiet; every promise must hold in the end.
    City(CityArgs),
    /// Every way in which one case can change hands, explored to the end.
    Check(CheckArgs),
}

#[derive(Debug, Args)]
struct CityArgs {
    /// The division table, with the columns `tier,code12,parent12,name,mca_code12,note`.
    #[arg(long, value_name = "FILE", default_value = TABLE)]
    halls: PathBuf,
    /// Simulated minutes; the last three, or the second half of a shorter run, are quiet.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    minutes: u64,
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
    /// Citizens who walk into a hall each minute in the whole city; one for every ten halls if not given.
    #[arg(long, value_name = "N")]
    cases_per_minute: Option<u64>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
    /// Run the seed twice and compare the traces.
    #[arg(long)]
    twice: bool,
}

fn main() -> ExitCode {
    let done = match Cli::parse().what {
        What::City(args) => city(&args),
        What::Check(args) => command::run(&args),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // Where even this cannot be written, the exit code still tells.
            writeln!(io::stderr(), "hallmesh-sim: {error:#}").ok();
            ExitCode::FAILURE
        }
    }
}

fn city(args: &CityArgs) -> anyhow::Result<u8> {
    let table = std::fs::read(&args.halls).with_context(|| format!("{}", args.halls.display()))?;
    let divisions = city::read_table(&table)?;
    let plan = plan(args, u64::try_from(divisions.len())?);
    let began = Instant::now();
    let report = world::run(&divisions, plan)?;
    let took = began.elapsed().as_millis();
    let same = !args.twice || world::run(&divisions, plan)?.trace == report.trace;
    show(args, &report, took, same)?;
    Ok(code(&report, same))
}

fn plan(args: &CityArgs, halls: u64) -> Plan {
    let seconds = |seconds: u64| (seconds > 0).then(|| seconds.saturating_mul(1_000));
    let troubled = Plan::troubled(args.minutes);
    let crash_every = match args.crashes {
        Some(crashes) => troubled.checked_div(crashes),
        None => seconds(args.crash_every),
    };
    let weather = Weather { lost: args.loss.saturating_mul(10), doubled: 10, late: 5 };
    Plan {
        minutes: args.minutes,
        seed: args.seed,
        cases_per_minute: args.cases_per_minute.unwrap_or(halls / 10),
        trouble: Trouble { weather, crash_every, cut_every: seconds(args.cut_every) },
    }
}

fn show(args: &CityArgs, report: &Report, took: u128, same: bool) -> anyhow::Result<()> {
    let simulated = u128::from(args.minutes).saturating_mul(60_000);
    let ratio = simulated.checked_div(took).unwrap_or(simulated);
    let mut out = io::stdout().lock();
    if args.json {
        let mut value = serde_json::to_value(report)?;
        if let Some(fields) = value.as_object_mut() {
            fields.insert("real_ms".to_owned(), u64::try_from(took)?.into());
            fields.insert("times_real_time".to_owned(), u64::try_from(ratio)?.into());
            fields.insert("same_trace".to_owned(), if args.twice { same.into() } else { ().into() });
        }
        writeln!(out, "{value:#}")?;
        return Ok(());
    }
    write!(out, "{report}")?;
    if args.twice {
        let verdict = if same { "the second run was the same" } else { "BROKEN    the second run differs" };
        writeln!(out, "{verdict}")?;
    }
    writeln!(out, "{}.{:03} real seconds, {ratio} times real time", took / 1_000, took % 1_000)?;
    Ok(())
}

fn code(report: &Report, same: bool) -> u8 {
    let code = |promise: &Promise| match promise {
        Promise::OneHand => 64,
        Promise::NothingLost => 65,
        Promise::ListsAgree => 66,
        Promise::Settled => 67,
        Promise::SameTrace => 68,
    };
    let differs = (!same).then_some(Promise::SameTrace);
    report.promises().iter().chain(&differs).map(code).min().unwrap_or(0)
}
