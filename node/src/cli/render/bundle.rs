//! Bundles: what they ask and need, how an application for one has gone on, why a task waits.

use super::super::table::{fields, table};
use super::super::time;
use super::matter::materials;
use super::{due, field, heading, marked, next};
use crate::ops::{Application, BundleReceived, BundleShown, QuestionShown, TaskOf, TaskShown};
use crate::texts::Texts;

pub(super) fn list(texts: &Texts, bundles: &[BundleShown], more: bool) -> Vec<String> {
    let Some(last) = bundles.last() else {
        return vec![texts.say("bundle.none", &[]), next(texts, "hallmesh matter import --help")];
    };
    let row = |it: &BundleShown| {
        let items = it.items.len().to_string();
        vec![it.code.clone(), marked(texts, &it.name, it.official), items, it.lead.clone(), days(texts, it)]
    };
    let rows: Vec<_> = bundles.iter().map(row).collect();
    let mut lines = table(&heading(texts, &["code", "bundle", "items", "lead", "days"]), &rows);
    lines.push(next(
        texts,
        &if more {
            format!("hallmesh bundle show --after {}", last.code)
        } else {
            format!("hallmesh bundle show {}", last.code)
        },
    ));
    lines
}

fn days(texts: &Texts, bundle: &BundleShown) -> String {
    texts.filled("bundle.days", &[("days", &bundle.promised_days)])
}

pub(super) fn one(texts: &Texts, bundle: &BundleShown) -> Vec<String> {
    let shared =
        if bundle.shared.is_empty() { texts.say("matter.nothing", &[]) } else { bundle.shared.join("\n") };
    let mut lines = fields(&[
        field(texts, "bundle", marked(texts, &bundle.name, bundle.official)),
        field(texts, "code", &bundle.code),
        field(texts, "lead", &bundle.lead),
        field(texts, "limits", days(texts, bundle)),
        field(texts, "questions", questions(texts, &bundle.questions)),
        field(texts, "bring", materials(texts, bundle.bring.iter())),
        field(texts, "shared", shared),
        field(texts, "form", form(texts, bundle)),
        field(texts, "source", &bundle.source),
    ]);
    let row = |item: &crate::ops::ItemShown| {
        let after: Vec<String> = item.after.iter().map(ToString::to_string).collect();
        let always = texts.say("bundle.always", &[]);
        vec![
            item.number.to_string(),
            item.matter.clone(),
            item.name.clone().unwrap_or_else(|| "-".to_owned()),
            item.body.clone().unwrap_or_else(|| "-".to_owned()),
            if item.when.is_empty() { always } else { item.when.join(", ") },
            if after.is_empty() { "-".to_owned() } else { after.join(", ") },
        ]
    };
    let rows: Vec<_> = bundle.items.iter().map(row).collect();
    lines.push(String::new());
    lines.extend(table(&heading(texts, &["number", "code", "matter", "body", "when", "after"]), &rows));
    lines.push(next(texts, &receive(texts, bundle)));
    lines
}

fn questions(texts: &Texts, questions: &[QuestionShown]) -> String {
    let line = |it: &QuestionShown| {
        let options = it.options.iter().map(|(id, text)| format!("{}={id} {text}", it.id));
        format!("{}\n  {}", it.text, options.collect::<Vec<_>>().join("\n  "))
    };
    let lines: Vec<String> = questions.iter().map(line).collect();
    if lines.is_empty() { texts.say("matter.nothing", &[]) } else { lines.join("\n") }
}

fn form(texts: &Texts, bundle: &BundleShown) -> String {
    let field = |it: &crate::ops::FieldShown| {
        let optional = (!it.required).then(|| texts.word("necessity", "optional"));
        optional.map_or_else(
            || format!("{} {}", it.name, it.label),
            |word| format!("{} {} ({word})", it.name, it.label),
        )
    };
    bundle.fields.iter().map(field).collect::<Vec<_>>().join("\n")
}

fn receive(texts: &Texts, bundle: &BundleShown) -> String {
    let (applicant, clerk) = (texts.say("placeholder.applicant", &[]), texts.say("placeholder.clerk", &[]));
    let first = |it: &QuestionShown| Some(format!("{}={}", it.id, it.options.first()?.0));
    let answers: Vec<String> = bundle.questions.iter().filter_map(first).collect();
    let answers =
        if answers.is_empty() { String::new() } else { format!(" --answers {}", answers.join(",")) };
    let place = texts.say("placeholder.place", &[]);
    let (code, what) = (&bundle.code, "hallmesh bundle receive");
    format!("{what} {code}{answers} --place {place} --applicant {applicant} --clerk {clerk}")
}

pub(super) fn received(texts: &Texts, received: &BundleReceived) -> Vec<String> {
    let application = &received.application;
    let mut lines = vec![texts.say("bundle.received", &[])];
    lines.extend(fields(&about(texts, application)));
    lines.extend(tasks(texts, application));
    lines.extend(fields(&[field(texts, "bring", materials(texts, received.bring.iter()))]));
    if !received.unused.is_empty() {
        lines.push(texts.filled("bundle.unused", &[("fields", &received.unused.join(", "))]));
    }
    if received.grade == "D1" {
        lines.push(format!("! {}", texts.say("bundle.single", &[])));
    }
    lines.push(next(texts, &format!("hallmesh bundle status {}", application.number)));
    lines
}

