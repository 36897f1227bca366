//! Same standard (P3) and no centre (P4) at the window: whichever hall a citizen walks into, and whoever else is dead, the
//! answer is the one that the model of the city gives, and it comes.

use hallmesh_protocol::cases::{NoRoute, Refusal};
use hallmesh_protocol::step::Reply;

use super::lives::Lives;
use crate::people::Asked;
use crate::reference::{Expected, Reference};
use crate::station::Seat;

/// Compares answers at windows with the model.
#[derive(Debug, Default)]
pub struct SameStandard {
    model: Reference,
}

impl SameStandard {
    /// Compares with this model.
    pub fn new(model: Reference) -> Self {
        Self { model }
    }

    /// What is wrong with an answer.
    pub fn answered(&self, seat: Seat, asked: &Asked, reply: &Reply, lives: &Lives) -> Option<String> {
        if let Asked::Forbidden(why) = asked {
            let refused = matches!(reply, Reply::Refused(_));
            return (!refused).then(|| format!("hall {seat} did what it may not: {why}"));
        }
        let Asked::Receive { matter, place } = asked else { return None };
        let expected = self.model.expected(matter, *place);
        let fits = match (reply, expected) {
            (Reply::Received { route, .. }, Expected::Decides(hall)) if route.competent.hall == hall => true,
            // A hall that has forgotten what it signed takes nothing in; whether it may say so is looked at elsewhere.
            (Reply::Refused(Refusal::RolledBack), _)
            | (Reply::Refused(Refusal::Route(NoRoute::OutsideArea)), Expected::OutsideArea)
            | (Reply::Refused(Refusal::Route(NoRoute::PlaceTooWide { .. })), Expected::TooWide)
            | (Reply::Refused(Refusal::Route(NoRoute::NoHall { .. })), Expected::Nothing) => true,
            // Who decides was stated by a machine that was stolen since.
            (Reply::Received { .. }, Expected::Decides(_))
                if lives.publisher_was_stolen(self.model.publisher(matter)) =>
            {
                true
            }
            // A hall that was installed a moment ago has no lists yet; and what a stolen machine has stated counts for
            // nothing until the new life of its hall states it again.
            (
                Reply::Refused(
                    Refusal::Route(NoRoute::UnknownMatter | NoRoute::NoRight { .. }) | Refusal::NoCalendar,
                ),
                _,
            ) => lives.lost_a_disk(seat) || lives.publisher_was_stolen(self.model.publisher(matter)),
            (
                Reply::Refused(Refusal::Route(NoRoute::NoHall { .. }) | Refusal::NoKeyForRoute),
                Expected::Decides(hall),
            ) => lives.lost_a_disk(seat) || lives.hall_lost_a_disk(hall),
            _other => false,
        };
        (!fits).then(|| {
            format!("hall {seat} answers {matter} for {place} with {reply:?}, expected {expected:?}")
        })
    }
}

#[cfg(test)]
mod tests {
    use hallmesh_protocol::chance::Chance;
    use hallmesh_protocol::ids::{DivisionCode, HallId};

    use super::*;
    use crate::city::{City, made_up};

    #[test]
    fn a_refusal_where_the_model_has_a_deciding_hall_is_seen() {
        let (city, _) = City::found(&made_up(1, 1, 1), &mut Chance::from_seed([1; 32])).expect("a city");
        let (check, mut lives) = (SameStandard::new(Reference::new(&city)), Lives::new(&city.halls));
        let matter = city.matters.first().expect("a matter").code.clone();
        let asked =
            Asked::Receive { matter, place: DivisionCode::from_u64(620_701_001_001).expect("a place") };
        let refused = |why| Reply::Refused(Refusal::Route(why));
        let answer = |reply: &Reply, lives: &Lives| check.answered(3, &asked, reply, lives).is_some();
        assert!(answer(&refused(NoRoute::OutsideArea), &lives));
        assert!(answer(&refused(NoRoute::UnknownMatter), &lives));
        let at = lives.at(3).expect("a life");
        assert_eq!(at.hall, HallId::main(DivisionCode::from_u64(620_701_001_001).expect("a place")));
        lives.end(at);
        assert!(!answer(&refused(NoRoute::UnknownMatter), &lives));
    }
}
