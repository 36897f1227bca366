//! Bundles: what their list must say, how answers make tasks of it, and how the tasks go on together, on the product's own
//! nodes.
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

use std::collections::BTreeMap;

use common::custody::by_root;
use common::{CITY, COUNTY, City, OTHER_COUNTY, TOWN, VILLAGE, WALL, matter};
use hallmesh_protocol::calendar::CivilDay;
use hallmesh_protocol::cases::{
    Case, ClockKind, Closing, Deed, FIRST_KEY, NotTogether, ReceiveBundle, Record, RecordBundle, Refusal,
    State, TaskState, Whole,
};
use hallmesh_protocol::catalogue::{
    Bundle, Catalogue, Choice, Condition, FormField, Item, Matter, NotChosen, Planned, Situation, Unlisted,
};
use hallmesh_protocol::directory::{Directory, Revocation, RevocationReason};
use hallmesh_protocol::ids::{BodyId, CaseId, CaseNumber, DivisionCode, Tier};
use hallmesh_protocol::query;
use hallmesh_protocol::record::Body;
use hallmesh_protocol::sound;
use hallmesh_protocol::step::{Command, Happening, Reply};
use hallmesh_protocol::verify;

const HERE: u64 = 620_702_203_200;
const DAY: u64 = 86_400_000;

fn item(matter: &str, when: &[(&str, &str)], after: &[u8]) -> Item {
    let condition = |(question, option): &(&str, &str)| Condition {
        question: (*question).to_owned(),
        option: (*option).to_owned(),
    };
    Item {
        matter: matter.parse().unwrap(),
        when: when.iter().map(condition).collect(),
        after: after.to_vec(),
    }
}

fn field(name: &str, items: &[u8]) -> FormField {
    FormField { name: name.to_owned(), label: name.to_owned(), required: true, items: items.to_vec() }
}

fn question(id: &str, options: &[&str]) -> Situation {
    let choice = |id: &&str| Choice { id: (*id).to_owned(), text: (*id).to_owned() };
    Situation { id: id.to_owned(), text: format!("{id}?"), options: options.iter().map(choice).collect() }
}

/// A birth: entered by the city, then in the household register by the county, then insured by whoever may; with a subsidy,
/// if it is not the first one.
fn birth() -> Bundle {
    let area = DivisionCode::from_u64(620_700_000_000).unwrap();
    Bundle {
        code: "BIRTH".parse().unwrap(),
        name: "a child is born".to_owned(),
        area,
        lead: BodyId::illustrative(area, 2),
        lead_name: "health".to_owned(),
        questions: vec![question("child", &["first", "later"]), question("insured", &["yes", "no"])],
        items: vec![
            item("CITY-1", &[], &[]),
            item("COUNTY-1", &[], &[0]),
            item("SHARED-1", &[("insured", "no")], &[1]),
            item("SUBSIDY-1", &[("child", "later")], &[2]),
        ],
        fields: vec![field("name", &[0, 1, 2, 3]), field("account", &[3])],
        promised_days: 15,
        source: String::new(),
        verified: false,
    }
}

fn answers(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(question, option)| ((*question).to_owned(), (*option).to_owned())).collect()
}

type Bend<'a> = &'a dyn Fn(&mut Bundle);

