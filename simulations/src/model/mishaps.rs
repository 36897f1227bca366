//! What goes wrong: disks lost for ever, lives that end and are followed by others, disks put back.

use hallmesh_protocol::cases::{Grade, Stage};

use super::explore::{Explorer, Next, after};
use super::promises::{accounts, stage};
use super::seen::{By, Closed, NONE, REPLACED, Scene, State};
use super::setting::{Closing, Seat, Shown};

/// More logs than one exploration has.
const LOGS_MAX: u32 = 1 << 14;

impl Explorer {
    /// Every mishap that can befall a hall in a state.
    pub(super) fn mishaps(&mut self, next: &mut Vec<Next>, state: &State, seat: Seat) -> anyhow::Result<()> {
        let (mishaps, before) = (self.setting.mishaps, state.scene);
        if before.losses < mishaps.losses && mishaps.may_lose.contains(&seat) {
            let mut scene = Scene { losses: before.losses.saturating_add(1), ..before };
            scene.lose(seat);
            next.push((By::Loss(seat), scene, state.letters));
        }
        self.ended(next, state, seat)?;
        if before.restores < mishaps.restores && mishaps.may_be_restored.contains(&seat) {
            self.restore(next, state, seat)?;
        }
        Ok(())
    }

    /// Days in which a hall, or a machine that was replaced, hears nothing of a mirror of its.
    pub(super) fn silence(&mut self, next: &mut Vec<Next>, state: &State, seat: Seat) -> anyhow::Result<()> {
        let kept = state.scene.kept(seat);
        if state.scene.silences < self.setting.mishaps.silences {
            let step = self.halls.silence(kept)?;
            if step.kept != kept {
                let (by, mut scene, letters) = after(state, seat, By::Silence(seat), step);
                scene.silences = scene.silences.saturating_add(1);
                next.push((by, scene, letters));
            }
        }
        Ok(())
    }

    /// The ways in which the life of a hall can end.
    fn ended(&mut self, next: &mut Vec<Next>, state: &State, seat: Seat) -> anyhow::Result<()> {
        let (mishaps, before) = (self.setting.mishaps, state.scene);
        let reborn = before.rebirths() < mishaps.rebirths && mishaps.may_be_reborn.contains(&seat);
        let closed = before.ended_lives().saturating_sub(before.rebirths()) < mishaps.closings
            && before.later_lives(seat) == 0
            && mishaps.may_be_closed.iter().any(|closing| closing.seat == seat);
        let (least, most) = mishaps.keeps;
        let keeps = (least..=most).contains(&self.halls.kept(before.kept(seat))?.said.log.len());
        if !keeps || (!reborn && !closed) {
            return Ok(());
        }
        let recovered = before.ended_lives() == 0 || self.has_recovered(&before)?;
        if !recovered && mishaps.in_turn {
            return Ok(());
        }
        if reborn {
            let scene = self.reborn(&before, seat, recovered)?;
            next.push((By::Rebirth(seat), scene, state.letters));
        }
        for closing in mishaps.may_be_closed.iter().filter(|closing| closed && closing.seat == seat) {
            // Nobody is ruled to go on who is closed himself.
            if closing.heir.is_none_or(|heir| before.closed(heir) == Closed::No) {
                let scene = self.closed(&before, *closing, recovered)?;
                next.push((By::Closing(*closing), scene, state.letters));
            }
        }
        Ok(())
    }

    /// The life of a hall ends, and its next one begins. That it begins at once leaves nothing out: it does nothing
    /// before it hears something, and the others learn of it whenever they do.
    fn reborn(&mut self, before: &Scene, seat: Seat, recovered: bool) -> anyhow::Result<Scene> {
        let mut scene = self.without(before, seat, recovered)?;
        scene.begin_life(seat);
        let later = scene.later_lives(seat);
        scene.put(seat, self.halls.newborn(seat, later)?);
        Ok(scene)
    }

    /// The life of a hall ends, and no other one begins. That a hall above says so at once leaves nothing out, likewise.
    fn closed(&mut self, before: &Scene, closing: Closing, recovered: bool) -> anyhow::Result<Scene> {
        let Closing { seat, heir } = closing;
        let mut scene = self.without(before, seat, recovered)?;
        scene.close(seat, Closed::to(heir));
        scene.put(seat, self.halls.newborn(seat, 0)?);
        Ok(scene)
    }

