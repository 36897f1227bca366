//! The acts of `hallmesh case` that the plain way from receipt to delivery does not need: each with the reasons that the law
//! asks for.

use clap::{Args, Subcommand};
use hallmesh_protocol::cases::{Closing, Deed, NotAccepted, Procedure};
use hallmesh_protocol::ids::BodyId;

use super::args::Signer;
use super::case::record;
use super::report::Report;
use super::session::Session;
use super::values;
use crate::ops::{Content, Problem};
use crate::texts::Texts;

#[derive(Debug, Args)]
pub(super) struct Reasoned {
    case: String,
    #[command(flatten)]
    signer: Signer,
    #[arg(long, value_name = "TEXT")]
    note: String,
}

#[derive(Debug, Subcommand)]
pub(super) enum Act {
    Refuse {
        #[command(flatten)]
        reasoned: Reasoned,
        #[arg(long, value_name = "WORD", value_parser = values::ground)]
        ground: NotAccepted,
        #[arg(long, value_name = "USCC", value_parser = values::authority)]
        authority: Option<BodyId>,
    },
    Tolerate {
        #[command(flatten)]
        reasoned: Reasoned,
        #[arg(long, value_name = "N")]
        days: u16,
    },
    Promise(Reasoned),
    Check(Reasoned),
    Revoke(Reasoned),
    Supply(Reasoned),
    Pause {
        #[command(flatten)]
        reasoned: Reasoned,
        #[arg(long, value_name = "WORD", value_parser = values::procedure)]
        procedure: Procedure,
        #[arg(long, value_name = "N")]
        days: u16,
    },
    Resume(Reasoned),
    Extend {
        #[command(flatten)]
        reasoned: Reasoned,
        #[arg(long, value_name = "N")]
        days: u16,
    },
    Certify(Reasoned),
    Refer {
        #[command(flatten)]
        reasoned: Reasoned,
        #[arg(long, value_name = "USCC", value_parser = values::authority)]
        authority: BodyId,
    },
    Withdraw(Reasoned),
    Close {
        #[command(flatten)]
        reasoned: Reasoned,
        #[arg(long = "as", value_name = "WORD", value_parser = values::closing)]
        how: Closing,
    },
    Rectify {
        #[command(flatten)]
        reasoned: Reasoned,
        #[arg(long, value_name = "N")]
        event: u32,
    },
    Archive(Reasoned),
}

pub(super) fn run(session: &Session, act: &Act) -> Result<Report, Problem> {
    let (reasoned, deed) = act.parts();
    let refused = matches!(deed, Deed::RefuseAcceptance { .. } | Deed::Revoke);
    let note = &reasoned.note;
    let content = if refused { with_remedy(&session.texts, note) } else { Content::one("note", note) };
    record(session, &reasoned.case, deed, content, &reasoned.signer)
}

/// Reasons together with what the applicant can do against it: whoever is refused is told of both (行政许可法 38).
pub(super) fn with_remedy(texts: &Texts, note: &str) -> Content {
    Content::of([("note".to_owned(), note.to_owned()), ("remedy".to_owned(), texts.say("law.remedy", &[]))])
}

impl Act {
    fn parts(&self) -> (&Reasoned, Deed) {
        match self {
            Self::Refuse { reasoned, ground, authority } => {
                (reasoned, Deed::RefuseAcceptance { ground: *ground, authority: *authority })
            }
            Self::Tolerate { reasoned, days } => (reasoned, Deed::AcceptLacking { days: *days }),
            Self::Promise(reasoned) => (reasoned, Deed::AcceptPromise),
            Self::Check(reasoned) => (reasoned, Deed::Check),
            Self::Revoke(reasoned) => (reasoned, Deed::Revoke),
            Self::Supply(reasoned) => (reasoned, Deed::Supply),
            Self::Pause { reasoned, procedure, days } => {
                (reasoned, Deed::BeginProcedure { procedure: *procedure, days: *days })
            }
            Self::Resume(reasoned) => (reasoned, Deed::EndProcedure),
            Self::Extend { reasoned, days } => (reasoned, Deed::Extend { days: *days }),
            Self::Certify(reasoned) => (reasoned, Deed::Certify),
            Self::Refer { reasoned, authority } => (reasoned, Deed::Refer { authority: *authority }),
            Self::Withdraw(reasoned) => (reasoned, Deed::Withdraw),
            Self::Close { reasoned, how } => (reasoned, Deed::Close(*how)),
            Self::Rectify { reasoned, event } => (reasoned, Deed::Rectify { event: *event }),
            Self::Archive(reasoned) => (reasoned, Deed::Archive),
        }
    }
}
