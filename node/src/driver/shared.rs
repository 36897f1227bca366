//! What the tasks of one node share: the store's reading side, the clock, and what is shown in `status`.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use hallmesh_protocol::ids::HallAt;
use hallmesh_protocol::seal::WrapSecret;
use hallmesh_protocol::step::{Happening, Now};

use crate::home::Home;
use crate::net::Net;
use crate::ops::{Live, Problem};
use crate::store::{Snapshot, Store, free_bytes};

/// Happenings kept for callers who follow.
const HAPPENINGS_MAX: usize = 1_024;

/// Shared by the tasks of one node.
pub(crate) struct Shared {
    pub(crate) at: HallAt,
    pub(crate) store: Store,
    pub(crate) wrap: WrapSecret,
    pub(crate) home: Home,
    started: Instant,
    live: Mutex<Live>,
    happened: Mutex<Happened>,
}

#[derive(Default)]
struct Happened {
    mark: u64,
    events: VecDeque<(u64, u64, Happening)>,
}

impl Shared {
    pub(crate) fn new(at: HallAt, boot: u32, store: Store, wrap: WrapSecret, home: Home, net: &Net) -> Self {
        let live = Live { boot, peer_id: net.local_peer.to_string(), ..Live::default() };
        Self {
            at,
            store,
            wrap,
            home,
            started: Instant::now(),
            live: Mutex::new(live),
            happened: Mutex::new(Happened::default()),
        }
    }

    /// Both clocks.
    pub(crate) fn now(&self) -> Now {
        let ticks = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        // A clock before 1970 is a dead battery; the wall time is then 0 and every time is suspect.
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { ticks, wall: u64::try_from(wall.as_millis()).unwrap_or(u64::MAX) }
    }

    /// The committed rows as they are now.
    pub(crate) fn snapshot(&self) -> Result<Snapshot, Problem> {
        self.store.snapshot().map_err(|why| Problem::new("store.io").with("reason", why))
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

    /// Counts something that was refused.
    pub(crate) fn refused(&self, reason: &str, count: u64) {
        self.show(|live| {
            let entry = live.refused.entry(reason.to_owned()).or_insert(0);
            *entry = entry.saturating_add(count);
        });
    }

    /// Keeps something for callers who follow.
    pub(crate) fn note(&self, happening: Happening) {
        let wall = self.now().wall;
        let mut happened = self.lock_happened();
        happened.mark = happened.mark.saturating_add(1);
        let mark = happened.mark;
        happened.events.push_back((mark, wall, happening));
        if happened.events.len() > HAPPENINGS_MAX {
            happened.events.pop_front();
        }
    }

    /// What happened after a mark, and the mark to ask with next.
    pub(crate) fn happened_since(&self, since: u64) -> (u64, Vec<(u64, Happening)>) {
        let happened = self.lock_happened();
        let events = happened.events.iter().filter(|(mark, ..)| *mark > since);
        (happened.mark, events.map(|(_, wall, happening)| (*wall, happening.clone())).collect())
    }

    fn lock_live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_happened(&self) -> MutexGuard<'_, Happened> {
        self.happened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
