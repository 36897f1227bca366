//! Room on the disk: new cases are refused while there is still enough for those that are under way.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::shared::Shared;
use crate::ops::{Ask, BundleAsk, Problem};
use crate::store::{Ballast, free_bytes};

const MIB: u64 = 1024 * 1024;
/// How often the room is looked at. Every new case looks for itself.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Bytes that new cases leave free.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reserve(u64);

impl Reserve {
    /// As it is configured.
    pub(crate) fn of_mib(mib: u32) -> Self {
        Self(u64::from(mib).saturating_mul(MIB))
    }

    /// Taking in a case begins something; everything else ends something, changes nothing or is needed to help.
    pub(crate) fn refuse(self, shared: &Shared, ask: &Ask) -> Result<(), Problem> {
        if !matches!(ask, Ask::Receive { .. } | Ask::Bundle { of: BundleAsk::Receive { .. } }) {
            return Ok(());
        }
        let free = free_bytes(shared.home.dir()).map_err(|why| shared.store_problem(&why))?;
        if free >= self.0 {
            return Ok(());
        }
        Err(Problem::new("case.disk_low").with("free", free / MIB).with("needed", self.0 / MIB))
    }
}

/// Trims the ballast for as long as the node runs.
pub(crate) async fn watch(
    shared: std::sync::Arc<Shared>,
    reserve: Reserve,
    mut stopped: watch::Receiver<bool>,
) -> Result<(), Problem> {
    let ballast = Ballast::of(shared.home.dir());
    let mut look = interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return Ok(()),
            _ = look.tick() => {}
        }
        let trimmed = tokio::task::block_in_place(|| ballast.trim(reserve.0));
        if let Err(why) = trimmed {
            tracing::warn!(%why, "the room on the disk is not known");
        }
    }
}
