//! What was signed, and what was checked: `Signed<T>` becomes `Verified<T>` only here.

use std::fmt;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::ids::Digest;
use crate::limits::SIGNATURES_MAX;
use crate::seal::{self, Context, Forged, PublicKey, SecretKey, Signature};
use crate::wire::{self, Blob, Malformed};

/// A type that is signed under a context of its own, so that no signature serves two purposes.
pub trait Signable: Clone + fmt::Debug + Serialize + DeserializeOwned {
    /// The domain separation.
    const CONTEXT: Context;
    /// Bytes of an encoded value at the most.
    const BYTES_MAX: usize;
}

/// Why a signed thing was refused. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// The bytes are no value of the type.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// A signature does not hold.
    #[error(transparent)]
    Forged(#[from] Forged),
    /// Fewer holders signed than the policy asks for.
    #[error("{valid} of {needed} signatures hold")]
    TooFew {
        /// Signatures that hold.
        valid: u8,
        /// Signatures needed.
        needed: u8,
    },
    /// The signer's charter is not known here (yet).
    #[error("the signer is not known here")]
    UnknownSigner,
    /// The signer was revoked.
    #[error("the signer was revoked")]
    Revoked,
    /// The signer may not sign such a thing.
    #[error("the signer may not sign this")]
    OutOfScope,
}

/// Exact bytes with the signatures under them. The bytes are kept, never encoded again.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Signed<T> {
    bytes: Blob,
    signatures: Vec<(u8, Signature)>,
    #[serde(skip)]
    kind: PhantomData<fn() -> T>,
}

impl<T: Signable> Signed<T> {
    /// Signs `value` with each key; the number is the key's place in its owner's list (0 for a single key).
    pub fn sign(value: &T, keys: &[(u8, &SecretKey)]) -> Self {
        let bytes = wire::encode(value);
        let signatures =
            keys.iter().map(|(index, key)| (*index, seal::sign(key, T::CONTEXT, &bytes))).collect();
        Self { bytes: bytes.into(), signatures, kind: PhantomData }
    }

    /// The value, unchecked: to find out whose signature would be needed.
    pub fn peek(&self) -> Result<T, Malformed> {
        wire::decode(self.bytes.as_bytes(), T::BYTES_MAX)
    }

    /// Checks one signature of one key.
    pub fn verify(&self, key: &PublicKey) -> Result<Verified<T>, Unverified> {
        self.verify_threshold(std::slice::from_ref(key), 1)
    }

    /// Checks that at least `needed` of `keys` signed, each counted once.
    pub fn verify_threshold(&self, keys: &[PublicKey], needed: u8) -> Result<Verified<T>, Unverified> {
        if self.signatures.len() > SIGNATURES_MAX {
            return Err(Forged::WrongLength.into());
        }
        let value = self.peek()?;
        let valid = seal::count_valid(keys, T::CONTEXT, self.bytes.as_bytes(), &self.signatures);
        if valid < needed.max(1) {
            return Err(Unverified::TooFew { valid, needed });
        }
        Ok(Verified { value, signed: self.clone() })
    }

    /// SHA-256 over context and bytes: what an auditor's `sha256sum` prints for the exported file.
    pub fn digest(&self) -> Digest {
        Digest(seal::digest(T::CONTEXT, self.bytes.as_bytes()))
    }

    /// Context and bytes: the exact message that the signatures cover.
    pub fn message(&self) -> Vec<u8> {
        seal::message(T::CONTEXT, self.bytes.as_bytes())
    }

    /// Puts together what was exported in parts: the exact message and its signatures, none of them checked
    /// here. None if the message is of another context.
    pub fn from_message(message: &[u8], signatures: Vec<(u8, Signature)>) -> Option<Self> {
        let bytes = message.strip_prefix(T::CONTEXT.as_bytes())?;
        Some(Self { bytes: bytes.to_vec().into(), signatures, kind: PhantomData })
    }

    /// The signatures with the place of each key.
    pub fn signatures(&self) -> &[(u8, Signature)] {
        &self.signatures
    }

    /// How many bytes the signed value has.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes up a value that was checked before it was written into this node's own rows.
    pub(crate) fn trusted(self) -> Result<Verified<T>, Malformed> {
        let value = wire::decode_own(self.bytes.as_bytes(), T::BYTES_MAX)?;
        Ok(Verified { value, signed: self })
    }
}

impl<T> Clone for Signed<T> {
    fn clone(&self) -> Self {
        Self { bytes: self.bytes.clone(), signatures: self.signatures.clone(), kind: PhantomData }
    }
}

impl<T> PartialEq for Signed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes && self.signatures == other.signatures
    }
}

impl<T> Eq for Signed<T> {}

impl<T> fmt::Debug for Signed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signed({} bytes, {} signatures)", self.bytes.len(), self.signatures.len())
    }
}

/// A value whose signatures were checked; only this enters the state machine.
#[derive(Clone, Debug)]
pub struct Verified<T> {
    value: T,
    signed: Signed<T>,
}

impl<T: Signable> Verified<T> {
    /// The value.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// The exact bytes and signatures, for storing and forwarding.
    pub fn signed(&self) -> &Signed<T> {
        &self.signed
    }

    /// Signs with this node's own key: what a node signs itself needs no check.
    pub(crate) fn own(value: T, key: &SecretKey) -> Self {
        let signed = Signed::sign(&value, &[(0, key)]);
        Self { value, signed }
    }
}
