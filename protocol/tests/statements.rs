//! What a hall states about a case that another has in hand: it gets there, counts from its date, and is answered once.
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

use common::custody::{HERE, accepted_in_the_county, custodians, events, fold, recorded, sound, stage};
use common::{CITY, COUNTY, City, OTHER_COUNTY, TOWN, VILLAGE, secret};
use hallmesh_protocol::cases::{
    Answered, Cited, Closing, Deed, Dismissal, Enclosed, Facts, Header, Outcome, Record as RecordAct,
    Refusal, SignedEvent, Stage, State, Statement, StatementKind, Stating,
};
use hallmesh_protocol::ids::{CaseId, CaseNumber, ClerkId, Digest};
use hallmesh_protocol::limits::{RESTATE_MS, STATEMENTS_WAITING_MAX};
use hallmesh_protocol::message::Message;
use hallmesh_protocol::parcels::{self, Bound, Next, Parcel};
use hallmesh_protocol::post::{Letter, LetterBody, waiting};
use hallmesh_protocol::query;
use hallmesh_protocol::recording::{Recording, Replay};
use hallmesh_protocol::signed::Signed;
use hallmesh_protocol::step::{Command, Happening, Reply};
use hallmesh_protocol::verify;

impl City {
    /// A hall states something about a case.
    fn state(&mut self, index: usize, number: CaseNumber, kind: StatementKind) -> Reply {
        let act = self.act(index);
        let sealed = self.application("CITY-1", HERE).case.0.to_vec().into();
        let wanted = Stating { number, kind, key: None, sealed, wraps: Vec::new() };
        self.command(index, Command::State(act, Box::new(wanted)))
    }

    /// What is stated about a case and waits at a hall.
    fn waiting(&self, index: usize, number: CaseNumber) -> Vec<(Digest, Signed<Statement>)> {
        let open = query::open_statements(&self.halls[index].rows, 1_000).into_iter();
        let of_case = open.filter(|(it, _, _, here)| *it == number && *here);
        of_case.map(|(_, of, kept, _)| (of, kept.signed)).collect()
    }

    /// Includes a statement, or dismisses it for a reason.
    fn answer(&mut self, index: usize, case: CaseId, of: Digest, why: Option<Dismissal>) -> Reply {
        let held = query::case(&self.halls[index].rows, case).unwrap().case;
        let waiting = self.waiting(index, held.number);
        let statement = waiting.into_iter().find(|(it, _)| *it == of).expect("it waits").1;
        let cited = statement.peek().unwrap().cited(of);
        let deed = why.map_or(Deed::Include(cited), |why| Deed::Dismiss(cited, why));
        let body = Enclosed { statement, note: vec![9].into() }.encode();
        let act = self.act(index);
        self.command(index, Command::Record(act, Box::new(RecordAct { case, deed, key: held.key(), body })))
    }
}

fn number(city: &City, index: usize, case: CaseId) -> CaseNumber {
    fold(city, index, case).number
}

fn stated(city: &mut City, index: usize, number: CaseNumber, kind: StatementKind) -> Digest {
    match city.state(index, number, kind) {
        Reply::Stated { statement, .. } => statement,
        other => panic!("{other:?}"),
    }
}

/// What a hall has heard last of what it has stated.
fn outcome(city: &City, index: usize, number: CaseNumber, of: Digest) -> Option<Outcome> {
    let kept = query::statements(&city.halls[index].rows, number).into_iter().find(|(it, _)| *it == of);
    kept.and_then(|(_, kept)| kept.heard).map(|(outcome, ..)| outcome)
}

fn letters_about_statements(city: &City, index: usize) -> usize {
    waiting(&city.halls[index].rows, 1_000).iter().filter(|it| it.what.word() == "statement").count()
}

/// An hour passes, with the heartbeats that fall into it.
fn an_hour(city: &mut City) {
    city.pass(RESTATE_MS - 60_000);
    city.run();
}

