//! The table of matters: one matter a row.

use std::collections::{BTreeMap, BTreeSet};

use hallmesh_protocol::catalogue::{Audience, Material, Matter, MatterResult, ResultKind, Unlisted};
use hallmesh_protocol::ids::{BodyId, DivisionCode, MatterCode, MatterShape, Tier};
use hallmesh_protocol::limits::RECORD_MAX;
use hallmesh_protocol::record::Body;

use super::authorities::Authorities;
use super::cell::Reader;
use super::finding::{Fault, Findings};
use super::materials::{self, Asked, Codes};
use super::sheet::{ROWS_MAX, Row};
use super::table::{Shape, Table};

/// The longest limit in working days: about four years.
pub const DAYS_MAX: u16 = 1_000;
/// Bytes of a matter; the rest of a record's bytes are for its frame and signatures.
pub const MATTER_BYTES_MAX: usize = RECORD_MAX - 4 * 1024;

/// What the table is called.
pub(super) const TABLE: &str = "matters";
pub(super) const CODE: &str = "code";
pub(super) const NAME: &str = "name";
pub(super) const KIND: &str = "type";
pub(super) const LEVEL: &str = "level";
pub(super) const BODY: &str = "body";
pub(super) const BODY_CODE: &str = "body_code";
pub(super) const AREA: &str = "area";
pub(super) const ITEM_KIND: &str = "item_kind";
pub(super) const AUDIENCE: &str = "audience";
pub(super) const LEGAL_DAYS: &str = "legal_days";
const LEGAL_UNIT: &str = "legal_unit";
pub(super) const PROMISED_DAYS: &str = "promised_days";
const PROMISED_UNIT: &str = "promised_unit";
pub(super) const RESULT_KIND: &str = "result_kind";
pub(super) const RESULT: &str = "result";
pub(super) const OFFLINE: &str = "offline_decision";
pub(super) const BASIS: &str = "basis";
pub(super) const SOURCE: &str = "source";
pub(super) const VERIFIED: &str = "verified";

pub(super) const SHAPE: Shape = Shape {
    name: TABLE,
    required: &[
        CODE,
        NAME,
        KIND,
        LEVEL,
        BODY,
        ITEM_KIND,
        AUDIENCE,
        LEGAL_DAYS,
        PROMISED_DAYS,
        RESULT_KIND,
        RESULT,
        OFFLINE,
        BASIS,
        SOURCE,
        VERIFIED,
    ],
    optional: &[AREA, BODY_CODE, materials::COLUMN, LEGAL_UNIT, PROMISED_UNIT],
    rows_max: ROWS_MAX,
};

/// GB/T 39046-2020 list A.1.
pub(super) const KINDS: [(&str, u8); 11] = [
    ("01", 1),
    ("02", 2),
    ("03", 3),
    ("04", 4),
    ("05", 5),
    ("06", 6),
    ("07", 7),
    ("08", 8),
    ("09", 9),
    ("10", 10),
    ("20", 20),
];
pub(super) const TIERS: [(&str, Tier); 4] = [
    ("city", Tier::City),
    ("county", Tier::County),
    ("township", Tier::Township),
    ("village", Tier::Village),
];
pub(super) const PROMISED: [(&str, bool); 2] = [("immediate", false), ("promised", true)];
pub(super) const AUDIENCES: [(&str, Audience); 3] =
    [("person", Audience::Person), ("organisation", Audience::Organisation), ("both", Audience::Both)];
pub(super) const RESULT_KINDS: [(&str, ResultKind); 6] = [
    ("licence", ResultKind::Licence),
    ("approval", ResultKind::Approval),
    ("certificate", ResultKind::Certificate),
    ("payment", ResultKind::Payment),
    ("record", ResultKind::Register),
    ("service", ResultKind::Service),
];
pub(super) const OFFLINES: [(&str, bool); 2] = [("allowed", true), ("waits", false)];
const WORKING_DAYS: &str = "working_days";
pub(super) const YES_NO: [(&str, bool); 2] = [("yes", true), ("no", false)];

/// The matters of one file.
#[derive(Debug, Default)]
pub(super) struct Matters {
    pub(super) bodies: Vec<Body>,
    /// Every code that is well-formed, also of rows that are refused for something else.
    pub(super) codes: BTreeSet<MatterCode>,
}

