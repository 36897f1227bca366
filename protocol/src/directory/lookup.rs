//! Reading the directory.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Charter, Contact, Revocation, RevocationReason, RootPolicy};
use crate::ids::{DivisionCode, HallAt, HallId, Tier};
use crate::planted::{Bug, planted};
use crate::record::{Body, Issuer, Record, Space};
use crate::rows;
use crate::seal::PublicKey;
use crate::shelf;
use crate::signed::{Signed, Verified};
use crate::step::View;

/// The directory as it stands in a view. Nothing is cached: rows are memory.
#[derive(Clone, Copy)]
pub struct Directory<'a> {
    pub(super) view: &'a dyn View,
}

/// Where a hall stands in the city: all that a computation of neighbours needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The hall and the life it is in.
    pub at: HallAt,
    /// Its tier.
    pub tier: Tier,
    /// The hall above it.
    pub parent: Option<HallId>,
}

/// What a roster and a check of what was signed need to know of a hall. Its encoding begins with its
/// [`Place`], so that a computation over all halls of a province need not decode the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HallCard {
    /// The hall and the life this card is of.
    pub at: HallAt,
    /// Its tier.
    pub tier: Tier,
    /// The hall above it.
    pub parent: Option<HallId>,
    /// Its name.
    pub name: String,
    /// It may act only for this division and what lies under it.
    pub scope: DivisionCode,
    /// The key of its line.
    pub transport_key: PublicKey,
    /// The key of its events and records.
    pub event_key: PublicKey,
    /// Milliseconds since 1970.
    pub valid_to: u64,
}

impl HallCard {
    pub(crate) fn of(charter: &Charter) -> Self {
        Self {
            at: charter.at(),
            tier: charter.tier,
            parent: charter.parent,
            name: charter.name.clone(),
            scope: charter.scope,
            transport_key: charter.transport_key,
            event_key: charter.event_key,
            valid_to: charter.valid_to,
        }
    }
}

impl<'a> Directory<'a> {
    /// The directory in `view`.
    pub fn new(view: &'a dyn View) -> Self {
        Self { view }
    }

    /// The root policy in force.
    pub fn policy(&self) -> Option<RootPolicy> {
        let Body::Policy(policy) = self.body("policy")? else { return None };
        Some(policy)
    }

    /// The charter in force of a hall, revoked or not.
    pub fn charter(&self, hall: HallId) -> Option<Charter> {
        self.life(self.last_life(hall)?)
    }

    /// The charter of one life of a hall, also of one that has ended: for checking what it signed.
    pub fn life(&self, at: HallAt) -> Option<Charter> {
        let Body::Charter(charter) = self.life_record(at)?.value().body.clone() else { return None };
        Some(*charter)
    }

    /// The record that carries a life's charter.
    pub fn life_record(&self, at: HallAt) -> Option<Verified<Record>> {
        let signed: Signed<Record> = rows::read(self.view, &rows::life(at))?;
        signed.trusted().ok()
    }

    /// Milliseconds since 1970 from which a life's charter holds; zero if there is none.
    pub(crate) fn chartered_from(&self, at: HallAt) -> u64 {
        let record = self.life_record(at);
        let charter = record.as_ref().map(|record| &record.value().body);
        if let Some(Body::Charter(charter)) = charter { charter.valid_from } else { 0 }
    }

    /// The hall right below the top in whose branch a hall is; the hall itself at the top.
    pub(crate) fn branch(&self, hall: HallId) -> HallId {
        let below_top = |hall| self.parent(hall).filter(|above| self.parent(*above).is_some());
        Tier::ALL.iter().fold(hall, |place, _| below_top(place).unwrap_or(place))
    }

    /// Where the last life of a hall said it can be reached, revoked or not.
    pub fn contact(&self, hall: HallId) -> Option<Contact> {
        let Body::Contact(contact) = self.body(&format!("contact/{}", self.last_life(hall)?))? else {
            return None;
        };
        Some(contact)
    }

    /// The revocation that covers this life of a hall.
    pub fn revocation(&self, at: HallAt) -> Option<Revocation> {
        self.stated_revocation(at).or_else(|| self.lost_by_voices(at))
    }

    /// Of one hall above it, or of the root.
    fn stated_revocation(&self, at: HallAt) -> Option<Revocation> {
        let mut found = None;
        let prefix = rows::record(Space::Directory, &format!("revocation/{}#", at.hall));
        self.view.scan(&prefix, &[], &mut |key, value| {
            let revocation = self.stated(rows::parse(key, value));
            found = revocation.filter(|it| it.at.incarnation >= at.incarnation);
            found.is_none()
        });
        found
    }

    /// A revocation that counts: not one that a stolen machine's key has written. Issuers stand above what
    /// they revoke, so asking about them comes to an end at the root.
    fn stated(&self, signed: Signed<Record>) -> Option<Revocation> {
        let record = signed.trusted().ok()?;
        let Body::Revocation(revocation) = &record.value().body else { return None };
        let counts = self.is_trusted(record.value().issuer) && !planted(Bug::RevocationIgnored);
        counts.then(|| revocation.clone())
    }

    /// Whether what an issuer states is still worth something: not if its machine was stolen.
    pub fn is_trusted(&self, issuer: Issuer) -> bool {
        let Issuer::Hall(at) = issuer else { return true };
        let stated = self.stated_revocation(at);
        stated.is_none_or(|it| it.reason != RevocationReason::Stolen) && !self.stolen_by_voices(at)
    }

    /// Whether a machine was stolen that has a key of this life: that of the life itself, or of a later one, which
    /// keeps the keys of those before it.
    pub fn is_stolen(&self, at: HallAt) -> bool {
        self.is_stolen_but_for(at, None) || self.stolen_by_voices(at)
    }

