//! How this hall and a neighbour stand to each other's logs: compared before cases are spoken of, and told again when
//! a log has grown.

use super::Node;
use crate::audit::{self, Checkpoint, Cosignature, Seen};
use crate::ids::{Digest, HallId};
use crate::limits::TOLD_A_BEAT_MAX;
use crate::message::Message;
use crate::planted::{Bug, planted};
use crate::signed::Verified;
use crate::step::Cx;
use crate::verify::Content;

impl Node {
    /// Whether this life has signed what it no longer knows.
    pub(super) fn is_rolled_back(&self, cx: &Cx<'_>) -> bool {
        audit::is_rolled_back(cx, self.me.at) && !planted(Bug::SignsAfterRollback)
    }

    /// Says how both logs stand, as far as this hall knows.
    pub(super) fn say_standing(&mut self, cx: &mut Cx<'_>, to: HallId, please: bool) {
        let Some(peer) = self.peers.get_mut(&to) else { return };
        let mine = match audit::rolled_back(cx, self.me.at) {
            // Its own last word that it was shown: it signs no other.
            Some(rolled_back) => Some(rolled_back.checkpoint),
            None => audit::present(cx, self.me.at, &self.me.key),
        };
        peer.told = audit::size(cx, self.me.at);
        let yours = audit::witness(cx, peer.at).map(|witness| witness.checkpoint);
        cx.send(to, Message::Standing { mine, yours, please });
    }

    /// A neighbour says how it stands, and what it remembers of this hall. From then on cases may be spoken of.
    pub(super) fn heard_standing(
        &mut self,
        cx: &mut Cx<'_>,
        from: HallId,
        mine: Option<&Verified<Checkpoint>>,
        yours: Option<&Verified<Checkpoint>>,
        please: bool,
    ) {
        if let Some(shown) = yours {
            audit::shown_own(cx, self.me.at, shown, from);
        }
        if please {
            self.say_standing(cx, from, false);
        }
        if let Some(shown) = mine {
            self.look(cx, from, shown, None);
        }
        let known = yours.filter(|shown| shown.value().at == self.me.at).map(|shown| shown.value().size);
        let Some(peer) = self.peers.get_mut(&from) else { return };
        peer.known = Some(known.unwrap_or(0));
        if known.is_some() {
            self.lead_on(cx, from);
        }
        self.open_way_if_ready(cx, from);
    }

    /// A neighbour's log has grown.
    pub(super) fn heard_more(
        &mut self,
        cx: &mut Cx<'_>,
        from: HallId,
        shown: &Verified<Checkpoint>,
        proof: (u64, &[Digest]),
    ) {
        self.look(cx, from, shown, Some(proof));
    }

    fn look(
        &mut self,
        cx: &mut Cx<'_>,
        from: HallId,
        shown: &Verified<Checkpoint>,
        proof: Option<(u64, &[Digest])>,
    ) {
        let speaks_of_itself = self.peers.get(&from).is_some_and(|peer| peer.at == shown.value().at);
        // A hall that has forgotten what it saw bears witness to nothing.
        if !speaks_of_itself || audit::is_rolled_back(cx, self.me.at) {
            return;
        }
        match audit::look(cx, &self.me, shown, proof) {
            Seen::Witnessed(cosignature) => cx.send(from, Message::Cosigned(cosignature)),
            // It did not know what is held here, or it has forgotten.
            Seen::Unproven if proof.is_some() => self.say_standing(cx, from, false),
            Seen::Unproven | Seen::Refused => {}
        }
    }

    /// A neighbour remembers a checkpoint of this hall.
    pub(super) fn heard_cosignature(
        &mut self,
        cx: &mut Cx<'_>,
        from: HallId,
        cosignature: &Verified<Cosignature>,
    ) {
        let said = cosignature.value();
        let Some(peer) = self.peers.get_mut(&from) else { return };
        if said.at == self.me.at && said.by == peer.at {
            peer.known = Some(said.size);
            audit::cosigned(cx, self.me.at, cosignature);
        }
    }

    /// With each heartbeat, to those who have not heard how far the log has come since; halls above come first. What
    /// is over the bound is told with the next heartbeats.
    pub(super) fn tell_growth(&mut self, cx: &mut Cx<'_>) {
        let size = audit::size(cx, self.me.at);
        let greeted = || self.peers.iter().filter(|(_, peer)| peer.roots.is_some());
        let unheard = greeted().filter(|(_, peer)| peer.known.is_none());
        let unheard: Vec<_> = unheard.map(|(hall, _)| *hall).collect();
        let is_behind = |known: u64, told: u64| known < size && told < size;
        let behind =
            greeted().filter(|(_, peer)| peer.known.is_some_and(|known| is_behind(known, peer.told)));
        let behind: Vec<_> = behind.map(|(hall, _)| *hall).take(TOLD_A_BEAT_MAX).collect();
        for hall in unheard {
            self.say_standing(cx, hall, true);
        }
        for hall in behind {
            self.lead_on(cx, hall);
        }
    }

    /// Leads a neighbour on from what it knows of this hall's log.
    fn lead_on(&mut self, cx: &mut Cx<'_>, to: HallId) {
        let Some(peer) = self.peers.get_mut(&to) else { return };
        let (size, from) = (audit::size(cx, self.me.at), peer.known.unwrap_or(0));
        if from >= size || audit::is_rolled_back(cx, self.me.at) {
            return;
        }
        let Some(path) = audit::continuation(cx, self.me.at, from, size) else { return };
        let Some(checkpoint) = audit::present(cx, self.me.at, &self.me.key) else { return };
        peer.told = size;
        cx.send(to, Message::Continued { checkpoint, from, path });
    }
}

/// Whether it is a letter for this hall.
pub(super) fn is_for(content: &Content, me: HallId) -> bool {
    match content {
        Content::Plain(Message::Letter(letter)) => letter.to == me,
        Content::HandOver(..)
        | Content::Copy(..)
        | Content::Receipt(..)
        | Content::Statement(..)
        | Content::Fence(..) => true,
        Content::Plain(_)
        | Content::Unfit(_)
        | Content::Records { .. }
        | Content::Standing { .. }
        | Content::Continued(..)
        | Content::Cosigned(_) => false,
    }
}
