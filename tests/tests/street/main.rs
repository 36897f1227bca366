//! The street: what halls live through, played on real processes of the real binary.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests: what fails here fails the test"
)]

mod acts;
mod archive;
mod audit;
mod backup;
mod bad_input;
mod bundles;
mod by_hand;
mod desk;
mod full_disk;
mod handbook;
mod hosts;
mod kill;
mod lines;
mod lists;
mod misuse;
mod power;
mod recorder;
mod sticks;
mod stories;
mod takeover;
mod theft;
mod trust;
