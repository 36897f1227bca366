//! Which authority a name in the list stands for.

use std::collections::{BTreeMap, BTreeSet};

use hallmesh_protocol::ids::{BodyId, DivisionCode};

use super::sheet::ROWS_MAX;

const _: () = assert!(ROWS_MAX <= 1 << u16::BITS, "every name of one file finds a number of its own");

/// The deciding authorities of one file: the code given for a name, else a made-up one.
///
/// A made-up number follows from the name alone, and names whose numbers collide get the next free one in
/// the order of the names: the same file always gives the same codes, and two names never share one.
#[derive(Debug)]
pub(super) struct Authorities {
    area: DivisionCode,
    known: BTreeMap<String, (BodyId, u64)>,
    numbers: BTreeMap<String, u16>,
}

impl Authorities {
    /// The authorities with these names. `known` has the codes that the file gives, with their lines.
    pub(super) fn new(
        area: DivisionCode,
        names: BTreeSet<String>,
        known: BTreeMap<String, (BodyId, u64)>,
    ) -> Self {
        let mut taken = BTreeSet::new();
        let mut numbers = BTreeMap::new();
        for name in names {
            let mut number = number_of(&name);
            while !taken.insert(number) {
                number = number.wrapping_add(1);
            }
            numbers.insert(name, number);
        }
        Self { area, known, numbers }
    }

    /// The code that the file gives for a name, with its line.
    pub(super) fn known(&self, name: &str) -> Option<(BodyId, u64)> {
        self.known.get(name).copied()
    }

    /// The code of a name.
    pub(super) fn body(&self, name: &str) -> BodyId {
        let number = || self.numbers.get(name).copied().unwrap_or_else(|| number_of(name));
        self.known(name).map_or_else(|| BodyId::illustrative(self.area, number()), |(body, _)| body)
    }
}

fn number_of(name: &str) -> u16 {
    let [low, high, ..] = *blake3::hash(name.as_bytes()).as_bytes();
    u16::from_le_bytes([low, high])
}
