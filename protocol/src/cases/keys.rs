//! The keys of a case, wrapped to the halls on its route; and a new one when a machine that could open the present one
//! was stolen (design section 5).
//!
//! The event RENEW KEY names the new key by its digest and is signed by the custodian like every other, so that nobody
//! who merely carries a case can make a hall seal under a key of his own. What comes after it in the log is sealed under
//! the new key; what came before stays as it is. Event and wrapped keys are one commit. Where a renewal is still
//! to be made follows from directory and wraps; the row `renew` only says that it is worth looking.

use std::collections::BTreeSet;
use std::iter;

use serde::{Deserialize, Serialize};

use super::desk::{append, fits, in_hand};
use super::facts::Facts;
use super::fold::{Case, NotAllowed};
use super::log::{self, Stage};
use super::mirroring::queue_copies;
use super::takeover::may_read;
use super::{Office, Record, Refusal, Wrap};
use crate::directory::{Directory, RevocationReason};
use crate::ids::{CaseId, ClerkId, Digest, HallAt};
use crate::limits::{CASE_KEYS_MAX, PAGE_MAX, RENEWALS_AT_ONCE, WRAPS_MAX};
use crate::planted::{Bug, planted};
use crate::record::Body;
use crate::rows;
use crate::step::{Cx, Happening, Output, Reply, View};
use crate::verify::CheckedFile;
use crate::wire::Blob;

/// The key that a case begins with.
pub const FIRST_KEY: Digest = Digest([0; 32]);

/// Bytes of log that the wrapped keys of a renewal take at the most: two for each of three halls.
const RENEWAL_BYTES: usize = 8 << 10;

/// A new key of a case, as the shell has drawn and wrapped it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewal {
    /// Its digest: see [`ContentKey::digest`](crate::seal::ContentKey::digest).
    pub key: Digest,
    /// The key, wrapped to the halls it was asked for.
    pub wraps: Vec<Wrap>,
}

impl Case {
    /// The key that what is added now is sealed under.
    pub fn key(&self) -> Digest {
        self.keys.last().copied().unwrap_or(FIRST_KEY)
    }

    /// Every key that something in the log is sealed under, in order.
    pub fn all_keys(&self) -> impl Iterator<Item = Digest> + '_ {
        iter::once(FIRST_KEY).chain(self.keys.iter().copied())
    }

    /// Whether it is one of its keys.
    pub fn has_key(&self, key: Digest) -> bool {
        self.all_keys().any(|held| held == key)
    }

    /// What is sealed from now on is sealed under another key.
    pub(super) fn renewed_key(&mut self, key: Digest) -> Result<(), NotAllowed> {
        if self.has_key(key) || self.keys.len() >= CASE_KEYS_MAX {
            return Err(NotAllowed::Key);
        }
        self.keys.push(key);
        Ok(())
    }
}

// Wrapped keys.

/// Writes wrapped keys. One that is held is never replaced: whoever carries a case could ruin it. What is wrapped for a
/// hall that may not read the case, or of a key that the log does not name, is not kept, whoever brings it.
pub(crate) fn keep(cx: &mut Cx<'_>, case: &Case, wraps: &[Wrap]) {
    let may_read = |wrap: &&Wrap| may_read(cx, case, wrap.to.hall) || planted(Bug::StrangersKeyKept);
    let wraps: Vec<&Wrap> = wraps.iter().filter(may_read).filter(|wrap| case.has_key(wrap.of)).collect();
    let mut held = 0_usize;
    scan(cx, case.id, &mut |_, of| held = held.saturating_add(usize::from(case.has_key(of))));
    let before = held;
    for wrap in wraps {
        let key = rows::wrap(case.id, (wrap.to, wrap.recovery), &wrap.of);
        if held < WRAPS_MAX && cx.get(&key).is_none() {
            rows::write(cx, key, wrap);
            held = held.saturating_add(1);
        }
    }
    if held > before {
        note_exposure(cx, case.id);
    }
}

/// Whether a case comes with, or is held with, all of its keys for this hall.
pub(crate) fn come_with(view: &dyn View, checked: &CheckedFile, at: HallAt) -> bool {
    let brought = |of| checked.file.wraps.iter().any(|it| it.to == at && !it.recovery && it.of == of);
    checked.case.all_keys().all(|of| brought(of) || is_held(view, checked.case.id, at, of))
}

/// Whether this hall has all keys of a case wrapped to a life.
pub(crate) fn is_wrapped(view: &dyn View, id: CaseId, at: HallAt) -> bool {
    let case = log::case(view, id);
    is_held(view, id, at, FIRST_KEY)
        && case.is_none_or(|case| case.keys.iter().all(|of| is_held(view, id, at, *of)))
}

fn is_held(view: &dyn View, id: CaseId, at: HallAt, of: Digest) -> bool {
    view.get(&rows::wrap(id, (at, false), &of)).is_some()
}

fn scan(view: &dyn View, id: CaseId, visit: &mut dyn FnMut((HallAt, bool), Digest)) {
    view.scan(&rows::wraps(id), &[], &mut |key, _| {
        if let Some((to, of)) = rows::wrap_in(key) {
            visit(to, of);
        }
        true
    });
}

// A new key.

