//! Which halls keep copies, when one of them is gone or does not answer (design section 7, point 2). One that stays must
//! record it: until the epoch ends only that one is a witness, see [`Case::stayed`].

use std::collections::BTreeSet;

use super::Office;
use super::desk::append;
use super::facts::{Facts, Mirrors};
use super::fold::Case;
use super::log::{self, Stage};
use super::together::go_on;
use crate::directory::{self, Directory};
use crate::ids::{CaseId, ClerkId, HallAt, HallId};
use crate::limits::MIRROR_SILENT_DAYS;
use crate::planted::{Bug, planted};
use crate::post::{What, silent_copies};
use crate::step::View;
use crate::wire::Blob;

const DAY_MS: u64 = 24 * 3_600_000;

impl Case {
    /// Whose turn it is: the target of a hand-over under way, else the custodian.
    pub fn owner(&self) -> HallAt {
        self.transit.map_or(self.custodian, |transit| transit.to)
    }

    /// The halls without whose word nobody can go on for the owner: the mirrors of the epoch it is in or would begin.
    pub fn owners_mirrors(&self) -> Mirrors {
        self.transit.map_or(self.mirrors, |transit| transit.mirrors)
    }

    /// Whether a hall may read the case.
    pub(crate) fn has_on_route(&self, hall: HallId) -> bool {
        [self.receiving, self.competent].contains(&hall)
    }

    /// Every life that has to do with the case now.
    pub(crate) fn lives(&self) -> BTreeSet<HallAt> {
        let mirrors = self.mirrors.into_iter().chain(self.owners_mirrors()).flatten();
        mirrors.chain([self.custodian, self.owner()]).collect()
    }

    /// Whether a receipt of `at` proves that the case survives this disk: a mirror, and the one that stayed where another
    /// was replaced.
    pub fn is_witness(&self, at: HallAt) -> bool {
        let only = self.stayed.filter(|_| !planted(Bug::NewMirrorWitnesses));
        self.is_mirror(at) && only.is_none_or(|stayed| stayed == at)
    }

    /// Whether `at` is one of the two halls that keep a copy in this epoch.
    pub fn is_mirror(&self, at: HallAt) -> bool {
        self.mirrors.contains(&Some(at))
    }
}

/// The custodian names another mirror for one that has ended; those that stay must record it. True if there is none.
pub(crate) fn replace_ended_mirrors(office: &mut Office<'_, '_>, case: &Case) -> bool {
    let directory = Directory::new(office.cx);
    let ended = case.mirrors.into_iter().flatten().any(|at| directory.has_ended(at));
    if !in_hand(office, case) || !ended || planted(Bug::EndedMirrorsStay) {
        return !ended;
    }
    replace(office, case, None)
}

/// The custodian names other mirrors for those that live and have not answered for days. The other one has all of it, so
/// that somebody knows of the change.
pub(crate) fn replace_silent_mirrors(office: &mut Office<'_, '_>) {
    let patience = u64::from(MIRROR_SILENT_DAYS).saturating_mul(DAY_MS);
    if planted(Bug::SilentMirrorsStay) {
        return;
    }
    for (silent, id) in silent_copies(office.cx, office.cx.now.wall, patience) {
        if let Some(case) = silently_mirrored(office, silent, id) {
            replace(office, &case, Some(silent));
        }
    }
}

/// A case in hand of which one mirror does not answer and the other one has all.
fn silently_mirrored(office: &Office<'_, '_>, silent: HallId, id: CaseId) -> Option<Case> {
    let case = log::case(office.cx, id).filter(|case| in_hand(office, case))?;
    let [one, other] = case.mirrors.map(|mirror| mirror.filter(|at| at.hall != silent));
    let stays = one.xor(other)?;
    let recorded = log::copied(office.cx, id, stays).is_some_and(|receipt| receipt.value().head == case.head);
    (case.is_witness(stays) && recorded).then_some(case)
}

