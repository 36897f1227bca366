//! What clerks do: take in a case, add an act to a case in hand. Each command is one commit.

use super::clocks::{ClockKind, clocks, deemed_accepted};
use super::countersign::may_be_delivered;
use super::ending::{Closing, NotAccepted};
use super::event::{Header, Position, SignedEvent};
use super::facts::Facts;
use super::fold::{Case, NotAllowed};
use super::handover::send_on;
use super::keys;
use super::log::{self, Custody, Grade, Stage};
use super::mirroring::queue_copies;
use super::routing::{Question, Route, route};
use super::statement::{Cited, StatementKind};
use super::statements;
use super::task::Task;
use super::together::go_on;
use super::{Deed, Office, Receive, Record, Refusal};
use crate::calendar::{Calendar, CivilDay, TimeRules};
use crate::catalogue::{Matter, Necessity, Rights};
use crate::directory::Directory;
use crate::ids::{BodyId, CaseId, CaseNumber, ClerkId, Digest};
use crate::limits::{
    BODY_MAX, CASE_BYTES_MAX, CASE_BYTES_RESERVE, CASE_BYTES_TO_END, EVENTS_MAX, EVENTS_RESERVE,
    EVENTS_TO_END, WRAPS_MAX,
};
use crate::planted::{Bug, planted};
use crate::rows;
use crate::step::{Cx, Faith, Reply, View};
use crate::wire::Blob;

/// Takes in a case (收件): numbers it, signs its first event, and sends it on if another hall decides.
pub(crate) fn receive(
    office: &mut Office<'_, '_>,
    clerk: ClerkId,
    wanted: &Receive,
) -> Result<Reply, Refusal> {
    let route = admitted(office, wanted)?;
    let case = take_in(office, clerk, (wanted, &route), None)?;
    Ok(Reply::Received { case: case.id, number: case.number, route })
}

/// Whether a case may be taken in here, and where it goes.
pub(super) fn admitted(office: &Office<'_, '_>, wanted: &Receive) -> Result<Route, Refusal> {
    if log::case(office.cx, wanted.case).is_some() {
        return Err(Refusal::CaseIdInUse);
    }
    if wanted.body.len() > BODY_MAX || wanted.wraps.len() > WRAPS_MAX {
        return Err(Refusal::TooLarge);
    }
    let (receiving, wall) = (office.me.at.hall, office.cx.now.wall);
    let question = Question { matter: wanted.matter.clone(), receiving, place: wanted.place, wall };
    let route = route(office.cx, &question)?;
    if !wanted.wraps.iter().any(|wrap| wrap.to == route.competent && !wrap.recovery) {
        return Err(Refusal::NoKeyForRoute);
    }
    Ok(route)
}

/// Takes in what was admitted, by itself or as a task of a bundle.
pub(super) fn take_in(
    office: &mut Office<'_, '_>,
    clerk: ClerkId,
    (wanted, route): (&Receive, &Route),
    task: Option<Task>,
) -> Result<Case, Refusal> {
    let first = first_event(office, clerk, wanted, route)?;
    let case = log::append(office.cx, &first, None)?;
    keys::keep_own(office.cx, &case, &wanted.wraps);
    let grade = if planted(Bug::GradedAtOnce) { Grade::D2 } else { Grade::D1 };
    let custody = Custody { position: Position::default(), stage: Stage::Custodian, mirror: false, grade };
    log::set_custody(office.cx, case.id, &custody);
    let case = match task {
        Some(task) => append(office, &case, clerk, Facts::Task(task), Blob::default())?,
        None => case,
    };
    let case = send_on(office, case)?;
    queue_copies(office, &case);
    Ok(case)
}

/// Adds a clerk's act to a case in hand.
pub(crate) fn record(office: &mut Office<'_, '_>, clerk: ClerkId, act: Record) -> Result<Reply, Refusal> {
    let case = checked(office, clerk, &act)?;
    let sequence = case.events;
    let case = do_checked(office, clerk, &case, act)?;
    Ok(Reply::Recorded { case: case.id, sequence })
}

