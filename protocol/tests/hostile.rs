//! What a hostile or broken neighbour may try. Each test is a finding of a review; none may come back.
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

use std::cell::RefCell;
use std::rc::Rc;

use common::{CITY, COUNTY, City, OTHER_COUNTY, TOWN, VILLAGE, WALL, charter, first, matter, secret};
use hallmesh_protocol::cases::{Deed, FIRST_KEY, Position, Stage, Wrap};
use hallmesh_protocol::catalogue::{Catalogue, Delegation, Rights};
use hallmesh_protocol::directory::{Directory, Revocation, RevocationReason};
use hallmesh_protocol::ids::{CaseId, Digest, DivisionCode, HallAt, HallId, Tier};
use hallmesh_protocol::message::{Message, Why};
use hallmesh_protocol::post::{Asked, Letter, LetterBody, waiting};
use hallmesh_protocol::query;
use hallmesh_protocol::record::{Body, Issuer, Record, Space};
use hallmesh_protocol::seal::{SecretKey, WrapPublic};
use hallmesh_protocol::signed::Signed;
use hallmesh_protocol::step::{Command, Input, Reply};
use hallmesh_protocol::verify;

const HERE: u64 = 620_702_203_200;

fn stage(city: &City, index: usize, case: CaseId) -> Stage {
    let view = query::case(&city.halls[index].rows, case);
    view.and_then(|view| view.custody).map_or(Stage::None, |custody| custody.stage)
}

fn wrap_of(city: &City, index: usize) -> WrapPublic {
    Directory::new(&city.halls[index].rows).life(city.halls[index].at).unwrap().wrap_key
}

fn sign(key: &SecretKey, record: &Record) -> Signed<Record> {
    Signed::sign(record, &[(0, key)])
}

fn by_root(city: &City, record: &Record) -> Signed<Record> {
    Signed::sign(record, &[(0, &city.root[0]), (1, &city.root[1])])
}

fn admit(city: &mut City, index: usize, records: Vec<Signed<Record>>) -> u32 {
    let (records, _) = verify::records(&city.halls[index].rows, records);
    match city.command(index, Command::Admit(records)) {
        Reply::Admitted { records, .. } => records,
        other => panic!("{other:?}"),
    }
}

fn deliver(city: &mut City, from: usize, to: usize, message: &Message) {
    let message = Message::decode(&message.encode()).unwrap();
    let (from, hall) = (city.halls[from].at.hall, city.halls[to].at.hall);
    if let Ok(message) = verify::message(&city.halls[to].rows, hall, message) {
        city.step(to, Input::Received { from, message });
    }
}

fn revocation(city: &City, of: usize, reason: RevocationReason) -> Record {
    let transport_key = charter(of, &wrap_of(city, of)).transport_key;
    let at = city.halls[of].at;
    first(Issuer::Root, Body::Revocation(Revocation { at, transport_key, reason, since: WALL }))
}

/// A village's "charter" for the city's own life, with a key of the village's choice.
fn usurped(city: &City, key: &SecretKey) -> Signed<Record> {
    let mut fake = charter(CITY, &wrap_of(city, CITY));
    fake.event_key = key.public();
    let by = Issuer::Hall(city.halls[VILLAGE].at);
    sign(&secret(city.halls[VILLAGE].seed), &first(by, Body::Charter(Box::new(fake))))
}

#[test]
fn a_false_charter_in_a_batch_lends_nobody_a_key() {
    let mut city = City::new();
    let evil = secret(200);
    let revocation = Record {
        issuer: Issuer::Hall(city.halls[CITY].at),
        ..revocation(&city, COUNTY, RevocationReason::Stolen)
    };
    let records = vec![usurped(&city, &evil), sign(&evil, &revocation)];
    let message = Message::Records { space: Space::Directory, records, why: Why::Push };
    deliver(&mut city, VILLAGE, TOWN, &message);
    let county = city.halls[COUNTY].at;
    assert!(!Directory::new(&city.halls[TOWN].rows).is_revoked(county));
}

