//! Planted bugs: small ways in which the core would be wrong, switched on by name at run time, for showing that the
//! simulator finds each of them.
//!
//! They exist only with the feature `planted-bugs`, which no node has; without it the question whether one is
//! planted is the constant "no", and this module is not public.

/// The list, each bug with its stable word.
macro_rules! bugs {
    ($($(#[$doc:meta])* $bug:ident = $word:literal,)+) => {
        /// One thing done wrong.
        #[cfg_attr(not(feature = "planted-bugs"), allow(unreachable_pub, dead_code, reason = "only asked after"))]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Bug {
            $($(#[$doc])* $bug,)+
        }

        #[cfg(feature = "planted-bugs")]
        impl Bug {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$bug,)+];

            /// Its name, for command lines and reports.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$bug => $word,)+
                }
            }
        }
    };
}

bugs! {
    // Hand-over.
    /// A repeated hand-over is taken again by a hall that has gone on since.
    HandOverTakenTwice = "hand-over-taken-twice",
    /// A receipt for another hand-over, or from another hall, lets the giver go.
    AnyReceiptReleases = "any-receipt-releases",
    /// A giver that got no answer for a while takes the case back.
    RecallOnTimeOut = "recall-on-time-out",
    /// A giver stays custodian after its TRANSFER.
    GiverKeepsTheHand = "giver-keeps-the-hand",
    /// The giver lets go when the target holds the case, before a mirror of the next epoch keeps it.
    ReleasedOnHeld = "released-on-held",
    /// The giver asks no further after `Held`, though `Mirrored` may be lost.
    HeldEndsTheAsking = "held-ends-the-asking",
    /// The target does not repeat its receipt for a hand-over that comes again.
    RepetitionNotAnswered = "repetition-not-answered",
    /// The target does not tell its giver that a mirror keeps what it took.
    GiverNotTold = "giver-not-told",
    /// A case that comes back before the receipt of its going does not settle that hand-over.
    ReturnDoesNotSettle = "return-does-not-settle",
    /// A copy that comes late lowers the highest position a hall has seen.
    HighWaterFalls = "high-water-falls",

    // Witnesses, mirrors, keys.
    /// The target takes the case without any mirror's receipt.
    TakenUnwitnessed = "taken-unwitnessed",
    /// A mirror's receipt for an older log counts as witness of the hand-over.
    StaleWitness = "stale-witness",
    /// TRANSFER names no mirrors for the epoch that it opens.
    NoMirrorsOnTransfer = "no-mirrors-on-transfer",
    /// A mirror whose life has ended is not replaced.
    EndedMirrorsStay = "ended-mirrors-stay",
    /// A successor goes on before the ended life is fenced off.
    SucceedsUnfenced = "succeeds-unfenced",
    /// A mirror forgets that it has fenced a life off.
    FenceForgotten = "fence-forgotten",
    /// A mirror records what a life says that it has fenced off.
    FencedCopyRecorded = "fenced-copy-recorded",
    /// A target takes what a life hands over that it has fenced off.
    FencedHandOverHeld = "fenced-hand-over-held",
    /// A word that a mirror gave to an earlier life lets a later one go on.
    WordToEarlierLifeCounts = "word-to-earlier-life-counts",
    /// A mirror that does not answer for days is not replaced.
    SilentMirrorsStay = "silent-mirrors-stay",
    /// A mirror that was named in the place of another is a witness at once.
    NewMirrorWitnesses = "new-mirror-witnesses",
    /// Nobody goes on where a hall above has ruled that somebody does.
    RulingIgnored = "ruling-ignored",
    /// Whose disk is declared destroyed is waited for all the same.
    DestructionIgnored = "destruction-ignored",
    /// What an ended life has done beside the log that counts is dropped.
    OrphansDropped = "orphans-dropped",
    /// A giver whose target is closed asks nobody else.
    HeirNotAsked = "heir-not-asked",
    /// A mirror signs for a copy that it does not keep.
    MirrorKeepsNothing = "mirror-keeps-nothing",
    /// A mirror that has a copy signs for newer ones without keeping them.
    MirrorKeepsFirstCopy = "mirror-keeps-first-copy",
    /// A case counts as D2 from its receipt.
    GradedAtOnce = "graded-at-once",
    /// A case stays D2 when an act is added that no mirror has.
    GradeKeptAfterAct = "grade-kept-after-act",
    /// A mirror's receipt for an older log makes a case D2.
    GradedOnStaleCopy = "graded-on-stale-copy",
    /// Copies go to the mirrors at receipt and hand-over, not after acts.
    ActsNotCopied = "acts-not-copied",
    /// Copies for the mirrors of a released hand-over are sent for ever.
    CopiesNotStopped = "copies-not-stopped",
    /// The target goes on telling the old mirrors after it took the case.
    WitnessesStillCopied = "witnesses-still-copied",
    /// A result is delivered before any mirror has countersigned the decision.
    DeliveredUncountersigned = "delivered-uncountersigned",
    /// A case keeps its key though a stolen machine can open it.
    KeyNotRenewed = "key-not-renewed",
    /// Wrapped keys that come with a case are not kept.
    WrapsDropped = "wraps-dropped",
    /// A key for a hall that is not on the route is kept.
    StrangersKeyKept = "strangers-key-kept",

    // Time.
    /// A hall believes its clock, whatever it knows better.
    ClockNeverDoubted = "clock-never-doubted",
    /// A time counts as it was claimed, whatever the next hall's clock shows.
    ClaimedTimeCounts = "claimed-time-counts",

    // The audit.
    /// A hall goes on signing after it was shown that it has forgotten what it signed.
    SignsAfterRollback = "signs-after-rollback",

    // The post.
    /// An own letter leaves the queue when it is sent, not when it is answered.
    LetterForgottenWhenSent = "letter-forgotten-when-sent",
    /// A letter is sent once and never again.
    NeverRepeated = "never-repeated",
    /// A letter in place of an older one about the same thing leaves the older one in the queue.
    OldLetterKept = "old-letter-kept",
    /// What waited in the queue is not looked for when the node starts.
    LettersForgottenAtStart = "letters-forgotten-at-start",
    /// Letters that waited for a way do not go when there is one.
    WayOpenedIgnored = "way-opened-ignored",
    /// A relay says `Taken` for a letter of others and does not keep it.
    RelayKeepsNothing = "relay-keeps-nothing",

    // Directory and lists.
    /// A lower version may replace a higher one.
    OlderVersionReplaces = "older-version-replaces",
    /// A hall below replaces what a hall above has stated.
    LowerHallReplaces = "lower-hall-replaces",
    /// A new record's element is left out of the root of its set.
    RootWithoutElement = "root-without-element",
    /// The element of a replaced record stays in the set.
    ElementNotRemoved = "element-not-removed",
    /// Versions that cases pin are not kept.
    VersionsNotKept = "versions-not-kept",
    /// An exchange ends before what this hall lacks is asked for.
    ExchangeEndsEarly = "exchange-ends-early",
    /// An exchange brings what this hall lacks and does not give what the other one lacks.
    ExchangeGivesNothing = "exchange-gives-nothing",
    /// A revoked hall still counts as one of us.
    RevocationIgnored = "revocation-ignored",

    // Acts, numbers, the log.
    /// Any clerk may do any act.
    RoleNotChecked = "role-not-checked",
    /// A clerk's signed act is good more than once.
    ActTakenTwice = "act-taken-twice",
    /// A clerk's act for an earlier boot of the node is taken.
    BootOfActNotChecked = "boot-of-act-not-checked",
    /// A case can be decided that was not accepted.
    DecidedUnaccepted = "decided-unaccepted",
    /// The log forgets that a correction was asked for.
    CorrectionNotCounted = "correction-not-counted",
    /// A decided case does not go back to the window.
    ResultNotReturned = "result-not-returned",
    /// An act names the matter's version of today, not the one the case pinned.
    VersionNotPinned = "version-not-pinned",
    /// The header says where the applicant lives.
    PlaceInClear = "place-in-clear",
    /// A matter of one area is taken in for a place outside of it.
    AreaNotChecked = "area-not-checked",
    /// A decision that was delegated goes to the tier of the list all the same.
    DelegationIgnored = "delegation-ignored",
    /// The sequence of case numbers does not go on.
    NumberNotCounted = "number-not-counted",
    /// Case numbers of two boots are not kept apart.
    BootNotInNumber = "boot-not-in-number",

    /// A result is delivered though a certificate is still to be made.
    CertificateNotOwed = "certificate-not-owed",
    /// What is granted may still be missing.
    GrantedLacking = "granted-lacking",

    // Bundles.
    /// A task begins before those that it waits for are granted.
    TaskStartedEarly = "task-started-early",
    /// A task never begins, though all that it waits for is there.
    TaskNotStarted = "task-not-started",
    /// A bundle counts as ready when something of it is.
    PackIncomplete = "pack-incomplete",
    /// A task is not found by the number of its bundle.
    TaskNotIndexed = "task-not-indexed",

    // Clocks of the law.
    /// Who is told nothing in time waits for ever.
    SilenceIgnored = "silence-ignored",
    /// A decision is put off by as much as somebody likes.
    ExtensionUnbounded = "extension-unbounded",
    /// A case is closed for want of what is missing as soon as somebody wants to.
    ClosedEarly = "closed-early",
    /// A day off counts as a working day.
    HolidayCounted = "holiday-counted",
    /// The day of acceptance counts towards the limit.
    FirstDayCounted = "first-day-counted",
    /// The limit runs from receipt, not from acceptance.
    DueFromReceipt = "due-from-receipt",

    // Rows.
    /// A step does not see what earlier steps of its batch have written.
    OwnWritesUnseen = "own-writes-unseen",
    /// A case stays on the desk of a stage it has left.
    DeskNotUpdated = "desk-not-updated",
    /// The count of a stage is not lowered when a case leaves it.
    StageNotCounted = "stage-not-counted",
    /// A case that a mirror keeps stays among those on one disk only.
    SingleKept = "single-kept",
    /// A case stays listed as open when nothing is owed any more.
    OpenKept = "open-kept",
    /// A case cannot be found by its number.
    NumberNotIndexed = "number-not-indexed",

    // The shell.
    /// Outputs leave before the commit they rest on is on the disk.
    AnsweredBeforeCommit = "answered-before-commit",
    /// A crash leaves half a commit on the disk.
    TornCommit = "torn-commit",
}