/// Whether nobody waits for a letter any more: a copy of a case that this hall has no hand in. A life that goes on with the
/// rows of an earlier one may still have such letters.
pub(crate) fn is_moot(view: &dyn View, what: &What) -> bool {
    let What::Copy { case } = what else { return false };
    let stage = log::custody(view, *case).map_or(Stage::None, |custody| custody.stage);
    matches!(stage, Stage::None | Stage::Released) && !planted(Bug::CopiesNotStopped)
}

/// Brings the mirrors of the case's epoch up to its head.
pub(super) fn queue_copies(office: &mut Office<'_, '_>, case: &Case) {
    for mirror in case.mirrors.into_iter().flatten() {
        office.post.enqueue(office.cx, mirror.hall, What::Copy { case: case.id });
    }
}

/// A mirror of the next epoch keeps all that copies for the mirrors of this hall's own would say. Those
/// mirrors may have gone on with the case and would never answer with the head this hall waits for.
pub(super) fn stop_copies(office: &mut Office<'_, '_>, id: CaseId) {
    if planted(Bug::CopiesNotStopped) {
        return;
    }
    let events = log::case(office.cx, id).map_or(0, |case| case.events);
    for sequence in 0..events {
        let header = log::event(office.cx, id, sequence).and_then(|event| event.header().ok());
        let Some(header) = header else { continue };
        if let Some(mirrors) = header.facts.mirrors() {
            for mirror in mirrors.into_iter().flatten() {
                office.post.done(office.cx, mirror.hall, &What::Copy { case: id });
            }
        }
    }
}

fn in_hand(office: &Office<'_, '_>, case: &Case) -> bool {
    let stage = log::custody(office.cx, case.id).map(|custody| custody.stage);
    stage == Some(Stage::Custodian) && case.transit.is_none()
}

/// Signs the change, if there is anybody else, and sends copies anew.
fn replace(office: &mut Office<'_, '_>, case: &Case, silent: Option<HallId>) -> bool {
    let mirrors = from_now_on(office, case.mirrors, silent);
    if mirrors.into_iter().flatten().all(|at| case.is_mirror(at)) && silent.is_some() {
        return false;
    }
    for old in case.mirrors.into_iter().flatten() {
        office.post.done(office.cx, old.hall, &What::Copy { case: case.id });
    }
    let clerk = ClerkId::node(office.me.at.hall);
    let replaced = append(office, case, clerk, Facts::ReplaceMirror { mirrors }, Blob::default());
    if let Ok(replaced) = &replaced {
        queue_copies(office, replaced);
        // Where nobody is left to countersign, nobody is waited for.
        go_on(office, replaced);
    }
    replaced.is_ok()
}

/// The mirrors that go on, and others in the place of those that have ended, do not answer or are this hall itself.
pub(super) fn from_now_on(office: &Office<'_, '_>, before: Mirrors, silent: Option<HallId>) -> Mirrors {
    let directory = Directory::new(office.cx);
    let goes_on = |at: &HallAt| *at != office.me.at && Some(at.hall) != silent && !directory.has_ended(*at);
    let stay: Vec<HallAt> = before.into_iter().flatten().filter(goes_on).collect();
    let computed = match silent {
        None => office.mirrors.into_iter().flatten().collect(),
        Some(_) => without(office, silent, &stay),
    };
    let fresh = computed.into_iter().filter(|at| !stay.contains(at));
    let mut mirrors = stay.iter().copied().chain(fresh);
    [mirrors.next(), mirrors.next()]
}

/// The mirrors that this hall would have if the silent one, and those it has already, were not there.
fn without(office: &Office<'_, '_>, silent: Option<HallId>, stay: &[HallAt]) -> Vec<HallAt> {
    let mut places = Directory::new(office.cx).places();
    places.retain(|place| Some(place.at.hall) != silent && !stay.contains(&place.at));
    directory::mirrors(office.me.at.hall, &places)
}
