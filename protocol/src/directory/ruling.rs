//! What people decide where machines may not: who goes on with the cases of a hall that is lost, and that a disk
//! is gone for good (design section 7, points 5 and 8).
//!
//! Both are records: they stand for ever, none takes the place of another, and they count only for lives that have ended.
//! Software never makes one.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::admission::{above, rank};
use super::{Directory, Inadmissible};
use crate::ids::{ClerkId, Digest, HallAt, HallId};
use crate::planted::{Bug, planted};
use crate::record::{Body, Issuer, Record, Space};
use crate::rows;
use crate::signed::Signed;

/// How often what was ruled may be ruled on: the hall that went on for another can be lost, too.
const RULINGS_IN_A_ROW_MAX: usize = 8;

/// Two persons, or nobody where the holders of the root have signed.
pub type Declarers = Option<[ClerkId; 2]>;

/// A hall above both decides that another hall goes on with what a lost one had in hand, in its place (裁定接管).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    /// The last life of the hall that is lost; those before it are meant, too.
    pub of: HallAt,
    /// Who goes on.
    pub to: HallId,
    /// Who declared it.
    pub by: Declarers,
    /// Milliseconds since 1970.
    pub wall: u64,
}

/// The disk of a life is destroyed (灭失): nobody waits for its word any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destruction {
    /// The life.
    pub of: HallAt,
    /// Who declared it.
    pub by: Declarers,
    /// Milliseconds since 1970.
    pub wall: u64,
}

/// What two persons declare together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Declaration {
    /// Another hall goes on for a lost one.
    TakeOver {
        /// The last life of the hall that is lost.
        of: HallAt,
        /// Who goes on.
        to: HallId,
    },
    /// The machine of the city's own hall was stolen, and another hall goes on: what only the counties declare, who end its
    /// life with the same word.
    Stolen {
        /// The last life of the city's hall.
        of: HallAt,
        /// Who goes on.
        to: HallId,
    },
    /// A disk is destroyed.
    Destroyed {
        /// The life.
        of: HallAt,
    },
}

/// Why a declaration was not made. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum NotDeclared {
    /// The life has not ended.
    #[error("{0} has not ended")]
    Lives(HallAt),
    /// The hall has a later life, which goes on itself.
    #[error("{0} goes on itself")]
    GoesOn(HallAt),
    /// The hall that is to go on is not one of us.
    #[error("{0} is not one of us")]
    Nobody(HallId),
    /// Another hall goes on already.
    #[error("{0} goes on already")]
    Ruled(HallId),
    /// The hall had a later life: that one's loss is to be ruled on.
    #[error("{0} was not the last life")]
    LaterLife(HallAt),
    /// That a machine was stolen is said by revoking it, except where counties speak about the city's own hall.
    #[error("only counties say of {0} that it was stolen")]
    Counties(HallAt),
    /// It was declared before.
    #[error("it was declared before")]
    Before,
}

impl Declaration {
    /// The life, and who goes on for it, if that is what is declared.
    pub(super) const fn parts(self) -> (HallAt, Option<HallId>) {
        match self {
            Self::TakeOver { of, to } | Self::Stolen { of, to } => (of, Some(to)),
            Self::Destroyed { of } => (of, None),
        }
    }

    /// The life that it is about.
    pub const fn of(self) -> HallAt {
        self.parts().0
    }

    /// The record's body.
    pub fn body(self, by: Declarers, wall: u64) -> Body {
        match self {
            Self::TakeOver { of, to } | Self::Stolen { of, to } => Body::Ruling(Ruling { of, to, by, wall }),
            Self::Destroyed { of } => Body::Destruction(Destruction { of, by, wall }),
        }
    }

