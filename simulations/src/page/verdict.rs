//! The verdict: every promise, what became of it, and what was seen when it broke.

use std::collections::BTreeSet;

use super::markup::Markup;
use super::table::{Head, row, table};
use super::units;
use crate::checkers::{Promise, Violation};
use crate::plan::Plan;
use crate::report::Report;
use crate::story::Scene;

/// Letters of one broken promise that are shown.
const HOW_MAX: usize = 2_000;

/// What became of a promise.
enum State<'a> {
    Broken(&'a Violation),
    /// It broke, as the plan says that it would.
    Known(&'a str),
    /// It holds, though the plan says that it would break.
    OutOfDate,
    Kept,
    /// Other tests look at it, not a single run.
    Elsewhere(&'static str),
}

/// One line that says it all.
pub(super) fn line(page: &mut Markup, plan: &Plan, report: &Report) {
    let broken = report.promises();
    let known: BTreeSet<Promise> = plan.known.iter().map(|known| known.promise).collect();
    let new: Vec<_> = broken.difference(&known).map(|promise| promise.word()).collect();
    let old: Vec<_> = known.difference(&broken).map(|promise| promise.word()).collect();
    let (class, words) = if !new.is_empty() {
        let times = units::count(report.broken);
        ("verdict bad", format!("\u{2717} Broken: {} ({times} times in all)", new.join(", ")))
    } else if !old.is_empty() {
        ("verdict bad", format!("\u{2717} Known to break, and kept: {}", old.join(", ")))
    } else if !broken.is_empty() {
        ("verdict good", "\u{2713} Only what is known to break has broken".to_owned())
    } else {
        ("verdict good", "\u{2713} All promises are kept".to_owned())
    };
    page.words("p", &[("class", &class)], &words);
    if plan.stop_after.is_some() {
        let note = "The run was broken off, as its plan says: what must hold in the end was not looked at.";
        page.words("p", &[("class", &"note")], note);
    }
}

/// All promises, one a line; then the first breaches, as far as they are described.
pub(super) fn promises(page: &mut Markup, plan: &Plan, report: &Report) {
    let heads = [Head::Words("promise"), Head::Words("what it says"), Head::Words("in this run")];
    table(page, &heads, |page| {
        for it in Promise::ALL {
            promise(page, it, &state(it, plan, report));
        }
    });
    if !report.violations.is_empty() {
        breaches(page, report);
    }
}

fn promise(page: &mut Markup, promise: Promise, state: &State<'_>) {
    let (class, words) = match state {
        State::Broken(first) => ("state bad", format!("\u{2717} broken, first at {}", when(first.at))),
        State::Known(why) => ("state", format!("\u{2717} broken, as is known: {why}")),
        State::OutOfDate => ("state bad", "\u{2713} kept, though known to break".to_owned()),
        State::Kept => ("state good", "\u{2713} kept".to_owned()),
        State::Elsewhere(how) => ("note", (*how).to_owned()),
    };
    row(page, |page| {
        page.words("td", &[("class", &"state")], promise.word());
        page.words("td", &[], says(promise));
        page.words("td", &[("class", &class)], &words);
    });
}

/// What was seen first of each broken promise; all that is described lies folded below.
fn breaches(page: &mut Markup, report: &Report) {
    let mut named = BTreeSet::new();
    let firsts: Vec<_> = report.violations.iter().filter(|it| named.insert(it.promise)).collect();
    page.words("h3", &[], "What was seen first of each");
    breach_table(page, &firsts);
    let all: Vec<_> = report.violations.iter().collect();
    if all.len() == firsts.len() {
        return;
    }
    page.element("details", &[], |page| {
        let words = format!("The first {} of {} breaches", all.len(), units::count(report.broken));
        page.words("summary", &[], &words);
        breach_table(page, &all);
    });
}

fn breach_table(page: &mut Markup, breaches: &[&Violation]) {
    table(page, &[Head::Words("when"), Head::Words("promise"), Head::Words("how")], |page| {
        for it in breaches {
            breach(page, it);
        }
    });
}

fn breach(page: &mut Markup, Violation { promise, at, how }: &Violation) {
    row(page, |page| {
        page.words("td", &[("class", &"when")], &when(*at));
        page.words("td", &[("class", &"state")], promise.word());
        page.words("td", &[("class", &"how")], &units::at_most(how, HOW_MAX));
    });
}

fn state<'a>(promise: Promise, plan: &'a Plan, report: &'a Report) -> State<'a> {
    let first = report.violations.iter().find(|violation| violation.promise == promise);
    let known = plan.known.iter().find(|known| known.promise == promise);
    match (first, known) {
        (Some(_), Some(known)) => State::Known(&known.why),
        (Some(first), None) => State::Broken(first),
        (None, Some(known)) if known.must_break() => State::OutOfDate,
        (None, Some(_) | None) => elsewhere(promise).map_or(State::Kept, State::Elsewhere),
    }
}

/// Where a promise is looked at that one run alone cannot show to be kept.
fn elsewhere(promise: Promise) -> Option<&'static str> {
    match promise {
        Promise::SameTrace => Some("takes two runs: --twice"),
        Promise::Kept
        | Promise::Provable
        | Promise::Lawful
        | Promise::Together
        | Promise::RowsAgree
        | Promise::Remembered
        | Promise::OneHand
        | Promise::SameStandard
        | Promise::NoCentre
        | Promise::RouteOnly
        | Promise::InTime
        | Promise::Dated
        | Promise::Explained
        | Promise::ListsAgree
        | Promise::Settled
        | Promise::Bounded
        | Promise::NoPanic => None,
    }
}

/// The day and time in Beijing.
fn when(at: u64) -> String {
    Scene { at, hall: None, what: String::new() }.line().trim_end().to_owned()
}

fn says(promise: Promise) -> &'static str {
    match promise {
        Promise::Kept => "what was receipted or recorded is kept; a D2 receipt means a second copy",
        Promise::OneHand => "a case is in at most one hand, and has one log",
        Promise::SameStandard => "any hall answers alike",
        Promise::NoCentre => "any hall answers, whoever else is dead",
        Promise::RouteOnly => "only halls on the route can read",
        Promise::Provable => "every event can be proven",
        Promise::Lawful => "a log tells only what the law of cases allows",
        Promise::Together => "tasks of a bundle begin, wait and end as they belong together",
        Promise::InTime => "days are the same everywhere",
        Promise::Dated => "no machine gives itself days by a wrong clock",
        Promise::Explained => "any hall says where a case is",
        Promise::ListsAgree => {
            "all halls hold the same lists in the end, and only what could lawfully be stated"
        }
        Promise::Settled => "after the trouble no case is between two halls and no letter waits",
        Promise::Bounded => "frames, queues and wakes keep their bounds",
        Promise::RowsAgree => "what a hall counts and indexes is what its rows say",
        Promise::Remembered => "a hall that has forgotten what it signed is told, and signs nothing more",
        Promise::SameTrace => "one seed gives one run",
        Promise::NoPanic => "the core did not stop itself",
    }
}
