//! Workbooks of Excel 97 to 2003 (.xls), read only.
//!
//! The reader of this format makes room for a whole sheet by what the file says of its size. So the stream of the
//! workbook is taken out of its container, looked through record by record, and only then given to it, alone.

use std::io::{Cursor, Read, Write};
use std::panic::catch_unwind;

use calamine::{Data, Reader, SheetType, SheetVisible, Xls};
use cfb::{CompoundFile, Version};

use super::super::finding::Fault;
use super::workbook::{Room, Value};
use super::{CELLS_MAX, COLUMNS_MAX, FILE_BYTES_MAX, SHEETS_MAX, Sheet};

/// What the stream is called, since Excel 97 and before.
const STREAMS: [&str; 2] = ["/Workbook", "/Book"];

/// Records that name a cell by row and column.
const CELLS: [u16; 9] = [0x0006, 0x00BD, 0x00D6, 0x00FD, 0x0201, 0x0203, 0x0204, 0x0205, 0x027E];
/// Several numbers in a row; the last column stands at the end.
const NUMBERS: u16 = 0x00BD;
/// How large a sheet says that it is.
const DIMENSIONS: u16 = 0x0200;
/// A sheet begins.
const SHEET: u16 = 0x0809;

/// Reads the visible sheets.
pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Vec<Sheet>, Fault> {
    let stream = stream(bytes)?;
    measure(&stream)?;
    let alone = container(&stream).map_err(|_io| damaged())?;
    // What no check before foresaw makes that reader panic; nothing of it is used then.
    let read = catch_unwind(|| read_sheets(name, alone));
    read.unwrap_or_else(|_panic| Err(damaged()))
}

fn read_sheets(name: &str, file: Vec<u8>) -> Result<Vec<Sheet>, Fault> {
    let mut book: Xls<_> = Xls::new(Cursor::new(file))
        .map_err(|error| Fault::error("lists.unreadable_workbook").with("reason", &error))?;
    let sheets = book.sheets_metadata().iter();
    let visible = sheets.filter(|it| it.typ == SheetType::WorkSheet && it.visible == SheetVisible::Visible);
    let names: Vec<String> = visible.map(|it| it.name.clone()).collect();
    let mut room = Room::default();
    names.iter().map(|sheet| read_sheet(&mut book, name, sheet, &mut room)).collect()
}

fn read_sheet(
    book: &mut Xls<Cursor<Vec<u8>>>,
    file: &str,
    name: &str,
    room: &mut Room,
) -> Result<Sheet, Fault> {
    let range = book
        .worksheet_range(name)
        .map_err(|error| Fault::error("lists.unreadable_workbook").with("reason", &error))?;
    let (top, left) = range.start().unwrap_or_default();
    let mut filling = room.begin(Sheet::of_workbook(file, name));
    for (row, column, cell) in range.used_cells() {
        let below = |from: u32, by: usize| from.saturating_add(u32::try_from(by).unwrap_or(u32::MAX));
        if !filling.put((below(top, row), below(left, column)), value(cell))? {
            break;
        }
    }
    Ok(filling.finish())
}

fn value(cell: &Data) -> Option<Value> {
    Some(match cell {
        Data::Empty => return None,
        Data::Int(number) => Value::Number(number.to_string()),
        Data::Float(number) => Value::Number(number.to_string()),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => Value::Text(text.clone()),
        Data::Bool(yes) => Value::Text(yes.to_string()),
        Data::DateTime(moment) => Value::of_moment(moment),
        Data::Error(error) => Value::Failed(error.to_string()),
    })
}

