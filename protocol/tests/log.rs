//! The case log: layout, fold, what may follow what.
#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_in_result,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a failure here is a failed test"
)]

mod common;

use common::secret;
use hallmesh_protocol::calendar::CivilDay;
use hallmesh_protocol::cases::{
    BadHeader, Case, Deed, Facts, FactsKind, HEADER_BYTES, Header, NotAllowed, Position, Purpose,
    SignedEvent, State,
};
use hallmesh_protocol::ids::{CaseId, CaseNumber, ClerkId, Digest, DivisionCode, HallAt, HallId};
use hallmesh_protocol::wire::Blob;
use proptest::prelude::*;

fn at(code: u64) -> HallAt {
    HallAt { hall: HallId::main(DivisionCode::from_u64(code).unwrap()), incarnation: 1 }
}

fn window() -> HallAt {
    at(620_702_203_200)
}

fn decider() -> HallAt {
    at(620_700_000_000)
}

fn header(by: HallAt, case: Option<&Case>, facts: Facts) -> Header {
    let epochs = match facts {
        Facts::Take { .. } => 1,
        Facts::Resume { .. } => 2,
        _ => 0,
    };
    Header {
        suite: 1,
        case: CaseId([5; 16]),
        position: case.map_or(Position::default(), |case| case.position.after(epochs)),
        sequence: case.map_or(0, |case| case.events),
        boot: 7,
        at: by,
        clerk: ClerkId { hall: by.hall, number: 3 },
        body: None,
        wall: 1_790_000_000_000,
        suspect_time: false,
        matter: Digest([1; 32]),
        calendar: Digest([2; 32]),
        previous: case.map_or(Digest([0; 32]), |case| case.head),
        sealed: Digest([0; 32]),
        facts,
    }
}

fn receive(competent: HallAt) -> Facts {
    Facts::Receive {
        number: CaseNumber::allocate(window(), 7, CivilDay::of_wall(1_790_000_000_000), 1),
        matter: "CITY-1".parse().unwrap(),
        place: window().hall.division(),
        competent: competent.hall,
        mirrors: [Some(at(620_702_203_000)), None],
    }
}

fn begin(competent: HallAt) -> Case {
    Case::begin(&header(window(), None, receive(competent)), Digest([9; 32])).unwrap()
}

fn next(case: &Case, by: HallAt, facts: Facts) -> Result<Case, NotAllowed> {
    let digest = Digest([u8::try_from(case.events).unwrap() + 10; 32]);
    case.next(&header(by, Some(case), facts), digest)
}

fn take() -> Facts {
    Facts::Take { witness: at(620_702_203_000) }
}

/// A case in a state, in the hand of the hall that acts in it.
fn in_state(state: State) -> (Case, HallAt) {
    let to = |to, purpose| Facts::Transfer { to, purpose, mirrors: [None, None] };
    let mut case = begin(decider());
    let mut go = |by, facts| case = next(&case, by, facts).unwrap();
    go(window(), to(decider(), Purpose::Decide));
    go(decider(), take());
    let path: &[(HallAt, Facts)] = match state {
        State::Received => &[],
        State::AwaitingCorrection => &[
            (decider(), Facts::Act(Deed::RequestCorrection)),
            (decider(), to(window(), Purpose::Correct)),
            (window(), take()),
        ],
        State::Supplemented => &[
            (decider(), Facts::Act(Deed::RequestCorrection)),
            (decider(), to(window(), Purpose::Correct)),
            (window(), take()),
            (window(), Facts::Act(Deed::Supplement)),
            (window(), to(decider(), Purpose::Supplemented)),
            (decider(), take()),
        ],
        State::Accepted => &[(decider(), Facts::Act(Deed::Accept))],
        State::Decided | State::Delivered => &[
            (decider(), Facts::Act(Deed::Accept)),
            (decider(), Facts::Act(Deed::GRANT)),
            (decider(), to(window(), Purpose::Return)),
            (window(), take()),
        ],
        State::Suspended
        | State::Certified
        | State::NotAccepted
        | State::Closed
        | State::Revoked
        | State::Archived => unreachable!("protocol/tests/law.rs goes there"),
    };
    for (by, facts) in path {
        go(*by, facts.clone());
    }
    if state == State::Delivered {
        go(window(), Facts::Act(Deed::Deliver));
    }
    let holder = case.custodian;
    assert_eq!(case.state, state);
    (case, holder)
}

#[test]
fn a_stranger_does_nothing() {
    let states =
        [State::Received, State::AwaitingCorrection, State::Accepted, State::Decided, State::Delivered];
    for state in states {
        let (case, _) = in_state(state);
        let said = next(&case, at(620_724_000_000), Facts::Act(Deed::Accept));
        assert_eq!(said, Err(NotAllowed::NotCustodian), "{state:?}");
    }
}

