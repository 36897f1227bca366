//! The published years 2020 to 2026 and the deadlines computed from them.

use proptest::prelude::*;

use super::*;

/// Year, working days, free weekdays, worked weekend days; `..` takes in every day between.
const PUBLISHED: [(u16, usize, &str, &str); 7] = [
    (
        2020,
        249,
        "01-01 01-24 01-27..31 04-06 05-01 05-04..05 06-25..26 10-01..02 10-05..08",
        "01-19 04-26 05-09 06-28 09-27 10-10",
    ),
    (
        2021,
        250,
        "01-01 02-11..12 02-15..17 04-05 05-03..05 06-14 09-20..21 10-01 10-04..07",
        "02-07 02-20 04-25 05-08 09-18 09-26 10-09",
    ),
    (
        2022,
        249,
        "01-03 01-31..02-04 04-04..05 05-02..04 06-03 09-12 10-03..07",
        "01-29..30 04-02 04-24 05-07 10-08..09",
    ),
    (
        2023,
        249,
        "01-02 01-23..27 04-05 05-01..03 06-22..23 09-29 10-02..06",
        "01-28..29 04-23 05-06 06-25 10-07..08",
    ),
    (
        2024,
        251,
        "01-01 02-12..16 04-04..05 05-01..03 06-10 09-16..17 10-01..04 10-07",
        "02-04 02-18 04-07 04-28 05-11 09-14 09-29 10-12",
    ),
    (
        2025,
        248,
        "01-01 01-28..31 02-03..04 04-04 05-01..02 05-05 06-02 10-01..03 10-06..08",
        "01-26 02-08 04-27 09-28 10-11",
    ),
    (
        2026,
        248,
        "01-01..02 02-16..20 02-23 04-06 05-01 05-04..05 06-19 09-25 10-01..02 10-05..07",
        "01-04 02-14 02-28 05-09 09-20 10-10",
    ),
];

fn day(text: &str) -> CivilDay {
    text.parse().unwrap()
}

fn days(year: u16, ranges: &str) -> Vec<CivilDay> {
    ranges.split(' ').flat_map(|range| range_of(year, range)).collect()
}

fn range_of(year: u16, range: &str) -> Vec<CivilDay> {
    let (first, last) = range.split_once("..").unwrap_or((range, range));
    let month = &first[..3];
    let last = if last.len() == 2 { format!("{month}{last}") } else { last.to_owned() };
    let (first, last) = (day(&format!("{year}-{first}")), day(&format!("{year}-{last}")));
    std::iter::successors(Some(first), |day| Some(day.next())).take_while(|day| *day <= last).collect()
}

fn year(year: u16) -> CalendarYear {
    let (_, _, off, on) = PUBLISHED.into_iter().find(|row| row.0 == year).unwrap();
    CalendarYear { year, weekday_off: days(year, off), weekend_on: days(year, on) }
}

fn published() -> Calendar {
    Calendar::new(PUBLISHED.iter().map(|row| year(row.0)).collect()).unwrap()
}

fn due(start: &str, working_days: u16) -> Due {
    published().due(day(start), working_days)
}

#[test]
fn each_year_has_its_known_number_of_working_days() {
    let calendar = published();
    for (year, expected, _, _) in PUBLISHED {
        let first = CivilDay::new(year, 1, 1).unwrap();
        let days = std::iter::successors(Some(first), |day| Some(day.next()));
        let worked = days
            .take_while(|day| day.year() == year)
            .filter(|&day| calendar.is_working_day(day).unwrap())
            .count();
        assert_eq!(worked, expected, "{year}");
    }
}

#[test]
fn deadlines_computed_by_two_independent_libraries() {
    for (start, working_days, expected) in [
        ("2026-02-12", 5, "2026-02-26"),
        ("2026-02-12", 20, "2026-03-18"),
        ("2026-09-24", 5, "2026-10-09"),
        ("2026-09-24", 20, "2026-10-29"),
    ] {
        assert_eq!(due(start, working_days), Due { day: day(expected), provisional: false });
    }
}

#[test]
fn the_day_of_the_event_is_not_counted() {
    assert_eq!(due("2026-03-02", 1).day, day("2026-03-03"));
    assert_eq!(due("2026-03-07", 1).day, day("2026-03-09"), "received on a Saturday");
    assert_eq!(due("2026-03-02", 0).day, day("2026-03-02"));
}

#[test]
fn an_unpublished_year_is_provisional_only_when_counted() {
    assert_eq!(due("2026-12-30", 1), Due { day: day("2026-12-31"), provisional: false });
    assert_eq!(due("2026-12-30", 2), Due { day: day("2027-01-01"), provisional: true });
    assert_eq!(due("2026-12-30", 3), Due { day: day("2027-01-04"), provisional: true });
    assert_eq!(published().is_working_day(day("2027-01-01")), None);
    assert_eq!(Calendar::default().due(day("2026-02-13"), 1).day, day("2026-02-16"));
}

#[test]
fn a_limit_at_the_end_of_time_ends() {
    assert_eq!(Calendar::default().due(CivilDay::MAX, u16::MAX).day, CivilDay::MAX);
}

