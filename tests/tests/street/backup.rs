//! Backups of real nodes, and the two drills of the handbook, played as they are written there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use hallmesh::backup::Archive;
use hallmesh::config::Config;
use hallmesh::home::{Home, Outside};
use hallmesh::ops::{Answer, Ask, Content};
use hallmesh::texts::Lang;
use hallmesh_protocol::cases::{Deed, State};
use hallmesh_protocol::query;
use hallmesh_tests::{Street, binary, cli, eventually};
use serde_json::Value;

const CITY: usize = 0;
const GANZHOU: usize = 1;
const ANYANG: usize = 3;
const OF_THE_CITY: &str = "ZYL-C-001";
/// Windows at which cases come in at once.
const WINDOWS: usize = 4;
const BACKUPS: usize = 3;
const KILLS: usize = 10;
/// What the handbook calls things, as long as it speaks of no hall in particular.
const DATA: &str = "/var/lib/hallmesh";
const MEDIUM: &str = "/media/backup";
const CODE: &str = "620702100000";
const NAME: &str = "梁家墩镇便民服务中心";
const PRINT: &str = "指纹";

#[tokio::test(flavor = "multi_thread")]
async fn every_case_with_a_receipt_is_in_a_backup_that_was_begun_after_it() {
    let street = Arc::new(Street::of(2).await);
    let (numbers, over) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
    let windows: Vec<_> = (0..WINDOWS)
        .map(|_| tokio::spawn(window(Arc::clone(&street), Arc::clone(&numbers), Arc::clone(&over))))
        .collect();
    for round in 0..BACKUPS {
        let more = async || (numbers.lock().unwrap().len() >= 20 * (round + 1)).then_some(());
        eventually("cases come in", more).await;
        let before = numbers.lock().unwrap().clone();
        let file = street.dir.path().join(format!("{round}.hallbak"));
        let made = calls(&street, GANZHOU, &["backup", "create", &shown(&file)]);
        let verified = calls(&street, GANZHOU, &["backup", "verify", &shown(&file)]);
        assert_eq!(made["sha256"], verified["sha256"]);
        let archive = Archive::open(&file, &mut |_| ()).unwrap();
        for number in &before {
            assert_eq!(query::find_cases(&archive, number, 2).len(), 1, "{number} is not in backup {round}");
        }
        println!(
            "round {round}: {} receipts, {} cases in the backup",
            before.len(),
            archive.contents().counts.cases
        );
    }
    over.store(true, Ordering::Release);
    for window in windows {
        window.await.unwrap();
    }
    stopped_too(&street).await;
}

/// Takes in one case after the other, and notes each receipt.
async fn window(street: Arc<Street>, numbers: Arc<Mutex<Vec<String>>>, over: Arc<AtomicBool>) {
    while !over.load(Ordering::Acquire) {
        let number = street.receive(GANZHOU, OF_THE_CITY, GANZHOU).await;
        numbers.lock().unwrap().push(number);
    }
}

