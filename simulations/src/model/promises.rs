//! What must hold in every state (safety). Each promise is read from what halls have kept, never from what they think
//! of themselves alone.
//!
//! Of a hall whose disk is lost for ever counts what it had kept last: a promise was kept if it held then. Of a life that
//! was followed by another counts what it has sent, and what it had told people to be on two disks. A hall that has
//! forgotten what it signed is nobody until its next life; that its own rows contradict what it signed before is a promise
//! of its own (`own-log`).

use std::fmt;

use hallmesh_protocol::cases::{Deed, Facts, Grade, Stage};
use hallmesh_protocol::ids::HallId;
use serde::Serialize;

use super::halls::{Account, Halls, given};
use super::letters::Letters;
use super::logs::LogId;
use super::seen::{NONE, Scene};
use super::setting::Seat;
use crate::checkers::OneHand;

/// What can be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Promise {
    /// At most one hall believes to have the case in hand; a machine that was replaced may, of an earlier position.
    OneHand,
    /// There are no two events at one place of the log, at any hall or in any letter; unless a succession stands at that
    /// place, and everything beside it was signed by lives that have ended.
    OneLog,
    /// A hall that was put back to an old disk writes no other log than before. Only its own rows are looked at.
    OwnLog,
    /// What a life that has ended had told people to be on two disks, whoever has the case in hand goes on from.
    Kept,
    /// Positions only grow at a hall, and so does its log, unless one of a later term stands in its place.
    Forwards,
    /// Who took the case names a mirror of the epoch before that keeps the hand-over.
    Witnessed,
    /// Who is told that it may let go is told the truth: the target keeps the case, and so does a mirror of the next
    /// epoch; when one of them is lost, the other one.
    SafeToLetGo,
    /// A result is handed out only once a second hall keeps the decision, unless that one was lost since.
    Countersigned,
    /// Grade D2 means a second hall that keeps everything up to the head, unless a mirror was lost since.
    SecondCopy,
    /// From every state, when nothing goes wrong any more, the case comes into one hand, onto two disks, and every letter
    /// is answered; or it waits for a reason that the setting names.
    ComesToRest,
}

impl Promise {
    /// A stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::OneHand => "one-hand",
            Self::OneLog => "one-log",
            Self::OwnLog => "own-log",
            Self::Kept => "kept",
            Self::Forwards => "forwards",
            Self::Witnessed => "witnessed",
            Self::SafeToLetGo => "safe-to-let-go",
            Self::Countersigned => "countersigned",
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
        .or_else(|| all.vows().map(|how| (Promise::Kept, how)))
        .or_else(|| all.witnesses().map(|how| (Promise::Witnessed, how)))
        .or_else(|| all.let_go(letters).map(|how| (Promise::SafeToLetGo, how)))
        .or_else(|| all.second_copies().map(|how| (Promise::SecondCopy, how)))
        .or_else(|| all.delivered().map(|how| (Promise::Countersigned, how)))
        .or_else(|| all.own_logs(letters).map(|how| (Promise::OwnLog, how)));
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
    let term = |account: &Account| account.case.as_ref().map(|case| case.position.term);
    // A successor is told what there is until it goes on: what had no witness yields to what has one.
    let replaced = term(after) > term(before) || stage(before) == Stage::Recovering;
    let how = if position(after) < position(before) {
        format!("position {:?} after {:?}", position(after), position(before))
    } else if !after.log.starts_with(&before.log) && !replaced {
        "the log does not go on from what it was".to_owned()
    } else {
        return None;
    };
    Some((Promise::Forwards, how))
}

/// What each machine's rows say: halls by seat, and last one that was replaced.
pub(super) fn accounts<'a>(halls: &'a Halls, scene: &Scene) -> anyhow::Result<Vec<&'a Account>> {
    let there = scene.kept.iter().filter(|kept| **kept != NONE);
    there.map(|kept| halls.kept(*kept).map(|kept| &kept.said)).collect()
}

struct All<'a> {
    halls: &'a Halls,
    scene: &'a Scene,
    accounts: &'a [&'a Account],
}

