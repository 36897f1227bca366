//! The data directory of one hall: who it is, its secret keys, its clerks' keys, its drafts.
//!
//! Promises: a key is drawn once from the system's randomness and never replaced; a file is there whole or
//! not at all; a key that others could have read is not used. Knows nothing of the city: a home is made
//! before its hall has a charter.
//!
//! | path | what |
//! |---|---|
//! | `hall.json` | division, serial, name; written last, so a home without it was never finished |
//! | `keys/transport.key`, `keys/event.key`, `keys/wrap.key` | 32-byte seeds in hexadecimal |
//! | `clerks/NNN.key` | the seeds of the clerks' keys |
//! | `drafts/` | what is being written at the windows |
//! | `node.redb` | the rows, once the hall has joined ([`crate::store`]) |
//! | `recovery.json`, `former-keys/N/` | this home does not live, and the keys of life N ([`Recovery`]) |

mod error;
pub(crate) mod files;
mod recovery;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::ids::{DivisionCode, HallId};
use hallmesh_protocol::limits::{CLERKS_MAX, NAME_MAX};
use hallmesh_protocol::seal::{PublicKey, SecretKey, Suite, WrapSecret};
use libp2p::PeerId;
use libp2p::identity::Keypair;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub use error::HomeError;
pub use recovery::Recovery;

use crate::hex::unhex_into;
use crate::store::CREATE_FREE_MIN;

const LABEL: &str = "hall.json";
const KEYS: &str = "keys";
const CLERKS: &str = "clerks";
const DRAFTS: &str = "drafts";
const DATABASE: &str = "node.redb";
/// A disk made for the data directory alone has this in it.
const FILE_SYSTEM: &str = "lost+found";
const TRANSPORT: &str = "transport.key";
const EVENT: &str = "event.key";
const WRAP: &str = "wrap.key";
/// A name of 200 characters, escaped, and two numbers.
const LABEL_BYTES_MAX: u64 = 4 * 1024;
/// 64 digits and a line end, which an editor may have made longer.
const KEY_TEXT_MAX: u64 = 80;

/// The data directory of one hall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    dir: PathBuf,
    hall: HallId,
    name: String,
}

/// The secret keys of a hall's node.
#[derive(Debug)]
pub struct Keys {
    /// The key of its lines, as the transport wants it.
    pub transport: Keypair,
    /// The public half of [`Keys::transport`], as a charter names it.
    pub transport_public: PublicKey,
    /// The key of its events and records.
    pub event: SecretKey,
    /// The key that case keys are wrapped to.
    pub wrap: WrapSecret,
}

impl Home {
    /// Makes the home of a hall, with new keys, in a directory that is missing or empty. An attempt that was
    /// interrupted can be repeated.
    pub fn create(dir: &Path, hall: HallId, name: &str) -> Result<Home, HomeError> {
        Self::create_with(dir, hall, name, CREATE_FREE_MIN)
    }

    /// The home in `dir`. Refuses one that does not live, and one whose keys others can read.
    pub fn open(dir: &Path) -> Result<Home, HomeError> {
        let home = Self::labelled(dir)?.ok_or_else(|| HomeError::Missing { dir: dir.to_owned() })?;
        recovery::refuse(dir)?;
        [TRANSPORT, EVENT, WRAP].into_iter().try_for_each(|key| files::refuse_open(&home.key_path(key)))?;
        Ok(home)
    }

    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whose it is.
    pub fn hall(&self) -> HallId {
        self.hall
    }

    /// The hall's name as its staff wrote it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where drafts are kept.
    pub fn drafts(&self) -> PathBuf {
        self.dir.join(DRAFTS)
    }

    /// Whether the hall has joined its city: whether there are rows here.
    pub fn is_joined(&self) -> Result<bool, HomeError> {
        files::exists(&self.dir.join(DATABASE))
    }

    /// Reads the node's keys.
    pub fn keys(&self) -> Result<Keys, HomeError> {
        let (path, mut seed) = (self.key_path(TRANSPORT), read_seed(&self.key_path(TRANSPORT))?);
        let transport_public = SecretKey::from_seed(Suite::One, *seed).public();
        let transport = Keypair::ed25519_from_bytes(&mut *seed).ok().ok_or(HomeError::Damaged { path })?;
        let event = SecretKey::from_seed(Suite::One, *read_seed(&self.key_path(EVENT))?);
        let wrap = WrapSecret::from_seed(*read_seed(&self.key_path(WRAP))?);
        Ok(Keys { transport, transport_public, event, wrap })
    }

    /// Reads a clerk's key.
    pub fn clerk_key(&self, number: u16) -> Result<SecretKey, HomeError> {
        let path = self.clerk_path(number)?;
        if !files::exists(&path)? {
            return Err(HomeError::ClerkKeyMissing { number });
        }
        Ok(SecretKey::from_seed(Suite::One, *read_seed(&path)?))
    }

    /// Draws a clerk's key, once.
    pub fn new_clerk_key(&self, number: u16) -> Result<PublicKey, HomeError> {
        let path = self.clerk_path(number)?;
        let _lock = files::lock(&self.dir)?;
        if files::exists(&path)? {
            return Err(HomeError::ClerkKeyExists { number });
        }
        files::make_dir(&self.dir.join(CLERKS))?;
        let key = SecretKey::generate(&mut chance());
        write_seed(&path, &key.seed())?;
        Ok(key.public())
    }

