//! The index of a running node: made when it is first asked for, and kept as the lists are.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hallmesh_protocol::catalogue::Catalogue;
use hallmesh_protocol::ids::{DivisionCode, MatterCode};
use hallmesh_protocol::limits::PAGE_MAX;
use hallmesh_protocol::query;
use hallmesh_protocol::step::{View, Writes};

use super::Index;

/// Codes of matters that changed since somebody last looked for something. After more of them, as when all lists
/// come at once, the index is made anew.
const CHANGED_MAX: usize = 4_096;

/// Finds matters by what somebody has typed so far.
#[derive(Debug, Default)]
pub struct Search {
    /// Never held by whoever commits.
    index: Mutex<Index>,
    changed: Mutex<Changed>,
}

/// What was committed since the index was last brought up to date.
#[derive(Debug, Default)]
enum Changed {
    /// Nobody has looked for anything yet, or too much has changed.
    #[default]
    All,
    These(BTreeSet<MatterCode>),
}

impl Search {
    /// Takes note of rows that were committed.
    pub fn committed(&self, rows: &Writes) {
        let mut changed = lock(&self.changed);
        let Changed::These(codes) = &mut *changed else { return };
        codes.extend(rows.keys().filter_map(|key| query::matter_of_row(key)));
        if codes.len() > CHANGED_MAX {
            *changed = Changed::All;
        }
    }

    /// The codes of the `count` matters that fit `text` best, for somebody at `here`. The rows are asked for only
    /// where something has changed, and after that was looked up: they show at least that.
    pub fn find<V: View, E>(
        &self,
        rows: impl FnOnce() -> Result<V, E>,
        (text, here): (&str, DivisionCode),
        count: usize,
    ) -> Result<Vec<MatterCode>, E> {
        let mut index = lock(&self.index);
        let changed = std::mem::replace(&mut *lock(&self.changed), Changed::These(BTreeSet::new()));
        let brought = match &changed {
            Changed::These(codes) if codes.is_empty() => Ok(()),
            Changed::These(codes) => rows().map(|rows| follow(&mut index, &rows, codes)),
            Changed::All => rows().map(|rows| *index = Index::of(&rows)),
        };
        if let Err(why) = brought {
            *lock(&self.changed) = Changed::All;
            return Err(why);
        }
        Ok(index.find(text, here, count))
    }

    /// Entries and bytes of the index as it is.
    pub fn size(&self) -> (usize, usize) {
        let index = lock(&self.index);
        (index.len(), index.bytes())
    }
}

impl Index {
    /// Of all matters that are listed in `rows`, whether they hold already or from a later day on.
    pub fn of(rows: &dyn View) -> Self {
        let (mut index, mut after) = (Self::default(), String::new());
        loop {
            let page = Catalogue::new(rows).matters(&after, PAGE_MAX);
            let Some(last) = page.last() else { return index };
            after = last.matter.code.to_string();
            for listed in &page {
                index.put(&listed.matter);
            }
        }
    }
}

fn follow(index: &mut Index, rows: &dyn View, codes: &BTreeSet<MatterCode>) {
    for code in codes {
        match Catalogue::new(rows).matter(code, u64::MAX) {
            Some(listed) => index.put(&listed.matter),
            None => index.remove(code.as_str()),
        }
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
