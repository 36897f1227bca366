//! The command tree: nouns, then verbs. Help texts are not here: see `localise.rs`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::{
    audit, backup, bundle, case, city, clerk, config, demo, due, hall, matter, peer, post, record, route,
    values,
};
use crate::texts::Lang;

#[derive(Debug, Parser)]
#[command(name = "hallmesh", bin_name = "hallmesh", version)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Noun,
}

// Flags that every command understands.
#[derive(Clone, Debug, Args)]
pub(super) struct Global {
    #[arg(long, global = true, value_name = "zh|en", value_parser = values::lang)]
    pub(super) lang: Option<Lang>,
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[arg(long = "config", id = "config_file", global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    #[arg(long, global = true, value_name = "PATH")]
    pub(super) socket: Option<PathBuf>,
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) credential_file: Option<PathBuf>,
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) passphrase_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Noun {
    #[command(subcommand)]
    City(city::City),
    #[command(subcommand)]
    Hall(hall::Hall),
    #[command(subcommand)]
    Clerk(clerk::Clerk),
    Run,
    Status,
    #[command(subcommand)]
    Peer(peer::Peer),
    #[command(subcommand)]
    Matter(matter::Matter),
    #[command(subcommand)]
    Route(route::Route),
    #[command(subcommand)]
    Case(case::Case),
    #[command(subcommand)]
    Bundle(bundle::Bundle),
    #[command(subcommand)]
    Due(due::Due),
    #[command(subcommand)]
    Audit(audit::Audit),
    #[command(subcommand)]
    Post(post::Post),
    #[command(subcommand)]
    Record(record::Record),
    #[command(subcommand)]
    Backup(backup::Backup),
    #[command(subcommand)]
    Config(config::Config),
    Demo(demo::Demo),
    Version,
    #[command(hide = true)]
    Reference,
}

// The clerk who signs, and where their key is.
#[derive(Debug, Args)]
pub(super) struct Signer {
    #[arg(long, value_name = "N")]
    pub(super) clerk: u16,
    #[arg(long, value_name = "FILE")]
    pub(super) clerk_key: Option<PathBuf>,
}
