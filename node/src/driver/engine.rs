//! The loop: gather, step, commit, release.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use hallmesh_protocol::ids::{HallAt, HallId};
use hallmesh_protocol::limits::ANSWER_BYTES_MAX;
use hallmesh_protocol::message::Message;
use hallmesh_protocol::node::Node;
use hallmesh_protocol::record::Record;
use hallmesh_protocol::recording::{Frame, Held};
use hallmesh_protocol::signed::Verified;
use hallmesh_protocol::step::{Command, Effects, Input, Now, Output, Released, Reply, Ticket, View, Writes};
use hallmesh_protocol::verify::Checked;
use libp2p::identity::Keypair;
use libp2p::{Multiaddr, PeerId};
use tokio::sync::{mpsc, oneshot, watch};

use super::introduce::{ADMITTED, NOT_ADMITTED, Visits};
use super::reach::Reach;
use super::rewrap::Wanted;
use super::roster::{self, Who};
use super::shared::Shared;
use super::tape::{Noted, Tape};
use super::{Feed, introduce};
use crate::net::{GuestId, LineId, NetCommand};
use crate::ops::Problem;
use crate::store::StoreError;

/// Inputs stepped into one commit at the most.
const BATCH_MAX: usize = 256;
/// Rows in one commit at the most; a batch that reaches it is committed before the next input, and so is one that answers
/// with [`ANSWER_BYTES_MAX`] of records.
const BATCH_ROWS_MAX: usize = 4_096;

/// Everything that can reach the engine.
pub(crate) enum Event {
    Up {
        peer: PeerId,
    },
    Down {
        peer: PeerId,
    },
    Frame {
        peer: PeerId,
        line: LineId,
        number: u64,
        message: Option<Checked>,
        noted: Option<Box<Noted>>,
    },
    Guest {
        visitor: Visitor,
        records: Vec<Verified<Record>>,
        refused: u64,
    },
    Listening(Multiaddr),
    NotListening(Multiaddr),
    NotAdmitted {
        peer: PeerId,
    },
    Command {
        command: Box<Command>,
        reply: oneshot::Sender<Reply>,
    },
    /// Somebody asks what is recorded; with the file, if it is wanted.
    Recorded {
        file: bool,
        reply: oneshot::Sender<Recorded>,
    },
}

/// How much is recorded, and the file if it was wanted; nothing if the settings want no recorder.
#[derive(Default)]
pub(crate) struct Recorded {
    pub(crate) held: Option<Held>,
    pub(crate) file: Option<Vec<u8>>,
}

/// Who waits for the reply to a command.
enum Waiting {
    Caller(oneshot::Sender<Reply>),
    Guest(Visitor),
    /// Nobody but the log: this hall's own word about its addresses.
    Reach,
}

/// A guest who showed something, and who it is.
#[derive(Clone, Copy)]
pub(crate) struct Visitor {
    pub(crate) guest: GuestId,
    pub(crate) peer: PeerId,
}

/// The owner of the core and of the store's writing side.
pub(crate) struct Engine {
    shared: Arc<Shared>,
    node: Node,
    tape: Tape,
    net: mpsc::Sender<NetCommand>,
    keys_wanted: mpsc::Sender<Wanted>,
    reach: Reach,
    keypair: Keypair,
    who: Who,
    wanted: BTreeSet<HallId>,
    /// Who is at the other end of each line, kept until it goes down: by then the roster may have changed.
    up: BTreeMap<PeerId, HallAt>,
    waiting: BTreeMap<Ticket, Waiting>,
    visits: Visits,
    next_ticket: u64,
    wake_at: u64,
}

impl Engine {
    pub(crate) fn new(
        shared: Arc<Shared>,
        (node, tape): (Node, Tape),
        (net, keys_wanted): (mpsc::Sender<NetCommand>, mpsc::Sender<Wanted>),
        reach: Reach,
        keypair: Keypair,
    ) -> Self {
        Self {
            shared,
            node,
            tape,
            net,
            keys_wanted,
            reach,
            keypair,
            who: Who::default(),
            wanted: BTreeSet::new(),
            up: BTreeMap::new(),
            waiting: BTreeMap::new(),
            visits: Visits::default(),
            next_ticket: 0,
            wake_at: 0,
        }
    }

