//! The judge on answers that are made up: it must be able to find each kind of breach.

use hallmesh::ops::Case;
use hallmesh_protocol::cases::State;

use super::*;

const NUMBER: &str = "620702203200-00-01-7K2D-20261124-00042-C";
const VILLAGE: &str = "620702203200-00";
const CITY: &str = "620700000000-00";
const COUNTY: &str = "620702000000-00";

fn event(sequence: u32, what: &str, hall: &str, epoch: u32) -> Event {
    Event {
        sequence,
        what: what.to_owned(),
        details: if sequence == 0 {
            BTreeMap::from([("number".to_owned(), NUMBER.to_owned())])
        } else {
            BTreeMap::new()
        },
        hall: hall.to_owned(),
        hall_name: hall.to_owned(),
        clerk: (!["transfer", "take"].contains(&what)).then_some(1),
        term: 0,
        epoch,
        wall: 0,
        suspect_time: false,
        digest: format!("{sequence} {what} {hall}"),
        signature: Some(true),
        body_bytes: 0,
    }
}

/// Received at the village, decided by the city, delivered at the village.
fn log() -> Vec<Event> {
    vec![
        event(0, "receive", VILLAGE, 0),
        event(1, "transfer", VILLAGE, 0),
        event(2, "take", CITY, 1),
        event(3, "accept", CITY, 1),
        event(4, "decide", CITY, 1),
        event(5, "transfer", CITY, 1),
        event(6, "take", VILLAGE, 2),
        event(7, "deliver", VILLAGE, 2),
    ]
}

fn trace(events: Vec<Event>, stage: &str) -> Trace {
    let last = events.last().unwrap();
    let text = |text: &str| text.to_owned();
    let case = Case {
        id: text("c1"),
        number: text(NUMBER),
        matter: text("ZYL-C-001"),
        matter_name: None,
        official: false,
        state: if last.what == "deliver" { State::Delivered } else { State::Decided },
        granted: Some(true),
        place: text("620702203200"),
        receiving: text(VILLAGE),
        receiving_name: text(VILLAGE),
        competent: text(CITY),
        competent_name: text(CITY),
        custodian: last.hall.clone(),
        custodian_name: last.hall.clone(),
        in_transit_to: None,
        term: 0,
        epoch: last.epoch,
        events: last.sequence + 1,
        head: last.digest.clone(),
        stage: text(stage),
        mirror: false,
        grade: text("D2"),
        mirrors: Vec::new(),
        bundle: None,
        copies: Vec::new(),
        decision: None,
        received: 0,
        accepted: None,
        decided: None,
        delivered: None,
        ending: None,
        ending_code: None,
        ended: None,
        corrections: 0,
        certificate_owed: false,
        deemed_accepted: None,
        limits: Vec::new(),
        first_asked: text("clerk"),
        task: None,
        statements: Vec::new(),
        revoked: None,
    };
    Trace { case, events, orphans: Vec::new(), waits_for: Vec::new(), forks: Vec::new() }
}

fn receipt(sequence: u32, what: &str, hall: &str) -> Receipt {
    Receipt {
        hall: hall.to_owned(),
        case: "c1".to_owned(),
        number: NUMBER.to_owned(),
        sequence,
        what: what.to_owned(),
        grade: None,
        content: format!("said at {sequence}"),
    }
}

/// A journal and a city between which everything is as it should be.
fn sound() -> (Vec<Receipt>, Told) {
    let receipts = vec![
        receipt(0, "receive", VILLAGE),
        receipt(3, "accept", CITY),
        receipt(4, "decide", CITY),
        receipt(7, "deliver", VILLAGE),
    ];
    let contents = receipts.iter().map(|it| (it.sequence, it.content.clone())).collect();
    let traces = BTreeMap::from([
        (VILLAGE.to_owned(), trace(log(), "custodian")),
        (CITY.to_owned(), trace(log()[..6].to_vec(), "released")),
        (COUNTY.to_owned(), trace(log(), "none")),
    ]);
    (receipts, Told { traces, contents })
}

fn judged(change: impl FnOnce(&mut Vec<Receipt>, &mut Told)) -> Vec<Breach> {
    let (mut receipts, mut told) = sound();
    change(&mut receipts, &mut told);
    case(NUMBER, &receipts, &told)
}

fn number() -> String {
    NUMBER.to_owned()
}

#[test]
fn what_is_as_it_should_be_is_no_breach() {
    assert_eq!(judged(|_, _| {}), []);
    // An act that nobody acknowledged may stand in the log.
    assert_eq!(judged(|receipts, _| receipts.truncate(1)), []);
}

#[test]
fn a_receipt_without_a_case_is_lost() {
    assert_eq!(judged(|_, told| told.traces.clear()), [Breach::Lost(number())]);
}

