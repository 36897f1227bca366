//! One hall's machine: disk, clock, and the process that runs the node until it crashes.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::ids::HallAt;
use hallmesh_protocol::node::{Me, Node};
use hallmesh_protocol::seal::SecretKey;
use hallmesh_protocol::step::{Effects, Input, Released, Writes};

use crate::clock::Clock;
use crate::disk::Disk;

/// A hall's place in the city: its rank by code.
pub type Seat = usize;

/// A line to another hall, from this end's point of view: which of all lines ever made.
pub type Line = u64;

/// One hall's machine.
#[derive(Debug)]
pub struct Station {
    /// Whose.
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
    /// Messages under way to it.
    pub inbound: usize,
    /// How often its process was started.
    pub starts: u32,
    /// Whether its staff already plan to look at the desk.
    pub desk_planned: bool,
    /// Age of the world at which the next planned wake comes; stale plans are recognised by it.
    pub wake_planned: Option<u64>,
    process: Option<Process>,
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
            inbound: 0,
            starts: 0,
            desk_planned: false,
            wake_planned: None,
            process: None,
            chance,
        }
    }

    /// Whether its process runs.
    pub fn is_up(&self) -> bool {
        self.process.is_some()
    }

    /// The boot id of the running process.
    pub fn boot(&self) -> Option<u32> {
        self.process.as_ref().map(|process| process.node.boot())
    }

    /// Starts the process from what the disk has kept.
    pub fn start(&mut self, world: u64, key: SecretKey) {
        if self.starts > 0 {
            self.clock.set(&mut self.chance);
        }
        self.starts = self.starts.saturating_add(1);
        let boot = u32::try_from(self.chance.below(1 << 32)).unwrap_or(u32::MAX);
        let seed = self.chance.bytes32();
        let me = Me { at: self.at, boot, key };
        let node = Node::open(me, seed, self.clock.at(world), &self.disk);
        self.process = Some(Process { node, batch: None, wake_ticks: None });
    }

    /// The process dies; what it had not committed is gone.
    pub fn crash(&mut self) {
        self.process = None;
        self.lines.clear();
        self.keep.clear();
        self.calling.clear();
        self.wake_planned = None;
    }

    /// Hands one input to the node.
    pub fn feed(&mut self, world: u64, input: Input) -> Fed {
        let now = self.clock.at(world);
        let Some(process) = self.process.as_mut() else { return Fed::Down };
        let open = process.batch.is_some();
        let mut effects = process.batch.take().unwrap_or_default();
        process.node.step(now, input, &self.disk, &mut effects);
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

    /// Whether the open batch would write this: the crash of interest is the one that loses work.
    pub fn batch_rows(&self) -> usize {
        self.process.as_ref().and_then(|process| process.batch.as_ref()).map_or(0, Effects::rows)
    }

    /// When the node wants to be woken, in the world's time; none if it is down or a batch is open, whose
    /// commit will say it anew.
    pub fn wants_wake(&self) -> Option<u64> {
        let ticks = self.process.as_ref()?.wake_ticks?;
        Some(self.clock.reaches(ticks))
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
