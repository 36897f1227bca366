//! Members that do not keep the rules of the line.

use futures::AsyncWriteExt as _;
use libp2p::{core::muxing::SubstreamBox, identity::Keypair};

use super::harness::{Hall, Rogue, brisk, write_frame};
use crate::net::{
    FRAME_MAX, NetEvent, RECEIVE_WINDOW, Refusal,
    framing::Head,
    limits::{LINE_PROTOCOL, RECEIVE_WINDOW_BYTES},
};

/// A hall, and a member of it with a line of its own.
async fn member() -> (Hall, Rogue, SubstreamBox) {
    let mut hall = Hall::open(brisk()).await;
    let key = Keypair::generate_ed25519();
    hall.know([(key.public().to_peer_id(), vec![])]).await;
    let rogue = Rogue::dial(&key, &hall.address).await.unwrap();
    let line = rogue.open(&LINE_PROTOCOL).await.unwrap().unwrap();
    hall.line_to(rogue.peer).await;
    (hall, rogue, line)
}

/// A head that costs the member its connection.
async fn refused(head: Head, reason: Refusal) {
    refused_frame(&head.to_bytes(), reason).await;
}

async fn refused_frame(frame: &[u8], reason: Refusal) {
    let (mut hall, mut rogue, mut line) = member().await;
    line.write_all(frame).await.unwrap();
    line.flush().await.unwrap();
    let peer = hall
        .until(|event| match event {
            NetEvent::Refused { reason: seen, peer, count: 1 } if seen == reason => Some(peer),
            _ => None,
        })
        .await;
    assert_eq!(peer, Some(rogue.peer));
    hall.down(rogue.peer).await;
    rogue.closed().await;
}

#[tokio::test]
async fn an_oversize_frame_costs_the_connection() {
    let length = u32::try_from(FRAME_MAX).unwrap() + 1;
    refused(Head::plain(length, 1), Refusal::FrameOversize).await;
    refused(Head::plain(u32::MAX >> 1, 1), Refusal::FrameOversize).await;
}

#[tokio::test]
async fn a_packed_frame_that_is_not_what_it_says_costs_the_connection() {
    let bomb = zstd::bulk::compress(&vec![0; 64 << 20], 3).unwrap();
    let megabyte = u32::try_from(FRAME_MAX).unwrap();
    for (unpacked, packed, reason) in [
        (megabyte, bomb.as_slice(), Refusal::FramePacked),
        (megabyte + 1, &bomb, Refusal::FrameOversize),
        (100, b"nothing", Refusal::FramePacked),
        (0, b"nothing", Refusal::FramePacked),
    ] {
        let head = Head { length: u32::try_from(packed.len()).unwrap(), packed: true, number: 1 };
        let frame = [&head.to_bytes(), unpacked.to_be_bytes().as_slice(), packed].concat();
        refused_frame(&frame, reason).await;
    }
}

#[tokio::test]
async fn a_frame_out_of_turn_costs_the_connection() {
    refused(Head::plain(5, 2), Refusal::FrameOrder).await;
    refused(Head::plain(5, 0), Refusal::FrameOrder).await;
}

#[tokio::test]
async fn an_acknowledgement_of_nothing_costs_the_connection() {
    refused(Head::plain(0, 1), Refusal::BadAck).await;
}

#[tokio::test]
async fn the_largest_frame_is_fine() {
    let (mut hall, _rogue, mut line) = member().await;
    write_frame(&mut line, 1, &vec![7; FRAME_MAX]).await.unwrap();
    assert_eq!(hall.frame().await.2.len(), FRAME_MAX);
}

#[tokio::test]
async fn whoever_ignores_the_window_is_read_no_further_than_it() {
    let (mut hall, rogue, mut line) = member().await;
    let all = u64::try_from(2 * RECEIVE_WINDOW).unwrap();
    for number in 1..=all {
        write_frame(&mut line, number, b"more and more").await.unwrap();
    }
    let window = u64::try_from(RECEIVE_WINDOW).unwrap();
    for expected in 1..=window {
        assert_eq!(hall.frame().await.1, expected);
    }
    hall.never(|event| matches!(event, NetEvent::Frame { .. })).await;
    hall.commit(rogue.peer, 3).await;
    for expected in window + 1..=window + 3 {
        assert_eq!(hall.frame().await.1, expected);
    }
    hall.never(|event| matches!(event, NetEvent::Frame { .. })).await;
}

#[tokio::test]
async fn whoever_ignores_the_window_is_read_no_further_than_its_bytes() {
    let (mut hall, rogue, mut line) = member().await;
    let fit = u64::try_from(RECEIVE_WINDOW_BYTES / FRAME_MAX).unwrap();
    let writing = tokio::spawn(async move {
        for number in 1..=fit + 2 {
            write_frame(&mut line, number, &vec![0; FRAME_MAX]).await.unwrap();
        }
        line
    });
    for expected in 1..=fit {
        assert_eq!(hall.frame().await.1, expected);
    }
    hall.never(|event| matches!(event, NetEvent::Frame { .. })).await;
    hall.commit(rogue.peer, 2).await;
    assert_eq!((hall.frame().await.1, hall.frame().await.1), (fit + 1, fit + 2));
    writing.await.unwrap();
}

#[tokio::test]
async fn a_member_has_one_line_and_no_other_stream() {
    let (mut hall, rogue, mut line) = member().await;
    assert!(rogue.open(&LINE_PROTOCOL).await.unwrap().is_none());
    assert!(rogue.open(&crate::net::limits::GUEST_PROTOCOL).await.unwrap().is_none());
    write_frame(&mut line, 1, b"fine").await.unwrap();
    assert_eq!(hall.frame().await.2, b"fine");
}

#[tokio::test]
async fn a_frame_cut_off_is_no_frame() {
    let (mut hall, rogue, mut line) = member().await;
    line.write_all(&Head::plain(100, 1).to_bytes()).await.unwrap();
    line.write_all(b"only so much").await.unwrap();
    line.close().await.unwrap();
    let peer = rogue.peer;
    hall.until(|event| match event {
        NetEvent::Down { .. } => Some(()),
        NetEvent::Frame { .. } => panic!("half a frame"),
        _ => None,
    })
    .await;
    assert!(!hall.lines.contains_key(&peer));
}
