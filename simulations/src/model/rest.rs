//! Coming to rest (liveness): from a state, nothing goes wrong any more, until nothing changes.
//!
//! Every hall starts and sends what waits in its post; everything that is sent is delivered, answers included; and so
//! again, until a round changes nothing. Letters that were under way before are all lost: what the rows ask for must
//! be enough. What they would do if they came is covered, since every state in which they did is looked at too. The
//! order is fixed: that one way leads to rest from *every* state is what is asked, the states on other ways among them.

use std::collections::BTreeMap;

use hallmesh_protocol::cases::Stage;

use super::halls::{Account, Halls};
use super::letters::Letters;
use super::promises::{accounts, stage};
use super::seen::Scene;
use super::setting::Seat;

/// Rounds after which it is no rest: each that counts moves the case or a copy of it forward.
const ROUNDS_MAX: usize = 1_000;

/// Where each scene that was looked at comes to rest, if anything is wrong there.
#[derive(Debug, Default)]
pub(super) struct Rest {
    known: BTreeMap<Scene, Option<String>>,
}

impl Rest {
    /// What is wrong with where a scene comes to rest.
    pub(super) fn broken(&mut self, halls: &mut Halls, scene: &Scene) -> anyhow::Result<Option<String>> {
        let (mut now, mut way) = (Scene { backup: super::seen::NONE, ..*scene }, Vec::new());
        let found = loop {
            if let Some(known) = self.known.get(&now) {
                break known.clone();
            }
            way.push(now);
            let before = now;
            round(halls, &mut now)?;
            if now == before {
                break wrong(halls, &now)?;
            }
            if way.len() > ROUNDS_MAX {
                break Some("it goes on for ever".to_owned());
            }
        };
        self.known.extend(way.into_iter().map(|scene| (scene, found.clone())));
        Ok(found)
    }
}

/// Everybody sends what waits; everything is delivered, until nothing is left to deliver.
pub(super) fn round(halls: &mut Halls, scene: &mut Scene) -> anyhow::Result<()> {
    let (mut sent, mut delivered) = (Letters::default(), Letters::default());
    for seat in 0..halls.at.len() {
        if scene.is_gone(seat) {
            continue;
        }
        let step = halls.wake(scene.kept(seat))?;
        scene.put(seat, step.kept);
        sent.join(&step.sent);
    }
    while let Some(letter) = sent.without(&delivered).iter().next() {
        delivered.add(letter);
        let to = halls.archive.letter(letter).map(|written| written.to);
        let Some(to) = to.filter(|to| !scene.is_gone(*to)) else { continue };
        let step = halls.hear(scene.kept(to), letter)?;
        scene.put(to, step.kept);
        sent.join(&step.sent);
    }
    Ok(())
}

/// What is wrong with a scene in which nothing happens by itself any more.
fn wrong(halls: &Halls, scene: &Scene) -> anyhow::Result<Option<String>> {
    let accounts = accounts(halls, scene)?;
    let all = || accounts.iter().copied().enumerate();
    let present = || all().filter(|(seat, _)| !scene.is_gone(*seat));
    let longest = present().map(|(_, account)| account.log.len()).max();
    let hands: Vec<(Seat, &Account)> =
        present().filter(|(_, account)| stage(account) == Stage::Custodian).collect();
    if all().any(|(seat, account)| scene.is_gone(seat) && takes_with_it(account))
        || present().any(|(_, account)| is_bound_for(halls, scene, account))
    {
        // Its custodian, or whom it is handed to, is lost for ever: it waits for a ruling, which is not built yet.
        return Ok((hands.len() > 1).then(|| "the case is in two hands".to_owned()));
    }
    let [(_, custodian)] = hands.as_slice() else {
        return Ok(Some(format!("the case rests in {} hands", hands.len())));
    };
    if Some(custodian.log.len()) != longest {
        return Ok(Some("the custodian lacks events that others keep".to_owned()));
    }
    if custodian.case.as_ref().is_some_and(|case| case.wants_to_go().is_some()) {
        return Ok(Some("the case wants to go on and rests".to_owned()));
    }
    let between = [Stage::Handing, Stage::Holder];
    for (seat, account) in present() {
        if between.contains(&stage(account)) {
            return Ok(Some(format!("{} rests in stage {}", halls.name(seat), stage(account).word())));
        }
        if let Some(to) = account.waiting.iter().find(|to| !scene.is_gone(**to)) {
            return Ok(Some(format!("{} waits for an answer of {}", halls.name(seat), halls.name(*to))));
        }
    }
    Ok(None)
}

/// Whether the case is lost, or cannot move any more, with a hall that had this of it.
fn takes_with_it(account: &Account) -> bool {
    matches!(stage(account), Stage::Custodian | Stage::Handing | Stage::Holder)
}

/// Whether a hall hands the case over to one that is lost.
fn is_bound_for(halls: &Halls, scene: &Scene, account: &Account) -> bool {
    let to = account.case.as_ref().and_then(|case| case.transit).map(|transit| transit.to.hall);
    to.and_then(|hall| halls.seat(hall)).is_some_and(|seat| scene.is_gone(seat))
}
