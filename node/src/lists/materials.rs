//! The materials of a matter: `name|necessity|source` joined by `;` in a cell of its row, or one material a row in a
//! table of their own.

use std::collections::{BTreeMap, BTreeSet};

use hallmesh_protocol::catalogue::{Material, MaterialSource, Necessity};
use hallmesh_protocol::ids::MatterCode;
use hallmesh_protocol::limits::{MATERIALS_MAX, NAME_MAX};

use super::cell::Reader;
use super::finding::{Fault, Findings};
use super::normalise::narrowed;
use super::place::Place;
use super::sheet::{MATERIAL_ROWS_MAX, Row};
use super::table::{Shape, Table};

/// The column of matters.
pub(super) const COLUMN: &str = "materials";
/// The table of their own.
pub(super) const TABLE: &str = "materials";
pub(super) const MATTER: &str = "matter";
pub(super) const NAME: &str = "name";
pub(super) const NECESSITY: &str = "necessity";
pub(super) const SOURCE: &str = "source";
pub(super) const SHAPE: Shape = Shape {
    name: TABLE,
    required: &[MATTER, NAME, NECESSITY, SOURCE],
    optional: &[],
    rows_max: MATERIAL_ROWS_MAX,
};

const WIDE_SEMICOLON: char = '\u{FF1B}';
const WIDE_BAR: char = '\u{FF5C}';
pub(super) const NECESSITIES: [(&str, Necessity); 4] = [
    ("required", Necessity::Required),
    ("optional", Necessity::Optional),
    ("supplementable", Necessity::Supplementable),
    ("promisable", Necessity::Promisable),
];
pub(super) const SOURCES: [(&str, MaterialSource); 2] =
    [("applicant", MaterialSource::Applicant), ("shared", MaterialSource::Shared)];

/// Who is asked for what in one list. Whatever government holds for one matter it holds for all, and no
/// citizen is asked for it.
#[derive(Debug, Default)]
pub(super) struct Asked {
    shared: BTreeMap<String, u64>,
    of_applicants: Vec<Listed>,
}

/// A material, where it stands, and what would stand there if it were shared.
#[derive(Debug)]
struct Listed {
    material: Material,
    place: Place,
    column: &'static str,
    if_shared: String,
}

/// The rows of the materials' own table, by matter.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    table: &'a Table<'a>,
    of: BTreeMap<String, Vec<&'a Row>>,
}

impl Asked {
    /// Reports what applicants are asked for although it is shared elsewhere in the list.
    pub(super) fn report(&self, findings: &mut Findings) {
        for listed in &self.of_applicants {
            let name = &listed.material.name;
            let Some(shared_line) = self.shared.get(name) else { continue };
            let fault = Fault::error("lists.asks_shared_material").with("found", name);
            let fault = fault.with("shared_line", shared_line).suggest(Some(&listed.if_shared));
            findings.add(fault.at(&listed.place, Some(listed.column)));
        }
    }

    fn note(&mut self, listed: Listed) {
        match listed.material.source {
            MaterialSource::Shared => {
                self.shared.entry(listed.material.name).or_insert(listed.place.line);
            }
            MaterialSource::Applicant => self.of_applicants.push(listed),
        }
    }
}

impl<'a> Rows<'a> {
    pub(super) fn of(table: &'a Table<'a>) -> Self {
        let mut of: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for row in &table.rows {
            let matter = table.cell(row, MATTER).map(|cell| narrowed(cell.text.trim())).unwrap_or_default();
            of.entry(matter).or_default().push(row);
        }
        Self { table, of }
    }

    /// Checks the materials of matters that were not read. Where every code of the list was, no such matter is in it,
    /// and that is reported.
    pub(super) fn report_strays(&self, codes: &Codes, asked: &mut Asked, findings: &mut Findings) {
        let is_read = |text: &str| text.parse().is_ok_and(|code| codes.read.contains(&code));
        for (matter, rows) in self.of.iter().filter(|(matter, _)| !is_read(matter)) {
            for listed in in_rows(self, matter, findings).into_iter().flatten() {
                asked.note(listed);
            }
            for row in rows.iter().filter(|_| codes.all) {
                stray(&mut Reader::new(self.table, row, findings), codes);
            }
        }
    }
}

/// The codes of a list.
pub(super) struct Codes {
    pub(super) read: BTreeSet<MatterCode>,
    /// None was refused.
    pub(super) all: bool,
}

