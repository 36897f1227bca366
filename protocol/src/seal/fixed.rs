//! Byte arrays of any fixed length through serde, which itself stops at 32: as a tuple, so without a length
//! in front.

use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::ser::SerializeTuple;
use serde::{Deserializer, Serializer};

pub(super) fn serialize<S: Serializer, const N: usize>(bytes: &[u8; N], to: S) -> Result<S::Ok, S::Error> {
    let mut tuple = to.serialize_tuple(N)?;
    for byte in bytes {
        tuple.serialize_element(byte)?;
    }
    tuple.end()
}

pub(super) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(from: D) -> Result<[u8; N], D::Error> {
    from.deserialize_tuple(N, Fixed)
}

struct Fixed<const N: usize>;

impl<'de, const N: usize> Visitor<'de> for Fixed<N> {
    type Value = [u8; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{N} bytes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut given: A) -> Result<[u8; N], A::Error> {
        let mut bytes = [0; N];
        for (count, byte) in bytes.iter_mut().enumerate() {
            *byte = given.next_element()?.ok_or_else(|| A::Error::invalid_length(count, &self))?;
        }
        Ok(bytes)
    }
}
