//! Provable (P6): every event that a hall keeps is signed by the life it names, with the key of that life's charter, and
//! points at the event before it.

use std::collections::BTreeMap;

use hallmesh_protocol::cases::SignedEvent;
use hallmesh_protocol::ids::{CaseId, Digest, HallAt};
use hallmesh_protocol::seal::PublicKey;

/// The keys of all lives, and how far each log was checked.
#[derive(Debug, Default)]
pub struct Provable {
    keys: BTreeMap<HallAt, PublicKey>,
    checked: BTreeMap<CaseId, (usize, Digest)>,
}

impl Provable {
    /// A life was chartered with this key.
    pub fn chartered(&mut self, at: HallAt, key: PublicKey) {
        self.keys.insert(at, key);
    }

    /// A hall keeps this log. What is wrong with the events that no hall kept before.
    pub fn kept(&mut self, case: CaseId, log: &[SignedEvent]) -> Option<String> {
        let nothing = (0, Digest([0; 32]));
        let (known, head) = self.checked.get(&case).copied().unwrap_or(nothing);
        // A succession may stand in the place of what only a lost disk had: then the log is read anew.
        let last = known.checked_sub(1).and_then(|last| log.get(last));
        let goes_on = last.is_none_or(|last| last.digest() == head);
        let (known, mut head) = if goes_on { (known, head) } else { nothing };
        for (sequence, event) in log.iter().enumerate().skip(known) {
            if let Some(wrong) = self.wrong(event, head) {
                return Some(format!("case {case}: event {sequence} {wrong}"));
            }
            head = event.digest();
        }
        self.checked.insert(case, (log.len().max(known), head));
        None
    }

    fn wrong(&self, event: &SignedEvent, before: Digest) -> Option<&'static str> {
        let Ok(header) = event.header() else { return Some("cannot be read") };
        if header.previous != before {
            return Some("does not point at the event before it");
        }
        let signed = self.keys.get(&header.at).is_some_and(|key| event.verify(key).is_ok());
        (!signed).then_some("is not signed by the life it names")
    }
}

#[cfg(test)]
mod tests {
    use hallmesh_protocol::cases::SignedEvent;
    use hallmesh_protocol::seal::{SecretKey, Suite};

    use super::super::lawful_log::tests::{TOWN, at, event, receive};
    use super::*;

    #[test]
    fn a_foreign_signature_and_a_broken_chain_are_seen() {
        let key = |seed| SecretKey::from_seed(Suite::Toy, [seed; 32]);
        let mut check = Provable::default();
        check.chartered(at(TOWN), key(1).public());
        let first = |by| SignedEvent::sign(event(TOWN, 0, receive()), Vec::new().into(), &key(by));
        let case = event(TOWN, 0, receive()).case;
        assert!(check.kept(case, &[first(2)]).is_some());
        assert_eq!(check.kept(case, &[first(1)]), None);
        let second = SignedEvent::sign(event(TOWN, 1, receive()), Vec::new().into(), &key(1));
        assert!(check.kept(case, &[first(1), second]).is_some());
    }
}
