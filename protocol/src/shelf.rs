//! The record engine: one live record per key, the reconciled sets, and the versions that cases pin.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::directory::admission::{admissible, precedence, verify};
use crate::directory::{Directory, HallCard, Inadmissible};
use crate::ids::{Digest, HallAt};
use crate::limits::{RECORDS_BYTES_MAX, RECORDS_MAX};
use crate::planted::{Bug, planted};
use crate::reconcile::Fingerprint;
use crate::record::{Body, Record, Space, element};
use crate::rows;
use crate::signed::{Signed, Verified};
use crate::step::{Bytes, Cx, View};

/// The record in force (or withdrawn) under a key.
pub(crate) fn held(view: &dyn View, space: Space, key: &str) -> Option<Verified<Record>> {
    let signed: Signed<Record> = rows::read(view, &rows::record(space, key))?;
    signed.trusted().ok()
}

/// Where the version of a record is that a case may have pinned. What stands under its key is not kept twice.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Kept {
    /// Under this key.
    Standing(String),
    /// Here: another one took its place.
    Replaced(Signed<Record>),
}

/// The version a case pinned, by its SHA-256.
pub(crate) fn version(view: &dyn View, digest: &Digest) -> Option<Verified<Record>> {
    match rows::read(view, &rows::version(digest))? {
        Kept::Standing(key) => held(view, Space::Lists, &key).filter(|it| it.signed().digest() == *digest),
        Kept::Replaced(signed) => signed.trusted().ok(),
    }
}

/// The root of a space: it stands before the sum it was made of, since it is asked for far more often.
pub(crate) fn root(view: &dyn View, space: Space) -> [u8; 32] {
    let row = view.get(&rows::fingerprint(space));
    let root = row.as_ref().and_then(|row| row.first_chunk::<32>()).copied();
    root.unwrap_or_else(|| Fingerprint::new(space.byte()).root())
}

/// The homomorphic sum of a space.
pub(crate) fn fingerprint(view: &dyn View, space: Space) -> Fingerprint {
    let Some(row) = view.get(&rows::fingerprint(space)) else { return Fingerprint::new(space.byte()) };
    let sum = row.get(32..).unwrap_or_default();
    #[expect(clippy::expect_used, reason = "rows are checked by the store; what is left is a bug")]
    Fingerprint::from_bytes(space.byte(), sum).expect("a fingerprint row of this node")
}

/// The ids of all elements of a space, ascending.
pub(crate) fn elements(view: &dyn View, space: Space) -> Vec<[u8; 32]> {
    let mut ids = Vec::new();
    view.scan(&rows::elements(space), &[], &mut |key, _| {
        ids.extend(key.get(2..).and_then(|id| <[u8; 32]>::try_from(id).ok()));
        true
    });
    ids
}

/// Whether this very record is held: the same bytes and signatures.
pub(crate) fn holds(view: &dyn View, space: Space, record: &Signed<Record>) -> bool {
    view.get(&rows::element(space, &element(record))).is_some()
}

/// The signed record behind an element.
pub(crate) fn by_element(view: &dyn View, space: Space, id: &[u8; 32]) -> Option<(String, Signed<Record>)> {
    let key: String = rows::read(view, &rows::element(space, id))?;
    let signed = rows::read(view, &rows::record(space, &key))?;
    Some((key, signed))
}

/// Records of a space after a key, in key order, as many as one message holds; true if it was the end.
pub(crate) fn page(view: &dyn View, space: Space, after: &str) -> (Vec<Signed<Record>>, String, bool) {
    let (mut records, mut last, mut bytes, mut end) = (Vec::new(), after.to_owned(), 0_usize, true);
    let prefix = rows::record(space, "");
    let from = if after.is_empty() { Vec::new() } else { rows::record(space, after) };
    view.scan(&prefix, &from, &mut |key, value| {
        if records.len() >= RECORDS_MAX || bytes.saturating_add(value.len()) > RECORDS_BYTES_MAX {
            end = false;
            return false;
        }
        bytes = bytes.saturating_add(value.len());
        last = String::from_utf8_lossy(key.get(prefix.len()..).unwrap_or_default()).into_owned();
        records.push(rows::parse(key, value));
        true
    });
    (records, last, end)
}

/// Whether a verified record may stand here, and in place of what is held.
pub(crate) fn check(view: &dyn View, record: &Verified<Record>) -> Result<(), Inadmissible> {
    let (directory, body) = (Directory::new(view), &record.value().body);
    admissible(&directory, record.value())?;
    held(view, body.space(), &body.key()).map_or(Ok(()), |held| prevails(&held, record))
}

/// Takes a verified record up, if it may stand here. All rows of it change together.
pub(crate) fn apply(cx: &mut Cx<'_>, record: &Verified<Record>) -> Result<(), Inadmissible> {
    check(cx, record)?;
    put(cx, record);
    Ok(())
}

/// Writes a record in place of the one held.
pub(crate) fn put(cx: &mut Cx<'_>, record: &Verified<Record>) {
    let (space, key) = (record.value().body.space(), record.value().body.key());
    let held = held(cx, space, &key);
    let mut sum = fingerprint(cx, space);
    if let Some(old) = held {
        keep_replaced(cx, &old);
        let old = element(old.signed());
        sum.remove(&old);
        if !planted(Bug::ElementNotRemoved) {
            cx.remove(rows::element(space, &old));
        }
    }
    let id = element(record.signed());
    if !planted(Bug::RootWithoutElement) {
        sum.add(&id);
    }
    cx.roots = None;
    cx.put(rows::fingerprint(space), [sum.root().as_slice(), &sum.to_bytes()].concat());
    rows::write(cx, rows::element(space, &id), &key);
    rows::write(cx, rows::record(space, &key), record.signed());
    keep_for_ever(cx, record);
}

