//! A case event: a clear header of fixed offsets plus a sealed body.
//!
//! The header holds no personal data. Its digest, SHA-256 over the signed message, is what the next
//! header names as its predecessor, so `sha256sum` and `openssl` alone can check an exported log.
//!
//! | offset | length | field |
//! |---|---|---|
//! | 0 | 1 | header version (1) |
//! | 1 | 1 | suite |
//! | 2 | 2 | kind |
//! | 4 | 1 | flags: 1 = critical |
//! | 8 | 16 | case |
//! | 24, 28, 32 | 4 each | term, epoch, sequence |
//! | 36 | 4 | boot id |
//! | 40, 48 | 8, 4 | hall, incarnation |
//! | 52 | 2 | clerk number |
//! | 56 | 18 | authority (USCC) |
//! | 80 | 8 | wall time, ms since 1970 |
//! | 88 | 1 | time grade: 0 trusted, 1 suspect |
//! | 96 | 32 | SHA-256 of the matter's record |
//! | 128 | 32 | SHA-256 of the calendar's record |
//! | 160 | 32 | digest of the event before |
//! | 192 | 32 | SHA-256 of the sealed body |
//! | 224 | 160 | facts of the kind |
//!
//! Numbers are little-endian; bytes not named are zero.

use serde::{Deserialize, Serialize};

use super::facts::{Facts, FactsKind};
use super::layout::{Reader, Writer};
use crate::ids::{BodyId, CaseId, ClerkId, Digest, HallAt};
use crate::limits::BODY_MAX;
use crate::seal::{self, Context, Forged, PublicKey, SecretKey, Signature};
use crate::wire::Blob;

/// Bytes of a header.
pub const HEADER_BYTES: usize = 384;
const HEADER_VERSION: u8 = 1;

/// Where an event stands among all hand-overs of its case; compared as (term, epoch).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// Raised only by a succession.
    pub term: u32,
    /// Raised by each hand-over.
    pub epoch: u32,
}

impl Position {
    /// The position after `steps` hand-overs in the same term.
    #[must_use]
    pub const fn after(self, steps: u32) -> Self {
        Self { term: self.term, epoch: self.epoch.saturating_add(steps) }
    }

    /// The position of a succession: after whatever the life that has ended may have done in its term.
    #[must_use]
    pub const fn of_next_term(self) -> Self {
        Self { term: self.term.saturating_add(1), epoch: self.epoch.saturating_add(1) }
    }
}

/// The clear part of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The suite of the signature.
    pub suite: u8,
    /// The case.
    pub case: CaseId,
    /// Term and epoch.
    pub position: Position,
    /// The event's place in the log, from 0.
    pub sequence: u32,
    /// The boot of the node that wrote it.
    pub boot: u32,
    /// The hall and its life.
    pub at: HallAt,
    /// The clerk who acted; the node itself for automatic events.
    pub clerk: ClerkId,
    /// The authority in whose name.
    pub body: Option<BodyId>,
    /// Milliseconds since 1970, by the writing hall's clock.
    pub wall: u64,
    /// Whether the writing hall doubted its clock.
    pub suspect_time: bool,
    /// The matter's version.
    pub matter: Digest,
    /// The calendar's version.
    pub calendar: Digest,
    /// The event before; zero for the first.
    pub previous: Digest,
    /// SHA-256 of the sealed body.
    pub sealed: Digest,
    /// What happened.
    pub facts: Facts,
}

/// Why header bytes were refused. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadHeader {
    /// Not 384 bytes.
    #[error("a header has 384 bytes")]
    Length,
    /// A header version this build does not know.
    #[error("header version {0} is not known")]
    Version(u8),
    /// A field has no meaning, or a reserved byte is set.
    #[error("a field of the header has no meaning")]
    Field,
    /// The sealed body does not have the named hash, or is too long.
    #[error("the body is not the one the header names")]
    Body,
    /// The signature does not hold.
    #[error(transparent)]
    Forged(#[from] Forged),
}

