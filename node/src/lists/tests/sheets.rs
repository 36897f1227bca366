//! Files of every kind that is read.

use std::path::{Path, PathBuf};

use encoding_rs::GB18030;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};

use super::*;

/// The rows of a CSV text, cell by cell.
fn rows(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split(',').collect()).collect()
}

fn write_rows(sheet: &mut rust_xlsxwriter::Worksheet, rows: &[Vec<&str>]) {
    for (at, row) in rows.iter().enumerate() {
        for (column, text) in row.iter().enumerate() {
            let place = (u32::try_from(at).unwrap(), u16::try_from(column).unwrap());
            sheet.write_string(place.0, place.1, *text).unwrap();
        }
    }
}

fn saved(dir: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    fs::write(dir.join(name), bytes).unwrap();
    dir.join(name)
}

fn import_file(name: &str, bytes: &[u8]) -> Import {
    let dir = tempfile::tempdir().unwrap();
    let files = ListFiles { matters: Some(saved(dir.path(), name, bytes)), ..ListFiles::default() };
    import(&files, city()).unwrap()
}

/// Cell, column, code and suggestion of each finding.
fn cells(import: &Import) -> Vec<(&str, &str, &str, &str)> {
    import
        .findings
        .iter()
        .map(|it| {
            let (cell, column) = (it.cell.as_deref().unwrap_or(""), it.column.as_deref().unwrap_or(""));
            (cell, column, it.code, it.suggestion.as_deref().unwrap_or(""))
        })
        .collect()
}

#[test]
fn a_workbook_is_read_like_the_same_csv() {
    let mut book = Workbook::new();
    write_rows(book.add_worksheet(), &rows(&matters_file(&[ROW.to_owned()])));
    let import = import_file("m.xlsx", &book.save_to_buffer().unwrap());
    assert_eq!(import.findings, []);
    assert_eq!(import.bodies, import_matters(&matters_file(&[ROW.to_owned()])).bodies);
}

#[test]
fn an_old_workbook_is_read_like_the_same_csv() {
    let import = import_file("m.xls", include_bytes!("matters.xls"));
    assert_eq!(cells(&import), [("A4", "code", "lists.lost_zeros", "001234567890")], "{:?}", import.findings);
    assert_eq!(import.findings[0].sheet.as_deref(), Some("事项清单"));
}

#[test]
fn chinese_headings_words_and_titles_are_understood() {
    let header = "事项编码,事项名称*,事项 类型,行使层级（必填）,实施主体,办件类型,服务对象,法定办结时限,\
                  承诺办结时限,申请材料,结果类型,结果名称,断网决定,设定依据,来源,是否核实";
    let row = "Z-1,建房审批,行政许可,县级,甘州区农业农村局,承诺件,自然人,20,10,申请表|必要|申请人自备,\
               批文,批准书,等待会签,土地管理法,sample,否";
    let text = format!("张掖市事项清单,,,,,,,,,,,,,,,\n{header}\n{row}\n");
    let import = import_matters(&text);
    assert_eq!(seen(&import), [(Severity::Warning, 2, "", "lists.rows_above_header", "")]);
    assert_eq!(import.bodies, import_matters(&matters_file(&[ROW.to_owned()])).bodies);
    let import = import_matters(&text.replace("事项名称*", "办理事项名称").replace("行政许可", "行政许"));
    assert_eq!(
        seen(&import),
        [
            (Severity::Warning, 2, "", "lists.rows_above_header", ""),
            (Severity::Warning, 2, "办理事项名称", "lists.column_renamed", ""),
            (Severity::Error, 3, "type", "lists.bad_enum", "行政许可"),
        ]
    );
    let import = import_matters(&text.replace("实施主体,", "实施主题,"));
    assert_eq!(
        seen(&import)[..2],
        [
            (Severity::Error, 2, "实施主题", "lists.unknown_column", "实施主体"),
            (Severity::Error, 2, "body", "lists.missing_column", ""),
        ]
    );
}

