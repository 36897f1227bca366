use std::collections::BTreeMap;

use hallmesh_protocol::cases::{Reason, State};
use hallmesh_protocol::ids::Tier;

use super::*;
use crate::ops::{
    Case, Content, Contents, Copy, Event, Letter, Material, Matter, Overdue, Received, Route, Single,
    Standing, Status, Trace,
};
use crate::texts::Lang;

const LANGUAGES: [Lang; 2] = [Lang::Zh, Lang::En];
/// 2026-11-24 09:10:44 in Shanghai.
const WALL: u64 = 1_795_482_644_000;

fn texts(lang: Lang) -> Texts {
    Texts::new(lang)
}

fn text(lang: Lang, what: &Answer) -> String {
    answer(&texts(lang), what).join("\n")
}

fn material(name: &str, shared: bool) -> Material {
    Material { name: name.to_owned(), necessity: "required".to_owned(), shared }
}

fn matter() -> Matter {
    Matter {
        code: "ZYL-C-001".to_owned(),
        name: "种畜禽许可".to_owned(),
        kind: 1,
        level: "city".to_owned(),
        body: "农业农村局".to_owned(),
        body_code: "11620700MB1234567X".to_owned(),
        promised: true,
        legal_days: 20,
        promised_days: 10,
        materials: vec![material("申请表", false), material("营业执照", true)],
        result: "许可证".to_owned(),
        offline_decision: false,
        basis: "畜牧法".to_owned(),
        source: "illustrative".to_owned(),
        official: false,
        version: 3,
        digest: "ab".repeat(32),
        rights: vec!["receive".to_owned()],
    }
}

fn route() -> Route {
    Route {
        matter: "ZYL-C-001".to_owned(),
        matter_name: "种畜禽许可".to_owned(),
        from: "620702203200-00".to_owned(),
        from_name: "苗家堡村便民服务站".to_owned(),
        to: "620700000000-00".to_owned(),
        to_name: "张掖市政务服务中心".to_owned(),
        body: "农业农村局".to_owned(),
        reasons: vec![
            Reason::DecidedAt { tier: Tier::City, body_name: "农业农村局".to_owned() },
            Reason::NotDelegated,
        ],
        official: false,
    }
}

fn copy(events: u32, whole: bool) -> Copy {
    Copy { hall: "620702000000-00".to_owned(), name: "甘州区政务服务大厅".to_owned(), events, whole }
}

fn case() -> Case {
    Case {
        id: "0a".repeat(16),
        number: "620702203200-00-01-7K2D-20261124-00042-3".to_owned(),
        matter: "ZYL-C-001".to_owned(),
        matter_name: Some("种畜禽许可".to_owned()),
        official: false,
        state: State::Received,
        granted: None,
        place: "620702203200".to_owned(),
        receiving: "620702203200-00".to_owned(),
        receiving_name: "苗家堡村便民服务站".to_owned(),
        competent: "620700000000-00".to_owned(),
        competent_name: "张掖市政务服务中心".to_owned(),
        custodian: "620700000000-00".to_owned(),
        custodian_name: "张掖市政务服务中心".to_owned(),
        in_transit_to: None,
        term: 0,
        epoch: 1,
        events: 3,
        head: "cd".repeat(32),
        stage: "custodian".to_owned(),
        mirror: false,
        grade: "D2".to_owned(),
        mirrors: vec!["620702000000-00".to_owned()],
        copies: vec![copy(3, true)],
        decision: None,
        received: WALL,
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
        first_asked: "620702203200-00/1".to_owned(),
        bundle: None,
        task: None,
        statements: Vec::new(),
        revoked: None,
    }
}

fn trace_of(events: Vec<Event>) -> Trace {
    Trace {
        forks: Vec::new(),
        case: case(),
        events,
        orphans: vec![event(7, "decide", WALL)],
        waits_for: vec!["620702000000-00#1 Ganzhou".to_owned()],
    }
}

