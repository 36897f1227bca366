//! The promises, one file each, and the invariants beside them. A checker watches what halls commit, what they say after a
//! commit and what their disks hold in the end; it has a memory of its own (ghost state) and never asks the code it
//! checks to check itself.

mod binding;
mod bounded;
mod explained;
mod forwards;
mod graded;
mod high_water;
mod in_hand;
mod in_time;
mod kept;
mod lawful_log;
mod let_go;
mod lists_agree;
mod lives;
mod logs;
mod no_centre;
mod one_hand;
mod orphans;
mod overreach;
mod promise;
mod provable;
mod rebuilt;
mod remembered;
mod revoked;
mod route_only;
mod same_standard;
mod settled;
mod together;
mod trace;

use std::collections::{BTreeMap, BTreeSet};

use hallmesh_protocol::calendar::CivilDay;
use hallmesh_protocol::cases::{Case, CaseFile, Deed, Grade, Refusal, SignedEvent, Stage};
use hallmesh_protocol::ids::{CaseId, Digest, HallAt, HallId};
use hallmesh_protocol::query;
use hallmesh_protocol::record::Record;
use hallmesh_protocol::seal::PublicKey;
use hallmesh_protocol::signed::Signed;
use hallmesh_protocol::step::{Reply, Ticket, Writes};

use crate::city::City;
use crate::disk::Disk;
use crate::people::Asked;
use crate::reference::Reference;
use crate::station::{Seat, Station};
use remembered::signer;

pub use binding::Binding;
pub use bounded::Bounded;
pub use explained::{Explained, Says};
pub use forwards::Forwards;
pub use graded::Graded;
pub use high_water::HighWater;
pub use in_hand::InHand;
pub use in_time::InTime;
pub use kept::{Ending, Kept};
pub use lawful_log::LawfulLog;
pub use let_go::LetGo;
pub use lists_agree::ListsAgree;
pub use lives::{Lives, Waits};
pub use no_centre::NoCentre;
pub use one_hand::{Logged, OneHand};
pub use orphans::Orphans;
pub use overreach::Overreach;
pub use promise::{Promise, Violation};
pub use provable::Provable;
pub use rebuilt::Rebuilt;
pub use remembered::Remembered;
pub use revoked::Revoked;
pub use route_only::RouteOnly;
pub use same_standard::SameStandard;
pub use settled::Settled;
pub use together::Together;
pub use trace::{Kind, Trace};

/// How often one broken promise is described; more is only counted.
const DESCRIBED_MAX: u64 = 10;

/// First bytes of the rows that are watched: see the key space in `hallmesh_protocol::rows`.
mod table {
    pub(super) const RECORD: u8 = 0x10;
    pub(super) const ELEMENT: u8 = 0x11;
    pub(super) const CASE: u8 = 0x20;
    pub(super) const EVENT: u8 = 0x21;
    pub(super) const CUSTODY: u8 = 0x23;
    pub(super) const RECEIPT: u8 = 0x25;
    pub(super) const ORPHAN: u8 = 0x2f;
    pub(super) const LEAF: u8 = 0x50;
}

/// All promises together.
#[derive(Debug, Default)]
pub struct Checkers {
    /// The run so far, in one hash.
    pub trace: Trace,
    one_hand: OneHand,
    kept: Kept,
    graded: Graded,
    orphans: Orphans,
    same_standard: SameStandard,
    no_centre: NoCentre,
    route_only: RouteOnly,
    in_time: InTime,
    together: Together,
    binding: Binding,
    bounded: Bounded,
    overreach: Overreach,
    provable: Provable,
    revoked: Revoked,
    lives: Lives,
    /// Cases of which a hall has written two logs.
    two_faced: BTreeSet<CaseId>,
    /// Cases of which a hall that had forgotten what it signed has brought about a second log that was graded D2.
    signed_again: BTreeSet<CaseId>,
    /// Cases in which what a life that is over has signed was followed by something else.
    contradicted: BTreeSet<CaseId>,
    forwards: Forwards,
    high_water: HighWater,
    lawful_log: LawfulLog,
    rebuilt: Rebuilt,
    remembered: Remembered,
    /// Printed cases that are not asked for in the end, by reason.
    waiting: BTreeMap<Waits, u64>,
    broken: Vec<Violation>,
    counts: BTreeMap<Promise, u64>,
}

