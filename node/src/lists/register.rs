//! `divisions.csv`: which divisions there are, with their codes in both registers.
//!
//! Codes are never identities. The statistical and the civil-affairs register number some towns differently
//! and two pairs of neighbours the other way round, so a code is believed only together with a name.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use hallmesh_protocol::ids::{DivisionCode, Tier};
use thiserror::Error;

use super::cell::{Reader, Reported};
use super::finding::{Fault, Finding, Findings};
use super::hall_names::{beginnings, folded, rest};
use super::mapping::Mappings;
use super::sheet::{self, ROWS_MAX, Row, Sheet};
use super::table::{Shape, Table};

/// How many divisions a refusal names besides those the code stands for.
const CANDIDATES_MAX: usize = 4;
/// From this on the township part of a code names farms and zones that only the statistical register knows.
const SIMILAR_UNITS: u64 = 400;

const TIER: &str = "tier";
const CODE: &str = "code12";
const PARENT: &str = "parent12";
const NAME: &str = "name";
const CIVIL: &str = "mca_code12";
const NOTE: &str = "note";
const SHAPE: Shape = Shape {
    name: "divisions",
    required: &[TIER, CODE, PARENT, NAME, CIVIL],
    optional: &[NOTE],
    rows_max: ROWS_MAX,
};
const TIERS: [(&str, Tier); 5] = [
    ("city", Tier::City),
    ("county", Tier::County),
    ("town", Tier::Township),
    ("township", Tier::Township),
    ("village", Tier::Village),
];

/// Which register a code comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Codes {
    /// The statistical register (统计用区划代码). Halls are named by its codes.
    Statistical,
    /// The register of the civil affairs authorities (民政行政区划代码).
    CivilAffairs,
}

impl Codes {
    /// The word in parameters.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Statistical => "statistical",
            Self::CivilAffairs => "civil_affairs",
        }
    }
}

/// A division as the register has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Division {
    /// Its statistical code.
    pub code: DivisionCode,
    /// Its code in the civil-affairs register, where it has one.
    pub civil_affairs: Option<DivisionCode>,
    /// Its name.
    pub name: String,
    /// Its tier.
    pub tier: Tier,
    /// The division above; none of a city.
    pub parent: Option<DivisionCode>,
    beginnings: Vec<String>,
}

/// A division that may have been meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its code in [`Candidate::register`].
    pub code: DivisionCode,
    /// Its name.
    pub name: String,
    /// Where it has this code.
    pub register: Codes,
}

/// Code and name do not belong together.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{code} and {name} do not belong together")]
pub struct Mismatch {
    /// The code given.
    pub code: DivisionCode,
    /// The name given.
    pub name: String,
    /// What the code stands for, in either register, and what the name stands for.
    pub candidates: Vec<Candidate>,
}

/// Why there is no register. The text here is for the log; what a person reads is in the message catalogues.
#[derive(Debug, Error)]
pub enum RegisterError {
    /// The file cannot be read.
    #[error("cannot read {}", file.display())]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file has faults.
    #[error("the register has {} faults", findings.len())]
    Refused {
        /// All of them.
        findings: Vec<Finding>,
    },
}

/// The divisions of a city, by statistical code.
#[derive(Clone, Debug)]
pub struct Register {
    divisions: BTreeMap<DivisionCode, Division>,
    civil_affairs: BTreeMap<DivisionCode, DivisionCode>,
    warnings: Vec<Finding>,
}

impl Register {
    /// Reads a register.
    pub fn read(path: &Path) -> Result<Self, RegisterError> {
        let mut findings = Findings::default();
        let sheets = sheet::read(path, &mut findings);
        let sheets = sheets.map_err(|source| RegisterError::Unreadable { file: path.to_owned(), source })?;
        Self::of_sheets(sheets, findings)
    }

    /// Reads a register that is a text already.
    pub fn read_text(text: &str) -> Result<Self, RegisterError> {
        let mut findings = Findings::default();
        let sheets = sheet::read_bytes("divisions.csv", text.as_bytes(), &mut findings);
        Self::of_sheets(sheets, findings)
    }