#[test]
fn what_a_spreadsheet_made_of_a_cell_is_told() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name("清单").unwrap();
    write_rows(
        sheet,
        &rows(&matters_file(
            &(0..7)
                .map(|it| ROW.replace("Z-1", &format!("Z-{it}")).replace("建房", &it.to_string()))
                .collect::<Vec<_>>(),
        )),
    );
    let day = Format::new().set_num_format("yyyy-mm-dd");
    let moment = ExcelDateTime::from_ymd(2026, 1, 2).unwrap();
    sheet.write_number(1, 0, 1_234_567_890).unwrap();
    sheet.write_number(2, 0, 1.234_567_890_123_456_8e30).unwrap();
    sheet.write_datetime_with_format(3, 0, &moment, &day).unwrap();
    sheet.write_number(4, 7, 20).unwrap();
    sheet.write_number(4, 8, 10.5).unwrap();
    sheet.write_string(5, 14, "甲\u{A0}乙&amp;lt;").unwrap();
    sheet.write_string(7, 17, "备注").unwrap();
    sheet.write_formula(6, 11, rust_xlsxwriter::Formula::new("=1/0").set_result("#DIV/0!")).unwrap();
    let import = import_file("m.xlsx", &book.save_to_buffer().unwrap());
    assert_eq!(
        cells(&import),
        [
            ("A2", "code", "lists.lost_zeros", "001234567890"),
            ("A3", "code", "lists.rounded_code", ""),
            ("A4", "code", "lists.became_a_day", ""),
            ("I5", "promised_days", "lists.bad_number", "10"),
            ("O6", "source", "lists.entities", ""),
            ("O6", "source", "lists.odd_space", ""),
            ("L7", "result", "lists.formula_failed", ""),
            ("R8", "", "lists.cell_without_heading", ""),
        ]
    );
    assert!(import.findings.iter().all(|it| it.sheet.as_deref() == Some("清单")));
    assert!(import.bodies.is_empty());
}

#[test]
fn sheets_are_found_by_their_names() {
    let mut book = Workbook::new();
    let matters = matters_file(&[ROW.to_owned()]);
    let without = |text: &str| -> Vec<Vec<String>> {
        let cut = |mut row: Vec<&str>| -> Vec<String> {
            row.remove(9);
            row.into_iter().map(str::to_owned).collect()
        };
        rows(text).into_iter().map(cut).collect()
    };
    let materials = "事项编码,材料名称,材料必要性,材料来源\nZ-1,申请表,必要,申请人自备\n";
    let matters = without(&matters);
    let matters: Vec<Vec<&str>> =
        matters.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
    write_rows(book.add_worksheet().set_name("说明").unwrap(), &[vec!["填表说明"]]);
    write_rows(book.add_worksheet().set_name("授权").unwrap(), &rows(&format!("{GRANTS}\n{GRANT}\n")));
    write_rows(book.add_worksheet().set_name("材料").unwrap(), &rows(materials));
    write_rows(book.add_worksheet().set_name("事项").unwrap(), &matters);
    let import = import_file("m.xlsx", &book.save_to_buffer().unwrap());
    assert_eq!(import.findings, []);
    assert_eq!(matters_of(&import)[0], matters_of(&import_matters(&matters_file(&[ROW.to_owned()])))[0]);
    assert_eq!(delegations_of(&import).len(), 1);
}

#[test]
fn materials_in_a_sheet_of_their_own_are_reported_in_it() {
    let json = |materials: &str| {
        let cells = rows(ROW).remove(0);
        let fields: Vec<_> = HEADER.split(',').zip(cells).filter(|(name, _)| *name != "materials").collect();
        let fields: Vec<_> = fields.iter().map(|(name, text)| format!("{name:?}: {text:?}")).collect();
        format!("{{\n\"matters\": [{{{}}}],\n\"materials\": [\n{materials}\n]}}", fields.join(", "))
    };
    let one = |matter: &str, need: &str| {
        format!(
            "{{\"matter\": {matter:?}, \"name\": \"申请表\", \"necessity\": {need:?}, \"source\": \"applicant\"}}"
        )
    };
    let check = |materials: &str, line: u64, column: &str, code: &str, suggestion: &str| {
        let import = import_file("m.json", json(materials).as_bytes());
        assert_eq!(seen(&import), [(Severity::Error, line, column, code, suggestion)], "{materials}");
    };
    let good = import_file("m.json", json(&one("Z-1", "required")).as_bytes());
    assert_eq!(good.findings, []);
    assert_eq!(good.bodies, import_matters(&matters_file(&[ROW.to_owned()])).bodies);
    check(
        &format!("{},\n{}", one("Z-1", "required"), one("Z-2", "required")),
        5,
        "matter",
        "lists.unknown_matter",
        "",
    );
    check(&one("Z-1", "requird"), 4, "necessity", "lists.bad_enum", "required");
    check(
        &format!("{},\n{}", one("Z-1", "required"), one("Z-1", "optional")),
        5,
        "source",
        "lists.duplicate_material",
        "",
    );
    check("{\"matter\": {\"code\": 1}}", 4, "", "lists.json_nested", "");
    check("3", 4, "", "lists.json_shape", "");
}

