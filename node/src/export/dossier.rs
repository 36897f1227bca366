//! What is exported of a case: the root policy, the charters from it down to every signer, the log.

use std::collections::BTreeMap;

use hallmesh_protocol::cases::{CaseFile, Header, SignedEvent};
use hallmesh_protocol::directory::{Charter, Directory, RootPolicy};
use hallmesh_protocol::ids::{CaseId, HallAt, Tier};
use hallmesh_protocol::limits::{FRAME_MAX, RECORDS_MAX};
use hallmesh_protocol::query;
use hallmesh_protocol::record::{Body, Issuer, Record, decode_records, encode_records};
use hallmesh_protocol::seal::{Context, PublicKey, Signature, verify};
use hallmesh_protocol::signed::{Signable, Signed};
use hallmesh_protocol::step::View;

use super::layout;
use super::problem::{ExportError, Flaw, NotVerified};

/// The first bytes of a package; the last one is its version.
const MAGIC: &[u8; 8] = b"hm-case\x01";

/// A charter with its record.
pub(super) struct Paper {
    pub(super) signed: Signed<Record>,
    pub(super) issuer: Issuer,
    pub(super) charter: Charter,
}

/// An event with its header.
pub(super) struct Entry {
    pub(super) event: SignedEvent,
    pub(super) header: Header,
}

/// A case in parts, decoded and not yet checked. Charters stand root first, by tier and hall.
pub(super) struct Dossier {
    pub(super) policy: Signed<Record>,
    pub(super) root: RootPolicy,
    pub(super) charters: Vec<Paper>,
    pub(super) log: Vec<Entry>,
}

impl Paper {
    /// Reads the charter in a record; `file` is where it stands.
    pub(super) fn open(signed: Signed<Record>, file: &str) -> Result<Self, NotVerified> {
        let malformed = || NotVerified::new(file, Flaw::Malformed);
        let record = signed.peek().or(Err(malformed()))?;
        let Body::Charter(charter) = record.body else { return Err(malformed()) };
        Ok(Self { signed, issuer: record.issuer, charter: *charter })
    }

    fn place(&self) -> (Tier, HallAt) {
        (self.charter.tier, self.charter.at())
    }

    /// Whether it stands before `other` in an export.
    pub(super) fn before(&self, other: &Self) -> bool {
        self.place() < other.place()
    }
}

impl Entry {
    /// Reads the header of an event; `file` is where it stands.
    pub(super) fn open(event: SignedEvent, file: &str) -> Result<Self, NotVerified> {
        let header = event.header().or(Err(NotVerified::new(file, Flaw::Malformed)))?;
        Ok(Self { event, header })
    }
}

impl Dossier {
    /// Reads the root policy and puts it in front of what was read of the rest.
    pub(super) fn open(
        policy: Signed<Record>,
        charters: Vec<Paper>,
        log: Vec<Entry>,
    ) -> Result<Self, NotVerified> {
        let malformed = || NotVerified::new(layout::POLICY, Flaw::Malformed);
        let record = policy.peek().or(Err(malformed()))?;
        let (Issuer::Root, Body::Policy(root)) = (record.issuer, record.body) else {
            return Err(malformed());
        };
        Ok(Self { policy, root, charters, log })
    }

    /// Puts together what this hall knows of a case and its signers.
    pub(super) fn collect(view: &dyn View, case: CaseId) -> Result<Self, ExportError> {
        let log = entries(query::file(view, case).events)?;
        let first = log.first().ok_or(ExportError::UnknownCase { case })?;
        let chain = query::chain(view, first.header.at);
        let root = Directory::new(view).policy().map(|policy| policy.keys).unwrap_or_default();
        let policy = chain.first().map(|signed| by_root(signed, &root));
        let policy = policy.ok_or(NotVerified::new(layout::POLICY, Flaw::Missing))?;
        let mut charters = BTreeMap::new();
        for entry in &log {
            for signed in query::chain(view, entry.header.at).into_iter().skip(1) {
                let paper = Paper::open(signed, "charters")?;
                charters.insert(paper.place(), paper.provable(&root));
            }
        }
        Ok(Self::open(policy, charters.into_values().collect(), log)?)
    }

    /// One opaque block of bytes, for carrying it from a node to where it is written.
    pub(super) fn pack(&self) -> Result<Vec<u8>, ExportError> {
        let charters = self.charters.iter().map(|paper| paper.signed.clone());
        let records: Vec<_> = std::iter::once(self.policy.clone()).chain(charters).collect();
        let count = records.len();
        let records = encode_records(&records);
        if records.len() > FRAME_MAX || count > RECORDS_MAX {
            return Err(ExportError::TooLarge);
        }
        let length = u32::try_from(records.len()).or(Err(ExportError::TooLarge))?;
        let events = self.log.iter().map(|entry| entry.event.clone()).collect();
        // Wrapped keys prove nothing and stay with the halls on the route.
        let file = CaseFile { events, wraps: Vec::new() }.encode();
        Ok([MAGIC.as_slice(), &length.to_le_bytes(), &records, &file].concat())
    }

    /// Reads a package. Nothing in it is checked here.
    pub(super) fn unpack(package: &[u8]) -> Result<Self, ExportError> {
        let rest = package.strip_prefix(MAGIC).ok_or(ExportError::Package)?;
        let (length, rest) = rest.split_first_chunk().ok_or(ExportError::Package)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).or(Err(ExportError::Package))?;
        let (records, file) = rest.split_at_checked(length).ok_or(ExportError::Package)?;
        let mut records = decode_records(records).or(Err(ExportError::Package))?.into_iter();
        let file = CaseFile::decode(file).or(Err(ExportError::Package))?;
        let policy = records.next().ok_or(ExportError::Package)?;
        let charters: Result<_, _> = records.map(|signed| Paper::open(signed, "charters")).collect();
        Ok(Self::open(policy, charters?, entries(file.events)?)?)
    }
}

impl Paper {
    /// Only with the signatures that count: every one that is exported holds.
    fn provable(mut self, root: &[PublicKey]) -> Self {
        self.signed = match self.issuer {
            Issuer::Root => by_root(&self.signed, root),
            Issuer::Hall(_) => with(&self.signed, |(place, _)| *place == 0),
        };
        self
    }
}

fn by_root(signed: &Signed<Record>, keys: &[PublicKey]) -> Signed<Record> {
    with(signed, |(place, signature)| {
        keys.get(usize::from(*place)).is_some_and(|key| holds(signed, key, signature))
    })
}

/// The record with one signature of each place, of those that are wanted.
fn with(signed: &Signed<Record>, wanted: impl Fn(&&(u8, Signature)) -> bool) -> Signed<Record> {
    let kept: BTreeMap<u8, Signature> = signed.signatures().iter().rev().filter(wanted).copied().collect();
    // Its own message is of its own context: the record is always put together again.
    let again = Signed::from_message(&signed.message(), kept.into_iter().collect());
    again.unwrap_or_else(|| signed.clone())
}

/// Whether one signature under a record is that of `key`.
pub(super) fn holds(signed: &Signed<Record>, key: &PublicKey, signature: &Signature) -> bool {
    const CONTEXT: Context = <Record as Signable>::CONTEXT;
    let message = signed.message();
    let bytes = message.strip_prefix(CONTEXT.as_bytes().as_slice());
    bytes.is_some_and(|bytes| verify(key, CONTEXT, bytes, signature).is_ok())
}

fn entries(events: Vec<SignedEvent>) -> Result<Vec<Entry>, NotVerified> {
    let open = |(sequence, event)| Entry::open(event, &layout::header(sequence));
    events.into_iter().enumerate().map(open).collect()
}
