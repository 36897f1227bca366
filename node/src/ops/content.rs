//! What is sealed in a case: who applies, with what, and what came of it. Never printed unasked.

use std::collections::BTreeMap;

use hallmesh_protocol::cases::{Wrap, body_digest};
use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::ids::{CaseId, HallAt};
use hallmesh_protocol::seal::{self, ContentKey, Forged, WrapPublic, WrapSecret};
use hallmesh_protocol::wire::Blob;
use serde::{Deserialize, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::pii::Pii;

const INFO: &[u8] = b"hallmesh/v1/case-key";

/// The sealed part of an event: free fields, as a form has them. It is revealed in two places only: where it
/// goes over the local socket, and where it is sealed.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Content(BTreeMap<String, Pii<String>>);

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.reveal())
    }
}

impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        self.reveal().eq(other.reveal())
    }
}

impl Eq for Content {}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Content({} fields)", self.0.len())
    }
}

impl Content {
    /// Content of several fields.
    pub fn of(fields: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(fields.into_iter().map(|(name, value)| (name, Pii::new(value))).collect())
    }

    /// Content with one field.
    pub fn one(name: &str, value: &str) -> Self {
        Self::of([(name.to_owned(), value.to_owned())])
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every field with its value, for somebody who may see it.
    pub fn reveal(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.reveal().as_str()))
    }

    pub(crate) fn seal(&self, case: CaseId, key: &ContentKey, chance: &mut Chance) -> Result<Blob, Forged> {
        let plain = Zeroizing::new(serde_json::to_vec(self).or(Err(Forged::WrongLength))?);
        Ok(seal::seal(key, &case.0, &plain, chance)?.into())
    }

    pub(crate) fn open(case: CaseId, key: &ContentKey, sealed: &Blob) -> Result<Self, Forged> {
        if sealed.is_empty() {
            return Ok(Self::default());
        }
        let plain = Zeroizing::new(seal::open(key, &case.0, sealed.as_bytes())?);
        serde_json::from_slice(&plain).or(Err(Forged::NotOpened))
    }
}

/// Wraps a case key to one holder.
pub(crate) fn wrap(
    case: CaseId,
    to: (HallAt, bool),
    public: &WrapPublic,
    key: &ContentKey,
    chance: &mut Chance,
) -> Result<Wrap, Forged> {
    let (to, recovery) = to;
    let key = seal::wrap_key(public, INFO, &aad(case, to), key, chance)?;
    Ok(Wrap { to, recovery, key })
}

/// Opens this hall's wrapped key of a case.
pub(crate) fn unwrap(
    case: CaseId,
    at: HallAt,
    wraps: &[Wrap],
    secret: &WrapSecret,
) -> Result<ContentKey, Forged> {
    let own = wraps.iter().find(|wrap| wrap.to == at && !wrap.recovery).ok_or(Forged::NotOpened)?;
    seal::unwrap_key(secret, INFO, &aad(case, at), &own.key)
}

/// Opens a key that was wrapped for the recovery key in its holder's charter.
pub(crate) fn unwrap_recovery(case: CaseId, wrap: &Wrap, secret: &WrapSecret) -> Result<ContentKey, Forged> {
    seal::unwrap_key(secret, INFO, &aad(case, wrap.to), &wrap.key)
}

/// A wrapped key opens only for its case and its holder.
fn aad(case: CaseId, to: HallAt) -> Vec<u8> {
    let mut aad = case.0.to_vec();
    aad.extend_from_slice(&to.hall.to_u64().to_le_bytes());
    aad.extend_from_slice(&to.incarnation.to_le_bytes());
    body_digest(&aad).0.to_vec()
}
