//! The network rooms of a hall: who may come in, who is dialled, and one line to each neighbour.
//!
//! Three rooms stand between a socket and the driver:
//! * the **doorkeeper** decides member or guest before any other room sees a connection;
//! * the **supervisor** knows the addresses, from the signed directory only, and dials again and again;
//! * the **line** carries numbered frames between two members, one stream each, with a window and acknowledgements.
//!
//! What a frame means, who is in the roster and why, and whether a frame arrives after a line broke: all that is
//! decided outside. A line promises order and no duplicates as long as it lives, and nothing across two lines.

mod alarm;
mod ask;
mod behaviour;
mod doorkeeper;
mod engine;
mod framing;
mod limits;
mod line;
mod one_stream;
mod outbox;
mod packing;
mod rate;
mod settings;
mod supervisor;
#[cfg(test)]
mod tests;
mod transport;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use libp2p::{Multiaddr, PeerId, swarm::ConnectionDenied};
use tokio::sync::mpsc;

pub use ask::ask_as_guest;
pub use limits::{FRAME_MAX, GUEST_FRAME_MAX, LINE_QUEUE, LINE_WINDOW, RECEIVE_WINDOW};
pub use settings::Settings;

/// The halls of the city by the signed directory, with their addresses. A revoked hall is simply absent.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    /// Each member's `PeerId` and where to dial it; a hall that only dials has no address.
    pub members: BTreeMap<PeerId, Vec<Multiaddr>>,
}

impl Roster {
    /// Whether `peer` is a member.
    pub fn has(&self, peer: &PeerId) -> bool {
        self.members.contains_key(peer)
    }
}

/// One life of the line to one peer. A new connection has a new line, and frame numbers start again at 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineId(u64);

impl fmt::Display for LineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.0)
    }
}

/// One visit of one stranger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GuestId(u64);

#[cfg(test)]
impl GuestId {
    /// Some visit.
    pub(crate) fn any() -> Self {
        Self(1)
    }
}

impl fmt::Display for GuestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "guest {}", self.0)
    }
}

/// What the driver asks of the rooms.
#[derive(Debug)]
pub enum NetCommand {
    /// Replaces the roster; live connections of peers no longer in it are closed at once.
    Roster(Arc<Roster>),
    /// One member is reached elsewhere; the roster is as before in all else.
    Addresses {
        /// The member.
        peer: PeerId,
        /// Where to dial it.
        addresses: Vec<Multiaddr>,
    },
    /// From now on the supervisor keeps dialling these, and no others. Standing connections stay.
    Keep(BTreeSet<PeerId>),
    /// Queues a frame on the peer's line; without a line, or with a full queue, it is dropped and counted
    /// ([`NetEvent::Unsent`]).
    Send {
        /// The receiver.
        peer: PeerId,
        /// 1 to [`FRAME_MAX`] bytes.
        frame: Vec<u8>,
        /// It has text in it that repeats: it is packed for the way. What is sealed would only cost time.
        packs: bool,
    },
    /// All frames of this line with a number up to `upto` are durable: acknowledge them and free their room.
    Committed {
        /// The sender of the frames.
        peer: PeerId,
        /// The line they came on; an old line is ignored.
        line: LineId,
        /// The last durable number.
        upto: u64,
    },
    /// Answers a guest; the visit ends when it has read the answer, or after the grace.
    GuestReply {
        /// The guest.
        guest: GuestId,
        /// 1 to [`GUEST_FRAME_MAX`] bytes.
        frame: Vec<u8>,
    },
    /// Ends a visit without an answer.
    GuestClose {
        /// The guest.
        guest: GuestId,
    },
    /// Closes everything. The event channel ends when the ports are free.
    Shutdown,
}

