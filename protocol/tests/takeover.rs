//! A hall is lost for good: by a ruling of a hall above, another one goes on in its place; nobody else does.
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
    HERE, accepted_in_the_county, by_root, city_of_two_clerks, closed, custodians, declare, events, fold,
    other_county_takes_over, recorded, revoked, sound, stage,
};
use common::{CITY, COUNTY, City, OTHER_COUNTY, Rows, TOWN, VILLAGE, WALL, charter, first, secret};
use hallmesh_protocol::cases::{
    Case, Deed, Facts, Header, Position, Question, Reason, ReceiptKind, Refusal, SignedEvent, Stage, State,
    route,
};
use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::clerks::NotEntitled;
use hallmesh_protocol::directory::{
    Declaration, Destruction, Directory, NotDeclared, Revocation, RevocationReason, Ruling,
};
use hallmesh_protocol::genesis;
use hallmesh_protocol::ids::{CaseId, ClerkId, Digest, HallAt};
use hallmesh_protocol::message::Message;
use hallmesh_protocol::post::{self, Letter, LetterBody};
use hallmesh_protocol::query;
use hallmesh_protocol::record::{Body, Issuer, Record};
use hallmesh_protocol::seal::wrap_keypair;
use hallmesh_protocol::signed::Signed;
use hallmesh_protocol::step::{Command, Reply};
use hallmesh_protocol::verify;

#[test]
fn what_a_lost_hall_had_in_hand_is_decided_elsewhere_and_delivered_at_the_window() {
    let mut city = city_of_two_clerks();
    let case = accepted_in_the_county(&mut city);
    closed(&mut city, CITY, COUNTY);
    assert_eq!(custodians(&city, case), [COUNTY], "nobody goes on without a ruling");
    other_county_takes_over(&mut city);
    assert_eq!(stage(&city, OTHER_COUNTY, case), Stage::Custodian);
    assert_eq!(events(&city, OTHER_COUNTY, case), ["receive", "transfer", "take", "accept", "succeed"]);
    let heir = city.halls[OTHER_COUNTY].at.hall;
    assert_eq!(fold(&city, OTHER_COUNTY, case).competent, heir);
    recorded(&mut city, OTHER_COUNTY, case, Deed::GRANT);
    city.run();
    recorded(&mut city, VILLAGE, case, Deed::Deliver);
    assert_eq!(fold(&city, VILLAGE, case).state, State::Delivered);
    sound(&city);
}

#[test]
fn what_was_on_its_way_to_a_lost_hall_is_taken_elsewhere_and_its_giver_let_go() {
    let mut city = city_of_two_clerks();
    city.cut(COUNTY);
    let case = city.received(VILLAGE, "COUNTY-1", HERE);
    city.run_seconds(30);
    assert_eq!(stage(&city, VILLAGE, case), Stage::Handing);
    closed(&mut city, CITY, COUNTY);
    other_county_takes_over(&mut city);
    assert_eq!(custodians(&city, case), [OTHER_COUNTY]);
    assert_eq!(stage(&city, VILLAGE, case), Stage::Released);
    // The village could read it, and has given its key on.
    assert!(query::is_wrapped(&city.halls[OTHER_COUNTY].rows, case, city.halls[OTHER_COUNTY].at));
    sound(&city);
}

#[test]
fn the_giver_of_what_a_lost_hall_was_to_take_asks_its_heir_until_it_is_let_go() {
    let mut city = city_of_two_clerks();
    city.cut(COUNTY);
    let case = city.received(VILLAGE, "COUNTY-1", HERE);
    city.run_seconds(30);
    closed(&mut city, CITY, COUNTY);
    // The heir's word that it has the case is lost, as often as it is not asked for.
    let giver = city.halls[VILLAGE].at.hall;
    city.bend = Box::new(move |_, _, message| {
        let Message::Letter(Letter { to, body: LetterBody::Receipt(said), .. }) = message else {
            return true;
        };
        *to != giver || said.peek().map(|said| said.kind) != Ok(ReceiptKind::Mirrored)
    });
    other_county_takes_over(&mut city);
    assert_eq!((custodians(&city, case), stage(&city, VILLAGE, case)), (vec![OTHER_COUNTY], Stage::Handing));
    city.bend = Box::new(|_, _, _| true);
    city.run_seconds(120);
    assert_eq!(stage(&city, VILLAGE, case), Stage::Released);
    let waits = post::destinations(&city.halls[VILLAGE].rows, None, 9);
    assert!(waits.iter().all(|it| it.to != city.halls[COUNTY].at.hall), "{waits:?}");
    sound(&city);
}

