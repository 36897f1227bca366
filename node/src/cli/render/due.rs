//! Limits: which run, and why each day counts.

use super::super::table::{fields, table};
use super::{bundle, field, heading, next};
use crate::ops::{
    DueBundle, DueCase, DueComputed, DueCounts, DueDay, DueExplained, DueList, TaskOf, TimeLimit,
};
use crate::texts::Texts;

/// The limits of a case as lines of its description: those that matter now.
pub(super) fn running(texts: &Texts, limits: &[TimeLimit]) -> Vec<(String, String)> {
    let open = limits.iter().filter(|limit| limit.met.is_none() || limit.reading == "missed");
    open.map(|limit| (texts.word("limit", &limit.kind), told(texts, limit))).collect()
}

/// The limit that ends first among those that run, in a few words.
pub(super) fn first(texts: &Texts, limits: &[TimeLimit]) -> Option<String> {
    let runs = limits.iter().filter(|limit| limit.met.is_none());
    let first = runs.min_by_key(|limit| limit.due.clone().unwrap_or_else(|| "9999".to_owned()))?;
    Some(format!("{} {}", texts.word("limit", &first.kind), short(texts, first)))
}

pub(super) fn list(texts: &Texts, found: &DueList) -> Vec<String> {
    let mut lines =
        vec![texts.filled("due.list", &[("today", &found.today), ("counts", &counts(texts, &found.counts))])];
    let waiting =
        (found.statements > 0).then(|| texts.filled("due.statements", &[("count", &found.statements)]));
    lines.extend(waiting);
    if found.cases.is_empty() && found.bundles.is_empty() {
        lines.push(texts.say("due.none", &[]));
        let then = if found.statements > 0 { "hallmesh case statements" } else { "hallmesh case list" };
        lines.push(next(texts, then));
        return lines;
    }
    let row = |case: &DueCase| {
        let limit = case.limit.as_ref();
        let kind = limit.map_or_else(|| "-".to_owned(), |limit| texts.word("limit", &limit.kind));
        let due = limit.map_or_else(|| texts.say("due.unknown", &[]), |limit| short(texts, limit));
        let state = texts.word("state", &case.state);
        let urgency = texts.word("urgency", &case.urgency);
        vec![case.number.clone(), case.matter.clone(), state, case.hall.clone(), kind, due, urgency]
    };
    let rows: Vec<_> = found.cases.iter().map(row).collect();
    if !rows.is_empty() {
        let columns = ["case", "matter", "state", "hall", "limit", "due", "urgency"];
        lines.extend(table(&heading(texts, &columns), &rows));
    }
    lines.extend(wholes(texts, &found.bundles));
    let blocked = found.bundles.iter().find(|it| !it.blocked.is_empty()).or_else(|| found.bundles.first());
    lines.push(match (found.cases.first(), blocked) {
        (_, Some(it)) if !it.blocked.is_empty() => {
            next(texts, &format!("hallmesh bundle status {}", it.number))
        }
        (Some(case), _) => next(texts, &format!("hallmesh due explain {}", case.number)),
        (None, Some(it)) => next(texts, &format!("hallmesh bundle status {}", it.number)),
        (None, None) => next(texts, "hallmesh case list"),
    });
    lines
}

/// What was promised for applications as a whole, and what of them cannot go on.
fn wholes(texts: &Texts, bundles: &[DueBundle]) -> Vec<String> {
    let row = |it: &DueBundle| {
        let name = it.name.clone().unwrap_or_else(|| texts.say("bundle.unnamed", &[]));
        let due =
            it.limit.as_ref().map_or_else(|| texts.say("due.unknown", &[]), |limit| short(texts, limit));
        let tasks = it.blocked.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let blocked = if tasks.is_empty() { "-".to_owned() } else { tasks };
        vec![it.number.clone(), name, due, texts.word("urgency", &it.urgency), blocked]
    };
    let rows: Vec<_> = bundles.iter().map(row).collect();
    if rows.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![String::new()];
    lines.extend(table(&heading(texts, &["application", "bundle", "due", "urgency", "blocked"]), &rows));
    lines
}

