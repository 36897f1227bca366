//! Whether this hall may believe its own clock (design section 8).
//!
//! A machine's clock may have lost its battery, or somebody has set it wrong; a case received then would be dated years ago,
//! and every limit counted from there. Nobody has a right clock by authority: a hall believes its own unless it knows better.
//!
//! - Time has certainly passed up to the day on which its charter begins, which the hall above has signed, and up to what
//!   three neighbours under different superiors have shown together with its own clock (the *high-water time*, kept on disk).
//! - While lines to three such neighbours are up, what at least three of them show bounds this hall's clock from both sides:
//!   two wrong clocks among them move nothing.
//!
//! What it is told about cases moves nothing here. A hall in doubt goes on working; its events say that their time is suspect,
//! and it bears no witness about the time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::directory::Directory;
use crate::ids::{HallAt, HallId};
use crate::limits::{CLOCK_OFF_MAX_MS, HIGH_WATER_STEP_MS, TIME_WITNESSES_MAX};
use crate::planted::{Bug, planted};
use crate::rows;
use crate::step::{Cx, Now, View};

/// Neighbours, each under another superior, whose clocks are believed together.
const WITNESSES: usize = 3;

/// What a hall knows of the time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Timekeeper {
    /// Milliseconds since 1970 that have certainly passed.
    floor: u64,
    /// What the clocks of neighbours showed when they greeted.
    heard: BTreeMap<HallId, Heard>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Heard {
    /// The hall above it: two halls under one superior may be set by the same hand.
    under: Option<HallId>,
    /// Its clock, less the ticks of this hall at that moment: this hall's ticks go on, whatever its wall clock does.
    offset: u64,
}

impl Timekeeper {
    /// What was known before this start.
    pub(crate) fn open(view: &dyn View, me: HallAt) -> Self {
        Self { floor: passed(view, me), heard: BTreeMap::new() }
    }

    /// A neighbour's clock shows `wall`; zero if it doubts it.
    pub(crate) fn heard(&mut self, from: HallId, under: Option<HallId>, wall: u64, now: Now) {
        let room = self.heard.len() < TIME_WITNESSES_MAX || self.heard.contains_key(&from);
        if wall == 0 {
            self.forget(from);
        } else if room {
            self.heard.insert(from, Heard { under, offset: wall.saturating_sub(now.ticks) });
        }
    }

    /// The line to a neighbour is down: what it showed ages with this machine's ticks, which stand still while it sleeps.
    pub(crate) fn forget(&mut self, hall: HallId) {
        self.heard.remove(&hall);
    }

    /// Whether this hall's clock is not to be believed.
    pub(crate) fn doubts(&self, now: Now) -> bool {
        if planted(Bug::ClockNeverDoubted) {
            return false;
        }
        let late = |least: u64| now.wall.saturating_add(CLOCK_OFF_MAX_MS) < least;
        let early = |most: u64| most.saturating_add(CLOCK_OFF_MAX_MS) < now.wall;
        let agreed = self.agreed(now.ticks);
        late(self.floor) || agreed.is_some_and(|(least, most)| late(least) || early(most))
    }

    /// The time to decide by: this hall's clock, or what it knows better.
    pub(crate) fn best(&self, now: Now) -> u64 {
        if !self.doubts(now) {
            return now.wall;
        }
        self.agreed(now.ticks).map_or(now.wall, |(least, _)| least).max(self.floor)
    }

    /// Keeps what three neighbours and this hall's own clock agree on to have passed.
    pub(crate) fn keep(&mut self, cx: &mut Cx<'_>) {
        let Some((least, _)) = self.agreed(cx.now.ticks).filter(|_| !self.doubts(cx.now)) else { return };
        if least >= self.floor.saturating_add(HIGH_WATER_STEP_MS) {
            self.floor = least;
            rows::write(cx, rows::meta("time"), &least);
        }
    }

