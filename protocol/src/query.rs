//! Every read-only answer, as pure functions over the committed rows. Reading never enters the loop.

use std::collections::{BTreeMap, BTreeSet};

use crate::audit::{self, RolledBack};
use crate::calendar::{Calendar, CivilDay};
use crate::cases::{
    self, Case, CaseFile, Clock, ClockKind, Custody, Grade, Header, Joined, Kept as StatementKept, Receipt,
    SignedEvent, Stage, Standing,
};
use crate::catalogue::{Catalogue, PinnedBundle, PinnedMatter};
use crate::directory::{Directory, HallCard};
use crate::exchange;
use crate::ids::{CaseId, CaseNumber, ClerkId, Digest, HallAt, HallId, MatterCode};
use crate::limits::{PAGE_MAX, TWINS_LAPSE_MS};
use crate::message::Roots;
use crate::record::{Body, Issuer, Record, Space};
use crate::rows;
use crate::shelf;
use crate::signed::{Signed, Verified};
use crate::step::View;

/// How much a node holds. Counters kept in the commits they count; nothing is scanned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Directory records.
    pub directory: u64,
    /// List records.
    pub lists: u64,
    /// Cases of which this hall has rows.
    pub cases: u64,
    /// Of these, delivered.
    pub closed: u64,
    /// Cases by this hall's part in them.
    pub stages: Vec<(Stage, u64)>,
    /// In this hall's hand and on its disk alone: no mirror keeps them up to their head.
    pub single: u64,
    /// Letters that wait.
    pub post: u64,
    /// Letters taken along for others.
    pub relayed: u64,
    /// Logs offered that contradict what is held.
    pub forks: u64,
}

/// How much a node holds.
pub fn counts(view: &dyn View) -> Counts {
    let of = |space| shelf::fingerprint(view, space).count();
    Counts {
        directory: of(Space::Directory),
        lists: of(Space::Lists),
        cases: rows::counted(view, "cases"),
        closed: rows::counted(view, "closed"),
        stages: Stage::ALL
            .into_iter()
            .map(|stage| (stage, rows::counted(view, &format!("stage/{}", stage.word()))))
            .collect(),
        single: rows::counted(view, "single"),
        post: rows::counted(view, "post"),
        relayed: rows::counted(view, "relay/taken"),
        forks: rows::counted(view, "forks"),
    }
}

/// Whether this life of this hall has forgotten what it signed, and who has shown it: it signs nothing any more.
pub fn rolled_back(view: &dyn View) -> Option<RolledBack> {
    audit::rolled_back(view, rows::read(view, &rows::meta("hall"))?)
}

/// The roots of what is held: equal roots, equal sets.
pub fn roots(view: &dyn View) -> Roots {
    exchange::roots(view)
}

/// One event of a case, for people.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its header.
    pub header: Header,
    /// Its digest.
    pub digest: Digest,
    /// Whether the signature holds with the key in the signer's charter; none if that charter is unknown.
    pub signature_holds: Option<bool>,
    /// Bytes of the sealed body.
    pub body_bytes: usize,
}

/// A case as this hall knows it.
#[derive(Clone, Debug)]
pub struct CaseView {
    /// The fold.
    pub case: Case,
    /// This hall's part in it.
    pub custody: Option<Custody>,
    /// The matter's version the case pinned, if this hall has it.
    pub matter: Option<PinnedMatter>,
}

/// A case by its id.
pub fn case(view: &dyn View, id: CaseId) -> Option<CaseView> {
    let case = cases::stored_case(view, id)?;
    let matter = Catalogue::new(view).pinned(&case.matter_version);
    Some(CaseView { custody: cases::custody(view, id), matter, case })
}

/// How the decision of a case stands, from its log and the receipts of mirrors; none before it is decided. A hall that
/// has the case only up to here may not have heard of the countersignature.
pub fn standing(view: &dyn View, case: &Case) -> Option<Standing> {
    cases::standing(view, case)
}

/// Cases in this hall's hand that no mirror keeps up to their head, each with milliseconds since 1970 since when, longest
/// first; after one of them, at most `count`.
pub fn single_copies(view: &dyn View, after: Option<(u64, CaseId)>, count: usize) -> Vec<(u64, CaseId)> {
    cases::single_copies(view, after, count.min(PAGE_MAX))
}

