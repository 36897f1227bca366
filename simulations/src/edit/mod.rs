//! One edit in a whole city: when how many halls have it, how often it travelled, what that cost; with halls or whole
//! tiers dead; and the same beside a flood over a random mesh, as `gossipsub` makes one.

pub mod flood;

use hallmesh_protocol::ids::Tier;
use serde::Serialize;

use crate::plan::{Lines, Load, Plan, SECOND, Shape, Span};

/// Who is dead when the edit is made, and was so from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dead {
    /// Nobody.
    Nobody,
    /// The city's hall.
    City,
    /// Every county.
    Counties,
    /// The city's hall and every county.
    CityAndCounties,
    /// Every township.
    Townships,
    /// Three of ten halls, whichever; not the one that makes the edit.
    Thirty,
}

impl Dead {
    /// Every case.
    pub const ALL: [Self; 6] =
        [Self::Nobody, Self::City, Self::Counties, Self::CityAndCounties, Self::Townships, Self::Thirty];

    /// For tables.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Nobody => "all alive",
            Self::City => "city dead",
            Self::Counties => "counties dead",
            Self::CityAndCounties => "city and counties dead",
            Self::Townships => "townships dead",
            Self::Thirty => "30 % dead",
        }
    }

    /// Whether a hall of this tier is dead; `drawn` is a number below ten that chance has drawn for it.
    pub fn takes(self, tier: Tier, drawn: u64) -> bool {
        match self {
            Self::Nobody => false,
            Self::City => tier == Tier::City,
            Self::Counties => tier == Tier::County,
            Self::CityAndCounties => tier <= Tier::County,
            Self::Townships => tier == Tier::Township,
            Self::Thirty => drawn < 3,
        }
    }
}

/// How an edit spread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Halls that are alive.
    pub alive: usize,
    /// Of these, those that had it in the end.
    pub reached: usize,
    /// Milliseconds until half of those alive had it; none if they never did.
    pub p50_ms: Option<u64>,
    /// Until 99 of a hundred had it.
    pub p99_ms: Option<u64>,
    /// Until all had it.
    pub all_ms: Option<u64>,
    /// Times that it was sent, for each hall that was to get it, in thousandths.
    pub copies_thousandths: u64,
    /// Bytes sent because of it, for each hall that is alive.
    pub bytes: u64,
}

impl Outcome {
    /// The mean of several edits; a time only where each came so far, and halls as the worst of them reached them.
    pub(crate) fn mean(all: &[Self]) -> Self {
        let count = u64::try_from(all.len()).unwrap_or(u64::MAX).max(1);
        let mean = |part: &dyn Fn(&Self) -> u64| {
            all.iter().map(part).fold(0, u64::saturating_add).checked_div(count).unwrap_or(0)
        };
        let time = |part: &dyn Fn(&Self) -> Option<u64>| {
            all.iter().all(|it| part(it).is_some()).then(|| mean(&|it| part(it).unwrap_or(0)))
        };
        Self {
            alive: all.first().map_or(0, |it| it.alive),
            reached: all.iter().map(|it| it.reached).min().unwrap_or(0),
            p50_ms: time(&|it| it.p50_ms),
            p99_ms: time(&|it| it.p99_ms),
            all_ms: time(&|it| it.all_ms),
            copies_thousandths: mean(&|it| it.copies_thousandths),
            bytes: mean(&|it| it.bytes),
        }
    }

    /// From the times at which those that are alive had it.
    pub(crate) fn of(alive: usize, mut times: Vec<u64>, copies: u64, bytes: u64) -> Self {
        times.sort_unstable();
        let at = |percent: usize| {
            let last = alive.saturating_mul(percent).div_ceil(100).max(1).saturating_sub(1);
            times.get(last).copied()
        };
        let halls = u64::try_from(alive).unwrap_or(u64::MAX);
        let others = halls.saturating_sub(1).max(1);
        Self {
            alive,
            reached: times.len(),
            p50_ms: at(50),
            p99_ms: at(99),
            all_ms: at(100),
            copies_thousandths: copies.saturating_mul(1_000).checked_div(others).unwrap_or(0),
            bytes: bytes.checked_div(halls.max(1)).unwrap_or(0),
        }
    }
}

