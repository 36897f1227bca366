//! The store on disks that lose power, rot and fail: a small run of what `hallmesh-crash` does at length.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests: what fails here fails the test")]

use hallmesh_tests::disk::{Plan, Planted, Report, run};

const IMAGES: u64 = 4_000;
/// Of one wrong thing the harness has seen enough after so many images.
const PLANTED_IMAGES: u64 = 150;

#[test]
fn no_acknowledged_commit_is_lost_and_no_altered_row_is_read() {
    let plan = Plan { images: IMAGES, flips: 300, failures: 200, seed: 1, planted: Planted::Nothing };
    let report = run(plan);
    assert!(report.holds(), "{report}");
    assert!(report.images.images() >= IMAGES && report.images.images.values().all(|count| *count > 0));
    assert_eq!(report.images.images.len(), 6, "every kind of image was made");
    assert!(report.plain.stopped > 0 && report.checked.refused > 0, "rot was met: {report}");
    assert_eq!(report.failures.met.len(), 4, "every kind of failure was met: {report}");
}

#[test]
fn a_disk_that_lies_about_syncing_is_caught() {
    let report = planted(Planted::LyingDisk);
    assert!(report.images.lost > 0, "{report}");
}

#[test]
fn an_acknowledgement_before_the_commit_is_caught() {
    let report = planted(Planted::EarlyAcknowledgement);
    assert!(report.images.lost > 0 && report.images.unopenable == 0, "{report}");
}

#[test]
fn a_row_left_out_of_a_commit_is_caught() {
    let report = planted(Planted::LeftOutRow);
    assert!(report.images.mixed > 0, "{report}");
}

#[test]
fn the_same_seed_gives_the_same_report_and_another_seed_another_one() {
    let report = |seed| {
        let plan = Plan { images: 100, flips: 20, failures: 20, seed, planted: Planted::Nothing };
        let mut report = run(plan).json();
        report["seconds"].take();
        report
    };
    let first = report(5);
    assert_eq!(first, report(5));
    assert_ne!(first["commits"], report(6)["commits"]);
}

fn planted(planted: Planted) -> Report {
    let report = run(Plan { images: PLANTED_IMAGES, flips: 0, failures: 0, seed: 1, planted });
    assert!(!report.holds());
    report
}
