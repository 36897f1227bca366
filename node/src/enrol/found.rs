//! The founding of a city: the holders' keys and the first root policy, made once on a machine that is
//! on no network.
//!
//! | file | what | who keeps it |
//! |---|---|---|
//! | `root.hm` | the root policy and the public recovery key, both signed | public, wherever charters are issued |
//! | `holder-N.key` | the secret key of one holder | that holder alone, offline |
//! | `recovery.key` | the secret that opens case keys after the loss of a hall | apart from the others, offline |
//! | `issued/` | the last charter given to each hall ([`super::issue`]) | with `root.hm` |

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hallmesh_protocol::directory::RootPolicy;
use hallmesh_protocol::ids::{Digest, DivisionCode, HallId, Tier};
use hallmesh_protocol::limits::{COUNTIES_MAX, NAME_MAX, RECORD_MAX, SIGNATURES_MAX};
use hallmesh_protocol::record::{Body, Issuer, Record, encode_records};
use hallmesh_protocol::seal::{Context, SecretKey, Suite, WrapPublic, WrapSecret};
use hallmesh_protocol::signed::{Signable, Signed};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use super::armour::{self, ArmourError, Header, Kind};
use super::{fingerprint, packed, papers};
use crate::home::{self, HomeError, files};

const ROOT_FILE: &str = "root.hm";
const RECOVERY_FILE: &str = "recovery.key";
/// Room for a handful of small files.
const FREE_MIN: u64 = 1 << 20;
/// A key file is some 400 bytes.
const KEY_FILE_MAX: u64 = 4 << 10;
const ROOT_FILE_MAX: u64 = 256 << 10;
const LENGTH_BYTES: usize = 4;

/// Why a city was not founded. Nothing is left behind.
#[derive(Debug, Error)]
pub enum FoundError {
    /// The disk.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// There is something where the root's files should go.
    #[error("{} is not empty", path.display())]
    NotEmpty {
        /// What was found.
        path: PathBuf,
    },
    /// The code is not a city's.
    #[error("{division} is a {tier}, not a city")]
    NotACity {
        /// The code.
        division: DivisionCode,
        /// Its tier.
        tier: Tier,
    },
    /// A city's name has 1 to `max` visible characters.
    #[error("not a city's name: 1 to {max} visible characters")]
    BadName {
        /// The limit.
        max: usize,
    },
    /// There must be 1 to `max` holders, and no more signatures needed than there are holders.
    #[error("{threshold} of {holders} holders, at most {max}")]
    Holders {
        /// Holders asked for.
        holders: u8,
        /// Signatures asked for.
        threshold: u8,
        /// The limit.
        max: usize,
    },
    /// Two to `max` counties of the city may be named, or none.
    #[error("not two to {max} counties of the city")]
    Counties {
        /// The limit.
        max: usize,
    },
    /// A file is larger than it may be.
    #[error(transparent)]
    File(#[from] ArmourError),
}

impl FoundError {
    /// Stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Home(cause) => cause.code(),
            Self::File(cause) => cause.code(),
            Self::NotEmpty { .. } => "enrol.found.not_empty",
            Self::NotACity { .. } => "enrol.found.not_a_city",
            Self::BadName { .. } => "enrol.found.bad_name",
            Self::Holders { .. } => "enrol.found.holders",
            Self::Counties { .. } => "enrol.found.counties",
        }
    }

    /// Parameters of the sentence under [`FoundError::code`].
    pub fn params(&self) -> BTreeMap<String, String> {
        let found = match self {
            Self::Home(cause) => return cause.params(),
            Self::File(cause) => return cause.params(),
            Self::NotEmpty { path } => vec![("path", path.display().to_string())],
            Self::NotACity { division, tier } => {
                vec![("division", division.to_string()), ("tier", tier.to_string())]
            }
            Self::BadName { max } | Self::Counties { max } => vec![("max", max.to_string())],
            Self::Holders { holders, threshold, max } => vec![
                ("holders", holders.to_string()),
                ("threshold", threshold.to_string()),
                ("max", max.to_string()),
            ],
        };
        found.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// A city's new root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Founded {
    /// The SHA-256 of the root policy's record: every hall of the city rests on it.
    pub anchor: Digest,
    /// The same for people.
    pub fingerprint: String,
}

