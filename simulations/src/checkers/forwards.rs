//! Forwards: what stands under a key of the lists or the directory is replaced by newer versions of its own tier or by
//! a hall above, never by one below.

use std::collections::BTreeMap;

use hallmesh_protocol::ids::{HallId, Tier};
use hallmesh_protocol::record::{Issuer, Record, decode_records};
use hallmesh_protocol::step::Writes;

use super::table;
use crate::station::Seat;

/// Version and issuer of what each hall holds under each key, as far as it was committed in the run.
#[derive(Debug, Default)]
pub struct Forwards(BTreeMap<(Seat, String), (u32, Issuer)>);

impl Forwards {
    /// A hall commits. Says which records move backwards with that.
    pub fn commits(&mut self, seat: Seat, writes: &Writes) -> Vec<String> {
        let rows = writes.range(vec![table::RECORD]..vec![table::ELEMENT]);
        rows.filter_map(|(_, value)| self.stands(seat, &record(value.as_ref()?)?)).collect()
    }

    /// A hall lost its disk, and with it all that it held.
    pub fn disk_lost(&mut self, seat: Seat) {
        self.0.retain(|(at, _), _| *at != seat);
    }

    fn stands(&mut self, seat: Seat, record: &Record) -> Option<String> {
        let (key, new) = (record.body.key(), (record.version, record.issuer));
        let old = self.0.insert((seat, key.clone()), new)?;
        let (old_rank, new_rank) = (rank(old.1), rank(new.1));
        let back = new_rank > old_rank || (new_rank == old_rank && new.0 < old.0);
        back.then(|| {
            format!(
                "hall {seat}: {key} goes from version {} by {:?} to {} by {:?}",
                old.0, old.1, new.0, new.1
            )
        })
    }
}

/// How far below the root an issuer stands; of one tier the smaller code comes first.
fn rank(issuer: Issuer) -> Option<(Tier, HallId)> {
    match issuer {
        Issuer::Root => None,
        Issuer::Hall(at) => Some((at.hall.tier(), at.hall)),
    }
}

/// The record in a row, which is the encoding of a list of one without the length of the list.
pub(super) fn record(row: &[u8]) -> Option<Record> {
    let (version, signed) = row.split_first()?;
    let list = [std::slice::from_ref(version), &1_u64.to_le_bytes(), signed].concat();
    decode_records(&list).ok()?.first()?.peek().ok()
}

#[cfg(test)]
mod tests {
    use hallmesh_protocol::calendar::Calendar;
    use hallmesh_protocol::ids::{Digest, HallAt, HallId};
    use hallmesh_protocol::record::{Body, encode_records};
    use hallmesh_protocol::seal::{SecretKey, Suite};
    use hallmesh_protocol::signed::Signed;

    use super::*;

    fn hall(code: u64) -> Issuer {
        Issuer::Hall(HallAt { hall: HallId::from_u64(code).expect("a hall"), incarnation: 1 })
    }

    fn written(version: u32, issuer: Issuer) -> Writes {
        let body = Body::Calendar(Calendar::default());
        let record =
            Record { issuer, version, previous: Digest([0; 32]), withdrawn: false, effective_from: 0, body };
        let signed = Signed::sign(&record, &[(0, &SecretKey::from_seed(Suite::Toy, [1; 32]))]);
        let mut row = encode_records(&[signed]);
        row.drain(1..9);
        [(vec![table::RECORD, 2], Some(row.into()))].into()
    }

    #[test]
    fn a_version_that_falls_and_a_hall_below_are_seen() {
        let (city, county) = (hall(62_070_000_000_000), hall(62_070_100_000_000));
        let mut check = Forwards::default();
        let mut found = |version, issuer| check.commits(1, &written(version, issuer)).len();
        assert_eq!(found(1, Issuer::Root) + found(2, county) + found(3, city), 1, "a county after the root");
        assert_eq!([found(4, city), found(3, city), found(5, county), found(1, city)], [0, 1, 1, 0]);
        assert!(check.commits(2, &written(1, county)).is_empty());
    }
}
