//! A small city: seven halls of Zhangye, each with its own keys, store and host, enrolled as real ones are.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::{SystemTime, UNIX_EPOCH};

use hallmesh_protocol::ids::{Digest, DivisionCode, HallId, Tier};
use hallmesh_protocol::record::Body;
use hallmesh_protocol::seal::SecretKey;

use super::patience::until;
use crate::config::Config;
use crate::driver::{self, Running};
use crate::enrol;
use crate::home::Home;
use crate::lists;
use crate::ops::{Answer, Ask, Client, Problem, RoleWords};

/// The halls: division, name, index of the hall above, which comes first.
const HALLS: [(u64, &str, Option<usize>); 7] = [
    (620_700_000_000, "张掖市政务服务中心", None),
    (620_702_000_000, "甘州区政务服务中心", Some(0)),
    (620_724_000_000, "高台县政务服务中心", Some(0)),
    (620_702_203_000, "安阳乡便民服务中心", Some(1)),
    (620_724_100_000, "城关镇便民服务中心", Some(2)),
    (620_702_203_200, "苗家堡村便民服务站", Some(3)),
    (620_724_100_200, "国庆村便民服务站", Some(4)),
];
const CITY_NAME: &str = "张掖市";
/// People who hold the root's keys, and how many of them sign.
pub(super) const HOLDERS: u8 = 3;
pub(super) const THRESHOLD: u8 = 2;
const VALID_DAYS: u16 = 400;
/// From here on Linux takes ports for calls.
const CALLING_PORTS_FROM: u16 = 32_768;
/// All halls are on one machine: a neighbour that is back is found at once, and redialling costs nobody a line.
const REDIAL_MAX_MS: u64 = 1_000;

/// One hall of the city.
#[derive(Clone, Debug)]
pub struct Member {
    /// The hall.
    pub hall: HallId,
    /// Its name.
    pub name: String,
    /// Its data directory; the configuration lies in it as `hallmesh.toml`.
    pub dir: PathBuf,
    /// Its settings.
    pub config: Config,
    /// The node behind its socket.
    pub client: Client,
}

impl Member {
    /// The hall's one clerk, with all roles.
    pub const CLERK: u16 = 1;

    /// Asks as the hall's clerk.
    pub async fn ask_as_clerk(&self, ask: &Ask) -> Result<Answer, Problem> {
        self.client.ask_as(ask, Self::CLERK, &self.clerk_key()?).await
    }

    fn clerk_key(&self) -> Result<SecretKey, Problem> {
        let home = Home::open_with(&self.dir, self.config.outside())?;
        Ok(home.clerk_key(Self::CLERK)?)
    }
}

/// Starting and stopping nodes: inside this process for the demo, as processes for tests.
pub trait Control: Send {
    /// Called for each hall before it is founded: a place for tests to have it elsewhere, or set up otherwise.
    fn prepare(&mut self, member: Member) -> Result<Member, Problem> {
        Ok(member)
    }
    /// Starts the node of a hall; it answers when this is done.
    fn start<'a>(&'a mut self, member: &'a Member) -> Doing<'a>;
    /// Stops it.
    fn stop<'a>(&'a mut self, member: &'a Member) -> Doing<'a>;
    /// Called before each step of a story, with the step's number: a place for tests to break something.
    fn disturb<'a>(&'a mut self, _city: &'a City, _step: u32) -> Doing<'a> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Something that takes a while and may fail.
pub type Doing<'a> = Pin<Box<dyn Future<Output = Result<(), Problem>> + Send + 'a>>;

/// Nodes inside this process.
#[derive(Default)]
pub struct InProcess {
    running: BTreeMap<HallId, Running>,
}

impl InProcess {
    /// Stops every node.
    pub async fn stop_all(self) -> Result<(), Problem> {
        for (_, running) in self.running {
            running.stop().await?;
        }
        Ok(())
    }
}

impl Control for InProcess {
    fn start<'a>(&'a mut self, member: &'a Member) -> Doing<'a> {
        Box::pin(async move {
            let running = driver::start(member.config.clone()).await?;
            self.running.insert(member.hall, running);
            Ok(())
        })
    }

    fn stop<'a>(&'a mut self, member: &'a Member) -> Doing<'a> {
        Box::pin(async move {
            match self.running.remove(&member.hall) {
                Some(running) => running.stop().await,
                None => Ok(()),
            }
        })
    }
}

/// The city.
#[derive(Clone, Debug)]
pub struct City {
    /// Its halls; the city's own first.
    pub members: Vec<Member>,
    /// The city root, as the auditor is told it.
    pub anchor: Digest,
}

impl City {
    /// Founds the city in an empty directory: root, keys, requests, charters, clerks, lists.
    pub async fn found<C: Control>(dir: &Path, control: C) -> Result<(Self, C), Problem> {
        let lists = lists::sample_bodies()
            .map_err(|findings| Problem::new("lists.sample").with("count", findings.len()))?;
        Self::found_part(dir, HALLS.len(), &lists, control).await
    }

    /// Founds only the first halls of the city, with other lists.
    pub async fn found_part<C: Control>(
        dir: &Path,
        halls: usize,
        lists: &[Body],
        mut control: C,
    ) -> Result<(Self, C), Problem> {
        let root = dir.join("root");
        let counties = [division(HALLS[1].0)?, division(HALLS[2].0)?];
        let founded = enrol::found(division(HALLS[0].0)?, CITY_NAME, (HOLDERS, THRESHOLD), &counties, &root)?;
        let mut city = Self { members: Vec::new(), anchor: founded.anchor };
        for (code, name, above) in HALLS.into_iter().take(halls) {
            let member = control.prepare(member(dir, code, name)?)?;
            let superior = above.and_then(|index| city.members.get(index));
            enrol_one(&root, &member, superior, &city.anchor).await?;
            control.start(&member).await?;
            add_clerk(&member).await?;
            can_be_found(&member).await?;
            city.members.push(member);
        }
        city.publish(lists).await?;
        city.wait_equal().await?;
        Ok((city, control))
    }

