//! From cells to values. What is harmless is mended with a warning, the rest is refused; every fault is
//! reported at its own cell, and reading goes on.

use std::ops::RangeInclusive;

use hallmesh_protocol::calendar::CivilDay;
use hallmesh_protocol::ids::Malformed;
use hallmesh_protocol::limits::NAME_MAX;

use super::finding::{Fault, Findings, Mapped};
use super::mapping::Known;
use super::nearest::nearest;
use super::normalise::{Mended, mended, narrowed};
use super::place::Place;
use super::sheet::{CELL_CHARS_MAX, Cell, Kind, Row};
use super::table::Table;

/// Characters of a text that is no name: a legal basis, a source.
pub const TEXT_MAX: usize = 2_000;
/// Digits of a number that a spreadsheet keeps.
const DIGITS_KEPT: usize = 15;
/// What may stand between several words in a cell.
const SEPARATORS: [char; 8] = [',', '\u{FF0C}', ';', '\u{FF1B}', '\u{3001}', '^', '/', '|'];

/// What is read from one row, and where it is reported.
pub(super) struct Reader<'a> {
    pub(super) table: &'a Table<'a>,
    pub(super) row: &'a Row,
    pub(super) findings: &'a mut Findings,
    /// Words that the mapping file replaced in this row, with their columns.
    foreign: Vec<(&'static str, String)>,
}

/// A value that may be left out was refused; the fault is among the findings.
#[derive(Debug)]
pub(super) struct Reported;

/// What a line break inside a cell means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Breaks {
    Refused,
    Joined,
}

impl<'a> Reader<'a> {
    pub(super) fn new(table: &'a Table<'a>, row: &'a Row, findings: &'a mut Findings) -> Self {
        Self { table, row, findings, foreign: Vec::new() }
    }

    /// Where a cell is.
    pub(super) fn place(&self, column: &str) -> Place {
        self.table.place(self.row, Some(column))
    }

    /// Reports a fault at a cell.
    pub(super) fn report(&mut self, column: &str, fault: Fault) {
        self.findings.add(fault.at(&self.place(column), Some(column)));
    }

    /// Reports a fault at the row.
    pub(super) fn report_row(&mut self, fault: Fault) {
        self.findings.add(fault.at(&self.table.place(self.row, None), None));
    }

    /// A name: not empty, of [`NAME_MAX`] characters at most.
    pub(super) fn name(&mut self, column: &str) -> Option<String> {
        let text = self.text(column, Breaks::Refused)?;
        self.bounded(column, text, NAME_MAX).and_then(|text| self.present(column, text))
    }

    /// A text of [`TEXT_MAX`] characters at most, perhaps empty.
    pub(super) fn remark(&mut self, column: &str) -> Option<String> {
        let text = self.text(column, Breaks::Joined)?;
        self.bounded(column, text, TEXT_MAX)
    }

    /// Where the entry is from, and what stood in it before the mapping file replaced it: both are kept. To be read
    /// after all other cells of the row.
    pub(super) fn source(&mut self, column: &str) -> Option<String> {
        let mut text = self.remark(column)?;
        for (of, word) in std::mem::take(&mut self.foreign) {
            text.extend(["; ", of, "=", &word]);
        }
        self.bounded(column, text, TEXT_MAX)
    }

    /// A text that is taken apart later, perhaps empty.
    pub(super) fn compound(&mut self, column: &str) -> Option<String> {
        self.text(column, Breaks::Joined)
    }

    /// A code, number or word: not empty; full-width characters are taken for what they look like.
    pub(super) fn word(&mut self, column: &str) -> Option<String> {
        let text = self.optional_word(column)?;
        self.present(column, text)
    }

    /// The same, perhaps empty.
    pub(super) fn optional_word(&mut self, column: &str) -> Option<String> {
        let text = self.text(column, Breaks::Refused)?;
        let narrow = narrowed(&text);
        if narrow != text {
            self.report(
                column,
                Fault::warning("lists.full_width").with("found", &text).with("read_as", &narrow),
            );
        }
        Some(narrow)
    }

    /// One of the words of a closed list.
    pub(super) fn choice<T: Copy>(&mut self, column: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let word = self.word(column)?;
        self.chosen(column, &word, choices)
    }

