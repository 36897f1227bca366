//! Suites and the keys that sign in them.

use std::collections::BTreeMap;
use std::fmt;

use ed25519_dalek::{SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Forged;
use super::sign::Signature;
#[cfg(feature = "toy-suite")]
use super::toy;
use crate::chance::Chance;
use crate::fixed;

/// A set of algorithms that belong together. Each public key names its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
#[repr(u8)]
pub enum Suite {
    /// Ed25519, SHA-256 and BLAKE3, HPKE with X-Wing, ChaCha20-Poly1305.
    One = 1,
    /// A fast keyed hash in place of signatures, for simulation only. It protects nothing.
    #[cfg(feature = "toy-suite")]
    Toy = 0x7f,
}

impl From<Suite> for u8 {
    fn from(suite: Suite) -> Self {
        match suite {
            Suite::One => 1,
            #[cfg(feature = "toy-suite")]
            Suite::Toy => 0x7f,
        }
    }
}

impl TryFrom<u8> for Suite {
    type Error = Forged;

    fn try_from(number: u8) -> Result<Self, Forged> {
        match number {
            1 => Ok(Self::One),
            #[cfg(feature = "toy-suite")]
            0x7f => Ok(Self::Toy),
            unknown => Err(Forged::UnknownSuite(unknown)),
        }
    }
}

/// A key that checks signatures. In suite 1 it is a point of the curve, in its only encoding, not of small
/// order: checked when made and when decoded. Encoded in 33 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Unchecked", into = "Unchecked")]
pub struct PublicKey {
    suite: Suite,
    bytes: [u8; 32],
}

impl PublicKey {
    /// The key of `suite` with these bytes.
    pub fn new(suite: Suite, bytes: [u8; 32]) -> Result<Self, Forged> {
        match suite {
            Suite::One => check_point(&bytes)?,
            #[cfg(feature = "toy-suite")]
            Suite::Toy => {}
        }
        Ok(Self { suite, bytes })
    }

    /// The suite it belongs to.
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// Its 32 bytes, as `openssl` and libp2p know them.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }
}

/// A public key as it is encoded.
#[derive(Serialize, Deserialize)]
struct Unchecked(Suite, #[serde(with = "fixed")] [u8; 32]);

impl TryFrom<Unchecked> for PublicKey {
    type Error = Forged;

    fn try_from(Unchecked(suite, bytes): Unchecked) -> Result<Self, Forged> {
        Self::new(suite, bytes)
    }
}

impl From<PublicKey> for Unchecked {
    fn from(key: PublicKey) -> Self {
        Self(key.suite, key.bytes)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?} ", self.suite)?;
        self.bytes.iter().take(8).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

/// A key that signs. Wiped from memory when dropped, never printed, never encoded: the shell saves its
/// [`seed`](Self::seed).
pub struct SecretKey {
    pub(super) secret: Secret,
}

impl SecretKey {
    /// A new key of suite 1.
    pub fn generate(chance: &mut Chance) -> Self {
        let seed = Zeroizing::new(chance.bytes32());
        Self::from_seed(Suite::One, *seed)
    }

    /// The key that grows from `seed`.
    pub fn from_seed(suite: Suite, seed: [u8; 32]) -> Self {
        let seed = Zeroizing::new(seed);
        let secret = match suite {
            Suite::One => Secret::One(SigningKey::from_bytes(&seed)),
            #[cfg(feature = "toy-suite")]
            Suite::Toy => Secret::Toy(seed),
        };
        Self { secret }
    }

    /// A key without its secret: it repeats the signatures it is given, each under the SHA-256 of its context and
    /// bytes, and signs nothing else (64 zeros stand there, which no check takes). For the replay of a recording.
    pub fn repeating(public: PublicKey, signed: BTreeMap<[u8; 32], Signature>) -> Self {
        Self { secret: Secret::Repeating(public, signed) }
    }

    /// What to save: with the suite, all there is to the key. Zeros for a key that only repeats.
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        match &self.secret {
            Secret::One(key) => Zeroizing::new(key.to_bytes()),
            Secret::Repeating(..) => Zeroizing::new([0; 32]),
            #[cfg(feature = "toy-suite")]
            Secret::Toy(seed) => seed.clone(),
        }
    }

    /// The suite it signs in.
    pub fn suite(&self) -> Suite {
        match &self.secret {
            Secret::One(_) => Suite::One,
            Secret::Repeating(public, _) => public.suite,
            #[cfg(feature = "toy-suite")]
            Secret::Toy(_) => Suite::Toy,
        }
    }

    /// The key that checks what this one signs.
    pub fn public(&self) -> PublicKey {
        let bytes = match &self.secret {
            Secret::One(key) => key.verifying_key().to_bytes(),
            Secret::Repeating(public, _) => public.bytes,
            #[cfg(feature = "toy-suite")]
            Secret::Toy(seed) => toy::public(seed),
        };
        PublicKey { suite: self.suite(), bytes }
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({:?} ..)", self.suite())
    }
}

/// What a secret key is in each suite; every one wipes itself.
pub(super) enum Secret {
    One(SigningKey),
    Repeating(PublicKey, BTreeMap<[u8; 32], Signature>),
    #[cfg(feature = "toy-suite")]
    Toy(Zeroizing<[u8; 32]>),
}

/// Decoding alone would take a second encoding of some points, and points of small order, under which one
/// signature fits many messages.
fn check_point(bytes: &[u8; 32]) -> Result<(), Forged> {
    let key = VerifyingKey::from_bytes(bytes).ok().ok_or(Forged::InvalidKey)?;
    let canonical = key.to_edwards().compress().to_bytes() == *bytes;
    if canonical && !key.is_weak() { Ok(()) } else { Err(Forged::InvalidKey) }
}
