//! The command line: one binary, nouns then verbs, in Chinese or English, for people or (`--json`) programs.
//!
//! A command returns a report or a [`Problem`]; only this file and `output` write to the terminal.
//! Every answer ends with the next useful command; exit codes are those of [`Exit`].

mod acts;
mod application;
mod archive;
mod args;
mod audit;
mod backup;
mod bundle;
mod case;
mod city;
mod clerk;
mod config;
mod declare;
mod demo;
mod drafts;
mod due;
mod exit;
mod files;
mod hall;
mod keys;
mod lists;
mod localise;
mod matter;
mod node;
mod output;
mod passphrase;
mod peer;
mod post;
mod problem;
mod record;
mod reference;
mod register;
mod render;
mod report;
mod revoke;
mod route;
mod session;
mod statements;
mod table;
#[cfg(test)]
mod tests;
mod time;
mod usage;
mod values;

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::Path;

use clap::FromArgMatches;
use clap::error::ErrorKind;
use serde_json::{Map, json};

use crate::config::Config as Settings;
use crate::ops::Problem;
use crate::texts::{self, Lang, Texts};
use args::{Cli, Noun};
use report::Report;
use session::Session;

pub use exit::Exit;

/// Runs one call of the binary: parses, does, prints.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let texts = Texts::new(language(&arguments));
    let command = localise::command(&texts);
    let parsed = command.try_get_matches_from(&arguments).and_then(|found| Cli::from_arg_matches(&found));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return explain(&texts, &error, arguments.iter().any(|it| it == "--json")),
    };
    let json = cli.global.json;
    let session = Session { texts, global: cli.global };
    match dispatch(&session, &cli.command) {
        Ok(report) => print(&report, json),
        Err(problem) => complain(&session.texts, &problem, &[], json),
    }
}

fn dispatch(session: &Session, noun: &Noun) -> Result<Report, Problem> {
    match noun {
        Noun::City(city) => city::run(session, city),
        Noun::Hall(hall) => hall::run(session, hall),
        Noun::Clerk(clerk) => clerk::run(session, clerk),
        Noun::Run => node::run(session),
        Noun::Status => node::status(session),
        Noun::Peer(peer) => peer::run(session, peer),
        Noun::Matter(matter) => matter::run(session, matter),
        Noun::Route(route) => route::run(session, route),
        Noun::Case(case) => case::run(session, case),
        Noun::Bundle(bundle) => bundle::run(session, bundle),
        Noun::Due(due) => due::run(session, due),
        Noun::Audit(audit) => audit::run(session, audit),
        Noun::Post(post) => post::run(session, post),
        Noun::Record(record) => record::run(session, record),
        Noun::Backup(backup) => backup::run(session, backup),
        Noun::Config(config) => config::run(session, config),
        Noun::Demo(demo) => demo::run(session, demo),
        Noun::Version => {
            let version = env!("CARGO_PKG_VERSION");
            Report::new(&json!({ "version": version }), vec![format!("hallmesh {version}")])
        }
        Noun::Reference => Report::new(&json!({}), reference::markdown(&session.texts)),
    }
}

/// The language has to be known before the help texts are made, so `--lang` and `--config` are looked for by
/// hand; clap checks them again, and settings that cannot be read are told when they are needed.
fn language(arguments: &[OsString]) -> Lang {
    let words: Vec<&str> = arguments.iter().filter_map(|word| word.to_str()).collect();
    let variable = |name: &str| std::env::var(name).ok();
    let said = flag(&words, "--lang").map(str::to_owned).or_else(|| variable("HALLMESH_LANG"));
    let settings = || Settings::load(flag(&words, "--config").map(Path::new)).ok()?.language;
    let said = said.and_then(|said| texts::named(&said));
    said.or_else(settings).unwrap_or_else(|| texts::of_environment(variable))
}

/// The value of a flag, written with a space or an equals sign.
fn flag<'a>(words: &[&'a str], name: &str) -> Option<&'a str> {
    let spaced = words.windows(2).find_map(|pair| match pair {
        [word, value] if *word == name => Some(*value),
        _ => None,
    });
    spaced.or_else(|| words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('=')))
}

fn print(report: &Report, json: bool) -> Exit {
    let printed = if json { output::json(&report.json) } else { output::lines(&report.lines) };
    // The terminal or the disk behind it failed; there is nowhere left to say so.
    if printed.is_ok() { report.exit } else { Exit::Failed }
}

fn complain(texts: &Texts, problem: &Problem, more: &[String], json: bool) -> Exit {
    let printed = if json {
        output::json(&Map::from_iter([("error".to_owned(), problem::json(texts, problem))]))
    } else {
        let mut lines = problem::error(texts, problem);
        lines.extend_from_slice(more);
        output::complain(&lines)
    };
    if printed.is_ok() { Exit::of(problem) } else { Exit::Failed }
}

/// Help and versions are answers; everything else is a wrong call.
fn explain(texts: &Texts, error: &clap::Error, json: bool) -> Exit {
    let help = || localise::rendered(texts, &error.render(), io::stdout().is_terminal());
    let kind = error.kind();
    let (printed, exit) = if matches!(kind, ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        (output::lines(&[help()]), Exit::Done)
    } else if kind == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand && !json {
        (output::complain(&[help()]), Exit::Usage)
    } else {
        let usage: Vec<String> = usage::usage(texts, error).into_iter().collect();
        return complain(texts, &usage::problem(texts, error), &usage, json);
    };
    if printed.is_ok() { exit } else { Exit::Failed }
}
