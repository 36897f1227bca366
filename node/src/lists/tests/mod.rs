mod bundles;
mod exchange;
mod export;
mod planted;
mod register;
mod sheets;
mod site;

use std::fs;
use std::io::ErrorKind;

use hallmesh_protocol::calendar::{CivilDay, TimeRules};
use hallmesh_protocol::catalogue::{Delegation, Matter, ResultKind};

use super::sample::{BUNDLES, CALENDAR, DELEGATIONS, MATTERS};
use super::*;

const HEADER: &str = "code,name,type,level,body,item_kind,audience,legal_days,promised_days,materials,\
                      result_kind,result,offline_decision,basis,source,verified";
const ROW: &str = "Z-1,建房审批,01,county,甘州区农业农村局,promised,person,20,10,申请表|required|applicant,\
                   approval,批准书,waits,土地管理法,sample,no";
const GRANTS: &str = "matter,grantee_tier,grantee_prefix,rights,valid_from,valid_to,source,verified";
const GRANT: &str = "Z-1,township,6207,receive+accept,2024-01-01,2024-12-31,sample,no";

fn city() -> DivisionCode {
    sample::city()
}

fn matters_file(rows: &[String]) -> String {
    format!("{HEADER}\n{}\n", rows.join("\n"))
}

fn import_matters(text: &str) -> Import {
    import_text(&ListTexts { matters: Some(text), ..ListTexts::default() }, city()).unwrap()
}

/// A good list of one matter, and these grants.
fn import_grants(text: &str) -> Import {
    let matters = matters_file(&[ROW.to_owned()]);
    let texts = ListTexts { matters: Some(&matters), delegations: Some(text), ..ListTexts::default() };
    import_text(&texts, city()).unwrap()
}

fn import_calendar(text: &str) -> Import {
    import_text(&ListTexts { calendar: Some(text), ..ListTexts::default() }, city()).unwrap()
}

/// Severity, line, column, code and suggestion of each finding.
fn seen(import: &Import) -> Vec<(Severity, u64, &str, &str, &str)> {
    import
        .findings
        .iter()
        .map(|it| {
            let column = it.column.as_deref().unwrap_or("");
            (it.severity, it.line, column, it.code, it.suggestion.as_deref().unwrap_or(""))
        })
        .collect()
}

/// One mistake, planted in the third line of an otherwise good file, is the only error and stops the import.
fn check_matter(from: &str, to: &str, column: &str, code: &str, suggestion: &str) {
    assert!(ROW.contains(from), "{from}");
    let good = ROW.replace("Z-1", "Z-0").replace("建房", "修路");
    let import = import_matters(&matters_file(&[good, ROW.replacen(from, to, 1)]));
    assert_eq!(seen(&import), [(Severity::Error, 3, column, code, suggestion)], "{from} -> {to}");
    assert!(import.bodies.is_empty() && import.is_refused());
}

fn check_grant(from: &str, to: &str, column: &str, code: &str, suggestion: &str) {
    assert!(GRANT.contains(from), "{from}");
    let import = import_grants(&format!("{GRANTS}\n{}\n", GRANT.replacen(from, to, 1)));
    assert_eq!(seen(&import), [(Severity::Error, 2, column, code, suggestion)], "{from} -> {to}");
    assert!(import.bodies.is_empty());
}

/// Something that is mended: one warning, and the import goes on.
fn check_mended(from: &str, to: &str, column: &str, code: &str) -> Matter {
    assert!(ROW.contains(from), "{from}");
    let import = import_matters(&matters_file(&[ROW.replacen(from, to, 1)]));
    assert_eq!(seen(&import), [(Severity::Warning, 2, column, code, "")], "{from} -> {to}");
    matters_of(&import).remove(0)
}

fn matters_of(import: &Import) -> Vec<Matter> {
    let matter = |body: &Body| if let Body::Matter(it) = body { Some((**it).clone()) } else { None };
    import.bodies.iter().filter_map(matter).collect()
}

fn delegations_of(import: &Import) -> Vec<Delegation> {
    let delegation = |body: &Body| if let Body::Delegation(it) = body { Some(it.clone()) } else { None };
    import.bodies.iter().filter_map(delegation).collect()
}

