//! Private files: written whole or not at all, and not read when others could have read them.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;
use zeroize::Zeroizing;

use super::HomeError;
use crate::store::{CREATE_FREE_MIN, StoreError, free_bytes};

/// What a file is called while it is being written.
pub(crate) const UNFINISHED: &str = "new";

const PRIVATE_FILE: u32 = 0o600;
const PRIVATE_DIR: u32 = 0o700;
/// What of a mode is for people other than the owner.
const OTHERS: u32 = 0o077;
const MODE: u32 = 0o7777;

/// Keeps other processes of this program out of a directory until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _dir: File,
}

/// Locks a directory, or says who is faster.
pub(crate) fn lock(dir: &Path) -> Result<Lock, HomeError> {
    let file = File::open(dir).map_err(|cause| explain("open", dir, cause))?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Lock { _dir: file }),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(HomeError::InUse { dir: dir.to_owned() }),
        Err(cause) => Err(explain("lock", dir, cause.into())),
    }
}

/// Makes a directory that is the owner's alone; one that is there stays as it is.
pub(crate) fn make_dir(dir: &Path) -> Result<(), HomeError> {
    let made = DirBuilder::new().recursive(true).mode(PRIVATE_DIR).create(dir);
    made.map_err(|cause| explain("make the directory", dir, cause))
}

/// Refuses to begin on a disk that has less than `needed` bytes left.
pub(crate) fn refuse_if_low(dir: &Path, needed: u64) -> Result<(), HomeError> {
    let measured = dir.ancestors().find(|dir| dir.is_dir()).unwrap_or(Path::new("."));
    let free = free_bytes(measured).map_err(HomeError::Store)?;
    if free < needed { Err(HomeError::DiskFull { free, needed }) } else { Ok(()) }
}

/// Writes a file that only its owner can read. After a power cut it is there whole, or not at all.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), HomeError> {
    let unfinished = unfinished(path);
    let written = fresh(&unfinished)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&unfinished, path))
        .and_then(|()| sync_dir_of(path));
    written.map_err(|cause| {
        // What is left of a failed attempt is in nobody's way: the next one replaces it.
        let _left_over = fs::remove_file(&unfinished);
        explain("write", path, cause)
    })
}

/// Removes a file, if it is there.
pub(crate) fn remove(path: &Path) -> Result<(), HomeError> {
    match fs::remove_file(path).and_then(|()| sync_dir_of(path)) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(explain("remove", path, cause)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Overwrites a file with zeros and removes it. A disk that spreads its writes may keep the old bytes all the same.
pub(crate) fn erase(path: &Path) -> Result<(), HomeError> {
    let length = fs::metadata(path).map_err(|cause| explain("erase", path, cause))?.len();
    let erased = OpenOptions::new().write(true).open(path).and_then(|mut file| {
        io::copy(&mut io::repeat(0).take(length), &mut file)?;
        file.sync_all()
    });
    erased.map_err(|cause| explain("erase", path, cause))?;
    remove(path)
}

/// Reads a file of at most `max` bytes that nobody but its owner could have read.
pub(crate) fn read_private(path: &Path, max: u64) -> Result<Zeroizing<Vec<u8>>, HomeError> {
    let file = File::open(path).map_err(|cause| explain("read", path, cause))?;
    refuse_open_to_others(path, &file)?;
    read_from(file, path, max)
}

/// Reads a file of at most `max` bytes.
pub(crate) fn read(path: &Path, max: u64) -> Result<Zeroizing<Vec<u8>>, HomeError> {
    let file = File::open(path).map_err(|cause| explain("read", path, cause))?;
    read_from(file, path, max)
}

/// Refuses a file that people other than its owner can read or change.
pub(crate) fn refuse_open(path: &Path) -> Result<(), HomeError> {
    let file = File::open(path).map_err(|cause| explain("read", path, cause))?;
    refuse_open_to_others(path, &file)
}

/// Whether something is there.
pub(crate) fn exists(path: &Path) -> Result<bool, HomeError> {
    path.try_exists().map_err(|cause| explain("look for", path, cause))
}

/// The names in a directory, ascending; none if there is no such directory.
pub(crate) fn names(dir: &Path) -> Result<Vec<String>, HomeError> {
    let entries = match fs::read_dir(dir) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|cause| explain("list", dir, cause))?,
    };
    let name = |entry: io::Result<fs::DirEntry>| {
        let entry = entry.map_err(|cause| explain("list", dir, cause))?;
        Ok(entry.file_name().to_string_lossy().into_owned())
    };
    let mut names = entries.map(name).collect::<Result<Vec<_>, HomeError>>()?;
    names.sort_unstable();
    Ok(names)
}

/// Makes the names in a directory survive a power cut.
pub(crate) fn sync_dir_of(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => File::open(dir)?.sync_all(),
        Some(_) | None => File::open(".")?.sync_all(),
    }
}

/// Sorts what the system said into what a person can do about it.
pub(crate) fn explain(doing: &'static str, path: &Path, source: io::Error) -> HomeError {
    let path = path.to_owned();
    #[expect(clippy::wildcard_enum_match_arm, reason = "the system's errors are not ours, and open-ended")]
    match source.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            HomeError::NotPermitted { path }
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            HomeError::DiskFull { free: free_near(&path), needed: CREATE_FREE_MIN }
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => HomeError::NotADirectory { path },
        io::ErrorKind::NotFound => HomeError::NoFile { path },
        _ => HomeError::Io { doing, path, source },
    }
}

fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(UNFINISHED);
    PathBuf::from(name)
}

/// An empty private file, in the place of what an earlier attempt left, whatever its mode was.
fn fresh(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
        Ok(()) | Err(_) => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(PRIVATE_FILE).open(path)
}

fn refuse_open_to_others(path: &Path, file: &File) -> Result<(), HomeError> {
    let metadata = file.metadata().map_err(|cause| explain("read", path, cause))?;
    let mode = metadata.permissions().mode() & MODE;
    if mode & OTHERS == 0 { Ok(()) } else { Err(HomeError::OpenToOthers { path: path.to_owned(), mode }) }
}

/// Room for the whole text is taken at once: a buffer that grows would leave copies of a secret behind.
fn read_from(file: File, path: &Path, max: u64) -> Result<Zeroizing<Vec<u8>>, HomeError> {
    let length = file.metadata().map_err(|cause| explain("read", path, cause))?.len();
    let room = usize::try_from(length.min(max).saturating_add(1)).unwrap_or_default();
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    let read = file.take(max.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|cause| explain("read", path, cause))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= max) {
        Ok(bytes)
    } else {
        Err(HomeError::TooLarge { path: path.to_owned(), max })
    }
}

/// For a message only: a disk that was full and cannot be measured has no room.
fn free_near(path: &Path) -> u64 {
    let dir = path.ancestors().skip(1).find(|dir| dir.is_dir());
    let free: Option<Result<u64, StoreError>> = dir.map(free_bytes);
    free.and_then(Result::ok).unwrap_or(0)
}
