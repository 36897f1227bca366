//! The local admin socket: how the command line talks to the running node.
//!
//! Promises: only the node's user and group reach it; a frame's size is checked before memory is taken for
//! it; connections are few and silent ones are closed. Knows nothing of what is said: a call is bytes in and
//! bytes out, answered by whoever holds the other end of the channel.
//!
//! A frame is its length in four bytes, big-endian, then that many bytes. A client sends one frame and waits
//! for one frame; then it may send the next.

mod bind;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

pub use bind::BindError;

/// The largest frame, either way.
pub const ADMIN_FRAME_MAX: usize = 4 * 1024 * 1024;
/// How many clients are served at once; more wait to be accepted.
pub const ADMIN_CONNECTIONS_MAX: usize = 16;
/// A client that neither sends nor takes anything for this long is let go. Waiting for an answer of the node
/// does not count.
pub const ADMIN_IDLE_MAX: Duration = Duration::from_secs(30);
/// How long answers under way may take once the node stops.
pub const ADMIN_STOP_MAX: Duration = Duration::from_secs(5);
/// How long accepting rests after the system refused a connection, as it does when descriptors run out.
const ACCEPT_REST: Duration = Duration::from_millis(200);

/// One call of a client.
#[derive(Debug)]
pub struct AdminCall {
    /// What the client sent.
    pub body: Vec<u8>,
    /// The user of the client's process, as the system says; none if it does not.
    pub user: Option<u32>,
    /// Where the answer goes. Dropped unused, the client's connection closes; closed from the other side, the
    /// client is gone and nobody waits for the answer.
    pub reply: oneshot::Sender<Vec<u8>>,
}

/// The node's end of the socket.
#[derive(Debug)]
pub struct AdminServer {
    listener: UnixListener,
    idle_max: Duration,
}

impl AdminServer {
    /// Listens at `path`, for the node's user and group. A socket left behind by a dead node is replaced; one
    /// that answers is not. Needs a tokio runtime.
    pub async fn bind(path: &Path) -> Result<AdminServer, BindError> {
        let listener = bind::listen(path).await?;
        Ok(AdminServer { listener, idle_max: ADMIN_IDLE_MAX })
    }

    /// Serves until `stop` is set or the receiver of `calls` is gone; what is under way then is still answered,
    /// if that takes no longer than [`ADMIN_STOP_MAX`]. Dropping the future closes every connection.
    pub async fn run(self, calls: mpsc::Sender<AdminCall>, stop: watch::Receiver<bool>) {
        let mut connections = self.accept(calls, stop).await;
        // Nobody new comes in any more.
        drop(self);
        let answered = timeout(ADMIN_STOP_MAX, async {
            while let Some(ended) = connections.join_next().await {
                log_panic(ended);
            }
        });
        if answered.await.is_err() {
            tracing::warn!("stopping with calls that are not answered");
        }
    }

    async fn accept(&self, calls: mpsc::Sender<AdminCall>, mut stop: watch::Receiver<bool>) -> JoinSet<()> {
        let seats = Arc::new(Semaphore::new(ADMIN_CONNECTIONS_MAX));
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                client = self.next_client(&seats) => {
                    let Some((stream, seat)) = client else { continue };
                    let client = Client { stream, calls: calls.clone(), stop: stop.clone(), idle_max: self.idle_max };
                    connections.spawn(client.serve(seat));
                }
                Some(ended) = connections.join_next() => log_panic(ended),
                () = calls.closed() => return connections,
                () = stopped(&mut stop) => return connections,
            }
        }
    }

    /// A client with a seat, or nothing if accepting failed.
    async fn next_client(&self, seats: &Arc<Semaphore>) -> Option<(UnixStream, OwnedSemaphorePermit)> {
        let seat = Arc::clone(seats).acquire_owned().await.ok()?;
        match self.listener.accept().await {
            Ok((stream, _)) => Some((stream, seat)),
            Err(cause) => {
                tracing::warn!(%cause, "cannot accept on the admin socket");
                tokio::time::sleep(ACCEPT_REST).await;
                None
            }
        }
    }
}

