//! The shell of hallmesh: everything a hall's node needs of the world around the pure core.
//!
//! [`driver`] runs the core over [`store`], [`net`] and [`admin`]; [`ops`] is what can be asked of a running
//! node; [`home`] and [`enrol`] make a node one of the city's; [`lists`] reads list files; [`export`] writes
//! cases that anyone can check, [`backup`] all rows of a hall; `sticks` puts post on USB sticks; [`search`] finds matters
//! while somebody types; [`cli`] and [`texts`] speak with people; [`demo`] plays a small city.

pub mod admin;
pub mod backup;
pub mod cli;
#[cfg(test)]
#[path = "../../protocol/tests/common/mod.rs"]
mod common;
pub mod config;
pub mod demo;
pub mod driver;
pub mod enrol;
pub mod export;
mod hex;
pub mod home;
pub mod lists;
pub mod net;
pub mod ops;
pub mod pii;
pub mod search;
mod sticks;
pub mod store;
pub mod texts;
