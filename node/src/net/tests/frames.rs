//! Frames between two members that keep the rules.

use std::time::Duration;

use libp2p::{Multiaddr, PeerId, identity::Keypair};

use super::harness::{Hall, Rogue, brisk, read_until, write_frame};
use crate::net::{
    FRAME_MAX, LINE_QUEUE, LINE_WINDOW, NetCommand, NetEvent, Settings,
    limits::{LINE_PROTOCOL, LINE_WINDOW_BYTES},
};

fn as_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap()
}

#[tokio::test]
async fn frames_arrive_in_order_both_ways() {
    const COUNT: u64 = 5000;
    let (mut here, mut there) = Hall::pair(brisk(), brisk()).await;
    let (one, two) = (here.peer, there.peer);
    (here, there) = tokio::join!(exchange(here, two, COUNT), exchange(there, one, COUNT));
    assert!(here.lines.contains_key(&there.peer));
}

#[tokio::test]
async fn frames_that_are_packed_arrive_as_they_were() {
    let (here, mut there) = Hall::pair(brisk(), brisk()).await;
    let text = "办理依据".repeat(FRAME_MAX / 12).into_bytes();
    let mut noise = vec![0; FRAME_MAX];
    blake3::Hasher::new().finalize_xof().fill(&mut noise);
    for frame in [&text, &noise, &b"short".to_vec()] {
        let command = NetCommand::Send { peer: there.peer, frame: frame.clone(), packs: true };
        here.tell(command).await;
        let (_, number, bytes) = there.frame().await;
        assert!(bytes == *frame, "frame {number}");
        there.commit(here.peer, number).await;
    }
}

/// Sends and takes `count` frames, as a driver does: not more than the window under way.
async fn exchange(mut hall: Hall, other: PeerId, count: u64) -> Hall {
    let mut received = 0;
    for number in 1..=count {
        hall.send(other, number.to_be_bytes()).await;
        while received + 100 < number {
            received = take_one(&mut hall, other, received).await;
        }
    }
    while received < count {
        received = take_one(&mut hall, other, received).await;
    }
    hall
}

async fn take_one(hall: &mut Hall, from: PeerId, received: u64) -> u64 {
    let (_, number, bytes) = hall.frame().await;
    assert_eq!((number, bytes), (received + 1, number.to_be_bytes().to_vec()));
    hall.commit(from, number).await;
    number
}

#[tokio::test]
async fn a_receiver_that_never_commits_stops_the_sender_at_the_window() {
    const OVER: usize = 7;
    let (mut here, mut there) = Hall::pair(brisk(), brisk()).await;
    for number in 1..=LINE_WINDOW {
        here.send(there.peer, as_u64(number).to_be_bytes()).await;
    }
    for expected in 1..=as_u64(LINE_WINDOW) {
        assert_eq!(there.frame().await.1, expected);
    }
    // Only now is the window surely full and the queue surely empty.
    for number in 1..=LINE_QUEUE + OVER {
        here.send(there.peer, as_u64(number).to_be_bytes()).await;
    }
    let mut unsent = 0;
    while unsent < as_u64(OVER) {
        unsent += here
            .until(|event| match event {
                NetEvent::Unsent { count, .. } => Some(count),
                _ => None,
            })
            .await;
    }
    assert_eq!(unsent, as_u64(OVER));
    there.never(|event| matches!(event, NetEvent::Frame { .. })).await;
    // A commit moves the window by as much as it commits.
    there.commit(here.peer, 10).await;
    for expected in 1..=10 {
        assert_eq!(there.frame().await.1, as_u64(LINE_WINDOW) + expected);
    }
    there.never(|event| matches!(event, NetEvent::Frame { .. })).await;
    for expected in as_u64(LINE_WINDOW) + 11..=as_u64(LINE_WINDOW + LINE_QUEUE) {
        there.commit(here.peer, expected - 1).await;
        assert_eq!(there.frame().await.1, expected);
    }
}

#[tokio::test]
async fn large_frames_are_bounded_in_bytes() {
    let (here, mut there) = Hall::pair(brisk(), brisk()).await;
    let fit = LINE_WINDOW_BYTES / FRAME_MAX;
    for number in 0..fit {
        here.send(there.peer, vec![u8::try_from(number).unwrap(); FRAME_MAX]).await;
    }
    for number in 0..fit {
        let (_, _, bytes) = there.frame().await;
        assert_eq!((bytes.len(), bytes[0]), (FRAME_MAX, u8::try_from(number).unwrap()));
    }
    for _ in 0..3 {
        here.send(there.peer, vec![0; FRAME_MAX]).await;
    }
    there.never(|event| matches!(event, NetEvent::Frame { .. })).await;
    there.commit(here.peer, as_u64(fit)).await;
    for _ in 0..3 {
        there.frame().await;
    }
}

