//! Codes of bundles.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::macros::{checked_wire, debug_is_display};
use super::{Malformed, text};

const LENGTH_MAX: usize = 50;

/// The code of a bundle (一件事编码), as its list gives it: letters, digits, `-`, `_` and `.`, at most 50. DB2102/T 0056-2022
/// and others number bundles differently, so nothing more is read out of it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BundleCode(String);

checked_wire!(BundleCode as String, BundleCode::from_string, |code: BundleCode| code.0);
debug_is_display!(BundleCode);

impl BundleCode {
    /// Exactly what was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn from_string(code: String) -> Result<Self, Malformed> {
        let found = code.chars().count();
        if found == 0 || found > LENGTH_MAX {
            return Err(Malformed::Length { expected: "1 to 50", found });
        }
        text::allow_only(&code, |_, c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))?;
        Ok(Self(code))
    }
}

impl fmt::Display for BundleCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for BundleCode {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        Self::from_string(text.to_owned())
    }
}
