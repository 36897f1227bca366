//! What the halls do: matters, bundles of them, and who was given which right over them.

mod bundle;
mod lookup;

use serde::{Deserialize, Serialize};

use crate::ids::{BodyId, DivisionCode, HallId, MatterCode, Tier};
use crate::limits::{MATERIALS_MAX, NAME_MAX};

pub use bundle::{Bundle, Choice, Condition, FormField, Item, NotChosen, Planned, Situation};
pub use lookup::{Catalogue, Competence, PinnedBundle, PinnedMatter};

/// A government service matter (政务服务事项) as the list describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matter {
    /// Its code; which kind of code is part of it.
    pub code: MatterCode,
    /// The official name.
    pub name: String,
    /// National type code, GB/T 39046-2020 list A.1 (`01` licence ... `20` public service).
    pub kind: u8,
    /// The tier that decides (行使层级).
    pub level: Tier,
    /// The division for which this entry holds; it and all under it.
    pub area: DivisionCode,
    /// The deciding authority's name.
    pub body_name: String,
    /// The deciding authority.
    pub body: BodyId,
    /// Decided at once (即办件) or within a promised time (承诺件).
    pub promised: bool,
    /// Whom it serves.
    pub audience: Audience,
    /// Statutory limit in working days from acceptance.
    pub legal_days: u16,
    /// Promised limit in working days from acceptance, never above the statutory one.
    pub promised_days: u16,
    /// What is needed.
    pub materials: Vec<Material>,
    /// What the applicant gets.
    pub result: MatterResult,
    /// Whether a cut-off hall may decide provisionally.
    pub offline_decision: bool,
    /// The law it rests on.
    pub basis: String,
    /// Where this entry was taken from.
    pub source: String,
    /// Whether the authority confirmed the entry. Everything else is shown as not official.
    pub verified: bool,
}

/// Whom a matter serves (服务对象).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Audience {
    /// Natural persons.
    Person,
    /// Organisations.
    Organisation,
    /// Both.
    Both,
}

/// One thing needed for a matter (申请材料).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Material {
    /// Its name.
    pub name: String,
    /// How badly it is needed.
    pub necessity: Necessity,
    /// Who has it.
    pub source: MaterialSource,
}

/// How badly a material is needed (材料必要性).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Necessity {
    /// Without it the case is not complete.
    Required,
    /// If there is one.
    Optional,
    /// May follow later against a written promise (容缺后补).
    Supplementable,
    /// A written promise may stand in its place (告知承诺).
    Promisable,
}

/// Who has a material (材料来源).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum MaterialSource {
    /// The applicant brings it.
    Applicant,
    /// Government holds it: obtained by sharing, never asked of the applicant.
    Shared,
}

/// What the applicant gets (结果).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatterResult {
    /// What kind of thing.
    pub kind: ResultKind,
    /// Its name.
    pub name: String,
}

/// Kinds of result (结果类型).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ResultKind {
    /// A licence (证照).
    Licence,
    /// An approval document (批文).
    Approval,
    /// A certificate (证明).
    Certificate,
    /// Money.
    Payment,
    /// An entry in a register.
    Register,
    /// A service done.
    Service,
}

/// Why a list entry contradicts itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unlisted {
    /// A name is empty, too long or has control characters.
    #[error("a name is empty, too long or has control characters")]
    Name,
    /// The promised limit is above the statutory one.
    #[error("the promised limit is above the statutory one")]
    PromiseAboveLaw,
    /// Too many materials, or none named twice.
    #[error("too many materials, or one twice")]
    Materials,
    /// The area is below the tier that decides.
    #[error("the area is below the deciding tier")]
    Area,
    /// A right that this tier cannot hold: villages assist and take in, they do not decide.
    #[error("the tier cannot hold this right")]
    Rights,
    /// Valid from after valid to.
    #[error("it ends before it begins")]
    Period,
    /// Nothing is promised for the whole of a bundle.
    #[error("no time is promised for the whole")]
    Promise,
    /// A bundle's questions, or a condition that none of them answers.
    #[error("questions without answers, twice, too many, or conditions that name none of them")]
    Questions,
    /// A bundle without items, with too many, or with one matter twice.
    #[error("no items, too many, or one matter twice")]
    Items,
    /// Items that stand after themselves or after what is not there.
    #[error("the order of the items goes in a circle, or names what is not there")]
    Order,
    /// A form whose fields are unnamed, twice, too many, or for no item.
    #[error("a field of the form is unnamed, there twice, or for no item")]
    Form,
}

impl Matter {
    /// Whether the entry agrees with itself and with the law's order of limits.
    pub fn check(&self) -> Result<(), Unlisted> {
        let texts = [&self.name, &self.body_name, &self.result.name];
        if !texts.iter().all(|text| named(text)) || self.materials.iter().any(|it| !named(&it.name)) {
            return Err(Unlisted::Name);
        }
        if self.promised_days > self.legal_days {
            return Err(Unlisted::PromiseAboveLaw);
        }
        if self.area.tier() > self.level {
            return Err(Unlisted::Area);
        }
        let mut names: Vec<_> = self.materials.iter().map(|it| &it.name).collect();
        names.sort_unstable();
        names.dedup();
        if names.len() == self.materials.len() && names.len() <= MATERIALS_MAX {
            Ok(())
        } else {
            Err(Unlisted::Materials)
        }
    }
}

/// The four rights over a matter (收件权、受理权、转办权、出证权).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "the law knows four independent rights")]
pub struct Rights {
    /// 收件: take in an application.
    pub receive: bool,
    /// 受理: accept it, which starts the legal clock, and decide.
    pub accept: bool,
    /// 转办: pass it on.
    pub transfer: bool,
    /// 出证: issue the result.
    pub issue: bool,
}

/// Rights over one matter, or over all, given to the halls of one tier in one area.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegation {
    /// The matter; none stands for every matter.
    pub matter: Option<MatterCode>,
    /// The tier that gets the rights.
    pub tier: Tier,
    /// Its halls in this division.
    pub area: DivisionCode,
    /// Which rights.
    pub rights: Rights,
    /// Milliseconds since 1970.
    pub valid_from: u64,
    /// Milliseconds since 1970.
    pub valid_to: u64,
    /// Where this entry was taken from.
    pub source: String,
    /// Whether the authority confirmed the entry.
    pub verified: bool,
}

impl Delegation {
    /// Whether the entry agrees with itself and with what its tier may hold.
    pub fn check(&self) -> Result<(), Unlisted> {
        if self.valid_from >= self.valid_to {
            return Err(Unlisted::Period);
        }
        let decides = self.rights.accept || self.rights.issue;
        if self.tier == Tier::Village && decides { Err(Unlisted::Rights) } else { Ok(()) }
    }

    /// Whether `hall` has these rights at `wall`.
    pub fn holds_for(&self, hall: HallId, wall: u64) -> bool {
        self.tier == hall.tier()
            && self.area.covers(hall.division())
            && (self.valid_from..self.valid_to).contains(&wall)
    }

    /// The key of its record.
    pub fn key(&self) -> String {
        let matter = self.matter.as_ref().map_or("*", MatterCode::as_str);
        format!("delegation/{matter}/{}/{}", self.tier.as_str(), self.area)
    }
}

fn named(name: &str) -> bool {
    let count = name.chars().count();
    (1..=NAME_MAX).contains(&count) && !name.chars().any(char::is_control)
}
