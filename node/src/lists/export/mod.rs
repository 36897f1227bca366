//! Lists as files: what was published, or nothing yet for somebody to fill in.
//!
//! Promises: what is written is read back to the same records ([`super::import`] with the same area); what a kind of
//! file has no room for is refused, never left out.

mod text;
mod workbook;

use std::collections::BTreeMap;

use hallmesh_protocol::calendar::CivilDay;
use hallmesh_protocol::catalogue::{Delegation, Material, Matter};
use hallmesh_protocol::ids::MatterCode;
use hallmesh_protocol::record::Body;
use thiserror::Error;

use super::bundles;
use super::delegations::{self, ALL, DAY_MS, NAMED_RIGHTS, Right, ZONE_MS};
use super::mapping::{Mappings, Words};
use super::materials::{self, NECESSITIES, SOURCES};
use super::matters::{self, AUDIENCES, KINDS, OFFLINES, PROMISED, RESULT_KINDS, TIERS, VERIFIED, YES_NO};
use super::table::Shape;
use crate::texts::{Lang, Texts};

/// What kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A workbook with all tables.
    Xlsx,
    /// One table with commas, in UTF-8 with the mark that spreadsheets ask for.
    Csv,
    /// All tables by name.
    Json,
}

/// Which part of the lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Matters, materials and delegations; of a CSV file the matters.
    Lists,
    /// Delegations alone.
    Delegations,
    /// The calendar, which is JSON.
    Calendar,
    /// The bundles, which are JSON.
    Bundles,
}

/// Why lists cannot be written. The text here is for the log; what a person reads is in the message catalogues,
/// under [`ExportError::code`].
#[derive(Debug, Error)]
pub enum ExportError {
    /// The kind of file has no room for it.
    #[error("{what} cannot be written to this kind of file")]
    NoRoom {
        /// The entry.
        what: String,
    },
    /// The calendar and the bundles are JSON, and nothing else is.
    #[error("the calendar and the bundles are JSON")]
    CalendarFormat,
    /// There is nothing to write.
    #[error("nothing to write")]
    Nothing,
    /// The workbook could not be put together.
    #[error("the workbook could not be written")]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
    /// The text could not be put together.
    #[error("the text could not be written")]
    Text(#[from] csv::Error),
}

impl ExportError {
    /// Stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoRoom { .. } => "lists.export_no_room",
            Self::CalendarFormat => "lists.export_calendar",
            Self::Nothing => "lists.export_nothing",
            Self::Workbook(_) | Self::Text(_) => "lists.export_failed",
        }
    }

    /// Parameters of the sentence under [`ExportError::code`].
    pub fn params(&self) -> BTreeMap<String, String> {
        let pair = match self {
            Self::NoRoom { what } => ("what", what.clone()),
            Self::CalendarFormat | Self::Nothing => return BTreeMap::new(),
            Self::Workbook(cause) => ("reason", cause.to_string()),
            Self::Text(cause) => ("reason", cause.to_string()),
        };
        BTreeMap::from([(pair.0.to_owned(), pair.1)])
    }
}

/// Writes a part of the lists.
pub fn write(bodies: &[Body], part: Part, format: Format, texts: &Texts) -> Result<Vec<u8>, ExportError> {
    if matches!(part, Part::Calendar | Part::Bundles) {
        return match (format, part) {
            (Format::Json, Part::Calendar) => text::calendar(bodies),
            (Format::Json, _) => bundles::written(bodies).map(String::into_bytes).ok_or(ExportError::Nothing),
            (Format::Xlsx | Format::Csv, _) => Err(ExportError::CalendarFormat),
        };
    }
    let mappings = Mappings::built_in();
    let speech = Speech { lang: texts.lang(), mappings: &mappings };
    let tables = match (part, format) {
        (Part::Delegations, _) => vec![delegations_table(speech, bodies)?],
        (Part::Lists | Part::Calendar | Part::Bundles, Format::Csv) => {
            vec![matters_table(speech, bodies, Materials::InCells)?]
        }
        (Part::Lists | Part::Calendar | Part::Bundles, Format::Xlsx | Format::Json) => vec![
            matters_table(speech, bodies, Materials::Apart)?,
            materials_table(speech, bodies),
            delegations_table(speech, bodies)?,
        ],
    };
    if tables.iter().all(|table| table.rows.is_empty()) {
        return Err(ExportError::Nothing);
    }
    match format {
        Format::Xlsx => Ok(workbook::write(&tables, speech, texts)?),
        Format::Csv => text::csv(&tables),
        Format::Json => Ok(text::json(&tables)),
    }
}

