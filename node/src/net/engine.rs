//! The network task: commands in, swarm in the middle, events out.
//!
//! Commands are always taken, also while the driver does not read events, so the two can never wait for each other.

use std::{collections::BTreeSet, num::NonZeroUsize, sync::Arc};

use anyhow::Context as _;
use futures::StreamExt as _;
use libp2p::{
    PeerId, Swarm,
    swarm::{Config, ListenError, SwarmEvent},
};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

use super::{
    NetCommand, NetEvent, Refusal, Settings,
    alarm::after,
    behaviour::{DoorEvent, LineEvent, RoomEvent, Rooms, Undialled},
    limits::{NEGOTIATING_MAX, SHUTDOWN_MAX},
    outbox::Outbox,
    transport,
};

/// Events one connection may have under way to the swarm.
const CONNECTION_EVENTS: usize = 8;
/// Commands the swarm may have under way to one connection; only closing is one.
const CONNECTION_COMMANDS: NonZeroUsize = NonZeroUsize::MIN;

/// See the module.
pub(super) struct Engine {
    swarm: Swarm<Rooms>,
    commands: mpsc::Receiver<NetCommand>,
    events: mpsc::Sender<NetEvent>,
    outbox: Outbox,
}

/// Whether the task goes on.
enum Then {
    GoOn,
    Close,
}

/// What the task was woken by.
enum Woken {
    Command(Option<NetCommand>),
    Swarm(SwarmEvent<RoomEvent>),
    /// Whether the driver still reads.
    Room(bool),
}

impl Engine {
    /// Makes the swarm and listens.
    pub(super) fn open(
        settings: Settings,
        commands: mpsc::Receiver<NetCommand>,
        events: mpsc::Sender<NetEvent>,
    ) -> anyhow::Result<Self> {
        let settings = Arc::new(settings);
        let transport = transport::build(&settings.keypair, settings.handshake_timeout)?;
        let config = Config::with_tokio_executor()
            .with_idle_connection_timeout(settings.idle)
            .with_max_negotiating_inbound_streams(NEGOTIATING_MAX)
            .with_notify_handler_buffer_size(CONNECTION_COMMANDS)
            .with_per_connection_event_buffer_size(CONNECTION_EVENTS);
        let local = settings.keypair.public().to_peer_id();
        let mut swarm = Swarm::new(transport, Rooms::new(&settings), local, config);
        // All are probed before the first is taken, or /ip6/:: would collide with our own /ip4/0.0.0.0.
        for address in &settings.listen {
            transport::probe(address)?;
        }
        for address in &settings.listen {
            swarm.listen_on(address.clone()).with_context(|| format!("cannot listen on {address}"))?;
        }
        Ok(Self { swarm, commands, events, outbox: Outbox::default() })
    }

    /// Runs until `Shutdown`, or until the driver is gone.
    pub(super) async fn run(mut self) {
        loop {
            let waiting = !self.outbox.is_empty();
            let woken = tokio::select! {
                command = self.commands.recv() => Woken::Command(command),
                event = self.swarm.select_next_some() => Woken::Swarm(event),
                room = self.events.reserve(), if waiting => Woken::Room(room.is_ok()),
            };
            match woken {
                Woken::Swarm(event) => self.take(event),
                Woken::Command(Some(command)) => match self.obey(command) {
                    Then::GoOn => {}
                    Then::Close => break,
                },
                Woken::Room(true) => {}
                Woken::Command(None) | Woken::Room(false) => break,
            }
            self.hand_out();
        }
        self.close().await;
    }

    /// Gives the driver what it has room for.
    fn hand_out(&mut self) {
        while !self.outbox.is_empty() {
            let Ok(permit) = self.events.try_reserve() else { return };
            if let Some(event) = self.outbox.next() {
                permit.send(event);
            }
        }
    }