fn stray(reader: &mut Reader<'_>, codes: &Codes) {
    let Some(code) = reader.code(MATTER, str::parse::<MatterCode>) else { return };
    let padded = format!("{code:0>12}");
    let meant = padded.parse().ok().filter(|code| codes.read.contains(code));
    let fault = Fault::error("lists.unknown_matter").with("found", &code);
    reader.report(MATTER, fault.suggest(meant));
}

/// Reads the materials of a row; none if any of them is refused.
pub(super) fn read(
    reader: &mut Reader<'_>,
    rows: Option<(&Rows<'_>, &str)>,
    asked: &mut Asked,
) -> Option<Vec<Material>> {
    let mut listed = if rows.is_none() || reader.table.has(COLUMN) { in_cell(reader)? } else { Vec::new() };
    if let Some((rows, code)) = rows {
        listed.extend(in_rows(rows, code, reader.findings));
    }
    if listed.len() > MATERIALS_MAX {
        let fault = Fault::error("lists.too_many_materials").with("found", &listed.len());
        reader.report(COLUMN, fault.with("max", &MATERIALS_MAX));
        return None;
    }
    let all = listed.len();
    let mut materials: Vec<Material> = Vec::new();
    for listed in listed.into_iter().flatten() {
        if materials.iter().any(|it| it.name == listed.material.name) {
            let fault = Fault::error("lists.duplicate_material").with("found", &listed.material.name);
            reader.findings.add(fault.at(&listed.place, Some(listed.column)));
            continue;
        }
        materials.push(listed.material.clone());
        asked.note(listed);
    }
    (materials.len() == all).then_some(materials)
}

/// Each part of the cell, none for one that is refused.
fn in_cell(reader: &mut Reader<'_>) -> Option<Vec<Option<Listed>>> {
    let text = reader.compound(COLUMN)?;
    let parts: Vec<&str> = text.split(';').map(str::trim).collect();
    let parts = match parts.split_last() {
        Some((&"", parts)) => parts,
        Some(_) | None => &parts,
    };
    if parts.len() > MATERIALS_MAX {
        return Some(parts.iter().map(|_| None).collect());
    }
    Some(parts.iter().map(|part| in_part(reader, part)).collect())
}

fn in_part(reader: &mut Reader<'_>, part: &str) -> Option<Listed> {
    let fields: Vec<&str> = part.split('|').map(str::trim).collect();
    let [name, necessity, source] = *fields.as_slice() else {
        reader.report(COLUMN, misshapen(part));
        return None;
    };
    let length = name.chars().count();
    if !(1..=NAME_MAX).contains(&length) {
        let fault = Fault::error("lists.material_name").with("found", name).with("max", &NAME_MAX);
        reader.report(COLUMN, fault);
        return None;
    }
    let if_shared = format!("{name}|{necessity}|shared");
    let necessity = reader.chosen(COLUMN, necessity, &NECESSITIES);
    let source = reader.chosen(COLUMN, source, &SOURCES);
    let material = Material { name: name.to_owned(), necessity: necessity?, source: source? };
    Some(Listed { material, place: reader.place(COLUMN), column: COLUMN, if_shared })
}

/// The rows of one matter, none for one that is refused.
fn in_rows(rows: &Rows<'_>, code: &str, findings: &mut Findings) -> Vec<Option<Listed>> {
    let of = rows.of.get(code).map(Vec::as_slice).unwrap_or_default();
    let read = of.iter().map(|row| {
        let mut reader = Reader::new(rows.table, row, findings);
        let name = reader.name(NAME);
        let necessity = reader.choice(NECESSITY, &NECESSITIES);
        let source = reader.choice(SOURCE, &SOURCES);
        let material = Material { name: name?, necessity: necessity?, source: source? };
        let if_shared = rows.table.words.word(SOURCE, "shared").unwrap_or("shared").to_owned();
        Some(Listed { material, place: reader.place(SOURCE), column: SOURCE, if_shared })
    });
    read.collect()
}

/// Often the separators were typed with a Chinese input method.
fn misshapen(part: &str) -> Fault {
    let narrow = part.replace(WIDE_SEMICOLON, ";").replace(WIDE_BAR, "|");
    let meant = narrow.split(';').all(|it| it.split('|').count() == 3) && narrow != part;
    Fault::error("lists.bad_material").with("found", part).suggest(meant.then_some(narrow))
}
