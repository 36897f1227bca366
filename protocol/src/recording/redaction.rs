//! What a recording leaves out.

use std::iter::successors;

use super::Wish;
use crate::cases::{Question, Receive, ReceiveBundle, Record, RecordBundle, Refusal, Stating, Wrap, route};
use crate::catalogue::Catalogue;
use crate::clerks::{self, Act, ClerkCard, NotEntitled};
use crate::ids::{CaseId, Digest, DivisionCode, HallId, MatterCode};
use crate::parcels;
use crate::rows;
use crate::seal::{SecretKey, Suite};
use crate::signed::{Signed, Verified};
use crate::step::{Bytes, Command, Now, View};
use crate::verify;
use crate::wire::{self, Blob};

/// The key that stands for every clerk's. Its seed is public: it protects nothing and opens nothing.
fn stand_in() -> SecretKey {
    SecretKey::from_seed(Suite::One, *b"hallmesh recordings: any clerk  ")
}

/// A row as it is recorded. Only clerks' cards name people.
pub(super) fn row(key: &[u8], value: &Bytes) -> Bytes {
    if rows::is_clerk(key) { wire::encode(&card(&rows::parse(key, value))).into() } else { value.clone() }
}

/// A card without the person.
fn card(card: &ClerkCard) -> ClerkCard {
    ClerkCard { name: format!("clerk {}", card.id.number), key: stand_in().public(), ..card.clone() }
}

/// An act without the digest of what was asked: from an application's digest its words could be guessed.
fn act(act: &Verified<Act>) -> Act {
    Act { request: Digest([0; 32]), ..act.value().clone() }
}

impl Wish {
    /// A command of the hall `me` as it is recorded.
    pub(super) fn of(command: &Command, me: HallId, now: Now, view: &dyn View) -> Self {
        match command {
            Command::Receive(by, wanted) => Self::Receive {
                act: act(by),
                case: wanted.case,
                matter: wanted.matter.clone(),
                place: widest(wanted, me, now, view),
                body: wanted.body.clone(),
                wraps: wanted.wraps.clone(),
            },
            Command::Record(by, done) => {
                let (deed, key, body) = (done.deed, done.key, done.body.clone());
                Self::Record { act: act(by), case: done.case, deed, key, body }
            }
            Command::ReceiveBundle(by, wanted) => Self::ReceiveBundle {
                act: act(by),
                bundle: wanted.bundle.clone(),
                place: widest_of(wanted, me, now, view),
                tasks: wanted.tasks.iter().map(task).collect(),
            },
            Command::RecordBundle(by, wanted) => {
                let acts = wanted.acts.iter().map(|it| (it.case, it.deed, it.key, it.body.clone())).collect();
                Self::RecordBundle { act: act(by), bundle: wanted.bundle, acts }
            }
            Command::State(by, wanted) => {
                let Stating { number, kind, key, sealed, wraps } = wanted.as_ref().clone();
                Self::State { act: act(by), number, kind, key, sealed, wraps }
            }
            Command::Publish(by, bodies) => Self::Publish(act(by), bodies.clone()),
            Command::Declare([one, other], declaration) => {
                Self::Declare([act(one), act(other)], *declaration)
            }
            Command::GiveKeys([one, other], keys) => Self::GiveKeys([act(one), act(other)], keys.clone()),
            Command::Admit(records) => {
                Self::Admit(records.iter().map(|record| record.signed().clone()).collect())
            }
            Command::Advertise(addresses) => Self::Advertise(addresses.clone()),
            Command::AddClerk(registered) => Self::AddClerk(card(registered)),
            Command::DisableClerk(number) => Self::DisableClerk(*number),
            Command::Read(by, case) => Self::Read(act(by), *case),
            Command::Consign(wanted) => Self::Consign(wanted.clone()),
            Command::TakeIn(opened) => Self::TakeIn(opened.parcel.clone()),
            Command::KeepKeys(case, wraps) => Self::KeepKeys(*case, wraps.clone()),
            Command::RenewKey(case, new) => Self::RenewKey(*case, new.as_ref().clone()),
            Command::NotOpened(case, of) => Self::NotOpened(*case, *of),
        }
    }

