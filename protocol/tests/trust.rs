//! Who gets into the directory: charters, revocations, scopes, roots.
#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a failure here is a failed test"
)]

mod common;

use common::{CITY, COUNTY, City, OTHER_COUNTY, TOWN, VILLAGE, WALL, charter, first, matter, secret};
use hallmesh_protocol::cases::Refusal;
use hallmesh_protocol::directory::{Charter, Directory, Revocation, RevocationReason};
use hallmesh_protocol::genesis::{self, NotInstalled};
use hallmesh_protocol::ids::{DivisionCode, HallId, Tier};
use hallmesh_protocol::limits::TWINS_LAPSE_MS;
use hallmesh_protocol::message::{Message, PROTOCOL, PROTOCOL_MIN, Roots};
use hallmesh_protocol::query;
use hallmesh_protocol::record::{Body, Issuer, Record, decode_records, encode_records};
use hallmesh_protocol::seal::{SecretKey, WrapPublic};
use hallmesh_protocol::signed::Signed;
use hallmesh_protocol::sound;
use hallmesh_protocol::step::{Command, Happening, Input, Reply};
use hallmesh_protocol::verify;

fn admit(city: &mut City, index: usize, record: Signed<Record>) -> Reply {
    let (records, refused) = verify::records(&city.halls[index].rows, vec![record]);
    assert!(records.len() + usize::try_from(refused).unwrap() == 1);
    city.command(index, Command::Admit(records))
}

fn taken(reply: &Reply) -> bool {
    matches!(reply, Reply::Admitted { records: 1, .. })
}

fn wrap_of(city: &City, index: usize) -> WrapPublic {
    Directory::new(&city.halls[index].rows).life(city.halls[index].at).unwrap().wrap_key
}

/// A new village under the township.
fn new_village(city: &City) -> Charter {
    let hall = HallId::main(DivisionCode::from_u64(620_702_203_201).unwrap());
    let mut new = charter(VILLAGE, &wrap_of(city, VILLAGE));
    new.hall = hall;
    new.scope = hall.division();
    new.transport_key = secret(91).public();
    new.event_key = secret(90).public();
    new
}

fn issued(city: &City, by: usize, key: &SecretKey, charter: Charter) -> Signed<Record> {
    let record = first(Issuer::Hall(city.halls[by].at), Body::Charter(Box::new(charter)));
    Signed::sign(&record, &[(0, key)])
}

#[test]
fn a_superior_charters_a_hall_below_it_and_every_hall_learns_of_it() {
    let mut city = City::new();
    let key = secret(city.halls[TOWN].seed);
    let new = new_village(&city);
    let at = new.at();
    let record = issued(&city, TOWN, &key, new);
    assert!(taken(&admit(&mut city, TOWN, record)));
    city.run();
    assert!(city.halls.iter().all(|hall| Directory::new(&hall.rows).present(at.hall) == Some(at)));
}

#[test]
fn a_charter_signed_by_another_key_is_refused() {
    let mut city = City::new();
    let record = issued(&city, TOWN, &secret(99), new_village(&city));
    assert!(!taken(&admit(&mut city, TOWN, record)));
}

#[test]
fn a_charter_from_outside_the_issuers_area_is_refused() {
    let mut city = City::new();
    let key = secret(city.halls[OTHER_COUNTY].seed);
    let mut new = new_village(&city);
    new.parent = Some(city.halls[OTHER_COUNTY].at.hall);
    let record = issued(&city, OTHER_COUNTY, &key, new);
    assert!(!taken(&admit(&mut city, CITY, record)));
}

#[test]
fn a_charter_of_an_equal_or_higher_tier_is_refused() {
    let mut city = City::new();
    let key = secret(city.halls[VILLAGE].seed);
    let record = issued(&city, VILLAGE, &key, new_village(&city));
    assert!(!taken(&admit(&mut city, VILLAGE, record)));
}

