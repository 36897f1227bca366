//! Reading an export back: nothing in it is trusted, and every file has a bound.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use hallmesh_protocol::cases::{Case, SignedEvent};
use hallmesh_protocol::ids::Digest;
use hallmesh_protocol::limits::{BODY_MAX, EVENTS_MAX, RECORD_MAX, RECORDS_MAX, SIGNATURES_MAX};
use hallmesh_protocol::record::{Issuer, Record};
use hallmesh_protocol::seal::Signature;
use hallmesh_protocol::signed::Signed;
use serde::Deserialize;

use super::dossier::{Dossier, Entry, Paper};
use super::law;
use super::layout::{self, FORMAT, INDEX, ROOMS, Tree};
use super::problem::{Flaw, NotVerified};

/// Bytes of a purpose label in front of what is signed.
const LABEL: usize = 32;
/// Bytes of any file that is not a body or a signed message: texts, keys, signatures, the index.
const OTHER_MAX: usize = 1 << 20;
/// Files in one directory of an export.
const FILES_MAX: usize = RECORDS_MAX * (SIGNATURES_MAX + 2);

/// A case whose export holds.
pub(super) struct Held {
    pub(super) case: Case,
    pub(super) root: Digest,
    pub(super) charters: usize,
    pub(super) rulings: Vec<(u32, Digest)>,
}

/// Reads and checks everything in `dir`; `trusted` says whether the digest of the root policy is the
/// confirmed one.
pub(super) fn verify(dir: &Path, trusted: impl Fn(&Digest) -> bool) -> Result<Held, NotVerified> {
    let tree = read(dir)?;
    format(&tree)?;
    let dossier = parse(&tree)?;
    let root = dossier.policy.digest();
    if !trusted(&root) {
        return Err(NotVerified::new(layout::POLICY, Flaw::OtherRoot));
    }
    let case = law::check(&dossier)?;
    compare(&tree, &layout::render(&dossier))?;
    let rests_on = |entry: &Entry| Some((entry.header.sequence, entry.header.facts.ruling()?));
    let rulings = dossier.log.iter().filter_map(rests_on).collect();
    Ok(Held { case, root, charters: dossier.charters.len(), rulings })
}

/// Reads every file; anything that is neither a file nor a directory of an export is refused.
fn read(dir: &Path) -> Result<Tree, NotVerified> {
    let mut tree = Tree::new();
    read_room(dir, "", &mut tree)?;
    for room in ROOMS {
        read_room(&dir.join(room), room, &mut tree)?;
    }
    Ok(tree)
}

fn read_room(dir: &Path, room: &str, tree: &mut Tree) -> Result<(), NotVerified> {
    let shown = if room.is_empty() { dir.display().to_string() } else { room.to_owned() };
    let entries = fs::read_dir(dir).map_err(|cause| unreadable(&shown, &cause))?;
    for (count, entry) in entries.enumerate() {
        let entry = entry.map_err(|cause| unreadable(&shown, &cause))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let file = if room.is_empty() { name } else { format!("{room}/{name}") };
        let kind = entry.file_type().map_err(|cause| unreadable(&file, &cause))?;
        if kind.is_dir() && ROOMS.contains(&file.as_str()) {
            continue;
        }
        if !kind.is_file() || count >= FILES_MAX {
            return Err(NotVerified::new(file, Flaw::Unexpected));
        }
        let bytes = read_file(&entry.path(), &file)?;
        tree.insert(file, bytes);
    }
    Ok(())
}

fn read_file(path: &Path, file: &str) -> Result<Vec<u8>, NotVerified> {
    let bound = bound(file);
    let limit = u64::try_from(bound).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|opened| opened.take(limit).read_to_end(&mut bytes));
    read.map_err(|cause| unreadable(file, &cause))?;
    if bytes.len() > bound { Err(NotVerified::new(file, Flaw::TooLong(bound))) } else { Ok(bytes) }
}

fn bound(file: &str) -> usize {
    match file.rsplit_once('.') {
        Some((_, "signed")) => LABEL + RECORD_MAX,
        Some((_, "body")) => BODY_MAX,
        Some(_) | None => OTHER_MAX,
    }
}

fn unreadable(file: &str, cause: &io::Error) -> NotVerified {
    let missing = cause.kind() == io::ErrorKind::NotFound;
    NotVerified::new(file, if missing { Flaw::Missing } else { Flaw::Unreadable(cause.to_string()) })
}

