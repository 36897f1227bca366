//! Why a data directory cannot be used.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use hallmesh_protocol::ids::HallId;
use thiserror::Error;

use super::seal::SealError;
use crate::store::StoreError;

/// Why a data directory cannot be made or used. The texts here are for the log; what a person reads is in
/// the message catalogues, under [`HomeError::code`].
#[derive(Debug, Error)]
pub enum HomeError {
    /// There is no hall in this directory.
    #[error("no hall in {}", dir.display())]
    Missing {
        /// Which directory.
        dir: PathBuf,
    },
    /// This hall is in this directory already. Nothing was changed.
    #[error("this hall is in {} already", dir.display())]
    Exists {
        /// Which directory.
        dir: PathBuf,
    },
    /// The directory is another hall's. Nothing was changed.
    #[error("{} belongs to {found}, not {wanted}", dir.display())]
    OtherHall {
        /// Which directory.
        dir: PathBuf,
        /// Whose it is.
        found: HallId,
        /// Whose it was to be.
        wanted: HallId,
    },
    /// The directory holds something that is not a hall's. Nothing was changed.
    #[error("{} is in the way", path.display())]
    Foreign {
        /// What was found.
        path: PathBuf,
    },
    /// A file stands where a directory should.
    #[error("{} is not a directory", path.display())]
    NotADirectory {
        /// Which path.
        path: PathBuf,
    },
    /// The user of this process may not read or write here.
    #[error("no permission for {}", path.display())]
    NotPermitted {
        /// Which path.
        path: PathBuf,
    },
    /// Too little room.
    #[error("the disk is full: {free} bytes free, {needed} needed")]
    DiskFull {
        /// Bytes free.
        free: u64,
        /// Bytes that have to be free.
        needed: u64,
    },
    /// Another process is at work in this directory.
    #[error("another process works in {}", dir.display())]
    InUse {
        /// Which directory.
        dir: PathBuf,
    },
    /// A secret that people other than its owner can read or change.
    #[error("{} is open to others (mode {mode:04o})", path.display())]
    OpenToOthers {
        /// Which file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// A file that has to be there is not.
    #[error("{} is missing", path.display())]
    NoFile {
        /// Which file.
        path: PathBuf,
    },
    /// A file is not what was written.
    #[error("{} is damaged", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
    },
    /// A file is far too large to be what it should.
    #[error("{} is over {max} bytes", path.display())]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// The limit.
        max: u64,
    },
    /// A hall's name has 1 to `max` characters, all of them visible.
    #[error("not a hall's name: 1 to {max} visible characters")]
    BadName {
        /// The limit.
        max: usize,
    },
    /// A clerk's number is from 1 to `max`.
    #[error("clerk {number} is not from 1 to {max}")]
    ClerkNumber {
        /// The number.
        number: u16,
        /// The limit.
        max: u16,
    },
    /// The clerk has a key here already. Nothing was changed.
    #[error("clerk {number} has a key already")]
    ClerkKeyExists {
        /// The clerk.
        number: u16,
    },
    /// The clerk has no key here.
    #[error("clerk {number} has no key here")]
    ClerkKeyMissing {
        /// The clerk.
        number: u16,
    },
    /// Sealed keys do not open, or cannot be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The disk cannot be measured.
    #[error(transparent)]
    Store(StoreError),
    /// The system failed.
    #[error("could not {doing}: {}: {source}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl HomeError {
    /// Stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "home.missing",
            Self::Exists { .. } => "home.exists",
            Self::OtherHall { .. } => "home.other_hall",
            Self::Foreign { .. } => "home.foreign",
            Self::NotADirectory { .. } => "home.not_a_directory",
            Self::NotPermitted { .. } => "home.not_permitted",
            Self::DiskFull { .. } => "home.disk_full",
            Self::InUse { .. } => "home.in_use",
            Self::OpenToOthers { .. } => "home.open_to_others",
            Self::NoFile { .. } => "home.no_file",
            Self::Damaged { .. } => "home.damaged",
            Self::TooLarge { .. } => "home.too_large",
            Self::BadName { .. } => "home.bad_name",
            Self::ClerkNumber { .. } => "home.clerk_number",
            Self::ClerkKeyExists { .. } => "home.clerk_key_exists",
            Self::ClerkKeyMissing { .. } => "home.clerk_key_missing",
            Self::Seal(why) => why.code(),
            Self::Store(_) => "home.store",
            Self::Io { .. } => "home.io",
        }
    }

    /// Parameters of the sentence under [`HomeError::code`].
    pub fn params(&self) -> BTreeMap<String, String> {
        let found = match self {
            Self::Missing { dir } | Self::Exists { dir } | Self::InUse { dir } => {
                vec![("dir", dir.display().to_string())]
            }
            Self::OtherHall { dir, found, wanted } => vec![
                ("dir", dir.display().to_string()),
                ("found", found.to_string()),
                ("wanted", wanted.to_string()),
            ],
            Self::Foreign { path }
            | Self::NotADirectory { path }
            | Self::NotPermitted { path }
            | Self::NoFile { path }
            | Self::Damaged { path } => vec![("path", path.display().to_string())],
            Self::DiskFull { free, needed } => {
                vec![("free", free.to_string()), ("needed", needed.to_string())]
            }
            Self::OpenToOthers { path, mode } => {
                vec![("path", path.display().to_string()), ("mode", format!("{mode:04o}"))]
            }
            Self::TooLarge { path, max } => {
                vec![("path", path.display().to_string()), ("max", max.to_string())]
            }
            Self::BadName { max } => vec![("max", max.to_string())],
            Self::ClerkNumber { number, max } => {
                vec![("number", number.to_string()), ("max", max.to_string())]
            }
            Self::ClerkKeyExists { number } | Self::ClerkKeyMissing { number } => {
                vec![("number", number.to_string())]
            }
            Self::Seal(why) => return why.params(),
            Self::Store(cause) => vec![("reason", cause.to_string())],
            Self::Io { path, source, .. } => {
                vec![("path", path.display().to_string()), ("reason", source.to_string())]
            }
        };
        found.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}
