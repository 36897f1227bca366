//! Neighbours and mirrors are computed, alike by every hall.
#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a failure here is a failed test"
)]

use std::collections::{BTreeMap, BTreeSet};

use hallmesh_protocol::directory::{Place, mirrors, neighbours};
use hallmesh_protocol::ids::{DivisionCode, HallAt, HallId, Tier};
use hallmesh_protocol::limits::NEIGHBOURS_MAX;

/// 1 city, 6 counties, 5 townships each, 10 villages each.
fn city() -> Vec<Place> {
    let mut codes = vec![(620_700_000_000_u64, None)];
    for county in 2..8_u64 {
        let county = 620_700_000_000 + county * 1_000_000;
        codes.push((county, Some(620_700_000_000)));
        for town in 1..6 {
            let town = county + town * 1_000;
            codes.push((town, Some(county)));
            codes.extend((201..211).map(|village| (town + village, Some(town))));
        }
    }
    let hall = |code: u64| HallId::main(DivisionCode::from_u64(code).unwrap());
    let card = |(code, parent): (u64, Option<u64>)| Place {
        at: HallAt { hall: hall(code), incarnation: 1 },
        tier: hall(code).tier(),
        parent: parent.map(hall),
    };
    codes.into_iter().map(card).collect()
}

#[test]
fn every_hall_knows_its_parent_and_nobody_keeps_too_many_lines() {
    let halls = city();
    let mut degree: BTreeMap<HallId, usize> = BTreeMap::new();
    for card in &halls {
        let chosen = neighbours(card.at.hall, &halls);
        assert!(chosen.len() <= NEIGHBOURS_MAX && !chosen.contains(&card.at.hall));
        assert!(card.parent.is_none_or(|parent| chosen.contains(&parent)));
        for other in chosen {
            *degree.entry(other).or_default() += 1;
        }
    }
    let villages = halls.iter().filter(|card| card.tier == Tier::Village);
    let busiest = villages.map(|card| degree.get(&card.at.hall).copied().unwrap_or(0)).max().unwrap();
    assert!(busiest <= 20, "a village is chosen by {busiest} halls");
}

fn reachable(halls: &[Place], dead: &dyn Fn(&Place) -> bool) -> (usize, usize) {
    let alive: BTreeSet<HallId> = halls.iter().filter(|card| !dead(card)).map(|card| card.at.hall).collect();
    let mut lines: BTreeMap<HallId, BTreeSet<HallId>> = BTreeMap::new();
    for one in &alive {
        for other in neighbours(*one, halls).into_iter().filter(|other| alive.contains(other)) {
            lines.entry(*one).or_default().insert(other);
            lines.entry(other).or_default().insert(*one);
        }
    }
    let mut seen = BTreeSet::new();
    let mut queue: Vec<HallId> = alive.iter().next().copied().into_iter().collect();
    while let Some(hall) = queue.pop() {
        if seen.insert(hall) {
            queue.extend(lines.get(&hall).into_iter().flatten());
        }
    }
    (seen.len(), alive.len())
}

#[test]
fn the_city_hangs_together_without_any_one_tier() {
    let halls = city();
    for tier in Tier::ALL {
        let (seen, alive) = reachable(&halls, &|card| card.tier == tier);
        assert_eq!(seen, alive, "without {}", tier.as_str());
    }
}

#[test]
fn mirrors_are_the_parent_and_a_sibling_on_another_uplink() {
    let halls = city();
    for card in halls.iter().filter(|card| card.tier > Tier::County) {
        let chosen = mirrors(card.at.hall, &halls);
        assert_eq!(chosen.len(), 2);
        assert_eq!(Some(chosen[0].hall), card.parent);
        let sibling = halls.iter().find(|other| other.at == chosen[1]).unwrap();
        assert_eq!(sibling.tier, card.tier);
        assert_ne!(sibling.parent, card.parent);
    }
    let top = mirrors(halls[0].at.hall, &halls);
    assert!(top.len() == 2 && top.iter().all(|at| at.hall.tier() == Tier::County), "{top:?}");
}

#[test]
fn a_hall_alone_has_nobody() {
    let halls = &city()[..1];
    assert!(neighbours(halls[0].at.hall, halls).is_empty());
    assert!(mirrors(halls[0].at.hall, halls).is_empty());
}