/// An export of another version is left to the program that knows it.
fn format(tree: &Tree) -> Result<(), NotVerified> {
    #[derive(Deserialize)]
    struct Index {
        format: u64,
    }
    // An index that is no JSON at all is found when it is compared.
    match serde_json::from_slice::<Index>(take(tree, INDEX)?) {
        Ok(Index { format }) if format != FORMAT => Err(NotVerified::new(INDEX, Flaw::Format(format))),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn parse(tree: &Tree) -> Result<Dossier, NotVerified> {
    let policy = record(tree, layout::POLICY, numbered(tree, layout::policy_signature)?)?;
    Dossier::open(policy, charters(tree)?, events(tree)?)
}

fn charters(tree: &Tree) -> Result<Vec<Paper>, NotVerified> {
    let in_room = tree.range("charters/".to_owned()..).take_while(|(name, _)| name.starts_with("charters/"));
    let stems = in_room.filter_map(|(name, _)| name.strip_suffix(".signed"));
    stems.map(|stem| charter(tree, stem)).collect()
}

/// Whose signatures to look for is said by the record itself.
fn charter(tree: &Tree, stem: &str) -> Result<Paper, NotVerified> {
    let file = format!("{stem}.signed");
    let unsigned = Paper::open(record(tree, &file, Vec::new())?, &file)?;
    let name = |place| layout::charter_signature(stem, unsigned.issuer, place);
    let signatures = match unsigned.issuer {
        Issuer::Root => numbered(tree, name)?,
        Issuer::Hall(_) => vec![(0, signature(tree, &name(0))?)],
    };
    Paper::open(record(tree, &file, signatures)?, &file)
}

fn record(tree: &Tree, file: &str, signatures: Vec<(u8, Signature)>) -> Result<Signed<Record>, NotVerified> {
    let signed = Signed::from_message(take(tree, file)?, signatures);
    signed.ok_or(NotVerified::new(file, Flaw::Malformed))
}

/// The signatures of root holders that are there, by the holder's place.
fn numbered(tree: &Tree, name: impl Fn(u8) -> String) -> Result<Vec<(u8, Signature)>, NotVerified> {
    let places = (0_u8..).take(SIGNATURES_MAX).map(|place| (place, name(place)));
    let there = places.filter(|(_, file)| tree.contains_key(file));
    there.map(|(place, file)| Ok((place, signature(tree, &file)?))).collect()
}

fn signature(tree: &Tree, file: &str) -> Result<Signature, NotVerified> {
    let bytes = take(tree, file)?.try_into();
    bytes.map(Signature).or(Err(NotVerified::new(file, Flaw::Malformed)))
}

/// Every event up to the last of which anything is there.
fn events(tree: &Tree) -> Result<Vec<Entry>, NotVerified> {
    let most = usize::try_from(EVENTS_MAX).unwrap_or(usize::MAX);
    let there = |sequence: &usize| {
        let stem = layout::event(*sequence);
        ["signed", "sig", "body"].iter().any(|kind| tree.contains_key(&format!("{stem}.{kind}")))
    };
    let count = (0..most).rev().find(there).map_or(0, |last| last.saturating_add(1));
    (0..count).map(|sequence| event(tree, sequence)).collect()
}

fn event(tree: &Tree, sequence: usize) -> Result<Entry, NotVerified> {
    let (stem, file) = (layout::event(sequence), layout::header(sequence));
    let signature = signature(tree, &format!("{stem}.sig"))?;
    let body = take(tree, &format!("{stem}.body"))?.to_vec().into();
    let event = SignedEvent::from_message(take(tree, &file)?, signature, body);
    Entry::open(event.ok_or(NotVerified::new(&file, Flaw::Malformed))?, &file)
}

fn take<'a>(tree: &'a Tree, file: &str) -> Result<&'a [u8], NotVerified> {
    tree.get(file).map(Vec::as_slice).ok_or(NotVerified::new(file, Flaw::Missing))
}

/// Everything else in an export follows from what was checked.
fn compare(found: &Tree, made: &Tree) -> Result<(), NotVerified> {
    for (file, bytes) in made {
        match found.get(file) {
            None => return Err(NotVerified::new(file, Flaw::Missing)),
            Some(other) if other != bytes => {
                let is_key = file.rsplit_once('.').is_some_and(|(_, kind)| kind == "pem");
                return Err(NotVerified::new(file, if is_key { Flaw::Key } else { Flaw::Altered }));
            }
            Some(_) => {}
        }
    }
    match found.keys().find(|file| !made.contains_key(*file)) {
        Some(file) => Err(NotVerified::new(file, Flaw::Unexpected)),
        None => Ok(()),
    }
}
