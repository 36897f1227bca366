//! Slow lines, and neighbours that are half there.

use std::time::{Duration, Instant};

use hallmesh_tests::links::{Flow, Way};
use hallmesh_tests::{Street, eventually, seed};
use rustix::process::Signal;

const CITY: usize = 0;
const GANZHOU: usize = 1;
const GAOTAI: usize = 2;
const CHENGGUAN: usize = 4;
const VILLAGE: usize = 5;
const FAR_VILLAGE: usize = 6;
/// Decided by the city; by the county of the applicant's place.
const OF_THE_CITY: &str = "ZYL-C-001";
const OF_A_COUNTY: &str = "ZYL-X-023";
/// What a clerk at a window waits at the most, whatever happens elsewhere.
const WINDOW_MAX: Duration = Duration::from_secs(3);
/// What a case takes at the most from receipt to delivery, if nobody it needs is away: below any time-out.
const CASE_MAX: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn a_line_cut_one_way_and_a_neighbour_that_stands_still_delay_nobody_else() {
    let (street, links) = Street::with_lines(seed(), |config| config).await;
    let at = |place: usize| street.hall(place).hall;
    for (place, to) in [(VILLAGE, CITY), (VILLAGE, GANZHOU)] {
        whole_case(&street, place, if to == CITY { OF_THE_CITY } else { OF_A_COUNTY }, to).await;
    }
    links.flow((at(CITY), at(GAOTAI)), Flow::Held);
    assert!(street.processes.signal(street.hall(CHENGGUAN), Signal::STOP));
    for _ in 0..3 {
        whole_case(&street, VILLAGE, OF_THE_CITY, CITY).await;
        whole_case(&street, VILLAGE, OF_A_COUNTY, GANZHOU).await;
        whole_case(&street, GANZHOU, OF_THE_CITY, CITY).await;
    }
    // Who does need them waits, and does not know it at the window.
    let mut waiting = Vec::new();
    for window in [GAOTAI, FAR_VILLAGE] {
        waiting.push((window, received(&street, window, OF_THE_CITY).await));
    }
    links.heal();
    assert!(street.processes.signal(street.hall(CHENGGUAN), Signal::CONT));
    for (window, number) in waiting {
        street.finish(&number, CITY, window).await;
    }
    for place in 0..street.city.members.len() {
        eventually("no letter waits", async || (street.status(place).await.post == 0).then_some(())).await;
    }
}

async fn received(street: &Street, window: usize, matter: &str) -> String {
    let begun = Instant::now();
    let number = street.receive(window, matter, window).await;
    assert!(begun.elapsed() < WINDOW_MAX, "a receipt after {:?}", begun.elapsed());
    number
}

async fn whole_case(street: &Street, window: usize, matter: &str, decides: usize) {
    let begun = Instant::now();
    let number = received(street, window, matter).await;
    street.finish(&number, decides, window).await;
    println!("from hall {window} to hall {decides} and back: {:?}", begun.elapsed());
    assert!(begun.elapsed() < CASE_MAX, "from {window} to {decides}: {:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_goes_up_and_comes_back_over_a_villages_line_of_64_kbit_and_two_seconds() {
    let (street, links) = Street::with_lines(seed(), |config| config).await;
    let slow = Way { latency: Duration::from_secs(1), bits_per_second: Some(64_000), ..Way::default() };
    for other in (0..street.city.members.len()).filter(|other| *other != VILLAGE) {
        links.both((street.hall(VILLAGE).hall, street.hall(other).hall), slow);
    }
    // Not only a line that stood before it became slow: the village comes back over it.
    street.processes.kill(street.hall(VILLAGE)).await.unwrap();
    street.processes.start(street.hall(VILLAGE)).await.unwrap();
    let begun = Instant::now();
    let number = received(&street, VILLAGE, OF_THE_CITY).await;
    street.finish(&number, CITY, VILLAGE).await;
    println!("up and back: {:?}", begun.elapsed());
    eventually("no letter waits", async || (street.status(VILLAGE).await.post == 0).then_some(())).await;
}
