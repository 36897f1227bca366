//! A city of two halls by the command line alone, as the handbook tells it: founded, joined, listed, worked.

use std::fs;
use std::path::{Path, PathBuf};

use hallmesh::config::Config;
use hallmesh::demo::Member;
use hallmesh::lists::sample;
use hallmesh::ops::Client;
use hallmesh::texts::Lang;
use hallmesh_tests::{Processes, cli, eventually};
use serde_json::Value;

/// A machine of a hall, and the person before it.
struct Desk {
    member: Member,
    processes: Processes,
}

impl Desk {
    fn new(dir: &Path, hall: &str, name: &str, processes: &Processes) -> Self {
        let hall = hall.parse().unwrap();
        let data_dir = dir.join(name);
        let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
        let config = Config { listen, data_dir: data_dir.clone(), redial_max_ms: 1_000, ..Config::default() };
        let client = Client::new(&config.socket());
        let member = Member { hall, name: name.to_owned(), dir: data_dir, config, client };
        Self { member, processes: processes.clone() }
    }

    /// `hall init` and `hall request`; gives the request file.
    fn asks_to_join(&self) -> String {
        let code = self.member.hall.division().to_string();
        let data = self.member.dir.display().to_string();
        say(&["hall", "init", "--code", &code, "--name", &self.member.name, "--data", &data]);
        fs::write(self.config(), toml::to_string(&self.member.config).unwrap()).unwrap();
        let request = self.file("request.txt");
        self.says(&["hall", "request", "--out", &request]);
        request
    }

    /// `hall join` and `run`, and the first clerk.
    async fn joins(&self, bundle: &str, root: &str) {
        self.says(&["hall", "join", bundle, "--root", root]);
        self.processes.start(&self.member).await.unwrap();
        self.says(&["clerk", "add", "--name", "clerk", "--roles", "window,decide,publish,admit"]);
    }

    /// Calls the command line for this machine, and reads its answer.
    fn says(&self, arguments: &[&str]) -> Value {
        say(&[arguments, &["--config", &self.config()]].concat())
    }

    fn config(&self) -> String {
        self.file("hallmesh.toml")
    }

    fn file(&self, name: &str) -> String {
        self.member.dir.join(name).display().to_string()
    }

    /// Waits until a case is in this hall's hand, in a state.
    async fn in_hand(&self, number: &str, state: &str) {
        eventually("the case is in hand", async || {
            let shown = cli(Lang::En, &["case", "show", number, "--json", "--config", &self.config()]);
            let case: Value = serde_json::from_str(&shown.out).unwrap();
            (case["stage"] == "custodian" && case["state"] == state).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_halls_are_founded_joined_and_worked_by_the_command_line_alone() {
    let dir = tempfile::tempdir().unwrap();
    let processes = Processes::default();
    let root = dir.path().join("root").display().to_string();
    let holders = ["--holders", "3", "--threshold", "2", "--out", &root];
    let founded =
        say(&[["city", "found", "--code", "620700000000", "--name", "张掖市"].as_slice(), &holders].concat());
    let print = founded["fingerprint"].as_str().unwrap();

    let city = Desk::new(dir.path(), "620700000000-00", "张掖市政务服务中心", &processes);
    let (request, bundle) = (city.asks_to_join(), city.file("join.txt"));
    city.says(&["hall", "issue", &request, "--out", &bundle, "--root", &root]);
    city.joins(&bundle, print).await;

    let county = Desk::new(dir.path(), "620702000000-00", "甘州区政务服务中心", &processes);
    let (request, bundle, card) = (county.asks_to_join(), county.file("join.txt"), city.file("card.txt"));
    // In its first moments a node has not yet said where it is found.
    eventually("the city can have halls below it", async || {
        let asked = cli(Lang::En, &["hall", "card", "--out", &card, "--config", &city.config()]);
        assert!(asked.exit == Some(0) || asked.err.contains("hall.no_address"), "{asked:?}");
        (asked.exit == Some(0)).then_some(())
    })
    .await;
    city.says(&["hall", "issue", &request, "--out", &bundle, "--root", &root, "--superior", &card]);
    county.joins(&bundle, print).await;

    publish(dir.path(), &city);
    eventually("the county has the lists", async || {
        let status = |desk: &Desk| desk.says(&["status"])["lists_root"].clone();
        (status(&city) == status(&county)).then_some(())
    })
    .await;
    work(&city, &county).await;
    let number = county.says(&["case", "list"])["cases"][0]["number"].as_str().unwrap().to_owned();
    let export = county.file("export");
    county.says(&["case", "export", &number, "--out", &export]);
    say(&["case", "verify", &export, "--root", print]);
}

/// `matter import` and `matter publish`.
fn publish(dir: &Path, city: &Desk) {
    let file = |name: &str, text: &str| -> String {
        let path: PathBuf = dir.join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let matters = file("matters.csv", sample::MATTERS);
    let delegations = file("delegations.csv", sample::DELEGATIONS);
    let calendar = file("calendar.json", sample::CALENDAR);
    let files = ["--matters", &matters, "--delegations", &delegations, "--calendar", &calendar];
    city.says(&[["matter", "import"].as_slice(), &files].concat());
    city.says(&["matter", "publish", "--clerk", "1"]);
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

/// A call that must succeed, and its answer for programs.
fn say(arguments: &[&str]) -> Value {
    let said = cli(Lang::Zh, &[arguments, &["--json"]].concat());
    assert_eq!(said.exit, Some(0), "{arguments:?}: {said:?}");
    serde_json::from_str(&said.out).unwrap()
}
