//! Halls, a TCP proxy that can fall silent, and a peer that keeps no rule.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::SocketAddr,
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures::{AsyncReadExt as _, AsyncWriteExt as _, future::poll_fn};
use libp2p::{
    Multiaddr, PeerId, StreamProtocol, Transport as _,
    core::{
        Endpoint,
        muxing::{StreamMuxerBox, StreamMuxerExt as _, SubstreamBox},
        transport::{DialOpts, PortUse},
    },
    identity::Keypair,
    multiaddr::Protocol,
};
use tokio::{
    net::{TcpListener, TcpStream, tcp},
    sync::{mpsc, oneshot, watch},
    time::{Instant, timeout, timeout_at},
};

use crate::net::{
    LineId, Net, NetCommand, NetEvent, Refusal, Roster, Settings,
    framing::{HEAD, Head},
    start, transport,
};

/// What must happen happens within this.
pub(super) const SOON: Duration = Duration::from_secs(20);
/// What must not happen is watched for this long.
pub(super) const A_WHILE: Duration = Duration::from_millis(400);

pub(super) fn anywhere() -> Multiaddr {
    "/ip4/127.0.0.1/tcp/0".parse().unwrap()
}

/// The settings of a hall in a hurry that is not under attack.
pub(super) fn brisk() -> Settings {
    let mut settings = Settings::new(Keypair::generate_ed25519(), vec![anywhere()]);
    settings.handshake_timeout = Duration::from_secs(5);
    settings.backoff_min = Duration::from_millis(20);
    settings.backoff_max = Duration::from_millis(100);
    settings.surplus_grace = Duration::from_millis(200);
    settings.guests_per_ip = 10_000;
    settings.handshakes_per_ip = 10_000;
    settings
}

/// Two keys, the smaller `PeerId` first.
pub(super) fn ordered_keys() -> (Keypair, Keypair) {
    let (one, two) = (Keypair::generate_ed25519(), Keypair::generate_ed25519());
    if one.public().to_peer_id() < two.public().to_peer_id() { (one, two) } else { (two, one) }
}

/// A hall, as its driver sees it.
pub(super) struct Hall {
    pub(super) net: Net,
    pub(super) peer: PeerId,
    pub(super) address: Multiaddr,
    /// The lines that are up by the events read so far.
    pub(super) lines: BTreeMap<PeerId, (LineId, bool)>,
    /// The refusals by the events read so far.
    pub(super) refused: BTreeMap<Refusal, u64>,
}

impl Hall {
    pub(super) async fn open(settings: Settings) -> Self {
        let net = start(settings).unwrap();
        let peer = net.local_peer;
        let mut hall =
            Self { net, peer, address: anywhere(), lines: BTreeMap::new(), refused: BTreeMap::new() };
        hall.address = hall
            .until(|event| match event {
                NetEvent::Listening(address) => Some(address),
                _ => None,
            })
            .await;
        hall
    }

    /// Two halls that know each other; the first one dials.
    pub(super) async fn pair(first: Settings, second: Settings) -> (Self, Self) {
        let (mut one, mut two) = (Self::open(first).await, Self::open(second).await);
        let both = [(one.peer, vec![one.address.clone()]), (two.peer, vec![two.address.clone()])];
        two.know(both.clone()).await;
        one.know(both).await;
        one.keep([two.peer]).await;
        one.line_to(two.peer).await;
        two.line_to(one.peer).await;
        (one, two)
    }

    pub(super) async fn tell(&self, command: NetCommand) {
        self.net.commands.send(command).await.unwrap();
    }

    pub(super) async fn know(&self, members: impl IntoIterator<Item = (PeerId, Vec<Multiaddr>)>) {
        self.tell(NetCommand::Roster(Arc::new(Roster { members: members.into_iter().collect() }))).await;
    }

    pub(super) async fn keep(&self, peers: impl IntoIterator<Item = PeerId>) {
        self.tell(NetCommand::Keep(peers.into_iter().collect::<BTreeSet<_>>())).await;
    }

    pub(super) async fn send(&self, peer: PeerId, frame: impl Into<Vec<u8>>) {
        self.tell(NetCommand::Send { peer, frame: frame.into(), packs: false }).await;
    }

    pub(super) async fn commit(&self, peer: PeerId, upto: u64) {
        let (line, _) = self.lines[&peer];
        self.tell(NetCommand::Committed { peer, line, upto }).await;
    }

