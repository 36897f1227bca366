//! Cases: the id machines use, the number people use, and the hash that names contents.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::macros::{checked_wire, debug_is_display, hex_id};
use super::{HallAt, HallId, Malformed, checks, text};
use crate::calendar::CivilDay;

hex_id! {
    /// The identity of a case (办件): 128 random bits, durable before use.
    CaseId, 16, "32"
}

hex_id! {
    /// A hash (SHA-256 or BLAKE3) that names contents.
    Digest, 32, "64"
}

/// 办件编号 (case number), the one printed on the receipt: hall, incarnation, boot, day, sequence, check.
///
/// Allocated without asking anybody: a start draws a fresh `boot`, so a hall that was rolled back without
/// noticing repeats no number. At most 50 characters, as the exchange tables demand, whatever the ids.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CaseNumber {
    hall: HallAt,
    boot: u32,
    day: CivilDay,
    sequence: u32,
}

checked_wire!(CaseNumber as String, |text: String| text.parse(), |number: CaseNumber| number.to_string());
debug_is_display!(CaseNumber);

const EXAMPLE: Malformed = Malformed::Form { example: "620702001001-00-01-7K2D-20261124-00042-3" };

impl CaseNumber {
    /// The longest a case number gets.
    pub const LENGTH_MAX: usize = 50;

    /// The number of the `sequence`-th case since the start that drew `boot` (the lower 20 bits count).
    pub const fn allocate(hall: HallAt, boot: u32, day: CivilDay, sequence: u32) -> Self {
        Self { hall, boot: boot & 0xF_FFFF, day, sequence }
    }

    /// The hall that received the case.
    pub const fn hall(&self) -> HallId {
        self.hall.hall
    }

    /// Which life of that hall.
    pub const fn incarnation(&self) -> u32 {
        self.hall.incarnation
    }

    /// Hall and incarnation together.
    pub const fn hall_at(&self) -> HallAt {
        self.hall
    }

    /// The day of receipt, in local time.
    pub const fn day(&self) -> CivilDay {
        self.day
    }

    /// All but the check character.
    fn stem(&self) -> String {
        let HallAt { hall, incarnation } = self.hall;
        let (incarnation, boot) = (base32::write(incarnation, 2), base32::write(self.boot, 4));
        format!("{hall}-{incarnation}-{boot}-{:08}-{:05}", self.day.yyyymmdd(), self.sequence)
    }
}

impl fmt::Display for CaseNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stem = self.stem();
        f.pad(&format!("{stem}-{}", checks::mod_37_36(&stem)))
    }
}

impl FromStr for CaseNumber {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let found = text.chars().count();
        if found > Self::LENGTH_MAX {
            return Err(Malformed::Length { expected: "up to 50", found });
        }
        text::allow_only(text, |_, c| c == '-' || c.is_ascii_digit() || c.is_ascii_uppercase())?;
        let (stem, check) = text.rsplit_once('-').ok_or(EXAMPLE)?;
        let number = parse_stem(stem)?;
        // There is one way to write a number: other paddings of the same parts are refused.
        if number.stem() != stem || check.len() != 1 {
            return Err(EXAMPLE);
        }
        text::ends_in(text, checks::mod_37_36(stem))?;
        Ok(number)
    }
}

fn parse_stem(stem: &str) -> Result<CaseNumber, Malformed> {
    let parts: Vec<&str> = stem.split('-').collect();
    let &[division, serial, incarnation, boot, day, sequence] = parts.as_slice() else {
        return Err(EXAMPLE);
    };
    text::digits(sequence)?;
    let hall = HallAt {
        hall: format!("{division}-{serial}").parse()?,
        incarnation: base32::read(incarnation).ok_or(Malformed::Range { what: "incarnation" })?,
    };
    let boot = base32::read(boot).ok_or(Malformed::Range { what: "boot id" })?;
    let day = day.parse().ok().and_then(CivilDay::from_yyyymmdd).ok_or(Malformed::Date)?;
    let sequence = sequence.parse().ok().ok_or(Malformed::Range { what: "sequence" })?;
    Ok(CaseNumber::allocate(hall, boot, day, sequence))
}

/// Crockford's base 32: no I, L, O or U, which are mistaken for digits or each other on paper.
mod base32 {
    const ALPHABET: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    /// At least `width` characters.
    pub(super) fn write(value: u32, width: usize) -> String {
        let digits = (0..7_u32).map(|place| value >> place.saturating_mul(5) & 31);
        let mut text: String = digits.filter_map(symbol).collect::<Vec<_>>().into_iter().rev().collect();
        let zeros = text.len().saturating_sub(text.trim_start_matches('0').len());
        text.drain(..zeros.min(text.len().saturating_sub(width)));
        text
    }

    /// None when a character is foreign or the number too large.
    pub(super) fn read(text: &str) -> Option<u32> {
        text.chars().try_fold(0_u32, |sum, character| sum.checked_mul(32)?.checked_add(value(character)?))
    }

    fn symbol(value: u32) -> Option<char> {
        ALPHABET.chars().nth(usize::try_from(value).ok()?)
    }

    fn value(character: char) -> Option<u32> {
        u32::try_from(ALPHABET.chars().position(|symbol| symbol == character)?).ok()
    }
}
