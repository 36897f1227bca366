//! A sheet as a table: which of its columns is which, and the rows below them.
//!
//! Promises: every row and every column is accounted for. Does not know what the columns mean.

use std::collections::BTreeMap;

use super::finding::{Fault, Findings};
use super::mapping::{Known, Words, folded};
use super::nearest::nearest;
use super::place::Place;
use super::sheet::{Cell, Kind, Row, Sheet};

/// Rows among which the headings are looked for: above them stand titles and explanations.
const TITLE_ROWS_MAX: usize = 10;
/// So many columns that are known make a row the one with the headings.
const HEADINGS_LEAST: usize = 2;

/// Which columns a table has, in whatever order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// What the table is called.
    pub(super) name: &'static str,
    pub(super) required: &'static [&'static str],
    pub(super) optional: &'static [&'static str],
    /// How many rows it may have.
    pub(super) rows_max: usize,
}

impl Shape {
    pub(super) fn all(&self) -> impl Iterator<Item = &'static str> + Clone {
        self.required.iter().chain(self.optional).copied()
    }
}

/// A table whose header was read.
#[derive(Debug)]
pub(super) struct Table<'m> {
    pub(super) rows: Vec<Row>,
    pub(super) words: Words<'m>,
    header: Place,
    columns: BTreeMap<&'static str, usize>,
    defaults: BTreeMap<&'static str, Cell>,
}

impl<'m> Table<'m> {
    /// Reads a table; none if there is no header to go by.
    pub(super) fn read(
        sheet: Sheet,
        shape: &Shape,
        words: Words<'m>,
        findings: &mut Findings,
    ) -> Option<Self> {
        let Some(at) = header(&sheet, shape, words) else {
            if !findings.has_errors_in(&sheet.origin.file) {
                findings.add(Fault::error("lists.empty_file").at(&sheet.place(1, None), None));
            }
            return None;
        };
        let is_cut = sheet.is_cut();
        let mut rows = sheet.rows.into_iter().skip(at);
        let header = rows.next()?;
        let origin = sheet.origin;
        let place = Place { origin, line: header.line, column: None };
        if at > 0 {
            let fault = Fault::warning("lists.rows_above_header").with("count", &at);
            findings.add(fault.at(&place, None));
        }
        let mut table = Self {
            rows: Vec::new(),
            words,
            header: place,
            columns: BTreeMap::new(),
            defaults: BTreeMap::new(),
        };
        let width = table.read_header(&header, shape, findings);
        table.take_rows(rows, (width, shape.rows_max), findings);
        if is_cut {
            let fault = Fault::error("lists.too_many_rows").with("max", &shape.rows_max);
            findings.add(fault.at(&table.header, None));
        }
        Some(table)
    }

    /// A row's cell in a column; none if the file has no such column.
    pub(super) fn cell<'a>(&'a self, row: &'a Row, column: &str) -> Option<&'a Cell> {
        let cell = self.columns.get(column).and_then(|&place| row.cells.get(place));
        let default = self.defaults.get(column);
        cell.filter(|cell| default.is_none() || !cell.is_blank()).or(default)
    }

    /// Where a row stands, or its cell in a column.
    pub(super) fn place(&self, row: &Row, column: Option<&str>) -> Place {
        let place = column.and_then(|column| self.columns.get(column)).copied();
        let cell = place.and_then(|place| row.cells.get(place)).filter(|cell| cell.place.column.is_some());
        let default = || column.and_then(|column| self.defaults.get(column)).filter(|_| place.is_none());
        match cell.or_else(default) {
            Some(cell) => cell.place.clone(),
            None => Place { line: row.line, column: place, ..self.header.clone() },
        }
    }

    /// Where the headings are.
    pub(super) fn header(&self) -> Place {
        self.header.clone()
    }

    /// Whether the table has a column, or something that stands for it.
    pub(super) fn has(&self, column: &str) -> bool {
        self.columns.contains_key(column) || self.defaults.contains_key(column)
    }

