//! Made-up lists of a whole city, as large and as repetitive as published statistics say real ones are, for
//! benchmarks and for sizing computers.
//!
//! A sample of 10,000 of 1.57 million entries of Guangdong has 5.35 materials and 13.5 law citations a matter, with
//! 9,435 distinct names of materials and 1,219 laws in 5,185 articles; of the 1,135 matters of a county in Sichuan,
//! 536 are licences and 348 services. A city of one prefecture hall, 6 counties, 65 townships and 913 villages has
//! about 1,200, 1,300, 120 and 40 entries each. Halls of one tier list the same matters, in their own name, and one
//! in six with a limit and a material of its own. Steps of a procedure (5.24 a matter in that sample) are no part of a matter
//! here. Nothing is drawn from an existing list; every entry says that it is made up.
//!
//! The same entries and seed give the same lists, byte for byte.

#![expect(clippy::arithmetic_side_effects, reason = "numbers of entries and words are small")]
#![expect(clippy::indexing_slicing, reason = "places of four tiers and of eight bytes")]

mod divisions;
mod files;
mod words;

use hallmesh_protocol::catalogue::{
    Audience, Material, MaterialSource, Matter, MatterResult, Necessity, ResultKind,
};
use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::ids::{BodyId, Tier};

pub use divisions::{Place, city};
pub use files::{Written, write};
use words::Words;

/// Entries of a whole city at the most.
pub const ENTRIES_MAX: usize = 1_000_000;
/// Distinct laws, and articles of them that are cited.
const LAWS: u64 = 1_219;
const ARTICLES: u64 = 5_185;
/// Distinct names of materials.
const MATERIALS: u64 = 9_435;
/// Entries of one hall of each tier: city, county, township, village.
const USUAL: [u64; 4] = [1_200, 1_300, 120, 40];
/// Every so many-th entry has a limit of its own, and as many a material.
const OWN_LIMIT: u64 = 6;
/// Type codes of GB/T 39046-2020 by how many of 1,135 matters have them.
const KINDS: [(u64, u8); 7] = [(536, 1), (348, 20), (182, 10), (50, 7), (9, 5), (8, 9), (2, 8)];

/// The lists of one hall.
#[derive(Clone, Debug)]
pub struct HallList {
    /// Where it is.
    pub place: Place,
    /// What it lists.
    pub matters: Vec<Matter>,
}

/// The lists of a city with `entries` entries in all, hall by hall.
pub struct Lists {
    words: Words,
    places: Vec<Place>,
    /// Entries of one hall, and how many halls have one more, by tier.
    shares: [(u64, u64); 4],
    made: [u64; 4],
    next: usize,
    seed: u64,
}

impl Lists {
    /// Of `entries` entries, at most [`ENTRIES_MAX`].
    pub fn new(entries: usize, seed: u64) -> anyhow::Result<Lists> {
        let entries = u64::try_from(entries.min(ENTRIES_MAX))?;
        let places = city()?;
        let halls = Tier::ALL.map(|tier| count(&places, tier));
        let total: u64 = halls.iter().zip(USUAL).map(|(halls, usual)| halls * usual).sum();
        let mut left = entries;
        let mut shares = [(0, 0); 4];
        for (tier, share) in shares.iter_mut().enumerate() {
            let of_tier = if tier == 3 { left } else { entries * halls[tier] * USUAL[tier] / total };
            left -= of_tier;
            *share = (of_tier / halls[tier], of_tier % halls[tier]);
        }
        Ok(Lists { words: Words::read()?, places, shares, made: [0; 4], next: 0, seed })
    }

    fn hall(&mut self, place: Place) -> anyhow::Result<HallList> {
        let tier = rank(place.code.tier());
        let (share, more) = self.shares[tier];
        let count = share + u64::from(self.made[tier] < more);
        self.made[tier] += 1;
        let matters = (0..count).map(|number| self.matter(&place, number)).collect::<Result<_, _>>()?;
        Ok(HallList { place, matters })
    }

    /// One hall's entry of the `number`-th matter of its tier.
    fn matter(&self, place: &Place, number: u64) -> anyhow::Result<Matter> {
        let tier = place.code.tier();
        let base = rank64(tier) * 100_000 + number;
        let mut shared = draw(self.seed, base);
        let mut own = draw(self.seed ^ place.code.as_u64(), base);
        let kind = kind(&mut shared);
        let (department, body_name) = self.words.authority(place, &mut shared);
        let body = BodyId::illustrative(place.code, place.number * 64 + department);
        let promised = kind != 20 && shared.below(10) < 7;
        let legal_days = if promised { 5 + u16::try_from(shared.below(8))? * 5 } else { 1 };
        let least = legal_days.div_ceil(4).max(1);
        let usual = least + u16::try_from(shared.below(u64::from(legal_days - least) + 1))?;
        let differs = promised && own.below(OWN_LIMIT) == 0;
        let result = self.words.result(&mut shared);
        let mut materials = self.materials(number, &mut shared);
        self.vary(&mut materials, &mut own);
        Ok(Matter {
            code: format!("{body}{}{base:012}", rank(tier) + 3).parse()?,
            name: self.words.matter(base),
            kind,
            level: tier,
            area: place.code,
            body_name,
            body,
            promised,
            audience: [Audience::Person, Audience::Organisation, Audience::Both][pick(&mut shared, 3)],
            legal_days,
            promised_days: if differs { least } else { usual },
            materials,
            result: MatterResult { kind: result_kind(kind), name: result },
            offline_decision: !promised,
            basis: self.basis(number, &mut shared),
            source: "made up by hallmesh-sim lists".to_owned(),
            verified: false,
        })
    }

