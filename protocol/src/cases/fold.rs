//! `Case` is the fold of its headers by one pure function. Which act of a clerk may follow in which state is the table in
//! `law.rs`; here stands what every event changes. Hand-overs do not change the state: they change the hand. So does a
//! succession, when the life of a hall has ended that had the case in hand or was to take it.

use serde::{Deserialize, Serialize};

use super::deed::Deed;
use super::ending::{Closing, Ending};
use super::event::{Header, Position};
use super::facts::{Facts, Mirrors, Purpose};
use super::law::{self, Article, Part};
use super::moment::{Moment, Span};
use super::promise::Promise;
use super::state::State;
use super::statement::Answered;
use super::task::Task;
use super::tolerance::Lacking;
use crate::directory::Addressee;
use crate::ids::{BodyId, CaseId, CaseNumber, ClerkId, Digest, DivisionCode, HallAt, HallId, MatterCode};
use crate::limits::EVENTS_MAX;
use crate::planted::{Bug, planted};

/// A special procedure (特别程序): while it runs, time stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspension {
    /// When it ran.
    pub span: Span,
    /// Working days that it was to take, as the applicant was told.
    pub days: u16,
}

/// A hand-over under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transit {
    /// To whom.
    pub to: HallAt,
    /// Why.
    pub purpose: Purpose,
    /// The halls that keep a copy once it is taken.
    pub mirrors: Mirrors,
}

/// A government service case (办件) as its headers tell it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// The case.
    pub id: CaseId,
    /// Its number.
    pub number: CaseNumber,
    /// The matter.
    pub matter: MatterCode,
    /// The matter's version, pinned at receipt.
    pub matter_version: Digest,
    /// The calendar's version, pinned at receipt.
    pub calendar_version: Digest,
    /// The division whose hall decides.
    pub place: DivisionCode,
    /// The hall where the citizen stands (收件单位).
    pub receiving: HallId,
    /// The hall that decides (受理单位).
    pub competent: HallId,
    /// The authority it decides for.
    pub body: Option<BodyId>,
    /// The clerk who was asked first (首问负责).
    pub first_asked: ClerkId,
    /// Term and epoch.
    pub position: Position,
    /// In whose hand it is.
    pub custodian: HallAt,
    /// Who had it in the epoch before.
    pub taken_from: Option<HallAt>,
    /// The hand-over under way, if any: then nobody may append.
    pub transit: Option<Transit>,
    /// The halls that keep a copy in this epoch.
    pub mirrors: Mirrors,
    /// The mirror of this epoch that stayed when another was replaced: until the epoch ends only it is a witness, so
    /// that nobody goes on without it and nobody misses what it knows.
    pub stayed: Option<HallAt>,
    /// How many events there are.
    pub events: u32,
    /// The last event.
    pub head: Digest,
    /// How far it has come.
    pub state: State,
    /// Whether it was granted, once decided.
    pub granted: Option<bool>,
    /// Of receipt.
    pub received: Moment,
    /// Of acceptance.
    pub accepted: Option<Moment>,
    /// Of the decision.
    pub decided: Option<Moment>,
    /// Of delivery.
    pub delivered: Option<Moment>,
    /// How it ended, once it has.
    pub ending: Option<Ending>,
    /// When it ended: was decided, not accepted or closed.
    pub ended: Option<Moment>,
    /// A certificate is still to be made before the result goes to the window.
    pub certificate_owed: bool,
    /// When the deciding authority owed the applicant a word about the application: from receipt, and from each supplement.
    pub notices: Vec<Span>,
    /// When the applicant was asked to supplement something the last time, and since when it is there.
    pub asked: Option<Span>,
    /// What was to follow after acceptance (容缺), if anything was.
    pub lacking: Option<Lacking>,
    /// Special procedures, whose time is not counted.
    pub pauses: Vec<Suspension>,
    /// Working days by which the decision was put off (延期).
    pub extended: u16,
    /// How often something was found missing. More than once is an exception that supervision sees.
    pub corrections: u16,
    /// The keys that took the place of the first one, in order, by their digests.
    pub keys: Vec<Digest>,
    /// Those that the hall lacked which drew the present one, a bit for each: the case goes on without them.
    pub lacked: u16,
    /// Who can open the present key, as far as the log tells: for whom it was wrapped, and in whose hand it has been since.
    pub open_to: Vec<Addressee>,
    /// Milliseconds since 1970 since when it is the present one; zero for the first.
    pub key_since: u64,
    /// The promise on which it was accepted (告知承诺), if it was.
    pub promise: Option<Promise>,
    /// When the citizen was told that what had been handed out counts no longer.
    pub revocation_told: Option<Moment>,
    /// When what was decided lapsed, because of what had happened before, or of a promise that was not kept.
    pub revoked: Option<Moment>,
    /// What other halls have stated about it, as far as it was answered.
    pub statements: Vec<Answered>,
    /// It has an event this build does not know and must not go past.
    pub opaque: bool,
    /// Which task of a bundle it is, if it is one.
    pub task: Option<Task>,
    /// When the results were there that the task had to wait for.
    pub started: Option<Moment>,
}