#[test]
fn the_sample_city_imports_without_a_finding() {
    let texts = ListTexts {
        matters: Some(MATTERS),
        delegations: Some(DELEGATIONS),
        calendar: Some(CALENDAR),
        bundles: Some(BUNDLES),
    };
    let import = import_text(&texts, city()).unwrap();
    assert_eq!(import.findings, []);
    let matters = matters_of(&import);
    assert_eq!((matters.len(), delegations_of(&import).len(), import.bodies.len()), (144, 24, 171));
    assert_eq!(sample_bodies().unwrap(), import.bodies);
    for (name, body) in matters.iter().map(|it| (&it.body_name, it.body)) {
        assert!(body.is_illustrative());
        assert!(matters.iter().all(|it| (&it.body_name == name) == (it.body == body)), "{name}");
    }
    let mut keys: Vec<_> = import.bodies.iter().map(Body::key).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), import.bodies.len());
}

#[test]
fn files_are_read_like_texts() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str, text: &str| {
        fs::write(dir.path().join(name), text).unwrap();
        Some(dir.path().join(name))
    };
    let files = ListFiles {
        matters: at("m.csv", &format!("\u{FEFF}{}", MATTERS.replace('\n', "\r\n"))),
        delegations: at("d.csv", DELEGATIONS),
        calendar: at("c.json", CALENDAR),
        bundles: at("b.json", BUNDLES),
        ..ListFiles::default()
    };
    let import = import(&files, city()).unwrap();
    assert_eq!(import.findings, []);
    assert_eq!(import.bodies, sample_bodies().unwrap());
}

#[test]
fn a_missing_file_and_no_file_are_told_apart() {
    let missing = ListFiles { matters: Some("/nonexistent/m.csv".into()), ..ListFiles::default() };
    let error = import(&missing, city()).unwrap_err();
    assert_eq!((error.code(), error.params()["file"].as_str()), ("lists.unreadable", "/nonexistent/m.csv"));
    assert!(matches!(error, ImportError::Unreadable { source, .. } if source.kind() == ErrorKind::NotFound));
    assert_eq!(import(&ListFiles::default(), city()).unwrap_err().code(), "lists.nothing_given");
}

#[test]
fn each_mistake_in_a_matter_is_reported_where_it_is() {
    check_matter(",20,10,", ",10,20,", "promised_days", "lists.promise_above_law", "10");
    check_matter("promised,", "promise,", "item_kind", "lists.bad_enum", "promised");
    check_matter(",county,", ",conty,", "level", "lists.bad_enum", "county");
    check_matter(",person,", ",Persons,", "audience", "lists.bad_enum", "person");
    check_matter(",waits,", ",nix,", "offline_decision", "lists.bad_enum", "");
    check_matter(",01,", ",21,", "type", "lists.bad_enum", "01");
    check_matter(",20,10,", ",20个工作日,10,", "legal_days", "lists.bad_number", "20");
    check_matter(",20,10,", ",+20,10,", "legal_days", "lists.bad_number", "");
    check_matter(",20,10,", ",20,0,", "promised_days", "lists.bad_number", "");
    check_matter(",20,10,", ",9999,10,", "legal_days", "lists.bad_number", "");
    check_matter("Z-1,", "Z-0,", "code", "lists.duplicate_code", "");
    check_matter("Z-1,", "Z\u{4E00},", "code", "lists.bad_code_character", "");
    check_matter("Z-1,", "6.20702E+11,", "code", "lists.rounded_code", "");
    check_matter("建房审批", "", "name", "lists.empty", "");
    check_matter("建房审批", "建\u{7}房", "name", "lists.control_character", "建房");
    check_matter("建房审批", "建\u{200B}房", "name", "lists.control_character", "建房");
    check_matter("建房审批", "\"建房\n审批\"", "name", "lists.line_break", "");
    check_matter("建房审批", &"建".repeat(201), "name", "lists.too_long", "");
    check_matter(",no", ",maybe", "verified", "lists.bad_enum", "");
    check_matter(",no", ",yes", "verified", "lists.verified_without_body_code", "");
    check_matter("sample,no", "no", "", "lists.row_width", "");
    check_matter("sample,no", "sam\"ple\",no,x", "", "lists.row_width", "");
    check_matter("sample,no", "\"sample,no", "", "lists.quote", "");
}

