//! Cases: where they are, how they came there, what is next.

use hallmesh_protocol::cases::State;

use super::super::table::{fields, table};
use super::super::time;
use super::audit::forks;
use super::matter::{about, materials};
use super::{bundle, due, durability, field, heading, marked, next, short, statements};
use crate::ops::{Case, Contents, Event, Received, Standing, Trace};
use crate::texts::Texts;

pub(super) fn list(texts: &Texts, cases: &[Case]) -> Vec<String> {
    let Some(last) = cases.last() else {
        return vec![texts.say("case.none", &[]), next(texts, "hallmesh matter list")];
    };
    let row = |case: &Case| {
        vec![
            case.number.clone(),
            matter(texts, case),
            state(texts, case),
            case.custodian_name.clone(),
            stage(texts, case),
            due::first(texts, &case.limits).unwrap_or_else(|| "-".to_owned()),
            grade(case).unwrap_or("-").to_owned(),
        ]
    };
    let rows: Vec<_> = cases.iter().map(row).collect();
    let columns = ["case", "matter", "state", "custodian", "stage", "due", "grade"];
    let mut lines = table(&heading(texts, &columns), &rows);
    lines.push(texts.filled("case.count", &[("count", &cases.len())]));
    lines.push(next(texts, &format!("hallmesh case show {}", last.number)));
    lines
}

pub(super) fn one(texts: &Texts, case: &Case) -> Vec<String> {
    let mut lines = fields(&facts(texts, case));
    lines.push(next(texts, &step(texts, case)));
    lines
}

fn facts(texts: &Texts, case: &Case) -> Vec<(String, String)> {
    let named = |name: &str, code: &str| format!("{name} {code}");
    let position = texts.filled(
        "case.position",
        &[
            ("term", &case.term),
            ("epoch", &case.epoch),
            ("events", &case.events),
            ("head", &short(&case.head)),
        ],
    );
    let mut facts = vec![
        field(texts, "case", &case.number),
        field(texts, "id", &case.id),
        field(texts, "matter", matter(texts, case)),
        field(texts, "state", state(texts, case)),
        field(texts, "custodian", custodian(texts, case)),
        field(texts, "stage", stage(texts, case)),
        field(texts, "grade", grade_in_words(texts, case)),
        field(texts, "mirrors", durability::copies(texts, case)),
        field(texts, "received_at", named(&case.receiving_name, &case.receiving)),
        field(texts, "decided_at", named(&case.competent_name, &case.competent)),
        field(texts, "place", &case.place),
        field(texts, "first_asked", &case.first_asked),
    ];
    let times = [
        ("received", Some(case.received)),
        ("accepted", case.accepted),
        ("decided", case.decided),
        ("delivered", case.delivered),
    ];
    facts.extend(times.into_iter().filter_map(|(label, at)| Some(field(texts, label, time::moment(at?)))));
    let decision = case.decision.as_ref().map(|it| durability::decision(texts, it));
    facts.extend(decision.map(|decision| field(texts, "decision", decision)));
    facts.extend(case.ending.as_ref().map(|ending| field(texts, "ending", texts.word("ending", ending))));
    let again =
        (case.corrections > 1).then(|| texts.filled("case.asked_again", &[("count", &case.corrections)]));
    facts.extend(again.map(|again| field(texts, "corrections", again)));
    let deemed = case.deemed_accepted.as_ref().map(|since| texts.filled("due.deemed", &[("since", since)]));
    facts.extend(deemed.map(|deemed| field(texts, "accepted", deemed)));
    facts.extend(case.task.iter().flat_map(|task| bundle::task_of(texts, task)));
    facts.extend(due::running(texts, &case.limits));
    facts.extend(case.revoked.map(|at| field(texts, "revoked", time::moment(at))));
    facts.extend(case.statements.iter().map(|it| field(texts, "statement", statements::in_short(texts, it))));
    facts.push(field(texts, "log", position));
    facts
}

pub(super) fn trace(texts: &Texts, trace: &Trace) -> Vec<String> {
    let case = &trace.case;
    let title = [case.number.clone(), matter(texts, case), state(texts, case)].join("  ");
    let rows: Vec<_> = trace
        .events
        .iter()
        .enumerate()
        .map(|(at, event)| {
            let before = at.checked_sub(1).and_then(|before| trace.events.get(before));
            row(texts, event, before)
        })
        .collect();
    let columns = ["number", "time", "where", "who", "what", "took", "signature"];
    let mut lines = vec![title];
    lines.extend(table(&heading(texts, &columns), &rows));
    let good = trace.events.iter().filter(|event| event.signature == Some(true)).count();
    let custody = texts.filled("case.in_hand", &[("custodian", &custodian(texts, case))]);
    let checked = texts.filled("case.signatures", &[("good", &good), ("all", &trace.events.len())]);
    lines.extend([custody, checked]);
    lines.extend(case.task.iter().flat_map(|task| fields(&bundle::task_of(texts, task))));
    if !case.statements.is_empty() {
        lines.push(texts.say("statement.about_case", &[]));
        lines.extend(statements::rows(texts, &case.statements));
    }
    if !trace.waits_for.is_empty() {
        lines.push(texts.filled("case.waits_for", &[("halls", &trace.waits_for.join(", "))]));
    }
    if !trace.orphans.is_empty() {
        lines.push(texts.say("case.orphans", &[]));
        let orphans: Vec<_> = trace.orphans.iter().map(|event| row(texts, event, None)).collect();
        lines.extend(table(&heading(texts, &columns), &orphans));
    }
    lines.extend(forks(texts, &trace.forks));
    lines.push(next(texts, &step(texts, case)));
    lines
}

