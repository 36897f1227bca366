//! Halls on hosts of their own, with cables between them.

use hallmesh_protocol::cases::State;
use hallmesh_tests::{Hosts, Street, eventually};

const CITY: usize = 0;
const GANZHOU: usize = 1;
const GAOTAI: usize = 2;
/// Decided by the city, taken in everywhere.
const OF_THE_CITY: &str = "ZYL-C-001";

#[tokio::test(flavor = "multi_thread")]
async fn a_case_crosses_three_hosts_and_waits_while_a_cable_is_out() {
    let mut hosts = match Hosts::new() {
        Ok(hosts) => hosts,
        Err(why) => return println!("skipped: this machine gives no network namespaces ({why})"),
    };
    let street = Street::on_hosts(3, &mut hosts).await;
    for place in 0..3 {
        let address = street.address(place).await.to_string();
        assert!(address.starts_with("/ip4/10."), "{address}");
    }
    let number = street.receive(GANZHOU, OF_THE_CITY, GANZHOU).await;
    street.finish(&number, CITY, GANZHOU).await;
    hosts.plug(GAOTAI, false);
    let waits = street.receive(GAOTAI, OF_THE_CITY, GAOTAI).await;
    // The county without its cable goes on, and nobody else waits for it.
    let meanwhile = street.receive(GANZHOU, OF_THE_CITY, GANZHOU).await;
    street.finish(&meanwhile, CITY, GANZHOU).await;
    assert_eq!(street.case(GAOTAI, &waits).await.unwrap().stage, "handing-over");
    assert_eq!(street.case(CITY, &waits).await.map(|case| case.state), None::<State>);
    hosts.plug(GAOTAI, true);
    street.finish(&waits, CITY, GAOTAI).await;
    eventually("no letter waits", async || (street.status(GAOTAI).await.post == 0).then_some(())).await;
}
