//! Codes of matters.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::macros::{checked_wire, debug_is_display};
use super::{BodyId, Malformed, text};

const BODY: usize = 18;
const BASE: usize = 12;
const IMPLEMENTATION: usize = BODY + 1 + BASE;
const HANDLING: usize = IMPLEMENTATION + 2;
const LOCAL_MAX: usize = 50;

/// Which of the codes that live side by side a matter code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MatterShape {
    /// 基本编码 (base code), 12 digits: the matter as such.
    Base,
    /// 实施编码 (implementation code), 31 characters: authority, level, base code.
    Implementation,
    /// 业务办理项编码 (code of the item applied for), 33 characters: implementation code, two digits.
    Handling,
    /// A province's own code, taken as it is.
    Local,
}

/// The code of a matter (事项编码): national where it has the shape of a national code, else local.
///
/// Kept exactly as written. A text with the length and characters of a national code that fails its check
/// is refused, not taken for a local one: it is a typing error.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MatterCode {
    text: String,
    shape: MatterShape,
}

checked_wire!(MatterCode as String, MatterCode::from_string, |code: MatterCode| code.text);
debug_is_display!(MatterCode);

impl MatterCode {
    /// Exactly what was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Which kind of code it is.
    pub const fn shape(&self) -> MatterShape {
        self.shape
    }

    /// The implementing authority, if the code names one.
    pub fn body(&self) -> Option<BodyId> {
        self.national(0..BODY)?.parse().ok()
    }

    /// 行使层级 (level of exercise), 1 to 7, if the code names one.
    pub fn level(&self) -> Option<u8> {
        self.national(BODY..BODY + 1)?.parse().ok()
    }

    /// The base code inside a national code.
    pub fn base(&self) -> Option<&str> {
        match self.shape {
            MatterShape::Base => Some(&self.text),
            MatterShape::Implementation | MatterShape::Handling => self.national(BODY + 1..IMPLEMENTATION),
            MatterShape::Local => None,
        }
    }

    fn national(&self, part: std::ops::Range<usize>) -> Option<&str> {
        match self.shape {
            MatterShape::Implementation | MatterShape::Handling => self.text.get(part),
            MatterShape::Base | MatterShape::Local => None,
        }
    }

    fn from_string(text: String) -> Result<Self, Malformed> {
        let shape = shape_of(&text)?;
        Ok(Self { text, shape })
    }
}

impl fmt::Display for MatterCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl FromStr for MatterCode {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        Self::from_string(text.to_owned())
    }
}

fn shape_of(text: &str) -> Result<MatterShape, Malformed> {
    let found = text.chars().count();
    if found == 0 || found > LOCAL_MAX {
        return Err(Malformed::Length { expected: "1 to 50", found });
    }
    // No quotes, commas or spaces: codes travel through spreadsheets and shells.
    text::allow_only(text, |_, c| c.is_ascii_graphic() && !matches!(c, '"' | '\'' | '`' | ','))?;
    let alphanumeric = text.chars().all(|character| character.is_ascii_alphanumeric());
    match found {
        BASE if text::digits(text).is_ok() => Ok(MatterShape::Base),
        IMPLEMENTATION if alphanumeric => national(text).map(|()| MatterShape::Implementation),
        HANDLING if alphanumeric => national(text).map(|()| MatterShape::Handling),
        _ => Ok(MatterShape::Local),
    }
}

/// An authority, a level 1 to 7, then digits only.
fn national(text: &str) -> Result<(), Malformed> {
    text.get(..BODY).unwrap_or_default().parse::<BodyId>()?;
    text::allow_only(text, |place, character| {
        place <= BODY
            || if place == BODY + 1 { matches!(character, '1'..='7') } else { character.is_ascii_digit() }
    })
}
