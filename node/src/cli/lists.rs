//! `hallmesh matter export`, `template` and `site`: the lists as files for people and other programs.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use hallmesh_protocol::record::Body;
use serde_json::json;

use super::report::Report;
use super::session::{Session, unexpected};
use super::time;
use super::{drafts, files, render};
use crate::lists::export::{self, ExportError, Format, Part};
use crate::lists::site::{self, HallEntry, Site};
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
    #[arg(long, conflicts_with = "bundles")]
    calendar: bool,
    #[arg(long, conflicts_with = "delegations")]
    bundles: bool,
}

#[derive(Debug, Args)]
pub(super) struct SiteTo {
    dir: PathBuf,
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    #[arg(long, value_name = "NAME")]
    draft: Option<String>,
}

/// Writes what is in force, or a draft, to a new file.
pub(super) fn export(session: &Session, to: &ExportTo) -> Result<Report, Problem> {
    let format = format_of(&to.file)?;
    files::refuse_existing(&to.file)?;
    let bodies = bodies(session, to.draft.as_deref())?;
    let part = match to {
        ExportTo { calendar: true, .. } => Part::Calendar,
        ExportTo { bundles: true, .. } => Part::Bundles,
        ExportTo { delegations: true, .. } => Part::Delegations,
        ExportTo { .. } => Part::Lists,
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

/// Writes the website into a directory that is there whole or not at all.
pub(super) fn site(session: &Session, to: &SiteTo) -> Result<Report, Problem> {
    files::refuse_existing(&to.dir)?;
    let (bodies, halls) = (bodies(session, to.draft.as_deref())?, halls(session)?);
    if bodies.is_empty() {
        return Err(refused(&ExportError::Nothing));
    }
    let city = halls.iter().min_by_key(|it| it.hall.tier().depth()).map_or("", |it| it.name.as_str());
    let title = to.title.as_deref().unwrap_or(city);
    let site = Site { title, date: &time::day(time::wall()), bodies: &bodies, halls: &halls };
    let unfinished = PathBuf::from(format!("{}.{}.new", to.dir.display(), std::process::id()));
    let failed =
        |cause| Problem::new("file.not_written").with("file", to.dir.display()).with("reason", cause);
    let mut put = |path: &str, text: &str| {
        let path = unfinished.join(path);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, text)
    };
    let written =
        site::write(&site, &mut put).and_then(|pages| fs::rename(&unfinished, &to.dir).map(|()| pages));
    let pages = written.map_err(|cause| {
        // There is nothing left to do about files that cannot be removed either.
        let _left_over = fs::remove_dir_all(&unfinished);
        failed(cause)
    })?;
    let dir = to.dir.display().to_string();
    let said = session.texts.filled("matter.site_written", &[("dir", &dir), ("pages", &pages)]);
    Report::new(&json!({ "dir": dir, "files": pages }), vec![said])
}

/// The halls of the directory.
fn halls(session: &Session) -> Result<Vec<HallEntry>, Problem> {
    let Answer::Halls { halls } = session.ask(&Ask::Halls { text: String::new() })? else {
        return Err(unexpected());
    };
    let entry = |it: crate::ops::Hall| Some(HallEntry { hall: it.hall.parse().ok()?, name: it.name });
    halls.into_iter().map(entry).collect::<Option<_>>().ok_or_else(unexpected)
}

fn bodies(session: &Session, draft: Option<&str>) -> Result<Vec<Body>, Problem> {
    match draft {
        Some(draft) => drafts::bodies(session, draft),
        None => in_force(session),
    }
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
