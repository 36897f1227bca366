//! A city on a street: in a temporary directory, its nodes processes.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, LazyLock};

use hallmesh::config::Config;
use hallmesh::demo::{City, Control, Doing, Member};
use hallmesh::export;
use hallmesh::ops::{Answer, Ask, Case, Content, Peer, Problem, Status};
use hallmesh_protocol::cases::{Deed, State};
use hallmesh_protocol::record::Body;
use libp2p::Multiaddr;
use tempfile::TempDir;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::hosts::{Apart, Hosts};
use crate::links::{Links, WhoDialled, process_behind};
use crate::processes::Processes;
use crate::waiting::eventually;

/// Cities at once: a machine with two cores has enough to do with them.
static CITIES: Semaphore = Semaphore::const_new(2);
static SAMPLE: LazyLock<Vec<Body>> =
    LazyLock::new(|| hallmesh::lists::sample_bodies().expect("the sample lists are sound"));

/// The whole city of seven halls, or its first halls.
#[derive(Debug)]
pub struct Street {
    /// The city.
    pub city: City,
    /// Its nodes.
    pub processes: Processes,
    /// Where it is; gone with it.
    pub dir: TempDir,
    _permit: SemaphorePermit<'static>,
}

impl Street {
    /// The whole city.
    pub async fn city() -> Self {
        Self::with(7, &SAMPLE).await
    }

    /// The first halls of it: the city's own, two counties, two townships, two villages.
    pub async fn of(halls: usize) -> Self {
        Self::with(halls, &SAMPLE).await
    }

    /// The first halls of it, with other lists.
    pub async fn with(halls: usize, lists: &[Body]) -> Self {
        let permit = CITIES.acquire().await.expect("is never closed");
        let dir = tempfile::Builder::new().prefix("hallmesh-street-").tempdir().unwrap();
        let processes = Processes::default();
        match City::found_part(dir.path(), halls, lists, processes.clone()).await {
            Ok((city, _)) => Self { city, processes, dir, _permit: permit },
            Err(problem) => panic!("no city: {problem:?}\n{}", processes.tails()),
        }
    }

    /// The whole city with a line of its own between any two halls, and each hall set up as wanted.
    pub async fn with_lines(seed: u64, set_up: SetUp) -> (Self, Links) {
        Self::few_with_lines(usize::MAX, seed, set_up).await
    }

    /// The first halls of it, likewise.
    pub async fn few_with_lines(halls: usize, seed: u64, set_up: SetUp) -> (Self, Links) {
        let permit = CITIES.acquire().await.expect("is never closed");
        let dir = tempfile::Builder::new().prefix("hallmesh-street-").tempdir().unwrap();
        let processes = Processes::default();
        let links = Links::new(seed, who_dialled(&processes));
        let place = crate::seed::chance(u64::from(std::process::id()) ^ seed).bytes16();
        let gated = Gated { processes: processes.clone(), links: links.clone(), set_up, place, halls: 0 };
        match City::found_part(dir.path(), halls, &SAMPLE, gated).await {
            Ok((city, _)) => (Self { city, processes, dir, _permit: permit }, links),
            Err(problem) => panic!("no city: {problem:?}\n{}", processes.tails()),
        }
    }

    /// The first halls of the city, each on a host of its own.
    pub async fn on_hosts(halls: usize, hosts: &mut Hosts) -> Self {
        let permit = CITIES.acquire().await.expect("is never closed");
        let dir = tempfile::Builder::new().prefix("hallmesh-street-").tempdir().unwrap();
        let processes = Processes::default();
        let apart = Apart { processes: processes.clone(), hosts };
        match City::found_part(dir.path(), halls, &SAMPLE, apart).await {
            Ok((city, _)) => Self { city, processes, dir, _permit: permit },
            Err(problem) => panic!("no city: {problem:?}\n{}", processes.tails()),
        }
    }

    /// The hall at a place in the city's list.
    pub fn hall(&self, place: usize) -> &Member {
        &self.city.members[place]
    }

    /// How a hall is.
    pub async fn status(&self, place: usize) -> Status {
        self.hall(place).client.status().await.unwrap()
    }

    /// The neighbours of a hall.
    pub async fn peers(&self, place: usize) -> Vec<Peer> {
        let Answer::Peers { peers } = self.ask(place, &Ask::Peers).await.unwrap() else { panic!("no peers") };
        peers
    }

    /// Whether a hall has a line to another.
    pub async fn connected(&self, place: usize, to: usize) -> bool {
        let hall = self.hall(to).hall.to_string();
        self.peers(place).await.iter().any(|peer| peer.hall == hall && peer.connected)
    }

    /// Waits until a hall has a line to another.
    pub async fn line(&self, place: usize, to: usize) {
        eventually("a line between two halls", async || self.connected(place, to).await.then_some(())).await;
    }

    /// Asks a hall.
    pub async fn ask(&self, place: usize, ask: &Ask) -> Result<Answer, Problem> {
        self.hall(place).client.ask(ask).await
    }

    /// Asks a hall as its clerk.
    pub async fn act(&self, place: usize, ask: &Ask) -> Result<Answer, Problem> {
        self.hall(place).ask_as_clerk(ask).await
    }

