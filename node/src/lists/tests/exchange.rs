//! The national exchange tables.

use std::path::Path;

use hallmesh_protocol::catalogue::MaterialSource::{Applicant, Shared};

use super::*;

const BASIC: &str = "row_guid,cd_operation,cd_batch,cd_time,task_code,task_handle_item,task_name,task_type,task_version,\
                     task_state,by_law,use_level,dept_name,dept_code,server_type,project_type,anticipate_day,\
                     anticipate_type,promise_day,promise_type,create_user_id";
const EXTEND: &str = "task_guid,task_code,result_type,result_name,is_entry_center";
const MATERIAL: &str = "task_guid,task_code,material_name,order_num,is_need,source_type,cd_operation";

fn code(number: u32) -> String {
    format!("{}3620112{number:03}000", hallmesh_protocol::ids::BodyId::illustrative(city(), 7))
}

fn basic(guid: &str, number: u32, version: u32) -> String {
    let (code, body) = (code(number), hallmesh_protocol::ids::BodyId::illustrative(city(), 7));
    format!(
        "{guid},I,B7,2026-01-0{version},{code},,事项{number},01,{version},1,某法,4,甘州区某局,{body},\"1,2\",2,20,工作日,\
         10,工作日,9"
    )
}

struct Dump {
    basic: Vec<String>,
    extend: Vec<String>,
    material: Vec<String>,
}

impl Dump {
    fn good() -> Self {
        Self {
            basic: vec![basic("g1", 1, 1), basic("g2", 2, 1)],
            extend: vec![format!("g1,{},10,许可证,1", code(1)), format!("g2,{},20,批复,1", code(2))],
            material: vec![
                format!("g1,{},申请表,1,1,10,I", code(1)),
                format!("g1,{},营业执照,2,1,20,I", code(1)),
                format!("g2,{},申请表,1,0,,I", code(2)),
            ],
        }
    }

    fn import(&self, mapping: Option<&str>) -> Import {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, header: &str, rows: &[String]| {
            fs::write(dir.path().join(name), format!("{header}\n{}\n", rows.join("\n"))).unwrap();
        };
        write("dn_task_general_basic.csv", BASIC, &self.basic);
        write("dn_task_general_extend.csv", EXTEND, &self.extend);
        write("dn_task_general_material.csv", MATERIAL, &self.material);
        let mapping = mapping.map(|text| {
            fs::write(dir.path().join("mapping.toml"), text).unwrap();
            dir.path().join("mapping.toml")
        });
        let files = ListFiles { exchange: Some(dir.path().to_owned()), mapping, ..ListFiles::default() };
        import(&files, city()).unwrap()
    }
}

/// File name, line, column and code of each finding.
fn places(import: &Import) -> Vec<(String, u64, String, &str)> {
    let name = |it: &Finding| Path::new(&it.file).file_stem().unwrap().to_string_lossy().into_owned();
    let one = |it: &Finding| (name(it), it.line, it.column.clone().unwrap_or_default(), it.code);
    import.findings.iter().map(one).collect()
}

#[test]
fn the_three_tables_become_matters() {
    let import = Dump::good().import(None);
    assert_eq!(import.findings, []);
    let matters = matters_of(&import);
    let one = &matters[0];
    assert_eq!(
        (matters.len(), one.code.to_string(), one.level),
        (2, code(1), hallmesh_protocol::ids::Tier::County)
    );
    assert_eq!((one.legal_days, one.promised_days, one.promised), (20, 10, true));
    assert_eq!(one.audience, hallmesh_protocol::catalogue::Audience::Both);
    assert_eq!((one.result.kind, one.result.name.as_str()), (ResultKind::Licence, "许可证"));
    assert_eq!((one.source.as_str(), one.verified, one.offline_decision), ("B7", false, false));
    let materials: Vec<_> = one.materials.iter().map(|it| (it.name.as_str(), it.source)).collect();
    assert_eq!(materials, [("申请表", Applicant), ("营业执照", Shared)]);
    assert_eq!(matters[1].materials.len(), 1);
}

