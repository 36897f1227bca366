//! The first rows of a hall's node: the city's root, the charters up to it, and who this node is.

use std::collections::BTreeMap;

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
    rows::write(&mut cx, rows::meta("format"), &FORMAT_VERSION);
    rows::write(&mut cx, rows::meta("hall"), &me);
    rows::write(&mut cx, rows::meta("anchor"), &anchor);
    shelf::put(&mut cx, &policy);
    let (records, refused) = shelf::verify_batch(&cx, records);
    let late = records.iter().filter(|record| shelf::apply(&mut cx, record).is_err()).count();
    let refused = refused.saturating_add(u64::try_from(late).unwrap_or(u64::MAX));
    if refused > 0 {
        return Err(NotInstalled::Refused(refused));
    }
    if crate::directory::Directory::new(&cx).card(me).is_none() {
        return Err(NotInstalled::NoChain);
    }
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
