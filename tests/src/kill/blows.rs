//! What befalls the city: which blow follows from the seed, and how it is struck.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hallmesh::demo::Member;
use hallmesh::ops::Problem;
use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::ids::HallId;
use rustix::process::Signal;
use tokio::task::JoinSet;

use super::Halls;
use crate::links::{Flow, Links, Way};
use crate::street::Street;

/// One in so many restarts is itself killed.
const FALSE_STARTS: u64 = 8;
/// A start is over by then, or nearly.
const FALSE_START_MAX_MS: u64 = 120;
/// One in so many blows brings another trouble with it.
const OTHERS: u64 = 3;
const LASTS_MIN_MS: u64 = 500;
const LASTS_MAX_MS: u64 = 4_000;

/// One blow: a kill, and now and then something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blow {
    /// Whom it kills.
    pub victim: HallId,
    /// Whether and when the restart is killed as well.
    pub false_start: Option<Duration>,
    /// What else it brings, and for how long.
    pub other: Option<(Other, Duration)>,
}

/// Trouble that passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Other {
    /// A process stands still (`SIGSTOP`).
    Stopped(HallId),
    /// Nothing comes from one hall to another.
    OneWay(HallId, HallId),
    /// A line is cut both ways, silently or with refusals.
    Cut(HallId, HallId, Flow),
    /// A hall has no lines at all.
    Alone(HallId, Flow),
    /// A line is long, narrow and lossy.
    Slow(HallId, HallId, Way),
}

/// The blows of a seed, without end.
pub fn blows(seed: u64, halls: Halls) -> impl Iterator<Item = Blow> {
    let mut chance = crate::seed::chance(seed);
    std::iter::repeat_with(move || {
        let victim = one(&halls, &mut chance);
        let false_start = chance.below(FALSE_STARTS) == 0;
        let moment = Duration::from_millis(chance.below(FALSE_START_MAX_MS));
        let other = chance.below(OTHERS) == 0;
        let lasts = LASTS_MIN_MS + chance.below(LASTS_MAX_MS - LASTS_MIN_MS);
        let drawn = draw(&halls, &mut chance);
        Blow {
            victim,
            false_start: false_start.then_some(moment),
            other: other.then_some((drawn, Duration::from_millis(lasts))),
        }
    })
}

fn draw(halls: &Halls, chance: &mut Chance) -> Other {
    let here = one(halls, chance);
    let others: Halls = halls.iter().copied().filter(|hall| *hall != here).collect();
    let there = one(&others, chance);
    let flow = if chance.below(2) == 0 { Flow::Held } else { Flow::Reset };
    let way = Way {
        latency: Duration::from_millis(chance.below(300)),
        jitter: Duration::from_millis(chance.below(50)),
        bits_per_second: Some(64_000 << chance.below(5)),
        loss_per_mille: u16::try_from(chance.below(50)).unwrap(),
        flow: Flow::Open,
    };
    match chance.below(5) {
        0 => Other::Stopped(here),
        1 => Other::OneWay(here, there),
        2 => Other::Cut(here, there, flow),
        3 => Other::Alone(here, flow),
        _ => Other::Slow(here, there, way),
    }
}

fn one(halls: &Halls, chance: &mut Chance) -> HallId {
    let count = u64::try_from(halls.len()).unwrap();
    halls[usize::try_from(chance.below(count)).unwrap()]
}

/// Blows that were struck.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Kills, those of restarts included.
    pub kills: u32,
    /// Of these, kills of a process that was starting.
    pub false_starts: u32,
    /// Processes stopped.
    pub stopped: u32,
    /// One-way cuts.
    pub one_way: u32,
    /// Full cuts of a line or of a hall.
    pub cuts: u32,
    /// Slow lines.
    pub slow: u32,
}

/// Strikes blows, and mends what it broke.
pub(super) struct Hand {
    street: Arc<Street>,
    links: Links,
    /// Halls that are killed and not yet back.
    falling: BTreeSet<HallId>,
    restarts: JoinSet<Result<(HallId, Duration), Problem>>,
    passing: JoinSet<()>,
    took: Vec<Duration>,
    tally: Tally,
}

impl Hand {
    pub(super) fn new(street: Arc<Street>, links: Links) -> Self {
        Self {
            street,
            links,
            falling: BTreeSet::new(),
            restarts: JoinSet::new(),
            passing: JoinSet::new(),
            took: Vec::new(),
            tally: Tally::default(),
        }
    }

    pub(super) fn tally(&self) -> Tally {
        self.tally
    }

    /// How long restarts took, from the start of the process to its first answer.
    pub(super) fn restarts(&self) -> Vec<Duration> {
        self.took.clone()
    }

