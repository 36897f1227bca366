//! The data directory of one hall: who it is, its secret keys, its clerks' keys, its drafts.
//!
//! Promises: a key is drawn once from the system's randomness and never replaced; a file is there whole or
//! not at all; a key that others could have read is not used; the directory of a sealed home gives away no key.
//! Knows nothing of the city: a home is made before its hall has a charter.
//!
//! | path | what |
//! |---|---|
//! | `hall.json` | division, serial, name; written last, so a home without it was never finished |
//! | `keys/keys.sealed` | the seeds of all keys, the clerks' too, under a secret from elsewhere (`seal`) |
//! | `keys/transport.key`, `keys/event.key`, `keys/wrap.key` | in an unsealed home: 32-byte seeds in hexadecimal |
//! | `clerks/NNN.key` | in an unsealed home: the seeds of the clerks' keys |
//! | `drafts/` | what is being written at the windows |
//! | `node.redb` | the rows, once the hall has joined ([`crate::store`]) |
//! | `recovery.json`, `former-keys/N/` | this home does not live, and the keys of life N ([`Recovery`]) |

mod error;
pub(crate) mod files;
mod recovery;
mod seal;
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
pub use seal::{
    HANDED_OVER_CREDENTIAL, HANDED_OVER_PASSPHRASE, Outside, PASSPHRASE_BYTES_MAX, PASSPHRASE_CHARACTERS_MIN,
    Passphrase, SealError, Sealing, Secret,
};

