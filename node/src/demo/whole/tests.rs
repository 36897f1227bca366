//! A small city of real nodes, in the way in which the whole one runs.

use crate::demo::DemoOptions;
use crate::texts::Lang;

/// City, two counties, three townships and six villages of the sample table.
const TWELVE: [u64; 12] = [
    620_700_000_000,
    620_702_000_000,
    620_724_000_000,
    620_702_203_000,
    620_724_100_000,
    620_702_100_000,
    620_702_203_200,
    620_702_203_201,
    620_724_100_200,
    620_724_100_201,
    620_702_100_200,
    620_702_100_201,
];

fn table(codes: &[u64]) -> String {
    let tier = |code: u64| match code {
        code if code % 100_000_000 == 0 => "city",
        code if code % 1_000_000 == 0 => "county",
        code if code % 1_000 == 0 => "town",
        _ => "village",
    };
    let lines = codes.iter().map(|code| format!("{},{code},{code}号大厅\n", tier(*code)));
    std::iter::once("tier,code12,name\n".to_owned()).chain(lines).collect()
}

#[test]
fn twelve_real_halls_come_up_an_edit_is_everywhere_and_a_case_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let (file, keep) = (dir.path().join("halls.csv"), dir.path().join("city"));
    std::fs::write(&file, table(&TWELVE)).unwrap();
    let options =
        DemoOptions { once: true, json: true, story: None, keep: Some(keep.clone()), lang: Lang::Zh };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(super::WAITING_THREADS)
        .enable_all()
        .build()
        .unwrap();
    let report = runtime.block_on(super::run(&options, Some(&file), &|_| {})).unwrap();
    assert!(report.ok && report.case.verified, "{report:?}");
    assert_eq!((report.halls, report.case.from.as_str()), (12, "620724100201-00"));
    // Everybody has at least its parent.
    assert!((11..=66).contains(&report.lines), "{report:?}");
    let edit = &report.edit;
    assert!(edit.p50_ms <= edit.p99_ms && edit.p99_ms <= edit.all_ms && edit.all_ms < 10_000, "{report:?}");
    // Each of them is a home of its own, that the command line can be pointed at.
    for code in TWELVE {
        assert!(keep.join(format!("{code}-00/node.redb")).is_file());
        assert!(keep.join(format!("{code}-00/hallmesh.toml")).is_file());
    }
}

#[test]
fn a_city_for_which_there_are_no_files_is_refused_before_anything_is_begun() {
    let dir = tempfile::tempdir().unwrap();
    let (file, keep) = (dir.path().join("halls.csv"), dir.path().join("city"));
    let codes: Vec<u64> = std::iter::once(620_700_000_000).chain(620_700_001_001..620_700_001_900).collect();
    std::fs::write(&file, table(&codes)).unwrap();
    let problem = super::machine::refuse_if_too_small(usize::MAX, dir.path()).unwrap_err();
    assert_eq!(problem.code, "demo.too_few_files");
    assert!(!keep.exists());
}
