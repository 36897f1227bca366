//! Problems: a stable code and its parameters. The sentences are in the message catalogues.

use std::collections::BTreeMap;

use hallmesh_protocol::cases::{NoRoute, NotAllowed, NotTogether, Refusal};
use hallmesh_protocol::clerks::NotEntitled;
use hallmesh_protocol::post::Unfit;
use serde::{Deserialize, Serialize};

/// Why something was not done. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Names the entry in the message catalogues, such as `case.unknown`.
    pub code: String,
    /// What the sentence is filled with.
    pub params: BTreeMap<String, String>,
}

impl Problem {
    /// A problem without parameters.
    pub fn new(code: &str) -> Self {
        Self { code: code.to_owned(), params: BTreeMap::new() }
    }

    /// With a parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.params.insert(name.to_owned(), value.to_string());
        self
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Clerk(why) => why.into(),
            Refusal::Route(why) => why.into(),
            Refusal::Act(why) => why.into(),
            Refusal::Bundle(why) => why.into(),
            Refusal::Parcel(why) => why.into(),
            Refusal::Declaration(why) => why.into(),
            Refusal::UnknownCase => Self::new("case.unknown"),
            Refusal::ElsewhereInHand(at) => Self::new("case.elsewhere").with("hall", at.hall),
            Refusal::NotWitnessed => Self::new("case.not_witnessed"),
            Refusal::Recovering => Self::new("case.recovering"),
            Refusal::NotCountersigned => Self::new("case.not_countersigned"),
            Refusal::KeyRenewed => Self::new("case.key_renewed"),
            Refusal::DeemedAccepted(since) => Self::new("case.deemed_accepted").with("since", since),
            Refusal::TooEarly(until) => Self::new("case.too_early").with("until", until),
            Refusal::TooLong { most } => Self::new("case.too_long").with("most", most),
            Refusal::Overdue(due) => Self::new("case.overdue").with("due", due),
            Refusal::Authority => Self::new("case.authority"),
            Refusal::NoMatter => Self::new("case.no_matter"),
            Refusal::MayNotAccept => Self::new("case.may_not_accept"),
            Refusal::NothingMayBePromised => Self::new("case.nothing_may_be_promised"),
            Refusal::NothingMayFollow => Self::new("case.nothing_may_follow"),
            Refusal::MayNotIssue => Self::new("case.may_not_issue"),
            Refusal::InThisHand => Self::new("statement.in_this_hand"),
            Refusal::TooManyStatements => Self::new("statement.too_many"),
            Refusal::UnknownStatement => Self::new("statement.not_waiting"),
            Refusal::StatementWaits(statement) => Self::new("statement.waits").with("statement", statement),
            Refusal::CaseIdInUse => Self::new("case.id_in_use"),
            Refusal::TooLarge => Self::new("case.too_large"),
            Refusal::NoKeyForRoute => Self::new("case.no_key_for_route"),
            Refusal::NoCalendar => Self::new("lists.no_calendar"),
            Refusal::NotChartered => Self::new("hall.not_chartered"),
            Refusal::CharterExpired => Self::new("hall.charter_expired"),
            Refusal::RolledBack => Self::new("hall.rolled_back"),
            Refusal::Record { key, why } => {
                Self::new(&format!("record.{}", why.replace('-', "_"))).with("key", key)
            }
            Refusal::ClerkExists(number) => Self::new("clerk.exists").with("clerk", number),
            Refusal::BadCard => Self::new("clerk.bad_card"),
        }
    }
}

impl From<NotTogether> for Problem {
    fn from(why: NotTogether) -> Self {
        match why {
            NotTogether::UnknownBundle => Self::new("bundle.unknown"),
            NotTogether::UnknownNumber => Self::new("bundle.unknown_number"),
            NotTogether::Tasks => Self::new("bundle.other_tasks"),
            NotTogether::NotReady(task) => Self::new("bundle.not_ready").with("task", task),
            NotTogether::NotThese => Self::new("bundle.not_these"),
        }
    }
}

impl From<Unfit> for Problem {
    fn from(why: Unfit) -> Self {
        match why {
            Unfit::NotAParcel => Self::new("post.not_a_parcel"),
            Unfit::Newer => Self::new("post.newer"),
            Unfit::TooLarge => Self::new("post.too_large"),
            Unfit::Damaged => Self::new("post.damaged"),
            Unfit::UnknownWriter => Self::new("post.unknown_writer"),
            Unfit::Forged => Self::new("post.forged"),
            Unfit::Revoked => Self::new("post.revoked"),
            Unfit::Own => Self::new("post.own"),
            Unfit::DirectoryFirst => Self::new("post.directory_first"),
            Unfit::DirectoryMoved => Self::new("post.directory_moved"),
        }
    }
}

impl From<NotEntitled> for Problem {
    fn from(why: NotEntitled) -> Self {
        Self::new(match why {
            NotEntitled::Clerk => "clerk.unknown",
            NotEntitled::Role => "clerk.role",
            NotEntitled::Stale => "clerk.stale",
            NotEntitled::OnePerson => "clerk.one_person",
        })
    }
}

impl From<NoRoute> for Problem {
    fn from(why: NoRoute) -> Self {
        match why {
            NoRoute::UnknownMatter => Self::new("matter.unknown"),
            NoRoute::NoRight { level, body_name } => {
                Self::new("route.no_right").with("tier", level.as_str()).with("body", body_name)
            }
            NoRoute::OutsideArea => Self::new("route.outside_area"),
            NoRoute::PlaceTooWide { level } => Self::new("route.place_too_wide").with("tier", level.as_str()),
            NoRoute::NoHall { division } => Self::new("route.no_hall").with("division", division),
        }
    }
}

impl From<NotAllowed> for Problem {
    fn from(why: NotAllowed) -> Self {
        if let NotAllowed::WrongState(article) = why {
            return Self::new("act.wrong_state").with("article", article.word());
        }
        Self::new(match why {
            NotAllowed::Beginning => "act.beginning",
            NotAllowed::Chain => "act.chain",
            NotAllowed::NotCustodian => "act.not_custodian",
            NotAllowed::InTransit => "act.in_transit",
            NotAllowed::WrongHall => "act.wrong_hall",
            NotAllowed::WrongState(_) => "act.wrong_state",
            NotAllowed::NoReason => "act.no_reason",
            NotAllowed::NoClerk => "act.no_clerk",
            NotAllowed::Mirrors => "act.mirrors",
            NotAllowed::NoSuccessor => "act.no_successor",
            NotAllowed::Key => "act.key",
            NotAllowed::Full => "act.full",
            NotAllowed::Waits => "act.waits",
            NotAllowed::Answered => "statement.answered",
            NotAllowed::NoTask => "act.no_task",
        })
    }
}

impl From<crate::export::BadProof> for Problem {
    fn from(why: crate::export::BadProof) -> Self {
        Self::new(why.code())
    }
}

/// Errors of other rooms carry a stable code and parameters of their own.
macro_rules! coded {
    ($($error:path),+ $(,)?) => {$(
        impl From<$error> for Problem {
            fn from(why: $error) -> Self {
                Self { code: why.code().to_owned(), params: why.params() }
            }
        }
    )+};
}

coded!(
    crate::backup::BackupError,
    crate::enrol::EnrolError,
    crate::enrol::JoinError,
    crate::export::ExportError,
    crate::export::NotVerified,
    crate::home::HomeError,
);

impl From<crate::config::Finding> for Problem {
    fn from(finding: crate::config::Finding) -> Self {
        Self { code: finding.code.clone(), params: finding.detail.into_iter().collect() }
            .with("key", finding.key)
    }
}
