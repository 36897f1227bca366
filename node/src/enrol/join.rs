//! A hall joins its city: with the bundle that answers its request, after its staff have confirmed the root.

use std::collections::BTreeMap;
use std::path::Path;

use hallmesh_protocol::directory::Charter;
use hallmesh_protocol::genesis;
use hallmesh_protocol::ids::{Digest, HallAt, HallId};
use hallmesh_protocol::step::Writes;
use thiserror::Error;

use super::fingerprint;
use super::issue::day;
use super::papers::{Papers, PapersError};
use crate::home::{Home, HomeError, Secret, files};
use crate::store::{Store, StoreError, guarded, unwind};

/// By how much this machine's clock may be behind the issuer's.
const CLOCK_BEHIND_MAX_MS: u64 = 24 * 3_600_000;

/// One of a hall's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyKind {
    /// The key of its lines.
    Transport,
    /// The key of its events.
    Event,
    /// The key that case keys are wrapped to.
    Wrap,
}

impl KeyKind {
    /// The word for it, as in the name of its file.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Transport => "transport",
            Self::Event => "event",
            Self::Wrap => "wrap",
        }
    }
}

/// Why a hall did not join. Nothing was written, except by [`JoinError::Store`], which leaves no database.
#[derive(Debug, Error)]
pub enum JoinError {
    /// This home has joined already.
    #[error("{hall} has joined already")]
    AlreadyJoined {
        /// The hall.
        hall: HallId,
    },
    /// The bundle.
    #[error(transparent)]
    Papers(#[from] PapersError),
    /// The bundle's root is not the one that was confirmed.
    #[error("the root is {found}")]
    WrongRoot {
        /// The root's fingerprint.
        found: String,
    },
    /// The bundle is another hall's.
    #[error("for {found}, and this is {own}")]
    WrongHall {
        /// For whom it is.
        found: HallId,
        /// Who this is.
        own: HallId,
    },
    /// The bundle answers a request that was made with other keys.
    #[error("for another {} key", key.word())]
    OtherKeys {
        /// The first key that differs.
        key: KeyKind,
    },
    /// The charter has run out.
    #[error("the charter ran out on {on}")]
    Expired {
        /// Its last day.
        on: String,
    },
    /// The charter is not valid yet, or this machine's clock is wrong.
    #[error("the charter is valid from {from}, and today is {today}")]
    NotYetValid {
        /// Its first day.
        from: String,
        /// The day by this machine's clock.
        today: String,
    },
    /// The home.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The rows that are here do not say whose they are.
    #[error("the rows here are of no hall that this build knows")]
    Rows,
    /// The database could not be made or read.
    #[error(transparent)]
    Store(StoreError),
}

impl JoinError {
    /// Stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Papers(cause) => cause.code(),
            Self::Home(cause) => cause.code(),
            Self::AlreadyJoined { .. } => "enrol.join.already_joined",
            Self::WrongRoot { .. } => "enrol.join.wrong_root",
            Self::WrongHall { .. } => "enrol.join.wrong_hall",
            Self::OtherKeys { .. } => "enrol.join.other_keys",
            Self::Expired { .. } => "enrol.join.expired",
            Self::NotYetValid { .. } => "enrol.join.not_yet_valid",
            Self::Rows => "enrol.join.rows",
            Self::Store(_) => "enrol.join.store",
        }
    }

    /// Parameters of the sentence under [`JoinError::code`].
    pub fn params(&self) -> BTreeMap<String, String> {
        let found = match self {
            Self::Papers(cause) => return cause.params(),
            Self::Home(cause) => return cause.params(),
            Self::AlreadyJoined { hall } => vec![("hall", hall.to_string())],
            Self::WrongRoot { found } => vec![("found", found.clone())],
            Self::WrongHall { found, own } => vec![("found", found.to_string()), ("own", own.to_string())],
            Self::OtherKeys { key } => vec![("key", key.word().to_owned())],
            Self::Expired { on } => vec![("on", on.clone())],
            Self::NotYetValid { from, today } => vec![("from", from.clone()), ("today", today.clone())],
            Self::Rows => Vec::new(),
            Self::Store(cause) => vec![("reason", cause.to_string())],
        };
        found.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// A hall that is now one of the city's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The hall and its life.
    pub at: HallAt,
    /// The hall above it; none for the city's.
    pub superior: Option<HallId>,
    /// The city's name.
    pub city: String,
    /// The SHA-256 of the root policy's record.
    pub anchor: Digest,
    /// The same for people.
    pub fingerprint: String,
    /// Milliseconds since 1970.
    pub valid_to: u64,
}

