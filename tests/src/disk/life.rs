//! Lives of a store: a process opens it on a disk, commits, and ends. What it may rely on is written down.

use std::any::Any;
use std::cell::Cell;
use std::error::Error as _;
use std::fs;
use std::ops::RangeInclusive;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::Once;

use hallmesh::store::{Fault, Store};
use hallmesh_protocol::step::Writes;
use tempfile::TempDir;

use super::history::History;
use super::recorder::{Disk, Tape, Temper};

const IN_MEMORY: &str = "/dev/shm";

/// A fault of the harness itself, to see that it would be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    /// None: the real thing.
    Nothing,
    /// The disk says that it has synced and has not.
    LyingDisk,
    /// Commits are acknowledged before they are made.
    EarlyAcknowledgement,
    /// The last row of every commit is left out.
    LeftOutRow,
}

/// What an image shows that it must not show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// The store does not open.
    Unopenable(String),
    /// The rows are those of a commit before the last acknowledged one.
    Lost,
    /// The rows are those of no commit.
    Mixed(String),
    /// redb's own check of all pages finds something.
    Unsound(String),
}

/// The directory in which stores are opened, for their locks and marks. Their rows lie on recorded disks.
/// Marks are synced, thousands of times in a run: the directory lies in memory where there is such a place.
#[derive(Debug)]
pub(super) struct Bench {
    dir: TempDir,
}

impl Bench {
    pub(super) fn new() -> Self {
        let dir = TempDir::new_in(IN_MEMORY).or_else(|_| TempDir::new());
        Self { dir: dir.unwrap() }
    }

    pub(super) fn open(&self, disk: &Disk) -> Result<Store, Wrong> {
        let opened = caught(|| Store::open_on(disk.clone(), self.dir.path(), unwinding));
        opened.map_err(Wrong::Unopenable)?.map_err(|error| {
            let because = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            // Where the bench is differs from run to run.
            let said = format!("{error}{because}").replace(&*self.dir.path().to_string_lossy(), "");
            Wrong::Unopenable(said)
        })
    }

    /// Has the next start check every page first, or not.
    pub(super) fn set_suspect(&self, suspect: bool) {
        let mark = self.mark();
        if suspect {
            fs::write(&mark, b"").unwrap();
        } else if mark.exists() {
            fs::remove_file(&mark).unwrap();
        }
    }

    /// Whether the next start checks every page first.
    pub(super) fn is_suspect(&self) -> bool {
        self.mark().exists()
    }

    fn mark(&self) -> PathBuf {
        self.dir.path().join("node.suspect")
    }
}

/// Stops a reader as the store does, except that the harness goes on.
fn unwinding(fault: &Fault) -> ! {
    panic::resume_unwind(Box::new(fault.to_string()))
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs what may stop on a damaged disk, and says how it stopped.
pub(super) fn caught<T>(act: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |what| {
            if !QUIET.get() {
                loud(what);
            }
        }));
    });
    let before = QUIET.replace(true);
    let ended = panic::catch_unwind(AssertUnwindSafe(act));
    QUIET.set(before);
    ended.map_err(|panicked| said(panicked.as_ref()))
}

fn said(panicked: &dyn Any) -> String {
    let text = panicked.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panicked.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    text.unwrap_or_else(|| "it panicked".to_owned())
}

/// What a process did on a disk, and what was promised when.
#[derive(Debug)]
pub(super) struct Life {
    pub(super) tape: Tape,
    /// Asked by the process before, and not yet synced then.
    pub(super) begun: usize,
    /// The state that is safe from the beginning.
    floor: usize,
    /// Points at which a state was acknowledged.
    pub(super) acknowledged: Vec<(usize, usize)>,
}

impl Life {
    /// The states that the rows may be in if it all ended at `point`: what was acknowledged, or the next one.
    pub(super) fn allowed(&self, point: usize) -> RangeInclusive<usize> {
        let known = self.acknowledged.iter().rposition(|(at, _)| *at <= point);
        let floor = known.map_or(self.floor, |known| self.acknowledged[known].1);
        let next = self.acknowledged.get(known.map_or(0, |known| known + 1));
        floor..=next.map_or(floor, |(_, state)| *state)
    }

    /// At how many points it could end.
    pub(super) fn points(&self) -> u64 {
        (self.tape.asked.len() + 1) as u64
    }

    /// How many commits were acknowledged.
    pub(super) fn commits(&self) -> u64 {
        self.acknowledged.len() as u64 - 1
    }
}

/// Who works on the disks.
#[derive(Debug)]
pub(super) struct Worker<'a> {
    pub(super) bench: &'a Bench,
    pub(super) history: &'a History,
    pub(super) planted: Planted,
}