#[cfg(feature = "planted-bugs")]
mod switch {
    use std::str::FromStr;
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::Bug;

    const NONE: u8 = u8::MAX;

    /// One for the whole process: a city runs with one bug or with none.
    static PLANTED: AtomicU8 = AtomicU8::new(NONE);

    /// No bug has this name.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
    #[error("no bug has this name")]
    pub struct UnknownBug;

    impl FromStr for Bug {
        type Err = UnknownBug;

        fn from_str(word: &str) -> Result<Self, UnknownBug> {
            Self::ALL.iter().copied().find(|bug| bug.word() == word).ok_or(UnknownBug)
        }
    }

    /// Plants a bug in every node of this process, in place of the one before; none takes it out.
    pub fn plant(bug: Option<Bug>) {
        PLANTED.store(bug.map_or(NONE, number), Ordering::Relaxed);
    }

    /// Whether a bug is planted; public for the bugs of a shell, which its own code has to carry out.
    pub fn planted(bug: Bug) -> bool {
        PLANTED.load(Ordering::Relaxed) == number(bug)
    }

    const fn number(bug: Bug) -> u8 {
        #[expect(clippy::as_conversions, reason = "the discriminant of a fieldless enum")]
        {
            bug as u8
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn every_bug_is_found_by_its_word_and_no_two_share_one() {
            for bug in Bug::ALL {
                assert_eq!(bug.word().parse(), Ok(*bug));
            }
            assert_eq!("no-such-bug".parse::<Bug>(), Err(UnknownBug));
        }

        #[test]
        fn one_is_planted_at_a_time() {
            // One that the core itself never asks after: other tests run in this process.
            plant(Some(Bug::TornCommit));
            assert!(planted(Bug::TornCommit) && !planted(Bug::AnsweredBeforeCommit));
            plant(None);
            assert!(Bug::ALL.iter().all(|bug| !planted(*bug)));
        }
    }
}

#[cfg(feature = "planted-bugs")]
pub use switch::{UnknownBug, plant, planted};

/// None ever is.
#[cfg(not(feature = "planted-bugs"))]
pub(crate) const fn planted(_bug: Bug) -> bool {
    false
}