#[test]
fn what_had_to_come_back_to_a_lost_window_is_reassigned_and_delivered_elsewhere() {
    let mut city = city_of_two_clerks();
    let case = city.received(COUNTY, "CITY-1", HERE);
    city.run();
    recorded(&mut city, CITY, case, Deed::Accept);
    closed(&mut city, CITY, COUNTY);
    recorded(&mut city, CITY, case, Deed::GRANT);
    city.run();
    assert_eq!(custodians(&city, case), [CITY], "there is nobody to hand it to");
    other_county_takes_over(&mut city);
    assert_eq!(custodians(&city, case), [OTHER_COUNTY]);
    assert!(events(&city, OTHER_COUNTY, case).ends_with(&["decide", "reassign", "transfer", "take"]));
    recorded(&mut city, OTHER_COUNTY, case, Deed::Deliver);
    sound(&city);
}

/// Lets through only some of what the city writes about cases.
fn heard_of_the_city(city: &mut City, lets: fn(&LetterBody) -> bool) {
    let from = city.halls[CITY].at.hall;
    city.bend = Box::new(move |_, _, message| {
        let Message::Letter(letter) = message else { return true };
        letter.from.hall != from || lets(&letter.body)
    });
}

#[test]
fn who_hands_over_for_a_lost_hall_asks_no_more_when_the_case_was_on_its_way_back() {
    let mut city = city_of_two_clerks();
    heard_of_the_city(&mut city, |body| matches!(body, LetterBody::Receipt(_)));
    let case = city.received(COUNTY, "CITY-1", HERE);
    city.run();
    recorded(&mut city, CITY, case, Deed::Accept);
    city.cut(COUNTY);
    recorded(&mut city, CITY, case, Deed::GRANT);
    closed(&mut city, CITY, COUNTY);
    other_county_takes_over(&mut city);
    assert_eq!(stage(&city, OTHER_COUNTY, case), Stage::Handing, "it has heard of the way there only");
    heard_of_the_city(&mut city, |body| matches!(body, LetterBody::Receipt(_) | LetterBody::Copy(_)));
    city.run_seconds(120);
    heard_of_the_city(&mut city, |_| true);
    city.run_seconds(120);
    assert_eq!(custodians(&city, case), [OTHER_COUNTY]);
    let waits = post::destinations(&city.halls[OTHER_COUNTY].rows, None, 9);
    assert!(waits.iter().all(|it| it.to == city.halls[COUNTY].at.hall), "{waits:?}");
    sound(&city);
}

#[test]
fn new_cases_go_to_whoever_acts_in_the_place_of_a_lost_hall() {
    let mut city = city_of_two_clerks();
    closed(&mut city, CITY, COUNTY);
    assert!(matches!(city.receive(VILLAGE, "COUNTY-1", HERE), Reply::Refused(Refusal::Route(_))));
    other_county_takes_over(&mut city);
    let question = Question {
        matter: "COUNTY-1".parse().unwrap(),
        receiving: city.halls[VILLAGE].at.hall,
        place: HERE.to_string().parse().unwrap(),
        wall: city.now.wall,
    };
    let found = route(&city.halls[VILLAGE].rows, &question).expect("there is a way");
    assert!(found.reasons.contains(&Reason::InPlaceOf { hall: city.halls[COUNTY].at.hall }));
    let case = city.received(VILLAGE, "COUNTY-1", HERE);
    city.run();
    assert_eq!(custodians(&city, case), [OTHER_COUNTY]);
}

#[test]
fn losses_that_overlap_wait_until_the_disk_of_the_mirror_is_declared_destroyed() {
    let mut city = city_of_two_clerks();
    let case = accepted_in_the_county(&mut city);
    let mirrors = fold(&city, COUNTY, case).mirrors.map(|mirror| mirror.expect("two mirrors"));
    let lost = mirrors.into_iter().find(|mirror| mirror.hall != city.halls[CITY].at.hall).expect("a sibling");
    assert_eq!(city.index(lost.hall), OTHER_COUNTY);
    // Both at once: nobody has named another mirror.
    city.cut(COUNTY);
    closed(&mut city, CITY, OTHER_COUNTY);
    closed(&mut city, CITY, COUNTY);
    let (of, to) = (city.halls[COUNTY].at, city.halls[TOWN].at.hall);
    assert_eq!(declare(&mut city, CITY, Declaration::TakeOver { of, to }), Reply::Published { records: 1 });
    city.run_seconds(120);
    assert_eq!(stage(&city, TOWN, case), Stage::Recovering);
    let town = &city.halls[TOWN];
    assert_eq!(query::recovery_waits_for(&town.rows, town.at, &fold(&city, TOWN, case)), [lost]);
    let reply = declare(&mut city, CITY, Declaration::Destroyed { of: lost });
    assert_eq!(reply, Reply::Published { records: 1 });
    city.run_seconds(120);
    assert_eq!(
        custodians(&city, case).into_iter().filter(|index| *index != COUNTY).collect::<Vec<_>>(),
        [TOWN]
    );
    sound(&city);
}