impl Header {
    /// The bytes that are signed.
    pub fn encode(&self) -> Vec<u8> {
        let (kind, critical, facts) = self.facts.encode();
        let mut to = Writer::new(HEADER_BYTES);
        to.byte(0, HEADER_VERSION)
            .byte(1, self.suite)
            .put(2, &kind.to_le_bytes())
            .byte(4, u8::from(critical));
        to.put(8, &self.case.0);
        to.short(24, self.position.term).short(28, self.position.epoch).short(32, self.sequence);
        to.short(36, self.boot).at(40, self.at).put(52, &self.clerk.number.to_le_bytes());
        if let Some(body) = &self.body {
            to.put(56, body.as_bytes());
        }
        to.long(80, self.wall).byte(88, u8::from(self.suspect_time));
        to.put(96, &self.matter.0).put(128, &self.calendar.0);
        to.put(160, &self.previous.0).put(192, &self.sealed.0).put(224, &facts);
        to.done()
    }

    /// Reads header bytes, strictly: one encoding a header.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadHeader> {
        if bytes.len() != HEADER_BYTES {
            return Err(BadHeader::Length);
        }
        let from = Reader::new(bytes);
        if from.byte(0) != HEADER_VERSION {
            return Err(BadHeader::Version(from.byte(0)));
        }
        let header = Self::read(&from).ok_or(BadHeader::Field)?;
        if header.encode() == bytes { Ok(header) } else { Err(BadHeader::Field) }
    }

    fn read(from: &Reader<'_>) -> Option<Self> {
        let at = from.at(40)?;
        let kind = FactsKind { code: u16::from_le_bytes(from.array(2)), critical: from.byte(4) == 1 };
        let body = from.array::<18>(56);
        Some(Self {
            suite: from.byte(1),
            case: CaseId(from.array(8)),
            position: Position { term: from.short(24), epoch: from.short(28) },
            sequence: from.short(32),
            boot: from.short(36),
            at,
            clerk: ClerkId { hall: at.hall, number: u16::from_le_bytes(from.array(52)) },
            body: if body == [0; 18] { None } else { Some(std::str::from_utf8(&body).ok()?.parse().ok()?) },
            wall: from.long(80),
            suspect_time: from.byte(88) == 1,
            matter: Digest(from.array(96)),
            calendar: Digest(from.array(128)),
            previous: Digest(from.array(160)),
            sealed: Digest(from.array(192)),
            facts: Facts::decode(kind, &from.array(224))?,
        })
    }
}

/// An event as it is stored and sent: header bytes, signature, sealed body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedEvent {
    header: Blob,
    signature: Signature,
    body: Blob,
}

impl SignedEvent {
    /// Signs a header over its sealed body; the header's body hash is set here.
    pub fn sign(mut header: Header, body: Blob, key: &SecretKey) -> Self {
        header.sealed = body_digest(body.as_bytes());
        header.suite = key.suite().into();
        let bytes = header.encode();
        let signature = seal::sign(key, Context::EVENT, &bytes);
        Self { header: bytes.into(), signature, body }
    }

    /// The header, read from the signed bytes.
    pub fn header(&self) -> Result<Header, BadHeader> {
        Header::decode(self.header.as_bytes())
    }

    /// Checks that the sealed body is the one the header names, and the signature over the header.
    pub fn verify(&self, key: &PublicKey) -> Result<Header, BadHeader> {
        let header = self.header()?;
        if self.body.len() > BODY_MAX || body_digest(self.body.as_bytes()) != header.sealed {
            return Err(BadHeader::Body);
        }
        if header.suite != u8::from(key.suite()) {
            return Err(BadHeader::Field);
        }
        seal::verify(key, Context::EVENT, self.header.as_bytes(), &self.signature)?;
        Ok(header)
    }

    /// SHA-256 of the signed message: the name of this event.
    pub fn digest(&self) -> Digest {
        Digest(seal::digest(Context::EVENT, self.header.as_bytes()))
    }

    /// The exact message that the signature covers: context and header.
    pub fn message(&self) -> Vec<u8> {
        seal::message(Context::EVENT, self.header.as_bytes())
    }

    /// Puts together what was exported in parts, none of it checked here. None if the message is of another
    /// context.
    pub fn from_message(message: &[u8], signature: Signature, body: Blob) -> Option<Self> {
        let header = message.strip_prefix(Context::EVENT.as_bytes())?;
        Some(Self { header: header.to_vec().into(), signature, body })
    }

    /// The signature.
    pub const fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The sealed body.
    pub const fn body(&self) -> &Blob {
        &self.body
    }
}

/// SHA-256 of a sealed body, as `sha256sum` prints it.
pub fn body_digest(body: &[u8]) -> Digest {
    use sha2::Digest as _;
    Digest(sha2::Sha256::digest(body).into())
}