    /// The next event before `deadline`.
    pub(super) async fn event(&mut self, deadline: Instant) -> Option<NetEvent> {
        let event = timeout_at(deadline, self.net.events.recv()).await.ok()?.expect("the rooms are closed");
        match &event {
            NetEvent::Up { peer, line, outbound } => {
                let older = self.lines.insert(*peer, (*line, *outbound));
                assert!(older.is_none(), "two lines up at once");
            }
            NetEvent::Down { peer, line } => {
                assert_eq!(self.lines.remove(peer).map(|(up, _)| up), Some(*line), "down without up");
            }
            NetEvent::Frame { peer, line, .. } => {
                assert_eq!(self.lines.get(peer).map(|(up, _)| up), Some(line), "a frame of no line");
            }
            NetEvent::Refused { reason, count, .. } => *self.refused.entry(*reason).or_default() += count,
            _ => {}
        }
        Some(event)
    }

    /// Reads events up to the one that `pick` takes.
    pub(super) async fn until<T>(&mut self, mut pick: impl FnMut(NetEvent) -> Option<T>) -> T {
        let deadline = Instant::now() + SOON;
        loop {
            let Some(event) = self.event(deadline).await else {
                panic!("waited in vain; lines {:?}, refused {:?}", self.lines, self.refused);
            };
            if let Some(picked) = pick(event) {
                return picked;
            }
        }
    }

    /// Reads events for a while; none may be one that `bad` names.
    pub(super) async fn never(&mut self, bad: impl Fn(&NetEvent) -> bool) {
        let deadline = Instant::now() + A_WHILE;
        while let Some(event) = self.event(deadline).await {
            assert!(!bad(&event), "{event:?}");
        }
    }

    pub(super) async fn line_to(&mut self, peer: PeerId) -> LineId {
        while !self.lines.contains_key(&peer) {
            self.until(Some).await;
        }
        self.lines[&peer].0
    }

    pub(super) async fn down(&mut self, peer: PeerId) {
        while self.lines.contains_key(&peer) {
            self.until(Some).await;
        }
    }

    pub(super) async fn refusals(&mut self, reason: Refusal, count: u64) {
        while self.refused.get(&reason).is_none_or(|seen| *seen < count) {
            self.until(Some).await;
        }
    }

    /// The next frame: its sender, number and bytes.
    pub(super) async fn frame(&mut self) -> (PeerId, u64, Vec<u8>) {
        self.until(|event| match event {
            NetEvent::Frame { peer, number, bytes, .. } => Some((peer, number, bytes)),
            _ => None,
        })
        .await
    }

    pub(super) async fn guest(&mut self) -> (crate::net::GuestId, PeerId, Vec<u8>) {
        self.until(|event| match event {
            NetEvent::Guest { guest, peer, frame } => Some((guest, peer, frame)),
            _ => None,
        })
        .await
    }
}

/// What a proxy does with connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Pass,
    /// Keeps them open and forwards nothing: the cut cable.
    Hold,
    /// Drops new ones.
    Refuse,
}

/// A TCP proxy before a hall.
pub(super) struct Proxy {
    pub(super) address: Multiaddr,
    mode: watch::Sender<Mode>,
    accepted: watch::Receiver<u32>,
}

impl Proxy {
    pub(super) async fn before(target: &Multiaddr, mode: Mode) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address =
            format!("/ip4/127.0.0.1/tcp/{}", listener.local_addr().unwrap().port()).parse().unwrap();
        let (mode, watched) = watch::channel(mode);
        let (count, accepted) = watch::channel(0);
        let target = socket(target);
        tokio::spawn(serve(listener, target, watched, count));
        Self { address, mode, accepted }
    }

    pub(super) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    pub(super) async fn accepted(&mut self, count: u32) {
        timeout(SOON, self.accepted.wait_for(|accepted| *accepted >= count))
            .await
            .expect("too few dials")
            .unwrap();
    }
}

async fn serve(
    listener: TcpListener,
    target: SocketAddr,
    mode: watch::Receiver<Mode>,
    count: watch::Sender<u32>,
) {
    while let Ok((near, _)) = listener.accept().await {
        count.send_modify(|count| *count += 1);
        if *mode.borrow() != Mode::Refuse {
            tokio::spawn(forward(near, target, mode.clone()));
        }
    }
}

async fn forward(near: TcpStream, target: SocketAddr, mode: watch::Receiver<Mode>) {
    let Ok(far) = TcpStream::connect(target).await else { return };
    let (near_read, near_write) = near.into_split();
    let (far_read, far_write) = far.into_split();
    tokio::select! {
        _ = pump(near_read, far_write, mode.clone()) => {}
        _ = pump(far_read, near_write, mode) => {}
    }
}

