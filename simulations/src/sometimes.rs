//! What must have happened in a set of runs for it to prove anything: every fault, every branch of interest. A swarm that
//! never met one of them fails, however green its runs are.

use std::collections::BTreeMap;

use hallmesh_protocol::cases::{Deed, Purpose, Refusal};
use hallmesh_protocol::step::Reply;
use serde::Serialize;

use crate::plan::Fault;

/// Something of interest that a run may come by, seen from outside of the nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Branch {
    /// A case went to the hall that decides.
    ToDecide,
    /// A case went back with its result.
    ToReturn,
    /// A case went back because something was missing.
    ToCorrect,
    /// A case went to the deciding hall once more.
    ToSupplemented,
    /// An application was not accepted.
    NotAccepted,
    /// A special procedure began.
    Paused,
    /// A decision was put off.
    Extended,
    /// A certificate was made.
    Certified,
    /// A case ended without a decision.
    Closed,
    /// A clerk came too late: the application counted as accepted.
    DeemedAccepted,
    /// A second hall could restore a case.
    GradedD2,
    /// A mirror made a decision final.
    Countersigned,
    /// A giver could let go.
    Released,
    /// A target refused a case, and it came back.
    Returned,
    /// A message arrived twice.
    Doubled,
    /// A line died in a cut.
    LineDied,
    /// A hall was shown out because it is no longer one of us.
    ShownOut,
    /// A hall showed its charter to one that did not know it.
    Introduced,
    /// Machines were off for a night.
    Night,
    /// A line came up or went for the day.
    Window,
    /// A message waited because the machine was busy.
    Busy,
    /// A damaged row was noticed when it was read.
    DamageNoticed,
    /// A hall began a new life with nothing.
    InstalledAnew,
    /// A hall began a new life over rows of an earlier one.
    Rejoined,
    /// A hall went on with a case for a life that had ended.
    Recovered,
    /// A case got a new key after a theft.
    KeyRenewed,
    /// The deciding clerk was away while something lay on the desk.
    Absent,
    /// An inspector read a case.
    Inspected,
    /// Somebody tried what is not for them.
    Misuse,
    /// A task of a bundle began when what it waited for was there.
    Started,
    /// All that came of a bundle was handed out in one.
    HandedOut,
    /// What could not go on of a bundle was closed.
    Blocked,
}

impl Branch {
    /// Every branch.
    pub const ALL: [Self; 32] = [
        Self::ToDecide,
        Self::ToReturn,
        Self::ToCorrect,
        Self::ToSupplemented,
        Self::NotAccepted,
        Self::Paused,
        Self::Extended,
        Self::Certified,
        Self::Closed,
        Self::DeemedAccepted,
        Self::GradedD2,
        Self::Countersigned,
        Self::Released,
        Self::Recovered,
        Self::KeyRenewed,
        Self::Returned,
        Self::Doubled,
        Self::LineDied,
        Self::ShownOut,
        Self::Introduced,
        Self::Night,
        Self::Window,
        Self::Busy,
        Self::DamageNoticed,
        Self::InstalledAnew,
        Self::Rejoined,
        Self::Absent,
        Self::Inspected,
        Self::Misuse,
        Self::Started,
        Self::HandedOut,
        Self::Blocked,
    ];