fn event(sequence: u32, what: &str, wall: u64) -> Event {
    Event {
        sequence,
        what: what.to_owned(),
        details: BTreeMap::from([
            ("to_name".to_owned(), "张掖市".to_owned()),
            ("purpose".to_owned(), "decide".to_owned()),
        ]),
        hall: "620702203200-00".to_owned(),
        hall_name: "苗家堡村便民服务站".to_owned(),
        clerk: (sequence == 0).then_some(7),
        term: 0,
        epoch: 0,
        wall,
        suspect_time: false,
        digest: "ef".repeat(32),
        signature: Some(sequence != 1),
        body_bytes: 0,
    }
}

fn status() -> Status {
    Status {
        version: "0.1.0".to_owned(),
        hall: "620702203200-00".to_owned(),
        name: "苗家堡村便民服务站".to_owned(),
        tier: "village".to_owned(),
        incarnation: 1,
        boot: 7,
        parent: Some("620702203000-00".to_owned()),
        charter_valid_to: WALL + 400 * 86_400_000,
        root: "K7HT".to_owned(),
        peer_id: "12D3".to_owned(),
        listening: vec!["/ip4/127.0.0.1/tcp/6207".to_owned()],
        peers: 2,
        wanted_peers: 2,
        directory_records: 20,
        list_records: 171,
        directory_root: "12".repeat(32),
        lists_root: "34".repeat(32),
        cases: 5,
        closed: 2,
        stages: BTreeMap::from([("custodian".to_owned(), 3), ("holder".to_owned(), 0)]),
        single: 0,
        single_since: None,
        post: 0,
        undeliverable: 0,
        overdue: Vec::new(),
        relayed: 0,
        forks: 0,
        known_forks: 0,
        twins: Vec::new(),
        rolled_back: None,
        refused: BTreeMap::new(),
        disk_free: 60 << 30,
        statements: 0,
        due: None,
        clock_doubted: false,
        up_ms: 3_600_000,
        wall: WALL,
        clock: WALL,
        sealed: "credential".to_owned(),
    }
}

#[test]
fn what_is_not_official_is_marked_in_every_view() {
    let received = Received {
        id: "0a".repeat(16),
        number: case().number,
        grade: "D1".to_owned(),
        copies: vec![copy(0, false)],
        route: route(),
        materials: vec![material("申请表", false)],
    };
    let views = [
        Answer::Matter(Box::new(matter())),
        Answer::Matters { matters: vec![matter()], more: false },
        Answer::Route(Box::new(route())),
        Answer::Received(Box::new(received)),
        Answer::Case(Box::new(case())),
        Answer::Cases { cases: vec![case()] },
        Answer::Trace(Box::new(trace_of(vec![event(0, "receive", WALL)]))),
    ];
    for view in views {
        assert!(text(Lang::Zh, &view).contains("[非官方示例]"), "{}", text(Lang::Zh, &view));
        assert!(text(Lang::En, &view).contains("[not official]"), "{}", text(Lang::En, &view));
    }
}

#[test]
fn every_answer_ends_with_the_next_command() {
    let answers = [
        Answer::Status(Box::new(status())),
        Answer::Peers { peers: Vec::new() },
        Answer::Halls { halls: Vec::new() },
        Answer::Matters { matters: Vec::new(), more: false },
        Answer::Matter(Box::new(matter())),
        Answer::Route(Box::new(route())),
        Answer::Cases { cases: Vec::new() },
        Answer::Case(Box::new(case())),
        Answer::Post { letters: Vec::new(), overdue: Vec::new() },
        Answer::Singles { singles: Vec::new(), count: 0, after: None },
        Answer::Clerks { clerks: Vec::new() },
        Answer::Recorded { case: "x".to_owned(), sequence: 3, decision: None },
        Answer::Published { records: 3 },
    ];
    for lang in LANGUAGES {
        for answer in &answers {
            let lines = super::answer(&texts(lang), answer);
            let last = lines.last().unwrap();
            assert!(last.contains("hallmesh "), "{lines:?}");
        }
    }
}

