//! Later lives of halls: how one begins, how the others learn of it, and what a life that has forgotten is shown.

use anyhow::Context as _;
use hallmesh_protocol::audit::{self, Checkpoint};
use hallmesh_protocol::directory::Directory;
use hallmesh_protocol::ids::HallAt;
use hallmesh_protocol::message::{Message, Why};
use hallmesh_protocol::record::{Body, Space};
use hallmesh_protocol::signed::Signed;
use hallmesh_protocol::step::Input;
use hallmesh_protocol::verify;

use super::super::letters::Letters;
use super::super::seen::Scene;
use super::super::setting::Seat;
use super::product::{NOW, Told, feed};
use super::{Halls, KeptId, Step};

impl Halls {
    /// The life of a hall after so many others.
    pub(in super::super) fn life(&self, seat: Seat, later: u8) -> anyhow::Result<HallAt> {
        let first = self.hall(seat)?;
        Ok(HallAt { incarnation: first.incarnation.saturating_add(u32::from(later)), ..first })
    }

    /// The lives that began after the first ones: the seat, how many came before, which.
    pub(in super::super) fn begun(&self, scene: &Scene) -> anyhow::Result<Vec<(Seat, u8, HallAt)>> {
        let seats = 0..self.at.len();
        let all = seats.flat_map(|seat| (1..=scene.later_lives(seat)).map(move |number| (seat, number)));
        all.map(|(seat, number)| Ok((seat, number, self.life(seat, number)?))).collect()
    }

    /// Whether a life is over.
    pub(in super::super) fn has_ended(&self, scene: &Scene, life: HallAt) -> bool {
        let Some(seat) = self.seat(life.hall) else { return false };
        self.life(seat, scene.later_lives(seat)).is_ok_and(|present| life.incarnation < present.incarnation)
    }

    /// What a new life begins with: the lists, its papers, its clerk, and no case.
    pub(in super::super) fn newborn(&mut self, seat: Seat, later: u8) -> anyhow::Result<KeptId> {
        let mut disk = self.founded.get(seat).context("a hall has a disk")?.clone();
        for number in 1..=later {
            let at = self.life(seat, number)?;
            let papers = vec![self.charters.get(&at).context("a charter")?.clone()];
            let rows = self.city.rejoin(NOW, &disk, papers, at)?;
            disk.commit(rows);
        }
        let disk = self.with_clerk(seat, disk)?;
        Ok(self.settled(seat, 0, disk, Letters::default())?.kept)
    }

    /// What comes of a hall's learning that another life has begun.
    pub(in super::super) fn learn(&mut self, id: KeptId, life: HallAt) -> anyhow::Result<Step> {
        if let Some(step) = self.kept(id)?.learns.get(&life) {
            return Ok(*step);
        }
        let step = self.step(id, Told::Life(life))?;
        self.kept_mut(id)?.learns.insert(life, step);
        Ok(step)
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

    /// The message by which a hall learns of a life.
    pub(super) fn news(&self, life: HallAt) -> anyhow::Result<Message> {
        let records = vec![self.charters.get(&life).context("a charter")?.clone()];
        Ok(Message::Records { space: Space::Directory, records, why: Why::Push })
    }

    /// The later lives that a hall knows of.
    pub(super) fn known_lives(&self, directory: Directory<'_>) -> impl Iterator<Item = HallAt> {
        self.charters.keys().copied().filter(move |life| directory.card(*life).is_some())
    }

    /// The root charters every life that may begin, long before it does; nobody hears of it.
    pub(super) fn charter_later_lives(&mut self) -> anyhow::Result<()> {
        let mishaps = self.setting.mishaps;
        for seat in mishaps.may_be_reborn {
            for number in 1..=mishaps.rebirths {
                let at = self.life(*seat, number)?;
                let charter = self.city.by_root(Body::Charter(Box::new(self.city.charter(at))));
                self.charters.insert(at, charter);
            }
        }
        let (mut node, mut disk, _) = self.open(0, 0, self.knowing.clone(), true)?;
        let (me, from) = (self.hall(0)?.hall, self.hall(1)?.hall);
        for life in self.charters.keys() {
            let message = verify::message(&disk, me, self.news(*life)?)?;
            feed(&mut node, &mut disk, Input::Received { from, message }, &[]);
        }
        self.knowing = disk;
        Ok(())
    }
}
