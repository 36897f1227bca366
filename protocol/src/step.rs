//! The seam: everything a node can be told, everything it can ask for, and the only port it reads through.
//!
//! Nothing here does IO. A driver gathers inputs, calls [`crate::node::Node::step`] for each, hands the
//! collected writes to its store in one commit, and only then gets the outputs: durable, then visible.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::cases::{
    Purpose, Receive, ReceiveBundle, Record as RecordAct, RecordBundle, Refusal, Renewal, Route, Stating,
    Wrap,
};
use crate::clerks::{Act, ClerkCard};
use crate::directory::{Addressee, Declaration};
use crate::ids::{CaseId, CaseNumber, Digest, HallAt, HallId};
use crate::message::{Message, Roots};
use crate::parcels::{Consign, Cover, Opened};
use crate::planted::{Bug, planted};
use crate::record::{Body, Record, Space};
use crate::signed::{Signed, Verified};
use crate::verify::Checked;

/// Bytes of a row, shared rather than copied.
pub type Bytes = Arc<[u8]>;

/// Rows to write (`Some`) and to remove (`None`), in key order.
pub type Writes = BTreeMap<Vec<u8>, Option<Bytes>>;

/// Both clocks, handed in: the core owns neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since some start; only grows. For timeouts and retries.
    pub ticks: u64,
    /// Milliseconds since 1970 UTC; may jump. For dates on paper and legal clocks.
    pub wall: u64,
}

/// The committed rows, read-only. An adapter that cannot read stops the process: reading never fails.
pub trait View {
    /// The row under `key`.
    fn get(&self, key: &[u8]) -> Option<Bytes>;
    /// Visits rows whose key starts with `prefix` and is greater than `after` (empty: from the first),
    /// ascending, until `visit` returns false.
    fn scan(&self, prefix: &[u8], after: &[u8], visit: &mut dyn FnMut(&[u8], &[u8]) -> bool);
}

/// Ties a reply to its command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ticket(pub u64);

/// Everything that can happen to a node. Closed, plain data: it can be recorded and replayed.
#[derive(Clone, Debug)]
pub enum Input {
    /// A line to this life of a hall is up; the shell checked its transport key against the directory.
    PeerUp(HallAt),
    /// The line is down.
    PeerDown(HallId),
    /// A message came, its signatures checked.
    Received {
        /// From the hall at the other end of the line.
        from: HallId,
        /// What came.
        message: Checked,
    },
    /// Staff of this hall want something.
    Command {
        /// For the reply.
        ticket: Ticket,
        /// What.
        command: Command,
    },
    /// The time asked for by `wake_at` has come.
    Wake,
}

/// What staff can ask of their node.
#[derive(Clone, Debug)]
pub enum Command {
    /// Take in a case (收件).
    Receive(Verified<Act>, Box<Receive>),
    /// Add an act to a case in hand.
    Record(Verified<Act>, Box<RecordAct>),
    /// Take in an application for a bundle: all of its tasks, or none.
    ReceiveBundle(Verified<Act>, Box<ReceiveBundle>),
    /// Hand out all that came of a bundle, or close what cannot go on of it: in all those tasks, or in none.
    RecordBundle(Verified<Act>, Box<RecordBundle>),
    /// Sign what this hall has to say about a case that is not in its hand.
    State(Verified<Act>, Box<Stating>),
    /// Sign and publish list entries or charters as this hall.
    Publish(Verified<Act>, Vec<Body>),
    /// Declare as this hall, by two persons, what nobody may decide alone.
    Declare([Verified<Act>; 2], Declaration),
    /// Take up records signed elsewhere, from a file or a guest.
    Admit(Vec<Verified<Record>>),
    /// State where this hall can be reached, if that changed.
    Advertise(Vec<String>),
    /// Register a clerk of this hall under a number that is free.
    AddClerk(ClerkCard),
    /// Take a clerk's rights away; the card stays on record.
    DisableClerk(u16),
    /// Note that a clerk reads what is sealed in a case; only then does the shell open it.
    Read(Verified<Act>, CaseId),
    /// Number and sign a parcel that goes on a stick.
    Consign(Consign),
    /// Take in a parcel that came by stick.
    TakeIn(Box<Opened>),
    /// Keep keys that the shell has wrapped to other lives with a superior's recovery key, by two persons.
    GiveKeys([Verified<Act>; 2], Vec<(CaseId, Wrap)>),
    /// Keep a case's key that the shell has wrapped to another life, as it was asked to.
    KeepKeys(CaseId, Vec<Wrap>),
    /// Give a case in hand the new key that the shell has drawn, as it was asked to.
    RenewKey(CaseId, Box<Renewal>),
    /// Note that the shell cannot open this key of a case with what is wrapped to this life, if anything is.
    NotOpened(CaseId, Digest),
}