#[test]
fn a_second_charter_with_other_keys_for_the_same_life_is_refused() {
    let mut city = City::new();
    let key = secret(city.halls[TOWN].seed);
    let mut other = charter(VILLAGE, &wrap_of(&city, VILLAGE));
    other.event_key = secret(77).public();
    let mut record = first(Issuer::Hall(city.halls[TOWN].at), Body::Charter(Box::new(other)));
    record.version = 2;
    let record = Signed::sign(&record, &[(0, &key)]);
    assert!(!taken(&admit(&mut city, CITY, record)));
}

#[test]
fn too_few_root_holders_sign_nothing() {
    let mut city = City::new();
    let mut new = charter(COUNTY, &wrap_of(&city, COUNTY));
    new.name = "Renamed".to_owned();
    let mut record = first(Issuer::Root, Body::Charter(Box::new(new)));
    record.version = 2;
    let once = Signed::sign(&record, &[(0, &city.root[0])]);
    assert!(!taken(&admit(&mut city, CITY, once)));
    let twice_the_same = Signed::sign(&record, &[(0, &city.root[0]), (0, &city.root[0])]);
    assert!(!taken(&admit(&mut city, CITY, twice_the_same)));
    let two = Signed::sign(&record, &[(0, &city.root[0]), (1, &city.root[1])]);
    assert!(taken(&admit(&mut city, CITY, two)));
}

#[test]
fn a_revoked_hall_is_no_longer_one_of_us_anywhere_and_may_not_act() {
    let mut city = City::new();
    let at = city.halls[VILLAGE].at;
    let revocation = Revocation {
        at,
        transport_key: charter(VILLAGE, &wrap_of(&city, VILLAGE)).transport_key,
        reason: RevocationReason::Stolen,
        since: WALL,
    };
    let key = secret(city.halls[COUNTY].seed);
    let record = first(Issuer::Hall(city.halls[COUNTY].at), Body::Revocation(revocation));
    assert!(taken(&admit(&mut city, COUNTY, Signed::sign(&record, &[(0, &key)]))));
    city.run();
    assert!(city.halls.iter().all(|hall| Directory::new(&hall.rows).present(at.hall).is_none()));
    let reply = city.receive(VILLAGE, "CITY-1", 620_702_203_200);
    assert_eq!(reply, Reply::Refused(Refusal::NotChartered));
}

#[test]
fn a_hall_publishes_only_for_its_own_area() {
    let mut city = City::new();
    let act = city.act(COUNTY);
    let outside = Body::Matter(Box::new(matter("OWN-1", Tier::City)));
    let reply = city.command(COUNTY, Command::Publish(act, vec![outside]));
    assert!(matches!(reply, Reply::Refused(Refusal::Record { .. })), "{reply:?}");
    let mut own = matter("OWN-1", Tier::County);
    own.area = city.halls[COUNTY].at.hall.division();
    let act = city.act(COUNTY);
    let reply = city.command(COUNTY, Command::Publish(act, vec![Body::Matter(Box::new(own))]));
    assert_eq!(reply, Reply::Published { records: 1 });
}

#[test]
fn publishing_what_is_in_force_changes_nothing() {
    let mut city = City::new();
    let before = query::roots(&city.halls[CITY].rows);
    for (promised, records) in [(10, 0), (9, 1)] {
        let mut again = matter("CITY-1", Tier::City);
        again.promised_days = promised;
        let act = city.act(CITY);
        let reply = city.command(CITY, Command::Publish(act, vec![Body::Matter(Box::new(again))]));
        assert_eq!(reply, Reply::Published { records });
    }
    assert_ne!(query::roots(&city.halls[CITY].rows), before);
}

fn publish_many(city: &mut City, name: &str) {
    let lists = (0..40).map(|number| Body::Matter(Box::new(matter(&format!("{name}-{number}"), Tier::City))));
    let act = city.act(CITY);
    let reply = city.command(CITY, Command::Publish(act, lists.collect()));
    assert_eq!(reply, Reply::Published { records: 40 });
}

