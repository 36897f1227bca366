//! A hall that hands over, on a real disk, and the halls it hands over to.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::time::{Duration, Instant};

use hallmesh::store::Store;
use hallmesh_protocol::calendar::Calendar;
use hallmesh_protocol::cases::{FIRST_KEY, Receive, Stage, Wrap};
use hallmesh_protocol::catalogue::{Audience, Delegation, Matter, MatterResult, ResultKind, Rights};
use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::clerks::{self, Act, ClerkCard, Roles};
use hallmesh_protocol::directory::{Charter, RootPolicy};
use hallmesh_protocol::genesis;
use hallmesh_protocol::ids::{BodyId, CaseId, ClerkId, Digest, DivisionCode, HallAt, HallId, Tier};
use hallmesh_protocol::message::Message;
use hallmesh_protocol::node::{Me, Node};
use hallmesh_protocol::post;
use hallmesh_protocol::query;
use hallmesh_protocol::record::{Body, Issuer, Record};
use hallmesh_protocol::seal::{ContentKey, SecretKey, Suite, WrapPublic, Wrapped, wrap_key, wrap_keypair};
use hallmesh_protocol::signed::{Signed, Verified};
use hallmesh_protocol::step::{Bytes, Command, Effects, Input, Now, Output, Reply, Ticket, View, Writes};
use hallmesh_protocol::verify;

const CITY: u64 = 620_700_000_000;
const MATTER: &str = "ISOLATION-1";
/// Bytes of a sealed application.
const APPLICATION_BYTES: usize = 1_000;
/// Commands in one commit while letters are piled up.
const BATCH: usize = 100;
/// Milliseconds on the node's clock between two hand-overs.
const PACE_MS: u64 = 500;
/// Paces within which a hand-over must be through.
const PACES_MAX: usize = 240;
/// So long ago that a clerk's earlier acts are forgotten.
const ACTS_OVER_MS: u64 = 600_000;

/// Which hall hands over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Giver {
    /// The city's, to counties: for a dead county there is no other way.
    City,
    /// A county's, to townships: letters for a dead township go up to the city and wait there, too.
    County,
}

impl Giver {
    /// For tables and directories.
    pub const fn word(self) -> &'static str {
        match self {
            Self::City => "city",
            Self::County => "county",
        }
    }

    /// The codes of all halls, each with the index of the hall above; the giver's index; the level that decides.
    fn halls(self, peers: u16) -> (Vec<(u64, Option<usize>)>, usize, Tier) {
        let many = 0..u64::from(peers) + 1;
        match self {
            Self::City => {
                let counties = many.map(|nth| (CITY + (nth + 2) * 1_000_000, Some(0)));
                (std::iter::once((CITY, None)).chain(counties).collect(), 0, Tier::County)
            }
            Self::County => {
                let county = CITY + 2_000_000;
                let above = [(CITY, None), (county, Some(0)), (CITY + 24_000_000, Some(0))];
                let towns = many.map(|nth| (county + (nth + 1) * 1_000, Some(1)));
                (above.into_iter().chain(towns).collect(), 1, Tier::Township)
            }
        }
    }
}

#[derive(Default)]
struct Memory(BTreeMap<Vec<u8>, Bytes>);

impl Memory {
    fn apply(&mut self, writes: Writes) {
        for (key, value) in writes {
            match value {
                Some(value) => self.0.insert(key, value),
                None => self.0.remove(&key),
            };
        }
    }
}

impl View for Memory {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.0.get(key).cloned()
    }

    fn scan(&self, prefix: &[u8], after: &[u8], visit: &mut dyn FnMut(&[u8], &[u8]) -> bool) {
        let from = if after.is_empty() { prefix } else { after };
        let rows = self.0.range(from.to_vec()..).take_while(|(key, _)| key.starts_with(prefix));
        let mut rows = rows.filter(|(key, _)| after.is_empty() || key.as_slice() > after);
        rows.all(|(key, value)| visit(key, value));
    }
}

enum Rows {
    Memory(Memory),
    Disk(Store),
}

impl Rows {
    fn look<T>(&self, look: impl FnOnce(&dyn View) -> T) -> T {
        match self {
            Self::Memory(rows) => look(rows),
            Self::Disk(store) => look(&store.snapshot().unwrap()),
        }
    }

    fn commit(&mut self, writes: Writes) {
        match self {
            Self::Memory(rows) => rows.apply(writes),
            Self::Disk(store) => store.commit(&writes).unwrap(),
        }
    }
}

struct Hall {
    at: HallAt,
    rows: Rows,
    node: Node,
    boot: u32,
    clerk: SecretKey,
    alive: bool,
    wake_at: u64,
}