/// The limits of a case as they stand.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Kind by kind; those of one kind in the order of the log.
    pub clocks: Vec<Clock>,
    /// The day from which it counts as accepted because nobody told the applicant anything in time.
    pub deemed_accepted: Option<CivilDay>,
    /// The calendar they are counted by: the pinned version, with the years published since.
    pub calendar: Calendar,
    /// Whether it and the matter are the pinned versions: a hall that joined later may have those in force only, and days that
    /// it tells may not be the right ones.
    pub pinned: bool,
}

impl Limits {
    /// The newest clock of a kind.
    pub fn newest(&self, kind: ClockKind) -> Option<&Clock> {
        self.clocks.iter().rfind(|clock| clock.kind == kind)
    }
}

/// The limits of a case on a day, from its log and the versions it pinned; never stored. None while this hall lacks the matter
/// or a calendar.
pub fn limits(view: &dyn View, case: &CaseView, today: CivilDay) -> Option<Limits> {
    let lists = Catalogue::new(view);
    let (calendar, same) = lists.calendar_of(&case.case.calendar_version)?;
    let now = || lists.matter(&case.case.matter, today.last_wall());
    let (matter, pinned) = match &case.matter {
        Some(matter) => (matter.matter.clone(), same),
        None => (now()?.matter, false),
    };
    let clocks = cases::clocks(&case.case, &matter, &calendar, today);
    let deemed_accepted = cases::deemed_accepted(&case.case, &calendar, today);
    Some(Limits { clocks, deemed_accepted, calendar, pinned })
}

/// An application for a bundle as this hall knows it.
#[derive(Clone, Debug)]
pub struct BundleView {
    /// The join of its tasks.
    pub joined: Joined,
    /// The bundle's version that it pinned, if this hall has it.
    pub bundle: Option<PinnedBundle>,
    /// What was promised for the whole, with the calendar it is counted by, and whether that is the pinned one; none without
    /// the bundle or a calendar.
    pub clock: Option<(Clock, Calendar, bool)>,
}

/// An application for a bundle by its number.
pub fn bundle(view: &dyn View, number: CaseNumber) -> Option<BundleView> {
    let joined = cases::joined(view, number)?;
    let lists = Catalogue::new(view);
    let bundle = lists.pinned_bundle(&joined.list);
    let first = joined.tasks().find_map(|(_, _, case)| case);
    let calendar = first.and_then(|case| lists.calendar_of(&case.calendar_version));
    let clock = bundle.as_ref().zip(calendar).and_then(|(pinned, (calendar, exact))| {
        Some((joined.clock(&pinned.bundle, &calendar)?, calendar, exact))
    });
    Some(BundleView { joined, bundle, clock })
}

/// Applications for bundles of which this hall has a task, whose number begins with a text (empty: all) and comes after
/// another one, at most `count`.
pub fn bundles(view: &dyn View, text: &str, after: Option<CaseNumber>, count: usize) -> Vec<CaseNumber> {
    cases::numbers(view, text, after, count.min(PAGE_MAX))
}

/// Applications for bundles that came in at this hall and are not over, after one of them, at most `count`; each with the tasks
/// that cannot go on, a bit for each, the first the lowest.
pub fn watched(view: &dyn View, after: Option<CaseNumber>, count: usize) -> Vec<(CaseNumber, u32)> {
    cases::all_watched(view, after, count)
}

/// Cases whose number or id begins with a text, at most `count`.
pub fn find_cases(view: &dyn View, text: &str, count: usize) -> Vec<CaseId> {
    let mut found = Vec::new();
    if let Ok(id) = text.parse::<CaseId>() {
        found.extend(cases::stored_case(view, id).map(|case| case.id));
        return found;
    }
    view.scan(&rows::number(text), &[], &mut |key, value| {
        found.push(rows::parse(key, value));
        found.len() < count.min(PAGE_MAX)
    });
    found
}

/// Cases in one stage, after an id, at most `count`.
pub fn desk(view: &dyn View, stage: Stage, after: Option<CaseId>, count: usize) -> Vec<CaseId> {
    let from = after.map(|id| rows::desk(stage.byte(), id)).unwrap_or_default();
    let mut found = Vec::new();
    view.scan(&rows::desk_of(stage.byte()), &from, &mut |key, _| {
        found.extend(key.get(2..).and_then(|id| id.try_into().ok()).map(CaseId));
        found.len() < count.min(PAGE_MAX)
    });
    found
}

/// Cases in this hall's hand for which something is still owed, after an id, at most `count`: those whose limits are watched.
pub fn open_cases(view: &dyn View, after: Option<CaseId>, count: usize) -> Vec<CaseId> {
    cases::open_cases(view, after, count.min(PAGE_MAX))
}

