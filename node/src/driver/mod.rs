//! The running node: a loop around the core, and the tasks that feed it.
//!
//! ```text
//!  lines --> intake (decode, check signatures) --+
//!  socket --> calls (questions answered there;    +--> engine: step, step, ... commit, release --> lines
//!             deeds sealed and checked) ----------+                                          +--> replies
//! ```
//! One task owns the core and the writing side of the store; nothing else locks anything of meaning.

mod alarms;
mod calls;
mod copying;
mod engine;
mod intake;
mod introduce;
mod manner;
mod reach;
mod rewrap;
mod room;
mod roster;
mod shared;
mod tape;
mod watching;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hallmesh_protocol::genesis;
use hallmesh_protocol::ids::HallAt;
use hallmesh_protocol::node::{Me, Node};
use hallmesh_protocol::post::Patience;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::admin::{AdminServer, BindError};
use crate::config::Config;
use crate::home::{Home, Keys, Outside, Sealing};
use crate::net::{self, Net, Settings};
use crate::ops::Problem;
use crate::store::{Store, StoreError};

use engine::{Engine, Event};
pub(crate) use manner::Manner;
use reach::Reach;
use room::Reserve;
use shared::Shared;
use tape::Tape;
pub(crate) use watching::Watching;

/// Calls that wait for a task to take them up.
const CALLS_MAX: usize = 64;
/// Events that wait for the engine.
const EVENTS_MAX: usize = 1_024;
/// Case numbers have room for this many bits of a boot id.
const BOOT_BITS: u32 = 0xF_FFFF;
/// What a core that stopped itself leaves in the data directory.
const LEFT_BEHIND: &str = "stopped.hallrec";

/// A node that runs inside this process.
pub struct Running {
    tasks: JoinSet<Result<(), Problem>>,
    stop: watch::Sender<bool>,
    watching: Watching,
}

impl Running {
    /// Ends the node in good order and waits until its ports and its store are free.
    pub async fn stop(mut self) -> Result<(), Problem> {
        self.stop.send_replace(true);
        self.ended().await
    }

    /// For whoever looks on from inside this process.
    pub(crate) fn watching(&self) -> Watching {
        self.watching.clone()
    }

    /// Waits until the node has ended, by itself, by a call, or because its disk failed.
    pub async fn ended(&mut self) -> Result<(), Problem> {
        let mut outcome = Ok(());
        while let Some(task) = self.tasks.join_next().await {
            let ended = task.unwrap_or_else(|_| Err(Problem::new("node.bug")));
            // The first failure is the cause of the others.
            outcome = outcome.and(ended);
            self.stop.send_replace(true);
        }
        outcome
    }
}

/// Runs a node until it is told to stop, by a signal or over its socket. `outside` is where the secret is that
/// opens its keys.
pub async fn run(config: Config, outside: Outside) -> Result<(), Problem> {
    let mut running = start_with(config, outside, Manner::alone()).await?;
    let stop = running.stop.clone();
    let signals = tokio::spawn(async move {
        shutdown_signal().await;
        stop.send_replace(true);
    });
    let outcome = running.ended().await;
    signals.abort();
    outcome
}

/// Starts a node in this process, with what its settings say about the secret that opens its keys.
pub async fn start(config: Config) -> Result<Running, Problem> {
    start_in(config, Manner::alone()).await
}

/// Starts a node in this process, as one of many or alone.
pub(crate) async fn start_in(config: Config, manner: Manner) -> Result<Running, Problem> {
    let outside = config.outside();
    start_with(config, outside, manner).await
}

async fn start_with(config: Config, outside: Outside, manner: Manner) -> Result<Running, Problem> {
    let hall = Opened::of(&config, outside, manner)?;
    let admin = AdminServer::bind(&config.socket()).await.map_err(|why| bind_problem(&why, &config))?;
    let net = net::start(settings(&config, &hall.keys, manner)?)
        .map_err(|why| Problem::new("net.cannot_listen").with("reason", format!("{why:#}")))?;
    tracing::info!(hall = %hall.at, peer = %net.local_peer, sealed = hall.sealing.word(), "node started");
    if hall.sealing == Sealing::None {
        tracing::warn!(
            "THE SECRET KEYS OF THIS HALL ARE NOT SEALED: who has the disk has them; hallmesh hall reseal"
        );
    }
    launch(&config, manner, hall, (admin, net))
}

/// A hall's data directory, open: who it is, its keys, its store.
struct Opened {
    home: Home,
    keys: Keys,
    store: Store,
    at: HallAt,
    sealing: Sealing,
}

impl Opened {
    fn of(config: &Config, outside: Outside, manner: Manner) -> Result<Self, Problem> {
        let home = Home::open_with(&config.data_dir, outside)?;
        let (keys, sealing) = (home.keys()?, home.sealing()?);
        home.finish_sealing()?;
        let home = home.closed();
        let in_store = |why: StoreError| store_problem(&why, &config.data_dir);
        let store = Store::open_cached(&config.data_dir, manner.cache_bytes).map_err(in_store)?;
        let view = store.snapshot().map_err(in_store)?;
        let at = genesis::identity(&view).ok_or_else(|| Problem::new("store.format"))?.at;
        drop(view);
        Ok(Self { home, keys, store, at, sealing })
    }
}

