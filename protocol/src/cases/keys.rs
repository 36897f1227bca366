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
use super::facts::{ADDRESSEES_MAX, Facts};
use super::fold::{Case, NotAllowed};
use super::handover::send_on;
use super::log::{self, Stage};
use super::mirroring::queue_copies;
use super::takeover::may_read;
use super::{CaseFile, Office, Record, Refusal, Wrap};
use crate::directory::{Addressee, Directory, RevocationReason};
use crate::ids::{CaseId, ClerkId, Digest, HallAt, HallId};
use crate::limits::{
    CASE_KEYS_MAX, CLOCK_OFF_MAX_MS, KEY_WAIT_MS, PAGE_MAX, RENEWALS_AT_ONCE, WRAPS_MAX, WRAPS_OWN,
};
use crate::planted::{Bug, planted};
use crate::record::Body;
use crate::rows;
use crate::step::{Cx, Happening, Output, Reply, View};
use crate::verify::CheckedFile;
use crate::wire::Blob;

/// The key that a case begins with.
pub const FIRST_KEY: Digest = Digest([0; 32]);

/// Bytes of log that the wrapped keys of a renewal take at the most.
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

    /// The keys without which nobody goes on with the case: the present one, and those before it that the hall had which
    /// drew it. What only the others open stays closed until somebody brings them.
    pub(super) fn needed_keys(&self) -> impl Iterator<Item = Digest> + '_ {
        let lacked = iter::successors(Some(self.lacked), |bits| Some(bits >> 1_u32));
        self.all_keys().zip(lacked).filter(|(_, bits)| bits & 1 == 0).map(|(of, _)| of)
    }

    /// What is sealed from now on is sealed under another key.
    pub(super) fn renewed_key(
        &mut self,
        (key, since): (Digest, u64),
        lacked: u16,
        to: &[Addressee],
    ) -> Result<(), NotAllowed> {
        let before = self.all_keys().fold(0_u16, |bits, _| bits << 1_u32 | 1);
        if self.has_key(key) || self.keys.len() >= CASE_KEYS_MAX || lacked & !before != 0 {
            return Err(NotAllowed::Key);
        }
        self.keys.push(key);
        self.lacked = lacked;
        (self.open_to, self.key_since) = (to.to_vec(), since);
        Ok(())
    }

    /// The lives among those.
    fn readers(&self) -> Vec<HallAt> {
        self.open_to.iter().filter(|(_, recovery)| !recovery).map(|(at, _)| *at).collect()
    }

    /// A life has been given the present key, if anybody had it to give.
    pub(super) fn opens_to(&mut self, at: HallAt) {
        if !self.open_to.contains(&(at, false)) {
            self.open_to.push((at, false));
        }
    }
}

// Wrapped keys.

/// Writes wrapped keys that somebody has brought. One that is held is never replaced: whoever carries a case could ruin it.
/// What is wrapped for a hall that may not read the case, for a life that nobody has chartered, or of a key that the log does
/// not name, is not kept, whoever brings it; and whatever else a carrier adds leaves room for what this hall wraps itself.
pub(crate) fn keep(cx: &mut Cx<'_>, case: &Case, wraps: &[Wrap]) {
    keep_within(cx, case, wraps, WRAPS_MAX.saturating_sub(WRAPS_OWN));
}

/// Writes keys that the shell has wrapped. Whether any of them was new.
pub(super) fn keep_own(cx: &mut Cx<'_>, case: &Case, wraps: &[Wrap]) -> bool {
    keep_within(cx, case, wraps, WRAPS_MAX)
}

fn keep_within(cx: &mut Cx<'_>, case: &Case, wraps: &[Wrap], room: usize) -> bool {
    let place = |wrap: &Wrap| rows::wrap(case.id, (wrap.to, wrap.recovery), &wrap.of);
    let fresh =
        |wrap: &&Wrap| case.has_key(wrap.of) && cx.get(&place(wrap)).is_none() && is_for(cx, case, wrap);
    let mut fresh: Vec<&Wrap> = wraps.iter().filter(fresh).collect();
    if fresh.is_empty() {
        return false;
    }
    let me: Option<HallAt> = rows::read(cx, &rows::meta("hall"));
    fresh.sort_by_key(|wrap| Some(wrap.to) != me);
    let held = count(cx, case);
    for wrap in fresh.into_iter().take(room.saturating_sub(held)) {
        rows::write(cx, place(wrap), wrap);
    }
    note_exposure(cx, case.id);
    true
}

