//! Decisions and their countersignatures, and what lies on one disk only, on the product's own nodes.
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

use common::{CITY, COUNTY, City, OTHER_COUNTY, VILLAGE, matter};
use hallmesh_protocol::cases::{Deed, Refusal, Standing, State};
use hallmesh_protocol::ids::{CaseId, Tier};
use hallmesh_protocol::message::Message;
use hallmesh_protocol::post::LetterBody;
use hallmesh_protocol::query;
use hallmesh_protocol::record::Body;
use hallmesh_protocol::step::{Command, Happening, Reply};

const HERE: u64 = 620_702_203_200;

/// No mirror hears of anything any more.
fn without_copies(city: &mut City) {
    city.bend = Box::new(
        |_, _, message| !matches!(message, Message::Letter(letter) if matches!(letter.body, LetterBody::Copy(_))),
    );
}

fn heal(city: &mut City) {
    city.bend = Box::new(|_, _, _| true);
}

fn done(reply: &Reply) -> bool {
    matches!(reply, Reply::Recorded { .. })
}

fn standing(city: &City, index: usize, case: CaseId) -> Option<Standing> {
    let rows = &city.halls[index].rows;
    query::standing(rows, &query::case(rows, case)?.case)
}

fn countersigned(city: &City, index: usize, case: CaseId) -> usize {
    city.halls[index].happened.iter().filter(|it| **it == Happening::Countersigned(case)).count()
}

fn singles(city: &City, index: usize) -> Vec<CaseId> {
    let rows = &city.halls[index].rows;
    let found: Vec<_> = query::single_copies(rows, None, 100).into_iter().map(|(_, case)| case).collect();
    assert_eq!(query::counts(rows).single, u64::try_from(found.len()).unwrap(), "what is listed is counted");
    found
}

/// A county takes in what it decides itself, and decides it while no mirror hears of that.
fn decided_alone(city: &mut City, matter: &str) -> CaseId {
    let case = city.received(COUNTY, matter, HERE);
    city.run();
    assert!(done(&city.deed(COUNTY, case, Deed::Accept)));
    city.run();
    assert_eq!(singles(city, COUNTY), []);
    without_copies(city);
    assert!(done(&city.deed(COUNTY, case, Deed::GRANT)));
    city.run();
    assert_eq!(standing(city, COUNTY, case), Some(Standing::Provisional));
    assert_eq!(singles(city, COUNTY), [case]);
    case
}

fn publish_offline(city: &mut City) {
    let mut offline = matter("OFFLINE-1", Tier::County);
    offline.offline_decision = true;
    let act = city.act(CITY);
    let reply = city.command(CITY, Command::Publish(act, vec![Body::Matter(Box::new(offline))]));
    assert_eq!(reply, Reply::Published { records: 1 });
    city.run();
}

#[test]
fn a_decision_that_no_mirror_has_is_not_delivered() {
    let mut city = City::new();
    let case = decided_alone(&mut city, "COUNTY-1");
    assert_eq!(city.deed(COUNTY, case, Deed::Deliver), Reply::Refused(Refusal::NotCountersigned));
    assert_eq!(countersigned(&city, COUNTY, case), 0);
    heal(&mut city);
    city.run();
    assert_eq!(countersigned(&city, COUNTY, case), 1, "told once, though two mirrors have signed");
    let by = standing(&city, COUNTY, case);
    let mirrors = [CITY, OTHER_COUNTY].map(|index| Some(Standing::Countersigned(city.halls[index].at)));
    assert!(mirrors.contains(&by), "{by:?}");
    assert_eq!(singles(&city, COUNTY), []);
    assert!(done(&city.deed(COUNTY, case, Deed::Deliver)));
}

