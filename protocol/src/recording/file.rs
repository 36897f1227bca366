//! The file of a recording: parts one after the other, and at the end what tells that none is missing.

use std::collections::BTreeMap;

use super::{Entry, FORMAT, Part, Recording};
use crate::limits::{RECORDED_PART_MAX, RECORDING_MAX};
use crate::wire::{self, Blob, Malformed};

const MAGIC: &[u8; 8] = b"hallrec1";

/// Why a file was not read as a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It does not begin like one.
    #[error("this is no recording of a hallmesh node")]
    Other,
    /// Longer than any recording.
    #[error("{0} bytes, at most {RECORDING_MAX} are read")]
    TooLong(usize),
    /// Of a version this build does not read.
    #[error("version {0} of the file is not read by this build, only {FORMAT}")]
    Format(u16),
    /// Cut short, or bytes in it were changed.
    #[error("the recording is cut short or damaged")]
    Damaged,
    /// A part is no part.
    #[error("part {part} of the recording: {why}")]
    Part {
        /// Which, from 0.
        part: u64,
        /// Why.
        why: Malformed,
    },
    /// A part where it cannot stand.
    #[error("part {0} of the recording stands where it cannot")]
    Order(u64),
}

/// A file under construction.
pub(super) struct Writing {
    file: Vec<u8>,
    parts: u64,
}

impl Default for Writing {
    fn default() -> Self {
        Self { file: MAGIC.to_vec(), parts: 0 }
    }
}

impl Writing {
    pub(super) fn part(&mut self, part: &Part) {
        self.bytes(&wire::encode(part));
    }

    pub(super) fn bytes(&mut self, part: &[u8]) {
        let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
        self.file.extend_from_slice(&length.to_le_bytes());
        self.file.extend_from_slice(part);
        self.parts = self.parts.saturating_add(1);
    }

    pub(super) fn end(mut self) -> Vec<u8> {
        let end = Part::End(self.parts, *blake3::hash(&self.file).as_bytes());
        self.part(&end);
        self.file
    }
}

impl Recording {
    /// The file that holds it.
    pub fn encode(&self) -> Vec<u8> {
        let mut written = Writing::default();
        written.part(&Part::Header(Box::new(self.header.clone())));
        written.part(&Part::Memory(self.memory.clone()));
        for (key, value) in &self.rows {
            written.part(&Part::Row(key.clone().into(), value.clone()));
        }
        for entry in &self.entries {
            written.part(&Part::Came(entry.now, entry.came.clone()));
            if let Some(gave) = &entry.gave {
                written.part(&Part::Gave(gave.clone()));
            }
            if entry.committed {
                written.part(&Part::Committed);
            }
        }
        written.end()
    }

    /// Reads a file, whole or not at all.
    pub fn decode(file: &[u8]) -> Result<Self, Unreadable> {
        if file.len() > RECORDING_MAX {
            return Err(Unreadable::TooLong(file.len()));
        }
        let mut parts = Parts::of(file)?;
        let header = match parts.next()? {
            Part::Header(header) if header.format == FORMAT => *header,
            Part::Header(header) => return Err(Unreadable::Format(header.format)),
            Part::Memory(_)
            | Part::Row(..)
            | Part::Came(..)
            | Part::Gave(_)
            | Part::Committed
            | Part::End(..) => return Err(Unreadable::Order(0)),
        };
        let Part::Memory(memory) = parts.next()? else { return Err(Unreadable::Order(1)) };
        Self { header, memory, rows: BTreeMap::new(), entries: Vec::new() }.read(&mut parts)
    }

    fn read(mut self, parts: &mut Parts<'_>) -> Result<Self, Unreadable> {
        loop {
            let (at, place) = (parts.read, parts.place);
            let fits = match parts.next()? {
                Part::Row(key, value) => self.row(&key, value),
                Part::Came(now, came) => {
                    self.entries.push(Entry { now, came, gave: None, committed: false });
                    true
                }
                Part::Gave(gave) => {
                    let last = self.entries.last_mut().filter(|last| last.gave.is_none() && !last.committed);
                    last.map(|last| last.gave = Some(gave)).is_some()
                }
                Part::Committed => {
                    let last = self.entries.last_mut().filter(|last| last.gave.is_some() && !last.committed);
                    last.map(|last| last.committed = true).is_some()
                }
                Part::End(count, digest) => return parts.ended(count, digest, (at, place)).map(|()| self),
                Part::Header(_) | Part::Memory(_) => false,
            };
            if !fits {
                return Err(Unreadable::Order(at));
            }
        }
    }

    /// Rows come in key order, before anything that came.
    fn row(&mut self, key: &Blob, value: Blob) -> bool {
        let ascends = self.rows.last_key_value().is_none_or(|(last, _)| last.as_slice() < key.as_bytes());
        self.rows.insert(key.as_bytes().to_vec(), value);
        ascends && self.entries.is_empty()
    }
}

/// The parts of a file, one after the other.
struct Parts<'a> {
    file: &'a [u8],
    place: usize,
    read: u64,
}

impl<'a> Parts<'a> {
    fn of(file: &'a [u8]) -> Result<Self, Unreadable> {
        if !file.starts_with(MAGIC) {
            return Err(Unreadable::Other);
        }
        Ok(Self { file, place: MAGIC.len(), read: 0 })
    }

    fn next(&mut self) -> Result<Part, Unreadable> {
        let rest = self.file.get(self.place..).unwrap_or_default();
        let (length, rest) = rest.split_first_chunk::<4>().ok_or(Unreadable::Damaged)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let bytes = rest.get(..length).ok_or(Unreadable::Damaged)?;
        let part = self.read;
        let read = wire::decode(bytes, RECORDED_PART_MAX).map_err(|why| Unreadable::Part { part, why })?;
        self.read = part.saturating_add(1);
        self.place = self.place.saturating_add(4).saturating_add(length);
        Ok(read)
    }

    /// Whether the end is that of this file: so many parts, these bytes, and none after it.
    fn ended(&self, count: u64, digest: [u8; 32], (before, place): (u64, usize)) -> Result<(), Unreadable> {
        let told = self.file.get(..place).map(|bytes| *blake3::hash(bytes).as_bytes());
        let whole = count == before && told == Some(digest) && self.place == self.file.len();
        if whole { Ok(()) } else { Err(Unreadable::Damaged) }
    }
}