/// Founds a city: draws the holders' keys and the recovery key, and has all holders sign the root policy.
/// The files are in `out` together or not at all.
pub(super) fn found(
    (city, name): (DivisionCode, &str),
    (holders, threshold): (u8, u8),
    counties: &[DivisionCode],
    out: &Path,
) -> Result<Founded, FoundError> {
    let mut chance = home::chance();
    let keys: Vec<SecretKey> = (0..holders).map(|_| SecretKey::generate(&mut chance)).collect();
    let recovery = WrapSecret::from_seed(*Zeroizing::new(chance.bytes32()));
    let policy = RootPolicy {
        city,
        name: name.to_owned(),
        threshold,
        keys: keys.iter().map(SecretKey::public).collect(),
        counties: counties.iter().copied().map(HallId::main).collect::<BTreeSet<_>>().into_iter().collect(),
    };
    check(&policy, holders)?;
    let places: Vec<(u8, &SecretKey)> = (0..).zip(&keys).collect();
    let recovery_key = RecoveryKey { city, key: recovery.public() };
    let root = Root {
        record: Signed::sign(&first(policy.clone()), &places),
        policy,
        recovery: Signed::sign(&recovery_key, &places),
        recovery_key: recovery_key.key,
    };
    write_all(out, &root, &keys, &recovery)?;
    Ok(Founded { anchor: root.anchor(), fingerprint: fingerprint(&root.anchor()) })
}

/// The root's public half, as it is in `root.hm`.
#[derive(Debug)]
pub(super) struct Root {
    pub(super) record: Signed<Record>,
    pub(super) policy: RootPolicy,
    recovery: Signed<RecoveryKey>,
    /// What the root's charters name as recovery key.
    pub(super) recovery_key: WrapPublic,
}

impl Root {
    /// Reads `root.hm` and checks that the holders signed all of it.
    pub(super) fn open(dir: &Path) -> Result<Self, RootError> {
        let path = dir.join(ROOT_FILE);
        let text = files::read(&path, ROOT_FILE_MAX)?;
        Self::read(&text).map_err(|cause| RootError::File { path, cause })
    }

    pub(super) fn anchor(&self) -> Digest {
        self.record.digest()
    }

    fn read(text: &[u8]) -> Result<Self, ArmourError> {
        let opened = armour::read(utf8(text)?, Kind::Root)?;
        let root = Self::in_content(&opened.content).ok_or_else(|| opened.not_understood())?;
        opened.check_headers(&root.headers())?;
        Ok(root)
    }

    fn in_content(content: &[u8]) -> Option<Self> {
        let (length, rest) = content.split_first_chunk::<LENGTH_BYTES>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (frame, rest) = rest.split_at_checked(length)?;
        let mut records = papers::records_in(frame)?;
        let record = records.pop().filter(|_| records.is_empty())?;
        let Ok(Record { body: Body::Policy(policy), .. }) = record.peek() else { return None };
        policy.check().ok()?;
        record.verify_threshold(&policy.keys, policy.threshold).ok()?;
        let recovery: Signed<RecoveryKey> = packed::unpack(rest)?;
        let verified = recovery.verify_threshold(&policy.keys, policy.threshold).ok()?;
        let RecoveryKey { city, key } = verified.value().clone();
        (city == policy.city).then_some(Self { record, policy, recovery, recovery_key: key })
    }

    fn text(&self) -> Result<String, ArmourError> {
        let frame = encode_records(std::slice::from_ref(&self.record));
        let length = u32::try_from(frame.len()).unwrap_or(u32::MAX).to_le_bytes();
        let content = [&length[..], &frame, &packed::pack(&self.recovery)].concat();
        armour::write(Kind::Root, &self.headers(), &content)
    }

    fn headers(&self) -> Vec<Header> {
        let policy = &self.policy;
        let mut headers = vec![
            ("City", format!("{} {}", policy.city, policy.name)),
            ("Holders", format!("{} of {}", policy.threshold, policy.keys.len())),
        ];
        if !policy.counties.is_empty() {
            headers.push(("Counties", format!("{} of {}", policy.majority(), policy.counties.len())));
        }
        headers.push(("Root", fingerprint(&self.anchor())));
        headers
    }
}

