//! What must hold in every state (safety). Each promise is read from what halls have kept, never from what they think
//! of themselves alone. Of a hall whose disk is lost counts what it had kept last: a promise was kept if it held then.

use std::fmt;

use hallmesh_protocol::cases::{Facts, Grade, Stage};
use hallmesh_protocol::ids::HallId;
use serde::Serialize;

use super::halls::{Account, Halls, given};
use super::letters::Letters;
use super::seen::Scene;
use super::setting::Seat;
use crate::checkers::OneHand;

/// What can be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Promise {
    /// At most one hall believes to have the case in hand.
    OneHand,
    /// There are no two events at one place of the log, at any hall or in any letter.
    OneLog,
    /// Positions only grow at a hall, and so does its log.
    Forwards,
    /// Who took the case names a mirror of the epoch before that keeps the hand-over.
    Witnessed,
    /// Who is told that it may let go is told the truth: the target keeps the case, and so does a mirror of the next
    /// epoch.
    SafeToLetGo,
    /// Grade D2 means a second hall that keeps everything up to the head.
    SecondCopy,
    /// From every state, when nothing goes wrong any more, the case comes into one hand and every letter is answered.
    ComesToRest,
}

impl Promise {
    /// A stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::OneHand => "one-hand",
            Self::OneLog => "one-log",
            Self::Forwards => "forwards",
            Self::Witnessed => "witnessed",
            Self::SafeToLetGo => "safe-to-let-go",
            Self::SecondCopy => "second-copy",
            Self::ComesToRest => "comes-to-rest",
        }
    }
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A broken promise, and how.
pub(super) type Broken = (Promise, String);

/// What is wrong with a state.
pub(super) fn broken(halls: &Halls, scene: &Scene, letters: &Letters) -> anyhow::Result<Option<Broken>> {
    let accounts = accounts(halls, scene)?;
    let all = All { halls, scene, accounts: &accounts };
    let found = all
        .hands()
        .map(|how| (Promise::OneHand, how))
        .or_else(|| all.logs(letters).map(|how| (Promise::OneLog, how)))
        .or_else(|| all.witnesses().map(|how| (Promise::Witnessed, how)))
        .or_else(|| all.let_go(letters).map(|how| (Promise::SafeToLetGo, how)))
        .or_else(|| all.second_copies().map(|how| (Promise::SecondCopy, how)));
    Ok(found)
}

/// What is wrong with receipts that say a hand-over is through.
pub(super) fn broken_word(halls: &Halls, scene: &Scene, letters: &Letters) -> anyhow::Result<Option<Broken>> {
    if letters.both(&halls.archive.mirrored).is_empty() {
        return Ok(None);
    }
    let accounts = accounts(halls, scene)?;
    let all = All { halls, scene, accounts: &accounts };
    Ok(all.let_go(letters).map(|how| (Promise::SafeToLetGo, how)))
}

/// What is wrong with how a hall went from one account to the next.
pub(super) fn backwards(before: &Account, after: &Account) -> Option<Broken> {
    let position = |account: &Account| account.custody.map(|custody| custody.position);
    let how = if position(after) < position(before) {
        format!("position {:?} after {:?}", position(after), position(before))
    } else if !after.log.starts_with(&before.log) {
        "the log does not go on from what it was".to_owned()
    } else {
        return None;
    };
    Some((Promise::Forwards, how))
}

/// What each hall's rows say.
pub(super) fn accounts<'a>(halls: &'a Halls, scene: &Scene) -> anyhow::Result<Vec<&'a Account>> {
    (0..halls.at.len()).map(|seat| halls.kept(scene.kept(seat)).map(|kept| &kept.said)).collect()
}

struct All<'a> {
    halls: &'a Halls,
    scene: &'a Scene,
    accounts: &'a [&'a Account],
}