#[test]
fn json_numbers_and_escaped_keys_are_read() {
    let cells = rows(ROW).remove(0);
    let fields: Vec<_> = HEADER.split(',').zip(cells).collect();
    let field = |(name, text): &(&str, &str)| match *name {
        "legal_days" => "\"legal_days\": 20".to_owned(),
        "name" => format!("\"\\u4e8b\\u9879\\u540d\\u79f0\": {text:?}"),
        "materials" => "\"materials\": [\"申请表|required|applicant\"]".to_owned(),
        _ => format!("{name:?}: {text:?}"),
    };
    let text = format!("[{{{}}}]", fields.iter().map(field).collect::<Vec<_>>().join(",\n"));
    let import = import_file("m.json", text.as_bytes());
    assert_eq!(import.findings, []);
    assert_eq!(import.bodies, import_matters(&matters_file(&[ROW.to_owned()])).bodies);
    let import = import_file("m.json", text.replace("\": 20", "\": 2.5").as_bytes());
    assert_eq!(seen(&import), [(Severity::Error, 8, "legal_days", "lists.bad_number", "2")]);
    let import = import_file("m.json", text.replace("Z-1", "Z-1\"").as_bytes());
    assert_eq!(seen(&import)[0].3, "lists.json_syntax");
}

#[test]
fn other_encodings_are_read_or_refused_by_name() {
    let text = matters_file(&[ROW.to_owned()]);
    let (bytes, _, _) = GB18030.encode(&text);
    let import = import_file("m.csv", &bytes);
    assert_eq!(seen(&import), [(Severity::Warning, 1, "", "lists.read_as_gb18030", "")]);
    assert_eq!(import.bodies, import_matters(&text).bodies);
    let check = |bytes: &[u8], line: u64, code: &str| {
        let import = import_file("m.csv", bytes);
        assert_eq!(
            (import.findings.len(), import.findings[0].line, import.findings[0].code),
            (1, line, code)
        );
        assert!(import.bodies.is_empty());
    };
    check(b"\xFF\xFEc\0o\0", 1, "lists.encoding");
    check(b"code\n\xFF\xFF\xFF", 2, "lists.not_text");
    check(b"PK\x03\x04....", 1, "lists.damaged_workbook");
    check(b"\xD0\xCF\x11\xE0....", 1, "lists.damaged_workbook");
    check(&vec![b'x'; FILE_BYTES_MAX + 1], 1, "lists.too_large");
}

