//! A new life over the rows of an earlier one, and the look at rows that come from elsewhere.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails loudly"
)]

mod common;

use common::{CITY, COUNTY, City, OTHER_COUNTY, Rows, TOWN, VILLAGE, first, secret};
use hallmesh_protocol::cases::Deed;
use hallmesh_protocol::directory::{Charter, Directory, Revocation, RevocationReason};
use hallmesh_protocol::genesis::{self, NotInstalled};
use hallmesh_protocol::ids::{Digest, HallAt};
use hallmesh_protocol::query;
use hallmesh_protocol::record::{Body, Issuer, Record};
use hallmesh_protocol::rows::table_word;
use hallmesh_protocol::signed::Signed;
use hallmesh_protocol::sound::{self, Unsound};
use hallmesh_protocol::step::{Command, View, Writes};

/// The charter of the town's second life, signed by the county as its own or by somebody else.
fn second_life(city: &City, signer: u8) -> (Charter, Signed<Record>) {
    let mut charter = Directory::new(&city.halls[TOWN].rows).charter(city.halls[TOWN].at.hall).unwrap();
    charter.incarnation = 2;
    charter.transport_key = secret(201).public();
    charter.event_key = secret(202).public();
    let record = first(Issuer::Hall(city.halls[COUNTY].at), Body::Charter(Box::new(charter.clone())));
    (charter, Signed::sign(&record, &[(0, &secret(signer))]))
}

/// What the county gives the town to join with: the policy, and the records.
fn papers(city: &City, charter: &Signed<Record>) -> (Signed<Record>, Vec<Signed<Record>>) {
    let mut records = query::enrolment_records(&city.halls[COUNTY].rows, city.halls[COUNTY].at.hall);
    let policy = records.remove(0);
    records.push(charter.clone());
    (policy, records)
}

fn rejoin(city: &City, rows: &Rows, charter: &Signed<Record>, me: HallAt) -> Result<Writes, NotInstalled> {
    let (policy, records) = papers(city, charter);
    genesis::rejoin(city.now, rows, policy.digest(), &policy, records, me)
}

fn worked() -> City {
    let mut city = City::new();
    let case = city.received(TOWN, "CITY-1", 620_702_203_000);
    city.run();
    city.deed(CITY, case, Deed::Accept);
    city.received(TOWN, "COUNTY-1", 620_702_203_000);
    city.run();
    // One that lies at the township and goes nowhere: the county is away.
    city.cut(COUNTY);
    city.received(TOWN, "COUNTY-1", 620_702_203_000);
    city.run();
    city
}

fn seed(city: &City, index: usize) -> u8 {
    city.halls[index].seed
}

#[test]
fn a_new_life_keeps_every_row_but_who_it_is_and_the_records_of_its_papers() {
    let city = worked();
    let (charter, signed) = second_life(&city, seed(&city, COUNTY));
    let before = Rows(city.halls[TOWN].rows.0.clone());
    assert!(query::counts(&before).cases >= 2, "there is something to keep");
    let writes = rejoin(&city, &before, &signed, charter.at()).unwrap();
    let touched = writes.keys().map(|key| table_word(key[0]));
    let known = ["meta", "record", "element", "fingerprint", "life", "card"];
    touched.for_each(|table| assert!(known.contains(&table), "{table}"));
    let mut after = Rows(before.0.clone());
    after.apply(writes);
    let identity = genesis::identity(&after).unwrap();
    assert_eq!(identity.at, charter.at());
    assert_eq!(identity.anchor, genesis::identity(&before).unwrap().anchor);
    assert_eq!(Directory::new(&after).present(charter.hall), Some(charter.at()));
    assert!(Directory::new(&after).life(city.halls[TOWN].at).is_some(), "old signatures stay checkable");
    assert_eq!(query::counts(&after).cases, query::counts(&before).cases);
    assert_eq!(sound::whole(&after), Ok(()));
}

#[test]
fn without_rows_a_new_life_begins_as_a_first_one_does() {
    let city = City::new();
    let (charter, signed) = second_life(&city, seed(&city, COUNTY));
    let (policy, records) = papers(&city, &signed);
    let installed = genesis::install(city.now, policy.digest(), &policy, records, charter.at()).unwrap();
    assert_eq!(rejoin(&city, &Rows::default(), &signed, charter.at()), Ok(installed));
}

#[test]
fn a_record_that_is_held_in_a_newer_version_is_no_obstacle() {
    let mut city = City::new();
    let found_at = |address: &str| Command::Advertise(vec![address.to_owned()]);
    city.command(COUNTY, found_at("/ip4/10.0.0.8/tcp/6207"));
    city.run();
    let (charter, signed) = second_life(&city, seed(&city, COUNTY));
    let old = papers(&city, &signed);
    city.command(COUNTY, found_at("/ip4/10.0.0.9/tcp/6207"));
    city.run();
    let rows = &city.halls[TOWN].rows;
    let held = Directory::new(rows).contact(city.halls[COUNTY].at.hall);
    assert_eq!(held.as_ref().unwrap().addresses, ["/ip4/10.0.0.9/tcp/6207"]);
    let writes = genesis::rejoin(city.now, rows, old.0.digest(), &old.0, old.1, charter.at()).unwrap();
    let mut after = Rows(rows.0.clone());
    after.apply(writes);
    assert_eq!(Directory::new(&after).contact(city.halls[COUNTY].at.hall), held);
}

