//! Makes a recording beside a running node.
//!
//! It keeps two halves. When the later one is full, the earlier one is dropped and a new one begun: with the node's
//! memory as it then is, and no rows. A row enters a half when it is first read or replaced, as it was at the half's
//! beginning; so a saved recording, both halves in a row, holds all rows that matter and no others.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry::Vacant;

use super::noting::{Noting, Seen};
use super::{Came, Clocks, FORMAT, Gave, Header, Part, Wish, file, redaction};
use crate::ids::HallId;
use crate::limits::{RECORDED_BYTES_MAX, RECORDED_INPUTS_MAX, RECORDED_PART_MAX};
use crate::message::PROTOCOL;
use crate::node::Node;
use crate::parcels;
use crate::rows::FORMAT_VERSION;
use crate::step::{Command, Effects, Input, Now, View};
use crate::wire::{self, Blob};

/// What a row in memory takes besides its bytes, about.
const ROW_BYTES: usize = 64;

/// A frame whose message is an input, as it came.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The encoded message.
    pub bytes: Blob,
    /// After so many commits its check read the rows.
    pub checked_at: u64,
}

/// How much is recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Inputs.
    pub inputs: u64,
    /// Bytes that the file would have, about.
    pub bytes: u64,
    /// The wall clock at the beginning, milliseconds since 1970.
    pub since: u64,
}

/// Keeps the last inputs of a node.
#[derive(Debug)]
pub struct Recorder {
    inputs_max: u64,
    earlier: Option<Half>,
    later: Half,
    commits: u64,
    /// Something was stepped since the last commit.
    open: bool,
}

#[derive(Debug)]
struct Half {
    header: Header,
    memory: Vec<u8>,
    rows: Seen,
    /// Encoded parts: what came, what it gave, commits.
    parts: Vec<Vec<u8>>,
    inputs: u64,
    bytes: usize,
    /// It grew too large within a batch: it says nothing until the next batch begins another.
    given_up: bool,
}

impl Recorder {
    /// Begins before the node's next input. Each half holds so many inputs.
    pub fn new(inputs: u64, node: &Node, now: Now) -> Self {
        let inputs_max = inputs.clamp(1, RECORDED_INPUTS_MAX);
        Self { inputs_max, earlier: None, later: Half::begin(node, now, 0), commits: 0, open: false }
    }

    /// Commits so far, as the checks of frames name them.
    pub const fn commits(&self) -> u64 {
        self.commits
    }

    /// A batch begins: a full half gives way to a new one.
    pub fn begin_batch(&mut self, node: &Node, now: Now) {
        let half = &self.later;
        if half.given_up || half.inputs >= self.inputs_max || half.bytes >= RECORDED_BYTES_MAX {
            let next = Half::begin(node, now, self.commits);
            let full = std::mem::replace(&mut self.later, next);
            self.earlier = (!full.given_up).then_some(full);
        }
    }

    /// Whether a check that read the rows after so many commits can be repeated from this recording.
    pub const fn knows(&self, checked_at: u64) -> bool {
        checked_at >= self.later.header.commits
    }

    /// The rows that a frame's check has read.
    pub fn absorb(&mut self, seen: Seen) {
        self.later.absorb(seen);
    }

    /// Hands one input to the node and notes what came, what was read and what it gave.
    pub fn step(
        &mut self,
        node: &mut Node,
        now: Now,
        (input, frame): (Input, Option<Frame>),
        view: &dyn View,
        effects: &mut Effects,
    ) {
        self.open = true;
        self.absorb_check(&input, node, view);
        self.later.came(now, came(&input, frame, node, now, view));
        let first = effects.outputs().len();
        effects.begin_journal();
        let noting = Noting::beyond(view, &self.later.rows);
        node.step(now, input, &noting, effects);
        let seen = noting.seen();
        let journal = effects.end_journal();
        self.later.absorb(seen);
        self.later.part(&Part::Gave(Gave::of(effects, &journal, first, node.me().at)));
    }

    /// The rows that the check of a parcel reads: a replay makes it again. Sticks are rare, and this is the only command
    /// whose check reads more than its step.
    fn absorb_check(&mut self, input: &Input, node: &Node, view: &dyn View) {
        let Input::Command { command: Command::TakeIn(opened), .. } = input else { return };
        let noting = Noting::beyond(view, &self.later.rows);
        let checked = parcels::open(&noting, node.me().at.hall, opened.parcel.clone());
        debug_assert!(checked.is_ok(), "it was opened before");
        let seen = noting.seen();
        self.later.absorb(seen);
    }

    /// A frame whose check refused it: it never became an input.
    pub fn refused(&mut self, now: Now, from: HallId, frame: Frame, why: &str) {
        self.open = true;
        let Frame { bytes, checked_at } = frame;
        self.later.came(now, Some(Came::Frame { from, frame: bytes, checked_at }));
        self.later.part(&Part::Gave(Gave::refused(why)));
    }

