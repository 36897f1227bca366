//! What gets into the directory, and who may sign it. Pure rules over the directory as it stands.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::{Charter, Directory, HallCard, Revocation};
use crate::catalogue::Delegation;
use crate::ids::{DivisionCode, HallAt, HallId, Tier};
use crate::limits::RECORD_MAX;
use crate::record::{Body, Issuer, Record, Space};
use crate::seal::{Context, PublicKey, WrapPublic};
use crate::signed::{Signable, Signed, Unverified, Verified};

/// Why a well-signed record is not taken up. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Inadmissible {
    /// It contradicts itself or passes a bound.
    #[error("the record contradicts itself")]
    Malformed,
    /// The issuer is not above what it issues.
    #[error("the issuer has no authority over this")]
    OutOfScope,
    /// The issuer is unknown here or was revoked.
    #[error("the issuer is unknown or revoked")]
    Issuer,
    /// The version is not newer than the one in force.
    #[error("not newer than what is held")]
    Old,
    /// Another record with the same version is held.
    #[error("another record with the same version is held")]
    Fork,
    /// It belongs to another city.
    #[error("another city's root")]
    OtherRoot,
}

/// What a new hall asks its superior for: its keys, and who it says it is. Signed by its own event key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    /// The division the hall serves.
    pub division: DivisionCode,
    /// Main hall 0, branches from 1.
    pub serial: u8,
    /// The hall's name as its staff wrote it; the issuer compares it with the register.
    pub name: String,
    /// The key of its line.
    pub transport_key: PublicKey,
    /// The key of its events; signs this request.
    pub event_key: PublicKey,
    /// The key that case keys are wrapped to.
    pub wrap_key: WrapPublic,
    /// Where it can be reached.
    pub addresses: Vec<String>,
}

impl Signable for Enrolment {
    const CONTEXT: Context = Context::REQUEST;
    const BYTES_MAX: usize = RECORD_MAX;
}

/// Checks the signature under `signed` against the directory: the one way from `Signed` to `Verified`
/// for records.
pub(crate) fn verify(
    directory: &Directory<'_>,
    signed: &Signed<Record>,
) -> Result<Verified<Record>, Unverified> {
    let record = signed.peek()?;
    if let Body::Fork(fork) = &record.body {
        fork.holds(directory)?;
    }
    if let Body::Heard(heard) = &record.body {
        heard.holds(directory)?;
    }
    match record.issuer {
        Issuer::Root => {
            let policy = directory.policy().ok_or(Unverified::UnknownSigner)?;
            signed.verify_threshold(&policy.keys, policy.threshold)
        }
        Issuer::Hall(at) => {
            let card = directory.card(at).ok_or(Unverified::UnknownSigner)?;
            signed.verify(&card.event_key)
        }
    }
}

/// Whether a verified record may stand in this city: sound in itself, and issued by one who may.
pub(crate) fn admissible(directory: &Directory<'_>, record: &Record) -> Result<(), Inadmissible> {
    let directory_record = record.body.space() == Space::Directory;
    // A charter is ended by a revocation, a contact by the next one; neither is ever taken back.
    if record.version == u32::MAX || (record.withdrawn && directory_record) {
        return Err(Inadmissible::Malformed);
    }
    // Whether the issuer was revoked since does not matter here: sets must not depend on who heard what
    // first. What its records are still worth is judged when they are read.
    match &record.body {
        // A node begins with its root policy and keeps it: rotating the root needs the whole line of
        // policies wherever a charter is checked, which this version does not have.
        Body::Policy(_) => Err(Inadmissible::OutOfScope),
        Body::Charter(charter) => charter_admissible(directory, record.issuer, charter),
        Body::Contact(contact) => contact.check().and_then(|()| by_itself(record.issuer, contact.at)),
        Body::Revocation(revocation) => revocable(directory, record.issuer, revocation),
        Body::Calendar(calendar) => {
            calendar.check().or(Err(Inadmissible::Malformed))?;
            by_tier(directory, record.issuer, Tier::City)
        }
        Body::Matter(matter) => {
            matter.check().or(Err(Inadmissible::Malformed))?;
            over(directory, record.issuer, matter.area)
        }
        Body::Bundle(bundle) => {
            bundle.check().or(Err(Inadmissible::Malformed))?;
            over(directory, record.issuer, bundle.area)
        }
        Body::Delegation(delegation) => {
            delegation.check().or(Err(Inadmissible::Malformed))?;
            over(directory, record.issuer, delegation.area)?;
            grantable(record.issuer, delegation)
        }
        // Its proof is its own: it was checked together with the issuer's signature.
        Body::Fork(fork) => fork.check(),
        Body::Ruling(ruling) => ruling.admissible(directory, record.issuer),
        Body::Voice(voice) => voice.admissible(directory, record.issuer),
        Body::Heard(heard) => heard.admissible(directory, record.issuer),
        Body::Destruction(destruction) => destruction.admissible(directory, record.issuer),
    }
}