/// Reads the matters of `area`, with their materials if these have a table of their own.
pub(super) fn read(
    table: &Table<'_>,
    materials: Option<&Table<'_>>,
    area: DivisionCode,
    findings: &mut Findings,
) -> Matters {
    if materials.is_none() && !table.has(materials::COLUMN) {
        let fault = Fault::error("lists.missing_column").with("name", materials::COLUMN);
        findings.add(fault.at(&table.header(), Some(materials::COLUMN)));
    }
    let rows = materials.map(materials::Rows::of);
    let authorities = authorities(table, area);
    let mut seen = Seen::default();
    let mut bodies = Vec::new();
    for row in &table.rows {
        let reader = Reader::new(table, row, findings);
        let matter =
            MatterRow { reader, area, authorities: &authorities, rows: rows.as_ref(), seen: &mut seen };
        bodies.extend(matter.read().map(|matter| Body::Matter(Box::new(matter))));
    }
    let codes = Codes { all: seen.codes.len() == table.rows.len(), read: seen.codes.into_keys().collect() };
    if let Some(rows) = rows {
        rows.report_strays(&codes, &mut seen.asked, findings);
    }
    seen.asked.report(findings);
    Matters { bodies, codes: codes.read }
}

/// What must not come twice, with the lines where it came first.
#[derive(Default)]
struct Seen {
    codes: BTreeMap<MatterCode, u64>,
    names: BTreeMap<(String, Tier, String), u64>,
    asked: Asked,
}

struct MatterRow<'a> {
    reader: Reader<'a>,
    area: DivisionCode,
    authorities: &'a Authorities,
    rows: Option<&'a materials::Rows<'a>>,
    seen: &'a mut Seen,
}

