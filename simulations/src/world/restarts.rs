//! How a machine comes back after its process has died: mostly as it was; where the plan says so, now and then without
//! its disk, or with an old one.

use super::{Event, World};
use crate::plan::SECOND;
use crate::station::Seat;

/// Numbers of restarts begin here: those of the faults drawn by chance are smaller.
const NUMBERS: u64 = 1 << 32;
/// Restarts of one machine that have numbers of their own.
const OF_A_MACHINE: u64 = 1 << 16;
/// Milliseconds on average between two times at which copies of disks are put aside, in a run of one day. In a run of
/// many days that is every morning.
pub(super) const BACKED_UP_EVERY: u64 = 20 * SECOND;

/// What has become of a disk when its machine comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Disk {
    AsItWas,
    Lost,
    /// The disk is lost, and the hall's people have a backup: the rows in it go on in the next life.
    FromBackup,
    /// Somebody has put an old image back, and the hall does not know it.
    Old,
}

impl World {
    /// The process has died; its machine comes back some time later.
    pub(super) fn comes_back(&mut self, seat: Seat, after: u64) {
        self.losses.restarts = self.losses.restarts.saturating_add(1);
        match self.disk_after(seat) {
            Disk::AsItWas => self.later(after, Event::Start(seat)),
            Disk::Lost => self.disk_loss(seat),
            Disk::FromBackup => self.restore_backup(seat),
            Disk::Old => self.restore(seat),
        }
    }

    /// A hall that has no backup yet can only lose its disk.
    fn disk_after(&mut self, seat: Seat) -> Disk {
        let Some(station) = self.stations.get(seat).filter(|_| self.plan.bad_restarts > 0 && !self.quiet)
        else {
            return Disk::AsItWas;
        };
        let machine = u64::try_from(seat).unwrap_or(u64::MAX).saturating_mul(OF_A_MACHINE);
        let number = NUMBERS.saturating_add(machine).saturating_add(u64::from(station.starts));
        let mut chance = self.faults.of_restart(number);
        let (bad, lost, known) =
            (chance.below(100) < self.plan.bad_restarts, chance.below(2) == 0, chance.below(2) == 0);
        if !bad {
            return Disk::AsItWas;
        }
        self.bad_restarts.push(number);
        if self.plan.only_faults.as_ref().is_some_and(|only| !only.contains(&number)) {
            return Disk::AsItWas;
        }
        match station.backup {
            None => Disk::Lost,
            Some(_) if lost => Disk::Lost,
            Some(_) if known => Disk::FromBackup,
            Some(_) => Disk::Old,
        }
    }
}