impl All<'_> {
    /// What the halls that are there say, with their seats.
    fn present(&self) -> impl Iterator<Item = (Seat, &Account)> {
        let present = |seat: &(Seat, &Account)| !self.scene.is_gone(seat.0);
        self.accounts.iter().copied().enumerate().filter(present)
    }

    fn hands(&self) -> Option<String> {
        let hands: Vec<_> =
            self.present().filter(|(_, account)| stage(account) == Stage::Custodian).collect();
        let names = || hands.iter().map(|(seat, _)| self.name(*seat)).collect::<Vec<_>>().join(" and ");
        (hands.len() > 1).then(|| format!("{} have the case in hand", names()))
    }

    fn logs(&self, letters: &Letters) -> Option<String> {
        let longest = self.accounts.iter().max_by_key(|account| account.log.len())?;
        let fork = |log: &[u32]| !agree(log, &longest.log);
        if let Some(seat) = self.accounts.iter().position(|account| fork(&account.log)) {
            return Some(format!("the log of {} contradicts another one", self.name(seat)));
        }
        // What was sent was kept, unless a hall was put back or kept nothing.
        if self.scene.restores == 0 && self.scene.hasty == 0 {
            return None;
        }
        let written = letters.iter().filter_map(|letter| self.halls.archive.letter(letter));
        let logs: Vec<_> = written.map(|written| &written.log).collect();
        let longest = logs.iter().copied().chain([&longest.log]).max_by_key(|log| log.len())?;
        let fork = logs.iter().copied().chain(self.accounts.iter().map(|account| &account.log));
        let two = fork.into_iter().find(|log| !agree(log, longest))?;
        let place = two.iter().zip(longest).position(|(one, other)| one != other)?;
        Some(format!("there are two events at {place}"))
    }

    fn witnesses(&self) -> Option<String> {
        let mut in_hand = self.present().filter(|(_, account)| stage(account) == Stage::Custodian);
        in_hand.find_map(|(seat, account)| {
            OneHand::witnessed(&account.headers, self.halls.at.get(seat)?.hall, |hall| self.keeps(hall))
        })
    }

    fn let_go(&self, letters: &Letters) -> Option<String> {
        let released = self.present().filter(|(_, account)| stage(account) == Stage::Released);
        let released = released.filter_map(|(seat, account)| {
            let (sequence, to) = given(&account.headers, *self.halls.at.get(seat)?).last()?;
            Some((sequence, self.halls.seat(to.hall)?))
        });
        let told = letters.both(&self.halls.archive.mirrored);
        let told = told.iter().filter_map(|letter| self.halls.archive.letter(letter)?.mirrored());
        let mut unsafe_ones = released.chain(told).filter(|(sequence, to)| !self.is_safe(*sequence, *to));
        let (sequence, to) = unsafe_ones.next()?;
        Some(format!(
            "the hand-over at {sequence} counts as through; {} and its mirrors do not keep it",
            self.name(to)
        ))
    }

    /// Whether a hand-over was taken and a mirror of the new epoch keeps that.
    fn is_safe(&self, transfer: u32, to: Seat) -> bool {
        let take = transfer.saturating_add(1);
        let event = |sequence: u32| {
            let at = usize::try_from(sequence).unwrap_or(usize::MAX);
            self.accounts.get(to)?.headers.get(at).map(|header| &header.facts)
        };
        let Some(Facts::Transfer { mirrors, .. }) = event(transfer) else { return false };
        if !matches!(event(take), Some(Facts::Take { .. })) {
            return false;
        }
        mirrors.iter().flatten().any(|mirror| self.keeps(mirror.hall) > take)
    }

    fn second_copies(&self) -> Option<String> {
        let second = self
            .present()
            .filter(|(_, account)| account.custody.is_some_and(|custody| custody.grade == Grade::D2));
        let keeps = |seat: Seat, events: usize| {
            let mut others = self.accounts.iter().enumerate().filter(|(other, _)| *other != seat);
            others.any(|(_, account)| account.log.len() >= events)
        };
        let alone = second.filter(|(seat, account)| !keeps(*seat, account.log.len()));
        alone.map(|(seat, _)| format!("{} says D2, and nobody else keeps its head", self.name(seat))).next()
    }

    /// How many events a hall keeps.
    fn keeps(&self, hall: HallId) -> u32 {
        let account = self.halls.seat(hall).and_then(|seat| self.accounts.get(seat));
        account.map_or(0, |account| u32::try_from(account.log.len()).unwrap_or(u32::MAX))
    }

    fn name(&self, seat: Seat) -> &'static str {
        self.halls.name(seat)
    }
}

/// What a hall is to the case.
pub(super) fn stage(account: &Account) -> Stage {
    account.custody.map_or(Stage::None, |custody| custody.stage)
}

/// Whether one log continues the other.
fn agree(one: &[u32], other: &[u32]) -> bool {
    one.iter().zip(other).all(|(one, other)| one == other)
}