#[test]
fn a_withdrawal_stated_at_the_village_ends_the_case_in_the_county() {
    let mut city = City::new();
    let case = accepted_in_the_county(&mut city);
    let number = number(&city, VILLAGE, case);
    let of = stated(&mut city, VILLAGE, number, StatementKind::Withdrawal);
    let at = city.now.wall;
    city.run();
    assert_eq!(city.waiting(COUNTY, number).len(), 1);
    assert_eq!(outcome(&city, VILLAGE, number, of), Some(Outcome::Waiting));
    assert!(city.halls[COUNTY].happened.contains(&Happening::StatementWaits(number)));
    assert_eq!(letters_about_statements(&city, VILLAGE), 0, "it is not sent again and again");
    let refused = city.deed(COUNTY, case, Deed::GRANT);
    assert_eq!(refused, Reply::Refused(Refusal::StatementWaits(of)), "first it is answered");
    let reply = city.answer(COUNTY, case, of, None);
    assert!(matches!(reply, Reply::Recorded { .. }), "{reply:?}");
    city.run();
    let fold = fold(&city, VILLAGE, case);
    assert_eq!((fold.state, fold.ended.unwrap().claimed), (State::Closed, at), "from the day it was stated");
    let [Answered { cited, dismissed: None, .. }] = fold.statements.as_slice() else { panic!() };
    assert_eq!((cited.statement, cited.by), (of, city.halls[VILLAGE].at));
    assert_eq!(outcome(&city, VILLAGE, number, of), Some(Outcome::Included));
    assert!(city.halls[VILLAGE].happened.contains(&Happening::StatementAnswered(number)));
    assert_eq!(custodians(&city, case), [VILLAGE], "the notice goes back to the window");
    assert!(city.waiting(COUNTY, number).is_empty());
    sound(&city);
}

#[test]
fn a_window_that_does_not_know_the_case_states_by_its_number_and_hears_what_came_of_it() {
    let mut city = City::new();
    let case = accepted_in_the_county(&mut city);
    let number = number(&city, VILLAGE, case);
    assert!(query::case(&city.halls[OTHER_COUNTY].rows, case).is_none_or(|it| it.custody.unwrap().mirror));
    let of = stated(&mut city, TOWN, number, StatementKind::Urging);
    city.run();
    assert_eq!(city.waiting(COUNTY, number).len(), 1, "by the hall that gave the number");
    assert!(
        query::statements(&city.halls[VILLAGE].rows, number).is_empty(),
        "which passes it on and is done"
    );
    let reply = city.answer(COUNTY, case, of, Some(Dismissal::NotOfTheCase));
    assert!(matches!(reply, Reply::Recorded { .. }), "{reply:?}");
    city.run();
    assert_eq!(outcome(&city, TOWN, number, of), Some(Outcome::Dismissed(Dismissal::NotOfTheCase)));
    let answered = fold(&city, COUNTY, case).statements;
    assert_eq!(answered.first().map(|it| it.dismissed), Some(Some(Dismissal::NotOfTheCase)));
    assert_eq!(fold(&city, COUNTY, case).state, State::Accepted, "nothing else has changed");
    sound(&city);
}

#[test]
fn what_waits_follows_the_case_when_it_goes_on() {
    let mut city = City::new();
    let case = city.received(VILLAGE, "COUNTY-1", HERE);
    city.run();
    let number = number(&city, VILLAGE, case);
    recorded(&mut city, COUNTY, case, Deed::Accept);
    city.run();
    let of = stated(&mut city, TOWN, number, StatementKind::Urging);
    city.run();
    assert_eq!(city.waiting(COUNTY, number).len(), 1);
    recorded(&mut city, COUNTY, case, Deed::GRANT);
    city.run();
    assert_eq!(custodians(&city, case), [VILLAGE]);
    assert!(query::statements(&city.halls[COUNTY].rows, number).is_empty(), "it has gone along");
    assert_eq!(city.waiting(VILLAGE, number).len(), 1);
    assert!(matches!(city.answer(VILLAGE, case, of, None), Reply::Recorded { .. }));
    city.run();
    assert_eq!(outcome(&city, TOWN, number, of), Some(Outcome::Included));
    // Of a case that was handed out it was delivered elsewhere: the window takes that up, too.
    let of = stated(&mut city, TOWN, number, StatementKind::Delivery);
    city.run();
    assert!(matches!(city.answer(VILLAGE, case, of, None), Reply::Recorded { .. }));
    city.run();
    assert_eq!(fold(&city, VILLAGE, case).state, State::Delivered);
    sound(&city);
}

