//! Reading the lists: what is in force, who may do what, who decides.

use super::{Delegation, Matter, Rights};
use crate::calendar::Calendar;
use crate::ids::{Digest, HallId, MatterCode};
use crate::record::{Body, Space};
use crate::rows;
use crate::shelf;
use crate::signed::Signed;
use crate::step::View;

/// The lists as they stand in a view.
#[derive(Clone, Copy)]
pub struct Catalogue<'a> {
    view: &'a dyn View,
}

/// A matter together with the version that a case pins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinnedMatter {
    /// The matter.
    pub matter: Matter,
    /// The owner's version counter.
    pub version: u32,
    /// SHA-256 of the signed record.
    pub digest: Digest,
}

/// How a hall came by its rights over a matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Competence {
    /// The rights it has.
    pub rights: Rights,
    /// The delegations that gave them, besides the law itself.
    pub delegations: Vec<Delegation>,
}

impl<'a> Catalogue<'a> {
    /// The lists in `view`.
    pub fn new(view: &'a dyn View) -> Self {
        Self { view }
    }

    /// A matter in force at `wall`.
    pub fn matter(&self, code: &MatterCode, wall: u64) -> Option<PinnedMatter> {
        let record = shelf::held(self.view, Space::Lists, &format!("matter/{code}"))?;
        let value = record.value();
        if value.withdrawn || value.effective_from > wall {
            return None;
        }
        let Body::Matter(matter) = &value.body else { return None };
        let digest = record.signed().digest();
        Some(PinnedMatter { matter: (**matter).clone(), version: value.version, digest })
    }

    /// The version of a matter that a case pinned, if this hall has ever held it.
    pub fn pinned(&self, digest: &Digest) -> Option<PinnedMatter> {
        let record = shelf::version(self.view, digest)?;
        let Body::Matter(matter) = &record.value().body else { return None };
        let version = record.value().version;
        Some(PinnedMatter { matter: (**matter).clone(), version, digest: *digest })
    }

    /// The calendar in force and its SHA-256.
    pub fn calendar(&self) -> Option<(Calendar, Digest)> {
        let record = shelf::held(self.view, Space::Lists, "calendar")?;
        let Body::Calendar(calendar) = &record.value().body else { return None };
        Some((calendar.clone(), record.signed().digest()))
    }

    /// Matters after a code, ascending, at most `count`.
    pub fn matters(&self, after: &str, count: usize) -> Vec<PinnedMatter> {
        let prefix = rows::record(Space::Lists, "matter/");
        let from = rows::record(Space::Lists, &format!("matter/{after}"));
        let mut found = Vec::new();
        self.view.scan(&prefix, if after.is_empty() { &[] } else { &from }, &mut |key, value| {
            let signed: Signed<_> = rows::parse(key, value);
            found.extend(present(signed));
            found.len() < count
        });
        found
    }

    /// The delegations that name a matter or all matters and hold at `wall`.
    pub fn delegations(&self, code: &MatterCode, wall: u64) -> Vec<Delegation> {
        let mut found = Vec::new();
        for matter in [code.as_str(), "*"] {
            let prefix = rows::record(Space::Lists, &format!("delegation/{matter}/"));
            self.view.scan(&prefix, &[], &mut |key, value| {
                found.extend(delegation(rows::parse(key, value)));
                true
            });
        }
        found.retain(|it| (it.valid_from..it.valid_to).contains(&wall));
        found
    }

    /// What `hall` may do with `matter` at `wall`: by law where it is the deciding tier, else by delegation.
    pub fn competence(&self, matter: &Matter, hall: HallId, wall: u64) -> Competence {
        let by_law = matter.level == hall.tier() && matter.area.covers(hall.division());
        let mut rights = Rights { receive: by_law, accept: by_law, transfer: by_law, issue: by_law };
        let mut delegations = self.delegations(&matter.code, wall);
        delegations.retain(|it| it.holds_for(hall, wall) && it.area.covers(hall.division()));
        for given in &delegations {
            rights.receive |= given.rights.receive;
            rights.accept |= given.rights.accept;
            rights.transfer |= given.rights.transfer;
            rights.issue |= given.rights.issue;
        }
        Competence { rights, delegations }
    }
}

fn present(signed: Signed<crate::record::Record>) -> Option<PinnedMatter> {
    let record = signed.trusted().ok()?;
    let Body::Matter(matter) = &record.value().body else { return None };
    let (version, digest) = (record.value().version, record.signed().digest());
    (!record.value().withdrawn).then(|| PinnedMatter { matter: (**matter).clone(), version, digest })
}

fn delegation(signed: Signed<crate::record::Record>) -> Option<Delegation> {
    let record = signed.trusted().ok()?;
    let Body::Delegation(delegation) = &record.value().body else { return None };
    (!record.value().withdrawn).then(|| delegation.clone())
}
