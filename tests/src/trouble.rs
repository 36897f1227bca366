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
    cuts: JoinSet<Result<bool, Problem>>,
    killed: u32,
}

impl Trouble {
    /// `kills` of the first `steps` steps, drawn from `seed`.
    pub fn new(processes: Processes, seed: u64, kills: usize, steps: u32) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut chance = Chance::from_seed(key);
        let mut drawn = BTreeSet::new();
        while drawn.len() < kills {
            drawn.insert(1 + u32::try_from(chance.below(steps.into())).unwrap());
        }
        Self {
            processes,
            chance,
            steps: drawn,
            away: BTreeSet::new(),
            cuts: JoinSet::new(),
            killed: 0,
        }
    }

    /// Waits until every killed hall is back. Gives how many were killed so far.
    pub async fn calm(&mut self) -> Result<u32, Problem> {
        while let Some(cut) = self.cuts.join_next().await {
            self.killed += u32::from(cut.unwrap()?);
        }
        Ok(self.killed)
    }

    async fn cut(&mut self, city: &City, step: u32) -> Result<(), Problem> {
        let there: Vec<_> = city.members.iter().filter(|member| !self.away.contains(&member.hall)).collect();
        let victim = usize::try_from(self.chance.below(there.len().try_into().unwrap())).unwrap();
        let (victim, at_once) = (there[victim].clone(), self.chance.below(3) == 0);
        let later = Duration::from_millis(self.chance.below(LATER_MAX_MS));
        eprintln!("step {step}: {} loses power, {}", victim.hall, if at_once { "at once" } else { "soon" });
        let processes = self.processes.clone();
        if at_once {
            processes.kill(&victim).await;
            self.cuts.spawn(async move {
                tokio::time::sleep(later).await;
                processes.start(&victim).await.map(|()| true)
            });
        } else {
            self.cuts.spawn(async move {
                tokio::time::sleep(later).await;
                processes.kill_and_start(&victim).await
            });
        }
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
        Box::pin(async move {
            match self.steps.remove(&step) {
                true => self.cut(city, step).await,
                false => Ok(()),
            }
        })
    }
}
