//! An application for a bundle (一件事) as its tasks tell it: the join of their logs by one pure function.
//!
//! Each task is a case with its own log, custodian and key. Nothing is stored of the whole: it follows from what this hall
//! holds of the tasks, in whatever order and by whatever path that came. At the window, to which every result comes back, it
//! is complete.
//!
//! ```text
//!             +--- waits ---> (the results are here) --- start ---> open ---> ready ---> delivered
//! receipt ----+      \__ one that it waits for was not granted: blocked, until a clerk closes it
//!             +--- open: as any case ---> ready: the result is at the window ---> delivered
//! whole: open while a task is unknown here, waits, is blocked or open; ready; then ended wholly, partially (部分办结) or
//! with nothing granted
//! ```

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::clocks::{Clock, ClockKind, pause};
use super::fold::Case;
use super::log;
use super::moment::Moment;
use crate::calendar::{Calendar, CivilDay, Pause};
use crate::catalogue::Bundle;
use crate::ids::{CaseId, CaseNumber, Digest};
use crate::limits::PAGE_MAX;
use crate::planted::{Bug, planted};
use crate::rows;
use crate::step::View;

/// The tasks of an application for a bundle, as far as they are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Its number.
    pub number: CaseNumber,
    /// How many tasks there are.
    pub of: u8,
    /// SHA-256 of the bundle's record, pinned at receipt.
    pub list: Digest,
    tasks: BTreeMap<u8, Case>,
    /// Tasks of which nothing comes any more that another one could begin with.
    barren: BTreeSet<u8>,
}

/// How far a task has come.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaskState {
    /// Nothing of it is known here.
    Unknown,
    /// It begins when these tasks are granted and their results at the window.
    Waits(Vec<u8>),
    /// It cannot go on: of these tasks nothing comes that it could begin with. A clerk closes it.
    Blocked(Vec<u8>),
    /// It is being worked on, as any case.
    Open,
    /// What came of it is at the window.
    Ready,
    /// The citizen has what came of it.
    Delivered,
}

impl TaskState {
    /// A stable word, for JSON and catalogues.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Waits(_) => "waits",
            Self::Blocked(_) => "blocked",
            Self::Open => "open",
            Self::Ready => "ready",
            Self::Delivered => "delivered",
        }
    }

    /// The tasks that it waits for, or that stop it.
    pub fn because_of(&self) -> &[u8] {
        match self {
            Self::Waits(tasks) | Self::Blocked(tasks) => tasks,
            Self::Unknown | Self::Open | Self::Ready | Self::Delivered => &[],
        }
    }
}

/// How far the whole has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whole {
    /// Something is still to come.
    Open,
    /// Everything that is to come is at the window.
    Ready,
    /// Delivered, and all of it granted (全部办结).
    Granted,
    /// Delivered, and some of it granted (部分办结).
    Partial,
    /// Delivered, and nothing of it granted.
    Nothing,
}

impl Whole {
    /// Every one of them.
    pub const ALL: [Self; 5] = [Self::Open, Self::Ready, Self::Granted, Self::Partial, Self::Nothing];

    /// A stable word, for JSON and catalogues.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Ready => "ready",
            Self::Granted => "granted",
            Self::Partial => "partial",
            Self::Nothing => "nothing",
        }
    }

    /// Whether the citizen has all that came of it.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Granted | Self::Partial | Self::Nothing)
    }
}

