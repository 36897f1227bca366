//! Going on in the place of a hall that is lost, by a ruling of a hall above (design section 7, point 5). What the lost hall
//! had in hand is taken up as after any loss, see `recovery`; here is what still has to go to it.

use super::desk::append;
use super::facts::Facts;
use super::fold::Case;
use super::{Office, Refusal};
use crate::directory::Directory;
use crate::ids::{ClerkId, HallAt, HallId};
use crate::step::View;
use crate::wire::Blob;

/// Puts whoever was ruled to in the place of a hall on the route that is lost; nothing if nobody was.
pub(super) fn reassign(
    office: &mut Office<'_, '_>,
    case: &Case,
    lost: HallId,
) -> Result<Option<Case>, Refusal> {
    let directory = Directory::new(office.cx);
    let ruled = directory.last_life(lost).and_then(|from| Some((from, directory.ruling(from)?)));
    let heir = directory.in_place_of(lost).map(|at| at.hall);
    let (Some((from, (ruling, _))), Some(to)) = (ruled, heir.filter(|heir| *heir != lost)) else {
        return Ok(None);
    };
    let clerk = ClerkId::node(office.me.at.hall);
    append(office, case, clerk, Facts::Reassign { from, to, ruling }, Blob::default()).map(Some)
}

/// Whether a hall may read a case: it is on its route, or acts in the place of a hall on it, or of the life that has it.
pub(super) fn may_read(view: &dyn View, case: &Case, hall: HallId) -> bool {
    let directory = Directory::new(view);
    let acts = |part: HallId| directory.in_place_of(part).is_some_and(|at| at.hall == hall);
    let follows = |life: HallAt| directory.successor(life).is_some_and(|at| at.hall == hall);
    case.has_on_route(hall)
        || [case.receiving, case.competent].into_iter().any(acts)
        || [case.owner(), case.custodian].into_iter().any(follows)
}
