//! Why sealed keys do not open, or cannot be sealed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use thiserror::Error;

/// Why sealed keys do not open, or cannot be sealed. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SealError {
    /// The keys are sealed under a passphrase, and none was given.
    #[error("the keys are sealed under a passphrase, and none was given")]
    PassphraseNeeded,
    /// The keys are sealed under a credential, and none was handed over.
    #[error("the keys are sealed under a credential, and none was handed over")]
    CredentialNeeded,
    /// The file with the passphrase or the credential is not there.
    #[error("{} is not there", path.display())]
    SecretMissing {
        /// Which file.
        path: PathBuf,
    },
    /// The passphrase is another one.
    #[error("the passphrase does not open the keys")]
    WrongPassphrase,
    /// The credential is another one.
    #[error("the credential does not open the keys")]
    WrongCredential,
    /// The file holds no credential.
    #[error("{} is no credential", path.display())]
    CredentialMalformed {
        /// Which file.
        path: PathBuf,
    },
    /// The secret lies with what it seals.
    #[error("{} lies in the data directory", path.display())]
    SecretInside {
        /// Which file.
        path: PathBuf,
    },
    /// Too short to withstand guessing, or too long.
    #[error("a passphrase has at least {min} characters and at most {max} bytes")]
    PassphraseLength {
        /// Characters at the least.
        min: usize,
        /// Bytes at the most.
        max: usize,
    },
    /// The file is of a program of another version.
    #[error("{} has version {version}", path.display())]
    Version {
        /// Which file.
        path: PathBuf,
        /// Its version.
        version: u8,
    },
}

impl SealError {
    /// Stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::PassphraseNeeded => "home.passphrase_needed",
            Self::CredentialNeeded => "home.credential_needed",
            Self::SecretMissing { .. } => "home.secret_missing",
            Self::WrongPassphrase => "home.wrong_passphrase",
            Self::WrongCredential => "home.wrong_credential",
            Self::CredentialMalformed { .. } => "home.credential_malformed",
            Self::SecretInside { .. } => "home.secret_inside",
            Self::PassphraseLength { .. } => "home.passphrase_length",
            Self::Version { .. } => "home.seal_version",
        }
    }

    /// Parameters of the sentence under [`SealError::code`].
    pub fn params(&self) -> BTreeMap<String, String> {
        let found = match self {
            Self::PassphraseNeeded
            | Self::CredentialNeeded
            | Self::WrongPassphrase
            | Self::WrongCredential => Vec::new(),
            Self::SecretMissing { path }
            | Self::CredentialMalformed { path }
            | Self::SecretInside { path } => vec![("path", path.display().to_string())],
            Self::PassphraseLength { min, max } => vec![("min", min.to_string()), ("max", max.to_string())],
            Self::Version { path, version } => {
                vec![("path", path.display().to_string()), ("version", version.to_string())]
            }
        };
        found.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}
