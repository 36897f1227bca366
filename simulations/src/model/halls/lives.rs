//! Later lives of halls: how one begins, and what a life that has forgotten is shown.

use anyhow::Context as _;
use hallmesh_protocol::audit::{self, Checkpoint};
use hallmesh_protocol::ids::HallAt;
use hallmesh_protocol::message::Message;
use hallmesh_protocol::signed::Signed;
use hallmesh_protocol::step::Input;
use hallmesh_protocol::verify;

use super::super::letters::Letters;
use super::super::seen::{Closed, Scene};
use super::super::setting::Seat;
use super::founding::CLERK;
use super::product::{NOW, feed};
use super::{Halls, KeptId};

impl Halls {
    /// The life of a hall after so many others.
    pub(in super::super) fn life(&self, seat: Seat, later: u8) -> anyhow::Result<HallAt> {
        let first = self.hall(seat)?;
        Ok(HallAt { incarnation: first.incarnation.saturating_add(u32::from(later)), ..first })
    }

    /// Whether a life is over.
    pub(in super::super) fn has_ended(&self, scene: &Scene, life: HallAt) -> bool {
        let Some(seat) = self.seat(life.hall) else { return false };
        let closed = scene.closed(seat) != Closed::No;
        self.life(seat, scene.later_lives(seat))
            .is_ok_and(|last| life.incarnation < last.incarnation || (closed && life == last))
    }

    /// What a new life begins with: the lists, its papers, its clerk, and no case.
    pub(in super::super) fn newborn(&mut self, seat: Seat, later: u8) -> anyhow::Result<KeptId> {
        let mut disk = self.founded.get(seat).context("a hall has a disk")?.clone();
        for number in 1..=later {
            let at = self.life(seat, number)?;
            let rows = self.city.rejoin(NOW, &disk, vec![self.charter(at)?], at)?;
            disk.commit(rows);
        }
        let disk = self.with_clerk((seat, CLERK), disk)?;
        Ok(self.settled(seat, 0, disk, Letters::default())?.kept)
    }

    /// What comes of showing a hall how far its own log had come, as its rows were in `before`.
    pub(in super::super) fn shown(&mut self, id: KeptId, before: KeptId) -> anyhow::Result<KeptId> {
        let then = self.kept(before)?;
        let at = then.said.at;
        let size = audit::size(&then.disk, at);
        let Some(root) = audit::root(&then.disk, at, size).filter(|_| size > 0) else { return Ok(id) };
        let checkpoint = Checkpoint { at, size, root, wall: NOW.wall };
        let yours = Some(Signed::sign(&checkpoint, &[(0, &self.city.event_key(at))]));
        let kept = self.kept(id)?;
        let (seat, boots) = (kept.seat, kept.boots);
        let (mut node, mut disk, _) = self.open(seat, boots, kept.disk.clone(), false)?;
        let peer = self.at.iter().copied().find(|peer| peer.hall != at.hall).context("another hall")?;
        feed(&mut node, &mut disk, Input::PeerUp(peer), &[]);
        let standing = Message::Standing { mine: None, yours, please: false };
        let message = verify::message(&disk, at.hall, standing)?;
        feed(&mut node, &mut disk, Input::Received { from: peer.hall, message }, &[]);
        self.keep(seat, boots, disk)
    }
}
