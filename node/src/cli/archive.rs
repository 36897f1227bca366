//! Cases in files: exported so that anyone can check them, and checked.

use std::path::Path;

use serde_json::json;

use super::render;
use super::report::Report;
use super::session::{Session, unexpected};
use crate::export;
use crate::ops::{Answer, Ask, Problem, unhex};

/// Writes a case's package where the caller wants it: the node may not write there.
pub(super) fn export(session: &Session, case: &str, out: &Path) -> Result<Report, Problem> {
    let Answer::Export { package } = session.ask(&Ask::Export { case: case.to_owned() })? else {
        return Err(unexpected());
    };
    let package = unhex(&package).ok_or_else(unexpected)?;
    let exported = export::write_package(&package, out)?;
    let texts = &session.texts;
    let dir = out.display().to_string();
    let lines = vec![
        texts.filled("case.exported", &[("dir", &dir), ("events", &exported.events)]),
        texts.say("case.exported_check", &[]),
        render::next(texts, &format!("hallmesh case verify {dir}")),
    ];
    Report::new(&json!({ "dir": dir, "events": exported.events }), lines)
}

/// Checks an exported case; needs no node.
pub(super) fn verify(session: &Session, dir: &Path, root: Option<&str>) -> Result<Report, Problem> {
    let verified = export::verify(dir, root)?;
    let _ = verified;
    Report::new(&json!({}), vec![session.texts.say("done", &[])])
}
