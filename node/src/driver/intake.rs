//! Frames become checked messages here, off the loop, in the order in which they came.

use std::sync::Arc;

use hallmesh_protocol::message::Message;
use hallmesh_protocol::record::decode_records;
use hallmesh_protocol::recording::Noting;
use hallmesh_protocol::step::View;
use hallmesh_protocol::verify::{self, Checked};
use tokio::sync::{mpsc, watch};

use super::engine::{Event, Visitor};
use super::shared::Shared;
use super::tape::Noted;
use crate::net::NetEvent;
use crate::ops::Problem;

/// Reads what the rooms tell until they close: the ports are free only then. Whatever ends it early stops the node.
pub(crate) async fn run(
    shared: Arc<Shared>,
    mut events: mpsc::Receiver<NetEvent>,
    feed: mpsc::Sender<Event>,
    stop: watch::Sender<bool>,
) -> Result<(), Problem> {
    let outcome = read(&shared, &mut events, &feed, &stop).await;
    stop.send_replace(true);
    while events.recv().await.is_some() {}
    outcome
}

/// Until the engine is gone, or the rooms; rooms that close by themselves have failed.
async fn read(
    shared: &Shared,
    events: &mut mpsc::Receiver<NetEvent>,
    feed: &mpsc::Sender<Event>,
    stop: &watch::Sender<bool>,
) -> Result<(), Problem> {
    while let Some(event) = events.recv().await {
        let Some(event) = tokio::task::block_in_place(|| check(shared, event))? else { continue };
        if feed.send(event).await.is_err() {
            return Ok(());
        }
    }
    let expected = *stop.borrow() || feed.is_closed();
    if expected { Ok(()) } else { Err(Problem::new("net.failed").with("reason", "the network task ended")) }
}

fn check(shared: &Shared, event: NetEvent) -> Result<Option<Event>, Problem> {
    Ok(Some(match event {
        NetEvent::Frame { peer, line, number, bytes } => {
            let (message, noted) = message(shared, &bytes)?;
            Event::Frame { peer, line, number, message, noted }
        }
        NetEvent::Guest { guest, peer, frame } => guest_shows(shared, Visitor { guest, peer }, &frame)?,
        NetEvent::Up { peer, .. } => Event::Up { peer },
        NetEvent::Down { peer, .. } => Event::Down { peer },
        NetEvent::Listening(address) => Event::Listening(address),
        NetEvent::NotListening(address) => Event::NotListening(address),
        NetEvent::Refused { reason, peer, count } => {
            shared.refused(reason.word(), count);
            match peer {
                Some(peer) if reason == crate::net::Refusal::NotAdmitted => Event::NotAdmitted { peer },
                Some(_) | None => return Ok(None),
            }
        }
        NetEvent::Unsent { count, .. } => {
            shared.refused("unsent", count);
            return Ok(None);
        }
        NetEvent::Fatal(reason) => return Err(Problem::new("net.failed").with("reason", reason)),
    }))
}

/// The one frame of a stranger: a chain of charters, or nothing that is taken up.
fn guest_shows(shared: &Shared, visitor: Visitor, frame: &[u8]) -> Result<Event, Problem> {
    let Ok(records) = decode_records(frame) else {
        shared.refused("guest-frame", 1);
        return Ok(Event::Guest { visitor, records: Vec::new(), refused: 0 });
    };
    let (records, refused) = verify::records(&shared.snapshot()?, records);
    Ok(Event::Guest { visitor, records, refused })
}

/// A frame that is refused still counts as read: its sender repeats what matters.
fn message(shared: &Shared, bytes: &[u8]) -> Result<(Option<Checked>, Option<Box<Noted>>), Problem> {
    let (view, checked_at) = shared.commits.around(|| shared.snapshot());
    let view = view?;
    let noting = Noting::new(&view);
    let base: &dyn View = if shared.records { &noting } else { &view };
    let checked = Message::decode(bytes).map_err(|why| ("malformed", why.to_string())).and_then(|message| {
        verify::message(base, shared.at.hall, message).map_err(|why| ("unverified", why.to_string()))
    });
    let (message, refused) = match checked {
        Ok(message) => (Some(message), None),
        Err((word, why)) => {
            tracing::debug!(%why, "a frame was refused");
            shared.refused(word, 1);
            (None, Some(why))
        }
    };
    let noted = |seen| Box::new(Noted { bytes: bytes.to_vec().into(), checked_at, seen, refused });
    Ok((message, shared.records.then(|| noted(noting.seen()))))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use libp2p::identity::Keypair;
    use tempfile::TempDir;
    use tokio::time::timeout;

    use super::*;
    use crate::home::Home;
    use crate::net::{self, Settings};
    use crate::store::Store;

    const SHORT: Duration = Duration::from_millis(100);

    fn shared(dir: &TempDir) -> Arc<Shared> {
        let at =
            "620702001000-01".parse().map(|hall| hallmesh_protocol::ids::HallAt { hall, incarnation: 1 });
        let (at, dir) = (at.unwrap(), dir.path().join("home"));
        let home = Home::create(&dir, at.hall, "甲镇便民服务中心").unwrap();
        let store = Store::create(&dir, &std::collections::BTreeMap::new()).unwrap();
        let net = net::start(Settings::new(Keypair::generate_ed25519(), Vec::new())).unwrap();
        Arc::new(Shared::new(at, 1, store, home.keys().unwrap().wrap, home, &net))
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn rooms_that_close_by_themselves_are_a_failure_and_stop_the_node() {
        let dir = TempDir::new().unwrap();
        for told in [false, true] {
            let (rooms, events) = mpsc::channel(1);
            let (feed, _inbox) = mpsc::channel(1);
            let (stop, stopped) = watch::channel(told);
            drop(rooms);
            let ended = run(shared(&TempDir::new_in(&dir).unwrap()), events, feed, stop.clone()).await;
            assert_eq!(ended.err().map(|why| why.code), (!told).then(|| "net.failed".to_owned()));
            assert!(*stopped.borrow());
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn without_an_engine_it_waits_until_the_rooms_are_closed() {
        let dir = TempDir::new().unwrap();
        let (rooms, events) = mpsc::channel(1);
        let (feed, inbox) = mpsc::channel(1);
        let (stop, _stopped) = watch::channel(false);
        drop(inbox);
        let mut intake = tokio::spawn(run(shared(&dir), events, feed, stop));
        for _ in 0..8 {
            rooms.send(NetEvent::Listening("/ip4/10.0.0.1/tcp/1".parse().unwrap())).await.unwrap();
        }
        assert!(timeout(SHORT, &mut intake).await.is_err());
        drop(rooms);
        assert_eq!(intake.await.unwrap(), Ok(()));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_refused_is_counted_once_under_a_stable_word() {
        let dir = TempDir::new().unwrap();
        let shared = shared(&dir);
        let (guest, peer) = (net::GuestId::any(), libp2p::PeerId::random());
        let told = check(&shared, NetEvent::Guest { guest, peer, frame: b"nonsense".to_vec() }).unwrap();
        let Some(Event::Guest { records, refused, .. }) = told else { panic!("no guest") };
        shared.refused("guest-records", refused);
        let reason = net::Refusal::SeatsFull;
        assert!(check(&shared, NetEvent::Refused { reason, peer: None, count: 7 }).unwrap().is_none());
        let counted: Vec<_> = shared.live().refused.into_iter().collect();
        assert_eq!(counted, [("guest-frame".to_owned(), 1), ("seats-full".to_owned(), 7)]);
        assert!(records.is_empty());
    }
}
