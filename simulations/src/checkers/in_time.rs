//! In time (P7): the day by which a case is to be decided, the applicant to be told, what is missing to be brought and the result
//! to be delivered is the one that the model counts, from the signed acceptance or
//! the day since which the case counts as accepted, without special procedures, on every hall; no hall has another acceptance
//! than the others; and a machine whose clock is wrong does not give itself more days than it has.

use std::collections::BTreeMap;

use hallmesh_protocol::calendar::CivilDay;
use hallmesh_protocol::cases::{Case, ClockKind, Closing, Deed, Ending, Facts, Header};
use hallmesh_protocol::ids::CaseId;
use hallmesh_protocol::query;
use hallmesh_protocol::step::View;

use crate::clock::FOUNDED;
use crate::plan::{DAY, HOUR};
use crate::reference::Reference;
use crate::years;

/// Milliseconds by which an acceptance may be dated late: clocks are set by people.
const LATE_MAX: u64 = HOUR;

/// Working days within which an applicant is told what becomes of the application.
const NOTICE_DAYS: u16 = 5;

/// Working days that an applicant has for what is missing, and an authority for handing out the result.
const CORRECTION_DAYS: u16 = 20;
const DELIVERY_DAYS: u16 = 10;

/// Days that an applicant certainly has for what is missing: twenty working days are more.
const CORRECTION_DAYS_MIN: u64 = 26;

/// What is known of the times of all cases.
#[derive(Debug, Default)]
pub struct InTime {
    /// When each was accepted, as its log says.
    accepted: BTreeMap<CaseId, u64>,
    /// When the applicant was asked for what is missing, by the age of the world.
    asked: BTreeMap<CaseId, u64>,
}

impl InTime {
    /// A hall committed a case when the world was `at` milliseconds old: what is wrong with the day from which its time
    /// is counted.
    pub fn committed(&mut self, at: u64, case: &Case) -> Option<String> {
        let moment = case.accepted?;
        let accepted = moment.claimed;
        if self.accepted.contains_key(&case.id) {
            return None;
        }
        self.accepted.insert(case.id, accepted);
        // In doubt, a hall claims what has passed at least: that is never late.
        let late = accepted.saturating_sub(FOUNDED.saturating_add(at));
        (late > LATE_MAX).then(|| format!("case {}: accepted {late} ms before its own date", case.id))
    }

    /// A hall committed a case when the world was `at` milliseconds old: whether an applicant had no time for what is missing,
    /// whatever the clocks of machines said.
    pub fn closed(&mut self, at: u64, case: &Case) -> Option<String> {
        let since = case.asked.map(|_| *self.asked.entry(case.id).or_insert(at))?;
        let days = at.saturating_sub(since) / DAY;
        let early = case.ending == Some(Ending::NotSupplemented) && days < CORRECTION_DAYS_MIN;
        early.then(|| format!("case {}: closed {days} days after the applicant was asked", case.id))
    }

    /// What is wrong with what a hall says about a case's limits on a day.
    pub fn asked(&mut self, case: CaseId, view: &dyn View, today: CivilDay) -> Option<String> {
        let held = query::case(view, case)?;
        if let Some(accepted) = held.case.accepted.map(|moment| moment.claimed) {
            let first = *self.accepted.entry(case).or_insert(accepted);
            if first != accepted {
                return Some(format!("case {case} was accepted at {first} and at {accepted}"));
            }
        }
        let (limits, matter) = (query::limits(view, &held, today)?, &held.matter.as_ref()?.matter);
        let known = limits.calendar.years().last().map_or(years::FIRST - 1, |year| year.year);
        let log: Vec<Header> = query::log(view, case).into_iter().map(|entry| entry.header).collect();
        let right = Times::of(&log, known, today);
        let wrong = right.dates(known).into_iter().find_map(|(kind, right)| {
            let clock = limits.newest(kind);
            let said = clock.map(|clock| (clock.due.map(|due| due.day), clock.met));
            let right = right.map(|(due, met)| (Some(due), met));
            (said != right)
                .then(|| format!("case {case}: {} is said to be {said:?}, it is {right:?}", kind.word()))
        });
        if wrong.is_some() {
            return wrong;
        }
        let days = [(ClockKind::Promise, matter.promised_days), (ClockKind::Decision, matter.legal_days)];
        days.into_iter().find_map(|(kind, days)| {
            let clock = limits.newest(kind);
            let said = (clock.is_some(), clock.and_then(|clock| clock.due).map(|due| due.day));
            let right = (right.starts.is_some(), right.due(days, known));
            (said != right)
                .then(|| format!("case {case}: {} is said to be {said:?}, it is {right:?}", kind.word()))
        })
    }
}

