//! The law of a case: every act in every state, any log of acts, and the clocks.
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

use std::collections::BTreeMap;

use hallmesh_protocol::calendar::{Calendar, CivilDay};
use hallmesh_protocol::cases::{
    Article, Case, Cited, Clock, ClockKind, Closing, Deed, Dismissal, Facts, Header, NotAccepted, NotAllowed,
    Position, Procedure, Reading, State, StatementKind, clocks,
};
use hallmesh_protocol::catalogue::Matter;
use hallmesh_protocol::ids::{CaseId, CaseNumber, ClerkId, Digest, HallAt, HallId, Tier};
use proptest::prelude::*;

const DAY: u64 = 86_400_000;
/// 2026-03-02, a Monday, nine in the morning in Shanghai.
const MONDAY: u64 = 1_772_413_200_000;

fn hall() -> HallAt {
    HallAt { hall: HallId::from_u64(62_070_200_000_000).unwrap(), incarnation: 1 }
}

fn elsewhere() -> HallId {
    HallId::from_u64(62_070_000_000_000).unwrap()
}

fn header(case: Option<&Case>, wall: u64, facts: Facts) -> Header {
    let zero = Digest([0; 32]);
    Header {
        suite: 1,
        case: CaseId([7; 16]),
        position: Position::default(),
        sequence: case.map_or(0, |case| case.events),
        boot: 1,
        at: hall(),
        clerk: ClerkId { hall: hall().hall, number: 1 },
        body: None,
        wall,
        suspect_time: false,
        matter: zero,
        calendar: zero,
        previous: case.map_or(zero, |case| case.head),
        sealed: zero,
        facts,
    }
}

/// Taken in on a Monday at a hall that is the window and decides, or leaves one of the two to another.
fn received(competent: HallId) -> Case {
    let facts = Facts::Receive {
        number: CaseNumber::allocate(hall(), 7, CivilDay::of_wall(MONDAY), 1),
        matter: "CITY-1".parse().unwrap(),
        place: competent.division(),
        competent,
        mirrors: [None, None],
    };
    Case::begin(&header(None, MONDAY, facts), Digest([1; 32])).unwrap()
}

fn done(case: &Case, deed: Deed, wall: u64) -> Result<Case, NotAllowed> {
    let digest = Digest([u8::try_from(case.events % 250).unwrap() + 2; 32]);
    case.next(&header(Some(case), wall, Facts::Act(deed)), digest)
}

fn after(deeds: &[Deed]) -> Case {
    let begin = received(hall().hall);
    deeds.iter().fold(begin, |case, deed| done(&case, *deed, MONDAY).unwrap())
}

const REFUSE: Deed = Deed::RefuseAcceptance { ground: NotAccepted::NotEligible, authority: None };
const PAUSE: Deed = Deed::BeginProcedure { procedure: Procedure::Hearing, days: 5 };

/// What another hall has stated the day before.
fn stated(kind: StatementKind, name: u8) -> Cited {
    let by = HallAt { hall: elsewhere(), incarnation: 1 };
    Cited { statement: Digest([name; 32]), by, clerk: 1, wall: MONDAY - DAY, suspect_time: false, kind }
}

fn include(kind: StatementKind) -> Deed {
    Deed::Include(stated(kind, 1))
}

fn withdrawn() -> Deed {
    Deed::Include(stated(StatementKind::Withdrawal, 2))
}

fn irrelevant() -> Deed {
    Deed::Dismiss(stated(StatementKind::Withdrawal, 3), Dismissal::NotOfTheCase)
}

/// Withdrawn before it was decided, though nobody knew.
fn revoked() -> Case {
    after(&[Deed::Accept, Deed::GRANT, withdrawn()])
}