#[test]
fn a_long_list_published_just_after_a_comparison_does_not_wait_for_the_heartbeat() {
    let mut city = City::new();
    city.cut(CITY);
    publish_many(&mut city, "BEFORE");
    city.heal(CITY);
    city.drain();
    publish_many(&mut city, "AFTER");
    city.run_seconds(6);
    let lists = |index: usize| query::roots(&city.halls[index].rows).lists;
    assert!((COUNTY..=VILLAGE).all(|index| lists(index) == lists(CITY)));
}

#[test]
fn a_long_list_goes_from_hall_to_hall_without_waiting_for_the_heartbeat() {
    let mut city = City::new();
    let at = |index: usize| city.halls[index].at.hall;
    let line = [at(CITY), at(COUNTY), at(TOWN), at(VILLAGE)];
    city.bend =
        Box::new(move |from, to, _| line.windows(2).any(|two| two == [from, to] || two == [to, from]));
    publish_many(&mut city, "LONG");
    city.run_seconds(1);
    let lists = |index: usize| query::roots(&city.halls[index].rows).lists;
    assert!([COUNTY, TOWN, VILLAGE].into_iter().all(|index| lists(index) == lists(CITY)));
}

#[test]
fn a_promise_above_the_law_is_not_published_and_nothing_else_with_it() {
    let mut city = City::new();
    let before = query::counts(&city.halls[CITY].rows);
    let mut wrong = matter("WRONG-1", Tier::City);
    wrong.promised_days = wrong.legal_days + 1;
    let act = city.act(CITY);
    let bodies = vec![Body::Matter(Box::new(matter("RIGHT-1", Tier::City))), Body::Matter(Box::new(wrong))];
    let reply = city.command(CITY, Command::Publish(act, bodies));
    assert!(matches!(reply, Reply::Refused(Refusal::Record { .. })));
    assert_eq!(query::counts(&city.halls[CITY].rows), before);
}

#[test]
fn a_node_does_not_begin_with_a_root_that_was_not_confirmed() {
    let city = City::new();
    let hall = &city.halls[TOWN];
    let mut chain = query::chain(&hall.rows, hall.at);
    let policy = chain.remove(0);
    let install = |anchor| genesis::install(city.now, anchor, &policy, chain.clone(), hall.at);
    assert!(install(policy.digest()).is_ok());
    let wrong = hallmesh_protocol::ids::Digest([1; 32]);
    assert_eq!(install(wrong), Err(NotInstalled::WrongRoot));
}

#[test]
fn the_root_policy_is_not_replaced_by_another_one() {
    let mut city = City::new();
    let mut root = Directory::new(&city.halls[CITY].rows).policy().unwrap();
    root.threshold = 1;
    let mut record = first(Issuer::Root, Body::Policy(root));
    record.version = 2;
    let record = Signed::sign(&record, &[(0, &city.root[0]), (1, &city.root[1])]);
    assert!(!taken(&admit(&mut city, CITY, record)));
    assert_eq!(Directory::new(&city.halls[CITY].rows).policy().unwrap().threshold, 2);
}

#[test]
fn a_node_does_not_begin_with_a_broken_chain() {
    let city = City::new();
    let hall = &city.halls[VILLAGE];
    let mut chain = query::chain(&hall.rows, hall.at);
    let policy = chain.remove(0);
    assert_eq!(chain.len(), 3, "county, township, village");
    chain.remove(0);
    let anchor = policy.digest();
    let begun = genesis::install(city.now, anchor, &policy, chain, hall.at);
    assert_eq!(begun, Err(NotInstalled::Refused(2)));
}

