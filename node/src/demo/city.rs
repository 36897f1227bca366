//! A small city: seven halls of Zhangye, each with its own keys, store and host, enrolled as real ones are.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hallmesh_protocol::ids::{DivisionCode, HallId, Tier};
use hallmesh_protocol::seal::SecretKey;

use crate::config::Config;
use crate::driver::{self, Running};
use crate::enrol;
use crate::home::Home;
use crate::lists;
use crate::ops::{Answer, Ask, Client, Problem, RoleWords};

/// The halls: division, name, index of the hall above.
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
const HOLDERS: u8 = 3;
const THRESHOLD: u8 = 2;
const VALID_DAYS: u16 = 400;
/// How long anything in the demo may take before it is a failure.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);

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
        let home = Home::open(&self.dir)?;
        Ok(home.clerk_key(Self::CLERK)?)
    }
}

/// Starting and stopping nodes: inside this process for the demo, as processes for tests.
pub trait Control: Send {
    /// Starts the node of a hall; it answers when this is done.
    fn start<'a>(&'a mut self, member: &'a Member) -> Doing<'a>;
    /// Stops it.
    fn stop<'a>(&'a mut self, member: &'a Member) -> Doing<'a>;
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
    pub anchor: hallmesh_protocol::ids::Digest,
}

impl City {
    /// Founds the city in an empty directory: root, keys, requests, charters, clerks, lists.
    pub async fn found<C: Control>(dir: &Path, mut control: C) -> Result<(Self, C), Problem> {
        let root = dir.join("root");
        let city = division(HALLS[0].0)?;
        let founded = enrol::found(city, CITY_NAME, HOLDERS, THRESHOLD, &root)?;
        let mut members: Vec<Member> = Vec::new();
        for (code, name, above) in HALLS {
            let member = member(dir, code, name)?;
            let superior = above.and_then(|index| members.get(index)).cloned();
            enrol_one(&root, &member, superior.as_ref(), &founded.anchor).await?;
            control.start(&member).await?;
            add_clerk(&member).await?;
            members.push(member);
        }
        let city = Self { members, anchor: founded.anchor };
        city.publish_lists().await?;
        city.wait_equal().await?;
        Ok((city, control))
    }

    /// The hall at a place in the list.
    pub fn member(&self, index: usize) -> Result<&Member, Problem> {
        self.members.get(index).ok_or_else(|| Problem::new("demo.unknown_hall").with("index", index))
    }

    async fn publish_lists(&self) -> Result<(), Problem> {
        let bodies = lists::sample_bodies().map_err(|_| Problem::new("lists.sample"))?;
        let bodies = bodies.iter().map(|body| crate::ops::hex(&body.encode())).collect();
        self.member(0)?.ask_as_clerk(&Ask::Publish { bodies }).await.map(|_| ())
    }

    /// Waits until every hall holds the same directory and the same lists.
    async fn wait_equal(&self) -> Result<(), Problem> {
        until("demo.lists_not_equal", async || {
            let mut roots = Vec::new();
            for member in &self.members {
                let status = member.client.status().await?;
                roots.push((status.directory_root, status.lists_root, status.peers > 0));
            }
            Ok(roots.windows(2).all(|pair| pair[0] == pair[1]).then_some(()))
        })
        .await
    }
}

/// Waits for a condition, which gives a value once it holds.
pub(crate) async fn until<T>(
    code: &str,
    condition: impl AsyncFn() -> Result<Option<T>, Problem>,
) -> Result<T, Problem> {
    let begun = Instant::now();
    loop {
        if let Some(value) = condition().await? {
            return Ok(value);
        }
        if begun.elapsed() > PATIENCE {
            return Err(Problem::new(code).with("seconds", PATIENCE.as_secs()));
        }
        tokio::time::sleep(POLL).await;
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
        listen: vec!["/ip4/127.0.0.1/tcp/0".to_owned()],
        data_dir: dir.clone(),
        socket: Some(dir.join("node.sock")),
        ..Config::default()
    };
    let client = Client::new(&config.socket());
    Ok(Member { hall, name: name.to_owned(), dir, config, client })
}

/// Keys, request, charter, join: the way every hall goes.
async fn enrol_one(
    root: &Path,
    member: &Member,
    superior: Option<&Member>,
    anchor: &hallmesh_protocol::ids::Digest,
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
    match above.ask_as_clerk(&ask).await? {
        Answer::Issued { text, .. } => Ok(text),
        _other => Err(Problem::new("call.malformed")),
    }
}

async fn card_of(superior: &Member) -> Result<String, Problem> {
    match superior.client.ask(&Ask::Card).await? {
        Answer::Card { text } => Ok(text),
        _other => Err(Problem::new("call.malformed")),
    }
}

/// So that the command line can be pointed at the hall.
fn write_config(member: &Member) -> Result<(), Problem> {
    let path = member.dir.join("hallmesh.toml");
    let text = toml::to_string(&member.config).map_err(|why| Problem::new("demo.config").with("reason", why))?;
    std::fs::write(&path, text)
        .map_err(|why| Problem::new("demo.no_place").with("path", path.display()).with("reason", why))
}

async fn add_clerk(member: &Member) -> Result<(), Problem> {
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
