//! A real node's recording, run again on this desk.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use hallmesh_protocol::limits::RECORDING_MAX;
use hallmesh_protocol::recording::{Gave, Recording};
use hallmesh_simulations::replay::{Retold, Turn, Verdict, lasted, replay};
use hallmesh_simulations::story;
use serde_json::{Value, json};

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// What `hallmesh record save` has written.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
    /// Tell what came and what it gave, entry by entry.
    #[arg(long)]
    story: bool,
}

/// Runs a recording again and says whether it gives the same. The exit code is the verdict.
pub(crate) fn run(args: &ReplayArgs) -> anyhow::Result<u8> {
    let named = || args.file.display().to_string();
    let recording = Recording::decode(&read(&args.file).with_context(named)?).with_context(named)?;
    let retold = replay(recording).context("the node's memory in the recording").with_context(named)?;
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{}", as_json(&retold, args.story))?;
    } else {
        for line in lines(&retold, args.story) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(retold.verdict.exit_code())
}

/// One byte more than the most that is read, so that a longer file is refused as that.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let most = u64::try_from(RECORDING_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn lines(retold: &Retold, story: bool) -> Vec<String> {
    let header = &retold.header;
    let mut lines = vec![
        format!("hall       {} (boot {:05x}), hallmesh {}", header.at, header.boot, header.software),
        format!("begun      {}", story::moment(header.begun.wall)),
        format!("recorded   {} inputs, {} rows they read", retold.entries, retold.rows),
    ];
    let told = |turn: &&Turn| story || turn.is_refusal();
    lines.extend(retold.turns.iter().filter(told).flat_map(Turn::lines));
    let refusals = retold.turns.iter().filter(|turn| turn.is_refusal()).count();
    let seconds = lasted(header, &retold.turns) / 1_000;
    lines.push(format!("replayed   {} inputs of {seconds} s, {refusals} refusals", retold.turns.len()));
    lines.extend(verdict(&retold.verdict));
    lines
}

fn verdict(verdict: &Verdict) -> Vec<String> {
    match verdict {
        Verdict::Same => vec!["verdict    the same as recorded".to_owned()],
        Verdict::Differs { entry, difference, recorded, now } => vec![
            format!("verdict    entry {entry} differs from what was recorded: {}", difference.word()),
            format!("  recorded {}", short(recorded)),
            format!("  now      {}", short(now)),
        ],
        Verdict::Survived { entry } => {
            vec![format!("verdict    the recorded node did not survive entry {entry}; this core does")]
        }
        Verdict::Stopped { entry: Some(entry), why } => {
            vec![format!("verdict    the core stopped itself at entry {entry}: {why}")]
        }
        Verdict::Stopped { entry: None, why } => {
            vec![format!("verdict    the core stopped itself before the first entry: {why}")]
        }
    }
}

fn short(gave: &Gave) -> String {
    format!("{} rows; {}", gave.wrote.len(), gave.said.join("; "))
}

fn as_json(retold: &Retold, story: bool) -> Value {
    let (header, verdict) = (&retold.header, &retold.verdict);
    let mut told = json!({
        "hall": header.at.to_string(),
        "boot": header.boot,
        "software": header.software,
        "begun": header.begun.wall,
        "rows": retold.rows,
        "entries": retold.entries,
        "replayed": retold.turns.len(),
        "refusals": retold.turns.iter().filter(|turn| turn.is_refusal()).collect::<Vec<_>>(),
        "verdict": verdict.word(),
        "entry": verdict.entry(),
        "exit_code": verdict.exit_code(),
    });
    if let Some(fields) = told.as_object_mut() {
        if let Verdict::Differs { difference, recorded, now, .. } = verdict {
            fields.insert("difference".to_owned(), difference.word().into());
            fields.insert("recorded".to_owned(), recorded.said.clone().into());
            fields.insert("now".to_owned(), now.said.clone().into());
        }
        if let Verdict::Stopped { why, .. } = verdict {
            fields.insert("why".to_owned(), why.clone().into());
        }
        if story {
            fields.insert("story".to_owned(), json!(retold.turns));
        }
    }
    told
}