#[test]
fn each_mistake_in_materials_is_reported() {
    let check = |to: &str, code: &str, suggestion: &str| {
        check_matter("申请表|required|applicant", to, "materials", code, suggestion);
    };
    check("申请表|required", "lists.bad_material", "");
    check(
        "申请（表）｜required｜applicant；照片｜optional｜applicant",
        "lists.bad_material",
        "申请（表）|required|applicant;照片|optional|applicant",
    );
    check("申请表|require|applicant", "lists.bad_enum", "required");
    check("申请表|required|share", "lists.bad_enum", "shared");
    check("|required|shared", "lists.material_name", "");
    check("甲|required|shared;甲|optional|shared", "lists.duplicate_material", "");
    check(&"甲|required|shared;".repeat(65), "lists.too_many_materials", "");
    let long: Vec<_> = (0..64).map(|it| format!("{it:甲>199}|optional|applicant")).collect();
    assert!(
        import_matters(&matters_file(&[ROW.replace("申请表|required|applicant", &long.join(";"))]))
            .findings
            .is_empty()
    );
}

#[test]
fn nobody_is_asked_for_what_is_shared_elsewhere_in_the_list() {
    let shared = ROW.replace("Z-1", "Z-0").replace("建房", "修路").replace("applicant", "shared");
    let import = import_matters(&matters_file(&[ROW.to_owned(), shared]));
    let expected = (Severity::Error, 2, "materials", "lists.asks_shared_material", "申请表|required|shared");
    assert_eq!(seen(&import), [expected]);
    assert_eq!(import.findings[0].params["shared_line"], "3");
}

#[test]
fn each_mistake_in_the_header_is_reported() {
    let check = |header: &str, expected: &[(&str, &str, &str)]| {
        let import = import_matters(&format!("{header}\n{ROW}\n"));
        let seen: Vec<_> = seen(&import).into_iter().map(|it| (it.2, it.3, it.4)).collect();
        assert_eq!(seen, expected, "{header}");
        assert!(import.findings.iter().all(|it| it.line == 1) && import.bodies.is_empty());
    };
    check(
        &HEADER.replace("promised_days", "promise_days"),
        &[
            ("promise_days", "lists.unknown_column", "promised_days"),
            ("promised_days", "lists.missing_column", ""),
        ],
    );
    check(
        &HEADER.replace("basis", "name"),
        &[("name", "lists.duplicate_column", ""), ("basis", "lists.missing_column", "")],
    );
    check(&HEADER.replace(',', ";"), &[("", "lists.separator", ",")]);
    check(&HEADER.replace(',', "\t"), &[("", "lists.separator", ",")]);
}

#[test]
fn empty_files_are_refused_and_empty_lists_are_noted() {
    assert_eq!(seen(&import_matters("")), [(Severity::Error, 1, "", "lists.empty_file", "")]);
    assert_eq!(seen(&import_matters("\n\n")), [(Severity::Error, 1, "", "lists.empty_file", "")]);
    assert_eq!(seen(&import_matters(HEADER)), [(Severity::Warning, 1, "", "lists.no_rows", "")]);
}

#[test]
fn columns_may_stand_in_any_order_and_spreadsheets_may_leave_empty_cells() {
    let turn = |line: &str| line.split(',').rev().collect::<Vec<_>>().join(",");
    let text = format!("{},,\n{},,\n,,,,\n\n", turn(HEADER), turn(ROW));
    let import = import_matters(&text);
    assert_eq!(import.findings, []);
    assert_eq!(import.bodies, import_matters(&matters_file(&[ROW.to_owned()])).bodies);
}

#[test]
fn what_is_harmless_is_mended_with_a_warning() {
    assert_eq!(
        check_mended(",20,10,", ",\u{FF12}\u{FF10},10,", "legal_days", "lists.full_width").legal_days,
        20
    );
    assert_eq!(check_mended("建房审批", "\u{3000}建房审批 ", "name", "lists.stray_space").name, "建房审批");
    assert_eq!(check_mended(",01,", ",1,", "type", "lists.leading_zero").kind, 1);
    let basis =
        check_mended("土地管理法", "\"土地管理法\r\n第六十二条\"", "basis", "lists.line_break_joined").basis;
    assert_eq!(basis, "土地管理法 第六十二条");
}

#[test]
fn lines_are_counted_as_an_editor_shows_them() {
    let two =
        ROW.replace("Z-1", "Z-2").replace("土地管理法", "\"土地\n管理\n法\"").replace("sample", "s\u{7}");
    let three = ROW.replace("Z-1", "Z-3").replace(",waits,", ",wait,").replace("建房", "修桥");
    for break_ in ["\n", "\r\n", "\r"] {
        let text = format!("{HEADER}\n\n{two}\n\n\n{three}\n").replace('\n', break_);
        let import = import_matters(&text);
        let lines: Vec<_> = import.findings.iter().map(|it| (it.line, it.code)).collect();
        let joined = (3, "lists.line_break_joined");
        assert_eq!(lines, [joined, (5, "lists.control_character"), (8, "lists.bad_enum")], "{break_:?}");
    }
}

