//! Charters: what a hall above, or the root, gives to a hall that asks.
//!
//! The recovery key a charter names opens the hall's case keys after its machine is lost. Whoever issues
//! can recover: charters of the root name the root's recovery key, whose secret is offline; charters of a
//! hall name that hall's own wrapping key, until superiors have an offline recovery key of their own.
//!
//! The root keeps the last charter of each hall in `issued/`, so that a second charter of a hall follows the
//! first instead of contradicting it, and a superior that has just been issued is found there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hallmesh_protocol::calendar::CivilDay;
use hallmesh_protocol::directory::{Charter, Directory, Enrolment, Inadmissible};
use hallmesh_protocol::ids::{Digest, DivisionCode, HallAt, HallId, Tier};
use hallmesh_protocol::record::{Body, Issuer, Record};
use hallmesh_protocol::seal::{SecretKey, WrapPublic};
use hallmesh_protocol::signed::{Signed, Verified};
use hallmesh_protocol::step::View;
use thiserror::Error;

use super::armour::{ArmourError, TEXT_MAX};
use super::found::{Root, RootError, holders_in};
use super::papers::{Papers, PapersError};
use super::request::{RequestError, hall_of};
use crate::home::{HomeError, files};

/// A charter lasts ten years at the most.
pub const VALIDITY_DAYS_MAX: u16 = 3_650;

const ISSUED: &str = "issued";
const DAY_MS: u64 = 24 * 3_600_000;

/// What the issuer lays down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Which life of the hall's node; 1 for a new hall, one more for each new installation.
    pub incarnation: u32,
    /// Milliseconds since 1970 from which the charter is valid.
    pub valid_from: u64,
    /// For how many days.
    pub days: u16,
}

impl Terms {
    fn valid_to(&self) -> u64 {
        self.valid_from.saturating_add(u64::from(self.days).saturating_mul(DAY_MS))
    }

    fn check(&self) -> Result<(), IssueError> {
        if self.incarnation == 0 {
            return Err(IssueError::Incarnation);
        }
        let (days, max) = (self.days, VALIDITY_DAYS_MAX);
        if (1..=max).contains(&days) { Ok(()) } else { Err(IssueError::Validity { days, max }) }
    }
}

/// Why a charter was not issued. Nothing was changed.
#[derive(Debug, Error)]
pub enum IssueError {
    /// The disk.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The request.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// There is no root in this directory.
    #[error("no root in {}", dir.display())]
    NoRoot {
        /// Which directory.
        dir: PathBuf,
    },
    /// A file of the root.
    #[error("{}: {cause}", path.display())]
    RootFile {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        cause: ArmourError,
    },
    /// A key is another root's.
    #[error("{} belongs to another root", path.display())]
    OtherRootsKey {
        /// Which file.
        path: PathBuf,
    },
    /// Too few holders are here.
    #[error("{found} of {needed} holders")]
    TooFewHolders {
        /// Keys found.
        found: usize,
        /// Keys needed.
        needed: u8,
    },
    /// The hall is not in this city.
    #[error("{hall} is not in {city}")]
    OtherCity {
        /// The hall.
        hall: HallId,
        /// The root's city.
        city: DivisionCode,
    },
    /// The root has no papers of the life that is to end.
    #[error("no papers of {hall} are here")]
    PapersMissing {
        /// The hall.
        hall: HallId,
    },
    /// Nothing is known of a hall above.
    #[error("no hall above {hall} is known")]
    SuperiorMissing {
        /// The hall.
        hall: HallId,
    },
    /// The superior's card is another root's.
    #[error("{superior} belongs to another root")]
    SuperiorsRoot {
        /// The superior.
        superior: HallId,
    },
    /// The superior's card does not hold.
    #[error("the card of {superior} does not hold: {cause}")]
    Superior {
        /// The superior.
        superior: HallId,
        /// What is wrong with it.
        cause: PapersError,
    },
    /// The superior is not above the hall.
    #[error("{superior} is not above {hall}")]
    NotAbove {
        /// Who was to be the superior.
        superior: HallId,
        /// The hall.
        hall: HallId,
    },
    /// The hall asks with a key that another hall has: a copied machine.
    #[error("{hall} asks with a key of {holder}")]
    KeyInUse {
        /// The hall.
        hall: HallId,
        /// Whose key it is.
        holder: HallId,
    },
    /// The hall that was to issue has no charter, or a later life of it has.
    #[error("{at} has no charter here")]
    NotChartered {
        /// The hall that was to issue.
        at: HallAt,
    },
    /// This life of the hall was revoked.
    #[error("{at} was revoked")]
    LifeRevoked {
        /// The hall and its life.
        at: HallAt,
    },
    /// This life of the hall was chartered with other keys.
    #[error("{at} was chartered with other keys")]
    OtherKeys {
        /// The hall and its life.
        at: HallAt,
    },
    /// A later life of the hall was chartered already.
    #[error("{held} was chartered already")]
    LaterLife {
        /// The life that is chartered.
        held: HallAt,
    },
    /// What is kept of the last charter is damaged.
    #[error("{}: {cause}", path.display())]
    Register {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        cause: PapersError,
    },
    /// A validity out of bounds.
    #[error("{days} days, 1 to {max} are possible")]
    Validity {
        /// Days asked for.
        days: u16,
        /// The limit.
        max: u16,
    },
    /// Lives are counted from 1.
    #[error("incarnations are counted from 1")]
    Incarnation,
    /// The charter contradicts itself.
    #[error("such a charter cannot be: {0}")]
    Charter(#[from] Inadmissible),
    /// What was signed does not hold.
    #[error("the new charter does not hold: {0}")]
    Papers(#[from] PapersError),
}

impl IssueError {
    /// Stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Home(cause) => cause.code(),
            Self::Request(cause) => cause.code(),
            Self::Papers(cause) => cause.code(),
            Self::NoRoot { .. } => "enrol.issue.no_root",
            Self::RootFile { .. } => "enrol.issue.root_file",
            Self::OtherRootsKey { .. } => "enrol.issue.other_roots_key",
            Self::TooFewHolders { .. } => "enrol.issue.too_few_holders",
            Self::OtherCity { .. } => "enrol.issue.other_city",
            Self::PapersMissing { .. } => "enrol.issue.papers_missing",
            Self::SuperiorMissing { .. } => "enrol.issue.superior_missing",
            Self::SuperiorsRoot { .. } => "enrol.issue.superiors_root",
            Self::Superior { .. } => "enrol.issue.superior",
            Self::NotAbove { .. } => "enrol.issue.not_above",
            Self::KeyInUse { .. } => "enrol.issue.key_in_use",
            Self::NotChartered { .. } => "enrol.issue.not_chartered",
            Self::LifeRevoked { .. } => "enrol.issue.life_revoked",
            Self::OtherKeys { .. } => "enrol.issue.other_keys",
            Self::LaterLife { .. } => "enrol.issue.later_life",
            Self::Register { .. } => "enrol.issue.register",
            Self::Validity { .. } => "enrol.issue.validity",
            Self::Incarnation => "enrol.issue.incarnation",
            Self::Charter(_) => "enrol.issue.charter",
        }
    }

