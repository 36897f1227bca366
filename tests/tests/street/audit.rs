//! A hall that comes back with an old disk; a log in which somebody has changed something; a proof, checked by hand.

use std::fs;
use std::path::Path;
use std::process::Command;

use hallmesh::enrol::fingerprint;
use hallmesh::ops::{Answer, Ask, Audit, Content};
use hallmesh::store::Store;
use hallmesh::texts::Lang;
use hallmesh_protocol::step::{Bytes, View, Writes};
use hallmesh_tests::{Said, Street, cli, eventually};
use serde_json::Value;

use crate::theft::copy;

const COUNTY: usize = 1;
const TOWN: usize = 3;
const OF_THE_CITY: &str = "ZYL-C-001";
/// The table of events: see the key space in `hallmesh_protocol::rows`.
const EVENTS: &[u8] = &[0x21];

async fn audit(street: &Street, place: usize) -> Audit {
    match street.ask(place, &Ask::Audit).await.unwrap() {
        Answer::Audit(audit) => *audit,
        other => panic!("{other:?}"),
    }
}

/// Waits until all other halls remember all that a hall has signed.
async fn remembered(street: &Street, place: usize) {
    let hall = street.hall(place).hall.to_string();
    for other in (0..street.city.members.len()).filter(|other| *other != place) {
        eventually("a neighbour remembers", async || {
            let size = audit(street, place).await.size;
            let witnessed = audit(street, other).await.witnessed;
            witnessed.iter().any(|seen| seen.hall == hall && seen.size == size && size > 0).then_some(())
        })
        .await;
    }
}

