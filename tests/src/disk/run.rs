//! A run: cities at work, their disks cut at every point, every image opened and compared.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use hallmesh_protocol::chance::Chance;

use super::cut::{Cursor, Cut, below};
use super::failures::failures;
use super::history::{History, tables};
use super::life::{Bench, Life, Planted, Worker, Wrong, caught};
use super::recorder::Disk;
use super::report::Report;
use super::rot::{rot, subjects};
use super::work::{chance, histories};

/// The most images of one city; then comes another one, with other work.
const CITY_IMAGES_MAX: u64 = 20_000;
/// A draw gives one image, two or three: crashes of crashes.
const IMAGES_OF_FOUR_DRAWS: u64 = 7;
/// One of so many images is examined thoroughly.
const THOROUGH: u64 = 8;
/// One of so many commits comes after a restart.
const RESTART: u64 = 16;
/// How the work ends, as often as each is named.
const CUTS: [Cut; 6] = [Cut::Kill, Cut::Power, Cut::Power, Cut::Torn, Cut::Torn, Cut::Garbage];
/// The most commits after a crash, before the next one.
const MORE_MAX: usize = 3;
/// A crash of the life after a crash, and another one of the life after that.
const CRASHES_AGAIN: [&str; 2] = ["double", "triple"];
/// What went wrong is told for so many images; the rest is counted.
pub(super) const TOLD_MAX: usize = 5;

/// What to do.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How many images after crashes, at least.
    pub images: u64,
    /// How many files with one bit turned over.
    pub flips: u64,
    /// How many disks that fail.
    pub failures: u64,
    /// Everything but the time it takes follows from it.
    pub seed: u64,
    /// What to do wrong.
    pub planted: Planted,
}

/// What came of the images.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Cities whose work was recorded.
    pub cities: u64,
    /// Commits that were acknowledged, in first lives and in later ones.
    pub commits: u64,
    /// Points at which first lives could end.
    pub points: u64,
    /// The largest file.
    pub bytes: usize,
    /// Images by kind: how the work ended, or that it was a second or third crash.
    pub images: BTreeMap<&'static str, u64>,
    /// Images that were worked on further and checked page by page.
    pub thorough: u64,
    /// Images that lost an acknowledged commit.
    pub lost: u64,
    /// Images with rows of no state there ever was.
    pub mixed: u64,
    /// Images that did not open.
    pub unopenable: u64,
    /// Images in which redb's own check found something.
    pub unsound: u64,
    /// What went wrong, for the first few.
    pub told: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

impl Tally {
    /// All images.
    pub fn images(&self) -> u64 {
        self.images.values().sum()
    }

    /// Images that show what they must not.
    pub fn wrong(&self) -> u64 {
        self.lost + self.mixed + self.unopenable + self.unsound
    }

    fn count(&mut self, kind: &'static str, outcome: Result<(), Wrong>, place: &str) {
        *self.images.entry(kind).or_default() += 1;
        let Err(wrong) = outcome else { return };
        if self.told.len() < TOLD_MAX {
            self.told.push(format!("{kind} image {place}: {wrong:?}"));
        }
        match wrong {
            Wrong::Unopenable(_) => self.unopenable += 1,
            Wrong::Lost => self.lost += 1,
            Wrong::Mixed(_) => self.mixed += 1,
            Wrong::Unsound(_) => self.unsound += 1,
        }
    }
}

/// Makes and examines everything that is planned.
pub fn run(plan: Plan) -> Report {
    let (began, bench) = (Instant::now(), Bench::new());
    let mut report = Report { seed: plan.seed, images: images(&bench, plan), ..Report::default() };
    if plan.flips > 0 || plan.failures > 0 {
        rot_and_failures(&bench, plan, &mut report);
    }
    report.images.took = began.elapsed();
    report
}

fn rot_and_failures(bench: &Bench, plan: Plan, report: &mut Report) {
    let mut chance = chance(plan.seed ^ 2);
    let work = histories(plan.seed);
    match subjects(bench, &work, &mut chance) {
        Ok(subjects) => {
            (report.plain, report.checked) = rot(&subjects, plan.flips, &mut chance);
            report.failures = failures(&subjects, plan.failures, &mut chance);
        }
        Err(wrong) => report.images.count("restart", Err(wrong), "without a crash"),
    }
}

fn images(bench: &Bench, plan: Plan) -> Tally {
    let mut tally = Tally::default();
    // After a city in which something went wrong, another one would not say more.
    while tally.images() < plan.images && tally.wrong() == 0 {
        let seed = plan.seed.wrapping_add(tally.cities << 32);
        let wanted = (plan.images - tally.images()).min(CITY_IMAGES_MAX);
        let work = histories(seed);
        every_table_is_written(&work);
        let draws = wanted * 4 / IMAGES_OF_FOUR_DRAWS + 1;
        let mut city = City { bench, planted: plan.planted, chance: chance(seed ^ 1), tally: &mut tally };
        city.examine(&work, draws);
        tally.cities += 1;
    }
    tally
}

