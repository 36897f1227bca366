//! What has to hold of a case: every signature, every hash, who may issue to whom, and the fold. The rules
//! are the core's own: the charters are installed in rows that are thrown away.

use std::collections::{BTreeMap, BTreeSet};

use hallmesh_protocol::cases::{BadHeader, Case};
use hallmesh_protocol::directory::Directory;
use hallmesh_protocol::genesis;
use hallmesh_protocol::ids::HallAt;
use hallmesh_protocol::record::Issuer;
use hallmesh_protocol::seal::PublicKey;
use hallmesh_protocol::step::{Bytes, Now, View};

use super::dossier::{Dossier, Entry, Paper, holds};
use super::layout;
use super::problem::{Flaw, NotVerified};

/// Checks everything; gives the state that the log ends in.
pub(super) fn check(dossier: &Dossier) -> Result<Case, NotVerified> {
    root(dossier)?;
    let mut known = BTreeMap::new();
    for (place, paper) in dossier.charters.iter().enumerate() {
        let stem = layout::charter(place, paper.charter.at());
        let before = place.checked_sub(1).and_then(|before| dossier.charters.get(before));
        if before.is_some_and(|before| !before.before(paper)) {
            return Err(NotVerified::new(format!("{stem}.signed"), Flaw::Order));
        }
        signatures(dossier, paper, &stem, &known)?;
        known.insert(paper.charter.at(), paper.charter.event_key);
    }
    let rows = city(dossier)?;
    let case = log(dossier, &Directory::new(&rows))?;
    needed(dossier)?;
    Ok(case)
}

fn root(dossier: &Dossier) -> Result<(), NotVerified> {
    let signed = &dossier.policy;
    for (place, signature) in signed.signatures() {
        let key = dossier.root.keys.get(usize::from(*place));
        if !key.is_some_and(|key| holds(signed, key, signature)) {
            return Err(NotVerified::new(layout::policy_signature(*place), Flaw::Signature));
        }
    }
    enough(signed.signatures().len(), dossier, layout::POLICY)?;
    dossier.root.check().or(Err(NotVerified::new(layout::POLICY, Flaw::Charter)))
}

/// Every signature under a charter is that of its issuer, and there are enough of them.
fn signatures(
    dossier: &Dossier,
    paper: &Paper,
    stem: &str,
    known: &BTreeMap<HallAt, PublicKey>,
) -> Result<(), NotVerified> {
    let file = format!("{stem}.signed");
    let keys = match paper.issuer {
        Issuer::Root => dossier.root.keys.clone(),
        Issuer::Hall(by) => vec![*known.get(&by).ok_or(NotVerified::new(&file, Flaw::Issuer))?],
    };
    for (place, signature) in paper.signed.signatures() {
        if !keys.get(usize::from(*place)).is_some_and(|key| holds(&paper.signed, key, signature)) {
            let file = layout::charter_signature(stem, paper.issuer, *place);
            return Err(NotVerified::new(file, Flaw::Signature));
        }
    }
    let count = paper.signed.signatures().len();
    match paper.issuer {
        Issuer::Root => enough(count, dossier, &file),
        Issuer::Hall(_) if count == 1 => Ok(()),
        Issuer::Hall(_) => Err(NotVerified::new(file, Flaw::TooFew { valid: count, needed: 1 })),
    }
}

/// A place signs once: signatures come from files of different names, or were sorted by place.
fn enough(valid: usize, dossier: &Dossier, file: &str) -> Result<(), NotVerified> {
    let needed = dossier.root.threshold;
    if valid >= usize::from(needed.max(1)) {
        return Ok(());
    }
    Err(NotVerified::new(file, Flaw::TooFew { valid, needed }))
}

/// The city of these charters, as a node of it would hold them.
fn city(dossier: &Dossier) -> Result<Rows, NotVerified> {
    let all = dossier.charters.len();
    if let Some(rows) = installed(dossier, all) {
        return Ok(rows);
    }
    let first_bad = (1..=all).find(|count| installed(dossier, *count).is_none()).unwrap_or(all);
    let place = first_bad.saturating_sub(1);
    let file = dossier.charters.get(place).map(|paper| layout::charter(place, paper.charter.at()));
    Err(match file {
        Some(stem) => NotVerified::new(format!("{stem}.signed"), Flaw::Charter),
        None => NotVerified::new("charters", Flaw::Missing),
    })
}

fn installed(dossier: &Dossier, count: usize) -> Option<Rows> {
    let now = Now { ticks: 0, wall: 0 };
    let papers = dossier.charters.get(..count)?;
    let records = papers.iter().map(|paper| paper.signed.clone()).collect();
    let me = papers.last()?.charter.at();
    let writes = genesis::install(now, dossier.policy.digest(), &dossier.policy, records, me).ok()?;
    Some(Rows(writes.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()))
}

fn log(dossier: &Dossier, directory: &Directory<'_>) -> Result<Case, NotVerified> {
    let mut case: Option<Case> = None;
    for (sequence, entry) in dossier.log.iter().enumerate() {
        event(directory, sequence, entry)?;
        let digest = entry.event.digest();
        let after = match &case {
            None => Case::begin(&entry.header, digest),
            Some(case) => case.next(&entry.header, digest),
        };
        case = Some(after.map_err(|why| NotVerified::new(layout::header(sequence), Flaw::Rule(why)))?);
    }
    case.ok_or(NotVerified::new(layout::header(0), Flaw::Missing))
}

fn event(directory: &Directory<'_>, sequence: usize, entry: &Entry) -> Result<(), NotVerified> {
    let card = directory.card(entry.header.at);
    let card = card.ok_or(NotVerified::new(layout::header(sequence), Flaw::Signer))?;
    let stem = layout::event(sequence);
    entry.event.verify(&card.event_key).map(|_header| ()).map_err(|why| match why {
        BadHeader::Body => NotVerified::new(format!("{stem}.body"), Flaw::Body),
        BadHeader::Forged(_) => NotVerified::new(format!("{stem}.sig"), Flaw::Signature),
        BadHeader::Length | BadHeader::Version(_) | BadHeader::Field => {
            NotVerified::new(format!("{stem}.signed"), Flaw::Malformed)
        }
    })
}

/// No charter is there that no event needs.
fn needed(dossier: &Dossier) -> Result<(), NotVerified> {
    let mut needed: BTreeSet<HallAt> = dossier.log.iter().map(|entry| entry.header.at).collect();
    for (place, paper) in dossier.charters.iter().enumerate().rev() {
        let at = paper.charter.at();
        if !needed.contains(&at) {
            let stem = layout::charter(place, at);
            return Err(NotVerified::new(format!("{stem}.signed"), Flaw::Unexpected));
        }
        if let Issuer::Hall(by) = paper.issuer {
            needed.insert(by);
        }
    }
    Ok(())
}

/// Rows that are thrown away.
struct Rows(BTreeMap<Vec<u8>, Bytes>);

impl View for Rows {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.0.get(key).cloned()
    }

    fn scan(&self, prefix: &[u8], after: &[u8], visit: &mut dyn FnMut(&[u8], &[u8]) -> bool) {
        let rows = self.0.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix));
        for (key, value) in rows.filter(|(key, _)| after.is_empty() || key.as_slice() > after) {
            if !visit(key, value) {
                return;
            }
        }
    }
}
