//! Where the secret is that opens sealed keys: never in the data directory.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::{SealError, Sealing};
use crate::hex::unhex_into;
use crate::home::{HomeError, chance, files, hex_line};

/// The name under which the service manager hands over a credential.
pub const HANDED_OVER_CREDENTIAL: &str = "hallmesh.key";
/// The name under which the service manager hands over a passphrase.
pub const HANDED_OVER_PASSPHRASE: &str = "hallmesh.passphrase";
/// A shorter passphrase is guessed by whoever has the disk.
pub const PASSPHRASE_CHARACTERS_MIN: usize = 12;
/// A longer text is no passphrase.
pub const PASSPHRASE_BYTES_MAX: usize = 1024;
/// 64 digits and a line end, which an editor may have made longer.
const CREDENTIAL_TEXT_MAX: u64 = 80;
/// A passphrase and its line end.
const PASSPHRASE_TEXT_MAX: u64 = PASSPHRASE_BYTES_MAX as u64 + 2;

/// A passphrase: wiped from memory when dropped, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(Arc<Zeroizing<Vec<u8>>>);

impl Passphrase {
    /// The passphrase as it was typed, or in a file, where the line end does not belong to it.
    pub fn new(text: &[u8]) -> Self {
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        Self(Arc::new(Zeroizing::new(text.to_vec())))
    }

    /// Refuses one that is too short to withstand guessing. Only for new ones.
    pub fn check(&self) -> Result<(), SealError> {
        let characters = std::str::from_utf8(&self.0).map_or(self.0.len(), |text| text.chars().count());
        let (min, max) = (PASSPHRASE_CHARACTERS_MIN, PASSPHRASE_BYTES_MAX);
        let sound = characters >= min && self.0.len() <= max;
        if sound { Ok(()) } else { Err(SealError::PassphraseLength { min, max }) }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// What opens sealed keys.
#[derive(Clone)]
pub enum Secret {
    /// A passphrase.
    Passphrase(Passphrase),
    /// The key in a credential file.
    Credential(Zeroizing<[u8; 32]>),
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} ..)", self.sealing().word())
    }
}

impl Secret {
    /// What is sealed under it.
    pub fn sealing(&self) -> Sealing {
        match self {
            Self::Passphrase(_) => Sealing::Passphrase,
            Self::Credential(_) => Sealing::Credential,
        }
    }

    /// A new passphrase, if it is long enough.
    pub fn new_passphrase(passphrase: Passphrase) -> Result<Self, HomeError> {
        passphrase.check()?;
        Ok(Self::Passphrase(passphrase))
    }

    /// The passphrase in a file, for sealing keys of the home in `dir`.
    pub fn new_passphrase_in(file: &Path, dir: &Path) -> Result<Self, HomeError> {
        refuse_inside(file, dir)?;
        Self::new_passphrase(Passphrase::new(&read(file, PASSPHRASE_TEXT_MAX)?))
    }

    /// The credential in a file, for sealing keys of the home in `dir`. A file that is missing is made, with a key
    /// drawn from the system's randomness.
    pub fn new_credential_in(file: &Path, dir: &Path) -> Result<Self, HomeError> {
        refuse_inside(file, dir)?;
        if !files::exists(file)? {
            let key = Zeroizing::new(chance().bytes32());
            files::write(file, hex_line(&key).as_bytes())?;
        }
        credential(file, &read(file, CREDENTIAL_TEXT_MAX)?)
    }
}

/// Where the secret is that opens the keys of a home.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outside {
    /// A file with a credential: 32 bytes in hexadecimal.
    pub credential_file: Option<PathBuf>,
    /// A file with a passphrase.
    pub passphrase_file: Option<PathBuf>,
    /// Where the service manager hands over credentials.
    pub handed_over: Option<PathBuf>,
    /// A passphrase that somebody typed.
    pub typed: Option<Passphrase>,
}

impl Outside {
    /// Whether there is a passphrase without asking anybody.
    pub fn has_passphrase(&self) -> bool {
        self.typed.is_some()
            || self.passphrase_file.is_some()
            || self.handed(HANDED_OVER_PASSPHRASE).is_some()
    }

    /// What opens keys of the home in `dir` that are sealed in this way.
    pub(crate) fn secret(&self, sealing: Sealing, dir: &Path) -> Result<Secret, HomeError> {
        match sealing {
            Sealing::Credential => self.credential(dir),
            Sealing::None | Sealing::Passphrase => self.passphrase(dir).map(Secret::Passphrase),
        }
    }

    fn credential(&self, dir: &Path) -> Result<Secret, HomeError> {
        let (file, text) = self
            .read(self.credential_file.as_deref(), HANDED_OVER_CREDENTIAL, CREDENTIAL_TEXT_MAX, dir)?
            .ok_or(SealError::CredentialNeeded)?;
        credential(&file, &text)
    }

    fn passphrase(&self, dir: &Path) -> Result<Passphrase, HomeError> {
        if let Some(typed) = &self.typed {
            return Ok(typed.clone());
        }
        let found =
            self.read(self.passphrase_file.as_deref(), HANDED_OVER_PASSPHRASE, PASSPHRASE_TEXT_MAX, dir)?;
        let (_, text) = found.ok_or(SealError::PassphraseNeeded)?;
        Ok(Passphrase::new(&text))
    }

    /// The named file, or what was handed over. Who may read the latter is the service manager's business: it sets
    /// modes of its own.
    fn read(
        &self,
        named: Option<&Path>,
        handed: &str,
        max: u64,
        dir: &Path,
    ) -> Result<Option<Text>, HomeError> {
        if let Some(file) = named {
            refuse_inside(file, dir)?;
            return Ok(Some((file.to_owned(), read(file, max)?)));
        }
        let Some(file) = self.handed(handed) else { return Ok(None) };
        let text = files::read(&file, max)?;
        Ok(Some((file, text)))
    }

    fn handed(&self, name: &str) -> Option<PathBuf> {
        self.handed_over.as_ref().map(|dir| dir.join(name)).filter(|file| file.exists())
    }
}

/// A file and what is in it.
type Text = (PathBuf, Zeroizing<Vec<u8>>);

fn read(file: &Path, max: u64) -> Result<Zeroizing<Vec<u8>>, HomeError> {
    match files::read_private(file, max) {
        Err(HomeError::NoFile { path }) => Err(SealError::SecretMissing { path }.into()),
        read => read,
    }
}

fn credential(file: &Path, text: &[u8]) -> Result<Secret, HomeError> {
    let mut key = Zeroizing::new([0; 32]);
    let read = unhex_into(text.trim_ascii(), key.as_mut_slice());
    read.ok_or_else(|| SealError::CredentialMalformed { path: file.to_owned() })?;
    Ok(Secret::Credential(key))
}

/// A key beside the lock is no key: whoever has the directory has both.
fn refuse_inside(file: &Path, dir: &Path) -> Result<(), HomeError> {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let place = file.canonicalize().or_else(|_| parent.canonicalize());
    let inside = match (place, dir.canonicalize()) {
        (Ok(place), Ok(dir)) => place.starts_with(dir),
        // What is not there yet has no links in it.
        (Ok(_) | Err(_), Ok(_) | Err(_)) => file.starts_with(dir),
    };
    if inside { Err(SealError::SecretInside { path: file.to_owned() }.into()) } else { Ok(()) }
}
