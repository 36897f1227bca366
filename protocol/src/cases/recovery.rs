//! Going on for a life that has ended (design section 7, points 7 and 8).
//!
//! ```text
//! mirror of the ended life L          successor S                    whoever else has the case
//!    |----Fence: log, "L is fenced"----> keeps the longest log <-----Fence: log, key------|
//!    | <---------AskFence----------------|  (for each mirror it reads of in the log)
//!    |                       SUCCEED, next term: custodian
//! ```
//! A mirror that has fenced a life off records nothing more of it: neither that life nor anybody who relies on it finds
//! a witness any more. So S goes on only when *every* mirror of the epoch has said so, from the longest log that one of
//! them keeps. What the ended life did after that is an orphan. A mirror that has ended itself can give no such word:
//! then the case waits for a ruling.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Office;
use super::aside::contradicted;
use super::desk::append;
use super::event::Position;
use super::facts::Facts;
use super::fold::Case;
use super::handover::{ask_the_heir, hold_what_is_told, send_on, settle_own, witness};
use super::keys;
use super::log::{self, Custody, Grade, Stage};
use super::mirroring::{from_now_on, queue_copies, replace_ended_mirrors, stop_copies};
use super::receipt::{Receipt, ReceiptKind};
use super::takeover::may_read;
use super::together::go_on;
use crate::audit;
use crate::directory::Directory;
use crate::ids::{CaseId, ClerkId, Digest, HallAt};
use crate::limits::PAGE_MAX;
use crate::node::Me;
use crate::planted::{Bug, planted};
use crate::post::{self, Letter, LetterBody, What};
use crate::rows;
use crate::signed::{Signed, Verified};
use crate::step::{Cx, Happening, Output, View};
use crate::verify::CheckedFile;
use crate::wire::Blob;

/// What this hall has said of an ended life.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Fence {
    /// To the hall that follows it.
    to: HallAt,
    /// It records nothing more of that life: the word of a mirror. Others only tell what they have.
    binds: bool,
    /// The word as it was signed then, if it is for another hall. For sticks: what goes on them is made without the key.
    word: Option<Signed<Receipt>>,
}

/// Whether a row of what was said of an ended life can be read.
pub(crate) fn fence_holds(value: &[u8]) -> bool {
    rows::decodes::<Fence>(value)
}

/// Looks at the cases that have to do with lives which have ended, from a key of the bonds on. Gives the key to go on
/// from, if there are more than one page.
pub(crate) fn look_after_ended(office: &mut Office<'_, '_>, from: &[u8]) -> Option<Vec<u8>> {
    let (mut after, mut looked) = (from.to_vec(), 0_usize);
    while let Some((life, case)) = next_bond(office.cx, &after) {
        if !Directory::new(office.cx).has_ended(life) {
            // On to the next life: all keys of this one are smaller.
            after = [rows::bonds_of(life), vec![u8::MAX; 17]].concat();
            continue;
        }
        after = rows::bond(life, case);
        if look_after(office, case) {
            office.cx.remove(after.clone());
        }
        looked = looked.saturating_add(1);
        if looked >= PAGE_MAX {
            return Some(after);
        }
    }
    None
}

fn next_bond(view: &dyn View, after: &[u8]) -> Option<(HallAt, CaseId)> {
    let mut found = None;
    view.scan(&rows::bonds(), after, &mut |key, _| {
        found = rows::bond_in(key);
        false
    });
    found
}

