//! The halls, each as a table of what it may have kept: for the rows of one hall and one input, the product is asked
//! once, and the answer stands for every state of the city in which that hall has kept these rows.

mod spent;

use std::collections::BTreeMap;
use std::convert::Infallible;

use anyhow::{Context as _, ensure};
use hallmesh_protocol::cases::{Case, Custody, Deed, Facts, Header, Receive, Record, Wrap};
use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::clerks::{self, Act, ClerkCard, Roles};
use hallmesh_protocol::ids::{CaseId, ClerkId, Digest, DivisionCode, HallAt, HallId};
use hallmesh_protocol::message::{Message, PROTOCOL, PROTOCOL_MIN};
use hallmesh_protocol::node::{Me, Node};
use hallmesh_protocol::post::{self, Letter, LetterBody};
use hallmesh_protocol::query;
use hallmesh_protocol::signed::{Signed, Verified};
use hallmesh_protocol::step::{Command, Effects, Input, Now, Output, Reply, Ticket, Writes};
use hallmesh_protocol::verify;

use super::canon::canonical;
use super::letters::{Archive, LetterId, Letters, Said, Written, message};
use super::setting::{Bend, Seat, Setting};
use crate::city::{City, Division};
use crate::clock::FOUNDED;
use crate::disk::Disk;

pub(super) use spent::NotSpent;

/// The case.
pub(super) const CASE: CaseId = CaseId([7; 16]);
const CLERK: u16 = 1;
/// The one moment at which everything happens.
const NOW: Now = Now { ticks: 1_000, wall: FOUNDED };
/// Letters that wait at one hall: far more than one case makes.
const WAITING_MAX: usize = 100;

/// The number of what a hall has kept.
pub(super) type KeptId = u32;

/// What a hall has kept, and what is known of it.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) seat: Seat,
    /// How often the hall began anew in a way that a peer could tell: part of its boot id.
    life: u32,
    disk: Disk,
    pub(super) said: Account,
    asked: Letters,
    /// Letters asked about that change what is kept.
    moving: Letters,
    /// Letters asked about that change nothing, and are answered.
    talking: Letters,
    answers: BTreeMap<LetterId, Step>,
    /// Letters that were looked at for whether they are spent here.
    judged: Letters,
    spent: Letters,
    wake: Option<Step>,
    acts: Option<Vec<(Deed, Step)>>,
}

impl Kept {
    /// Letters asked about of which something comes; where `answers` count, those that are only answered too.
    pub(super) fn heard(&self, answers: bool) -> Letters {
        let mut heard = self.moving;
        if answers {
            heard.join(&self.talking);
        }
        heard
    }
}

/// What a hall's rows say of the case.
#[derive(Clone, Debug, Default)]
pub(super) struct Account {
    pub(super) custody: Option<Custody>,
    pub(super) case: Option<Case>,
    /// The log, as numbers of events.
    pub(super) log: Vec<u32>,
    pub(super) headers: Vec<Header>,
    /// For whom letters wait.
    pub(super) waiting: Vec<Seat>,
}

/// What comes of an input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) kept: KeptId,
    pub(super) sent: Letters,
}

/// What a hall is told.
#[derive(Clone, Copy, Debug)]
enum Told {
    Letter(LetterId),
    Deed(Deed),
}

/// The halls of a setting.
#[derive(Debug)]
pub(super) struct Halls {
    pub(super) at: Vec<HallAt>,
    pub(super) archive: Archive,
    city: City,
    /// The disk that each hall begins with.
    founded: Vec<Disk>,
    setting: Setting,
    greetings: Vec<Message>,
    kept: Vec<Kept>,
    known: BTreeMap<[u8; 32], KeptId>,
    events: BTreeMap<Digest, u32>,
    /// How often the product was asked.
    pub(super) asked: u64,
}

