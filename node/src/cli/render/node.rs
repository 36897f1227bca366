//! The node, its neighbours, the directory.

use super::super::table::{fields, table};
use super::super::time;
use super::audit::{REJOIN, forgotten};
use super::{due, durability, field, heading, next, short};
use crate::home::Sealing;
use crate::ops::{DueCounts, Hall, Peer, RecorderState, Status};
use crate::texts::Texts;

/// A charter that runs out sooner is warned about.
const CHARTER_DAYS_MIN: u64 = 30;
/// Less room than this is warned about.
const DISK_FREE_MIN: u64 = 1 << 30;

pub(super) fn status(texts: &Texts, status: &Status) -> Vec<String> {
    let mut lines = fields(&about(texts, status));
    lines.extend(warnings(texts, status));
    lines.push(next(texts, next_of(status)));
    lines
}

pub(super) fn recorder(texts: &Texts, state: RecorderState) -> Vec<String> {
    if !state.on {
        return vec![texts.say("record.off", &[]), next(texts, "hallmesh config check")];
    }
    let held = [
        ("inputs", &state.inputs as &dyn std::fmt::Display),
        ("since", &time::moment(state.since)),
        ("size", &time::bytes(state.bytes)),
    ];
    vec![texts.filled("record.on", &held), next(texts, &texts.say("record.next", &[]))]
}

fn about(texts: &Texts, status: &Status) -> Vec<(String, String)> {
    let tier = texts.word("tier", &status.tier);
    let hall = texts.filled(
        "status.hall",
        &[
            ("name", &status.name),
            ("hall", &status.hall),
            ("tier", &tier),
            ("incarnation", &status.incarnation),
        ],
    );
    let parent = status.parent.clone().unwrap_or_else(|| texts.say("status.no_parent", &[]));
    let lists = texts
        .filled("status.lists", &[("directory", &status.directory_records), ("lists", &status.list_records)]);
    let roots = texts.filled(
        "status.roots",
        &[("directory", &short(&status.directory_root)), ("lists", &short(&status.lists_root))],
    );
    let post = texts.filled("status.post", &[("post", &status.post), ("relayed", &status.relayed)]);
    let up = texts.filled(
        "status.up",
        &[
            ("span", &time::span(texts, status.up_ms)),
            ("version", &status.version),
            ("clock", &time::moment(status.wall)),
        ],
    );
    vec![
        field(texts, "hall", hall),
        field(texts, "parent", parent),
        field(texts, "line", line(texts, status)),
        field(texts, "lists", format!("{lists}\n{roots}")),
        field(texts, "cases", cases(texts, status)),
        field(texts, "limits", due_line(texts, status)),
        field(texts, "statements", texts.filled("status.statements", &[("count", &status.statements)])),
        field(texts, "post", post),
        field(texts, "charter", charter(texts, status)),
        field(texts, "listening", status.listening.join("\n")),
        field(texts, "peer_id", &status.peer_id),
        field(texts, "root", &status.root),
        field(texts, "disk", texts.filled("status.disk", &[("free", &time::bytes(status.disk_free))])),
        field(texts, "keys", texts.word("sealed", &status.sealed)),
        field(texts, "node", up),
    ]
}

fn line(texts: &Texts, status: &Status) -> String {
    texts.filled("status.line", &[("peers", &status.peers), ("wanted", &status.wanted_peers)])
}

