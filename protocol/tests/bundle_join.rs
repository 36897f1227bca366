//! Bundles: the fold of a task, and the join of the tasks by one pure function.
#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_in_result,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a failure here is a failed test"
)]

mod common;

use common::WALL;
use hallmesh_protocol::calendar::{Calendar, CivilDay};
use hallmesh_protocol::cases::{
    Case, Closing, Deed, Facts, Header, Joined, NotAllowed, Position, Purpose, Task, TaskState, Whole,
};
use hallmesh_protocol::catalogue::Bundle;
use hallmesh_protocol::ids::{BodyId, CaseId, CaseNumber, ClerkId, Digest, DivisionCode, HallAt, HallId};
use proptest::prelude::*;

const HERE: u64 = 620_702_203_200;
const DAY: u64 = 86_400_000;

/// Of its list the join asks only what is promised for the whole.
fn promising(promised_days: u16) -> Bundle {
    let area = DivisionCode::from_u64(620_700_000_000).unwrap();
    Bundle {
        code: "BIRTH".parse().unwrap(),
        name: "a child is born".to_owned(),
        area,
        lead: BodyId::illustrative(area, 2),
        lead_name: "health".to_owned(),
        questions: Vec::new(),
        items: Vec::new(),
        fields: Vec::new(),
        promised_days,
        source: String::new(),
        verified: false,
    }
}

fn at(code: u64) -> HallAt {
    HallAt { hall: HallId::main(DivisionCode::from_u64(code).unwrap()), incarnation: 1 }
}

fn window() -> HallAt {
    at(HERE)
}

fn decider() -> HallAt {
    at(620_700_000_000)
}

fn number(sequence: u32) -> CaseNumber {
    CaseNumber::allocate(window(), 7, CivilDay::of_wall(WALL), sequence)
}

fn header(by: HallAt, id: CaseId, case: Option<&Case>, facts: Facts) -> Header {
    let epochs = u32::from(matches!(facts, Facts::Take { .. }));
    Header {
        suite: 1,
        case: id,
        position: case.map_or(Position::default(), |case| case.position.after(epochs)),
        sequence: case.map_or(0, |case| case.events),
        boot: 7,
        at: by,
        clerk: ClerkId { hall: by.hall, number: 3 },
        body: None,
        wall: WALL + case.map_or(0, |case| u64::from(case.events)) * DAY,
        suspect_time: false,
        matter: Digest([1; 32]),
        calendar: Digest([2; 32]),
        previous: case.map_or(Digest([0; 32]), |case| case.head),
        sealed: Digest([0; 32]),
        facts,
    }
}

const OF: u8 = 4;

fn task(ordinal: u8, after: u32) -> Task {
    Task { bundle: number(99), ordinal, of: OF, after, list: Digest([3; 32]) }
}

fn next(case: &Case, by: HallAt, facts: Facts) -> Result<Case, NotAllowed> {
    let digest = Digest([u8::try_from(case.events).unwrap() + 10; 32]);
    case.next(&header(by, case.id, Some(case), facts), digest)
}

fn begin(ordinal: u8) -> Case {
    let id = CaseId([ordinal; 16]);
    let facts = Facts::Receive {
        number: number(u32::from(ordinal)),
        matter: "CITY-1".parse().unwrap(),
        place: decider().hall.division(),
        competent: decider().hall,
        mirrors: [None, None],
    };
    Case::begin(&header(window(), id, None, facts), Digest([9; 32])).unwrap()
}

#[test]
fn only_the_event_after_receipt_makes_a_case_a_task_and_only_of_a_number_of_its_own_hall() {
    let case = begin(2);
    let joined = next(&case, window(), Facts::Task(task(2, 0b1))).unwrap();
    assert!(joined.waits() && joined.notices.is_empty());
    let foreign =
        Task { bundle: CaseNumber::allocate(decider(), 7, CivilDay::of_wall(WALL), 9), ..task(2, 0) };
    assert_eq!(next(&case, window(), Facts::Task(foreign)).unwrap_err(), NotAllowed::NoTask);
    for unsound in [task(0, 0), task(5, 0), task(2, 0b10), task(2, 0b1_0000)] {
        assert_eq!(
            next(&case, window(), Facts::Task(unsound)).unwrap_err(),
            NotAllowed::NoTask,
            "{unsound:?}"
        );
    }
    assert_eq!(next(&joined, window(), Facts::Task(task(2, 0b1))).unwrap_err(), NotAllowed::NoTask, "once");
    let transfer = Facts::Transfer { to: decider(), purpose: Purpose::Decide, mirrors: [None, None] };
    assert_eq!(next(&joined, window(), transfer.clone()).unwrap_err(), NotAllowed::NoReason, "it waits");
    let start = Facts::Start { results: Digest([4; 32]) };
    assert_eq!(next(&case, window(), start.clone()).unwrap_err(), NotAllowed::NoTask);
    let started = next(&joined, window(), start.clone()).unwrap();
    assert_eq!(next(&started, window(), start).unwrap_err(), NotAllowed::NoTask, "once");
    assert!(next(&started, window(), transfer).is_ok());
    let mut mute = header(window(), case.id, Some(&case), Facts::Task(task(2, 0)));
    mute.clerk.number = 0;
    assert_eq!(case.next(&mute, Digest([1; 32])).unwrap_err(), NotAllowed::NoClerk);
}