/// Why an event may not stand where it stands. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum NotAllowed {
    /// The first event is no receipt, or a later one is.
    #[error("a log begins with its receipt")]
    Beginning,
    /// It names another case, predecessor or sequence.
    #[error("the event does not follow the one before")]
    Chain,
    /// It is written by a hall that does not hold the case, or at another epoch.
    #[error("the hall does not hold the case")]
    NotCustodian,
    /// The case was handed over; only its target or a refusal goes on.
    #[error("the case is on its way to another hall")]
    InTransit,
    /// The act is for the deciding hall, or for the receiving one.
    #[error("this hall is not the one for this act")]
    WrongHall,
    /// The act does not fit the state; the article that forbids it.
    #[error("the act does not fit the state")]
    WrongState(Article),
    /// Nothing in the state sends the case to that hall.
    #[error("nothing sends the case to that hall now")]
    NoReason,
    /// What only a clerk may do was done by the node itself.
    #[error("no clerk stands behind the act")]
    NoClerk,
    /// A hall that keeps a copy for itself, or one twice.
    #[error("the mirrors are not two other halls")]
    Mirrors,
    /// A succession for a life that does not have the case, or by a hall that does not follow it.
    #[error("this is no successor of the hall that had the case")]
    NoSuccessor,
    /// A new key that the case had before, or one too many.
    #[error("the case cannot have that key")]
    Key,
    /// The log is full.
    #[error("the log has no room for another event")]
    Full,
    /// The task waits for the results of others of its bundle: until then it is only withdrawn or closed.
    #[error("the task waits for the results of others")]
    Waits,
    /// The statement was answered before.
    #[error("the statement was answered before")]
    Answered,
    /// No task of a bundle, or none that waits.
    #[error("this is no task of a bundle that can stand here")]
    NoTask,
}

impl Case {
    /// The case after its first event.
    pub fn begin(first: &Header, digest: Digest) -> Result<Self, NotAllowed> {
        let Facts::Receive { number, matter, place, competent, mirrors } = &first.facts else {
            return Err(NotAllowed::Beginning);
        };
        let fresh = first.sequence == 0 && first.position == Position::default();
        if !fresh || first.previous != Digest([0; 32]) || number.hall_at() != first.at {
            return Err(NotAllowed::Beginning);
        }
        by_a_clerk(first)?;
        apart(first.at, *mirrors)?;
        Ok(Self {
            id: first.case,
            number: *number,
            matter: matter.clone(),
            matter_version: first.matter,
            calendar_version: first.calendar,
            place: *place,
            receiving: first.at.hall,
            competent: *competent,
            body: first.body,
            first_asked: first.clerk,
            position: first.position,
            custodian: first.at,
            taken_from: None,
            transit: None,
            mirrors: *mirrors,
            stayed: None,
            events: 1,
            head: digest,
            state: State::Received,
            granted: None,
            received: Moment::of(first),
            accepted: None,
            decided: None,
            delivered: None,
            ending: None,
            ended: None,
            certificate_owed: false,
            notices: vec![Span::open(Moment::of(first))],
            asked: None,
            lacking: None,
            pauses: Vec::new(),
            extended: 0,
            corrections: 0,
            keys: Vec::new(),
            lacked: 0,
            open_to: vec![(first.at, false)],
            key_since: 0,
            promise: None,
            revocation_told: None,
            revoked: None,
            statements: Vec::new(),
            opaque: false,
            task: None,
            started: None,
        })
    }

