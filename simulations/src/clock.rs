//! Clocks of halls: each runs a little wrong and shows a time of its own.

use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::step::Now;

/// Milliseconds since 1970 at which every city is founded: 2026-11-24, midnight UTC.
pub const FOUNDED: u64 = 1_795_478_400_000;
/// Ticks of a right clock in a million milliseconds.
const RIGHT: u64 = 1_000_000;
/// Parts in a million by which a clock runs wrong at the most.
const DRIFT_MAX: u64 = 200;
/// Milliseconds by which the wall clock is off at the most, to either side.
const OFFSET_MAX: u64 = 90_000;

/// One machine's clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    rate: u64,
    wall: u64,
}

impl Clock {
    /// Draws a clock.
    pub fn draw(chance: &mut Chance) -> Self {
        let rate = RIGHT.saturating_sub(DRIFT_MAX).saturating_add(chance.below(2 * DRIFT_MAX));
        let mut clock = Self { rate, wall: FOUNDED };
        clock.set(chance);
        clock
    }

    /// Somebody sets the wall clock; ticks go on.
    pub fn set(&mut self, chance: &mut Chance) {
        self.wall = FOUNDED.saturating_sub(OFFSET_MAX).saturating_add(chance.below(2 * OFFSET_MAX));
    }

    /// What the machine shows when the world is `world` milliseconds old.
    pub fn at(&self, world: u64) -> Now {
        let ticks = world.saturating_mul(self.rate) / RIGHT;
        Now { ticks, wall: self.wall.saturating_add(ticks) }
    }

    /// The first age of the world at which the machine shows at least `ticks`.
    pub fn reaches(&self, ticks: u64) -> u64 {
        ticks.saturating_mul(RIGHT).div_ceil(self.rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wake_comes_neither_early_nor_late() {
        let mut chance = Chance::from_seed([1; 32]);
        for _ in 0..100 {
            let clock = Clock::draw(&mut chance);
            let ticks = chance.below(10_000_000);
            let world = clock.reaches(ticks);
            assert!(clock.at(world).ticks >= ticks);
            assert!(world == 0 || clock.at(world - 1).ticks < ticks);
        }
    }
}
