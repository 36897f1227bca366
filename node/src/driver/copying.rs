//! The snapshot that a backup is made of, held for the caller who fetches it piece by piece.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::store::Snapshot;

/// A caller who asks for nothing for so long is gone. While a snapshot is held, the database cannot use again the room
/// of what is rewritten, and grows.
pub(crate) const IDLE_MAX: Duration = Duration::from_secs(60);

/// At most one backup is under way; a second one takes the place of the first.
#[derive(Default)]
pub(crate) struct Copying {
    held: Mutex<Option<Held>>,
}

/// A snapshot with the mark that tells it from others, and when it was taken.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) mark: u64,
    pub(crate) made: u64,
    pub(crate) view: Arc<Snapshot>,
    touched: Instant,
}

impl Copying {
    /// Holds a snapshot that was taken now. Marks are drawn: one of an earlier start of the node fits no later one.
    pub(crate) fn begin(&self, view: Snapshot, made: u64) -> Held {
        let mark = crate::home::chance().next_u64();
        let held = Held { mark, made, view: Arc::new(view), touched: Instant::now() };
        *self.lock() = Some(held.clone());
        held
    }

    /// The snapshot with this mark, if it is still held.
    pub(crate) fn held(&self, mark: u64) -> Option<Held> {
        let mut held = self.lock();
        let held = held.as_mut().filter(|held| held.mark == mark)?;
        held.touched = Instant::now();
        Some(held.clone())
    }

    /// Lets go of the snapshot.
    pub(crate) fn end(&self) {
        *self.lock() = None;
    }

    /// Lets go of a snapshot that nobody asks for any more.
    pub(crate) fn end_if_idle(&self) {
        let mut held = self.lock();
        if held.as_ref().is_some_and(|held| held.touched.elapsed() >= IDLE_MAX) {
            *held = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use hallmesh_protocol::step::Writes;

    use super::*;
    use crate::store::Store;

    #[test]
    fn one_snapshot_is_held_until_it_is_handed_out_replaced_or_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::create(dir.path(), &Writes::new()).unwrap();
        let copying = Copying::default();
        let first = copying.begin(store.snapshot().unwrap(), 1).mark;
        assert!(copying.held(first).is_some() && copying.held(first ^ 1).is_none());
        copying.end_if_idle();
        let second = copying.begin(store.snapshot().unwrap(), 2);
        assert!(copying.held(first).is_none(), "replaced");
        assert_eq!(copying.held(second.mark).map(|held| held.made), Some(2));
        if let Some(held) = copying.lock().as_mut() {
            held.touched = Instant::now().checked_sub(IDLE_MAX).unwrap();
        }
        copying.end_if_idle();
        assert!(copying.held(second.mark).is_none(), "forgotten");
        let third = copying.begin(store.snapshot().unwrap(), 3);
        copying.end();
        assert!(copying.held(third.mark).is_none(), "handed out");
        drop((second, third, store));
        drop(Store::open(dir.path()).unwrap());
    }
}
