//! The rows on disk: a redb file behind the core's [`View`].
//!
//! Promises: a commit that returned `Ok` survives a crash and a power cut; a row that the disk has altered is
//! never handed out, nor taken for an absent one; two nodes never share a data directory; after the first failed
//! commit nothing is served any more. Knows nothing about what the rows mean.
//!
//! One bit in tens of thousands, turned over, changes the structure of redb's pages so that one seems to hold fewer
//! rows, or stands for an older one. Only a look at every page finds that, as a start after a disk error begins with.
//!
//! Files in the data directory: `node.redb` (the rows), `node.redb.new` (a creation that did not finish),
//! `node.lock` (whose directory this is), `node.suspect` (the last run met a disk error, so the next one
//! reads every page back from the disk before it serves) and `node.ballast` (room for a disk that others filled).

mod ballast;
mod directory;
mod fault;
#[cfg(test)]
mod tests;

use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hallmesh_protocol::step::{Bytes, View, Writes};
use redb::{
    AccessGuard, Builder, Database, DatabaseError, ReadOnlyTable, ReadableDatabase, StorageBackend,
    StorageError, TableDefinition,
};

pub use ballast::{BALLAST_BYTES, Ballast};
pub use directory::{CREATE_FREE_MIN, OPEN_FREE_MIN, free_bytes};
use directory::{Lock, Place};
pub use fault::{Fault, OnFault, StoreError, guarded, stop_process, unwind};

/// What redb may keep in memory. A hall's computer is small and the working set of a node is smaller.
pub const CACHE_BYTES: usize = 8 * 1024 * 1024;
/// How much of a BLAKE3 hash stands in front of every stored value.
const CHECK_BYTES: usize = 8;
const ROWS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("rows");

/// A row as redb gives it: key, and value with its check.
type Row<'a> = Result<(AccessGuard<'a, &'static [u8]>, AccessGuard<'a, &'static [u8]>), StorageError>;

/// The node's rows. Clones share one open file; the file is closed and the directory released with the last
/// clone or snapshot.
#[derive(Clone, Debug)]
pub struct Store {
    shared: Arc<Shared>,
}

impl Store {
    /// Makes the database of a new node with `first` as its first commit, and opens it.
    ///
    /// A creation that is interrupted leaves nothing that [`Store::open`] would take for a database.
    pub fn create(dir: &Path, first: &Writes) -> Result<Store, StoreError> {
        let place = Place::make(dir)?;
        let lock = place.lock()?;
        place.refuse_existing()?;
        build(&place, first)?;
        Self::serve(place, lock, stop_process, CACHE_BYTES)
    }

    /// Makes the database of a node whose rows come in batches, as out of a backup; `fill` adds them. As with
    /// [`Store::create`], there is a whole database or none.
    pub fn build<E: From<StoreError>>(
        dir: &Path,
        fill: impl FnOnce(&mut Filling<'_>) -> Result<(), E>,
    ) -> Result<Store, E> {
        let place = Place::make(dir)?;
        let lock = place.lock()?;
        place.refuse_existing()?;
        place.start_unfinished()?;
        let path = place.unfinished();
        let explain = |cause| place.explain("fill the database", cause);
        let database = opener(false, CACHE_BYTES).create(&path).map_err(|cause| explain(cause.into()))?;
        fill(&mut Filling { database: &database, place: &place })?;
        database.close().map_err(|cause| explain(cause.into()))?;
        place.finish()?;
        Ok(Self::serve(place, lock, stop_process, CACHE_BYTES)?)
    }

    /// Opens the database of an existing node, repairing what a crash left behind.
    pub fn open(dir: &Path) -> Result<Store, StoreError> {
        Self::open_with(dir, stop_process)
    }

    /// Like [`Store::open`], with another way to stop when a row cannot be read.
    pub fn open_with(dir: &Path, on_fault: OnFault) -> Result<Store, StoreError> {
        let place = Place::existing(dir)?;
        let lock = place.lock()?;
        Self::serve(place, lock, on_fault, CACHE_BYTES)
    }

    /// Like [`Store::open`], with other bytes for redb to keep in memory: where many nodes share one machine.
    pub(crate) fn open_cached(dir: &Path, cache: usize) -> Result<Store, StoreError> {
        let place = Place::existing(dir)?;
        let lock = place.lock()?;
        Self::serve(place, lock, stop_process, cache)
    }

    /// For harnesses that stand in for the disk, never for a node: opens the rows on `disk`, and begins them where
    /// it is empty. Everything else is as in [`Store::open_with`]; `dir` holds the lock and the mark of a disk error.
    pub fn open_on(disk: impl StorageBackend, dir: &Path, on_fault: OnFault) -> Result<Store, StoreError> {
        let place = Place::at(dir);
        let lock = place.lock()?;
        let opened = opener(place.is_suspect()?, CACHE_BYTES).create_with_backend(disk);
        Self::begin(opened, place, lock, on_fault)
    }

    /// The rows as of the last commit. Does not block commits and is not changed by them.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.refuse_if_stopped()?;
        let table = self.shared.table().map_err(|cause| self.stop("open a snapshot", cause))?;
        Ok(Snapshot { table, shared: Arc::clone(&self.shared) })
    }

