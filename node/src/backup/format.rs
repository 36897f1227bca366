//! The parts of a backup file: written one after the other, and read again in the same order.

use std::io::{self, Read, Write};

use hallmesh_protocol::ids::{HallAt, HallId};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::error::BackupError;
use super::pieces::{PIECE_BYTES_MAX, Piece};
use crate::hex::hex;

/// The version of the form that this build writes and reads.
pub const BACKUP_VERSION: u32 = 1;
const MAGIC: [u8; 16] = *b"hallmesh/backup\n";
/// Kind and length.
const PREFIX: usize = 5;

/// What a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Head,
    Rows,
    End,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Head, Self::Rows, Self::End];

    const fn byte(self) -> u8 {
        match self {
            Self::Head => 1,
            Self::Rows => 2,
            Self::End => 3,
        }
    }
}

/// Whose rows they are and when they were taken. A later build may say more here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The hall.
    pub hall: HallId,
    /// Which life of it.
    pub incarnation: u32,
    /// Milliseconds since 1970 by the clock of the hall's machine.
    pub made: u64,
    /// The version of the software that made it.
    pub software: String,
}

impl Head {
    /// The head of a backup that this build makes.
    pub fn new(at: HallAt, made: u64) -> Self {
        let software = env!("CARGO_PKG_VERSION").to_owned();
        Self { hall: at.hall, incarnation: at.incarnation, made, software }
    }

    /// The hall and its life.
    pub const fn at(&self) -> HallAt {
        HallAt { hall: self.hall, incarnation: self.incarnation }
    }
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Rows in it.
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// What `sha256sum` says of the file.
    pub sha256: String,
}

/// A backup file that is being written.
pub struct Writing<W> {
    out: W,
    sum: Sha256,
    check: [u8; 32],
    rows: u64,
    parts: u64,
    bytes: u64,
}

impl<W: Write> Writing<W> {
    /// Begins a file.
    pub fn begin(out: W, head: &Head) -> Result<Self, BackupError> {
        let beginning = [MAGIC.as_slice(), &BACKUP_VERSION.to_be_bytes()].concat();
        let check = *blake3::hash(&beginning).as_bytes();
        let mut writing = Self { out, sum: Sha256::new(), check, rows: 0, parts: 0, bytes: 0 };
        writing.put(&beginning).map_err(BackupError::NotWritten)?;
        let head = serde_json::to_vec(head).map_err(|cause| BackupError::NotWritten(cause.into()))?;
        writing.part(Kind::Head, &head)?;
        Ok(writing)
    }

    /// Adds a piece.
    pub fn add(&mut self, piece: &Piece) -> Result<(), BackupError> {
        self.rows = self.rows.saturating_add(piece.count);
        self.part(Kind::Rows, &piece.rows)
    }

    /// Bytes so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Ends the file. Whoever owns it has to make it durable.
    pub fn end(mut self) -> Result<Written, BackupError> {
        let counts = [self.rows.to_be_bytes(), self.parts.to_be_bytes()].concat();
        self.part(Kind::End, &counts)?;
        self.out.flush().map_err(BackupError::NotWritten)?;
        Ok(Written { rows: self.rows, bytes: self.bytes, sha256: hex(&self.sum.finalize()) })
    }

    fn part(&mut self, kind: Kind, content: &[u8]) -> Result<(), BackupError> {
        let prefix = prefix(kind, content);
        self.check = check(&self.check, &prefix, content);
        self.parts = self.parts.saturating_add(1);
        let check = self.check;
        let written = self.put(&prefix).and_then(|()| self.put(content)).and_then(|()| self.put(&check));
        written.map_err(BackupError::NotWritten)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.sum.update(bytes);
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Ok(())
    }
}

/// A part that was read and is as it was written.
pub(super) struct Part {
    pub(super) kind: Kind,
    pub(super) content: Vec<u8>,
    /// Where it begins in the file.
    pub(super) at: u64,
    /// The check that it follows on, and its own.
    pub(super) before: [u8; 32],
    pub(super) check: [u8; 32],
}