fn in_state(state: State) -> Case {
    let case = after(match state {
        State::Received => &[],
        State::AwaitingCorrection => &[Deed::RequestCorrection],
        State::Supplemented => &[Deed::RequestCorrection, Deed::Supplement],
        State::Accepted => &[Deed::Accept],
        State::Suspended => &[Deed::Accept, PAUSE],
        State::Decided => &[Deed::Accept, Deed::GRANT],
        State::Certified => &[Deed::Accept, Deed::GRANT, Deed::Certify],
        State::NotAccepted => &[REFUSE],
        State::Closed => &[Deed::Withdraw],
        State::Revoked => return revoked(),
        State::Delivered => &[Deed::Accept, Deed::GRANT, Deed::Deliver],
        State::Archived => &[Deed::Accept, Deed::GRANT, Deed::Deliver, Deed::Archive],
    });
    assert_eq!(case.state, state);
    case
}

fn deeds() -> Vec<(&'static str, Deed)> {
    let authority = "11100000000013338W".parse().unwrap();
    vec![
        ("accept", Deed::Accept),
        ("tolerate", Deed::AcceptLacking { days: 10 }),
        ("promise", Deed::AcceptPromise),
        ("check", Deed::Check),
        ("revoke", Deed::Revoke),
        ("supply", Deed::Supply),
        ("refuse", REFUSE),
        ("correct", Deed::RequestCorrection),
        ("supplement", Deed::Supplement),
        ("pause", PAUSE),
        ("resume", Deed::EndProcedure),
        ("extend", Deed::Extend { days: 10 }),
        ("decide", Deed::GRANT),
        ("certify", Deed::Certify),
        ("refer", Deed::Refer { authority }),
        ("withdraw", Deed::Withdraw),
        ("void", Deed::Close(Closing::Void)),
        ("removed", Deed::Close(Closing::Removed)),
        ("unsupplied", Deed::Close(Closing::NotSupplemented)),
        ("on-paper", Deed::Close(Closing::OnPaper)),
        ("deliver", Deed::Deliver),
        ("rectify", Deed::Rectify { event: 0 }),
        ("archive", Deed::Archive),
        ("+supplement", include(StatementKind::Supplement)),
        ("+withdrawal", include(StatementKind::Withdrawal)),
        ("+delivery", include(StatementKind::Delivery)),
        ("+verification", include(StatementKind::Verification)),
        ("+urging", include(StatementKind::Urging)),
        ("-any", irrelevant()),
    ]
}

/// What becomes of each act in each state: the state after it, or the article of the Administrative Licensing Law that
/// forbids it (`arc` for the rules on archives).
const TABLE: &str = "
              Rec Awa Sup Acc Sus Dec Cer NAc Clo Rev Del Arc
accept        Acc 32  Acc 32  45  69  69  32  32  32  32  arc
tolerate      Acc 32  Acc 32  45  69  69  32  32  32  32  arc
promise       Acc 32  Acc 32  45  69  69  32  32  32  32  arc
check         pro pro pro pro 45  pro pro pro pro pro pro arc
revoke        69  69  69  69  45  69  69  69  69  69  69  arc
supply        32  32  32  32  32  32  32  32  32  32  32  arc
refuse        NAc 32  NAc 32  45  69  69  32  32  32  32  arc
correct       Awa 32  Awa 32  45  69  69  32  32  32  32  arc
supplement    32  Sup 32  32  45  32  32  32  32  32  32  arc
pause         45  45  45  Sus 45  45  45  45  45  45  45  arc
resume        45  45  45  45  Acc 45  45  45  45  45  45  arc
extend        42  42  42  Acc 45  42  42  42  42  42  42  arc
decide        37  37  37  Dec 45  69  69  37  37  37  37  arc
certify       39  39  39  39  45  Cer 39  39  39  39  39  arc
refer         43  43  43  Clo 45  43  43  43  43  43  43  arc
withdraw      Clo Clo Clo Clo Clo 69  69  69  69  69  69  arc
void          Clo Clo Clo Clo Clo 69  69  69  69  69  69  arc
removed       Clo Clo Clo Clo Clo 69  69  69  69  69  69  arc
unsupplied    32  Clo 32  32  45  69  69  32  32  32  32  arc
on-paper      37  37  37  Clo 45  69  69  37  37  37  37  arc
deliver       44  44  44  44  45  Del Del Del Del Del 44  arc
rectify       37  37  37  37  45  Dec Cer NAc Clo Rev Del arc
archive       arc arc arc arc 45  arc arc arc arc arc Arc arc
+supplement   32  Sup 32  32  32  32  32  32  32  32  32  arc
+withdrawal   Clo Clo Clo Clo Clo Rev Rev 69  69  69  69  arc
+delivery     44  44  44  44  45  Del Del Del Del Del 44  arc
+verification Rec Awa Sup Acc Sus Dec Cer NAc Clo Rev Del arc
+urging       Rec Awa Sup Acc Sus Dec Cer NAc Clo Rev Del arc
-any          Rec Awa Sup Acc Sus Dec Cer NAc Clo Rev Del arc
";