/// Everything a node can ask of the world.
#[derive(Clone, Debug)]
pub enum Output {
    /// Send on the line to a hall.
    Send {
        /// The hall at the other end of the line.
        to: HallId,
        /// What.
        message: Message,
    },
    /// Answer a command.
    Reply {
        /// Of the command.
        ticket: Ticket,
        /// The answer.
        reply: Reply,
    },
    /// Keep lines to these halls.
    Keep(BTreeSet<HallId>),
    /// The directory changed: admit and dismiss accordingly.
    RosterChanged,
    /// A hall has said anew where it is reached; who is one of us is as before.
    Reached(HallId),
    /// Wrap a case's keys to a life of a hall on its route that has none, and give it back by [`Command::KeepKeys`].
    WrapKey {
        /// The case.
        case: CaseId,
        /// The life.
        to: HallAt,
    },
    /// Draw a new key for a case, wrap it for these, see [`Directory::key_of`](crate::directory::Directory::key_of), and give
    /// it back by [`Command::RenewKey`].
    RenewKey {
        /// The case.
        case: CaseId,
        /// For whom: lives, each with whether it is for recovery only.
        to: Vec<Addressee>,
    },
    /// Something that people may want to see.
    Happened(Happening),
}

/// The answer to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The case is on this disk (grade D1).
    Received {
        /// The case.
        case: CaseId,
        /// Its number.
        number: CaseNumber,
        /// Where it goes, and why.
        route: Route,
    },
    /// The act stands in the log.
    Recorded {
        /// The case.
        case: CaseId,
        /// The event's place in the log.
        sequence: u32,
    },
    /// All tasks of an application for a bundle are on this disk (grade D1).
    ReceivedBundle {
        /// The number of the whole.
        bundle: CaseNumber,
        /// Each task in order: its case, its number, where it goes and why.
        cases: Vec<(CaseId, CaseNumber, Route)>,
    },
    /// The act stands in the logs of these tasks.
    RecordedBundle {
        /// The number of the whole.
        bundle: CaseNumber,
        /// The cases, each with the event's place in its log.
        cases: Vec<(CaseId, u32)>,
    },
    /// What this hall states is signed, and on its way.
    Stated {
        /// The case's number.
        number: CaseNumber,
        /// SHA-256 of the statement.
        statement: Digest,
    },
    /// So many records were taken up.
    Published {
        /// Taken up.
        records: u32,
    },
    /// So many records were taken up, so many were not: old, out of scope or known.
    Admitted {
        /// Taken up.
        records: u32,
        /// Left out.
        refused: u32,
    },
    /// A parcel was numbered and signed.
    Consigned(Signed<Cover>),
    /// A parcel was taken in.
    TakenIn(TakenIn),
    /// Done.
    Done,
    /// Not done, and nothing was changed.
    Refused(Refusal),
}

/// What came of a parcel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenIn {
    /// Records that were new.
    pub records: u32,
    /// Letters for this hall.
    pub letters: u32,
    /// Letters taken along for others.
    pub relayed: u32,
    /// Things that do not hold, and were left out.
    pub unfit: u32,
    /// Letters for which there is no room now.
    pub left: u32,
    /// It was taken in before; nothing was changed.
    pub known: bool,
}

