//! The line: one long-lived stream of numbered frames between two members.
//!
//! At most one line of a peer is up. When two connections of a pair stand, the newer one wins (see
//! [`supervisor::may_replace`]); the loser's `Down` comes before the winner's `Up`.

mod stream;

use std::{
    collections::{BTreeMap, VecDeque},
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    swarm::{
        CloseConnection, ConnectionClosed, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour,
        ToSwarm,
    },
};
use tokio::{sync::Semaphore, time::Instant};

use super::{
    LineId, NetEvent, Refusal, Roster, Settings,
    alarm::{Alarm, after},
    limits::LINE_PROTOCOL,
    one_stream::{OneStream, Said},
    supervisor,
};
use stream::{End, Ends, Inbound, Room};

type Handler = OneStream<Inbound, End>;
type Action = ToSwarm<LineEvent, Infallible>;

/// What the lines tell the network task.
#[derive(Debug)]
pub(super) enum LineEvent {
    /// For the driver as it is.
    Net(NetEvent),
    /// A member was turned away.
    Refused(Refusal, PeerId),
}

/// How far a line has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The stream is being negotiated.
    Opening,
    /// The stream stands, and an older line of the same peer too.
    Waiting,
    /// The line of its peer.
    Up(Instant),
}

struct Line {
    id: LineId,
    outbound: bool,
    stage: Stage,
    ends: Ends,
    /// The last number given to the driver.
    delivered: u64,
    /// The room each uncommitted frame takes; freed by the commit, or with the line.
    uncommitted: VecDeque<(u64, Room)>,
}

/// The lines of all members.
pub(super) struct Lines {
    local: PeerId,
    settings: Arc<Settings>,
    roster: Arc<Roster>,
    budget: Arc<Semaphore>,
    all: BTreeMap<(PeerId, ConnectionId), Line>,
    next_id: u64,
    /// When the larger `PeerId` stops waiting for the smaller one to close a surplus connection.
    surplus: BTreeMap<PeerId, Instant>,
    alarm: Alarm,
    actions: VecDeque<Action>,
}

impl Lines {
    pub(super) fn new(settings: &Arc<Settings>) -> Self {
        Self {
            local: settings.keypair.public().to_peer_id(),
            settings: Arc::clone(settings),
            roster: Arc::default(),
            budget: Arc::new(Semaphore::new(settings.receive_budget)),
            all: BTreeMap::new(),
            next_id: 0,
            surplus: BTreeMap::new(),
            alarm: Alarm::default(),
            actions: VecDeque::new(),
        }
    }

    /// Replaces the roster. Lines of peers no longer in it go down now, not when their connection has closed.
    pub(super) fn set_roster(&mut self, roster: Arc<Roster>) {
        let gone: Vec<_> = self.all.keys().filter(|(peer, _)| !roster.has(peer)).copied().collect();
        self.roster = roster;
        for key in gone {
            self.drop_line(key);
        }
    }

    /// Queues a frame; false if it will not leave.
    pub(super) fn send(&self, peer: PeerId, frame: Vec<u8>, packs: bool) -> bool {
        self.up(peer).and_then(|key| self.all.get(&key)).is_some_and(|line| line.ends.send(frame, packs))
    }

    /// Acknowledges and frees everything up to `upto`.
    pub(super) fn committed(&mut self, peer: PeerId, id: LineId, upto: u64) {
        let line = self.up(peer).and_then(|key| self.all.get_mut(&key)).filter(|line| line.id == id);
        if let Some(line) = line {
            // Never acknowledge what has not been given out, whatever the driver says.
            line.ends.acknowledge(upto.min(line.delivered));
            let durable = line.uncommitted.iter().take_while(|(number, _)| *number <= upto).count();
            line.uncommitted.drain(..durable);
        }
    }

    fn connections(&self, peer: PeerId) -> impl Iterator<Item = ((PeerId, ConnectionId), &Line)> {
        let first = (peer, ConnectionId::new_unchecked(0));
        self.all.range(first..).take_while(move |((of, _), _)| *of == peer).map(|(key, line)| (*key, line))
    }

    fn up(&self, peer: PeerId) -> Option<(PeerId, ConnectionId)> {
        self.connections(peer).find(|(_, line)| matches!(line.stage, Stage::Up(_))).map(|(key, _)| key)
    }

    fn handler(&mut self, connection: ConnectionId, peer: PeerId, outbound: bool) -> Handler {
        if !self.roster.has(&peer) {
            return OneStream::closed(LINE_PROTOCOL);
        }
        self.next_id = self.next_id.saturating_add(1);
        let (ends, start) = stream::pair(&self.settings, Arc::clone(&self.budget));
        let (delivered, uncommitted) = (0, VecDeque::new());
        let line =
            Line { id: LineId(self.next_id), outbound, stage: Stage::Opening, ends, delivered, uncommitted };
        self.all.insert((peer, connection), line);
        // The dialler opens the stream and the other side takes it, so there is one and not two.
        if outbound {
            OneStream::opening(LINE_PROTOCOL, start)
        } else {
            OneStream::accepting(LINE_PROTOCOL, start)
        }
    }

