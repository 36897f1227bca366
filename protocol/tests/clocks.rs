//! Wrong clocks of machines: what they claim is marked, bounded by the next hall, and gives nobody more days or fewer.
#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a failure here is a failed test"
)]

mod common;

use common::{CITY, COUNTY, City, OTHER_COUNTY, VILLAGE, WALL, delegation};
use hallmesh_protocol::calendar::CivilDay;
use hallmesh_protocol::cases::{Case, ClockKind, Closing, Deed, Procedure, Reading, Refusal};
use hallmesh_protocol::catalogue::Rights;
use hallmesh_protocol::ids::{CaseId, Tier};
use hallmesh_protocol::query;
use hallmesh_protocol::step::{Command, Happening, Reply};

const HERE: u64 = 620_702_203_200;
const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;
const YEARS: i64 = 7 * 365 * 86_400_000;

fn case(city: &City, index: usize, case: CaseId) -> Case {
    query::case(&city.halls[index].rows, case).unwrap().case
}

fn said(city: &City, index: usize) -> Vec<bool> {
    let clocks = city.halls[index].happened.iter();
    clocks
        .filter_map(|it| if let Happening::Clock { known } = it { Some(known.is_some()) } else { None })
        .collect()
}

fn recorded(reply: &Reply) -> bool {
    matches!(reply, Reply::Recorded { .. })
}

/// A machine that was off came back without its battery and without a line, and takes in a case.
fn received_without_battery() -> (City, CaseId) {
    let mut city = City::new();
    city.run_seconds(40);
    city.pass(7 * HOUR);
    city.run_seconds(40);
    city.cut(VILLAGE);
    city.halls[VILLAGE].off = -YEARS;
    city.open(VILLAGE);
    let case = city.received(VILLAGE, "CITY-1", HERE);
    (city, case)
}

#[test]
fn a_case_dated_by_a_dead_battery_is_not_accepted_years_ago() {
    let (mut city, id) = received_without_battery();
    let at_window = case(&city, VILLAGE, id);
    assert!(at_window.received.suspect && !at_window.received.is_certain());
    let printed = at_window.received.claimed;
    assert!(printed.abs_diff(WALL + 7 * HOUR) < HOUR, "what has passed at least");
    city.pass(2 * DAY);
    city.heal(VILLAGE);
    city.run();
    let taken = case(&city, CITY, id).received;
    assert!(taken.checked && taken.is_certain());
    assert_eq!(taken.claimed, printed, "what is printed stays");
    assert!(taken.legal >= WALL + 2 * DAY, "as the next hall's clock shows: {taken:?}");
    city.pass(DAY);
    assert!(recorded(&city.deed(CITY, id, Deed::RequestCorrection)));
    assert_eq!(said(&city, VILLAGE), [true], "people hear of it, once");
}

#[test]
fn a_hall_in_doubt_still_has_its_rights_and_is_believed_again_when_its_clock_is_set() {
    let (mut city, id) = received_without_battery();
    city.run();
    city.halls[VILLAGE].off = 0;
    city.heal(VILLAGE);
    city.run_seconds(20);
    assert_eq!(said(&city, VILLAGE), [true, false]);
    let other = city.received(VILLAGE, "CITY-1", HERE);
    assert!(!case(&city, VILLAGE, other).received.suspect);
    assert!(case(&city, VILLAGE, id).received.suspect, "what was signed in doubt stays so");
}

#[test]
fn a_clock_that_is_ahead_gives_nobody_more_days() {
    let mut city = City::new();
    city.run();
    // It hears nobody, so it cannot know.
    city.cut(VILLAGE);
    city.halls[VILLAGE].off = i64::try_from(30 * DAY).unwrap();
    city.open(VILLAGE);
    let id = city.received(VILLAGE, "CITY-1", HERE);
    assert!(!case(&city, VILLAGE, id).received.suspect);
    city.heal(VILLAGE);
    city.run();
    let taken = case(&city, CITY, id).received;
    assert_eq!(taken.claimed / DAY, (WALL + 30 * DAY) / DAY);
    assert!(taken.checked && taken.legal < WALL + DAY, "the earlier of the two: {taken:?}");
    city.pass(9 * DAY);
    let late = city.deed(CITY, id, Deed::RequestCorrection);
    assert_eq!(late, Reply::Refused(Refusal::DeemedAccepted(CivilDay::of_wall(taken.legal))));
}