/// Does this hall's part in a case that has to do with an ended life. True if there is nothing left to do for it.
pub(super) fn look_after(office: &mut Office<'_, '_>, id: CaseId) -> bool {
    let Some(case) = log::case(office.cx, id) else { return true };
    let (owner, me) = (case.owner(), office.me.at);
    if Directory::new(office.cx).has_ended(me) {
        return true;
    }
    let stage = log::custody(office.cx, id).map_or(Stage::None, |custody| custody.stage);
    if stage == Stage::Handing {
        ask_the_heir(office, &case);
    }
    let directory = Directory::new(office.cx);
    // Whose part has to be played by another: the owner's, else the giver's, who has to bring it to the owner.
    let played = [owner, case.custodian].into_iter().find(|life| directory.has_ended(*life));
    // A hall may have read in its copy only that the case is on its way back to it.
    let has_it = matches!(stage, Stage::Custodian | Stage::Holder | Stage::Recovering);
    let Some(ended) = played.filter(|_| owner != me || !has_it) else {
        if stage == Stage::Recovering {
            // What it was told since says that the case had gone on.
            stop_copies(office, id);
            stands(office, &case, Stage::None);
        }
        return owner != me || replace_ended_mirrors(office, &case);
    };
    let Some(successor) = directory.successor(ended) else { return false };
    if successor != me {
        let follows_giver =
            directory.has_ended(case.custodian) && directory.successor(case.custodian) == Some(me);
        let told = fence_off(office, id, (ended, successor), false);
        if follows_giver {
            // The target has ended as well. The giver's mirrors, which have fenced the giver off, take its hand-over from
            // nobody but this hall; whoever follows the target needs one of them as a witness.
            hand_over_anew(office, &case);
        }
        return told;
    }
    if ended == owner {
        recover(office, &case);
    } else {
        hand_over_anew(office, &case);
    }
    // Until it has gone on it is looked at again whenever somebody's life ends: a word that is missing may not be needed.
    log::custody(office.cx, id).is_none_or(|custody| custody.stage != Stage::Recovering)
}

/// Records nothing more of an ended life, and tells its successor what there is. False while the successor still needs a
/// key that this hall can give: it is asked for once more after a restart.
///
/// The promise to record nothing more binds from the commit that writes it down, whenever a letter says it: that is when
/// it goes into this hall's Merkle log, once for each life that it is given to. Telling what there is promises
/// nothing, and neither does the answer to it: neither is a leaf.
fn fence_off(office: &mut Office<'_, '_>, id: CaseId, (of, to): (HallAt, HallAt), asked: bool) -> bool {
    // A word that is given to somebody else is not given twice.
    if fence(office.cx, id, of).is_some_and(|given| given.to != to) {
        return true;
    }
    let given: Option<Fence> = rows::read(office.cx, &rows::fence(id, of));
    let binds = asked || given.as_ref().is_some_and(|given| given.binds) || is_owners_mirror(office, id);
    let binds = binds && !planted(Bug::FenceForgotten);
    if asked || given.is_none_or(|given| (given.to, given.binds) != (to, binds)) {
        let said = word(office.cx, office.me, id, (of, to, binds));
        give(office.cx, id, (of, to, binds), &said);
        office.post.enqueue(office.cx, to.hall, What::Fence { case: id, of });
        // Should this one end as well, whoever follows it is told.
        office.cx.put(rows::bond(to, id), Vec::new());
    }
    !want_key(office.cx, office.me.at, id, to)
}

/// Writes down what this hall says of an ended life: from then on it binds.
fn give(cx: &mut Cx<'_>, id: CaseId, (of, to, binds): (HallAt, HallAt, bool), said: &Verified<Receipt>) {
    if binds {
        audit::note_receipt(cx, said);
    }
    let word = Some(said.signed().clone());
    rows::write(cx, rows::fence(id, of), &Fence { to, binds, word });
}

/// For whom this hall has fenced a life off in a case; for whoever follows it, if that life has ended too.
fn fence(view: &dyn View, id: CaseId, of: HallAt) -> Option<Fence> {
    let given: Fence = rows::read(view, &rows::fence(id, of))?;
    Some(Fence { to: Directory::new(view).answers_for(given.to), ..given })
}

/// The lives that this hall has fenced off in a case, each with the hall that follows it.
fn fences(view: &dyn View, id: CaseId) -> Vec<(HallAt, Fence)> {
    let directory = Directory::new(view);
    let now = |given: Fence| Fence { to: directory.answers_for(given.to), ..given };
    raw_fences(view, id).into_iter().map(|(of, given)| (of, now(given))).collect()
}

/// Whether this hall has told a life what it has of a case.
pub(crate) fn has_told(view: &dyn View, id: CaseId, to: HallAt) -> bool {
    fences(view, id).iter().any(|(_, given)| given.to == to)
}

