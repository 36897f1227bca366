//! The lists as a website for everyone, as the law asks that they be published: files that need no server, no line and
//! no JavaScript. Chinese first, English second.
//!
//! Promises: every text is escaped, nothing is loaded from elsewhere, and there is one page for each matter. Knows nothing of
//! disks: pages go to whoever asked for them, one at a time.

mod html;
mod matter;

use std::collections::{BTreeMap, BTreeSet};

use hallmesh_protocol::catalogue::{Delegation, MaterialSource, Matter};
use hallmesh_protocol::ids::{BodyId, DivisionCode, HallId, MatterCode, Tier};
use hallmesh_protocol::record::Body;
use serde_json::json;

use super::export::rights_of;
use super::matters::{AUDIENCES, KINDS};
use html::{Speech, escaped, file_name, link, list, page, table};

const STYLE: &str = include_str!("site.css");
const SEARCH: &str = include_str!("search.js");

/// A hall as the directory has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HallEntry {
    /// Its id.
    pub hall: HallId,
    /// Its name.
    pub name: String,
}

/// What is published.
pub struct Site<'a> {
    /// Whose lists these are: the title of the first page.
    pub title: &'a str,
    /// The day, such as 2026-11-30.
    pub date: &'a str,
    /// Records of the lists; those that are none of matters and delegations are passed over.
    pub bodies: &'a [Body],
    /// The halls of the city.
    pub halls: &'a [HallEntry],
}

/// Makes the pages and hands each over with its path within the site; how many there were.
pub fn write<E>(site: &Site<'_>, put: &mut dyn FnMut(&str, &str) -> Result<(), E>) -> Result<usize, E> {
    let lists = Lists::of(site);
    let mut count: usize = 0;
    let mut put = |path: &str, text: &str| {
        count = count.saturating_add(1);
        put(path, text)
    };
    put("site.css", STYLE)?;
    put("search.js", &lists.search())?;
    let groups = lists.groups();
    put("index.html", &lists.index(&groups))?;
    put("halls.html", &lists.halls())?;
    put("delegations.html", &lists.delegations())?;
    put("shared.html", &lists.shared())?;
    for (path, title, matters) in &groups {
        put(path, &lists.group(title, matters))?;
    }
    for matter in &lists.matters {
        put(&format!("m/{}.html", file_name(matter.code.as_str())), &matter::page(&lists, matter))?;
    }
    Ok(count)
}

/// What the pages are made of.
struct Lists<'a> {
    site: &'a Site<'a>,
    speech: Speech,
    matters: Vec<&'a Matter>,
    delegations: Vec<&'a Delegation>,
    /// The names of halls.
    names: BTreeMap<HallId, &'a str>,
    /// The names of matters.
    named: BTreeMap<&'a MatterCode, &'a str>,
    /// The grants of each matter, and of all.
    grants: BTreeMap<Option<&'a MatterCode>, Vec<&'a Delegation>>,
}

/// Path, title (HTML) and matters of a page that lists some of them.
type Group<'a> = (String, String, Vec<&'a Matter>);

impl<'a> Lists<'a> {
    fn of(site: &'a Site<'a>) -> Self {
        let mut lists = Self {
            site,
            speech: Speech::new(),
            matters: Vec::new(),
            delegations: Vec::new(),
            names: site.halls.iter().map(|it| (it.hall, it.name.as_str())).collect(),
            named: BTreeMap::new(),
            grants: BTreeMap::new(),
        };
        for body in site.bodies {
            match body {
                Body::Matter(matter) => lists.matters.push(matter),
                Body::Delegation(delegation) => lists.delegations.push(delegation),
                Body::Policy(_)
                | Body::Charter(_)
                | Body::Contact(_)
                | Body::Revocation(_)
                | Body::Fork(_)
                | Body::Ruling(_)
                | Body::Destruction(_)
                | Body::Voice(_)
                | Body::Heard(_)
                | Body::Calendar(_)
                | Body::Bundle(_) => {}
            }
        }
        lists.named = lists.matters.iter().map(|it| (&it.code, it.name.as_str())).collect();
        for &it in &lists.delegations {
            lists.grants.entry(it.matter.as_ref()).or_default().push(it);
        }
        lists.matters.sort_by(|one, other| (&one.name, &one.code).cmp(&(&other.name, &other.code)));
        lists
    }

