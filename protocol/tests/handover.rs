//! How a case changes hands, on the product's own nodes.
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

use common::{CITY, COUNTY, City, OTHER_COUNTY, TOWN, VILLAGE, delegation, matter};
use hallmesh_protocol::calendar::{CivilDay, Due};
use hallmesh_protocol::cases::{
    Article, ClockKind, Closing, Deed, Grade, NotAccepted, NotAllowed, Refusal, Stage, State,
};
use hallmesh_protocol::catalogue::{Material, MaterialSource, Matter, Necessity, Rights};
use hallmesh_protocol::ids::{CaseId, HallId, Tier};
use hallmesh_protocol::message::Message;
use hallmesh_protocol::post::LetterBody;
use hallmesh_protocol::query;
use hallmesh_protocol::record::Body;
use hallmesh_protocol::step::{Command, Reply};

const HERE: u64 = 620_702_203_200;
const THERE: u64 = 620_724_000_000;
const DAY: u64 = 24 * 3_600_000;

fn stage(city: &City, index: usize, case: CaseId) -> Stage {
    query::case(&city.halls[index].rows, case)
        .and_then(|view| view.custody)
        .map_or(Stage::None, |custody| custody.stage)
}

fn custodians(city: &City, case: CaseId) -> Vec<usize> {
    (0..city.halls.len()).filter(|index| stage(city, *index, case) == Stage::Custodian).collect()
}

fn events(city: &City, index: usize, case: CaseId) -> Vec<&'static str> {
    query::log(&city.halls[index].rows, case).iter().map(|entry| entry.header.facts.word()).collect()
}

#[test]
fn the_lists_of_one_hall_reach_every_hall() {
    let city = City::new();
    let first = query::roots(&city.halls[CITY].rows);
    assert!(city.halls.iter().all(|hall| query::roots(&hall.rows) == first));
    let rows = &city.halls[VILLAGE].rows;
    let listed: Vec<_> = rows.0.keys().filter_map(|key| query::matter_of_row(key)).collect();
    assert_eq!(
        listed.iter().map(|code| code.as_str()).collect::<Vec<_>>(),
        ["CITY-1", "COUNTY-1", "SHARED-1"]
    );
}

#[test]
fn a_village_receives_what_the_city_decides_and_hands_out_the_result() {
    let mut city = City::new();
    let case = city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    assert_eq!(custodians(&city, case), [CITY]);
    assert!(matches!(city.deed(CITY, case, Deed::Accept), Reply::Recorded { .. }));
    assert!(matches!(city.deed(CITY, case, Deed::GRANT), Reply::Recorded { .. }));
    city.run();
    assert_eq!(custodians(&city, case), [VILLAGE]);
    assert!(matches!(city.deed(VILLAGE, case, Deed::Deliver), Reply::Recorded { .. }));
    city.run();
    let view = query::case(&city.halls[VILLAGE].rows, case).unwrap();
    assert_eq!(view.case.state, State::Delivered);
    assert_eq!(view.custody.unwrap().grade, Grade::D2);
    assert_eq!(stage(&city, CITY, case), Stage::Released);
    let told = ["receive", "transfer", "take", "accept", "decide", "transfer", "take", "deliver"];
    assert_eq!(events(&city, VILLAGE, case), told);
    assert!(
        query::log(&city.halls[VILLAGE].rows, case).iter().all(|entry| entry.signature_holds == Some(true))
    );
    assert!(city.halls.iter().all(|hall| query::counts(&hall.rows).post == 0), "nothing waits");
}

