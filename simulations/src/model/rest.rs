//! Coming to rest (liveness): from a state, nothing goes wrong any more, until nothing changes.
//!
//! Every hall learns of every life that has begun, starts, and sends what waits in its
//! post; everything that is sent is delivered, answers included; and so again, until a round changes nothing. A machine
//! that was replaced is switched off. Letters that were under way before are all lost: what the rows ask for must be
//! enough. What they would do if they came is covered, since every state in which they did is looked at too. The order is
//! fixed: that one way leads to rest from *every* state is what is asked, the states on other ways among them.

use std::collections::BTreeMap;

use hallmesh_protocol::cases::{Case, Grade, Stage};
use hallmesh_protocol::ids::{HallAt, HallId};

use super::halls::{Account, Halls};
use super::letters::Letters;
use super::promises::{accounts, stage};
use super::seen::{Closed, NONE, REPLACED, Scene};
use super::setting::{Seat, Wait};

/// Rounds after which it is no rest: each that counts moves the case or a copy of it forward. A way to rest takes ten.
const ROUNDS_MAX: usize = 50;
/// Letters delivered in one round after which it has no end.
const DELIVERIES_MAX: usize = 300;

/// What a round came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Round {
    /// Nothing changes any more.
    Rest,
    /// Something did.
    Change,
    /// Letters answer letters without end.
    Endless,
}

/// How a case rests: well, or waiting for a reason, or wrongly.
type Rests = Result<Option<Wait>, String>;

/// Where each scene that was looked at comes to rest.
#[derive(Debug, Default)]
pub(super) struct Rest {
    known: BTreeMap<Scene, Rests>,
    /// How many states have the case wait in the end, by reason.
    pub(super) waits: BTreeMap<Wait, usize>,
}

impl Rest {
    /// What is wrong with where a scene comes to rest.
    pub(super) fn broken(&mut self, halls: &mut Halls, scene: &Scene) -> anyhow::Result<Option<String>> {
        let found = self.rests(halls, begun(scene))?;
        if let Ok(Some(wait)) = found {
            let count = self.waits.entry(wait).or_default();
            *count = count.saturating_add(1);
        }
        Ok(found.err())
    }

    fn rests(&mut self, halls: &mut Halls, mut now: Scene) -> anyhow::Result<Rests> {
        let mut way = Vec::new();
        let found = loop {
            if let Some(known) = self.known.get(&now) {
                break known.clone();
            }
            way.push(now);
            match goes_on(halls, &mut now)? {
                Round::Rest => break look(halls, &now)?,
                Round::Change if way.len() <= ROUNDS_MAX => {}
                Round::Change | Round::Endless => break Err("it goes on for ever".to_owned()),
            }
        };
        self.known.extend(way.into_iter().map(|scene| (scene, found.clone())));
        Ok(found)
    }
}

/// A scene from which nothing goes wrong any more.
pub(super) fn begun(scene: &Scene) -> Scene {
    let mut scene = Scene { backup: NONE, last_words: 0, ..*scene };
    scene.put(REPLACED, NONE);
    scene
}

/// Another round; where that changes nothing, days go by at every hall.
pub(super) fn goes_on(halls: &mut Halls, scene: &mut Scene) -> anyhow::Result<Round> {
    let before = *scene;
    if !round(halls, scene)? {
        return Ok(Round::Endless);
    }
    if *scene == before && halls.time_passes() {
        for seat in (0..halls.at.len()).filter(|seat| !before.is_gone(*seat)) {
            let step = halls.silence(scene.kept(seat))?;
            scene.put(seat, step.kept);
        }
    }
    Ok(if *scene == before { Round::Rest } else { Round::Change })
}

/// Everybody learns of new lives and sends what waits; everything is delivered, until nothing is left to deliver. False
/// if that has no end.
fn round(halls: &mut Halls, scene: &mut Scene) -> anyhow::Result<bool> {
    let (mut sent, mut delivered) = (Letters::default(), Letters::default());
    for seat in 0..halls.at.len() {
        if scene.is_gone(seat) {
            continue;
        }
        if scene.is_alone(seat) {
            let kept = halls.shown(scene.kept(seat), scene.forgotten)?;
            scene.put(seat, kept);
            scene.forgotten = NONE;
        }
        sent.join(&begins(halls, scene, seat)?);
    }
    let mut deliveries = 0_usize;
    while let Some(letter) = sent.without(&delivered).iter().next() {
        delivered.add(letter);
        deliveries = deliveries.saturating_add(1);
        if deliveries > DELIVERIES_MAX {
            return Ok(false);
        }
        let to = halls.archive.letter(letter).map(|written| written.to);
        let Some(to) = to.filter(|to| !scene.is_gone(*to)) else { continue };
        let step = halls.hear(scene.kept(to), letter)?;
        scene.put(to, step.kept);
        sent.join(&step.sent);
    }
    Ok(true)
}

