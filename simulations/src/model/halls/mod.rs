//! The halls, each as a table of what it may have kept: for the rows of one hall and one input, the product is asked
//! once, and the answer stands for every state of the city in which that hall has kept these rows.

mod founding;
mod lives;
mod news;
mod product;
mod spent;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use hallmesh_protocol::cases::{Case, Custody, Deed, Facts, Header};
use hallmesh_protocol::ids::{CaseId, HallAt, HallId};

use super::letters::{Archive, LetterId, Letters};
use super::logs::{LogId, Logs};
use super::setting::{Seat, Setting, Shown};
use crate::city::City;
use crate::disk::Disk;

use news::Stated;
pub(super) use news::{News, NewsId};
use product::Told;
pub(super) use spent::NotSpent;

/// The case.
pub(super) const CASE: CaseId = CaseId([7; 16]);

/// The number of what a hall has kept.
pub(super) type KeptId = u32;

/// What a hall has kept, and what is known of it.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) seat: Seat,
    /// How often the hall began anew in a way that a peer could tell: part of its boot id.
    boots: u32,
    disk: Disk,
    pub(super) said: Account,
    asked: Letters,
    /// Letters asked about that change what is kept.
    moving: Letters,
    /// Letters asked about that change nothing, and are answered.
    talking: Letters,
    answers: BTreeMap<LetterId, Step>,
    /// Letters that were looked at for whether they are spent here.
    judged: Letters,
    spent: Letters,
    wake: Option<Step>,
    acts: Option<Vec<(Deed, Step)>>,
    learns: BTreeMap<NewsId, Step>,
    /// Letters of which the hall shows nothing, though they tell what an ended life did besides.
    pub(super) hidden: Letters,
    /// What comes of days in which a mirror is silent.
    silence: Option<Step>,
}

impl Kept {
    /// Letters asked about of which something comes; where `answers` count, those that are only answered too.
    pub(super) fn heard(&self, answers: bool) -> Letters {
        let mut heard = self.moving;
        if answers {
            heard.join(&self.talking);
        }
        heard
    }
}

/// What a hall's rows say of the case.
#[derive(Clone, Debug)]
pub(super) struct Account {
    /// Whose rows they are.
    pub(super) at: HallAt,
    pub(super) custody: Option<Custody>,
    pub(super) case: Option<Case>,
    /// The log, as numbers of events.
    pub(super) log: Vec<u32>,
    pub(super) log_id: LogId,
    pub(super) headers: Vec<Header>,
    /// For whom letters wait, and of which kind.
    pub(super) waiting: Vec<(Seat, &'static str)>,
    /// What it knows of lives.
    pub(super) knows: BTreeSet<NewsId>,
    /// Whose word it misses, if it recovers the case.
    pub(super) misses: Vec<HallAt>,
    /// It was shown that it has forgotten what it signed.
    pub(super) rolled_back: bool,
}

/// What comes of an input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) kept: KeptId,
    pub(super) sent: Letters,
}

/// The halls of a setting.
#[derive(Debug)]
pub(super) struct Halls {
    /// Each hall in its first life.
    pub(super) at: Vec<HallAt>,
    pub(super) archive: Archive,
    pub(super) logs: Logs,
    city: City,
    /// The disk that each hall begins with.
    founded: Vec<Disk>,
    /// One that knows all that the directory ever says.
    knowing: Disk,
    /// What the directory can say of lives.
    news: Vec<Stated>,
    setting: Setting,
    kept: Vec<Kept>,
    known: BTreeMap<[u8; 32], KeptId>,
    /// How often the product was asked.
    pub(super) asked: u64,
}

impl Halls {
    /// What a hall has kept.
    pub(super) fn kept(&self, id: KeptId) -> anyhow::Result<&Kept> {
        self.kept.get(usize::try_from(id)?).context("a number of kept rows")
    }

