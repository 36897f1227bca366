//! What lies between halls: latency by tier, loss, duplication, late messages, cuts. It knows nothing of
//! what is said.
//!
//! A line is made and lost as a whole, as a stream is, but each message on it may be lost, doubled or
//! overtaken: harder than any real line, so that nothing leans on order by accident.

use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::ids::Tier;

/// Messages under way to one hall at the most; more are dropped.
pub const INBOUND_MAX: usize = 4_096;
/// Milliseconds until a dead line is noticed by missing answers, at the most.
const SILENCE_MAX: u64 = 15_000;
/// Milliseconds between calls to a hall that does not answer, at the most.
const REDIAL_MAX: u64 = 10_000;
/// Milliseconds by which a held-up message is late, at the most.
const LATE_MAX: u64 = 2_000;

/// How bad the lines are, in thousandths of the messages.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    /// Lost.
    pub lost: u64,
    /// Arriving twice.
    pub doubled: u64,
    /// Held up, so that others overtake them.
    pub late: u64,
}

/// The lines of the city.
#[derive(Debug)]
pub struct Network {
    /// How bad they are now.
    pub weather: Weather,
    made: u64,
    chance: Chance,
}

impl Network {
    /// Lines in this weather.
    pub fn new(weather: Weather, chance: Chance) -> Self {
        Self { weather, made: 0, chance }
    }

    /// Milliseconds after which each copy of a message arrives; none if it is lost.
    pub fn carry(&mut self, one: Tier, other: Tier) -> Vec<u64> {
        let mut copies = Vec::with_capacity(2);
        if self.happens(self.weather.lost) {
            return copies;
        }
        copies.push(self.delay(one, other));
        if self.happens(self.weather.doubled) {
            copies.push(self.delay(one, other));
        }
        copies
    }

    /// A number for a new line.
    pub fn line(&mut self) -> u64 {
        self.made = self.made.saturating_add(1);
        self.made
    }

    /// Milliseconds until one end notices that the line is dead: at once when the other end's machine still
    /// answers for its dead process, else by silence.
    pub fn notices_after(&mut self, machine_answers: bool) -> u64 {
        if machine_answers { self.chance.below(200) } else { self.chance.below(SILENCE_MAX) }
    }

    /// Milliseconds until a hall is called, or called again.
    pub fn calls_after(&mut self, again: bool) -> u64 {
        self.chance.below(if again { REDIAL_MAX } else { 500 }).saturating_add(1)
    }

    fn delay(&mut self, one: Tier, other: Tier) -> u64 {
        let (least, spread) = match one.max(other) {
            Tier::City | Tier::County => (2, 8),
            Tier::Township => (5, 20),
            Tier::Village => (10, 60),
        };
        let late = if self.happens(self.weather.late) { self.chance.below(LATE_MAX) } else { 0 };
        self.chance.below(spread).saturating_add(least).saturating_add(late)
    }

    fn happens(&mut self, thousandths: u64) -> bool {
        thousandths > 0 && self.chance.below(1_000) < thousandths
    }
}
