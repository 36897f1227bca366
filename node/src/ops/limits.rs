//! The legal limits of a case, for people: which run, which stand still, and why each day counts or does not.

use std::collections::{BTreeMap, BTreeSet};

use hallmesh_protocol::calendar::{Calendar, CivilDay, CountedDay};
use hallmesh_protocol::cases::{Clock, Reading, TaskState, Urgency, pressing};
use hallmesh_protocol::catalogue::Catalogue;
use hallmesh_protocol::ids::{CaseId, CaseNumber};
use hallmesh_protocol::query::{self, BundleView, CaseView, Limits};
use hallmesh_protocol::step::View;
use serde::{Deserialize, Serialize};

use super::bundles::{self, TaskOf};
use super::problem::Problem;
use super::questions::{Asked, find, name};
use super::statements;

/// The most working days that `due compute` counts: about four years.
const WORKING_DAYS_MAX: u16 = 1_000;
/// Days that are listed for one limit.
const DAYS_MAX: usize = 2_000;
/// Cases that press, of which those who watch keep the numbers.
const PRESSING_MAX: usize = 10_000;
/// Open cases looked at in one page.
const OPEN_PAGE: usize = 1_000;

/// One limit of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeLimit {
    /// `notice`, `correction`, `supply`, `procedure`, `promise`, `decision`, `check` or `delivery`; `joint` of a bundle as a whole.
    pub kind: String,
    /// What it rests on, such as `licensing-42`.
    pub article: String,
    /// The day from which it runs; not counted itself.
    pub start: String,
    /// Working days, an extension included.
    pub working_days: u16,
    /// Of these, by an extension.
    pub extended: u16,
    /// The last day; none while a special procedure runs.
    pub due: Option<String>,
    /// It rests on a year whose calendar is not published yet, or this hall lacks the calendar that the case pinned.
    pub provisional: bool,
    /// The day on which what was owed was done.
    pub met: Option<String>,
    /// `runs`, `stands-still`, `kept` or `missed`.
    pub reading: String,
    /// Working days that are left, while it runs or stands still.
    pub left: Option<u16>,
    /// It began by a clock that its own hall doubted, and no other hall has bounded that yet.
    #[serde(default)]
    pub doubtful: bool,
}

/// A limit with every day of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitExplained {
    /// The limit.
    pub limit: TimeLimit,
    /// From its beginning to its last day, or to this day while it stands still.
    pub days: Vec<DueDay>,
}

/// One day of a limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueDay {
    /// The day.
    pub day: String,
    /// Why it counts or does not: `beginning`, `working`, `make-up`, `weekend`, `holiday` or `paused`.
    pub counts: String,
    /// Which working day of the limit it is, or how many were over before it.
    pub number: u16,
    /// Its year is not published yet.
    pub provisional: bool,
}

/// How many cases in this hall's hand press.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueCounts {
    /// In hand, and something is still owed.
    pub open: u64,
    /// Of these, due within the days that the calendar warns of (黄牌).
    pub soon: u64,
    /// Of these, overdue (红牌).
    pub overdue: u64,
    /// Of these, without the matter or calendar that would tell.
    pub unknown: u64,
    /// Of these, due soon or overdue by a beginning that is in doubt.
    #[serde(default)]
    pub doubtful: u64,
    /// Applications for bundles that came in here and whose promise for the whole is soon over.
    #[serde(default)]
    pub bundles_soon: u64,
    /// Likewise, and is over.
    #[serde(default)]
    pub bundles_overdue: u64,
    /// Likewise, and of which a task cannot go on: a clerk closes it.
    #[serde(default)]
    pub bundles_blocked: u64,
}

/// What presses in this hall's hand, as somebody who watches has to know it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pressing {
    pub(crate) counts: DueCounts,
    /// The numbers of cases that are overdue, in doubt, or cannot be told; [`PRESSING_MAX`] of them.
    pub(crate) numbers: BTreeSet<String>,
}

