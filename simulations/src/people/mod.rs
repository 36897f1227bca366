//! The work of a city, drawn from the seed: citizens at any window, clerks who do what lies on their desk,
//! editors who change the lists, inspectors who ask. People do as the real console does: they read, sign an act, and
//! ask.

mod bundles;
mod editing;

use std::collections::{BTreeMap, BTreeSet};

use hallmesh_protocol::cases::{
    Case, Closing, Deed, FIRST_KEY, NotAccepted, Procedure, Question, Receive, Record as RecordAct, Stage,
    Standing, State, Wrap, route,
};
use hallmesh_protocol::catalogue::{Catalogue, Matter};
use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::clerks::{self, Act, ClerkCard, Roles};
use hallmesh_protocol::ids::{CaseId, CaseNumber, ClerkId, DivisionCode, HallId, MatterCode, Tier};
use hallmesh_protocol::query;
use hallmesh_protocol::record::Body;
use hallmesh_protocol::signed::{Signed, Verified};
use hallmesh_protocol::step::{Command, Reply, Ticket};
use serde::Serialize;

use crate::city::City;
use crate::plan::Load;
use crate::station::{Seat, Station};
use crate::years;

pub use bundles::PATIENCE;

const WINDOW: u16 = 1;
const DECIDER: u16 = 2;
const EDITOR: u16 = 3;
const ADMITTER: u16 = 4;
const HEAD: u16 = 5;
/// Cases that inspectors remember to ask about.
const INSPECTED_MAX: usize = 512;
/// Cases a hall's staff work off in one look at the desk.
const LOOK_MAX: usize = 16;
/// Bytes of a sealed application: at least, and drawn on top.
const BODY_BYTES: (u64, u64) = (200, 1_000);
/// One citizen in so many applies for a bundle.
const BUNDLES_ONE_IN: u64 = 12;

/// What people saw come of their work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Work {
    /// Receipts printed.
    pub received: u64,
    /// Cases accepted or found incomplete.
    pub examined: u64,
    /// Cases decided.
    pub decided: u64,
    /// Results handed to citizens.
    pub delivered: u64,
    /// List entries published.
    pub published: u64,
    /// Commands the node refused.
    pub refused: u64,
    /// Commands that a crash left without an answer.
    pub unanswered: u64,
}

/// What somebody asked of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To take in a case.
    Receive {
        /// The matter.
        matter: MatterCode,
        /// Where the applicant lives.
        place: DivisionCode,
    },
    /// To take in an application for a bundle.
    Bundle,
    /// To do one act in several tasks of a bundle.
    Together(CaseNumber, Deed),
    /// To record an act.
    Deed(CaseId, Deed),
    /// What must be refused, and why.
    Forbidden(&'static str),
    /// Anything else.
    Other,
}

/// Everybody.
#[derive(Debug)]
pub struct People {
    /// What came of it so far.
    pub work: Work,
    /// How old the world is; what they sign carries the time their machine shows.
    pub now: u64,
    /// Which working day it is, counted from 0.
    pub today: usize,
    /// Whether it is the first working day after a long break.
    pub after_break: bool,
    doubtful_clocks: BTreeSet<Seat>,
    known: Vec<CaseId>,
    asked: BTreeMap<Ticket, (Seat, Asked)>,
    tickets: u64,
    closed: BTreeSet<CaseId>,
    /// Since when the result of a task waits for those of the others.
    held_back: BTreeMap<(Seat, CaseId), u64>,
    /// Until when nobody asks again for what is held back at a hall.
    asks_again: BTreeMap<Seat, u64>,
    chance: Chance,
}

impl People {
    /// People whose doings follow from `chance`.
    pub fn new(chance: Chance) -> Self {
        Self {
            work: Work::default(),
            now: 0,
            today: 0,
            after_break: false,
            doubtful_clocks: BTreeSet::new(),
            known: Vec::new(),
            asked: BTreeMap::new(),
            tickets: 0,
            closed: BTreeSet::new(),
            held_back: BTreeMap::new(),
            asks_again: BTreeMap::new(),
            chance,
        }
    }

