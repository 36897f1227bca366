//! Calls over the local socket: questions are answered here from a snapshot, deeds are made ready here.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use super::copying::IDLE_MAX;
use super::engine::{Event, Recorded};
use super::room::Reserve;
use super::shared::Shared;
use crate::admin::{ADMIN_FRAME_MAX, AdminCall};
use crate::backup;
use crate::ops::{self, ANSWER_BYTES_MAX, Answer, Ask, Asked, BackupPiece, Call, Deed, Problem};

/// The administrator's user id.
const ROOT: u32 = 0;
/// The longest that a call waits for a second copy of a case.
const KEPT_WAIT_MAX: Duration = Duration::from_secs(60);
/// Bytes of a recording in one answer: as text they are twice as many.
const PIECE_BYTES: usize = 1 << 20;

/// Takes calls up, each in a task of its own; their number is bounded by the socket's seats.
pub(crate) async fn run(
    shared: Arc<Shared>,
    (mut calls, reserve): (mpsc::Receiver<AdminCall>, Reserve),
    feed: mpsc::Sender<Event>,
    stop: watch::Sender<bool>,
) -> Result<(), Problem> {
    // They hold the store, which is free when this task has ended.
    let mut answering = JoinSet::new();
    loop {
        let call = tokio::time::timeout(IDLE_MAX, calls.recv()).await;
        shared.copying.end_if_idle();
        let Ok(call) = call else { continue };
        let Some(call) = call else { break };
        while answering.try_join_next().is_some() {}
        let (shared, feed, stop) = (Arc::clone(&shared), feed.clone(), stop.clone());
        answering.spawn(async move {
            let answer = answer(&shared, (&call, reserve), &feed, &stop).await;
            let bytes = encode(&answer.unwrap_or_else(Answer::Refused));
            if call.reply.send(bytes).is_err() {
                tracing::debug!("a caller hung up before the answer");
            }
        });
    }
    while answering.join_next().await.is_some() {}
    shared.copying.end();
    Ok(())
}

// Lists of what has no bound of its own are cut where one frame takes them, and more.
const _: () = assert!(ANSWER_BYTES_MAX <= ADMIN_FRAME_MAX / 2);

/// An answer that does not fit a frame is a refusal: a broken line would say nothing.
fn encode(answer: &Answer) -> Vec<u8> {
    let bytes = serde_json::to_vec(answer).unwrap_or_default();
    if bytes.len() <= ADMIN_FRAME_MAX {
        return bytes;
    }
    serde_json::to_vec(&Answer::Refused(Problem::new("call.too_large"))).unwrap_or_default()
}

/// What carries no clerk's signature and changes who may do what is for the node's user and the administrator.
/// Everybody else on the socket is there to ask, and to work as a clerk.
fn refuse_others(ask: &Ask, user: Option<u32>) -> Result<(), Problem> {
    let own = matches!(
        ask,
        Ask::AddClerk { .. }
            | Ask::DisableClerk { .. }
            | Ask::Recording { .. }
            | Ask::Backup { .. }
            | Ask::Stop
    );
    let node = rustix::process::geteuid().as_raw();
    let permitted = !own || user.is_some_and(|user| user == ROOT || user == node);
    if permitted { Ok(()) } else { Err(Problem::new("call.not_permitted")) }
}

