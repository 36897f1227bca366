//! Every way in which one case can change hands, explored to the end with the product's own nodes.
//!
//! **A state** is what each hall has kept (its rows), the letters under way, and which mishaps were used up. The letters
//! under way are a set that only grows: each may be delivered any number of times, in any order, or never. That is
//! loss, doubling, delay and reordering.
//!
//! **A transition** opens one hall's node anew from its rows, brings up its lines, gives it one input, commits, and adds
//! the letters it sends. Inputs: any letter under way, any deed of a clerk; starting alone sends what waits. So
//! whatever a node remembers besides its rows is lost all the time. A node that lives on, or takes several inputs in
//! one commit, does nothing that this leaves out (a test of `halls` shows it). A crash before the commit is no
//! transition: nothing is kept and nothing sent. A crash after the commit that loses what was to be sent leads to a
//! state with fewer letters under way, in which no more can happen than in the one with all of them.
//!
//! **The product is asked once** for each different disk of a hall and each input; the answer stands for every state of
//! the city in which the hall has this disk. That is what makes millions of transitions a matter of seconds.
//!
//! **What does not tell states apart**, and why:
//! * rows that cannot matter: see `canon`;
//! * which of the letters that cost nothing were sent: a hall sends all that waits at once, and answers at once all
//!   that changes nothing in it. More letters under way make more possible, never less: a state counts as seen if
//!   one was seen with the same disks and at least the same letters. The setting `plain` does none of this, and a test
//!   of `explore` shows that both reach the same disks;
//! * letters of which nothing comes any more: see `halls::spent`. That nothing comes of them is not believed
//!   but checked, at each disk and over each transition.
//!
//! **Not explored**: more than one case, relays (every line is up), exchanges of lists (all are equal), clocks (all
//! happens at one moment), refusals of a hand-over (they need a newer protocol or a fork). A hall that is put back to an
//! old disk breaks promises as long as lives are not recovered; the setting `restored` expects just that, and must be
//! turned round by whoever builds it.
//!
//! Read in this order: `setting`, `explore` (the search), `halls` (asking the product), `promises` (safety), `rest`
//! (liveness), then what they stand on.

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
use halls::NotSpent;

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
    let mut explorer = Explorer::new(setting, true)?;
    let mut found = explorer.run(states_max);
    if found.as_ref().is_err_and(|error| error.is::<NotSpent>()) {
        explorer = Explorer::new(setting, false)?;
        found = explorer.run(states_max);
    }
    let verdict = match found? {
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
