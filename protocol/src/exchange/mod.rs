//! Keeping the directory and the lists equal between neighbours.
//!
//! Equal roots, nothing to do. Else the hall with the smaller code asks for symbols of the other's set
//! until they peel (see [`crate::reconcile`]), pushes what the other lacks and asks for what it lacks
//! itself. Where that is too much for symbols, whoever holds less reads the other's pages first. New records also
//! go along the tree at once, see [`news`]; that only saves time.

mod news;
mod reading;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::ids::HallId;
use crate::limits::{
    ANSWER_BYTES_MAX, EXCHANGE_TIMEOUT_MS, PAGES_AT_ONCE, RECORDS_BYTES_MAX, RECORDS_MAX, SKETCHES_MAX,
    WANTS_MAX,
};
use crate::message::{Message, Roots, Why};
use crate::planted::{Bug, planted};
use crate::reconcile::{Difference, ElementId, FIRST_BLOCK, Nonce, ShortId, Sketch, SketchKey, Symbol};
use crate::record::{Record, Space};
use crate::shelf;
use crate::signed::Signed;
use crate::step::{Cx, View};
use crate::wire::Blob;
pub(crate) use news::News;
use reading::{Readings, Then};

/// Milliseconds before the same neighbour is asked about the same space again when an exchange left the
/// roots unequal: one side refuses something, or the sets moved meanwhile.
const PAUSE_MS: u64 = 5_000;

/// One exchange that this hall began.
#[derive(Debug, Serialize, Deserialize)]
struct Asking {
    nonce: Nonce,
    answer: Option<Nonce>,
    symbols: Vec<Symbol>,
    /// The block asked for last; nothing else is taken.
    block: u16,
    deadline: u64,
}

/// Sketches of exchanges under way on either side, the one used last first: they spare the hashing of a
/// whole space at each block. What they hold can be made anew at any moment, with the same result.
#[derive(Debug, Default)]
struct Sketches(Vec<Kept>);

#[derive(Debug)]
struct Kept {
    space: Space,
    /// Of the space when the sketch was made.
    root: [u8; 32],
    until: u64,
    sketch: Sketch,
}

impl Sketches {
    /// The sketch of a space as it is now, under a key.
    fn of(&mut self, cx: &Cx<'_>, space: Space, key: SketchKey) -> &mut Sketch {
        let (root, until) = (shelf::root(cx, space), cx.now.ticks.saturating_add(EXCHANGE_TIMEOUT_MS));
        let fits = |kept: &Kept| kept.space == space && kept.root == root && *kept.sketch.key() == key;
        let held = self.0.iter().position(fits).map(|place| self.0.remove(place).sketch);
        let sketch = held.unwrap_or_else(|| Sketch::of(key, shelf::elements(cx, space)));
        self.0.truncate(SKETCHES_MAX.saturating_sub(1));
        self.0.insert(0, Kept { space, root, until, sketch });
        #[expect(clippy::indexing_slicing, reason = "it was inserted in the line above")]
        &mut self.0[0].sketch
    }

    fn expire(&mut self, now: u64) {
        self.0.retain(|kept| kept.until > now);
    }
}

/// The exchanges that this hall began, at most one per neighbour and space, and what it reads.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Exchange {
    secret: [u8; 32],
    asking: BTreeMap<(HallId, Space), Asking>,
    pause: BTreeMap<(HallId, Space), u64>,
    /// Neighbours with whom the directory was compared to the end on the present line.
    compared: BTreeSet<HallId>,
    readings: Readings,
    pub(crate) news: News,
    #[serde(skip)]
    sketches: Sketches,
}

/// The roots of what a view holds.
pub(crate) fn roots(view: &dyn View) -> Roots {
    Roots { directory: shelf::root(view, Space::Directory), lists: shelf::root(view, Space::Lists) }
}

/// The same of this hall, which says it with every heartbeat: read from the rows once after each change.
pub(crate) fn own_roots(cx: &mut Cx<'_>) -> Roots {
    let own = cx.roots.unwrap_or_else(|| roots(cx));
    debug_assert_eq!(own, roots(cx), "a set was written past the context");
    cx.roots = Some(own);
    own
}

