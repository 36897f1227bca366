//! A flood over a random mesh, on the same lines, with the same disks: what `gossipsub` 1.1 does with one message, as far as
//! copies, bytes and times go. Every hall has about eight others in its mesh, gives what is new to it to all of them but the one
//! it came from, and names it with each of a few heartbeats to some others, who ask for it if they lack it.
//!
//! The mesh is as good as it gets: it is made of those that are alive, at random over the whole city, and stands when the
//! message comes. Grafting, scoring and the traffic that keeps a mesh up are left out.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::ids::Tier;

use super::Outcome;
use crate::network::{Network, Uplink};
use crate::plan::SECOND;
use crate::station::Seat;

/// Others in a hall's mesh with which it looks for no more, as the protocol advises: so it has eight on average.
const MESH: usize = 6;
/// More it does not take.
const MESH_MAX: usize = 12;
/// Tries to find another one for a hall's mesh.
const TRIES: usize = 200;
/// Others that hear the name of what is new with a heartbeat.
const LAZY: usize = 6;
/// Heartbeats with which it is named.
const NAMED: u64 = 3;
/// Bytes of a name, or of a question for one message, as they are sent.
const NAME_BYTES: usize = 40;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A copy arrives.
    Copy { to: Seat, from: Seat },
    /// A hall has it on its disk, from another one or from itself.
    Kept { seat: Seat, from: Seat },
    /// A hall names it to some others.
    Beat { seat: Seat, left: u64 },
    /// A hall hears its name.
    Named { to: Seat, from: Seat },
    /// A hall is asked for it.
    Asked { to: Seat, from: Seat },
}

struct Flood<'a> {
    tiers: &'a [Option<Tier>],
    bytes_each: usize,
    network: Network,
    chance: Chance,
    mesh: Vec<BTreeSet<Seat>>,
    uplinks: Vec<Uplink>,
    held: Vec<Option<u64>>,
    queue: BinaryHeap<Reverse<(u64, u64, Event)>>,
    order: u64,
    copies: u64,
    bytes: u64,
}

/// Floods one message of so many bytes among halls, of which those without a tier are dead, from one of them.
pub fn run(
    tiers: &[Option<Tier>],
    from: Seat,
    bytes_each: usize,
    network: Network,
    chance: Chance,
) -> Outcome {
    let mut flood = Flood {
        tiers,
        bytes_each,
        network,
        chance,
        mesh: vec![BTreeSet::new(); tiers.len()],
        uplinks: vec![Uplink::default(); tiers.len()],
        held: vec![None; tiers.len()],
        queue: BinaryHeap::new(),
        order: 0,
        copies: 0,
        bytes: 0,
    };
    flood.graft();
    flood.keep(0, from, from);
    while let Some(Reverse((now, _, event))) = flood.queue.pop() {
        flood.happens(now, event);
    }
    let alive = tiers.iter().flatten().count();
    Outcome::of(alive, flood.held.iter().flatten().copied().collect(), flood.copies, flood.bytes)
}

