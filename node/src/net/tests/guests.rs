//! Strangers: one stream, one frame, one answer, and out.

use std::time::Duration;

use futures::AsyncWriteExt as _;
use libp2p::{Multiaddr, PeerId, identity::Keypair, multiaddr::Protocol};
use tokio::{task::JoinSet, time::Instant};

use super::harness::{Hall, Mode, Proxy, Rogue, SOON, brisk};
use crate::net::{
    GUEST_FRAME_MAX, NetCommand, NetEvent, Refusal, Settings, ask_as_guest,
    framing::{read_guest, write_guest},
    limits::{GUEST_PROTOCOL, LINE_PROTOCOL},
};

fn key() -> Keypair {
    Keypair::generate_ed25519()
}

#[tokio::test]
async fn no_answer_is_lost_although_the_visit_ends_with_it() {
    let mut hall = Hall::open(brisk()).await;
    for round in 0_u8..50 {
        let asking = tokio::spawn(ask_as_guest(key(), hall.address.clone(), vec![round; 100], SOON));
        let (guest, _, frame) = hall.guest().await;
        assert_eq!(frame, vec![round; 100]);
        hall.tell(NetCommand::GuestReply { guest, frame: vec![round; GUEST_FRAME_MAX] }).await;
        assert_eq!(asking.await.unwrap().unwrap(), vec![round; GUEST_FRAME_MAX]);
    }
    assert!(hall.refused.is_empty(), "{:?}", hall.refused);
}

#[tokio::test]
async fn an_answered_guest_has_time_to_read() {
    let mut hall = Hall::open(Settings { guest_grace: SOON, ..brisk() }).await;
    let mut guest = Rogue::dial(&key(), &hall.address).await.unwrap();
    let mut stream = guest.open(&GUEST_PROTOCOL).await.unwrap().unwrap();
    write_guest(&mut stream, b"may I").await.unwrap();
    let (id, _, _) = hall.guest().await;
    hall.tell(NetCommand::GuestReply { guest: id, frame: b"yes".to_vec() }).await;
    guest.stays().await;
    assert_eq!(read_guest(&mut stream).await.unwrap(), b"yes");
    stream.close().await.unwrap();
    guest.closed().await;
}

#[tokio::test]
async fn a_guest_that_does_not_hang_up_is_out_after_the_grace() {
    let mut hall = Hall::open(Settings { guest_grace: Duration::from_millis(200), ..brisk() }).await;
    let mut guest = Rogue::dial(&key(), &hall.address).await.unwrap();
    let mut stream = guest.open(&GUEST_PROTOCOL).await.unwrap().unwrap();
    write_guest(&mut stream, b"may I").await.unwrap();
    let (id, _, _) = hall.guest().await;
    hall.tell(NetCommand::GuestReply { guest: id, frame: b"yes".to_vec() }).await;
    assert_eq!(read_guest(&mut stream).await.unwrap(), b"yes");
    guest.closed().await;
    hall.never(|_| true).await;
}

#[tokio::test]
async fn an_idle_stranger_is_out_on_the_deadline() {
    let mut hall = Hall::open(Settings { guest_deadline: Duration::from_millis(300), ..brisk() }).await;
    let mut guest = Rogue::dial(&key(), &hall.address).await.unwrap();
    guest.closed().await;
    hall.refusals(Refusal::GuestDeadline, 1).await;
}

#[tokio::test]
async fn a_stranger_without_an_answer_is_out_on_the_deadline() {
    let mut hall = Hall::open(Settings { guest_deadline: Duration::from_millis(300), ..brisk() }).await;
    let asking = tokio::spawn(ask_as_guest(key(), hall.address.clone(), b"hello?".to_vec(), SOON));
    hall.guest().await;
    assert!(asking.await.unwrap().is_err());
    hall.refusals(Refusal::GuestDeadline, 1).await;
}

#[tokio::test]
async fn a_stranger_gets_the_guest_stream_once_and_no_line() {
    let mut hall = Hall::open(brisk()).await;
    let guest = Rogue::dial(&key(), &hall.address).await.unwrap();
    assert!(guest.open(&LINE_PROTOCOL).await.unwrap().is_none());
    let mut stream = guest.open(&GUEST_PROTOCOL).await.unwrap().unwrap();
    assert!(guest.open(&GUEST_PROTOCOL).await.unwrap().is_none());
    write_guest(&mut stream, b"one").await.unwrap();
    write_guest(&mut stream, b"two").await.unwrap();
    assert_eq!(hall.guest().await.2, b"one");
    hall.never(|event| matches!(event, NetEvent::Guest { .. } | NetEvent::Up { .. })).await;
}