fn short(state: State) -> &'static str {
    match state {
        State::Received => "Rec",
        State::AwaitingCorrection => "Awa",
        State::Supplemented => "Sup",
        State::Accepted => "Acc",
        State::Suspended => "Sus",
        State::Decided => "Dec",
        State::Certified => "Cer",
        State::NotAccepted => "NAc",
        State::Closed => "Clo",
        State::Revoked => "Rev",
        State::Delivered => "Del",
        State::Archived => "Arc",
    }
}

fn number(article: Article) -> &'static str {
    match article {
        Article::Promise => "pro",
        other => other.word().strip_prefix("licensing-").unwrap_or("arc"),
    }
}

#[test]
fn every_act_in_every_state_is_as_the_table_says() {
    let rows: BTreeMap<&str, Vec<&str>> = TABLE
        .lines()
        .filter(|line| !line.starts_with(' ') && !line.is_empty())
        .map(|line| {
            let mut cells = line.split_whitespace();
            (cells.next().unwrap(), cells.collect())
        })
        .collect();
    let mut cells = 0;
    for (word, deed) in deeds() {
        for (state, expected) in State::ALL.into_iter().zip(&rows[word]) {
            let said = match done(&in_state(state), deed, MONDAY) {
                Ok(case) => short(case.state),
                Err(NotAllowed::WrongState(article)) => number(article),
                Err(other) => panic!("{word} in {state:?}: {other}"),
            };
            assert_eq!(&said, expected, "{word} in {state:?}");
            cells += 1;
        }
    }
    assert_eq!(cells, 29 * 12, "the table has a row for every act");
}

#[test]
fn acts_are_for_the_hall_whose_they_are() {
    let case = received(elsewhere());
    for deed in [Deed::Accept, REFUSE, Deed::RequestCorrection] {
        assert_eq!(done(&case, deed, MONDAY), Err(NotAllowed::WrongHall), "{deed:?} at the window");
    }
    assert!(done(&case, Deed::Withdraw, MONDAY).is_ok(), "the window takes a withdrawal");
}

#[test]
fn what_the_state_alone_does_not_tell() {
    let again = done(&after(&[Deed::Accept, Deed::Extend { days: 3 }]), Deed::Extend { days: 3 }, MONDAY);
    assert_eq!(again, Err(NotAllowed::WrongState(Article::Extension)), "once");
    let denied = done(&after(&[Deed::Accept, Deed::DENY]), Deed::Certify, MONDAY);
    assert_eq!(denied, Err(NotAllowed::WrongState(Article::Certificate)), "nothing to certify");
    let owed = after(&[Deed::Accept, Deed::Decide { granted: true, certificate: true }]);
    assert_eq!(done(&owed, Deed::Deliver, MONDAY), Err(NotAllowed::WrongState(Article::Certificate)));
    assert!(done(&done(&owed, Deed::Certify, MONDAY).unwrap(), Deed::Deliver, MONDAY).is_ok());
    let unborn = done(&after(&[Deed::Accept, Deed::GRANT]), Deed::Rectify { event: 3 }, MONDAY);
    assert_eq!(unborn, Err(NotAllowed::WrongState(Article::Decision)), "there is no such event");
}

