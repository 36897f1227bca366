//! The national exchange tables `dn_task_*` (from the nation to a province), as dumped by a front-end database.
//!
//! They are a change feed: a matter comes again with every version, and what was deleted comes with a sign for it.
//! What a matter is made of stands in three tables (`basic`, `extend`, `material`) that hang together by `task_guid`,
//! which is the `row_guid` of the matter's row, or else by its code. Here they become the two tables that everyone
//! keeps; every cell remembers where it came from. Source: the tables' public definition, read whole.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::finding::{Fault, Findings};
use super::sheet::{Cell, MATERIAL_ROWS_MAX, Row, Sheet};

/// The families of tables that have what a hall does: permits and the like, and public services.
const FAMILIES: [&str; 2] = ["dn_task_general", "dn_task_public"];
/// How every table of this kind begins.
const PREFIX: &str = "dn_task_";

const GUID: &str = "row_guid";
const MATTER_GUID: &str = "task_guid";
const CODE: &str = "task_code";
const ITEM: &str = "task_handle_item";
const VERSION: &str = "task_version";
const STATE: &str = "task_state";
const OPERATION: &str = "cd_operation";
const TIME: &str = "cd_time";
const BY_LAW: &str = "by_law";
/// The state of a matter in force, and the sign of a row that was deleted.
const IN_FORCE: &str = "1";
const DELETED: &str = "D";
/// The width of `by_law` in the definition: a text of just this length was probably cut.
const BY_LAW_CHARS: usize = 256;
/// The headings under which the codes are put together.
const OUR_CODE: &str = "code";
const OUR_MATTER: &str = "matter";

/// The two tables that are made of them.
pub(super) struct Exchanged {
    pub(super) matters: Sheet,
    pub(super) materials: Sheet,
}

/// Puts the tables together; none if there is no table of matters among them.
pub(super) fn put_together(sheets: Vec<Sheet>, findings: &mut Findings) -> Option<Exchanged> {
    let mut named: BTreeMap<String, Fields> = BTreeMap::new();
    for sheet in sheets {
        let name = table_name(&sheet);
        let is_read = FAMILIES.iter().any(|family| {
            name.strip_prefix(family).is_some_and(|rest| ["_basic", "_extend", "_material"].contains(&rest))
        });
        if sheet.is_cut() {
            let fault = Fault::error("lists.too_many_rows").with("max", &MATERIAL_ROWS_MAX);
            findings.add(fault.at(&sheet.place(1, None), None));
        }
        if is_read {
            named.insert(name, Fields::of(sheet));
        } else if name.starts_with(PREFIX) {
            let fault = Fault::warning("lists.exchange_table_not_read").with("found", &name);
            findings.add(fault.at(&sheet.place(1, None), None));
        }
    }
    let (mut matters, mut materials) = (Union::default(), Union::default());
    for family in FAMILIES {
        let of = |ending: &str| named.get(&format!("{family}{ending}"));
        let Some(basic) = of("_basic") else { continue };
        let newest = newest(basic, findings);
        matters.take_matters(basic, of("_extend"), &newest);
        if let Some(material) = of("_material") {
            materials.take_materials(material, basic, &newest, findings);
        }
    }
    let origin = named.iter().find(|(name, _)| name.ends_with("_basic")).map(|(_, fields)| &fields.sheet)?;
    Some(Exchanged { matters: matters.sheet(origin), materials: materials.sheet(origin) })
}

/// What a table is called: its sheet, else its file.
fn table_name(sheet: &Sheet) -> String {
    let file = || Path::new(&sheet.origin.file).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    sheet.origin.sheet.clone().or_else(file).unwrap_or_default().to_lowercase()
}

/// Whether a file is one of the tables, by its name.
pub(super) fn is_table_file(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| stem.to_string_lossy().to_lowercase().starts_with(PREFIX))
}

/// A table whose fields are found by name.
struct Fields {
    sheet: Sheet,
    columns: BTreeMap<String, usize>,
}