    /// What was mended while reading.
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }

    /// The division with this statistical code.
    pub fn get(&self, code: DivisionCode) -> Option<&Division> {
        self.divisions.get(&code)
    }

    /// The name of the division with this statistical code.
    pub fn name_of(&self, code: DivisionCode) -> Option<&str> {
        self.get(code).map(|division| division.name.as_str())
    }

    /// Every division, by code.
    pub fn divisions(&self) -> impl Iterator<Item = &Division> {
        self.divisions.values()
    }

    /// The divisions that have a hall: not the farms and zones of statistics, nor what lies in them.
    pub fn real_halls(&self) -> impl Iterator<Item = &Division> {
        self.divisions().filter(|division| township_part(division.code) < SIMILAR_UNITS)
    }

    /// Whether the division with this statistical code has this name.
    pub fn check(&self, code: DivisionCode, name: &str) -> Result<(), Mismatch> {
        let wanted = folded(name);
        let is_named = |division: &Division| folded(&division.name) == wanted;
        if self.get(code).is_some_and(is_named) {
            return Ok(());
        }
        let named = self.divisions().filter(|division| is_named(division)).collect();
        Err(self.mismatch(code, name, named))
    }

    /// Whether a hall of the division with this statistical code can have this name: it begins with the
    /// division's name, perhaps after the names of the divisions above, and no other division's name
    /// explains more of it.
    pub fn check_hall(&self, code: DivisionCode, hall_name: &str) -> Result<(), Mismatch> {
        let text = folded(hall_name);
        let left = |division: &Division| self.unexplained(division, &text);
        let least = self.divisions().filter_map(left).min();
        if least.is_some() && self.get(code).and_then(left) == least {
            return Ok(());
        }
        let explains_most = |division: &&Division| least.is_some() && left(division) == least;
        Err(self.mismatch(code, hall_name, self.divisions().filter(explains_most).collect()))
    }

    /// Bytes of a hall's name that neither the division nor those above it explain; none if it is not named
    /// after the division.
    fn unexplained(&self, division: &Division, hall_name: &str) -> Option<usize> {
        let mut above: Vec<_> = division.code.ancestors().filter_map(|code| self.get(code)).collect();
        above.reverse();
        // With and without each name above: some divisions' own names begin with it.
        let mut texts = vec![hall_name];
        for it in above {
            let shorter: Vec<_> = texts.iter().filter_map(|text| rest(text, &it.beginnings)).collect();
            texts.extend(shorter);
        }
        texts.iter().filter_map(|text| rest(text, &division.beginnings)).map(str::len).min()
    }

    /// The nearest of those that were named come first: siblings, then others of the county.
    fn mismatch<'a>(&'a self, code: DivisionCode, name: &str, mut named: Vec<&'a Division>) -> Mismatch {
        let at_code = self.get(code).map(|it| it.candidate(code, Codes::Statistical));
        let civil = self.civil_affairs.get(&code).and_then(|&it| self.get(it)).filter(|it| it.code != code);
        named.retain(|it| it.code != code);
        named.sort_by_key(|it| (it.parent != code.parent(), it.code.area() != code.area(), it.code));
        if named.is_empty() && at_code.is_none() {
            named.extend(civil);
        }
        let named =
            named.into_iter().take(CANDIDATES_MAX).map(|it| it.candidate(it.code, Codes::Statistical));
        let civil = civil.map(|it| it.candidate(code, Codes::CivilAffairs));
        Mismatch {
            code,
            name: name.to_owned(),
            candidates: at_code.into_iter().chain(civil).chain(named).collect(),
        }
    }

    fn of_sheets(sheets: Option<Vec<Sheet>>, mut findings: Findings) -> Result<Self, RegisterError> {
        let mut register =
            Self { divisions: BTreeMap::new(), civil_affairs: BTreeMap::new(), warnings: Vec::new() };
        let mappings = Mappings::built_in();
        let sheet = sheets.and_then(|sheets| sheets.into_iter().next());
        let table = sheet.and_then(|sheet| Table::read(sheet, &SHAPE, mappings.words(&SHAPE), &mut findings));
        if let Some(table) = table {
            let mut lines = BTreeMap::new();
            for row in &table.rows {
                let reader = Reader::new(&table, row, &mut findings);
                DivisionRow { reader, register: &mut register, lines: &mut lines }.read();
            }
            register.refuse_orphans(&table, &mut findings);
        }
        if findings.has_errors() {
            return Err(RegisterError::Refused { findings: findings.finish() });
        }
        register.warnings = findings.finish();
        Ok(register)
    }

    fn refuse_orphans(&self, table: &Table<'_>, findings: &mut Findings) {
        let codes = |row: &Row| table.cell(row, CODE)?.text.trim().parse::<DivisionCode>().ok();
        for row in &table.rows {
            let Some(parent) = codes(row).and_then(|code| self.get(code)?.parent) else { continue };
            if self.get(parent).is_none() {
                let fault = Fault::error("lists.unknown_parent").with("found", &parent);
                Reader::new(table, row, findings).report(PARENT, fault);
            }
        }
    }
}

impl Division {
    fn candidate(&self, code: DivisionCode, register: Codes) -> Candidate {
        Candidate { code, name: self.name.clone(), register }
    }
}

