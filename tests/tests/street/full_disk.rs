//! A disk of 64 MB that somebody else fills up.

use hallmesh::config::Config;
use hallmesh::ops::{Ask, Content};
use hallmesh_protocol::cases::State;
use hallmesh_tests::{SmallDisk, Street, eventually};

const CITY: usize = 0;
const VILLAGE: usize = 5;
/// Decided by the city, taken in everywhere.
const OF_THE_CITY: &str = "ZYL-C-001";
const DISK_MIB: u64 = 64;
const RESERVE_MIB: u32 = 24;
const MIB: u64 = 1024 * 1024;
const BALLAST: &str = "node.ballast";

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_new_cases_before_anything_else_and_room_brings_them_back() {
    let street = Street::city().await;
    let village = street.hall(VILLAGE);
    let before = street.receive(VILLAGE, OF_THE_CITY, VILLAGE).await;
    street.processes.stop(village).await.unwrap();
    let reserve = |config| Config { disk_reserve_mib: RESERVE_MIB, ..config };
    street.processes.configure(village, reserve).unwrap();
    let disk = match SmallDisk::under(&village.dir, DISK_MIB) {
        Ok(disk) => disk,
        Err(why) => return println!("skipped: this machine mounts no small disk ({why})"),
    };
    street.processes.start(village).await.unwrap();
    let ballast = || village.dir.join(BALLAST).exists();
    eventually("there is ballast", async || ballast().then_some(())).await;

    let under_way = street.receive(VILLAGE, OF_THE_CITY, VILLAGE).await;
    disk.fill(20 * MIB);
    no_new_case(&street).await;
    street.finish(&before, CITY, VILLAGE).await;
    assert!(ballast());
    disk.clear();
    let after = street.receive(VILLAGE, OF_THE_CITY, VILLAGE).await;

    // Somebody takes all there is. The node gives back what it had set aside.
    disk.fill(MIB);
    eventually("the ballast is overboard", async || (!ballast()).then_some(())).await;
    assert!(disk.free() > 16 * MIB, "{} bytes are free", disk.free());
    no_new_case(&street).await;
    street.finish(&under_way, CITY, VILLAGE).await;
    street.processes.kill(village).await.unwrap();
    street.processes.start(village).await.unwrap();
    street.in_hand(CITY, &after, State::Received).await;

    // With nothing left it does not begin what it could not end, and starts again once there is room.
    street.processes.stop(village).await.unwrap();
    disk.fill(MIB);
    let refused = street.processes.start(village).await.unwrap_err();
    assert!(refused.params["log"].contains("disk is full"), "{refused:?}");
    disk.clear();
    street.processes.start(village).await.unwrap();
    street.finish(&after, CITY, VILLAGE).await;
    for number in [&before, &under_way, &after] {
        let case = street.case(VILLAGE, number).await.unwrap();
        assert_eq!((case.state, case.stage.as_str()), (State::Delivered, "custodian"));
    }
    eventually("there is ballast again", async || ballast().then_some(())).await;
    street.processes.stop(village).await.unwrap();
}

/// A case is refused with a word that says why, and everything is answered that only reads.
async fn no_new_case(street: &Street) {
    let (matter, place) = (OF_THE_CITY.parse().unwrap(), street.hall(VILLAGE).hall.division());
    let ask = Ask::Receive { matter, place, content: Content::one("applicant", "example") };
    let refused = street.act(VILLAGE, &ask).await.unwrap_err();
    assert_eq!((refused.code.as_str(), refused.params["needed"].as_str()), ("case.disk_low", "24"));
    street.ask(VILLAGE, &Ask::Cases { stage: None, count: 10 }).await.unwrap();
    street.ask(VILLAGE, &Ask::Matters { after: String::new(), count: 10 }).await.unwrap();
}