    fn obey(&mut self, command: NetCommand) -> Then {
        let rooms = self.swarm.behaviour_mut();
        match command {
            NetCommand::Roster(roster) => rooms.set_roster(&roster),
            NetCommand::Addresses { peer, addresses } => rooms.supervisor.reached(peer, addresses),
            NetCommand::Keep(peers) => rooms.supervisor.keep(&peers),
            NetCommand::Send { peer, frame, packs } => {
                if !rooms.lines.send(peer, frame, packs) {
                    self.outbox.unsent(peer);
                }
            }
            NetCommand::Committed { peer, line, upto } => rooms.lines.committed(peer, line, upto),
            NetCommand::GuestReply { guest, frame } => rooms.door.reply(guest, frame),
            NetCommand::GuestClose { guest } => rooms.door.dismiss(guest),
            NetCommand::Shutdown => return Then::Close,
        }
        Then::GoOn
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "foreign enum; the rooms have told what matters")]
    fn take(&mut self, event: SwarmEvent<RoomEvent>) {
        match event {
            SwarmEvent::Behaviour(
                RoomEvent::Door(DoorEvent::Net(event)) | RoomEvent::Line(LineEvent::Net(event)),
            ) => {
                self.outbox.push(event);
            }
            SwarmEvent::Behaviour(RoomEvent::Door(DoorEvent::Refused(reason))) => {
                self.outbox.refused(reason, None);
            }
            SwarmEvent::Behaviour(
                RoomEvent::Line(LineEvent::Refused(reason, peer))
                | RoomEvent::Undialled(Undialled(reason, peer)),
            ) => {
                self.outbox.refused(reason, Some(peer));
            }
            SwarmEvent::NewListenAddr { address, .. } => self.outbox.push(NetEvent::Listening(address)),
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                self.outbox.push(NetEvent::NotListening(address));
            }
            SwarmEvent::ListenerClosed { addresses, reason: Err(error), .. } => {
                let names: Vec<_> = addresses.iter().map(ToString::to_string).collect();
                let text = format!("the listener on {} died: {error}", names.join(", "));
                self.outbox.push(NetEvent::Fatal(text));
            }
            SwarmEvent::ListenerError { error, .. } => {
                tracing::debug!(%error, "a connection could not be accepted");
                self.outbox.refused(Refusal::Accept, None);
            }
            SwarmEvent::IncomingConnectionError { send_back_addr, error, .. } => {
                tracing::debug!(from = %send_back_addr, %error, "a connection was turned away");
                self.outbox.refused(inbound_refusal(error), None);
            }
            SwarmEvent::OutgoingConnectionError { peer_id: Some(peer), error, .. } => {
                tracing::debug!(%peer, %error, "a dial failed");
            }
            _ => {}
        }
    }

    /// Lets everybody go, within a bound. What is still in the outbox is handed out as far as the driver reads.
    async fn close(mut self) {
        let deadline = after(Instant::now(), SHUTDOWN_MAX);
        // Or it would dial those we are taking leave of.
        self.swarm.behaviour_mut().supervisor.keep(&BTreeSet::new());
        let peers: Vec<PeerId> = self.swarm.connected_peers().copied().collect();
        for peer in peers {
            if self.swarm.disconnect_peer_id(peer).is_err() {
                tracing::debug!(%peer, "had left already");
            }
        }
        while self.swarm.connected_peers().next().is_some() {
            match timeout_at(deadline, self.swarm.select_next_some()).await {
                Ok(event) => self.take(event),
                Err(_elapsed) => break,
            }
            self.hand_out();
        }
        self.hand_out();
    }
}

fn inbound_refusal(error: ListenError) -> Refusal {
    match error {
        ListenError::Denied { cause } => Refusal::of(&cause),
        ListenError::Aborted
        | ListenError::WrongPeerId { .. }
        | ListenError::LocalPeerId { .. }
        | ListenError::Transport(_) => Refusal::Handshake,
    }
}
