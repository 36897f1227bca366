//! The rows of a case: its log, its fold, its keys and this hall's part in it. All change in one commit.

use serde::{Deserialize, Serialize};

use super::event::{Position, SignedEvent};
use super::fold::{Case, NotAllowed};
use super::receipt::Receipt;
use super::{CaseFile, Wrap, keys, watched};
use crate::audit;
use crate::ids::{CaseId, Digest, HallAt};
use crate::limits::ORPHANS_MAX;
use crate::planted::{Bug, planted};
use crate::rows;
use crate::signed::{Signed, Verified};
use crate::step::{Cx, View};

/// What this hall is to a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stage {
    /// Nothing but, maybe, a mirror.
    None,
    /// It has the case in hand.
    Custodian,
    /// It handed the case over and waits for a mirrored receipt.
    Handing,
    /// It keeps a case handed to it and may not act yet.
    Holder,
    /// It had the case and may let go of it.
    Released,
    /// It follows a life that has ended with the case, and waits until that one is fenced off.
    Recovering,
}

impl Stage {
    /// All stages.
    pub const ALL: [Self; 6] =
        [Self::None, Self::Custodian, Self::Handing, Self::Holder, Self::Released, Self::Recovering];

    /// A stable word, for logs, JSON and catalogues.
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Custodian => "custodian",
            Self::Handing => "handing-over",
            Self::Holder => "holder",
            Self::Released => "released",
            Self::Recovering => "recovering",
        }
    }

    /// Whether this hall answers for the case: it has it in hand, or is to have it and nobody else has.
    pub const fn is_in_hand(self) -> bool {
        match self {
            Self::Custodian | Self::Handing | Self::Holder | Self::Recovering => true,
            Self::None | Self::Released => false,
        }
    }

    pub(crate) const fn byte(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Custodian => 1,
            Self::Handing => 2,
            Self::Holder => 3,
            Self::Released => 4,
            Self::Recovering => 5,
        }
    }
}

/// How durable a case is (grade of its receipt).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Grade {
    /// On one disk.
    D1,
    /// A second hall can restore all of it.
    D2,
}

/// This hall's part in a case. The high-water mark in it is never dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Custody {
    /// The highest position this hall has seen, taken or refused.
    pub position: Position,
    /// What it is to the case.
    pub stage: Stage,
    /// Whether it keeps a copy for the custodian.
    pub mirror: bool,
    /// Whether a mirror keeps all of it up to the head.
    pub grade: Grade,
}

/// The fold of a case.
pub(crate) fn case(view: &dyn View, id: CaseId) -> Option<Case> {
    rows::read(view, &rows::case(id))
}

/// This hall's part in a case.
pub(crate) fn custody(view: &dyn View, id: CaseId) -> Option<Custody> {
    rows::read(view, &rows::custody(id))
}

/// One event.
pub(crate) fn event(view: &dyn View, id: CaseId, sequence: u32) -> Option<SignedEvent> {
    rows::read(view, &rows::event(id, sequence))
}

/// The whole case as it travels, its log up to and including `upto`.
pub(crate) fn file(view: &dyn View, id: CaseId, upto: u32) -> CaseFile {
    let mut file = CaseFile::default();
    view.scan(&rows::events(id), &[], &mut |key, value| {
        file.events.push(rows::parse(key, value));
        file.events.len() <= usize::try_from(upto).unwrap_or(usize::MAX)
    });
    let held = case(view, id);
    view.scan(&rows::wraps(id), &[], &mut |key, value| {
        // A key that only an orphan began opens nothing in the log.
        let wrap: Wrap = rows::parse(key, value);
        if held.as_ref().is_none_or(|case| case.has_key(wrap.of)) {
            file.wraps.push(wrap);
        }
        true
    });
    file
}

/// How large the case is on a line, without reading it: rows are what is sent.
pub(crate) fn bytes(view: &dyn View, id: CaseId) -> usize {
    let mut bytes = CaseFile::default().bytes();
    for part in [rows::events(id), rows::wraps(id)] {
        view.scan(&part, &[], &mut |_, value| {
            bytes = bytes.saturating_add(value.len());
            true
        });
    }
    bytes
}

/// Writes one event that this hall has just signed, and the fold after it.
pub(crate) fn append(
    cx: &mut Cx<'_>,
    event: &SignedEvent,
    before: Option<&Case>,
) -> Result<Case, NotAllowed> {
    let header = event.header().or(Err(NotAllowed::Chain))?;
    let digest = event.digest();
    let after = match before {
        None => Case::begin(&header, digest)?,
        Some(case) => case.next(&header, digest)?,
    };
    rows::write(cx, rows::event(after.id, header.sequence), event);
    audit::note_event(cx, event);
    keep_case(cx, before, &after);
    Ok(after)
}