/// Tables that need a reading of long lists, the end of a life, a late log, a stick, a bundle, a rollback or a copied machine,
/// which the work here does not have: read so far, fenced, orphan, parcel, task, watched, rolled back, twin. Their rows are written in the
/// same commits as others.
const NOT_WORKED: [u8; 9] = [0x16, 0x2e, 0x2f, 0x35, 0x38, 0x39, 0x3a, 0x57, 0x58];

/// The check is worth something only for rows that are there.
fn every_table_is_written(work: &[History]) {
    let written: BTreeSet<u8> = work.iter().flat_map(History::tables).collect();
    let wanted: BTreeSet<u8> = tables().into_iter().filter(|table| !NOT_WORKED.contains(table)).collect();
    assert_eq!(written, wanted, "the work writes every table of the key space");
    assert!(work.iter().all(|history| history.removals() > 0), "every hall removes rows, too");
}

struct City<'a> {
    planted: Planted,
    bench: &'a Bench,
    chance: Chance,
    tally: &'a mut Tally,
}

impl<'a> City<'a> {
    fn examine(&mut self, work: &'a [History], draws: u64) {
        let lives: Vec<_> = work.iter().filter_map(|history| self.first_life(history)).collect();
        let points: u64 = lives.iter().map(|(_, life)| life.points()).sum();
        self.tally.points += points;
        for (hall, (worker, life)) in lives.iter().enumerate() {
            self.tally.commits += life.commits();
            self.tally.bytes = self.tally.bytes.max(Disk::after(life.tape.clone()).image().len());
            let draws = (draws * life.points()).div_ceil(points);
            let mut cursor = Cursor::new(&life.tape);
            for draw in 0..draws {
                // From the first point to the last, evenly: every one of them if there are as many draws.
                let point = usize::try_from(draw * life.points() / draws).unwrap();
                let cut = self.any_cut();
                let disk = cursor.cut(point, cut, &mut self.chance);
                let place = format!("of city {}, hall {hall}, point {point}", self.tally.cities);
                self.follow(worker, (disk, life.allowed(point)), cut, &place);
            }
        }
    }

    fn first_life(&mut self, history: &'a History) -> Option<(Worker<'a>, Life)> {
        let worker = Worker { bench: self.bench, history, planted: self.planted };
        let restarts: Vec<usize> = (1..=history.last()).filter(|_| self.chance.below(RESTART) == 0).collect();
        match whole(|| worker.first_life(history.last(), &restarts)) {
            Ok(life) => Some((worker, life)),
            Err(wrong) => {
                self.tally.count("restart", Err(wrong), "without a crash");
                None
            }
        }
    }

    /// Examines an image, or goes on working on it until the next crash, up to the third.
    fn follow(
        &mut self,
        worker: &Worker<'_>,
        (mut disk, mut allowed): (Disk, RangeInclusive<usize>),
        cut: Cut,
        place: &str,
    ) {
        let crashes = [1, 1, 2, 3][below(&mut self.chance, 4)];
        let mut kind = cut.word();
        for again in CRASHES_AGAIN.into_iter().take(crashes - 1) {
            let more = below(&mut self.chance, MORE_MAX);
            let life = match whole(|| worker.live(&disk, allowed, more, &[])) {
                Ok(life) => life,
                Err(wrong) => return self.tally.count(kind, Err(wrong), place),
            };
            self.tally.count(kind, Ok(()), place);
            self.tally.commits += life.commits();
            let point = life.begun + below(&mut self.chance, life.tape.asked.len() - life.begun + 1);
            let cut = self.any_cut();
            disk = Cursor::new(&life.tape).cut(point, cut, &mut self.chance);
            (allowed, kind) = (life.allowed(point), again);
        }
        let thoroughly = self.chance.below(THOROUGH) == 0;
        self.tally.thorough += u64::from(thoroughly);
        let outcome = whole(|| worker.examine(&disk, allowed, thoroughly));
        self.tally.count(kind, outcome, place);
    }

    fn any_cut(&mut self) -> Cut {
        CUTS[below(&mut self.chance, CUTS.len())]
    }
}

/// A store that panics, or leaves a reader in the lurch, is as good as one that does not open.
fn whole<T>(act: impl FnOnce() -> Result<T, Wrong>) -> Result<T, Wrong> {
    caught(act).unwrap_or_else(|panicked| Err(Wrong::Unopenable(panicked)))
}
