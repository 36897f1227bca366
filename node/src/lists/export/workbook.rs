//! Lists as a workbook: a sheet for each table, with notes on its headings and the words that are allowed.

use rust_xlsxwriter::{Color, DataValidation, Format, Note, Workbook, Worksheet, XlsxError};

use super::super::mapping::Words;
use super::super::sheet::ROWS_MAX;
use super::super::{delegations, materials, matters};
use super::{Speech, Table};
use crate::texts::{Lang, Texts};

/// Characters of all the words of a drop-down together, commas included.
const WORDS_MAX: usize = 255;
/// Widths of columns in characters.
const NARROW: f64 = 14.0;
const WIDE: f64 = 32.0;
/// Width of a note.
const NOTE_PIXELS: u32 = 300;
const WIDEST: f64 = 80.0;
/// What makes a column hold what was typed and nothing else: no numbers, no days.
const AS_TEXT: &str = "@";
const HEADING_COLOUR: Color = Color::RGB(0xDD_EB_F7);

/// Columns with words of closed lists, and these words.
const CHOICES: [(&str, &str, &[&str]); 10] = [
    (matters::TABLE, matters::KIND, &["01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "20"]),
    (matters::TABLE, matters::LEVEL, &["city", "county", "township", "village"]),
    (matters::TABLE, matters::ITEM_KIND, &["immediate", "promised"]),
    (matters::TABLE, matters::AUDIENCE, &["person", "organisation", "both"]),
    (
        matters::TABLE,
        matters::RESULT_KIND,
        &["licence", "approval", "certificate", "payment", "record", "service"],
    ),
    (matters::TABLE, matters::OFFLINE, &["allowed", "waits"]),
    (matters::TABLE, matters::VERIFIED, &["yes", "no"]),
    (materials::TABLE, materials::NECESSITY, &["required", "optional", "supplementable", "promisable"]),
    (materials::TABLE, materials::SOURCE, &["applicant", "shared"]),
    (delegations::TABLE, delegations::TIER, &["city", "county", "township", "village"]),
];

/// Writes the tables, then a sheet that explains their columns.
pub(super) fn write(tables: &[Table], speech: Speech<'_>, texts: &Texts) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    for table in tables {
        let sheet = book.add_worksheet();
        sheet.set_name(&table.name)?;
        fill(sheet, table, speech, texts)?;
    }
    explain(book.add_worksheet(), tables, texts)?;
    book.save_to_buffer()
}

fn fill(sheet: &mut Worksheet, table: &Table, speech: Speech<'_>, texts: &Texts) -> Result<(), XlsxError> {
    let bold = Format::new().set_bold().set_background_color(HEADING_COLOUR).set_text_wrap();
    let as_text = Format::new().set_num_format(AS_TEXT);
    sheet.set_freeze_panes(1, 0)?;
    for (at, (column, heading)) in (0_u16..).zip(&table.columns) {
        sheet.set_column_format(at, &as_text)?;
        let wide = [matters::NAME, matters::BODY, matters::BASIS, materials::NAME].contains(column);
        sheet.set_column_width(at, if wide { WIDE } else { NARROW })?;
        sheet.write_string_with_format(0, at, heading, &bold)?;
        sheet.insert_note(
            0,
            at,
            &Note::new(explanation(texts, table, column)).set_width(NOTE_PIXELS).add_author_prefix(false),
        )?;
        if let Some(allowed) = validation(table, column, speech.words(table.shape)) {
            let last = u32::try_from(ROWS_MAX).unwrap_or(u32::MAX);
            sheet.add_data_validation(1, at, last, at, &allowed)?;
        }
    }
    for (row, cells) in (1_u32..).zip(&table.rows) {
        for (at, text) in (0_u16..).zip(cells) {
            sheet.write_string_with_format(row, at, text, &as_text)?;
        }
    }
    Ok(())
}

/// A drop-down with the words of a closed list.
fn validation(table: &Table, column: &str, words: Option<Words<'_>>) -> Option<DataValidation> {
    let (_, _, ours) = CHOICES.iter().find(|(of, name, _)| (*of, *name) == (table.shape.name, column))?;
    let word =
        |ours: &&'static str| words.and_then(|words| words.word(column, ours)).unwrap_or(ours).to_owned();
    let shown: Vec<String> = ours.iter().map(word).collect();
    let fits = shown.join(",").chars().count() <= WORDS_MAX;
    if fits { DataValidation::new().allow_list_strings(&shown).ok() } else { None }
}

/// What a column is for.
fn explanation(texts: &Texts, table: &Table, column: &str) -> String {
    texts.say(&format!("lists.column.{}.{column}", table.shape.name), &[])
}

fn explain(sheet: &mut Worksheet, tables: &[Table], texts: &Texts) -> Result<(), XlsxError> {
    let name = match texts.lang() {
        Lang::Zh => "填表说明",
        Lang::En => "explanation",
    };
    sheet.set_name(name)?;
    let bold = Format::new().set_bold().set_background_color(HEADING_COLOUR);
    let wrapped = Format::new().set_text_wrap();
    sheet.set_column_width(1, WIDE)?.set_column_width(2, WIDEST)?;
    let mut row = 0_u32;
    for table in tables {
        for (column, heading) in &table.columns {
            sheet.write_string_with_format(row, 0, &table.name, &bold)?;
            sheet.write_string(row, 1, heading)?;
            sheet.write_string_with_format(row, 2, explanation(texts, table, column), &wrapped)?;
            row = row.saturating_add(1);
        }
    }
    Ok(())
}
