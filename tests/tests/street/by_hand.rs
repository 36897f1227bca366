//! A city of two halls by the command line alone, as the handbook tells it: founded, joined, listed, worked.

use std::fs;

use crate::desk::{Desk, Two, say, two};

#[tokio::test(flavor = "multi_thread")]
async fn two_halls_are_founded_joined_and_worked_by_the_command_line_alone() {
    let dir = tempfile::tempdir().unwrap();
    let Two { city, county, print, .. } = two(dir.path()).await;
    work(&city, &county).await;
    let number = county.says(&["case", "list"])["cases"][0]["number"].as_str().unwrap().to_owned();
    let export = county.file("export");
    county.says(&["case", "export", &number, "--out", &export]);
    say(&["case", "verify", &export, "--root", &print]);
}

/// A case from the county's window to the city's desk and back.
async fn work(city: &Desk, county: &Desk) {
    let application = county.file("application.json");
    fs::write(&application, r#"{"applicant": "example"}"#).unwrap();
    let who = ["--clerk", "1", "--applicant", &application];
    let what = ["case", "receive", "--matter", "ZYL-C-001", "--place", "620702000000"];
    let received = county.says(&[what.as_slice(), &who].concat());
    let number = received["number"].as_str().unwrap();
    city.in_hand(number, "Received").await;
    city.says(&["case", "accept", number, "--clerk", "1"]);
    city.says(&["case", "decide", number, "--grant", "--note", "example", "--clerk", "1"]);
    county.in_hand(number, "Decided").await;
    county.says(&["case", "deliver", number, "--clerk", "1"]);
}