async fn answer(
    shared: &Arc<Shared>,
    (asked, reserve): (&AdminCall, Reserve),
    feed: &mpsc::Sender<Event>,
    stop: &watch::Sender<bool>,
) -> Result<Answer, Problem> {
    let malformed = |_| Problem::new("call.malformed");
    let call: Call = serde_json::from_slice(&asked.body).map_err(malformed)?;
    let ask: Ask = serde_json::from_str(&call.ask).map_err(malformed)?;
    refuse_others(&ask, asked.user)?;
    reserve.refuse(shared, &ask)?;
    if let Ask::Stop = ask {
        stop.send_replace(true);
        return Ok(Answer::Done);
    }
    if let Ask::Recorder = ask {
        let held = recorded(feed, false).await?.held;
        return Ok(Answer::Recorder(held.map(|held| held.into()).unwrap_or_default()));
    }
    if let Ask::Recording { mark, from } = ask {
        return recording(shared, feed, mark, from).await;
    }
    if let Ask::Backup { mark, after } = ask {
        return copy(shared, mark, &after).await;
    }
    if let Ask::Happened { since } = ask {
        let (mark, events) = shared.happened_since(since);
        return Ok(Answer::Happened { mark, events });
    }
    if let Ask::Kept { case, wait_ms } = ask {
        return kept(shared, &case, Duration::from_millis(wait_ms).min(KEPT_WAIT_MAX)).await;
    }
    if let Ask::SearchMatters { text, count } = ask {
        return search(shared, text, count).await;
    }
    let question = with_view(shared, move |asked| Ok(ops::answer(asked, &ask).ok_or(ask))).await?;
    match question {
        Ok(answer) => Ok(answer),
        Err(deed) => carry_out(shared, deed, call, feed).await,
    }
}

/// What fits best what somebody has typed so far.
async fn search(shared: &Arc<Shared>, text: String, count: usize) -> Result<Answer, Problem> {
    let finder = Arc::clone(shared);
    let find = move || {
        let here = finder.at.hall.division();
        finder.search.find(|| finder.snapshot(), (&text, here), ops::limit(count))
    };
    let found = tokio::task::spawn_blocking(find).await.unwrap_or_else(|_| Err(Problem::new("node.bug")))?;
    with_view(shared, move |asked| Ok(ops::found(asked, &found, count))).await
}

async fn carry_out(
    shared: &Arc<Shared>,
    ask: Ask,
    call: Call,
    feed: &mpsc::Sender<Event>,
) -> Result<Answer, Problem> {
    let (keys, reader) = (Arc::clone(shared), Arc::clone(shared));
    let prepared = with_view(shared, move |asked| {
        let mut chance = crate::home::chance();
        ops::prepare(asked, ask, &call, &keys.wrap, &mut chance)
    });
    let Deed { command, after } = prepared.await?;
    let (reply, replied) = oneshot::channel();
    let stopping = || Problem::new("node.stopping");
    feed.send(Event::Command { command, reply }).await.ok().ok_or_else(stopping)?;
    let reply = replied.await.ok().ok_or_else(stopping)?;
    with_view(shared, move |asked| Ok(ops::reply(asked, reply, &after, &reader.wrap))).await
}

/// The case as soon as a second hall keeps all of it. Nobody is kept waiting where no line is there to bring it.
async fn kept(shared: &Arc<Shared>, case: &str, wait: Duration) -> Result<Answer, Problem> {
    let mut happened = shared.follow();
    let mut over = std::pin::pin!(tokio::time::sleep(wait));
    loop {
        happened.mark_unchanged();
        let text = case.to_owned();
        let look = move |asked: &Asked<'_>| {
            let view = ops::find(asked.view, &text)?;
            let done = ops::is_kept_elsewhere(&view) || asked.live.connected.is_empty();
            Ok((done, ops::case(asked, &view)))
        };
        let (done, found) = with_view(shared, look).await?;
        if done {
            return Ok(Answer::Case(Box::new(found)));
        }
        tokio::select! {
            changed = happened.changed() => changed.ok().ok_or_else(|| Problem::new("node.stopping"))?,
            () = &mut over => return Ok(Answer::Case(Box::new(found))),
        }
    }
}

/// Asks the engine what is recorded.
async fn recorded(feed: &mpsc::Sender<Event>, file: bool) -> Result<Recorded, Problem> {
    let stopping = || Problem::new("node.stopping");
    let (reply, replied) = oneshot::channel();
    feed.send(Event::Recorded { file, reply }).await.ok().ok_or_else(stopping)?;
    replied.await.ok().ok_or_else(stopping)
}

