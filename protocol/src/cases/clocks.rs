//! The legal clocks of a case (design section 8): pure functions of signed facts, the matter's and the calendar's pinned
//! versions. Never stored; the same on every hall that has the log.
//!
//! ```text
//! receipt ---notice---> told: accepted, not accepted, or once what is missing ---correction---> supplemented ---notice---> ...
//!    \__ nobody told in time: counts as accepted from that day on (行政许可法 32)
//! acceptance ---promise, decision (longer by an extension, standing still in special procedures)---> ended ---delivery---> delivered
//! ```

use super::ending::Ending;
use super::fold::{Case, Span, Suspension};
use super::law::Article;
use crate::calendar::{Calendar, CivilDay, CountedDay, Due, Pause};
use crate::catalogue::Matter;
use crate::planted::{Bug, planted};

/// Days of a clock that are explained at most: about five years.
const EXPLAINED_MAX: usize = 2_000;

/// Which limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClockKind {
    /// From receipt, or a supplement, until the applicant is told what becomes of the application.
    Notice,
    /// What the applicant has for what is missing.
    Correction,
    /// A special procedure, as long as the applicant was told it would take.
    Procedure,
    /// What the authority promised for its decision (承诺时限).
    Promise,
    /// What the law gives it for its decision (法定时限).
    Decision,
    /// From the end of the case until the citizen has the result.
    Delivery,
    /// What was promised for a bundle as a whole, from its receipt.
    Joint,
}

impl ClockKind {
    /// A stable word, for JSON and catalogues.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Correction => "correction",
            Self::Procedure => "procedure",
            Self::Promise => "promise",
            Self::Decision => "decision",
            Self::Delivery => "delivery",
            Self::Joint => "joint",
        }
    }

    /// What it rests on.
    pub const fn article(self) -> Article {
        match self {
            Self::Notice | Self::Correction => Article::Acceptance,
            Self::Procedure => Article::SpecialProcedure,
            Self::Promise | Self::Decision | Self::Joint => Article::Extension,
            Self::Delivery => Article::Delivery,
        }
    }
}

/// One limit of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Which.
    pub kind: ClockKind,
    /// The day of the event from which it runs; not counted itself.
    pub start: CivilDay,
    /// How many working days there are, an extension included.
    pub days: u16,
    /// Of these, by an extension.
    pub extended: u16,
    /// Times that are not counted.
    pub pauses: Vec<Pause>,
    /// The last day; none while it stands still.
    pub due: Option<Due>,
    /// The day on which what was owed was done.
    pub met: Option<CivilDay>,
}

/// How a clock stands on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// So many working days are left.
    Runs {
        /// After this day, up to and with the last one.
        left: u16,
    },
    /// A special procedure runs; so many working days will be left after it.
    StandsStill {
        /// Days that are not used up.
        left: u16,
    },
    /// It ended in time.
    Kept,
    /// It ended late, or is over and nothing was done.
    Missed,
}

impl Reading {
    /// A stable word, for JSON and catalogues.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Runs { .. } => "runs",
            Self::StandsStill { .. } => "stands-still",
            Self::Kept => "kept",
            Self::Missed => "missed",
        }
    }

    /// Working days that are left, while it runs or stands still.
    pub const fn left(self) -> Option<u16> {
        match self {
            Self::Runs { left } | Self::StandsStill { left } => Some(left),
            Self::Kept | Self::Missed => None,
        }
    }
}

impl Clock {
    /// How it stands on a day.
    pub fn on(&self, calendar: &Calendar, today: CivilDay) -> Reading {
        let Some(due) = self.due else {
            let used = calendar.counted(self.start, today, &self.pauses);
            return Reading::StandsStill { left: self.days.saturating_sub(used) };
        };
        match self.met {
            Some(met) if met <= due.day => Reading::Kept,
            Some(_) => Reading::Missed,
            None if today > due.day => Reading::Missed,
            None => {
                let from = today.max(self.start);
                Reading::Runs { left: calendar.counted(from, due.day, &self.pauses) }
            }
        }
    }

    /// Every day from its start to its last one, or to `today` while it stands still: whether it counts, and why.
    pub fn explain(&self, calendar: &Calendar, today: CivilDay) -> Vec<CountedDay> {
        let end = self.due.map_or(today, |due| due.day);
        calendar.explain(self.start, end, &self.pauses, EXPLAINED_MAX)
    }
}

