//! How changes of directory and lists spread: for each change, when each hall held it, or one that takes its place.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use hallmesh_protocol::ids::{HallId, Tier};
use hallmesh_protocol::record::{Issuer, Record, decode_records};
use hallmesh_protocol::step::{Bytes, View};

use crate::station::Seat;

/// The table of records in force: see the key space in `hallmesh_protocol::rows`.
const RECORD: u8 = 0x10;
/// Changes that are followed; more are only counted.
const CHANGES_MAX: usize = 2_000;
/// Parts of all halls for which it is known how long it took to reach them.
const PERCENT: u64 = 100;

/// What decides which of two records under one key stands in the end, the greater one prevailing: the root's before any
/// hall's and a higher hall's before a lower one's, then the version, then the smaller hash. Written apart from the
/// product's own order.
type Rank = (Reverse<Option<(Tier, HallId)>>, u32, Reverse<[u8; 32]>);

/// How long it took to reach a part of the halls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Until {
    /// With the change in the middle, in milliseconds; none if it has not reached so many.
    pub middle: Option<u64>,
    /// With the slowest change; none if some change has not reached so many.
    pub slowest: Option<u64>,
}

/// All changes of a run.
#[derive(Debug, Default)]
pub struct Spread {
    /// Of each hall.
    tiers: Vec<Tier>,
    /// What prevails under each key.
    newest: BTreeMap<Vec<u8>, Rank>,
    changes: Vec<Change>,
    /// Changes under each key that some hall does not hold yet.
    spreading: BTreeMap<Vec<u8>, Vec<usize>>,
    left_out: u64,
}

#[derive(Debug)]
struct Change {
    born: u64,
    rank: Rank,
    /// After how many milliseconds each hall first held it.
    after: Vec<Option<u64>>,
    /// Halls that never held it.
    missing: usize,
    /// Halls that held it and have not lost their disk since; only kept as long as some hall is missing.
    holders: BTreeSet<Seat>,
}

impl Spread {
    /// Among halls of these tiers.
    pub fn among(tiers: Vec<Tier>) -> Self {
        Self { tiers, ..Self::default() }
    }

    /// What every hall holds from the start is no change.
    pub fn founded(&mut self, disk: &dyn View) {
        disk.scan(&[RECORD], &[], &mut |key, row| {
            if let Some(rank) = rank(row) {
                self.newest.insert(key.to_vec(), rank);
            }
            true
        });
    }

    /// A hall writes a row.
    pub fn written(&mut self, at: u64, seat: Seat, key: &[u8], row: &[u8]) {
        if key.first() == Some(&RECORD)
            && let Some(rank) = rank(row)
        {
            self.held(at, seat, key, rank);
        }
    }

    /// A hall has another disk: what it held is gone, what is on that one it holds.
    pub fn replaced(&mut self, at: u64, seat: Seat, disk: &dyn View) {
        for index in self.spreading.values().flatten() {
            if let Some(change) = self.changes.get_mut(*index) {
                change.holders.remove(&seat);
            }
        }
        disk.scan(&[RECORD], &[], &mut |key, row| {
            self.written(at, seat, key, row);
            true
        });
    }

    /// Changes that were followed.
    pub fn changes(&self) -> usize {
        self.changes.len()
    }

    /// Changes that were not, because there were too many.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Changes that went with the disks of the only halls that held them.
    pub fn lost(&self) -> usize {
        self.changes.len().saturating_sub(self.alive().count())
    }

    /// After how many milliseconds each of the living halls held the last change; those that never did are left out.
    pub(crate) fn times_of_last(&self, living: &[Option<Tier>]) -> Vec<u64> {
        let after = self.changes.last().map(|change| change.after.as_slice()).unwrap_or_default();
        let of_living = living.iter().zip(after).filter(|(tier, _)| tier.is_some());
        of_living.filter_map(|(_, after)| *after).collect()
    }

    /// The row of the last change, on a disk that holds it.
    pub(crate) fn last_row(&self, disk: &dyn View) -> Option<Bytes> {
        let rank = self.changes.last()?.rank;
        let (key, _) = self.newest.iter().find(|(_, newest)| **newest == rank)?;
        disk.get(key)
    }

    /// Halls of a tier.
    pub fn halls(&self, tier: Tier) -> usize {
        self.tiers.iter().filter(|it| **it == tier).count()
    }

    /// How long it took to reach each part of a tier's halls, from none to a hundred percent; nothing if there is no
    /// such hall or was no change.
    pub fn curve(&self, tier: Tier) -> Vec<Until> {
        let halls = self.halls(tier);
        let reached: Vec<_> = self.alive().map(|change| self.reached(change, tier)).collect();
        if halls == 0 || reached.is_empty() {
            return Vec::new();
        }
        (0..=PERCENT).map(|percent| until(&reached, share(halls, percent))).collect()
    }

