//! What is done with all tasks of a bundle at once, each time in one commit: taking them in, handing out what came of them,
//! closing those that cannot go on. And what follows by itself: a task begins when what it waited for is at the window.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::bundle::{Joined, TaskState, Whole, joined};
use super::countersign::may_be_delivered;
use super::desk::{admitted, allocate, append, checked, do_checked, take_in};
use super::ending::Closing;
use super::facts::Facts;
use super::fold::Case;
use super::handover::send_on;
use super::log::{self, Stage};
use super::mirroring::queue_copies;
use super::routing::{NoRoute, Route};
use super::task::Task;
use super::{Deed, Office, Receive, Record, Refusal};
use crate::catalogue::{PinnedBundle, Planned};
use crate::ids::{BundleCode, CaseId, CaseNumber, ClerkId, Digest, DivisionCode};
use crate::limits::{BUNDLE_ITEMS_MAX, PAGE_MAX};
use crate::planted::{Bug, planted};
use crate::rows;
use crate::step::{Happening, Reply, View};
use crate::wire::Blob;

/// An application for a bundle to be taken in: its tasks, each sealed for the halls on its own route.
#[derive(Clone, Debug)]
pub struct ReceiveBundle {
    /// The bundle.
    pub bundle: BundleCode,
    /// The applicant's place.
    pub place: DivisionCode,
    /// The items by their places in the list, ascending, each with the case that it becomes.
    pub tasks: Vec<(u8, Receive)>,
}

/// One act in several tasks of a bundle.
#[derive(Clone, Debug)]
pub struct RecordBundle {
    /// The application.
    pub bundle: CaseNumber,
    /// The act in each of them.
    pub acts: Vec<Record>,
}

/// Why nothing was done with the tasks of a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, thiserror::Error)]
pub enum NotTogether {
    /// No such bundle is in force.
    #[error("no such bundle is in force")]
    UnknownBundle,
    /// Nothing is known here of such an application.
    #[error("nothing is known of such an application here")]
    UnknownNumber,
    /// The tasks are not what the list makes of these items.
    #[error("the tasks are not those of the list")]
    Tasks,
    /// A task has not come to its end yet.
    #[error("task {0} has not come to its end yet")]
    NotReady(u8),
    /// There is no task for which this is to be done, or they are not the ones that were named.
    #[error("these are not the tasks for which this is to be done")]
    NotThese,
}

/// Takes in all tasks of an application, or none of them.
pub(crate) fn receive_bundle(
    office: &mut Office<'_, '_>,
    clerk: ClerkId,
    wanted: &ReceiveBundle,
) -> Result<Reply, Refusal> {
    let wall = office.cx.now.wall;
    let pinned = office.lists().bundle(&wanted.bundle, wall).ok_or(NotTogether::UnknownBundle)?;
    if !pinned.bundle.area.covers(wanted.place) {
        return Err(NoRoute::OutsideArea.into());
    }
    let plan = planned(&pinned, wanted)?;
    let mut routes = Vec::new();
    for (_, task) in &wanted.tasks {
        routes.push(admitted(office, task)?);
    }
    office.lists().calendar().ok_or(Refusal::NoCalendar)?;
    let bundle = allocate(office);
    let of = u8::try_from(plan.len()).or(Err(NotTogether::Tasks))?;
    let mut cases: Vec<(CaseId, CaseNumber, Route)> = Vec::new();
    for (ordinal, (planned, ((_, task), route))) in
        (1_u8..).zip(plan.iter().zip(wanted.tasks.iter().zip(routes)))
    {
        let place = Task { bundle, ordinal, of, after: planned.after, list: pinned.digest };
        let case = take_in(office, clerk, (task, &route), Some(place))?;
        cases.push((case.id, case.number, route));
    }
    Ok(Reply::ReceivedBundle { bundle, cases })
}

/// What the list makes of the items: their matters, their order, cases of their own.
fn planned(pinned: &PinnedBundle, wanted: &ReceiveBundle) -> Result<Vec<Planned>, NotTogether> {
    let chosen: Vec<u8> = wanted.tasks.iter().map(|(item, _)| *item).collect();
    let plan = pinned.bundle.plan(&chosen).or(Err(NotTogether::Tasks))?;
    let ids: BTreeSet<CaseId> = wanted.tasks.iter().map(|(_, task)| task.case).collect();
    let fits = wanted.tasks.iter().all(|(item, task)| {
        let matter = pinned.bundle.item(*item).map(|it| &it.matter);
        matter == Some(&task.matter) && task.place == wanted.place
    });
    if fits && ids.len() == wanted.tasks.len() { Ok(plan) } else { Err(NotTogether::Tasks) }
}

/// Does one act in all tasks for which it is to be done, or in none: hands out all that came of the application, or closes
/// the tasks that cannot go on.
pub(crate) fn record_bundle(
    office: &mut Office<'_, '_>,
    clerk: ClerkId,
    wanted: RecordBundle,
) -> Result<Reply, Refusal> {
    let joined = joined(office.cx, wanted.bundle).ok_or(NotTogether::UnknownNumber)?;
    these(&joined, &wanted.acts)?;
    let mut cases = Vec::new();
    for act in &wanted.acts {
        cases.push(checked(office, clerk, act)?);
    }
    let mut done = Vec::new();
    for (case, act) in cases.into_iter().zip(wanted.acts) {
        do_checked(office, clerk, &case, act)?;
        done.push((case.id, case.events));
    }
    Ok(Reply::RecordedBundle { bundle: wanted.bundle, cases: done })
}

