//! Questions about the Merkle logs of halls, and their answers.

use hallmesh_protocol::audit::{self, Fork, Forked, NotProvable, Rechecked, Subject};
use hallmesh_protocol::ids::{CaseId, Digest, HallAt};
use hallmesh_protocol::query;
use hallmesh_protocol::record::Issuer;
use hallmesh_protocol::step::View;
use serde::{Deserialize, Serialize};

use super::questions::{Asked, find, name};
use super::{Answer, Problem};
use crate::export::ProofFile;

/// Checkpoints of others, and forks, that one answer shows at the most.
const SHOWN_MAX: usize = 1_000;

/// What is known of this hall's log, of those of others, and of forks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// This hall's code.
    pub hall: String,
    /// Its life.
    pub incarnation: u32,
    /// Leaves of its log.
    pub size: u64,
    /// The root over them, in hex.
    pub root: String,
    /// The last checkpoint it signed.
    pub checkpoint: Option<Seen>,
    /// What others have cosigned of it, the newest of each.
    pub cosigned: Vec<Seen>,
    /// The newest checkpoints that others have shown here.
    pub witnessed: Vec<Seen>,
    /// Forks that are known, anywhere in the city.
    pub forks: Vec<ForkSeen>,
    /// What this hall has forgotten, if it has.
    pub rolled_back: Option<Forgotten>,
}

/// A checkpoint: how far a log has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The hall that signed this, or that it is of.
    pub hall: String,
    /// Its name.
    pub name: String,
    /// Its life.
    pub incarnation: u32,
    /// Leaves.
    pub size: u64,
    /// The root over them, in hex.
    pub root: String,
    /// Milliseconds since 1970 when it was signed.
    pub wall: u64,
}

/// Two signed things of one life that exclude each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForkSeen {
    /// Who has signed both.
    pub hall: String,
    /// Its name.
    pub name: String,
    /// Its life.
    pub incarnation: u32,
    /// The case, if it lies in one: its number, or its id where this hall does not have it.
    pub case: Option<String>,
    /// The event's place in the case, or the size of the log.
    pub place: u64,
    /// Who stated it.
    pub stated_by: Option<String>,
}

/// This hall's disk is older than its own word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgotten {
    /// Who showed it.
    pub shown_by: String,
    /// Their name.
    pub shown_by_name: String,
    /// Leaves that its log has.
    pub size: u64,
    /// Leaves that it has signed for.
    pub signed: u64,
    /// Milliseconds since 1970 when it was shown.
    pub wall: u64,
}

/// How far a check of this hall's log has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditChecked {
    /// Leaves of the log.
    pub size: u64,
    /// Leaves that were checked and hold, from the first.
    pub checked: u64,
    /// The first place that is wrong.
    pub wrong: Option<WrongPlace>,
}

/// A place in the log that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrongPlace {
    /// Which, from 0.
    pub place: u64,
    /// What is wrong, as a stable word.
    pub what: String,
    /// The case of the leaf there, if it can be read.
    pub case: Option<String>,
    /// The event's place in it.
    pub sequence: Option<u32>,
}

pub(super) fn show(asked: &Asked<'_>) -> Audit {
    let (view, at) = (asked.view, asked.at);
    let size = audit::size(view, at);
    let own = audit::newest(view, at).map(|last| *last.value());
    let cosigned = audit::cosignatures(view, at).into_iter().filter_map(|it| it.cosignature.peek().ok());
    let cosigned = cosigned.map(|it| seen(view, it.by, it.size, &it.root, it.wall)).collect();
    let witnessed = audit::witnesses(view, SHOWN_MAX).into_iter().filter_map(|it| it.checkpoint.peek().ok());
    Audit {
        hall: at.hall.to_string(),
        incarnation: at.incarnation,
        size,
        root: audit::root(view, at, size).map(|root| root.to_string()).unwrap_or_default(),
        checkpoint: own.map(|it| seen(view, it.at, it.size, &it.root, it.wall)),
        cosigned,
        witnessed: witnessed.map(|it| seen(view, it.at, it.size, &it.root, it.wall)).collect(),
        forks: forks(view, None),
        rolled_back: forgotten(view),
    }
}