impl Worker<'_> {
    /// The first life of a hall's store: made, closed, then opened for so many commits. It begins once the
    /// store is made, since a file gets its name only then.
    pub(super) fn first_life(&self, commits: usize, restarts: &[usize]) -> Result<Life, Wrong> {
        let disk = Disk::holding(super::image::Image::default());
        let store = self.bench.open(&disk)?;
        self.commit(&store, 0)?;
        drop(store);
        let disk = Disk::holding(disk.image());
        if self.planted == Planted::LyingDisk {
            disk.set_temper(Temper::Lying);
        }
        self.live(&disk, 0..=0, commits, restarts)
    }

    /// A life that finds one of the `allowed` states and makes at most so many `more` commits. It closes the
    /// store in the end, and in between before the states named in `restarts`.
    pub(super) fn live(
        &self,
        disk: &Disk,
        allowed: RangeInclusive<usize>,
        more: usize,
        restarts: &[usize],
    ) -> Result<Life, Wrong> {
        let begun = disk.points();
        let mut store = self.bench.open(disk)?;
        let found = self.found(&store, allowed.clone())?;
        let floor = if begun == 0 { found } else { *allowed.start() };
        let mut acknowledged = vec![(disk.points(), found)];
        for state in found + 1..=(found + more).min(self.history.last()) {
            if restarts.contains(&state) {
                drop(store);
                store = self.bench.open(disk)?;
                self.found(&store, state - 1..=state - 1)?;
            }
            let early = disk.points();
            self.commit(&store, state)?;
            let late = self.planted != Planted::EarlyAcknowledgement;
            acknowledged.push((if late { disk.points() } else { early }, state));
        }
        drop(store);
        Ok(Life { tape: disk.tape(), begun, floor, acknowledged })
    }

    /// Opens the store on a disk and compares all rows. Thoroughly: also goes on with the work, closes, opens
    /// and compares again, and has redb check every page.
    pub(super) fn examine(
        &self,
        disk: &Disk,
        allowed: RangeInclusive<usize>,
        thoroughly: bool,
    ) -> Result<(), Wrong> {
        let store = self.bench.open(disk)?;
        let found = self.found(&store, allowed)?;
        if !thoroughly {
            // Nothing more is asked of this disk: closing the store on it would only take time.
            disk.set_temper(Temper::Gone);
            return Ok(());
        }
        let next = (found + 1).min(self.history.last());
        self.commit(&store, next)?;
        drop(store);
        let store = self.bench.open(disk)?;
        self.found(&store, next..=next)?;
        drop(store);
        sound(disk)
    }

    /// Which of the allowed states the rows are.
    pub(super) fn found(&self, store: &Store, allowed: RangeInclusive<usize>) -> Result<usize, Wrong> {
        let acknowledged = *allowed.start();
        let among = |states: RangeInclusive<usize>| {
            let view = store.snapshot().map_err(|error| Wrong::Unopenable(error.to_string()))?;
            caught(|| self.history.found(&view, states)).map_err(Wrong::Mixed)
        };
        if let Some(found) = among(allowed)? {
            return Ok(found);
        }
        let other = among(0..=self.history.last())?;
        match other {
            Some(state) if state < acknowledged => Err(Wrong::Lost),
            Some(state) => Err(Wrong::Mixed(format!("state {state} after {acknowledged} was acknowledged"))),
            None => Err(Wrong::Mixed(format!("no state there ever was, after {acknowledged}"))),
        }
    }

    fn commit(&self, store: &Store, state: usize) -> Result<(), Wrong> {
        let writes = &self.history.commits[state];
        let committed = match self.planted {
            Planted::LeftOutRow => store.commit(&without_last(writes)),
            Planted::Nothing | Planted::LyingDisk | Planted::EarlyAcknowledgement => store.commit(writes),
        };
        committed.map_err(|error| Wrong::Unopenable(error.to_string()))
    }
}

fn without_last(writes: &Writes) -> Writes {
    let mut writes = writes.clone();
    writes.pop_last();
    writes
}

/// redb's own check of every page, of the trees and of what it knows about free room.
fn sound(disk: &Disk) -> Result<(), Wrong> {
    let checked = caught(|| redb::Builder::new().create_with_backend(disk.clone())?.check_integrity());
    match checked {
        Ok(Ok(true)) => Ok(()),
        Ok(Ok(false)) => Err(Wrong::Unsound("it had to be repaired".to_owned())),
        Ok(Err(error)) => Err(Wrong::Unsound(error.to_string())),
        Err(panicked) => Err(Wrong::Unsound(panicked)),
    }
}
