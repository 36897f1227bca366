//! A signed thing as bytes: how many signatures, each with the place of its key, then what was signed.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | number of signatures |
//! | 1 + 64 each | place of the key, signature |
//! | the rest | the exact bytes that were signed |

use hallmesh_protocol::signed::{Signable, Signed};
use serde::de::value::{Error, SeqDeserializer};
use serde::de::{Deserialize, Deserializer, IntoDeserializer, Visitor};

const SIGNATURE_BYTES: usize = 64;
const CONTEXT_BYTES: usize = 32;

/// The bytes of a signed thing.
pub(super) fn pack<T: Signable>(signed: &Signed<T>) -> Vec<u8> {
    let count = u8::try_from(signed.signatures().len()).unwrap_or(u8::MAX);
    let mut packed = vec![count];
    for (place, signature) in signed.signatures().iter().take(usize::from(count)) {
        packed.push(*place);
        packed.extend_from_slice(signature.as_bytes());
    }
    packed.extend_from_slice(signed.message().get(CONTEXT_BYTES..).unwrap_or_default());
    packed
}

/// The signed thing in `packed`; nothing is checked but the lengths.
pub(super) fn unpack<T: Signable>(packed: &[u8]) -> Option<Signed<T>> {
    let (count, mut rest) = packed.split_first()?;
    let mut signatures = Vec::with_capacity(usize::from(*count));
    for _ in 0..*count {
        let (place, behind) = rest.split_first()?;
        let (signature, behind) = behind.split_first_chunk::<SIGNATURE_BYTES>()?;
        // A struct of one field that is a sequence of bytes.
        let signature = Part::List(vec![Part::List(signature.iter().copied().map(Part::Byte).collect())]);
        signatures.push(Part::List(vec![Part::Byte(*place), signature]));
        rest = behind;
    }
    Signed::deserialize(Part::List(vec![Part::Bytes(rest), Part::List(signatures)])).ok()
}

/// As much of serde's data model as a signed thing is made of.
enum Part<'a> {
    Byte(u8),
    Bytes(&'a [u8]),
    List(Vec<Part<'a>>),
}

impl<'de> Deserializer<'de> for Part<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Part::Byte(byte) => visitor.visit_u8(byte),
            Part::Bytes(bytes) => visitor.visit_bytes(bytes),
            Part::List(parts) => visitor.visit_seq(SeqDeserializer::new(parts.into_iter())),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl IntoDeserializer<'_> for Part<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}
