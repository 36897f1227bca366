//! The legal clocks of a case (design section 8): pure functions of signed facts, the matter's and the calendar's pinned
//! versions. Never stored; the same on every hall that has the log.
//!
//! ```text
//! receipt ---notice---> told: accepted, not accepted, or once what is missing ---correction---> supplemented ---notice---> ...
//!    \__ nobody told in time: counts as accepted from that day on (行政许可法 32)
//! acceptance ---promise, decision (longer by an extension, standing still in special procedures)---> ended ---delivery---> delivered
//! ```

use super::ending::Ending;
use super::fold::{Case, Suspension};
use super::law::Article;
use super::moment::{Moment, Span};
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
    /// What the applicant has for what may follow after acceptance (容缺).
    Supply,
    /// A special procedure, as long as the applicant was told it would take.
    Procedure,
    /// What the authority promised for its decision (承诺时限).
    Promise,
    /// What the law gives it for its decision (法定时限).
    Decision,
    /// From a decision on a promise until what was promised is checked (告知承诺).
    Check,
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
            Self::Supply => "supply",
            Self::Procedure => "procedure",
            Self::Promise => "promise",
            Self::Decision => "decision",
            Self::Check => "check",
            Self::Delivery => "delivery",
            Self::Joint => "joint",
        }
    }

    /// What it rests on.
    pub const fn article(self) -> Article {
        match self {
            Self::Notice | Self::Correction | Self::Supply => Article::Acceptance,
            Self::Procedure => Article::SpecialProcedure,
            Self::Promise | Self::Decision | Self::Joint => Article::Extension,
            Self::Check => Article::Promise,
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
    /// The hall doubted its clock when it began, and no other has bounded that yet.
    pub doubtful: bool,
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

/// How much a clock presses (督办: 黄牌, 红牌).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// There is time, or nothing is owed any more.
    Calm,
    /// It may be over or nearly so: it began at a time in doubt, and somebody has to look at the case.
    Doubtful,
    /// No more days are left than the calendar's rules warn of (黄牌).
    Soon,
    /// It is over, and nothing was done (红牌).
    Overdue,
}

impl Urgency {
    /// A stable word, for JSON and catalogues.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Doubtful => "doubtful",
            Self::Soon => "soon",
            Self::Overdue => "overdue",
        }
    }
}

impl Clock {
    /// How much it presses on a day.
    pub fn urgency(&self, calendar: &Calendar, today: CivilDay) -> Urgency {
        match self.on(calendar, today) {
            Reading::Missed if self.met.is_none() && self.doubtful => Urgency::Doubtful,
            Reading::Missed if self.met.is_none() => Urgency::Overdue,
            Reading::Runs { left } if left <= calendar.rules().warning_days && self.doubtful => {
                Urgency::Doubtful
            }
            Reading::Runs { left } if left <= calendar.rules().warning_days => Urgency::Soon,
            Reading::Runs { .. } | Reading::StandsStill { .. } | Reading::Kept | Reading::Missed => {
                Urgency::Calm
            }
        }
    }
}

/// Of what is still owed, what is due first; what stands still comes last.
pub fn pressing(clocks: &[Clock]) -> Option<&Clock> {
    let owed = clocks.iter().filter(|clock| clock.met.is_none());
    owed.min_by_key(|clock| (clock.due.is_none(), clock.due.map(|due| due.day), clock.start))
}

/// The day from which a case counts as accepted because nobody told the applicant anything in time, by what has happened
/// and the day it is (行政许可法 32(4)). A clock that its own hall doubts makes nobody late.
pub fn deemed_accepted(case: &Case, calendar: &Calendar, today: CivilDay) -> Option<CivilDay> {
    let late = |span: &&Span| {
        let told = span.to.map_or(today, Moment::done);
        !planted(Bug::SilenceIgnored)
            && span.from.is_certain()
            && told > calendar.due(span.from.day(), calendar.rules().notice_days).day
    };
    case.notices.iter().find(late).map(|span| span.from.day())
}

/// The clocks that run, have run or stand still, kind by kind; those of one kind in the order of the log, which wrong clocks
/// of machines do not change.
pub fn clocks(case: &Case, matter: &Matter, calendar: &Calendar, today: CivilDay) -> Vec<Clock> {
    let rules = calendar.rules();
    let mut found: Vec<Clock> = case
        .notices
        .iter()
        .map(|span| plain(calendar, ClockKind::Notice, *span, rules.notice_days))
        .collect();
    found.extend(correction(case, calendar));
    found.extend(supply(case, calendar));
    if let Some(start) = decision_starts(case, calendar, today) {
        // Who is believed is told at once.
        let promised = if case.promise.is_some() { 0 } else { matter.promised_days };
        found.push(until_decided(case, calendar, ClockKind::Promise, start, promised));
        found.push(until_decided(case, calendar, ClockKind::Decision, start, matter.legal_days));
    }
    let procedure = |pause: &Suspension| plain(calendar, ClockKind::Procedure, pause.span, pause.days);
    found.extend(case.pauses.iter().map(procedure));
    found.extend(check(case, calendar));
    found.extend(delivery(case, calendar));
    found.extend(told_of_revocation(case, calendar));
    found
}

