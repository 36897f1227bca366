//! The logs that were ever kept or sent, each under a number; which of them contradict each other, and who must be dead
//! for that to be no harm.

use std::collections::{BTreeMap, BTreeSet};

use hallmesh_protocol::cases::{Facts, SignedEvent};
use hallmesh_protocol::ids::{Digest, HallAt};

/// A log's number.
pub(super) type LogId = usize;

/// Two logs with different events at one place.
#[derive(Debug)]
pub(super) struct Conflict {
    pub(super) logs: [LogId; 2],
    /// Where they part.
    pub(super) place: usize,
    /// The lives that have signed what a succession has left out: it is no harm once all of one of these have ended.
    orphaned: Vec<BTreeSet<HallAt>>,
}

impl Conflict {
    /// Whether one log goes on with a succession, and the other one only with what ended lives have signed.
    pub(super) fn is_lawful(&self, has_ended: impl Fn(HallAt) -> bool) -> bool {
        self.orphaned.iter().any(|signers| signers.iter().all(|life| has_ended(*life)))
    }
}

#[derive(Clone, Copy, Debug)]
struct Event {
    at: HallAt,
    succeeds: bool,
}

/// Every event and every log.
#[derive(Debug, Default)]
pub(super) struct Logs {
    numbers: BTreeMap<Digest, u32>,
    events: Vec<Event>,
    known: BTreeMap<Vec<u32>, LogId>,
    pub(super) conflicts: Vec<Conflict>,
}

impl Logs {
    /// The numbers of a log's events, and its own.
    pub(super) fn note(&mut self, log: &[SignedEvent]) -> anyhow::Result<(Vec<u32>, LogId)> {
        let events = log.iter().map(|event| self.event(event)).collect::<anyhow::Result<Vec<u32>>>()?;
        if let Some(known) = self.known.get(&events) {
            return Ok((events, *known));
        }
        let id = self.known.len();
        let conflicts = self.known.iter().filter_map(|(other, number)| {
            let place = events.iter().zip(other).position(|(one, other)| one != other)?;
            let orphaned = [(&events, other), (other, &events)].into_iter();
            let orphaned =
                orphaned.filter_map(|(follows, left)| self.orphaned(place, follows, left)).collect();
            Some(Conflict { logs: [id, *number], place, orphaned })
        });
        let conflicts: Vec<Conflict> = conflicts.collect();
        self.conflicts.extend(conflicts);
        self.known.insert(events.clone(), id);
        Ok((events, id))
    }

    fn event(&mut self, event: &SignedEvent) -> anyhow::Result<u32> {
        let digest = event.digest();
        if let Some(known) = self.numbers.get(&digest) {
            return Ok(*known);
        }
        let (header, number) = (event.header()?, u32::try_from(self.events.len())?);
        self.events.push(Event { at: header.at, succeeds: matches!(header.facts, Facts::Succeed { .. }) });
        self.numbers.insert(digest, number);
        Ok(number)
    }

    /// Who has signed what is left out of a log from a place on, if another one goes on there with a succession.
    fn orphaned(&self, place: usize, follows: &[u32], left: &[u32]) -> Option<BTreeSet<HallAt>> {
        let event = |number: &u32| self.events.get(usize::try_from(*number).ok()?);
        let succeeds = follows.get(place).and_then(event).is_some_and(|event| event.succeeds);
        let signers = left.get(place..)?.iter().filter_map(event).map(|event| event.at);
        succeeds.then(|| signers.collect())
    }
}
