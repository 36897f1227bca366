//! What people do wrong: said in their language with code, cause and next step; nothing is changed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use hallmesh::enrol;
use hallmesh::home::Home;
use hallmesh::lists::{ListTexts, import_text, sample};
use hallmesh::texts::{Lang, Texts};
use hallmesh_tests::{Said, SmallDisk, Street, cli};

const GANZHOU: usize = 1;
const DAYS: u16 = 400;

/// The message has its code, its cause and a next step, in the right language.
pub(crate) fn explained(lang: Lang, said: &Said, code: &str) {
    let (texts, all) = (Texts::new(lang), format!("{}\n{}", said.out, said.err));
    let begins = |label: &str, rest: &str| {
        let begin = format!("{} {rest}", texts.say(label, &[]));
        all.lines().any(|line| line.trim_start().starts_with(begin.trim_end()))
    };
    assert!(begins("label.error", code), "no {code}: {said:?}");
    // What is wrong with a line of a list is said with its place, and is its own cause.
    assert!(begins("label.why", "") || code.starts_with("lists.bad_"), "no cause: {said:?}");
    assert!(begins("label.next", ""), "no next step: {said:?}");
    let chinese = all.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
    assert!(chinese || lang == Lang::En, "not in Chinese: {said:?}");
}

fn refused(arguments: &[&str], code: &str, exit: i32) {
    for lang in [Lang::Zh, Lang::En] {
        let said = cli(lang, arguments);
        assert_eq!(said.exit, Some(exit), "{said:?}");
        explained(lang, &said, code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn matters_that_are_unknown_or_not_this_halls_are_not_received() {
    let texts = ListTexts {
        matters: Some(sample::MATTERS),
        calendar: Some(sample::CALENDAR),
        ..ListTexts::default()
    };
    let lists = import_text(&texts, sample::city()).unwrap();
    let street = Street::with(2, &lists.bodies).await;
    let application = street.dir.path().join("application.json");
    fs::write(&application, r#"{"applicant": "example"}"#).unwrap();
    let (application, config) = (application.display().to_string(), street.config(GANZHOU));
    let receive = |matter: &str, code: &str, exit: i32| {
        let call = ["case", "receive", "--place", "620702000000", "--clerk", "1", "--config", &config];
        let more = ["--applicant", &application, "--matter", matter];
        refused(&[call.as_slice(), &more].concat(), code, exit);
    };
    refused(&["matter", "show", "ZYL-C-999", "--config", &config], "matter.unknown", 4);
    receive("ZYL-C-999", "matter.unknown", 4);
    receive("ZYL-C-001", "route.no_right", 5);
    let status = street.status(GANZHOU).await;
    assert_eq!((status.cases, status.post), (0, 0));
}

#[test]
fn a_broken_list_is_not_imported() {
    let dir = tempfile::tempdir().unwrap();
    let home = home(&dir.path().join("hall"), "620700000000-00", "张掖市政务服务中心");
    let broken = dir.path().join("matters.csv");
    fs::write(&broken, sample::MATTERS.replacen(",city,", ",planet,", 1)).unwrap();
    let before = contents(home.dir());
    let (broken, data) = (broken.display().to_string(), home.dir().display().to_string());
    refused(&["matter", "import", "--matters", &broken, "--data", &data], "lists.bad_enum", 8);
    fs::write(&broken, "code,name\n\"never closed").unwrap();
    for lang in [Lang::Zh, Lang::En] {
        let said = cli(lang, &["matter", "import", "--matters", &broken, "--data", &data]);
        assert_eq!(said.exit, Some(8));
        assert!(said.out.contains(&broken), "no place: {said:?}");
    }
    assert_eq!(contents(home.dir()), before);
}

#[test]
fn a_hall_whose_code_and_name_do_not_belong_together_is_not_made_and_not_chartered() {
    let dir = tempfile::tempdir().unwrap();
    let (root, register) = (dir.path().join("root"), dir.path().join("divisions.csv"));
    fs::write(&register, sample::DIVISIONS).unwrap();
    let register = register.display().to_string();
    let (code, name) = ("620702112000", "明永镇便民服务中心");
    let data = dir.path().join("new");
    let init = ["hall", "init", "--code", code, "--name", name, "--divisions", &register, "--data"];
    refused(&[init.as_slice(), &[&data.display().to_string()]].concat(), "lists.division_swapped", 5);
    assert!(!data.exists());

    enrol::found(sample::city(), "张掖市", (3, 2), &[], &root).unwrap();
    let home = home(&dir.path().join("hall"), "620702112000-00", name);
    let request = dir.path().join("request.txt");
    fs::write(&request, enrol::request(&home, &[]).unwrap()).unwrap();
    let out = dir.path().join("join.txt").display().to_string();
    let (root, request) = (root.display().to_string(), request.display().to_string());
    let issue = ["hall", "issue", &request, "--root", &root, "--divisions", &register, "--out", &out];
    refused(&issue, "lists.division_swapped", 5);
    assert!(!Path::new(&out).exists());
}

#[test]
fn a_root_that_staff_did_not_confirm_is_not_joined() {
    let dir = tempfile::tempdir().unwrap();
    let (home, bundle, _) = enrolled(dir.path());
    let other = enrol::found(sample::city(), "张掖市", (3, 2), &[], &dir.path().join("other")).unwrap();
    let before = contents(home.dir());
    let data = home.dir().display().to_string();
    let join = ["hall", "join", &bundle, "--root", &other.fingerprint, "--data", &data];
    refused(&join, "enrol.join.wrong_root", 1);
    assert_eq!(contents(home.dir()), before);
    assert!(!home.is_joined().unwrap());
}

#[test]
fn a_node_does_not_start_on_a_full_disk() {
    let dir = tempfile::tempdir().unwrap();
    let (home, bundle, fingerprint) = enrolled(dir.path());
    let data = home.dir().display().to_string();
    let joined = cli(Lang::En, &["hall", "join", &bundle, "--root", &fingerprint, "--data", &data]);
    assert_eq!(joined.exit, Some(0), "{joined:?}");
    let _disk = match SmallDisk::under(home.dir(), 12) {
        Ok(disk) => disk,
        Err(why) => return println!("skipped: this machine mounts no small disk ({why})"),
    };
    let before = contents(home.dir());
    refused(&["run", "--data", &data], "store.disk_full", 1);
    assert_eq!(contents(home.dir()), before);
}

fn home(dir: &Path, hall: &str, name: &str) -> Home {
    Home::create(dir, hall.parse().unwrap(), name).unwrap()
}

/// The city's own hall with the bundle it could join with, and the root's fingerprint.
fn enrolled(dir: &Path) -> (Home, String, String) {
    let home = home(&dir.join("hall"), "620700000000-00", "张掖市政务服务中心");
    let root = dir.join("root");
    let founded = enrol::found(sample::city(), "张掖市", (3, 2), &[], &root).unwrap();
    let request = enrol::request(&home, &[]).unwrap();
    let bundle = enrol::issue_by_root(&root, &request, None, 1, wall(), DAYS).unwrap();
    let file = dir.join("join.txt");
    fs::write(&file, bundle).unwrap();
    (home, file.display().to_string(), founded.fingerprint)
}

fn wall() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap()
}

/// Every file below a directory, byte for byte.
fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}
