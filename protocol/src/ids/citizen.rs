//! Citizens' numbers: the one id that must not be shown.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::macros::checked_wire;
use super::{Malformed, checks, text};
use crate::calendar::CivilDay;

/// Nobody born earlier comes to a hall; nobody born later yet.
const BIRTH_YEARS: std::ops::RangeInclusive<u16> = 1850..=2099;

/// 公民身份号码 (citizen's number, GB 11643): 6 digits area, 8 birth date, 3 sequence, 1 check.
///
/// Personal: there is no `Display`, and `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "[u8; 18]", into = "[u8; 18]")]
pub struct CitizenId([u8; 18]);

checked_wire!(CitizenId as [u8; 18], CitizenId::from_bytes, |citizen: CitizenId| citizen.0);

impl CitizenId {
    /// The number itself, for the one form that needs it.
    pub fn reveal(&self) -> &str {
        text::as_str(&self.0)
    }

    fn from_bytes(bytes: [u8; 18]) -> Result<Self, Malformed> {
        bytes.map(char::from).iter().collect::<String>().parse()
    }
}

impl fmt::Debug for CitizenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CitizenId(***)")
    }
}

impl FromStr for CitizenId {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let bytes = text::ascii(text, "18", |place, character| {
            character.is_ascii_digit() || (place == 18 && character == 'X')
        })?;
        birth_day(text).ok_or(Malformed::Date)?;
        text::ends_in(text, checks::citizen(text))?;
        Ok(Self(bytes))
    }
}

fn birth_day(text: &str) -> Option<CivilDay> {
    let year = text.get(6..10)?.parse().ok().filter(|year| BIRTH_YEARS.contains(year))?;
    CivilDay::new(year, text.get(10..12)?.parse().ok()?, text.get(12..14)?.parse().ok()?)
}