/// A sign of life, with what this hall holds and what its clock shows.
pub(crate) fn heartbeat(cx: &mut Cx<'_>) -> Message {
    Message::Heartbeat { roots: own_roots(cx), wall: cx.shows }
}

impl Exchange {
    pub(crate) fn new(secret: [u8; 32]) -> Self {
        Self {
            secret,
            asking: BTreeMap::new(),
            pause: BTreeMap::new(),
            compared: BTreeSet::new(),
            readings: Readings::default(),
            news: News::default(),
            sketches: Sketches::default(),
        }
    }

    /// Begins an exchange of one space, unless one is under way or was just finished.
    pub(crate) fn begin(&mut self, cx: &mut Cx<'_>, peer: HallId, space: Space, nonce: Nonce) {
        let key = (peer, space);
        let paused = self.pause.get(&key).is_some_and(|until| cx.now.ticks < *until);
        if paused || self.asking.contains_key(&key) || self.readings.goes_well(space) {
            return;
        }
        if count(cx, space) == 0 {
            return self.readings.begin(cx, peer, space);
        }
        let deadline = cx.now.ticks.saturating_add(EXCHANGE_TIMEOUT_MS);
        self.asking
            .insert(key, Asking { nonce, answer: None, symbols: Vec::new(), block: FIRST_BLOCK, deadline });
        cx.send(peer, Message::Ask { space, nonce, from: 0, count: FIRST_BLOCK });
    }

    /// Whether this hall has compared its directory with a neighbour's on the present line, or read it, to the end.
    pub(crate) fn has_compared(&self, peer: HallId) -> bool {
        self.compared.contains(&peer)
    }

    /// The sets are too far apart for symbols, says a neighbour that holds `theirs` records. Whoever holds less reads;
    /// once it holds all that the other does, the roles change, if there is still too much between them.
    pub(crate) fn far(&mut self, cx: &mut Cx<'_>, peer: HallId, space: Space, theirs: u64) {
        self.rest(cx, peer, space);
        let count = count(cx, space);
        if count <= theirs {
            self.readings.begin(cx, peer, space);
        } else {
            cx.send(peer, Message::Far { space, count });
        }
    }

    /// Answers a question for symbols. Nothing has to be remembered: the nonce of the answer follows from that of
    /// the question. False if this hall is reading somebody's whole set and cannot be compared with now.
    pub(crate) fn answer(
        &mut self,
        cx: &mut Cx<'_>,
        peer: HallId,
        space: Space,
        nonce: Nonce,
        block: (u16, u16),
    ) -> bool {
        if self.readings.goes_well(space) {
            cx.send(peer, Message::Far { space, count: count(cx, space) });
            return false;
        }
        let (from, count) = block;
        let answer = self.answer_nonce(nonce);
        let key = SketchKey::derive(space.byte(), &nonce, &answer);
        if let Ok(symbols) = self.sketches.of(cx, space, key).block(from, count) {
            let packed = Blob::from(Symbol::pack(symbols));
            cx.send(peer, Message::Symbols { space, nonce, answer, from, packed });
        }
        true
    }

    /// Symbols came: peel, and go on or ask for more.
    pub(crate) fn symbols(
        &mut self,
        cx: &mut Cx<'_>,
        peer: HallId,
        space: Space,
        nonces: (Nonce, Nonce),
        block: (u16, &Blob),
    ) {
        let ((nonce, answer), (from, packed)) = (nonces, block);
        let deadline = cx.now.ticks.saturating_add(EXCHANGE_TIMEOUT_MS);
        let Some(asking) = self.asking.get_mut(&(peer, space)) else { return };
        let have = u16::try_from(asking.symbols.len()).unwrap_or(u16::MAX);
        let fits = asking.nonce == nonce && asking.answer.is_none_or(|held| held == answer) && from == have;
        let Ok(symbols) = Symbol::unpack(packed.as_bytes(), from, asking.block) else { return };
        if !fits {
            return;
        }
        asking.answer = Some(answer);
        asking.symbols.extend(symbols);
        asking.deadline = deadline;
        self.peel(cx, peer, space, nonce, answer);
    }