#[test]
fn after_a_transfer_only_its_target_or_a_refusal_goes_on() {
    let case = begin(decider());
    let transfer = Facts::Transfer { to: decider(), purpose: Purpose::Decide, mirrors: [None, None] };
    let case = next(&case, window(), transfer.clone()).unwrap();
    assert_eq!(next(&case, window(), transfer), Err(NotAllowed::InTransit));
    assert_eq!(next(&case, window(), Facts::Act(Deed::Accept)), Err(NotAllowed::InTransit));
    assert_eq!(next(&case, at(620_724_000_000), take()), Err(NotAllowed::NotCustodian));
    let other_life = HallAt { incarnation: 2, ..decider() };
    assert_eq!(next(&case, other_life, take()), Err(NotAllowed::NotCustodian));
    let taken = next(&case, decider(), take()).unwrap();
    assert_eq!((taken.custodian, taken.position.epoch), (decider(), 1));
    let resumed = next(&case, window(), Facts::Resume { refusal: Digest([3; 32]) }).unwrap();
    assert_eq!((resumed.custodian, resumed.position.epoch), (window(), 2));
    assert_eq!(next(&resumed, decider(), take()), Err(NotAllowed::NotCustodian));
}

#[test]
fn a_log_with_a_hole_a_swap_or_another_epoch_does_not_fold() {
    let (case, holder) = in_state(State::Received);
    let good = header(holder, Some(&case), Facts::Act(Deed::Accept));
    let digest = Digest([40; 32]);
    assert!(case.next(&good, digest).is_ok());
    let wrong = [
        Header { sequence: good.sequence + 1, ..good.clone() },
        Header { previous: Digest([4; 32]), ..good.clone() },
        Header { case: CaseId([6; 16]), ..good.clone() },
    ];
    for header in wrong {
        assert_eq!(case.next(&header, digest), Err(NotAllowed::Chain));
    }
    let later = Header { position: good.position.after(1), ..good };
    assert_eq!(case.next(&later, digest), Err(NotAllowed::NotCustodian));
}

#[test]
fn an_unknown_critical_event_makes_the_case_opaque_and_an_uncritical_one_does_not() {
    let (case, holder) = in_state(State::Received);
    for critical in [false, true] {
        let kind = FactsKind { code: 999, critical };
        let facts = Facts::Unknown { kind, bytes: Blob::from(vec![7; 160]) };
        let after = next(&case, holder, facts).unwrap();
        assert_eq!(after.opaque, critical);
        assert_eq!(after.state, case.state);
    }
}

#[test]
fn the_header_lies_where_the_specification_says() {
    let header = header(window(), None, receive(decider()));
    let event = SignedEvent::sign(header, vec![1, 2, 3].into(), &secret(1));
    let message = event.message();
    assert_eq!(message.len(), 32 + HEADER_BYTES);
    assert!(message.starts_with(b"hallmesh/v1/event\0"));
    let bytes = &message[32..];
    assert_eq!(&bytes[8..24], &[5; 16]);
    assert_eq!(bytes[40..48], 62_070_220_320_000_u64.to_le_bytes());
    assert_eq!(bytes[48..52], 1_u32.to_le_bytes());
    assert_eq!(bytes[80..88], 1_790_000_000_000_u64.to_le_bytes());
    assert_eq!(&bytes[96..128], &[1; 32]);
    let body = hallmesh_protocol::cases::body_digest(&[1, 2, 3]);
    assert_eq!(bytes[192..224], body.0);
}

#[test]
fn a_changed_byte_anywhere_in_header_body_or_signature_is_refused() {
    let header = header(window(), None, receive(decider()));
    let event = SignedEvent::sign(header.clone(), vec![1, 2, 3].into(), &secret(1));
    assert_eq!(event.verify(&secret(1).public()).unwrap().facts, header.facts);
    assert!(matches!(event.verify(&secret(2).public()), Err(BadHeader::Forged(_))));
    let bytes = event.message()[32..].to_vec();
    for offset in 0..HEADER_BYTES {
        let mut changed = bytes.clone();
        changed[offset] ^= 1;
        if let Ok(header) = Header::decode(&changed) {
            assert_eq!(header.encode(), changed, "one encoding a header");
            assert_ne!(header, event.header().unwrap(), "offset {offset} says nothing");
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_header_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..500)) {
        drop(Header::decode(&bytes));
    }

    #[test]
    fn whatever_decodes_encodes_to_the_same_bytes(
        kind in 0u16..12, critical in any::<bool>(), facts in proptest::collection::vec(any::<u8>(), 160)
    ) {
        let mut bytes = header(window(), None, Facts::Act(Deed::Accept)).encode();
        bytes[2..4].copy_from_slice(&kind.to_le_bytes());
        bytes[4] = u8::from(critical);
        bytes[224..384].copy_from_slice(&facts);
        if let Ok(header) = Header::decode(&bytes) {
            prop_assert_eq!(header.encode(), bytes);
        }
    }

    #[test]
    fn no_frame_makes_the_message_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        drop(hallmesh_protocol::message::Message::decode(&bytes));
        let mut versioned = vec![1];
        versioned.extend(bytes);
        drop(hallmesh_protocol::message::Message::decode(&versioned));
        drop(hallmesh_protocol::record::decode_records(&versioned));
    }
}
