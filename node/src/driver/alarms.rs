//! What nobody asked about and somebody has to hear: halls that letters do not reach, and cases whose time runs out. Said in the
//! log once when it begins or changes, and once when it is over; `status`, `post list` and `due list` say it for as long as it
//! lasts. Nothing else comes of it: custody stays where it is, letters are repeated as before, and clocks run on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hallmesh_protocol::calendar::CivilDay;
use hallmesh_protocol::ids::HallId;
use hallmesh_protocol::post::{Destination, Patience};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::shared::Shared;
use crate::ops::{DueCounts, Problem, due_counts, overdue_destinations};

/// How often the ages of letters are looked at; they are counted in days.
const LOOK: Duration = Duration::from_secs(60);
/// Every so many looks, and on every new day, all cases in hand are looked at: their limits are counted in days.
const LOOKS_A_DUE: u32 = 10;

/// Looks until the node ends.
pub(crate) async fn run(
    shared: Arc<Shared>,
    patience: Patience,
    mut stopped: watch::Receiver<bool>,
) -> Result<(), Problem> {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut known, mut limits) = (Alarms::default(), Deadlines::default());
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return Ok(()),
            _ = looks.tick() => {}
        }
        let found = tokio::task::block_in_place(|| {
            let view = shared.snapshot()?;
            Ok::<_, Problem>(overdue_destinations(&view, shared.now().wall, patience))
        })?;
        for change in known.look(&found) {
            change.log();
        }
        if limits.is_time(shared.now().wall) {
            let counts = tokio::task::block_in_place(|| {
                Ok::<_, Problem>(due_counts(&shared.snapshot()?, shared.now().wall))
            })?;
            shared.show(|live| live.due = Some(counts));
            if limits.changed(counts) {
                log(counts);
            }
        }
    }
}

/// What was last said of cases whose time runs out.
#[derive(Debug, Default)]
struct Deadlines {
    day: Option<CivilDay>,
    looks: u32,
    said: DueCounts,
}

impl Deadlines {
    /// Whether the cases in hand are to be looked at with this look.
    fn is_time(&mut self, wall: u64) -> bool {
        let today = CivilDay::of_wall(wall);
        let new_day = self.day.replace(today) != Some(today);
        self.looks = if new_day { 0 } else { self.looks.saturating_add(1) % LOOKS_A_DUE };
        self.looks == 0
    }

    /// Whether there is something to say.
    fn changed(&mut self, now: DueCounts) -> bool {
        let before = std::mem::replace(&mut self.said, now);
        DueCounts { open: 0, unknown: 0, ..before } != DueCounts { open: 0, unknown: 0, ..now }
    }
}

fn log(counts: DueCounts) {
    let DueCounts { overdue, soon, bundles_overdue, bundles_soon, bundles_blocked, .. } = counts;
    if overdue > 0 || soon > 0 {
        tracing::warn!(overdue, soon, "cases in hand are overdue, or soon will be");
    } else {
        tracing::info!("no case in hand is overdue, or soon will be");
    }
    if bundles_overdue > 0 || bundles_soon > 0 || bundles_blocked > 0 {
        let (overdue, soon, blocked) = (bundles_overdue, bundles_soon, bundles_blocked);
        tracing::warn!(
            overdue,
            soon,
            blocked,
            "applications for bundles are overdue, soon will be, or are blocked"
        );
    }
}

/// The halls of which it was said already.
#[derive(Debug, Default)]
struct Alarms(BTreeMap<HallId, u64>);

#[derive(Debug, PartialEq, Eq)]
enum Change {
    Begins { to: HallId, since: u64, waiting: u64 },
    Over { to: HallId },
}

impl Alarms {
    /// What is to be said of halls that are overdue now.
    fn look(&mut self, found: &[(u64, Destination)]) -> Vec<Change> {
        let now: BTreeMap<HallId, u64> = found.iter().map(|(since, it)| (it.to, *since)).collect();
        let begins = found.iter().filter(|(_, it)| !self.0.contains_key(&it.to));
        let begins =
            begins.map(|(since, it)| Change::Begins { to: it.to, since: *since, waiting: it.waiting });
        let over = self.0.keys().filter(|to| !now.contains_key(to)).map(|to| Change::Over { to: *to });
        let changes = begins.chain(over).collect();
        self.0 = now;
        changes
    }
}

impl Change {
    fn log(&self) {
        match self {
            Self::Begins { to, since, waiting } => {
                tracing::warn!(hall = %to, since, waiting, "letters cannot be delivered; they go on waiting");
            }
            Self::Over { to } => tracing::info!(hall = %to, "letters are delivered again"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn destination(hall: &str) -> Destination {
        Destination { to: hall.parse().unwrap(), waiting: 7, own: Some(5), relayed: None }
    }

    #[test]
    fn limits_are_looked_at_on_every_new_day_and_now_and_then() {
        let (mut limits, noon, day) = (Deadlines::default(), 1_800_000_000_000, 86_400_000);
        assert!(limits.is_time(noon), "at the start");
        assert_eq!((1..=20).filter(|_| limits.is_time(noon)).collect::<Vec<_>>(), [10, 20]);
        assert!(limits.is_time(noon + day), "a new day");
        let counts = |overdue, soon| DueCounts { open: 9, overdue, soon, ..DueCounts::default() };
        assert!(
            !limits.changed(counts(0, 0)) && limits.changed(counts(0, 1)) && limits.changed(counts(1, 0))
        );
        assert!(!limits.changed(counts(1, 0)) && limits.changed(counts(0, 0)));
        assert!(!limits.changed(DueCounts { open: 1, unknown: 1, ..DueCounts::default() }));
        assert!(limits.changed(DueCounts { bundles_blocked: 1, ..DueCounts::default() }));
    }

    #[test]
    fn an_alarm_is_said_when_it_begins_and_when_it_is_over() {
        let mut alarms = Alarms::default();
        let (one, other) = (destination("620702001000-00"), destination("620702002000-00"));
        let begins = |it: Destination| Change::Begins { to: it.to, since: 5, waiting: 7 };
        assert_eq!(alarms.look(&[]), []);
        assert_eq!(alarms.look(&[(5, one)]), [begins(one)]);
        assert_eq!(alarms.look(&[(5, one)]), [], "once");
        assert_eq!(alarms.look(&[(5, other)]), [begins(other), Change::Over { to: one.to }]);
        assert_eq!(alarms.look(&[(5, one), (5, other)]), [begins(one)], "anew");
    }
}
