//! A list file as a table: header, rows, and the line on which each cell stands.
//!
//! Promises: every row and every column is accounted for. Does not know what the columns mean.

use std::collections::BTreeMap;

use csv::{ReaderBuilder, StringRecord};

use super::finding::{Fault, Findings};
use super::nearest::nearest;
use super::source::{Source, line_at};

/// Rows of one list file.
pub const ROWS_MAX: usize = 50_000;

/// Which columns a file has, in whatever order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) required: &'static [&'static str],
    pub(super) optional: &'static [&'static str],
}

impl Shape {
    fn all(&self) -> impl Iterator<Item = &'static str> {
        self.required.iter().chain(self.optional).copied()
    }
}

/// A table whose header was read.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) file: String,
    pub(super) rows: Vec<Row>,
    columns: BTreeMap<&'static str, usize>,
}

/// One row.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) line: u64,
    cells: Vec<Cell>,
}

/// One cell, as it is in the file.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) line: u64,
}

impl Table {
    /// Reads a table; none if there is no header to go by.
    pub(super) fn read(source: &Source, shape: &Shape, findings: &mut Findings) -> Option<Self> {
        let mut rows = Rows::new(source);
        let header = rows.next(findings).filter(|header| source.is_separated_by_commas(header, findings));
        let Some(header) = header else {
            if !findings.has_errors_in(&source.name) {
                findings.add(Fault::error("lists.empty_file").at(&source.name, 1, None));
            }
            return None;
        };
        let (columns, width) = read_header(&source.name, &header, shape, findings);
        let mut table = Self { file: source.name.clone(), rows: Vec::new(), columns };
        while let Some(row) = rows.next(findings) {
            if table.rows.len() == ROWS_MAX {
                let fault = Fault::error("lists.too_many_rows").with("max", &ROWS_MAX);
                findings.add(fault.at(&source.name, row.line, None));
                break;
            }
            table.rows.extend(row.of_width(width, &source.name, findings));
        }
        if table.rows.is_empty() && !findings.has_errors_in(&source.name) {
            findings.add(Fault::warning("lists.no_rows").at(&source.name, header.line, None));
        }
        Some(table)
    }

    /// A row's cell in a column; none if the file has no such column.
    pub(super) fn cell<'a>(&self, row: &'a Row, column: &str) -> Option<&'a Cell> {
        row.cells.get(*self.columns.get(column)?)
    }
}

impl Source {
    /// A header without any comma is separated by something else.
    fn is_separated_by_commas(&self, header: &Row, findings: &mut Findings) -> bool {
        let [cell] = header.cells.as_slice() else { return true };
        let other = ['\t', ';', '\u{FF0C}', '|'].into_iter().find(|&it| cell.text.contains(it));
        let Some(other) = other else { return true };
        let fault = Fault::error("lists.separator").with("found", &named(other)).suggest(Some(","));
        findings.add(fault.at(&self.name, header.line, None));
        false
    }
}

impl Row {
    fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| cell.text.trim().is_empty())
    }

    /// Spreadsheets append empty cells; anything else than the header's width is a mistake.
    fn of_width(self, width: usize, file: &str, findings: &mut Findings) -> Option<Self> {
        let more = self.cells.iter().skip(width).any(|cell| !cell.text.trim().is_empty());
        if self.cells.len() >= width && !more {
            return Some(self);
        }
        let fault = Fault::error("lists.row_width").with("expected", &width).with("found", &self.cells.len());
        findings.add(fault.at(file, self.line, None));
        None
    }
}

/// Reads rows one by one, blank ones left out.
struct Rows<'a> {
    source: &'a Source,
    reader: csv::Reader<&'a [u8]>,
    /// Up to where lines were counted, and the line there.
    counted: (usize, u64),
}

impl<'a> Rows<'a> {
    fn new(source: &'a Source) -> Self {
        let mut builder = ReaderBuilder::new();
        let reader = builder.has_headers(false).flexible(true).from_reader(source.text.as_bytes());
        Self { source, reader, counted: (0, 1) }
    }

    fn next(&mut self, findings: &mut Findings) -> Option<Row> {
        let mut record = StringRecord::new();
        loop {
            let begin = self.here();
            let read = self.reader.read_record(&mut record);
            let line = self.line_of(begin);
            match read {
                Ok(false) => return None,
                Ok(true) if self.quotes_pair(begin) => {}
                Ok(true) | Err(_) => {
                    findings.add(Fault::error("lists.quote").at(&self.source.name, line, None));
                    continue;
                }
            }
            let row = row_of(&record, line);
            if !row.is_blank() {
                return Some(row);
            }
        }
    }

    fn here(&self) -> usize {
        usize::try_from(self.reader.position().byte()).unwrap_or(usize::MAX)
    }

    /// The line on which the row after `begin` starts: the reader passes over empty lines.
    fn line_of(&mut self, begin: usize) -> u64 {
        let (counted, line) = self.counted;
        let text = self.source.text.as_bytes();
        let since = text.get(counted..).unwrap_or_default();
        let empty = text.get(begin..).unwrap_or_default().iter().take_while(|&&byte| byte == b'\n').count();
        let start = begin.saturating_add(empty);
        let line = line.saturating_add(line_at(since, start.saturating_sub(counted)).saturating_sub(1));
        self.counted = (start.max(counted), line);
        line
    }

    fn quotes_pair(&self, begin: usize) -> bool {
        let raw = self.source.text.as_bytes().get(begin..self.here()).unwrap_or_default();
        raw.iter().fold(true, |pair, &byte| pair != (byte == b'"'))
    }
}

fn row_of(record: &StringRecord, line: u64) -> Row {
    let mut cells = Vec::with_capacity(record.len());
    let mut at = line;
    for text in record {
        cells.push(Cell { text: text.to_owned(), line: at });
        at = at.saturating_add(line_at(text.as_bytes(), text.len()).saturating_sub(1));
    }
    Row { line, cells }
}

/// The places of the known columns, and how many columns there are without empty ones at the end.
fn read_header(
    file: &str,
    header: &Row,
    shape: &Shape,
    findings: &mut Findings,
) -> (BTreeMap<&'static str, usize>, usize) {
    let names: Vec<&str> = header.cells.iter().map(|cell| cell.text.trim()).collect();
    let width = names.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last.saturating_add(1));
    let absent = |name: &&str| !names.contains(name);
    let mut columns = BTreeMap::new();
    for (place, &name) in names.iter().enumerate().take(width) {
        let fault = match shape.all().find(|&known| known == name) {
            Some(known) if !columns.contains_key(known) => {
                columns.insert(known, place);
                continue;
            }
            Some(_) => Fault::error("lists.duplicate_column").with("found", name),
            None => Fault::error("lists.unknown_column")
                .with("found", name)
                .suggest(nearest(name, shape.all().filter(absent))),
        };
        findings.add(fault.at(file, header.line, Some(name)));
    }
    for &name in shape.required.iter().filter(|name| absent(name)) {
        let fault = Fault::error("lists.missing_column").with("name", name);
        findings.add(fault.at(file, header.line, Some(name)));
    }
    (columns, width)
}

fn named(separator: char) -> String {
    if separator == '\t' { "TAB".to_owned() } else { separator.to_string() }
}
