//! A small city in memory: the product's own nodes, rows in maps, a bus that a test can bend.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::arithmetic_side_effects,
    clippy::excessive_nesting,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::new_without_default,
    clippy::panic,
    clippy::type_complexity,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "test support: a failure here is a failed test; each test binary uses its own part"
)]

pub mod custody;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hallmesh_protocol::calendar::Calendar;
use hallmesh_protocol::cases::{Deed, FIRST_KEY, Receive, Record as RecordAct, Renewal, Wrap};
use hallmesh_protocol::catalogue::{Audience, Delegation, Matter, MatterResult, ResultKind, Rights};
use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::clerks::{Act, ClerkCard, Roles};
use hallmesh_protocol::directory::{Charter, RootPolicy};
use hallmesh_protocol::genesis;
use hallmesh_protocol::ids::{BodyId, CaseId, ClerkId, Digest, DivisionCode, HallAt, HallId, Tier};
use hallmesh_protocol::message::Message;
use hallmesh_protocol::node::{Me, Node};
use hallmesh_protocol::query;
use hallmesh_protocol::record::{Body, Issuer, Record};
use hallmesh_protocol::recording::{Frame, Noting, Recorder};
use hallmesh_protocol::seal::{ContentKey, SecretKey, Suite, WrapPublic, Wrapped, wrap_key, wrap_keypair};
use hallmesh_protocol::signed::{Signed, Verified};
use hallmesh_protocol::step::{
    Bytes, Command, Effects, Happening, Input, Now, Output, Reply, Ticket, View, Writes,
};
use hallmesh_protocol::verify;

pub const CITY: usize = 0;
pub const COUNTY: usize = 1;
pub const OTHER_COUNTY: usize = 2;
pub const TOWN: usize = 3;
pub const VILLAGE: usize = 4;
pub const WALL: u64 = 1_790_000_000_000;

const HALLS: [(u64, Option<usize>); 5] = [
    (620_700_000_000, None),
    (620_702_000_000, Some(0)),
    (620_724_000_000, Some(0)),
    (620_702_203_000, Some(1)),
    (620_702_203_200, Some(3)),
];

#[derive(Default)]
pub struct Rows(pub BTreeMap<Vec<u8>, Bytes>);

impl Rows {
    pub fn apply(&mut self, writes: Writes) {
        for (key, value) in writes {
            match value {
                Some(value) => self.0.insert(key, value),
                None => self.0.remove(&key),
            };
        }
    }
}

impl Rows {
    /// The cards of the hall's clerks: staff stay when a machine is replaced.
    pub fn clerk_rows(&self) -> BTreeMap<Vec<u8>, Bytes> {
        self.0
            .iter()
            .filter(|(key, _)| key.first() == Some(&0x40))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    }
}

impl View for Rows {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.0.get(key).cloned()
    }

    fn scan(&self, prefix: &[u8], after: &[u8], visit: &mut dyn FnMut(&[u8], &[u8]) -> bool) {
        for (key, value) in self.0.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix)) {
            if (after.is_empty() || key.as_slice() > after) && !visit(key, value) {
                return;
            }
        }
    }
}

pub struct Hall {
    pub at: HallAt,
    pub rows: Rows,
    /// Every commit that made these rows, from the node's first rows on, each with its ticks.
    pub commits: Vec<(u64, Writes)>,
    pub node: Option<Node>,
    pub seed: u8,
    pub up: bool,
    /// Milliseconds by which its wall clock is off.
    pub off: i64,
    pub happened: Vec<Happening>,
    /// Records what this hall is given, if a test wants it.
    pub recorder: Option<Recorder>,
    /// What waits for the node, checked already; so many of them share a commit. Zero: nothing waits.
    pub batch: usize,
    pub waiting: Vec<(Input, Option<Frame>)>,
}