/// What people may want to see as it happens. No personal data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Happening {
    /// A hall is connected.
    PeerUp(HallAt),
    /// A hall is no longer connected.
    PeerDown(HallId),
    /// This hall handed a case over.
    HandedOver {
        /// The case.
        case: CaseId,
        /// To whom.
        to: HallAt,
        /// Why.
        purpose: Purpose,
    },
    /// This hall keeps a case that was handed to it; it may not act on it yet.
    Holding(CaseId),
    /// This hall is the custodian of a case.
    Taken(CaseId),
    /// A second hall can restore all of a case: grade D2.
    Mirrored(CaseId),
    /// A mirror has countersigned the decision of a case: what was provisional is final.
    Countersigned(CaseId),
    /// What a task of a bundle waited for is here: it begins.
    Started(CaseId),
    /// A task of a bundle cannot begin any more: nothing came of one that it waited for. A clerk closes it.
    Blocked(CaseId),
    /// This hall no longer needs its copy of a case.
    Released(CaseId),
    /// The target refused a case; it is back in this hall's hand.
    Returned(CaseId),
    /// A neighbour has shown that this hall has forgotten what it signed: it signs nothing any more.
    RolledBack {
        /// Who showed it.
        shown_by: HallId,
    },
    /// This hall doubts its clock from now on, or no longer does, or knows better by how much it is wrong.
    Clock {
        /// Milliseconds since 1970 when its ticks were zero, as far as it knows; none if it believes its clock.
        known: Option<u64>,
    },
    /// This hall has met two signed things of one life that exclude each other, and states so.
    Forked(HallAt),
    /// Two machines live as one life of a hall: a copy of its data directory was started.
    Twins(HallAt),
    /// This hall goes on with a case for a life that has ended.
    Recovered(CaseId),
    /// A statement about a case waits here for an answer.
    StatementWaits(CaseNumber),
    /// What this hall has stated about a case was answered.
    StatementAnswered(CaseNumber),
    /// A case has a new key, since a stolen machine could open the one before.
    KeyRenewed(CaseId),
    /// Records were taken up.
    Learned {
        /// Which set.
        space: Space,
        /// How many.
        records: u32,
    },
}

/// What a batch of steps asks for. The way to the outputs leads through the store.
#[derive(Debug, Default)]
pub struct Effects {
    writes: Writes,
    outputs: Vec<Output>,
    answered: usize,
    wake_at: Option<u64>,
    /// Keys in the order in which they are written, while somebody records the steps.
    journal: Option<Vec<Vec<u8>>>,
    /// What is to be taken back if what is being done is refused.
    undo: Option<Undo>,
}

/// What a batch said of a row before it was written.
#[derive(Debug)]
enum Before {
    Nothing,
    Written(Option<Bytes>),
}

/// What stood before each write since, and how much was asked for.
#[derive(Debug)]
struct Undo {
    before: Vec<(Vec<u8>, Before)>,
    outputs: usize,
    journal: usize,
}

/// What may leave the node, now that the store has kept what it rests on.
#[derive(Debug)]
pub struct Released {
    /// In the order in which they were asked for.
    pub outputs: Vec<Output>,
    /// Ticks at which the node wants to be woken.
    pub wake_at: Option<u64>,
}

impl Effects {
    /// Hands all writes to `store` at once; no commit, no message.
    pub fn commit<E>(self, store: impl FnOnce(Writes) -> Result<(), E>) -> Result<Released, E> {
        store(self.writes)?;
        Ok(Released { outputs: self.outputs, wake_at: self.wake_at })
    }

    /// Bytes of the records in messages to neighbours: a question writes no row, and its answer may be long.
    pub const fn answered(&self) -> usize {
        self.answered
    }

    /// How many rows would be written: for bounding a batch.
    pub fn rows(&self) -> usize {
        self.writes.len()
    }

    pub(crate) fn wake_at(&mut self, ticks: u64) {
        self.wake_at = Some(ticks);
    }

    pub(crate) const fn asked_to_wake_at(&self) -> Option<u64> {
        self.wake_at
    }

    pub(crate) const fn writes(&self) -> &Writes {
        &self.writes
    }

    pub(crate) fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// Notes from now on which rows are written.
    pub(crate) fn begin_journal(&mut self) {
        self.journal = Some(Vec::new());
    }

    /// The keys written since then, in order, with repetitions.
    pub(crate) fn end_journal(&mut self) -> Vec<Vec<u8>> {
        self.journal.take().unwrap_or_default()
    }

    fn write(&mut self, key: Vec<u8>, value: Option<Bytes>) {
        if let Some(journal) = &mut self.journal {
            journal.push(key.clone());
        }
        match &mut self.undo {
            None => drop(self.writes.insert(key, value)),
            Some(undo) => {
                let before = self.writes.insert(key.clone(), value);
                undo.before.push((key, before.map_or(Before::Nothing, Before::Written)));
            }
        }
    }

    fn begin(&mut self) {
        let journal = self.journal.as_ref().map_or(0, Vec::len);
        self.undo = Some(Undo { before: Vec::new(), outputs: self.outputs.len(), journal });
    }

