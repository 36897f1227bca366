//! What is new goes along the tree at once, and is only announced beside it.
//!
//! Every hall has one hall above it: along these lines each record comes once. To its other neighbours a hall says the
//! name of what it has; who does not get it along the tree within a moment asks for it. So nearly everything travels
//! once, and no dead tier keeps it from anybody. All of it only saves time: what is lost here, or finds no room, is
//! found when the sets are compared.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::send_records;
use crate::ids::HallId;
use crate::limits::{ANNOUNCED_MAX, ANNOUNCERS_MAX, NEWS_MAX, NEWS_REST_MS, PULL_AFTER_MS, PULL_AGAIN_MS};
use crate::message::{Message, Why};
use crate::reconcile::ElementId;
use crate::record::Space;
use crate::rows;
use crate::step::{Cx, View};

/// What is to be said to one neighbour.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Outgoing {
    /// Whole records: the line is one of the tree, or it cannot wait.
    given: BTreeSet<(Space, ElementId)>,
    /// Only their names.
    named: BTreeSet<(Space, ElementId)>,
}

/// Something that a neighbour has and this hall has not.
#[derive(Debug, Serialize, Deserialize)]
struct Announced {
    /// When it is asked for, if it has not come by then.
    due: u64,
    /// Who has it and was not asked yet.
    by: BTreeSet<HallId>,
}

/// What is to be told to neighbours, and what they have told.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct News {
    outgoing: BTreeMap<HallId, Outgoing>,
    /// Before that nothing is told: what comes in between goes in one message.
    rests_until: u64,
    announced: BTreeMap<(Space, ElementId), Announced>,
}

impl News {
    /// Something new is to be told to a neighbour: whole, or its name. False if too much waits for it already: comparing
    /// is cheaper then.
    pub(crate) fn tell(&mut self, peer: HallId, space: Space, ids: &[ElementId], whole: bool) -> bool {
        let outgoing = self.outgoing.entry(peer).or_default();
        let told = if whole { &mut outgoing.given } else { &mut outgoing.named };
        told.extend(ids.iter().map(|id| (space, *id)));
        let fits = told.len() <= NEWS_MAX;
        if !fits {
            told.clear();
        }
        fits
    }

    /// A neighbour says what it has.
    pub(crate) fn heard(&mut self, cx: &Cx<'_>, peer: HallId, space: Space, ids: &[ElementId]) {
        self.has(peer, space, ids);
        let due = cx.now.ticks.saturating_add(PULL_AFTER_MS);
        for id in ids.iter().filter(|id| !holds(cx, space, id)) {
            let known = self.announced.contains_key(&(space, *id));
            if !known && self.announced.len() >= ANNOUNCED_MAX {
                continue;
            }
            let announced = self.announced.entry((space, *id));
            let announced = announced.or_insert_with(|| Announced { due, by: BTreeSet::new() });
            if announced.by.len() < ANNOUNCERS_MAX {
                announced.by.insert(peer);
            }
        }
    }

    /// A neighbour has these: it need not be told of them.
    pub(crate) fn has(&mut self, peer: HallId, space: Space, ids: &[ElementId]) {
        let Some(outgoing) = self.outgoing.get_mut(&peer) else { return };
        for id in ids {
            outgoing.given.remove(&(space, *id));
            outgoing.named.remove(&(space, *id));
        }
    }

    /// A neighbour asks for what this hall has named.
    pub(crate) fn asked(cx: &mut Cx<'_>, peer: HallId, space: Space, ids: &[ElementId]) {
        give(cx, peer, space, ids);
    }

    /// A neighbour is gone.
    pub(crate) fn forget(&mut self, peer: HallId) {
        self.outgoing.remove(&peer);
        self.announced.retain(|_, announced| {
            announced.by.remove(&peer);
            !announced.by.is_empty()
        });
    }

    /// Tells what is to be told, and asks for what was announced and has not come.
    pub(crate) fn due(&mut self, cx: &mut Cx<'_>) {
        if !self.outgoing.is_empty() && cx.now.ticks >= self.rests_until {
            self.rests_until = cx.now.ticks.saturating_add(NEWS_REST_MS);
            for (peer, outgoing) in std::mem::take(&mut self.outgoing) {
                say(cx, peer, &outgoing);
            }
        }
        if self.announced.values().any(|announced| announced.due <= cx.now.ticks) {
            self.pull(cx);
        }
    }

    fn pull(&mut self, cx: &mut Cx<'_>) {
        let (now, mut wanted) = (cx.now.ticks, BTreeMap::<(HallId, Space), Vec<ElementId>>::new());
        self.announced.retain(|(space, id), announced| {
            if announced.due > now {
                return true;
            }
            // Nobody is left to ask: comparing finds it.
            let Some(peer) = announced.by.pop_first().filter(|_| !holds(cx, *space, id)) else {
                return false;
            };
            wanted.entry((peer, *space)).or_default().push(*id);
            announced.due = now.saturating_add(PULL_AGAIN_MS);
            true
        });
        for ((peer, space), ids) in wanted {
            for ids in ids.chunks(NEWS_MAX) {
                cx.send(peer, Message::Pull { space, ids: ids.to_vec() });
            }
        }
    }

    /// The next moment at which something is to be told or asked for.
    pub(crate) fn next_due(&self) -> Option<u64> {
        let asks = self.announced.values().map(|announced| announced.due).min();
        let tells = (!self.outgoing.is_empty()).then_some(self.rests_until);
        asks.into_iter().chain(tells).min()
    }
}

fn say(cx: &mut Cx<'_>, peer: HallId, outgoing: &Outgoing) {
    for space in Space::ALL {
        give(cx, peer, space, &of(&outgoing.given, space));
        let ids = of(&outgoing.named, space);
        if !ids.is_empty() {
            cx.send(peer, Message::Announce { space, ids });
        }
    }
}

fn of(ids: &BTreeSet<(Space, ElementId)>, space: Space) -> Vec<ElementId> {
    ids.iter().filter(|(of, _)| *of == space).map(|(_, id)| *id).collect()
}

fn holds(view: &dyn View, space: Space, id: &ElementId) -> bool {
    view.get(&rows::element(space, id)).is_some()
}

/// Gives what is held of these; what was replaced meanwhile is told by whoever replaced it.
fn give(cx: &mut Cx<'_>, peer: HallId, space: Space, ids: &[ElementId]) {
    let ids: Vec<ElementId> = ids.iter().filter(|id| holds(cx, space, id)).copied().collect();
    if !ids.is_empty() {
        send_records(cx, peer, space, &ids, |_| Why::Push);
    }
}
