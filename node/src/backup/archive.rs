//! A backup file that was read to its end and found whole: its rows, as the core reads rows.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{BufReader, Seek, SeekFrom};
use std::path::Path;
use std::rc::Rc;

use hallmesh_protocol::ids::{Digest, HallAt};
use hallmesh_protocol::query;
use hallmesh_protocol::rows::table_word;
use hallmesh_protocol::sound::{self, Unsound};
use hallmesh_protocol::step::{Bytes, View};
use hallmesh_protocol::{directory::Directory, genesis};

use super::error::BackupError;
use super::format::{self, Head, Kind, Known, Part, Reading};
use super::pieces::rows_in;

/// Pieces kept in memory at the most: looking things up goes to and fro between few places of the file.
const PIECES_MAX: usize = 32;

/// A backup file whose every part was checked, and whose rows are a node's.
pub struct Archive {
    file: File,
    head: Head,
    pieces: Vec<Place>,
    kept: RefCell<VecDeque<(usize, Rc<Rows>)>>,
    failed: RefCell<Option<BackupError>>,
    contents: Contents,
}

/// What is in a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// The hall and the life that the rows are of.
    pub at: HallAt,
    /// The hall's name by its charter.
    pub name: String,
    /// The SHA-256 of the root policy's record.
    pub anchor: Digest,
    /// Milliseconds since 1970 by the clock of the machine that made it.
    pub made: u64,
    /// The version of the software that made it.
    pub software: String,
    /// Rows.
    pub rows: u64,
    /// Rows by table.
    pub tables: BTreeMap<&'static str, u64>,
    /// How much they are.
    pub counts: query::Counts,
    /// Bytes of the file.
    pub bytes: u64,
    /// What `sha256sum` says of the file.
    pub sha256: String,
}

/// A piece in the file.
struct Place {
    first: Vec<u8>,
    known: Known,
}

/// The rows of a piece.
type Rows = Vec<(Vec<u8>, Bytes)>;

impl Archive {
    /// Opens a backup and looks at everything in it. `progress` is told how many bytes were read.
    pub fn open(path: &Path, progress: &mut dyn FnMut(u64)) -> Result<Self, BackupError> {
        let file = File::open(path).map_err(BackupError::Unreadable)?;
        let mut reading = Reading::begin(BufReader::new(&file))?;
        let mut first = First::default();
        let head = first.head(&reading.part()?)?;
        let (bytes, sha256) = loop {
            let part = reading.part()?;
            progress(part.at);
            match part.kind {
                Kind::Rows => first.piece(&part)?,
                Kind::End => {
                    first.end(&part)?;
                    break reading.end()?;
                }
                Kind::Head => return Err(BackupError::Damaged { at: part.at }),
            }
        };
        let First { pieces, rows, tables, .. } = first;
        let (kept, failed) = (RefCell::default(), RefCell::default());
        let contents = Contents::of_nobody(&head, rows, tables, (bytes, sha256));
        let archive = Self { file, head, pieces, kept, failed, contents };
        archive.whole()
    }

    /// What is in it.
    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    /// Hands out the rows, piece by piece, in order.
    pub(super) fn each(
        &self,
        mut take: impl FnMut(&[(Vec<u8>, Bytes)]) -> Result<(), BackupError>,
    ) -> Result<(), BackupError> {
        (0..self.pieces.len()).try_for_each(|place| take(&self.load(place)?))
    }

    /// Asks what no single row can say, and whose the rows are.
    fn whole(mut self) -> Result<Self, BackupError> {
        let sound = sound::whole(&self);
        let about = sound.map_err(BackupError::from).and_then(|()| self.about());
        // What could not be read is the reason for what was not found.
        if let Some(why) = self.failed.borrow_mut().take() {
            return Err(why);
        }
        let (name, anchor, counts) = about?;
        self.contents = Contents { name, anchor, counts, ..self.contents };
        Ok(self)
    }

    fn about(&self) -> Result<(String, Digest, query::Counts), BackupError> {
        let nobodys = || BackupError::Unsound(Unsound::Nobodys);
        let identity = genesis::identity(self).filter(|it| it.at == self.head.at()).ok_or_else(nobodys)?;
        let charter = Directory::new(self).life(identity.at).ok_or_else(nobodys)?;
        Ok((charter.name, identity.anchor, query::counts(self)))
    }

    /// The piece that a key would be in.
    fn place_of(&self, key: &[u8]) -> usize {
        self.pieces.partition_point(|place| place.first.as_slice() <= key).saturating_sub(1)
    }

