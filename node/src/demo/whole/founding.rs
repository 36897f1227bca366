//! From papers to a city that stands: every hall is enrolled by the one above it, then all are started.
//!
//! A hall issues papers alone, as on the day on which its people enrol the halls below: the city hears of all of them
//! at once, when it starts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt as _};
use hallmesh_protocol::ids::{Digest, DivisionCode, HallId, Tier};
use hallmesh_protocol::record::Body;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::halls::Hall;
use super::{Told, machine};
use crate::config::Config;
use crate::demo::city::{HOLDERS, Member, THRESHOLD, add_clerk, can_be_found, enrol_one, free_port_from};
use crate::driver::{self, Manner, Running, Watching};
use crate::enrol;
use crate::ops::{Ask, Client, Problem};

/// Halls that issue papers at once.
const ISSUING: usize = 8;
/// Halls that are started and have not read the lists yet, at once: each of them holds pages in memory.
const STARTING: usize = 16;
/// How long the whole city may take until all halls hold the same.
const UP_MAX: Duration = Duration::from_secs(3_600);
/// How often it is looked whether they do, and how often that is said.
const LOOK_EVERY: Duration = Duration::from_millis(250);
const SAY_EVERY: Duration = Duration::from_secs(10);
/// The longest pause before a neighbour is dialled again that is started later.
const REDIAL_MAX_MS: u64 = 5_000;
/// Lines with other halls at once: a county has one with every village under it.
const LINES_MAX: u32 = 1_024;
/// The first port that is tried.
const FIRST_PORT: u16 = 12_000;

/// A city of many halls.
pub(super) struct Whole {
    /// Its halls, in the order of the table.
    pub(super) members: Vec<Member>,
    above: Vec<Option<usize>>,
    /// The city root, as the auditor is told it.
    pub(super) anchor: Digest,
    running: Vec<Option<Running>>,
    watched: Vec<Option<Watching>>,
    dir: PathBuf,
}

impl Whole {
    /// Keys, requests, charters: every hall has its papers, and none runs.
    pub(super) async fn enrolled(dir: &Path, halls: &[Hall], told: &Told<'_>) -> Result<Self, Problem> {
        let city = halls.first().ok_or_else(|| Problem::new("demo.halls_no_city").with("file", ""))?;
        let counties: Vec<DivisionCode> = halls
            .iter()
            .map(|hall| hall.code)
            .filter(|code| code.tier() == Tier::County)
            .take(hallmesh_protocol::limits::COUNTIES_MAX)
            .collect();
        // One county alone must not end the city's hall.
        let counties = if counties.len() > 1 { counties.as_slice() } else { &[] };
        let founded = enrol::found(city.code, &city.name, (HOLDERS, THRESHOLD), counties, &dir.join("root"))?;
        let mut ports = FIRST_PORT;
        let members =
            halls.iter().map(|hall| member(dir, hall, &mut ports)).collect::<Result<Vec<_>, _>>()?;
        let whole = Self {
            above: halls.iter().map(|hall| hall.above).collect(),
            anchor: founded.anchor,
            running: members.iter().map(|_| None).collect(),
            watched: members.iter().map(|_| None).collect(),
            members,
            dir: dir.to_owned(),
        };
        enrol_one(&dir.join("root"), whole.member(0)?, None, &whole.anchor).await?;
        for tier in Tier::ALL {
            whole.issue(tier, told).await?;
        }
        Ok(whole)
    }

    /// The hall at a place of the table.
    pub(super) fn member(&self, place: usize) -> Result<&Member, Problem> {
        self.members.get(place).ok_or_else(|| Problem::new("demo.unknown_hall").with("index", place))
    }

    /// Every hall of a tier that has halls below enrols them.
    async fn issue(&self, tier: Tier, told: &Told<'_>) -> Result<(), Problem> {
        let issuers = self.issuers().into_iter().filter(|(place, _)| self.tier(*place) == tier);
        let mut issued = stream::iter(issuers)
            .map(async |(issuer, below)| {
                let below = below.into_iter().map(|place| self.member(place));
                let below = below.collect::<Result<Vec<_>, _>>()?;
                issue(&self.dir.join("root"), self.member(issuer)?, &below, &self.anchor).await?;
                Ok::<_, Problem>(below.len())
            })
            .buffer_unordered(ISSUING);
        while let Some(done) = issued.next().await {
            told.enrolled(done?);
        }
        Ok(())
    }

    fn tier(&self, place: usize) -> Tier {
        self.members.get(place).map_or(Tier::Village, |member| member.hall.tier())
    }

    /// Halls that have halls below, with these.
    fn issuers(&self) -> BTreeMap<usize, Vec<usize>> {
        let mut issuers: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (place, above) in self.above.iter().enumerate() {
            if let Some(above) = above {
                issuers.entry(*above).or_default().push(place);
            }
        }
        issuers
    }

    /// Starts every hall, those above first, and waits until all hold the same.
    pub(super) async fn start(&mut self, lists: &[Body], told: &Told<'_>) -> Result<(), Problem> {
        self.start_these(&[0], told).await?;
        publish(self.member(0)?, lists).await?;
        let issuers: Vec<usize> = self.issuers().into_keys().filter(|place| *place > 0).collect();
        self.start_these(&issuers, told).await?;
        self.wait_equal(told).await?;
        let rest = (1..self.members.len()).filter(|place| issuers.binary_search(place).is_err());
        self.start_these(&rest.collect::<Vec<_>>(), told).await?;
        self.wait_equal(told).await
    }

