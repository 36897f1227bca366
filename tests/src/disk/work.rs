//! Real work for the disks: a small city of the product's own nodes that writes every table there is.

use hallmesh_protocol::cases::{Deed, Purpose};
use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::clerks::{ClerkCard, Roles};
use hallmesh_protocol::directory::{Directory, Revocation, RevocationReason};
use hallmesh_protocol::ids::{CaseId, ClerkId, HallAt, Tier};
use hallmesh_protocol::limits::BODY_MAX;
use hallmesh_protocol::node::next_version;
use hallmesh_protocol::query;
use hallmesh_protocol::record::{Body, Issuer};
use hallmesh_protocol::seal::SecretKey;
use hallmesh_protocol::signed::Signed;
use hallmesh_protocol::step::{Command, Input, Reply};
use hallmesh_protocol::verify;

use super::city::{CITY, COUNTY, City, OTHER_COUNTY, TOWN, VILLAGE, charter, matter, secret};
use super::cut::below;
use super::history::History;

const VILLAGE_PLACE: u64 = 620_702_203_200;
const COUNTY_PLACE: u64 = 620_724_000_000;
/// What citizens come with: where to, what for, from where, and who decides it.
const ERRANDS: [(usize, &str, u64, usize); 5] = [
    (VILLAGE, "CITY-1", VILLAGE_PLACE, CITY),
    (VILLAGE, "SHARED-1", VILLAGE_PLACE, COUNTY),
    (TOWN, "COUNTY-1", COUNTY_PLACE, OTHER_COUNTY),
    (COUNTY, "CITY-1", VILLAGE_PLACE, CITY),
    (OTHER_COUNTY, "SHARED-1", COUNTY_PLACE, OTHER_COUNTY),
];
const CASES: u64 = 8;
/// Long enough for a case to find its way to the hall that decides.
const ON_ITS_WAY_S: u32 = 30;

/// What each hall of the city committed in a while that `seed` decides.
pub(super) fn histories(seed: u64) -> Vec<History> {
    let mut chance = chance(seed);
    let mut city = City::new();
    add_and_disable_a_clerk(&mut city);
    for _ in 0..CASES {
        let errand = ERRANDS[below(&mut chance, ERRANDS.len())];
        a_case(&mut city, errand, &mut chance);
    }
    lists_are_published(&mut city, &mut chance);
    a_letter_goes_over_the_tiers(&mut city, &mut chance);
    a_hall_is_revoked_and_replaced_while_its_case_is_decided(&mut city, &mut chance);
    city.halls.iter().map(|hall| History::of(&hall.commits, &mut chance)).collect()
}

/// The chance that follows from a number.
pub(super) fn chance(seed: u64) -> Chance {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    Chance::from_seed(key)
}

fn add_and_disable_a_clerk(city: &mut City) {
    for index in [CITY, COUNTY, OTHER_COUNTY, TOWN, VILLAGE] {
        let id = ClerkId { hall: city.halls[index].at.hall, number: 2 };
        let roles = Roles { window: true, ..Roles::default() };
        let card = ClerkCard { id, name: "leaver".to_owned(), key: secret(9).public(), roles, active: true };
        assert_eq!(city.command(index, Command::AddClerk(card)), Reply::Done);
        assert_eq!(city.command(index, Command::DisableClerk(2)), Reply::Done);
    }
}

fn a_case(city: &mut City, errand: (usize, &str, u64, usize), chance: &mut Chance) {
    let (window, _, _, decider) = errand;
    let case = received(city, errand, chance);
    city.run_seconds(ON_ITS_WAY_S);
    read(city, decider, case);
    if chance.below(3) == 0 {
        done(city, decider, case, Deed::RequestCorrection);
        city.run_seconds(ON_ITS_WAY_S);
        done(city, window, case, Deed::Supplement);
        city.run_seconds(ON_ITS_WAY_S);
    }
    done(city, decider, case, Deed::Accept);
    done(city, decider, case, Deed::Decide { granted: chance.below(2) == 0, certificate: false });
    city.run_seconds(ON_ITS_WAY_S);
    done(city, window, case, Deed::Deliver);
    city.run_seconds(ON_ITS_WAY_S);
}