/// A case in this hall's hand with the limit that is due first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueCase {
    /// Its number.
    pub number: String,
    /// The matter's name, or its code.
    pub matter: String,
    /// How far it has come, a stable word.
    pub state: String,
    /// The hall that has it in hand, or is to have it.
    pub hall: String,
    /// The limit that is due first; none while nothing is owed by a day, or this hall cannot tell.
    pub limit: Option<TimeLimit>,
    /// `calm`, `soon` or `overdue`; `doubtful` if it may be either of these by a beginning that is in doubt; `unknown` if this
    /// hall cannot tell.
    pub urgency: String,
}

/// What presses, first what is due first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueList {
    /// The day it is.
    pub today: String,
    /// All of them.
    pub counts: DueCounts,
    /// As many as were asked for.
    pub cases: Vec<DueCase>,
    /// Applications for bundles that came in here, likewise.
    #[serde(default)]
    pub bundles: Vec<DueBundle>,
    /// Statements that wait for a clerk of this hall.
    #[serde(default)]
    pub statements: usize,
}

/// An application for a bundle that came in at this hall and is not over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueBundle {
    /// Its number.
    pub number: String,
    /// The bundle's name, if its version is held here.
    pub name: Option<String>,
    /// What was promised for the whole; none if this hall cannot tell.
    pub limit: Option<TimeLimit>,
    /// `calm`, `soon` or `overdue`.
    pub urgency: String,
    /// Its tasks that cannot go on.
    pub blocked: Vec<u8>,
}

/// Why a case is due when it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueExplained {
    /// The case's number.
    pub number: String,
    /// The day it is.
    pub today: String,
    /// The day since which it counts as accepted, because nobody told the applicant anything in time.
    pub deemed_accepted: Option<String>,
    /// Kind by kind; those of one kind in the order of the log.
    pub limits: Vec<LimitExplained>,
    /// What it is to a bundle, if it is a task of one: while it waits for others none of its limits has begun.
    #[serde(default)]
    pub task: Option<TaskOf>,
}

/// The last day of a limit, by the calendar in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueComputed {
    /// The day of the event; not counted itself.
    pub from: String,
    /// Working days.
    pub working_days: u16,
    /// The last day.
    pub due: String,
    /// It rests on a year whose calendar is not published yet.
    pub provisional: bool,
    /// From the first to the last.
    pub days: Vec<DueDay>,
}

/// The limits of a case on the day it is; none without its matter or a calendar.
pub(super) fn of(asked: &Asked<'_>, view: &CaseView) -> Option<Limits> {
    query::limits(asked.view, view, CivilDay::of_wall(asked.wall))
}

/// A clock as it stands today.
pub(super) fn limit(clock: &Clock, limits: &Limits, today: CivilDay) -> TimeLimit {
    limit_by(clock, (&limits.calendar, limits.pinned), today)
}

/// The same by a calendar, and whether it is the one that was pinned.
pub(super) fn limit_by(clock: &Clock, (calendar, pinned): (&Calendar, bool), today: CivilDay) -> TimeLimit {
    let reading: Reading = clock.on(calendar, today);
    TimeLimit {
        kind: clock.kind.word().to_owned(),
        article: clock.kind.article().word().to_owned(),
        start: clock.start.to_string(),
        working_days: clock.days,
        extended: clock.extended,
        due: clock.due.map(|due| due.day.to_string()),
        provisional: !pinned || clock.due.is_some_and(|due| due.provisional),
        met: clock.met.map(|met| met.to_string()),
        reading: reading.word().to_owned(),
        left: reading.left(),
        doubtful: clock.doubtful,
    }
}

/// The urgency of a case of which this hall lacks the matter or the calendar.
const UNKNOWN: &str = "unknown";

/// What presses in an open case; none if this hall cannot tell.
fn look(view: &dyn View, case: &CaseView, today: CivilDay) -> Option<(Urgency, Option<Clock>, Limits)> {
    let limits = query::limits(view, case, today)?;
    let first = pressing(&limits.clocks).cloned();
    let urgency = first.as_ref().map_or(Urgency::Calm, |clock| clock.urgency(&limits.calendar, today));
    Some((urgency, first, limits))
}