/// A statement counts from its own date, once, and never from later than it is known of.
#[test]
fn what_was_stated_counts_from_its_own_date() {
    let supplement = Deed::Include(Cited { wall: MONDAY + DAY, ..stated(StatementKind::Supplement, 1) });
    let asked = acts(&[(Deed::RequestCorrection, 0)]);
    let supplied = done(&asked, supplement, MONDAY + 40 * DAY).unwrap();
    let there = CivilDay::of_wall(MONDAY + DAY);
    let before = done(&asked, include(StatementKind::Supplement), MONDAY + 40 * DAY).unwrap();
    assert_eq!(before.notices.last().unwrap().from.legal, MONDAY, "not before it was asked for");
    assert_eq!(clock(&supplied, ClockKind::Correction, MONDAY).unwrap().met, Some(there), "not when it came");
    assert_eq!(supplied.notices.last().unwrap().from.day(), there);
    let early = Deed::Include(Cited { wall: MONDAY + 90 * DAY, ..stated(StatementKind::Supplement, 1) });
    let bounded = done(&asked, early, MONDAY + 3 * DAY).unwrap();
    assert_eq!(bounded.notices.last().unwrap().from.legal, MONDAY + 3 * DAY, "a clock that is ahead");
    let doubted = Deed::Include(Cited { suspect_time: true, ..stated(StatementKind::Supplement, 1) });
    let doubted = done(&asked, doubted, MONDAY + 3 * DAY).unwrap();
    assert_eq!(doubted.notices.last().unwrap().from.legal, MONDAY + 3 * DAY, "a clock in doubt");
    assert_eq!(done(&supplied, supplement, MONDAY), Err(NotAllowed::WrongState(Article::Acceptance)));
    let urged = done(&asked, include(StatementKind::Urging), MONDAY).unwrap();
    assert_eq!(done(&urged, include(StatementKind::Urging), MONDAY), Err(NotAllowed::Answered), "once");
}

/// Who had withdrawn before was decided upon for nothing; who withdraws afterwards has to have the decision revoked.
#[test]
fn a_withdrawal_counts_against_the_decision_by_its_own_date() {
    let decided = after(&[Deed::Accept, Deed::GRANT]);
    let late = Deed::Include(Cited { wall: MONDAY, ..stated(StatementKind::Withdrawal, 2) });
    assert_eq!(done(&decided, late, MONDAY), Err(NotAllowed::WrongState(Article::Undoing)));
    let lapsed = revoked();
    assert_eq!((lapsed.state, lapsed.granted, lapsed.ended), (State::Revoked, Some(true), decided.ended));
    assert_eq!(lapsed.revoked.map(|at| at.claimed), Some(MONDAY - DAY));
    assert!(done(&lapsed, Deed::Deliver, MONDAY).is_ok(), "the citizen is told");
    let accepted = acts(&[(Deed::Accept, 0)]);
    let withdrawn = done(&accepted, withdrawn(), MONDAY + 9 * DAY).unwrap();
    assert_eq!(withdrawn.ended.map(|at| at.claimed), Some(MONDAY - DAY));
    assert_eq!(withdrawn.ending.map(|ending| ending.code()), Some(2));
    let owed = after(&[Deed::Accept, Deed::Decide { granted: true, certificate: true }]);
    let handed = done(&owed, include(StatementKind::Delivery), MONDAY);
    assert_eq!(handed, Err(NotAllowed::WrongState(Article::Certificate)), "nothing is made yet");
}

/// 容缺: what was to follow may be stated elsewhere, too.
#[test]
fn what_was_to_follow_may_come_as_a_statement() {
    let lacks = after(&[Deed::AcceptLacking { days: 10 }]);
    let later = Deed::Include(Cited { wall: MONDAY + DAY, ..stated(StatementKind::Supplement, 1) });
    let supplied = done(&lacks, later, MONDAY + 20 * DAY).unwrap();
    assert!(!supplied.still_lacks() && supplied.state == State::Accepted);
    assert_eq!(
        clock(&supplied, ClockKind::Supply, MONDAY).unwrap().met,
        Some(CivilDay::of_wall(MONDAY + DAY))
    );
    let nothing = done(&after(&[Deed::Accept]), include(StatementKind::Supplement), MONDAY);
    assert_eq!(nothing, Err(NotAllowed::WrongState(Article::Acceptance)));
}

