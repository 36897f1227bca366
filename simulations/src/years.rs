//! The made-up years of a city: which days are worked, as the State Council would have it, and when the lists know.
//! Written apart from the product's calendar, so that the one can be checked against the other.

use hallmesh_protocol::calendar::{Calendar, CalendarYear, CivilDay};

use crate::clock::FOUNDED;
use crate::plan::DAY;

/// The year in which every city is founded.
pub const FIRST: u16 = 2026;
/// Free days of each year: month, first day, last day. New Year, Spring Festival, May, National Day; and a made-up one
/// soon after the founding, so that short runs count around it, too.
const FREE: [(u8, u8, u8); 5] = [(1, 1, 2), (2, 3, 10), (5, 1, 5), (10, 1, 7), (12, 3, 3)];
/// Milliseconds after midnight in Beijing at which halls open: half past eight.
const OPENS: u64 = 8 * 3_600_000 + 1_800_000;
/// Milliseconds by which Beijing is ahead of UTC.
const ZONE: u64 = 8 * 3_600_000;

/// Whether a day is worked: weekdays outside of the free days, and the weekend days that make up for them.
pub fn is_worked(day: CivilDay) -> bool {
    if day.weekday().is_weekend() { makes_up(day) } else { !is_free(day) }
}

/// The calendar that the lists know, up to and including a year.
pub fn published(last: u16) -> Calendar {
    Calendar::new((FIRST..=last).map(year).collect()).unwrap_or_default()
}

/// The year in which a world of this age is.
pub fn year_of(world: u64) -> u16 {
    CivilDay::of_wall(FOUNDED.saturating_add(world)).year()
}

/// When the halls open on each of so many working days, by the age of the world, and whether it is the first after
/// a break of four days or more.
pub fn openings(count: u64) -> Vec<(u64, bool)> {
    let (mut openings, mut free) = (Vec::new(), 0_u64);
    for number in 0_u64.. {
        if u64::try_from(openings.len()).unwrap_or(u64::MAX) >= count {
            break;
        }
        let midnight = number.saturating_mul(DAY);
        let day = CivilDay::of_wall(FOUNDED.saturating_add(midnight));
        if is_worked(day) {
            // The world begins at eight in the morning.
            let opens = midnight.saturating_add(OPENS.saturating_sub(ZONE));
            openings.push((if openings.is_empty() { 0 } else { opens }, free >= 4));
            free = 0;
        } else {
            free = free.saturating_add(1);
        }
    }
    openings
}

fn year(year: u16) -> CalendarYear {
    let days = std::iter::successors(CivilDay::new(year, 1, 1), |day| Some(day.next()));
    let days: Vec<_> = days.take_while(|day| day.year() == year).collect();
    let weekend = |day: &CivilDay| day.weekday().is_weekend();
    CalendarYear {
        year,
        weekday_off: days.iter().copied().filter(|day| !weekend(day) && is_free(*day)).collect(),
        weekend_on: days.iter().copied().filter(|day| weekend(day) && makes_up(*day)).collect(),
    }
}

fn is_free(day: CivilDay) -> bool {
    let (_, month, of_month) = day.parts();
    FREE.iter().any(|(free, first, last)| *free == month && (*first..=*last).contains(&of_month))
}

/// The weekend days within a week after a long holiday are worked.
fn makes_up(day: CivilDay) -> bool {
    let (_, month, of_month) = day.parts();
    let long = FREE.iter().filter(|(_, first, last)| last.saturating_sub(*first) >= 4);
    let mut after = long.filter(|(free, _, last)| *free == month && of_month > *last);
    after.any(|(_, _, last)| of_month <= last.saturating_add(7))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_calendar_says_what_is_worked() {
        let calendar = published(2030);
        let days = std::iter::successors(CivilDay::new(FIRST, 1, 1), |day| Some(day.next()));
        for day in days.take_while(|day| day.year() <= 2030) {
            assert_eq!(calendar.is_working_day(day), Some(is_worked(day)), "{day}");
        }
    }

    #[test]
    fn offices_open_on_working_days_and_notice_a_long_break() {
        let openings = openings(250);
        assert_eq!(openings.first(), Some(&(0, false)));
        assert!(openings.is_sorted());
        assert!(openings.iter().any(|(_, after_break)| *after_break));
        let year = 365 * DAY;
        assert!(openings.last().is_some_and(|(at, _)| (year - 30 * DAY..year + 30 * DAY).contains(at)));
    }
}
