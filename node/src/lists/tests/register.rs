use hallmesh_protocol::ids::{DivisionCode, Tier};

use super::super::sample::DIVISIONS;
use super::super::{Candidate, Codes, Mismatch, Register, RegisterError};

fn register() -> Register {
    Register::read_text(DIVISIONS).unwrap()
}

fn code(number: u64) -> DivisionCode {
    DivisionCode::from_u64(number).unwrap()
}

/// The code of the refusal and its candidates.
fn refusal(result: Result<(), Mismatch>) -> (&'static str, Vec<(u64, String, Codes)>) {
    let mismatch = result.unwrap_err();
    let brief = |it: &Candidate| (it.code.as_u64(), it.name.clone(), it.register);
    (mismatch.code(), mismatch.candidates.iter().map(brief).collect())
}

#[test]
fn the_register_knows_every_division_and_which_have_halls() {
    let register = register();
    assert_eq!(register.warnings(), []);
    assert_eq!(register.divisions().count(), 1_019);
    let of = |tier| register.real_halls().filter(|it| it.tier == tier).count();
    assert_eq!((of(Tier::City), of(Tier::County), of(Tier::Township), of(Tier::Village)), (1, 6, 65, 913));
    assert_eq!(register.name_of(code(620_702_100_000)), Some("梁家墩镇"));
    assert_eq!(register.name_of(code(620_702_999_000)), None);
}

#[test]
fn every_division_passes_under_its_own_name() {
    let register = register();
    for division in register.divisions() {
        register.check(division.code, &division.name).unwrap();
        register.check_hall(division.code, &format!("{}便民服务中心", division.name)).unwrap();
    }
}

#[test]
fn swapped_codes_are_refused_with_both_towns() {
    let register = register();
    for (one, other, first, second) in [
        (620_702_111_000, 620_702_112_000, "明永镇", "长安镇"),
        (620_724_104_000, 620_724_106_000, "合黎镇", "新坝镇"),
    ] {
        for (code_, name, other_code, other_name) in
            [(one, second, other, first), (other, first, one, second)]
        {
            let expected = (
                "lists.division_swapped",
                vec![
                    (code_, other_name.to_owned(), Codes::Statistical),
                    (code_, name.to_owned(), Codes::CivilAffairs),
                    (other_code, name.to_owned(), Codes::Statistical),
                ],
            );
            assert_eq!(refusal(register.check(code(code_), name)), expected);
            let hall = format!("{name}便民服务中心");
            assert_eq!(refusal(register.check_hall(code(code_), &hall)), expected);
        }
    }
}

#[test]
fn other_codes_and_names_that_do_not_fit_are_refused() {
    let register = register();
    let check = |number: u64, name: &str, expected: &str| {
        let mismatch = register.check(code(number), name).unwrap_err();
        assert_eq!(mismatch.code(), expected, "{number} {name}");
        mismatch.params()
    };
    let params = check(620_702_201_000, "平山湖蒙古族乡", "lists.division_civil_code");
    assert_eq!(params["candidate_code"], "620702211000");
    let params = check(620_702_100_000, "上秦镇", "lists.division_mismatch");
    assert_eq!(
        (params["name_at_code"].as_str(), params["candidate_code"].as_str()),
        ("梁家墩镇", "620702101000")
    );
    check(620_702_100_000, "无此镇", "lists.division_other_name");
    check(620_702_999_000, "上秦镇", "lists.division_unknown_code");
    check(620_702_999_000, "无此镇", "lists.division_unknown");
    check(620_702_201_000, "无此镇", "lists.division_civil_code");
    register.check(code(620_721_205_000), "祁丰藏族乡").unwrap();
}

#[test]
fn a_third_name_at_a_swapped_code_is_no_swap() {
    let register = register();
    for (name, expected) in [
        ("上秦镇", "lists.division_mismatch"),
        ("龙渠乡", "lists.division_mismatch"),
        ("无此镇", "lists.division_other_name"),
    ] {
        let mismatch = register.check(code(620_702_111_000), name).unwrap_err();
        assert_eq!(mismatch.code(), expected, "{name}");
        assert!(!mismatch.params().contains_key("civil_affairs_name"));
        assert_eq!(mismatch.params().get("candidate_name").is_some_and(|it| it == name), name != "无此镇");
        let civil = mismatch.candidates.iter().find(|it| it.register == Codes::CivilAffairs).unwrap();
        assert_eq!(civil.name, "长安镇");
    }
}

