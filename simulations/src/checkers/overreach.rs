//! Only what somebody could lawfully state is on any list: what a hall has signed beyond its rights is on none.

use std::collections::BTreeSet;

use hallmesh_protocol::record::{Record, encode_records};
use hallmesh_protocol::signed::Signed;

use crate::station::Seat;

/// Bytes before the first record in an encoded list of records: a version, a length.
const LIST_HEAD: usize = 9;
/// Bytes before the record in a row: a version.
const ROW_HEAD: usize = 1;

/// What nobody may take up.
#[derive(Debug, Default)]
pub struct Overreach {
    forbidden: BTreeSet<[u8; 32]>,
}

impl Overreach {
    /// Nobody may take this up.
    pub fn forbidden(&mut self, record: &Signed<Record>) {
        let bytes = encode_records(std::slice::from_ref(record));
        self.forbidden.insert(digest(&bytes, LIST_HEAD));
    }

    /// A hall writes a record to its lists. What is wrong with that.
    pub fn written(&self, seat: Seat, row: &[u8]) -> Option<String> {
        let taken = !self.forbidden.is_empty() && self.forbidden.contains(&digest(row, ROW_HEAD));
        taken.then(|| format!("hall {seat} took up what its issuer may not state"))
    }
}

fn digest(bytes: &[u8], from: usize) -> [u8; 32] {
    *blake3::hash(bytes.get(from..).unwrap_or_default()).as_bytes()
}

#[cfg(test)]
mod tests {
    use hallmesh_protocol::chance::Chance;
    use hallmesh_protocol::step::View as _;

    use super::*;
    use crate::city::{City, made_up};

    #[test]
    fn a_row_with_a_forbidden_record_is_seen() {
        let (city, disks) = City::found(&made_up(1, 1, 1), &mut Chance::from_seed([1; 32])).expect("a city");
        let disk = disks.first().expect("a disk");
        let mut check = Overreach::default();
        let county = city.halls.get(1).expect("a county");
        let record =
            hallmesh_protocol::directory::Directory::new(disk).life_record(*county).expect("a charter");
        let mut row = None;
        disk.scan(&[super::super::table::RECORD], &[], &mut |key, value| {
            if key.ends_with(format!("charter/{county}").as_bytes()) {
                row = Some(value.to_vec());
            }
            row.is_none()
        });
        let row = row.expect("the county's charter has a row");
        assert!(check.written(1, &row).is_none());
        check.forbidden(record.signed());
        assert!(check.written(1, &row).is_some());
    }
}
