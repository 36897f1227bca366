//! The load: clients at every hall that take in, accept, correct, decide and deliver.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hallmesh::ops::{Answer, Ask, Content, Problem};
use hallmesh_protocol::cases::{Deed, State};
use hallmesh_protocol::chance::Chance;

use super::journal::{Journal, Receipt};
use super::{Halls, Plan};
use crate::street::Street;

/// Decided by the city; by the county, delegated and by law.
const MATTERS: [&str; 4] = ["ZYL-C-001", "ZYL-C-032", "ZYL-X-023", "ZYL-X-048"];
/// The villages of the two counties, where applicants live.
const PLACES: [usize; 2] = [5, 6];
/// Of so many cases one lacks something.
const INCOMPLETE: usize = 4;
/// How long a client with nothing to do waits.
const IDLE: Duration = Duration::from_millis(20);
/// What a client hears when a hall goes away under its call: the outcome is not known, and nothing was acknowledged.
const AWAY: [&str; 5] =
    ["node.not_running", "node.broken_off", "node.stopping", "node.no_answer", "clerk.stale"];

/// Everything the clients share.
pub(super) struct Load {
    street: Arc<Street>,
    journal: Journal,
    open_max: usize,
    open: Mutex<BTreeMap<String, Folder>>,
    refused: Mutex<BTreeMap<String, u64>>,
    chance: Mutex<Chance>,
    takes_in: AtomicBool,
    ended: AtomicBool,
}

/// A case that is not delivered yet.
#[derive(Clone, Debug)]
struct Folder {
    window: usize,
    decides: usize,
    /// Something is missing and has to be asked for.
    incomplete: bool,
    /// A client works on it.
    busy: bool,
}

impl Load {
    pub(super) fn new(street: Arc<Street>, journal: Journal, plan: &Plan) -> Self {
        Self {
            street,
            journal,
            open_max: plan.open_max,
            open: Mutex::default(),
            refused: Mutex::default(),
            chance: Mutex::new(crate::seed::chance(plan.seed).fork("load")),
            takes_in: AtomicBool::new(true),
            ended: AtomicBool::new(false),
        }
    }

    pub(super) fn halls(&self) -> Halls {
        self.street.city.members.iter().map(|member| member.hall).collect()
    }

    /// From now on what is open is finished and nothing new is taken in.
    pub(super) fn take_in_no_more(&self) {
        self.takes_in.store(false, Ordering::Relaxed);
    }

    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    pub(super) fn open(&self) -> usize {
        lock(&self.open).len()
    }

    pub(super) fn receipts(&self) -> u64 {
        self.journal.count()
    }

    /// Refusals that no kill explains, by code.
    pub(super) fn refused(&self) -> BTreeMap<String, u64> {
        lock(&self.refused).clone()
    }

    fn draw(&self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap();
        usize::try_from(lock(&self.chance).below(bound)).unwrap()
    }

    /// Something that nobody else says.
    fn content(&self, name: &str) -> Content {
        let bytes = lock(&self.chance).bytes16();
        Content::one(name, &crate::hex(&bytes))
    }

    /// Takes in a case at a hall.
    async fn receive(&self, hall: usize) -> Result<(), Problem> {
        let matter = MATTERS[self.draw(MATTERS.len())].parse().unwrap();
        let place = self.street.hall(PLACES[self.draw(PLACES.len())]).hall.division();
        let content = self.content("applicant");
        let ask = Ask::Receive { matter, place, content: content.clone() };
        let Answer::Received(received) = self.street.act(hall, &ask).await? else { panic!("no receipt") };
        self.keep(&Receipt {
            hall: self.street.hall(hall).hall.to_string(),
            case: received.id,
            number: received.number.clone(),
            sequence: 0,
            what: "receive".to_owned(),
            grade: Some(received.grade),
            content: digest(&content),
        });
        let decides = self.street.city.members.iter();
        let decides = decides.map(|member| member.hall.to_string()).position(|to| to == received.route.to);
        let folder = Folder {
            window: hall,
            decides: decides.expect("a hall of this city decides"),
            incomplete: self.draw(INCOMPLETE) == 0,
            busy: false,
        };
        lock(&self.open).insert(received.number, folder);
        Ok(())
    }