    /// A number below `bound`, for how long people take.
    pub fn takes(&mut self, bound: u64) -> u64 {
        self.chance.below(bound).saturating_add(1)
    }

    /// The clerks of a hall, to be registered on its first morning.
    pub fn staff(&mut self, city: &City, seat: Seat, hall: HallId) -> Vec<(Ticket, Command)> {
        let none = Roles::default();
        let roles = [
            (WINDOW, Roles { window: true, ..none }),
            (DECIDER, Roles { decide: true, ..none }),
            (EDITOR, Roles { publish: true, ..none }),
            (ADMITTER, Roles { admit: true, ..none }),
            (HEAD, Roles { head: true, ..none }),
        ];
        let cards = roles.map(|(number, roles)| ClerkCard {
            id: ClerkId { hall, number },
            name: format!("Clerk {number}"),
            key: city.clerk_key(hall, number).public(),
            roles,
            active: true,
        });
        cards.into_iter().map(|card| (self.ticket(seat, Asked::Other), Command::AddClerk(card))).collect()
    }

    /// A ticket for something that only a machine waits for.
    pub fn other(&mut self, seat: Seat) -> Ticket {
        self.ticket(seat, Asked::Other)
    }

    /// Whether a machine's clock is known to be wrong until somebody sets it.
    pub fn doubts_clock(&self, seat: Seat) -> bool {
        self.doubtful_clocks.contains(&seat)
    }

    /// A machine's clock went wrong, or was set.
    pub fn has_doubtful_clock(&mut self, seat: Seat, wrong: bool) {
        if wrong {
            self.doubtful_clocks.insert(seat);
        } else {
            self.doubtful_clocks.remove(&seat);
        }
    }

    /// A citizen walks into any hall with any matter.
    pub fn citizen(&mut self, city: &City, stations: &[Station]) -> Option<(Seat, Ticket, Command)> {
        let seat = self.draw(stations.len())?;
        let matter = city.matters.get(self.draw(city.matters.len())?)?.code.clone();
        let home = city.halls.get(self.draw(city.halls.len())?)?.hall.division();
        let station = stations.get(seat).filter(|station| station.answers(self.now))?;
        let own = station.at.hall.division();
        // Most people live where they go; at the higher halls their home says which hall decides.
        let stays = own.tier() >= Tier::Township && self.chance.below(4) > 0;
        let place = if stays { own } else { home };
        if self.chance.below(BUNDLES_ONE_IN) == 0 {
            return self.applies_for_bundle(city, station, seat, place);
        }
        let wall = station.clock.at(self.now).wall;
        let question = Question { matter: matter.clone(), receiving: station.at.hall, place, wall };
        let wrap = |to| Wrap { to, recovery: false, of: FIRST_KEY, key: city.wrapped.clone() };
        let mut wraps = vec![wrap(station.at)];
        wraps.extend(route(&station.disk, &question).ok().map(|route| wrap(route.competent)));
        if self.chance.below(8) == 0 {
            // Somebody wants another hall to be able to read it, too.
            wraps.extend(stations.get(self.draw(stations.len())?).map(|other| wrap(other.at)));
        }
        let act = self.act(city, station, WINDOW)?;
        let length = self.chance.below(BODY_BYTES.1).saturating_add(BODY_BYTES.0);
        let mut body = vec![0; usize::try_from(length).unwrap_or(0)];
        self.chance.fill(&mut body);
        let case = CaseId(self.chance.bytes16());
        let wanted = Receive { case, matter: matter.clone(), place, body: body.into(), wraps };
        let ticket = self.ticket(seat, Asked::Receive { matter, place });
        Some((seat, ticket, Command::Receive(act, Box::new(wanted))))
    }

