//! What other people call our columns and words.
//!
//! Ours come first, with what they are called elsewhere behind them. The words of the national standard and the usual
//! headings come with the program; a file for one source (`--mapping`) adds that source's own and goes before them.
//!
//! ```toml
//! [matters]
//! sheet = "事项"
//! header_row = 3
//! ignore = ["序号"]
//!
//! [matters.columns]
//! name = ["办理事项", "事项全称"]
//!
//! [matters.values.type]
//! "08" = ["06"]
//!
//! [matters.defaults]
//! offline_decision = "waits"
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::finding::{Fault, Findings};
use super::nearest::nearest;
use super::place::Place;
use super::sheet::{Cell, Kind, Source, line_at};
use super::table::Shape;
use super::{delegations, materials, matters};

/// Headings and words of GB/T 39046-2020 and of everyday lists.
const NATIONAL: &str = include_str!("national.toml");
/// Fields and codes of the national exchange tables `dn_task_*`.
const EXCHANGE: &str = include_str!("exchange.toml");
/// In `ignore`: every column that is not known.
const ALL_OTHERS: &str = "*";

/// A mapping file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Mapping {
    matters: TableMapping,
    materials: TableMapping,
    delegations: TableMapping,
    /// As it was named.
    #[serde(skip)]
    file: String,
}

/// What one table is made of elsewhere.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct TableMapping {
    /// Names of its sheet.
    sheet: Names,
    /// The row of its headings, from 1; looked for if not said.
    header_row: Option<u64>,
    /// Columns that are not read.
    ignore: Names,
    /// Our column, and its headings.
    columns: BTreeMap<String, Names>,
    /// Our column, our word, and the words for it.
    values: BTreeMap<String, BTreeMap<String, Names>>,
    /// What stands in a column that is missing, or in a cell that is empty.
    defaults: BTreeMap<String, String>,
}

/// One name, or several.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "OneOrMore")]
struct Names(Vec<String>);

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl From<OneOrMore> for Names {
    fn from(names: OneOrMore) -> Self {
        match names {
            OneOrMore::One(name) => Self(vec![name]),
            OneOrMore::More(names) => Self(names),
        }
    }
}

/// How a heading or a word came to be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// It is ours, or the first that the national words have for it.
    Ours,
    /// A usual name for it.
    Usual,
    /// The mapping file says so.
    Mapped,
}

/// The mappings of an import.
#[derive(Debug)]
pub(super) struct Mappings {
    given: Option<Mapping>,
    national: Mapping,
    exchange: Mapping,
    /// Of a table that only this program keeps.
    none: TableMapping,
}

/// The words for one table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words<'a> {
    given: Option<&'a TableMapping>,
    built_in: &'a TableMapping,
    file: &'a str,
}

impl Mappings {
    /// What comes with the program, and a file before it; none if that file is faulty.
    pub(super) fn read(file: Option<&Path>, findings: &mut Findings) -> std::io::Result<Option<Self>> {
        let given = match file {
            Some(path) => {
                let Some(source) = Source::read(path, findings)? else { return Ok(None) };
                let Some(mapping) = parse(&source, findings) else { return Ok(None) };
                Some(mapping)
            }
            None => None,
        };
        Ok(Some(Self { given, ..Self::built_in() }))
    }

    /// What comes with the program.
    #[expect(clippy::expect_used, reason = "constants that a test reads")]
    pub(super) fn built_in() -> Self {
        let national = toml::from_str(NATIONAL).expect("the national words are well-formed");
        let exchange = toml::from_str(EXCHANGE).expect("the words of the exchange tables are well-formed");
        Self { given: None, national, exchange, none: TableMapping::default() }
    }

    /// The words for a table as people keep it.
    pub(super) fn words(&self, shape: &Shape) -> Words<'_> {
        self.of(&self.national, shape)
    }

    /// The words for the exchange table that is the same.
    pub(super) fn exchange_words(&self, shape: &Shape) -> Words<'_> {
        self.of(&self.exchange, shape)
    }

    fn of<'a>(&'a self, built_in: &'a Mapping, shape: &Shape) -> Words<'a> {
        Words {
            given: self.given.as_ref().and_then(|it| it.table(shape.name)),
            built_in: built_in.table(shape.name).unwrap_or(&self.none),
            file: self.given.as_ref().map_or("", |it| &it.file),
        }
    }
}

impl Mapping {
    fn table(&self, name: &str) -> Option<&TableMapping> {
        match name {
            matters::TABLE => Some(&self.matters),
            materials::TABLE => Some(&self.materials),
            delegations::TABLE => Some(&self.delegations),
            _ => None,
        }
    }
}

impl<'a> Words<'a> {
    /// Which of our columns a heading stands for.
    pub(super) fn column(&self, shape: &Shape, heading: &str) -> Option<(&'static str, Known)> {
        let wanted = folded(heading);
        let under = |table: &TableMapping| {
            let named = |(_, names): &(&String, &Names)| names.0.iter().any(|it| folded(it) == wanted);
            let (ours, names) = table.columns.iter().find(named)?;
            let is_first = names.0.first().is_some_and(|it| folded(it) == wanted);
            Some((shape.all().find(|known| known == ours)?, is_first))
        };
        if let Some((ours, _)) = self.given.and_then(under) {
            return Some((ours, Known::Mapped));
        }
        if let Some(ours) = shape.all().find(|known| **known == wanted) {
            return Some((ours, Known::Ours));
        }
        let (ours, is_first) = under(self.built_in)?;
        Some((ours, if is_first { Known::Ours } else { Known::Usual }))
    }

