//! Byte arrays of any fixed length through serde, which itself stops at 32: as a tuple, so without a length
//! in front.
//!
//! A binary encoding is handed sixteen bytes at a time, as little-endian numbers: the same bytes on the wire, in far
//! fewer calls. A text, which shows each element, gets single bytes as ever.

use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::ser::SerializeTuple;
use serde::{Deserializer, Serializer};

/// Bytes of a `u128`.
const WORD: usize = 16;

pub(crate) fn serialize<S: Serializer, const N: usize>(bytes: &[u8; N], to: S) -> Result<S::Ok, S::Error> {
    let words = words::<N>(to.is_human_readable());
    let (whole, rest) = bytes.split_at_checked(words.saturating_mul(WORD)).unwrap_or((&[], bytes));
    let mut tuple = to.serialize_tuple(words.saturating_add(rest.len()))?;
    for word in whole.as_chunks().0 {
        tuple.serialize_element(&u128::from_le_bytes(*word))?;
    }
    for byte in rest {
        tuple.serialize_element(byte)?;
    }
    tuple.end()
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(from: D) -> Result<[u8; N], D::Error> {
    let words = words::<N>(from.is_human_readable());
    let single = N.saturating_sub(words.saturating_mul(WORD));
    from.deserialize_tuple(words.saturating_add(single), Fixed { words })
}

/// How many whole words are handed on as such.
const fn words<const N: usize>(human_readable: bool) -> usize {
    if human_readable { 0 } else { N / WORD }
}

struct Fixed<const N: usize> {
    words: usize,
}

impl<'de, const N: usize> Visitor<'de> for Fixed<N> {
    type Value = [u8; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{N} bytes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut given: A) -> Result<[u8; N], A::Error> {
        let mut bytes = [0; N];
        let whole = self.words.saturating_mul(WORD).min(N);
        let (whole, rest) = bytes.split_at_mut(whole);
        for (count, word) in whole.as_chunks_mut::<WORD>().0.iter_mut().enumerate() {
            let number: Option<u128> = given.next_element()?;
            *word = number.ok_or_else(|| A::Error::invalid_length(count, &self))?.to_le_bytes();
        }
        for (count, byte) in rest.iter_mut().enumerate() {
            *byte = given.next_element()?.ok_or_else(|| A::Error::invalid_length(count, &self))?;
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use crate::wire;

    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    struct Ours(#[serde(with = "super")] [u8; 21], #[serde(with = "super")] [u8; 32]);
    #[derive(Serialize)]
    struct Serdes([u8; 21], [u8; 32]);

    const SHORT: [u8; 21] = *b"abcdefghijklmnopqrstu";
    const LONG: [u8; 32] = *b"0123456789ABCDEFGHIJKLMNOPQRSTUV";

    #[test]
    fn the_bytes_on_the_wire_are_those_of_single_bytes() {
        let bytes = wire::encode(&Ours(SHORT, LONG));
        assert_eq!(bytes, wire::encode(&Serdes(SHORT, LONG)));
        assert_eq!(wire::decode(&bytes, 100), Ok(Ours(SHORT, LONG)));
        assert_eq!(wire::decode::<Ours>(&bytes[..40], 100), Err(wire::Malformed::Shape));
    }
}
