//! What workbooks of every age have in common: cells with a row and a column, and a bound to all of them.

use calamine::ExcelDateTime;
use hallmesh_protocol::calendar::CivilDay;

use super::super::finding::Fault;
use super::{CELLS_MAX, COLUMNS_MAX, Cell, Kind, Row, Sheet};

/// What stands in a cell.
pub(super) enum Value {
    Text(String),
    Number(String),
    Day(String),
    Failed(String),
}

impl Value {
    /// A day without its time; what is no day, as a duration is, remains a number.
    pub(super) fn of_moment(moment: &ExcelDateTime) -> Self {
        let (year, month, day, ..) = moment.to_ymd_hms_milli();
        let civil = CivilDay::new(year, month, day).filter(|_| moment.is_datetime());
        civil.map_or_else(|| Self::Number(moment.as_f64().to_string()), |day| Self::Day(day.to_string()))
    }

    fn is_blank(&self) -> bool {
        matches!(self, Self::Text(text) if text.trim().is_empty())
    }
}

/// How many cells of a file are still taken.
pub(super) struct Room {
    cells: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self { cells: CELLS_MAX }
    }
}

impl Room {
    pub(super) fn begin(&mut self, sheet: Sheet) -> Filling<'_> {
        Filling { room: self, sheet, row: None }
    }
}

/// A sheet that is being read, row by row.
pub(super) struct Filling<'a> {
    room: &'a mut Room,
    sheet: Sheet,
    row: Option<Row>,
}

impl Filling<'_> {
    /// Puts a value at its row and column, counted from 0; whether more rows are taken.
    pub(super) fn put(&mut self, (row, column): (u32, u32), value: Option<Value>) -> Result<bool, Fault> {
        let Some(value) = value.filter(|value| !value.is_blank()) else { return Ok(true) };
        let line = u64::from(row).saturating_add(1);
        let column = usize::try_from(column).unwrap_or(usize::MAX);
        if column >= COLUMNS_MAX {
            return Err(Fault::error("lists.too_many_columns").with("max", &COLUMNS_MAX));
        }
        if self.row.as_ref().is_none_or(|row| row.line != line) && !self.next_row(line)? {
            return Ok(false);
        }
        let Some(row) = &mut self.row else { return Ok(true) };
        while row.cells.len() <= column {
            let place = self.sheet.place(line, Some(row.cells.len()));
            row.cells.push(Cell { text: String::new(), kind: Kind::Text, place });
            self.room.cells = self.room.cells.checked_sub(1).ok_or_else(full)?;
        }
        if let Some(cell) = row.cells.get_mut(column) {
            (cell.text, cell.kind) = match value {
                Value::Text(text) => (text.replace("\r\n", "\n").replace('\r', "\n"), Kind::Text),
                Value::Number(text) => (text, Kind::Number),
                Value::Day(text) => (text, Kind::Day),
                Value::Failed(text) => (text, Kind::Failed),
            };
        }
        Ok(true)
    }

    pub(super) fn finish(mut self) -> Sheet {
        if let Some(row) = self.row.take() {
            self.sheet.push(row);
        }
        self.sheet
    }

    /// Rows come in order in every file that a spreadsheet program has written.
    fn next_row(&mut self, line: u64) -> Result<bool, Fault> {
        let begun = Row { line, cells: Vec::new() };
        let Some(done) = self.row.replace(begun) else { return Ok(true) };
        if done.line > line {
            return Err(Fault::error("lists.damaged_workbook"));
        }
        Ok(self.sheet.push(done))
    }
}

fn full() -> Fault {
    Fault::error("lists.too_many_cells").with("max", &CELLS_MAX)
}
