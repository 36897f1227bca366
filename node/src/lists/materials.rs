//! The materials of a matter: `name|necessity|source` joined by `;`.

use std::collections::BTreeMap;

use hallmesh_protocol::catalogue::{Material, MaterialSource, Necessity};
use hallmesh_protocol::limits::{MATERIALS_MAX, NAME_MAX};

use super::cell::Reader;
use super::finding::{Fault, Findings};

pub(super) const COLUMN: &str = "materials";

const WIDE_SEMICOLON: char = '\u{FF1B}';
const WIDE_BAR: char = '\u{FF5C}';
const NECESSITIES: [(&str, Necessity); 3] = [
    ("required", Necessity::Required),
    ("optional", Necessity::Optional),
    ("supplementable", Necessity::Supplementable),
];
const SOURCES: [(&str, MaterialSource); 2] =
    [("applicant", MaterialSource::Applicant), ("shared", MaterialSource::Shared)];

/// Who is asked for what in one file. Whatever government holds for one matter it holds for all, and no
/// citizen is asked for it.
#[derive(Debug, Default)]
pub(super) struct Asked {
    shared: BTreeMap<String, u64>,
    of_applicants: Vec<(Material, u64)>,
}

impl Asked {
    /// Reports what applicants are asked for although it is shared elsewhere in the file.
    pub(super) fn report(&self, file: &str, findings: &mut Findings) {
        for (material, line) in &self.of_applicants {
            let Some(shared_line) = self.shared.get(&material.name) else { continue };
            let necessity = NECESSITIES.iter().find(|(_, it)| *it == material.necessity);
            let meant = necessity.map(|(necessity, _)| format!("{}|{necessity}|shared", material.name));
            let fault = Fault::error("lists.asks_shared_material").with("found", &material.name);
            findings.add(fault.with("shared_line", shared_line).suggest(meant).at(file, *line, Some(COLUMN)));
        }
    }

    fn note(&mut self, material: &Material, line: u64) {
        match material.source {
            MaterialSource::Shared => {
                self.shared.entry(material.name.clone()).or_insert(line);
            }
            MaterialSource::Applicant => self.of_applicants.push((material.clone(), line)),
        }
    }
}

/// Reads the materials of a row; none if any of them is refused.
pub(super) fn read(reader: &mut Reader<'_>, asked: &mut Asked) -> Option<Vec<Material>> {
    let text = reader.compound(COLUMN)?;
    let parts: Vec<&str> = text.split(';').map(str::trim).collect();
    let parts = match parts.split_last() {
        Some((&"", parts)) => parts,
        Some(_) | None => &parts,
    };
    if parts.len() > MATERIALS_MAX {
        let fault = Fault::error("lists.too_many_materials").with("found", &parts.len());
        reader.report(COLUMN, fault.with("max", &MATERIALS_MAX));
        return None;
    }
    let mut materials: Vec<Material> = Vec::new();
    for part in parts {
        let Some(material) = material(reader, part) else { continue };
        if materials.iter().any(|it| it.name == material.name) {
            reader.report(COLUMN, Fault::error("lists.duplicate_material").with("found", &material.name));
            continue;
        }
        asked.note(&material, reader.line(COLUMN));
        materials.push(material);
    }
    (materials.len() == parts.len()).then_some(materials)
}

fn material(reader: &mut Reader<'_>, part: &str) -> Option<Material> {
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
    let necessity = reader.chosen(COLUMN, necessity, &NECESSITIES);
    let source = reader.chosen(COLUMN, source, &SOURCES);
    Some(Material { name: name.to_owned(), necessity: necessity?, source: source? })
}

/// Often the separators were typed with a Chinese input method.
fn misshapen(part: &str) -> Fault {
    let narrow = part.replace(WIDE_SEMICOLON, ";").replace(WIDE_BAR, "|");
    let meant = narrow.split(';').all(|it| it.split('|').count() == 3) && narrow != part;
    Fault::error("lists.bad_material").with("found", part).suggest(meant.then_some(narrow))
}
