//! How a city begins and how its halls join it, on paper, USB stick or line: [`found()`] (once), then for each
//! hall `init` ([`Home::create`]), [`request()`], [`issue_by_root`] or [`charter_below`] with [`join_text`],
//! and [`join()`].
//!
//! Promises: nothing is written when anything is wrong; a bundle is good for one hall and the keys it asked
//! with, so that it needs no secrecy; nobody joins a root that people have not confirmed by another way.
//! Knows nothing of lines and running nodes. Errors carry a stable code and parameters and no sentence: the
//! sentences, in every language, are in the message catalogues.

mod armour;
mod base64;
mod error;
mod fingerprint;
mod found;
mod issue;
mod join;
mod packed;
mod papers;
mod request;
#[cfg(test)]
mod tests;
mod word;

use std::path::Path;

use hallmesh_protocol::directory::{Charter, Directory, Enrolment};
use hallmesh_protocol::ids::{Digest, DivisionCode, HallAt, HallId};
use hallmesh_protocol::query;
use hallmesh_protocol::record::{Record, decode_records};
use hallmesh_protocol::signed::{Signed, Verified};
use hallmesh_protocol::step::View;
use zeroize::Zeroizing;

pub use armour::{ArmourError, Damage, Kind, TEXT_MAX};
pub use error::EnrolError;
pub use fingerprint::{fingerprint, matches};
pub use found::{FoundError, Founded};
pub use issue::{IssueError, Terms, VALIDITY_DAYS_MAX, charter};
pub use join::{JoinError, Joined, KeyKind};
pub use papers::{Papers, PapersError};
pub use request::{RequestError, hall_of, request_fingerprint};
pub use word::Word;

use crate::hex::unhex;
use crate::home::{Home, Secret};

/// Founds a city: draws the holders' keys and the recovery key, and has all holders sign the root policy, of whom so many
/// together can sign later on. A majority of the counties may declare that the city's own hall is lost; nobody but the
/// holders if none are named. The files are in `out` together or not at all.
pub fn found(
    city: DivisionCode,
    name: &str,
    (holders, threshold): (u8, u8),
    counties: &[DivisionCode],
    out: &Path,
) -> Result<Founded, EnrolError> {
    Ok(found::found((city, name), (holders, threshold), counties, out)?)
}

/// The text of a hall's request, with the addresses under which others reach it.
pub fn request(home: &Home, addresses: &[String]) -> Result<String, EnrolError> {
    Ok(request::write(home, addresses)?)
}

/// Reads a request: signed by the event key inside, and one that a hall can make.
pub fn read_request(text: &str) -> Result<Verified<Enrolment>, EnrolError> {
    Ok(request::read(text)?)
}

/// Answers a request as the city's root, with the holders' keys that are in `root_dir`: gives the bundle to
/// join with. `card` is that of the hall above; without one it is looked for among the halls that were issued
/// from this directory. The city's own hall needs none.
pub fn issue_by_root(
    root_dir: &Path,
    request: &str,
    card: Option<&str>,
    incarnation: u32,
    wall: u64,
    days: u16,
) -> Result<String, EnrolError> {
    let (request, terms) = (read_request(request)?, Terms { incarnation, valid_from: wall, days });
    let card = card.map(Papers::read_card).transpose()?;
    Ok(issue::by_root(root_dir, &request, card.as_ref(), &terms, wall)?.bundle()?)
}

/// The charter that answers a request as the running hall `by`, valid from `wall` for `days`: to be published
/// as its record, after which there is a [`join_text`].
pub fn charter_below(
    view: &dyn View,
    by: HallAt,
    request: &str,
    incarnation: u32,
    (wall, days): (u64, u16),
) -> Result<Charter, EnrolError> {
    let (request, terms) = (read_request(request)?, Terms { incarnation, valid_from: wall, days });
    Ok(issue::by_hall(view, by, &request, &terms)?)
}

