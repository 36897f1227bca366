//! Questions, answered from a snapshot of the store.

use std::collections::{BTreeMap, BTreeSet};

use hallmesh_protocol::calendar::CivilDay;
use hallmesh_protocol::cases::{self, Question, Stage};
use hallmesh_protocol::catalogue::{Catalogue, MaterialSource, Necessity, PinnedMatter, Rights};
use hallmesh_protocol::clerks;
use hallmesh_protocol::directory::Directory;
use hallmesh_protocol::genesis;
use hallmesh_protocol::ids::{CaseId, DivisionCode, HallAt, HallId, MatterCode};
use hallmesh_protocol::parcels;
use hallmesh_protocol::post;
use hallmesh_protocol::query::{self, CaseView};
use hallmesh_protocol::record::Body;
use hallmesh_protocol::step::View;

use super::answers::{Answer, Case, Clerk, Hall, Letter, Material, Matter, Peer, Route, Status, Trace};
use super::{
    Ask, Problem, RoleWords, audit, bundles, declaration, durability, events, limits, recovery, revocation,
    statements,
};
use crate::enrol;
pub(crate) use crate::hex::{hex, unhex};

/// Answers of one page at the most.
const COUNT_MAX: usize = 1_000;
/// Bytes of list entries on one page: in hex they fit a frame of the admin socket.
const STANDING_BYTES_MAX: usize = 1 << 20;

/// What a question is answered from.
pub(crate) struct Asked<'a> {
    /// The committed rows.
    pub(crate) view: &'a dyn View,
    /// This hall.
    pub(crate) at: HallAt,
    /// The time to read lists and limits by.
    pub(crate) wall: u64,
    /// What this machine's clock shows.
    pub(crate) clock: u64,
    /// What is not in rows.
    pub(crate) live: &'a Live,
}

/// What a running node knows besides its rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Live {
    pub(crate) boot: u32,
    pub(crate) peer_id: String,
    pub(crate) listening: Vec<String>,
    pub(crate) connected: BTreeSet<HallId>,
    pub(crate) wanted: BTreeSet<HallId>,
    pub(crate) refused: BTreeMap<String, u64>,
    pub(crate) disk_free: u64,
    /// How many cases in hand press; none until they were looked at.
    pub(crate) due: Option<limits::DueCounts>,
    /// Milliseconds since 1970 when this hall's ticks were zero, as far as it knows, while it doubts its clock.
    pub(crate) known_time: Option<u64>,
    /// How long letters may wait before people are told.
    pub(crate) patience: post::Patience,
    pub(crate) up_ms: u64,
    pub(crate) sealed: String,
}

