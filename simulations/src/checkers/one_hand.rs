//! One hand (P2): a case is in at most one hall's hand, hands change only forwards and before a witness, and
//! there is one log.

use std::collections::BTreeMap;

use hallmesh_protocol::cases::{Facts, Header, Position, Stage};
use hallmesh_protocol::ids::{CaseId, HallAt, HallId};

use crate::station::Seat;

/// Who believes to have which case in hand, and what each place of each log says.
#[derive(Debug, Default)]
pub struct OneHand {
    hands: BTreeMap<CaseId, BTreeMap<Seat, Position>>,
    highest: BTreeMap<CaseId, Position>,
    logs: BTreeMap<(CaseId, u32), Vec<Logged>>,
}

/// An event in a log: what it is, and who has signed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Logged {
    /// BLAKE3 of its row.
    pub event: [u8; 32],
    /// The life that has signed it; none if it cannot be read.
    pub by: Option<HallAt>,
}

impl OneHand {
    /// A hall committed its part in a case. Says what is wrong with that.
    pub fn stands(&mut self, seat: Seat, case: CaseId, stage: Stage, position: Position) -> Option<String> {
        let hands = self.hands.entry(case).or_default();
        if stage != Stage::Custodian {
            hands.remove(&seat);
            return None;
        }
        let new = hands.insert(seat, position).is_none();
        if hands.len() > 1 {
            return Some(format!("case {case} is in the hands of halls {:?}", hands.keys()));
        }
        let highest = self.highest.entry(case).or_insert(position);
        if new && position < *highest {
            return Some(format!("case {case}: hall {seat} took it at {position:?} after {highest:?}"));
        }
        *highest = position.max(*highest);
        None
    }

    /// A hall lost its disk, and with it whatever it had in hand.
    pub fn disk_lost(&mut self, seat: Seat) {
        for hands in self.hands.values_mut() {
            hands.remove(&seat);
        }
    }

    /// Whether a hall already has a case in hand, as far as it was seen.
    pub fn has_in_hand(&self, seat: Seat, case: CaseId) -> bool {
        self.hands.get(&case).is_some_and(|hands| hands.contains_key(&seat))
    }

    /// A hall has newly taken a case; `keeps` says how many events of it a hall keeps. The witness it names
    /// must be a mirror of the epoch before and have recorded everything up to the hand-over.
    pub fn witnessed(log: &[Header], me: HallId, keeps: impl Fn(HallId) -> u32) -> Option<String> {
        let taken = log.iter().rposition(|header| header.at.hall == me && is_take(header))?;
        let (before, rest) = log.split_at_checked(taken)?;
        let take = rest.first()?;
        let Facts::Take { witness, .. } = take.facts else { return None };
        let mirrors = mirrors(before);
        let recorded = keeps(witness.hall) >= take.sequence;
        let lawful = mirrors.contains(&witness) && recorded;
        let case = take.case;
        (!lawful).then(|| format!("case {case}: {me} took it, {witness} witnessed nothing"))
    }

    /// A hall committed an event of a log. Only one hall can have written it, so it is the same everywhere. Gives those
    /// who have signed two, the first one first.
    pub fn logged(&mut self, case: CaseId, sequence: u32, new: Logged) -> Option<(Logged, Logged)> {
        let known = self.logs.entry((case, sequence)).or_default();
        if known.contains(&new) {
            return None;
        }
        known.push(new);
        known.first().filter(|first| **first != new).map(|first| (*first, new))
    }
}

fn is_take(header: &Header) -> bool {
    matches!(header.facts, Facts::Take { .. })
}

/// The mirrors of the epoch in which a log ends. Those that a hand-over names count once it is taken.
fn mirrors(log: &[Header]) -> Vec<HallAt> {
    let (mut now, mut next) = ([None, None], [None, None]);
    for header in log {
        match &header.facts {
            Facts::Receive { mirrors, .. }
            | Facts::ReplaceMirror { mirrors }
            | Facts::Succeed { mirrors, .. } => now = *mirrors,
            Facts::Transfer { mirrors, .. } => next = *mirrors,
            Facts::Take { .. } => now = next,
            Facts::Resume { .. }
            | Facts::Act(_)
            | Facts::Reassign { .. }
            | Facts::RenewKey { .. }
            | Facts::Task(_)
            | Facts::Start { .. }
            | Facts::Unknown { .. } => {}
        }
    }
    now.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use hallmesh_protocol::ids::{ClerkId, Digest};

    use super::*;

    const CASE: CaseId = CaseId([7; 16]);

    fn epoch(epoch: u32) -> Position {
        Position { term: 0, epoch }
    }

    #[test]
    fn a_lawful_hand_over_passes() {
        let mut check = OneHand::default();
        assert_eq!(check.stands(1, CASE, Stage::Custodian, epoch(0)), None);
        assert_eq!(check.stands(1, CASE, Stage::Handing, epoch(0)), None);
        assert_eq!(check.stands(2, CASE, Stage::Holder, epoch(1)), None);
        assert_eq!(check.stands(2, CASE, Stage::Custodian, epoch(1)), None);
    }

    #[test]
    fn two_hands_are_seen() {
        let mut check = OneHand::default();
        assert_eq!(check.stands(1, CASE, Stage::Custodian, epoch(0)), None);
        assert!(check.stands(2, CASE, Stage::Custodian, epoch(1)).is_some());
    }

    #[test]
    fn a_hand_that_goes_back_in_time_is_seen() {
        let mut check = OneHand::default();
        assert_eq!(check.stands(1, CASE, Stage::Custodian, epoch(3)), None);
        assert_eq!(check.stands(1, CASE, Stage::Handing, epoch(3)), None);
        assert!(check.stands(2, CASE, Stage::Custodian, epoch(2)).is_some());
    }

    fn at(code: u64) -> HallAt {
        HallAt { hall: HallId::from_u64(code).expect("a hall"), incarnation: 1 }
    }

    fn header(at: HallAt, sequence: u32, facts: Facts) -> Header {
        let zero = Digest([0; 32]);
        Header {
            suite: 1,
            case: CASE,
            position: epoch(0),
            sequence,
            boot: 1,
            at,
            clerk: ClerkId::node(at.hall),
            body: None,
            wall: 0,
            suspect_time: false,
            matter: zero,
            calendar: zero,
            previous: zero,
            sealed: zero,
            facts,
        }
    }

    #[test]
    fn taking_without_a_mirror_that_recorded_the_hand_over_is_seen() {
        let [giver, target, mirror, other] =
            [62_070_000_000_000, 62_070_100_000_000, 62_070_200_000_000, 62_070_300_000_000].map(at);
        let take = |witness| {
            let mirrors = [Some(mirror), None];
            vec![
                header(giver, 0, Facts::ReplaceMirror { mirrors }),
                header(target, 1, Facts::Take { witness }),
            ]
        };
        let check = |witness, kept| OneHand::witnessed(&take(witness), target.hall, |_| kept);
        assert_eq!(check(mirror, 1), None);
        assert!(check(mirror, 0).is_some());
        assert!(check(other, 1).is_some());
    }

    #[test]
    fn two_events_at_one_place_are_seen() {
        let mut check = OneHand::default();
        let [one, other] = [1, 2].map(|event| Logged { event: [event; 32], by: None });
        assert_eq!(check.logged(CASE, 4, one), None);
        assert_eq!(check.logged(CASE, 4, one), None);
        assert_eq!(check.logged(CASE, 4, other), Some((one, other)));
        assert_eq!(check.logged(CASE, 4, other), None, "it is known by now");
    }
}
