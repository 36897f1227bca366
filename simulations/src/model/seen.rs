//! The states that were reached, found again by hashing, each with the one it was reached from.

use hallmesh_protocol::cases::Deed;

use super::halls::{KeptId, NewsId};
use super::letters::{LetterId, Letters};
use super::setting::{Closing, SEATS, Seat};

/// A state's number, in the order in which states were reached.
pub(super) type StateId = u32;

/// No number.
pub(super) const NONE: u32 = u32::MAX;

/// Where a machine stands that was replaced and goes on working all the same.
pub(super) const REPLACED: Seat = SEATS;

/// What all halls have kept, and which mishaps were used up: a state without the letters under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Scene {
    /// What each hall has kept, and last a machine that was replaced, or `NONE`. Of a hall whose disk is lost for ever,
    /// what it had kept last.
    pub(super) kept: [KeptId; SEATS + 1],
    /// A copy of a disk, or `NONE`.
    pub(super) backup: KeptId,
    /// What the disk held of which a copy was put back, until somebody has shown that; or `NONE`.
    pub(super) forgotten: KeptId,
    /// The last event that a life which has ended had told people to be on two disks, or `NONE`.
    pub(super) vow: u32,
    /// What the lives that have ended had kept last of the log: what they may still be heard to say.
    pub(super) last_words: u32,
    /// How many lives of each hall began after its first.
    pub(super) lives: [u8; SEATS],
    /// How each hall was closed, if it was.
    pub(super) closed: [Closed; SEATS],
    /// A bit for each hall whose disk is lost for ever, or that was closed.
    pub(super) gone: u8,
    /// A bit for each hall that was put back to an old disk.
    pub(super) put_back: u8,
    pub(super) losses: u8,
    pub(super) restores: u8,
    pub(super) silences: u8,
    pub(super) hasty: u8,
}

/// Whether a hall was closed, and who goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Closed {
    /// It was not.
    #[default]
    No,
    /// Nobody was ruled to go on.
    ForNobody,
    /// This hall was.
    For(u8),
}

impl Closed {
    /// As a closing has it.
    pub(super) fn to(heir: Option<Seat>) -> Self {
        heir.map_or(Self::ForNobody, |heir| Self::For(u8::try_from(heir).unwrap_or(u8::MAX)))
    }

    fn word(self) -> u32 {
        match self {
            Self::No => 0,
            Self::ForNobody => 1,
            Self::For(heir) => u32::from(heir).saturating_add(2),
        }
    }
}

impl Scene {
    /// A scene in which nothing has gone wrong, and nobody has kept anything yet.
    pub(super) const FIRST: Self = Self {
        kept: [NONE; SEATS + 1],
        backup: NONE,
        forgotten: NONE,
        vow: NONE,
        last_words: 0,
        lives: [0; SEATS],
        closed: [Closed::No; SEATS],
        gone: 0,
        put_back: 0,
        losses: 0,
        restores: 0,
        silences: 0,
        hasty: 0,
    };

    pub(super) fn is_gone(&self, seat: Seat) -> bool {
        self.gone & bit(seat) != 0
    }

    pub(super) fn lose(&mut self, seat: Seat) {
        self.gone |= bit(seat);
    }

    /// Whether a hall was put back and has met nobody yet.
    pub(super) fn is_alone(&self, seat: Seat) -> bool {
        self.forgotten != NONE && self.was_put_back(seat)
    }

    pub(super) fn was_put_back(&self, seat: Seat) -> bool {
        self.put_back & bit(seat) != 0
    }

    pub(super) fn put_back(&mut self, seat: Seat) {
        self.put_back |= bit(seat);
    }

    /// How many lives of a hall began after its first.
    pub(super) fn later_lives(&self, seat: Seat) -> u8 {
        self.lives.get(seat).copied().unwrap_or_default()
    }

    /// How many lives began after the first ones.
    pub(super) fn rebirths(&self) -> u8 {
        self.lives.iter().fold(0, |sum: u8, lives| sum.saturating_add(*lives))
    }

    /// How many lives ended: others began, or the hall was closed.
    pub(super) fn ended_lives(&self) -> u8 {
        let closed = self.closed.iter().filter(|closed| **closed != Closed::No).count();
        self.rebirths().saturating_add(u8::try_from(closed).unwrap_or(u8::MAX))
    }

    /// How a hall was closed, if it was.
    pub(super) fn closed(&self, seat: Seat) -> Closed {
        self.closed.get(seat).copied().unwrap_or_default()
    }