impl Halls {
    /// Founds the city of a setting, and registers a clerk in each hall.
    pub(super) fn found(setting: &Setting) -> anyhow::Result<Self> {
        let division = |(code, name): &(u64, &str)| {
            let code = DivisionCode::from_u64(*code)?;
            Ok(Division { code, name: (*name).to_owned() })
        };
        let divisions: Vec<Division> = setting.halls.iter().map(division).collect::<anyhow::Result<_>>()?;
        let (city, founded) = City::found(&divisions, &mut Chance::from_seed([1; 32]))?;
        let mut halls = Self {
            at: city.halls.clone(),
            archive: Archive::default(),
            greetings: Vec::new(),
            kept: Vec::new(),
            known: BTreeMap::new(),
            events: BTreeMap::new(),
            asked: 0,
            setting: *setting,
            city,
            founded,
        };
        halls.greetings = halls.greetings()?;
        Ok(halls)
    }

    /// What each hall has kept on its first morning: its clerk, and at the window the case.
    pub(super) fn first_morning(&mut self) -> anyhow::Result<Vec<Step>> {
        let mut steps = Vec::new();
        for seat in 0..self.at.len() {
            let disk = self.founded.get(seat).context("a hall has a disk")?.clone();
            let (mut node, mut disk, _) = self.open(seat, 0, disk)?;
            let card = self.card(seat)?;
            let (done, _) = feed(&mut node, &mut disk, command(Command::AddClerk(card)), self.forgets(seat));
            ensure!(done == Some(Reply::Done), "no clerk: {done:?}");
            let mut sent = Letters::default();
            if seat == self.setting.window {
                let receive = self.receive(seat, &disk)?;
                let (done, outputs) = feed(&mut node, &mut disk, command(receive), self.forgets(seat));
                ensure!(matches!(done, Some(Reply::Received { .. })), "not received: {done:?}");
                sent = self.letters(outputs)?;
            }
            steps.push(Step { kept: self.keep(seat, 0, disk)?, sent });
        }
        Ok(steps)
    }

    /// What a hall has kept.
    pub(super) fn kept(&self, id: KeptId) -> anyhow::Result<&Kept> {
        self.kept.get(usize::try_from(id)?).context("a number of kept rows")
    }

    /// How many different disks halls had.
    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    /// Makes sure that the product was asked what comes of each of `letters` that is for the hall.
    pub(super) fn ask(&mut self, id: KeptId, letters: &Letters) -> anyhow::Result<()> {
        let kept = self.kept(id)?;
        let open = letters.both(&self.archive.to(kept.seat)).without(&kept.asked);
        for letter in open.iter() {
            let step = self.step(id, Told::Letter(letter))?;
            let kept = self.kept_mut(id)?;
            kept.asked.add(letter);
            if step.kept != id {
                kept.moving.add(letter);
            } else if !step.sent.is_empty() {
                kept.talking.add(letter);
            }
            kept.answers.insert(letter, step);
        }
        Ok(())
    }

    /// What comes of a letter; asks if need be.
    pub(super) fn hear(&mut self, id: KeptId, letter: LetterId) -> anyhow::Result<Step> {
        let mut one = Letters::default();
        one.add(letter);
        self.ask(id, &one)?;
        Ok(self
            .kept(id)?
            .answers
            .get(&letter)
            .copied()
            .unwrap_or(Step { kept: id, sent: Letters::default() }))
    }

    /// What the hall answers to those of `letters` that change nothing in it.
    pub(super) fn talk(&mut self, id: KeptId, letters: &Letters) -> anyhow::Result<Letters> {
        self.ask(id, letters)?;
        let kept = self.kept(id)?;
        let mut sent = Letters::default();
        for letter in letters.both(&kept.talking).iter() {
            if let Some(step) = kept.answers.get(&letter) {
                sent.join(&step.sent);
            }
        }
        Ok(sent)
    }