#[test]
fn every_hall_on_the_route_knows_the_same_deadlines_and_no_clock_moves_them() {
    let mut city = City::new();
    let case = city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    let deadlines = |city: &City, index: usize| {
        let rows = &city.halls[index].rows;
        let held = query::case(rows, case).unwrap();
        let limits = query::limits(rows, &held, CivilDay::of_wall(city.now.wall)).unwrap();
        let due = |kind| limits.newest(kind).map(|clock| clock.due.unwrap());
        (due(ClockKind::Promise), due(ClockKind::Decision))
    };
    assert_eq!(deadlines(&city, CITY), (None, None), "no clock runs before acceptance");
    city.deed(CITY, case, Deed::Accept);
    let at_once = deadlines(&city, CITY);
    let told = |due: Option<Due>| due.map(|due| (due.day.to_string(), due.provisional)).unwrap();
    // Accepted on Monday, 21 September 2026; no year is published, so Monday to Friday count.
    assert_eq!(told(at_once.0), ("2026-10-05".to_owned(), true));
    assert_eq!(told(at_once.1), ("2026-10-19".to_owned(), true));
    city.pass(40 * 24 * 3_600_000);
    city.deed(CITY, case, Deed::GRANT);
    city.run();
    assert_eq!((deadlines(&city, CITY), deadlines(&city, VILLAGE)), (at_once, at_once));
}

/// What the calendar and the rights say, which the log alone does not tell.
#[test]
fn an_act_that_comes_at_the_wrong_time_is_refused() {
    let mut city = City::new();
    let asked = city.received(VILLAGE, "CITY-1", HERE);
    let silent = city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    city.deed(CITY, asked, Deed::RequestCorrection);
    city.run();
    let until = |reply| match reply {
        Reply::Refused(Refusal::TooEarly(until)) => until.to_string(),
        other => panic!("{other:?}"),
    };
    let close = Deed::Close(Closing::NotSupplemented);
    assert_eq!(until(city.deed(VILLAGE, asked, close)), "2026-10-19");
    city.pass(8 * DAY);
    let since = CivilDay::of_wall(city.now.wall - 8 * DAY);
    let late = Reply::Refused(Refusal::DeemedAccepted(since));
    assert_eq!(city.deed(CITY, silent, Deed::RequestCorrection), late);
    let refuse = Deed::RefuseAcceptance { ground: NotAccepted::NotEligible, authority: None };
    assert_eq!(city.deed(CITY, silent, refuse), late);
    assert!(matches!(city.deed(CITY, silent, Deed::Accept), Reply::Recorded { .. }));
    let longer = city.deed(CITY, silent, Deed::Extend { days: 11 });
    assert_eq!(longer, Reply::Refused(Refusal::TooLong { most: 10 }));
    assert!(matches!(city.deed(CITY, silent, Deed::Extend { days: 10 }), Reply::Recorded { .. }));
    city.pass(21 * DAY);
    assert!(matches!(city.deed(VILLAGE, asked, close), Reply::Recorded { .. }));
    let named = Deed::RefuseAcceptance { ground: NotAccepted::OtherAuthority, authority: None };
    let other = city.received(CITY, "CITY-1", HERE);
    assert_eq!(city.deed(CITY, other, named), Reply::Refused(Refusal::Authority));
    city.deed(CITY, other, Deed::Accept);
    city.pass(60 * DAY);
    let late = city.deed(CITY, other, Deed::Extend { days: 5 });
    assert!(matches!(late, Reply::Refused(Refusal::Overdue(_))), "{late:?}");
}

/// A certificate is made where the right to issue is; until then the result does not leave the deciding hall.
#[test]
fn a_certificate_is_made_before_the_result_goes_to_the_window() {
    let mut city = City::new();
    let case = city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    city.deed(CITY, case, Deed::Accept);
    city.deed(CITY, case, Deed::Decide { granted: true, certificate: true });
    city.run();
    assert_eq!(custodians(&city, case), [CITY]);
    city.deed(CITY, case, Deed::Certify);
    city.run();
    assert_eq!(custodians(&city, case), [VILLAGE]);
    let plain = city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    city.deed(CITY, plain, Deed::Accept);
    city.deed(CITY, plain, Deed::GRANT);
    city.run();
    assert_eq!(city.deed(VILLAGE, plain, Deed::Certify), Reply::Refused(Refusal::MayNotIssue));
    assert!(matches!(city.deed(VILLAGE, plain, Deed::Deliver), Reply::Recorded { .. }));
}

