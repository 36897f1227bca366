//! Deeds: a call becomes a command for the core. Sealing and wrapping happen here, off the loop.

use hallmesh_protocol::cases::{self, FIRST_KEY, Question};
use hallmesh_protocol::catalogue::Catalogue;
use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::clerks::{self, Act, ClerkCard};
use hallmesh_protocol::ids::{CaseId, CaseNumber, ClerkId, Digest, DivisionCode, HallAt, HallId, MatterCode};
use hallmesh_protocol::query::{self, CaseView};
use hallmesh_protocol::record::{Body, Record};
use hallmesh_protocol::seal::{PublicKey, Suite, WrapSecret};
use hallmesh_protocol::signed::{Signed, Verified};
use hallmesh_protocol::step::{Command, Reply};

use super::answers::{Answer, Material, Received};
use super::bundles;
use super::content::{self, CaseKey, Content};
use super::questions::{self, Asked, find, unhex};
use super::sticks::{self, Loaded};
use super::{
    Ask, Call, Problem, RecoverySecret, RoleWords, declaration, durability, reading, recovery, revocation,
    statements,
};
use crate::enrol;

/// A call that is a deed, ready for the core.
pub(crate) struct Deed {
    pub(crate) command: Box<Command>,
    /// What is needed to word the reply.
    pub(crate) after: After,
}

impl Deed {
    pub(super) fn new(command: Command, after: After) -> Self {
        Self { command: Box::new(command), after }
    }
}

/// What is needed to word a reply.
#[derive(Clone, Debug)]
pub(crate) enum After {
    Nothing,
    Received(Question),
    /// What the applicant brings, and what of the form nobody needs.
    ReceivedBundle {
        bring: Vec<Material>,
        unused: Vec<String>,
    },
    Clerk(u16),
    /// A reading was noted: now what is sealed may be opened.
    Reading(CaseId),
    /// Nothing was done: the case's present key does not open here.
    NotOpened,
    Issued(HallAt),
    KeysGiven(usize),
    Heeded(Vec<Verified<Record>>),
    Consigned(Box<Loaded>),
}

/// Turns a deed into a command.
pub(crate) fn prepare(
    asked: &Asked<'_>,
    ask: Ask,
    call: &Call,
    secret: &WrapSecret,
    chance: &mut Chance,
) -> Result<Deed, Problem> {
    let command = match ask {
        Ask::AddClerk { name, number, key, roles } => return add_clerk(asked, name, number, &key, &roles),
        Ask::DisableClerk { number } => return disable_clerk(asked, number),
        Ask::Receive { matter, place, content } => {
            return receive(asked, act(asked, call)?, matter, place, &content, chance);
        }
        Ask::Bundle { of } => return bundles::prepare(asked, &of, act(asked, call)?, (secret, chance)),
        Ask::Statement { of } => return statements::prepare(asked, &of, act(asked, call)?, (secret, chance)),
        Ask::Record { case, deed, content } => {
            let by = act(asked, call)?;
            return recorded(
                by,
                sealed_act(asked, exact(asked, &case)?.case.id, deed, &content, (secret, chance)),
            );
        }
        Ask::Read { case } => return to_be_read(asked, call, &case, secret),
        Ask::StickWrite { .. } => return sticks::write(asked, &ask),
        Ask::StickRead { file } => return sticks::read(asked, &file),
        Ask::Publish { bodies } => Command::Publish(act(asked, call)?, decode_bodies(&bodies)?),
        Ask::Issue { request, incarnation, days } => {
            return issue(asked, act(asked, call)?, &request, incarnation, days);
        }
        Ask::Replace { request, days } => {
            let next = enrol::next_life(asked.view, &request)?;
            return issue(asked, act(asked, call)?, &request, next, days);
        }
        Ask::Revoke { hall, incarnation, reason } => {
            Command::Publish(act(asked, call)?, vec![revocation::body(asked, hall, incarnation, reason)?])
        }
        Ask::Declare { declared, incarnation } => {
            Command::Declare(acts(asked, call)?, declaration::of(asked, declared, incarnation)?)
        }
        Ask::GiveKeys { hall, recovery } => {
            return give_keys(asked, acts(asked, call)?, (hall, recovery.as_ref()), secret, chance);
        }
        Ask::Heed { records } => return heed(asked, &records),
        Ask::Status
        | Ask::Peers
        | Ask::Halls { .. }
        | Ask::Card
        | Ask::Matters { .. }
        | Ask::SearchMatters { .. }
        | Ask::Lists { .. }
        | Ask::Matter { .. }
        | Ask::Route { .. }
        | Ask::Cases { .. }
        | Ask::Case { .. }
        | Ask::Trace { .. }
        | Ask::DueList { .. }
        | Ask::DueExplain { .. }
        | Ask::DueCompute { .. }
        | Ask::Export { .. }
        | Ask::Kept { .. }
        | Ask::Single { .. }
        | Ask::Post { .. }
        | Ask::Clerks
        | Ask::RevocationPlan { .. }
        | Ask::DeclarationPlan { .. }
        | Ask::KeysPlan { .. }
        | Ask::Happened { .. }
        | Ask::Recorder
        | Ask::Recording { .. }
        | Ask::Backup { .. }
        | Ask::Audit
        | Ask::AuditCheck { .. }
        | Ask::AuditProve { .. }
        | Ask::Stop => return Err(Problem::new("call.malformed")),
    };
    Ok(Deed::new(command, After::Nothing))
}

