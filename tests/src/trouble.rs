//! Power cuts at random moments of a story.

use std::collections::BTreeSet;
use std::time::Duration;

use hallmesh::demo::{City, Control, Doing, Member};
use hallmesh::ops::Problem;
use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::ids::HallId;
use tokio::task::JoinSet;

use crate::processes::Processes;

/// Several steps of a story fit in this.
const LATER_MAX_MS: u64 = 300;

/// Kills a random hall at each of a number of random steps, and starts it again.
#[derive(Debug)]
pub struct Trouble {
    processes: Processes,
    chance: Chance,
    steps: BTreeSet<u32>,
    /// Halls that the story itself has stopped.
    away: BTreeSet<HallId>,
    /// Halls that are about to be killed, or killed and not yet back.
    falling: BTreeSet<HallId>,
    cuts: JoinSet<Result<HallId, Problem>>,
    killed: u32,
}

impl Trouble {
    /// Kills at `kills` of the first `steps` steps, drawn from `seed`.
    pub fn new(processes: Processes, seed: u64, kills: usize, steps: u32) -> Self {
        let mut chance = crate::seed::chance(seed);
        let mut drawn = BTreeSet::new();
        while drawn.len() < kills {
            drawn.insert(1 + u32::try_from(chance.below(steps.into())).unwrap());
        }
        Self {
            processes,
            chance,
            steps: drawn,
            away: BTreeSet::new(),
            falling: BTreeSet::new(),
            cuts: JoinSet::new(),
            killed: 0,
        }
    }

    /// Waits until every killed hall is back. Gives how many were killed so far.
    pub async fn calm(&mut self) -> Result<u32, Problem> {
        while !self.falling.is_empty() {
            self.one_is_back().await?;
        }
        Ok(self.killed)
    }

    async fn one_is_back(&mut self) -> Result<(), Problem> {
        let back = self.cuts.join_next().await.expect("as many cuts as falling halls");
        self.falling.remove(&back.unwrap()?);
        Ok(())
    }

    async fn cut(&mut self, city: &City, step: u32) -> Result<(), Problem> {
        let there: Vec<_> = city.members.iter().filter(|member| !self.away.contains(&member.hall)).collect();
        let drawn = self.chance.below(there.len().try_into().unwrap());
        let victim = there[usize::try_from(drawn).unwrap()].clone();
        let at_once = self.chance.below(3) == 0;
        let later = Duration::from_millis(self.chance.below(LATER_MAX_MS));
        while self.falling.contains(&victim.hall) {
            self.one_is_back().await?;
        }
        eprintln!("step {step}: {} loses power {}", victim.hall, if at_once { "at once" } else { "soon" });
        let processes = self.processes.clone();
        if at_once {
            processes.kill(&victim).await?;
        }
        self.falling.insert(victim.hall);
        self.killed += 1;
        self.cuts.spawn(async move {
            tokio::time::sleep(later).await;
            if !at_once {
                processes.kill(&victim).await?;
            }
            processes.start(&victim).await.map(|()| victim.hall)
        });
        Ok(())
    }
}

impl Control for Trouble {
    fn start<'a>(&'a mut self, member: &'a Member) -> Doing<'a> {
        Box::pin(async move {
            self.away.remove(&member.hall);
            self.processes.start(member).await
        })
    }

    fn stop<'a>(&'a mut self, member: &'a Member) -> Doing<'a> {
        Box::pin(async move {
            self.calm().await?;
            self.away.insert(member.hall);
            self.processes.stop(member).await
        })
    }

    fn disturb<'a>(&'a mut self, city: &'a City, step: u32) -> Doing<'a> {
        Box::pin(async move { if self.steps.remove(&step) { self.cut(city, step).await } else { Ok(()) } })
    }
}