impl Fields {
    fn of(sheet: Sheet) -> Self {
        let header = sheet.rows.first().map(|row| row.cells.as_slice()).unwrap_or_default();
        let names = header.iter().enumerate().map(|(at, cell)| (cell.text.trim().to_lowercase(), at));
        let columns = names.collect();
        Self { sheet, columns }
    }

    fn rows(&self) -> impl Iterator<Item = &Row> {
        self.sheet.rows.iter().skip(1)
    }

    fn cell<'a>(&self, row: &'a Row, name: &str) -> Option<&'a Cell> {
        row.cells.get(*self.columns.get(name)?).filter(|cell| !cell.is_blank())
    }

    fn text<'a>(&self, row: &'a Row, name: &str) -> &'a str {
        self.cell(row, name).map_or("", |cell| cell.text.trim())
    }

    /// The code of what is applied for, else that of the matter.
    fn code<'a>(&self, row: &'a Row) -> Option<&'a Cell> {
        self.cell(row, ITEM).or_else(|| self.cell(row, CODE))
    }

    /// By what rows of different tables belong to one matter: its row, else its code.
    fn key<'a>(&self, row: &'a Row, guid: &str) -> &'a str {
        let guid = self.text(row, guid);
        if guid.is_empty() { self.code(row).map_or("", |cell| cell.text.trim()) } else { guid }
    }
}

/// The newest row of each matter that is in force; of every other row is said why it is left out.
fn newest<'a>(basic: &'a Fields, findings: &mut Findings) -> Vec<&'a Row> {
    let mut versions: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    let mut kept = Vec::new();
    for row in basic.rows() {
        match basic.code(row) {
            Some(code) => versions.entry(code.text.trim()).or_default().push(row),
            // Its fault is found where codes are read.
            None => kept.push(row),
        }
    }
    for rows in versions.values_mut() {
        let age = |row: &&Row| {
            (basic.text(row, VERSION).parse::<u64>().unwrap_or(0), basic.text(row, TIME).to_owned())
        };
        rows.sort_by_cached_key(|row| Reverse(age(row)));
        let Some((first, rest)) = rows.split_first() else { continue };
        let same = rest.iter().take_while(|row| age(row) == age(first)).count();
        for row in rest.iter().skip(same) {
            let fault = Fault::warning("lists.row_superseded").with("version", basic.text(first, VERSION));
            findings.add(fault.at(&basic.sheet.place(row.line, None), None));
        }
        let same = rest.iter().take(same).chain([first]);
        kept.extend(same.filter(|row| is_in_force(basic, row, findings)));
    }
    kept.sort_by_key(|row| row.line);
    for row in &kept {
        let cut = basic.cell(row, BY_LAW).filter(|cell| cell.text.chars().count() == BY_LAW_CHARS);
        findings.extend(cut.map(|cell| {
            Fault::warning("lists.maybe_cut").with("count", &BY_LAW_CHARS).at(&cell.place, Some(BY_LAW))
        }));
    }
    kept
}

fn is_in_force(basic: &Fields, row: &Row, findings: &mut Findings) -> bool {
    let (operation, state) = (basic.text(row, OPERATION), basic.text(row, STATE));
    let fault = if operation.eq_ignore_ascii_case(DELETED) {
        Fault::warning("lists.row_deleted")
    } else if !state.is_empty() && state != IN_FORCE {
        Fault::warning("lists.row_not_in_force").with("state", state)
    } else {
        return true;
    };
    findings.add(fault.at(&basic.sheet.place(row.line, None), None));
    false
}

/// Rows of several tables under one header.
#[derive(Default)]
struct Union {
    columns: BTreeMap<String, usize>,
    header: Vec<Cell>,
    rows: Vec<Row>,
}