fn is_owners_mirror(office: &Office<'_, '_>, id: CaseId) -> bool {
    log::case(office.cx, id).is_some_and(|case| case.owners_mirrors().contains(&Some(office.me.at)))
}

/// Asks the shell to wrap to a life that may read a case those of its keys that this hall has and that one lacks.
pub(crate) fn want_key(cx: &mut Cx<'_>, me: HallAt, id: CaseId, to: HallAt) -> bool {
    let lacks = !keys::has_those_of(cx, id, to, me);
    let on_route = || log::case(cx, id).is_some_and(|case| may_read(cx, &case, to.hall));
    let wanted = lacks && Directory::new(cx).present(to.hall) == Some(to) && on_route();
    if wanted {
        cx.output(Output::WrapKey { case: id, to });
    }
    wanted
}

/// A target in a new life has no key to cases that were sealed for an earlier one.
pub(crate) fn want_key_of_target(cx: &mut Cx<'_>, me: HallAt, what: &What) {
    let What::HandOver { case, .. } = what else { return };
    if let Some(transit) = log::case(cx, *case).and_then(|case| case.transit) {
        want_key(cx, me, *case, transit.to);
    }
}

/// Keys that the shell has wrapped to later lives. Whoever waits for one is told once more.
pub(crate) fn keep_keys(office: &mut Office<'_, '_>, id: CaseId, wraps: &[super::Wrap]) {
    let Some(case) = log::case(office.cx, id) else { return };
    let stage = log::custody(office.cx, id).map(|custody| custody.stage);
    if keys::keep_own(office.cx, &case, wraps) && matches!(stage, Some(Stage::Custodian | Stage::Handing)) {
        // Mirrors keep the keys, too: whoever has to restore the case has them from there.
        queue_copies(office, &case);
    }
    for (of, given) in fences(office.cx, id) {
        if given.to != office.me.at && wraps.iter().any(|wrap| wrap.to == given.to) {
            office.post.enqueue(office.cx, given.to.hall, What::Fence { case: id, of });
        }
    }
}

/// Whether a log says more than this hall keeps, and ends with the word of a life that this hall has fenced off. Where
/// another life has gone on since, a witness or a succession has let it. What the hall brings to which the word was given
/// is good, too: it has heard all others.
pub(crate) fn is_fenced_off(
    view: &dyn View,
    held: Option<&Case>,
    writer: HallAt,
    checked: &CheckedFile,
) -> bool {
    let known = usize::try_from(held.map_or(0, |case| case.events)).unwrap_or(usize::MAX);
    let last = checked.file.events.last().and_then(|event| event.header().ok());
    let Some(last) = last.filter(|_| checked.file.events.len() > known) else { return false };
    raw_fences(view, checked.case.id).into_iter().any(|(of, given)| {
        // The word for a life covers those between it and the one that it was given to: that one has signed for them.
        let between = of.hall == last.at.hall && of.incarnation <= last.at.incarnation;
        let directory = Directory::new(view);
        let before = match directory.ruling(of).filter(|_| given.to.hall != of.hall) {
            Some((_, ruling)) => last.at.incarnation <= ruling.of.incarnation,
            None => last.at.incarnation < given.to.incarnation || given.to.hall != of.hall,
        };
        let speaker = directory.answers_for(given.to);
        given.binds && between && before && speaker != writer
    })
}

/// The same as it was written down: with the life that the word was given to.
fn raw_fences(view: &dyn View, id: CaseId) -> Vec<(HallAt, Fence)> {
    let mut found = Vec::new();
    view.scan(&rows::fences(id), &[], &mut |key, value| {
        found.extend(rows::fenced_in(key).map(|of| (of, rows::parse::<Fence>(key, value))));
        true
    });
    found
}

/// The successor of a life asks for this hall's fence.
pub(crate) fn fence_asked(office: &mut Office<'_, '_>, by: HallAt, id: CaseId, of: HallAt) {
    let directory = Directory::new(office.cx);
    let Some(successor) = directory.successor(of).filter(|_| directory.has_ended(of)) else { return };
    // By a ruling another hall has to do with that life's cases, not with those of a later one of the same hall.
    let later =
        |life: HallAt| successor.hall != of.hall && life.hall == of.hall && life.incarnation > of.incarnation;
    let held = log::case(office.cx, id);
    if held.is_some_and(|case| [case.owner(), case.custodian].into_iter().any(later)) {
        return;
    }
    if successor != office.me.at && successor == by {
        // A key that is still wanted is asked for when the bonds are looked at again.
        let _wanted = fence_off(office, id, (of, successor), true);
    }
}