    /// Strikes; the victim comes back by itself. One that is still away is waited for.
    pub(super) async fn strike(&mut self, blow: &Blow) -> Result<(), Problem> {
        while self.falling.contains(&blow.victim) {
            self.one_is_back().await?;
        }
        let victim = member(&self.street, blow.victim);
        let processes = self.street.processes.clone();
        processes.kill(&victim).await?;
        self.tally.kills += 1;
        self.falling.insert(blow.victim);
        let again = blow.false_start;
        if again.is_some() {
            self.tally.kills += 1;
            self.tally.false_starts += 1;
        }
        self.restarts.spawn(async move {
            if let Some(moment) = again {
                processes.false_start(&victim, moment).await?;
            }
            let begun = Instant::now();
            processes.start(&victim).await?;
            Ok((victim.hall, begun.elapsed()))
        });
        if let Some((other, lasts)) = &blow.other {
            self.trouble(other, *lasts);
        }
        Ok(())
    }

    /// Mends everything and waits until every hall is back.
    pub(super) async fn rest(&mut self) -> Result<(), Problem> {
        while self.passing.join_next().await.is_some() {}
        self.links.heal();
        while !self.falling.is_empty() {
            self.one_is_back().await?;
        }
        Ok(())
    }

    async fn one_is_back(&mut self) -> Result<(), Problem> {
        let (hall, took) = self.restarts.join_next().await.expect("as many as are falling").unwrap()?;
        self.falling.remove(&hall);
        self.took.push(took);
        Ok(())
    }

    fn trouble(&mut self, other: &Other, lasts: Duration) {
        while self.passing.try_join_next().is_some() {}
        match *other {
            // A start that stands still would be measured as a slow one.
            Other::Stopped(hall) if self.falling.contains(&hall) => {}
            Other::Stopped(hall) => self.stop(hall, lasts),
            Other::OneWay(from, to) => {
                self.tally.one_way += 1;
                self.change(vec![(from, to)], Way::default().with(Flow::Held), lasts);
            }
            Other::Cut(here, there, flow) => {
                self.tally.cuts += 1;
                self.change(vec![(here, there), (there, here)], Way::default().with(flow), lasts);
            }
            Other::Alone(hall, flow) => {
                self.tally.cuts += 1;
                let others = self.street.city.members.iter().map(|member| member.hall);
                let lines = others.filter(|other| *other != hall);
                let ways = lines.flat_map(|other| [(hall, other), (other, hall)]).collect();
                self.change(ways, Way::default().with(flow), lasts);
            }
            Other::Slow(here, there, way) => {
                self.tally.slow += 1;
                self.change(vec![(here, there), (there, here)], way, lasts);
            }
        }
    }

    fn stop(&mut self, hall: HallId, lasts: Duration) {
        let (member, processes) = (member(&self.street, hall), self.street.processes.clone());
        if !processes.signal(&member, Signal::STOP) {
            return;
        }
        self.tally.stopped += 1;
        self.passing.spawn(async move {
            tokio::time::sleep(lasts).await;
            // It may have been killed and be another process by now: to that one this says nothing.
            processes.signal(&member, Signal::CONT);
        });
    }

    fn change(&mut self, ways: Vec<(HallId, HallId)>, way: Way, lasts: Duration) {
        let links = self.links.clone();
        for pair in &ways {
            links.set(*pair, way);
        }
        self.passing.spawn(async move {
            tokio::time::sleep(lasts).await;
            for pair in ways {
                links.set(pair, Way::default());
            }
        });
    }
}

fn member(street: &Street, hall: HallId) -> Member {
    street.city.members.iter().find(|member| member.hall == hall).expect("a hall of the city").clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_blows_and_every_trouble_comes() {
        let halls: Halls = ["620700000000-00", "620702000000-00", "620724000000-00"]
            .map(|hall| hall.parse().unwrap())
            .to_vec();
        let first: Vec<_> = blows(5, halls.clone()).take(300).collect();
        assert_eq!(first, blows(5, halls.clone()).take(300).collect::<Vec<_>>());
        assert_ne!(first, blows(6, halls.clone()).take(300).collect::<Vec<_>>());
        assert!(halls.iter().all(|hall| first.iter().any(|blow| blow.victim == *hall)));
        let kinds = first.iter().filter_map(|blow| blow.other.as_ref()).map(|(other, _)| match other {
            Other::Stopped(_) => 0,
            Other::OneWay(..) => 1,
            Other::Cut(.., Flow::Held) => 2,
            Other::Cut(..) => 3,
            Other::Alone(_, Flow::Held) => 4,
            Other::Alone(..) => 5,
            Other::Slow(..) => 6,
        });
        assert_eq!(kinds.collect::<BTreeSet<_>>().len(), 7);
        assert!(first.iter().any(|blow| blow.false_start.is_some()));
    }
}