    /// The hall starts, its lines come up, and everything in its post is sent.
    pub(super) fn wake(&mut self, id: KeptId) -> anyhow::Result<Step> {
        let kept = self.kept(id)?;
        if let Some(step) = kept.wake {
            return Ok(step);
        }
        let (seat, life) = (kept.seat, kept.life);
        let (_, disk, outputs) = self.open(seat, life, kept.disk.clone())?;
        let sent = self.letters(outputs)?;
        let step = Step { kept: self.keep(seat, life, disk)?, sent };
        self.kept_mut(id)?.wake = Some(step);
        Ok(step)
    }

    /// What comes of each deed that clerks try; those that are refused are left out.
    pub(super) fn acts(&mut self, id: KeptId) -> anyhow::Result<Vec<(Deed, Step)>> {
        if let Some(acts) = &self.kept(id)?.acts {
            return Ok(acts.clone());
        }
        let corrections = self.kept(id)?.said.case.as_ref().map_or(0, |case| case.corrections);
        let mut acts = Vec::new();
        for deed in self.setting.deeds {
            if *deed == Deed::RequestCorrection && corrections >= self.setting.corrections {
                continue;
            }
            let step = self.step(id, Told::Deed(*deed))?;
            if step.kept != id {
                acts.push((*deed, step));
            }
        }
        self.kept_mut(id)?.acts = Some(acts.clone());
        Ok(acts)
    }

    /// The same rows in a hall that began anew: whatever it signs from now on has another boot id.
    pub(super) fn begun_anew(&mut self, id: KeptId, life_of: KeptId) -> anyhow::Result<KeptId> {
        let life = self.kept(life_of)?.life.saturating_add(1);
        let kept = self.kept(id)?;
        let (seat, disk) = (kept.seat, kept.disk.clone());
        self.keep(seat, life, disk)
    }

    /// The seat of a hall.
    pub(super) fn seat(&self, hall: HallId) -> Option<Seat> {
        self.at.iter().position(|at| at.hall == hall)
    }