    /// The batch is about to be committed: rows that it replaces are kept as they were.
    pub fn committing(&mut self, effects: &Effects, view: &dyn View) {
        let unknown = effects.writes().keys().filter(|key| !self.later.rows.contains_key(*key));
        let before: Seen = unknown.map(|key| (key.clone(), view.get(key))).collect();
        self.later.absorb(before);
    }

    /// The batch was committed. Gives how many there were.
    pub fn committed(&mut self) -> u64 {
        if std::mem::take(&mut self.open) {
            self.commits = self.commits.saturating_add(1);
            self.later.part(&Part::Committed);
        }
        self.commits
    }

    /// How much is recorded.
    pub fn held(&self) -> Held {
        let halves = || self.earlier.iter().chain([&self.later]);
        let bytes = halves().fold(0_usize, |sum, half| sum.saturating_add(half.bytes));
        Held {
            inputs: halves().fold(0, |sum: u64, half| sum.saturating_add(half.inputs)),
            bytes: u64::try_from(bytes).unwrap_or(u64::MAX),
            since: halves().next().map_or(0, |half| half.header.begun.wall),
        }
    }

    /// The file with all that is recorded.
    pub fn file(&self) -> Vec<u8> {
        let first = self.earlier.as_ref().unwrap_or(&self.later);
        let mut rows: BTreeMap<_, _> = first.rows.iter().collect();
        for (key, value) in &self.later.rows {
            // What the earlier half has replaced is known to it as it was.
            rows.entry(key).or_insert(value);
        }
        let mut written = file::Writing::default();
        written.part(&Part::Header(Box::new(first.header.clone())));
        written.part(&Part::Memory(first.memory.clone().into()));
        for (key, value) in rows {
            if let Some(value) = value {
                written.part(&Part::Row(key.clone().into(), value.to_vec().into()));
            }
        }
        for part in self.earlier.iter().chain([&self.later]).flat_map(|half| &half.parts) {
            written.bytes(part);
        }
        written.end()
    }
}

impl Half {
    fn begin(node: &Node, now: Now, commits: u64) -> Self {
        let (me, memory) = (node.me(), node.memory());
        let header = Header {
            format: FORMAT,
            software: env!("CARGO_PKG_VERSION").to_owned(),
            protocol: PROTOCOL,
            rows: FORMAT_VERSION,
            at: me.at,
            boot: me.boot,
            signer: me.key.public(),
            begun: now.into(),
            commits,
        };
        let (rows, parts, bytes) = (Seen::new(), Vec::new(), memory.len());
        Self { header, memory, rows, parts, inputs: 0, bytes, given_up: false }
    }

    fn came(&mut self, now: Now, came: Option<Came>) {
        if self.given_up {
            return;
        }
        self.inputs = self.inputs.saturating_add(1);
        match came {
            Some(came) => self.part(&Part::Came(Clocks::from(now), came)),
            None => self.give_up(),
        }
    }

    fn absorb(&mut self, seen: Seen) {
        for (key, value) in seen.into_iter().filter(|_| !self.given_up) {
            let size = key.len().saturating_add(value.as_ref().map_or(0, |value| value.len()));
            if let Vacant(place) = self.rows.entry(key) {
                let value = value.map(|value| redaction::row(place.key(), &value));
                place.insert(value);
                self.bytes = self.bytes.saturating_add(size).saturating_add(ROW_BYTES);
            }
        }
        self.bound();
    }

    fn part(&mut self, part: &Part) {
        if self.given_up {
            return;
        }
        let part = wire::encode(part);
        if part.len() > RECORDED_PART_MAX {
            return self.give_up();
        }
        self.bytes = self.bytes.saturating_add(part.len());
        self.parts.push(part);
        self.bound();
    }

    fn bound(&mut self) {
        if self.bytes > RECORDED_BYTES_MAX.saturating_mul(2) {
            self.give_up();
        }
    }

    /// Nothing of it can be replayed any more.
    fn give_up(&mut self) {
        self.given_up = true;
        (self.rows, self.parts) = (Seen::new(), Vec::new());
        (self.inputs, self.bytes) = (0, 0);
    }
}

/// What came, as it is recorded; none for a message without its frame.
fn came(input: &Input, frame: Option<Frame>, node: &Node, now: Now, view: &dyn View) -> Option<Came> {
    Some(match input {
        Input::PeerUp(at) => Came::PeerUp(*at),
        Input::PeerDown(hall) => Came::PeerDown(*hall),
        Input::Received { from, .. } => {
            let Frame { bytes, checked_at } = frame?;
            Came::Frame { from: *from, frame: bytes, checked_at }
        }
        Input::Command { ticket, command } => {
            let wish = Wish::of(command, node.me().at.hall, now, view);
            Came::Command { ticket: *ticket, wish: Box::new(wish) }
        }
        Input::Wake => Came::Wake,
    })
}
