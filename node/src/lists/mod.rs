//! Reads the city's lists as people keep them: workbooks, CSV, JSON, dumps of the national exchange tables.
//!
//! Promises: every fault of every file is reported at once, with its cell; nothing is half imported; what is
//! read passes the core's own checks. Findings are codes and parameters; sentences are in the message
//! catalogues. Knows nothing of records already held: which of these entries are new is for the node to see.
//!
//! | table | becomes |
//! |---|---|
//! | matters, materials | [`Body::Matter`] |
//! | delegations | [`Body::Delegation`] |
//! | `calendar.json` | [`Body::Calendar`] |
//! | `bundles.json` | [`Body::Bundle`] |
//! | `divisions.csv` | a [`Register`], against which codes and names are checked |
//!
//! From the file to the record: `sheet` takes it apart, `table` finds the columns by the words of `mapping`,
//! `cell` reads values and mends them by `normalise`.

mod authorities;
mod bundles;
mod calendar;
mod cell;
mod delegations;
mod exchange;
pub mod export;
mod finding;
mod hall_names;
mod mapping;
mod materials;
mod matters;
mod nearest;
mod normalise;
mod place;
mod register;
pub mod sample;
mod sheet;
pub mod site;
mod table;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hallmesh_protocol::ids::{DivisionCode, MatterCode};
use hallmesh_protocol::record::Body;
use thiserror::Error;

pub use cell::TEXT_MAX;
pub use finding::{FINDINGS_MAX, Finding, Severity};
pub use matters::{DAYS_MAX, MATTER_BYTES_MAX};
pub use register::{Candidate, Codes, Division, Mismatch, Register, RegisterError};
pub use sample::sample_bodies;
pub use sheet::{
    CELL_CHARS_MAX, CELLS_MAX, COLUMNS_MAX, FILE_BYTES_MAX, MATERIAL_ROWS_MAX, ROWS_MAX, SHEETS_MAX,
    TAGS_MAX, UNPACKED_BYTES_MAX,
};

use exchange::Exchanged;
use finding::{Fault, Findings};
use mapping::{Mappings, Words};
use place::Place;
use sheet::{Sheet, Source};
use table::{Shape, Table};

/// Files of an exchange directory.
const EXCHANGE_FILES_MAX: usize = 64;

/// The list files to import; those that are given must be there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListFiles {
    /// Matters; of a workbook or a JSON file also the materials and the delegations in it.
    pub matters: Option<PathBuf>,
    /// Their materials, if these are in a file of their own.
    pub materials: Option<PathBuf>,
    /// Delegations.
    pub delegations: Option<PathBuf>,
    /// `calendar.json`.
    pub calendar: Option<PathBuf>,
    /// `bundles.json`.
    pub bundles: Option<PathBuf>,
    /// National exchange tables: a directory of files named after them, or one file with all of them.
    pub exchange: Option<PathBuf>,
    /// What the source of these files calls our columns and words.
    pub mapping: Option<PathBuf>,
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
    /// What would be in `bundles.json`.
    pub bundles: Option<&'a str>,
}

/// What came of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The calendar, the matters, the delegations, the bundles, in this order; empty if any finding is an error.
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
    let Some(mappings) = of_file(files.mapping.as_deref(), |path| Mappings::read(path, &mut findings))?
    else {
        return Ok(Import { bodies: Vec::new(), findings: findings.finish() });
    };
    let mut sheets = |path: &Option<PathBuf>| -> Result<Given<Vec<Sheet>>, ImportError> {
        let Some(path) = path else { return Ok(Given::Not) };
        Ok(Given::of(of_file(Some(path), |_| sheet::read(path, &mut findings))?))
    };
    let given = Lists {
        matters: sheets(&files.matters)?,
        materials: sheets(&files.materials)?,
        delegations: sheets(&files.delegations)?,
        exchange: exchange_sheets(files.exchange.as_deref(), &mut sheets)?,
        exchange_name: files.exchange.as_ref().map(|path| path.display().to_string()).unwrap_or_default(),
        calendar: match &files.calendar {
            Some(path) => Given::of(of_file(Some(path), |_| Source::read(path, &mut findings))?),
            None => Given::Not,
        },
        bundles: match &files.bundles {
            Some(path) => Given::of(of_file(Some(path), |_| Source::read(path, &mut findings))?),
            None => Given::Not,
        },
    };
    given.import(&mappings, area, findings)
}