fn launch(
    config: &Config,
    manner: Manner,
    hall: Opened,
    (admin, net): (AdminServer, Net),
) -> Result<Running, Problem> {
    let Opened { home, keys, store, at, sealing } = hall;
    let mut chance = crate::home::chance();
    let boot = u32::try_from(chance.next_u64() & u64::from(BOOT_BITS)).unwrap_or(0);
    let patience = Patience::days(config.undeliverable_days, config.undeliverable_relayed_days);
    let shared = Shared::new(at, boot, store, keys.wrap, home, &net).patient(patience);
    let shared = Arc::new(shared.recording(config.recorder_inputs > 0));
    shared.show(|live| sealing.word().clone_into(&mut live.sealed));
    let (events, inbox) = mpsc::channel(EVENTS_MAX);
    let (calls, waiting) = mpsc::channel(CALLS_MAX);
    let (stop, stopped) = watch::channel(false);
    let view = shared.snapshot()?;
    let me = Me { at, boot, key: keys.event };
    let node = Node::open(me, chance.bytes32(), shared.now(), &view);
    drop(view);
    let left_behind = config.data_dir.join(LEFT_BEHIND);
    let tape = Tape::new(config.recorder_inputs, at.hall, &node, shared.now(), left_behind);
    let Net { commands, events: net_events, .. } = net;
    let reach = Reach::new(&config.listen_addresses()?, config.advertise_addresses()?);
    let (keys_wanted, wanted) = mpsc::channel(rewrap::WANTED_MAX);
    let watching = Watching::of(&shared);
    let engine =
        Engine::new(Arc::clone(&shared), (node, tape), (commands, keys_wanted), reach, keys.transport);
    let mut tasks = JoinSet::new();
    tasks.spawn(intake::run(Arc::clone(&shared), net_events, events.clone(), stop.clone()));
    let reserve = Reserve::of_mib(config.disk_reserve_mib);
    tasks.spawn(calls::run(Arc::clone(&shared), (waiting, reserve), events.clone(), stop.clone()));
    if manner.ballast {
        tasks.spawn(room::watch(Arc::clone(&shared), reserve, stopped.clone()));
    }
    tasks.spawn(rewrap::run(Arc::clone(&shared), wanted, events.clone(), stopped.clone()));
    tasks.spawn(alarms::run(Arc::clone(&shared), patience, stopped.clone()));
    let until = stopped.clone();
    tasks.spawn(async move {
        admin.run(calls, until).await;
        Ok(())
    });
    tasks.spawn(engine.run(inbox, stopped, events));
    Ok(Running { tasks, stop, watching })
}

fn settings(config: &Config, keys: &Keys, manner: Manner) -> Result<Settings, Problem> {
    let mut settings = Settings::new(keys.transport.clone(), config.listen_addresses()?);
    settings.ping_interval = Duration::from_millis(config.ping_interval_ms);
    // With the interval itself that makes three missed ones.
    settings.ping_timeout = settings.ping_interval.saturating_mul(2);
    settings.backoff_max = Duration::from_millis(config.redial_max_ms);
    settings.members_max = config.connections_max;
    settings.seats = usize::try_from(config.guest_seats).unwrap_or(usize::MAX);
    settings.guest_deadline = Duration::from_millis(config.guest_deadline_ms);
    manner.of_lines(&mut settings);
    Ok(settings)
}

#[cfg(unix)]
async fn shutdown_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        ended = tokio::signal::ctrl_c() => {
            if let Err(why) = ended {
                tracing::error!(%why, "interrupts cannot be waited for");
            }
        }
    }
}

/// A store that cannot be used, for people.
pub(crate) fn store_problem(why: &StoreError, dir: &Path) -> Problem {
    let problem = match why {
        StoreError::Missing { .. } => Problem::new("store.missing"),
        StoreError::Exists { .. } => Problem::new("store.exists"),
        StoreError::InUse { pid } => {
            let pid = pid.map_or_else(|| "?".to_owned(), |pid| pid.to_string());
            Problem::new("store.in_use").with("pid", pid)
        }
        StoreError::DiskFull { free, needed } => {
            Problem::new("store.disk_full").with("free", free).with("needed", needed)
        }
        StoreError::NotPermitted { .. } => Problem::new("store.not_permitted"),
        StoreError::Damaged { .. } => Problem::new("store.damaged").with("reason", why),
        StoreError::Io { .. } => Problem::new("store.io").with("reason", why),
        StoreError::Stopped => Problem::new("store.stopped"),
    };
    problem.with("path", dir.display())
}

fn bind_problem(why: &BindError, config: &Config) -> Problem {
    let code = match why {
        BindError::InUse { .. } => "socket.in_use",
        BindError::NotASocket { .. } => "socket.not_a_socket",
        BindError::NotPermitted { .. } => "socket.not_permitted",
        BindError::Io { .. } => "socket.io",
    };
    Problem::new(code).with("path", config.socket().display()).with("reason", why)
}

/// What an event is for the engine; the tasks that feed it build these.
pub(crate) type Feed = mpsc::Sender<Event>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_neighbour_is_given_up_after_three_missed_pings() {
        let dir = tempfile::tempdir().unwrap();
        let hall = "620702001000-01".parse().unwrap();
        let keys = Home::create(&dir.path().join("home"), hall, "甲镇便民服务中心").unwrap().keys().unwrap();
        let config = Config { ping_interval_ms: 5_000, ..Config::default() };
        let settings = settings(&config, &keys, Manner::alone()).unwrap();
        let silence = settings.ping_interval.saturating_add(settings.ping_timeout);
        assert_eq!(silence, Duration::from_secs(15));
    }
}
