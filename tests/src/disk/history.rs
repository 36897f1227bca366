//! What a hall committed, in order, and the rows after each commit: worked out apart from the store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::step::{Bytes, View, Writes};

/// The key space: every table has to be written by the work that is tested.
const KEY_SPACE: &str = include_str!("../../../protocol/src/rows/mod.rs");

/// All rows, in key order.
pub(super) type Rows = Vec<(Arc<[u8]>, Bytes)>;

/// The commits of one hall. The first makes the database.
#[derive(Clone, Debug)]
pub(super) struct History {
    pub(super) commits: Vec<Writes>,
    /// The rows after each of them.
    pub(super) states: Vec<Rows>,
}

impl History {
    /// The history of a hall's steps. Some of those of one moment are taken together, as a node does.
    pub(super) fn of(steps: &[(u64, Writes)], chance: &mut Chance) -> Self {
        let (mut commits, mut before): (Vec<Writes>, u64) = (Vec::new(), 0);
        for (ticks, writes) in steps.iter().filter(|(_, writes)| !writes.is_empty()) {
            let together = *ticks == before && chance.below(2) == 0;
            match commits.last_mut().filter(|_| together) {
                Some(last) => last.extend(writes.clone()),
                None => commits.push(writes.clone()),
            }
            before = *ticks;
        }
        let states = states(&commits);
        Self { commits, states }
    }

    /// Tables that rows were written to, by their first byte.
    pub(super) fn tables(&self) -> BTreeSet<u8> {
        let written = self.commits.iter().flatten().filter(|(_, value)| value.is_some());
        written.filter_map(|(key, _)| key.first().copied()).collect()
    }

    /// How many rows were removed again.
    pub(super) fn removals(&self) -> usize {
        self.commits.iter().flatten().filter(|(_, value)| value.is_none()).count()
    }

    /// The last state.
    pub(super) fn last(&self) -> usize {
        self.states.len() - 1
    }

    /// Which of these states the store's rows are, if they are one of them; found by reading all rows in order.
    pub(super) fn found(&self, view: &dyn View, mut among: impl Iterator<Item = usize>) -> Option<usize> {
        among.find(|state| self.states.get(*state).is_some_and(|rows| are(view, rows)))
    }
}

/// The tables of the key space, read from where they are written down.
pub(super) fn tables() -> BTreeSet<u8> {
    let (_, rest) = KEY_SPACE.split_once("enum Table {").expect("the key space names its tables");
    let (body, _) = rest.split_once('}').expect("an enum ends");
    let byte = |line: &str| u8::from_str_radix(line.split_once("0x")?.1.trim_end_matches(','), 16).ok();
    body.lines().filter_map(byte).collect()
}

fn states(commits: &[Writes]) -> Vec<Rows> {
    let mut rows: BTreeMap<Arc<[u8]>, Bytes> = BTreeMap::new();
    let after = |writes: &Writes| {
        for (key, value) in writes {
            match value {
                Some(value) => drop(rows.insert(key.as_slice().into(), Arc::clone(value))),
                None => drop(rows.remove(key.as_slice())),
            }
        }
        rows.iter().map(|(key, value)| (Arc::clone(key), Arc::clone(value))).collect()
    };
    commits.iter().map(after).collect()
}

fn are(view: &dyn View, rows: &Rows) -> bool {
    let (mut expected, mut equal) = (rows.iter(), true);
    view.scan(b"", b"", &mut |key, value| {
        equal = expected.next().is_some_and(|(its, stored)| **its == *key && **stored == *value);
        equal
    });
    equal && expected.next().is_none()
}