#[test]
fn a_statement_that_comes_while_the_case_is_on_its_way_waits_for_it() {
    let mut city = City::new();
    let case = accepted_in_the_county(&mut city);
    let number = number(&city, VILLAGE, case);
    city.cut(VILLAGE);
    recorded(&mut city, COUNTY, case, Deed::GRANT);
    city.run();
    assert_eq!(stage(&city, COUNTY, case), Stage::Handing);
    let of = stated(&mut city, COUNTY, number, StatementKind::Urging);
    city.run();
    assert_eq!(letters_about_statements(&city, COUNTY), 0, "it goes when the case has arrived");
    city.heal(VILLAGE);
    city.run();
    assert_eq!(city.waiting(VILLAGE, number).len(), 1);
    assert!(matches!(city.answer(VILLAGE, case, of, None), Reply::Recorded { .. }));
    city.run();
    assert_eq!(outcome(&city, COUNTY, number, of), Some(Outcome::Included));
}

#[test]
fn a_supplement_stated_within_its_term_counts_and_is_not_passed_over() {
    let mut city = City::new();
    let case = city.received(VILLAGE, "COUNTY-1", HERE);
    city.run();
    let number = number(&city, VILLAGE, case);
    recorded(&mut city, COUNTY, case, Deed::RequestCorrection);
    city.run();
    assert_eq!(custodians(&city, case), [VILLAGE]);
    let of = stated(&mut city, TOWN, number, StatementKind::Supplement);
    let at = city.now.wall;
    city.run();
    city.pass(90 * 24 * 3_600_000);
    city.run();
    let closed = city.deed(VILLAGE, case, Deed::Close(Closing::NotSupplemented));
    assert_eq!(closed, Reply::Refused(Refusal::StatementWaits(of)));
    assert!(matches!(city.answer(VILLAGE, case, of, None), Reply::Recorded { .. }));
    city.run();
    let fold = fold(&city, COUNTY, case);
    assert_eq!((fold.state, custodians(&city, case)), (State::Supplemented, vec![COUNTY]));
    assert_eq!(fold.asked.unwrap().to.unwrap().legal, at, "it was there in time");
}

#[test]
fn a_supplement_is_dated_no_earlier_than_it_was_asked_for() {
    let mut city = City::new();
    let case = city.received(VILLAGE, "COUNTY-1", HERE);
    city.run();
    let number = number(&city, VILLAGE, case);
    recorded(&mut city, COUNTY, case, Deed::RequestCorrection);
    city.run();
    city.cut(TOWN);
    city.halls[TOWN].off = -7 * 365 * 24 * 3_600_000;
    city.open(TOWN);
    let of = stated(&mut city, TOWN, number, StatementKind::Supplement);
    city.heal(TOWN);
    city.run();
    assert!(matches!(city.answer(VILLAGE, case, of, None), Reply::Recorded { .. }));
    city.run();
    let fold = fold(&city, COUNTY, case);
    let (asked, since) = (fold.asked.unwrap(), fold.notices.last().unwrap().from);
    assert!(since.claimed < asked.from.legal, "it was dated years before");
    assert!(since.legal >= asked.from.legal && asked.to.unwrap().legal >= asked.from.legal);
    recorded(&mut city, COUNTY, case, Deed::RequestCorrection);
}

