//! The rooms on real loopback connections: one test for each trap they are built against.
//!
//! Nothing here sleeps: a test waits for what must happen, with a deadline, or watches for a while that nothing does.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "a test counts in small numbers and waits for the one event it is about"
)]

mod frames;
mod guests;
mod harness;
mod members;
mod misuse;
