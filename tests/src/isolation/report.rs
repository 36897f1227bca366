//! What came of it.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Giver, Plan};

/// How long something took.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    /// How often it was measured.
    pub count: usize,
    /// Half took no longer.
    pub p50: Duration,
    /// All but one in a hundred took no longer.
    pub p99: Duration,
}

impl Spread {
    pub(super) fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |percent: usize| times[(times.len() * percent).div_ceil(100).clamp(1, times.len()) - 1];
        Self { count: times.len(), p50: at(50), p99: at(99) }
    }

    fn json(&self) -> Value {
        json!({ "count": self.count, "p50_us": micros(self.p50), "p99_us": micros(self.p99) })
    }
}

/// What was measured with one giver.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// Letters that waited for the dead hall when measuring began.
    pub waiting: usize,
    /// Hand-overs where every hall is alive.
    pub without: Spread,
    /// Hand-overs to the others beside a dead hall.
    pub with: Spread,
    /// One commit of one row on the same disk.
    pub floor: Spread,
}

impl Figures {
    /// How much longer one in a hundred takes beside a dead hall, in hundredths.
    pub fn ratio(&self) -> u64 {
        micros(self.with.p99) * 100 / micros(self.without.p99).max(1)
    }
}

/// What was measured.
#[derive(Debug)]
pub struct Report {
    /// What was run.
    pub plan: Plan,
    /// By who hands over.
    pub figures: Vec<(Giver, Figures)>,
}

impl Report {
    /// Whether no hand-over to a living hall took longer than it may.
    pub fn holds(&self) -> bool {
        self.figures.iter().all(|(_, figures)| figures.ratio() <= self.plan.most)
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let one = |(giver, figures): &(Giver, Figures)| {
            json!({
                "giver": giver.word(),
                "waiting": figures.waiting,
                "without": figures.without.json(),
                "with": figures.with.json(),
                "floor": figures.floor.json(),
                "p99_ratio_percent": figures.ratio(),
            })
        };
        json!({
            "peers": self.plan.peers,
            "most_percent": self.plan.most,
            "holds": self.holds(),
            "givers": self.figures.iter().map(one).collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { peers, most, .. } = self.plan;
        writeln!(f, "hand-overs to {peers} halls beside one that is dead; times at the giver, on its disk")?;
        for (giver, figures) in &self.figures {
            writeln!(f, "{}: {} letters wait for the dead hall", giver.word(), figures.waiting)?;
            let lines = [
                ("all halls alive", figures.without),
                ("one hall dead", figures.with),
                ("floor: one commit", figures.floor),
            ];
            for (what, spread) in lines {
                let (p50, p99) = (ms(spread.p50), ms(spread.p99));
                writeln!(f, "  {what:<18} {:>6} times   p50 {p50:>9}   p99 {p99:>9}", spread.count)?;
            }
            let (ratio, within) = (figures.ratio(), figures.ratio() <= most);
            let verdict = if within { "holds" } else { "BROKEN" };
            writeln!(f, "  p99 with / without: {} (at most {}) {verdict}", times(ratio), times(most))?;
        }
        Ok(())
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn ms(time: Duration) -> String {
    let micros = micros(time);
    format!("{}.{:03} ms", micros / 1_000, micros % 1_000)
}

fn times(hundredths: u64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(p99: u64) -> Spread {
        Spread { count: 1, p50: Duration::ZERO, p99: Duration::from_micros(p99) }
    }

    #[test]
    fn percentiles_are_those_of_the_times() {
        let all = Spread::of((1..=1_000).rev().map(Duration::from_micros).collect());
        assert_eq!((all.p50, all.p99), (Duration::from_micros(500), Duration::from_micros(990)));
        assert_eq!(Spread::of(vec![Duration::from_micros(7)]).p99, Duration::from_micros(7));
    }

    #[test]
    fn a_dead_hall_that_delays_others_is_seen() {
        let holds = |with| {
            let figures =
                Figures { waiting: 5_000, without: spread(1_000), with: spread(with), floor: spread(9) };
            let plan = Plan { peers: 1, waiting: 1, hand_overs: 1, most: 200 };
            Report { plan, figures: vec![(Giver::City, figures)] }.holds()
        };
        assert!(holds(2_000) && !holds(2_010));
    }
}