#[test]
fn every_mistake_of_every_file_is_reported_at_once() {
    let matters = matters_file(&[ROW.replace("person", "human").replace(",20,10,", ",x,y,")]);
    let grants = format!("{GRANTS}\n{}\n", GRANT.replace("township", "town"));
    let texts = ListTexts {
        matters: Some(&matters),
        delegations: Some(&grants),
        calendar: Some("{\"2026\":{\"weekday_off\":[\"2026-1-1\"],\"weekend_on\":[]}}"),
        bundles: None,
    };
    let import = import_text(&texts, city()).unwrap();
    let seen: Vec<_> = import.findings.iter().map(|it| (it.file.as_str(), it.code)).collect();
    assert_eq!(
        seen,
        [
            ("calendar.json", "lists.bad_date"),
            ("delegations.csv", "lists.bad_enum"),
            ("matters.csv", "lists.bad_enum"),
            ("matters.csv", "lists.bad_number"),
            ("matters.csv", "lists.bad_number"),
        ]
    );
    assert!(import.bodies.is_empty());
}

#[test]
fn findings_are_bounded_and_warnings_hide_no_error() {
    let row = |it: usize| ROW.replace("Z-1", &format!("Z-{it}")).replace("建房", &format!(" 建房{it}"));
    let mut rows: Vec<_> = (0..FINDINGS_MAX + 50).map(row).collect();
    rows.push(ROW.replace("Z-1", "Z-last").replace("person", "human"));
    let import = import_matters(&matters_file(&rows));
    let of = |code: &str| import.findings.iter().filter(|it| it.code == code).count();
    assert_eq!((of("lists.stray_space"), of("lists.bad_enum")), (FINDINGS_MAX, 1));
    assert_eq!(import.findings.last().unwrap().params["count"], "50");
}

#[test]
fn rows_are_bounded() {
    let import = import_grants(&format!("{GRANTS}\n{}", format!("{GRANT}\n").repeat(ROWS_MAX + 1)));
    let finding = import.findings.iter().find(|it| it.code == "lists.too_many_rows").unwrap();
    assert_eq!(finding.line, u64::try_from(ROWS_MAX).unwrap() + 2);
    assert!(import.bodies.is_empty());
}

#[test]
fn authorities_keep_their_own_codes() {
    let header = HEADER.replace(",item_kind", ",body_code,item_kind");
    let with = |code: &str, body: &str| {
        ROW.replace("Z-1", code).replace("农业农村局,", &format!("农业农村局,{body},")).replace("建房", code)
    };
    let text = |rows: &[String]| format!("{header}\n{}\n", rows.join("\n"));
    let official = hallmesh_protocol::ids::BodyId::illustrative(city(), 77).to_string();
    let import = import_matters(&text(&[with("Z-1", ""), with("Z-2", &official)]));
    assert_eq!(import.findings, []);
    assert!(matters_of(&import).iter().all(|it| it.body.to_string() == official));
    let check = if official.ends_with('0') { "1" } else { "0" };
    let mistyped = format!("{}{check}", &official[..17]);
    let import = import_matters(&text(&[with("Z-1", &mistyped)]));
    assert_eq!(import.findings[0].suggestion.as_deref(), Some(official.as_str()));
    assert_eq!(import.findings[0].column.as_deref(), Some("body_code"));
    assert_eq!(import.findings[0].code, "lists.bad_code_check");
    let other = hallmesh_protocol::ids::BodyId::illustrative(city(), 78).to_string();
    let import = import_matters(&text(&[with("Z-1", &official), with("Z-2", &other)]));
    assert_eq!(seen(&import), [(Severity::Warning, 3, "body", "lists.body_two_codes", "")]);
    let implementation = format!("{official}3012345678901");
    let import = import_matters(&text(&[with(&implementation[..31], "")]));
    assert_eq!(matters_of(&import)[0].body.to_string(), official);
    let import = import_matters(&text(&[with(&implementation[..31], &other)]));
    assert_eq!(import.findings[0].code, "lists.body_not_in_code");
}

#[test]
fn a_county_cannot_list_what_the_city_decides() {
    let county = DivisionCode::from_u64(620_702_000_000).unwrap();
    let text = matters_file(&[ROW.replace(",county,", ",city,")]);
    let texts = ListTexts { matters: Some(&text), ..ListTexts::default() };
    assert_eq!(
        seen(&import_text(&texts, county).unwrap()),
        [(Severity::Error, 2, "level", "lists.level_above_area", "")]
    );
    assert_eq!(import_matters(&text).findings, []);
}

