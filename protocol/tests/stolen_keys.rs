//! A machine was stolen that could open a case: what is added to the case from then on is sealed under another key.
#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failure here is a failed test"
)]

mod common;

use common::custody::{
    HERE, accepted_in_the_county, by_root, city_of_two_clerks, closed, events, fold, other_county_takes_over,
    recorded, revoked, sound, stage,
};
use common::{CITY, COUNTY, City, OTHER_COUNTY, TOWN, VILLAGE};
use hallmesh_protocol::cases::{
    CaseFile, Custody, Deed, FIRST_KEY, Facts, Grade, Header, NotAllowed, Record, Refusal, Renewal,
    SignedEvent, Stage, Wrap,
};
use hallmesh_protocol::directory::{Directory, Revocation, RevocationReason};
use hallmesh_protocol::ids::{CaseId, Digest, HallAt};
use hallmesh_protocol::limits::{CASE_KEYS_MAX, PAGE_MAX, RENEWALS_AT_ONCE, WRAPS_MAX};
use hallmesh_protocol::message::Message;
use hallmesh_protocol::post::{Letter, LetterBody};
use hallmesh_protocol::query;
use hallmesh_protocol::record::Body;
use hallmesh_protocol::step::{Command, Happening, Reply};
use hallmesh_protocol::verify;

const DAY: u64 = 24 * 3_600_000;

fn file(city: &City, index: usize, case: CaseId) -> CaseFile {
    query::file(&city.halls[index].rows, case)
}

/// Who has a key of a case, as far as a hall keeps it.
fn readers(city: &City, index: usize, case: CaseId, of: Digest) -> Vec<HallAt> {
    let wraps = file(city, index, case).wraps.into_iter();
    wraps.filter(|wrap| wrap.of == of && !wrap.recovery).map(|wrap| wrap.to).collect()
}

fn village_stolen(city: &mut City) -> HallAt {
    let stolen = city.halls[VILLAGE].at;
    revoked(city, CITY, VILLAGE, RevocationReason::Stolen);
    stolen
}

#[test]
fn what_is_added_after_a_theft_is_sealed_under_a_key_that_the_thief_has_not() {
    let mut city = City::new();
    let case = accepted_in_the_county(&mut city);
    let mirrors = fold(&city, COUNTY, case).mirrors.map(|mirror| city.index(mirror.unwrap().hall));
    let stolen = village_stolen(&mut city);
    assert_eq!(events(&city, COUNTY, case), ["receive", "transfer", "take", "accept", "renew-key"]);
    let key = fold(&city, COUNTY, case).key();
    assert_eq!(readers(&city, COUNTY, case, key), [city.halls[COUNTY].at]);
    assert!(readers(&city, COUNTY, case, FIRST_KEY).contains(&stolen), "what was before can be read as ever");
    let custody = query::case(&city.halls[COUNTY].rows, case).unwrap().custody.unwrap();
    assert_eq!((custody.stage, custody.grade), (Stage::Custodian, Grade::D2));
    for mirror in mirrors.into_iter().filter(|mirror| *mirror != VILLAGE) {
        assert_eq!(readers(&city, mirror, case, key), [city.halls[COUNTY].at], "mirrors have the key too");
    }
    // Context, then the header: kind 32, critical, the digest of the key.
    let message = file(&city, COUNTY, case).events.last().unwrap().message();
    assert_eq!((&message[34..36], message[36], &message[256..288]), (&[32, 0][..], 1, &key.0[..]));
    recorded(&mut city, COUNTY, case, Deed::Extend { days: 3 });
    city.run_seconds(60);
    let renewed = events(&city, COUNTY, case).iter().filter(|word| **word == "renew-key").count();
    assert_eq!(renewed, 1, "once is enough");
    sound(&city);
}

#[test]
fn no_other_end_of_a_life_takes_a_key_away() {
    for reason in [RevocationReason::Closed, RevocationReason::Replaced] {
        let mut city = City::new();
        let case = accepted_in_the_county(&mut city);
        revoked(&mut city, CITY, VILLAGE, reason);
        assert_eq!(events(&city, COUNTY, case), ["receive", "transfer", "take", "accept"]);
    }
}