    /// A page with its frame; `up` leads from it to the first page.
    fn framed(&self, up: &str, title: &str, main: &str) -> String {
        page(&self.speech, (up, title, self.site.date), main)
    }

    /// The data of the search, then the search: a page may load both without a server.
    fn search(&self) -> String {
        let entry =
            |it: &&Matter| json!([it.name, it.code.as_str(), it.body_name, file_name(it.code.as_str())]);
        let entries: Vec<_> = self.matters.iter().map(entry).collect();
        format!("window.MATTERS = {};\n{SEARCH}", json!(entries))
    }

    fn index(&self, groups: &[Group<'_>]) -> String {
        let speech = &self.speech;
        let count = self.matters.len().to_string();
        let mut main = vec![format!(
            "<h1>{}</h1>\n<p>{}</p>\n",
            escaped(self.site.title),
            speech.say("site.count", &[("count", &count)])
        )];
        main.push(format!(
            "<form id=\"search\" hidden><label for=\"q\">{}</label><input id=\"q\" type=\"search\" autocomplete=\"off\">\
             <ul id=\"found\"></ul></form>\n",
            speech.say("site.search", &[])
        ));
        for (key, kind) in [
            ("site.by_body", "b/"),
            ("site.by_type", "t/"),
            ("site.by_level", "l/"),
            ("site.by_audience", "a/"),
        ] {
            let groups = groups.iter().filter(|(path, _, _)| path.starts_with(kind));
            let item = |(path, title, matters): &Group<'_>| {
                format!("<a href=\"{path}\">{title}</a> ({})", matters.len())
            };
            main.push(format!("<h2>{}</h2>\n{}", speech.say(key, &[]), list(groups.map(item))));
        }
        main.push("<script src=\"search.js\"></script>\n".to_owned());
        self.framed("", self.site.title, &main.concat())
    }