#[test]
fn a_revoked_key_at_the_door_charters_nobody() {
    let mut city = City::new();
    let record = revocation(&city, VILLAGE, RevocationReason::Stolen);
    let record = by_root(&city, &record);
    assert_eq!(admit(&mut city, CITY, vec![record]), 1);
    city.run();
    let evil = secret(200);
    let mut new = charter(TOWN, &wrap_of(&city, TOWN));
    (new.incarnation, new.event_key) = (2, secret(201).public());
    new.parent = Some(city.halls[CITY].at.hall);
    let mut record = first(Issuer::Hall(city.halls[CITY].at), Body::Charter(Box::new(new)));
    record.version = 2;
    let records = vec![usurped(&city, &evil), sign(&evil, &record)];
    assert_eq!(admit(&mut city, COUNTY, records), 0);
}

#[test]
fn a_hall_below_does_not_replace_what_a_hall_above_has_stated() {
    let mut city = City::new();
    let mut own = matter("CITY-1", Tier::Village);
    own.area = city.halls[VILLAGE].at.hall.division();
    let act = city.act(VILLAGE);
    let reply = city.command(VILLAGE, Command::Publish(act, vec![Body::Matter(Box::new(own))]));
    assert!(matches!(reply, Reply::Refused(_)), "{reply:?}");
    city.run();
    let reply = city.receive(TOWN, "CITY-1", 620_702_203_000);
    assert!(matches!(reply, Reply::Received { .. }), "{reply:?}");
}

#[test]
fn nobody_gives_rights_to_themselves() {
    let mut city = City::new();
    let all = Rights { receive: true, accept: true, transfer: true, issue: true };
    let own = Delegation {
        matter: None,
        tier: Tier::Township,
        area: city.halls[TOWN].at.hall.division(),
        rights: all,
        valid_from: 0,
        valid_to: WALL * 2,
        source: String::new(),
        verified: false,
    };
    let act = city.act(TOWN);
    let reply = city.command(TOWN, Command::Publish(act, vec![Body::Delegation(own.clone())]));
    assert!(matches!(reply, Reply::Refused(_)), "{reply:?}");
    // A county may give its towns rights, but not over what the city decides.
    let act = city.act(COUNTY);
    let reply = city.command(COUNTY, Command::Publish(act, vec![Body::Delegation(own)]));
    assert!(matches!(reply, Reply::Published { records: 1 }), "{reply:?}");
    city.run();
    let case = city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    assert_eq!(stage(&city, CITY, case), Stage::Custodian);
}

#[test]
fn a_charter_is_not_taken_back_to_give_the_same_life_other_keys() {
    let mut city = City::new();
    let key = secret(city.halls[TOWN].seed);
    let by = Issuer::Hall(city.halls[TOWN].at);
    let body = charter(VILLAGE, &wrap_of(&city, VILLAGE));
    let mut gone = first(by, Body::Charter(Box::new(body.clone())));
    (gone.version, gone.withdrawn) = (2, true);
    let mut other = body;
    other.event_key = secret(77).public();
    let mut back = first(by, Body::Charter(Box::new(other)));
    back.version = 3;
    assert_eq!(admit(&mut city, CITY, vec![sign(&key, &gone), sign(&key, &back)]), 0);
}

#[test]
fn sets_do_not_depend_on_who_heard_of_a_revocation_first() {
    let mut city = City::new();
    city.cut(VILLAGE);
    let mut own = matter("OWN-1", Tier::County);
    own.area = city.halls[COUNTY].at.hall.division();
    let act = city.act(COUNTY);
    city.command(COUNTY, Command::Publish(act, vec![Body::Matter(Box::new(own))]));
    city.run();
    let record = revocation(&city, COUNTY, RevocationReason::Replaced);
    let record = by_root(&city, &record);
    assert_eq!(admit(&mut city, CITY, vec![record]), 1);
    city.run();
    city.heal(VILLAGE);
    city.run();
    assert_eq!(query::roots(&city.halls[CITY].rows), query::roots(&city.halls[VILLAGE].rows));
    let code = "OWN-1".parse().unwrap();
    for index in [CITY, VILLAGE] {
        assert!(Catalogue::new(&city.halls[index].rows).matter(&code, WALL).is_some());
    }
}