use seal::{Sealed, Seed, Seeds};

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
const SEALED: &str = "keys.sealed";
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
    outside: Outside,
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
    /// Makes the home of a hall, with new keys that lie in clear, in a directory that is missing or empty: for
    /// demonstrations, tests, and whoever says so. An attempt that was interrupted can be repeated.
    pub fn create(dir: &Path, hall: HallId, name: &str) -> Result<Home, HomeError> {
        Self::create_with(dir, hall, name, CREATE_FREE_MIN)
    }

    /// Makes the home of a hall, with new keys sealed under a secret, in a directory that is missing or empty. An
    /// attempt that was interrupted can be repeated, also with another secret.
    pub fn create_sealed(dir: &Path, hall: HallId, name: &str, secret: &Secret) -> Result<Home, HomeError> {
        Self::made(dir, hall, name, CREATE_FREE_MIN, |home| home.draw_sealed(secret))
    }

    /// The home in `dir`, if its keys are not sealed or nobody will ask for them. Refuses one that does not live, and
    /// one whose keys others can read.
    pub fn open(dir: &Path) -> Result<Home, HomeError> {
        Self::open_with(dir, Outside::default())
    }

    /// The home in `dir`, and where the secret is that opens its keys.
    pub fn open_with(dir: &Path, outside: Outside) -> Result<Home, HomeError> {
        let home = Self::labelled(dir)?.ok_or_else(|| HomeError::Missing { dir: dir.to_owned() })?;
        recovery::refuse(dir)?;
        home.refuse_open_keys()?;
        Ok(home.opened_by(outside))
    }

    /// The same home, with what opens its keys.
    #[must_use]
    pub fn opened_by(self, outside: Outside) -> Home {
        Home { outside, ..self }
    }

    /// The same home, without what opens its keys.
    #[must_use]
    pub fn closed(self) -> Home {
        self.opened_by(Outside::default())
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

    /// How its secret keys lie on the disk.
    pub fn sealing(&self) -> Result<Sealing, HomeError> {
        Ok(self.sealed()?.map_or(Sealing::None, |sealed| sealed.sealing()))
    }

    /// Reads the node's keys.
    pub fn keys(&self) -> Result<Keys, HomeError> {
        let Seeds { mut transport, event, wrap, .. } = match self.sealed()? {
            Some(sealed) => self.opened(&sealed)?,
            None => self.node_seeds_in_clear()?,
        };
        let transport_public = SecretKey::from_seed(Suite::One, *transport).public();
        let damaged = HomeError::Damaged { path: self.key_path(TRANSPORT) };
        let transport = Keypair::ed25519_from_bytes(&mut *transport).ok().ok_or(damaged)?;
        let event = SecretKey::from_seed(Suite::One, *event);
        Ok(Keys { transport, transport_public, event, wrap: WrapSecret::from_seed(*wrap) })
    }

    /// Reads a clerk's key.
    pub fn clerk_key(&self, number: u16) -> Result<SecretKey, HomeError> {
        let path = self.clerk_path(number)?;
        let seed = match self.sealed()? {
            Some(sealed) => self.opened(&sealed)?.clerks.remove(&number),
            None if files::exists(&path)? => Some(read_seed(&path)?),
            None => None,
        };
        let seed = seed.ok_or(HomeError::ClerkKeyMissing { number })?;
        Ok(SecretKey::from_seed(Suite::One, *seed))
    }

    /// Draws a clerk's key, once.
    pub fn new_clerk_key(&self, number: u16) -> Result<PublicKey, HomeError> {
        let path = self.clerk_path(number)?;
        let _lock = files::lock(&self.dir)?;
        let key = SecretKey::generate(&mut chance());
        match self.sealed()? {
            Some(sealed) => self.add_sealed(&sealed, number, key.seed())?,
            None if files::exists(&path)? => return Err(HomeError::ClerkKeyExists { number }),
            None => {
                files::make_dir(&self.dir.join(CLERKS))?;
                write_seed(&path, &key.seed())?;
            }
        }
        Ok(key.public())
    }

    /// Seals the keys under another secret, or for the first time. What lay in clear is overwritten and removed; a
    /// disk that spreads its writes may keep it all the same. Interrupted at any moment, the keys are sealed under
    /// one of the two; once more finishes it.
    pub fn reseal(&self, secret: &Secret) -> Result<(), HomeError> {
        let _lock = files::lock(&self.dir)?;
        let seeds = match self.sealed()? {
            Some(sealed) => self.opened(&sealed)?,
            None => self.seeds_in_clear()?,
        };
        Sealed::write(&self.key_path(SEALED), self.hall, &seeds, secret)?;
        self.erase_clear(&seeds)
    }

    /// Removes keys in clear that an interrupted sealing has left beside the sealed ones.
    pub fn finish_sealing(&self) -> Result<(), HomeError> {
        let _lock = files::lock(&self.dir)?;
        let Some(sealed) = self.sealed()? else { return Ok(()) };
        if self.clear_files()?.is_empty() { Ok(()) } else { self.erase_clear(&self.opened(&sealed)?) }
    }

    fn create_with(dir: &Path, hall: HallId, name: &str, needed: u64) -> Result<Home, HomeError> {
        Self::made(dir, hall, name, needed, Home::draw_clear)
    }

    fn made(
        dir: &Path,
        hall: HallId,
        name: &str,
        needed: u64,
        draw: impl FnOnce(&Home) -> Result<(), HomeError>,
    ) -> Result<Home, HomeError> {
        check_name(name)?;
        refuse_taken(dir, hall)?;
        files::refuse_if_low(dir, needed)?;
        files::make_dir(dir)?;
        let _lock = files::lock(dir)?;
        refuse_taken(dir, hall)?;
        let outside = Outside::default();
        let home = Home { dir: dir.to_owned(), hall, name: name.to_owned(), outside };
        [KEYS, CLERKS, DRAFTS].into_iter().try_for_each(|below| files::make_dir(&dir.join(below)))?;
        draw(&home)?;
        home.write_label()?;
        Ok(home)
    }

    fn draw_clear(&self) -> Result<(), HomeError> {
        // What an interrupted attempt has sealed nobody knows.
        files::remove(&self.key_path(SEALED))?;
        let mut chance = chance();
        [TRANSPORT, EVENT, WRAP].into_iter().try_for_each(|key| self.draw_key(key, &mut chance))
    }

    /// Always drawn anew: a home that was never finished has told nobody its keys.
    fn draw_sealed(&self, secret: &Secret) -> Result<(), HomeError> {
        let seeds = Seeds::drawn(&mut chance());
        Sealed::write(&self.key_path(SEALED), self.hall, &seeds, secret)?;
        self.clear_files()?.iter().try_for_each(|path| files::erase(path))
    }

    /// Refuses keys that others can read. Of sealed ones that was seen when their file was read.
    fn refuse_open_keys(&self) -> Result<(), HomeError> {
        if self.sealed()?.is_some() {
            return Ok(());
        }
        [TRANSPORT, EVENT, WRAP].into_iter().try_for_each(|key| files::refuse_open(&self.key_path(key)))
    }

    fn sealed(&self) -> Result<Option<Sealed>, HomeError> {
        Sealed::read(&self.key_path(SEALED))
    }

    fn opened(&self, sealed: &Sealed) -> Result<Seeds, HomeError> {
        let secret = self.outside.secret(sealed.sealing(), &self.dir)?;
        Ok(sealed.open(&secret)?)
    }

    fn add_sealed(&self, sealed: &Sealed, number: u16, seed: Seed) -> Result<(), HomeError> {
        let secret = self.outside.secret(sealed.sealing(), &self.dir)?;
        let mut seeds = sealed.open(&secret)?;
        if seeds.clerks.contains_key(&number) {
            return Err(HomeError::ClerkKeyExists { number });
        }
        seeds.clerks.insert(number, seed);
        Sealed::write(&self.key_path(SEALED), self.hall, &seeds, &secret)
    }

    fn node_seeds_in_clear(&self) -> Result<Seeds, HomeError> {
        let seed = |key| read_seed(&self.key_path(key));
        Ok(Seeds { transport: seed(TRANSPORT)?, event: seed(EVENT)?, wrap: seed(WRAP)?, ..Seeds::default() })
    }

    fn seeds_in_clear(&self) -> Result<Seeds, HomeError> {
        let mut seeds = self.node_seeds_in_clear()?;
        for (number, path) in self.clerk_files()? {
            seeds.clerks.insert(number, read_seed(&path)?);
        }
        Ok(seeds)
    }

    /// The files of clerks' keys in clear, by number.
    fn clerk_files(&self) -> Result<Vec<(u16, PathBuf)>, HomeError> {
        let names = files::names(&self.dir.join(CLERKS))?;
        let numbers = names.iter().filter_map(|name| name.strip_suffix(".key")?.parse().ok());
        numbers.map(|number| Ok((number, self.clerk_path(number)?))).collect()
    }

    /// Everything that holds a key in clear, also one that was never finished.
    fn clear_files(&self) -> Result<Vec<PathBuf>, HomeError> {
        let mut found = Vec::new();
        for below in [KEYS, CLERKS] {
            let dir = self.dir.join(below);
            let names = files::names(&dir)?;
            found.extend(names.iter().filter(|name| name.contains(".key")).map(|name| dir.join(name)));
        }
        Ok(found)
    }

    /// Removes keys in clear, none of which is another than the sealed one.
    fn erase_clear(&self, seeds: &Seeds) -> Result<(), HomeError> {
        let node = [(TRANSPORT, &seeds.transport), (EVENT, &seeds.event), (WRAP, &seeds.wrap)];
        let mut known: Vec<_> =
            node.into_iter().map(|(key, seed)| (self.key_path(key), Some(seed))).collect();
        known.extend(self.clerk_files()?.into_iter().map(|(number, path)| (path, seeds.clerks.get(&number))));
        for (path, seed) in known {
            match read_seed(&path) {
                Ok(found) if Some(&found) != seed => return Err(HomeError::Damaged { path }),
                // What is no seed is one that was being erased.
                Ok(_) | Err(HomeError::NoFile { .. } | HomeError::Damaged { .. }) => {}
                Err(why) => return Err(why),
            }
        }
        self.clear_files()?.iter().try_for_each(|path| files::erase(path))
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
        Ok(Some(Home { dir: dir.to_owned(), hall, name: label.name, outside: Outside::default() }))
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

fn write_seed(path: &Path, seed: &Seed) -> Result<(), HomeError> {
    files::write(path, hex_line(seed).as_bytes())
}

/// A line of hexadecimal that is wiped.
fn hex_line(seed: &Seed) -> Zeroizing<String> {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or_default();
    let mut text = Zeroizing::new(String::with_capacity(65));
    text.extend(seed.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)]));
    text.push('\n');
    text
}

fn read_seed(path: &Path) -> Result<Seed, HomeError> {
    let text = files::read_private(path, KEY_TEXT_MAX)?;
    let mut seed = Zeroizing::new([0; 32]);
    let read = unhex_into(text.trim_ascii(), seed.as_mut_slice());
    read.map(|()| seed).ok_or_else(|| HomeError::Damaged { path: path.to_owned() })
}