/// Every prefix of a lawful log of one task, as chance wills: whatever the law refuses is left out. A window begins a task only
/// if what it needs was granted, which the log of the task alone does not tell.
fn log(ordinal: u8, after: u32, (wishes, may_begin): (&[u8], bool)) -> Vec<Case> {
    let mut prefixes = vec![next(&begin(ordinal), window(), Facts::Task(task(ordinal, after))).unwrap()];
    for wish in wishes.iter().filter(|wish| may_begin || *wish % 11 != 0) {
        let case = prefixes.last().unwrap();
        let to_decider = Facts::Transfer { to: decider(), purpose: Purpose::Decide, mirrors: [None, None] };
        let back = Facts::Transfer { to: window(), purpose: Purpose::Return, mirrors: [None, None] };
        let take = Facts::Take { witness: at(620_702_203_000) };
        let (by, facts) = match wish % 11 {
            0 => (window(), Facts::Start { results: Digest([4; 32]) }),
            1 => (window(), to_decider),
            2 => (decider(), take),
            3 => (decider(), Facts::Act(Deed::Accept)),
            4 => (decider(), Facts::Act(Deed::Decide { granted: wish % 2 == 0, certificate: false })),
            5 => (decider(), back),
            6 => (window(), take),
            7 => (window(), Facts::Act(Deed::Deliver)),
            8 => (window(), Facts::Act(Deed::Archive)),
            9 => (case.custodian, Facts::Act(Deed::Close(Closing::Void))),
            _ => (decider(), Facts::Act(Deed::RequestCorrection)),
        };
        prefixes.extend(next(case, by, facts).ok());
    }
    prefixes
}

/// How far a state of a task is on its way, which never goes back.
fn stage(state: &TaskState) -> u8 {
    match state {
        TaskState::Unknown => 0,
        TaskState::Waits(_) => 1,
        TaskState::Blocked(_) | TaskState::Open => 2,
        TaskState::Ready => 3,
        TaskState::Delivered => 4,
    }
}

const CHAINS: [u32; 4] = [0, 0b1, 0b11, 0b100];

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// In whatever order parts come, and however often, they join alike; and what is known of a part of the logs is never
    /// taken back by the rest of them.
    #[test]
    fn parts_join_alike_in_any_order_and_a_part_never_contradicts_the_whole(
        wishes in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 4),
        order in prop::collection::vec(any::<prop::sample::Index>(), 1..40),
        calendar_days in 1_u16..40,
    ) {
        let mut logs: Vec<Vec<Case>> = Vec::new();
        for ((ordinal, after), wishes) in (1..=OF).zip(CHAINS).zip(&wishes) {
            let granted = |(place, log): (u32, &Vec<Case>)| {
                after & (1 << place) == 0 || log.last().unwrap().granted == Some(true)
            };
            let may_begin = (0..).zip(&logs).all(granted);
            logs.push(log(ordinal, after, (wishes, may_begin)));
        }
        let every: Vec<&Case> = logs.iter().flatten().collect();
        let some: Vec<&Case> = order.iter().map(|index| *index.get(&every)).collect();
        let backwards: Vec<&Case> = some.iter().rev().copied().collect();
        let twice: Vec<&Case> = some.iter().chain(&backwards).copied().collect();
        let part = Joined::of(number(99), some.iter().copied()).unwrap();
        prop_assert_eq!(&part, &Joined::of(number(99), backwards).unwrap());
        prop_assert_eq!(&part, &Joined::of(number(99), twice).unwrap());
        let whole = Joined::of(number(99), logs.iter().filter_map(|log| log.last())).unwrap();
        prop_assert_eq!(&whole, &Joined::of(number(99), every.iter().rev().copied()).unwrap());
        for task in 1..=OF {
            let (then, now) = (part.state(task), whole.state(task));
            prop_assert!(stage(&then) <= stage(&now), "task {}: {:?}, then {:?}", task, then, now);
            // Who is blocked stays so until it is closed.
            if matches!(then, TaskState::Blocked(_)) {
                prop_assert!(!matches!(now, TaskState::Waits(_)), "{:?}, then {:?}", then, now);
            }
        }
        if part.whole().is_over() {
            prop_assert_eq!(part.whole(), whole.whole(), "an end is for good");
        }
        let ready = (1..=OF).all(|task| stage(&whole.state(task)) >= 3);
        prop_assert_eq!(whole.whole() != Whole::Open, ready, "it is open as long as one task is");
        let calendar = Calendar::new(Vec::new()).unwrap();
        let bundle = promising(calendar_days);
        if let Some(then) = part.clock(&bundle, &calendar) {
            let now = whole.clock(&bundle, &calendar).unwrap();
            prop_assert!(then.met.is_none() || then.met == now.met, "what was kept stays kept");
        }
        let unknown = (1..=OF).any(|task| part.case(task).is_none());
        prop_assert_eq!(part.clock(&bundle, &calendar).is_none(), unknown, "only who knows all tasks can tell");
    }
}

/// Each of the most tasks there may be needs all before it; and a circle, which only a hall that breaks the rules can sign.
#[test]
fn the_longest_order_and_a_circle_are_joined_at_once() {
    let most = 32_u8;
    let joined = |needs: &dyn Fn(u8) -> u32| {
        let cases: Vec<Case> = (1..=most)
            .map(|ordinal| {
                let task = Task { of: most, ..task(ordinal, needs(ordinal)) };
                next(&begin(ordinal), window(), Facts::Task(task)).unwrap()
            })
            .collect();
        Joined::of(number(99), &cases).unwrap()
    };
    let chained = joined(&|ordinal| (1_u32 << (ordinal - 1)) - 1);
    assert!(matches!(chained.state(most), TaskState::Waits(of) if of.len() == usize::from(most) - 1));
    assert_eq!(chained.whole(), Whole::Open);
    let circle = joined(&|ordinal| !(1_u32 << (ordinal - 1)));
    assert!((1..=most).all(|task| matches!(circle.state(task), TaskState::Waits(_))));
}
