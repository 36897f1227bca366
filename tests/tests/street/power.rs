//! Power cuts and moves that are not left to chance.

use hallmesh::config::Config;
use hallmesh_tests::{Street, eventually};

const CITY: usize = 0;
const VILLAGE: usize = 5;
/// Decided by the city, taken in everywhere.
const OF_THE_CITY: &str = "ZYL-C-001";
const ANY_PORT: &str = "/ip4/127.0.0.1/tcp/0";

#[tokio::test(flavor = "multi_thread")]
async fn a_case_survives_kill_9_between_receipt_and_hand_over_and_a_power_cut_of_the_whole_city() {
    let street = Street::city().await;
    street.processes.stop(street.hall(CITY)).await.unwrap();
    let number = street.receive(VILLAGE, OF_THE_CITY, VILLAGE).await;
    street.processes.kill(street.hall(VILLAGE)).await.unwrap();
    let down = [street.hall(CITY).hall, street.hall(VILLAGE).hall];
    for member in street.city.members.iter().filter(|member| !down.contains(&member.hall)) {
        street.processes.kill(member).await.unwrap();
    }
    for member in &street.city.members {
        street.processes.start(member).await.unwrap();
    }
    street.finish(&number, CITY, VILLAGE).await;
    let case = street.case(VILLAGE, &number).await.unwrap();
    assert_eq!((case.state.word(), case.stage.as_str()), ("delivered", "custodian"));
    assert_ne!(street.case(CITY, &number).await.unwrap().stage, "custodian");
}

#[tokio::test(flavor = "multi_thread")]
async fn halls_that_come_back_at_other_addresses_one_by_one_are_found_again() {
    let street = Street::city().await;
    for (place, member) in street.city.members.iter().enumerate() {
        let before = street.address(place).await;
        street.processes.kill(member).await.unwrap();
        let elsewhere = |config| Config { listen: vec![ANY_PORT.to_owned()], ..config };
        street.processes.configure(member, elsewhere).unwrap();
        street.processes.start(member).await.unwrap();
        let now = street.address(place).await;
        assert_ne!(now, before);
        everybody_knows(&street, place, &now.to_string()).await;
    }
    street.city.wait_equal().await.unwrap();
    let number = street.receive(VILLAGE, OF_THE_CITY, VILLAGE).await;
    street.finish(&number, CITY, VILLAGE).await;
}

/// The goal of the design for an idle node with its lists.
const RESIDENT_KIB_MAX: u64 = 40 * 1024;
/// What of that may be its own: the rest are pages of the program, and without optimisation those are no measure.
const OWN_KIB_MAX: u64 = 16 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn a_node_stays_small_with_its_lists_and_after_cases() {
    let street = Street::city().await;
    for _ in 0..5 {
        let number = street.receive(VILLAGE, OF_THE_CITY, VILLAGE).await;
        street.finish(&number, CITY, VILLAGE).await;
    }
    for member in &street.city.members {
        let resident = street.processes.resident_kib(member).unwrap();
        let own = street.processes.own_kib(member).unwrap();
        println!("{}: {resident} KiB resident, {own} KiB of it its own", member.hall);
        assert!(own <= OWN_KIB_MAX, "{}: {own} KiB of its own", member.hall);
        assert!(cfg!(debug_assertions) || resident <= RESIDENT_KIB_MAX, "{}: {resident} KiB", member.hall);
    }
}

/// Waits until no neighbour has an older address of a hall.
async fn everybody_knows(street: &Street, place: usize, address: &str) {
    let moved = street.hall(place).hall.to_string();
    for other in 0..street.city.members.len() {
        eventually("the new address is known", async || {
            let peers = street.peers(other).await;
            let known = peers.into_iter().find(|peer| peer.hall == moved);
            known.is_none_or(|peer| peer.addresses == [address]).then_some(())
        })
        .await;
    }
}