/// Whether an act may be done now; the case as it is before it.
pub(super) fn checked(office: &mut Office<'_, '_>, clerk: ClerkId, act: &Record) -> Result<Case, Refusal> {
    let case = log::case(office.cx, act.case).ok_or(Refusal::UnknownCase)?;
    in_hand(office.cx, &case)?;
    leaves_room(office, &case, act)?;
    keys::may_seal(office, &case, act)?;
    statements::may_be_answered(office, &case, act)?;
    statements::answered_first(office.cx, &case, &act.deed)?;
    if act.deed.needs_valid_charter() && expired(office) {
        return Err(Refusal::CharterExpired);
    }
    let next = following(office, &case, clerk, Facts::Act(act.deed));
    within_the_law(office, &case, &next, act.deed)?;
    case.next(&next, case.head)?;
    Ok(case)
}

/// Does what was checked, and all that follows from it.
pub(super) fn do_checked(
    office: &mut Office<'_, '_>,
    clerk: ClerkId,
    case: &Case,
    act: Record,
) -> Result<Case, Refusal> {
    let case = append(office, case, clerk, Facts::Act(act.deed), act.body)?;
    statements::answered(office, &case, &act.deed);
    let case = send_on(office, case)?;
    if !planted(Bug::ActsNotCopied) {
        queue_copies(office, &case);
    }
    go_on(office, &case);
    Ok(case)
}

/// What the log alone does not tell: the days that have passed, the limits in force, the rights of this hall.
fn within_the_law(office: &Office<'_, '_>, case: &Case, next: &Header, deed: Deed) -> Result<(), Refusal> {
    // This hall's times in doubt bind it as soon as its clock is set right.
    let seen = case.seen_by(next);
    match deed {
        Deed::Accept => may_accept(office, &seen),
        Deed::AcceptLacking { days } => {
            may_accept(office, &seen)?;
            may_follow(office, case, days)
        }
        Deed::AcceptPromise => {
            may_accept(office, &seen)?;
            may_be_promised(office, case)
        }
        Deed::RequestCorrection => told_in_time(office, &seen),
        Deed::RefuseAcceptance { ground, authority } => {
            told_in_time(office, &seen)?;
            names_the_authority(ground, authority)
        }
        Deed::BeginProcedure { days, .. } => within(days, TimeRules::DAYS_MAX),
        Deed::Extend { days } => within_the_extension(office, &seen, days),
        Deed::Close(Closing::NotSupplemented) => had_time(office, case),
        // Who was to make it when the case was decided may do so, whatever becomes of the delegation.
        Deed::Certify if case.certificate_owed => Ok(()),
        Deed::Certify | Deed::Decide { granted: true, certificate: true } => may_issue(office, case),
        Deed::Deliver | Deed::Include(Cited { kind: StatementKind::Delivery, .. }) => {
            may_be_delivered(office.cx, case)
        }
        Deed::Supplement
        | Deed::Supply
        | Deed::Check
        | Deed::Revoke
        | Deed::EndProcedure
        | Deed::Decide { .. }
        | Deed::Refer { .. }
        | Deed::Withdraw
        | Deed::Close(Closing::Void | Closing::Removed | Closing::OnPaper)
        | Deed::Rectify { .. }
        | Deed::Include(_)
        | Deed::Dismiss(..)
        | Deed::Archive => Ok(()),
    }
}

/// What a case may still grow by: acts that only prolong it leave room for those that end it.
fn leaves_room(office: &Office<'_, '_>, case: &Case, act: &Record) -> Result<(), Refusal> {
    let length = act.body.len();
    if length > BODY_MAX {
        Err(Refusal::TooLarge)
    } else {
        fits(office.cx, case, (length, act.deed.prolongs()))
    }
}

