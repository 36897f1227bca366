//! Together: a task of a bundle begins when what it waits for is granted and not before; a bundle is handed out when all that
//! comes of it is there; no task is lost to its bundle or handed out twice.

use std::collections::{BTreeMap, BTreeSet};

use hallmesh_protocol::cases::{Case, Deed, Facts, Header, Task};
use hallmesh_protocol::ids::{CaseId, CaseNumber};
use hallmesh_protocol::query;

use super::{Checkers, Promise};
use crate::disk::Disk;
use crate::station::Station;

/// What tasks have told of themselves, on any disk.
#[derive(Debug, Default)]
pub struct Together {
    tasks: BTreeMap<CaseNumber, BTreeMap<u8, CaseId>>,
    granted: BTreeSet<CaseId>,
    ended: BTreeSet<CaseId>,
    started: BTreeSet<CaseId>,
    /// Applications for which a receipt was printed.
    printed: BTreeMap<CaseNumber, Vec<CaseId>>,
}

impl Together {
    /// A hall commits a case. All of one commit are seen before any of it is judged.
    pub fn sees(&mut self, case: &Case) {
        let Some(task) = case.task else { return };
        self.tasks.entry(task.bundle).or_default().insert(task.ordinal, case.id);
        if case.ended.is_some() {
            self.ended.insert(case.id);
        }
        if case.granted == Some(true) {
            self.granted.insert(case.id);
        }
    }

    /// What is wrong with when the task of a case that was seen began.
    pub fn began(&mut self, case: &Case) -> Option<String> {
        let task = case.task?;
        let begins = case.started.is_some() && self.started.insert(case.id);
        let early = self.needs(&task).find(|needed| !self.granted.contains(needed));
        early.filter(|_| begins).map(|early| format!("task {} begins before {early} is granted", case.id))
    }

    fn needs<'a>(&'a self, task: &Task) -> impl Iterator<Item = CaseId> + use<'a> {
        let all = self.tasks.get(&task.bundle);
        task.needs().filter_map(move |task| all?.get(&task).copied())
    }

    /// A receipt for an application was printed.
    pub fn printed(&mut self, bundle: CaseNumber, cases: Vec<CaseId>) {
        self.printed.insert(bundle, cases);
    }

    /// All that came of an application was handed out: what is wrong with that.
    pub fn handed_out(&self, bundle: CaseNumber) -> Option<String> {
        let open = self.printed.get(&bundle)?.iter().find(|case| !self.ended.contains(case))?;
        Some(format!("bundle {bundle} is handed out while its task {open} is open"))
    }

    /// Every application for which a receipt was printed, with its tasks.
    pub fn applications(&self) -> impl Iterator<Item = (CaseNumber, &[CaseId])> {
        self.printed.iter().map(|(bundle, cases)| (*bundle, cases.as_slice()))
    }

    /// The tasks that a task waits for.
    pub fn waited_for(&self, case: &Case) -> Vec<CaseId> {
        case.task.filter(|_| case.waits()).iter().flat_map(|task| self.needs(task)).collect()
    }

    /// What is wrong with the log of a task in the end.
    pub fn ends(case: CaseId, log: &[Header]) -> Option<String> {
        let delivered = log.iter().filter(|event| event.facts == Facts::Act(Deed::Deliver)).count();
        if delivered > 1 {
            return Some(format!("task {case} was handed out {delivered} times"));
        }
        let tasks = log.iter().filter(|event| matches!(event.facts, Facts::Task(_))).count();
        (tasks != 1).then(|| format!("case {case} was received as a task and is none"))
    }
}

