//! `hallmesh-isolation`: whether a dead hall with thousands of letters waiting delays hand-overs to others.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use hallmesh_tests::isolation::{Plan, run};

/// Hands cases over to many halls, beside one that is dead and without it, in one run and on one disk.
#[derive(Debug, Parser)]
#[command(
    name = "hallmesh-isolation",
    after_help = "Exit codes: 0 no other hall was delayed; 1 one was; 2 wrong arguments."
)]
struct Cli {
    /// Halls that are alive.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(4..=60))]
    peers: u16,
    /// Letters that wait for the dead one.
    #[arg(long, default_value_t = 5_000)]
    waiting: usize,
    /// Hand-overs measured in each city.
    #[arg(long, default_value_t = 1_000)]
    hand_overs: usize,
    /// How much longer a hand-over may take beside a dead hall at p99, in hundredths.
    #[arg(long, default_value_t = 200)]
    most: u64,
    /// A directory on the disk that is meant; a temporary one otherwise.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> io::Result<ExitCode> {
    let Cli { peers, waiting, hand_overs, most, dir, json } = Cli::parse();
    let place = dir.map_or_else(tempfile::tempdir, tempfile::tempdir_in)?;
    let report = run(Plan { peers, waiting, hand_overs: hand_overs.max(1), most }, place.path());
    let mut out = io::stdout();
    if json {
        writeln!(out, "{:#}", report.json())?;
    } else {
        write!(out, "{report}")?;
    }
    Ok(if report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
