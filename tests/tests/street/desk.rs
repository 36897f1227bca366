//! A machine of a hall with nothing but the command line, its keys sealed as the handbook wants it.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use hallmesh::config::Config;
use hallmesh::demo::Member;
use hallmesh::lists::sample;
use hallmesh::ops::Client;
use hallmesh::texts::Lang;
use hallmesh_tests::{Processes, cli, eventually};
use serde_json::Value;

/// What the keys of a machine are sealed under.
#[derive(Clone, Copy)]
pub(crate) enum Seal {
    Credential,
    Passphrase,
}

/// A machine of a hall, and the person before it.
pub(crate) struct Desk {
    pub(crate) member: Member,
    pub(crate) processes: Processes,
}

impl Desk {
    /// A machine whose keys will be sealed under what is in a file beside its data directory.
    pub(crate) fn new(dir: &Path, hall: &str, name: &str, seal: Seal, processes: &Processes) -> Self {
        let hall = hall.parse().unwrap();
        let (data_dir, secret) = (dir.join(name), dir.join(format!("{name}.secret")));
        let listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
        let mut config =
            Config { listen, data_dir: data_dir.clone(), redial_max_ms: 1_000, ..Config::default() };
        match seal {
            Seal::Credential => config.credential_file = Some(secret),
            Seal::Passphrase => {
                let private = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&secret);
                private.unwrap().write_all(format!("{name} a passphrase\n").as_bytes()).unwrap();
                config.passphrase_file = Some(secret);
            }
        }
        let client = Client::new(&config.socket());
        let member = Member { hall, name: name.to_owned(), dir: data_dir, config, client };
        Self { member, processes: processes.clone() }
    }

    /// `hall init` and `hall request`; gives the request file.
    pub(crate) fn asks_to_join(&self) -> String {
        let code = self.member.hall.division().to_string();
        let data = self.member.dir.display().to_string();
        let file = |file: &Option<PathBuf>| file.as_ref().map(|file| file.display().to_string());
        let config = &self.member.config;
        let (credential, passphrase) = (file(&config.credential_file), file(&config.passphrase_file));
        let init = ["hall", "init", "--code", &code, "--name", &self.member.name, "--data", &data];
        let made = match (&credential, &passphrase) {
            (Some(file), _) => say(&[init.as_slice(), &["--credential-file", file]].concat()),
            (None, Some(file)) => say(&[init.as_slice(), &["--passphrase-file", file]].concat()),
            (None, None) => panic!("a desk is sealed"),
        };
        assert_eq!(made["sealed"], if credential.is_some() { "credential" } else { "passphrase" });
        fs::write(self.config(), toml::to_string(config).unwrap()).unwrap();
        let request = self.file("request.txt");
        self.says(&["hall", "request", "--out", &request]);
        request
    }

    /// `hall join` and `run`, and the first clerk.
    pub(crate) async fn joins(&self, bundle: &str, root: &str) {
        self.says(&["hall", "join", bundle, "--root", root]);
        self.processes.start(&self.member).await.unwrap();
        self.says(&["clerk", "add", "--name", "clerk", "--roles", "window,decide,publish,admit"]);
    }

    /// Calls the command line for this machine, and reads its answer.
    pub(crate) fn says(&self, arguments: &[&str]) -> Value {
        say(&[arguments, &["--config", &self.config()]].concat())
    }

    pub(crate) fn config(&self) -> String {
        self.file("hallmesh.toml")
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.member.dir.join(name).display().to_string()
    }

    /// Waits until a case is in this hall's hand, in a state.
    pub(crate) async fn in_hand(&self, number: &str, state: &str) {
        eventually("the case is in hand", async || {
            let shown = cli(Lang::En, &["case", "show", number, "--json", "--config", &self.config()]);
            let case: Value = serde_json::from_str(&shown.out).unwrap();
            (case["stage"] == "custodian" && case["state"] == state).then_some(())
        })
        .await;
    }
}

/// A city of two halls: its own, sealed under a passphrase, and a county, sealed under a credential.
pub(crate) struct Two {
    pub(crate) city: Desk,
    pub(crate) county: Desk,
    /// The root's fingerprint.
    pub(crate) print: String,
}

/// Founds it below a directory, by the command line alone.
pub(crate) async fn two(dir: &Path) -> Two {
    let processes = Processes::default();
    let root = dir.join("root").display().to_string();
    let holders = ["--holders", "3", "--threshold", "2", "--out", &root];
    let founded =
        say(&[["city", "found", "--code", "620700000000", "--name", "张掖市"].as_slice(), &holders].concat());
    let print = founded["fingerprint"].as_str().unwrap().to_owned();

    let city = Desk::new(dir, "620700000000-00", "张掖市政务服务中心", Seal::Passphrase, &processes);
    let (request, bundle) = (city.asks_to_join(), city.file("join.txt"));
    city.says(&["hall", "issue", &request, "--out", &bundle, "--root", &root]);
    city.joins(&bundle, &print).await;

    let county = Desk::new(dir, "620702000000-00", "甘州区政务服务中心", Seal::Credential, &processes);
    let (request, bundle, card) = (county.asks_to_join(), county.file("join.txt"), city.file("card.txt"));
    // In its first moments a node has not yet said where it is found.
    eventually("the city can have halls below it", async || {
        let asked = cli(Lang::En, &["hall", "card", "--out", &card, "--config", &city.config()]);
        assert!(asked.exit == Some(0) || asked.err.contains("hall.no_address"), "{asked:?}");
        (asked.exit == Some(0)).then_some(())
    })
    .await;
    city.says(&["hall", "issue", &request, "--out", &bundle, "--root", &root, "--superior", &card]);
    county.joins(&bundle, &print).await;

    publish(dir, &city);
    eventually("the county has the lists", async || {
        let status = |desk: &Desk| desk.says(&["status"])["lists_root"].clone();
        (status(&city) == status(&county)).then_some(())
    })
    .await;
    Two { city, county, print }
}

/// `matter import` and `matter publish`.
pub(crate) fn publish(dir: &Path, city: &Desk) {
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

/// A call that must succeed, and its answer for programs.
pub(crate) fn say(arguments: &[&str]) -> Value {
    let said = cli(Lang::Zh, &[arguments, &["--json"]].concat());
    assert_eq!(said.exit, Some(0), "{arguments:?}: {said:?}");
    serde_json::from_str(&said.out).unwrap()
}
