//! The gate of a hall: takes connections of others and leads them to it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use hallmesh_protocol::ids::HallId;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::{Flow, Pair, Shared, Way, pump};

/// Connections through one gate at once; more wait to be accepted.
const CONNECTIONS_MAX: usize = 256;

/// Binds the gate's port. The future serves it until it is dropped.
pub(super) fn open(
    shared: Arc<Shared>,
    hall: HallId,
    behind: SocketAddr,
) -> std::io::Result<(SocketAddr, impl Future<Output = ()> + Send + 'static)> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let listener = TcpListener::from_std(listener)?;
    Ok((address, serve(shared, listener, hall, behind)))
}

async fn serve(shared: Arc<Shared>, listener: TcpListener, hall: HallId, behind: SocketAddr) {
    let seats = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let seat = Arc::clone(&seats).acquire_owned().await.expect("is never closed");
        let (caller, from) = listener.accept().await.expect("a gate can accept");
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let _seat = seat;
            let gate = caller.local_addr().unwrap();
            let who = Arc::clone(&shared.who);
            let dialler = tokio::task::spawn_blocking(move || who(from, gate)).await.unwrap();
            // A caller that died meanwhile hangs up by itself; so does one that nobody knows.
            if let Some(dialler) = dialler {
                connect(&shared, caller, (dialler, hall), behind).await;
            }
        });
    }
}

/// One connection, from the first to the last byte.
async fn connect(shared: &Arc<Shared>, caller: TcpStream, pair: Pair, behind: SocketAddr) {
    let mut ways = shared.ways.subscribe();
    let back = (pair.1, pair.0);
    let there =
        |ways: &watch::Receiver<_>| is_flow(ways, pair, Flow::Open) && is_flow(ways, back, Flow::Open);
    let refused =
        |ways: &watch::Receiver<_>| is_flow(ways, pair, Flow::Reset) || is_flow(ways, back, Flow::Reset);
    while !there(&ways) {
        if refused(&ways) {
            return hang_up(&caller);
        }
        if ways.changed().await.is_err() {
            return;
        }
    }
    let Ok(hall) = TcpStream::connect(behind).await else { return hang_up(&caller) };
    nodelay(&caller);
    nodelay(&hall);
    let reset = async {
        while !refused(&ways) {
            if ways.changed().await.is_err() {
                return;
            }
        }
        hang_up(&caller);
        hang_up(&hall);
    };
    tokio::select! {
        () = reset => {}
        ((), ()) = async { tokio::join!(
            pump::run(shared, pair, (&caller, &hall)),
            pump::run(shared, back, (&hall, &caller)),
        ) } => {}
    }
}

fn is_flow(ways: &watch::Receiver<std::collections::BTreeMap<Pair, Way>>, pair: Pair, flow: Flow) -> bool {
    ways.borrow().get(&pair).copied().unwrap_or_default().flow == flow
}

/// Small frames go at once, as between the halls themselves. A peer that is gone has no delay to turn off.
fn nodelay(stream: &TcpStream) {
    stream.set_nodelay(true).unwrap_or_default();
}

/// Ends a connection the hard way once it is dropped.
fn hang_up(stream: &TcpStream) {
    stream.set_zero_linger().unwrap_or_default();
}
