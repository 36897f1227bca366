//! A hall that is new, or was away for long, reads the whole lists of its neighbours: what goes over the lines, and
//! what a neighbour that lies, falls silent or sends nonsense can do about it.
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
use std::collections::BTreeMap;
use std::rc::Rc;

use common::{CITY, COUNTY, City, OTHER_COUNTY, TOWN, VILLAGE, WALL, first, matter, secret};
use hallmesh_protocol::catalogue::{Delegation, Rights};
use hallmesh_protocol::ids::{HallId, Tier};
use hallmesh_protocol::message::{Message, Why};
use hallmesh_protocol::query;
use hallmesh_protocol::record::{Body, Issuer, Record, Space};
use hallmesh_protocol::signed::Signed;
use hallmesh_protocol::step::{Command, Input, Reply};
use hallmesh_protocol::verify;

/// More than symbols can tell of.
const ENTRIES: usize = 5_000;
const ALL: [usize; 5] = [CITY, COUNTY, OTHER_COUNTY, TOWN, VILLAGE];

/// Records of the lists that went from one hall to another.
type Sent = Rc<RefCell<BTreeMap<(HallId, HallId), usize>>>;

/// Whether a message passes, by who says it to whom.
type Passes = Box<dyn FnMut(HallId, HallId, &Message) -> bool>;

fn publish(city: &mut City, at: usize, name: &str, entries: usize) {
    let bodies =
        (0..entries).map(|number| Body::Matter(Box::new(matter(&format!("{name}-{number:05}"), Tier::City))));
    let act = city.act(at);
    let reply = city.command(at, Command::Publish(act, bodies.collect()));
    assert!(matches!(reply, Reply::Published { .. }), "{reply:?}");
}

/// Counts the records that pass.
fn count(city: &mut City, mut passes: Passes) -> Sent {
    let sent = Sent::default();
    let counted = Rc::clone(&sent);
    city.bend = Box::new(move |from, to, message| {
        let passes = passes(from, to, message);
        if let Message::Records { space: Space::Lists, records, .. } = message
            && passes
        {
            *counted.borrow_mut().entry((from, to)).or_default() += records.len();
        }
        passes
    });
    sent
}

fn to(sent: &Sent, hall: HallId) -> usize {
    sent.borrow().iter().filter(|((_, to), _)| *to == hall).map(|(_, count)| count).sum()
}

fn from(sent: &Sent, hall: HallId) -> usize {
    sent.borrow().iter().filter(|((from, _), _)| *from == hall).map(|(_, count)| count).sum()
}

fn hall(city: &City, index: usize) -> HallId {
    city.halls[index].at.hall
}

fn equal(city: &City, halls: &[usize]) -> bool {
    halls
        .windows(2)
        .all(|pair| query::roots(&city.halls[pair[0]].rows) == query::roots(&city.halls[pair[1]].rows))
}

/// A city whose halls hold many entries, all but the village, which is cut off.
fn village_lags_behind(entries: usize) -> City {
    let mut city = City::new();
    city.cut(VILLAGE);
    publish(&mut city, CITY, "BIG", entries);
    city.run();
    assert!(equal(&city, &[CITY, COUNTY, OTHER_COUNTY, TOWN]));
    city
}

fn deliver(city: &mut City, liar: usize, to: usize, message: &Message) {
    let message = Message::decode(&message.encode()).unwrap();
    let (from, hall) = (hall(city, liar), hall(city, to));
    if let Ok(message) = verify::message(&city.halls[to].rows, hall, message) {
        city.step(to, Input::Received { from, message });
    }
}

/// Nothing that this hall says is heard.
fn silenced(city: &City, liar: usize) -> Passes {
    let liar = hall(city, liar);
    Box::new(move |from, _, _| from != liar)
}

