//! TCP, Noise and yamux, with the deadlines that libp2p leaves out.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use anyhow::Context as _;
use libp2p::{
    Multiaddr, PeerId, Transport as _,
    core::{
        muxing::{StreamMuxer, StreamMuxerBox, StreamMuxerEvent},
        transport::Boxed,
        upgrade::Version,
    },
    identity::Keypair,
    multiaddr::Protocol,
    noise, tcp, yamux,
};
use tokio::time::{Sleep, sleep};

use super::limits::{CLOSE_MAX, STREAMS_MAX};

/// The transport of members and guests alike. A hand-made swarm has no handshake deadline, so it is set here.
pub(super) fn build(
    keypair: &Keypair,
    handshake: Duration,
) -> anyhow::Result<Boxed<(PeerId, StreamMuxerBox)>> {
    let mut streams = yamux::Config::default();
    streams.set_max_num_streams(STREAMS_MAX);
    Ok(tcp::tokio::Transport::new(tcp::Config::default().nodelay(true))
        .upgrade(Version::V1Lazy)
        .authenticate(noise::Config::new(keypair).context("the transport key cannot be used for Noise")?)
        .multiplex(streams)
        .timeout(handshake)
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(Hasty::new(muxer, CLOSE_MAX))))
        .boxed())
}

/// Fails if somebody else listens on `address` already.
///
/// libp2p listens with `SO_REUSEPORT`: a second node of the same user would get no error but every other
/// connection. A plain bind has no such trouble, so it is tried first.
pub(super) fn probe(address: &Multiaddr) -> anyhow::Result<()> {
    let mut parts = address.iter();
    let socket = match (parts.next(), parts.next()) {
        (Some(Protocol::Ip4(ip)), Some(Protocol::Tcp(port))) => SocketAddr::from((ip, port)),
        (Some(Protocol::Ip6(ip)), Some(Protocol::Tcp(port))) => SocketAddr::from((ip, port)),
        _ => anyhow::bail!(
            "cannot listen on {address}: only /ip4/.../tcp/... and /ip6/.../tcp/... are possible"
        ),
    };
    TcpListener::bind(socket).map(drop).with_context(|| format!("cannot listen on {address}"))
}

/// A muxer whose closing ends. libp2p waits for a good-order close without a deadline, so a peer that does not
/// read would stay "connected" until the kernel gives up, and nobody would dial it again.
struct Hasty<M> {
    inner: M,
    limit: Duration,
    closing: Option<Pin<Box<Sleep>>>,
}

impl<M> Hasty<M> {
    fn new(inner: M, limit: Duration) -> Self {
        Self { inner, limit, closing: None }
    }
}

impl<M> StreamMuxer for Hasty<M>
where
    M: StreamMuxer + Unpin,
    M::Error: std::error::Error + Send + Sync + 'static,
{
    type Substream = M::Substream;
    type Error = io::Error;

    fn poll_inbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<M::Substream>> {
        Pin::new(&mut self.inner).poll_inbound(cx).map_err(io::Error::other)
    }

    fn poll_outbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<M::Substream>> {
        Pin::new(&mut self.inner).poll_outbound(cx).map_err(io::Error::other)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Poll::Ready(done) = Pin::new(&mut self.inner).poll_close(cx) {
            return Poll::Ready(done.map_err(io::Error::other));
        }
        let limit = self.limit;
        let timer = self.closing.get_or_insert_with(|| Box::pin(sleep(limit)));
        timer
            .as_mut()
            .poll(cx)
            .map(|()| Err(io::Error::new(io::ErrorKind::TimedOut, "closing took too long")))
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        Pin::new(&mut self.inner).poll(cx).map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use futures::io::Cursor;
    use libp2p::core::muxing::StreamMuxerExt as _;

    use super::*;

    /// A peer that never lets go.
    struct Sticky;

    impl StreamMuxer for Sticky {
        type Substream = Cursor<Vec<u8>>;
        type Error = io::Error;

        fn poll_inbound(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<Cursor<Vec<u8>>>> {
            Poll::Pending
        }

        fn poll_outbound(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<Cursor<Vec<u8>>>> {
            Poll::Pending
        }

        fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }

        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
            Poll::Pending
        }
    }

    #[tokio::test]
    async fn closing_a_connection_ends_even_if_the_peer_does_not_read() {
        let muxer = Hasty::new(Sticky, Duration::from_millis(20));
        let closed = tokio::time::timeout(Duration::from_secs(5), muxer.close()).await.unwrap();
        assert_eq!(closed.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn an_address_that_somebody_listens_on_is_named() {
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("/ip4/127.0.0.1/tcp/{}", other.local_addr().unwrap().port());
        let error = probe(&address.parse().unwrap()).unwrap_err();
        assert!(format!("{error:#}").contains(&address), "{error:#}");
        assert!(probe(&"/ip4/127.0.0.1/udp/4001".parse().unwrap()).is_err());
    }
}
