//! Rows in memory: what all halls hold from the start is shared, what a hall wrote itself lies over it.
//!
//! A commit is all or nothing. A crash needs no code here: a batch that was not committed is just dropped. A damaged row
//! still gives its old value, so that the simulator itself can look on; that it was read is noticed.

use std::cell::Cell;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;
use std::ops::Bound;
use std::sync::Arc;

use hallmesh_protocol::step::{Bytes, View, Writes};

/// Rows that many halls share.
pub type Rows = BTreeMap<Vec<u8>, Bytes>;

/// The disk of one hall.
#[derive(Clone, Debug)]
pub struct Disk {
    base: Arc<Rows>,
    /// The last key of `base`: most of what is asked for lies behind it.
    last: Arc<[u8]>,
    own: Writes,
    /// Keys of rows that no longer read as they were written.
    damaged: BTreeSet<Vec<u8>>,
    /// A damaged row was read: the store has noticed, and the process must end.
    noticed: Cell<bool>,
}

impl Disk {
    /// A disk that begins with `base`.
    pub fn new(base: Arc<Rows>) -> Self {
        let last = base.last_key_value().map(|(key, _)| key.as_slice()).unwrap_or_default().into();
        Self { base, last, own: Writes::new(), damaged: BTreeSet::new(), noticed: Cell::new(false) }
    }

    /// A disk on which nothing was ever written.
    pub fn empty() -> Self {
        Self::new(Arc::default())
    }

    /// Damages one of the rows that this hall wrote itself, the `nth` from the first; false if there is none.
    pub fn damage(&mut self, nth: usize) -> bool {
        let rows = self.own.iter().filter(|(_, value)| value.is_some());
        let found = rows.skip(nth).map(|(key, _)| key.clone()).next();
        found.is_some_and(|key| self.damaged.insert(key))
    }

    /// Rows that this hall wrote itself.
    pub fn own_rows(&self) -> usize {
        self.own.len()
    }

    /// Whether damage was met by reading since this was last asked. A real store stops the process at that moment.
    pub fn has_failed(&self) -> bool {
        self.noticed.replace(false)
    }

    fn look(&self, key: &[u8]) {
        if !self.damaged.is_empty() && self.damaged.contains(key) {
            self.noticed.set(true);
        }
    }

    /// One commit.
    pub fn commit(&mut self, writes: Writes) {
        for (key, value) in writes {
            self.damaged.remove(&key);
            if value.is_some() || self.base.contains_key(&key) {
                self.own.insert(key, value);
            } else {
                self.own.remove(&key);
            }
        }
    }

    /// What this hall wrote itself.
    pub fn own(&self) -> &Writes {
        &self.own
    }

    /// Puts other rows in place of what this hall wrote itself.
    pub fn rewrite(&mut self, how: impl Fn(&Writes) -> Writes) {
        self.own = how(&self.own);
    }
}

impl View for Disk {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.look(key);
        match self.own.get(key) {
            Some(own) => own.clone(),
            None if *key <= *self.last => self.base.get(key).cloned(),
            None => None,
        }
    }

    fn scan(&self, prefix: &[u8], after: &[u8], visit: &mut dyn FnMut(&[u8], &[u8]) -> bool) {
        let from_first = after < prefix;
        if !from_first && !after.starts_with(prefix) {
            return;
        }
        let from = if from_first { Bound::Included(prefix) } else { Bound::Excluded(after) };
        let end = end_of(prefix);
        let to = end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let range = (from, to);
        let shared = (*prefix <= *self.last).then(|| self.base.range::<[u8], _>(range));
        let shared = shared.into_iter().flatten().map(|(key, value)| (key.as_slice(), value));
        let own = self.own.range::<[u8], _>(range).map(|(key, value)| (key.as_slice(), value.as_ref()));
        let (mut shared, mut own) = (shared.peekable(), own.peekable());
        while let Some((key, value)) = next(&mut shared, &mut own) {
            self.look(key);
            if value.is_some_and(|value| !visit(key, value)) {
                return;
            }
        }
    }
}

