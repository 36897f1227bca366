//! What waits in the post, for people and for sticks.

use std::collections::BTreeSet;

use super::queue::{Filed, Queued, destination, locate, posted, sequence};
use super::{Letter, OWN, RELAYED, What};
use crate::cases;
use crate::ids::{CaseId, HallAt, HallId};
use crate::limits::{SILENT_COPIES_MAX, UNDELIVERABLE_DAYS, UNDELIVERABLE_RELAYED_DAYS};
use crate::rows;
use crate::step::View;

/// A letter that waits, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// For whom.
    pub to: HallId,
    /// What.
    pub what: What,
    /// Milliseconds since 1970 since when.
    pub since: u64,
    /// Where it waits.
    pub place: Place,
}

/// The place of a letter in the post: its destination, and its number there.
pub type Place = (HallId, u64);

impl Waiting {
    /// Whether it has waited longer than it may.
    pub fn late(&self, wall: u64, patience: Patience) -> bool {
        let most = if self.what.relayed().is_some() { patience.relayed } else { patience.own };
        wall.saturating_sub(self.since) > most
    }
}

/// The letters that wait, by destination, oldest first, at most `count`.
pub fn waiting(view: &dyn View, count: usize) -> Vec<Waiting> {
    let mut found = Vec::new();
    view.scan(&rows::post(), &[], &mut |key, value| {
        let Queued { what, since, .. } = rows::parse(key, value);
        found.extend(place(key).map(|place| Waiting { to: place.0, what, since, place }));
        found.len() < count
    });
    found
}

/// The letter in a row of the post, for a stick to `to`: not one that came from there.
pub(crate) fn letter_at(
    view: &dyn View,
    me: HallAt,
    to: HallId,
    (key, value): (&[u8], &[u8]),
    place: Place,
) -> Option<Letter> {
    let queued: Queued = rows::parse(key, value);
    if queued.came_from == Some(to) {
        return None;
    }
    let own = |body| Letter::write(me, place.0, body);
    let what = &queued.what;
    what.relayed().cloned().or_else(|| cases::written(view, what).map(own))
}

/// The answer of this hall in a row of the post, if it is one.
pub(crate) fn answer_in(key: &[u8], value: &[u8]) -> Option<Letter> {
    let queued: Queued = rows::parse(key, value);
    if let What::Answer(letter) = queued.what { Some(letter) } else { None }
}

/// The event that hands a case over to a hall, if a letter about that waits: the hand-over itself, or the question after it.
pub(crate) fn hand_over_in(view: &dyn View, to: HallId, case: CaseId) -> Option<u32> {
    let Filed { sequence, .. } = locate(view, What::HandOver { case, upto: 0 }.reference(to))?;
    let Queued { what, .. } = rows::read(view, &rows::posted(to, sequence))?;
    match what {
        What::HandOver { upto, .. } => Some(upto),
        What::Ask(asked) => Some(asked.sequence),
        What::Copy { .. }
        | What::Fence { .. }
        | What::AskFence { .. }
        | What::Statement { .. }
        | What::Relay(_)
        | What::Answer(_) => None,
    }
}

/// How many names the letters that wait are found by: an answer also by what it is about.
pub(crate) fn names(view: &dyn View) -> u64 {
    let mut names = 0_u64;
    view.scan(&rows::post(), &[], &mut |key, value| {
        let Queued { what, .. } = rows::parse(key, value);
        let subject = destination(key).and_then(|to| what.subject(to));
        names = names.saturating_add(1).saturating_add(u64::from(subject.is_some()));
        true
    });
    names
}

/// The halls for which something waits.
pub(crate) fn receivers(view: &dyn View) -> BTreeSet<HallId> {
    let (mut halls, mut after) = (BTreeSet::new(), Vec::new());
    loop {
        let mut next = None;
        view.scan(&rows::post(), &after, &mut |key, _| {
            next = destination(key);
            false
        });
        let Some(to) = next else { return halls };
        halls.insert(to);
        after = rows::posted(to, u64::MAX);
    }
}

/// How long letters may wait before somebody has to be told, in milliseconds. They go on waiting all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For this hall's own letters.
    pub own: u64,
    /// For those of others.
    pub relayed: u64,
}

impl Patience {
    /// In days.
    pub fn days(own: u32, relayed: u32) -> Self {
        let milliseconds = |days| u64::from(days).saturating_mul(24 * 3_600_000);
        Self { own: milliseconds(own), relayed: milliseconds(relayed) }
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self::days(UNDELIVERABLE_DAYS, UNDELIVERABLE_RELAYED_DAYS)
    }
}

/// A hall for which letters wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Which.
    pub to: HallId,
    /// How many.
    pub waiting: u64,
    /// Milliseconds since 1970 since when this hall's own wait.
    pub own: Option<u64>,
    /// Since when those of others wait.
    pub relayed: Option<u64>,
}

impl Destination {
    /// Since when the oldest letter waits that has waited longer than it may.
    pub fn overdue(&self, wall: u64, patience: Patience) -> Option<u64> {
        let late = |since: Option<u64>, most| since.filter(|since| wall.saturating_sub(*since) > most);
        let (own, relayed) = (late(self.own, patience.own), late(self.relayed, patience.relayed));
        own.into_iter().chain(relayed).min()
    }
}

/// The halls for which letters wait, by code, after one of them, at most `count`. Costs as much as there are halls,
/// however many letters wait.
pub fn destinations(view: &dyn View, after: Option<HallId>, count: usize) -> Vec<Destination> {
    let mut found = Vec::new();
    let mut from = after.map(|hall| rows::ages_for(hall, u8::MAX)).unwrap_or_default();
    while found.len() < count {
        let Some(to) = first(view, &rows::ages(), &from).as_deref().and_then(destination) else { break };
        let oldest = |whose| first(view, &rows::ages_for(to, whose), &[]).as_deref().and_then(rows::since);
        let waiting = posted(view, to).waiting;
        found.push(Destination { to, waiting, own: oldest(OWN), relayed: oldest(RELAYED) });
        from = rows::ages_for(to, u8::MAX);
    }
    found
}

/// Copies that no mirror has answered for longer than `most` milliseconds: for whom, and of which case. At most
/// [`SILENT_COPIES_MAX`] for each hall, oldest first.
pub(crate) fn silent_copies(view: &dyn View, wall: u64, most: u64) -> Vec<(HallId, CaseId)> {
    let late = |since: u64| wall.saturating_sub(since) > most;
    let silent = destinations(view, None, usize::MAX).into_iter().filter(|it| it.own.is_some_and(late));
    let mut found = Vec::new();
    for to in silent.map(|it| it.to) {
        let mut looked = 0_usize;
        view.scan(&rows::ages_for(to, OWN), &[], &mut |key, _| {
            looked = looked.saturating_add(1);
            let place = rows::age_place(key).map(|sequence| rows::posted(to, sequence));
            let queued: Option<Queued> = place.and_then(|place| rows::read(view, &place));
            if let Some(Queued { what: What::Copy { case }, .. }) = queued {
                found.push((to, case));
            }
            looked < SILENT_COPIES_MAX && rows::since(key).is_some_and(late)
        });
    }
    found
}

fn first(view: &dyn View, prefix: &[u8], after: &[u8]) -> Option<Vec<u8>> {
    let mut found = None;
    view.scan(prefix, after, &mut |key, _| {
        found = Some(key.to_vec());
        false
    });
    found
}

/// Where the letter in a row waits.
pub(crate) fn place(key: &[u8]) -> Option<Place> {
    Some((destination(key)?, sequence(key)?))
}
