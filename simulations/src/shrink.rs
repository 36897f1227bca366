//! Making a failing run small: fewer halls, fewer days, less trouble, fewer people, and of the faults that are left only
//! those that matter; as long as the same promise breaks.

use std::collections::BTreeSet;

use crate::checkers::Promise;
use crate::panics::caught;
use crate::plan::{Lines, Load, Plan, Shape, Span};
use crate::report::Report;
use crate::world;

/// Milliseconds that a run goes on after the first broken promise.
const AFTERWARDS: u64 = 2_000;

/// A smaller run that breaks the same promise.
#[derive(Debug)]
pub struct Shrunk {
    /// Its plan.
    pub plan: Plan,
    /// What it came to.
    pub report: Report,
    /// Runs that were tried.
    pub tried: u64,
}

/// Makes a run small, with so many tries at the most; none if it breaks no promise. `watch` is told each try.
pub fn shrink(plan: &Plan, tries: u64, watch: &mut dyn FnMut(u64)) -> anyhow::Result<Option<Shrunk>> {
    let report = world::run(plan)?;
    let Some(first) = report.violations.iter().find(|it| !plan.knows(it.promise)) else { return Ok(None) };
    let mut hunt = Hunt { promise: first.promise, best: plan.clone(), report, tried: 0, tries, watch };
    hunt.go_on();
    Ok(Some(Shrunk { plan: hunt.best, report: hunt.report, tried: hunt.tried }))
}

struct Hunt<'a> {
    promise: Promise,
    best: Plan,
    report: Report,
    tried: u64,
    tries: u64,
    watch: &'a mut dyn FnMut(u64),
}

impl Hunt<'_> {
    /// Rounds of all kinds of cutting, until a round helps no more.
    fn go_on(&mut self) {
        loop {
            let before = self.best.clone();
            for smaller in self.smaller() {
                self.attempt(smaller);
            }
            self.fewer_faults();
            self.shorter();
            if self.best == before || self.tried >= self.tries {
                return;
            }
        }
    }

    /// Plans that are smaller in one way each.
    fn smaller(&self) -> Vec<Plan> {
        let best = &self.best;
        let mut plans = Vec::new();
        plans.extend(shapes(&best.city).into_iter().map(|city| Plan { city, ..best.clone() }));
        plans.extend(spans(&best.span).into_iter().map(|span| Plan { span, ..best.clone() }));
        for fault in best.trouble.0.keys() {
            let mut plan = best.clone();
            plan.trouble.0.remove(fault);
            plans.push(plan);
        }
        for index in 0..best.steps.len() {
            let mut plan = best.clone();
            plan.steps.remove(index);
            plans.push(plan);
        }
        plans.push(Plan { lines: Lines::default(), ..best.clone() });
        plans.push(Plan { lines: best.lines.clone().weather(0, 0, 0), ..best.clone() });
        plans.extend(loads(&best.load).into_iter().map(|load| Plan { load, ..best.clone() }));
        plans
    }

    /// Of the faults drawn by chance, only those that matter: half of them, a quarter of them, one by one.
    fn fewer_faults(&mut self) {
        let drawn = self.report.faults_drawn;
        let mut kept: Vec<u64> = match &self.best.only_faults {
            Some(only) => only.iter().copied().collect(),
            None => (0..drawn).chain(self.report.bad_restarts.iter().copied()).collect(),
        };
        let mut piece = kept.len().div_ceil(2);
        while piece > 0 && !kept.is_empty() {
            kept = self.without_pieces(kept, piece);
            piece /= 2;
        }
    }

    /// Leaves out one piece after the other, as long as the promise breaks without it.
    fn without_pieces(&mut self, mut kept: Vec<u64>, piece: usize) -> Vec<u64> {
        let mut from = 0;
        while from < kept.len() {
            let to = from.saturating_add(piece).min(kept.len());
            let others = kept.iter().enumerate().filter(|(at, _)| !(from..to).contains(at));
            let without: BTreeSet<u64> = others.map(|(_, number)| *number).collect();
            if self.attempt(Plan { only_faults: Some(without.clone()), ..self.best.clone() }) {
                kept = without.into_iter().collect();
            } else {
                from = to;
            }
        }
        kept
    }

    /// Nothing after the promise was broken is of interest, if it broke before the end.
    fn shorter(&mut self) {
        let first = self.report.violations.iter().find(|it| it.promise == self.promise);
        if let Some(at) = first.map(|first| first.at) {
            let stop_after = Some(at.saturating_add(AFTERWARDS));
            self.attempt(Plan { stop_after, ..self.best.clone() });
        }
    }

    /// Takes a plan if the same promise breaks in it. A core that stops itself counts as another bug.
    fn attempt(&mut self, plan: Plan) -> bool {
        if self.tried >= self.tries || plan == self.best {
            return false;
        }
        self.tried = self.tried.saturating_add(1);
        (self.watch)(self.tried);
        let Ok(Ok(report)) = caught(|| world::run(&plan)) else { return false };
        let same = report.violations.iter().any(|violation| violation.promise == self.promise);
        if same {
            (self.best, self.report) = (plan, report);
        }
        same
    }
}

