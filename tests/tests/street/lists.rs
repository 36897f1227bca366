//! Lists in and out: from a running hall to a workbook and back, and to a website.

use std::fs;
use std::path::Path;

use hallmesh::lists::{ListFiles, import, sample, sample_bodies};
use hallmesh::texts::Lang;
use hallmesh_tests::{Street, cli};

const CITY: usize = 0;

#[tokio::test(flavor = "multi_thread")]
async fn a_hall_s_lists_go_out_to_files_and_come_back_the_same() {
    let bodies = sample_bodies().unwrap();
    let street = Street::with(1, &bodies).await;
    let (dir, config) = (street.dir.path(), street.config(CITY));
    let path = |name: &str| dir.join(name).display().to_string();
    let says = |arguments: &[&str]| {
        let said = cli(Lang::Zh, &[arguments, &["--config", &config]].concat());
        assert_eq!(said.exit, Some(0), "{said:?}");
        said.out
    };
    says(&["matter", "export", &path("lists.xlsx")]);
    let files = ListFiles { matters: Some(dir.join("lists.xlsx")), ..ListFiles::default() };
    let mut read = import(&files, sample::city()).unwrap();
    read.bodies.sort_by_key(|body| body.key());
    // The workbook has no room for the calendar and the bundles, which are files of their own.
    let in_tables = |key: &str| key != "calendar" && !key.starts_with("bundle/");
    let mut published: Vec<_> = bodies.into_iter().filter(|body| in_tables(&body.key())).collect();
    published.sort_by_key(|body| body.key());
    assert_eq!((read.findings, read.bodies), (Vec::new(), published));
    let drafted = says(&["matter", "import", "--matters", &path("lists.xlsx")]);
    assert!(drafted.contains("144"), "{drafted}");

    says(&["matter", "site", &path("site")]);
    let index = fs::read_to_string(dir.join("site").join("index.html")).unwrap();
    assert!(index.contains("政务服务") && Path::new(&path("site")).join("m").join("ZYL-C-001.html").exists());
    // What is there is left alone.
    for call in [["matter", "export", &path("lists.xlsx")], ["matter", "site", &path("site")]] {
        let said = cli(Lang::Zh, &[call.as_slice(), &["--config", &config]].concat());
        assert!(said.exit != Some(0) && said.err.contains("file.exists"), "{said:?}");
    }
}
