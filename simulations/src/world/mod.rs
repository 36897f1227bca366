//! The world: one queue of things to come, and the loop around the product's own `step`.
//!
//! A run has two parts. In the first there is work and trouble; then everything is mended, nobody brings
//! new work, and when the quiet part ends every promise must hold.

mod halls;
mod lines;
#[cfg(feature = "planted-bugs")]
mod planted;
mod trouble;
mod work;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::ids::HallId;
#[cfg(feature = "planted-bugs")]
use hallmesh_protocol::planted::{Bug, plant};

use crate::checkers::Checkers;
use crate::city::{City, Division};
use crate::faults::{Crash, Faults, Trouble, around};
use crate::network::Network;
use crate::people::People;
use crate::report::{Report, Traffic};
use crate::station::{Line, Seat, Station};

/// Milliseconds the quiet part lasts at the most; short runs are quiet for half of their time.
const QUIET_MAX: u64 = 180_000;
/// Milliseconds within which the halls open on the first morning.
const OPENING: u64 = 2_000;
/// Milliseconds between changes of the lists on average.
const EDIT_EVERY: u64 = 20_000;
const MINUTE: u64 = 60_000;

/// What is run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Simulated minutes in all.
    pub minutes: u64,
    /// Everything follows from it.
    pub seed: u64,
    /// Citizens a minute.
    pub cases_per_minute: u64,
    /// What goes wrong in the first part.
    pub trouble: Trouble,
}

impl Plan {
    /// Milliseconds of the first part of a run of so many minutes.
    pub fn troubled(minutes: u64) -> u64 {
        let total = minutes.saturating_mul(MINUTE);
        total.saturating_sub(QUIET_MAX.min(total / 2))
    }
}

#[derive(Debug)]
enum Event {
    Start(Seat),
    Deliver { to: Seat, from: Seat, line: Line, frame: Vec<u8> },
    Commit { seat: Seat, start: u32 },
    Wake { seat: Seat, start: u32 },
    Call { seat: Seat, peer: Seat },
    LineLost { seat: Seat, peer: Seat, line: Line },
    Desk(Seat),
    Again(Again),
    Mend(u32),
    Quiet,
}

/// What comes again and again until the quiet part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    Citizen,
    Editor,
    Crash,
    Cut,
}

#[derive(Debug)]
struct Due {
    at: u64,
    order: u64,
    event: Event,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// A whole city.
#[derive(Debug)]
pub struct World {
    now: u64,
    order: u64,
    quiet: bool,
    queue: BinaryHeap<Reverse<Due>>,
    city: City,
    stations: Vec<Station>,
    seats: BTreeMap<HallId, Seat>,
    network: Network,
    people: People,
    faults: Faults,
    /// The next commit that writes something dies like this.
    doom: Option<Crash>,
    cuts: u64,
    checkers: Checkers,
    traffic: Traffic,
    plan: Plan,
    chance: Chance,
}

/// Founds a city and runs it through its plan.
pub fn run(divisions: &[Division], plan: Plan) -> anyhow::Result<Report> {
    let mut world = World::new(divisions, plan)?;
    world.open();
    let end = plan.minutes.saturating_mul(MINUTE);
    world.go_on(end, |_| true);
    world.checkers.ended(end, &world.stations);
    Ok(world.report(end))
}

/// As [`run`], with a bug planted once the city is founded, and only until a promise is broken: the end is not
/// looked at then.
#[cfg(feature = "planted-bugs")]
pub fn run_wrongly(divisions: &[Division], plan: Plan, bug: Option<Bug>) -> anyhow::Result<Report> {
    let mut world = World::new(divisions, plan)?;
    plant(bug);
    world.open();
    let end = plan.minutes.saturating_mul(MINUTE);
    world.go_on(end, |checkers| !checkers.is_broken());
    if !world.checkers.is_broken() {
        world.checkers.ended(end, &world.stations);
    }
    Ok(world.report(end))
}

impl World {
    fn new(divisions: &[Division], plan: Plan) -> anyhow::Result<Self> {
        let mut seed = [0; 32];
        seed.iter_mut().zip(plan.seed.to_le_bytes()).for_each(|(to, from)| *to = from);
        let mut chance = Chance::from_seed(seed);
        let mut city = City::found(divisions, &mut chance.fork("city"))?;
        let disks = std::mem::take(&mut city.disks);
        let mut machines = chance.fork("machines");
        let stations = city.halls.iter().zip(disks);
        let stations = stations.map(|(at, disk)| Station::new(*at, disk, machines.fork("machine"))).collect();
        Ok(Self {
            now: 0,
            order: 0,
            quiet: false,
            queue: BinaryHeap::new(),
            checkers: Checkers::new(city.halls.clone()),
            seats: city.halls.iter().zip(0..).map(|(at, seat)| (at.hall, seat)).collect(),
            city,
            stations,
            network: Network::new(plan.trouble.weather, chance.fork("network")),
            people: People::new(chance.fork("people")),
            faults: Faults::new(plan.trouble, chance.fork("faults")),
            doom: None,
            cuts: 0,
            traffic: Traffic::default(),
            plan,
            chance,
        })
    }