fn stream(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut file = CompoundFile::open(Cursor::new(bytes)).map_err(|_damaged| damaged())?;
    let name = STREAMS.into_iter().find(|name| file.is_stream(name));
    let name = name.ok_or_else(|| Fault::error("lists.not_a_workbook").suggest(Some("xlsx")))?;
    let stream = file.open_stream(name).map_err(|_damaged| damaged())?;
    let mut bytes = Vec::new();
    // A stream is a part of its file, and its sectors may not come twice.
    let most = u64::try_from(FILE_BYTES_MAX).unwrap_or(u64::MAX);
    stream.take(most).read_to_end(&mut bytes).map_err(|_damaged| damaged())?;
    Ok(bytes)
}

/// A container with nothing else in it.
fn container(stream: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut file = CompoundFile::create_with_version(Version::V3, Cursor::new(Vec::new()))?;
    file.create_stream(STREAMS[0])?.write_all(stream)?;
    file.flush()?;
    Ok(file.into_inner().into_inner())
}

/// Looks at every record: no cell beyond the bounds, no sheet that says it is larger.
fn measure(stream: &[u8]) -> Result<(), Fault> {
    let mut rest = stream;
    let (mut rows, mut columns, mut cells, mut sheets) = (0, 0, 0, 0_usize);
    while let Some((kind, data, after)) = record(rest) {
        rest = after;
        if kind == SHEET {
            sheets = sheets.saturating_add(1);
            cells = usize::saturating_add(cells, usize::saturating_mul(rows, columns));
            (rows, columns) = (0, 0);
        } else if let Some((row, column)) = extent(kind, data) {
            rows = rows.max(row);
            columns = columns.max(column);
        }
        if is_backwards(kind, data) {
            return Err(damaged());
        }
        if columns > COLUMNS_MAX {
            return Err(Fault::error("lists.too_many_columns").with("max", &COLUMNS_MAX));
        }
        if cells.saturating_add(rows.saturating_mul(columns)) > CELLS_MAX {
            return Err(Fault::error("lists.too_many_cells").with("max", &CELLS_MAX));
        }
        // Besides the workbook itself.
        if sheets > SHEETS_MAX.saturating_add(1) {
            return Err(Fault::error("lists.too_many_sheets").with("max", &SHEETS_MAX));
        }
    }
    Ok(())
}

/// Kind and content of the first record, and what follows.
fn record(stream: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let kind = number(stream, 0)?;
    let length = usize::from(number(stream, 2)?);
    let (data, after) = stream.get(4..)?.split_at_checked(length)?;
    Some((kind, data, after))
}

/// Up to which row and column a record makes the sheet reach.
fn extent(kind: u16, data: &[u8]) -> Option<(usize, usize)> {
    let next = |place| number(data, place).map(|it| usize::from(it).saturating_add(1));
    if kind == DIMENSIONS {
        // 32 bits each for the rows since Excel 97, 16 before.
        let long = data.len() >= 14;
        let high = if long { number(data, 6)? } else { 0 };
        let low = number(data, if long { 4 } else { 2 })?;
        let rows = usize::from(low) | usize::from(high) << 16;
        return Some((rows, usize::from(number(data, if long { 10 } else { 6 })?)));
    }
    if !CELLS.contains(&kind) {
        return None;
    }
    let last = if kind == NUMBERS { data.len().checked_sub(2)? } else { 2 };
    Some((next(0)?, next(last)?.max(next(2)?)))
}

/// Whether a record says that it ends before it begins.
fn is_backwards(kind: u16, data: &[u8]) -> bool {
    let pair = match kind {
        NUMBERS => number(data, 2).zip(data.len().checked_sub(2).and_then(|last| number(data, last))),
        DIMENSIONS => number(data, 8).zip(number(data, 10)).filter(|_| data.len() >= 14),
        _ => None,
    };
    pair.is_some_and(|(first, last)| first > last)
}

fn number(bytes: &[u8], place: usize) -> Option<u16> {
    let bytes = bytes.get(place..)?.first_chunk()?;
    Some(u16::from_le_bytes(*bytes))
}

fn damaged() -> Fault {
    Fault::error("lists.damaged_workbook")
}