/// Why the root's files cannot be used.
#[derive(Debug)]
pub(super) enum RootError {
    Home(HomeError),
    File { path: PathBuf, cause: ArmourError },
    OtherRoot { path: PathBuf },
}

impl From<HomeError> for RootError {
    fn from(cause: HomeError) -> Self {
        Self::Home(cause)
    }
}

/// The keys of as many holders as are in `dir`, each with its place in the policy.
pub(super) fn holders_in(dir: &Path, root: &Root) -> Result<Vec<(u8, SecretKey)>, RootError> {
    let mut found = Vec::new();
    for (place, public) in (0_u8..).zip(&root.policy.keys) {
        let path = dir.join(holder_file(place));
        if !files::exists(&path)? {
            continue;
        }
        let text = files::read_private(&path, KEY_FILE_MAX)?;
        let key = read_key(&text).map_err(|cause| RootError::File { path: path.clone(), cause })?;
        let secret = SecretKey::from_seed(Suite::One, *key.seed);
        if key.anchor != root.anchor() || secret.public() != *public {
            return Err(RootError::OtherRoot { path });
        }
        found.push((place, secret));
    }
    Ok(found)
}

/// The secret half of the root's recovery key, as it is in a file.
pub(super) fn recovery_seed(path: &Path) -> Result<Zeroizing<[u8; 32]>, RootError> {
    let text = files::read_private(path, KEY_FILE_MAX)?;
    let key = read_key(&text).and_then(|key| match key.role {
        Role::Recovery => Ok(key.seed),
        Role::Holder(_) => Err(ArmourError::NotOurs),
    });
    key.map_err(|cause| RootError::File { path: path.to_owned(), cause })
}

/// The public half of the root's recovery key, said by the holders.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct RecoveryKey {
    city: DivisionCode,
    key: WrapPublic,
}

impl Signable for RecoveryKey {
    const CONTEXT: Context = Context::new(b"hallmesh/v1/recovery-key");
    const BYTES_MAX: usize = RECORD_MAX;
}

fn check(policy: &RootPolicy, holders: u8) -> Result<(), FoundError> {
    let (division, tier) = (policy.city, policy.city.tier());
    if tier != Tier::City {
        return Err(FoundError::NotACity { division, tier });
    }
    home::check_name(&policy.name).ok().ok_or(FoundError::BadName { max: NAME_MAX })?;
    let (threshold, max) = (policy.threshold, SIGNATURES_MAX);
    let alone = RootPolicy { counties: Vec::new(), ..policy.clone() };
    alone.check().ok().ok_or(FoundError::Holders { holders, threshold, max })?;
    policy.check().ok().ok_or(FoundError::Counties { max: COUNTIES_MAX })
}

fn first(policy: RootPolicy) -> Record {
    Record {
        issuer: Issuer::Root,
        version: 1,
        previous: Digest([0; 32]),
        withdrawn: false,
        effective_from: 0,
        body: Body::Policy(policy),
    }
}

/// All files under another name first: a directory is renamed whole.
fn write_all(out: &Path, root: &Root, keys: &[SecretKey], recovery: &WrapSecret) -> Result<(), FoundError> {
    refuse_content(out)?;
    let mut name = out.as_os_str().to_owned();
    name.push(".new");
    let unfinished = PathBuf::from(name);
    files::refuse_if_low(out, FREE_MIN)?;
    clear(&unfinished)?;
    files::make_dir(&unfinished)?;
    let written = write_into(&unfinished, root, keys, recovery).and_then(|()| Ok(finish(&unfinished, out)?));
    if written.is_err() {
        // Secrets of a root that never was. The first failure is the one to tell.
        let _left_over = clear(&unfinished);
    }
    written
}

fn write_into(dir: &Path, root: &Root, keys: &[SecretKey], recovery: &WrapSecret) -> Result<(), FoundError> {
    for (place, secret) in (0_u8..).zip(keys) {
        let key = Key {
            role: Role::Holder(place),
            city: root.policy.city,
            anchor: root.anchor(),
            seed: secret.seed(),
        };
        files::write(&dir.join(holder_file(place)), key.text()?.as_bytes())?;
    }
    let key =
        Key { role: Role::Recovery, city: root.policy.city, anchor: root.anchor(), seed: recovery.seed() };
    files::write(&dir.join(RECOVERY_FILE), key.text()?.as_bytes())?;
    files::write(&dir.join(ROOT_FILE), root.text()?.as_bytes())?;
    Ok(())
}

