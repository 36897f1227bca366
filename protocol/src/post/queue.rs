//! The queue in rows, and its sending: which letters go now.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::hop::{ends_here, is_lowest, leads_down, next_hop};
use super::round::Round;
use super::waiting::{Place, receivers};
use super::{Letter, LetterId, Reference, What, burden};
use crate::ids::HallId;
use crate::limits::{
    HOPS_MAX, LETTERS_AT_ONCE, LETTERS_WINDOW, RELAY_KEEP_MS, RELAY_LETTERS_MAX, RETRY_FIRST_MS, RETRY_MAX_MS,
};
use crate::planted::{Bug, planted};
use crate::rows;
use crate::step::{Cx, View};

/// A letter in the queue.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Queued {
    pub(super) what: What,
    pub(super) came_from: Option<HallId>,
    pub(super) since: u64,
}

/// How many letters a destination ever had, and how many wait.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Posted {
    last: u64,
    pub(super) waiting: u64,
}

/// Whether a row of a waiting letter can be read.
pub(crate) fn queued_holds(value: &[u8]) -> bool {
    rows::decodes::<Queued>(value)
}

/// Whether a row of a destination's counts can be read.
pub(crate) fn posted_holds(value: &[u8]) -> bool {
    rows::decodes::<Posted>(value)
}

/// Whether a row that says where a letter lies can be read.
pub(crate) fn place_holds(value: &[u8]) -> bool {
    rows::decodes::<Filed>(value)
}

/// The sending side of the post.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Post {
    me: HallId,
    up: BTreeSet<HallId>,
    rounds: BTreeMap<HallId, Round>,
    due: BTreeSet<(u64, HallId)>,
    /// What is heard now came by stick: answers to it go back the same way, unless a line leads there.
    by_stick: bool,
}

impl Post {
    /// Finds the destinations for which something waits.
    pub(crate) fn open(me: HallId, now: u64, view: &dyn View) -> Self {
        let (up, rounds, due) = (BTreeSet::new(), BTreeMap::new(), BTreeSet::new());
        let mut post = Self { me, up, rounds, due, by_stick: false };
        for to in receivers(view).into_iter().filter(|_| !planted(Bug::LettersForgottenAtStart)) {
            post.round(to, now);
        }
        post
    }

    /// From now on letters come from a stick, or no longer.
    pub(crate) const fn by_stick(&mut self, by_stick: bool) {
        self.by_stick = by_stick;
    }

    /// The way to a hall, if there is one now.
    pub(crate) fn hop(&self, to: HallId, came_from: Option<HallId>) -> Option<HallId> {
        next_hop(self.me, to, &self.up, came_from)
    }

    /// The way for an answer now. What was asked by stick from below is not answered by a line that leads upwards.
    pub(crate) fn way_of_answer(&self, to: HallId) -> Option<HallId> {
        self.hop(to, self.by_stick.then_some(self.me))
    }

