//! The legal limits of a case, for people: which run, which stand still, and why each day counts or does not.

use hallmesh_protocol::calendar::{Calendar, CivilDay, CountedDay};
use hallmesh_protocol::cases::{Clock, Reading};
use hallmesh_protocol::catalogue::Catalogue;
use hallmesh_protocol::query::{self, CaseView, Limits};
use serde::{Deserialize, Serialize};

use super::bundles::{self, TaskOf};
use super::problem::Problem;
use super::questions::{Asked, find};

/// The most working days that `due compute` counts: about four years.
const WORKING_DAYS_MAX: u16 = 1_000;
/// Days that are listed for one limit.
const DAYS_MAX: usize = 2_000;

/// One limit of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeLimit {
    /// `notice`, `correction`, `procedure`, `promise`, `decision` or `delivery`; `joint` of a bundle as a whole.
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

/// Why a case is due when it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueExplained {
    /// The case's number.
    pub number: String,
    /// The day it is.
    pub today: String,
    /// The day since which it counts as accepted, because nobody told the applicant anything in time.
    pub deemed_accepted: Option<String>,
    /// In the order in which they began.
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
