//! A disk in memory that remembers everything asked of it, and fails on command.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use redb::StorageBackend;

use super::image::{Image, PAGE};

/// One thing asked of a disk.
#[derive(Clone, Debug)]
pub(super) enum Asked {
    Write(usize, Arc<[u8]>),
    SetLen(usize),
    Sync,
}

impl Asked {
    pub(super) fn apply(&self, image: &mut Image) {
        match self {
            Asked::Write(at, data) => image.write(*at, data),
            Asked::SetLen(len) => image.set_len(*len),
            Asked::Sync => {}
        }
    }
}

/// A kind of call, for failing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Call {
    /// Reading.
    Read,
    /// Writing, or setting the length.
    Write,
    /// Bringing all that was written to the disk.
    Sync,
}

/// How a disk behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Temper {
    /// As it should.
    Sound,
    /// It says that it has synced and has not.
    Lying,
    /// So many calls of a kind succeed; the next one, and every call after it, is an input/output error.
    Failing(Call, u64),
    /// So many pages that never were written find room; the next one does not.
    Filling(u64),
    /// Every call fails.
    Gone,
}

/// All that was asked of a disk since it held `base`, which is safe there.
#[derive(Clone, Debug, Default)]
pub(super) struct Tape {
    pub(super) base: Image,
    pub(super) asked: Vec<Asked>,
}

/// A disk whose clones are the same disk.
#[derive(Clone, Debug)]
pub(super) struct Disk {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    tape: Tape,
    now: Image,
    temper: Temper,
    /// Pages of the file that take up room only once they are written.
    holes: BTreeSet<usize>,
}

impl Disk {
    /// A disk that holds `base`, all of it safe.
    pub(super) fn holding(base: Image) -> Self {
        Self::after(Tape { base, asked: Vec::new() })
    }

    /// A disk of which these things were asked already: what was not synced is visible, and not yet safe.
    pub(super) fn after(tape: Tape) -> Self {
        let mut now = tape.base.clone();
        tape.asked.iter().for_each(|asked| asked.apply(&mut now));
        let state = State { tape, now, temper: Temper::Sound, holes: BTreeSet::new() };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// How many things were asked so far, reading aside.
    pub(super) fn points(&self) -> usize {
        self.state().tape.asked.len()
    }

    /// From now on the disk behaves like this.
    pub(super) fn set_temper(&self, temper: Temper) {
        let mut state = self.state();
        if matches!(temper, Temper::Filling(_)) {
            state.holes = state.now.holes().collect();
        }
        state.temper = temper;
    }

    /// What a process sees in the file now.
    pub(super) fn image(&self) -> Image {
        self.state().now.clone()
    }

    pub(super) fn tape(&self) -> Tape {
        self.state().tape.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl State {
    /// Whether a call goes through.
    fn call(&mut self, call: Call) -> io::Result<()> {
        match &mut self.temper {
            Temper::Failing(kind, 0) if *kind == call => self.temper = Temper::Gone,
            Temper::Failing(kind, left) if *kind == call => *left -= 1,
            Temper::Sound | Temper::Lying | Temper::Failing(..) | Temper::Filling(_) | Temper::Gone => {}
        }
        if self.temper == Temper::Gone { Err(io::Error::other("the disk failed")) } else { Ok(()) }
    }

    fn take(&mut self, asked: Asked) {
        asked.apply(&mut self.now);
        self.tape.asked.push(asked);
    }

    /// Bytes of a write that still find room.
    fn room(&mut self, at: usize, len: usize) -> usize {
        let Temper::Filling(left) = &mut self.temper else { return len };
        for page in at / PAGE..(at + len).div_ceil(PAGE) {
            let hole = self.holes.remove(&page);
            if hole && *left == 0 {
                self.holes.insert(page);
                return (page * PAGE).saturating_sub(at);
            }
            *left -= u64::from(hole);
        }
        len
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().now.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut state = self.state();
        state.call(Call::Read)?;
        let found = state.now.read(index(offset), out);
        found.then_some(()).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state();
        state.call(Call::Write)?;
        let (before, after) = (state.now.pages(), index(len).div_ceil(PAGE));
        state.holes.extend(before..after);
        state.take(Asked::SetLen(index(len)));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.state();
        state.call(Call::Sync)?;
        if state.temper != Temper::Lying {
            state.take(Asked::Sync);
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        let at = index(offset);
        if let Err(failed) = state.call(Call::Write) {
            // A write that fails may have done half of its work.
            state.take(Asked::Write(at, data[..data.len() / 2].into()));
            return Err(failed);
        }
        let room = state.room(at, data.len());
        state.take(Asked::Write(at, data[..room].into()));
        if room < data.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

fn index(offset: u64) -> usize {
    usize::try_from(offset).unwrap()
}
