//! Reads the city's lists as people keep them (spreadsheets saved as CSV, the calendar as JSON).
//!
//! Promises: every fault of every file is reported at once, with its line; nothing is half imported; what is
//! read passes the core's own checks. Findings are codes and parameters; sentences are in the message
//! catalogues. Knows nothing of records already held: which of these entries are new is for the node to see.
//!
//! | file | becomes |
//! |---|---|
//! | `matters.csv` | [`Body::Matter`] |
//! | `delegations.csv` | [`Body::Delegation`] |
//! | `calendar.json` | [`Body::Calendar`] |
//! | `divisions.csv` | a [`Register`], against which codes and names are checked |

mod authorities;
mod calendar;
mod cell;
mod delegations;
mod finding;
mod hall_names;
mod materials;
mod matters;
mod nearest;
mod register;
pub mod sample;
mod source;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use hallmesh_protocol::ids::DivisionCode;
use hallmesh_protocol::record::Body;
use thiserror::Error;

pub use cell::TEXT_MAX;
pub use finding::{FINDINGS_MAX, Finding, Severity};
pub use matters::{DAYS_MAX, MATTER_BYTES_MAX};
pub use register::{Candidate, Codes, Division, Mismatch, Register, RegisterError};
pub use sample::sample_bodies;
pub use source::FILE_BYTES_MAX;
pub use table::ROWS_MAX;

use finding::Findings;
use source::Source;

/// The list files to import; those that are given must be there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListFiles {
    /// `matters.csv`.
    pub matters: Option<PathBuf>,
    /// `delegations.csv`.
    pub delegations: Option<PathBuf>,
    /// `calendar.json`.
    pub calendar: Option<PathBuf>,
}

/// The same as texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListTexts<'a> {
    /// What would be in `matters.csv`.
    pub matters: Option<&'a str>,
    /// What would be in `delegations.csv`.
    pub delegations: Option<&'a str>,
    /// What would be in `calendar.json`.
    pub calendar: Option<&'a str>,
}

/// What came of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The calendar, the matters, the delegations, in this order; empty if any finding is an error.
    pub bodies: Vec<Body>,
    /// Everything found, by file and line.
    pub findings: Vec<Finding>,
}

impl Import {
    /// Whether something was refused, and so everything.
    pub fn is_refused(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }
}

/// Why there is nothing to import from. The text here is for the log; what a person reads is in the message
/// catalogues, under [`ImportError::code`].
#[derive(Debug, Error)]
pub enum ImportError {
    /// No file was named.
    #[error("no list file is named")]
    Nothing,
    /// A file cannot be read.
    #[error("cannot read {}", file.display())]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl ImportError {
    /// Stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Nothing => "lists.nothing_given",
            Self::Unreadable { .. } => "lists.unreadable",
        }
    }

    /// Parameters of the sentence under [`ImportError::code`].
    pub fn params(&self) -> BTreeMap<String, String> {
        match self {
            Self::Nothing => BTreeMap::new(),
            Self::Unreadable { file, source } => unreadable(file, source),
        }
    }
}

/// Reads list files. The matters are those of `area`: a city's, or one county's.
pub fn import(files: &ListFiles, area: DivisionCode) -> Result<Import, ImportError> {
    let mut findings = Findings::default();
    let mut read = |path: &Option<PathBuf>| -> Result<Given, ImportError> {
        let Some(path) = path else { return Ok(Given::Not) };
        let source = Source::read(path, &mut findings);
        let unreadable = |source| ImportError::Unreadable { file: path.clone(), source };
        source.map(Given::of).map_err(unreadable)
    };
    let sources = Sources {
        matters: read(&files.matters)?,
        delegations: read(&files.delegations)?,
        calendar: read(&files.calendar)?,
    };
    sources.import(area, findings)
}

/// Reads lists that are texts already.
pub fn import_text(texts: &ListTexts<'_>, area: DivisionCode) -> Result<Import, ImportError> {
    let mut findings = Findings::default();
    let mut read = |name: &str, text: Option<&str>| match text {
        Some(text) => Given::of(Source::of_bytes(name, text.as_bytes(), &mut findings)),
        None => Given::Not,
    };
    let sources = Sources {
        matters: read("matters.csv", texts.matters),
        delegations: read("delegations.csv", texts.delegations),
        calendar: read("calendar.json", texts.calendar),
    };
    sources.import(area, findings)
}

enum Given {
    Not,
    /// Given, and no usable text: the findings say why.
    Unusable,
    Text(Source),
}

impl Given {
    fn of(source: Option<Source>) -> Self {
        source.map_or(Self::Unusable, Self::Text)
    }

    fn text(&self) -> Option<&Source> {
        match self {
            Self::Text(source) => Some(source),
            Self::Not | Self::Unusable => None,
        }
    }
}

struct Sources {
    matters: Given,
    delegations: Given,
    calendar: Given,
}

impl Sources {
    fn import(&self, area: DivisionCode, mut findings: Findings) -> Result<Import, ImportError> {
        if let (Given::Not, Given::Not, Given::Not) = (&self.matters, &self.delegations, &self.calendar) {
            return Err(ImportError::Nothing);
        }
        let mut bodies = Vec::new();
        bodies.extend(self.calendar.text().and_then(|source| calendar::read(source, &mut findings)));
        let matters = self.matters.text().and_then(|source| matters::read(source, area, &mut findings));
        let codes = matters.as_ref().map(|matters| &matters.codes);
        let delegations = self.delegations.text();
        let delegations = delegations.map(|source| delegations::read(source, area, codes, &mut findings));
        bodies.extend(matters.into_iter().flat_map(|matters| matters.bodies));
        bodies.extend(delegations.into_iter().flatten());
        if findings.has_errors() {
            bodies.clear();
        }
        Ok(Import { bodies, findings: findings.finish() })
    }
}

fn unreadable(file: &Path, source: &io::Error) -> BTreeMap<String, String> {
    let pairs = [("file", file.display().to_string()), ("reason", source.to_string())];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