    fn peel(&mut self, cx: &mut Cx<'_>, peer: HallId, space: Space, nonce: Nonce, answer: Nonce) {
        let Some(asking) = self.asking.get_mut(&(peer, space)) else { return };
        let key = SketchKey::derive(space.byte(), &nonce, &answer);
        let received = u16::try_from(asking.symbols.len()).unwrap_or(u16::MAX);
        let sketch = self.sketches.of(cx, space, key);
        match sketch.peel(&asking.symbols) {
            Ok(differing) => match sketch.difference(&differing) {
                Ok(difference) => self.settle(cx, peer, space, nonce, difference),
                Err(_) => self.end(cx, peer, space),
            },
            Err(unfinished) if unfinished.ask > 0 => {
                asking.block = unfinished.ask;
                cx.send(peer, Message::Ask { space, nonce, from: received, count: unfinished.ask });
            }
            Err(_) => {
                self.rest(cx, peer, space);
                cx.send(peer, Message::Far { space, count: count(cx, space) });
            }
        }
    }

    fn settle(&mut self, cx: &mut Cx<'_>, peer: HallId, space: Space, nonce: Nonce, found: Difference) {
        if !planted(Bug::ExchangeGivesNothing) {
            send_records(cx, peer, space, &found.have, |_| Why::Push);
        }
        let mut ids = found.want;
        ids.truncate(WANTS_MAX);
        if ids.is_empty() || planted(Bug::ExchangeEndsEarly) {
            self.end(cx, peer, space);
        } else {
            cx.send(peer, Message::Want { space, nonce, ids });
        }
    }

    /// Sends what a neighbour wants by short id.
    pub(crate) fn want(
        &mut self,
        cx: &mut Cx<'_>,
        peer: HallId,
        space: Space,
        nonce: Nonce,
        ids: &[ShortId],
    ) {
        let key = SketchKey::derive(space.byte(), &nonce, &self.answer_nonce(nonce));
        if let Ok(found) = self.sketches.of(cx, space, key).difference(ids) {
            send_records(cx, peer, space, &found.have, |last| Why::Wanted { last });
        }
    }

    /// Sends the pages of a space after a key, several for one question: a line with a long way is kept busy.
    pub(crate) fn pages(cx: &mut Cx<'_>, peer: HallId, space: Space, after: &str) {
        let mut after = after.to_owned();
        for left in (0..PAGES_AT_ONCE).rev() {
            let (records, next, last) = shelf::page(cx, space, &after);
            let why = Why::Paged { next: next.clone(), follows: left > 0 && !last, last };
            cx.send(peer, Message::Records { space, records, why });
            if last {
                break;
            }
            after = next;
        }
    }

    /// Records of an exchange were taken up, some of them new to this hall or none: go on, or end it. True if the
    /// other side's whole set was read with them.
    pub(crate) fn records(
        &mut self,
        cx: &mut Cx<'_>,
        peer: HallId,
        space: Space,
        why: &Why,
        fresh: bool,
    ) -> bool {
        match why {
            Why::Paged { next, follows, last } => {
                let then = self.readings.page(cx, (peer, space), fresh, (next, *follows, *last));
                match then {
                    // What the other side lacks is found by symbols at the next comparison.
                    Then::End => self.end(cx, peer, space),
                    Then::Stop => self.rest(cx, peer, space),
                    Then::GoOn | Then::Nothing => {}
                }
                return then == Then::End;
            }
            Why::Wanted { last: true } if self.asking.contains_key(&(peer, space)) => {
                self.end(cx, peer, space);
            }
            // News is no sign that an exchange goes on.
            Why::Push => {}
            Why::Wanted { .. } => {
                if let Some(asking) = self.asking.get_mut(&(peer, space)) {
                    asking.deadline = cx.now.ticks.saturating_add(EXCHANGE_TIMEOUT_MS);
                }
            }
        }
        false
    }