/// An empty workbook with headings, notes and the words that are allowed.
pub fn template(texts: &Texts) -> Result<Vec<u8>, ExportError> {
    let mappings = Mappings::built_in();
    let speech = Speech { lang: texts.lang(), mappings: &mappings };
    let tables = [
        matters_table(speech, &[], Materials::Apart)?,
        materials_table(speech, &[]),
        delegations_table(speech, &[])?,
    ];
    Ok(workbook::write(&tables, speech, texts)?)
}

/// The languages of headings and words; both are read.
#[derive(Clone, Copy)]
struct Speech<'a> {
    lang: Lang,
    mappings: &'a Mappings,
}

/// A table to be written.
struct Table {
    shape: &'static Shape,
    /// What it is called.
    name: String,
    /// Our columns, and what they are called.
    columns: Vec<(&'static str, String)>,
    rows: Vec<Vec<String>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Materials {
    InCells,
    Apart,
}

impl<'a> Speech<'a> {
    fn words(self, shape: &Shape) -> Option<Words<'a>> {
        (self.lang == Lang::Zh).then(|| self.mappings.words(shape))
    }

    fn table(self, shape: &'static Shape, columns: &[&'static str]) -> Table {
        let words = self.words(shape);
        let heading =
            |&column: &&'static str| (column, words.map_or(column, |it| it.heading(column)).to_owned());
        let name = words.map_or(shape.name, |words| words.sheet()).to_owned();
        Table { shape, name, columns: columns.iter().map(heading).collect(), rows: Vec::new() }
    }

