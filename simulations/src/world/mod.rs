//! The world: one queue of things to come, and the loop around the product's own `step`.
//!
//! A run has two parts. In the first there are office days with work and trouble; then everything is mended, nobody
//! brings new work, and when the quiet part ends every promise must hold.

mod days;
mod editing;
mod halls;
mod lines;
mod lives;
mod mischief;
#[cfg(feature = "planted-bugs")]
mod planted;
mod restarts;
mod trouble;
mod watching;
mod work;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};

use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::ids::{HallAt, HallId};
use hallmesh_protocol::message::Message;
#[cfg(feature = "planted-bugs")]
use hallmesh_protocol::planted::{Bug, plant};
use hallmesh_protocol::step::Bytes;

use crate::checkers::Checkers;
use crate::city::City;
use crate::faults::{Crash, Faults};
use crate::network::Network;
use crate::people::People;
use crate::plan::{Fault, MINUTE, Plan, chance_of};
use crate::report::{Losses, Report, Traffic};
use crate::series::Series;
use crate::sometimes::Sometimes;
use crate::station::{Line, Seat, Station};
use crate::story::Story;
use crate::years;

/// Inputs that nodes take between two looks at how far a run has come.
const STEPS_BETWEEN_LOOKS: u64 = 20_000;
/// Frames of long ago that are kept for somebody to send again.
const OLD_FRAMES_MAX: usize = 256;

#[derive(Debug)]
enum Event {
    Start(Seat),
    Deliver { to: Seat, from: Seat, line: Line, frame: Bytes },
    Commit { seat: Seat, start: u32 },
    Free(Seat),
    Wake { seat: Seat, start: u32 },
    Call { seat: Seat, peer: Seat },
    LineLost { seat: Seat, peer: Seat, line: Line },
    Desk(Seat),
    Again(Again),
    Mend(u32),
    Open(usize),
    Close,
    Window(bool),
    Clock(Seat),
    Install(Seat),
    Rejoin(Seat),
    Step(usize),
    NewYear,
    Quiet,
}

/// What comes again and again while the halls are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Again {
    Citizen,
    Editor,
    Inspector,
    Misuse,
    Backup,
    Fault(Fault),
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
    /// Halls are open: people come and go, machines run.
    open: bool,
    quiet: bool,
    queue: BinaryHeap<Reverse<Due>>,
    /// When the halls open on each working day, and whether it is the first after a long break.
    openings: Vec<(u64, bool)>,
    today: usize,
    /// What comes again, in milliseconds of open halls.
    agenda: BTreeMap<Again, u64>,
    city: City,
    stations: Vec<Station>,
    seats: BTreeMap<HallId, Seat>,
    network: Network,
    people: People,
    faults: Faults,
    /// Faults drawn so far.
    drawn: u64,
    /// The next commit that writes something dies like this.
    doom: Option<Crash>,
    cuts: u64,
    /// Lives whose machine was stolen.
    stolen: BTreeSet<HallAt>,
    /// Whether frames are kept for somebody to send again.
    remembers: bool,
    old_frames: VecDeque<(Seat, Seat, Bytes)>,
    /// The message sent last, and its frame: most are sent to several halls.
    sent: Option<(Message, Bytes)>,
    checkers: Checkers,
    sometimes: Sometimes,
    traffic: Traffic,
    losses: Losses,
    /// Numbers of the restarts after which a disk was lost or an old one.
    bad_restarts: Vec<u64>,
    story: Story,
    series: Series,
    plan: Plan,
    chance: Chance,
}

pub use editing::edited;

/// How far a run has come, for a person who waits.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Of a thousand parts, done.
    pub thousandths: u64,
    /// Promises broken so far.
    pub broken: u64,
}

/// Runs a plan.
pub fn run(plan: &Plan) -> anyhow::Result<Report> {
    Ok(told(plan, Story::silent(), &mut |_| true)?.0)
}

/// Runs a plan and tells what happened; `watch` is asked now and then whether to go on.
pub fn told(
    plan: &Plan,
    story: Story,
    watch: &mut dyn FnMut(Progress) -> bool,
) -> anyhow::Result<(Report, Story)> {
    let (report, story, _) = World::new(plan, story)?.played(watch);
    Ok((report, story))
}

/// Runs a plan and follows it over time; the run is the same as without that.
pub fn followed(plan: &Plan, watch: &mut dyn FnMut(Progress) -> bool) -> anyhow::Result<(Report, Series)> {
    let mut world = World::new(plan, Story::silent())?;
    world.series = Series::of(plan, &world.stations);
    let (report, _, series) = world.played(watch);
    Ok((report, series))
}

/// As [`run`], with a bug planted once the city is founded, and only until a promise is broken: the end is not
/// looked at then.
#[cfg(feature = "planted-bugs")]
pub fn run_wrongly(plan: &Plan, bug: Option<Bug>) -> anyhow::Result<Report> {
    let mut world = World::new(plan, Story::silent())?;
    plant(bug);
    world.begin();
    let end = world.end();
    while world.checkers.broken() == 0 && world.goes_on(end) {}
    if world.checkers.broken() == 0 {
        world.look_at_end(end);
    }
    Ok(world.report(end).0)
}

