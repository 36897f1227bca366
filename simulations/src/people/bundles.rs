//! Bundles: a citizen applies for one thing that is several matters, and the window hands out all that came of it.

use std::collections::BTreeMap;

use hallmesh_protocol::cases::{
    Case, Closing, Deed, FIRST_KEY, Joined, Question, Receive, ReceiveBundle, Record, RecordBundle,
    TaskState, Whole, Wrap, route,
};
use hallmesh_protocol::catalogue::Catalogue;
use hallmesh_protocol::ids::{CaseId, CaseNumber, DivisionCode};
use hallmesh_protocol::query;
use hallmesh_protocol::step::{Command, Ticket};

use super::{Asked, People, WINDOW};
use crate::city::City;
use crate::station::{Seat, Station};

/// Milliseconds for which a citizen waits for the rest of a bundle.
pub const PATIENCE: u64 = 20_000;

impl People {
    /// The citizen's answers, and an application for what they bring in.
    pub(super) fn applies_for_bundle(
        &mut self,
        city: &City,
        station: &Station,
        seat: Seat,
        place: DivisionCode,
    ) -> Option<(Seat, Ticket, Command)> {
        let listed = city.bundles.get(self.draw(city.bundles.len())?)?;
        let wall = station.clock.at(self.now).wall;
        let bundle = Catalogue::new(&station.disk).bundle(&listed.code, wall)?.bundle;
        let mut answers = BTreeMap::new();
        for question in &bundle.questions {
            let option = question.options.get(self.draw(question.options.len())?)?;
            answers.insert(question.id.clone(), option.id.clone());
        }
        let mut tasks = Vec::new();
        for item in bundle.choose(&answers).ok()? {
            let matter = bundle.item(item)?.matter.clone();
            let question = Question { matter: matter.clone(), receiving: station.at.hall, place, wall };
            let wrap = |to| Wrap { to, recovery: false, of: FIRST_KEY, key: city.wrapped.clone() };
            let mut wraps = vec![wrap(station.at)];
            wraps.extend(route(&station.disk, &question).ok().map(|route| wrap(route.competent)));
            let body = self.sealed(64).into();
            let case = CaseId(self.chance.bytes16());
            tasks.push((item, Receive { case, matter, place, body, wraps }));
        }
        let act = self.act(city, station, WINDOW)?;
        let wanted = ReceiveBundle { bundle: bundle.code, place, tasks };
        let ticket = self.ticket(seat, Asked::Bundle);
        Some((seat, ticket, Command::ReceiveBundle(act, Box::new(wanted))))
    }

    /// What the window does with a task that lies there: everything is handed out in one when it is all there; what cannot
    /// go on is closed; now and then somebody does not wait for the rest.
    pub(super) fn of_bundle(
        &mut self,
        city: &City,
        (seat, station): (Seat, &Station),
        (id, number): (CaseId, CaseNumber),
    ) -> Option<(Ticket, Command)> {
        let joined = query::bundle(&station.disk, number)?.joined;
        let ready = in_state(&joined, |state| *state == TaskState::Ready);
        let blocked = in_state(&joined, |state| matches!(state, TaskState::Blocked(_)));
        let (cases, deed) = if joined.whole() == Whole::Ready && ready.first() == Some(&id) {
            (ready, Deed::Deliver)
        } else if blocked.first() == Some(&id) {
            (blocked, Deed::Close(Closing::Void))
        } else {
            return None;
        };
        let act = self.act(city, station, WINDOW)?;
        let key = |case| query::case(&station.disk, case).map_or(FIRST_KEY, |view| view.case.key());
        let sealed = |case| Record { case, deed, key: key(case), body: self.sealed(32).into() };
        let acts = cases.into_iter().map(sealed).collect();
        let ticket = self.ticket(seat, Asked::Together(number, deed));
        Some((ticket, Command::RecordBundle(act, Box::new(RecordBundle { bundle: number, acts }))))
    }

    /// Whether a result is kept at the window for those of the other tasks: for a while, then the citizen takes what there is.
    pub(super) fn waits_for_the_rest(&mut self, seat: Seat, case: &Case) -> bool {
        let ready = case.custodian.hall == case.receiving && case.ended.is_some() && !case.state.is_over();
        let since = *self.held_back.entry((seat, case.id)).or_insert(self.now);
        if !ready || self.now.saturating_sub(since) >= PATIENCE {
            self.held_back.remove(&(seat, case.id));
        }
        ready && self.now.saturating_sub(since) < PATIENCE
    }

    /// Whether somebody is to ask again, after [`PATIENCE`], for results that are held back at a hall.
    pub fn is_asked_again(&mut self, seat: Seat) -> bool {
        let held = self.held_back.keys().any(|(at, _)| *at == seat);
        let asked = self.asks_again.get(&seat).is_some_and(|until| self.now < *until);
        if held && !asked {
            self.asks_again.insert(seat, self.now.saturating_add(PATIENCE));
        }
        held && !asked
    }

    fn sealed(&mut self, bytes: usize) -> Vec<u8> {
        let mut body = vec![0; bytes];
        self.chance.fill(&mut body);
        body
    }
}

fn in_state(joined: &Joined, test: impl Fn(&TaskState) -> bool) -> Vec<CaseId> {
    let found = joined.tasks().filter(|(_, state, _)| test(state));
    found.filter_map(|(_, _, case)| case.map(|case| case.id)).collect()
}