/// The log of a case, every signature checked anew.
pub fn log(view: &dyn View, id: CaseId) -> Vec<Entry> {
    entries(view, &file(view, id).events)
}

/// Events of a case that are no part of its log, as in [`log`]: signed by a life that was fenced off, or contradicted.
pub fn orphans(view: &dyn View, id: CaseId) -> Vec<Entry> {
    entries(view, &cases::orphans(view, id))
}

fn entries(view: &dyn View, events: &[SignedEvent]) -> Vec<Entry> {
    let directory = Directory::new(view);
    let mut keys: BTreeMap<HallAt, Option<HallCard>> = BTreeMap::new();
    let entries = events.iter().filter_map(|event| {
        let header = event.header().ok()?;
        let card = keys.entry(header.at).or_insert_with(|| directory.card(header.at));
        let signature_holds = card.as_ref().map(|card| event.verify(&card.event_key).is_ok());
        Some(Entry { header, digest: event.digest(), signature_holds, body_bytes: event.body().len() })
    });
    entries.collect()
}

/// What halls have stated about a case, as far as this hall keeps it: what waits first, then what it has stated itself and
/// was answered. What the log answers is in the fold.
pub fn statements(view: &dyn View, number: CaseNumber) -> Vec<(Digest, StatementKept)> {
    let mut found = cases::statements_of(view, number);
    found.extend(cases::ended_statements(view, number));
    found
}

/// What halls have stated and was not answered yet: case by case, at most `count`, each with whether it waits at this hall.
pub fn open_statements(view: &dyn View, count: usize) -> Vec<(CaseNumber, Digest, StatementKept, bool)> {
    let Some(me) = rows::read(view, &rows::meta("hall")) else { return Vec::new() };
    let open = cases::open_statements(view, count.min(PAGE_MAX)).into_iter();
    open.map(|(number, of, kept)| (number, of, kept, cases::statement_is_here(view, me, number))).collect()
}

/// Who read what is sealed in a case at this hall: milliseconds since 1970 and the clerk, oldest first.
pub fn readings(view: &dyn View, id: CaseId, count: usize) -> Vec<(u64, ClerkId)> {
    let mut found = Vec::new();
    view.scan(&rows::readings(id), &[], &mut |key, value| {
        let wall = key.get(17..25).and_then(|wall| wall.try_into().ok()).map(u64::from_be_bytes);
        found.extend(wall.map(|wall| (wall, rows::parse(key, value))));
        found.len() < count.min(PAGE_MAX)
    });
    found
}

/// The whole case as it travels and is exported.
pub fn file(view: &dyn View, id: CaseId) -> CaseFile {
    cases::stored_file(view, id, u32::MAX)
}

/// The receipts this hall has of the mirrors of the case's epoch.
pub fn copies(view: &dyn View, case: &Case) -> Vec<Verified<Receipt>> {
    let mirrors = case.mirrors.into_iter().flatten();
    mirrors.filter_map(|mirror| cases::copied(view, case.id, mirror)).collect()
}

/// The halls whose word this one still waits for before it can go on with a case for a life that has ended.
pub fn recovery_waits_for(view: &dyn View, me: HallAt, case: &Case) -> Vec<HallAt> {
    cases::waits_for(view, me, case)
}

/// Whether all of these records are held as they are.
pub fn holds(view: &dyn View, records: &[Verified<Record>]) -> bool {
    records.iter().all(|record| shelf::holds(view, record.value().body.space(), record.signed()))
}

/// Whether this hall has told a life what it has of a case, for an ended one that this life follows: a key that it
/// comes by goes there.
pub fn has_told(view: &dyn View, id: CaseId, to: HallAt) -> bool {
    cases::has_told(view, id, to)
}

/// The lives of halls that two machines have been seen to live, each with when last, in ms since 1970: a copy of a data
/// directory was started somewhere. What was not seen for long is left out.
pub fn twins(view: &dyn View, wall: u64) -> Vec<(HallAt, u64)> {
    let mut found = Vec::new();
    view.scan(&rows::twins(), &[], &mut |key, value| {
        let seen: u64 = rows::parse(key, value);
        let at = rows::twin_in(key).filter(|_| seen.abs_diff(wall) <= TWINS_LAPSE_MS);
        found.extend(at.map(|at| (at, seen)));
        true
    });
    found
}

/// Whether this hall has the case's key wrapped to a life.
pub fn is_wrapped(view: &dyn View, id: CaseId, at: HallAt) -> bool {
    cases::is_wrapped(view, id, at)
}

/// The grade of a case, from the custodian's point of view.
pub fn grade(view: &dyn View, id: CaseId) -> Option<Grade> {
    cases::custody(view, id).map(|custody| custody.grade)
}

