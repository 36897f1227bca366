//! Signing and checking.

use std::collections::BTreeSet;
use std::fmt;

use ed25519_dalek::{Signer, VerifyingKey};
use serde::{Deserialize, Serialize};

use super::Forged;
use super::context::{Context, digest, message};
use super::suite::{PublicKey, Secret, SecretKey, Suite};
#[cfg(feature = "toy-suite")]
use super::toy;
use crate::fixed;

/// 64 bytes of a signature, in the suite of the key that checks it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Signature(#[serde(with = "fixed")] pub [u8; 64]);

impl Signature {
    /// The bytes, as `openssl pkeyutl -sigfile` takes them.
    pub fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(")?;
        self.0.iter().take(8).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

/// Signs context and bytes.
pub fn sign(key: &SecretKey, context: Context, bytes: &[u8]) -> Signature {
    let message = message(context, bytes);
    Signature(match &key.secret {
        Secret::One(key) => key.sign(&message).to_bytes(),
        Secret::Repeating(_, signed) => {
            signed.get(&digest(context, bytes)).map_or([0; 64], |signature| signature.0)
        }
        #[cfg(feature = "toy-suite")]
        Secret::Toy(seed) => toy::sign(&toy::public(seed), &message),
    })
}

/// Checks that the holder of `key` signed context and bytes. In suite 1 it is strict: of each signature
/// there is one form, and nobody but the signer can make another.
pub fn verify(key: &PublicKey, context: Context, bytes: &[u8], signature: &Signature) -> Result<(), Forged> {
    let message = message(context, bytes);
    let holds = match key.suite() {
        Suite::One => verify_one(key, &message, signature)?,
        #[cfg(feature = "toy-suite")]
        Suite::Toy => toy::sign(key.as_bytes(), &message) == signature.0,
    };
    if holds { Ok(()) } else { Err(Forged::WrongSignature) }
}

/// How many of `keys` signed: for k-of-n as a plain list of signatures, each with the place of its key.
/// A key counts once, also where it is listed twice or signed twice; only its first signature is looked at,
/// so that a long list of wrong ones costs no more than one check a key.
pub fn count_valid(keys: &[PublicKey], context: Context, bytes: &[u8], signatures: &[(u8, Signature)]) -> u8 {
    let mut looked_at = BTreeSet::new();
    let mut valid = 0_u8;
    for (index, signature) in signatures {
        let Some(key) = keys.get(usize::from(*index)) else { continue };
        if looked_at.insert(key) && verify(key, context, bytes, signature).is_ok() {
            valid = valid.saturating_add(1);
        }
    }
    valid
}

fn verify_one(key: &PublicKey, message: &[u8], signature: &Signature) -> Result<bool, Forged> {
    let key = VerifyingKey::from_bytes(key.as_bytes()).ok().ok_or(Forged::InvalidKey)?;
    let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
    Ok(key.verify_strict(message, &signature).is_ok())
}
