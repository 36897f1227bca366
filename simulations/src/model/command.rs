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
    /// Plant this bug of the core first; without a setting, explore the one that finds it.
    #[cfg(feature = "planted-bugs")]
    #[arg(long, value_name = "WORD")]
    bug: Option<hallmesh_protocol::planted::Bug>,
}

/// Explores what was asked for; 0 if everything came out as expected.
pub fn run(args: &CheckArgs) -> anyhow::Result<u8> {
    let mut code = 0;
    for setting in chosen(args)? {
        let began = Instant::now();
        let outcome = explored(args, setting)?;
        show(args.json, setting, &outcome, began.elapsed().as_millis())?;
        if !outcome.as_expected {
            code = UNEXPECTED;
        }
    }
    Ok(code)
}

#[cfg(not(feature = "planted-bugs"))]
fn explored(args: &CheckArgs, setting: &Setting) -> anyhow::Result<Outcome> {
    check(setting, args.max_states)
}

#[cfg(feature = "planted-bugs")]
fn explored(args: &CheckArgs, setting: &Setting) -> anyhow::Result<Outcome> {
    match args.bug {
        Some(bug) => super::bugs::check_wrongly(setting, bug, args.max_states),
        None => check(setting, args.max_states),
    }
}

fn chosen(args: &CheckArgs) -> anyhow::Result<Vec<&'static Setting>> {
    #[cfg(feature = "planted-bugs")]
    if let Some(setting) = args.bug.filter(|_| args.settings.is_empty()).and_then(super::bugs::finds) {
        return Ok(vec![setting]);
    }
    let names = &args.settings;
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
    for (wait, states) in &outcome.waits {
        writeln!(out, "  {states} states from which the case waits in the end: {}", wait.word())?;
    }
    if let (Some(promise), (states, story)) = (setting.except, &outcome.excepted) {
        writeln!(out, "  {promise} is broken in {states} states, no other promise is:")?;
        tell(&mut out, story)?;
    }
    match &outcome.verdict {
        Verdict::Holds => writeln!(out, "  every promise holds in every state")?,
        Verdict::Unfinished => writeln!(out, "  UNFINISHED: there are more states")?,
        Verdict::Broken { promise, how, story } => {
            writeln!(out, "  {promise} is broken: {how}")?;
            tell(&mut out, story)?;
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

fn tell(out: &mut impl Write, story: &[String]) -> io::Result<()> {
    story.iter().enumerate().try_for_each(|(number, line)| writeln!(out, "  {number:>4}  {line}"))
}
