//! Which halls a city has: a table of divisions, as people keep it.

use std::collections::BTreeMap;
use std::path::Path;

use hallmesh_protocol::ids::{DivisionCode, Tier};
use hallmesh_protocol::record::Body;
use serde::Deserialize;

use crate::lists::{self, ListTexts, sample};
use crate::ops::Problem;

/// First town code of the units that only the statistical table knows; they and what lies under them have no hall.
const SIMILAR_UNITS_FROM: u64 = 400;
/// Bytes of a table at the most.
const BYTES_MAX: u64 = 8 << 20;
/// Halls of one city at the most.
pub(super) const HALLS_MAX: usize = 20_000;
/// Digits of a division code below those of its city.
const BELOW_CITY: u64 = 100_000_000;

/// A hall that is to be founded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hall {
    /// Its division.
    pub(super) code: DivisionCode,
    /// Its name.
    pub(super) name: String,
    /// The hall above, by its place in the table: none for the city, which is the first.
    pub(super) above: Option<usize>,
}

#[derive(Debug, Deserialize)]
struct Line {
    tier: String,
    code12: String,
    name: String,
}

/// The halls in a file, or those of the sample city; those above first.
pub(super) fn read(file: Option<&Path>) -> Result<Vec<Hall>, Problem> {
    let Some(path) = file else {
        return parse(sample::DIVISIONS, "deploy/sample-city/zhangye/divisions.csv");
    };
    let unreadable = |why: String| unreadable(&path.display().to_string(), why);
    let size = std::fs::metadata(path).map_err(|why| unreadable(why.to_string()))?.len();
    if size > BYTES_MAX {
        return Err(unreadable(format!("> {BYTES_MAX} B")));
    }
    let text = std::fs::read_to_string(path).map_err(|why| unreadable(why.to_string()))?;
    parse(&text, &path.display().to_string())
}

/// Columns `tier,code12,name`, and whatever else is there.
pub(super) fn parse(text: &str, file: &str) -> Result<Vec<Hall>, Problem> {
    let mut names = BTreeMap::new();
    let text = text.trim_start_matches('\u{feff}');
    for (number, line) in (2_usize..).zip(csv::Reader::from_reader(text.as_bytes()).deserialize()) {
        let wrong = |why: String| unreadable(file, format!("{number}: {why}"));
        let line: Line = line.map_err(|why| wrong(why.to_string()))?;
        let code: DivisionCode = line.code12.parse().map_err(|_malformed| wrong(line.code12.clone()))?;
        if tier(&line.tier) != Some(code.tier()) {
            return Err(wrong(format!("{} {}", line.tier, line.code12)));
        }
        let similar = code.as_u64() / 1_000 % 1_000 >= SIMILAR_UNITS_FROM;
        if !similar && names.insert((code.tier(), code), line.name).is_some() {
            return Err(wrong(line.code12));
        }
        if names.len() > HALLS_MAX {
            return Err(wrong(format!("> {HALLS_MAX}")));
        }
    }
    placed(names, file)
}

fn placed(names: BTreeMap<(Tier, DivisionCode), String>, file: &str) -> Result<Vec<Hall>, Problem> {
    let places: BTreeMap<DivisionCode, usize> = names.keys().map(|(_, code)| *code).zip(0..).collect();
    let halls: Vec<Hall> = names
        .into_iter()
        .map(|((_, code), name)| {
            let above = code.ancestors().find_map(|above| places.get(&above).copied());
            Hall { code, name, above }
        })
        .collect();
    if halls.first().is_none_or(|first| first.code.tier() != Tier::City) {
        return Err(Problem::new("demo.halls_no_city").with("file", file));
    }
    let alone = halls.iter().skip(1).find(|hall| hall.above.is_none());
    match alone {
        Some(hall) => Err(Problem::new("demo.halls_outside").with("file", file).with("hall", hall.code)),
        None => Ok(halls),
    }
}

