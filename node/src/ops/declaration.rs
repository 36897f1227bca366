//! What two persons declare: that another hall goes on for a lost one, that a disk is destroyed. What follows from it, and
//! the deed.

use hallmesh_protocol::cases::Stage;
use hallmesh_protocol::directory::{Declaration, Directory, NotDeclared};
use hallmesh_protocol::ids::{HallAt, HallId};
use hallmesh_protocol::query;
use hallmesh_protocol::record::Body;

use super::answers::{Counties, DeclarationPlan};
use super::questions::{Asked, name};
use super::revocation::{cases_of, desk, is_above, life};
use super::{Declared, Problem};

/// What would follow from a declaration, as far as this hall knows. Changes nothing.
pub(crate) fn plan(
    asked: &Asked<'_>,
    declared: Declared,
    incarnation: Option<u32>,
) -> Result<DeclarationPlan, Problem> {
    let directory = Directory::new(asked.view);
    let (hall, to) = declared.halls();
    let charter = life(&directory, hall, incarnation)?;
    let of = charter.at();
    let (cases, case_count) = cases_of(asked, of);
    let county = directory.is_voice(asked.at.hall, hall);
    let about = declared.about(of);
    let checked = if county {
        about.check_voice(&directory, asked.at.hall, asked.wall)
    } else {
        about.check(&directory)
    };
    let counties = directory.voices(of, to).filter(|_| county).map(|voices| Counties {
        spoken: voices.spoken.iter().map(ToString::to_string).collect(),
        divided: voices.divided.iter().map(ToString::to_string).collect(),
        heard: voices.heard.iter().map(ToString::to_string).collect(),
        needed: voices.needed,
    });
    Ok(DeclarationPlan {
        hall: hall.to_string(),
        name: charter.name.clone(),
        incarnation: of.incarnation,
        to: to.map(|to| to.to_string()),
        to_name: to.map(|to| name(asked.view, to)),
        stolen: matches!(declared, Declared::Stolen { .. }),
        may: county
            || is_above(asked.at.hall, hall)
                && to.is_none_or(|to| asked.at.hall.division().covers(to.division())),
        counties,
        obstacle: checked.err().map(Problem::from),
        cases,
        case_count,
        waiting: waiting_for(asked, of),
    })
}

/// The declaration, of the life named in full: two persons sign for one life and no other.
pub(crate) fn of(asked: &Asked<'_>, declared: Declared, incarnation: u32) -> Result<Declaration, Problem> {
    let (hall, _) = declared.halls();
    Ok(declared.about(life(&Directory::new(asked.view), hall, Some(incarnation))?.at()))
}

/// Whether what the root declares about a life is true as far as this hall knows. What stands already is heeded again.
pub(crate) fn may_be_heeded(asked: &Asked<'_>, body: &Body) -> Result<(), Problem> {
    let declaration = if let Body::Ruling(ruling) = body {
        Declaration::TakeOver { of: ruling.of, to: ruling.to }
    } else if let Body::Destruction(destruction) = body {
        Declaration::Destroyed { of: destruction.of }
    } else {
        return Ok(());
    };
    match declaration.check(&Directory::new(asked.view)) {
        Ok(()) | Err(NotDeclared::Before) => Ok(()),
        Err(why) => Err(why.into()),
    }
}

/// Cases that this hall recovers and for which the word of a life is missing.
fn waiting_for(asked: &Asked<'_>, of: HallAt) -> u64 {
    let recovering = desk(asked, Stage::Recovering).flatten();
    let waits = |case: &hallmesh_protocol::cases::Case| {
        query::recovery_waits_for(asked.view, asked.at, case).contains(&of)
    };
    let count =
        recovering.filter_map(|id| query::case(asked.view, id)).filter(|view| waits(&view.case)).count();
    u64::try_from(count).unwrap_or(u64::MAX)
}

impl Declared {
    fn halls(self) -> (HallId, Option<HallId>) {
        match self {
            Self::TakeOver { hall, to } | Self::Stolen { hall, to } => (hall, Some(to)),
            Self::Destroyed { hall } => (hall, None),
        }
    }

    fn about(self, of: HallAt) -> Declaration {
        match self {
            Self::TakeOver { to, .. } => Declaration::TakeOver { of, to },
            Self::Stolen { to, .. } => Declaration::Stolen { of, to },
            Self::Destroyed { .. } => Declaration::Destroyed { of },
        }
    }
}

impl From<NotDeclared> for Problem {
    fn from(why: NotDeclared) -> Self {
        let life = |code: &str, at: HallAt| {
            Self::new(code).with("hall", at.hall).with("incarnation", at.incarnation)
        };
        match why {
            NotDeclared::Lives(at) => life("declare.lives", at),
            NotDeclared::GoesOn(at) => life("declare.goes_on", at),
            NotDeclared::Nobody(hall) => Self::new("declare.nobody").with("hall", hall),
            NotDeclared::Ruled(hall) => Self::new("declare.ruled").with("hall", hall),
            NotDeclared::Counties(at) => life("declare.not_stolen", at),
            NotDeclared::LaterLife(at) => life("declare.later_life", at),
            NotDeclared::Before => Self::new("declare.before"),
        }
    }
}
