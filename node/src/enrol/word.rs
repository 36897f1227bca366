//! The root's word about a life of a hall: signed offline, carried to any hall that runs.

use std::path::Path;

use hallmesh_protocol::directory::{Destruction, Revocation, RevocationReason, Ruling};
use hallmesh_protocol::ids::{Digest, HallAt, HallId};
use hallmesh_protocol::record::{Body, Record, encode_records};
use hallmesh_protocol::signed::Signed;

use super::armour::{self, ArmourError, Header, Kind};
use super::fingerprint;
use super::issue::{IssueError, Register, enough_holders, open_root, sign};
use super::papers::{Papers, records_in};

/// What the root says of a life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// It has ended.
    Revoked(RevocationReason),
    /// Another hall goes on with its cases.
    TakenOverBy(HallId),
    /// Its disk is destroyed.
    Destroyed,
}

impl Word {
    /// Who goes on, if the root says so.
    pub const fn heir(self) -> Option<HallId> {
        match self {
            Self::TakenOverBy(heir) => Some(heir),
            Self::Revoked(_) | Self::Destroyed => None,
        }
    }

    /// A stable word, for catalogues and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Revoked(_) => "revoked",
            Self::TakenOverBy(_) => "taken-over",
            Self::Destroyed => "destroyed",
        }
    }
}

/// Signs the root's word about the life of a hall that `papers` are of; without papers, the last one that the root has
/// issued to. Gives the text of the file.
pub(super) fn by_root(
    root_dir: &Path,
    hall: HallId,
    papers: Option<Papers>,
    (word, wall): (Word, u64),
) -> Result<(String, HallAt), IssueError> {
    let root = open_root(root_dir)?;
    let papers = match papers {
        Some(papers) => Some(papers),
        None => Register::of(root_dir).last(hall)?,
    };
    let papers = papers.filter(|papers| papers.charter().hall == hall);
    let papers = papers.ok_or(IssueError::PapersMissing { hall })?;
    if papers.anchor() != root.anchor() {
        return Err(IssueError::SuperiorsRoot { superior: hall });
    }
    let (at, transport_key) = (papers.charter().at(), papers.charter().transport_key);
    let body = match word {
        Word::Revoked(reason) => Body::Revocation(Revocation { at, transport_key, reason, since: wall }),
        Word::TakenOverBy(to) => Body::Ruling(Ruling { of: at, to, by: None, wall }),
        Word::Destroyed => Body::Destruction(Destruction { of: at, by: None, wall }),
    };
    // The root's word stands before any hall's, whatever its version.
    let record = sign(body, 1, Digest([0; 32]), &enough_holders(root_dir, &root)?);
    let text = write(&record, (at, word)).map_err(super::papers::PapersError::File)?;
    Ok((text, at))
}

/// The record in a file, unverified, the life that it is about, and what it says of it.
pub(super) fn read(text: &str) -> Result<(Signed<Record>, HallAt, Word), ArmourError> {
    let opened = armour::read(text, Kind::Word)?;
    let records = records_in(&opened.content).ok_or_else(|| opened.not_understood())?;
    let [record] = records.as_slice() else { return Err(opened.not_understood()) };
    let (at, word) = said(record).ok_or_else(|| opened.not_understood())?;
    opened.check_headers(&headers(record, (at, word)))?;
    Ok((record.clone(), at, word))
}

fn write(record: &Signed<Record>, said: (HallAt, Word)) -> Result<String, ArmourError> {
    armour::write(Kind::Word, &headers(record, said), &encode_records(std::slice::from_ref(record)))
}

fn said(record: &Signed<Record>) -> Option<(HallAt, Word)> {
    match record.peek().ok()?.body {
        Body::Revocation(revocation) => Some((revocation.at, Word::Revoked(revocation.reason))),
        Body::Ruling(ruling) => Some((ruling.of, Word::TakenOverBy(ruling.to))),
        Body::Destruction(destruction) => Some((destruction.of, Word::Destroyed)),
        Body::Policy(_)
        | Body::Charter(_)
        | Body::Contact(_)
        | Body::Fork(_)
        | Body::Voice(_)
        | Body::Heard(_)
        | Body::Calendar(_)
        | Body::Matter(_)
        | Body::Delegation(_)
        | Body::Bundle(_) => None,
    }
}

fn headers(record: &Signed<Record>, (at, word): (HallAt, Word)) -> Vec<Header> {
    let says = match word {
        Word::TakenOverBy(to) => format!("{} {to}", word.word()),
        Word::Revoked(_) | Word::Destroyed => word.word().to_owned(),
    };
    vec![("Hall", at.to_string()), ("Says", says), ("Fingerprint", fingerprint(&record.digest()))]
}
