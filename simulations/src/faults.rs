//! How trouble is drawn: who is hit, how long it lasts. All from the seed, all over when the quiet part begins.

use hallmesh_protocol::chance::Chance;

use crate::plan::{MINUTE, SECOND};

/// Milliseconds that a commit takes at the least, and by fewer than how many it may take longer.
pub(crate) const COMMIT_MIN: u64 = 1;
/// See [`COMMIT_MIN`].
pub(crate) const COMMIT_SPREAD: u64 = 6;

/// Cuts that last at the same time at the most: one bit each.
pub const CUTS_MAX: u32 = 32;

/// How a process dies at its next commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// With work done that is not committed.
    BeforeCommit,
    /// With work committed of which nobody was told.
    AfterCommit,
}

/// How long something lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasts {
    /// So many milliseconds.
    Milliseconds(u64),
    /// So many working days, until the halls open.
    Days(u64),
}

/// Draws the trouble.
#[derive(Debug)]
pub struct Faults {
    secret: [u8; 32],
    /// For one fault.
    chance: Chance,
    /// For machines, all the time.
    machines: Chance,
}

impl Faults {
    /// Trouble that follows from `chance`.
    pub fn new(mut chance: Chance) -> Self {
        Self { secret: chance.bytes32(), machines: chance.fork("machines"), chance }
    }

    /// From here on what is drawn is drawn for this fault.
    pub fn begin(&mut self, number: u64) {
        let seed = blake3::keyed_hash(&self.secret, &number.to_le_bytes());
        self.chance = Chance::from_seed(*seed.as_bytes());
    }

    /// What is drawn for one restart of one machine, whatever else was drawn before.
    pub fn of_restart(&self, number: u64) -> Chance {
        let seed = blake3::keyed_hash(&self.secret, &[&b"restart"[..], &number.to_le_bytes()].concat());
        Chance::from_seed(*seed.as_bytes())
    }

    /// A hall, by its rank.
    pub fn victim(&mut self, halls: usize) -> usize {
        let bound = u64::try_from(halls).unwrap_or(u64::MAX);
        usize::try_from(self.chance.below(bound)).unwrap_or(0)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.chance.below(bound)
    }

    /// Milliseconds until a crashed process is started again.
    pub fn down_for(&mut self) -> u64 {
        let most = if self.machines.below(4) == 0 { MINUTE } else { 5 * SECOND };
        self.machines.below(most).saturating_add(200)
    }

    /// How long a cut, an outage or a full disk lasts: mostly a minute; in a run of many days now and then some days.
    pub fn lasts(&mut self, many_days: bool) -> Lasts {
        if many_days && self.chance.below(3) == 0 {
            return Lasts::Days(self.chance.below(5).saturating_add(1));
        }
        Lasts::Milliseconds(self.chance.below(MINUTE).saturating_add(SECOND))
    }

    /// Milliseconds a commit takes.
    pub fn commit_takes(&mut self) -> u64 {
        self.machines.below(COMMIT_SPREAD).saturating_add(COMMIT_MIN)
    }

    /// Fills `bytes` with noise.
    pub fn noise(&mut self, bytes: &mut [u8]) {
        self.chance.fill(bytes);
    }
}

/// Between nothing and twice the mean.
pub fn around(chance: &mut Chance, mean: u64) -> u64 {
    chance.below(mean.saturating_mul(2)).saturating_add(1)
}
