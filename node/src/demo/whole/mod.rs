//! A whole city on one computer: every hall a real node with its own keys, its own store and its own host, in one
//! process. It shows how soon an edit is everywhere, that a case comes from the farthest village to the city and back,
//! and what all of it takes.

mod case;
mod founding;
mod halls;
mod machine;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hallmesh_protocol::ids::Tier;
use hallmesh_protocol::record::Body;
use serde::Serialize;
use tokio::task::JoinSet;

use super::DemoOptions;
use super::city::{City, add_clerk};
use super::report;
use crate::ops::Problem;
use crate::texts::Texts;
use case::ms;
use founding::{Whole, publish};

/// Threads that wait for disks at once. Each node would have some of its own, were it alone; each thread keeps memory
/// that others have given back.
pub const WAITING_THREADS: usize = 12;
/// Every so many halls it is said how far it has come.
const SAY_EVERY: usize = 100;
/// How long an edit may take to be everywhere before it is a failure.
const EDIT_MAX: Duration = Duration::from_secs(300);
/// How long the city is watched while nothing happens in it.
const IDLE: Duration = Duration::from_secs(20);
const MIB: u64 = 1024 * 1024;

/// What a whole city came to.
#[derive(Clone, Debug, Serialize)]
pub struct CityReport {
    /// The version of this document.
    pub schema: u32,
    /// All halls held the same before and after the edit, and the case checks.
    pub ok: bool,
    /// Halls, each a node of its own.
    pub halls: usize,
    /// Lines between them.
    pub lines: usize,
    /// Milliseconds until every hall had its papers.
    pub enrolled_ms: u64,
    /// Milliseconds from then until every hall ran and held the same directory and lists.
    pub up_ms: u64,
    /// One change of the lists at the city's hall.
    pub edit: EditReport,
    /// One case.
    pub case: CaseReport,
    /// Resident memory of all halls together in MiB, once they were up.
    pub resident_mib: u64,
    /// The most that it was.
    pub peak_mib: u64,
    /// Seconds of processor time from the start until all was shown.
    pub cpu_s: u64,
    /// Thousandths of one processor that the city takes when nothing happens.
    pub idle_cpu_thousandths: u64,
    /// MiB on the disk.
    pub disk_mib: u64,
}

/// When an edit was how far: milliseconds from the call that published it.
#[derive(Clone, Debug, Serialize)]
pub struct EditReport {
    /// At the first half of the halls.
    pub p50_ms: u64,
    /// At 99 of a hundred.
    pub p99_ms: u64,
    /// At all.
    pub all_ms: u64,
}

/// A case that went to the city and came back.
#[derive(Clone, Debug, Serialize)]
pub struct CaseReport {
    /// Its number.
    pub number: String,
    /// The receiving hall.
    pub from: String,
    /// Its name.
    pub from_name: String,
    /// The deciding hall.
    pub to: String,
    /// Milliseconds from the call that received it until the deciding hall had it in hand.
    pub there_ms: u64,
    /// Milliseconds from the call that decided it until the receiving hall had it in hand.
    pub back_ms: u64,
    /// The exported case checks, from the city root down.
    pub verified: bool,
}

/// Who is told how far it has come.
pub(super) struct Told<'a> {
    texts: &'a Texts,
    say: &'a (dyn Fn(&str) + Sync),
    all: usize,
    begun: Instant,
    enrolled: AtomicUsize,
    started: AtomicUsize,
}

impl Told<'_> {
    fn enrolled(&self, more: usize) {
        self.count(&self.enrolled, more, "demo.city_enrolled");
    }

    fn started(&self) {
        self.count(&self.started, 1, "demo.city_started");
    }

    fn converging(&self, equal: usize, all: usize) {
        self.say("demo.city_converging", &[("equal", &equal.to_string()), ("halls", &all.to_string())]);
    }

    fn case(&self, key: &str, params: &[(&str, &str)]) {
        self.say(key, params);
    }

    fn count(&self, counter: &AtomicUsize, more: usize, key: &str) {
        let before = counter.fetch_add(more, Ordering::Relaxed);
        let now = before.saturating_add(more);
        if before / SAY_EVERY < now / SAY_EVERY || now == self.all {
            self.say(key, &[("done", &now.to_string()), ("halls", &self.all.to_string())]);
        }
    }

    fn say(&self, key: &str, params: &[(&str, &str)]) {
        let taken = machine::taken();
        let sentence = self.texts.say(key, params);
        let (seconds, mib) = (self.begun.elapsed().as_secs(), taken.resident / MIB);
        (self.say)(&format!("  {seconds:>4} s  {mib:>5} MiB  {sentence}"));
    }
}

/// Founds a city of all halls of a table, shows what it does, and ends it.
pub async fn run(
    options: &DemoOptions,
    halls: Option<&PathBuf>,
    say: &(dyn Fn(&str) + Sync),
) -> Result<CityReport, Problem> {
    let texts = Texts::new(options.lang);
    let quiet = |_: &str| {};
    let say: &(dyn Fn(&str) + Sync) = if options.json { &quiet } else { say };
    let halls = halls::read(halls.map(PathBuf::as_path))?;
    super::in_place(options, async |dir: &Path| {
        machine::refuse_if_too_small(halls.len(), dir)?;
        let told = Told {
            texts: &texts,
            say,
            all: halls.len(),
            begun: Instant::now(),
            enrolled: AtomicUsize::new(1),
            started: AtomicUsize::new(0),
        };
        shown(dir, &halls, options, &told).await
    })
    .await
}