/// Writes what is new of a checked log: the events after those held, the fold, the keys.
pub(crate) fn extend(cx: &mut Cx<'_>, file: &CaseFile, held: Option<&Case>, after: &Case) {
    let known = usize::try_from(held.map_or(0, |case| case.events)).unwrap_or(usize::MAX);
    for (sequence, event) in (0_u32..).zip(&file.events).skip(known) {
        rows::write(cx, rows::event(after.id, sequence), event);
    }
    keep_case(cx, held, after);
    keys::keep(cx, after, if planted(Bug::WrapsDropped) { &[] } else { file.wraps.as_slice() });
}

/// Puts a log that this hall now follows in the place of one that contradicts it. What is no longer part of the log is
/// kept apart: nothing that was signed is dropped silently.
pub(crate) fn replace(cx: &mut Cx<'_>, file: &CaseFile, held: &Case, after: &Case) {
    let mut same = 0_u32;
    for (sequence, event) in (0_u32..).zip(&file.events) {
        if self::event(cx, held.id, sequence).as_ref() != Some(event) {
            break;
        }
        same = sequence.saturating_add(1);
    }
    for sequence in same..held.events {
        if let Some(event) = event(cx, held.id, sequence) {
            keep_orphan(cx, held.id, &event);
        }
        cx.remove(rows::event(held.id, sequence));
    }
    for (sequence, event) in (0_u32..).zip(&file.events).skip(usize::try_from(same).unwrap_or(usize::MAX)) {
        rows::write(cx, rows::event(after.id, sequence), event);
    }
    keep_case(cx, Some(held), after);
    keys::keep(cx, after, &file.wraps);
}

/// Keeps an event that is no part of the log, at most [`ORPHANS_MAX`] a case. What this hall has signed itself stands in
/// its Merkle log and is kept in any case, so that the log can be computed anew.
pub(crate) fn keep_orphan(cx: &mut Cx<'_>, id: CaseId, event: &SignedEvent) {
    let digest = event.digest();
    let key = rows::orphan(id, &digest);
    if cx.get(&key).is_some() || planted(Bug::OrphansDropped) {
        return;
    }
    let own = event.header().is_ok_and(|header| audit::place(cx, header.at, &digest).is_some());
    let mut kept = 0_usize;
    cx.scan(&rows::orphans(id), &[], &mut |_, _| {
        kept = kept.saturating_add(1);
        kept < ORPHANS_MAX
    });
    if own || kept < ORPHANS_MAX {
        rows::write(cx, key, event);
        rows::count(cx, "orphans", 1);
    }
}

/// Events of a case that are no part of its log: signed by a life that was fenced off, or contradicted.
pub(crate) fn orphans(view: &dyn View, id: CaseId) -> Vec<SignedEvent> {
    let mut found = Vec::new();
    view.scan(&rows::orphans(id), &[], &mut |key, value| {
        found.push(rows::parse::<SignedEvent>(key, value));
        found.len() < ORPHANS_MAX
    });
    // What was set aside may have come into the log since, by the hall that goes on with it.
    found.retain(|orphan| {
        let place = orphan.header().map_or(u32::MAX, |header| header.sequence);
        event(view, id, place).as_ref() != Some(orphan)
    });
    found
}

/// Writes this hall's part, and the desk's index with it.
pub(crate) fn set_custody(cx: &mut Cx<'_>, id: CaseId, custody: &Custody) {
    let before: Option<Custody> = self::custody(cx, id);
    if let Some(before) = before.filter(|before| before.stage != custody.stage) {
        if !planted(Bug::DeskNotUpdated) {
            cx.remove(rows::desk(before.stage.byte(), id));
        }
        let left = if planted(Bug::StageNotCounted) { 0 } else { -1 };
        rows::count(cx, &format!("stage/{}", before.stage.word()), left);
    }
    if before.is_none_or(|before| before.stage != custody.stage) {
        cx.put(rows::desk(custody.stage.byte(), id), Vec::new());
        rows::count(cx, &format!("stage/{}", custody.stage.word()), 1);
    }
    note_single(cx, id, custody);
    rows::write(cx, rows::custody(id), custody);
    if custody.stage == Stage::Custodian && before.is_none_or(|before| before.stage != custody.stage) {
        keys::note_exposure(cx, id);
    }
    if before.is_some_and(|before| before.stage.is_in_hand()) != custody.stage.is_in_hand() {
        note_open(cx, id);
    }
}

/// Keeps the list of cases in hand for which something is still owed: those whose limits are watched.
fn note_open(cx: &mut Cx<'_>, id: CaseId) {
    let in_hand = custody(cx, id).is_some_and(|custody| custody.stage.is_in_hand());
    let owed = case(cx, id).is_some_and(|case| !case.is_over());
    match in_hand && owed {
        true => cx.put(rows::open(id), Vec::new()),
        false if planted(Bug::OpenKept) => {}
        false => cx.remove(rows::open(id)),
    }
}