#[test]
fn a_hall_that_hears_three_others_works_by_their_time_when_its_clock_is_wrong() {
    for off in [YEARS, -YEARS] {
        let mut city = City::new();
        city.run();
        city.halls[CITY].off = off;
        let id = city.received(CITY, "CITY-1", HERE);
        let own = case(&city, CITY, id);
        assert!(!own.received.suspect && own.received.claimed.abs_diff(WALL) < HOUR, "{:?}", own.received);
        assert_eq!(said(&city, CITY), [true]);
        assert!(recorded(&city.deed(CITY, id, Deed::RequestCorrection)), "nobody is late");
        let close = Deed::Close(Closing::NotSupplemented);
        assert!(matches!(city.deed(CITY, id, close), Reply::Refused(Refusal::TooEarly(_))));
    }
}

#[test]
fn a_clock_that_is_set_right_is_believed_by_those_who_heard_the_wrong_one() {
    let mut city = City::new();
    // A county whose power failed: every machine boots four hours behind, and greets its neighbours so.
    for index in 0..city.halls.len() {
        city.halls[index].off = -i64::try_from(4 * HOUR).unwrap();
    }
    city.run();
    for index in 0..city.halls.len() {
        city.halls[index].off = 0;
    }
    city.run_seconds(40);
    for index in 0..city.halls.len() {
        assert_ne!(said(&city, index).last(), Some(&true), "hall {index} doubts a right clock");
    }
}

/// A hall without a line and with a dead battery takes in a case that it decides itself.
fn received_where_it_is_decided() -> (City, CaseId) {
    let mut city = City::new();
    city.run_seconds(40);
    city.pass(7 * HOUR);
    city.run_seconds(40);
    city.cut(COUNTY);
    city.halls[COUNTY].off = -YEARS;
    city.open(COUNTY);
    let case = city.received(COUNTY, "COUNTY-1", HERE);
    (city, case)
}

#[test]
fn nobody_gives_itself_days_by_a_clock_that_it_sets_right_later() {
    let (mut city, id) = received_where_it_is_decided();
    let received = case(&city, COUNTY, id).received;
    assert!(received.suspect);
    city.halls[COUNTY].off = 0;
    city.pass(30 * DAY);
    let late = city.deed(COUNTY, id, Deed::RequestCorrection);
    assert_eq!(late, Reply::Refused(Refusal::DeemedAccepted(CivilDay::of_wall(received.claimed))));
    assert!(recorded(&city.deed(COUNTY, id, Deed::Accept)));
    let accepted = case(&city, COUNTY, id);
    let since = Some(CivilDay::of_wall(received.claimed));
    let view = query::case(&city.halls[COUNTY].rows, id).unwrap();
    let today = CivilDay::of_wall(city.clock(COUNTY).wall);
    let limits = query::limits(&city.halls[COUNTY].rows, &view, today).unwrap();
    assert_eq!((accepted.received.legal, limits.deemed_accepted), (received.claimed, since));
}

#[test]
fn a_clock_that_was_ahead_unnoticed_gives_no_days_to_its_own_hall() {
    let mut city = City::new();
    city.cut(COUNTY);
    city.halls[COUNTY].off = YEARS / 7;
    city.open(COUNTY);
    let id = city.received(COUNTY, "COUNTY-1", HERE);
    city.halls[COUNTY].off = 0;
    city.pass(30 * DAY);
    assert!(recorded(&city.deed(COUNTY, id, Deed::Accept)));
    let received = case(&city, COUNTY, id).received;
    assert!(received.claimed > received.legal && received.legal <= city.clock(COUNTY).wall, "{received:?}");
}