    /// Which of our words a word stands for in a column; none if it is ours already, or unknown.
    pub(super) fn value(&self, column: &str, word: &str) -> Option<(&'a str, Known)> {
        let under = |table: &'a TableMapping| {
            let words = table.values.get(column)?;
            let (ours, _) = words.iter().find(|(_, names)| names.0.iter().any(|it| it == word))?;
            Some(ours.as_str())
        };
        let mapped = self.given.and_then(under).map(|ours| (ours, Known::Mapped));
        mapped.or_else(|| under(self.built_in).map(|ours| (ours, Known::Ours)))
    }

    /// All words that are understood in a column besides ours.
    pub(super) fn values(&self, column: &str) -> impl Iterator<Item = &'a str> {
        let tables = self.given.into_iter().chain([self.built_in]);
        let words = tables.filter_map(move |table| table.values.get(column)).flat_map(BTreeMap::values);
        words.flat_map(|names| &names.0).map(String::as_str)
    }

    /// What a column is called, and a word in it, by people who do not read English.
    pub(super) fn heading(&self, column: &str) -> &'a str {
        self.built_in.columns.get(column).and_then(|names| names.0.first()).map_or("", String::as_str)
    }

    /// The first word for one of ours.
    pub(super) fn word(&self, column: &str, ours: &str) -> Option<&'a str> {
        Some(self.built_in.values.get(column)?.get(ours)?.0.first()?.as_str())
    }

    /// What the table's sheet is called.
    pub(super) fn sheet(&self) -> &'a str {
        self.built_in.sheet.0.first().map_or("", String::as_str)
    }

    /// Whether a sheet with this name holds the table.
    pub(super) fn is_sheet(&self, shape: &Shape, name: &str) -> bool {
        let name = name.trim();
        let has = |table: &TableMapping| table.sheet.0.iter().any(|it| it == name);
        self.given.is_some_and(has) || name == shape.name || has(self.built_in)
    }

    /// The row of the headings, if the mapping file says it.
    pub(super) fn header_row(&self) -> Option<u64> {
        self.given.and_then(|it| it.header_row)
    }

    /// Whether a column that is not known may be passed over.
    pub(super) fn ignores(&self, heading: &str) -> bool {
        let tables = self.given.into_iter().chain([self.built_in]);
        let mut names = tables.flat_map(|table| &table.ignore.0);
        names.any(|it| it == ALL_OTHERS || folded(it) == folded(heading))
    }

    /// What stands in a column of its own accord.
    pub(super) fn default(&self, column: &str) -> Option<Cell> {
        let given = self.given.and_then(|table| table.defaults.get(column));
        let text = given.or_else(|| self.built_in.defaults.get(column))?.clone();
        Some(Cell { text, kind: Kind::Text, place: Place::line(self.file, 1) })
    }
}

/// A heading without what people put around it: blanks, line breaks, marks for what is required.
pub(super) fn folded(heading: &str) -> String {
    let shown: String = heading.chars().filter(|it| !it.is_whitespace() && *it != '\u{FEFF}').collect();
    let bare = shown.trim_matches(['*', '\u{FF0A}', ':', '\u{FF1A}']);
    let bare = ["（必填）", "(必填)", "（选填）", "(选填)"]
        .iter()
        .fold(bare, |text, mark| text.strip_suffix(mark).unwrap_or(text));
    bare.trim_matches(['*', '\u{FF0A}']).to_lowercase()
}

/// Reads a mapping file; none if it is faulty.
fn parse(source: &Source, findings: &mut Findings) -> Option<Mapping> {
    match toml::from_str::<Mapping>(&source.text) {
        Ok(mapping) => {
            let mapping = Mapping { file: source.name.clone(), ..mapping };
            mapping.is_sound(findings).then_some(mapping)
        }
        Err(error) => {
            let line = error.span().map_or(1, |span| line_at(source.text.as_bytes(), span.start));
            let fault = Fault::error("lists.bad_mapping").with("reason", error.message());
            findings.add(fault.at(&Place::line(&source.name, line), None));
            None
        }
    }
}

impl Mapping {
    /// A name that is none of ours maps nothing, and somebody would wonder why.
    fn is_sound(&self, findings: &mut Findings) -> bool {
        let shapes = [
            (&self.matters, &matters::SHAPE),
            (&self.materials, &materials::SHAPE),
            (&self.delegations, &delegations::SHAPE),
        ];
        let mut sound = true;
        for (table, shape) in shapes {
            let named = table.columns.keys().chain(table.values.keys()).chain(table.defaults.keys());
            for name in named.filter(|name| !shape.all().any(|it| it == *name)) {
                let fault = Fault::error("lists.mapping_unknown_column").with("found", name);
                let fault = fault.with("table", shape.name).suggest(nearest(name, shape.all()));
                findings.add(fault.at(&Place::line(&self.file, 1), Some(name)));
                sound = false;
            }
        }
        sound
    }
}