#[test]
fn the_root_rules_when_the_city_itself_is_lost() {
    let mut city = City::new();
    let case = city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    recorded(&mut city, CITY, case, Deed::Accept);
    city.run();
    city.cut(CITY);
    let (of, to) = (city.halls[CITY].at, city.halls[COUNTY].at.hall);
    let transport_key = Directory::new(&city.halls[COUNTY].rows).life(of).unwrap().transport_key;
    let (reason, since) = (RevocationReason::Closed, WALL);
    let bodies = [
        Body::Revocation(Revocation { at: of, transport_key, reason, since }),
        Body::Ruling(Ruling { of, to, by: None, wall: WALL }),
    ];
    let signed = bodies.map(|body| by_root(&city, body)).to_vec();
    let (records, refused) = verify::records(&city.halls[VILLAGE].rows, signed);
    assert_eq!(refused, 0);
    city.command(VILLAGE, Command::Admit(records));
    city.run_seconds(120);
    assert_eq!(stage(&city, COUNTY, case), Stage::Custodian);
    recorded(&mut city, COUNTY, case, Deed::GRANT);
    city.run();
    assert_eq!(stage(&city, VILLAGE, case), Stage::Custodian);
}

#[test]
fn a_ruling_takes_two_persons_a_lost_hall_and_somebody_who_can() {
    let mut city = city_of_two_clerks();
    let (of, to) = (city.halls[COUNTY].at, city.halls[OTHER_COUNTY].at.hall);
    let take_over = Declaration::TakeOver { of, to };
    let declared = |reply| {
        let Reply::Refused(Refusal::Declaration(why)) = reply else { panic!("{reply:?}") };
        why
    };
    assert_eq!(declared(declare(&mut city, CITY, take_over)), NotDeclared::Lives(of));
    let destroyed = Declaration::Destroyed { of };
    assert_eq!(declared(declare(&mut city, CITY, destroyed)), NotDeclared::Lives(of));
    closed(&mut city, CITY, COUNTY);
    let alone = [city.act_of(CITY, 1), city.act_of(CITY, 1)];
    let reply = city.command(CITY, Command::Declare(alone, take_over));
    assert_eq!(reply, Reply::Refused(Refusal::Clerk(NotEntitled::OnePerson)));
    let itself = Declaration::TakeOver { of, to: of.hall };
    assert_eq!(declared(declare(&mut city, CITY, itself)), NotDeclared::Nobody(of.hall));
    city.add_clerk(VILLAGE, 2);
    let reply = declare(&mut city, VILLAGE, take_over);
    assert!(matches!(reply, Reply::Refused(Refusal::Record { why, .. }) if why == "out-of-scope"));
    other_county_takes_over(&mut city);
    assert_eq!(declared(declare(&mut city, CITY, take_over)), NotDeclared::Before);
    let town = Declaration::TakeOver { of, to: city.halls[TOWN].at.hall };
    assert_eq!(declared(declare(&mut city, CITY, town)), NotDeclared::Ruled(to));
    assert_eq!(declare(&mut city, CITY, destroyed), Reply::Published { records: 1 });
    assert_eq!(declared(declare(&mut city, CITY, destroyed)), NotDeclared::Before);
}

#[test]
fn what_the_lost_hall_had_decided_out_of_sight_is_kept_and_shown_and_changes_nothing() {
    let mut city = city_of_two_clerks();
    let case = accepted_in_the_county(&mut city);
    city.cut(COUNTY);
    recorded(&mut city, COUNTY, case, Deed::DENY);
    let (late, lost) = (query::file(&city.halls[COUNTY].rows, case), city.halls[COUNTY].at);
    closed(&mut city, CITY, COUNTY);
    other_county_takes_over(&mut city);
    let before = events(&city, OTHER_COUNTY, case);
    let (to, relay) = (city.halls[OTHER_COUNTY].at.hall, city.halls[CITY].at.hall);
    for body in [LetterBody::Copy(late.clone()), LetterBody::HandOver(late)] {
        let letter = Letter::write(lost, to, body);
        city.wires.push_back((relay, to, Message::Letter(letter).encode()));
    }
    city.run_seconds(10);
    assert_eq!(events(&city, OTHER_COUNTY, case), before);
    let orphans = query::orphans(&city.halls[OTHER_COUNTY].rows, case);
    let words = orphans.iter().map(|entry| entry.header.facts.word());
    assert!(words.clone().any(|word| word == "decide"), "{:?}", words.collect::<Vec<_>>());
    sound(&city);
}

