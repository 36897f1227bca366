//! The data directory: which files, whose they are, and how a file comes into being so that a power cut
//! never leaves half of one.

use std::fmt::Display;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Advice, FlockOperation};

use super::ballast::Ballast;
use super::fault::StoreError;

/// A node is not made on a disk with less room than this.
pub const CREATE_FREE_MIN: u64 = 64 * 1024 * 1024;
/// A node does not start on a disk with less room than this: it could not finish what it promises to keep.
pub const OPEN_FREE_MIN: u64 = 16 * 1024 * 1024;

const DATABASE: &str = "node.redb";
const UNFINISHED: &str = "node.redb.new";
const LOCK: &str = "node.lock";
const SUSPECT: &str = "node.suspect";
/// A process id and a line end; more than that is not read back.
const PID_TEXT_MAX: u64 = 16;
/// Rows are citizens' cases: nobody but the node's user reads the files.
const PRIVATE_FILE: u32 = 0o600;
const PRIVATE_DIR: u32 = 0o700;

/// Bytes this user may still write to the disk that holds `dir`.
pub fn free_bytes(dir: &Path) -> Result<u64, StoreError> {
    let found = rustix::fs::statvfs(dir).map_err(|cause| explain("measure the disk", dir, cause.into()))?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

/// Holds the data directory for this process; the system releases it with the process, however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// Where things are.
#[derive(Debug)]
pub(super) struct Place {
    dir: PathBuf,
    pub(super) database: PathBuf,
}

impl Place {
    /// A directory to make a node in; made if it is missing.
    pub(super) fn make(dir: &Path) -> Result<Place, StoreError> {
        let measured = dir.ancestors().find(|dir| dir.is_dir()).unwrap_or(Path::new("."));
        refuse_if_low(measured, CREATE_FREE_MIN)?;
        DirBuilder::new()
            .recursive(true)
            .mode(PRIVATE_DIR)
            .create(dir)
            .map_err(|cause| explain("make the data directory", dir, cause))?;
        Ok(Self::at(dir))
    }

    /// A directory that a node was made in.
    pub(super) fn existing(dir: &Path) -> Result<Place, StoreError> {
        let place = Self::at(dir);
        place.refuse_missing()?;
        let free = free_bytes(dir)?;
        if free < OPEN_FREE_MIN {
            Ballast::of(dir).throw_overboard(free);
        }
        refuse_if_low(dir, OPEN_FREE_MIN)?;
        Ok(place)
    }

    pub(super) fn at(dir: &Path) -> Place {
        Place { dir: dir.to_owned(), database: dir.join(DATABASE) }
    }

    pub(super) fn lock(&self) -> Result<Lock, StoreError> {
        let path = self.dir.join(LOCK);
        let mut file = private().create(true).open(&path).map_err(|cause| explain("lock", &path, cause))?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(StoreError::InUse { pid: read_pid(&mut file) }),
            Err(cause) => return Err(explain("lock", &path, cause.into())),
        }
        write_pid(&mut file).map_err(|cause| explain("write", &path, cause))?;
        Ok(Lock { _file: file })
    }

    pub(super) fn refuse_existing(&self) -> Result<(), StoreError> {
        if exists(&self.database)? { Err(StoreError::Exists { path: self.database.clone() }) } else { Ok(()) }
    }

    /// An empty file under the temporary name, in the place of an earlier attempt.
    pub(super) fn start_unfinished(&self) -> Result<(), StoreError> {
        let path = self.unfinished();
        private()
            .create(true)
            .truncate(true)
            .open(&path)
            .map(drop)
            .map_err(|cause| explain("create", &path, cause))
    }

    /// Gives the finished file its name, once all of it is on the disk.
    pub(super) fn finish(&self) -> Result<(), StoreError> {
        let path = self.unfinished();
        sync(&path)
            .and_then(|()| fs::rename(&path, &self.database))
            .and_then(|()| sync(&self.dir))
            .map_err(|cause| explain("finish the database", &path, cause))
    }

    pub(super) fn unfinished(&self) -> PathBuf {
        self.dir.join(UNFINISHED)
    }

    /// Whether the last run met a disk error.
    pub(super) fn is_suspect(&self) -> Result<bool, StoreError> {
        exists(&self.dir.join(SUSPECT))
    }

    /// Leaves word for the next start. The disk may fail here too, so this only tries.
    pub(super) fn mark_suspect(&self, why: &impl Display) {
        let path = self.dir.join(SUSPECT);
        let written = private().create(true).truncate(true).open(&path).and_then(|mut file| {
            writeln!(file, "{why}")?;
            file.sync_all()?;
            sync(&self.dir)
        });
        if let Err(cause) = written {
            tracing::warn!(path = %path.display(), %cause, "cannot leave word that the database needs a check");
        }
    }

    pub(super) fn clear_suspect(&self) -> Result<(), StoreError> {
        let path = self.dir.join(SUSPECT);
        match fs::remove_file(&path) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other.and_then(|()| sync(&self.dir)).map_err(|cause| explain("remove", &path, cause)),
        }
    }

    /// After a failed sync the page cache may show data that the disk never got: look at the disk.
    pub(super) fn forget_cached(&self) -> Result<(), StoreError> {
        let forget =
            |file: File| rustix::fs::fadvise(file, 0, None, Advice::DontNeed).map_err(io::Error::from);
        File::open(&self.database)
            .and_then(forget)
            .map_err(|cause| explain("read back from the disk", &self.database, cause))
    }

    /// Sorts an error of the database into what a person can do about it.
    pub(super) fn explain(&self, doing: &'static str, cause: redb::Error) -> StoreError {
        match sort(cause) {
            Sorted::InUse => StoreError::InUse { pid: None },
            Sorted::System(cause) => explain(doing, &self.database, cause),
            Sorted::Damaged(detail) => StoreError::Damaged { path: self.database.clone(), detail },
        }
    }

    fn refuse_missing(&self) -> Result<(), StoreError> {
        if exists(&self.database)? {
            Ok(())
        } else {
            Err(StoreError::Missing { path: self.database.clone() })
        }
    }
}