/// 告知承诺: decided at once, checked in the term; who promised what is not so loses what was granted.
#[test]
fn what_was_promised_is_checked_after_the_decision_and_a_lie_costs_the_grant() {
    let granted = after(&[Deed::AcceptPromise, Deed::GRANT]);
    assert!(granted.owes_check() && !after(&[Deed::AcceptPromise]).owes_check());
    assert_eq!(due(&granted, ClockKind::Promise, MONDAY).unwrap(), "2026-03-02", "on the same day");
    assert_eq!(due(&granted, ClockKind::Check, MONDAY).unwrap(), "2026-04-27", "40 working days after it");
    assert_eq!(due(&after(&[Deed::AcceptPromise, Deed::DENY]), ClockKind::Check, MONDAY), None);
    let delivered = done(&granted, Deed::Deliver, MONDAY + DAY).unwrap();
    assert!(delivered.state.is_over() && !delivered.is_over(), "something is still owed");
    let filed = done(&delivered, Deed::Archive, MONDAY + DAY);
    assert_eq!(filed, Err(NotAllowed::WrongState(Article::Promise)));
    let kept = done(&delivered, Deed::Check, MONDAY + 8 * DAY).unwrap();
    assert!(kept.is_over() && kept.state == State::Delivered && kept.revoked.is_none());
    let checked = clock(&kept, ClockKind::Check, MONDAY).unwrap();
    assert_eq!(checked.met, Some(CivilDay::of_wall(MONDAY + 8 * DAY)));
    assert_eq!(done(&kept, Deed::Check, MONDAY), Err(NotAllowed::WrongState(Article::Promise)), "once");
    assert_eq!(done(&kept, Deed::Revoke, MONDAY), Err(NotAllowed::WrongState(Article::Undoing)));
    assert!(done(&kept, Deed::Archive, MONDAY).is_ok());
    let lie = done(&delivered, Deed::Revoke, MONDAY + 8 * DAY).unwrap();
    assert_eq!((lie.state, lie.granted, lie.delivered), (State::Revoked, Some(true), delivered.delivered));
    assert_eq!(due(&lie, ClockKind::Delivery, MONDAY).unwrap(), "2026-03-24", "ten days to tell it");
    let told = done(&lie, Deed::Deliver, MONDAY + 9 * DAY).unwrap();
    assert!(told.is_over() && told.delivered == delivered.delivered);
    assert_eq!(told.revocation_told.map(|at| at.claimed), Some(MONDAY + 9 * DAY));
    assert!(done(&granted, Deed::Revoke, MONDAY).is_ok(), "also before it is handed out");
    let plain = after(&[Deed::Accept, Deed::GRANT]);
    assert_eq!(done(&plain, Deed::Revoke, MONDAY), Err(NotAllowed::WrongState(Article::Undoing)));
}

/// 容缺: accepted, decided only once what was to follow is there, closed if it never comes.
#[test]
fn what_may_follow_is_there_before_anything_is_granted() {
    let tolerate = Deed::AcceptLacking { days: 10 };
    let lacks = after(&[tolerate]);
    assert!(lacks.still_lacks() && !after(&[Deed::Accept]).still_lacks());
    let refused = Err(NotAllowed::WrongState(Article::Acceptance));
    assert_eq!(done(&lacks, Deed::GRANT, MONDAY), refused);
    assert!(done(&lacks, Deed::DENY, MONDAY).is_ok(), "it may be refused for other reasons");
    assert_eq!(done(&after(&[Deed::Accept]), Deed::Supply, MONDAY), refused, "nothing was to follow");
    let supplied = done(&lacks, Deed::Supply, MONDAY + 2 * DAY).unwrap();
    assert_eq!(done(&supplied, Deed::Supply, MONDAY), refused, "once");
    assert!(done(&supplied, Deed::GRANT, MONDAY).is_ok());
    assert_eq!(done(&supplied, Deed::Close(Closing::NotSupplemented), MONDAY), refused);
    let never = done(&lacks, Deed::Close(Closing::NotSupplemented), MONDAY + 20 * DAY).unwrap();
    assert_eq!(never.ending.map(|ending| ending.code()), Some(5));
    assert_eq!(
        due(&lacks, ClockKind::Supply, MONDAY).unwrap(),
        "2026-03-16",
        "10 working days after Monday the 2nd"
    );
    assert!(done(&after(&[tolerate, PAUSE]), Deed::Supply, MONDAY).is_ok(), "also while a procedure runs");
}

