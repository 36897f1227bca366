//! Explained (P8): whoever has a case says where it is. Following from hall to hall what each says, one comes to the hall
//! that has it in hand.

use std::collections::BTreeMap;

use hallmesh_protocol::ids::{CaseId, HallId};

/// Where a hall says a case is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// Here, in hand.
    Here,
    /// At that hall.
    At(HallId),
}

/// Follows what halls say.
#[derive(Debug)]
pub struct Explained;

impl Explained {
    /// What is wrong with what the halls of a case say, when all is quiet.
    pub fn ended(case: CaseId, says: &BTreeMap<HallId, Says>) -> Vec<String> {
        let lost = says.keys().filter(|hall| !leads_home(**hall, says));
        lost.map(|hall| format!("case {case}: {hall} sends people who ask for it astray")).collect()
    }
}

fn leads_home(from: HallId, says: &BTreeMap<HallId, Says>) -> bool {
    let mut hall = from;
    for _hop in 0..=says.len() {
        match says.get(&hall) {
            Some(Says::Here) => return true,
            Some(Says::At(next)) => hall = *next,
            None => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_and_a_hall_that_knows_nothing_are_seen() {
        let hall = |last: u64| HallId::from_u64(62_070_000_000_000 + last * 100_000_000).expect("a hall");
        let [one, two, three] = [1, 2, 3].map(hall);
        let ended = |says: &[(HallId, Says)]| {
            Explained::ended(CaseId([1; 16]), &says.iter().copied().collect()).len()
        };
        assert_eq!(ended(&[(one, Says::At(two)), (two, Says::At(three)), (three, Says::Here)]), 0);
        assert_eq!(ended(&[(one, Says::At(two)), (two, Says::At(one)), (three, Says::Here)]), 2);
        assert_eq!(ended(&[(one, Says::At(two))]), 1);
    }
}
