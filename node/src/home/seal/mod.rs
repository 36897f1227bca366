//! The secret keys of a home, sealed in one file under a secret that is not on its disk.
//!
//! Promises: the data directory without that secret gives away no key; the file is replaced whole or not at all;
//! a wrong secret and a damaged file are told apart. Does not know where the secret is kept: see [`Outside`].
//!
//! The file is one JSON object: version, hall, way, what is sealed (hexadecimal), and a sum over all of it, which
//! finds damage and protects nothing. What is sealed are entries of 35 bytes: kind, number (little-endian), seed.
//! Everything that stands in clear is bound to it.

mod error;
mod outside;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use argon2::{Algorithm, Argon2, Params, Version};
use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::ids::HallId;
use hallmesh_protocol::limits::CLERKS_MAX;
use hallmesh_protocol::seal::{self as crypto, CONTENT_OVERHEAD, ContentKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub use error::SealError;
pub use outside::{
    HANDED_OVER_CREDENTIAL, HANDED_OVER_PASSPHRASE, Outside, PASSPHRASE_BYTES_MAX, PASSPHRASE_CHARACTERS_MIN,
    Passphrase, Secret,
};

use super::{HomeError, files};
use crate::hex::{hex, unhex};

/// A seed of one key.
pub(super) type Seed = Zeroizing<[u8; 32]>;

const VERSION: u8 = 1;
const SALT_BYTES: usize = 16;
/// RFC 9106, section 4, the second recommended choice: 64 MiB, three passes, four lanes. Some tenths of a second
/// on a hall's PC, and as much memory for each guess of a thief's.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 4;
/// What a file may ask of this machine: 1 GiB, 64 passes, 16 lanes.
const MEMORY_KIB_MAX: u32 = 1024 * 1024;
const PASSES_MAX: u32 = 64;
const LANES_MAX: u32 = 16;
const ENTRY_BYTES: usize = 35;
/// Three keys of the node and one of each clerk.
const ENTRIES_MAX: usize = 3 + CLERKS_MAX as usize;
/// Twice the sealed bytes, as hexadecimal, and the words around them.
const FILE_BYTES_MAX: u64 = (2 * (ENTRIES_MAX * ENTRY_BYTES + CONTENT_OVERHEAD) + 1024) as u64;

/// How the secret keys of a home lie on its disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sealing {
    /// In clear.
    None,
    /// Sealed under a passphrase.
    Passphrase,
    /// Sealed under the key in a credential file.
    Credential,
}

impl Sealing {
    /// The stable word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Passphrase => "passphrase",
            Self::Credential => "credential",
        }
    }
}

/// Every secret key of a home.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Seeds {
    pub(super) transport: Seed,
    pub(super) event: Seed,
    pub(super) wrap: Seed,
    pub(super) clerks: BTreeMap<u16, Seed>,
}

impl Seeds {
    fn entries(&self) -> Zeroizing<Vec<u8>> {
        let node = [(1, &self.transport), (2, &self.event), (3, &self.wrap)];
        let node = node.into_iter().map(|(kind, seed)| (kind, 0, seed));
        let clerks = self.clerks.iter().map(|(number, seed)| (4, *number, seed));
        let room = self.clerks.len().saturating_add(3).saturating_mul(ENTRY_BYTES);
        let mut bytes = Zeroizing::new(Vec::with_capacity(room));
        for (kind, number, seed) in node.chain(clerks) {
            bytes.push(kind);
            bytes.extend_from_slice(&u16::to_le_bytes(number));
            bytes.extend_from_slice(seed.as_slice());
        }
        bytes
    }

    fn of_entries(bytes: &[u8]) -> Option<Self> {
        let (entries, rest) = bytes.as_chunks::<ENTRY_BYTES>();
        let (mut seeds, mut found) = (Self::default(), [false; 3]);
        for entry in entries {
            let [kind, low, high, seed @ ..] = entry;
            let (number, seed) = (u16::from_le_bytes([*low, *high]), Zeroizing::new(*seed));
            match (kind, number) {
                (1, 0) => (seeds.transport, found[0]) = (seed, true),
                (2, 0) => (seeds.event, found[1]) = (seed, true),
                (3, 0) => (seeds.wrap, found[2]) = (seed, true),
                (4, 1..=CLERKS_MAX) => drop(seeds.clerks.insert(number, seed)),
                _ => return None,
            }
        }
        (rest.is_empty() && found == [true; 3]).then_some(seeds)
    }
}

/// How the secret makes the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case", deny_unknown_fields)]
enum Way {
    /// By Argon2id.
    Passphrase { memory_kib: u32, passes: u32, lanes: u32, salt: String },
    /// It is the key.
    Credential,
}

impl Way {
    fn of(secret: &Secret, chance: &mut Chance) -> Self {
        match secret {
            Secret::Passphrase(_) => {
                let salt = hex(&chance.bytes16());
                Self::Passphrase { memory_kib: MEMORY_KIB, passes: PASSES, lanes: LANES, salt }
            }
            Secret::Credential(_) => Self::Credential,
        }
    }

