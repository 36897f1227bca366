//! Authorities, named by their unified social credit code.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::macros::{checked_wire, debug_is_display};
use super::{DivisionCode, Malformed, checks, text};

/// Marks the organisation codes made by [`BodyId::illustrative`].
const ILLUSTRATIVE: &str = "YYY";

/// 统一社会信用代码 (unified social credit code, GB 32100-2015) of an authority: 18 characters, the last
/// of which checks the others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "[u8; 18]", into = "[u8; 18]")]
pub struct BodyId([u8; 18]);

checked_wire!(BodyId as [u8; 18], BodyId::from_bytes, |body: BodyId| body.0);
debug_is_display!(BodyId);

impl BodyId {
    /// A made-up authority of a division, for demonstrations and tests: both checks hold, and the
    /// organisation code starts with YYY, which no register has issued. Never an official code.
    pub fn illustrative(division: DivisionCode, number: u16) -> Self {
        let organisation = format!("{ILLUSTRATIVE}{number:05}");
        let check = checks::organisation(&organisation);
        let first17 = format!("11{:06}{organisation}{check}", division.area());
        let mut bytes = [0; 18];
        let characters = first17.bytes().chain(u8::try_from(checks::uscc(&first17)));
        bytes.iter_mut().zip(characters).for_each(|(to, from)| *to = from);
        Self(bytes)
    }

    /// Was it made up by [`BodyId::illustrative`]?
    pub fn is_illustrative(&self) -> bool {
        self.organisation_code().starts_with(ILLUSTRATIVE)
    }

    /// Does the organisation code inside (characters 9 to 17) pass its own check (GB 11714)? Parsing
    /// does not ask for it: the outer check already catches typing errors.
    pub fn organisation_code_holds(&self) -> bool {
        let code = self.organisation_code();
        code.ends_with(checks::organisation(code))
    }

    /// All 18 characters.
    pub fn as_str(&self) -> &str {
        text::as_str(&self.0)
    }

    /// The characters as ASCII bytes.
    pub const fn as_bytes(&self) -> &[u8; 18] {
        &self.0
    }

    fn organisation_code(&self) -> &str {
        self.as_str().get(8..17).unwrap_or_default()
    }

    fn from_bytes(bytes: [u8; 18]) -> Result<Self, Malformed> {
        bytes.map(char::from).iter().collect::<String>().parse()
    }
}

impl fmt::Display for BodyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for BodyId {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let bytes = text::ascii(text, "18", |_, character| checks::USCC.contains(character))?;
        text::ends_in(text, checks::uscc(text))?;
        Ok(Self(bytes))
    }
}
