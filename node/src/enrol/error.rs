//! Why a step of enrolment was refused.

use std::collections::BTreeMap;

use thiserror::Error;

use super::armour::ArmourError;
use super::found::FoundError;
use super::issue::IssueError;
use super::papers::PapersError;
use super::request::RequestError;

/// Why a step of enrolment was refused. Nothing was changed. The texts are for the log; what a person reads
/// is in the message catalogues, under [`EnrolError::code`].
#[derive(Debug, Error)]
pub enum EnrolError {
    /// Founding a city.
    #[error(transparent)]
    Found(#[from] FoundError),
    /// Making or reading a request.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// Issuing a charter.
    #[error(transparent)]
    Issue(#[from] IssueError),
    /// The records that lead from the root to a hall.
    #[error(transparent)]
    Papers(#[from] PapersError),
}

impl EnrolError {
    /// Stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Found(cause) => cause.code(),
            Self::Request(cause) => cause.code(),
            Self::Issue(cause) => cause.code(),
            Self::Papers(cause) => cause.code(),
        }
    }

    /// Parameters of the sentence under [`EnrolError::code`].
    pub fn params(&self) -> BTreeMap<String, String> {
        match self {
            Self::Found(cause) => cause.params(),
            Self::Request(cause) => cause.params(),
            Self::Issue(cause) => cause.params(),
            Self::Papers(cause) => cause.params(),
        }
    }
}

impl From<ArmourError> for EnrolError {
    fn from(cause: ArmourError) -> Self {
        Self::Papers(PapersError::File(cause))
    }
}