/// Whether nothing is to be decided any more: the applicant took the case back, or it was none.
fn is_void(case: &Case) -> bool {
    matches!(case.ending, Some(Ending::Void | Ending::Removed))
}

/// From acceptance, or from the day on which the application counts as accepted, whichever is earlier; and whether the clock
/// was in doubt that showed it.
fn decision_starts(case: &Case, calendar: &Calendar, today: CivilDay) -> Option<(CivilDay, bool)> {
    if is_void(case) {
        return None;
    }
    let counted = |accepted: Moment| if planted(Bug::DueFromReceipt) { case.received } else { accepted };
    let accepted = case.accepted.map(counted).map(|accepted| (accepted.day(), !accepted.is_certain()));
    let deemed = deemed_accepted(case, calendar, today).map(|since| (since, false));
    [accepted, deemed].into_iter().flatten().min()
}

fn correction(case: &Case, calendar: &Calendar) -> Option<Clock> {
    let asked = case.asked?;
    let span = Span { to: asked.to.or(case.ended), ..asked };
    Some(given(calendar, ClockKind::Correction, span, calendar.rules().correction_days))
}

fn supply(case: &Case, calendar: &Calendar) -> Option<Clock> {
    let lacking = case.lacking?;
    let span = Span { to: lacking.span.to.or(case.ended), ..lacking.span };
    Some(given(calendar, ClockKind::Supply, span, lacking.days))
}

fn check(case: &Case, calendar: &Calendar) -> Option<Clock> {
    let promise = case.promise.filter(|_| case.granted == Some(true))?;
    let span = Span { from: case.decided?, to: promise.checked.or(case.revoked) };
    Some(plain(calendar, ClockKind::Check, span, calendar.rules().check_days))
}

/// That something counts no longer is told like a result.
fn told_of_revocation(case: &Case, calendar: &Calendar) -> Option<Clock> {
    let had_it = |it: &Moment| case.delivered.is_some_and(|delivered| delivered.legal <= it.legal);
    let from = case.revoked.filter(had_it)?;
    let span = Span { from, to: case.revocation_told };
    Some(plain(calendar, ClockKind::Delivery, span, calendar.rules().delivery_days))
}

fn delivery(case: &Case, calendar: &Calendar) -> Option<Clock> {
    let ended = case.ended.filter(|_| case.ending != Some(Ending::Removed))?;
    let span = Span { from: ended, to: case.delivered };
    Some(plain(calendar, ClockKind::Delivery, span, calendar.rules().delivery_days))
}

/// What an authority owes.
fn plain(calendar: &Calendar, kind: ClockKind, span: Span, days: u16) -> Clock {
    from(calendar, kind, (span.from.day(), span), days)
}

/// What the applicant was given.
fn given(calendar: &Calendar, kind: ClockKind, span: Span, days: u16) -> Clock {
    from(calendar, kind, (span.from.given(), span), days)
}

fn from(calendar: &Calendar, kind: ClockKind, (start, span): (CivilDay, Span), days: u16) -> Clock {
    Clock {
        kind,
        start,
        days,
        extended: 0,
        pauses: Vec::new(),
        due: Some(calendar.due(start, days)),
        met: span.to.map(Moment::done),
        doubtful: !span.from.is_certain(),
    }
}

fn until_decided(
    case: &Case,
    calendar: &Calendar,
    kind: ClockKind,
    (start, doubtful): (CivilDay, bool),
    days: u16,
) -> Clock {
    let extended = case.extended;
    let days = days.saturating_add(extended);
    let pauses: Vec<Pause> = case.pauses.iter().map(pause).collect();
    let due = calendar.due_around(start, days, &pauses);
    Clock { kind, start, days, extended, pauses, due, met: case.ended.map(Moment::done), doubtful }
}

/// A time that is not counted: no longer than it certainly was.
pub(super) fn pause(pause: &Suspension) -> Pause {
    let from = pause.span.from.given();
    Pause { from, to: pause.span.to.map(|to| to.done().max(from)) }
}