/// Whether an event with a body, or wrapped keys, of so many bytes leaves room for what has to follow.
pub(super) fn fits(view: &dyn View, case: &Case, (length, prolongs): (usize, bool)) -> Result<(), Refusal> {
    let (events, bytes) = if prolongs { (EVENTS_TO_END, CASE_BYTES_TO_END) } else { (0, 0) };
    let size = log::bytes(view, case.id);
    let after = size.saturating_add(length).saturating_add(CASE_BYTES_RESERVE).saturating_add(bytes);
    if after > CASE_BYTES_MAX {
        return Err(Refusal::TooLarge);
    }
    let full = case.events.saturating_add(EVENTS_RESERVE).saturating_add(events) > EVENTS_MAX;
    if full { Err(NotAllowed::Full.into()) } else { Ok(()) }
}

/// Who was not told within the limit is accepted, and no longer asked for anything or refused.
fn told_in_time(office: &Office<'_, '_>, case: &Case) -> Result<(), Refusal> {
    let calendar = calendar_of(office, case)?;
    let deemed = deemed_accepted(case, &calendar, today(office));
    deemed.filter(|_| case.owes_a_word()).map_or(Ok(()), |since| Err(Refusal::DeemedAccepted(since)))
}

/// Whose matter it is instead is said where it is another authority's, and nowhere else (行政许可法 32(2)).
fn names_the_authority(ground: NotAccepted, authority: Option<BodyId>) -> Result<(), Refusal> {
    let needed = ground == NotAccepted::OtherAuthority;
    if authority.is_some() == needed { Ok(()) } else { Err(Refusal::Authority) }
}

/// A decision is put off before it is overdue, and by no more than the law allows (行政许可法 42).
fn within_the_extension(office: &Office<'_, '_>, case: &Case, days: u16) -> Result<(), Refusal> {
    let calendar = calendar_of(office, case)?;
    let matter = matter_of(office, case)?;
    let clocks = clocks(case, &matter, &calendar, today(office));
    let decision = clocks.iter().rfind(|clock| clock.kind == ClockKind::Decision);
    let certain = decision.filter(|clock| !clock.doubtful);
    let overdue = certain.and_then(|clock| clock.due).filter(|due| due.day < today(office));
    if let Some(due) = overdue {
        return Err(Refusal::Overdue(due.day));
    }
    let bug = planted(Bug::ExtensionUnbounded);
    let most = if bug { TimeRules::DAYS_MAX } else { calendar.rules().extension_days };
    within(days, most)
}

fn within(days: u16, most: u16) -> Result<(), Refusal> {
    if (1..=most).contains(&days) { Ok(()) } else { Err(Refusal::TooLong { most }) }
}

fn calendar_of(office: &Office<'_, '_>, case: &Case) -> Result<Calendar, Refusal> {
    office
        .lists()
        .calendar_of(&case.calendar_version)
        .map(|(calendar, _)| calendar)
        .ok_or(Refusal::NoCalendar)
}

fn today(office: &Office<'_, '_>) -> CivilDay {
    CivilDay::of_wall(office.cx.now.wall)
}

/// The matter as the case pinned it; as it is now at a hall that never had that version.
fn matter_of(office: &Office<'_, '_>, case: &Case) -> Result<Matter, Refusal> {
    let (lists, now) = (office.lists(), office.cx.now.wall);
    let pinned = lists.pinned(&case.matter_version).or_else(|| lists.matter(&case.matter, now));
    pinned.map(|pinned| pinned.matter).ok_or(Refusal::NoMatter)
}

/// A case whose applicant brings nothing is closed only when the time for it is over. Where that may have begun any time
/// later than the log tells, it is as long again.
fn had_time(office: &Office<'_, '_>, case: &Case) -> Result<(), Refusal> {
    let calendar = calendar_of(office, case)?;
    let given = case.lacking.filter(|_| case.still_lacks()).map(|lacking| (lacking.span, lacking.days));
    let asked = case.asked.map(|asked| (asked, calendar.rules().correction_days));
    let Some((span, days)) = given.or(asked) else { return Ok(()) };
    let whole = if span.from.is_certain() { days } else { days.saturating_mul(2) };
    let until = calendar.due(span.from.given(), whole).day;
    if today(office) > until || planted(Bug::ClosedEarly) { Ok(()) } else { Err(Refusal::TooEarly(until)) }
}

