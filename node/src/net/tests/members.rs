//! Dialling, keeping and losing members.

use std::time::Duration;

use libp2p::{Multiaddr, PeerId, identity::Keypair};

use super::harness::{Hall, Mode, Proxy, Rogue, SOON, anywhere, brisk, ordered_keys};
use crate::net::{
    LINE_WINDOW, NetCommand, NetEvent, Refusal, Settings,
    limits::{CONNECTIONS_PER_MEMBER, LINE_PROTOCOL},
    start,
};

fn strangers_at(address: &Multiaddr, count: usize) -> Vec<(PeerId, Vec<Multiaddr>)> {
    (0..count).map(|_| (PeerId::random(), vec![address.clone()])).collect()
}

#[tokio::test]
async fn a_hall_that_was_off_is_dialled_until_it_is_back() {
    let (mut here, mut there) = (Hall::open(brisk()).await, Hall::open(brisk()).await);
    let mut road = Proxy::before(&there.address, Mode::Refuse).await;
    let mut members = strangers_at(&anywhere(), 2000);
    members.push((there.peer, vec![road.address.clone()]));
    here.know(members).await;
    there.know([(here.peer, vec![])]).await;
    here.keep([there.peer]).await;
    // libp2p would have forgotten the address after the first of these.
    road.accepted(3).await;
    road.set(Mode::Pass);
    here.line_to(there.peer).await;
    there.line_to(here.peer).await;
}

#[tokio::test]
async fn more_than_a_hundred_halls_are_remembered() {
    let here = Hall::open(brisk()).await;
    let mut road = Proxy::before(&anywhere(), Mode::Refuse).await;
    let members = strangers_at(&road.address, 150);
    here.know(members.clone()).await;
    here.keep(members.iter().map(|(peer, _)| *peer)).await;
    // Each of them once and again; libp2p's books hold a hundred.
    road.accepted(450).await;
}

#[tokio::test]
async fn a_quiet_line_is_not_idle() {
    let settings = || Settings { idle: Duration::from_millis(50), ..brisk() };
    let (mut here, mut there) = Hall::pair(settings(), settings()).await;
    here.never(|event| matches!(event, NetEvent::Down { .. })).await;
    here.send(there.peer, "still there").await;
    assert_eq!(there.frame().await, (here.peer, 1, b"still there".to_vec()));
}

#[tokio::test]
async fn a_dead_line_is_closed_on_both_sides_and_comes_back_when_the_road_does() {
    let settings = || Settings {
        ping_interval: Duration::from_millis(200),
        ping_timeout: Duration::from_millis(800),
        handshake_timeout: Duration::from_millis(800),
        ..brisk()
    };
    let (mut here, mut there) = (Hall::open(settings()).await, Hall::open(settings()).await);
    let road = Proxy::before(&there.address, Mode::Pass).await;
    here.know([(there.peer, vec![road.address.clone()])]).await;
    there.know([(here.peer, vec![])]).await;
    here.keep([there.peer]).await;
    here.line_to(there.peer).await;
    there.line_to(here.peer).await;
    road.set(Mode::Hold);
    here.down(there.peer).await;
    there.down(here.peer).await;
    here.refusals(Refusal::Silent, 1).await;
    there.refusals(Refusal::Silent, 1).await;
    road.set(Mode::Pass);
    here.line_to(there.peer).await;
    there.line_to(here.peer).await;
}

#[tokio::test]
async fn a_line_that_answers_late_but_answers_stays() {
    let settings = || Settings {
        ping_interval: Duration::from_millis(50),
        ping_timeout: Duration::from_secs(5),
        ..brisk()
    };
    let (mut here, _there) = Hall::pair(settings(), settings()).await;
    here.never(|event| matches!(event, NetEvent::Down { .. })).await;
}

/// Both dials meet: neither hall hears of the other before both have dialled.
async fn dialled_at_once() -> (Hall, Hall) {
    let (mut one, mut two) = (Hall::open(brisk()).await, Hall::open(brisk()).await);
    let mut to_one = Proxy::before(&one.address, Mode::Hold).await;
    let mut to_two = Proxy::before(&two.address, Mode::Hold).await;
    let both = [(one.peer, vec![to_one.address.clone()]), (two.peer, vec![to_two.address.clone()])];
    one.know(both.clone()).await;
    two.know(both).await;
    one.keep([two.peer]).await;
    two.keep([one.peer]).await;
    to_one.accepted(1).await;
    to_two.accepted(1).await;
    to_one.set(Mode::Pass);
    to_two.set(Mode::Pass);
    one.line_to(two.peer).await;
    two.line_to(one.peer).await;
    (one, two)
}

#[tokio::test]
async fn two_halls_that_dial_each_other_at_once_end_with_the_same_one_connection() {
    for _ in 0..5 {
        let (mut one, mut two) = dialled_at_once().await;
        // Both dials succeed, so one of the two lines must go; then nothing moves any more.
        tokio::join!(one.never(|_| false), two.never(|_| false));
        let (one_line, two_line) = (one.lines[&two.peer], two.lines[&one.peer]);
        assert_ne!(one_line.1, two_line.1, "both think they dialled, or neither");
        one.send(two.peer, "to two").await;
        two.send(one.peer, "to one").await;
        assert_eq!(two.frame().await, (one.peer, 1, b"to two".to_vec()));
        assert_eq!(one.frame().await, (two.peer, 1, b"to one".to_vec()));
        tokio::join!(
            one.never(|event| matches!(event, NetEvent::Down { .. })),
            two.never(|event| matches!(event, NetEvent::Down { .. })),
        );
    }
}

