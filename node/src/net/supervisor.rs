//! The supervisor: the address book, and the patience to dial again.
//!
//! libp2p forgets an address after one failed dial, holds at most a hundred peers, and redials nobody. Here the
//! addresses come from the roster each time, are never forgotten, and what any peer says about itself or others is
//! never dialled.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    swarm::{
        ConnectionDenied, ConnectionId, DialError, FromSwarm, NetworkBehaviour, ToSwarm,
        dial_opts::{DialOpts, PeerCondition},
        dummy,
    },
};
use tokio::time::Instant;

use super::{
    Refusal, Roster, Settings,
    alarm::{Alarm, after},
    limits::{ADDRESSES_MAX, DIALS_MAX},
};

/// Whether we may close the older of two connections of a pair ourselves, so that the newer takes its place.
///
/// The newer always wins: nobody dials who thinks he is connected, so the older one may be dead at the other end.
/// A settled connection is replaced by whoever sees the new one. While both are young, which is after two halls
/// dialled each other at once, the sides may have seen them in different order; then only the smaller `PeerId`
/// decides, and both end up with the same one.
pub(super) fn may_replace(local: &PeerId, peer: &PeerId, age: Duration, settled: Duration) -> bool {
    age >= settled || local < peer
}

/// A dial that the rooms forbade, or that somebody else answered.
#[derive(Debug)]
pub(super) struct Undialled(pub(super) Refusal, pub(super) PeerId);

/// How it stands with a peer that is to be kept.
#[derive(Default)]
struct Kept {
    failures: u32,
    due: Option<Instant>,
}

/// See the module.
pub(super) struct Supervisor {
    settings: Arc<Settings>,
    local: PeerId,
    roster: Arc<Roster>,
    /// Members that are reached elsewhere than the roster says. At most all of them; the next roster says it, too.
    moved: BTreeMap<PeerId, Vec<Multiaddr>>,
    kept: BTreeMap<PeerId, Kept>,
    dials: BTreeMap<ConnectionId, PeerId>,
    links: BTreeMap<(PeerId, ConnectionId), Instant>,
    /// The earliest due time of `kept`, so that `poll` need not look at all of them.
    next: Option<Instant>,
    alarm: Alarm,
    /// At most one for each failed dial, and handed on at once.
    undialled: VecDeque<Undialled>,
}

impl Supervisor {
    pub(super) fn new(settings: &Arc<Settings>) -> Self {
        Self {
            settings: Arc::clone(settings),
            local: settings.keypair.public().to_peer_id(),
            roster: Arc::default(),
            moved: BTreeMap::new(),
            kept: BTreeMap::new(),
            dials: BTreeMap::new(),
            links: BTreeMap::new(),
            next: None,
            alarm: Alarm::default(),
            undialled: VecDeque::new(),
        }
    }

    /// Replaces the address book. A peer whose addresses changed starts afresh.
    pub(super) fn set_roster(&mut self, roster: Arc<Roster>) {
        let moved = std::mem::take(&mut self.moved);
        for (peer, kept) in &mut self.kept {
            if roster.members.get(peer) != moved.get(peer).or_else(|| self.roster.members.get(peer)) {
                *kept = Kept::default();
            }
        }
        self.roster = roster;
        self.plan_all();
    }

    /// A member is reached elsewhere: what was tried before says nothing about it.
    pub(super) fn reached(&mut self, peer: PeerId, addresses: Vec<Multiaddr>) {
        if !self.roster.has(&peer) || self.addresses(&peer) == Some(&addresses) {
            return;
        }
        self.moved.insert(peer, addresses);
        if let Some(kept) = self.kept.get_mut(&peer) {
            *kept = Kept::default();
            self.replan(peer);
        }
    }

    fn addresses(&self, peer: &PeerId) -> Option<&Vec<Multiaddr>> {
        self.moved.get(peer).or_else(|| self.roster.members.get(peer))
    }

    /// Replaces the peers to keep; those kept before keep their back-off.
    pub(super) fn keep(&mut self, peers: &BTreeSet<PeerId>) {
        self.kept.retain(|peer, _| peers.contains(peer));
        for peer in peers.iter().filter(|peer| **peer != self.local) {
            self.kept.entry(*peer).or_default();
        }
        self.plan_all();
    }

    fn plan_all(&mut self) {
        let now = Instant::now();
        let idle: Vec<_> =
            self.kept.iter().filter(|(_, kept)| kept.due.is_none()).map(|(peer, _)| *peer).collect();
        for peer in idle {
            self.plan(peer, now);
        }
        self.next = self.earliest();
    }