/// Reads lists that are texts already.
pub fn import_text(texts: &ListTexts<'_>, area: DivisionCode) -> Result<Import, ImportError> {
    let mut findings = Findings::default();
    let mut sheets = |name: &str, text: Option<&str>| match text {
        Some(text) => Given::of(sheet::read_bytes(name, text.as_bytes(), &mut findings)),
        None => Given::Not,
    };
    let (matters, delegations) =
        (sheets("matters.csv", texts.matters), sheets("delegations.csv", texts.delegations));
    let calendar = match texts.calendar {
        Some(text) => Given::of(Source::of_bytes("calendar.json", text.as_bytes(), &mut findings)),
        None => Given::Not,
    };
    let bundles = match texts.bundles {
        Some(text) => Given::of(Source::of_bytes("bundles.json", text.as_bytes(), &mut findings)),
        None => Given::Not,
    };
    let (materials, exchange, exchange_name) = (Given::Not, Given::Not, String::new());
    let given = Lists { matters, materials, delegations, exchange, exchange_name, calendar, bundles };
    given.import(&Mappings::built_in(), area, findings)
}

/// The tables of an exchange: of every file named after one, or of the one file.
fn exchange_sheets(
    path: Option<&Path>,
    sheets: &mut impl FnMut(&Option<PathBuf>) -> Result<Given<Vec<Sheet>>, ImportError>,
) -> Result<Given<Vec<Sheet>>, ImportError> {
    let Some(path) = path else { return Ok(Given::Not) };
    if !path.is_dir() {
        return sheets(&Some(path.to_owned()));
    }
    let listed = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries = of_file(Some(path), |_| listed)?;
    let mut files: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    files.retain(|file| exchange::is_table_file(file));
    files.sort_unstable();
    if files.len() > EXCHANGE_FILES_MAX {
        let source = io::Error::other(format!("more than {EXCHANGE_FILES_MAX} files named dn_task_*"));
        return Err(ImportError::Unreadable { file: path.to_owned(), source });
    }
    let mut all = Vec::new();
    for file in files {
        match sheets(&Some(file))? {
            Given::Is(sheets) => all.extend(sheets),
            Given::Not | Given::Unusable => return Ok(Given::Unusable),
        }
    }
    Ok(Given::Is(all))
}

/// What cannot be read is said with the name of the file.
fn of_file<T>(
    path: Option<&Path>,
    read: impl FnOnce(Option<&Path>) -> io::Result<T>,
) -> Result<T, ImportError> {
    read(path).map_err(|source| ImportError::Unreadable {
        file: path.map(Path::to_owned).unwrap_or_default(),
        source,
    })
}

enum Given<T> {
    Not,
    /// Given, and nothing usable: the findings say why.
    Unusable,
    Is(T),
}

impl<T> Given<T> {
    fn of(given: Option<T>) -> Self {
        given.map_or(Self::Unusable, Self::Is)
    }

    fn is_given(&self) -> bool {
        !matches!(self, Self::Not)
    }

    fn into_option(self) -> Option<T> {
        match self {
            Self::Is(given) => Some(given),
            Self::Not | Self::Unusable => None,
        }
    }
}

struct Lists {
    matters: Given<Vec<Sheet>>,
    materials: Given<Vec<Sheet>>,
    delegations: Given<Vec<Sheet>>,
    exchange: Given<Vec<Sheet>>,
    exchange_name: String,
    calendar: Given<Source>,
    bundles: Given<Source>,
}

/// The sheets in which the three tables are.
#[derive(Default)]
struct Found {
    matters: Option<Sheet>,
    materials: Option<Sheet>,
    delegations: Option<Sheet>,
}

impl Lists {
    fn import(
        self,
        mappings: &Mappings,
        area: DivisionCode,
        mut findings: Findings,
    ) -> Result<Import, ImportError> {
        let given = [&self.matters, &self.delegations, &self.exchange];
        let sources = [&self.calendar, &self.bundles];
        if !given.into_iter().any(Given::is_given) && !sources.into_iter().any(Given::is_given) {
            return Err(ImportError::Nothing);
        }
        let mut bodies = Vec::new();
        let is_exchange = self.exchange.is_given();
        let (found, [calendar, bundles]) = self.sort(mappings, &mut findings);
        bodies.extend(calendar.and_then(|source| calendar::read(&source, &mut findings)));
        let read = found.read(mappings, is_exchange, area, &mut findings);
        let codes: BTreeSet<_> = matter_codes(&read).collect();
        let known = Some(&codes).filter(|codes| !codes.is_empty());
        bodies.extend(read);
        bodies.extend(bundles.iter().flat_map(|source| bundles::read(source, area, known, &mut findings)));
        if findings.has_errors() {
            bodies.clear();
        }
        Ok(Import { bodies, findings: findings.finish() })
    }