pub struct City {
    pub halls: Vec<Hall>,
    pub now: Now,
    pub wires: VecDeque<(HallId, HallId, Vec<u8>)>,
    pub replies: Vec<Reply>,
    /// Sees every frame before it is delivered; false drops it.
    pub bend: Box<dyn FnMut(HallId, HallId, &Message) -> bool>,
    pub wrapped: Wrapped,
    /// Whether the shells answer when they are asked to wrap keys.
    pub shells_work: bool,
    pub root: Vec<SecretKey>,
    chance: Chance,
    wakes: BTreeMap<HallId, u64>,
}

pub fn secret(seed: u8) -> SecretKey {
    SecretKey::from_seed(Suite::One, [seed; 32])
}

/// The main hall at a place of the city's list.
fn hall_of(index: usize) -> HallId {
    HallId::main(DivisionCode::from_u64(HALLS[index].0).unwrap())
}

fn policy(keys: &[SecretKey]) -> Signed<Record> {
    let body = Body::Policy(RootPolicy {
        city: DivisionCode::from_u64(620_700_000_000).unwrap(),
        name: "City".to_owned(),
        threshold: 2,
        keys: keys.iter().map(SecretKey::public).collect(),
        counties: [COUNTY, OTHER_COUNTY].map(hall_of).to_vec(),
    });
    Signed::sign(&first(Issuer::Root, body), &[(0, &keys[0]), (2, &keys[2])])
}

pub fn first(issuer: Issuer, body: Body) -> Record {
    Record { issuer, version: 1, previous: Digest([0; 32]), withdrawn: false, effective_from: 0, body }
}

pub fn charter(index: usize, wrap: &WrapPublic) -> Charter {
    let (code, above) = HALLS[index];
    let hall = HallId::main(DivisionCode::from_u64(code).unwrap());
    let seed = u8::try_from(index).unwrap() * 10 + 10;
    Charter {
        hall,
        incarnation: 1,
        name: format!("Hall {index}"),
        tier: hall.tier(),
        parent: above.map(|above| HallId::main(DivisionCode::from_u64(HALLS[above].0).unwrap())),
        transport_key: secret(seed + 1).public(),
        event_key: secret(seed).public(),
        wrap_key: wrap.clone(),
        sm2_key: None,
        recovery_key: wrap.clone(),
        scope: hall.division(),
        valid_from: 0,
        valid_to: WALL + 10_000_000_000,
    }
}

impl City {
    pub fn new() -> Self {
        let root: Vec<_> = [101, 102, 103].into_iter().map(secret).collect();
        let mut chance = Chance::from_seed([7; 32]);
        let (_, wrap) = wrap_keypair(&mut chance);
        let wrapped = wrap_key(&wrap, b"test", b"", &ContentKey::from_bytes([1; 32]), &mut chance).unwrap();
        let policy = policy(&root);
        let charters: Vec<Signed<Record>> =
            (0..HALLS.len()).map(|index| signed_charter(&root, index, &wrap)).collect();
        let now = Now { ticks: 1_000, wall: WALL };
        let halls = (0..HALLS.len()).map(|index| {
            let at = charter(index, &wrap).at();
            let mut rows = Rows::default();
            let first = genesis::install(now, policy.digest(), &policy, charters.clone(), at).unwrap();
            rows.apply(first.clone());
            let seed = u8::try_from(index).unwrap() * 10 + 10;
            let commits = vec![(now.ticks, first)];
            Hall {
                at,
                rows,
                commits,
                node: None,
                seed,
                up: true,
                off: 0,
                happened: Vec::new(),
                recorder: None,
                batch: 0,
                waiting: Vec::new(),
            }
        });
        let mut city = Self {
            halls: halls.collect(),
            now,
            wires: VecDeque::new(),
            replies: Vec::new(),
            bend: Box::new(|_, _, _| true),
            wrapped,
            root,
            chance,
            wakes: BTreeMap::new(),
            shells_work: true,
        };
        for index in 0..city.halls.len() {
            city.open(index);
            city.add_clerk(index, 1);
        }
        city.connect_all();
        city.publish_lists();
        city.run();
        city
    }

