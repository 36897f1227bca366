//! What ends a case cannot be undone, so one disk is not enough for it (design section 7, point 6): a decision, a certificate,
//! a refusal to accept. Below, all of them are called the decision.
//!
//! A decision is *countersigned* when a mirror that the case named then, or since, has signed for a log that includes it,
//! or when a later hall has taken the case, which rests on such a receipt. Until then it is *provisional*: a custodian
//! whose disk dies takes it along, and nobody else knows of it. Which it is follows from the log and from the receipts;
//! it is stored nowhere. Going back to its hall by RESUME says nothing: no mirror had a part in that.

use std::collections::BTreeSet;

use super::facts::{Facts, Mirrors};
use super::fold::Case;
use super::log::{self, Stage};
use super::receipt::Receipt;
use super::together::go_on;
use super::{Office, Refusal};
use crate::catalogue::Catalogue;
use crate::ids::{CaseId, HallAt};
use crate::planted::{Bug, planted};
use crate::rows;
use crate::signed::Verified;
use crate::step::{Happening, View};

/// How far a decision binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Only the hall that decided has it, as far as is known here.
    Provisional,
    /// This hall has signed that it keeps the decision, or has taken the case with it.
    Countersigned(HallAt),
}

/// How the decision of a case stands; none before there is one.
pub(crate) fn standing(view: &dyn View, case: &Case) -> Option<Standing> {
    let decision = Decision::of(view, case)?;
    let by = decision.taken.or_else(|| decision.signed(view, case)).or_else(|| let_go(view, case));
    Some(by.map_or(Standing::Provisional, Standing::Countersigned))
}

/// A result that no second hall knows of is handed to the citizen only where the matter's version, pinned at receipt,
/// allows a cut-off hall to decide, or where there is no second hall at all.
pub(crate) fn may_be_delivered(view: &dyn View, case: &Case) -> Result<(), Refusal> {
    let provisional = standing(view, case) == Some(Standing::Provisional);
    let allowed =
        || Catalogue::new(view).pinned(&case.matter_version).is_some_and(|it| it.matter.offline_decision);
    let waits =
        provisional && case.mirrors != [None, None] && !planted(Bug::DeliveredUncountersigned) && !allowed();
    if waits { Err(Refusal::NotCountersigned) } else { Ok(()) }
}

/// Keeps what a mirror has signed for, and tells when that makes a provisional decision final.
pub(crate) fn keep(office: &mut Office<'_, '_>, case: &Case, receipt: &Verified<Receipt>) {
    let provisional = |view: &dyn View| standing(view, case) == Some(Standing::Provisional);
    let before = provisional(office.cx);
    rows::write(office.cx, rows::copied(case.id, receipt.value().by), receipt.signed());
    if before && !provisional(office.cx) {
        office.cx.happened(Happening::Countersigned(case.id));
        go_on(office, case);
    }
}

/// What the log says about the decision in it.
struct Decision {
    sequence: u32,
    /// The mirrors of its epoch and of those after it.
    mirrors: BTreeSet<HallAt>,
    /// The witness of the first TAKE after it.
    taken: Option<HallAt>,
}

impl Decision {
    fn of(view: &dyn View, case: &Case) -> Option<Self> {
        case.ended?;
        let (mut named, mut next, mut found) = ([None, None], None, None::<Self>);
        let headers =
            (0..case.events).filter_map(|sequence| log::event(view, case.id, sequence)?.header().ok());
        for header in headers {
            match &header.facts {
                Facts::Receive { mirrors, .. } => named = *mirrors,
                Facts::ReplaceMirror { mirrors } => named = staying(named, *mirrors),
                Facts::Succeed { mirrors, .. } => named = staying(next.take().unwrap_or(named), *mirrors),
                Facts::Transfer { mirrors, .. } => next = Some(*mirrors),
                Facts::Take { .. } => named = next.take().unwrap_or(named),
                Facts::Resume { .. } => next = None,
                Facts::Act(_)
                | Facts::Reassign { .. }
                | Facts::RenewKey { .. }
                | Facts::Task(_)
                | Facts::Start { .. }
                | Facts::Unknown { .. } => {}
            }
            if matches!(&header.facts, Facts::Act(deed) if deed.binds()) {
                found = Some(Self { sequence: header.sequence, mirrors: BTreeSet::new(), taken: None });
            }
            let Some(decision) = &mut found else { continue };
            decision.mirrors.extend(named.into_iter().flatten());
            if let Facts::Take { witness, .. } = header.facts {
                decision.taken = decision.taken.or(Some(witness));
            }
        }
        found
    }

    /// A mirror whose receipt is for this very log, up to the decision at least. This hall, if it is a mirror and keeps
    /// the log, has signed for it in the commit that brought the log here.
    fn signed(&self, view: &dyn View, case: &Case) -> Option<HallAt> {
        let me: Option<HallAt> = rows::read(view, &rows::meta("hall"));
        self.mirrors.iter().copied().find(|mirror| {
            let receipt = log::copied(view, case.id, *mirror);
            let signed = receipt.is_some_and(|receipt| {
                let said = receipt.value();
                let same = || log::event(view, case.id, said.sequence).map(|event| event.digest());
                said.sequence >= self.sequence && same() == Some(said.head)
            });
            signed || me == Some(*mirror)
        })
    }
}

/// Of the mirrors from now on those whose word counts: the ones that stay, if any does.
fn staying(before: Mirrors, now: Mirrors) -> Mirrors {
    let stays = now.map(|mirror| mirror.filter(|_| before.contains(&mirror)));
    if stays == [None, None] { now } else { stays }
}

/// A giver that was let go knows that the other hall has taken the case, also without having its TAKE.
fn let_go(view: &dyn View, case: &Case) -> Option<HallAt> {
    let released = log::custody(view, case.id).is_some_and(|custody| custody.stage == Stage::Released);
    case.transit.filter(|_| released).map(|transit| transit.to)
}

/// Cases in this hall's hand that no mirror keeps up to their head: since when, longest first. After a time and a case.
pub(crate) fn single_copies(
    view: &dyn View,
    after: Option<(u64, CaseId)>,
    count: usize,
) -> Vec<(u64, CaseId)> {
    let from = after.map(|(since, id)| rows::single_since(since, id)).unwrap_or_default();
    let mut found = Vec::new();
    view.scan(&rows::singles(), &from, &mut |key, _| {
        found.extend(rows::parse_single(key));
        found.len() < count
    });
    found
}
