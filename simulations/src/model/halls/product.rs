//! Asking the product: a node is opened on a hall's rows, its lines come up, it is told one thing, and commits.

use std::collections::BTreeMap;
use std::convert::Infallible;

use anyhow::{Context as _, bail};
use hallmesh_protocol::cases::{Deed, FIRST_KEY, Record, SignedEvent};
use hallmesh_protocol::directory::Directory;
use hallmesh_protocol::genesis;
use hallmesh_protocol::ids::HallAt;
use hallmesh_protocol::limits::MIRROR_SILENT_DAYS;
use hallmesh_protocol::message::{Message, PROTOCOL, PROTOCOL_MIN};
use hallmesh_protocol::node::{Me, Node};
use hallmesh_protocol::post::{self, Letter, LetterBody};
use hallmesh_protocol::query;
use hallmesh_protocol::step::{Command, Effects, Input, Now, Output, Reply, Ticket, Writes};
use hallmesh_protocol::verify;

use super::super::canon::{Looked, canonical};
use super::super::letters::{LetterId, Letters, Said, Written, message};
use super::super::setting::{Bend, Seat};
use super::founding::CLERK;
use super::{Account, CASE, Halls, Kept, KeptId, NewsId, Step};
use crate::clock::FOUNDED;
use crate::disk::Disk;

/// The one moment at which everything happens.
pub(super) const NOW: Now = Now { ticks: 1_000, wall: FOUNDED };
/// Days later, by both clocks: a mirror that has not answered is silent.
const LATER: Now = Now { ticks: NOW.ticks + SILENT_MS, wall: NOW.wall + SILENT_MS };
const SILENT_MS: u64 = (MIRROR_SILENT_DAYS as u64) * 24 * 3_600_000 + 1;
/// Letters that wait at one hall: far more than one case makes.
const WAITING_MAX: usize = 100;
/// Starts after which a hall that is told nothing must have done all that it does by itself.
const STARTS_MAX: u8 = 8;

/// What a hall is told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Told {
    Letter(LetterId),
    Deed(Deed),
    /// What the directory says of a life.
    News(NewsId),
}

impl Halls {
    /// Asks the product: a new node on these rows, its lines up, then one input and one commit.
    pub(super) fn step(&mut self, id: KeptId, told: Told) -> anyhow::Result<Step> {
        let kept = self.kept(id)?;
        let (seat, boots, me) = (kept.seat, kept.boots, kept.said.at);
        let (mut node, mut disk, _) = self.open(seat, boots, kept.disk.clone(), true)?;
        self.asked = self.asked.saturating_add(1);
        let input = match told {
            Told::Deed(deed) => {
                let act = self.act((seat, CLERK), boots, &disk)?;
                command(Command::Record(
                    act,
                    Box::new(Record { case: CASE, deed, key: FIRST_KEY, body: vec![9].into() }),
                ))
            }
            Told::News(news) => self.tidings(&disk, me, news)?,
            Told::Letter(letter) => {
                let letter = &self.archive.letter(letter).context("a letter's number")?.letter;
                let line = self.line(&disk, me, Some(letter.from.hall));
                match (line, verify::message(&disk, me.hall, message(letter))) {
                    (Some(from), Ok(message)) => Input::Received { from, message },
                    (None, _) | (_, Err(_)) => return Ok(Step { kept: id, sent: Letters::default() }),
                }
            }
        };
        let (_, outputs) = feed(&mut node, &mut disk, input, self.forgets(seat));
        if let Told::Letter(letter) = told
            && self.archive.letter(letter).is_some_and(|written| hides(&disk, &written.letter))
        {
            self.kept_mut(id)?.hidden.add(letter);
        }
        let sent = self.letters(outputs)?;
        self.settled(seat, boots, disk, sent)
    }

    /// A hall is told nothing for days.
    pub(super) fn silent(&mut self, id: KeptId) -> anyhow::Result<Step> {
        let kept = self.kept(id)?;
        let (seat, boots) = (kept.seat, kept.boots);
        let (mut node, mut disk, _) = self.open(seat, boots, kept.disk.clone(), true)?;
        self.asked = self.asked.saturating_add(1);
        // What it says then it says again at the next start, at the moment at which all else is said.
        let _unsent = feed_at(LATER, (&mut node, &mut disk), Input::Wake, self.forgets(seat));
        self.settled(seat, boots, disk, Letters::default())
    }

