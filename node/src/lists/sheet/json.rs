//! Tables as arrays of objects: one table, or several by name.
//!
//! ```json
//! [{"code": "...", "name": "..."}]
//! {"matters": [{"code": "...", "name": "..."}], "materials": [{"matter": "...", "name": "..."}]}
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::super::finding::{Fault, Findings};
use super::super::place::{Origin, Place};
use super::{COLUMNS_MAX, Cell, Kind, ROWS_READ_MAX, Row, SHEETS_MAX, Sheet, Source, line_at};

/// An object as its author wrote it: in order, keys that come twice included.
pub(in super::super) struct Object<K, T>(pub(in super::super) Vec<(K, T)>);

impl<'de, K: Deserialize<'de>, T: Deserialize<'de>> Deserialize<'de> for Object<K, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Pairs(PhantomData))
    }
}

struct Pairs<K, T>(PhantomData<Object<K, T>>);

impl<'de, K: Deserialize<'de>, T: Deserialize<'de>> Visitor<'de> for Pairs<K, T> {
    type Value = Object<K, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Object(pairs))
    }
}

/// What serde says of a text that is not as it should be.
pub(in super::super) fn malformed(error: &serde_json::Error) -> Fault {
    match error.classify() {
        Category::Eof => Fault::error("lists.json_ends"),
        Category::Data => Fault::error("lists.json_shape").with("place", &error.column()),
        Category::Syntax | Category::Io => Fault::error("lists.json_syntax").with("place", &error.column()),
    }
}

/// Whether a text can be nothing else: no table with commas begins with a bracket.
pub(super) fn is_json(source: &Source) -> bool {
    source.text.trim_start().starts_with(['[', '{'])
}

/// A value as it stands in the source, so that its line can be told.
type Raw<'a> = &'a RawValue;

/// Reads the tables; none if the text is no such thing at all.
pub(super) fn read(source: &Source, findings: &mut Findings) -> Option<Vec<Sheet>> {
    let mut reader = Reader { source, findings };
    if source.text.trim_start().starts_with('[') {
        return Some(vec![reader.table(None, &source.text, 0)?]);
    }
    let tables: Object<String, Raw<'_>> = reader.parsed(&source.text, 0)?;
    if tables.0.len() > SHEETS_MAX {
        reader.report(0, Fault::error("lists.too_many_sheets").with("max", &SHEETS_MAX));
        return None;
    }
    tables.0.iter().map(|(name, raw)| reader.table(Some(name), raw.get(), reader.offset(raw))).collect()
}

struct Reader<'a, 'f> {
    source: &'a Source,
    findings: &'f mut Findings,
}

impl<'a> Reader<'a, '_> {
    fn offset(&self, raw: Raw<'_>) -> usize {
        raw.get().as_ptr().addr().saturating_sub(self.source.text.as_ptr().addr())
    }

    fn line(&self, offset: usize) -> u64 {
        line_at(self.source.text.as_bytes(), offset)
    }

    fn report(&mut self, offset: usize, fault: Fault) {
        let place = Place::line(&self.source.name, self.line(offset));
        self.findings.add(fault.at(&place, None));
    }

    /// Parses a piece of the source that begins at `offset`.
    fn parsed<T: Deserialize<'a>>(&mut self, text: &'a str, offset: usize) -> Option<T> {
        match serde_json::from_str(text) {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                let below = u64::try_from(error.line().saturating_sub(1)).unwrap_or(0);
                let place = Place::line(&self.source.name, self.line(offset).saturating_add(below));
                self.findings.add(malformed(&error).at(&place, None));
                None
            }
        }
    }

    fn table(&mut self, name: Option<&str>, text: &'a str, offset: usize) -> Option<Sheet> {
        let objects: Vec<Raw<'a>> = self.parsed(text, offset)?;
        let origin =
            Origin { file: self.source.name.clone(), sheet: name.map(str::to_owned), is_workbook: false };
        let mut table = Table {
            sheet: Sheet { origin: Rc::new(origin), rows: Vec::new() },
            columns: BTreeMap::new(),
            header: Vec::new(),
        };
        let mut lines = Lines { text: &self.source.text, counted: (0, 1) };
        for raw in objects.into_iter().take(ROWS_READ_MAX) {
            let object: Object<String, Raw<'a>> = self.parsed(raw.get(), self.offset(raw))?;
            let line = lines.line(self.offset(raw));
            let fields = object
                .0
                .iter()
                .map(|(key, value)| (key.as_str(), value.get(), lines.line(self.offset(value))));
            let fields: Vec<_> = fields.collect();
            if let Err((line, fault)) = table.take(line, &fields) {
                self.findings.add(fault.at(&Place::line(&self.source.name, line), None));
                return None;
            }
        }
        Some(table.finish())
    }
}

