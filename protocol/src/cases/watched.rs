//! Applications for bundles that came in at this hall, are not over, and are watched by it wherever their tasks are: what was
//! promised for the whole runs out at the window, and it is the window's clerk who closes what cannot go on.

use super::bundle::{Joined, TaskState, joined};
use super::fold::Case;
use crate::ids::{CaseNumber, HallAt};
use crate::limits::PAGE_MAX;
use crate::planted::{Bug, planted};
use crate::rows;
use crate::step::{Cx, Happening, View};

/// Which tasks of an application cannot go on, a bit for each, the first the lowest; none if this hall has nothing to watch.
pub(crate) fn watched(view: &dyn View, number: CaseNumber) -> Option<u32> {
    let joined = joined(view, number)?;
    let mine = joined.tasks().filter_map(|(_, _, case)| case).any(|case| is_mine(view, case));
    (mine && !joined.whole().is_over()).then(|| blocked(&joined))
}

/// Keeps the list of them, in the commit that changes one of its tasks, and says what is blocked from now on.
pub(super) fn note(cx: &mut Cx<'_>, before: Option<&Case>, after: &Case) {
    let old = before.and_then(|case| case.task).map(|task| task.bundle);
    let new = after.task.map(|task| task.bundle);
    for number in [old.filter(|old| Some(*old) != new), new].into_iter().flatten() {
        let key = rows::watched(&number);
        let held: Option<u32> = rows::read(cx, &key);
        if planted(Bug::TaskNotIndexed) || (held.is_none() && !is_mine(cx, after)) {
            continue;
        }
        match watched(cx, number) {
            Some(now) if held == Some(now) => {}
            Some(now) => {
                rows::write(cx, key, &now);
                say_blocked(cx, number, now & !held.unwrap_or(0));
            }
            None => cx.remove(key),
        }
    }
}

/// Those that are watched, after one, at most `count`, each with what of it cannot go on.
pub(crate) fn all_watched(
    view: &dyn View,
    after: Option<CaseNumber>,
    count: usize,
) -> Vec<(CaseNumber, u32)> {
    let from = after.map(|number| rows::watched(&number)).unwrap_or_default();
    let mut found = Vec::new();
    view.scan(&rows::all_watched(), &from, &mut |key, value| {
        found.extend(rows::bundle_in(key).map(|number| (number, rows::parse(key, value))));
        found.len() < count.min(PAGE_MAX)
    });
    found
}

fn is_mine(view: &dyn View, case: &Case) -> bool {
    let me: Option<HallAt> = rows::read(view, &rows::meta("hall"));
    me.is_some_and(|me| case.receiving == me.hall)
}

fn blocked(joined: &Joined) -> u32 {
    let tasks = joined.tasks().filter(|(_, state, _)| matches!(state, TaskState::Blocked(_)));
    tasks.fold(0, |all, (task, ..)| all | bit(task))
}

fn say_blocked(cx: &mut Cx<'_>, number: CaseNumber, tasks: u32) {
    let Some(joined) = joined(cx, number).filter(|_| tasks != 0) else { return };
    let stopped = joined.tasks().filter(|(task, ..)| tasks & bit(*task) != 0);
    for case in stopped.filter_map(|(_, _, case)| case) {
        cx.happened(Happening::Blocked(case.id));
    }
}

fn bit(task: u8) -> u32 {
    1_u32.checked_shl(u32::from(task.saturating_sub(1))).unwrap_or(0)
}