/// Whether it is for a life that has a charter, of a hall on the route, which may read the case, or for recovery of one above.
fn is_for(view: &dyn View, case: &Case, wrap: &Wrap) -> bool {
    let directory = Directory::new(view);
    let keeps = || {
        let below = |part: &HallId| directory.is_above(wrap.to.hall, *part);
        wrap.recovery && [case.receiving, case.competent].iter().any(below)
    };
    let held = may_read(view, case, wrap.to.hall) || planted(Bug::StrangersKeyKept) || keeps();
    held && directory.card(wrap.to).is_some()
}

/// How many wrapped keys this hall keeps of a case.
fn count(view: &dyn View, case: &Case) -> usize {
    let mut held = 0_usize;
    scan(view, case.id, &mut |_, of| held = held.saturating_add(usize::from(case.has_key(of))));
    held
}

/// Whether a case comes with, or is held with, the keys that this hall needs to go on with it.
pub(crate) fn come_with(view: &dyn View, checked: &CheckedFile, at: HallAt) -> bool {
    let brought = |of| brings(&checked.file, at, of);
    checked.case.needed_keys().all(|of| brought(of) || is_held(view, checked.case.id, at, of))
}

/// Whether a hall that only keeps a copy has something wrapped of each key that is needed.
pub(super) fn can_be_restored(view: &dyn View, case: &Case) -> bool {
    let mut wrapped = BTreeSet::new();
    scan(view, case.id, &mut |_, of| {
        wrapped.insert(of);
    });
    case.needed_keys().all(|of| wrapped.contains(&of))
}

fn brings(file: &CaseFile, at: HallAt, of: Digest) -> bool {
    file.wraps.iter().any(|it| it.to == at && !it.recovery && it.of == of)
}

/// Whether this hall has all keys of a case wrapped to a life.
pub(crate) fn is_wrapped(view: &dyn View, id: CaseId, at: HallAt) -> bool {
    let case = log::case(view, id);
    is_held(view, id, at, FIRST_KEY)
        && case.is_none_or(|case| case.keys.iter().all(|of| is_held(view, id, at, *of)))
}

/// Whether a life has every key that another one has, as far as this hall knows of that.
pub(super) fn has_those_of(view: &dyn View, id: CaseId, at: HallAt, other: HallAt) -> bool {
    let all =
        |case: Case| case.all_keys().all(|of| is_held(view, id, at, of) || !is_held(view, id, other, of));
    log::case(view, id).is_none_or(all)
}

/// Whether a life has, or is brought, every key that comes with a log for another one. Of those that are only held here for that
/// one nothing is said: it may have lost them.
pub(super) fn has_those_in(view: &dyn View, checked: &CheckedFile, at: HallAt, other: HallAt) -> bool {
    let (file, id) = (&checked.file, checked.case.id);
    let theirs = checked.case.all_keys().filter(|of| brings(file, other, *of));
    theirs.into_iter().all(|of| brings(file, at, of) || is_held(view, id, at, of))
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
        note(cx);
    }
}

/// A case has come into this hall's hand, or a key to it: it may have to be looked at.
pub(super) fn note_exposure(cx: &mut Cx<'_>, id: CaseId) {
    let in_hand = log::custody(cx, id).is_some_and(|custody| custody.stage == Stage::Custodian);
    let me: Option<HallAt> = rows::read(cx, &rows::meta("hall"));
    let (Some(case), Some(me)) = (log::case(cx, id).filter(|_| in_hand), me) else { return };
    if wants_another(cx, me, &case) {
        note(cx);
    }
}

