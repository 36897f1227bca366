//! Keys of cases that no living hall can open: opened with a recovery key by two persons, and wrapped to the life that
//! goes on with the case (design section 7).

use hallmesh_protocol::cases::{Case, CaseFile, Stage, Wrap};
use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::directory::Directory;
use hallmesh_protocol::ids::{CaseId, Digest, HallAt, HallId};
use hallmesh_protocol::limits::KEYS_GIVEN_MAX;
use hallmesh_protocol::query;
use hallmesh_protocol::seal::{WrapPublic, WrapSecret};
use hallmesh_protocol::step::View;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::answers::KeysPlan;
use super::content::CaseKey;
use super::questions::{Asked, name, unhex};
use super::revocation::desk;
use super::{Problem, content};

/// The secret half of a recovery key, in hexadecimal. It goes over the local socket and is never kept or printed.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecoverySecret(Zeroizing<String>);

impl RecoverySecret {
    /// The secret of a seed.
    pub(crate) fn of(seed: &[u8; 32]) -> Self {
        Self(Zeroizing::new(super::hex(seed)))
    }

    fn secret(&self) -> Option<WrapSecret> {
        let bytes = Zeroizing::new(unhex(&self.0)?);
        let seed = Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).ok()?);
        Some(WrapSecret::from_seed(*seed))
    }
}

impl std::fmt::Debug for RecoverySecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoverySecret")
    }
}

/// Which keys a hall still needs, and which of them can be opened here. Changes nothing.
pub(crate) fn plan(asked: &Asked<'_>, hall: HallId) -> Result<KeysPlan, Problem> {
    let to = living(asked, hall)?;
    let own = Directory::new(asked.view).life(asked.at).map(|charter| charter.wrap_key);
    let (mut lacking, mut opened_here) = (0_u64, 0_u64);
    for (_, file) in lacking_keys(asked, to) {
        lacking = lacking.saturating_add(1);
        let here = own.as_ref().is_some_and(|own| recoverable(asked.view, &file, own).next().is_some());
        opened_here = opened_here.saturating_add(u64::from(here));
    }
    Ok(KeysPlan {
        hall: hall.to_string(),
        name: name(asked.view, hall),
        incarnation: to.incarnation,
        lacking,
        opened_here,
    })
}

/// Opens what can be opened, at most [`KEYS_GIVEN_MAX`] keys, and wraps it to the present life of a hall.
pub(crate) fn keys(
    asked: &Asked<'_>,
    hall: HallId,
    recovery: Option<&RecoverySecret>,
    own: &WrapSecret,
    chance: &mut Chance,
) -> Result<Vec<(CaseId, Wrap)>, Problem> {
    let to = living(asked, hall)?;
    let charter = Directory::new(asked.view).life(to);
    let charter = charter.ok_or_else(|| Problem::new("hall.unknown").with("hall", hall))?;
    let read =
        recovery.map(|secret| secret.secret().ok_or_else(|| Problem::new("recovery.no_key"))).transpose()?;
    let secret = read.as_ref().unwrap_or(own);
    let mut keys = Vec::new();
    let lacking = lacking_keys(asked, to).flat_map(|(id, file)| opened(asked.view, id, &file, to, secret));
    for (id, key) in lacking.take(KEYS_GIVEN_MAX) {
        let wrap = content::wrap(id, (to, false), &charter.wrap_key, &key, chance).ok();
        keys.push((id, wrap.ok_or_else(|| Problem::new("case.no_key_for_route"))?));
    }
    if keys.is_empty() { Err(Problem::new("recovery.nothing").with("hall", hall)) } else { Ok(keys) }
}

fn living(asked: &Asked<'_>, hall: HallId) -> Result<HallAt, Problem> {
    let at = Directory::new(asked.view).present(hall);
    at.ok_or_else(|| Problem::new("hall.unknown").with("hall", hall))
}

/// The cases that a life has in hand or recovers and cannot open, as far as this hall has told it of them.
fn lacking_keys<'a>(asked: &'a Asked<'a>, to: HallAt) -> impl Iterator<Item = (CaseId, CaseFile)> + 'a {
    let cases = Stage::ALL.into_iter().flat_map(|stage| desk(asked, stage)).flatten();
    cases.filter(move |id| lacks(asked.view, *id, to)).map(|id| (id, query::file(asked.view, id)))
}

fn lacks(view: &dyn View, id: CaseId, to: HallAt) -> bool {
    let Some(found) = query::case(view, id) else { return false };
    let owner = found.case.owner();
    let is_its = owner == to || Directory::new(view).successor(owner) == Some(to) || returns(&found.case, to);
    is_its && !query::is_wrapped(view, id, to) && query::has_told(view, id, to)
}

/// A case that went on to somebody else may come back to the window or to be decided.
fn returns(case: &Case, to: HallAt) -> bool {
    [case.receiving, case.competent].contains(&to.hall)
}

/// The keys that are wrapped for a recovery key. More than one is tried: whoever carried the case may have added junk.
fn recoverable<'f>(
    view: &'f dyn View,
    file: &'f CaseFile,
    recovery: &'f WrapPublic,
) -> impl Iterator<Item = &'f Wrap> {
    let directory = Directory::new(view);
    // By the recovery key in a charter, or by the key of a life that keeps it where that one was stolen.
    let named = move |wrap: &&Wrap| {
        let charter = directory.life(wrap.to);
        charter.is_some_and(|it| it.recovery_key == *recovery || it.wrap_key == *recovery)
    };
    file.wraps.iter().filter(|wrap| wrap.recovery).filter(named)
}

/// The keys of a case that a life lacks, as far as the secret opens them.
fn opened(
    view: &dyn View,
    id: CaseId,
    file: &CaseFile,
    to: HallAt,
    secret: &WrapSecret,
) -> Vec<(CaseId, CaseKey)> {
    let has = |of| file.wraps.iter().any(|wrap| wrap.to == to && !wrap.recovery && wrap.of == of);
    let public = secret.public();
    let open = |of| {
        let mut wraps = recoverable(view, file, &public).filter(|wrap| wrap.of == of);
        wraps.find_map(|wrap| content::unwrapped_of(id, file, wrap, secret).ok())
    };
    let case = query::case(view, id).map(|view| view.case);
    let keys: Vec<Digest> = case.iter().flat_map(Case::all_keys).filter(|of| !has(*of)).collect();
    keys.into_iter().filter_map(open).map(|key| (id, key)).collect()
}
