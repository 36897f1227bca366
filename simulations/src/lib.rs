//! The whole city on one desk: a thousand times the product's own core, under simulated disks, links,
//! clocks and people, with every promise to the city as a checker that can fail.
//!
//! Nothing here reads a clock or draws chance of its own: one seed gives one run, byte for byte.
//!
//! Read in this order: [`plan`] (what is run), [`world`] (the loop around `step`), [`station`] (one hall's machine),
//! [`network`], [`disk`], [`clock`], [`people`] (the work), [`faults`] (how trouble is drawn), [`checkers`] (the
//! promises), [`reference`](mod@reference) (what should be true), [`sometimes`] (what must have happened).
//! [`model`] stands by itself: not one long run of a city, but every short one of a single case.
//! [`replay`] takes in what a real node has recorded; [`generator`] makes up lists as large as a real city's.

pub mod checkers;
pub mod city;
pub mod clock;
pub mod disk;
pub mod edit;
pub mod faults;
pub mod generator;
mod lists;
pub mod model;
pub mod network;
pub mod page;
pub mod panics;
pub mod people;
pub mod plan;
#[cfg(feature = "planted-bugs")]
pub mod planted;
pub mod reference;
pub mod replay;
pub mod report;
pub mod series;
pub mod shrink;
pub mod sometimes;
pub mod station;
pub mod story;
pub mod swarm;
pub mod world;
pub mod years;