/// A node that is stopped gives the same, under a name of its own if a directory is named.
async fn stopped_too(street: &Street) {
    let cases = street.status(GANZHOU).await.cases;
    street.processes.stop(street.hall(GANZHOU)).await.unwrap();
    let dir = street.dir.path().join("backups");
    fs::create_dir(&dir).unwrap();
    let made = calls(street, GANZHOU, &["backup", "create", &shown(&dir)]);
    let file = made["file"].as_str().unwrap();
    assert!(file.contains("620702000000-00-1-20"), "{file}");
    let verified = calls(street, GANZHOU, &["backup", "verify", file]);
    assert!(verified["cases"].as_u64().unwrap() >= cases);
    assert_eq!(verified["tables"]["clerk"], 1);
    let again = cli(Lang::En, &["backup", "create", file, "--config", &street.config(GANZHOU)]);
    assert!(again.exit == Some(1) && again.err.contains("file.exists"), "{again:?}");
    let over = cli(Lang::En, &["backup", "restore", file, "--config", &street.config(GANZHOU)]);
    assert!(over.exit == Some(5) && over.err.contains("home.not_empty"), "{over:?}");
    street.processes.start(street.hall(GANZHOU)).await.unwrap();
    assert_eq!(street.status(GANZHOU).await.incarnation, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_killed_leaves_no_half_file_under_its_name() {
    let street = Street::of(1).await;
    let mut unfinished = 0;
    for round in 0..KILLS {
        let dir = street.dir.path().join(format!("killed-{round}"));
        fs::create_dir(&dir).unwrap();
        let file = dir.join("hall.hallbak");
        let mut call = Command::new(binary())
            .args(["backup", "create", &shown(&file), "--config", &street.config(CITY)])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = || fs::read_dir(&dir).unwrap().count() > 0;
        while call.try_wait().unwrap().is_none() && !begun() {
            std::thread::yield_now();
        }
        call.kill().unwrap();
        call.wait().unwrap();
        match Archive::open(&file, &mut |_| ()) {
            Ok(archive) => assert_eq!(archive.contents().at.hall, street.hall(CITY).hall),
            Err(why) => {
                assert_eq!(why.code(), "backup.unreadable", "{why}");
                assert!(!file.exists());
                unfinished += 1;
            }
        }
        // What is left over is in nobody's way.
        if !file.exists() {
            calls(&street, CITY, &["backup", "create", &shown(&file)]);
        }
    }
    println!("{unfinished} of {KILLS} were killed before they had a name");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_drill_of_the_dead_disk_is_played_as_it_is_written() {
    let machine = Machine::set_up().await;
    let street = &machine.street;
    let old = machine.case(1).await;
    street.processes.kill(street.hall(ANYANG)).await.unwrap();
    fs::remove_dir_all(&machine.data).unwrap();
    fs::create_dir(&machine.data).unwrap();
    for command in commands_of("9.1 Drill: replace a dead disk") {
        machine.play(&command).await;
    }
    machine.lives_again(1).await;
    machine.has_again(&old).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_drill_of_the_restored_backup_is_played_as_it_is_written() {
    let machine = Machine::set_up().await;
    let street = &machine.street;
    let old = machine.case(1).await;
    let backup = commands_of("9. Backup");
    assert!(backup.iter().any(|command| command.contains("backup create")));
    for command in backup {
        machine.play(&command).await;
    }
    let later = machine.case(1).await;
    street.processes.kill(street.hall(ANYANG)).await.unwrap();
    for command in commands_of("9.2 Drill: restore a backup") {
        machine.play(&command).await;
        if command.contains("backup restore") {
            machine.does_not_run();
        }
    }
    machine.lives_again(2).await;
    assert_eq!(street.case(ANYANG, &old).await.map(|case| case.state), Some(State::Delivered));
    machine.has_again(&later).await;
}

/// The township's machine: its data in a directory of its own, as on a real one, and a stick that is carried.
struct Machine {
    street: Street,
    data: PathBuf,
    stick: PathBuf,
    config: String,
}

impl Machine {
    async fn set_up() -> Self {
        let street = Street::of(4).await;
        let (member, config) = (street.hall(ANYANG), street.config(ANYANG));
        let (data, stick) = (street.dir.path().join("data"), street.dir.path().join("stick"));
        street.processes.stop(member).await.unwrap();
        for dir in [&data, &stick] {
            fs::create_dir(dir).unwrap();
        }
        for name in ["hall.json", "keys", "clerks", "drafts", "node.redb"] {
            fs::rename(member.dir.join(name), data.join(name)).unwrap();
        }
        let credential_file = Some(street.dir.path().join("hallmesh.key"));
        let moved =
            |config| Config { data_dir: data.clone(), credential_file: credential_file.clone(), ..config };
        street.processes.configure(member, moved).unwrap();
        street.processes.start(member).await.unwrap();
        street.line(GANZHOU, ANYANG).await;
        Self { street, data, stick, config }
    }

    /// Plays one command of the handbook.
    async fn play(&self, command: &str) {
        let (street, member) = (&self.street, self.street.hall(ANYANG));
        let call = command.strip_prefix("sudo -u hallmesh ").unwrap_or(command);
        match call {
            "systemctl stop hallmesh" => street.processes.stop(member).await.unwrap(),
            "systemctl enable --now hallmesh" => street.processes.start(member).await.unwrap(),
            "mv /var/lib/hallmesh /var/lib/hallmesh.old" => {
                fs::rename(&self.data, self.data.with_extension("old")).unwrap();
            }
            "install -d -o hallmesh -g hallmesh -m 700 /var/lib/hallmesh" => {
                fs::create_dir(&self.data).unwrap();
            }
            _ => {
                self.call(call.strip_prefix("hallmesh ").unwrap_or_else(|| panic!("nobody plays {command}")));
            }
        }
    }

    /// Calls the program, at the hall above if it is there that the handbook says so.
    fn call(&self, call: &str) {
        let street = &self.street;
        let root = hallmesh::enrol::fingerprint(&street.city.anchor);
        let (hall, address) = (street.hall(ANYANG), &street.hall(ANYANG).config.listen[0]);
        let code = hall.hall.division().to_string();
        let word = |word: &str| {
            let word = word.replace(&format!("{DATA}/"), &format!("{}/", shown(&self.stick)));
            let word = word.replace(MEDIUM, &shown(&self.stick)).replace(CODE, &code);
            word.replace(NAME, &hall.name).replace(PRINT, &root).replace("/ip4/10.62.7.30/tcp/6207", address)
        };
        let words: Vec<String> = call.split_whitespace().map(word).collect();
        let at_superior = call.starts_with("hall issue");
        let config = if at_superior { street.config(GANZHOU) } else { self.config.clone() };
        let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
        words.extend(["--config", &config]);
        let said = cli(Lang::Zh, &words);
        assert_eq!(said.exit, Some(0), "{words:?}: {said:?}");
    }

    /// A restored hall refuses to run, in both languages, and says what to do.
    fn does_not_run(&self) {
        for (lang, word) in [(Lang::Zh, "尚未启用"), (Lang::En, "does not live")] {
            let said = cli(lang, &["run", "--config", &self.config]);
            assert_eq!(said.exit, Some(5), "{said:?}");
            for word in ["home.in_recovery", word, "hallmesh hall rejoin"] {
                assert!(said.err.contains(word), "{word}: {}", said.err);
            }
        }
    }

    /// The township runs as its second life: known to its neighbours, and at work from receipt to delivery.
    async fn lives_again(&self, clerk: u16) {
        let street = &self.street;
        let status = street.status(ANYANG).await;
        assert_eq!((status.incarnation, status.sealed.as_str()), (2, "credential"));
        street.line(GANZHOU, ANYANG).await;
        street.line(ANYANG, GANZHOU).await;
        for other in [CITY, GANZHOU] {
            let known = async || (self.life_known_to(other).await == Some(2)).then_some(());
            eventually("the others know the new life", known).await;
        }
        self.case(clerk).await;
    }

    /// A case that others keep copies of comes back, and the new life goes on with it.
    async fn has_again(&self, number: &str) {
        let again = async || {
            let case = self.street.case(ANYANG, number).await?;
            (case.state == State::Delivered && case.stage == "custodian").then_some(())
        };
        eventually("the case is here again", again).await;
    }

    /// Which life of the township another hall knows.
    async fn life_known_to(&self, place: usize) -> Option<u32> {
        let text = self.street.hall(ANYANG).hall.to_string();
        let Answer::Halls { halls } = self.street.ask(place, &Ask::Halls { text }).await.unwrap() else {
            return None;
        };
        halls.first().map(|hall| hall.incarnation)
    }

    /// A case from the township's window to the city's desk and back. Gives its number.
    async fn case(&self, clerk: u16) -> String {
        let (street, hall) = (&self.street, self.street.hall(ANYANG));
        let outside =
            Outside { credential_file: Some(street.dir.path().join("hallmesh.key")), ..Outside::default() };
        let key = Home::open_with(&self.data, outside).unwrap().clerk_key(clerk).unwrap();
        let (matter, place) = (OF_THE_CITY.parse().unwrap(), hall.hall.division());
        let apply = Ask::Receive { matter, place, content: Content::one("applicant", "example") };
        let number =
            eventually("the lists are here", async || match hall.client.ask_as(&apply, clerk, &key).await {
                Ok(Answer::Received(received)) => Some(received.number),
                Err(problem) if problem.code == "matter.unknown" => None,
                other => panic!("{other:?}"),
            })
            .await;
        street.in_hand(CITY, &number, State::Received).await;
        street.record(CITY, &number, Deed::Accept).await;
        street.record(CITY, &number, Deed::GRANT).await;
        street.in_hand(ANYANG, &number, State::Decided).await;
        let content = Content::one("note", "example");
        let deliver = Ask::Record { case: number.clone(), deed: Deed::Deliver, content };
        hall.client.ask_as(&deliver, clerk, &key).await.unwrap();
        let copied = async || (street.case(ANYANG, &number).await?.grade == "D2").then_some(());
        eventually("another hall keeps a copy", copied).await;
        number
    }
}

/// What a section of the handbook tells to type, in order.
fn commands_of(title: &str) -> Vec<String> {
    let handbook = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("deploy/README.md");
    let text = fs::read_to_string(handbook).unwrap();
    let (_, section) =
        text.split_once(&format!("# {title}\n")).unwrap_or_else(|| panic!("no section {title}"));
    let section = section.split("\n##").next().unwrap();
    let blocks = section.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap());
    let lines = blocks.flat_map(str::lines).map(|line| line.trim().to_owned());
    let commands: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
    assert!(!commands.is_empty(), "nothing to type in {title}");
    commands
}

/// A call that must succeed, and its answer for programs.
fn calls(street: &Street, place: usize, arguments: &[&str]) -> Value {
    let config = street.config(place);
    let said = cli(Lang::En, &[arguments, &["--json", "--config", &config]].concat());
    assert_eq!(said.exit, Some(0), "{arguments:?}: {said:?}");
    serde_json::from_str(&said.out).unwrap()
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