    /// By authority, type, tier and whom they serve.
    fn groups(&self) -> Vec<Group<'a>> {
        let mut groups: BTreeMap<String, (String, Vec<&'a Matter>)> = BTreeMap::new();
        let mut add = |path: String, title: String, matter: &'a Matter| {
            groups.entry(path).or_insert_with(|| (title, Vec::new())).1.push(matter);
        };
        for &matter in &self.matters {
            add(format!("b/{}.html", body_file(matter.body)), escaped(&matter.body_name), matter);
            let kind = word_of(&KINDS, &matter.kind);
            add(format!("t/{kind}.html"), self.speech.word("matter_type", kind), matter);
            let level = matter.level.as_str();
            add(format!("l/{level}.html"), self.speech.word("tier", level), matter);
            let audience = word_of(&AUDIENCES, &matter.audience);
            add(format!("a/{audience}.html"), self.speech.word("audience", audience), matter);
        }
        groups.into_iter().map(|(path, (title, matters))| (path, title, matters)).collect()
    }

    fn group(&self, title: &str, matters: &[&Matter]) -> String {
        let item = |it: &&Matter| {
            let to = format!("../m/{}.html", file_name(it.code.as_str()));
            format!("{} {}", link(&to, &it.name), escaped(&it.body_name))
        };
        let main = format!("<h1>{title}</h1>\n{}", list(matters.iter().map(item)));
        self.framed("../", self.site.title, &main)
    }

    /// County by county, so that everybody finds the one that is near.
    fn halls(&self) -> String {
        let (title, how) = (self.speech.say("site.halls", &[]), self.speech.say("site.halls_how", &[]));
        let mut main = vec![format!("<h1>{title}</h1>\n<p>{how}</p>\n")];
        let tops = self.names.keys().filter(|hall| matches!(hall.tier(), Tier::City | Tier::County));
        for top in tops {
            let below = self.names.iter().filter(|(hall, _)| {
                matches!(hall.tier(), Tier::Township | Tier::Village) && nearest_above(**hall, top)
            });
            let item = |(hall, name): (&HallId, &&str)| {
                format!("<span id=\"h{hall}\">{} <small>{}</small></span>", escaped(name), hall)
            };
            let name = self.names.get(top).copied().unwrap_or_default();
            let items: Vec<_> = below.map(item).collect();
            main.push(format!(
                "<h2 id=\"h{top}\">{} <small>{top}</small></h2>\n{}",
                escaped(name),
                if items.is_empty() { String::new() } else { list(items.into_iter()) }
            ));
        }
        self.framed("", &self.speech.plain("site.halls"), &main.concat())
    }

    fn delegations(&self) -> String {
        let headings = ["site.matter", "site.grantee", "site.rights", "site.period", "site.source"];
        let headings: Vec<_> = headings.iter().map(|key| self.speech.say(key, &[])).collect();
        let rows: Vec<_> = self.delegations.iter().map(|it| self.delegation(it)).collect();
        let main =
            format!("<h1>{}</h1>\n{}", self.speech.say("site.delegations", &[]), table(&headings, &rows));
        self.framed("", &self.speech.plain("site.delegations"), &main)
    }

    fn delegation(&self, it: &Delegation) -> Vec<String> {
        let matter = match &it.matter {
            // It may be given before its matter is published.
            Some(code) => self.named.get(code).map_or_else(
                || escaped(code.as_str()),
                |name| link(&format!("m/{}.html", file_name(code.as_str())), name),
            ),
            None => self.speech.say("site.all_matters", &[]),
        };
        let (from, to) = matter::period(it);
        vec![
            matter,
            self.grantee(it),
            rights_of(it).map(|right| self.speech.word("right", right)).collect::<Vec<_>>().join(" "),
            format!("{from} - {to}"),
            format!("{}{}", escaped(&it.source), if it.verified { String::new() } else { self.mark() }),
        ]
    }

    /// The halls that got the rights.
    fn grantee(&self, it: &Delegation) -> String {
        self.speech.within(&self.area(it.area), it.tier.as_str())
    }

    /// A division by its hall, if it has one.
    fn area(&self, area: DivisionCode) -> String {
        self.names.get(&HallId::main(area)).map_or_else(|| area.to_string(), |name| (*name).to_owned())
    }

    /// What no hall may ask a citizen for (数据共享责任清单).
    fn shared(&self) -> String {
        let of = self.matters.iter().flat_map(|matter| &matter.materials);
        let names: BTreeSet<&str> =
            of.filter(|it| it.source == MaterialSource::Shared).map(|it| it.name.as_str()).collect();
        let main = format!(
            "<h1>{}</h1>\n<p>{}</p>\n{}",
            self.speech.say("site.shared", &[]),
            self.speech.say("site.shared_how", &[]),
            list(names.into_iter().map(escaped))
        );
        self.framed("", &self.speech.plain("site.shared"), &main)
    }

    /// Says that nobody has confirmed an entry.
    fn mark(&self) -> String {
        format!(" <span class=\"mark\">{}</span>", self.speech.say("mark.not_official", &[]))
    }
}

/// Whether a township or village lies in a county, or directly in a city.
fn nearest_above(hall: HallId, top: &HallId) -> bool {
    let county = hall.division().ancestors().find(|it| matches!(it.tier(), Tier::City | Tier::County));
    county == Some(top.division())
}

fn body_file(body: BodyId) -> String {
    file_name(&body.to_string())
}

fn word_of<T: PartialEq>(choices: &[(&'static str, T)], value: &T) -> &'static str {
    choices.iter().find(|(_, it)| it == value).map_or("", |(word, _)| *word)
}
