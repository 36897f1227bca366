//! The only file that names bincode: bounded decoding, canonical encoding, versions.
//!
//! Encoding: bincode 2.0.1 over serde, little-endian, fixed-size integers. Every encoded thing starts
//! with one version byte. What is signed is stored and forwarded as the exact bytes that were signed; a
//! decoder refuses bytes that it would encode differently, so there is one encoding of each value.

use std::fmt;
use std::sync::Arc;

use bincode::config;
use bincode::enc::write::Writer;
use bincode::error::EncodeError;
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
    let mut room = Room(Vec::with_capacity(ROOM));
    #[expect(clippy::expect_used, reason = "our own types have no fallible serialiser, and a Vec takes all")]
    bincode::serde::encode_into_writer((WIRE_VERSION, value), &mut room, settings())
        .expect("encoding into memory");
    room.0
}

/// Whether `bytes` are the encoding of `value`.
fn is_encoding<T: Serialize>(value: &T, bytes: &[u8]) -> bool {
    let mut left = Left(bytes);
    let written = bincode::serde::encode_into_writer((WIRE_VERSION, value), &mut left, settings());
    written.is_ok() && left.0.is_empty()
}

/// Bytes that an encoding is given room for at once: most messages and rows are shorter.
const ROOM: usize = 256;

/// Keeps what is written.
struct Room(Vec<u8>);

impl Writer for Room {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// Compares what is written with what is expected, and keeps nothing.
struct Left<'a>(&'a [u8]);

impl Writer for Left<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0 = self.0.strip_prefix(bytes).ok_or(EncodeError::UnexpectedEnd)?;
        Ok(())
    }
}

/// The value in `bytes`, of which there may be at most `bound`.
pub(crate) fn decode<T: Serialize + DeserializeOwned>(bytes: &[u8], bound: usize) -> Result<T, Malformed> {
    let value = decode_own(bytes, bound)?;
    if is_encoding(&value, bytes) { Ok(value) } else { Err(Malformed::NotCanonical) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_no_encoding_of_the_value_is_refused() {
        let bytes = encode(&(7_u16, "seven".to_owned()));
        assert_eq!(decode(&bytes, 100), Ok((7_u16, "seven".to_owned())));
        assert!(is_encoding(&(7_u16, "seven"), &bytes));
        let (longer, shorter) = ([bytes.as_slice(), b"."].concat(), &bytes[..bytes.len() - 1]);
        for other in [longer.as_slice(), shorter, &[]] {
            assert!(!is_encoding(&(7_u16, "seven"), other));
        }
        assert!(!is_encoding(&(8_u16, "seven"), &bytes));
        assert_eq!(decode::<(u16, String)>(&longer, 100), Err(Malformed::NotCanonical));
    }
}