#[test]
fn a_register_entry_is_a_record_in_the_file() {
    let import = import_matters(&matters_file(&[ROW.replace(",approval,", ",record,")]));
    assert_eq!(matters_of(&import)[0].result.kind, ResultKind::Register);
    check_matter(",approval,", ",records,", "result_kind", "lists.bad_enum", "record");
}

#[test]
fn each_mistake_in_a_delegation_is_reported_where_it_is() {
    check_grant("Z-1", "Z-9", "matter", "lists.unknown_matter", "Z-1");
    check_grant("township", "town", "grantee_tier", "lists.bad_enum", "township");
    check_grant("6207", "62070", "grantee_prefix", "lists.bad_code_length", "");
    check_grant("6207", "6208", "grantee_prefix", "lists.outside_city", "");
    check_grant("6207", "620702001001", "grantee_prefix", "lists.prefix_below_tier", "");
    check_grant("6207", "6.20702E+11", "grantee_prefix", "lists.rounded_code", "");
    check_grant("+accept", "+acept", "rights", "lists.bad_enum", "accept");
    check_grant("township", "village", "rights", "lists.rights_beyond_tier", "");
    check_grant("2024-01-01", "2024/1/1", "valid_from", "lists.bad_date", "2024-01-01");
    check_grant("2024-12-31", "20240231", "valid_to", "lists.bad_date", "");
    check_grant("2024-12-31", "2023-12-31", "valid_to", "lists.ends_before_it_begins", "");
    check_grant("2024-01-01", "1970-01-01", "valid_from", "lists.day_before_1970", "");
    let import = import_grants(&format!("{GRANTS}\n{GRANT}\n{}\n", GRANT.replace("+accept", "")));
    assert_eq!(seen(&import), [(Severity::Error, 3, "", "lists.duplicate_delegation", "")]);
}

#[test]
fn a_delegation_holds_from_its_first_day_to_its_last() {
    let import = import_grants(&format!("{GRANTS}\n{GRANT}\n"));
    let delegation = delegations_of(&import).remove(0);
    let day = |wall: u64| CivilDay::of_wall(wall).to_string();
    assert_eq!(delegation.valid_from, 1_704_038_400_000);
    assert_eq!(
        (day(delegation.valid_from - 1), day(delegation.valid_from)),
        ("2023-12-31".into(), "2024-01-01".into())
    );
    assert_eq!(
        (day(delegation.valid_to - 1), day(delegation.valid_to)),
        ("2024-12-31".into(), "2025-01-01".into())
    );
    assert_eq!(delegation.area, city());
    assert!(delegation.rights.receive && delegation.rights.accept && !delegation.rights.issue);
}

#[test]
fn delegations_without_a_list_are_not_checked_against_it() {
    let text = format!("{GRANTS}\n{GRANT}\n");
    let texts = ListTexts { delegations: Some(&text), ..ListTexts::default() };
    let import = import_text(&texts, city()).unwrap();
    assert_eq!(seen(&import), [(Severity::Warning, 2, "matter", "lists.matters_not_checked", "")]);
    assert_eq!(import.bodies.len(), 1);
}

#[test]
fn each_mistake_in_the_calendar_is_reported_where_it_is() {
    let check = |from: &str, to: &str, line: u64, code: &str, suggestion: &str| {
        assert!(CALENDAR.contains(from), "{from}");
        let import = import_calendar(&CALENDAR.replacen(from, to, 1));
        let finding = &import.findings[0];
        let suggested = finding.suggestion.as_deref().unwrap_or("");
        assert_eq!((finding.line, finding.code, suggested), (line, code, suggestion), "{from} -> {to}");
        assert!(import.bodies.is_empty());
    };
    check("2020-01-24", "2020/1/24", 5, "lists.bad_date", "2020-01-24");
    check("2020-01-24", "2020-02-30", 5, "lists.bad_date", "");
    check("2020-01-24", "2020-01-25", 5, "lists.no_weekday", "");
    check("2020-01-19", "2020-01-20", 25, "lists.no_weekend_day", "");
    check("2020-01-24", "2021-01-22", 5, "lists.day_of_other_year", "");
    check("2020-01-27", "2020-01-24", 6, "lists.duplicate_day", "");
    check("weekend_on", "weekends_on", 2, "lists.missing_column", "");
    check("\"2021\"", "\"2020\"", 33, "lists.duplicate_year", "");
    check("\"2021\"", "\"21\"", 33, "lists.bad_year", "");
    check("\"2020-01-24\",", "\"2020-01-24\"", 6, "lists.json_syntax", "");
    check("\"2020-01-24\"", "20200124", 5, "lists.json_shape", "");
    assert_eq!(import_calendar("{\"2026\":{").findings[0].code, "lists.json_ends");
    assert_eq!(import_calendar("{}").findings[0].code, "lists.empty_file");
    let misspelt = import_calendar(&CALENDAR.replacen("weekend_on", "weekends_on", 1));
    assert_eq!(
        (misspelt.findings[1].line, misspelt.findings[1].suggestion.as_deref()),
        (24, Some("weekend_on"))
    );
}

