//! One hall's machine: disk, clock, line, and the process that runs the node until it ends.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::convert::Infallible;

use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::ids::HallAt;
use hallmesh_protocol::node::{Me, Node};
use hallmesh_protocol::seal::SecretKey;
use hallmesh_protocol::step::{Bytes, Effects, Input, Released, Writes};

use crate::clock::Clock;
use crate::disk::Disk;
use crate::network::Uplink;

/// A hall's place in the city: its rank by code.
pub type Seat = usize;

/// A line to another hall, from this end's point of view: which of all lines ever made.
pub type Line = u64;

/// What kind of machine and line a hall has.
#[derive(Clone, Copy, Debug, Default)]
pub struct Make {
    /// Nobody can call it.
    pub no_inbound: bool,
    /// Its line is up for a part of each day only.
    pub windowed: bool,
    /// Its node speaks the next version of the protocol, too.
    pub newer: bool,
}

/// One hall's machine.
#[derive(Debug)]
pub struct Station {
    /// Whose, and which life of it.
    pub at: HallAt,
    /// What it has kept.
    pub disk: Disk,
    /// What time it shows.
    pub clock: Clock,
    /// Lines this end believes in, by the hall at the other end.
    pub lines: BTreeMap<Seat, Line>,
    /// Halls the node wants lines to.
    pub keep: BTreeSet<Seat>,
    /// Halls that are being called.
    pub calling: BTreeSet<Seat>,
    /// One bit for each cut whose inside this hall is in: two halls hear each other if theirs are equal.
    pub inside: u64,
    /// One bit for each one-way cut whose inside this hall is in: what leaves it does not arrive outside.
    pub unheard: u64,
    /// What stays as it is.
    pub make: Make,
    /// Its line is up for a part of each day only, and is down now.
    pub window_shut: bool,
    /// The way out.
    pub uplink: Uplink,
    /// Messages under way to it.
    pub inbound: usize,
    /// How often its process was started.
    pub starts: u32,
    /// Whether its staff already plan to look at the desk.
    pub desk_planned: bool,
    /// Whether its deciding clerk is away today.
    pub absent: bool,
    /// Age of the world at which the next planned wake comes; stale plans are recognised by it.
    pub wake_planned: Option<u64>,
    /// Age of the world before which it is not started.
    pub off_until: u64,
    /// Age of the world until which the machine sleeps.
    pub asleep_until: u64,
    /// Age of the world until which its disk has no room.
    pub full_until: u64,
    /// Age of the world until which its processor is busy.
    pub busy_until: u64,
    /// What has arrived and waits for the processor: from whom, on which line, what.
    pub waiting: VecDeque<(Seat, Line, Bytes)>,
    /// What its disk held some time ago.
    pub backup: Option<Disk>,
    process: Option<Process>,
    spent_us: u64,
    chance: Chance,
}

#[derive(Debug)]
struct Process {
    node: Node,
    batch: Option<Effects>,
    wake_ticks: Option<u64>,
}

/// What became of an input.
#[derive(Debug)]
pub enum Fed {
    /// The process is down: nobody took it.
    Down,
    /// A damaged row was read: the process has stopped itself.
    Damaged,
    /// It waits in an open batch; true if the batch was opened for it.
    Waits(bool),
    /// It wrote nothing and waited for nothing: what it asks for may leave.
    Free(Released),
}

impl Station {
    /// A machine that was never started.
    pub fn new(at: HallAt, disk: Disk, mut chance: Chance) -> Self {
        Self {
            at,
            disk,
            clock: Clock::draw(&mut chance),
            lines: BTreeMap::new(),
            keep: BTreeSet::new(),
            calling: BTreeSet::new(),
            inside: 0,
            unheard: 0,
            make: Make::default(),
            window_shut: false,
            uplink: Uplink::default(),
            inbound: 0,
            starts: 0,
            desk_planned: false,
            absent: false,
            wake_planned: None,
            off_until: 0,
            asleep_until: 0,
            full_until: 0,
            busy_until: 0,
            waiting: VecDeque::new(),
            backup: None,
            process: None,
            spent_us: 0,
            chance,
        }
    }

