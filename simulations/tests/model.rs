//! The exploration comes out as expected, and it finds what is wrong when the environment is bent.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot begin has failed")]

use hallmesh_simulations::model::{
    Bend, Mishaps, Outcome, Promise, SETTINGS, Setting, Verdict, Wait, check, named,
};

const STATES_MAX: usize = 1_000_000;
/// Rows of a hall's store: see the key space in `hallmesh_protocol::rows`.
const CASE_TABLES: &[u8] = &[0x20, 0x21, 0x22, 0x23, 0x27];
const CUSTODY: u8 = 0x23;
const RECEIPTS: u8 = 0x25;
const POST_TABLES: &[u8] = &[0x30, 0x31, 0x32];
const CITY: usize = 0;
const COUNTY: usize = 1;
const VILLAGE: usize = 3;

fn setting(name: &str) -> Setting {
    *named(name).expect("a setting of this name")
}

fn explore(setting: &Setting) -> Outcome {
    check(setting, STATES_MAX).expect("an exploration")
}

fn bent(name: &str, bend: Bend) -> Outcome {
    explore(&Setting { bend: Some(bend), ..setting(name) })
}

fn broken(outcome: &Outcome) -> (Promise, &[String]) {
    match &outcome.verdict {
        Verdict::Broken { promise, story, .. } => (*promise, story),
        Verdict::Holds | Verdict::Unfinished => panic!("nothing was found: {outcome:?}"),
    }
}

fn comes_out_as_expected(name: &str) {
    let outcome = explore(&setting(name));
    assert!(outcome.as_expected, "{outcome:#?}");
    assert!(outcome.states > 100, "hardly anything was explored: {outcome:?}");
}

#[test]
fn a_hand_over_keeps_every_promise() {
    comes_out_as_expected("hand-over");
}

#[test]
fn a_hand_over_with_a_lost_disk_keeps_every_promise() {
    comes_out_as_expected("disk-lost");
}

#[test]
fn a_city_gets_over_any_one_lost_disk_but_the_targets() {
    comes_out_as_expected("disk-lost-and-back");
}

#[test]
fn a_city_of_three_gets_over_any_one_lost_disk() {
    comes_out_as_expected("three-lost-and-back");
}

#[test]
fn a_city_of_three_goes_on_without_a_hall_that_is_closed_as_it_is_ruled() {
    comes_out_as_expected("closed");
}

#[test]
fn without_a_ruling_the_case_of_a_closed_hall_waits() {
    comes_out_as_expected("closed-unruled");
}

#[test]
fn another_hall_keeps_copies_for_a_silent_mirror_and_a_lost_one() {
    comes_out_as_expected("silent-mirror");
    comes_out_as_expected("silent-and-lost");
}

#[test]
fn what_nobody_has_heard_of_a_hall_that_is_put_back_breaks_a_promise() {
    comes_out_as_expected("restored-unheard");
}

#[test]
fn a_hall_that_has_forgotten_is_nobody_once_it_is_shown_that_and_only_a_fool_before() {
    for name in ["restored", "restored-alone"] {
        let of_giver = Mishaps { may_be_restored: &[COUNTY], ..setting(name).mishaps };
        let outcome = explore(&Setting { mishaps: of_giver, deeds: &[], except: None, ..setting(name) });
        assert_eq!(outcome.verdict, Verdict::Holds, "{outcome:#?}");
    }
}

#[test]
fn a_hall_that_decides_itself_hands_out_nothing_before_it_is_countersigned() {
    let outcome = explore(&setting("own-case"));
    assert!(outcome.as_expected, "{outcome:#?}");
}

/// A promise that is known to be broken, and a reason to wait, must happen: else the setting is out of date.
#[test]
fn what_is_expected_and_does_not_happen_is_told() {
    let base = setting("hand-over");
    assert!(!explore(&Setting { waits: &[Wait::NewLife], ..base }).as_expected);
    assert!(!explore(&Setting { except: Some(Promise::OwnLog), ..base }).as_expected);
    assert!(!explore(&Setting { waits: &[], ..setting("disk-lost") }).as_expected);
}

#[test]
fn every_setting_has_a_name_of_its_own() {
    for setting in SETTINGS {
        assert_eq!(named(setting.name).map(|found| found.about), Some(setting.about));
    }
}

/// This promise is found to be broken, by a story of so many lines.
fn breaks(outcome: &Outcome, promise: Promise, lines: usize) {
    let (found, story) = broken(outcome);
    assert_eq!((found, story.len()), (promise, lines), "{story:#?}");
    assert!(!outcome.as_expected);
}

#[test]
fn a_mirror_that_sends_its_receipt_before_it_is_durable_is_found() {
    breaks(&bent("hand-over", Bend::Hasty(COUNTY)), Promise::SecondCopy, 3);
}

#[test]
fn a_target_that_sends_before_it_is_durable_is_found() {
    breaks(&bent("hand-over", Bend::Hasty(CITY)), Promise::OneLog, 5);
}

#[test]
fn a_mirror_whose_disk_keeps_nothing_is_found() {
    breaks(&bent("hand-over", Bend::Forgets(COUNTY, CASE_TABLES)), Promise::SecondCopy, 3);
}

#[test]
fn a_disk_that_loses_the_post_is_found() {
    breaks(&bent("hand-over", Bend::Forgets(VILLAGE, POST_TABLES)), Promise::ComesToRest, 3);
}

#[test]
fn a_disk_that_loses_the_high_water_mark_is_found() {
    breaks(&bent("hand-over", Bend::Forgets(CITY, &[CUSTODY])), Promise::ComesToRest, 4);
}

#[test]
fn a_disk_that_loses_the_receipts_a_hall_gave_is_found() {
    breaks(&bent("hand-over", Bend::Forgets(CITY, &[RECEIPTS])), Promise::ComesToRest, 4);
}