impl Checkers {
    /// Every application is whole at its window: each task is one, and the bundle is over if all of them are. What lost a
    /// disk, or waits, is not asked for.
    pub(super) fn bundles(&mut self, at: u64, stations: &[Station]) {
        let mut found = Vec::new();
        for (bundle, cases) in self.together.applications() {
            let excused =
                |case: &CaseId| self.waits(*case, stations).is_some() || self.kept.lost_a_copy(*case);
            if cases.iter().any(excused) {
                continue;
            }
            let logs = cases.iter().filter_map(|case| {
                let (_, disk) = self.newest(*case, stations)?;
                Together::ends(*case, &log_headers(disk, *case))
            });
            found.extend(logs);
            let window = self.lives.seat(bundle.hall()).and_then(|seat| stations.get(seat));
            let joined = window.and_then(|window| query::bundle(&window.disk, bundle)).map(|it| it.joined);
            let whole = joined.as_ref().is_some_and(|joined| joined.whole().is_over());
            let known = joined.iter().flat_map(|joined| joined.tasks()).filter(|it| it.2.is_some()).count();
            if !whole || known != cases.len() {
                let told = joined.map(|joined| joined.tasks().map(|it| it.1).collect::<Vec<_>>());
                found.push(format!("bundle {bundle} of {} tasks ends as {told:?}", cases.len()));
            }
        }
        for how in found {
            self.note(at, Promise::Together, Some(how));
        }
    }
}

fn log_headers(disk: &Disk, case: CaseId) -> Vec<Header> {
    query::file(disk, case).events.iter().filter_map(|event| event.header().ok()).collect()
}

#[cfg(test)]
mod tests {
    use hallmesh_protocol::calendar::CivilDay;
    use hallmesh_protocol::ids::Digest;

    use super::super::lawful_log::tests::{COUNTY, TOWN, at, event, receive};
    use super::*;

    fn number() -> CaseNumber {
        CaseNumber::allocate(at(TOWN), 1, CivilDay::of_wall(0), 9)
    }

    fn task(ordinal: u8, after: u32) -> Facts {
        Facts::Task(Task { bundle: number(), ordinal, of: 2, after, list: Digest([1; 32]) })
    }

    /// The case after these events of the town.
    fn case(id: u8, events: Vec<Facts>) -> Case {
        let named = |mut header: Header| {
            header.case = CaseId([id; 16]);
            header.at.incarnation = 1;
            header
        };
        let first = named(event(TOWN, 0, receive()));
        let first = Header { previous: Digest([0; 32]), ..first };
        let mut case = Case::begin(&first, Digest([2; 32])).expect("a receipt");
        for (sequence, facts) in (1..).zip(events) {
            let next = named(event(TOWN, sequence, facts));
            let next = Header { previous: case.head, ..next };
            case = case.next(&next, Digest([3; 32])).expect("a lawful event");
        }
        case
    }

    fn began(together: &mut Together, case: &Case) -> Option<String> {
        together.sees(case);
        together.began(case)
    }

    #[test]
    fn a_task_that_begins_too_early_and_a_bundle_that_is_handed_out_too_early_are_seen() {
        let mut together = Together::default();
        let (one, mut other) = (case(1, vec![task(1, 0)]), case(2, vec![task(2, 1)]));
        assert_eq!((began(&mut together, &one), began(&mut together, &other)), (None, None));
        assert_eq!(together.waited_for(&other), [one.id]);
        together.printed(number(), vec![one.id, other.id]);
        assert!(together.handed_out(number()).is_some());
        let moment = other.received;
        other.started = Some(moment);
        assert!(began(&mut together, &other).is_some());
        let mut granted = one;
        (granted.granted, granted.ended) = (Some(true), Some(moment));
        let mut right = Together::default();
        assert_eq!((began(&mut right, &granted), began(&mut right, &other)), (None, None));
    }

    #[test]
    fn a_task_that_is_handed_out_twice_or_is_none_is_seen() {
        let deliver = |sequence| event(COUNTY, sequence, Facts::Act(Deed::Deliver));
        let log = vec![event(TOWN, 0, receive()), event(TOWN, 1, task(1, 0)), deliver(2)];
        assert_eq!(Together::ends(CaseId([1; 16]), &log), None);
        assert!(Together::ends(CaseId([1; 16]), &log[..1]).is_some());
        assert!(Together::ends(CaseId([1; 16]), &[log, vec![deliver(3)]].concat()).is_some());
    }
}
