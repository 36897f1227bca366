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
//!   but checked, at each disk and over each transition;
//! * where lives end or disks are put back: which of several sets of letters is under way. All states of one scene are
//!   looked at as if the letters of all of them were. More can happen then than does, so that what holds then holds. If
//!   something is broken, the exploration is done again with the sets apart, and only what is broken then counts;
//! * whether a hall that has nothing to do but start has started: every question to it begins with a start.
//!
//! **Lives.** A mishap ends the life of a hall: its disk is lost, and a new life begins with new keys, the lists, its
//! papers, and no case. In truth the new one begins at some later moment; since it does nothing before it hears something,
//! that is covered by whatever it hears coming late. Each other hall learns of it by a transition of its own (a `Records`
//! message), before or after any letter, of the ended life or the new one. Halls with different directories may speak of
//! cases here: in the product two neighbours compare directories first, but a letter that comes by way of others was
//! written by a hall that had compared with somebody else. Keys for the new life are wrapped by the shell at once. In
//! `old-machine` the ended life goes on working and learning like anybody. What each promise says of lives stands in
//! `promises`; why a case may wait in `setting::Wait`. The case must wait where losses overlap (`overlapping`): a mirror
//! that has ended gives no word (`overlapping-losses`), and a hand-over whose witnesses have all ended counts for nothing
//! (`unwitnessed`).
//!
//! **Rulings.** A hall can be closed for good instead: its life is revoked, and another hall is ruled to go on (`closed`), or
//! nobody is (`closed-unruled`: the case waits). A disk can be declared destroyed: nobody waits for its word any more. Each
//! is a record, signed long before by the city's own node on the word of two of its clerks, or by the root where the city is
//! lost; every hall learns of each by itself, in any order. In truth a ruling is made some time after the loss: it does
//! nothing before somebody hears of it. In `closed-machine-works` the machine of the closed hall works on.
//!
//! **Days.** At any moment days can have gone by at a hall in which it heard nothing, so that a mirror that owes it an answer
//! is silent, and another one is named in its place (`silences`, so many times in one story). What was under way can come all
//! the same, later than that. Each hall has its own days; only the events that they lead to carry a later date.
//!
//! **Old disks.** A hall that is put back to an old disk is nobody from its first contact on: whoever was told how far its
//! log had come shows it, and the product itself does the rest (`restored`: every promise holds). What remains is a window
//! of two kinds. Before the first contact its clerks work on (`restored-alone`): then its own rows contradict what it signed
//! before, and nothing else is broken, for none of it gets out. What it had signed after the last heartbeat that anybody
//! heard cannot be shown (`restored-unheard`): then it signs two events at one place of the log, and both are heard. That is
//! at most what one heartbeat's time holds.
//!
//! **Not explored**: more than one case, relays (every line is up), exchanges of lists (all are equal), clocks (all but
//! silent days happens at one moment), refusals of a hand-over (they need a newer protocol or a fork), two rulings for one
//! hall, rulings on a hall that has had a second life. Which bugs that are
//! planted in the core are found: see `bugs` (feature `planted-bugs`).
//!
//! Read in this order: `setting`, `explore` (the search), `halls` (asking the product), `promises` (safety), `rest`
//! (liveness), then what they stand on.

#[cfg(feature = "planted-bugs")]
pub mod bugs;
mod canon;
pub mod command;
mod explore;
mod halls;
mod letters;
mod logs;
mod mishaps;
mod promises;
mod rest;
mod seen;
mod setting;
mod settings;
mod story;

use std::collections::BTreeMap;

use serde::Serialize;

use explore::{Explorer, Found};
use halls::NotSpent;
use seen::Merge;

pub use promises::Promise;
pub use setting::{Bend, Closing, Expected, Mishaps, Seat, Setting, Shown, Site, Wait};
pub use settings::{SETTINGS, named};

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
    /// States from which the case waits in the end, by reason.
    pub waits: BTreeMap<Wait, usize>,
    /// States in which the one promise is broken that is known to be, if there is one, and the shortest way there.
    pub excepted: (usize, Vec<String>),
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
    // Where lives end, or are put back, there are very many sets of letters; joined ones do, if nothing is wrong even then.
    let mishaps = setting.mishaps;
    let ends = mishaps.rebirths > 0 || mishaps.closings > 0;
    let rough = ends || (mishaps.restores > 0 && mishaps.shown != Shown::Never);
    let merge = if rough { Merge::Joined } else { Merge::Within };
    let (mut explorer, mut found) = explore(setting, merge, states_max)?;
    if rough && matches!(found, Found::Broken(..)) {
        (explorer, found) = explore(setting, Merge::Within, states_max)?;
    }
    let verdict = match found {
        Found::Nothing => Verdict::Holds,
        Found::Broken(promise, how, story) => Verdict::Broken { promise, how, story },
        Found::TooMany => Verdict::Unfinished,
    };
    let story = match explorer.excepted.1.take() {
        Some(Found::Broken(_, how, story)) => std::iter::once(how).chain(story).collect(),
        Some(Found::Nothing | Found::TooMany) | None => Vec::new(),
    };
    let excepted = (explorer.excepted.0, story);
    let waits = std::mem::take(&mut explorer.rest.waits);
    let as_expected = match (&verdict, setting.expected) {
        (Verdict::Holds, Expected::Holds) => {
            waits.keys().eq(setting.waits) && setting.except.is_some() == (excepted.0 > 0)
        }
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
        waits,
        excepted,
        verdict,
        as_expected,
    })
}

/// Explores, once more with all letters if some were left out that matter.
fn explore(setting: &Setting, merge: Merge, states_max: usize) -> anyhow::Result<(Explorer, Found)> {
    let mut explorer = Explorer::new(setting, true, merge)?;
    let found = explorer.run(states_max);
    if found.as_ref().is_err_and(|error| error.is::<NotSpent>()) {
        explorer = Explorer::new(setting, false, merge)?;
        let found = explorer.run(states_max)?;
        return Ok((explorer, found));
    }
    found.map(|found| (explorer, found))
}
