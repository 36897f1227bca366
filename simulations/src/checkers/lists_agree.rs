//! Lists agree: when all lines hold again, directory and lists are the same in every hall.

use std::collections::BTreeMap;

use hallmesh_protocol::ids::HallId;
use hallmesh_protocol::message::Roots;
use hallmesh_protocol::record::Space;
use hallmesh_protocol::step::View;

/// Keys that are named where lists differ.
const NAMED_MAX: usize = 4;

/// Compares the roots of all halls.
#[derive(Debug)]
pub struct ListsAgree;

impl ListsAgree {
    /// What is wrong: for each space with more than one root, how many halls have which.
    pub fn check(roots: &[(HallId, Roots)]) -> Vec<String> {
        Space::ALL.into_iter().filter_map(|space| differing(space, roots)).collect()
    }

    /// Some of the records in which two halls differ.
    pub fn differing(one: &dyn View, other: &dyn View) -> Vec<String> {
        let (one, other) = (records(one), records(other));
        let missing = one.iter().filter(|(key, value)| other.get(*key) != Some(value));
        let added = other.iter().filter(|(key, _)| !one.contains_key(*key));
        let name = |key: &Vec<u8>| String::from_utf8_lossy(key.get(2..).unwrap_or_default()).into_owned();
        missing.chain(added).map(|(key, _)| name(key)).take(NAMED_MAX).collect()
    }
}

fn records(view: &dyn View) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut records = BTreeMap::new();
    view.scan(&[super::table::RECORD], &[], &mut |key, value| {
        records.insert(key.to_vec(), value.to_vec());
        true
    });
    records
}

fn differing(space: Space, roots: &[(HallId, Roots)]) -> Option<String> {
    let mut groups: BTreeMap<[u8; 32], Vec<HallId>> = BTreeMap::new();
    for (hall, roots) in roots {
        groups.entry(roots.of(space)).or_default().push(*hall);
    }
    let mut sizes: Vec<_> = groups.values().map(|halls| (halls.len(), halls.first())).collect();
    sizes.sort_unstable();
    (sizes.len() > 1).then(|| {
        let few: Vec<_> = sizes.iter().take(3).collect();
        format!("{space:?} has {} different contents, the rarest in {few:?}", sizes.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hall(code: u64) -> HallId {
        HallId::from_u64(code).expect("a hall")
    }

    fn roots(directory: u8, lists: u8) -> Roots {
        Roots { directory: [directory; 32], lists: [lists; 32] }
    }

    #[test]
    fn one_hall_that_differs_is_seen_in_its_space() {
        let (one, other) = (hall(62_070_000_000_000), hall(62_070_100_000_000));
        assert!(ListsAgree::check(&[(one, roots(1, 1)), (other, roots(1, 1))]).is_empty());
        let found = ListsAgree::check(&[(one, roots(1, 1)), (other, roots(1, 2))]);
        assert_eq!(found.len(), 1);
        assert!(found.iter().all(|how| how.starts_with("Lists")));
    }
}