fn said(street: &Street, place: usize, lang: Lang, arguments: &[&str]) -> Said {
    let config = street.config(place);
    cli(lang, &[arguments, &["--config", &config]].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_township_that_comes_back_with_an_old_disk_is_told_and_signs_nothing_more() {
    let street = Street::of(4).await;
    let (town, data) = (street.hall(TOWN), street.hall(TOWN).dir.clone());
    let before = street.receive(TOWN, OF_THE_CITY, TOWN).await;
    remembered(&street, TOWN).await;
    street.processes.stop(town).await.unwrap();
    let aside = street.dir.path().join("aside");
    copy(&data, &aside);
    street.processes.start(town).await.unwrap();
    street.receive(TOWN, OF_THE_CITY, TOWN).await;
    remembered(&street, TOWN).await;
    let signed = audit(&street, TOWN).await.size;

    street.processes.kill(town).await.unwrap();
    fs::remove_dir_all(&data).unwrap();
    copy(&aside, &data);
    street.processes.start(town).await.unwrap();
    let found = eventually("it is told", async || street.status(TOWN).await.rolled_back).await;
    assert_eq!(found.signed, signed);
    assert!(found.size < signed);

    let (matter, place) = (OF_THE_CITY.parse().unwrap(), town.hall.division());
    let ask = Ask::Receive { matter, place, content: Content::one("applicant", "example") };
    assert_eq!(street.act(TOWN, &ask).await.unwrap_err().code, "hall.rolled_back");
    assert_eq!(audit(&street, TOWN).await.size, found.size, "it has signed nothing");
    assert!(street.case(TOWN, &before).await.is_some(), "it still answers questions");

    let status = said(&street, TOWN, Lang::En, &["status"]);
    assert_eq!(status.exit, Some(0), "{status:?}");
    assert!(
        status.out.contains("ROLLED BACK") && status.out.contains("hallmesh hall rejoin"),
        "{}",
        status.out
    );
    let status = said(&street, TOWN, Lang::Zh, &["status"]);
    assert!(status.out.contains("已被回退"), "{}", status.out);
    let json = said(&street, TOWN, Lang::En, &["status", "--json"]);
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["rolled_back"]["signed"], signed);
    let shown = said(&street, TOWN, Lang::En, &["audit", "show"]);
    assert!(shown.exit == Some(0) && shown.out.contains("ROLLED BACK"), "{shown:?}");

    let applicant = street.dir.path().join("applicant.json");
    fs::write(&applicant, r#"{"applicant": "example"}"#).unwrap();
    let (applicant, place) = (applicant.display().to_string(), town.hall.division().to_string());
    let mut receive = vec!["case", "receive", "--matter", OF_THE_CITY, "--place", &place];
    receive.extend(["--applicant", &applicant, "--clerk", "1"]);
    let refused = said(&street, TOWN, Lang::En, &receive);
    assert_eq!(refused.exit, Some(5), "{refused:?}");
    assert!(
        refused.err.contains("hall.rolled_back") && refused.err.contains("hallmesh hall rejoin"),
        "{refused:?}"
    );

    // A start does not make it forget that, too.
    street.processes.kill(town).await.unwrap();
    street.processes.start(town).await.unwrap();
    assert!(street.status(TOWN).await.rolled_back.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_event_is_found_by_name_and_a_proof_holds_by_hand() {
    let street = Street::of(2).await;
    let number = street.receive(COUNTY, OF_THE_CITY, COUNTY).await;
    remembered(&street, COUNTY).await;

    let good = said(&street, COUNTY, Lang::En, &["audit", "verify", "--json"]);
    assert_eq!(good.exit, Some(0), "{good:?}");
    let file = street.dir.path().join("proof.json");
    let path = file.display().to_string();
    let proved = said(&street, COUNTY, Lang::En, &["audit", "prove", &number, "--sequence", "0", &path]);
    assert_eq!(proved.exit, Some(0), "{proved:?}");
    let root = fingerprint(&street.city.anchor);
    let holds = cli(Lang::En, &["audit", "verify", &path, "--root", &root]);
    assert_eq!(holds.exit, Some(0), "{holds:?}");
    by_hand(&file, street.dir.path());
    let other = cli(Lang::En, &["audit", "verify", &path, "--root", &"0".repeat(64)]);
    assert_eq!(other.exit, Some(5), "{other:?}");
    let text = fs::read_to_string(&file).unwrap();
    let proof: Value = serde_json::from_str(&text).unwrap();
    let leaf = proof["leaf"].as_str().unwrap();
    fs::write(&file, text.replace(leaf, &"0".repeat(64))).unwrap();
    assert_eq!(cli(Lang::En, &["audit", "verify", &path]).exit, Some(5), "what people read was changed");

    let county = street.hall(COUNTY);
    street.processes.stop(county).await.unwrap();
    change_first_event(&county.dir);
    street.processes.start(county).await.unwrap();
    let bad = said(&street, COUNTY, Lang::En, &["audit", "verify"]);
    assert_eq!(bad.exit, Some(8), "{bad:?}");
    assert!(bad.out.contains("Place 0 of the log") && bad.out.contains(&number), "{}", bad.out);
    let bad = said(&street, COUNTY, Lang::En, &["audit", "verify", "--json"]);
    let bad: Value = serde_json::from_str(&bad.out).unwrap();
    assert_eq!((&bad["wrong"]["place"], &bad["wrong"]["what"]), (&0.into(), &"event-changed".into()));
}

/// Somebody with the rights of the node's user changes one bit of a sealed application.
fn change_first_event(data: &Path) {
    let store = Store::open(data).unwrap();
    let mut first = None;
    store.snapshot().unwrap().scan(EVENTS, &[], &mut |key, value| {
        first = Some((key.to_vec(), value.to_vec()));
        false
    });
    let (key, mut value) = first.unwrap();
    *value.last_mut().unwrap() ^= 1;
    store.commit(&Writes::from([(key, Some(Bytes::from(value)))])).unwrap();
}

/// The commands that `audit prove` tells people to type, with the steps of the path.
fn by_hand(file: &Path, dir: &Path) {
    let script = r#"
set -e
part() { jq -j "$1" "$FILE"; }
holds() {
    part "$1.message" | xxd -r -p > m; part "$1.signature" | xxd -r -p > s; part "$1.key" > k
    openssl pkeyutl -verify -pubin -inkey k -rawin -in m -sigfile s
}
holds .event
hash=$( (printf '\000'; openssl dgst -sha256 -binary m) | sha256sum | cut -c1-64)
test "$hash" = "$(part .leaf)"
steps=$(jq '.path | length' "$FILE")
step=0
while [ "$step" -lt "$steps" ]; do
    other=$(part ".path[$step].hash")
    case $(part ".path[$step].side") in
        left) pair="01$other$hash" ;;
        right) pair="01$hash$other" ;;
    esac
    hash=$(printf %s "$pair" | xxd -r -p | sha256sum | cut -c1-64)
    step=$((step + 1))
done
test "$hash" = "$(part .root)"
holds .checkpoint
part .checkpoint.message | grep -q "$hash"
holds '.cosignatures[0]'
part '.cosignatures[0].message' | grep -q "$hash"
"#;
    let there = |tool: &str| Command::new(tool).arg("--version").output().is_ok();
    assert!(["openssl", "sha256sum"].into_iter().all(there));
    if !["jq", "xxd"].into_iter().all(there) {
        println!("no jq or xxd here: the commands were not typed");
        return;
    }
    let typed = Command::new("sh").args(["-c", script]).env("FILE", file).current_dir(dir).output().unwrap();
    assert!(typed.status.success(), "{typed:?}");
}