    /// Sets when to dial `peer`, if it is to be dialled at all.
    fn plan(&mut self, peer: PeerId, now: Instant) {
        let needless = self.is_linked(peer) || self.dials.values().any(|dialled| *dialled == peer);
        let can = self.addresses(&peer).is_some_and(|addresses| !addresses.is_empty());
        let (min, max) = (self.settings.backoff_min, self.settings.backoff_max);
        let Some(kept) = self.kept.get_mut(&peer) else { return };
        kept.due = (can && !needless).then(|| after(now, backoff(kept.failures, min, max, chance())));
    }

    fn replan(&mut self, peer: PeerId) {
        self.plan(peer, Instant::now());
        self.next = self.earliest();
    }

    fn earliest(&self) -> Option<Instant> {
        self.kept.values().filter_map(|kept| kept.due).min()
    }

    fn is_linked(&self, peer: PeerId) -> bool {
        let first = (peer, ConnectionId::new_unchecked(0));
        self.links.range(first..).next().is_some_and(|((of, _), _)| *of == peer)
    }

    /// The swarm tells nobody else of a dial that was denied before it began.
    fn dial_failed(&mut self, connection: ConnectionId, error: &DialError) {
        if let Some(peer) = self.dials.remove(&connection) {
            self.undialled.extend(refusal(error).map(|reason| Undialled(reason, peer)));
            self.count_failure(peer);
            self.replan(peer);
        }
    }

    fn count_failure(&mut self, peer: PeerId) {
        if let Some(kept) = self.kept.get_mut(&peer) {
            kept.failures = kept.failures.saturating_add(1);
        }
    }

    fn established(&mut self, peer: PeerId, connection: ConnectionId) {
        self.dials.remove(&connection);
        // A guest's connection is none that a line could come of.
        if !self.roster.has(&peer) {
            return;
        }
        self.links.insert((peer, connection), Instant::now());
        if let Some(kept) = self.kept.get_mut(&peer) {
            kept.due = None;
            self.next = self.earliest();
        }
    }

    /// Established is not admitted: a hall that does not know us accepts the handshake and then closes. So only a
    /// connection that settled ends a row of failures.
    fn closed(&mut self, peer: PeerId, connection: ConnectionId) {
        let Some(since) = self.links.remove(&(peer, connection)) else { return };
        if self.is_linked(peer) {
            return;
        }
        if since.elapsed() < self.settings.settled {
            self.count_failure(peer);
        } else if let Some(kept) = self.kept.get_mut(&peer) {
            kept.failures = 0;
        }
        self.replan(peer);
    }

    fn dial_next(&mut self, now: Instant) -> Option<DialOpts> {
        let due = self.kept.iter_mut().find(|(_, kept)| kept.due.is_some_and(|due| due <= now));
        let peer = due.map(|(peer, kept)| {
            kept.due = None;
            *peer
        });
        self.next = self.earliest();
        // A new port each time: dialling from the listening port, two halls that dial each other at once would
        // meet in one half-open TCP connection.
        let opts = DialOpts::peer_id(peer?).condition(PeerCondition::Always).allocate_new_port().build();
        self.dials.insert(opts.connection_id(), peer?);
        Some(opts)
    }
}

impl NetworkBehaviour for Supervisor {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Undialled;

