//! Every bound of the rooms, named, with the relations between them checked when this file is compiled.

use std::time::Duration;

use libp2p::StreamProtocol;

/// The one long-lived stream between two member halls.
pub(super) const LINE_PROTOCOL: StreamProtocol = StreamProtocol::new("/hallmesh/line/2");
/// The one stream of a visitor whose `PeerId` is not in the roster.
pub(super) const GUEST_PROTOCOL: StreamProtocol = StreamProtocol::new("/hallmesh/guest/1");

/// Bytes of the largest frame on a line.
pub const FRAME_MAX: usize = 1 << 20;
/// Bytes from which on a frame that may be packed is.
pub(super) const PACK_MIN: usize = 2 << 10;

/// Bytes of the largest frame of a guest, and of the largest answer to one.
pub const GUEST_FRAME_MAX: usize = 16 << 10;

/// Frames written to a line and not yet acknowledged by the other side.
pub const LINE_WINDOW: usize = 256;
/// Bytes of those frames.
pub(super) const LINE_WINDOW_BYTES: usize = 8 << 20;
/// Frames waiting behind the window of one line; what comes on top is `Unsent`.
pub const LINE_QUEUE: usize = 1024;
/// Bytes of those frames.
pub(super) const LINE_QUEUE_BYTES: usize = 8 << 20;
/// Frames of one line read ahead of the driver's commit.
pub const RECEIVE_WINDOW: usize = 256;
/// Bytes of those frames.
pub(super) const RECEIVE_WINDOW_BYTES: usize = 8 << 20;

/// Commands waiting for the network task.
pub(super) const COMMANDS_MAX: usize = 1024;
/// Events waiting for the driver.
pub(super) const EVENTS_MAX: usize = 1024;
/// Frames of guests waiting for a driver that does not read; the guests of further ones wait for their deadline.
pub(super) const GUESTS_WAITING_MAX: usize = 64;
/// Frames a line hands to the network task in one piece.
pub(super) const BATCH: usize = 64;
/// Bytes collected before a line writes to its stream, where nothing else is set.
pub(super) const WRITE_BUFFER: usize = 64 << 10;

/// Inbound handshakes running at once.
pub(super) const PENDING_INBOUND_MAX: usize = 64;
/// Outbound dials running at once.
pub(super) const DIALS_MAX: usize = 64;
/// Connections of one member at once: the good one, one that is just being replaced, and closing ones.
pub(super) const CONNECTIONS_PER_MEMBER: usize = 4;
/// Addresses of one hall that are dialled; a roster entry with more is cut.
pub(super) const ADDRESSES_MAX: usize = 8;
/// Streams of one connection. yamux kills the whole connection when it has more than this.
pub(super) const STREAMS_MAX: usize = 8;
/// Inbound streams of one connection whose protocol is being negotiated.
pub(super) const NEGOTIATING_MAX: usize = 4;
/// Source addresses counted in one rate window; while the table is full, new addresses are refused.
pub(super) const ADDRESSES_COUNTED_MAX: usize = 4096;

/// How long the other side may take to agree on a stream's protocol.
pub(super) const OPEN_MAX: Duration = Duration::from_secs(10);
/// How long one frame may take from its first byte to its last: 1 MiB at 14 kbit/s.
pub(super) const FRAME_READ_MAX: Duration = Duration::from_secs(600);
/// How long a connection may take to close in good order before it is dropped.
pub(super) const CLOSE_MAX: Duration = Duration::from_secs(2);
/// How long `Shutdown` waits for all connections to close.
pub(super) const SHUTDOWN_MAX: Duration = Duration::from_secs(3);

// A peer that keeps the send window never runs into the receive window, so acknowledgements never wait behind frames.
const _: () = assert!(LINE_WINDOW <= RECEIVE_WINDOW);
const _: () = assert!(LINE_WINDOW_BYTES <= RECEIVE_WINDOW_BYTES);
const _: () = assert!(FRAME_MAX <= LINE_WINDOW_BYTES && FRAME_MAX <= LINE_QUEUE_BYTES);
const _: () = assert!(FRAME_MAX < u32::MAX as usize && GUEST_FRAME_MAX <= FRAME_MAX);
const _: () = assert!(BATCH <= RECEIVE_WINDOW);