/// The first key behind all that begin with `prefix`; none if there is no such key.
fn end_of(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte < u8::MAX)?;
    let mut end = prefix.get(..=last)?.to_vec();
    if let Some(byte) = end.last_mut() {
        *byte = byte.saturating_add(1);
    }
    Some(end)
}

/// The next row of both, the own one where both have it; no value if it was removed.
fn next<'a>(
    shared: &mut Peekable<impl Iterator<Item = (&'a [u8], &'a Bytes)>>,
    own: &mut Peekable<impl Iterator<Item = (&'a [u8], Option<&'a Bytes>)>>,
) -> Option<(&'a [u8], Option<&'a Bytes>)> {
    let order = match (shared.peek(), own.peek()) {
        (Some((lower, _)), Some((upper, _))) => lower.cmp(upper),
        (Some(_), None) => Ordering::Less,
        (None, _) => Ordering::Greater,
    };
    match order {
        Ordering::Less => shared.next().map(|(key, value)| (key, Some(value))),
        Ordering::Equal => shared.next().and_then(|_hidden| own.next()),
        Ordering::Greater => own.next(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Bytes {
        text.as_bytes().into()
    }

    fn seen(disk: &Disk, prefix: &str, after: &str, count: usize) -> Vec<String> {
        let mut seen = Vec::new();
        disk.scan(prefix.as_bytes(), after.as_bytes(), &mut |key, value| {
            let (key, value) = (String::from_utf8_lossy(key), String::from_utf8_lossy(value));
            seen.push(format!("{key}={value}"));
            seen.len() < count
        });
        seen
    }

    #[test]
    fn own_rows_lie_over_shared_ones() {
        let base = ["a", "b1", "b2", "b3", "c"].map(|key| (key.as_bytes().to_vec(), bytes("old")));
        let mut disk = Disk::new(Arc::new(base.into_iter().collect()));
        let mut writes = Writes::new();
        writes.insert(b"b0".to_vec(), Some(bytes("new")));
        writes.insert(b"b2".to_vec(), Some(bytes("new")));
        writes.insert(b"b3".to_vec(), None);
        writes.insert(b"b4".to_vec(), Some(bytes("new")));
        disk.commit(writes);
        assert_eq!(seen(&disk, "b", "", 9), ["b0=new", "b1=old", "b2=new", "b4=new"]);
        assert_eq!(seen(&disk, "b", "b1", 9), ["b2=new", "b4=new"]);
        assert_eq!(seen(&disk, "b", "", 2), ["b0=new", "b1=old"]);
        assert_eq!(seen(&disk, "b", "a", 1), ["b0=new"]);
        assert!(seen(&disk, "b", "c", 9).is_empty());
        assert_eq!(seen(&disk, "", "b4", 9), ["c=old"]);
        assert_eq!(disk.get(b"b3"), None);
        assert_eq!(disk.get(b"a"), Some(bytes("old")));
    }

    #[test]
    fn keys_of_a_prefix_end_before_the_first_that_has_it_not() {
        assert_eq!(end_of(&[1, 2]), Some(vec![1, 3]));
        assert_eq!(end_of(&[1, u8::MAX]), Some(vec![2]));
        assert_eq!(end_of(&[u8::MAX, u8::MAX]), None);
        assert_eq!(end_of(&[]), None);
    }

    #[test]
    fn damage_is_noticed_by_whoever_reads_it_and_gone_when_written_over() {
        let mut disk = Disk::empty();
        let write = |disk: &mut Disk| disk.commit([(b"a".to_vec(), Some(bytes("x")))].into_iter().collect());
        write(&mut disk);
        assert!(!disk.damage(1));
        assert!(disk.damage(0));
        assert!(disk.get(b"b").is_none() && !disk.has_failed());
        seen(&disk, "a", "", 1);
        assert!(disk.has_failed() && !disk.has_failed());
        write(&mut disk);
        assert!(disk.get(b"a").is_some() && !disk.has_failed());
    }
}