/// What the rooms tell the driver.
#[derive(Debug)]
pub enum NetEvent {
    /// An address we are reachable at, with the real port.
    Listening(Multiaddr),
    /// An address we are no longer reachable at, as when a network interface goes down.
    NotListening(Multiaddr),
    /// The line to a member stands. There is at most one a peer: an older one went `Down` before.
    Up {
        /// The member.
        peer: PeerId,
        /// Its line.
        line: LineId,
        /// Whether we dialled.
        outbound: bool,
    },
    /// The line is gone, and with it every frame that no receipt of the core's own vouches for.
    Down {
        /// The member.
        peer: PeerId,
        /// Its line.
        line: LineId,
    },
    /// A frame. Numbers of a line are 1, 2, 3, ...; the driver answers with [`NetCommand::Committed`].
    Frame {
        /// The sender.
        peer: PeerId,
        /// The line it came on.
        line: LineId,
        /// Its number on that line.
        number: u64,
        /// 1 to [`FRAME_MAX`] bytes.
        bytes: Vec<u8>,
    },
    /// The one frame of a stranger; the driver answers with `GuestReply` or `GuestClose` before the deadline.
    Guest {
        /// The visit.
        guest: GuestId,
        /// Who came, proven by the handshake and known for nothing else.
        peer: PeerId,
        /// 1 to [`GUEST_FRAME_MAX`] bytes.
        frame: Vec<u8>,
    },
    /// Something was turned away `count` times since the last such event.
    Refused {
        /// Why.
        reason: Refusal,
        /// Whom, if a member.
        peer: Option<PeerId>,
        /// How often.
        count: u64,
    },
    /// Frames given with `Send` that never left, since the last such event.
    Unsent {
        /// The intended receiver.
        peer: PeerId,
        /// How many.
        count: u64,
    },
    /// A listener died. The text names the address.
    Fatal(String),
}

/// Why something was turned away. Refusals are counted, never logged above debug: a stranger must not fill the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// Too many handshakes from one address in a rate window.
    HandshakeRate,
    /// Too many handshakes at once.
    HandshakesFull,
    /// A handshake failed or took too long.
    Handshake,
    /// The operating system could not accept a connection.
    Accept,
    /// Too many strangers from one address in a rate window.
    GuestRate,
    /// All guest seats taken.
    SeatsFull,
    /// A stranger who is already inside.
    GuestTwice,
    /// A guest's frame was empty, too long or cut off.
    GuestFrame,
    /// A guest stayed too long.
    GuestDeadline,
    /// We were about to dial somebody who is not in the roster.
    NotInRoster,
    /// More connections of members than allowed, or of one member.
    MembersFull,
    /// Too much memory in use for another connection.
    Memory,
    /// A member's frame was longer than allowed; the connection was closed.
    FrameOversize,
    /// A member's frame did not unpack to what it said; the connection was closed.
    FramePacked,
    /// A member's frame came out of turn; the connection was closed.
    FrameOrder,
    /// A member acknowledged what was never sent; the connection was closed.
    BadAck,
    /// A member took too long to send one frame; the connection was closed.
    FrameSlow,
    /// A member was silent for too long; the connection was closed.
    Silent,
    /// The other hall does not know us as a member.
    NotAdmitted,
    /// At a member's address somebody with another key answered.
    WrongKey,
}

impl Refusal {
    /// A stable word. The message catalogues have a text for it under `refused.`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::HandshakeRate => "handshake-rate",
            Self::HandshakesFull => "handshakes-full",
            Self::Handshake => "handshake",
            Self::Accept => "accept",
            Self::GuestRate => "guest-rate",
            Self::SeatsFull => "seats-full",
            Self::GuestTwice => "guest-twice",
            Self::GuestFrame => "guest-frame",
            Self::GuestDeadline => "guest-deadline",
            Self::NotInRoster => "not-in-roster",
            Self::MembersFull => "members-full",
            Self::Memory => "memory",
            Self::FrameOversize => "frame-oversize",
            Self::FramePacked => "frame-packed",
            Self::FrameOrder => "frame-order",
            Self::BadAck => "bad-ack",
            Self::FrameSlow => "frame-slow",
            Self::Silent => "silent",
            Self::NotAdmitted => "not-admitted",
            Self::WrongKey => "wrong-key",
        }
    }

    /// Only the doorkeeper and the memory limit deny connections, and only the doorkeeper says why.
    fn of(denied: &ConnectionDenied) -> Self {
        denied.downcast_ref().copied().unwrap_or(Self::Memory)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl std::error::Error for Refusal {}

/// The driver's end of the rooms.
pub struct Net {
    /// Commands; dropping it is a `Shutdown`.
    pub commands: mpsc::Sender<NetCommand>,
    /// Events; `None` when the rooms are closed. A driver that does not read stalls lines, never the rooms.
    pub events: mpsc::Receiver<NetEvent>,
    /// Our own `PeerId`.
    pub local_peer: PeerId,
}

/// Opens the rooms: listens and starts the network task. Must be called inside a tokio runtime.
///
/// An address that cannot be listened on is an error here, and the error names it.
pub fn start(settings: Settings) -> anyhow::Result<Net> {
    let local_peer = settings.keypair.public().to_peer_id();
    let (commands, inbox) = mpsc::channel(limits::COMMANDS_MAX);
    let (outlet, events) = mpsc::channel(limits::EVENTS_MAX);
    let engine = engine::Engine::open(settings, inbox, outlet)?;
    tokio::spawn(engine.run());
    Ok(Net { commands, events, local_peer })
}
