//! The root's word that a life of a hall has ended: signed offline, carried to any hall that runs.

use std::path::Path;

use hallmesh_protocol::directory::{Revocation, RevocationReason};
use hallmesh_protocol::ids::{Digest, HallAt, HallId};
use hallmesh_protocol::record::{Body, Record, encode_records};
use hallmesh_protocol::signed::Signed;

use super::armour::{self, ArmourError, Header, Kind};
use super::fingerprint;
use super::issue::{IssueError, Register, enough_holders, open_root, sign};
use super::papers::{Papers, records_in};

/// Revokes the life of a hall that `papers` are of; without papers, the last one that the root has issued to. Gives
/// the text of the file.
pub(super) fn by_root(
    root_dir: &Path,
    hall: HallId,
    papers: Option<Papers>,
    (reason, since): (RevocationReason, u64),
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
    let body = Body::Revocation(Revocation { at, transport_key, reason, since });
    // The root's word stands before any hall's, whatever its version.
    let record = sign(body, 1, Digest([0; 32]), &enough_holders(root_dir, &root)?);
    let text = write(&record, at).map_err(super::papers::PapersError::File)?;
    Ok((text, at))
}

/// The record in a file, unverified, and whose life it ends.
pub(super) fn read(text: &str) -> Result<(Signed<Record>, HallAt), ArmourError> {
    let opened = armour::read(text, Kind::Revocation)?;
    let records = records_in(&opened.content).ok_or_else(|| opened.not_understood())?;
    let [record] = records.as_slice() else { return Err(opened.not_understood()) };
    let at = subject(record).ok_or_else(|| opened.not_understood())?;
    opened.check_headers(&headers(record, at))?;
    Ok((record.clone(), at))
}

fn write(record: &Signed<Record>, at: HallAt) -> Result<String, ArmourError> {
    armour::write(Kind::Revocation, &headers(record, at), &encode_records(std::slice::from_ref(record)))
}

fn subject(record: &Signed<Record>) -> Option<HallAt> {
    match record.peek().ok()?.body {
        Body::Revocation(revocation) => Some(revocation.at),
        Body::Policy(_)
        | Body::Charter(_)
        | Body::Contact(_)
        | Body::Fork(_)
        | Body::Calendar(_)
        | Body::Matter(_)
        | Body::Delegation(_) => None,
    }
}

fn headers(record: &Signed<Record>, at: HallAt) -> Vec<Header> {
    vec![("Hall", at.to_string()), ("Fingerprint", fingerprint(&record.digest()))]
}
