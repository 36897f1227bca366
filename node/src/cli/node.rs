//! `hallmesh run` and `hallmesh status`: the node of this machine.

use std::io::IsTerminal;

use serde_json::json;
use tracing_subscriber::EnvFilter;

use super::config;
use super::output;
use super::report::Report;
use super::session::{Session, found};
use crate::config::{Config, Severity};
use crate::driver;
use crate::ops::{Ask, Problem};

/// Runs until it is told to stop. Settings that cannot work are refused before anything is opened.
pub(super) fn run(session: &Session) -> Result<Report, Problem> {
    let settings = session.config()?;
    let findings = settings.check();
    if let Some(worst) = findings.iter().find(|finding| finding.severity == Severity::Error) {
        return Err(found(worst));
    }
    let said = output::complain(&config::say(&session.texts, &findings));
    said.map_err(|cause| Problem::new("file.not_written").with("file", "stderr").with("reason", cause))?;
    let outside = session.outside(&settings)?;
    log_to_stderr(&settings);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|cause| Problem::new("node.no_runtime").with("reason", cause))?;
    runtime.block_on(driver::run(settings, outside))?;
    Report::new(&json!({}), vec![session.texts.say("run.ended", &[])])
}

pub(super) fn status(session: &Session) -> Result<Report, Problem> {
    Report::of(&session.texts, &session.ask(&Ask::Status)?)
}

/// The journal puts its own time before each line; a terminal gets colours.
fn log_to_stderr(settings: &Config) {
    let filter = EnvFilter::builder().parse_lossy(&settings.log);
    let journal = std::env::var_os("JOURNAL_STREAM").is_some();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let log = log.with_ansi(std::io::stderr().is_terminal());
    let taken = if journal { log.without_time().try_init() } else { log.try_init() };
    if let Err(cause) = taken {
        // Somebody who runs nodes inside a process of their own has a log already.
        tracing::debug!(%cause, "the log is set up already");
    }
}
