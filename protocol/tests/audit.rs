//! What neighbours know of a hall's log, and what comes of a hall that forgets or says two things.
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

use common::{CITY, COUNTY, City, OTHER_COUNTY, Rows, TOWN, VILLAGE, secret};
use hallmesh_protocol::audit::{self, Checkpoint, Forked, NotProvable, NotProven, Wrong};
use hallmesh_protocol::cases::{Deed, Refusal, Stage};
use hallmesh_protocol::directory::Directory;
use hallmesh_protocol::ids::{CaseId, Digest, HallAt};
use hallmesh_protocol::message::Message;
use hallmesh_protocol::query;
use hallmesh_protocol::signed::Signed;
use hallmesh_protocol::step::{Bytes, Command, Happening, Input, Reply};
use hallmesh_protocol::verify;

const HERE: u64 = 620_702_203_200;
const LEAF: u8 = 0x50;
const SUBTREE: u8 = 0x51;
const EVENT: u8 = 0x21;

fn at(city: &City, index: usize) -> HallAt {
    city.halls[index].at
}

fn size(city: &City, index: usize) -> u64 {
    audit::size(&city.halls[index].rows, at(city, index))
}

fn witnessed(city: &City, by: usize, of: usize) -> Option<u64> {
    let witness = audit::witness(&city.halls[by].rows, at(city, of))?;
    Some(witness.checkpoint.peek().unwrap().size)
}

fn stage(city: &City, index: usize, case: CaseId) -> Stage {
    let view = query::case(&city.halls[index].rows, case);
    view.and_then(|view| view.custody).map_or(Stage::None, |custody| custody.stage)
}

fn is_rolled_back(city: &City, index: usize) -> bool {
    query::rolled_back(&city.halls[index].rows).is_some()
}

fn backup(city: &City, index: usize) -> Rows {
    Rows(city.halls[index].rows.0.clone())
}

/// Another disk is put into a hall's machine, which comes up again alone.
fn put_in(city: &mut City, index: usize, disk: &Rows) {
    city.cut(index);
    city.halls[index].node = None;
    city.halls[index].rows.0.clone_from(&disk.0);
    city.open(index);
    city.pass(5_000);
}

fn deliver(city: &mut City, from: usize, to: usize, message: &Message) {
    let (from, hall) = (at(city, from).hall, at(city, to).hall);
    if let Ok(message) = verify::message(&city.halls[to].rows, hall, message.clone()) {
        city.step(to, Input::Received { from, message });
    }
}

/// Checkpoints that a hall sends while this is in place are lost, but for what both say on contact.
fn keep_growth_secret(city: &mut City) {
    city.bend = Box::new(|_, _, message| !matches!(message, Message::Continued { .. }));
}

fn checkpoint(city: &City, of: usize, size: u64, root: [u8; 32]) -> Signed<Checkpoint> {
    let checkpoint = Checkpoint { at: at(city, of), size, root: Digest(root), wall: city.now.wall };
    Signed::sign(&checkpoint, &[(0, &secret(city.halls[of].seed))])
}

fn standing(mine: Signed<Checkpoint>) -> Message {
    Message::Standing { mine: Some(mine), yours: None, please: false }
}

#[test]
fn all_neighbours_remember_and_cosign_how_far_a_log_has_come() {
    let mut city = City::new();
    let case = city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    let leaves = size(&city, VILLAGE);
    assert!(leaves >= 2, "the receipt and the hand-over");
    for other in [CITY, COUNTY, OTHER_COUNTY, TOWN] {
        assert_eq!(witnessed(&city, other, VILLAGE), Some(leaves));
    }
    let rows = &city.halls[VILLAGE].rows;
    let cosigned = audit::cosignatures(rows, at(&city, VILLAGE));
    assert_eq!(cosigned.len(), 4);
    let root = audit::root(rows, at(&city, VILLAGE), leaves).unwrap();
    assert!(cosigned.iter().all(|it| it.cosignature.peek().unwrap().root == root));
    assert!(size(&city, TOWN) > 0, "a mirror's receipts are in its log");
    assert_eq!(stage(&city, CITY, case), Stage::Custodian);
}

#[test]
fn an_idle_city_says_nothing_more_about_logs() {
    let mut city = City::new();
    city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    city.run();
    let said = Rc::new(RefCell::new(0));
    let count = Rc::clone(&said);
    city.bend = Box::new(move |_, _, message| {
        let about =
            matches!(message, Message::Standing { .. } | Message::Continued { .. } | Message::Cosigned(_));
        *count.borrow_mut() += usize::from(about);
        true
    });
    city.run();
    assert_eq!(*said.borrow(), 0);
}