impl Joined {
    /// Joins the tasks of one application; none if not one of the cases is a task of it. Of two logs of one task the one that
    /// has come further counts.
    pub fn of<'a>(number: CaseNumber, cases: impl IntoIterator<Item = &'a Case>) -> Option<Self> {
        let mut joined: Option<Self> = None;
        for case in cases {
            let Some(task) = case.task.filter(|task| task.bundle == number) else { continue };
            let all = joined.get_or_insert_with(|| Self {
                number,
                of: task.of,
                list: task.list,
                tasks: BTreeMap::new(),
                barren: BTreeSet::new(),
            });
            // Only who gave the number can contradict itself here; then all halls read the same out of it.
            (all.of, all.list) = (all.of, all.list).max((task.of, task.list));
            let known = all.tasks.entry(task.ordinal).or_insert_with(|| case.clone());
            if rank(case) > rank(known) {
                known.clone_from(case);
            }
        }
        joined.map(Self::with_barren)
    }

    /// Those that ended without a grant, and again and again those that wait for such a task. A circle, which only a hall that
    /// breaks the law of lists can sign, ends as it begins: nothing of it is barren.
    fn with_barren(mut self) -> Self {
        let ended = |case: &Case| case.ended.is_some() && case.granted != Some(true);
        self.barren = self.tasks.iter().filter(|(_, case)| ended(case)).map(|(task, _)| *task).collect();
        loop {
            let stopped = |case: &Case| {
                case.waits() && case.task.iter().flat_map(|it| it.needs()).any(|it| self.barren.contains(&it))
            };
            let more: Vec<u8> = self
                .tasks
                .iter()
                .filter(|(task, case)| !self.barren.contains(task) && stopped(case))
                .map(|(task, _)| *task)
                .collect();
            if more.is_empty() {
                return self;
            }
            self.barren.extend(more);
        }
    }

    /// The case of a task, from 1.
    pub fn case(&self, task: u8) -> Option<&Case> {
        self.tasks.get(&task)
    }

    /// Every task with its case, as far as it is known, in order.
    pub fn tasks(&self) -> impl Iterator<Item = (u8, TaskState, Option<&Case>)> {
        (1..=self.of).map(|task| (task, self.state(task), self.case(task)))
    }

    /// How far a task has come.
    pub fn state(&self, task: u8) -> TaskState {
        let Some(case) = self.case(task) else { return TaskState::Unknown };
        // What was handed out was, whatever becomes of it.
        if case.delivered.is_some() {
            return TaskState::Delivered;
        }
        if case.waits() {
            return self.waiting(case);
        }
        let here = case.custodian.hall == case.receiving && case.transit.is_none();
        if here && case.has_result() { TaskState::Ready } else { TaskState::Open }
    }

    fn waiting(&self, case: &Case) -> TaskState {
        let needs: Vec<u8> = case.task.iter().flat_map(|task| task.needs()).collect();
        let stopping: Vec<u8> = needs.iter().copied().filter(|task| self.barren.contains(task)).collect();
        if stopping.is_empty() {
            let there = |task: &u8| {
                // What is granted does not wait itself: this asks no further than one task.
                let here = || matches!(self.state(*task), TaskState::Ready | TaskState::Delivered);
                self.is_granted(*task) && here()
            };
            let missing: Vec<u8> = needs.iter().copied().filter(|task| !there(task)).collect();
            // All are here: what came of them waits for a second hall to sign for it.
            TaskState::Waits(if missing.is_empty() { needs } else { missing })
        } else {
            TaskState::Blocked(stopping)
        }
    }

    fn is_granted(&self, task: u8) -> bool {
        self.case(task).is_some_and(|case| case.granted == Some(true))
    }

    /// How far the whole has come.
    pub fn whole(&self) -> Whole {
        let states: Vec<TaskState> = (1..=self.of).map(|task| self.state(task)).collect();
        if states.iter().all(|state| *state == TaskState::Delivered) {
            return self.ended();
        }
        let here = |state: &TaskState| matches!(state, TaskState::Ready | TaskState::Delivered);
        if states.iter().all(here) || (planted(Bug::PackIncomplete) && states.iter().any(here)) {
            Whole::Ready
        } else {
            Whole::Open
        }
    }

    fn ended(&self) -> Whole {
        let granted = (1..=self.of).filter(|task| self.is_granted(*task)).count();
        match granted {
            0 => Whole::Nothing,
            all if all == usize::from(self.of) => Whole::Granted,
            _some => Whole::Partial,
        }
    }

    /// The tasks in a state of which a test says yes, with their cases.
    pub(super) fn cases_in(&self, test: impl Fn(&TaskState) -> bool) -> Vec<CaseId> {
        let found = self.tasks().filter(|(_, state, _)| test(state));
        found.filter_map(|(_, _, case)| case.map(|case| case.id)).collect()
    }

    /// When it was received: the earliest that counts of the tasks that are known here, before any that is in doubt.
    pub fn received(&self) -> Option<Moment> {
        let received = self.tasks.values().map(|case| case.received);
        received.min_by_key(|received| (!received.is_certain(), received.legal))
    }

    /// What was promised for the whole: from receipt until what came of the last task is at the window. Special procedures of
    /// any task are not counted. None where not all tasks are known: only the window can tell.
    pub fn clock(&self, bundle: &Bundle, calendar: &Calendar) -> Option<Clock> {
        let received = self.received().filter(|_| self.tasks.len() == usize::from(self.of))?;
        let start = received.day();
        let days = bundle.promised_days;
        let pauses: Vec<Pause> = self.tasks.values().flat_map(|case| case.pauses.iter().map(pause)).collect();
        let due = calendar.due_around(start, days, &pauses);
        let ended: Vec<CivilDay> =
            self.tasks.values().filter_map(|case| case.ended).map(Moment::done).collect();
        let all = ended.len() == usize::from(self.of);
        let met = ended.into_iter().max().filter(|_| all);
        Some(Clock {
            kind: ClockKind::Joint,
            start,
            days,
            extended: 0,
            pauses,
            due,
            met,
            doubtful: !received.is_certain(),
        })
    }
}

/// Which of two logs of one task has come further; the higher term stands in the place of the lower. Between two that come to
/// the same, or two cases for one task, the digest decides, so that it never matters what came first.
fn rank(case: &Case) -> (Reverse<CaseId>, u32, u32, Digest) {
    (Reverse(case.id), case.position.term, case.events, case.head)
}

/// What this hall holds of an application.
pub(crate) fn joined(view: &dyn View, number: CaseNumber) -> Option<Joined> {
    let mut ids = Vec::new();
    view.scan(&rows::tasks_of(&number), &[], &mut |key, _| {
        ids.extend(rows::task_in(key));
        ids.len() < PAGE_MAX
    });
    let cases: Vec<Case> = ids.into_iter().filter_map(|id| log::case(view, id)).collect();
    Joined::of(number, &cases)
}

/// Applications of which this hall holds something, whose number begins with a text and comes after another one.
pub(crate) fn numbers(
    view: &dyn View,
    text: &str,
    after: Option<CaseNumber>,
    count: usize,
) -> Vec<CaseNumber> {
    let (prefix, mut found) = (rows::tasks_beginning(text), Vec::new());
    let mut from = after.map(|number| rows::after_tasks_of(&number)).unwrap_or_default();
    while found.len() < count {
        let mut next = None;
        view.scan(&prefix, &from, &mut |key, _| {
            next = rows::bundle_in(key);
            false
        });
        let Some(number) = next else { break };
        found.push(number);
        from = rows::after_tasks_of(&number);
    }
    found
}