    /// What three neighbours under different superiors say it is at least, and at most.
    fn agreed(&self, ticks: u64) -> Option<(u64, u64)> {
        let mut groups: BTreeMap<Option<HallId>, (u64, u64)> = BTreeMap::new();
        for heard in self.heard.values() {
            let (least, most) = groups.entry(heard.under).or_insert((heard.offset, heard.offset));
            (*least, *most) = ((*least).max(heard.offset), (*most).min(heard.offset));
        }
        let (mut least, mut most): (Vec<u64>, Vec<u64>) = groups.into_values().unzip();
        least.sort_unstable_by(|one, other| other.cmp(one));
        most.sort_unstable();
        let third = |offsets: &[u64]| offsets.get(WITNESSES.saturating_sub(1)).copied();
        Some((third(&least)?.saturating_add(ticks), third(&most)?.saturating_add(ticks)))
    }
}

/// Milliseconds since 1970 that have certainly passed, as the rows tell: the beginning of this hall's charter, and the
/// high-water time.
pub(crate) fn passed(view: &dyn View, me: HallAt) -> u64 {
    let kept: u64 = rows::read(view, &rows::meta("time")).unwrap_or(0);
    kept.max(Directory::new(view).chartered_from(me))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: u64 = 1_800_000_000_000;
    const HOUR: u64 = 3_600_000;

    fn hall(number: u64) -> HallId {
        HallId::from_u64(62_070_200_000_000_u64.saturating_add(number)).unwrap()
    }

    fn at(wall: u64) -> Now {
        Now { ticks: 1_000, wall }
    }

    /// Neighbours, each under another superior, whose clocks are so many milliseconds off at noon.
    fn with(offs: &[i64]) -> Timekeeper {
        let mut keeper = Timekeeper { floor: NOON - 1_000 * HOUR, heard: BTreeMap::new() };
        for (number, off) in (0..).zip(offs) {
            keeper.heard(
                hall(number),
                Some(hall(number.saturating_add(50))),
                NOON.saturating_add_signed(*off),
                at(NOON),
            );
        }
        keeper
    }

    #[test]
    fn a_clock_before_the_charter_is_doubted_by_a_hall_that_hears_nobody() {
        let alone = with(&[]);
        assert!(alone.doubts(at(NOON - 1_001 * HOUR)) && !alone.doubts(at(NOON)));
        assert_eq!(alone.best(at(0)), NOON - 1_000 * HOUR);
        assert!(!alone.doubts(at(NOON + 9_000 * HOUR)), "nothing tells it that it is ahead");
    }

    #[test]
    fn three_neighbours_bound_a_clock_from_both_sides() {
        let three = with(&[0, 60_000, -60_000]);
        assert!(!three.doubts(at(NOON + 20 * 60_000)) && !three.doubts(at(NOON - 20 * 60_000)));
        assert!(three.doubts(at(NOON + 2 * HOUR)) && three.doubts(at(NOON - 2 * HOUR)));
        assert!(!with(&[0, 0]).doubts(at(NOON + 2 * HOUR)), "two are too few");
        let later = Now { ticks: 1_000 + 5 * HOUR, wall: NOON };
        assert!(three.doubts(later), "its own ticks say that five hours have passed");
        assert_eq!(three.best(later), NOON + 5 * HOUR - 60_000);
    }

    #[test]
    fn two_wrong_clocks_do_not_make_a_right_one_doubtful() {
        let year = 365 * 24 * HOUR;
        let off = i64::try_from(year).unwrap();
        for wrong in [&[off, off], &[-off, -off], &[off, -off]] {
            let five = with(&[0, 0, 0, wrong[0], wrong[1]]);
            assert!(!five.doubts(at(NOON)), "{wrong:?}");
            assert!(five.doubts(at(NOON + year)) && five.doubts(at(NOON - year / 10)), "{wrong:?}");
        }
    }

    #[test]
    fn halls_under_one_superior_are_one_witness_and_one_in_doubt_is_none() {
        let mut keeper = with(&[0, 0]);
        keeper.heard(hall(7), Some(hall(50)), NOON, at(NOON));
        assert!(!keeper.doubts(at(NOON + 2 * HOUR)));
        keeper.heard(hall(8), None, NOON, at(NOON));
        assert!(keeper.doubts(at(NOON + 2 * HOUR)));
        keeper.heard(hall(8), None, 0, at(NOON));
        assert!(!keeper.doubts(at(NOON + 2 * HOUR)));
    }
}
