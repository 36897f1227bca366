//! `hallmesh config`: whether the settings will work on this machine.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::exit::Exit;
use super::problem;
use super::render;
use super::report::Report;
use super::session::{Session, found, unloaded};
use crate::config::{CONFIG_PATH, Config as Settings, Finding, Severity};
use crate::ops::Problem;
use crate::texts::Texts;

#[derive(Debug, Subcommand)]
pub(super) enum Config {
    Check {
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

pub(super) fn run(session: &Session, config: &Config) -> Result<Report, Problem> {
    match config {
        Config::Check { file } => check(session, file.clone().or_else(|| session.global.config.clone())),
    }
}

fn check(session: &Session, file: Option<PathBuf>) -> Result<Report, Problem> {
    let settings = Settings::load(file.as_deref()).map_err(|why| unloaded(&why))?;
    let findings = settings.check();
    let file = file.unwrap_or_else(|| PathBuf::from(CONFIG_PATH)).display().to_string();
    let json: Vec<_> = findings.iter().map(|finding| as_json(&session.texts, finding)).collect();
    let mut lines = say(&session.texts, &findings);
    let exit = exit(&findings);
    let outcome = match worst(&findings) {
        Some(Severity::Error) => "config.bad",
        Some(Severity::Warning) => "config.usable",
        None => "config.good",
    };
    lines.push(session.texts.say(outcome, &[("file", &file)]));
    let next = if exit == Exit::Errors { "hallmesh config check" } else { "hallmesh run" };
    lines.push(render::next(&session.texts, next));
    Ok(Report::new(&json!({ "file": file, "findings": json }), lines)?.ending(exit))
}

/// Findings as lines, the worst first.
pub(super) fn say(texts: &Texts, findings: &[Finding]) -> Vec<String> {
    let mut worst_first: Vec<&Finding> = findings.iter().collect();
    worst_first.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let lines = worst_first.into_iter().flat_map(|finding| match finding.severity {
        Severity::Error => problem::error(texts, &found(finding)),
        Severity::Warning => problem::warning(texts, &found(finding)),
    });
    lines.collect()
}

fn as_json(texts: &Texts, finding: &Finding) -> Value {
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut value = problem::json(texts, &found(finding));
    if let Value::Object(fields) = &mut value {
        fields.insert("severity".to_owned(), severity.into());
        fields.insert("key".to_owned(), finding.key.into());
    }
    value
}

fn worst(findings: &[Finding]) -> Option<Severity> {
    findings.iter().map(|finding| finding.severity).max()
}

fn exit(findings: &[Finding]) -> Exit {
    match worst(findings) {
        Some(Severity::Error) => Exit::Errors,
        Some(Severity::Warning) => Exit::Warnings,
        None => Exit::Done,
    }
}