#[test]
fn lists_that_are_far_apart_become_equal() {
    let mut city = City::new();
    for index in [VILLAGE, TOWN, COUNTY, OTHER_COUNTY] {
        city.cut(index);
    }
    let bodies =
        (0..3_300).map(|number| Body::Matter(Box::new(matter(&format!("BIG-{number}"), Tier::City))));
    let act = city.act(CITY);
    city.command(CITY, Command::Publish(act, bodies.collect()));
    city.heal(VILLAGE);
    city.run();
    assert_eq!(query::roots(&city.halls[CITY].rows), query::roots(&city.halls[VILLAGE].rows));
}

#[test]
fn a_neighbour_takes_no_letter_out_of_this_halls_own_post() {
    let mut city = City::new();
    city.cut(CITY);
    let case = city.received(VILLAGE, "CITY-1", HERE);
    city.wires.clear();
    let before = waiting(&city.halls[VILLAGE].rows, 10).len();
    let to = city.halls[CITY].at.hall;
    let named = Letter::write(
        city.halls[VILLAGE].at,
        to,
        LetterBody::HandOver(query::file(&city.halls[VILLAGE].rows, case)),
    );
    deliver(&mut city, OTHER_COUNTY, VILLAGE, &Message::Taken(vec![named.id]));
    let asked = Asked { case, position: Position::default(), sequence: 0, head: Digest([0; 32]) };
    let mut forged = Letter::write(city.halls[OTHER_COUNTY].at, to, LetterBody::Ask(asked));
    forged.id = named.id;
    deliver(&mut city, OTHER_COUNTY, VILLAGE, &Message::Letter(forged));
    assert_eq!(waiting(&city.halls[VILLAGE].rows, 10).len(), before);
    city.heal(CITY);
    city.run();
    assert_eq!(stage(&city, CITY, case), Stage::Custodian);
}

#[test]
fn letters_that_nobody_answers_hold_up_no_others() {
    let mut city = City::new();
    let top = city.halls[CITY].at.hall;
    city.cut(CITY);
    let stuck: Vec<_> = (0..64).map(|_| city.received(VILLAGE, "CITY-1", HERE)).collect();
    let good = city.received(VILLAGE, "CITY-1", HERE);
    city.bend = Box::new(move |_, to, message| match message {
        Message::Letter(letter) if letter.to == top && to == top => match &letter.body {
            LetterBody::HandOver(file) => !stuck.contains(&file.events[0].header().unwrap().case),
            _ => true,
        },
        _ => true,
    });
    city.heal(CITY);
    city.run();
    city.run();
    assert_eq!(stage(&city, CITY, good), Stage::Custodian);
}

#[test]
fn a_target_that_forgot_a_case_gets_it_once_more() {
    let mut city = City::new();
    let backup = city.halls[CITY].rows.0.clone();
    // Nobody heard what it signed meanwhile, or it would know that it has forgotten.
    city.bend = Box::new(|_, _, message| match message {
        Message::Letter(letter) => !matches!(letter.body, LetterBody::Copy(_)),
        Message::Continued { .. } => false,
        _ => true,
    });
    let case = city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    assert_eq!(stage(&city, CITY, case), Stage::Holder);
    city.halls[CITY].rows.0 = backup;
    city.restart(CITY);
    city.bend = Box::new(|_, _, _| true);
    city.run();
    city.run();
    assert_eq!(stage(&city, CITY, case), Stage::Custodian);
}

