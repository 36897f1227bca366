//! Counting working days: where a limit ends, and why each day on the way does or does not count.

use serde::{Deserialize, Serialize};

use super::{Calendar, CivilDay};
use crate::planted::{Bug, planted};

/// The last day of a time limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Due {
    /// The day.
    pub day: CivilDay,
    /// Was a day counted whose year is not published yet? Then it may still move.
    pub provisional: bool,
}

/// A time that is not counted: from the day after it began to the day on which it ended, that day included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// The day on which it began; this one still counts.
    pub from: CivilDay,
    /// The day on which it ended; none while it goes on.
    pub to: Option<CivilDay>,
}

impl Pause {
    /// Whether a day is not counted because of it.
    pub fn covers(&self, day: CivilDay) -> bool {
        self.from < day && self.to.is_none_or(|to| day <= to)
    }
}

/// Whether a day counts, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Counts {
    /// The day of the event itself.
    Beginning,
    /// A working day.
    Working,
    /// A Saturday or Sunday that is worked (调休).
    MakeUp,
    /// A Saturday or Sunday.
    Weekend,
    /// A weekday that is free by the published calendar.
    Holiday,
    /// A special procedure runs.
    Paused,
}

impl Counts {
    /// Whether it is one of the days of the limit.
    pub const fn is_counted(self) -> bool {
        matches!(self, Self::Working | Self::MakeUp)
    }

    /// A stable word, for JSON and catalogues.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Beginning => "beginning",
            Self::Working => "working",
            Self::MakeUp => "make-up",
            Self::Weekend => "weekend",
            Self::Holiday => "holiday",
            Self::Paused => "paused",
        }
    }
}

/// One day on the way to the end of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountedDay {
    /// The day.
    pub day: CivilDay,
    /// Whether it counts, and why.
    pub counts: Counts,
    /// Which day of the limit it is, or how many were over before it.
    pub number: u16,
    /// Its year is not published yet: Monday to Friday are taken for working days.
    pub provisional: bool,
}

impl Calendar {
    /// The last day of a limit of `working_days`; the day of the event itself is not counted.
    pub fn due(&self, start: CivilDay, working_days: u16) -> Due {
        let nowhere = Due { day: CivilDay::MAX, provisional: true };
        self.due_around(start, working_days, &[]).unwrap_or(nowhere)
    }

    /// The same where some time is not counted; none while it stands still: a pause goes on in which days are left.
    pub fn due_around(&self, start: CivilDay, working_days: u16, pauses: &[Pause]) -> Option<Due> {
        let mut due = Due { day: start, provisional: false };
        let mut left = working_days.saturating_sub(u16::from(planted(Bug::FirstDayCounted)));
        let stands_still = pauses.iter().find(|pause| pause.to.is_none());
        while left > 0 && due.day < CivilDay::MAX {
            due.day = due.day.next();
            if stands_still.is_some_and(|pause| pause.covers(due.day)) {
                return None;
            }
            let (counts, provisional) = self.counts(due.day, pauses);
            due.provisional |= provisional;
            left = left.saturating_sub(u16::from(counts.is_counted()));
        }
        Some(due)
    }

    /// The working days after `start` up to and with `end` that count.
    pub fn counted(&self, start: CivilDay, end: CivilDay, pauses: &[Pause]) -> u16 {
        let days = std::iter::successors(Some(start.next()), |day| (*day < end).then(|| day.next()));
        let counted =
            days.take_while(|day| *day <= end).filter(|day| self.counts(*day, pauses).0.is_counted());
        u16::try_from(counted.count()).unwrap_or(u16::MAX)
    }

    /// Every day from `start` to `end`, at most `count`, each with why it does or does not count.
    pub fn explain(&self, start: CivilDay, end: CivilDay, pauses: &[Pause], count: usize) -> Vec<CountedDay> {
        let first = CountedDay { day: start, counts: Counts::Beginning, number: 0, provisional: false };
        let after = |before: &CountedDay| {
            let day = before.day.next();
            let (counts, provisional) = self.counts(day, pauses);
            let number = before.number.saturating_add(u16::from(counts.is_counted()));
            (before.day < end).then_some(CountedDay { day, counts, number, provisional })
        };
        std::iter::successors(Some(first), after).take(count).collect()
    }

    /// Whether a day counts and why, and whether that may still change.
    fn counts(&self, day: CivilDay, pauses: &[Pause]) -> (Counts, bool) {
        if pauses.iter().any(|pause| pause.covers(day)) {
            return (Counts::Paused, false);
        }
        let (published, weekend) = (self.is_working_day(day), day.weekday().is_weekend());
        let counts = match (published.unwrap_or(!weekend), weekend) {
            (true, false) => Counts::Working,
            (true, true) => Counts::MakeUp,
            (false, true) => Counts::Weekend,
            (false, false) => Counts::Holiday,
        };
        (counts, published.is_none())
    }
}
