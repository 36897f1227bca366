//! The files of an export and their names, all made from a [`Dossier`]: what else is in one was put there.

use std::collections::BTreeMap;

use hallmesh_protocol::cases::body_digest;
use hallmesh_protocol::ids::HallAt;
use hallmesh_protocol::record::Issuer;

use super::der;
use super::dossier::{Dossier, Entry, Paper};

/// The version of the whole layout, texts included: who changes either counts it up.
pub(super) const FORMAT: u64 = 1;
pub(super) const INDEX: &str = "case.json";
pub(super) const POLICY: &str = "root/policy.signed";
/// Directories of an export.
pub(super) const ROOMS: [&str; 3] = ["root", "charters", "events"];

const README: &str = concat!(include_str!("readme.zh.txt"), include_str!("readme.en.txt"));
const SCRIPT: &str = include_str!("verify.sh");
/// What stands in the script for the digest of the readme.
const README_DIGEST: &str = "@README_SHA256@";

/// Files by their names, relative to the export.
pub(super) type Tree = BTreeMap<String, Vec<u8>>;

pub(super) fn policy_signature(place: u8) -> String {
    format!("root/policy.{place}.sig")
}

pub(super) fn charter(place: usize, at: HallAt) -> String {
    format!("charters/{place:03}-{}-{}", at.hall, at.incarnation)
}

/// The name of one signature under the charter of that stem.
pub(super) fn charter_signature(stem: &str, issuer: Issuer, place: u8) -> String {
    match issuer {
        Issuer::Root => format!("{stem}.{place}.sig"),
        Issuer::Hall(_) => format!("{stem}.sig"),
    }
}

pub(super) fn event(sequence: usize) -> String {
    format!("events/{sequence:04}")
}

pub(super) fn header(sequence: usize) -> String {
    format!("events/{sequence:04}.signed")
}

/// The checking script, which is the same in every export of this format.
pub(super) fn script() -> String {
    SCRIPT.replace(README_DIGEST, &body_digest(README.as_bytes()).to_string())
}

/// All files of an export.
pub(super) fn render(dossier: &Dossier) -> Tree {
    let mut tree = Tree::new();
    tree.insert("README.txt".to_owned(), README.into());
    tree.insert("verify.sh".to_owned(), script().into());
    tree.insert(INDEX.to_owned(), index(dossier).into());
    root(dossier, &mut tree);
    for (place, paper) in dossier.charters.iter().enumerate() {
        let stem = charter(place, paper.charter.at());
        tree.insert(format!("{stem}.signed"), paper.signed.message());
        tree.insert(format!("{stem}.pem"), der::pem(&paper.charter.event_key).into());
        for (place, signature) in paper.signed.signatures() {
            tree.insert(charter_signature(&stem, paper.issuer, *place), signature.as_bytes().to_vec());
        }
    }
    for (sequence, Entry { event, .. }) in dossier.log.iter().enumerate() {
        let stem = self::event(sequence);
        tree.insert(header(sequence), event.message());
        tree.insert(format!("{stem}.sig"), event.signature().as_bytes().to_vec());
        tree.insert(format!("{stem}.body"), event.body().as_bytes().to_vec());
    }
    tree
}

fn root(dossier: &Dossier, tree: &mut Tree) {
    tree.insert(POLICY.to_owned(), dossier.policy.message());
    for (place, signature) in dossier.policy.signatures() {
        tree.insert(policy_signature(*place), signature.as_bytes().to_vec());
    }
    for (place, key) in dossier.root.keys.iter().enumerate() {
        tree.insert(format!("root/key-{place}.pem"), der::pem(key).into());
    }
}

/// The index for programs. The script writes the same text from what it has checked; nothing in it needs
/// escaping.
fn index(dossier: &Dossier) -> String {
    let charters: Vec<_> = dossier.charters.iter().enumerate().map(charter_line).collect();
    let events: Vec<_> = dossier
        .log
        .iter()
        .enumerate()
        .map(|(sequence, entry)| event_line(dossier, sequence, entry))
        .collect();
    let case = dossier.log.first().map(|entry| entry.header.case.to_string());
    let number = dossier.log.first().and_then(|entry| number(&entry.header.facts));
    format!(
        "{{\n  \"format\": {FORMAT},\n  \"case\": \"{}\",\n  \"number\": \"{}\",\n  \
         \"policy_sha256\": \"{}\",\n  \"charters\": [\n{}\n  ],\n  \"events\": [\n{}\n  ]\n}}\n",
        case.unwrap_or_default(),
        number.unwrap_or_default(),
        dossier.policy.digest(),
        charters.join(",\n"),
        events.join(",\n"),
    )
}

fn number(facts: &hallmesh_protocol::cases::Facts) -> Option<String> {
    use hallmesh_protocol::cases::Facts;
    if let Facts::Receive { number, .. } = facts { Some(number.to_string()) } else { None }
}

fn charter_line((place, paper): (usize, &Paper)) -> String {
    let at = paper.charter.at();
    let issuer = match paper.issuer {
        Issuer::Root => "root".to_owned(),
        Issuer::Hall(by) => by.to_string(),
    };
    format!(
        "    {{\"file\": \"{}\", \"hall\": \"{}\", \"incarnation\": {}, \"issuer\": \"{issuer}\", \
         \"sha256\": \"{}\"}}",
        short(&charter(place, at)),
        at.hall,
        at.incarnation,
        paper.signed.digest(),
    )
}

fn event_line(dossier: &Dossier, sequence: usize, entry: &Entry) -> String {
    let signer = dossier.charters.iter().position(|paper| paper.charter.at() == entry.header.at);
    let signer = signer.map(|place| charter(place, entry.header.at)).unwrap_or_default();
    format!(
        "    {{\"file\": \"{}\", \"kind\": \"{}\", \"charter\": \"{}\", \"wall_ms\": {}, \
         \"body_sha256\": \"{}\", \"sha256\": \"{}\"}}",
        short(&event(sequence)),
        entry.header.facts.word(),
        short(&signer),
        entry.header.wall,
        entry.header.sealed,
        entry.event.digest(),
    )
}

/// A stem without its directory.
fn short(stem: &str) -> &str {
    stem.split_once('/').map_or(stem, |(_, name)| name)
}