    /// Which sheet is which table.
    fn sort(self, mappings: &Mappings, findings: &mut Findings) -> (Found, [Option<Source>; 2]) {
        let words = |shape: &Shape| mappings.words(shape);
        let mut found = Found::default();
        if let Some(sheets) = self.exchange.into_option() {
            if let Some(Exchanged { matters, materials }) = exchange::put_together(sheets, findings) {
                (found.matters, found.materials) = (Some(matters), Some(materials));
            } else {
                let fault = Fault::error("lists.no_exchange_table");
                findings.add(fault.at(&Place::line(&self.exchange_name, 1), None));
            }
        }
        let mut sheets = self.matters.into_option().unwrap_or_default();
        found.materials =
            found.materials.or_else(|| take(&mut sheets, &materials::SHAPE, words(&materials::SHAPE)));
        // A workbook from the template has the sheet, whether anything is delegated or not.
        found.delegations = take(&mut sheets, &delegations::SHAPE, words(&delegations::SHAPE))
            .filter(|sheet| sheet.rows.len() > 1);
        found.matters = main(sheets, &matters::SHAPE, words(&matters::SHAPE), findings).or(found.matters);
        for (given, shape, place) in [
            (self.materials, &materials::SHAPE, &mut found.materials),
            (self.delegations, &delegations::SHAPE, &mut found.delegations),
        ] {
            let sheets = given.into_option().unwrap_or_default();
            if let Some(sheet) = main(sheets, shape, words(shape), findings) {
                *place = Some(sheet);
            }
        }
        (found, [self.calendar.into_option(), self.bundles.into_option()])
    }
}

impl Found {
    fn read(
        self,
        mappings: &Mappings,
        is_exchange: bool,
        area: DivisionCode,
        findings: &mut Findings,
    ) -> Vec<Body> {
        let words =
            |shape: &Shape| if is_exchange { mappings.exchange_words(shape) } else { mappings.words(shape) };
        let mut table = |sheet: Option<Sheet>, shape: &Shape, words| {
            sheet.and_then(|sheet| Table::read(sheet, shape, words, findings))
        };
        let materials = table(self.materials, &materials::SHAPE, words(&materials::SHAPE));
        let matters = table(self.matters, &matters::SHAPE, words(&matters::SHAPE));
        let delegations = table(self.delegations, &delegations::SHAPE, mappings.words(&delegations::SHAPE));
        let matters = matters.map(|table| matters::read(&table, materials.as_ref(), area, findings));
        let codes = matters.as_ref().map(|matters| &matters.codes);
        let delegations = delegations.map(|table| delegations::read(&table, area, codes, findings));
        let mut bodies = matters.map(|matters| matters.bodies).unwrap_or_default();
        bodies.extend(delegations.into_iter().flatten());
        bodies
    }
}

/// The codes of the matters among record bodies.
fn matter_codes(bodies: &[Body]) -> impl Iterator<Item = MatterCode> {
    bodies.iter().filter_map(|body| if let Body::Matter(it) = body { Some(it.code.clone()) } else { None })
}

/// Takes the sheet with the name of a table out of several.
fn take(sheets: &mut Vec<Sheet>, shape: &Shape, words: Words<'_>) -> Option<Sheet> {
    let named = |sheet: &Sheet| sheet.origin.sheet.as_ref().is_some_and(|name| words.is_sheet(shape, name));
    let at = sheets.iter().position(named)?;
    Some(sheets.remove(at))
}

/// The sheet a file was given for: the one with the table's name, else the first in which anything stands.
fn main(mut sheets: Vec<Sheet>, shape: &Shape, words: Words<'_>, findings: &mut Findings) -> Option<Sheet> {
    if let Some(sheet) = take(&mut sheets, shape, words) {
        return Some(sheet);
    }
    let others = sheets.iter().filter(|sheet| !sheet.rows.is_empty()).count();
    let at = sheets.iter().position(|sheet| !sheet.rows.is_empty()).unwrap_or(0);
    let sheet = (at < sheets.len()).then(|| sheets.swap_remove(at))?;
    if others > 1 {
        let fault = Fault::warning("lists.sheet_chosen").with("table", shape.name);
        findings.add(fault.at(&sheet.place(1, None), None));
    }
    Some(sheet)
}

fn unreadable(file: &Path, source: &io::Error) -> BTreeMap<String, String> {
    let pairs = [("file", file.display().to_string()), ("reason", source.to_string())];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
