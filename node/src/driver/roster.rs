//! From the signed directory to the roster of the lines: who may come in, and where they are dialled.

use std::collections::BTreeMap;

use hallmesh_protocol::directory::Directory;
use hallmesh_protocol::ids::{HallAt, HallId};
use hallmesh_protocol::step::View;
use libp2p::{Multiaddr, PeerId};

use crate::home::peer_id_of;
use crate::net::Roster;

/// Halls and peers, both ways. It is read whole and never changed: sorted lists take the least memory.
#[derive(Debug, Default)]
pub(crate) struct Who {
    by_peer: Box<[(PeerId, HallAt)]>,
    /// Each hall with its place in the other list.
    by_hall: Box<[(HallId, usize)]>,
}

impl Who {
    fn of(by_peer: BTreeMap<PeerId, HallAt>) -> Self {
        let by_peer: Box<[_]> = by_peer.into_iter().collect();
        let mut by_hall: Box<[_]> = by_peer.iter().map(|(_, at)| at.hall).zip(0..).collect();
        by_hall.sort_unstable();
        Self { by_peer, by_hall }
    }

    pub(crate) fn hall(&self, peer: &PeerId) -> Option<HallAt> {
        let place = self.by_peer.binary_search_by(|(held, _)| held.cmp(peer)).ok()?;
        self.by_peer.get(place).map(|(_, at)| *at)
    }

    pub(crate) fn peer(&self, hall: HallId) -> Option<PeerId> {
        let found = self.by_hall.binary_search_by_key(&hall, |(held, _)| *held).ok()?;
        let (_, place) = self.by_hall.get(found)?;
        self.by_peer.get(*place).map(|(peer, _)| *peer)
    }
}

/// Reads the directory: every hall that is one of us, but this one.
pub(crate) fn read(view: &dyn View, me: HallId) -> (Who, Roster) {
    let directory = Directory::new(view);
    let (mut who, mut roster) = (BTreeMap::new(), Roster::default());
    for card in directory.halls().into_iter().filter(|card| card.at.hall != me) {
        let peer = peer_id_of(&card.transport_key);
        // Codes ascend, so the superior stands first: nobody takes its line by copying its key.
        if who.contains_key(&peer) {
            tracing::warn!(hall = %card.at, "this hall's charter names the line key of another hall; left out");
            continue;
        }
        who.insert(peer, card.at);
        roster.members.insert(peer, of(&directory, card.at));
    }
    (Who::of(who), roster)
}

/// Where the present life of a hall is reached.
pub(crate) fn addresses_of(view: &dyn View, at: HallAt) -> Vec<Multiaddr> {
    of(&Directory::new(view), at)
}

fn of(directory: &Directory<'_>, at: HallAt) -> Vec<Multiaddr> {
    let contact = directory.contact(at.hall).filter(|contact| contact.at == at);
    contact.map(|contact| addresses(&contact.addresses)).unwrap_or_default()
}

/// Addresses that this build can dial; others are skipped, a newer node may use them.
fn addresses(texts: &[String]) -> Vec<Multiaddr> {
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}
