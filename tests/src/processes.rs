//! Nodes as processes.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hallmesh::config::Config;
use hallmesh::demo::{Control, Doing, Member};
use hallmesh::ops::Problem;
use hallmesh_protocol::ids::HallId;
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::Mutex as Turn;

use crate::binary::binary;

/// How long a node may take to start, or to stop. Long, because a machine that others use may take so long to sync.
const CHANGE_MAX: Duration = Duration::from_secs(180);
const POLL: Duration = Duration::from_millis(20);
/// The log lines of one node that a failed test prints.
const TAIL: usize = 40;

/// The nodes of a city as processes of the real binary. Clones share them; the last one kills them.
#[derive(Clone, Debug, Default)]
pub struct Processes {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    halls: Mutex<BTreeMap<HallId, Arc<Place>>>,
}

/// Where the process of one hall is.
#[derive(Debug)]
struct Place {
    dir: PathBuf,
    /// The network namespace it runs in, if not this one.
    host: Mutex<Option<String>>,
    /// Whoever starts or ends the process has the turn until that is done.
    turn: Turn<()>,
    process: Mutex<Option<Child>>,
}

impl Processes {
    /// Kills the process of a hall, as a power cut would. It must be running: a node does not end by itself.
    pub async fn kill(&self, member: &Member) -> Result<(), Problem> {
        let place = self.place(member);
        let _turn = place.turn.lock().await;
        if let Some(ended) = place.ended() {
            return Err(place.failed("kill", ended));
        }
        if place.kill() { Ok(()) } else { Err(place.failed("kill", "no process")) }
    }

    /// Starts the process of a hall, and returns when it answers.
    pub async fn start(&self, member: &Member) -> Result<(), Problem> {
        let place = self.place(member);
        let _turn = place.turn.lock().await;
        place.start(member).await
    }

    /// Starts the process of a hall and kills it a moment later, wherever it is then.
    pub async fn false_start(&self, member: &Member, moment: Duration) -> Result<(), Problem> {
        let place = self.place(member);
        let _turn = place.turn.lock().await;
        place.launch()?;
        tokio::time::sleep(moment).await;
        if place.kill() { Ok(()) } else { Err(place.failed("kill", "no process")) }
    }

    /// From now on the process of a hall runs in a network namespace.
    pub(crate) fn on_host(&self, member: &Member, host: String) {
        *lock(&self.place(member).host) = Some(host);
    }

    /// Sends a signal to the process of a hall, such as one that stops it for a while; whether there was one.
    pub fn signal(&self, member: &Member, signal: Signal) -> bool {
        let place = self.place(member);
        let pid = lock(&place.process).as_ref().map(Pid::from_child);
        pid.is_some_and(|pid| kill_process(pid, signal).is_ok())
    }

    /// The processes that run, with their halls.
    pub fn running(&self) -> Vec<(HallId, u32)> {
        let halls = lock(&self.shared.halls);
        let process = |(hall, place): (&HallId, &Arc<Place>)| {
            lock(&place.process).as_ref().map(|process| (*hall, process.id()))
        };
        halls.iter().filter_map(process).collect()
    }

    /// Leads back to these processes as long as somebody else has them.
    pub(crate) fn weak(&self) -> impl Fn() -> Option<Self> + Send + Sync + 'static {
        let shared = Arc::downgrade(&self.shared);
        move || shared.upgrade().map(|shared| Self { shared })
    }

    /// Ends the process of a hall in good order, if there is one.
    pub async fn stop(&self, member: &Member) -> Result<(), Problem> {
        let place = self.place(member);
        let _turn = place.turn.lock().await;
        place.stop().await
    }

    /// Changes the settings with which a hall starts the next time.
    pub fn configure(&self, member: &Member, change: impl Fn(Config) -> Config) -> Result<(), Problem> {
        let place = self.place(member);
        let file = place.config_file();
        let config = Config::load(Some(&file)).map_err(|why| place.failed("config", why))?;
        let text = toml::to_string(&change(config)).map_err(|why| place.failed("config", why))?;
        std::fs::write(&file, text).map_err(|why| place.failed("config", why))
    }

    /// Resident memory of the process of a hall in KiB (`VmRSS` of the kernel), if it runs.
    pub fn resident_kib(&self, member: &Member) -> Option<u64> {
        self.memory(member, "VmRSS:")
    }

    /// What of it is the process's own, without the pages of its program (`RssAnon`).
    pub fn own_kib(&self, member: &Member) -> Option<u64> {
        self.memory(member, "RssAnon:")
    }

    /// The most it was since the process began (`VmHWM`).
    pub fn most_resident_kib(&self, member: &Member) -> Option<u64> {
        self.memory(member, "VmHWM:")
    }

    fn memory(&self, member: &Member, what: &str) -> Option<u64> {
        let place = self.place(member);
        let pid = lock(&place.process).as_ref()?.id();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(what))?;
        line.trim().trim_end_matches(" kB").parse().ok()
    }

    /// The last log lines of every hall, for people.
    pub fn tails(&self) -> String {
        let places: Vec<_> = lock(&self.shared.halls).values().cloned().collect();
        let tails = places.iter().map(|place| format!("--- {}\n{}", place.dir.display(), tail(&place.dir)));
        tails.collect::<Vec<_>>().join("\n")
    }

    fn place(&self, member: &Member) -> Arc<Place> {
        let place = || {
            let (dir, turn) = (member.dir.clone(), Turn::new(()));
            Arc::new(Place { dir, turn, host: Mutex::default(), process: Mutex::default() })
        };
        Arc::clone(lock(&self.shared.halls).entry(member.hall).or_insert_with(place))
    }
}

