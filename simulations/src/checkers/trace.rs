//! The trace: everything that happened, in one hash. Two runs of one seed have the same one.

use hallmesh_protocol::step::Writes;

use crate::station::Seat;

/// What kind of thing happened, for the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A node took an input.
    Input = 1,
    /// A node committed.
    Commit = 2,
    /// A message arrived and holds.
    Message = 3,
    /// A process started or died.
    Power = 4,
    /// A cut was made or mended.
    Cut = 5,
}

/// A running hash.
#[derive(Debug, Default)]
pub struct Trace {
    hasher: blake3::Hasher,
    /// What is not hashed yet: many small pieces at once are faster.
    notes: Vec<u8>,
    /// Room for what is hashed in one piece, for the same reason.
    piece: Vec<u8>,
}

/// Bytes of notes that are hashed at once.
const NOTES_BYTES: usize = 16 * 1_024;

impl Trace {
    /// Something happened in a hall; `what` tells it from others of its kind.
    pub fn note(&mut self, at: u64, seat: Seat, kind: Kind, what: &[u8]) {
        let seat = u64::try_from(seat).unwrap_or(u64::MAX);
        let length = u64::try_from(what.len()).unwrap_or(u64::MAX);
        for number in [at, seat, length] {
            self.notes.extend_from_slice(&number.to_le_bytes());
        }
        self.notes.push(kind as u8);
        self.notes.extend_from_slice(what);
        if self.notes.len() >= NOTES_BYTES {
            self.hasher.update(&self.notes);
            self.notes.clear();
        }
    }

    /// A hall committed.
    pub fn commit(&mut self, at: u64, seat: Seat, writes: &Writes) {
        self.piece.clear();
        for (key, value) in writes {
            let length = |bytes: &[u8]| u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_le_bytes();
            self.piece.extend(length(key));
            self.piece.extend_from_slice(key);
            self.piece.push(u8::from(value.is_some()));
            if let Some(value) = value {
                self.piece.extend(length(value));
                self.piece.extend_from_slice(value);
            }
        }
        let digest = blake3::hash(&self.piece);
        self.note(at, seat, Kind::Commit, digest.as_bytes());
    }

    /// The hash so far.
    pub fn hash(&self) -> String {
        self.hasher.clone().update(&self.notes).finalize().to_hex().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(events: &[(u64, Seat, &[u8])]) -> String {
        let mut trace = Trace::default();
        for (at, seat, what) in events {
            trace.note(*at, *seat, Kind::Input, what);
        }
        trace.hash()
    }

    #[test]
    fn any_difference_shows() {
        let one = run(&[(1, 2, b"a"), (3, 4, b"b")]);
        assert_eq!(one, run(&[(1, 2, b"a"), (3, 4, b"b")]));
        assert_ne!(one, run(&[(1, 2, b"a"), (3, 4, b"c")]));
        assert_ne!(one, run(&[(3, 4, b"b"), (1, 2, b"a")]));
        assert_ne!(one, run(&[(1, 2, b"a"), (3, 5, b"b")]));
        assert_ne!(one, run(&[(1, 2, b"ab"), (3, 4, b"")]));
    }

    #[test]
    fn what_is_written_shows() {
        let commit = |value: Option<&[u8]>| {
            let mut writes = Writes::new();
            writes.insert(b"key".to_vec(), value.map(Into::into));
            let mut trace = Trace::default();
            trace.commit(1, 1, &writes);
            trace.hash()
        };
        assert_ne!(commit(Some(b"")), commit(None));
        assert_ne!(commit(Some(b"a")), commit(Some(b"b")));
    }
}