#[test]
fn strangers_are_refused_and_the_hall_above_may_urge() {
    let mut city = City::new();
    let case = city.received(COUNTY, "COUNTY-1", HERE);
    city.run();
    let number = number(&city, COUNTY, case);
    // The city's hall is above, and no window for this matter.
    let of = stated(&mut city, CITY, number, StatementKind::Withdrawal);
    city.run();
    assert_eq!(outcome(&city, CITY, number, of), Some(Outcome::NotYours));
    assert!(city.waiting(COUNTY, number).is_empty());
    let urging = stated(&mut city, CITY, number, StatementKind::Urging);
    city.run();
    assert_eq!(city.waiting(COUNTY, number).first().map(|(of, _)| *of), Some(urging));
    assert_eq!(city.state(COUNTY, number, StatementKind::Urging), Reply::Refused(Refusal::InThisHand));
}

#[test]
fn a_number_that_nobody_has_given_is_told_and_asked_for_no_more() {
    let mut city = City::new();
    let case = accepted_in_the_county(&mut city);
    let known = number(&city, VILLAGE, case);
    let wrong = CaseNumber::allocate(known.hall_at(), 3, known.day(), 77);
    let of = stated(&mut city, TOWN, wrong, StatementKind::Urging);
    city.run();
    assert_eq!(outcome(&city, TOWN, wrong, of), Some(Outcome::NoSuchCase));
    let open = query::open_statements(&city.halls[TOWN].rows, 10);
    assert!(open.is_empty(), "{open:?}");
    assert_eq!(city.state(VILLAGE, wrong, StatementKind::Urging), Reply::Refused(Refusal::UnknownCase));
}

#[test]
fn no_more_than_so_many_wait_and_what_found_no_room_comes_again() {
    let mut city = City::new();
    let case = accepted_in_the_county(&mut city);
    let number = number(&city, VILLAGE, case);
    for index in [VILLAGE, TOWN] {
        for _ in 0..STATEMENTS_WAITING_MAX / 2 {
            stated(&mut city, index, number, StatementKind::Urging);
        }
    }
    let last = stated(&mut city, OTHER_COUNTY, number, StatementKind::Urging);
    city.run();
    assert_eq!(city.waiting(COUNTY, number).len(), STATEMENTS_WAITING_MAX);
    assert_eq!(outcome(&city, OTHER_COUNTY, number, last), Some(Outcome::Full));
    let (of, _) = city.waiting(COUNTY, number)[0];
    assert!(matches!(city.answer(COUNTY, case, of, Some(Dismissal::Repeated)), Reply::Recorded { .. }));
    an_hour(&mut city);
    assert_eq!(outcome(&city, OTHER_COUNTY, number, last), Some(Outcome::Waiting));
    sound(&city);
}

#[test]
fn twice_is_once_and_an_answer_that_was_lost_is_asked_for() {
    let mut city = City::new();
    let case = accepted_in_the_county(&mut city);
    let number = number(&city, VILLAGE, case);
    let of = stated(&mut city, TOWN, number, StatementKind::Urging);
    city.run();
    let (_, signed) = city.waiting(COUNTY, number).remove(0);
    // No word about what became of it comes through.
    city.bend = Box::new(|_, _, message| {
        !matches!(message, Message::Letter(Letter { body: LetterBody::Receipt(receipt), .. })
            if receipt.peek().is_ok_and(|said| format!("{:?}", said.kind).starts_with("Heard")))
    });
    assert!(matches!(city.answer(COUNTY, case, of, None), Reply::Recorded { .. }));
    city.run();
    assert_eq!(outcome(&city, TOWN, number, of), Some(Outcome::Waiting));
    city.bend = Box::new(|_, _, _| true);
    an_hour(&mut city);
    assert_eq!(outcome(&city, TOWN, number, of), Some(Outcome::Included));
    // Whoever brings it once more changes nothing.
    let body = Enclosed { statement: signed.clone(), note: vec![9].into() }.encode();
    let deed = Deed::Include(signed.peek().unwrap().cited(of));
    let (act, key) = (city.act(COUNTY), fold(&city, COUNTY, case).key());
    let again = city.command(COUNTY, Command::Record(act, Box::new(RecordAct { case, deed, key, body })));
    assert_eq!(again, Reply::Refused(Refusal::UnknownStatement));
    assert_eq!(events(&city, COUNTY, case).iter().filter(|word| **word == "include").count(), 1);
}