/// Answers a question; none if it is a deed.
pub(crate) fn answer(asked: &Asked<'_>, ask: &Ask) -> Option<Answer> {
    let lists = Catalogue::new(asked.view);
    Some(match ask {
        Ask::Status => Answer::Status(Box::new(status(asked))),
        Ask::Peers => Answer::Peers { peers: peers(asked) },
        Ask::Halls { text } => Answer::Halls { halls: halls(asked, text) },
        Ask::Card => or_refused(card(asked)),
        Ask::Matters { after, count } => page(asked, &lists.matters(after, limit(*count)), *count),
        Ask::Lists { after } => standing(&lists, after),
        Ask::Matter { code } => or_refused(matter(asked, code).map(|it| Answer::Matter(Box::new(it)))),
        Ask::Bundle { of } => return bundles::answer(asked, of),
        Ask::Statement { of } => return statements::answer(asked, of),
        Ask::Route { matter, place, from } => or_refused(way(asked, matter, *place, *from)),
        Ask::Cases { stage, count } => Answer::Cases { cases: desk(asked, *stage, *count) },
        Ask::Case { case } => {
            or_refused(find(asked.view, case).map(|view| Answer::Case(Box::new(self::case(asked, &view)))))
        }
        Ask::Trace { case } => {
            or_refused(find(asked.view, case).map(|view| Answer::Trace(Box::new(trace(asked, &view)))))
        }
        Ask::DueList { within, count } => {
            Answer::DueList(Box::new(limits::list(asked, *within, limit(*count))))
        }
        Ask::DueExplain { case } => {
            or_refused(limits::explain(asked, case).map(|it| Answer::DueExplained(Box::new(it))))
        }
        Ask::DueCompute { from, working_days } => or_refused(
            limits::compute(asked, *from, *working_days).map(|it| Answer::DueComputed(Box::new(it))),
        ),
        Ask::Export { case } => or_refused(export(asked, case)),
        Ask::Post { count } => {
            Answer::Post { letters: letters(asked, *count), overdue: durability::overdue(asked).1 }
        }
        Ask::Single { after, count } => or_refused(singles(asked, after.as_deref(), *count)),
        Ask::StickRead { file } => return super::sticks::own(asked, file),
        Ask::Audit => Answer::Audit(Box::new(audit::show(asked))),
        Ask::AuditCheck { from, count } => Answer::AuditChecked(audit::check(asked, *from, *count)),
        Ask::AuditProve { case, sequence } => or_refused(audit::prove(asked, case, *sequence)),
        Ask::Clerks => Answer::Clerks { clerks: clerks::cards(asked.view).iter().map(clerk).collect() },
        Ask::RevocationPlan { hall, incarnation } => {
            let plan = revocation::plan(asked, *hall, *incarnation);
            or_refused(plan.map(|plan| Answer::RevocationPlan(Box::new(plan))))
        }
        Ask::DeclarationPlan { declared, incarnation } => {
            let plan = declaration::plan(asked, *declared, *incarnation);
            or_refused(plan.map(|plan| Answer::DeclarationPlan(Box::new(plan))))
        }
        Ask::KeysPlan { hall } => or_refused(recovery::plan(asked, *hall).map(Answer::KeysPlan)),
        Ask::Read { .. }
        | Ask::Declare { .. }
        | Ask::GiveKeys { .. }
        | Ask::StickWrite { .. }
        | Ask::Revoke { .. }
        | Ask::Heed { .. }
        | Ask::AddClerk { .. }
        | Ask::DisableClerk { .. }
        | Ask::Receive { .. }
        | Ask::Record { .. }
        | Ask::Publish { .. }
        | Ask::Issue { .. }
        | Ask::Replace { .. }
        | Ask::Backup { .. }
        | Ask::SearchMatters { .. }
        | Ask::Kept { .. }
        | Ask::Happened { .. }
        | Ask::Recorder
        | Ask::Recording { .. }
        | Ask::Stop => return None,
    })
}

/// What the root needs of a superior to issue charters below it.
fn card(asked: &Asked<'_>) -> Result<Answer, Problem> {
    can_be_found(asked)?;
    Ok(Answer::Card { text: enrol::card_text(asked.view, asked.at.hall)? })
}

/// A new hall learns from its papers where the hall above it is. If that has not said so, it would find nobody.
pub(crate) fn can_be_found(asked: &Asked<'_>) -> Result<(), Problem> {
    let contact = Directory::new(asked.view).contact(asked.at.hall);
    let found = contact.is_some_and(|contact| contact.at == asked.at && !contact.addresses.is_empty());
    if found { Ok(()) } else { Err(Problem::new("hall.no_address")) }
}

/// The one case that a text names.
pub(crate) fn find(view: &dyn View, text: &str) -> Result<CaseView, Problem> {
    let found = query::find_cases(view, text, 2);
    match found.as_slice() {
        [] => Err(Problem::new("case.unknown").with("case", text)),
        [one] => query::case(view, *one).ok_or_else(|| Problem::new("case.unknown").with("case", text)),
        [..] => Err(Problem::new("case.ambiguous").with("case", text)),
    }
}

fn way(
    asked: &Asked<'_>,
    matter: &MatterCode,
    place: DivisionCode,
    from: Option<HallId>,
) -> Result<Answer, Problem> {
    let receiving = from.unwrap_or(asked.at.hall);
    let question = Question { matter: matter.clone(), receiving, place, wall: asked.wall };
    route(asked, &question).map(|it| Answer::Route(Box::new(it)))
}

/// A route as people read it.
pub(crate) fn route(asked: &Asked<'_>, question: &Question) -> Result<Route, Problem> {
    let found = cases::route(asked.view, question)?;
    let pinned = Catalogue::new(asked.view).matter(&question.matter, question.wall);
    Ok(route_view(asked, question, found, pinned.as_ref()))
}

pub(crate) fn route_view(
    asked: &Asked<'_>,
    question: &Question,
    found: cases::Route,
    pinned: Option<&PinnedMatter>,
) -> Route {
    Route {
        matter: question.matter.to_string(),
        matter_name: pinned.map(|pinned| pinned.matter.name.clone()).unwrap_or_default(),
        from: question.receiving.to_string(),
        from_name: name(asked.view, question.receiving),
        to: found.competent.hall.to_string(),
        to_name: name(asked.view, found.competent.hall),
        body: found.body_name,
        reasons: found.reasons,
        official: pinned.is_some_and(|pinned| pinned.matter.verified),
    }
}

