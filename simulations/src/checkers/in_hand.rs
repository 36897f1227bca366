//! In hand: a hall that has a case to work on can do so. It has the case's key, and the hall that took the case in
//! has the version of the matter that was pinned there, which holds where the case is decided. In the end every
//! case is whole on a second disk.

use hallmesh_protocol::cases::{Custody, Grade, Stage, Wrap};
use hallmesh_protocol::ids::HallAt;
use hallmesh_protocol::query::CaseView;

/// Looks at halls with a case in hand.
#[derive(Debug)]
pub struct InHand;

impl InHand {
    /// What is wrong with the keys of a case where it is held or worked on. A life that follows another one has to wait
    /// for its key.
    pub fn key(me: HallAt, view: &CaseView, wraps: &[Wrap]) -> Option<String> {
        if view.case.position.term > 0 {
            return None;
        }
        let works = view.custody.is_some_and(|it| matches!(it.stage, Stage::Holder | Stage::Custodian));
        let missing = works && !wraps.iter().any(|wrap| wrap.to == me && !wrap.recovery);
        missing.then(|| format!("case {}: {me} has it and no key to it", view.case.id))
    }

    /// What is wrong with the matter of a case where it was taken in.
    pub fn matter(me: HallAt, view: &CaseView) -> Option<String> {
        let (id, competent) = (view.case.id, view.case.competent);
        if view.case.receiving != me.hall {
            return None;
        }
        let Some(pinned) = &view.matter else {
            return Some(format!("case {id}: {me} pinned a version that it does not have"));
        };
        let area = pinned.matter.area;
        let outside = !area.covers(competent.division());
        outside.then(|| format!("case {id}: {competent} decides a matter that holds in {area} only"))
    }

    /// What is wrong with a hall's part in a case when all is over and `copies` other halls keep all of it.
    pub fn ends(me: HallAt, view: &CaseView, copies: usize) -> Option<String> {
        let id = view.case.id;
        match view.custody {
            Some(Custody { stage: Stage::Custodian, grade: Grade::D1, .. }) => {
                Some(format!("case {id}: {me} ends with it on one disk (D1)"))
            }
            Some(Custody { stage: Stage::Custodian, .. }) if copies == 0 => {
                Some(format!("case {id}: no other hall ends with all of what {me} has"))
            }
            Some(_) | None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use hallmesh_protocol::cases::FIRST_KEY;
    use hallmesh_protocol::cases::{Case, Position};
    use hallmesh_protocol::catalogue::PinnedMatter;
    use hallmesh_protocol::chance::Chance;
    use hallmesh_protocol::ids::Digest;

    use super::super::lawful_log::tests::{COUNTY, TOWN, at, event, receive};
    use super::*;
    use crate::city::{City, made_up};

    fn view(stage: Stage, grade: Grade, matter: Option<PinnedMatter>) -> CaseView {
        let case = Case::begin(&event(TOWN, 0, receive()), Digest([0; 32])).expect("a case");
        let custody = Custody { position: Position::default(), stage, mirror: false, grade };
        CaseView { case, custody: Some(custody), matter }
    }

    #[test]
    fn a_hall_that_cannot_read_its_case_is_seen() {
        let (city, _) = City::found(&made_up(1, 1, 0), &mut Chance::from_seed([7; 32])).expect("a city");
        let wrap = |to, recovery| Wrap { to, recovery, of: FIRST_KEY, key: city.wrapped.clone() };
        let (town, holder) = (at(TOWN), view(Stage::Holder, Grade::D1, None));
        assert_eq!(InHand::key(town, &holder, &[wrap(town, false)]), None);
        assert!(InHand::key(town, &holder, &[wrap(town, true), wrap(at(COUNTY), false)]).is_some());
        assert_eq!(InHand::key(town, &view(Stage::None, Grade::D1, None), &[]), None);
    }

    #[test]
    fn a_version_that_is_gone_and_a_matter_of_elsewhere_are_seen() {
        let (city, _) = City::found(&made_up(2, 1, 0), &mut Chance::from_seed([7; 32])).expect("a city");
        let pinned = |area: u64| {
            let all: BTreeSet<_> = city.matters.iter().map(|matter| matter.area).collect();
            let area = all.into_iter().find(|it| it.as_u64() == area).expect("an area");
            let matter = city.matters.iter().find(|matter| matter.area == area).expect("a matter").clone();
            view(
                Stage::Custodian,
                Grade::D1,
                Some(PinnedMatter { matter, version: 1, digest: Digest([0; 32]) }),
            )
        };
        assert_eq!(InHand::matter(at(TOWN), &pinned(620_702_000_000)), None);
        assert!(InHand::matter(at(TOWN), &pinned(620_701_000_000)).is_some());
        let gone = view(Stage::Custodian, Grade::D1, None);
        assert!(InHand::matter(at(TOWN), &gone).is_some());
        assert_eq!(InHand::matter(at(COUNTY), &gone), None);
    }

    #[test]
    fn a_case_that_ends_on_one_disk_is_seen() {
        let ends = |grade, copies| InHand::ends(at(TOWN), &view(Stage::Custodian, grade, None), copies);
        assert_eq!(ends(Grade::D2, 1), None);
        assert!(ends(Grade::D1, 1).is_some());
        assert!(ends(Grade::D2, 0).is_some());
    }
}
