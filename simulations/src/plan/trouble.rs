//! What can go wrong: how bad the lines are, which faults are drawn, which come at a set time.

use std::collections::BTreeMap;

use anyhow::ensure;
use hallmesh_protocol::ids::{DivisionCode, Tier};
use serde::{Deserialize, Serialize};

/// A kind of fault. Each is counted where it really happened; the table is `reference` F1-F30 as far as machines,
/// lines, clocks and people can bring them about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// A process dies at any moment and is started again.
    Crash,
    /// A process dies with work done that is not committed.
    CrashBeforeCommit,
    /// A process dies with work committed of which nobody was told.
    CrashAfterCommit,
    /// All machines of a division lose power; some come back with another time.
    PowerCut,
    /// One machine stays off for long.
    Outage,
    /// A division is cut off with everything under it.
    Cut,
    /// A division is heard by nobody, though it hears the others.
    OneWayCut,
    /// No hall of one tier hears one of another.
    TierCut,
    /// A hall's line takes everything and passes nothing on for a while, then all of it.
    Clog,
    /// A machine sleeps: nothing runs, nothing is answered, its ticks stand still.
    Suspend,
    /// Somebody sets a clock by minutes or hours.
    ClockJump,
    /// A clock is years wrong, as after an empty battery.
    ClockYears,
    /// A disk has no room for a while: commits fail, and the process stops with the first of them.
    DiskFull,
    /// A row is damaged on the disk. It is noticed when it is read; the disk is then replaced.
    BitFlip,
    /// A disk is lost with everything on it; the hall is installed anew, as a new life.
    DiskLoss,
    /// A hall comes back with the disk of some time ago and does not know it.
    Restore,
    /// A machine is stolen: its life is revoked, the hall goes on as a new one.
    Theft,
    /// Somebody on the line sends bytes that are no message.
    Garbage,
    /// Somebody sends messages again that were sent long ago.
    Replay,
    /// A hall's own staff state what is not theirs to state.
    Overreach,
    /// A hall sends its neighbour hundreds of letters for others.
    Flood,
    /// A hall that has a case in hand writes a second log of it, and sends that to another hall.
    Equivocation,
}

impl Fault {
    /// Every kind.
    pub const ALL: [Self; 22] = [
        Self::Crash,
        Self::CrashBeforeCommit,
        Self::CrashAfterCommit,
        Self::PowerCut,
        Self::Outage,
        Self::Cut,
        Self::OneWayCut,
        Self::TierCut,
        Self::Clog,
        Self::Suspend,
        Self::ClockJump,
        Self::ClockYears,
        Self::DiskFull,
        Self::BitFlip,
        Self::DiskLoss,
        Self::Restore,
        Self::Theft,
        Self::Garbage,
        Self::Replay,
        Self::Overreach,
        Self::Flood,
        Self::Equivocation,
    ];

    /// A stable word, for tables and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::CrashBeforeCommit => "crash-before-commit",
            Self::CrashAfterCommit => "crash-after-commit",
            Self::PowerCut => "power-cut",
            Self::Outage => "outage",
            Self::Cut => "cut",
            Self::OneWayCut => "one-way-cut",
            Self::TierCut => "tier-cut",
            Self::Clog => "clog",
            Self::Suspend => "suspend",
            Self::ClockJump => "clock-jump",
            Self::ClockYears => "clock-years",
            Self::DiskFull => "disk-full",
            Self::BitFlip => "bit-flip",
            Self::DiskLoss => "disk-loss",
            Self::Restore => "restore",
            Self::Theft => "theft",
            Self::Garbage => "garbage",
            Self::Replay => "replay",
            Self::Overreach => "overreach",
            Self::Flood => "flood",
            Self::Equivocation => "equivocation",
        }
    }
}

/// Seconds between faults of each kind in the whole city while it is open, on average. A kind that is not named does
/// not happen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Trouble(pub BTreeMap<Fault, u64>);

impl Trouble {
    /// Trouble of these kinds, each with its seconds between two.
    pub fn of(kinds: &[(Fault, u64)]) -> Self {
        Self(kinds.iter().copied().collect())
    }
}

/// A fault at a set time and place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The working day, counted from 0.
    pub day: u64,
    /// Minutes after the halls have opened.
    #[serde(default)]
    pub minute: u64,
    /// What happens.
    pub fault: Fault,
    /// To which division; everything under it where the fault is one of divisions.
    pub place: DivisionCode,
    /// How many working days it lasts; 0 for as long as chance has it.
    #[serde(default)]
    pub days: u64,
}

/// How good the lines of a tier are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quality {
    /// Milliseconds one way at least.
    pub latency_ms: u64,
    /// Milliseconds by which a message may take longer.
    pub spread_ms: u64,
    /// Thousand bits a second that a hall can send; 0 for no bound.
    pub kbit_s: u64,
    /// Of a thousand messages, lost.
    pub lost: u64,
    /// Of a thousand messages, arriving twice.
    pub doubled: u64,
    /// Of a thousand messages, held up for up to two seconds so that others overtake them.
    pub late: u64,
}

/// The lines of a city. A line is as good as its worse end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lines {
    /// Of the city's hall and the counties'.
    pub county: Quality,
    /// Of townships.
    pub township: Quality,
    /// Of villages.
    pub village: Quality,
    /// Of a hundred villages, those that nobody can call: they call.
    pub no_inbound: u64,
    /// Of a hundred villages, those with a line for a quarter of each day only.
    pub window: u64,
    /// Microseconds of a machine's time that one input costs.
    pub step_us: u64,
    /// Of a hundred halls, those whose node already speaks the next version of the protocol.
    pub newer: u64,
}

impl Default for Lines {
    fn default() -> Self {
        let quality = |latency_ms, spread_ms| Quality {
            latency_ms,
            spread_ms,
            kbit_s: 0,
            lost: 0,
            doubled: 0,
            late: 0,
        };
        Self {
            county: quality(2, 8),
            township: quality(5, 20),
            village: quality(10, 60),
            no_inbound: 0,
            window: 0,
            step_us: 0,
            newer: 0,
        }
    }
}

impl Lines {
    /// Every line with these losses, in thousandths.
    #[must_use]
    pub fn weather(mut self, lost: u64, doubled: u64, late: u64) -> Self {
        for quality in [&mut self.county, &mut self.township, &mut self.village] {
            (quality.lost, quality.doubled, quality.late) = (lost, doubled, late);
        }
        self
    }

    /// The quality of the lines of a tier.
    pub fn of(&self, tier: Tier) -> &Quality {
        match tier {
            Tier::City | Tier::County => &self.county,
            Tier::Township => &self.township,
            Tier::Village => &self.village,
        }
    }

    /// These lines without losses, as when everything is mended.
    #[must_use]
    pub fn mended(self) -> Self {
        Self { no_inbound: self.no_inbound, window: 0, ..self.weather(0, 0, 0) }
    }

    pub(super) fn check(&self) -> anyhow::Result<()> {
        for quality in [&self.county, &self.township, &self.village] {
            let all = quality.lost.max(quality.doubled).max(quality.late);
            ensure!(all <= 1_000, "losses are thousandths: at most 1000");
        }
        ensure!(
            self.no_inbound.max(self.window).max(self.newer) <= 100,
            "parts of halls are percent: at most 100"
        );
        Ok(())
    }
}
