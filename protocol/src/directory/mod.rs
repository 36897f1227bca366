//! Who is a hall: root policy, charters, contacts, revocations.
//!
//! City root policy (k of n holders, keys offline) -> county -> township -> village. A tier may be absent.

pub(crate) mod admission;
mod heard;
mod keepers;
mod lookup;
mod neighbours;
mod ruling;
mod succession;
mod voices;

use serde::{Deserialize, Serialize};

use crate::ids::{DivisionCode, HallAt, HallId, Tier};
use crate::limits::{ADDRESS_MAX, ADDRESSES_MAX, COUNTIES_MAX, LIVES_MAX, NAME_MAX, SIGNATURES_MAX};
use crate::seal::{PublicKey, WrapPublic};

pub use admission::{Enrolment, Inadmissible, charter_holds};
pub use heard::Heard;
pub use keepers::Addressee;
pub use lookup::{Directory, HallCard, Place};
pub use neighbours::{mirrors, neighbours};
pub use ruling::{Declaration, Declarers, Destruction, NotDeclared, Ruling};
pub use voices::{Voice, Voices};

/// How the city's root signs: any `threshold` of `keys`, each kept offline by one holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootPolicy {
    /// The city.
    pub city: DivisionCode,
    /// Its name.
    pub name: String,
    /// How many holders must sign.
    pub threshold: u8,
    /// The holders' keys.
    pub keys: Vec<PublicKey>,
    /// The main halls of counties of which a majority may declare that the city's own hall is lost, and who goes on; none if
    /// only the holders may. Ascending.
    pub counties: Vec<HallId>,
}

impl RootPolicy {
    /// How many of the counties have to say the same: more than half of those that are named.
    pub const fn majority(&self) -> usize {
        (self.counties.len() >> 1).saturating_add(1)
    }

    /// One county alone ends no city.
    fn names_counties(&self) -> bool {
        let county = |hall: &HallId| {
            hall.tier() == Tier::County && hall.serial() == 0 && self.city.covers(hall.division())
        };
        self.counties.len() != 1
            && self.counties.len() <= COUNTIES_MAX
            && self.counties.iter().all(county)
            && self.counties.is_sorted_by(|one, other| one < other)
    }

    /// Whether the policy is one that can be lived with.
    pub fn check(&self) -> Result<(), Inadmissible> {
        let holders = u8::try_from(self.keys.len()).unwrap_or(u8::MAX);
        let mut keys = self.keys.clone();
        keys.sort_unstable();
        keys.dedup();
        let sound = self.city.tier() == Tier::City
            && named(&self.name)
            && self.keys.len() <= SIGNATURES_MAX
            && keys.len() == self.keys.len()
            && (1..=holders).contains(&self.threshold)
            && self.names_counties();
        if sound { Ok(()) } else { Err(Inadmissible::Malformed) }
    }
}

/// A hall's licence to take part, given by the hall above it or by the root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charter {
    /// The hall.
    pub hall: HallId,
    /// Which life of its node: a re-installed node is a new one.
    pub incarnation: u32,
    /// The hall's full name, checked together with its code.
    pub name: String,
    /// Its tier, checked against the code.
    pub tier: Tier,
    /// The hall above it, none for the city.
    pub parent: Option<HallId>,
    /// The key of its line (the peer identity).
    pub transport_key: PublicKey,
    /// The key of its events and records.
    pub event_key: PublicKey,
    /// The key that case keys are wrapped to.
    pub wrap_key: WrapPublic,
    /// Room for the SM2 key of suite 2.
    pub sm2_key: Option<Vec<u8>>,
    /// The superior's recovery key, whose private half is offline.
    pub recovery_key: WrapPublic,
    /// It may act only for this division and what lies under it.
    pub scope: DivisionCode,
    /// Milliseconds since 1970.
    pub valid_from: u64,
    /// Milliseconds since 1970; after it the charter ages, receive-only, for a grace period.
    pub valid_to: u64,
}

impl Charter {
    /// This life of the hall.
    pub const fn at(&self) -> HallAt {
        HallAt { hall: self.hall, incarnation: self.incarnation }
    }

    /// Whether the charter agrees with itself.
    pub fn check(&self) -> Result<(), Inadmissible> {
        let placed = self.tier == self.hall.tier() && self.scope == self.hall.division();
        let parent = match self.parent {
            None => self.tier == Tier::City,
            Some(parent) => parent.division().covers(self.hall.division()) && parent.tier() < self.tier,
        };
        let sm2 = self.sm2_key.as_ref().is_none_or(|key| key.len() <= 64);
        let lives = (1..=LIVES_MAX).contains(&self.incarnation);
        let sound = placed && parent && lives && named(&self.name) && self.valid_from < self.valid_to && sm2;
        if sound { Ok(()) } else { Err(Inadmissible::Malformed) }
    }
}

/// Where a hall can be reached, said by the hall itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The hall and its life.
    pub at: HallAt,
    /// Addresses in the transport's notation; none for a hall that only calls out.
    pub addresses: Vec<String>,
}

impl Contact {
    fn check(&self) -> Result<(), Inadmissible> {
        let plain = |address: &String| address.bytes().all(|byte| byte.is_ascii_graphic());
        let short = |address: &String| !address.is_empty() && address.len() <= ADDRESS_MAX && plain(address);
        let sound = self.addresses.len() <= ADDRESSES_MAX && self.addresses.iter().all(short);
        if sound { Ok(()) } else { Err(Inadmissible::Malformed) }
    }
}

/// Why a node was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RevocationReason {
    /// The machine was stolen or its keys may be known to others.
    Stolen,
    /// The machine was replaced.
    Replaced,
    /// The hall was closed or merged.
    Closed,
}

/// This life of a hall, and all before it, are no longer among us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// The hall and the last life that is revoked.
    pub at: HallAt,
    /// The transport key that is revoked, whoever shows it.
    pub transport_key: PublicKey,
    /// Why.
    pub reason: RevocationReason,
    /// Milliseconds since 1970 since when its signatures are worth nothing.
    pub since: u64,
}

fn named(name: &str) -> bool {
    let count = name.chars().count();
    (1..=NAME_MAX).contains(&count) && !name.chars().any(char::is_control)
}
