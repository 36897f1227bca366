//! The street and the disk: harnesses that break real `hallmesh` processes, and the disk under the real store.
//!
//! * [`binary()`] builds the product as it is shipped and [`cli()`] calls it;
//! * [`Processes`] runs the nodes of a city as processes: started, stopped, killed;
//! * [`Street`] is a city in a temporary directory whose nodes are such processes;
//! * [`Rogue`] speaks to a node by the book of the transport and above it as it likes;
//! * [`links`] are lines between halls that can be slow, lossy and cut;
//! * [`Hosts`] are machines of their own, in network namespaces, and a [`SmallDisk`] is one that fills up;
//! * [`kill`] kills nodes under load for as long as one likes, and judges; `hallmesh-kill` is its command;
//! * [`Trouble`] kills nodes at random moments of a story;
//! * [`disk`] opens the store on what crashes at every point leave of its disk; `hallmesh-crash` does so at length;
//! * [`volume`] loads the lists of a whole city into real halls; `hallmesh-lists` shows what that takes;
//! * [`isolation`] measures hand-overs beside a dead hall; `hallmesh-isolation` prints what comes of it.
//!
//! `HALLMESH_BINARY` names another binary to test, such as one that was installed; `SEED` repeats what a test drew.
//! Everything is on loopback ports that the system chose and in temporary directories; every wait is for a
//! condition and has an end. A test that fails prints the last lines of its nodes' logs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stderr,
    reason = "a harness for tests: what fails here fails the test, and says so"
)]

mod binary;
pub mod disk;
pub mod edits;
#[path = "../../simulations/src/generator/mod.rs"]
pub mod generator;
mod hosts;
pub mod isolation;
pub mod kill;
pub mod links;
mod processes;
mod rogue;
mod seed;
mod small_disk;
mod street;
mod trouble;
pub mod volume;
mod waiting;

pub use binary::{Said, binary, cli};
pub use hosts::Hosts;
pub use processes::Processes;
pub use rogue::{LINE_PROTOCOL, Rogue};
pub use seed::seed;
pub use small_disk::SmallDisk;
pub use street::{SetUp, Street, hex, unhex};
pub use trouble::Trouble;
pub use waiting::{SOON, eventually};
