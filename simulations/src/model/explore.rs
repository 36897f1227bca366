//! Breadth first through every state: what can happen in each, and whether the promises hold there.

use anyhow::Context as _;

use super::halls::{Halls, Step};
use super::letters::Letters;
use super::promises::{self, Broken, Promise};
use super::rest::Rest;
use super::seen::{self, By, End, Merge, NONE, REPLACED, Scene, Seen, State, StateId};
use super::setting::{Bend, Seat, Setting, Shown};
use super::story;

/// What an exploration came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Every promise holds in every state.
    Nothing,
    /// A promise is broken, as the shortest story tells.
    Broken(Promise, String, Vec<String>),
    /// There are more states than were asked for.
    TooMany,
}

/// What can happen next: how, the scene after it, what is under way after it.
pub(super) type Next = (By, Scene, Letters);

/// An exploration.
#[derive(Debug)]
pub(super) struct Explorer {
    pub(super) halls: Halls,
    pub(super) seen: Seen,
    pub(super) transitions: u64,
    pub(super) setting: Setting,
    pub(super) rest: Rest,
    /// What is known to be broken in some states: how many there are, and the first story of one.
    pub(super) excepted: (usize, Option<Found>),
    /// Letters that are spent do not tell states apart.
    leaves_out: bool,
}

impl Explorer {
    /// An exploration that has yet to begin; `leaves_out` lets it leave out spent letters where that is sound.
    pub(super) fn new(setting: &Setting, leaves_out: bool, merge: Merge) -> anyhow::Result<Self> {
        Ok(Self {
            halls: Halls::found(setting)?,
            seen: Seen::new(if setting.plain { Merge::Exact } else { merge }),
            transitions: 0,
            setting: *setting,
            // A hall that is put back, or keeps nothing, may need them again; and so may a machine that was replaced.
            leaves_out: leaves_out
                && !setting.plain
                && setting.bend.is_none()
                && !setting.mishaps.goes_on
                && setting.mishaps.restores == 0,
            rest: Rest::default(),
            excepted: (0, None),
        })
    }

    /// Explores until a promise is broken, everything was seen, or there are more states than asked for.
    pub(super) fn run(&mut self, states_max: usize) -> anyhow::Result<Found> {
        let (scene, letters) = self.first()?;
        if let Some(found) = self.show(&State::new(scene, letters, NONE, By::Start))? {
            return Ok(found);
        }
        for id in 0..NONE {
            let Some(state) = self.seen.state(id).copied() else { return Ok(Found::Nothing) };
            if self.seen.len() > states_max {
                return Ok(Found::TooMany);
            }
            if self.seen.is_outdone(id) {
                continue;
            }
            if let Some(found) = self.look(id, &state)? {
                return Ok(found);
            }
        }
        Ok(Found::TooMany)
    }

    /// How many steps the longest of all shortest stories has.
    pub(super) fn depth(&self) -> usize {
        let last = StateId::try_from(self.seen.len()).unwrap_or(NONE).saturating_sub(1);
        self.seen.way(last).len().saturating_sub(1)
    }

