//! The lists a made-up city begins with: a handful of matters of each tier, and who may take them in.

use hallmesh_protocol::catalogue::{
    Audience, Bundle, Choice, Condition, Delegation, FormField, Item, Material, MaterialSource, Matter,
    MatterResult, Necessity, ResultKind, Rights, Situation,
};
use hallmesh_protocol::ids::{BodyId, DivisionCode, MatterCode, Tier};
use hallmesh_protocol::record::Body;

use crate::city::Division;
use crate::years;

const MATTERS_A_TIER: u16 = 5;

/// The matters of a city: some decided at each tier, and one that each county lists for itself.
pub(crate) fn matters(divisions: &[Division]) -> anyhow::Result<Vec<Matter>> {
    let mut matters = Vec::new();
    for division in divisions {
        match division.code.tier() {
            Tier::City => {
                let numbers =
                    Tier::ALL.into_iter().flat_map(|level| (1..=MATTERS_A_TIER).map(move |it| (level, it)));
                for (level, number) in numbers {
                    let code = format!("SIM-{level}-{number:03}").parse()?;
                    matters.push(matter(code, level, division.code, number));
                }
            }
            Tier::County => {
                let code = format!("SIM-own-{}", division.code.area()).parse()?;
                matters.push(matter(code, Tier::County, division.code, 1));
            }
            Tier::Township | Tier::Village => {}
        }
    }
    Ok(matters)
}

/// The bundles of a city: over all tiers, parallel and one after another, some of it only by the applicant's answer.
pub(crate) fn bundles(city: DivisionCode) -> anyhow::Result<Vec<Bundle>> {
    let item = |level: Tier, number: u16, after: &[u8]| -> anyhow::Result<Item> {
        let matter = format!("SIM-{level}-{number:03}").parse()?;
        Ok(Item { matter, when: Vec::new(), after: after.to_vec() })
    };
    let more = Condition { question: "more".to_owned(), option: "yes".to_owned() };
    let only_then = |item: Item| Item { when: vec![more.clone()], ..item };
    let items = vec![
        item(Tier::County, 2, &[])?,
        item(Tier::City, 2, &[])?,
        item(Tier::Township, 3, &[0])?,
        only_then(item(Tier::Village, 3, &[0, 1])?),
        only_then(item(Tier::City, 4, &[])?),
        item(Tier::Township, 1, &[])?,
    ];
    let option = |id: &str| Choice { id: id.to_owned(), text: id.to_owned() };
    let all = (0_u8..).zip(&items).map(|(place, _)| place).collect();
    let field = FormField { name: "form".to_owned(), label: "form".to_owned(), required: true, items: all };
    Ok(vec![Bundle {
        code: "SIM-bundle".parse()?,
        name: "One thing in life".to_owned(),
        area: city,
        lead: BodyId::illustrative(city, 1),
        lead_name: format!("Authority 1 of {city}"),
        questions: vec![Situation {
            id: more.question.clone(),
            text: "More?".to_owned(),
            options: vec![option("no"), option("yes")],
        }],
        items,
        fields: vec![field],
        promised_days: 30,
        source: "hallmesh-sim".to_owned(),
        verified: false,
    }])
}

/// What the root publishes on the first day.
pub(crate) fn bodies(city: DivisionCode, matters: &[Matter], bundles: &[Bundle]) -> Vec<Body> {
    let take_in = Rights { receive: true, ..Rights::default() };
    let decide = Rights { receive: true, accept: true, transfer: true, issue: true };
    let mut bodies = vec![Body::Calendar(years::published(years::year_of(0)))];
    bodies.extend(Tier::ALL.map(|tier| Body::Delegation(delegation(None, tier, city, take_in))));
    for matter in matters {
        let below = decided_below(matters, matter);
        let given = below.map(|below| delegation(Some(matter.code.clone()), below, city, decide));
        bodies.extend(given.map(Body::Delegation));
    }
    bodies.extend(matters.iter().map(|matter| Body::Matter(Box::new(matter.clone()))));
    bodies.extend(bundles.iter().map(|bundle| Body::Bundle(Box::new(bundle.clone()))));
    bodies
}

/// The tier to which the decision of a matter was given: for the first matter of city and county, one tier down.
pub(crate) fn decided_below(matters: &[Matter], matter: &Matter) -> Option<Tier> {
    let below = match matter.level {
        Tier::City => Tier::County,
        Tier::County => Tier::Township,
        Tier::Township | Tier::Village => return None,
    };
    let first = matters.iter().find(|other| other.level == matter.level);
    first.is_some_and(|first| first.code == matter.code).then_some(below)
}

fn matter(code: MatterCode, level: Tier, area: DivisionCode, number: u16) -> Matter {
    let material =
        |name: &str, source| Material { name: name.to_owned(), necessity: Necessity::Required, source };
    let follows = Material {
        necessity: Necessity::Supplementable,
        ..material("photographs", MaterialSource::Applicant)
    };
    Matter {
        name: format!("Matter {code}"),
        code,
        kind: 1,
        level,
        area,
        body_name: format!("Authority {number} of {area}"),
        body: BodyId::illustrative(area, number),
        promised: true,
        audience: Audience::Both,
        legal_days: 20,
        promised_days: 10,
        materials: vec![
            material("application form", MaterialSource::Applicant),
            material("proof of identity", MaterialSource::Shared),
            follows,
        ],
        result: MatterResult { kind: ResultKind::Licence, name: "licence".to_owned() },
        // A cut-off hall may decide the second matter of each tier.
        offline_decision: number == 2,
        basis: "made up for simulation".to_owned(),
        source: "hallmesh-sim".to_owned(),
        verified: false,
    }
}

fn delegation(matter: Option<MatterCode>, tier: Tier, area: DivisionCode, rights: Rights) -> Delegation {
    Delegation {
        matter,
        tier,
        area,
        rights,
        valid_from: 0,
        valid_to: u64::MAX,
        source: "hallmesh-sim".to_owned(),
        verified: false,
    }
}