    pub fn open(&mut self, index: usize) {
        let now = self.clock(index);
        let hall = &mut self.halls[index];
        let boot = u32::try_from(self.chance.next_u64() & 0xF_FFFF).unwrap();
        let me = Me { at: hall.at, boot, key: secret(hall.seed) };
        hall.node = Some(Node::open(me, self.chance.bytes32(), now, &hall.rows));
    }

    /// What a hall's clocks show.
    pub fn clock(&self, index: usize) -> Now {
        Now { wall: self.now.wall.saturating_add_signed(self.halls[index].off), ..self.now }
    }

    /// Milliseconds pass, on every clock, and nobody wakes.
    pub fn pass(&mut self, milliseconds: u64) {
        self.now.ticks += milliseconds;
        self.now.wall += milliseconds;
    }

    pub fn index(&self, hall: HallId) -> usize {
        self.halls.iter().position(|it| it.at.hall == hall).unwrap()
    }

    /// Steps one input and commits; `lost` drops the batch and the node, as a crash does.
    pub fn step(&mut self, index: usize, input: Input) {
        self.step_all(index, vec![(input, None)]);
    }

    fn step_all(&mut self, index: usize, inputs: Vec<(Input, Option<Frame>)>) {
        let now = self.clock(index);
        let hall = &mut self.halls[index];
        let mut effects = Effects::default();
        let node = hall.node.as_mut().unwrap();
        match &mut hall.recorder {
            Some(recorder) => {
                recorder.begin_batch(node, now);
                for (input, frame) in inputs {
                    recorder.step(node, now, (input, frame), &hall.rows, &mut effects);
                }
                recorder.committing(&effects, &hall.rows);
                recorder.committed();
            }
            None => inputs.into_iter().for_each(|(input, _)| node.step(now, input, &hall.rows, &mut effects)),
        }
        let (rows, commits) = (&mut hall.rows, &mut hall.commits);
        let released = effects.commit(|writes| {
            commits.push((now.ticks, writes.clone()));
            rows.apply(writes);
            Ok::<_, ()>(())
        });
        let released = released.unwrap();
        let from = self.halls[index].at.hall;
        self.wakes.insert(from, released.wake_at.unwrap());
        let mut wanted = Vec::new();
        for output in released.outputs {
            match output {
                Output::Send { to, message } => self.wires.push_back((from, to, message.encode())),
                Output::Reply { reply, .. } => self.replies.push(reply),
                Output::Happened(happening) => self.halls[index].happened.push(happening),
                Output::WrapKey { case, to } => {
                    let view = query::case(&self.halls[index].rows, case).unwrap();
                    let wraps = view.case.all_keys().map(|of| self.wrap(to, of)).collect();
                    wanted.push(Command::KeepKeys(case, wraps));
                }
                Output::RenewKey { case, to } => {
                    let key = Digest(self.chance.bytes32());
                    let wrap =
                        |(at, recovery): &(HallAt, bool)| Wrap { recovery: *recovery, ..self.wrap(*at, key) };
                    let wraps = to.iter().map(wrap).collect();
                    wanted.push(Command::RenewKey(case, Box::new(Renewal { key, wraps })));
                }
                Output::Keep(_) | Output::RosterChanged | Output::Reached(_) => {}
            }
        }
        if !self.shells_work {
            return;
        }
        for command in wanted {
            assert_eq!(self.command(index, command), Reply::Done);
        }
    }

    pub fn connect_all(&mut self) {
        for one in 0..self.halls.len() {
            for other in 0..self.halls.len() {
                if one != other && self.halls[one].up && self.halls[other].up {
                    self.step(one, Input::PeerUp(self.halls[other].at));
                }
            }
        }
    }

    /// Cuts a hall off: its lines go down at both ends.
    pub fn cut(&mut self, index: usize) {
        self.halls[index].up = false;
        for other in 0..self.halls.len() {
            if other != index && self.halls[other].up {
                self.step(other, Input::PeerDown(self.halls[index].at.hall));
                self.step(index, Input::PeerDown(self.halls[other].at.hall));
            }
        }
    }

