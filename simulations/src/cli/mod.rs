//! The command line: what can be run, and what is said about it. Everything it does is a library call.

mod city;
mod compare;
mod edit;
mod explain;
mod lists;
mod progress;
mod replay;
mod report;
mod run;
mod shrink;
mod source;
mod swarm;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use hallmesh_simulations::model::command::{self, CheckArgs};

/// The exit code when an edit did not come to every hall that is alive.
const NOT_EVERYWHERE: u8 = 70;

/// Runs whole cities of hallmesh nodes on simulated disks, lines, clocks and people, and checks their promises.
#[derive(Debug, Parser)]
#[command(
    name = "hallmesh-sim",
    version,
    after_help = "Exit codes: 0 all promises hold; 1 the run could not begin; 2 wrong arguments. A broken promise: 64 \
one-hand, 65 kept, 66 lists-agree, 67 settled, 68 same-trace, 84 lawful, 71 same-standard, 72 no-centre, 73 route-only, 74 \
provable, 75 in-time, 85 dated, 76 explained, 77 bounded, 78 rows-agree, 79 the core stopped itself; the lowest one that applies \
is given. 70: an edit did not reach every hall that is alive. 69: the exploration of a hand-over came out otherwise than expected. 80: all held, but something that should \
have happened never did. 81: a promise that was known to break holds. 83: a recording gives something else than was \
recorded."
)]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// One run: a plan or scenario from a file, or the plan of a seed.
    Run(run::RunArgs),
    /// Seed after seed, each with its own city and trouble, until the time is over.
    Swarm(swarm::SwarmArgs),
    /// A whole city of a division table at work, with trouble, then mended and quiet.
    City(city::CityArgs),
    /// One edit in a whole city: when it is everywhere and what it costs, also with dead tiers, beside a flood.
    Edit(edit::EditArgs),
    /// A failing run made small, written to a plan file.
    Shrink(shrink::ShrinkArgs),
    /// What happened in a run, line by line.
    Explain(explain::ExplainArgs),
    /// The figures of two runs beside each other.
    Compare(compare::CompareArgs),
    /// One run as a page with plots, for a browser.
    Report(report::ReportArgs),
    /// Every way in which one case can change hands, with losses, repetitions, crashes and lost disks.
    Check(CheckArgs),
    /// Plants one bug after the other in the core, and hunts for it.
    #[cfg(feature = "planted-bugs")]
    Planted(hallmesh_simulations::planted::HuntArgs),
    /// The lists of a whole city, made up, as files to import: for benchmarks, and to see what a computer must hold.
    Lists(lists::ListsArgs),
    /// A real node's recording, run again: does this core give the same?
    Replay(replay::ReplayArgs),
}

/// Parses the arguments and does what they say.
pub(crate) fn main() -> ExitCode {
    let done = match Cli::parse().what {
        What::Run(args) => run::run(&args),
        What::Swarm(args) => swarm::swarm(&args),
        What::City(args) => city::city(&args),
        What::Edit(args) => edit::edit(&args),
        What::Shrink(args) => shrink::shrink(&args),
        What::Explain(args) => explain::explain(&args),
        What::Compare(args) => compare::compare(&args),
        What::Report(args) => report::report(&args),
        What::Check(args) => command::run(&args),
        #[cfg(feature = "planted-bugs")]
        What::Planted(args) => hallmesh_simulations::planted::command(&args),
        What::Lists(args) => lists::lists(&args),
        What::Replay(args) => replay::run(&args),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // Where even this cannot be written, the exit code still tells.
            writeln!(io::stderr(), "hallmesh-sim: {error:#}").ok();
            ExitCode::FAILURE
        }
    }
}
