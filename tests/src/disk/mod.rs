//! The disk: the node's real store, under real work, on a disk that loses power, fails and rots.
//!
//! A small city of real nodes works, and what each hall commits goes through the node's own store to a disk that
//! remembers every write, every change of length and every sync. From that follow images: what the disk holds if
//! the process is killed, or power is lost, at a point, and again at a point of the life after that. The store
//! opens on each of them, and its rows must be those of the last acknowledged commit, or of the one that was under
//! way. Then disks rot, fill up and fail.
//!
//! Looked at once a store is made: a file gets its name only then. Not modelled: pages written to a wrong place, and
//! file systems that lose their own order.

#[path = "../../../protocol/tests/common/mod.rs"]
mod city;
mod cut;
mod failures;
mod history;
mod image;
mod life;
mod recorder;
mod report;
mod rot;
mod run;
mod work;

pub use failures::Failures;
pub use life::Planted;
pub use report::Report;
pub use rot::Rot;
pub use run::{Plan, Tally, run};