impl MatterRow<'_> {
    /// Reads every cell before it gives up, so that every fault of the row is reported.
    fn read(mut self) -> Option<Matter> {
        let code = self.code();
        let name = self.reader.name(NAME);
        let kind = self.kind();
        let area = self.area();
        let level = self.level(area);
        let body_name = self.reader.name(BODY);
        self.refuse_same_name(name.as_deref(), level, body_name.as_deref());
        let body = self.body(code.as_ref(), body_name.as_deref());
        let promised = self.reader.choice(ITEM_KIND, &PROMISED);
        let audience = self.audience();
        let days = self.days(promised);
        let materials = self.materials(code.as_ref());
        let result = self.result();
        let offline_decision = self.reader.choice(OFFLINE, &OFFLINES);
        let basis = self.reader.remark(BASIS);
        let verified = self.reader.choice(VERIFIED, &YES_NO);
        let source = self.reader.source(SOURCE);
        self.refuse_made_up(verified, body);
        let (legal_days, promised_days) = days?;
        let matter = Matter {
            code: code?,
            name: name?,
            kind: kind?,
            level: level?,
            area: area?,
            body_name: body_name?,
            body: body?,
            promised: promised?,
            audience: audience?,
            legal_days,
            promised_days,
            materials: materials?,
            result: result?,
            offline_decision: offline_decision?,
            basis: basis?,
            source: source?,
            verified: verified?,
        };
        self.checked(matter)
    }

    fn code(&mut self) -> Option<MatterCode> {
        let code: MatterCode = self.reader.code(CODE, str::parse)?;
        if self.reader.is_number(CODE) && code.shape() == MatterShape::Local {
            self.reader.report(CODE, lost_zeros(&code));
            return None;
        }
        if let Some(first) = self.seen.codes.get(&code) {
            let fault = Fault::error("lists.duplicate_code").with("found", &code).with("first_line", first);
            self.reader.report(CODE, fault);
            return None;
        }
        self.seen.codes.insert(code.clone(), self.reader.row.line);
        Some(code)
    }

    /// Spreadsheets drop the zero of 01.
    fn kind(&mut self) -> Option<u8> {
        let word = self.reader.word(KIND)?;
        let word = self.reader.ours(KIND, &word);
        let padded = format!("{word:0>2}");
        if word.len() == 1 && KINDS.iter().any(|&(known, _)| known == padded) {
            let fault = Fault::warning("lists.leading_zero").with("found", &word).with("read_as", &padded);
            self.reader.report(KIND, fault);
        }
        self.reader.known(KIND, &padded, &KINDS)
    }

    /// One word, or those of all whom it serves.
    fn audience(&mut self) -> Option<Audience> {
        let all = self.reader.chosen_all(AUDIENCE, &AUDIENCES)?;
        all.into_iter().reduce(|one, other| if one == other { one } else { Audience::Both })
    }

    fn materials(&mut self, code: Option<&MatterCode>) -> Option<Vec<Material>> {
        let rows = self.rows.map(|rows| (rows, code.map_or("", MatterCode::as_str)));
        materials::read(&mut self.reader, rows, &mut self.seen.asked)
    }

    /// The row's own division, else that of the whole list.
    fn area(&mut self) -> Option<DivisionCode> {
        if !self.reader.table.has(AREA) {
            return Some(self.area);
        }
        let word = self.reader.optional_word(AREA)?;
        if word.is_empty() {
            return Some(self.area);
        }
        let area = self.reader.parsed_code(AREA, &word, str::parse)?;
        if self.area.covers(area) {
            return Some(area);
        }
        let fault = Fault::error("lists.area_outside").with("found", &area).with("area", &self.area);
        self.reader.report(AREA, fault);
        None
    }

    fn level(&mut self, area: Option<DivisionCode>) -> Option<Tier> {
        let level = self.reader.choice(LEVEL, &TIERS)?;
        let area = area?;
        if area.tier() <= level {
            return Some(level);
        }
        let fault = Fault::error("lists.level_above_area").with("level", &level).with("area", &area);
        self.reader.report(LEVEL, fault.with("area_tier", &area.tier()));
        None
    }

    /// The same name at the same level and authority is allowed, and more often a row pasted twice.
    fn refuse_same_name(&mut self, name: Option<&str>, level: Option<Tier>, body: Option<&str>) {
        let (Some(name), Some(level), Some(body)) = (name, level, body) else { return };
        let key = (name.to_owned(), level, body.to_owned());
        if let Some(first) = self.seen.names.get(&key) {
            let fault = Fault::warning("lists.duplicate_name").with("found", name).with("first_line", first);
            self.reader.report(NAME, fault);
        } else {
            self.seen.names.insert(key, self.reader.row.line);
        }
    }

    /// The row's own authority code, else the one its matter code names, else that of the name.
    fn body(&mut self, code: Option<&MatterCode>, name: Option<&str>) -> Option<BodyId> {
        let given = match self.reader.optional_word(BODY_CODE).filter(|word| !word.is_empty()) {
            Some(word) => Some(self.reader.parsed_code(BODY_CODE, &word, str::parse)?),
            None => None,
        };
        let inside = code.and_then(MatterCode::body);
        if let (Some(given), Some(inside)) = (given, inside)
            && given != inside
        {
            let fault = Fault::error("lists.body_not_in_code").with("found", &given).with("in_code", &inside);
            self.reader.report(BODY_CODE, fault);
            return None;
        }
        let name = name?;
        let body = given.or(inside).unwrap_or_else(|| self.authorities.body(name));
        self.warn_of_two_codes(name, body);
        Some(body)
    }

    fn warn_of_two_codes(&mut self, name: &str, body: BodyId) {
        let Some((first, line)) = self.authorities.known(name).filter(|&(first, _)| first != body) else {
            return;
        };
        let fault = Fault::warning("lists.body_two_codes").with("body", name).with("found", &body);
        self.reader.report(BODY, fault.with("first", &first).with("first_line", &line));
    }

    fn days(&mut self, promised: Option<bool>) -> Option<(u16, u16)> {
        let least = u16::from(promised.unwrap_or(false));
        let most = if promised == Some(false) { 1 } else { DAYS_MAX };
        let units = self.is_working_days(LEGAL_UNIT) & self.is_working_days(PROMISED_UNIT);
        let legal = self.reader.number(LEGAL_DAYS, least..=DAYS_MAX);
        let days = self.reader.number(PROMISED_DAYS, least..=most)?;
        let legal = legal.filter(|_| units)?;
        if days <= legal {
            return Some((legal, days));
        }
        let fault = Fault::error("lists.promise_above_law").with("promised", &days).with("legal", &legal);
        self.reader.report(PROMISED_DAYS, fault.suggest(Some(legal)));
        None
    }

    /// Limits are counted in working days. Calendar days, hours and months are no fixed number of them.
    fn is_working_days(&mut self, column: &'static str) -> bool {
        if !self.reader.table.has(column) {
            return true;
        }
        let Some(word) = self.reader.optional_word(column) else { return false };
        if word.is_empty() || self.reader.ours(column, &word) == WORKING_DAYS {
            return true;
        }
        let fault = Fault::error("lists.not_working_days").with("found", &word);
        self.reader.report(column, fault.suggest(Some(WORKING_DAYS)));
        false
    }

    fn result(&mut self) -> Option<MatterResult> {
        let kind = self.reader.choice(RESULT_KIND, &RESULT_KINDS);
        let name = self.reader.name(RESULT);
        Some(MatterResult { kind: kind?, name: name? })
    }

    /// What an authority has confirmed carries that authority's real code.
    fn refuse_made_up(&mut self, verified: Option<bool>, body: Option<BodyId>) {
        if verified == Some(true) && body.is_some_and(|body| body.is_illustrative()) {
            self.reader.report(VERIFIED, Fault::error("lists.verified_without_body_code"));
        }
    }

    /// The core's own verdict, and whether the record can be signed and sent.
    fn checked(mut self, matter: Matter) -> Option<Matter> {
        if let Err(unlisted) = matter.check() {
            self.reader.report_row(unlisted_fault(unlisted));
            return None;
        }
        let bytes = Body::Matter(Box::new(matter.clone())).encode().len();
        if bytes > MATTER_BYTES_MAX {
            let fault = Fault::error("lists.row_too_long").with("found", &bytes);
            self.reader.report_row(fault.with("max", &MATTER_BYTES_MAX));
            return None;
        }
        Some(matter)
    }
}

