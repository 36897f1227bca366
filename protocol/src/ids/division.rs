//! Where a hall stands: tier and division code.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Malformed;
use super::macros::{checked_wire, debug_is_display};
use super::text;

/// 层级 (tier) of a hall, from the city down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Tier {
    /// 市 (prefecture-level city).
    City,
    /// 县 (county, district, county-level city).
    County,
    /// 乡镇 (township, town, street office).
    Township,
    /// 村 (village, residents' community).
    Village,
}

checked_wire!(Tier as u8, Tier::from_depth, Tier::depth);

impl Tier {
    /// All four, from the city down.
    pub const ALL: [Self; 4] = [Self::City, Self::County, Self::Township, Self::Village];

    /// The name in configuration and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::City => "city",
            Self::County => "county",
            Self::Township => "township",
            Self::Village => "village",
        }
    }

    /// Steps below the city: 0 to 3.
    pub const fn depth(self) -> u8 {
        match self {
            Self::City => 0,
            Self::County => 1,
            Self::Township => 2,
            Self::Village => 3,
        }
    }

    fn from_depth(depth: u8) -> Result<Self, Malformed> {
        Self::ALL.into_iter().find(|tier| tier.depth() == depth).ok_or(Malformed::UnknownTier)
    }

    /// One step at this tier's last digit: what a code is divided by to leave the digits down to here.
    const fn unit(self) -> u64 {
        match self {
            Self::City => 100_000_000,
            Self::County => 1_000_000,
            Self::Township => 1_000,
            Self::Village => 1,
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Tier {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        Self::ALL.into_iter().find(|tier| tier.as_str() == text).ok_or(Malformed::UnknownTier)
    }
}

/// 行政区划代码 (division code, GB/T 2260 and its extensions) of a city, county, township or village:
/// 2 digits province, 2 city, 2 county, 3 township, 3 village, zeros below the tier.
///
/// Never an identity: codes are renumbered and even swapped between neighbouring towns.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct DivisionCode(u64);

checked_wire!(DivisionCode as u64, DivisionCode::from_u64, DivisionCode::as_u64);
debug_is_display!(DivisionCode);

impl DivisionCode {
    /// The code with these twelve digits.
    pub fn from_u64(code: u64) -> Result<Self, Malformed> {
        if !(100_000_000_000..1_000_000_000_000).contains(&code) {
            return Err(Malformed::Range { what: "division code" });
        }
        let made = Self(code);
        let ends_in = |tier, zeros| made.down_to(tier).is_multiple_of(zeros);
        if ends_in(Tier::City, 100) {
            return Err(Malformed::AboveCity);
        }
        if made.tier() == Tier::Village && ends_in(Tier::Township, 1_000) {
            return Err(Malformed::NoTownship);
        }
        Ok(made)
    }

    /// All twelve digits.
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// The tier, told by the zeros.
    pub const fn tier(self) -> Tier {
        if !self.0.is_multiple_of(Tier::Township.unit()) {
            Tier::Village
        } else if !self.0.is_multiple_of(Tier::County.unit()) {
            Tier::Township
        } else if !self.0.is_multiple_of(Tier::City.unit()) {
            Tier::County
        } else {
            Tier::City
        }
    }

    /// The division directly above; none above the city. A township directly under a city (county digits
    /// 00, as in 441900003000) has the city as its parent.
    pub fn parent(self) -> Option<Self> {
        let above = match self.tier() {
            Tier::City => return None,
            Tier::County => Tier::City,
            Tier::Township => Tier::County,
            Tier::Village => Tier::Township,
        };
        Some(Self(self.down_to(above).saturating_mul(above.unit())))
    }

    /// The divisions above, nearest first: at most three.
    pub fn ancestors(self) -> impl Iterator<Item = Self> {
        std::iter::successors(self.parent(), |code| code.parent())
    }

    /// Is `other` this division or one inside it?
    pub fn covers(self, other: Self) -> bool {
        let tier = self.tier();
        self.down_to(tier) == other.down_to(tier)
    }

    /// The digits that say something: 4 of a city, 6, 9 or all 12 of a village.
    pub fn significant(self) -> String {
        self.down_to(self.tier()).to_string()
    }

    /// The six digits of GB/T 2260: the county, or the city when there is none.
    pub fn area(self) -> u64 {
        self.down_to(Tier::County)
    }

    #[expect(clippy::arithmetic_side_effects, reason = "no unit is zero")]
    const fn down_to(self, tier: Tier) -> u64 {
        self.0 / tier.unit()
    }
}

impl fmt::Display for DivisionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.to_string())
    }
}

impl FromStr for DivisionCode {
    type Err = Malformed;

    /// Takes 6, 9 or 12 digits; the rest are zeros.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let found = text.chars().count();
        if !matches!(found, 6 | 9 | 12) {
            return Err(Malformed::Length { expected: "6, 9 or 12", found });
        }
        text::digits(text)?;
        let code = format!("{text:0<12}").parse().ok();
        Self::from_u64(code.ok_or(Malformed::Range { what: "division code" })?)
    }
}
