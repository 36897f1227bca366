//! Axes: what lies where, and the round numbers that are written beside. Whole numbers only.

use super::units;
use crate::plan::{HOUR, MINUTE, SECOND};

/// Marks on an axis at the most.
const TICKS_MAX: u64 = 6;
/// The round numbers between two powers of ten.
const ROUND: [u64; 3] = [1, 2, 5];
/// Round times, in milliseconds: steps between two marks.
const TIMES: [u64; 24] = [
    1,
    10,
    100,
    200,
    500,
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    20 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    20 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    20 * HOUR,
    50 * HOUR,
    100 * HOUR,
];
/// Marks where ten times as long is as far again.
const DELAYS: [u64; 9] = [1, 10, 100, SECOND, 10 * SECOND, MINUTE, 10 * MINUTE, HOUR, 10 * HOUR];
/// Parts of a doubling that are told apart.
const OCTAVE: u64 = 1_024;

/// An axis.
#[derive(Debug)]
pub(super) struct Axis {
    from: u64,
    to: u64,
    is_log: bool,
    /// Where marks are, and what they say.
    pub(super) ticks: Vec<(u64, String)>,
    /// What is counted.
    pub(super) title: &'static str,
}

impl Axis {
    /// Numbers from none to `most`.
    pub(super) fn count(most: u64, title: &'static str) -> Self {
        let step = decades().find(|step| most.div_ceil(*step) <= TICKS_MAX).unwrap_or(u64::MAX);
        Self::linear(most, step, units::short_count, title)
    }

    /// Time from the beginning to `most`.
    pub(super) fn time(most: u64, title: &'static str) -> Self {
        let longer = decades().map(|times| times.saturating_mul(100 * HOUR));
        let mut steps = TIMES.into_iter().chain(longer);
        let step = steps.find(|step| most.div_ceil(*step) <= TICKS_MAX).unwrap_or(u64::MAX);
        // One unit along the whole axis: 90 s rather than 1 min 30 s.
        let label = |time: u64| match step {
            SECOND..MINUTE => format!("{} s", time / SECOND),
            MINUTE..HOUR => format!("{} min", time / MINUTE),
            _shorter_or_longer => units::time(time),
        };
        Self::linear(most, step, label, title)
    }

    /// Percent.
    pub(super) fn share(title: &'static str) -> Self {
        Self::linear(100, 25, |percent| format!("{percent} %"), title)
    }

    /// Times of which ten times as much is as far again, from `least` to `most`.
    pub(super) fn delay(least: u64, most: u64, title: &'static str) -> Self {
        let from = DELAYS.into_iter().rfind(|it| *it <= least).unwrap_or(1);
        let to = DELAYS.into_iter().find(|it| *it >= most && *it > from).unwrap_or(most);
        let within = DELAYS.into_iter().filter(|it| (from..=to).contains(it));
        let ticks = within.map(|it| (it, units::time(it))).collect();
        Self { from, to, is_log: true, ticks, title }
    }

    /// How far along the axis a value is, if the whole axis is so long; what lies outside is at an end.
    pub(super) fn place(&self, value: u64, length: u64) -> u64 {
        let value = value.clamp(self.from, self.to.max(self.from));
        let scale = |value: u64| if self.is_log { log(value) } else { value };
        let (from, to) = (scale(self.from), scale(self.to));
        let along = u128::from(scale(value).saturating_sub(from)).saturating_mul(u128::from(length));
        let whole = u128::from(to.saturating_sub(from));
        along.checked_div(whole).and_then(|place| u64::try_from(place).ok()).unwrap_or(0)
    }

    /// Up to the first mark that is not below `most`.
    fn linear(most: u64, step: u64, label: impl Fn(u64) -> String, title: &'static str) -> Self {
        let steps = most.div_ceil(step.max(1)).max(1);
        let to = step.saturating_mul(steps);
        let ticks = (0..=steps).map(|it| it.saturating_mul(step));
        let ticks = ticks.map(|value| (value, if value == 0 { "0".to_owned() } else { label(value) }));
        Self { from: 0, to, is_log: false, ticks: ticks.collect(), title }
    }

