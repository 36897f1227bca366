//! Days, and which of them are working days.
//!
//! Legal time limits count working days of the published holiday calendar. A year is published late in the
//! year before; until then Monday to Friday are counted and the result is marked provisional. Nothing here
//! reads a clock.

mod civil_day;
mod counting;
mod rules;

#[cfg(test)]
mod tests;

pub use civil_day::{CivilDay, NotADay, Weekday};
pub use counting::{CountedDay, Counts, Due, Pause};
pub use rules::TimeRules;

use serde::{Deserialize, Serialize};

use crate::planted::{Bug, planted};

/// One published year: the exceptions to "Monday to Friday works", ascending.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CalendarYear {
    /// The year.
    pub year: u16,
    /// Weekdays that are free.
    pub weekday_off: Vec<CivilDay>,
    /// Saturdays and Sundays that are worked (调休).
    pub weekend_on: Vec<CivilDay>,
}

impl CalendarYear {
    /// The most exceptions of each kind in a year; the real ones have about 25 and 8.
    pub const EXCEPTIONS_MAX: usize = 64;

    /// Refuses a year whose exceptions are too many, out of order, of another year, or no exceptions.
    pub fn check(&self) -> Result<(), Unfit> {
        self.check_exceptions(&self.weekday_off, Exception::WeekdayOff)?;
        self.check_exceptions(&self.weekend_on, Exception::WeekendOn)
    }

    fn check_exceptions(&self, days: &[CivilDay], kind: Exception) -> Result<(), Unfit> {
        let year = self.year;
        if days.len() > Self::EXCEPTIONS_MAX {
            return Err(Unfit::TooMany { year });
        }
        if !days.is_sorted_by(|earlier, later| earlier < later) {
            return Err(Unfit::Order { year });
        }
        let foreign = |day: &&CivilDay| day.year() != year || !kind.fits(day.weekday());
        days.iter().find(foreign).map_or(Ok(()), |&day| Err(Unfit::Day { year, day }))
    }

    fn is_working_day(&self, day: CivilDay) -> bool {
        if day.weekday().is_weekend() {
            self.weekend_on.binary_search(&day).is_ok()
        } else {
            self.weekday_off.binary_search(&day).is_err() || planted(Bug::HolidayCounted)
        }
    }
}

#[derive(Clone, Copy)]
enum Exception {
    WeekdayOff,
    WeekendOn,
}

impl Exception {
    const fn fits(self, weekday: Weekday) -> bool {
        match self {
            Self::WeekdayOff => !weekday.is_weekend(),
            Self::WeekendOn => weekday.is_weekend(),
        }
    }
}

/// Why a calendar is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// More years than a calendar may have.
    #[error("a calendar has at most {} years", Calendar::YEARS_MAX)]
    TooLong,
    /// Years twice or out of order.
    #[error("the years must ascend, each once")]
    Years,
    /// More exceptions than a year may have.
    #[error("{year} has more than {} exceptions of a kind", CalendarYear::EXCEPTIONS_MAX)]
    TooMany {
        /// Which year.
        year: u16,
    },
    /// Days twice or out of order.
    #[error("the days of {year} must ascend, each once")]
    Order {
        /// Which year.
        year: u16,
    },
    /// A limit of no day, or beyond reason.
    #[error("each limit is 1 to {} working days", TimeRules::DAYS_MAX)]
    Rules,
    /// A day of another year, a weekend day said to be a free weekday, or the reverse.
    #[error("{day} is no such exception of {year}")]
    Day {
        /// Which year.
        year: u16,
        /// The day.
        day: CivilDay,
    },
}

/// 工作日历 (working-day calendar): the published years and the limits that are counted in them, checked. The default
/// knows no year and the limits of the law.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Calendar {
    years: Vec<CalendarYear>,
    rules: TimeRules,
}

impl Calendar {
    /// The most years a calendar has.
    pub const YEARS_MAX: usize = 100;

    /// The calendar of these years, which must ascend, with the limits of the law.
    pub fn new(years: Vec<CalendarYear>) -> Result<Self, Unfit> {
        let calendar = Self { years, rules: TimeRules::STATUTORY };
        calendar.check()?;
        Ok(calendar)
    }

    /// The same years with other limits.
    pub fn with_rules(self, rules: TimeRules) -> Result<Self, Unfit> {
        if rules.are_sound() { Ok(Self { rules, ..self }) } else { Err(Unfit::Rules) }
    }

    /// The limits that do not depend on the matter.
    pub const fn rules(&self) -> &TimeRules {
        &self.rules
    }

    /// The published years, ascending.
    pub fn years(&self) -> &[CalendarYear] {
        &self.years
    }

    /// Is it a working day? None when its year is not published.
    pub fn is_working_day(&self, day: CivilDay) -> Option<bool> {
        let at = self.years.binary_search_by_key(&day.year(), |year| year.year).ok()?;
        self.years.get(at).map(|year| year.is_working_day(day))
    }

    /// This calendar, and the years that only `later` has: a case keeps the calendar that it pinned, and learns of years
    /// that were published since.
    #[must_use]
    pub fn with_years_of(mut self, later: &Self) -> Self {
        let known = |year: &&CalendarYear| self.years.iter().any(|own| own.year == year.year);
        let new: Vec<_> = later.years.iter().filter(|year| !known(year)).cloned().collect();
        self.years.extend(new);
        self.years.sort_unstable_by_key(|year| year.year);
        self.years.truncate(Self::YEARS_MAX);
        self
    }

    /// Refuses years that are too many, out of order or wrong in themselves.
    pub fn check(&self) -> Result<(), Unfit> {
        if self.years.len() > Self::YEARS_MAX {
            return Err(Unfit::TooLong);
        }
        if !self.years.is_sorted_by(|earlier, later| earlier.year < later.year) {
            return Err(Unfit::Years);
        }
        self.years.iter().try_for_each(CalendarYear::check)
    }
}

/// A calendar as it is written, not checked.
#[derive(Serialize, Deserialize)]
struct Written {
    years: Vec<CalendarYear>,
    rules: TimeRules,
}

impl TryFrom<Written> for Calendar {
    type Error = Unfit;

    fn try_from(written: Written) -> Result<Self, Unfit> {
        Self::new(written.years)?.with_rules(written.rules)
    }
}

impl From<Calendar> for Written {
    fn from(calendar: Calendar) -> Self {
        Self { years: calendar.years, rules: calendar.rules }
    }
}
