//! From the founding of a city to its village, and everything that stops on the way.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use hallmesh_protocol::directory::{Contact, Revocation, RevocationReason};
use hallmesh_protocol::genesis::identity;
use hallmesh_protocol::node::{Me, Node, next_version};
use hallmesh_protocol::record::{Body, Issuer, Record};
use hallmesh_protocol::seal::SecretKey;
use hallmesh_protocol::signed::Signed;
use hallmesh_protocol::step::{Command, Effects, Input, Now, Output, Reply, Ticket};
use tempfile::TempDir;

use super::*;
use crate::home::{HomeError, chance};
use crate::store::{Snapshot, Store};

mod refusals;
mod texts;

const WALL: u64 = 1_795_000_000_000;
const DAYS: u16 = 400;
const CITY: &str = "620700000000";
const COUNTY: &str = "620702000000";
const TOWNSHIP: &str = "620702100000";
const VILLAGE: &str = "620702100201";

#[test]
fn city_and_counties_join_by_the_root_and_a_township_by_its_county() {
    let world = World::new();
    let city = world.joined_by_root(CITY, None);
    let card = card_text(&rows(&city), city.hall()).unwrap();
    let county = world.joined_by_root(COUNTY, Some(&card));
    let township = world.home(TOWNSHIP);
    let text = World::by_hall(&county, &township);
    let joined = join(&township, &text, &world.founded.anchor, WALL).unwrap();
    assert_eq!(joined.at, first(&township));
    assert_eq!(joined.superior, Some(county.hall()));
    assert_eq!(joined.fingerprint, world.founded.fingerprint);
    let village = world.home(VILLAGE);
    let text = World::by_hall(&township, &village);
    join_as_typed(&village, &text, &world.founded.fingerprint.to_lowercase(), WALL).unwrap();
    for home in [city, county, township, village] {
        let view = rows(&home);
        let identity = identity(&view).unwrap();
        assert_eq!((identity.at, identity.anchor), (first(&home), world.founded.anchor));
        assert!(home.is_joined().unwrap());
    }
}

#[test]
fn the_recovery_key_is_the_issuers() {
    let world = World::new();
    let city = world.joined_by_root(CITY, None);
    let county = world.joined_by_root(COUNTY, None);
    let township = world.home(TOWNSHIP);
    join(&township, &World::by_hall(&county, &township), &world.founded.anchor, WALL).unwrap();
    let charter = |home: &Home| Directory::new(&rows(home)).charter(home.hall()).unwrap();
    assert_eq!(charter(&city).recovery_key, charter(&county).recovery_key);
    assert_ne!(charter(&city).recovery_key, charter(&city).wrap_key);
    assert_eq!(charter(&township).recovery_key, county.keys().unwrap().wrap.public());
    assert_eq!(charter(&county).parent, Some(city.hall()));
    assert_eq!(charter(&county).valid_to, WALL + u64::from(DAYS) * 24 * 3_600_000);
}

#[test]
fn the_root_finds_the_nearest_hall_it_has_issued() {
    let world = World::new();
    world.joined_by_root(CITY, None);
    let township = world.joined_by_root(TOWNSHIP, None);
    let parent = |home: &Home| Directory::new(&rows(home)).charter(home.hall()).unwrap().parent;
    assert_eq!(parent(&township), Some(HallId::main(CITY.parse().unwrap())));
    let village = world.joined_by_root(VILLAGE, None);
    assert_eq!(parent(&village), Some(township.hall()));
}

#[test]
fn a_card_in_hexadecimal_is_the_same_card() {
    let world = World::new();
    let city = world.joined_by_root(CITY, None);
    let records = query::enrolment_records(&rows(&city), city.hall());
    let bytes = hallmesh_protocol::record::encode_records(&records);
    let hex: String = bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from_digit(u32::from(digit), 16).unwrap())
        .collect();
    assert_eq!(card_text_of_hex(&hex).unwrap(), card_text(&rows(&city), city.hall()).unwrap());
    for wrong in ["", "0", "zz", "+1", &hex[2..]] {
        let refused = card_text_of_hex(wrong);
        assert!(matches!(refused, Err(EnrolError::Papers(PapersError::Incomplete))), "{refused:?}");
    }
}