#[test]
fn a_year_without_holidays_is_doubted() {
    let import = import_calendar("{\"2027\":{\"weekday_off\":[],\"weekend_on\":[]}}");
    assert_eq!(seen(&import), [(Severity::Warning, 1, "weekday_off", "lists.year_without_holidays", "")]);
}

#[test]
fn a_row_pasted_twice_under_a_new_code_is_doubted() {
    let import = import_matters(&matters_file(&[ROW.to_owned(), ROW.replace("Z-1", "Z-2")]));
    assert_eq!(seen(&import), [(Severity::Warning, 3, "name", "lists.duplicate_name", "")]);
    assert_eq!(import.bodies.len(), 2);
}

#[test]
fn what_would_not_fit_a_record_is_refused() {
    let wide = |it: u32| format!("{it:\u{20000}>199}|optional|applicant");
    let materials: Vec<_> = (0..64).map(wide).collect();
    let row = ROW.replace("申请表|required|applicant", &materials.join(";"));
    let row = row
        .replace("土地管理法", &"\u{20000}".repeat(TEXT_MAX))
        .replace("sample", &"\u{20000}".repeat(TEXT_MAX));
    let import = import_matters(&matters_file(&[row]));
    assert_eq!(seen(&import), [(Severity::Error, 2, "", "lists.row_too_long", "")]);
}

#[test]
fn limits_come_with_the_calendar() {
    let year = "\"2026\":{\"weekday_off\":[\"2026-01-01\"],\"weekend_on\":[]}";
    let with = |rules: &str| import_calendar(&format!("{{{year},\n\"rules\":{rules}}}"));
    let rules = |import: &Import| match import.bodies.first() {
        Some(Body::Calendar(calendar)) => *calendar.rules(),
        other => panic!("{other:?}: {:?}", import.findings),
    };
    assert_eq!(rules(&import_calendar(&format!("{{{year}}}"))), TimeRules::STATUTORY);
    let other = TimeRules { notice_days: 3, extension_days: 15, ..TimeRules::STATUTORY };
    assert_eq!(rules(&with("{\"notice_days\":3,\"extension_days\":15}")), other);
    let wrong = [
        ("{\"notice_days\":0}", "lists.bad_limit"),
        ("{\"notice_days\":[\"2026-01-01\"]}", "lists.bad_limit"),
        ("{\"notice_day\":3}", "lists.unknown_column"),
        ("{},\"rules\":{}", "lists.duplicate_column"),
        ("{},\"2027\":{\"weekday_off\":3,\"weekend_on\":[]}", "lists.no_days"),
    ];
    for (rules, code) in wrong {
        let import = with(rules);
        assert!(import.bodies.is_empty(), "{rules}");
        assert!(
            import.findings.iter().any(|found| found.code == code && found.line >= 2),
            "{rules}: {:?}",
            import.findings
        );
    }
}

#[test]
fn years_and_days_of_a_calendar_are_bounded() {
    let days = vec!["\"2026-01-01\""; 65].join(",");
    let import = import_calendar(&format!("{{\"2026\":{{\"weekday_off\":[{days}],\"weekend_on\":[]}}}}"));
    assert_eq!(seen(&import), [(Severity::Error, 1, "weekday_off", "lists.too_many_days", "")]);
    let year = |it: u32| format!("\"{it}\":{{\"weekday_off\":[],\"weekend_on\":[]}}");
    let years: Vec<_> = (2000..2101).map(year).collect();
    let import = import_calendar(&format!("{{{}}}", years.join(",\n")));
    let errors: Vec<_> = seen(&import).into_iter().filter(|it| it.0 == Severity::Error).collect();
    assert_eq!(errors, [(Severity::Error, 101, "2100", "lists.too_many_years", "")]);
}
