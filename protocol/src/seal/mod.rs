//! Signatures, digests, wrapped keys and sealed content: all the cryptography of the core.
//!
//! What is promised: a signature made for one purpose never serves another ([`Context`]); bytes that
//! were not made by the holder of the key are refused, never half read; all chance comes in through
//! [`crate::chance::Chance`]. What is deliberately not known here: who owns a key, what is signed, and
//! how secret keys rest on a disk.
//!
//! | suite | signature | digest | key wrap | content |
//! |---|---|---|---|---|
//! | 1 | Ed25519, strict (RFC 8032) | SHA-256, BLAKE3 for bulk | HPKE base mode (RFC 9180), X-Wing + SHAKE256 + ChaCha20-Poly1305 | XChaCha20-Poly1305, key-committing |
//! | 2 | reserved for SM2 | SM3 | SM2 | SM4 |
//! | 0x7f | a keyed hash that protects nothing, only with the feature `toy-suite` | as 1 | as 1 | as 1 |

mod content;
mod context;
mod sign;
mod suite;
#[cfg(feature = "toy-suite")]
mod toy;
mod wrap;

#[cfg(test)]
mod tests;

pub use content::{CONTENT_MAX, CONTENT_OVERHEAD, ContentKey, open, seal};
pub use context::{Context, blake, digest, message};
pub use sign::{Signature, count_valid, sign, verify};
pub use suite::{PublicKey, SecretKey, Suite};
pub use wrap::{
    ENCAPSULATED_BYTES, WRAP_INFO_MAX, WRAP_PUBLIC_BYTES, WRAPPED_KEY_BYTES, WrapPublic, WrapSecret, Wrapped,
    unwrap_key, wrap_key, wrap_keypair,
};

/// Why cryptography refused. Nothing was changed, and nothing of the refused bytes may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forged {
    /// The suite number is not one this build knows.
    #[error("suite {0} is not known to this build")]
    UnknownSuite(u8),
    /// The version of sealed content is not one this build knows.
    #[error("version {0} of sealed content is not known to this build")]
    UnknownVersion(u8),
    /// Longer or shorter than such bytes may be.
    #[error("wrong length")]
    WrongLength,
    /// The bytes are no usable public key: off the curve, in a second encoding, or of small order.
    #[error("not a usable public key")]
    InvalidKey,
    /// The signature does not belong to this key, context and message.
    #[error("the signature does not hold")]
    WrongSignature,
    /// Wrong key, wrong associated data, or changed bytes: which of them cannot be told.
    #[error("the sealed bytes do not open with this key")]
    NotOpened,
}
