//! What is wrong with a list file, as data.

use std::collections::BTreeMap;

use super::place::Place;

pub use crate::config::Severity;

/// Findings of one severity that are kept; how many more there were is said in one last finding.
pub const FINDINGS_MAX: usize = 200;
/// Characters of a cell that a finding repeats.
const SHOWN_MAX: usize = 60;

/// One thing found. The sentence for it is under `code` in the message catalogues, with `params` filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is. One error and nothing of any file is imported.
    pub severity: Severity,
    /// The file as it was named.
    pub file: String,
    /// The sheet of a workbook, or the name of one of several tables in a file.
    pub sheet: Option<String>,
    /// The line as an editor counts, or the row of a sheet, from 1; 1 also where the whole file is meant.
    pub line: u64,
    /// The address of a cell of a workbook, such as `C12`.
    pub cell: Option<String>,
    /// The column or key, where it is about one.
    pub column: Option<String>,
    /// Stable name, such as `lists.bad_enum`.
    pub code: &'static str,
    /// Parameters of the sentence. Every finding of one code has the same ones.
    pub params: BTreeMap<String, String>,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

/// A finding that does not know yet where it is.
#[derive(Debug)]
pub(super) struct Fault {
    severity: Severity,
    code: &'static str,
    params: BTreeMap<String, String>,
    suggestion: Option<String>,
}

impl Fault {
    pub(super) fn error(code: &'static str) -> Self {
        Self { severity: Severity::Error, code, params: BTreeMap::new(), suggestion: None }
    }

    pub(super) fn warning(code: &'static str) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code) }
    }

    pub(super) fn with(mut self, name: &str, value: &(impl ToString + ?Sized)) -> Self {
        self.params.insert(name.to_owned(), shown(&value.to_string()));
        self
    }

    pub(super) fn suggest(mut self, suggestion: Option<impl ToString>) -> Self {
        self.suggestion = suggestion.map(|it| it.to_string());
        self
    }

    #[cfg(test)]
    pub(super) fn code(&self) -> &'static str {
        self.code
    }

    #[cfg(test)]
    pub(super) fn suggestion(&self) -> Option<&str> {
        self.suggestion.as_deref()
    }

    pub(super) fn at(self, place: &Place, column: Option<&str>) -> Finding {
        let Self { severity, code, params, suggestion } = self;
        Finding {
            severity,
            file: place.origin.file.clone(),
            sheet: place.origin.sheet.clone(),
            line: place.line,
            cell: place.address(),
            column: column.map(str::to_owned),
            code,
            params,
            suggestion,
        }
    }
}

/// Collects findings up to [`FINDINGS_MAX`] of each severity, so that a flood of warnings hides no error.
#[derive(Debug, Default)]
pub(super) struct Findings {
    errors: Kept,
    warnings: Kept,
    /// Words that a mapping replaced: where first, and how often.
    mapped: BTreeMap<Mapped, (Place, u64)>,
}

/// A word that a mapping replaced.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mapped {
    pub(super) column: &'static str,
    pub(super) found: String,
    pub(super) read_as: String,
}

#[derive(Debug, Default)]
struct Kept {
    list: Vec<Finding>,
    left_out: u64,
}

impl Findings {
    pub(super) fn add(&mut self, finding: Finding) {
        let kept = match finding.severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        if kept.list.len() < FINDINGS_MAX {
            kept.list.push(finding);
        } else {
            kept.left_out = kept.left_out.saturating_add(1);
        }
    }

    /// Takes up several.
    pub(super) fn extend(&mut self, findings: impl IntoIterator<Item = Finding>) {
        findings.into_iter().for_each(|finding| self.add(finding));
    }

    /// Notes a replaced word: each is reported once, with how often it came.
    pub(super) fn note(&mut self, mapped: Mapped, place: &Place) {
        let (_, count) = self.mapped.entry(mapped).or_insert_with(|| (place.clone(), 0));
        *count = count.saturating_add(1);
    }

    pub(super) fn has_errors(&self) -> bool {
        !self.errors.list.is_empty()
    }

    pub(super) fn has_errors_in(&self, file: &str) -> bool {
        self.errors.list.iter().any(|finding| finding.file == file)
    }

    /// All that were kept, by file and line; what was left out is counted at the end.
    pub(super) fn finish(mut self) -> Vec<Finding> {
        for (mapped, (place, count)) in std::mem::take(&mut self.mapped) {
            let fault = Fault::warning("lists.word_mapped").with("found", &mapped.found);
            let fault = fault.with("read_as", &mapped.read_as).with("count", &count);
            self.add(fault.at(&place, Some(mapped.column)));
        }
        let ends = [
            self.errors.rest(Fault::error("lists.more_errors")),
            self.warnings.rest(Fault::warning("lists.more_warnings")),
        ];
        let mut all: Vec<_> = self.errors.list.into_iter().chain(self.warnings.list).collect();
        let key = |it: &Finding| (it.file.clone(), it.sheet.clone(), it.line);
        all.sort_by_cached_key(key);
        all.extend(ends.into_iter().flatten());
        all
    }
}

impl Kept {
    fn rest(&self, fault: Fault) -> Option<Finding> {
        let last = self.list.last().filter(|_| self.left_out > 0)?;
        Some(fault.with("count", &self.left_out).at(&Place::line(&last.file, last.line), None))
    }
}

/// A text short enough to be repeated to a person.
fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
