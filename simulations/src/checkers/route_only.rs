//! On the route only (P5): a case's key is wrapped for the hall that takes it in and the hall that decides, for nobody
//! else, but for recovery by the halls above these; and what stands in clear does not tell where the applicant lives.

use std::collections::BTreeMap;

use hallmesh_protocol::cases::{CaseFile, Facts, Wrap};
use hallmesh_protocol::ids::{CaseId, DivisionCode, HallId};

/// Who is on the route of each case.
#[derive(Debug, Default)]
pub struct RouteOnly {
    routes: BTreeMap<CaseId, [HallId; 2]>,
}

impl RouteOnly {
    /// What is wrong with a case as a hall has just committed it.
    pub fn kept(&mut self, case: CaseId, file: &CaseFile) -> Option<String> {
        let first = file.events.first()?.header().ok()?;
        let Facts::Receive { competent, place, .. } = first.facts else { return None };
        let route = *self.routes.entry(case).or_insert([first.at.hall, competent]);
        if let Some(how) = off_route(case, file, route) {
            return Some(how);
        }
        told(case, place, competent)
    }
}

fn off_route(case: CaseId, file: &CaseFile, route: [HallId; 2]) -> Option<String> {
    let above = |hall: HallId| route.iter().any(|it| hall.division().covers(it.division()));
    let known = |wrap: &Wrap| route.contains(&wrap.to.hall) || wrap.recovery && above(wrap.to.hall);
    let stranger = file.wraps.iter().find(|wrap| !known(wrap))?;
    Some(format!("case {case}: {} has a key and is not on the route {route:?}", stranger.to))
}

fn told(case: CaseId, place: DivisionCode, competent: HallId) -> Option<String> {
    (place != competent.division())
        .then(|| format!("case {case} tells in clear where the applicant lives: {place}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_is_not_the_deciding_hall_s_is_seen() {
        let village = DivisionCode::from_u64(620_702_203_200).expect("a village");
        let county = HallId::main(DivisionCode::from_u64(620_702_000_000).expect("a county"));
        let case = CaseId([1; 16]);
        assert!(told(case, village, county).is_some());
        assert!(told(case, county.division(), county).is_none());
    }
}