    /// Parameters of the sentence under [`IssueError::code`].
    pub fn params(&self) -> BTreeMap<String, String> {
        let found = match self {
            Self::Home(cause) => return cause.params(),
            Self::Request(cause) => return cause.params(),
            Self::Papers(cause) => return cause.params(),
            Self::NoRoot { dir } => vec![("dir", dir.display().to_string())],
            Self::RootFile { path, cause } => {
                vec![("path", path.display().to_string()), ("reason", cause.to_string())]
            }
            Self::OtherRootsKey { path } => vec![("path", path.display().to_string())],
            Self::TooFewHolders { found, needed } => {
                vec![("found", found.to_string()), ("needed", needed.to_string())]
            }
            Self::OtherCity { hall, city } => vec![("hall", hall.to_string()), ("city", city.to_string())],
            Self::PapersMissing { hall } | Self::SuperiorMissing { hall } => vec![("hall", hall.to_string())],
            Self::SuperiorsRoot { superior } => vec![("superior", superior.to_string())],
            Self::Superior { superior, cause } => {
                vec![("superior", superior.to_string()), ("reason", cause.to_string())]
            }
            Self::NotAbove { superior, hall } => {
                vec![("superior", superior.to_string()), ("hall", hall.to_string())]
            }
            Self::KeyInUse { hall, holder } => {
                vec![("hall", hall.to_string()), ("holder", holder.to_string())]
            }
            Self::NotChartered { at } => vec![("superior", at.to_string())],
            Self::OtherKeys { at } | Self::LaterLife { held: at } | Self::LifeRevoked { at } => vec![
                ("hall", at.hall.to_string()),
                ("incarnation", at.incarnation.to_string()),
                ("next", at.incarnation.saturating_add(1).to_string()),
            ],
            Self::Register { path, cause } => {
                vec![("path", path.display().to_string()), ("reason", cause.to_string())]
            }
            Self::Validity { days, max } => vec![("days", days.to_string()), ("max", max.to_string())],
            Self::Incarnation => Vec::new(),
            Self::Charter(cause) => vec![("reason", cause.to_string())],
        };
        found.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

impl From<RootError> for IssueError {
    fn from(cause: RootError) -> Self {
        match cause {
            RootError::Home(cause) => Self::Home(cause),
            RootError::File { path, cause } => Self::RootFile { path, cause },
            RootError::OtherRoot { path } => Self::OtherRootsKey { path },
        }
    }
}

/// The charter a request asks for. Its `recovery` key is the issuer's (see the module).
pub fn charter(
    request: &Enrolment,
    parent: Option<HallId>,
    recovery: &WrapPublic,
    terms: &Terms,
) -> Result<Charter, IssueError> {
    terms.check()?;
    let hall = hall_of(request)?;
    let charter = Charter {
        hall,
        incarnation: terms.incarnation,
        name: request.name.clone(),
        tier: hall.tier(),
        parent,
        transport_key: request.transport_key,
        event_key: request.event_key,
        wrap_key: request.wrap_key.clone(),
        sm2_key: None,
        recovery_key: recovery.clone(),
        scope: hall.division(),
        valid_from: terms.valid_from,
        valid_to: terms.valid_to(),
    };
    charter.check()?;
    Ok(charter)
}

/// The charter the hall `by` gives to a hall under it, by the directory in `view`: to be published as its
/// record.
pub(super) fn by_hall(
    view: &dyn View,
    by: HallAt,
    request: &Verified<Enrolment>,
    terms: &Terms,
) -> Result<Charter, IssueError> {
    let (directory, request) = (Directory::new(view), request.value());
    let hall = hall_of(request)?;
    let superior = directory.charter(by.hall).filter(|_| directory.present(by.hall) == Some(by));
    let superior = superior.ok_or(IssueError::NotChartered { at: by })?;
    refuse_not_above(&superior, hall)?;
    refuse_keys_of(&superior, hall, request)?;
    refuse_keys_in(&directory, hall, request)?;
    let charter = charter(request, Some(by.hall), &superior.wrap_key, terms)?;
    if let Some(held) = directory.charter(hall) {
        refuse_contradiction(&held, &charter)?;
    }
    let at = charter.at();
    if directory.is_revoked(at) { Err(IssueError::LifeRevoked { at }) } else { Ok(charter) }
}

/// Issues a charter as the city's root: for the city's own halls, the counties', and any other. `superior`
/// is the card of the hall above; without one, the hall above is looked for among those the root has issued.
pub(super) fn by_root(
    root_dir: &Path,
    request: &Verified<Enrolment>,
    superior: Option<&Papers>,
    terms: &Terms,
    wall: u64,
) -> Result<Papers, IssueError> {
    let root = open_root(root_dir)?;
    let _lock = files::lock(root_dir)?;
    let (request, register) = (request.value(), Register::of(root_dir));
    let hall = hall_of(request)?;
    if !root.policy.city.covers(hall.division()) {
        return Err(IssueError::OtherCity { hall, city: root.policy.city });
    }
    let above = match superior {
        _ if hall.tier() == Tier::City => None,
        Some(card) => Some(card.clone()),
        None => Some(register.above(hall)?),
    };
    if let Some(above) = &above {
        refuse_superior(&root, above, hall, wall)?;
        refuse_keys_of(above.charter(), hall, request)?;
    }
    let parent = above.as_ref().map(|above| above.charter().hall);
    let charter = charter(request, parent, &root.recovery_key, terms)?;
    let (version, previous) = register.follows(&charter)?;
    let holders = enough_holders(root_dir, &root)?;
    let signed = sign(Body::Charter(Box::new(charter)), version, previous, &holders);
    let papers = match above {
        Some(above) => above.with_charter(signed)?,
        None => Papers::new(vec![root.record.clone(), signed])?,
    };
    papers.verify(root.anchor(), wall)?;
    register.keep(&papers)?;
    Ok(papers)
}

pub(super) fn open_root(dir: &Path) -> Result<Root, IssueError> {
    match Root::open(dir) {
        Err(RootError::Home(HomeError::NoFile { .. })) => Err(IssueError::NoRoot { dir: dir.to_owned() }),
        root => Ok(root?),
    }
}

pub(super) fn enough_holders(dir: &Path, root: &Root) -> Result<Vec<(u8, SecretKey)>, IssueError> {
    let (mut holders, needed) = (holders_in(dir, root)?, root.policy.threshold);
    if holders.len() < usize::from(needed) {
        return Err(IssueError::TooFewHolders { found: holders.len(), needed });
    }
    holders.truncate(usize::from(needed));
    Ok(holders)
}

pub(super) fn sign(
    body: Body,
    version: u32,
    previous: Digest,
    holders: &[(u8, SecretKey)],
) -> Signed<Record> {
    let record =
        Record { issuer: Issuer::Root, version, previous, withdrawn: false, effective_from: 0, body };
    let keys: Vec<(u8, &SecretKey)> = holders.iter().map(|(place, key)| (*place, key)).collect();
    Signed::sign(&record, &keys)
}

fn refuse_superior(root: &Root, above: &Papers, hall: HallId, wall: u64) -> Result<(), IssueError> {
    let superior = above.charter().hall;
    if above.anchor() != root.anchor() {
        return Err(IssueError::SuperiorsRoot { superior });
    }
    above.verify(root.anchor(), wall).map_err(|cause| IssueError::Superior { superior, cause })?;
    refuse_not_above(above.charter(), hall)
}

fn refuse_not_above(superior: &Charter, hall: HallId) -> Result<(), IssueError> {
    let above = superior.tier < hall.tier() && superior.scope.covers(hall.division());
    if above { Ok(()) } else { Err(IssueError::NotAbove { superior: superior.hall, hall }) }
}

fn refuse_keys_of(holder: &Charter, hall: HallId, request: &Enrolment) -> Result<(), IssueError> {
    let theirs = [holder.transport_key, holder.event_key];
    let copied = [request.transport_key, request.event_key].iter().any(|key| theirs.contains(key))
        || request.wrap_key == holder.wrap_key;
    if copied { Err(IssueError::KeyInUse { hall, holder: holder.hall }) } else { Ok(()) }
}

/// No machine is two halls: a key of the directory is not chartered for another hall.
fn refuse_keys_in(directory: &Directory<'_>, hall: HallId, request: &Enrolment) -> Result<(), IssueError> {
    let keys = [request.transport_key, request.event_key];
    let holder = directory.halls().into_iter().find(|card| {
        card.at.hall != hall && (keys.contains(&card.transport_key) || keys.contains(&card.event_key))
    });
    holder.map_or(Ok(()), |card| Err(IssueError::KeyInUse { hall, holder: card.at.hall }))
}

/// A life once chartered keeps its keys, and lives are not taken back.
fn refuse_contradiction(held: &Charter, charter: &Charter) -> Result<(), IssueError> {
    if held.incarnation > charter.incarnation {
        return Err(IssueError::LaterLife { held: held.at() });
    }
    let same_keys = held.transport_key == charter.transport_key
        && held.event_key == charter.event_key
        && held.wrap_key == charter.wrap_key;
    if held.incarnation == charter.incarnation && !same_keys {
        return Err(IssueError::OtherKeys { at: held.at() });
    }
    Ok(())
}

/// What the root has issued: the last bundle of each hall.
pub(super) struct Register {
    dir: PathBuf,
}

impl Register {
    /// What the root in a directory has issued.
    pub(super) fn of(root_dir: &Path) -> Self {
        Self { dir: root_dir.join(ISSUED) }
    }

    /// The nearest hall above that a charter was issued to.
    fn above(&self, hall: HallId) -> Result<Papers, IssueError> {
        for division in hall.division().ancestors() {
            if let Some(papers) = self.last(HallId::main(division))? {
                return Ok(papers);
            }
        }
        Err(IssueError::SuperiorMissing { hall })
    }

    /// Version and predecessor of a new charter, if it may follow the last one.
    fn follows(&self, charter: &Charter) -> Result<(u32, Digest), IssueError> {
        let Some(last) = self.last(charter.hall)? else { return Ok((1, Digest([0; 32]))) };
        refuse_contradiction(last.charter(), charter)?;
        let (version, digest) = last.version();
        Ok((version.saturating_add(1), digest))
    }

    /// Keeps a bundle before it is given away.
    fn keep(&self, papers: &Papers) -> Result<(), IssueError> {
        let text = papers.bundle().map_err(PapersError::File)?;
        files::make_dir(&self.dir)?;
        Ok(files::write(&self.path(papers.charter().hall), text.as_bytes())?)
    }

    pub(super) fn last(&self, hall: HallId) -> Result<Option<Papers>, IssueError> {
        let path = self.path(hall);
        let text = match files::read(&path, u64::try_from(TEXT_MAX).unwrap_or(u64::MAX)) {
            Err(HomeError::NoFile { .. }) => return Ok(None),
            text => text?,
        };
        let papers = std::str::from_utf8(&text).ok().ok_or(PapersError::File(ArmourError::NotOurs));
        match papers.and_then(Papers::read_bundle) {
            Ok(papers) if papers.charter().hall == hall => Ok(Some(papers)),
            Ok(_) => Err(IssueError::Register { path, cause: PapersError::Incomplete }),
            Err(cause) => Err(IssueError::Register { path, cause }),
        }
    }

    fn path(&self, hall: HallId) -> PathBuf {
        self.dir.join(format!("{hall}.hm"))
    }
}

/// The day on which a moment falls, as the errors tell it.
pub(super) fn day(wall: u64) -> String {
    CivilDay::of_wall(wall).to_string()
}