/// Cases in hand for which something is still owed, after an id, at most `count`.
pub(crate) fn open_cases(view: &dyn View, after: Option<CaseId>, count: usize) -> Vec<CaseId> {
    let from = after.map(rows::open).unwrap_or_default();
    let mut found = Vec::new();
    view.scan(&rows::all_open(), &from, &mut |key, _| {
        found.extend(key.get(1..).and_then(|id| id.try_into().ok()).map(CaseId));
        found.len() < count
    });
    found
}

/// Keeps the list, and the count, of cases in this hall's hand that lie on its disk alone, each with since when.
fn note_single(cx: &mut Cx<'_>, id: CaseId, custody: &Custody) {
    let in_hand = matches!(custody.stage, Stage::Custodian | Stage::Handing);
    let single = in_hand && custody.grade == Grade::D1;
    let since: Option<u64> = rows::read(cx, &rows::single(id));
    match since {
        None if single => {
            let now = cx.now.wall;
            rows::write(cx, rows::single(id), &now);
            cx.put(rows::single_since(now, id), Vec::new());
            rows::count(cx, "single", 1);
        }
        Some(since) if !single && !planted(Bug::SingleKept) => {
            cx.remove(rows::single(id));
            cx.remove(rows::single_since(since, id));
            rows::count(cx, "single", -1);
        }
        Some(_) | None => {}
    }
}

/// Whether the log `digests` continues what is held: neither contradicts the other.
pub(crate) fn agrees(view: &dyn View, held: &Case, digests: &[Digest]) -> bool {
    let (ours, theirs) = (held.events, u32::try_from(digests.len()).unwrap_or(u32::MAX));
    let last = ours.min(theirs).saturating_sub(1);
    let there = usize::try_from(last).ok().and_then(|index| digests.get(index));
    event(view, held.id, last).map(|event| event.digest()).as_ref() == there
}

/// The receipt this life gave for a position. One of an earlier life is not repeated: nobody takes from this life what
/// another one has signed.
pub(crate) fn receipt(view: &dyn View, id: CaseId, position: Position) -> Option<Verified<Receipt>> {
    let signed: Signed<Receipt> = rows::read(view, &rows::receipt(id, position.term, position.epoch))?;
    let me: Option<HallAt> = rows::read(view, &rows::meta("hall"));
    signed.trusted().ok().filter(|receipt| me == Some(receipt.value().by))
}

/// The newest receipt of a mirror.
pub(crate) fn copied(view: &dyn View, id: CaseId, mirror: HallAt) -> Option<Verified<Receipt>> {
    let signed: Signed<Receipt> = rows::read(view, &rows::copied(id, mirror))?;
    signed.trusted().ok()
}

fn keep_case(cx: &mut Cx<'_>, before: Option<&Case>, after: &Case) {
    if before.is_none() && !planted(Bug::NumberNotIndexed) {
        rows::write(cx, rows::number(&after.number.to_string()), &after.id);
    }
    if before.is_none() {
        rows::count(cx, "cases", 1);
    }
    let closed = Case::is_over;
    if closed(after) && !before.is_some_and(closed) {
        rows::count(cx, "closed", 1);
    }
    keep_bonds(cx, before, after);
    keep_task(cx, before, after);
    rows::write(cx, rows::case(after.id), after);
    watched::note(cx, before, after);
    if before.is_some_and(closed) != closed(after) {
        note_open(cx, after.id);
    }
}

/// A task is found by the number of its bundle.
fn keep_task(cx: &mut Cx<'_>, before: Option<&Case>, after: &Case) {
    let (old, new) = (before.and_then(|case| case.task), after.task);
    if old == new || planted(Bug::TaskNotIndexed) {
        return;
    }
    if let Some(old) = old {
        cx.remove(rows::task(&old.bundle, old.ordinal, after.id));
        rows::count(cx, "tasks", -1);
    }
    if let Some(new) = new {
        cx.put(rows::task(&new.bundle, new.ordinal, after.id), Vec::new());
        rows::count(cx, "tasks", 1);
    }
}

/// A case is found by every life that has to do with it, for the day on which that life ends.
fn keep_bonds(cx: &mut Cx<'_>, before: Option<&Case>, after: &Case) {
    let (old, new) = (before.map(Case::lives).unwrap_or_default(), after.lives());
    for gone in old.difference(&new) {
        cx.remove(rows::bond(*gone, after.id));
    }
    for come in new.difference(&old) {
        cx.put(rows::bond(*come, after.id), Vec::new());
    }
}