#[test]
fn records_travel_byte_for_byte() {
    let city = City::new();
    let chain = query::chain(&city.halls[VILLAGE].rows, city.halls[VILLAGE].at);
    let bytes = encode_records(&chain);
    assert_eq!(decode_records(&bytes).unwrap(), chain);
    for length in 0..bytes.len().min(300) {
        assert!(decode_records(&bytes[..length]).is_err(), "a cut file is refused");
    }
    let mut longer = bytes;
    longer.push(0);
    assert!(decode_records(&longer).is_err(), "trailing bytes are refused");
}

/// Whoever comes back with a boot id that another start had already taken the place of is a second machine.
#[test]
fn two_machines_that_live_as_one_life_are_noticed_and_a_hall_that_restarts_or_redials_is_not() {
    let mut city = City::new();
    let (town, at) = (city.halls[TOWN].at.hall, city.halls[VILLAGE].at);
    let roots = Roots { directory: [1; 32], lists: [2; 32] };
    let mut greets = |boot: u32| {
        let (protocol, protocol_min, wall) = (PROTOCOL, PROTOCOL_MIN, WALL);
        let hello = Message::Hello { protocol, protocol_min, at, boot, roots, wall, please: false };
        city.step(TOWN, Input::PeerUp(at));
        let message = verify::message(&city.halls[TOWN].rows, town, hello).unwrap();
        city.step(TOWN, Input::Received { from: at.hall, message });
        query::twins(&city.halls[TOWN].rows, city.now.wall)
    };
    for boot in [1, 1, 2, 2, 2, 3, 4, 4] {
        assert!(greets(boot).is_empty(), "a line dies, a node starts anew");
    }
    assert!(greets(3).is_empty(), "a boot id that was drawn before may be chance");
    assert_eq!(greets(4), [(at, city.now.wall)]);
    assert_eq!(city.halls[TOWN].happened.iter().filter(|it| **it == Happening::Twins(at)).count(), 1);
    let (key, value) = city.halls[TOWN].rows.0.iter().next_back().unwrap();
    assert_eq!((key[0], sound::row(key, value)), (0x58, Ok(())));
}

#[test]
fn two_machines_are_noticed_though_one_of_them_starts_anew_each_time_and_three_are_as_well() {
    for boots in [[1, 2, 1, 3, 1], [1, 2, 3, 1, 2]] {
        let mut city = City::new();
        let (town, at) = (city.halls[TOWN].at.hall, city.halls[VILLAGE].at);
        let roots = Roots { directory: [1; 32], lists: [2; 32] };
        let greets = |city: &mut City, boot: u32| {
            let (protocol, protocol_min, wall) = (PROTOCOL, PROTOCOL_MIN, WALL);
            let hello = Message::Hello { protocol, protocol_min, at, boot, roots, wall, please: false };
            city.step(TOWN, Input::PeerUp(at));
            let message = verify::message(&city.halls[TOWN].rows, town, hello).unwrap();
            city.step(TOWN, Input::Received { from: at.hall, message });
        };
        for boot in boots {
            greets(&mut city, boot);
        }
        let seen = |city: &City| query::twins(&city.halls[TOWN].rows, city.now.wall);
        let told =
            |city: &City| city.halls[TOWN].happened.iter().filter(|it| **it == Happening::Twins(at)).count();
        let first = city.now.wall;
        assert_eq!((seen(&city), told(&city)), (vec![(at, first)], 1), "{boots:?}");
        // Each time they are seen again the warning lives longer; when they are not it lapses.
        city.pass(TWINS_LAPSE_MS);
        greets(&mut city, 1);
        greets(&mut city, 2);
        let again = city.now.wall;
        assert_eq!((seen(&city), told(&city)), (vec![(at, again)], 1));
        city.pass(TWINS_LAPSE_MS);
        assert_eq!(seen(&city), [(at, again)]);
        city.pass(1);
        assert!(seen(&city).is_empty(), "nobody has seen the second machine for a month");
        greets(&mut city, 1);
        assert_eq!((seen(&city), told(&city)), (vec![(at, city.now.wall)], 2));
    }
}