/// The words of a fence, for whoever answers now for the life that it was given to. If that is a later one, this is
/// written down with it: else what the life in between has said would still be recorded.
pub(crate) fn fence_letter(cx: &mut Cx<'_>, me: &Me, id: CaseId, of: HallAt) -> Option<LetterBody> {
    let Fence { to: given, binds, .. } = rows::read(cx, &rows::fence(id, of))?;
    let to = Directory::new(cx).answers_for(given);
    let said = word(cx, me, id, (of, to, binds));
    if to != given {
        give(cx, id, (of, to, binds), &said);
    }
    let file = log::case(cx, id).map(|case| log::file(cx, id, case.events));
    Some(LetterBody::Fence(file, said.signed().clone()))
}

/// The words of a fence as they were signed when it was given, with the log that they are for.
pub(crate) fn fence_written(view: &dyn View, id: CaseId, of: HallAt) -> Option<LetterBody> {
    let Fence { word, .. } = rows::read(view, &rows::fence(id, of))?;
    let word = word?;
    let said = word.peek().ok()?;
    let file = (said.head != NOTHING.1).then(|| log::file(view, id, said.sequence));
    Some(LetterBody::Fence(file, word))
}

/// The signed word in a row of the fences.
pub(crate) fn word_in(key: &[u8], value: &[u8]) -> Option<Signed<Receipt>> {
    let Fence { word, .. } = rows::parse(key, value);
    word
}

/// What a hall has of a case that it keeps nothing of.
const NOTHING: (u32, Digest, Position) = (0, Digest([0; 32]), Position { term: 0, epoch: 0 });

/// What this hall says of an ended life, with how far it has the case.
fn word(cx: &Cx<'_>, me: &Me, id: CaseId, (of, to, binds): (HallAt, HallAt, bool)) -> Verified<Receipt> {
    let told = log::case(cx, id).map(|case| (case.events.saturating_sub(1), case.head, case.position));
    let (sequence, head, position) = told.unwrap_or(NOTHING);
    let kind = if binds { ReceiptKind::Fenced { of, to } } else { ReceiptKind::Known { of, to } };
    let receipt = Receipt { kind, case: id, position, sequence, head, by: me.at, wall: cx.now.wall };
    Verified::own(receipt, &me.key)
}

/// A hall has fenced off the life that this one follows, and tells what it has of the case.
pub(crate) fn fenced(
    office: &mut Office<'_, '_>,
    letter: &Letter,
    told: Option<&CheckedFile>,
    receipt: &Verified<Receipt>,
) {
    let said = receipt.value();
    let (ReceiptKind::Fenced { of, to } | ReceiptKind::Known { of, to }) = said.kind else { return };
    let follows = Directory::new(office.cx).successor(of) == Some(office.me.at);
    // Of a case in which that life had no part nothing is taken in.
    let part = |case: &Case| case.lives().contains(&of) || case.has_on_route(of.hall);
    let known = log::case(office.cx, said.case).is_some() || told.is_some_and(|told| part(&told.case));
    let earlier = to.hall == office.me.at.hall && planted(Bug::WordToEarlierLifeCounts);
    if (to != office.me.at && !earlier) || !follows || !known || !keep_what_is_told(office, said.by, told) {
        return;
    }
    if matches!(said.kind, ReceiptKind::Fenced { .. }) {
        rows::write(office.cx, rows::fenced(said.case, said.by, of), receipt.signed());
        office.post.done(office.cx, said.by.hall, &What::AskFence { case: said.case, of });
    }
    // What whoever speaks has, this life has as well.
    let keyed = told.is_none_or(|told| keys::has_those_in(office.cx, told, office.me.at, said.by));
    let kind = ReceiptKind::Told { of, keyed };
    let told = Verified::own(Receipt { kind, by: office.me.at, ..said.clone() }, &office.me.key);
    super::receipt::answer(office, letter.from.hall, told.signed().clone());
    look_after(office, said.case);
}

