//! A workbook of 1,000 matters with 40 mistakes of 12 kinds: each is named with its cell and what to do about it,
//! nothing is imported, and the repaired workbook is imported whole.

use std::collections::{BTreeMap, BTreeSet};

use hallmesh_protocol::ids::BodyId;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet};

use super::*;
use crate::texts::{Lang, Texts};

const MATTERS: u32 = 1_000;
const HEADINGS: [&str; 16] = [
    "事项编码",
    "事项名称",
    "事项类型",
    "行使层级",
    "实施主体",
    "实施主体编码",
    "办件类型",
    "服务对象",
    "法定办结时限",
    "承诺办结时限",
    "结果类型",
    "结果名称",
    "断网决定",
    "设定依据",
    "来源",
    "是否核实",
];
const MATERIAL_HEADINGS: [&str; 4] = ["事项编码", "材料名称", "材料必要性", "材料来源"];

/// What stands in a cell.
#[derive(Clone, Debug)]
enum Is {
    Text(String),
    Number(f64),
    Day,
}

/// Sheet, row and column of a cell, the last two from 0.
type At = (&'static str, u32, u16);

/// A mistake: where, what stands there, under which code and with which suggestion it is to be found.
struct Mistake {
    at: At,
    is: Is,
    code: &'static str,
    suggestion: Option<String>,
}

fn text(text: &str) -> Is {
    Is::Text(text.to_owned())
}

fn code(row: u32) -> String {
    format!("0001{row:05}000")
}

fn body() -> String {
    BodyId::illustrative(city(), 321).to_string()
}

/// The cells of a list in which nothing is wrong.
fn sound() -> BTreeMap<At, Is> {
    let mut cells = BTreeMap::new();
    let mut put = |sheet, row: u32, texts: &[&str]| {
        for (column, it) in (0_u16..).zip(texts) {
            cells.insert((sheet, row, column), text(it));
        }
    };
    put("事项", 0, &HEADINGS);
    put("材料", 0, &MATERIAL_HEADINGS);
    for row in 1..=MATTERS {
        let (code, name, body) = (code(row), format!("第{row}号建设事项"), body());
        let texts =
            ["行政许可", "县级", "甘州区某局", &body, "承诺件", "自然人", "20", "10", "批文", "批准书"];
        let end = ["等待会签", "中华人民共和国土地管理法", "某省平台", "否"];
        put("事项", row, &[[&*code, &name].as_slice(), &texts, &end].concat());
        put("材料", row.saturating_mul(2).saturating_sub(1), &[&code, "申请表", "必要", "申请人自备"]);
        put("材料", row.saturating_mul(2), &[&code, "营业执照", "必要", "数据共享"]);
    }
    // What other systems leave behind is mended, and said.
    for row in [5, 300, 900] {
        cells.insert(("事项", row, 13), text("&amp;ldquo;土地管理法&amp;rdquo;\u{A0}第六十二条 "));
    }
    cells
}

/// Every kind of mistake at rows of its own.
fn mistakes() -> Vec<Mistake> {
    let body = body();
    let mistyped = format!("{}{}", &body[..17], if body.ends_with('0') { '1' } else { '0' });
    let mut mistakes = Vec::new();
    let mut plant = |rows: &[u32],
                     column: u16,
                     code,
                     is: &dyn Fn(u32) -> Is,
                     meant: &dyn Fn(u32) -> Option<String>| {
        for &row in rows {
            mistakes.push(Mistake { at: ("事项", row, column), is: is(row), code, suggestion: meant(row) });
        }
    };
    let some = |text: &'static str| move |_: u32| Some(text.to_owned());
    let is = |word: &'static str| move |_: u32| text(word);
    let none = |_: u32| None;
    let number = |row: u32| Is::Number(code(row).parse().unwrap());
    plant(&[2, 400, 1_000], 0, "lists.lost_zeros", &number, &|row| Some(code(row)));
    plant(&[7, 8, 700], 0, "lists.duplicate_code", &|row| text(&code(row.saturating_sub(4))), &none);
    plant(&[30, 31, 32], 0, "lists.became_a_day", &|_| Is::Day, &none);
    plant(&[11, 120, 530], 1, "lists.empty", &is(" "), &none);
    plant(&[12, 13, 14], 1, "lists.control_character", &is("建房\u{200B}审批"), &some("建房审批"));
    plant(&[40, 41, 42, 999], 2, "lists.bad_enum", &is("行政许"), &some("行政许可"));
    plant(&[50, 60, 70], 3, "lists.bad_enum", &is("县极"), &some("县级"));
    plant(&[80, 81, 82, 83], 5, "lists.bad_code_check", &|_| text(&mistyped), &|_| Some(body.clone()));
    plant(&[90, 91, 92, 93], 8, "lists.bad_number", &is("20个工作日"), &some("20"));
    plant(&[100, 101, 102, 600], 9, "lists.promise_above_law", &|_| Is::Number(21.0), &some("20"));
    plant(&[200, 201, 800], 13, "lists.markup", &is("<p>土地管理法</p>"), &some("土地管理法"));
    for row in [4, 6, 2_000] {
        let at = ("材料", row, 3);
        let suggestion = Some("数据共享".to_owned());
        mistakes.push(Mistake {
            at, is: text("申请人自备"), code: "lists.asks_shared_material", suggestion
        });
    }
    mistakes
}

fn write(sheet: &mut Worksheet, row: u32, column: u16, is: &Is) {
    let day = Format::new().set_num_format("m/d");
    match is {
        Is::Text(text) => sheet.write_string(row, column, text).unwrap(),
        Is::Number(number) => sheet.write_number(row, column, *number).unwrap(),
        Is::Day => {
            let moment = ExcelDateTime::from_ymd(2026, 1, 2).unwrap();
            sheet.write_datetime_with_format(row, column, &moment, &day).unwrap()
        }
    };
}

fn import_cells(cells: &BTreeMap<At, Is>) -> Import {
    let mut book = Workbook::new();
    for name in ["事项", "材料"] {
        let sheet = book.add_worksheet().set_name(name).unwrap();
        for ((_, row, column), is) in cells.iter().filter(|((sheet, _, _), _)| *sheet == name) {
            write(sheet, *row, *column, is);
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("list.xlsx");
    book.save(&path).unwrap();
    import(&ListFiles { matters: Some(path), ..ListFiles::default() }, city()).unwrap()
}

fn address((sheet, row, column): At) -> (String, String) {
    let letter = char::from(b"ABCDEFGHIJKLMNOP"[usize::from(column)]);
    (sheet.to_owned(), format!("{letter}{}", row.saturating_add(1)))
}

#[test]
fn forty_mistakes_of_twelve_kinds_are_named_and_the_repaired_workbook_is_imported_whole() {
    let (sound, mistakes) = (sound(), mistakes());
    let kinds: BTreeSet<_> = mistakes.iter().map(|it| (it.code, it.at.0, it.at.2)).collect();
    assert_eq!((mistakes.len(), kinds.len()), (40, 12));
    let mut planted = sound.clone();
    planted.extend(mistakes.iter().map(|it| (it.at, it.is.clone())));

    let refused = import_cells(&planted);
    let errors = refused.findings.iter().filter(|it| it.severity == Severity::Error);
    let found: BTreeSet<_> = errors
        .map(|it| ((it.sheet.clone().unwrap(), it.cell.clone().unwrap()), it.code, it.suggestion.clone()))
        .collect();
    let expected: BTreeSet<_> =
        mistakes.iter().map(|it| (address(it.at), it.code, it.suggestion.clone())).collect();
    assert_eq!(found, expected);
    assert_eq!(refused.bodies, []);
    for (texts, (_, code, _)) in
        [Lang::Zh, Lang::En].map(Texts::new).iter().flat_map(|it| found.iter().map(move |one| (it, one)))
    {
        assert!(texts.find(&format!("error.{code}.next"), &[]).is_some(), "{code}");
    }

    let whole = import_cells(&sound);
    assert!(!whole.is_refused(), "{:?}", whole.findings);
    let matters = matters_of(&whole);
    let codes: Vec<_> = matters.iter().map(|it| it.code.to_string()).collect();
    assert_eq!(codes, (1..=MATTERS).map(code).collect::<Vec<_>>());
    assert!(matters.iter().all(|it| it.materials.len() == 2));
    assert_eq!(matters[4].basis, "\u{201C}土地管理法\u{201D} 第六十二条");
    let mended: Vec<_> = whole.findings.iter().map(|it| (it.line, it.code)).collect();
    let each = ["lists.entities", "lists.stray_space", "lists.odd_space"];
    assert_eq!(
        mended,
        [6, 301, 901].iter().flat_map(|&line| each.map(|code| (line, code))).collect::<Vec<_>>()
    );
}
