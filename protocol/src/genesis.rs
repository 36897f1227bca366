//! The first rows of a hall's node: the city's root, the charters up to it, and who this node is.

use std::collections::BTreeMap;

use crate::directory::admission::admissible;
use crate::directory::{Charter, Directory};
use crate::ids::{Digest, HallAt};
use crate::record::{Body, Record};
use crate::rows::{self, FORMAT_VERSION};
use crate::shelf;
use crate::signed::{Signed, Unverified};
use crate::step::{Bytes, Cx, Effects, Now, View, Writes};

/// Why a node cannot begin with what it was given. Nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotInstalled {
    /// The policy is none, or not the one whose fingerprint was confirmed.
    #[error("not the root that was confirmed")]
    WrongRoot,
    /// A signature, or its signer.
    #[error(transparent)]
    Unverified(#[from] Unverified),
    /// The records do not lead from the root to this hall.
    #[error("no unbroken chain of charters from the root to this hall")]
    NoChain,
    /// A record was left out: it does not hold, or may not stand here.
    #[error("{0} records do not hold")]
    Refused(u64),
    /// The rows that are here are another hall's, or of another root.
    #[error("the rows that are here are not this hall's")]
    OtherHall,
    /// The rows that are here are of this life or of a later one.
    #[error("the rows that are here are of this life or of a later one")]
    NotNewer,
    /// This life was ended before it began: it was revoked, or a later one was chartered.
    #[error("this life was ended before it began")]
    Ended,
}

/// The rows a node begins with. `anchor` is the SHA-256 of the first root policy's record, confirmed by
/// people; `records` must hold the charter of `me` and of every hall above it.
pub fn install(
    now: Now,
    anchor: Digest,
    policy: &Signed<Record>,
    records: Vec<Signed<Record>>,
    me: HallAt,
) -> Result<Writes, NotInstalled> {
    if policy.digest() != anchor {
        return Err(NotInstalled::WrongRoot);
    }
    let Body::Policy(root) = policy.peek().map_err(Unverified::from)?.body else {
        return Err(NotInstalled::WrongRoot);
    };
    root.check().or(Err(NotInstalled::WrongRoot))?;
    let policy = policy.verify_threshold(&root.keys, root.threshold)?;
    let (empty, mut effects) = (Empty, Effects::default());
    let mut cx = Cx::new(now, &empty, &mut effects);
    name(&mut cx, anchor, me);
    shelf::put(&mut cx, &policy);
    let (records, refused) = shelf::verify_batch(&cx, records);
    let late = records.iter().filter(|record| shelf::apply(&mut cx, record).is_err()).count();
    let refused = refused.saturating_add(u64::try_from(late).unwrap_or(u64::MAX));
    if refused > 0 {
        return Err(NotInstalled::Refused(refused));
    }
    if Directory::new(&cx).card(me).is_none() {
        return Err(NotInstalled::NoChain);
    }
    taken_out(effects)
}

/// Only those of the rows that say whose store it is: for halls of a simulated city, which share all others.
#[cfg(feature = "toy-suite")]
pub fn nameplate(now: Now, anchor: Digest, me: HallAt) -> Result<Writes, NotInstalled> {
    let (empty, mut effects) = (Empty, Effects::default());
    name(&mut Cx::new(now, &empty, &mut effects), anchor, me);
    taken_out(effects)
}

/// What turns the rows of an earlier life of a hall into those of a new one; without rows, the same as [`install`].
///
/// `anchor` is the root that people have confirmed for the papers; the rows must have been of the same one. The
/// records of the papers are laid over what is held, by the same rules as everywhere; what is held and prevails
/// stays. Of the other rows only the one that says who this is changes: what an earlier life has left on its desk
/// is not this function's to decide.
pub fn rejoin(
    now: Now,
    view: &dyn View,
    anchor: Digest,
    policy: &Signed<Record>,
    records: Vec<Signed<Record>>,
    me: HallAt,
) -> Result<Writes, NotInstalled> {
    let Some(held) = identity(view) else { return install(now, anchor, policy, records, me) };
    if policy.digest() != anchor {
        return Err(NotInstalled::WrongRoot);
    }
    if held.anchor != anchor || held.at.hall != me.hall {
        return Err(NotInstalled::OtherHall);
    }
    if held.at.incarnation >= me.incarnation {
        return Err(NotInstalled::NotNewer);
    }
    let mut effects = Effects::default();
    let mut cx = Cx::new(now, view, &mut effects);
    rows::write(&mut cx, rows::meta("hall"), &me);
    let own = charter_of(&records, me).ok_or(NotInstalled::NoChain)?;
    let (records, mut refused) = shelf::verify_batch(&cx, records);
    for record in &records {
        match admissible(&Directory::new(&cx), record.value()) {
            // What is held may be newer than the papers, or stand before them.
            Ok(()) => drop(shelf::apply(&mut cx, record)),
            Err(_) => refused = refused.saturating_add(1),
        }
    }
    if refused > 0 {
        return Err(NotInstalled::Refused(refused));
    }
    let directory = Directory::new(&cx);
    if directory.life(me) != Some(own) {
        return Err(NotInstalled::NoChain);
    }
    if directory.present(me.hall) != Some(me) {
        return Err(NotInstalled::Ended);
    }
    taken_out(effects)
}

fn name(cx: &mut Cx<'_>, anchor: Digest, me: HallAt) {
    rows::write(cx, rows::meta("format"), &FORMAT_VERSION);
    rows::write(cx, rows::meta("hall"), &me);
    rows::write(cx, rows::meta("anchor"), &anchor);
}

/// The charter of a life among records, unverified.
fn charter_of(records: &[Signed<Record>], at: HallAt) -> Option<Charter> {
    let bodies = records.iter().filter_map(|record| record.peek().ok()).map(|record| record.body);
    let mut charters = bodies.filter_map(|body| match body {
        Body::Charter(charter) => Some(*charter),
        Body::Policy(_)
        | Body::Contact(_)
        | Body::Revocation(_)
        | Body::Fork(_)
        | Body::Ruling(_)
        | Body::Destruction(_)
        | Body::Voice(_)
        | Body::Heard(_)
        | Body::Calendar(_)
        | Body::Matter(_)
        | Body::Delegation(_)
        | Body::Bundle(_) => None,
    });
    charters.rfind(|charter| charter.at() == at)
}

fn taken_out(effects: Effects) -> Result<Writes, NotInstalled> {
    let mut writes = BTreeMap::new();
    let stored: Result<_, NotInstalled> = effects.commit(|rows| {
        writes = rows;
        Ok(())
    });
    stored.map(|_| writes)
}

/// Who a store belongs to, and the root it trusts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The key space's version.
    pub format: u32,
    /// The hall and its life.
    pub at: HallAt,
    /// SHA-256 of the first root policy's record.
    pub anchor: Digest,
}

/// Reads who a store belongs to; none if it is not a node's.
pub fn identity(view: &dyn View) -> Option<Identity> {
    let format = rows::read(view, &rows::meta("format"))?;
    if format != FORMAT_VERSION {
        return None;
    }
    Some(Identity {
        format,
        at: rows::read(view, &rows::meta("hall"))?,
        anchor: rows::read(view, &rows::meta("anchor"))?,
    })
}

struct Empty;

impl View for Empty {
    fn get(&self, _key: &[u8]) -> Option<Bytes> {
        None
    }

    fn scan(&self, _prefix: &[u8], _after: &[u8], _visit: &mut dyn FnMut(&[u8], &[u8]) -> bool) {}
}