    /// The command again, its acts signed by the stand-in and checked against the rows.
    pub(super) fn command(&self, view: &dyn View, me: HallId) -> Result<Command, Refusal> {
        Ok(match self.clone() {
            Self::Receive { act, case, matter, place, body, wraps } => {
                let wanted = Receive { case, matter, place, body, wraps };
                Command::Receive(checked(view, &act)?, Box::new(wanted))
            }
            Self::Record { act, case, deed, key, body } => {
                let done = Record { case, deed, key, body };
                Command::Record(checked(view, &act)?, Box::new(done))
            }
            Self::ReceiveBundle { act, bundle, place, tasks } => {
                let tasks = tasks.into_iter().map(|(item, case, matter, body, wraps)| {
                    (item, Receive { case, matter, place, body, wraps })
                });
                let wanted = ReceiveBundle { bundle, place, tasks: tasks.collect() };
                Command::ReceiveBundle(checked(view, &act)?, Box::new(wanted))
            }
            Self::RecordBundle { act, bundle, acts } => {
                let acts = acts
                    .into_iter()
                    .map(|(case, deed, key, body)| Record { case, deed, key, body })
                    .collect();
                Command::RecordBundle(checked(view, &act)?, Box::new(RecordBundle { bundle, acts }))
            }
            Self::State { act, number, kind, key, sealed, wraps } => {
                let wanted = Stating { number, kind, key, sealed, wraps };
                Command::State(checked(view, &act)?, Box::new(wanted))
            }
            Self::Publish(act, bodies) => Command::Publish(checked(view, &act)?, bodies),
            Self::Declare([one, other], declaration) => {
                Command::Declare([checked(view, &one)?, checked(view, &other)?], declaration)
            }
            Self::GiveKeys([one, other], keys) => {
                Command::GiveKeys([checked(view, &one)?, checked(view, &other)?], keys)
            }
            Self::Admit(records) => Command::Admit(verify::records(view, records).0),
            Self::Advertise(addresses) => Command::Advertise(addresses),
            Self::AddClerk(card) => Command::AddClerk(card),
            Self::DisableClerk(number) => Command::DisableClerk(number),
            Self::Read(act, case) => Command::Read(checked(view, &act)?, case),
            Self::Consign(wanted) => Command::Consign(wanted),
            Self::TakeIn(parcel) => Command::TakeIn(Box::new(parcels::open(view, me, parcel)?)),
            Self::KeepKeys(case, wraps) => Command::KeepKeys(case, wraps),
            Self::RenewKey(case, new) => Command::RenewKey(case, Box::new(new)),
            Self::NotOpened(case, of) => Command::NotOpened(case, of),
        })
    }
}

fn checked(view: &dyn View, act: &Act) -> Result<Verified<Act>, Refusal> {
    let signed = Signed::sign(act, &[(0, &stand_in())]);
    clerks::verify(view, &signed).or(Err(NotEntitled::Clerk.into()))
}

fn task((item, task): &(u8, Receive)) -> (u8, CaseId, MatterCode, Blob, Vec<Wrap>) {
    (*item, task.case, task.matter.clone(), task.body.clone(), task.wraps.clone())
}

/// The widest place from which all tasks go to the same halls, and for which the bundle holds.
fn widest_of(wanted: &ReceiveBundle, me: HallId, now: Now, view: &dyn View) -> DivisionCode {
    let area = Catalogue::new(view).bundle(&wanted.bundle, now.wall).map(|pinned| pinned.bundle.area);
    let holds = |place| area.is_none_or(|area| area.covers(place));
    let all = wanted.tasks.iter().map(|(_, task)| task);
    widest_where(wanted.place, |place| {
        holds(place) && all.clone().all(|task| goes_alike(task, place, me, (now, view)))
    })
}

/// The widest place that gets the same answer as the applicant's own: it says where the case is decided, which
/// everybody on the way knows, and no more.
fn widest(wanted: &Receive, receiving: HallId, now: Now, view: &dyn View) -> DivisionCode {
    widest_where(wanted.place, |place| goes_alike(wanted, place, receiving, (now, view)))
}

fn widest_where(place: DivisionCode, fits: impl Fn(DivisionCode) -> bool) -> DivisionCode {
    let wider = successors(Some(place), |place| place.parent());
    wider.filter(|place| fits(*place)).last().unwrap_or(place)
}

fn goes_alike(
    wanted: &Receive,
    place: DivisionCode,
    receiving: HallId,
    (now, view): (Now, &dyn View),
) -> bool {
    let answer = |place| {
        let question = Question { matter: wanted.matter.clone(), receiving, place, wall: now.wall };
        route(view, &question).map(|route| route.competent)
    };
    answer(place) == answer(wanted.place)
}
