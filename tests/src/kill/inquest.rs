//! Gathering what the judge is shown: the halls' answers to anybody who asks, and their stores.

use std::collections::BTreeMap;

use futures::{StreamExt, stream};
use hallmesh::ops::{Answer, Ask, Problem};
use hallmesh::store::Store;
use hallmesh_protocol::cases::Stage;
use hallmesh_protocol::limits::PAGE_MAX;
use hallmesh_protocol::query;
use hallmesh_protocol::step::View;

use super::journal::Receipt;
use super::load::digest;
use super::report::Found;
use super::verdict::{self, Inventory, Told};
use crate::street::Street;

/// Cases asked for at once.
const AT_ONCE: usize = 6;

/// Asks every hall for every case with a receipt, then looks into every store. The halls are stopped by this.
pub(super) async fn hold(street: &Street, receipts: &[Receipt]) -> Result<Found, Problem> {
    let mut by_number: BTreeMap<&str, Vec<Receipt>> = BTreeMap::new();
    for receipt in receipts {
        by_number.entry(&receipt.number).or_default().push(receipt.clone());
    }
    let mut found = Found {
        receipts: u64::try_from(receipts.len()).unwrap(),
        cases: u64::try_from(by_number.len()).unwrap(),
        ..Found::default()
    };
    let mut cases = stream::iter(&by_number)
        .map(|(number, receipts)| async move {
            told(street, number, receipts).await.map(|it| (number, receipts, it))
        })
        .buffer_unordered(AT_ONCE);
    while let Some(told) = cases.next().await {
        let (number, receipts, told) = told?;
        found.hand_overs += told.traces.values().map(takes).max().unwrap_or_default();
        found.tell(verdict::case(number, receipts, &told));
    }
    let known = take_inventory(street).await?;
    let acknowledged = |number: &&String| by_number.contains_key(number.as_str());
    found.unacknowledged =
        u64::try_from(known.numbers.keys().filter(|number| !acknowledged(number)).count()).unwrap();
    found.tell(verdict::inventory(&known));
    Ok(found)
}

fn takes(trace: &hallmesh::ops::Trace) -> u64 {
    u64::try_from(trace.events.iter().filter(|event| event.what == "take").count()).unwrap()
}

async fn told(street: &Street, number: &str, receipts: &[Receipt]) -> Result<Told, Problem> {
    let mut told = Told::default();
    for (place, member) in street.city.members.iter().enumerate() {
        match street.ask(place, &Ask::Trace { case: number.to_owned() }).await {
            Ok(Answer::Trace(trace)) => drop(told.traces.insert(member.hall.to_string(), *trace)),
            Ok(other) => panic!("{other:?}"),
            Err(problem) if problem.code == "case.unknown" => {}
            Err(problem) => return Err(problem),
        }
    }
    let window = receipts.iter().find(|receipt| receipt.what == "receive").map(|receipt| &receipt.hall);
    let window = street.city.members.iter().position(|member| Some(&member.hall.to_string()) == window);
    let (Some(window), false) = (window, told.traces.is_empty()) else { return Ok(told) };
    match street.act(window, &Ask::Read { case: number.to_owned() }).await {
        Ok(Answer::Contents(read)) => {
            told.contents = read.parts.into_iter().map(|(at, _, said)| (at, digest(&said))).collect();
        }
        Ok(other) => panic!("{other:?}"),
        // Then nothing is told of the contents, and the judge sees that.
        Err(problem) if problem.code.starts_with("case.") => {}
        Err(problem) => return Err(problem),
    }
    Ok(told)
}

/// Stops every hall and reads every store.
async fn take_inventory(street: &Street) -> Result<Inventory, Problem> {
    let mut known = Inventory::default();
    for member in &street.city.members {
        street.processes.stop(member).await?;
        let store = Store::open(&member.dir).expect("a store that was closed opens");
        let view = store.snapshot().expect("an open store can be read");
        for stage in Stage::ALL {
            enter(&mut known, &view, stage, &member.hall.to_string());
        }
    }
    Ok(known)
}

fn enter(known: &mut Inventory, view: &dyn View, stage: Stage, hall: &str) {
    let mut after = None;
    loop {
        let page = query::desk(view, stage, after, PAGE_MAX);
        for id in &page {
            let hands = known.hands.entry(id.to_string()).or_default();
            if stage == Stage::Custodian {
                hands.push(hall.to_owned());
            }
            let case = query::case(view, *id).expect("what lies on a desk is a case").case;
            known.numbers.entry(case.number.to_string()).or_default().insert(id.to_string());
        }
        let Some(last) = page.last() else { return };
        after = Some(*last);
    }
}