    /// What a hall keeps and sends once it has started as often as that changes anything, and its shell has wrapped what
    /// it was asked to wrap. Every question to a hall begins with a start, so what one does is done before anything else.
    pub(super) fn settled(
        &mut self,
        seat: Seat,
        boots: u32,
        mut disk: Disk,
        mut sent: Letters,
    ) -> anyhow::Result<Step> {
        for _ in 0..STARTS_MAX {
            let kept = self.keep(seat, boots, disk)?;
            if self.setting.plain || self.kept(kept)?.wake.is_some() {
                return Ok(Step { kept, sent });
            }
            let (mut node, mut next, outputs) =
                self.open(seat, boots, self.kept(kept)?.disk.clone(), true)?;
            let wanted: Vec<HallAt> = outputs.iter().filter_map(wants_key).collect();
            let mut said = self.letters(outputs)?;
            for life in wanted {
                let keys = command(Command::KeepKeys(CASE, vec![self.wrap(life)]));
                let (_, outputs) = feed(&mut node, &mut next, keys, self.forgets(seat));
                said.join(&self.letters(outputs)?);
            }
            sent.join(&said);
            let after = self.keep(seat, boots, next)?;
            if after == kept {
                self.kept_mut(kept)?.wake = Some(Step { kept, sent: said });
                return Ok(Step { kept, sent });
            }
            disk = self.kept(after)?.disk.clone();
        }
        bail!("{} does something else at every start", self.name(seat))
    }

    /// A start: what is kept and sent.
    pub(super) fn start(&mut self, id: KeptId) -> anyhow::Result<Step> {
        let kept = self.kept(id)?;
        let (seat, boots) = (kept.seat, kept.boots);
        let (_, disk, outputs) = self.open(seat, boots, kept.disk.clone(), true)?;
        let sent = self.letters(outputs)?;
        Ok(Step { kept: self.keep(seat, boots, disk)?, sent })
    }

    /// A node on these rows; with a line to every other hall, over which cases may be spoken of, or with none.
    pub(super) fn open(
        &self,
        seat: Seat,
        boots: u32,
        mut disk: Disk,
        with_lines: bool,
    ) -> anyhow::Result<(Node, Disk, Vec<Output>)> {
        let at = genesis::identity(&disk).context("a hall's disk")?.at;
        let me = Me { at, boot: boot(boots), key: self.city.event_key(at) };
        let mut node = Node::open(me, [1; 32], NOW, &disk);
        let mut effects = Effects::default();
        let others = self.at.iter().map(|peer| peer.hall).filter(|hall| with_lines && *hall != at.hall);
        let present = |hall| Directory::new(&disk).present(hall);
        // To a hall that is closed nobody keeps a line.
        let peers: Vec<HallAt> = others.filter_map(present).collect();
        for peer in peers {
            node.step(NOW, Input::PeerUp(peer), &disk, &mut effects);
            // Nobody remembers anything of another's log: what comes of that is asked apart.
            let standing = Message::Standing { mine: None, yours: None, please: false };
            for message in [greeting(peer, &disk), standing] {
                let message = verify::message(&disk, at.hall, message)?;
                node.step(NOW, Input::Received { from: peer.hall, message }, &disk, &mut effects);
            }
        }
        let (_, outputs) = commit(effects, &mut disk, self.forgets(seat));
        Ok((node, disk, outputs))
    }

    /// The tables of which a bent disk keeps nothing.
    pub(super) fn forgets(&self, seat: Seat) -> &'static [u8] {
        match self.setting.bend {
            Some(Bend::Forgets(forgetful, tables)) if forgetful == seat => tables,
            Some(Bend::Forgets(..) | Bend::Hasty(_)) | None => &[],
        }
    }

    pub(super) fn keep(&mut self, seat: Seat, boots: u32, mut disk: Disk) -> anyhow::Result<KeptId> {
        let (decisions, ages) = (!self.setting.deeds.is_empty(), self.time_passes());
        let looked = Looked { log: self.is_audited(seat), decisions, ages };
        disk.rewrite(|rows| canonical(rows, looked));
        let name = name(seat, boots, disk.own());
        if let Some(known) = self.known.get(&name) {
            return Ok(*known);
        }
        let id = KeptId::try_from(self.kept.len())?;
        let said = self.account(&disk)?;
        let none = Letters::default();
        self.kept.push(Kept {
            seat,
            boots,
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
            learns: BTreeMap::new(),
            silence: None,
            hidden: none,
        });
        self.known.insert(name, id);
        Ok(id)
    }

    fn account(&mut self, disk: &Disk) -> anyhow::Result<Account> {
        let at = genesis::identity(disk).context("a hall's disk")?.at;
        let view = query::case(disk, CASE);
        let file = query::file(disk, CASE);
        let headers = file.events.iter().map(|event| event.header()).collect::<Result<_, _>>()?;
        let (log, log_id) = self.logs.note(&file.events)?;
        let letters = post::waiting(disk, WAITING_MAX).into_iter();
        let waiting = letters.filter_map(|letter| Some((self.seat(letter.to)?, letter.what.word())));
        let waits_for = |case| query::recovery_waits_for(disk, at, case);
        Ok(Account {
            at,
            custody: view.as_ref().and_then(|view| view.custody),
            waiting: waiting.collect(),
            misses: view.as_ref().map(|view| waits_for(&view.case)).unwrap_or_default(),
            case: view.map(|view| view.case),
            log,
            log_id,
            headers,
            knows: self.heard_of(disk).collect(),
            rolled_back: query::rolled_back(disk).is_some(),
        })
    }

    /// The letters among what a hall sends. Greetings, heartbeats and exchanges say nothing new where all
    /// directories and lists are equal; what they would say of a new life is a transition of its own. While its lines
    /// come up one by one, a hall also sends letters round by way of others; that those are lost is no loss, since each
    /// goes straight as soon as its own line is up.
    pub(super) fn letters(&mut self, outputs: Vec<Output>) -> anyhow::Result<Letters> {
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
        let (mut log, mut receipt, mut asked, mut unfit) = (None, None, None, false);
        match &letter.body {
            LetterBody::HandOver(file) | LetterBody::Copy(file) => {
                log = Some(self.logs.note(&file.events)?.1);
                let (case, _) = verify::exported(&self.knowing, file.clone())?;
                let parts = [case.custodian.hall, case.owner().hall];
                unfit = !parts.into_iter().any(|part| self.may_speak_for(letter.from.hall, part));
            }
            LetterBody::Receipt(signed) => {
                let said = signed.peek()?;
                let by = self.seat(said.by.hall).context("a receipt by nobody")?;
                receipt = Some(Said { kind: said.kind, sequence: said.sequence, by });
            }
            LetterBody::Ask(after) => asked = Some((after.sequence, from)),
            LetterBody::Fence(file, _) => {
                log = file.as_ref().map(|file| self.logs.note(&file.events)).transpose()?.map(|(_, id)| id);
            }
            LetterBody::AskFence { .. } | LetterBody::Statement(_) => {}
        }
        self.archive.add(Written { to, letter, log, receipt, asked, unfit })
    }
}