    /// The branch of a hand-over.
    pub const fn handed_over(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Decide | Purpose::Check => Self::ToDecide,
            Purpose::Return => Self::ToReturn,
            Purpose::Correct => Self::ToCorrect,
            Purpose::Supplemented => Self::ToSupplemented,
        }
    }

    /// The branch of an answer to a clerk's act, if it is one that not every case meets.
    pub const fn acted(deed: &Deed, reply: &Reply) -> Option<Self> {
        match (reply, deed) {
            (Reply::Refused(Refusal::DeemedAccepted(_)), _) => Some(Self::DeemedAccepted),
            (Reply::Recorded { .. }, Deed::RefuseAcceptance { .. }) => Some(Self::NotAccepted),
            (Reply::Recorded { .. }, Deed::BeginProcedure { .. }) => Some(Self::Paused),
            (Reply::Recorded { .. }, Deed::Extend { .. }) => Some(Self::Extended),
            (Reply::Recorded { .. }, Deed::Certify) => Some(Self::Certified),
            (Reply::Recorded { .. }, Deed::Withdraw | Deed::Close(_)) => Some(Self::Closed),
            (Reply::RecordedBundle { .. }, Deed::Deliver) => Some(Self::HandedOut),
            (Reply::RecordedBundle { .. }, Deed::Close(_)) => Some(Self::Blocked),
            (_, _) => None,
        }
    }

    /// A stable word, for tables and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::ToDecide => "to-decide",
            Self::ToReturn => "to-return",
            Self::ToCorrect => "to-correct",
            Self::ToSupplemented => "to-supplemented",
            Self::NotAccepted => "not-accepted",
            Self::Paused => "paused",
            Self::Extended => "extended",
            Self::Certified => "certified",
            Self::Closed => "closed",
            Self::DeemedAccepted => "deemed-accepted",
            Self::GradedD2 => "graded-d2",
            Self::Countersigned => "countersigned",
            Self::Released => "released",
            Self::Recovered => "recovered",
            Self::KeyRenewed => "key renewed",
            Self::Returned => "returned",
            Self::Doubled => "doubled",
            Self::LineDied => "line-died",
            Self::ShownOut => "shown-out",
            Self::Introduced => "introduced",
            Self::Night => "night",
            Self::Window => "window",
            Self::Busy => "busy",
            Self::DamageNoticed => "damage-noticed",
            Self::InstalledAnew => "installed-anew",
            Self::Rejoined => "rejoined",
            Self::Absent => "absent",
            Self::Inspected => "inspected",
            Self::Misuse => "misuse",
            Self::Started => "started",
            Self::HandedOut => "handed-out",
            Self::Blocked => "blocked",
        }
    }
}

/// How often each fault and branch was met.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sometimes {
    /// Faults that really came about.
    pub faults: BTreeMap<&'static str, u64>,
    /// Branches of interest.
    pub branches: BTreeMap<&'static str, u64>,
}

impl Sometimes {
    /// A fault came about.
    pub fn fault(&mut self, fault: Fault) {
        add(&mut self.faults, fault.word(), 1);
    }

    /// A branch was met.
    pub fn hit(&mut self, branch: Branch) {
        add(&mut self.branches, branch.word(), 1);
    }

    /// Faults of all kinds.
    pub fn faults_in_all(&self) -> u64 {
        self.faults.values().fold(0, |sum, times| sum.saturating_add(*times))
    }

    /// Takes another run's along.
    pub fn merge(&mut self, other: &Self) {
        other.faults.iter().for_each(|(word, times)| add(&mut self.faults, word, *times));
        other.branches.iter().for_each(|(word, times)| add(&mut self.branches, word, *times));
    }

    /// What was never met, of the faults named and of all branches.
    pub fn never(&self, faults: &[Fault]) -> Vec<&'static str> {
        let faults = faults.iter().map(|fault| fault.word()).filter(|word| !self.faults.contains_key(word));
        let branches = Branch::ALL.iter().map(|branch| branch.word());
        faults.chain(branches.filter(|word| !self.branches.contains_key(word))).collect()
    }
}

fn add(counts: &mut BTreeMap<&'static str, u64>, word: &'static str, times: u64) {
    let count = counts.entry(word).or_default();
    *count = count.saturating_add(times);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_met_is_named_until_some_run_meets_it() {
        let mut all = Sometimes::default();
        assert_eq!(all.never(&Fault::ALL).len(), Fault::ALL.len() + Branch::ALL.len());
        let mut one = Sometimes::default();
        one.fault(Fault::Clog);
        one.hit(Branch::Night);
        all.merge(&one);
        all.merge(&one);
        assert_eq!(all.faults_in_all(), 2);
        let never = all.never(&Fault::ALL);
        assert!(!never.contains(&"clog") && !never.contains(&"night") && never.contains(&"crash"));
    }
}
