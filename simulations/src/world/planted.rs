//! What a wrong shell would do when it is killed in the middle of a commit. Only a planted bug does it.

use hallmesh_protocol::planted::{Bug, planted};
use hallmesh_protocol::step::Writes;

use super::World;
use crate::station::Seat;

impl World {
    /// The process is about to die with an open batch.
    pub(super) fn commit_wrongly(&mut self, seat: Seat) {
        let wrong = planted(Bug::AnsweredBeforeCommit) || planted(Bug::TornCommit);
        let Some(station) = self.stations.get_mut(seat).filter(|_| wrong) else { return };
        let Some((released, writes)) = station.commit() else { return };
        if planted(Bug::AnsweredBeforeCommit) {
            self.release(seat, released);
            return;
        }
        let half = writes.len() / 2;
        let torn: Writes = writes.into_iter().take(half).collect();
        let changed = self.checkers.commits(self.now, seat, &torn, &station.disk);
        station.disk.commit(torn);
        self.checkers.committed(self.now, seat, changed, &station.disk);
    }
}