    /// Whether its process runs, awake or not.
    pub fn is_up(&self) -> bool {
        self.process.is_some()
    }

    /// Whether it answers at this age of the world.
    pub fn answers(&self, world: u64) -> bool {
        self.is_up() && self.asleep_until <= world
    }

    /// The boot id of the running process.
    pub fn boot(&self) -> Option<u32> {
        self.process.as_ref().map(|process| process.node.boot())
    }

    /// Starts the process from what the disk has kept; the machine's clock may be set at that.
    pub fn start(&mut self, world: u64, key: SecretKey, set_clock: bool) {
        if self.starts > 0 && set_clock {
            self.clock.set_at(world, &mut self.chance);
        }
        self.starts = self.starts.saturating_add(1);
        let boot = u32::try_from(self.chance.below(1 << 32)).unwrap_or(u32::MAX);
        let seed = self.chance.bytes32();
        let me = Me { at: self.at, boot, key };
        let node = Node::open(me, seed, self.clock.at(world), &self.disk);
        self.process = Some(Process { node, batch: None, wake_ticks: None });
    }

    /// The process ends; what it had not committed is gone.
    pub fn end(&mut self) {
        self.process = None;
        self.lines.clear();
        self.keep.clear();
        self.calling.clear();
        self.wake_planned = None;
        (self.asleep_until, self.busy_until) = (0, 0);
        self.inbound = self.inbound.saturating_sub(self.waiting.len());
        self.waiting.clear();
    }

    /// Hands one input to the node, which takes so many microseconds of its machine's time.
    pub fn feed(&mut self, world: u64, input: Input, step_us: u64) -> Fed {
        let now = self.clock.at(world);
        let Some(process) = self.process.as_mut() else { return Fed::Down };
        let open = process.batch.is_some();
        let mut effects = process.batch.take().unwrap_or_default();
        self.disk.has_failed();
        process.node.step(now, input, &self.disk, &mut effects);
        if self.disk.has_failed() {
            return Fed::Damaged;
        }
        self.spend(world, step_us);
        let Some(process) = self.process.as_mut() else { return Fed::Down };
        if open || effects.rows() > 0 {
            process.batch = Some(effects);
            return Fed::Waits(!open);
        }
        Fed::Free(self.release(effects).0)
    }

    /// Commits the open batch: what was written, and what may leave now.
    pub fn commit(&mut self) -> Option<(Released, Writes)> {
        let effects = self.process.as_mut()?.batch.take()?;
        let (released, writes) = self.release(effects);
        Some((released, writes))
    }

    /// When the node wants to be woken, in the world's time; none if it is down or a batch is open, whose
    /// commit will say it anew.
    pub fn wants_wake(&self) -> Option<u64> {
        let ticks = self.process.as_ref()?.wake_ticks?;
        Some(self.clock.reaches(ticks))
    }

    /// The machine sleeps until then.
    pub fn sleep(&mut self, world: u64, until: u64) {
        self.clock.sleep(until.saturating_sub(world));
        self.asleep_until = until;
    }

    /// The wall clock goes wrong: by hours, or by years.
    pub fn spoil_clock(&mut self, by_years: bool) {
        if by_years { self.clock.lose_battery(&mut self.chance) } else { self.clock.jump(&mut self.chance) }
    }

    /// The wall clock is set right.
    pub fn set_clock(&mut self, world: u64) {
        self.clock.set_at(world, &mut self.chance);
    }

    fn spend(&mut self, world: u64, microseconds: u64) {
        let spent = self.spent_us.saturating_add(microseconds);
        self.spent_us = spent % 1_000;
        if spent >= 1_000 {
            self.busy_until = self.busy_until.max(world).saturating_add(spent / 1_000);
        }
    }

    fn release(&mut self, effects: Effects) -> (Released, Writes) {
        let mut written = Writes::new();
        let stored = effects.commit(|writes| {
            written = writes;
            Ok::<(), Infallible>(())
        });
        let released = match stored {
            Ok(released) => released,
            Err(never) => match never {},
        };
        if let Some(process) = self.process.as_mut() {
            process.wake_ticks = released.wake_at;
        }
        (released, written)
    }
}
