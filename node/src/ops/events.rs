//! The events of a case, for people.

use std::collections::BTreeMap;

use hallmesh_protocol::cases::{self, Facts};
use hallmesh_protocol::query::Entry;

use super::answers::Event;
use super::questions::{Asked, name};

/// An event as people read it.
pub(super) fn event(asked: &Asked<'_>, entry: &Entry) -> Event {
    let header = &entry.header;
    Event {
        sequence: header.sequence,
        what: header.facts.word().to_owned(),
        details: details(asked, &header.facts),
        hall: header.at.hall.to_string(),
        hall_name: name(asked.view, header.at.hall),
        clerk: (!header.clerk.is_node()).then_some(header.clerk.number),
        term: header.position.term,
        epoch: header.position.epoch,
        wall: header.wall,
        suspect_time: header.suspect_time,
        digest: entry.digest.to_string(),
        signature: entry.signature_holds,
        body_bytes: entry.body_bytes,
    }
}

/// What an act says in clear besides its kind.
fn about(deed: &cases::Deed) -> Vec<(&'static str, String)> {
    match deed {
        cases::Deed::Decide { granted, certificate } => {
            let mut told = vec![("granted", granted.to_string())];
            told.extend(certificate.then(|| ("certificate", "true".to_owned())));
            told
        }
        cases::Deed::RefuseAcceptance { ground, authority } => {
            let mut told = vec![("ground", ground.word().to_owned())];
            told.extend(authority.map(|authority| ("authority", authority.to_string())));
            told
        }
        cases::Deed::BeginProcedure { procedure, days } => {
            vec![("procedure", procedure.word().to_owned()), ("days", days.to_string())]
        }
        cases::Deed::AcceptLacking { days } | cases::Deed::Extend { days } => {
            vec![("days", days.to_string())]
        }
        cases::Deed::Refer { authority } => vec![("authority", authority.to_string())],
        cases::Deed::Close(closing) => vec![("closing", closing.ending().word().to_owned())],
        cases::Deed::Rectify { event } => vec![("event", event.to_string())],
        cases::Deed::Include(cited) => cites(cited, None),
        cases::Deed::Dismiss(cited, reason) => cites(cited, Some(*reason)),
        cases::Deed::Accept
        | cases::Deed::RequestCorrection
        | cases::Deed::Supplement
        | cases::Deed::Supply
        | cases::Deed::AcceptPromise
        | cases::Deed::Check
        | cases::Deed::Revoke
        | cases::Deed::EndProcedure
        | cases::Deed::Certify
        | cases::Deed::Withdraw
        | cases::Deed::Deliver
        | cases::Deed::Archive => Vec::new(),
    }
}

fn cites(cited: &cases::Cited, dismissed: Option<cases::Dismissal>) -> Vec<(&'static str, String)> {
    let mut told = vec![
        ("statement", cited.statement.to_string()),
        ("kind_of_statement", cited.kind.word().to_owned()),
        ("by", cited.by.hall.to_string()),
        ("stated", cited.wall.to_string()),
    ];
    told.extend(dismissed.map(|reason| ("dismissal", reason.word().to_owned())));
    told
}

fn details(asked: &Asked<'_>, facts: &Facts) -> BTreeMap<String, String> {
    let pairs: Vec<(&str, String)> = match facts {
        Facts::Receive { number, matter, place, competent, .. } => vec![
            ("number", number.to_string()),
            ("matter", matter.to_string()),
            ("place", place.to_string()),
            ("competent", competent.to_string()),
            ("competent_name", name(asked.view, *competent)),
        ],
        Facts::Transfer { to, purpose, .. } => vec![
            ("to", to.hall.to_string()),
            ("to_name", name(asked.view, to.hall)),
            ("purpose", format!("{purpose:?}").to_lowercase()),
        ],
        Facts::Take { witness } => {
            vec![("witness", witness.hall.to_string()), ("witness_name", name(asked.view, witness.hall))]
        }
        Facts::RenewKey { key, .. } => vec![("key", key.to_string())],
        Facts::Resume { refusal } => vec![("refusal", refusal.to_string())],
        Facts::Act(deed) => about(deed),
        Facts::Task(task) => {
            let after: Vec<String> = task.needs().map(|task| task.to_string()).collect();
            let mut told = vec![
                ("bundle", task.bundle.to_string()),
                ("task", task.ordinal.to_string()),
                ("of", task.of.to_string()),
            ];
            told.extend((!after.is_empty()).then(|| ("after", after.join(", "))));
            told
        }
        Facts::Start { results } => vec![("results", results.to_string())],
        Facts::Unknown { kind, .. } => vec![("kind", kind.code.to_string())],
        Facts::ReplaceMirror { mirrors } => {
            let halls = mirrors.iter().flatten().map(|mirror| name(asked.view, mirror.hall));
            vec![("mirrors", halls.collect::<Vec<_>>().join(", "))]
        }
        Facts::Succeed { from, ruling, .. } => {
            let mut told = vec![("from", from.to_string()), ("from_name", name(asked.view, from.hall))];
            told.extend(ruling.map(|ruling| ("ruling", ruling.to_string())));
            told
        }
        Facts::Reassign { from, to, ruling } => vec![
            ("from", from.to_string()),
            ("from_name", name(asked.view, from.hall)),
            ("to", to.to_string()),
            ("to_name", name(asked.view, *to)),
            ("ruling", ruling.to_string()),
        ],
    };
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
