//! The flight recorder of a running node: the core's own recorder, what the intake has to tell it, and the file
//! that is left behind when the core stops itself.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use hallmesh_protocol::ids::HallId;
use hallmesh_protocol::message::Message;
use hallmesh_protocol::node::Node;
use hallmesh_protocol::recording::{Frame, Held, Noting, Recorder, Seen};
use hallmesh_protocol::step::{Effects, Input, Now, View};
use hallmesh_protocol::verify::{self, Checked};
use hallmesh_protocol::wire::Blob;

use crate::home::files;

/// A frame as it came, kept beside its message while somebody records.
pub(crate) struct Noted {
    pub(crate) bytes: Blob,
    /// After how many commits its check read the rows; not known if one was under way.
    pub(crate) checked_at: Option<u64>,
    pub(crate) seen: Seen,
    /// Why the check refused it.
    pub(crate) refused: Option<String>,
}

/// How many commits there were, for checks that run beside them.
#[derive(Debug, Default)]
pub(crate) struct Commits {
    begun: AtomicU64,
    done: AtomicU64,
}

impl Commits {
    /// Takes a snapshot; says after how many commits it was, if none was under way.
    pub(crate) fn around<T>(&self, snapshot: impl FnOnce() -> T) -> (T, Option<u64>) {
        let done = self.done.load(Ordering::SeqCst);
        let taken = snapshot();
        let begun = self.begun.load(Ordering::SeqCst);
        (taken, (begun == done).then_some(done))
    }

    fn begin(&self, count: u64) {
        self.begun.store(count, Ordering::SeqCst);
    }

    fn end(&self, count: u64) {
        self.begun.store(count, Ordering::SeqCst);
        self.done.store(count, Ordering::SeqCst);
    }
}

/// The recorder, if the settings want one.
pub(crate) struct Tape {
    recorder: Option<Recorder>,
    me: HallId,
    /// Where the recording goes if the core stops itself.
    left_behind: PathBuf,
    /// The core is in a step: if this is still so when the tape goes, the core did not come back.
    stepping: bool,
}

impl Tape {
    /// Keeps at least so many of the last inputs; none at all for 0.
    pub(crate) fn new(inputs: u32, me: HallId, node: &Node, now: Now, left_behind: PathBuf) -> Self {
        let recorder = (inputs > 0).then(|| Recorder::new(inputs.into(), node, now));
        Self { recorder, me, left_behind, stepping: false }
    }

    /// A turn of the loop begins.
    pub(crate) fn begin_batch(&mut self, node: &Node, now: Now) {
        if let Some(recorder) = &mut self.recorder {
            recorder.begin_batch(node, now);
        }
    }

    /// Hands one input to the core.
    pub(crate) fn step(
        &mut self,
        node: &mut Node,
        now: Now,
        input: (Input, Option<Frame>),
        view: &dyn View,
        effects: &mut Effects,
    ) {
        self.stepping = true;
        match &mut self.recorder {
            Some(recorder) => recorder.step(node, now, input, view, effects),
            None => node.step(now, input.0, view, effects),
        }
        self.stepping = false;
    }

    /// The message of a frame, unless its check refuses it. A check that a replay could not repeat, since it read rows
    /// from before the recording or while they changed, is made again.
    pub(crate) fn message(
        &mut self,
        (from, now): (HallId, Now),
        message: Option<Checked>,
        noted: Option<Noted>,
        view: &dyn View,
    ) -> Option<(Checked, Option<Frame>)> {
        let (Some(recorder), Some(mut noted)) = (&mut self.recorder, noted) else {
            return message.map(|message| (message, None));
        };
        let known = noted.checked_at.filter(|at| recorder.knows(*at));
        let mut checked = message.ok_or_else(|| noted.refused.take().unwrap_or_default());
        let checked_at = known.unwrap_or_else(|| {
            let noting = Noting::new(view);
            checked = check(&noting, self.me, noted.bytes.as_bytes());
            noted.seen = noting.seen();
            recorder.commits()
        });
        recorder.absorb(noted.seen);
        let frame = Frame { bytes: noted.bytes, checked_at };
        match checked {
            Ok(message) => Some((message, Some(frame))),
            Err(why) => {
                recorder.refused(now, from, frame, &why);
                None
            }
        }
    }

    /// The batch is about to be committed.
    pub(crate) fn committing(&mut self, effects: &Effects, view: &dyn View, commits: &Commits) {
        if let Some(recorder) = &mut self.recorder {
            recorder.committing(effects, view);
            commits.begin(recorder.commits().saturating_add(1));
        }
    }

    /// The batch was committed.
    pub(crate) fn committed(&mut self, commits: &Commits) {
        if let Some(recorder) = &mut self.recorder {
            commits.end(recorder.committed());
        }
    }

    /// How much is recorded; none if nothing is.
    pub(crate) fn held(&self) -> Option<Held> {
        self.recorder.as_ref().map(Recorder::held)
    }

    /// The file with all that is recorded.
    pub(crate) fn file(&self) -> Option<Vec<u8>> {
        self.recorder.as_ref().map(Recorder::file)
    }
}

impl Drop for Tape {
    /// The core did not come back from a step: what led to it must not be lost with the process.
    fn drop(&mut self) {
        let Some(file) = self.file().filter(|_| self.stepping) else { return };
        let path = self.left_behind.display();
        if let Err(why) = files::write(&self.left_behind, &file) {
            return tracing::error!(%path, ?why, "the core stopped itself; its recording was not written");
        }
        tracing::error!(%path, "the core stopped itself; what led to it is recorded");
    }
}

