//! Disks that fail: errors of reading, writing and syncing, and no room left, at any call.
//!
//! After the first of them nothing is acknowledged and nothing is served, and the next start finds what was
//! acknowledged. A commit that failed for want of room was not made; one that failed otherwise may have been.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use hallmesh::store::{Store, StoreError};
use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::step::Writes;

use super::cut::{Cursor, Cut, below};
use super::life::{Bench, Wrong, caught};
use super::recorder::{Call, Disk, Temper};
use super::rot::Subject;

/// The most calls of a kind, or pages, that go well before one fails: about two commits.
const WELL_MAX: u64 = 40;
/// Commits that are tried until one fails.
const TRIES: usize = 8;

/// What came of disks that fail.
#[derive(Clone, Debug, Default)]
pub struct Failures {
    /// How often each failure was met.
    pub met: BTreeMap<&'static str, u64>,
    /// Disks whose failure was not met: the work was done before.
    pub unmet: u64,
    /// Promises that did not hold.
    pub broken: Vec<String>,
}

impl Failures {
    /// All disks.
    pub fn disks(&self) -> u64 {
        self.met.values().sum::<u64>() + self.unmet
    }
}

/// Works on so many disks, each of which fails somewhere.
pub(super) fn failures(subjects: &[Subject<'_>], disks: u64, chance: &mut Chance) -> Failures {
    let mut failures = Failures::default();
    for _ in 0..disks {
        let subject = &subjects[below(chance, subjects.len())];
        let (word, temper) = any_failure(chance);
        let met = caught(|| meet(subject, temper, chance)).and_then(|met| met);
        match met {
            Ok(true) => *failures.met.entry(word).or_default() += 1,
            Ok(false) => failures.unmet += 1,
            Err(broken) => failures.broken.push(format!("{temper:?} of state {}: {broken}", subject.state)),
        }
        subject.worker.bench.set_suspect(false);
    }
    failures
}

fn any_failure(chance: &mut Chance) -> (&'static str, Temper) {
    let well = chance.below(WELL_MAX);
    match chance.below(4) {
        0 => ("read", Temper::Failing(Call::Read, well)),
        1 => ("write", Temper::Failing(Call::Write, well)),
        2 => ("sync", Temper::Failing(Call::Sync, well / 8)),
        _ => ("full", Temper::Filling(well / 4)),
    }
}

/// Works until the disk fails, and looks at what is left. False if the disk did not fail.
fn meet(subject: &Subject<'_>, temper: Temper, chance: &mut Chance) -> Result<bool, String> {
    let disk = Disk::holding(subject.disk.image());
    let early = chance.below(2) == 0;
    if early {
        disk.set_temper(temper);
    }
    let Ok(store) = subject.worker.bench.open(&disk) else {
        return after(subject, &disk, subject.state..=subject.state, chance).map(|()| true);
    };
    if !early {
        disk.set_temper(temper);
    }
    let outcome = work(subject, &store);
    caught(|| drop(store)).ok();
    match outcome? {
        Some(left) => after(subject, &disk, left, chance).map(|()| true),
        None => Ok(false),
    }
}

/// Reads all rows and goes on committing. The states that may be left if something failed.
fn work(subject: &Subject<'_>, store: &Store) -> Result<Option<RangeInclusive<usize>>, String> {
    let (state, history) = (subject.state, subject.worker.history);
    let found = caught(|| {
        let view = store.snapshot().ok()?;
        history.found(&view, state..=state)
    });
    match found {
        Ok(Some(_)) => {}
        Ok(None) if store.snapshot().is_ok() => return Err("other rows were read".to_owned()),
        Ok(None) | Err(_) => return stopped(subject.worker.bench, store, true).map(|()| Some(state..=state)),
    }
    for next in (state + 1..=history.last()).take(TRIES) {
        match store.commit(&history.commits[next]) {
            Ok(()) => {}
            Err(StoreError::DiskFull { .. }) => {
                return stopped(subject.worker.bench, store, false).map(|()| Some(next - 1..=next - 1));
            }
            Err(_) => return stopped(subject.worker.bench, store, true).map(|()| Some(next - 1..=next)),
        }
    }
    Ok(None)
}

/// Nothing is acknowledged and nothing is served any more; the next start knows whether to check the disk.
fn stopped(bench: &Bench, store: &Store, suspect: bool) -> Result<(), String> {
    let some = Writes::from([(b"more".to_vec(), Some(b"rows".as_slice().into()))]);
    let refused = [store.commit(&some).err(), store.commit(&Writes::new()).err(), store.snapshot().err()];
    if !refused.iter().all(|error| matches!(error, Some(StoreError::Stopped))) {
        return Err("the store goes on after an error".to_owned());
    }
    if bench.is_suspect() == suspect { Ok(()) } else { Err(format!("suspect: {}", !suspect)) }
}

/// The next start, on what the system still has in memory, or on what power loss leaves of it.
fn after(
    subject: &Subject<'_>,
    disk: &Disk,
    left: RangeInclusive<usize>,
    chance: &mut Chance,
) -> Result<(), String> {
    let tape = disk.tape();
    let cut = Cut::ALL[below(chance, Cut::ALL.len())];
    let disk = Cursor::new(&tape).cut(tape.asked.len(), cut, chance);
    let told = |wrong: Wrong| format!("after {} {wrong:?}", cut.word());
    subject.worker.examine(&disk, left, chance.below(2) == 0).map_err(told)
}