#[test]
fn no_parameter_and_no_key_is_left_in_what_people_read() {
    let events = vec![event(0, "receive", WALL), event(1, "transfer", WALL + 61_000)];
    let contents = Contents {
        number: "7".to_owned(),
        statements: Vec::new(),
        parts: vec![(0, "receive".to_owned(), Content::one("name", "甲"))],
        closed: vec![(1, "accept".to_owned())],
    };
    let answers = [
        Answer::Status(Box::new(status())),
        Answer::Matter(Box::new(matter())),
        Answer::Route(Box::new(route())),
        Answer::Case(Box::new(case())),
        Answer::Trace(Box::new(trace_of(events))),
        Answer::Contents(contents),
    ];
    for lang in LANGUAGES {
        for answer in &answers {
            let text = text(lang, answer);
            assert!(!text.contains(['{', '}']), "{text}");
            for key in
                ["field.", "column.", "state.", "stage.", "event.", "reason.", "status.", "case.", "tier."]
            {
                assert!(!text.contains(key), "{key} in\n{text}");
            }
        }
    }
}

#[test]
fn a_trace_tells_who_did_what_when_and_whose_signature_fails() {
    let events = vec![event(0, "receive", WALL), event(1, "transfer", WALL + 61_000)];
    let text = text(Lang::Zh, &Answer::Trace(Box::new(trace_of(events))));
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[2].contains("2026-11-24 09:10:44  苗家堡村便民服务站  7 号"), "{text}");
    assert!(lines[3].contains("自动"), "{text}");
    assert!(lines[3].contains("移交 → 张掖市, 送审  1 分 1 秒  ✖"), "{text}");
    assert!(text.contains("签名 1/2 ✔"), "{text}");
}

#[test]
fn the_next_step_of_a_case_is_what_this_hall_may_do() {
    let next = |change: fn(&mut Case)| {
        let mut it = case();
        change(&mut it);
        answer(&texts(Lang::En), &Answer::Case(Box::new(it))).pop().unwrap()
    };
    assert!(next(|_| {}).contains("case accept"));
    assert!(next(|it| it.state = State::Accepted).contains("case decide"));
    assert!(next(|it| it.stage = "holder".to_owned()).contains("case trace"));
    assert!(next(|it| it.in_transit_to = Some("x".to_owned())).contains("case trace"));
    assert!(next(|it| it.state = State::Delivered).contains("case export"));
    assert!(
        next(|it| {
            it.state = State::Decided;
            it.custodian.clone_from(&it.receiving);
        })
        .contains("case deliver")
    );
}

#[test]
fn status_warns_of_what_will_go_wrong() {
    let said = |change: fn(&mut Status)| {
        let mut it = status();
        change(&mut it);
        text(Lang::En, &Answer::Status(Box::new(it)))
    };
    assert!(!said(|_| {}).contains("! "));
    assert!(said(|it| it.peers = 0).contains("! Cut off"));
    assert!(said(|it| it.charter_valid_to = WALL).contains("! The charter runs out"));
    assert!(said(|it| it.disk_free = 5).contains("! Only 5 B left"));
    assert!(said(|it| it.list_records = 0).contains("! There is no list"));
    let single = |age: u64| {
        let mut it = status();
        (it.single, it.single_since) = (3, Some(WALL - age));
        text(Lang::En, &Answer::Status(Box::new(it)))
    };
    assert!(single(60_000).contains("3 on this disk only, the oldest for 1 min 0 s"), "{}", single(60_000));
    assert!(!single(60_000).contains("! ") && single(3_600_000).contains("! 3 cases"));
    assert!(single(3_600_000).ends_with("hallmesh post list --single"));
    let late = said(|it| (it.undeliverable, it.overdue) = (3, vec![overdue()]));
    assert!(late.contains("! Letters to 高台县政务服务大厅 620724000000-00"), "{late}");
    assert!(late.contains("! 2 more halls"), "{late}");
    assert!(said(|it| it.refused = BTreeMap::from([("malformed".to_owned(), 3)])).contains("malformed 3"));
}

#[test]
fn shared_materials_are_never_asked_for() {
    let text = text(Lang::En, &Answer::Matter(Box::new(matter())));
    let bring = text.lines().find(|line| line.starts_with("to bring")).unwrap();
    assert!(bring.contains("申请表") && !bring.contains("营业执照"), "{text}");
}