/// Makes a home's node one of the city's. `confirms` says whether the root is the one that staff know by
/// another way than the bundle; `wall` is this machine's clock.
pub(super) fn join(
    home: &Home,
    bundle: &str,
    confirms: impl Fn(&Digest) -> bool,
    wall: u64,
) -> Result<Joined, JoinError> {
    let _lock = files::lock(home.dir())?;
    let (joined, recovers) = (home.is_joined()?, home.recovery()?.is_some());
    if joined && !recovers {
        return Err(JoinError::AlreadyJoined { hall: home.hall() });
    }
    let papers = Papers::read_bundle(bundle)?;
    let (anchor, charter) = (papers.anchor(), papers.charter());
    if !confirms(&anchor) {
        return Err(JoinError::WrongRoot { found: fingerprint(&anchor) });
    }
    refuse_foreign(home, charter)?;
    refuse_out_of_time(charter, wall)?;
    if joined {
        begin_again(home, &papers, wall)?;
    } else {
        begin(home, &papers.verify(anchor, wall)?)?;
    }
    if recovers {
        home.end_recovery()?;
    }
    Ok(Joined {
        at: charter.at(),
        superior: charter.parent,
        city: papers.city().name.clone(),
        anchor,
        fingerprint: fingerprint(&anchor),
        valid_to: charter.valid_to,
    })
}

/// Makes a hall's home ready for a life after the one that has ended: puts the old keys aside and draws new ones, sealed
/// under `secret` or in clear, which are then asked for like those of a new hall. Its rows stay. A home that has not joined
/// is left as it is.
///
/// Gives the home, and the life that its rows are of. Refused while the node runs.
pub(super) fn new_life(dir: &Path, secret: Option<&Secret>) -> Result<(Home, Option<HallAt>), JoinError> {
    let home = Home::of_any_life(dir)?;
    let _lock = files::lock(dir)?;
    if !home.is_joined()? {
        return Ok((Home::open_to_join(dir)?, None));
    }
    let store = Store::open_with(dir, unwind).map_err(JoinError::Store)?;
    let held = held_by(&store, dir)?.ok_or(JoinError::Rows)?;
    if home.recovery()?.is_some_and(|recovery| held.incarnation > recovery.life) {
        // The new life was begun already; only the mark was left.
        home.end_recovery()?;
        return Err(JoinError::AlreadyJoined { hall: home.hall() });
    }
    home.begin_new_life(held.incarnation, secret)?;
    drop(store);
    Ok((home, Some(held)))
}

fn begin(home: &Home, rows: &Writes) -> Result<(), JoinError> {
    match Store::create(home.dir(), rows) {
        Ok(store) => {
            drop(store);
            Ok(())
        }
        Err(StoreError::Exists { .. }) => Err(JoinError::AlreadyJoined { hall: home.hall() }),
        Err(cause) => Err(JoinError::Store(cause)),
    }
}

/// Lays the papers of a new life over the rows of the one before.
fn begin_again(home: &Home, papers: &Papers, wall: u64) -> Result<(), JoinError> {
    let store = Store::open_with(home.dir(), unwind).map_err(JoinError::Store)?;
    if held_by(&store, home.dir())? == Some(papers.charter().at()) {
        // An attempt that was interrupted after its commit.
        return Ok(());
    }
    let view = store.snapshot().map_err(JoinError::Store)?;
    let writes = guarded(home.dir(), || papers.verify_over(papers.anchor(), wall, &view));
    store.commit(&writes.map_err(JoinError::Store)??).map_err(JoinError::Store)
}

fn held_by(store: &Store, dir: &Path) -> Result<Option<HallAt>, JoinError> {
    let view = store.snapshot().map_err(JoinError::Store)?;
    let identity = guarded(dir, || genesis::identity(&view)).map_err(JoinError::Store)?;
    Ok(identity.map(|identity| identity.at))
}

fn refuse_foreign(home: &Home, charter: &Charter) -> Result<(), JoinError> {
    if charter.hall != home.hall() {
        return Err(JoinError::WrongHall { found: charter.hall, own: home.hall() });
    }
    let keys = home.keys()?;
    let same = [
        (KeyKind::Transport, charter.transport_key == keys.transport_public),
        (KeyKind::Event, charter.event_key == keys.event.public()),
        (KeyKind::Wrap, charter.wrap_key == keys.wrap.public()),
    ];
    let other = same.into_iter().find(|(_, same)| !same);
    other.map_or(Ok(()), |(key, _)| Err(JoinError::OtherKeys { key }))
}

fn refuse_out_of_time(charter: &Charter, wall: u64) -> Result<(), JoinError> {
    if charter.valid_to <= wall {
        return Err(JoinError::Expired { on: day(charter.valid_to) });
    }
    if wall.saturating_add(CLOCK_BEHIND_MAX_MS) < charter.valid_from {
        return Err(JoinError::NotYetValid { from: day(charter.valid_from), today: day(wall) });
    }
    Ok(())
}
