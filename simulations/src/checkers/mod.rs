//! The promises, one file each. A checker watches what halls commit and what they say after a commit; it
//! has a memory of its own (ghost state) and never asks the code it checks to check itself.

mod forwards;
mod high_water;
mod in_hand;
mod lawful_log;
mod let_go;
mod lists_agree;
mod logs;
mod nothing_lost;
mod one_hand;
mod rebuilt;
mod settled;
mod trace;

use std::collections::BTreeSet;

use hallmesh_protocol::cases::{Grade, Stage};
use hallmesh_protocol::ids::{CaseId, HallAt, HallId};
use hallmesh_protocol::post;
use hallmesh_protocol::query;
use hallmesh_protocol::step::{Reply, Writes};
use hallmesh_protocol::wire::Malformed;
use serde::Serialize;

use crate::disk::Disk;
use crate::station::{Seat, Station};

pub use forwards::Forwards;
pub use high_water::HighWater;
pub use in_hand::InHand;
pub use lawful_log::LawfulLog;
pub use let_go::LetGo;
pub use lists_agree::ListsAgree;
pub use nothing_lost::{Ending, NothingLost};
pub use one_hand::OneHand;
pub use rebuilt::Rebuilt;
pub use settled::Settled;
pub use trace::{Kind, Trace};

/// Broken promises that are described; more are only counted.
const DESCRIBED_MAX: usize = 50;
/// Waiting letters of one hall that are described.
const LETTERS_DESCRIBED_MAX: usize = 4;

/// First bytes of the rows that are watched: see the key space in `hallmesh_protocol::rows`.
mod table {
    pub(super) const RECORD: u8 = 0x10;
    pub(super) const ELEMENT: u8 = 0x11;
    pub(super) const CASE: u8 = 0x20;
    pub(super) const EVENT: u8 = 0x21;
    pub(super) const CUSTODY: u8 = 0x23;
}

/// What can be broken. Each has an exit code of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Promise {
    /// A case is in at most one hand, and has one log.
    OneHand,
    /// What was receipted or recorded is kept, and a D2 receipt means a second copy.
    NothingLost,
    /// All halls hold the same lists in the end.
    ListsAgree,
    /// When the trouble is over no case is left between two halls and no letter waits.
    Settled,
    /// One seed gives one run.
    SameTrace,
    /// A log tells only what the law of cases allows.
    Lawful,
    /// What is kept for finding and counting rows is what the rows say.
    Rebuilt,
}

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Which.
    pub promise: Promise,
    /// Age of the world, in milliseconds.
    pub at: u64,
    /// How.
    pub how: String,
}

/// All promises together.
#[derive(Debug, Default)]
pub struct Checkers {
    /// The run so far, in one hash.
    pub trace: Trace,
    one_hand: OneHand,
    nothing_lost: NothingLost,
    forwards: Forwards,
    high_water: HighWater,
    lawful_log: LawfulLog,
    rebuilt: Rebuilt,
    broken: Vec<Violation>,
    count: u64,
    halls: Vec<HallAt>,
}

impl Checkers {
    /// Checkers of a city with these halls, each at its seat.
    pub fn new(halls: Vec<HallAt>) -> Self {
        Self { halls, ..Self::default() }
    }

    /// A hall commits. Says which cases change with that.
    pub fn commits(&mut self, at: u64, seat: Seat, writes: &Writes) -> BTreeSet<CaseId> {
        self.trace.commit(at, seat, writes);
        for how in self.forwards.commits(seat, writes) {
            self.note(at, Promise::ListsAgree, Some(how));
        }
        let mut changed = BTreeSet::new();
        for (key, value) in writes {
            let (Some(table), Some(case)) = (key.first(), case_of(key)) else { continue };
            match (*table, value) {
                (table::EVENT, Some(bytes)) => {
                    let sequence = sequence_of(key);
                    let event = *blake3::hash(bytes).as_bytes();
                    let how = self.one_hand.logged(seat, case, sequence, event);
                    self.note(at, Promise::OneHand, how);
                }
                (table::CASE | table::EVENT, None) => {
                    let how = self.nothing_lost.dropped(seat, case);
                    self.note(at, Promise::NothingLost, how);
                }
                (table::CUSTODY, None) => self.part_dropped(at, seat, case),
                (table::CASE | table::CUSTODY, _) => {
                    changed.insert(case);
                }
                _other => {}
            }
        }
        changed
    }

    /// A hall has committed: these cases may stand differently with it now.
    pub fn committed(&mut self, at: u64, seat: Seat, changed: BTreeSet<CaseId>, disk: &Disk) {
        for case in changed {
            self.case_changed(at, seat, case, disk);
        }
    }