/// Whatever way a case ends, the citizen hears of it at the window.
#[test]
fn a_notice_of_refusal_goes_back_to_the_window_too() {
    let mut city = City::new();
    let case = city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    city.deed(CITY, case, Deed::RefuseAcceptance { ground: NotAccepted::NotNeeded, authority: None });
    city.run();
    assert_eq!(custodians(&city, case), [VILLAGE]);
    city.deed(VILLAGE, case, Deed::Deliver);
    city.deed(VILLAGE, case, Deed::Archive);
    city.run();
    let held = query::case(&city.halls[VILLAGE].rows, case).unwrap().case;
    assert_eq!((held.state, held.ending.unwrap().code()), (State::Archived, 1));
    assert_eq!(query::counts(&city.halls[VILLAGE].rows).closed, 1, "counted once");
}

#[test]
fn a_delegated_matter_is_decided_at_the_county_of_the_applicants_place() {
    let mut city = City::new();
    let case = city.received(VILLAGE, "SHARED-1", HERE);
    city.run();
    assert_eq!(custodians(&city, case), [COUNTY]);
}

/// Rights hold at the time of the act: a delegation that has ended leaves the way of article 32(2).
#[test]
fn a_county_does_not_accept_what_is_no_longer_delegated_to_it() {
    let mut city = City::new();
    let cases = [(); 2].map(|()| city.received(VILLAGE, "SHARED-1", HERE));
    city.run();
    assert!(matches!(city.deed(COUNTY, cases[0], Deed::Accept), Reply::Recorded { .. }));
    let act = city.act(CITY);
    let ended = delegation(Some("SHARED-1"), Tier::County, Rights { receive: true, ..Rights::default() });
    assert_eq!(city.command(CITY, Command::Publish(act, vec![ended])), Reply::Published { records: 1 });
    city.run();
    let refused = Reply::Refused(Refusal::MayNotAccept);
    assert_eq!(city.deed(COUNTY, cases[1], Deed::Accept), refused);
    assert_eq!(city.deed(COUNTY, cases[1], Deed::AcceptLacking { days: 5 }), refused);
    let authority = Some("11100000000013338W".parse().unwrap());
    let told = Deed::RefuseAcceptance { ground: NotAccepted::OtherAuthority, authority };
    assert!(matches!(city.deed(COUNTY, cases[1], told), Reply::Recorded { .. }));
    assert!(matches!(city.deed(COUNTY, cases[0], Deed::GRANT), Reply::Recorded { .. }), "accepted in time");
}

/// 容缺: only what the list marks so, and in no more days than the city gives.
#[test]
fn nothing_follows_that_the_list_does_not_let_follow() {
    let mut city = City::new();
    let case = city.received(CITY, "CITY-1", HERE);
    let tolerate = |days| Deed::AcceptLacking { days };
    assert_eq!(city.deed(CITY, case, tolerate(5)), Reply::Refused(Refusal::NothingMayFollow));
    let photo = Material {
        name: "photo".to_owned(),
        necessity: Necessity::Supplementable,
        source: MaterialSource::Applicant,
    };
    let act = city.act(CITY);
    let body = Body::Matter(Box::new(Matter { materials: vec![photo], ..matter("CITY-1", Tier::City) }));
    assert_eq!(city.command(CITY, Command::Publish(act, vec![body])), Reply::Published { records: 1 });
    assert_eq!(
        city.deed(CITY, case, tolerate(5)),
        Reply::Refused(Refusal::NothingMayFollow),
        "it pinned the list"
    );
    let later = city.received(CITY, "CITY-1", HERE);
    assert_eq!(city.deed(CITY, later, tolerate(21)), Reply::Refused(Refusal::TooLong { most: 20 }));
    assert!(matches!(city.deed(CITY, later, tolerate(20)), Reply::Recorded { .. }));
    let close = Deed::Close(Closing::NotSupplemented);
    assert!(matches!(city.deed(CITY, later, close), Reply::Refused(Refusal::TooEarly(_))));
    city.pass(45 * DAY);
    assert!(matches!(city.deed(CITY, later, close), Reply::Recorded { .. }));
}