/// A zip archive with these parts.
fn zipped(parts: &[(&str, &[u8])]) -> Vec<u8> {
    use std::io::Write as _;
    let mut archive = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        let options: zip::write::SimpleFileOptions = zip::write::SimpleFileOptions::default();
        archive.start_file(*name, options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn a_workbook_that_unpacks_to_too_much_is_refused_before_it_is_read() {
    let too_much = vec![b' '; usize::try_from(UNPACKED_BYTES_MAX).unwrap() + 1];
    let bomb = zipped(&[("xl/workbook.xml", b"<a/>"), ("xl/sharedStrings.xml", &too_much)]);
    assert!(bomb.len() < 1 << 20, "{}", bomb.len());
    let code = |bytes: &[u8]| import_file("m.xlsx", bytes).findings[0].code;
    assert_eq!(code(&bomb), "lists.unpacks_too_large");
    // The same with a lie about the size, in the part's own header and in the directory at the end.
    let mut liar = bomb;
    let size = u32::try_from(too_much.len()).unwrap().to_le_bytes();
    let found: Vec<usize> =
        liar.windows(4).enumerate().filter(|(_, it)| *it == size).map(|(at, _)| at).collect();
    assert_eq!(found.len(), 2);
    for at in found {
        liar[at..at + 4].copy_from_slice(&[9, 0, 0, 0]);
    }
    assert!(["lists.unpacks_too_large", "lists.damaged_workbook"].contains(&code(&liar)));
    let tags = b"<si/>".repeat(usize::try_from(TAGS_MAX).unwrap() + 1);
    assert_eq!(code(&zipped(&[("xl/sharedStrings.xml", &tags)])), "lists.unpacks_too_large");
    assert_eq!(code(&zipped(&[("content.xml", b"<a/>")])), "lists.not_a_workbook");
}

#[test]
fn sheets_are_bounded_however_large_they_say_they_are() {
    let book = |row: u32, column: u16| {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        write_rows(sheet, &rows(&matters_file(&[ROW.to_owned()])));
        sheet.write_string(row, column, "x").unwrap();
        import_file("m.xlsx", &book.save_to_buffer().unwrap())
    };
    assert_eq!(book(1_048_575, 16_383).findings[0].code, "lists.too_many_columns");
    let far = book(1_048_575, 0);
    assert!(far.findings.iter().all(|it| it.line == 1_048_576 && it.cell.is_some()) && far.is_refused());
    let grown = include_bytes!("matters.xls");
    let at = grown.windows(6).position(|it| it == [0x00, 0x02, 0x0E, 0x00, 0x00, 0x00]).unwrap();
    let mut grown = grown.to_vec();
    grown[at + 8..at + 12].copy_from_slice(&[0xFF, 0xFF, 0xFF, 0x7F]);
    assert_eq!(import_file("m.xls", &grown).findings[0].code, "lists.too_many_cells");
}

#[test]
fn the_mapping_file_of_the_handbook_says_what_it_shows() {
    let mapping = include_str!("../../../../deploy/lists/mapping.example.toml");
    let header = HEADER.replace("name", "办理事项").replace("legal_days", "法定办结时限(工作日)");
    let header = header.replace(",source,verified", ",序号");
    let row = ROW.replace(",01,", ",11,").replace(",sample,no", ",1");
    let dir = tempfile::tempdir().unwrap();
    let files = ListFiles {
        matters: Some(saved(
            dir.path(),
            "m.csv",
            format!("标题,{}\n说明,{}\n{header}\n{row}\n", ",".repeat(14), ",".repeat(14)).as_bytes(),
        )),
        mapping: Some(saved(dir.path(), "mapping.toml", mapping.as_bytes())),
        ..ListFiles::default()
    };
    let import = import(&files, city()).unwrap();
    let codes: Vec<_> = import.findings.iter().map(|it| (it.line, it.code)).collect();
    assert_eq!(codes, [(3, "lists.rows_above_header"), (4, "lists.word_mapped")], "{:?}", import.findings);
    let matter = matters_of(&import).remove(0);
    assert_eq!(
        (matter.kind, matter.source.as_str(), matter.verified),
        (20, "省事项库 2026-11; type=11", false)
    );
}

/// Every byte of a workbook changed, one after the other and many at once: an answer, never a panic.
#[test]
fn damaged_workbooks_are_refused_or_read() {
    let mut book = Workbook::new();
    write_rows(book.add_worksheet(), &rows(&matters_file(&[ROW.to_owned()])));
    let xlsx = book.save_to_buffer().unwrap();
    let mut chance: u32 = 1;
    let mut next = || {
        chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        usize::try_from(chance >> 8).unwrap()
    };
    for whole in [xlsx.as_slice(), include_bytes!("matters.xls")] {
        for round in 0..600 {
            let mut bytes = whole.to_vec();
            for _ in 0..=round % 5 {
                let at = next() % bytes.len();
                bytes[at] = u8::try_from(next() % 256).unwrap();
            }
            if round % 7 == 0 {
                bytes.truncate(next() % bytes.len());
            }
            let import = import_file("m", &bytes);
            assert!(!import.is_refused() || import.bodies.is_empty());
        }
    }
}
