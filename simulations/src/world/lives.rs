//! Disks lost, machines stolen, backups put back; and the new life that a hall gets from the hall above it.

use std::collections::BTreeSet;

use anyhow::Context as _;
use hallmesh_protocol::audit;
use hallmesh_protocol::directory::{Directory, Revocation, RevocationReason};
use hallmesh_protocol::genesis;
use hallmesh_protocol::ids::{CaseId, HallAt, HallId};
use hallmesh_protocol::query;
use hallmesh_protocol::record::Body;
use hallmesh_protocol::step::{Command, Input};
use hallmesh_protocol::verify;

use super::{Event, World};
use crate::clock::FOUNDED;
use crate::disk::Disk;
use crate::plan::{Fault, SECOND};
use crate::sometimes::Branch;
use crate::station::Seat;

/// Milliseconds until a new machine stands where one was lost, at the least and more at the most.
const NEW_MACHINE: (u64, u64) = (2 * SECOND, 30 * SECOND);
/// Milliseconds until staff look again whether the hall above has given a charter.
const LOOK_AGAIN: u64 = 3 * SECOND;

impl World {
    pub(super) fn disk_loss(&mut self, seat: Seat) {
        if self.is_installed(seat) {
            self.hit(Fault::DiskLoss);
            self.lose_disk(seat);
        }
    }

    /// The hall's life ends with its disk. A new machine is bought and waits for a charter.
    pub(super) fn lose_disk(&mut self, seat: Seat) {
        self.stop(seat);
        if self.is_installed(seat) {
            self.losses.disks_lost = self.losses.disks_lost.saturating_add(1);
            self.tell(seat, || "has lost its disk: this life is over".to_owned());
            self.end_life(seat, Some(Disk::empty()));
        }
    }

    /// The disk is lost, and its backup is restored as the handbook says: the hall does nothing before its next life.
    pub(super) fn restore_backup(&mut self, seat: Seat) {
        self.stop(seat);
        let station = self.stations.get(seat).filter(|_| self.is_installed(seat));
        let Some(backup) = station.and_then(|station| station.backup.clone()) else { return };
        self.hit(Fault::Restore);
        self.losses.backups_restored = self.losses.backups_restored.saturating_add(1);
        self.tell(seat, || "has lost its disk and restores a backup: this life is over".to_owned());
        self.end_life(seat, Some(backup));
    }

    /// A life is over; the next one begins with `rows`, or with those that are there.
    fn end_life(&mut self, seat: Seat, rows: Option<Disk>) {
        self.stop(seat);
        let Some(station) = self.stations.get_mut(seat) else { return };
        let (at, changed) = (station.at, rows.is_some());
        if let Some(rows) = rows {
            station.disk = rows;
        }
        (station.backup, station.off_until) = (None, u64::MAX);
        self.checkers.life_ended(seat, at);
        if changed {
            self.checkers.disk_changed(self.now, seat, &station.disk);
        }
        self.people.reopen();
        self.disk_replaced(seat);
        let (least, more) = NEW_MACHINE;
        let after = self.faults.below(more).saturating_add(least);
        self.later(after, Event::Install(seat));
    }

    /// The machine is gone; the hall above says that what it signs from now on is worth nothing.
    pub(super) fn theft(&mut self, seat: Seat) {
        let Some(at) = self.stations.get(seat).map(|station| station.at).filter(|_| self.is_installed(seat))
        else {
            return;
        };
        self.hit(Fault::Theft);
        self.checkers.stolen(at);
        self.lose_disk(seat);
        self.stolen.insert(at);
        self.revoke(at);
    }

    /// The hall above states that a machine was stolen.
    fn revoke(&mut self, at: HallAt) {
        let transport_key = self.city.transport_key(at);
        let since = FOUNDED.saturating_add(self.now);
        let revocation = Revocation { at, transport_key, reason: RevocationReason::Stolen, since };
        self.state(at.hall, Body::Revocation(revocation));
    }

    /// Whether the hall above knows that a machine was stolen, if it was. Of a life that it never heard of, because its
    /// charter went with another disk, there is nothing to revoke.
    fn is_revoked_if_stolen(&self, at: HallAt) -> bool {
        let superior = self.superior(at.hall).and_then(|seat| self.stations.get(seat));
        let knows = |disk: &Disk| {
            let directory = Directory::new(disk);
            directory.revocation(at).is_some() || directory.card(at).is_none()
        };
        !self.stolen.contains(&at) || superior.is_some_and(|superior| knows(&superior.disk))
    }

    /// The hall comes back with what its disk held this morning, and does not know it.
    pub(super) fn restore(&mut self, seat: Seat) {
        let Some(backup) = self.stations.get(seat).and_then(|station| station.backup.clone()) else { return };
        self.stop(seat);
        let Some(station) = self.stations.get_mut(seat) else { return };
        let at = station.at;
        let old = std::mem::replace(&mut station.disk, backup);
        self.checkers.rolled_back(at, forgotten(at, &old, &station.disk));
        self.checkers.disk_changed(self.now, seat, &station.disk);
        self.people.reopen();
        self.disk_replaced(seat);
        self.hit(Fault::Restore);
        self.losses.rolled_back = self.losses.rolled_back.saturating_add(1);
        self.tell(seat, || "comes back with an old disk".to_owned());
        self.later(SECOND, Event::Start(seat));
    }

