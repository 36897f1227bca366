//! `hallmesh-kill`: seven real halls under load, killed as often as one likes.

#![allow(clippy::print_stderr, reason = "a command says there how far it has come")]

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use hallmesh_tests::kill::{Plan, Planted, run};

/// Founds a city of seven real halls on this machine, puts load on every window, kills a random hall with -9 again
/// and again, stops processes and cuts lines in between, and checks at the end that every receipt was kept.
#[derive(Debug, Parser)]
#[command(
    name = "hallmesh-kill",
    after_help = "Exit codes: 0 every promise held; 1 one did not; 2 wrong arguments; 3 a hall ended by itself or did not start."
)]
struct Cli {
    /// Kills.
    #[arg(long, default_value_t = 10_000)]
    kills: u32,
    /// Milliseconds between two blows.
    #[arg(long, default_value_t = 250)]
    every: u64,
    /// End the blows after so many minutes, however many they were.
    #[arg(long)]
    minutes: Option<u64>,
    /// The blows follow from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Cases open at once, at most.
    #[arg(long, default_value_t = 200)]
    open: usize,
    /// Where the journal of receipts is kept; a new file.
    #[arg(long)]
    journal: Option<PathBuf>,
    /// Do something wrong, to see that it is found.
    #[arg(long, value_enum, default_value_t = Plant::Nothing)]
    plant: Plant,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Plant {
    Nothing,
    ForgedReceipt,
}

#[tokio::main]
async fn main() -> io::Result<ExitCode> {
    let cli = Cli::parse();
    let plan = Plan {
        kills: cli.kills,
        every: Duration::from_millis(cli.every.max(1)),
        at_most: cli.minutes.map(|minutes| Duration::from_secs(minutes.saturating_mul(60))),
        seed: cli.seed,
        open_max: cli.open,
        journal: cli.journal,
        planted: match cli.plant {
            Plant::Nothing => Planted::Nothing,
            Plant::ForgedReceipt => Planted::ForgedReceipt,
        },
    };
    let say = |line: &str| eprintln!("{line}");
    let report = match run(&plan, &say).await {
        Ok(report) => report,
        Err(problem) => {
            eprintln!("{problem:?}");
            return Ok(ExitCode::from(3));
        }
    };
    let mut out = io::stdout();
    if cli.json {
        writeln!(out, "{:#}", report.json())?;
    } else {
        write!(out, "{report}")?;
    }
    Ok(if report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
