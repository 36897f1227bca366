//! What the log of a case says of the bundle that it is a task of.
//!
//! | offset | length | field |
//! |---|---|---|
//! | 0 | 51 | the bundle's number (length, 50) |
//! | 51 | 1 | which task, from 1 |
//! | 52 | 1 | how many tasks there are |
//! | 53 | 4 | one bit for each task whose result it needs |
//! | 57 | 32 | SHA-256 of the bundle's record |

use serde::{Deserialize, Serialize};

use super::event::Header;
use super::fold::{Case, NotAllowed, by_a_clerk};
use super::layout::{Reader, Writer};
use super::moment::{Moment, Span};
use super::state::State;
use crate::ids::{CaseNumber, Digest};
use crate::limits::BUNDLE_ITEMS_MAX;

/// A task (事项办件) of a bundle: its place among the others, and those whose results it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Task {
    /// The number of the application for the bundle, given where it was taken in; no other hall can give it.
    pub bundle: CaseNumber,
    /// Which task, from 1.
    pub ordinal: u8,
    /// How many there are.
    pub of: u8,
    /// One bit for each task whose result it needs, the lowest for the first.
    pub after: u32,
    /// SHA-256 of the bundle's record, as it was at receipt.
    pub list: Digest,
}

impl Task {
    /// Whether it has to wait for others.
    pub const fn is_chained(&self) -> bool {
        self.after != 0
    }

    /// The tasks whose results it needs, from 1, ascending.
    pub fn needs(&self) -> impl Iterator<Item = u8> + use<> {
        let after = self.after;
        (1..=self.of)
            .zip(0_u32..)
            .filter(move |(_, bit)| after.checked_shr(*bit).unwrap_or(0) & 1 == 1)
            .map(|it| it.0)
    }

    pub(super) fn is_sound(&self) -> bool {
        let few = usize::from(self.of) <= BUNDLE_ITEMS_MAX && (1..=self.of).contains(&self.ordinal);
        let needed: Vec<u8> = self.needs().collect();
        let known = u32::try_from(needed.len()).is_ok_and(|count| count == self.after.count_ones());
        few && known && !needed.contains(&self.ordinal)
    }

    pub(super) fn encode(&self, to: &mut Writer) {
        to.text(0, &self.bundle.to_string()).byte(51, self.ordinal).byte(52, self.of);
        to.short(53, self.after).put(57, &self.list.0);
    }

    pub(super) fn decode(from: &Reader<'_>) -> Option<Self> {
        let task = Self {
            bundle: from.text(0)?.parse().ok()?,
            ordinal: from.byte(51),
            of: from.byte(52),
            after: from.short(53),
            list: Digest(from.array(57)),
        };
        task.is_sound().then_some(task)
    }
}

impl Case {
    /// A task is one from its receipt on, at the hall where the bundle was taken in. While it waits the authority owes no
    /// word about it: what it needs is not there yet.
    pub(super) fn joined(&mut self, event: &Header, task: &Task) -> Result<(), NotAllowed> {
        let first = self.events == 1 && self.task.is_none();
        if !first || !task.is_sound() || task.bundle.hall_at() != self.number.hall_at() {
            return Err(NotAllowed::NoTask);
        }
        by_a_clerk(event)?;
        if task.is_chained() {
            self.notices.clear();
        }
        self.task = Some(*task);
        Ok(())
    }

    pub(super) fn begun(&mut self, event: &Header) -> Result<(), NotAllowed> {
        if !self.waits() {
            return Err(NotAllowed::NoTask);
        }
        if event.at.hall != self.receiving {
            return Err(NotAllowed::WrongHall);
        }
        self.started = Some(Moment::of(event));
        self.notices.push(Span::open(Moment::of(event)));
        Ok(())
    }

    /// Whether it is a task that cannot begin before others of its bundle are granted: it stays at the window.
    pub fn waits(&self) -> bool {
        let chained = self.task.is_some_and(|task| task.is_chained());
        chained && self.started.is_none() && self.state == State::Received
    }
}
