//! What can go wrong with the disk: refusals and failures of a call, and faults met while reading.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why the store refused or failed. Nothing was written by a call that returned one, except that after
/// [`StoreError::Io`] from a commit only a new start can tell what the disk holds.
#[derive(Debug, Error)]
pub enum StoreError {
    /// There is no database here. A node is made once, on purpose, never by starting it.
    #[error("there is no database at {}", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// There is a database here already.
    #[error("there is a database at {} already", path.display())]
    Exists {
        /// Where it is.
        path: PathBuf,
    },
    /// Another process works in this data directory.
    #[error("another process works in this data directory ({})", holder(*pid))]
    InUse {
        /// That process, where it could be told.
        pid: Option<u32>,
    },
    /// The disk has less room than the store needs to work safely.
    #[error("the disk is full: {free} bytes free, {needed} needed")]
    DiskFull {
        /// Bytes the user of this process may still write.
        free: u64,
        /// Bytes that have to be free.
        needed: u64,
    },
    /// The user of this process may not read or write a file.
    #[error("no permission for {}", path.display())]
    NotPermitted {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is no database, or not as it was written.
    #[error("the database at {} is damaged: {detail}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The system failed.
    #[error("could not {doing}: {}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An earlier error stopped this store; start the node again.
    #[error("the store has stopped after an earlier error")]
    Stopped,
}

/// A row cannot be read. Reading has no error to return, so this ends the process.
#[derive(Debug, Error)]
pub enum Fault {
    /// The row under `key` is not what was written.
    #[error("the stored row {} is damaged", key.escape_ascii())]
    RowDamaged {
        /// Which row.
        key: Vec<u8>,
    },
    /// The disk or the file did not let itself be read.
    #[error("cannot read {}: {cause}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the database said.
        cause: redb::StorageError,
    },
}

/// How to stop on a fault. It does not return: going on would mean to act on rows that are not there.
pub type OnFault = fn(&Fault) -> !;

/// Says what is wrong and ends the process at once; the service manager starts it again.
pub fn stop_process(fault: &Fault) -> ! {
    tracing::error!(%fault, "the disk cannot be trusted: stopping. The next start checks the whole database");
    std::process::abort()
}

/// Stops only the reading, for a command that reads rows inside [`guarded`] and tells people what it met.
pub fn unwind(fault: &Fault) -> ! {
    std::panic::resume_unwind(Box::new(Met(fault.to_string())))
}

/// Runs something that reads rows of a store opened with [`unwind`]. A fault is an error of it.
pub fn guarded<T>(path: &Path, read: impl FnOnce() -> T) -> Result<T, StoreError> {
    // What was read is dropped with the reader: nobody sees a half of it.
    catch_unwind(AssertUnwindSafe(read)).map_err(|stopped| match stopped.downcast::<Met>() {
        Ok(fault) => StoreError::Damaged { path: path.to_owned(), detail: fault.0 },
        Err(other) => std::panic::resume_unwind(other),
    })
}

/// What a reader met.
struct Met(String);

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "process unknown".to_owned(), |pid| format!("process {pid}"))
}
