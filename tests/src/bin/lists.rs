//! `hallmesh-lists`: what the lists of a whole city take of a hall's computer and line.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use hallmesh_tests::volume::{Plan, run};

/// Loads made-up lists of a whole city into two real halls, one over a line, and searches in them.
///
/// `HALLMESH_BINARY` names the binary to measure: one that was built with --release.
#[derive(Debug, Parser)]
#[command(
    name = "hallmesh-lists",
    after_help = "Exit codes: 0 within 40 MiB idle, 256 MiB loading and 20 ms for 99 of 100 searches; 1 not; 2 wrong arguments."
)]
struct Cli {
    /// Entries of all halls together.
    #[arg(long, default_value_t = 55_000, value_parser = clap::value_parser!(u32).range(1_000..=1_000_000))]
    entries: u32,
    /// Mbit/s of the line between the halls; as many as the machine can if not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    mbit: Option<u64>,
    /// The lists follow from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> io::Result<ExitCode> {
    let cli = Cli::parse();
    let entries = usize::try_from(cli.entries).unwrap_or(usize::MAX);
    let bits_per_second = cli.mbit.map(|mbit| mbit.saturating_mul(1_000_000));
    let told = |what: &str| {
        // Progress for people; where nobody can be told, the run goes on.
        writeln!(io::stderr(), "{what} ...").ok();
    };
    let report = run(Plan { entries, seed: cli.seed, bits_per_second }, told).await;
    let mut out = io::stdout().lock();
    if cli.json {
        writeln!(out, "{}", serde_json::to_string(&report)?)?;
    } else {
        write!(out, "{report}")?;
    }
    Ok(if report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