    /// The same by revocations, but for those that one hall has issued.
    pub(super) fn is_stolen_but_for(&self, at: HallAt, accused: Option<HallId>) -> bool {
        self.is_revoked_but_for(at, accused, |it| it.reason == RevocationReason::Stolen)
    }

    /// Whether one of the counties that may speak about the city's own hall was revoked by just that one: it may speak all
    /// the same.
    pub(crate) fn is_silenced(&self, at: HallAt) -> bool {
        let policy = self.policy().filter(|policy| policy.counties.contains(&at.hall));
        let Some(city) = policy.map(|policy| HallId::main(policy.city)) else { return false };
        let revoked = |accused| self.is_revoked_but_for(at, accused, |_| true);
        self.last_life(at.hall) == Some(at) && revoked(None) && !revoked(Some(city))
    }

    fn is_revoked_but_for(
        &self,
        at: HallAt,
        accused: Option<HallId>,
        counts: fn(&Revocation) -> bool,
    ) -> bool {
        let mut found = false;
        let prefix = rows::record(Space::Directory, &format!("revocation/{}#", at.hall));
        self.view.scan(&prefix, &[], &mut |key, value| {
            let signed: Signed<Record> = rows::parse(key, value);
            let issuer = signed.peek().map(|record| record.issuer);
            let heard = !matches!(issuer, Ok(Issuer::Hall(by)) if Some(by.hall) == accused);
            let revocation = heard.then(|| self.stated(signed)).flatten();
            found = revocation.is_some_and(|it| counts(&it) && it.at.incarnation >= at.incarnation);
            !found
        });
        found
    }

    /// Whether a stolen machine opens what is wrapped to the key of a life, or to the recovery key in its charter: that is
    /// the key of some life of the hall above, unless the root's holders have it offline.
    pub fn is_exposed(&self, at: HallAt, recovery: bool) -> bool {
        if !recovery {
            return self.is_stolen(at);
        }
        let parent = self.card(at).and_then(|card| card.parent);
        // Whatever is stolen of a hall, the keys of its first life are.
        let stolen = parent.filter(|hall| self.is_stolen(HallAt { hall: *hall, incarnation: 1 }));
        let (Some(parent), Some(charter)) = (stolen, self.life(at)) else { return false };
        let mut exposed = false;
        self.view.scan(&rows::lives_of(parent), &[], &mut |key, _| {
            let life = rows::incarnation(key).map(|incarnation| HallAt { hall: parent, incarnation });
            let opens = |life: Charter| life.wrap_key == charter.recovery_key && self.is_stolen(life.at());
            exposed |= life.and_then(|life| self.life(life)).is_some_and(opens);
            !exposed
        });
        exposed
    }

    /// Whether this life of a hall was revoked.
    pub fn is_revoked(&self, at: HallAt) -> bool {
        self.revocation(at).is_some()
    }

    /// The present life of a hall, if it is one of us.
    pub fn present(&self, hall: HallId) -> Option<HallAt> {
        let at = self.last_life(hall)?;
        (!self.is_revoked(at)).then_some(at)
    }

    /// The card of one life of a hall, also of one that has ended.
    pub fn card(&self, at: HallAt) -> Option<HallCard> {
        rows::read(self.view, &rows::card(at))
    }

    /// Every hall that is one of us, ascending by code.
    pub fn halls(&self) -> Vec<HallCard> {
        self.present_lives(rows::parse, |card: &HallCard| card.at)
    }

    /// The place of every hall that is one of us, ascending by code.
    pub fn places(&self) -> Vec<Place> {
        self.present_lives(rows::parse_head, |place: &Place| place.at)
    }

    fn present_lives<T>(&self, parse: fn(&[u8], &[u8]) -> T, at: fn(&T) -> HallAt) -> Vec<T> {
        let mut lives: Vec<T> = Vec::new();
        self.view.scan(&rows::cards(), &[], &mut |key, value| {
            let life = parse(key, value);
            // Lives of one hall stand in order; the last is the present one.
            lives.pop_if(|last| at(last).hall == at(&life).hall);
            lives.push(life);
            true
        });
        let revoked = self.revoked();
        lives.retain(|life| revoked.get(&at(life).hall).is_none_or(|last| *last < at(life).incarnation));
        lives
    }

    /// The last revoked life of each hall that has one.
    fn revoked(&self) -> BTreeMap<HallId, u32> {
        let mut revoked = BTreeMap::new();
        self.view.scan(&rows::record(Space::Directory, "revocation/"), &[], &mut |key, value| {
            if let Some(revocation) = self.stated(rows::parse(key, value)) {
                let last = revoked.entry(revocation.at.hall).or_insert(0);
                *last = revocation.at.incarnation.max(*last);
            }
            true
        });
        for lost in self.all_lost_by_voices() {
            let last = revoked.entry(lost.hall).or_insert(0);
            *last = lost.incarnation.max(*last);
        }
        revoked
    }

    /// The last life of a hall that was ever chartered, revoked or not.
    pub fn last_life(&self, hall: HallId) -> Option<HallAt> {
        let mut last = None;
        self.view.scan(&rows::lives_of(hall), &[], &mut |key, _| {
            last = rows::incarnation(key);
            true
        });
        last.map(|incarnation| HallAt { hall, incarnation })
    }

    fn body(&self, key: &str) -> Option<Body> {
        let record = shelf::held(self.view, Space::Directory, key)?;
        (!record.value().withdrawn).then(|| record.value().body.clone())
    }
}
