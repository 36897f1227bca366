//! All halls end with the same sets, in whatever order they hear, whenever they came.
#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "a failure here is a failed test"
)]

mod common;

use common::{CITY, COUNTY, City, OTHER_COUNTY, Rows, charter, first, matter, secret};
use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::directory::Directory;
use hallmesh_protocol::genesis;
use hallmesh_protocol::ids::Tier;
use hallmesh_protocol::query;
use hallmesh_protocol::record::{Body, Issuer, Record};
use hallmesh_protocol::seal::wrap_keypair;
use hallmesh_protocol::signed::Signed;
use hallmesh_protocol::step::{Command, Input, Reply, Ticket};
use hallmesh_protocol::verify;

fn by_root(city: &City, record: &Record) -> Signed<Record> {
    Signed::sign(record, &[(0, &city.root[0]), (1, &city.root[1])])
}

fn admit(city: &mut City, index: usize, records: Vec<Signed<Record>>) {
    let (records, refused) = verify::records(&city.halls[index].rows, records);
    assert_eq!(refused, 0);
    city.step(index, Input::Command { ticket: Ticket(9), command: Command::Admit(records) });
    assert!(matches!(city.replies.pop(), Some(Reply::Admitted { .. })));
}

fn all_agree(city: &City) -> bool {
    let roots: Vec<_> = city.halls.iter().map(|hall| query::roots(&hall.rows)).collect();
    roots.windows(2).all(|pair| pair[0] == pair[1])
}

/// The county has a new life; the township under it was chartered by the life before.
fn with_a_new_life_of_the_county() -> City {
    let mut city = City::new();
    let (_, wrap) = wrap_keypair(&mut Chance::from_seed([9; 32]));
    let mut next = charter(COUNTY, &wrap);
    next.incarnation = 2;
    (next.transport_key, next.event_key) = (secret(201).public(), secret(202).public());
    let record = by_root(&city, &first(Issuer::Root, Body::Charter(Box::new(next))));
    admit(&mut city, CITY, vec![record]);
    city.run();
    city
}

#[test]
fn a_hall_that_comes_later_can_check_what_an_earlier_life_has_signed() {
    let mut city = with_a_new_life_of_the_county();
    let (at, rows) = (city.halls[OTHER_COUNTY].at, &city.halls[CITY].rows);
    let chain = query::chain(rows, at);
    let (policy, charters) = (chain[0].clone(), chain[1..].to_vec());
    let mut fresh = Rows::default();
    fresh.apply(genesis::install(city.now, policy.digest(), &policy, charters, at).unwrap());
    city.halls[OTHER_COUNTY].rows = fresh;
    city.restart(OTHER_COUNTY);
    city.run();
    let township = city.halls[common::TOWN].at;
    assert_eq!(Directory::new(&city.halls[OTHER_COUNTY].rows).present(township.hall), Some(township));
    assert!(all_agree(&city));
}

#[test]
fn both_lives_of_a_hall_stay_in_the_set_and_the_last_one_is_present() {
    let city = with_a_new_life_of_the_county();
    for hall in &city.halls {
        let directory = Directory::new(&hall.rows);
        let present = directory.present(city.halls[COUNTY].at.hall).expect("the county is one of us");
        assert_eq!(present.incarnation, 2);
        assert!(directory.life(city.halls[COUNTY].at).is_some());
    }
    assert!(all_agree(&city));
}

#[test]
fn which_record_stands_does_not_depend_on_what_was_heard_first() {
    let (city_at, other) = (City::new().halls[CITY].at, "another basis");
    let by_city = |version: u32, basis: &str| {
        let mut matter = matter("TWICE-1", Tier::City);
        basis.clone_into(&mut matter.basis);
        Record { version, ..first(Issuer::Hall(city_at), Body::Matter(Box::new(matter))) }
    };
    let sign = |record: &Record| Signed::sign(record, &[(0, &secret(10))]);
    let mut founded = City::new();
    let root = by_root(&founded, &first(Issuer::Root, by_city(1, "the root's").body));
    let pairs = [
        (root.clone(), sign(&by_city(1, other))),
        (root, sign(&by_city(7, other))),
        (sign(&by_city(1, "one basis")), sign(&by_city(1, other))),
        (sign(&by_city(2, "one basis")), sign(&by_city(1, other))),
    ];
    for (one, two) in pairs {
        founded = City::new();
        founded.bend = Box::new(|_, _, _| false);
        for (index, order) in [(CITY, [&one, &two]), (COUNTY, [&two, &one])] {
            for record in order {
                admit(&mut founded, index, vec![record.clone()]);
            }
        }
        let [city, county] = [CITY, COUNTY].map(|index| query::roots(&founded.halls[index].rows));
        assert_eq!(city.lists, county.lists);
    }
}
