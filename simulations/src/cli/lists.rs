//! Made-up lists of a whole city.

use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;
use hallmesh_simulations::generator::{self, ENTRIES_MAX, Lists};

use super::progress;

#[derive(Debug, Args)]
pub(crate) struct ListsArgs {
    /// A new or empty folder: one folder a hall, with the `matters.csv` that `hallmesh matter import` reads.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Entries of all halls together.
    #[arg(long, value_name = "N", default_value_t = 55_000)]
    entries: usize,
    /// The same seed gives the same files.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Writes them.
pub(crate) fn lists(args: &ListsArgs) -> anyhow::Result<u8> {
    ensure!((1..=ENTRIES_MAX).contains(&args.entries), "--entries is 1 to {ENTRIES_MAX}");
    let taken = args.dir.exists() && args.dir.read_dir()?.next().is_some();
    ensure!(!taken, "{} is not empty: name a new folder", args.dir.display());
    let bar = progress::bar(u64::try_from(args.entries)?)?;
    let written = generator::write(&args.dir, Lists::new(args.entries, args.seed)?, |written| {
        bar.set_position(written.entries);
    })?;
    bar.finish_and_clear();
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string(&written)?)?;
        return Ok(0);
    }
    let hundredths = |all: u64| {
        let mean = all.saturating_mul(100).checked_div(written.entries).unwrap_or(0);
        format!("{}.{:02}", mean / 100, mean % 100)
    };
    writeln!(out, "{} entries of {} halls, {} bytes", written.entries, written.halls, written.bytes)?;
    writeln!(
        out,
        "materials an entry {}, law articles an entry {}",
        hundredths(written.materials),
        hundredths(written.citations)
    )?;
    let first = args.dir.join("620700000000");
    writeln!(
        out,
        "next: hallmesh matter import --matters {}/matters.csv --area 620700000000",
        first.display()
    )?;
    Ok(0)
}