/// Verdicts of the core that the cells did not show.
pub(super) fn unlisted_fault(unlisted: Unlisted) -> Fault {
    Fault::error(match unlisted {
        Unlisted::Name => "lists.bad_name",
        Unlisted::PromiseAboveLaw => "lists.limits",
        Unlisted::Materials => "lists.bad_materials",
        Unlisted::Area => "lists.bad_area",
        Unlisted::Rights => "lists.bad_rights",
        Unlisted::Period => "lists.bad_period",
        Unlisted::Promise => "lists.bundle_promise",
        Unlisted::Questions => "lists.bundle_questions",
        Unlisted::Items => "lists.bundle_items",
        Unlisted::Order => "lists.bundle_order",
        Unlisted::Form => "lists.bundle_form",
    })
}

/// A national code is a text of 12 digits or more; what a spreadsheet keeps as a number and is shorter has lost zeros,
/// unless the province has such codes, and then somebody has to say so by making it a text.
fn lost_zeros(code: &MatterCode) -> Fault {
    Fault::error("lists.lost_zeros").with("found", code).suggest(Some(format!("{code:0>12}")))
}

/// Names and codes of the whole file, before its rows are judged.
fn authorities(table: &Table<'_>, area: DivisionCode) -> Authorities {
    let mut names = BTreeSet::new();
    let mut known = BTreeMap::new();
    for row in &table.rows {
        let Some(name) = trimmed(table, row, BODY).filter(|name| !name.is_empty()) else { continue };
        names.insert(name.to_owned());
        if let Some(body) = code_given(table, row) {
            known.entry(name.to_owned()).or_insert((body, row.line));
        }
    }
    Authorities::new(area, names, known)
}

fn code_given(table: &Table<'_>, row: &Row) -> Option<BodyId> {
    let given = trimmed(table, row, BODY_CODE).and_then(|text| text.parse().ok());
    given.or_else(|| trimmed(table, row, CODE)?.parse::<MatterCode>().ok()?.body())
}

fn trimmed<'a>(table: &'a Table<'_>, row: &'a Row, column: &str) -> Option<&'a str> {
    table.cell(row, column).map(|cell| cell.text.trim())
}
