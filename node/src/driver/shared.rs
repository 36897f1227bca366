//! What the tasks of one node share: the store's reading side, the clock, and what is shown in `status`.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use hallmesh_protocol::ids::HallAt;
use hallmesh_protocol::post::Patience;
use hallmesh_protocol::seal::WrapSecret;
use hallmesh_protocol::step::{Happening, Now};
use tokio::sync::watch;

use super::copying::Copying;
use super::tape::Commits;
use crate::home::Home;
use crate::net::Net;
use crate::ops::{Live, Problem};
use crate::search::Search;
use crate::store::{Snapshot, Store, StoreError, free_bytes};

/// Happenings kept for callers who follow.
const HAPPENINGS_MAX: usize = 1_024;

/// Shared by the tasks of one node.
pub(crate) struct Shared {
    pub(crate) at: HallAt,
    pub(crate) store: Store,
    pub(crate) wrap: WrapSecret,
    pub(crate) home: Home,
    /// Whether the inputs are recorded.
    pub(crate) records: bool,
    pub(crate) commits: Commits,
    pub(crate) copying: Copying,
    pub(crate) search: Search,
    /// A saved recording while it is handed out, with the mark that tells it from others.
    saved: Mutex<Option<(u64, Arc<[u8]>)>>,
    started: Instant,
    live: Mutex<Live>,
    happened: Mutex<Happened>,
    /// The mark of what happened last, for whoever waits for something.
    mark: watch::Sender<u64>,
}

#[derive(Default)]
struct Happened {
    mark: u64,
    events: VecDeque<(u64, u64, Happening)>,
}

impl Happened {
    fn note(&mut self, wall: u64, happening: Happening) {
        self.mark = self.mark.saturating_add(1);
        self.events.push_back((self.mark, wall, happening));
        if self.events.len() > HAPPENINGS_MAX {
            self.events.pop_front();
        }
    }

    /// A mark that was never given out is of an earlier start of the node: to its holder everything is new.
    fn since(&self, since: u64) -> (u64, Vec<(u64, Happening)>) {
        let since = if since > self.mark { 0 } else { since };
        let events = self.events.iter().filter(|(mark, ..)| *mark > since);
        (self.mark, events.map(|(_, wall, happening)| (*wall, happening.clone())).collect())
    }
}

impl Shared {
    pub(crate) fn new(at: HallAt, boot: u32, store: Store, wrap: WrapSecret, home: Home, net: &Net) -> Self {
        let live = Live { boot, peer_id: net.local_peer.to_string(), ..Live::default() };
        Self {
            at,
            store,
            wrap,
            home,
            records: false,
            commits: Commits::default(),
            copying: Copying::default(),
            search: Search::default(),
            saved: Mutex::new(None),
            started: Instant::now(),
            live: Mutex::new(live),
            happened: Mutex::new(Happened::default()),
            mark: watch::Sender::new(0),
        }
    }

    /// With a recorder, or without one.
    pub(crate) fn recording(self, records: bool) -> Self {
        Self { records, ..self }
    }

    /// With this patience for letters that wait.
    pub(crate) fn patient(self, patience: Patience) -> Self {
        self.show(|live| live.patience = patience);
        self
    }

    /// Keeps a recording for handing it out, in place of an older one; gives its mark.
    pub(crate) fn keep_saved(&self, file: Vec<u8>) -> u64 {
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        // Two saved in one millisecond differ, too.
        let mark = saved.as_ref().map_or(0, |(mark, _)| mark.saturating_add(1)).max(self.now().ticks);
        *saved = Some((mark, file.into()));
        mark
    }

    /// The recording with this mark, if no other took its place.
    pub(crate) fn saved(&self, mark: u64) -> Option<Arc<[u8]>> {
        let saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        saved.as_ref().filter(|(kept, _)| *kept == mark).map(|(_, file)| Arc::clone(file))
    }

    /// Everything of it was handed out.
    pub(crate) fn forget_saved(&self) {
        *self.saved.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Both clocks.
    pub(crate) fn now(&self) -> Now {
        let ticks = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        // A clock before 1970 is a dead battery; the wall time is then 0 and every time is suspect.
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { ticks, wall: u64::try_from(wall.as_millis()).unwrap_or(u64::MAX) }
    }

    /// The time to read lists and limits by: the core's, which knows better than a clock that it doubts.
    pub(crate) fn wall(&self) -> u64 {
        let now = self.now();
        self.lock_live().known_time.map_or(now.wall, |known| known.saturating_add(now.ticks))
    }

    /// The committed rows as they are now.
    pub(crate) fn snapshot(&self) -> Result<Snapshot, Problem> {
        self.store.snapshot().map_err(|why| self.store_problem(&why))
    }

    /// What a failure of the store is for people.
    pub(crate) fn store_problem(&self, why: &StoreError) -> Problem {
        super::store_problem(why, self.home.dir())
    }

    /// What is shown and not in rows, as it is now.
    pub(crate) fn live(&self) -> Live {
        let mut live = self.lock_live().clone();
        live.up_ms = self.now().ticks;
        live.disk_free = free_bytes(self.home.dir()).unwrap_or(0);
        live
    }

    /// Changes what is shown.
    pub(crate) fn show(&self, change: impl FnOnce(&mut Live)) {
        change(&mut self.lock_live());
    }

    /// Counts something that was refused, under a stable word.
    pub(crate) fn refused(&self, reason: &str, count: u64) {
        if count == 0 {
            return;
        }
        self.show(|live| {
            let entry = live.refused.entry(reason.to_owned()).or_insert(0);
            *entry = entry.saturating_add(count);
        });
    }

    /// Keeps something for callers who follow.
    pub(crate) fn note(&self, happening: Happening) {
        if let Happening::Clock { known } = happening {
            self.show(|live| live.known_time = known);
        }
        let wall = self.now().wall;
        let mut happened = self.lock_happened();
        happened.note(wall, happening);
        self.mark.send_replace(happened.mark);
    }

    /// Tells whenever something has happened.
    pub(crate) fn follow(&self) -> watch::Receiver<u64> {
        self.mark.subscribe()
    }

    /// What happened after a mark, and the mark to ask with next.
    pub(crate) fn happened_since(&self, since: u64) -> (u64, Vec<(u64, Happening)>) {
        self.lock_happened().since(since)
    }

    fn lock_live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_happened(&self) -> MutexGuard<'_, Happened> {
        self.happened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_of_an_earlier_start_shows_everything_again() {
        let hall = "620702001000-01".parse().unwrap();
        let mut happened = Happened::default();
        for wall in 0..3 {
            happened.note(wall, Happening::PeerDown(hall));
        }
        let since = |mark| {
            let (mark, events) = happened.since(mark);
            (mark, events.len())
        };
        assert_eq!([0, 1, 3, 4, u64::MAX].map(since), [(3, 3), (3, 2), (3, 0), (3, 3), (3, 3)]);
    }
}
