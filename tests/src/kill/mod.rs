//! The kill test: a city of seven real halls under load at every window, killed, stopped and cut off, then judged.
//!
//! Clients work at every hall through its local socket, as windows do. Whatever a hall acknowledges is in a journal,
//! on the disk, before it counts. When the last blow has fallen everything is mended, the clients finish what is
//! open, and the [`verdict`] compares the journal with what the halls tell of each case, and their stores with each
//! other. It asks no hall whether it thinks that all is well.

mod blows;
mod inquest;
mod journal;
mod load;
mod report;
pub mod verdict;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hallmesh::ops::Problem;
use hallmesh_protocol::ids::HallId;
use tokio::task::JoinSet;

use crate::street::{SetUp, Street};

pub use blows::{Blow, blows};
pub use journal::{Journal, Receipt};
pub use report::Report;

use blows::Hand;
use load::{Load, clerk};

/// Clients at each hall.
const CLIENTS: u64 = 2;
/// How long nothing may move in a healed city before it is taken not to come to rest. A hand-over is repeated after a
/// minute at the latest.
const STILL_MAX: Duration = Duration::from_secs(150);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How often somebody is told how far it has come.
const TOLD_EVERY: u32 = 100;

/// What to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Kills with `-9`.
    pub kills: u32,
    /// The pause between two.
    pub every: Duration,
    /// After this the blows end, however many they were.
    pub at_most: Option<Duration>,
    /// The blows follow from it.
    pub seed: u64,
    /// Cases open at once at the most.
    pub open_max: usize,
    /// Where the journal is kept; none for with the city, which goes.
    pub journal: Option<PathBuf>,
    /// Something to do wrong, to see that it is found.
    pub planted: Planted,
}

/// What a run does wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    /// Nothing.
    Nothing,
    /// The journal has a receipt that no hall gave.
    ForgedReceipt,
}

/// Redialling costs nobody a line here, and a dead neighbour is noticed within a few seconds.
const SET_UP: SetUp = |config| hallmesh::config::Config {
    redial_max_ms: 1_000,
    ping_interval_ms: 2_000,
    recorder_inputs: 0,
    log: "warn".to_owned(),
    ..config
};

/// Runs the plan. A problem is a hall that did what no blow made it do, such as ending by itself.
pub async fn run(plan: &Plan, say: &(dyn Fn(&str) + Sync)) -> Result<Report, Problem> {
    let (street, links) = Street::with_lines(plan.seed, SET_UP).await;
    let street = Arc::new(street);
    let path = plan.journal.clone().unwrap_or_else(|| street.dir.path().join("receipts.jsonl"));
    let journal = Journal::create(&path).map_err(|why| Problem::new("street.journal").with("reason", why))?;
    let load = Arc::new(Load::new(Arc::clone(&street), journal, plan));
    let mut clients = JoinSet::new();
    for hall in 0..street.city.members.len() {
        for _ in 0..CLIENTS {
            clients.spawn(clerk(Arc::clone(&load), hall));
        }
    }
    let begun = Instant::now();
    let mut report = Report { seed: plan.seed, ..Report::default() };
    let mut hand = Hand::new(Arc::clone(&street), links.clone());
    strike(plan, &load, &mut hand, say).await?;
    hand.rest().await?;
    report.under_blows = begun.elapsed();
    load.take_in_no_more();
    let open = load.open();
    say(&format!("{} kills; {open} cases are open; waiting for quiet", hand.tally().kills));
    let begun = Instant::now();
    report.at_rest = quiet(&street, &load).await;
    report.until_quiet = begun.elapsed();
    load.end();
    while let Some(ended) = clients.join_next().await {
        ended.expect("no client fails");
    }
    (report.blows, report.restarts) = (hand.tally(), hand.restarts());
    report.refused = load.refused();
    judge(plan, &street, &path, &mut report, say).await?;
    Ok(report)
}

async fn strike(
    plan: &Plan,
    load: &Load,
    hand: &mut Hand,
    say: &(dyn Fn(&str) + Sync),
) -> Result<(), Problem> {
    let begun = Instant::now();
    let mut beat = tokio::time::interval(plan.every);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut told = 0;
    for blow in blows(plan.seed, load.halls()) {
        beat.tick().await;
        hand.strike(&blow).await?;
        let kills = hand.tally().kills;
        if kills / TOLD_EVERY > told {
            told = kills / TOLD_EVERY;
            say(&format!("{kills} kills, {} receipts, {} cases open", load.receipts(), load.open()));
        }
        if kills >= plan.kills || plan.at_most.is_some_and(|most| begun.elapsed() >= most) {
            break;
        }
    }
    Ok(())
}

/// Waits until every case that was acknowledged is delivered and no letter waits anywhere; whether that came about.
/// If nothing moves any more, the judge may say why.
async fn quiet(street: &Street, load: &Load) -> bool {
    let (mut before, mut since) = (None, Instant::now());
    loop {
        let now = (load.open(), load.receipts(), waiting(street).await);
        if (now.0, now.2) == (0, 0) {
            return true;
        }
        if before != Some(now) {
            (before, since) = (Some(now), Instant::now());
        } else if since.elapsed() > STILL_MAX {
            return false;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Letters that wait, at all halls.
async fn waiting(street: &Street) -> u64 {
    let mut letters = 0;
    for place in 0..street.city.members.len() {
        letters += street.status(place).await.post;
    }
    letters
}

async fn judge(
    plan: &Plan,
    street: &Street,
    journal: &Path,
    report: &mut Report,
    say: &(dyn Fn(&str) + Sync),
) -> Result<(), Problem> {
    let unreadable = |why| Problem::new("street.journal").with("reason", why);
    let mut receipts = Journal::read(journal).map_err(unreadable)?;
    match plan.planted {
        Planted::Nothing => {}
        Planted::ForgedReceipt => receipts.extend(forged(&receipts)),
    }
    say(&format!("judging {} receipts", receipts.len()));
    let begun = Instant::now();
    report.found = inquest::hold(street, &receipts).await?;
    report.judging = begun.elapsed();
    Ok(())
}

/// A receipt that differs from a real one in its case only.
fn forged(receipts: &[Receipt]) -> Option<Receipt> {
    let real = receipts.first()?;
    let other = |text: &str| text.chars().rev().collect::<String>();
    Some(Receipt { case: other(&real.case), number: other(&real.number), ..real.clone() })
}

/// Places of the halls in the city's list.
type Halls = Vec<HallId>;