#[test]
fn what_a_lost_disk_has_taken_along_is_stated_again() {
    let mut city = City::new();
    let case = accepted_in_the_county(&mut city);
    let number = number(&city, VILLAGE, case);
    let of = stated(&mut city, TOWN, number, StatementKind::Urging);
    city.run();
    // The county's disk loses just what waits there.
    let lost: Vec<_> = city.halls[COUNTY].rows.0.keys().filter(|key| key[0] == 0x3a).cloned().collect();
    assert_eq!(lost.len(), 1);
    for key in lost {
        city.halls[COUNTY].rows.0.remove(&key);
    }
    an_hour(&mut city);
    assert_eq!(city.waiting(COUNTY, number).first().map(|(it, _)| *it), Some(of));
}

#[test]
fn a_statement_of_nobody_and_a_changed_one_are_not_heard_and_no_log_stands_with_one() {
    let mut city = City::new();
    let case = accepted_in_the_county(&mut city);
    let number = number(&city, VILLAGE, case);
    let statement = Statement {
        number,
        by: city.halls[TOWN].at,
        clerk: ClerkId { hall: city.halls[TOWN].at.hall, number: 1 },
        wall: city.now.wall,
        suspect_time: false,
        kind: StatementKind::Withdrawal,
        key: None,
        sealed: vec![1].into(),
        wraps: Vec::new(),
    };
    let forged = Signed::sign(&statement, &[(0, &secret(99))]);
    let nobody = ClerkId { number: 0, ..statement.clerk };
    let clerkless = Signed::sign(&Statement { clerk: nobody, ..statement }, &[(0, &secret(40))]);
    for signed in [forged, clerkless] {
        let (from, to) = (city.halls[VILLAGE].at, city.halls[COUNTY].at.hall);
        let letter = Letter::write(from, to, LetterBody::Statement(signed));
        city.wires.push_back((from.hall, to, Message::Letter(letter).encode()));
        city.drain();
        assert!(city.waiting(COUNTY, number).is_empty());
    }
    // What is enclosed is what was signed, and what the header says of it.
    let of = stated(&mut city, TOWN, number, StatementKind::Urging);
    city.run();
    let (_, signed) = city.waiting(COUNTY, number).remove(0);
    let cited = signed.peek().unwrap().cited(of);
    let other = Signed::sign(&signed.peek().unwrap(), &[(0, &secret(99))]);
    let earlier = Cited { wall: cited.wall - 1, ..cited };
    for (cited, statement) in [(earlier, signed), (cited, other)] {
        let body = Enclosed { statement, note: vec![9].into() }.encode();
        let (act, key) = (city.act(COUNTY), fold(&city, COUNTY, case).key());
        let record = RecordAct { case, deed: Deed::Include(cited), key, body };
        let reply = city.command(COUNTY, Command::Record(act, Box::new(record)));
        assert_eq!(reply, Reply::Refused(Refusal::UnknownStatement));
    }
}

