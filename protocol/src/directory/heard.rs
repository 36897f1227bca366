//! What makes a decision of the counties stand, whatever becomes of one of them later (design section 7, point 5).
//!
//! A voice of a machine that was stolen is worth nothing, or a thief could raise one. But a county that has spoken may be
//! robbed afterwards, and what the city has done since cannot be undone. No clock tells the one from the other: the thief
//! writes what date he likes. What tells them apart is who has met what: the machine of each named county states, with the
//! voices themselves as proof, that it has met a majority, and it does so only while it knows of no theft among them. Once a
//! majority of the counties has stated that, the decision is taken. Of those that state it one has to be left that nobody has
//! robbed: robbed machines alone take no decision, and unless all of them are robbed none is undone.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::ruling::Ruled;
use super::voices::{Said, Word, lie_together};
use super::{Directory, Inadmissible, RevocationReason, Ruling, Voice};
use crate::ids::{Digest, HallAt, HallId, Tier};
use crate::record::{Body, Issuer, Record, Space};
use crate::seal::{self, Context};
use crate::shelf;
use crate::signed::{Signed, Unverified};

/// A county's machine has met a majority of the counties that says the same about the city's own hall.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// The last life of the city's hall.
    pub of: HallAt,
    /// Who goes on; none where the disk of a life that has ended is destroyed.
    pub to: Option<HallId>,
    /// Stolen, if all of these voices say so; else closed.
    pub reason: RevocationReason,
    /// The county whose machine has met it.
    pub by: HallId,
    /// Just as many voices as are needed, by county.
    pub voices: Vec<Signed<Record>>,
}

/// One county's word that it has met a majority.
pub(super) struct Witness {
    of: HallAt,
    pub(super) to: Option<HallId>,
    pub(super) by: HallAt,
    stolen: bool,
    /// The last date of the voices that it has met.
    wall: u64,
}

/// What the counties have decided.
pub(super) struct Decided {
    pub(super) of: HallAt,
    pub(super) to: Option<HallId>,
    pub(super) stolen: bool,
    pub(super) wall: u64,
    /// The first of those that have met it.
    by: HallAt,
}

impl Heard {
    /// The key under which it stands. That it was stolen takes nothing from what was met before.
    pub(crate) fn key(&self) -> String {
        let to = self.to.map_or_else(|| "destroyed".to_owned(), |to| to.to_string());
        let reason = if self.reason == RevocationReason::Stolen { "stolen" } else { "closed" };
        format!("heard/{}>{to}/{reason}/{}", self.of, self.by)
    }

    /// Whether the voices are signed by those whose they are.
    pub(super) fn holds(&self, directory: &Directory<'_>) -> Result<(), Unverified> {
        self.voices.iter().try_for_each(|voice| {
            let Issuer::Hall(at) = voice.peek()?.issuer else { return Err(Unverified::OutOfScope) };
            let card = directory.card(at).ok_or(Unverified::UnknownSigner)?;
            voice.verify(&card.event_key).map(drop)
        })
    }

    /// Whether they are a majority that says this, and a county that the policy names states it.
    pub(super) fn admissible(&self, directory: &Directory<'_>, issuer: Issuer) -> Result<(), Inadmissible> {
        let Issuer::Hall(at) = issuer else { return Err(Inadmissible::Malformed) };
        if at.hall != self.by || !directory.is_voice(at.hall, self.of.hall) {
            return Err(Inadmissible::OutOfScope);
        }
        let mut said = Vec::new();
        for signed in &self.voices {
            let record = signed.peek().or(Err(Inadmissible::Malformed))?;
            let voice = self.voice(&record).ok_or(Inadmissible::Malformed)?;
            voice.admissible(directory, record.issuer)?;
            said.extend(Said::of(&record));
        }
        let needed = directory.policy().ok_or(Inadmissible::OtherRoot)?.majority();
        let counties = said.is_sorted_by(|one, other| one.by.hall < other.by.hall);
        said.sort_unstable_by_key(|said| said.wall);
        let holds = said.len() == needed && counties && lie_together(&said);
        if holds { Ok(()) } else { Err(Inadmissible::Malformed) }
    }

    fn voice<'a>(&self, record: &'a Record) -> Option<&'a Voice> {
        let Body::Voice(voice) = &record.body else { return None };
        let reason = voice.reason == self.reason || self.reason == RevocationReason::Closed;
        let same = reason && (voice.of, voice.to) == (self.of, self.to) && !record.withdrawn;
        same.then_some(voice)
    }

    fn witness(&self, by: HallAt) -> Witness {
        let walls = self.voices.iter().filter_map(|signed| Some(Said::of(&signed.peek().ok()?)?.wall));
        let (stolen, wall) = (self.reason == RevocationReason::Stolen, walls.max().unwrap_or(0));
        Witness { of: self.of, to: self.to, by, stolen, wall }
    }
}

