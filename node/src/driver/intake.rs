//! Frames become checked messages here, off the loop, in the order in which they came.

use std::sync::Arc;

use hallmesh_protocol::message::Message;
use hallmesh_protocol::record::decode_records;
use hallmesh_protocol::verify::{self, Checked};
use tokio::sync::mpsc;

use super::engine::{Event, Visitor};
use super::shared::Shared;
use crate::net::NetEvent;
use crate::ops::Problem;

/// Reads what the rooms tell until they close.
pub(crate) async fn run(
    shared: Arc<Shared>,
    mut events: mpsc::Receiver<NetEvent>,
    feed: mpsc::Sender<Event>,
) -> Result<(), Problem> {
    while let Some(event) = events.recv().await {
        let Some(event) = tokio::task::block_in_place(|| check(&shared, event))? else { continue };
        if feed.send(event).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

fn check(shared: &Shared, event: NetEvent) -> Result<Option<Event>, Problem> {
    Ok(Some(match event {
        NetEvent::Frame { peer, line, number, bytes } => {
            let message = message(shared, &bytes)?;
            Event::Frame { peer, line, number, message }
        }
        NetEvent::Guest { guest, peer, frame } => guest_shows(shared, Visitor { guest, peer }, &frame)?,
        NetEvent::Up { peer, .. } => Event::Up { peer },
        NetEvent::Down { peer, .. } => Event::Down { peer },
        NetEvent::Listening(address) => Event::Listening(address),
        NetEvent::Refused { reason, peer, count } => {
            shared.refused(&reason.to_string(), count);
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
        return Ok(Event::Guest { visitor, records: Vec::new(), refused: 1 });
    };
    let (records, refused) = verify::records(&shared.snapshot()?, records);
    Ok(Event::Guest { visitor, records, refused })
}

/// A frame that is refused still counts as read: its sender repeats what matters.
fn message(shared: &Shared, bytes: &[u8]) -> Result<Option<Checked>, Problem> {
    let decoded = match Message::decode(bytes) {
        Ok(decoded) => decoded,
        Err(why) => {
            tracing::debug!(%why, "a frame was refused");
            shared.refused("malformed", 1);
            return Ok(None);
        }
    };
    match verify::message(&shared.snapshot()?, shared.at.hall, decoded) {
        Ok(checked) => Ok(Some(checked)),
        Err(why) => {
            tracing::debug!(%why, "a message was refused");
            shared.refused("unverified", 1);
            Ok(None)
        }
    }
}