impl World {
    fn new(plan: &Plan, story: Story) -> anyhow::Result<Self> {
        let mut chance = chance_of(plan.seed);
        let (city, disks) = City::found(&plan.city.divisions()?, &mut chance.fork("city"))?;
        let mut machines = chance.fork("machines");
        let stations = city.halls.iter().zip(disks);
        let stations = stations.map(|(at, disk)| Station::new(*at, disk, machines.fork("machine"))).collect();
        Ok(Self {
            now: 0,
            order: 0,
            open: false,
            quiet: false,
            queue: BinaryHeap::new(),
            openings: years::openings(plan.span.days),
            today: 0,
            agenda: BTreeMap::new(),
            checkers: Checkers::new(&city),
            seats: city.halls.iter().zip(0..).map(|(at, seat)| (at.hall, seat)).collect(),
            city,
            stations,
            network: Network::new(plan.lines.clone(), chance.fork("network")),
            people: People::new(chance.fork("people")),
            faults: Faults::new(chance.fork("faults")),
            drawn: 0,
            doom: None,
            cuts: 0,
            stolen: BTreeSet::new(),
            remembers: plan.trouble.0.contains_key(&Fault::Replay),
            old_frames: VecDeque::new(),
            sent: None,
            sometimes: Sometimes::default(),
            traffic: Traffic::default(),
            losses: Losses::default(),
            bad_restarts: Vec::new(),
            story,
            series: Series::silent(),
            plan: plan.clone(),
            chance: chance.fork("world"),
        })
    }

    /// Everything that is to come happens.
    fn played(mut self, watch: &mut dyn FnMut(Progress) -> bool) -> (Report, Story, Series) {
        self.begin();
        let end = self.end();
        let mut next_look = 0;
        while self.goes_on(end) {
            if self.traffic.steps < next_look {
                continue;
            }
            next_look = self.traffic.steps.saturating_add(STEPS_BETWEEN_LOOKS);
            let thousandths = self.now.saturating_mul(1_000).checked_div(end).unwrap_or(0);
            if !watch(Progress { thousandths, broken: self.checkers.broken() }) {
                break;
            }
        }
        self.last_look(end);
        self.look_at_end(end);
        self.report(end)
    }

    /// The run has come to its end by itself: what must hold now.
    fn look_at_end(&mut self, end: u64) {
        if self.plan.stop_after.is_none() && self.quiet {
            self.checkers.ended(end, &self.stations);
        }
    }

    /// The next thing happens, if it comes before the end.
    fn goes_on(&mut self, end: u64) -> bool {
        let Some(Reverse(due)) = self.queue.pop().filter(|Reverse(due)| due.at <= end) else { return false };
        self.now = due.at;
        self.look();
        self.happen(due.event);
        true
    }

    /// Age of the world at which the run ends.
    fn end(&self) -> u64 {
        let closes = self.closes(self.openings.len().saturating_sub(1));
        let end = closes.saturating_add(self.plan.span.quiet_minutes.saturating_mul(MINUTE));
        self.plan.stop_after.unwrap_or(end).min(end)
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Start(seat) => self.start(seat),
            Event::Deliver { to, from, line, frame } => self.deliver(to, from, line, frame),
            Event::Commit { seat, start } => self.commit(seat, start),
            Event::Free(seat) => self.free(seat),
            Event::Wake { seat, start } => self.wake(seat, start),
            Event::Call { seat, peer } => self.call(seat, peer),
            Event::LineLost { seat, peer, line } => self.line_lost(seat, peer, line),
            Event::Desk(seat) => self.look_at_desk(seat),
            Event::Again(again) => self.again(again),
            Event::Mend(cut) => self.mend(1 << cut),
            Event::Open(day) => self.open_halls(day),
            Event::Close => self.close_halls(),
            Event::Window(shut) => self.window(shut),
            Event::Clock(seat) => self.set_clock(seat),
            Event::Install(seat) => self.install(seat),
            Event::Rejoin(seat) => self.rejoin(seat),
            Event::Step(index) => self.step_of_plan(index),
            Event::NewYear => self.new_year(),
            Event::Quiet => self.quiet(),
        }
    }

    fn later(&mut self, after: u64, event: Event) {
        self.order = self.order.saturating_add(1);
        let due = Due { at: self.now.saturating_add(after), order: self.order, event };
        self.queue.push(Reverse(due));
    }

    /// Tells what happened in a hall, if anybody listens.
    fn tell(&mut self, seat: Seat, what: impl FnOnce() -> String) {
        if self.story.listens() {
            let hall = self.stations.get(seat).map(|station| station.at);
            self.story.note(self.now, hall, what());
        }
    }

    fn report(self, end: u64) -> (Report, Story, Series) {
        let (trace, waiting) = (self.checkers.trace.hash(), self.checkers.waiting());
        let losses = Losses { orphans: self.checkers.orphans(), ..self.losses };
        let d2 = self.checkers.d2_receipts();
        let (violations, broken) = self.checkers.verdict();
        let report = Report {
            halls: self.stations.len(),
            days: self.plan.span.days,
            minutes: end / MINUTE,
            running_minutes: self.plan.span.running_minutes(),
            seed: self.plan.seed,
            faults_drawn: self.drawn,
            bad_restarts: self.bad_restarts,
            traffic: self.traffic,
            losses,
            d2,
            work: self.people.work,
            sometimes: self.sometimes,
            waiting,
            broken,
            violations,
            trace,
        };
        (report, self.story, self.series)
    }
}