/// Why a call had no answer.
#[derive(Debug, Error)]
pub enum AdminError {
    /// No node listens there.
    #[error("no node is running at {}", path.display())]
    NotRunning {
        /// The socket.
        path: PathBuf,
    },
    /// The user of this process is not in the node's group.
    #[error("no permission for {}", path.display())]
    NotPermitted {
        /// The socket.
        path: PathBuf,
    },
    /// The connection ended before the answer was whole.
    #[error("the connection to the node broke")]
    Broken {
        /// What the system said.
        #[from]
        source: io::Error,
    },
    /// The call or its answer is larger than a frame may be.
    #[error("a message of {size} bytes is over the limit of {max}")]
    TooLarge {
        /// Its size.
        size: usize,
        /// The limit.
        max: usize,
    },
}

/// The command line's end of the socket.
#[derive(Debug)]
pub struct AdminClient;

impl AdminClient {
    /// Sends `body` to the node at `path` and waits for the answer, as long as it takes.
    pub async fn call(path: &Path, body: &[u8]) -> Result<Vec<u8>, AdminError> {
        refuse_large(body.len())?;
        let mut stream = UnixStream::connect(path).await.map_err(|cause| unreachable_because(path, cause))?;
        write_frame(&mut stream, body).await?;
        read_frame(&mut stream).await
    }
}

fn unreachable_because(path: &Path, source: io::Error) -> AdminError {
    let path = path.to_owned();
    let kind = source.kind();
    if matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) {
        AdminError::NotRunning { path }
    } else if kind == io::ErrorKind::PermissionDenied {
        AdminError::NotPermitted { path }
    } else {
        AdminError::Broken { source }
    }
}

/// One connection at the node's end.
struct Client {
    stream: UnixStream,
    calls: mpsc::Sender<AdminCall>,
    stop: watch::Receiver<bool>,
    idle_max: Duration,
}

impl Client {
    /// Call by call, until the client leaves, falls silent or breaks the rules, or the node stops. The seat is
    /// free after that.
    async fn serve(mut self, seat: OwnedSemaphorePermit) {
        while let Some(body) = self.next_call().await {
            let Some(answer) = self.answer_of(body).await else { break };
            if let Err(cause) = refuse_large(answer.len()) {
                tracing::error!(%cause, "the answer to an admin call cannot be sent");
                break;
            }
            let sent = timeout(self.idle_max, write_frame(&mut self.stream, &answer)).await;
            if !matches!(sent, Ok(Ok(()))) {
                break;
            }
        }
        drop(seat);
    }

    async fn next_call(&mut self) -> Option<Vec<u8>> {
        tokio::select! {
            biased;
            () = stopped(&mut self.stop) => None,
            read = timeout(self.idle_max, read_frame(&mut self.stream)) => read.ok()?.ok(),
        }
    }

    /// The node's answer, unless the client leaves, or speaks out of turn, before it is there.
    async fn answer_of(&mut self, body: Vec<u8>) -> Option<Vec<u8>> {
        let user = self.stream.peer_cred().ok().map(|peer| peer.uid());
        let (reply, answer) = oneshot::channel();
        let asked = async {
            self.calls.send(AdminCall { body, user, reply }).await.ok()?;
            answer.await.ok()
        };
        tokio::select! {
            answer = asked => answer,
            _ = self.stream.read_u8() => None,
        }
    }
}

/// Resolves once the node is told to stop, or once nobody is left who could tell.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        tracing::debug!("the stop flag has no owner any more");
    }
}

async fn read_frame(from: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, AdminError> {
    let size = usize::try_from(from.read_u32().await?).unwrap_or(usize::MAX);
    refuse_large(size)?;
    let mut body = vec![0; size];
    from.read_exact(&mut body).await?;
    Ok(body)
}

async fn write_frame(to: &mut (impl AsyncWrite + Unpin), body: &[u8]) -> io::Result<()> {
    let size = u32::try_from(body.len()).map_err(io::Error::other)?;
    to.write_u32(size).await?;
    to.write_all(body).await?;
    to.flush().await
}

fn refuse_large(size: usize) -> Result<(), AdminError> {
    if size > ADMIN_FRAME_MAX { Err(AdminError::TooLarge { size, max: ADMIN_FRAME_MAX }) } else { Ok(()) }
}

fn log_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(cause) = ended {
        tracing::error!(%cause, "serving an admin connection failed");
    }
}
