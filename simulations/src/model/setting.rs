//! What an exploration can be of: which halls, which case, which acts of clerks, which mishaps, and what is expected to
//! come of it. What is explored: `settings`.

use hallmesh_protocol::cases::Deed;
use serde::Serialize;

use super::promises::Promise;

/// A hall's place in a setting.
pub type Seat = usize;

/// Halls of a setting at the most.
pub(super) const SEATS: usize = 5;

/// A hall of a setting: division code and name.
pub type Site = (u64, &'static str);

/// Mishaps that a check tries wherever they can happen, each at most so often in one story.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mishaps {
    /// A hall loses its disk and stays away.
    pub losses: u8,
    /// The halls that may.
    pub may_lose: &'static [Seat],
    /// A hall loses its disk, and a new life of it begins with new keys.
    pub rebirths: u8,
    /// The halls that may.
    pub may_be_reborn: &'static [Seat],
    /// A hall is closed: its disk is lost, a hall above, or the root, revokes its life, and no other one begins.
    pub closings: u8,
    /// The halls that may, and who goes on then.
    pub may_be_closed: &'static [Closing],
    /// The halls whose disks are declared destroyed when a life of them ends, each with the one that hears of it: whoever
    /// may wait for its word. Nobody else asks whether it is.
    pub destroyed: &'static [(Seat, Seat)],
    /// How many events of the log the life that ends has kept, at least and at most: what is too large for one exploration
    /// is done in parts.
    pub keeps: (usize, usize),
    /// A second life ends only when the city has got over the first.
    pub in_turn: bool,
    /// The disk is not lost but replaced: the old machine goes on working, and learns as late as anybody that it is over.
    pub goes_on: bool,
    /// A hall is put back to a copy of its disk that was taken at some moment before.
    pub restores: u8,
    /// The halls that may.
    pub may_be_restored: &'static [Seat],
    /// When such a hall is shown what it has forgotten.
    pub shown: Shown,
    /// For days a hall hears nothing of a mirror of its.
    pub silences: u8,
}

/// How a hall is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closing {
    /// Which.
    pub seat: Seat,
    /// Who is ruled to go on in its place, if somebody is.
    pub heir: Option<Seat>,
}

/// When a hall that was put back to an old disk meets one that was told how far its log had come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    /// Before it does anything: the first hall that it meets has heard all that it had signed.
    #[default]
    AtOnce,
    /// After its clerks have worked alone for a while, without a line.
    Later,
    /// Never: nobody has heard of what it has forgotten.
    Never,
}

/// How the environment itself is bent, to show that the check can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bend {
    /// A hall's messages leave before the commit they rest on is durable; once a crash then takes the commit.
    Hasty(Seat),
    /// The disk of a hall keeps nothing of these tables and says it did.
    Forgets(Seat, &'static [u8]),
}

/// Why a case may rest in no hand, or not where it should be, though nothing goes wrong any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wait {
    /// A hall that had a part in it is away for ever, or has forgotten what it signed: its next life has not begun.
    NewLife,
    /// It lay on one disk only, and that is lost. Nobody was told D2.
    OnlyDiskLost,
    /// The life that had it is over, and so is one that would have to fence it off: losses overlap.
    Overlapping,
    /// It was handed over, and all who could witness that are over.
    Unwitnessed,
    /// A hall that had a part in it is closed, and nobody was ruled to go on.
    Ruling,
}

impl Wait {
    /// A stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NewLife => "new-life",
            Self::OnlyDiskLost => "only-disk-lost",
            Self::Overlapping => "overlapping-losses",
            Self::Unwitnessed => "unwitnessed",
            Self::Ruling => "ruling",
        }
    }
}

/// What a check is expected to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Every promise holds in every state.
    Holds,
    /// A promise is broken, since the product lacks what would keep it.
    Breaks(Promise),
}

/// What is explored.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// The halls, by code.
    pub halls: &'static [Site],
    /// Where the citizen stands.
    pub window: Seat,
    /// The matter.
    pub matter: &'static str,
    /// What clerks try, in every hall and every state.
    pub deeds: &'static [Deed],
    /// Corrections that are asked for at the most.
    pub corrections: u16,
    /// What goes wrong besides loss, doubling and reordering of messages and crashes at any moment.
    pub mishaps: Mishaps,
    /// How the environment is bent.
    pub bend: Option<Bend>,
    /// Every start, every lost sending and every repeated answer is a transition of its own, and no letter is left out.
    /// Many more states, the same findings.
    pub plain: bool,
    /// Takes minutes: only explored when named.
    pub long: bool,
    /// What is expected.
    pub expected: Expected,
    /// A promise that is known to be broken in some states, and must be; no other one is.
    pub except: Option<Promise>,
    /// Why the case may have to wait, each of which must happen.
    pub waits: &'static [Wait],
}