#[test]
fn what_a_new_hall_reads_it_is_sent_once_whoever_its_neighbours_are_and_sends_nothing_back() {
    let mut city = village_lags_behind(ENTRIES);
    let sent = count(&mut city, Box::new(|_, _, _| true));
    city.heal(VILLAGE);
    city.run();
    assert!(equal(&city, &ALL));
    let (read, back) = (to(&sent, hall(&city, VILLAGE)), from(&sent, hall(&city, VILLAGE)));
    assert!((ENTRIES..ENTRIES + ENTRIES / 5).contains(&read), "{read} of {ENTRIES}");
    assert_eq!(back, 0);
}

#[test]
fn both_have_much_that_the_other_lacks_and_one_after_the_other_reads() {
    let mut city = City::new();
    for index in [COUNTY, OTHER_COUNTY, TOWN, VILLAGE] {
        city.cut(index);
    }
    publish(&mut city, CITY, "CITY", ENTRIES);
    city.cut(CITY);
    city.heal(COUNTY);
    let area = hall(&city, COUNTY).division();
    let own = |number: usize| {
        let mut own = matter(&format!("OWN-{number:05}"), Tier::County);
        own.area = area;
        Body::Matter(Box::new(own))
    };
    let act = city.act(COUNTY);
    city.command(COUNTY, Command::Publish(act, (0..ENTRIES / 5 * 4).map(own).collect()));
    let sent = count(&mut city, Box::new(|_, _, _| true));
    city.heal(CITY);
    city.run();
    assert!(equal(&city, &[CITY, COUNTY]));
    assert!(to(&sent, hall(&city, COUNTY)) >= ENTRIES);
    assert!(to(&sent, hall(&city, CITY)) >= ENTRIES / 5 * 4);
}

#[test]
fn reading_goes_on_where_it_had_come_to_after_a_restart_and_with_another_neighbour() {
    // After three pages there is still more to come than symbols can tell of.
    let entries = 2 * ENTRIES;
    let mut city = village_lags_behind(entries);
    let (top, village) = (hall(&city, CITY), hall(&city, VILLAGE));
    let mut pages = 0;
    // Whoever gives first falls silent after three pages.
    let sent = count(
        &mut city,
        Box::new(move |_, to, message| {
            let page = matches!(message, Message::Records { space: Space::Lists, .. }) && to == village;
            pages += usize::from(page);
            !page || pages <= 3
        }),
    );
    city.heal(VILLAGE);
    city.run_seconds(10);
    let read = to(&sent, village);
    assert!(read > ENTRIES / 5 && read < ENTRIES, "{read}");
    let before: Vec<_> = sent.borrow().keys().map(|(from, _)| *from).collect();
    city.restart(VILLAGE);
    let silent = silenced(&city, if before.contains(&top) { CITY } else { COUNTY });
    let again = count(&mut city, silent);
    city.run();
    assert!(equal(&city, &[COUNTY, OTHER_COUNTY, TOWN, VILLAGE]) || before.contains(&hall(&city, COUNTY)));
    let more = to(&again, village);
    assert!(more >= entries - read && more < entries, "{more} after {read} of {entries}");
}

#[test]
fn a_neighbour_that_says_much_and_gives_nothing_hides_nothing() {
    let mut city = village_lags_behind(ENTRIES);
    let (liar, space) = (TOWN, Space::Lists);
    city.bend = silenced(&city, liar);
    city.heal(VILLAGE);
    for next in ["zzz", "zzz", "a", "zzzz"] {
        deliver(&mut city, liar, VILLAGE, &Message::Far { space, count: u64::MAX });
        let why = Why::Paged { next: next.to_owned(), follows: false, last: false };
        deliver(&mut city, liar, VILLAGE, &Message::Records { space, records: Vec::new(), why });
    }
    city.run();
    for _ in 0..10 {
        deliver(&mut city, liar, VILLAGE, &Message::Far { space, count: u64::MAX });
        let why = Why::Paged { next: String::new(), follows: false, last: true };
        deliver(&mut city, liar, VILLAGE, &Message::Records { space, records: Vec::new(), why });
        city.run_seconds(10);
    }
    assert!(equal(&city, &[CITY, COUNTY, OTHER_COUNTY, VILLAGE]));
}

