//! What can be broken.

use serde::{Deserialize, Serialize};

/// A promise to the city, or an invariant beside them. Each has an exit code of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Promise {
    /// P1: what was receipted or recorded is kept, and a D2 receipt means a second copy.
    Kept,
    /// P2: a case is in at most one hand, and has one log.
    OneHand,
    /// P3: any hall answers alike.
    SameStandard,
    /// P4: any hall answers, whoever else is dead.
    NoCentre,
    /// P5: only halls on the route can read.
    RouteOnly,
    /// P6: every event can be proven.
    Provable,
    /// A log tells only what the law of cases allows.
    Lawful,
    /// A bundle's tasks begin, wait and end as they belong together.
    Together,
    /// P7: days are the same everywhere.
    InTime,
    /// P7: no machine gives itself days by a wrong clock.
    Dated,
    /// P8: any hall says where a case is.
    Explained,
    /// All halls hold the same lists in the end, and only what somebody could lawfully state.
    ListsAgree,
    /// When the trouble is over no case is left between two halls and no letter waits.
    Settled,
    /// Frames and wakes keep their bounds, in size and in number.
    Bounded,
    /// What a hall counts and indexes is what its rows say.
    RowsAgree,
    /// A hall that has forgotten what it signed is told, and signs nothing more.
    Remembered,
    /// One seed gives one run.
    SameTrace,
    /// The core did not stop itself.
    NoPanic,
}

impl Promise {
    /// Every promise.
    pub const ALL: [Self; 18] = [
        Self::Kept,
        Self::OneHand,
        Self::SameStandard,
        Self::NoCentre,
        Self::RouteOnly,
        Self::Provable,
        Self::Lawful,
        Self::Together,
        Self::InTime,
        Self::Dated,
        Self::Explained,
        Self::ListsAgree,
        Self::Settled,
        Self::Bounded,
        Self::RowsAgree,
        Self::Remembered,
        Self::SameTrace,
        Self::NoPanic,
    ];

    /// A stable word, for tables and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::OneHand => "one-hand",
            Self::SameStandard => "same-standard",
            Self::NoCentre => "no-centre",
            Self::RouteOnly => "route-only",
            Self::Provable => "provable",
            Self::Lawful => "lawful",
            Self::Together => "together",
            Self::InTime => "in-time",
            Self::Dated => "dated",
            Self::Explained => "explained",
            Self::ListsAgree => "lists-agree",
            Self::Settled => "settled",
            Self::Bounded => "bounded",
            Self::RowsAgree => "rows-agree",
            Self::Remembered => "remembered",
            Self::SameTrace => "same-trace",
            Self::NoPanic => "no-panic",
        }
    }

    /// The exit code of a run in which it was broken.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::OneHand => 64,
            Self::Kept => 65,
            Self::ListsAgree => 66,
            Self::Settled => 67,
            Self::Remembered => 86,
            Self::SameTrace => 68,
            Self::SameStandard => 71,
            Self::NoCentre => 72,
            Self::RouteOnly => 73,
            Self::Provable => 74,
            Self::Lawful => 84,
            Self::Together => 87,
            Self::InTime => 75,
            Self::Dated => 85,
            Self::Explained => 76,
            Self::Bounded => 77,
            Self::RowsAgree => 78,
            Self::NoPanic => 79,
        }
    }
}

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Which.
    pub promise: Promise,
    /// Age of the world, in milliseconds.
    pub at: u64,
    /// How.
    pub how: String,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn words_and_codes_are_each_their_own() {
        let words: BTreeSet<_> = Promise::ALL.iter().map(|promise| promise.word()).collect();
        let codes: BTreeSet<_> = Promise::ALL.iter().map(|promise| promise.exit_code()).collect();
        assert_eq!((words.len(), codes.len()), (Promise::ALL.len(), Promise::ALL.len()));
    }
}
