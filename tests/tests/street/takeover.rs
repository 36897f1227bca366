//! A hall is lost for good, and another one goes on in its place.

use std::fs;
use std::path::Path;

use hallmesh::ops::{Answer, Ask};
use hallmesh::texts::Lang;
use hallmesh_protocol::cases::{Deed, State};
use hallmesh_tests::{Street, cli, eventually};

use crate::bad_input::explained;
use crate::desk::say;
use crate::handbook;

const CITY: usize = 0;
const LOST: usize = 1;
const HEIR: usize = 2;
const TOWN: usize = 3;
/// Decided by the city, taken in everywhere.
const OF_THE_CITY: &str = "ZYL-C-001";
/// Delegated to the counties: a county that takes it in decides it alone, and nobody else on its route has a key.
const OF_A_COUNTY: &str = "ZYL-C-004";

#[tokio::test(flavor = "multi_thread")]
async fn the_drill_of_a_dead_hall_is_played_as_it_is_written() {
    let street = Street::of(4).await;
    let alone = street.receive(LOST, OF_A_COUNTY, LOST).await;
    let decided = street.receive(LOST, OF_THE_CITY, LOST).await;
    street.in_hand(CITY, &decided, State::Received).await;
    street.record(CITY, &decided, Deed::Accept).await;
    eventually("another hall keeps a copy", async || {
        (street.case(LOST, &alone).await?.grade == "D2").then_some(())
    })
    .await;
    street.processes.kill(street.hall(LOST)).await.unwrap();
    street.record(CITY, &decided, Deed::GRANT).await;
    let stick = street.dir.path().join("stick");
    fs::create_dir(&stick).unwrap();
    fs::copy(street.dir.path().join("root/recovery.key"), stick.join("recovery.key")).unwrap();
    for (place, command) in handbook::commands(15) {
        match place {
            "above" => play(&street, CITY, &command, &stick).await,
            "heir" => play(&street, HEIR, &command, &stick).await,
            // Where the city itself is lost: the other test.
            "root" | "any" | "county" => {}
            other => panic!("nobody types at {other}"),
        }
    }
    // What the city had decided comes to the other window, what the lost hall was to decide is decided there.
    street.in_hand(HEIR, &decided, State::Decided).await;
    readable(&street, HEIR, &decided).await;
    street.record(HEIR, &decided, Deed::Deliver).await;
    street.in_hand(HEIR, &alone, State::Received).await;
    readable(&street, HEIR, &alone).await;
    street.record(HEIR, &alone, Deed::Accept).await;
    street.record(HEIR, &alone, Deed::GRANT).await;
    // Who checks an exported case is told that it rests on a ruling.
    let (file, root) = (stick.join("exported"), street.status(CITY).await.root);
    street.export(HEIR, &alone, &file).await;
    let verified = cli(Lang::En, &["case", "verify", &file.display().to_string(), "--root", &root]);
    assert_eq!((verified.exit, verified.out.contains("rests on ruling")), (Some(7), true), "{verified:?}");
    // New cases of the lost county are decided there, too.
    let new = street.receive(TOWN, OF_A_COUNTY, LOST).await;
    street.in_hand(HEIR, &new, State::Received).await;
}

/// The city's own hall is gone: the holders of the root sign, a county takes their word up and goes on.
#[tokio::test(flavor = "multi_thread")]
async fn the_drill_of_the_lost_city_is_played_as_it_is_written() {
    let street = Street::of(4).await;
    let (heir, window) = (1, TOWN);
    let number = street.receive(window, OF_THE_CITY, window).await;
    street.in_hand(CITY, &number, State::Received).await;
    street.record(CITY, &number, Deed::Accept).await;
    eventually("another hall keeps a copy", async || {
        (street.case(CITY, &number).await?.grade == "D2").then_some(())
    })
    .await;
    street.processes.kill(street.hall(CITY)).await.unwrap();
    let root = street.dir.path().join("root").display().to_string();
    for (place, command) in handbook::commands(15) {
        let command = command.replace("word-", &format!("{root}/word-")).replace("DIR", &root);
        let words: Vec<&str> = command.split_whitespace().skip(1).collect();
        match place {
            // The code is typed once more.
            "root" => say(&[words.as_slice(), &["--confirm", &street.hall(CITY).hall.to_string()]].concat()),
            "any" => say(&[words.as_slice(), &["--config", &street.config(heir)]].concat()),
            _ => continue,
        };
    }
    street.in_hand(heir, &number, State::Accepted).await;
    readable(&street, heir, &number).await;
    street.record(heir, &number, Deed::GRANT).await;
    street.in_hand(window, &number, State::Decided).await;
    street.record(window, &number, Deed::Deliver).await;
}

