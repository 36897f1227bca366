//! Lawful log: whatever a hall's own rules let pass, a case's log tells only what the law of cases allows. The law
//! is written down here once more, from the events alone; no number is given twice.

use std::collections::BTreeMap;

use hallmesh_protocol::cases::{Closing, Deed, Facts, Header, StatementKind};
use hallmesh_protocol::ids::{CaseId, CaseNumber, HallId};

/// Working days by which a decision may be put off, article 42.
const EXTENSION_MAX: u16 = 10;

/// The longest log of each case that any hall keeps, and who has which number.
#[derive(Debug, Default)]
pub struct LawfulLog {
    logs: BTreeMap<CaseId, Vec<Header>>,
    numbers: BTreeMap<CaseNumber, CaseId>,
}

impl LawfulLog {
    /// A hall keeps this log. Says what is wrong with the events that no hall kept before.
    pub fn kept(&mut self, case: CaseId, log: Vec<Header>) -> Vec<String> {
        let known = self.log(case).len();
        if log.len() <= known {
            return Vec::new();
        }
        let mut found = Vec::new();
        for at in known..log.len() {
            let (before, rest) = log.split_at_checked(at).unwrap_or_default();
            let wrong = rest.first().and_then(|event| unlawful(before, event).or_else(|| self.number(event)));
            found.extend(wrong.map(|wrong| format!("case {case}: event {at} {wrong}")));
        }
        self.logs.insert(case, log);
        found
    }

    /// A disk is lost: of each case counts only what is still kept somewhere, where the case lay on that disk, too.
    pub fn disk_lost(&mut self, left: impl Fn(CaseId) -> Option<u32>) {
        for (case, log) in &mut self.logs {
            let left = left(*case).and_then(|left| usize::try_from(left).ok());
            log.truncate(left.unwrap_or(usize::MAX));
        }
    }

    /// The longest log of a case.
    pub fn log(&self, case: CaseId) -> &[Header] {
        self.logs.get(&case).map(Vec::as_slice).unwrap_or_default()
    }

    fn number(&mut self, event: &Header) -> Option<&'static str> {
        let Facts::Receive { number, .. } = &event.facts else { return None };
        let first = *self.numbers.entry(*number).or_insert(event.case);
        (first != event.case).then_some("has a number that another case has")
    }
}

/// What is wrong with an event after those before it.
fn unlawful(before: &[Header], event: &Header) -> Option<&'static str> {
    let first = before.first().unwrap_or(event);
    let Facts::Receive { competent, place, .. } = &first.facts else { return Some("is not after a receipt") };
    if *place != competent.division() {
        return Some("says more of the applicant's place than which hall decides");
    }
    if (event.matter, event.calendar) != (first.matter, first.calendar) {
        return Some("names other versions than the case pinned");
    }
    let (receiving, competent) = (in_place_of(first.at.hall, before), in_place_of(*competent, before));
    match &event.facts {
        Facts::Act(deed) => lawful_act(before, event, deed, (receiving, competent)),
        Facts::Receive { .. } => act(event, receiving, before.is_empty()),
        Facts::Task(_) => act(event, receiving, before.len() == 1),
        Facts::Start { .. } if event.at.hall != receiving => Some("begins a task away from the window"),
        Facts::Start { .. } => (!waits(before)).then_some("begins a task that does not wait"),
        Facts::Transfer { .. } if waits(before) && phase(before) == Phase::Asked => {
            Some("hands over a task that waits for others")
        }
        Facts::Transfer { .. }
        | Facts::Take { .. }
        | Facts::Resume { .. }
        | Facts::ReplaceMirror { .. }
        | Facts::Succeed { .. }
        | Facts::Reassign { .. }
        | Facts::RenewKey { .. }
        | Facts::Unknown { .. } => None,
    }
}

/// Whether these events make the case a task that waits for others of its bundle.
fn waits(before: &[Header]) -> bool {
    let chained = |event: &Header| matches!(&event.facts, Facts::Task(task) if task.is_chained());
    before.iter().any(chained) && !before.iter().any(|event| matches!(event.facts, Facts::Start { .. }))
}

/// Where a case is, told from the words of its events alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The authority owes the applicant a word.
    Asked,
    /// The applicant owes something that is missing.
    Lacking,
    Examined,
    Paused,
    /// There is something to hand to the citizen.
    Answered,
    Over,
    Filed,
}

fn phase(before: &[Header]) -> Phase {
    before.iter().fold(Phase::Asked, |phase, event| {
        match included(event).unwrap_or_else(|| event.facts.word()) {
            "supplement" if phase == Phase::Lacking => Phase::Asked,
            "request-correction" => Phase::Lacking,
            "accept" | "accept-lacking" | "accept-promise" | "end-procedure" => Phase::Examined,
            "begin-procedure" => Phase::Paused,
            "decide" | "refuse-acceptance" | "refer" | "withdraw" | "close" | "withdrawal" | "revoke" => {
                Phase::Answered
            }
            "deliver" | "delivery" => Phase::Over,
            "archive" => Phase::Filed,
            _no_act => phase,
        }
    })
}

