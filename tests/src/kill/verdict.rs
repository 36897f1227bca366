//! The judge: what was acknowledged against what the halls have. Pure; it knows the halls by what they show.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use hallmesh::ops::{Event, Trace};

use super::journal::Receipt;

/// Acts that a citizen feels: at most once in the life of a case.
const EFFECTS: [&str; 6] = ["receive", "request-correction", "supplement", "accept", "decide", "deliver"];
const IN_HAND: &str = "custodian";

/// What the halls show of one case.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// The log, by the hall that shows it. Halls that do not know the case are not here.
    pub traces: BTreeMap<String, Trace>,
    /// Digests of what is sealed in the log, by sequence, as the receiving hall opens it.
    pub contents: BTreeMap<u32, String>,
}

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Breach {
    /// A receipt was given, and no hall has the case.
    Lost(String),
    /// The log does not begin with the receipt.
    OtherBeginning(String),
    /// An act was acknowledged and is not in the log where it was said to be.
    Missing(String, u32, String),
    /// It is there and says something else.
    OtherWords(String, u32),
    /// An act that may happen once happened more often.
    Twice(String, String, usize),
    /// The case came to rest and is not delivered, or not in the hand of the receiving hall alone.
    NotAtRest(String, Vec<String>),
    /// Two halls wrote in one epoch.
    TwoHands(String, u32),
    /// A hall shows another story.
    Differs(String, String),
    /// A signature does not hold.
    Forged(String, u32),
    /// One number stands for several cases.
    SameNumber(String, usize),
    /// A case is in no hand or in several.
    Hands(String, Vec<String>),
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(number) => write!(f, "{number}: a receipt was given, and no hall has the case"),
            Self::OtherBeginning(number) => write!(f, "{number}: the log does not begin with the receipt"),
            Self::Missing(number, at, what) => {
                write!(f, "{number}: `{what}` was acknowledged at {at} and is not there")
            }
            Self::OtherWords(number, at) => write!(f, "{number}: what was said at {at} is not what is there"),
            Self::Twice(number, what, times) => write!(f, "{number}: `{what}` {times} times"),
            Self::NotAtRest(number, hands) => write!(f, "{number}: not delivered by one hand: {hands:?}"),
            Self::TwoHands(number, epoch) => write!(f, "{number}: two hands in epoch {epoch}"),
            Self::Differs(number, hall) => write!(f, "{number}: {hall} tells another story"),
            Self::Forged(number, at) => write!(f, "{number}: the signature at {at} does not hold"),
            Self::SameNumber(number, cases) => write!(f, "{number}: the number of {cases} cases"),
            Self::Hands(case, hands) => write!(f, "{case}: in the hands of {hands:?}"),
        }
    }
}

/// Judges one case that came to rest by all receipts with its number. Nothing, if every promise held.
pub fn case(number: &str, receipts: &[Receipt], told: &Told) -> Vec<Breach> {
    let logs = told.traces.values().map(|trace| &trace.events);
    let Some(log) = logs.max_by_key(|events| events.len()) else {
        return vec![Breach::Lost(number.to_owned())];
    };
    let mut breaches = beginning(number, receipts, told, log);
    breaches.extend(receipts.iter().filter_map(|receipt| acknowledged(number, receipt, told, log)));
    breaches.extend(EFFECTS.iter().filter_map(|what| once(number, what, log)));
    breaches.extend(one_hand_an_epoch(number, log));
    breaches.extend(at_rest(number, told));
    breaches.extend(one_story(number, told, log));
    breaches
}

/// All receipts with this number are of one case, and it is the one that the halls have.
fn beginning(number: &str, receipts: &[Receipt], told: &Told, log: &[Event]) -> Vec<Breach> {
    let mut ids: BTreeSet<&str> = receipts.iter().map(|receipt| receipt.case.as_str()).collect();
    ids.extend(told.traces.values().map(|trace| trace.case.id.as_str()));
    if ids.len() > 1 {
        return vec![Breach::SameNumber(number.to_owned(), ids.len())];
    }
    let first = log.first().filter(|first| first.what == "receive");
    let begins = first.is_some_and(|first| first.details.get("number").is_some_and(|it| it == number));
    if begins { Vec::new() } else { vec![Breach::OtherBeginning(number.to_owned())] }
}

fn acknowledged(number: &str, receipt: &Receipt, told: &Told, log: &[Event]) -> Option<Breach> {
    let place = usize::try_from(receipt.sequence).unwrap();
    let there = log.get(place).is_some_and(|event| {
        event.sequence == receipt.sequence
            && event.what == receipt.what
            && event.hall == receipt.hall
            && event.clerk.is_some()
    });
    if !there {
        return Some(Breach::Missing(number.to_owned(), receipt.sequence, receipt.what.clone()));
    }
    let words = told.contents.get(&receipt.sequence) == Some(&receipt.content);
    (!words).then(|| Breach::OtherWords(number.to_owned(), receipt.sequence))
}

fn once(number: &str, what: &str, log: &[Event]) -> Option<Breach> {
    let times = log.iter().filter(|event| event.what == what).count();
    (times > 1).then(|| Breach::Twice(number.to_owned(), what.to_owned(), times))
}

fn one_hand_an_epoch(number: &str, log: &[Event]) -> Option<Breach> {
    let mut hands = BTreeMap::new();
    log.iter().find_map(|event| {
        let hand = hands.entry((event.term, event.epoch)).or_insert(&event.hall);
        (**hand != event.hall).then(|| Breach::TwoHands(number.to_owned(), event.epoch))
    })
}

/// Delivered, and in the hand of the hall where the citizen stands, as that hall and every other sees it.
fn at_rest(number: &str, told: &Told) -> Option<Breach> {
    let in_hand = told.traces.iter().filter(|(_, trace)| trace.case.stage == IN_HAND);
    let hands: Vec<String> = in_hand.clone().map(|(hall, _)| hall.clone()).collect();
    let rests = in_hand
        .clone()
        .all(|(hall, trace)| trace.case.state.word() == "delivered" && trace.case.receiving == *hall);
    (hands.len() != 1 || !rests).then(|| Breach::NotAtRest(number.to_owned(), hands))
}

/// Every copy is the log, or the beginning of it.
fn one_story(number: &str, told: &Told, log: &[Event]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (hall, trace) in &told.traces {
        let same = log.iter().zip(&trace.events).all(|(one, other)| one.digest == other.digest);
        if !same {
            breaches.push(Breach::Differs(number.to_owned(), hall.clone()));
        }
        let forged = trace.events.iter().find(|event| event.signature != Some(true));
        breaches.extend(forged.map(|event| Breach::Forged(number.to_owned(), event.sequence)));
    }
    breaches
}

/// What the stores of all halls have, of cases with and without a receipt.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// The halls that have a case in hand, for every case that is known anywhere.
    pub hands: BTreeMap<String, Vec<String>>,
    /// The cases that have a number.
    pub numbers: BTreeMap<String, BTreeSet<String>>,
}

/// Judges all cases together: each in one hand, each number once.
pub fn inventory(inventory: &Inventory) -> Vec<Breach> {
    let hands = inventory.hands.iter().filter(|(_, hands)| hands.len() != 1);
    let numbers = inventory.numbers.iter().filter(|(_, cases)| cases.len() != 1);
    let hands = hands.map(|(case, hands)| Breach::Hands(case.clone(), hands.clone()));
    hands.chain(numbers.map(|(number, cases)| Breach::SameNumber(number.clone(), cases.len()))).collect()
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