#[tokio::test]
async fn a_guest_frame_that_is_empty_oversize_or_cut_off_is_refused() {
    let mut hall = Hall::open(brisk()).await;
    let oversize = u32::try_from(GUEST_FRAME_MAX).unwrap() + 1;
    for (count, bytes) in [(1, 0_u32.to_be_bytes()), (2, oversize.to_be_bytes()), (3, 9_u32.to_be_bytes())] {
        let mut guest = Rogue::dial(&key(), &hall.address).await.unwrap();
        let mut stream = guest.open(&GUEST_PROTOCOL).await.unwrap().unwrap();
        stream.write_all(&bytes).await.unwrap();
        stream.close().await.unwrap();
        hall.refusals(Refusal::GuestFrame, count).await;
        guest.closed().await;
    }
}

#[tokio::test]
async fn a_dismissed_guest_gets_no_answer() {
    let mut hall = Hall::open(brisk()).await;
    let asking = tokio::spawn(ask_as_guest(key(), hall.address.clone(), b"please".to_vec(), SOON));
    let (guest, _, _) = hall.guest().await;
    hall.tell(NetCommand::GuestClose { guest }).await;
    assert!(asking.await.unwrap().is_err());
    let asking = tokio::spawn(ask_as_guest(key(), hall.address.clone(), b"please".to_vec(), SOON));
    let (guest, _, _) = hall.guest().await;
    hall.tell(NetCommand::GuestReply { guest, frame: vec![0; GUEST_FRAME_MAX + 1] }).await;
    assert!(asking.await.unwrap().is_err());
    assert!(hall.refused.is_empty());
}

#[tokio::test]
async fn seats_are_bounded_and_one_stranger_has_one() {
    let mut hall = Hall::open(Settings { seats: 2, ..brisk() }).await;
    let first = key();
    let _one = Rogue::dial(&first, &hall.address).await.unwrap();
    let mut again = Rogue::dial(&first, &hall.address).await.unwrap();
    hall.refusals(Refusal::GuestTwice, 1).await;
    again.closed().await;
    let two = Rogue::dial(&key(), &hall.address).await.unwrap();
    let mut three = Rogue::dial(&key(), &hall.address).await.unwrap();
    hall.refusals(Refusal::SeatsFull, 1).await;
    three.closed().await;
    // Whoever leaves frees his seat.
    drop(two);
    let deadline = Instant::now() + SOON;
    loop {
        let four = Rogue::dial(&key(), &hall.address).await.unwrap();
        if matches!(four.open(&GUEST_PROTOCOL).await, Ok(Some(_))) {
            break;
        }
        assert!(Instant::now() < deadline, "the seat is never freed");
    }
}

#[tokio::test]
async fn visits_and_handshakes_are_counted_by_address() {
    let mut hall = Hall::open(Settings { guests_per_ip: 2, handshakes_per_ip: 4, ..brisk() }).await;
    let mut visitors = Vec::new();
    for _ in 0..4 {
        visitors.push(Rogue::dial(&key(), &hall.address).await.unwrap());
    }
    hall.refusals(Refusal::GuestRate, 2).await;
    assert!(Rogue::dial(&key(), &hall.address).await.is_err());
    hall.refusals(Refusal::HandshakeRate, 1).await;
}

async fn expect(hall: &mut Hall, from: PeerId, number: u64) {
    let arrived = hall
        .until(|event| match event {
            NetEvent::Frame { number, .. } => Some(number),
            NetEvent::Down { .. } => panic!("the flood took the member's line"),
            _ => None,
        })
        .await;
    assert_eq!(arrived, number);
    hall.commit(from, number).await;
}

async fn come_and_be_turned_away(address: Multiaddr) {
    // Before the handshake or after it; either way it ends.
    if let Ok(mut stranger) = Rogue::dial(&key(), &address).await {
        stranger.closed().await;
    }
}

