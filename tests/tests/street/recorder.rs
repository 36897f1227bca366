//! The flight recorder: what a real hall was given gives the same on a desk, and nobody is named in the file.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use hallmesh::ops::{Answer, Ask, Content, RoleWords};
use hallmesh::texts::Lang;
use hallmesh_protocol::recording::{Came, Recording, Replay};
use hallmesh_tests::{Said, Street, cli};
use serde_json::Value;

const CITY: usize = 0;
const GANZHOU: usize = 1;
const OF_THE_CITY: &str = "ZYL-C-001";
const CLERK: &str = "Zhangsun Wuji of window three";
const APPLICANT: &str = "Ouyang Xiu, 13993600000, lives behind the bell tower";

#[tokio::test(flavor = "multi_thread")]
async fn what_a_hall_was_given_gives_the_same_on_a_desk_and_names_nobody() {
    let street = Street::of(3).await;
    let clerk = Ask::AddClerk {
        name: CLERK.to_owned(),
        number: None,
        key: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a".to_owned(),
        roles: RoleWords(vec!["window".to_owned()]),
    };
    street.ask(GANZHOU, &clerk).await.unwrap();
    let apply = Ask::Receive {
        matter: OF_THE_CITY.parse().unwrap(),
        place: street.hall(GANZHOU).hall.division(),
        content: Content::one("applicant", APPLICANT),
    };
    let Answer::Received(received) = street.act(GANZHOU, &apply).await.unwrap() else { panic!("no receipt") };
    street.finish(&received.number, CITY, GANZHOU).await;

    for place in [CITY, GANZHOU] {
        let status = call(&street, place, &["record", "status", "--json"]);
        let status: Value = serde_json::from_str(&status.out).unwrap();
        assert_eq!(
            (status["on"].as_bool(), status["inputs"].as_u64() > Some(20)),
            (Some(true), true),
            "{status}"
        );

        let file = street.dir.path().join(format!("{place}.hallrec"));
        let path = file.display().to_string();
        let saved = call(&street, place, &["record", "save", "--out", &path]);
        assert_eq!(saved.exit, Some(0), "{saved:?}");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let again = call(&street, place, &["record", "save", "--out", &path]);
        assert_eq!(again.exit, Some(1), "what is there is left alone: {again:?}");
        gives_the_same(&file, &received.id);
    }
}

/// Takes the file in as `hallmesh-sim replay` does.
fn gives_the_same(file: &Path, case: &str) {
    let bytes = fs::read(file).unwrap();
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(!holds(CLERK) && !holds(APPLICANT) && !holds("Ouyang") && !holds("13993600000"));
    assert!(holds(case), "what is looked for can be found");
    let recording = Recording::decode(&bytes).unwrap();
    let commands =
        recording.entries.iter().filter(|entry| matches!(entry.came, Came::Command { .. })).count();
    assert!(commands >= 2, "{commands} commands");
    println!(
        "{}: {} bytes, {} inputs, {} rows",
        file.display(),
        bytes.len(),
        recording.entries.len(),
        recording.rows.len()
    );
    let replay = Replay::open(recording.clone()).unwrap();
    for outcome in replay {
        let recorded = &recording.entries[outcome.entry];
        assert_eq!(outcome.difference, None, "{outcome:?}\n{recorded:?}");
    }
    // A clock that shows another time when a command came is seen at that command.
    let mut changed = recording;
    let place = changed.entries.iter().rposition(|entry| matches!(entry.came, Came::Command { .. })).unwrap();
    changed.entries[place].now.wall += 1;
    let first = Replay::open(changed).unwrap().find(|outcome| outcome.difference.is_some());
    assert_eq!(first.map(|outcome| outcome.entry), Some(place));
}

fn call(street: &Street, place: usize, words: &[&str]) -> Said {
    let config = street.config(place);
    cli(Lang::En, &[words, &["--config", &config]].concat())
}
