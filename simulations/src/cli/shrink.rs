//! A failing run made small.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use hallmesh_simulations::shrink;

use super::progress;
use super::source::Source;

#[derive(Debug, Args)]
pub(crate) struct ShrinkArgs {
    #[command(flatten)]
    source: Source,
    /// Where to write the small plan.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Runs to try at the most.
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    tries: u64,
}

/// Makes a run small and writes its plan; the exit code is that of the promise it breaks.
pub(crate) fn shrink(args: &ShrinkArgs) -> anyhow::Result<u8> {
    let plan = args.source.plan()?;
    let bar = progress::bar(args.tries)?;
    let small = shrink::shrink(&plan, args.tries, &mut |tried| bar.set_position(tried))?;
    bar.finish_and_clear();
    let mut out = io::stdout().lock();
    let Some(small) = small else {
        writeln!(out, "this run keeps every promise; there is nothing to make small")?;
        return Ok(0);
    };
    std::fs::write(&args.out, small.plan.text()?).with_context(|| args.out.display().to_string())?;
    write!(out, "{}", small.report)?;
    writeln!(out, "{} runs tried; the plan is in {}", small.tried, args.out.display())?;
    writeln!(out, "next      hallmesh-sim explain {}", args.out.display())?;
    Ok(small.report.violations.iter().map(|it| it.promise.exit_code()).min().unwrap_or(0))
}