    /// The same axis that ends at `most`, whether there is a mark or not.
    pub(super) fn ending_at(mut self, most: u64) -> Self {
        self.to = most.max(1);
        self.ticks.retain(|(value, _)| *value <= most);
        self
    }
}

/// 1, 2, 5, 10, 20, 50 and so on.
fn decades() -> impl Iterator<Item = u64> {
    let tens = std::iter::successors(Some(1_u64), |ten| ten.checked_mul(10));
    tens.flat_map(|ten| ROUND.map(|round| ten.saturating_mul(round)))
}

/// The logarithm to base two, in parts of a doubling.
fn log(value: u64) -> u64 {
    let value = value.max(1);
    let whole = value.ilog2();
    // The value as a number between one and two, with 31 binary places: squared once for each binary place of the
    // logarithm, which is one where the square is two or more.
    let one = 1_u64 << 31;
    let mut rest = u128::from(value).saturating_mul(u128::from(one)).checked_shr(whole).unwrap_or(0);
    let mut places = 0_u64;
    for _ in 0..OCTAVE.ilog2() {
        rest = rest.saturating_mul(rest) >> 31;
        places = places.saturating_mul(2);
        if rest >= u128::from(one).saturating_mul(2) {
            rest >>= 1;
            places = places.saturating_add(1);
        }
    }
    u64::from(whole).saturating_mul(OCTAVE).saturating_add(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn marks_are_round_and_few() {
        assert_eq!(labels(&Axis::count(0, "")), ["0", "1"]);
        assert_eq!(labels(&Axis::count(5, "")), ["0", "1", "2", "3", "4", "5"]);
        assert_eq!(labels(&Axis::count(81_000, "")), ["0", "20k", "40k", "60k", "80k", "100k"]);
        assert_eq!(labels(&Axis::time(420_000, "")), ["0", "2 min", "4 min", "6 min", "8 min"]);
        assert_eq!(labels(&Axis::time(420_000, "").ending_at(420_000)), ["0", "2 min", "4 min", "6 min"]);
        assert_eq!(labels(&Axis::time(80_000, "")), ["0", "20 s", "40 s", "60 s", "80 s"]);
        assert_eq!(
            labels(&Axis::time(100 * 60_000, "")),
            ["0", "20 min", "40 min", "60 min", "80 min", "100 min"]
        );
        assert_eq!(labels(&Axis::delay(30, 20_000, "")), ["10 ms", "100 ms", "1 s", "10 s", "1 min"]);
        for most in [0, 1, 7, 99, 12_345, 10_u64.pow(12), u64::MAX] {
            assert!(Axis::count(most, "").ticks.len() <= 7, "{most}");
            assert!(Axis::time(most, "").ticks.len() <= 7, "{most}");
        }
    }

    #[test]
    fn places_are_in_proportion() {
        let axis = Axis::count(100, "");
        assert_eq!([0, 25, 100, 900].map(|value| axis.place(value, 400)), [0, 100, 400, 400]);
        let axis = Axis::delay(1, 10_000, "");
        let places = [0, 1, 10, 100, 10_000].map(|value| axis.place(value, 4_000));
        let expected = [0, 0, 1_000, 2_000, 4_000];
        assert!(places.iter().zip(expected).all(|(is, should)| is.abs_diff(should) <= 2), "{places:?}");
    }

    #[test]
    fn the_logarithm_grows_with_its_number() {
        assert_eq!([1, 2, 4, 1 << 40].map(log), [0, OCTAVE, 2 * OCTAVE, 40 * OCTAVE]);
        assert_eq!(log(3), 1_623);
        assert!((1..5_000).all(|value| log(value) <= log(value + 1)));
        assert!(log(u64::MAX) < 64 * OCTAVE);
    }
}