#[test]
fn a_year_without_order_is_refused() {
    let mut twice = year(2026);
    twice.weekday_off.insert(1, twice.weekday_off[0]);
    assert_eq!(twice.check(), Err(Unfit::Order { year: 2026 }));
    let mut swapped = year(2026);
    swapped.weekend_on.swap(0, 1);
    assert_eq!(swapped.check(), Err(Unfit::Order { year: 2026 }));
    let years = Calendar::new(vec![year(2026), year(2025)]);
    assert_eq!(years, Err(Unfit::Years));
    assert_eq!(Calendar::new(vec![year(2026), year(2026)]), Err(Unfit::Years));
}

#[test]
fn exceptions_that_are_none_are_refused() {
    let refuse = |off: &[&str], on: &[&str], wrong: &str| {
        let parse = |days: &[&str]| days.iter().map(|text| day(text)).collect();
        let year = CalendarYear { year: 2026, weekday_off: parse(off), weekend_on: parse(on) };
        assert_eq!(year.check(), Err(Unfit::Day { year: 2026, day: day(wrong) }));
    };
    refuse(&[], &["2026-02-13"], "2026-02-13");
    refuse(&["2026-02-14"], &[], "2026-02-14");
    refuse(&["2026-02-16", "2027-01-01"], &[], "2027-01-01");
}

#[test]
fn too_many_are_refused() {
    let mut year = year(2026);
    year.weekday_off = (1..=200).map(|n| CivilDay::new(2026, 1, 1).unwrap().plus(n)).collect();
    assert_eq!(year.check(), Err(Unfit::TooMany { year: 2026 }));
    let bare = |year| CalendarYear { year, weekday_off: Vec::new(), weekend_on: Vec::new() };
    assert_eq!(Calendar::new((2000..2101).map(bare).collect()), Err(Unfit::TooLong));
}

#[test]
fn a_calendar_is_checked_when_read_too() {
    let config = bincode::config::standard();
    let read = |years: Vec<CalendarYear>| {
        let bytes = bincode::serde::encode_to_vec((years, TimeRules::STATUTORY), config).unwrap();
        bincode::serde::decode_from_slice::<Calendar, _>(&bytes, config).map(|(calendar, _)| calendar)
    };
    assert_eq!(read(published().years().to_vec()).unwrap(), published());
    assert!(read(vec![year(2026), year(2025)]).is_err());
    let endless = TimeRules { notice_days: 0, ..TimeRules::STATUTORY };
    assert_eq!(published().with_rules(endless), Err(Unfit::Rules));
    let bytes = bincode::serde::encode_to_vec(i32::MAX, config).unwrap();
    assert!(bincode::serde::decode_from_slice::<CivilDay, _>(&bytes, config).is_err());
}

#[test]
fn known_days() {
    for (text, days, weekday) in [
        ("1970-01-01", 0, Weekday::Thursday),
        ("2000-02-29", 11_016, Weekday::Tuesday),
        ("2026-02-12", 20_496, Weekday::Thursday),
        ("0001-01-01", CivilDay::MIN.days(), Weekday::Monday),
        ("9999-12-31", CivilDay::MAX.days(), Weekday::Friday),
    ] {
        assert_eq!((day(text).days(), day(text).weekday()), (days, weekday), "{text}");
    }
}

#[test]
fn days_that_do_not_exist() {
    for text in ["2026-02-29", "1900-02-29", "2026-04-31", "2026-13-01", "2026-00-10", "0000-01-01"] {
        assert_eq!(text.parse::<CivilDay>(), Err(NotADay), "{text}");
    }
    for text in ["2026-2-12", "20260212", "2026-02-12 ", "+2026-02-12", "2026-02-1२", ""] {
        assert_eq!(text.parse::<CivilDay>(), Err(NotADay), "{text}");
    }
}

#[test]
fn midnight_is_that_of_shanghai() {
    let eight_hours = 8 * 3_600_000;
    let midnight = 20_496 * 86_400_000 - eight_hours;
    assert_eq!(CivilDay::of_wall(midnight - 1), day("2026-02-11"));
    assert_eq!(CivilDay::of_wall(midnight), day("2026-02-12"));
    assert_eq!(CivilDay::of_wall(u64::MAX), CivilDay::MAX);
}

#[test]
fn every_day_follows_the_one_before() {
    let mut before = CivilDay::MIN;
    while before < CivilDay::MAX {
        let (year, month, day) = before.parts();
        let next = before.next();
        let follows = [(year, month, day + 1), (year, month + 1, 1), (year + 1, 1, 1)];
        assert!(follows.contains(&next.parts()), "{next:?} after {before:?}");
        assert_eq!(CivilDay::new(year, month, day), Some(before));
        before = next;
    }
}

proptest! {
    #[test]
    fn any_day_survives_print_and_parse(days in CivilDay::MIN.days()..=CivilDay::MAX.days()) {
        let day = CivilDay::try_from(days).unwrap();
        prop_assert_eq!(day.to_string().parse(), Ok(day));
        prop_assert_eq!(CivilDay::from_yyyymmdd(day.yyyymmdd()), Some(day));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*") {
        if let Ok(day) = text.parse::<CivilDay>() {
            prop_assert_eq!(day.to_string(), text);
        }
    }

    #[test]
    fn one_day_more_is_due_later(start in 18_000..21_000_i32, working_days in 0..200_u16) {
        let (calendar, start) = (published(), CivilDay::try_from(start).unwrap());
        let due = calendar.due(start, working_days).day;
        prop_assert!(calendar.due(start, working_days.saturating_add(1)).day > due);
        prop_assert!(calendar.is_working_day(due) != Some(false) || working_days == 0);
    }
}
