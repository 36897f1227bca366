//! An exported case of the real city, checked by whoever has `openssl` and `sha256sum`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use hallmesh::enrol::fingerprint;
use hallmesh::texts::Lang;
use hallmesh_tests::{Street, cli};
use serde_json::Value;

const CITY: usize = 0;
const GANZHOU: usize = 1;
const OF_THE_CITY: &str = "ZYL-C-001";

#[tokio::test(flavor = "multi_thread")]
async fn an_exported_case_is_checked_with_openssl_and_sha256sum_alone() {
    let street = Street::of(2).await;
    let number = street.receive(GANZHOU, OF_THE_CITY, GANZHOU).await;
    street.finish(&number, CITY, GANZHOU).await;
    let out = street.dir.path().join("export");
    let dir = out.display().to_string();
    let exported =
        cli(Lang::En, &["case", "export", &number, "--out", &dir, "--config", &street.config(GANZHOU)]);
    assert_eq!(exported.exit, Some(0), "{exported:?}");

    let root = fingerprint(&street.city.anchor);
    assert_eq!(script(&out, &[&root]), Some(0));
    assert_eq!(script(&out, &[&street.city.anchor.to_string()]), Some(0));
    assert_eq!(script(&out, &[]), Some(2), "without a root it is only consistent in itself");
    assert_eq!(script(&out, &[&"0".repeat(64)]), Some(1), "another root is another city");
    by_hand(&out, &street.city.anchor.to_string());
    assert_eq!(verify(&dir, &root), Some(0));

    let forged = out.join("events/0000.body");
    let mut body = fs::read(&forged).unwrap();
    body[0] ^= 1;
    fs::write(&forged, body).unwrap();
    assert_eq!(script(&out, &[&root]), Some(1), "a changed body goes unnoticed");
    assert_eq!(verify(&dir, &root), Some(5));
}

/// What `verify.sh` in the export says.
fn script(dir: &Path, root: &[&str]) -> Option<i32> {
    let checked = run(Command::new("sh").arg(dir.join("verify.sh")).args(root));
    println!("{}", String::from_utf8_lossy(&checked.stdout));
    checked.status.code()
}

/// What `hallmesh case verify` says.
fn verify(dir: &str, root: &str) -> Option<i32> {
    cli(Lang::En, &["case", "verify", dir, "--root", root]).exit
}

/// The commands that the export's README tells people to type.
fn by_hand(dir: &Path, anchor: &str) {
    assert_eq!(sha256sum(&dir.join("root/policy.signed")), anchor);
    let index: Value = serde_json::from_slice(&fs::read(dir.join("case.json")).unwrap()).unwrap();
    let events = index["events"].as_array().unwrap();
    assert!(events.len() >= 7, "receive, transfer, take, accept, decide, transfer, take, deliver");
    for event in events {
        let stem = dir.join("events").join(event["file"].as_str().unwrap());
        let key = dir.join("charters").join(format!("{}.pem", event["charter"].as_str().unwrap()));
        let signed = stem.with_extension("signed");
        let checked = run(Command::new("openssl")
            .args(["pkeyutl", "-verify", "-pubin", "-inkey"])
            .arg(key)
            .args(["-rawin", "-in"])
            .arg(&signed)
            .arg("-sigfile")
            .arg(stem.with_extension("sig")));
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
        assert_eq!(sha256sum(&signed), event["sha256"].as_str().unwrap());
        assert_eq!(sha256sum(&stem.with_extension("body")), event["body_sha256"].as_str().unwrap());
    }
}

fn sha256sum(file: &Path) -> String {
    let printed = run(Command::new("sha256sum").arg(file)).stdout;
    String::from_utf8(printed).unwrap().split(' ').next().unwrap().to_owned()
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|why| panic!("{command:?}: {why}"))
}