impl Mismatch {
    /// Stable name of the refusal.
    pub fn code(&self) -> &'static str {
        match (self.at_code(Codes::Statistical), self.at_code(Codes::CivilAffairs), self.named()) {
            (None, None, None) => "lists.division_unknown",
            (None, None, Some(_)) => "lists.division_unknown_code",
            (None, Some(_), _) => "lists.division_civil_code",
            (Some(_), _, None) => "lists.division_other_name",
            (Some(_), Some(civil), Some(_)) if self.is_meant(civil) => "lists.division_swapped",
            (Some(_), _, Some(_)) => "lists.division_mismatch",
        }
    }

    /// Parameters of the sentence under [`Mismatch::code`]. Every refusal of one code has the same ones.
    pub fn params(&self) -> BTreeMap<String, String> {
        let mut params = BTreeMap::new();
        let mut add =
            |name: &str, value: &dyn fmt::Display| params.insert(name.to_owned(), value.to_string());
        add("code", &self.code);
        add("name", &self.name);
        if let Some(it) = self.at_code(Codes::Statistical) {
            add("name_at_code", &it.name);
        }
        let civil = self.at_code(Codes::CivilAffairs);
        if let Some(it) = civil.filter(|it| self.at_code(Codes::Statistical).is_none() || self.is_meant(it)) {
            add("civil_affairs_name", &it.name);
        }
        if let Some(it) = self.named() {
            add("candidate_code", &it.code);
            add("candidate_name", &it.name);
        }
        params
    }

    /// What the given code stands for in a register.
    fn at_code(&self, register: Codes) -> Option<&Candidate> {
        self.candidates.iter().find(|it| it.code == self.code && it.register == register)
    }

    /// What the given name probably stands for.
    fn named(&self) -> Option<&Candidate> {
        self.candidates.iter().find(|it| it.code != self.code)
    }

    /// Whether the name is that of the division to which the code belongs in the civil-affairs register.
    fn is_meant(&self, civil: &Candidate) -> bool {
        self.named().is_some_and(|named| named.name == civil.name)
    }
}

struct DivisionRow<'a> {
    reader: Reader<'a>,
    register: &'a mut Register,
    /// The lines of the codes so far.
    lines: &'a mut BTreeMap<(Codes, DivisionCode), u64>,
}

impl DivisionRow<'_> {
    /// Reads every cell before it gives up, so that every fault of the row is reported.
    fn read(mut self) {
        let tier = self.reader.choice(TIER, &TIERS);
        let code = self.reader.code(CODE, str::parse);
        let parent = self.reader.word(PARENT);
        let name = self.reader.name(NAME);
        let civil_affairs = self.civil_affairs();
        self.reader.remark(NOTE);
        let (Some(tier), Some(code)) = (tier, code) else { return };
        let fits = self.fits(tier, code) & parent.is_some_and(|parent| self.is_parent(code, &parent));
        let (true, Some(name), Ok(civil_affairs)) = (fits, name, civil_affairs) else { return };
        if self.is_new(CODE, Codes::Statistical, code)
            && civil_affairs.is_none_or(|it| self.is_new(CIVIL, Codes::CivilAffairs, it))
        {
            let beginnings = beginnings(&name, tier);
            self.register.civil_affairs.extend(civil_affairs.map(|it| (it, code)));
            let division = Division { code, civil_affairs, name, tier, parent: code.parent(), beginnings };
            self.register.divisions.insert(code, division);
        }
    }

    fn civil_affairs(&mut self) -> Result<Option<DivisionCode>, Reported> {
        match self.reader.optional_word(CIVIL) {
            Some(word) if word.is_empty() => Ok(None),
            Some(word) => self.reader.parsed_code(CIVIL, &word, str::parse).map(Some).ok_or(Reported),
            None => Err(Reported),
        }
    }

    fn fits(&mut self, tier: Tier, code: DivisionCode) -> bool {
        if tier != code.tier() {
            let fault = Fault::error("lists.tier_not_of_code").with("found", &tier).with("code", &code);
            self.reader.report(TIER, fault.with("expected", &code.tier()).suggest(Some(code.tier())));
        }
        tier == code.tier()
    }

    /// The parent follows from the code; what stands above a city is not looked at.
    fn is_parent(&mut self, code: DivisionCode, word: &str) -> bool {
        let Some(parent) = code.parent().filter(|parent| word != parent.to_string()) else { return true };
        let fault = Fault::error("lists.parent_not_of_code").with("found", word).with("code", &code);
        self.reader.report(PARENT, fault.with("expected", &parent).suggest(Some(parent)));
        false
    }

    fn is_new(&mut self, column: &str, register: Codes, code: DivisionCode) -> bool {
        let Some(first) = self.lines.get(&(register, code)) else {
            self.lines.insert((register, code), self.reader.row.line);
            return true;
        };
        let fault = Fault::error("lists.duplicate_code").with("found", &code).with("first_line", first);
        self.reader.report(column, fault);
        false
    }
}

fn township_part(code: DivisionCode) -> u64 {
    code.as_u64() / 1_000 % 1_000
}
