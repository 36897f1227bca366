//! A view that notes every row that was read through it.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::step::{Bytes, View};

/// Rows that were read; nothing where there was no such row.
pub type Seen = BTreeMap<Vec<u8>, Option<Bytes>>;

/// Notes the rows that are read and not known yet.
pub struct Noting<'a> {
    base: &'a dyn View,
    known: Option<&'a Seen>,
    seen: RefCell<Seen>,
}

impl<'a> Noting<'a> {
    /// Looks through at `base`.
    pub fn new(base: &'a dyn View) -> Self {
        Self { base, known: None, seen: RefCell::default() }
    }

    pub(super) fn beyond(base: &'a dyn View, known: &'a Seen) -> Self {
        Self { known: Some(known), ..Self::new(base) }
    }

    /// What was read.
    pub fn seen(self) -> Seen {
        self.seen.into_inner()
    }

    fn note(&self, key: &[u8], value: impl FnOnce() -> Option<Bytes>) {
        let known = self.known.is_some_and(|known| known.contains_key(key));
        if !known && !self.seen.borrow().contains_key(key) {
            self.seen.borrow_mut().insert(key.to_vec(), value());
        }
    }
}

impl View for Noting<'_> {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        let found = self.base.get(key);
        self.note(key, || found.clone());
        found
    }

    fn scan(&self, prefix: &[u8], after: &[u8], visit: &mut dyn FnMut(&[u8], &[u8]) -> bool) {
        self.base.scan(prefix, after, &mut |key, value| {
            self.note(key, || Some(value.into()));
            visit(key, value)
        });
    }
}
