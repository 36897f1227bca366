//! The names of things: divisions, halls, clerks, authorities, matters, cases, citizens.
//!
//! A value of these types is well formed: every way in (typed, read from a row, received from a peer) goes
//! through the same check. What is not known here is whether the thing named exists: codes are re-assigned
//! and towns swap them, so code and name are compared by the directory.

mod bundle;
mod case;
mod checks;
mod citizen;
mod division;
mod hall;
mod macros;
mod matter;
mod text;
mod uscc;

#[cfg(test)]
mod tests;

pub use bundle::BundleCode;
pub use case::{CaseId, CaseNumber, Digest};
pub use citizen::CitizenId;
pub use division::{DivisionCode, Tier};
pub use hall::{ClerkId, HallAt, HallId};
pub use matter::{MatterCode, MatterShape};
pub use uscc::BodyId;

/// Why a text or a number is no id. Places count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Too short or too long.
    #[error("has {found} characters, not {expected}")]
    Length {
        /// The lengths allowed, in words.
        expected: &'static str,
        /// The length found.
        found: usize,
    },
    /// A character that may not stand where it stands.
    #[error("character {place} may not be {found:?}")]
    Character {
        /// Where, counted from 1.
        place: usize,
        /// What stands there.
        found: char,
    },
    /// The check character belongs to other digits: something was mistyped.
    #[error("ends in check character {found}, but {expected} fits the rest")]
    Check {
        /// The character that fits.
        expected: char,
        /// The character found.
        found: char,
    },
    /// The parts or their separators are not as they must be.
    #[error("is not written like {example}")]
    Form {
        /// A well-formed text of the kind.
        example: &'static str,
    },
    /// A number outside its range.
    #[error("the {what} is out of range")]
    Range {
        /// Which number.
        what: &'static str,
    },
    /// The date inside does not exist or is not plausible.
    #[error("contains no plausible date")]
    Date,
    /// Not one of the four tiers.
    #[error("is no tier: city, county, township or village")]
    UnknownTier,
    /// A code of province level: no hall of this mesh stands there.
    #[error("is no code of a city or below")]
    AboveCity,
    /// A village code whose township digits are zero.
    #[error("names a village of no township")]
    NoTownship,
}
