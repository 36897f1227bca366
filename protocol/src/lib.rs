//! The pure core of hallmesh: records, laws, and the one state machine that is a hall's node.
//!
//! It cannot do IO: no clock, socket, disk, thread, async, unordered map or hidden chance. Time and chance
//! are handed in, rows are read through [`step::View`], and what a step asks for comes out as
//! [`step::Effects`], to be kept before it is shown.
//!
//! Read in this order: [`step`] (the seam), [`node`] (dispatch), [`cases`] (logs and hand-over), [`post`]
//! (letters over the tiers), [`parcels`] (letters on sticks), `exchange` (equal lists everywhere), then what they stand on.

#![warn(clippy::as_conversions)]

pub mod audit;
pub mod calendar;
pub mod cases;
pub mod catalogue;
pub mod chance;
pub mod clerks;
pub mod directory;
mod exchange;
mod fixed;
pub mod genesis;
pub mod ids;
pub mod limits;
pub mod message;
pub mod node;
pub mod parcels;
#[cfg(not(feature = "planted-bugs"))]
mod planted;
#[cfg(feature = "planted-bugs")]
pub mod planted;
pub mod post;
pub mod query;
pub mod reconcile;
pub mod record;
pub mod recording;
pub mod rows;
pub mod seal;
mod shelf;
pub mod signed;
pub mod sound;
pub mod step;
mod timekeeper;
pub mod verify;
pub mod wire;
