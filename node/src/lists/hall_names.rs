//! How halls are named after their divisions.

use hallmesh_protocol::ids::Tier;

/// What committees of villages and communities are called; halls drop it. The longer ones come first.
const COMMITTEES: [&str; 5] = ["村民委员会", "居民委员会", "村委会", "居委会", "委员会"];
/// How a village or community ends once its committee is dropped.
const VILLAGE_ENDINGS: [&str; 2] = ["村", "社区"];
/// Marks a people's name inside the name of a division; in everyday names the people is left out.
const PEOPLE: char = '族';
/// Characters before a people's name that can stand alone.
const STEM_MIN: usize = 2;
/// The same character in two forms: as tables print it, and as people write it.
const VARIANTS: [(char, char); 1] = [('蔵', '藏')];

/// A name with variant characters made equal, for comparing only.
pub(super) fn folded(name: &str) -> String {
    let fold = |it| VARIANTS.iter().find(|(printed, _)| *printed == it).map_or(it, |&(_, written)| written);
    name.trim().chars().map(fold).collect()
}

/// What a hall of the division may begin its name with, folded: the full name first.
pub(super) fn beginnings(name: &str, tier: Tier) -> Vec<String> {
    let name = folded(name);
    let mut all = match tier {
        Tier::Village => without_committee(&name),
        Tier::City | Tier::County | Tier::Township => without_people(&name),
    };
    all.insert(0, name);
    all
}

/// What is left of `text` after the longest of these beginnings.
pub(super) fn rest<'a>(text: &'a str, beginnings: &[String]) -> Option<&'a str> {
    beginnings.iter().filter_map(|it| text.strip_prefix(it.as_str())).min_by_key(|rest| rest.len())
}

fn without_committee(name: &str) -> Vec<String> {
    let Some(stem) = COMMITTEES.iter().find_map(|committee| name.strip_suffix(committee)) else {
        return Vec::new();
    };
    if VILLAGE_ENDINGS.iter().any(|ending| stem.ends_with(ending)) {
        return vec![stem.to_owned()];
    }
    VILLAGE_ENDINGS.iter().map(|ending| format!("{stem}{ending}")).collect()
}

/// Every shortening that keeps the last character. Which characters are the people's name is not told by
/// their number.
fn without_people(name: &str) -> Vec<String> {
    let (Some((stem, _)), Some(last)) = (name.split_once(PEOPLE), name.chars().last()) else {
        return Vec::new();
    };
    let characters: Vec<char> = stem.chars().collect();
    let shorter = |count| characters.iter().take(count).chain([&last]).collect();
    (STEM_MIN..characters.len()).map(shorter).collect()
}