/// What an applicant still has to bring for a matter: never what government holds.
pub(crate) fn to_bring(pinned: &PinnedMatter) -> Vec<Material> {
    let materials = pinned.matter.materials.iter();
    materials.filter(|it| it.source == MaterialSource::Applicant).map(material).collect()
}

fn status(asked: &Asked<'_>) -> Status {
    let (directory, counts) = (Directory::new(asked.view), query::counts(asked.view));
    let (card, roots) = (directory.charter(asked.at.hall), query::roots(asked.view));
    let anchor = genesis::identity(asked.view).map(|identity| enrol::fingerprint(&identity.anchor));
    let (undeliverable, overdue) = durability::overdue(asked);
    let stages = counts.stages.iter().map(|(stage, count)| (stage.word().to_owned(), *count)).collect();
    Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        hall: asked.at.hall.to_string(),
        name: name(asked.view, asked.at.hall),
        tier: asked.at.hall.tier().as_str().to_owned(),
        incarnation: asked.at.incarnation,
        boot: asked.live.boot,
        parent: card.as_ref().and_then(|card| card.parent).map(|parent| parent.to_string()),
        charter_valid_to: card.map_or(0, |card| card.valid_to),
        root: anchor.unwrap_or_default(),
        peer_id: asked.live.peer_id.clone(),
        listening: asked.live.listening.clone(),
        peers: asked.live.connected.len(),
        wanted_peers: asked.live.wanted.len(),
        directory_records: counts.directory,
        list_records: counts.lists,
        directory_root: hex(&roots.directory),
        lists_root: hex(&roots.lists),
        cases: counts.cases,
        closed: counts.closed,
        stages,
        single: counts.single,
        single_since: durability::single_since(asked),
        post: counts.post,
        undeliverable,
        overdue,
        relayed: counts.relayed,
        forks: counts.forks,
        known_forks: audit::forks(asked.view, None).len(),
        twins: twins(asked),
        rolled_back: audit::forgotten(asked.view),
        refused: asked.live.refused.clone(),
        disk_free: asked.live.disk_free,
        statements: statements::waiting(asked),
        due: asked.live.due,
        clock_doubted: asked.live.known_time.is_some(),
        up_ms: asked.live.up_ms,
        wall: asked.wall,
        clock: asked.clock,
        sealed: asked.live.sealed.clone(),
    }
}

/// Of a life that has ended nobody has to be warned any more.
fn twins(asked: &Asked<'_>) -> Vec<String> {
    let directory = Directory::new(asked.view);
    let twins = query::twins(asked.view, asked.clock).into_iter().filter(|(at, _)| !directory.has_ended(*at));
    twins.map(|(at, _)| at.to_string()).collect()
}

fn peers(asked: &Asked<'_>) -> Vec<Peer> {
    let directory = Directory::new(asked.view);
    let halls = asked.live.wanted.union(&asked.live.connected);
    let peer = |hall: &HallId| Peer {
        hall: hall.to_string(),
        name: name(asked.view, *hall),
        connected: asked.live.connected.contains(hall),
        addresses: directory.contact(*hall).map(|contact| contact.addresses).unwrap_or_default(),
    };
    halls.map(peer).collect()
}

fn halls(asked: &Asked<'_>, text: &str) -> Vec<Hall> {
    let found = query::find_halls(asked.view, text).into_iter();
    let hall = |card: hallmesh_protocol::directory::HallCard| Hall {
        hall: card.at.hall.to_string(),
        name: card.name,
        tier: card.tier.as_str().to_owned(),
        parent: card.parent.map(|parent| parent.to_string()),
        incarnation: card.at.incarnation,
        valid_to: card.valid_to,
    };
    found.map(hall).collect()
}

/// The matters that a search has found, in its order. One that was withdrawn meanwhile is left out, and so is one that
/// holds only from a later day on.
pub(crate) fn found(asked: &Asked<'_>, codes: &[MatterCode], count: usize) -> Answer {
    let lists = Catalogue::new(asked.view);
    let found: Vec<_> = codes.iter().filter_map(|code| lists.matter(code, asked.wall)).collect();
    let matters = found.iter().map(|it| matter_view(asked, it)).collect();
    Answer::Matters { matters, more: codes.len() >= limit(count) }
}