#[test]
fn each_way_to_end_has_its_national_code() {
    let code = |deeds: &[Deed]| after(deeds).ending.map(|ending| ending.code());
    assert_eq!(code(&[Deed::Accept, Deed::GRANT, Deed::Certify]), Some(0));
    assert_eq!(code(&[REFUSE]), Some(1));
    assert_eq!(code(&[Deed::Withdraw]), Some(2));
    assert_eq!(code(&[Deed::Close(Closing::Removed)]), Some(3));
    let (_, refer) = deeds().into_iter().find(|(word, _)| *word == "refer").unwrap();
    assert_eq!(code(&[Deed::Accept, refer]), Some(4));
    assert_eq!(code(&[Deed::RequestCorrection, Deed::Close(Closing::NotSupplemented)]), Some(5));
    assert_eq!(code(&[Deed::Accept, Deed::DENY]), Some(6));
    assert_eq!(code(&[Deed::Accept, Deed::Close(Closing::OnPaper)]), Some(7));
    assert_eq!(code(&[Deed::Accept]), None);
}

#[test]
fn every_act_survives_its_bytes() {
    for (word, deed) in deeds() {
        let header = header(Some(&in_state(State::Accepted)), MONDAY, Facts::Act(deed));
        assert_eq!(Header::decode(&header.encode()).unwrap(), header, "{word}");
    }
}

#[test]
fn facts_without_meaning_are_no_header() {
    let case = in_state(State::Accepted);
    let with = |deed, at: usize, byte: u8| {
        let mut bytes = header(Some(&case), MONDAY, Facts::Act(deed)).encode();
        bytes[224 + at] = byte;
        Header::decode(&bytes).is_err()
    };
    assert!(with(REFUSE, 0, 0) && with(REFUSE, 0, 4), "no such ground");
    assert!(with(REFUSE, 1, b'1'), "no such authority");
    assert!(with(PAUSE, 0, 9), "no such procedure");
    assert!(with(PAUSE, 1, 0) && with(Deed::Extend { days: 1 }, 0, 0), "no days");
    assert!(with(Deed::Extend { days: 1 }, 1, 0xff), "days beyond reason");
    assert!(with(Deed::AcceptLacking { days: 1 }, 0, 0), "no days for what follows");
    assert!(with(withdrawn(), 55, 0) && with(withdrawn(), 55, 6), "no such kind");
    assert!(with(withdrawn(), 44, 0) && with(withdrawn(), 54, 2), "no clerk, no such grade");
    assert!(with(irrelevant(), 56, 0) && with(irrelevant(), 56, 6), "no such reason");
    assert!(with(Deed::DENY, 1, 1), "a certificate of nothing");
    assert!(with(Deed::GRANT, 0, 2) && with(Deed::Close(Closing::Void), 0, 6), "no such word");
}

#[test]
fn a_clock_that_was_years_ahead_costs_no_years_of_counting() {
    let case = acts(&[(Deed::Accept, 0), (PAUSE, 2)]);
    let ended = done(&case, Deed::EndProcedure, u64::MAX).unwrap();
    assert_eq!(due(&ended, ClockKind::Decision, MONDAY).unwrap(), CivilDay::MAX.to_string());
    let withdrawn = acts(&[(Deed::Accept, 0), (Deed::Withdraw, 1)]);
    assert_eq!(due(&withdrawn, ClockKind::Decision, MONDAY), None, "nothing is to be decided any more");
}

fn matter() -> Matter {
    Matter { promised_days: 7, offline_decision: true, ..common::matter("CITY-1", Tier::City) }
}

/// Of a year without holidays: Mondays to Fridays count.
fn clock(case: &Case, kind: ClockKind, today: u64) -> Option<Clock> {
    let today = CivilDay::of_wall(today);
    clocks(case, &matter(), &Calendar::default(), today).into_iter().rfind(|clock| clock.kind == kind)
}

