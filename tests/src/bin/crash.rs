//! `hallmesh-crash`: the node's store on disks that lose power, rot and fail.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use hallmesh_tests::disk::{Plan, Planted, run};

/// Opens the node's real store on what is left of its disk after crashes at every point of real work, and checks
/// that every acknowledged commit is there, whole.
#[derive(Debug, Parser)]
#[command(
    name = "hallmesh-crash",
    after_help = "Exit codes: 0 every promise held; 1 one did not; 2 wrong arguments."
)]
struct Cli {
    /// Images after crashes, at least.
    #[arg(long, default_value_t = 100_000)]
    images: u64,
    /// Files with one bit turned over.
    #[arg(long, default_value_t = 5_000)]
    flips: u64,
    /// Disks that fail or fill up.
    #[arg(long, default_value_t = 2_000)]
    failures: u64,
    /// Everything but the time follows from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
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
    LyingDisk,
    EarlyAcknowledgement,
    LeftOutRow,
}

fn main() -> io::Result<ExitCode> {
    let cli = Cli::parse();
    let planted = match cli.plant {
        Plant::Nothing => Planted::Nothing,
        Plant::LyingDisk => Planted::LyingDisk,
        Plant::EarlyAcknowledgement => Planted::EarlyAcknowledgement,
        Plant::LeftOutRow => Planted::LeftOutRow,
    };
    let Cli { images, flips, failures, seed, json, .. } = cli;
    let report = run(Plan { images, flips, failures, seed, planted });
    let mut out = io::stdout();
    if json {
        writeln!(out, "{:#}", report.json())?;
    } else {
        write!(out, "{report}")?;
    }
    Ok(if report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