/// A small city of which one hall's work is measured.
pub(super) struct City {
    halls: Vec<Hall>,
    giver: usize,
    peers: Vec<usize>,
    /// Of the peers, the one that is dead or could be.
    last: usize,
    next: usize,
    now: Now,
    wires: VecDeque<(HallId, HallId, Vec<u8>)>,
    replies: Vec<Reply>,
    wrapped: Wrapped,
    chance: Chance,
    /// Time that the giver's loop has taken since this was set to zero.
    at_giver: Duration,
}

impl City {
    /// Founds a city whose giver keeps its rows in `dir`.
    pub(super) fn found(giver: Giver, peers: u16, dir: &Path) -> Self {
        let (codes, giver, level) = giver.halls(peers);
        let mut chance = Chance::from_seed([7; 32]);
        let (_, wrap) = wrap_keypair(&mut chance);
        let wrapped = wrap_key(&wrap, b"bench", b"", &ContentKey::from_bytes([1; 32]), &mut chance).unwrap();
        let root = [250, 251].map(|index| secret(index, 0));
        let policy = policy(&root);
        let charters: Vec<_> = (0..codes.len()).map(|index| charter(&codes, index, &wrap)).collect();
        let signed: Vec<_> =
            charters.iter().map(|it| by_root(&root, Body::Charter(Box::new(it.clone())))).collect();
        let now = Now { ticks: 1_000, wall: 1_790_000_000_000 };
        let mut halls = Vec::new();
        for (index, charter) in charters.iter().enumerate() {
            let first =
                genesis::install(now, policy.digest(), &policy, signed.clone(), charter.at()).unwrap();
            let rows = if index == giver {
                Rows::Disk(Store::create(dir, &first).unwrap())
            } else {
                let mut rows = Memory::default();
                rows.apply(first);
                Rows::Memory(rows)
            };
            let (at, boot, seed) = (charter.at(), 7, chance.bytes32());
            let me = Me { at, boot, key: secret(index, 1) };
            let node = rows.look(|view| Node::open(me, seed, now, view));
            let clerk = secret(index, 3);
            halls.push(Hall { at, rows, node, boot, clerk, alive: true, wake_at: now.ticks });
        }
        let peers: Vec<_> = (halls.len() - usize::from(peers) - 1..halls.len()).collect();
        let (last, wires, replies) = (peers[0], VecDeque::new(), Vec::new());
        let at_giver = Duration::ZERO;
        let mut city =
            Self { halls, giver, peers, last, next: 0, now, wires, replies, wrapped, chance, at_giver };
        city.begin(&root, level);
        city
    }

    fn begin(&mut self, root: &[SecretKey], level: Tier) {
        let lists = lists(level).map(|body| by_root(root, body));
        for index in 0..self.halls.len() {
            let (records, refused) =
                self.halls[index].rows.look(|view| verify::records(view, lists.to_vec()));
            assert_eq!(refused, 0);
            assert!(matches!(
                self.command(index, Command::Admit(records)),
                Reply::Admitted { refused: 0, .. }
            ));
            let id = ClerkId { hall: self.halls[index].at.hall, number: 1 };
            let roles = Roles { window: true, ..Roles::default() };
            let key = self.halls[index].clerk.public();
            let card = ClerkCard { id, name: "clerk".to_owned(), key, roles, active: true };
            assert_eq!(self.command(index, Command::AddClerk(card)), Reply::Done);
        }
        // The giver has a line to everybody, everybody has one to the giver.
        let (giver, halls) = (self.giver, self.halls.len());
        for other in (0..halls).filter(|other| *other != giver) {
            self.turn(giver, vec![Input::PeerUp(self.halls[other].at)]);
            self.turn(other, vec![Input::PeerUp(self.halls[giver].at)]);
        }
        self.drain();
        // The hall that may die is not one that keeps the giver's copies.
        let case = self.received(self.peers[0]);
        let mirrors = self.case(case, |view| view.case.mirrors);
        let other = |peer: &&usize| !mirrors.contains(&Some(self.halls[**peer].at));
        self.last = *self.peers.iter().rfind(other).unwrap();
        let last = self.last;
        self.peers.retain(|peer| *peer != last);
        self.through(case);
    }

    /// The last of the peers is dead from now on.
    pub(super) fn kill_last(&mut self) {
        self.halls[self.last].alive = false;
        let hall = self.halls[self.last].at.hall;
        self.turn(self.giver, vec![Input::PeerDown(hall)]);
    }

