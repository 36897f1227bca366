//! What the command line and the console ask of a running node, and what it answers.
//!
//! One closed enum each way, as JSON over the local socket. Questions are answered from a snapshot of the
//! store and never enter the loop; deeds go through the core as commands.

mod answers;
mod audit;
mod bundles;
mod calls;
mod client;
pub(crate) mod content;
mod declaration;
mod deeds;
mod durability;
mod events;
mod limits;
mod problem;
mod questions;
mod reading;
mod recovery;
mod revocation;
mod statements;
mod sticks;

pub use answers::*;
pub use audit::{Audit, AuditChecked, Forgotten, ForkSeen, Seen, WrongPlace};
pub(crate) use bundles::ANSWER_BYTES_MAX;
pub use bundles::{
    Application, BundleAsk, BundleReceived, BundleShown, FieldShown, ItemShown, QuestionShown, TaskOf,
    TaskShown, Together, Watch,
};
pub use calls::{Ask, Call, DecisionWord, Declared, ReasonWord, RoleWords};
pub use client::Client;
pub use content::Content;
pub use durability::{Copy, Overdue, Single, Standing};
pub use limits::{
    DueBundle, DueCase, DueComputed, DueCounts, DueDay, DueExplained, DueList, LimitExplained, TimeLimit,
};
pub(crate) use limits::{Pressing, pressing_now};
pub use problem::Problem;
pub use recovery::RecoverySecret;
pub use statements::{StatementAsk, StatementShown};

pub(crate) use deeds::{Deed, prepare, reply};
pub(crate) use durability::{is_kept_elsewhere, overdue_destinations};
pub(crate) use questions::{Asked, Live, answer, case, find, found, hex, limit, unhex};