fn row(texts: &Texts, event: &Event, before: Option<&Event>) -> Vec<String> {
    let who = match event.clerk {
        Some(number) => texts.filled("case.clerk", &[("number", &number)]),
        None => texts.say("case.by_node", &[]),
    };
    let took = before.map(|before| time::span(texts, event.wall.saturating_sub(before.wall)));
    let signature = match event.signature {
        Some(true) => "signature.good",
        Some(false) => "signature.bad",
        None => "signature.unknown",
    };
    vec![
        event.sequence.to_string(),
        written(texts, event),
        event.hall_name.clone(),
        who,
        what(texts, event),
        took.unwrap_or_else(|| "-".to_owned()),
        texts.say(signature, &[]),
    ]
}

/// When it happened, as its hall's clock showed it.
fn written(texts: &Texts, event: &Event) -> String {
    let at = time::moment(event.wall);
    if event.suspect_time { texts.filled("case.suspect_time", &[("at", &at)]) } else { at }
}

/// What happened, with the details that tell it from others of its kind.
fn what(texts: &Texts, event: &Event) -> String {
    let word = texts.word("event", &event.what);
    let detail = |name: &str| event.details.get(name).cloned();
    let purpose = detail("purpose").map(|purpose| texts.word("purpose", &purpose));
    let granted = detail("granted").map(|granted| texts.word("granted", &granted));
    let words = ["ground", "procedure", "closing", "kind_of_statement", "dismissal"];
    let words = words.into_iter().filter_map(|name| Some(texts.word(name, &detail(name)?)));
    let days = detail("days").map(|days| texts.filled("case.days", &[("days", &days)]));
    let authority = detail("authority").or_else(|| place_in_bundle(texts, event));
    let to = detail("to_name").map(|to| format!("→ {to}"));
    let details: Vec<String> =
        [to, purpose, granted].into_iter().flatten().chain(words).chain(days).chain(authority).collect();
    if details.is_empty() { word } else { format!("{word} {}", details.join(", ")) }
}

/// Which task of a bundle an event makes of the case.
fn place_in_bundle(texts: &Texts, event: &Event) -> Option<String> {
    let detail = |name: &str| event.details.get(name).cloned();
    let (task, of, after) = (detail("task")?, detail("of")?, detail("after"));
    let place = texts.filled("bundle.place", &[("task", &task), ("of", &of)]);
    let after = after.map(|after| texts.filled("bundle.waits_for", &[("tasks", &after)]));
    Some([Some(place), after].into_iter().flatten().collect::<Vec<_>>().join(", "))
}

pub(super) fn contents(texts: &Texts, contents: &Contents) -> Vec<String> {
    let mut lines = vec![texts.filled("case.contents", &[("number", &contents.number)])];
    for (sequence, what, content) in contents.parts.iter().filter(|(.., content)| !content.is_empty()) {
        lines.push(format!("{sequence}  {}", texts.word("event", what)));
        let pairs: Vec<_> =
            content.reveal().map(|(name, value)| (format!("  {name}"), value.to_owned())).collect();
        lines.extend(fields(&pairs));
    }
    for (sequence, what) in &contents.closed {
        let closed = texts.filled("case.closed_part", &[("event", &texts.word("event", what))]);
        lines.push(format!("{sequence}  {closed}"));
    }
    for (statement, kind, content) in &contents.statements {
        lines.push(format!("{}  {}", short(statement), texts.word("kind_of_statement", kind)));
        let said = content.iter().flat_map(|it| it.reveal());
        let pairs: Vec<_> = said.map(|(name, value)| (format!("  {name}"), value.to_owned())).collect();
        lines.extend(fields(&pairs));
        lines.extend(content.is_none().then(|| texts.say("statement.unreadable", &[])));
    }
    lines.push(texts.say("case.read_logged", &[]));
    lines.push(next(texts, &format!("hallmesh case trace {}", contents.number)));
    lines
}

pub(super) fn received(texts: &Texts, received: &Received) -> Vec<String> {
    let mut pairs = vec![
        field(texts, "case", &received.number),
        field(texts, "id", &received.id),
        field(texts, "grade", durability::grade(texts, &received.grade, &received.copies)),
    ];
    pairs.extend(about(texts, &received.route));
    pairs.push(field(texts, "bring", materials(texts, received.materials.iter())));
    let mut lines = vec![texts.say("case.received", &[])];
    lines.extend(fields(&pairs));
    if received.grade == "D1" {
        lines.push(format!("! {}", texts.say("case.single", &[])));
    }
    lines.push(next(texts, &format!("hallmesh case trace {}", received.number)));
    lines
}

