//! `hallmesh post`: letters that wait for other halls, and cases that no other hall keeps yet.

use clap::Subcommand;

use super::report::Report;
use super::session::Session;
use crate::ops::{Ask, Problem};

#[derive(Debug, Subcommand)]
pub(super) enum Post {
    List {
        #[arg(long)]
        single: bool,
        #[arg(long, value_name = "MARK", requires = "single")]
        after: Option<String>,
        #[arg(long, value_name = "N", default_value_t = 100)]
        count: usize,
    },
}

pub(super) fn run(session: &Session, post: &Post) -> Result<Report, Problem> {
    match post {
        Post::List { single: true, after, count } => {
            let ask = Ask::Single { after: after.clone(), count: *count };
            Report::of(&session.texts, &session.ask(&ask)?)
        }
        Post::List { count, .. } => Report::of(&session.texts, &session.ask(&Ask::Post { count: *count })?),
    }
}
