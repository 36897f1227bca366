//! The guide to one matter (办事指南): what to bring, how long it takes, who decides, where to go.

use hallmesh_protocol::calendar::CivilDay;
use hallmesh_protocol::catalogue::{Delegation, Material, MaterialSource, Matter, Necessity};

use super::super::materials::NECESSITIES;
use super::super::matters::{AUDIENCES, KINDS, RESULT_KINDS};
use super::html::{escaped, table};
use super::{Lists, word_of};

/// The page of a matter.
pub(super) fn page(lists: &Lists<'_>, matter: &Matter) -> String {
    let speech = &lists.speech;
    let mark = if matter.verified { String::new() } else { lists.mark() };
    let mut main = vec![format!("<h1>{}{mark}</h1>\n{}", escaped(&matter.name), facts(lists, matter))];
    let of = |source: MaterialSource| {
        matter.materials.iter().filter(move |it| it.source == source).collect::<Vec<_>>()
    };
    for (key, none, materials) in [
        ("site.bring", "site.bring_nothing", of(MaterialSource::Applicant)),
        ("site.not_asked", "", of(MaterialSource::Shared)),
    ] {
        if !materials.is_empty() {
            main.push(format!("<h2>{}</h2>\n{}", speech.say(key, &[]), needed(lists, &materials)));
        } else if !none.is_empty() {
            main.push(format!("<h2>{}</h2>\n<p>{}</p>\n", speech.say(key, &[]), speech.say(none, &[])));
        }
    }
    main.push(format!("<h2>{}</h2>\n{}", speech.say("site.where", &[]), places(lists, matter)));
    lists.framed("../", &matter.name, &main.concat())
}

/// First and last day of a grant.
pub(super) fn period(it: &Delegation) -> (CivilDay, CivilDay) {
    (CivilDay::of_wall(it.valid_from), CivilDay::of_wall(it.valid_to.saturating_sub(1)))
}

fn facts(lists: &Lists<'_>, matter: &Matter) -> String {
    let speech = &lists.speech;
    let days = |days: u16| speech.say("site.days", &[("days", &days.to_string())]);
    let limit = if matter.promised { days(matter.promised_days) } else { speech.say("matter.at_once", &[]) };
    let result = speech.word("result_kind", word_of(&RESULT_KINDS, &matter.result.kind));
    let rows = [
        ("site.code", escaped(matter.code.as_str())),
        ("site.type", speech.word("matter_type", word_of(&KINDS, &matter.kind))),
        ("site.audience", speech.word("audience", word_of(&AUDIENCES, &matter.audience))),
        ("site.body", escaped(&matter.body_name)),
        ("site.level", speech.word("tier", matter.level.as_str())),
        ("site.promised", limit),
        ("site.legal", days(matter.legal_days)),
        ("site.result", format!("{} ({result})", escaped(&matter.result.name))),
        ("site.basis", escaped(&matter.basis)),
        ("site.source", escaped(&matter.source)),
    ];
    let row = |(key, value): &(&str, String)| {
        format!("<tr><th>{}</th><td>{value}</td></tr>\n", speech.say(key, &[]))
    };
    format!("<table>\n{}</table>\n", rows.iter().map(row).collect::<Vec<_>>().concat())
}

fn needed(lists: &Lists<'_>, materials: &[&Material]) -> String {
    let speech = &lists.speech;
    let headings = ["site.material", "site.necessity"].map(|key| speech.say(key, &[]));
    let necessity = |it: &Material| match it.necessity {
        Necessity::Required => speech.say("site.required", &[]),
        Necessity::Optional | Necessity::Supplementable | Necessity::Promisable => {
            speech.word("necessity", word_of(&NECESSITIES, &it.necessity))
        }
    };
    let rows: Vec<_> = materials.iter().map(|it| vec![escaped(&it.name), necessity(it)]).collect();
    table(&headings, &rows)
}

/// The tier that decides, then every grant of the right to receive.
fn places(lists: &Lists<'_>, matter: &Matter) -> String {
    let speech = &lists.speech;
    let mut items = vec![speech.within(&lists.area(matter.area), matter.level.as_str())];
    let of =
        [Some(&matter.code), None].map(|code| lists.grants.get(&code).map_or([].as_slice(), Vec::as_slice));
    let grants = of.into_iter().flatten().filter(|it| it.rights.receive);
    items.extend(grants.map(|it| {
        let (from, to) = period(it);
        format!("{} <small>{from} - {to}</small>", lists.grantee(it))
    }));
    items.dedup();
    let items: Vec<_> = items.iter().map(|item| format!("<li>{item}</li>\n")).collect();
    format!(
        "<ul>\n{}</ul>\n<p><a href=\"../halls.html\">{}</a></p>\n",
        items.concat(),
        speech.say("site.find_hall", &[])
    )
}
