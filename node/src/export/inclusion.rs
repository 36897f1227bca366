//! One event with the proof that it stands in its hall's log under a checkpoint that others have cosigned: a file that
//! anyone can check, with this program or with `openssl` and `sha256sum`.

use std::collections::BTreeSet;

use hallmesh_protocol::audit::{self, Checkpoint, Inclusion, NotProvable, NotProven};
use hallmesh_protocol::cases::Header;
use hallmesh_protocol::directory::Directory;
use hallmesh_protocol::genesis;
use hallmesh_protocol::ids::{CaseId, Digest, HallAt};
use hallmesh_protocol::query;
use hallmesh_protocol::record::{decode_records, encode_records};
use hallmesh_protocol::signed::{Signable, Signed};
use hallmesh_protocol::step::{Bytes, Now, View, Writes};
use serde::{Deserialize, Serialize};

use super::der;
use crate::enrol::matches;
use crate::hex::{hex, unhex};

/// The version of the file.
const FORMAT: u64 = 1;

/// The file. What people and scripts need stands in parts; `proof` and `records` are what this program reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofFile {
    /// Version of the file.
    pub format: u64,
    /// The event: its exact signed message and its signature.
    pub event: SignedPart,
    /// Its leaf: SHA-256 of a zero byte and the SHA-256 of the message.
    pub leaf: String,
    /// The hashes on the way to the root, lowest first, each with the side on which it stands.
    pub path: Vec<Step>,
    /// The root.
    pub root: String,
    /// The hall's checkpoint, which ends in root and time.
    pub checkpoint: SignedPart,
    /// What others signed: each ends in root, witness and time.
    pub cosignatures: Vec<SignedPart>,
    /// The proof as this program reads it, in hex.
    pub proof: String,
    /// The root policy and the charters of all signers, in hex.
    pub records: String,
}

/// A message with its signature and the key that checks it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedPart {
    /// Who signed.
    pub hall: String,
    /// The exact message, in hex.
    pub message: String,
    /// The signature, in hex.
    pub signature: String,
    /// The key in PEM.
    pub key: String,
}

/// One step of the path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// `left`: it stands before what was computed so far; `right`: after it.
    pub side: String,
    /// The hash, in hex.
    pub hash: String,
}

/// A proof that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// The event's header.
    pub header: Header,
    /// Its place in the log of its hall.
    pub place: u64,
    /// The checkpoint that covers it.
    pub checkpoint: Checkpoint,
    /// Who has cosigned that.
    pub witnesses: Vec<HallAt>,
    /// SHA-256 of the root policy.
    pub anchor: Digest,
    /// Whether it was compared with a confirmed one.
    pub anchored: bool,
}

/// Why a proof file does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadProof {
    /// It is none, or of another version, or its readable parts are not those of the proof.
    #[error("the file is no proof of this version")]
    Malformed,
    /// The charters do not lead from the root to the signer.
    #[error("the charters do not lead from the root to the signer")]
    Charters,
    /// Another root than the one that was typed.
    #[error("another root")]
    OtherRoot,
    /// The proof.
    #[error(transparent)]
    Proof(#[from] NotProven),
}

impl BadProof {
    /// Stable name of the error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "audit.proof_malformed",
            Self::Charters => "audit.proof_charters",
            Self::OtherRoot => "audit.proof_other_root",
            Self::Proof(NotProven::Event) => "audit.proof_event",
            Self::Proof(NotProven::Unverified(_)) => "audit.proof_signature",
            Self::Proof(NotProven::Path) => "audit.proof_path",
            Self::Proof(NotProven::Cosignature) => "audit.proof_cosignature",
        }
    }
}

impl ProofFile {
    /// The proof of one event that this hall has signed.
    pub fn make(view: &dyn View, at: HallAt, case: CaseId, sequence: u32) -> Result<Self, NotProvable> {
        let proof = audit::prove(view, at, case, sequence)?;
        Self::of(view, at, &proof).ok_or(NotProvable::UnknownEvent)
    }