/// Visits every case in hand for which something is still owed.
fn each_open(view: &dyn View, mut visit: impl FnMut(CaseView)) {
    let mut after: Option<CaseId> = None;
    loop {
        let page = query::open_cases(view, after, OPEN_PAGE);
        let Some(last) = page.last() else { return };
        after = Some(*last);
        page.into_iter().filter_map(|id| query::case(view, id)).for_each(&mut visit);
    }
}

/// Visits every application for a bundle that came in here and is not over.
fn each_watched(view: &dyn View, mut visit: impl FnMut(BundleView)) {
    let mut after = None;
    loop {
        let page = query::watched(view, after, OPEN_PAGE);
        let Some((last, _)) = page.last() else { return };
        after = Some(*last);
        page.into_iter().filter_map(|(number, _)| query::bundle(view, number)).for_each(&mut visit);
    }
}

/// How the promise for a whole presses.
fn joint_urgency(view: &BundleView, today: CivilDay) -> Urgency {
    view.clock.as_ref().map_or(Urgency::Calm, |(clock, calendar, _)| clock.urgency(calendar, today))
}

fn blocked(view: &BundleView) -> Vec<u8> {
    let tasks = view.joined.tasks().filter(|(_, state, _)| matches!(state, TaskState::Blocked(_)));
    tasks.map(|(task, ..)| task).collect()
}

impl DueCounts {
    fn count_bundle(&mut self, view: &BundleView, today: CivilDay) {
        let add = |count: &mut u64, holds: bool| *count = count.saturating_add(u64::from(holds));
        let urgency = joint_urgency(view, today);
        add(&mut self.bundles_soon, urgency == Urgency::Soon);
        add(&mut self.bundles_overdue, urgency == Urgency::Overdue);
        add(&mut self.bundles_blocked, !blocked(view).is_empty());
    }

    fn count(&mut self, urgency: Option<Urgency>) {
        self.open = self.open.saturating_add(1);
        let counted = match urgency {
            None => &mut self.unknown,
            Some(Urgency::Soon) => &mut self.soon,
            Some(Urgency::Overdue) => &mut self.overdue,
            Some(Urgency::Doubtful) => &mut self.doubtful,
            Some(Urgency::Calm) => return,
        };
        *counted = counted.saturating_add(1);
    }
}

/// What presses in this hall's hand on the day it is. Looks at every open case.
pub(crate) fn pressing_now(view: &dyn View, wall: u64) -> Pressing {
    let (mut found, today) = (Pressing::default(), CivilDay::of_wall(wall));
    each_open(view, |case| {
        let urgency = look(view, &case, today).map(|(urgency, ..)| urgency);
        found.counts.count(urgency);
        let said = matches!(urgency, None | Some(Urgency::Overdue | Urgency::Doubtful));
        if said && found.numbers.len() < PRESSING_MAX {
            found.numbers.insert(case.case.number.to_string());
        }
    });
    each_watched(view, |bundle| found.counts.count_bundle(&bundle, today));
    found
}

/// The cases in hand that are due first, `count` at most; with `within`, only what is overdue or due within so many working
/// days.
pub(super) fn list(asked: &Asked<'_>, within: Option<u16>, count: usize) -> DueList {
    let (mut counts, today) = (DueCounts::default(), CivilDay::of_wall(asked.wall));
    let mut found: BTreeMap<(bool, Option<CivilDay>, CaseId), DueCase> = BTreeMap::new();
    each_open(asked.view, |case| {
        let looked = look(asked.view, &case, today);
        counts.count(looked.as_ref().map(|(urgency, ..)| *urgency));
        let told = due_case(asked, &case, looked, today);
        let left = told.limit.as_ref().and_then(|limit| limit.left);
        let urgent = matches!(told.urgency.as_str(), "overdue" | "doubtful" | UNKNOWN);
        let near = within.is_none_or(|days| urgent || left.is_some_and(|left| left <= days));
        if near {
            let due = told.limit.as_ref().and_then(|limit| limit.due.as_ref()?.parse().ok());
            found.insert((due.is_none(), due, case.case.id), told);
            if found.len() > count {
                found.pop_last();
            }
        }
    });
    let bundles = due_bundles(asked, (within, count, today), &mut counts);
    let (cases, statements) = (found.into_values().collect(), statements::waiting(asked));
    DueList { today: today.to_string(), counts, cases, bundles, statements }
}

