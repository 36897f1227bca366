//! A peer that speaks the transport by the book and everything above it as a test likes.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::{AsyncReadExt as _, AsyncWriteExt as _};
use libp2p::core::Endpoint;
use libp2p::core::muxing::{StreamMuxerBox, StreamMuxerExt as _, SubstreamBox};
use libp2p::core::transport::{DialOpts, PortUse};
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::{Multiaddr, Transport as _, noise, tcp, yamux};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

/// The stream of frames between two members.
pub const LINE_PROTOCOL: &str = "/hallmesh/line/2";
/// How long anything on loopback may take.
const SOON: Duration = Duration::from_secs(20);

type Wish = oneshot::Sender<SubstreamBox>;

/// A connection to a node.
#[derive(Debug)]
pub struct Rogue {
    wishes: mpsc::Sender<Wish>,
    over: watch::Receiver<bool>,
}

impl Rogue {
    /// Connects and shows a key.
    pub async fn dial(keypair: &Keypair, address: &Multiaddr) -> io::Result<Self> {
        let mut transport = tcp::tokio::Transport::new(tcp::Config::default())
            .upgrade(Version::V1Lazy)
            .authenticate(noise::Config::new(keypair).map_err(io::Error::other)?)
            .multiplex(yamux::Config::default())
            .boxed();
        let how = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
        let (_, muxer) = transport.dial(address.clone(), how).map_err(io::Error::other)?.await?;
        let (wishes, wished) = mpsc::channel(1);
        let (done, over) = watch::channel(false);
        tokio::spawn(async move {
            drop(drive(muxer, wished).await);
            done.send_replace(true);
        });
        Ok(Self { wishes, over })
    }

    /// Opens a stream; none if the node does not speak the protocol with us.
    pub async fn open(&self, protocol: &str) -> io::Result<Option<SubstreamBox>> {
        let (wish, granted) = oneshot::channel();
        self.wishes.send(wish).await.map_err(io::Error::other)?;
        let mut stream = timeout(SOON, granted).await?.map_err(io::Error::other)?;
        say(&mut stream, "/multistream/1.0.0").await?;
        say(&mut stream, protocol).await?;
        assert_eq!(hear(&mut stream).await?, "/multistream/1.0.0");
        Ok((hear(&mut stream).await? != "na").then_some(stream))
    }

    /// Waits until the node has closed the connection.
    pub async fn closed(&mut self) {
        timeout(SOON, self.over.wait_for(|over| *over)).await.expect("still open").unwrap();
    }
}

async fn drive(mut muxer: StreamMuxerBox, mut wished: mpsc::Receiver<Wish>) -> io::Result<()> {
    let mut wish = None;
    poll_fn(|cx| {
        while step(&mut muxer, &mut wished, &mut wish, cx)?.is_ready() {}
        Poll::Pending
    })
    .await
}

/// One piece of work of a muxer: `Ready` if there may be more, an error when the connection is over.
fn step(
    muxer: &mut StreamMuxerBox,
    wished: &mut mpsc::Receiver<Wish>,
    wish: &mut Option<Wish>,
    cx: &mut Context<'_>,
) -> io::Result<Poll<()>> {
    if wish.is_none()
        && let Poll::Ready(next) = wished.poll_recv(cx)
    {
        *wish = Some(next.ok_or(io::ErrorKind::BrokenPipe)?);
    }
    if wish.is_some()
        && let Poll::Ready(stream) = muxer.poll_outbound_unpin(cx)?
    {
        // Whoever wished may have given up.
        drop(wish.take().unwrap().send(stream));
        return Ok(Poll::Ready(()));
    }
    if muxer.poll_inbound_unpin(cx)?.is_ready() {
        return Ok(Poll::Ready(()));
    }
    Ok(muxer.poll_unpin(cx)?.map(drop))
}

async fn say(stream: &mut SubstreamBox, line: &str) -> io::Result<()> {
    let length = u8::try_from(line.len() + 1).unwrap();
    stream.write_all(&[&[length], line.as_bytes(), b"\n"].concat()).await?;
    stream.flush().await
}

async fn hear(stream: &mut SubstreamBox) -> io::Result<String> {
    let mut length = [0];
    stream.read_exact(&mut length).await?;
    let mut line = vec![0; usize::from(length[0])];
    stream.read_exact(&mut line).await?;
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}
