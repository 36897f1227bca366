//! What is found, in which order, and after which changes.

use hallmesh_protocol::catalogue::{Audience, Matter, MatterResult, ResultKind};
use hallmesh_protocol::ids::{BodyId, DivisionCode, Tier};

use super::Index;

const CITY: u64 = 620_700_000_000;
const COUNTY: u64 = 620_702_000_000;
const ELSEWHERE: u64 = 620_724_000_000;
const VILLAGE: u64 = 620_702_203_200;

fn division(code: u64) -> DivisionCode {
    DivisionCode::from_u64(code).unwrap()
}

fn matter(code: &str, name: &str, area: u64) -> Matter {
    let area = division(area);
    Matter {
        code: code.parse().unwrap(),
        name: name.to_owned(),
        kind: 1,
        level: Tier::City,
        area,
        body_name: "authority".to_owned(),
        body: BodyId::illustrative(area, 1),
        promised: true,
        audience: Audience::Both,
        legal_days: 20,
        promised_days: 10,
        materials: Vec::new(),
        result: MatterResult { kind: ResultKind::Licence, name: "licence".to_owned() },
        offline_decision: false,
        basis: String::new(),
        source: String::new(),
        verified: false,
    }
}

fn index() -> Index {
    let mut index = Index::default();
    for (code, name, area) in [
        ("ZYL-C-001", "食品经营许可证核发", CITY),
        ("ZYL-C-002", "食品经营许可证核发", COUNTY),
        ("ZYL-C-003", "食品经营许可证核发", ELSEWHERE),
        ("ZYL-D-001", "小作坊食品许可", CITY),
        ("ZYL-D-002", "银行开户许可证核发", CITY),
        ("ZYL-D-003", "C1驾驶证换领", CITY),
    ] {
        index.put(&matter(code, name, area));
    }
    index
}

fn found(text: &str) -> Vec<String> {
    codes(&index(), text, VILLAGE, 10)
}

fn codes(index: &Index, text: &str, here: u64, count: usize) -> Vec<String> {
    index.find(text, division(here), count).iter().map(ToString::to_string).collect()
}

#[test]
fn the_beginning_of_a_code_finds_it_and_what_follows_it() {
    assert_eq!(found("ZYL-D"), ["ZYL-D-001", "ZYL-D-003", "ZYL-D-002"]);
    assert_eq!(found("ZYL-C-002"), ["ZYL-C-002"]);
    assert!(found("YL-C").is_empty());
}

#[test]
fn what_holds_here_comes_before_what_holds_above_and_elsewhere() {
    assert_eq!(found("食品经营"), ["ZYL-C-002", "ZYL-C-001", "ZYL-C-003"]);
}

#[test]
fn a_name_that_begins_so_comes_before_one_that_contains_it_or_its_characters_apart() {
    assert_eq!(found("食品"), ["ZYL-C-002", "ZYL-C-001", "ZYL-C-003", "ZYL-D-001"]);
    assert_eq!(found("食品许可"), ["ZYL-D-001", "ZYL-C-002", "ZYL-C-001", "ZYL-C-003"]);
    assert!(found("许可食品").is_empty());
}

#[test]
fn first_letters_find_a_name_in_either_case_and_in_every_reading() {
    assert_eq!(found("spjy"), ["ZYL-C-002", "ZYL-C-001", "ZYL-C-003"]);
    assert_eq!(found("SPJYXKZ"), found("spjy"));
    assert_eq!(found("yhkh"), ["ZYL-D-002"]);
    assert_eq!(found("yxkh"), ["ZYL-D-002"]);
    assert_eq!(found("c1jsz"), ["ZYL-D-003"]);
    assert_eq!(found("jsz"), ["ZYL-D-003"]);
}

#[test]
fn every_word_must_be_found() {
    assert_eq!(found("核发 食品"), ["ZYL-C-002", "ZYL-C-001", "ZYL-C-003"]);
    assert_eq!(found("核发\u{3000}yhkh"), ["ZYL-D-002"]);
    assert!(found("核发 驾驶").is_empty());
    assert!(found("").is_empty() && found(" \u{3000}").is_empty());
}

#[test]
fn only_the_best_are_kept() {
    assert_eq!(codes(&index(), "食品", VILLAGE, 2), ["ZYL-C-002", "ZYL-C-001"]);
    assert!(codes(&index(), "食品", VILLAGE, 0).is_empty());
}

#[test]
fn an_edit_takes_the_place_of_what_was_listed_and_a_withdrawal_takes_it_away() {
    let mut index = index();
    index.put(&matter("ZYL-D-001", "烟花爆竹零售", CITY));
    assert!(codes(&index, "小作坊", CITY, 9).is_empty());
    assert_eq!(codes(&index, "yhbz", CITY, 9), ["ZYL-D-001"]);
    index.remove("ZYL-D-001");
    index.remove("ZYL-X-001");
    assert!(codes(&index, "yhbz", CITY, 9).is_empty());
    assert_eq!(index.len(), 5);
}

#[test]
fn long_and_odd_questions_are_read_up_to_a_bound() {
    let long = "食".repeat(100_000);
    assert!(found(&long).is_empty());
    assert!(found(&"a ".repeat(100_000)).is_empty());
    assert!(found("\u{0}\u{7f} %_*?[").is_empty());
}
