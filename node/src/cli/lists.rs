//! `hallmesh matter export` and `matter template`: the lists as files for people and other programs.

use std::path::{Path, PathBuf};

use clap::Args;
use hallmesh_protocol::record::Body;
use serde_json::json;

use super::report::Report;
use super::session::{Session, unexpected};
use super::{drafts, files, render};
use crate::lists::export::{self, ExportError, Format, Part};
use crate::ops::{Answer, Ask, Problem};

/// Entries of the lists that are fetched: as many as the largest city has is far less.
const ENTRIES_MAX: usize = 500_000;

#[derive(Debug, Args)]
pub(super) struct ExportTo {
    file: PathBuf,
    #[arg(long, value_name = "NAME")]
    draft: Option<String>,
    #[arg(long, conflicts_with = "calendar")]
    delegations: bool,
    #[arg(long)]
    calendar: bool,
}

/// Writes what is in force, or a draft, to a new file.
pub(super) fn export(session: &Session, to: &ExportTo) -> Result<Report, Problem> {
    let format = format_of(&to.file)?;
    files::refuse_existing(&to.file)?;
    let bodies = match &to.draft {
        Some(draft) => drafts::bodies(session, draft)?,
        None => in_force(session)?,
    };
    let part = match (to.delegations, to.calendar) {
        (_, true) => Part::Calendar,
        (true, false) => Part::Delegations,
        (false, false) => Part::Lists,
    };
    let bytes = export::write(&bodies, part, format, &session.texts).map_err(|why| refused(&why))?;
    files::write_new_bytes(&to.file, &bytes)?;
    written(session, &to.file, &bodies)
}

/// Writes an empty workbook.
pub(super) fn template(session: &Session, file: &Path) -> Result<Report, Problem> {
    if format_of(file)? != Format::Xlsx {
        return Err(Problem::new("lists.export_template"));
    }
    let bytes = export::template(&session.texts).map_err(|why| refused(&why))?;
    files::write_new_bytes(file, &bytes)?;
    written(session, file, &[])
}

fn written(session: &Session, file: &Path, bodies: &[Body]) -> Result<Report, Problem> {
    let texts = &session.texts;
    let count = |holds: fn(&Body) -> bool| bodies.iter().filter(|body| holds(body)).count();
    let matters = count(|body| matches!(body, Body::Matter(_)));
    let delegations = count(|body| matches!(body, Body::Delegation(_)));
    let name = file.display();
    let said = if bodies.is_empty() {
        texts.filled("matter.template_written", &[("file", &name)])
    } else {
        texts.filled(
            "matter.exported",
            &[("file", &name), ("matters", &matters), ("delegations", &delegations)],
        )
    };
    let lines = vec![said, render::next(texts, &format!("hallmesh matter import --matters {name}"))];
    Report::new(&json!({ "file": name.to_string(), "matters": matters, "delegations": delegations }), lines)
}

/// Every entry of the lists that the node holds.
fn in_force(session: &Session) -> Result<Vec<Body>, Problem> {
    let mut all = Vec::new();
    let mut after = String::new();
    while all.len() < ENTRIES_MAX {
        let Answer::Lists { bodies, after: next } = session.ask(&Ask::Lists { after })? else {
            return Err(unexpected());
        };
        all.extend(drafts::decoded(&bodies)?);
        match next {
            Some(next) => after = next,
            None => break,
        }
    }
    Ok(all)
}

/// The kind of file that its ending says.
fn format_of(file: &Path) -> Result<Format, Problem> {
    let ending = file.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
    match ending.as_str() {
        "xlsx" => Ok(Format::Xlsx),
        "csv" => Ok(Format::Csv),
        "json" => Ok(Format::Json),
        _ => Err(Problem::new("lists.export_format").with("file", file.display())),
    }
}

fn refused(why: &ExportError) -> Problem {
    Problem { code: why.code().to_owned(), params: why.params() }
}