/// A revocation, or what stands for one, was taken up: if a machine was stolen, the cases in hand are looked at.
pub(crate) fn note_theft(cx: &mut Cx<'_>, body: &Body) {
    let reason = if let Body::Revocation(revocation) = body {
        Some(revocation.reason)
    } else if let Body::Heard(heard) = body {
        Some(heard.reason)
    } else {
        None
    };
    if reason == Some(RevocationReason::Stolen) {
        rows::write(cx, rows::meta(rows::RENEW), &());
    }
}

/// A case has come into this hall's hand, or a key to it: it may have to be looked at.
pub(super) fn note_exposure(cx: &mut Cx<'_>, id: CaseId) {
    let in_hand = log::custody(cx, id).is_some_and(|custody| custody.stage == Stage::Custodian);
    if log::case(cx, id).is_some_and(|case| in_hand && is_exposed(cx, &case)) {
        rows::write(cx, rows::meta(rows::RENEW), &());
    }
}

/// Whether cases in hand have to be looked at.
pub(crate) fn needs_renewing(view: &dyn View) -> bool {
    view.get(&rows::meta(rows::RENEW)).is_some()
}

/// All were looked at, and none needs a new key any more.
pub(crate) fn end_of_renewing(cx: &mut Cx<'_>) {
    cx.remove(rows::meta(rows::RENEW));
}

/// Asks for new keys for open cases in hand, those after one. Gives the one to go on after, if there are more, and whether
/// a new key was asked for. Of a case that is over nothing may ever be added; if something is, that asks for itself.
pub(crate) fn renew_exposed(office: &mut Office<'_, '_>, after: Option<CaseId>) -> (Option<CaseId>, bool) {
    let page = log::open_cases(office.cx, after, PAGE_MAX);
    let (mut asked, mut last) = (0_usize, None);
    let whole = page.len() < PAGE_MAX;
    for id in page {
        if asked >= RENEWALS_AT_ONCE {
            return (last, true);
        }
        last = Some(id);
        let custodian = log::custody(office.cx, id).is_some_and(|custody| custody.stage == Stage::Custodian);
        let case = log::case(office.cx, id).filter(|_| custodian);
        asked = asked.saturating_add(usize::from(case.is_some_and(|case| order(office, &case))));
    }
    (last.filter(|_| !whole), asked > 0)
}

/// What is added to a case is sealed under its present key, and not while somebody who stole a machine can open that.
pub(super) fn may_seal(office: &mut Office<'_, '_>, case: &Case, act: &Record) -> Result<(), Refusal> {
    let exposed = !act.body.is_empty() && order(office, case);
    if exposed || act.key != case.key() { Err(Refusal::KeyRenewed) } else { Ok(()) }
}

/// Takes the shell's new key for a case in hand. One that came after another, or for nothing, changes nothing.
pub(crate) fn renew(office: &mut Office<'_, '_>, id: CaseId, new: &Renewal) -> Result<Reply, Refusal> {
    let case = log::case(office.cx, id).ok_or(Refusal::UnknownCase)?;
    in_hand(office.cx, &case)?;
    if !wants_new_key(office, &case) {
        return Ok(Reply::Done);
    }
    let directory = Directory::new(office.cx);
    let fits = |wrap: &Wrap| {
        let readable = may_read(office.cx, &case, wrap.to.hall) && wrap.of == new.key;
        readable && !directory.is_exposed(wrap.to, wrap.recovery)
    };
    let own = |wrap: &Wrap| wrap.to == office.me.at && !wrap.recovery;
    let sound = new.wraps.iter().all(fits) && new.wraps.iter().any(own);
    if !sound {
        return Err(Refusal::NoKeyForRoute);
    }
    let clerk = ClerkId::node(office.me.at.hall);
    let case = append(office, &case, clerk, Facts::RenewKey { key: new.key }, Blob::default())?;
    keep(office.cx, &case, &new.wraps);
    queue_copies(office, &case);
    office.cx.happened(Happening::KeyRenewed(id));
    Ok(Reply::Done)
}

/// Asks the shell for a new key, if the case needs one. Whether it does.
fn order(office: &mut Office<'_, '_>, case: &Case) -> bool {
    let wanted = wants_new_key(office, case);
    if wanted {
        let to = readers(office, case).into_iter().collect();
        office.cx.output(Output::RenewKey { case: case.id, to });
    }
    wanted
}

/// Whether a stolen machine can open the present key of a case, and this hall can give it another one.
fn wants_new_key(office: &Office<'_, '_>, case: &Case) -> bool {
    is_exposed(office.cx, case)
        && is_held(office.cx, case.id, office.me.at, case.key())
        && case.keys.len() < CASE_KEYS_MAX
        && fits(office.cx, case, (RENEWAL_BYTES, true)).is_ok()
}

fn is_exposed(view: &dyn View, case: &Case) -> bool {
    let directory = Directory::new(view);
    let (mut exposed, present) = (false, case.key());
    scan(view, case.id, &mut |(to, recovery), of| {
        exposed |= of == present && directory.is_exposed(to, recovery);
    });
    exposed && !planted(Bug::KeyNotRenewed)
}

/// The lives that go on reading: this one, and those that act for the halls on the route.
fn readers(office: &Office<'_, '_>, case: &Case) -> BTreeSet<HallAt> {
    let directory = Directory::new(office.cx);
    let route = [case.receiving, case.competent].into_iter().filter_map(|hall| directory.in_place_of(hall));
    route.chain([office.me.at]).filter(|at| !directory.is_exposed(*at, false)).collect()
}
