//! What a signature or digest is for, mixed in before the bytes it covers.

use sha2::{Digest, Sha256};

/// Domain separation: 32 bytes in front of every signed or hashed message, so that bytes of one kind are
/// never taken for another. They are a readable label padded with zeros: an exported file starts with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Context([u8; 32]);

impl Context {
    /// Headers of case events.
    pub const EVENT: Self = Self::new(b"hallmesh/v1/event");
    /// Records of the directory and of the lists.
    pub const RECORD: Self = Self::new(b"hallmesh/v1/record");
    /// Digests that name a case's later keys.
    pub const CASE_KEY: Self = Self::new(b"hallmesh/v1/case-key-digest");
    /// Receipts between halls.
    pub const RECEIPT: Self = Self::new(b"hallmesh/v1/receipt");
    /// What halls state about cases that others have in hand.
    pub const STATEMENT: Self = Self::new(b"hallmesh/v1/statement");
    /// Covers of parcels on sticks.
    pub const PARCEL: Self = Self::new(b"hallmesh/v1/parcel");
    /// The contents of such parcels.
    pub const PARCEL_CONTENTS: Self = Self::new(b"hallmesh/v1/parcel-contents");
    /// Acts of clerks.
    pub const ACT: Self = Self::new(b"hallmesh/v1/act");
    /// Requests for a charter.
    pub const REQUEST: Self = Self::new(b"hallmesh/v1/request");
    /// Invitations to join.
    pub const INVITATION: Self = Self::new(b"hallmesh/v1/invitation");
    /// Checkpoints of a hall's log.
    pub const CHECKPOINT: Self = Self::new(b"hallmesh/v1/checkpoint");
    /// What witnesses sign under checkpoints.
    pub const COSIGNATURE: Self = Self::new(b"hallmesh/v1/cosignature");
    /// The city's root policy.
    pub const ROOT_POLICY: Self = Self::new(b"hallmesh/v1/root-policy");

    /// The context named `label`: 1 to 32 bytes, the last of which is not zero, or two labels could pad
    /// to one context. For constants, where a wrong label does not compile.
    pub const fn new(label: &[u8]) -> Self {
        assert!(matches!(label, [.., last] if *last != 0), "a label ends in a byte that is not padding");
        let mut bytes = [0; 32];
        assert!(label.len() <= bytes.len(), "a label has at most 32 bytes");
        bytes.split_at_mut(label.len()).0.copy_from_slice(label);
        Self(bytes)
    }

    /// The 32 bytes that go in front.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Context and bytes: the exact message that signatures and digests cover.
pub fn message(context: Context, bytes: &[u8]) -> Vec<u8> {
    [context.as_bytes(), bytes].concat()
}

/// SHA-256 of the message: what `sha256sum` prints for the exported file.
pub fn digest(context: Context, bytes: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(context.as_bytes()).chain_update(bytes).finalize().into()
}

/// BLAKE3 of the message: for element ids and bulk, where no auditor recomputes it by hand.
pub fn blake(context: Context, bytes: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(context.as_bytes()).update(bytes);
    *hasher.finalize().as_bytes()
}
