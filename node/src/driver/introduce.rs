//! Showing this hall's charter to a neighbour that does not know it yet.
//!
//! A new hall's charter reaches the city through the hall that issued it. Until it has, other neighbours
//! see a stranger; a stranger may say one thing, and this is it.

use std::collections::BTreeMap;
use std::time::Duration;

use hallmesh_protocol::query;
use hallmesh_protocol::record::encode_records;
use libp2p::identity::Keypair;
use libp2p::{Multiaddr, PeerId};
use tokio::task::{AbortHandle, JoinSet};

use super::shared::Shared;
use crate::net::ask_as_guest;
use crate::ops::Problem;

/// What a guest is told.
pub(crate) const ADMITTED: &[u8] = b"admitted";
pub(crate) const NOT_ADMITTED: &[u8] = b"refused";

/// Milliseconds before the same neighbour is visited again.
const PAUSE_MS: u64 = 3_000;
/// How long a visit to one address may take.
const VISIT_MAX: Duration = Duration::from_secs(10);

/// The one frame: this hall's chain of charters, from the root down.
pub(crate) fn frame(shared: &Shared) -> Result<Vec<u8>, Problem> {
    Ok(encode_records(&query::chain(&shared.snapshot()?, shared.at)))
}

/// Visits until one address takes the charter up. One that refuses may be an old address of the hall, where
/// somebody else answers now.
pub(crate) async fn visit(keypair: Keypair, addresses: Vec<Multiaddr>, frame: Vec<u8>) {
    for address in addresses {
        match ask_as_guest(keypair.clone(), address.clone(), frame.clone(), VISIT_MAX).await {
            Ok(answer) if answer == ADMITTED => {
                return tracing::debug!(%address, "showed this hall's charter");
            }
            Ok(_) => tracing::debug!(%address, "this hall's charter was not taken up"),
            Err(why) => tracing::debug!(%address, %why, "could not show this hall's charter"),
        }
    }
}

/// The visits under way: one at a time to each neighbour, and a pause between two. Dropped, they end.
#[derive(Default)]
pub(crate) struct Visits {
    tasks: JoinSet<()>,
    last: BTreeMap<PeerId, (u64, AbortHandle)>,
}

impl Visits {
    /// Whether this neighbour may be visited now.
    pub(crate) fn may_begin(&mut self, peer: PeerId, now: u64) -> bool {
        while let Some(ended) = self.tasks.try_join_next() {
            if let Err(cause) = ended {
                tracing::error!(%cause, "a visit failed");
            }
        }
        self.last.retain(|_, (until, visit)| now < *until || !visit.is_finished());
        !self.last.contains_key(&peer)
    }

    /// Begins a visit.
    pub(crate) fn begin(&mut self, peer: PeerId, now: u64, visit: impl Future<Output = ()> + Send + 'static) {
        let visit = self.tasks.spawn(visit);
        self.last.insert(peer, (now.saturating_add(PAUSE_MS), visit));
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;
    use tokio::time::timeout;

    use super::*;
    use crate::net::{self, Net, NetCommand, NetEvent, Settings};

    const QUIET: Duration = Duration::from_secs(2);

    #[tokio::test]
    async fn a_neighbour_has_one_visit_at_a_time_and_a_pause_between_two() {
        let (mut visits, peer, other) = (Visits::default(), PeerId::random(), PeerId::random());
        let (end, ended) = oneshot::channel::<()>();
        assert!(visits.may_begin(peer, 0));
        visits.begin(peer, 0, async { drop(ended.await) });
        assert!(visits.may_begin(other, 0));
        assert!(!visits.may_begin(peer, PAUSE_MS * 100));
        drop(end);
        while visits.last.values().any(|(_, visit)| !visit.is_finished()) {
            tokio::task::yield_now().await;
        }
        assert!(!visits.may_begin(peer, PAUSE_MS - 1));
        assert!(visits.may_begin(peer, PAUSE_MS));
        assert!(visits.last.is_empty());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_refusal_at_one_address_is_not_the_last_word() {
        let (refusing, first) = door(NOT_ADMITTED).await;
        let (admitting, second) = door(ADMITTED).await;
        let visitor = Keypair::generate_ed25519();
        visit(visitor, vec![first.clone(), second, first], b"charter".to_vec()).await;
        assert_eq!((refusing.await.unwrap(), admitting.await.unwrap()), (1, 1));
    }

    /// A hall that gives every guest the same answer; ends when nobody comes any more, with how many came.
    async fn door(answer: &'static [u8]) -> (JoinHandle<u32>, Multiaddr) {
        let listen = vec!["/ip4/127.0.0.1/tcp/0".parse().unwrap()];
        let mut net = net::start(Settings::new(Keypair::generate_ed25519(), listen)).unwrap();
        let Some(NetEvent::Listening(address)) = net.events.recv().await else { panic!("does not listen") };
        (tokio::spawn(async move { guests(net, answer).await }), address)
    }

    async fn guests(mut net: Net, answer: &'static [u8]) -> u32 {
        let mut guests: u32 = 0;
        while let Ok(Some(event)) = timeout(QUIET, net.events.recv()).await {
            let NetEvent::Guest { guest, .. } = event else { continue };
            guests = guests.saturating_add(1);
            net.commands.send(NetCommand::GuestReply { guest, frame: answer.to_vec() }).await.unwrap();
        }
        guests
    }
}