    /// The case after one more event, whose digest is given with it.
    pub fn next(&self, event: &Header, digest: Digest) -> Result<Self, NotAllowed> {
        self.follows(event)?;
        let mut case = self.clone();
        case.bounded_by(event);
        match &event.facts {
            Facts::Receive { .. } => return Err(NotAllowed::Beginning),
            Facts::Take { .. } => case.taken(event)?,
            Facts::Resume { .. } => case.resumed(event)?,
            Facts::Succeed { from, mirrors, ruling } => {
                case.succeeded(event, *from, *mirrors, ruling.is_some())?;
            }
            Facts::Transfer { .. }
            | Facts::Act(_)
            | Facts::ReplaceMirror { .. }
            | Facts::Reassign { .. }
            | Facts::RenewKey { .. }
            | Facts::Task(_)
            | Facts::Start { .. }
            | Facts::Unknown { .. } => {
                self.in_hand(event)?;
                case.act(event)?;
            }
        }
        case.opens_to(event.at);
        case.events = case.events.saturating_add(1);
        case.head = digest;
        Ok(case)
    }

    fn follows(&self, event: &Header) -> Result<(), NotAllowed> {
        let matter = event.matter == self.matter_version || planted(Bug::VersionNotPinned);
        let pinned = matter && event.calendar == self.calendar_version;
        let placed = event.sequence == self.events && event.previous == self.head;
        let same = event.case == self.id && placed && pinned;
        if !same {
            return Err(NotAllowed::Chain);
        }
        if self.events >= EVENTS_MAX { Err(NotAllowed::Full) } else { Ok(()) }
    }

    fn in_hand(&self, event: &Header) -> Result<(), NotAllowed> {
        if self.transit.is_some() {
            return Err(NotAllowed::InTransit);
        }
        let holds = event.at == self.custodian && event.position == self.position;
        if holds { Ok(()) } else { Err(NotAllowed::NotCustodian) }
    }

    fn taken(&mut self, event: &Header) -> Result<(), NotAllowed> {
        let transit = self.transit.take().ok_or(NotAllowed::NotCustodian)?;
        if event.at != transit.to || event.position != self.position.after(1) {
            return Err(NotAllowed::NotCustodian);
        }
        self.comes_to(event, transit.mirrors);
        Ok(())
    }

    fn comes_to(&mut self, event: &Header, mirrors: Mirrors) {
        self.taken_from = Some(self.custodian);
        (self.custodian, self.position) = (event.at, event.position);
        (self.mirrors, self.stayed) = (mirrors, None);
    }

    fn succeeded(
        &mut self,
        event: &Header,
        from: HallAt,
        mirrors: Mirrors,
        ruled: bool,
    ) -> Result<(), NotAllowed> {
        let next_life = event.at.hall == from.hall && event.at.incarnation > from.incarnation;
        // Whether there is such a ruling is checked with the signature: it stands in the directory.
        let follows = if ruled { event.at.hall != from.hall } else { next_life };
        if from != self.owner() || !follows || event.position != self.position.of_next_term() {
            return Err(NotAllowed::NoSuccessor);
        }
        self.put_in_place(from.hall, event.at.hall);
        let before = self.owners_mirrors();
        self.transit = None;
        self.comes_to(event, before);
        // Those who have fenced the ended life off go on as witnesses: whoever follows this successor one day asks them.
        self.replaced_mirror(event, mirrors)
    }

    /// What a hall was to decide or to deliver another one does from now on.
    fn put_in_place(&mut self, of: HallId, heir: HallId) {
        for part in [&mut self.competent, &mut self.receiving] {
            if *part == of {
                *part = heir;
            }
        }
    }

    fn reassigned(&mut self, from: HallId, to: HallId) -> Result<(), NotAllowed> {
        if from == to || from == self.custodian.hall || !self.has_on_route(from) {
            return Err(NotAllowed::WrongHall);
        }
        self.put_in_place(from, to);
        Ok(())
    }

    fn replaced_mirror(&mut self, event: &Header, mirrors: Mirrors) -> Result<(), NotAllowed> {
        apart(event.at, mirrors)?;
        let stayed = self.mirrors.into_iter().flatten().find(|old| mirrors.contains(&Some(*old)));
        let nobody_new = mirrors.into_iter().flatten().all(|now| self.is_mirror(now));
        // Whoever is left of two that were both witnesses goes on as one.
        if !(nobody_new && self.stayed.is_none()) {
            // If another one was replaced before, what stayed then is still the only witness, if it stayed again.
            self.stayed = self.stayed.filter(|before| mirrors.contains(&Some(*before))).or(stayed);
        }
        self.mirrors = mirrors;
        Ok(())
    }

    fn resumed(&mut self, event: &Header) -> Result<(), NotAllowed> {
        self.transit.take().ok_or(NotAllowed::NotCustodian)?;
        if event.at != self.custodian || event.position != self.position.after(2) {
            return Err(NotAllowed::NotCustodian);
        }
        self.position = event.position;
        Ok(())
    }

