//! What it costs on a line to find out what two halls with 20,000 records lack of each other.
//!
//! Counted are the whole encoded messages that find the difference, both ways: `Ask`, `Symbols` and `Want` with
//! their heads, nonces, symbols and short ids. Not counted are the records themselves, which have to travel
//! whatever finds them, and the heartbeats, which go every 15 s whether or not anything differs; of those it is
//! counted what they carry of one set, when nothing differs.
#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failure here is a failed test"
)]

mod common;

use std::cell::RefCell;
use std::rc::Rc;

use common::{CITY, COUNTY, City, first, matter, secret};
use hallmesh_protocol::ids::Tier;
use hallmesh_protocol::message::{Message, Why};
use hallmesh_protocol::query;
use hallmesh_protocol::record::{Body, Issuer, Record, Space};
use hallmesh_protocol::signed::Signed;
use hallmesh_protocol::step::Input;
use hallmesh_protocol::verify;

const RECORDS: u32 = 20_000;
/// The version and the kind that every message begins with: of a heartbeat, the sign of life.
const HEAD: usize = 5;
/// What a heartbeat says of the clock.
const CLOCK: usize = 8;

#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    bytes: usize,
    rounds: usize,
    heartbeat: usize,
}

struct Pair {
    city: City,
    cost: Rc<RefCell<Cost>>,
    made: u32,
}

impl Pair {
    fn new() -> Self {
        let mut city = City::new();
        let cost = Rc::new(RefCell::new(Cost::default()));
        let (counting, pair) = (Rc::clone(&cost), [city.halls[CITY].at.hall, city.halls[COUNTY].at.hall]);
        city.bend = Box::new(move |from, to, message| {
            let between = pair.contains(&from) && pair.contains(&to);
            if between {
                count(&mut counting.borrow_mut(), message);
            }
            between
        });
        Self { city, cost, made: 0 }
    }

    /// New matters of the city's hall.
    fn fresh(&mut self, count: u32) -> Vec<Signed<Record>> {
        let issuer = Issuer::Hall(self.city.halls[CITY].at);
        let made = self.made..self.made + count;
        self.made = made.end;
        made.map(|number| {
            let body = Body::Matter(Box::new(matter(&format!("M-{number}"), Tier::County)));
            Signed::sign(&first(issuer, body), &[(0, &secret(10))])
        })
        .collect()
    }

    /// Gives a hall records by the product's own way in; what it says to that is lost.
    fn hold(&mut self, index: usize, records: &[Signed<Record>]) {
        let from = self.city.halls[CITY + COUNTY - index].at.hall;
        for records in records.chunks(512) {
            let (space, records) = (Space::Lists, records.to_vec());
            let message = Message::Records { space, records, why: Why::Push };
            let rows = &self.city.halls[index].rows;
            let message = verify::message(rows, self.city.halls[index].at.hall, message).unwrap();
            self.city.step(index, Input::Received { from, message });
        }
        self.city.wires.clear();
    }

    /// What the exchange costs when each side lacks `half` records of the other's.
    fn differ_by(&mut self, half: u32) -> Cost {
        for index in [CITY, COUNTY] {
            let records = self.fresh(half);
            self.hold(index, &records);
        }
        assert!(half == 0 || self.lists(CITY) != self.lists(COUNTY));
        *self.cost.borrow_mut() = Cost::default();
        self.city.run_seconds(90);
        assert_eq!(self.lists(CITY), self.lists(COUNTY), "the halls hold the same records in the end");
        *self.cost.borrow()
    }

    fn lists(&self, index: usize) -> [u8; 32] {
        query::roots(&self.city.halls[index].rows).lists
    }
}

fn count(cost: &mut Cost, message: &Message) {
    let length = message.encode().len();
    match message {
        Message::Ask { .. } | Message::Symbols { .. } | Message::Want { .. } => cost.bytes += length,
        Message::Heartbeat { .. } => cost.heartbeat = cost.heartbeat.max(length),
        Message::Page { .. } | Message::Far { .. } | Message::Pull { .. } => panic!("the symbols suffice"),
        Message::Hello { .. }
        | Message::Records { .. }
        | Message::Letter(_)
        | Message::Taken(_)
        | Message::Standing { .. }
        | Message::Continued { .. }
        | Message::Cosigned(_)
        | Message::Announce { .. } => {}
    }
    cost.rounds += usize::from(matches!(message, Message::Ask { .. }));
}

fn median(mut of: Vec<usize>) -> usize {
    of.sort_unstable();
    of[of.len() / 2]
}

#[test]
fn reconcile_bytes() {
    let mut pair = Pair::new();
    let common = pair.fresh(RECORDS);
    pair.hold(CITY, &common);
    pair.hold(COUNTY, &common);

    let equal = pair.differ_by(0);
    let of_one_set = (equal.heartbeat - HEAD - CLOCK) / Space::ALL.len();
    assert_eq!((equal.bytes, equal.rounds), (0, 0), "equal roots, nothing to do");
    assert!(of_one_set * 2 <= 64, "{of_one_set} bytes each way when nothing differs");

    let ten: Vec<Cost> = (0..15).map(|_| pair.differ_by(5)).collect();
    let bytes = median(ten.iter().map(|cost| cost.bytes).collect());
    let rounds = median(ten.iter().map(|cost| cost.rounds).collect());
    assert!(bytes <= 300 && rounds == 1, "{bytes} bytes and {rounds} rounds for ten: {ten:?}");
    assert!(ten.iter().all(|cost| cost.rounds <= 3), "{ten:?}");

    let thousand: Vec<Cost> = (0..3).map(|_| pair.differ_by(500)).collect();
    assert!(thousand.iter().all(|cost| cost.bytes <= 18_000 && cost.rounds <= 6), "{thousand:?}");
}