fn cases(texts: &Texts, status: &Status) -> String {
    let total = texts.filled("status.cases", &[("cases", &status.cases), ("closed", &status.closed)]);
    let stages = status.stages.iter().filter(|(_, count)| **count > 0);
    let stages: Vec<String> =
        stages.map(|(stage, count)| format!("{} {count}", texts.word("status.stage", stage))).collect();
    let stages = Some(stages.join(", ")).filter(|stages| !stages.is_empty());
    let lines = [Some(total), stages, durability::single_count(texts, status)];
    lines.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

fn due_line(texts: &Texts, status: &Status) -> String {
    status
        .due
        .as_ref()
        .map_or_else(|| texts.say("status.not_looked", &[]), |counts| due::counts(texts, counts))
}

fn charter(texts: &Texts, status: &Status) -> String {
    let until = time::day(status.charter_valid_to);
    match time::days_until(status.wall, status.charter_valid_to) {
        Some(days) => texts.filled("status.charter", &[("until", &until), ("days", &days)]),
        None => texts.filled("status.charter_over", &[("until", &until)]),
    }
}

fn warnings(texts: &Texts, status: &Status) -> Vec<String> {
    let charter = time::days_until(status.wall, status.charter_valid_to);
    let cut_off = status.peers == 0 && status.wanted_peers > 0;
    let free = time::bytes(status.disk_free);
    let refused: Vec<String> =
        status.refused.iter().map(|(why, count)| format!("{} {count}", texts.word("refused", why))).collect();
    let unsealed = status.sealed == Sealing::None.word();
    let single = durability::is_single_for_long(status);
    let pressing = status.due.unwrap_or_default();
    let untold = pressing.unknown.saturating_add(pressing.doubtful);
    let known: [(bool, &str, &str); 17] = [
        (unsealed, "status.warn.unsealed", ""),
        (status.clock_doubted, "status.warn.clock", &time::moment(status.clock)),
        (pressing.overdue > 0, "status.warn.overdue", &pressing.overdue.to_string()),
        (pressing.soon > 0, "status.warn.soon", &pressing.soon.to_string()),
        (untold > 0, "status.warn.untold", &untold.to_string()),
        (pressing.bundles_overdue > 0, "status.warn.bundles_overdue", &pressing.bundles_overdue.to_string()),
        (pressing.bundles_soon > 0, "status.warn.bundles_soon", &pressing.bundles_soon.to_string()),
        (pressing.bundles_blocked > 0, "status.warn.bundles_blocked", &pressing.bundles_blocked.to_string()),
        (cut_off, "status.warn.cut_off", ""),
        (charter.is_none_or(|days| days < CHARTER_DAYS_MIN), "status.warn.charter", ""),
        (status.disk_free < DISK_FREE_MIN, "status.warn.disk", &free),
        (status.list_records == 0, "status.warn.no_lists", ""),
        (single, "status.warn.single", &status.single.to_string()),
        (status.forks > 0, "status.warn.forks", &status.forks.to_string()),
        (status.known_forks > 0, "status.warn.known_forks", &status.known_forks.to_string()),
        (!status.twins.is_empty(), "status.warn.twins", &status.twins.join(", ")),
        (!refused.is_empty(), "status.warn.refused", &refused.join(", ")),
    ];
    let said = known.iter().filter(|(holds, ..)| *holds);
    let said = said.map(|(_, key, value)| texts.filled(key, &[("value", value)]));
    // First what stops all work.
    let forgotten = status.rolled_back.iter().map(|found| forgotten(texts, found));
    let said = forgotten.chain(said).chain(durability::undeliverable(texts, status));
    said.map(|line| format!("! {line}")).collect()
}

/// Whether `due list` has something that presses.
const fn presses(due: DueCounts) -> bool {
    let bundles = due.bundles_overdue > 0 || due.bundles_soon > 0 || due.bundles_blocked > 0;
    bundles || due.overdue > 0 || due.soon > 0
}

fn next_of(status: &Status) -> &'static str {
    if status.rolled_back.is_some() {
        REJOIN
    } else if status.peers < status.wanted_peers {
        "hallmesh peer list"
    } else if status.list_records == 0 {
        "hallmesh matter import --help"
    } else if durability::is_single_for_long(status) {
        "hallmesh post list --single"
    } else if status.due.is_some_and(presses) {
        "hallmesh due list"
    } else if status.statements > 0 {
        "hallmesh case statements"
    } else if status.post > 0 {
        "hallmesh post list"
    } else {
        "hallmesh case list"
    }
}

pub(super) fn peers(texts: &Texts, peers: &[Peer]) -> Vec<String> {
    if peers.is_empty() {
        return vec![texts.say("peer.none", &[]), next(texts, "hallmesh hall list")];
    }
    let row = |peer: &Peer| {
        let state = if peer.connected { "connected" } else { "cut-off" };
        let addresses = if peer.addresses.is_empty() {
            texts.say("peer.calls_in", &[])
        } else {
            peer.addresses.join(" ")
        };
        vec![peer.hall.clone(), peer.name.clone(), texts.word("peer.state", state), addresses]
    };
    let rows: Vec<_> = peers.iter().map(row).collect();
    let mut lines = table(&heading(texts, &["code", "hall", "line", "addresses"]), &rows);
    let connected = peers.iter().filter(|peer| peer.connected).count();
    lines.push(texts.filled("peer.count", &[("connected", &connected), ("count", &peers.len())]));
    lines.push(next(texts, "hallmesh status"));
    lines
}

pub(super) fn halls(texts: &Texts, halls: &[Hall]) -> Vec<String> {
    if halls.is_empty() {
        return vec![texts.say("hall.none", &[]), next(texts, "hallmesh hall list")];
    }
    let row = |hall: &Hall| {
        vec![
            hall.hall.clone(),
            hall.name.clone(),
            texts.word("tier", &hall.tier),
            hall.parent.clone().unwrap_or_else(|| "-".to_owned()),
            hall.incarnation.to_string(),
            time::day(hall.valid_to),
        ]
    };
    let rows: Vec<_> = halls.iter().map(row).collect();
    let mut lines =
        table(&heading(texts, &["code", "hall", "tier", "parent", "incarnation", "valid_to"]), &rows);
    lines.push(texts.filled("hall.count", &[("count", &halls.len())]));
    lines.push(next(texts, "hallmesh peer list"));
    lines
}