    /// No exchange with this neighbour about this space for a while.
    fn rest(&mut self, cx: &Cx<'_>, peer: HallId, space: Space) {
        self.asking.remove(&(peer, space));
        self.pause.insert((peer, space), cx.now.ticks.saturating_add(PAUSE_MS));
    }

    /// Ends an exchange; the heartbeat shows the other side what this hall now holds.
    fn end(&mut self, cx: &mut Cx<'_>, peer: HallId, space: Space) {
        self.rest(cx, peer, space);
        if space == Space::Directory {
            self.compared.insert(peer);
        }
        let beat = heartbeat(cx);
        cx.send(peer, beat);
    }

    /// A neighbour is gone.
    pub(crate) fn forget(&mut self, peer: HallId) {
        self.asking.retain(|(other, _), _| *other != peer);
        self.pause.retain(|(other, _), _| *other != peer);
        self.compared.remove(&peer);
        self.readings.forget(peer);
        self.news.forget(peer);
    }

    /// Gives up what got no answer; gives the neighbours with whom a pause is over.
    pub(crate) fn expire(&mut self, now: u64) -> BTreeSet<HallId> {
        self.sketches.expire(now);
        self.asking.retain(|_, asking| asking.deadline > now);
        for key in self.readings.expire(now) {
            self.pause.insert(key, now.saturating_add(PAUSE_MS));
        }
        let mut over = BTreeSet::new();
        self.pause.retain(|(peer, _), until| {
            let holds = *until > now;
            if !holds {
                over.insert(*peer);
            }
            holds
        });
        over
    }

    /// The next moment at which something is given up or a pause is over.
    pub(crate) fn next_due(&self) -> Option<u64> {
        let deadlines = self.asking.values().map(|asking| asking.deadline);
        let others = self.readings.next_due().into_iter().chain(self.news.next_due());
        deadlines.chain(self.pause.values().copied()).chain(others).min()
    }

    fn answer_nonce(&self, nonce: Nonce) -> Nonce {
        let mut answer = Nonce::default();
        blake3::Hasher::new_keyed(&self.secret).update(&nonce).finalize_xof().fill(&mut answer);
        answer
    }
}

/// Records of a space that this hall holds.
fn count(view: &dyn View, space: Space) -> u64 {
    shelf::fingerprint(view, space).count()
}

/// Sends records in key order, so that charters go before what their halls issued, in bounded batches. What
/// is over the bound of one answer is left to the next comparison.
fn send_records(cx: &mut Cx<'_>, peer: HallId, space: Space, ids: &[ElementId], why: impl Fn(bool) -> Why) {
    let mut room = ANSWER_BYTES_MAX;
    // Whoever asks for one record many times gets it once.
    let ids: BTreeSet<&ElementId> = ids.iter().collect();
    let found =
        ids.into_iter().filter_map(|id| shelf::by_element(cx, space, id)).take_while(|(_, record)| {
            let fits = room >= record.len();
            room = room.saturating_sub(record.len());
            fits
        });
    let mut records: Vec<(String, Signed<Record>)> = found.collect();
    records.sort_by(|one, other| one.0.cmp(&other.0));
    let mut batches = batches(records.into_iter().map(|(_, record)| record)).peekable();
    while let Some(records) = batches.next() {
        let why = why(batches.peek().is_none());
        cx.send(peer, Message::Records { space, records, why });
    }
}

/// Cuts records into messages of bounded size; there is always at least one, so that an end is told.
pub(crate) fn batches(
    records: impl Iterator<Item = Signed<Record>>,
) -> impl Iterator<Item = Vec<Signed<Record>>> {
    let mut batches = vec![Vec::new()];
    let mut bytes = 0_usize;
    for record in records {
        let size = record.len().saturating_add(64);
        let full =
            |batch: &Vec<_>| batch.len() >= RECORDS_MAX || bytes.saturating_add(size) > RECORDS_BYTES_MAX;
        if batches.last().is_some_and(|batch| !batch.is_empty() && full(batch)) {
            batches.push(Vec::new());
            bytes = 0;
        }
        bytes = bytes.saturating_add(size);
        if let Some(batch) = batches.last_mut() {
            batch.push(record);
        }
    }
    batches.into_iter()
}