/// A hall learns what there is to learn, and starts.
fn begins(halls: &mut Halls, scene: &mut Scene, seat: Seat) -> anyhow::Result<Letters> {
    let mut sent = Letters::default();
    for news in halls.stated(scene, seat)? {
        if !halls.kept(scene.kept(seat))?.said.knows.contains(&news) {
            let step = halls.learn(scene.kept(seat), news)?;
            scene.put(seat, step.kept);
            sent.join(&step.sent);
        }
    }
    let step = halls.wake(scene.kept(seat))?;
    scene.put(seat, step.kept);
    sent.join(&step.sent);
    Ok(sent)
}

/// How the case rests in a scene in which nothing happens by itself any more.
fn look(halls: &Halls, scene: &Scene) -> anyhow::Result<Rests> {
    let accounts = accounts(halls, scene)?;
    let rest = Resting { halls, scene, accounts: &accounts };
    Ok(match (rest.waits(), rest.hands().len()) {
        (_, 2..) => Err("the case is in two hands".to_owned()),
        (Some(wait), _) => Ok(Some(wait)),
        (None, _) => rest.wrong().map_or(Ok(None), Err),
    })
}

struct Resting<'a> {
    halls: &'a Halls,
    scene: &'a Scene,
    accounts: &'a [&'a Account],
}

