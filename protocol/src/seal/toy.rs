//! Signatures that protect nothing, so that a simulated city of a thousand halls spends its time on the
//! protocol and not on the curve. Anyone who knows the public key can sign. They do tell a changed message,
//! context or key apart, which is what a simulation needs.

/// BLAKE3 of the seed.
pub(super) fn public(seed: &[u8; 32]) -> [u8; 32] {
    *blake3::hash(seed).as_bytes()
}

/// BLAKE3 of the message, keyed with the public key, twice to fill 64 bytes.
pub(super) fn sign(public: &[u8; 32], message: &[u8]) -> [u8; 64] {
    let tag = *blake3::keyed_hash(public, message).as_bytes();
    let mut signature = [0; 64];
    let (left, right) = signature.split_at_mut(32);
    left.copy_from_slice(&tag);
    right.copy_from_slice(&tag);
    signature
}