fn due(case: &Case, kind: ClockKind, today: u64) -> Option<String> {
    clock(case, kind, today)?.due.map(|due| due.day.to_string())
}

fn acts(deeds: &[(Deed, u64)]) -> Case {
    let begin = received(hall().hall);
    deeds.iter().fold(begin, |case, (deed, day)| done(&case, *deed, MONDAY + day * DAY).unwrap())
}

#[test]
fn each_clock_runs_from_its_own_event() {
    let case =
        acts(&[(Deed::RequestCorrection, 1), (Deed::Supplement, 3), (Deed::Accept, 4), (Deed::GRANT, 8)]);
    let now = MONDAY + 9 * DAY;
    let said = |kind| due(&case, kind, now).unwrap();
    assert_eq!(said(ClockKind::Notice), "2026-03-12", "five working days after the supplement of Thursday");
    assert_eq!(said(ClockKind::Correction), "2026-03-31");
    let slow = acts(&[(Deed::RequestCorrection, 1), (Deed::Supplement, 0)]);
    assert!(
        clock(&slow, ClockKind::Correction, now).unwrap().met.is_some(),
        "a window's clock may be behind"
    );
    assert_eq!(said(ClockKind::Promise), "2026-03-17");
    assert_eq!(said(ClockKind::Decision), "2026-04-03");
    assert_eq!(said(ClockKind::Delivery), "2026-03-24");
    let kept = |kind| clock(&case, kind, now).unwrap().on(&Calendar::default(), CivilDay::of_wall(now));
    assert_eq!(kept(ClockKind::Decision), Reading::Kept);
    assert_eq!(kept(ClockKind::Delivery), Reading::Runs { left: 9 });
}

#[test]
fn who_is_told_nothing_counts_as_accepted_since_the_application_came() {
    let silent = acts(&[]);
    assert_eq!(due(&silent, ClockKind::Decision, MONDAY + 7 * DAY), None, "the fifth working day");
    assert_eq!(due(&silent, ClockKind::Decision, MONDAY + 8 * DAY).unwrap(), "2026-03-30");
    let late = acts(&[(Deed::Accept, 9)]);
    assert_eq!(
        due(&late, ClockKind::Decision, MONDAY + 30 * DAY).unwrap(),
        "2026-03-30",
        "not from acceptance"
    );
}

#[test]
fn a_special_procedure_stops_the_clock_and_an_extension_lengthens_it() {
    let paused = acts(&[(Deed::Accept, 0), (PAUSE, 2)]);
    let stands = clock(&paused, ClockKind::Promise, MONDAY + 20 * DAY).unwrap();
    let reading = stands.on(&Calendar::default(), CivilDay::of_wall(MONDAY + 20 * DAY));
    assert_eq!(reading, Reading::StandsStill { left: 5 }, "Tuesday and Wednesday are used up");
    let ended =
        acts(&[(Deed::Accept, 0), (PAUSE, 2), (Deed::EndProcedure, 9), (Deed::Extend { days: 3 }, 9)]);
    assert_eq!(
        due(&ended, ClockKind::Promise, MONDAY).unwrap(),
        "2026-03-23",
        "5 + 3 days after Wednesday the 11th"
    );
}

/// A log of acts, each at some day after the one before: only those that are allowed are kept.
fn logs() -> impl Strategy<Value = Vec<(Deed, u64)>> {
    let deeds: Vec<Deed> = deeds().into_iter().map(|(_, deed)| deed).collect();
    prop::collection::vec((prop::sample::select(deeds), 0..6_u64), 0..40)
}

fn folded(log: &[(Deed, u64)]) -> Vec<(Case, u64)> {
    let mut cases = vec![(received(hall().hall), MONDAY)];
    for (deed, days) in log {
        let (case, wall) = cases.last().unwrap();
        let wall = wall + days * DAY;
        let today = CivilDay::of_wall(wall);
        let overdue = clock(case, ClockKind::Decision, wall)
            .is_some_and(|clock| clock.on(&Calendar::default(), today) == Reading::Missed);
        if matches!(deed, Deed::Extend { .. }) && overdue {
            // The hall refuses that, by its calendar.
            continue;
        }
        if let Ok(next) = done(case, *deed, wall) {
            cases.push((next, wall));
        }
    }
    cases
}