/// A custodian that says in clear something else than was signed, or encloses what nobody has signed, finds no reader.
#[test]
fn a_log_whose_event_does_not_say_what_was_stated_does_not_hold() {
    let mut city = City::new();
    let case = accepted_in_the_county(&mut city);
    let number = number(&city, VILLAGE, case);
    let of = stated(&mut city, TOWN, number, StatementKind::Withdrawal);
    city.run();
    let (_, signed) = city.waiting(COUNTY, number).remove(0);
    let (said, before) = (signed.peek().unwrap(), fold(&city, COUNTY, case));
    let holds = |cited, statement: &Signed<Statement>| {
        let mut file = query::file(&city.halls[COUNTY].rows, case);
        let header = Header {
            sequence: before.events,
            previous: before.head,
            facts: Facts::Act(Deed::Include(cited)),
            clerk: ClerkId { hall: before.custodian.hall, number: 1 },
            ..file.events.last().unwrap().header().unwrap()
        };
        let body = Enclosed { statement: statement.clone(), note: vec![9].into() }.encode();
        file.events.push(SignedEvent::sign(header, body, &secret(20)));
        verify::exported(&city.halls[VILLAGE].rows, file).is_ok()
    };
    let cited = said.cited(of);
    assert!(holds(cited, &signed));
    assert!(!holds(Cited { wall: cited.wall - 1, ..cited }, &signed), "another date");
    let forged = Signed::sign(&said, &[(0, &secret(99))]);
    assert!(!holds(cited, &forged), "another key");
}

/// Writes a stick at one hall and reads it at another; then the lines have time.
fn carry(city: &mut City, from: usize, to: usize) {
    let (bound, mut next) = (Bound::To(city.halls[to].at.hall), Some(Next::FIRST));
    let mut files = Vec::new();
    while let Some(step) = next {
        let load = parcels::load(&city.halls[from].rows, bound, &step).unwrap();
        let Reply::Consigned(cover) = city.command(from, Command::Consign(load.consign)) else { panic!() };
        files.push(parcels::file(cover, load.contents));
        next = load.next;
    }
    for file in files {
        let hall = &city.halls[to];
        let opened = parcels::open(&hall.rows, hall.at.hall, Parcel::decode(&file).unwrap()).unwrap();
        assert!(matches!(city.command(to, Command::TakeIn(Box::new(opened))), Reply::TakenIn(_)));
    }
    city.run();
}

#[test]
fn a_village_without_a_line_states_and_is_answered_by_stick() {
    let mut city = City::new();
    let case = accepted_in_the_county(&mut city);
    let number = number(&city, VILLAGE, case);
    city.cut(VILLAGE);
    let of = stated(&mut city, VILLAGE, number, StatementKind::Withdrawal);
    let at = city.now.wall;
    city.run();
    carry(&mut city, VILLAGE, TOWN);
    assert_eq!(city.waiting(COUNTY, number).len(), 1, "the town's line has brought it on");
    city.pass(3 * 24 * 3_600_000);
    assert!(matches!(city.answer(COUNTY, case, of, None), Reply::Recorded { .. }));
    city.run();
    carry(&mut city, TOWN, VILLAGE);
    assert_eq!(outcome(&city, VILLAGE, number, of), Some(Outcome::Included));
    assert_eq!(fold(&city, VILLAGE, case).ended.unwrap().claimed, at, "on the day it was stated");
}

#[test]
fn statements_are_replayed_without_a_difference() {
    let mut city = City::new();
    let case = accepted_in_the_county(&mut city);
    let number = number(&city, VILLAGE, case);
    for index in [TOWN, COUNTY, VILLAGE] {
        city.record(index, 10_000);
    }
    let of = stated(&mut city, TOWN, number, StatementKind::Withdrawal);
    city.run();
    assert!(matches!(city.answer(COUNTY, case, of, None), Reply::Recorded { .. }));
    city.run();
    for index in [TOWN, COUNTY, VILLAGE] {
        let recording = Recording::decode(&city.halls[index].recorder.as_ref().unwrap().file()).unwrap();
        let differs = Replay::open(recording).unwrap().find(|outcome| outcome.difference.is_some());
        assert!(differs.is_none(), "{index}: {differs:?}");
    }
}
