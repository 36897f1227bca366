//! Matters and routes.

use hallmesh_protocol::cases::Reason;

use super::super::table::{fields, table};
use super::{field, heading, marked, next, short};
use crate::ops::{Material, Matter, Route};
use crate::texts::Texts;

pub(super) fn list(texts: &Texts, matters: &[Matter], more: bool) -> Vec<String> {
    let Some(last) = matters.last() else {
        return vec![texts.say("matter.none", &[]), next(texts, "hallmesh matter import --help")];
    };
    let row = |matter: &Matter| {
        vec![
            matter.code.clone(),
            marked(texts, &matter.name, matter.official),
            texts.word("tier", &matter.level),
            matter.body.clone(),
            days(texts, matter),
            rights(texts, &matter.rights),
        ]
    };
    let rows: Vec<_> = matters.iter().map(row).collect();
    let mut lines = table(&heading(texts, &["code", "matter", "level", "body", "days", "rights"]), &rows);
    lines.push(texts.filled("matter.count", &[("count", &matters.len())]));
    lines.push(if more {
        next(texts, &format!("hallmesh matter list --after {}", last.code))
    } else {
        next(texts, &format!("hallmesh matter show {}", last.code))
    });
    lines
}

pub(super) fn one(texts: &Texts, matter: &Matter) -> Vec<String> {
    let version =
        texts.filled("matter.version", &[("version", &matter.version), ("digest", &short(&matter.digest))]);
    let offline = if matter.offline_decision { "matter.offline" } else { "matter.waits" };
    let brought = |it: &&Material| !it.shared;
    let mut lines = fields(&[
        field(texts, "matter", marked(texts, &matter.name, matter.official)),
        field(texts, "code", &matter.code),
        field(texts, "level", texts.word("tier", &matter.level)),
        field(texts, "body", format!("{} {}", matter.body, matter.body_code)),
        field(texts, "limits", days(texts, matter)),
        field(texts, "bring", materials(texts, matter.materials.iter().filter(brought))),
        field(texts, "shared", materials(texts, matter.materials.iter().filter(|it| it.shared))),
        field(texts, "result", &matter.result),
        field(texts, "rights", rights(texts, &matter.rights)),
        field(texts, "offline", texts.say(offline, &[])),
        field(texts, "basis", &matter.basis),
        field(texts, "source", &matter.source),
        field(texts, "version", version),
    ]);
    let place = texts.say("placeholder.place", &[]);
    lines.push(next(texts, &format!("hallmesh route explain --matter {} --place {place}", matter.code)));
    lines
}

pub(super) fn route(texts: &Texts, route: &Route) -> Vec<String> {
    let mut lines = fields(&about(texts, route));
    let (applicant, clerk) = (texts.say("placeholder.applicant", &[]), texts.say("placeholder.clerk", &[]));
    let place = route.reasons.iter().find_map(|reason| match reason {
        Reason::ByPlace { place } => Some(place.to_string()),
        Reason::DecidedAt { .. }
        | Reason::ReceivesByLaw
        | Reason::ReceivesByDelegation { .. }
        | Reason::Delegated { .. }
        | Reason::NotDelegated
        | Reason::InPlaceOf { .. }
        | Reason::Here => None,
    });
    let place = place.unwrap_or_else(|| texts.say("placeholder.place", &[]));
    let (matter, what) = (&route.matter, "hallmesh case receive");
    lines.push(next(
        texts,
        &format!("{what} --matter {matter} --place {place} --applicant {applicant} --clerk {clerk}"),
    ));
    lines
}

/// A route without the next step.
pub(super) fn about(texts: &Texts, route: &Route) -> Vec<(String, String)> {
    let reasons = route.reasons.iter().map(|why| format!("→ {}", reason(texts, why)));
    vec![
        field(texts, "matter", marked(texts, &route.matter_name, route.official)),
        field(texts, "code", &route.matter),
        field(texts, "received_at", format!("{} {}", route.from_name, route.from)),
        field(texts, "decided_at", format!("{} {}", route.to_name, route.to)),
        field(texts, "body", &route.body),
        field(texts, "because", reasons.collect::<Vec<_>>().join("\n")),
    ]
}

/// Materials, one a line.
pub(super) fn materials<'a>(texts: &Texts, materials: impl Iterator<Item = &'a Material>) -> String {
    let named = |it: &Material| match it.necessity.as_str() {
        "required" => it.name.clone(),
        other => format!("{} ({})", it.name, texts.word("necessity", other)),
    };
    let lines: Vec<String> = materials.map(named).collect();
    if lines.is_empty() { texts.say("matter.nothing", &[]) } else { lines.join("\n") }
}

fn reason(texts: &Texts, reason: &Reason) -> String {
    match reason {
        Reason::DecidedAt { tier, body_name } => texts.filled(
            "reason.decided_at",
            &[("tier", &texts.word("tier", tier.as_str())), ("body", body_name)],
        ),
        Reason::ReceivesByLaw => texts.say("reason.receives_by_law", &[]),
        Reason::ReceivesByDelegation { area } => {
            texts.filled("reason.receives_by_delegation", &[("area", area)])
        }
        Reason::Delegated { tier } => {
            texts.filled("reason.delegated", &[("tier", &texts.word("tier", tier.as_str()))])
        }
        Reason::NotDelegated => texts.say("reason.not_delegated", &[]),
        Reason::ByPlace { place } => texts.filled("reason.by_place", &[("place", place)]),
        Reason::InPlaceOf { hall } => texts.filled("reason.in_place_of", &[("hall", hall)]),
        Reason::Here => texts.say("reason.here", &[]),
    }
}

fn days(texts: &Texts, matter: &Matter) -> String {
    if matter.promised {
        texts.filled("matter.days", &[("promised", &matter.promised_days), ("legal", &matter.legal_days)])
    } else {
        texts.say("matter.at_once", &[])
    }
}

fn rights(texts: &Texts, rights: &[String]) -> String {
    let rights: Vec<String> = rights.iter().map(|right| texts.word("right", right)).collect();
    if rights.is_empty() { "-".to_owned() } else { rights.join(" ") }
}
