//! The states of a case. What leads from one to another is the table in `law.rs`.

use serde::{Deserialize, Serialize};

/// How far a case has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum State {
    /// Taken in, not yet accepted (待受理).
    Received,
    /// Something is missing, the citizen was told (待补正).
    AwaitingCorrection,
    /// What was missing is there, not yet accepted.
    Supplemented,
    /// Accepted, being examined (审查).
    Accepted,
    /// A special procedure runs, time stands still (特别程序).
    Suspended,
    /// Decided (已决定), the result is on its way to the citizen.
    Decided,
    /// Decided, and the certificate is made (已制证).
    Certified,
    /// Not accepted (不予受理), the notice is on its way to the citizen.
    NotAccepted,
    /// Ended without a decision (办结), the notice is on its way to the citizen.
    Closed,
    /// What was decided counts no longer (失效, 撤销), the notice is on its way to the citizen.
    Revoked,
    /// Delivered (已送达): nothing is owed any more.
    Delivered,
    /// Filed (已归档): nothing is changed any more.
    Archived,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 12] = [
        Self::Received,
        Self::AwaitingCorrection,
        Self::Supplemented,
        Self::Accepted,
        Self::Suspended,
        Self::Decided,
        Self::Certified,
        Self::NotAccepted,
        Self::Closed,
        Self::Revoked,
        Self::Delivered,
        Self::Archived,
    ];

    /// A stable word, for logs, JSON and catalogues.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::AwaitingCorrection => "awaiting-correction",
            Self::Supplemented => "supplemented",
            Self::Accepted => "accepted",
            Self::Suspended => "suspended",
            Self::Decided => "decided",
            Self::Certified => "certified",
            Self::NotAccepted => "not-accepted",
            Self::Closed => "closed",
            Self::Revoked => "revoked",
            Self::Delivered => "delivered",
            Self::Archived => "archived",
        }
    }

    /// Whether the citizen has what the case led to. What was granted on a promise is still checked: see [`super::Case::is_over`].
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Delivered | Self::Archived)
    }
}