#[test]
fn a_bundle_takes_contacts_along_and_leaves_out_what_nobody_can_check() {
    let world = World::new();
    let (city, county) = (world.joined_by_root(CITY, None), world.joined_by_root(COUNTY, None));
    let addresses = vec!["/ip4/10.0.0.1/tcp/6207".to_owned()];
    let contact = Body::Contact(Contact { at: first(&county), addresses });
    admit(&county, vec![own_record(&county, contact)]);
    // The other county's charter is no link of this chain, and so its revocation is not either.
    let stranger = world.joined_by_root("620723000000", None);
    let at = first(&stranger);
    admit(&county, vec![Directory::new(&rows(&stranger)).life_record(at).unwrap()]);
    let transport_key = stranger.keys().unwrap().transport_public;
    let gone = Revocation { at, transport_key, reason: RevocationReason::Stolen, since: WALL };
    admit(&county, vec![own_record_of(&city, &county, Body::Revocation(gone))]);
    assert!(Directory::new(&rows(&county)).is_revoked(at));
    let township = world.home(TOWNSHIP);
    let text = World::by_hall(&county, &township);
    join(&township, &text, &world.founded.anchor, WALL).unwrap();
    let view = rows(&township);
    assert!(Directory::new(&view).contact(county.hall()).is_some());
    assert!(Directory::new(&view).contact(city.hall()).is_none());
    assert!(!Directory::new(&view).is_revoked(at), "it comes with the first comparison of directories");
}

#[test]
fn a_bundle_lets_a_hall_call_those_above_its_superior() {
    let world = World::new();
    let (city, county) = (world.joined_by_root(CITY, None), world.joined_by_root(COUNTY, None));
    // The root issued both, so the city is not in the county's own chain.
    for above in [&city, &county] {
        let addresses = vec!["/ip4/10.0.0.1/tcp/6207".to_owned()];
        let contact = Body::Contact(Contact { at: first(above), addresses });
        admit(&county, vec![own_record_of(above, &county, contact)]);
    }
    let township = world.home(TOWNSHIP);
    join(&township, &World::by_hall(&county, &township), &world.founded.anchor, WALL).unwrap();
    let view = rows(&township);
    for above in [&city, &county] {
        assert!(Directory::new(&view).contact(above.hall()).is_some(), "{}", above.hall());
    }
    assert_eq!(Directory::new(&view).charter(township.hall()).unwrap().parent, Some(county.hall()));
}

#[test]
fn a_hall_on_a_new_machine_is_a_new_life_that_follows_the_old_one() {
    let world = World::new();
    let city = world.joined_by_root(CITY, None);
    let again = world.home(CITY);
    let request = request(&again, &[]).unwrap();
    let same_life = issue_by_root(&world.root, &request, None, 1, WALL, DAYS);
    assert!(matches!(same_life, Err(EnrolError::Issue(IssueError::OtherKeys { at })) if at == first(&city)));
    let text = issue_by_root(&world.root, &request, None, 2, WALL, DAYS).unwrap();
    join(&again, &text, &world.founded.anchor, WALL).unwrap();
    let record =
        Directory::new(&rows(&again)).life_record(HallAt { incarnation: 2, ..first(&city) }).unwrap();
    let before = Directory::new(&rows(&city)).life_record(first(&city)).unwrap();
    assert_eq!((record.value().version, record.value().previous), (2, before.signed().digest()));
    let old = issue_by_root(&world.root, &request, None, 1, WALL, DAYS);
    assert!(matches!(old, Err(EnrolError::Issue(IssueError::LaterLife { held })) if held.incarnation == 2));
}

