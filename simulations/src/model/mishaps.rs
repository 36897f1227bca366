//! What goes wrong: disks lost for ever, lives that end and are followed by others, disks put back.

use hallmesh_protocol::cases::{Grade, Stage};

use super::explore::{Explorer, Next};
use super::promises::{accounts, stage};
use super::seen::{By, NONE, REPLACED, Scene, State};
use super::setting::{Seat, Shown};

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
        if before.rebirths() < mishaps.rebirths && mishaps.may_be_reborn.contains(&seat) {
            let recovered = before.rebirths() == 0 || self.has_recovered(&before)?;
            if recovered || !mishaps.in_turn {
                let scene = self.reborn(&before, seat, recovered)?;
                next.push((By::Rebirth(seat), scene, state.letters));
            }
        }
        if before.restores < mishaps.restores && mishaps.may_be_restored.contains(&seat) {
            self.restore(next, state, seat)?;
        }
        Ok(())
    }

    /// The life of a hall ends, and its next one begins. That it begins at once leaves nothing out: it does nothing
    /// before it hears something, and the others learn of it whenever they do.
    fn reborn(&mut self, before: &Scene, seat: Seat, recovered: bool) -> anyhow::Result<Scene> {
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
        scene.begin_life(seat);
        if self.setting.mishaps.goes_on {
            scene.put(REPLACED, before.kept(seat));
        }
        let later = scene.later_lives(seat);
        scene.put(seat, self.halls.newborn(seat, later)?);
        Ok(scene)
    }

    /// Whether the city has got over the last loss: everybody knows of every life, and the case is in one hand and on
    /// two disks, with mirrors that live.
    pub(super) fn has_recovered(&self, scene: &Scene) -> anyhow::Result<bool> {
        let accounts = accounts(&self.halls, scene)?;
        let present = || accounts.iter().take(self.halls.at.len());
        let lives = usize::from(scene.rebirths());
        let between = |stage| matches!(stage, Stage::Handing | Stage::Holder | Stage::Recovering);
        let rests = present().all(|account| account.knows.len() >= lives && !between(stage(account)));
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
        if self.halls.kept(before.backup)?.seat != seat || before.backup == before.kept(seat) {
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