    /// Someone who keeps the lists changes an entry; now and then a hall changes its address.
    pub fn editor(
        &mut self,
        city: &City,
        stations: &[Station],
        load: &Load,
    ) -> Option<(Seat, Ticket, Command)> {
        if self.chance.below(8) == 0 {
            let seat = self.draw(stations.len())?;
            let address = format!("/ip4/10.0.0.1/tcp/{}", self.chance.below(60_000));
            return Some((seat, self.other(seat), Command::Advertise(vec![address])));
        }
        let above = |station: &Station| station.at.hall.tier() <= Tier::County;
        let editors: Vec<_> = stations.iter().enumerate().filter(|(_, it)| above(it)).collect();
        let (seat, station) = *editors.get(self.draw(editors.len())?)?;
        let scope = station.at.hall.division();
        let own: Vec<_> = city.matters.iter().filter(|matter| scope.covers(matter.area)).collect();
        let calendars = usize::from(station.at.hall.tier() == Tier::City);
        let body = match own.get(self.draw(own.len().saturating_add(calendars))?) {
            Some(matter) => self.revised(station, matter),
            None => self.calendar(load),
        };
        self.publishing(city, seat, station, EDITOR, body)
    }

    /// The city's hall publishes the days of the coming year.
    pub fn new_year(
        &mut self,
        city: &City,
        stations: &[Station],
        load: &Load,
    ) -> Option<(Seat, Ticket, Command)> {
        let station = stations.first()?;
        let body = self.calendar(load);
        self.publishing(city, 0, station, EDITOR, body)
    }

    /// The clerk who admits halls states something about a hall below.
    pub fn admitting(
        &mut self,
        city: &City,
        seat: Seat,
        station: &Station,
        body: Body,
    ) -> Option<(Ticket, Command)> {
        let (_, ticket, command) = self.publishing(city, seat, station, ADMITTER, body)?;
        Some((ticket, command))
    }

    /// An inspector asks some hall about some case.
    pub fn inspector(&mut self, stations: &[Station]) -> Option<(Seat, CaseId)> {
        let seat = self.draw(stations.len())?;
        stations.get(seat).filter(|station| station.answers(self.now))?;
        let nth = self.draw(self.known.len())?;
        Some((seat, *self.known.get(nth)?))
    }

    /// Somebody tries what is not for them: an act without the role, an act twice, an act of another start of the node, a
    /// decision before its time, or at a hall that does not decide.
    pub fn misuse(&mut self, city: &City, stations: &[Station]) -> Option<(Seat, Vec<(Ticket, Command)>)> {
        let seat = self.draw(stations.len())?;
        let station = stations.get(seat).filter(|station| station.answers(self.now))?;
        let desk = query::desk(&station.disk, Stage::Custodian, None, LOOK_MAX);
        let case = desk.get(self.draw(desk.len())?)?;
        let held = query::case(&station.disk, *case)?.case;
        let here = held.competent == station.at.hall;
        let early = matches!(held.state, State::Received | State::Supplemented | State::AwaitingCorrection);
        let record =
            |deed| Box::new(RecordAct { case: *case, deed, key: held.key(), body: vec![0; 16].into() });
        let accept = || record(Deed::Accept);
        let decide = || record(Deed::GRANT);
        let (why, clerk, deed) = match self.chance.below(5) {
            0 => ("the clerk lacks the role", WINDOW, accept()),
            1 if !here => ("another hall decides", DECIDER, accept()),
            // An act that this hall has not answered yet may be the acceptance.
            2 if here && early && !self.is_at_work(seat) => ("it was not accepted", DECIDER, decide()),
            3 => {
                let act = self.signed_act(city, station, DECIDER, station.boot()?.wrapping_add(1))?;
                return Some((seat, vec![self.forbidden(seat, "an act of another start", act, decide())]));
            }
            _twice => {
                // Whatever comes of it the first time, an act is good once.
                let act = self.act(city, station, DECIDER)?;
                let first = (self.other(seat), Command::Read(act.clone(), *case));
                return Some((seat, vec![first, self.forbidden(seat, "an act twice", act, decide())]));
            }
        };
        let act = self.act(city, station, clerk)?;
        Some((seat, vec![self.forbidden(seat, why, act, deed)]))
    }

