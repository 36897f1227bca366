//! The lists a made-up city begins with: a handful of matters of each tier, and who may take them in.

use hallmesh_protocol::calendar::Calendar;
use hallmesh_protocol::catalogue::{
    Audience, Delegation, Material, MaterialSource, Matter, MatterResult, Necessity, ResultKind, Rights,
};
use hallmesh_protocol::ids::{BodyId, DivisionCode, MatterCode, Tier};
use hallmesh_protocol::record::Body;

use crate::city::Division;

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

/// What the root publishes on the first day.
pub(crate) fn bodies(city: DivisionCode, matters: &[Matter]) -> Vec<Body> {
    let take_in = Rights { receive: true, ..Rights::default() };
    let decide = Rights { receive: true, accept: true, transfer: true, issue: true };
    let mut bodies = vec![Body::Calendar(Calendar::default())];
    bodies.extend(Tier::ALL.map(|tier| Body::Delegation(delegation(None, tier, city, take_in))));
    // The first matter of a tier is decided one tier further down (see the routing rules).
    for (level, below) in [(Tier::City, Tier::County), (Tier::County, Tier::Township)] {
        let given = matters.iter().find(|matter| matter.level == level);
        let code = given.map(|matter| matter.code.clone());
        bodies.extend(code.map(|code| Body::Delegation(delegation(Some(code), below, city, decide))));
    }
    bodies.extend(matters.iter().map(|matter| Body::Matter(Box::new(matter.clone()))));
    bodies
}

fn matter(code: MatterCode, level: Tier, area: DivisionCode, number: u16) -> Matter {
    let material =
        |name: &str, source| Material { name: name.to_owned(), necessity: Necessity::Required, source };
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
        ],
        result: MatterResult { kind: ResultKind::Licence, name: "licence".to_owned() },
        offline_decision: false,
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
