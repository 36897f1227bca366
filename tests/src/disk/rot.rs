//! Disks that rot: one bit of the file turned over. A read gives the row that was written, or stops.
//!
//! The check in front of every stored row, the order of rows, and a look at the neighbours where one is said to be
//! absent find all but one bit in tens of thousands: one in redb's own structure, after which a page seems to hold
//! fewer rows, or stands for an older one. A start that looks at every page finds that, too; so every file is
//! opened in both ways.

use std::collections::BTreeSet;
use std::iter;
use std::ops::AddAssign;

use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::step::{View, Writes};

use super::cut::{Cursor, Cut, below};
use super::history::{History, Rows};
use super::image::Image;
use super::life::{Bench, Life, Planted, Worker, Wrong, caught};
use super::recorder::{Disk, Temper};

/// What became of altered files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rot {
    /// The store did not open.
    pub refused: u64,
    /// A read stopped.
    pub stopped: u64,
    /// All rows were read as they were written.
    pub harmless: u64,
    /// A row was said to be absent that is not, or was read as it once was.
    pub overlooked: u64,
    /// A row was read that nobody ever wrote there.
    pub wrong: u64,
}

impl Rot {
    /// All altered files.
    pub fn files(&self) -> u64 {
        self.refused + self.stopped + self.harmless + self.overlooked + self.wrong
    }
}

impl AddAssign<Outcome> for Rot {
    fn add_assign(&mut self, outcome: Outcome) {
        let count = match outcome {
            Outcome::Refused => &mut self.refused,
            Outcome::Stopped => &mut self.stopped,
            Outcome::Harmless => &mut self.harmless,
            Outcome::Overlooked => &mut self.overlooked,
            Outcome::Wrong => &mut self.wrong,
        };
        *count += 1;
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Harmless,
    Overlooked,
    Wrong,
    Stopped,
    Refused,
}

/// A file and the rows that are in it for sure.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    pub(super) worker: Worker<'a>,
    pub(super) disk: Disk,
    pub(super) state: usize,
}

/// The files of all halls: closed in the middle of their work, and left by a kill after some commit.
pub(super) fn subjects<'a>(
    bench: &'a Bench,
    work: &'a [History],
    chance: &mut Chance,
) -> Result<Vec<Subject<'a>>, Wrong> {
    let mut subjects = Vec::new();
    for history in work {
        let worker = || Worker { bench, history, planted: Planted::Nothing };
        let half = worker().first_life(history.last() / 2, &[])?;
        let closed = Disk::holding(Disk::after(half.tape).image());
        subjects.push(Subject { worker: worker(), disk: closed, state: history.last() / 2 });
        let (disk, state) = killed(&worker().first_life(history.last(), &[])?, chance);
        subjects.push(Subject { worker: worker(), disk, state });
    }
    Ok(subjects)
}

fn killed(life: &Life, chance: &mut Chance) -> (Disk, usize) {
    let (point, state) = life.acknowledged[below(chance, life.acknowledged.len())];
    (Cursor::new(&life.tape).cut(point, Cut::Kill, chance), state)
}

/// Alters so many files, each in one bit, and reads all of each: after a plain start, and after one that checks
/// every page first.
pub(super) fn rot(subjects: &[Subject<'_>], files: u64, chance: &mut Chance) -> (Rot, Rot) {
    let (mut plain, mut checked) = (Rot::default(), Rot::default());
    for _ in 0..files {
        let subject = &subjects[below(chance, subjects.len())];
        let mut image = subject.disk.image();
        image.flip(below(chance, image.len() * 8));
        plain += subject.read(image.clone(), false);
        checked += subject.read(image, true);
    }
    (plain, checked)
}

impl Subject<'_> {
    fn read(&self, image: Image, suspect: bool) -> Outcome {
        let bench = self.worker.bench;
        bench.set_suspect(suspect);
        let disk = Disk::holding(image);
        let Ok(store) = bench.open(&disk) else { return Outcome::Refused };
        let view = caught(|| store.snapshot());
        let outcome = match &view {
            Ok(Ok(view)) => caught(|| self.reads(view)).unwrap_or(Outcome::Stopped),
            Ok(Err(_)) | Err(_) => Outcome::Stopped,
        };
        disk.set_temper(Temper::Gone);
        // Closing a damaged file may stop as well; everything was read by then.
        caught(|| drop((view, store))).ok();
        outcome
    }

    /// Asks for every row by its key, and for all rows of every table.
    fn reads(&self, view: &dyn View) -> Outcome {
        let rows = &self.worker.history.states[self.state];
        let asked = rows.iter().map(|(key, value)| match view.get(key) {
            Some(found) if found == *value => Outcome::Harmless,
            Some(found) => self.other(key, &found),
            None => Outcome::Overlooked,
        });
        let worst = asked.max().unwrap_or(Outcome::Harmless);
        let tables: BTreeSet<&[u8]> = rows.iter().filter_map(|(key, _)| key.get(..1)).collect();
        let prefixes = iter::once([].as_slice()).chain(tables);
        prefixes.map(|prefix| self.scanned(view, rows, prefix)).fold(worst, Ord::max)
    }

    fn scanned(&self, view: &dyn View, rows: &Rows, prefix: &[u8]) -> Outcome {
        let mut expected = rows.iter().filter(|(key, _)| key.starts_with(prefix)).peekable();
        let mut worst = Outcome::Harmless;
        view.scan(prefix, b"", &mut |key, value| {
            while expected.next_if(|(its, _)| **its < *key).is_some() {
                worst = worst.max(Outcome::Overlooked);
            }
            match expected.next_if(|(its, _)| **its == *key) {
                Some((_, stored)) if **stored == *value => {}
                Some(_) | None => worst = worst.max(self.other(key, value)),
            }
            true
        });
        if expected.next().is_some() { worst.max(Outcome::Overlooked) } else { worst }
    }

    /// A row that is not there now: one that once was, or one that never was.
    fn other(&self, key: &[u8], value: &[u8]) -> Outcome {
        let written = |commit: &Writes| commit.get(key).and_then(Option::as_deref) == Some(value);
        let once = self.worker.history.commits[..=self.state].iter().any(written);
        if once { Outcome::Overlooked } else { Outcome::Wrong }
    }
}