fn finish(unfinished: &Path, out: &Path) -> Result<(), HomeError> {
    let renamed = fs::rename(unfinished, out).and_then(|()| files::sync_dir_of(out));
    renamed.map_err(|cause| files::explain("name", out, cause))
}

fn refuse_content(out: &Path) -> Result<(), FoundError> {
    match files::names(out)?.into_iter().next() {
        Some(name) => Err(FoundError::NotEmpty { path: out.join(name) }),
        None => Ok(()),
    }
}

/// Removes what an interrupted founding has left, and nothing else.
fn clear(unfinished: &Path) -> Result<(), FoundError> {
    let names = files::names(unfinished)?;
    if let Some(foreign) = names.iter().find(|name| !is_ours(name)) {
        return Err(FoundError::NotEmpty { path: unfinished.join(foreign) });
    }
    let cleared = names.iter().try_for_each(|name| fs::remove_file(unfinished.join(name)));
    match cleared.and_then(|()| fs::remove_dir(unfinished)) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            Err(files::explain("remove", unfinished, cause).into())
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn is_ours(name: &str) -> bool {
    let name = name.strip_suffix(files::UNFINISHED).and_then(|name| name.strip_suffix('.')).unwrap_or(name);
    let holder = name.strip_prefix("holder-").and_then(|name| name.strip_suffix(".key"));
    matches!(name, ROOT_FILE | RECOVERY_FILE) || holder.is_some()
}

fn holder_file(place: u8) -> String {
    format!("holder-{}.key", u16::from(place).saturating_add(1))
}

/// What a secret key of the root is for.
#[derive(Clone, Copy)]
enum Role {
    Recovery,
    /// The holder at this place of the policy's list.
    Holder(u8),
}

/// A secret key of the root: role (0 recovery, 1 the first holder), city, anchor, seed.
struct Key {
    role: Role,
    city: DivisionCode,
    anchor: Digest,
    seed: Zeroizing<[u8; 32]>,
}

impl Key {
    const BYTES: usize = 73;

    fn text(&self) -> Result<Zeroizing<String>, ArmourError> {
        let mut content = Zeroizing::new(Vec::with_capacity(Self::BYTES));
        content.push(match self.role {
            Role::Recovery => 0,
            Role::Holder(place) => place.saturating_add(1),
        });
        content.extend_from_slice(&self.city.as_u64().to_le_bytes());
        content.extend_from_slice(&self.anchor.0);
        content.extend_from_slice(self.seed.as_slice());
        armour::write(Kind::Key, &self.headers(), &content).map(Zeroizing::new)
    }

    fn in_content(content: &[u8]) -> Option<Self> {
        let (role, rest) = content.split_first()?;
        let (city, rest) = rest.split_first_chunk::<8>()?;
        let (anchor, rest) = rest.split_first_chunk::<32>()?;
        let seed: [u8; 32] = rest.try_into().ok()?;
        Some(Self {
            role: role.checked_sub(1).map_or(Role::Recovery, Role::Holder),
            city: DivisionCode::from_u64(u64::from_le_bytes(*city)).ok()?,
            anchor: Digest(*anchor),
            seed: Zeroizing::new(seed),
        })
    }

    fn headers(&self) -> Vec<Header> {
        let role = match self.role {
            Role::Recovery => "recovery".to_owned(),
            Role::Holder(place) => format!("holder {}", u16::from(place).saturating_add(1)),
        };
        vec![("City", self.city.to_string()), ("Secret", role), ("Root", fingerprint(&self.anchor))]
    }
}

fn read_key(text: &[u8]) -> Result<Key, ArmourError> {
    let opened = armour::read(utf8(text)?, Kind::Key)?;
    let key = Key::in_content(&opened.content).ok_or_else(|| opened.not_understood())?;
    opened.check_headers(&key.headers())?;
    Ok(key)
}

fn utf8(text: &[u8]) -> Result<&str, ArmourError> {
    std::str::from_utf8(text).ok().ok_or(ArmourError::NotOurs)
}
