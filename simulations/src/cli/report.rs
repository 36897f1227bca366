//! One run, as a page.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use clap::Args;
use hallmesh_simulations::plan::Plan;
use hallmesh_simulations::{page, world};

use super::city::Town;
use super::progress;
use super::run::Verdict;
use super::source::Source;

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    source: Source,
    /// A whole city of a division table instead, as with `hallmesh-sim city`.
    #[arg(long, conflicts_with = "file")]
    city: bool,
    #[command(flatten)]
    town: Option<Town>,
    /// Where to write the page.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs a plan, follows it, and writes the page; the exit code is that of the run.
pub(crate) fn report(args: &ReportArgs) -> anyhow::Result<u8> {
    let plan = plan(args)?;
    let bar = progress::bar(1_000)?;
    let mut watch = |progress| {
        progress::show(&bar, progress);
        true
    };
    let (report, series) = world::followed(&plan, &mut watch)?;
    bar.finish_and_clear();
    let page = page::page(&plan, &report, &series)?;
    std::fs::write(&args.out, &page).with_context(|| args.out.display().to_string())?;
    let mut out = io::stdout().lock();
    write!(out, "{report}")?;
    writeln!(out, "the page is in {}, {} bytes", args.out.display(), page.len())?;
    Ok(Verdict::of(&plan, &report, true).code())
}

fn plan(args: &ReportArgs) -> anyhow::Result<Plan> {
    if !args.city {
        ensure!(args.town.is_none(), "what describes a city needs --city; see hallmesh-sim report --help");
        return args.source.plan();
    }
    let usual;
    let town = if let Some(town) = &args.town {
        town
    } else {
        usual = Town::usual()?;
        &usual
    };
    town.plan(args.source.seed().unwrap_or(1))
}