/// What a time that an event claims counts as.
#[derive(Clone, Copy)]
struct Counted {
    /// From when what is owed counts.
    owed: u64,
    /// When what was done counts as done.
    done: u64,
    /// From when what the applicant was given counts.
    given: u64,
    certain: bool,
}

impl Counted {
    /// What a hall claims is bounded by the next other hall that takes the case over, and what it claims in doubt by the next
    /// event that is not in doubt: that of another hall says when it knew, its own only that it was no later.
    fn of(log: &[Header], place: usize) -> Option<Self> {
        let event = log.get(place)?;
        let pairs = log.windows(2).skip(place);
        let later = pairs.filter_map(|pair| if let [one, next] = pair { Some((one, next)) } else { None });
        let mut sure = later.filter(|(_, next)| !next.suspect_time);
        let plain = |wall, certain| Self { owed: wall, done: wall, given: wall, certain };
        if !event.suspect_time {
            // Up to the first of another hall.
            let shown = sure.scan(false, |over, (one, next)| {
                let here = !std::mem::replace(over, *over || one.at.hall != next.at.hall);
                here.then_some(next.wall)
            });
            let least = shown.chain([event.wall]).min().unwrap_or(event.wall);
            return Some(plain(least, true));
        }
        let Some((one, next)) = sure.next() else { return Some(plain(event.wall, false)) };
        let first = event.wall.min(next.wall);
        let owed = if one.at.hall == next.at.hall { first } else { next.wall };
        Some(Self { owed, done: first, given: next.wall, certain: true })
    }
}

/// The last day of a limit and the day on which what was owed was done; none if it has not begun.
type Told = Option<(CivilDay, Option<CivilDay>)>;

/// The times of a case that count, told from the words of its events alone.
#[derive(Default)]
struct Times {
    /// The day from which the decision is due: of acceptance, or from which the case counts as accepted.
    starts: Option<CivilDay>,
    /// Working days by which it was put off.
    extended: u16,
    /// From and to when special procedures ran.
    pauses: Vec<(CivilDay, Option<CivilDay>)>,
    /// The applicant took it back, or it was none: nothing is to be decided.
    void: bool,
    /// Since when the applicant waits for a word, and the day it came.
    word: Option<(u64, Option<CivilDay>)>,
    /// Since when something is missing, and the day it was brought.
    missing: Option<(u64, Option<CivilDay>)>,
    /// Since when something is to follow, within how many days, and the day it was brought.
    follows: Option<(u64, u16, Option<CivilDay>)>,
    /// When it ended, if anything is to be handed out then.
    ended: Option<u64>,
    /// The day the citizen had the result.
    delivered: Option<CivilDay>,
}