fn page(asked: &Asked<'_>, found: &[PinnedMatter], count: usize) -> Answer {
    let more = found.len() >= limit(count);
    Answer::Matters { matters: found.iter().map(|it| matter_view(asked, it)).collect(), more }
}

fn standing(lists: &Catalogue<'_>, after: &str) -> Answer {
    let bodies = lists.standing(after, COUNT_MAX, STANDING_BYTES_MAX);
    let after = bodies.last().map(Body::key);
    Answer::Lists { bodies: bodies.iter().map(|body| hex(&body.encode())).collect(), after }
}

fn matter(asked: &Asked<'_>, code: &MatterCode) -> Result<Matter, Problem> {
    let pinned = Catalogue::new(asked.view).matter(code, asked.wall);
    let pinned = pinned.ok_or_else(|| Problem::new("matter.unknown").with("matter", code))?;
    Ok(matter_view(asked, &pinned))
}

fn matter_view(asked: &Asked<'_>, pinned: &PinnedMatter) -> Matter {
    let it = &pinned.matter;
    let competence = Catalogue::new(asked.view).competence(it, asked.at.hall, asked.wall);
    Matter {
        code: it.code.to_string(),
        name: it.name.clone(),
        kind: it.kind,
        level: it.level.as_str().to_owned(),
        body: it.body_name.clone(),
        body_code: it.body.to_string(),
        promised: it.promised,
        legal_days: it.legal_days,
        promised_days: it.promised_days,
        materials: it.materials.iter().map(material).collect(),
        result: it.result.name.clone(),
        offline_decision: it.offline_decision,
        basis: it.basis.clone(),
        source: it.source.clone(),
        official: it.verified,
        version: pinned.version,
        digest: pinned.digest.to_string(),
        rights: rights(competence.rights),
    }
}

pub(super) fn material(it: &hallmesh_protocol::catalogue::Material) -> Material {
    let necessity = match it.necessity {
        Necessity::Required => "required",
        Necessity::Optional => "optional",
        Necessity::Supplementable => "supplementable",
        Necessity::Promisable => "promisable",
    };
    Material {
        name: it.name.clone(),
        necessity: necessity.to_owned(),
        shared: it.source == MaterialSource::Shared,
    }
}

fn rights(rights: Rights) -> Vec<String> {
    let all = [
        ("receive", rights.receive),
        ("accept", rights.accept),
        ("transfer", rights.transfer),
        ("issue", rights.issue),
    ];
    all.into_iter().filter(|(_, held)| *held).map(|(word, _)| word.to_owned()).collect()
}

fn desk(asked: &Asked<'_>, stage: Option<Stage>, count: usize) -> Vec<Case> {
    let stages = stage.map_or_else(|| Stage::ALL.to_vec(), |stage| vec![stage]);
    let ids = stages.into_iter().flat_map(|stage| query::desk(asked.view, stage, None, limit(count)));
    let views = ids.take(limit(count)).filter_map(|id: CaseId| query::case(asked.view, id));
    views.map(|view| listed(asked, &view)).collect()
}

/// A case as people read it.
pub(crate) fn case(asked: &Asked<'_>, view: &CaseView) -> Case {
    Case { task: bundles::task_of(asked, &view.case), ..listed(asked, view) }
}

