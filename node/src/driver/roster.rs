//! From the signed directory to the roster of the lines: who may come in, and where they are dialled.

use std::collections::BTreeMap;

use hallmesh_protocol::directory::Directory;
use hallmesh_protocol::ids::{HallAt, HallId};
use hallmesh_protocol::step::View;
use libp2p::{Multiaddr, PeerId};

use crate::home::peer_id_of;
use crate::net::Roster;

/// Halls and peers, both ways.
#[derive(Debug, Default)]
pub(crate) struct Who {
    by_peer: BTreeMap<PeerId, HallAt>,
    by_hall: BTreeMap<HallId, PeerId>,
}

impl Who {
    pub(crate) fn hall(&self, peer: &PeerId) -> Option<HallAt> {
        self.by_peer.get(peer).copied()
    }

    pub(crate) fn peer(&self, hall: HallId) -> Option<PeerId> {
        self.by_hall.get(&hall).copied()
    }
}

/// Reads the directory: every hall that is one of us, but this one.
pub(crate) fn read(view: &dyn View, me: HallId) -> (Who, Roster) {
    let directory = Directory::new(view);
    let (mut who, mut roster) = (Who::default(), Roster::default());
    for card in directory.halls().into_iter().filter(|card| card.at.hall != me) {
        let peer = peer_id_of(&card.transport_key);
        // Codes ascend, so the superior stands first: nobody takes its line by copying its key.
        if who.by_peer.contains_key(&peer) {
            tracing::warn!(hall = %card.at, "this hall's charter names the line key of another hall; left out");
            continue;
        }
        who.by_peer.insert(peer, card.at);
        who.by_hall.insert(card.at.hall, peer);
        roster.members.insert(peer, of(&directory, card.at));
    }
    (who, roster)
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