/// Whose word stands under a key, whoever was heard first: the root's before any hall's, a hall's before those below
/// it, and of two halls of one tier always the one with the smaller code, until a hall above both speaks. Lives of one
/// hall are equal; between them the version decides.
pub(crate) fn precedence(held: Issuer, offered: Issuer) -> Ordering {
    rank(held).cmp(&rank(offered))
}

/// How much an issuer's word weighs, the weightiest first.
pub(super) fn rank(issuer: Issuer) -> Option<(Tier, HallId)> {
    match issuer {
        Issuer::Root => None,
        Issuer::Hall(at) => Some((at.hall.tier(), at.hall)),
    }
}

/// Nobody gives rights to themselves: the rights to decide come from above, the right to take in at least
/// not from below.
fn grantable(issuer: Issuer, delegation: &Delegation) -> Result<(), Inadmissible> {
    let Issuer::Hall(by) = issuer else { return Ok(()) };
    let decides = delegation.rights.accept || delegation.rights.issue || delegation.rights.transfer;
    let above = by.hall.tier() < delegation.tier;
    let beside = by.hall.tier() == delegation.tier && by.hall.tier() == Tier::City && !decides;
    if above || beside { Ok(()) } else { Err(Inadmissible::OutOfScope) }
}

/// Whether `charter`, issued by `issuer` whose own charter is `by`, respects the order of the tiers.
pub fn charter_holds(charter: &Charter, issuer: Issuer, by: Option<&HallCard>) -> Result<(), Inadmissible> {
    charter.check()?;
    match (issuer, by) {
        (Issuer::Root, _) => Ok(()),
        (Issuer::Hall(_), None) => Err(Inadmissible::Issuer),
        (Issuer::Hall(_), Some(by)) => {
            let above = by.tier < charter.tier && by.scope.covers(charter.scope) && by.at.hall.serial() == 0;
            let parent = charter.parent == Some(by.at.hall);
            if above && parent { Ok(()) } else { Err(Inadmissible::OutOfScope) }
        }
    }
}

fn charter_admissible(
    directory: &Directory<'_>,
    issuer: Issuer,
    charter: &Charter,
) -> Result<(), Inadmissible> {
    let city = directory.policy().ok_or(Inadmissible::OtherRoot)?.city;
    if !city.covers(charter.scope) {
        return Err(Inadmissible::OtherRoot);
    }
    let by = match issuer {
        Issuer::Root => None,
        Issuer::Hall(at) => directory.card(at),
    };
    charter_holds(charter, issuer, by.as_ref())?;
    // A life once chartered keeps its keys: a replacement is a new incarnation.
    match directory.life(charter.at()) {
        Some(held) if !same_keys(&held, charter) => Err(Inadmissible::Fork),
        Some(_) | None => Ok(()),
    }
}

fn same_keys(held: &Charter, offered: &Charter) -> bool {
    held.transport_key == offered.transport_key
        && held.event_key == offered.event_key
        && held.wrap_key == offered.wrap_key
}

/// A revocation names a life that exists, by its line key: lives to come cannot be revoked ahead.
fn revocable(directory: &Directory<'_>, issuer: Issuer, revocation: &Revocation) -> Result<(), Inadmissible> {
    let card = directory.card(revocation.at).ok_or(Inadmissible::Issuer)?;
    if card.transport_key != revocation.transport_key {
        return Err(Inadmissible::Malformed);
    }
    match issuer {
        Issuer::Root => Ok(()),
        Issuer::Hall(by) if above(by.hall, revocation.at.hall) => Ok(()),
        Issuer::Hall(_) => Err(Inadmissible::OutOfScope),
    }
}

/// Authority over other halls lies with main halls, not with branches.
pub(super) fn above(superior: HallId, hall: HallId) -> bool {
    superior.serial() == 0 && superior.tier() < hall.tier() && superior.division().covers(hall.division())
}

fn by_itself(issuer: Issuer, at: HallAt) -> Result<(), Inadmissible> {
    if issuer == Issuer::Hall(at) { Ok(()) } else { Err(Inadmissible::OutOfScope) }
}

fn by_tier(directory: &Directory<'_>, issuer: Issuer, tier: Tier) -> Result<(), Inadmissible> {
    match issuer {
        Issuer::Root => Ok(()),
        Issuer::Hall(at) => {
            let card = directory.card(at).ok_or(Inadmissible::Issuer)?;
            if card.tier == tier { Ok(()) } else { Err(Inadmissible::OutOfScope) }
        }
    }
}

fn over(directory: &Directory<'_>, issuer: Issuer, area: DivisionCode) -> Result<(), Inadmissible> {
    match issuer {
        Issuer::Root => Ok(()),
        Issuer::Hall(at) => {
            let card = directory.card(at).ok_or(Inadmissible::Issuer)?;
            if card.scope.covers(area) { Ok(()) } else { Err(Inadmissible::OutOfScope) }
        }
    }
}
