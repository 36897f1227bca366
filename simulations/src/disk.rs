//! Rows in memory: what all halls hold from the start is shared, what a hall wrote itself lies over it.
//!
//! A commit is all or nothing. A crash needs no code here: a batch that was not committed is just dropped.

use std::collections::BTreeMap;
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
}

impl Disk {
    /// A disk that begins with `base`.
    pub fn new(base: Arc<Rows>) -> Self {
        let last = base.last_key_value().map(|(key, _)| key.as_slice()).unwrap_or_default().into();
        Self { base, last, own: Writes::new() }
    }

    /// One commit.
    pub fn commit(&mut self, writes: Writes) {
        for (key, value) in writes {
            if value.is_some() || self.base.contains_key(&key) {
                self.own.insert(key, value);
            } else {
                self.own.remove(&key);
            }
        }
    }
}

impl View for Disk {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        match self.own.get(key) {
            Some(own) => own.clone(),
            None if *key <= *self.last => self.base.get(key).cloned(),
            None => None,
        }
    }

    fn scan(&self, prefix: &[u8], after: &[u8], visit: &mut dyn FnMut(&[u8], &[u8]) -> bool) {
        let from = if after.is_empty() { Bound::Included(prefix) } else { Bound::Excluded(after) };
        let range = (from, Bound::Unbounded);
        let mut own = self.own.range::<[u8], _>(range).take_while(|(key, _)| key.starts_with(prefix));
        if *prefix > *self.last {
            for (key, value) in own {
                if !value.as_ref().is_none_or(|it| visit(key, it)) {
                    return;
                }
            }
            return;
        }
        let mut base = self.base.range::<[u8], _>(range).take_while(|(key, _)| key.starts_with(prefix));
        let (mut below, mut above) = (base.next(), own.next());
        loop {
            let own_first = match (below, above) {
                (None, None) => return,
                (Some(_), None) => false,
                (None, Some(_)) => true,
                (Some((lower, _)), Some((upper, _))) => {
                    if lower == upper {
                        below = base.next();
                    }
                    upper <= lower
                }
            };
            let going = if own_first {
                let going = above.is_none_or(|(key, value)| value.as_ref().is_none_or(|it| visit(key, it)));
                above = own.next();
                going
            } else {
                let going = below.is_none_or(|(key, value)| visit(key, value));
                below = base.next();
                going
            };
            if !going {
                return;
            }
        }
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
        assert_eq!(disk.get(b"b3"), None);
        assert_eq!(disk.get(b"a"), Some(bytes("old")));
    }
}
