//! Edits: how soon what one hall publishes stands in all others.
//!
//! Seven halls of the product as it is shipped, as processes on this machine, on the loopback. The city's clerk
//! publishes one entry after the other; measured is the time from the clerk's call until each of the other six answers
//! with the same lists over its own socket: signing, the commit of the giver, the line, the check and the commit of each
//! hall on the way, and the call that asks. The floor beside it is such a call to each of the six, with nothing to tell.

mod report;

use std::time::{Duration, Instant};

use futures::future::join_all;
use hallmesh::ops::Ask;
use hallmesh_protocol::record::Body;

use crate::Street;
use crate::street::hex;
pub use report::{Report, Spread};

/// How long one edit may take before the run is given up.
const EDIT_MAX: Duration = Duration::from_secs(60);
/// Between two calls that ask whether an edit is there.
const POLL: Duration = Duration::from_millis(1);
/// Edits before those that count: lines have just come up.
const WARM_UP: usize = 5;

/// Runs it: so many edits count.
pub async fn run(edits: usize, told: impl Fn(&str)) -> Report {
    told("founding seven halls");
    let street = Street::city().await;
    let halls = street.city.members.len();
    for place in 1..halls {
        while street.status(place).await.lists_root != street.status(0).await.lists_root {
            tokio::time::sleep(POLL).await;
        }
    }
    told("editing");
    let Some(Body::Matter(first)) = matters(&street).into_iter().next() else { panic!("no matter") };
    let (mut times, mut floor) = (Vec::new(), Vec::new());
    for edit in 0..WARM_UP + edits {
        let mut matter = first.clone();
        matter.basis = format!("第 {edit} 次修改");
        let began = Instant::now();
        join_all((1..halls).map(|place| street.status(place))).await;
        floor.push(began.elapsed());
        times.push(one(&street, halls, &Body::Matter(matter)).await);
    }
    Report { halls, edits: Spread::of(times.split_off(WARM_UP)), floor: Spread::of(floor) }
}

/// From the call of the clerk until the last hall has it.
async fn one(street: &Street, halls: usize, body: &Body) -> Duration {
    let began = Instant::now();
    street.act(0, &Ask::Publish { bodies: vec![hex(&body.encode())] }).await.unwrap();
    let wanted = street.status(0).await.lists_root;
    let arrived = (1..halls).map(|place| async move {
        loop {
            if street.status(place).await.lists_root == street.status(0).await.lists_root {
                return;
            }
            assert!(began.elapsed() < EDIT_MAX, "an edit does not come\n{}", street.processes.tails());
            tokio::time::sleep(POLL).await;
        }
    });
    join_all(arrived).await;
    let elapsed = began.elapsed();
    assert_eq!(street.status(0).await.lists_root, wanted, "one edit at a time");
    elapsed
}

fn matters(street: &Street) -> Vec<Body> {
    let sample = hallmesh::lists::sample_bodies().unwrap();
    let city = street.hall(0).hall.division();
    let own = |body: &Body| matches!(body, Body::Matter(matter) if matter.area == city);
    sample.into_iter().filter(own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_few_edits_are_seen_in_all_halls() {
        let report = run(3, |_| ()).await;
        assert_eq!((report.halls, report.edits.count), (7, 3));
        assert!(report.floor.p50 > Duration::ZERO && report.edits.p50 > report.floor.p50);
    }
}
