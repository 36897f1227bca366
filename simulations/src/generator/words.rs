//! Names, put together from words.

use anyhow::Context;
use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::ids::Tier;
use serde::Deserialize;

use super::divisions::Place;
use super::pick;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    objects: Vec<String>,
    qualifiers: Vec<String>,
    actions: Vec<String>,
    common_shared: Vec<String>,
    common_applicant: Vec<String>,
    material_forms: Vec<String>,
    law_forms: Vec<String>,
    departments: Vec<String>,
    results: Vec<String>,
    place_first: Vec<String>,
    place_second: Vec<String>,
    counties: Vec<String>,
}

impl Words {
    pub(super) fn read() -> anyhow::Result<Words> {
        toml::from_str(include_str!("words.toml")).context("the words of made-up lists")
    }

    /// Its name: the same for all halls that list it.
    pub(super) fn matter(&self, base: u64) -> String {
        let object = nth(&self.objects, base);
        let action = nth(&self.actions, base / length(&self.objects) + base);
        let qualifier = nth(&self.qualifiers, base * 7 + base / length(&self.objects));
        format!("{object}{action}{qualifier}")
    }

    /// Which authority of a place answers for it: a number in its place, and its name.
    pub(super) fn authority(&self, place: &Place, chance: &mut Chance) -> (u16, String) {
        let department = pick(chance, self.departments.len());
        match place.code.tier() {
            Tier::City | Tier::County => {
                let named = self.departments.get(department).map_or("", String::as_str);
                (u16::try_from(department).unwrap_or(0) + 1, format!("{}{named}局", place.name))
            }
            Tier::Township => (1, format!("{}人民政府", place.name)),
            Tier::Village => (1, format!("{}村民委员会", place.name)),
        }
    }

    pub(super) fn result(&self, chance: &mut Chance) -> String {
        nth(&self.results, chance.below(length(&self.results))).to_owned()
    }

    /// One that everybody asks for, and whether government holds it.
    pub(super) fn common_material(&self, chance: &mut Chance) -> (String, bool) {
        let shared = chance.below(2) == 0;
        let names = if shared { &self.common_shared } else { &self.common_applicant };
        (nth(names, chance.below(length(names))).to_owned(), shared)
    }

    pub(super) fn material(&self, number: u64) -> String {
        let objects = length(&self.objects);
        let edition = number / objects / length(&self.material_forms);
        let form = nth(&self.material_forms, number / objects);
        let copy = if edition == 0 { "" } else { "（复印件）" };
        format!("{}{form}{copy}", nth(&self.objects, number))
    }

    pub(super) fn law(&self, number: u64) -> String {
        nth(&self.law_forms, number / length(&self.objects)).replace("{}", nth(&self.objects, number))
    }

    pub(super) fn county(&self, number: u64) -> String {
        nth(&self.counties, number).to_owned()
    }

    pub(super) fn place(&self, number: u64, what: &str) -> String {
        let first = nth(&self.place_first, number);
        let second = nth(&self.place_second, number / length(&self.place_first) + number);
        let third = number / length(&self.place_first) / length(&self.place_second);
        let third = if third == 0 { "" } else { nth(&self.place_first, third + 3) };
        format!("{first}{third}{second}{what}")
    }
}

fn length(of: &[String]) -> u64 {
    u64::try_from(of.len()).unwrap_or(1).max(1)
}

fn nth(of: &[String], number: u64) -> &str {
    let place = usize::try_from(number % length(of)).unwrap_or(0);
    of.get(place).map_or("", String::as_str)
}
