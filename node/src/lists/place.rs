//! Where something stands, as a person finds it: the line of a text, the cell of a workbook.

use std::rc::Rc;

/// Letters of the alphabet, by which the columns of a workbook are counted: A to Z, AA and so on.
const LETTERS: usize = 26;

/// One table of one file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Origin {
    /// The file as it was named.
    pub(super) file: String,
    /// The sheet of a workbook, or the name that a table has in its file; none if there is but one.
    pub(super) sheet: Option<String>,
    /// Whether its cells have addresses such as C12.
    pub(super) is_workbook: bool,
}

/// A place in a file.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) origin: Rc<Origin>,
    /// The line as an editor counts, or the row of a workbook, from 1.
    pub(super) line: u64,
    /// The column, from 0.
    pub(super) column: Option<usize>,
}

impl Place {
    /// A line of a text.
    pub(super) fn line(file: &str, line: u64) -> Self {
        let origin = Origin { file: file.to_owned(), sheet: None, is_workbook: false };
        Self { origin: Rc::new(origin), line, column: None }
    }

    /// The address of a workbook's cell.
    pub(super) fn address(&self) -> Option<String> {
        let column = self.column.filter(|_| self.origin.is_workbook)?;
        Some(format!("{}{}", letters(column), self.line))
    }
}

/// What a workbook calls a column: 0 is A, 25 Z, 26 AA.
fn letters(column: usize) -> String {
    let mut rest = column;
    let mut letters = Vec::new();
    loop {
        let digit = u8::try_from(rest % LETTERS).unwrap_or(0);
        letters.push(char::from(b'A'.saturating_add(digit)));
        match (rest / LETTERS).checked_sub(1) {
            Some(above) => rest = above,
            None => return letters.iter().rev().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_lettered_as_a_workbook_letters_them() {
        let names: Vec<_> = [0, 25, 26, 51, 52, 701, 702, 16_383].into_iter().map(letters).collect();
        assert_eq!(names, ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA", "XFD"]);
    }
}