    fn take_rows(
        &mut self,
        rows: impl Iterator<Item = Row>,
        (width, max): (usize, usize),
        findings: &mut Findings,
    ) {
        for row in rows {
            if self.rows.len() == max {
                let fault = Fault::error("lists.too_many_rows").with("max", &max);
                findings.add(fault.at(&self.place(&row, None), None));
                break;
            }
            let row = self.of_width(row, width, findings);
            self.rows.extend(row);
        }
        if self.rows.is_empty() && !findings.has_errors_in(&self.header.origin.file) {
            findings.add(Fault::warning("lists.no_rows").at(&self.header, None));
        }
    }

    /// Spreadsheets append empty cells and leave the last ones out; anything else than the header's width is a mistake.
    fn of_width(&self, mut row: Row, width: usize, findings: &mut Findings) -> Option<Row> {
        let is_workbook = self.header.origin.is_workbook;
        while is_workbook && row.cells.len() < width {
            let place = Place { line: row.line, column: Some(row.cells.len()), ..self.header.clone() };
            row.cells.push(Cell { text: String::new(), kind: Kind::Text, place });
        }
        let beyond = row.cells.iter().skip(width).find(|cell| !cell.is_blank());
        if beyond.is_none() && row.cells.len() >= width {
            return Some(row);
        }
        // Beside a workbook's table the row is still what it is; of a text nobody knows where a comma was forgotten.
        if let Some(cell) = beyond.filter(|_| is_workbook) {
            findings.add(Fault::error("lists.cell_without_heading").at(&cell.place, None));
            return Some(row);
        }
        let fault = Fault::error("lists.row_width").with("expected", &width).with("found", &row.cells.len());
        findings.add(fault.at(&self.place(&row, None), None));
        None
    }

    /// Finds the known columns; how many columns there are without empty ones at the end.
    fn read_header(&mut self, header: &Row, shape: &Shape, findings: &mut Findings) -> usize {
        let names: Vec<&str> = header.cells.iter().map(|cell| cell.text.trim()).collect();
        let width = names.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last.saturating_add(1));
        let of = |name: &str| self.words.column(shape, name);
        let present: Vec<_> = names.iter().filter_map(|name| of(name)).map(|(ours, _)| ours).collect();
        for (at, cell) in header.cells.iter().enumerate().take(width) {
            let name = cell.text.trim();
            let fault = match self.words.column(shape, name) {
                Some((ours, _)) if self.columns.contains_key(ours) => {
                    Some(Fault::error("lists.duplicate_column").with("found", name))
                }
                Some((ours, known)) => {
                    self.columns.insert(ours, at);
                    let renamed =
                        Fault::warning("lists.column_renamed").with("found", name).with("read_as", ours);
                    (known == Known::Usual).then_some(renamed)
                }
                None if self.words.ignores(name) => None,
                None => {
                    let meant = self.near(name, shape.all().filter(|it| !present.contains(it)));
                    Some(Fault::error("lists.unknown_column").with("found", name).suggest(meant))
                }
            };
            findings.extend(fault.map(|fault| fault.at(&cell.place, Some(name))));
        }
        self.defaults.extend(shape.all().filter_map(|name| Some((name, self.words.default(name)?))));
        for &name in shape.required.iter().filter(|name| !self.has(name)) {
            let fault = Fault::error("lists.missing_column").with("name", name);
            findings.add(fault.at(&self.header, Some(name)));
        }
        width
    }

    /// The column that was probably meant, in the language in which it was written.
    fn near(&self, found: &str, absent: impl Iterator<Item = &'static str> + Clone) -> Option<&'m str> {
        let ours = nearest(found, absent.clone());
        let theirs = nearest(found, absent.map(|name| self.words.heading(name)));
        if found.is_ascii() { ours } else { theirs.filter(|it| !it.is_empty()) }
    }
}

/// Which of the first rows has the headings.
fn header(sheet: &Sheet, shape: &Shape, words: Words<'_>) -> Option<usize> {
    if let Some(line) = words.header_row() {
        return sheet.rows.iter().position(|row| row.line == line);
    }
    let known = |row: &Row| {
        let known = row.cells.iter().filter(|cell| words.column(shape, &folded(&cell.text)).is_some());
        known.count() >= HEADINGS_LEAST
    };
    let first = sheet.rows.iter().take(TITLE_ROWS_MAX).position(known);
    first.or((!sheet.rows.is_empty()).then_some(0))
}
