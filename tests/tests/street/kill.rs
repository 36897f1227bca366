//! A city under load, killed again and again; `hallmesh-kill` does so for as long as one likes.

use std::time::Duration;

use hallmesh_tests::kill::{Plan, Planted, run};
use hallmesh_tests::seed;

const KILLS: u32 = 60;
const EVERY: Duration = Duration::from_millis(300);
/// Fewer would say nothing about a city under load.
const RECEIPTS_MIN: u64 = 100;

fn plan(kills: u32, planted: Planted) -> Plan {
    Plan { kills, every: EVERY, at_most: None, seed: seed(), open_max: 40, journal: None, planted }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_receipt_is_lost_and_nothing_happens_twice_in_a_city_that_is_killed_again_and_again() {
    let report = run(&plan(KILLS, Planted::Nothing), &|line| println!("{line}")).await.unwrap();
    println!("{report}");
    assert!(report.holds(), "{report}");
    assert!(report.blows.kills >= KILLS, "{report}");
    assert!(report.found.receipts >= RECEIPTS_MIN, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_no_hall_keeps_is_found() {
    let report = run(&plan(1, Planted::ForgedReceipt), &|line| println!("{line}")).await.unwrap();
    assert_eq!(report.found.breaches, 1, "{report}");
}