fn exists(path: &Path) -> Result<bool, StoreError> {
    path.try_exists().map_err(|cause| explain("look for", path, cause))
}

pub(super) fn refuse_if_low(dir: &Path, needed: u64) -> Result<(), StoreError> {
    let free = free_bytes(dir)?;
    if free < needed { Err(StoreError::DiskFull { free, needed }) } else { Ok(()) }
}

enum Sorted {
    InUse,
    System(io::Error),
    Damaged(String),
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "redb's error is non-exhaustive; the rest is never the disk's"
)]
fn sort(cause: redb::Error) -> Sorted {
    match cause {
        redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => Sorted::InUse,
        redb::Error::Io(cause) if cause.kind() == io::ErrorKind::InvalidData => {
            Sorted::Damaged(cause.to_string())
        }
        redb::Error::Io(cause) => Sorted::System(cause),
        cause @ (redb::Error::Backend(_)
        | redb::Error::Unsupported
        | redb::Error::PreviousIo
        | redb::Error::DatabaseClosed
        | redb::Error::LockPoisoned(_)
        | redb::Error::ValueTooLarge(_)
        | redb::Error::TransactionPoisoned) => Sorted::System(io::Error::other(cause)),
        cause => Sorted::Damaged(cause.to_string()),
    }
}

fn explain(doing: &'static str, path: &Path, source: io::Error) -> StoreError {
    let path = path.to_owned();
    if matches!(source.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) {
        return StoreError::NotPermitted { path, source };
    }
    if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
        return StoreError::DiskFull { free: free_near(&path), needed: OPEN_FREE_MIN };
    }
    StoreError::Io { doing, path, source }
}

/// For a message only: a disk that was full and cannot be measured has no room.
fn free_near(path: &Path) -> u64 {
    path.parent()
        .and_then(|dir| rustix::fs::statvfs(dir).ok())
        .map_or(0, |found| found.f_bavail.saturating_mul(found.f_frsize))
}

pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(PRIVATE_FILE);
    options
}

fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(PID_TEXT_MAX).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())
}