#[test]
fn where_a_cut_off_hall_may_decide_the_result_is_delivered_and_becomes_final_by_itself() {
    let mut city = City::new();
    publish_offline(&mut city);
    let case = decided_alone(&mut city, "OFFLINE-1");
    assert!(done(&city.deed(COUNTY, case, Deed::Deliver)));
    city.run();
    let delivered = query::case(&city.halls[COUNTY].rows, case).unwrap().case;
    assert_eq!(delivered.state, State::Delivered);
    assert_eq!(
        standing(&city, COUNTY, case),
        Some(Standing::Provisional),
        "delivered, and still provisional"
    );
    city.restart(COUNTY);
    city.run();
    assert_eq!(countersigned(&city, COUNTY, case), 0);
    heal(&mut city);
    city.run();
    assert!(matches!(standing(&city, COUNTY, case), Some(Standing::Countersigned(_))));
    assert_eq!(countersigned(&city, COUNTY, case), 1);
}

#[test]
fn a_mirrors_older_receipt_does_not_countersign() {
    let mut city = City::new();
    let case = decided_alone(&mut city, "COUNTY-1");
    let view = query::case(&city.halls[COUNTY].rows, case).unwrap();
    let receipts = query::copies(&city.halls[COUNTY].rows, &view.case);
    assert!(!receipts.is_empty(), "the mirrors have signed for the acceptance");
    assert_eq!(standing(&city, COUNTY, case), Some(Standing::Provisional));
    assert_eq!(standing(&city, CITY, case), None, "to the mirror it is not decided");
}

#[test]
fn whoever_takes_a_decided_case_knows_that_it_is_countersigned_and_so_does_everybody_after() {
    let mut city = City::new();
    let case = city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    assert_eq!(standing(&city, CITY, case), None, "not decided yet");
    assert!(done(&city.deed(CITY, case, Deed::Accept)));
    assert!(done(&city.deed(CITY, case, Deed::DENY)));
    assert_eq!(standing(&city, CITY, case), Some(Standing::Provisional));
    city.run();
    // The village may hear no mirror any more: the TAKE in its own log says it.
    without_copies(&mut city);
    assert!(matches!(standing(&city, VILLAGE, case), Some(Standing::Countersigned(_))));
    assert!(done(&city.deed(VILLAGE, case, Deed::Deliver)));
    city.run();
    let delivered = query::case(&city.halls[VILLAGE].rows, case).unwrap().case;
    assert_eq!(delivered.state, State::Delivered);
    for index in 0..city.halls.len() {
        if query::case(&city.halls[index].rows, case).is_some_and(|view| view.case.decided.is_some()) {
            let said = standing(&city, index, case);
            assert!(matches!(said, Some(Standing::Countersigned(_))), "hall {index} says {said:?}");
        }
    }
}

#[test]
fn a_case_is_listed_as_single_from_its_receipt_with_the_time_it_became_so() {
    let mut city = City::new();
    without_copies(&mut city);
    let first = city.received(COUNTY, "COUNTY-1", HERE);
    let since = city.now.wall;
    city.run();
    let second = city.received(COUNTY, "COUNTY-1", HERE);
    assert_eq!(singles(&city, COUNTY), [first, second], "longest first");
    assert!(done(&city.deed(COUNTY, first, Deed::Accept)));
    let rows = &city.halls[COUNTY].rows;
    let page = query::single_copies(rows, None, 1);
    assert_eq!(page, [(since, first)], "an act does not make it younger");
    assert_eq!(query::single_copies(rows, Some(page[0]), 10).len(), 1);
    heal(&mut city);
    city.run();
    assert_eq!(singles(&city, COUNTY), []);
}

#[test]
fn a_case_that_is_handed_over_is_single_until_a_mirror_of_the_giver_keeps_it() {
    let mut city = City::new();
    without_copies(&mut city);
    let case = city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    assert_eq!(singles(&city, VILLAGE), [case]);
    heal(&mut city);
    city.run();
    assert!((0..city.halls.len()).all(|index| singles(&city, index).is_empty()));
}
