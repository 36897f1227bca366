//! Post by stick between real processes: without any line, and mixed with lines.

use std::fs;
use std::path::Path;

use hallmesh::ops::{Answer, Ask, Content, Trace};
use hallmesh::texts::Lang;
use hallmesh_protocol::cases::{Deed, State};
use hallmesh_tests::{Said, Street, cli, eventually};
use serde_json::Value;
use tempfile::TempDir;

const CITY: usize = 0;
const TOWN: usize = 3;
const VILLAGE: usize = 5;
/// Decided by the city, taken in everywhere.
const OF_THE_CITY: &str = "ZYL-C-001";
/// What an applicant said: nobody on the way may find it.
const CANARY: &str = "the-applicant-lives-behind-the-mill";
/// Carryings to and fro that a story may take at the most.
const ROUNDS_MAX: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn a_village_without_a_line_has_its_case_decided_by_the_city_and_hands_the_result_out() {
    let street = Street::city().await;
    let stick = TempDir::new().unwrap();
    village_alone(&street).await;
    let number = receive(&street, "applicant", CANARY).await;
    let exported = says(&street, VILLAGE, &["post", "export", "--to", &code(&street, TOWN), &path(&stick)]);
    assert!(exported["letters"].as_u64().unwrap() >= 2, "{exported}");
    assert!(all_wait_on_a_stick(&street, VILLAGE), "what was exported stays in the post");
    assert!(!holds(stick.path(), CANARY.as_bytes()), "an applicant's words lie on the stick in the clear");

    all_but_the_village(&street).await;
    assert!(street.case(CITY, &number).await.is_none());
    let imported = says(&street, TOWN, &["post", "import", &path(&stick)]);
    assert!(imported["taken"]["relayed"].as_u64().unwrap() >= 1, "{imported}");
    street.in_hand(CITY, &number, State::Received).await;
    street.record(CITY, &number, Deed::Accept).await;
    street.record(CITY, &number, Deed::GRANT).await;

    decided_at_the_village(&street, &stick, &number).await;
    street.record(VILLAGE, &number, Deed::Deliver).await;
    let whole = trace(&street, VILLAGE, &number).await.unwrap();
    let words: Vec<&str> = whole.events.iter().map(|event| event.what.as_str()).collect();
    assert_eq!(words, ["receive", "transfer", "take", "accept", "decide", "transfer", "take", "deliver"]);
    // The town keeps a copy, the village hears of it and says so to the city.
    to_and_fro(&street, &stick).await;
    says(&street, VILLAGE, &["post", "export", "--all", &path(&stick)]);
    assert!(!holds(stick.path(), CANARY.as_bytes()), "an applicant's words lie on the stick in the clear");
    all_but_the_village(&street).await;
    says(&street, TOWN, &["post", "import", &path(&stick)]);
    eventually("the city has let the case go", async || {
        (street.case(CITY, &number).await?.stage == "released").then_some(())
    })
    .await;
    let here = trace(&street, CITY, &number).await.unwrap();
    assert_eq!(digests(&here), digests(&whole)[..here.events.len()], "one log");
    let shown = cli(Lang::En, &["case", "trace", &number, "--config", &street.config(CITY)]);
    let (village, city) = (code(&street, VILLAGE), code(&street, CITY));
    for way in [&village, &city] {
        assert!(shown.out.contains(way.as_str()), "{}", shown.out);
    }
    assert_eq!(here.events.iter().filter(|event| event.what == "transfer").count(), 2, "there and back");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_letters_by_stick_and_by_line_with_kill_9_in_between_make_one_log() {
    let street = Street::city().await;
    let (first, second) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    village_alone(&street).await;
    let numbers = [receive(&street, "a", "b").await, receive(&street, "c", "d").await];
    says(&street, VILLAGE, &["post", "export", "--all", &path(&first)]);
    says(&street, VILLAGE, &["post", "export", "--to", &code(&street, TOWN), &path(&second)]);
    all_but_the_village(&street).await;
    says(&street, TOWN, &["post", "import", &path(&first)]);
    street.processes.kill(street.hall(TOWN)).await.unwrap();
    let stopped = call(&street, TOWN, &["post", "import", &path(&second)]);
    assert_eq!(stopped.exit, Some(3), "{stopped:?}");
    // Now the line is there as well, and says the same things once more.
    street.processes.start(street.hall(TOWN)).await.unwrap();
    street.processes.start(street.hall(VILLAGE)).await.unwrap();
    for hall in [TOWN, CITY, TOWN] {
        says(&street, hall, &["post", "import", &path(&second)]);
        says(&street, hall, &["post", "import", &path(&first)]);
    }
    says(&street, CITY, &["post", "export", "--to", &code(&street, VILLAGE), &path(&first)]);
    street.processes.kill(street.hall(CITY)).await.unwrap();
    street.processes.start(street.hall(CITY)).await.unwrap();
    says(&street, VILLAGE, &["post", "import", &path(&first)]);
    for number in &numbers {
        street.in_hand(CITY, number, State::Received).await;
        street.record(CITY, number, Deed::Accept).await;
        street.record(CITY, number, Deed::GRANT).await;
        says(&street, CITY, &["post", "export", "--all", &path(&second)]);
    }
    street.processes.kill(street.hall(VILLAGE)).await.unwrap();
    street.processes.start(street.hall(VILLAGE)).await.unwrap();
    for stick in [&second, &first, &second] {
        says(&street, VILLAGE, &["post", "import", &path(stick)]);
    }
    for number in &numbers {
        street.in_hand(VILLAGE, number, State::Decided).await;
        street.record(VILLAGE, number, Deed::Deliver).await;
        one_log(&street, number).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_named_and_the_others_are_taken_in() {
    let street = Street::city().await;
    let stick = TempDir::new().unwrap();
    village_alone(&street).await;
    let number = receive(&street, "applicant", CANARY).await;
    says(&street, VILLAGE, &["post", "export", "--all", &path(&stick)]);
    let room = stick.path().join("hallmesh-post");
    let town = format!("_to_{}_", code(&street, TOWN));
    let mut files: Vec<_> = fs::read_dir(&room).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let of_the_town = files.iter().find(|file| file.display().to_string().contains(&town)).unwrap();
    let mut bytes = fs::read(of_the_town).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(of_the_town, &bytes).unwrap();
    fs::write(room.join("holiday.hallpost"), "not ours").unwrap();
    let newer = [b"hallmesh-post/9\n", &bytes[16..]].concat();
    fs::write(room.join("newer.hallpost"), newer).unwrap();
    fs::write(room.join("short.hallpost"), &fs::read(&files[1]).unwrap()[..300]).unwrap();
    all_but_the_village(&street).await;
    let said = call(&street, TOWN, &["post", "import", &path(&stick)]);
    assert_eq!(said.exit, Some(7), "done, with warnings: {said:?}");
    let imported: Value = serde_json::from_str(&said.out).unwrap();
    let refused: Vec<(&str, &str)> = imported["files"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|file| file["state"] == "refused")
        .map(|file| (file["file"].as_str().unwrap(), file["problem"]["code"].as_str().unwrap()))
        .collect();
    let name = of_the_town.file_name().unwrap().to_str().unwrap();
    for expected in [
        (name, "post.damaged"),
        ("holiday.hallpost", "post.not_a_parcel"),
        ("newer.hallpost", "post.newer"),
        ("short.hallpost", "post.damaged"),
    ] {
        assert!(refused.contains(&expected), "{refused:?}");
    }
    assert_eq!(refused.len(), 4, "{refused:?}");
    street.in_hand(CITY, &number, State::Received).await;
}

/// Carries a stick to and fro until the village has the decision in its hand.
async fn decided_at_the_village(street: &Street, stick: &TempDir, number: &str) {
    for _ in 0..ROUNDS_MAX {
        eventually("letters for the village wait in the town", async || {
            let waiting = says(street, TOWN, &["post", "list"]);
            let to = code(street, VILLAGE);
            let letters = waiting["letters"].as_array().unwrap();
            (letters.iter().filter(|it| it["to"] == to.as_str()).count() >= 2).then_some(())
        })
        .await;
        says(street, TOWN, &["post", "export", "--to", &code(street, VILLAGE), &path(stick)]);
        village_alone(street).await;
        says(street, VILLAGE, &["post", "import", &path(stick)]);
        let case = street.case(VILLAGE, number).await.unwrap();
        if case.stage == "custodian" && case.state == State::Decided {
            return;
        }
        says(street, VILLAGE, &["post", "export", "--to", &code(street, TOWN), &path(stick)]);
        all_but_the_village(street).await;
        says(street, TOWN, &["post", "import", &path(stick)]);
    }
    panic!("the decision did not come back");
}

/// What the village has goes to the town, and the town's answers come back.
async fn to_and_fro(street: &Street, stick: &TempDir) {
    let stick = path(stick);
    says(street, VILLAGE, &["post", "export", "--all", &stick]);
    all_but_the_village(street).await;
    says(street, TOWN, &["post", "import", &stick]);
    says(street, TOWN, &["post", "export", "--to", &code(street, VILLAGE), &stick]);
    village_alone(street).await;
    says(street, VILLAGE, &["post", "import", &stick]);
}

/// The village runs, and nobody else: no line can lead to it.
async fn village_alone(street: &Street) {
    for (place, member) in street.city.members.iter().enumerate() {
        if place != VILLAGE {
            street.processes.stop(member).await.unwrap();
        }
    }
    street.processes.stop(street.hall(VILLAGE)).await.unwrap();
    street.processes.start(street.hall(VILLAGE)).await.unwrap();
    assert_eq!(street.status(VILLAGE).await.peers, 0);
}

async fn all_but_the_village(street: &Street) {
    street.processes.stop(street.hall(VILLAGE)).await.unwrap();
    for (place, member) in street.city.members.iter().enumerate() {
        if place != VILLAGE {
            street.processes.start(member).await.unwrap();
        }
    }
}

async fn receive(street: &Street, name: &str, said: &str) -> String {
    let place = street.hall(VILLAGE).hall.division();
    let content = Content::one(name, said);
    let ask = Ask::Receive { matter: OF_THE_CITY.parse().unwrap(), place, content };
    let Answer::Received(received) = street.act(VILLAGE, &ask).await.unwrap() else { panic!("no receipt") };
    received.number
}

/// Everywhere the same, and in the village's hand only.
async fn one_log(street: &Street, number: &str) {
    let whole = trace(street, VILLAGE, number).await.unwrap();
    assert_eq!(whole.case.state, State::Delivered);
    for (place, member) in street.city.members.iter().enumerate() {
        assert_eq!(street.status(place).await.forks, 0, "{}", member.hall);
        eventually("no letter waits", async || (street.status(place).await.post == 0).then_some(())).await;
        let Some(known) = trace(street, place, number).await else { continue };
        assert_eq!(digests(&known), digests(&whole)[..known.events.len()], "{}", member.hall);
        assert_eq!(known.case.stage == "custodian", place == VILLAGE, "{}", member.hall);
    }
}

async fn trace(street: &Street, place: usize, number: &str) -> Option<Trace> {
    match street.ask(place, &Ask::Trace { case: number.to_owned() }).await {
        Ok(Answer::Trace(trace)) => Some(*trace),
        Ok(other) => panic!("{other:?}"),
        Err(problem) if problem.code == "case.unknown" => None,
        Err(problem) => panic!("{problem:?}"),
    }
}

fn digests(trace: &Trace) -> Vec<String> {
    trace.events.iter().map(|event| event.digest.clone()).collect()
}

fn all_wait_on_a_stick(street: &Street, place: usize) -> bool {
    let waiting = says(street, place, &["post", "list"]);
    let letters = waiting["letters"].as_array().unwrap();
    !letters.is_empty() && letters.iter().all(|letter| letter["on_stick"].is_u64())
}

fn code(street: &Street, place: usize) -> String {
    street.hall(place).hall.to_string()
}

fn path(stick: &TempDir) -> String {
    stick.path().display().to_string()
}

fn call(street: &Street, place: usize, arguments: &[&str]) -> Said {
    cli(Lang::En, &[arguments, &["--json", "--config", &street.config(place)]].concat())
}

fn says(street: &Street, place: usize, arguments: &[&str]) -> Value {
    let said = call(street, place, arguments);
    assert_eq!(said.exit, Some(0), "{arguments:?}: {said:?}");
    serde_json::from_str(&said.out).unwrap()
}

/// Whether a file under a directory holds these bytes.
fn holds(dir: &Path, text: &[u8]) -> bool {
    fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).any(|path| {
        if path.is_dir() {
            holds(&path, text)
        } else {
            fs::read(&path).unwrap().windows(text.len()).any(|it| it == text)
        }
    })
}
