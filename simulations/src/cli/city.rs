//! A whole city of a division table.

use std::path::PathBuf;

use clap::{Args, Command, FromArgMatches as _};
use hallmesh_simulations::plan::{Fault, Lines, Load, Plan, Shape, Span, Trouble};

use super::run;

pub(super) const TABLE: &str = "deploy/sample-city/zhangye/divisions.csv";
/// Minutes at the end of a run in which nothing goes wrong.
const QUIET: u64 = 3;

#[derive(Debug, Args)]
pub(crate) struct CityArgs {
    #[command(flatten)]
    town: Town,
    /// Everything in the run follows from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
    /// Run the seed twice and compare the traces.
    #[arg(long)]
    twice: bool,
}

/// What city, for how long, in what trouble.
#[derive(Debug, Args)]
pub(crate) struct Town {
    /// The division table, with the columns `tier,code12,parent12,name,mca_code12,note`.
    #[arg(long, value_name = "FILE", default_value = TABLE)]
    halls: PathBuf,
    /// Simulated minutes; the last three, or the second half of a shorter run, are quiet.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(2..=100_000))]
    minutes: u64,
    /// Working days of so many minutes each, with nights and free days between them.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    days: u64,
    /// Messages lost.
    #[arg(long, value_name = "PERCENT", default_value_t = 5, value_parser = clap::value_parser!(u64).range(0..=100))]
    loss: u64,
    /// Seconds between crashes in the whole city, on average; 0 for none.
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    crash_every: u64,
    /// About how many processes crash in the whole run, instead of --crash-every.
    #[arg(long, value_name = "N", conflicts_with = "crash_every")]
    crashes: Option<u64>,
    /// Seconds between cuts of a division from the rest, on average; 0 for none.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    cut_every: u64,
    /// Citizens who walk into a hall each minute in the whole city; the normal load of half a million a year if not
    /// given.
    #[arg(long, value_name = "N")]
    cases_per_minute: Option<u64>,
}

/// Runs a city and shows what it came to.
pub(crate) fn city(args: &CityArgs) -> anyhow::Result<u8> {
    run::show(&args.town.plan(args.seed)?, args.twice, args.json)
}

impl Town {
    /// The city that is meant when nothing is said.
    pub(crate) fn usual() -> anyhow::Result<Self> {
        let said = Self::augment_args(Command::new("city")).try_get_matches_from(["city"])?;
        Ok(Self::from_arg_matches(&said)?)
    }

    /// The plan of a run of it.
    pub(crate) fn plan(&self, seed: u64) -> anyhow::Result<Plan> {
        let city = Shape::of_table(&self.halls);
        let halls = u64::try_from(city.divisions()?.len())?;
        let span = match self.days {
            1 => Span::minutes(self.minutes),
            days => Span { days, open_minutes: self.minutes, quiet_minutes: QUIET },
        };
        let mut load = Load::normal(halls);
        load.edits = 180;
        if let Some(cases) = self.cases_per_minute {
            load.citizens = cases.saturating_mul(60);
        }
        let open = span.days.saturating_mul(span.open_minutes).saturating_mul(60);
        let crash_every = match self.crashes {
            Some(crashes) => open.checked_div(crashes).unwrap_or(0),
            None => self.crash_every,
        };
        // A third of the crashes each: at any moment, before a commit, after it.
        let each = crash_every.saturating_mul(3);
        let kinds = [Fault::Crash, Fault::CrashBeforeCommit, Fault::CrashAfterCommit];
        let mut trouble: Vec<_> = kinds.into_iter().map(|fault| (fault, each)).collect();
        trouble.push((Fault::Cut, self.cut_every));
        trouble.retain(|(_, every)| *every > 0);
        let lines = Lines::default().weather(self.loss.saturating_mul(10), 10, 5);
        Ok(Plan { seed, city, span, load, lines, trouble: Trouble::of(&trouble), ..Plan::default() })
    }
}
