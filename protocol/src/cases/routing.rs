//! Which hall decides: a pure function of directory, delegations, matter, receiving hall and the
//! applicant's place. It returns its reasons with its answer.

use serde::{Deserialize, Serialize};

use crate::catalogue::{Catalogue, Matter};
use crate::directory::Directory;
use crate::ids::{BodyId, DivisionCode, HallAt, HallId, MatterCode, Tier};
use crate::planted::{Bug, planted};
use crate::step::View;

/// A routing question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The matter.
    pub matter: MatterCode,
    /// The hall where the citizen stands.
    pub receiving: HallId,
    /// Where the applicant lives or does business.
    pub place: DivisionCode,
    /// Milliseconds since 1970.
    pub wall: u64,
}

/// Where a case goes, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The hall that accepts and decides.
    pub competent: HallAt,
    /// The authority it acts for.
    pub body: BodyId,
    /// The authority's name.
    pub body_name: String,
    /// Each step of the reasoning, in order.
    pub reasons: Vec<Reason>,
}

/// A step of the reasoning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// The list puts the decision at this tier.
    DecidedAt {
        /// The tier.
        tier: Tier,
        /// The authority.
        body_name: String,
    },
    /// The receiving hall may take it in by law: it is the deciding tier.
    ReceivesByLaw,
    /// The receiving hall may take it in by delegation (委托收件).
    ReceivesByDelegation {
        /// The area of the delegation.
        area: DivisionCode,
    },
    /// The decision was delegated to this tier (市县同权).
    Delegated {
        /// The tier that may decide too.
        tier: Tier,
    },
    /// Nobody below may decide.
    NotDelegated,
    /// The applicant's place chooses among the halls that may decide.
    ByPlace {
        /// The place.
        place: DivisionCode,
    },
    /// The hall that would decide is lost; another one acts in its place, by a ruling.
    InPlaceOf {
        /// The hall that is lost.
        hall: HallId,
    },
    /// The receiving hall itself decides.
    Here,
}

/// Why there is no route. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum NoRoute {
    /// No such matter in force.
    #[error("no such matter is in force")]
    UnknownMatter,
    /// The hall holds no right to take this in.
    #[error("the hall holds no right to receive this matter")]
    NoRight {
        /// The tier that decides.
        level: Tier,
        /// The authority.
        body_name: String,
    },
    /// The matter is not for this place.
    #[error("the matter does not hold for this place")]
    OutsideArea,
    /// The place is above the tier that decides: which hall is not determined.
    #[error("the place does not say which hall decides")]
    PlaceTooWide {
        /// The tier that decides.
        level: Tier,
    },
    /// The deciding hall has no charter, or it was revoked.
    #[error("the deciding hall is not one of us")]
    NoHall {
        /// The division whose hall is missing.
        division: DivisionCode,
    },
}

/// Answers a routing question.
pub fn route(view: &dyn View, question: &Question) -> Result<Route, NoRoute> {
    let lists = Catalogue::new(view);
    let pinned = lists.matter(&question.matter, question.wall).ok_or(NoRoute::UnknownMatter)?;
    let matter = pinned.matter;
    if !matter.area.covers(question.place) && !planted(Bug::AreaNotChecked) {
        return Err(NoRoute::OutsideArea);
    }
    let mut reasons = vec![Reason::DecidedAt { tier: matter.level, body_name: matter.body_name.clone() }];
    reasons.push(may_receive(&lists, &matter, question)?);
    let tier = deciding_tier(&lists, &matter, question, &mut reasons);
    let division = at_tier(question.place, tier).ok_or(NoRoute::PlaceTooWide { level: tier })?;
    if tier != Tier::City {
        reasons.push(Reason::ByPlace { place: question.place });
    }
    let hall = HallId::main(division);
    let competent = Directory::new(view).in_place_of(hall).ok_or(NoRoute::NoHall { division })?;
    if competent.hall != hall {
        reasons.push(Reason::InPlaceOf { hall });
    }
    if competent.hall == question.receiving {
        reasons.push(Reason::Here);
    }
    Ok(Route { competent, body: matter.body, body_name: matter.body_name, reasons })
}

fn may_receive(lists: &Catalogue<'_>, matter: &Matter, question: &Question) -> Result<Reason, NoRoute> {
    let competence = lists.competence(matter, question.receiving, question.wall);
    if !competence.rights.receive {
        return Err(NoRoute::NoRight { level: matter.level, body_name: matter.body_name.clone() });
    }
    let given = competence.delegations.iter().find(|it| it.rights.receive);
    Ok(match given {
        Some(delegation) if matter.level != question.receiving.tier() => {
            Reason::ReceivesByDelegation { area: delegation.area }
        }
        Some(_) | None => Reason::ReceivesByLaw,
    })
}

/// The lowest tier that may decide for the applicant's place: the list's own, or one it was delegated to.
fn deciding_tier(
    lists: &Catalogue<'_>,
    matter: &Matter,
    question: &Question,
    reasons: &mut Vec<Reason>,
) -> Tier {
    let delegations = lists.delegations(matter, question.wall);
    let decides = |tier: &Tier| {
        delegations.iter().any(|it| it.tier == *tier && it.rights.accept && it.area.covers(question.place))
    };
    let below = [Tier::Township, Tier::County].into_iter().filter(|tier| *tier > matter.level);
    let below = below.filter(|_| !planted(Bug::DelegationIgnored));
    let delegated = below.filter(|tier| at_tier(question.place, *tier).is_some()).find(decides);
    reasons.push(delegated.map_or(Reason::NotDelegated, |tier| Reason::Delegated { tier }));
    delegated.unwrap_or(matter.level)
}

fn at_tier(place: DivisionCode, tier: Tier) -> Option<DivisionCode> {
    std::iter::successors(Some(place), |division| division.parent()).find(|division| division.tier() == tier)
}
