//! Exports are checked twice, by this program and by the script in them, and both must agree.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use hallmesh_protocol::cases::{Deed, Facts, Header, Position, SignedEvent, State};
use hallmesh_protocol::genesis;
use hallmesh_protocol::ids::{CaseId, CaseNumber, ClerkId, Digest, HallAt, HallId};
use hallmesh_protocol::query;
use hallmesh_protocol::record::{Body, Issuer};
use hallmesh_protocol::seal::SecretKey;
use hallmesh_protocol::signed::Signed;
use hallmesh_protocol::step::Reply;

use super::dossier::{Dossier, Entry, Paper};
use super::{ExportError, layout, write, *};
use crate::common::{self, CITY, City, VILLAGE, secret};

const HERE: u64 = 620_702_203_200;
/// Seeds of event keys, see the city.
const COUNTY_SEED: u8 = 20;
const VILLAGE_SEED: u8 = 50;

/// A case with a correction, from receipt to delivery: 14 events of two halls.
fn told() -> (City, CaseId) {
    let mut city = City::new();
    let case = city.received(VILLAGE, "CITY-1", HERE);
    city.run();
    let story = [
        (CITY, Deed::RequestCorrection),
        (VILLAGE, Deed::Supplement),
        (CITY, Deed::Accept),
        (CITY, Deed::GRANT),
        (VILLAGE, Deed::Deliver),
    ];
    for (hall, deed) in story {
        assert!(matches!(city.deed(hall, case, deed), Reply::Recorded { .. }));
        city.run();
    }
    (city, case)
}

fn package() -> &'static [u8] {
    static PACKAGE: OnceLock<Vec<u8>> = OnceLock::new();
    PACKAGE.get_or_init(|| {
        let (city, case) = told();
        pack(&city.halls[VILLAGE].rows, case).unwrap()
    })
}

fn dossier() -> Dossier {
    Dossier::unpack(package()).unwrap()
}

fn root() -> Digest {
    dossier().policy.digest()
}

fn exported() -> (tempfile::TempDir, PathBuf) {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("case");
    write_package(package(), &dir).unwrap();
    (temp, dir)
}

/// Exports a dossier as it is, whether or not it holds.
fn forged(dossier: &Dossier) -> (tempfile::TempDir, PathBuf) {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("case");
    write::put(&layout::render(dossier), &dir).unwrap();
    (temp, dir)
}

/// Runs the script; gives its exit status and what it printed.
fn script(dir: &Path, root: Option<&str>) -> (i32, String) {
    let mut command = Command::new("sh");
    command.arg(dir.join("verify.sh")).args(root);
    let output = command.output().expect("sh runs");
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code().expect("not killed"), String::from_utf8_lossy(&printed).into_owned())
}