/// Each note has a number of its own: a round takes no later note away than those that it began with.
fn note(cx: &mut Cx<'_>) {
    let noted = noted(cx).unwrap_or(0).saturating_add(1);
    rows::write(cx, rows::meta(rows::RENEW), &noted);
}

/// The last note that cases in hand have to be looked at, if they have to be.
pub(crate) fn noted(view: &dyn View) -> Option<u64> {
    rows::read(view, &rows::meta(rows::RENEW))
}

/// All were looked at since a note, and none needs a new key any more.
pub(crate) fn end_of_renewing(cx: &mut Cx<'_>, since: u64) {
    if noted(cx) == Some(since) {
        cx.remove(rows::meta(rows::RENEW));
    }
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
    // That there is room for so many was seen before it was asked for.
    let (to, wrapped) = (addressees(office, &case), |it: &Wrap| (it.to, it.recovery));
    let meant = new.wraps.iter().all(|it| it.of == new.key && to.contains(&wrapped(it)));
    if !(meant && to.iter().all(|to| new.wraps.iter().any(|it| wrapped(it) == *to))) {
        return Err(Refusal::NoKeyForRoute);
    }
    let lacks = |of: Digest| !is_held(office.cx, id, office.me.at, of);
    let lacked = case
        .all_keys()
        .zip(0_u32..)
        .filter(|(of, _)| lacks(*of))
        .fold(0, |bits, (_, place)| bits | 1 << place);
    let clerk = ClerkId::node(office.me.at.hall);
    let facts = Facts::RenewKey { key: new.key, lacked, to };
    let case = append(office, &case, clerk, facts, Blob::default())?;
    keep_own(office.cx, &case, &new.wraps);
    office.cx.happened(Happening::KeyRenewed(id));
    // It may have waited for this key where it should have gone on to another hall.
    let case = send_on(office, case.clone()).unwrap_or(case);
    queue_copies(office, &case);
    Ok(Reply::Done)
}

/// The shell could not open a key that is wrapped to this life: whoever brought it has wrapped something else. It is as good
/// as none. If that is the present key of a case in hand, the case gets another one.
pub(crate) fn not_opened(office: &mut Office<'_, '_>, id: CaseId, of: Digest) -> Result<Reply, Refusal> {
    let case = log::case(office.cx, id).ok_or(Refusal::UnknownCase)?;
    if is_held(office.cx, id, office.me.at, of) {
        office.cx.remove(rows::wrap(id, (office.me.at, false), &of));
    }
    let asked = case.key() == of && in_hand(office.cx, &case).is_ok() && order(office, &case);
    Ok(if asked { Reply::Refused(Refusal::KeyRenewed) } else { Reply::Done })
}

/// Whether a case stays where it is until it has another key: its next hall could not open this one either.
pub(super) fn goes_under_another(office: &mut Office<'_, '_>, case: &Case) -> bool {
    !is_held(office.cx, case.id, office.me.at, case.key()) && order(office, case)
}

/// Asks the shell for a new key, if the case needs one. Whether it does.
fn order(office: &mut Office<'_, '_>, case: &Case) -> bool {
    let wanted = wants_new_key(office, case);
    if wanted {
        let to = addressees(office, case);
        office.cx.output(Output::RenewKey { case: case.id, to });
    }
    wanted
}

/// Whether a case needs a new key, and this hall can give it one.
fn wants_new_key(office: &Office<'_, '_>, case: &Case) -> bool {
    case.keys.len() < CASE_KEYS_MAX
        && wants_another(office.cx, office.me.at, case)
        && count(office.cx, case).saturating_add(ADDRESSEES_MAX) <= WRAPS_MAX
        && fits(office.cx, case, (RENEWAL_BYTES, true)).is_ok()
}

/// Whether a stolen machine can open the present key of a case in hand, or this hall cannot and nobody will give it.
fn wants_another(cx: &Cx<'_>, me: HallAt, case: &Case) -> bool {
    if is_held(cx, case.id, me, case.key()) { is_exposed(cx, case) } else { !awaits_key(cx, me, case) }
}