    /// A word of a closed list.
    fn word<T: PartialEq>(
        self,
        shape: &Shape,
        column: &str,
        choices: &[(&'static str, T)],
        value: &T,
    ) -> String {
        let ours = choices.iter().find(|(_, it)| it == value).map_or("", |(word, _)| *word);
        self.words(shape).and_then(|words| words.word(column, ours)).unwrap_or(ours).to_owned()
    }
}

fn matters_of(bodies: &[Body]) -> impl Iterator<Item = &Matter> {
    bodies.iter().filter_map(|body| if let Body::Matter(matter) = body { Some(&**matter) } else { None })
}

fn matters_table(speech: Speech<'_>, bodies: &[Body], materials: Materials) -> Result<Table, ExportError> {
    let mut columns = vec![
        matters::CODE,
        matters::NAME,
        matters::KIND,
        matters::LEVEL,
        matters::AREA,
        matters::BODY,
        matters::BODY_CODE,
        matters::ITEM_KIND,
        matters::AUDIENCE,
        matters::LEGAL_DAYS,
        matters::PROMISED_DAYS,
        matters::RESULT_KIND,
        matters::RESULT,
        matters::OFFLINE,
        matters::BASIS,
        matters::SOURCE,
        VERIFIED,
    ];
    columns.extend((materials == Materials::InCells).then_some(materials::COLUMN));
    let mut table = speech.table(&matters::SHAPE, &columns);
    for matter in matters_of(bodies) {
        let mut row = matter_row(speech, matter);
        if materials == Materials::InCells {
            row.push(materials_cell(speech, matter)?);
        }
        table.rows.push(row);
    }
    Ok(table)
}

fn matter_row(speech: Speech<'_>, matter: &Matter) -> Vec<String> {
    let shape = &matters::SHAPE;
    vec![
        matter.code.to_string(),
        matter.name.clone(),
        speech.word(shape, matters::KIND, &KINDS, &matter.kind),
        speech.word(shape, matters::LEVEL, &TIERS, &matter.level),
        matter.area.to_string(),
        matter.body_name.clone(),
        matter.body.to_string(),
        speech.word(shape, matters::ITEM_KIND, &PROMISED, &matter.promised),
        speech.word(shape, matters::AUDIENCE, &AUDIENCES, &matter.audience),
        matter.legal_days.to_string(),
        matter.promised_days.to_string(),
        speech.word(shape, matters::RESULT_KIND, &RESULT_KINDS, &matter.result.kind),
        matter.result.name.clone(),
        speech.word(shape, matters::OFFLINE, &OFFLINES, &matter.offline_decision),
        matter.basis.clone(),
        matter.source.clone(),
        speech.word(shape, VERIFIED, &YES_NO, &matter.verified),
    ]
}

/// All materials in one cell, where the names leave the separators alone.
fn materials_cell(speech: Speech<'_>, matter: &Matter) -> Result<String, ExportError> {
    let part = |it: &Material| {
        if it.name.contains(['|', ';']) {
            return Err(ExportError::NoRoom { what: format!("{}: {}", matter.code, it.name) });
        }
        let necessity = speech.word(&matters::SHAPE, materials::COLUMN, &NECESSITIES, &it.necessity);
        let source = speech.word(&matters::SHAPE, materials::COLUMN, &SOURCES, &it.source);
        Ok(format!("{}|{necessity}|{source}", it.name))
    };
    Ok(matter.materials.iter().map(part).collect::<Result<Vec<_>, _>>()?.join(";"))
}

fn materials_table(speech: Speech<'_>, bodies: &[Body]) -> Table {
    let shape = &materials::SHAPE;
    let columns = [materials::MATTER, materials::NAME, materials::NECESSITY, materials::SOURCE];
    let mut table = speech.table(shape, &columns);
    for matter in matters_of(bodies) {
        table.rows.extend(matter.materials.iter().map(|it| {
            vec![
                matter.code.to_string(),
                it.name.clone(),
                speech.word(shape, materials::NECESSITY, &NECESSITIES, &it.necessity),
                speech.word(shape, materials::SOURCE, &SOURCES, &it.source),
            ]
        }));
    }
    table
}

fn delegations_table(speech: Speech<'_>, bodies: &[Body]) -> Result<Table, ExportError> {
    let columns = [
        delegations::MATTER,
        delegations::TIER,
        delegations::PREFIX,
        delegations::RIGHTS,
        delegations::FROM,
        delegations::TO,
        delegations::SOURCE,
        VERIFIED,
    ];
    let mut table = speech.table(&delegations::SHAPE, &columns);
    for body in bodies {
        if let Body::Delegation(delegation) = body {
            table.rows.push(delegation_row(speech, delegation)?);
        }
    }
    Ok(table)
}

fn delegation_row(speech: Speech<'_>, delegation: &Delegation) -> Result<Vec<String>, ExportError> {
    let shape = &delegations::SHAPE;
    let days = first_day(delegation.valid_from).zip(first_day(delegation.valid_to));
    let (from, _) = days.ok_or_else(|| ExportError::NoRoom { what: delegation.key() })?;
    let to = CivilDay::of_wall(delegation.valid_to.saturating_sub(1));
    let words = speech.words(shape);
    let word = |ours: &'static str| words.and_then(|it| it.word(delegations::RIGHTS, ours)).unwrap_or(ours);
    Ok(vec![
        delegation.matter.as_ref().map_or(ALL, MatterCode::as_str).to_owned(),
        speech.word(shape, delegations::TIER, &TIERS, &delegation.tier),
        delegation.area.to_string(),
        rights_of(delegation).map(word).collect::<Vec<_>>().join("+"),
        from.to_string(),
        to.to_string(),
        delegation.source.clone(),
        speech.word(shape, VERIFIED, &YES_NO, &delegation.verified),
    ])
}

/// The words for the rights that a delegation gives.
pub(super) fn rights_of(delegation: &Delegation) -> impl Iterator<Item = &'static str> {
    NAMED_RIGHTS.iter().filter(|(_, right)| holds(delegation, *right)).map(|(word, _)| *word)
}

fn holds(delegation: &Delegation, right: Right) -> bool {
    match right {
        Right::Receive => delegation.rights.receive,
        Right::Accept => delegation.rights.accept,
        Right::Transfer => delegation.rights.transfer,
        Right::Issue => delegation.rights.issue,
    }
}

/// The day that begins at a moment, if one does.
fn first_day(wall: u64) -> Option<CivilDay> {
    wall.saturating_add(ZONE_MS).is_multiple_of(DAY_MS).then(|| CivilDay::of_wall(wall))
}