    fn of(view: &dyn View, at: HallAt, proof: &Inclusion) -> Option<Self> {
        let directory = Directory::new(view);
        let key = |at| directory.card(at).map(|card| der::pem(&card.event_key));
        let checkpoint = proof.checkpoint.peek().ok()?;
        let mut signers = vec![at];
        let mut cosignatures = Vec::new();
        for signed in &proof.cosignatures {
            let by = signed.peek().ok()?.by;
            signers.push(by);
            cosignatures.push(part(by, signed, key(by)?)?);
        }
        let mut known = BTreeSet::new();
        let records = signers.into_iter().flat_map(|at| query::chain(view, at));
        let records: Vec<_> = records.filter(|record| known.insert(record.digest())).collect();
        let message = proof.event.message();
        Some(Self {
            format: FORMAT,
            leaf: audit::tree::leaf(&hallmesh_protocol::cases::body_digest(&message).0).to_string(),
            event: SignedPart {
                hall: at.to_string(),
                message: hex(&message),
                signature: hex(proof.event.signature().as_bytes()),
                key: key(at)?,
            },
            path: steps(proof, checkpoint.size),
            root: checkpoint.root.to_string(),
            checkpoint: part(at, &proof.checkpoint, key(at)?)?,
            cosignatures,
            proof: hex(&proof.encode()),
            records: hex(&encode_records(&records)),
        })
    }

    /// Reads a file.
    pub fn read(text: &str) -> Result<Self, BadProof> {
        let file: Self = serde_json::from_str(text).ok().ok_or(BadProof::Malformed)?;
        if file.format == FORMAT { Ok(file) } else { Err(BadProof::Malformed) }
    }

    /// Checks the proof, from the root policy in it down, and that the readable parts say the same. `typed` is the
    /// root's fingerprint, if somebody knows it: else anybody could have made up the city.
    pub fn verify(&self, typed: Option<&str>) -> Result<Proven, BadProof> {
        let proof = unhex(&self.proof).and_then(|bytes| Inclusion::decode(&bytes).ok());
        let proof = proof.ok_or(BadProof::Malformed)?;
        let records = unhex(&self.records).and_then(|bytes| decode_records(&bytes).ok());
        let mut records = records.ok_or(BadProof::Malformed)?.into_iter();
        let policy = records.next().ok_or(BadProof::Malformed)?;
        let anchor = policy.digest();
        if typed.is_some_and(|typed| !matches(typed, &anchor)) {
            return Err(BadProof::OtherRoot);
        }
        let header = proof.event.header().ok().ok_or(BadProof::Malformed)?;
        let now = Now { ticks: 0, wall: header.wall };
        let rows = genesis::install(now, anchor, &policy, records.collect(), header.at);
        let rows = Rows(rows.ok().ok_or(BadProof::Charters)?);
        let witnesses = proof.verify(&Directory::new(&rows))?;
        let checkpoint = proof.checkpoint.peek().ok().ok_or(BadProof::Malformed)?;
        if Self::of(&rows, header.at, &proof).as_ref() != Some(self) {
            return Err(BadProof::Malformed);
        }
        Ok(Proven { header, place: proof.place, checkpoint, witnesses, anchor, anchored: typed.is_some() })
    }
}

fn part<T: Signable>(at: HallAt, signed: &Signed<T>, key: String) -> Option<SignedPart> {
    let (_, signature) = signed.signatures().first()?;
    let (message, signature) = (hex(&signed.message()), hex(signature.as_bytes()));
    Some(SignedPart { hall: at.to_string(), message, signature, key })
}

/// On which side each hash of the path stands.
fn steps(proof: &Inclusion, size: u64) -> Vec<Step> {
    let (mut place, mut last) = (proof.place, size.saturating_sub(1));
    let step = |hash: &Digest| {
        // The last of a level has no neighbour on its right: it rises until it has one on its left.
        while place & 1 == 0 && place == last && place > 0 {
            (place, last) = (place >> 1, last >> 1);
        }
        let side = if place & 1 == 1 { "left" } else { "right" };
        (place, last) = (place >> 1, last >> 1);
        Step { side: side.to_owned(), hash: hash.to_string() }
    };
    proof.path.iter().map(step).collect()
}

/// The rows that the records in a file make: nobody's disk.
struct Rows(Writes);

impl View for Rows {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.0.get(key).cloned().flatten()
    }

    fn scan(&self, prefix: &[u8], after: &[u8], visit: &mut dyn FnMut(&[u8], &[u8]) -> bool) {
        let under = self.0.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix));
        let mut rows = under.filter(|(key, _)| after.is_empty() || key.as_slice() > after);
        // The visitor's refusal to go on ends the search.
        let _last = rows.find(|(key, row)| row.as_ref().is_some_and(|row| !visit(key, row)));
    }
}
