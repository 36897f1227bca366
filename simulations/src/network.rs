//! What lies between halls: latency, bandwidth and loss by tier, duplication, late messages, clogged lines. It knows
//! nothing of what is said.
//!
//! A line is made and lost as a whole, as a stream is, but each message on it may be lost, doubled or
//! overtaken: harder than any real line, so that nothing leans on order by accident.

use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::ids::Tier;

use crate::plan::{Lines, Quality};

/// Messages under way to one hall at the most; more are dropped.
pub const INBOUND_MAX: usize = 4_096;
/// Milliseconds until a dead line is noticed by missing answers, at the most.
const SILENCE_MAX: u64 = 15_000;
/// Milliseconds between calls to a hall that does not answer, at the most.
const REDIAL_MAX: u64 = 10_000;
/// Milliseconds by which a held-up message is late, at the most.
const LATE_MAX: u64 = 2_000;
/// Milliseconds of sending that may wait before a slow line at the most; more is dropped.
const BACKLOG_MAX: u64 = 10_000;

/// The way out of one hall.
#[derive(Clone, Copy, Debug, Default)]
pub struct Uplink {
    /// Age of the world at which what was sent so far has left.
    free_at: u64,
    /// Age of the world until which nothing leaves.
    pub clogged_until: u64,
}

/// The lines of the city.
#[derive(Debug)]
pub struct Network {
    lines: Lines,
    made: u64,
    chance: Chance,
}

impl Network {
    /// Lines of this quality.
    pub fn new(lines: Lines, chance: Chance) -> Self {
        Self { lines, made: 0, chance }
    }

    /// From now on nothing is lost.
    pub fn mend(&mut self) {
        self.lines = self.lines.clone().mended();
    }

    /// Ages of the world at which each copy of a message of so many bytes arrives; none if it is lost.
    pub fn carry(
        &mut self,
        now: u64,
        (from, to): (Tier, Tier),
        uplink: &mut Uplink,
        bytes: usize,
    ) -> Vec<u64> {
        let mut copies = Vec::with_capacity(2);
        let quality = *self.lines.of(from.max(to));
        let Some(left) = leaves(now, self.lines.of(from), uplink, bytes) else { return copies };
        if self.happens(quality.lost) {
            return copies;
        }
        copies.push(left.saturating_add(self.delay(&quality)));
        if self.happens(quality.doubled) {
            copies.push(left.saturating_add(self.delay(&quality)));
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

    fn delay(&mut self, quality: &Quality) -> u64 {
        let late = if self.happens(quality.late) { self.chance.below(LATE_MAX) } else { 0 };
        let spread = self.chance.below(quality.spread_ms.saturating_add(1));
        spread.saturating_add(quality.latency_ms.max(1)).saturating_add(late)
    }

    fn happens(&mut self, thousandths: u64) -> bool {
        thousandths > 0 && self.chance.below(1_000) < thousandths
    }
}

/// When a message has left a hall; none if too much waits before it.
fn leaves(now: u64, quality: &Quality, uplink: &mut Uplink, bytes: usize) -> Option<u64> {
    let bits = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(8);
    let takes = bits.checked_div(quality.kbit_s).unwrap_or(0);
    let begins = uplink.free_at.max(now);
    if begins.saturating_sub(now) > BACKLOG_MAX {
        return None;
    }
    uplink.free_at = begins.saturating_add(takes);
    Some(uplink.free_at.max(uplink.clogged_until))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slow() -> Lines {
        let village = Quality { latency_ms: 10, spread_ms: 0, kbit_s: 64, lost: 0, doubled: 0, late: 0 };
        Lines { village, ..Lines::default() }
    }

    fn arrives(uplink: &mut Uplink, bytes: usize) -> Vec<u64> {
        let mut network = Network::new(slow(), Chance::from_seed([1; 32]));
        network.carry(1_000, (Tier::Village, Tier::City), uplink, bytes)
    }

    #[test]
    fn a_slow_line_sends_one_message_after_the_other_and_drops_what_waits_too_long() {
        let mut uplink = Uplink::default();
        assert_eq!(arrives(&mut uplink, 8_000), [2_010]);
        assert_eq!(arrives(&mut uplink, 8_000), [3_010]);
        assert_eq!(arrives(&mut uplink, 80_000), [13_010]);
        assert_eq!(arrives(&mut uplink, 8), Vec::<u64>::new());
    }

    #[test]
    fn what_a_clogged_line_holds_comes_when_it_opens() {
        let mut uplink = Uplink { clogged_until: 9_000, ..Uplink::default() };
        assert_eq!(arrives(&mut uplink, 8), [9_010]);
    }
}