/// 补正不来: what was asked for never comes; once the calendar's term is over the window ends the case, and the notice is handed out.
#[test]
fn a_correction_that_never_comes_ends_the_case_when_its_term_is_over() {
    let mut city = City::new();
    let case = city.received(VILLAGE, "COUNTY-1", HERE);
    city.run();
    assert!(matches!(city.deed(COUNTY, case, Deed::RequestCorrection), Reply::Recorded { .. }));
    city.run();
    let close = Deed::Close(Closing::NotSupplemented);
    assert!(matches!(city.deed(VILLAGE, case, close), Reply::Refused(Refusal::TooEarly(_))));
    city.pass(29 * DAY);
    city.run();
    assert!(matches!(city.deed(VILLAGE, case, close), Reply::Recorded { .. }), "20 working days are over");
    let fold = query::case(&city.halls[VILLAGE].rows, case).unwrap().case;
    assert_eq!((fold.state, fold.ending.map(|ending| ending.code())), (State::Closed, Some(5)));
    city.run();
    assert!(matches!(city.deed(VILLAGE, case, Deed::Deliver), Reply::Recorded { .. }));
}

#[test]
fn a_correction_goes_back_to_the_window_and_returns() {
    let mut city = City::new();
    let case = city.received(TOWN, "COUNTY-1", THERE);
    city.run();
    assert_eq!(custodians(&city, case), [OTHER_COUNTY]);
    city.deed(OTHER_COUNTY, case, Deed::RequestCorrection);
    city.run();
    assert_eq!(custodians(&city, case), [TOWN]);
    let early = city.deed(TOWN, case, Deed::Deliver);
    assert_eq!(early, Reply::Refused(Refusal::Act(NotAllowed::WrongState(Article::Delivery))));
    city.deed(TOWN, case, Deed::Supplement);
    city.run();
    assert_eq!(custodians(&city, case), [OTHER_COUNTY]);
    assert!(matches!(city.deed(OTHER_COUNTY, case, Deed::Accept), Reply::Recorded { .. }));
}

#[test]
fn a_holder_without_a_witness_shows_the_case_but_does_not_act() {
    let mut city = City::new();
    // Neither mirror of the village hears of anything, nor can the target reach them.
    city.bend = Box::new(
        |_, _, message| !matches!(message, Message::Letter(letter) if matches!(letter.body, LetterBody::Copy(_))),
    );
    let case = city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    assert_eq!(stage(&city, CITY, case), Stage::Holder);
    assert_eq!(city.deed(CITY, case, Deed::Accept), Reply::Refused(Refusal::NotWitnessed));
    assert!(custodians(&city, case).is_empty());
    city.bend = Box::new(|_, _, _| true);
    city.run();
    assert_eq!(custodians(&city, case), [CITY]);
}

#[test]
fn the_giver_keeps_a_case_until_the_receipt_is_mirrored() {
    let mut city = City::new();
    let village = city.halls[VILLAGE].at.hall;
    // The city's own mirrors never learn that the city took the case.
    let to_city = Rc::new(RefCell::new(city.halls[CITY].at.hall));
    let from = *to_city.borrow();
    city.bend = Box::new(move |sender, _, message| {
        let copy = matches!(message, Message::Letter(letter) if matches!(letter.body, LetterBody::Copy(_)));
        !(copy && sender == from)
    });
    let case = city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    assert_eq!(stage(&city, CITY, case), Stage::Custodian);
    assert_eq!(stage(&city, VILLAGE, case), Stage::Handing, "{village} must not let go");
    city.bend = Box::new(|_, _, _| true);
    city.run();
    assert_eq!(stage(&city, VILLAGE, case), Stage::Released);
}

