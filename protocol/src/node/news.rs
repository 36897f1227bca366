//! Who is told of new records, and how.

use super::{LineOf, Node};
use crate::directory::Directory;
use crate::ids::{HallAt, HallId};
use crate::limits::PUSH_MAX;
use crate::reconcile::ElementId;
use crate::record::{Body, Record, Space, element};
use crate::signed::Signed;
use crate::step::{Cx, Output};

impl Node {
    /// What the line to another hall is part of.
    pub(super) fn line_of(&self, cx: &Cx<'_>, other: HallAt) -> LineOf {
        let directory = Directory::new(cx);
        let above = |at| directory.card(at).and_then(|card| card.parent);
        let tree = above(other) == Some(self.me.at.hall) || above(self.me.at) == Some(other.hall);
        if tree { LineOf::Tree } else { LineOf::Beside }
    }

    /// A few new records are told on; many are left to the exchange that the heartbeat sets off.
    pub(super) fn tell(
        &mut self,
        cx: &mut Cx<'_>,
        space: Space,
        fresh: &[Signed<Record>],
        from: Option<HallId>,
    ) {
        match fresh.len() {
            0 => {}
            1..=PUSH_MAX => self.spread(cx, space, fresh, from),
            _ => self.heartbeat(cx),
        }
    }

    fn spread(&mut self, cx: &mut Cx<'_>, space: Space, fresh: &[Signed<Record>], from: Option<HallId>) {
        let ids: Vec<ElementId> = fresh.iter().map(element).collect();
        // That a key is in wrong hands is told to everybody at once, as often as it takes.
        let everybody = fresh.iter().any(is_urgent);
        let mut full = false;
        for (peer, known) in self.peers.iter().filter(|(peer, _)| Some(**peer) != from) {
            full |= !self.exchange.news.tell(*peer, space, &ids, known.line == LineOf::Tree || everybody);
        }
        if full {
            self.heartbeat(cx);
        }
    }
}

/// Whether the roster is to be read again. A hall that is reached elsewhere is told by itself: when a whole city starts, nobody
/// reads everything again for each of its halls.
pub(super) fn moves_roster(cx: &mut Cx<'_>, body: &Body) -> bool {
    if let Body::Contact(contact) = body {
        cx.output(Output::Reached(contact.at.hall));
        return false;
    }
    body.space() == Space::Directory
}

fn is_urgent(record: &Signed<Record>) -> bool {
    record.peek().is_ok_and(|record| {
        matches!(record.body, Body::Revocation(_) | Body::Fork(_) | Body::Voice(_) | Body::Heard(_))
    })
}