    /// A scene in which the life of a hall is over.
    fn without(&self, before: &Scene, seat: Seat, recovered: bool) -> anyhow::Result<Scene> {
        let mut scene = *before;
        let last = &self.halls.kept(before.kept(seat))?.said;
        let promised = last
            .custody
            .filter(|it| it.grade == Grade::D2 && matches!(it.stage, Stage::Custodian | Stage::Handing));
        // Where losses overlap nothing is promised.
        scene.vow = promised.and(last.log.last()).copied().unwrap_or(before.vow);
        if !recovered {
            scene.vow = NONE;
        }
        let log = u32::try_from(last.log_id)?.saturating_add(1);
        scene.last_words = before.last_words.saturating_mul(LOGS_MAX).saturating_add(log);
        if self.setting.mishaps.goes_on {
            scene.put(REPLACED, before.kept(seat));
        }
        Ok(scene)
    }

    /// Whether the city has got over the last loss: everybody knows of every life, and the case is in one hand and on
    /// two disks, with mirrors that live.
    pub(super) fn has_recovered(&self, scene: &Scene) -> anyhow::Result<bool> {
        let accounts = accounts(&self.halls, scene)?;
        let halls = || accounts.iter().take(self.halls.at.len()).enumerate();
        let present = || halls().filter(|(seat, _)| !scene.is_gone(*seat)).map(|(_, account)| account);
        for (seat, account) in halls().filter(|(seat, _)| !scene.is_gone(*seat)) {
            if account.knows.len() < self.halls.stated(scene, seat)?.len() {
                return Ok(false);
            }
        }
        let between = |stage| matches!(stage, Stage::Handing | Stage::Holder | Stage::Recovering);
        let rests = !present().any(|account| between(stage(account)));
        let safe = present().any(|account| {
            let mirrors = account.case.as_ref().map(|case| case.mirrors).unwrap_or_default();
            let live = mirrors.iter().flatten().all(|at| !self.halls.has_ended(scene, *at));
            let second = account.custody.is_some_and(|custody| custody.grade == Grade::D2);
            stage(account) == Stage::Custodian && second && live
        });
        Ok(rests && safe)
    }

    fn restore(&mut self, next: &mut Vec<Next>, state: &State, seat: Seat) -> anyhow::Result<()> {
        let before = state.scene;
        if before.backup == NONE {
            next.push((By::Backup(seat), Scene { backup: before.kept(seat), ..before }, state.letters));
            return Ok(());
        }
        let (then, now) = (self.halls.kept(before.backup)?, self.halls.kept(before.kept(seat))?);
        if then.said.at != now.said.at || before.backup == before.kept(seat) {
            return Ok(());
        }
        let mut kept = self.halls.begun_anew(before.backup, before.kept(seat))?;
        let mut scene = Scene { restores: before.restores.saturating_add(1), backup: NONE, ..before };
        match self.setting.mishaps.shown {
            Shown::AtOnce => kept = self.halls.shown(kept, before.kept(seat))?,
            Shown::Later => scene.forgotten = before.kept(seat),
            Shown::Never => {}
        }
        scene.put_back(seat);
        scene.put(seat, kept);
        next.push((By::Restore(seat), scene, state.letters));
        Ok(())
    }

    /// What can happen to a hall that was put back and has met nobody yet: its clerks work, nothing of it gets out.
    pub(super) fn alone(&mut self, next: &mut Vec<Next>, state: &State, seat: Seat) -> anyhow::Result<()> {
        let (scene, kept) = (state.scene, state.scene.kept(seat));
        for (deed, step) in self.halls.acts(kept)? {
            let mut after = scene;
            after.put(seat, step.kept);
            next.push((By::Deed(seat, deed, super::seen::End::Unsent), after, state.letters));
        }
        let kept = self.halls.shown(kept, scene.forgotten)?;
        let mut after = Scene { forgotten: NONE, ..scene };
        after.put(seat, kept);
        next.push((By::Shown(seat), after, state.letters));
        Ok(())
    }
}
