//! One way of one connection.

use std::io;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::{Flow, Pair, Shared};

/// What is read at once; on a slow way as much as goes into one segment, so that small things are not held up.
const PIECE_BYTES: usize = 16 * 1024;
const SEGMENT_BYTES: usize = 1_460;
/// Pieces under way: what a line holds, and what a sender may be ahead of a held way.
const PIECES_MAX: usize = 64;

/// Some bytes and when they arrive; no bytes are the end of them.
struct Piece {
    due: Instant,
    bytes: Vec<u8>,
}

/// Carries bytes until the sender ends, and then says so, or until the receiver is gone.
pub(super) async fn run(shared: &Arc<Shared>, pair: Pair, (from, to): (&TcpStream, &TcpStream)) {
    let (queue, pieces) = mpsc::channel(PIECES_MAX);
    tokio::join!(take(shared, pair, from, queue), give(shared, pair, to, pieces));
}

async fn take(shared: &Shared, pair: Pair, from: &TcpStream, queue: mpsc::Sender<Piece>) {
    let mut chance = shared.fork("a way of a connection");
    let mut last = Instant::now();
    loop {
        let slow = shared.way(pair).bits_per_second.is_some();
        let read = tokio::select! {
            read = read(from, if slow { SEGMENT_BYTES } else { PIECE_BYTES }) => read,
            // The receiver is gone. What the sender says now, nobody hears.
            () = queue.closed() => return,
        };
        // A sender that was killed ends like one that was done: whoever hears of it hears it after the last byte.
        let bytes = read.unwrap_or_default();
        let ended = bytes.is_empty();
        last = last.max(shared.arrival(pair, bytes.len(), &mut chance));
        if queue.send(Piece { due: last, bytes }).await.is_err() || ended {
            return;
        }
    }
}

async fn give(shared: &Shared, pair: Pair, to: &TcpStream, mut pieces: mpsc::Receiver<Piece>) {
    let mut ways = shared.ways.subscribe();
    while let Some(piece) = pieces.recv().await {
        sleep_until(piece.due).await;
        let passes = |ways: &std::collections::BTreeMap<Pair, super::Way>| {
            ways.get(&pair).copied().unwrap_or_default().flow == Flow::Open
        };
        if ways.wait_for(passes).await.is_err() {
            return;
        }
        if piece.bytes.is_empty() {
            // The receiver may be gone already.
            rustix::net::shutdown(to, rustix::net::Shutdown::Write).unwrap_or_default();
            return;
        }
        if write(to, &piece.bytes).await.is_err() {
            return;
        }
    }
}

async fn read(from: &TcpStream, size: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; size];
    loop {
        from.readable().await?;
        match from.try_read(&mut bytes) {
            Ok(read) => {
                bytes.truncate(read);
                return Ok(bytes);
            }
            Err(why) if why.kind() == io::ErrorKind::WouldBlock => {}
            Err(why) => return Err(why),
        }
    }
}

async fn write(to: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        to.writable().await?;
        match to.try_write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(why) if why.kind() == io::ErrorKind::WouldBlock => {}
            Err(why) => return Err(why),
        }
    }
    Ok(())
}
