//! Runs a recording: the same core, the recorded inputs, clocks and commits, and rows that live in memory.

use std::collections::BTreeMap;
use std::convert::Infallible;

use super::{Came, Entry, Gave, Header, Recording};
use crate::ids::HallId;
use crate::message::Message;
use crate::node::{Me, Node};
use crate::seal::SecretKey;
use crate::step::{Bytes, Effects, Input, View};
use crate::verify::{self, Checked};
use crate::wire::Malformed;

/// A recording under way.
pub struct Replay {
    me: HallId,
    node: Node,
    rows: Rows,
    effects: Effects,
    entries: Vec<Entry>,
    /// The place of the next entry.
    place: usize,
    commits: u64,
    /// Which frames are checked after how many commits: often some commits before they are taken.
    due: BTreeMap<u64, Vec<usize>>,
    checked: BTreeMap<usize, Result<Checked, String>>,
}

/// What one entry gave this time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The entry, from 0.
    pub entry: usize,
    /// What it gave.
    pub gave: Gave,
    /// How that differs from what was recorded. Nothing was recorded of the input that a node did not survive.
    pub difference: Option<Difference>,
}

/// The first thing that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// What was asked of the world: what was sent to whom, replied or refused.
    Said,
    /// Which rows were written.
    Wrote,
    /// When the node wanted to be woken.
    WakeAt,
    /// The words and the tables are the same, the bytes are not.
    Bytes,
}

impl Difference {
    /// A stable word, for JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Said => "said",
            Self::Wrote => "wrote",
            Self::WakeAt => "wake-at",
            Self::Bytes => "bytes",
        }
    }

    fn between(recorded: &Gave, now: &Gave) -> Option<Self> {
        if recorded.said != now.said {
            Some(Self::Said)
        } else if recorded.wrote != now.wrote {
            Some(Self::Wrote)
        } else if recorded.wake_at != now.wake_at {
            Some(Self::WakeAt)
        } else {
            (recorded.digest != now.digest).then_some(Self::Bytes)
        }
    }
}

impl Replay {
    /// The node as it was at the beginning of a recording.
    pub fn open(recording: Recording) -> Result<Self, Malformed> {
        let Recording { header, memory, rows, entries } = recording;
        let Header { at, boot, signer, commits, .. } = header;
        let signed = entries.iter().filter_map(|entry| entry.gave.as_ref()).flat_map(|gave| &gave.signatures);
        let key = SecretKey::repeating(signer, signed.copied().collect());
        let node = Node::resume(Me { at, boot, key }, memory.as_bytes())?;
        let rows = rows.into_iter().map(|(key, value)| (key, value.as_bytes().into())).collect();
        let mut due: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for (place, entry) in entries.iter().enumerate() {
            if let Came::Frame { checked_at, .. } = &entry.came {
                due.entry(*checked_at).or_default().push(place);
            }
        }
        let (effects, checked, me) = (Effects::default(), BTreeMap::new(), at.hall);
        let mut replay =
            Self { me, node, rows: Rows(rows), effects, entries, place: 0, commits, due, checked };
        replay.check_ahead();
        Ok(replay)
    }

    /// The recorded entries.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Checks the frames whose checks read the rows as they are now, though they were taken later.
    fn check_ahead(&mut self) {
        for place in self.due.remove(&self.commits).unwrap_or_default() {
            if let Some(Came::Frame { frame, .. }) = self.entries.get(place).map(|entry| &entry.came) {
                self.checked.insert(place, check(&self.rows, self.me, frame.as_bytes()));
            }
        }
    }

    fn input(&mut self, came: &Came) -> Result<Input, String> {
        Ok(match came {
            Came::PeerUp(at) => Input::PeerUp(*at),
            Came::PeerDown(hall) => Input::PeerDown(*hall),
            Came::Frame { from, frame, .. } => {
                let ahead = self.checked.remove(&self.place);
                let message = ahead.unwrap_or_else(|| check(&self.rows, self.me, frame.as_bytes()))?;
                Input::Received { from: *from, message }
            }
            Came::Command { ticket, wish } => {
                let command = wish.command(&self.rows, self.me).map_err(|why| why.to_string())?;
                Input::Command { ticket: *ticket, command }
            }
            Came::Wake => Input::Wake,
        })
    }

    fn step(&mut self, entry: &Entry) -> Gave {
        let input = match self.input(&entry.came) {
            Ok(input) => input,
            Err(why) => return Gave::refused(&why),
        };
        let first = self.effects.outputs().len();
        self.effects.begin_journal();
        self.node.step(entry.now.into(), input, &self.rows, &mut self.effects);
        let journal = self.effects.end_journal();
        Gave::of(&self.effects, &journal, first, self.node.me().at)
    }

    fn commit(&mut self) {
        let effects = std::mem::take(&mut self.effects);
        let rows = &mut self.rows.0;
        let committed = effects.commit(|writes| {
            for (key, value) in writes {
                match value {
                    Some(value) => rows.insert(key, value),
                    None => rows.remove(&key),
                };
            }
            Ok::<(), Infallible>(())
        });
        match committed {
            Ok(_released) => self.commits = self.commits.saturating_add(1),
            Err(never) => match never {},
        }
        self.check_ahead();
    }
}

impl Iterator for Replay {
    type Item = Outcome;

    /// Takes the next entry. It may panic where the recorded node did.
    fn next(&mut self) -> Option<Outcome> {
        let entry = self.entries.get(self.place)?.clone();
        let gave = self.step(&entry);
        let difference = entry.gave.as_ref().and_then(|recorded| Difference::between(recorded, &gave));
        let outcome = Outcome { entry: self.place, gave, difference };
        self.place = self.place.saturating_add(1);
        if entry.committed {
            self.commit();
        }
        Some(outcome)
    }
}

fn check(view: &dyn View, me: HallId, frame: &[u8]) -> Result<Checked, String> {
    let message = Message::decode(frame).map_err(|why| why.to_string())?;
    verify::message(view, me, message).map_err(|why| why.to_string())
}

/// Rows in memory.
struct Rows(BTreeMap<Vec<u8>, Bytes>);

impl View for Rows {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.0.get(key).cloned()
    }

    fn scan(&self, prefix: &[u8], after: &[u8], visit: &mut dyn FnMut(&[u8], &[u8]) -> bool) {
        let from = if after < prefix { prefix } else { after };
        let rows = self.0.range(from.to_vec()..).take_while(|(key, _)| key.starts_with(prefix));
        for (key, value) in rows.filter(|(key, _)| after.is_empty() || key.as_slice() > after) {
            if !visit(key, value) {
                return;
            }
        }
    }
}
