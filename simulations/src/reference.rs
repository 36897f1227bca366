//! A small model of the city, written apart from the product: what should be true. It knows who decides what, and counts
//! days on its own fingers.

use std::collections::{BTreeMap, BTreeSet};

use hallmesh_protocol::calendar::CivilDay;
use hallmesh_protocol::ids::{DivisionCode, HallId, MatterCode, Tier};

use crate::city::City;
use crate::lists;
use crate::years;

/// What should come of a citizen's wish at any hall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// This hall decides.
    Decides(HallId),
    /// The matter is not for this place.
    OutsideArea,
    /// The place does not say which hall decides.
    TooWide,
    /// There is no such matter, or no hall where it would be decided.
    Nothing,
}

/// The city as it should be.
#[derive(Debug, Default)]
pub struct Reference {
    matters: BTreeMap<MatterCode, Decided>,
    halls: BTreeSet<HallId>,
}

#[derive(Clone, Copy, Debug)]
struct Decided {
    level: Tier,
    below: Option<Tier>,
    area: DivisionCode,
}

impl Reference {
    /// The model of a city. Who decides does not change in a run; what changes are limits and texts.
    pub fn new(city: &City) -> Self {
        let matters = city.matters.iter().map(|matter| {
            let below = lists::decided_below(&city.matters, matter);
            (matter.code.clone(), Decided { level: matter.level, below, area: matter.area })
        });
        Self { matters: matters.collect(), halls: city.halls.iter().map(|at| at.hall).collect() }
    }

    /// The hall that publishes a matter.
    pub fn publisher(&self, matter: &MatterCode) -> Option<HallId> {
        self.matters.get(matter).map(|decided| HallId::main(decided.area))
    }

    /// What should come of a wish for someone who lives at `place`, whichever hall is asked.
    pub fn expected(&self, matter: &MatterCode, place: DivisionCode) -> Expected {
        let Some(decided) = self.matters.get(matter) else { return Expected::Nothing };
        if !decided.area.covers(place) {
            return Expected::OutsideArea;
        }
        let line: Vec<_> = std::iter::once(place).chain(place.ancestors()).collect();
        let at = |tier: Tier| line.iter().find(|division| division.tier() == tier).copied();
        let division = decided.below.and_then(at).or_else(|| at(decided.level));
        let Some(division) = division else { return Expected::TooWide };
        let hall = HallId::main(division);
        if self.halls.contains(&hall) { Expected::Decides(hall) } else { Expected::Nothing }
    }

    /// The day by which something that began at `start` is due, for who knows the days up to and including a year.
    pub fn due(start: u64, days: u16, known_until: u16) -> CivilDay {
        Self::due_around(CivilDay::of_wall(start), days, known_until, &[]).unwrap_or(CivilDay::MAX)
    }

    /// The same without the days after some day up to and with another; none if such a time has no end yet and is reached.
    pub fn due_around(
        start: CivilDay,
        days: u16,
        known_until: u16,
        without: &[(CivilDay, Option<CivilDay>)],
    ) -> Option<CivilDay> {
        let (mut day, mut left) = (start, days);
        while left > 0 && day < CivilDay::MAX {
            day = day.next();
            let out = without.iter().find(|(from, to)| *from < day && to.is_none_or(|to| day <= to));
            if let Some((_, None)) = out {
                return None;
            }
            let known = (years::FIRST..=known_until).contains(&day.year());
            let worked = if known { years::is_worked(day) } else { !day.weekday().is_weekend() };
            left = left.saturating_sub(u16::from(worked && out.is_none()));
        }
        Some(day)
    }
}

#[cfg(test)]
mod tests {
    use hallmesh_protocol::chance::Chance;

    use super::*;
    use crate::city::made_up;

    fn code(digits: u64) -> DivisionCode {
        DivisionCode::from_u64(digits).expect("a division")
    }

    #[test]
    fn who_decides_follows_from_level_delegation_and_place() {
        let (city, _) = City::found(&made_up(2, 1, 1), &mut Chance::from_seed([1; 32])).expect("a city");
        let reference = Reference::new(&city);
        let expected =
            |matter: &str, place| reference.expected(&matter.parse().expect("a code"), code(place));
        let hall = |digits| Expected::Decides(HallId::main(code(digits)));
        assert_eq!(expected("SIM-city-002", 620_702_001_001), hall(620_700_000_000));
        assert_eq!(expected("SIM-city-001", 620_702_001_001), hall(620_702_000_000));
        assert_eq!(expected("SIM-city-001", 620_700_000_000), hall(620_700_000_000));
        assert_eq!(expected("SIM-county-002", 620_700_000_000), Expected::TooWide);
        assert_eq!(expected("SIM-own-620702", 620_701_001_001), Expected::OutsideArea);
    }

    #[test]
    fn days_are_counted_without_the_first_and_without_holidays() {
        let friday = crate::clock::FOUNDED + 3 * crate::plan::DAY;
        assert_eq!(Reference::due(friday, 1, 2026).to_string(), "2026-11-30");
        assert_eq!(Reference::due(friday, 4, 2026).to_string(), "2026-12-04", "the third is free");
        assert_eq!(Reference::due(friday, 25, 2026).to_string(), "2027-01-04");
        assert_eq!(Reference::due(friday, 24, 2026).to_string(), "2027-01-01");
        assert_eq!(Reference::due(friday, 24, 2027).to_string(), "2027-01-04");
    }
}
