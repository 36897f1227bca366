//! Why a case was not exported, and what is wrong with an export.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use hallmesh_protocol::cases::NotAllowed;
use hallmesh_protocol::ids::CaseId;
use thiserror::Error;

/// Why a case was not exported. The texts here are for the log; what a person reads is in the message
/// catalogues, under [`ExportError::code`].
#[derive(Debug, Error)]
pub enum ExportError {
    /// This hall has no event of the case.
    #[error("no event of case {case} here")]
    UnknownCase {
        /// Which case.
        case: CaseId,
    },
    /// With its charters the case does not fit a package.
    #[error("the case does not fit a package")]
    TooLarge,
    /// The bytes are no package.
    #[error("not a package of a case")]
    Package,
    /// What was to be exported does not hold. Nothing was written.
    #[error("what was to be exported does not hold: {0}")]
    Unprovable(#[from] NotVerified),
    /// Something is there already. Nothing was changed.
    #[error("{} is in the way", path.display())]
    InTheWay {
        /// What is in the way.
        path: PathBuf,
    },
    /// The user of this process may not write here.
    #[error("no permission for {}", path.display())]
    NotPermitted {
        /// Which path.
        path: PathBuf,
    },
    /// No room on the disk.
    #[error("the disk is full at {}", path.display())]
    DiskFull {
        /// Which path.
        path: PathBuf,
    },
    /// The system failed.
    #[error("could not write {}: {source}", path.display())]
    Io {
        /// On which path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl ExportError {
    /// What the system said, on which path.
    pub(super) fn of(path: &Path, source: io::Error) -> Self {
        use io::ErrorKind::{
            AlreadyExists, DirectoryNotEmpty, NotADirectory, PermissionDenied, QuotaExceeded,
            ReadOnlyFilesystem, StorageFull,
        };
        let (path, kind) = (path.to_owned(), source.kind());
        if matches!(kind, PermissionDenied | ReadOnlyFilesystem) {
            Self::NotPermitted { path }
        } else if matches!(kind, StorageFull | QuotaExceeded) {
            Self::DiskFull { path }
        } else if matches!(kind, AlreadyExists | NotADirectory | DirectoryNotEmpty) {
            Self::InTheWay { path }
        } else {
            Self::Io { path, source }
        }
    }

    /// Stable name of the error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownCase { .. } => "export.unknown_case",
            Self::TooLarge => "export.too_large",
            Self::Package => "export.package",
            Self::Unprovable(_) => "export.unprovable",
            Self::InTheWay { .. } => "export.in_the_way",
            Self::NotPermitted { .. } => "export.not_permitted",
            Self::DiskFull { .. } => "export.disk_full",
            Self::Io { .. } => "export.io",
        }
    }

    /// Parameters of the sentence under [`ExportError::code`].
    pub fn params(&self) -> BTreeMap<String, String> {
        let found = match self {
            Self::UnknownCase { case } => vec![("case", case.to_string())],
            Self::TooLarge | Self::Package => Vec::new(),
            Self::Unprovable(why) => {
                vec![("file", why.file.clone()), ("reason", why.code().to_owned())]
            }
            Self::InTheWay { path } | Self::NotPermitted { path } | Self::DiskFull { path } => {
                vec![("path", path.display().to_string())]
            }
            Self::Io { path, source } => {
                vec![("path", path.display().to_string()), ("reason", source.to_string())]
            }
        };
        found.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// An export that does not hold: the first file that is wrong, and how.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{file}: {flaw}")]
pub struct NotVerified {
    /// The file, relative to the export.
    pub file: String,
    /// What is wrong with it.
    pub flaw: Flaw,
}

/// What is wrong with a file of an export.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Flaw {
    /// It is not there.
    #[error("missing")]
    Missing,
    /// It does not belong there.
    #[error("does not belong here")]
    Unexpected,
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// It is longer than such a file may be.
    #[error("longer than {0} bytes")]
    TooLong(usize),
    /// It was written by another version, which has to check it.
    #[error("of format {0}")]
    Format(u64),
    /// Its bytes are not of the kind that its name says.
    #[error("not of its kind")]
    Malformed,
    /// It is not the root policy that people have confirmed.
    #[error("not the confirmed root")]
    OtherRoot,
    /// The signature does not hold.
    #[error("the signature does not hold")]
    Signature,
    /// Fewer holders of the root signed than the policy asks for.
    #[error("{valid} of {needed} signatures")]
    TooFew {
        /// Signatures that hold.
        valid: usize,
        /// Signatures needed.
        needed: u8,
    },
    /// It is not the key that is vouched for.
    #[error("not the key that is vouched for")]
    Key,
    /// Charters do not stand in their order, or one stands twice.
    #[error("out of order")]
    Order,
    /// The charter of its issuer is not there.
    #[error("the charter of its issuer is not there")]
    Issuer,
    /// It contradicts itself, or its issuer has no authority over it.
    #[error("may not be issued")]
    Charter,
    /// The charter of the hall that wrote the event is not there.
    #[error("the charter of its hall is not there")]
    Signer,
    /// It is not the body that the header names.
    #[error("not the body that its header names")]
    Body,
    /// The event may not stand where it stands.
    #[error(transparent)]
    Rule(NotAllowed),
    /// It is not what follows from the rest.
    #[error("altered")]
    Altered,
}

impl NotVerified {
    pub(super) fn new(file: impl Into<String>, flaw: Flaw) -> Self {
        Self { file: file.into(), flaw }
    }

