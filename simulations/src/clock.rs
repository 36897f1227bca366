//! Clocks of halls: each runs a little wrong and shows a time of its own.

use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::step::Now;

use crate::plan::{DAY, HOUR};

/// Milliseconds since 1970 at which every city is founded: 2026-11-24, midnight UTC, eight in the morning in Beijing.
pub const FOUNDED: u64 = 1_795_478_400_000;
/// Ticks of a right clock in a million milliseconds.
const RIGHT: u64 = 1_000_000;
/// Parts in a million by which a clock runs wrong at the most.
const DRIFT_MAX: u64 = 200;
/// Milliseconds by which the wall clock is off at the most, to either side.
const OFFSET_MAX: u64 = 90_000;

/// Milliseconds by which somebody sets a clock wrong at the most, to either side.
const JUMP_MAX: u64 = 20 * HOUR;
/// Milliseconds by which a clock without a battery is wrong at the most, to either side.
const YEARS_MAX: u64 = 10 * 365 * DAY;

/// One machine's clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    rate: u64,
    wall: u64,
    slept: u64,
}

impl Clock {
    /// Draws a clock.
    pub fn draw(chance: &mut Chance) -> Self {
        let rate = RIGHT.saturating_sub(DRIFT_MAX).saturating_add(chance.below(2 * DRIFT_MAX));
        let mut clock = Self { rate, wall: FOUNDED, slept: 0 };
        clock.set(chance);
        clock
    }

    /// Somebody sets the wall clock about right when the world is `world` milliseconds old; ticks go on.
    pub fn set_at(&mut self, world: u64, chance: &mut Chance) {
        self.set(chance);
        let drifted = self.run(world);
        self.wall = self.wall.saturating_add(world).saturating_sub(drifted);
    }

    /// Somebody sets the wall clock wrong by hours.
    pub fn jump(&mut self, chance: &mut Chance) {
        self.wall = self.wall.saturating_sub(JUMP_MAX).saturating_add(chance.below(2 * JUMP_MAX));
    }

    /// The wall clock shows a time that is years away.
    pub fn lose_battery(&mut self, chance: &mut Chance) {
        self.wall = self.wall.saturating_sub(YEARS_MAX).saturating_add(chance.below(2 * YEARS_MAX));
    }

    /// The machine slept for so long: its ticks stood still, its wall clock went on.
    pub fn sleep(&mut self, milliseconds: u64) {
        self.slept = self.slept.saturating_add(milliseconds);
    }

    /// What the machine shows when the world is `world` milliseconds old.
    pub fn at(&self, world: u64) -> Now {
        let ticks = self.run(world.saturating_sub(self.slept));
        Now { ticks, wall: self.wall.saturating_add(self.run(world)) }
    }

    /// The first age of the world at which the machine shows at least `ticks`, if it does not sleep again.
    pub fn reaches(&self, ticks: u64) -> u64 {
        ticks.saturating_mul(RIGHT).div_ceil(self.rate).saturating_add(self.slept)
    }

    fn set(&mut self, chance: &mut Chance) {
        self.wall = FOUNDED.saturating_sub(OFFSET_MAX).saturating_add(chance.below(2 * OFFSET_MAX));
    }

    fn run(&self, milliseconds: u64) -> u64 {
        milliseconds.saturating_mul(self.rate) / RIGHT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wake_comes_neither_early_nor_late() {
        let mut chance = Chance::from_seed([1; 32]);
        for _ in 0..100 {
            let mut clock = Clock::draw(&mut chance);
            clock.sleep(chance.below(1_000_000));
            let ticks = chance.below(10_000_000);
            let world = clock.reaches(ticks);
            assert!(clock.at(world).ticks >= ticks);
            assert!(world == clock.slept || clock.at(world - 1).ticks < ticks);
        }
    }

    #[test]
    fn a_clock_that_was_set_is_about_right_and_one_without_a_battery_is_not() {
        let mut chance = Chance::from_seed([2; 32]);
        let mut clock = Clock::draw(&mut chance);
        let (year, far) = (365 * DAY, 2 * HOUR);
        clock.set_at(year, &mut chance);
        assert!(clock.at(year).wall.abs_diff(FOUNDED + year) <= OFFSET_MAX + 1);
        clock.lose_battery(&mut chance);
        assert!(clock.at(year).wall.abs_diff(FOUNDED + year) > far);
    }
}