    /// Whether a hall owes anybody an answer.
    fn is_at_work(&self, seat: Seat) -> bool {
        self.asked.values().any(|(at, _)| *at == seat)
    }

    /// What is sealed in a case is read by a clerk of a hall that has it.
    pub fn reading(
        &mut self,
        city: &City,
        seat: Seat,
        station: &Station,
        case: CaseId,
    ) -> Option<(Ticket, Command)> {
        query::case(&station.disk, case)?;
        let act = self.act(city, station, WINDOW)?;
        Some((self.other(seat), Command::Read(act, case)))
    }

    /// Staff look at the desk and do what is to be done; false if nothing is left to do there.
    pub fn desk(&mut self, city: &City, seat: Seat, station: &Station) -> Vec<(Ticket, Command)> {
        let (mut acts, mut after) = (Vec::new(), None);
        while acts.len() < LOOK_MAX {
            let page = query::desk(&station.disk, Stage::Custodian, after, LOOK_MAX);
            let Some(last) = page.last() else { return acts };
            after = Some(*last);
            for id in page {
                acts.extend(self.next_deed(city, seat, station, id));
            }
        }
        acts
    }

    /// An answer came: to what.
    pub fn answered(&mut self, ticket: Ticket, reply: &Reply) -> Option<Asked> {
        let (_, asked) = self.asked.remove(&ticket)?;
        if let Reply::Received { case, .. } = reply {
            self.remember(*case);
        }
        if let Reply::ReceivedBundle { cases, .. } = reply {
            for (case, ..) in cases {
                self.remember(*case);
            }
        }
        let work = &mut self.work;
        let done = match (reply, &asked) {
            (Reply::Refused(_), _) => Some(&mut work.refused),
            (Reply::Received { .. } | Reply::ReceivedBundle { .. }, _) => Some(&mut work.received),
            (Reply::Recorded { .. }, Asked::Deed(_, Deed::Decide { .. })) => Some(&mut work.decided),
            (Reply::Recorded { .. }, Asked::Deed(_, Deed::Deliver))
            | (Reply::RecordedBundle { .. }, Asked::Together(_, Deed::Deliver)) => Some(&mut work.delivered),
            (
                Reply::Recorded { .. },
                Asked::Deed(_, Deed::Accept | Deed::AcceptLacking { .. } | Deed::RequestCorrection),
            ) => Some(&mut work.examined),
            (Reply::Published { .. }, _) => Some(&mut work.published),
            (
                Reply::Recorded { .. }
                | Reply::RecordedBundle { .. }
                | Reply::Admitted { .. }
                | Reply::Stated { .. }
                | Reply::Consigned(_)
                | Reply::TakenIn(_)
                | Reply::Done,
                _,
            ) => None,
        };
        if let Some(done) = done {
            *done = done.saturating_add(cases_in(reply));
        }
        Some(asked)
    }

    /// Disks are not what they were: what staff believe to be done they look at again.
    pub fn reopen(&mut self) {
        self.closed.clear();
    }

    /// A hall's process died: nobody there gets an answer any more.
    pub fn hung_up(&mut self, seat: Seat) {
        let before = self.asked.len();
        self.asked.retain(|_, (at, _)| *at != seat);
        let lost = u64::try_from(before.saturating_sub(self.asked.len())).unwrap_or(u64::MAX);
        self.work.unanswered = self.work.unanswered.saturating_add(lost);
    }