#[test]
fn nothing_is_added_under_the_key_that_the_thief_has_whatever_the_shell_does_and_after_a_crash() {
    let mut city = City::new();
    let case = accepted_in_the_county(&mut city);
    city.shells_work = false;
    village_stolen(&mut city);
    for _ in 0..2 {
        assert_eq!(city.deed(COUNTY, case, Deed::Extend { days: 3 }), Reply::Refused(Refusal::KeyRenewed));
        city.open(COUNTY);
        city.connect_all();
        city.run_seconds(30);
    }
    assert_eq!(fold(&city, COUNTY, case).key(), FIRST_KEY);
    city.shells_work = true;
    city.open(COUNTY);
    city.connect_all();
    city.run_seconds(30);
    assert_ne!(fold(&city, COUNTY, case).key(), FIRST_KEY);
    // A clerk's form that was sealed a moment before.
    let act = city.act(COUNTY);
    let (deed, body) = (Deed::Extend { days: 3 }, vec![9].into());
    let late = Box::new(Record { case, deed, key: FIRST_KEY, body });
    assert_eq!(city.command(COUNTY, Command::Record(act, late)), Reply::Refused(Refusal::KeyRenewed));
    recorded(&mut city, COUNTY, case, Deed::Extend { days: 3 });
}

#[test]
fn a_new_key_is_for_nobody_who_may_not_have_it_and_takes_effect_once() {
    let mut city = City::new();
    let case = accepted_in_the_county(&mut city);
    city.shells_work = false;
    let stolen = village_stolen(&mut city);
    let (county, key) = (city.halls[COUNTY].at, Digest([7; 32]));
    let renewed = |city: &mut City, to: &[HallAt], of: Digest| {
        let both = |at: &HallAt| [false, true].map(|recovery| Wrap { recovery, ..city.wrap(*at, of) });
        let wraps = to.iter().flat_map(both).collect();
        city.command(COUNTY, Command::RenewKey(case, Box::new(Renewal { key, wraps })))
    };
    let other = city.halls[OTHER_COUNTY].at;
    for (to, of) in
        [(vec![county, stolen], key), (vec![county, other], key), (vec![], key), (vec![county], FIRST_KEY)]
    {
        let reply = renewed(&mut city, &to, of);
        assert_eq!(reply, Reply::Refused(Refusal::NoKeyForRoute), "{to:?}");
    }
    let unkept = Renewal { key, wraps: vec![city.wrap(county, key)] };
    let reply = city.command(COUNTY, Command::RenewKey(case, Box::new(unkept)));
    assert_eq!(reply, Reply::Refused(Refusal::NoKeyForRoute), "nobody could recover it");
    assert_eq!(fold(&city, COUNTY, case).key(), FIRST_KEY);
    assert_eq!(renewed(&mut city, &[county], key), Reply::Done);
    assert_eq!(fold(&city, COUNTY, case).key(), key);
    assert_eq!(renewed(&mut city, &[county], key), Reply::Done);
    assert_eq!(fold(&city, COUNTY, case).keys, [key], "the second one came for nothing");
    assert!(city.halls[COUNTY].happened.contains(&Happening::KeyRenewed(case)));
    // Nor where the case is not in hand.
    let act = |city: &mut City, index| {
        let renewal = Renewal { key: Digest([8; 32]), wraps: vec![city.wrap(other, Digest([8; 32]))] };
        city.command(index, Command::RenewKey(case, Box::new(renewal)))
    };
    assert!(matches!(act(&mut city, OTHER_COUNTY), Reply::Refused(_)));
    assert!(matches!(act(&mut city, CITY), Reply::Refused(_)));
}

/// A relay or a mirror could bring a key of its own, and read what is sealed under it.
#[test]
fn a_key_that_the_custodian_has_not_signed_for_is_not_kept() {
    let mut city = City::new();
    let (forged, to) = (Digest([5; 32]), city.halls[COUNTY].at);
    let (case, added) = (city.received(VILLAGE, "COUNTY-1", HERE), city.wrap(to, forged));
    carried(&mut city, |file| file.wraps.push(added.clone()));
    city.run_seconds(10);
    assert_eq!(stage(&city, COUNTY, case), Stage::Custodian);
    assert_eq!(readers(&city, COUNTY, case, FIRST_KEY), [to, city.halls[VILLAGE].at]);
    assert!(readers(&city, COUNTY, case, forged).is_empty());
    let kept = city.halls[COUNTY].rows.0.keys().any(|key| key.ends_with(&forged.0));
    assert!(!kept, "it is not kept aside either");
}

