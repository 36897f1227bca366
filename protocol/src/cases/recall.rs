//! What must never be: a giver that has waited long takes the case back. Only a planted bug does it.

use super::Office;
use super::handover::take_back;
use super::log::{self, Stage};
use crate::ids::{Digest, HallAt, HallId};
use crate::planted::{Bug, planted};
use crate::post::What;

/// Milliseconds after which the giver gives up.
const PATIENCE: u64 = 10_000;

/// A letter is about to be sent again: if it is a hand-over of long ago, the case comes back instead.
pub(crate) fn recall(office: &mut Office<'_, '_>, to: HallId, what: &What) {
    let What::HandOver { case, .. } = what else { return };
    let handing = log::custody(office.cx, *case).is_some_and(|custody| custody.stage == Stage::Handing);
    let Some(case) = log::case(office.cx, *case).filter(|_| handing && planted(Bug::RecallOnTimeOut)) else {
        return;
    };
    let given = log::event(office.cx, case.id, case.events.saturating_sub(1));
    let since = given.and_then(|event| event.header().ok()).map_or(u64::MAX, |header| header.wall);
    if since.saturating_add(PATIENCE) < office.cx.now.wall {
        take_back(office, &case, HallAt { hall: to, incarnation: 1 }, Digest([0; 32]));
    }
}