/// Takes over what another hall has of a case, if it is more than this one has. What is of an earlier term comes late: it is
/// kept apart. False if the two contradict each other otherwise.
pub(super) fn keep_what_is_told(office: &mut Office<'_, '_>, by: HallAt, told: Option<&CheckedFile>) -> bool {
    let Some(told) = told else { return true };
    let held = log::case(office.cx, told.case.id);
    let Some(before) = &held else {
        log::extend(office.cx, &told.file, None, &told.case);
        return true;
    };
    if log::agrees(office.cx, before, &told.digests) {
        if told.case.events > before.events {
            no_longer_hands_over(office, before);
            log::extend(office.cx, &told.file, held.as_ref(), &told.case);
        } else {
            keys::keep(office.cx, before, &told.file.wraps);
        }
        return true;
    }
    let late = told.case.position.term < before.position.term;
    if late || !told.case.is_mirror(by) || before.custodian == office.me.at {
        contradicted(office, before, told);
        return late;
    }
    // What an earlier life of this hall added before it was rolled back, or without a witness, yields to what a mirror
    // has recorded.
    audit::meet(office.cx, office.me, before.id, &told.file.events);
    log::replace(office.cx, &told.file, before, &told.case);
    true
}

/// A hand-over of an earlier life that this one has repeated, when it turns out that the case has gone on since.
fn no_longer_hands_over(office: &mut Office<'_, '_>, case: &Case) {
    let handing = log::custody(office.cx, case.id).is_some_and(|custody| custody.stage == Stage::Handing);
    if let Some(transit) = case.transit.filter(|_| handing && case.custodian != office.me.at) {
        let upto = case.events.saturating_sub(1);
        let to = Directory::new(office.cx).answers_for(transit.to).hall;
        office.post.done(office.cx, to, &What::HandOver { case: case.id, upto });
        stop_copies(office, case.id);
        stands(office, case, Stage::None);
    }
}

/// A successor keeps what this hall has told it.
pub(crate) fn told(office: &mut Office<'_, '_>, said: &Receipt) {
    let ReceiptKind::Told { of, keyed } = said.kind else { return };
    // The key that this hall has wrapped meanwhile goes along when the letter is repeated.
    let owes_key = !keyed && keys::has_those_of(office.cx, said.case, said.by, office.me.at);
    if !owes_key && fence(office.cx, said.case, of).is_some_and(|given| given.to == said.by) {
        office.post.done(office.cx, said.by.hall, &What::Fence { case: said.case, of });
    }
}

/// Goes on with a case for the life that it was with, once nobody can go on for that life any more.
fn recover(office: &mut Office<'_, '_>, case: &Case) {
    let owner = case.owner();
    if log::custody(office.cx, case.id).is_some_and(|custody| custody.stage == Stage::Handing) {
        settle_own(office, case);
    }
    stands(office, case, Stage::Recovering);
    if case.opaque {
        // It has a critical event that this build does not know: it is kept, and never taken in hand.
        return;
    }
    let own = Fence { to: office.me.at, binds: true, word: None };
    rows::write(office.cx, rows::fence(case.id, owner), &own);
    let missing = waits_for(office.cx, office.me.at, case);
    for party in &missing {
        // One that has ended too can give no word any more: the case waits until its disk is declared destroyed.
        if !Directory::new(office.cx).has_ended(*party) {
            office.post.enqueue_once(office.cx, party.hall, What::AskFence { case: case.id, of: owner });
        }
    }
    if !missing.is_empty() && !planted(Bug::SucceedsUnfenced) {
        return;
    }
    if case.transit.is_some() && witness(office, case).is_none() {
        // As for any target: the hand-over counts once a mirror of its epoch has recorded it.
        queue_copies(office, case);
        return;
    }
    if succeed(office, case, owner).is_ok() {
        office.cx.happened(Happening::Recovered(case.id));
    }
}