#[test]
fn a_receipt_for_another_log_lets_nobody_go() {
    let mut city = City::new();
    let case = city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    city.deed(CITY, case, Deed::RequestCorrection);
    city.run();
    let backup = city.halls[VILLAGE].rows.0.clone();
    // Nobody heard what it signed meanwhile, or it would know that it has forgotten.
    city.bend = Box::new(|_, _, message| !matches!(message, Message::Continued { .. }));
    city.deed(VILLAGE, case, Deed::Supplement);
    city.run();
    city.halls[VILLAGE].rows.0 = backup;
    city.cut(VILLAGE);
    city.halls[VILLAGE].node = None;
    city.open(VILLAGE);
    city.pass(5_000);
    assert!(matches!(city.deed(VILLAGE, case, Deed::Supplement), Reply::Recorded { .. }));
    city.heal(VILLAGE);
    city.run();
    assert_eq!(stage(&city, VILLAGE, case), Stage::Handing, "what it wrote is nowhere else");
    assert!(query::counts(&city.halls[CITY].rows).forks > 0);
}

#[test]
fn a_case_that_had_nobody_to_go_to_goes_when_there_is_somebody() {
    let mut city = City::new();
    let case = city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    let record = revocation(&city, VILLAGE, RevocationReason::Replaced);
    let record = by_root(&city, &record);
    admit(&mut city, CITY, vec![record]);
    city.run();
    city.deed(CITY, case, Deed::Accept);
    city.deed(CITY, case, Deed::GRANT);
    assert_eq!(stage(&city, CITY, case), Stage::Custodian);
    let mut new = charter(VILLAGE, &wrap_of(&city, VILLAGE));
    (new.incarnation, new.event_key, new.transport_key) = (2, secret(78).public(), secret(79).public());
    let mut record = first(Issuer::Root, Body::Charter(Box::new(new)));
    record.version = 2;
    let record = by_root(&city, &record);
    assert_eq!(admit(&mut city, CITY, vec![record]), 1);
    city.run();
    assert_eq!(stage(&city, CITY, case), Stage::Handing);
}

#[test]
fn keys_taken_out_or_put_in_on_the_way_ruin_no_case() {
    for poison in [false, true] {
        let mut city = City::new();
        let case = city.received(VILLAGE, "CITY-1", HERE);
        let key = city.wrapped.clone();
        let foreign = |number: u64| HallAt {
            hall: HallId::main(DivisionCode::from_u64(620_702_001_001 + number).unwrap()),
            incarnation: 1,
        };
        for (_, _, frame) in &mut city.wires {
            let Ok(Message::Letter(letter)) = Message::decode(frame) else { continue };
            let LetterBody::HandOver(mut file) = letter.body else { continue };
            file.wraps.clear();
            if poison {
                let junk = |it| Wrap { to: foreign(it), recovery: false, of: FIRST_KEY, key: key.clone() };
                file.wraps = (0..64).map(junk).collect();
            }
            *frame =
                Message::Letter(Letter::write(letter.from, letter.to, LetterBody::HandOver(file))).encode();
        }
        city.run();
        assert_eq!(stage(&city, CITY, case), Stage::Custodian);
        assert!(
            query::file(&city.halls[CITY].rows, case).wraps.iter().any(|wrap| wrap.to == city.halls[CITY].at)
        );
    }
}

#[test]
fn an_act_is_refused_while_there_is_room_for_what_follows_from_it() {
    let mut city = City::new();
    let case = city.received(VILLAGE, "CITY-1", HERE);
    let mut who = CITY;
    for _ in 0..120 {
        for _ in 0..3 {
            city.drain();
            city.now.ticks += 2_500;
            for index in 0..5 {
                city.step(index, Input::Wake);
            }
        }
        city.drain();
        let deed = if who == CITY { Deed::RequestCorrection } else { Deed::Supplement };
        let before = query::case(&city.halls[who].rows, case).unwrap().case.events;
        if !matches!(city.deed(who, case, deed), Reply::Recorded { .. }) {
            let after = query::case(&city.halls[who].rows, case).unwrap().case.events;
            assert_eq!(after, before, "a refusal changes nothing");
            assert!(before > 200, "{before}");
            assert_eq!(stage(&city, who, case), Stage::Custodian);
            return;
        }
        who = if who == CITY { VILLAGE } else { CITY };
    }
    panic!("the log has no bound");
}

