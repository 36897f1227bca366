//! What is sealed in a case: who applies, with what, and what came of it. Never printed unasked.

use std::collections::BTreeMap;

use hallmesh_protocol::cases::{CaseFile, FIRST_KEY, SignedEvent, Wrap, body_digest};
use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::directory::{Addressee, Directory};
use hallmesh_protocol::ids::{CaseId, Digest, HallAt};
use hallmesh_protocol::seal::{self, ContentKey, Forged, WrapPublic, WrapSecret};
use hallmesh_protocol::step::View;
use hallmesh_protocol::wire::Blob;
use serde::{Deserialize, Serialize, Serializer};
use zeroize::Zeroizing;

use super::Problem;
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

/// One of a case's keys, and which.
#[derive(Debug)]
pub(crate) struct CaseKey {
    pub(crate) of: Digest,
    pub(crate) key: ContentKey,
}

impl CaseKey {
    /// The key that a case begins with.
    pub(crate) fn first(chance: &mut Chance) -> Self {
        Self { of: FIRST_KEY, key: ContentKey::generate(chance) }
    }

    /// A key that takes the place of another one.
    pub(crate) fn next(case: CaseId, chance: &mut Chance) -> Self {
        let key = ContentKey::generate(chance);
        Self { of: Digest(key.digest(&case.0)), key }
    }

    /// A key that was unwrapped, if it is the one that the log means: what a mere carrier has wrapped is not.
    fn meant(case: CaseId, of: Digest, key: ContentKey) -> Result<Self, Forged> {
        let meant = of == FIRST_KEY || key.digest(&case.0) == of.0;
        if meant { Ok(Self { of, key }) } else { Err(Forged::NotOpened) }
    }
}

/// Wraps a case key to one holder.
pub(crate) fn wrap(
    case: CaseId,
    (to, recovery): (HallAt, bool),
    public: &WrapPublic,
    key: &CaseKey,
    chance: &mut Chance,
) -> Result<Wrap, Forged> {
    let wrapped = seal::wrap_key(public, INFO, &aad(case, to, key.of), &key.key, chance)?;
    Ok(Wrap { to, recovery, of: key.of, key: wrapped })
}

/// Wraps a case key for lives that read it, and for those who keep it for recovery; for none that a stolen machine opens.
pub(crate) fn wrap_for(
    view: &dyn View,
    case: CaseId,
    lives: &[HallAt],
    key: &CaseKey,
    chance: &mut Chance,
) -> Result<Vec<Wrap>, Problem> {
    wrap_all(view, case, &Directory::new(view).addressees(lives), key, chance)
}

/// Wraps a case key for all of its addressees.
pub(crate) fn wrap_all(
    view: &dyn View,
    case: CaseId,
    addressees: &[Addressee],
    key: &CaseKey,
    chance: &mut Chance,
) -> Result<Vec<Wrap>, Problem> {
    let directory = Directory::new(view);
    let readers: Vec<HallAt> =
        addressees.iter().filter(|(_, recovery)| !recovery).map(|(at, _)| *at).collect();
    let mut wraps = Vec::new();
    for to in addressees {
        let public = directory.key_of(*to, &readers);
        let public = public.ok_or_else(|| Problem::new("hall.unknown").with("hall", to.0.hall))?;
        let wrap = wrap(case, *to, &public, key, chance);
        wraps.push(wrap.ok().ok_or_else(|| Problem::new("case.no_key_for_route"))?);
    }
    Ok(wraps)
}

/// Wraps a key of its own to lives, for as long as these live: what is sealed under it is answered soon, and then stands in
/// the case.
pub(crate) fn wrap_to_lives(
    view: &dyn View,
    case: CaseId,
    lives: &[HallAt],
    key: &CaseKey,
    chance: &mut Chance,
) -> Result<Vec<Wrap>, Problem> {
    let mut wraps = wrap_for(view, case, lives, key, chance)?;
    wraps.retain(|wrap| !wrap.recovery);
    Ok(wraps)
}