    /// Of a tier's halls and all changes, how many never met.
    pub fn missed(&self, tier: Tier) -> usize {
        let reached = self.alive().map(|change| self.reached(change, tier).len());
        reached.map(|reached| self.halls(tier).saturating_sub(reached)).sum()
    }

    /// Changes that some hall holds.
    fn alive(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| !change.holders.is_empty())
    }

    /// After how long each hall of a tier held a change, shortest first; halls that never did are left out.
    fn reached(&self, change: &Change, tier: Tier) -> Vec<u64> {
        let of_tier = self.tiers.iter().zip(&change.after).filter(|(it, _)| **it == tier);
        let mut reached: Vec<u64> = of_tier.filter_map(|(_, after)| *after).collect();
        reached.sort_unstable();
        reached
    }

    /// A hall holds this under a key. Whatever it prevails over has reached that hall as well.
    fn held(&mut self, at: u64, seat: Seat, key: &[u8], rank: Rank) {
        if self.newest.get(key).is_none_or(|newest| *newest < rank) {
            self.newest.insert(key.to_vec(), rank);
            self.begins(at, key, rank);
        }
        let Some(spreading) = self.spreading.get_mut(key) else { return };
        spreading.retain(|index| {
            let Some(change) = self.changes.get_mut(*index) else { return false };
            if change.rank <= rank {
                change.reaches(at, seat);
            }
            change.missing > 0
        });
    }

    fn begins(&mut self, at: u64, key: &[u8], rank: Rank) {
        if self.changes.len() >= CHANGES_MAX {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        self.spreading.entry(key.to_vec()).or_default().push(self.changes.len());
        let halls = self.tiers.len();
        self.changes.push(Change {
            born: at,
            rank,
            after: vec![None; halls],
            missing: halls,
            holders: BTreeSet::new(),
        });
    }
}

impl Change {
    fn reaches(&mut self, at: u64, seat: Seat) {
        self.holders.insert(seat);
        if let Some(after) = self.after.get_mut(seat).filter(|after| after.is_none()) {
            *after = Some(at.saturating_sub(self.born));
            self.missing = self.missing.saturating_sub(1);
        }
    }
}

/// How many of the halls are so many percent of them: the next whole number, one at the least.
fn share(halls: usize, percent: u64) -> usize {
    let halls = u64::try_from(halls).unwrap_or(u64::MAX);
    let share = halls.saturating_mul(percent).div_ceil(PERCENT).max(1);
    usize::try_from(share).unwrap_or(usize::MAX)
}

/// When so many halls were reached, over all changes.
fn until(reached: &[Vec<u64>], halls: usize) -> Until {
    let last = halls.saturating_sub(1);
    let mut times: Vec<_> = reached.iter().filter_map(|reached| reached.get(last).copied()).collect();
    times.sort_unstable();
    let middle = times.get(reached.len().saturating_sub(1) / 2).copied();
    let slowest = times.last().copied().filter(|_| times.len() == reached.len());
    Until { middle, slowest }
}

/// The rank of the record in a row; none if the row holds none.
fn rank(row: &[u8]) -> Option<Rank> {
    // A row is a version and the record. So is a list of one, with its length between them.
    let (version, signed) = row.split_first()?;
    let list = [&[*version], 1_u64.to_le_bytes().as_slice(), signed].concat();
    let record: Record = decode_records(&list).ok()?.first()?.peek().ok()?;
    let issuer = match record.issuer {
        Issuer::Root => None,
        Issuer::Hall(at) => Some((at.hall.tier(), at.hall)),
    };
    Some((Reverse(issuer), record.version, Reverse(*blake3::hash(row).as_bytes())))
}

#[cfg(test)]
mod tests {
    use hallmesh_protocol::chance::Chance;

    use super::*;
    use crate::city::{City, made_up};
    use crate::disk::Disk;

    const KEY: &[u8] = b"\x10\x02matter/a";

    fn version(version: u32) -> Rank {
        (Reverse(None), version, Reverse([0; 32]))
    }

    /// One hall of the city and four villages; one change, seen after 0, 10, 20, 30 and 400 milliseconds.
    fn one_change() -> Spread {
        let village = Tier::Village;
        let mut spread = Spread::among(vec![Tier::City, village, village, village, village]);
        for (seat, at) in [(0, 100), (2, 110), (1, 120), (3, 130), (3, 200), (4, 500)] {
            spread.held(at, seat, KEY, version(2));
        }
        spread
    }

    fn of(spread: &Spread, percent: usize) -> (Option<u64>, Option<u64>) {
        let curve = spread.curve(Tier::Village);
        (curve[percent].middle, curve[percent].slowest)
    }

