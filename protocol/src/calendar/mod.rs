//! Days, and which of them are working days.
//!
//! Legal time limits count working days of the published holiday calendar. A year is published late in the
//! year before; until then Monday to Friday are counted and the result is marked provisional. Nothing here
//! reads a clock.

mod civil_day;

#[cfg(test)]
mod tests;

pub use civil_day::{CivilDay, NotADay, Weekday};

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
    /// A day of another year, a weekend day said to be a free weekday, or the reverse.
    #[error("{day} is no such exception of {year}")]
    Day {
        /// Which year.
        year: u16,
        /// The day.
        day: CivilDay,
    },
}

/// 工作日历 (working-day calendar): the published years, checked. The default knows no year.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Vec<CalendarYear>", into = "Vec<CalendarYear>")]
pub struct Calendar {
    years: Vec<CalendarYear>,
}

impl Calendar {
    /// The most years a calendar has.
    pub const YEARS_MAX: usize = 100;

    /// The calendar of these years, which must ascend.
    pub fn new(years: Vec<CalendarYear>) -> Result<Self, Unfit> {
        let calendar = Self { years };
        calendar.check()?;
        Ok(calendar)
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

    /// The last day of a limit of `working_days`; the day of the event itself is not counted.
    pub fn due(&self, start: CivilDay, working_days: u16) -> Due {
        let mut due = Due { day: start, provisional: false };
        let mut left = working_days.saturating_sub(u16::from(planted(Bug::FirstDayCounted)));
        while left > 0 && due.day < CivilDay::MAX {
            due.day = due.day.next();
            let published = self.is_working_day(due.day);
            due.provisional |= published.is_none();
            if published.unwrap_or(!due.day.weekday().is_weekend()) {
                left = left.saturating_sub(1);
            }
        }
        due
    }

    fn check(&self) -> Result<(), Unfit> {
        if self.years.len() > Self::YEARS_MAX {
            return Err(Unfit::TooLong);
        }
        if !self.years.is_sorted_by(|earlier, later| earlier.year < later.year) {
            return Err(Unfit::Years);
        }
        self.years.iter().try_for_each(CalendarYear::check)
    }
}

impl TryFrom<Vec<CalendarYear>> for Calendar {
    type Error = Unfit;

    fn try_from(years: Vec<CalendarYear>) -> Result<Self, Unfit> {
        Self::new(years)
    }
}

impl From<Calendar> for Vec<CalendarYear> {
    fn from(calendar: Calendar) -> Self {
        calendar.years
    }
}

/// The last day of a time limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Due {
    /// The day.
    pub day: CivilDay,
    /// Was a day counted whose year is not published yet? Then it may still move.
    pub provisional: bool,
}
