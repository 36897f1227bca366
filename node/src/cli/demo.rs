//! `hallmesh demo`: a small city on this machine, from root key to delivered case; or a whole one.

use std::path::PathBuf;

use clap::Args;

use super::exit::Exit;
use super::output;
use super::render;
use super::report::Report;
use super::session::Session;
use crate::demo::whole::{self, CityReport};
use crate::demo::{self, DemoOptions};
use crate::ops::Problem;

#[derive(Debug, Args)]
pub(super) struct Demo {
    #[arg(long)]
    once: bool,
    #[arg(long, value_name = "NAME|FILE")]
    story: Option<String>,
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    #[arg(long, conflicts_with = "story")]
    city: bool,
    #[arg(long, value_name = "FILE", requires = "city")]
    halls: Option<PathBuf>,
}

pub(super) fn run(session: &Session, demo: &Demo) -> Result<Report, Problem> {
    let options = DemoOptions {
        once: demo.once,
        story: demo.story.clone(),
        json: session.global.json,
        keep: demo.keep.clone(),
        lang: session.texts.lang(),
    };
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if demo.city {
        runtime.max_blocking_threads(whole::WAITING_THREADS);
    }
    let runtime = runtime.enable_all().build();
    let runtime = runtime.map_err(|cause| Problem::new("node.no_runtime").with("reason", cause))?;
    if demo.city {
        let shown = runtime.block_on(whole::run(&options, demo.halls.as_ref(), &say))?;
        return whole_city(session, &shown);
    }
    let told = runtime.block_on(demo::run(options, &say))?;
    let texts = &session.texts;
    let cases = told.stories.iter().map(|story| story.cases.len()).sum::<usize>();
    let outcome = if told.ok { "demo.proved" } else { "demo.not_proved" };
    let outcome = texts.filled(outcome, &[("stories", &told.stories.len()), ("cases", &cases)]);
    let lines = vec![String::new(), outcome, render::next(texts, "hallmesh city found --help")];
    Ok(Report::new(&told, lines)?.ending(if told.ok { Exit::Done } else { Exit::Failed }))
}

fn whole_city(session: &Session, shown: &CityReport) -> Result<Report, Problem> {
    let texts = &session.texts;
    let seconds = |ms: u64| ms / 1_000;
    let took = texts.filled(
        "demo.city_took",
        &[
            ("halls", &shown.halls),
            ("enrolled", &seconds(shown.enrolled_ms)),
            ("up", &seconds(shown.up_ms)),
            ("resident", &shown.resident_mib),
            ("peak", &shown.peak_mib),
            ("cpu", &shown.cpu_s),
            ("idle", &(shown.idle_cpu_thousandths / 10)),
            ("disk", &shown.disk_mib),
        ],
    );
    let outcome = texts.say(if shown.ok { "demo.city_proved" } else { "demo.city_not_proved" }, &[]);
    let lines = vec![String::new(), took, outcome, render::next(texts, "hallmesh demo --once")];
    Ok(Report::new(shown, lines)?.ending(if shown.ok { Exit::Done } else { Exit::Failed }))
}

/// Each line as it happens. A reader who has left is no reason to stop a city in the middle of a story.
fn say(line: &str) {
    if let Err(cause) = output::lines(&[line.to_owned()]) {
        tracing::debug!(%cause, "nobody reads the demo any more");
    }
}
