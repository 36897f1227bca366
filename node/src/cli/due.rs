//! `hallmesh due`: by when something has to be done, and why then.

use clap::Subcommand;
use hallmesh_protocol::calendar::CivilDay;

use super::report::Report;
use super::session::Session;
use super::values;
use crate::ops::{Ask, Problem};

/// Cases that are listed if nothing is said.
const LISTED: usize = 50;

#[derive(Debug, Subcommand)]
pub(super) enum Due {
    List {
        #[arg(long, value_name = "N")]
        within: Option<u16>,
        #[arg(long, value_name = "N", default_value_t = LISTED)]
        count: usize,
    },
    Explain {
        case: String,
    },
    Compute {
        #[arg(long, value_name = "DATE", value_parser = values::day)]
        from: CivilDay,
        #[arg(long, value_name = "N")]
        working_days: u16,
    },
}

pub(super) fn run(session: &Session, due: &Due) -> Result<Report, Problem> {
    let ask = match due {
        Due::List { within, count } => Ask::DueList { within: *within, count: *count },
        Due::Explain { case } => Ask::DueExplain { case: case.clone() },
        Due::Compute { from, working_days } => Ask::DueCompute { from: *from, working_days: *working_days },
    };
    Report::of(&session.texts, &session.ask(&ask)?)
}
