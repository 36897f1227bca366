//! The table of delegations: one grant of rights a row.

use std::collections::{BTreeMap, BTreeSet};

use hallmesh_protocol::calendar::CivilDay;
use hallmesh_protocol::catalogue::{Delegation, Rights};
use hallmesh_protocol::ids::{DivisionCode, Malformed, MatterCode, Tier};
use hallmesh_protocol::record::Body;

use super::cell::{Reader, Reported};
use super::finding::{Fault, Findings};
use super::matters::{TIERS, VERIFIED, YES_NO, unlisted_fault};
use super::nearest::nearest;
use super::sheet::ROWS_MAX;
use super::table::{Shape, Table};

/// What the table is called.
pub(super) const TABLE: &str = "delegations";
pub(super) const MATTER: &str = "matter";
pub(super) const TIER: &str = "grantee_tier";
pub(super) const PREFIX: &str = "grantee_prefix";
pub(super) const RIGHTS: &str = "rights";
pub(super) const FROM: &str = "valid_from";
pub(super) const TO: &str = "valid_to";
pub(super) const SOURCE: &str = "source";

pub(super) const SHAPE: Shape = Shape {
    name: TABLE,
    required: &[MATTER, TIER, PREFIX, RIGHTS, FROM, TO, SOURCE, VERIFIED],
    optional: &[],
    rows_max: ROWS_MAX,
};

/// Stands for every matter.
pub(super) const ALL: &str = "*";
pub(super) const DAY_MS: u64 = 86_400_000;
/// Asia/Shanghai: one zone, no summer time.
pub(super) const ZONE_MS: u64 = 8 * 3_600_000;
/// Codes that are compared when one is looked for that may have been meant.
const COMPARED_MAX: usize = 2_000;

pub(super) const NAMED_RIGHTS: [(&str, Right); 4] = [
    ("receive", Right::Receive),
    ("accept", Right::Accept),
    ("transfer", Right::Transfer),
    ("issue", Right::Issue),
];

/// One of the four.
#[derive(Clone, Copy)]
pub(super) enum Right {
    Receive,
    Accept,
    Transfer,
    Issue,
}

/// Reads delegations within the city of `area`. `codes` are the matters of the list that comes with them;
/// without one their existence is not checked, and a warning says so.
pub(super) fn read(
    table: &Table<'_>,
    area: DivisionCode,
    codes: Option<&BTreeSet<MatterCode>>,
    findings: &mut Findings,
) -> Vec<Body> {
    let city = area.ancestors().last().unwrap_or(area);
    let mut seen = BTreeMap::new();
    let mut unchecked = None;
    let mut bodies = Vec::new();
    for row in &table.rows {
        let reader = Reader::new(table, row, findings);
        let read = DelegationRow { reader, city, codes, seen: &mut seen }.read();
        let Some(delegation) = read else { continue };
        if delegation.matter.is_some() && codes.is_none() {
            unchecked = unchecked.or_else(|| Some(table.place(row, Some(MATTER))));
        }
        bodies.push(Body::Delegation(delegation));
    }
    if let Some(place) = unchecked {
        findings.add(Fault::warning("lists.matters_not_checked").at(&place, Some(MATTER)));
    }
    bodies
}

struct DelegationRow<'a> {
    reader: Reader<'a>,
    city: DivisionCode,
    codes: Option<&'a BTreeSet<MatterCode>>,
    /// Keys of the records so far and their lines.
    seen: &'a mut BTreeMap<String, u64>,
}