#[test]
fn a_hall_that_goes_on_for_a_stolen_one_seals_under_a_new_key() {
    let mut city = city_of_two_clerks();
    let case = accepted_in_the_county(&mut city);
    let stolen = city.halls[COUNTY].at;
    revoked(&mut city, CITY, COUNTY, RevocationReason::Stolen);
    other_county_takes_over(&mut city);
    assert_eq!(stage(&city, OTHER_COUNTY, case), Stage::Custodian);
    let log = events(&city, OTHER_COUNTY, case);
    assert_eq!(log, ["receive", "transfer", "take", "accept", "succeed", "renew-key"]);
    let key = fold(&city, OTHER_COUNTY, case).key();
    let has = readers(&city, OTHER_COUNTY, case, key);
    assert!(has.contains(&city.halls[OTHER_COUNTY].at) && has.contains(&city.halls[VILLAGE].at));
    assert!(!has.contains(&stolen));
    recorded(&mut city, OTHER_COUNTY, case, Deed::GRANT);
    city.run();
    // The window was given every key with the case.
    assert!(query::is_wrapped(&city.halls[VILLAGE].rows, case, city.halls[VILLAGE].at));
    recorded(&mut city, VILLAGE, case, Deed::Deliver);
    sound(&city);
}

#[test]
fn all_cases_in_hand_get_new_keys_however_many_they_are_and_those_that_are_over_do_not() {
    let mut city = City::new();
    let done = accepted_in_the_county(&mut city);
    recorded(&mut city, COUNTY, done, Deed::Withdraw);
    city.run();
    recorded(&mut city, VILLAGE, done, Deed::Deliver);
    let cases: Vec<_> = (0..=RENEWALS_AT_ONCE).map(|_| city.received(VILLAGE, "COUNTY-1", HERE)).collect();
    city.run_seconds(30);
    village_stolen(&mut city);
    for case in cases {
        assert_eq!(fold(&city, COUNTY, case).keys.len(), 1);
    }
    assert!(fold(&city, COUNTY, done).keys.is_empty());
    // The round is over: nothing is asked for any more, nor looked at.
    assert!(!city.halls[COUNTY].rows.0.contains_key(b"\x01renew".as_slice()));
    sound(&city);
}

#[test]
fn a_case_has_no_more_keys_than_it_may() {
    let mut city = City::new();
    let case = accepted_in_the_county(&mut city);
    let mut log: Vec<SignedEvent> = file(&city, COUNTY, case).events;
    let mut held = fold(&city, COUNTY, case);
    let first = log.pop().unwrap().header().unwrap();
    for number in 1..=u8::try_from(CASE_KEYS_MAX).unwrap() + 1 {
        let facts = Facts::RenewKey { key: Digest([number; 32]), lacked: 0, to: vec![] };
        let header = Header { sequence: held.events, previous: held.head, facts, ..first.clone() };
        match held.next(&header, Digest([number; 32])) {
            Ok(next) => held = next,
            Err(why) => {
                assert_eq!(why, NotAllowed::Key);
                assert_eq!(usize::from(number), CASE_KEYS_MAX + 1);
            }
        }
    }
    let twice = Facts::RenewKey { key: FIRST_KEY, lacked: 0, to: vec![] };
    let header = Header { sequence: 4, previous: fold(&city, COUNTY, case).head, facts: twice, ..first };
    let refused = fold(&city, COUNTY, case).next(&header, Digest([1; 32]));
    assert_eq!(refused, Err(NotAllowed::Key));
}

/// What it takes to stop for ever: the key of the one that drew it is gone with that one, and nobody else was given it.
#[test]
fn a_key_that_nobody_can_open_any_more_is_followed_by_another_one() {
    let mut city = city_of_two_clerks();
    let case = accepted_in_the_county(&mut city);
    village_stolen(&mut city);
    closed(&mut city, CITY, COUNTY);
    other_county_takes_over(&mut city);
    assert_eq!(stage(&city, OTHER_COUNTY, case), Stage::Custodian);
    let log = events(&city, OTHER_COUNTY, case);
    assert_eq!(log, ["receive", "transfer", "take", "accept", "renew-key", "succeed", "renew-key"]);
    let other = city.halls[OTHER_COUNTY].at;
    assert!(readers(&city, OTHER_COUNTY, case, fold(&city, OTHER_COUNTY, case).key()).contains(&other));
    // Both keys before it stay closed here, and the event says so: a bit for each.
    let message = file(&city, OTHER_COUNTY, case).events.last().unwrap().message();
    assert_eq!(message[288..290], [0b11, 0]);
    recorded(&mut city, OTHER_COUNTY, case, Deed::Extend { days: 3 });
    sound(&city);
}

