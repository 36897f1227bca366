//! Every way in which one case can change hands, explored to the end with the product's own nodes.

mod canon;
pub mod command;
mod explore;
mod halls;
mod letters;
mod promises;
mod rest;
mod seen;
mod setting;
mod story;

use serde::Serialize;

use explore::{Explorer, Found};

pub use promises::Promise;
pub use setting::{Bend, Expected, Mishaps, SETTINGS, Seat, Setting, named};

/// What came of exploring a setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The setting.
    pub setting: &'static str,
    /// States seen.
    pub states: usize,
    /// What all halls have kept together, seen in how many variants: states without the letters under way.
    pub scenes: usize,
    /// Transitions from state to state.
    pub transitions: u64,
    /// Steps of the longest of all shortest ways to a state.
    pub depth: usize,
    /// Different disks of single halls.
    pub disks: usize,
    /// Different letters.
    pub letters: usize,
    /// How often the product's own code was asked what comes of an input.
    pub asked: u64,
    /// What was found.
    pub verdict: Verdict,
    /// Whether that was expected.
    pub as_expected: bool,
}

/// What an exploration found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every promise holds in every state.
    Holds,
    /// One is broken.
    Broken {
        /// Which.
        promise: Promise,
        /// How.
        how: String,
        /// The shortest way there.
        story: Vec<String>,
    },
    /// There were more states than were asked for: nothing is known.
    Unfinished,
}

/// Explores a setting, as many states as given at the most.
pub fn check(setting: &Setting, states_max: usize) -> anyhow::Result<Outcome> {
    let mut explorer = Explorer::new(setting)?;
    let verdict = match explorer.run(states_max)? {
        Found::Nothing => Verdict::Holds,
        Found::Broken(promise, how, story) => Verdict::Broken { promise, how, story },
        Found::TooMany => Verdict::Unfinished,
    };
    let as_expected = match (&verdict, setting.expected) {
        (Verdict::Holds, Expected::Holds) => true,
        (Verdict::Broken { promise, .. }, Expected::Breaks(expected)) => *promise == expected,
        (Verdict::Holds | Verdict::Broken { .. } | Verdict::Unfinished, _) => false,
    };
    Ok(Outcome {
        setting: setting.name,
        states: explorer.seen.len(),
        scenes: explorer.seen.scenes(),
        transitions: explorer.transitions,
        depth: explorer.depth(),
        disks: explorer.halls.len(),
        letters: explorer.halls.archive.len(),
        asked: explorer.halls.asked,
        verdict,
        as_expected,
    })
}