impl DelegationRow<'_> {
    /// Reads every cell before it gives up, so that every fault of the row is reported.
    fn read(mut self) -> Option<Delegation> {
        let matter = self.matter();
        let tier = self.reader.choice(TIER, &TIERS);
        let area = self.area(tier);
        let rights = self.rights(tier);
        let period = self.period();
        let verified = self.reader.choice(VERIFIED, &YES_NO);
        let source = self.reader.source(SOURCE);
        let (valid_from, valid_to) = period?;
        let delegation = Delegation {
            matter: matter.ok()?,
            tier: tier?,
            area: area?,
            rights: rights?,
            valid_from,
            valid_to,
            source: source?,
            verified: verified?,
        };
        self.checked(delegation)
    }

    fn matter(&mut self) -> Result<Option<MatterCode>, Reported> {
        let word = self.reader.word(MATTER).ok_or(Reported)?;
        if word == ALL {
            return Ok(None);
        }
        let code: MatterCode = self.reader.parsed_code(MATTER, &word, str::parse).ok_or(Reported)?;
        if let Some(codes) = self.codes.filter(|codes| !codes.contains(&code)) {
            let near = nearest(&word, codes.iter().take(COMPARED_MAX).map(MatterCode::as_str));
            let fault = Fault::error("lists.unknown_matter").with("found", &word).suggest(near);
            self.reader.report(MATTER, fault);
            return Err(Reported);
        }
        Ok(Some(code))
    }

    fn area(&mut self, tier: Option<Tier>) -> Option<DivisionCode> {
        let area = self.reader.code(PREFIX, division)?;
        if !self.city.covers(area) {
            let fault = Fault::error("lists.outside_city").with("found", &area).with("city", &self.city);
            self.reader.report(PREFIX, fault);
            return None;
        }
        let tier = tier?;
        if area.tier() > tier {
            let fault = Fault::error("lists.prefix_below_tier").with("found", &area).with("tier", &tier);
            self.reader.report(PREFIX, fault.with("found_tier", &area.tier()));
            return None;
        }
        Some(area)
    }

    fn rights(&mut self, tier: Option<Tier>) -> Option<Rights> {
        let word = self.reader.word(RIGHTS)?;
        let mut rights = Rights::default();
        let mut all_known = true;
        for part in word.split(['+', '\u{3001}', '\u{FF0C}', ',']).map(str::trim) {
            match self.reader.chosen(RIGHTS, part, &NAMED_RIGHTS) {
                Some(Right::Receive) => rights.receive = true,
                Some(Right::Accept) => rights.accept = true,
                Some(Right::Transfer) => rights.transfer = true,
                Some(Right::Issue) => rights.issue = true,
                None => all_known = false,
            }
        }
        if tier == Some(Tier::Village) && (rights.accept || rights.issue) {
            let fault = Fault::error("lists.rights_beyond_tier").with("found", &word);
            self.reader.report(RIGHTS, fault.with("tier", &Tier::Village));
            return None;
        }
        all_known.then_some(rights)
    }

    /// From the first millisecond of the first day to the first after the last day.
    fn period(&mut self) -> Option<(u64, u64)> {
        let from = self.reader.day(FROM);
        let to = self.reader.day(TO)?;
        let from = from?;
        if from > to {
            let fault = Fault::error("lists.ends_before_it_begins").with("from", &from).with("to", &to);
            self.reader.report(TO, fault);
            return None;
        }
        Some((self.midnight(FROM, from)?, self.midnight(TO, to.next())?))
    }

    fn midnight(&mut self, column: &str, day: CivilDay) -> Option<u64> {
        let begin =
            u64::try_from(day.days()).ok().and_then(|days| days.checked_mul(DAY_MS)?.checked_sub(ZONE_MS));
        if begin.is_none() {
            self.reader.report(column, Fault::error("lists.day_before_1970").with("found", &day));
        }
        begin
    }

    fn checked(mut self, delegation: Delegation) -> Option<Delegation> {
        if let Err(unlisted) = delegation.check() {
            self.reader.report_row(unlisted_fault(unlisted));
            return None;
        }
        if let Some(first) = self.seen.get(&delegation.key()) {
            let fault = Fault::error("lists.duplicate_delegation").with("first_line", first);
            self.reader.report_row(fault);
            return None;
        }
        self.seen.insert(delegation.key(), self.reader.row.line);
        Some(delegation)
    }
}

/// A prefix of 4, 6, 9 or 12 digits; 4 are a city.
fn division(prefix: &str) -> Result<DivisionCode, Malformed> {
    if prefix.len() == 4 { format!("{prefix}00").parse() } else { prefix.parse() }
}
