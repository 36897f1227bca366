//! Whether this hall may believe its own clock (design section 8).
//!
//! A machine's clock may have lost its battery, or somebody has set it wrong; a case received then would be dated years ago,
//! and every limit counted from there. Nobody has a right clock by authority: a hall believes its own unless it knows better.
//!
//! - Time has passed up to the day on which its charter begins, which the hall above has signed; up to what neighbours
//!   under three superiors and its own clock have shown together for hours (the *high-water time*, kept on disk); and by what
//!   its own ticks have counted since. Should all of them have been wrong, what they show together for as long later counts.
//! - While lines to neighbours under three superiors are up, what most of these show, and three at least, bounds this hall's
//!   clock from both sides: fewer wrong clocks among them than right ones move nothing.
//!
//! What it is told about cases moves nothing here. A hall in doubt goes on working by the time that its neighbours show; where
//! nobody shows it any, by what has passed, and its events say that their time is suspect. Either way it bears no witness about
//! the time, unless nothing but its high-water time speaks against its clock.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::directory::Directory;
use crate::ids::{HallAt, HallId};
use crate::limits::{CLOCK_OFF_MAX_MS, HIGH_WATER_HOLD_MS, HIGH_WATER_STEP_MS, TIME_WITNESSES_MAX};
use crate::planted::{Bug, planted};
use crate::rows;
use crate::step::{Cx, Faith, Now, View};

/// Neighbours, each under another superior, whose clocks are believed together.
const WITNESSES: usize = 3;

/// Superiors of one branch that are heard each by itself. A hall may have as many halls below it as it likes: the others of its
/// branch are one voice together.
const OF_ONE_BRANCH: usize = 2;

/// The hall above a neighbour, after the one below the top in whose branch it is; none for who is at the top.
pub(crate) type Voice = Option<(HallId, HallId)>;

/// A clock heard anew is taken up where it moved by more than this, in milliseconds: quartz drifts all the time.
const DRIFT_MS: u64 = 1_000;

/// What a hall knows of the time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Timekeeper {
    /// Milliseconds since 1970 at which its charter begins.
    chartered: u64,
    /// Milliseconds since 1970 that had passed when the ticks were `floor_at`; none before the first step.
    floor: u64,
    floor_at: Option<u64>,
    /// What the clocks of neighbours show.
    heard: BTreeMap<HallId, Heard>,
    /// What most of them say it was when this hall's ticks were zero, at least and at most.
    agreed: Option<(u64, u64)>,
    /// Ticks since which they and this hall's own clock have agreed without a break.
    in_step: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Heard {
    /// Two halls under one superior may be set by the same hand.
    voice: Voice,
    /// Its clock, less the ticks of this hall at that moment: this hall's ticks go on, whatever its wall clock does.
    offset: u64,
}

impl Timekeeper {
    /// What was known before this start.
    pub(crate) fn open(view: &dyn View, me: HallAt) -> Self {
        let chartered = Directory::new(view).chartered_from(me);
        let kept: u64 = rows::read(view, &rows::meta("time")).unwrap_or(0);
        let floor = kept.max(chartered);
        Self { chartered, floor, floor_at: None, heard: BTreeMap::new(), agreed: None, in_step: None }
    }

    /// The time to work by, from what this machine shows.
    pub(crate) fn settle(&mut self, shown: Now) -> Settled {
        self.floor_at.get_or_insert(shown.ticks);
        let agreed = self.agreed_at(shown.ticks);
        let in_step = agreed.is_some_and(|agreed| fits(shown.wall, agreed));
        self.in_step = in_step.then(|| self.in_step.unwrap_or(shown.ticks));
        let passed = self.passed(shown.ticks);
        let off = agreed.is_some() && !in_step;
        let believed = planted(Bug::ClockNeverDoubted) || !off && !is_behind(shown.wall, passed);
        let (wall, faith) = match agreed {
            _ if believed => (shown.wall, Faith::Believed),
            Some((least, most)) if !is_behind(most, passed) => {
                (shown.wall.clamp(least, most).max(passed), Faith::Told)
            }
            Some(_) | None => (passed, Faith::Suspect),
        };
        let witness = believed || !off && !is_behind(shown.wall, self.chartered);
        Settled { now: Now { wall, ..shown }, faith, shows: if witness { shown.wall } else { 0 } }
    }

