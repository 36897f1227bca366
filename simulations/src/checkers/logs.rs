//! What is checked of a case where its log lies: see [`super::LawfulLog`], [`super::Binding`], [`super::LetGo`], [`super::HighWater`] and
//! [`super::InHand`].

use hallmesh_protocol::cases::Stage;
use hallmesh_protocol::ids::{CaseId, HallAt};
use hallmesh_protocol::query::{self, CaseView};

use super::{Checkers, HighWater, InHand, LetGo, Promise, log_of};
use crate::disk::Disk;
use crate::station::{Seat, Station};

/// Disks that are rebuilt when all is over, at the most.
const REBUILT_MAX: usize = 1_000;

impl Checkers {
    /// A hall has committed its part in a case, and maybe events.
    pub(super) fn look_at_log(&mut self, at: u64, seat: Seat, view: &CaseView, disk: &Disk) {
        let (Some(me), Some(custody)) = (self.lives.at(seat), view.custody) else { return };
        let id = view.case.id;
        let how = self.high_water.stands(seat, id, custody.position);
        self.note(at, Promise::OneHand, how);
        let grown = usize::try_from(view.case.events).is_ok_and(|now| now > self.lawful_log.log(id).len());
        if grown || custody.stage == Stage::Holder {
            self.read_log(at, me, view, disk);
        }
        if custody.stage == Stage::Released {
            let copies = |events| self.kept.copies(id, events);
            let how = LetGo::check(me.hall, (view.case.events, self.lawful_log.log(id)), copies);
            // What the target signed for was true, and may have gone with all who had it.
            self.note(at, Promise::OneHand, how.filter(|_| !self.kept.lost_every_holder(id)));
        }
    }

    fn read_log(&mut self, at: u64, me: HallAt, view: &CaseView, disk: &Disk) {
        let file = query::file(disk, view.case.id);
        let log: Vec<_> = file.events.iter().filter_map(|event| event.header().ok()).collect();
        let how = self.provable.kept(view.case.id, &file.events);
        self.note(at, Promise::Provable, how);
        // The life that has pinned a version has it; a later one may not.
        let pinned_here = log.first().is_some_and(|first| first.at == me);
        let how = self.binding.check(&log, |events| self.kept.copies(view.case.id, events));
        self.note(at, Promise::Lawful, how);
        for how in self.lawful_log.kept(view.case.id, log) {
            self.note(at, Promise::Lawful, Some(how));
        }
        self.note(at, Promise::Kept, InHand::key(me, view, &file.wraps));
        self.note(at, Promise::Lawful, InHand::matter(me, view).filter(|_| pinned_here));
    }

    /// A hall dropped its part in a case.
    pub(super) fn part_dropped(&mut self, at: u64, seat: Seat, case: CaseId) {
        self.note(at, Promise::OneHand, HighWater::dropped(seat, case));
    }

    /// What must hold of every printed case, and of every disk, when all is over.
    pub(super) fn ended_whole(&mut self, at: u64, stations: &[Station]) {
        let printed = self.kept.all_printed();
        let found: Vec<_> = printed
            .flat_map(|case| match self.waits(case, stations) {
                None => self.ends(case, stations),
                Some(why) if why.may_be_gone() => Vec::new(),
                Some(_) => self.gone(case, stations).into_iter().collect(),
            })
            .collect();
        for how in found {
            self.note(at, Promise::Kept, Some(how));
        }
        // In a province a thousand of them, evenly spread: all are the same code.
        let every = stations.len().div_ceil(REBUILT_MAX).max(1);
        for station in stations.iter().step_by(every) {
            for how in self.rebuilt.check(station.at.hall, &station.disk) {
                self.note(at, Promise::RowsAgree, Some(how));
            }
        }
    }

    /// A case waits for a ruling or a key: what was graded D2 of it is still on some disk.
    fn gone(&self, case: CaseId, stations: &[Station]) -> Option<String> {
        let keepers = self.kept.keepers(case).filter_map(|seat| stations.get(seat));
        let mut logs = keepers.map(|station| log_of(&query::file(&station.disk, case)));
        let kept = logs.any(|log| self.graded.ends(case, &log).is_none());
        (!kept).then(|| format!("case {case} waits, and no disk has all that was graded D2 of it"))
    }

    /// What is wrong with the log with which a hall ends that has the case in hand.
    fn ends_otherwise(&self, case: CaseId, view: &CaseView, disk: &Disk) -> Option<String> {
        let in_hand = view.custody.is_some_and(|custody| custody.stage == Stage::Custodian);
        self.graded.ends(case, &log_of(&query::file(disk, case))).filter(|_| in_hand)
    }

    /// What is wrong with where a case ends.
    fn ends(&self, case: CaseId, stations: &[Station]) -> Vec<String> {
        let keepers = self.kept.keepers(case).filter_map(|seat| stations.get(seat));
        let views = keepers
            .filter_map(|station| Some((station.at, query::case(&station.disk, case)?, &station.disk)));
        let found = views.filter_map(|(me, view, disk)| {
            let copies = self.kept.copies_now(case, view.case.events).saturating_sub(1);
            InHand::ends(me, &view, copies).or_else(|| self.ends_otherwise(case, &view, disk))
        });
        found.collect()
    }
}