impl Union {
    fn take_matters(&mut self, basic: &Fields, extend: Option<&Fields>, newest: &[&Row]) {
        let extended = extend.map(|extend| (extend, by_key(extend)));
        for &row in newest {
            let mut joined = Row { line: row.line, cells: Vec::new() };
            self.put(&mut joined, basic, row);
            if let Some((extend, of)) = &extended
                && let Some(more) = of.get(basic.key(row, GUID)).or_else(|| of.get(basic.key(row, "")))
            {
                self.put(&mut joined, extend, more);
            }
            if let Some(code) = basic.code(row) {
                self.place(&mut joined, OUR_CODE, code.clone());
            }
            self.rows.push(joined);
        }
    }

    fn take_materials(
        &mut self,
        material: &Fields,
        basic: &Fields,
        newest: &[&Row],
        findings: &mut Findings,
    ) {
        let codes = |key: fn(&Fields, &Row) -> String| -> BTreeMap<String, &Cell> {
            newest.iter().filter_map(|row| Some((key(basic, row), basic.code(row)?))).collect()
        };
        let of_guid = codes(|basic, row| basic.text(row, GUID).to_owned());
        let of_code = codes(|basic, row| basic.key(row, "").to_owned());
        let guids: BTreeSet<&str> = basic.rows().map(|row| basic.text(row, GUID)).collect();
        for row in material.rows().filter(|row| !material.text(row, OPERATION).eq_ignore_ascii_case(DELETED))
        {
            let guid = material.text(row, MATTER_GUID);
            let is_known = guids.contains(guid);
            let found = of_guid.get(guid).filter(|_| !guid.is_empty());
            match found.or_else(|| of_code.get(material.key(row, "")).filter(|_| !is_known)) {
                Some(code) => self.take_material(material, row, code),
                // It belongs to a version or a matter that was left out.
                None if is_known => {}
                None => {
                    let fault = Fault::error("lists.stray_material").with("found", guid);
                    findings.add(fault.at(&material.sheet.place(row.line, None), Some(MATTER_GUID)));
                }
            }
        }
    }

    fn take_material(&mut self, material: &Fields, row: &Row, code: &Cell) {
        let mut put = Row { line: row.line, cells: Vec::new() };
        self.put(&mut put, material, row);
        let place = material.sheet.place(row.line, None);
        self.place(&mut put, OUR_MATTER, Cell { place, ..code.clone() });
        self.rows.push(put);
    }

    /// Puts the cells of a row under their names; those that are there already stay.
    fn put(&mut self, into: &mut Row, fields: &Fields, row: &Row) {
        for (name, &at) in &fields.columns {
            if let Some(cell) = row.cells.get(at) {
                self.place(into, name, cell.clone());
            }
        }
    }

    fn place(&mut self, into: &mut Row, name: &str, cell: Cell) {
        let next = self.header.len();
        let column = *self.columns.entry(name.to_owned()).or_insert(next);
        if column == next {
            self.header.push(Cell { text: name.to_owned(), ..cell.clone() });
        }
        let blank = Cell { text: String::new(), ..cell.clone() };
        let width = into.cells.len().max(column.saturating_add(1));
        into.cells.resize(width, blank);
        if let Some(there) = into.cells.get_mut(column).filter(|there| there.is_blank()) {
            *there = cell;
        }
    }

    fn sheet(self, of: &Sheet) -> Sheet {
        let width = self.header.len();
        let line = of.rows.first().map_or(1, |row| row.line);
        let mut rows = vec![Row { line, cells: self.header }];
        rows.extend(self.rows.into_iter().map(|mut row| {
            if let Some(last) = row.cells.last().cloned() {
                row.cells.resize(width, Cell { text: String::new(), ..last });
            }
            row
        }));
        Sheet { origin: of.origin.clone(), rows }
    }
}

/// The rows of a table by the matters they belong to.
fn by_key(fields: &Fields) -> BTreeMap<&str, &Row> {
    let by_guid = fields.rows().map(|row| (fields.key(row, MATTER_GUID), row));
    let by_code = fields.rows().map(|row| (fields.key(row, ""), row));
    by_code.chain(by_guid).collect()
}
