//! Case keys, off the loop: what this node can open it wraps to the new keys of a hall on the route; where a stolen machine
//! can open a case, it draws another key.

use std::sync::Arc;

use hallmesh_protocol::cases::{Renewal, Wrap};
use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::directory::{Addressee, Directory};
use hallmesh_protocol::ids::{CaseId, Digest, HallAt};
use hallmesh_protocol::query;
use hallmesh_protocol::step::{Command, Reply};
use tokio::sync::{mpsc, oneshot, watch};

use super::engine::Event;
use super::shared::Shared;
use crate::ops::Problem;
use crate::ops::content::{self, CaseKey};

/// Keys asked for that are not wrapped yet, at the most. The core asks again for what found no room.
pub(crate) const WANTED_MAX: usize = 4_096;

/// What the core wants of a case.
pub(crate) enum Wanted {
    /// Its keys, wrapped to a life that lacks them.
    Keys(CaseId, HallAt),
    /// A new key, wrapped for these.
    NewKey(CaseId, Vec<Addressee>),
}

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
        let Some(next) = next else { return Ok(()) };
        let Some(command) = tokio::task::block_in_place(|| answer(&shared, &next, &mut chance))? else {
            shared.refused("rewrap", 1);
            continue;
        };
        let (reply, answered) = oneshot::channel();
        if feed.send(Event::Command { command: Box::new(command), reply }).await.is_err() {
            return Ok(());
        }
        match answered.await {
            Ok(Reply::Refused(why)) => tracing::debug!(?why, "a key was not kept"),
            Ok(_) => {}
            Err(_) => tracing::debug!("stopped before a key was kept"),
        }
    }
}

fn answer(shared: &Shared, wanted: &Wanted, chance: &mut Chance) -> Result<Option<Command>, Problem> {
    match wanted {
        Wanted::Keys(case, to) => wrap(shared, *case, *to, chance),
        Wanted::NewKey(case, to) => renew(shared, *case, to, chance),
    }
}

/// The case's keys that a life lacks and this node opens, wrapped to it; nothing if it does not know the life.
fn wrap(shared: &Shared, case: CaseId, to: HallAt, chance: &mut Chance) -> Result<Option<Command>, Problem> {
    let view = shared.snapshot()?;
    let (Some(found), Some(charter)) = (query::case(&view, case), Directory::new(&view).life(to)) else {
        return Ok(None);
    };
    let file = query::file(&view, case);
    let wraps = &file.wraps;
    let lacks = |of: &Digest| !wraps.iter().any(|it| it.to == to && !it.recovery && it.of == *of);
    let opened = found.case.all_keys().filter(lacks).filter_map(|of| {
        let key = content::unwrap(case, (shared.at, of), &file, &shared.wrap).ok()?;
        content::wrap(case, (to, false), &charter.wrap_key, &key, chance).ok()
    });
    let opened: Vec<Wrap> = opened.collect();
    if !opened.is_empty() {
        return Ok(Some(Command::KeepKeys(case, opened)));
    }
    // What is wrapped to this hall and does not open is of no use: the core forgets it.
    let own = wraps.iter().filter(|it| it.to == shared.at && !it.recovery).map(|it| it.of);
    let mut useless = own.filter(|of| content::unwrap(case, (shared.at, *of), &file, &shared.wrap).is_err());
    Ok(useless.next().map(|of| Command::NotOpened(case, of)))
}

/// A new key for a case whose present one a stolen machine can open.
fn renew(
    shared: &Shared,
    case: CaseId,
    to: &[Addressee],
    chance: &mut Chance,
) -> Result<Option<Command>, Problem> {
    let view = shared.snapshot()?;
    let key = CaseKey::next(case, chance);
    // Who is meant may have ended since: the core asks again.
    let Ok(wraps) = content::wrap_all(&view, case, to, &key, chance) else { return Ok(None) };
    Ok(Some(Command::RenewKey(case, Box::new(Renewal { key: key.of, wraps }))))
}
