//! Which lives of halls are over, and which disks were lost: nobody is blamed for what lay on them alone.

use std::collections::{BTreeMap, BTreeSet};

use hallmesh_protocol::cases::{Case, CaseFile};
use hallmesh_protocol::ids::{HallAt, HallId};

use crate::station::Seat;

/// The lives of all halls, as the world knows them.
#[derive(Debug, Default)]
pub struct Lives {
    present: Vec<HallAt>,
    ended: BTreeSet<HallAt>,
    stolen: BTreeSet<HallId>,
    seats: BTreeMap<HallId, Seat>,
}

impl Lives {
    /// Every hall lives its first life.
    pub fn new(halls: &[HallAt]) -> Self {
        let seats = halls.iter().zip(0..).map(|(at, seat)| (at.hall, seat)).collect();
        Self { present: halls.to_vec(), ended: BTreeSet::new(), stolen: BTreeSet::new(), seats }
    }

    /// A life is over.
    pub fn end(&mut self, at: HallAt) {
        self.ended.insert(at);
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

    /// Whether a case has to wait for a ruling or a recovery: its custodian's life is over, or its target's, or those of
    /// all its mirrors, or a hall on its route has no key to it.
    pub fn is_orphan(&self, case: &Case, file: &CaseFile) -> bool {
        let transit = case.transit.map(|transit| transit.to);
        let ended = |at: &HallAt| self.ended.contains(at);
        let hands = [Some(case.custodian), transit].into_iter().flatten().any(|at| ended(&at));
        let named = case.mirrors.iter().flatten().count();
        let mirrors = named > 0 && case.mirrors.iter().flatten().all(ended);
        hands
            || mirrors
            || [case.receiving, case.competent].into_iter().any(|hall| self.cannot_read(hall, file))
    }

    /// Whether letters about a case may wait for ever: one of its mirrors' lives is over.
    pub fn lacks_a_mirror(&self, case: &Case) -> bool {
        case.mirrors.iter().flatten().any(|at| self.ended.contains(at))
    }

    /// The case was sealed for a life that is over, and for no later one.
    fn cannot_read(&self, hall: HallId, file: &CaseFile) -> bool {
        let present = self.seat(hall).and_then(|seat| self.at(seat));
        present.is_none_or(|at| !file.wraps.iter().any(|wrap| wrap.to == at && !wrap.recovery))
    }
}