/// Counts lines once, however many places are asked for, as long as they come in order.
struct Lines<'a> {
    text: &'a str,
    counted: (usize, u64),
}

impl Lines<'_> {
    fn line(&mut self, offset: usize) -> u64 {
        let (counted, line) = self.counted;
        let since = self.text.as_bytes().get(counted..offset).unwrap_or_default();
        let line = line.saturating_add(line_at(since, since.len()).saturating_sub(1));
        self.counted = (offset.max(counted), line);
        line
    }
}

struct Table {
    sheet: Sheet,
    /// Where each key's column is.
    columns: BTreeMap<String, usize>,
    header: Vec<Cell>,
}

impl Table {
    fn take(&mut self, line: u64, fields: &[(&str, &str, u64)]) -> Result<(), (u64, Fault)> {
        let mut cells = Vec::new();
        for &(key, text, at) in fields {
            let column = self
                .column(key, line)
                .ok_or_else(|| (at, Fault::error("lists.too_many_columns").with("max", &COLUMNS_MAX)))?;
            let place = self.sheet.place(at, Some(column));
            let (text, kind) = scalar(key, text).map_err(|fault| (at, fault))?;
            while cells.len() <= column {
                cells.push(Cell {
                    text: String::new(),
                    kind: Kind::Text,
                    place: self.sheet.place(line, None),
                });
            }
            match cells.get_mut(column) {
                Some(cell) if cell.place.column.is_none() => *cell = Cell { text, kind, place },
                Some(_) | None => {
                    return Err((at, Fault::error("lists.duplicate_column").with("found", key)));
                }
            }
        }
        self.sheet.push(Row { line, cells });
        Ok(())
    }

    fn column(&mut self, key: &str, line: u64) -> Option<usize> {
        if let Some(&column) = self.columns.get(key) {
            return Some(column);
        }
        let column = Some(self.header.len()).filter(|&it| it < COLUMNS_MAX)?;
        let place = self.sheet.place(line, Some(column));
        self.header.push(Cell { text: key.to_owned(), kind: Kind::Text, place });
        self.columns.insert(key.to_owned(), column);
        Some(column)
    }

    /// The header first, and every row as wide as it is.
    fn finish(mut self) -> Sheet {
        let origin = Rc::clone(&self.sheet.origin);
        let width = self.header.len();
        for row in &mut self.sheet.rows {
            let place = Place { origin: Rc::clone(&origin), line: row.line, column: None };
            row.cells.resize(width, Cell { text: String::new(), kind: Kind::Text, place });
        }
        let line = self.header.first().map_or(1, |cell| cell.place.line);
        if width > 0 {
            self.sheet.rows.insert(0, Row { line, cells: self.header });
        }
        self.sheet
    }
}

/// What a cell can hold of a value: a text, a number, yes or no, or several of them.
fn scalar(key: &str, text: &str) -> Result<(String, Kind), Fault> {
    match text.as_bytes().first() {
        Some(b'"') => Ok((serde_json::from_str(text).map_err(|error| malformed(&error))?, Kind::Text)),
        Some(b'n') => Ok((String::new(), Kind::Text)),
        Some(b'[') => {
            let parts: Vec<Raw<'_>> = serde_json::from_str(text).map_err(|error| malformed(&error))?;
            let is_nested = parts.iter().any(|part| part.get().starts_with(['[', '{']));
            let parts = parts.iter().map(|part| scalar(key, part.get()).map(|(text, _)| text));
            if is_nested {
                Err(nested(key))
            } else {
                Ok((parts.collect::<Result<Vec<_>, _>>()?.join(";"), Kind::Text))
            }
        }
        Some(b'{') => Err(nested(key)),
        Some(b't' | b'f') => Ok((text.to_owned(), Kind::Text)),
        Some(_) | None => Ok((text.to_owned(), Kind::Number)),
    }
}

fn nested(key: &str) -> Fault {
    Fault::error("lists.json_nested").with("key", key)
}