#[test]
fn a_clock_in_doubt_takes_no_day_from_the_applicant() {
    let (mut city, id) = received_where_it_is_decided();
    assert!(recorded(&city.deed(COUNTY, id, Deed::RequestCorrection)));
    city.halls[COUNTY].off = 0;
    city.pass(35 * DAY);
    let close = Deed::Close(Closing::NotSupplemented);
    let early = city.deed(COUNTY, id, close);
    assert!(matches!(early, Reply::Refused(Refusal::TooEarly(_))), "twenty days once more: {early:?}");
    city.pass(45 * DAY);
    let closed = city.deed(COUNTY, id, close);
    assert!(recorded(&closed), "{closed:?}");
}

#[test]
fn a_pause_that_ends_in_doubt_is_no_longer_than_it_certainly_was() {
    let mut city = City::new();
    city.run_seconds(40);
    let id = city.received(COUNTY, "COUNTY-1", HERE);
    assert!(recorded(&city.deed(COUNTY, id, Deed::Accept)));
    let begin = Deed::BeginProcedure { procedure: Procedure::Inspection, days: 5 };
    assert!(recorded(&city.deed(COUNTY, id, begin)));
    city.cut(COUNTY);
    city.halls[COUNTY].off = -YEARS;
    city.open(COUNTY);
    city.pass(DAY);
    assert!(recorded(&city.deed(COUNTY, id, Deed::EndProcedure)));
    city.halls[COUNTY].off = 0;
    city.pass(50 * DAY);
    assert!(recorded(&city.deed(COUNTY, id, Deed::GRANT)));
    let (rows, today) = (&city.halls[COUNTY].rows, CivilDay::of_wall(city.clock(COUNTY).wall));
    let limits = query::limits(rows, &query::case(rows, id).unwrap(), today).unwrap();
    let decision = limits.newest(ClockKind::Decision).unwrap();
    assert_eq!(decision.on(&limits.calendar, today), Reading::Missed, "{decision:?}");
}

#[test]
fn a_hall_that_never_had_the_pinned_version_goes_by_the_one_in_force() {
    let mut city = City::new();
    city.run();
    let id = city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    let pinned = case(&city, CITY, id).matter_version;
    city.halls[CITY].rows.0.retain(|key, _| !key.windows(32).any(|it| it == pinned.0.as_slice()));
    assert!(query::case(&city.halls[CITY].rows, id).unwrap().matter.is_none());
    assert!(recorded(&city.deed(CITY, id, Deed::Accept)));
}

#[test]
fn what_counts_as_accepted_is_put_on_record_though_the_delegation_has_ended() {
    let mut city = City::new();
    let id = city.received(VILLAGE, "SHARED-1", HERE);
    city.run();
    let act = city.act(CITY);
    let ended = delegation(Some("SHARED-1"), Tier::County, Rights { receive: true, ..Rights::default() });
    assert_eq!(city.command(CITY, Command::Publish(act, vec![ended])), Reply::Published { records: 1 });
    city.run();
    assert_eq!(city.deed(COUNTY, id, Deed::Accept), Reply::Refused(Refusal::MayNotAccept));
    city.pass(12 * DAY);
    assert!(matches!(
        city.deed(COUNTY, id, Deed::RequestCorrection),
        Reply::Refused(Refusal::DeemedAccepted(_))
    ));
    assert!(recorded(&city.deed(COUNTY, id, Deed::Accept)), "the law has accepted it");
}

#[test]
fn doubtful_clocks_of_others_make_nobody_doubt() {
    let mut city = City::new();
    for index in [COUNTY, OTHER_COUNTY] {
        city.cut(index);
        city.halls[index].off = -YEARS;
        city.open(index);
    }
    for index in [COUNTY, OTHER_COUNTY] {
        city.heal(index);
    }
    city.run_seconds(20);
    let id = city.received(VILLAGE, "CITY-1", HERE);
    assert!(!case(&city, VILLAGE, id).received.suspect);
    assert_eq!(said(&city, CITY), Vec::<bool>::new());
}