    /// Takes back what was written since, and what was asked for with it; whether there was anything. Who has written nothing
    /// has asked for what is asked for in any case.
    fn take_back(&mut self) -> bool {
        let Some(undo) = self.undo.take() else { return false };
        if undo.before.is_empty() {
            return false;
        }
        for (key, before) in undo.before.into_iter().rev() {
            match before {
                Before::Written(written) => drop(self.writes.insert(key, written)),
                Before::Nothing => drop(self.writes.remove(&key)),
            }
        }
        self.outputs.truncate(undo.outputs);
        if let Some(journal) = &mut self.journal {
            journal.truncate(undo.journal);
        }
        true
    }
}

/// What the time of a step rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Faith {
    /// On this machine's clock.
    Believed,
    /// On what neighbours show: this machine's clock is wrong.
    Told,
    /// On what has passed at least: this machine's clock is wrong, and nobody tells the time.
    Suspect,
}

/// The context every handler gets first: the time, the rows (own writes included), the way out.
pub(crate) struct Cx<'a> {
    /// The time to work by, which is not always what the machine's clock shows.
    pub(crate) now: Now,
    pub(crate) faith: Faith,
    /// What the machine's clock shows: clerks sign by it, too.
    pub(crate) clock: u64,
    /// What neighbours are told that this machine's clock shows; zero in doubt.
    pub(crate) shows: u64,
    /// The roots of the reconciled sets, if they were asked for since a set was last written.
    pub(crate) roots: Option<Roots>,
    base: &'a dyn View,
    effects: &'a mut Effects,
}

impl<'a> Cx<'a> {
    pub(crate) fn new(now: Now, base: &'a dyn View, effects: &'a mut Effects) -> Self {
        Self { now, faith: Faith::Believed, clock: now.wall, shows: now.wall, roots: None, base, effects }
    }

    pub(crate) fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.effects.write(key, Some(value.into()));
    }

    pub(crate) fn remove(&mut self, key: Vec<u8>) {
        self.effects.write(key, None);
    }

    pub(crate) fn output(&mut self, output: Output) {
        self.effects.outputs.push(output);
    }

    pub(crate) fn send(&mut self, to: HallId, message: Message) {
        if let Message::Records { records, .. } = &message {
            let bytes = records.iter().map(Signed::len).sum();
            self.effects.answered = self.effects.answered.saturating_add(bytes);
        }
        self.output(Output::Send { to, message });
    }

    pub(crate) fn happened(&mut self, happening: Happening) {
        self.output(Output::Happened(happening));
    }

    /// From here on what is written and asked for can be taken back.
    pub(crate) fn begin(&mut self) {
        self.effects.begin();
    }

    /// It stands.
    pub(crate) fn keep(&mut self) {
        self.effects.undo = None;
    }

    /// Takes all of it back; whether there was anything. What else the steps of this batch have written stays.
    pub(crate) fn take_back(&mut self) -> bool {
        self.roots = None;
        self.effects.take_back()
    }
}

impl View for Cx<'_> {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        match self.effects.writes.get(key).filter(|_| !planted(Bug::OwnWritesUnseen)) {
            Some(written) => written.clone(),
            None => self.base.get(key),
        }
    }

    fn scan(&self, prefix: &[u8], after: &[u8], visit: &mut dyn FnMut(&[u8], &[u8]) -> bool) {
        let from = if after.is_empty() { prefix } else { after };
        let mut own = self
            .effects
            .writes
            .range(from.to_vec()..)
            .filter(|(key, _)| after.is_empty() || key.as_slice() > after)
            .take_while(|(key, _)| key.starts_with(prefix))
            .peekable();
        let mut going = true;
        self.base.scan(prefix, after, &mut |key, value| {
            while let Some((mine, written)) = own.next_if(|(mine, _)| mine.as_slice() < key) {
                going = going && written.as_ref().is_none_or(|bytes| visit(mine, bytes));
            }
            match own.next_if(|(mine, _)| mine.as_slice() == key) {
                Some((mine, written)) => {
                    going = going && written.as_ref().is_none_or(|bytes| visit(mine, bytes));
                }
                None => going = going && visit(key, value),
            }
            going
        });
        for (mine, written) in own {
            going = going && written.as_ref().is_none_or(|bytes| visit(mine, bytes));
        }
    }
}