/// The forks that are known: all, or those of one case.
pub(super) fn forks(view: &dyn View, of: Option<CaseId>) -> Vec<ForkSeen> {
    let known = audit::known_forks(view, SHOWN_MAX).into_iter();
    let of_case =
        |forked: &Forked| of.is_none_or(|of| matches!(forked, Forked::Case { case, .. } if *case == of));
    known.filter(|(_, forked, ..)| of_case(forked)).map(|fork| fork_seen(view, fork)).collect()
}

/// What this hall has forgotten, if it has.
pub(super) fn forgotten(view: &dyn View) -> Option<Forgotten> {
    let found = query::rolled_back(view)?;
    Some(Forgotten {
        shown_by: found.shown_by.to_string(),
        shown_by_name: name(view, found.shown_by),
        size: found.size,
        signed: found.checkpoint.peek().map_or(0, |checkpoint| checkpoint.size),
        wall: found.wall,
    })
}

pub(super) fn check(asked: &Asked<'_>, from: u64, count: usize) -> AuditChecked {
    let Rechecked { size, checked, wrong } = audit::recheck(asked.view, asked.at, from, count);
    let wrong = wrong.map(|(place, wrong, leaf)| {
        let of = leaf.map(|leaf| leaf.of);
        let sequence = of.and_then(|of| match of {
            Subject::Event { sequence, .. } | Subject::Receipt { sequence, .. } => Some(sequence),
            Subject::Statement { .. } => None,
        });
        let case = of.map(|of| match of {
            Subject::Event { case, .. } | Subject::Receipt { case, .. } => case_name(asked.view, case),
            Subject::Statement { number } => number.to_string(),
        });
        WrongPlace { place, what: wrong.word().to_owned(), case, sequence }
    });
    AuditChecked { size, checked, wrong }
}

pub(super) fn prove(asked: &Asked<'_>, case: &str, sequence: u32) -> Result<Answer, Problem> {
    let found = find(asked.view, case)?;
    let file = ProofFile::make(asked.view, asked.at, found.case.id, sequence)?;
    Ok(Answer::AuditProof { file: Box::new(file) })
}

impl From<NotProvable> for Problem {
    fn from(why: NotProvable) -> Self {
        match why {
            NotProvable::UnknownEvent => Self::new("audit.unknown_event"),
            NotProvable::Elsewhere(at) => Self::new("audit.elsewhere").with("hall", at),
            NotProvable::NotYet => Self::new("audit.not_yet"),
        }
    }
}

fn seen(view: &dyn View, at: HallAt, size: u64, root: &Digest, wall: u64) -> Seen {
    let (hall, incarnation) = (at.hall.to_string(), at.incarnation);
    Seen { hall, name: name(view, at.hall), incarnation, size, root: root.to_string(), wall }
}

fn fork_seen(view: &dyn View, (at, forked, _, issuer): (HallAt, Forked, Fork, Issuer)) -> ForkSeen {
    let (case, place) = match forked {
        Forked::Case { case, sequence } => (Some(case_name(view, case)), u64::from(sequence)),
        Forked::Log { size } => (None, size),
    };
    let stated_by = match issuer {
        Issuer::Root => None,
        Issuer::Hall(by) => Some(by.hall.to_string()),
    };
    let (hall, incarnation) = (at.hall.to_string(), at.incarnation);
    ForkSeen { hall, name: name(view, at.hall), incarnation, case, place, stated_by }
}

fn case_name(view: &dyn View, case: CaseId) -> String {
    query::case(view, case).map_or_else(|| case.to_string(), |view| view.case.number.to_string())
}