/// How many cases press, in a few words.
pub(super) fn counts(texts: &Texts, counts: &DueCounts) -> String {
    let unknown = (counts.unknown > 0).then(|| texts.filled("due.not_told", &[("count", &counts.unknown)]));
    let doubtful =
        (counts.doubtful > 0).then(|| texts.filled("due.in_doubt", &[("count", &counts.doubtful)]));
    let said = texts.filled(
        "due.counts",
        &[("open", &counts.open), ("overdue", &counts.overdue), ("soon", &counts.soon)],
    );
    [Some(said), doubtful, unknown].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

pub(super) fn explained(texts: &Texts, found: &DueExplained) -> Vec<String> {
    let mut lines = vec![texts.filled("due.case", &[("number", &found.number), ("today", &found.today)])];
    if let Some(since) = &found.deemed_accepted {
        lines.push(format!("! {}", texts.filled("due.deemed", &[("since", since)])));
    }
    lines.extend(found.task.iter().flat_map(|task| of_bundle(texts, task)));
    for explained in &found.limits {
        let limit = &explained.limit;
        lines.push(String::new());
        lines.push(format!("{}  {}", texts.word("limit", &limit.kind), told(texts, limit)));
        lines.push(format!("  {}", texts.word("article", &limit.article)));
        lines.extend(days(texts, &explained.days));
    }
    lines.push(next(texts, &format!("hallmesh case trace {}", found.number)));
    lines
}

/// Of a task of a bundle: why its limits have not begun, or since when they run, and what was promised for the whole.
fn of_bundle(texts: &Texts, task: &TaskOf) -> Vec<String> {
    let mut lines = fields(&bundle::task_of(texts, task));
    let waits = ["waits", "blocked"].contains(&task.state.as_str());
    lines.extend(waits.then(|| texts.say("due.task_waits", &[])));
    let limit = task.limit.iter();
    lines.extend(limit.map(|limit| format!("{}  {}", texts.word("limit", &limit.kind), told(texts, limit))));
    lines
}

pub(super) fn computed(texts: &Texts, found: &DueComputed) -> Vec<String> {
    let mut lines = fields(&[
        field(texts, "from", &found.from),
        field(texts, "working_days", found.working_days.to_string()),
        field(texts, "due", provisional(texts, &found.due, found.provisional)),
    ]);
    lines.extend(days(texts, &found.days));
    lines.push(next(texts, "hallmesh case list"));
    lines
}

fn days(texts: &Texts, days: &[DueDay]) -> Vec<String> {
    let row = |day: &DueDay| {
        let counted = matches!(day.counts.as_str(), "working" | "make-up");
        let number = if counted { day.number.to_string() } else { "-".to_owned() };
        let why = texts.word("counts", &day.counts);
        let why = if day.provisional { texts.filled("due.unpublished", &[("why", &why)]) } else { why };
        vec![day.day.clone(), number, why]
    };
    let rows: Vec<_> = days.iter().map(row).collect();
    table(&heading(texts, &["day", "number", "why"]), &rows)
}

pub(super) fn told(texts: &Texts, limit: &TimeLimit) -> String {
    let length = texts.filled("due.length", &[("days", &limit.working_days), ("start", &limit.start)]);
    let extended = (limit.extended > 0).then(|| texts.filled("due.extended", &[("days", &limit.extended)]));
    let doubtful = limit.doubtful.then(|| texts.say("due.doubtful", &[]));
    [Some(short(texts, limit)), Some(length), extended, doubtful]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("; ")
}

pub(super) fn short(texts: &Texts, limit: &TimeLimit) -> String {
    let left = limit.left.unwrap_or_default();
    let Some(due) = &limit.due else { return texts.filled("due.stands_still", &[("left", &left)]) };
    let due = provisional(texts, due, limit.provisional);
    match (limit.reading.as_str(), &limit.met) {
        ("kept", Some(met)) => texts.filled("due.kept", &[("due", &due), ("met", met)]),
        ("missed", Some(met)) => texts.filled("due.late", &[("due", &due), ("met", met)]),
        ("missed", None) => texts.filled("due.missed", &[("due", &due)]),
        _runs => texts.filled("due.runs", &[("due", &due), ("left", &left)]),
    }
}

fn provisional(texts: &Texts, day: &str, provisional: bool) -> String {
    if provisional { texts.filled("due.provisional", &[("day", &day)]) } else { day.to_owned() }
}