pub(super) fn applications(texts: &Texts, found: &[Application], after: Option<&str>) -> Vec<String> {
    let Some(last) = found.last() else {
        return vec![texts.say("bundle.no_application", &[]), next(texts, "hallmesh bundle show")];
    };
    let row = |it: &Application| {
        let done = it.tasks.iter().filter(|task| ["ready", "delivered"].contains(&task.state.as_str()));
        vec![
            it.number.clone(),
            name(texts, it),
            texts.word("bundle_state", &it.state),
            format!("{}/{}", done.count(), it.tasks.len()),
            it.limit.as_ref().map_or_else(|| "-".to_owned(), |limit| due::short(texts, limit)),
        ]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    let mut lines = table(&heading(texts, &["number", "bundle", "state", "tasks", "due"]), &rows);
    lines.push(match after {
        Some(after) => next(texts, &format!("hallmesh bundle list --after {after}")),
        None => next(texts, &format!("hallmesh bundle status {}", last.number)),
    });
    lines
}

pub(super) fn application(texts: &Texts, application: &Application) -> Vec<String> {
    let mut lines = fields(&about(texts, application));
    lines.extend(tasks(texts, application));
    lines.push(next(texts, &step(texts, application)));
    lines
}

fn name(texts: &Texts, application: &Application) -> String {
    let name = application.name.clone().unwrap_or_else(|| texts.say("bundle.unnamed", &[]));
    marked(texts, &name, application.official)
}

fn about(texts: &Texts, application: &Application) -> Vec<(String, String)> {
    let mut about = vec![
        field(texts, "number", &application.number),
        field(texts, "bundle", name(texts, application)),
        field(texts, "state", texts.word("bundle_state", &application.state)),
    ];
    about.extend(application.received.map(|at| field(texts, "received", time::moment(at))));
    let limit = application.limit.as_ref();
    about.extend(limit.map(|limit| (texts.word("limit", &limit.kind), due::told(texts, limit))));
    about
}

fn tasks(texts: &Texts, application: &Application) -> Vec<String> {
    let row = |task: &TaskShown| {
        vec![
            task.task.to_string(),
            task.matter.clone().unwrap_or_else(|| "-".to_owned()),
            task.case.clone().unwrap_or_else(|| "-".to_owned()),
            state(texts, task),
            whereabouts(texts, task),
        ]
    };
    let rows: Vec<_> = application.tasks.iter().map(row).collect();
    table(&heading(texts, &["number", "matter", "case", "state", "where"]), &rows)
}

fn state(texts: &Texts, task: &TaskShown) -> String {
    let numbers: Vec<String> = task.because_of.iter().map(ToString::to_string).collect();
    let state = match task.state.as_str() {
        "waits" => texts.filled("bundle.waits_for", &[("tasks", &numbers.join(", "))]),
        "blocked" => texts.filled("bundle.blocked_by", &[("tasks", &numbers.join(", "))]),
        "open" => task
            .case_state
            .map_or_else(|| texts.word("task_state", "open"), |state| texts.word("state", state.word())),
        other => texts.word("task_state", other),
    };
    let granted = task.granted.map(|granted| texts.word("granted", &granted.to_string()));
    [Some(state), granted].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn whereabouts(texts: &Texts, task: &TaskShown) -> String {
    match (&task.custodian, &task.in_transit_to) {
        (Some(from), Some(to)) => texts.filled("case.in_transit", &[("from", from), ("to", to)]),
        (Some(at), None) => at.clone(),
        (None, _) => "-".to_owned(),
    }
}

/// What this hall can do next.
fn step(texts: &Texts, application: &Application) -> String {
    let (number, clerk) = (&application.number, texts.say("placeholder.clerk", &[]));
    let blocked = application.tasks.iter().any(|task| task.state == "blocked");
    let open = application.tasks.iter().find(|task| task.state == "open");
    match (application.state.as_str(), open.and_then(|task| task.case.as_ref())) {
        ("ready", _) => format!("hallmesh bundle deliver {number} --clerk {clerk}"),
        ("open", _) if blocked => {
            let note = texts.say("placeholder.note", &[]);
            format!("hallmesh bundle close {number} --clerk {clerk} --note {note}")
        }
        ("open", Some(case)) => format!("hallmesh case trace {case}"),
        _ => "hallmesh bundle list".to_owned(),
    }
}

/// What a task's case says of its bundle.
pub(super) fn task_of(texts: &Texts, task: &TaskOf) -> Vec<(String, String)> {
    let name = task.name.clone().unwrap_or_else(|| texts.say("bundle.unnamed", &[]));
    let params: [(&str, &dyn std::fmt::Display); 4] =
        [("task", &task.task), ("of", &task.of), ("name", &name), ("number", &task.bundle)];
    let mut told = vec![field(texts, "bundle", texts.filled("bundle.task_of", &params))];
    told.extend(why(texts, task).map(|why| field(texts, "waits", why)));
    let started = task.started.map(|at| field(texts, "started", time::moment(at)));
    told.extend(started);
    told
}

/// Why a task waits or is blocked, each of the others with where it is.
pub(super) fn why(texts: &Texts, task: &TaskOf) -> Option<String> {
    let line = |it: &TaskShown| {
        let matter = it.matter.clone().unwrap_or_else(|| "-".to_owned());
        format!("{} {matter}: {}; {}", it.task, state(texts, it), whereabouts(texts, it))
    };
    let lines: Vec<String> = task.because_of.iter().map(line).collect();
    let what = match task.state.as_str() {
        "waits" => texts.say("bundle.waits", &[]),
        "blocked" => texts.say("bundle.blocked", &[]),
        _ => return None,
    };
    Some(format!("{what}\n{}", lines.join("\n")))
}