/// Checks a frame, or says why it is refused, in the words in which a replay says it.
pub(crate) fn check(view: &dyn View, me: HallId, frame: &[u8]) -> Result<Checked, String> {
    let message = Message::decode(frame).map_err(|why| why.to_string())?;
    verify::message(view, me, message).map_err(|why| why.to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use hallmesh_protocol::ids::HallAt;
    use hallmesh_protocol::message::Roots;
    use hallmesh_protocol::node::Me;
    use hallmesh_protocol::recording::{Came, Recording};
    use hallmesh_protocol::seal::{SecretKey, Suite};
    use hallmesh_protocol::step::Bytes;

    use super::*;

    const NOW: Now = Now { ticks: 5, wall: 1_795_482_644_000 };

    /// A store without rows, or one that cannot be read.
    struct Empty {
        readable: bool,
    }

    impl View for Empty {
        fn get(&self, _: &[u8]) -> Option<Bytes> {
            assert!(self.readable, "a row does not decode");
            None
        }

        fn scan(&self, _: &[u8], _: &[u8], _: &mut dyn FnMut(&[u8], &[u8]) -> bool) {}
    }

    fn hall(code: &str) -> HallId {
        code.parse().unwrap()
    }

    fn tape(inputs: u32, path: PathBuf) -> (Tape, Node) {
        let at = HallAt { hall: hall("620702001000-00"), incarnation: 1 };
        let key = SecretKey::from_seed(Suite::One, [1; 32]);
        let node = Node::open(Me { at, boot: 1, key }, [2; 32], NOW, &Empty { readable: true });
        (Tape::new(inputs, at.hall, &node, NOW, path), node)
    }

    fn heartbeat() -> Blob {
        Message::Heartbeat { roots: Roots { directory: [0; 32], lists: [0; 32] }, wall: 0 }.encode().into()
    }

    fn noted(bytes: Blob, checked_at: Option<u64>) -> Noted {
        Noted { bytes, checked_at, seen: BTreeMap::new(), refused: None }
    }

    #[test]
    fn a_core_that_does_not_come_back_leaves_its_recording_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("stopped.hallrec");
        let (mut tape, mut node) = tape(10, path.clone());
        let mut effects = Effects::default();
        tape.step(&mut node, NOW, (Input::Wake, None), &Empty { readable: true }, &mut effects);
        let unreadable = Empty { readable: false };
        let up = Input::PeerUp(HallAt { hall: hall("620702000000-00"), incarnation: 1 });
        let stopped = catch_unwind(AssertUnwindSafe(|| {
            tape.step(&mut node, NOW, (up, None), &unreadable, &mut effects);
        }));
        assert!(stopped.is_err());
        drop(tape);
        let recording = Recording::decode(&std::fs::read(&path).unwrap()).unwrap();
        let gave: Vec<_> = recording.entries.iter().map(|entry| entry.gave.is_some()).collect();
        assert_eq!(gave, [true, false]);
        assert!(matches!(recording.entries[1].came, Came::PeerUp(_)));
    }

    #[test]
    fn one_that_ends_in_good_order_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("stopped.hallrec");
        for inputs in [0, 10] {
            let (mut tape, mut node) = tape(inputs, path.clone());
            let view = Empty { readable: true };
            tape.step(&mut node, NOW, (Input::Wake, None), &view, &mut Effects::default());
            assert_eq!((tape.held().is_some(), tape.file().is_some()), (inputs > 0, inputs > 0));
        }
        assert!(!path.exists());
    }

    #[test]
    fn a_check_that_no_replay_could_repeat_is_made_again() {
        let (mut tape, _node) = tape(10, PathBuf::new());
        let view = Empty { readable: true };
        let from = (hall("620702000000-00"), NOW);
        let at = |found: Option<(Checked, Option<Frame>)>| found.map(|(_, frame)| frame.unwrap().checked_at);
        let checked = || check(&view, from.0, heartbeat().as_bytes()).unwrap();
        // Known; not known; refused then and fine now.
        assert_eq!(
            at(tape.message(from, Some(checked()), Some(noted(heartbeat(), Some(0))), &view)),
            Some(0)
        );
        assert_eq!(at(tape.message(from, Some(checked()), Some(noted(heartbeat(), None)), &view)), Some(0));
        assert_eq!(at(tape.message(from, None, Some(noted(heartbeat(), None)), &view)), Some(0));
        assert_eq!(tape.held().unwrap().inputs, 0);
        // Refused, and recorded as that.
        let refused = Noted { refused: Some("no".to_owned()), ..noted(heartbeat(), Some(0)) };
        assert!(tape.message(from, None, Some(refused), &view).is_none());
        assert!(tape.message(from, None, Some(noted(vec![1].into(), None)), &view).is_none());
        assert_eq!(tape.held().unwrap().inputs, 2);
    }

    #[test]
    fn a_snapshot_beside_a_commit_has_no_number() {
        let commits = Commits::default();
        assert_eq!(commits.around(|| ()).1, Some(0));
        commits.begin(1);
        assert_eq!(commits.around(|| ()).1, None);
        assert_eq!(commits.around(|| commits.end(1)).1, None);
        assert_eq!(commits.around(|| ()).1, Some(1));
        assert_eq!(commits.around(|| commits.begin(2)).1, None);
    }
}