    /// The stream of `key` stands: it becomes the peer's line now, or waits for the older one to go.
    fn opened(&mut self, key: (PeerId, ConnectionId)) {
        let Some(line) = self.all.get_mut(&key) else { return };
        line.stage = Stage::Waiting;
        let now = Instant::now();
        let Some(older) = self.up(key.0) else { return self.raise(key) };
        let Some(Stage::Up(since)) = self.all.get(&older).map(|line| line.stage) else { return };
        let age = now.saturating_duration_since(since);
        if supervisor::may_replace(&self.local, &key.0, age, self.settings.settled) {
            self.drop_line(older);
        } else {
            self.surplus.entry(key.0).or_insert(after(now, self.settings.surplus_grace));
        }
    }

    fn raise(&mut self, key: (PeerId, ConnectionId)) {
        if let Some(line) = self.all.get_mut(&key) {
            line.stage = Stage::Up(Instant::now());
            line.ends.start();
            let up = NetEvent::Up { peer: key.0, line: line.id, outbound: line.outbound };
            self.actions.push_back(ToSwarm::GenerateEvent(LineEvent::Net(up)));
        }
    }

    /// Closes the connection and forgets the line.
    fn drop_line(&mut self, key: (PeerId, ConnectionId)) {
        let connection = CloseConnection::One(key.1);
        self.actions.push_back(ToSwarm::CloseConnection { peer_id: key.0, connection });
        self.forget(key);
    }

    /// Forgets the line; if it was up it goes down, and the newest waiting one takes its place.
    fn forget(&mut self, key: (PeerId, ConnectionId)) {
        let Some(line) = self.all.remove(&key) else { return };
        if !matches!(line.stage, Stage::Up(_)) {
            return;
        }
        self.surplus.remove(&key.0);
        let down = NetEvent::Down { peer: key.0, line: line.id };
        self.actions.push_back(ToSwarm::GenerateEvent(LineEvent::Net(down)));
        let next = self.connections(key.0).filter(|(_, line)| line.stage == Stage::Waiting).last();
        // Nobody takes the place of a peer that has just left the roster.
        if let Some((next, _)) = next.filter(|_| self.roster.has(&key.0)) {
            self.raise(next);
        }
    }

    fn deliver(&mut self, key: (PeerId, ConnectionId), frames: Vec<Inbound>) {
        let Some(line) = self.all.get_mut(&key) else { return };
        for Inbound { number, bytes, room } in frames {
            line.delivered = number;
            line.uncommitted.push_back((number, room));
            let frame = NetEvent::Frame { peer: key.0, line: line.id, number, bytes };
            self.actions.push_back(ToSwarm::GenerateEvent(LineEvent::Net(frame)));
        }
    }

    fn ended(&mut self, key: (PeerId, ConnectionId), refusal: Option<Refusal>) {
        if let Some(refusal) = refusal.filter(|_| self.all.contains_key(&key)) {
            self.actions.push_back(ToSwarm::GenerateEvent(LineEvent::Refused(refusal, key.0)));
        }
        self.drop_line(key);
    }

    /// The smaller `PeerId` has not closed the older connection in time: it may know of none.
    fn close_surplus(&mut self, now: Instant) {
        let late: Vec<_> =
            self.surplus.iter().filter(|(_, due)| **due <= now).map(|(peer, _)| *peer).collect();
        for peer in late {
            self.surplus.remove(&peer);
            let waiting = self.connections(peer).any(|(_, line)| line.stage == Stage::Waiting);
            if let Some(older) = self.up(peer).filter(|_| waiting) {
                self.drop_line(older);
            }
        }
    }
}

impl NetworkBehaviour for Lines {
    type ConnectionHandler = Handler;
    type ToSwarm = LineEvent;

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<Handler, ConnectionDenied> {
        Ok(self.handler(connection, peer, false))
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<Handler, ConnectionDenied> {
        Ok(self.handler(connection, peer, true))
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        if let FromSwarm::ConnectionClosed(ConnectionClosed { peer_id, connection_id, .. }) = event {
            self.forget((peer_id, connection_id));
        }
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        said: Said<Inbound, End>,
    ) {
        let key = (peer, connection);
        match said {
            Said::Opened => self.opened(key),
            Said::NotOpened { unsupported } => self.ended(key, unsupported.then_some(Refusal::NotAdmitted)),
            Said::Items(frames) => self.deliver(key, frames),
            Said::Ended(End::Closed) => self.ended(key, None),
            Said::Ended(End::Refused(refusal)) => self.ended(key, Some(refusal)),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Action> {
        while self.alarm.poll(self.surplus.values().min().copied(), cx) {
            self.close_surplus(Instant::now());
        }
        self.actions.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}
