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
use crate::ops::{DueCounts, Pressing, Problem, overdue_destinations, pressing_now};

/// Cases that are named at one look; `due list` shows all of them.
const NAMED_MAX: usize = 20;
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
            Ok::<_, Problem>(overdue_destinations(&view, shared.wall(), patience))
        })?;
        for change in known.look(&found) {
            change.log();
        }
        if limits.is_time(shared.wall()) {
            let pressing = tokio::task::block_in_place(|| {
                Ok::<_, Problem>(pressing_now(&shared.snapshot()?, shared.wall()))
            })?;
            shared.show(|live| live.due = Some(pressing.counts));
            limits.look(pressing).iter().for_each(News::log);
        }
    }
}

/// What was last said of cases whose time runs out.
#[derive(Debug, Default)]
struct Deadlines {
    day: Option<CivilDay>,
    looks: u32,
    said: Pressing,
}

/// What is to be said of cases whose time runs out.
#[derive(Clone, Debug, PartialEq, Eq)]
enum News {
    /// How many there are, if that is another number than before.
    Counts(DueCounts),
    /// One that was not among them before.
    Case(String),
}

impl Deadlines {
    /// Whether the cases in hand are to be looked at with this look.
    fn is_time(&mut self, wall: u64) -> bool {
        let today = CivilDay::of_wall(wall);
        let new_day = self.day.replace(today) != Some(today);
        self.looks = if new_day { 0 } else { self.looks.saturating_add(1) % LOOKS_A_DUE };
        self.looks == 0
    }

    /// What is to be said now.
    fn look(&mut self, now: Pressing) -> Vec<News> {
        let before = std::mem::replace(&mut self.said, now);
        let pressed = |counts: DueCounts| DueCounts { open: 0, ..counts };
        let (then, now) = (pressed(before.counts), pressed(self.said.counts));
        let counts = (then != now).then_some(News::Counts(now));
        let new = self.said.numbers.difference(&before.numbers).take(NAMED_MAX);
        counts.into_iter().chain(new.cloned().map(News::Case)).collect()
    }
}

impl News {
    fn log(&self) {
        match self {
            Self::Counts(counts) => log(*counts),
            Self::Case(number) => {
                tracing::warn!(case = %number, "a case in hand is overdue, in doubt, or cannot be told");
            }
        }
    }
}

fn log(counts: DueCounts) {
    let DueCounts { overdue, soon, unknown, doubtful, .. } = counts;
    if [overdue, soon, unknown, doubtful] == [0; 4] {
        tracing::info!("no case in hand is overdue, or soon will be");
    } else {
        tracing::warn!(overdue, soon, unknown, doubtful, "cases in hand are overdue, or soon will be");
    }
    let DueCounts { bundles_overdue: overdue, bundles_soon: soon, bundles_blocked: blocked, .. } = counts;
    if [overdue, soon, blocked] != [0; 3] {
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
    }

    #[test]
    fn what_presses_is_said_when_it_changes_case_by_case() {
        let mut limits = Deadlines::default();
        let counts = |overdue, unknown| DueCounts { open: 9, overdue, unknown, ..DueCounts::default() };
        let numbers = |numbers: &[&str]| numbers.iter().map(|it| (*it).to_owned()).collect();
        let (case, said) =
            (|number: &str| News::Case(number.to_owned()), |it| News::Counts(DueCounts { open: 0, ..it }));
        assert_eq!(limits.look(Pressing { counts: counts(0, 0), ..Pressing::default() }), []);
        let one = Pressing { counts: counts(1, 0), numbers: numbers(&["A"]) };
        assert_eq!(limits.look(one.clone()), [said(one.counts), case("A")]);
        assert_eq!(limits.look(one.clone()), [], "once");
        let other = Pressing { numbers: numbers(&["B"]), ..one };
        assert_eq!(limits.look(other), [case("B")], "one ended, another began");
        let untold = Pressing { counts: counts(0, 1), numbers: numbers(&["B"]) };
        assert_eq!(limits.look(untold.clone()), [said(untold.counts)]);
        let counts = DueCounts { bundles_blocked: 1, ..counts(0, 1) };
        let blocked = Pressing { counts, ..untold };
        assert_eq!(limits.look(blocked), [said(counts)], "so is a bundle");
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
