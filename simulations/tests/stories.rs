//! The named scenarios, and the failing seeds of the past: each holds, but for what it says it does not.

#![expect(clippy::expect_used, reason = "a test that cannot begin has failed")]

use std::path::{Path, PathBuf};

use hallmesh_simulations::plan::Plan;
use hallmesh_simulations::world;

/// Too large for a debug build: `hallmesh-sim run simulations/scenarios/province.toml`.
const BY_HAND: [&str; 1] = ["province.toml"];

fn plans(folder: &str) -> Vec<(PathBuf, Plan)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|it| it == "toml")).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), Plan::read(&path).expect("a plan"))).collect()
}

/// A promise that is known to break must break: else the note is out of date.
fn ends_as_it_says(path: &Path, plan: &Plan) {
    let report = world::run(plan).expect("the city is founded");
    let unknown = report.violations.iter().find(|violation| !plan.knows(violation.promise));
    assert!(unknown.is_none(), "{}\n{report}", path.display());
    let broken = report.promises();
    let outdated = plan.known.iter().find(|known| known.must_break() && !broken.contains(&known.promise));
    assert!(outdated.is_none(), "{}: {outdated:?} holds after all", path.display());
}

/// Every second file, from the first or from the second: two threads, two halves.
fn half(from: usize) {
    let plans = plans("scenarios");
    assert!(plans.len() >= 10, "scenarios are missing");
    let by_hand = |path: &Path| BY_HAND.iter().any(|name| path.ends_with(name));
    for (path, plan) in plans.iter().filter(|(path, _)| !by_hand(path)).skip(from).step_by(2) {
        ends_as_it_says(path, plan);
    }
}

#[test]
fn every_scenario_ends_as_it_says_first_half() {
    half(0);
}

#[test]
fn every_scenario_ends_as_it_says_second_half() {
    half(1);
}

#[test]
fn seeds_that_failed_once_hold() {
    let kept = plans("seeds");
    assert!(!kept.is_empty(), "kept seeds are missing");
    for (path, plan) in kept {
        let text = std::fs::read_to_string(&path).expect("a plan");
        assert!(text.starts_with("# "), "{}: the first line tells the story", path.display());
        ends_as_it_says(&path, &plan);
    }
}