async fn pump(
    from: tcp::OwnedReadHalf,
    to: tcp::OwnedWriteHalf,
    mut mode: watch::Receiver<Mode>,
) -> io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        if mode.wait_for(|mode| *mode == Mode::Pass).await.is_err() {
            return Ok(());
        }
        tokio::select! {
            _ = mode.changed() => {}
            ready = from.readable() => {
                ready?;
                let read = match from.try_read(&mut buffer) {
                    Ok(0) => return Ok(()),
                    Ok(read) => read,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                    Err(error) => return Err(error),
                };
                let mut rest = &buffer[..read];
                while !rest.is_empty() {
                    to.writable().await?;
                    match to.try_write(rest) {
                        Ok(written) => rest = &rest[written..],
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                        Err(error) => return Err(error),
                    }
                }
            }
        }
    }
}

fn socket(address: &Multiaddr) -> SocketAddr {
    let mut parts = address.iter();
    let (Some(Protocol::Ip4(ip)), Some(Protocol::Tcp(port))) = (parts.next(), parts.next()) else {
        panic!("not an address of this harness: {address}");
    };
    SocketAddr::from((ip, port))
}

type Wish = oneshot::Sender<SubstreamBox>;

/// A peer that speaks the transport by the book and everything above it as the test likes.
pub(super) struct Rogue {
    pub(super) peer: PeerId,
    wishes: mpsc::Sender<Wish>,
    over: watch::Receiver<bool>,
}

impl Rogue {
    pub(super) async fn dial(keypair: &Keypair, address: &Multiaddr) -> io::Result<Self> {
        let mut transport = transport::build(keypair, SOON).unwrap();
        let opts = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
        let (_, muxer) = transport.dial(address.clone(), opts).map_err(io::Error::other)?.await?;
        let (wishes, wished) = mpsc::channel(1);
        let (done, over) = watch::channel(false);
        tokio::spawn(async move {
            drive(muxer, wished).await;
            done.send_replace(true);
        });
        Ok(Self { peer: keypair.public().to_peer_id(), wishes, over })
    }

    /// Opens a stream; `None` if the hall does not speak the protocol with us.
    pub(super) async fn open(&self, protocol: &StreamProtocol) -> io::Result<Option<SubstreamBox>> {
        let (wish, granted) = oneshot::channel();
        self.wishes.send(wish).await.map_err(io::Error::other)?;
        let mut stream = timeout(SOON, granted).await?.map_err(io::Error::other)?;
        say(&mut stream, "/multistream/1.0.0").await?;
        say(&mut stream, protocol.as_ref()).await?;
        assert_eq!(hear(&mut stream).await?, "/multistream/1.0.0");
        Ok((hear(&mut stream).await? != "na").then_some(stream))
    }

    /// Until the hall has closed the connection.
    pub(super) async fn closed(&mut self) {
        timeout(SOON, self.over.wait_for(|over| *over)).await.expect("still open").unwrap();
    }

    /// The hall leaves the connection open for a while.
    pub(super) async fn stays(&mut self) {
        assert!(timeout(A_WHILE, self.over.wait_for(|over| *over)).await.is_err(), "closed");
    }
}

async fn drive(mut muxer: StreamMuxerBox, mut wished: mpsc::Receiver<Wish>) {
    let mut wish = None;
    let gone = poll_fn(|cx| {
        while step(&mut muxer, &mut wished, &mut wish, cx)?.is_ready() {}
        Poll::Pending::<io::Result<()>>
    });
    drop(gone.await);
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

/// Writes one frame of a line, or what should not be one.
pub(super) async fn write_frame(stream: &mut SubstreamBox, number: u64, frame: &[u8]) -> io::Result<()> {
    let head = Head::plain(u32::try_from(frame.len()).unwrap(), number);
    stream.write_all(&head.to_bytes()).await?;
    stream.write_all(frame).await?;
    stream.flush().await
}

/// Reads heads until one that `pick` takes; skips the frames.
pub(super) async fn read_until(stream: &mut SubstreamBox, pick: impl Fn(Head) -> bool) -> Head {
    let reading = async {
        loop {
            let mut head = [0; HEAD];
            stream.read_exact(&mut head).await.unwrap();
            let head = Head::from_bytes(head);
            if pick(head) {
                return head;
            }
            let mut frame = vec![0; usize::try_from(head.length).unwrap()];
            stream.read_exact(&mut frame).await.unwrap();
        }
    };
    timeout(SOON, pin!(reading)).await.expect("never came")
}