    /// What people call a hall.
    pub(super) fn name(&self, seat: Seat) -> &'static str {
        self.setting.halls.get(seat).map_or("nobody", |(_, name)| name)
    }

    /// Asks the product: a new node on these rows, its lines up, then one input and one commit.
    fn step(&mut self, id: KeptId, told: Told) -> anyhow::Result<Step> {
        let kept = self.kept(id)?;
        let (seat, life) = (kept.seat, kept.life);
        let (mut node, mut disk, _) = self.open(seat, life, kept.disk.clone())?;
        self.asked = self.asked.saturating_add(1);
        let me = self.hall(seat)?.hall;
        let input = match told {
            Told::Deed(deed) => {
                let act = self.act(seat, life, &disk)?;
                command(Command::Record(act, Box::new(Record { case: CASE, deed, body: vec![9].into() })))
            }
            Told::Letter(letter) => {
                let letter = &self.archive.letter(letter).context("a letter's number")?.letter;
                let from = letter.from.hall;
                match verify::message(&disk, me, message(letter)) {
                    Ok(message) => Input::Received { from, message },
                    Err(_refused) => return Ok(Step { kept: id, sent: Letters::default() }),
                }
            }
        };
        let (_, outputs) = feed(&mut node, &mut disk, input, self.forgets(seat));
        let sent = self.letters(outputs)?;
        Ok(Step { kept: self.keep(seat, life, disk)?, sent })
    }

    /// A node on these rows with a line to every other hall, over which cases may be spoken of.
    fn open(&self, seat: Seat, life: u32, mut disk: Disk) -> anyhow::Result<(Node, Disk, Vec<Output>)> {
        let at = self.hall(seat)?;
        let me = Me { at, boot: boot(life), key: self.city.event_key(at) };
        let mut node = Node::open(me, [1; 32], NOW, &disk);
        let mut effects = Effects::default();
        for (peer, greeting) in self.at.iter().zip(&self.greetings).filter(|(peer, _)| **peer != at) {
            node.step(NOW, Input::PeerUp(*peer), &disk, &mut effects);
            // Nobody remembers anything of another's log: what comes of that is not looked at here.
            let standing = Message::Standing { mine: None, yours: None, please: false };
            for message in [greeting.clone(), standing] {
                let message = verify::message(&disk, at.hall, message)?;
                node.step(NOW, Input::Received { from: peer.hall, message }, &disk, &mut effects);
            }
        }
        let (_, outputs) = commit(effects, &mut disk, self.forgets(seat));
        Ok((node, disk, outputs))
    }

    /// The tables of which a bent disk keeps nothing.
    fn forgets(&self, seat: Seat) -> &'static [u8] {
        match self.setting.bend {
            Some(Bend::Forgets(forgetful, tables)) if forgetful == seat => tables,
            Some(Bend::Forgets(..) | Bend::Hasty(_)) | None => &[],
        }
    }

    fn keep(&mut self, seat: Seat, life: u32, mut disk: Disk) -> anyhow::Result<KeptId> {
        disk.rewrite(canonical);
        let name = name(seat, life, disk.own());
        if let Some(known) = self.known.get(&name) {
            return Ok(*known);
        }
        let id = KeptId::try_from(self.kept.len())?;
        let said = self.account(&disk)?;
        let none = Letters::default();
        self.kept.push(Kept {
            seat,
            life,
            disk,
            said,
            asked: none,
            moving: none,
            talking: none,
            answers: BTreeMap::new(),
            judged: none,
            spent: none,
            wake: None,
            acts: None,
        });
        self.known.insert(name, id);
        Ok(id)
    }

    fn account(&mut self, disk: &Disk) -> anyhow::Result<Account> {
        let view = query::case(disk, CASE);
        let file = query::file(disk, CASE);
        let headers = file.events.iter().map(|event| event.header()).collect::<Result<_, _>>()?;
        let log = file.events.iter().map(|event| self.event(event.digest())).collect();
        let waiting = post::waiting(disk, WAITING_MAX).into_iter().filter_map(|letter| self.seat(letter.to));
        Ok(Account {
            custody: view.as_ref().and_then(|view| view.custody),
            waiting: waiting.collect(),
            case: view.map(|view| view.case),
            log,
            headers,
        })
    }

    fn event(&mut self, digest: Digest) -> u32 {
        let next = u32::try_from(self.events.len()).unwrap_or(u32::MAX);
        *self.events.entry(digest).or_insert(next)
    }

    /// The letters among what a hall sends. Greetings, heartbeats and exchanges say nothing new where all
    /// directories and lists are equal. While its lines come up one by one, a hall also sends letters round by way
    /// of others; that those are lost is no loss, since each goes straight as soon as its own line is up.
    fn letters(&mut self, outputs: Vec<Output>) -> anyhow::Result<Letters> {
        let mut sent = Letters::default();
        for output in outputs {
            if let Output::Send { to, message: Message::Letter(letter) } = output
                && letter.to == to
            {
                sent.add(self.letter(letter)?);
            }
        }
        Ok(sent)
    }

    fn letter(&mut self, letter: Letter) -> anyhow::Result<LetterId> {
        if let Some(known) = self.archive.number(&letter) {
            return Ok(known);
        }
        let to = self.seat(letter.to).context("a letter to nobody")?;
        let from = self.seat(letter.from.hall).context("a letter by nobody")?;
        let (mut log, mut receipt, mut asked, mut unfit) = (Vec::new(), None, None, false);
        match &letter.body {
            LetterBody::HandOver(file) | LetterBody::Copy(file) => {
                log = file.events.iter().map(|event| self.event(event.digest())).collect();
                let lists = self.founded.get(to).context("a hall has a disk")?;
                let (case, _) = verify::exported(lists, file.clone())?;
                let target = case.transit.map(|transit| transit.to);
                unfit = case.custodian != letter.from && target != Some(letter.from);
            }
            LetterBody::Receipt(signed) => {
                let said = signed.peek()?;
                let by = self.seat(said.by.hall).context("a receipt by nobody")?;
                receipt = Some(Said { kind: said.kind, sequence: said.sequence, by });
            }
            LetterBody::Ask(after) => asked = Some((after.sequence, from)),
            LetterBody::Fence(..) | LetterBody::AskFence { .. } => {
                anyhow::bail!("no life ends in a setting, and {} speaks of one", letter.from);
            }
        }
        self.archive.add(Written { to, letter, log, receipt, asked, unfit })
    }

    fn greetings(&self) -> anyhow::Result<Vec<Message>> {
        let greeting = |(at, disk): (&HallAt, &Disk)| Message::Hello {
            protocol: PROTOCOL,
            protocol_min: PROTOCOL_MIN,
            at: *at,
            boot: boot(0),
            roots: query::roots(disk),
            wall: NOW.wall,
            please: false,
        };
        ensure!(self.at.len() == self.founded.len(), "a hall has a disk");
        Ok(self.at.iter().zip(&self.founded).map(greeting).collect())
    }

    fn card(&self, seat: Seat) -> anyhow::Result<ClerkCard> {
        let hall = self.hall(seat)?.hall;
        let roles = Roles { window: true, decide: true, publish: false, admit: false };
        let key = self.city.clerk_key(hall, CLERK).public();
        let id = ClerkId { hall, number: CLERK };
        Ok(ClerkCard { id, name: "Clerk".to_owned(), key, roles, active: true })
    }

    fn act(&self, seat: Seat, life: u32, disk: &Disk) -> anyhow::Result<Verified<Act>> {
        let hall = self.hall(seat)?.hall;
        let act = Act {
            clerk: ClerkId { hall, number: CLERK },
            boot: boot(life),
            wall: NOW.wall,
            nonce: [1; 16],
            request: Act::request_digest(&[]),
        };
        let signed = Signed::sign(&act, &[(0, &self.city.clerk_key(hall, CLERK))]);
        Ok(clerks::verify(disk, &signed)?)
    }

    fn receive(&self, seat: Seat, disk: &Disk) -> anyhow::Result<Command> {
        let wrap = |to: &HallAt| Wrap { to: *to, recovery: false, key: self.city.wrapped.clone() };
        let wanted = Receive {
            case: CASE,
            matter: self.setting.matter.parse()?,
            place: self.hall(seat)?.hall.division(),
            body: vec![1, 2, 3].into(),
            wraps: self.at.iter().map(wrap).collect(),
        };
        Ok(Command::Receive(self.act(seat, 0, disk)?, Box::new(wanted)))
    }

    fn hall(&self, seat: Seat) -> anyhow::Result<HallAt> {
        self.at.get(seat).copied().context("a seat")
    }

    fn kept_mut(&mut self, id: KeptId) -> anyhow::Result<&mut Kept> {
        self.kept.get_mut(usize::try_from(id)?).context("a number of kept rows")
    }
}

