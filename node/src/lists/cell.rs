//! From cells to values. What is harmless is mended with a warning, the rest is refused; every fault is
//! reported at its own cell, and reading goes on.

use std::ops::RangeInclusive;

use hallmesh_protocol::calendar::CivilDay;
use hallmesh_protocol::ids::Malformed;
use hallmesh_protocol::limits::NAME_MAX;

use super::finding::{Fault, Findings};
use super::nearest::nearest;
use super::table::{Row, Table};

/// Characters of a text that is no name: a legal basis, a source.
pub const TEXT_MAX: usize = 2_000;
/// From full-width to ASCII, as in U+FF11 and U+0031.
const FULL_WIDTH: RangeInclusive<char> = '\u{FF01}'..='\u{FF5E}';
const FULL_WIDTH_OFFSET: u32 = 0xFEE0;

/// What is read from one row, and where it is reported.
pub(super) struct Reader<'a> {
    pub(super) table: &'a Table,
    pub(super) row: &'a Row,
    pub(super) findings: &'a mut Findings,
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

impl Reader<'_> {
    /// The line on which a cell begins.
    pub(super) fn line(&self, column: &str) -> u64 {
        self.table.cell(self.row, column).map_or(self.row.line, |cell| cell.line)
    }

    /// Reports a fault at a cell.
    pub(super) fn report(&mut self, column: &str, fault: Fault) {
        let line = self.line(column);
        self.findings.add(fault.at(&self.table.file, line, Some(column)));
    }

    /// Reports a fault at the row.
    pub(super) fn report_row(&mut self, fault: Fault) {
        self.findings.add(fault.at(&self.table.file, self.row.line, None));
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
    pub(super) fn choice<T: Copy>(&mut self, column: &str, choices: &[(&str, T)]) -> Option<T> {
        let word = self.word(column)?;
        self.chosen(column, &word, choices)
    }

    /// The meaning of a word out of a closed list.
    pub(super) fn chosen<T: Copy>(&mut self, column: &str, word: &str, choices: &[(&str, T)]) -> Option<T> {
        if let Some(&(_, value)) = choices.iter().find(|(known, _)| *known == word) {
            return Some(value);
        }
        let known: Vec<&str> = choices.iter().map(|&(known, _)| known).collect();
        let fault = Fault::error("lists.bad_enum").with("found", word).with("allowed", &known.join(", "));
        self.report(column, fault.suggest(nearest(word, known)));
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

    /// A day written like 2026-02-12.
    pub(super) fn day(&mut self, column: &str) -> Option<CivilDay> {
        let word = self.word(column)?;
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
        let fault = if is_scientific(word) {
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

    fn text(&mut self, column: &str, breaks: Breaks) -> Option<String> {
        let raw = self.table.cell(self.row, column)?.text.clone();
        let text = self.trimmed(column, &raw);
        let text = self.unbroken(column, text, breaks)?;
        let Some(bad) = text.chars().find(|&it| is_invisible(it)) else { return Some(text.into_owned()) };
        let character = format!("U+{:04X}", u32::from(bad));
        self.report(column, Fault::error("lists.control_character").with("character", &character));
        None
    }

    fn trimmed<'t>(&mut self, column: &str, raw: &'t str) -> &'t str {
        let text = raw.trim();
        if text.len() != raw.len() {
            self.report(column, Fault::warning("lists.stray_space").with("read_as", text));
        }
        text
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

/// Full-width ASCII made narrow.
fn narrowed(text: &str) -> String {
    let narrow = |wide: char| {
        let code = u32::from(wide).saturating_sub(FULL_WIDTH_OFFSET);
        if FULL_WIDTH.contains(&wide) { char::from_u32(code).unwrap_or(wide) } else { wide }
    };
    text.chars().map(narrow).collect()
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

/// Controls, marks that change the direction or show nothing, and what stands for a broken character.
fn is_invisible(it: char) -> bool {
    it.is_control()
        || matches!(it, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}')
        || matches!(it, '\u{FEFF}' | '\u{FFFD}')
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
