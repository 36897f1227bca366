//! A bug that is planted is found, and nothing is found where none is. The whole list is for `hallmesh-sim planted`.
#![cfg(feature = "planted-bugs")]

use hallmesh_protocol::planted::Bug;
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
}