    fn act(&mut self, event: &Header) -> Result<(), NotAllowed> {
        match &event.facts {
            Facts::Act(deed) => {
                by_a_clerk(event)?;
                self.done(event, deed)?;
            }
            Facts::Transfer { to, purpose, mirrors } => {
                self.hand_over(Transit { to: *to, purpose: *purpose, mirrors: *mirrors })?;
            }
            Facts::ReplaceMirror { mirrors } => self.replaced_mirror(event, *mirrors)?,
            Facts::Reassign { from, to, .. } => self.reassigned(from.hall, *to)?,
            Facts::RenewKey { key, lacked, to } => self.renewed_key((*key, event.wall), *lacked, to)?,
            Facts::Task(task) => self.joined(event, task)?,
            Facts::Start { .. } => self.begun(event)?,
            Facts::Unknown { kind, .. } => self.opaque |= kind.critical,
            Facts::Receive { .. } | Facts::Take { .. } | Facts::Resume { .. } | Facts::Succeed { .. } => {
                return Err(NotAllowed::Beginning);
            }
        }
        Ok(())
    }

    /// A clerk's act: first whether the law allows it here and now, then what it changes.
    fn done(&mut self, event: &Header, deed: &Deed) -> Result<(), NotAllowed> {
        let rule = law::rule(deed);
        let early =
            matches!(deed, Deed::Decide { .. }) && self.owes_a_word() && planted(Bug::DecidedUnaccepted);
        if !(rule.from.contains(&self.state) || early) {
            return Err(NotAllowed::WrongState(law::forbids(deed, self.state)));
        }
        let ends = matches!(deed, Deed::Withdraw | Deed::Close(_) | Deed::Include(_) | Deed::Dismiss(..));
        if self.waits() && !ends {
            return Err(NotAllowed::Waits);
        }
        let hall = event.at.hall;
        let right_hall = match rule.by {
            Part::Deciding => hall == self.competent,
            Part::Window => hall == self.receiving,
            Part::Either => self.has_on_route(hall),
        };
        if !right_hall {
            return Err(NotAllowed::WrongHall);
        }
        self.note(event, deed)?;
        self.state = rule.to.unwrap_or(self.state);
        Ok(())
    }

    fn note(&mut self, event: &Header, deed: &Deed) -> Result<(), NotAllowed> {
        let now = Moment::of(event);
        match deed {
            Deed::Accept => self.accepted(now),
            Deed::AcceptLacking { days } => {
                self.accepted(now);
                self.lacking = Some(Lacking { span: Span::open(now), days: *days });
            }
            Deed::AcceptPromise => self.promised(now),
            Deed::Check => self.found_true(now)?,
            Deed::Revoke => self.found_false(now)?,
            Deed::Archive if self.owes_check() => {
                return Err(NotAllowed::WrongState(Article::Promise));
            }
            Deed::Supply => self.supplied(now)?,
            Deed::RefuseAcceptance { .. } => {
                self.answered(now);
                self.ends(Ending::Returned, now);
            }
            Deed::RequestCorrection => {
                self.answered(now);
                self.asked = Some(Span::open(now));
                self.corrections =
                    self.corrections.saturating_add(u16::from(!planted(Bug::CorrectionNotCounted)));
            }
            Deed::Supplement => self.supplemented(now),
            Deed::BeginProcedure { days, .. } => {
                self.pauses.push(Suspension { span: Span::open(now), days: *days });
            }
            Deed::EndProcedure => self.time_goes_on(now),
            Deed::Extend { .. } if self.extended > 0 => {
                return Err(NotAllowed::WrongState(Article::Extension));
            }
            Deed::Extend { days } => self.extended = *days,
            Deed::Decide { granted: true, .. } if self.still_lacks() && !planted(Bug::GrantedLacking) => {
                return Err(NotAllowed::WrongState(Article::Acceptance));
            }
            Deed::Decide { granted, certificate } => {
                (self.granted, self.decided) = (Some(*granted), Some(now));
                self.certificate_owed = *granted && *certificate && !planted(Bug::CertificateNotOwed);
                self.ends(Ending::Decided, now);
            }
            Deed::Certify if self.granted != Some(true) => {
                return Err(NotAllowed::WrongState(Article::Certificate));
            }
            Deed::Certify => {
                self.certificate_owed = false;
                self.ending = Some(Ending::Certified);
            }
            Deed::Refer { .. } => self.ends(Ending::Referred, now),
            Deed::Withdraw => self.withdrawn(now),
            // Nothing was to be brought any more.
            Deed::Close(Closing::NotSupplemented) if self.state == State::Accepted && !self.still_lacks() => {
                return Err(NotAllowed::WrongState(Article::Acceptance));
            }
            Deed::Close(closing) => self.ends(closing.ending(), now),
            Deed::Deliver => self.handed_out(now)?,
            Deed::Include(cited) => self.answers(event, cited, None)?,
            Deed::Dismiss(cited, reason) => self.answers(event, cited, Some(*reason))?,
            Deed::Rectify { event } if *event >= self.events => {
                return Err(NotAllowed::WrongState(Article::Decision));
            }
            Deed::Rectify { .. } | Deed::Archive => {}
        }
        Ok(())
    }