    /// Whether it would do what it says. More than a record must fulfil: sets must not depend on who heard what first.
    pub fn check(self, directory: &Directory<'_>) -> Result<(), NotDeclared> {
        let (of, to) = self.parts();
        if matches!(self, Self::Stolen { .. }) {
            return Err(NotDeclared::Counties(of));
        }
        if !directory.has_ended(of) {
            return Err(NotDeclared::Lives(of));
        }
        let Some(to) = to else {
            return if directory.is_destroyed(of) { Err(NotDeclared::Before) } else { Ok(()) };
        };
        match directory.present(of.hall) {
            Some(next) if directory.ruling(of).is_none() => return Err(NotDeclared::GoesOn(next)),
            Some(_) | None => {}
        }
        if to == of.hall || directory.present(to).is_none() {
            return Err(NotDeclared::Nobody(to));
        }
        // One that names a hall which is lost meanwhile stands all the same: that hall's own ruling leads on.
        match directory.ruling(of) {
            Some((_, ruling)) if ruling.to == to => Err(NotDeclared::Before),
            Some((_, ruling)) => Err(NotDeclared::Ruled(ruling.to)),
            None if directory.last_life(of.hall) != Some(of) => Err(NotDeclared::LaterLife(of)),
            None => Ok(()),
        }
    }
}

impl Ruling {
    pub(super) fn admissible(&self, directory: &Directory<'_>, issuer: Issuer) -> Result<(), Inadmissible> {
        declared(directory, issuer, (self.of, self.by))?;
        if self.to == self.of.hall {
            return Err(Inadmissible::Malformed);
        }
        directory.last_life(self.to).ok_or(Inadmissible::Issuer)?;
        match issuer {
            Issuer::Hall(by) if !by.hall.division().covers(self.to.division()) => {
                Err(Inadmissible::OutOfScope)
            }
            Issuer::Hall(_) | Issuer::Root => Ok(()),
        }
    }
}

impl Destruction {
    pub(super) fn admissible(&self, directory: &Directory<'_>, issuer: Issuer) -> Result<(), Inadmissible> {
        declared(directory, issuer, (self.of, self.by))
    }
}

/// A life that exists, by a hall above it and two of its clerks, or by the root.
fn declared(
    directory: &Directory<'_>,
    issuer: Issuer,
    (of, by): (HallAt, Declarers),
) -> Result<(), Inadmissible> {
    directory.card(of).ok_or(Inadmissible::Issuer)?;
    match (issuer, by) {
        (Issuer::Root, None) => Ok(()),
        (Issuer::Hall(at), Some([one, other])) => {
            if !persons_of(at.hall, [one, other]) {
                return Err(Inadmissible::Malformed);
            }
            if above(at.hall, of.hall) { Ok(()) } else { Err(Inadmissible::OutOfScope) }
        }
        (Issuer::Root, Some(_)) | (Issuer::Hall(_), None) => Err(Inadmissible::Malformed),
    }
}

/// Whether they are two persons of a hall.
pub(super) fn persons_of(hall: HallId, [one, other]: [ClerkId; 2]) -> bool {
    one != other && [one, other].iter().all(|it| it.hall == hall && !it.is_node())
}

