//! Why a backup was not made, not read or not restored.

use std::collections::BTreeMap;
use std::io;

use hallmesh_protocol::sound::Unsound;
use thiserror::Error;

use crate::home::HomeError;
use crate::store::StoreError;

/// Why a backup was not made, not read or not restored. The texts are for the log; what a person reads is in the
/// message catalogues, under [`BackupError::code`].
#[derive(Debug, Error)]
pub enum BackupError {
    /// The file does not begin like a backup.
    #[error("not a backup of hallmesh")]
    NotABackup,
    /// Written in a form that this build does not read.
    #[error("a backup of version {found}, this build reads {known}")]
    OtherVersion {
        /// Its version.
        found: u32,
        /// The one that is read.
        known: u32,
    },
    /// It stops before its end.
    #[error("cut short at byte {at}")]
    CutShort {
        /// How far it goes.
        at: u64,
    },
    /// It is not as it was written.
    #[error("damaged in the part that begins at byte {at}")]
    Damaged {
        /// Where the part begins.
        at: u64,
    },
    /// It is as it was written, and what was written is not what a node's store would hold.
    #[error("the rows are not a node's: {0}")]
    Unsound(#[from] Unsound),
    /// The file cannot be read.
    #[error("the backup cannot be read: {0}")]
    Unreadable(io::Error),
    /// The file cannot be written.
    #[error("the backup cannot be written: {0}")]
    NotWritten(io::Error),
    /// Another backup was begun, or the node was started anew.
    #[error("another backup was begun")]
    Replaced,
    /// The data directory.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The database could not be made.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl BackupError {
    /// Stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotABackup => "backup.not_a_backup",
            Self::OtherVersion { .. } => "backup.other_version",
            Self::CutShort { .. } => "backup.cut_short",
            Self::Damaged { .. } => "backup.damaged",
            Self::Unsound(_) => "backup.unsound",
            Self::Unreadable(_) => "backup.unreadable",
            Self::NotWritten(_) => "backup.not_written",
            Self::Replaced => "backup.replaced",
            Self::Home(cause) => cause.code(),
            Self::Store(_) => "backup.store",
        }
    }

    /// Parameters of the sentence under [`BackupError::code`].
    pub fn params(&self) -> BTreeMap<String, String> {
        let found = match self {
            Self::NotABackup | Self::Replaced => Vec::new(),
            Self::OtherVersion { found, known } => {
                vec![("found", found.to_string()), ("known", known.to_string())]
            }
            Self::CutShort { at } | Self::Damaged { at } => vec![("at", at.to_string())],
            Self::Unsound(cause) => vec![("reason", cause.to_string())],
            Self::Unreadable(cause) | Self::NotWritten(cause) => vec![("reason", cause.to_string())],
            Self::Home(cause) => return cause.params(),
            Self::Store(cause) => vec![("reason", cause.to_string())],
        };
        found.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}
