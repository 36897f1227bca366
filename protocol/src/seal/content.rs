//! Bodies of events and files of materials, sealed under a key of their own.
//!
//! Layout: version 1 || 24 bytes of nonce || XChaCha20-Poly1305 ciphertext of (32 zeros || plaintext).
//! The zeros commit to the key. Without them a malicious sealer can make one ciphertext that opens to two
//! different texts under two keys and wrap each key for another hall: one signed hash, two readings.
//! (Albertini and others, "How to Abuse and Fix Authenticated Encryption Without Key Commitment", 2022.)

use std::fmt;

use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::Forged;
use super::context::{Context, digest};
use crate::chance::Chance;

/// Bytes of plaintext that one call seals: the largest file of one material.
pub const CONTENT_MAX: usize = 32 << 20;
/// Bytes that sealing adds: version, nonce, commitment, tag.
pub const CONTENT_OVERHEAD: usize = HEAD_BYTES + COMMITMENT.len() + TAG_BYTES;

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;
const HEAD_BYTES: usize = 1 + NONCE_BYTES;
const TAG_BYTES: usize = 16;
const SEALED_MAX: usize = CONTENT_MAX + CONTENT_OVERHEAD;
const COMMITMENT: [u8; 32] = [0; 32];

/// The key of one case's or one material's content. Wiped from memory when dropped, never printed, never
/// encoded: it travels wrapped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct ContentKey([u8; 32]);

impl ContentKey {
    /// A new key.
    pub fn generate(chance: &mut Chance) -> Self {
        Self(chance.bytes32())
    }

    /// The key with these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Names it within what it seals, a case by its id, and gives nothing of it away: SHA-256 over both.
    pub fn digest(&self, of: &[u8]) -> [u8; 32] {
        let bytes = Zeroizing::new([of, &self.0].concat());
        digest(Context::CASE_KEY, &bytes)
    }

    /// Its bytes, to be wrapped under another key.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentKey(..)")
    }
}

/// Seals `plaintext`; `aad` is bound to it, not hidden and not carried along.
pub fn seal(key: &ContentKey, aad: &[u8], plaintext: &[u8], chance: &mut Chance) -> Result<Vec<u8>, Forged> {
    if plaintext.len() > CONTENT_MAX {
        return Err(Forged::WrongLength);
    }
    let nonce: [u8; NONCE_BYTES] = chance.array();
    let mut sealed = Vec::with_capacity(plaintext.len().saturating_add(CONTENT_OVERHEAD));
    sealed.push(VERSION);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(&COMMITMENT);
    sealed.extend_from_slice(plaintext);
    let (_clear, body) = sealed.split_at_mut(HEAD_BYTES);
    let tag = cipher(key).encrypt_inout_detached(&nonce.into(), aad, body.into());
    sealed.extend_from_slice(&tag.ok().ok_or(Forged::WrongLength)?);
    Ok(sealed)
}

/// The plaintext in `sealed`, if this key and this `aad` sealed it.
pub fn open(key: &ContentKey, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Forged> {
    let (nonce, body) = parts(sealed)?;
    let mut plaintext = body.to_vec();
    let opened = cipher(key).decrypt_in_place(&nonce.into(), aad, &mut plaintext);
    opened.ok().ok_or(Forged::NotOpened)?;
    if !plaintext.starts_with(&COMMITMENT) {
        return Err(Forged::NotOpened);
    }
    plaintext.drain(..COMMITMENT.len());
    Ok(plaintext)
}

fn cipher(key: &ContentKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&key.0.into())
}

/// Nonce and ciphertext, after version and length were found possible.
fn parts(sealed: &[u8]) -> Result<([u8; NONCE_BYTES], &[u8]), Forged> {
    let (version, rest) = sealed.split_first().ok_or(Forged::WrongLength)?;
    if *version != VERSION {
        return Err(Forged::UnknownVersion(*version));
    }
    if !(CONTENT_OVERHEAD..=SEALED_MAX).contains(&sealed.len()) {
        return Err(Forged::WrongLength);
    }
    let (nonce, body) = rest.split_first_chunk().ok_or(Forged::WrongLength)?;
    Ok((*nonce, body))
}