impl Control for Processes {
    fn start<'a>(&'a mut self, member: &'a Member) -> Doing<'a> {
        Box::pin(Processes::start(self, member))
    }

    fn stop<'a>(&'a mut self, member: &'a Member) -> Doing<'a> {
        Box::pin(Processes::stop(self, member))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        for place in lock(&self.halls).values() {
            place.kill();
        }
    }
}

impl Place {
    fn launch(&self) -> Result<(), Problem> {
        if lock(&self.process).is_some() {
            return Err(self.failed("start", "runs already"));
        }
        let log = self.dir.join("node.log");
        let log =
            OpenOptions::new().create(true).append(true).open(log).map_err(|why| self.failed("log", why))?;
        let spawned = self.spawn(&log).map_err(|why| self.failed("spawn", why))?;
        *lock(&self.process) = Some(spawned);
        Ok(())
    }

    async fn start(&self, member: &Member) -> Result<(), Problem> {
        self.launch()?;
        let begun = Instant::now();
        while !answers(member).await? {
            if let Some(ended) = self.ended() {
                *lock(&self.process) = None;
                return Err(self.failed("start", ended));
            }
            if begun.elapsed() > CHANGE_MAX {
                return Err(self.failed("start", "no answer").with("threads", self.threads()));
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    fn spawn(&self, log: &File) -> std::io::Result<Child> {
        let mut command = match lock(&self.host).as_ref() {
            None => Command::new(binary()),
            Some(host) => {
                let mut ip = Command::new("ip");
                // It becomes the binary: the same process, which can be killed.
                ip.args(["netns", "exec", host]).arg(binary());
                ip
            }
        };
        command
            .arg("run")
            .arg("--config")
            .arg(self.config_file())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log.try_clone()?)
            .spawn()
    }

    async fn stop(&self) -> Result<(), Problem> {
        let pid = lock(&self.process).as_ref().map(Pid::from_child);
        let Some(pid) = pid else { return Ok(()) };
        kill_process(pid, Signal::TERM).map_err(|why| self.failed("stop", why))?;
        let begun = Instant::now();
        while self.ended().is_none() {
            if begun.elapsed() > CHANGE_MAX {
                self.kill();
                return Err(self.failed("stop", "did not end"));
            }
            tokio::time::sleep(POLL).await;
        }
        let ended = self.ended().filter(|ended| !ended.success());
        *lock(&self.process) = None;
        ended.map_or(Ok(()), |ended| Err(self.failed("stop", ended)))
    }

    /// Whether there was a process to kill.
    fn kill(&self) -> bool {
        let Some(mut process) = lock(&self.process).take() else { return false };
        // It may have ended by itself; either way it is gone once it was waited for.
        process.kill().unwrap();
        process.wait().unwrap();
        true
    }

    fn ended(&self) -> Option<ExitStatus> {
        lock(&self.process).as_mut().and_then(|process| process.try_wait().unwrap())
    }

    /// Where in the kernel each thread of the process waits.
    fn threads(&self) -> String {
        let Some(pid) = lock(&self.process).as_ref().map(Child::id) else { return String::new() };
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        let read = |path: PathBuf| std::fs::read_to_string(path).unwrap_or_default();
        let state = |text: String| text.lines().find(|line| line.starts_with("State:")).map(str::to_owned);
        let told = tasks.map(|task| {
            let (at, status) = (task.path().join("wchan"), task.path().join("status"));
            format!("{} {}", state(read(status)).unwrap_or_default(), read(at))
        });
        told.collect::<Vec<_>>().join("; ")
    }

    fn config_file(&self) -> PathBuf {
        self.dir.join("hallmesh.toml")
    }

    fn failed(&self, doing: &str, why: impl std::fmt::Display) -> Problem {
        Problem::new("street.process").with("doing", doing).with("reason", why).with("log", tail(&self.dir))
    }
}

/// Whether the node of a hall answers and listens.
async fn answers(member: &Member) -> Result<bool, Problem> {
    match member.client.status().await {
        Ok(status) => Ok(!status.listening.is_empty()),
        Err(problem) if ["node.not_running", "node.broken_off"].contains(&problem.code.as_str()) => Ok(false),
        Err(problem) => Err(problem),
    }
}

fn tail(dir: &Path) -> String {
    let log = std::fs::read_to_string(dir.join("node.log")).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(TAIL)..].join("\n")
}

/// A test that panicked elsewhere still has its processes ended.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