    pub fn heal(&mut self, index: usize) {
        self.halls[index].up = true;
        for other in 0..self.halls.len() {
            if other != index && self.halls[other].up {
                self.step(other, Input::PeerUp(self.halls[index].at));
                self.step(index, Input::PeerUp(self.halls[other].at));
            }
        }
    }

    /// Records from now on what a hall is given.
    pub fn record(&mut self, index: usize, inputs: u64) {
        let hall = &mut self.halls[index];
        hall.recorder = Some(Recorder::new(inputs, hall.node.as_ref().unwrap(), self.now));
    }

    /// Kills a hall's node and opens it again from its rows.
    pub fn restart(&mut self, index: usize) {
        self.cut(index);
        self.halls[index].node = None;
        self.open(index);
        self.heal(index);
    }

    /// Delivers frames until there are none; time stands still.
    pub fn drain(&mut self) {
        let mut frames = 0;
        while let Some((from, to, frame)) = self.wires.pop_front() {
            frames += 1;
            assert!(frames < 200_000, "the city does not come to rest");
            let message = Message::decode(&frame).unwrap();
            let (sender, index) = (self.index(from), self.index(to));
            if !self.halls[sender].up || !self.halls[index].up || !(self.bend)(from, to, &message) {
                continue;
            }
            let hall = &mut self.halls[index];
            let noting = Noting::new(&hall.rows);
            let checked = verify::message(&noting, to, message);
            let seen = noting.seen();
            let frame = hall.recorder.as_mut().map(|recorder| {
                recorder.absorb(seen);
                Frame { bytes: frame.into(), checked_at: recorder.commits() }
            });
            let Ok(message) = checked else { continue };
            let input = (Input::Received { from, message }, frame);
            if hall.batch > 0 {
                hall.waiting.push(input);
            } else {
                self.step_all(index, vec![input]);
            }
            if self.wires.is_empty() {
                self.take_what_waits();
            }
        }
    }

    fn take_what_waits(&mut self) {
        for index in 0..self.halls.len() {
            let (batch, mut waiting) =
                (self.halls[index].batch, std::mem::take(&mut self.halls[index].waiting));
            while !waiting.is_empty() {
                let rest = waiting.split_off(waiting.len().min(batch));
                self.step_all(index, std::mem::replace(&mut waiting, rest));
            }
        }
    }

    /// Runs two simulated minutes.
    pub fn run(&mut self) {
        self.run_seconds(120);
    }

    pub fn run_seconds(&mut self, seconds: u32) {
        for _ in 0..seconds * 2 {
            self.drain();
            self.now.ticks += 500;
            self.now.wall += 500;
            let due: BTreeSet<_> =
                self.wakes.iter().filter(|(_, at)| **at <= self.now.ticks).map(|(hall, _)| *hall).collect();
            for hall in due {
                let index = self.index(hall);
                self.step(index, Input::Wake);
            }
        }
        self.drain();
    }

    pub fn add_clerk(&mut self, index: usize, number: u16) {
        let id = ClerkId { hall: self.halls[index].at.hall, number };
        let roles = Roles { window: true, decide: true, head: true, publish: true, admit: true };
        let card = ClerkCard {
            id,
            name: "clerk".to_owned(),
            key: Self::clerk(index, number).public(),
            roles,
            active: true,
        };
        self.command(index, Command::AddClerk(card));
    }

    pub fn act(&mut self, index: usize) -> Verified<Act> {
        self.act_of(index, 1)
    }

    /// The key of one of the clerks of a hall.
    pub fn clerk(index: usize, number: u16) -> SecretKey {
        secret(u8::try_from(index).unwrap() * 10 + 11 + u8::try_from(number).unwrap())
    }

    /// An act of one of the clerks of a hall.
    pub fn act_of(&mut self, index: usize, number: u16) -> Verified<Act> {
        let hall = &self.halls[index];
        let act = Act {
            clerk: ClerkId { hall: hall.at.hall, number },
            boot: hall.node.as_ref().unwrap().boot(),
            wall: self.clock(index).wall,
            nonce: self.chance.bytes16(),
            request: Digest([5; 32]),
        };
        let signed = Signed::sign(&act, &[(0, &Self::clerk(index, number))]);
        hallmesh_protocol::clerks::verify(&hall.rows, &signed).unwrap()
    }