#[test]
fn a_case_is_exported_and_holds_for_both() {
    let (_temp, dir) = exported();
    let verdict = verify(&dir, Some(root())).unwrap();
    assert_eq!((verdict.case.state, verdict.case.events), (State::Delivered, 14));
    assert_eq!((verdict.charters, verdict.root, verdict.anchored), (4, root(), true));
    let begun = Instant::now();
    let (status, printed) = script(&dir, Some(&root().to_string()));
    let took = begun.elapsed();
    assert_eq!(status, 0, "{printed}");
    assert!(!printed.contains("FAIL"), "{printed}");
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn the_root_may_be_given_as_a_fingerprint() {
    let (_temp, dir) = exported();
    let print = crate::enrol::fingerprint(&root());
    assert!(verify_as_typed(&dir, &print.to_lowercase()).unwrap().anchored);
    assert_eq!(script(&dir, Some(&print)).0, 0);
    let other = crate::enrol::fingerprint(&Digest([7; 32]));
    assert_eq!(verify_as_typed(&dir, &other).unwrap_err().code(), "verify.other_root");
    assert_eq!(script(&dir, Some(&other)).0, 1);
}

#[test]
fn without_a_root_an_export_is_only_consistent_in_itself() {
    let (_temp, dir) = exported();
    assert!(!verify(&dir, None).unwrap().anchored);
    let (status, printed) = script(&dir, None);
    assert_eq!(status, 2);
    assert!(printed.contains("WARNING"), "{printed}");
}

#[test]
fn the_commands_of_the_readme_work_by_hand() {
    let (_temp, dir) = exported();
    let charter = layout::charter(0, dossier().charters[0].charter.at());
    let run = |program: &str, args: &[&str]| {
        let output = Command::new(program).current_dir(&dir).args(args).output().expect("it is installed");
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let key = format!("{charter}.pem");
    let check = ["pkeyutl", "-verify", "-pubin", "-inkey", &key, "-rawin", "-in", "events/0002.signed"];
    assert!(run("openssl", &[&check[..], &["-sigfile", "events/0002.sig"]].concat()).0);
    assert!(!run("openssl", &[&check[..], &["-sigfile", "events/0001.sig"]].concat()).0);
    assert!(run("sha256sum", &["root/policy.signed"]).1.starts_with(&root().to_string()));
    let head = verify(&dir, None).unwrap().case.head;
    assert!(run("sha256sum", &["events/0013.signed"]).1.starts_with(&head.to_string()));
}

fn flip(dir: &Path, file: &str) {
    let path = dir.join(file);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn swap(dir: &Path, one: &str, other: &str) {
    let (one, other, aside) = (dir.join(one), dir.join(other), dir.join("aside"));
    fs::rename(&one, &aside).unwrap();
    fs::rename(&other, &one).unwrap();
    fs::rename(&aside, &other).unwrap();
}

const KINDS: [&str; 3] = ["signed", "sig", "body"];

fn drop_event(dir: &Path, sequence: usize) {
    for kind in KINDS {
        fs::remove_file(dir.join(layout::event(sequence)).with_extension(kind)).unwrap();
    }
}

/// Both refuse; this program names the file and the flaw, the script says FAIL.
fn refused(dir: &Path, file: &str, code: &str) {
    let why = verify(dir, Some(root())).unwrap_err();
    assert_eq!((why.file.as_str(), why.code()), (file, code));
    assert_eq!(why.params()["file"], file);
    let (status, printed) = script(dir, Some(&root().to_string()));
    assert_eq!(status, 1, "{printed}");
    assert!(printed.contains("FAIL"), "{printed}");
}

#[test]
fn one_flipped_bit_in_any_kind_of_file_is_found() {
    let kinds = [
        ("root/policy.signed", "root/policy.signed", "verify.other_root"),
        ("root/policy.0.sig", "root/policy.0.sig", "verify.signature"),
        ("root/key-0.pem", "root/key-0.pem", "verify.key"),
        ("root/key-1.pem", "root/key-1.pem", "verify.key"),
        ("charters/000-620700000000-00-1.0.sig", "charters/000-620700000000-00-1.0.sig", "verify.signature"),
        ("charters/000-620700000000-00-1.pem", "charters/000-620700000000-00-1.pem", "verify.key"),
        ("charters/001-620702000000-00-1.pem", "charters/001-620702000000-00-1.pem", "verify.key"),
        ("charters/003-620702203200-00-1.sig", "charters/003-620702203200-00-1.sig", "verify.signature"),
        ("charters/003-620702203200-00-1.signed", "charters/003-620702203200-00-1.sig", "verify.signature"),
        ("events/0003.sig", "events/0003.sig", "verify.signature"),
        ("events/0003.body", "events/0003.body", "verify.body"),
        ("case.json", "case.json", "verify.altered"),
        ("README.txt", "README.txt", "verify.altered"),
    ];
    for (flipped, file, code) in kinds {
        let (_temp, dir) = exported();
        flip(&dir, flipped);
        refused(&dir, file, code);
    }
}

#[test]
fn every_byte_of_a_header_counts() {
    let (_temp, dir) = exported();
    let path = dir.join("events/0003.signed");
    let whole = fs::read(&path).unwrap();
    assert_eq!(whole.len(), 416);
    for place in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        fs::write(&path, bytes).unwrap();
        assert!(verify(&dir, Some(root())).unwrap_err().file.starts_with("events/0003."));
    }
    for place in [0, 40, 64, 72, 80, 192, 224, 300] {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        fs::write(&path, bytes).unwrap();
        assert_eq!(script(&dir, Some(&root().to_string())).0, 1, "byte {place}");
    }
}

#[test]
fn a_tampered_script_is_found_by_this_program() {
    let (_temp, dir) = exported();
    assert_eq!(body_digest(&fs::read(dir.join("verify.sh")).unwrap()), script_digest());
    fs::write(dir.join("verify.sh"), "exit 0\n").unwrap();
    assert_eq!(verify(&dir, Some(root())).unwrap_err().file, "verify.sh");
}

#[test]
fn a_removed_event_is_found() {
    let (_temp, dir) = exported();
    drop_event(&dir, 4);
    refused(&dir, "events/0004.sig", "verify.missing");
    let (_temp, dir) = exported();
    drop_event(&dir, 13);
    refused(&dir, "case.json", "verify.altered");
    let (_temp, dir) = exported();
    drop_event(&dir, 0);
    refused(&dir, "events/0000.sig", "verify.missing");
}

#[test]
fn a_removed_file_is_found() {
    let files = [
        "root/policy.2.sig",
        "root/key-1.pem",
        "charters/000-620700000000-00-1.1.sig",
        "charters/000-620700000000-00-1.pem",
        "charters/002-620702203000-00-1.sig",
        "events/0007.body",
        "case.json",
        "verify.sh",
        "README.txt",
    ];
    for file in files {
        let (_temp, dir) = exported();
        let script = fs::read(dir.join("verify.sh")).unwrap();
        fs::remove_file(dir.join(file)).unwrap();
        assert!(matches!(
            verify(&dir, Some(root())).unwrap_err().code(),
            "verify.missing" | "verify.too_few"
        ));
        if file != "verify.sh" {
            fs::write(dir.join("verify.sh"), script).unwrap();
            assert_eq!(self::script(&dir, Some(&root().to_string())).0, 1, "{file}");
        }
    }
}

#[test]
fn a_removed_charter_is_found() {
    let (_temp, dir) = exported();
    for kind in ["signed", "pem", "sig"] {
        fs::remove_file(dir.join("charters").join(format!("002-620702203000-00-1.{kind}"))).unwrap();
    }
    refused(&dir, "charters/002-620702203200-00-1.signed", "verify.issuer");
}

#[test]
fn swapped_events_are_found() {
    let (_temp, dir) = exported();
    for kind in KINDS {
        swap(&dir, &format!("events/0003.{kind}"), &format!("events/0004.{kind}"));
    }
    refused(&dir, "events/0003.signed", "verify.rule.chain");
}

#[test]
fn what_was_put_in_is_found() {
    for file in ["events/0014.body", "charters/note.txt", "root/policy.9.sig", ".hidden", "root/.hidden"] {
        let (_temp, dir) = exported();
        fs::write(dir.join(file), "x").unwrap();
        assert!(verify(&dir, Some(root())).is_err(), "{file}");
        assert_eq!(script(&dir, Some(&root().to_string())).0, 1, "{file}");
    }
    let (_temp, dir) = exported();
    for kind in KINDS {
        fs::copy(dir.join(format!("events/0013.{kind}")), dir.join(format!("events/0014.{kind}"))).unwrap();
    }
    refused(&dir, "events/0014.signed", "verify.rule.chain");
    let (_temp, dir) = exported();
    fs::create_dir(dir.join("more")).unwrap();
    refused(&dir, "more", "verify.unexpected");
}

#[test]
fn a_link_is_no_file() {
    let (_temp, dir) = exported();
    fs::rename(dir.join("case.json"), dir.with_extension("json")).unwrap();
    std::os::unix::fs::symlink(dir.with_extension("json"), dir.join("case.json")).unwrap();
    refused(&dir, "case.json", "verify.unexpected");
}

#[test]
fn a_foreign_key_is_found() {
    for file in ["charters/000-620700000000-00-1.pem", "root/key-2.pem"] {
        let (_temp, dir) = exported();
        fs::write(dir.join(file), der::pem(&secret(200).public())).unwrap();
        refused(&dir, file, "verify.key");
    }
}

#[test]
fn another_root_is_found() {
    let (_temp, dir) = exported();
    let other = Digest([1; 32]);
    let why = verify(&dir, Some(other)).unwrap_err();
    assert_eq!((why.file.as_str(), why.code()), (layout::POLICY, "verify.other_root"));
    assert_eq!(script(&dir, Some(&other.to_string())).0, 1);
    assert_eq!(script(&dir, Some("")).0, 1);
}

#[test]
fn an_export_of_another_version_is_left_to_it() {
    let (_temp, dir) = exported();
    let index = fs::read_to_string(dir.join("case.json")).unwrap();
    fs::write(dir.join("case.json"), index.replace("\"format\": 1", "\"format\": 2")).unwrap();
    let why = verify(&dir, Some(root())).unwrap_err();
    assert_eq!((why.code(), why.params()["format"].as_str()), ("verify.format", "2"));
}

fn appended(dossier: &mut Dossier, header: Header, key: &SecretKey) {
    let event = SignedEvent::sign(header, vec![1].into(), key);
    dossier.log.push(Entry::open(event, "").unwrap());
}

#[test]
fn a_village_cannot_charter_a_county() {
    let mut dossier = dossier();
    let (village, county) = (dossier.charters[3].charter.clone(), dossier.charters[1].charter.clone());
    let mut made_up = county.clone();
    made_up.incarnation = 2;
    made_up.event_key = secret(99).public();
    made_up.parent = Some(village.hall);
    let record = common::first(Issuer::Hall(village.at()), Body::Charter(Box::new(made_up.clone())));
    let signed = Signed::sign(&record, &[(0, &secret(VILLAGE_SEED))]);
    dossier.charters.push(Paper::open(signed, "").unwrap());
    let mut first = dossier.log[0].header.clone();
    let number = CaseNumber::allocate(made_up.at(), 1, number(&first).day(), 1);
    first.at = made_up.at();
    first.clerk.hall = made_up.hall;
    set_number(&mut first, number);
    dossier.log.clear();
    appended(&mut dossier, first, &secret(99));
    dossier.charters.remove(0);
    assert!(law::check(&dossier).is_err());
    let (_temp, dir) = forged(&dossier);
    assert!(verify(&dir, Some(root())).is_err());
    let (status, printed) = script(&dir, Some(&root().to_string()));
    assert_eq!(status, 1);
    let failed: Vec<_> = printed.lines().filter(|line| line.contains("FAIL")).collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert!(failed[0].contains("the issuer is above it"), "{failed:?}");
}

fn number(header: &Header) -> CaseNumber {
    let Facts::Receive { number, .. } = &header.facts else { panic!("the first event receives") };
    *number
}

fn set_number(header: &mut Header, to: CaseNumber) {
    if let Facts::Receive { number, .. } = &mut header.facts {
        *number = to;
    }
}

#[test]
fn a_hall_that_acts_out_of_its_turn_is_found_by_the_fold() {
    let mut dossier = dossier();
    let county = dossier.charters[1].charter.at();
    let last = &dossier.log[13];
    let header = Header {
        at: county,
        clerk: ClerkId { hall: county.hall, number: 1 },
        sequence: 14,
        position: Position { term: 0, epoch: last.header.position.epoch },
        previous: last.event.digest(),
        facts: Facts::Act(Deed::Accept),
        ..last.header.clone()
    };
    appended(&mut dossier, header, &secret(COUNTY_SEED));
    let (_temp, dir) = forged(&dossier);
    let why = verify(&dir, Some(root())).unwrap_err();
    assert_eq!((why.file.as_str(), why.code()), ("events/0014.signed", "verify.rule.not_custodian"));
    // The script does not know how cases go; the readme says so.
    assert_eq!(script(&dir, Some(&root().to_string())).0, 0);
}

#[test]
fn a_made_up_city_is_consistent_but_not_the_confirmed_one() {
    let mut dossier = dossier();
    let keys: Vec<_> = [201, 202, 203].into_iter().map(secret).collect();
    let mut record = dossier.policy.peek().unwrap();
    if let Body::Policy(policy) = &mut record.body {
        policy.keys = keys.iter().map(SecretKey::public).collect();
    }
    let by = [(0, &keys[0]), (1, &keys[1])];
    let policy = Signed::sign(&record, &by);
    for paper in dossier.charters.iter_mut().filter(|paper| paper.issuer == Issuer::Root) {
        *paper = Paper::open(Signed::sign(&paper.signed.peek().unwrap(), &by), "").unwrap();
    }
    let dossier = Dossier::open(policy, dossier.charters, dossier.log).unwrap();
    let (_temp, dir) = forged(&dossier);
    assert!(!verify(&dir, None).unwrap().anchored);
    assert_eq!(script(&dir, None).0, 2);
    refused(&dir, layout::POLICY, "verify.other_root");
}

#[test]
fn a_directory_in_use_is_left_alone() {
    let (_temp, dir) = exported();
    let why = write_package(package(), &dir).unwrap_err();
    assert!(matches!(&why, ExportError::InTheWay { path } if *path == dir));
    assert!(verify(&dir, Some(root())).is_ok());
    let file = dir.join("case.json");
    assert_eq!(write_package(package(), &file).unwrap_err().code(), "export.in_the_way");
    let empty = dir.with_extension("empty");
    fs::create_dir(&empty).unwrap();
    assert_eq!(write_package(package(), &empty).unwrap().events, 14);
    assert!(verify(&empty, Some(root())).is_ok());
    let left: Vec<_> = fs::read_dir(dir.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 2, "nothing unfinished is left: {left:?}");
}

#[test]
fn what_does_not_hold_is_not_written() {
    let (_temp, dir) = exported();
    let mut dossier = dossier();
    let stranger = SignedEvent::sign(dossier.log[13].header.clone(), vec![1].into(), &secret(1));
    dossier.log[13] = Entry::open(stranger, "").unwrap();
    let other = dir.with_extension("other");
    let why = write_package(&dossier.pack().unwrap(), &other).unwrap_err();
    assert_eq!(why.code(), "export.unprovable");
    assert_eq!(why.params()["file"], "events/0013.sig");
    assert!(!other.exists());
}

#[test]
fn no_package_is_no_case() {
    let cut = &package()[..package().len() - 1];
    for package in [&[][..], b"hm-case", b"hm-case\x01\xff\xff\xff\xff", cut] {
        assert!(matches!(Dossier::unpack(package), Err(ExportError::Package)));
    }
    let (city, _) = told();
    let rows = &city.halls[VILLAGE].rows;
    let unknown = pack(rows, CaseId([9; 16])).unwrap_err();
    assert_eq!(unknown.code(), "export.unknown_case");
}

#[test]
fn wrapped_keys_stay_with_the_halls() {
    let (city, case) = told();
    let rows = &city.halls[VILLAGE].rows;
    let mut file = query::file(rows, case);
    assert!(!file.wraps.is_empty());
    file.wraps.clear();
    assert!(pack(rows, case).unwrap().ends_with(&file.encode()));
}

#[test]
fn a_hall_exports_what_it_holds() {
    let (city, case) = told();
    let rows = &city.halls[VILLAGE].rows;
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("new").join("case");
    let exported = write(rows, case, &dir).unwrap();
    assert_eq!(exported.root, genesis::identity(rows).unwrap().anchor);
    let verdict = verify(&dir, Some(exported.root)).unwrap();
    assert_eq!(verdict.case, query::case(rows, case).unwrap().case);
    assert_eq!(verdict.case.head, exported.head);
}

#[test]
fn a_branch_hall_has_a_name_of_its_own() {
    let hall: HallId = "620702203200-07".parse().unwrap();
    assert_eq!(layout::charter(12, HallAt { hall, incarnation: 3 }), "charters/012-620702203200-07-3");
}