    #[test]
    fn one_change_gives_the_times_of_its_halls() {
        let spread = one_change();
        assert_eq!((spread.changes(), spread.missed(Tier::Village)), (1, 0));
        let times = [1, 25, 26, 50, 75, 76, 99, 100].map(|percent| of(&spread, percent).0);
        assert_eq!(times, [10, 10, 20, 20, 30, 400, 400, 400].map(Some));
        assert_eq!(spread.curve(Tier::City).last().expect("a curve").slowest, Some(0));
        assert!(spread.curve(Tier::County).is_empty());
    }

    #[test]
    fn of_many_changes_the_middle_and_the_slowest_are_told() {
        let mut spread = one_change();
        for (change, delay) in (3_u32..).zip([1_000, 2_000]) {
            spread.held(0, 0, KEY, version(change));
            (1..=4).for_each(|seat| spread.held(delay, seat, KEY, version(change)));
        }
        assert_eq!(spread.changes(), 3);
        assert_eq!(of(&spread, 50), (Some(1_000), Some(2_000)));
        assert_eq!(of(&spread, 100), (Some(1_000), Some(2_000)));
    }

    #[test]
    fn a_hall_that_no_change_reaches_shows() {
        let mut spread = one_change();
        spread.held(600, 0, KEY, version(3));
        (1..=3).for_each(|seat| spread.held(700, seat, KEY, version(3)));
        assert_eq!(of(&spread, 75), (Some(30), Some(100)));
        assert_eq!(of(&spread, 100), (Some(400), None));
        assert_eq!(spread.missed(Tier::Village), 1);
    }

    #[test]
    fn whoever_holds_a_later_change_is_reached_by_the_earlier_one() {
        let mut spread = Spread::among(vec![Tier::City, Tier::Village]);
        spread.held(100, 0, KEY, version(2));
        spread.held(150, 0, KEY, version(3));
        spread.held(190, 1, KEY, version(3));
        spread.held(195, 1, KEY, version(1));
        let times: Vec<_> = spread.changes.iter().map(|change| change.after[1]).collect();
        assert_eq!(times, [Some(90), Some(40)]);
    }

    #[test]
    fn a_change_may_go_with_the_last_disk_that_holds_it() {
        let mut spread = Spread::among(vec![Tier::Village, Tier::Village, Tier::Village]);
        spread.held(100, 0, KEY, version(2));
        spread.held(110, 1, KEY, version(2));
        spread.replaced(120, 1, &Disk::empty());
        assert_eq!((of(&spread, 50), spread.lost()), ((Some(10), Some(10)), 0));
        spread.replaced(200, 0, &Disk::empty());
        assert_eq!((spread.lost(), spread.missed(Tier::Village)), (1, 0));
        assert!(spread.curve(Tier::Village).is_empty());
        spread.held(210, 2, KEY, version(2));
        assert_eq!((of(&spread, 100), spread.lost()), ((Some(110), Some(110)), 0), "it was still under way");
    }

    #[test]
    fn what_a_higher_hall_states_prevails_and_what_never_stands_is_no_change() {
        let hall = |code: &str| HallId::main(code.parse().expect("a code"));
        let by = |hall: HallId, version| (Reverse(Some((hall.tier(), hall))), version, Reverse([0; 32]));
        let (city, county) = (hall("620700000000"), hall("620702000000"));
        let mut spread = Spread::among(vec![Tier::City, Tier::County]);
        spread.held(10, 0, KEY, by(city, 2));
        spread.held(20, 1, KEY, by(county, 9));
        assert_eq!((spread.changes(), spread.missed(Tier::County)), (1, 1));
        spread.held(30, 1, KEY, version(1));
        assert_eq!((spread.changes(), spread.missed(Tier::County)), (2, 0));
    }

    #[test]
    fn rows_of_a_disk_have_ranks_and_what_was_founded_is_no_change() {
        let (_, disks) = City::found(&made_up(1, 1, 1), &mut Chance::from_seed([1; 32])).expect("a city");
        let disk = disks.first().expect("a disk");
        let mut spread = Spread::among(vec![Tier::City]);
        spread.replaced(1, 0, disk);
        assert!(spread.changes() > 10, "a new hall of an unknown city brings everything");
        let mut spread = Spread::among(vec![Tier::City]);
        spread.founded(disk);
        spread.replaced(1, 0, disk);
        assert_eq!(spread.changes(), 0);
    }

    #[test]
    fn changes_beyond_the_bound_are_counted() {
        let mut spread = Spread::among(vec![Tier::City]);
        for change in 1..2_003 {
            spread.held(0, 0, KEY, version(change));
        }
        assert_eq!((spread.changes(), spread.left_out()), (CHANGES_MAX, 2));
    }
}
