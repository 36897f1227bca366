//! `hallmesh route`: where a case would go, and why.

use clap::Subcommand;
use hallmesh_protocol::ids::{DivisionCode, HallId, MatterCode};

use super::report::Report;
use super::session::Session;
use super::values;
use crate::ops::{Ask, Problem};

#[derive(Debug, Subcommand)]
pub(super) enum Route {
    Explain {
        #[arg(long, value_name = "CODE", value_parser = values::matter)]
        matter: MatterCode,
        #[arg(long, value_name = "CODE", value_parser = values::division)]
        place: DivisionCode,
        #[arg(long, value_name = "HALL", value_parser = values::hall)]
        from: Option<HallId>,
    },
}

pub(super) fn run(session: &Session, route: &Route) -> Result<Report, Problem> {
    match route {
        Route::Explain { matter, place, from } => {
            let ask = Ask::Route { matter: matter.clone(), place: *place, from: *from };
            Report::of(&session.texts, &session.ask(&ask)?)
        }
    }
}
