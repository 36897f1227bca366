//! Isolation: a dead hall with thousands of letters waiting delays no other.
//!
//! One hall hands cases over to many others, by the product's own core and on the product's own store on a real disk;
//! the others are the same core with their rows in memory, as if each had a machine of its own. Measured is the time
//! that a hand-over takes at the hall that gives it, from the clerk's command to the receipt that lets it go: signing,
//! committing, checking what comes back, and whatever else its loop does meanwhile.
//!
//! It is done in two cities that take turns on the same disk. Both have handed over the same number of cases to one
//! more hall; in one of them that hall is dead and everything for it waits. Between hand-overs half a second passes on
//! the node's clock, so that the dead hall is tried again as often as in minutes of real work. The floor beside it is
//! one commit of one small row on that disk.

mod city;
mod report;

use std::path::Path;
use std::time::{Duration, Instant};

use hallmesh::store::Store;
use hallmesh_protocol::step::Writes;

use city::City;
pub use city::Giver;
pub use report::{Figures, Report, Spread};

/// Hand-overs in one city before it is the other one's turn.
const TURN: usize = 25;
/// Bytes of the row that is committed for the floor.
const FLOOR_BYTES: usize = 100;

/// What is run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Halls that are handed cases, the dead one not counted.
    pub peers: u16,
    /// Letters that wait for the dead hall.
    pub waiting: usize,
    /// Hand-overs measured in each city.
    pub hand_overs: usize,
    /// How much longer a hand-over may take beside a dead hall, in hundredths.
    pub most: u64,
}

/// Runs with each kind of giver, on the disk of `dir`.
pub fn run(plan: Plan, dir: &Path) -> Report {
    let givers = [Giver::City, Giver::County];
    Report { plan, figures: givers.into_iter().map(|giver| (giver, measure(plan, giver, dir))).collect() }
}

fn measure(plan: Plan, giver: Giver, dir: &Path) -> Figures {
    let below = dir.join(giver.word());
    let mut cities = [false, true].map(|dead| {
        let mut city = City::found(giver, plan.peers, &below.join(if dead { "dead" } else { "alive" }));
        if dead {
            city.kill_last();
        }
        city.hand_many_to_last(plan.waiting);
        city
    });
    let waiting = cities[1].letters_for_last();
    assert!(waiting >= plan.waiting, "{waiting} letters wait for the dead hall");
    assert_eq!(cities[0].letters_for_last(), 0, "nothing waits for one that is alive");
    let floor = Store::create(&below.join("floor"), &Writes::new()).unwrap();
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    while times[0].len() < plan.hand_overs {
        for (city, times) in cities.iter_mut().zip(&mut times) {
            times.extend((0..TURN).map(|_| city.hand_over()));
        }
        times[2].extend((0..TURN).map(|row| commit(&floor, row)));
    }
    let [without, with, floor] = times.map(Spread::of);
    Figures { waiting, without, with, floor }
}

fn commit(store: &Store, row: usize) -> Duration {
    let writes = Writes::from([(row.to_be_bytes().to_vec(), Some(vec![7; FLOOR_BYTES].into()))]);
    let began = Instant::now();
    store.commit(&writes).unwrap();
    began.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_run_hands_over_beside_a_dead_hall() {
        let dir = tempfile::tempdir().unwrap();
        let plan = Plan { peers: 4, waiting: 100, hand_overs: 25, most: 200 };
        let report = run(plan, dir.path());
        for (giver, figures) in &report.figures {
            assert_eq!(figures.with.count, 25, "{}", giver.word());
            assert!(figures.with.p50 > Duration::ZERO && figures.floor.p50 > Duration::ZERO);
        }
    }
}