    /// A neighbour's clock shows `wall`; zero if it doubts it. It holds until it shows another, or the line goes down.
    pub(crate) fn heard(&mut self, from: HallId, voice: Voice, wall: u64, ticks: u64) {
        if wall == 0 {
            return self.forget(from);
        }
        let heard = Heard { voice, offset: wall.saturating_sub(ticks) };
        let known = self.heard.get(&from);
        let moved = known.is_none_or(|it| it.voice != voice || it.offset.abs_diff(heard.offset) > DRIFT_MS);
        if moved && (known.is_some() || self.heard.len() < TIME_WITNESSES_MAX) {
            self.heard.insert(from, heard);
            self.agreed = agreement(&self.heard);
        }
    }

    /// The line to a neighbour is down: what it showed ages with this machine's ticks, which stand still while it sleeps.
    pub(crate) fn forget(&mut self, hall: HallId) {
        if self.heard.remove(&hall).is_some() {
            self.agreed = agreement(&self.heard);
        }
    }

    /// Keeps on disk what has passed, now and then.
    pub(crate) fn keep(&mut self, cx: &mut Cx<'_>) {
        let ticks = cx.now.ticks;
        let held = self.in_step.is_some_and(|since| ticks.saturating_sub(since) >= HIGH_WATER_HOLD_MS);
        let shown = self.agreed_at(ticks).filter(|_| held).map(|(least, _)| least.max(self.chartered));
        let passed = self.passed(ticks);
        let found = match shown {
            Some(shown) if is_behind(shown, passed) => shown,
            Some(shown) => passed.max(shown),
            None => passed,
        };
        if found < passed || found >= self.floor.saturating_add(HIGH_WATER_STEP_MS) {
            (self.floor, self.floor_at) = (found, Some(ticks));
            rows::write(cx, rows::meta("time"), &found);
        }
    }

    /// Milliseconds since 1970 that have passed.
    fn passed(&self, ticks: u64) -> u64 {
        self.floor.saturating_add(ticks.saturating_sub(self.floor_at.unwrap_or(ticks)))
    }

    fn agreed_at(&self, ticks: u64) -> Option<(u64, u64)> {
        self.agreed.map(|(least, most)| (least.saturating_add(ticks), most.saturating_add(ticks)))
    }
}

/// The time to work by.
pub(crate) struct Settled {
    pub(crate) now: Now,
    pub(crate) faith: Faith,
    /// What neighbours are told that this machine's clock shows; zero in doubt.
    pub(crate) shows: u64,
}

fn is_behind(wall: u64, least: u64) -> bool {
    wall.saturating_add(CLOCK_OFF_MAX_MS) < least
}

fn fits(wall: u64, (least, most): (u64, u64)) -> bool {
    !is_behind(wall, least) && !is_behind(most, wall)
}

/// What most neighbours say it was when this hall's ticks were zero, at least and at most; those under one superior are one
/// voice, which says no more than all of them do.
fn agreement(heard: &BTreeMap<HallId, Heard>) -> Option<(u64, u64)> {
    let mut superiors: BTreeMap<Voice, (u64, u64)> = BTreeMap::new();
    for heard in heard.values() {
        join(
            superiors.entry(heard.voice).or_insert((heard.offset, heard.offset)),
            (heard.offset, heard.offset),
        );
    }
    let mut voices: Vec<(Option<HallId>, (u64, u64))> = Vec::new();
    for (voice, said) in superiors {
        let branch = voice.map(|(branch, _)| branch);
        let of_branch = voices.iter().filter(|(of, _)| *of == branch).count();
        match voices.last_mut().filter(|_| of_branch >= OF_ONE_BRANCH) {
            Some((_, together)) => join(together, said),
            None => voices.push((branch, said)),
        }
    }
    let (mut least, mut most): (Vec<u64>, Vec<u64>) = voices.into_iter().map(|(_, said)| said).unzip();
    least.sort_unstable_by(|one, other| other.cmp(one));
    most.sort_unstable();
    let needed = WITNESSES.max((least.len() / 2).saturating_add(1));
    let by_so_many = |offsets: &[u64]| offsets.get(needed.saturating_sub(1)).copied();
    Some((by_so_many(&least)?, by_so_many(&most)?))
}