impl Resting<'_> {
    /// The halls that are there and have forgotten nothing.
    fn present(&self) -> impl Iterator<Item = (Seat, &Account)> {
        let all = self.accounts.iter().copied().enumerate();
        all.filter(|(seat, account)| !self.is_away(*seat, account))
    }

    fn is_away(&self, seat: Seat, account: &Account) -> bool {
        self.scene.is_gone(seat) || account.rolled_back
    }

    fn hands(&self) -> Vec<(Seat, &Account)> {
        self.present().filter(|(_, account)| stage(account) == Stage::Custodian).collect()
    }

    /// Why it may rest in no hand, if it may.
    fn waits(&self) -> Option<Wait> {
        let away = self.accounts.iter().enumerate().filter(|(seat, it)| self.is_away(*seat, it));
        let mut needed = away.filter(|(seat, account)| self.is_needed(*seat, account));
        if let Some((seat, _)) = needed.next() {
            let closed = self.scene.closed(seat) != Closed::No;
            return Some(if closed { Wait::Ruling } else { Wait::NewLife });
        }
        if self.present().all(|(_, account)| account.case.is_none()) {
            // What was promised to be on two disks must not be lost with one.
            return Some(Wait::OnlyDiskLost).filter(|_| self.scene.vow == NONE);
        }
        let ended = |at| self.halls.has_ended(self.scene, at);
        let recovering = |account: &Account| stage(account) == Stage::Recovering;
        let speechless = |at: &HallAt| ended(*at) && !self.halls.is_destroyed(*at);
        let overlaps = |account: &Account| recovering(account) && account.misses.iter().any(speechless);
        if self.present().any(|(_, account)| overlaps(account)) {
            return Some(Wait::Overlapping);
        }
        let unwitnessed = |account: &Account| {
            let case = account.case.as_ref()?;
            let witnesses = case.stayed.map_or(case.mirrors, |stayed| [Some(stayed), None]);
            let waits = recovering(account) || stage(account) == Stage::Holder;
            Some(waits && case.transit.is_some() && witnesses.into_iter().flatten().all(ended))
        };
        self.present().any(|(_, account)| unwitnessed(account) == Some(true)).then_some(Wait::Unwitnessed)
    }

    /// Whether the case waits for the next life of a hall: it went with the disk, or is bound there, or needs its word.
    /// What a hall has kept that has forgotten some says nothing: there it is asked whether nobody else has the case.
    fn is_needed(&self, away: Seat, account: &Account) -> bool {
        let Some(hall) = self.halls.at.get(away).map(|at| at.hall) else { return false };
        match self.scene.closed(away) {
            Closed::For(_) => return false,
            Closed::ForNobody => return self.is_unruled(hall),
            Closed::No => {}
        }
        let gone = if account.rolled_back { self.hands().is_empty() } else { takes_with_it(account) };
        let transit = |case: &Case| case.transit.is_some_and(|transit| transit.to.hall == hall);
        let bound = |account: &Account| account.case.as_ref().is_some_and(transit);
        let misses = |account: &Account| account.misses.iter().any(|at| at.hall == hall);
        let recovers = |account: &Account| stage(account) == Stage::Recovering && misses(account);
        gone || self.present().any(|(_, account)| bound(account) || recovers(account))
    }

    /// Whether the case, as far as anybody has it, is with a hall that is closed, or goes there, and nobody goes on for it.
    fn is_unruled(&self, closed: HallId) -> bool {
        let far = |account: &Account| account.case.as_ref().map(|case| (case.position.term, case.events));
        let furthest = self.present().map(|(_, account)| far(account)).max().flatten();
        let is_its = |case: &Case| {
            let goes = case.wants_to_go().map(|(to, _)| to);
            [case.owner().hall, case.custodian.hall].contains(&closed) || goes == Some(closed)
        };
        let mut last = self.present().filter(|(_, account)| far(account) == furthest);
        last.any(|(_, account)| account.case.as_ref().is_some_and(is_its))
    }

    /// What is wrong with how it rests.
    fn wrong(&self) -> Option<String> {
        let hands = self.hands();
        let [(_, custodian)] = hands.as_slice() else {
            return Some(format!("the case rests in {} hands", hands.len()));
        };
        let far = |account: &Account| account.case.as_ref().map(|case| (case.position.term, case.events));
        if far(custodian) != self.present().map(|(_, account)| far(account)).max().flatten() {
            return Some("the custodian lacks events that others keep".to_owned());
        }
        if custodian.case.as_ref().is_some_and(|case| case.wants_to_go().is_some()) {
            return Some("the case wants to go on and rests".to_owned());
        }
        if self.has_second_disk(custodian)
            && custodian.custody.is_some_and(|custody| custody.grade == Grade::D1)
        {
            return Some("the case rests on one disk".to_owned());
        }
        let waiting = self.present().find_map(|(seat, account)| self.waits_on(seat, account));
        waiting.or_else(|| self.silent_mirror(custodian))
    }

    /// Whether a second disk is there to keep the case: nobody is away but halls that are closed, of which all know.
    fn has_second_disk(&self, custodian: &Account) -> bool {
        let mut away = self.accounts.iter().enumerate().filter(|(seat, it)| self.is_away(*seat, it));
        let mirrors = custodian.case.as_ref().map(|case| case.mirrors).unwrap_or_default();
        away.all(|(seat, _)| self.scene.closed(seat) != Closed::No) && mirrors != [None, None]
    }

    /// A mirror that is away and does not answer, though another hall could keep copies in its place, and the other mirror
    /// is there to record that.
    fn silent_mirror(&self, custodian: &Account) -> Option<String> {
        let case = custodian.case.as_ref().filter(|_| self.halls.time_passes())?;
        let is_here = |at: HallAt| self.present().any(|(_, account)| account.at == at);
        let mut mirrors = case.mirrors.into_iter().flatten();
        let records = mirrors.clone().any(|at| is_here(at) && case.is_witness(at));
        let free =
            self.present().any(|(_, account)| account.at != custodian.at && !case.is_mirror(account.at));
        let silent = mirrors.find_map(|at| {
            let seat = self.halls.seat(at.hall).filter(|_| !is_here(at))?;
            custodian.waiting.iter().any(|(to, _)| *to == seat).then_some(seat)
        });
        let name = self.halls.name(silent.filter(|_| free && records)?);
        Some(format!("{name} is away, and nobody keeps copies in its place"))
    }

    fn waits_on(&self, seat: Seat, account: &Account) -> Option<String> {
        let name = self.halls.name(seat);
        if matches!(stage(account), Stage::Handing | Stage::Holder | Stage::Recovering) {
            return Some(format!("{name} rests in stage {}", stage(account).word()));
        }
        let away = |seat: Seat| self.accounts.get(seat).is_none_or(|account| self.is_away(seat, account));
        let (to, what) = account.waiting.iter().find(|(to, _)| !away(*to))?;
        Some(format!("{name} waits for an answer of {} ({what})", self.halls.name(*to)))
    }
}

/// Whether the case is lost, or cannot move any more, with a hall that had this of it.
fn takes_with_it(account: &Account) -> bool {
    matches!(stage(account), Stage::Custodian | Stage::Handing | Stage::Holder | Stage::Recovering)
}