/// Whether the present key may still come. A hand-over brings it, or is not kept. Who goes on for a life that has ended is
/// given it by the halls on the route that have it, or by two persons with a recovery key: for so long it waits.
fn awaits_key(cx: &Cx<'_>, me: HallAt, case: &Case) -> bool {
    let events =
        (0..case.events).rev().filter_map(|sequence| log::event(cx, case.id, sequence)?.header().ok());
    let mut took = events.filter(|header| header.at == me && header.position.term == case.position.term);
    let succeeded = took.find(|header| matches!(header.facts, Facts::Succeed { .. } | Facts::Take { .. }));
    let Some(header) = succeeded.filter(|it| matches!(it.facts, Facts::Succeed { .. })) else { return false };
    // One that was dated ahead of time would wait for as long.
    let patient = header.wall <= cx.now.wall.saturating_add(CLOCK_OFF_MAX_MS)
        && cx.now.wall < header.wall.saturating_add(KEY_WAIT_MS);
    patient && (case.key() == FIRST_KEY || another_has_it(cx, me, case))
}

fn another_has_it(view: &dyn View, me: HallAt, case: &Case) -> bool {
    let directory = Directory::new(view);
    let mut found = false;
    scan(view, case.id, &mut |(to, recovery), of| {
        let reads = of == case.key() && !recovery && to != me && may_read(view, case, to.hall);
        found |= reads && directory.present(to.hall) == Some(to);
    });
    found
}

/// Who can open the present key is told by the signed log: whoever merely carries a case could add keys for a stolen machine,
/// or take them away. Only what the log does not tell is read from the keys that are held here.
fn is_exposed(view: &dyn View, case: &Case) -> bool {
    let directory = Directory::new(view);
    if planted(Bug::KeyNotRenewed) || !directory.has_revocations() {
        return false;
    }
    let readers = case.readers();
    let open = |to: Addressee| directory.is_open_to_thief(to, &readers);
    case.open_to.iter().any(|to| open(*to))
        || untold(view, case, &readers).into_iter().any(open)
        || !is_recoverable(view, case)
}

/// Who else the present key is wrapped for: whoever was to go on for a life that has ended, a hall to which a task has not
/// gone yet, and with the first key those who keep it for recovery. For a life that was over when the key was drawn nobody
/// has wrapped it but somebody who wants it drawn anew.
fn untold(view: &dyn View, case: &Case, readers: &[HallAt]) -> Vec<Addressee> {
    let (mut found, present) = (Vec::new(), case.key());
    let directory = Directory::new(view);
    let over = |at: HallAt| directory.revocation(at).is_some_and(|it| it.since <= case.key_since);
    scan(view, case.id, &mut |(to, recovery), of| {
        let told = if recovery { present != FIRST_KEY } else { readers.iter().any(|it| it.hall == to.hall) };
        if of == present && !told && !over(to) {
            found.push((to, recovery));
        }
    });
    found
}

/// Whether somebody beside the halls on the route can open the present key, where the recovery keys in their charters were
/// stolen: without that a second hall has all of a case and can restore nothing. A case that is over gets no other key.
pub(super) fn is_recoverable(view: &dyn View, case: &Case) -> bool {
    let directory = Directory::new(view);
    let (readers, mut kept) = (case.readers(), false);
    let may_be = !case.state.is_over() && directory.has_revocations();
    let stolen = may_be && readers.iter().any(|at| directory.is_exposed(*at, true));
    if stolen {
        scan(view, case.id, &mut |(to, recovery), of| {
            kept |= recovery && of == case.key() && !directory.is_open_to_thief((to, recovery), &readers);
        });
    }
    kept || !stolen
}

/// For whom a new key is wrapped: this life, those that act for the halls on the route, and who keeps it for recovery.
fn addressees(office: &Office<'_, '_>, case: &Case) -> Vec<Addressee> {
    let directory = Directory::new(office.cx);
    let route = [case.receiving, case.competent].into_iter().filter_map(|hall| directory.in_place_of(hall));
    let readers: BTreeSet<HallAt> = route.chain([office.me.at]).collect();
    directory.addressees(&readers.into_iter().collect::<Vec<_>>())
}