    fn create_with(dir: &Path, hall: HallId, name: &str, needed: u64) -> Result<Home, HomeError> {
        check_name(name)?;
        refuse_taken(dir, hall)?;
        files::refuse_if_low(dir, needed)?;
        files::make_dir(dir)?;
        let _lock = files::lock(dir)?;
        refuse_taken(dir, hall)?;
        let home = Home { dir: dir.to_owned(), hall, name: name.to_owned() };
        [KEYS, CLERKS, DRAFTS].into_iter().try_for_each(|below| files::make_dir(&dir.join(below)))?;
        let mut chance = chance();
        [TRANSPORT, EVENT, WRAP].into_iter().try_for_each(|key| home.draw_key(key, &mut chance))?;
        home.write_label()?;
        Ok(home)
    }

    /// A key that an interrupted attempt has left is as good as a new one, and perhaps known to somebody.
    fn draw_key(&self, key: &str, chance: &mut Chance) -> Result<(), HomeError> {
        let path = self.key_path(key);
        if files::exists(&path)? {
            return read_seed(&path).map(drop);
        }
        write_seed(&path, &Zeroizing::new(chance.bytes32()))
    }

    fn key_path(&self, key: &str) -> PathBuf {
        self.dir.join(KEYS).join(key)
    }

    fn clerk_path(&self, number: u16) -> Result<PathBuf, HomeError> {
        if (1..=CLERKS_MAX).contains(&number) {
            Ok(self.dir.join(CLERKS).join(format!("{number:03}.key")))
        } else {
            Err(HomeError::ClerkNumber { number, max: CLERKS_MAX })
        }
    }

    fn write_label(&self) -> Result<(), HomeError> {
        let (division, serial) = (self.hall.division(), self.hall.serial());
        let path = self.dir.join(LABEL);
        let label = serde_json::to_vec_pretty(&Label { division, serial, name: self.name.clone() });
        let label = label.ok().ok_or_else(|| HomeError::Damaged { path: path.clone() })?;
        files::write(&path, &label)
    }

    fn labelled(dir: &Path) -> Result<Option<Home>, HomeError> {
        let path = dir.join(LABEL);
        let text = match files::read(&path, LABEL_BYTES_MAX) {
            Err(HomeError::NoFile { .. }) => return Ok(None),
            text => text?,
        };
        let damaged = || HomeError::Damaged { path: path.clone() };
        let label: Label = serde_json::from_slice(&text).ok().ok_or_else(damaged)?;
        let hall = HallId::new(label.division, label.serial).ok().ok_or_else(damaged)?;
        check_name(&label.name).ok().ok_or_else(damaged)?;
        Ok(Some(Home { dir: dir.to_owned(), hall, name: label.name }))
    }
}

/// A stream of chance seeded by the operating system. A machine that has none can make no key, number or
/// nonce: the process ends.
pub fn chance() -> Chance {
    let mut seed = Zeroizing::new([0; 32]);
    #[expect(clippy::expect_used, reason = "nothing is safe without randomness, and nobody can go on")]
    getrandom::fill(&mut *seed).expect("the system gives random numbers");
    Chance::from_seed(*seed)
}

/// How a hall's transport key is called on the line.
pub fn peer_id_of(key: &PublicKey) -> PeerId {
    // An identity multihash over the protobuf of an Ed25519 key: the bytes themselves, not a digest of them.
    const PREFIX: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];
    let bytes = [PREFIX.as_slice(), key.as_bytes()].concat();
    #[expect(clippy::expect_used, reason = "the form is fixed and holds any 32 bytes")]
    PeerId::from_bytes(&bytes).expect("an identity multihash of 36 bytes")
}

/// Whether a hall or city can have this name: the bounds of a charter.
pub(crate) fn check_name(name: &str) -> Result<(), HomeError> {
    let length = name.chars().count();
    let sound = (1..=NAME_MAX).contains(&length)
        && name.trim() == name
        && !name.chars().any(|character| character.is_control());
    if sound { Ok(()) } else { Err(HomeError::BadName { max: NAME_MAX }) }
}

/// What `hall.json` says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Label {
    division: DivisionCode,
    serial: u8,
    name: String,
}

fn refuse_taken(dir: &Path, wanted: HallId) -> Result<(), HomeError> {
    if let Some(home) = Home::labelled(dir)? {
        let (dir, found) = (home.dir, home.hall);
        let own = found == wanted;
        return Err(if own {
            HomeError::Exists { dir }
        } else {
            HomeError::OtherHall { dir, found, wanted }
        });
    }
    let unfinished = format!("{LABEL}.{}", files::UNFINISHED);
    let ours = [KEYS, CLERKS, DRAFTS, FILE_SYSTEM, unfinished.as_str()];
    let foreign = files::names(dir)?.into_iter().find(|name| !ours.contains(&name.as_str()));
    foreign.map_or(Ok(()), |name| Err(HomeError::Foreign { path: dir.join(name) }))
}

fn write_seed(path: &Path, seed: &Zeroizing<[u8; 32]>) -> Result<(), HomeError> {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or_default();
    let mut text = Zeroizing::new(String::with_capacity(65));
    text.extend(seed.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)]));
    text.push('\n');
    files::write(path, text.as_bytes())
}

fn read_seed(path: &Path) -> Result<Zeroizing<[u8; 32]>, HomeError> {
    let text = files::read_private(path, KEY_TEXT_MAX)?;
    let mut seed = Zeroizing::new([0; 32]);
    let read = unhex_into(text.trim_ascii(), seed.as_mut_slice());
    read.map(|()| seed).ok_or_else(|| HomeError::Damaged { path: path.to_owned() })
}
