//! Which lives of halls are over, and which disks were lost: nobody is blamed for what lay on them alone.

use std::collections::{BTreeMap, BTreeSet};

use hallmesh_protocol::cases::{Case, CaseFile};
use hallmesh_protocol::ids::{CaseId, HallAt, HallId};
use serde::Serialize;

use crate::station::Seat;

/// Why a printed case is not asked for when all is over. A D1 receipt does not promise it, or more than one disk is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Waits {
    /// It lay on one disk only, and that is lost.
    OnlyDiskLost,
    /// Every hall that had all of it lost its disk before two had it again.
    HoldersLost,
    /// A hall came back with an old disk, has forgotten what it signed about it, and nobody could tell it in time.
    Forgotten,
    /// The life that has it is over and so is one that would have to fence it off: waits for a ruling.
    Overlapping,
    /// It was handed over, and all who could witness that are over: waits for a ruling.
    Unwitnessed,
    /// Nobody on its route has a key that opens it any more: waits for the recovery key.
    NoKey,
    /// A hall has written two logs of it.
    TwoLogs,
}

impl Waits {
    /// A stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::OnlyDiskLost => "only-disk-lost",
            Self::HoldersLost => "holders-lost",
            Self::Forgotten => "forgotten",
            Self::Overlapping => "overlapping-losses",
            Self::Unwitnessed => "unwitnessed",
            Self::NoKey => "no-key",
            Self::TwoLogs => "two-logs",
        }
    }

    /// Whether there may be nothing left of the case. One that only waits is still kept.
    pub const fn may_be_gone(self) -> bool {
        match self {
            Self::OnlyDiskLost | Self::HoldersLost | Self::Forgotten | Self::TwoLogs => true,
            Self::Overlapping | Self::Unwitnessed | Self::NoKey => false,
        }
    }
}

/// The lives of all halls, as the world knows them.
#[derive(Debug, Default)]
pub struct Lives {
    present: Vec<HallAt>,
    ended: BTreeSet<HallAt>,
    stolen: BTreeSet<HallId>,
    /// Lives that came back with an old disk, and the cases about which they signed what is not on it.
    rolled_back: BTreeMap<HallAt, BTreeSet<CaseId>>,
    seats: BTreeMap<HallId, Seat>,
}

impl Lives {
    /// Every hall lives its first life.
    pub fn new(halls: &[HallAt]) -> Self {
        let seats = halls.iter().zip(0..).map(|(at, seat)| (at.hall, seat)).collect();
        Self { present: halls.to_vec(), seats, ..Self::default() }
    }

    /// A life is over.
    pub fn end(&mut self, at: HallAt) {
        self.ended.insert(at);
    }

    /// A life came back with an old disk: of these cases it has forgotten something.
    pub fn roll_back(&mut self, at: HallAt, forgotten: BTreeSet<CaseId>) {
        self.rolled_back.entry(at).or_default().extend(forgotten);
    }

    /// Whether a life goes on with an old disk.
    pub fn is_rolled_back(&self, at: HallAt) -> bool {
        self.rolled_back.contains_key(&at)
    }

    /// Whether any life ever came back with an old disk.
    pub fn any_rolled_back(&self) -> bool {
        !self.rolled_back.is_empty()
    }

    /// Whether what a life has signed may be followed by something else: it is over, or has forgotten what it signed.
    pub fn may_be_contradicted(&self, at: HallAt) -> bool {
        self.ended.contains(&at) || self.is_rolled_back(at)
    }

    /// Whether a life that goes on has forgotten what it signed about a case.
    pub fn has_forgotten(&self, case: CaseId) -> bool {
        let lives = self.rolled_back.iter().filter(|(at, _)| !self.ended.contains(at));
        lives.into_iter().any(|(_, forgotten)| forgotten.contains(&case))
    }

    /// Whether any life ever forgot what it had signed about a case.
    pub fn ever_forgot(&self, case: CaseId) -> bool {
        self.rolled_back.values().any(|forgotten| forgotten.contains(&case))
    }

    /// A hall's machine was stolen: what it has stated counts for nothing until it is stated again.
    pub fn steal(&mut self, hall: HallId) {
        self.stolen.insert(hall);
    }

    /// A new life has begun.
    pub fn begin(&mut self, seat: Seat, at: HallAt) {
        if let Some(present) = self.present.get_mut(seat) {
            *present = at;
        }
    }

    /// The life that lives at a seat, or lived there last.
    pub fn at(&self, seat: Seat) -> Option<HallAt> {
        self.present.get(seat).copied()
    }

    /// The seat of a hall.
    pub fn seat(&self, hall: HallId) -> Option<Seat> {
        self.seats.get(&hall).copied()
    }

    /// Whether the hall at a seat ever lost its disk.
    pub fn lost_a_disk(&self, seat: Seat) -> bool {
        self.at(seat).is_some_and(|at| at.incarnation > 1 || self.ended.contains(&at))
    }

    /// Whether a hall ever lost its disk.
    pub fn hall_lost_a_disk(&self, hall: HallId) -> bool {
        self.seat(hall).is_some_and(|seat| self.lost_a_disk(seat))
    }

    /// Whether the machine of the hall that publishes a matter, or of the city's, which publishes what holds for all, was
    /// ever stolen.
    pub fn publisher_was_stolen(&self, publisher: Option<HallId>) -> bool {
        let city = self.present.first().map(|at| at.hall);
        [city, publisher].into_iter().flatten().any(|hall| self.stolen.contains(&hall))
    }

    /// Whether a case has to wait for a ruling, or for the recovery key.
    pub fn waits(&self, case: &Case, file: &CaseFile) -> Option<Waits> {
        let ended = |at: &HallAt| self.ended.contains(at);
        let overlapping = ended(&case.owner()) && case.owners_mirrors().iter().flatten().any(ended);
        let witnesses = case.stayed.map_or(case.mirrors, |stayed| [Some(stayed), None]);
        let giver = ended(&case.custodian) && case.mirrors.iter().flatten().any(ended);
        let unwitnessed = case.transit.is_some() && (giver || witnesses.iter().flatten().all(ended));
        let why = [
            (overlapping, Waits::Overlapping),
            (unwitnessed, Waits::Unwitnessed),
            (self.nobody_can_read(case, file), Waits::NoKey),
        ];
        why.into_iter().find_map(|(holds, why)| holds.then_some(why))
    }

    /// Whether letters about a case may wait for ever: one of its mirrors' lives is over.
    pub fn lacks_a_mirror(&self, case: &Case) -> bool {
        case.mirrors.iter().flatten().any(|at| self.ended.contains(at))
    }

    /// The case was sealed for lives that are over, and for no later one.
    fn nobody_can_read(&self, case: &Case, file: &CaseFile) -> bool {
        let reads = |hall: HallId| {
            let present = self.seat(hall).and_then(|seat| self.at(seat));
            present.is_some_and(|at| file.wraps.iter().any(|wrap| wrap.to == at && !wrap.recovery))
        };
        ![case.receiving, case.competent].into_iter().any(reads)
    }
}