    /// Closes a hall.
    pub(super) fn close(&mut self, seat: Seat, how: Closed) {
        if let Some(place) = self.closed.get_mut(seat) {
            *place = how;
        }
        self.lose(seat);
    }

    pub(super) fn begin_life(&mut self, seat: Seat) {
        if let Some(lives) = self.lives.get_mut(seat) {
            *lives = lives.saturating_add(1);
        }
    }

    pub(super) fn kept(&self, seat: Seat) -> KeptId {
        self.kept.get(seat).copied().unwrap_or(NONE)
    }

    pub(super) fn put(&mut self, seat: Seat, kept: KeptId) {
        if let Some(place) = self.kept.get_mut(seat) {
            *place = kept;
        }
    }

    fn hash(&self) -> usize {
        let used = [self.gone, self.put_back, self.losses, self.restores, self.silences, self.hasty];
        let bytes = used.into_iter().chain(self.lives).map(u32::from);
        let bytes = bytes.chain(self.closed.into_iter().map(Closed::word));
        let words = self
            .kept
            .into_iter()
            .chain([self.backup, self.forgotten, self.vow, self.last_words])
            .chain(bytes);
        let hash = words.fold(0_u64, |hash, word| {
            (hash.rotate_left(23) ^ u64::from(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        });
        usize::try_from(hash ^ (hash >> 31)).unwrap_or_default()
    }
}

fn bit(seat: Seat) -> u8 {
    1_u8.checked_shl(u32::try_from(seat).unwrap_or(u32::MAX)).unwrap_or(0)
}

/// How a transition ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Committed and sent.
    Done,
    /// Committed; a crash came before anything was sent.
    Unsent,
    /// Sent; a crash came before the commit. Only where the environment is bent.
    Unkept,
}

/// How a state was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// It is the first one.
    Start,
    /// A letter was delivered.
    Letter(LetterId, End),
    /// A clerk acted.
    Deed(Seat, Deed, End),
    /// A hall started and sent what waits.
    Wake(Seat),
    /// A hall learned what the directory says of lives.
    News(Seat, NewsId),
    /// A disk was lost for ever.
    Loss(Seat),
    /// A disk was lost, and the hall's next life began.
    Rebirth(Seat),
    /// A hall was closed.
    Closing(Closing),
    /// Days went by at a hall that heard nothing of a mirror of its.
    Silence(Seat),
    /// A copy of a disk was made.
    Backup(Seat),
    /// A hall began anew from the copy of its disk.
    Restore(Seat),
    /// It was shown how far its own log had come.
    Shown(Seat),
}

/// A state, and how it was reached.
#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    pub(super) scene: Scene,
    /// The letters under way. None is ever taken out: it may be delivered again.
    pub(super) letters: Letters,
    pub(super) before: StateId,
    pub(super) by: By,
    /// Another state of the same scene.
    other: StateId,
}

impl State {
    pub(super) fn new(scene: Scene, letters: Letters, before: StateId, by: By) -> Self {
        Self { scene, letters, before, by, other: NONE }
    }
}

/// What became of a state that was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// It, or one in which more letters are under way, was seen before.
    Known,
    /// New; no state of its scene was seen before.
    NewScene(StateId),
    /// New, of a scene that was seen before.
    NewLetters(StateId),
}

/// When two states of one scene count as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Merge {
    /// Only with the very same letters under way.
    Exact,
    /// If one has no letters that the other one has not.
    Within,
    /// Always: all letters of both are under way. More can happen then than does; nothing less.
    Joined,
}

/// Every state that was reached.
#[derive(Debug)]
pub(super) struct Seen {
    states: Vec<State>,
    /// For each hash the newest state of a scene, or `NONE`.
    slots: Vec<StateId>,
    scenes: usize,
    merge: Merge,
}

impl Seen {
    pub(super) fn new(merge: Merge) -> Self {
        Self { states: Vec::new(), slots: vec![NONE; 1 << 12], scenes: 0, merge }
    }

    /// Whether another state was reached in which all can happen that can in this one.
    pub(super) fn is_outdone(&self, id: StateId) -> bool {
        let newest = |state: &State| self.slots.get(self.slot(&state.scene)).copied();
        self.merge == Merge::Joined && self.state(id).and_then(newest) != Some(id)
    }

    pub(super) fn state(&self, id: StateId) -> Option<&State> {
        self.states.get(usize::try_from(id).ok()?)
    }

    pub(super) fn len(&self) -> usize {
        self.states.len()
    }

    pub(super) fn scenes(&self) -> usize {
        self.scenes
    }