#[test]
fn halls_are_named_after_their_division() {
    let register = register();
    let good = |number: u64, name: &str| register.check_hall(code(number), name).unwrap();
    good(620_700_000_000, "张掖市政务服务中心");
    good(620_702_000_000, "甘州区政务服务中心");
    good(620_702_000_000, "张掖市甘州区政务服务中心");
    good(620_702_100_000, "梁家墩镇便民服务中心");
    good(620_702_100_000, "甘州区梁家墩镇便民服务中心");
    good(620_721_000_000, "肃南县政务服务中心");
    good(620_721_000_000, "肃南裕固族自治县政务服务中心");
    good(620_721_205_000, "祁丰乡便民服务中心");
    good(620_721_200_000, "肃南县马蹄藏族乡便民服务中心");
    let bad = |number: u64, name: &str| refusal(register.check_hall(code(number), name));
    assert_eq!(bad(620_702_000_000, "甘州市政务服务中心").0, "lists.division_other_name");
    let (refused, candidates) = bad(620_700_000_000, "张掖市甘州区政务服务中心");
    assert_eq!(refused, "lists.division_mismatch");
    assert_eq!(candidates[1].1, "甘州区");
    assert_eq!(bad(620_702_000_000, "甘州区梁家墩镇便民服务中心").0, "lists.division_mismatch");
    assert_eq!(bad(620_702_100_000, "上秦镇便民服务中心").1[1].0, 620_702_101_000);
}

#[test]
fn village_halls_drop_the_committee_from_their_name() {
    let register = register();
    let villages: Vec<_> = register.real_halls().filter(|it| it.name.ends_with("村村民委员会")).collect();
    assert!(villages.len() > 700);
    for village in villages {
        let short = village.name.strip_suffix("村民委员会").unwrap();
        let town = register.name_of(village.parent.unwrap()).unwrap();
        register.check_hall(village.code, &format!("{short}便民服务站")).unwrap();
        register.check_hall(village.code, &format!("{town}{short}便民服务站")).unwrap();
        let wrong = register.check_hall(village.parent.unwrap(), &format!("{town}{short}便民服务站"));
        assert!(wrong.unwrap_err().candidates.iter().any(|it| it.code == village.code));
    }
}

#[test]
fn each_mistake_in_the_register_is_reported_where_it_is() {
    let check = |from: &str, to: &str, line: u64, code: &str, suggestion: &str| {
        assert!(DIVISIONS.contains(from), "{from}");
        let Err(RegisterError::Refused { findings }) = Register::read_text(&DIVISIONS.replacen(from, to, 1))
        else {
            panic!("{from} -> {to} was let through");
        };
        let first = &findings[0];
        let suggested = first.suggestion.as_deref().unwrap_or("");
        assert_eq!((first.line, first.code, suggested), (line, code, suggestion), "{from} -> {to}");
    };
    check("county,620702000000", "town,620702000000", 3, "lists.tier_not_of_code", "county");
    check("620721000000,620700", "620702000000,620700", 4, "lists.duplicate_code", "");
    check(
        "620721000000,620700000000",
        "620721000000,620800000000",
        4,
        "lists.parent_not_of_code",
        "620700000000",
    );
    check("county,620721000000", "country,620721000000", 4, "lists.bad_enum", "county");
    check("mca_code12", "mca_code", 1, "lists.unknown_column", "mca_code12");
    let orphan = "tier,code12,parent12,name,mca_code12,note\ntown,620702100000,620702000000,梁家墩镇,,\n";
    let Err(RegisterError::Refused { findings }) = Register::read_text(orphan) else { panic!("no parent") };
    assert_eq!((findings[0].line, findings[0].code), (2, "lists.unknown_parent"));
}