    fn handle_pending_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: Option<PeerId>,
        _: &[Multiaddr],
        _: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        let addresses = peer.and_then(|peer| self.addresses(&peer));
        Ok(addresses.map(|all| all.iter().take(ADDRESSES_MAX).cloned().collect()).unwrap_or_default())
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<dummy::ConnectionHandler, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<dummy::ConnectionHandler, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        if let FromSwarm::ConnectionEstablished(made) = event {
            self.established(made.peer_id, made.connection_id);
        } else if let FromSwarm::ConnectionClosed(lost) = event {
            self.closed(lost.peer_id, lost.connection_id);
        } else if let FromSwarm::DialFailure(failed) = event {
            self.dial_failed(failed.connection_id, failed.error);
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, never: Infallible) {
        match never {}
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Undialled, Infallible>> {
        if let Some(undialled) = self.undialled.pop_front() {
            return Poll::Ready(ToSwarm::GenerateEvent(undialled));
        }
        // At the cap of dials the end of one of them wakes us.
        let next = self.next.filter(|_| self.dials.len() < DIALS_MAX);
        if self.alarm.poll(next, cx)
            && let Some(opts) = self.dial_next(Instant::now())
        {
            return Poll::Ready(ToSwarm::Dial { opts });
        }
        Poll::Pending
    }
}

/// Nothing for a hall that is merely off.
fn refusal(error: &DialError) -> Option<Refusal> {
    match error {
        DialError::Denied { cause } => Some(Refusal::of(cause)),
        DialError::WrongPeerId { .. } => Some(Refusal::WrongKey),
        DialError::LocalPeerId { .. }
        | DialError::NoAddresses
        | DialError::DialPeerConditionFalse(_)
        | DialError::Aborted
        | DialError::Transport(_) => None,
    }
}

/// How long to wait after so many failures: doubling, bounded, and between half and all of it by `chance`, so that
/// the halls of a county do not dial their county in step. Without a failure anything from nothing to `min`.
fn backoff(failures: u32, min: Duration, max: Duration, chance: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
    let whole = min.saturating_mul(doubled).min(max);
    let (fixed, open) = match failures {
        0 => (Duration::ZERO, whole),
        _ => (whole.checked_div(2).unwrap_or(whole), whole.checked_div(2).unwrap_or(whole)),
    };
    let share = open.checked_div(CHANCES).unwrap_or(open).saturating_mul(chance.min(CHANCES));
    fixed.saturating_add(share)
}

/// The steps of chance.
const CHANCES: u32 = 1024;

/// Evenly from 0 to [`CHANCES`] exclusive; the full wait if the machine has no random numbers.
fn chance() -> u32 {
    getrandom::u32().map_or(CHANCES, |random| random.checked_rem(CHANCES).unwrap_or(CHANCES))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIN: Duration = Duration::from_millis(500);
    const MAX: Duration = Duration::from_secs(60);

    #[test]
    fn the_wait_doubles_up_to_its_bound() {
        let full = |failures| backoff(failures, MIN, MAX, CHANCES).as_millis();
        assert!(
            [0, 1, 2, 3, 4].map(full).into_iter().zip([500, 500, 1000, 2000, 4000]).all(|(a, b)| b - a < 5)
        );
        for failures in [8, 31, 32, u32::MAX] {
            assert!(full(failures) <= MAX.as_millis() && full(failures) > MAX.as_millis() - 100);
        }
    }

    #[test]
    fn a_new_address_ends_a_long_wait_and_the_same_one_does_not() {
        let key = libp2p::identity::Keypair::generate_ed25519();
        let mut supervisor = Supervisor::new(&Arc::new(Settings::new(key, Vec::new())));
        let peer = PeerId::random();
        let at = |address: &str| {
            Arc::new(Roster { members: BTreeMap::from([(peer, vec![address.parse().unwrap()])]) })
        };
        supervisor.set_roster(at("/ip4/10.0.0.1/tcp/1"));
        supervisor.keep(&BTreeSet::from([peer]));
        let failed = Kept { failures: 20, due: Some(after(Instant::now(), MAX)) };
        let due = failed.due;
        supervisor.kept.insert(peer, failed);
        supervisor.set_roster(at("/ip4/10.0.0.1/tcp/1"));
        assert_eq!(supervisor.kept[&peer].due, due);
        supervisor.set_roster(at("/ip4/10.0.0.2/tcp/1"));
        assert!(supervisor.kept[&peer].due.unwrap() <= after(Instant::now(), MIN));
        supervisor.kept.insert(peer, Kept { failures: 20, due });
        let elsewhere: Multiaddr = "/ip4/10.0.0.3/tcp/1".parse().unwrap();
        supervisor.reached(peer, vec!["/ip4/10.0.0.2/tcp/1".parse().unwrap()]);
        assert_eq!(supervisor.kept[&peer].due, due);
        supervisor.reached(peer, vec![elsewhere.clone()]);
        assert!(supervisor.kept[&peer].due.unwrap() <= after(Instant::now(), MIN));
        supervisor.kept.insert(peer, Kept { failures: 20, due });
        supervisor.set_roster(at("/ip4/10.0.0.3/tcp/1"));
        assert_eq!((supervisor.kept[&peer].due, supervisor.addresses(&peer)), (due, Some(&vec![elsewhere])));
        supervisor.set_roster(Arc::default());
        assert_eq!((supervisor.kept[&peer].due, supervisor.next), (None, None));
    }

    #[test]
    fn chance_spreads_the_second_half_of_the_wait() {
        assert_eq!(backoff(0, MIN, MAX, 0), Duration::ZERO);
        assert_eq!(backoff(3, MIN, MAX, 0), Duration::from_secs(1));
        assert!(backoff(3, MIN, MAX, CHANCES / 2) < Duration::from_millis(1501));
    }

    #[test]
    fn the_two_sides_never_both_decide_about_young_connections() {
        let (one, two) = (PeerId::random(), PeerId::random());
        let young = Duration::from_secs(1);
        let settled = Duration::from_secs(5);
        assert_ne!(may_replace(&one, &two, young, settled), may_replace(&two, &one, young, settled));
        assert!(may_replace(&one, &two, settled, settled) && may_replace(&two, &one, settled, settled));
    }
}