fn tier(word: &str) -> Option<Tier> {
    match word {
        "city" => Some(Tier::City),
        "county" => Some(Tier::County),
        "town" | "township" => Some(Tier::Township),
        "village" => Some(Tier::Village),
        _unknown => None,
    }
}

fn unreadable(file: &str, why: String) -> Problem {
    Problem::new("demo.halls_unreadable").with("file", file).with("reason", why)
}

/// Lists for the city: those of the sample city, or the same as if they were this city's. Not official anywhere.
pub(super) fn lists_of(city: DivisionCode) -> Result<Vec<Body>, Problem> {
    let refused = |count: usize| Problem::new("lists.sample").with("count", count);
    if city == sample::city() {
        return sample::sample_bodies().map_err(|findings| refused(findings.len()));
    }
    let sample = (sample::city().as_u64() / BELOW_CITY).to_string();
    let own = (city.as_u64() / BELOW_CITY).to_string();
    let delegations = sample::DELEGATIONS.replace(&format!(",{sample}"), &format!(",{own}"));
    let texts = ListTexts {
        matters: Some(sample::MATTERS),
        delegations: Some(&delegations),
        calendar: Some(sample::CALENDAR),
        bundles: None,
    };
    match lists::import_text(&texts, city) {
        Ok(import) if !import.is_refused() => Ok(import.bodies),
        Ok(import) => Err(refused(import.findings.len())),
        Err(_nothing) => Err(refused(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "tier,code12,parent12,name\n";

    fn code_of(text: &str) -> String {
        parse(&format!("{HEAD}{text}"), "t.csv").expect_err(text).code
    }

    #[test]
    fn the_sample_city_has_985_halls_and_each_has_one_above() {
        let halls = read(None).expect("the sample table");
        assert_eq!(halls.len(), 985);
        assert!(halls.iter().skip(1).all(|hall| hall.above.is_some()) && halls[0].above.is_none());
        assert!((1..halls.len()).all(|place| halls[place].above < Some(place)), "those above come first");
        assert!(lists_of(halls[0].code).expect("lists").len() > 100);
    }

    #[test]
    fn a_missing_tier_is_passed_over() {
        let text = "village,620702203200,,V\ncity,620700000000,,C\ntown,620702203000,,T\n";
        let halls = parse(&format!("{HEAD}{text}"), "t.csv").expect("halls");
        let above: Vec<_> = halls.iter().map(|hall| (hall.name.as_str(), hall.above)).collect();
        assert_eq!(above, [("C", None), ("T", Some(0)), ("V", Some(1))]);
    }

    #[test]
    fn a_table_that_is_none_is_refused_and_says_where() {
        assert_eq!(code_of("town,620702203000,,T\n"), "demo.halls_no_city");
        assert_eq!(code_of("city,620700000000,,C\ncity,620100000000,,D\n"), "demo.halls_outside");
        for wrong in ["city,6207,,C\n", "hamlet,620700000000,,C\n", "village,620700000000,,C\n", "city\n"] {
            assert_eq!(code_of(wrong), "demo.halls_unreadable", "{wrong}");
        }
        let twice = "city,620700000000,,C\ncity,620700000000,,C\n";
        let problem = parse(&format!("{HEAD}{twice}"), "t.csv").expect_err("twice");
        assert!(problem.params["reason"].starts_with("3:"), "{problem:?}");
        assert_eq!(
            read(Some(Path::new("/no/such/table"))).expect_err("no file").code,
            "demo.halls_unreadable"
        );
    }

    #[test]
    fn another_city_gets_lists_of_its_own() {
        let city: DivisionCode = "620100000000".parse().expect("a code");
        let bodies = lists_of(city).expect("lists");
        let matters =
            bodies.iter().filter(|body| matches!(body, Body::Matter(matter) if matter.area == city));
        assert!(matters.count() > 10);
    }
}