fn overdue() -> Overdue {
    let (hall, name) = ("620724000000-00".to_owned(), "高台县政务服务大厅".to_owned());
    Overdue { hall, name, waiting: 5_000, since: WALL - 4 * 86_400_000 }
}

fn standing(by: bool, offline: bool) -> Standing {
    let (hall, name) = ("620702000000-00".to_owned(), "甘州区政务服务大厅".to_owned());
    let standing = if by { "countersigned" } else { "provisional" }.to_owned();
    Standing { standing, hall: by.then_some(hall), name: by.then_some(name), offline }
}

#[test]
fn a_receipt_says_where_the_case_is_kept() {
    let received = |grade: &str, copies: Vec<Copy>| {
        let (id, grade) = ("0a".repeat(16), grade.to_owned());
        let received =
            Received { id, number: case().number, grade, copies, route: route(), materials: vec![] };
        text(Lang::En, &Answer::Received(Box::new(received)))
    };
    let second = "甘州区政务服务大厅 620702000000-00";
    let kept = received("D2", vec![copy(1, true)]);
    assert!(kept.contains(&format!("D2: on this hall's disk and whole at {second}")) && !kept.contains("! "));
    let single = received("D1", vec![copy(0, false)]);
    assert!(single.contains("D1: on this hall's disk only") && single.contains(second), "{single}");
    assert!(single.contains("! If this disk fails now"), "{single}");
    assert!(received("D1", vec![]).contains("no other hall is named to keep a copy"));
}

#[test]
fn a_decision_is_said_to_be_provisional_until_it_is_countersigned() {
    let shown = |decision: Standing, state| {
        let mut it = case();
        (it.state, it.granted, it.decision) = (state, Some(true), Some(decision));
        it.custodian.clone_from(&it.receiving);
        text(Lang::En, &Answer::Case(Box::new(it)))
    };
    let waits = shown(standing(false, false), State::Decided);
    assert!(waits.contains("decided, granted, provisional"), "{waits}");
    assert!(waits.ends_with("hallmesh post list --single"), "not deliver: {waits}");
    let offline = shown(standing(false, true), State::Decided);
    assert!(offline.contains("case deliver") && offline.contains("final by itself"), "{offline}");
    let last = shown(standing(true, false), State::Delivered);
    assert!(
        last.contains("final: countersigned by 甘州区政务服务大厅") && !last.contains("provisional"),
        "{last}"
    );
    let recorded = |decision| {
        text(Lang::Zh, &Answer::Recorded { case: "x".to_owned(), sequence: 5, decision: Some(decision) })
    };
    assert!(recorded(standing(false, true)).contains("! 临时决定"), "{}", recorded(standing(false, true)));
    assert!(!recorded(standing(true, true)).contains("! "));
}

#[test]
fn what_waits_is_listed_with_what_it_waits_for() {
    let letter = Letter {
        to: "620724000000-00".to_owned(),
        to_name: "高台县政务服务大厅".to_owned(),
        what: "copy".to_owned(),
        case: None,
        since: WALL,
        late: true,
        on_stick: Some(WALL.saturating_add(3_600_000)),
    };
    let post = text(Lang::En, &Answer::Post { letters: vec![letter], overdue: vec![overdue()] });
    assert!(post.contains("2026-11-24 09:10:44 !") && post.contains("5000 wait"), "{post}");
    assert!(post.contains("2026-11-24 10:10:44"), "since when it is on a stick: {post}");
    let single = Single {
        id: "0a".repeat(16),
        number: "7".to_owned(),
        state: "received".to_owned(),
        stage: "custodian".to_owned(),
        since: WALL,
        copies: vec![copy(0, false)],
    };
    let mark = Some(format!("{WALL}-{}", "0a".repeat(16)));
    let page = text(Lang::En, &Answer::Singles { singles: vec![single], count: 9, after: mark });
    assert!(page.contains("甘州区政务服务大厅") && page.contains("1 of 9"), "{page}");
    assert!(page.contains("hallmesh post list --single --after 1795482644000-0a0a"), "{page}");
}