    /// A case as a hall knows it.
    pub async fn case(&self, place: usize, number: &str) -> Option<Case> {
        match self.known(place, number).await {
            Ok(case) => case,
            Err(problem) => panic!("{problem:?}"),
        }
    }

    /// A case as a hall knows it, if the hall is there.
    pub async fn known(&self, place: usize, number: &str) -> Result<Option<Case>, Problem> {
        match self.ask(place, &Ask::Case { case: number.to_owned() }).await {
            Ok(Answer::Case(case)) => Ok(Some(*case)),
            Ok(other) => panic!("{other:?}"),
            Err(problem) if problem.code == "case.unknown" => Ok(None),
            Err(problem) => Err(problem),
        }
    }

    /// Takes in a case at a window, for somebody who lives where another hall is. Gives its number.
    pub async fn receive(&self, window: usize, matter: &str, place_of: usize) -> String {
        let (matter, place) = (matter.parse().unwrap(), self.hall(place_of).hall.division());
        let ask = Ask::Receive { matter, place, content: Content::one("applicant", "example") };
        let Answer::Received(received) = self.act(window, &ask).await.unwrap() else { panic!("no receipt") };
        received.number
    }

    /// Waits until a hall has a case in hand, in a state.
    pub async fn in_hand(&self, place: usize, number: &str, state: State) {
        eventually("the case is in hand", async || {
            let case = self.case(place, number).await?;
            (case.stage == "custodian" && case.state == state).then_some(())
        })
        .await;
    }

    /// Records an act of a hall's clerk.
    pub async fn record(&self, place: usize, number: &str, deed: Deed) {
        let ask = Ask::Record { case: number.to_owned(), deed, content: Content::one("note", "example") };
        self.act(place, &ask).await.unwrap();
    }

    /// Goes on with a received case until it is delivered.
    pub async fn finish(&self, number: &str, decides: usize, window: usize) {
        self.in_hand(decides, number, State::Received).await;
        self.record(decides, number, Deed::Accept).await;
        self.record(decides, number, Deed::GRANT).await;
        self.in_hand(window, number, State::Decided).await;
        self.record(window, number, Deed::Deliver).await;
    }

    /// Where a hall listens.
    pub async fn address(&self, place: usize) -> Multiaddr {
        self.status(place).await.listening[0].parse().unwrap()
    }

    /// The configuration of a hall, for the command line.
    pub fn config(&self, place: usize) -> String {
        self.hall(place).dir.join("hallmesh.toml").display().to_string()
    }

    /// Exports a case from a hall into a directory.
    pub async fn export(&self, place: usize, number: &str, out: &Path) {
        let ask = Ask::Export { case: number.to_owned() };
        let Answer::Export { package } = self.ask(place, &ask).await.unwrap() else { panic!("no package") };
        export::write_package(&unhex(&package), out).unwrap();
    }
}

impl Drop for Street {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.processes.tails());
        }
    }
}

/// How a hall is set up otherwise than the others.
pub type SetUp = fn(Config) -> Config;

/// Founds a city whose halls make known the addresses of their gates.
struct Gated {
    processes: Processes,
    links: Links,
    set_up: SetUp,
    /// So that two cities have different loopback addresses.
    place: [u8; 16],
    halls: u8,
}

impl Gated {
    /// An address that no connection of this machine gets by chance while the hall is away for a moment.
    fn listen(&mut self) -> std::io::Result<SocketAddr> {
        self.halls += 1;
        let at = Ipv4Addr::new(127, self.place[0].max(1), self.place[1], self.halls);
        TcpListener::bind((at, 0))?.local_addr()
    }
}

impl Control for Gated {
    fn prepare(&mut self, member: Member) -> Result<Member, Problem> {
        let failed = |why| Problem::new("street.gate").with("reason", why);
        let listen = self.listen().map_err(failed)?;
        let gate = self.links.gate(member.hall, listen).map_err(failed)?;
        let as_text = |at: SocketAddr| vec![format!("/ip4/{}/tcp/{}", at.ip(), at.port())];
        let config = Config { listen: as_text(listen), advertise: as_text(gate), ..member.config };
        Ok(Member { config: (self.set_up)(config), ..member })
    }

    fn start<'a>(&'a mut self, member: &'a Member) -> Doing<'a> {
        Control::start(&mut self.processes, member)
    }

    fn stop<'a>(&'a mut self, member: &'a Member) -> Doing<'a> {
        Control::stop(&mut self.processes, member)
    }
}

fn who_dialled(processes: &Processes) -> WhoDialled {
    // Not a clone: the street's processes end with the street, whatever a line still asks.
    let processes = processes.weak();
    Arc::new(move |from, to| {
        let running = processes()?.running();
        let ids: Vec<u32> = running.iter().map(|(_, process)| *process).collect();
        let process = process_behind(from, to, &ids)?;
        running.into_iter().find(|(_, running)| *running == process).map(|(hall, _)| hall)
    })
}

/// Bytes as hexadecimal, as calls carry them.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]).map(digit).collect()
}

fn digit(nibble: u8) -> char {
    char::from_digit(nibble.into(), 16).unwrap()
}

/// The bytes of hexadecimal.
pub fn unhex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}
