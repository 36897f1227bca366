//! The queue in rows and the rounds in memory.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::hop::next_hop;
use super::{Letter, LetterId, Reference, What};
use crate::ids::HallId;
use crate::limits::{
    HOPS_MAX, LETTERS_WINDOW, RELAY_KEEP_MS, RELAY_LETTERS_MAX, REPEAT_LATEST_MS, RETRY_FIRST_MS,
    RETRY_MAX_MS,
};
use crate::planted::{Bug, planted};
use crate::rows;
use crate::step::{Cx, View};

/// A letter in the queue.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Queued {
    what: What,
    came_from: Option<HallId>,
    since: u64,
}

/// How many letters a destination ever had, and how many wait.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Posted {
    last: u64,
    waiting: u64,
}

/// Whether a row of a waiting letter can be read.
pub(crate) fn queued_holds(value: &[u8]) -> bool {
    rows::decodes::<Queued>(value)
}

/// Whether a row of a destination's counts can be read.
pub(crate) fn posted_holds(value: &[u8]) -> bool {
    rows::decodes::<Posted>(value)
}

/// A letter that waits, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// For whom.
    pub to: HallId,
    /// What.
    pub what: What,
    /// Milliseconds since 1970 since when.
    pub since: u64,
}

/// The letters that wait, by destination, oldest first, at most `count`.
pub fn waiting(view: &dyn View, count: usize) -> Vec<Waiting> {
    let mut found = Vec::new();
    view.scan(&rows::post(), &[], &mut |key, value| {
        let queued: Queued = rows::parse(key, value);
        found.extend(destination(key).map(|to| Waiting { to, what: queued.what, since: queued.since }));
        found.len() < count
    });
    found
}

/// One destination's sending.
#[derive(Debug, Serialize, Deserialize)]
struct Round {
    /// When the next letters go, or the oldest are repeated; none while there is no way.
    due: Option<u64>,
    /// Ticks from which the oldest are repeated.
    repeat_at: u64,
    /// Ticks at which the oldest were sent last.
    began: u64,
    pause: u64,
    cursor: u64,
    under_way: usize,
}

impl Round {
    /// Ticks at which the oldest are repeated, after something was sent or answered now. Answers to newer letters put it
    /// off only for a while: else a few lost letters would keep the window all but full for as long as others wait.
    fn repeats(&self, now: u64) -> u64 {
        let repeats = now.saturating_add(self.pause);
        if self.pause > RETRY_FIRST_MS {
            repeats
        } else {
            repeats.min(self.began.saturating_add(REPEAT_LATEST_MS))
        }
    }
}

/// The sending side of the post.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Post {
    me: HallId,
    up: BTreeSet<HallId>,
    rounds: BTreeMap<HallId, Round>,
    due: BTreeSet<(u64, HallId)>,
}

impl Post {
    /// Finds the destinations for which something waits.
    pub(crate) fn open(me: HallId, now: u64, view: &dyn View) -> Self {
        let mut post = Self { me, up: BTreeSet::new(), rounds: BTreeMap::new(), due: BTreeSet::new() };
        let mut after = Vec::new();
        loop {
            let mut next = None;
            view.scan(&rows::post(), &after, &mut |key, _| {
                next = destination(key);
                false
            });
            let Some(to) = next.filter(|_| !planted(Bug::LettersForgottenAtStart)) else { return post };
            post.round(to, now);
            after = rows::posted(to, u64::MAX);
        }
    }

    /// The way to a hall, if there is one now.
    pub(crate) fn hop(&self, to: HallId, came_from: Option<HallId>) -> Option<HallId> {
        next_hop(self.me, to, &self.up, came_from)
    }

    /// A neighbour can be written to: whatever waited for a way goes at once.
    pub(crate) fn way_opened(&mut self, peer: HallId, now: u64) {
        self.up.insert(peer);
        let all: Vec<_> = self.rounds.keys().copied().collect();
        for to in all.into_iter().filter(|_| !planted(Bug::WayOpenedIgnored)) {
            let direct = to == peer;
            if let Some(round) = self.rounds.get_mut(&to)
                && (direct || round.due.is_none())
            {
                (round.pause, round.repeat_at) = (RETRY_FIRST_MS, now);
                self.schedule(to, Some(now));
            }
        }
    }

    /// A neighbour is gone.
    pub(crate) fn way_closed(&mut self, peer: HallId) {
        self.up.remove(&peer);
    }

    /// Queues a letter, in place of an older one about the same thing, and sends it soon.
    pub(crate) fn enqueue(&mut self, cx: &mut Cx<'_>, to: HallId, what: What) {
        self.insert(cx, to, what, None);
        self.touch(to, cx.now.ticks);
    }

