//! When something happened: what the hall that signed it said, and what counts for the law's clocks.

use std::iter::once;

use serde::{Deserialize, Serialize};

use super::event::Header;
use super::fold::Case;
use crate::calendar::CivilDay;
use crate::planted::{Bug, planted};

/// A time that an event claims (design section 8).
///
/// A clock that is ahead, or lost its battery, moves no deadline for good: the next hall that takes the case over by a
/// clock of its own bounds what was claimed.
///
/// - A time claimed by a clock that its hall believed counts as the *earlier* of itself and what is shown later in the log, up
///   to the next other hall's.
/// - A time claimed in doubt is what had passed at least. What is owed counts from the next other hall's time, since nobody
///   else could know of the case before; a hall's own later word shows only that it was no later. What was done counts
///   as done when it may have been done first, and what the applicant was given counts from when it may have begun last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Milliseconds since 1970 by the hall that signed: what is printed stays as it was printed.
    pub claimed: u64,
    /// Milliseconds since 1970 from which what is owed counts.
    pub legal: u64,
    /// Milliseconds since 1970 at which it was at the latest, once it is checked.
    pub latest: u64,
    /// The hall doubted its clock, and nobody told it the time: it claims what had passed at least.
    pub suspect: bool,
    /// What counts has been bounded and does not change any more.
    pub checked: bool,
}

impl Moment {
    pub(super) const fn of(event: &Header) -> Self {
        let wall = event.wall;
        Self { claimed: wall, legal: wall, latest: wall, suspect: event.suspect_time, checked: false }
    }

    /// The day from which what is owed counts.
    pub fn day(self) -> CivilDay {
        CivilDay::of_wall(self.legal)
    }

    /// The day on which what was done counts as done.
    pub fn done(self) -> CivilDay {
        CivilDay::of_wall(if self.suspect { self.claimed.min(self.legal) } else { self.legal })
    }

    /// The day from which what the applicant was given counts.
    pub fn given(self) -> CivilDay {
        CivilDay::of_wall(self.latest)
    }

    /// Whether deadlines may rest on it: not while all that is known of it is what had passed at least.
    pub const fn is_certain(self) -> bool {
        !self.suspect || self.checked
    }

    /// The same, but for what was claimed, if it cannot have been before another one.
    pub(super) fn no_earlier_than(self, first: Self) -> Self {
        Self { legal: self.legal.max(first.legal), latest: self.latest.max(first.legal), ..self }
    }

    /// A clock that nobody doubts has shown `wall` later in the log.
    fn bound(&mut self, wall: u64, elsewhere: bool) {
        if self.checked || planted(Bug::ClaimedTimeCounts) {
            return;
        }
        (self.legal, self.latest) = match (self.suspect, elsewhere) {
            (true, true) => (wall, wall),
            (true, false) => (self.claimed.min(wall), wall),
            (false, _) => (self.legal.min(wall), self.legal.min(wall)),
        };
        // A hall that has believed a clock which was ahead may show still less later.
        self.checked = self.suspect || elsewhere;
    }
}

/// A time from one event to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// When it began.
    pub from: Moment,
    /// When it ended, if it has.
    pub to: Option<Moment>,
}

impl Span {
    pub(super) const fn open(from: Moment) -> Self {
        Self { from, to: None }
    }
}

impl Case {
    /// Bounds what was claimed before by what an event shows.
    pub(super) fn bounded_by(&mut self, event: &Header) {
        if event.suspect_time {
            return;
        }
        let elsewhere = event.at.hall != self.custodian.hall;
        for moment in self.moments() {
            moment.bound(event.wall, elsewhere);
        }
    }

    /// The case as its times stand once an event follows.
    pub(super) fn seen_by(&self, next: &Header) -> Self {
        let mut seen = self.clone();
        seen.bounded_by(next);
        seen
    }

    fn moments(&mut self) -> impl Iterator<Item = &mut Moment> {
        let acts =
            [&mut self.started, &mut self.accepted, &mut self.decided, &mut self.delivered, &mut self.ended]
                .into_iter()
                .chain([&mut self.revoked, &mut self.revocation_told])
                .chain(self.promise.as_mut().map(|it| &mut it.checked));
        let pauses = self.pauses.iter_mut().map(|pause| &mut pause.span);
        let lacking = self.lacking.iter_mut().map(|lacking| &mut lacking.span);
        let spans = self.notices.iter_mut().chain(&mut self.asked).chain(lacking).chain(pauses);
        let ends = spans.flat_map(|span| once(&mut span.from).chain(&mut span.to));
        once(&mut self.received).chain(acts.flatten()).chain(ends)
    }
}
