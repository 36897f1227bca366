//! What would follow from a declaration of two persons.

use super::super::table::fields;
use super::revocation::cases;
use super::{field, next};
use crate::ops::{DeclarationPlan, Problem};
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
    let by = format!("--apply --clerk {clerk} --second {clerk}");
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
