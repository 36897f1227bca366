//! Does the exploration find what it is there for? Each bug of the core that breaks a rule of hand-over, of mirrors or
//! of lives, with the setting that finds it and the promise that is broken then.
//!
//! **Not found, and why**:
//! * `stale-witness`: receipts of mirrors for less than the head are left out of the states (see `canon`), since no right
//!   rule reads them.
//! * `old-letter-kept`: so is a row of the post that no letter's row points at.
//! * `strangers-key-kept`: who can read a case is no promise of this exploration.
//!
//! `hallmesh-sim planted` finds all three in whole cities.

use hallmesh_protocol::planted::{Bug, plant};

use super::setting::Setting;
use super::settings::named;
use super::{Outcome, Promise, check};

/// A bug, the setting in which it is found, and the promise that it breaks.
pub type Found = (Bug, &'static str, Promise);

/// The bugs that the exploration finds.
pub const FOUND: &[Found] = &[
    (Bug::HandOverTakenTwice, "hand-over", Promise::ComesToRest),
    (Bug::AnyReceiptReleases, "corrected", Promise::ComesToRest),
    (Bug::GiverKeepsTheHand, "hand-over", Promise::ComesToRest),
    (Bug::ReleasedOnHeld, "hand-over", Promise::SafeToLetGo),
    (Bug::HeldEndsTheAsking, "hand-over", Promise::ComesToRest),
    (Bug::RepetitionNotAnswered, "hand-over", Promise::ComesToRest),
    (Bug::GiverNotTold, "hand-over", Promise::ComesToRest),
    (Bug::ReturnDoesNotSettle, "mutual", Promise::ComesToRest),
    (Bug::HighWaterFalls, "hand-over", Promise::Forwards),
    (Bug::TakenUnwitnessed, "hand-over", Promise::Witnessed),
    (Bug::NoMirrorsOnTransfer, "hand-over", Promise::ComesToRest),
    (Bug::EndedMirrorsStay, "three-lost-and-back", Promise::ComesToRest),
    (Bug::SucceedsUnfenced, "three-lost-and-back", Promise::ComesToRest),
    (Bug::FenceForgotten, "three-lost-and-back", Promise::ComesToRest),
    (Bug::MirrorKeepsNothing, "hand-over", Promise::SecondCopy),
    (Bug::MirrorKeepsFirstCopy, "hand-over", Promise::SafeToLetGo),
    (Bug::GradedAtOnce, "own-case", Promise::SecondCopy),
    (Bug::GradeKeptAfterAct, "mutual", Promise::SecondCopy),
    (Bug::GradedOnStaleCopy, "hand-over", Promise::SafeToLetGo),
    (Bug::ActsNotCopied, "mutual", Promise::ComesToRest),
    (Bug::CopiesNotStopped, "hand-over", Promise::ComesToRest),
    (Bug::WitnessesStillCopied, "hand-over", Promise::ComesToRest),
    (Bug::DeliveredUncountersigned, "own-case", Promise::Countersigned),
    (Bug::WrapsDropped, "three-lost-and-back", Promise::ComesToRest),
    (Bug::SignsAfterRollback, "restored", Promise::OneLog),
    (Bug::LetterForgottenWhenSent, "hand-over", Promise::ComesToRest),
    (Bug::NeverRepeated, "mutual", Promise::ComesToRest),
    (Bug::LettersForgottenAtStart, "hand-over", Promise::ComesToRest),
    (Bug::WayOpenedIgnored, "hand-over", Promise::ComesToRest),
    (Bug::FencedCopyRecorded, "old-machine", Promise::ComesToRest),
    (Bug::FencedHandOverHeld, "decided-target-lost", Promise::ComesToRest),
    (Bug::WordToEarlierLifeCounts, "same-hall-twice", Promise::ComesToRest),
    (Bug::SilentMirrorsStay, "silent-and-lost", Promise::ComesToRest),
    (Bug::NewMirrorWitnesses, "silent-own-and-back", Promise::Kept),
    (Bug::RulingIgnored, "closed", Promise::ComesToRest),
    (Bug::DestructionIgnored, "closed-and-destroyed", Promise::ComesToRest),
    (Bug::OrphansDropped, "three-lost-and-back", Promise::Shown),
    (Bug::HeirNotAsked, "closed", Promise::ComesToRest),
    (Bug::RecallOnTimeOut, "silent-mirror", Promise::ComesToRest),
];

/// Those that no small city meets: nobody rules there, few lives end, no mirror is silent for days.
pub const ONLY_EXPLORED: &[Bug] = &[
    Bug::FencedCopyRecorded,
    Bug::FencedHandOverHeld,
    Bug::WordToEarlierLifeCounts,
    Bug::SilentMirrorsStay,
    Bug::NewMirrorWitnesses,
    Bug::RulingIgnored,
    Bug::DestructionIgnored,
    Bug::OrphansDropped,
    Bug::HeirNotAsked,
];

/// Explores a setting with a bug planted in the core of this process, and takes it out again.
pub fn check_wrongly(setting: &Setting, bug: Bug, states_max: usize) -> anyhow::Result<Outcome> {
    plant(Some(bug));
    let outcome = check(setting, states_max);
    plant(None);
    outcome
}

/// The setting that finds a bug, if one does.
pub fn finds(bug: Bug) -> Option<&'static Setting> {
    FOUND.iter().find(|(found, ..)| *found == bug).and_then(|(_, name, _)| named(name))
}