/// The places of a log at which a hall handed the case over, and to whom.
pub(super) fn given(headers: &[Header], by: HallAt) -> impl Iterator<Item = (u32, HallAt)> {
    headers.iter().filter(move |header| header.at == by).filter_map(|header| match header.facts {
        Facts::Transfer { to, .. } => Some((header.sequence, to)),
        Facts::Receive { .. }
        | Facts::Take { .. }
        | Facts::Resume { .. }
        | Facts::Accept
        | Facts::RequestCorrection
        | Facts::Supplement
        | Facts::Decide { .. }
        | Facts::Deliver
        | Facts::ReplaceMirror { .. }
        | Facts::Succeed { .. }
        | Facts::Reassign { .. }
        | Facts::Unknown { .. } => None,
    })
}

fn boot(life: u32) -> u32 {
    life.saturating_add(1)
}

fn command(command: Command) -> Input {
    Input::Command { ticket: Ticket(1), command }
}

/// One input, one commit, without the tables that the disk forgets.
fn feed(node: &mut Node, disk: &mut Disk, input: Input, forgets: &[u8]) -> (Option<Reply>, Vec<Output>) {
    let mut effects = Effects::default();
    node.step(NOW, input, disk, &mut effects);
    commit(effects, disk, forgets)
}

fn commit(effects: Effects, disk: &mut Disk, forgets: &[u8]) -> (Option<Reply>, Vec<Output>) {
    let stored = effects.commit(|mut writes| {
        writes.retain(|key, _| key.first().is_none_or(|table| !forgets.contains(table)));
        disk.commit(writes);
        Ok::<(), Infallible>(())
    });
    let released = match stored {
        Ok(released) => released,
        Err(never) => match never {},
    };
    let reply = released.outputs.iter().find_map(|output| match output {
        Output::Reply { reply, .. } => Some(reply.clone()),
        Output::Send { .. }
        | Output::Keep(_)
        | Output::RosterChanged
        | Output::WrapKey { .. }
        | Output::Happened(_) => None,
    });
    (reply, released.outputs)
}

