//! Volume: the lists of a whole city in real halls.
//!
//! Two halls of the product as it is shipped, as processes, with a line through a proxy between them. The city's hall
//! is given the lists as `hallmesh matter publish` gives them, while the other hall is away; then that one comes back
//! and reads them over the line. Measured are the time of both, memory as the kernel counts it, the store's files,
//! the bytes that TCP carried, and how long a search takes at each letter typed, the call over the local socket
//! included. Beside it stand the same records in one file, plain and packed by zstd, as `rsync` or a stick would carry
//! them: unsigned lists cost less, but nobody could check them.

mod report;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use hallmesh::ops::{Answer, Ask};
use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::record::Body;

use crate::Street;
use crate::generator::Lists;
use crate::links::{Links, Way};
use crate::street::hex;
pub use report::Report;

/// As the command line publishes.
const BATCH: usize = 500;
/// How long the other hall may take.
const LOAD_MAX: Duration = Duration::from_secs(3_600);
/// How long a hall is left alone before its memory counts as idle: two heartbeats.
const IDLE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);
/// Things looked for, letter by letter.
const SEARCHES: usize = 200;
/// Matters shown at once.
const SHOWN: usize = 20;

/// What is run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Entries of the whole city.
    pub entries: usize,
    /// The lists follow from it.
    pub seed: u64,
    /// Bits a second of the line, each way; none for as many as the machine can.
    pub bits_per_second: Option<u64>,
}

/// Runs it; `told` hears what is being done.
pub async fn run(plan: Plan, told: impl Fn(&str)) -> Report {
    told("making up the lists");
    let bodies: Vec<Body> = Lists::new(plan.entries, plan.seed)
        .unwrap()
        .flat_map(|list| list.unwrap().matters)
        .map(|matter| Body::Matter(Box::new(matter)))
        .collect();
    told("founding two halls");
    let (street, links) = Street::few_with_lines(2, plan.seed, |config| config).await;
    let mut report = Report { entries: bodies.len(), ..Report::default() };
    street.processes.stop(street.hall(1)).await.unwrap();
    told("publishing at the city's hall");
    publish(&street, &bodies, &mut report).await;
    told("the other hall reads them");
    load(&street, &links, plan.bits_per_second, &mut report).await;
    told("searching");
    search(&street, &bodies, plan.seed, &mut report).await;
    told("leaving the hall alone");
    idle(&street, &mut report).await;
    told("packing the same records");
    pack(&bodies, street.dir.path(), &mut report);
    report
}

async fn publish(street: &Street, bodies: &[Body], report: &mut Report) {
    let began = Instant::now();
    for batch in bodies.chunks(BATCH) {
        let bodies = batch.iter().map(|body| hex(&body.encode())).collect();
        street.act(0, &Ask::Publish { bodies }).await.unwrap();
    }
    report.publish_ms = millis(began);
    report.publish_peak_kib = street.processes.most_resident_kib(street.hall(0)).unwrap();
    report.store_bytes = store_bytes(street, 0);
}

/// The other hall starts, and holds what the first one holds in the end.
async fn load(street: &Street, links: &Links, bits_per_second: Option<u64>, report: &mut Report) {
    let pair = (street.hall(0).hall, street.hall(1).hall);
    links.both(pair, Way { bits_per_second, ..Way::default() });
    let before = [links.carried(pair), links.carried((pair.1, pair.0))];
    let wanted = street.status(0).await.lists_root;
    let began = Instant::now();
    street.processes.start(street.hall(1)).await.unwrap();
    while street.status(1).await.lists_root != wanted {
        assert!(began.elapsed() < LOAD_MAX, "the lists do not come\n{}", street.processes.tails());
        tokio::time::sleep(POLL).await;
    }
    report.load_ms = millis(began);
    report.load_peak_kib = street.processes.most_resident_kib(street.hall(1)).unwrap();
    report.give_peak_kib = street.processes.most_resident_kib(street.hall(0)).unwrap();
    report.line_bytes_to = links.carried(pair) - before[0];
    report.line_bytes_from = links.carried((pair.1, pair.0)) - before[1];
    report.loaded_store_bytes = store_bytes(street, 1);
    links.heal();
}

/// A name from its first character on, in its own characters, by first letters, and codes: as somebody types them.
async fn search(street: &Street, bodies: &[Body], seed: u64, report: &mut Report) {
    let mut chance = Chance::from_seed([u8::try_from(seed % 251).unwrap(); 32]);
    let began = Instant::now();
    find(street, "sf").await;
    report.search_first_us = micros(began);
    let mut micros_each = Vec::new();
    for _ in 0..SEARCHES {
        let place = usize::try_from(chance.below(u64::try_from(bodies.len()).unwrap())).unwrap();
        let Body::Matter(matter) = &bodies[place] else { continue };
        let letters = hallmesh::search::initials(&matter.name);
        for text in [&matter.name, &letters, &matter.code.to_string()] {
            for end in text.char_indices().map(|(at, character)| at + character.len_utf8()).take(8) {
                let began = Instant::now();
                let found = find(street, &text[..end]).await;
                micros_each.push(micros(began));
                assert!(found > 0, "nothing is found by {}", &text[..end]);
            }
        }
    }
    micros_each.sort_unstable();
    let at = |per_mille: usize| micros_each[(micros_each.len() - 1) * per_mille / 1_000];
    report.searches = micros_each.len();
    (report.search_p50_us, report.search_p99_us, report.search_most_us) = (at(500), at(990), at(1_000));
}

async fn find(street: &Street, text: &str) -> usize {
    let ask = Ask::SearchMatters { text: text.to_owned(), count: SHOWN };
    let Answer::Matters { matters, .. } = street.ask(1, &ask).await.unwrap() else { panic!("no matters") };
    matters.len()
}

/// What a hall takes that only stands there: started anew, and once more when somebody has searched.
async fn idle(street: &Street, report: &mut Report) {
    street.processes.stop(street.hall(1)).await.unwrap();
    street.processes.start(street.hall(1)).await.unwrap();
    street.line(1, 0).await;
    tokio::time::sleep(IDLE).await;
    report.idle_kib = street.processes.resident_kib(street.hall(1)).unwrap();
    find(street, "sf").await;
    tokio::time::sleep(IDLE).await;
    report.idle_searched_kib = street.processes.resident_kib(street.hall(1)).unwrap();
}

/// The same entries without keys and signatures, in one file.
fn pack(bodies: &[Body], dir: &Path, report: &mut Report) {
    let file = dir.join("entries");
    let mut entries: Vec<Vec<u8>> = bodies.iter().map(Body::encode).collect();
    // What is alike stands together: the last 12 digits of a code are the matter as such.
    entries.sort_by_cached_key(|entry| entry.iter().rev().copied().collect::<Vec<u8>>());
    std::fs::write(&file, entries.concat()).unwrap();
    report.plain_bytes = entries.iter().map(Vec::len).sum();
    let began = Instant::now();
    // Not every machine has it; then the column stays empty.
    let packed = Command::new("zstd").args(["-9", "--long=27", "-q", "-c"]).arg(&file).output();
    if let Ok(packed) = packed
        && packed.status.success()
    {
        (report.zstd_bytes, report.zstd_ms) = (Some(packed.stdout.len()), millis(began));
    }
}

fn store_bytes(street: &Street, place: usize) -> u64 {
    std::fs::metadata(street.hall(place).dir.join("node.redb")).unwrap().len()
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap()
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap()
}
