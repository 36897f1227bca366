//! Workbooks of Excel 2007 and later (.xlsx).
//!
//! Such a file is a zip archive that can unpack to a thousand times its size: what it unpacks to is counted
//! before anything of it is kept.

use std::io::{self, Cursor, Read, Write};

use calamine::{DataRef, Reader, SheetType, SheetVisible, Xlsx, XlsxError};
use zip::ZipArchive;

use super::super::finding::Fault;
use super::workbook::{Room, Value};
use super::{SHEETS_MAX, Sheet};

/// Bytes to which a workbook may unpack, all its parts together. 50,000 matters have about 75 MiB.
pub const UNPACKED_BYTES_MAX: u64 = 128 << 20;
/// Markup tags in a workbook, each of which may cost far more memory than its bytes.
pub const TAGS_MAX: u64 = 12_000_000;
/// Parts of a workbook.
const PARTS_MAX: usize = 2_000;
/// What every workbook has and no other zipped document: those of word processors, of ODS and of WPS.
const WORKBOOK_PARTS: &str = "xl/";

/// Reads the visible sheets.
pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Vec<Sheet>, Fault> {
    measure(bytes)?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|error| unreadable(&error))?;
    let sheets = book.sheets_metadata().iter();
    let visible = sheets.filter(|it| it.typ == SheetType::WorkSheet && it.visible == SheetVisible::Visible);
    let names: Vec<String> = visible.map(|it| it.name.clone()).collect();
    if names.len() > SHEETS_MAX {
        return Err(Fault::error("lists.too_many_sheets").with("max", &SHEETS_MAX));
    }
    let mut room = Room::default();
    names.iter().map(|sheet| read_sheet(&mut book, name, sheet, &mut room)).collect()
}

fn read_sheet(
    book: &mut Xlsx<Cursor<&[u8]>>,
    file: &str,
    name: &str,
    room: &mut Room,
) -> Result<Sheet, Fault> {
    let mut filling = room.begin(Sheet::of_workbook(file, name));
    let mut cells = book.worksheet_cells_reader(name).map_err(|error| unreadable(&error))?;
    while let Some(cell) = cells.next_cell().map_err(|error| unreadable(&error))? {
        if !filling.put(cell.get_position(), value(cell.get_value()))? {
            break;
        }
    }
    Ok(filling.finish())
}

fn value(cell: &DataRef<'_>) -> Option<Value> {
    Some(match cell {
        DataRef::Empty => return None,
        DataRef::Int(number) => Value::Number(number.to_string()),
        DataRef::Float(number) => Value::Number(number.to_string()),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            Value::Text(text.clone())
        }
        DataRef::SharedString(text) => Value::Text((*text).to_owned()),
        DataRef::Bool(yes) => Value::Text(yes.to_string()),
        DataRef::DateTime(moment) => Value::of_moment(moment),
        DataRef::Error(error) => Value::Failed(error.to_string()),
    })
}

/// Unpacks every part into nothing and counts.
fn measure(bytes: &[u8]) -> Result<(), Fault> {
    let damaged = || Fault::error("lists.damaged_workbook");
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_damaged| damaged())?;
    if archive.len() > PARTS_MAX {
        return Err(bomb());
    }
    if !archive.file_names().flatten().any(|part| part.starts_with(WORKBOOK_PARTS)) {
        return Err(Fault::error("lists.not_a_workbook").suggest(Some("xlsx")));
    }
    let mut meter = Meter::default();
    for part in 0..archive.len() {
        let part = archive.by_index(part).map_err(|_damaged| damaged())?;
        if part.size() > UNPACKED_BYTES_MAX {
            return Err(bomb());
        }
        let left = UNPACKED_BYTES_MAX.saturating_sub(meter.bytes);
        io::copy(&mut part.take(left.saturating_add(1)), &mut meter).map_err(|_damaged| damaged())?;
        if meter.bytes > UNPACKED_BYTES_MAX || meter.tags > TAGS_MAX {
            return Err(bomb());
        }
    }
    Ok(())
}

fn bomb() -> Fault {
    Fault::error("lists.unpacks_too_large").with("max", &UNPACKED_BYTES_MAX)
}

#[derive(Default)]
struct Meter {
    bytes: u64,
    tags: u64,
}

impl Write for Meter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        self.bytes = self.bytes.saturating_add(count(bytes.len()));
        self.tags =
            self.tags.saturating_add(count(bytes.split(|&byte| byte == b'<').count().saturating_sub(1)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn unreadable(error: &XlsxError) -> Fault {
    Fault::error("lists.unreadable_workbook").with("reason", error)
}
