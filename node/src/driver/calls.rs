//! Calls over the local socket: questions are answered here from a snapshot, deeds are made ready here.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use super::engine::Event;
use super::shared::Shared;
use crate::admin::AdminCall;
use crate::ops::{self, Answer, Ask, Asked, Call, Deed, Problem};

/// Takes calls up, each in a task of its own; their number is bounded by the socket's seats.
pub(crate) async fn run(
    shared: Arc<Shared>,
    mut calls: mpsc::Receiver<AdminCall>,
    feed: mpsc::Sender<Event>,
    stop: watch::Sender<bool>,
) -> Result<(), Problem> {
    while let Some(call) = calls.recv().await {
        let (shared, feed, stop) = (Arc::clone(&shared), feed.clone(), stop.clone());
        tokio::spawn(async move {
            let answer = answer(&shared, &call.body, &feed, &stop).await;
            let answer = answer.unwrap_or_else(Answer::Refused);
            let bytes = serde_json::to_vec(&answer).unwrap_or_default();
            if call.reply.send(bytes).is_err() {
                tracing::debug!("a caller hung up before the answer");
            }
        });
    }
    Ok(())
}

async fn answer(
    shared: &Arc<Shared>,
    body: &[u8],
    feed: &mpsc::Sender<Event>,
    stop: &watch::Sender<bool>,
) -> Result<Answer, Problem> {
    let malformed = |_| Problem::new("call.malformed");
    let call: Call = serde_json::from_slice(body).map_err(malformed)?;
    let ask: Ask = serde_json::from_str(&call.ask).map_err(malformed)?;
    if let Ask::Stop = ask {
        stop.send_replace(true);
        return Ok(Answer::Done);
    }
    if let Ask::Happened { since } = ask {
        let (mark, events) = shared.happened_since(since);
        return Ok(Answer::Happened { mark, events });
    }
    let question = with_view(shared, move |asked| Ok(ops::answer(asked, &ask).ok_or(ask))).await?;
    match question {
        Ok(answer) => Ok(answer),
        Err(deed) => carry_out(shared, deed, call, feed).await,
    }
}

async fn carry_out(
    shared: &Arc<Shared>,
    ask: Ask,
    call: Call,
    feed: &mpsc::Sender<Event>,
) -> Result<Answer, Problem> {
    let keys = Arc::clone(shared);
    let prepared = with_view(shared, move |asked| {
        let mut chance = crate::home::chance();
        ops::prepare(asked, ask, &call, &keys.wrap, &mut chance)
    });
    let (command, after) = match prepared.await? {
        Deed::Command(command, after) => (command, after),
        Deed::Answer(answer) => return Ok(answer),
    };
    let (reply, replied) = oneshot::channel();
    let stopping = || Problem::new("node.stopping");
    feed.send(Event::Command { command, reply }).await.ok().ok_or_else(stopping)?;
    let reply = replied.await.ok().ok_or_else(stopping)?;
    with_view(shared, move |asked| Ok(ops::reply(asked, reply, &after))).await
}

/// Runs something slow over a fresh snapshot, off the loop.
async fn with_view<T: Send + 'static>(
    shared: &Arc<Shared>,
    work: impl FnOnce(&Asked<'_>) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let shared = Arc::clone(shared);
    let task = tokio::task::spawn_blocking(move || {
        let view = shared.snapshot()?;
        let (live, wall) = (shared.live(), shared.now().wall);
        work(&Asked { view: &view, at: shared.at, wall, live: &live })
    });
    task.await.unwrap_or_else(|_| Err(Problem::new("node.bug")))
}
