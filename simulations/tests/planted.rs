//! A bug that is planted is found, and nothing is found where none is. The whole list is for `hallmesh-sim planted`.
#![cfg(feature = "planted-bugs")]
#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot begin has failed")]

use hallmesh_protocol::planted::Bug;
use hallmesh_simulations::model::bugs::{FOUND, check_wrongly};
use hallmesh_simulations::model::{Setting, Verdict, named};
use hallmesh_simulations::planted::hunt;

const SECONDS: u64 = 60;

/// One test: there is one switch in the process.
#[test]
fn a_planted_bug_is_found_and_none_where_there_is_none() {
    for (bug, checker) in [
        (Bug::GiverKeepsTheHand, "one-hand"),
        (Bug::GradedAtOnce, "kept"),
        (Bug::PlaceInClear, "route-only"),
        (Bug::ElementNotRemoved, "rows-agree"),
        (Bug::SignsAfterRollback, "remembered"),
    ] {
        let found = hunt(Some(bug), SECONDS).expect("the city is founded").expect("it is found");
        assert_eq!((found.bug, found.checker.as_str()), (bug.word(), checker), "{}", found.how);
    }
    assert_eq!(hunt(None, 1).expect("the city is founded"), None);
    every_rule_of_hand_over_and_of_lives_is_missed_by_the_exploration_when_it_is_switched_off();
}

fn every_rule_of_hand_over_and_of_lives_is_missed_by_the_exploration_when_it_is_switched_off() {
    for (bug, name, promise) in FOUND {
        let setting: &Setting = named(name).expect("a setting");
        let outcome = check_wrongly(setting, *bug, 2_000_000).expect("an exploration");
        let Verdict::Broken { promise: broken, .. } = outcome.verdict else {
            panic!("{} is not found: {outcome:?}", bug.word());
        };
        assert_eq!(broken, *promise, "{}", bug.word());
    }
}
