//! The trouble of a run: crashes at the worst moments, halls cut off. All drawn from the seed, all over
//! when the quiet part begins.

use hallmesh_protocol::chance::Chance;

use crate::network::Weather;

/// Cuts that last at the same time at the most: one bit each.
pub const CUTS_MAX: u32 = 16;

/// What trouble is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Trouble {
    /// Lines.
    pub weather: Weather,
    /// Milliseconds between crashes in the whole city on average; none without.
    pub crash_every: Option<u64>,
    /// Milliseconds between cuts in the whole city on average; none without.
    pub cut_every: Option<u64>,
}

/// How a process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// At any moment.
    Anytime,
    /// With work done that is not committed.
    BeforeCommit,
    /// With work committed of which nobody was told.
    AfterCommit,
}

/// Draws the trouble.
#[derive(Debug)]
pub struct Faults {
    trouble: Trouble,
    chance: Chance,
}

impl Faults {
    /// Trouble that follows from `chance`.
    pub fn new(trouble: Trouble, chance: Chance) -> Self {
        Self { trouble, chance }
    }

    /// Milliseconds until the next crash.
    pub fn next_crash(&mut self) -> Option<u64> {
        self.trouble.crash_every.map(|mean| around(&mut self.chance, mean))
    }

    /// Milliseconds until the next cut.
    pub fn next_cut(&mut self) -> Option<u64> {
        self.trouble.cut_every.map(|mean| around(&mut self.chance, mean))
    }

    /// How the next one dies.
    pub fn crash(&mut self) -> Crash {
        match self.chance.below(3) {
            0 => Crash::Anytime,
            1 => Crash::BeforeCommit,
            _two => Crash::AfterCommit,
        }
    }

    /// A hall, by its rank.
    pub fn victim(&mut self, halls: usize) -> usize {
        let bound = u64::try_from(halls).unwrap_or(u64::MAX);
        usize::try_from(self.chance.below(bound)).unwrap_or(0)
    }

    /// Milliseconds until a crashed process is started again.
    pub fn down_for(&mut self) -> u64 {
        let most = if self.chance.below(4) == 0 { 60_000 } else { 5_000 };
        self.chance.below(most).saturating_add(200)
    }

    /// Milliseconds a cut lasts.
    pub fn cut_for(&mut self) -> u64 {
        self.chance.below(60_000).saturating_add(1_000)
    }

    /// Milliseconds a commit takes.
    pub fn commit_takes(&mut self) -> u64 {
        self.chance.below(6).saturating_add(1)
    }
}

/// Between nothing and twice the mean.
pub fn around(chance: &mut Chance, mean: u64) -> u64 {
    chance.below(mean.saturating_mul(2)).saturating_add(1)
}