/// Whether a hall that has gone on in a later term shows nothing of what an ended life says beside that in a letter.
fn hides(disk: &Disk, letter: &Letter) -> bool {
    let (LetterBody::HandOver(told) | LetterBody::Copy(told) | LetterBody::Fence(Some(told), _)) =
        &letter.body
    else {
        return false;
    };
    let term = |events: &[SignedEvent]| events.last()?.header().ok().map(|header| header.position.term);
    let held = query::file(disk, CASE);
    if term(&held.events) <= term(&told.events) || query::rolled_back(disk).is_some() {
        return false;
    }
    let (directory, orphans) = (Directory::new(disk), query::orphans(disk, CASE));
    let mut beside = held.events.iter().zip(&told.events).filter(|(held, told)| held != told);
    beside.any(|(_, told)| match told.header() {
        Ok(said) => directory.has_ended(said.at) && !orphans.iter().any(|orphan| orphan.header == said),
        Err(_malformed) => false,
    })
}

/// The life to which the shell is to wrap the case's key.
fn wants_key(output: &Output) -> Option<HallAt> {
    match output {
        Output::WrapKey { to, .. } => Some(*to),
        Output::Send { .. }
        | Output::Reply { .. }
        | Output::Keep(_)
        | Output::RosterChanged
        | Output::Reached(_)
        | Output::RenewKey { .. }
        | Output::Happened(_) => None,
    }
}

/// A greeting of a hall that holds the same directory and lists.
fn greeting(at: HallAt, disk: &Disk) -> Message {
    let roots = query::roots(disk);
    let (protocol, protocol_min) = (PROTOCOL, PROTOCOL_MIN);
    Message::Hello { protocol, protocol_min, at, boot: boot(0), roots, wall: NOW.wall, please: false }
}

pub(super) fn boot(boots: u32) -> u32 {
    boots.saturating_add(1)
}

pub(super) fn command(command: Command) -> Input {
    Input::Command { ticket: Ticket(1), command }
}

/// One input, one commit, without the tables that the disk forgets.
pub(super) fn feed(
    node: &mut Node,
    disk: &mut Disk,
    input: Input,
    forgets: &[u8],
) -> (Option<Reply>, Vec<Output>) {
    feed_at(NOW, (node, disk), input, forgets)
}

fn feed_at(
    now: Now,
    (node, disk): (&mut Node, &mut Disk),
    input: Input,
    forgets: &[u8],
) -> (Option<Reply>, Vec<Output>) {
    let mut effects = Effects::default();
    node.step(now, input, disk, &mut effects);
    commit(effects, disk, forgets)
}

pub(super) fn commit(effects: Effects, disk: &mut Disk, forgets: &[u8]) -> (Option<Reply>, Vec<Output>) {
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
        | Output::Reached(_)
        | Output::WrapKey { .. }
        | Output::RenewKey { .. }
        | Output::Happened(_) => None,
    });
    (reply, released.outputs)
}

fn name(seat: Seat, boots: u32, rows: &Writes) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    let length = |bytes: &[u8]| u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_le_bytes();
    hasher.update(&length(&vec![0; seat])).update(&boots.to_le_bytes());
    for (key, value) in rows {
        hasher.update(&length(key)).update(key).update(&[u8::from(value.is_some())]);
        let value = value.as_deref().unwrap_or_default();
        hasher.update(&length(value)).update(value);
    }
    *hasher.finalize().as_bytes()
}
