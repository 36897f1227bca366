//! Columns that line up, also where a character is two cells wide.

use unicode_width::UnicodeWidthStr;

const GAP: usize = 2;

/// Rows under a heading, every column as wide as its widest cell; the last one is not padded.
pub(super) fn table(heading: &[String], rows: &[Vec<String>]) -> Vec<String> {
    let all = || std::iter::once(heading).chain(rows.iter().map(Vec::as_slice));
    let columns = all().map(<[String]>::len).max().unwrap_or(0);
    let width = |column: usize| all().filter_map(|row| row.get(column)).map(|cell| cell.width()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    all().map(|row| line(row, &widths)).collect()
}

/// Labels and values, the values under each other. Further lines of a value are indented like its first.
pub(super) fn fields(pairs: &[(String, String)]) -> Vec<String> {
    let width = pairs.iter().map(|(label, _)| label.width()).max().unwrap_or(0);
    let lines = pairs.iter().flat_map(|(label, value)| {
        value.split('\n').enumerate().map(move |(at, part)| {
            let label = if at == 0 { label.as_str() } else { "" };
            format!("{}{part}", padded(label, width.saturating_add(GAP)))
        })
    });
    lines.map(|line| line.trim_end().to_owned()).collect()
}

fn line(row: &[String], widths: &[usize]) -> String {
    let cells = row.iter().zip(widths).map(|(cell, width)| padded(cell, width.saturating_add(GAP)));
    cells.collect::<String>().trim_end().to_owned()
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|cell| (*cell).to_owned()).collect()
    }

    #[test]
    fn chinese_and_latin_cells_line_up() {
        let lines = table(&row(&["大厅", "no"]), &[row(&["甘州区", "1"]), row(&["ab", "22"])]);
        assert_eq!(lines, ["大厅    no", "甘州区  1", "ab      22"]);
    }

    #[test]
    fn a_value_of_several_lines_stays_in_its_column() {
        let lines = fields(&[("名称".to_owned(), "a\nb".to_owned()), ("x".to_owned(), "c".to_owned())]);
        assert_eq!(lines, ["名称  a", "      b", "x     c"]);
    }
}
