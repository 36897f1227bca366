//! Orphans: what was signed is never dropped silently. An event that another one replaces in a hall's log lies among the
//! orphans of that hall from the same commit on.

use hallmesh_protocol::ids::CaseId;
use hallmesh_protocol::limits::ORPHANS_MAX;
use hallmesh_protocol::step::{View, Writes};

use super::{case_of, sequence_of, table};

/// Counts what is kept apart.
#[derive(Debug, Default)]
pub struct Orphans {
    kept: u64,
}

impl Orphans {
    /// A hall commits to its disk. Says which events are gone.
    pub fn commits(&mut self, writes: &Writes, disk: &dyn View) -> Vec<String> {
        let kept = writes.iter().filter(|(key, value)| is_orphan(key) && value.is_some());
        self.kept = self.kept.saturating_add(u64::try_from(kept.count()).unwrap_or(u64::MAX));
        let events = writes.iter().filter(|(key, _)| key.first() == Some(&table::EVENT));
        let replaced = events.filter_map(|(key, new)| {
            let old = disk.get(key)?;
            (new.as_ref() != Some(&old)).then_some((case_of(key)?, sequence_of(key), old))
        });
        let gone = replaced.filter(|(case, _, old)| !is_kept(*case, old, writes, disk));
        gone.map(|(case, sequence, _)| {
            format!("case {case}: event {sequence} was replaced and is nowhere kept")
        })
        .collect()
    }

    /// How many events halls have kept apart.
    pub fn kept(&self) -> u64 {
        self.kept
    }
}

fn is_orphan(key: &[u8]) -> bool {
    key.first() == Some(&table::ORPHAN)
}

/// Whether an event lies among the orphans of its case, or these are as many as are kept.
fn is_kept(case: CaseId, event: &[u8], writes: &Writes, disk: &dyn View) -> bool {
    let prefix = [&[table::ORPHAN], case.0.as_slice()].concat();
    let now = writes.range(prefix.clone()..).take_while(|(key, _)| key.starts_with(&prefix));
    let (mut count, mut found) = (0_usize, false);
    for (_, value) in now {
        count = count.saturating_add(1);
        found |= value.as_deref() == Some(event);
    }
    disk.scan(&prefix, &[], &mut |_, value| {
        count = count.saturating_add(1);
        found |= value == event;
        !found
    });
    found || count >= ORPHANS_MAX
}

#[cfg(test)]
mod tests {
    use hallmesh_protocol::step::Bytes;

    use super::*;
    use crate::disk::Disk;

    #[test]
    fn an_event_that_is_replaced_and_not_kept_is_seen() {
        let key = |table: u8| [&[table], [7; 16].as_slice(), &[0, 0, 0, 1]].concat();
        let write = |table: u8, value: u8| (key(table), Some(Bytes::from([value].as_slice())));
        let mut disk = Disk::empty();
        disk.commit([write(table::EVENT, 1)].into());
        let mut check = Orphans::default();
        assert!(check.commits(&[write(table::EVENT, 1)].into(), &disk).is_empty(), "the same once more");
        assert_eq!(check.commits(&[write(table::EVENT, 2)].into(), &disk).len(), 1);
        assert_eq!(check.commits(&[(key(table::EVENT), None)].into(), &disk).len(), 1);
        let kept = [write(table::EVENT, 2), write(table::ORPHAN, 1)];
        assert!(check.commits(&kept.into(), &disk).is_empty());
        assert_eq!(check.kept(), 1);
    }
}
