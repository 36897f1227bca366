//! What clerks do with a case besides the plain way, by the command line of real processes.

use hallmesh::texts::Lang;
use hallmesh_protocol::cases::State;
use hallmesh_tests::{Street, cli, eventually};
use serde_json::Value;

const CITY: usize = 0;
const GANZHOU: usize = 1;

#[tokio::test(flavor = "multi_thread")]
async fn a_case_takes_longer_is_granted_and_its_certificate_made() {
    let street = Street::of(2).await;
    street.line(GANZHOU, CITY).await;
    let number = street.receive(GANZHOU, "ZYL-C-001", GANZHOU).await;
    street.in_hand(CITY, &number, State::Received).await;
    let act = |verb: &str, more: &[&str]| {
        let call = ["case", verb, &number, "--clerk", "1", "--note", "example"];
        said(&street, CITY, &[call.as_slice(), more].concat())
    };
    let early = act("extend", &["--days", "5"]);
    assert_eq!(early["error"]["params"]["article"], "licensing-42", "not before acceptance");
    act("accept", &[]);
    assert_eq!(act("extend", &["--days", "11"])["error"]["code"], "case.too_long");
    act("extend", &["--days", "10"]);
    act("pause", &["--procedure", "expert-review", "--days", "5"]);
    assert_eq!(act("decide", &["--grant"])["error"]["params"]["article"], "licensing-45");
    let stands = said(&street, CITY, &["due", "explain", &number]);
    assert_eq!(stands["limits"][2]["limit"]["reading"], "stands-still");
    act("resume", &[]);
    act("decide", &["--grant", "--certificate"]);
    assert_eq!(
        said(&street, CITY, &["case", "show", &number])["custodian"],
        street.hall(CITY).hall.to_string()
    );
    act("certify", &[]);
    street.in_hand(GANZHOU, &number, State::Certified).await;
    let limits = |place| said(&street, place, &["due", "explain", &number]);
    assert_eq!(limits(CITY)["limits"][2], limits(GANZHOU)["limits"][2], "every hall counts alike");
    assert_eq!(limits(GANZHOU)["limits"][2]["limit"]["extended"], 10);
    said(&street, GANZHOU, &["case", "deliver", &number, "--clerk", "1"]);
    let case = said(&street, GANZHOU, &["case", "show", &number]);
    assert_eq!((&case["ending"], &case["ending_code"]), (&Value::from("certified"), &Value::from(0)));
}

/// 容缺: what the list lets follow may follow, and is watched until it is there.
#[tokio::test(flavor = "multi_thread")]
async fn something_follows_later_and_is_watched_until_it_is_there() {
    let street = Street::of(2).await;
    street.line(GANZHOU, CITY).await;
    let number = street.receive(GANZHOU, "ZYL-C-001", GANZHOU).await;
    street.in_hand(CITY, &number, State::Received).await;
    let act = |verb: &str, more: &[&str]| {
        let call = ["case", verb, &number, "--clerk", "1", "--note", "example"];
        said(&street, CITY, &[call.as_slice(), more].concat())
    };
    assert_eq!(act("tolerate", &["--days", "21"])["error"]["code"], "case.too_long");
    act("tolerate", &["--days", "2"]);
    assert_eq!(act("decide", &["--grant"])["error"]["params"]["article"], "licensing-32");
    let due = |more: &[&str]| said(&street, CITY, &[["due", "list"].as_slice(), more].concat());
    let list = due(&[]);
    assert_eq!(list["cases"][0]["number"], number);
    assert_eq!(list["cases"][0]["limit"]["kind"], "supply", "it is due before the decision");
    assert_eq!(
        (&list["cases"][0]["urgency"], &list["counts"]["soon"]),
        (&Value::from("soon"), &Value::from(1))
    );
    assert_eq!(due(&["--within", "0"])["cases"], Value::Array(Vec::new()));
    act("supply", &[]);
    assert_eq!(due(&[])["cases"][0]["limit"]["kind"], "promise");
    act("decide", &["--grant"]);
    street.in_hand(GANZHOU, &number, State::Decided).await;
    // Until the window has said that a second hall keeps it, the city still answers for it.
    eventually("the city lets go", async || (due(&[])["counts"]["open"] == 0).then_some(())).await;
    assert_eq!(said(&street, GANZHOU, &["due", "list"])["cases"][0]["limit"]["kind"], "delivery");
    said(&street, GANZHOU, &["case", "deliver", &number, "--clerk", "1"]);
    assert_eq!(said(&street, GANZHOU, &["due", "list"])["counts"]["open"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_accepted_hears_why_and_what_can_be_done() {
    let street = Street::of(2).await;
    street.line(GANZHOU, CITY).await;
    let number = street.receive(GANZHOU, "ZYL-C-001", GANZHOU).await;
    street.in_hand(CITY, &number, State::Received).await;
    let refuse = ["case", "refuse", &number, "--clerk", "1", "--ground", "not-eligible", "--note", "example"];
    said(&street, CITY, &refuse);
    street.in_hand(GANZHOU, &number, State::NotAccepted).await;
    let read = said(&street, GANZHOU, &["case", "read", &number, "--clerk", "1"]).to_string();
    assert!(read.contains("\"remedy\""), "the notice tells the remedies: {read}");
    said(&street, GANZHOU, &["case", "deliver", &number, "--clerk", "1"]);
    said(&street, GANZHOU, &["case", "archive", &number, "--clerk", "1", "--note", "example"]);
    let again = said(
        &street,
        GANZHOU,
        &["case", "rectify", &number, "--clerk", "1", "--note", "example", "--event", "0"],
    );
    assert_eq!(again["error"]["params"]["article"], "archive");

    let out = street.dir.path().join("exported");
    street.export(GANZHOU, &number, &out).await;
    let verified = cli(Lang::En, &["case", "verify", &out.display().to_string()]);
    assert_eq!(verified.exit, Some(0), "{}{}", verified.out, verified.err);
}

/// What the command line says to a call at a hall, in JSON.
fn said(street: &Street, place: usize, call: &[&str]) -> Value {
    let config = street.config(place);
    let said = cli(Lang::En, &[call, &["--json", "--config", &config]].concat());
    serde_json::from_str(&said.out)
        .unwrap_or_else(|error| panic!("{error}: {call:?}\n{}{}", said.out, said.err))
}