impl All<'_> {
    /// What the halls that are there, and have forgotten nothing, say, with their seats.
    fn present(&self) -> impl Iterator<Item = (Seat, &Account)> {
        let halls = self.accounts.iter().copied().enumerate().take(self.halls.at.len());
        halls.filter(|(seat, account)| !self.scene.is_gone(*seat) && !self.has_forgotten(*seat, account))
    }

    /// Whether a hall's disk is older than what it has signed, and it has been shown that, or has met nobody yet.
    fn has_forgotten(&self, seat: Seat, account: &Account) -> bool {
        account.rolled_back || self.scene.is_alone(seat)
    }

    fn hands(&self) -> Option<String> {
        let position = |account: &Account| account.custody.map(|custody| custody.position);
        let in_hand = |account: &Account| stage(account) == Stage::Custodian;
        let hands: Vec<_> = self.present().filter(|(_, account)| in_hand(account)).collect();
        if hands.len() > 1 {
            let names: Vec<_> = hands.iter().map(|(seat, _)| self.name(*seat)).collect();
            return Some(format!("{} have the case in hand", names.join(" and ")));
        }
        let replaced = self.accounts.get(self.halls.at.len()).filter(|account| in_hand(account))?;
        let same = |(_, account): &&(Seat, &Account)| position(account) == position(replaced);
        let (seat, _) = hands.iter().find(same)?;
        Some(format!("{} and a machine that was replaced have one epoch in hand", self.name(*seat)))
    }

    /// Logs that contradict each other, kept by halls that have forgotten nothing or sent by anybody.
    fn logs(&self, letters: &Letters) -> Option<String> {
        let replaced = self.accounts.get(self.halls.at.len()).copied();
        let gone = self.accounts.iter().enumerate().filter(|(seat, _)| self.scene.is_gone(*seat));
        let kept =
            self.present().map(|(_, account)| account).chain(gone.map(|(_, gone)| *gone)).chain(replaced);
        let kept: Vec<LogId> = kept.map(|account| account.log_id).collect();
        let is_there =
            |log: LogId| kept.contains(&log) || !self.halls.archive.with_log(log).both(letters).is_empty();
        let mut conflicts = self.halls.logs.conflicts.iter();
        let found = conflicts.find(|conflict| {
            conflict.logs.iter().all(|log| is_there(*log))
                && !conflict.is_lawful(|life| self.halls.has_ended(self.scene, life))
        })?;
        Some(format!("there are two events at {}", found.place))
    }

    /// What a hall that has forgotten has written beside what it wrote before.
    fn own_logs(&self, letters: &Letters) -> Option<String> {
        let mut forgot = self.accounts.iter().enumerate().filter(|(seat, it)| self.has_forgotten(*seat, it));
        let (seat, account) = forgot.next()?;
        let others = |log: LogId| {
            self.accounts.iter().any(|other| other.log_id == log)
                || !self.halls.archive.with_log(log).both(letters).is_empty()
        };
        let mut conflicts = self.halls.logs.conflicts.iter();
        let found = conflicts.find(|conflict| match conflict.logs {
            [one, other] if one == account.log_id => others(other),
            [one, other] => other == account.log_id && others(one),
        })?;
        Some(format!(
            "{} has two events at {}, of which nobody else has the second",
            self.name(seat),
            found.place
        ))
    }

    fn vows(&self) -> Option<String> {
        let vow = Some(self.scene.vow).filter(|vow| *vow != NONE)?;
        let mut in_hand = self.present().filter(|(_, account)| stage(account) == Stage::Custodian);
        let (seat, _) = in_hand.find(|(_, account)| !account.log.contains(&vow))?;
        Some(format!("{} goes on without what a life that has ended had on two disks", self.name(seat)))
    }

    fn witnesses(&self) -> Option<String> {
        let mut in_hand = self.present().filter(|(_, account)| stage(account) == Stage::Custodian);
        in_hand.find_map(|(seat, account)| {
            let me = self.halls.at.get(seat)?.hall;
            OneHand::witnessed(&account.headers, me, |hall| match self.halls.seat(hall) {
                // What the witness kept is lost with it.
                Some(seat) if self.is_another_life(seat) => u32::MAX,
                Some(_) | None => self.keeps(hall),
            })
        })
    }

    fn let_go(&self, letters: &Letters) -> Option<String> {
        let released = self.present().filter(|(_, account)| stage(account) == Stage::Released);
        let released = released.filter_map(|(seat, account)| {
            let (sequence, to) = given(&account.headers, self.halls.at.get(seat)?.hall).last()?;
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

    /// Whether a hand-over was taken and a mirror of the new epoch keeps that. Once one of them is lost, the case must
    /// have gone on at another hall; after more losses nothing was promised.
    fn is_safe(&self, transfer: u32, to: Seat) -> bool {
        let lost = self.lost();
        if lost > 1 || self.is_another_life(to) {
            let after = usize::try_from(transfer).unwrap_or(usize::MAX).saturating_add(1);
            return lost > 1 || self.accounts.iter().any(|account| account.log.len() > after);
        }
        let take = transfer.saturating_add(1);
        let event = |sequence: u32| {
            let at = usize::try_from(sequence).unwrap_or(usize::MAX);
            self.accounts.get(to)?.headers.get(at).map(|header| &header.facts)
        };
        let Some(Facts::Transfer { mirrors, .. }) = event(transfer) else { return false };
        if !matches!(event(take), Some(Facts::Take { .. })) {
            return false;
        }
        let mut mirrors = mirrors.iter().flatten();
        mirrors.any(|mirror| self.keeps(mirror.hall) > take || self.is_lost(mirror.hall))
    }

    fn second_copies(&self) -> Option<String> {
        let second = self
            .present()
            .filter(|(_, account)| account.custody.is_some_and(|custody| custody.grade == Grade::D2));
        let keeps = |seat: Seat, events: usize| {
            let mut others = self.accounts.iter().enumerate().filter(|(other, _)| *other != seat);
            others.any(|(_, account)| account.log.len() >= events)
        };
        // Whoever signed for it may be a mirror of an epoch before.
        let lost = |account: &Account| {
            let mut mirrors = account.headers.iter().filter_map(|header| header.facts.mirrors()).flatten();
            mirrors.any(|mirror| mirror.is_some_and(|mirror| self.is_lost(mirror.hall)))
        };
        let mut alone =
            second.filter(|(seat, account)| !keeps(*seat, self.graded(*seat, account)) && !lost(account));
        let (seat, _) = alone.next()?;
        Some(format!("{} says D2, and nobody else keeps its head", self.name(seat)))
    }

    fn delivered(&self) -> Option<String> {
        let decided = |account: &Account| {
            let delivered =
                account.headers.iter().any(|header| matches!(header.facts, Facts::Act(Deed::Deliver)));
            let decided = account
                .headers
                .iter()
                .position(|header| matches!(header.facts, Facts::Act(Deed::Decide { .. })));
            decided.filter(|_| delivered && self.lost() == 0)
        };
        let mut alone = self.present().filter_map(|(seat, account)| Some((seat, decided(account)?)));
        let (seat, _) = alone.find(|(seat, decision)| {
            let mut others = self.accounts.iter().enumerate().filter(|(other, _)| other != seat);
            !others.any(|(_, account)| account.log.len() > *decision)
        })?;
        Some(format!("{} has handed out a result that nobody else keeps", self.name(seat)))
    }

    /// How many events a hall's grade speaks of: those up to its hand-over, if there is one under way.
    fn graded(&self, seat: Seat, account: &Account) -> usize {
        let hall = self.halls.at.get(seat).filter(|_| stage(account) == Stage::Handing);
        let handed = hall.and_then(|at| given(&account.headers, at.hall).last());
        handed.map_or(account.log.len(), |(sequence, _)| {
            usize::try_from(sequence).map_or(0, |at| at.saturating_add(1))
        })
    }

    /// How many disks were lost, or put back to what they held before.
    fn lost(&self) -> u8 {
        self.scene.rebirths().saturating_add(self.scene.restores)
    }

    /// Whether a hall's disk was lost, or put back, and no longer holds what it held.
    fn is_lost(&self, hall: HallId) -> bool {
        self.halls.seat(hall).is_some_and(|seat| self.is_another_life(seat))
    }

    fn is_another_life(&self, seat: Seat) -> bool {
        self.scene.later_lives(seat) > 0 || self.scene.was_put_back(seat)
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
