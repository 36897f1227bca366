//! Old bytes are guests for life: what version 1 wrote, every later version reads, and writes the same.
//!
//! `UPDATE_GOLDEN=1 cargo test -p hallmesh-protocol --test golden` writes the files anew; that is right only
//! together with a new version number.
#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::format_collect,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failure here is a failed test"
)]

mod common;

use std::path::Path;

use common::{City, VILLAGE, secret};
use hallmesh_protocol::calendar::CivilDay;
use hallmesh_protocol::cases::{Facts, Header, Position, SignedEvent};
use hallmesh_protocol::ids::{CaseId, CaseNumber, ClerkId, Digest};
use hallmesh_protocol::message::{Message, Roots};
use hallmesh_protocol::post::{Letter, LetterBody};
use hallmesh_protocol::query;
use hallmesh_protocol::reconcile::{Sketch, SketchKey, Symbol};
use hallmesh_protocol::record::{Space, decode_records, encode_records};
use hallmesh_protocol::wire::Blob;

fn hex(bytes: &[u8]) -> String {
    let lines =
        bytes.chunks(32).map(|line| line.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

/// Compares with the file, and gives the file's bytes for reading them back.
fn golden(name: &str, bytes: &[u8]) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.hex"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, hex(bytes)).unwrap();
    }
    let kept = std::fs::read_to_string(&path).expect("the golden file is in the repository");
    assert_eq!(kept, hex(bytes), "{name}: the bytes of version 1 have changed");
    let digits: String = kept.split_whitespace().collect();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn event(city: &City) -> SignedEvent {
    let at = city.halls[VILLAGE].at;
    let header = Header {
        suite: 1,
        case: CaseId([0x11; 16]),
        position: Position::default(),
        sequence: 0,
        boot: 0x1234,
        at,
        clerk: ClerkId { hall: at.hall, number: 7 },
        body: None,
        wall: common::WALL,
        suspect_time: false,
        matter: Digest([0x22; 32]),
        calendar: Digest([0x33; 32]),
        previous: Digest([0; 32]),
        sealed: Digest([0; 32]),
        facts: Facts::Receive {
            number: CaseNumber::allocate(at, 0x1234, CivilDay::of_wall(common::WALL), 1),
            matter: "CITY-1".parse().unwrap(),
            place: at.hall.division(),
            competent: city.halls[0].at.hall,
            mirrors: [Some(city.halls[3].at), None],
        },
    };
    SignedEvent::sign(header, b"sealed".to_vec().into(), &secret(city.halls[VILLAGE].seed))
}

#[test]
fn an_event_is_the_same_bytes_for_ever() {
    let city = City::new();
    let event = event(&city);
    golden("event-message", &event.message());
    golden("event-signature", event.signature().as_bytes());
    golden("event-digest", &event.digest().0);
}

#[test]
fn a_chain_of_charters_is_the_same_bytes_for_ever() {
    let city = City::new();
    let chain = query::chain(&city.halls[VILLAGE].rows, city.halls[VILLAGE].at);
    let bytes = golden("chain", &encode_records(&chain));
    assert_eq!(decode_records(&bytes).unwrap(), chain);
}

#[test]
fn messages_are_the_same_bytes_for_ever() {
    let city = City::new();
    let roots = Roots { directory: [1; 32], lists: [2; 32] };
    let hello = Message::Hello {
        protocol: 1,
        protocol_min: 1,
        at: city.halls[0].at,
        boot: 9,
        roots,
        wall: common::WALL,
        please: false,
    };
    let file = hallmesh_protocol::cases::CaseFile { events: vec![event(&city)], wraps: Vec::new() };
    let letter = Letter::write(city.halls[VILLAGE].at, city.halls[0].at.hall, LetterBody::HandOver(file));
    let mut sketch = Sketch::of(SketchKey::derive(2, &[3; 8], &[4; 8]), [[5; 32], [6; 32]]);
    let packed = Blob::from(Symbol::pack(sketch.block(0, 3).unwrap()));
    let ids = sketch.peel(&[Symbol::default(); 21]).unwrap();
    let (space, nonce, answer) = (Space::Lists, [3; 8], [4; 8]);
    let messages = [
        ("hello", hello),
        ("heartbeat", Message::Heartbeat { roots, wall: 1_800_000_000_000 }),
        ("letter", Message::Letter(letter)),
        ("ask", Message::Ask { space, nonce, from: 21, count: 73 }),
        ("symbols", Message::Symbols { space, nonce, answer, from: 0, packed }),
        ("want", Message::Want { space, nonce, ids }),
    ];
    for (name, message) in messages {
        let bytes = golden(&format!("message-{name}"), &message.encode());
        assert_eq!(Message::decode(&bytes).unwrap(), message);
    }
}
