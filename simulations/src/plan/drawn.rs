//! Plans drawn from a seed, for a swarm: each seed has its own city, its own days and its own trouble, and many have
//! some kinds of trouble at zero. A bug that one kind of trouble hides is found where that kind is missing.

use hallmesh_protocol::chance::Chance;

use super::{Fault, Known, Lines, Load, Plan, Shape, Span, Trouble};
use crate::checkers::Promise;

/// Of ten kinds of trouble, how many a plan has on average; and of those after which cases wait for a ruling.
const KINDS_OF_TEN: u64 = 5;
const RARE_OF_TEN: u64 = 2;
/// Faults after which a case may have to wait for a ruling: rare, so that most cases of a run still end.
const RARE: [Fault; 4] = [Fault::BitFlip, Fault::DiskLoss, Fault::Theft, Fault::Restore];
/// Faults of which a process dies.
const DEADLY: [Fault; 6] = [
    Fault::Crash,
    Fault::CrashBeforeCommit,
    Fault::CrashAfterCommit,
    Fault::PowerCut,
    Fault::Outage,
    Fault::DiskFull,
];
/// Where disks go with processes: minutes in which one machine of a city dies once, on average, for each hall of it. Most
/// losses are to be over before the next one hits the same cases.
const DIES_ONCE_IN: u64 = 10;
/// How many times as long an afternoon is then, and how many days a run has at the most.
const LONGER: u64 = 3;
const DAYS_MAX: u64 = 12;
/// Drawn after all others, so that seeds of the past keep their plans.
const LAST: Fault = Fault::Restore;

impl Plan {
    /// The same, where of a hundred restarts so many go wrong: processes die more rarely, and an afternoon is longer.
    #[must_use]
    pub fn with_bad_restarts(mut self, percent: u64) -> Self {
        self.bad_restarts = percent;
        if percent == 0 {
            return self;
        }
        self.lines.no_inbound = 0;
        if self.span.days == 1 {
            self.span.open_minutes = self.span.open_minutes.saturating_mul(LONGER);
            let spoils = |fault: &Fault| RARE.contains(fault) || *fault == Fault::Equivocation;
            let spoiling = self.trouble.0.iter_mut().filter(|(fault, _)| spoils(fault));
            spoiling.for_each(|(_, mean)| *mean = mean.saturating_mul(LONGER));
        }
        self.span.days = self.span.days.min(DAYS_MAX);
        self.load.calendar_day = self.load.calendar_day.map(|day| day.min(DAYS_MAX - 1));
        let (counties, towns, villages) = (self.city.counties, self.city.towns, self.city.villages);
        let under = towns.saturating_mul(villages.saturating_add(1)).saturating_add(1);
        let halls = counties.saturating_mul(under).saturating_add(1);
        let kinds = DEADLY.into_iter().filter(|fault| self.trouble.0.contains_key(fault)).count();
        let seconds = u64::try_from(kinds.max(1)).unwrap_or(1).saturating_mul(DIES_ONCE_IN * 60);
        let mean = seconds.checked_div(halls).unwrap_or(seconds).max(1);
        self.trouble.0.entry(Fault::Crash).or_insert(mean);
        for (fault, held) in self.trouble.0.iter_mut().filter(|(fault, _)| DEADLY.contains(fault)) {
            // A power cut hits a town with its villages, or a county.
            let machines = if *fault == Fault::PowerCut { villages.saturating_add(2) } else { 1 };
            *held = mean.saturating_mul(machines).max(*held);
        }
        self
    }

    /// A small city with its own trouble; everything follows from the seed.
    pub fn drawn(seed: u64) -> Self {
        let mut chance = super::chance_of(seed).fork("plan");
        let city = Shape::made_up(
            between(&mut chance, 1, 3),
            between(&mut chance, 1, 3),
            between(&mut chance, 0, 3),
        );
        let span = span(&mut chance);
        let (load, mut lines, trouble) =
            (load(&mut chance, &span), lines(&mut chance), trouble(&mut chance, &span));
        if RARE.iter().any(|fault| trouble.0.contains_key(fault)) {
            // A hall that nobody can call and that knows only lives that are over finds nobody: it needs new papers
            // from the hall above, for which there is no way yet (see the custody rules).
            lines.no_inbound = 0;
        }
        let wrong_clocks = [Fault::ClockJump, Fault::ClockYears, Fault::PowerCut];
        let known = if wrong_clocks.iter().any(|fault| trouble.0.contains_key(fault)) {
            vec![Known {
                promise: Promise::Dated,
                why: "a hall that hears fewer than three others does not know that its clock is ahead"
                    .to_owned(),
                by_chance: true,
            }]
        } else {
            Vec::new()
        };
        Self { seed, city, span, load, lines, trouble, known, ..Self::default() }
    }
}

