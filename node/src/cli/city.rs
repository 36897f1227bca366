//! `hallmesh city`: the beginning of a city, once, on a machine that is not on the network.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use hallmesh_protocol::ids::DivisionCode;
use serde_json::json;

use super::render;
use super::report::Report;
use super::session::Session;
use super::values;
use crate::enrol;
use crate::ops::Problem;

#[derive(Debug, Subcommand)]
pub(super) enum City {
    Found {
        #[arg(long, value_parser = values::division)]
        code: DivisionCode,
        #[arg(long)]
        name: String,
        #[arg(long, value_name = "N")]
        holders: u8,
        #[arg(long, value_name = "K")]
        threshold: u8,
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

pub(super) fn run(session: &Session, city: &City) -> Result<Report, Problem> {
    match city {
        City::Found { code, name, holders, threshold, out } => {
            let founded = enrol::found(*code, name, *holders, *threshold, out)?;
            founded_report(session, (*code, name), (*holders, *threshold), &founded, out)
        }
    }
}

fn founded_report(
    session: &Session,
    (code, name): (DivisionCode, &str),
    (holders, threshold): (u8, u8),
    founded: &enrol::Founded,
    out: &Path,
) -> Result<Report, Problem> {
    let texts = &session.texts;
    let dir = out.display().to_string();
    let lines = vec![
        texts.filled(
            "city.founded",
            &[("name", &name), ("code", &code), ("holders", &holders), ("threshold", &threshold)],
        ),
        texts.filled("city.root", &[("fingerprint", &founded.fingerprint)]),
        texts.filled("city.files", &[("dir", &dir)]),
        render::next(
            texts,
            &format!("hallmesh hall init --code {code} --name {}", texts.say("placeholder.name", &[])),
        ),
    ];
    let json = json!({
        "code": code.to_string(),
        "name": name,
        "holders": holders,
        "threshold": threshold,
        "fingerprint": founded.fingerprint,
        "anchor": founded.anchor.to_string(),
        "dir": dir,
    });
    Report::new(&json, lines)
}