/// The same without what it is to its bundle, for which all tasks of that have to be looked at.
fn listed(asked: &Asked<'_>, view: &CaseView) -> Case {
    let (it, custody) = (&view.case, view.custody);
    let today = CivilDay::of_wall(asked.wall);
    let limits = limits::of(asked, view);
    let told = |clock| Some(limits::limit(clock, limits.as_ref()?, today));
    let clocks = limits.iter().flat_map(|limits| &limits.clocks);
    let stage = custody.map_or(Stage::None, |custody| custody.stage);
    let grade = custody.map_or(cases::Grade::D1, |custody| custody.grade);
    Case {
        id: it.id.to_string(),
        number: it.number.to_string(),
        matter: it.matter.to_string(),
        matter_name: view.matter.as_ref().map(|pinned| pinned.matter.name.clone()),
        official: view.matter.as_ref().is_some_and(|pinned| pinned.matter.verified),
        state: it.state,
        granted: it.granted,
        place: it.place.to_string(),
        receiving: it.receiving.to_string(),
        receiving_name: name(asked.view, it.receiving),
        competent: it.competent.to_string(),
        competent_name: name(asked.view, it.competent),
        custodian: it.custodian.hall.to_string(),
        custodian_name: name(asked.view, it.custodian.hall),
        in_transit_to: it.transit.map(|transit| transit.to.hall.to_string()),
        term: it.position.term,
        epoch: it.position.epoch,
        events: it.events,
        head: it.head.to_string(),
        stage: stage.word().to_owned(),
        mirror: custody.is_some_and(|custody| custody.mirror),
        // Whoever took it keeps it, and a mirror of theirs.
        grade: if stage == Stage::Released { "D2".to_owned() } else { format!("{grade:?}") },
        mirrors: it.mirrors.into_iter().flatten().map(|at| at.hall.to_string()).collect(),
        copies: durability::copies(asked, view),
        decision: durability::standing(asked, view),
        received: it.received.claimed,
        accepted: it.accepted.map(|at| at.claimed),
        decided: it.decided.map(|at| at.claimed),
        delivered: it.delivered.map(|at| at.claimed),
        ending: it.ending.map(|ending| ending.word().to_owned()),
        ending_code: it.ending.map(cases::Ending::code),
        ended: it.ended.map(|at| at.claimed),
        corrections: it.corrections,
        certificate_owed: it.certificate_owed,
        deemed_accepted: limits.as_ref().and_then(|it| it.deemed_accepted).map(|since| since.to_string()),
        limits: clocks.filter_map(told).collect(),
        first_asked: it.first_asked.to_string(),
        bundle: it.task.map(|task| task.bundle.to_string()),
        task: None,
        statements: statements::of_case(asked, it.number),
        revoked: it.revoked.map(|at| at.claimed),
    }
}

fn trace(asked: &Asked<'_>, view: &CaseView) -> Trace {
    let log = query::log(asked.view, view.case.id);
    let orphans = query::orphans(asked.view, view.case.id);
    let recovering = view.custody.is_some_and(|custody| custody.stage == Stage::Recovering);
    let missing = query::recovery_waits_for(asked.view, asked.at, &view.case);
    let missing = missing.into_iter().filter(|_| recovering);
    Trace {
        case: case(asked, view),
        events: log.iter().map(|entry| events::event(asked, entry)).collect(),
        orphans: orphans.iter().map(|entry| events::event(asked, entry)).collect(),
        waits_for: missing.map(|at| format!("{at} {}", name(asked.view, at.hall))).collect(),
        forks: audit::forks(asked.view, Some(view.case.id)),
    }
}

fn export(asked: &Asked<'_>, text: &str) -> Result<Answer, Problem> {
    let view = find(asked.view, text)?;
    let package = crate::export::pack(asked.view, view.case.id)?;
    Ok(Answer::Export { package: hex(&package) })
}

fn letters(asked: &Asked<'_>, count: usize) -> Vec<Letter> {
    let waiting = post::waiting(asked.view, limit(count)).into_iter();
    let on_sticks = parcels::on_sticks(asked.view);
    let number = |case: CaseId| query::case(asked.view, case).map(|view| view.case.number.to_string());
    let letter = |it: post::Waiting| Letter {
        to: it.to.to_string(),
        to_name: name(asked.view, it.to),
        what: it.what.word().to_owned(),
        case: it.what.case().and_then(number),
        since: it.since,
        late: it.late(asked.wall, asked.live.patience),
        on_stick: on_sticks.get(&it.place).copied(),
    };
    waiting.map(letter).collect()
}

fn singles(asked: &Asked<'_>, after: Option<&str>, count: usize) -> Result<Answer, Problem> {
    let (singles, after) = durability::singles(asked, after, limit(count))?;
    Ok(Answer::Singles { singles, count: query::counts(asked.view).single, after })
}

fn clerk(card: &clerks::ClerkCard) -> Clerk {
    Clerk {
        number: card.id.number,
        name: card.name.clone(),
        roles: RoleWords::of(&card.roles),
        active: card.active,
    }
}

/// A hall's name; its code if the directory does not know it.
pub(crate) fn name(view: &dyn View, hall: HallId) -> String {
    let directory = Directory::new(view);
    directory.charter(hall).map_or_else(|| hall.to_string(), |charter| charter.name)
}

/// How many are shown at once, of so many asked for.
pub(crate) fn limit(count: usize) -> usize {
    count.clamp(1, COUNT_MAX)
}

fn or_refused(answer: Result<Answer, Problem>) -> Answer {
    answer.unwrap_or_else(Answer::Refused)
}
