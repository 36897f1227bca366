//! A real node's recording, run again: the same core, the recorded inputs, clocks and commits.
//!
//! What came and what it gave is told entry by entry, up to the first that gives something else than was recorded, or
//! that the core does not survive.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use hallmesh_protocol::message::Message;
use hallmesh_protocol::recording::{
    Came, Clocks, Difference, Entry, Gave, Header, Outcome, Recording, Replay,
};
use hallmesh_protocol::rows;
use hallmesh_protocol::wire::Malformed;
use serde::Serialize;

use crate::story;

/// A recording that was run again.
#[derive(Clone, Debug)]
pub struct Retold {
    /// Whose it is, and from when.
    pub header: Header,
    /// Rows it brought along.
    pub rows: usize,
    /// Entries it holds.
    pub entries: usize,
    /// What happened, in order, up to the verdict.
    pub turns: Vec<Turn>,
    /// What it came to.
    pub verdict: Verdict,
}

/// One entry as it was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Turn {
    /// Which, from 0.
    pub entry: usize,
    /// Milliseconds since 1970 by the recorded wall clock.
    pub wall: u64,
    /// What came.
    pub came: String,
    /// What it asked of the world.
    pub said: Vec<String>,
    /// The tables of the rows it wrote, in order.
    pub wrote: Vec<&'static str>,
}

/// What a replay came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every entry gave what was recorded.
    Same,
    /// An entry gave something else.
    Differs {
        /// Which.
        entry: usize,
        /// In what.
        difference: Difference,
        /// What was recorded.
        recorded: Box<Gave>,
        /// What it gave now.
        now: Box<Gave>,
    },
    /// The recorded node did not survive this entry; this core does.
    Survived {
        /// Which.
        entry: usize,
    },
    /// The core stopped itself.
    Stopped {
        /// At which entry; none if it was before the first.
        entry: Option<usize>,
        /// What it said.
        why: String,
    },
}

impl Verdict {
    /// The exit code of the command line.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Same => 0,
            Self::Stopped { .. } => 79,
            Self::Differs { .. } | Self::Survived { .. } => 83,
        }
    }

    /// A stable word, for JSON.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Differs { .. } => "differs",
            Self::Survived { .. } => "survived",
            Self::Stopped { .. } => "stopped",
        }
    }

    /// The entry it is about.
    pub const fn entry(&self) -> Option<usize> {
        match self {
            Self::Same => None,
            Self::Differs { entry, .. } | Self::Survived { entry } => Some(*entry),
            Self::Stopped { entry, .. } => *entry,
        }
    }
}

impl Turn {
    fn of(entry: usize, taken: &Entry, gave: &Gave) -> Self {
        Self {
            entry,
            wall: taken.now.wall,
            came: came(&taken.came),
            said: gave.said.clone(),
            wrote: gave.wrote.iter().map(|table| rows::table_word(*table)).collect(),
        }
    }

    /// Whether something was refused in it: a message, or what staff wanted.
    pub fn is_refusal(&self) -> bool {
        self.said.iter().any(|said| said.contains("refused: "))
    }

    /// Lines for people: when, what came, and what it gave.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("{:>6} {} <- {}", self.entry, story::moment(self.wall), self.came)];
        lines.extend(self.said.iter().map(|said| format!("{:>6}   -> {said}", "")));
        if !self.wrote.is_empty() {
            lines.push(format!("{:>6}    = {}", "", counted(&self.wrote)));
        }
        lines
    }
}

/// Runs a recording.
pub fn replay(recording: Recording) -> Result<Retold, Malformed> {
    let (header, rows, entries) = (recording.header.clone(), recording.rows.len(), recording.entries.len());
    let mut turns = Vec::new();
    // What panicked is not used again.
    let verdict = match catch_unwind(AssertUnwindSafe(|| Replay::open(recording))) {
        Ok(opened) => run(opened?, &mut turns),
        Err(panic) => Verdict::Stopped { entry: None, why: words(panic.as_ref()) },
    };
    Ok(Retold { header, rows, entries, turns, verdict })
}