    /// Stable name of the flaw.
    pub const fn code(&self) -> &'static str {
        match &self.flaw {
            Flaw::Missing => "verify.missing",
            Flaw::Unexpected => "verify.unexpected",
            Flaw::Unreadable(_) => "verify.unreadable",
            Flaw::TooLong(_) => "verify.too_long",
            Flaw::Format(_) => "verify.format",
            Flaw::Malformed => "verify.malformed",
            Flaw::OtherRoot => "verify.other_root",
            Flaw::Signature => "verify.signature",
            Flaw::TooFew { .. } => "verify.too_few",
            Flaw::Key => "verify.key",
            Flaw::Order => "verify.order",
            Flaw::Issuer => "verify.issuer",
            Flaw::Charter => "verify.charter",
            Flaw::Signer => "verify.signer",
            Flaw::Body => "verify.body",
            Flaw::Rule(why) => rule(*why),
            Flaw::Altered => "verify.altered",
        }
    }

    /// Parameters of the sentence under [`NotVerified::code`].
    pub fn params(&self) -> BTreeMap<String, String> {
        let mut found = vec![("file", self.file.clone())];
        match &self.flaw {
            Flaw::Unreadable(reason) => found.push(("reason", reason.clone())),
            Flaw::TooLong(max) => found.push(("max", max.to_string())),
            Flaw::Format(format) => found.push(("format", format.to_string())),
            Flaw::TooFew { valid, needed } => {
                found.push(("valid", valid.to_string()));
                found.push(("needed", needed.to_string()));
            }
            Flaw::Missing
            | Flaw::Unexpected
            | Flaw::Malformed
            | Flaw::OtherRoot
            | Flaw::Signature
            | Flaw::Key
            | Flaw::Order
            | Flaw::Issuer
            | Flaw::Charter
            | Flaw::Signer
            | Flaw::Body
            | Flaw::Rule(_)
            | Flaw::Altered => {}
        }
        found.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

const fn rule(why: NotAllowed) -> &'static str {
    match why {
        NotAllowed::Beginning => "verify.rule.beginning",
        NotAllowed::Chain => "verify.rule.chain",
        NotAllowed::NotCustodian => "verify.rule.not_custodian",
        NotAllowed::InTransit => "verify.rule.in_transit",
        NotAllowed::WrongHall => "verify.rule.wrong_hall",
        NotAllowed::WrongState(_) => "verify.rule.wrong_state",
        NotAllowed::NoReason => "verify.rule.no_reason",
        NotAllowed::NoClerk => "verify.rule.no_clerk",
        NotAllowed::Mirrors => "verify.rule.mirrors",
        NotAllowed::NoSuccessor => "verify.rule.no_successor",
        NotAllowed::Key => "verify.rule.key",
        NotAllowed::Full => "verify.rule.full",
        NotAllowed::Waits => "verify.rule.waits",
        NotAllowed::Answered => "verify.rule.answered",
        NotAllowed::NoTask => "verify.rule.no_task",
    }
}