    /// Runs until told to stop or until the disk fails.
    pub(crate) async fn run(
        mut self,
        mut inbox: mpsc::Receiver<Event>,
        mut stopped: watch::Receiver<bool>,
        _feed: Feed,
    ) -> Result<(), Problem> {
        loop {
            let due = self.reach.due().unwrap_or(u64::MAX).min(self.wake_at);
            let pause = due.saturating_sub(self.now().ticks);
            let first = tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => break,
                event = inbox.recv() => event,
                () = tokio::time::sleep(Duration::from_millis(pause)) => None,
            };
            self.turn(first, &mut inbox).await?;
        }
        self.send(NetCommand::Shutdown).await;
        Ok(())
    }

    /// One turn: as many inputs as are there go into one commit; then, and only then, the outputs.
    async fn turn(&mut self, first: Option<Event>, inbox: &mut mpsc::Receiver<Event>) -> Result<(), Problem> {
        let view = self.shared.snapshot()?;
        let (mut effects, mut read) = (Effects::default(), BTreeMap::new());
        self.tape.begin_batch(&self.node, self.now());
        self.step(first, &view, &mut effects, &mut read);
        self.make_known(&view, &mut effects);
        let mut inputs = 1_usize;
        let room =
            |effects: &Effects| effects.rows() < BATCH_ROWS_MAX && effects.answered() < ANSWER_BYTES_MAX;
        while inputs < BATCH_MAX && room(&effects) {
            let Ok(event) = inbox.try_recv() else { break };
            self.step(Some(event), &view, &mut effects, &mut read);
            inputs = inputs.saturating_add(1);
        }
        self.tape.committing(&effects, &view, &self.shared.commits);
        drop(view);
        let released = tokio::task::block_in_place(|| effects.commit(|rows| self.keep(&rows)));
        let released = released.map_err(|why| self.shared.store_problem(&why))?;
        self.tape.committed(&self.shared.commits);
        for (peer, (line, upto)) in read {
            self.send(NetCommand::Committed { peer, line, upto }).await;
        }
        self.release(released).await
    }

    fn step(
        &mut self,
        event: Option<Event>,
        view: &dyn View,
        effects: &mut Effects,
        read: &mut BTreeMap<PeerId, (LineId, u64)>,
    ) {
        let input = match event {
            None => Some((Input::Wake, None)),
            Some(Event::Frame { peer, line, number, message, noted }) => {
                read.insert(peer, (line, number));
                self.frame(peer, message, noted.map(|noted| *noted), view)
            }
            Some(other) => self.input(other).map(|input| (input, None)),
        };
        if let Some(input) = input {
            let now = self.now();
            self.tape.step(&mut self.node, now, input, view, effects);
        }
    }

    /// Commits, and then tells the search what has changed.
    fn keep(&self, rows: &Writes) -> Result<(), StoreError> {
        self.shared.store.commit(rows)?;
        self.shared.search.committed(rows);
        Ok(())
    }

    fn now(&self) -> Now {
        self.shared.now()
    }

    fn frame(
        &mut self,
        peer: PeerId,
        message: Option<Checked>,
        noted: Option<Noted>,
        view: &dyn View,
    ) -> Option<(Input, Option<Frame>)> {
        let from = self.up.get(&peer)?.hall;
        let (message, frame) = self.tape.message((from, self.now()), message, noted, view)?;
        Some((Input::Received { from, message }, frame))
    }

    fn input(&mut self, event: Event) -> Option<Input> {
        match event {
            Event::Up { peer } => {
                let at = self.who.hall(&peer)?;
                self.up.insert(peer, at);
                self.show_lines();
                Some(Input::PeerUp(at))
            }
            Event::Down { peer } => {
                let at = self.up.remove(&peer)?;
                self.show_lines();
                Some(Input::PeerDown(at.hall))
            }
            Event::Listening(address) => {
                tracing::info!(%address, "listening");
                self.reach.opened(address, self.now().ticks);
                self.show_listening();
                None
            }
            Event::NotListening(address) => {
                tracing::info!(%address, "no longer listening");
                self.reach.closed(&address, self.now().ticks);
                self.show_listening();
                None
            }
            Event::Guest { visitor, records, refused } => {
                self.shared.refused("guest-records", refused);
                Some(self.command(Command::Admit(records), Waiting::Guest(visitor)))
            }
            Event::NotAdmitted { peer } => {
                self.introduce(peer);
                None
            }
            Event::Command { command, reply } => Some(self.command(*command, Waiting::Caller(reply))),
            Event::Recorded { file, reply } => {
                let file = if file { self.tape.file() } else { None };
                if reply.send(Recorded { held: self.tape.held(), file }).is_err() {
                    tracing::debug!("a caller hung up before the recording");
                }
                None
            }
            Event::Frame { .. } => None,
        }
    }

    fn command(&mut self, command: Command, waiting: Waiting) -> Input {
        self.next_ticket = self.next_ticket.saturating_add(1);
        let ticket = Ticket(self.next_ticket);
        self.waiting.insert(ticket, waiting);
        Input::Command { ticket, command }
    }

    /// This hall's addresses, once they have settled.
    fn make_known(&mut self, view: &dyn View, effects: &mut Effects) {
        let now = self.now();
        if let Some(addresses) = self.reach.settled(now.ticks) {
            let input = self.command(Command::Advertise(addresses), Waiting::Reach);
            self.tape.step(&mut self.node, now, (input, None), view, effects);
        }
    }

    /// What finds no room is asked for again.
    fn want_key(&self, wanted: Wanted) {
        if self.keys_wanted.try_send(wanted).is_err() {
            self.shared.refused("rewrap", 1);
        }
    }

    /// Everything the core asked for, now that the store has kept what it rests on.
    async fn release(&mut self, released: Released) -> Result<(), Problem> {
        self.wake_at = released.wake_at.unwrap_or(self.wake_at);
        let (mut directory_changed, mut visitors, mut reached) = (false, Vec::new(), BTreeSet::new());
        for output in released.outputs {
            match output {
                Output::Send { to, message } => self.say(to, &message).await,
                Output::Reply { ticket, reply } => visitors.extend(self.reply(ticket, reply)),
                Output::Keep(halls) => self.wanted = halls,
                Output::RosterChanged => directory_changed = true,
                Output::Reached(hall) => drop(reached.insert(hall)),
                Output::WrapKey { case, to } => self.want_key(Wanted::Keys(case, to)),
                Output::RenewKey { case, to } => self.want_key(Wanted::NewKey(case, to)),
                Output::Happened(happening) => {
                    tracing::info!(?happening, "happened");
                    self.shared.note(happening);
                }
            }
        }
        match directory_changed {
            true => self.roster().await?,
            false if !reached.is_empty() => self.addresses(&reached).await?,
            false => {}
        }
        for visitor in visitors {
            self.answer(visitor).await;
        }
        Ok(())
    }

    async fn say(&self, to: HallId, message: &Message) {
        if let Some(peer) = self.who.peer(to) {
            let packs = matches!(message, Message::Records { .. });
            self.send(NetCommand::Send { peer, frame: message.encode(), packs }).await;
        }
    }

    /// Hands a reply to whoever waits for it. A visitor is answered once the roster says who is a member.
    fn reply(&mut self, ticket: Ticket, reply: Reply) -> Option<Visitor> {
        match self.waiting.remove(&ticket)? {
            Waiting::Guest(visitor) => return Some(visitor),
            Waiting::Caller(caller) => {
                if caller.send(reply).is_err() {
                    tracing::debug!("a caller hung up before the reply");
                }
            }
            Waiting::Reach => {
                if let Reply::Refused(why) = reply {
                    tracing::warn!(?why, "this hall's addresses could not be made known");
                }
            }
        }
        None
    }

    /// What counts is not what a guest showed but whether it is one of us now.
    async fn answer(&self, visitor: Visitor) {
        let member = self.who.hall(&visitor.peer).is_some();
        let frame = if member { ADMITTED } else { NOT_ADMITTED }.to_vec();
        self.send(NetCommand::GuestReply { guest: visitor.guest, frame }).await;
    }

    async fn roster(&mut self) -> Result<(), Problem> {
        let view = self.shared.snapshot()?;
        let (who, roster) = tokio::task::block_in_place(|| roster::read(&view, self.shared.at.hall));
        drop(view);
        self.who = who;
        self.send(NetCommand::Roster(Arc::new(roster))).await;
        let keep = self.wanted.iter().filter_map(|hall| self.who.peer(*hall)).collect();
        self.send(NetCommand::Keep(keep)).await;
        self.show_lines();
        Ok(())
    }

    /// Some halls are reached elsewhere: nothing else of the roster has changed.
    async fn addresses(&self, reached: &BTreeSet<HallId>) -> Result<(), Problem> {
        let view = self.shared.snapshot()?;
        let peers = reached.iter().filter_map(|hall| self.who.peer(*hall));
        let present = peers.filter_map(|peer| Some((peer, self.who.hall(&peer)?)));
        let moved: Vec<_> = present.map(|(peer, at)| (peer, roster::addresses_of(&view, at))).collect();
        drop(view);
        for (peer, addresses) in moved {
            self.send(NetCommand::Addresses { peer, addresses }).await;
        }
        Ok(())
    }

    fn show_lines(&self) {
        let connected = self.up.values().map(|at| at.hall).collect();
        self.shared.show(|live| {
            live.connected = connected;
            live.wanted.clone_from(&self.wanted);
        });
    }

    fn show_listening(&self) {
        self.shared.show(|live| live.listening = self.reach.listening());
    }

    /// Shows our charter to a neighbour that does not know it.
    fn introduce(&mut self, peer: PeerId) {
        let now = self.now().ticks;
        if !self.visits.may_begin(peer, now) {
            return;
        }
        let view = self.shared.snapshot();
        let hall = self.who.hall(&peer);
        let (Ok(view), Some(at), Ok(frame)) = (view, hall, introduce::frame(&self.shared)) else { return };
        let contact = hallmesh_protocol::directory::Directory::new(&view).contact(at.hall);
        let texts = contact.map(|contact| contact.addresses).unwrap_or_default();
        let addresses = texts.iter().filter_map(|text| text.parse().ok()).collect();
        self.visits.begin(peer, now, introduce::visit(self.keypair.clone(), addresses, frame));
    }

    async fn send(&self, command: NetCommand) {
        if self.net.send(command).await.is_err() {
            tracing::debug!("the network rooms are closed");
        }
    }
}