    /// Several of them.
    pub(super) fn chosen_all<T: Copy>(
        &mut self,
        column: &'static str,
        choices: &[(&str, T)],
    ) -> Option<Vec<T>> {
        let word = self.word(column)?;
        let parts: Vec<&str> =
            word.split(SEPARATORS).map(str::trim).filter(|part| !part.is_empty()).collect();
        let chosen: Vec<_> = parts.iter().map(|part| self.chosen(column, part, choices)).collect();
        chosen.into_iter().collect()
    }

    /// The meaning of a word out of a closed list.
    pub(super) fn chosen<T: Copy>(
        &mut self,
        column: &'static str,
        word: &str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let ours = self.ours(column, word);
        self.known(column, &ours, choices)
    }

    /// The word of ours for which a word stands; the word itself if for none.
    pub(super) fn ours(&mut self, column: &'static str, word: &str) -> String {
        let Some((ours, known)) = self.table.words.value(column, word) else { return word.to_owned() };
        if known == Known::Mapped && ours != word {
            let mapped = Mapped { column, found: word.to_owned(), read_as: ours.to_owned() };
            self.findings.note(mapped, &self.place(column));
            self.foreign.push((column, word.to_owned()));
        }
        ours.to_owned()
    }

    /// The meaning of a word of ours.
    pub(super) fn known<T: Copy>(&mut self, column: &str, word: &str, choices: &[(&str, T)]) -> Option<T> {
        if let Some(&(_, value)) = choices.iter().find(|(known, _)| *known == word) {
            return Some(value);
        }
        let known: Vec<&str> = choices.iter().map(|&(known, _)| known).collect();
        let fault = Fault::error("lists.bad_enum").with("found", word).with("allowed", &known.join(", "));
        let meant = nearest(word, known.into_iter().chain(self.table.words.values(column)));
        self.report(column, fault.suggest(meant));
        None
    }

    /// A number within a range.
    pub(super) fn number(&mut self, column: &str, range: RangeInclusive<u16>) -> Option<u16> {
        let word = self.word(column)?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let parse = |text: &str| text.parse().ok().filter(|number| range.contains(number));
        if let Some(number) = parse(&word).filter(|_| digits(&word)) {
            return Some(number);
        }
        let begin = word.split(|it: char| !it.is_ascii_digit()).next().and_then(parse);
        let fault = Fault::error("lists.bad_number").with("found", &word);
        let fault = fault.with("min", range.start()).with("max", range.end()).suggest(begin);
        self.report(column, fault);
        None
    }

    /// A day written like 2026-02-12, or kept as a day by a spreadsheet.
    pub(super) fn day(&mut self, column: &str) -> Option<CivilDay> {
        let word = match self.table.cell(self.row, column)? {
            cell if cell.kind == Kind::Day => cell.text.clone(),
            _ => self.word(column)?,
        };
        let day = word.parse().ok();
        if day.is_none() {
            let fault = Fault::error("lists.bad_date").with("found", &word).suggest(meant_day(&word));
            self.report(column, fault);
        }
        day
    }

    /// A code; what a spreadsheet has made a number of (6.20702E+11) is refused even where codes are free.
    pub(super) fn code<T>(
        &mut self,
        column: &str,
        parse: impl Fn(&str) -> Result<T, Malformed>,
    ) -> Option<T> {
        let word = self.word(column)?;
        self.parsed_code(column, &word, parse)
    }

    /// The same for a word that was read already.
    pub(super) fn parsed_code<T>(
        &mut self,
        column: &str,
        word: &str,
        parse: impl Fn(&str) -> Result<T, Malformed>,
    ) -> Option<T> {
        let fault = if is_scientific(word) || self.is_rounded(column, word) {
            Fault::error("lists.rounded_code").with("found", word)
        } else {
            match parse(word) {
                Ok(code) => return Some(code),
                Err(malformed) => bad_code(word, malformed),
            }
        };
        self.report(column, fault);
        None
    }

    /// Whether a cell is a number of more digits than a spreadsheet keeps.
    fn is_rounded(&self, column: &str, word: &str) -> bool {
        self.is_number(column) && word.len() > DIGITS_KEPT
    }

