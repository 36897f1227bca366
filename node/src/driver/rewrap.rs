//! Case keys for later lives: what this node can open it wraps to the new keys of a hall on the route, off the loop.

use std::sync::Arc;

use hallmesh_protocol::cases::Wrap;
use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::directory::Directory;
use hallmesh_protocol::ids::{CaseId, HallAt};
use hallmesh_protocol::query;
use hallmesh_protocol::step::Command;
use tokio::sync::{mpsc, oneshot, watch};

use super::engine::Event;
use super::shared::Shared;
use crate::ops::{Problem, content};

/// Keys asked for that are not wrapped yet, at the most. The core asks again for what found no room.
pub(crate) const WANTED_MAX: usize = 4_096;

/// A key that the core wants.
pub(crate) type Wanted = (CaseId, HallAt);

/// Wraps keys until the engine is gone or everything is told to stop.
pub(crate) async fn run(
    shared: Arc<Shared>,
    mut wanted: mpsc::Receiver<Wanted>,
    feed: mpsc::Sender<Event>,
    mut stopped: watch::Receiver<bool>,
) -> Result<(), Problem> {
    let mut chance = crate::home::chance();
    loop {
        let next = tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return Ok(()),
            next = wanted.recv() => next,
        };
        let Some((case, to)) = next else { return Ok(()) };
        let Some(wrap) = tokio::task::block_in_place(|| wrap(&shared, case, to, &mut chance))? else {
            shared.refused("rewrap", 1);
            continue;
        };
        let (reply, answered) = oneshot::channel();
        let command = Box::new(Command::KeepKeys(case, vec![wrap]));
        if feed.send(Event::Command { command, reply }).await.is_err() {
            return Ok(());
        }
        if answered.await.is_err() {
            tracing::debug!(%case, "stopped before a key was kept");
        }
    }
}

/// The case's key wrapped to a life; none if this node cannot open the case, or does not know the life.
fn wrap(shared: &Shared, case: CaseId, to: HallAt, chance: &mut Chance) -> Result<Option<Wrap>, Problem> {
    let view = shared.snapshot()?;
    let file = query::file(&view, case);
    let charter = Directory::new(&view).life(to);
    let key = content::unwrap(case, shared.at, &file.wraps, &shared.wrap);
    let (Some(charter), Ok(key)) = (charter, key) else { return Ok(None) };
    Ok(content::wrap(case, (to, false), &charter.wrap_key, &key, chance).ok())
}
