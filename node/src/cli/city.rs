//! `hallmesh city`: the beginning of a city, once, on a machine that is not on the network.

use std::fmt::Display;
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
use crate::texts::Texts;

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
        #[arg(long = "county", value_name = "CODE", value_parser = values::division)]
        counties: Vec<DivisionCode>,
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

pub(super) fn run(session: &Session, city: &City) -> Result<Report, Problem> {
    match city {
        City::Found { code, name, holders, threshold, counties, out } => {
            let founded = enrol::found(*code, name, (*holders, *threshold), counties, out)?;
            let lines = founded_lines(&session.texts, (*code, name), (*holders, *threshold), counties);
            founded_report(session, (*code, name), (*holders, *threshold), (&founded, out), lines)
        }
    }
}

fn founded_lines(
    texts: &Texts,
    (code, name): (DivisionCode, &str),
    (holders, threshold): (u8, u8),
    counties: &[DivisionCode],
) -> Vec<String> {
    let founded =
        [("name", &name as &dyn Display), ("code", &code), ("holders", &holders), ("threshold", &threshold)];
    let mut lines = vec![texts.filled("city.founded", &founded)];
    if counties.is_empty() {
        lines.push(texts.say("city.no_counties", &[]));
    } else {
        let names = counties.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        lines.push(texts.filled("city.counties", &[("counties", &names)]));
    }
    lines
}

fn founded_report(
    session: &Session,
    (code, name): (DivisionCode, &str),
    (holders, threshold): (u8, u8),
    (founded, out): (&enrol::Founded, &Path),
    mut lines: Vec<String>,
) -> Result<Report, Problem> {
    let texts = &session.texts;
    let dir = out.display().to_string();
    lines.extend([
        texts.filled("city.root", &[("fingerprint", &founded.fingerprint)]),
        texts.filled("city.files", &[("dir", &dir)]),
        render::next(
            texts,
            &format!("hallmesh hall init --code {code} --name {}", texts.say("placeholder.name", &[])),
        ),
    ]);
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