    fn next_deed(
        &mut self,
        city: &City,
        seat: Seat,
        station: &Station,
        id: CaseId,
    ) -> Option<(Ticket, Command)> {
        if self.closed.contains(&id) {
            return None;
        }
        let view = query::case(&station.disk, id)?;
        let alone = view.matter.is_none_or(|pinned| pinned.matter.offline_decision);
        let case = view.case;
        if case.state.is_over() {
            self.closed.insert(id);
        }
        if let Some(task) = case.task {
            let together = self.of_bundle(city, (seat, station), (id, task.bundle));
            if together.is_some() || case.waits() || self.waits_for_the_rest(seat, &case) {
                return together;
            }
        }
        let (number, deed) = self.deed(&case).filter(|(number, _)| *number == WINDOW || !station.absent)?;
        // The screen says that a result is provisional: whoever sees that seldom tries all the same.
        let provisional = !alone && query::standing(&station.disk, &case) == Some(Standing::Provisional);
        if deed == Deed::Deliver && provisional && self.chance.below(64) != 0 {
            return None;
        }
        let act = self.act(city, station, number)?;
        let mut body = vec![0; 64];
        self.chance.fill(&mut body);
        let record = RecordAct { case: id, deed, key: case.key(), body: body.into() };
        let ticket = self.ticket(seat, Asked::Deed(id, deed));
        Some((ticket, Command::Record(act, Box::new(record))))
    }

    /// Who does what next with a case in hand.
    fn deed(&mut self, case: &Case) -> Option<(u16, Deed)> {
        let here = case.custodian.hall;
        match case.state {
            State::Received | State::Supplemented if here == case.competent => {
                Some((DECIDER, self.answer(case)))
            }
            State::AwaitingCorrection if here == case.receiving => Some((WINDOW, self.asked())),
            State::Accepted => Some(self.examined(case)),
            State::Suspended => Some((DECIDER, Deed::EndProcedure)),
            State::Decided if case.certificate_owed => Some((DECIDER, Deed::Certify)),
            State::Decided | State::Certified | State::NotAccepted | State::Closed | State::Revoked
                if here == case.receiving =>
            {
                Some((WINDOW, Deed::Deliver))
            }
            State::Received
            | State::Supplemented
            | State::AwaitingCorrection
            | State::Decided
            | State::Certified
            | State::NotAccepted
            | State::Closed
            | State::Revoked
            | State::Archived => None,
            State::Delivered => (self.chance.below(4) == 0).then_some((WINDOW, Deed::Archive)),
        }
    }

    /// What a citizen does who was told what is missing: most bring it.
    fn asked(&mut self) -> Deed {
        match self.chance.below(16) {
            0 => Deed::Withdraw,
            // Refused as long as there is time.
            1 => Deed::Close(Closing::NotSupplemented),
            _brought => Deed::Supplement,
        }
    }

    /// What becomes of an application: most are complete, some lack something, few are none.
    fn answer(&mut self, case: &Case) -> Deed {
        match self.chance.below(32) {
            0..4 if case.corrections == 0 => Deed::RequestCorrection,
            4 => Deed::RefuseAcceptance { ground: NotAccepted::NotEligible, authority: None },
            // Refused where the list lets nothing follow.
            6..10 => Deed::AcceptLacking { days: 10 },
            5 => Deed::Withdraw,
            _complete => Deed::Accept,
        }
    }

    /// What comes after acceptance: mostly a decision, sometimes one that takes longer.
    fn examined(&mut self, case: &Case) -> (u16, Deed) {
        if case.still_lacks() && self.chance.below(4) > 0 {
            return (DECIDER, Deed::Supply);
        }
        match self.chance.below(24) {
            // More than the law allows is refused.
            0 if case.extended == 0 => {
                let days = if self.chance.below(4) == 0 { 15 } else { 10 };
                (HEAD, Deed::Extend { days })
            }
            1 if case.pauses.is_empty() => {
                (DECIDER, Deed::BeginProcedure { procedure: Procedure::ExpertReview, days: 5 })
            }
            2 => (DECIDER, Deed::Close(Closing::OnPaper)),
            3 => (DECIDER, Deed::Close(Closing::Void)),
            4 => (DECIDER, case.body.map_or(Deed::DENY, |authority| Deed::Refer { authority })),
            drawn => {
                let granted = drawn % 4 > 0;
                (DECIDER, Deed::Decide { granted, certificate: granted && drawn % 3 == 0 })
            }
        }
    }