    fn sealing(&self) -> Sealing {
        match self {
            Self::Passphrase { .. } => Sealing::Passphrase,
            Self::Credential => Sealing::Credential,
        }
    }

    /// The key; none if the secret is of the other kind, or the file asks for more than it may.
    fn key(&self, secret: &Secret) -> Option<ContentKey> {
        match (self, secret) {
            (Self::Passphrase { memory_kib, passes, lanes, salt }, Secret::Passphrase(passphrase)) => {
                let bounded = *memory_kib <= MEMORY_KIB_MAX && *passes <= PASSES_MAX && *lanes <= LANES_MAX;
                let params = Params::new(*memory_kib, *passes, *lanes, Some(32)).ok().filter(|_| bounded)?;
                let salt = unhex(salt).filter(|salt| salt.len() == SALT_BYTES)?;
                let (mut key, slow) =
                    (Seed::default(), Argon2::new(Algorithm::Argon2id, Version::V0x13, params));
                slow.hash_password_into(passphrase.as_bytes(), &salt, key.as_mut_slice()).ok()?;
                Some(ContentKey::from_bytes(*key))
            }
            (Self::Credential, Secret::Credential(key)) => Some(ContentKey::from_bytes(**key)),
            (Self::Passphrase { .. }, Secret::Credential(_)) | (Self::Credential, Secret::Passphrase(_)) => {
                None
            }
        }
    }
}

/// What the file says, but for its sum.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    version: u8,
    hall: String,
    way: Way,
    sealed: String,
}

/// What the file says.
#[derive(Debug, Serialize, Deserialize)]
struct Summed {
    envelope: Envelope,
    sum: String,
}

/// Enough of any version to see which it is.
#[derive(Debug, Deserialize)]
struct Versioned {
    envelope: VersionOnly,
}

#[derive(Debug, Deserialize)]
struct VersionOnly {
    version: u8,
}

impl Envelope {
    fn seal(seeds: &Seeds, hall: HallId, secret: &Secret, chance: &mut Chance) -> Option<Self> {
        let (hall, way) = (hall.to_string(), Way::of(secret, chance));
        let sealed = crypto::seal(&way.key(secret)?, &bound(&hall, &way)?, &seeds.entries(), chance).ok()?;
        Some(Self { version: VERSION, hall, way, sealed: hex(&sealed) })
    }

    fn open(&self, secret: &Secret) -> Option<Seeds> {
        let (aad, sealed) = (bound(&self.hall, &self.way)?, unhex(&self.sealed)?);
        let opened = crypto::open(&self.way.key(secret)?, &aad, &sealed).ok().map(Zeroizing::new)?;
        Seeds::of_entries(&opened)
    }

    fn sum(&self) -> Option<String> {
        let text = serde_json::to_vec(self).ok()?;
        Some(hex(blake3::hash(&text).as_bytes()))
    }
}

/// What stands in clear, bound to what is sealed.
fn bound(hall: &str, way: &Way) -> Option<Vec<u8>> {
    serde_json::to_vec(&("hallmesh/v1/home", VERSION, hall, way)).ok()
}

/// The sealed keys of a home as they are in a file.
pub(super) struct Sealed {
    envelope: Envelope,
}

impl Sealed {
    /// The file at `path`, if there is one. Refuses one that is damaged or that others could have changed.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, HomeError> {
        let text = match files::read_private(path, FILE_BYTES_MAX) {
            Err(HomeError::NoFile { .. }) => return Ok(None),
            text => text?,
        };
        let damaged = || HomeError::Damaged { path: path.to_owned() };
        let found: Versioned = serde_json::from_slice(&text).ok().ok_or_else(damaged)?;
        let version = found.envelope.version;
        if version != VERSION {
            return Err(SealError::Version { path: path.to_owned(), version }.into());
        }
        let Summed { envelope, sum } = serde_json::from_slice(&text).ok().ok_or_else(damaged)?;
        if envelope.sum() == Some(sum) { Ok(Some(Self { envelope })) } else { Err(damaged()) }
    }

    /// Seals keys. That they open again is seen before anything is written.
    pub(super) fn write(path: &Path, hall: HallId, seeds: &Seeds, secret: &Secret) -> Result<(), HomeError> {
        let damaged = || HomeError::Damaged { path: path.to_owned() };
        let envelope = Envelope::seal(seeds, hall, secret, &mut super::chance()).ok_or_else(damaged)?;
        if envelope.open(secret).as_ref() != Some(seeds) {
            return Err(damaged());
        }
        let sum = envelope.sum().ok_or_else(damaged)?;
        let text = serde_json::to_vec_pretty(&Summed { envelope, sum }).ok().ok_or_else(damaged)?;
        files::write(path, &text)
    }

    /// How the keys are sealed.
    pub(super) fn sealing(&self) -> Sealing {
        self.envelope.way.sealing()
    }

    /// Opens the keys.
    pub(super) fn open(&self, secret: &Secret) -> Result<Seeds, SealError> {
        self.envelope.open(secret).ok_or(match self.sealing() {
            Sealing::Credential => SealError::WrongCredential,
            Sealing::None | Sealing::Passphrase => SealError::WrongPassphrase,
        })
    }
}