    /// A piece, from memory or from the file; none if it cannot be read any more, which is remembered.
    fn rows(&self, place: usize) -> Option<Rc<Rows>> {
        let kept = self.kept.borrow().iter().find(|(at, _)| *at == place).map(|(_, rows)| Rc::clone(rows));
        if kept.is_some() || place >= self.pieces.len() || self.failed.borrow().is_some() {
            return kept;
        }
        match self.load(place) {
            Ok(rows) => {
                let rows = Rc::new(rows);
                let mut kept = self.kept.borrow_mut();
                if kept.len() >= PIECES_MAX {
                    kept.pop_front();
                }
                kept.push_back((place, Rc::clone(&rows)));
                Some(rows)
            }
            Err(why) => {
                *self.failed.borrow_mut() = Some(why);
                None
            }
        }
    }

    fn load(&self, place: usize) -> Result<Rows, BackupError> {
        let known = self.pieces.get(place).map(|place| place.known.clone());
        let known = known.ok_or(BackupError::CutShort { at: self.contents.bytes })?;
        (&self.file).seek(SeekFrom::Start(known.at)).map_err(BackupError::Unreadable)?;
        let content = format::again(BufReader::new(&self.file), &known)?;
        let rows = rows_in(&content).ok_or(BackupError::Damaged { at: known.at })?;
        Ok(rows.into_iter().map(|(key, value)| (key.to_vec(), Bytes::from(value))).collect())
    }
}

impl View for Archive {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        let rows = self.rows(self.place_of(key))?;
        let found = rows.binary_search_by(|(held, _)| held.as_slice().cmp(key)).ok()?;
        rows.get(found).map(|(_, value)| Bytes::clone(value))
    }

    fn scan(&self, prefix: &[u8], after: &[u8], visit: &mut dyn FnMut(&[u8], &[u8]) -> bool) {
        let from = prefix.max(after);
        for place in self.place_of(from)..self.pieces.len() {
            let Some(rows) = self.rows(place) else { return };
            let mut wanted = rows.iter().skip_while(|(key, _)| {
                key.as_slice() < from || (!after.is_empty() && key.as_slice() <= after)
            });
            if wanted.any(|(key, value)| !key.starts_with(prefix) || !visit(key, value)) {
                return;
            }
        }
    }
}

impl Contents {
    fn of_nobody(
        head: &Head,
        rows: u64,
        tables: BTreeMap<&'static str, u64>,
        (bytes, sha256): (u64, String),
    ) -> Self {
        let counts = query::counts(&Nothing);
        let (at, made, software) = (head.at(), head.made, head.software.clone());
        let (name, anchor) = (String::new(), Digest([0; 32]));
        Self { at, name, anchor, made, software, rows, tables, counts, bytes, sha256 }
    }
}

/// No rows at all.
struct Nothing;

impl View for Nothing {
    fn get(&self, _key: &[u8]) -> Option<Bytes> {
        None
    }

    fn scan(&self, _prefix: &[u8], _after: &[u8], _visit: &mut dyn FnMut(&[u8], &[u8]) -> bool) {}
}

/// The first reading, from the beginning to the end.
#[derive(Default)]
struct First {
    pieces: Vec<Place>,
    last: Vec<u8>,
    rows: u64,
    parts: u64,
    tables: BTreeMap<&'static str, u64>,
}

impl First {
    fn head(&mut self, part: &Part) -> Result<Head, BackupError> {
        self.parts = 1;
        let head = serde_json::from_slice(&part.content).ok().filter(|_| part.kind == Kind::Head);
        head.ok_or(BackupError::Damaged { at: part.at })
    }

    /// Rows come in the order of their keys, none twice, and each is one of a node's.
    fn piece(&mut self, part: &Part) -> Result<(), BackupError> {
        let damaged = || BackupError::Damaged { at: part.at };
        let rows = rows_in(&part.content).ok_or_else(damaged)?;
        let first = rows.first().map(|(key, _)| key.to_vec()).ok_or_else(damaged)?;
        for (key, value) in rows {
            if self.rows > 0 && key <= self.last.as_slice() {
                return Err(damaged());
            }
            sound::row(key, value)?;
            self.rows = self.rows.saturating_add(1);
            let table = self.tables.entry(table_word(key.first().copied().unwrap_or_default())).or_insert(0);
            *table = table.saturating_add(1);
            self.last = key.to_vec();
        }
        self.parts = self.parts.saturating_add(1);
        let known = Known { at: part.at, before: part.before, check: part.check };
        self.pieces.push(Place { first, known });
        Ok(())
    }

    fn end(&self, part: &Part) -> Result<(), BackupError> {
        let counts = [self.rows.to_be_bytes(), self.parts.to_be_bytes()].concat();
        if part.content == counts { Ok(()) } else { Err(BackupError::Damaged { at: part.at }) }
    }
}