/// Seconds from the start until the edit: by then every line stands and all halls hold the same.
pub const SETTLES: u64 = 120 * SECOND;
/// Milliseconds for which an edit is followed: a whole number of heartbeats.
pub const FOLLOWED: u64 = 30 * SECOND;
/// Edits, one after the other, of which the mean is told.
pub const EDITS: u64 = 4;
/// Milliseconds between one that is followed to its end and the next.
pub const BETWEEN: u64 = 3_700;

/// A city in which nobody does anything.
pub fn plan(city: Shape, lost: u64, seed: u64) -> Plan {
    let lines = Lines::default().weather(lost, 0, 0);
    let load = Load { citizens: 0, edits: 0, inspections: 0, misuses: 0, ..Load::default() };
    Plan { seed, city, span: Span::minutes(10), load, lines, ..Plan::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world;

    fn outcome(dead: Dead, lost: u64) -> (Outcome, Outcome) {
        world::edited(&plan(Shape::made_up(3, 3, 5), lost, 1), dead).expect("runs")
    }

    #[test]
    fn with_all_alive_each_hall_gets_an_edit_once_and_soon() {
        let (ours, flood) = outcome(Dead::Nobody, 0);
        assert_eq!((ours.alive, ours.reached), (58, 58), "{ours:?}");
        assert!((1_000..1_100).contains(&ours.copies_thousandths), "{ours:?}");
        assert!(ours.all_ms.is_some_and(|ms| ms < 500), "{ours:?}");
        assert_eq!((flood.alive, flood.reached), (58, 58));
        assert!(flood.copies_thousandths > 4_000 && flood.bytes > ours.bytes, "{flood:?} {ours:?}");
    }

    #[test]
    fn no_dead_tier_keeps_it_from_anybody() {
        for dead in [Dead::City, Dead::Counties, Dead::CityAndCounties, Dead::Townships, Dead::Thirty] {
            let (ours, flood) = outcome(dead, 0);
            assert_eq!(ours.reached, ours.alive, "{dead:?}: {ours:?}");
            assert_eq!(flood.alive, ours.alive);
            assert!(ours.alive < 58 && ours.copies_thousandths < 2_500, "{dead:?}: {ours:?}");
        }
    }

    #[test]
    fn what_is_lost_on_the_way_is_found_by_comparing() {
        let (ours, _) = outcome(Dead::Nobody, 100);
        assert_eq!(ours.reached, ours.alive, "{ours:?}");
    }

    #[test]
    fn the_same_seed_gives_the_same() {
        assert_eq!(outcome(Dead::Thirty, 50), outcome(Dead::Thirty, 50));
    }

    #[test]
    fn the_mean_hides_no_edit_that_did_not_come() {
        let [one, two] = [[0, 10, 20], [0, 30, 40]].map(|times| Outcome::of(3, times.to_vec(), 2, 300));
        let mean = Outcome::mean(&[one.clone(), two]);
        assert_eq!((mean.reached, mean.p50_ms, mean.all_ms, mean.bytes), (3, Some(20), Some(30), 100));
        let short = Outcome::of(3, vec![0, 10], 2, 300);
        let mean = Outcome::mean(&[one, short]);
        assert_eq!((mean.reached, mean.p50_ms, mean.all_ms), (2, Some(10), None));
    }

    #[test]
    fn times_are_those_of_parts_of_the_living() {
        let told = Outcome::of(5, vec![40, 0, 10, 30], 8, 500);
        let times = (told.p50_ms, told.p99_ms, told.all_ms);
        assert_eq!((times, told.reached), ((Some(30), None, None), 4));
        assert_eq!((told.copies_thousandths, told.bytes), (2_000, 100));
    }
}