    /// Takes in so many cases that the last of the peers decides.
    pub(super) fn hand_many_to_last(&mut self, count: usize) {
        let mut left = count;
        while left > 0 {
            let batch = left.min(BATCH);
            let commands: Vec<_> = (0..batch).map(|_| self.receive(self.last).1).collect();
            self.turn(self.giver, commands);
            self.drain();
            self.pass(ACTS_OVER_MS / 20);
            self.drain();
            left -= batch;
        }
        let alive = self.halls[self.last].alive;
        let mut paces = 0..PACES_MAX;
        while alive && self.letters_for_last() > 0 && paces.next().is_some() {
            self.pass(PACE_MS);
            self.drain();
        }
        self.now.ticks += ACTS_OVER_MS;
        self.now.wall += ACTS_OVER_MS;
    }

    /// Own letters that wait for the last of the peers.
    pub(super) fn letters_for_last(&self) -> usize {
        let hall = self.halls[self.last].at.hall;
        let all = self.halls[self.giver].rows.look(|view| post::destinations(view, None, self.halls.len()));
        let own = all.into_iter().find(|it| it.to == hall && it.own.is_some());
        own.map_or(0, |it| usize::try_from(it.waiting).unwrap())
    }

    /// Hands one case over to the next of the living peers, and tells how long that took at the giver.
    pub(super) fn hand_over(&mut self) -> Duration {
        let peer = self.peers[self.next % self.peers.len()];
        self.next += 1;
        self.at_giver = Duration::ZERO;
        // What is due by now is in the way of the command, as it is in a node.
        self.pass(PACE_MS);
        let case = self.received(peer);
        self.through(case);
        let took = self.at_giver;
        self.drain();
        took
    }

    fn through(&mut self, case: CaseId) {
        for _ in 0..PACES_MAX {
            while self.case(case, |view| view.custody.unwrap().stage) != Stage::Released && self.deliver() {}
            if self.case(case, |view| view.custody.unwrap().stage) == Stage::Released {
                return;
            }
            self.pass(PACE_MS);
        }
        panic!("case {case} is not through");
    }

    fn case<T>(&self, case: CaseId, look: impl FnOnce(query::CaseView) -> T) -> T {
        self.halls[self.giver].rows.look(|view| look(query::case(view, case).unwrap()))
    }

    fn received(&mut self, peer: usize) -> CaseId {
        let (case, input) = self.receive(peer);
        self.turn(self.giver, vec![input]);
        let reply = self.replies.pop();
        assert!(matches!(reply, Some(Reply::Received { .. })), "{reply:?}");
        case
    }

    fn receive(&mut self, peer: usize) -> (CaseId, Input) {
        let (to, place) = (self.halls[peer].at, self.halls[peer].at.hall.division());
        let case = CaseId(self.chance.bytes16());
        let wraps = [self.halls[self.giver].at, to].map(|to| Wrap {
            to,
            recovery: false,
            of: FIRST_KEY,
            key: self.wrapped.clone(),
        });
        let body = vec![9; APPLICATION_BYTES].into();
        let wanted = Receive { case, matter: MATTER.parse().unwrap(), place, body, wraps: wraps.into() };
        let command = Command::Receive(self.act(), Box::new(wanted));
        (case, Input::Command { ticket: Ticket(1), command })
    }

    fn act(&mut self) -> Verified<Act> {
        let hall = &self.halls[self.giver];
        let act = Act {
            clerk: ClerkId { hall: hall.at.hall, number: 1 },
            boot: hall.boot,
            wall: self.now.wall,
            nonce: self.chance.bytes16(),
            request: Digest([5; 32]),
        };
        let signed = Signed::sign(&act, &[(0, &hall.clerk)]);
        hall.rows.look(|view| clerks::verify(view, &signed)).unwrap()
    }

    fn command(&mut self, index: usize, command: Command) -> Reply {
        self.turn(index, vec![Input::Command { ticket: Ticket(1), command }]);
        self.replies.pop().unwrap()
    }

    /// One turn of a hall's loop: inputs, one commit, then the outputs.
    fn turn(&mut self, index: usize, inputs: Vec<Input>) {
        let (began, now) = (Instant::now(), self.now);
        let hall = &mut self.halls[index];
        let (node, rows) = (&mut hall.node, &mut hall.rows);
        let mut effects = Effects::default();
        rows.look(|view| inputs.into_iter().for_each(|input| node.step(now, input, view, &mut effects)));
        let released = effects.commit(|writes| {
            rows.commit(writes);
            Ok::<_, ()>(())
        });
        let (released, from) = (released.unwrap(), hall.at.hall);
        hall.wake_at = released.wake_at.unwrap_or(u64::MAX);
        for output in released.outputs {
            match output {
                Output::Send { to, message } => self.wires.push_back((from, to, message.encode())),
                Output::Reply { reply, .. } => self.replies.push(reply),
                Output::Happened(_)
                | Output::Keep(_)
                | Output::RosterChanged
                | Output::Reached(_)
                | Output::WrapKey { .. }
                | Output::RenewKey { .. } => {}
            }
        }
        if index == self.giver {
            self.at_giver += began.elapsed();
        }
    }