/// 受理权, at the time of the act: a delegation may have ended since the case was sent here. What counts as accepted by law
/// needs nobody's right, and is put on record by who has it in hand.
fn may_accept(office: &Office<'_, '_>, case: &Case) -> Result<(), Refusal> {
    if let Err(Refusal::DeemedAccepted(_)) = told_in_time(office, case) {
        return Ok(());
    }
    if rights(office, case)?.accept { Ok(()) } else { Err(Refusal::MayNotAccept) }
}

/// 出证权: by the law for the tier that decides, else by delegation, at the time of the act.
fn may_issue(office: &Office<'_, '_>, case: &Case) -> Result<(), Refusal> {
    if rights(office, case)?.issue { Ok(()) } else { Err(Refusal::MayNotIssue) }
}

/// The rights over the case's matter of the hall that was to decide, in whose place another may act by a ruling.
fn rights(office: &Office<'_, '_>, case: &Case) -> Result<Rights, Refusal> {
    let (lists, matter) = (office.lists(), matter_of(office, case)?);
    let first = log::event(office.cx, case.id, 0).and_then(|event| event.header().ok());
    let named = first.and_then(|first| {
        if let Facts::Receive { competent, .. } = first.facts { Some(competent) } else { None }
    });
    let me = office.me.at.hall;
    let hall = named.filter(|_| case.competent == me).unwrap_or(me);
    Ok(lists.competence(&matter, hall, office.cx.now.wall).rights)
}

/// Something of the matter may follow later, and in no more days than the city gives for it.
fn may_follow(office: &Office<'_, '_>, case: &Case, days: u16) -> Result<(), Refusal> {
    let matter = matter_of(office, case)?;
    if !matter.materials.iter().any(|it| it.necessity == Necessity::Supplementable) {
        return Err(Refusal::NothingMayFollow);
    }
    within(days, calendar_of(office, case)?.rules().supply_days)
}

/// The list lets something of the matter be promised.
fn may_be_promised(office: &Office<'_, '_>, case: &Case) -> Result<(), Refusal> {
    let matter = office.lists().pinned(&case.matter_version).ok_or(Refusal::NoMatter)?.matter;
    let may = matter.materials.iter().any(|it| it.necessity == Necessity::Promisable);
    if may { Ok(()) } else { Err(Refusal::NothingMayBePromised) }
}

/// Notes who reads a case, and when: every view is on record at the hall where it happens.
pub(crate) fn note_reading(cx: &mut Cx<'_>, case: CaseId, clerk: ClerkId) -> Result<Reply, Refusal> {
    log::case(cx, case).ok_or(Refusal::UnknownCase)?;
    let wall = cx.now.wall;
    rows::write(cx, rows::reading(case, wall, clerk.number), &clerk);
    rows::count(cx, "readings", 1);
    Ok(Reply::Done)
}

/// Signs one event of a case in this hall's hand and writes it.
pub(crate) fn append(
    office: &mut Office<'_, '_>,
    case: &Case,
    clerk: ClerkId,
    facts: Facts,
    body: Blob,
) -> Result<Case, Refusal> {
    let event = SignedEvent::sign(following(office, case, clerk, facts), body, &office.me.key);
    let after = log::append(office.cx, &event, Some(case))?;
    let mut custody = log::custody(office.cx, case.id).ok_or(Refusal::UnknownCase)?;
    custody.grade = if planted(Bug::GradeKeptAfterAct) { custody.grade } else { Grade::D1 };
    custody.position = custody.position.max(after.position);
    log::set_custody(office.cx, case.id, &custody);
    Ok(after)
}