/// Whether what is offered takes the place of what is held. A total order, so that all halls end with the same record in
/// whatever order they hear: precedence of the issuer, then the version, then the smaller element.
fn prevails(held: &Verified<Record>, offered: &Verified<Record>) -> Result<(), Inadmissible> {
    let (old, new) = (held.value(), offered.value());
    match precedence(old.issuer, new.issuer) {
        Ordering::Less if !planted(Bug::LowerHallReplaces) => return Err(Inadmissible::OutOfScope),
        Ordering::Greater => return Ok(()),
        Ordering::Less | Ordering::Equal => {}
    }
    if new.version > old.version {
        return Ok(());
    }
    let older = new.version < old.version && !planted(Bug::OlderVersionReplaces);
    if older || held.signed() == offered.signed() {
        return Err(Inadmissible::Old);
    }
    let smaller = element(offered.signed()) < element(held.signed());
    if smaller || planted(Bug::OlderVersionReplaces) { Ok(()) } else { Err(Inadmissible::Fork) }
}

/// A version that a case may have pinned moves to where it is found by its digest alone.
fn keep_replaced(cx: &mut Cx<'_>, old: &Verified<Record>) {
    if matches!(old.value().body, Body::Matter(_) | Body::Calendar(_) | Body::Bundle(_))
        && !planted(Bug::VersionsNotKept)
    {
        let kept = Kept::Replaced(old.signed().clone());
        rows::write(cx, rows::version(&old.signed().digest()), &kept);
    }
}

fn keep_for_ever(cx: &mut Cx<'_>, record: &Verified<Record>) {
    match &record.value().body {
        Body::Charter(charter) => {
            rows::write(cx, rows::life(charter.at()), record.signed());
            rows::write(cx, rows::card(charter.at()), &HallCard::of(charter));
        }
        Body::Matter(_) | Body::Calendar(_) | Body::Bundle(_) if planted(Bug::VersionsNotKept) => {}
        Body::Matter(_) | Body::Calendar(_) | Body::Bundle(_) => {
            let kept = Kept::Standing(record.value().body.key());
            rows::write(cx, rows::version(&record.signed().digest()), &kept);
        }
        Body::Policy(_)
        | Body::Contact(_)
        | Body::Revocation(_)
        | Body::Delegation(_)
        | Body::Fork(_)
        | Body::Ruling(_)
        | Body::Destruction(_)
        | Body::Voice(_)
        | Body::Heard(_) => {}
    }
}

/// Checks the signatures of a batch in which later records may be issued by halls chartered in earlier
/// ones. What cannot be checked is left out and counted; it comes again with the next reconciliation.
pub(crate) fn verify_batch(view: &dyn View, records: Vec<Signed<Record>>) -> (Vec<Verified<Record>>, u64) {
    let mut fresh = Fresh { base: view, rows: BTreeMap::new() };
    verify_over(&mut fresh, records)
}

/// As [`verify_batch`]; with the card of a hall that may have been chartered in this very batch.
pub(crate) fn verify_batch_of(
    view: &dyn View,
    records: Vec<Signed<Record>>,
    hall: HallAt,
) -> (Vec<Verified<Record>>, u64, Option<HallCard>) {
    let mut fresh = Fresh { base: view, rows: BTreeMap::new() };
    let (verified, refused) = verify_over(&mut fresh, records);
    let card = Directory::new(&fresh).card(hall);
    (verified, refused, card)
}

fn verify_over(fresh: &mut Fresh<'_>, records: Vec<Signed<Record>>) -> (Vec<Verified<Record>>, u64) {
    let (mut verified, mut refused) = (Vec::new(), 0_u64);
    for signed in records {
        match verify(&Directory::new(fresh), &signed) {
            Ok(record) => {
                if is_new_life(fresh, &record) {
                    fresh.learn(&record);
                }
                verified.push(record);
            }
            Err(_) => refused = refused.saturating_add(1),
        }
    }
    (verified, refused)
}

/// Whether a record charters a life that nobody has a card of yet, and may do so. Only such a charter may
/// vouch for others in its batch: else a stranger's charter for a known hall would lend it a foreign key.
fn is_new_life(view: &dyn View, record: &Verified<Record>) -> bool {
    let Body::Charter(charter) = &record.value().body else { return false };
    let directory = Directory::new(view);
    directory.card(charter.at()).is_none() && admissible(&directory, record.value()).is_ok()
}

/// The directory with the charters of this very batch laid over it.
struct Fresh<'a> {
    base: &'a dyn View,
    rows: BTreeMap<Vec<u8>, Bytes>,
}

impl Fresh<'_> {
    fn learn(&mut self, record: &Verified<Record>) {
        if let Body::Charter(charter) = &record.value().body {
            let bytes = crate::wire::encode(record.signed());
            self.rows.insert(rows::life(charter.at()), bytes.into());
            let card = crate::wire::encode(&HallCard::of(charter));
            self.rows.insert(rows::card(charter.at()), card.into());
        }
    }
}

impl View for Fresh<'_> {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.rows.get(key).cloned().or_else(|| self.base.get(key))
    }

    fn scan(&self, prefix: &[u8], after: &[u8], visit: &mut dyn FnMut(&[u8], &[u8]) -> bool) {
        self.base.scan(prefix, after, visit);
    }
}