/// The applications that are due first, those of which a task cannot go on before all others.
fn due_bundles(
    asked: &Asked<'_>,
    (within, count, today): (Option<u16>, usize, CivilDay),
    counts: &mut DueCounts,
) -> Vec<DueBundle> {
    let mut found: BTreeMap<(bool, bool, Option<CivilDay>, CaseNumber), DueBundle> = BTreeMap::new();
    each_watched(asked.view, |view| {
        counts.count_bundle(&view, today);
        let limit =
            view.clock.as_ref().map(|(clock, calendar, pinned)| limit_by(clock, (calendar, *pinned), today));
        let told = DueBundle {
            number: view.joined.number.to_string(),
            name: view.bundle.as_ref().map(|pinned| pinned.bundle.name.clone()),
            urgency: joint_urgency(&view, today).word().to_owned(),
            blocked: blocked(&view),
            limit,
        };
        let left = told.limit.as_ref().and_then(|limit| limit.left);
        let presses = told.urgency == "overdue" || !told.blocked.is_empty();
        if within.is_none_or(|days| presses || left.is_some_and(|left| left <= days)) {
            let due = view.clock.as_ref().and_then(|(clock, ..)| clock.due).map(|due| due.day);
            found.insert((told.blocked.is_empty(), due.is_none(), due, view.joined.number), told);
            if found.len() > count {
                found.pop_last();
            }
        }
    });
    found.into_values().collect()
}

fn due_case(
    asked: &Asked<'_>,
    view: &CaseView,
    looked: Option<(Urgency, Option<Clock>, Limits)>,
    today: CivilDay,
) -> DueCase {
    let case = &view.case;
    let (urgency, limit) = looked.map_or((UNKNOWN, None), |(urgency, clock, limits)| {
        (urgency.word(), clock.map(|clock| limit(&clock, &limits, today)))
    });
    let named = view.matter.as_ref().map(|pinned| pinned.matter.name.clone());
    DueCase {
        number: case.number.to_string(),
        matter: named.unwrap_or_else(|| case.matter.to_string()),
        state: case.state.word().to_owned(),
        hall: name(asked.view, case.owner().hall),
        limit,
        urgency: urgency.to_owned(),
    }
}

pub(super) fn explain(asked: &Asked<'_>, case: &str) -> Result<DueExplained, Problem> {
    let view = find(asked.view, case)?;
    let today = CivilDay::of_wall(asked.wall);
    let missing = if view.matter.is_some() { "lists.no_calendar" } else { "case.no_matter" };
    let limits = of(asked, &view).ok_or_else(|| Problem::new(missing))?;
    let explained = |clock: &Clock| LimitExplained {
        limit: limit(clock, &limits, today),
        days: clock.explain(&limits.calendar, today).into_iter().map(day).collect(),
    };
    Ok(DueExplained {
        number: view.case.number.to_string(),
        today: today.to_string(),
        deemed_accepted: limits.deemed_accepted.map(|since| since.to_string()),
        limits: limits.clocks.iter().map(explained).collect(),
        task: bundles::task_of(asked, &view.case),
    })
}

pub(super) fn compute(asked: &Asked<'_>, from: CivilDay, working_days: u16) -> Result<DueComputed, Problem> {
    if working_days > WORKING_DAYS_MAX {
        return Err(Problem::new("due.too_many_days").with("max", WORKING_DAYS_MAX));
    }
    let (calendar, _) =
        Catalogue::new(asked.view).calendar().ok_or_else(|| Problem::new("lists.no_calendar"))?;
    let due = calendar.due(from, working_days);
    Ok(DueComputed {
        from: from.to_string(),
        working_days,
        due: due.day.to_string(),
        provisional: due.provisional,
        days: calendar.explain(from, due.day, &[], DAYS_MAX).into_iter().map(day).collect(),
    })
}

fn day(day: CountedDay) -> DueDay {
    DueDay {
        day: day.day.to_string(),
        counts: day.counts.word().to_owned(),
        number: day.number,
        provisional: day.provisional,
    }
}