#[test]
fn an_entry_that_contradicts_itself_is_not_listed() {
    assert_eq!(birth().check(), Ok(()));
    let bent = |bend: &dyn Fn(&mut Bundle)| {
        let mut bundle = birth();
        bend(&mut bundle);
        bundle.check()
    };
    let refused: [(Unlisted, Bend<'_>); 20] = [
        (Unlisted::Name, &|it| it.name.clear()),
        (Unlisted::Name, &|it| it.lead_name = "a\nb".to_owned()),
        (Unlisted::Promise, &|it| it.promised_days = 0),
        (Unlisted::Questions, &|it| it.questions[1].id = "child".to_owned()),
        (Unlisted::Questions, &|it| it.questions[0].id = "a b".to_owned()),
        (Unlisted::Questions, &|it| it.questions[0].options.clear()),
        (Unlisted::Questions, &|it| it.questions[0].options[1].id = "first".to_owned()),
        (Unlisted::Questions, &|it| it.items[3].when[0].option = "second".to_owned()),
        (Unlisted::Questions, &|it| it.items[3].when[0].question = "twins".to_owned()),
        (Unlisted::Items, &|it| it.items.clear()),
        (Unlisted::Items, &|it| it.items[1].matter = "CITY-1".parse().unwrap()),
        (Unlisted::Items, &|it| it.items = (0..33).map(|n| item(&format!("M-{n}"), &[], &[])).collect()),
        (Unlisted::Order, &|it| it.items[0].after = vec![0]),
        (Unlisted::Order, &|it| it.items[0].after = vec![2]),
        (Unlisted::Order, &|it| it.items[0].after = vec![4]),
        (Unlisted::Order, &|it| it.items[3].after = vec![1, 1]),
        (Unlisted::Form, &|it| it.fields[1].items.clear()),
        (Unlisted::Form, &|it| it.fields[1].items = vec![7]),
        (Unlisted::Form, &|it| it.fields[1].name = "name".to_owned()),
        (Unlisted::Form, &|it| it.fields[0].label = String::new()),
    ];
    for (number, (why, bend)) in refused.into_iter().enumerate() {
        assert_eq!(bent(bend), Err(why), "{number}");
    }
}

#[test]
fn answers_choose_the_items_and_an_item_that_is_left_out_hands_on_what_it_stands_after() {
    let bundle = birth();
    let chosen = |pairs: &[(&str, &str)]| bundle.choose(&answers(pairs));
    assert_eq!(chosen(&[("child", "first"), ("insured", "yes")]), Ok(vec![0, 1]));
    assert_eq!(chosen(&[("child", "later"), ("insured", "no")]), Ok(vec![0, 1, 2, 3]));
    assert_eq!(chosen(&[("child", "first")]), Err(NotChosen::Unanswered("insured".to_owned())));
    let no_such = NotChosen::NoSuchAnswer { question: "child".to_owned(), option: "third".to_owned() };
    assert_eq!(chosen(&[("child", "third"), ("insured", "no")]), Err(no_such));
    let planned = |item, after| Planned { item, after };
    let all = [planned(0, 0), planned(1, 0b1), planned(2, 0b10), planned(3, 0b100)];
    assert_eq!(bundle.plan(&[0, 1, 2, 3]), Ok(all.to_vec()));
    // Without the third item the fourth waits for the second.
    assert_eq!(bundle.plan(&[0, 1, 3]), Ok(vec![planned(0, 0), planned(1, 0b1), planned(3, 0b10)]));
    for wrong in [&[0_u8, 2][..], &[1, 0], &[0, 1, 9], &[0, 1, 1], &[]] {
        assert_eq!(bundle.plan(wrong), Err(NotChosen::Items), "{wrong:?}");
    }
}

fn city() -> City {
    let mut city = City::new();
    publish(
        &mut city,
        vec![Body::Matter(Box::new(matter("SUBSIDY-1", Tier::City))), Body::Bundle(Box::new(birth()))],
    );
    city
}

fn publish(city: &mut City, bodies: Vec<Body>) {
    let (act, count) = (city.act(CITY), u32::try_from(bodies.len()).unwrap());
    assert_eq!(city.command(CITY, Command::Publish(act, bodies)), Reply::Published { records: count });
    city.run();
}

fn wanted(city: &mut City, bundle: &Bundle, items: &[u8]) -> ReceiveBundle {
    let task = |item: &u8| (*item, city.application(bundle.items[usize::from(*item)].matter.as_str(), HERE));
    let tasks = items.iter().map(task).collect();
    ReceiveBundle { bundle: bundle.code.clone(), place: DivisionCode::from_u64(HERE).unwrap(), tasks }
}

fn receive(city: &mut City, bundle: &Bundle, items: &[u8]) -> Reply {
    let (act, wanted) = (city.act(VILLAGE), wanted(city, bundle, items));
    city.command(VILLAGE, Command::ReceiveBundle(act, Box::new(wanted)))
}

fn received(city: &mut City, bundle: &Bundle, items: &[u8]) -> (CaseNumber, Vec<CaseId>) {
    match receive(city, bundle, items) {
        Reply::ReceivedBundle { bundle, cases } => (bundle, cases.into_iter().map(|it| it.0).collect()),
        other => panic!("{other:?}"),
    }
}

fn together(city: &mut City, bundle: CaseNumber, cases: &[CaseId], deed: Deed) -> Reply {
    let acts =
        cases.iter().map(|case| Record { case: *case, deed, key: FIRST_KEY, body: vec![8].into() }).collect();
    let act = city.act(VILLAGE);
    city.command(VILLAGE, Command::RecordBundle(act, Box::new(RecordBundle { bundle, acts })))
}

fn at_window(city: &City, bundle: CaseNumber) -> (Vec<TaskState>, Whole) {
    let view = query::bundle(&city.halls[VILLAGE].rows, bundle).unwrap();
    (view.joined.tasks().map(|(_, state, _)| state).collect(), view.joined.whole())
}

fn case(city: &City, index: usize, id: CaseId) -> Case {
    query::case(&city.halls[index].rows, id).unwrap().case
}

/// Whoever has a case in hand accepts and decides it; then it goes back to the window.
fn decide(city: &mut City, index: usize, id: CaseId, granted: bool) {
    for deed in [Deed::Accept, Deed::Decide { granted, certificate: false }] {
        let reply = city.deed(index, id, deed);
        assert!(matches!(reply, Reply::Recorded { .. }), "{deed:?}: {reply:?}");
    }
    city.run();
}

fn sound(city: &City) {
    for hall in &city.halls {
        assert_eq!(sound::whole(&hall.rows), Ok(()), "{}", hall.at);
        for (key, value) in &hall.rows.0 {
            assert_eq!(sound::row(key, value), Ok(()));
        }
    }
}

#[test]
fn a_bundle_goes_through_four_halls_one_task_after_another_and_is_handed_out_in_one() {
    let mut city = city();
    let (bundle, cases) = received(&mut city, &birth(), &[0, 1, 2, 3]);
    city.run();
    let waits = |task: u8| TaskState::Waits(vec![task]);
    assert_eq!(at_window(&city, bundle), (vec![TaskState::Open, waits(1), waits(2), waits(3)], Whole::Open));
    assert_eq!(case(&city, CITY, cases[0]).custodian, city.halls[CITY].at);
    for waiting in &cases[1..] {
        assert_eq!(
            case(&city, VILLAGE, *waiting).custodian,
            city.halls[VILLAGE].at,
            "it stays at the window"
        );
    }
    assert_eq!(
        together(&mut city, bundle, &cases, Deed::Deliver),
        Reply::Refused(NotTogether::NotReady(1).into())
    );
    for (number, decides) in [(0, CITY), (1, COUNTY), (2, COUNTY), (3, CITY)] {
        decide(&mut city, decides, cases[number], true);
        let begun = cases.get(number + 1).map(|next| Happening::Started(*next));
        let started = |it: &Happening| matches!(it, Happening::Started(_));
        let last = city.halls[VILLAGE].happened.iter().rfind(|it| started(it)).cloned();
        assert_eq!(last.filter(|_| begun.is_some()), begun, "after task {number}");
        sound(&city);
    }
    assert_eq!(at_window(&city, bundle), (vec![TaskState::Ready; 4], Whole::Ready));
    let some = together(&mut city, bundle, &cases[..3], Deed::Deliver);
    assert_eq!(some, Reply::Refused(NotTogether::NotThese.into()), "all of them or none");
    let all = together(&mut city, bundle, &cases, Deed::Deliver);
    let Reply::RecordedBundle { cases: done, .. } = &all else { panic!("{all:?}") };
    assert_eq!(done.iter().map(|it| it.0).collect::<Vec<_>>(), cases);
    assert_eq!(at_window(&city, bundle), (vec![TaskState::Delivered; 4], Whole::Granted));
    city.run();
    sound(&city);
    let found = query::bundles(&city.halls[VILLAGE].rows, "", None, 10);
    assert_eq!(found, [bundle]);
    assert_eq!(query::bundles(&city.halls[VILLAGE].rows, "", Some(bundle), 10), []);
}

#[test]
fn nothing_is_received_if_one_task_cannot_be() {
    let mut city = city();
    let bundle = birth();
    let before = city.halls[VILLAGE].rows.0.clone();
    let mut keyless = wanted(&mut city, &bundle, &[0, 1, 2, 3]);
    keyless.tasks[3].1.wraps.clear();
    let mut twice = wanted(&mut city, &bundle, &[0, 1]);
    twice.tasks[1].1.case = twice.tasks[0].1.case;
    let mut other_matter = wanted(&mut city, &bundle, &[0, 1]);
    other_matter.tasks[1].1.matter = "SHARED-1".parse().unwrap();
    let mut elsewhere = wanted(&mut city, &bundle, &[0, 1]);
    elsewhere.tasks[1].1.place = DivisionCode::from_u64(620_724_000_000).unwrap();
    let mut unknown = wanted(&mut city, &bundle, &[0, 1]);
    unknown.bundle = "DEATH".parse().unwrap();
    let incomplete = wanted(&mut city, &bundle, &[0, 2]);
    let tasks = Refusal::Bundle(NotTogether::Tasks);
    let wrong = [
        (keyless, Refusal::NoKeyForRoute),
        (twice, tasks.clone()),
        (other_matter, tasks.clone()),
        (elsewhere, tasks.clone()),
        (unknown, NotTogether::UnknownBundle.into()),
        (incomplete, tasks),
    ];
    for (wanted, why) in wrong {
        let act = city.act(VILLAGE);
        let reply = city.command(VILLAGE, Command::ReceiveBundle(act, Box::new(wanted)));
        assert_eq!(reply, Reply::Refused(why));
    }
    assert!(city.halls[VILLAGE].rows.0 == before, "nothing was written");
}

#[test]
fn a_task_that_waits_is_not_worked_on_and_no_clock_of_it_runs() {
    let mut city = city();
    let (bundle, cases) = received(&mut city, &birth(), &[0, 1]);
    city.run();
    let rows = &city.halls[VILLAGE].rows;
    let view = query::case(rows, cases[1]).unwrap();
    // Even after a year nobody owes a word about it, and it counts as nothing.
    let limits = query::limits(rows, &view, CivilDay::of_wall(WALL + 366 * DAY)).unwrap();
    assert_eq!((limits.clocks, limits.deemed_accepted), (Vec::new(), None));
    let first = query::case(rows, cases[0]).unwrap();
    let today = CivilDay::of_wall(city.now.wall);
    assert!(query::limits(rows, &first, today).unwrap().newest(ClockKind::Notice).is_some());
    for deed in [Deed::Accept, Deed::RequestCorrection, Deed::Deliver, Deed::GRANT] {
        let reply = city.deed(VILLAGE, cases[1], deed);
        let refused = matches!(reply, Reply::Refused(Refusal::Act(_) | Refusal::MayNotAccept));
        assert!(refused, "{deed:?}: {reply:?}");
    }
    city.pass(10 * DAY);
    decide(&mut city, CITY, cases[0], true);
    let started = case(&city, COUNTY, cases[1]);
    let since = started.started.unwrap();
    assert!(since.claimed >= WALL + 10 * DAY);
    assert_eq!(started.notices.iter().map(|span| span.from).collect::<Vec<_>>(), [since]);
    assert_eq!(started.custodian, city.halls[COUNTY].at);
    let whole = query::bundle(&city.halls[VILLAGE].rows, bundle).unwrap().clock.unwrap().0;
    assert_eq!((whole.start, whole.days), (CivilDay::of_wall(WALL), 15), "the whole runs from receipt");
    assert_eq!(whole.met, None);
}

#[test]
fn what_is_refused_stops_what_waits_for_it_in_sight_and_the_rest_goes_on() {
    let mut city = city();
    let (bundle, cases) = received(&mut city, &birth(), &[0, 1, 2, 3]);
    city.run();
    decide(&mut city, CITY, cases[0], true);
    decide(&mut city, COUNTY, cases[1], false);
    let (states, whole) = at_window(&city, bundle);
    let blocked = |task: u8| TaskState::Blocked(vec![task]);
    assert_eq!(states, [TaskState::Ready, TaskState::Ready, blocked(2), blocked(3)]);
    assert_eq!(whole, Whole::Open);
    // The window watches it, and says once what is blocked.
    let watched = |city: &City, hall: usize| query::watched(&city.halls[hall].rows, None, 10);
    assert_eq!(watched(&city, VILLAGE), [(bundle, 0b1100)]);
    assert!((0..4).all(|hall| watched(&city, hall).is_empty()), "nobody else does");
    let said = |city: &City| {
        let happened = city.halls[VILLAGE].happened.iter();
        happened.filter(|it| matches!(it, Happening::Blocked(_))).cloned().collect::<Vec<_>>()
    };
    assert_eq!(said(&city), [cases[2], cases[3]].map(Happening::Blocked));
    sound(&city);
    let closing = Deed::Close(Closing::Void);
    let wrong = together(&mut city, bundle, &cases[1..], closing);
    assert_eq!(
        wrong,
        Reply::Refused(NotTogether::NotThese.into()),
        "only what cannot go on is closed together"
    );
    let early = together(&mut city, bundle, &cases, Deed::Deliver);
    assert_eq!(early, Reply::Refused(NotTogether::NotReady(3).into()));
    assert!(matches!(together(&mut city, bundle, &cases[2..], closing), Reply::RecordedBundle { .. }));
    assert_eq!(at_window(&city, bundle), (vec![TaskState::Ready; 4], Whole::Ready));
    city.run();
    assert!(matches!(together(&mut city, bundle, &cases, Deed::Deliver), Reply::RecordedBundle { .. }));
    assert_eq!(at_window(&city, bundle), (vec![TaskState::Delivered; 4], Whole::Partial));
    city.run();
    sound(&city);
}

#[test]
fn what_was_handed_out_before_is_not_handed_out_again() {
    let mut city = city();
    let (bundle, cases) = received(&mut city, &birth(), &[0, 1]);
    city.run();
    decide(&mut city, CITY, cases[0], true);
    assert!(matches!(city.deed(VILLAGE, cases[0], Deed::Deliver), Reply::Recorded { .. }));
    decide(&mut city, COUNTY, cases[1], true);
    assert!(matches!(together(&mut city, bundle, &cases[1..], Deed::Deliver), Reply::RecordedBundle { .. }));
    assert_eq!(at_window(&city, bundle).1, Whole::Granted);
    let again = together(&mut city, bundle, &cases[1..], Deed::Deliver);
    assert_eq!(again, Reply::Refused(NotTogether::NotThese.into()));
}

#[test]
fn a_window_that_decides_itself_begins_the_next_task_when_the_decision_can_no_longer_be_lost() {
    let mut city = city();
    let bundle = Bundle { items: vec![item("COUNTY-1", &[], &[]), item("CITY-1", &[], &[0])], ..own() };
    publish(&mut city, vec![Body::Bundle(Box::new(bundle.clone()))]);
    let (act, wanted) = (city.act(COUNTY), wanted(&mut city, &bundle, &[0, 1]));
    let reply = city.command(COUNTY, Command::ReceiveBundle(act, Box::new(wanted)));
    let Reply::ReceivedBundle { cases, .. } = reply else { panic!("{reply:?}") };
    let (first, second) = (cases[0].0, cases[1].0);
    city.run();
    for mirror in [CITY, OTHER_COUNTY] {
        city.cut(mirror);
    }
    for deed in [Deed::Accept, Deed::GRANT] {
        assert!(matches!(city.deed(COUNTY, first, deed), Reply::Recorded { .. }));
    }
    city.run();
    assert!(case(&city, COUNTY, second).waits(), "the decision is on one disk only");
    for mirror in [CITY, OTHER_COUNTY] {
        city.heal(mirror);
    }
    city.run();
    assert!(!case(&city, COUNTY, second).waits());
    assert_eq!(case(&city, CITY, second).custodian, city.halls[CITY].at);
}

/// The county takes in two tasks, decides the first itself while its mirrors are cut off, and the second waits.
fn decided_by_the_window(second: &str) -> (City, CaseId, CaseId) {
    let mut city = city();
    let other = matter("COUNTY-2", Tier::County);
    let bundle = Bundle { items: vec![item("COUNTY-1", &[], &[]), item(second, &[], &[0])], ..own() };
    publish(&mut city, vec![Body::Matter(Box::new(other)), Body::Bundle(Box::new(bundle.clone()))]);
    let (act, wanted) = (city.act(COUNTY), wanted(&mut city, &bundle, &[0, 1]));
    let reply = city.command(COUNTY, Command::ReceiveBundle(act, Box::new(wanted)));
    let Reply::ReceivedBundle { cases, .. } = reply else { panic!("{reply:?}") };
    city.run();
    for hall in [CITY, OTHER_COUNTY, TOWN, VILLAGE] {
        city.cut(hall);
    }
    for deed in [Deed::Accept, Deed::GRANT] {
        assert!(matches!(city.deed(COUNTY, cases[0].0, deed), Reply::Recorded { .. }));
    }
    city.run();
    assert!(case(&city, COUNTY, cases[1].0).waits());
    (city, cases[0].0, cases[1].0)
}

/// What should have begun and has not is tried again after a start, and when a list has come that may let it.
#[test]
fn a_task_that_was_not_begun_in_time_has_a_second_chance() {
    for restarted in [true, false] {
        let (mut city, _, second) = decided_by_the_window("CITY-1");
        // While the decision is countersigned the county cannot see what waits for it.
        let key = [[0x20].as_slice(), &second.0].concat();
        let hidden = city.halls[COUNTY].rows.0.remove(&key).unwrap();
        for hall in [CITY, OTHER_COUNTY, TOWN, VILLAGE] {
            city.heal(hall);
        }
        city.run();
        city.halls[COUNTY].rows.0.insert(key, hidden);
        city.run_seconds(60);
        assert!(case(&city, COUNTY, second).waits(), "nothing has happened in it since");
        if restarted {
            city.open(COUNTY);
            city.connect_all();
        } else {
            let offline = Matter { offline_decision: true, ..matter("COUNTY-3", Tier::County) };
            publish(&mut city, vec![Body::Matter(Box::new(offline))]);
        }
        city.run_seconds(60);
        assert!(!case(&city, COUNTY, second).waits(), "restarted: {restarted}");
        assert_eq!(case(&city, CITY, second).custodian, city.halls[CITY].at);
    }
}

#[test]
fn a_task_begins_when_no_second_hall_is_left_to_wait_for() {
    let (mut city, first, second) = decided_by_the_window("COUNTY-2");
    let ended = [CITY, OTHER_COUNTY, TOWN, VILLAGE].map(|hall| {
        let at = city.halls[hall].at;
        let transport_key = Directory::new(&city.halls[COUNTY].rows).life(at).unwrap().transport_key;
        let closed = Revocation { at, transport_key, reason: RevocationReason::Closed, since: WALL };
        by_root(&city, Body::Revocation(closed))
    });
    let (records, refused) = verify::records(&city.halls[COUNTY].rows, ended.to_vec());
    assert_eq!(refused, 0);
    city.command(COUNTY, Command::Admit(records));
    city.run_seconds(60);
    assert_eq!(case(&city, COUNTY, first).mirrors, [None, None]);
    assert!(!case(&city, COUNTY, second).waits());
}

fn own() -> Bundle {
    Bundle { code: "OWN".parse().unwrap(), questions: Vec::new(), fields: Vec::new(), ..birth() }
}

/// Twelve tasks over five halls; the one that decides four of them is cut off for three days.
#[test]
fn a_bundle_of_twelve_waits_for_a_hall_that_is_cut_off_and_ends_as_it_should() {
    let mut city = City::new();
    let tiers = [Tier::City, Tier::County, Tier::Township];
    let mut items: Vec<Item> = (0..12).map(|n| item(&format!("T-{n}"), &[], &[])).collect();
    // Chains of two and three over the tiers: the second row stands after the first, the last one after three others.
    for place in 4..8_u8 {
        items[usize::from(place)].after = vec![place - 4];
    }
    items[11].after = vec![1, 4, 7];
    let matters = (0..12_usize).map(|n| matter(&format!("T-{n}"), tiers[n % 3]));
    let mut bodies: Vec<Body> = matters.map(|it| Body::Matter(Box::new(it))).collect();
    let bundle = Bundle { code: "TWELVE".parse().unwrap(), items, ..own() };
    bodies.push(Body::Bundle(Box::new(bundle.clone())));
    publish(&mut city, bodies);
    city.cut(COUNTY);
    let (number, cases) = received(&mut city, &bundle, &(0..12).collect::<Vec<_>>());
    let decides = |task: usize| [CITY, COUNTY, TOWN][task % 3];
    for day in 0..3_u64 {
        city.run();
        work(&mut city, &cases, decides);
        city.now.wall = WALL + (day + 1) * DAY;
    }
    let (states, whole) = at_window(&city, number);
    assert_eq!(whole, Whole::Open);
    // What the county decides is on its way, and what stands after that waits, by name; the rest came back.
    assert_eq!(states[4], TaskState::Open);
    assert_eq!(states[5], TaskState::Waits(vec![2]));
    assert_eq!(states[11], TaskState::Waits(vec![2, 5, 8]));
    assert_eq!(states[8], TaskState::Ready);
    assert!(
        case(&city, VILLAGE, cases[1]).transit.is_some_and(|transit| transit.to == city.halls[COUNTY].at)
    );
    city.heal(COUNTY);
    for _ in 0..6 {
        city.run();
        work(&mut city, &cases, decides);
    }
    city.run();
    assert_eq!(at_window(&city, number), (vec![TaskState::Ready; 12], Whole::Ready));
    assert!(matches!(together(&mut city, number, &cases, Deed::Deliver), Reply::RecordedBundle { .. }));
    city.run();
    assert_eq!(at_window(&city, number), (vec![TaskState::Delivered; 12], Whole::Granted));
    let after = |task: usize, before: usize| {
        case(&city, VILLAGE, cases[task]).started.unwrap().claimed
            >= case(&city, VILLAGE, cases[before]).decided.unwrap().claimed
    };
    assert!(
        (4..8).all(|task| after(task, task - 4)) && [1, 4, 7].into_iter().all(|before| after(11, before))
    );
    sound(&city);
}

/// Each hall that is up decides what it has in hand.
fn work(city: &mut City, cases: &[CaseId], decides: impl Fn(usize) -> usize) {
    for (task, id) in cases.iter().enumerate() {
        let index = decides(task);
        let here = query::case(&city.halls[index].rows, *id).map(|view| view.case);
        let mine =
            here.filter(|case| case.custodian == city.halls[index].at && case.state == State::Received);
        if city.halls[index].up && mine.is_some() {
            decide(city, index, *id, true);
        }
    }
}

#[test]
fn a_bundle_of_another_area_is_not_received_and_its_version_is_kept_for_those_that_have_begun() {
    let mut city = city();
    let (number, _) = received(&mut city, &birth(), &[0, 1]);
    let changed = Bundle { promised_days: 9, ..birth() };
    publish(&mut city, vec![Body::Bundle(Box::new(changed))]);
    let view = query::bundle(&city.halls[VILLAGE].rows, number).unwrap();
    assert_eq!(
        view.bundle.map(|pinned| pinned.bundle.promised_days),
        Some(15),
        "it counts what it began with"
    );
    let lists = Catalogue::new(&city.halls[VILLAGE].rows);
    let now = lists.bundle(&"BIRTH".parse().unwrap(), city.now.wall).unwrap();
    assert_eq!((now.version, now.bundle.promised_days), (2, 9));
    let elsewhere = Bundle { area: DivisionCode::from_u64(620_724_000_000).unwrap(), ..birth() };
    publish(&mut city, vec![Body::Bundle(Box::new(elsewhere.clone()))]);
    let refused = receive(&mut city, &elsewhere, &[0, 1]);
    assert!(matches!(refused, Reply::Refused(Refusal::Route(_))), "{refused:?}");
}
