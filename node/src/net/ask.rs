//! The other side of the guest room: a node that is not enrolled yet asks a hall.

use std::{
    convert::Infallible,
    io,
    task::{Context, Poll},
    time::Duration,
};

use anyhow::{Context as _, bail};
use futures::{AsyncWriteExt as _, FutureExt as _, StreamExt as _};
use libp2p::{
    Multiaddr, PeerId, Stream, Swarm,
    core::{Endpoint, transport::PortUse},
    identity::Keypair,
    swarm::{
        Config, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, SwarmEvent, ToSwarm,
        dial_opts::DialOpts,
    },
};
use tokio::time::timeout;

use super::{
    framing::{read_guest, write_guest},
    limits::GUEST_PROTOCOL,
    one_stream::{OneStream, Said, Start, Task},
    transport,
};

type Answer = io::Result<Vec<u8>>;

/// Dials `address`, sends one frame over the guest protocol, and returns the one answer.
///
/// With a `/p2p/...` at its end the address also says who must answer; without one, whoever answers there does.
pub async fn ask_as_guest(
    keypair: Keypair,
    address: Multiaddr,
    frame: Vec<u8>,
    deadline: Duration,
) -> anyhow::Result<Vec<u8>> {
    let transport = transport::build(&keypair, deadline)?;
    let local = keypair.public().to_peer_id();
    let start: Start<Infallible, Answer> =
        Box::new(move |stream, _| -> Task<Answer> { ask(stream, frame).boxed() });
    let config = Config::with_tokio_executor().with_idle_connection_timeout(deadline);
    let mut swarm = Swarm::new(transport, Visitor { start: Some(start), heard: None }, local, config);
    let dial = DialOpts::unknown_peer_id().address(address.clone()).allocate_new_port().build();
    swarm.dial(dial).with_context(|| format!("cannot dial {address}"))?;
    match timeout(deadline, outcome(&mut swarm, &address)).await {
        Ok(answer) => answer,
        Err(_elapsed) => bail!("{address} did not answer within {} s", deadline.as_secs()),
    }
}

async fn outcome(swarm: &mut Swarm<Visitor>, address: &Multiaddr) -> anyhow::Result<Vec<u8>> {
    loop {
        let event = swarm.select_next_some().await;
        if let SwarmEvent::Behaviour(heard) = event {
            return match heard {
                Heard::Answer(answer) => {
                    answer.with_context(|| format!("{address} ended the visit without an answer"))
                }
                Heard::NoGuest => {
                    bail!("{address} does not take us as a guest: it may know this key as a member's already")
                }
            };
        } else if let SwarmEvent::OutgoingConnectionError { error, .. } = event {
            return Err(error).with_context(|| format!("cannot reach {address}"));
        } else if let SwarmEvent::ConnectionClosed { .. } = event {
            bail!("{address} closed the connection: its guest seats may be taken, try again later");
        }
    }
}

async fn ask(mut stream: Stream, frame: Vec<u8>) -> Answer {
    write_guest(&mut stream, &frame).await?;
    let answer = read_guest(&mut stream).await?;
    // Hanging up tells the hall that the answer has come; whether that arrives does not change the answer.
    drop(stream.close().await);
    Ok(answer)
}

/// One connection, one stream.
struct Visitor {
    start: Option<Start<Infallible, Answer>>,
    heard: Option<Heard>,
}

/// How the visit went.
#[derive(Debug)]
enum Heard {
    /// The answer, or why none came.
    Answer(Answer),
    /// The hall has no guest stream for us.
    NoGuest,
}

impl Visitor {
    fn handler(&mut self) -> OneStream<Infallible, Answer> {
        let start = self.start.take();
        start.map_or_else(
            || OneStream::closed(GUEST_PROTOCOL),
            |start| OneStream::opening(GUEST_PROTOCOL, start),
        )
    }
}

impl NetworkBehaviour for Visitor {
    type ConnectionHandler = OneStream<Infallible, Answer>;
    type ToSwarm = Heard;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<Self::ConnectionHandler, ConnectionDenied> {
        Ok(OneStream::closed(GUEST_PROTOCOL))
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<Self::ConnectionHandler, ConnectionDenied> {
        Ok(self.handler())
    }

    fn on_swarm_event(&mut self, _: FromSwarm<'_>) {}

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, said: Said<Infallible, Answer>) {
        match said {
            Said::Opened | Said::Items(_) => {}
            Said::NotOpened { .. } => self.heard = Some(Heard::NoGuest),
            Said::Ended(answer) => self.heard = Some(Heard::Answer(answer)),
        }
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Heard, Infallible>> {
        self.heard.take().map_or(Poll::Pending, |heard| Poll::Ready(ToSwarm::GenerateEvent(heard)))
    }
}
