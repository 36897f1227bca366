//! A child is born: one application in a village, decided by the township and the county, handed out in one pack. By the
//! command line of real processes.

use std::fs;

use hallmesh::texts::Lang;
use hallmesh_protocol::cases::State;
use hallmesh_tests::{Street, cli};
use serde_json::{Value, json};

const GANZHOU: usize = 1;
const TOWN: usize = 3;
const VILLAGE: usize = 5;
const ANSWERS: &str = "born=outside,registered=no,card=yes";

#[tokio::test(flavor = "multi_thread")]
async fn a_birth_is_one_application_and_each_authority_reads_only_what_it_needs() {
    let street = Street::of(6).await;
    street.line(VILLAGE, TOWN).await;
    street.line(TOWN, GANZHOU).await;
    let shown = said(&street, VILLAGE, &["bundle", "show", "newborn", "--answers", ANSWERS]);
    assert_eq!(shown["items"].as_array().unwrap().len(), 5);
    let brought = shown["bring"].to_string();
    assert!(!brought.contains("户口簿") && shown["shared"].to_string().contains("户口簿"));
    let form = form(&street, &json!({ "child_name": "甲", "born_on": "2026-11-30" }));
    let place = street.hall(VILLAGE).hall.division().to_string();
    let receive = |form: &str, answers: &str| {
        let call = ["bundle", "receive", "newborn", "--answers", answers, "--place", &place, "--clerk", "1"];
        said(&street, VILLAGE, &[call.as_slice(), &["--applicant", form]].concat())
    };
    let missing = receive(&form, ANSWERS);
    assert_eq!(missing["error"]["code"], "bundle.missing_fields");
    assert_eq!(missing["error"]["params"]["fields"], "mother_name, citizen_id, household, phone, bank");
    let whole = self::form(
        &street,
        &json!({
            "child_name": "甲", "born_on": "2026-11-30", "mother_name": "乙", "phone": "1",
            "citizen_id": "11010519491231002X", "household": "mother", "bank": "example bank",
        }),
    );
    assert_eq!(receive(&whole, "born=outside")["error"]["code"], "bundle.unanswered");
    assert_eq!(said(&street, VILLAGE, &["case", "list"])["cases"], json!([]), "nothing was received so far");
    let received = receive(&whole, ANSWERS);
    let number = received["application"]["number"].as_str().unwrap().to_owned();
    let tasks: Vec<String> = received["application"]["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| task["case"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(tasks.len(), 5);
    waits(&street, &tasks);
    one_after_another(&street, &number, &tasks).await;
    let delivered = said(&street, VILLAGE, &["bundle", "deliver", &number, "--clerk", "1"]);
    assert_eq!(delivered["cases"].as_array().map(Vec::len), Some(5));
    let status = said(&street, VILLAGE, &["bundle", "status", &number]);
    assert_eq!((&status["state"], &status["limit"]["kind"]), (&json!("granted"), &json!("joint")));
    let again = said(&street, VILLAGE, &["bundle", "deliver", &number, "--clerk", "1"]);
    assert_eq!(again["error"]["code"], "bundle.not_these");
}

/// What the window tells of a task that cannot begin yet: by trace, by limits, and to who tries all the same.
fn waits(street: &Street, tasks: &[String]) {
    let register = said(street, VILLAGE, &["case", "trace", &tasks[1]]);
    assert_eq!(
        (&register["case"]["task"]["state"], &register["case"]["task"]["task"]),
        (&json!("waits"), &json!(2))
    );
    assert_eq!(register["case"]["task"]["because_of"][0]["case"], tasks[0].as_str());
    let due = said(street, VILLAGE, &["due", "explain", &tasks[1]]);
    assert_eq!((&due["limits"], &due["task"]["limit"]["kind"]), (&json!([]), &json!("joint")));
    for lang in [Lang::Zh, Lang::En] {
        let config = street.config(VILLAGE);
        let text = cli(lang, &["due", "explain", &tasks[1], "--config", &config]);
        assert!(text.out.contains("《出生医学证明》签发"), "it says what for: {}", text.out);
    }
}

/// Everybody decides what comes to them; the register begins with the certificate, insurance and card with the register.
async fn one_after_another(street: &Street, number: &str, tasks: &[String]) {
    let order = [(2, TOWN), (0, GANZHOU), (1, GANZHOU), (3, TOWN), (4, GANZHOU)];
    for (task, decides) in order {
        let case = &tasks[task];
        street.in_hand(decides, case, State::Received).await;
        let read = said(street, decides, &["case", "read", case, "--clerk", "1"]).to_string();
        assert_eq!(read.contains("example bank"), task == 4, "the bank is for the card alone");
        assert_eq!(read.contains("household"), task == 1, "where to register is for the register alone");
        let early = said(street, VILLAGE, &["bundle", "deliver", number, "--clerk", "1"]);
        assert_eq!(early["error"]["code"], "bundle.not_ready");
        said(street, decides, &["case", "accept", case, "--clerk", "1"]);
        said(street, decides, &["case", "decide", case, "--clerk", "1", "--grant", "--note", "example"]);
        street.in_hand(VILLAGE, case, State::Decided).await;
    }
    let status = said(street, VILLAGE, &["bundle", "status", &number[..number.len() - 2]]);
    assert_eq!(status["state"], "ready");
    let started = said(street, GANZHOU, &["case", "show", &tasks[4]]);
    assert!(started["task"]["started"].is_u64(), "the county knows since when it could begin");
}

fn form(street: &Street, fields: &Value) -> String {
    let path = street.dir.path().join("form.json");
    fs::write(&path, fields.to_string()).unwrap();
    path.display().to_string()
}

fn said(street: &Street, place: usize, call: &[&str]) -> Value {
    let config = street.config(place);
    let said = cli(Lang::En, &[call, &["--json", "--config", &config]].concat());
    serde_json::from_str(&said.out)
        .unwrap_or_else(|error| panic!("{error}: {call:?}\n{}{}", said.out, said.err))
}
