//! Plans drawn from a seed, for a swarm: each seed has its own city, its own days and its own trouble, and many have
//! some kinds of trouble at zero. A bug that one kind of trouble hides is found where that kind is missing.

use hallmesh_protocol::chance::Chance;

use super::{Fault, Known, Lines, Load, Plan, Shape, Span, Trouble};
use crate::checkers::Promise;

/// Of ten kinds of trouble, how many a plan has on average; and of those after which cases wait for a ruling.
const KINDS_OF_TEN: u64 = 5;
const RARE_OF_TEN: u64 = 2;
/// Faults that the core does not overcome yet without a ruling or a recovery: only scenarios bring them about.
const SCENARIOS_ONLY: [Fault; 1] = [Fault::Restore];
/// Faults after which a case may have to wait for a ruling: rare, so that most cases of a run still end.
const RARE: [Fault; 3] = [Fault::BitFlip, Fault::DiskLoss, Fault::Theft];

impl Plan {
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
                why: "no hall doubts its own clock yet".to_owned(),
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
    for fault in Fault::ALL.into_iter().filter(|fault| !SCENARIOS_ONLY.contains(fault)) {
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
            let expected = if SCENARIOS_ONLY.contains(&fault) {
                0..=0
            } else if rare {
                5..=40
            } else {
                25..=75
            };
            assert!(expected.contains(&with), "{fault:?} in {with} of 100");
        }
    }
}
