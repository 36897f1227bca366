//! What the demo has to show for itself: every case exported and checked, every node counted.

use std::path::Path;

use hallmesh_protocol::cases::State;
use serde::Serialize;

use super::city::City;
use super::stories::Story;
use crate::export;
use crate::ops::{Answer, Ask, Event, Problem, unhex};

/// The demo's outcome.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The version of this document.
    pub schema: u32,
    /// Every story ended as told, and every case checks.
    pub ok: bool,
    /// The stories.
    pub stories: Vec<Told>,
    /// The nodes.
    pub nodes: Vec<NodeCounts>,
}

/// A story with its evidence.
#[derive(Clone, Debug, Serialize)]
pub struct Told {
    /// Its name.
    pub name: String,
    /// Its cases.
    pub cases: Vec<CaseProof>,
}

/// A case with its evidence.
#[derive(Clone, Debug, Serialize)]
pub struct CaseProof {
    /// Its number.
    pub number: String,
    /// The matter's code.
    pub matter: String,
    /// How far it came.
    pub state: String,
    /// Its log.
    pub events: Vec<EventProof>,
    /// The exported directory checks, from the city root down.
    pub verified: bool,
    /// Where it was exported to.
    pub export: String,
}

/// An event, as evidence.
#[derive(Clone, Debug, Serialize)]
pub struct EventProof {
    /// What happened.
    pub what: String,
    /// The hall's code.
    pub hall: String,
    /// Its name.
    pub hall_name: String,
    /// The epoch.
    pub epoch: u32,
    /// The event's digest.
    pub hash: String,
    /// Whether its signature holds.
    pub signature: bool,
    /// Milliseconds since 1970.
    pub wall: u64,
}

/// What a node holds at the end.
#[derive(Clone, Debug, Serialize)]
pub struct NodeCounts {
    /// The hall's code.
    pub hall: String,
    /// Its name.
    pub name: String,
    /// Directory records.
    pub directory_records: u64,
    /// List records.
    pub list_records: u64,
    /// Cases of which it has rows.
    pub cases: u64,
    /// Letters that wait.
    pub post: u64,
    /// Letters it took along for others.
    pub relayed: u64,
}

/// Exports and checks every case, and counts every node.
pub(crate) async fn make(city: &City, exports: &Path, stories: Vec<Story>) -> Result<Report, Problem> {
    let mut told = Vec::new();
    for story in stories {
        let mut cases = Vec::new();
        for ended in &story.cases {
            cases.push(prove(city, exports, ended.delivered_at, &ended.number).await?);
        }
        told.push(Told { name: story.name, cases });
    }
    let mut nodes = Vec::new();
    for member in &city.members {
        let status = member.client.status().await?;
        nodes.push(NodeCounts {
            hall: status.hall,
            name: status.name,
            directory_records: status.directory_records,
            list_records: status.list_records,
            cases: status.cases,
            post: status.post,
            relayed: status.relayed,
        });
    }
    let proven = |case: &CaseProof| {
        let over = [State::Delivered, State::Archived].map(State::word).contains(&case.state.as_str());
        case.verified && over && case.events.iter().all(|event| event.signature)
    };
    let ok = told.iter().all(|story| story.cases.iter().all(proven));
    Ok(Report { schema: 1, ok, stories: told, nodes })
}

pub(super) async fn prove(
    city: &City,
    exports: &Path,
    at: usize,
    number: &str,
) -> Result<CaseProof, Problem> {
    let client = &city.member(at)?.client;
    let Answer::Trace(trace) = client.ask(&Ask::Trace { case: number.to_owned() }).await? else {
        return Err(Problem::new("call.malformed"));
    };
    let Answer::Export { package } = client.ask(&Ask::Export { case: number.to_owned() }).await? else {
        return Err(Problem::new("call.malformed"));
    };
    let package = unhex(&package).ok_or_else(|| Problem::new("call.malformed"))?;
    let dir = exports.join(number);
    export::write_package(&package, &dir)?;
    Ok(CaseProof {
        number: number.to_owned(),
        matter: trace.case.matter.clone(),
        state: trace.case.state.word().to_owned(),
        events: trace.events.iter().map(event).collect(),
        verified: export::verify(&dir, Some(city.anchor)).is_ok(),
        export: dir.display().to_string(),
    })
}

fn event(event: &Event) -> EventProof {
    EventProof {
        what: event.what.clone(),
        hall: event.hall.clone(),
        hall_name: event.hall_name.clone(),
        epoch: event.epoch,
        hash: event.digest.clone(),
        signature: event.signature == Some(true),
        wall: event.wall,
    }
}