/// What another hall has stated, where an event takes it up.
fn included(event: &Header) -> Option<&'static str> {
    let Facts::Act(Deed::Include(cited)) = &event.facts else { return None };
    Some(cited.kind.word())
}

/// What is wrong with an act of a clerk of the receiving or the competent hall.
fn lawful_act(
    before: &[Header],
    event: &Header,
    deed: &Deed,
    (receiving, competent): (HallId, HallId),
) -> Option<&'static str> {
    let ends = matches!(
        deed,
        Deed::Withdraw | Deed::Close(Closing::Void | Closing::Removed) | Deed::Include(_) | Deed::Dismiss(..)
    );
    if waits(before) && phase(before) == Phase::Asked && !ends {
        return Some("works on a task that waits for others");
    }
    let (now, last) = (phase(before), |word: &str| before.iter().rfind(|event| event.facts.word() == word));
    let granted = || {
        last("decide")
            .is_some_and(|it| matches!(it.facts, Facts::Act(Deed::Decide { granted, .. }) if granted))
    };
    let owed = || {
        let decided = last("decide").map(|it| &it.facts);
        matches!(decided, Some(Facts::Act(Deed::Decide { certificate: true, .. })))
            && last("certify").is_none()
    };
    let lacks = last("accept-lacking").is_some() && last("supply").is_none();
    let promised = last("accept-promise").is_some() && granted();
    let unchecked = promised && last("check").is_none() && last("revoke").is_none();
    let open = matches!(now, Phase::Asked | Phase::Lacking | Phase::Examined | Phase::Paused);
    let here = if event.at.hall == receiving { receiving } else { competent };
    let (hall, in_time) = match deed {
        Deed::RequestCorrection if last("request-correction").is_some() => {
            return Some("asks for corrections once more");
        }
        Deed::Extend { days } if *days > EXTENSION_MAX => {
            return Some("puts a decision off by more than the law allows");
        }
        Deed::Decide { granted: true, .. } if lacks => return Some("grants what still lacks something"),
        Deed::Accept
        | Deed::AcceptLacking { .. }
        | Deed::AcceptPromise
        | Deed::RequestCorrection
        | Deed::RefuseAcceptance { .. } => (competent, now == Phase::Asked),
        Deed::Supplement => (receiving, now == Phase::Lacking),
        Deed::Supply => (here, lacks && matches!(now, Phase::Examined | Phase::Paused)),
        Deed::BeginProcedure { .. } | Deed::Decide { .. } | Deed::Refer { .. } => {
            (competent, now == Phase::Examined)
        }
        Deed::Close(Closing::OnPaper) => (competent, now == Phase::Examined),
        Deed::EndProcedure => (competent, now == Phase::Paused),
        Deed::Extend { .. } => (competent, now == Phase::Examined && last("extend").is_none()),
        Deed::Certify => (here, now == Phase::Answered && granted() && last("certify").is_none()),
        Deed::Close(Closing::NotSupplemented) => {
            (here, now == Phase::Lacking || (now == Phase::Examined && lacks))
        }
        Deed::Withdraw | Deed::Close(Closing::Void | Closing::Removed) => (here, open),
        Deed::Deliver => (receiving, now == Phase::Answered && !owed()),
        Deed::Rectify { .. } => (here, matches!(now, Phase::Answered | Phase::Over)),
        Deed::Check | Deed::Revoke => (competent, unchecked),
        Deed::Archive => (here, now == Phase::Over && !unchecked),
        Deed::Include(cited) => match cited.kind {
            StatementKind::Supplement if now == Phase::Lacking => (receiving, true),
            StatementKind::Supplement => (here, lacks),
            // One that was made before the decision counts against it; the fold knows when that was.
            StatementKind::Withdrawal => (here, open || now == Phase::Answered),
            StatementKind::Delivery => (receiving, now == Phase::Answered && !owed()),
            StatementKind::Verification | StatementKind::Urging => (here, now != Phase::Filed),
        },
        Deed::Dismiss(..) => (here, now != Phase::Filed),
    };
    act(event, hall, in_time)
}

/// Who acts for a hall on the route once these events have happened: rulings put others in its place.
fn in_place_of(hall: HallId, before: &[Header]) -> HallId {
    before.iter().fold(hall, |acts, event| {
        let put = if let Facts::Succeed { from, .. } = event.facts {
            Some((from.hall, event.at.hall))
        } else if let Facts::Reassign { from, to, .. } = event.facts {
            Some((from.hall, to))
        } else {
            None
        };
        put.filter(|(lost, _)| *lost == acts).map_or(acts, |(_, heir)| heir)
    })
}

/// What is wrong with what a clerk of `hall` does, where it may come now or not.
fn act(event: &Header, hall: HallId, in_time: bool) -> Option<&'static str> {
    if event.clerk.is_node() {
        Some("has no clerk behind it")
    } else if event.at.hall != hall {
        Some("is an act of the wrong hall")
    } else {
        (!in_time).then_some("comes when it may not")
    }
}

