//! Revoked: a hall that has the revocation of a stolen machine seals nothing more for that life, nor under a key that it
//! was given before, and takes nothing more from it.

use std::collections::BTreeSet;

use hallmesh_protocol::cases::{CaseFile, SignedEvent, Stage, Wrap};
use hallmesh_protocol::directory::Directory;
use hallmesh_protocol::ids::{CaseId, HallAt};
use hallmesh_protocol::query::CaseView;
use hallmesh_protocol::record::Issuer;
use hallmesh_protocol::step::{View, Writes};

use super::{forwards, table};
use crate::station::Seat;

/// Lives whose machine was stolen.
#[derive(Debug, Default)]
pub struct Revoked {
    stolen: BTreeSet<HallAt>,
    /// What each hall already kept for a giver when it heard of the theft.
    held: BTreeSet<(Seat, CaseId)>,
    /// Events in what the hall commits now.
    fresh: BTreeSet<(CaseId, u32)>,
    /// The hall that commits now is told of a revocation in this very commit: what came before it in the batch was lawful.
    is_being_told: bool,
}

impl Revoked {
    /// The machine of a life was stolen.
    pub fn stolen(&mut self, at: HallAt) {
        self.stolen.insert(at);
    }

    /// A hall commits.
    pub fn commits(&mut self, writes: &Writes) {
        let told = |key: &Vec<u8>| {
            key.first() == Some(&table::RECORD) && key.windows(11).any(|it| it == b"revocation/")
        };
        self.is_being_told = !self.stolen.is_empty() && writes.keys().any(told);
        self.fresh.clear();
        if !self.stolen.is_empty() {
            self.fresh.extend(writes.keys().filter_map(|key| event(key)));
        }
    }

    /// What is wrong with a case as a hall, living this life, has just committed it. What a mirror had `recorded` of a
    /// stolen machine is good, whoever brings it.
    pub fn kept(
        &mut self,
        (seat, me): (Seat, Option<HallAt>),
        (view, file): (&CaseView, &CaseFile),
        recorded: bool,
        disk: &dyn View,
    ) -> Option<String> {
        let holds = view.custody.is_some_and(|custody| custody.stage == Stage::Holder);
        let taken =
            if holds { self.held.insert((seat, view.case.id)) } else { self.let_go(seat, view.case.id) };
        if self.stolen.is_empty() || self.is_being_told {
            return None;
        }
        let (id, giver) = (view.case.id, view.case.custodian);
        let by = |event: &SignedEvent| event.header().ok().map(|header| header.at);
        let new = file.events.len() == 1 && file.events.first().and_then(by) == me;
        let sealed_for = file.wraps.iter().find(|wrap| new && self.is_known(wrap.to, disk));
        if let Some(wrap) = sealed_for {
            return Some(format!("case {id} was sealed for {}, which is known to be revoked", wrap.to));
        }
        if let Some(thief) = me.and_then(|me| self.still_opens(me, (view, file), disk)) {
            return Some(format!(
                "case {id} was added to under a key that {thief} has, which is known to be revoked"
            ));
        }
        let wrong = taken && !recorded && self.is_known(giver, disk);
        wrong.then(|| format!("case {id} was taken from {giver}, which is known to be revoked"))
    }

    /// The stolen life that can open what a hall has just added to a case, if the hall could have given it another key.
    fn still_opens(
        &self,
        me: HallAt,
        (view, file): (&CaseView, &CaseFile),
        disk: &dyn View,
    ) -> Option<HallAt> {
        let added = |event: &SignedEvent| {
            let header = event.header().ok().filter(|header| header.at == me && !event.body().is_empty());
            header.is_some_and(|header| self.fresh.contains(&(header.case, header.sequence)))
        };
        // What is kept under the name of the hall at the top is kept by the root's holders, offline.
        let roots = |wrap: &Wrap| {
            wrap.recovery && Directory::new(disk).card(wrap.to).is_some_and(|card| card.parent.is_none())
        };
        let mut present = file.wraps.iter().filter(|it| it.of == view.case.key() && !roots(it));
        let opens = present.clone().any(|wrap| wrap.to == me) && file.events.iter().any(added);
        present.find(|wrap| opens && self.is_known(wrap.to, disk)).map(|wrap| wrap.to)
    }

    /// What a stolen machine has stated counts for nothing, revocations included.
    fn is_stolen_word(&self, row: &[u8]) -> bool {
        let issuer = forwards::record(row).map(|record| record.issuer);
        matches!(issuer, Some(Issuer::Hall(by)) if self.stolen.contains(&by))
    }

    fn let_go(&mut self, seat: Seat, case: CaseId) -> bool {
        self.held.remove(&(seat, case));
        false
    }

    /// Whether a life was stolen and this disk has its revocation.
    fn is_known(&self, at: HallAt, disk: &dyn View) -> bool {
        if !self.stolen.contains(&at) {
            return false;
        }
        let (mut found, name) = (false, format!("revocation/{at}"));
        disk.scan(&[table::RECORD], &[], &mut |key, row| {
            found = key.ends_with(name.as_bytes()) && !self.is_stolen_word(row);
            !found
        });
        found
    }
}

/// The case and the place of an event's row.
fn event(key: &[u8]) -> Option<(CaseId, u32)> {
    let (table, rest) = key.split_first()?;
    let (case, place) = rest.split_first_chunk::<16>().filter(|_| *table == table::EVENT)?;
    Some((CaseId(*case), u32::from_be_bytes(place.try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    use hallmesh_protocol::cases::{Case, Custody, Grade, Position};
    use hallmesh_protocol::ids::Digest;

    use super::super::lawful_log::tests::{TOWN, at, event, receive};
    use super::*;
    use crate::disk::Disk;

    #[test]
    fn a_case_from_a_life_that_is_known_to_be_revoked_is_seen() {
        let mut disk = Disk::empty();
        let case = Case::begin(&event(TOWN, 0, receive()), Digest([0; 32])).expect("a case");
        let custody =
            Custody { position: Position::default(), stage: Stage::Holder, mirror: false, grade: Grade::D1 };
        let view = CaseView { case, custody: Some(custody), matter: None };
        let mut check = Revoked::default();
        let seen = |check: &mut Revoked, seat: Seat, disk: &Disk| {
            check.kept((seat, None), (&view, &CaseFile::default()), false, disk).is_some()
        };
        assert!(!seen(&mut check, 1, &disk));
        check.stolen(at(TOWN));
        assert!(!seen(&mut check, 2, &disk), "nobody has told this hall");
        let mut key = vec![table::RECORD, 1];
        key.extend(format!("revocation/{}", at(TOWN)).into_bytes());
        disk.commit([(key, Some(vec![1].into()))].into_iter().collect());
        assert!(!seen(&mut check, 2, &disk), "it kept the case before it was told");
        assert!(seen(&mut check, 3, &disk));
        check.commits(&[(b"\x10\x01revocation/x".to_vec(), Some(vec![1].into()))].into_iter().collect());
        assert!(!seen(&mut check, 4, &disk), "it is told in the same commit");
    }
}