#[test]
fn a_repeated_hand_over_gets_the_stored_receipt_and_takes_effect_once() {
    let mut city = City::new();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&seen);
    let mut lost = 0;
    city.bend = Box::new(move |_, _, message| {
        if let Message::Letter(letter) = message
            && let LetterBody::Receipt(receipt) = &letter.body
        {
            log.borrow_mut().push(receipt.clone());
            lost += 1;
            return lost > 6;
        }
        true
    });
    let case = city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    assert!(seen.borrow().len() > 6, "receipts were lost and repeated");
    assert_eq!(custodians(&city, case), [CITY]);
    let takes = events(&city, CITY, case).iter().filter(|word| **word == "take").count();
    assert_eq!(takes, 1);
}

#[test]
fn letters_reach_a_hall_over_the_tiers_when_there_is_no_line() {
    let mut city = City::new();
    let (village, top) = (city.halls[VILLAGE].at.hall, city.halls[CITY].at.hall);
    let between = move |one: HallId, other: HallId| {
        (one == village && other == top) || (one == top && other == village)
    };
    // There is no line between the village and the city: only tell the nodes that it is down.
    city.step(VILLAGE, hallmesh_protocol::step::Input::PeerDown(top));
    city.step(CITY, hallmesh_protocol::step::Input::PeerDown(village));
    city.bend = Box::new(move |from, to, _| {
        assert!(!between(from, to), "nothing is sent where there is no line");
        true
    });
    let case = city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    assert_eq!(custodians(&city, case), [CITY]);
    assert!(query::counts(&city.halls[TOWN].rows).relayed > 0, "the township took letters along");
}

#[test]
fn a_case_for_a_dead_city_waits_and_completes_when_it_is_back() {
    let mut city = City::new();
    city.cut(CITY);
    let case = city.received(VILLAGE, "CITY-1", HERE);
    let between = city.received(TOWN, "COUNTY-1", THERE);
    city.run();
    assert_eq!(stage(&city, VILLAGE, case), Stage::Handing);
    assert_eq!(custodians(&city, between), [OTHER_COUNTY], "the others do not wait");
    city.heal(CITY);
    city.run();
    assert_eq!(custodians(&city, case), [CITY]);
}

#[test]
fn every_hall_restarted_at_every_turn_loses_and_doubles_nothing() {
    for victim in 0..5 {
        let mut city = City::new();
        let case = city.received(VILLAGE, "CITY-1", HERE);
        city.restart(victim);
        city.run();
        assert_eq!(custodians(&city, case), [CITY], "restart of {victim} after receipt");
        city.deed(CITY, case, Deed::Accept);
        city.restart(victim);
        city.deed(CITY, case, Deed::DENY);
        city.restart(victim);
        city.run();
        assert_eq!(custodians(&city, case), [VILLAGE], "restart of {victim} after decision");
    }
}

#[test]
fn a_hall_without_the_right_and_an_unknown_matter_are_refused() {
    let mut city = City::new();
    let unknown = city.receive(VILLAGE, "NO-SUCH", HERE);
    assert!(matches!(unknown, Reply::Refused(Refusal::Route(_))), "{unknown:?}");
    let before = query::counts(&city.halls[VILLAGE].rows).cases;
    assert_eq!(before, 0, "nothing was changed");
}

#[test]
fn an_act_is_good_once() {
    let mut city = City::new();
    let act = city.act(VILLAGE);
    for expected in [true, false] {
        let wanted = city.application("CITY-1", HERE);
        let command = Command::Receive(act.clone(), Box::new(wanted));
        let taken = matches!(city.command(VILLAGE, command), Reply::Received { .. });
        assert_eq!(taken, expected);
    }
}
