//! Lists as the files that `hallmesh matter import` reads: a folder for each hall, named by its code.

use std::fs;
use std::path::Path;

use anyhow::Context;
use hallmesh_protocol::catalogue::{Audience, Material, MaterialSource, Matter, Necessity, ResultKind};
use serde::Serialize;

use super::Lists;

const HEAD: [&str; 16] = [
    "code",
    "name",
    "type",
    "level",
    "body",
    "item_kind",
    "audience",
    "legal_days",
    "promised_days",
    "materials",
    "result_kind",
    "result",
    "offline_decision",
    "basis",
    "source",
    "verified",
];
const DELEGATIONS: &str = "matter,grantee_tier,grantee_prefix,rights,valid_from,valid_to,source,verified\n";

/// What was written.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Written {
    /// Halls with a list.
    pub halls: u64,
    /// Entries of all of them.
    pub entries: u64,
    /// Materials named in them.
    pub materials: u64,
    /// Law articles cited in them.
    pub citations: u64,
    /// Bytes of all files.
    pub bytes: u64,
}

/// Writes `DIR/<code>/matters.csv` for each hall and `DIR/delegations.csv`, which lets every hall take in what it is
/// asked for. Tells after each hall how far it is.
pub fn write(dir: &Path, lists: Lists, mut told: impl FnMut(&Written)) -> anyhow::Result<Written> {
    let mut written = Written::default();
    for list in lists {
        let list = list?;
        let folder = dir.join(list.place.code.to_string());
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut table = csv::Writer::from_writer(Vec::new());
        table.write_record(HEAD)?;
        for matter in &list.matters {
            table.write_record(row(matter))?;
            written.entries += 1;
            written.materials += u64::try_from(matter.materials.len())?;
            written.citations += u64::try_from(matter.basis.matches('《').count())?;
        }
        written.bytes += keep(&folder.join("matters.csv"), &table.into_inner()?)?;
        written.halls += 1;
        told(&written);
    }
    written.bytes += keep(&dir.join("delegations.csv"), delegations().as_bytes())?;
    Ok(written)
}

fn keep(path: &Path, bytes: &[u8]) -> anyhow::Result<u64> {
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(u64::try_from(bytes.len())?)
}

fn delegations() -> String {
    let all = ["city", "county", "township", "village"].map(|tier| {
        format!("*,{tier},6207,receive,2024-01-01,2030-12-31,made up by hallmesh-sim lists,no\n")
    });
    format!("{DELEGATIONS}{}", all.concat())
}

fn row(matter: &Matter) -> [String; 16] {
    [
        matter.code.to_string(),
        matter.name.clone(),
        format!("{:02}", matter.kind),
        matter.level.as_str().to_owned(),
        matter.body_name.clone(),
        if matter.promised { "promised" } else { "immediate" }.to_owned(),
        audience(matter.audience).to_owned(),
        matter.legal_days.to_string(),
        matter.promised_days.to_string(),
        matter.materials.iter().map(material).collect::<Vec<_>>().join(";"),
        result(matter.result.kind).to_owned(),
        matter.result.name.clone(),
        if matter.offline_decision { "allowed" } else { "waits" }.to_owned(),
        matter.basis.clone(),
        matter.source.clone(),
        if matter.verified { "yes" } else { "no" }.to_owned(),
    ]
}

fn material(material: &Material) -> String {
    let necessity = match material.necessity {
        Necessity::Required => "required",
        Necessity::Optional => "optional",
        Necessity::Supplementable => "supplementable",
        Necessity::Promisable => "promisable",
    };
    let source = match material.source {
        MaterialSource::Applicant => "applicant",
        MaterialSource::Shared => "shared",
    };
    format!("{}|{necessity}|{source}", material.name)
}

const fn audience(of: Audience) -> &'static str {
    match of {
        Audience::Person => "person",
        Audience::Organisation => "organisation",
        Audience::Both => "both",
    }
}

const fn result(of: ResultKind) -> &'static str {
    match of {
        ResultKind::Licence => "licence",
        ResultKind::Approval => "approval",
        ResultKind::Certificate => "certificate",
        ResultKind::Payment => "payment",
        ResultKind::Register => "record",
        ResultKind::Service => "service",
    }
}
