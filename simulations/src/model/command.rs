//! `hallmesh-sim check`: the exploration on the command line.

use std::io::{self, Write};
use std::time::Instant;

use anyhow::Context as _;
use clap::Args;

use super::{Expected, Outcome, SETTINGS, Setting, Verdict, check, named};

/// The exit code when a setting did not come out as expected.
pub const UNEXPECTED: u8 = 69;

/// What to explore.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Only this setting; can be given more than once. Without it, all that take seconds.
    #[arg(long = "setting", value_name = "NAME")]
    settings: Vec<String>,
    /// Answer in JSON, a line for each setting.
    #[arg(long)]
    json: bool,
    /// Give up a setting that has more states.
    #[arg(long, value_name = "N", default_value_t = 20_000_000)]
    max_states: usize,
}

/// Explores what was asked for; 0 if everything came out as expected.
pub fn run(args: &CheckArgs) -> anyhow::Result<u8> {
    let mut code = 0;
    for setting in chosen(&args.settings)? {
        let began = Instant::now();
        let outcome = check(setting, args.max_states)?;
        show(args.json, setting, &outcome, began.elapsed().as_millis())?;
        if !outcome.as_expected {
            code = UNEXPECTED;
        }
    }
    Ok(code)
}

fn chosen(names: &[String]) -> anyhow::Result<Vec<&'static Setting>> {
    if names.is_empty() {
        return Ok(SETTINGS.iter().filter(|setting| !setting.long).collect());
    }
    let all = || SETTINGS.iter().map(|setting| setting.name).collect::<Vec<_>>().join(", ");
    names
        .iter()
        .map(|name| named(name).with_context(|| format!("no setting {name}; there are {}", all())))
        .collect()
}

fn show(json: bool, setting: &Setting, outcome: &Outcome, took: u128) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        let mut value = serde_json::to_value(outcome)?;
        if let Some(fields) = value.as_object_mut() {
            fields.insert("real_ms".to_owned(), u64::try_from(took)?.into());
        }
        writeln!(out, "{value}")?;
        return Ok(());
    }
    let seconds = format!("{}.{:03}", took / 1_000, took % 1_000);
    writeln!(out, "{:<14} {}", setting.name, setting.about)?;
    writeln!(
        out,
        "  {} states in {} scenes, {} transitions, depth {}, {seconds} s",
        outcome.states, outcome.scenes, outcome.transitions, outcome.depth
    )?;
    writeln!(
        out,
        "  {} disks, {} letters, the product was asked {} times",
        outcome.disks, outcome.letters, outcome.asked
    )?;
    match &outcome.verdict {
        Verdict::Holds => writeln!(out, "  every promise holds in every state")?,
        Verdict::Unfinished => writeln!(out, "  UNFINISHED: there are more states")?,
        Verdict::Broken { promise, how, story } => {
            writeln!(out, "  {promise} is broken: {how}")?;
            for (number, line) in story.iter().enumerate() {
                writeln!(out, "  {number:>4}  {line}")?;
            }
        }
    }
    let expected = match setting.expected {
        Expected::Holds => "every promise to hold".to_owned(),
        Expected::Breaks(promise) => format!("{promise} to be broken"),
    };
    let sign = if outcome.as_expected { "as expected:" } else { "UNEXPECTED: expected was" };
    writeln!(out, "  {sign} {expected}\n")?;
    Ok(())
}