    /// Queues a letter that is only needed if something else does not happen first.
    pub(crate) fn enqueue_later(&mut self, cx: &mut Cx<'_>, to: HallId, what: What) {
        self.insert(cx, to, what, None);
        let later = cx.now.ticks.saturating_add(RETRY_FIRST_MS);
        let due = self.round(to, cx.now.ticks).due;
        self.schedule(to, Some(due.unwrap_or(later).min(later)));
    }

    /// Queues a letter in place of another about the same thing, without hurry.
    pub(crate) fn replace(&mut self, cx: &mut Cx<'_>, to: HallId, what: What) {
        self.insert(cx, to, what, None);
        self.progress(to, cx.now.ticks);
    }

    /// Takes a letter along for somebody else. False if there is no room for it.
    pub(crate) fn relay(&mut self, cx: &mut Cx<'_>, from: HallId, mut letter: Letter) -> bool {
        let to = letter.to;
        letter.hops = letter.hops.saturating_add(1);
        if letter.hops > HOPS_MAX {
            // It has gone in circles. Its writer sends it again for as long as it matters.
            rows::count(cx, "relay/dropped", 1);
            return true;
        }
        if let Some((_, sequence)) = locate(cx, Reference::Relayed(letter.id)) {
            self.came_again(cx, from, letter, sequence);
            return true;
        }
        if posted(cx, to).waiting >= RELAY_LETTERS_MAX {
            rows::count(cx, "relay/refused", 1);
            return false;
        }
        if !planted(Bug::RelayKeepsNothing) {
            self.insert(cx, to, What::Relay(letter), Some(from));
        }
        rows::count(cx, "relay/taken", 1);
        self.touch(to, cx.now.ticks);
        true
    }

    /// A letter that waits here comes on another way, which opens the way it came on before.
    fn came_again(&mut self, cx: &mut Cx<'_>, from: HallId, letter: Letter, sequence: u64) {
        let (to, key) = (letter.to, rows::posted(letter.to, sequence));
        let Some(held) = rows::read::<Queued>(cx, &key) else { return };
        if held.came_from != Some(from) {
            let queued = Queued { what: What::Relay(letter), came_from: Some(from), since: held.since };
            rows::write(cx, key, &queued);
            self.touch(to, cx.now.ticks);
        }
    }

    /// A letter was answered, or is no longer needed.
    pub(crate) fn done(&mut self, cx: &mut Cx<'_>, to: HallId, what: &What) {
        if remove(cx, what.reference(to)).is_some() {
            self.progress(to, cx.now.ticks);
        }
    }

    /// The next hop keeps these letters of others.
    pub(crate) fn hop_done(&mut self, cx: &mut Cx<'_>, letters: &[LetterId]) {
        for id in letters {
            if let Some(to) = remove(cx, Reference::Relayed(*id)) {
                self.progress(to, cx.now.ticks);
            }
        }
    }

    /// The next moment at which something is to be sent.
    pub(crate) fn next_due(&self) -> Option<u64> {
        self.due.first().map(|(ticks, _)| *ticks)
    }

    /// The letters that are due now, each with the neighbour it goes to.
    pub(crate) fn due_now(&mut self, cx: &mut Cx<'_>) -> Vec<(HallId, HallId, What)> {
        let mut letters = Vec::new();
        while let Some((ticks, to)) = self.due.first().copied()
            && ticks <= cx.now.ticks
        {
            letters.extend(self.turn(cx, to).into_iter().map(|(hop, what)| (to, hop, what)));
        }
        letters
    }

    /// One turn of a destination: new letters into the window, or the oldest again.
    fn turn(&mut self, cx: &mut Cx<'_>, to: HallId) -> Vec<(HallId, What)> {
        let now = cx.now.ticks;
        let Some(mut round) = self.rounds.remove(&to) else { return Vec::new() };
        self.due.remove(&(round.due.unwrap_or(0), to));
        let again = now >= round.repeat_at && (round.under_way > 0 || round.cursor > 0);
        let again = again && !planted(Bug::NeverRepeated);
        let (before, before_under_way) = (round.cursor, round.under_way);
        if again {
            round.under_way = 0;
            round.pause = round.pause.saturating_mul(2).min(RETRY_MAX_MS);
        }
        let room = LETTERS_WINDOW.saturating_sub(round.under_way);
        let (mut letters, mut blocked) = self.pick(cx, to, &mut round.cursor, (room, u64::MAX), again);
        if again && letters.len() < room {
            // The end is reached: the oldest come again. Letters that nobody answers do not hold up others.
            round.cursor = 0;
            let rest = (room.saturating_sub(letters.len()), before);
            let (oldest, none) = self.pick(cx, to, &mut round.cursor, rest, again);
            letters.extend(oldest);
            blocked |= none;
        }
        round.under_way = round.under_way.saturating_add(letters.len());
        if again || before_under_way == 0 {
            round.began = now;
        }
        if round.repeat_at <= now || !letters.is_empty() {
            round.repeat_at = round.repeats(now);
        }
        let waits = posted(cx, to).waiting > 0;
        let stuck = blocked && round.under_way == 0;
        round.due = (waits && !stuck).then_some(round.repeat_at);
        if let Some(due) = round.due {
            self.due.insert((due, to));
        }
        if waits {
            self.rounds.insert(to, round);
        }
        letters
    }

