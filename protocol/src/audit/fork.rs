//! A fork: one life of a hall has signed two things of which it may sign only one. Its own two signatures prove it to
//! anybody; whoever states it adds nothing. It accuses. What becomes of a case is not decided by it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::checkpoint::Checkpoint;
use super::witness::is_rolled_back;
use crate::cases::{BadHeader, Header, SignedEvent, stored_event};
use crate::directory::{Directory, Inadmissible};
use crate::ids::{CaseId, Digest, HallAt};
use crate::limits::FORKS_OF_LIFE_MAX;
use crate::node::Me;
use crate::record::{Body, Issuer, Record, Space};
use crate::rows;
use crate::seal::{self, Context, PublicKey, Signature};
use crate::shelf;
use crate::signed::{Signed, Unverified, Verified};
use crate::step::{Cx, Happening, View};
use crate::wire::Blob;

/// The header of an event with its signature, without the sealed body.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SignedHeader {
    header: Blob,
    signature: Signature,
}

/// Two signed things that exclude each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fork {
    /// Two events at one place of one case's log.
    Events {
        /// The one with the smaller bytes.
        one: SignedHeader,
        /// The other.
        other: SignedHeader,
    },
    /// Two roots over one number of leaves.
    Checkpoints {
        /// The one with the smaller root.
        one: Signed<Checkpoint>,
        /// The other.
        other: Signed<Checkpoint>,
    },
}

/// Where a fork lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Forked {
    /// In a case.
    Case {
        /// The case.
        case: CaseId,
        /// The place in its log.
        sequence: u32,
    },
    /// In the hall's own Merkle log.
    Log {
        /// Leaves of both.
        size: u64,
    },
}

impl fmt::Display for Forked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Case { case, sequence } => write!(f, "{case}/{sequence}"),
            Self::Log { size } => write!(f, "log/{size}"),
        }
    }
}

impl SignedHeader {
    /// The clear part of an event.
    pub fn of(event: &SignedEvent) -> Self {
        let header = event.message().split_off(Context::EVENT.as_bytes().len());
        Self { header: header.into(), signature: *event.signature() }
    }

    /// What it says.
    pub fn header(&self) -> Result<Header, BadHeader> {
        Header::decode(self.header.as_bytes())
    }

    /// The exact message that the signature covers.
    pub fn message(&self) -> Vec<u8> {
        seal::message(Context::EVENT, self.header.as_bytes())
    }

    /// The signature.
    pub const fn signature(&self) -> &Signature {
        &self.signature
    }
}

impl Fork {
    /// The fork that two events are.
    pub fn of_events(one: &SignedEvent, other: &SignedEvent) -> Self {
        let (one, other) = (SignedHeader::of(one), SignedHeader::of(other));
        if one < other { Self::Events { one, other } } else { Self::Events { one: other, other: one } }
    }

    /// The fork that two checkpoints are.
    pub fn of_checkpoints(one: Signed<Checkpoint>, other: Signed<Checkpoint>) -> Self {
        if one.digest() < other.digest() {
            Self::Checkpoints { one, other }
        } else {
            Self::Checkpoints { one: other, other: one }
        }
    }

    /// Whose it is and where it lies; none if the two do not exclude each other.
    pub fn place(&self) -> Option<(HallAt, Forked)> {
        match self {
            Self::Events { one, other } => {
                let ordered = one < other;
                let (one, other) = (one.header().ok()?, other.header().ok()?);
                // A ruling begins a new term, in which a hall may have to write another event in the same place.
                let place = |it: &Header| (it.at, it.case, it.position.term, it.sequence);
                let forked = Forked::Case { case: one.case, sequence: one.sequence };
                (ordered && one != other && place(&one) == place(&other)).then_some((one.at, forked))
            }
            Self::Checkpoints { one, other } => {
                let ordered = one.digest() < other.digest();
                let (one, other) = (one.peek().ok()?, other.peek().ok()?);
                let excluded = (one.at, one.size) == (other.at, other.size) && one.root != other.root;
                (ordered && excluded).then_some((one.at, Forked::Log { size: one.size }))
            }
        }
    }

