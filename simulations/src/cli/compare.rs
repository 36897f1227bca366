//! Two runs beside each other: base and head.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use serde_json::Value;

#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// The JSON of one run (`hallmesh-sim run --json`).
    base: PathBuf,
    /// The JSON of the other.
    head: PathBuf,
    /// Fail if a figure of the second is more than so many percent above the first's.
    #[arg(long, value_name = "PERCENT")]
    at_most: Option<u64>,
}

/// The exit code when a figure grew by more than was allowed.
const GREW: u8 = 82;

/// Shows every figure in which two runs differ.
pub(crate) fn compare(args: &CompareArgs) -> anyhow::Result<u8> {
    let (base, head) = (figures(&args.base)?, figures(&args.head)?);
    let mut out = io::stdout().lock();
    let mut grew = false;
    writeln!(out, "{:<40} {:>16} {:>16} {:>8}", "", "base", "head", "%")?;
    for (name, was) in &base {
        let is = head.get(name).copied().unwrap_or(0);
        if is == *was {
            continue;
        }
        let percent = is.saturating_mul(100).checked_div(*was);
        let shown = percent.map_or_else(|| "new".to_owned(), |percent| percent.to_string());
        writeln!(out, "{name:<40} {was:>16} {is:>16} {shown:>8}")?;
        let allowed = args.at_most.map(|more| more.saturating_add(100));
        grew |= allowed.is_some_and(|allowed| percent.is_none_or(|percent| percent > allowed));
    }
    for (name, is) in head.iter().filter(|(name, _)| !base.contains_key(*name)) {
        writeln!(out, "{name:<40} {:>16} {is:>16} {:>8}", 0, "new")?;
    }
    Ok(if grew { GREW } else { 0 })
}

/// Every number of a report, by its path.
fn figures(path: &Path) -> anyhow::Result<BTreeMap<String, u64>> {
    let text = std::fs::read(path).with_context(|| path.display().to_string())?;
    let value: Value = serde_json::from_slice(&text).with_context(|| path.display().to_string())?;
    let mut found = BTreeMap::new();
    collect("", &value, &mut found);
    Ok(found)
}

fn collect(path: &str, value: &Value, found: &mut BTreeMap<String, u64>) {
    let under = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| collect(&under(name), value, found)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, value)| collect(&under(&at.to_string()), value, found));
        }
        Value::Number(number) => found.extend(number.as_u64().map(|number| (path.to_owned(), number))),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}