    /// Letters after the cursor that have a way; whether one had none. At first none goes back to where
    /// it came from; when it is tried again, that way may have healed.
    fn pick(
        &self,
        cx: &mut Cx<'_>,
        to: HallId,
        cursor: &mut u64,
        (room, until): (usize, u64),
        again: bool,
    ) -> (Vec<(HallId, What)>, bool) {
        let (mut letters, mut stale, mut blocked) = (Vec::new(), Vec::new(), false);
        let (oldest, now) = (cx.now.wall.saturating_sub(RELAY_KEEP_MS), &*cx);
        now.scan(&rows::post_for(to), &rows::posted(to, *cursor), &mut |key, value| {
            let sequence = sequence(key).unwrap_or(*cursor);
            if letters.len() >= room || sequence > until {
                return false;
            }
            let queued: Queued = rows::parse(key, value);
            *cursor = sequence;
            let onward = self.hop(to, queued.came_from);
            let back = if onward.is_none() { self.hop(to, None) } else { None };
            match (&queued.what, onward.or(back.filter(|_| again))) {
                (What::Relay(letter), _) if queued.since < oldest => stale.push(letter.id),
                (_, Some(hop)) => letters.push((hop, queued.what)),
                (_, None) => blocked |= back.is_none(),
            }
            true
        });
        for id in stale {
            remove(cx, Reference::Relayed(id));
            rows::count(cx, "relay/expired", 1);
        }
        (letters, blocked)
    }

    fn insert(&mut self, cx: &mut Cx<'_>, to: HallId, what: What, came_from: Option<HallId>) {
        let reference = what.reference(to);
        if !planted(Bug::OldLetterKept) {
            remove(cx, reference);
        }
        let mut posted = posted(cx, to);
        posted.last = posted.last.saturating_add(1);
        posted.waiting = posted.waiting.saturating_add(1);
        let queued = Queued { what, came_from, since: cx.now.wall };
        rows::write(cx, rows::posted(to, posted.last), &queued);
        rows::write(cx, reference.key(), &(to, posted.last));
        rows::write(cx, rows::post_count(to), &posted);
        rows::count(cx, "post", 1);
        self.round(to, cx.now.ticks);
    }

    fn round(&mut self, to: HallId, now: u64) -> &mut Round {
        self.rounds.entry(to).or_insert(Round {
            due: None,
            repeat_at: now,
            began: now,
            pause: RETRY_FIRST_MS,
            cursor: 0,
            under_way: 0,
        })
    }

    fn touch(&mut self, to: HallId, now: u64) {
        self.round(to, now);
        self.schedule(to, Some(now));
    }

    /// An answer came: the destination is alive, the pause starts small again, the window has room.
    fn progress(&mut self, to: HallId, now: u64) {
        let Some(round) = self.rounds.get_mut(&to) else { return };
        let full = round.under_way >= LETTERS_WINDOW;
        round.under_way = round.under_way.saturating_sub(1);
        round.pause = RETRY_FIRST_MS;
        round.repeat_at = round.repeats(now);
        let due = if full { now } else { round.repeat_at };
        self.schedule(to, Some(due));
    }

    fn schedule(&mut self, to: HallId, due: Option<u64>) {
        let Some(round) = self.rounds.get_mut(&to) else { return };
        if let Some(old) = round.due {
            self.due.remove(&(old, to));
        }
        round.due = due;
        if let Some(due) = due {
            self.due.insert((due, to));
        }
    }
}

fn posted(view: &dyn View, to: HallId) -> Posted {
    rows::read(view, &rows::post_count(to)).unwrap_or_default()
}

fn locate(view: &dyn View, reference: Reference) -> Option<(HallId, u64)> {
    rows::read(view, &reference.key())
}

fn remove(cx: &mut Cx<'_>, reference: Reference) -> Option<HallId> {
    let (to, sequence) = locate(cx, reference)?;
    cx.remove(rows::posted(to, sequence));
    cx.remove(reference.key());
    let mut posted = posted(cx, to);
    posted.waiting = posted.waiting.saturating_sub(1);
    rows::write(cx, rows::post_count(to), &posted);
    rows::count(cx, "post", -1);
    Some(to)
}

fn destination(key: &[u8]) -> Option<HallId> {
    let bytes = key.get(1..9)?.try_into().ok()?;
    HallId::from_u64(u64::from_be_bytes(bytes)).ok()
}

fn sequence(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(key.get(9..17)?.try_into().ok()?))
}