    /// Goes wherever a state leads.
    fn look(&mut self, id: StateId, state: &State) -> anyhow::Result<Option<Found>> {
        let all = self.what_next(state)?;
        for seat in self.working(&state.scene) {
            let kept = self.halls.kept(state.scene.kept(seat))?;
            if let Some(letter) = kept.hidden.both(&state.letters).iter().next() {
                let how = format!("{} shows nothing of what comes late", self.halls.name(kept.seat));
                let last = (By::Letter(letter, End::Done), state.scene, state.letters);
                return self.story(id, Some(last), (Promise::Shown, how)).map(Some);
            }
        }
        for next in all {
            self.transitions = self.transitions.saturating_add(1);
            if let Some(found) = self.go(id, state, next)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Goes on from a state, and checks the way as well as where it leads.
    fn go(&mut self, id: StateId, state: &State, next: Next) -> anyhow::Result<Option<Found>> {
        let (by, scene, letters) = next;
        let letters = self.settle(&scene, letters)?;
        let new = letters.without(&state.letters);
        let mut broken = self.backwards(&state.scene, &scene, by)?;
        if broken.is_none() {
            broken = promises::broken_word(&self.halls, &scene, &new)?;
        }
        if let Some(broken) = broken {
            return self.story(id, Some(next), broken).map(Some);
        }
        let letters = self.without_spent(&state.scene, &scene, letters)?;
        self.show(&State::new(scene, letters, id, by))
    }

    fn first(&mut self) -> anyhow::Result<(Scene, Letters)> {
        let mut scene = Scene::FIRST;
        let mut letters = Letters::default();
        for (seat, step) in self.halls.first_morning()?.into_iter().enumerate() {
            scene.put(seat, step.kept);
            letters.join(&step.sent);
        }
        let letters = self.settle(&scene, letters)?;
        let letters = self.without_spent(&scene, &scene, letters)?;
        Ok((scene, letters))
    }

    /// Notes a state, if it is new, and checks it.
    fn show(&mut self, state: &State) -> anyhow::Result<Option<Found>> {
        let (id, new_scene) = match self.seen.show(state) {
            seen::Shown::Known => return Ok(None),
            seen::Shown::NewScene(id) => (id, true),
            seen::Shown::NewLetters(id) => (id, false),
        };
        let mut broken = promises::broken(&self.halls, &state.scene, &state.letters)?;
        // Where what a hall has forgotten was heard by nobody, or nothing is durable, some cases wait for ever.
        let unheard = self.setting.mishaps.shown == Shown::Never && state.scene.restores > 0;
        if broken.is_none() && new_scene && !unheard && state.scene.hasty == 0 {
            let how = self.rest.broken(&mut self.halls, &state.scene)?;
            broken = how.map(|how| (Promise::ComesToRest, how));
        }
        let Some(broken) = broken else { return Ok(None) };
        if self.setting.except != Some(broken.0) {
            return self.story(id, None, broken).map(Some);
        }
        if self.excepted.1.is_none() {
            self.excepted.1 = Some(self.story(id, None, broken)?);
        }
        self.excepted.0 = self.excepted.0.saturating_add(1);
        Ok(None)
    }

    fn story(&mut self, id: StateId, last: Option<Next>, (promise, how): Broken) -> anyhow::Result<Found> {
        let mut way = self.seen.way(id);
        way.extend(last.map(|(by, scene, letters)| State::new(scene, letters, id, by)));
        let mut lines = story::tell(&self.halls, &way)?;
        if promise == Promise::ComesToRest {
            let scene = way.last().context("a story has states")?.scene;
            lines.push("from here on nothing goes wrong".to_owned());
            lines.extend(story::tell_rest(&mut self.halls, scene)?);
        }
        Ok(Found::Broken(promise, how, lines))
    }

    fn backwards(&self, before: &Scene, after: &Scene, by: By) -> anyhow::Result<Option<Broken>> {
        if matches!(by, By::Restore(_) | By::Rebirth(_) | By::Closing(_)) {
            return Ok(None);
        }
        let changed = (0..=REPLACED).filter(|seat| before.kept(*seat) != after.kept(*seat));
        for seat in changed {
            let (before, after) = (self.halls.kept(before.kept(seat))?, self.halls.kept(after.kept(seat))?);
            if let Some((promise, how)) = promises::backwards(&before.said, &after.said) {
                return Ok(Some((promise, format!("{}: {how}", self.halls.name(before.seat)))));
            }
        }
        Ok(None)
    }

    /// What is under way once every hall that is there has sent what waits, and has answered what changes nothing in
    /// it. All of this costs nothing and can be lost: no state is missed by doing it at once.
    fn settle(&mut self, scene: &Scene, mut letters: Letters) -> anyhow::Result<Letters> {
        if self.setting.plain {
            return Ok(letters);
        }
        loop {
            let before = letters;
            for seat in self.working(scene) {
                let kept = scene.kept(seat);
                let woken = Some(self.halls.wake(kept)?).filter(|step| step.kept == kept);
                letters.join(&woken.map(|step| step.sent).unwrap_or_default());
                letters.join(&self.halls.talk(kept, &letters)?);
            }
            if letters == before {
                return Ok(letters);
            }
        }
    }

    /// What is under way without the letters of which nothing comes any more.
    fn without_spent(
        &mut self,
        before_lives: &Scene,
        scene: &Scene,
        mut letters: Letters,
    ) -> anyhow::Result<Letters> {
        // A life that is yet to begin may need what the present one does not.
        let mishaps = self.setting.mishaps;
        if !self.leaves_out || scene.ended_lives() < mishaps.rebirths.saturating_add(mishaps.closings) {
            return Ok(letters);
        }
        for seat in 0..self.halls.at.len() {
            let (before, after) = (before_lives.kept(seat), scene.kept(seat));
            let same_life = before_lives.ended_lives() == scene.ended_lives();
            if before != after && same_life {
                self.halls.stay_spent(before, after)?;
            }
            let spent = if scene.is_gone(seat) {
                self.halls.archive.to(seat)
            } else {
                self.halls.spent(after, &letters)?
            };
            letters = letters.without(&spent);
        }
        let questions = self.halls.spent_questions(&scene.kept, &letters)?;
        Ok(letters.without(&questions))
    }

    /// The machines that work and have lines: halls by seat, and one that was replaced.
    fn working(&self, scene: &Scene) -> impl Iterator<Item = Seat> + use<> {
        let (scene, halls) = (*scene, self.halls.at.len());
        let there = move |seat: &Seat| !scene.is_gone(*seat) && !scene.is_alone(*seat);
        (0..halls).filter(there).chain((scene.kept(REPLACED) != NONE).then_some(REPLACED))
    }

    /// Everything that can happen in a state.
    fn what_next(&mut self, state: &State) -> anyhow::Result<Vec<Next>> {
        let mut next = Vec::new();
        for seat in self.working(&state.scene) {
            let kept = state.scene.kept(seat);
            let step = self.halls.wake(kept)?;
            if step.kept != kept || self.setting.plain {
                next.push(after(state, seat, By::Wake(seat), step));
            }
            self.halls.ask(kept, &state.letters)?;
            let heard = self.halls.kept(kept)?.heard(self.setting.plain).both(&state.letters);
            for letter in heard.iter() {
                let step = self.halls.hear(kept, letter)?;
                self.ends(&mut next, state, seat, step, &|end| By::Letter(letter, end))?;
            }
            for (deed, step) in self.halls.acts(kept)? {
                self.ends(&mut next, state, seat, step, &|end| By::Deed(seat, deed, end))?;
            }
            self.lives(&mut next, state, seat)?;
            self.silence(&mut next, state, seat)?;
            if seat != REPLACED {
                self.mishaps(&mut next, state, seat)?;
            }
        }
        for seat in (0..self.halls.at.len()).filter(|seat| state.scene.is_alone(*seat)) {
            self.alone(&mut next, state, seat)?;
        }
        Ok(next)
    }

    /// What a hall learns of lives that begin and end.
    fn lives(&mut self, next: &mut Vec<Next>, state: &State, seat: Seat) -> anyhow::Result<()> {
        let kept = state.scene.kept(seat);
        let hall = self.halls.kept(kept)?.seat;
        for news in self.halls.stated(&state.scene, hall)? {
            if !self.halls.kept(kept)?.said.knows.contains(&news) {
                let step = self.halls.learn(kept, news)?;
                next.push(after(state, seat, By::News(seat, news), step));
            }
        }
        Ok(())
    }

    /// The ways in which a step can end. A crash before the commit leaves everything as it was: no transition. One
    /// after it loses what was to be sent; since fewer letters under way never make more possible, only the plain
    /// exploration goes that way.
    fn ends(
        &mut self,
        next: &mut Vec<Next>,
        state: &State,
        seat: Seat,
        step: Step,
        by: &dyn Fn(End) -> By,
    ) -> anyhow::Result<()> {
        next.push(after(state, seat, by(End::Done), step));
        if self.setting.plain {
            next.push(after(state, seat, by(End::Unsent), Step { sent: Letters::default(), ..step }));
        }
        if self.setting.bend == Some(Bend::Hasty(seat)) && state.scene.hasty == 0 {
            let kept = state.scene.kept(seat);
            let kept = self.halls.begun_anew(kept, kept)?;
            let (by, mut scene, letters) = after(state, seat, by(End::Unkept), Step { kept, ..step });
            scene.hasty = scene.hasty.saturating_add(1);
            next.push((by, scene, letters));
        }
        Ok(())
    }
}

pub(super) fn after(state: &State, seat: Seat, by: By, step: Step) -> Next {
    let (mut scene, mut letters) = (state.scene, state.letters);
    scene.put(seat, step.kept);
    letters.join(&step.sent);
    (by, scene, letters)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::setting::Mishaps;
    use super::super::settings::named;
    use super::*;

    /// What all halls can have kept together.
    fn scenes(setting: &Setting, merge: Merge) -> BTreeSet<Vec<[u8; 32]>> {
        let mut explorer = Explorer::new(setting, true, merge).expect("a city");
        assert_eq!(explorer.run(usize::MAX).expect("an exploration"), Found::Nothing);
        let names = explorer.halls.names();
        let name = |id| names.get(id).copied();
        let seats = explorer.halls.at.len();
        let scenes = explorer.seen.all_scenes();
        scenes.iter().map(|scene| scene.kept.iter().take(seats).filter_map(name).collect()).collect()
    }

    /// What is left out of the states, the explorer does at once, or forgets hides nothing.
    #[test]
    fn the_plain_exploration_reaches_the_same_scenes() {
        let plain = *named("plain").expect("a setting");
        let reduced = Setting { plain: false, ..plain };
        let (all, fewer) = (scenes(&plain, Merge::Exact), scenes(&reduced, Merge::Within));
        assert!(all.len() > 100);
        assert!(
            all == fewer,
            "{} scenes, of which the reduced exploration reaches {}",
            all.len(),
            fewer.len()
        );
    }

    /// Letters that are joined hide nothing, and here they add nothing either.
    #[test]
    fn the_exploration_with_joined_letters_reaches_the_same_scenes() {
        let setting = *named("three-lost-and-back").expect("a setting");
        let mishaps = Mishaps { may_be_reborn: &[2], ..setting.mishaps };
        let of_mirror = Setting { mishaps, ..setting };
        let (apart, joined) = (scenes(&of_mirror, Merge::Within), scenes(&of_mirror, Merge::Joined));
        assert!(apart.len() > 1_000);
        assert!(apart == joined, "{} scenes, {} with joined letters", apart.len(), joined.len());
    }
}
