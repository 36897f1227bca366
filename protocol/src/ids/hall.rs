//! Halls, their lives and their clerks.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::macros::{checked_wire, debug_is_display};
use super::text;
use super::{DivisionCode, Malformed, Tier};

/// A hall: its division and a serial, 00 for the main hall, 01 to 99 for branches (分中心).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct HallId {
    division: DivisionCode,
    serial: u8,
}

checked_wire!(HallId as u64, HallId::from_u64, HallId::to_u64);

impl HallId {
    /// The main hall of a division.
    pub const fn main(division: DivisionCode) -> Self {
        Self { division, serial: 0 }
    }

    /// The hall with this serial, at most 99.
    pub fn new(division: DivisionCode, serial: u8) -> Result<Self, Malformed> {
        if serial > 99 {
            return Err(Malformed::Range { what: "hall serial" });
        }
        Ok(Self { division, serial })
    }

    /// Where it stands.
    pub const fn division(self) -> DivisionCode {
        self.division
    }

    /// 0 for the main hall, 1 to 99 for branches.
    pub const fn serial(self) -> u8 {
        self.serial
    }

    /// The tier of its division.
    pub const fn tier(self) -> Tier {
        self.division.tier()
    }

    /// Division code and serial as one number of 14 digits.
    pub fn to_u64(self) -> u64 {
        self.division.as_u64().saturating_mul(100).saturating_add(u64::from(self.serial))
    }

    /// The inverse of [`HallId::to_u64`].
    pub fn from_u64(number: u64) -> Result<Self, Malformed> {
        let serial = u8::try_from(number % 100).ok().ok_or(Malformed::Range { what: "hall serial" })?;
        Self::new(DivisionCode::from_u64(number / 100)?, serial)
    }
}

impl fmt::Display for HallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}-{:02}", self.division, self.serial))
    }
}

impl FromStr for HallId {
    type Err = Malformed;

    /// Takes a division code (then it is the main hall), or one with `-` and two digits.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let Some((division, serial)) = text.split_once('-') else {
            return text.parse().map(Self::main);
        };
        let division = division.parse()?;
        text::ascii::<2>(serial, "2 after the dash", |_, character| character.is_ascii_digit())?;
        Self::new(division, serial.parse().ok().ok_or(Malformed::Range { what: "hall serial" })?)
    }
}

/// One life of a hall's node: a re-installed or rolled-back hall comes back with the next incarnation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HallAt {
    /// The hall.
    pub hall: HallId,
    /// Which life, as chartered.
    pub incarnation: u32,
}

impl fmt::Display for HallAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}#{}", self.hall, self.incarnation))
    }
}

impl FromStr for HallAt {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let form = Malformed::Form { example: "620702001000-00#1" };
        let (hall, incarnation) = text.split_once('#').ok_or(form)?;
        Ok(Self { hall: hall.parse()?, incarnation: text::decimal(incarnation, "incarnation")? })
    }
}

/// A clerk of a hall, a person with a key of their own; number 0 is the node acting by itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClerkId {
    /// The hall that enrolled the clerk.
    pub hall: HallId,
    /// The clerk's number there.
    pub number: u16,
}

impl ClerkId {
    /// The node of `hall` itself: forwarding, receipts, reminders, never a decision.
    pub const fn node(hall: HallId) -> Self {
        Self { hall, number: 0 }
    }

    /// Is this the node rather than a person?
    pub const fn is_node(self) -> bool {
        self.number == 0
    }
}

impl fmt::Display for ClerkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}/{}", self.hall, self.number))
    }
}

impl FromStr for ClerkId {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let form = Malformed::Form { example: "620702001000-00/7" };
        let (hall, number) = text.split_once('/').ok_or(form)?;
        let what = "clerk number";
        let number = u16::try_from(text::decimal(number, what)?).ok();
        Ok(Self { hall: hall.parse()?, number: number.ok_or(Malformed::Range { what })? })
    }
}

debug_is_display!(HallId, HallAt, ClerkId);
