//! Cases in a directory that anyone can check with `openssl` and `sha256sum` alone.
//!
//! An export holds the root policy, the charters from it down to every hall that signed, and the log; every
//! message stands in a file as it was signed, every key in PEM. `README.txt` in it says how to check by hand,
//! `verify.sh` does it, [`verify()`] does it too and folds the log by the core's own rules. All other files
//! follow from the signed ones, so that whatever was removed, edited, inserted or reordered is found.
//!
//! What is not promised: that a log was not cut off at its end. A shorter log is a log; the digest of its last
//! event has to be compared with a receipt. Bodies are exported as ciphertext and keys not at all.

mod der;
mod dossier;
mod inclusion;
mod law;
mod layout;
mod problem;
#[cfg(test)]
mod tests;
mod verify;
mod write;

use std::path::Path;

use hallmesh_protocol::cases::{Case, body_digest};
use hallmesh_protocol::ids::{CaseId, Digest};
use hallmesh_protocol::step::View;

pub use inclusion::{BadProof, ProofFile, Proven};
pub use problem::{ExportError, Flaw, NotVerified};

use crate::enrol::matches;
use dossier::Dossier;

/// A case that was exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Events in its log.
    pub events: usize,
    /// Charters that lead from the root to its signers.
    pub charters: usize,
    /// SHA-256 of the root policy: what a checker has to know from elsewhere.
    pub root: Digest,
    /// SHA-256 of the last event.
    pub head: Digest,
}

/// An export that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The case, folded from its log.
    pub case: Case,
    /// Charters that lead from the root to its signers.
    pub charters: usize,
    /// SHA-256 of the root policy.
    pub root: Digest,
    /// Whether the root was compared with a confirmed one. If not, the export is only consistent in itself:
    /// anybody can make up a city.
    pub anchored: bool,
    /// Events that rest on rulings, each with the SHA-256 of the ruling's record. Those are not in the export: whether they
    /// were made, the halls above know.
    pub rulings: Vec<(u32, Digest)>,
}

/// Everything an export is made of, as one block of bytes: a node may not write where a clerk wants it.
pub fn pack(view: &dyn View, case: CaseId) -> Result<Vec<u8>, ExportError> {
    Dossier::collect(view, case)?.pack()
}

/// Writes the export in a package to `dir`, which is new or empty. A package that does not hold is not written.
pub fn write_package(package: &[u8], dir: &Path) -> Result<Exported, ExportError> {
    export(&Dossier::unpack(package)?, dir)
}

/// Exports a case to `dir`, which is new or empty.
pub fn write(view: &dyn View, case: CaseId, dir: &Path) -> Result<Exported, ExportError> {
    export(&Dossier::collect(view, case)?, dir)
}

/// Checks an export without a node. `anchor` is the SHA-256 of the city's root policy, confirmed by people.
pub fn verify(dir: &Path, anchor: Option<Digest>) -> Result<Verdict, NotVerified> {
    let held = verify::verify(dir, |root| anchor.is_none_or(|anchor| anchor == *root))?;
    Ok(verdict(held, anchor.is_some()))
}

/// As [`verify()`], with the root's fingerprint as somebody typed it (see [`matches()`]).
pub fn verify_as_typed(dir: &Path, typed: &str) -> Result<Verdict, NotVerified> {
    Ok(verdict(verify::verify(dir, |root| matches(typed, root))?, true))
}

/// SHA-256 of `verify.sh`, the same in every export of this version: to tell a genuine script.
pub fn script_digest() -> Digest {
    body_digest(layout::script().as_bytes())
}

fn export(dossier: &Dossier, dir: &Path) -> Result<Exported, ExportError> {
    let case = law::check(dossier)?;
    write::put(&layout::render(dossier), dir)?;
    Ok(Exported {
        events: dossier.log.len(),
        charters: dossier.charters.len(),
        root: dossier.policy.digest(),
        head: case.head,
    })
}

fn verdict(held: verify::Held, anchored: bool) -> Verdict {
    let verify::Held { case, root, charters, rulings } = held;
    Verdict { case, charters, root, anchored, rulings }
}
