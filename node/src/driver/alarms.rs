//! Halls that letters do not reach: said in the log once when it begins, and once when it is over. `status` and
//! `post list` say it for as long as it lasts. Nothing else comes of it: custody stays where it is, and letters are
//! repeated as before.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hallmesh_protocol::ids::HallId;
use hallmesh_protocol::post::{Destination, Patience};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::shared::Shared;
use crate::ops::{Problem, overdue_destinations};

/// How often the ages of letters are looked at; they are counted in days.
const LOOK: Duration = Duration::from_secs(60);

/// Looks until the node ends.
pub(crate) async fn run(
    shared: Arc<Shared>,
    patience: Patience,
    mut stopped: watch::Receiver<bool>,
) -> Result<(), Problem> {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut known = Alarms::default();
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
