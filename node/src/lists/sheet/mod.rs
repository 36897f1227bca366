//! List files as they come: what kind of file it is, and the tables in it, cell by cell.
//!
//! Promises: the kind is told by the bytes, not by the name; every cell keeps its place; how much is taken into
//! memory is bounded before it is there. Does not know what the columns mean.

mod csv;
mod json;
mod text;
mod workbook;
mod xls;
mod xlsx;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;

use super::finding::{Fault, Findings};
use super::place::{Origin, Place};

pub(super) use json::{Object, malformed};
pub use text::FILE_BYTES_MAX;
pub(super) use text::{Source, line_at};
pub use xlsx::{TAGS_MAX, UNPACKED_BYTES_MAX};

/// Rows of matters, delegations or divisions: a city of a thousand halls has about 55,000 entries.
pub const ROWS_MAX: usize = 1 << 16;
/// Rows of materials: a matter has five of them, some have many more.
pub const MATERIAL_ROWS_MAX: usize = 400_000;
/// Columns of one table: the largest exchange format has about 190 fields.
pub const COLUMNS_MAX: usize = 256;
/// Cells of one file, empty ones within a row included.
pub const CELLS_MAX: usize = 3_000_000;
/// Characters of one cell, which is what a workbook's cell can hold.
pub const CELL_CHARS_MAX: usize = 32_767;
/// Sheets of one workbook.
pub const SHEETS_MAX: usize = 64;
/// Rows of one sheet that are read, titles and header included.
const ROWS_READ_MAX: usize = MATERIAL_ROWS_MAX + 16;

/// How workbooks begin: zipped ones and those of before 2007.
const ZIPPED: &[u8] = b"PK\x03\x04";
const COMPOUND: &[u8] = &[0xD0, 0xCF, 0x11, 0xE0];

/// One table of a file.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) origin: Rc<Origin>,
    /// The rows in which anything stands.
    pub(super) rows: Vec<Row>,
}

/// One row.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) cells: Vec<Cell>,
}

/// One cell, as it is in the file.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) kind: Kind,
    pub(super) place: Place,
}

/// What a file says that a cell holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// A number: zeros in front and digits after the fifteenth may be gone.
    Number,
    /// A day, written like 2026-02-12.
    Day,
    /// A formula that failed, such as #REF!.
    Failed,
}

impl Sheet {
    /// A table that has a file for itself.
    fn alone(file: &str) -> Self {
        let origin = Origin { file: file.to_owned(), sheet: None, is_workbook: false };
        Self { origin: Rc::new(origin), rows: Vec::new() }
    }

    /// One of the sheets of a workbook.
    fn of_workbook(file: &str, name: &str) -> Self {
        let origin = Origin { file: file.to_owned(), sheet: Some(name.to_owned()), is_workbook: true };
        Self { origin: Rc::new(origin), rows: Vec::new() }
    }

    /// Where a row, or a cell of it, stands.
    pub(super) fn place(&self, line: u64, column: Option<usize>) -> Place {
        Place { origin: Rc::clone(&self.origin), line, column }
    }

    /// Takes up a row unless nothing stands in it; whether there is room for more.
    fn push(&mut self, row: Row) -> bool {
        if !row.is_blank() {
            self.rows.push(row);
        }
        !self.is_cut()
    }

    /// Whether there may be more rows than were read.
    pub(super) fn is_cut(&self) -> bool {
        self.rows.len() >= ROWS_READ_MAX
    }
}

impl Row {
    fn is_blank(&self) -> bool {
        self.cells.iter().all(Cell::is_blank)
    }
}

impl Cell {
    pub(super) fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }
}

/// Reads the tables of a file; none if there are no usable ones, and the findings say why.
pub(super) fn read(path: &Path, findings: &mut Findings) -> io::Result<Option<Vec<Sheet>>> {
    let bytes = bytes_of(path)?;
    Ok(read_bytes(&path.display().to_string(), &bytes, findings))
}

/// The same of bytes that are in memory.
pub(super) fn read_bytes(name: &str, bytes: &[u8], findings: &mut Findings) -> Option<Vec<Sheet>> {
    if bytes.len() > FILE_BYTES_MAX {
        let fault = Fault::error("lists.too_large").with("max", &FILE_BYTES_MAX);
        findings.add(fault.at(&Place::line(name, 1), None));
        return None;
    }
    let read = if bytes.starts_with(ZIPPED) {
        xlsx::read(name, bytes)
    } else if bytes.starts_with(COMPOUND) {
        xls::read(name, bytes)
    } else {
        let source = Source::of_bytes(name, bytes, findings)?;
        return if json::is_json(&source) {
            json::read(&source, findings)
        } else {
            csv::read(&source, findings).map(|sheet| vec![sheet])
        };
    };
    read.map_err(|fault| findings.add(fault.at(&Place::line(name, 1), None))).ok()
}

/// The bytes of a file, of one too large as many as show it.
fn bytes_of(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(FILE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}