/// The records that lead from the root to a life of a hall: policy first, then charters downwards.
pub fn chain(view: &dyn View, at: HallAt) -> Vec<Signed<Record>> {
    let directory = Directory::new(view);
    let mut chain = Vec::new();
    let mut next = Some(at);
    while let Some(at) = next {
        let Some(record) = directory.life_record(at) else { break };
        next = match record.value().issuer {
            Issuer::Hall(by) => Some(by),
            Issuer::Root => None,
        };
        chain.push(record.signed().clone());
    }
    chain.extend(shelf::held(view, Space::Directory, "policy").map(|it| it.signed().clone()));
    chain.reverse();
    chain
}

/// What a hall's card consists of: the chains to it and to every hall above it, so that a new hall can check
/// whom it calls when its superior is away, then their contacts, and the revocations that can be checked with
/// these charters. The hall's own charter is the last of the charters.
pub fn enrolment_records(view: &dyn View, hall: HallId) -> Vec<Signed<Record>> {
    checkable(papers(view, hall))
}

/// What a new life of a hall begins with: as [`enrolment_records`] of its superior, and its own charter after
/// all others. The superior may live another life than the one that has signed it.
pub fn joining_records(view: &dyn View, superior: HallId, at: HallAt) -> Vec<Signed<Record>> {
    let mut records = papers(view, superior);
    for record in chain(view, at) {
        if !records.contains(&record) {
            records.push(record);
        }
    }
    checkable(records)
}

fn papers(view: &dyn View, hall: HallId) -> Vec<Signed<Record>> {
    let directory = Directory::new(view);
    let parent = |hall: &HallId| directory.charter(*hall).and_then(|charter| charter.parent);
    let line: Vec<HallId> =
        std::iter::successors(directory.present(hall).map(|at| at.hall), parent).collect();
    let mut records = Vec::new();
    for at in line.iter().rev().filter_map(|hall| directory.present(*hall)) {
        for record in chain(view, at) {
            if !records.contains(&record) {
                records.push(record);
            }
        }
    }
    for at in line.into_iter().filter_map(|hall| directory.present(hall)) {
        let contact = shelf::held(view, Space::Directory, &format!("contact/{at}"));
        records.extend(contact.map(|record| record.signed().clone()));
    }
    view.scan(&rows::record(Space::Directory, "revocation/"), &[], &mut |key, value| {
        records.push(rows::parse(key, value));
        true
    });
    records
}

/// Policy and charters first, then what can be checked with them; the rest comes with the first exchange of the
/// directory, which is before any case.
fn checkable(records: Vec<Signed<Record>>) -> Vec<Signed<Record>> {
    let read = records.into_iter().filter_map(|signed| Some((signed.peek().ok()?, signed)));
    let (mut charters, mut others) = (BTreeSet::new(), Vec::new());
    let mut ordered = Vec::new();
    for (record, signed) in read {
        match &record.body {
            Body::Charter(charter) => {
                charters.insert(charter.at());
                ordered.push(signed);
            }
            Body::Policy(_) => ordered.push(signed),
            Body::Contact(_)
            | Body::Revocation(_)
            | Body::Calendar(_)
            | Body::Matter(_)
            | Body::Delegation(_)
            | Body::Bundle(_)
            | Body::Fork(_)
            | Body::Ruling(_)
            | Body::Destruction(_)
            | Body::Voice(_)
            | Body::Heard(_) => others.push((record, signed)),
        }
    }
    others.retain(|(record, _)| {
        let about = if let Body::Revocation(revocation) = &record.body { Some(revocation.at) } else { None };
        let by = if let Issuer::Hall(by) = record.issuer { Some(by) } else { None };
        [about, by].into_iter().flatten().all(|at| charters.contains(&at))
    });
    ordered.extend(others.into_iter().map(|(_, signed)| signed));
    ordered
}

/// Halls whose code begins with, or whose name contains, a text.
pub fn find_halls(view: &dyn View, text: &str) -> Vec<HallCard> {
    let mut halls = Directory::new(view).halls();
    halls.retain(|card| card.at.hall.to_string().starts_with(text) || card.name.contains(text));
    halls
}

/// The matter whose record is kept under a row's key, if it is such a row: for who keeps an index of the lists.
pub fn matter_of_row(key: &[u8]) -> Option<MatterCode> {
    let code = key.strip_prefix(rows::record(Space::Lists, "matter/").as_slice())?;
    std::str::from_utf8(code).ok()?.parse().ok()
}
