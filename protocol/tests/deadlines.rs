//! Deadlines of 2020 to 2026 against another way of counting: sums of working days, where the product walks from day to
//! day, and a table of days that is made here from the published exceptions.
#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failure here is a failed test"
)]

use hallmesh_protocol::calendar::{Calendar, CalendarYear, CivilDay, Pause};
use hallmesh_protocol::chance::Chance;

/// Year, weekdays that are free, weekend days that are worked, as the State Council published them.
const PUBLISHED: [(u16, &str, &str); 7] = [
    (
        2020,
        "0101 0124 0127 0128 0129 0130 0131 0406 0501 0504 0505 0625 0626 1001 1002 1005 1006 1007 1008",
        "0119 0426 0509 0628 0927 1010",
    ),
    (
        2021,
        "0101 0211 0212 0215 0216 0217 0405 0503 0504 0505 0614 0920 0921 1001 1004 1005 1006 1007",
        "0207 0220 0425 0508 0918 0926 1009",
    ),
    (
        2022,
        "0103 0131 0201 0202 0203 0204 0404 0405 0502 0503 0504 0603 0912 1003 1004 1005 1006 1007",
        "0129 0130 0402 0424 0507 1008 1009",
    ),
    (
        2023,
        "0102 0123 0124 0125 0126 0127 0405 0501 0502 0503 0622 0623 0929 1002 1003 1004 1005 1006",
        "0128 0129 0423 0506 0625 1007 1008",
    ),
    (
        2024,
        "0101 0212 0213 0214 0215 0216 0404 0405 0501 0502 0503 0610 0916 0917 1001 1002 1003 1004 1007",
        "0204 0218 0407 0428 0511 0914 0929 1012",
    ),
    (
        2025,
        "0101 0128 0129 0130 0131 0203 0204 0404 0501 0502 0505 0602 1001 1002 1003 1006 1007 1008",
        "0126 0208 0427 0928 1011",
    ),
    (
        2026,
        "0101 0102 0216 0217 0218 0219 0220 0223 0406 0501 0504 0505 0619 0925 1001 1002 1005 1006 1007",
        "0104 0214 0228 0509 0920 1010",
    ),
];
/// 2020-01-01, a Wednesday.
const FIRST: i32 = 18_262;
const DAYS: usize = 2_557;
const WEDNESDAY: usize = 2;

/// For each day from 2020 on, whether it is worked.
fn worked() -> Vec<bool> {
    let mut days: Vec<bool> = (0..DAYS).map(|day| (day + WEDNESDAY) % 7 < 5).collect();
    for (year, off, on) in PUBLISHED {
        for text in off.split(' ') {
            days[place(year, text)] = false;
        }
        for text in on.split(' ') {
            days[place(year, text)] = true;
        }
    }
    days
}