#[test]
fn a_repeated_statement_is_one_leaf() {
    let mut city = City::new();
    let copies = Rc::new(RefCell::new(Vec::new()));
    let kept = Rc::clone(&copies);
    let town = at(&city, TOWN).hall;
    city.bend = Box::new(move |from, to, message| {
        if let Message::Letter(letter) = message
            && letter.to == town
            && to == town
        {
            kept.borrow_mut().push((from, message.clone()));
        }
        true
    });
    city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    let before = size(&city, TOWN);
    let copies = copies.borrow().clone();
    assert!(!copies.is_empty());
    for (from, message) in copies {
        let from = city.index(from);
        city.pass(1_000);
        deliver(&mut city, from, TOWN, &message);
    }
    assert_eq!(size(&city, TOWN), before);
}

#[test]
fn a_hall_that_was_rolled_back_knows_it_at_the_first_contact_and_signs_nothing_more() {
    let mut city = City::new();
    let old = city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    city.deed(CITY, old, Deed::RequestCorrection);
    city.run();
    let disk = backup(&city, VILLAGE);
    city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    put_in(&mut city, VILLAGE, &disk);
    let leaves = size(&city, VILLAGE);
    city.heal(VILLAGE);
    city.drain();
    let found = query::rolled_back(&city.halls[VILLAGE].rows).expect("somebody has shown it");
    assert!(found.checkpoint.peek().unwrap().size > leaves);
    assert!(city.halls[VILLAGE].happened.iter().any(|it| matches!(it, Happening::RolledBack { .. })));
    // It is told by all, and notes it once.
    let told = city.halls[VILLAGE].happened.iter().filter(|it| matches!(it, Happening::RolledBack { .. }));
    assert_eq!(told.count(), 1);
    assert_eq!(city.receive(VILLAGE, "CITY-1", HERE), Reply::Refused(Refusal::RolledBack));
    assert_eq!(city.deed(VILLAGE, old, Deed::Supplement), Reply::Refused(Refusal::RolledBack));
    let advertise = Command::Advertise(vec!["/ip4/127.0.0.1/tcp/1".to_owned()]);
    assert_eq!(city.command(VILLAGE, advertise), Reply::Refused(Refusal::RolledBack));
    city.run();
    assert_eq!(size(&city, VILLAGE), leaves);
    // After a start it still knows.
    city.restart(VILLAGE);
    city.run();
    assert!(is_rolled_back(&city, VILLAGE));
    assert_eq!(city.receive(VILLAGE, "CITY-1", HERE), Reply::Refused(Refusal::RolledBack));
    assert_eq!(size(&city, VILLAGE), leaves);
}

#[test]
fn it_answers_for_no_case_and_takes_along_letters_of_others() {
    let mut city = City::new();
    city.received(TOWN, "CITY-1", HERE);
    city.run();
    let disk = backup(&city, TOWN);
    city.received(TOWN, "CITY-1", HERE);
    city.run();
    put_in(&mut city, TOWN, &disk);
    let (town, village) = (at(&city, TOWN).hall, at(&city, VILLAGE).hall);
    let said = Rc::new(RefCell::new(Vec::new()));
    let heard = Rc::clone(&said);
    // The village reaches the others by way of the township only.
    city.bend = Box::new(move |from, to, message| {
        if let (true, Message::Letter(letter)) = (from == town, message) {
            heard.borrow_mut().push(letter.from.hall);
        }
        (from != village || to == town) && (to != village || from == town)
    });
    city.heal(TOWN);
    city.run();
    assert!(is_rolled_back(&city, TOWN));
    let case = city.received(VILLAGE, "CITY-1", HERE);
    city.halls[VILLAGE].happened.clear();
    for other in [CITY, COUNTY, OTHER_COUNTY] {
        let hall = at(&city, other).hall;
        city.step(VILLAGE, Input::PeerDown(hall));
    }
    city.run();
    city.run();
    assert_eq!(stage(&city, CITY, case), Stage::Custodian, "the letters went through");
    assert!(!said.borrow().is_empty());
    assert!(said.borrow().iter().all(|writer| *writer != town), "none was its own");
    assert_eq!(stage(&city, TOWN, case), Stage::None);
}

#[test]
fn lists_and_directory_go_on_in_it() {
    let mut city = City::new();
    city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    let disk = backup(&city, VILLAGE);
    city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    put_in(&mut city, VILLAGE, &disk);
    city.heal(VILLAGE);
    city.run();
    assert!(is_rolled_back(&city, VILLAGE));
    let act = city.act(CITY);
    let matter = common::matter("NEW-1", hallmesh_protocol::ids::Tier::City);
    let body = hallmesh_protocol::record::Body::Matter(Box::new(matter));
    city.command(CITY, Command::Publish(act, vec![body]));
    city.run();
    assert_eq!(query::roots(&city.halls[VILLAGE].rows), query::roots(&city.halls[CITY].rows));
}