/// A backup file that is being read from its beginning.
pub(super) struct Reading<R> {
    from: R,
    sum: Sha256,
    check: [u8; 32],
    at: u64,
}

impl<R: Read> Reading<R> {
    /// Reads the beginning.
    pub(super) fn begin(from: R) -> Result<Self, BackupError> {
        let mut reading = Self { from, sum: Sha256::new(), check: [0; 32], at: 0 };
        match reading.array::<16>() {
            Ok(MAGIC) => {}
            Err(unreadable @ BackupError::Unreadable(_)) => return Err(unreadable),
            Ok(_) | Err(_) => return Err(BackupError::NotABackup),
        }
        let version = u32::from_be_bytes(reading.array()?);
        if version != BACKUP_VERSION {
            return Err(BackupError::OtherVersion { found: version, known: BACKUP_VERSION });
        }
        let beginning = [MAGIC.as_slice(), &version.to_be_bytes()].concat();
        reading.check = *blake3::hash(&beginning).as_bytes();
        Ok(reading)
    }

    /// Reads the next part.
    pub(super) fn part(&mut self) -> Result<Part, BackupError> {
        let (at, before) = (self.at, self.check);
        let prefix = self.array::<PREFIX>()?;
        let damaged = || BackupError::Damaged { at };
        let (kind, length) = parsed(prefix).ok_or_else(damaged)?;
        let mut content = vec![0; length];
        self.fill(&mut content)?;
        let stated = self.array::<32>()?;
        if stated != check(&before, &prefix, &content) {
            return Err(damaged());
        }
        self.check = stated;
        Ok(Part { kind, content, at, before, check: stated })
    }

    /// Makes sure that nothing follows. Gives the file's size and its SHA-256.
    pub(super) fn end(mut self) -> Result<(u64, String), BackupError> {
        let at = self.at;
        let more = self.from.read(&mut [0; 1]).map_err(BackupError::Unreadable)?;
        if more > 0 { Err(BackupError::Damaged { at }) } else { Ok((at, hex(&self.sum.finalize()))) }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BackupError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), BackupError> {
        let at = self.at;
        self.from.read_exact(bytes).map_err(|cause| unreadable(cause, at))?;
        self.sum.update(&*bytes);
        self.at = at.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Ok(())
    }
}

/// The content of a part whose place and checks are known, read once more.
pub(super) fn again(mut from: impl Read, part: &Known) -> Result<Vec<u8>, BackupError> {
    let mut prefix = [0; PREFIX];
    let damaged = || BackupError::Damaged { at: part.at };
    from.read_exact(&mut prefix).map_err(|cause| unreadable(cause, part.at))?;
    let (_, length) = parsed(prefix).ok_or_else(damaged)?;
    let mut content = vec![0; length];
    from.read_exact(&mut content).map_err(|cause| unreadable(cause, part.at))?;
    if check(&part.before, &prefix, &content) == part.check { Ok(content) } else { Err(damaged()) }
}

/// Where a part is and what it must be.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) at: u64,
    pub(super) before: [u8; 32],
    pub(super) check: [u8; 32],
}

fn unreadable(cause: io::Error, at: u64) -> BackupError {
    if cause.kind() == io::ErrorKind::UnexpectedEof {
        return BackupError::CutShort { at };
    }
    BackupError::Unreadable(cause)
}

fn prefix(kind: Kind, content: &[u8]) -> [u8; PREFIX] {
    let [a, b, c, d] = u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes();
    [kind.byte(), a, b, c, d]
}

/// Kind and length of a part, if they can be.
fn parsed([kind, length @ ..]: [u8; PREFIX]) -> Option<(Kind, usize)> {
    let kind = Kind::ALL.into_iter().find(|known| known.byte() == kind)?;
    let length = usize::try_from(u32::from_be_bytes(length)).ok()?;
    (length <= PIECE_BYTES_MAX).then_some((kind, length))
}

fn check(before: &[u8; 32], prefix: &[u8], content: &[u8]) -> [u8; 32] {
    *blake3::Hasher::new().update(before).update(prefix).update(content).finalize().as_bytes()
}