/// Days since 2020 began, from the lengths of months.
fn place(year: u16, monthday: &str) -> usize {
    let (month, day) = monthday.split_at(2);
    let (month, day): (usize, usize) = (month.parse().unwrap(), day.parse().unwrap());
    let february = |year: u16| if year.is_multiple_of(4) { 29 } else { 28 };
    let lengths = [31, february(year), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let years: usize = (2020..year).map(|year| 337 + february(year)).sum();
    years + lengths[..month - 1].iter().sum::<usize>() + day - 1
}

fn civil(day: usize) -> CivilDay {
    CivilDay::try_from(FIRST + i32::try_from(day).unwrap()).unwrap()
}

fn calendar() -> Calendar {
    let days = |year: u16, list: &str| list.split(' ').map(|text| civil(place(year, text))).collect();
    let year = |(year, off, on): (u16, &str, &str)| CalendarYear {
        year,
        weekday_off: days(year, off),
        weekend_on: days(year, on),
    };
    Calendar::new(PUBLISHED.into_iter().map(year).collect()).unwrap()
}

/// How many counted days there are up to and with each day.
fn sums(counted: &[bool]) -> Vec<usize> {
    counted
        .iter()
        .scan(0, |sum, counted| {
            *sum += usize::from(*counted);
            Some(*sum)
        })
        .collect()
}

/// The first day on which enough have been counted, if these years reach so far.
fn reached(sums: &[usize], start: usize, days: usize) -> Option<usize> {
    if days == 0 {
        return Some(start);
    }
    let found = sums.partition_point(|sum| *sum < sums[start] + days);
    (found < sums.len()).then_some(found)
}

#[test]
fn the_table_of_days_is_the_published_one() {
    let (worked, calendar) = (worked(), calendar());
    for (year, expected) in
        [(2020, 249), (2021, 250), (2022, 249), (2023, 249), (2024, 251), (2025, 248), (2026, 248)]
    {
        let range = place(year, "0101")..=place(year, "1231");
        assert_eq!(worked[range].iter().filter(|worked| **worked).count(), expected, "{year}");
    }
    for (day, worked) in worked.iter().enumerate() {
        assert_eq!(calendar.is_working_day(civil(day)), Some(*worked), "{}", civil(day));
    }
}

#[test]
fn twenty_thousand_deadlines_agree() {
    let (sums, calendar) = (sums(&worked()), calendar());
    let mut chance = Chance::from_seed([20; 32]);
    let mut draw = |bound: usize| usize::try_from(chance.below(bound as u64)).unwrap();
    let mut compared = 0;
    while compared < 20_000 {
        let (start, days) = (draw(DAYS), draw(91));
        let Some(expected) = reached(&sums, start, days) else { continue };
        let due = calendar.due(civil(start), u16::try_from(days).unwrap());
        assert_eq!((due.day, due.provisional), (civil(expected), false), "{} + {days}", civil(start));
        compared += 1;
    }
}

#[test]
fn ten_thousand_deadlines_around_special_procedures_agree() {
    let (worked, calendar) = (worked(), calendar());
    let mut chance = Chance::from_seed([21; 32]);
    let mut draw = |bound: usize| usize::try_from(chance.below(bound as u64)).unwrap();
    let mut compared = 0;
    while compared < 10_000 {
        let (start, days) = (draw(DAYS), draw(61));
        let pauses: Vec<(usize, usize)> = (0..draw(4))
            .map(|_| {
                let from = start + draw(60);
                (from, from + draw(30))
            })
            .collect();
        let counts =
            |day: usize| worked[day] && !pauses.iter().any(|(from, to)| (from + 1..=*to).contains(&day));
        let counted: Vec<bool> = (0..DAYS).map(counts).collect();
        let Some(expected) = reached(&sums(&counted), start, days) else { continue };
        if pauses.iter().any(|(_, to)| *to >= DAYS) {
            continue;
        }
        let around: Vec<Pause> =
            pauses.iter().map(|(from, to)| Pause { from: civil(*from), to: Some(civil(*to)) }).collect();
        let due = calendar.due_around(civil(start), u16::try_from(days).unwrap(), &around).unwrap();
        assert_eq!(due.day, civil(expected), "{} + {days} around {pauses:?}", civil(start));
        compared += 1;
    }
}

#[test]
fn the_days_that_are_explained_are_the_days_that_were_counted() {
    let calendar = calendar();
    let mut chance = Chance::from_seed([22; 32]);
    for _ in 0..500 {
        let start = civil(usize::try_from(chance.below(2_300)).unwrap());
        let days = u16::try_from(chance.below(45)).unwrap();
        let due = calendar.due(start, days).day;
        let explained = calendar.explain(start, due, &[], 1_000);
        assert_eq!((explained[0].day, explained.last().unwrap().day), (start, due));
        assert_eq!(explained.last().unwrap().number, days, "{start} + {days}");
        assert_eq!(explained.iter().filter(|day| day.counts.is_counted()).count(), usize::from(days));
    }
}