/// The day from which a case counts as accepted because nobody told the applicant anything in time, by what has happened
/// and the day it is (行政许可法 32(4)).
pub fn deemed_accepted(case: &Case, calendar: &Calendar, today: CivilDay) -> Option<CivilDay> {
    let late = |span: &&Span| {
        let told = span.to.map_or(today, CivilDay::of_wall);
        told > calendar.due(CivilDay::of_wall(span.from), calendar.rules().notice_days).day
    };
    case.notices.iter().find(late).map(|span| CivilDay::of_wall(span.from))
}

/// The clocks that run, have run or stand still, in the order in which they began.
pub fn clocks(case: &Case, matter: &Matter, calendar: &Calendar, today: CivilDay) -> Vec<Clock> {
    let mut found: Vec<Clock> = case.notices.iter().map(|span| notice(span, calendar)).collect();
    found.extend(correction(case, calendar));
    if let Some(start) = decision_starts(case, calendar, today) {
        let decision = |kind, days| until_decided(case, calendar, kind, start, days);
        found.push(decision(ClockKind::Promise, matter.promised_days));
        found.push(decision(ClockKind::Decision, matter.legal_days));
    }
    found.extend(case.pauses.iter().map(|pause| procedure(pause, calendar)));
    found.extend(delivery(case, calendar));
    found.sort_by_key(|clock| clock.start);
    found
}

/// Whether nothing is to be decided any more: the applicant took the case back, or it was none.
fn is_void(case: &Case) -> bool {
    matches!(case.ending, Some(Ending::Void | Ending::Removed))
}

/// From acceptance, or from the day on which the application counts as accepted, whichever is earlier.
fn decision_starts(case: &Case, calendar: &Calendar, today: CivilDay) -> Option<CivilDay> {
    if is_void(case) {
        return None;
    }
    let accepted = case.accepted.map(CivilDay::of_wall);
    let accepted = if planted(Bug::DueFromReceipt) {
        accepted.and(Some(CivilDay::of_wall(case.received)))
    } else {
        accepted
    };
    [accepted, deemed_accepted(case, calendar, today)].into_iter().flatten().min()
}

fn notice(span: &Span, calendar: &Calendar) -> Clock {
    let met = span.to.map(CivilDay::of_wall);
    plain(calendar, ClockKind::Notice, CivilDay::of_wall(span.from), calendar.rules().notice_days, met)
}

fn correction(case: &Case, calendar: &Calendar) -> Option<Clock> {
    let asked = case.asked?;
    let met = asked.to.or(case.ended).map(CivilDay::of_wall);
    let days = calendar.rules().correction_days;
    Some(plain(calendar, ClockKind::Correction, CivilDay::of_wall(asked.from), days, met))
}

fn procedure(pause: &Suspension, calendar: &Calendar) -> Clock {
    let met = pause.span.to.map(CivilDay::of_wall);
    plain(calendar, ClockKind::Procedure, CivilDay::of_wall(pause.span.from), pause.days, met)
}

fn delivery(case: &Case, calendar: &Calendar) -> Option<Clock> {
    let ended = CivilDay::of_wall(case.ended.filter(|_| case.ending != Some(Ending::Removed))?);
    let met = case.delivered.map(CivilDay::of_wall);
    Some(plain(calendar, ClockKind::Delivery, ended, calendar.rules().delivery_days, met))
}

fn plain(calendar: &Calendar, kind: ClockKind, start: CivilDay, days: u16, met: Option<CivilDay>) -> Clock {
    let due = Some(calendar.due(start, days));
    Clock { kind, start, days, extended: 0, pauses: Vec::new(), due, met }
}

fn until_decided(case: &Case, calendar: &Calendar, kind: ClockKind, start: CivilDay, days: u16) -> Clock {
    let extended = case.extended;
    let days = days.saturating_add(extended);
    let pauses: Vec<Pause> = case.pauses.iter().map(pause).collect();
    let due = calendar.due_around(start, days, &pauses);
    Clock { kind, start, days, extended, pauses, due, met: case.ended.map(CivilDay::of_wall) }
}

pub(super) fn pause(pause: &Suspension) -> Pause {
    Pause { from: CivilDay::of_wall(pause.span.from), to: pause.span.to.map(CivilDay::of_wall) }
}
