//! 告知承诺 on the product's own nodes: believed at once, checked afterwards by whoever decided, undone where it was a lie.
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

use common::custody::{HERE, custodians, fold, recorded, sound};
use common::{CITY, COUNTY, City, VILLAGE, matter};
use hallmesh_protocol::cases::{Article, Deed, NotAllowed, Refusal, State};
use hallmesh_protocol::catalogue::{Material, MaterialSource, Matter, Necessity};
use hallmesh_protocol::ids::{CaseId, Tier};
use hallmesh_protocol::query;
use hallmesh_protocol::record::Body;
use hallmesh_protocol::step::{Command, Reply};

/// A county's matter of whose materials one may be promised.
fn city() -> City {
    let mut city = City::new();
    let lease = Material {
        name: "lease".to_owned(),
        necessity: Necessity::Promisable,
        source: MaterialSource::Applicant,
    };
    let body = Body::Matter(Box::new(Matter { materials: vec![lease], ..matter("COUNTY-1", Tier::County) }));
    let act = city.act(CITY);
    assert_eq!(city.command(CITY, Command::Publish(act, vec![body])), Reply::Published { records: 1 });
    city.run();
    city
}

/// Granted on a promise and handed out; then it is in the hand of whoever decided.
fn delivered_on_a_promise(city: &mut City) -> CaseId {
    let case = city.received(VILLAGE, "COUNTY-1", HERE);
    city.run();
    recorded(city, COUNTY, case, Deed::AcceptPromise);
    recorded(city, COUNTY, case, Deed::GRANT);
    city.run();
    recorded(city, VILLAGE, case, Deed::Deliver);
    city.run();
    assert_eq!(custodians(city, case), [COUNTY], "to be checked there");
    assert_eq!(fold(city, COUNTY, case).state, State::Delivered);
    case
}

fn is_open(city: &City, index: usize, case: CaseId) -> bool {
    query::open_cases(&city.halls[index].rows, None, 100).contains(&case)
}

#[test]
fn what_was_promised_is_checked_where_it_was_decided() {
    let mut city = city();
    let case = delivered_on_a_promise(&mut city);
    assert!(is_open(&city, COUNTY, case), "its limit is watched");
    assert_eq!(
        city.deed(COUNTY, case, Deed::Archive),
        Reply::Refused(Refusal::Act(NotAllowed::WrongState(Article::Promise)))
    );
    recorded(&mut city, COUNTY, case, Deed::Check);
    city.run();
    assert!(!is_open(&city, COUNTY, case), "nothing is owed any more");
    assert_eq!(custodians(&city, case), [COUNTY]);
    recorded(&mut city, COUNTY, case, Deed::Archive);
    sound(&city);
}

#[test]
fn a_lie_costs_what_was_granted_and_the_citizen_is_told_at_the_window() {
    let mut city = city();
    let case = delivered_on_a_promise(&mut city);
    recorded(&mut city, COUNTY, case, Deed::Revoke);
    city.run();
    assert_eq!(custodians(&city, case), [VILLAGE]);
    assert_eq!(fold(&city, VILLAGE, case).state, State::Revoked);
    assert!(is_open(&city, VILLAGE, case), "the citizen does not know yet");
    recorded(&mut city, VILLAGE, case, Deed::Deliver);
    city.run();
    let told = fold(&city, VILLAGE, case);
    assert!(told.is_over() && told.revocation_told.is_some() && !is_open(&city, VILLAGE, case));
    assert_eq!(custodians(&city, case), [VILLAGE], "nothing is left to be checked");
    sound(&city);
}

#[test]
fn nothing_is_promised_that_the_list_does_not_let_be_promised() {
    let mut city = City::new();
    let case = city.received(CITY, "CITY-1", HERE);
    let refused = city.deed(CITY, case, Deed::AcceptPromise);
    assert_eq!(refused, Reply::Refused(Refusal::NothingMayBePromised));
}