    /// The key of its record. A life has a bounded number of them, whatever it signs: more would tell nothing new.
    pub fn key(&self) -> String {
        self.place().map_or_else(|| "fork/none".to_owned(), |(at, forked)| slot(at, forked))
    }

    /// Whether both signatures are of the life's own key.
    pub fn verify(&self, key: &PublicKey) -> Result<(), Unverified> {
        match self {
            Self::Events { one, other } => [one, other].into_iter().try_for_each(|it| {
                Ok(seal::verify(key, Context::EVENT, it.header.as_bytes(), &it.signature)?)
            }),
            Self::Checkpoints { one, other } => {
                [one, other].into_iter().try_for_each(|it| it.verify(key).map(drop))
            }
        }
    }

    /// Whether both signatures are of the life's own key, as the directory has it.
    pub(crate) fn holds(&self, directory: &Directory<'_>) -> Result<(), Unverified> {
        let (at, _) = self.place().ok_or(Unverified::OutOfScope)?;
        let card = directory.card(at).ok_or(Unverified::UnknownSigner)?;
        self.verify(&card.event_key)
    }

    /// Whether it is one at all. Who states it does not matter.
    pub(crate) fn check(&self) -> Result<(), Inadmissible> {
        self.place().map(drop).ok_or(Inadmissible::Malformed)
    }
}

/// A hall was offered a log that contradicts what it holds. If one life has signed two different events in one
/// place, that is stated.
pub(crate) fn meet(cx: &mut Cx<'_>, me: &Me, case: CaseId, offered: &[SignedEvent]) {
    let pairs = (0_u32..).zip(offered).map_while(|(place, it)| Some((stored_event(cx, case, place)?, it)));
    let differing = pairs.filter(|(held, it)| held.digest() != it.digest());
    let found = differing.map(|(held, it)| Fork::of_events(&held, it)).find(|fork| fork.place().is_some());
    if let Some(fork) = found {
        state(cx, me, fork);
    }
}

/// States a fork as a record, unless the place of its record is taken: it spreads like every record.
pub(crate) fn state(cx: &mut Cx<'_>, me: &Me, fork: Fork) {
    let Some((at, _)) = fork.place() else { return };
    let taken = shelf::held(cx, Space::Directory, &fork.key()).is_some();
    if taken || is_rolled_back(cx, me.at) {
        return;
    }
    let body = Body::Fork(Box::new(fork));
    let issuer = Issuer::Hall(me.at);
    let record =
        Record { issuer, version: 1, previous: Digest([0; 32]), withdrawn: false, effective_from: 0, body };
    if shelf::apply(cx, &Verified::own(record, &me.key)).is_ok() {
        cx.happened(Happening::Forked(at));
    }
}

/// The forks that are known, by life, at most `count`: whose, where, the proof, and who stated it.
pub fn known(view: &dyn View, count: usize) -> Vec<(HallAt, Forked, Fork, Issuer)> {
    let mut found = Vec::new();
    view.scan(&rows::record(Space::Directory, "fork/"), &[], &mut |key, value| {
        let record: Signed<Record> = rows::parse(key, value);
        if let Some(Record { issuer, body: Body::Fork(fork), .. }) = record.peek().ok()
            && let Some((at, forked)) = fork.place()
        {
            found.push((at, forked, *fork, issuer));
        }
        found.len() < count
    });
    found
}

fn slot(at: HallAt, forked: Forked) -> String {
    let hash = blake3::hash(forked.to_string().as_bytes());
    let slot = hash.as_bytes().first().copied().unwrap_or(0) % FORKS_OF_LIFE_MAX;
    format!("fork/{at}/{slot:02}")
}