impl Decided {
    /// As a ruling. Its digest is that of what was decided, not of one of the records that say it: those differ from hall
    /// to hall, and events name it.
    pub(super) fn ruled(self) -> Option<Ruled> {
        let (of, to) = (self.of, self.to?);
        let digest = Digest(seal::digest(Context::RECORD, format!("voice/{of}>{to}").as_bytes()));
        let ruling = Ruling { of, to, by: None, wall: self.wall };
        Some(Ruled { digest, issuer: Issuer::Hall(self.by), since: self.wall, ruling })
    }
}

impl Directory<'_> {
    /// What a county's machine meets now and has not stated yet. Of two halls that are to go on for one life it states one.
    pub(crate) fn heard_by(&self, county: HallId) -> Vec<Heard> {
        let Some(policy) = self.policy().filter(|policy| policy.counties.contains(&county)) else {
            return Vec::new();
        };
        let mut heard = Vec::new();
        for word in self.words("voice/") {
            let stolen =
                word.stolen().together(policy.majority()).map(|word| (word, RevocationReason::Stolen));
            let any = || Some((word.together(policy.majority())?, RevocationReason::Closed));
            let met = stolen.or_else(any).and_then(|(word, reason)| self.met(&word, reason, county));
            let rival =
                |it: &Heard| it.of == word.of && it.to.is_some() && it.to != word.to && word.to.is_some();
            heard.extend(met.filter(|_| !heard.iter().any(rival)));
        }
        heard
    }

    fn met(&self, word: &Word, reason: RevocationReason, by: HallId) -> Option<Heard> {
        let said = word.said.values();
        let voices =
            said.map(|said| Some(shelf::held(self.view, Space::Directory, &said.key)?.signed().clone()));
        let heard = Heard { of: word.of, to: word.to, reason, by, voices: voices.collect::<Option<_>>()? };
        let own = self.witnesses(&format!("heard/{}>", word.of));
        let rival = |it: &Witness| it.by.hall == by && it.to.is_some() && it.to != word.to;
        let fresh = shelf::held(self.view, Space::Directory, &heard.key()).is_none();
        (fresh && !(word.to.is_some() && own.iter().any(rival))).then_some(heard)
    }

    pub(super) fn decided_of(&self, hall: HallId) -> Vec<Decided> {
        let city = hall.tier() == Tier::City && hall.serial() == 0;
        if city { self.decided(&format!("heard/{hall}#")) } else { Vec::new() }
    }

    /// What a majority of the counties has met.
    pub(super) fn decided(&self, prefix: &str) -> Vec<Decided> {
        let mut met: BTreeMap<(HallAt, Option<HallId>), Vec<Witness>> = BTreeMap::new();
        for witness in self.witnesses(prefix) {
            met.entry((witness.of, witness.to)).or_default().push(witness);
        }
        if met.is_empty() {
            return Vec::new();
        }
        let needed = self.policy().map_or(usize::MAX, |policy| policy.majority());
        let decided = met.into_iter().filter_map(|((of, to), met)| {
            let of_theft: Vec<&Witness> = met.iter().filter(|it| it.stolen).collect();
            let all: Vec<&Witness> = met.iter().collect();
            let first = all.iter().min_by_key(|it| (it.wall, it.by)).filter(|_| self.stands(&all, needed))?;
            let stolen = self.stands(&of_theft, needed);
            Some(Decided { of, to, stolen, wall: first.wall, by: first.by })
        });
        decided.collect()
    }

    /// Whether so many have met it, one of whom at least nobody has robbed. The accused has no say in that.
    fn stands(&self, met: &[&Witness], needed: usize) -> bool {
        let counties: BTreeSet<HallId> = met.iter().map(|it| it.by.hall).collect();
        let honest = |it: &&Witness| !self.is_stolen_but_for(it.by, Some(it.of.hall));
        counties.len() >= needed && met.iter().any(honest)
    }

    pub(super) fn witnesses(&self, prefix: &str) -> Vec<Witness> {
        let mut found = Vec::new();
        self.scan_said(prefix, &mut |record| {
            if let (Body::Heard(heard), Issuer::Hall(by)) = (&record.body, record.issuer) {
                found.push(heard.witness(by));
            }
        });
        found
    }
}