fn name(seat: Seat, life: u32, rows: &Writes) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    let length = |bytes: &[u8]| u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_le_bytes();
    hasher.update(&length(&vec![0; seat])).update(&life.to_le_bytes());
    for (key, value) in rows {
        hasher.update(&length(key)).update(key).update(&[u8::from(value.is_some())]);
        let value = value.as_deref().unwrap_or_default();
        hasher.update(&length(value)).update(value);
    }
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::super::explore::Explorer;
    use super::super::setting::named;
    use super::*;

    impl Halls {
        /// The rows of each number: numbers follow from the order of an exploration, these do not.
        pub(in super::super) fn names(&self) -> BTreeMap<KeptId, [u8; 32]> {
            self.known.iter().map(|(name, id)| (*id, *name)).collect()
        }

        /// Two letters to one life of a hall, in one commit.
        fn hear_both(&mut self, id: KeptId, letters: [LetterId; 2]) -> anyhow::Result<KeptId> {
            let kept = self.kept(id)?;
            let (seat, life) = (kept.seat, kept.life);
            let (mut node, mut disk, _) = self.open(seat, life, kept.disk.clone())?;
            let mut effects = Effects::default();
            for letter in letters {
                let letter = &self.archive.letter(letter).context("a letter")?.letter;
                let (from, to) = (letter.from.hall, self.hall(seat)?.hall);
                let message = verify::message(&disk, to, message(letter))?;
                node.step(NOW, Input::Received { from, message }, &disk, &mut effects);
            }
            commit(effects, &mut disk, &[]);
            self.keep(seat, life, disk)
        }
    }

    /// What a node remembers besides its rows, and that one commit can hold several inputs, adds nothing to what can
    /// happen: as if the letters had come one by one to a node that was started anew each time.
    #[test]
    fn two_letters_to_one_life_are_as_two_letters_to_two() {
        let setting = named("hand-over").expect("a setting");
        let mut explorer = Explorer::new(setting, true).expect("a city");
        explorer.run(usize::MAX).expect("an exploration");
        let halls = &mut explorer.halls;
        let (disks, mut early) = (KeptId::try_from(halls.len()).expect("a number"), 0);
        for id in 0..disks {
            let to = halls.archive.to(halls.kept(id).expect("rows").seat);
            let pairs = to.iter().flat_map(|one| to.iter().map(move |other| [one, other]));
            for pair in pairs.filter(|[one, other]| one != other) {
                early += usize::from(!is_as_one_by_one(halls, id, pair));
            }
        }
        assert!(early > 0, "a receipt that comes too early is remembered");
    }

    /// Whether both letters do what they do in this order, and not what they do in the other one.
    fn is_as_one_by_one(halls: &mut Halls, id: KeptId, [one, other]: [LetterId; 2]) -> bool {
        let mut after = |first, second| {
            let between = halls.hear(id, first).expect("a step").kept;
            halls.hear(between, second).expect("a step").kept
        };
        let (forth, back) = (after(one, other), after(other, one));
        let both = halls.hear_both(id, [one, other]).expect("a step");
        assert!(both == forth || both == back, "disk {id}, letters {one} and {other}");
        both == forth
    }
}