/// The same without the holders: the counties that the root policy names declare it, one after the other.
#[tokio::test(flavor = "multi_thread")]
async fn the_drill_of_the_lost_city_is_played_by_the_counties_as_it_is_written() {
    let street = Street::of(4).await;
    let (heir, window) = (LOST, TOWN);
    let number = street.receive(window, OF_THE_CITY, window).await;
    street.in_hand(CITY, &number, State::Received).await;
    street.record(CITY, &number, Deed::Accept).await;
    eventually("another hall keeps a copy", async || {
        (street.case(CITY, &number).await?.grade == "D2").then_some(())
    })
    .await;
    street.line(LOST, HEIR).await;
    street.processes.kill(street.hall(CITY)).await.unwrap();
    for (county, before) in [(HEIR, 0), (LOST, 1)] {
        assert!(street.case(heir, &number).await.is_none_or(|case| case.stage != "custodian"));
        declares(&street, county, before).await;
    }
    street.in_hand(heir, &number, State::Accepted).await;
    readable(&street, heir, &number).await;
    street.record(heir, &number, Deed::GRANT).await;
    street.in_hand(window, &number, State::Decided).await;
    street.record(window, &number, Deed::Deliver).await;
}

/// Two clerks of a county do what the handbook says, after so many others.
async fn declares(street: &Street, county: usize, before: usize) {
    let config = street.config(county);
    say(&of(&["clerk", "add", "--name", "second", "--roles", "admit"], &config));
    let drill = handbook::commands(15).into_iter().filter(|(place, _)| *place == "county");
    for (_, command) in drill {
        let words: Vec<&str> = command.split_whitespace().skip(1).collect();
        eventually("the county has heard the others", async || {
            let plan = say(&of(&[&words[..5], &["--plan"]].concat(), &config));
            (plan["counties"]["spoken"].as_array().map(Vec::len) == Some(before)).then_some(())
        })
        .await;
        say(&of(&words, &config));
    }
    let again = ["case", "takeover", "620700000000-00", "--to", "620702000000-00", "--apply"];
    let persons = ["--confirm", "620700000000-00", "--clerk", "1", "--second", "2"];
    let refused = cli(Lang::En, &of(&[again.as_slice(), &persons].concat(), &config));
    explained(Lang::En, &refused, "declare.before");
}

fn of<'w>(words: &[&'w str], config: &'w str) -> Vec<&'w str> {
    [words, &["--config", config]].concat()
}

/// The key comes a moment after the case, from whoever can open it.
async fn readable(street: &Street, place: usize, number: &str) {
    let id = street.case(place, number).await.unwrap().id;
    eventually("the case can be read", async || {
        match street.act(place, &Ask::Read { case: id.clone() }).await {
            Ok(Answer::Contents(_)) => Some(()),
            Err(problem) if problem.code == "case.not_readable" => None,
            other => panic!("{other:?}"),
        }
    })
    .await;
}

async fn play(street: &Street, place: usize, command: &str, stick: &Path) {
    let command = command.replace("/media/stick", &stick.display().to_string());
    let words: Vec<&str> = command.split_whitespace().skip(1).collect();
    let config = street.config(place);
    if words.contains(&"give-keys") {
        // The handbook has people look first at what has come.
        eventually("the other hall lacks a key that can be given", async || {
            let plan = say(&[
                "case",
                "give-keys",
                &street.hall(HEIR).hall.to_string(),
                "--plan",
                "--config",
                &config,
            ]);
            (plan["lacking"].as_u64() >= Some(1) || !words.contains(&"--plan")).then_some(())
        })
        .await;
    }
    say(&[words.as_slice(), &["--config", &config]].concat());
}
