//! Small cities with every kind of trouble. A failing seed is repeated with `SEED=... cargo test`.

use hallmesh_simulations::city::{Division, made_up};
use hallmesh_simulations::faults::Trouble;
use hallmesh_simulations::network::Weather;
use hallmesh_simulations::report::Report;
use hallmesh_simulations::world::{self, Plan};

const TROUBLE: Trouble = Trouble {
    weather: Weather { lost: 50, doubled: 10, late: 5 },
    crash_every: Some(4_000),
    cut_every: Some(15_000),
};

/// 1 city, 2 counties, 4 towns, 12 villages.
fn small_city() -> Vec<Division> {
    made_up(2, 2, 3)
}

fn run(seed: u64, minutes: u64, trouble: Trouble) -> Report {
    let plan = Plan { minutes, seed, cases_per_minute: 60, trouble };
    world::run(&small_city(), plan).expect("the city is founded")
}

fn holds(report: &Report) {
    assert!(report.violations.is_empty(), "SEED={}\n{report}", report.seed);
    assert!(report.work.delivered > 0, "nothing was done\n{report}");
}

#[test]
fn without_trouble_every_case_is_delivered() {
    let calm = Trouble { weather: Weather::default(), crash_every: None, cut_every: None };
    let report = run(1, 4, calm);
    holds(&report);
    assert_eq!(report.work.received, report.work.delivered, "{report}");
}

#[test]
fn twenty_seeds_of_trouble_keep_every_promise() {
    match std::env::var("SEED") {
        Ok(seed) => holds(&run(seed.parse().expect("a number"), 3, TROUBLE)),
        Err(_) => (1..=20).for_each(|seed| holds(&run(seed, 3, TROUBLE))),
    }
}

#[test]
fn one_seed_gives_one_run() {
    let (one, again, other) = (run(5, 2, TROUBLE), run(5, 2, TROUBLE), run(6, 2, TROUBLE));
    assert_eq!(one, again);
    assert_ne!(one.trace, other.trace);
}
