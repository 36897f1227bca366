//! What happened in a run, as a timeline.

use std::io::{self, Write};

use clap::Args;
use hallmesh_protocol::ids::HallId;
use hallmesh_simulations::story::{Scene, Story};
use hallmesh_simulations::world;

use super::progress;
use super::source::Source;

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    source: Source,
    /// Only lines that name this case, by the beginning of its id.
    #[arg(long, value_name = "ID")]
    case: Option<String>,
    /// Only lines of these halls.
    #[arg(long, value_name = "HALL")]
    hall: Vec<HallId>,
    /// Only the last lines before the end.
    #[arg(long, value_name = "N")]
    last: Option<usize>,
}

/// Runs a plan again and tells what happened. The exit code is that of the promise it breaks.
pub(crate) fn explain(args: &ExplainArgs) -> anyhow::Result<u8> {
    let plan = args.source.plan()?;
    let bar = progress::bar(1_000)?;
    let mut watch = |progress| {
        progress::show(&bar, progress);
        true
    };
    let (report, story) = world::told(&plan, Story::told(), &mut watch)?;
    bar.finish_and_clear();
    let scenes: Vec<_> = story.scenes().filter(|scene| is_wanted(args, scene)).collect();
    let skipped = args.last.map_or(0, |last| scenes.len().saturating_sub(last));
    let mut out = io::stdout().lock();
    for scene in scenes.iter().skip(skipped) {
        writeln!(out, "{}", scene.line())?;
    }
    write!(out, "{report}")?;
    Ok(report.violations.iter().map(|it| it.promise.exit_code()).min().unwrap_or(0))
}

fn is_wanted(args: &ExplainArgs, scene: &Scene) -> bool {
    let case = args.case.as_ref().is_none_or(|case| {
        // Lines show the first eight characters of a case's id.
        scene.what.contains(case.get(..8).unwrap_or(case))
    });
    let hall = args.hall.is_empty() || scene.hall.is_some_and(|at| args.hall.contains(&at.hall));
    case && hall
}