    /// Keeps an answer until a line or a stick takes it. Without room for it, it is asked for again.
    pub(crate) fn keep_answer(&mut self, cx: &mut Cx<'_>, letter: Letter) {
        let (to, me) = (letter.to, self.me);
        let what = What::Answer(letter);
        if locate(cx, what.reference(to)).is_some() {
            return;
        }
        if let Some(older) = what.subject(to) {
            remove(cx, older);
        }
        if burden::has_room(cx, me, to) {
            self.insert(cx, to, what, Some(me));
            self.touch(to, cx.now.ticks);
        } else {
            rows::count(cx, "answers/refused", 1);
        }
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

    /// Queues a letter unless one about the same thing waits already.
    pub(crate) fn enqueue_once(&mut self, cx: &mut Cx<'_>, to: HallId, what: What) {
        if locate(cx, what.reference(to)).is_none() {
            self.enqueue(cx, to, what);
        }
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
        if let Some(Filed { sequence, .. }) = locate(cx, Reference::Relayed(letter.id)) {
            self.came_again(cx, from, letter, sequence);
            return true;
        }
        if posted(cx, to).waiting >= RELAY_LETTERS_MAX || !burden::has_room(cx, from, to) {
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
        let answer = matches!(held.what, What::Answer(_));
        if held.came_from != Some(from) && !answer {
            let what = What::Relay(letter);
            burden::less(cx, held.came_from, to, &held.what);
            burden::more(cx, Some(from), to, &what);
            rows::write(cx, key, &Queued { what, came_from: Some(from), since: held.since });
            self.touch(to, cx.now.ticks);
        }
    }

    /// A stick's parcel was taken in: what lay here word for word is off this hall's hands. Own letters wait for their
    /// answers.
    pub(crate) fn carried(&mut self, cx: &mut Cx<'_>, places: &[Place]) {
        for (to, sequence) in places {
            let held: Option<Queued> = rows::read(cx, &rows::posted(*to, *sequence));
            let letter = held.and_then(|held| held.what.relayed().map(|letter| letter.id));
            if letter.is_some_and(|id| remove(cx, Reference::Relayed(id)).is_some()) {
                self.progress(*to, cx.now.ticks);
            }
        }
    }

    /// A letter was answered, or is no longer needed.
    pub(crate) fn done(&mut self, cx: &mut Cx<'_>, to: HallId, what: &What) {
        if remove(cx, what.reference(to)).is_some() {
            self.progress(to, cx.now.ticks);
        }
    }

    /// The next hop keeps these letters of others. Where no line leads down to the destination, one that went up or
    /// aside also stays for a stick.
    pub(crate) fn hop_done(&mut self, cx: &mut Cx<'_>, by: HallId, letters: &[LetterId]) {
        for id in letters {
            let reference = Reference::Relayed(*id);
            let Some(Filed { to, sequence, .. }) = locate(cx, reference) else { continue };
            let aside = !leads_down(self.me, to, by) && is_lowest(self.me, to, &self.up);
            if !(aside && self.lay_up(cx, (to, sequence))) {
                remove(cx, reference);
            }
            self.progress(to, cx.now.ticks);
        }
    }

    /// Keeps a letter of others for a line or a stick that leads down. False if there is no room for it.
    fn lay_up(&self, cx: &mut Cx<'_>, (to, sequence): Place) -> bool {
        let key = rows::posted(to, sequence);
        let Some(Queued { what, came_from, since }) = rows::read(cx, &key) else { return false };
        if came_from == Some(self.me) {
            return true;
        }
        if !burden::has_room(cx, self.me, to) {
            return false;
        }
        burden::less(cx, came_from, to, &what);
        burden::more(cx, Some(self.me), to, &what);
        rows::write(cx, key, &Queued { what, came_from: Some(self.me), since });
        true
    }

    /// The next moment at which something is to be sent.
    pub(crate) fn next_due(&self) -> Option<u64> {
        self.due.first().map(|(ticks, _)| *ticks)
    }

    /// The letters that are due now, each with the neighbour it goes to. When there are too many for one step, the rest
    /// stays due: whatever came meanwhile is heard first.
    pub(crate) fn due_now(&mut self, cx: &mut Cx<'_>) -> Vec<(HallId, HallId, What)> {
        let mut letters = Vec::new();
        while let Some((ticks, to)) = self.due.first().copied()
            && ticks <= cx.now.ticks
            && letters.len() < LETTERS_AT_ONCE
        {
            letters.extend(self.turn(cx, to).into_iter().map(|(hop, what)| (to, hop, what)));
        }
        letters
    }

    /// One turn of a destination: new letters into the window, or the oldest again.
    fn turn(&mut self, cx: &mut Cx<'_>, to: HallId) -> Vec<(HallId, What)> {
        let now = cx.now.ticks;
        let Some(mut round) = self.rounds.remove(&to) else { return Vec::new() };
        self.due.remove(&(round.due.take().unwrap_or(0), to));
        if self.hop(to, None).is_none() {
            // However many letters wait, none is looked at before there is a way.
            round.under_way = 0;
            if posted(cx, to).waiting > 0 {
                self.rounds.insert(to, round);
            }
            return Vec::new();
        }
        let is_time = now >= round.repeat_at && (round.under_way > 0 || round.cursor > 0);
        let again = is_time && !planted(Bug::NeverRepeated);
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
        if is_time || before_under_way == 0 {
            round.began = now;
        }
        if round.repeat_at <= now || !letters.is_empty() {
            round.repeat_at = round.repeats(now, to);
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
            let waits_here = ends_here(self.me, to, queued.came_from);
            let back = if onward.is_none() && !waits_here { self.hop(to, None) } else { None };
            match (queued.what.relayed(), onward.or(back.filter(|_| again))) {
                (Some(letter), _) if queued.since < oldest => stale.push(letter.id),
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
        let replaced = if planted(Bug::OldLetterKept) { None } else { remove(cx, reference) };
        // Newer words about a thing that nobody has answered wait as long as the older ones did.
        let since = replaced.map_or(cx.now.wall, |replaced| replaced.since);
        let mut posted = posted(cx, to);
        posted.last = posted.last.saturating_add(1);
        posted.waiting = posted.waiting.saturating_add(1);
        burden::more(cx, came_from, to, &what);
        let filed = Filed { to, sequence: posted.last, since };
        for reference in [Some(reference), what.subject(to)].into_iter().flatten() {
            rows::write(cx, reference.key(), &filed);
        }
        rows::write(cx, rows::posted(to, posted.last), &Queued { what, came_from, since });
        cx.put(rows::age(to, reference.whose(), since, posted.last), Vec::new());
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
        round.repeat_at = round.repeats(now, to);
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

pub(super) fn posted(view: &dyn View, to: HallId) -> Posted {
    rows::read(view, &rows::post_count(to)).unwrap_or_default()
}

/// Where a letter lies in the queue, and since when it, or an older one about the same thing, waits.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Filed {
    to: HallId,
    pub(super) sequence: u64,
    since: u64,
}

pub(super) fn locate(view: &dyn View, reference: Reference) -> Option<Filed> {
    rows::read(view, &reference.key())
}

fn remove(cx: &mut Cx<'_>, reference: Reference) -> Option<Filed> {
    let filed = locate(cx, reference)?;
    let Filed { to, sequence, since } = filed;
    let key = rows::posted(to, sequence);
    if let Some(Queued { what, came_from, .. }) = rows::read(cx, &key) {
        burden::less(cx, came_from, to, &what);
        let name = what.reference(to);
        // An answer may be found by its subject; how long it waits stands under its name.
        cx.remove(rows::age(to, name.whose(), since, sequence));
        for reference in [Some(name), what.subject(to)].into_iter().flatten() {
            cx.remove(reference.key());
        }
    }
    cx.remove(key);
    cx.remove(reference.key());
    let mut posted = posted(cx, to);
    posted.waiting = posted.waiting.saturating_sub(1);
    rows::write(cx, rows::post_count(to), &posted);
    rows::count(cx, "post", -1);
    Some(filed)
}

pub(super) fn destination(key: &[u8]) -> Option<HallId> {
    let bytes = key.get(1..9)?.try_into().ok()?;
    HallId::from_u64(u64::from_be_bytes(bytes)).ok()
}

pub(super) fn sequence(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(key.get(9..17)?.try_into().ok()?))
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "a failure here is a failed test")]
mod tests {
    use super::super::{Asked, Destination, LetterBody, Patience, destinations};
    use super::*;
    use crate::cases::Position;
    use crate::ids::{CaseId, Digest, DivisionCode, HallAt};
    use crate::limits::RELAY_FROM_LETTERS_MAX;
    use crate::step::{Bytes, Effects, Now, Writes};

    const DAY: u64 = 24 * 3_600_000;

    #[derive(Default)]
    struct Rows(Writes);

    impl View for Rows {
        fn get(&self, key: &[u8]) -> Option<Bytes> {
            self.0.get(key).cloned().flatten()
        }

        fn scan(&self, prefix: &[u8], after: &[u8], visit: &mut dyn FnMut(&[u8], &[u8]) -> bool) {
            let rows = self.0.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix));
            let mut later = rows.filter(|(key, _)| after.is_empty() || key.as_slice() > after);
            let goes_on = |(key, value): (&Vec<u8>, &Option<Bytes>)| {
                value.as_ref().is_none_or(|value| visit(key, value))
            };
            later.all(goes_on);
        }
    }

    /// A county with a queue, whose townships are all neighbours.
    struct Desk {
        rows: Rows,
        post: Post,
        now: Now,
    }

    impl Desk {
        fn new() -> Self {
            let (rows, now) = (Rows::default(), Now { ticks: 1_000, wall: 100 * DAY });
            Self { post: Post::open(hall(0), now.ticks, &rows), rows, now }
        }

        fn with<T>(&mut self, work: impl FnOnce(&mut Post, &mut Cx<'_>) -> T) -> T {
            let mut effects = Effects::default();
            let done = work(&mut self.post, &mut Cx::new(self.now, &self.rows, &mut effects));
            let rows = &mut self.rows;
            let kept = effects.commit(|writes| {
                rows.0.extend(writes);
                Ok::<_, ()>(())
            });
            assert!(kept.is_ok());
            rows.0.retain(|_, value| value.is_some());
            done
        }

        fn enqueue(&mut self, to: HallId, letters: std::ops::Range<u16>) {
            for letter in letters {
                self.with(|post, cx| post.enqueue(cx, to, copy(letter)));
            }
        }

        fn sent(&mut self) -> Vec<HallId> {
            self.with(Post::due_now).into_iter().map(|(to, _, _)| to).collect()
        }

        fn relays(&mut self, from: HallId, to: HallId, number: u32) -> bool {
            self.with(|post, cx| post.relay(cx, from, question(to, number)))
        }

        fn open(&mut self, to: HallId) {
            self.post.way_opened(to, self.now.ticks);
        }
    }

    fn hall(township: u64) -> HallId {
        HallId::main(DivisionCode::from_u64(620_702_000_000 + township * 1_000).expect("a division"))
    }

    fn copy(letter: u16) -> What {
        let mut case = CaseId([0; 16]);
        case.0[..2].copy_from_slice(&letter.to_be_bytes());
        What::Copy { case }
    }

    fn question(to: HallId, sequence: u32) -> Letter {
        let (position, head) = (Position::default(), Digest([0; 32]));
        let asked = Asked { case: CaseId([9; 16]), position, sequence, head };
        Letter::write(HallAt { hall: hall(9), incarnation: 1 }, to, LetterBody::Ask(asked))
    }

    fn round(pause: u64, began: u64) -> Round {
        Round { due: None, repeat_at: 0, began, pause, cursor: 0, under_way: 1 }
    }

    #[test]
    fn answers_put_repetitions_off_for_a_while_only() {
        let (to, first) = (hall(1), round(RETRY_FIRST_MS, 10_000));
        assert_eq!(first.repeats(10_000, to), 10_000 + RETRY_FIRST_MS);
        assert_eq!(first.repeats(13_000, to), 13_000 + RETRY_FIRST_MS, "an answer puts it off");
        for answered in [17_000, 20_000, 90_000] {
            assert_eq!(
                first.repeats(answered, to),
                10_000 + crate::limits::REPEAT_LATEST_MS,
                "however long answers come"
            );
        }
    }

    #[test]
    fn longer_pauses_are_spread_and_never_longer_than_they_say() {
        let ends: BTreeSet<_> = (1..100)
            .map(|township| round(RETRY_MAX_MS, 0).repeats(500_000, hall(township)) - 500_000)
            .collect();
        assert!(ends.iter().all(|pause| (RETRY_MAX_MS * 3 / 4..=RETRY_MAX_MS).contains(pause)), "{ends:?}");
        assert!(
            ends.len() > 90,
            "a hundred halls that fell silent at once are asked at {} times",
            ends.len()
        );
        let widest = ends.iter().zip(ends.iter().skip(1)).map(|(one, next)| next - one).max();
        assert!(widest.is_some_and(|gap| gap < RETRY_MAX_MS / 16), "without gaps: {widest:?}");
    }

    #[test]
    fn a_peer_that_returns_is_written_to_at_once_however_long_the_pause_was() {
        let mut desk = Desk::new();
        let to = hall(1);
        desk.open(to);
        desk.enqueue(to, 0..3);
        assert_eq!(desk.sent(), [to; 3]);
        for _ in 0..12 {
            desk.now.ticks = desk.post.next_due().expect("it is repeated");
            assert_eq!(desk.sent(), [to; 3]);
        }
        let pause = desk.post.next_due().expect("it is repeated") - desk.now.ticks;
        assert!(pause >= RETRY_MAX_MS * 3 / 4, "the pause has grown: {pause}");
        desk.post.way_closed(to);
        desk.now.ticks += 1;
        desk.open(to);
        assert_eq!(desk.post.next_due(), Some(desk.now.ticks));
        assert_eq!(desk.sent(), [to; 3], "not after the pause");
    }

    #[test]
    fn without_a_way_nothing_is_looked_at_and_all_goes_when_there_is_one() {
        let mut desk = Desk::new();
        let (dead, alive) = (hall(1), hall(2));
        desk.enqueue(dead, 0..200);
        assert_eq!(desk.sent(), []);
        assert_eq!(desk.post.next_due(), None, "nobody is woken for what has no way");
        desk.open(alive);
        desk.post.way_closed(alive);
        desk.open(dead);
        assert_eq!(desk.sent(), [dead; LETTERS_WINDOW]);
    }

    #[test]
    fn what_is_due_at_once_goes_in_steps_and_no_destination_is_left_out() {
        let mut desk = Desk::new();
        for township in 1..=20 {
            desk.enqueue(hall(township), 0..100);
        }
        for township in 1..=20 {
            desk.open(hall(township));
        }
        let (mut sent, mut steps) = (Vec::new(), 0);
        while desk.post.next_due().is_some_and(|due| due <= desk.now.ticks) {
            let letters = desk.sent();
            assert!(letters.len() < LETTERS_AT_ONCE + LETTERS_WINDOW, "{} in one step", letters.len());
            sent.extend(letters);
            steps += 1;
        }
        assert_eq!((sent.len(), steps), (20 * LETTERS_WINDOW, 20 * LETTERS_WINDOW / LETTERS_AT_ONCE));
        assert_eq!(sent.iter().collect::<BTreeSet<_>>().len(), 20);
    }

    #[test]
    fn what_waits_for_a_dead_hall_does_not_take_the_way_from_a_living_one() {
        let mut desk = Desk::new();
        let (dead, living, from) = (hall(1), hall(2), hall(3));
        let half = u32::try_from(RELAY_FROM_LETTERS_MAX / 2).expect("a number");
        assert!((0..half).all(|number| desk.relays(from, dead, number)));
        assert!(!desk.relays(from, dead, half), "it has its share");
        assert!(desk.relays(from, living, 0), "there is room for others");
        assert!(!desk.relays(from, dead, half));
        assert!(desk.relays(hall(4), dead, half), "and for what comes from elsewhere");
        // One that is off this hall's hands makes room again, for whomever it was.
        desk.with(|post, cx| post.done(cx, dead, &What::Relay(question(dead, 0))));
        desk.with(|post, cx| post.done(cx, living, &What::Relay(question(living, 0))));
        assert!(desk.relays(from, dead, half));
    }

    #[test]
    fn letters_age_also_when_newer_ones_replace_them_and_over_a_restart() {
        let mut desk = Desk::new();
        let (to, patience) = (hall(1), Patience::days(3, 7));
        let began = desk.now.wall;
        desk.enqueue(to, 0..2);
        desk.now.wall += DAY * 2;
        desk.enqueue(to, 0..2);
        desk.post = Post::open(hall(0), 0, &desk.rows);
        let waits = |desk: &Desk| destinations(&desk.rows, None, 10);
        let all = Destination { to, waiting: 2, own: Some(began), relayed: None };
        assert_eq!(waits(&desk), [all]);
        assert_eq!(all.overdue(desk.now.wall, patience), None);
        assert_eq!(all.overdue(began + DAY * 3, patience), None, "not before the bound");
        assert_eq!(all.overdue(began + DAY * 3 + 1, patience), Some(began));
        assert_eq!(all.overdue(began + DAY * 4, Patience::days(5, 1)), None, "each class has its own");
        for letter in 0..2 {
            desk.with(|post, cx| post.done(cx, to, &copy(letter)));
        }
        assert_eq!(waits(&desk), [], "what is answered does not age");
        desk.enqueue(to, 0..1);
        assert_eq!(waits(&desk).first().and_then(|it| it.own), Some(desk.now.wall));
    }

    #[test]
    fn destinations_are_listed_in_pages() {
        let mut desk = Desk::new();
        for township in 1..=5 {
            desk.enqueue(hall(township), 0..3);
        }
        let page = destinations(&desk.rows, None, 2);
        assert_eq!(page.iter().map(|it| it.to).collect::<Vec<_>>(), [hall(1), hall(2)]);
        let rest = destinations(&desk.rows, Some(hall(2)), 10);
        assert_eq!(rest.iter().map(|it| it.to).collect::<Vec<_>>(), [hall(3), hall(4), hall(5)]);
    }
}