    /// A case at which there may be something to do for a hall; nobody else has it until it is put back.
    fn pick(&self, hall: usize) -> Option<(String, Folder)> {
        let mut open = lock(&self.open);
        let here = |folder: &Folder| !folder.busy && (folder.window == hall || folder.decides == hall);
        let count = open.values().filter(|folder| here(folder)).count();
        let drawn = if count == 0 { return None } else { self.draw(count) };
        let (number, folder) = open.iter_mut().filter(|(_, folder)| here(folder)).nth(drawn)?;
        folder.busy = true;
        Some((number.clone(), folder.clone()))
    }

    fn put_back(&self, number: &str) {
        if let Some(folder) = lock(&self.open).get_mut(number) {
            folder.busy = false;
        }
    }

    /// Does what is to be done next at a hall, if it has the case in hand. Whether something was.
    async fn work(&self, hall: usize, number: &str, folder: &Folder) -> Result<bool, Problem> {
        let Some(case) = self.street.known(hall, number).await? else { return Ok(false) };
        if case.stage != "custodian" {
            return Ok(false);
        }
        let Some((deed, what)) = next(case.state, hall, folder) else {
            if case.state == State::Delivered {
                lock(&self.open).remove(number);
            }
            return Ok(false);
        };
        let content = self.content("note");
        let ask = Ask::Record { case: number.to_owned(), deed, content: content.clone() };
        let Answer::Recorded { sequence, case, .. } = self.street.act(hall, &ask).await? else {
            panic!("not recorded")
        };
        self.keep(&Receipt {
            hall: self.street.hall(hall).hall.to_string(),
            case,
            number: number.to_owned(),
            sequence,
            what: what.to_owned(),
            grade: None,
            content: digest(&content),
        });
        Ok(true)
    }

    /// The journal's disk is the judge's; if it fails, there is nothing to judge.
    fn keep(&self, receipt: &Receipt) {
        tokio::task::block_in_place(|| self.journal.keep(receipt)).expect("the journal can be written");
    }

    fn note(&self, problem: Problem) {
        if !AWAY.contains(&problem.code.as_str()) {
            *lock(&self.refused).entry(problem.code).or_default() += 1;
        }
    }
}

/// One client at a hall, until the end.
pub(super) async fn clerk(load: Arc<Load>, hall: usize) {
    while !load.ended.load(Ordering::Relaxed) {
        let wants = load.takes_in.load(Ordering::Relaxed) && load.open() < load.open_max;
        let did = if wants && load.draw(3) == 0 {
            load.receive(hall).await.map(|()| true)
        } else if let Some((number, folder)) = load.pick(hall) {
            let did = load.work(hall, &number, &folder).await;
            load.put_back(&number);
            did
        } else {
            Ok(false)
        };
        let did = did.unwrap_or_else(|problem| {
            load.note(problem);
            false
        });
        if !did {
            tokio::time::sleep(IDLE).await;
        }
    }
}

/// What a hall does next with a case in its hand.
fn next(state: State, hall: usize, folder: &Folder) -> Option<(Deed, &'static str)> {
    let (decides, window) = (folder.decides == hall, folder.window == hall);
    match state {
        State::Received if decides && folder.incomplete => {
            Some((Deed::RequestCorrection, "request-correction"))
        }
        State::Received | State::Supplemented if decides => Some((Deed::Accept, "accept")),
        State::Accepted if decides => Some((Deed::GRANT, "decide")),
        State::AwaitingCorrection if window => Some((Deed::Supplement, "supplement")),
        State::Decided if window => Some((Deed::Deliver, "deliver")),
        State::Received
        | State::Supplemented
        | State::Accepted
        | State::AwaitingCorrection
        | State::Suspended
        | State::Decided
        | State::Certified
        | State::NotAccepted
        | State::Closed
        | State::Revoked
        | State::Delivered
        | State::Archived => None,
    }
}

/// What the journal remembers of what was said.
pub(super) fn digest(content: &Content) -> String {
    let text = serde_json::to_vec(content).expect("content is text");
    blake3::hash(&text).to_hex().to_string()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