    /// Staff have read that their hall has forgotten what it signed: it gets a new life, over the rows that it has.
    pub(super) fn rejoin(&mut self, seat: Seat) {
        let station = self.stations.get(seat).filter(|_| self.is_installed(seat));
        if station.is_some_and(|station| query::rolled_back(&station.disk).is_some()) {
            self.tell(seat, || "joins again, as it has forgotten what it signed".to_owned());
            self.end_life(seat, None);
        }
    }

    /// Copies of all disks are put aside, where somebody may put them back one day.
    pub(super) fn back_up(&mut self) {
        let steps = self.plan.steps.iter().any(|step| step.fault == Fault::Restore);
        if steps || self.plan.puts_disks_back() {
            for seat in 0..self.stations.len() {
                self.back_up_one(seat);
            }
        }
    }

    /// Some halls put copies of their disks aside in the middle of the day.
    pub(super) fn back_up_some(&mut self) {
        for seat in 0..self.stations.len() {
            if self.chance.below(2) == 0 {
                self.back_up_one(seat);
            }
        }
    }

    /// Nobody makes a backup of a hall that says it has forgotten what it signed.
    fn back_up_one(&mut self, seat: Seat) {
        let installed = self.is_installed(seat);
        let Some(station) = self.stations.get_mut(seat).filter(|_| installed) else { return };
        if query::rolled_back(&station.disk).is_none() {
            station.backup = Some(station.disk.clone());
        }
    }

    /// A new machine is installed as soon as the hall above has chartered it.
    pub(super) fn install(&mut self, seat: Seat) {
        let Some(old) = self.stations.get(seat).map(|station| station.at) else { return };
        let new = HallAt { incarnation: old.incarnation.saturating_add(1), ..old };
        if !self.is_revoked_if_stolen(old) {
            self.revoke(old);
            self.later(LOOK_AGAIN, Event::Install(seat));
            return;
        }
        match self.first_rows(seat, new) {
            Some(Ok(disk)) => self.begin_life(seat, new, disk),
            Some(Err(error)) => self.checkers.not_installed(self.now, new, &error),
            None => {
                let charter = Body::Charter(Box::new(self.city.charter(new)));
                self.state(new.hall, charter);
                self.later(LOOK_AGAIN, Event::Install(seat));
            }
        }
    }

    fn begin_life(&mut self, seat: Seat, at: HallAt, disk: Disk) {
        let Some(station) = self.stations.get_mut(seat) else { return };
        let over_rows = genesis::identity(&station.disk).is_some();
        (station.at, station.disk, station.off_until) = (at, disk, 0);
        self.sometimes.hit(if over_rows { Branch::Rejoined } else { Branch::InstalledAnew });
        self.checkers.installed(seat, at, self.city.event_key(at).public());
        self.disk_replaced(seat);
        self.tell(seat, || "is installed anew".to_owned());
        self.later(1, Event::Start(seat));
    }

    /// What a new life begins with: papers from the disk of the hall that has chartered it, over the rows that are there,
    /// if any; none while nobody has chartered it.
    fn first_rows(&self, seat: Seat, new: HallAt) -> Option<anyhow::Result<Disk>> {
        let source = self
            .superior(new.hall)
            .filter(|it| self.stations.get(*it).is_some_and(|it| it.answers(self.now)))?;
        let source = self.stations.get(source)?;
        let directory = Directory::new(&source.disk);
        let chartered = directory.charter(new.hall).is_some_and(|held| held.incarnation == new.incarnation);
        if !chartered {
            return None;
        }
        let records = query::joining_records(&source.disk, source.at.hall, new);
        let mut disk = self.stations.get(seat)?.disk.clone();
        let writes = self.city.join(source.clock.at(self.now), &disk, records, new).context("a new life");
        Some(writes.map(|writes| {
            disk.commit(writes);
            disk
        }))
    }

    /// Something is stated about a hall by the hall above it, or by the root if there is none.
    fn state(&mut self, about: HallId, body: Body) {
        let Some(superior) = self.superior(about) else { return };
        if self.city.parent(about).is_some() {
            self.people.now = self.now;
            let Some(station) = self.stations.get(superior).filter(|it| it.answers(self.now)) else { return };
            if let Some((ticket, command)) = self.people.admitting(&self.city, superior, station, body) {
                self.feed(superior, Input::Command { ticket, command });
            }
            return;
        }
        let Some(station) = self.stations.get(superior) else { return };
        let (records, _) = verify::records(&station.disk, vec![self.city.by_root(body)]);
        let ticket = self.people.other(superior);
        self.feed(superior, Input::Command { ticket, command: Command::Admit(records) });
    }

    /// The hall above a hall; for the city, the hall of a county, to which the root's holders bring what they sign.
    fn superior(&self, hall: HallId) -> Option<Seat> {
        match self.city.parent(hall) {
            Some(parent) => self.seat(parent),
            None => self.stations.iter().position(|it| it.at.hall != hall && it.answers(self.now)),
        }
    }

    fn is_installed(&self, seat: Seat) -> bool {
        self.stations.get(seat).is_some_and(|station| station.off_until < u64::MAX)
    }
}

/// The cases about which a life has signed something that an older disk of it does not know.
fn forgotten(at: HallAt, new: &Disk, old: &Disk) -> BTreeSet<CaseId> {
    let places = audit::size(old, at)..audit::size(new, at);
    places.filter_map(|place| audit::leaf(new, at, place)).filter_map(|leaf| leaf.of.case()).collect()
}