/// Every hall forgets whom the first key of a case is wrapped to.
fn first_key_lost(city: &mut City, case: CaseId) {
    for hall in &mut city.halls {
        let is_it = |key: &Vec<u8>| key[0] == 0x22 && key[1..17] == case.0 && key.ends_with(&FIRST_KEY.0);
        hall.rows.0.retain(|key, _| !is_it(key));
    }
}

#[test]
fn who_goes_on_waits_for_the_first_key_for_days_and_then_hands_on_what_there_is() {
    let mut city = city_of_two_clerks();
    let case = accepted_in_the_county(&mut city);
    closed(&mut city, CITY, COUNTY);
    first_key_lost(&mut city, case);
    other_county_takes_over(&mut city);
    assert_eq!(stage(&city, OTHER_COUNTY, case), Stage::Custodian);
    city.pass(2 * DAY);
    assert_eq!(
        city.command(OTHER_COUNTY, Command::NotOpened(case, FIRST_KEY)),
        Reply::Done,
        "somebody may bring it"
    );
    assert!(fold(&city, OTHER_COUNTY, case).keys.is_empty());
    city.pass(2 * DAY);
    assert_eq!(
        city.command(OTHER_COUNTY, Command::NotOpened(case, FIRST_KEY)),
        Reply::Refused(Refusal::KeyRenewed)
    );
    assert_eq!(fold(&city, OTHER_COUNTY, case).keys.len(), 1);
    recorded(&mut city, OTHER_COUNTY, case, Deed::GRANT);
    city.run();
    assert_eq!(stage(&city, VILLAGE, case), Stage::Custodian, "it takes it without the key that nobody has");
    recorded(&mut city, VILLAGE, case, Deed::Deliver);
    sound(&city);
}

#[test]
fn what_is_wrapped_to_a_hall_and_does_not_open_counts_as_nothing() {
    let mut city = City::new();
    let case = accepted_in_the_county(&mut city);
    let county = city.halls[COUNTY].at;
    let said = |city: &mut City, index, of| city.command(index, Command::NotOpened(case, of));
    assert_eq!(said(&mut city, COUNTY, Digest([9; 32])), Reply::Done, "that is no key of it");
    assert_eq!(said(&mut city, VILLAGE, FIRST_KEY), Reply::Done, "it has not got it in hand");
    assert!(fold(&city, COUNTY, case).keys.is_empty());
    assert_eq!(said(&mut city, COUNTY, FIRST_KEY), Reply::Refused(Refusal::KeyRenewed));
    assert!(!readers(&city, COUNTY, case, FIRST_KEY).contains(&county));
    let key = fold(&city, COUNTY, case).key();
    assert_ne!(key, FIRST_KEY);
    assert_eq!(readers(&city, COUNTY, case, key), [county, city.halls[VILLAGE].at]);
    recorded(&mut city, COUNTY, case, Deed::GRANT);
    city.run();
    assert_eq!(stage(&city, VILLAGE, case), Stage::Custodian);
    sound(&city);
}

/// What becomes of the cases that are on a line now: whoever carries them has changed something.
fn carried(city: &mut City, change: impl Fn(&mut CaseFile)) {
    let mut changed = false;
    for (_, _, frame) in &mut city.wires {
        let Ok(Message::Letter(letter)) = Message::decode(frame) else { continue };
        let (from, to) = (letter.from, letter.to);
        let body = match letter.body {
            LetterBody::HandOver(mut file) => {
                change(&mut file);
                LetterBody::HandOver(file)
            }
            LetterBody::Copy(mut file) => {
                change(&mut file);
                LetterBody::Copy(file)
            }
            LetterBody::Receipt(_)
            | LetterBody::Statement(_)
            | LetterBody::Fence(..)
            | LetterBody::Ask(_)
            | LetterBody::AskFence { .. } => {
                continue;
            }
        };
        *frame = Message::Letter(Letter::write(from, to, body)).encode();
        changed = true;
    }
    assert!(changed, "there is something on the lines");
}

/// A neighbour who carries a case adds keys for lives of a hall on the route that nobody has chartered.
#[test]
fn a_carrier_cannot_fill_the_room_that_a_new_key_needs() {
    let mut city = City::new();
    let county = city.halls[COUNTY].at;
    let case = city.received(VILLAGE, "COUNTY-1", HERE);
    let invented = (100..160).map(|incarnation| HallAt { incarnation, ..county });
    let junk: Vec<Wrap> = invented.map(|at| city.wrap(at, FIRST_KEY)).collect();
    carried(&mut city, |file| file.wraps.extend(junk.iter().cloned()));
    city.run_seconds(10);
    assert_eq!(stage(&city, COUNTY, case), Stage::Custodian);
    assert_eq!(readers(&city, COUNTY, case, FIRST_KEY), [county, city.halls[VILLAGE].at]);
    village_stolen(&mut city);
    let key = fold(&city, COUNTY, case).key();
    assert_ne!(key, FIRST_KEY);
    assert_eq!(readers(&city, COUNTY, case, key), [county]);
}

