//! What a line does to bytes, on real connections.

use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::*;

/// More than any wait here takes.
const SOON: Duration = Duration::from_secs(20);
/// What does not come within this is taken not to come.
const QUIET: Duration = Duration::from_millis(300);

/// A caller, a gate and a hall behind it that sees what comes.
struct Line {
    links: Links,
    there: Pair,
    back: Pair,
    gate: SocketAddr,
    hall: TcpListener,
}

impl Line {
    async fn new() -> Self {
        let (caller, hall): (HallId, HallId) =
            ("620702203200-00".parse().unwrap(), "620700000000-00".parse().unwrap());
        let links = Links::new(7, Arc::new(move |_, _| Some(caller)));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let gate = links.gate(hall, listener.local_addr().unwrap()).unwrap();
        Self { links, there: (caller, hall), back: (hall, caller), gate, hall: listener }
    }

    /// Both ends of a new connection.
    async fn connect(&self) -> (TcpStream, TcpStream) {
        let caller = TcpStream::connect(self.gate).await.unwrap();
        let (hall, _) = timeout(SOON, self.hall.accept()).await.unwrap().unwrap();
        (caller, hall)
    }
}

async fn hear(stream: &mut TcpStream, bytes: usize) -> Vec<u8> {
    let mut heard = vec![0; bytes];
    timeout(SOON, stream.read_exact(&mut heard)).await.unwrap().unwrap();
    heard
}

async fn is_quiet(stream: &mut TcpStream) -> bool {
    timeout(QUIET, stream.read_u8()).await.is_err()
}

#[tokio::test]
async fn everything_arrives_once_and_in_order_whatever_the_line_is_like() {
    let line = Line::new().await;
    let jitter = Duration::from_millis(5);
    let bad = Way { latency: jitter, jitter, loss_per_mille: 100, ..Way::default() };
    line.links.both(line.there, bad);
    let (mut caller, mut hall) = line.connect().await;
    let said: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    let saying = said.clone();
    let speaker = tokio::spawn(async move {
        caller.write_all(&saying).await.unwrap();
        caller
    });
    assert!(hear(&mut hall, said.len()).await == said);
    let mut caller = speaker.await.unwrap();
    hall.write_all(b"yes").await.unwrap();
    drop(hall);
    let mut rest = Vec::new();
    timeout(SOON, caller.read_to_end(&mut rest)).await.unwrap().unwrap();
    assert_eq!(rest, b"yes");
}

#[tokio::test]
async fn a_long_way_delays_its_own_direction_only() {
    let line = Line::new().await;
    line.links.set(line.there, Way::long(QUIET));
    let (mut caller, mut hall) = line.connect().await;
    let begun = Instant::now();
    hall.write_all(b"quick").await.unwrap();
    hear(&mut caller, 5).await;
    assert!(begun.elapsed() < QUIET);
    let begun = Instant::now();
    caller.write_all(b"slow").await.unwrap();
    hear(&mut hall, 4).await;
    assert!(begun.elapsed() >= QUIET);
}

#[tokio::test]
async fn connections_share_the_bandwidth_of_a_way() {
    let line = Line::new().await;
    line.links.set(line.there, Way { bits_per_second: Some(64_000), ..Way::default() });
    let (mut one, mut hall_of_one) = line.connect().await;
    let (mut other, mut hall_of_other) = line.connect().await;
    let begun = Instant::now();
    one.write_all(&[1; 4_000]).await.unwrap();
    other.write_all(&[2; 4_000]).await.unwrap();
    hear(&mut hall_of_one, 4_000).await;
    hear(&mut hall_of_other, 4_000).await;
    // 8,000 bytes at 64 kbit/s.
    assert!(begun.elapsed() >= Duration::from_millis(990), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_way_can_be_cut_alone_and_goes_on_where_it_was() {
    let line = Line::new().await;
    let (mut caller, mut hall) = line.connect().await;
    line.links.flow(line.back, Flow::Held);
    caller.write_all(b"ask").await.unwrap();
    assert_eq!(hear(&mut hall, 3).await, b"ask");
    hall.write_all(b"answer").await.unwrap();
    drop(hall);
    assert!(is_quiet(&mut caller).await);
    line.links.flow(line.back, Flow::Open);
    assert_eq!(hear(&mut caller, 6).await, b"answer");
}

#[tokio::test]
async fn who_dials_over_a_cut_line_hears_nothing_until_it_is_mended() {
    let line = Line::new().await;
    line.links.both(line.there, Way::default().with(Flow::Held));
    let mut caller = TcpStream::connect(line.gate).await.unwrap();
    caller.write_all(b"ask").await.unwrap();
    assert!(timeout(QUIET, line.hall.accept()).await.is_err());
    line.links.heal();
    let (mut hall, _) = timeout(SOON, line.hall.accept()).await.unwrap().unwrap();
    assert_eq!(hear(&mut hall, 3).await, b"ask");
}

#[tokio::test]
async fn a_reset_ends_what_stands_and_refuses_what_comes() {
    let line = Line::new().await;
    let (mut caller, mut hall) = line.connect().await;
    line.links.flow(line.there, Flow::Reset);
    assert!(timeout(SOON, caller.read_u8()).await.unwrap().is_err());
    assert!(timeout(SOON, hall.read_u8()).await.unwrap().is_err());
    let mut refused = TcpStream::connect(line.gate).await.unwrap();
    assert!(timeout(SOON, refused.read_u8()).await.unwrap().is_err());
    line.links.heal();
    line.connect().await;
}

#[tokio::test]
async fn a_sender_gets_only_so_far_ahead_of_a_held_way() {
    let line = Line::new().await;
    let (caller, _hall) = line.connect().await;
    line.links.flow(line.there, Flow::Held);
    let (piece, mut sent) = ([0; 4 * 1024], 0);
    while timeout(QUIET, caller.writable()).await.is_ok() {
        sent += caller.try_write(&piece).unwrap_or_default();
        assert!(sent < 32 * 1024 * 1024, "it keeps everything");
    }
}

#[tokio::test]
async fn a_hall_that_is_not_there_refuses() {
    let line = Line::new().await;
    let Line { links: _links, gate, hall, .. } = line;
    drop(hall);
    let mut caller = TcpStream::connect(gate).await.unwrap();
    assert!(timeout(SOON, caller.read_u8()).await.unwrap().is_err());
}

#[tokio::test]
async fn the_kernel_tells_whose_connection_it_is() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let to = listener.local_addr().unwrap();
    let caller = TcpStream::connect(to).await.unwrap();
    let (_accepted, from) = listener.accept().await.unwrap();
    let here = std::process::id();
    assert_eq!(process_behind(from, to, &[1_u32 << 30, here]), Some(here));
    assert_eq!(process_behind(from, to, &[1_u32 << 30]), None);
    drop(caller);
}