impl Times {
    fn of(log: &[Header], known: u16, today: CivilDay) -> Self {
        let mut times = Self::default();
        let mut asked = None;
        for (place, event) in log.iter().enumerate() {
            let Some(counted) = Counted::of(log, place) else { continue };
            let (wall, certain) = (counted.owed, counted.certain);
            let (day, done) = (CivilDay::of_wall(wall), CivilDay::of_wall(counted.done));
            times.note(event, counted);
            match event.facts.word() {
                "receive" | "supplement" => asked = Some(wall).filter(|_| certain),
                // What waits for others of its bundle is not asked of anybody yet.
                "task" if matches!(&event.facts, Facts::Task(task) if task.is_chained()) => asked = None,
                "start" => asked = Some(wall).filter(|_| certain),
                "accept" | "accept-lacking" | "accept-promise" => {
                    times.told(&mut asked, done, known);
                    times.starts = times.starts.into_iter().chain([day]).min();
                }
                "request-correction" => times.told(&mut asked, done, known),
                "begin-procedure" => times.pauses.push((CivilDay::of_wall(counted.given), None)),
                "end-procedure" => times.goes_on(done),
                "decide" | "refuse-acceptance" | "refer" | "withdraw" | "close" => {
                    times.told(&mut asked, done, known);
                    times.goes_on(done);
                }
                _other => {}
            }
            if let Facts::Act(Deed::Extend { days }) = event.facts {
                times.extended = days;
            }
            let void = [Facts::Act(Deed::Withdraw), Facts::Act(Deed::Close(Closing::Void))];
            if void.contains(&event.facts) {
                times.void = true;
            }
        }
        times.told(&mut asked, today, known);
        if times.void { Self { starts: None, ..times } } else { times }
    }

    /// What an event begins and ends, besides the time for the decision.
    fn note(&mut self, event: &Header, counted: Counted) {
        let (wall, day) = (counted.owed, CivilDay::of_wall(counted.done));
        let done = |met: &mut Option<CivilDay>| *met = met.or(Some(day));
        match event.facts.word() {
            "receive" | "start" => self.word = Some((wall, None)),
            // What waits for others of its bundle is not asked of anybody yet.
            "task" if matches!(&event.facts, Facts::Task(task) if task.is_chained()) => self.word = None,
            "supplement" => {
                self.word = Some((wall, None));
                self.missing.iter_mut().for_each(|(_, met)| done(met));
            }
            "accept" | "accept-lacking" | "accept-promise" => {
                self.word.iter_mut().for_each(|(_, met)| done(met));
            }
            "request-correction" => {
                self.word.iter_mut().for_each(|(_, met)| done(met));
                self.missing = Some((counted.given, None));
            }
            "supply" => self.follows.iter_mut().for_each(|(.., met)| done(met)),
            "decide" | "refuse-acceptance" | "refer" | "withdraw" | "close" => {
                self.word.iter_mut().for_each(|(_, met)| done(met));
                self.missing.iter_mut().for_each(|(_, met)| done(met));
                self.follows.iter_mut().for_each(|(.., met)| done(met));
                let none = event.facts == Facts::Act(Deed::Close(Closing::Removed));
                self.ended = Some(wall).filter(|_| !none);
            }
            "deliver" => self.delivered = Some(day),
            _other => {}
        }
        if let Facts::Act(Deed::AcceptLacking { days }) = event.facts {
            self.follows = Some((counted.given, days, None));
        }
    }

    /// Each limit besides those for the decision: its last day, and the day on which what was owed was done.
    fn dates(&self, known: u16) -> [(ClockKind, Told); 4] {
        let due = |since: u64, days| Reference::due(since, days, known);
        [
            (ClockKind::Notice, self.word.map(|(since, met)| (due(since, NOTICE_DAYS), met))),
            (ClockKind::Correction, self.missing.map(|(since, met)| (due(since, CORRECTION_DAYS), met))),
            (ClockKind::Supply, self.follows.map(|(since, days, met)| (due(since, days), met))),
            (ClockKind::Delivery, self.ended.map(|since| (due(since, DELIVERY_DAYS), self.delivered))),
        ]
    }

    /// Whoever was not told within five working days counts as accepted since the application came.
    fn told(&mut self, asked: &mut Option<u64>, day: CivilDay, known: u16) {
        let Some(since) = asked.take() else { return };
        if day > Reference::due(since, NOTICE_DAYS, known) {
            self.starts = self.starts.into_iter().chain([CivilDay::of_wall(since)]).min();
        }
    }

    fn goes_on(&mut self, day: CivilDay) {
        if let Some((from, to)) = self.pauses.last_mut() {
            *to = to.or(Some(day.max(*from)));
        }
    }

    /// The day by which it is to be decided; none if nothing runs, or it stands still.
    fn due(&self, days: u16, known: u16) -> Option<CivilDay> {
        Reference::due_around(self.starts?, days.saturating_add(self.extended), known, &self.pauses)
    }
}