    /// Whether a spreadsheet took what stands in a cell for a number.
    pub(super) fn is_number(&self, column: &str) -> bool {
        self.table.cell(self.row, column).is_some_and(|cell| cell.kind == Kind::Number)
    }

    fn text(&mut self, column: &str, breaks: Breaks) -> Option<String> {
        let table = self.table;
        let cell = table.cell(self.row, column)?;
        let read = misread(cell).map_or_else(|| mended(&cell.text), Err);
        let Mended { text, faults } = match read {
            Ok(mended) => mended,
            Err(fault) => {
                self.report(column, fault);
                return None;
            }
        };
        for fault in faults {
            self.report(column, fault);
        }
        self.unbroken(column, &text, breaks).map(std::borrow::Cow::into_owned)
    }

    fn unbroken<'t>(
        &mut self,
        column: &str,
        text: &'t str,
        breaks: Breaks,
    ) -> Option<std::borrow::Cow<'t, str>> {
        if !text.contains('\n') {
            return Some(text.into());
        }
        if breaks == Breaks::Refused {
            self.report(column, Fault::error("lists.line_break"));
            return None;
        }
        self.report(column, Fault::warning("lists.line_break_joined"));
        Some(text.split('\n').map(str::trim).collect::<Vec<_>>().join(" ").into())
    }

    fn bounded(&mut self, column: &str, text: String, max: usize) -> Option<String> {
        let found = text.chars().count();
        if found <= max {
            return Some(text);
        }
        self.report(column, Fault::error("lists.too_long").with("found", &found).with("max", &max));
        None
    }

    fn present(&mut self, column: &str, text: String) -> Option<String> {
        if text.is_empty() {
            self.report(column, Fault::error("lists.empty"));
            return None;
        }
        Some(text)
    }
}

/// What a spreadsheet made of a cell that was meant to be a text.
fn misread(cell: &Cell) -> Option<Fault> {
    let length = cell.text.chars().count();
    if length > CELL_CHARS_MAX {
        return Some(Fault::error("lists.too_long").with("found", &length).with("max", &CELL_CHARS_MAX));
    }
    match cell.kind {
        Kind::Text | Kind::Number => None,
        Kind::Day => Some(Fault::error("lists.became_a_day").with("found", &cell.text)),
        Kind::Failed => Some(Fault::error("lists.formula_failed").with("found", &cell.text)),
    }
}

/// The day that another way of writing means: 2026/2/12, 2026.2.12, 20260212.
pub(super) fn meant_day(text: &str) -> Option<CivilDay> {
    let mut parts = text.split(|it: char| !it.is_ascii_digit()).filter(|part| !part.is_empty());
    let (first, second, third) = (parts.next()?, parts.next(), parts.next());
    match (second, third) {
        (Some(month), Some(day)) => {
            CivilDay::new(first.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
        }
        (None, None) => CivilDay::from_yyyymmdd(first.parse().ok()?),
        (Some(_), None) | (None, Some(_)) => None,
    }
}

fn bad_code(found: &str, malformed: Malformed) -> Fault {
    match malformed {
        Malformed::Check { expected, found: end } => {
            let meant = found.strip_suffix(end).map(|body| format!("{body}{expected}"));
            Fault::error("lists.bad_code_check")
                .with("found", found)
                .with("expected", &expected)
                .suggest(meant)
        }
        Malformed::Character { place, found: character } => Fault::error("lists.bad_code_character")
            .with("found", found)
            .with("place", &place)
            .with("character", &character),
        Malformed::Length { expected: _, found: length } => {
            Fault::error("lists.bad_code_length").with("found", found).with("length", &length)
        }
        Malformed::Form { .. }
        | Malformed::Range { .. }
        | Malformed::Date
        | Malformed::UnknownTier
        | Malformed::AboveCity
        | Malformed::NoTownship => Fault::error("lists.bad_code").with("found", found),
    }
}

fn is_scientific(word: &str) -> bool {
    let Some((mantissa, exponent)) = word.split_once(['E', 'e']) else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(&mantissa.replacen('.', "", 1)) && exponent.strip_prefix('+').is_some_and(digits)
}