#[test]
fn a_clone_of_a_data_directory_is_found_out_whichever_goes_on_first() {
    let mut city = City::new();
    city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    let clone = backup(&city, VILLAGE);
    // Both sign, each on its own; the first is seen, then the clone, whose log is longer by then.
    city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    let seen = size(&city, VILLAGE);
    put_in(&mut city, VILLAGE, &clone);
    for _ in 0..3 {
        city.received(VILLAGE, "CITY-1", HERE);
    }
    assert!(size(&city, VILLAGE) > seen, "a longer log, and another one");
    city.heal(VILLAGE);
    city.drain();
    assert!(is_rolled_back(&city, VILLAGE));
    assert_eq!(witnessed(&city, TOWN, VILLAGE), Some(seen));
    assert_eq!(witnessed(&city, CITY, VILLAGE), Some(seen));
}

#[test]
fn nothing_is_said_of_a_case_before_both_have_said_how_their_logs_stand() {
    let mut city = City::new();
    city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    let disk = backup(&city, VILLAGE);
    city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    put_in(&mut city, VILLAGE, &disk);
    let case = city.received(VILLAGE, "CITY-1", HERE);
    let said = Rc::new(RefCell::new(0));
    let (heard, village) = (Rc::clone(&said), at(&city, VILLAGE).hall);
    city.bend = Box::new(move |from, _, message| {
        *heard.borrow_mut() += usize::from(from == village && matches!(message, Message::Letter(_)));
        true
    });
    city.heal(VILLAGE);
    city.run();
    assert_eq!(*said.borrow(), 0, "the case is taken along by nobody");
    assert_eq!(stage(&city, CITY, case), Stage::None);
}

#[test]
fn the_way_opens_though_the_first_words_about_logs_are_lost() {
    let mut city = City::new();
    city.cut(VILLAGE);
    let lost = Rc::new(RefCell::new(0));
    let count = Rc::clone(&lost);
    city.bend = Box::new(move |_, _, message| {
        let loses = matches!(message, Message::Standing { .. }) && *count.borrow() < 8;
        *count.borrow_mut() += usize::from(loses);
        !loses
    });
    city.heal(VILLAGE);
    let case = city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    assert_eq!(*lost.borrow(), 8);
    assert_eq!(stage(&city, CITY, case), Stage::Custodian);
}

#[test]
fn a_withheld_or_wrong_proof_is_not_cosigned() {
    let mut city = City::new();
    city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    let known = size(&city, VILLAGE);
    keep_growth_secret(&mut city);
    let case = city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    assert!(size(&city, VILLAGE) > known);
    assert_eq!(witnessed(&city, TOWN, VILLAGE), Some(known));
    let longer = checkpoint(&city, VILLAGE, known + 5, [7; 32]);
    deliver(&mut city, VILLAGE, TOWN, &standing(longer.clone()));
    assert_eq!(witnessed(&city, TOWN, VILLAGE), Some(known), "no proof came with it");
    let wrong = Message::Continued { checkpoint: longer, from: known, path: vec![Digest([1; 32]); 3] };
    deliver(&mut city, VILLAGE, TOWN, &wrong);
    assert_eq!(witnessed(&city, TOWN, VILLAGE), Some(known), "the proof does not hold");
    assert_eq!(stage(&city, CITY, case), Stage::Custodian, "cases do not wait for it");
}

#[test]
fn somebody_elses_checkpoint_and_a_forged_one_are_not_taken() {
    let mut city = City::new();
    let forged = Checkpoint { at: at(&city, VILLAGE), size: 9, root: Digest([7; 32]), wall: 0 };
    let forged = Signed::sign(&forged, &[(0, &secret(city.halls[TOWN].seed))]);
    let message = standing(forged);
    assert!(verify::message(&city.halls[CITY].rows, at(&city, CITY).hall, message).is_err());
    let of_village = checkpoint(&city, VILLAGE, 9, [7; 32]);
    deliver(&mut city, TOWN, CITY, &standing(of_village.clone()));
    assert_eq!(witnessed(&city, CITY, VILLAGE), None);
    // Nor can a neighbour end a hall's life with a word of another hall.
    let shown =
        Message::Standing { mine: None, yours: Some(checkpoint(&city, TOWN, 9, [7; 32])), please: false };
    deliver(&mut city, TOWN, VILLAGE, &shown);
    assert!(!is_rolled_back(&city, VILLAGE));
    // With its own word it can, for that is true.
    let shown = Message::Standing { mine: None, yours: Some(of_village), please: false };
    deliver(&mut city, TOWN, VILLAGE, &shown);
    assert!(is_rolled_back(&city, VILLAGE));
}