    /// Makes `writes` durable, all or none. After the first error every later call is refused: what the disk
    /// holds is then unknown, and only a new start can find out.
    pub fn commit(&self, writes: &Writes) -> Result<(), StoreError> {
        self.refuse_if_stopped()?;
        if writes.is_empty() {
            return Ok(());
        }
        write(&self.shared.database, writes).map_err(|cause| self.stop("commit", cause))
    }

    fn serve(place: Place, lock: Lock, on_fault: OnFault, cache: usize) -> Result<Store, StoreError> {
        let suspect = place.is_suspect()?;
        if suspect {
            tracing::warn!(path = %place.database.display(), "disk error in the last run: checking every page");
            place.forget_cached()?;
        }
        let opened = opener(suspect, cache).open(&place.database);
        Self::begin(opened, place, lock, on_fault)
    }

    fn begin(
        opened: Result<Database, DatabaseError>,
        place: Place,
        lock: Lock,
        on_fault: OnFault,
    ) -> Result<Store, StoreError> {
        let database = opened.map_err(|cause| place.explain("open the database", cause.into()))?;
        place.clear_suspect()?;
        let stopped = AtomicBool::new(false);
        Ok(Store { shared: Arc::new(Shared { database, stopped, place, on_fault, _lock: lock }) })
    }

    fn refuse_if_stopped(&self) -> Result<(), StoreError> {
        if self.shared.stopped.load(Ordering::Acquire) { Err(StoreError::Stopped) } else { Ok(()) }
    }

    fn stop(&self, doing: &'static str, cause: redb::Error) -> StoreError {
        self.shared.stopped.store(true, Ordering::Release);
        let error = self.shared.place.explain(doing, cause);
        if !matches!(error, StoreError::DiskFull { .. }) {
            self.shared.place.mark_suspect(&error);
        }
        error
    }
}

/// A database that is being filled and has no name yet.
#[derive(Debug)]
pub struct Filling<'a> {
    database: &'a Database,
    place: &'a Place,
}

impl Filling<'_> {
    /// Adds rows.
    pub fn add(&mut self, rows: &Writes) -> Result<(), StoreError> {
        write(self.database, rows).map_err(|cause| self.place.explain("fill the database", cause))
    }
}

/// The rows as of one commit. A row that cannot be read stops the process (see [`OnFault`]).
pub struct Snapshot {
    table: ReadOnlyTable<&'static [u8], &'static [u8]>,
    shared: Arc<Shared>,
}

impl View for Snapshot {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        let found = self.read(self.table.get(key));
        if found.is_none() {
            self.refuse_false_gap(key, true);
        }
        found.map(|stored| Bytes::from(self.shared.checked(key, stored.value())))
    }

    fn scan(&self, prefix: &[u8], after: &[u8], visit: &mut dyn FnMut(&[u8], &[u8]) -> bool) {
        let from_first = after.is_empty() || after < prefix;
        let start = if from_first { Bound::Included(prefix) } else { Bound::Excluded(after) };
        let from = if from_first { prefix } else { after };
        self.refuse_false_gap(from, false);
        let mut before: Option<AccessGuard<'_, &[u8]>> = None;
        for row in self.read(self.table.range::<&[u8]>((start, Bound::Unbounded))) {
            let (guard, stored) = self.read(row);
            let key = guard.value();
            if before.is_some_and(|before| before.value() >= key) {
                self.shared.fault(&Fault::RowDamaged { key: key.to_vec() });
            }
            // The first row beyond has to hold as well: a damaged key may only look as if it lay there.
            let value = self.shared.checked(key, stored.value());
            if !key.starts_with(prefix) || !visit(key, value) {
                return;
            }
            before = Some(guard);
        }
    }
}