fn join((least, most): &mut (u64, u64), other: (u64, u64)) {
    (*least, *most) = ((*least).min(other.0), (*most).max(other.1));
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: u64 = 1_800_000_000_000;
    const HOUR: u64 = 3_600_000;
    const TICKS: u64 = 1_000;

    struct Nothing;

    impl View for Nothing {
        fn get(&self, _: &[u8]) -> Option<crate::step::Bytes> {
            None
        }

        fn scan(&self, _: &[u8], _: &[u8], _: &mut dyn FnMut(&[u8], &[u8]) -> bool) {}
    }

    fn hall(number: u64) -> HallId {
        HallId::from_u64(62_070_200_000_000_u64.saturating_add(number)).unwrap()
    }

    fn at(wall: u64) -> Now {
        Now { ticks: TICKS, wall }
    }

    /// Neighbours, each under another superior, whose clocks are so many milliseconds off at noon.
    fn with(offs: &[i64]) -> Timekeeper {
        let floor = NOON - 1_000 * HOUR;
        let (chartered, heard) = (floor - 9_000 * HOUR, BTreeMap::new());
        let mut keeper = Timekeeper { chartered, floor, floor_at: None, heard, agreed: None, in_step: None };
        for (number, off) in (0..).zip(offs) {
            shows(&mut keeper, number, number.saturating_add(50), NOON.saturating_add_signed(*off));
        }
        keeper
    }

    fn shows(keeper: &mut Timekeeper, number: u64, under: u64, wall: u64) {
        keeper.heard(hall(number), Some((hall(under), hall(under))), wall, TICKS);
    }

    fn doubts(keeper: &Timekeeper, now: Now) -> bool {
        keeper.clone().settle(now).faith != Faith::Believed
    }

    fn best(keeper: &Timekeeper, now: Now) -> (u64, Faith) {
        let settled = keeper.clone().settle(now);
        (settled.now.wall, settled.faith)
    }

    /// Keeps what there is to keep after so many hours with a right clock, or one that is off by so much.
    fn hours(keeper: &mut Timekeeper, hours: u64, off: i64) -> Settled {
        let (rows, mut effects) = (Nothing, crate::step::Effects::default());
        let mut settled = keeper.settle(at(NOON.saturating_add_signed(off)));
        for hour in 0..=hours {
            let passed = hour.saturating_mul(HOUR);
            let now = Now {
                ticks: TICKS.saturating_add(passed),
                wall: NOON.saturating_add(passed).saturating_add_signed(off),
            };
            settled = keeper.settle(now);
            keeper.keep(&mut Cx::new(settled.now, &rows, &mut effects));
        }
        settled
    }

    #[test]
    fn a_clock_behind_what_has_passed_is_doubted_by_a_hall_that_hears_nobody() {
        let mut alone = with(&[]);
        assert!(doubts(&alone, at(NOON - 1_001 * HOUR)) && !doubts(&alone, at(NOON)));
        assert!(!doubts(&alone, at(NOON + 9_000 * HOUR)), "nothing tells it that it is ahead");
        assert_eq!(best(&alone, at(0)), (NOON - 1_000 * HOUR, Faith::Suspect));
        alone.settle(at(0));
        let later = Now { ticks: TICKS + 30 * HOUR, wall: 0 };
        assert_eq!(best(&alone, later), (NOON - 970 * HOUR, Faith::Suspect), "time does not stand still");
    }

    #[test]
    fn three_neighbours_bound_a_clock_from_both_sides() {
        let three = with(&[0, 60_000, -60_000]);
        assert!(!doubts(&three, at(NOON + 20 * 60_000)) && !doubts(&three, at(NOON - 20 * 60_000)));
        assert!(doubts(&three, at(NOON + 2 * HOUR)) && doubts(&three, at(NOON - 2 * HOUR)));
        assert!(!doubts(&with(&[0, 0]), at(NOON + 2 * HOUR)), "two are too few");
        let later = Now { ticks: TICKS + 5 * HOUR, wall: NOON };
        assert!(doubts(&three, later), "its own ticks say that five hours have passed");
        assert_eq!(best(&three, later), (NOON + 5 * HOUR - 60_000, Faith::Told));
        assert_eq!(best(&three, at(NOON + 99 * HOUR)), (NOON + 60_000, Faith::Told));
    }

    #[test]
    fn fewer_wrong_clocks_than_right_ones_move_nothing() {
        let year = 365 * 24 * HOUR;
        let off = i64::try_from(year).unwrap();
        for wrong in [off, -off] {
            let five = with(&[0, 0, 0, wrong, wrong]);
            assert!(!doubts(&five, at(NOON)), "{wrong:?}");
            assert!(doubts(&five, at(NOON + year)) && doubts(&five, at(NOON - year / 10)), "{wrong:?}");
            let twelve = with(&[wrong, wrong, wrong, wrong, wrong, 0, 0, 0, 0, 0, 0, 0]);
            assert!(!doubts(&twelve, at(NOON)), "{wrong:?}");
            assert_eq!(best(&twelve, at(NOON + year)).0, NOON, "{wrong:?}");
        }
        assert!(!doubts(&with(&[0, 0, off, off]), at(NOON)), "half and half say nothing");
    }

    #[test]
    fn halls_under_one_superior_are_one_witness_and_one_in_doubt_is_none() {
        let mut keeper = with(&[0, 0]);
        shows(&mut keeper, 7, 50, NOON);
        assert!(!doubts(&keeper, at(NOON + 2 * HOUR)));
        shows(&mut keeper, 8, 99, NOON);
        assert!(doubts(&keeper, at(NOON + 2 * HOUR)));
        shows(&mut keeper, 9, 99, NOON + 3 * HOUR);
        assert!(!doubts(&keeper, at(NOON + 2 * HOUR)), "two under one superior that differ say less");
        shows(&mut keeper, 9, 99, 0);
        shows(&mut keeper, 8, 99, 0);
        assert!(!doubts(&keeper, at(NOON + 2 * HOUR)));
    }

    #[test]
    fn as_many_halls_as_one_county_charters_are_two_voices() {
        let ahead = NOON + 40_000 * HOUR;
        let mut keeper = with(&[0, 0, 0]);
        for number in 10..40 {
            keeper.heard(hall(number), Some((hall(99), hall(number.saturating_add(50)))), ahead, TICKS);
        }
        assert!(!doubts(&keeper, at(NOON)));
        assert_eq!(best(&keeper, at(ahead)), (NOON, Faith::Told));
    }

    #[test]
    fn a_clock_that_is_set_right_counts_at_once() {
        let behind = -i64::try_from(4 * HOUR).unwrap();
        let mut keeper = with(&[behind, behind, behind]);
        assert!(doubts(&keeper, at(NOON)));
        for number in 0..3 {
            shows(&mut keeper, number, number + 50, NOON);
        }
        assert!(!doubts(&keeper, at(NOON)));
    }

    #[test]
    fn the_high_water_time_rises_and_falls_with_what_was_shown_together_for_hours() {
        let year = 365 * 24 * HOUR;
        let ahead = i64::try_from(year).unwrap();
        let mut keeper = with(&[ahead, ahead, ahead]);
        hours(&mut keeper, 5, ahead);
        assert!(!is_behind(NOON, keeper.floor), "not at once");
        hours(&mut keeper, 7, ahead);
        assert!(keeper.floor > NOON + year - HOUR);
        for number in 0..3 {
            shows(&mut keeper, number, number + 50, NOON);
        }
        let early = hours(&mut keeper, 5, 0);
        assert_eq!(
            (early.faith, early.shows),
            (Faith::Suspect, NOON + 5 * HOUR),
            "and still shows its clock"
        );
        assert_eq!(hours(&mut keeper, 8, 0).faith, Faith::Believed);
        assert!(keeper.floor <= NOON + 9 * HOUR);
    }

    #[test]
    fn what_nobody_shows_moves_the_high_water_time_by_ticks_alone() {
        let mut alone = with(&[]);
        hours(&mut alone, 10, 0);
        assert_eq!(alone.floor, NOON - 990 * HOUR);
    }
}