    pub fn command(&mut self, index: usize, command: Command) -> Reply {
        self.step(index, Input::Command { ticket: Ticket(1), command });
        self.replies.pop().unwrap()
    }

    fn publish_lists(&mut self) {
        let act = self.act(CITY);
        let bodies = vec![
            Body::Calendar(Calendar::new(Vec::new()).unwrap()),
            Body::Matter(Box::new(matter("CITY-1", Tier::City))),
            Body::Matter(Box::new(matter("SHARED-1", Tier::City))),
            Body::Matter(Box::new(matter("COUNTY-1", Tier::County))),
            delegation(None, Tier::Village, Rights { receive: true, ..Rights::default() }),
            delegation(None, Tier::Township, Rights { receive: true, ..Rights::default() }),
            delegation(None, Tier::County, Rights { receive: true, ..Rights::default() }),
            delegation(
                Some("SHARED-1"),
                Tier::County,
                Rights { receive: true, accept: true, transfer: true, issue: true },
            ),
        ];
        let reply = self.command(CITY, Command::Publish(act, bodies));
        assert_eq!(reply, Reply::Published { records: 8 });
    }

    pub fn receive(&mut self, index: usize, matter: &str, place: u64) -> Reply {
        let act = self.act(index);
        let wanted = self.application(matter, place);
        self.command(index, Command::Receive(act, Box::new(wanted)))
    }

    pub fn wrap(&self, to: HallAt, of: Digest) -> Wrap {
        Wrap { to, recovery: false, of, key: self.wrapped.clone() }
    }

    pub fn application(&mut self, matter: &str, place: u64) -> Receive {
        let wraps = self.halls.iter().map(|hall| self.wrap(hall.at, FIRST_KEY)).collect();
        Receive {
            case: CaseId(self.chance.bytes16()),
            matter: matter.parse().unwrap(),
            place: DivisionCode::from_u64(place).unwrap(),
            body: vec![1, 2, 3].into(),
            wraps,
        }
    }

    pub fn received(&mut self, index: usize, matter: &str, place: u64) -> CaseId {
        match self.receive(index, matter, place) {
            Reply::Received { case, .. } => case,
            other => panic!("{other:?}"),
        }
    }

    pub fn deed(&mut self, index: usize, case: CaseId, deed: Deed) -> Reply {
        let act = self.act(index);
        let held = query::case(&self.halls[index].rows, case);
        let (key, body) = (held.map_or(FIRST_KEY, |view| view.case.key()), vec![9].into());
        self.command(index, Command::Record(act, Box::new(RecordAct { case, deed, key, body })))
    }
}

fn signed_charter(root: &[SecretKey], index: usize, wrap: &WrapPublic) -> Signed<Record> {
    let body = Body::Charter(Box::new(charter(index, wrap)));
    match HALLS[index].1 {
        Some(above) if above != CITY => {
            let by = charter(above, wrap).at();
            let seed = u8::try_from(above).unwrap() * 10 + 10;
            Signed::sign(&first(Issuer::Hall(by), body), &[(0, &secret(seed))])
        }
        _ => Signed::sign(&first(Issuer::Root, body), &[(0, &root[0]), (1, &root[1])]),
    }
}

pub fn matter(code: &str, level: Tier) -> Matter {
    let area = DivisionCode::from_u64(620_700_000_000).unwrap();
    Matter {
        code: code.parse().unwrap(),
        name: format!("matter {code}"),
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
    }
}

pub fn delegation(matter: Option<&str>, tier: Tier, rights: Rights) -> Body {
    Body::Delegation(Delegation {
        matter: matter.map(|code| code.parse().unwrap()),
        tier,
        area: DivisionCode::from_u64(620_700_000_000).unwrap(),
        rights,
        valid_from: 0,
        valid_to: WALL + 10_000_000_000,
        source: String::new(),
        verified: false,
    })
}