    /// A hall's answer left the hall.
    pub fn replied(&mut self, at: u64, reply: &Reply) {
        match reply {
            Reply::Received { case, .. } => {
                let how = self.nothing_lost.printed(*case);
                self.note(at, Promise::NothingLost, how);
            }
            Reply::Recorded { case, sequence } => self.nothing_lost.recorded(*case, *sequence),
            Reply::Published { .. } | Reply::Admitted { .. } | Reply::Done | Reply::Refused(_) => {}
        }
    }

    /// A hall sent bytes that no hall can read. Lines lose messages, they never change them.
    pub fn malformed(&mut self, at: u64, sender: HallId, why: Malformed) {
        self.note(at, Promise::NothingLost, Some(format!("hall {sender} sent what cannot be read: {why}")));
    }

    /// The trouble is long over: what must hold now.
    pub fn ended(&mut self, at: u64, stations: &[Station]) {
        let endings = self.endings(stations);
        for how in self.nothing_lost.ended(&endings) {
            self.note(at, Promise::NothingLost, Some(how));
        }
        for (case, hands) in &endings {
            self.note(at, Promise::Settled, Settled::delivered(*case, hands));
        }
        let roots: Vec<_> =
            stations.iter().map(|station| (station.at.hall, query::roots(&station.disk))).collect();
        for how in ListsAgree::check(&roots) {
            self.note(at, Promise::ListsAgree, Some(how));
        }
        for station in stations {
            let waiting = post::waiting(&station.disk, LETTERS_DESCRIBED_MAX);
            let how = Settled::check(station.at.hall, &query::counts(&station.disk), &waiting);
            self.note(at, Promise::Settled, how);
        }
        self.ended_whole(at, stations);
    }

    /// Whether anything was broken so far.
    pub fn is_broken(&self) -> bool {
        self.count > 0
    }

    /// What was broken, as far as it is described, and how often in all.
    pub fn verdict(self) -> (Vec<Violation>, u64) {
        (self.broken, self.count)
    }

    fn case_changed(&mut self, at: u64, seat: Seat, case: CaseId, disk: &Disk) {
        let Some(view) = query::case(disk, case) else { return };
        let events = view.case.events;
        self.nothing_lost.kept(seat, case, events);
        self.look_at_log(at, seat, &view, disk);
        let Some(custody) = view.custody else { return };
        if custody.stage == Stage::Custodian && !self.one_hand.has_in_hand(seat, case) {
            let how = self.taken(seat, case, disk);
            self.note(at, Promise::OneHand, how);
        }
        let how = self.one_hand.stands(seat, case, custody.stage, custody.position);
        self.note(at, Promise::OneHand, how);
        if custody.grade == Grade::D2 {
            let how = self.nothing_lost.graded_d2(seat, case, events);
            self.note(at, Promise::NothingLost, how);
        }
    }

    /// What is wrong with how a case came into a hall's hand.
    fn taken(&self, seat: Seat, case: CaseId, disk: &Disk) -> Option<String> {
        let log: Vec<_> = query::file(disk, case).events.iter().filter_map(|it| it.header().ok()).collect();
        let me = self.halls.get(seat)?.hall;
        let keeps = |hall| {
            let seat = self.halls.binary_search_by_key(&hall, |at| at.hall).ok();
            seat.map_or(0, |seat| self.nothing_lost.events_kept(seat, case))
        };
        OneHand::witnessed(&log, me, keeps)
    }

    /// Where each printed case is now, read from the disks.
    fn endings(&self, stations: &[Station]) -> Vec<(CaseId, Vec<Ending>)> {
        let of = |case: CaseId| {
            let seats = self.nothing_lost.keepers(case);
            let views = seats.filter_map(|seat| query::case(&stations.get(seat)?.disk, case));
            let in_hand =
                views.filter(|view| view.custody.is_some_and(|custody| custody.stage == Stage::Custodian));
            in_hand.map(|view| Ending { events: view.case.events, state: view.case.state }).collect()
        };
        self.nothing_lost.all_printed().map(|case| (case, of(case))).collect()
    }

    fn note(&mut self, at: u64, promise: Promise, how: Option<String>) {
        let Some(how) = how else { return };
        self.count = self.count.saturating_add(1);
        if self.broken.len() < DESCRIBED_MAX {
            self.broken.push(Violation { promise, at, how });
        }
    }
}

fn case_of(key: &[u8]) -> Option<CaseId> {
    key.get(1..17)?.try_into().ok().map(CaseId)
}

fn sequence_of(key: &[u8]) -> u32 {
    key.get(17..21).and_then(|bytes| bytes.try_into().ok()).map_or(u32::MAX, u32::from_be_bytes)
}
