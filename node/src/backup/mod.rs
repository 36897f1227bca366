//! Backups: all rows of a hall as they were at one moment, in one file, and the way back.
//!
//! Promises: a file under its final name is whole; one bit that was turned over, a cut or something added is found
//! before anything is done with it; nothing is restored over something else; a restored hall does not run before it
//! has been given a new life ([`crate::home::Recovery`]). A running node goes on while its backup is made.
//!
//! In the file are the rows and nothing else. The secret keys of the hall and of its clerks are not: a restored hall
//! lives a new life with new keys. What is sealed in cases stays sealed. The cards of the hall's own clerks (name,
//! roles, public key) are the only rows that name a person in clear. The checks find damage, not forgery: whoever can
//! write the medium can make a file that passes, so that the SHA-256 of the file is what people write down.
//!
//! ```text
//! "hallmesh/backup\n"   version (4 bytes)
//! part                  kind (1)  length (4)  content  check (32)
//! part ...
//! ```
//! Numbers are big-endian. A check is BLAKE3 over the check before it, kind, length and content, so that no part can
//! be left out, doubled or moved; the first one follows on that of the first 20 bytes. The first part is the [`Head`]
//! as JSON, the last one counts rows and parts; between them are rows, in the order of their keys, each with the
//! lengths of key and value in front.

mod archive;
mod error;
mod format;
mod pieces;
mod restore;
#[cfg(test)]
mod tests;

pub use archive::{Archive, Contents};
pub use error::BackupError;
pub use format::{BACKUP_VERSION, Head, Writing, Written};
pub(crate) use pieces::owner;
pub use pieces::{PIECE_BYTES, Piece, piece};
pub use restore::{Restored, restore};
