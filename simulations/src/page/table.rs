//! Tables, where a drawing says less.

use super::markup::Markup;

/// The head of a column.
pub(super) enum Head {
    /// Of words.
    Words(&'static str),
    /// Of numbers: they stand at the right.
    Numbers(&'static str),
}

/// A table; where a page is too narrow for it, it is moved sideways alone.
pub(super) fn table(page: &mut Markup, heads: &[Head], rows: impl FnOnce(&mut Markup)) {
    page.element("div", &[("class", &"scroll")], |page| {
        page.element("table", &[], |page| {
            row(page, |page| heads.iter().for_each(|it| head(page, it)));
            rows(page);
        });
    });
}

/// A line of a table.
pub(super) fn row(page: &mut Markup, cells: impl FnOnce(&mut Markup)) {
    page.element("tr", &[], cells);
}

/// A number in a line.
pub(super) fn number(page: &mut Markup, said: &str) {
    page.words("td", &[("class", &"number")], said);
}

/// Figures under a heading, one a line.
pub(super) fn figures(page: &mut Markup, title: &str, rows: &[(&str, String)]) {
    page.words("h3", &[], title);
    page.element("table", &[], |page| {
        for (name, said) in rows {
            row(page, |page| {
                page.words("td", &[], name);
                number(page, said);
            });
        }
    });
}

fn head(page: &mut Markup, head: &Head) {
    match head {
        Head::Words(words) => page.words("th", &[], words),
        Head::Numbers(words) => page.words("th", &[("class", &"number")], words),
    }
}
