//! Rebuilt: what a hall keeps beside its rows so as to find and to count them is what the rows themselves say.

use std::collections::{BTreeMap, BTreeSet};

use hallmesh_protocol::cases::{Grade, Stage};
use hallmesh_protocol::ids::{CaseId, HallId};
use hallmesh_protocol::query;
use hallmesh_protocol::reconcile::Fingerprint;
use hallmesh_protocol::record::Space;
use hallmesh_protocol::step::View;

use super::{case_of, table};

/// The contents behind each root that were added up already: most halls end with the same.
#[derive(Debug, Default)]
pub struct Rebuilt {
    known: BTreeMap<(Space, [u8; 32]), Vec<[u8; 32]>>,
}

impl Rebuilt {
    /// What is wrong with a hall's disk.
    pub fn check(&mut self, hall: HallId, disk: &dyn View) -> Vec<String> {
        let mut found = desk(disk);
        found.extend(singles(disk));
        found.extend(open(disk));
        found.extend(numbers(disk));
        found.extend(Space::ALL.into_iter().filter_map(|space| self.set(disk, space)));
        found.into_iter().map(|how| format!("hall {hall}: {how}")).collect()
    }

    /// The root of a set against its elements, and the elements against the records.
    fn set(&mut self, disk: &dyn View, space: Space) -> Option<String> {
        let root = query::roots(disk).of(space);
        let elements = elements(disk, space);
        let known = self.known.get(&(space, root));
        if known.is_some_and(|known| known.as_flattened() == elements.as_flattened()) {
            return None;
        }
        if Fingerprint::of(space.byte(), &elements).root() != root {
            return Some(format!("the root of {space:?} is not that of its {} elements", elements.len()));
        }
        if records(disk, space) != elements {
            return Some(format!("the elements of {space:?} are not those of its records"));
        }
        self.known.insert((space, root), elements);
        None
    }
}

/// The desk and its counts against each hall's part in each case.
fn desk(disk: &dyn View) -> Vec<String> {
    let mut parts: BTreeMap<Stage, BTreeSet<CaseId>> = BTreeMap::new();
    for id in cases(disk) {
        if let Some(custody) = query::case(disk, id).and_then(|view| view.custody) {
            parts.entry(custody.stage).or_default().insert(id);
        }
    }
    let mut found = Vec::new();
    for (stage, count) in query::counts(disk).stages {
        let part = parts.remove(&stage).unwrap_or_default();
        let shown = shown(disk, stage);
        // A refused case has a part and no log.
        let (desk, parts) = (shown.len(), part.len());
        let differs = stage != Stage::None && (shown != part || u64::try_from(parts) != Ok(count));
        let word = stage.word();
        found.extend(
            differs.then(|| format!("{desk} cases on the desk as {word}, {count} counted, {parts} are")),
        );
    }
    found
}

/// The cases on one disk only, against each hall's part in each case.
fn singles(disk: &dyn View) -> Option<String> {
    let single = |id: &CaseId| {
        let custody = query::case(disk, *id).and_then(|view| view.custody);
        custody.is_some_and(|custody| {
            matches!(custody.stage, Stage::Custodian | Stage::Handing) && custody.grade == Grade::D1
        })
    };
    let are: BTreeSet<_> = cases(disk).into_iter().filter(single).collect();
    let (mut listed, mut last) = (BTreeSet::new(), None);
    loop {
        let page = query::single_copies(disk, last, usize::MAX);
        let Some(end) = page.last() else { break };
        last = Some(*end);
        listed.extend(page.into_iter().map(|(_, case)| case));
    }
    let counted = query::counts(disk).single;
    let (lists, parts) = (listed.len(), are.len());
    (listed != are || u64::try_from(parts) != Ok(counted))
        .then(|| format!("{lists} cases listed as single-copy, {counted} counted, {parts} are"))
}

/// The cases for which something is still owed, against each hall's part in each case.
fn open(disk: &dyn View) -> Option<String> {
    let owed = |id: &CaseId| {
        query::case(disk, *id)
            .is_some_and(|view| view.custody.is_some_and(|it| it.stage.is_in_hand()) && !view.case.is_over())
    };
    let are: BTreeSet<_> = cases(disk).into_iter().filter(owed).collect();
    let mut listed = BTreeSet::new();
    loop {
        let page = query::open_cases(disk, listed.last().copied(), usize::MAX);
        if page.is_empty() {
            break;
        }
        listed.extend(page);
    }
    let (lists, open) = (listed.len(), are.len());
    (listed != are).then(|| format!("{lists} cases listed as open, {open} are"))
}

