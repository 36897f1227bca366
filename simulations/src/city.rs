//! Founding a city: from a table of divisions to root policy, charters, contacts and lists.
//!
//! The same records lie on every hall's disk from the start and are shared. Keys are of the toy suite and
//! follow from the seed; all halls share one wrapping key, since nothing here is ever opened.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use hallmesh_protocol::catalogue::{Bundle, Matter};
use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::directory::{Charter, Contact, Directory, RootPolicy};
use hallmesh_protocol::genesis;
use hallmesh_protocol::ids::{Digest, DivisionCode, HallAt, HallId, Tier};
use hallmesh_protocol::record::{Body, Issuer, Record};
use hallmesh_protocol::seal::{
    ContentKey, PublicKey, SecretKey, Suite, WrapPublic, Wrapped, wrap_key, wrap_keypair,
};
use hallmesh_protocol::signed::Signed;
use hallmesh_protocol::step::{Now, Writes};
use serde::Deserialize;

use crate::clock::FOUNDED;
use crate::disk::{Disk, Rows};
use crate::lists;

/// First town code of the units that only the statistical table knows.
const SIMILAR_UNITS_FROM: u64 = 400;
const ROOT_HOLDERS: u8 = 3;
const ROOT_THRESHOLD: u8 = 2;

/// A division that has a hall.
#[derive(Clone, Debug)]
pub struct Division {
    /// Its code.
    pub code: DivisionCode,
    /// Its name.
    pub name: String,
}

#[derive(Debug, Deserialize)]
struct Line {
    tier: String,
    code12: String,
    name: String,
}

/// Reads a division table (columns `tier,code12,parent12,name,mca_code12,note`). Units that are no real
/// towns are left out, with their villages.
pub fn read_table(csv: &[u8]) -> anyhow::Result<Vec<Division>> {
    let mut divisions = Vec::new();
    for line in csv::Reader::from_reader(csv).deserialize() {
        let line: Line = line.context("a line of the division table")?;
        let code: DivisionCode = line.code12.parse().with_context(|| format!("division {}", line.code12))?;
        let known = ["city", "county", "town", "township", "village"].contains(&line.tier.as_str());
        ensure!(known, "{}: no tier is called {}", line.code12, line.tier);
        if code.as_u64() / 1_000 % 1_000 < SIMILAR_UNITS_FROM {
            divisions.push(Division { code, name: line.name });
        }
    }
    divisions.sort_by_key(|division| division.code);
    ensure!(!divisions.is_empty(), "the division table is empty");
    Ok(divisions)
}

/// A made-up city: so many counties, towns in each, villages in each of those.
pub fn made_up(counties: u64, towns: u64, villages: u64) -> Vec<Division> {
    let city = 620_700_000_000_u64;
    let mut codes = vec![city];
    for county in (1..=counties).map(|it| city.saturating_add(it.saturating_mul(1_000_000))) {
        codes.push(county);
        for town in (1..=towns).map(|it| county.saturating_add(it.saturating_mul(1_000))) {
            codes.push(town);
            codes.extend((1..=villages).map(|it| town.saturating_add(it)));
        }
    }
    let named = |code: DivisionCode| Division { code, name: format!("Hall {code}") };
    codes.into_iter().filter_map(|code| DivisionCode::from_u64(code).ok()).map(named).collect()
}

/// A founded city.
#[derive(Debug)]
pub struct City {
    /// Every hall's first life, ascending by code; a hall's place here is its seat.
    pub halls: Vec<HallAt>,
    /// What is on the list.
    pub matters: Vec<Matter>,
    /// What of it makes one thing for a citizen.
    pub bundles: Vec<Bundle>,
    /// A wrapped key that stands for all.
    pub wrapped: Wrapped,
    first: Division,
    divisions: Vec<Division>,
    secret: [u8; 32],
    root: Vec<SecretKey>,
    wrap_public: WrapPublic,
}

impl City {
    /// Founds a city; all its keys follow from `chance`. Gives the disk that each hall begins with, too.
    pub fn found(divisions: &[Division], chance: &mut Chance) -> anyhow::Result<(Self, Vec<Disk>)> {
        let first = divisions.first().context("a city has halls")?;
        ensure!(first.code.tier() == Tier::City, "the division table has no city");
        let secret = chance.bytes32();
        let (_, wrap_public) = wrap_keypair(chance);
        let key = ContentKey::from_bytes(chance.bytes32());
        let city = Self {
            halls: divisions.iter().map(|division| life(division.code)).collect(),
            matters: lists::matters(divisions)?,
            bundles: lists::bundles(first.code)?,
            wrapped: wrap_key(&wrap_public, b"simulation", b"", &key, chance)?,
            first: first.clone(),
            divisions: divisions.to_vec(),
            secret,
            root: (0..ROOT_HOLDERS).map(|holder| grow(&secret, &format!("root {holder}"))).collect(),
            wrap_public,
        };
        let disks = city.disks()?;
        Ok((city, disks))
    }