/// Who may open a case, and can, is noted as a reader first.
fn to_be_read(asked: &Asked<'_>, call: &Call, case: &str, secret: &WrapSecret) -> Result<Deed, Problem> {
    let id = exact(asked, case)?.case.id;
    reading::is_readable(asked, id, secret)?;
    Ok(Deed::new(Command::Read(act(asked, call)?, id), After::Reading(id)))
}

/// An act with its reasons, if it was sealed.
fn recorded(by: Verified<Act>, sealed: Result<cases::Record, Unsealed>) -> Result<Deed, Problem> {
    match sealed {
        Ok(record) => Ok(Deed::new(Command::Record(by, Box::new(record)), After::Nothing)),
        Err(why) => why.deed(),
    }
}

/// Why an act was not sealed.
pub(super) enum Unsealed {
    /// The case's present key is not wrapped to this hall, or what is wrapped does not open.
    Key(CaseId, Digest),
    Problem(Problem),
}

impl From<Problem> for Unsealed {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl Unsealed {
    /// The core is told of a key that does not open: it may have to give the case another one.
    pub(super) fn deed(self) -> Result<Deed, Problem> {
        match self {
            Self::Key(case, of) => Ok(Deed::new(Command::NotOpened(case, of), After::NotOpened)),
            Self::Problem(problem) => Err(problem),
        }
    }
}

/// An act with its reasons, sealed under the case's present key.
pub(super) fn sealed_act(
    asked: &Asked<'_>,
    id: CaseId,
    deed: cases::Deed,
    content: &Content,
    (secret, chance): (&WrapSecret, &mut Chance),
) -> Result<cases::Record, Unsealed> {
    let present = query::case(asked.view, id).map_or(FIRST_KEY, |view| view.case.key());
    let opened = reading::case_key(asked, id, present, secret);
    let CaseKey { of, key } = opened.ok_or(Unsealed::Key(id, present))?;
    let body = content.seal(id, &key, chance);
    let body = body.ok().ok_or_else(|| Unsealed::Problem(Problem::new("case.too_large")))?;
    Ok(cases::Record { case: id, deed, key: of, body })
}

/// Words the core's reply.
pub(crate) fn reply(asked: &Asked<'_>, reply: Reply, after: &After, secret: &WrapSecret) -> Answer {
    match (reply, after) {
        (Reply::Done, After::Reading(case)) => {
            reading::read(asked, *case, secret).unwrap_or_else(Answer::Refused)
        }
        (Reply::Done, After::NotOpened) => Answer::Refused(Problem::new("case.not_readable")),
        (Reply::Received { case, number, route }, After::Received(question)) => {
            let pinned = Catalogue::new(asked.view).matter(&question.matter, question.wall);
            Answer::Received(Box::new(Received {
                id: case.to_string(),
                number: number.to_string(),
                grade: "D1".to_owned(),
                copies: query::case(asked.view, case)
                    .map(|view| durability::copies(asked, &view))
                    .unwrap_or_default(),
                materials: pinned.as_ref().map(questions::to_bring).unwrap_or_default(),
                route: questions::route_view(asked, question, route, pinned.as_ref()),
            }))
        }
        (Reply::ReceivedBundle { bundle, .. }, After::ReceivedBundle { bring, unused }) => {
            bundles::received(asked, bundle, (bring, unused))
        }
        (Reply::RecordedBundle { bundle, cases }, _) => Answer::BundleRecorded {
            bundle: bundle.to_string(),
            cases: cases.iter().map(|(case, _)| case.to_string()).collect(),
        },
        (Reply::Stated { number, statement }, _) => {
            Answer::Stated { case: number.to_string(), statement: statement.to_string() }
        }
        (Reply::Recorded { case, sequence }, _) => {
            let decision = query::case(asked.view, case).and_then(|view| durability::standing(asked, &view));
            Answer::Recorded { case: case.to_string(), sequence, decision }
        }
        (Reply::Admitted { records: 0, .. }, After::Heeded(records))
            if !query::holds(asked.view, records) =>
        {
            Answer::Refused(Problem::new("hall.not_taken_up"))
        }
        (Reply::Published { .. }, After::Issued(at)) => issued(asked, *at),
        (Reply::Published { records } | Reply::Admitted { records, .. }, _) => Answer::Published { records },
        (Reply::Done, After::KeysGiven(keys)) => Answer::KeysGiven { keys: *keys },
        (Reply::Done, After::Clerk(number)) => Answer::ClerkKept { number: *number },
        (Reply::Consigned(cover), After::Consigned(loaded)) => {
            sticks::written(cover, loaded).unwrap_or_else(Answer::Refused)
        }
        (Reply::TakenIn(taken), _) => Answer::TakenIn(taken),
        (Reply::Refused(refusal), _) => Answer::Refused(refusal.into()),
        (Reply::Received { .. } | Reply::ReceivedBundle { .. } | Reply::Consigned(_) | Reply::Done, _) => {
            Answer::Done
        }
    }
}

/// The clerk's signature under this very call.
fn act(asked: &Asked<'_>, call: &Call) -> Result<Verified<Act>, Problem> {
    let signed = call.act.as_ref().ok_or_else(|| Problem::new("clerk.needed"))?;
    signed_for(asked, call, signed)
}

/// The signatures of two clerks.
fn acts(asked: &Asked<'_>, call: &Call) -> Result<[Verified<Act>; 2], Problem> {
    let second = call.second.as_ref().ok_or_else(|| Problem::new("clerk.one_person"))?;
    Ok([act(asked, call)?, signed_for(asked, call, second)?])
}

fn signed_for(asked: &Asked<'_>, call: &Call, signed: &Signed<Act>) -> Result<Verified<Act>, Problem> {
    let act = clerks::verify(asked.view, signed).ok().ok_or_else(|| Problem::new("clerk.unknown"))?;
    if act.value().request == Act::request_digest(call.ask.as_bytes()) {
        Ok(act)
    } else {
        Err(Problem::new("clerk.stale"))
    }
}

fn receive(
    asked: &Asked<'_>,
    act: Verified<Act>,
    matter: MatterCode,
    place: DivisionCode,
    content: &Content,
    chance: &mut Chance,
) -> Result<Deed, Problem> {
    let question = Question { matter, receiving: asked.at.hall, place, wall: asked.wall };
    let wanted = application(asked, &question, content, chance)?;
    let command = Command::Receive(act, Box::new(wanted));
    Ok(Deed::new(command, After::Received(question)))
}

/// An application sealed under a key of its own, which the halls on its route can open.
pub(super) fn application(
    asked: &Asked<'_>,
    question: &Question,
    content: &Content,
    chance: &mut Chance,
) -> Result<cases::Receive, Problem> {
    let route = cases::route(asked.view, question)?;
    let case = CaseId(chance.bytes16());
    let key = CaseKey::first(chance);
    let body = content.seal(case, &key.key, chance).ok().ok_or_else(|| Problem::new("case.too_large"))?;
    let mut halls = vec![asked.at];
    halls.extend(Some(route.competent).filter(|competent| *competent != asked.at));
    let wraps = content::wrap_for(asked.view, case, &halls, &key, chance)?;
    Ok(cases::Receive { case, matter: question.matter.clone(), place: question.place, body, wraps })
}

/// The case that a deed names: in full, so that a signature means one case and no other.
pub(super) fn exact(asked: &Asked<'_>, text: &str) -> Result<CaseView, Problem> {
    let full = text.parse::<CaseId>().is_ok() || text.parse::<CaseNumber>().is_ok();
    if !full {
        return Err(Problem::new("case.not_in_full").with("case", text));
    }
    find(asked.view, text)
}

/// What the root has signed would do what it says, or is refused here: nobody goes home believing that it was done.
fn heed(asked: &Asked<'_>, records: &str) -> Result<Deed, Problem> {
    let records = revocation::signed_elsewhere(asked, records)?;
    for record in &records {
        declaration::may_be_heeded(asked, &record.value().body)?;
    }
    Ok(Deed::new(Command::Admit(records.clone()), After::Heeded(records)))
}

fn give_keys(
    asked: &Asked<'_>,
    acts: [Verified<Act>; 2],
    (hall, recovery): (HallId, Option<&RecoverySecret>),
    secret: &WrapSecret,
    chance: &mut Chance,
) -> Result<Deed, Problem> {
    let keys = recovery::keys(asked, hall, recovery, secret, chance)?;
    let after = After::KeysGiven(keys.len());
    Ok(Deed::new(Command::GiveKeys(acts, keys), after))
}

fn add_clerk(
    asked: &Asked<'_>,
    name: String,
    number: Option<u16>,
    key: &str,
    roles: &RoleWords,
) -> Result<Deed, Problem> {
    let roles = roles.roles().map_err(|word| Problem::new("clerk.unknown_role").with("role", word))?;
    let cards = clerks::cards(asked.view);
    let next = || cards.last().map_or(1, |card| card.id.number.saturating_add(1));
    let number = number.unwrap_or_else(next);
    if cards.iter().any(|card| card.id.number == number) {
        return Err(Problem::new("clerk.exists").with("clerk", number));
    }
    let bytes = unhex(key).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let key = bytes.and_then(|bytes| PublicKey::new(Suite::One, bytes).ok());
    let key = key.ok_or_else(|| Problem::new("clerk.bad_key"))?;
    let id = ClerkId { hall: asked.at.hall, number };
    let card = ClerkCard { id, name, key, roles, active: true };
    Ok(Deed::new(Command::AddClerk(card), After::Clerk(number)))
}

fn disable_clerk(asked: &Asked<'_>, number: u16) -> Result<Deed, Problem> {
    let card = clerks::card(asked.view, number);
    let card = card.ok_or_else(|| Problem::new("clerk.unknown").with("clerk", number))?;
    let number = card.id.number;
    Ok(Deed::new(Command::DisableClerk(number), After::Clerk(number)))
}

fn issue(
    asked: &Asked<'_>,
    act: Verified<Act>,
    request: &str,
    incarnation: u32,
    days: u16,
) -> Result<Deed, Problem> {
    questions::can_be_found(asked)?;
    // A new hall takes the beginning of its charter for a time that has passed.
    if asked.live.known_time.is_some() {
        return Err(Problem::new("issue.clock_doubted"));
    }
    let charter = enrol::charter_below(asked.view, asked.at, request, incarnation, (asked.wall, days))?;
    let at = charter.at();
    let command = Command::Publish(act, vec![Body::Charter(Box::new(charter))]);
    Ok(Deed::new(command, After::Issued(at)))
}

fn issued(asked: &Asked<'_>, at: HallAt) -> Answer {
    match enrol::join_text(asked.view, asked.at.hall, at) {
        Ok(text) => Answer::Issued { text, hall: at.hall.to_string() },
        Err(why) => Answer::Refused(why.into()),
    }
}

fn decode_bodies(bodies: &[String]) -> Result<Vec<Body>, Problem> {
    let decode = |text: &String| Body::decode(&unhex(text)?).ok();
    bodies.iter().map(decode).collect::<Option<_>>().ok_or_else(|| Problem::new("draft.damaged"))
}