/// The header of the next event of a case.
fn following(office: &Office<'_, '_>, case: &Case, clerk: ClerkId, facts: Facts) -> Header {
    let position = match &facts {
        Facts::Take { .. } => case.position.after(1),
        Facts::Resume { .. } => case.position.after(2),
        Facts::Succeed { .. } => case.position.of_next_term(),
        Facts::Receive { .. }
        | Facts::Transfer { .. }
        | Facts::Act(_)
        | Facts::ReplaceMirror { .. }
        | Facts::Reassign { .. }
        | Facts::RenewKey { .. }
        | Facts::Task(_)
        | Facts::Start { .. }
        | Facts::Unknown { .. } => case.position,
    };
    let code = Some(&case.matter).filter(|_| planted(Bug::VersionNotPinned));
    let today = code.and_then(|code| office.lists().matter(code, office.cx.now.wall));
    Header {
        position,
        sequence: case.events,
        previous: case.head,
        matter: today.map_or(case.matter_version, |it| it.digest),
        calendar: case.calendar_version,
        ..blank(office, case.id, clerk, case.body, facts)
    }
}

fn first_event(
    office: &mut Office<'_, '_>,
    clerk: ClerkId,
    wanted: &Receive,
    route: &Route,
) -> Result<SignedEvent, Refusal> {
    let (_, calendar) = office.lists().calendar().ok_or(Refusal::NoCalendar)?;
    let wall = office.cx.now.wall;
    let matter = office.lists().matter(&wanted.matter, wall).map(|pinned| pinned.digest);
    let place = if planted(Bug::PlaceInClear) { wanted.place } else { route.competent.hall.division() };
    let facts = Facts::Receive {
        number: allocate(office),
        matter: wanted.matter.clone(),
        // The header is read by relays and mirrors: where the applicant lives is not in it, only where
        // the case is decided. The exact place stands in the sealed application.
        place,
        competent: route.competent.hall,
        mirrors: office.mirrors,
    };
    let header = Header {
        matter: matter.unwrap_or(Digest([0; 32])),
        calendar,
        ..blank(office, wanted.case, clerk, Some(route.body), facts)
    };
    Ok(SignedEvent::sign(header, wanted.body.clone(), &office.me.key))
}

fn blank(
    office: &Office<'_, '_>,
    case: CaseId,
    clerk: ClerkId,
    body: Option<BodyId>,
    facts: Facts,
) -> Header {
    let zero = Digest([0; 32]);
    Header {
        suite: 0,
        case,
        position: Position::default(),
        sequence: 0,
        boot: office.me.boot,
        at: office.me.at,
        clerk,
        body,
        wall: office.cx.now.wall,
        suspect_time: office.cx.faith == Faith::Suspect,
        matter: zero,
        calendar: zero,
        previous: zero,
        sealed: zero,
        facts,
    }
}

/// The next case number of this boot and day. A start draws a new boot id, so no number is used twice
/// even by a hall whose disk was rolled back.
pub(super) fn allocate(office: &mut Office<'_, '_>) -> CaseNumber {
    let day = CivilDay::of_wall(office.cx.now.wall);
    let key = rows::numbering(office.me.boot, u32::try_from(day.days()).unwrap_or(0));
    let sequence = rows::read::<u32>(office.cx, &key).unwrap_or(0).saturating_add(1);
    if !planted(Bug::NumberNotCounted) {
        rows::write(office.cx, key, &sequence);
    }
    let boot = if planted(Bug::BootNotInNumber) { 0 } else { office.me.boot };
    CaseNumber::allocate(office.me.at, boot, day, sequence)
}

pub(super) fn in_hand(view: &dyn View, case: &Case) -> Result<(), Refusal> {
    match log::custody(view, case.id).map(|custody| custody.stage) {
        Some(Stage::Custodian) => Ok(()),
        Some(Stage::Holder) => Err(Refusal::NotWitnessed),
        Some(Stage::Recovering) => Err(Refusal::Recovering),
        Some(Stage::None | Stage::Handing | Stage::Released) | None => {
            Err(Refusal::ElsewhereInHand(case.transit.map_or(case.custodian, |transit| transit.to)))
        }
    }
}

fn expired(office: &Office<'_, '_>) -> bool {
    let card = Directory::new(office.cx).card(office.me.at);
    card.is_none_or(|card| card.valid_to < office.cx.now.wall)
}