#[test]
fn forged_symbols_end_one_exchange_and_change_nothing() {
    let mut city = City::new();
    city.cut(VILLAGE);
    publish(&mut city, CITY, "NEW", 40);
    city.run();
    let (liar, before) = (hall(&city, VILLAGE), query::roots(&city.halls[TOWN].rows));
    let asked = Rc::new(RefCell::new(Vec::new()));
    let heard = Rc::clone(&asked);
    // What the liar would honestly answer is lost; what it makes up comes instead.
    city.bend = Box::new(move |from, to, message| match message {
        Message::Ask { space: Space::Lists, nonce, from: first, count } if to == liar => {
            heard.borrow_mut().push((from, *nonce, *first, *count));
            true
        }
        Message::Symbols { space: Space::Lists, .. } | Message::Records { space: Space::Lists, .. } => {
            from != liar && to != liar
        }
        _ => true,
    });
    city.heal(VILLAGE);
    let mut forged = 0;
    for round in 0..20_u8 {
        city.run_seconds(2);
        for (to, nonce, from, count) in asked.take() {
            let packed = vec![round.wrapping_mul(37); usize::from(count) * 9].into();
            let answer = Default::default();
            let symbols = Message::Symbols { space: Space::Lists, nonce, answer, from, packed };
            let to = city.index(to);
            deliver(&mut city, VILLAGE, to, &symbols);
            forged += 1;
        }
    }
    assert!(forged > 4, "the others go on asking: {forged}");
    assert!(equal(&city, &[CITY, COUNTY, OTHER_COUNTY, TOWN]));
    assert_eq!(before, query::roots(&city.halls[TOWN].rows));
    city.bend = Box::new(|_, _, _| true);
    city.run();
    assert!(equal(&city, &ALL), "once it tells the truth");
}

#[test]
fn lists_that_fail_are_nowhere_taken_up_though_validly_signed() {
    let mut city = City::new();
    city.run();
    let (county, before) = (city.halls[COUNTY].at, query::roots(&city.halls[VILLAGE].rows));
    let key = secret(city.halls[COUNTY].seed);
    let signed = |record: &Record| Signed::sign(record, &[(0, &key)]);
    let own = |code: &str| {
        let mut own = matter(code, Tier::County);
        own.area = county.hall.division();
        own
    };
    let by = Issuer::Hall(county);
    let entry = |matter| first(by, Body::Matter(Box::new(matter)));
    let good = entry(own("GOOD"));
    let mut late = own("LATE");
    late.promised_days = late.legal_days + 1;
    let elsewhere = matter("CITY-2", Tier::City);
    let decides = Delegation {
        matter: None,
        tier: Tier::Village,
        area: county.hall.division(),
        rights: Rights { receive: true, accept: true, transfer: false, issue: false },
        valid_from: 0,
        valid_to: WALL * 2,
        source: String::new(),
        verified: false,
    };
    let forged = Signed::sign(&entry(own("FORGED")), &[(0, &secret(99))]);
    let bad = [entry(late), entry(elsewhere), first(by, Body::Delegation(decides))];
    let mut records: Vec<_> = bad.iter().map(signed).collect();
    records.push(forged);
    let push = |records| Message::Records { space: Space::Lists, records, why: Why::Push };
    deliver(&mut city, COUNTY, VILLAGE, &push(records));
    city.run();
    for index in ALL {
        assert_eq!(before, query::roots(&city.halls[index].rows), "hall {index}");
    }
    deliver(&mut city, COUNTY, VILLAGE, &push(vec![signed(&good)]));
    city.run();
    assert!(equal(&city, &ALL));
    assert_ne!(before, query::roots(&city.halls[VILLAGE].rows), "what is good is taken up by the same way");
}