#[test]
fn no_new_key_is_signed_for_that_there_is_no_room_for() {
    let mut city = City::new();
    let case = accepted_in_the_county(&mut city);
    // However they came there.
    let rows = &mut city.halls[COUNTY].rows.0;
    let is_it = |key: &&Vec<u8>| key[0] == 0x22 && key[1..17] == case.0;
    let (key, value) = rows.iter().find(|(key, _)| is_it(key)).map(|(k, v)| (k.clone(), v.clone())).unwrap();
    for number in 0..u8::try_from(WRAPS_MAX).unwrap() - 4 {
        let mut other = key.clone();
        other[27] = number + 1;
        rows.insert(other, value.clone());
    }
    village_stolen(&mut city);
    let renewal =
        Renewal { key: Digest([7; 32]), wraps: vec![city.wrap(city.halls[COUNTY].at, Digest([7; 32]))] };
    assert_eq!(city.command(COUNTY, Command::RenewKey(case, Box::new(renewal))), Reply::Done);
    assert_eq!(events(&city, COUNTY, case), ["receive", "transfer", "take", "accept"]);
}

fn custody(city: &City, index: usize, case: CaseId) -> Custody {
    query::case(&city.halls[index].rows, case).unwrap().custody.unwrap()
}

/// For whom a key is kept for recovery, as far as a hall knows.
fn keepers(city: &City, index: usize, case: CaseId, of: Digest) -> Vec<HallAt> {
    let wraps = file(city, index, case).wraps.into_iter();
    wraps.filter(|wrap| wrap.of == of && wrap.recovery).map(|wrap| wrap.to).collect()
}

#[test]
fn after_a_theft_above_the_next_hall_up_keeps_the_key_and_without_it_no_case_is_graded_d2() {
    let mut city = City::new();
    revoked(&mut city, CITY, TOWN, RevocationReason::Stolen);
    city.shells_work = false;
    let case = city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    assert_eq!((stage(&city, CITY, case), custody(&city, CITY, case).grade), (Stage::Custodian, Grade::D1));
    city.shells_work = true;
    city.run();
    let (village, town, county) = (city.halls[VILLAGE].at, city.halls[TOWN].at, city.halls[COUNTY].at);
    let key = fold(&city, CITY, case).key();
    assert_ne!(key, FIRST_KEY);
    assert_eq!(custody(&city, CITY, case).grade, Grade::D2);
    assert_eq!(
        readers(&city, CITY, case, key),
        [city.halls[CITY].at, village],
        "who keeps it does not read it"
    );
    assert_eq!(keepers(&city, CITY, case, key), [city.halls[CITY].at, county]);
    assert!(fold(&city, CITY, case).open_to.contains(&(county, true)), "the event says so");
    assert!(!fold(&city, CITY, case).open_to.contains(&(town, true)));
    // The one who keeps it is stolen, too.
    let renewed = fold(&city, CITY, case).keys.len();
    revoked(&mut city, CITY, COUNTY, RevocationReason::Stolen);
    assert_eq!(fold(&city, CITY, case).keys.len(), renewed + 1);
    let key = fold(&city, CITY, case).key();
    assert_eq!(
        keepers(&city, CITY, case, key),
        [city.halls[CITY].at],
        "the city reads it, the root keeps it"
    );
    sound(&city);
}