#[test]
fn a_hall_that_goes_on_for_the_giver_takes_what_was_on_its_way_to_itself() {
    let mut city = city_of_two_clerks();
    let (county, town) = (city.halls[COUNTY].at.hall, city.halls[CITY].at.hall);
    // The city hears nothing of what the county hands over to it; another mirror does.
    city.bend = Box::new(move |from, to, message| {
        from != county || to != town || !matches!(message, Message::Letter(_))
    });
    let case = city.received(COUNTY, "CITY-1", HERE);
    city.run();
    assert_eq!(stage(&city, COUNTY, case), Stage::Handing);
    city.cut(COUNTY);
    city.bend = Box::new(|_, _, _| true);
    closed(&mut city, CITY, COUNTY);
    // It is delivered where the city's people stand, too: the city goes on for the county itself.
    let (of, to) = (city.halls[COUNTY].at, city.halls[CITY].at.hall);
    assert_eq!(declare(&mut city, CITY, Declaration::TakeOver { of, to }), Reply::Published { records: 1 });
    city.run();
    assert_eq!(stage(&city, CITY, case), Stage::Custodian, "{:?}", events(&city, CITY, case));
    sound(&city);
}

#[test]
fn a_later_life_of_a_hall_keeps_its_new_cases_from_whoever_took_the_old_ones_over() {
    let mut city = city_of_two_clerks();
    closed(&mut city, CITY, COUNTY);
    other_county_takes_over(&mut city);
    let before = city.halls[COUNTY].at;
    county_again(&mut city);
    let case = city.received(COUNTY, "COUNTY-1", HERE);
    city.run();
    let heir = city.halls[OTHER_COUNTY].at;
    for index in [CITY, COUNTY, TOWN] {
        let to = city.halls[index].at.hall;
        let letter = Letter::write(heir, to, LetterBody::AskFence { case, of: before });
        city.wires.push_back((heir.hall, to, Message::Letter(letter).encode()));
    }
    city.run();
    assert!(!query::is_wrapped(&city.halls[COUNTY].rows, case, heir), "it has no part in the case");
    assert!(query::case(&city.halls[OTHER_COUNTY].rows, case).is_none_or(|held| held.case.is_mirror(heir)));
    recorded(&mut city, COUNTY, case, Deed::Accept);
    city.run();
    assert!(events(&city, CITY, case).contains(&"accept"), "its mirrors record what it does");
}

/// A machine is set up for the county after all: its second life, with papers of the root.
fn county_again(city: &mut City) {
    let (_, wrap) = wrap_keypair(&mut Chance::from_seed([9; 32]));
    let mut next = charter(COUNTY, &wrap);
    next.incarnation = 2;
    (next.transport_key, next.event_key) = (secret(200).public(), secret(201).public());
    let at = next.at();
    let body = Body::Charter(Box::new(next));
    let root = [(0, &city.root[0]), (1, &city.root[1])];
    let record = Signed::sign(&first(Issuer::Root, body), &root);
    let (records, _) = verify::records(&city.halls[CITY].rows, vec![record]);
    city.command(CITY, Command::Admit(records));
    city.run();
    let papers = query::joining_records(&city.halls[CITY].rows, city.halls[CITY].at.hall, at);
    let (policy, rest) = (papers[0].clone(), papers[1..].to_vec());
    let mut rows = Rows::default();
    rows.apply(genesis::install(city.now, policy.digest(), &policy, rest, at).unwrap());
    rows.0.extend(city.halls[COUNTY].rows.clerk_rows());
    let hall = &mut city.halls[COUNTY];
    (hall.at, hall.rows, hall.seed) = (at, rows, 201);
    city.open(COUNTY);
    city.heal(COUNTY);
    city.run();
}