#[test]
fn a_mistake_is_reported_in_the_table_where_it_is() {
    let check = |change: fn(&mut Dump), table: &str, line: u64, column: &str, code: &str| {
        let mut dump = Dump::good();
        change(&mut dump);
        let import = dump.import(None);
        let expected = (format!("dn_task_general_{table}"), line, column.to_owned(), code);
        assert_eq!(places(&import), [expected], "{:?}", import.findings);
        assert!(import.bodies.is_empty());
    };
    check(
        |it| it.basic[1] = it.basic[1].replace(",10,工作日", ",30,工作日"),
        "basic",
        3,
        "promised_days",
        "lists.promise_above_law",
    );
    check(
        |it| it.basic[1] = it.basic[1].replace(",10,工作日", ",10,自然日"),
        "basic",
        3,
        "promised_unit",
        "lists.not_working_days",
    );
    check(
        |it| it.extend[1] = it.extend[1].replace(",20,", ",77,"),
        "extend",
        3,
        "result_kind",
        "lists.bad_enum",
    );
    check(
        |it| it.material[0] = it.material[0].replace(",1,1,10", ",1,9,10"),
        "material",
        2,
        "necessity",
        "lists.bad_enum",
    );
    check(
        |it| it.material[2] = it.material[2].replace("g2", "g9").replace(&code(2), "x"),
        "material",
        4,
        "task_guid",
        "lists.stray_material",
    );
    check(
        |it| it.material[2] = it.material[2].replace("申请表", "营业执照"),
        "material",
        4,
        "source",
        "lists.asks_shared_material",
    );
}

#[test]
fn only_the_newest_version_in_force_is_read() {
    let mut dump = Dump::good();
    dump.basic.push(basic("g3", 1, 2).replace("事项1", "事项一"));
    dump.extend.push(format!("g3,{},10,许可证,1", code(1)));
    dump.material.push(format!("g3,{},身份证,1,1,10,I", code(1)));
    dump.basic.push(basic("g4", 4, 1).replace(",1,1,某法", ",1,3,某法"));
    dump.basic.push(basic("g5", 5, 1).replace("g5,I", "g5,D"));
    let import = dump.import(None);
    let of = "dn_task_general_basic".to_owned();
    assert_eq!(
        places(&import),
        [
            (of.clone(), 2, String::new(), "lists.row_superseded"),
            (of.clone(), 5, String::new(), "lists.row_not_in_force"),
            (of, 6, String::new(), "lists.row_deleted"),
        ]
    );
    let names: Vec<_> =
        matters_of(&import).into_iter().map(|it| (it.name, it.materials[0].name.clone())).collect();
    assert_eq!(
        names,
        [("事项2".to_owned(), "申请表".to_owned()), ("事项一".to_owned(), "身份证".to_owned())]
    );
    dump.basic.push(basic("g6", 2, 1));
    assert_eq!(dump.import(None).findings.iter().filter(|it| it.code == "lists.duplicate_code").count(), 1);
}

#[test]
fn the_words_of_another_province_are_mapped_and_both_are_kept() {
    let mut dump = Dump::good();
    dump.basic[1] = dump.basic[1].replace(",01,1,1,", ",06,1,1,");
    let mapping = "[matters.values.type]\n\"08\" = [\"06\"]\n";
    let import = dump.import(Some(mapping));
    assert_eq!(
        places(&import),
        [("dn_task_general_basic".to_owned(), 3, "type".to_owned(), "lists.word_mapped")]
    );
    let finding = &import.findings[0];
    assert_eq!((finding.params["found"].as_str(), finding.params["read_as"].as_str()), ("06", "08"));
    let matters = matters_of(&import);
    assert_eq!((matters[0].kind, matters[0].source.as_str()), (1, "B7"));
    assert_eq!((matters[1].kind, matters[1].source.as_str()), (8, "B7; type=06"));
    let wrong = dump.import(Some("[matters.values.typ]\n\"08\" = \"06\"\n"));
    assert_eq!(
        (wrong.findings[0].code, wrong.findings[0].suggestion.as_deref()),
        ("lists.mapping_unknown_column", Some("type"))
    );
    let wrong = dump.import(Some("[matters]\nname = 3\n"));
    assert_eq!((wrong.findings[0].code, wrong.findings[0].line), ("lists.bad_mapping", 2));
}

#[test]
fn other_tables_are_named_and_none_at_all_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("dn_task_punish_basic.csv"), "task_code,task_name\n1,2\n").unwrap();
    let files = ListFiles { exchange: Some(dir.path().to_owned()), ..ListFiles::default() };
    let codes: Vec<_> = import(&files, city()).unwrap().findings.iter().map(|it| it.code).collect();
    assert_eq!(codes, ["lists.no_exchange_table", "lists.exchange_table_not_read"]);
}