#[test]
fn an_acknowledged_act_that_is_gone_or_says_something_else_is_found() {
    let cut = |told: &mut Told| {
        for trace in told.traces.values_mut() {
            trace.events.truncate(7);
        }
    };
    assert_eq!(judged(|_, told| cut(told)), [Breach::Missing(number(), 7, "deliver".to_owned())]);
    let other = judged(|_, told| drop(told.contents.insert(4, "something else".to_owned())));
    assert_eq!(other, [Breach::OtherWords(number(), 4)]);
    let silent = judged(|_, told| drop(told.contents.remove(&0)));
    assert_eq!(silent, [Breach::OtherWords(number(), 0)]);
    let elsewhere = judged(|receipts, _| receipts[2].hall = COUNTY.to_owned());
    assert_eq!(elsewhere, [Breach::Missing(number(), 4, "decide".to_owned())]);
}

#[test]
fn an_effect_that_is_doubled_is_found() {
    let found = judged(|_, told| {
        for trace in told.traces.values_mut().filter(|trace| trace.events.len() == 8) {
            trace.events.push(event(8, "deliver", VILLAGE, 2));
        }
    });
    assert_eq!(found, [Breach::Twice(number(), "deliver".to_owned(), 2)]);
    let found = judged(|_, told| {
        for trace in told.traces.values_mut() {
            trace.events[5] = event(5, "decide", CITY, 1);
        }
    });
    assert_eq!(found, [Breach::Twice(number(), "decide".to_owned(), 2)]);
}

#[test]
fn two_hands_are_found_and_none() {
    let found = judged(|_, told| told.traces.get_mut(CITY).unwrap().case.stage = IN_HAND.to_owned());
    assert_eq!(found, [Breach::NotAtRest(number(), vec![CITY.to_owned(), VILLAGE.to_owned()])]);
    let found = judged(|_, told| told.traces.get_mut(VILLAGE).unwrap().case.stage = "released".to_owned());
    assert_eq!(found, [Breach::NotAtRest(number(), vec![])]);
    let found = judged(|_, told| {
        for trace in told.traces.values_mut().filter(|trace| trace.events.len() == 8) {
            trace.events[6] = event(6, "take", VILLAGE, 1);
        }
    });
    assert_eq!(found, [Breach::TwoHands(number(), 1)]);
}

#[test]
fn a_case_that_is_not_delivered_is_not_at_rest() {
    let found = judged(|receipts, told| {
        receipts.truncate(3);
        for trace in told.traces.values_mut() {
            trace.events.truncate(7);
            trace.case.state = State::Decided;
        }
    });
    assert_eq!(found, [Breach::NotAtRest(number(), vec![VILLAGE.to_owned()])]);
}

#[test]
fn another_story_and_a_bad_signature_are_found() {
    let found = judged(|_, told| told.traces.get_mut(CITY).unwrap().events[4].digest = "other".to_owned());
    assert_eq!(found, [Breach::Differs(number(), CITY.to_owned())]);
    for signature in [None, Some(false)] {
        let found = judged(|_, told| told.traces.get_mut(COUNTY).unwrap().events[2].signature = signature);
        assert_eq!(found, [Breach::Forged(number(), 2)]);
    }
}

#[test]
fn a_number_that_is_given_twice_is_found() {
    let found = judged(|receipts, _| receipts.push(Receipt { case: "c2".to_owned(), ..receipts[0].clone() }));
    assert_eq!(found, [Breach::SameNumber(number(), 2)]);
    let found = judged(|_, told| {
        for trace in told.traces.values_mut() {
            trace.events[0].details.insert("number".to_owned(), "another".to_owned());
        }
    });
    assert_eq!(found, [Breach::OtherBeginning(number())]);
}

#[test]
fn cases_without_receipts_are_in_one_hand_and_have_numbers_of_their_own_too() {
    let set = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>();
    let mut all = Inventory {
        hands: BTreeMap::from([("c1".to_owned(), vec![CITY.to_owned()])]),
        numbers: BTreeMap::from([("n1".to_owned(), set(&["c1"]))]),
    };
    assert_eq!(inventory(&all), []);
    all.hands.insert("c2".to_owned(), vec![]);
    all.hands.insert("c3".to_owned(), vec![CITY.to_owned(), COUNTY.to_owned()]);
    all.numbers.insert("n2".to_owned(), set(&["c2", "c3"]));
    let both = vec![CITY.to_owned(), COUNTY.to_owned()];
    assert_eq!(
        inventory(&all),
        [
            Breach::Hands("c2".to_owned(), vec![]),
            Breach::Hands("c3".to_owned(), both),
            Breach::SameNumber("n2".to_owned(), 2),
        ]
    );
}