    /// The key of a hall's events and records.
    pub fn event_key(&self, at: HallAt) -> SecretKey {
        grow(&self.secret, &format!("event {at}"))
    }

    /// The key of a clerk.
    pub fn clerk_key(&self, hall: HallId, number: u16) -> SecretKey {
        grow(&self.secret, &format!("clerk {hall} {number}"))
    }

    /// The hall above a hall; none for the city.
    pub fn parent(&self, hall: HallId) -> Option<HallId> {
        hall.division().ancestors().find(|above| self.has_hall(*above)).map(HallId::main)
    }

    /// The charter of one life of a hall.
    pub fn charter(&self, at: HallAt) -> Charter {
        let code = at.hall.division();
        let found = self.divisions.binary_search_by_key(&code, |it| it.code).ok();
        let name =
            found.and_then(|index| self.divisions.get(index)).map_or_else(String::new, |it| it.name.clone());
        Charter {
            hall: at.hall,
            incarnation: at.incarnation,
            name,
            tier: code.tier(),
            parent: self.parent(at.hall),
            transport_key: self.transport_key(at),
            event_key: self.event_key(at).public(),
            wrap_key: self.wrap_public.clone(),
            sm2_key: None,
            recovery_key: self.wrap_public.clone(),
            scope: code,
            valid_from: 0,
            valid_to: u64::MAX,
        }
    }

    /// The public key of a life's line.
    pub fn transport_key(&self, at: HallAt) -> PublicKey {
        grow(&self.secret, &format!("transport {at}")).public()
    }

    /// A record of the root, as its holders sign it at their meeting. Each is the first under its key.
    pub fn by_root(&self, body: Body) -> Signed<Record> {
        let signatures: Vec<_> = (0..ROOT_THRESHOLD).zip(&self.root).collect();
        Signed::sign(&first_version(Issuer::Root, body), &signatures)
    }

    /// What a new life adds to the rows that are there, or begins with where there are none.
    pub fn join(
        &self,
        now: Now,
        held: &Disk,
        records: Vec<Signed<Record>>,
        me: HallAt,
    ) -> anyhow::Result<Writes> {
        let policy = self.policy();
        let records = records.into_iter().filter(|it| *it != policy).collect();
        genesis::rejoin(now, held, policy.digest(), &policy, records, me)
            .with_context(|| format!("the hall {me}"))
    }

    /// The rows of a hall that knows these records and nothing else.
    fn install(&self, now: Now, records: Vec<Signed<Record>>, me: HallAt) -> anyhow::Result<Writes> {
        let policy = self.policy();
        let records = records.into_iter().filter(|it| *it != policy).collect();
        genesis::install(now, policy.digest(), &policy, records, me).with_context(|| format!("the hall {me}"))
    }

    /// What turns the rows of a life of a hall into those of a later one.
    pub fn rejoin(
        &self,
        now: Now,
        disk: &Disk,
        records: Vec<Signed<Record>>,
        me: HallAt,
    ) -> anyhow::Result<Writes> {
        let policy = self.policy();
        genesis::rejoin(now, disk, policy.digest(), &policy, records, me)
            .with_context(|| format!("the hall {me}"))
    }

    /// One disk a hall: the city's records are shared, only its own name differs.
    fn disks(&self) -> anyhow::Result<Vec<Disk>> {
        let mut records: Vec<_> = self.halls.iter().map(|at| self.first_charter(*at)).collect();
        records.extend(self.halls.iter().map(|at| self.contact(*at)));
        let bodies = lists::bodies(self.first.code, &self.matters, &self.bundles);
        records.extend(bodies.into_iter().map(|body| self.listed(body)));
        let now = Now { ticks: 0, wall: FOUNDED };
        let rows = self.install(now, records, life(self.first.code))?;
        let base: Rows = rows.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
        let (base, anchor) = (Arc::new(base), self.policy().digest());
        let disk = |at: &HallAt| {
            let mut disk = Disk::new(Arc::clone(&base));
            disk.commit(genesis::nameplate(now, anchor, *at)?);
            ensure!(Directory::new(&disk).card(*at).is_some(), "the hall {at} has no charter");
            Ok(disk)
        };
        self.halls.iter().map(disk).collect()
    }

