//! What is written is read back to the same.

use super::super::export::{ExportError, Format, Part, template, write};
use super::*;
use crate::texts::{Lang, Texts};

fn import_bytes(name: &str, bytes: &[u8], files: impl FnOnce(PathBuf) -> ListFiles) -> Import {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    fs::write(&path, bytes).unwrap();
    import(&files(path), city()).unwrap()
}

fn as_matters(path: PathBuf) -> ListFiles {
    ListFiles { matters: Some(path), ..ListFiles::default() }
}

/// What tables have room for: bundles are a file of their own.
fn tables() -> Vec<Body> {
    let mut bodies = sample_bodies().unwrap();
    bodies.retain(|body| !matches!(body, Body::Bundle(_)));
    bodies
}

#[test]
fn what_is_exported_is_imported_to_the_same_records() {
    let bodies = tables();
    for texts in [Lang::Zh, Lang::En].map(Texts::new) {
        for (format, name) in [(Format::Xlsx, "l.xlsx"), (Format::Json, "l.json")] {
            let import =
                import_bytes(name, &write(&bodies, Part::Lists, format, &texts).unwrap(), as_matters);
            assert_eq!(import.findings, [], "{name}");
            assert_eq!(import.bodies, bodies[1..], "{name}");
        }
        let matters = write(&bodies, Part::Lists, Format::Csv, &texts).unwrap();
        let import = import_bytes("m.csv", &matters, as_matters);
        assert_eq!((matters_of(&import).len(), import.findings.len()), (144, 0));
        assert_eq!(import.bodies, bodies[1..145]);
        let delegations = write(&bodies, Part::Delegations, Format::Csv, &texts).unwrap();
        let import = import_bytes("d.csv", &delegations, |path| ListFiles {
            delegations: Some(path),
            ..ListFiles::default()
        });
        assert_eq!(import.bodies, bodies[145..]);
        let calendar = write(&bodies, Part::Calendar, Format::Json, &texts).unwrap();
        let import = import_bytes("c.json", &calendar, |path| ListFiles {
            calendar: Some(path),
            ..ListFiles::default()
        });
        assert_eq!(import.bodies, bodies[..1]);
    }
}

#[test]
fn a_calendar_keeps_its_own_limits() {
    let text = CALENDAR.replacen('{', "{\"rules\": {\"notice_days\": 3, \"delivery_days\": 7},", 1);
    let bodies = import_calendar(&text).bodies;
    let written = write(&bodies, Part::Calendar, Format::Json, &Texts::new(Lang::En)).unwrap();
    let import = import_calendar(std::str::from_utf8(&written).unwrap());
    assert_eq!((import.findings, import.bodies), (Vec::new(), bodies.clone()));
    assert_ne!(bodies, sample_bodies().unwrap()[..1]);
}

#[test]
fn a_county_s_entries_stay_the_county_s_in_the_city_s_list() {
    let county = DivisionCode::from_u64(620_702_000_000).unwrap();
    let text = matters_file(&[ROW.to_owned()]);
    let texts = ListTexts { matters: Some(&text), ..ListTexts::default() };
    let bodies = import_text(&texts, county).unwrap().bodies;
    let written = write(&bodies, Part::Lists, Format::Xlsx, &Texts::new(Lang::Zh)).unwrap();
    assert_eq!(import_bytes("l.xlsx", &written, as_matters).bodies, bodies);
    let other = DivisionCode::from_u64(620_721_000_000).unwrap();
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("l.xlsx"), &written).unwrap();
    let refused = import(&as_matters(dir.path().join("l.xlsx")), other).unwrap();
    let finding = &refused.findings[0];
    assert_eq!((finding.cell.as_deref(), finding.code), (Some("E2"), "lists.area_outside"));
}

#[test]
fn what_a_kind_of_file_has_no_room_for_is_refused() {
    let texts = Texts::new(Lang::En);
    let mut bodies = tables();
    let code = |result: Result<Vec<u8>, ExportError>| result.unwrap_err().code();
    assert_eq!(code(write(&bodies, Part::Calendar, Format::Xlsx, &texts)), "lists.export_calendar");
    assert_eq!(code(write(&[], Part::Lists, Format::Xlsx, &texts)), "lists.export_nothing");
    if let Body::Matter(matter) = &mut bodies[1] {
        matter.materials[0].name = "甲|乙".to_owned();
    }
    assert_eq!(code(write(&bodies, Part::Lists, Format::Csv, &texts)), "lists.export_no_room");
    let import =
        import_bytes("l.xlsx", &write(&bodies, Part::Lists, Format::Xlsx, &texts).unwrap(), as_matters);
    assert_eq!(import.bodies, bodies[1..]);
    if let Some(Body::Delegation(delegation)) = bodies.last_mut() {
        delegation.valid_from += 1;
    }
    assert_eq!(code(write(&bodies, Part::Delegations, Format::Csv, &texts)), "lists.export_no_room");
}

#[test]
fn a_filled_template_is_imported_and_every_column_is_explained() {
    for texts in [Lang::Zh, Lang::En].map(Texts::new) {
        let import = import_bytes("t.xlsx", &template(&texts).unwrap(), as_matters);
        let codes: Vec<_> = import.findings.iter().map(|it| it.code).collect();
        assert_eq!(codes, ["lists.no_rows", "lists.no_rows"]);
        for shape in [matters::SHAPE, materials::SHAPE, delegations::SHAPE] {
            for column in shape.all().filter(|it| !it.ends_with("_unit")) {
                let key = format!("lists.column.{}.{column}", shape.name);
                assert!(texts.find(&key, &[]).is_some(), "{key}");
                assert!(!Mappings::built_in().words(&shape).heading(column).is_empty(), "{key}");
            }
        }
    }
}