#[cfg(test)]
pub(super) mod tests {
    use hallmesh_protocol::calendar::CivilDay;
    use hallmesh_protocol::cases::Position;
    use hallmesh_protocol::ids::{ClerkId, Digest, HallAt};

    use super::*;

    const CASE: CaseId = CaseId([7; 16]);
    pub(in crate::checkers) const TOWN: u64 = 62_070_200_100_000;
    pub(in crate::checkers) const COUNTY: u64 = 62_070_200_000_000;

    pub(in crate::checkers) fn at(hall: u64) -> HallAt {
        HallAt { hall: HallId::from_u64(hall).expect("a hall"), incarnation: 1 }
    }

    pub(in crate::checkers) fn event(hall: u64, sequence: u32, facts: Facts) -> Header {
        let (at, zero) = (at(hall), Digest([0; 32]));
        Header {
            suite: 1,
            case: CASE,
            position: Position::default(),
            sequence,
            boot: 1,
            at,
            clerk: ClerkId { hall: at.hall, number: 1 },
            body: None,
            wall: 0,
            suspect_time: false,
            matter: zero,
            calendar: zero,
            previous: zero,
            sealed: zero,
            facts,
        }
    }

    /// Taken in in the town, decided in the county.
    pub(in crate::checkers) fn receive() -> Facts {
        Facts::Receive {
            number: CaseNumber::allocate(at(TOWN), 1, CivilDay::of_wall(0), 1),
            matter: "SIM-county-001".parse().expect("a matter"),
            place: at(COUNTY).hall.division(),
            competent: at(COUNTY).hall,
            mirrors: [None, None],
        }
    }

    /// What is said of the last event of a log of these.
    fn said(events: Vec<(u64, Facts)>) -> Vec<String> {
        let log = (0..).zip(events).map(|(sequence, (hall, facts))| event(hall, sequence, facts)).collect();
        LawfulLog::default().kept(CASE, log)
    }

    #[test]
    fn a_whole_life_passes() {
        let decide = Facts::Act(Deed::GRANT);
        let life = [
            (TOWN, receive()),
            (COUNTY, Facts::Act(Deed::RequestCorrection)),
            (TOWN, Facts::Act(Deed::Supplement)),
            (COUNTY, Facts::Act(Deed::Accept)),
            (COUNTY, decide),
            (TOWN, Facts::Act(Deed::Deliver)),
        ];
        assert_eq!(said(life.into()), Vec::<String>::new());
    }

    #[test]
    fn acts_of_the_wrong_hall_or_out_of_turn_are_seen() {
        let wrong = |events: &[(u64, Facts)]| said([&[(TOWN, receive())], events].concat()).len();
        assert_eq!(wrong(&[(TOWN, Facts::Act(Deed::Accept))]), 1);
        assert_eq!(wrong(&[(COUNTY, Facts::Act(Deed::GRANT))]), 1);
        assert_eq!(wrong(&[(TOWN, Facts::Act(Deed::Deliver))]), 1);
        assert_eq!(wrong(&[(TOWN, Facts::Act(Deed::Supplement))]), 1);
        assert_eq!(wrong(&[(COUNTY, Facts::Act(Deed::Accept)), (COUNTY, Facts::Act(Deed::Accept))]), 1);
        assert_eq!(
            wrong(&[
                (COUNTY, Facts::Act(Deed::RequestCorrection)),
                (COUNTY, Facts::Act(Deed::RequestCorrection))
            ]),
            1
        );
    }

    #[test]
    fn an_act_without_a_clerk_and_another_version_are_seen() {
        let mut accept = event(COUNTY, 1, Facts::Act(Deed::Accept));
        let log = |accept: &Header| vec![event(TOWN, 0, receive()), accept.clone()];
        assert!(LawfulLog::default().kept(CASE, log(&accept)).is_empty());
        accept.clerk.number = 0;
        assert_eq!(LawfulLog::default().kept(CASE, log(&accept)).len(), 1);
        accept.clerk.number = 1;
        accept.matter = Digest([1; 32]);
        assert_eq!(LawfulLog::default().kept(CASE, log(&accept)).len(), 1);
    }

    #[test]
    fn a_place_in_clear_and_a_number_given_twice_are_seen() {
        let mut check = LawfulLog::default();
        assert!(check.kept(CASE, vec![event(TOWN, 0, receive())]).is_empty());
        let mut other = event(TOWN, 0, receive());
        other.case = CaseId([8; 16]);
        assert_eq!(check.kept(other.case, vec![other.clone()]).len(), 1);
        let Facts::Receive { number, matter, competent, mirrors, .. } = receive() else { return };
        let place = at(TOWN).hall.division();
        let clear = Facts::Receive { number, matter, place, competent, mirrors };
        assert_eq!(said(vec![(TOWN, clear)]).len(), 1);
    }
}