/// Whether a mirror has given its word to this life that it has fenced another one off. A word to an earlier life of this
/// hall counts for nothing: since then the mirror may have recorded what that life went on with.
fn has_fenced(view: &dyn View, me: HallAt, id: CaseId, mirror: HallAt, of: HallAt) -> bool {
    let word: Option<Signed<Receipt>> = rows::read(view, &rows::fenced(id, mirror, of));
    let said = word.and_then(|word| word.peek().ok());
    said.is_some_and(|said| {
        let word = |to| said.kind == ReceiptKind::Fenced { of, to };
        word(me) || planted(Bug::WordToEarlierLifeCounts)
    })
}

fn succeed(office: &mut Office<'_, '_>, case: &Case, from: HallAt) -> Result<(), super::Refusal> {
    let mirrors = from_now_on(office, case.owners_mirrors(), None);
    let ruling = Directory::new(office.cx).ruling(from).map(|(digest, _)| digest);
    let ruling = ruling.filter(|_| from.hall != office.me.at.hall);
    let facts = Facts::Succeed { from, mirrors, ruling };
    let clerk = ClerkId::node(office.me.at.hall);
    let after = append(office, case, clerk, facts, Blob::default())?;
    stands(office, &after, Stage::Custodian);
    // It may have handed the case over itself, to the life that it follows now.
    let upto = case.events.saturating_sub(1);
    office.post.done(office.cx, from.hall, &What::HandOver { case: case.id, upto });
    // Also those that an earlier life of this hall, whose rows it has, still had for mirrors of long ago.
    stop_copies(office, case.id);
    let after = send_on(office, after.clone()).unwrap_or(after);
    queue_copies(office, &after);
    go_on(office, &after);
    Ok(())
}

/// The giver's life has ended, the target has not: this hall repeats the hand-over in its place.
fn hand_over_anew(office: &mut Office<'_, '_>, case: &Case) {
    let Some(transit) = case.transit else { return };
    let upto = case.events.saturating_sub(1);
    let to = Directory::new(office.cx).answers_for(transit.to).hall;
    // Rows of an earlier life may tell of a hand-over before this one: that is another one.
    let done = log::custody(office.cx, case.id).is_some_and(|custody| match custody.stage {
        Stage::Released => custody.position >= case.position.after(1),
        Stage::Handing => post::hand_over_in(office.cx, to, case.id) == Some(upto),
        Stage::None | Stage::Custodian | Stage::Holder | Stage::Recovering => false,
    });
    if done {
        return;
    }
    if transit.to == office.me.at {
        return hold_what_is_told(office, case);
    }
    stands(office, case, Stage::Handing);
    office.post.enqueue(office.cx, to, What::HandOver { case: case.id, upto });
    queue_copies(office, case);
}

fn stands(office: &mut Office<'_, '_>, case: &Case, stage: Stage) {
    let before = log::custody(office.cx, case.id);
    let mirror = before.is_some_and(|custody| custody.mirror);
    let position = before.map_or(case.position, |custody| custody.position.max(case.position));
    log::set_custody(office.cx, case.id, &Custody { position, stage, mirror, grade: Grade::D1 });
}

/// The halls whose word is still missing before this one can go on with a case.
pub(crate) fn waits_for(view: &dyn View, me: HallAt, case: &Case) -> Vec<HallAt> {
    let parties = parties(view, me, case).into_iter();
    parties.filter(|party| !has_fenced(view, me, case.id, *party, case.owner())).collect()
}

/// Whose word a successor needs: that of each mirror which the ended life had or would have had, and that of the halls
/// on the route, which may have the case further on than any mirror that is left.
fn parties(view: &dyn View, me: HallAt, case: &Case) -> BTreeSet<HallAt> {
    let directory = Directory::new(view);
    let route = [case.receiving, case.competent].into_iter().filter_map(|hall| directory.present(hall));
    let mirrors = case.owners_mirrors().into_iter().flatten();
    // A mirror on the route may have been its own witness: only its own mirrors know what it took, and who they are
    // nobody else does. Then the case waits, also if that disk is destroyed.
    let counts = |at: &HallAt| case.has_on_route(at.hall) || !directory.is_destroyed(*at);
    mirrors.chain(route).filter(|at| *at != me && counts(at)).collect()
}