    /// Delivers everything on the wires.
    fn drain(&mut self) {
        while self.deliver() {}
        self.replies.clear();
    }

    /// Delivers the next frame; to the giver, all that are there for it. False if there is none.
    fn deliver(&mut self) -> bool {
        let Some((from, to, frame)) = self.wires.pop_front() else { return false };
        let index = self.halls.iter().position(|hall| hall.at.hall == to).unwrap();
        if !self.halls[index].alive {
            return true;
        }
        let mut frames = vec![(from, frame)];
        if index == self.giver {
            let all = std::mem::take(&mut self.wires).into_iter();
            let (mine, rest): (VecDeque<_>, VecDeque<_>) = all.partition(|(_, other, _)| *other == to);
            self.wires = rest;
            frames.extend(mine.into_iter().map(|(from, _, frame)| (from, frame)));
        }
        let began = Instant::now();
        let inputs = self.halls[index].rows.look(|view| {
            let checked = frames.iter().filter_map(|(from, frame)| {
                let message = verify::message(view, to, Message::decode(frame).ok()?).ok()?;
                Some(Input::Received { from: *from, message })
            });
            checked.collect()
        });
        if index == self.giver {
            self.at_giver += began.elapsed();
        }
        self.turn(index, inputs);
        true
    }

    /// Time passes on every node's clock; those that wanted to be woken are.
    fn pass(&mut self, milliseconds: u64) {
        self.now.ticks += milliseconds;
        self.now.wall += milliseconds;
        let due = |hall: &Hall| hall.alive && hall.wake_at <= self.now.ticks;
        let due: BTreeSet<_> = (0..self.halls.len()).filter(|index| due(&self.halls[*index])).collect();
        for index in due {
            self.turn(index, vec![Input::Wake]);
        }
    }
}

fn secret(index: usize, which: u8) -> SecretKey {
    let mut seed = [which; 32];
    seed[..8].copy_from_slice(&u64::try_from(index).unwrap().to_le_bytes());
    SecretKey::from_seed(Suite::One, seed)
}

fn policy(root: &[SecretKey]) -> Signed<Record> {
    let city = DivisionCode::from_u64(CITY).unwrap();
    let keys = root.iter().map(SecretKey::public).collect();
    by_root(
        root,
        Body::Policy(RootPolicy { city, name: "City".to_owned(), threshold: 2, keys, counties: Vec::new() }),
    )
}

fn by_root(root: &[SecretKey], body: Body) -> Signed<Record> {
    let record = Record {
        issuer: Issuer::Root,
        version: 1,
        previous: Digest([0; 32]),
        withdrawn: false,
        effective_from: 0,
        body,
    };
    Signed::sign(&record, &[(0, &root[0]), (1, &root[1])])
}

fn charter(codes: &[(u64, Option<usize>)], index: usize, wrap: &WrapPublic) -> Charter {
    let hall = |code| HallId::main(DivisionCode::from_u64(code).unwrap());
    let (code, above) = codes[index];
    Charter {
        hall: hall(code),
        incarnation: 1,
        name: format!("Hall {index}"),
        tier: hall(code).tier(),
        parent: above.map(|above| hall(codes[above].0)),
        transport_key: secret(index, 2).public(),
        event_key: secret(index, 1).public(),
        wrap_key: wrap.clone(),
        sm2_key: None,
        recovery_key: wrap.clone(),
        scope: hall(code).division(),
        valid_from: 0,
        valid_to: u64::MAX,
    }
}

/// One matter that each hall of a level decides for its own place, and the right of all to take it in.
fn lists(level: Tier) -> [Body; 5] {
    let area = DivisionCode::from_u64(CITY).unwrap();
    let matter = Matter {
        code: MATTER.parse().unwrap(),
        name: MATTER.to_owned(),
        kind: 1,
        level,
        area,
        body_name: "authority".to_owned(),
        body: BodyId::illustrative(area, 1),
        promised: true,
        audience: Audience::Both,
        legal_days: 20,
        promised_days: 10,
        materials: Vec::new(),
        result: MatterResult { kind: ResultKind::Licence, name: "licence".to_owned() },
        offline_decision: false,
        basis: String::new(),
        source: String::new(),
        verified: false,
    };
    let may_take_in = |tier| {
        Body::Delegation(Delegation {
            matter: None,
            tier,
            area,
            rights: Rights { receive: true, ..Rights::default() },
            valid_from: 0,
            valid_to: u64::MAX,
            source: String::new(),
            verified: false,
        })
    };
    [
        Body::Calendar(Calendar::new(Vec::new()).unwrap()),
        Body::Matter(Box::new(matter)),
        may_take_in(Tier::City),
        may_take_in(Tier::County),
        may_take_in(Tier::Township),
    ]
}