fn run(mut replay: Replay, turns: &mut Vec<Turn>) -> Verdict {
    loop {
        let outcome = match catch_unwind(AssertUnwindSafe(|| replay.next())) {
            Ok(Some(outcome)) => outcome,
            Ok(None) => return Verdict::Same,
            Err(panic) => {
                return Verdict::Stopped { entry: Some(turns.len()), why: words(panic.as_ref()) };
            }
        };
        let Outcome { entry, gave, difference } = outcome;
        let Some(taken) = replay.entries().get(entry) else { return Verdict::Same };
        turns.push(Turn::of(entry, taken, &gave));
        match (&taken.gave, difference) {
            (Some(recorded), Some(difference)) => {
                let (recorded, now) = (Box::new(recorded.clone()), Box::new(gave));
                return Verdict::Differs { entry, difference, recorded, now };
            }
            (None, _) => return Verdict::Survived { entry },
            (Some(_), None) => {}
        }
    }
}

/// What came, in a line.
fn came(came: &Came) -> String {
    match came {
        Came::PeerUp(at) => format!("line up to {at}"),
        Came::PeerDown(hall) => format!("line down to {hall}"),
        Came::Frame { from, frame, .. } => match Message::decode(frame.as_bytes()) {
            Ok(message) => format!("{from} {}", spoken(&message)),
            Err(_) => format!("{from} {} bytes that are no message", frame.len()),
        },
        Came::Command { ticket, wish } => format!("command {} {}", ticket.0, wish.word()),
        Came::Wake => "wake".to_owned(),
    }
}

fn spoken(message: &Message) -> String {
    let Message::Letter(letter) = message else { return message.word().to_owned() };
    format!("letter {} from {} for {}", letter.body.word(), letter.from, letter.to)
}

/// Words in the order in which they first come, with how often each comes.
fn counted(words: &[&str]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for word in words {
        match counts.iter_mut().find(|(known, _)| known == word) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => counts.push((word, 1)),
        }
    }
    let said = counts
        .iter()
        .map(|(word, count)| if *count > 1 { format!("{word} x{count}") } else { (*word).to_owned() });
    said.collect::<Vec<_>>().join(", ")
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text =
        panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("it did not say why").to_owned()
}

