//! A recording: the last inputs of a node as plain data, in the form in which the same core can take them again.
//!
//! It holds what went *into* the checks (frames, acts), never a checked value: a replay checks again. It begins with
//! the node's memory and with the rows that the recorded steps have read or replaced, each as it was at the
//! beginning; all later rows follow from the steps. The node's key is not in it. What the node signed meanwhile is,
//! as a signature under a digest, so that a replay gives the same bytes.
//!
//! Taken out: names and keys of clerks (a stand-in takes their place), the digests of what clerks asked for, and the
//! applicant's place as far as it says more than which hall decides. What is sealed in a case stays sealed.
//!
//! | file | |
//! |---|---|
//! | 8 bytes | `hallrec1` |
//! | parts | length (4 bytes, little-endian), encoding of a `Part` |
//! | last part | how many there are before it, BLAKE3 of all bytes before it |
//!
//! [`Recorder`] makes one beside a running node, [`Noting`] is the view it looks through, [`Replay`] takes one in.

mod file;
mod noting;
mod recorder;
mod redaction;
mod replay;
mod summary;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cases::{Deed, Renewal, StatementKind, Wrap};
use crate::clerks::{Act, ClerkCard};
use crate::directory::Declaration;
use crate::ids::{BundleCode, CaseId, CaseNumber, Digest, DivisionCode, HallAt, HallId, MatterCode};
use crate::parcels::{Consign, Parcel};
use crate::record::{Body, Record};
use crate::seal::{PublicKey, Signature};
use crate::signed::Signed;
use crate::step::{Now, Ticket};
use crate::wire::Blob;

pub use file::Unreadable;
pub use noting::{Noting, Seen};
pub use recorder::{Frame, Held, Recorder};
pub use replay::{Difference, Outcome, Replay};

/// The version of the file this build writes and reads.
pub const FORMAT: u16 = 4;

/// Whose recording it is, and from when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the file.
    pub format: u16,
    /// The version of the software that ran.
    pub software: String,
    /// The protocol it spoke.
    pub protocol: u16,
    /// The version of its key space.
    pub rows: u32,
    /// The hall and which life of it.
    pub at: HallAt,
    /// This start of the node.
    pub boot: u32,
    /// The key that checks what it signs.
    pub signer: PublicKey,
    /// Both clocks at the beginning.
    pub begun: Clocks,
    /// Commits before the beginning, as frames name them.
    pub commits: u64,
}

/// Both clocks of a moment, as they were handed to the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clocks {
    /// Milliseconds since some start.
    pub ticks: u64,
    /// Milliseconds since 1970 UTC.
    pub wall: u64,
}

impl From<Now> for Clocks {
    fn from(now: Now) -> Self {
        Self { ticks: now.ticks, wall: now.wall }
    }
}

impl From<Clocks> for Now {
    fn from(clocks: Clocks) -> Self {
        Self { ticks: clocks.ticks, wall: clocks.wall }
    }
}

/// A whole recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// Whose, and from when.
    pub header: Header,
    /// The node's memory at the beginning.
    pub memory: Blob,
    /// Rows at the beginning, as far as they mattered.
    pub rows: BTreeMap<Vec<u8>, Blob>,
    /// What came and what it gave, in order.
    pub entries: Vec<Entry>,
}

/// One input and what it gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When it was taken.
    pub now: Clocks,
    /// What came.
    pub came: Came,
    /// What it gave; nothing if the node did not survive it.
    pub gave: Option<Gave>,
    /// Whether the batch was committed after it.
    pub committed: bool,
}

/// What came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Came {
    /// A line is up.
    PeerUp(HallAt),
    /// A line is down.
    PeerDown(HallId),
    /// A frame, as it came and before any check.
    Frame {
        /// From the hall at the other end of the line.
        from: HallId,
        /// The encoded message.
        frame: Blob,
        /// After so many commits its check read the rows.
        checked_at: u64,
    },
    /// Staff wanted something.
    Command {
        /// For the reply.
        ticket: Ticket,
        /// What.
        wish: Box<Wish>,
    },
    /// The time asked for had come.
    Wake,
}

