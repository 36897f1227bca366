//! `hallmesh peer`: the neighbours of this hall.

use clap::Subcommand;

use super::report::Report;
use super::session::Session;
use crate::ops::{Ask, Problem};

#[derive(Debug, Subcommand)]
pub(super) enum Peer {
    List,
}

pub(super) fn run(session: &Session, peer: &Peer) -> Result<Report, Problem> {
    match peer {
        Peer::List => Report::of(&session.texts, &session.ask(&Ask::Peers)?),
    }
}