/// The number of the life that follows on the last one of the hall that asks, by the directory in `view`.
pub fn next_life(view: &dyn View, request: &str) -> Result<u32, EnrolError> {
    Ok(issue::next_life(view, hall_of(read_request(request)?.value())?)?)
}

/// The same, by what was issued from this directory.
pub fn next_life_by_root(root_dir: &Path, request: &str) -> Result<u32, EnrolError> {
    Ok(issue::next_life_by_root(root_dir, hall_of(read_request(request)?.value())?)?)
}

/// What the hall `at`, whose charter `superior` has published, joins with.
pub fn join_text(view: &dyn View, superior: HallId, at: HallAt) -> Result<String, EnrolError> {
    Directory::new(view).life_record(at).ok_or(PapersError::NoChain { at })?;
    Ok(Papers::new(query::joining_records(view, superior, at))?.bundle()?)
}

/// The card of a hall: for those who issue charters under it.
pub fn card_text(view: &dyn View, hall: HallId) -> Result<String, EnrolError> {
    Ok(Papers::new(query::enrolment_records(view, hall))?.card()?)
}

/// The card in the answer of a running node: its enrolment records in hexadecimal.
pub fn card_text_of_hex(hex: &str) -> Result<String, EnrolError> {
    let bytes = Some(hex).filter(|hex| hex.len() <= TEXT_MAX).and_then(unhex);
    let records = bytes.and_then(|bytes| decode_records(&bytes).ok());
    Ok(Papers::new(records.ok_or(PapersError::Incomplete)?)?.card()?)
}

/// Makes the home in `dir` ready for a new life of its hall, after a restoration or a roll-back: old keys put aside, new
/// ones drawn and sealed under `secret`, in clear without one. Keys that were drawn for that life before stay as they are.
/// Gives the home to [`request()`] with, and the life that its rows are of.
pub fn new_life(dir: &Path, secret: Option<&Secret>) -> Result<(Home, Option<HallAt>), JoinError> {
    join::new_life(dir, secret)
}

/// Signs the city's root's word about a life of a hall, with the holders' keys that are in `root_dir`: the life that
/// `papers` (its join file, or its card) are of; without papers, the last one that was issued from this directory.
/// Gives the text of the file, and whose life it is about.
pub fn word_of_root(
    root_dir: &Path,
    hall: HallId,
    papers: Option<&str>,
    word: Word,
    wall: u64,
) -> Result<(String, HallAt), EnrolError> {
    let read = |text: &str| Papers::read_bundle(text).or_else(|_| Papers::read_card(text));
    let papers = papers.map(read).transpose()?;
    Ok(word::by_root(root_dir, hall, papers, (word, wall))?)
}

/// The record in a file that the root has signed, for the running node that is to take it up; the life that it is about,
/// and what it says of it.
pub fn read_word(text: &str) -> Result<(Signed<Record>, HallAt, Word), EnrolError> {
    Ok(word::read(text)?)
}

/// The seed of the root's recovery key in a file: for those who open keys with it, two persons at a time.
pub fn recovery_seed(file: &Path) -> Result<Zeroizing<[u8; 32]>, EnrolError> {
    Ok(found::recovery_seed(file).map_err(IssueError::from)?)
}

/// Makes a home's node one of the city's, if the root in `bundle` is the one that staff have confirmed by
/// another way; `wall` is this machine's clock. Nothing is written if anything is wrong.
pub fn join(home: &Home, bundle: &str, confirmed: &Digest, wall: u64) -> Result<Joined, JoinError> {
    join::join(home, bundle, |anchor| anchor == confirmed, wall)
}

/// As [`join()`], with the root's fingerprint as staff typed it (see [`matches()`]).
pub fn join_as_typed(home: &Home, bundle: &str, typed: &str, wall: u64) -> Result<Joined, JoinError> {
    join::join(home, bundle, |anchor| matches(typed, anchor), wall)
}
