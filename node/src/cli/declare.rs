//! `hallmesh case takeover`, `case give-keys` and `hall destroyed`: what nobody may decide alone.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use hallmesh_protocol::ids::HallId;
use serde_json::json;

use super::args::Signer;
use super::report::Report;
use super::revoke::{Offline, by_root, confirm};
use super::session::{Session, unexpected};
use super::{render, values};
use crate::enrol::{self, Word};
use crate::ops::{Answer, Ask, DeclarationPlan, Declared, Problem, RecoverySecret};

#[derive(Debug, Args)]
pub(super) struct Takeover {
    #[arg(value_name = "HALL", value_parser = values::hall)]
    hall: HallId,
    #[arg(long, value_name = "HALL", value_parser = values::hall)]
    to: HallId,
    #[arg(long, conflicts_with = "root")]
    stolen: bool,
    #[command(flatten)]
    how: How,
}

#[derive(Debug, Args)]
pub(super) struct Destroyed {
    #[arg(value_name = "HALL", value_parser = values::hall)]
    hall: HallId,
    #[command(flatten)]
    how: How,
}

// Shown first, then done by two clerks of a hall above or by the root.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["plan", "apply"]))]
#[command(group = ArgGroup::new("who").args(["root", "clerk"]))]
struct How {
    #[arg(long, conflicts_with = "who")]
    plan: bool,
    #[arg(long, requires = "who")]
    apply: bool,
    #[arg(long, value_name = "N", conflicts_with = "root")]
    incarnation: Option<u32>,
    #[arg(long, value_name = "HALL")]
    confirm: Option<String>,
    #[command(flatten)]
    persons: Persons,
    #[arg(long, value_name = "DIR", requires = "out")]
    root: Option<PathBuf>,
    #[arg(long, value_name = "FILE", requires = "root")]
    papers: Option<PathBuf>,
    #[arg(long, value_name = "FILE", requires = "root")]
    out: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["plan", "apply"]))]
pub(super) struct GiveKeys {
    #[arg(value_name = "HALL", value_parser = values::hall)]
    hall: HallId,
    #[arg(long, conflicts_with = "clerk")]
    plan: bool,
    #[arg(long, requires = "clerk")]
    apply: bool,
    #[arg(long, value_name = "FILE", requires = "apply")]
    recovery_key: Option<PathBuf>,
    #[command(flatten)]
    persons: Persons,
}

// Two clerks: what they sign together nobody may do alone.
#[derive(Debug, Args)]
struct Persons {
    #[arg(long, value_name = "N", requires = "second")]
    clerk: Option<u16>,
    #[arg(long, value_name = "FILE", requires = "clerk")]
    clerk_key: Option<PathBuf>,
    #[arg(long, value_name = "N", requires = "clerk")]
    second: Option<u16>,
    #[arg(long, value_name = "FILE", requires = "second")]
    second_key: Option<PathBuf>,
}

impl Persons {
    fn signers(&self) -> Option<[Signer; 2]> {
        let (clerk, second) = self.clerk.zip(self.second)?;
        Some([
            Signer { clerk, clerk_key: self.clerk_key.clone() },
            Signer { clerk: second, clerk_key: self.second_key.clone() },
        ])
    }
}

/// Opens, with a recovery key, what no living hall can open, for the hall that goes on with it.
pub(super) fn give_keys(session: &Session, give: &GiveKeys) -> Result<Report, Problem> {
    let Some(signers) = give.persons.signers().filter(|_| give.apply) else {
        return Report::of(&session.texts, &session.ask(&Ask::KeysPlan { hall: give.hall })?);
    };
    let seed = give.recovery_key.as_ref().map(|file| enrol::recovery_seed(file)).transpose()?;
    let recovery = seed.map(|seed| RecoverySecret::of(&seed));
    let ask = Ask::GiveKeys { hall: give.hall, recovery };
    Report::of(&session.texts, &session.act_together(&ask, &signers)?)
}

pub(super) fn takeover(session: &Session, takeover: &Takeover) -> Result<Report, Problem> {
    let (hall, to) = (takeover.hall, takeover.to);
    let declared =
        if takeover.stolen { Declared::Stolen { hall, to } } else { Declared::TakeOver { hall, to } };
    run(session, (declared, takeover.hall, Word::TakenOverBy(takeover.to)), &takeover.how)
}

pub(super) fn destroyed(session: &Session, destroyed: &Destroyed) -> Result<Report, Problem> {
    let declared = Declared::Destroyed { hall: destroyed.hall };
    run(session, (declared, destroyed.hall, Word::Destroyed), &destroyed.how)
}

fn run(
    session: &Session,
    (declared, hall, word): (Declared, HallId, Word),
    how: &How,
) -> Result<Report, Problem> {
    if let Some(root) = how.root.as_deref() {
        let out = how.out.as_deref().filter(|_| how.apply);
        let (papers, confirmed) = (how.papers.as_deref(), how.confirm.as_deref());
        return by_root(session, (hall, word), Offline { root, papers, out, confirmed });
    }
    let asked = Ask::DeclarationPlan { declared, incarnation: how.incarnation };
    let answer = session.ask(&asked)?;
    match (&answer, how.persons.signers()) {
        (Answer::DeclarationPlan(plan), Some(signers)) if how.apply => {
            by_clerks(session, (declared, hall), how, (plan, &signers))
        }
        (Answer::DeclarationPlan(_), _) => Report::of(&session.texts, &answer),
        _ => Err(unexpected()),
    }
}

fn by_clerks(
    session: &Session,
    (declared, hall): (Declared, HallId),
    how: &How,
    (plan, signers): (&DeclarationPlan, &[Signer; 2]),
) -> Result<Report, Problem> {
    if let Some(obstacle) = &plan.obstacle {
        return Err(obstacle.clone());
    }
    confirm(session, how.confirm.as_deref(), hall, &plan.name)?;
    let ask = Ask::Declare { declared, incarnation: plan.incarnation };
    let Answer::Published { .. } = session.act_together(&ask, signers)? else { return Err(unexpected()) };
    let texts = &session.texts;
    let (to, to_name) = (plan.to.clone().unwrap_or_default(), plan.to_name.clone().unwrap_or_default());
    let what = [
        ("name", &plan.name as &dyn std::fmt::Display),
        ("incarnation", &plan.incarnation),
        ("to", &to),
        ("to_name", &to_name),
    ];
    // It holds once the nodes of a majority have met it, of which this one hears later.
    let said = match (&plan.counties, &plan.to) {
        (Some(_), _) => "declare.voice",
        (None, Some(_)) => "declare.taken_over",
        (None, None) => "declare.destroyed",
    };
    let next = if plan.to.is_some() { "hallmesh case list --stage custodian" } else { "hallmesh status" };
    let lines = vec![texts.filled(said, &what), render::next(texts, next)];
    Report::new(&json!({ "clerks": signers.each_ref().map(|it| it.clerk), "plan": plan }), lines)
}