    /// The hall at a place in the list.
    pub fn member(&self, index: usize) -> Result<&Member, Problem> {
        self.members.get(index).ok_or_else(|| Problem::new("demo.unknown_hall").with("index", index))
    }

    async fn publish(&self, lists: &[Body]) -> Result<(), Problem> {
        let bodies = lists.iter().map(|body| crate::ops::hex(&body.encode())).collect();
        self.member(0)?.ask_as_clerk(&Ask::Publish { bodies }).await.map(|_| ())
    }

    /// Waits until every hall holds the same directory and the same lists.
    pub async fn wait_equal(&self) -> Result<(), Problem> {
        until("demo.lists_not_equal", async || {
            let mut roots = Vec::new();
            for member in &self.members {
                let status = member.client.status().await?;
                roots.push((status.directory_root, status.lists_root, status.peers > 0));
            }
            let equal = roots.iter().all(|root| Some(root) == roots.first());
            Ok(equal.then_some(()))
        })
        .await
    }
}

/// Milliseconds since 1970.
pub(crate) fn wall() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

fn member(dir: &Path, code: u64, name: &str) -> Result<Member, Problem> {
    let hall = HallId::main(division(code)?);
    let dir = dir.join(hall.to_string());
    let config = Config {
        listen: vec![format!("/ip4/127.0.0.1/tcp/{}", free_port()?)],
        data_dir: dir.clone(),
        socket: Some(dir.join("node.sock")),
        redial_max_ms: REDIAL_MAX_MS,
        ..Config::default()
    };
    let client = Client::new(&config.socket());
    Ok(Member { hall, name: name.to_owned(), dir, config, client })
}

/// A port that is free now. It is written down, so that the halls find each other again after a restart.
fn free_port() -> Result<u16, Problem> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    let bound = bound.map_err(|why| Problem::new("net.cannot_listen").with("reason", why))?;
    Ok(bound.port())
}

/// The next port from this one on that is free now, below those that the system gives to who calls out.
pub(super) fn free_port_from(next: &mut u16) -> Result<u16, Problem> {
    while *next < CALLING_PORTS_FROM {
        let port = *next;
        *next = port.saturating_add(1);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(Problem::new("net.cannot_listen").with("reason", format!("127.0.0.1: < {CALLING_PORTS_FROM}")))
}

/// Keys, request, charter, join: the way every hall goes.
pub(super) async fn enrol_one(
    root: &Path,
    member: &Member,
    superior: Option<&Member>,
    anchor: &Digest,
) -> Result<(), Problem> {
    let home = Home::create(&member.dir, member.hall, &member.name)?;
    let request = enrol::request(&home, &[])?;
    let text = match superior {
        Some(above) if above.hall.tier() != Tier::City => issued_by_hall(above, request).await?,
        Some(above) => issued_by_root(root, &request, Some(&card_of(above).await?))?,
        None => issued_by_root(root, &request, None)?,
    };
    enrol::join(&home, &text, anchor, wall())?;
    write_config(member)
}

fn issued_by_root(root: &Path, request: &str, card: Option<&str>) -> Result<String, Problem> {
    Ok(enrol::issue_by_root(root, request, card, 1, wall(), VALID_DAYS)?)
}

async fn issued_by_hall(above: &Member, request: String) -> Result<String, Problem> {
    let ask = Ask::Issue { request, incarnation: 1, days: VALID_DAYS };
    let Answer::Issued { text, .. } = above.ask_as_clerk(&ask).await? else { return Err(unexpected()) };
    Ok(text)
}

async fn card_of(superior: &Member) -> Result<String, Problem> {
    let Answer::Card { text } = superior.client.ask(&Ask::Card).await? else { return Err(unexpected()) };
    Ok(text)
}

/// So that the command line can be pointed at the hall.
fn write_config(member: &Member) -> Result<(), Problem> {
    let path = member.dir.join("hallmesh.toml");
    let text =
        toml::to_string(&member.config).map_err(|why| Problem::new("demo.config").with("reason", why))?;
    std::fs::write(&path, text)
        .map_err(|why| Problem::new("demo.no_place").with("path", path.display()).with("reason", why))
}

/// A hall can have halls below it once it has said where it is found.
pub(super) async fn can_be_found(member: &Member) -> Result<(), Problem> {
    until("demo.lists_not_equal", async || match card_of(member).await {
        Ok(_) => Ok(Some(())),
        Err(problem) if problem.code == "hall.no_address" => Ok(None),
        Err(problem) => Err(problem),
    })
    .await
}

pub(super) async fn add_clerk(member: &Member) -> Result<(), Problem> {
    let home = Home::open(&member.dir)?;
    let key = home.new_clerk_key(Member::CLERK)?;
    let ask = Ask::AddClerk {
        name: "demo".to_owned(),
        number: Some(Member::CLERK),
        key: crate::ops::hex(key.as_bytes()),
        roles: RoleWords(RoleWords::KNOWN.map(str::to_owned).to_vec()),
    };
    member.client.ask(&ask).await.map(|_| ())
}

fn division(code: u64) -> Result<DivisionCode, Problem> {
    DivisionCode::from_u64(code).map_err(|why| Problem::new("division.malformed").with("reason", why))
}

/// The answer is for another question.
pub(super) fn unexpected() -> Problem {
    Problem::new("call.malformed")
}