impl Snapshot {
    /// redb finds rows by keys that nothing protects: one bit turned over in a key, and it looks past the row.
    /// So the rows before and after a place must hold, and lie where they belong. The row of the place itself is
    /// there or, as redb has just said, `absent`.
    fn refuse_false_gap(&self, key: &[u8], absent: bool) {
        let before = self.read(self.table.range::<&[u8]>(..key)).next_back();
        self.refuse_misplaced(before, |found| found < key);
        let after = self.read(self.table.range::<&[u8]>(key..)).next();
        self.refuse_misplaced(after, |found| found > key || (found == key && !absent));
    }

    fn refuse_misplaced(&self, row: Option<Row<'_>>, belongs: impl FnOnce(&[u8]) -> bool) {
        let Some((found, stored)) = row.map(|row| self.read(row)) else { return };
        let key = found.value();
        self.shared.checked(key, stored.value());
        if !belongs(key) {
            self.shared.fault(&Fault::RowDamaged { key: key.to_vec() });
        }
    }

    fn read<T>(&self, read: Result<T, StorageError>) -> T {
        read.unwrap_or_else(|cause| self.shared.unreadable(cause))
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").finish_non_exhaustive()
    }
}

/// One open database. Fields drop in order: the file is closed before the directory is released.
#[derive(Debug)]
struct Shared {
    database: Database,
    stopped: AtomicBool,
    place: Place,
    on_fault: OnFault,
    _lock: Lock,
}

impl Shared {
    fn table(&self) -> Result<ReadOnlyTable<&'static [u8], &'static [u8]>, redb::Error> {
        Ok(self.database.begin_read()?.open_table(ROWS)?)
    }

    fn checked<'a>(&self, key: &[u8], stored: &'a [u8]) -> &'a [u8] {
        match opened(key, stored) {
            Some(value) => value,
            None => self.fault(&Fault::RowDamaged { key: key.to_vec() }),
        }
    }

    fn unreadable(&self, cause: StorageError) -> ! {
        self.fault(&Fault::Unreadable { path: self.place.database.clone(), cause })
    }

    fn fault(&self, fault: &Fault) -> ! {
        self.stopped.store(true, Ordering::Release);
        self.place.mark_suspect(fault);
        (self.on_fault)(fault)
    }
}

/// A file is only ever called `node.redb` once it holds a whole first commit: redb cannot open a file whose
/// creation was cut short.
fn build(place: &Place, first: &Writes) -> Result<(), StoreError> {
    place.start_unfinished()?;
    first_commit(&place.unfinished(), first).map_err(|cause| place.explain("create the database", cause))?;
    place.finish()
}

fn first_commit(path: &Path, first: &Writes) -> Result<(), redb::Error> {
    let database = opener(false, CACHE_BYTES).create(path)?;
    write(&database, first)?;
    Ok(database.close()?)
}

/// redb as a node uses it; with a look at every page first, if the disk is suspect.
fn opener(suspect: bool, cache: usize) -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(cache).set_check_integrity_on_open(suspect);
    builder
}

/// Two-phase commit keeps a torn commit from ever being taken for a whole one; quick repair makes the start
/// after a power cut independent of the size of the file.
fn write(database: &Database, writes: &Writes) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_two_phase_commit(true);
    transaction.set_quick_repair(true);
    {
        let mut table = transaction.open_table(ROWS)?;
        for (key, value) in writes {
            match value {
                Some(value) => drop(table.insert(key.as_slice(), sealed(key, value).as_slice())?),
                None => drop(table.remove(key.as_slice())?),
            }
        }
    }
    Ok(transaction.commit()?)
}

/// A value as it is stored: its check, then itself.
fn sealed(key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut stored = Vec::with_capacity(CHECK_BYTES.saturating_add(value.len()));
    stored.extend_from_slice(&check(key, value));
    stored.extend_from_slice(value);
    stored
}

/// The value inside a stored row, unless the row is not what was written under `key`.
fn opened<'a>(key: &[u8], stored: &'a [u8]) -> Option<&'a [u8]> {
    let (expected, value) = stored.split_first_chunk::<CHECK_BYTES>()?;
    (*expected == check(key, value)).then_some(value)
}

fn check(key: &[u8], value: &[u8]) -> [u8; CHECK_BYTES] {
    let mut check = [0; CHECK_BYTES];
    blake3::Hasher::new().update(key).update(value).finalize_xof().fill(&mut check);
    check
}
