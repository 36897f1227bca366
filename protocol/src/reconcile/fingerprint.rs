//! The long-lived fingerprint of a set: LtHash-1024x16.
//!
//! Equal sets have equal roots, in whatever order elements came and went. Unlike an XOR or a plain sum it
//! has no known way to forge a second set with the same root.

use std::fmt;

use super::ElementId;

const CONTEXT: &[u8] = b"hallmesh/v1/lthash";
const LANES: usize = 1024;
const STATE_LEN: usize = 2 * LANES;

/// Bytes of a fingerprint's row: space, count, state.
pub const FINGERPRINT_LEN: usize = 1 + 8 + STATE_LEN;

/// Why bytes are not the fingerprint of a space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedRow {
    /// Not exactly [`FINGERPRINT_LEN`] bytes.
    #[error("a fingerprint is {FINGERPRINT_LEN} bytes, not {0}")]
    Length(usize),
    /// The fingerprint of another space.
    #[error("a fingerprint of space {found}, not of {wanted}")]
    Space {
        /// The space asked for.
        wanted: u8,
        /// The space in the row.
        found: u8,
    },
}

/// Fingerprint of one space's set, kept up as elements come and go.
///
/// It forms a group: `remove` undoes `add` even when it comes first, so the caller alone sees to it that
/// each element is added once.
#[derive(Clone, PartialEq, Eq)]
pub struct Fingerprint {
    space: u8,
    count: u64,
    lattice: Lattice,
}

impl Fingerprint {
    /// The fingerprint of the empty set of `space`. Elements of different spaces never mix.
    pub fn new(space: u8) -> Fingerprint {
        Fingerprint { space, count: 0, lattice: Lattice::empty() }
    }

    /// The fingerprint of the elements `ids` of `space`.
    pub fn of<'a>(space: u8, ids: impl IntoIterator<Item = &'a ElementId>) -> Fingerprint {
        let mut fingerprint = Fingerprint::new(space);
        for id in ids {
            fingerprint.add(id);
        }
        fingerprint
    }

    /// Adds an element that is not in the set.
    pub fn add(&mut self, id: &ElementId) {
        self.count = self.count.wrapping_add(1);
        self.lattice.add(&self.element(id));
    }

    /// Removes an element that is in the set.
    pub fn remove(&mut self, id: &ElementId) {
        self.count = self.count.wrapping_sub(1);
        self.lattice.remove(&self.element(id));
    }

    /// Number of elements.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The space whose elements these are.
    pub fn space(&self) -> u8 {
        self.space
    }

    /// The 32 bytes that stand for the whole set.
    pub fn root(&self) -> [u8; 32] {
        self.lattice.root()
    }

    /// The row: space, count, state; integers little-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(FINGERPRINT_LEN);
        bytes.push(self.space);
        bytes.extend_from_slice(&self.count.to_le_bytes());
        bytes.extend_from_slice(&self.lattice.to_bytes());
        bytes
    }

    /// Reads the row of `space`.
    pub fn from_bytes(space: u8, bytes: &[u8]) -> Result<Fingerprint, MalformedRow> {
        let wrong_length = MalformedRow::Length(bytes.len());
        let (&found, rest) = bytes.split_first().ok_or(wrong_length)?;
        let (count, state) = rest.split_first_chunk().ok_or(wrong_length)?;
        let lattice = Lattice::from_bytes(state).ok_or(wrong_length)?;
        if found != space {
            return Err(MalformedRow::Space { wanted: space, found });
        }
        Ok(Fingerprint { space, count: u64::from_le_bytes(*count), lattice })
    }

    fn element(&self, id: &ElementId) -> blake3::Hasher {
        let mut hasher = blake3::Hasher::new();
        hasher.update(CONTEXT).update(&[self.space]).update(id);
        hasher
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = blake3::Hash::from_bytes(self.root()).to_hex();
        write!(f, "Fingerprint(space {}, {} elements, {root})", self.space, self.count)
    }
}

/// The sum itself: a vector of 16-bit lanes, boxed because it is moved about inside larger states.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Lattice(Box<[u16; LANES]>);

impl Lattice {
    pub(super) fn empty() -> Lattice {
        Lattice(Box::new([0; LANES]))
    }

    /// Adds the element that was fed to the hasher.
    pub(super) fn add(&mut self, element: &blake3::Hasher) {
        self.shift(element, u16::wrapping_add);
    }

    /// Removes the element that was fed to the hasher.
    pub(super) fn remove(&mut self, element: &blake3::Hasher) {
        self.shift(element, u16::wrapping_sub);
    }

    pub(super) fn root(&self) -> [u8; 32] {
        *blake3::hash(&self.to_bytes()).as_bytes()
    }

    fn shift(&mut self, element: &blake3::Hasher, by: impl Fn(u16, u16) -> u16) {
        let mut stretched = [0; STATE_LEN];
        element.finalize_xof().fill(&mut stretched);
        for (lane, step) in self.0.iter_mut().zip(stretched.as_chunks().0) {
            *lane = by(*lane, u16::from_le_bytes(*step));
        }
    }

    fn to_bytes(&self) -> [u8; STATE_LEN] {
        let mut bytes = [0; STATE_LEN];
        for (chunk, lane) in bytes.as_chunks_mut().0.iter_mut().zip(self.0.iter()) {
            *chunk = lane.to_le_bytes();
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Lattice> {
        let bytes: &[u8; STATE_LEN] = bytes.try_into().ok()?;
        let mut lattice = Lattice::empty();
        for (lane, chunk) in lattice.0.iter_mut().zip(bytes.as_chunks().0) {
            *lane = u16::from_le_bytes(*chunk);
        }
        Some(lattice)
    }
}