    /// How many different disks halls had.
    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    /// Makes sure that the product was asked what comes of each of `letters` that is for the hall.
    pub(super) fn ask(&mut self, id: KeptId, letters: &Letters) -> anyhow::Result<()> {
        let kept = self.kept(id)?;
        let open = letters.both(&self.archive.to(kept.seat)).without(&kept.asked);
        for letter in open.iter() {
            let step = self.step(id, Told::Letter(letter))?;
            let kept = self.kept_mut(id)?;
            kept.asked.add(letter);
            if step.kept != id {
                kept.moving.add(letter);
            } else if !step.sent.is_empty() {
                kept.talking.add(letter);
            }
            kept.answers.insert(letter, step);
        }
        Ok(())
    }

    /// What comes of a letter; asks if need be.
    pub(super) fn hear(&mut self, id: KeptId, letter: LetterId) -> anyhow::Result<Step> {
        let mut one = Letters::default();
        one.add(letter);
        self.ask(id, &one)?;
        Ok(self
            .kept(id)?
            .answers
            .get(&letter)
            .copied()
            .unwrap_or(Step { kept: id, sent: Letters::default() }))
    }

    /// What the hall answers to those of `letters` that change nothing in it.
    pub(super) fn talk(&mut self, id: KeptId, letters: &Letters) -> anyhow::Result<Letters> {
        self.ask(id, letters)?;
        let kept = self.kept(id)?;
        let mut sent = Letters::default();
        for letter in letters.both(&kept.talking).iter() {
            if let Some(step) = kept.answers.get(&letter) {
                sent.join(&step.sent);
            }
        }
        Ok(sent)
    }

    /// The hall starts, its lines come up, and everything in its post is sent.
    pub(super) fn wake(&mut self, id: KeptId) -> anyhow::Result<Step> {
        if let Some(step) = self.kept(id)?.wake {
            return Ok(step);
        }
        let step = self.start(id)?;
        self.kept_mut(id)?.wake = Some(step);
        Ok(step)
    }

    /// What comes of each deed that clerks try; those that are refused are left out.
    pub(super) fn acts(&mut self, id: KeptId) -> anyhow::Result<Vec<(Deed, Step)>> {
        if let Some(acts) = &self.kept(id)?.acts {
            return Ok(acts.clone());
        }
        let corrections = self.kept(id)?.said.case.as_ref().map_or(0, |case| case.corrections);
        let mut acts = Vec::new();
        for deed in self.setting.deeds {
            if *deed == Deed::RequestCorrection && corrections >= self.setting.corrections {
                continue;
            }
            let step = self.step(id, Told::Deed(*deed))?;
            if step.kept != id {
                acts.push((*deed, step));
            }
        }
        self.kept_mut(id)?.acts = Some(acts.clone());
        Ok(acts)
    }

    /// What comes of days in which a mirror of the hall is silent, whatever was sent to it meanwhile.
    pub(super) fn silence(&mut self, id: KeptId) -> anyhow::Result<Step> {
        if let Some(step) = self.kept(id)?.silence {
            return Ok(step);
        }
        let step = self.silent(id)?;
        self.kept_mut(id)?.silence = Some(step);
        Ok(step)
    }

    /// The same rows in a hall that began anew: whatever it signs from now on has another boot id.
    pub(super) fn begun_anew(&mut self, id: KeptId, life_of: KeptId) -> anyhow::Result<KeptId> {
        let boots = self.kept(life_of)?.boots.saturating_add(1);
        let kept = self.kept(id)?;
        let (seat, disk) = (kept.seat, kept.disk.clone());
        self.keep(seat, boots, disk)
    }

    /// Whether days may go by.
    pub(super) fn time_passes(&self) -> bool {
        self.setting.mishaps.silences > 0
    }

    /// The seat of a hall.
    pub(super) fn seat(&self, hall: HallId) -> Option<Seat> {
        self.at.iter().position(|at| at.hall == hall)
    }

    /// What people call a hall.
    pub(super) fn name(&self, seat: Seat) -> &'static str {
        self.setting.halls.get(seat).map_or("nobody", |(_, name)| name)
    }

    /// Whether what a hall signs is looked at for whether it was forgotten.
    fn is_audited(&self, seat: Seat) -> bool {
        let mishaps = self.setting.mishaps;
        mishaps.shown != Shown::Never && mishaps.may_be_restored.contains(&seat)
    }

    fn hall(&self, seat: Seat) -> anyhow::Result<HallAt> {
        self.at.get(seat).copied().context("a seat")
    }

    fn kept_mut(&mut self, id: KeptId) -> anyhow::Result<&mut Kept> {
        self.kept.get_mut(usize::try_from(id)?).context("a number of kept rows")
    }
}

