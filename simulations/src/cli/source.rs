//! Where a plan comes from.

use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;
use hallmesh_simulations::plan::Plan;

/// A plan from a file or from a seed.
#[derive(Debug, Args)]
pub(crate) struct Source {
    /// A plan or scenario (TOML), as in simulations/scenarios.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The seed: of the plan, if no file is given; else in place of the file's.
    #[arg(long)]
    seed: Option<u64>,
    /// With the plan of a seed: as `swarm --bad-restarts`.
    #[arg(long, value_name = "PERCENT", conflicts_with = "file", value_parser = clap::value_parser!(u64).range(0..=100))]
    bad_restarts: Option<u64>,
}

impl Source {
    /// The seed, if one is given.
    pub(crate) fn seed(&self) -> Option<u64> {
        self.seed
    }

    /// The plan.
    pub(crate) fn plan(&self) -> anyhow::Result<Plan> {
        ensure!(self.file.is_some() || self.seed.is_some(), "give a plan file or --seed; see --help");
        let Some(file) = &self.file else {
            let plan = Plan::drawn(self.seed.unwrap_or(1));
            return Ok(plan.with_bad_restarts(self.bad_restarts.unwrap_or(0)));
        };
        let plan = Plan::read(file)?;
        Ok(Plan { seed: self.seed.unwrap_or(plan.seed), ..plan })
    }
}