#[tokio::test]
async fn a_frame_that_is_empty_or_too_long_is_not_sent() {
    let (mut here, mut there) = Hall::pair(brisk(), brisk()).await;
    here.send(there.peer, vec![]).await;
    here.send(there.peer, vec![0; FRAME_MAX + 1]).await;
    let mut unsent = 0;
    while unsent < 2 {
        unsent += here
            .until(|event| match event {
                NetEvent::Unsent { count, .. } => Some(count),
                _ => None,
            })
            .await;
    }
    here.send(there.peer, "fine").await;
    assert_eq!(there.frame().await.2, b"fine");
}

#[tokio::test]
async fn nothing_is_acknowledged_before_it_is_committed() {
    let mut hall = Hall::open(Settings { ping_interval: Duration::from_millis(20), ..brisk() }).await;
    let key = Keypair::generate_ed25519();
    hall.know([(key.public().to_peer_id(), vec![])]).await;
    let member = Rogue::dial(&key, &hall.address).await.unwrap();
    let mut line = member.open(&LINE_PROTOCOL).await.unwrap().unwrap();
    for number in 1..=3 {
        write_frame(&mut line, number, b"a case").await.unwrap();
    }
    for _ in 0..3 {
        hall.frame().await;
    }
    // Signs of life come meanwhile, and they say 0.
    for _ in 0..5 {
        assert_eq!(read_until(&mut line, |head| head.length == 0).await.number, 0);
    }
    hall.commit(member.peer, 2).await;
    read_until(&mut line, |head| head.length == 0 && head.number == 2).await;
    // More than was ever given out is not acknowledged, whatever the driver says.
    hall.commit(member.peer, 99).await;
    read_until(&mut line, |head| head.length == 0 && head.number == 3).await;
    for _ in 0..3 {
        assert_eq!(read_until(&mut line, |head| head.length == 0).await.number, 3);
    }
}

#[tokio::test]
async fn a_commit_of_an_old_line_means_nothing_to_the_new_one() {
    let mut hall = Hall::open(Settings { ping_interval: Duration::from_millis(20), ..brisk() }).await;
    let key = Keypair::generate_ed25519();
    let peer = key.public().to_peer_id();
    hall.know([(peer, vec![])]).await;
    let first = Rogue::dial(&key, &hall.address).await.unwrap();
    drop(first.open(&LINE_PROTOCOL).await.unwrap());
    let old = hall.line_to(peer).await;
    drop(first);
    hall.down(peer).await;
    let second = Rogue::dial(&key, &hall.address).await.unwrap();
    let mut line = second.open(&LINE_PROTOCOL).await.unwrap().unwrap();
    write_frame(&mut line, 1, b"a case").await.unwrap();
    hall.frame().await;
    hall.tell(NetCommand::Committed { peer, line: old, upto: 1 }).await;
    for _ in 0..3 {
        assert_eq!(read_until(&mut line, |head| head.length == 0).await.number, 0);
    }
}

async fn write_three(key: Keypair, address: Multiaddr) {
    let member = Rogue::dial(&key, &address).await.unwrap();
    let mut line = member.open(&LINE_PROTOCOL).await.unwrap().unwrap();
    for number in 1..=3 {
        write_frame(&mut line, number, &vec![1; FRAME_MAX]).await.unwrap();
    }
    read_until(&mut line, |head| head.length == 0 && head.number == 3).await;
}

#[tokio::test]
async fn all_lines_together_keep_the_budget() {
    let mut hall = Hall::open(Settings { receive_budget: 3 * FRAME_MAX, ..brisk() }).await;
    let keys = [Keypair::generate_ed25519(), Keypair::generate_ed25519()];
    hall.know(keys.iter().map(|key| (key.public().to_peer_id(), vec![]))).await;
    let mut writers = Vec::new();
    for key in keys {
        writers.push(tokio::spawn(write_three(key, hall.address.clone())));
    }
    let mut held: Vec<_> = vec![hall.frame().await, hall.frame().await, hall.frame().await];
    hall.never(|event| matches!(event, NetEvent::Frame { .. })).await;
    for _ in 0..3 {
        let (peer, number, _) = held.remove(0);
        hall.commit(peer, number).await;
        held.push(hall.frame().await);
    }
    for (peer, number, _) in held {
        hall.commit(peer, number).await;
    }
    for writer in writers {
        writer.await.unwrap();
    }
}
