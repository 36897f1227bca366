//! Reading a neighbour's whole set, page by page in key order: for a hall that is new, or was away for long.
//!
//! One neighbour at a time gives its set, each for a turn; how far reading has come is a row, so that it goes on there
//! after a restart, or with another neighbour. Nothing rests on what one neighbour gives: what it withheld is found
//! when the sets are compared with the others.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::ids::HallId;
use crate::limits::{EXCHANGE_TIMEOUT_MS, READING_TURN_MS};
use crate::message::Message;
use crate::record::Space;
use crate::rows;
use crate::step::Cx;

/// A set that is being read.
#[derive(Debug, Serialize, Deserialize)]
struct Reading {
    from: HallId,
    /// The last key of what has come; the next one must be behind it.
    after: String,
    /// The last page had something new: whoever else asks is told to wait.
    fruitful: bool,
    /// When the next page must be there.
    deadline: u64,
    /// When it is another neighbour's turn.
    turn: u64,
}

/// The sets that are being read, at most one neighbour's of each space.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Readings(BTreeMap<Space, Reading>);

/// What comes of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// Nobody is reading this: it is of no importance to anything but its records.
    Nothing,
    /// More pages come, or were asked for.
    GoOn,
    /// The set was read to its end.
    End,
    /// It is another's turn, or the page was no page.
    Stop,
}

impl Readings {
    /// Begins to read a neighbour's set, or goes on where reading had come to, unless one is being read.
    pub(super) fn begin(&mut self, cx: &mut Cx<'_>, from: HallId, space: Space) {
        if self.0.contains_key(&space) {
            return;
        }
        let after: String = rows::read(cx, &rows::read_so_far(space)).unwrap_or_default();
        let now = cx.now.ticks;
        let (deadline, turn) = (now.saturating_add(EXCHANGE_TIMEOUT_MS), now.saturating_add(READING_TURN_MS));
        cx.send(from, Message::Page { space, after: after.clone() });
        self.0.insert(space, Reading { from, after, fruitful: false, deadline, turn });
    }

    /// Whether a set is being read, and bears fruit.
    pub(super) fn goes_well(&self, space: Space) -> bool {
        self.0.get(&space).is_some_and(|reading| reading.fruitful)
    }

    /// A page came, and was taken up: whether `fresh` was new in it, up to which key it goes, and what follows.
    pub(super) fn page(
        &mut self,
        cx: &mut Cx<'_>,
        (from, space): (HallId, Space),
        fresh: bool,
        (next, follows, last): (&str, bool, bool),
    ) -> Then {
        let Some(reading) = self.0.get_mut(&space).filter(|reading| reading.from == from) else {
            return Then::Nothing;
        };
        let now = cx.now.ticks;
        let ascends = last || next > reading.after.as_str();
        if last || !ascends || now >= reading.turn {
            self.0.remove(&space);
        } else {
            next.clone_into(&mut reading.after);
            reading.fruitful = fresh;
            reading.deadline = now.saturating_add(EXCHANGE_TIMEOUT_MS);
            if !follows {
                cx.send(from, Message::Page { space, after: next.to_owned() });
            }
        }
        match (last, ascends) {
            (true, _) => cx.remove(rows::read_so_far(space)),
            (false, true) => rows::write(cx, rows::read_so_far(space), &next.to_owned()),
            (false, false) => {}
        }
        match (last, self.0.contains_key(&space)) {
            (true, _) => Then::End,
            (false, true) => Then::GoOn,
            (false, false) => Then::Stop,
        }
    }

    /// A neighbour is gone.
    pub(super) fn forget(&mut self, peer: HallId) {
        self.0.retain(|_, reading| reading.from != peer);
    }

    /// Gives up what got no answer; gives who did not answer.
    pub(super) fn expire(&mut self, now: u64) -> BTreeSet<(HallId, Space)> {
        let late = self.0.iter().filter(|(_, reading)| reading.deadline <= now);
        let late: BTreeSet<_> = late.map(|(space, reading)| (reading.from, *space)).collect();
        self.0.retain(|_, reading| reading.deadline > now);
        late
    }

    /// The next moment at which something is given up.
    pub(super) fn next_due(&self) -> Option<u64> {
        self.0.values().map(|reading| reading.deadline).min()
    }
}