impl Flood<'_> {
    fn graft(&mut self) {
        let alive: Vec<Seat> = (0..self.tiers.len()).filter(|seat| self.is_alive(*seat)).collect();
        for seat in alive.iter().copied() {
            self.graft_one(seat, &alive);
        }
    }

    fn graft_one(&mut self, seat: Seat, alive: &[Seat]) {
        for _ in 0..TRIES {
            let other = self.draw(alive);
            if self.degree(seat) >= MESH {
                break;
            }
            if other != seat && self.degree(other) < MESH_MAX {
                self.join(seat, other);
                self.join(other, seat);
            }
        }
    }

    fn degree(&self, seat: Seat) -> usize {
        self.mesh.get(seat).map_or(0, BTreeSet::len)
    }

    fn join(&mut self, seat: Seat, other: Seat) {
        if let Some(mesh) = self.mesh.get_mut(seat) {
            mesh.insert(other);
        }
    }

    fn draw(&mut self, among: &[Seat]) -> Seat {
        let count = u64::try_from(among.len()).unwrap_or(u64::MAX).max(1);
        let place = usize::try_from(self.chance.below(count)).unwrap_or(0);
        among.get(place).copied().unwrap_or(0)
    }

    fn is_alive(&self, seat: Seat) -> bool {
        self.tiers.get(seat).is_some_and(Option::is_some)
    }

    fn happens(&mut self, now: u64, event: Event) {
        match event {
            Event::Copy { to, from } => self.keep(now, to, from),
            Event::Kept { seat, from } => {
                let mesh: Vec<Seat> = self.mesh.get(seat).into_iter().flatten().copied().collect();
                for to in mesh.into_iter().filter(|to| *to != from) {
                    self.give(now, seat, to);
                }
                let after = self.chance.below(SECOND).saturating_add(1);
                self.later(now.saturating_add(after), Event::Beat { seat, left: NAMED });
            }
            Event::Beat { seat, left } => self.beat(now, seat, left),
            Event::Named { to, from } if self.held.get(to).is_some_and(Option::is_none) => {
                self.carry(now, (to, from), NAME_BYTES, Event::Asked { to: from, from: to });
            }
            Event::Named { .. } => {}
            Event::Asked { to, from } => self.give(now, to, from),
        }
    }

    fn beat(&mut self, now: u64, seat: Seat, left: u64) {
        let mesh = self.mesh.get(seat).cloned().unwrap_or_default();
        let others = (0..self.tiers.len()).filter(|other| self.is_alive(*other) && *other != seat);
        let others: Vec<Seat> = others.filter(|other| !mesh.contains(other)).collect();
        for _ in 0..LAZY.min(others.len()) {
            let to = self.draw(&others);
            self.carry(now, (seat, to), NAME_BYTES, Event::Named { to, from: seat });
        }
        if left > 1 {
            self.later(now.saturating_add(SECOND), Event::Beat { seat, left: left.saturating_sub(1) });
        }
    }

    fn give(&mut self, now: u64, from: Seat, to: Seat) {
        self.copies = self.copies.saturating_add(1);
        self.carry(now, (from, to), self.bytes_each, Event::Copy { to, from });
    }

    fn carry(&mut self, now: u64, (from, to): (Seat, Seat), bytes: usize, event: Event) {
        let tier = |seat: Seat| self.tiers.get(seat).copied().flatten();
        let (Some(from_tier), Some(to_tier)) = (tier(from), tier(to)) else { return };
        let Some(uplink) = self.uplinks.get_mut(from) else { return };
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        for at in self.network.carry(now, (from_tier, to_tier), uplink, bytes) {
            self.later(at, event);
        }
    }

    /// The first copy is written to the disk, which takes as long as in the city.
    fn keep(&mut self, now: u64, seat: Seat, from: Seat) {
        let takes = crate::faults::COMMIT_MIN.saturating_add(self.chance.below(crate::faults::COMMIT_SPREAD));
        let Some(held) = self.held.get_mut(seat).filter(|held| held.is_none()) else { return };
        let at = now.saturating_add(takes);
        *held = Some(at);
        self.later(at, Event::Kept { seat, from });
    }

    fn later(&mut self, at: u64, event: Event) {
        self.order = self.order.saturating_add(1);
        self.queue.push(Reverse((at, self.order, event)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Lines;

    fn flooded(tiers: &[Option<Tier>], lost: u64) -> Outcome {
        let chance = |seed| Chance::from_seed([seed; 32]);
        let network = Network::new(Lines::default().weather(lost, 0, 0), chance(1));
        run(tiers, 0, 1_000, network, chance(2))
    }

    #[test]
    fn everybody_alive_gets_it_about_seven_times() {
        let mut tiers = vec![Some(Tier::Village); 300];
        tiers[7] = None;
        let told = flooded(&tiers, 0);
        assert_eq!((told.alive, told.reached), (299, 299));
        assert!((5_500..8_500).contains(&told.copies_thousandths), "{told:?}");
        assert!(told.bytes > 6_000 && told.all_ms.is_some_and(|ms| ms < 1_000), "{told:?}");
    }

    #[test]
    fn what_the_mesh_loses_the_names_bring() {
        let tiers = vec![Some(Tier::Village); 300];
        let told = flooded(&tiers, 300);
        assert_eq!(told.reached, 300, "{told:?}");
    }

    #[test]
    fn one_alone_floods_nobody() {
        let told = flooded(&[Some(Tier::City), None], 0);
        assert_eq!((told.alive, told.reached, told.copies_thousandths), (1, 1, 0));
    }
}
