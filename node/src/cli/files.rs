//! Files that the command line reads and writes.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use crate::ops::Problem;

/// A larger file is none of those that are read here: requests, cards, applications.
const FILE_MAX: u64 = 4 << 20;

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

/// A new file; one that is there is left alone.
pub(super) fn write_new(path: &Path, text: &str) -> Result<(), Problem> {
    use std::io::Write as _;
    let written = fs::OpenOptions::new().write(true).create_new(true).open(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|cause| {
        if cause.kind() == io::ErrorKind::AlreadyExists {
            return Problem::new("file.exists").with("file", path.display());
        }
        Problem::new("file.not_written").with("file", path.display()).with("reason", cause)
    })
}