#[test]
fn two_roots_over_one_size_are_a_fork_that_all_halls_hear_of() {
    let mut city = City::new();
    city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    let known = size(&city, VILLAGE);
    let other = checkpoint(&city, VILLAGE, known, [7; 32]);
    deliver(&mut city, VILLAGE, TOWN, &standing(other));
    city.run();
    for hall in &city.halls {
        let forks = audit::known_forks(&hall.rows, 10);
        assert_eq!(forks.len(), 1, "{}", hall.at);
        let (of, forked, fork, _) = &forks[0];
        assert_eq!((*of, *forked), (at(&city, VILLAGE), Forked::Log { size: known }));
        let card = Directory::new(&hall.rows).card(*of).unwrap();
        assert_eq!(fork.verify(&card.event_key), Ok(()));
        assert!(fork.verify(&secret(1).public()).is_err());
    }
    assert!(city.halls[TOWN].happened.contains(&Happening::Forked(at(&city, VILLAGE))));
}

#[test]
fn two_events_in_one_place_are_a_fork_that_all_halls_hear_of() {
    let mut city = City::new();
    let case = city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    city.deed(CITY, case, Deed::RequestCorrection);
    city.run();
    let disk = backup(&city, VILLAGE);
    keep_growth_secret(&mut city);
    city.deed(VILLAGE, case, Deed::Supplement);
    city.run();
    put_in(&mut city, VILLAGE, &disk);
    assert!(matches!(city.deed(VILLAGE, case, Deed::Supplement), Reply::Recorded { .. }));
    city.heal(VILLAGE);
    city.run();
    assert!(!is_rolled_back(&city, VILLAGE), "nobody knew more than it does");
    let sequence = query::case(&city.halls[VILLAGE].rows, case).unwrap().case.events - 2;
    for hall in &city.halls {
        let forks = audit::known_forks(&hall.rows, 10);
        let found: Vec<_> = forks.iter().map(|(of, forked, ..)| (*of, *forked)).collect();
        assert_eq!(found, [(at(&city, VILLAGE), Forked::Case { case, sequence })], "{}", hall.at);
    }
    let all = query::roots(&city.halls[CITY].rows);
    assert!(city.halls.iter().all(|hall| query::roots(&hall.rows) == all));
}

#[test]
fn a_record_that_proves_nothing_is_not_taken_up() {
    use hallmesh_protocol::audit::Fork;
    use hallmesh_protocol::record::{Body, Issuer};
    let mut city = City::new();
    let (one, other) = (checkpoint(&city, VILLAGE, 9, [7; 32]), checkpoint(&city, VILLAGE, 9, [8; 32]));
    let elsewhere = checkpoint(&city, VILLAGE, 10, [8; 32]);
    let forged = Checkpoint { at: at(&city, VILLAGE), size: 9, root: Digest([8; 32]), wall: 0 };
    let forged = Signed::sign(&forged, &[(0, &secret(city.halls[TOWN].seed))]);
    let mut taken = |one: &Signed<Checkpoint>, other: &Signed<Checkpoint>| {
        let fork = Fork::of_checkpoints(one.clone(), other.clone());
        let record = common::first(Issuer::Hall(at(&city, TOWN)), Body::Fork(Box::new(fork)));
        let record = Signed::sign(&record, &[(0, &secret(city.halls[TOWN].seed))]);
        let (records, _) = verify::records(&city.halls[CITY].rows, vec![record]);
        city.command(CITY, Command::Admit(records))
    };
    let nothing = Reply::Admitted { records: 0, refused: 0 };
    assert_eq!(taken(&one, &one), nothing);
    assert_eq!(taken(&one, &elsewhere), nothing);
    assert_eq!(taken(&one, &forged), nothing);
    assert_eq!(taken(&one, &other), Reply::Admitted { records: 1, refused: 0 });
}

