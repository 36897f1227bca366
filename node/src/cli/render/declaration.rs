//! What would follow from a declaration of two persons.

use super::super::table::fields;
use super::revocation::cases;
use super::{field, next};
use crate::ops::{Counties, DeclarationPlan, KeysPlan, Problem};
use crate::texts::Texts;

/// What a declaration would do, before it is made.
pub(super) fn plan(texts: &Texts, plan: &DeclarationPlan) -> Vec<String> {
    let hall = texts.filled(
        "revoke.hall",
        &[("name", &plan.name), ("hall", &plan.hall), ("incarnation", &plan.incarnation)],
    );
    let mut about = vec![field(texts, "hall", hall)];
    if let Some((to, name)) = plan.to.as_ref().zip(plan.to_name.as_ref()) {
        about.push(field(texts, "goes_on", format!("{name} {to}")));
    }
    let mut lines = fields(&about);
    lines.extend(cases(texts, &plan.cases, plan.case_count));
    if plan.to.is_none() {
        lines.push(texts.filled("declare.waiting", &[("count", &plan.waiting)]));
    }
    if let Some(counties) = &plan.counties {
        lines.extend(spoken(texts, counties));
    }
    if !plan.may {
        lines.push(format!("! {}", texts.say("declare.may_not", &[])));
    }
    if let Some(obstacle) = &plan.obstacle {
        lines.push(format!("! {}", said(texts, obstacle)));
    }
    lines.push(texts.say("revoke.nothing_changed", &[]));
    lines.push(next(texts, &following(texts, plan)));
    lines
}

/// How far the counties have come.
fn spoken(texts: &Texts, counties: &Counties) -> Vec<String> {
    let line = |key: &str, those: &[String]| {
        let (count, names) = (those.len(), those.join(", "));
        texts.filled(key, &[("count", &count), ("needed", &counties.needed), ("counties", &names)])
    };
    let mut lines = vec![line("declare.counties", &counties.spoken), line("declare.heard", &counties.heard)];
    if !counties.divided.is_empty() {
        lines.push(line("declare.divided", &counties.divided));
    }
    lines
}

/// Which keys a hall lacks, and who can give them.
pub(super) fn keys(texts: &Texts, plan: &KeysPlan) -> Vec<String> {
    let hall = texts.filled(
        "revoke.hall",
        &[("name", &plan.name), ("hall", &plan.hall), ("incarnation", &plan.incarnation)],
    );
    let mut lines = fields(&[field(texts, "hall", hall)]);
    let count = [("lacking", &plan.lacking), ("here", &plan.opened_here)]
        .map(|(name, count)| (name, count as &dyn std::fmt::Display));
    lines.push(texts.filled("keys.lacking", &count));
    lines.push(texts.say("revoke.nothing_changed", &[]));
    let clerk = texts.say("placeholder.clerk", &[]);
    let apply = format!("hallmesh case give-keys {} --apply --clerk {clerk} --second {clerk}", plan.hall);
    let elsewhere = plan.lacking > plan.opened_here;
    let with = if elsewhere { format!("{apply} --recovery-key recovery.key") } else { apply };
    lines.push(next(texts, if plan.lacking == 0 { "hallmesh status" } else { &with }));
    lines
}

fn said(texts: &Texts, obstacle: &Problem) -> String {
    let params: Vec<(&str, &dyn std::fmt::Display)> = obstacle
        .params
        .iter()
        .map(|(name, value)| (name.as_str(), value as &dyn std::fmt::Display))
        .collect();
    texts.filled(&format!("error.{}", obstacle.code), &params)
}

fn following(texts: &Texts, plan: &DeclarationPlan) -> String {
    let clerk = texts.say("placeholder.clerk", &[]);
    let stolen = if plan.stolen { "--stolen " } else { "" };
    let by = format!("{stolen}--apply --clerk {clerk} --second {clerk}");
    match (&plan.obstacle, &plan.to) {
        (Some(obstacle), _) if obstacle.code == "declare.lives" => {
            format!("hallmesh hall revoke {} --plan", plan.hall)
        }
        (Some(_), _) => format!("hallmesh hall list {}", plan.hall),
        (None, Some(to)) => format!("hallmesh case takeover {} --to {to} {by}", plan.hall),
        (None, None) => {
            format!("hallmesh hall destroyed {} --incarnation {} {by}", plan.hall, plan.incarnation)
        }
    }
}
