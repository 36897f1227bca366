//! `hallmesh demo`: a small city on this machine, from root key to delivered case.

use std::path::PathBuf;

use clap::Args;

use super::exit::Exit;
use super::output;
use super::render;
use super::report::Report;
use super::session::Session;
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
}

pub(super) fn run(session: &Session, demo: &Demo) -> Result<Report, Problem> {
    let options = DemoOptions {
        once: demo.once,
        story: demo.story.clone(),
        json: session.global.json,
        keep: demo.keep.clone(),
        lang: session.texts.lang(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|cause| Problem::new("node.no_runtime").with("reason", cause))?;
    let told = runtime.block_on(demo::run(options, &say))?;
    let texts = &session.texts;
    let cases = told.stories.iter().map(|story| story.cases.len()).sum::<usize>();
    let outcome = if told.ok { "demo.proved" } else { "demo.not_proved" };
    let outcome = texts.filled(outcome, &[("stories", &told.stories.len()), ("cases", &cases)]);
    let lines = vec![String::new(), outcome, render::next(texts, "hallmesh city found --help")];
    Ok(Report::new(&told, lines)?.ending(if told.ok { Exit::Done } else { Exit::Failed }))
}

/// Each line as it happens. A reader who has left is no reason to stop a city in the middle of a story.
fn say(line: &str) {
    if let Err(cause) = output::lines(&[line.to_owned()]) {
        tracing::debug!(%cause, "nobody reads the demo any more");
    }
}