fn received(
    city: &mut City,
    (window, matter, place, _): (usize, &str, u64, usize),
    chance: &mut Chance,
) -> CaseId {
    let act = city.act(window);
    let mut wanted = city.application(matter, place);
    let mut body = vec![0; below(chance, BODY_MAX)];
    chance.fill(&mut body);
    wanted.body = body.into();
    let reply = city.command(window, Command::Receive(act, Box::new(wanted)));
    let Reply::Received { case, .. } = reply else { panic!("{reply:?}") };
    case
}

fn done(city: &mut City, index: usize, case: CaseId, deed: Deed) {
    let reply = city.deed(index, case, deed);
    assert!(matches!(reply, Reply::Recorded { .. }), "{deed:?} at {index}: {reply:?}");
}

fn read(city: &mut City, index: usize, case: CaseId) {
    let act = city.act(index);
    let reply = city.command(index, Command::Read(act, case));
    assert_eq!(reply, Reply::Done, "reading at {index}");
}

/// New matters and new versions of old ones, which replace rows and leave the old versions.
fn lists_are_published(city: &mut City, chance: &mut Chance) {
    for days in [9, 8] {
        let changed = |number: u64| {
            let mut matter = matter(&format!("MORE-{number}"), Tier::City);
            matter.promised_days = days;
            Body::Matter(Box::new(matter))
        };
        let lists: Vec<Body> = (0..chance.below(12) + 4).map(changed).collect();
        let act = city.act(CITY);
        let reply = city.command(CITY, Command::Publish(act, lists));
        assert!(matches!(reply, Reply::Published { records: 4.. }), "{reply:?}");
        city.run_seconds(ON_ITS_WAY_S);
    }
}

fn a_letter_goes_over_the_tiers(city: &mut City, chance: &mut Chance) {
    let (village, top) = (city.halls[VILLAGE].at, city.halls[CITY].at);
    city.step(VILLAGE, Input::PeerDown(top.hall));
    city.step(CITY, Input::PeerDown(village.hall));
    a_case(city, ERRANDS[0], chance);
    assert!(query::counts(&city.halls[TOWN].rows).relayed > 0, "the township took letters along");
    city.step(VILLAGE, Input::PeerUp(top));
    city.step(CITY, Input::PeerUp(village));
}

/// The decided case has nobody to go back to until the hall has a new charter.
fn a_hall_is_revoked_and_replaced_while_its_case_is_decided(city: &mut City, chance: &mut Chance) {
    let case = received(city, ERRANDS[0], chance);
    city.run_seconds(ON_ITS_WAY_S);
    done(city, CITY, case, Deed::Accept);
    let wrap = Directory::new(&city.halls[VILLAGE].rows).life(city.halls[VILLAGE].at).unwrap().wrap_key;
    let mut next_life = charter(VILLAGE, &wrap);
    let revocation = Revocation {
        at: next_life.at(),
        transport_key: next_life.transport_key,
        reason: RevocationReason::Stolen,
        since: city.now.wall,
    };
    stated(city, COUNTY, Body::Revocation(revocation));
    city.run_seconds(ON_ITS_WAY_S);
    done(city, CITY, case, Deed::GRANT);
    city.run_seconds(ON_ITS_WAY_S);
    next_life.incarnation = 2;
    next_life.transport_key = secret(91).public();
    next_life.event_key = secret(90).public();
    let at = next_life.at();
    stated(city, TOWN, Body::Charter(Box::new(next_life)));
    city.run_seconds(ON_ITS_WAY_S);
    assert!(went_to(city, at), "the case goes to the new life of the hall");
}

fn stated(city: &mut City, by: usize, body: Body) {
    let key: SecretKey = secret(city.halls[by].seed);
    let record = next_version(&city.halls[by].rows, Issuer::Hall(city.halls[by].at), body);
    let signed = Signed::sign(&record, &[(0, &key)]);
    let (records, refused) = verify::records(&city.halls[by].rows, vec![signed]);
    assert_eq!(refused, 0);
    let reply = city.command(by, Command::Admit(records));
    assert_eq!(reply, Reply::Admitted { records: 1, refused: 0 });
}

fn went_to(city: &City, at: HallAt) -> bool {
    city.halls[CITY].happened.iter().any(|it| {
        matches!(it, hallmesh_protocol::step::Happening::HandedOver { to, purpose: Purpose::Return, .. } if *to == at)
    })
}
