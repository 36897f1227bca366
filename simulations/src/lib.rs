//! The whole city on one desk: a thousand times the product's own core, under simulated disks, links,
//! clocks and people, with every promise to the city as a checker that can fail.
//!
//! Nothing here reads a clock or draws chance of its own: one seed gives one run, byte for byte.
//!
//! Read in this order: [`world`] (the loop around `step`), [`station`] (one hall's machine), [`network`],
//! [`disk`], [`clock`], [`people`] (the work), [`faults`] (the trouble), [`checkers`] (the promises). [`model`] stands
//! by itself: not one long run of a city, but every short one of a single case.

pub mod checkers;
pub mod city;
pub mod clock;
pub mod disk;
pub mod faults;
mod lists;
pub mod model;
pub mod network;
pub mod people;
pub mod report;
pub mod station;
pub mod world;
