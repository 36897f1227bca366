//! Made-up lists are as large and as repetitive as they are said to be, and the core takes them.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a failure here is a failed test"
)]

use std::collections::BTreeSet;

use hallmesh_protocol::ids::Tier;
use hallmesh_simulations::generator::{HallList, Lists};

fn lists(entries: usize, seed: u64) -> Vec<HallList> {
    Lists::new(entries, seed).unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_city_has_the_entries_asked_for_in_every_hall() {
    let lists = lists(55_000, 1);
    assert_eq!(lists.len(), 985);
    let of_tier = |tier| {
        let of_tier = lists.iter().filter(|list| list.place.code.tier() == tier);
        of_tier.map(|list| list.matters.len()).collect::<Vec<_>>()
    };
    assert_eq!(lists.iter().map(|list| list.matters.len()).sum::<usize>(), 55_000);
    assert!(of_tier(Tier::City)[0].abs_diff(1_237) < 2);
    assert!(of_tier(Tier::County).iter().all(|count| count.abs_diff(1_341) < 2));
    assert!(of_tier(Tier::Township).iter().all(|count| count.abs_diff(123) < 2));
    assert!(of_tier(Tier::Village).iter().all(|count| count.abs_diff(41) < 2));
}

#[test]
fn every_entry_is_lawful_and_has_a_code_of_its_own() {
    let lists = lists(55_000, 1);
    let matters: Vec<_> = lists.iter().flat_map(|list| &list.matters).collect();
    assert!(matters.iter().all(|matter| matter.check() == Ok(())));
    assert!(matters.iter().all(|matter| matter.code.body() == Some(matter.body)));
    let codes: BTreeSet<_> = matters.iter().map(|matter| &matter.code).collect();
    assert_eq!(codes.len(), 55_000);
}

/// Published means and numbers of distinct names (see the generator), within five in a hundred.
#[test]
fn entries_are_as_repetitive_as_real_ones() {
    let lists = lists(55_000, 1);
    let matters: Vec<_> = lists.iter().flat_map(|list| &list.matters).collect();
    let materials: Vec<_> = matters.iter().flat_map(|matter| &matter.materials).collect();
    let cited: Vec<_> = matters.iter().flat_map(|matter| matter.basis.split('；')).collect();
    let near = |found: usize, wanted: usize| found.abs_diff(wanted) * 20 <= wanted;
    assert!(near(materials.len() * 100 / matters.len(), 535), "{} materials", materials.len());
    assert!(near(cited.len() * 100 / matters.len(), 1_350), "{} citations", cited.len());
    let articles: BTreeSet<_> = cited.into_iter().collect();
    let laws: BTreeSet<_> = articles.iter().filter_map(|article| article.split('》').next()).collect();
    let names: BTreeSet<_> = materials.iter().map(|material| &material.name).collect();
    assert!(
        near(laws.len(), 1_219) && articles.len() <= 5_185,
        "{} laws, {} articles",
        laws.len(),
        articles.len()
    );
    assert!(articles.len() > 4_000 && (5_000..=9_455).contains(&names.len()), "{} materials", names.len());
}

#[test]
fn one_seed_gives_one_city() {
    let matters = |seed| lists(2_000, seed).into_iter().flat_map(|list| list.matters).collect::<Vec<_>>();
    assert_eq!(matters(7), matters(7));
    assert_ne!(matters(7), matters(8));
}
