//! The doorkeeper: member or guest, before any other room sees a connection.
//!
//! A member is who the roster says. Everybody else is a guest: one stream, one frame in, one frame out, a seat, a
//! deadline. A handler is fixed when its connection is made, so a guest who becomes a member comes again.
//!
//! The limits of connections are kept here and not by libp2p's own behaviour, whose table keeps an entry for every
//! `PeerId` that ever came in: a stranger has as many of those as he likes.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    convert::Infallible,
    io,
    sync::Arc,
    task::{Context, Poll},
};

use futures::{AsyncReadExt as _, AsyncWriteExt as _, FutureExt as _};
use libp2p::{
    Multiaddr, PeerId, Stream,
    core::{Endpoint, transport::PortUse},
    swarm::{CloseConnection, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, ToSwarm},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use super::{
    GuestId, NetEvent, Refusal, Roster, Settings,
    alarm::{Alarm, after},
    framing::{read_guest, write_guest},
    limits::{CONNECTIONS_PER_MEMBER, GUEST_FRAME_MAX, GUEST_PROTOCOL, PENDING_INBOUND_MAX},
    one_stream::{OneStream, Said, Task},
    rate::Rates,
};

type Handler = OneStream<Vec<u8>, Visit>;
type Action = ToSwarm<DoorEvent, Infallible>;

/// What the doorkeeper tells the network task.
#[derive(Debug)]
pub(super) enum DoorEvent {
    /// For the driver as it is.
    Net(NetEvent),
    /// A guest was turned out.
    Refused(Refusal),
}

/// How a visit ended.
#[derive(Debug)]
pub(super) enum Visit {
    /// The guest has its answer, or left.
    Over,
    /// Its frame was none.
    Malformed,
}

struct Guest {
    id: GuestId,
    peer: PeerId,
    deadline: Instant,
    /// Taken by the answer.
    answer: Option<oneshot::Sender<Vec<u8>>>,
    /// On its way out, still on its seat until the connection is gone.
    leaving: bool,
}

/// See the module.
pub(super) struct Doorkeeper {
    settings: Arc<Settings>,
    roster: Arc<Roster>,
    handshakes: Rates,
    visits: Rates,
    arriving: BTreeSet<ConnectionId>,
    members: BTreeSet<(PeerId, ConnectionId)>,
    guests: BTreeMap<ConnectionId, Guest>,
    next_id: u64,
    alarm: Alarm,
    actions: VecDeque<Action>,
}

impl Doorkeeper {
    pub(super) fn new(settings: &Arc<Settings>) -> Self {
        Self {
            settings: Arc::clone(settings),
            roster: Arc::default(),
            handshakes: Rates::new(settings.rate_window, settings.handshakes_per_ip),
            visits: Rates::new(settings.rate_window, settings.guests_per_ip),
            arriving: BTreeSet::new(),
            members: BTreeSet::new(),
            guests: BTreeMap::new(),
            next_id: 0,
            alarm: Alarm::default(),
            actions: VecDeque::new(),
        }
    }

    /// Replaces the roster for all who come from now on.
    pub(super) fn set_roster(&mut self, roster: Arc<Roster>) {
        self.roster = roster;
    }

    /// Gives a guest its answer, and the grace to read it.
    pub(super) fn reply(&mut self, guest: GuestId, frame: Vec<u8>) {
        if frame.is_empty() || frame.len() > GUEST_FRAME_MAX {
            tracing::warn!(%guest, bytes = frame.len(), "an answer that cannot be sent; the guest is dismissed");
            return self.dismiss(guest);
        }
        let deadline = after(Instant::now(), self.settings.guest_grace);
        let found = self.guests.values_mut().find(|visitor| visitor.id == guest && !visitor.leaving);
        if let Some(visitor) = found
            && let Some(answer) = visitor.answer.take()
        {
            visitor.deadline = deadline;
            // It has left if this fails.
            drop(answer.send(frame));
        }
    }

    /// Sends a guest away.
    pub(super) fn dismiss(&mut self, guest: GuestId) {
        let found =
            self.guests.iter().find(|(_, visitor)| visitor.id == guest).map(|(connection, _)| *connection);
        if let Some(connection) = found {
            self.show_out(connection, None);
        }
    }

    fn show_out(&mut self, connection: ConnectionId, refusal: Option<Refusal>) {
        let Some(guest) = self.guests.get_mut(&connection).filter(|guest| !guest.leaving) else { return };
        guest.leaving = true;
        let close = CloseConnection::One(connection);
        self.actions.push_back(ToSwarm::CloseConnection { peer_id: guest.peer, connection: close });
        if let Some(refusal) = refusal {
            self.actions.push_back(ToSwarm::GenerateEvent(DoorEvent::Refused(refusal)));
        }
    }

    fn must_be_member(&self, peer: Option<PeerId>) -> Result<(), ConnectionDenied> {
        if peer.is_some_and(|peer| self.roster.has(&peer)) {
            return Ok(());
        }
        Err(ConnectionDenied::new(Refusal::NotInRoster))
    }

    fn admit_member(&mut self, peer: PeerId, connection: ConnectionId) -> Result<Handler, Refusal> {
        let first = (peer, ConnectionId::new_unchecked(0));
        let own = self.members.range(first..).take_while(|(of, _)| *of == peer).count();
        let all = u32::try_from(self.members.len()).unwrap_or(u32::MAX);
        if own >= CONNECTIONS_PER_MEMBER || all >= self.settings.members_max {
            return Err(Refusal::MembersFull);
        }
        self.members.insert((peer, connection));
        Ok(OneStream::closed(GUEST_PROTOCOL))
    }

    fn admit_guest(&mut self, peer: PeerId, id: ConnectionId, from: &Multiaddr) -> Result<Handler, Refusal> {
        let now = Instant::now();
        if !self.visits.admit(now, from) {
            return Err(Refusal::GuestRate);
        }
        if self.guests.len() >= self.settings.seats {
            return Err(Refusal::SeatsFull);
        }
        if self.guests.values().any(|guest| guest.peer == peer) {
            return Err(Refusal::GuestTwice);
        }
        self.next_id = self.next_id.saturating_add(1);
        let (answer, answered) = oneshot::channel();
        let deadline = after(now, self.settings.guest_deadline);
        let guest = Guest { id: GuestId(self.next_id), peer, deadline, answer: Some(answer), leaving: false };
        self.guests.insert(id, guest);
        let start =
            Box::new(move |stream, frames| -> Task<Visit> { receive(stream, frames, answered).boxed() });
        Ok(OneStream::accepting(GUEST_PROTOCOL, start))
    }

    fn gone(&mut self, connection: ConnectionId, peer: Option<PeerId>) {
        self.arriving.remove(&connection);
        self.guests.remove(&connection);
        if let Some(peer) = peer {
            self.members.remove(&(peer, connection));
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.guests.values().filter(|guest| !guest.leaving).map(|guest| guest.deadline).min()
    }

    fn show_out_late(&mut self, now: Instant) {
        let late = |guest: &Guest| !guest.leaving && guest.deadline <= now;
        let late: Vec<_> = self
            .guests
            .iter()
            .filter(|(_, guest)| late(guest))
            // An answered guest that does not hang up has done nothing wrong.
            .map(|(connection, guest)| (*connection, guest.answer.as_ref().map(|_| Refusal::GuestDeadline)))
            .collect();
        for (connection, refusal) in late {
            self.show_out(connection, refusal);
        }
    }
}

/// One visit: a frame, an answer, and the wait until the guest has hung up. Closing on the answer would lose it,
/// because the guest's side dies with what it has not read; the doorkeeper's deadline bounds the wait.
async fn receive(
    mut stream: Stream,
    frames: mpsc::Sender<Vec<u8>>,
    answer: oneshot::Receiver<Vec<u8>>,
) -> Visit {
    let frame = match read_guest(&mut stream).await {
        Ok(frame) => frame,
        Err(error) => {
            let bad = matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof);
            return if bad { Visit::Malformed } else { Visit::Over };
        }
    };
    if frames.send(frame).await.is_err() {
        return Visit::Over;
    }
    let Ok(answer) = answer.await else { return Visit::Over };
    if write_guest(&mut stream, &answer).await.is_err() || stream.close().await.is_err() {
        return Visit::Over;
    }
    let mut rest = [0; 64];
    while stream.read(&mut rest).await.is_ok_and(|read| read > 0) {}
    Visit::Over
}

impl NetworkBehaviour for Doorkeeper {
    type ConnectionHandler = Handler;
    type ToSwarm = DoorEvent;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: &Multiaddr,
        from: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        // The handshake is paid for before the PeerId is known, so its price is bounded by address and in all.
        if !self.handshakes.admit(Instant::now(), from) {
            return Err(ConnectionDenied::new(Refusal::HandshakeRate));
        }
        if self.arriving.len() >= PENDING_INBOUND_MAX {
            return Err(ConnectionDenied::new(Refusal::HandshakesFull));
        }
        self.arriving.insert(connection);
        Ok(())
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        from: &Multiaddr,
    ) -> Result<Handler, ConnectionDenied> {
        self.arriving.remove(&connection);
        let admitted = if self.roster.has(&peer) {
            self.admit_member(peer, connection)
        } else {
            self.admit_guest(peer, connection, from)
        };
        admitted.map_err(ConnectionDenied::new)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: Option<PeerId>,
        _: &[Multiaddr],
        _: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        self.must_be_member(peer).map(|()| Vec::new())
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<Handler, ConnectionDenied> {
        // Asked again: the roster may have changed during the handshake.
        self.must_be_member(Some(peer))?;
        self.admit_member(peer, connection).map_err(ConnectionDenied::new)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        if let FromSwarm::ConnectionClosed(lost) = event {
            self.gone(lost.connection_id, Some(lost.peer_id));
        } else if let FromSwarm::ListenFailure(failed) = event {
            self.gone(failed.connection_id, failed.peer_id);
        } else if let FromSwarm::DialFailure(failed) = event {
            self.gone(failed.connection_id, failed.peer_id);
        }
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        said: Said<Vec<u8>, Visit>,
    ) {
        match said {
            Said::Opened | Said::NotOpened { .. } => {}
            Said::Items(frames) => {
                let Some(guest) = self.guests.get(&connection).map(|guest| guest.id) else { return };
                let visits = frames.into_iter().map(|frame| NetEvent::Guest { guest, peer, frame });
                self.actions.extend(visits.map(|visit| ToSwarm::GenerateEvent(DoorEvent::Net(visit))));
            }
            Said::Ended(Visit::Over) => self.show_out(connection, None),
            Said::Ended(Visit::Malformed) => self.show_out(connection, Some(Refusal::GuestFrame)),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Action> {
        while self.alarm.poll(self.next_deadline(), cx) {
            self.show_out_late(Instant::now());
        }
        self.actions.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}

#[cfg(test)]
mod tests {
    use libp2p::identity::Keypair;

    use super::*;

    fn refusal<T>(answer: Result<T, ConnectionDenied>) -> Option<Refusal> {
        answer.err().map(|denied| denied.downcast().unwrap())
    }

    #[tokio::test]
    async fn only_members_are_dialled_and_asked_again_after_the_handshake() {
        let mut door = Doorkeeper::new(&Arc::new(Settings::new(Keypair::generate_ed25519(), Vec::new())));
        let (peer, id) = (PeerId::random(), ConnectionId::new_unchecked(7));
        let before = |door: &mut Doorkeeper, peer| {
            refusal(door.handle_pending_outbound_connection(id, peer, &[], Endpoint::Dialer))
        };
        assert_eq!(before(&mut door, None), Some(Refusal::NotInRoster));
        assert_eq!(before(&mut door, Some(peer)), Some(Refusal::NotInRoster));
        let members = BTreeMap::from([(peer, Vec::new())]);
        door.set_roster(Arc::new(Roster { members }));
        assert_eq!(before(&mut door, Some(peer)), None);
        door.set_roster(Arc::default());
        let (at, dialler) = (Multiaddr::empty(), Endpoint::Dialer);
        let after = door.handle_established_outbound_connection(id, peer, &at, dialler, PortUse::New);
        assert_eq!(refusal(after), Some(Refusal::NotInRoster));
    }
}
