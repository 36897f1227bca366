//! Tables with commas between the cells.

use csv::{ReaderBuilder, StringRecord};

use super::super::finding::{Fault, Findings};
use super::{COLUMNS_MAX, Cell, Kind, Row, Sheet, Source, line_at};

/// Reads a table; none if its cells are separated by something else than commas.
pub(super) fn read(source: &Source, findings: &mut Findings) -> Option<Sheet> {
    let mut sheet = Sheet::alone(&source.name);
    let mut rows = Rows::new(source);
    while let Some(row) = rows.next(&sheet, findings) {
        if sheet.rows.is_empty() && !is_separated_by_commas(&sheet, &row, findings) {
            return None;
        }
        if row.cells.len() > COLUMNS_MAX {
            let fault = Fault::error("lists.too_many_columns").with("max", &COLUMNS_MAX);
            findings.add(fault.at(&sheet.place(row.line, None), None));
            return None;
        }
        if !sheet.push(row) {
            break;
        }
    }
    Some(sheet)
}

/// A first row without any comma is separated by something else.
fn is_separated_by_commas(sheet: &Sheet, row: &Row, findings: &mut Findings) -> bool {
    let [cell] = row.cells.as_slice() else { return true };
    let other = ['\t', ';', '\u{FF0C}', '|'].into_iter().find(|&it| cell.text.contains(it));
    let Some(other) = other else { return true };
    let fault = Fault::error("lists.separator").with("found", &named(other)).suggest(Some(","));
    findings.add(fault.at(&sheet.place(row.line, None), None));
    false
}

/// Reads rows one by one.
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

    fn next(&mut self, sheet: &Sheet, findings: &mut Findings) -> Option<Row> {
        let mut record = StringRecord::new();
        loop {
            let begin = self.here();
            let read = self.reader.read_record(&mut record);
            let line = self.line_of(begin);
            match read {
                Ok(false) => return None,
                Ok(true) if self.quotes_pair(begin) => return Some(row_of(sheet, &record, line)),
                Ok(true) | Err(_) => {
                    findings.add(Fault::error("lists.quote").at(&sheet.place(line, None), None));
                }
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

fn row_of(sheet: &Sheet, record: &StringRecord, line: u64) -> Row {
    let mut cells = Vec::with_capacity(record.len());
    let mut at = line;
    for (column, text) in record.iter().enumerate() {
        let place = sheet.place(at, Some(column));
        cells.push(Cell { text: text.to_owned(), kind: Kind::Text, place });
        at = at.saturating_add(line_at(text.as_bytes(), text.len()).saturating_sub(1));
    }
    Row { line, cells }
}

fn named(separator: char) -> String {
    if separator == '\t' { "TAB".to_owned() } else { separator.to_string() }
}