/// Each case by its number.
fn numbers(disk: &dyn View) -> Option<String> {
    let lost = cases(disk).into_iter().find(|id| {
        let number = query::case(disk, *id).map(|view| view.case.number.to_string());
        number.is_none_or(|number| query::find_cases(disk, &number, 2) != [*id])
    });
    lost.map(|id| format!("case {id} is not found by its number"))
}

fn shown(disk: &dyn View, stage: Stage) -> BTreeSet<CaseId> {
    let mut shown = BTreeSet::new();
    loop {
        let page = query::desk(disk, stage, shown.last().copied(), usize::MAX);
        if page.is_empty() {
            return shown;
        }
        shown.extend(page);
    }
}

fn cases(disk: &dyn View) -> Vec<CaseId> {
    let mut cases = Vec::new();
    disk.scan(&[table::CASE], &[], &mut |key, _| {
        cases.extend(case_of(key));
        true
    });
    cases
}

/// The elements as they are listed, ascending.
fn elements(disk: &dyn View, space: Space) -> Vec<[u8; 32]> {
    let mut elements = Vec::new();
    disk.scan(&[table::ELEMENT, space.byte()], &[], &mut |key, _| {
        elements.extend(key.get(2..).and_then(|id| <[u8; 32]>::try_from(id).ok()));
        true
    });
    elements
}

/// What the elements must be: the hash of each record as it lies on the disk, ascending.
fn records(disk: &dyn View, space: Space) -> Vec<[u8; 32]> {
    let mut records = Vec::new();
    disk.scan(&[table::RECORD, space.byte()], &[], &mut |_, value| {
        records.push(*blake3::hash(value).as_bytes());
        true
    });
    records.sort_unstable();
    records.dedup();
    records
}

#[cfg(test)]
mod tests {
    use hallmesh_protocol::chance::Chance;
    use hallmesh_protocol::step::Writes;

    use super::*;
    use crate::city::{City, made_up};
    use crate::disk::Disk;

    /// A hall on its first morning, and what is said of it after a commit that only a bug would make.
    fn said(commit: impl Fn(&Disk) -> Writes) -> Vec<String> {
        let (city, disks) = City::found(&made_up(1, 1, 0), &mut Chance::from_seed([7; 32])).expect("a city");
        let mut disk = disks.first().expect("a disk").clone();
        let hall = city.halls.first().expect("a hall").hall;
        assert_eq!(Rebuilt::default().check(hall, &disk), Vec::<String>::new());
        let writes = commit(&disk);
        disk.commit(writes);
        Rebuilt::default().check(hall, &disk)
    }

    /// The first row of a table.
    fn first(disk: &Disk, prefix: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let mut found = None;
        disk.scan(prefix, &[], &mut |key, value| {
            found = Some((key.to_vec(), value.to_vec()));
            false
        });
        found.expect("a row")
    }

    #[test]
    fn an_element_too_few_or_of_no_record_is_seen() {
        let lists = Space::Lists.byte();
        let removed = |disk: &Disk| [(first(disk, &[table::ELEMENT, lists]).0, None)].into();
        assert_eq!(said(removed).len(), 1);
        let changed = |disk: &Disk| {
            let (key, mut record) = first(disk, &[table::RECORD, lists]);
            record.push(0);
            [(key, Some(record.into()))].into()
        };
        assert_eq!(said(changed).len(), 1);
    }

    #[test]
    fn a_case_listed_as_single_of_which_nothing_is_known_is_seen() {
        const SINGLE: u8 = 0x33;
        let key = [[SINGLE, 0].as_slice(), &[0; 8], &[7; 16]].concat();
        assert_eq!(said(|_| [(key.clone(), Some([].as_slice().into()))].into()).len(), 1);
    }

    #[test]
    fn a_case_on_the_desk_of_which_nothing_is_known_is_seen() {
        const DESK: u8 = 0x27;
        let custodian = 1;
        let key = [[DESK, custodian].as_slice(), &[7; 16]].concat();
        assert_eq!(said(|_| [(key.clone(), Some([].as_slice().into()))].into()).len(), 1);
    }
}