#[test]
fn a_charter_is_renewed_under_the_same_keys() {
    let world = World::new();
    let city = world.home(CITY);
    let request = request(&city, &[]).unwrap();
    issue_by_root(&world.root, &request, None, 1, WALL, DAYS).unwrap();
    let text = issue_by_root(&world.root, &request, None, 1, WALL + 1_000, DAYS).unwrap();
    join(&city, &text, &world.founded.anchor, WALL).unwrap();
    assert_eq!(Directory::new(&rows(&city)).life_record(first(&city)).unwrap().value().version, 2);
}

/// A city's root on a disk, and room for its halls.
struct World {
    dir: TempDir,
    root: PathBuf,
    founded: Founded,
}

impl World {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let root = dir.path().join("root");
        let founded = found(CITY.parse().unwrap(), "Zhangye", (3, 2), &[], &root).unwrap();
        Self { dir, root, founded }
    }

    /// A new home in a directory of its own.
    fn home(&self, division: &str) -> Home {
        let count = fs::read_dir(self.dir.path()).unwrap().count();
        let dir = self.dir.path().join(format!("{division}-{count}"));
        let name = format!("\u{653f}\u{52a1}\u{670d}\u{52a1}\u{4e2d}\u{5fc3} {division}");
        Home::create(&dir, HallId::main(division.parse().unwrap()), &name).unwrap()
    }

    fn by_root(&self, home: &Home, card: Option<&str>) -> Result<String, EnrolError> {
        issue_by_root(&self.root, &request(home, &[])?, card, 1, WALL, DAYS)
    }

    fn joined_by_root(&self, division: &str, card: Option<&str>) -> Home {
        let home = self.home(division);
        let text = self.by_root(&home, card).unwrap();
        let joined = join(&home, &text, &self.founded.anchor, WALL).unwrap();
        assert_eq!(joined.at, first(&home));
        home
    }

    /// The bundle that a running hall gives to a hall under it.
    fn by_hall(superior: &Home, home: &Home) -> String {
        let request = request(home, &[]).unwrap();
        let charter = charter_below(&rows(superior), first(superior), &request, 1, (WALL, DAYS)).unwrap();
        admit(superior, vec![own_record(superior, Body::Charter(Box::new(charter)))]);
        join_text(&rows(superior), superior.hall(), first(home)).unwrap()
    }
}

fn first(home: &Home) -> HallAt {
    HallAt { hall: home.hall(), incarnation: 1 }
}

fn rows(home: &Home) -> Snapshot {
    Store::open(home.dir()).unwrap().snapshot().unwrap()
}

fn own_record(home: &Home, body: Body) -> Verified<Record> {
    own_record_of(home, home, body)
}

/// The next version of a record of `by`, after what `holder` holds.
fn own_record_of(by: &Home, holder: &Home, body: Body) -> Verified<Record> {
    let record = next_version(&rows(holder), Issuer::Hall(first(by)), body);
    let key = by.keys().unwrap().event;
    Signed::sign(&record, &[(0, &key)]).verify(&key.public()).unwrap()
}

/// Lets the node of a home take records up.
fn admit(home: &Home, records: Vec<Verified<Record>>) {
    let (store, now) = (Store::open(home.dir()).unwrap(), Now { ticks: 0, wall: WALL });
    let view = store.snapshot().unwrap();
    let me = Me { at: first(home), boot: 1, key: home.keys().unwrap().event };
    let (mut node, mut effects) = (Node::open(me, [1; 32], now, &view), Effects::default());
    let count = u32::try_from(records.len()).unwrap();
    let input = Input::Command { ticket: Ticket(1), command: Command::Admit(records) };
    node.step(now, input, &view, &mut effects);
    let released = effects.commit(|writes| store.commit(&writes)).unwrap();
    let taken = Reply::Admitted { records: count, refused: 0 };
    let answered = |output: &Output| matches!(output, Output::Reply { reply, .. } if *reply == taken);
    assert!(released.outputs.iter().any(answered), "{:?}", released.outputs);
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn names(dir: &Path) -> Vec<String> {
    crate::home::files::names(dir).unwrap()
}