    /// Whether the applicant has not been told yet what becomes of the application.
    pub const fn owes_a_word(&self) -> bool {
        matches!(self.state, State::Received | State::Supplemented)
    }

    pub(super) fn answered(&mut self, now: Moment) {
        if let Some(notice) = self.notices.last_mut() {
            notice.to = notice.to.or(Some(now));
        }
    }

    fn time_goes_on(&mut self, now: Moment) {
        if let Some(pause) = self.pauses.last_mut() {
            pause.span.to = pause.span.to.or(Some(now));
        }
    }

    /// Whatever still ran ends with the case.
    pub(super) fn ends(&mut self, ending: Ending, now: Moment) {
        self.answered(now);
        self.time_goes_on(now);
        (self.ending, self.ended) = (Some(ending), Some(now));
    }

    fn hand_over(&mut self, transit: Transit) -> Result<(), NotAllowed> {
        let (target, fits) = match transit.purpose {
            Purpose::Decide => (self.competent, self.state == State::Received && !self.waits()),
            Purpose::Supplemented => (self.competent, self.state == State::Supplemented),
            Purpose::Return => (self.receiving, self.has_result()),
            Purpose::Check => (self.competent, self.state == State::Delivered && self.owes_check()),
            Purpose::Correct => (self.receiving, self.state == State::AwaitingCorrection),
        };
        if !fits {
            return Err(NotAllowed::NoReason);
        }
        if transit.to.hall != target || target == self.custodian.hall {
            return Err(NotAllowed::WrongHall);
        }
        apart(transit.to, transit.mirrors)?;
        self.opens_to(transit.to);
        self.transit = Some(transit);
        Ok(())
    }

    /// Where the case should be next, when it is not there: who goes on with it, and why it goes there.
    pub fn wants_to_go(&self) -> Option<(HallId, Purpose)> {
        let (hall, purpose) = match self.state {
            State::Received if self.waits() => return None,
            State::Received => (self.competent, Purpose::Decide),
            State::Supplemented => (self.competent, Purpose::Supplemented),
            State::AwaitingCorrection => (self.receiving, Purpose::Correct),
            State::Decided | State::Certified if planted(Bug::ResultNotReturned) => return None,
            State::Decided if self.certificate_owed => return None,
            State::Decided | State::Certified | State::NotAccepted | State::Closed | State::Revoked => {
                (self.receiving, Purpose::Return)
            }
            State::Delivered if self.owes_check() => (self.competent, Purpose::Check),
            State::Accepted | State::Suspended | State::Delivered | State::Archived => return None,
        };
        (hall != self.custodian.hall && self.transit.is_none()).then_some((hall, purpose))
    }

    /// Whether there is something to hand to the citizen: a result, or a notice.
    pub(super) const fn has_result(&self) -> bool {
        match self.state {
            State::Decided => !self.certificate_owed,
            State::Certified | State::NotAccepted | State::Closed | State::Revoked => true,
            State::Received
            | State::AwaitingCorrection
            | State::Supplemented
            | State::Accepted
            | State::Suspended
            | State::Delivered
            | State::Archived => false,
        }
    }
}

/// No human act without a clerk.
pub(super) fn by_a_clerk(event: &Header) -> Result<(), NotAllowed> {
    if event.clerk.is_node() { Err(NotAllowed::NoClerk) } else { Ok(()) }
}

/// A custodian does not witness itself.
fn apart(custodian: HallAt, mirrors: Mirrors) -> Result<(), NotAllowed> {
    let [one, other] = mirrors;
    let itself = [one, other].contains(&Some(custodian));
    if itself || (one.is_some() && one == other) { Err(NotAllowed::Mirrors) } else { Ok(()) }
}