impl Directory<'_> {
    /// The ruling that covers a life, with the SHA-256 of its record: of the first life from it on that one was made of.
    /// Where several halls have ruled, the word of the highest counts; of what counties have decided, the first.
    pub fn ruling(&self, of: HallAt) -> Option<(Digest, Ruling)> {
        let weight = |it: &Ruled| {
            let by = rank(it.issuer);
            (it.ruling.of.incarnation, by.is_some(), it.since, by, it.ruling.to)
        };
        if planted(Bug::RulingIgnored) {
            return None;
        }
        let counts = |it: &Ruled| it.ruling.of.incarnation >= of.incarnation && self.has_ended(it.ruling.of);
        let ruled = self.rulings(of.hall).into_iter().filter(counts).min_by_key(weight)?;
        Some((ruled.digest, ruled.ruling))
    }

    /// Whether the disk of a life that has ended was declared destroyed.
    pub fn is_destroyed(&self, of: HallAt) -> bool {
        let mut found = false;
        self.scan_stated(&format!("destroyed/{of}"), &mut |_, record| {
            found |= matches!(&record.body, Body::Destruction(destruction) if destruction.of == of);
        });
        let found = found || self.destroyed_by_voices(of);
        found && self.has_ended(of) && !planted(Bug::DestructionIgnored)
    }

    /// Whether rulings lead from a hall that is lost to another: what that one signs in its place is lawful, whoever
    /// else has been named since. Each hall is looked at once at the most.
    pub(crate) fn leads(&self, of: HallAt, to: HallId) -> bool {
        let (mut open, mut heirs) = (vec![of], BTreeSet::new());
        while let Some(of) = open.pop() {
            let ruled = self.rulings(of.hall).into_iter().map(|it| it.ruling);
            let covers = ruled.filter(|it| it.of.incarnation >= of.incarnation && self.has_ended(it.of));
            let fresh = covers.map(|ruling| ruling.to).filter(|heir| heirs.insert(*heir));
            open.extend(fresh.map(|hall| HallAt { hall, incarnation: 1 }));
        }
        heirs.contains(&to)
    }

    /// Who acts in the place of a hall: its present life, or else whoever was ruled to.
    pub fn in_place_of(&self, hall: HallId) -> Option<HallAt> {
        let mut place = hall;
        for _ in 0..RULINGS_IN_A_ROW_MAX {
            if let Some(at) = self.present(place) {
                return Some(at);
            }
            place = self.ruling(self.last_life(place)?)?.1.to;
        }
        None
    }

    /// The hall of a life, and those that were ruled to go on for it, one after the other.
    pub(crate) fn heirs(&self, life: HallAt) -> Vec<HallId> {
        let (mut halls, mut of) = (vec![life.hall], life);
        for _ in 0..RULINGS_IN_A_ROW_MAX {
            let Some((_, ruling)) = self.ruling(of) else { break };
            halls.push(ruling.to);
            let last = self.last_life(ruling.to).filter(|last| self.has_ended(*last));
            let Some(last) = last else { break };
            of = last;
        }
        halls
    }

    fn rulings(&self, of: HallId) -> Vec<Ruled> {
        let mut found = self.ruled_by_voices(of);
        self.scan_stated(&format!("ruling/{of}#"), &mut |digest, record| {
            if let Body::Ruling(ruling) = &record.body {
                found.push(Ruled { digest, issuer: record.issuer, since: 0, ruling: ruling.clone() });
            }
        });
        found
    }

    /// The records under a prefix that count: not what a stolen machine's key has written.
    fn scan_stated(&self, prefix: &str, visit: &mut dyn FnMut(Digest, &Record)) {
        self.view.scan(&rows::record(Space::Directory, prefix), &[], &mut |key, value| {
            let signed: Signed<Record> = rows::parse(key, value);
            let (digest, record) = (signed.digest(), signed.trusted().ok());
            if let Some(record) = record.filter(|record| self.is_trusted(record.value().issuer)) {
                visit(digest, record.value());
            }
            true
        });
    }

    /// The records under a prefix, whatever they are worth.
    pub(super) fn scan_said(&self, prefix: &str, visit: &mut dyn FnMut(&Record)) {
        self.view.scan(&rows::record(Space::Directory, prefix), &[], &mut |key, value| {
            let signed: Signed<Record> = rows::parse(key, value);
            if let Ok(record) = signed.trusted() {
                visit(record.value());
            }
            true
        });
    }
}

/// A ruling as it stands in the directory.
pub(super) struct Ruled {
    pub(super) digest: Digest,
    pub(super) issuer: Issuer,
    /// Of several that counties have decided the first stands. Zero of a hall's own ruling.
    pub(super) since: u64,
    pub(super) ruling: Ruling,
}
