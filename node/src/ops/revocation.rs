//! The end of a life of a hall: what follows from it, and the deed that says so.

use hallmesh_protocol::cases::{self, Stage};
use hallmesh_protocol::directory::{Charter, Directory, Revocation};
use hallmesh_protocol::ids::{CaseId, HallAt, HallId};
use hallmesh_protocol::post;
use hallmesh_protocol::query;
use hallmesh_protocol::record::{Body, Record, decode_records};
use hallmesh_protocol::signed::Verified;
use hallmesh_protocol::verify;

use super::answers::{CaseAt, HallBelow, RevocationPlan};
use super::questions::{Asked, unhex};
use super::{Problem, ReasonWord};

/// Cases told one by one at the most.
const CASES_MAX: usize = 500;
/// Cases read at once.
const PAGE: usize = 1_000;
/// Letters looked at, at the most.
const LETTERS_MAX: usize = 100_000;

/// What follows from the end of a life of a hall, as far as this hall knows. Changes nothing.
pub(crate) fn plan(
    asked: &Asked<'_>,
    hall: HallId,
    incarnation: Option<u32>,
) -> Result<RevocationPlan, Problem> {
    let directory = Directory::new(asked.view);
    let charter = life(&directory, hall, incarnation)?;
    let at = charter.at();
    let lives = (1..=at.incarnation).map(|incarnation| HallAt { hall, incarnation });
    let ends = lives.filter(|at| directory.card(*at).is_some() && !directory.is_revoked(*at));
    let (cases, count) = cases_of(asked, at);
    let letters = post::waiting(asked.view, LETTERS_MAX);
    Ok(RevocationPlan {
        hall: hall.to_string(),
        name: charter.name.clone(),
        incarnation: at.incarnation,
        next: at.incarnation.saturating_add(1),
        ends: ends.map(|at| at.incarnation).collect(),
        may: is_above(asked.at.hall, hall),
        connected: asked.live.connected.contains(&hall),
        below: below(&directory, &charter),
        cases,
        case_count: count,
        letters: letters.iter().filter(|letter| letter.to == hall).count(),
    })
}

/// What is to be published. The life is named in full, so that a signature means one life and no other.
pub(crate) fn body(
    asked: &Asked<'_>,
    hall: HallId,
    incarnation: u32,
    reason: ReasonWord,
) -> Result<Body, Problem> {
    let directory = Directory::new(asked.view);
    let charter = life(&directory, hall, Some(incarnation))?;
    let at = charter.at();
    if directory.is_revoked(at) {
        return Err(Problem::new("hall.revoked_already").with("hall", hall).with("incarnation", incarnation));
    }
    let (transport_key, reason) = (charter.transport_key, reason.reason());
    Ok(Body::Revocation(Revocation { at, transport_key, reason, since: asked.wall }))
}

/// Records that were signed elsewhere and hold.
pub(crate) fn signed_elsewhere(asked: &Asked<'_>, records: &str) -> Result<Vec<Verified<Record>>, Problem> {
    let refused = || Problem::new("hall.not_signed_by_root");
    let records = unhex(records).and_then(|bytes| decode_records(&bytes).ok()).ok_or_else(refused)?;
    match verify::records(asked.view, records) {
        (records, 0) if !records.is_empty() => Ok(records),
        _ => Err(refused()),
    }
}

pub(super) fn life(
    directory: &Directory<'_>,
    hall: HallId,
    incarnation: Option<u32>,
) -> Result<Charter, Problem> {
    let charter = match incarnation {
        Some(incarnation) => directory.life(HallAt { hall, incarnation }),
        None => directory.charter(hall),
    };
    charter.ok_or_else(|| Problem::new("hall.unknown").with("hall", hall))
}

/// As the directory judges it: authority over other halls lies with main halls above.
pub(super) fn is_above(superior: HallId, hall: HallId) -> bool {
    superior.serial() == 0 && superior.tier() < hall.tier() && superior.division().covers(hall.division())
}

/// The halls that this one is above of. Where it also holds their recovery key, who has its machine may open their
/// case keys: these halls need new papers of a new life of it.
fn below(directory: &Directory<'_>, charter: &Charter) -> Vec<HallBelow> {
    let halls = directory.halls().into_iter().filter(|card| card.parent == Some(charter.hall));
    let new_papers =
        |hall: HallId| directory.charter(hall).is_some_and(|theirs| theirs.recovery_key == charter.wrap_key);
    let below =
        |at: HallAt, name| HallBelow { hall: at.hall.to_string(), name, new_papers: new_papers(at.hall) };
    halls.map(|card| below(card.at, card.name)).collect()
}

/// The open cases that have to do with a life of a hall: the first of them, and how many there are.
pub(super) fn cases_of(asked: &Asked<'_>, at: HallAt) -> (Vec<CaseAt>, u64) {
    let (mut found, mut count) = (Vec::new(), 0_u64);
    for case in Stage::ALL.into_iter().flat_map(|stage| desk(asked, stage)).flatten() {
        let Some(case) = concerned(asked, case, at) else { continue };
        count = count.saturating_add(1);
        if found.len() < CASES_MAX {
            found.push(case);
        }
    }
    (found, count)
}

/// All cases in one stage, page by page.
pub(super) fn desk<'a>(asked: &'a Asked<'a>, stage: Stage) -> impl Iterator<Item = Vec<CaseId>> + 'a {
    Desk { asked, stage, after: None }
}

struct Desk<'a> {
    asked: &'a Asked<'a>,
    stage: Stage,
    after: Option<CaseId>,
}

impl Iterator for Desk<'_> {
    type Item = Vec<CaseId>;

    fn next(&mut self) -> Option<Vec<CaseId>> {
        let page = query::desk(self.asked.view, self.stage, self.after, PAGE);
        self.after = page.last().copied();
        self.after.map(|_| page)
    }
}

fn concerned(asked: &Asked<'_>, id: CaseId, at: HallAt) -> Option<CaseAt> {
    let view = query::case(asked.view, id)?;
    let case = &view.case;
    let ends = |life: HallAt| life.hall == at.hall && life.incarnation <= at.incarnation;
    let part = part(case, at.hall, ends)?;
    let open = !case.is_over();
    let (number, state) = (case.number.to_string(), case.state);
    open.then(|| CaseAt { number, state, part: part.to_owned() })
}

/// What the hall is to a case, the weightiest first.
fn part(case: &cases::Case, hall: HallId, ends: impl Fn(HallAt) -> bool) -> Option<&'static str> {
    let parts = [
        (ends(case.custodian) && case.transit.is_none(), "in-hand"),
        (ends(case.custodian), "sent"),
        (case.transit.is_some_and(|transit| ends(transit.to)), "on-the-way"),
        (case.competent == hall, "to-decide"),
        (case.receiving == hall, "to-deliver"),
    ];
    parts.into_iter().find(|(holds, _)| *holds).map(|(_, word)| word)
}
