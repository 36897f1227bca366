//! A day of the Gregorian calendar as one number.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

const DAY_MS: u64 = 86_400_000;
/// Asia/Shanghai: one zone, no summer time.
const ZONE_MS: u64 = 8 * 3_600_000;

/// The text or number names no day of the years 1 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no day written like 2026-02-12")]
pub struct NotADay;

/// Days of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "their names say it")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Weekday {
    /// Saturday or Sunday?
    pub const fn is_weekend(self) -> bool {
        matches!(self, Self::Saturday | Self::Sunday)
    }
}

/// A day as it stands on paper, in local time: days since 1970-01-01, years 1 to 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "i32", into = "i32")]
pub struct CivilDay(i32);

impl CivilDay {
    /// 0001-01-01.
    pub const MIN: Self = Self(-719_162);
    /// 9999-12-31.
    pub const MAX: Self = Self(2_932_896);

    /// The day of year, month (1 to 12) and day (from 1); none when there is no such day.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        if !(1..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        let made = Self(days_from_civil(year, month, day));
        // The 31st of a short month comes out as a day of the next.
        (made.parts() == (year, month, day)).then_some(made)
    }

    /// The day it is in Shanghai `wall` milliseconds after 1970 began in Greenwich.
    pub fn of_wall(wall: u64) -> Self {
        let days = wall.saturating_add(ZONE_MS) / DAY_MS;
        i32::try_from(days).map_or(Self::MAX, |days| Self(days).min(Self::MAX))
    }

    /// Its last millisecond in Shanghai, since 1970 began in Greenwich.
    pub fn last_wall(self) -> u64 {
        let after = u64::try_from(self.0.saturating_add(1)).unwrap_or(0);
        after.saturating_mul(DAY_MS).saturating_sub(ZONE_MS).saturating_sub(1)
    }

    /// The day written as one number: 20260212.
    pub fn from_yyyymmdd(number: u32) -> Option<Self> {
        let year = u16::try_from(number / 10_000).ok()?;
        Self::new(year, u8::try_from(number / 100 % 100).ok()?, u8::try_from(number % 100).ok()?)
    }

    /// As one number: 20260212.
    pub fn yyyymmdd(self) -> u32 {
        let (year, month, day) = self.parts();
        let months = u32::from(year).saturating_mul(100).saturating_add(u32::from(month));
        months.saturating_mul(100).saturating_add(u32::from(day))
    }

    /// Days since 1970-01-01.
    pub const fn days(self) -> i32 {
        self.0
    }

    /// Year, month, day.
    pub fn parts(self) -> (u16, u8, u8) {
        civil_from_days(self.0)
    }

    /// The year.
    pub fn year(self) -> u16 {
        self.parts().0
    }

    /// The day of the week.
    pub const fn weekday(self) -> Weekday {
        // 1970-01-01 was a Thursday.
        match self.0.saturating_add(3).rem_euclid(7) {
            0 => Weekday::Monday,
            1 => Weekday::Tuesday,
            2 => Weekday::Wednesday,
            3 => Weekday::Thursday,
            4 => Weekday::Friday,
            5 => Weekday::Saturday,
            _ => Weekday::Sunday,
        }
    }

    /// The day after; the last day of 9999 stays where it is.
    #[must_use]
    pub fn next(self) -> Self {
        self.plus(1)
    }

    /// `days` calendar days later, at most the last day of 9999.
    #[must_use]
    pub fn plus(self, days: u16) -> Self {
        Self(self.0.saturating_add(i32::from(days))).min(Self::MAX)
    }
}

impl fmt::Display for CivilDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.parts();
        f.pad(&format!("{year:04}-{month:02}-{day:02}"))
    }
}

impl fmt::Debug for CivilDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for CivilDay {
    type Err = NotADay;

    fn from_str(text: &str) -> Result<Self, NotADay> {
        let number = text.split('-').collect::<String>().parse().ok();
        let day = number.and_then(Self::from_yyyymmdd).ok_or(NotADay)?;
        if day.to_string() == text { Ok(day) } else { Err(NotADay) }
    }
}

impl TryFrom<i32> for CivilDay {
    type Error = NotADay;

    fn try_from(days: i32) -> Result<Self, NotADay> {
        if (Self::MIN.0..=Self::MAX.0).contains(&days) { Ok(Self(days)) } else { Err(NotADay) }
    }
}

impl From<CivilDay> for i32 {
    fn from(day: CivilDay) -> Self {
        day.0
    }
}

// Howard Hinnant, "chrono-compatible low-level date algorithms": years begin in March, so that the leap day
// is the last of its year, and are gathered in eras of 400 years = 146,097 days.

#[expect(clippy::arithmetic_side_effects, reason = "years 1 to 9999 stay far inside i32")]
fn days_from_civil(year: u16, month: u8, day: u8) -> i32 {
    let (month, day) = (i32::from(month), i32::from(day));
    let year = i32::from(year) - i32::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[expect(clippy::arithmetic_side_effects, reason = "years 1 to 9999 stay far inside i32")]
fn civil_from_days(days: i32) -> (u16, u8, u8) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i32::from(month <= 2);
    (narrow(year), narrow(month), narrow(day))
}

#[expect(clippy::expect_used, reason = "a `CivilDay` has years 1 to 9999, months 1 to 12, days 1 to 31")]
fn narrow<N: TryFrom<i32, Error: fmt::Debug>>(number: i32) -> N {
    number.try_into().expect("parts of a civil day fit their types")
}