async fn shown(
    dir: &Path,
    halls: &[halls::Hall],
    options: &DemoOptions,
    told: &Told<'_>,
) -> Result<CityReport, Problem> {
    let params = [("halls", halls.len().to_string()), ("dir", dir.display().to_string())];
    let params = params.each_ref().map(|(name, value)| (*name, value.as_str()));
    told.say("demo.city_begin", &params);
    let lists = halls.first().map(|city| halls::lists_of(city.code)).transpose()?.unwrap_or_default();
    let begun = Instant::now();
    let mut whole = Whole::enrolled(dir, halls, told).await?;
    let enrolled = begun.elapsed();
    let outcome = played(&mut whole, &lists, enrolled, (options, told)).await;
    if outcome.is_ok() && !options.once {
        told.say("demo.stays", &params);
        if let Err(why) = tokio::signal::ctrl_c().await {
            tracing::error!(%why, "interrupts cannot be waited for");
        }
    }
    let stopped = whole.stop().await;
    outcome.and_then(|report| stopped.map(|()| report))
}

async fn played(
    whole: &mut Whole,
    lists: &[Body],
    enrolled: Duration,
    (_options, told): (&DemoOptions, &Told<'_>),
) -> Result<CityReport, Problem> {
    let begun = Instant::now();
    whole.start(lists, told).await?;
    let (up, lines) = (begun.elapsed(), whole.lines()?);
    told.say("demo.city_up", &[("lines", &lines.to_string())]);
    let (before, calm) = (machine::taken(), Instant::now());
    tokio::time::sleep(IDLE.min(up)).await;
    let after = machine::taken();
    let idle = ms(after.cpu.saturating_sub(before.cpu)).saturating_mul(1_000);
    let idle = idle.checked_div(ms(calm.elapsed())).unwrap_or(0);
    let edit = edited(whole, lists).await?;
    let params = [("p50", edit.p50_ms), ("p99", edit.p99_ms), ("all", edit.all_ms)];
    let params = params.map(|(name, value)| (name, value.to_string()));
    told.say("demo.city_edited", &params.each_ref().map(|(name, value)| (*name, value.as_str())));
    let case = proved(whole, told).await?;
    let (equal, all) = whole.equal()?;
    let taken = machine::taken();
    Ok(CityReport {
        schema: 1,
        ok: equal == all && all == whole.members.len() && case.verified,
        halls: all,
        lines,
        enrolled_ms: ms(enrolled),
        up_ms: ms(up),
        edit,
        case,
        resident_mib: after.resident / MIB,
        peak_mib: taken.peak / MIB,
        cpu_s: taken.cpu.as_secs(),
        idle_cpu_thousandths: idle,
        disk_mib: whole.on_disk() / MIB,
    })
}

/// The city's hall changes one entry; every hall is watched.
async fn edited(whole: &Whole, lists: &[Body]) -> Result<EditReport, Problem> {
    let entry = lists.iter().find_map(|body| {
        let Body::Matter(matter) = body else { return None };
        (matter.level == Tier::City && matter.promised_days > 1).then(|| matter.clone())
    });
    let mut entry = entry.ok_or_else(|| Problem::new("lists.sample").with("count", 0))?;
    entry.promised_days = entry.promised_days.saturating_sub(1);
    let mut waiting = JoinSet::new();
    for watched in whole.watched() {
        let (watching, before) = (watched.clone(), watched.look()?.0.lists);
        waiting.spawn(async move {
            let changed = watching.until(|roots| roots.lists != before);
            let late = |_| Err(Problem::new("demo.edit_not_everywhere").with("seconds", EDIT_MAX.as_secs()));
            tokio::time::timeout(EDIT_MAX, changed).await.unwrap_or_else(late)?;
            Ok::<_, Problem>(Instant::now())
        });
    }
    let begun = Instant::now();
    publish(whole.member(0)?, &[Body::Matter(entry)]).await?;
    let mut took = Vec::new();
    while let Some(done) = waiting.join_next().await {
        let held = done.unwrap_or_else(|_| Err(Problem::new("node.bug")))?;
        took.push(held.saturating_duration_since(begun));
    }
    took.sort_unstable();
    let at = |percent: usize| {
        let last = took.len().saturating_mul(percent).div_ceil(100).saturating_sub(1);
        took.get(last).map_or(0, |time| ms(*time))
    };
    Ok(EditReport { p50_ms: at(50), p99_ms: at(99), all_ms: at(100) })
}

/// The farthest village is the one with the most halls between it and the city; of several, the last of the table.
async fn proved(whole: &Whole, told: &Told<'_>) -> Result<CaseReport, Problem> {
    let (village, city) = (whole.member(whole.farthest())?, whole.member(0)?);
    if village.hall != city.hall {
        add_clerk(village).await?;
    }
    let case = case::there_and_back(village, city, told).await?;
    let two = City { members: vec![city.clone(), village.clone()], anchor: whole.anchor };
    let proof = report::prove(&two, &whole.exports(), 1, &case.number).await?;
    let signed = proof.events.iter().all(|event| event.signature);
    Ok(CaseReport { verified: proof.verified && signed, ..case })
}
