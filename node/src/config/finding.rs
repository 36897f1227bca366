//! What is wrong with a configuration, as data.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It works, and somebody should know.
    Warning,
    /// It does not work.
    Error,
}

/// One thing found. The sentence for it is under `code` in the message catalogues, with `detail` filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Stable name, such as `config.listen.malformed`.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// The key in the file.
    pub key: &'static str,
    /// Parameters of the sentence. Every finding of one code has the same ones.
    pub detail: BTreeMap<String, String>,
}

impl Finding {
    pub(super) fn error(key: &'static str, what: &str) -> Finding {
        Self::new(Severity::Error, key, what)
    }

    pub(super) fn warning(key: &'static str, what: &str) -> Finding {
        Self::new(Severity::Warning, key, what)
    }

    pub(super) fn with(mut self, name: &str, value: &(impl ToString + ?Sized)) -> Finding {
        self.detail.insert(name.to_owned(), value.to_string());
        self
    }

    fn new(severity: Severity, key: &'static str, what: &str) -> Finding {
        Finding { code: format!("config.{key}.{what}"), severity, key, detail: BTreeMap::new() }
    }
}

/// Why a configuration could not be read. The texts here are for the log; what a person reads is in the
/// message catalogues, under [`ConfigError::code`].
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}", file.display())]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is far too large to be a configuration.
    #[error("{} is over {max} bytes", file.display())]
    TooLarge {
        /// Which file.
        file: PathBuf,
        /// The limit.
        max: u64,
    },
    /// The file is not UTF-8, as when an editor saved it as GBK.
    #[error("{}:{at}: not UTF-8", file.display())]
    Encoding {
        /// Which file.
        file: PathBuf,
        /// The first byte that is not.
        at: Position,
    },
    /// The file is not TOML.
    #[error("{}:{at}: {message}", file.display())]
    Syntax {
        /// Which file.
        file: PathBuf,
        /// Where.
        at: Position,
        /// What the parser said.
        message: String,
    },
    /// A key that does not exist.
    #[error("{}:{at}: unknown key {key}{}", file.display(), meant(suggestion.as_deref()))]
    UnknownKey {
        /// Which file.
        file: PathBuf,
        /// Where.
        at: Position,
        /// The key as written.
        key: String,
        /// The key that was probably meant.
        suggestion: Option<&'static str>,
    },
    /// A value of the wrong kind.
    #[error("{}:{at}: {key}: {message}", file.display())]
    Value {
        /// Which file.
        file: PathBuf,
        /// Where.
        at: Position,
        /// Whose value.
        key: String,
        /// What the parser said.
        message: String,
    },
}

impl ConfigError {
    /// Stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "config.file.unreadable",
            Self::TooLarge { .. } => "config.file.too_large",
            Self::Encoding { .. } => "config.file.encoding",
            Self::Syntax { .. } => "config.file.syntax",
            // Two codes, so that neither sentence has an empty place in it.
            Self::UnknownKey { suggestion: None, .. } => "config.key.unknown",
            Self::UnknownKey { suggestion: Some(_), .. } => "config.key.misspelt",
            Self::Value { .. } => "config.value.malformed",
        }
    }

    /// Parameters of the sentence under [`ConfigError::code`].
    pub fn detail(&self) -> BTreeMap<String, String> {
        let (file, at, rest) = match self {
            Self::Unreadable { file, source } => (file, None, vec![("reason", source.to_string())]),
            Self::TooLarge { file, max } => (file, None, vec![("max", max.to_string())]),
            Self::Encoding { file, at } => (file, Some(at), Vec::new()),
            Self::Syntax { file, at, message } => (file, Some(at), vec![("reason", message.clone())]),
            Self::UnknownKey { file, at, key, suggestion } => {
                let suggested = suggestion.map(|known| ("suggestion", known.to_owned()));
                (file, Some(at), [("key", key.clone())].into_iter().chain(suggested).collect())
            }
            Self::Value { file, at, key, message } => {
                (file, Some(at), vec![("key", key.clone()), ("reason", message.clone())])
            }
        };
        let place =
            at.into_iter().flat_map(|at| [("line", at.line.to_string()), ("column", at.column.to_string())]);
        let file = [("file", file.display().to_string())];
        file.into_iter().chain(place).chain(rest).map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// A place in the file, counted from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character in it.
    pub column: usize,
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

fn meant(suggestion: Option<&str>) -> String {
    suggestion.map(|known| format!(", did you mean {known}?")).unwrap_or_default()
}