    async fn start_these(&mut self, places: &[usize], told: &Told<'_>) -> Result<(), Problem> {
        let (mut tasks, turns) = (JoinSet::new(), Arc::new(Semaphore::new(STARTING)));
        let first = self.watched.first().and_then(Option::clone);
        for place in places.iter().copied() {
            let (config, turns) = (self.member(place)?.config.clone(), Arc::clone(&turns));
            let first = first.clone();
            tasks.spawn(async move {
                let _turn = turns.acquire_owned().await;
                Ok::<_, Problem>((place, started(config, first).await?))
            });
        }
        while let Some(done) = tasks.join_next().await {
            let (place, running) = done.unwrap_or_else(|_| Err(Problem::new("node.bug")))?;
            let watching = running.watching();
            if let (Some(seat), Some(watched)) = (self.running.get_mut(place), self.watched.get_mut(place)) {
                (*seat, *watched) = (Some(running), Some(watching));
            }
            told.started();
        }
        Ok(())
    }

    /// All that run.
    pub(super) fn watched(&self) -> impl Iterator<Item = &Watching> {
        self.watched.iter().flatten()
    }

    /// How many of those that run hold what the city holds, and how many run.
    pub(super) fn equal(&self) -> Result<(usize, usize), Problem> {
        let roots = self.watched().map(|it| Ok(it.look()?.0)).collect::<Result<Vec<_>, Problem>>()?;
        Ok((roots.iter().filter(|it| Some(*it) == roots.first()).count(), roots.len()))
    }

    async fn wait_equal(&self, told: &Told<'_>) -> Result<(), Problem> {
        let (begun, mut said) = (Instant::now(), Instant::now());
        loop {
            let (equal, all) = tokio::task::block_in_place(|| self.equal())?;
            if equal == all {
                return Ok(());
            }
            if begun.elapsed() > UP_MAX {
                return Err(not_equal(equal, all));
            }
            if said.elapsed() > SAY_EVERY {
                said = Instant::now();
                told.converging(equal, all);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// The place of the hall with the most halls between it and the city; of several, the last.
    pub(super) fn farthest(&self) -> usize {
        let mut depths: Vec<usize> = Vec::with_capacity(self.above.len());
        for above in &self.above {
            let depth = above.and_then(|above| depths.get(above)).map_or(0, |depth| depth.saturating_add(1));
            depths.push(depth);
        }
        let deepest = depths.iter().enumerate().max_by_key(|(_, depth)| **depth);
        deepest.map_or(0, |(place, _)| place)
    }

    /// Where exported cases go.
    pub(super) fn exports(&self) -> PathBuf {
        self.dir.join("exports")
    }

    /// Lines that stand, each counted once.
    pub(super) fn lines(&self) -> Result<usize, Problem> {
        let ends = self.watched().map(|it| Ok(it.look()?.1)).sum::<Result<usize, Problem>>()?;
        Ok(ends / 2)
    }

    /// Bytes that all halls take on the disk.
    pub(super) fn on_disk(&self) -> u64 {
        machine::on_disk(&self.dir)
    }

    /// Stops every hall.
    pub(super) async fn stop(&mut self) -> Result<(), Problem> {
        let mut tasks = JoinSet::new();
        for running in self.running.iter_mut().filter_map(Option::take) {
            tasks.spawn(running.stop());
        }
        let mut outcome = Ok(());
        while let Some(done) = tasks.join_next().await {
            outcome = outcome.and(done.unwrap_or_else(|_| Err(Problem::new("node.bug"))));
        }
        outcome
    }
}

/// Starts a hall, and waits until it has read the lists that the first one holds.
async fn started(config: Config, first: Option<Watching>) -> Result<Running, Problem> {
    let running = driver::start_in(config, Manner::crowded()).await?;
    if let Some(first) = first {
        let (wanted, watching) = (first.look()?.0.lists, running.watching());
        let reads = watching.until(|roots| roots.lists == wanted);
        tokio::time::timeout(UP_MAX, reads).await.unwrap_or_else(|_| Err(not_equal(0, 0)))?;
    }
    Ok(running)
}

fn not_equal(equal: usize, all: usize) -> Problem {
    let problem = Problem::new("demo.city_not_equal").with("equal", equal).with("halls", all);
    problem.with("seconds", UP_MAX.as_secs())
}

/// A hall alone enrols those below it.
async fn issue(root: &Path, issuer: &Member, below: &[&Member], anchor: &Digest) -> Result<(), Problem> {
    let running = driver::start_in(issuer.config.clone(), Manner::crowded()).await?;
    add_clerk(issuer).await?;
    can_be_found(issuer).await?;
    for member in below {
        enrol_one(root, member, Some(issuer), anchor).await?;
    }
    running.stop().await
}

/// Publishes as the hall's clerk.
pub(super) async fn publish(member: &Member, bodies: &[Body]) -> Result<(), Problem> {
    let bodies = bodies.iter().map(|body| crate::ops::hex(&body.encode())).collect();
    member.ask_as_clerk(&Ask::Publish { bodies }).await.map(drop)
}

fn member(dir: &Path, hall: &Hall, ports: &mut u16) -> Result<Member, Problem> {
    let id = HallId::main(hall.code);
    let dir = dir.join(id.to_string());
    let port = free_port_from(ports)?;
    let config = Config {
        listen: vec![format!("/ip4/127.0.0.1/tcp/{port}")],
        data_dir: dir.clone(),
        socket: Some(dir.join("node.sock")),
        redial_max_ms: REDIAL_MAX_MS,
        connections_max: LINES_MAX,
        recorder_inputs: 0,
        ..Config::default()
    };
    let client = Client::new(&config.socket());
    Ok(Member { hall: id, name: hall.name.clone(), dir, config, client })
}