#[test]
fn all_that_waits_for_a_lost_hall_moves_however_much_it_is() {
    let mut city = city_of_two_clerks();
    let cases: Vec<CaseId> = (0..1_100).map(|_| city.received(COUNTY, "CITY-1", HERE)).collect();
    city.run_seconds(300);
    for case in &cases {
        recorded(&mut city, CITY, *case, Deed::Accept);
    }
    city.run_seconds(60);
    closed(&mut city, CITY, COUNTY);
    for case in &cases {
        recorded(&mut city, CITY, *case, Deed::GRANT);
    }
    other_county_takes_over(&mut city);
    city.run_seconds(600);
    let moved = cases.iter().filter(|case| stage(&city, OTHER_COUNTY, **case) == Stage::Custodian).count();
    assert_eq!(moved, cases.len());
}

#[test]
fn a_stolen_machine_hands_nothing_over_that_nobody_had_recorded() {
    let mut city = City::new();
    city.cut(VILLAGE);
    let case = city.received(VILLAGE, "COUNTY-1", HERE);
    let (made, thief) = (query::file(&city.halls[VILLAGE].rows, case), city.halls[VILLAGE].at);
    revoked(&mut city, CITY, VILLAGE, RevocationReason::Stolen);
    let (to, relay) = (city.halls[COUNTY].at.hall, city.halls[CITY].at.hall);
    let letter = Letter::write(thief, to, LetterBody::HandOver(made));
    city.wires.push_back((relay, to, Message::Letter(letter).encode()));
    city.run_seconds(30);
    assert!(query::case(&city.halls[COUNTY].rows, case).is_none(), "a thief makes no case");
}

/// A record as the city would sign it, whoever declares.
fn by_the_city(city: &City, body: Body) -> Signed<Record> {
    let issuer = Issuer::Hall(city.halls[CITY].at);
    Signed::sign(&first(issuer, body), &[(0, &secret(city.halls[CITY].seed))])
}

#[test]
fn a_ruling_that_two_persons_did_not_make_is_no_record() {
    let city = City::new();
    let (of, to) = (city.halls[COUNTY].at, city.halls[OTHER_COUNTY].at.hall);
    let clerk = |index: usize, number| ClerkId { hall: city.halls[index].at.hall, number };
    let wall = WALL;
    for by in [
        None,
        Some([clerk(CITY, 1), clerk(CITY, 1)]),
        Some([clerk(CITY, 1), clerk(CITY, 0)]),
        Some([clerk(CITY, 1), clerk(TOWN, 2)]),
    ] {
        for body in
            [Body::Ruling(Ruling { of, to, by, wall }), Body::Destruction(Destruction { of, by, wall })]
        {
            let mut city = City::new();
            let (records, refused) = verify::records(&city.halls[TOWN].rows, vec![by_the_city(&city, body)]);
            assert_eq!(refused, 0, "well signed");
            let reply = city.command(TOWN, Command::Admit(records));
            assert_eq!(reply, Reply::Admitted { records: 0, refused: 1 }, "{by:?}");
        }
    }
}

/// A hall that nobody has ruled to says that somebody has.
#[test]
fn nobody_takes_a_case_by_a_ruling_that_was_not_made() {
    let mut city = city_of_two_clerks();
    let case = accepted_in_the_county(&mut city);
    closed(&mut city, CITY, COUNTY);
    let thief = TOWN;
    let at = city.halls[thief].at;
    let mirror = city.index(fold(&city, COUNTY, case).mirrors[0].unwrap().hall);
    let held = fold(&city, mirror, case);
    let mut file = query::file(&city.halls[mirror].rows, case);
    file.events.push(succession(&city, &held, at));
    let to = city.halls[mirror].at.hall;
    let letter = Letter::write(at, to, LetterBody::Copy(file));
    city.wires.push_back((at.hall, to, Message::Letter(letter).encode()));
    city.run_seconds(10);
    assert!(!events(&city, mirror, case).contains(&"succeed"));
}

fn succession(city: &City, held: &Case, by: HallAt) -> SignedEvent {
    let mirrors = [Some(city.halls[CITY].at), None];
    let facts = Facts::Succeed { from: held.custodian, mirrors, ruling: Some(Digest([1; 32])) };
    let header = Header {
        suite: 0,
        case: held.id,
        position: Position { term: 1, epoch: held.position.epoch.saturating_add(1) },
        sequence: held.events,
        boot: 1,
        at: by,
        clerk: ClerkId { hall: by.hall, number: 0 },
        body: held.body,
        wall: WALL,
        suspect_time: false,
        matter: held.matter_version,
        calendar: held.calendar_version,
        previous: held.head,
        sealed: Digest([0; 32]),
        facts,
    };
    SignedEvent::sign(header, hallmesh_protocol::wire::Blob::default(), &secret(city.halls[TOWN].seed))
}