proptest! {
    #[test]
    fn a_prefix_never_contradicts_the_whole(log in logs()) {
        let cases = folded(&log);
        for pair in cases.windows(2) {
            let [(before, _), (after, _)] = pair else { unreachable!() };
            prop_assert!(before.accepted.is_none_or(|_| after.accepted == before.accepted));
            prop_assert!(before.ended.is_none_or(|_| after.ended == before.ended));
            prop_assert!(before.granted.is_none_or(|_| after.granted == before.granted));
            prop_assert!(before.delivered.is_none_or(|_| after.delivered == before.delivered));
            prop_assert!(!before.is_over() || after.is_over());
            prop_assert!(before.revoked.is_none_or(|_| after.revoked == before.revoked));
            prop_assert!(before.notices.iter().zip(&after.notices).all(|(old, new)| old.from == new.from && old.to.is_none_or(|_| old.to == new.to)));
            prop_assert!(after.corrections >= before.corrections && after.extended >= before.extended);
        }
        for (case, _) in &cases {
            prop_assert_eq!(case.ended.is_some(), case.ending.is_some());
            let ended = !matches!(case.state, State::Received | State::AwaitingCorrection | State::Supplemented | State::Accepted | State::Suspended);
            prop_assert_eq!(case.ended.is_some(), ended);
        }
    }

    #[test]
    fn remaining_time_never_grows_without_a_lawful_event(log in logs()) {
        let calendar = Calendar::default();
        let cases = folded(&log);
        for (at, (case, wall)) in cases.iter().enumerate() {
            let until = cases.get(at + 1).map_or(wall + 9 * DAY, |(_, wall)| *wall);
            let left = |case: &Case, wall: u64, kind| {
                let reading = clock(case, kind, wall)?.on(&calendar, CivilDay::of_wall(wall));
                // What ran out has nothing left, and an extension comes too late for it.
                if reading == Reading::Missed { Some(0) } else { reading.left() }
            };
            for kind in [ClockKind::Promise, ClockKind::Decision] {
                let days: Vec<_> = (0..=(until - wall) / DAY).filter_map(|day| left(case, wall + day * DAY, kind)).collect();
                prop_assert!(days.is_sorted_by(|earlier, later| later <= earlier), "{:?} {:?}", kind, days);
                let Some((next, then)) = cases.get(at + 1) else { continue };
                let (before, now) = (left(case, *then, kind), left(next, *then, kind));
                let lawful = next.extended > case.extended;
                if let (Some(before), Some(now)) = (before, now) {
                    prop_assert!(now <= before || lawful, "{kind:?}: {before} then {now}");
                }
            }
        }
    }
}

/// The mirror that stays where another is replaced is the only witness of it; if it is lost as well, whoever is left goes on.
#[test]
fn a_mirror_that_is_left_alone_is_a_witness() {
    let mirror =
        |number: u64| HallAt { hall: HallId::from_u64(62_070_300_000_000 + number).unwrap(), incarnation: 1 };
    let [one, other, third] = [1, 2, 3].map(mirror);
    let replaced = |case: &Case, mirrors| {
        let digest = Digest([u8::try_from(case.events).unwrap() + 2; 32]);
        case.next(&header(Some(case), MONDAY, Facts::ReplaceMirror { mirrors }), digest).unwrap()
    };
    let both = replaced(&received(hall().hall), [Some(one), Some(other)]);
    assert!(both.is_witness(one) && both.is_witness(other));
    let stayed = replaced(&both, [Some(one), Some(third)]);
    assert!(stayed.is_witness(one) && !stayed.is_witness(third), "who is new may not know of the change");
    let alone = replaced(&stayed, [Some(third), None]);
    assert!(alone.is_witness(third));
    let two = replaced(&both, [Some(other), None]);
    assert!(two.is_witness(other) && two.stayed.is_none());
}