/// A command, in the form in which it is recorded: acts without what they were signed for, cards without people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wish {
    /// Take in a case.
    Receive {
        /// The clerk's act.
        act: Act,
        /// The case.
        case: CaseId,
        /// The matter.
        matter: MatterCode,
        /// The widest place that leads to the same hall as the applicant's.
        place: DivisionCode,
        /// The sealed application.
        body: Blob,
        /// The wrapped case key.
        wraps: Vec<Wrap>,
    },
    /// Add an act to a case.
    Record {
        /// The clerk's act.
        act: Act,
        /// The case.
        case: CaseId,
        /// What is done.
        deed: Deed,
        /// The key that the reasons are sealed under.
        key: Digest,
        /// The sealed reasons.
        body: Blob,
    },
    /// Take in an application for a bundle.
    ReceiveBundle {
        /// The clerk's act.
        act: Act,
        /// The bundle.
        bundle: BundleCode,
        /// The widest place that leads to the same halls as the applicant's.
        place: DivisionCode,
        /// For each task its item, its case, its matter, the sealed application and the wrapped key.
        tasks: Vec<(u8, CaseId, MatterCode, Blob, Vec<Wrap>)>,
    },
    /// Add an act to several tasks of a bundle.
    RecordBundle {
        /// The clerk's act.
        act: Act,
        /// The application.
        bundle: CaseNumber,
        /// For each task its case, what is done, the key and the reasons sealed under it.
        acts: Vec<(CaseId, Deed, Digest, Blob)>,
    },
    /// State something about a case elsewhere.
    State {
        /// The clerk's act.
        act: Act,
        /// The case's number.
        number: CaseNumber,
        /// What is stated.
        kind: StatementKind,
        /// The case's key that the words are sealed under.
        key: Option<Digest>,
        /// The sealed words.
        sealed: Blob,
        /// Their own key, wrapped.
        wraps: Vec<Wrap>,
    },
    /// Publish as this hall.
    Publish(Act, Vec<Body>),
    /// Declare as this hall, by two persons.
    Declare([Act; 2], Declaration),
    /// Keep keys wrapped with a recovery key, by two persons.
    GiveKeys([Act; 2], Vec<(CaseId, Wrap)>),
    /// Take up records signed elsewhere; those that were checked.
    Admit(Vec<Signed<Record>>),
    /// State where this hall can be reached.
    Advertise(Vec<String>),
    /// Register a clerk.
    AddClerk(ClerkCard),
    /// Take a clerk's rights away.
    DisableClerk(u16),
    /// Note that a clerk reads a case.
    Read(Act, CaseId),
    /// Number and sign a parcel for a stick.
    Consign(Consign),
    /// Take in a parcel that came by stick, as it came and before any check.
    TakeIn(Parcel),
    /// Keep keys wrapped to another life.
    KeepKeys(CaseId, Vec<Wrap>),
    /// Give a case a new key.
    RenewKey(CaseId, Renewal),
    /// Note that a key of a case is not opened.
    NotOpened(CaseId, Digest),
}

/// What a step gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gave {
    /// The table of each row it wrote or removed, in order.
    pub wrote: Vec<u8>,
    /// What it asked of the world, a line each.
    pub said: Vec<String>,
    /// Ticks at which it wanted to be woken.
    pub wake_at: Option<u64>,
    /// BLAKE3 over the rows written and everything said, byte for byte.
    pub digest: [u8; 32],
    /// What the node signed in it: the SHA-256 of context and bytes, and the signature.
    pub signatures: Vec<([u8; 32], Signature)>,
}

/// A part of the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Part {
    Header(Box<Header>),
    Memory(Blob),
    Row(Blob, Blob),
    Came(Clocks, Came),
    Gave(Gave),
    Committed,
    End(u64, [u8; 32]),
}

impl Came {
    /// A stable word for the kind, for lists and JSON.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::PeerUp(_) => "peer-up",
            Self::PeerDown(_) => "peer-down",
            Self::Frame { .. } => "frame",
            Self::Command { .. } => "command",
            Self::Wake => "wake",
        }
    }
}

impl Wish {
    /// A stable word for the kind, for lists and JSON.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Receive { .. } => "receive",
            Self::Record { .. } => "record",
            Self::ReceiveBundle { .. } => "receive-bundle",
            Self::RecordBundle { .. } => "record-bundle",
            Self::Publish(..) => "publish",
            Self::Declare(..) => "declare",
            Self::GiveKeys(..) => "give-keys",
            Self::Admit(_) => "admit",
            Self::Advertise(_) => "advertise",
            Self::AddClerk(_) => "add-clerk",
            Self::DisableClerk(_) => "disable-clerk",
            Self::Read(..) => "read",
            Self::Consign(_) => "consign",
            Self::TakeIn(_) => "take-in",
            Self::KeepKeys(..) => "keep-keys",
            Self::RenewKey(..) => "renew-key",
            Self::NotOpened(..) => "not-opened",
            Self::State { .. } => "state",
        }
    }
}
