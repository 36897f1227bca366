//! `hallmesh due`: by when something has to be done, and why then.

use clap::Subcommand;
use hallmesh_protocol::calendar::CivilDay;

use super::report::Report;
use super::session::Session;
use super::values;
use crate::ops::{Ask, Problem};

#[derive(Debug, Subcommand)]
pub(super) enum Due {
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
        Due::Explain { case } => Ask::DueExplain { case: case.clone() },
        Due::Compute { from, working_days } => Ask::DueCompute { from: *from, working_days: *working_days },
    };
    Report::of(&session.texts, &session.ask(&ask)?)
}
