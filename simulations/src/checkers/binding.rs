//! Binding: no citizen has a result that one disk could take back. A result is handed out once a second hall has kept the
//! decision, but where the matter lets a hall decide that is cut off.

use std::collections::BTreeSet;

use hallmesh_protocol::cases::{Deed, Facts, Header};
use hallmesh_protocol::catalogue::Matter;
use hallmesh_protocol::ids::MatterCode;

/// The matters of which a result may be handed out while one hall alone knows of it, as the city was founded with them.
#[derive(Debug, Default)]
pub struct Binding {
    offline: BTreeSet<MatterCode>,
}

impl Binding {
    /// Of a city with these matters.
    pub fn new(matters: &[Matter]) -> Self {
        let offline = matters.iter().filter(|matter| matter.offline_decision);
        Self { offline: offline.map(|matter| matter.code.clone()).collect() }
    }

    /// A hall keeps this log, of which `copies` says how many halls have ever kept so many events at least. What is wrong
    /// with its delivery, if it ends with one?
    pub fn check(&self, log: &[Header], copies: impl Fn(u32) -> usize) -> Option<String> {
        let delivered = log.last().filter(|last| matches!(last.facts, Facts::Act(Deed::Deliver)))?;
        let decided = log.iter().rfind(|header| matches!(header.facts, Facts::Act(Deed::Decide { .. })))?;
        let Facts::Receive { matter, .. } = &log.first()?.facts else { return None };
        let alone = copies(decided.sequence.saturating_add(1)) < 2;
        let case = delivered.case;
        (alone && !self.offline.contains(matter)).then(|| {
            format!("case {case}: delivered at {}, no other hall ever kept the decision", delivered.at)
        })
    }
}

#[cfg(test)]
mod tests {
    use hallmesh_protocol::chance::Chance;

    use super::super::lawful_log::tests::{COUNTY, event, receive};
    use super::*;
    use crate::city::{City, made_up};

    fn log() -> Vec<Header> {
        let acts = [receive(), Facts::Act(Deed::Accept), Facts::Act(Deed::GRANT), Facts::Act(Deed::Deliver)];
        (0..).zip(acts).map(|(sequence, facts)| event(COUNTY, sequence, facts)).collect()
    }

    #[test]
    fn a_delivery_without_a_second_copy_of_the_decision_is_seen() {
        let strict = Binding::default();
        assert!(strict.check(&log(), |_| 1).is_some());
        assert_eq!(strict.check(&log(), |events| if events <= 3 { 2 } else { 1 }), None);
        assert!(strict.check(&log(), |events| if events <= 2 { 2 } else { 1 }).is_some());
        let decided = log().into_iter().take(3).collect::<Vec<_>>();
        assert_eq!(strict.check(&decided, |_| 1), None, "what is not delivered may wait");
    }

    #[test]
    fn where_a_cut_off_hall_may_decide_nothing_is_said() {
        let (city, _) = City::found(&made_up(1, 1, 0), &mut Chance::from_seed([7; 32])).expect("a city");
        let mut matters = city.matters;
        for matter in &mut matters {
            matter.code = "SIM-county-001".parse().expect("a code");
            matter.offline_decision = true;
        }
        assert_eq!(Binding::new(&matters).check(&log(), |_| 1), None);
        for matter in &mut matters {
            matter.offline_decision = false;
        }
        assert!(Binding::new(&matters).check(&log(), |_| 1).is_some());
    }
}