/// Two lines of one member, made one after the other; the first must go and the second stay.
async fn second_line_wins(hall_key: Keypair, member_key: Keypair, settled: Duration) {
    let mut hall = Hall::open(Settings { keypair: hall_key, settled, ..brisk() }).await;
    let member = member_key.public().to_peer_id();
    hall.know([(member, vec![])]).await;
    let mut zombie = Rogue::dial(&member_key, &hall.address).await.unwrap();
    let _zombie_line = zombie.open(&LINE_PROTOCOL).await.unwrap().unwrap();
    let first = hall.line_to(member).await;
    let mut fresh = Rogue::dial(&member_key, &hall.address).await.unwrap();
    let _fresh_line = fresh.open(&LINE_PROTOCOL).await.unwrap().unwrap();
    hall.down(member).await;
    let second = hall.line_to(member).await;
    assert!(first < second);
    zombie.closed().await;
    fresh.stays().await;
    assert_eq!(hall.lines[&member].0, second);
}

#[tokio::test]
async fn a_member_that_comes_again_replaces_its_zombie_if_we_decide() {
    let (small, large) = ordered_keys();
    second_line_wins(small, large, Duration::from_secs(60)).await;
}

#[tokio::test]
async fn a_member_that_comes_again_replaces_its_zombie_even_if_it_should_decide_and_does_not() {
    let (small, large) = ordered_keys();
    second_line_wins(large, small, Duration::from_secs(60)).await;
}

#[tokio::test]
async fn a_member_that_comes_again_replaces_a_settled_zombie_whoever_decides() {
    let (small, large) = ordered_keys();
    second_line_wins(large, small, Duration::ZERO).await;
}

#[tokio::test]
async fn a_member_has_a_bounded_number_of_connections() {
    let mut hall = Hall::open(brisk()).await;
    let key = Keypair::generate_ed25519();
    hall.know([(key.public().to_peer_id(), vec![])]).await;
    let mut all = Vec::new();
    for _ in 0..=CONNECTIONS_PER_MEMBER {
        all.push(Rogue::dial(&key, &hall.address).await.unwrap());
    }
    hall.refusals(Refusal::MembersFull, 1).await;
}

#[tokio::test]
async fn a_revoked_hall_is_out_at_once() {
    let (mut here, mut there) = Hall::pair(brisk(), brisk()).await;
    there.know([]).await;
    there.down(here.peer).await;
    here.down(there.peer).await;
    // Here still dials, and is no more than a guest.
    here.refusals(Refusal::NotAdmitted, 1).await;
    there.never(|event| matches!(event, NetEvent::Up { .. } | NetEvent::Frame { .. })).await;
    there.send(here.peer, "nobody").await;
    there
        .until(|event| {
            matches!(event, NetEvent::Unsent { peer, count: 1 } if peer == here.peer).then_some(())
        })
        .await;
}

#[tokio::test]
async fn another_key_at_a_member_s_address_is_no_member() {
    let (mut here, there) = (Hall::open(brisk()).await, Hall::open(brisk()).await);
    let member = PeerId::random();
    here.know([(member, vec![there.address.clone()])]).await;
    here.keep([member]).await;
    here.refusals(Refusal::WrongKey, 2).await;
    assert!(here.lines.is_empty());
}

#[tokio::test]
async fn without_memory_nobody_comes_in_and_nobody_is_dialled() {
    let mut here = Hall::open(Settings { memory_max: 1, ..brisk() }).await;
    assert!(Rogue::dial(&Keypair::generate_ed25519(), &here.address).await.is_err());
    here.refusals(Refusal::Memory, 1).await;
    let member = PeerId::random();
    here.know([(member, vec![here.address.clone()])]).await;
    here.keep([member]).await;
    here.until(|event| matches!(event, NetEvent::Refused { peer: Some(_), .. }).then_some(())).await;
}

#[tokio::test]
async fn a_driver_that_does_not_read_loses_no_line() {
    let settings = || Settings {
        ping_interval: Duration::from_millis(50),
        ping_timeout: Duration::from_millis(700),
        ..brisk()
    };
    let (mut here, there) = Hall::pair(settings(), settings()).await;
    for _ in 0..LINE_WINDOW {
        here.send(there.peer, "unread").await;
    }
    for _ in 0..3 {
        here.never(|event| matches!(event, NetEvent::Down { .. })).await;
    }
}

#[tokio::test]
async fn nobody_outside_the_roster_is_dialled() {
    let mut here = Hall::open(brisk()).await;
    let road = Proxy::before(&anywhere(), Mode::Refuse).await;
    let stranger = PeerId::random();
    here.know(strangers_at(&road.address, 3)).await;
    here.keep([stranger]).await;
    here.never(|_| true).await;
}

#[tokio::test]
async fn an_address_in_use_is_an_error_that_names_it() {
    let first = Hall::open(brisk()).await;
    let second = Settings { listen: vec![first.address.clone()], ..brisk() };
    let error = start(second).err().expect("two halls on one port");
    assert!(format!("{error:#}").contains(&first.address.to_string()), "{error:#}");
}

#[tokio::test]
async fn shutdown_takes_leave_and_frees_the_port() {
    let (mut here, mut there) = Hall::pair(brisk(), brisk()).await;
    there.tell(NetCommand::Shutdown).await;
    here.down(there.peer).await;
    let drained = async { while there.net.events.recv().await.is_some() {} };
    tokio::time::timeout(SOON, drained).await.expect("does not end");
    let again = Hall::open(Settings { listen: vec![there.address.clone()], ..brisk() }).await;
    assert_eq!(again.address, there.address);
}
