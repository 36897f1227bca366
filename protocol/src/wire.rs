//! The only file that names bincode: bounded decoding, canonical encoding, versions.
//!
//! Encoding: bincode 2.0.1 over serde, little-endian, fixed-size integers. Every encoded thing starts
//! with one version byte. What is signed is stored and forwarded as the exact bytes that were signed; a
//! decoder refuses bytes that it would encode differently, so there is one encoding of each value.

use std::fmt;
use std::sync::Arc;

use bincode::config;
use serde::de::{self, DeserializeOwned, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::limits::FRAME_MAX;

/// The version this build writes.
pub const WIRE_VERSION: u8 = 1;
/// The oldest version this build reads.
pub const WIRE_VERSION_MIN: u8 = 1;

/// Why bytes were refused. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Longer than the bound of its type.
    #[error("{length} bytes, at most {bound} are read")]
    TooLong {
        /// Bytes offered.
        length: usize,
        /// The bound.
        bound: usize,
    },
    /// No bytes at all.
    #[error("no bytes")]
    Empty,
    /// A version this build does not read.
    #[error("version {0} is not read by this build")]
    Version(u8),
    /// Not an encoding of the expected type.
    #[error("not an encoding of the expected type")]
    Shape,
    /// Bytes after the value, or a second encoding of the same value.
    #[error("not the canonical encoding")]
    NotCanonical,
}

/// A version byte and the encoding of `value`.
pub(crate) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    #[expect(clippy::expect_used, reason = "our own types have no fallible serialiser, and a Vec takes all")]
    bincode::serde::encode_to_vec((WIRE_VERSION, value), settings()).expect("encoding into memory")
}

/// The value in `bytes`, of which there may be at most `bound`.
pub(crate) fn decode<T: Serialize + DeserializeOwned>(bytes: &[u8], bound: usize) -> Result<T, Malformed> {
    let value = decode_own(bytes, bound)?;
    if encode(&value) != bytes {
        return Err(Malformed::NotCanonical);
    }
    Ok(value)
}

/// As [`decode`], for rows this node wrote itself: their canonical form was checked on the way in.
pub(crate) fn decode_own<T: DeserializeOwned>(bytes: &[u8], bound: usize) -> Result<T, Malformed> {
    let (value, rest) = decode_head(bytes, bound)?;
    if rest == 0 { Ok(value) } else { Err(Malformed::NotCanonical) }
}

/// What `bytes` begin with, and how many bytes follow it: for a part that is read far oftener than the whole.
pub(crate) fn decode_head<T: DeserializeOwned>(bytes: &[u8], bound: usize) -> Result<(T, usize), Malformed> {
    if bytes.len() > bound {
        return Err(Malformed::TooLong { length: bytes.len(), bound });
    }
    let (version, rest) = bytes.split_first().ok_or(Malformed::Empty)?;
    if !(WIRE_VERSION_MIN..=WIRE_VERSION).contains(version) {
        return Err(Malformed::Version(*version));
    }
    let limited = settings().with_limit::<{ FRAME_MAX * 2 }>();
    let decoded = bincode::serde::decode_from_slice(rest, limited);
    #[expect(clippy::map_err_ignore, reason = "the codec's wording says nothing a caller could act on")]
    let (value, consumed) = decoded.map_err(|_| Malformed::Shape)?;
    Ok((value, rest.len().saturating_sub(consumed)))
}

fn settings() -> config::Configuration<config::LittleEndian, config::Fixint, config::NoLimit> {
    config::standard().with_little_endian().with_fixed_int_encoding().with_no_limit()
}

/// Opaque bytes, shared rather than copied, encoded as one block.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Blob(Arc<[u8]>);

impl Blob {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<u8>> for Blob {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({} bytes)", self.0.len())
    }
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_byte_buf(Bytes)
    }
}

/// Reads bytes whichever way a format writes them.
struct Bytes;

impl<'de> Visitor<'de> for Bytes {
    type Value = Blob;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Blob, E> {
        Ok(Blob(bytes.into()))
    }

    /// Text formats have no bytes of their own; they write a list of numbers.
    fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Blob, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = list.next_element()? {
            if bytes.len() >= FRAME_MAX {
                return Err(de::Error::invalid_length(bytes.len(), &self));
            }
            bytes.push(byte);
        }
        Ok(bytes.into())
    }

    fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<Blob, E> {
        Ok(bytes.into())
    }
}
