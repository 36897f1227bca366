//! What two sides send and compute to find out what each lacks of the other's set: the exchange of hallmesh beside
//! negentropy, and beside what no method of short ids can do without.
//!
//! ```text
//! cargo bench -p hallmesh-simulations --bench reconcile [-- --runs N --json]
//! ```
//!
//! Both sides hold `n` random ids of 32 bytes, `d` of which are on one side only, half on either. Bytes are those of
//! all messages both ways until the initiator knows what both lack and has asked for what it lacks itself: whole
//! encoded messages with heads, nonces, symbols and wanted ids. The records are not counted, nor framing and
//! encryption of a line. Equal sets cost the roots of that set in the heartbeats that go anyway. negentropy is given
//! ids without an order in time (all stamped 0) and no frame limit; 32 bytes a wanted id are added, which it leaves to
//! its caller. CPU is that of the thread, of finding the difference alone: negentropy's store is built and sealed
//! before, hallmesh's ids stand in memory. Each row runs in a process of its own, so that memory is its alone: the
//! peak above what both sets take, of both sides together. The floor is the wanted ids themselves, and one keyed hash
//! of each id.
#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measuring tool of small numbers, run by hand"
)]

mod measure;

use std::process::Command;

use anyhow::{Context, bail};
use clap::Parser;
use hallmesh_protocol::message::{Message, Roots};
use hallmesh_protocol::reconcile::{
    ElementId, FIRST_BLOCK, Fingerprint, Nonce, SHORT_LEN, Sketch, SketchKey, Symbol, sealed,
};
use hallmesh_protocol::record::Space;
use hallmesh_protocol::wire::Blob;
use measure::{cpu_micros, median, peak_kib, reset_peak, resident_kib};
use negentropy::{Id, Negentropy, NegentropyStorageVector};
use serde::{Deserialize, Serialize};

const SPACE: Space = Space::Lists;
const METHODS: [&str; 3] = ["hallmesh", "negentropy", "floor"];

#[derive(Parser)]
struct Arguments {
    /// Runs of each row, each with other sets; the medians are shown.
    #[arg(long, default_value_t = 9)]
    runs: u64,
    /// One JSON object a row.
    #[arg(long)]
    json: bool,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
    /// One row in this process: method, n, d.
    #[arg(long, hide = true, num_args = 3)]
    row: Vec<String>,
}

/// What one exchange cost.
#[derive(Clone, Copy, Default)]
struct Cost {
    up: u64,
    down: u64,
    rounds: u64,
    cpu: [u64; 2],
}

#[derive(Serialize, Deserialize)]
struct Row {
    method: String,
    n: u64,
    d: u64,
    bytes_up: u64,
    bytes_down: u64,
    bytes: u64,
    bytes_most: u64,
    round_trips: u64,
    round_trips_most: u64,
    cpu_initiator_us: u64,
    cpu_responder_us: u64,
    peak_kib: u64,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let [method, n, d] = arguments.row.as_slice() {
        println!("{}", serde_json::to_string(&row(method, n.parse()?, d.parse()?, arguments.runs)?)?);
        return Ok(());
    }
    if !arguments.json {
        println!(
            "{:>9} {:>5} {:<10} {:>9} {:>9} {:>9} {:>9} {:>11} {:>9} {:>9} {:>9}",
            "n",
            "d",
            "method",
            "up B",
            "down B",
            "total B",
            "most B",
            "trips/most",
            "A ms",
            "B ms",
            "peak MiB"
        );
    }
    let rows = [20_000, 1_000_000].into_iter().flat_map(|n| [0, 10, 1_000].map(|d| (n, d)));
    for ((n, d), method) in rows.flat_map(|row| METHODS.map(|method| (row, method))) {
        let runs = if n > 100_000 { arguments.runs.min(3) } else { arguments.runs };
        show(&in_own_process(method, n, d, runs)?, arguments.json)?;
    }
    Ok(())
}