    fn policy(&self) -> Signed<Record> {
        let policy = RootPolicy {
            city: self.first.code,
            name: self.first.name.clone(),
            threshold: ROOT_THRESHOLD,
            keys: self.root.iter().map(SecretKey::public).collect(),
            counties: Vec::new(),
        };
        self.by_root(Body::Policy(policy))
    }

    /// The city's charter is given by the root, every other one by the nearest hall above.
    fn first_charter(&self, at: HallAt) -> Signed<Record> {
        let body = Body::Charter(Box::new(self.charter(at)));
        match self.parent(at.hall) {
            Some(parent) => self.by_hall(life(parent.division()), body),
            None => self.by_root(body),
        }
    }

    fn has_hall(&self, code: DivisionCode) -> bool {
        self.divisions.binary_search_by_key(&code, |division| division.code).is_ok()
    }

    fn contact(&self, at: HallAt) -> Signed<Record> {
        self.by_hall(at, Body::Contact(Contact { at, addresses: vec![address(at)] }))
    }

    /// Lists are published by the hall whose they are, which can revise them: a hall never replaces what the root
    /// has stated.
    fn listed(&self, body: Body) -> Signed<Record> {
        let area = if let Body::Matter(matter) = &body { matter.area } else { self.first.code };
        self.by_hall(life(area), body)
    }

    fn by_hall(&self, at: HallAt, body: Body) -> Signed<Record> {
        Signed::sign(&first_version(Issuer::Hall(at), body), &[(0, &self.event_key(at))])
    }
}

/// Where a life of a hall says it can be reached. Nobody calls it: the simulator knows the way.
pub fn address(at: HallAt) -> String {
    format!("/dns/hall-{}-{}.example/tcp/7201", at.hall.division(), at.incarnation)
}

fn first_version(issuer: Issuer, body: Body) -> Record {
    Record { issuer, version: 1, previous: Digest([0; 32]), withdrawn: false, effective_from: 0, body }
}

/// The first life of a division's main hall.
fn life(code: DivisionCode) -> HallAt {
    HallAt { hall: HallId::main(code), incarnation: 1 }
}

fn grow(secret: &[u8; 32], purpose: &str) -> SecretKey {
    SecretKey::from_seed(Suite::Toy, *blake3::keyed_hash(secret, purpose.as_bytes()).as_bytes())
}

#[cfg(test)]
mod tests {
    use hallmesh_protocol::query;
    use hallmesh_protocol::step::View as _;

    use super::*;

    #[test]
    fn units_that_are_no_towns_are_left_out_with_their_villages() {
        let table = "tier,code12,parent12,name,mca_code12,note\r\n\
            town,620702402000,620702000000,Zone,,\r\n\
            village,620702402001,620702402000,Zone village,,\r\n\
            village,620702001001,620702001000,Village,,\r\n\
            city,620700000000,620000000000,City,,\r\n";
        let names: Vec<_> =
            read_table(table.as_bytes()).expect("a table").into_iter().map(|it| it.name).collect();
        assert_eq!(names, ["City", "Village"]);
    }

    #[test]
    fn a_table_with_an_unknown_tier_is_refused() {
        let table = "tier,code12,parent12,name,mca_code12,note\nprovince,620700000000,,X,,\n";
        assert!(read_table(table.as_bytes()).is_err());
    }

    #[test]
    fn a_made_up_city_has_a_disk_for_each_hall() {
        let (city, disks) = City::found(&made_up(2, 2, 1), &mut Chance::from_seed([7; 32])).expect("a city");
        assert_eq!(city.halls.len(), 11);
        for (at, disk) in city.halls.iter().zip(&disks) {
            assert_eq!(genesis::identity(disk).map(|identity| identity.at), Some(*at));
        }
    }

    #[test]
    fn a_hall_has_the_rows_that_it_would_have_been_installed_with() {
        let (city, disks) = City::found(&made_up(1, 1, 1), &mut Chance::from_seed([7; 32])).expect("a city");
        let now = Now { ticks: 0, wall: FOUNDED };
        for (at, disk) in city.halls.iter().zip(&disks) {
            let chain = query::chain(disk, *at);
            let installed = city.install(now, chain, *at).expect("an unbroken chain");
            let sums = 0x11..=0x12;
            let differs = |(key, _): &(&Vec<u8>, _)| !key.first().is_some_and(|table| sums.contains(table));
            for (key, value) in installed.iter().filter(differs) {
                assert_eq!(disk.get(key), *value, "{key:02x?}");
            }
        }
    }
}
