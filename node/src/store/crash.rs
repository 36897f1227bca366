//! The store on a disk that loses power, or fails, at every point of its work.

use std::io;
use std::sync::{Mutex, MutexGuard};

use redb::StorageBackend;
use tempfile::TempDir;

use super::tests::observed;
use super::*;

type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// Commits of the workload; each writes about ten times to the disk.
const COMMITS: u64 = 12;
/// Different subsets of the unsynced writes that are tried for every point.
const IMAGES_PER_POINT: u64 = 3;

#[test]
fn what_was_acknowledged_is_there_after_power_is_lost_at_any_point() {
    let disk = Disk::default();
    let (dir, store) = made_on(&disk);
    let points_before = disk.points();
    // States the rows may be in, with the number of disk operations at which each was acknowledged.
    let mut states = vec![(points_before, rows_of(&store))];
    let mut chance = Chance(0x5EED);
    for round in 0..COMMITS {
        store.commit(&some_writes(round, &mut chance)).unwrap();
        states.push((disk.points(), rows_of(&store)));
    }
    let points = disk.points();
    drop((store, dir));

    for point in points_before..=points {
        let acknowledged = states.iter().rposition(|(at, _)| *at <= point).unwrap();
        for _ in 0..IMAGES_PER_POINT {
            let after = rows_after_power_loss(&disk, point, &mut chance);
            let next = states.get(acknowledged + 1);
            let fine = after == states[acknowledged].1 || next.is_some_and(|(_, rows)| after == *rows);
            assert!(fine, "rows lost or mixed after operation {point} of {points}");
        }
    }
}

#[test]
fn after_a_failed_commit_nothing_is_served_and_the_next_start_checks() {
    let disk = Disk::default();
    let (dir, store) = made_on(&disk);
    store.commit(&some_writes(1, &mut Chance(1))).unwrap();
    let good = rows_of(&store);
    disk.fail(true);
    assert!(matches!(store.commit(&some_writes(2, &mut Chance(2))), Err(StoreError::Io { .. })));
    disk.fail(false);
    assert!(matches!(store.commit(&some_writes(3, &mut Chance(3))), Err(StoreError::Stopped)));
    assert!(matches!(store.commit(&Writes::new()), Err(StoreError::Stopped)));
    assert!(matches!(store.snapshot(), Err(StoreError::Stopped)));
    assert!(dir.path().join("node.suspect").exists());
    drop(store);
    assert_eq!(rows_after_power_loss(&disk, disk.points(), &mut Chance(4)), good);
}

fn made_on(disk: &Disk) -> (TempDir, Store) {
    let dir = TempDir::new().unwrap();
    let database = builder().create_with_backend(disk.clone()).unwrap();
    write(&database, &some_writes(0, &mut Chance(0))).unwrap();
    let place = Place::at(dir.path());
    let lock = place.lock().unwrap();
    (dir, Store::over(database, place, lock, observed))
}

fn rows_after_power_loss(disk: &Disk, point: usize, chance: &mut Chance) -> Rows {
    let survivor = Disk::holding(disk.image(point, chance));
    let dir = TempDir::new().unwrap();
    let database = builder().create_with_backend(survivor).expect("opens after power loss");
    let place = Place::at(dir.path());
    let lock = place.lock().unwrap();
    rows_of(&Store::over(database, place, lock, observed))
}

fn rows_of(store: &Store) -> Rows {
    let mut rows = Rows::new();
    store.snapshot().unwrap().scan(b"", b"", &mut |key, value| {
        rows.push((key.to_vec(), value.to_vec()));
        true
    });
    rows
}

fn some_writes(round: u64, chance: &mut Chance) -> Writes {
    let mut writes = Writes::from([(b"round".to_vec(), Some(Bytes::from(round.to_be_bytes().as_slice())))]);
    for _ in 0..8 {
        let key = vec![chance.below(40)];
        let removed = chance.below(4) == 0;
        let value = vec![chance.below(256); usize::from(chance.below(200)) * 10];
        writes.insert(key, (!removed).then(|| Bytes::from(value)));
    }
    writes
}

/// A small generator: the same run every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u8 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u8::try_from((self.0 >> 33) % bound).unwrap()
    }
}

/// One thing asked of the disk.
#[derive(Clone, Debug)]
enum Operation {
    Write(u64, Vec<u8>),
    SetLen(u64),
    Sync,
}

/// A disk in memory that remembers everything asked of it.
#[derive(Clone, Debug, Default)]
struct Disk {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    base: Vec<u8>,
    now: Vec<u8>,
    asked: Vec<Operation>,
    failing: bool,
}

impl Disk {
    fn holding(base: Vec<u8>) -> Disk {
        let now = base.clone();
        Disk { state: Arc::new(Mutex::new(State { base, now, ..State::default() })) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn points(&self) -> usize {
        self.lock().asked.len()
    }

    fn fail(&self, failing: bool) {
        self.lock().failing = failing;
    }

    /// What the disk holds if power is lost after `point` operations: all that was synced, and of the later
    /// writes a chance subset, some of them torn.
    fn image(&self, point: usize, chance: &mut Chance) -> Vec<u8> {
        let state = self.lock();
        let asked = &state.asked[..point];
        let synced = asked.iter().rposition(|operation| matches!(operation, Operation::Sync)).unwrap_or(0);
        let mut image = state.base.clone();
        asked[..synced].iter().for_each(|operation| apply(&mut image, operation));
        for operation in &asked[synced..] {
            match (operation, chance.below(4)) {
                (Operation::SetLen(_), _) | (_, 0 | 1) => apply(&mut image, operation),
                (Operation::Write(offset, data), 2) => apply(&mut image, &torn(*offset, data)),
                (Operation::Write(..) | Operation::Sync, _) => {}
            }
        }
        image
    }

    fn ask(&self, operation: Operation) -> Result<(), io::Error> {
        let mut state = self.lock();
        if state.failing {
            return Err(io::Error::other("the disk failed"));
        }
        apply(&mut state.now, &operation);
        state.asked.push(operation);
        Ok(())
    }
}

fn torn(offset: u64, data: &[u8]) -> Operation {
    Operation::Write(offset, data[..data.len() / 2].to_vec())
}

fn apply(image: &mut Vec<u8>, operation: &Operation) {
    match operation {
        Operation::Write(offset, data) => {
            let start = index(*offset);
            let end = start + data.len();
            image.resize(image.len().max(end), 0);
            image[start..end].copy_from_slice(data);
        }
        Operation::SetLen(len) => image.resize(index(*len), 0),
        Operation::Sync => {}
    }
}

fn index(offset: u64) -> usize {
    usize::try_from(offset).unwrap()
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, io::Error> {
        Ok(self.lock().now.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        let state = self.lock();
        let start = index(offset);
        let found = state.now.get(start..start + out.len());
        out.copy_from_slice(found.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        self.ask(Operation::SetLen(len))
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        self.ask(Operation::Sync)
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        self.ask(Operation::Write(offset, data.to_vec()))
    }
}
