//! Why a parcel of post is not taken in.

use serde::{Deserialize, Serialize};

/// Why a parcel is not taken in, or not made. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Unfit {
    /// The file is none of this kind.
    #[error("not a file of the post")]
    NotAParcel,
    /// It was written by newer software.
    #[error("written by newer software")]
    Newer,
    /// It is longer than any of this kind.
    #[error("longer than a file of the post may be")]
    TooLarge,
    /// It is cut off, or its bytes are not those that were signed for.
    #[error("damaged")]
    Damaged,
    /// Its writer is no hall of this city, as far as this hall knows.
    #[error("the writer is not known here")]
    UnknownWriter,
    /// The signature is not its writer's.
    #[error("not signed by its writer")]
    Forged,
    /// Its writer was revoked.
    #[error("the writer was revoked")]
    Revoked,
    /// This hall has written it.
    #[error("written by this hall")]
    Own,
    /// The writer's directory was not read first: revocations come before cases.
    #[error("the writer's directory was not read first")]
    DirectoryFirst,
    /// The directory changed while a stick was being written.
    #[error("the directory has changed meanwhile")]
    DirectoryMoved,
}