/// The places of a log at which any life of a hall handed the case over, and to whom.
pub(super) fn given(headers: &[Header], by: HallId) -> impl Iterator<Item = (u32, HallAt)> {
    headers.iter().filter(move |header| header.at.hall == by).filter_map(|header| match header.facts {
        Facts::Transfer { to, .. } => Some((header.sequence, to)),
        Facts::Receive { .. }
        | Facts::Take { .. }
        | Facts::Resume { .. }
        | Facts::Act(_)
        | Facts::ReplaceMirror { .. }
        | Facts::Succeed { .. }
        | Facts::Reassign { .. }
        | Facts::RenewKey { .. }
        | Facts::Task(_)
        | Facts::Start { .. }
        | Facts::Unknown { .. } => None,
    })
}

#[cfg(test)]
mod tests {
    use hallmesh_protocol::step::{Effects, Input};
    use hallmesh_protocol::verify;

    use super::super::explore::Explorer;
    use super::super::letters::message;
    use super::super::seen::Merge;
    use super::super::settings::named;
    use super::product::{NOW, commit};
    use super::*;

    impl Halls {
        /// The rows of each number: numbers follow from the order of an exploration, these do not.
        pub(in super::super) fn names(&self) -> BTreeMap<KeptId, [u8; 32]> {
            self.known.iter().map(|(name, id)| (*id, *name)).collect()
        }

        /// Two letters to one life of a hall, in one commit.
        fn hear_both(&mut self, id: KeptId, letters: [LetterId; 2]) -> anyhow::Result<KeptId> {
            let kept = self.kept(id)?;
            let (seat, boots) = (kept.seat, kept.boots);
            let (mut node, mut disk, _) = self.open(seat, boots, kept.disk.clone(), true)?;
            let mut effects = Effects::default();
            for letter in letters {
                let letter = &self.archive.letter(letter).context("a letter")?.letter;
                let (from, to) = (letter.from.hall, self.hall(seat)?.hall);
                let message = verify::message(&disk, to, message(letter))?;
                node.step(NOW, Input::Received { from, message }, &disk, &mut effects);
            }
            commit(effects, &mut disk, &[]);
            self.keep(seat, boots, disk)
        }
    }

    /// What a node remembers besides its rows, and that one commit can hold several inputs, adds nothing to what can
    /// happen: as if the letters had come one by one to a node that was started anew each time.
    #[test]
    fn two_letters_to_one_life_are_as_two_letters_to_two() {
        let setting = named("hand-over").expect("a setting");
        let mut explorer = Explorer::new(setting, true, Merge::Within).expect("a city");
        explorer.run(usize::MAX).expect("an exploration");
        let halls = &mut explorer.halls;
        let (disks, mut early) = (KeptId::try_from(halls.len()).expect("a number"), 0);
        for id in 0..disks {
            let to = halls.archive.to(halls.kept(id).expect("rows").seat);
            let pairs = to.iter().flat_map(|one| to.iter().map(move |other| [one, other]));
            for pair in pairs.filter(|[one, other]| one != other) {
                early += usize::from(!is_as_one_by_one(halls, id, pair));
            }
        }
        assert!(early > 0, "a receipt that comes too early is remembered");
    }

    /// Whether both letters do what they do in this order, and not what they do in the other one.
    fn is_as_one_by_one(halls: &mut Halls, id: KeptId, [one, other]: [LetterId; 2]) -> bool {
        let mut after = |first, second| {
            let between = halls.hear(id, first).expect("a step").kept;
            halls.hear(between, second).expect("a step").kept
        };
        let (forth, back) = (after(one, other), after(other, one));
        let both = halls.hear_both(id, [one, other]).expect("a step");
        assert!(both == forth || both == back, "disk {id}, letters {one} and {other}");
        both == forth
    }
}