fn shapes(city: &Shape) -> Vec<Shape> {
    if city.table.is_some() {
        return vec![Shape::made_up(2, 2, 2)];
    }
    let (counties, towns, villages) = (city.counties, city.towns, city.villages);
    let fewer = [
        (counties / 2, towns, villages),
        (counties, towns / 2, villages),
        (counties, towns, villages / 2),
        (counties.saturating_sub(1), towns, villages),
        (counties, towns.saturating_sub(1), villages),
        (counties, towns, villages.saturating_sub(1)),
    ];
    fewer.into_iter().map(|(counties, towns, villages)| Shape::made_up(counties, towns, villages)).collect()
}

fn spans(span: &Span) -> Vec<Span> {
    let with = |days: u64, open_minutes: u64| Span {
        days: days.max(1),
        open_minutes: open_minutes.max(1),
        ..span.clone()
    };
    vec![
        with(span.days / 2, span.open_minutes),
        with(span.days, span.open_minutes / 2),
        with(span.days.saturating_sub(1), span.open_minutes),
    ]
}

fn loads(load: &Load) -> Vec<Load> {
    vec![
        Load { edits: 0, ..load.clone() },
        Load { inspections: 0, misuses: 0, ..load.clone() },
        Load { absent: 0, backlog: 1, ..load.clone() },
        Load { citizens: load.citizens / 4, ..load.clone() },
        Load { citizens: load.citizens / 2, ..load.clone() },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Fault, Step};

    /// Every clock is wrong at once: known to break a promise, so there is something to show.
    fn failing() -> Plan {
        let plan = Plan::parse(include_str!("../scenarios/clocks-after-power-cut.toml")).expect("a scenario");
        Plan { known: Vec::new(), ..plan }
    }

    #[test]
    fn a_run_that_holds_is_not_made_small() {
        let plan = Plan { span: Span { days: 1, open_minutes: 1, quiet_minutes: 2 }, ..Plan::default() };
        assert!(shrink(&plan, 10, &mut |_| {}).expect("runs").is_none());
    }

    #[test]
    fn a_failing_run_gets_smaller_and_breaks_the_same_promise() {
        let plan = failing();
        let before = world::run(&plan).expect("runs");
        let promise = before.violations.first().expect("a wrong clock breaks a promise").promise;
        let shrunk = shrink(&plan, 30, &mut |_| {}).expect("runs").expect("fails");
        assert!(shrunk.report.violations.iter().any(|it| it.promise == promise));
        assert!(shrunk.report.traffic.steps < before.traffic.steps);
        let again = world::run(&shrunk.plan).expect("runs");
        assert_eq!(again, shrunk.report);
        let step = Step {
            day: 9,
            minute: 0,
            fault: Fault::Crash,
            place: "620700000000".parse().expect("a place"),
            days: 0,
        };
        assert!(Plan::parse(&Plan { steps: vec![step], ..plan }.text().expect("a text")).is_err());
    }
}