#[test]
fn who_keeps_a_key_is_the_next_hall_up_that_nobody_has_stolen_and_at_the_top_the_root() {
    let mut city = City::new();
    let at = |city: &City, index: usize| city.halls[index].at;
    let (village, county, top) = (at(&city, VILLAGE), at(&city, COUNTY), at(&city, CITY));
    let to = |city: &City, readers: &[HallAt]| Directory::new(&city.halls[VILLAGE].rows).addressees(readers);
    assert_eq!(to(&city, &[village]), [(village, false), (village, true)]);
    revoked(&mut city, CITY, TOWN, RevocationReason::Stolen);
    assert_eq!(to(&city, &[village]), [(village, false), (county, true)]);
    assert_eq!(to(&city, &[village, county]), [(village, false), (county, false), (county, true)]);
    let transport_key = Directory::new(&city.halls[COUNTY].rows).life(top).unwrap().transport_key;
    let stolen =
        Revocation { at: top, transport_key, reason: RevocationReason::Stolen, since: city.now.wall };
    let signed = by_root(&city, Body::Revocation(stolen));
    let (records, _) = verify::records(&city.halls[VILLAGE].rows, vec![signed]);
    city.command(VILLAGE, Command::Admit(records));
    assert_eq!(to(&city, &[county]), [(county, false), (top, true)]);
    let directory = Directory::new(&city.halls[VILLAGE].rows);
    let root = directory.life(top).unwrap().recovery_key;
    assert_eq!(directory.key_of((top, true), &[county]), Some(root));
}

/// Whoever carries a case neither makes it be sealed anew nor keeps it from that.
#[test]
fn who_can_open_a_case_is_told_by_its_log_and_not_by_the_keys_that_come_with_it() {
    let mut city = City::new();
    let case = accepted_in_the_county(&mut city);
    let stolen = village_stolen(&mut city);
    let key = fold(&city, COUNTY, case).key();
    let added = vec![city.wrap(stolen, key)];
    assert_eq!(city.command(COUNTY, Command::KeepKeys(case, added)), Reply::Done);
    city.run();
    assert_eq!(fold(&city, COUNTY, case).keys, [key], "it has been drawn for nobody but the county");

    let mut city = City::new();
    let (case, county) = (city.received(VILLAGE, "COUNTY-1", HERE), city.halls[COUNTY].at);
    carried(&mut city, |file| file.wraps.retain(|wrap| wrap.to == county));
    city.run_seconds(10);
    assert_eq!(readers(&city, COUNTY, case, FIRST_KEY), [county]);
    village_stolen(&mut city);
    assert_eq!(fold(&city, COUNTY, case).keys.len(), 1);
}

#[test]
fn a_mirror_signs_for_no_copy_without_keys_and_gets_those_that_are_wrapped_later() {
    let mut city = City::new();
    let case = city.received(COUNTY, "COUNTY-1", HERE);
    carried(&mut city, |file| file.wraps.clear());
    city.drain();
    let county = city.halls[COUNTY].at;
    let mirrors = fold(&city, COUNTY, case).mirrors.map(|mirror| city.index(mirror.unwrap().hall));
    assert_eq!(fold(&city, mirrors[0], case).events, 1, "it keeps what there is");
    assert_eq!(custody(&city, COUNTY, case).grade, Grade::D1, "and does not sign that it could restore it");
    city.run();
    assert_eq!(custody(&city, COUNTY, case).grade, Grade::D2);
    let later = vec![Wrap { recovery: true, ..city.wrap(county, FIRST_KEY) }];
    assert_eq!(city.command(COUNTY, Command::KeepKeys(case, later)), Reply::Done);
    city.run();
    for mirror in mirrors {
        assert!(readers(&city, mirror, case, FIRST_KEY).contains(&county));
        assert_eq!(keepers(&city, mirror, case, FIRST_KEY), [county]);
    }
    sound(&city);
}

#[test]
fn a_second_theft_that_is_heard_of_during_a_round_is_looked_after_in_the_next() {
    let mut city = City::new();
    let exposed: Vec<_> = (0..8).map(|_| city.received(VILLAGE, "COUNTY-1", HERE)).collect();
    city.run_seconds(10);
    city.cut(COUNTY);
    for _ in 0..PAGE_MAX {
        city.received(COUNTY, "COUNTY-1", HERE);
    }
    let mut stolen = |index: usize| {
        let at = city.halls[index].at;
        let transport_key = Directory::new(&city.halls[CITY].rows).life(at).unwrap().transport_key;
        let stolen = Revocation { at, transport_key, reason: RevocationReason::Stolen, since: city.now.wall };
        let signed = by_root(&city, Body::Revocation(stolen));
        let (records, _) = verify::records(&city.halls[COUNTY].rows, vec![signed]);
        city.command(COUNTY, Command::Admit(records));
    };
    // Of the first one the first page finds nothing; what the second one exposes is mostly on that page.
    stolen(OTHER_COUNTY);
    stolen(VILLAGE);
    city.run_seconds(60);
    for case in exposed {
        assert_eq!(fold(&city, COUNTY, case).keys.len(), 1);
    }
    assert!(!city.halls[COUNTY].rows.0.contains_key(b"\x01renew".as_slice()));
}