/// Whether the acts are one of the two that are done for all, and in just those tasks for which it is to be done.
fn these(joined: &Joined, acts: &[Record]) -> Result<(), NotTogether> {
    let all = |deed: Deed| acts.iter().all(|act| act.deed == deed);
    let due = if all(Deed::Deliver) {
        let open =
            joined.tasks().find(|(_, state, _)| !matches!(state, TaskState::Ready | TaskState::Delivered));
        if let Some((task, ..)) = open.filter(|_| joined.whole() == Whole::Open) {
            return Err(NotTogether::NotReady(task));
        }
        joined.cases_in(|state| *state == TaskState::Ready)
    } else if all(Deed::Close(Closing::Void)) {
        joined.cases_in(|state| matches!(state, TaskState::Blocked(_)))
    } else {
        Vec::new()
    };
    let (due, named) = (due.into_iter().collect::<BTreeSet<_>>(), acts.iter().map(|act| act.case).collect());
    let few = !acts.is_empty() && acts.len() <= BUNDLE_ITEMS_MAX && acts.len() == due.len();
    if few && due == named { Ok(()) } else { Err(NotTogether::NotThese) }
}

/// Something was done in a case here, or it came: the tasks that waited for just that begin.
pub(super) fn go_on(office: &mut Office<'_, '_>, changed: &Case) {
    let mine = changed.receiving == office.me.at.hall;
    let Some(task) = changed.task.filter(|_| mine && !planted(Bug::TaskNotStarted)) else { return };
    let Some(joined) = joined(office.cx, task.bundle) else { return };
    for (_, state, case) in joined.tasks() {
        let waits = matches!(&state, TaskState::Waits(_));
        let Some(case) = case.filter(|case| waits && in_hand(office.cx, case)) else { continue };
        if let Some(results) = results(office.cx, &joined, case) {
            begin(office, case, results);
        }
    }
}

/// Tries again to begin the tasks that wait in this hall's hand, from a key on: after a start, and when a list has come that
/// may say that a decision need not wait for a second hall. Gives the key to go on from, if there are more than one page.
pub(crate) fn start_waiting(office: &mut Office<'_, '_>, from: &[u8]) -> Option<Vec<u8>> {
    let (mut open, mut last) = (Vec::new(), Vec::new());
    office.cx.scan(&rows::all_open(), from, &mut |key, _| {
        open.extend(key.get(1..).and_then(|id| id.try_into().ok()).map(CaseId));
        last = key.to_vec();
        open.len() < PAGE_MAX
    });
    let more = open.len() >= PAGE_MAX;
    for id in open {
        // One that has begun with another of the same application meanwhile waits no more.
        if let Some(case) = log::case(office.cx, id).filter(Case::waits) {
            go_on(office, &case);
        }
    }
    more.then_some(last)
}

fn in_hand(view: &dyn View, case: &Case) -> bool {
    log::custody(view, case.id).is_some_and(|custody| custody.stage == Stage::Custodian)
}

/// A task begins: the hall that decides it may have it from now on.
fn begin(office: &mut Office<'_, '_>, case: &Case, results: Digest) {
    let clerk = ClerkId::node(office.me.at.hall);
    // There is room in a log that has nothing but its receipt and may be withdrawn meanwhile.
    let Ok(begun) = append(office, case, clerk, Facts::Start { results }, Blob::default()) else { return };
    office.cx.happened(Happening::Started(begun.id));
    let sent = send_on(office, begun.clone()).unwrap_or(begun);
    queue_copies(office, &sent);
}

/// SHA-256 over the decisions that a task needs; none while one of them is not granted, not at the window, or could still be
/// lost with one disk.
fn results(view: &dyn View, joined: &Joined, case: &Case) -> Option<Digest> {
    let mut decisions = Vec::new();
    for needed in case.task.iter().flat_map(Task::needs) {
        let needed = joined.case(needed);
        if planted(Bug::TaskStartedEarly) {
            continue;
        }
        let needed = needed.filter(|it| it.granted == Some(true) && it.has_come(view))?;
        decisions.extend_from_slice(&decision(view, needed)?.0);
    }
    Some(super::body_digest(&decisions))
}

impl Case {
    /// Whether what came of it is at the window of this hall, for good, or with the citizen already.
    fn has_come(&self, view: &dyn View) -> bool {
        let here = self.has_result() && self.custodian.hall == self.receiving && in_hand(view, self);
        self.delivered.is_some() || (here && may_be_delivered(view, self).is_ok())
    }
}

fn decision(view: &dyn View, case: &Case) -> Option<Digest> {
    (0..case.events).rev().filter_map(|sequence| log::event(view, case.id, sequence)).find_map(|event| {
        let facts = event.header().ok()?.facts;
        matches!(facts, Facts::Act(Deed::Decide { .. })).then(|| event.digest())
    })
}