/// A piece of the recording. The first question has it made; the pieces of one file have one mark.
async fn recording(
    shared: &Shared,
    feed: &mpsc::Sender<Event>,
    mark: Option<u64>,
    from: u64,
) -> Result<Answer, Problem> {
    let mark = if let Some(mark) = mark {
        mark
    } else {
        let made = recorded(feed, true).await?.file;
        shared.keep_saved(made.ok_or_else(|| Problem::new("recorder.off"))?)
    };
    let file = shared.saved(mark).ok_or_else(|| Problem::new("recorder.replaced"))?;
    let from = usize::try_from(from).unwrap_or(usize::MAX);
    let rest = file.get(from..).unwrap_or_default();
    let piece = rest.get(..PIECE_BYTES).unwrap_or(rest);
    let more = rest.len() > piece.len();
    if !more {
        shared.forget_saved();
    }
    Ok(Answer::Recording { mark, piece: ops::hex(piece), more })
}

/// A piece of all rows. The first question takes the snapshot; the pieces of one backup have one mark.
async fn copy(shared: &Arc<Shared>, mark: Option<u64>, after: &str) -> Result<Answer, Problem> {
    let after = ops::unhex(after).ok_or_else(|| Problem::new("call.malformed"))?;
    let held = match mark {
        Some(mark) => shared.copying.held(mark).ok_or_else(|| Problem::new("backup.replaced"))?,
        None => shared.copying.begin(shared.snapshot()?, shared.now().wall),
    };
    let view = Arc::clone(&held.view);
    let piece = tokio::task::spawn_blocking(move || backup::piece(&*view, &after)).await;
    let piece = piece.ok().ok_or_else(|| Problem::new("node.bug"))?;
    if !piece.more {
        shared.copying.end();
    }
    Ok(Answer::Backup(Box::new(BackupPiece {
        mark: held.mark,
        hall: shared.at.hall.to_string(),
        incarnation: shared.at.incarnation,
        made: held.made,
        rows: ops::hex(&piece.rows),
        last: ops::hex(&piece.last),
        count: piece.count,
        more: piece.more,
    })))
}

/// Runs something slow over a fresh snapshot, off the loop.
async fn with_view<T: Send + 'static>(
    shared: &Arc<Shared>,
    work: impl FnOnce(&Asked<'_>) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let shared = Arc::clone(shared);
    let task = tokio::task::spawn_blocking(move || {
        let view = shared.snapshot()?;
        let (live, clock, wall) = (shared.live(), shared.now().wall, shared.wall());
        work(&Asked { view: &view, at: shared.at, wall, clock, live: &live })
    });
    task.await.unwrap_or_else(|_| Err(Problem::new("node.bug")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::RoleWords;

    #[test]
    fn clerks_recordings_backups_and_the_end_are_for_the_nodes_user_and_the_administrator_only() {
        let node = rustix::process::geteuid().as_raw();
        let (name, key, roles) = ("clerk".to_owned(), String::new(), RoleWords::default());
        let own = [
            Ask::AddClerk { name, number: None, key, roles },
            Ask::DisableClerk { number: 1 },
            Ask::Recording { mark: None, from: 0 },
            Ask::Backup { mark: None, after: String::new() },
            Ask::Stop,
        ];
        for ask in &own {
            for user in [Some(node), Some(ROOT)] {
                assert_eq!(refuse_others(ask, user), Ok(()));
            }
            for user in [None, Some(node + 1)] {
                assert_eq!(refuse_others(ask, user).unwrap_err().code, "call.not_permitted");
            }
        }
        assert_eq!(refuse_others(&Ask::Status, Some(node + 1)), Ok(()));
        assert_eq!(refuse_others(&Ask::Clerks, None), Ok(()));
    }

    #[test]
    fn an_answer_that_no_frame_can_carry_is_a_refusal() {
        let answer = |bytes| encode(&Answer::Card { text: "x".repeat(bytes) });
        assert!(answer(ADMIN_FRAME_MAX - 100).len() > ADMIN_FRAME_MAX - 100);
        let refused = serde_json::from_slice(&answer(ADMIN_FRAME_MAX)).unwrap();
        assert!(matches!(refused, Answer::Refused(problem) if problem.code == "call.too_large"));
    }
}
