//! Files that the command line reads and writes.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;

use crate::home::files::sync_dir_of;
use crate::ops::Problem;

/// A larger file is none of those that are read here: requests, cards, applications.
const FILE_MAX: u64 = 4 << 20;
/// The mode of a file that anyone may read, as far as the process lets them.
const FOR_ALL: u32 = 0o666;
const FOR_ITS_OWNER: u32 = 0o600;

/// A whole text file; `-` is what is typed or piped in.
pub(super) fn read(path: &Path) -> Result<String, Problem> {
    read_up_to(path, FILE_MAX)
}

/// The same with a limit of its own.
pub(super) fn read_up_to(path: &Path, max: u64) -> Result<String, Problem> {
    let name = path.display();
    let unreadable = |cause: io::Error| {
        if cause.kind() == io::ErrorKind::InvalidData {
            return Problem::new("file.not_text").with("file", name.to_string());
        }
        Problem::new("file.unreadable").with("file", name.to_string()).with("reason", cause)
    };
    let mut text = String::new();
    let mut limited: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(io::stdin().lock().take(max.saturating_add(1)))
    } else {
        Box::new(fs::File::open(path).map_err(unreadable)?.take(max.saturating_add(1)))
    };
    let read = limited.read_to_string(&mut text).map_err(unreadable)?;
    if u64::try_from(read).unwrap_or(u64::MAX) > max {
        return Err(Problem::new("file.too_large").with("file", name).with("max", max));
    }
    // Editors on Windows begin a text with a byte order mark.
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// A new file, there whole or not at all, also after a power cut; one that is there is left alone.
pub(super) fn write_new(path: &Path, text: &str) -> Result<(), Problem> {
    write(path, text.as_bytes(), FOR_ALL)
}

/// The same of what is no text.
pub(super) fn write_new_bytes(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    write(path, bytes, FOR_ALL)
}

/// The same for its owner's eyes only.
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    write(path, bytes, FOR_ITS_OWNER)
}

/// The same for what is too large to be in memory at once: `fill` writes it.
pub(super) fn write_private_with<T>(
    path: &Path,
    fill: impl FnOnce(&mut fs::File) -> Result<T, Problem>,
) -> Result<T, Problem> {
    write_with(path, FOR_ITS_OWNER, fill)
}

/// Refuses a path where something is.
pub(super) fn refuse_existing(path: &Path) -> Result<(), Problem> {
    if path.symlink_metadata().is_ok() {
        return Err(not_written(path, io::ErrorKind::AlreadyExists.into()));
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Problem> {
    write_with(path, mode, |file| file.write_all(bytes).map_err(|cause| not_written(path, cause)))
}

fn write_with<T>(
    path: &Path,
    mode: u32,
    fill: impl FnOnce(&mut fs::File) -> Result<T, Problem>,
) -> Result<T, Problem> {
    refuse_existing(path)?;
    let (unfinished, failed) = (unfinished(path), |cause| not_written(path, cause));
    let written = begin(&unfinished, mode).map_err(failed).and_then(|mut file| {
        let filled = fill(&mut file)?;
        file.sync_all().and_then(|()| rename_new(&unfinished, path)).map_err(failed)?;
        Ok(filled)
    });
    if written.is_err() {
        // There is nothing left to do about a file that cannot be removed either.
        let _left_over = fs::remove_file(&unfinished);
    }
    let filled = written?;
    let kept = sync_dir_of(path).inspect_err(|_| {
        let _left_over = fs::remove_file(path);
    });
    kept.map_err(failed).map(|()| filled)
}

fn not_written(path: &Path, cause: io::Error) -> Problem {
    if cause.kind() == io::ErrorKind::AlreadyExists {
        return Problem::new("file.exists").with("file", path.display());
    }
    Problem::new("file.not_written").with("file", path.display()).with("reason", cause)
}

/// Beside the file, or it could not be renamed; of this process, or two would write into one.
fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    name.into()
}

fn begin(path: &Path, mode: u32) -> io::Result<fs::File> {
    // Of an earlier process of the same number, which a power cut ended.
    fs::remove_file(path)
        .or_else(|cause| if cause.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(cause) })?;
    fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path)
}

/// Gives a file its name unless something has it. File systems of the network know no such renaming but have
/// links; those of USB sticks have no links.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            fs::hard_link(from, to)?;
            fs::remove_file(from)
        }
        renamed => Ok(renamed?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_is_alone_and_one_that_is_there_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("request.txt");
        write_new(&path, "first").unwrap();
        assert_eq!(write_new(&path, "second").unwrap_err().code, "file.exists");
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        let nowhere = dir.path().join("none").join("request.txt");
        assert_eq!(write_new(&nowhere, "first").unwrap_err().code, "file.not_written");
    }

    #[test]
    fn a_private_file_is_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hall.hallrec");
        write_private(&path, &[0, 159, 146, 150]).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(write_private(&path, b"second").unwrap_err().code, "file.exists");
        assert_eq!(fs::read(&path).unwrap(), [0, 159, 146, 150]);
    }

    #[test]
    fn what_appears_meanwhile_is_not_replaced_and_nothing_is_left_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("request.txt");
        fs::write(&path, "first").unwrap();
        let unfinished = unfinished(&path);
        begin(&unfinished, FOR_ALL).unwrap().write_all(b"second").unwrap();
        assert_eq!(rename_new(&unfinished, &path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        // A name that is too long fails after the file was written beside it, if at all.
        let long = dir.path().join("x".repeat(250));
        assert_eq!(write_new(&long, "third").unwrap_err().code, "file.not_written");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }
}