#[test]
fn letters_for_halls_that_do_not_exist_are_not_kept() {
    let mut city = City::new();
    let before = query::counts(&city.halls[TOWN].rows).post;
    for number in 0..50 {
        let to = HallId::main(DivisionCode::from_u64(110_102_001_001 + number).unwrap());
        let asked = Asked {
            case: CaseId([1; 16]),
            position: Position::default(),
            sequence: 0,
            head: Digest([0; 32]),
        };
        let letter = Letter::write(city.halls[VILLAGE].at, to, LetterBody::Ask(asked));
        deliver(&mut city, VILLAGE, TOWN, &Message::Letter(letter));
    }
    assert_eq!(query::counts(&city.halls[TOWN].rows).post, before);
}

#[test]
fn lives_to_come_are_not_revoked_ahead_and_addresses_are_plain() {
    let mut city = City::new();
    let mut ahead = revocation(&city, TOWN, RevocationReason::Closed);
    if let Body::Revocation(revocation) = &mut ahead.body {
        revocation.at.incarnation = u32::MAX;
    }
    let ahead = by_root(&city, &ahead);
    assert_eq!(admit(&mut city, CITY, vec![ahead]), 0);
    let at = city.halls[VILLAGE].at;
    let contact = hallmesh_protocol::directory::Contact { at, addresses: vec!["a\n\u{1b}[2J".to_owned()] };
    let mut record = first(Issuer::Hall(at), Body::Contact(contact));
    record.version = 9;
    let key = secret(city.halls[VILLAGE].seed);
    assert_eq!(admit(&mut city, CITY, vec![sign(&key, &record)]), 0);
}

#[test]
fn nothing_is_said_of_a_case_before_directories_were_compared() {
    let mut city = City::new();
    city.cut(CITY);
    let case = city.received(VILLAGE, "CITY-1", HERE);
    city.wires.clear();
    city.halls[CITY].up = true;
    let village = city.halls[VILLAGE].at;
    city.step(CITY, Input::PeerUp(village));
    let file = query::file(&city.halls[VILLAGE].rows, case);
    let letter = Letter::write(village, city.halls[CITY].at.hall, LetterBody::HandOver(file));
    deliver(&mut city, VILLAGE, CITY, &Message::Letter(letter));
    assert_eq!(stage(&city, CITY, case), Stage::None);
}

#[test]
fn a_lost_witness_costs_a_repetition_and_not_the_case() {
    let mut city = City::new();
    let lost = Rc::new(RefCell::new(0));
    let count = Rc::clone(&lost);
    city.bend = Box::new(move |_, _, message| {
        let receipt =
            matches!(message, Message::Letter(letter) if matches!(letter.body, LetterBody::Receipt(_)));
        *count.borrow_mut() += u32::from(receipt);
        !(receipt && *count.borrow() % 2 == 1)
    });
    let case = city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    city.run();
    assert!(*lost.borrow() > 3);
    assert_eq!(stage(&city, CITY, case), Stage::Custodian);
    assert_eq!(stage(&city, VILLAGE, case), Stage::Released);
}

/// The table of what is held, by element.
const ELEMENT: u8 = 0x11;

#[test]
fn a_record_that_is_asked_for_many_times_at_once_comes_once() {
    let mut city = City::new();
    city.run();
    let held = city.halls[TOWN].rows.0.keys().find(|key| key[0] == ELEMENT && key[1] == Space::Lists.byte());
    let id = held.unwrap()[2..34].try_into().unwrap();
    let pull = Message::Pull { space: Space::Lists, ids: vec![id; 256] };
    city.wires.clear();
    deliver(&mut city, VILLAGE, TOWN, &pull);
    let sent = city.wires.iter().filter_map(|(_, _, frame)| match Message::decode(frame) {
        Ok(Message::Records { records, .. }) => Some(records.len()),
        _ => None,
    });
    assert_eq!(sent.sum::<usize>(), 1);
}