fn matter(texts: &Texts, case: &Case) -> String {
    marked(texts, case.matter_name.as_ref().unwrap_or(&case.matter), case.official)
}

fn state(texts: &Texts, case: &Case) -> String {
    let state = texts.word("state", case.state.word());
    let granted = case.granted.map(|granted| texts.word("granted", &granted.to_string()));
    let provisional = case.decision.as_ref().is_some_and(Standing::is_provisional);
    let provisional = provisional.then(|| texts.say("case.provisional", &[]));
    [Some(state), granted, provisional].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn custodian(texts: &Texts, case: &Case) -> String {
    let here = format!("{} {}", case.custodian_name, case.custodian);
    match &case.in_transit_to {
        Some(to) => texts.filled("case.in_transit", &[("from", &here), ("to", &named(case, to))]),
        None => here,
    }
}

/// A hall of the case with its name, if the case tells it.
fn named(case: &Case, hall: &str) -> String {
    let known = [(&case.competent, &case.competent_name), (&case.receiving, &case.receiving_name)];
    let name = known.into_iter().find(|(code, _)| *code == hall).map(|(_, name)| name);
    name.map_or_else(|| hall.to_owned(), |name| format!("{name} {hall}"))
}

/// This hall's part in the case.
fn stage(texts: &Texts, case: &Case) -> String {
    match (case.stage.as_str(), case.mirror) {
        ("none", true) => texts.say("case.keeps_copy", &[]),
        (stage, true) => format!("{}, {}", texts.word("stage", stage), texts.say("case.keeps_copy", &[])),
        (stage, false) => texts.word("stage", stage),
    }
}

/// How durable the case is: known to the hall that has it in hand.
fn grade(case: &Case) -> Option<&str> {
    ["custodian", "handing-over"].contains(&case.stage.as_str()).then_some(case.grade.as_str())
}

fn grade_in_words(texts: &Texts, case: &Case) -> String {
    let grade = grade(case).map(|grade| durability::grade(texts, grade, &case.copies));
    grade.unwrap_or_else(|| "-".to_owned())
}

/// The result may not be handed out before a second hall has countersigned.
fn waits_for_mirror(case: &Case) -> bool {
    case.decision.as_ref().is_some_and(|decision| decision.is_provisional() && !decision.offline)
}

/// What this hall can do next; where it can do nothing, looking on.
fn step(texts: &Texts, case: &Case) -> String {
    let (number, in_hand) = (&case.number, case.stage == "custodian" && case.in_transit_to.is_none());
    let clerk = texts.say("placeholder.clerk", &[]);
    let waiting = case.task.as_ref().filter(|task| ["waits", "blocked"].contains(&task.state.as_str()));
    if let Some(task) = waiting {
        return format!("hallmesh bundle status {}", task.bundle);
    }
    if let Some(waits) = case.statements.iter().find(|it| it.here).filter(|_| in_hand) {
        return statements::step(texts, waits);
    }
    let deciding = in_hand && case.custodian == case.competent;
    let window = in_hand && case.custodian == case.receiving;
    match case.state {
        State::Received | State::Supplemented if deciding => {
            format!("hallmesh case accept {number} --clerk {clerk}")
        }
        State::AwaitingCorrection if window => {
            let file = texts.say("placeholder.applicant", &[]);
            format!("hallmesh case correct {number} --clerk {clerk} --supply {file}")
        }
        State::Accepted if deciding => {
            let note = texts.say("placeholder.note", &[]);
            format!("hallmesh case decide {number} --clerk {clerk} --grant --note {note}")
        }
        State::Suspended if deciding => {
            let note = texts.say("placeholder.note", &[]);
            format!("hallmesh case resume {number} --clerk {clerk} --note {note}")
        }
        State::Decided if case.certificate_owed && in_hand => {
            let note = texts.say("placeholder.note", &[]);
            format!("hallmesh case certify {number} --clerk {clerk} --note {note}")
        }
        State::Decided | State::Certified if window && waits_for_mirror(case) => {
            "hallmesh post list --single".to_owned()
        }
        State::Decided | State::Certified | State::NotAccepted | State::Closed | State::Revoked if window => {
            format!("hallmesh case deliver {number} --clerk {clerk}")
        }
        State::Delivered | State::Archived => {
            let dir = texts.say("placeholder.dir", &[]);
            format!("hallmesh case export {number} --out {dir}")
        }
        State::Received
        | State::Supplemented
        | State::AwaitingCorrection
        | State::Accepted
        | State::Suspended
        | State::Decided
        | State::Certified
        | State::NotAccepted
        | State::Closed
        | State::Revoked => format!("hallmesh case trace {number}"),
    }
}