#[test]
fn another_root_another_hall_and_an_old_life_do_not_rejoin() {
    let city = worked();
    let rows = &city.halls[TOWN].rows;
    let (charter, signed) = second_life(&city, seed(&city, COUNTY));
    let at = charter.at();
    let (policy, records) = papers(&city, &signed);
    let wrong = genesis::rejoin(city.now, rows, Digest([1; 32]), &policy, records.clone(), at);
    assert_eq!(wrong, Err(NotInstalled::WrongRoot));
    assert_eq!(rejoin(&city, &city.halls[VILLAGE].rows, &signed, at), Err(NotInstalled::OtherHall));
    let mut elsewhere = Rows(rows.0.clone());
    elsewhere.0.insert(b"\x01anchor".to_vec(), elsewhere.get(b"\x01anchor").map(|it| flipped(&it)).unwrap());
    assert_eq!(rejoin(&city, &elsewhere, &signed, at), Err(NotInstalled::OtherHall));
    assert_eq!(rejoin(&city, rows, &signed, city.halls[TOWN].at), Err(NotInstalled::NotNewer));
    let third = HallAt { incarnation: 3, ..at };
    assert_eq!(rejoin(&city, rows, &signed, third), Err(NotInstalled::NoChain));
}

#[test]
fn papers_that_do_not_hold_or_come_too_late_do_not_rejoin() {
    let city = worked();
    let rows = &city.halls[TOWN].rows;
    let (charter, forged) = second_life(&city, seed(&city, VILLAGE));
    assert_eq!(rejoin(&city, rows, &forged, charter.at()), Err(NotInstalled::Refused(1)));
    let (_, elsewhere) = second_life(&city, seed(&city, OTHER_COUNTY));
    assert_eq!(rejoin(&city, rows, &elsewhere, charter.at()), Err(NotInstalled::Refused(1)));
    let (_, signed) = second_life(&city, seed(&city, COUNTY));
    let (policy, mut records) = papers(&city, &signed);
    let revocation = Revocation {
        at: charter.at(),
        transport_key: charter.transport_key,
        reason: RevocationReason::Replaced,
        since: 1,
    };
    let record = first(Issuer::Hall(city.halls[COUNTY].at), Body::Revocation(revocation));
    records.push(Signed::sign(&record, &[(0, &secret(seed(&city, COUNTY)))]));
    let ended = genesis::rejoin(city.now, rows, policy.digest(), &policy, records, charter.at());
    assert_eq!(ended, Err(NotInstalled::Ended));
}

#[test]
fn the_rows_of_every_hall_are_sound_and_stay_so_after_work() {
    let city = worked();
    for hall in &city.halls {
        for (key, value) in &hall.rows.0 {
            assert_eq!(sound::row(key, value), Ok(()));
        }
        assert_eq!(sound::whole(&hall.rows), Ok(()), "{}", hall.at);
    }
}

#[test]
fn a_row_that_is_missing_is_seen() {
    let city = worked();
    let rows = &city.halls[TOWN].rows;
    // What only says how far something was counted, or who has a key, nobody can miss.
    let missed = [
        "version",
        "wrap",
        "receipt",
        "copied",
        "numbering",
        "posted",
        "clerk",
        "reading",
        "bond",
        "fence",
        "fenced",
        "checkpoint",
        "cosigned",
        "witness",
        "rolled-back",
        "parcel",
        "burden",
    ];
    let mut seen = std::collections::BTreeSet::new();
    for (key, value) in &rows.0 {
        let table = table_word(key[0]);
        let mut less = Rows(rows.0.clone());
        less.0.remove(key);
        // The high-water time is told again by three neighbours.
        let time = table == "meta" && key.ends_with(b"time");
        let unimportant = time || missed.contains(&table) || (table == "tally" && !counted(key, value));
        if !unimportant {
            assert!(sound::whole(&less).is_err(), "{table} {}", key.escape_ascii());
            seen.insert(table);
        }
    }
    let tables =
        ["meta", "record", "element", "life", "card", "case", "event", "custody", "number", "desk", "open"];
    for table in tables {
        assert!(seen.contains(table), "no row of {table} was tried");
    }
}

#[test]
fn a_row_that_is_cut_or_under_another_key_is_seen() {
    let city = worked();
    for (key, value) in &city.halls[TOWN].rows.0 {
        let cut = &value[..value.len().saturating_sub(1)];
        assert!(value.is_empty() || sound::row(key, cut).is_err(), "{}", key.escape_ascii());
        let longer = [value, [0].as_slice()].concat();
        assert!(sound::row(key, &longer).is_err(), "{}", key.escape_ascii());
        let foreign = [[0x7f].as_slice(), key].concat();
        assert_eq!(sound::row(&foreign, value), Err(Unsound::Row { key: foreign.clone() }));
    }
    assert_eq!(sound::whole(&Rows::default()), Err(Unsound::Nobodys));
}

#[test]
fn a_log_that_is_not_its_fold_is_seen() {
    let city = worked();
    let mut rows = Rows(city.halls[TOWN].rows.0.clone());
    let last = rows.0.keys().rfind(|key| table_word(key[0]) == "event").unwrap().clone();
    rows.0.remove(&last);
    assert_eq!(sound::whole(&rows), Err(Unsound::Differ { what: "cases" }));
}

/// The counts that are compared with what they count; none is the same as zero.
fn counted(key: &[u8], value: &[u8]) -> bool {
    let (name, zero) = (&key[1..], value[1..].iter().all(|byte| *byte == 0));
    !zero
        && [b"cases".as_slice(), b"stage/", b"single", b"orphans", b"post"]
            .into_iter()
            .any(|known| name.starts_with(known))
}

fn flipped(bytes: &[u8]) -> hallmesh_protocol::step::Bytes {
    let mut bytes = bytes.to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    bytes.into()
}