    /// Shows a state. Where more letters are under way more can happen, and whatever can happen with fewer: one that
    /// has no more letters than another of its scene needs no look.
    pub(super) fn show(&mut self, state: &State) -> Shown {
        let mut state = *state;
        let slot = self.slot(&state.scene);
        let newest = self.slots.get(slot).copied().unwrap_or(NONE);
        let mut other = self.state(newest);
        while let Some(seen) = other {
            let known = match self.merge {
                Merge::Exact => state.letters == seen.letters,
                Merge::Within | Merge::Joined => state.letters.within(&seen.letters),
            };
            if known {
                return Shown::Known;
            }
            if self.merge == Merge::Joined {
                state.letters.join(&seen.letters);
            }
            other = self.state(seen.other);
        }
        let id = StateId::try_from(self.states.len()).unwrap_or(NONE);
        state.other = newest;
        self.states.push(state);
        self.scenes = self.scenes.saturating_add(usize::from(newest == NONE));
        if let Some(slot) = self.slots.get_mut(slot) {
            *slot = id;
        }
        if self.scenes > self.slots.len() / 2 {
            self.grow();
        }
        if newest == NONE { Shown::NewScene(id) } else { Shown::NewLetters(id) }
    }

    /// The states on the way to one, the first one first.
    pub(super) fn way(&self, id: StateId) -> Vec<State> {
        let states = std::iter::successors(self.state(id), |state| self.state(state.before));
        let mut way: Vec<State> = states.copied().collect();
        way.reverse();
        way
    }

    /// Every scene, once.
    #[cfg(test)]
    pub(super) fn all_scenes(&self) -> std::collections::BTreeSet<Scene> {
        self.states.iter().map(|state| state.scene).collect()
    }

    /// The slot of a scene, or a free one.
    fn slot(&self, scene: &Scene) -> usize {
        let last = self.slots.len().saturating_sub(1);
        let mut slot = scene.hash() & last;
        while let Some(id) = self.slots.get(slot).filter(|id| **id != NONE) {
            if self.state(*id).is_some_and(|state| state.scene == *scene) {
                return slot;
            }
            slot = slot.wrapping_add(1) & last;
        }
        slot
    }

    fn grow(&mut self) {
        let newest: Vec<StateId> = self.slots.iter().copied().filter(|id| *id != NONE).collect();
        self.slots = vec![NONE; self.slots.len().saturating_mul(2)];
        for id in newest {
            let Some(scene) = self.state(id).map(|state| state.scene) else { continue };
            let slot = self.slot(&scene);
            if let Some(slot) = self.slots.get_mut(slot) {
                *slot = id;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(kept: KeptId, letters: &[LetterId]) -> State {
        let mut set = Letters::default();
        for letter in letters {
            set.add(*letter);
        }
        let scene = Scene { kept: [kept; SEATS + 1], ..Scene::FIRST };
        State::new(scene, set, NONE, By::Start)
    }

    #[test]
    fn a_state_with_no_more_letters_is_known() {
        let mut seen = Seen::new(Merge::Within);
        assert_eq!(seen.show(&state(1, &[1, 2])), Shown::NewScene(0));
        assert_eq!(seen.show(&state(1, &[2])), Shown::Known);
        assert_eq!(seen.show(&state(1, &[2, 3])), Shown::NewLetters(1));
        assert_eq!(seen.show(&state(2, &[2])), Shown::NewScene(2));
        assert_eq!(seen.show(&state(1, &[1])), Shown::Known);
        let mut joined = Seen::new(Merge::Joined);
        assert_eq!(joined.show(&state(1, &[1, 2])), Shown::NewScene(0));
        assert_eq!(joined.show(&state(1, &[3])), Shown::NewLetters(1));
        assert_eq!(joined.show(&state(1, &[1, 3])), Shown::Known);
        assert!(joined.is_outdone(0) && !joined.is_outdone(1));
        let mut exact = Seen::new(Merge::Exact);
        assert_eq!(exact.show(&state(1, &[1, 2])), Shown::NewScene(0));
        assert_eq!(exact.show(&state(1, &[2])), Shown::NewLetters(1));
    }

    #[test]
    fn many_scenes_are_found_again() {
        let mut seen = Seen::new(Merge::Within);
        assert!((0..20_000).all(|kept| seen.show(&state(kept, &[])) == Shown::NewScene(kept)));
        assert!((0..20_000).all(|kept| seen.show(&state(kept, &[])) == Shown::Known));
        assert_eq!((seen.len(), seen.scenes()), (20_000, 20_000));
    }
}
