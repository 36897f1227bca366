//! A stolen disk shows nothing, and a stolen machine is out.

use std::fs;
use std::path::{Path, PathBuf};

use hallmesh::config::Config;
use hallmesh::demo::Member;
use hallmesh::home::{Home, Keys, Outside};
use hallmesh::ops::{Answer, Ask, Client};
use hallmesh::store::Store;
use hallmesh::texts::Lang;
use hallmesh_protocol::cases::{CaseFile, Deed, SignedEvent, State, body_digest};
use hallmesh_protocol::query;
use hallmesh_protocol::seal::{self, WrapSecret};
use hallmesh_tests::{Processes, Said, Street, cli, eventually};
use serde_json::Value;

use crate::bad_input::explained;
use crate::desk::{Desk, Two, say, two};
use crate::handbook;

const CITY: usize = 0;
const GANZHOU: usize = 1;
const GAOTAI: usize = 2;
/// An applicant whose name is nowhere else.
const CANARY: &str = "金丝雀canary7d1e";

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_data_directory_gives_away_no_applicant_and_no_key_and_cannot_be_started() {
    let dir = tempfile::tempdir().unwrap();
    let Two { city, county, .. } = two(dir.path()).await;
    let application = dir.path().join("application.json");
    fs::write(&application, format!(r#"{{"applicant": "{CANARY}"}}"#)).unwrap();
    let receive = ["case", "receive", "--matter", "ZYL-C-001", "--place", "620702000000", "--clerk", "1"];
    let applicant = ["--applicant", &application.display().to_string()];
    let received = county.says(&[receive.as_slice(), &applicant].concat());
    let number = received["number"].as_str().unwrap();
    city.in_hand(number, "Received").await;
    city.says(&["case", "accept", number, "--clerk", "1"]);
    for (desk, sealed) in [(&city, "passphrase"), (&county, "credential")] {
        assert!(desk.says(&["case", "read", number, "--clerk", "1"]).to_string().contains(CANARY));
        desk.says(&["record", "save", "--out", &desk.file("afternoon.hallrec")]);
        assert_eq!(desk.says(&["status"])["sealed"], sealed);
        desk.processes.stop(&desk.member).await.unwrap();
    }
    for desk in [&city, &county] {
        let secrets = secrets(&desk.member.config);
        assert_eq!(secrets.len(), 5);
        assert_eq!(given_away(&desk.member.dir, &secrets), Vec::<String>::new());
        cannot_be_started(dir.path(), desk);
    }
    // The search finds what is there: the keys of an unsealed hall, and the applicant's words as they are sent.
    let clear = Config { data_dir: dir.path().join("clear"), ..Config::default() };
    let home = Home::create(&clear.data_dir, city.member.hall, "clear").unwrap();
    // A process that another test starts at this moment may hold the lock for the blink of an eye.
    eventually("a clerk has a key", async || home.new_clerk_key(1).ok()).await;
    fs::write(clear.data_dir.join("drafts/application"), fs::read(&application).unwrap()).unwrap();
    assert_eq!(given_away(&clear.data_dir, &secrets(&clear)).len(), 5);
}

/// The data directory and everything in it, without what lies outside of it.
fn cannot_be_started(dir: &Path, desk: &Desk) {
    let stolen = dir.join("stolen");
    copy(&desk.member.dir, &stolen);
    let before = contents(&stolen);
    let other = dir.join("other.secret");
    fs::copy(dir.join(format!("{}.secret", desk.member.name)), &other).unwrap();
    let data = stolen.display().to_string();
    let run = |more: &[&str]| -> [Said; 2] {
        let call = [["run", "--data", &data, "--config", "/dev/null"].as_slice(), more].concat();
        [Lang::Zh, Lang::En].map(|lang| cli(lang, &call))
    };
    let config = &desk.member.config;
    let (needed, wrong, option) = if config.credential_file.is_some() {
        fs::write(&other, "11".repeat(32)).unwrap();
        ("home.credential_needed", "home.wrong_credential", "--credential-file")
    } else {
        fs::write(&other, "a guess of the thief").unwrap();
        ("home.passphrase_needed", "home.wrong_passphrase", "--passphrase-file")
    };
    let (other, nowhere) = (other.display().to_string(), dir.join("nowhere").display().to_string());
    for (more, code) in
        [(vec![], needed), (vec![option, &other], wrong), (vec![option, &nowhere], "home.secret_missing")]
    {
        for (lang, said) in [Lang::Zh, Lang::En].into_iter().zip(run(&more)) {
            assert_eq!(said.exit, Some(1), "{said:?}");
            explained(lang, &said, code);
        }
    }
    assert_eq!(contents(&stolen), before, "a refused start has changed something");
    fs::remove_dir_all(&stolen).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_of_a_hall_that_runs_are_sealed_moved_and_sealed_again() {
    let street = Street::of(2).await;
    let member = street.hall(GANZHOU);
    let (config, before) = (street.config(GANZHOU), secrets(&member.config));
    assert_eq!(street.status(GANZHOU).await.sealed, "none");
    let warned = cli(Lang::En, &["status", "--config", &config]);
    assert!(warned.out.contains("! THE SECRET KEYS ARE NOT SEALED"), "{warned:?}");
    let log = fs::read_to_string(member.dir.join("node.log")).unwrap();
    assert!(log.contains("THE SECRET KEYS OF THIS HALL ARE NOT SEALED"), "{log}");
    assert!(!given_away(&member.dir, &before).is_empty());

    let file = |name: &str| street.dir.path().join(name).display().to_string();
    let (first, second, inside) = (file("first.key"), file("second.key"), member.dir.join("x.key"));
    let reseal =
        |more: &[&str]| cli(Lang::En, &[["hall", "reseal", "--config", &config].as_slice(), more].concat());
    let refused = reseal(&["--new-credential-file", &inside.display().to_string()]);
    explained(Lang::En, &refused, "home.secret_inside");
    let undecided = reseal(&[]);
    explained(Lang::En, &undecided, "seal.undecided");
    assert_eq!((refused.exit, undecided.exit, inside.exists()), (Some(1), Some(1), false));

    assert_eq!(reseal(&["--new-credential-file", &first]).exit, Some(0));
    assert_eq!(given_away(&member.dir, &before), Vec::<String>::new());
    let locked = reseal(&["--new-credential-file", &second]);
    explained(Lang::En, &locked, "home.credential_needed");
    assert_eq!(reseal(&["--credential-file", &first, "--new-credential-file", &second]).exit, Some(0));
    let wrong = cli(
        Lang::En,
        &["clerk", "add", "--name", "x", "--roles", "window", "--credential-file", &first]
            .into_iter()
            .chain(["--config", &config])
            .collect::<Vec<_>>(),
    );
    explained(Lang::En, &wrong, "home.wrong_credential");

    street.processes.stop(member).await.unwrap();
    let credential = |config| Config { credential_file: Some(second.clone().into()), ..config };
    street.processes.configure(member, credential).unwrap();
    street.processes.start(member).await.unwrap();
    assert_eq!(street.status(GANZHOU).await.sealed, "credential");
    let sealed = Config { credential_file: Some(second.clone().into()), ..member.config.clone() };
    assert_eq!(secrets(&sealed), before);
    street.line(CITY, GANZHOU).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hall_is_revoked_by_those_above_it_only_and_not_by_a_slip() {
    let street = Street::of(4).await;
    street.line(CITY, GANZHOU).await;
    let (ganzhou, anyang) = (street.hall(GANZHOU).hall.to_string(), "620702203000-00");
    let call = |place: usize, hall: &str, more: &[&str]| {
        let config = street.config(place);
        cli(Lang::En, &[["hall", "revoke", hall, "--config", &config].as_slice(), more].concat())
    };
    let before = street.status(CITY).await.directory_root;
    let number = street.receive(GANZHOU, "ZYL-C-001", GANZHOU).await;
    eventually("the city knows the case", async || street.case(CITY, &number).await).await;
    let plan = call(CITY, &ganzhou, &["--plan", "--json"]);
    let plan: Value = serde_json::from_str(&plan.out).unwrap();
    assert_eq!((plan["ends"].to_string(), plan["next"].to_string()), ("[1]".to_owned(), "2".to_owned()));
    assert_eq!((plan["may"].as_bool(), plan["connected"].as_bool()), (Some(true), Some(true)));
    assert_eq!((&plan["below"][0]["hall"], &plan["below"][0]["new_papers"]), (&anyang.into(), &true.into()));
    assert_eq!(plan["cases"][0]["number"], number.as_str());
    let from_beside = call(GAOTAI, &ganzhou, &["--plan"]);
    assert!(from_beside.out.contains("This hall may not revoke it"), "{from_beside:?}");

    let apply = ["--apply", "--reason", "stolen", "--clerk", "1"];
    let confirmed = |hall| [apply.as_slice(), &["--confirm", hall]].concat();
    for (place, hall, more, code) in [
        (CITY, ganzhou.as_str(), apply.to_vec(), "hall.not_confirmed"),
        (CITY, &ganzhou, confirmed(anyang), "hall.not_confirmed"),
        (GAOTAI, &ganzhou, confirmed(&ganzhou), "record.out_of_scope"),
        (GANZHOU, &ganzhou, confirmed(&ganzhou), "record.out_of_scope"),
        (CITY, "620723000000-00", confirmed("620723000000-00"), "hall.unknown"),
    ] {
        let said = call(place, hall, &more);
        explained(Lang::En, &said, code);
        assert!([Some(4), Some(5)].contains(&said.exit), "{said:?}");
    }
    let config = street.config(CITY);
    let add = ["clerk", "add", "--name", "x", "--roles", "window,decide,publish", "--config", &config];
    assert_eq!(cli(Lang::En, &add).exit, Some(0));
    let by_another =
        call(CITY, &ganzhou, &["--apply", "--reason", "lost", "--clerk", "2", "--confirm", &ganzhou]);
    explained(Lang::En, &by_another, "clerk.role");
    assert_eq!(street.status(CITY).await.directory_root, before);
    assert!(street.connected(CITY, GANZHOU).await);

    assert_eq!(call(CITY, &ganzhou, &confirmed(&ganzhou)).exit, Some(0));
    is_out(&street, &[CITY, GAOTAI], GANZHOU).await;
    let again = call(CITY, &ganzhou, &confirmed(&ganzhou));
    explained(Lang::En, &again, "hall.revoked_already");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_root_revokes_a_hall_offline_and_any_hall_carries_it_on() {
    let street = Street::of(4).await;
    street.line(CITY, GANZHOU).await;
    let (root, out) = (street.dir.path().join("root"), street.dir.path().join("revocation.txt"));
    let (root, out) = (root.display().to_string(), out.display().to_string());
    let revoke = |hall: &str, more: &[&str]| {
        let call = ["hall", "revoke", hall, "--apply", "--reason", "stolen", "--confirm", hall];
        let signs = ["--root", &root, "--out", &out];
        cli(Lang::En, &[call.as_slice(), &signs, more].concat())
    };
    explained(Lang::En, &revoke("620702203000-00", &[]), "enrol.issue.papers_missing");
    let ganzhou = street.hall(GANZHOU).hall.to_string();
    assert_eq!(revoke(&ganzhou, &[]).exit, Some(0));
    let heed = |place: usize| cli(Lang::En, &["hall", "heed", &out, "--config", &street.config(place)]);
    let heard = heed(GAOTAI);
    assert_eq!(heard.exit, Some(0), "{heard:?}");
    is_out(&street, &[CITY, GAOTAI], GANZHOU).await;
    let again = heed(CITY);
    assert!(again.exit == Some(0) && again.out.contains("stood already"), "{again:?}");
    // Another root signs in vain.
    let founded = street.dir.path().join("other").display().to_string();
    let found = ["city", "found", "--code", "620700000000", "--name", "张掖市", "--holders", "1"];
    say(&[found.as_slice(), &["--threshold", "1", "--out", &founded]].concat());
    let forged = street.dir.path().join("forged.txt").display().to_string();
    let gaotai = street.hall(GAOTAI).hall.to_string();
    let call = ["hall", "revoke", &gaotai, "--apply", "--reason", "closed", "--confirm", &gaotai];
    let card = street.dir.path().join("card.txt").display().to_string();
    cli(Lang::En, &["hall", "card", "--out", &card, "--config", &street.config(GAOTAI)]);
    let signs = ["--root", &founded, "--out", &forged, "--papers", &card];
    explained(Lang::En, &cli(Lang::En, &[call.as_slice(), &signs].concat()), "enrol.issue.superiors_root");
}

/// Waits until no hall has a line to another, and none knows it.
async fn is_out(street: &Street, halls: &[usize], gone: usize) {
    let code = street.hall(gone).hall.to_string();
    for place in halls {
        eventually("the line is closed", async || (!street.connected(*place, gone).await).then_some(()))
            .await;
        let config = street.config(*place);
        let listed = say(&["hall", "list", &code, "--config", &config]);
        assert_eq!(listed["halls"].as_array().unwrap().len(), 0, "{listed}");
    }
}

/// The drill of the handbook, command by command.
#[tokio::test(flavor = "multi_thread")]
async fn the_drill_of_a_stolen_pc_works_as_it_is_written() {
    let street = Street::of(6).await;
    let (above, stolen) = (3, 5);
    let village = street.hall(stolen).hall.to_string();
    street.line(above, stolen).await;
    let number = street.receive(stolen, "ZYL-C-001", stolen).await;
    street.in_hand(CITY, &number, State::Received).await;
    street.record(CITY, &number, Deed::Accept).await;
    // Everything that the thief carries off, and the secret that opens it.
    let thief = street.hall(stolen).dir.clone();
    let papers = street.dir.path().join("papers");
    let secret = street.dir.path().join("credential");
    for dir in [&papers, &secret] {
        fs::create_dir(dir).unwrap();
    }
    let machine = Machine::new(&street, stolen, &secret);
    let print = street.status(CITY).await.root;
    let mut played = 0;
    for (place, command) in handbook::commands(12) {
        let command = command.replace("/media/stick", &papers.display().to_string());
        let command = command.replace("/media/hallmesh", &secret.display().to_string());
        let command = command.replace("FINGERPRINT", &print);
        let words: Vec<&str> = command.split_whitespace().collect();
        match (place, words.as_slice()) {
            // Played by the enrolment's own tests: the root's machine is on no network.
            ("root" | "any", _) => continue,
            ("above", ["hallmesh", call @ ..]) => {
                say(&[call, &["--config", &street.config(above)]].concat());
            }
            ("new", ["hallmesh", call @ ..]) => {
                say(&[call, &["--config", &machine.settings.display().to_string()]].concat());
            }
            ("new", ["systemctl", "enable", "--now", "hallmesh"]) => machine.begins().await,
            other => panic!("the drill has a step that is not played: {other:?}"),
        }
        played += 1;
        if command.contains("--apply") {
            is_out(&street, &[CITY, above], stolen).await;
            assert!(street.case(CITY, &number).await.is_some(), "its case is known elsewhere");
        }
    }
    assert!(played >= 9, "{played} steps");
    let listed = say(&["hall", "list", &village, "--config", &street.config(above)]);
    assert_eq!(listed["halls"][0]["incarnation"], 2);
    // The case has got another key; it comes back to the new machine, which reads all of it. The thief never will.
    let id = eventually("the case has a new key", async || {
        let traced = street.ask(CITY, &Ask::Trace { case: number.clone() }).await;
        let Ok(Answer::Trace(trace)) = traced else { panic!("{traced:?}") };
        trace.events.iter().any(|event| event.what == "renew-key").then(|| trace.case.id.clone())
    })
    .await;
    street.record(CITY, &number, Deed::GRANT).await;
    eventually("the result is at the new machine", async || {
        let ask = Ask::Read { case: id.clone() };
        let Ok(Answer::Contents(contents)) = machine.member.ask_as_clerk(&ask).await else { return None };
        let words = contents.parts.iter().map(|(_, word, _)| word.as_str());
        words.eq(["receive", "accept", "decide"]).then_some(())
    })
    .await;
    street.processes.stop(street.hall(CITY)).await.unwrap();
    let (city, thief) = (Home::open(&street.hall(CITY).dir).unwrap(), Home::open(&thief).unwrap());
    let file = {
        let store = Store::open(&street.hall(CITY).dir).unwrap();
        query::file(&store.snapshot().unwrap(), id.parse().unwrap())
    };
    assert_eq!(opens(&file, &city.keys().unwrap().wrap), ["receive", "accept", "decide"]);
    assert_eq!(opens(&file, &thief.keys().unwrap().wrap), ["receive", "accept"]);
}

/// What of a case somebody can read who has all of it, and a secret: every key that the secret unwraps is tried on all.
fn opens(file: &CaseFile, secret: &WrapSecret) -> Vec<&'static str> {
    let headers: Vec<_> = file.events.iter().map(|event| event.header().unwrap()).collect();
    let case = headers[0].case;
    let keys = file.wraps.iter().filter_map(|wrap| {
        let hall = wrap.to.hall.to_u64().to_le_bytes();
        let holder = [&case.0[..], &hall, &wrap.to.incarnation.to_le_bytes(), &wrap.of.0].concat();
        let aad = body_digest(&holder).0;
        seal::unwrap_key(secret, b"hallmesh/v1/case-key", &aad, &wrap.key).ok()
    });
    let keys: Vec<_> = keys.collect();
    let opened = |event: &SignedEvent| {
        keys.iter().any(|key| seal::open(key, &case.0, event.body().as_bytes()).is_ok())
    };
    let read = headers.iter().zip(&file.events).filter(|(_, event)| opened(event));
    read.map(|(header, _)| header.facts.word()).collect()
}

/// The machine that takes the place of the stolen one.
struct Machine {
    member: Member,
    settings: PathBuf,
    processes: Processes,
}

impl Machine {
    fn new(street: &Street, place: usize, secret: &Path) -> Self {
        let (old, home) = (street.hall(place).clone(), street.dir.path().join("new"));
        let config = Config {
            listen: vec!["/ip4/127.0.0.1/tcp/0".to_owned()],
            data_dir: home.clone(),
            socket: Some(home.join("node.sock")),
            credential_file: Some(secret.join("hallmesh.key")),
            ..old.config
        };
        let settings = street.dir.path().join("new.toml");
        fs::write(&settings, toml::to_string(&config).unwrap()).unwrap();
        let client = Client::new(&config.socket());
        let member = Member { dir: home, config, client, ..old };
        Self { member, settings, processes: Processes::default() }
    }

    async fn begins(&self) {
        fs::copy(&self.settings, self.member.dir.join("hallmesh.toml")).unwrap();
        self.processes.start(&self.member).await.unwrap();
        eventually("the new machine has a line", async || {
            (self.member.client.status().await.unwrap().peers > 0).then_some(())
        })
        .await;
    }
}

/// The secret keys of a hall as they could be written: raw and in hexadecimal of both cases, and the applicant.
fn secrets(config: &Config) -> Vec<Vec<Vec<u8>>> {
    let outside = Outside {
        credential_file: config.credential_file.clone(),
        passphrase_file: config.passphrase_file.clone(),
        ..Outside::default()
    };
    let home = Home::open_with(&config.data_dir, outside).unwrap();
    let Keys { transport, event, wrap, .. } = home.keys().unwrap();
    let transport = transport.try_into_ed25519().unwrap().secret();
    let seeds = [
        transport.as_ref().to_vec(),
        event.seed().to_vec(),
        wrap.seed().to_vec(),
        home.clerk_key(1).unwrap().seed().to_vec(),
    ];
    let forms = |seed: &Vec<u8>| {
        let digits = hallmesh_tests::hex(seed);
        vec![seed.clone(), digits.to_uppercase().into_bytes(), digits.into_bytes()]
    };
    let escaped: String = CANARY
        .chars()
        .map(
            |letter| {
                if letter.is_ascii() { letter.to_string() } else { format!("\\u{:04x}", u32::from(letter)) }
            },
        )
        .collect();
    let wide: Vec<u8> = CANARY.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let canary = vec![CANARY.as_bytes().to_vec(), b"canary7d1e".to_vec(), escaped.into_bytes(), wide];
    seeds.iter().map(forms).chain([canary]).collect()
}

/// Which secrets are in which files of a directory.
fn given_away(dir: &Path, secrets: &[Vec<Vec<u8>>]) -> Vec<String> {
    let mut found = Vec::new();
    let files = contents(dir);
    assert!(files.len() >= 3, "{files:?}");
    for (path, bytes) in files {
        for (number, forms) in secrets.iter().enumerate() {
            let here = |form: &Vec<u8>| bytes.windows(form.len()).any(|window| window == form.as_slice());
            if forms.iter().any(here) {
                found.push(format!("secret {number} in {}", path.display()));
            }
        }
    }
    found
}

/// Every file under a directory, with what is in it.
fn contents(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut entries: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            found.extend(contents(&path));
        } else if path.is_file() {
            let bytes = fs::read(&path).unwrap();
            found.push((path, bytes));
        }
    }
    found
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let beside = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &beside);
        } else if path.is_file() {
            fs::copy(&path, &beside).unwrap();
        }
    }
}