impl Checkers {
    /// Checkers of a city.
    pub fn new(city: &City) -> Self {
        let mut checkers = Self {
            lives: Lives::new(&city.halls),
            same_standard: SameStandard::new(Reference::new(city)),
            binding: Binding::new(&city.matters),
            ..Self::default()
        };
        for at in &city.halls {
            checkers.provable.chartered(*at, city.event_key(*at).public());
        }
        checkers
    }

    /// Promises broken so far.
    pub fn broken(&self) -> u64 {
        self.counts.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// A hall commits to its disk. Says which cases change with that.
    pub fn commits(&mut self, at: u64, seat: Seat, writes: &Writes, disk: &Disk) -> BTreeSet<CaseId> {
        self.trace.commit(at, seat, writes);
        for how in self.orphans.commits(writes, disk) {
            self.note(at, Promise::Kept, Some(how));
        }
        self.revoked.commits(writes);
        let how = self.remembered.commits(seat, self.lives.at(seat), writes);
        self.note(at, Promise::Remembered, how);
        for how in self.forwards.commits(seat, writes) {
            self.note(at, Promise::ListsAgree, Some(how));
        }
        let mut changed = BTreeSet::new();
        for (key, value) in writes {
            if let (Some(&table::RECORD), Some(bytes)) = (key.first(), value) {
                let how = self.overreach.written(seat, bytes);
                self.note(at, Promise::ListsAgree, how);
            }
            let (Some(table), Some(case)) = (key.first(), case_of(key)) else { continue };
            match (*table, value) {
                (table::EVENT, Some(bytes)) => {
                    let logged = Logged { event: *blake3::hash(bytes).as_bytes(), by: signer(bytes) };
                    let two = self.one_hand.logged(case, sequence_of(key), logged);
                    let how = two.and_then(|two| self.two_events(seat, case, sequence_of(key), two));
                    self.note(at, Promise::OneHand, how);
                }
                (table::CASE, None) => {
                    let how = self.kept.dropped(seat, case);
                    self.note(at, Promise::Kept, how);
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
        for case in &changed {
            if let Some(view) = query::case(disk, *case) {
                self.together.sees(&view.case);
            }
        }
        for case in changed {
            self.case_changed(at, seat, case, disk);
        }
    }

    /// A hall's people asked its node for something.
    pub fn asked(&mut self, at: u64, seat: Seat, ticket: Ticket) {
        self.no_centre.asked(at, seat, ticket);
    }

    /// A hall's answer left the hall.
    pub fn replied(&mut self, at: u64, seat: Seat, ticket: Ticket, asked: Option<&Asked>, reply: &Reply) {
        if *reply == Reply::Refused(Refusal::RolledBack) {
            let how = self.remembered.says_so(seat);
            self.note(at, Promise::Remembered, how);
        }
        let how = self.no_centre.answered(at, ticket);
        self.note(at, Promise::NoCentre, how);
        let how = asked.and_then(|asked| self.same_standard.answered(seat, asked, reply, &self.lives));
        self.note(at, Promise::SameStandard, how);
        match reply {
            Reply::Received { case, .. } => {
                let how = self.kept.printed(*case);
                self.note(at, Promise::Kept, how);
            }
            Reply::Recorded { case, sequence } => self.kept.recorded(*case, *sequence),
            Reply::ReceivedBundle { bundle, cases } => {
                let cases: Vec<CaseId> = cases.iter().map(|(case, ..)| *case).collect();
                for case in &cases {
                    let how = self.kept.printed(*case);
                    self.note(at, Promise::Kept, how);
                }
                self.together.printed(*bundle, cases);
            }
            Reply::RecordedBundle { bundle, cases } => {
                for (case, sequence) in cases {
                    self.kept.recorded(*case, *sequence);
                }
                let delivered = matches!(asked, Some(Asked::Together(_, Deed::Deliver)));
                let how = self.together.handed_out(*bundle).filter(|_| delivered);
                self.note(at, Promise::Together, how);
            }
            Reply::Published { .. }
            | Reply::Admitted { .. }
            | Reply::Stated { .. }
            | Reply::Consigned(_)
            | Reply::TakenIn(_)
            | Reply::Done
            | Reply::Refused(_) => {}
        }
    }

    /// A process ended: its people get no answer any more.
    pub fn hung_up(&mut self, seat: Seat) {
        self.no_centre.hung_up(seat);
        self.remembered.hung_up(seat);
    }

    /// A hall was shown that it has forgotten what it signed.
    pub fn shown_more(&mut self, seat: Seat) {
        self.remembered.shown(seat);
    }

    /// A hall sent a frame.
    pub fn sent(&mut self, at: u64, seat: Seat, bytes: usize) {
        let how = self.bounded.sent(at, seat, bytes);
        self.note(at, Promise::Bounded, how);
    }

    /// A node was woken as it had asked.
    pub fn woke(&mut self, at: u64, seat: Seat) {
        let how = self.bounded.woke(at, seat);
        self.note(at, Promise::Bounded, how);
    }

    /// Somebody has signed what is not theirs to state: no hall may take it up.
    pub fn forbidden(&mut self, record: &Signed<Record>) {
        self.overreach.forbidden(record);
    }

    /// A hall has written a second log of a case that it had in hand: it alone is to blame for what comes of that case.
    pub fn two_faced(&mut self, case: CaseId) {
        self.two_faced.insert(case);
    }

    /// Somebody asked a hall about a case.
    pub fn inspected(&mut self, at: u64, case: CaseId, disk: &Disk, today: CivilDay) {
        // An acceptance that only a lost disk had is given once more.
        let may = self.two_faced.contains(&case) || self.contradicted.contains(&case);
        let how = self.in_time.asked(case, disk, today).filter(|_| !may);
        self.note(at, Promise::InTime, how);
    }

    /// A machine slept: nobody can have had an answer from it meanwhile.
    pub fn slept(&mut self, seat: Seat, milliseconds: u64) {
        self.no_centre.slept(seat, milliseconds);
    }

    /// A hall's life ended.
    pub fn life_ended(&mut self, seat: Seat, life: HallAt) {
        self.lives.end(life);
        self.one_hand.disk_lost(seat);
        self.remembered.disk_replaced(seat);
    }

    /// A hall comes back with an old disk and does not know it: what it signed about these cases it has forgotten.
    pub fn rolled_back(&mut self, life: HallAt, forgotten: BTreeSet<CaseId>) {
        self.lives.roll_back(life, forgotten);
    }

    /// A hall has another disk than a moment ago.
    pub fn disk_changed(&mut self, at: u64, seat: Seat, disk: &Disk) {
        self.one_hand.disk_lost(seat);
        self.high_water.disk_lost(seat);
        self.forwards.disk_lost(seat);
        self.remembered.disk_replaced(seat);
        let held = |case| query::case(disk, case).map(|view| view.case.events);
        for how in self.kept.disk_replaced(seat, held) {
            self.note(at, Promise::Kept, Some(how));
        }
        for case in self.kept.all_without_holders() {
            let left = self.kept.left(case).and_then(|left| usize::try_from(left).ok());
            self.graded.forget(case, left.unwrap_or(0));
        }
        self.lawful_log.disk_lost(|case| self.kept.left(case));
    }

    /// A machine was stolen: what its life signs from now on is worth nothing where that is known.
    pub fn stolen(&mut self, life: HallAt) {
        self.revoked.stolen(life);
        self.lives.steal(life.hall);
    }

    /// A hall has a new life.
    pub fn installed(&mut self, seat: Seat, life: HallAt, key: PublicKey) {
        self.provable.chartered(life, key);
        self.lives.begin(seat, life);
    }

    /// A hall that was chartered could not begin.
    pub fn not_installed(&mut self, at: u64, life: HallAt, why: &anyhow::Error) {
        self.note(at, Promise::Settled, Some(format!("hall {life} cannot be installed: {why:#}")));
    }

    /// The trouble is long over: what must hold now.
    pub fn ended(&mut self, at: u64, stations: &[Station]) {
        let endings = self.endings(stations);
        let waiting = self.kept.all_printed().filter_map(|case| self.waits(case, stations));
        for why in waiting.collect::<Vec<_>>() {
            let count = self.waiting.entry(why).or_default();
            *count = count.saturating_add(1);
        }
        for (case, how) in self.kept.ended(&endings) {
            let how = format!("{how}; {}", self.whereabouts(case, stations));
            self.note(at, Promise::Kept, Some(how));
        }
        for (case, hands) in &endings {
            let how = Settled::delivered(*case, hands);
            let how = how.map(|how| format!("{how}; {}", self.whereabouts(*case, stations)));
            self.note(at, Promise::Settled, how);
            for how in Explained::ended(*case, &self.says(*case, stations)) {
                self.note(at, Promise::Explained, Some(how));
            }
        }
        let roots: Vec<_> =
            stations.iter().map(|station| (station.at.hall, query::roots(&station.disk))).collect();
        for how in ListsAgree::check(&roots) {
            self.note(at, Promise::ListsAgree, Some(format!("{how}: {:?}", odd_ones(stations))));
        }
        for how in Remembered::ended(stations) {
            self.note(at, Promise::Remembered, Some(how));
        }
        for how in self.no_centre.ended() {
            self.note(at, Promise::NoCentre, Some(how));
        }
        for station in stations {
            let forks_allowed = !self.two_faced.is_empty() || self.lives.any_rolled_back();
            let how = Settled::check(station, forks_allowed, |case| self.may_wait(case, stations));
            self.note(at, Promise::Settled, how);
        }
        self.bundles(at, stations);
        self.dates(at, stations);
        self.ended_whole(at, stations);
    }

    /// Printed cases that nobody asked for when all was over, and why.
    pub fn waiting(&self) -> BTreeMap<Waits, u64> {
        self.waiting.clone()
    }

    /// Events that halls have kept apart from the logs that count.
    pub fn orphans(&self) -> u64 {
        self.orphans.kept()
    }

    /// Printed cases that a second hall could restore at some time.
    pub fn d2_receipts(&self) -> u64 {
        u64::try_from(self.kept.d2_receipts()).unwrap_or(u64::MAX)
    }

    /// What was broken, as far as it is described, and how often in all.
    pub fn verdict(self) -> (Vec<Violation>, u64) {
        let count = self.broken();
        (self.broken, count)
    }

    fn case_changed(&mut self, at: u64, seat: Seat, case: CaseId, disk: &Disk) {
        if self.two_faced.contains(&case) {
            return;
        }
        let Some(view) = query::case(disk, case) else { return };
        let events = view.case.events;
        self.kept.kept(seat, case, events);
        let how = self.in_time.committed(at, &view.case);
        self.note(at, Promise::Dated, how);
        let how = self.in_time.closed(at, &view.case);
        self.note(at, Promise::Dated, how);
        let how = self.together.began(&view.case).filter(|_| !self.contradicted.contains(&case));
        self.note(at, Promise::Together, how);
        let file = query::file(disk, case);
        let how = self.route_only.kept(case, &file);
        self.note(at, Promise::RouteOnly, how);
        let recorded = self.kept.copies(case, events) > 1;
        let me = (seat, self.lives.at(seat));
        let how = self.revoked.kept(me, (&view, &file), recorded, disk);
        self.note(at, Promise::RouteOnly, how);
        self.look_at_log(at, seat, &view, disk);
        let Some(custody) = view.custody else { return };
        if custody.stage == Stage::Custodian && !self.one_hand.has_in_hand(seat, case) {
            let how = self.taken(seat, case, disk);
            self.note(at, Promise::OneHand, how);
        }
        // A hall that has forgotten has a case in hand once a mirror has signed for it: before that it only believes so.
        let forgets = self.lives.at(seat).is_some_and(|me| self.lives.is_rolled_back(me));
        let stage = if forgets && custody.grade == Grade::D1 { Stage::None } else { custody.stage };
        let how = self.one_hand.stands(seat, case, stage, custody.position);
        self.note(at, Promise::OneHand, how);
        if custody.grade == Grade::D2 {
            let how = self.kept.graded_d2(seat, case, events).or_else(|| self.graded_again(case, &file));
            self.note(at, Promise::Kept, how);
        }
    }

    /// A log is graded D2. A hall that has forgotten what it signed, and whom nobody could tell, may find a mirror for
    /// something else that has forgotten it, too.
    fn graded_again(&mut self, case: CaseId, file: &CaseFile) -> Option<String> {
        let log = log_of(file);
        let wrong = self.graded.check(case, &log);
        self.graded.grade(case, log);
        if wrong.is_some() && self.lives.ever_forgot(case) {
            self.signed_again.insert(case);
            return None;
        }
        wrong
    }

    /// Two events stand in one place. What a life that is over, or has forgotten, has signed may be followed by something
    /// else.
    fn two_events(
        &mut self,
        seat: Seat,
        case: CaseId,
        sequence: u32,
        (one, other): (Logged, Logged),
    ) -> Option<String> {
        let over = |by: Option<HallAt>| by.is_some_and(|by| self.lives.may_be_contradicted(by));
        let excused = over(one.by) || over(other.by);
        if excused {
            self.contradicted.insert(case);
        }
        (!excused && !self.two_faced.contains(&case))
            .then(|| format!("case {case} has two events {sequence}; hall {seat} has the second"))
    }

    /// What is wrong with how a case came into a hall's hand.
    fn taken(&self, seat: Seat, case: CaseId, disk: &Disk) -> Option<String> {
        let log: Vec<_> = query::file(disk, case).events.iter().filter_map(|it| it.header().ok()).collect();
        let me = self.lives.at(seat)?.hall;
        let keeps = |hall| self.lives.seat(hall).map_or(0, |seat| self.kept.events_kept(seat, case));
        OneHand::witnessed(&log, me, keeps)
    }

    /// Where each printed case is now, read from the disks; cases that wait for a ruling are left out.
    fn endings(&self, stations: &[Station]) -> Vec<(CaseId, Vec<Ending>)> {
        let of = |case: CaseId| {
            let seats = self.kept.keepers(case);
            let views = seats.filter_map(|seat| query::case(&stations.get(seat)?.disk, case));
            let in_hand =
                views.filter(|view| view.custody.is_some_and(|custody| custody.stage == Stage::Custodian));
            in_hand.map(|view| Ending { events: view.case.events, state: view.case.state }).collect()
        };
        let printed = self.kept.all_printed().filter(|case| self.waits(*case, stations).is_none());
        printed.map(|case| (case, of(case))).collect()
    }

    /// What each hall that has a case is to it, and how far its log goes.
    fn whereabouts(&self, case: CaseId, stations: &[Station]) -> String {
        let of = |seat: Seat| {
            let station = stations.get(seat)?;
            let view = query::case(&station.disk, case)?;
            let stage = view.custody.map_or("unlisted", |custody| custody.stage.word());
            let (at, owner, events) = (station.at, view.case.owner(), view.case.events);
            Some(format!("{at} {stage}, {events} events, next {owner}"))
        };
        self.kept.keepers(case).filter_map(of).collect::<Vec<_>>().join("; ")
    }

    /// Where each hall that has a case says it is. A mirror says it from its copy.
    fn says(&self, case: CaseId, stations: &[Station]) -> BTreeMap<HallId, Says> {
        let of = |seat: Seat| {
            let station = stations.get(seat)?;
            let view = query::case(&station.disk, case)?;
            let here = view.custody.is_some_and(|custody| custody.stage == Stage::Custodian);
            let next = view.case.transit.map_or(view.case.custodian, |transit| transit.to);
            Some((station.at.hall, if here { Says::Here } else { Says::At(next.hall) }))
        };
        self.kept.keepers(case).filter_map(of).collect()
    }

    /// Why a case has to wait, as the newest copy of it shows.
    fn waits(&self, case: CaseId, stations: &[Station]) -> Option<Waits> {
        if self.two_faced.contains(&case) {
            return Some(Waits::TwoLogs);
        }
        if self.kept.lost_every_holder(case) {
            return Some(Waits::HoldersLost);
        }
        if self.signed_again.contains(&case) || self.lives.has_forgotten(case) {
            return Some(Waits::Forgotten);
        }
        // A case that was printed and is nowhere is asked for, unless it went with a disk.
        let Some((newest, disk)) = self.newest(case, stations) else {
            let gone = !self.kept.was_printed(case) || self.kept.lost_a_copy(case);
            return gone.then_some(Waits::OnlyDiskLost);
        };
        let file: CaseFile = query::file(disk, case);
        // What waits for a task that waits, or is gone, waits with it.
        self.lives.waits(&newest, &file).or_else(|| {
            self.together.waited_for(&newest).into_iter().find_map(|needed| self.waits(needed, stations))
        })
    }

    /// Whether a letter about a case may wait for ever.
    fn may_wait(&self, case: CaseId, stations: &[Station]) -> bool {
        let newest = self.newest(case, stations);
        self.waits(case, stations).is_some()
            || newest.is_some_and(|(case, _)| self.lives.lacks_a_mirror(&case))
    }

    fn newest<'a>(&self, case: CaseId, stations: &'a [Station]) -> Option<(Case, &'a Disk)> {
        let disks =
            self.kept.keepers(case).filter_map(|seat| stations.get(seat)).map(|station| &station.disk);
        let newest = disks.filter_map(|disk| Some((query::case(disk, case)?.case, disk)));
        newest.max_by_key(|(case, _)| case.events)
    }

    /// Every hall that has a case is asked when it is due.
    fn dates(&mut self, at: u64, stations: &[Station]) {
        let cases: Vec<_> = self.kept.all_printed().collect();
        for case in cases {
            let seats: Vec<_> = self.kept.keepers(case).collect();
            for station in seats.into_iter().filter_map(|seat| stations.get(seat)) {
                let today = CivilDay::of_wall(station.clock.at(at).wall);
                self.inspected(at, case, &station.disk, today);
            }
        }
    }

    fn note(&mut self, at: u64, promise: Promise, how: Option<String>) {
        let Some(how) = how else { return };
        let count = self.counts.entry(promise).or_default();
        *count = count.saturating_add(1);
        if *count <= DESCRIBED_MAX {
            self.broken.push(Violation { promise, at, how });
        }
    }
}

/// Records in which the first hall that differs from its neighbour by code does so.
fn odd_ones(stations: &[Station]) -> Vec<String> {
    let differs = |pair: &&[Station]| match pair {
        [one, other] => query::roots(&one.disk) != query::roots(&other.disk),
        _none => false,
    };
    match stations.windows(2).find(differs) {
        Some([one, other]) => ListsAgree::differing(&one.disk, &other.disk),
        Some(_) | None => Vec::new(),
    }
}

fn log_of(file: &CaseFile) -> Vec<Digest> {
    file.events.iter().map(SignedEvent::digest).collect()
}

fn case_of(key: &[u8]) -> Option<CaseId> {
    key.get(1..17)?.try_into().ok().map(CaseId)
}

fn sequence_of(key: &[u8]) -> u32 {
    key.get(17..21).and_then(|bytes| bytes.try_into().ok()).map_or(u32::MAX, u32::from_be_bytes)
}
