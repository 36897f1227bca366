//! One edit, followed through a whole city.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use hallmesh_simulations::edit::{self, Dead, Outcome};
use hallmesh_simulations::plan::Shape;
use hallmesh_simulations::world;
use serde_json::json;

use super::city::TABLE;
use super::progress;

#[derive(Debug, Args)]
pub(crate) struct EditArgs {
    /// The division table, with the columns `tier,code12,parent12,name,mca_code12,note`.
    #[arg(long, value_name = "FILE", default_value = TABLE)]
    halls: PathBuf,
    /// Everything follows from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Messages lost.
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=50))]
    loss: u64,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Runs every case and shows the table. An edit that does not reach everybody alive is told by the exit code.
pub(crate) fn edit(args: &EditArgs) -> anyhow::Result<u8> {
    let plan = edit::plan(Shape::of_table(&args.halls), args.loss.saturating_mul(10), args.seed);
    let bar = progress::bar(u64::try_from(Dead::ALL.len())?)?;
    let mut rows = Vec::new();
    for dead in Dead::ALL {
        rows.push((dead, world::edited(&plan, dead)?));
        bar.inc(1);
    }
    bar.finish_and_clear();
    let everywhere = rows.iter().all(|(_, (ours, _))| ours.reached == ours.alive);
    let code = if everywhere { 0 } else { super::NOT_EVERYWHERE };
    let mut out = io::stdout().lock();
    if args.json {
        let rows: Vec<_> = rows
            .iter()
            .map(|(dead, (ours, flood))| json!({ "dead": dead, "hallmesh": ours, "flood": flood }))
            .collect();
        let told = json!({ "seed": args.seed, "loss_percent": args.loss, "edits": rows, "exit_code": code });
        writeln!(out, "{told:#}")?;
        return Ok(code);
    }
    let head = "alive reached   50 % ms   99 % ms  100 % ms    copies     bytes";
    writeln!(out, "{:<24}{:<10}{head}", "one edit", "")?;
    for (dead, (ours, flood)) in &rows {
        writeln!(out, "{:<24}{:<10}{}", dead.words(), "hallmesh", line(ours))?;
        writeln!(out, "{:<24}{:<10}{}", "", "flood", line(flood))?;
    }
    writeln!(
        out,
        "copies: times sent, for each hall to reach; bytes: sent because of it, for each hall alive"
    )?;
    Ok(code)
}

fn line(told: &Outcome) -> String {
    let ms = |time: Option<u64>| time.map_or_else(|| "never".to_owned(), |ms| ms.to_string());
    let (whole, part) = (told.copies_thousandths / 1_000, told.copies_thousandths % 1_000 / 10);
    format!(
        "{:>5} {:>7} {:>9} {:>9} {:>9} {:>6}.{part:02} {:>9}",
        told.alive,
        told.reached,
        ms(told.p50_ms),
        ms(told.p99_ms),
        ms(told.all_ms),
        whole,
        told.bytes
    )
}
