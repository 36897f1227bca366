//! What the operator may set, with a sensible value for each.

use std::time::Duration;

use libp2p::{Multiaddr, identity::Keypair};

use super::limits::WRITE_BUFFER;

/// The settings of the network rooms. [`Settings::new`] fills in everything but the key and the addresses.
#[derive(Clone)]
pub struct Settings {
    /// The transport key; its `PeerId` is the one in the charter.
    pub keypair: Keypair,
    /// Addresses to listen on; empty for a hall that only dials.
    pub listen: Vec<Multiaddr>,
    /// Strangers inside at once.
    pub seats: usize,
    /// Connections of members at once.
    pub members_max: u32,
    /// How long a stranger may stay, from the end of the handshake to the driver's answer.
    pub guest_deadline: Duration,
    /// How long an answered guest may stay to read its answer. Closing at once loses the answer: the guest's side
    /// of the connection dies with what it has not read.
    pub guest_grace: Duration,
    /// Visits of strangers from one source address within one rate window.
    pub guests_per_ip: u32,
    /// Handshakes from one source address within one rate window, members' included: the `PeerId` is known only
    /// afterwards. A whole township may sit behind one address, so this is generous.
    pub handshakes_per_ip: u32,
    /// The length of a rate window.
    pub rate_window: Duration,
    /// How long a connection without any stream stays. A line is a stream, so a quiet line is not idle.
    pub idle: Duration,
    /// How often each side of a line says that it lives.
    pub ping_interval: Duration,
    /// How much later than `ping_interval` the other side's word may come before the connection is closed.
    pub ping_timeout: Duration,
    /// How long connecting, encrypting and multiplexing may take together.
    pub handshake_timeout: Duration,
    /// The shortest wait before a hall is dialled again.
    pub backoff_min: Duration,
    /// The longest wait before a hall is dialled again.
    pub backoff_max: Duration,
    /// The age from which a connection is settled: its loss is then no failed dial, and a second connection of the
    /// same pair replaces it at once.
    pub settled: Duration,
    /// How long the side with the larger `PeerId` waits for the other side to close a surplus connection.
    pub surplus_grace: Duration,
    /// Resident bytes of the process above which no new connection is made or taken.
    pub memory_max: usize,
    /// Bytes collected before a line writes to its stream; each line has so many.
    pub write_buffer: usize,
    /// Bytes of received frames, over all lines, that the driver has not committed yet.
    pub receive_budget: usize,
}

impl Settings {
    /// The settings of an ordinary hall.
    pub fn new(keypair: Keypair, listen: Vec<Multiaddr>) -> Self {
        Self {
            keypair,
            listen,
            seats: 16,
            members_max: 2048,
            guest_deadline: Duration::from_secs(10),
            guest_grace: Duration::from_secs(1),
            guests_per_ip: 8,
            handshakes_per_ip: 128,
            rate_window: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            ping_interval: Duration::from_secs(10),
            ping_timeout: Duration::from_secs(10),
            handshake_timeout: Duration::from_secs(10),
            backoff_min: Duration::from_millis(500),
            backoff_max: Duration::from_secs(60),
            settled: Duration::from_secs(5),
            surplus_grace: Duration::from_secs(2),
            memory_max: 1 << 30,
            write_buffer: WRITE_BUFFER,
            receive_budget: 64 << 20,
        }
    }
}