    fn materials(&self, number: u64, chance: &mut Chance) -> Vec<Material> {
        let count = materials_of(number);
        let mut materials: Vec<Material> = Vec::new();
        while u64::try_from(materials.len()).is_ok_and(|length| length < count) {
            // Two in five are among the few that everybody asks for.
            let (name, shared) = if chance.below(5) < 2 {
                self.words.common_material(chance)
            } else {
                (self.words.material(skewed(chance, MATERIALS)), false)
            };
            let source = if shared { MaterialSource::Shared } else { MaterialSource::Applicant };
            let necessity = match chance.below(10) {
                0 => Necessity::Optional,
                1 => Necessity::Supplementable,
                _ => Necessity::Required,
            };
            if materials.iter().all(|it| it.name != name) {
                materials.push(Material { name, necessity, source });
            }
        }
        materials
    }

    /// What this hall alone asks for.
    fn vary(&self, materials: &mut [Material], own: &mut Chance) {
        let name = self.words.material(skewed(own, MATERIALS));
        if own.below(OWN_LIMIT) == 0
            && materials.iter().all(|it| it.name != name)
            && let Some(last) = materials.last_mut()
        {
            *last = Material { name, necessity: Necessity::Required, source: MaterialSource::Applicant };
        }
    }

    /// The articles it rests on.
    fn basis(&self, number: u64, chance: &mut Chance) -> String {
        let cited = (0..citations_of(number)).map(|_| {
            let article = skewed(chance, ARTICLES);
            format!("《{}》第{}条", self.words.law(article % LAWS), 2 + article / LAWS * 7 + article % 11)
        });
        cited.collect::<Vec<_>>().join("；")
    }
}

impl Iterator for Lists {
    type Item = anyhow::Result<HallList>;

    fn next(&mut self) -> Option<Self::Item> {
        let place = self.places.get(self.next)?.clone();
        self.next += 1;
        Some(self.hall(place))
    }
}

/// Spread evenly over the matters of a tier, so that the mean holds for few of them, too: 2 to 7, of one in six or seven 8 to 12.
fn materials_of(number: u64) -> u64 {
    let place = (number * 529 + 309) % 1_000;
    if place < 845 { 2 + place * 6 / 845 } else { 8 + (place - 845) * 5 / 155 }
}

/// Likewise: 4 to 19, of one in five 17 to 26.
fn citations_of(number: u64) -> u64 {
    let place = (number * 457 + 309) % 1_000;
    if place < 800 { 4 + place * 16 / 800 } else { 17 + (place - 800) * 10 / 200 }
}

/// Below `bound`, small numbers far more often than large ones.
fn skewed(chance: &mut Chance, bound: u64) -> u64 {
    let draw = chance.below(1_000_000);
    draw * draw / 1_000_000 * bound / 1_000_000
}

fn kind(chance: &mut Chance) -> u8 {
    let mut place = chance.below(KINDS.iter().map(|(weight, _)| weight).sum());
    for (weight, kind) in KINDS {
        if place < weight {
            return kind;
        }
        place -= weight;
    }
    10
}

const fn result_kind(kind: u8) -> ResultKind {
    match kind {
        1 => ResultKind::Licence,
        5 | 8 => ResultKind::Payment,
        7 => ResultKind::Certificate,
        9 => ResultKind::Approval,
        20 => ResultKind::Service,
        _ => ResultKind::Register,
    }
}

fn draw(seed: u64, about: u64) -> Chance {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&about.to_le_bytes());
    Chance::from_seed(bytes)
}

fn pick(chance: &mut Chance, from: usize) -> usize {
    usize::try_from(chance.below(u64::try_from(from).unwrap_or(1))).unwrap_or(0)
}

fn count(places: &[Place], tier: Tier) -> u64 {
    places.iter().fold(0, |count, place| count + u64::from(place.code.tier() == tier))
}

fn rank(tier: Tier) -> usize {
    Tier::ALL.iter().position(|it| *it == tier).unwrap_or(0)
}

fn rank64(tier: Tier) -> u64 {
    u64::try_from(rank(tier)).unwrap_or(0)
}