#[tokio::test]
async fn a_flood_of_strangers_does_not_touch_the_members() {
    const FRAMES: u64 = 2000;
    let settings =
        || Settings { seats: 4, guests_per_ip: 20, guest_deadline: Duration::from_millis(300), ..brisk() };
    let (here, mut there) = Hall::pair(settings(), settings()).await;
    let mut flood = JoinSet::new();
    for _ in 0..200 {
        flood.spawn(come_and_be_turned_away(there.address.clone()));
    }
    let from = here.peer;
    for number in 1..=FRAMES {
        here.send(there.peer, number.to_be_bytes()).await;
        if let Some(arrived) = number.checked_sub(100).filter(|arrived| *arrived > 0) {
            expect(&mut there, from, arrived).await;
        }
    }
    for number in FRAMES - 99..=FRAMES {
        expect(&mut there, from, number).await;
    }
    flood.join_all().await;
    there.never(|event| matches!(event, NetEvent::Down { .. })).await;
    let turned_away: u64 = there.refused.values().sum();
    assert!(turned_away >= 200, "{:?}", there.refused);
}

#[tokio::test]
async fn enrolment_makes_a_guest_a_member() {
    let mut hall = Hall::open(brisk()).await;
    let newcomer = brisk();
    let asking = ask_as_guest(newcomer.keypair.clone(), hall.address.clone(), b"my charter".to_vec(), SOON);
    let asking = tokio::spawn(asking);
    let (guest, peer, _) = hall.guest().await;
    hall.know([(peer, vec![])]).await;
    hall.tell(NetCommand::GuestReply { guest, frame: b"welcome".to_vec() }).await;
    assert_eq!(asking.await.unwrap().unwrap(), b"welcome");
    let mut newcomer = Hall::open(newcomer).await;
    newcomer.know([(hall.peer, vec![hall.address.clone()])]).await;
    newcomer.keep([hall.peer]).await;
    newcomer.line_to(hall.peer).await;
    hall.line_to(peer).await;
}

#[tokio::test]
async fn a_member_is_told_that_it_is_none_of_our_guests() {
    let hall = Hall::open(brisk()).await;
    let member = key();
    hall.know([(member.public().to_peer_id(), vec![])]).await;
    let error = ask_as_guest(member, hall.address.clone(), b"me?".to_vec(), SOON).await.unwrap_err();
    assert!(format!("{error:#}").contains("member"), "{error:#}");
}

#[tokio::test]
async fn asking_ends_with_a_reason() {
    let hall = Hall::open(brisk()).await;
    let other = hall.address.clone().with(Protocol::P2p(key().public().to_peer_id()));
    let error = ask_as_guest(key(), other.clone(), b"who?".to_vec(), SOON).await.unwrap_err();
    assert!(format!("{error:#}").contains(&other.to_string()), "{error:#}");
    let deaf = Proxy::before(&hall.address, Mode::Hold).await;
    let short = Duration::from_millis(200);
    assert!(ask_as_guest(key(), deaf.address.clone(), b"hello?".to_vec(), short).await.is_err());
    let nobody = "/ip4/127.0.0.1/tcp/1".parse().unwrap();
    assert!(ask_as_guest(key(), nobody, b"hello?".to_vec(), SOON).await.is_err());
    assert!(ask_as_guest(key(), hall.address.clone(), vec![0; GUEST_FRAME_MAX + 1], SOON).await.is_err());
}

#[tokio::test]
async fn an_answer_after_the_guest_has_left_is_harmless() {
    let mut hall = Hall::open(brisk()).await;
    let guest = Rogue::dial(&key(), &hall.address).await.unwrap();
    let mut stream = guest.open(&GUEST_PROTOCOL).await.unwrap().unwrap();
    write_guest(&mut stream, b"bye").await.unwrap();
    let (id, _, _) = hall.guest().await;
    drop((stream, guest));
    hall.tell(NetCommand::GuestReply { guest: id, frame: b"too late".to_vec() }).await;
    let asking = tokio::spawn(ask_as_guest(key(), hall.address.clone(), b"next".to_vec(), SOON));
    let (id, _, _) = hall.guest().await;
    hall.tell(NetCommand::GuestReply { guest: id, frame: b"in time".to_vec() }).await;
    assert_eq!(asking.await.unwrap().unwrap(), b"in time");
}
