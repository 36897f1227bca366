//! Reading the lists: what is in force, who may do what, who decides.

use super::{Bundle, Delegation, Matter, Rights};
use crate::calendar::Calendar;
use crate::directory::Directory;
use crate::ids::{BundleCode, Digest, HallId, MatterCode};
use crate::record::{Body, Issuer, Record, Space};
use crate::rows;
use crate::shelf;
use crate::signed::{Signed, Verified};
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

/// A bundle together with the version that an application pins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinnedBundle {
    /// The bundle.
    pub bundle: Bundle,
    /// The owner's version counter.
    pub version: u32,
    /// SHA-256 of the signed record.
    pub digest: Digest,
}

impl PinnedBundle {
    fn of(record: &Verified<Record>) -> Option<Self> {
        let Body::Bundle(bundle) = &record.value().body else { return None };
        let (version, digest) = (record.value().version, record.signed().digest());
        Some(Self { bundle: (**bundle).clone(), version, digest })
    }
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
        let in_force = record.value().effective_from <= wall;
        self.present(&record).filter(|_| in_force)
    }

    /// The version of a matter that a case pinned, if this hall has ever held it.
    pub fn pinned(&self, digest: &Digest) -> Option<PinnedMatter> {
        let record = shelf::version(self.view, digest)?;
        let Body::Matter(matter) = &record.value().body else { return None };
        let version = record.value().version;
        Some(PinnedMatter { matter: (**matter).clone(), version, digest: *digest })
    }

    /// A bundle in force at `wall`.
    pub fn bundle(&self, code: &BundleCode, wall: u64) -> Option<PinnedBundle> {
        let record = shelf::held(self.view, Space::Lists, &format!("bundle/{code}"))?;
        let in_force = record.value().effective_from <= wall && self.stands(&record);
        PinnedBundle::of(&record).filter(|_| in_force)
    }

    /// The version of a bundle that an application pinned, if this hall has ever held it.
    pub fn pinned_bundle(&self, digest: &Digest) -> Option<PinnedBundle> {
        PinnedBundle::of(&shelf::version(self.view, digest)?)
    }

    /// Bundles in force at `wall` after a code, ascending, at most `count`.
    pub fn bundles(&self, after: &str, wall: u64, count: usize) -> Vec<PinnedBundle> {
        let prefix = rows::record(Space::Lists, "bundle/");
        let from = rows::record(Space::Lists, &format!("bundle/{after}"));
        let mut found = Vec::new();
        self.view.scan(&prefix, if after.is_empty() { &[] } else { &from }, &mut |key, value| {
            let record = trusted(rows::parse(key, value));
            let standing = record.filter(|it| it.value().effective_from <= wall && self.stands(it));
            found.extend(standing.and_then(|record| PinnedBundle::of(&record)));
            found.len() < count
        });
        found
    }

    /// The calendar in force and its SHA-256.
    pub fn calendar(&self) -> Option<(Calendar, Digest)> {
        let record = shelf::held(self.view, Space::Lists, "calendar")?;
        let Body::Calendar(calendar) = &record.value().body else { return None };
        self.stands(&record).then(|| (calendar.clone(), record.signed().digest()))
    }

    /// The calendar for a case: the version that it pinned, with the years that were published since. Where this hall has never
    /// held that version, the one in force, and false; none while it has no calendar at all.
    pub fn calendar_of(&self, pinned: &Digest) -> Option<(Calendar, bool)> {
        let now = self.calendar().map(|(calendar, _)| calendar);
        let record = shelf::version(self.view, pinned);
        let then = record.and_then(|record| {
            if let Body::Calendar(calendar) = &record.value().body { Some(calendar.clone()) } else { None }
        });
        match (then, now) {
            (Some(then), Some(now)) => Some((then.with_years_of(&now), true)),
            (Some(then), None) => Some((then, true)),
            (None, now) => now.map(|now| (now, false)),
        }
    }

    /// Matters after a code, ascending, at most `count`.
    pub fn matters(&self, after: &str, count: usize) -> Vec<PinnedMatter> {
        let prefix = rows::record(Space::Lists, "matter/");
        let from = rows::record(Space::Lists, &format!("matter/{after}"));
        let mut found = Vec::new();
        self.view.scan(&prefix, if after.is_empty() { &[] } else { &from }, &mut |key, value| {
            let record = trusted(rows::parse(key, value));
            found.extend(record.and_then(|record| self.present(&record)));
            found.len() < count
        });
        found
    }

    /// Everything that the lists hold and nobody has withdrawn, in the order of the records' keys, after one of them:
    /// a page of at most `count` entries and, if there are two, of `bytes` bytes.
    pub fn standing(&self, after: &str, count: usize, bytes: usize) -> Vec<Body> {
        let prefix = rows::record(Space::Lists, "");
        let from = rows::record(Space::Lists, after);
        let (mut found, mut size) = (Vec::new(), 0_usize);
        self.view.scan(&prefix, if after.is_empty() { &[] } else { &from }, &mut |key, value| {
            let Some(record) = trusted(rows::parse(key, value)).filter(|record| self.stands(record)) else {
                return true;
            };
            size = size.saturating_add(value.len());
            if size > bytes && !found.is_empty() {
                return false;
            }
            found.push(record.value().body.clone());
            found.len() < count
        });
        found
    }

    /// The delegations of a matter, or of all matters, that hold at `wall`: given by the tier that decides
    /// the matter, or by one above it.
    pub fn delegations(&self, matter: &Matter, wall: u64) -> Vec<Delegation> {
        let mut found = Vec::new();
        for name in [matter.code.as_str(), "*"] {
            let prefix = rows::record(Space::Lists, &format!("delegation/{name}/"));
            self.view.scan(&prefix, &[], &mut |key, value| {
                let record = trusted(rows::parse(key, value));
                found.extend(record.and_then(|record| self.delegation(&record, matter)));
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
        let mut delegations = self.delegations(matter, wall);
        delegations.retain(|it| it.holds_for(hall, wall) && it.area.covers(hall.division()));
        for given in &delegations {
            rights.receive |= given.rights.receive;
            rights.accept |= given.rights.accept;
            rights.transfer |= given.rights.transfer;
            rights.issue |= given.rights.issue;
        }
        Competence { rights, delegations }
    }

    fn delegation(&self, record: &Verified<Record>, matter: &Matter) -> Option<Delegation> {
        let Body::Delegation(delegation) = &record.value().body else { return None };
        let from_above = match record.value().issuer {
            Issuer::Root => true,
            Issuer::Hall(by) => by.hall.tier() <= matter.level,
        };
        (from_above && self.stands(record)).then(|| delegation.clone())
    }

    fn present(&self, record: &Verified<Record>) -> Option<PinnedMatter> {
        let Body::Matter(matter) = &record.value().body else { return None };
        let (version, digest) = (record.value().version, record.signed().digest());
        self.stands(record).then(|| PinnedMatter { matter: (**matter).clone(), version, digest })
    }

    /// Not withdrawn, and not the word of a stolen machine.
    fn stands(&self, record: &Verified<Record>) -> bool {
        !record.value().withdrawn && Directory::new(self.view).is_trusted(record.value().issuer)
    }
}

fn trusted(signed: Signed<Record>) -> Option<Verified<Record>> {
    signed.trusted().ok()
}