    fn revised(&mut self, station: &Station, matter: &Matter) -> Body {
        let wall = station.clock.at(self.now).wall;
        let in_force = Catalogue::new(&station.disk).matter(&matter.code, wall);
        // What counts for nothing any more, because its issuer was stolen, is stated again.
        let mut matter = in_force.map_or_else(|| matter.clone(), |pinned| pinned.matter);
        matter.basis = format!("revision {}", self.chance.below(1 << 32));
        let days = self.chance.below(u64::from(matter.legal_days)).saturating_add(1);
        matter.promised_days = u16::try_from(days).unwrap_or(1);
        Body::Matter(Box::new(matter))
    }

    fn publishing(
        &mut self,
        city: &City,
        seat: Seat,
        station: &Station,
        clerk: u16,
        body: Body,
    ) -> Option<(Seat, Ticket, Command)> {
        let act = self.act(city, station, clerk)?;
        Some((seat, self.other(seat), Command::Publish(act, vec![body])))
    }

    /// The days that are published by now: those of the coming year from a set working day on.
    fn calendar(&self, load: &Load) -> Body {
        let today = u64::try_from(self.today).unwrap_or(u64::MAX);
        let known = load.calendar_day.is_some_and(|day| today >= day);
        let last = if known { years::year_of(self.now).saturating_add(1) } else { years::year_of(0) };
        Body::Calendar(years::published(last))
    }

    fn remember(&mut self, case: CaseId) {
        if self.known.len() >= INSPECTED_MAX {
            self.known.swap_remove(0);
        }
        self.known.push(case);
    }

    fn forbidden(
        &mut self,
        seat: Seat,
        why: &'static str,
        act: Verified<Act>,
        deed: Box<RecordAct>,
    ) -> (Ticket, Command) {
        (self.ticket(seat, Asked::Forbidden(why)), Command::Record(act, deed))
    }

    fn act(&mut self, city: &City, station: &Station, number: u16) -> Option<Verified<Act>> {
        self.signed_act(city, station, number, station.boot()?)
    }

    fn signed_act(
        &mut self,
        city: &City,
        station: &Station,
        number: u16,
        boot: u32,
    ) -> Option<Verified<Act>> {
        let hall = station.at.hall;
        let nonce = self.chance.bytes16();
        let clerk = ClerkId { hall, number };
        let (wall, request) = (station.clock.at(self.now).wall, Act::request_digest(&nonce));
        let act = Act { clerk, boot, wall, nonce, request };
        let signed = Signed::sign(&act, &[(0, &city.clerk_key(hall, number))]);
        clerks::verify(&station.disk, &signed).ok()
    }

    fn ticket(&mut self, seat: Seat, asked: Asked) -> Ticket {
        self.tickets = self.tickets.saturating_add(1);
        let ticket = Ticket(self.tickets);
        self.asked.insert(ticket, (seat, asked));
        ticket
    }

    fn draw(&mut self, among: usize) -> Option<usize> {
        let bound = u64::try_from(among).ok().filter(|bound| *bound > 0)?;
        usize::try_from(self.chance.below(bound)).ok()
    }
}

/// How many cases an answer is about: each task of a bundle is one.
fn cases_in(reply: &Reply) -> u64 {
    let tasks = match reply {
        Reply::ReceivedBundle { cases, .. } => cases.len(),
        Reply::RecordedBundle { cases, .. } => cases.len(),
        Reply::Received { .. }
        | Reply::Recorded { .. }
        | Reply::Published { .. }
        | Reply::Admitted { .. }
        | Reply::Stated { .. }
        | Reply::Consigned(_)
        | Reply::TakenIn(_)
        | Reply::Done
        | Reply::Refused(_) => 1,
    };
    u64::try_from(tasks).unwrap_or(u64::MAX)
}