/// Opens one key of a case that is wrapped to this hall.
pub(crate) fn unwrap(
    case: CaseId,
    (at, of): (HallAt, Digest),
    file: &CaseFile,
    secret: &WrapSecret,
) -> Result<CaseKey, Forged> {
    let own = file.wraps.iter().find(|wrap| wrap.to == at && !wrap.recovery && wrap.of == of);
    unwrapped_of(case, file, own.ok_or(Forged::NotOpened)?, secret)
}

/// Opens one key of a case. The log names all keys but the first by their digests; the first one has sealed the application, to
/// which the hall that took it in has signed: what a mere carrier has wrapped does not open that.
pub(crate) fn unwrapped_of(
    case: CaseId,
    file: &CaseFile,
    wrap: &Wrap,
    secret: &WrapSecret,
) -> Result<CaseKey, Forged> {
    let opened = unwrapped(case, wrap, secret)?;
    let application = file.events.first().map(SignedEvent::body).filter(|body| !body.is_empty());
    if let Some(application) = application.filter(|_| opened.of == FIRST_KEY) {
        let _plain = Zeroizing::new(seal::open(&opened.key, &case.0, application.as_bytes())?);
    }
    Ok(opened)
}

/// Opens a key with the secret that it is wrapped for: of its holder, or the recovery key in that one's charter.
pub(crate) fn unwrapped(case: CaseId, wrap: &Wrap, secret: &WrapSecret) -> Result<CaseKey, Forged> {
    let key = seal::unwrap_key(secret, INFO, &aad(case, wrap.to, wrap.of), &wrap.key)?;
    CaseKey::meant(case, wrap.of, key)
}

/// A wrapped key opens only for its case and its holder, and as the key that it is.
fn aad(case: CaseId, to: HallAt, of: Digest) -> Vec<u8> {
    let mut aad = case.0.to_vec();
    aad.extend_from_slice(&to.hall.to_u64().to_le_bytes());
    aad.extend_from_slice(&to.incarnation.to_le_bytes());
    aad.extend_from_slice(&of.0);
    body_digest(&aad).0.to_vec()
}

#[cfg(test)]
mod tests {
    use hallmesh_protocol::cases::{Deed, Facts, Header, Position};
    use hallmesh_protocol::ids::ClerkId;
    use hallmesh_protocol::seal::{SecretKey, Suite};

    use super::*;

    #[test]
    fn a_first_key_that_a_carrier_has_put_in_the_place_of_the_right_one_does_not_open() {
        let (mut chance, case) = (Chance::from_seed([5; 32]), CaseId([7; 16]));
        let at: HallAt = HallAt { hall: "620702000000-00".parse().unwrap(), incarnation: 1 };
        let secret = WrapSecret::from_seed([9; 32]);
        let [right, carriers] = [(); 2].map(|()| CaseKey::first(&mut chance));
        let sealed = Content::one("applicant", "somebody").seal(case, &right.key, &mut chance).unwrap();
        let zero = Digest([0; 32]);
        let header = Header {
            suite: 1,
            case,
            position: Position::default(),
            sequence: 0,
            boot: 0,
            at,
            clerk: ClerkId { hall: at.hall, number: 1 },
            body: None,
            wall: 0,
            suspect_time: false,
            matter: zero,
            calendar: zero,
            previous: zero,
            sealed: zero,
            facts: Facts::Act(Deed::Accept),
        };
        let first = SignedEvent::sign(header, sealed, &SecretKey::from_seed(Suite::One, [1; 32]));
        let mut opens = |key: &CaseKey| {
            let wraps = vec![wrap(case, (at, false), &secret.public(), key, &mut chance).unwrap()];
            let file = CaseFile { events: vec![first.clone()], wraps };
            unwrap(case, (at, FIRST_KEY), &file, &secret).is_ok()
        };
        assert!(opens(&right) && !opens(&carriers));
    }
}