    /// Lets happen what comes until `end`, for as long as it may go on.
    fn go_on(&mut self, end: u64, may: impl Fn(&Checkers) -> bool) {
        while let Some(Reverse(due)) = self.queue.pop().filter(|Reverse(due)| due.at <= end) {
            self.now = due.at;
            self.happen(due.event);
            if !may(&self.checkers) {
                return;
            }
        }
    }

    /// Everything that is certain to come on the first morning.
    fn open(&mut self) {
        for seat in 0..self.stations.len() {
            let after = self.chance.below(OPENING);
            self.later(after, Event::Start(seat));
        }
        self.later(Plan::troubled(self.plan.minutes), Event::Quiet);
        for again in [Again::Citizen, Again::Editor, Again::Crash, Again::Cut] {
            self.plan_next(again);
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Start(seat) => self.start(seat),
            Event::Deliver { to, from, line, frame } => self.deliver(to, from, line, &frame),
            Event::Commit { seat, start } => self.commit(seat, start),
            Event::Wake { seat, start } => self.wake(seat, start),
            Event::Call { seat, peer } => self.call(seat, peer),
            Event::LineLost { seat, peer, line } => self.line_lost(seat, peer, line),
            Event::Desk(seat) => self.look_at_desk(seat),
            Event::Mend(cut) => self.mend(1 << cut),
            Event::Quiet => self.quiet(),
            Event::Again(_) if self.quiet => {}
            Event::Again(again) => {
                match again {
                    Again::Citizen => self.citizen(),
                    Again::Editor => self.editor(),
                    Again::Crash => self.crash_drawn(),
                    Again::Cut => self.cut(),
                }
                self.plan_next(again);
            }
        }
    }

    fn plan_next(&mut self, again: Again) {
        let after = match again {
            Again::Citizen => {
                let mean = MINUTE.checked_div(self.plan.cases_per_minute);
                mean.map(|mean| around(&mut self.chance, mean))
            }
            Again::Editor => Some(around(&mut self.chance, EDIT_EVERY)),
            Again::Crash => self.faults.next_crash(),
            Again::Cut => self.faults.next_cut(),
        };
        if let Some(after) = after {
            self.later(after, Event::Again(again));
        }
    }

    fn later(&mut self, after: u64, event: Event) {
        self.order = self.order.saturating_add(1);
        let due = Due { at: self.now.saturating_add(after), order: self.order, event };
        self.queue.push(Reverse(due));
    }

    fn report(self, end: u64) -> Report {
        let trace = self.checkers.trace.hash();
        let (violations, broken) = self.checkers.verdict();
        Report {
            halls: self.stations.len(),
            minutes: end / MINUTE,
            seed: self.plan.seed,
            traffic: self.traffic,
            work: self.people.work,
            broken,
            violations,
            trace,
        }
    }
}
