//! Merkle logs: this hall's, those of others, forks.

use super::super::table::{fields, table};
use super::super::time;
use super::{field, heading, next, short};
use crate::ops::{Audit, AuditChecked, Forgotten, ForkSeen, Seen};
use crate::texts::Texts;

pub(super) fn show(texts: &Texts, audit: &Audit) -> Vec<String> {
    let size = texts.filled("audit.size", &[("size", &audit.size), ("root", &short(&audit.root))]);
    let checkpoint = audit.checkpoint.as_ref().map(|seen| {
        texts.filled("audit.checkpoint", &[("size", &seen.size), ("time", &time::moment(seen.wall))])
    });
    let about = [
        field(texts, "audit_log", size),
        field(texts, "checkpoint", checkpoint.unwrap_or_else(|| texts.say("audit.no_checkpoint", &[]))),
    ];
    let mut lines = fields(&about);
    lines.extend(audit.rolled_back.iter().map(|found| format!("! {}", forgotten(texts, found))));
    lines.push(texts.filled("audit.cosigned", &[("count", &audit.cosigned.len())]));
    lines.extend(seen(texts, &audit.cosigned));
    lines.push(texts.filled("audit.witnessed", &[("count", &audit.witnessed.len())]));
    lines.extend(seen(texts, &audit.witnessed));
    lines.extend(forks(texts, &audit.forks));
    lines.push(next(texts, if audit.rolled_back.is_some() { REJOIN } else { "hallmesh audit verify" }));
    lines
}

/// What a hall does that has forgotten what it signed.
pub(super) const REJOIN: &str = "hallmesh hall rejoin";

/// That this hall has forgotten, and what it has come to.
pub(super) fn forgotten(texts: &Texts, found: &Forgotten) -> String {
    let said = [
        ("hall", &found.shown_by_name as &dyn std::fmt::Display),
        ("size", &found.size),
        ("signed", &found.signed),
        ("time", &time::moment(found.wall)),
    ];
    texts.filled("status.warn.rolled_back", &said)
}

/// Forks, each in a line; nothing if there are none.
pub(super) fn forks(texts: &Texts, forks: &[ForkSeen]) -> Vec<String> {
    let line = |fork: &ForkSeen| {
        let stated_by = fork.stated_by.clone().unwrap_or_else(|| "-".to_owned());
        let case = fork.case.clone().unwrap_or_default();
        let said = [
            ("name", &fork.name as &dyn std::fmt::Display),
            ("hall", &fork.hall),
            ("incarnation", &fork.incarnation),
            ("case", &case),
            ("place", &fork.place),
            ("by", &stated_by),
        ];
        let key = if fork.case.is_some() { "audit.fork_case" } else { "audit.fork_log" };
        format!("! {}", texts.filled(key, &said))
    };
    forks.iter().map(line).collect()
}

pub(super) fn checked(texts: &Texts, found: &AuditChecked) -> Vec<String> {
    let Some(wrong) = &found.wrong else {
        let said = texts.filled("audit.holds", &[("size", &found.size)]);
        return vec![said, next(texts, "hallmesh audit show")];
    };
    let what = texts.word("audit.wrong", &wrong.what);
    let mut lines = vec![texts.filled("audit.wrong", &[("place", &wrong.place), ("what", &what)])];
    if let (Some(case), Some(sequence)) = (&wrong.case, wrong.sequence) {
        lines.push(texts.filled("audit.wrong_case", &[("case", case), ("sequence", &sequence)]));
    }
    lines.push(texts.say("audit.wrong_next", &[]));
    lines.push(next(texts, "hallmesh audit show"));
    lines
}

fn seen(texts: &Texts, seen: &[Seen]) -> Vec<String> {
    let row = |it: &Seen| {
        vec![
            it.hall.clone(),
            it.name.clone(),
            it.incarnation.to_string(),
            it.size.to_string(),
            short(&it.root),
            time::moment(it.wall),
        ]
    };
    let rows: Vec<_> = seen.iter().map(row).collect();
    if rows.is_empty() {
        return Vec::new();
    }
    table(&heading(texts, &["code", "hall", "incarnation", "leaves", "log_root", "time"]), &rows)
}
