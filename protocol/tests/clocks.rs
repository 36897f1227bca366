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

use common::{CITY, COUNTY, City, OTHER_COUNTY, VILLAGE, WALL};
use hallmesh_protocol::calendar::CivilDay;
use hallmesh_protocol::cases::{Case, Deed, Refusal};
use hallmesh_protocol::ids::CaseId;
use hallmesh_protocol::query;
use hallmesh_protocol::step::{Happening, Reply};

const HERE: u64 = 620_702_203_200;
const DAY: u64 = 86_400_000;
const YEARS: i64 = 7 * 365 * 86_400_000;

fn case(city: &City, index: usize, case: CaseId) -> Case {
    query::case(&city.halls[index].rows, case).unwrap().case
}

fn said(city: &City, index: usize) -> Vec<bool> {
    let clocks = city.halls[index].happened.iter();
    clocks
        .filter_map(|it| if let Happening::Clock { doubted } = it { Some(*doubted) } else { None })
        .collect()
}

fn recorded(reply: &Reply) -> bool {
    matches!(reply, Reply::Recorded { .. })
}

/// A machine that was off came back without its battery and without a line, and takes in a case.
fn received_without_battery() -> (City, CaseId) {
    let mut city = City::new();
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
    assert_eq!(at_window.received.claimed, city.clock(VILLAGE).wall, "what is printed stays");
    city.pass(2 * DAY);
    city.heal(VILLAGE);
    city.run();
    let taken = case(&city, CITY, id).received;
    assert!(taken.checked && taken.is_certain());
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
fn a_hall_that_hears_three_others_doubts_a_clock_that_is_ahead() {
    let mut city = City::new();
    city.run();
    city.halls[CITY].off = YEARS;
    let id = city.received(CITY, "CITY-1", HERE);
    let own = case(&city, CITY, id);
    assert!(own.received.suspect, "the counties and the township show another time");
    // It decides by what it knows better, not by its clock: nobody is late.
    assert!(recorded(&city.deed(CITY, id, Deed::RequestCorrection)));
    city.halls[CITY].off = 0;
    city.pass(DAY);
    assert!(recorded(&city.deed(CITY, id, Deed::Supplement)));
    let later = case(&city, CITY, id);
    assert!(
        later.received.checked && later.received.legal >= WALL + DAY,
        "the hall's own later word bounds it"
    );
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
