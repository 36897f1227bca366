//! The record: one signed, versioned thing that every hall holds. Directory and lists are made of records.
//!
//! One live record per key. The owner's version counter decides, never a clock; withdrawal is a version
//! and is kept for ever.

use serde::{Deserialize, Serialize};

use crate::audit::Fork;
use crate::calendar::Calendar;
use crate::catalogue::{Bundle, Delegation, Matter};
use crate::directory::{Charter, Contact, Destruction, Heard, Revocation, RootPolicy, Ruling, Voice};
use crate::ids::{Digest, HallAt};
use crate::limits::{FRAME_MAX, RECORD_MAX, RECORDS_MAX};
use crate::seal::Context;
use crate::signed::{Signable, Signed};
use crate::wire::{self, Malformed};

/// Who answers for a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Issuer {
    /// The holders of the city's root keys, by the root policy's threshold.
    Root,
    /// A hall, with the event key of that incarnation.
    Hall(HallAt),
}

/// The sets that are kept equal everywhere, in the order in which they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Space {
    /// Who is a hall and who no longer is: exchanged before anything else.
    Directory,
    /// What the halls do: matters, bundles, delegations, calendar.
    Lists,
}

impl Space {
    /// Both spaces, directory first.
    pub const ALL: [Self; 2] = [Self::Directory, Self::Lists];

    /// The byte that separates the spaces in keys and hashes.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Directory => 1,
            Self::Lists => 2,
        }
    }
}

/// A versioned statement of its issuer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Who signs it.
    pub issuer: Issuer,
    /// Counts from 1 for each key; only a higher one replaces.
    pub version: u32,
    /// SHA-256 of the version before, zero for the first.
    pub previous: Digest,
    /// The thing is taken back; the record stays.
    pub withdrawn: bool,
    /// Milliseconds since 1970 from which it is in force.
    pub effective_from: u64,
    /// What is stated.
    pub body: Body,
}

/// What a record can state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Body {
    /// How the city's root signs.
    Policy(RootPolicy),
    /// A hall's charter.
    Charter(Box<Charter>),
    /// Where a hall can be reached.
    Contact(Contact),
    /// A hall's node is no longer one of us.
    Revocation(Revocation),
    /// The working days.
    Calendar(Calendar),
    /// A matter.
    Matter(Box<Matter>),
    /// Rights over a matter, given to halls.
    Delegation(Delegation),
    /// A life of a hall has signed two things that exclude each other.
    Fork(Box<Fork>),
    /// Another hall goes on for one that is lost.
    Ruling(Ruling),
    /// The disk of a life is destroyed.
    Destruction(Destruction),
    /// A county's word that the city's own hall is lost.
    Voice(Voice),
    /// A bundle of matters.
    Bundle(Box<Bundle>),
    /// A county's machine has met a majority of the counties that says the same.
    Heard(Box<Heard>),
}

impl Body {
    /// The set this belongs to.
    pub const fn space(&self) -> Space {
        match self {
            Self::Policy(_)
            | Self::Charter(_)
            | Self::Contact(_)
            | Self::Revocation(_)
            | Self::Fork(_)
            | Self::Ruling(_)
            | Self::Destruction(_)
            | Self::Voice(_)
            | Self::Heard(_) => Space::Directory,
            Self::Calendar(_) | Self::Matter(_) | Self::Delegation(_) | Self::Bundle(_) => Space::Lists,
        }
    }

    /// The key under which one version is alive. It follows from the content, so the two cannot disagree.
    pub fn key(&self) -> String {
        match self {
            Self::Policy(_) => "policy".to_owned(),
            Self::Charter(charter) => format!("charter/{}", charter.at()),
            Self::Contact(contact) => format!("contact/{}", contact.at),
            Self::Revocation(revocation) => format!("revocation/{}", revocation.at),
            Self::Calendar(_) => "calendar".to_owned(),
            Self::Matter(matter) => format!("matter/{}", matter.code),
            Self::Delegation(delegation) => delegation.key(),
            Self::Bundle(bundle) => format!("bundle/{}", bundle.code),
            Self::Fork(fork) => fork.key(),
            // Whoever is named second takes nothing from the first: events rest on it.
            Self::Ruling(ruling) => format!("ruling/{}>{}", ruling.of, ruling.to),
            Self::Destruction(destruction) => format!("destroyed/{}", destruction.of),
            Self::Voice(voice) => voice.key(),
            Self::Heard(heard) => heard.key(),
        }
    }
}

impl Signable for Record {
    const CONTEXT: Context = Context::RECORD;
    const BYTES_MAX: usize = RECORD_MAX;
}

/// The element that stands for a signed record in the reconciled sets: BLAKE3 over bytes and signatures.
pub(crate) fn element(signed: &Signed<Record>) -> [u8; 32] {
    *blake3::hash(&wire::encode(signed)).as_bytes()
}

/// Records as they are carried in files and shown at the door.
pub fn encode_records(records: &[Signed<Record>]) -> Vec<u8> {
    wire::encode(&records)
}

/// Reads records that were carried in a file or shown at the door. Their signatures are not checked here.
pub fn decode_records(bytes: &[u8]) -> Result<Vec<Signed<Record>>, Malformed> {
    let records: Vec<Signed<Record>> = wire::decode(bytes, FRAME_MAX)?;
    if records.len() > RECORDS_MAX { Err(Malformed::Shape) } else { Ok(records) }
}

impl Body {
    /// The encoding of a body, for handing it to a node.
    pub fn encode(&self) -> Vec<u8> {
        wire::encode(self)
    }

    /// Reads an encoded body.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        wire::decode(bytes, RECORD_MAX)
    }
}