/// A dense afternoon, or a row of short days over which deadlines and calendars pass.
fn span(chance: &mut Chance) -> Span {
    if chance.below(3) > 0 {
        return Span { days: 1, open_minutes: between(chance, 2, 4), quiet_minutes: 4 };
    }
    Span { days: between(chance, 5, 60), open_minutes: 1, quiet_minutes: 5 }
}

fn load(chance: &mut Chance, span: &Span) -> Load {
    let citizens = if span.days > 1 { between(chance, 200, 1_000) } else { between(chance, 600, 3_600) };
    Load {
        citizens,
        edits: between(chance, 0, 400),
        inspections: between(chance, 0, 300),
        misuses: between(chance, 0, 300),
        absent: if chance.below(2) == 0 { 0 } else { between(chance, 1, 30) },
        backlog: between(chance, 1, 5),
        calendar_day: (chance.below(2) == 0).then(|| between(chance, 0, span.days.saturating_sub(1))),
    }
}

fn lines(chance: &mut Chance) -> Lines {
    let often = |chance: &mut Chance, most| if chance.below(3) == 0 { 0 } else { between(chance, 1, most) };
    let (lost, doubled, late) = (often(chance, 200), often(chance, 300), often(chance, 100));
    let mut lines = Lines::default().weather(lost, doubled, late);
    for quality in [&mut lines.county, &mut lines.township, &mut lines.village] {
        if chance.below(3) == 0 {
            quality.latency_ms = between(chance, 1, 800);
            quality.spread_ms = between(chance, 1, 800);
        }
        if chance.below(3) == 0 {
            quality.kbit_s = between(chance, 256, 20_000);
        }
    }
    lines.no_inbound = often(chance, 100);
    lines.window = often(chance, 40);
    lines.step_us = often(chance, 3_000);
    lines.newer = often(chance, 100);
    lines
}

fn trouble(chance: &mut Chance, span: &Span) -> Trouble {
    let open = span.days.saturating_mul(span.open_minutes).saturating_mul(60);
    let mut trouble = Trouble::default();
    for fault in Fault::ALL.into_iter().filter(|fault| *fault != LAST).chain([LAST]) {
        let rare = RARE.contains(&fault);
        let (times, of_ten) =
            if rare { (between(chance, 1, 3), RARE_OF_TEN) } else { (between(chance, 2, 60), KINDS_OF_TEN) };
        if chance.below(10) < of_ten {
            trouble.0.insert(fault, open.checked_div(times).unwrap_or(open).max(1));
        }
    }
    trouble
}

/// A number from `least` to `most`, both included.
fn between(chance: &mut Chance, least: u64, most: u64) -> u64 {
    chance.below(most.saturating_sub(least).saturating_add(1)).saturating_add(least)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_plan_and_its_text_gives_it_back() {
        for seed in 0..200 {
            let plan = Plan::drawn(seed);
            assert_eq!(plan, Plan::drawn(seed));
            assert_eq!(plan, Plan::parse(&plan.text().expect("a text")).expect("a plan"));
        }
    }

    #[test]
    fn many_plans_lack_some_kind_of_trouble_and_none_lacks_a_kind_for_all() {
        let plans: Vec<_> = (0..100).map(Plan::drawn).collect();
        for fault in Fault::ALL {
            let with = plans.iter().filter(|plan| plan.trouble.0.contains_key(&fault)).count();
            let rare = RARE.contains(&fault);
            let expected = if rare { 5..=40 } else { 25..=75 };
            assert!(expected.contains(&with), "{fault:?} in {with} of 100");
        }
    }
}