#[test]
fn an_event_is_proved_under_the_cosigned_checkpoint_and_a_changed_proof_is_none() {
    let mut city = City::new();
    let case = city.received(VILLAGE, "CITY-1", HERE);
    let unseen = audit::prove(&city.halls[VILLAGE].rows, at(&city, VILLAGE), case, 0);
    assert_eq!(unseen.err(), Some(NotProvable::NotYet));
    city.run();
    for _ in 0..5 {
        city.received(VILLAGE, "CITY-1", HERE);
    }
    city.run();
    let rows = &city.halls[VILLAGE].rows;
    let proof = audit::prove(rows, at(&city, VILLAGE), case, 1).unwrap();
    // Whoever has the directory can check it, whatever hall that is.
    let directory = Directory::new(&city.halls[OTHER_COUNTY].rows);
    assert_eq!(proof.verify(&directory).unwrap().len(), 4);
    assert_eq!(audit::Inclusion::decode(&proof.encode()).unwrap(), proof);
    let mut moved = proof.clone();
    moved.place += 1;
    assert_eq!(moved.verify(&directory), Err(NotProven::Path));
    let mut bent = proof.clone();
    bent.path[0].0[0] ^= 1;
    assert_eq!(bent.verify(&directory), Err(NotProven::Path));
    let mut other = proof.clone();
    other.event = audit::prove(rows, at(&city, VILLAGE), case, 0).unwrap().event;
    assert_eq!(other.verify(&directory), Err(NotProven::Path));
    let mut foreign = proof.clone();
    foreign.checkpoint = checkpoint(&city, TOWN, 9, [7; 32]);
    assert!(foreign.verify(&directory).is_err());
    let elsewhere = audit::prove(&city.halls[CITY].rows, at(&city, CITY), case, 0);
    assert_eq!(elsewhere.err(), Some(NotProvable::Elsewhere(at(&city, VILLAGE))));
    let unknown = audit::prove(rows, at(&city, VILLAGE), case, 99);
    assert_eq!(unknown.err(), Some(NotProvable::UnknownEvent));
}

/// A row of a table, its last byte changed.
fn tamper(city: &mut City, index: usize, table: u8, nth: usize) {
    let rows = &mut city.halls[index].rows.0;
    let key = rows.keys().filter(|key| key[0] == table).nth(nth).unwrap().clone();
    let mut value = rows[&key].to_vec();
    *value.last_mut().unwrap() ^= 1;
    rows.insert(key, Bytes::from(value));
}

#[test]
fn the_first_place_that_was_changed_is_named() {
    let mut city = City::new();
    for _ in 0..9 {
        city.received(VILLAGE, "CITY-1", HERE);
    }
    city.run();
    let (hall, leaves) = (at(&city, VILLAGE), size(&city, VILLAGE));
    let checked = |city: &City| audit::recheck(&city.halls[VILLAGE].rows, hall, 0, 1_000);
    assert_eq!((checked(&city).checked, checked(&city).wrong), (leaves, None));
    // Page by page it is the same.
    let pages = (0..leaves).map(|from| audit::recheck(&city.halls[VILLAGE].rows, hall, from, 1));
    assert!(pages.into_iter().all(|page| page.wrong.is_none()));
    let whole = backup(&city, VILLAGE);

    // Every second event is a hand-over, which has no body: its row cannot even be read any more.
    for nth in [2, 3] {
        tamper(&mut city, VILLAGE, EVENT, nth);
        let (place, wrong, leaf) = checked(&city).wrong.unwrap();
        assert_eq!(wrong, Wrong::EventChanged);
        let key: Vec<u8> = whole.0.keys().filter(|key| key[0] == EVENT).nth(nth).unwrap().clone();
        assert_eq!(leaf.unwrap().of.case().unwrap().0, key[1..17]);
        assert_eq!(audit::leaf(&city.halls[VILLAGE].rows, hall, place), leaf);
        city.halls[VILLAGE].rows.0.clone_from(&whole.0);
    }

    tamper(&mut city, VILLAGE, SUBTREE, 1);
    assert_eq!(checked(&city).wrong.map(|(place, wrong, _)| (place, wrong)), Some((3, Wrong::Hash)));
    city.halls[VILLAGE].rows.0.clone_from(&whole.0);

    let fifth = whole.0.keys().filter(|key| key[0] == LEAF).nth(5).unwrap();
    city.halls[VILLAGE].rows.0.remove(fifth);
    assert_eq!(checked(&city).wrong, Some((5, Wrong::LeafMissing, None)));
    city.halls[VILLAGE].rows.0.clone_from(&whole.0);

    // Rows from before, but for what was signed since: no hash is wrong, and yet it is found.
    city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    let newer = backup(&city, VILLAGE);
    city.halls[VILLAGE].rows.0.clone_from(&whole.0);
    for (key, value) in newer.0.iter().filter(|(key, _)| [0x54, 0x55].contains(&key[0])) {
        city.halls[VILLAGE].rows.0.insert(key.clone(), value.clone());
    }
    assert_eq!(checked(&city).wrong, Some((leaves, Wrong::Shorter, None)));
}