fn show(row: &Row, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string(row)?);
        return Ok(());
    }
    let milli = |micros: u64| format!("{}.{:02}", micros / 1000, micros % 1000 / 10);
    println!(
        "{:>9} {:>5} {:<10} {:>9} {:>9} {:>9} {:>9} {:>11} {:>9} {:>9} {:>9}",
        row.n,
        row.d,
        row.method,
        row.bytes_up,
        row.bytes_down,
        row.bytes,
        row.bytes_most,
        format!("{}/{}", row.round_trips, row.round_trips_most),
        milli(row.cpu_initiator_us),
        milli(row.cpu_responder_us),
        format!("{}.{}", row.peak_kib / 1024, row.peak_kib % 1024 * 10 / 1024),
    );
    Ok(())
}

fn in_own_process(method: &str, n: u64, d: u64, runs: u64) -> anyhow::Result<Row> {
    let mut child = Command::new(std::env::current_exe()?);
    child.args(["--runs", &runs.to_string(), "--row", method, &n.to_string(), &d.to_string()]);
    let output = child.output().context("a row in its own process")?;
    if !output.status.success() {
        bail!("{method} n={n} d={d}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn row(method: &str, n: u64, d: u64, runs: u64) -> anyhow::Result<Row> {
    let (mut costs, mut peak) = (Vec::new(), 0);
    for run in 0..runs.max(1) {
        let common: Vec<ElementId> = ids(run, 0..n - d / 2);
        let side = |from: u64| [common.clone(), ids(run, from..from + d / 2)].concat();
        let (own, theirs) = (side(n), side(2 * n));
        let (cost, above) = match method {
            "hallmesh" => hallmesh(&own, &theirs, d, run)?,
            "negentropy" => negentropy(&own, &theirs, d)?,
            _ => floor(&own, d),
        };
        // Later runs find memory that earlier ones have left to the process.
        peak = if run == 0 { above } else { peak };
        costs.push(cost);
    }
    let of = |number: fn(&Cost) -> u64| costs.iter().map(number).collect::<Vec<u64>>();
    let (bytes, rounds) = (of(|cost| cost.up + cost.down), of(|cost| cost.rounds));
    Ok(Row {
        method: method.to_owned(),
        n,
        d,
        bytes_up: median(of(|cost| cost.up)),
        bytes_down: median(of(|cost| cost.down)),
        bytes_most: bytes.iter().copied().max().unwrap_or(0),
        bytes: median(bytes),
        round_trips_most: rounds.iter().copied().max().unwrap_or(0),
        round_trips: median(rounds),
        cpu_initiator_us: median(of(|cost| cost.cpu[0])),
        cpu_responder_us: median(of(|cost| cost.cpu[1])),
        peak_kib: peak,
    })
}

fn ids(run: u64, numbers: std::ops::Range<u64>) -> Vec<ElementId> {
    let id = |number: u64| *blake3::hash(&[run.to_le_bytes(), number.to_le_bytes()].concat()).as_bytes();
    numbers.map(id).collect()
}

/// Adds what `act` takes to a side's CPU.
fn timed<T>(cpu: &mut u64, act: impl FnOnce() -> T) -> T {
    let start = cpu_micros();
    let done = act();
    *cpu += cpu_micros() - start;
    done
}

fn hallmesh(own: &[ElementId], theirs: &[ElementId], d: u64, run: u64) -> anyhow::Result<(Cost, u64)> {
    let roots = [own, theirs].map(|ids| Fingerprint::of(SPACE.byte(), ids));
    let before = resident_kib()?;
    reset_peak()?;
    let mut cost = Cost { rounds: 1, ..Cost::default() };
    if timed(&mut cost.cpu[0], || roots[0].root() == roots[1].root()) {
        cost.up = heartbeat_share();
        cost.down = cost.up;
        return Ok((cost, 0));
    }
    let (nonce, answer): (Nonce, Nonce) = (run.to_le_bytes(), (run + 1).wrapping_mul(0x9e37).to_le_bytes());
    let key = SketchKey::derive(SPACE.byte(), &nonce, &answer);
    let mut ours = timed(&mut cost.cpu[0], || Sketch::of(key, own.iter().copied()));
    let mut other = timed(&mut cost.cpu[1], || Sketch::of(key, theirs.iter().copied()));
    let (mut symbols, mut count) = (Vec::new(), FIRST_BLOCK);
    cost.rounds = 0;
    let differing = loop {
        let from = u16::try_from(symbols.len())?;
        cost.up += length(&Message::Ask { space: SPACE, nonce, from, count });
        let block = timed(&mut cost.cpu[1], || other.block(from, count).map(Symbol::pack))?;
        cost.down += length(&Message::Symbols {
            space: SPACE,
            nonce,
            answer,
            from,
            packed: Blob::from(block.clone()),
        });
        cost.rounds += 1;
        symbols.extend(Symbol::unpack(&block, from, count)?);
        match timed(&mut cost.cpu[0], || ours.peel(&symbols)) {
            Ok(differing) => break differing,
            Err(unfinished) if unfinished.ask == 0 => bail!("too far apart for symbols"),
            Err(unfinished) => count = unfinished.ask,
        }
    };
    let found = timed(&mut cost.cpu[0], || ours.difference(&differing))?;
    cost.up += length(&Message::Want { space: SPACE, nonce, ids: found.want.clone() });
    let arrived = timed(&mut cost.cpu[1], || other.difference(&found.want))?.have;
    let above = peak_kib()?.saturating_sub(before);
    let whole = sealed(roots[0].clone(), &found.have, &arrived, &roots[1].root());
    if !whole || found.have.len() + found.want.len() != usize::try_from(d)? {
        bail!("a wrong difference");
    }
    Ok((cost, above))
}

fn length(message: &Message) -> u64 {
    measure::number(message.encode().len())
}

/// What a heartbeat carries of one set: all but the head that every message has and the clock, shared among the sets.
fn heartbeat_share() -> u64 {
    const HEAD: u64 = 5;
    const CLOCK: u64 = 8;
    let roots = Roots { directory: [0; 32], lists: [0; 32] };
    (length(&Message::Heartbeat { roots, wall: 0 }) - HEAD - CLOCK) / measure::number(Space::ALL.len())
}

fn negentropy(own: &[ElementId], theirs: &[ElementId], d: u64) -> anyhow::Result<(Cost, u64)> {
    let stores = [store(own)?, store(theirs)?];
    let before = resident_kib()?;
    reset_peak()?;
    let mut cost = Cost::default();
    let [mut one, mut other] = [Negentropy::borrowed(&stores[0], 0)?, Negentropy::borrowed(&stores[1], 0)?];
    let (mut have, mut need) = (Vec::new(), Vec::new());
    let mut question = Some(timed(&mut cost.cpu[0], || one.initiate())?);
    while let Some(asked) = question {
        cost.up += measure::number(asked.len());
        let answer = timed(&mut cost.cpu[1], || other.reconcile(&asked))?;
        cost.down += measure::number(answer.len());
        cost.rounds += 1;
        question = timed(&mut cost.cpu[0], || one.reconcile_with_ids(&answer, &mut have, &mut need))?;
    }
    let above = peak_kib()?.saturating_sub(before);
    cost.up += 32 * measure::number(need.len());
    if measure::number(have.len() + need.len()) != d {
        bail!("a wrong difference");
    }
    Ok((cost, above))
}

fn store(ids: &[ElementId]) -> anyhow::Result<NegentropyStorageVector> {
    let mut store = NegentropyStorageVector::with_capacity(ids.len());
    for id in ids {
        store.insert(0, Id::from_byte_array(*id))?;
    }
    store.seal()?;
    Ok(store)
}

/// The short ids of the difference, known by magic, and one keyed hash of each own id.
fn floor(own: &[ElementId], d: u64) -> (Cost, u64) {
    let key = SketchKey::derive(SPACE.byte(), &[1; 8], &[2; 8]);
    let mut cost = Cost { down: d * measure::number(SHORT_LEN), rounds: 1, ..Cost::default() };
    let hashed = timed(&mut cost.cpu[0], || own.iter().map(|id| key.short(id)).max());
    std::hint::black_box(hashed);
    cost.cpu[1] = cost.cpu[0];
    (cost, 0)
}