/// How long the recording lasted by the recorded wall clock, in milliseconds.
pub fn lasted(header: &Header, turns: &[Turn]) -> u64 {
    let Clocks { wall, .. } = header.begun;
    turns.last().map_or(0, |last| last.wall.saturating_sub(wall))
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "a test with a few seconds in it")]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;

    use hallmesh_protocol::ids::HallAt;
    use hallmesh_protocol::message::{PROTOCOL, Roots};
    use hallmesh_protocol::node::{Me, Node};
    use hallmesh_protocol::recording::{Frame, Recorder};
    use hallmesh_protocol::seal::{SecretKey, Suite};
    use hallmesh_protocol::step::{Effects, Input, Now};
    use hallmesh_protocol::verify;

    use super::*;
    use crate::clock::FOUNDED;
    use crate::disk::Disk;

    fn at(code: &str) -> HallAt {
        HallAt { hall: code.parse().unwrap(), incarnation: 1 }
    }

    /// A hall that knows nobody hears a neighbour greet, and waits for a minute.
    fn recorded() -> Recording {
        let mut disk = Disk::new(Arc::default());
        let (me, other) = (at("620702001000-00"), at("620702000000-00"));
        let now = |seconds: u64| Now { ticks: seconds * 1_000, wall: FOUNDED + seconds * 1_000 };
        let key = SecretKey::from_seed(Suite::Toy, [1; 32]);
        let mut node = Node::open(Me { at: me, boot: 1, key }, [2; 32], now(0), &disk);
        let mut recorder = Recorder::new(1_000, &node, now(0));
        let roots = Roots { directory: [1; 32], lists: [1; 32] };
        let (protocol, protocol_min) = (PROTOCOL, PROTOCOL);
        let hello =
            Message::Hello { protocol, protocol_min, at: other, boot: 9, roots, wall: 0, please: true };
        let frame =
            |recorder: &Recorder| Frame { bytes: hello.encode().into(), checked_at: recorder.commits() };
        let mut seconds = 0;
        for turn in 0..5_u64 {
            let input = match turn {
                0 => (Input::PeerUp(other), None),
                1 => {
                    let message = verify::message(&disk, me.hall, hello.clone()).unwrap();
                    (Input::Received { from: other.hall, message }, Some(frame(&recorder)))
                }
                _later => (Input::Wake, None),
            };
            seconds += turn * 10;
            let mut effects = Effects::default();
            recorder.begin_batch(&node, now(seconds));
            recorder.step(&mut node, now(seconds), input, &disk, &mut effects);
            recorder.committing(&effects, &disk);
            effects
                .commit(|writes| {
                    disk.commit(writes);
                    Ok::<_, Infallible>(())
                })
                .unwrap();
            recorder.committed();
        }
        recorder.refused(
            now(seconds),
            other.hall,
            Frame { bytes: vec![0].into(), checked_at: 5 },
            "version 0 is not read by this build",
        );
        Recording::decode(&recorder.file()).unwrap()
    }

    #[test]
    fn a_recording_is_told_and_gives_the_same() {
        let retold = replay(recorded()).unwrap();
        assert_eq!((retold.verdict.exit_code(), retold.entries, retold.turns.len()), (0, 6, 6));
        assert_eq!(retold.turns[1].came, "620702000000-00 hello");
        assert!(
            retold.turns[1].said.contains(&"send 620702000000-00 hello".to_owned()),
            "{:?}",
            retold.turns[1]
        );
        let refusals: Vec<_> = retold.turns.iter().filter(|turn| turn.is_refusal()).collect();
        assert_eq!(refusals.len(), 1);
        assert_eq!(refusals[0].came, "620702000000-00 1 bytes that are no message");
        assert_eq!(lasted(&retold.header, &retold.turns), 100_000);
        let lines = retold.turns[0].lines();
        assert_eq!(lines[0], "     0 2026-11-24 08:00:00.000 <- line up to 620702000000-00#1");
        assert_eq!(lines.len(), 1 + retold.turns[0].said.len());
    }

    #[test]
    fn the_first_entry_that_differs_is_named() {
        let mut changed = recorded();
        changed.entries[2].now.ticks += 60_000;
        let verdict = replay(changed).unwrap().verdict;
        assert_eq!((verdict.entry(), verdict.exit_code(), verdict.word()), (Some(2), 83, "differs"));
    }

    #[test]
    fn an_entry_that_the_recorded_node_did_not_survive_is_looked_at() {
        let mut last = recorded();
        last.entries.truncate(2);
        last.entries[1].gave = None;
        let verdict = replay(last).unwrap().verdict;
        assert_eq!((verdict.clone(), verdict.exit_code()), (Verdict::Survived { entry: 1 }, 83));
    }

    #[test]
    fn a_core_that_stops_itself_is_caught_at_the_entry() {
        let mut damaged = recorded();
        // The node reads the roots of what it holds when it greets.
        let row = |key: Vec<u8>| (key, vec![255; 7].into());
        damaged.rows.extend((0..=255_u8).flat_map(|space| [row(vec![0x12, space]), row(vec![0x15, space])]));
        let retold = replay(damaged).unwrap();
        assert!(
            matches!(&retold.verdict, Verdict::Stopped { entry: Some(0), why } if why.contains("decodes")),
            "{:?}",
            retold.verdict
        );
        assert_eq!(retold.verdict.exit_code(), 79);
    }

    #[test]
    fn rows_are_counted_by_table() {
        assert_eq!(counted(&["event", "case", "tally", "event"]), "event x2, case, tally");
    }
}
