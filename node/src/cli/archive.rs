//! Cases in files: exported so that anyone can check them, and checked.

use std::fmt::Display;
use std::path::Path;

use serde_json::json;

use super::exit::Exit;
use super::render;
use super::report::Report;
use super::session::{Session, unexpected};
use crate::enrol;
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
    let (dir, root) = (out.display().to_string(), enrol::fingerprint(&exported.root));
    let lines = vec![
        texts.filled("case.exported", &[("dir", &dir), ("events", &exported.events)]),
        texts.say("case.exported_check", &[]),
        texts.say("case.head", &[("head", &exported.head.to_string())]),
        render::next(texts, &format!("hallmesh case verify {dir} --root {root}")),
    ];
    let json = json!({
        "dir": dir,
        "events": exported.events,
        "charters": exported.charters,
        "head": exported.head.to_string(),
        "root": root,
    });
    Report::new(&json, lines)
}

/// Checks an exported case; needs no node.
pub(super) fn verify(session: &Session, dir: &Path, root: Option<&str>) -> Result<Report, Problem> {
    let verdict = match root {
        Some(typed) => export::verify_as_typed(dir, typed),
        None => export::verify(dir, None),
    };
    let verdict = verdict.map_err(|why| Problem { code: why.code().to_owned(), params: why.params() })?;
    let (texts, case) = (&session.texts, &verdict.case);
    let (number, root) = (case.number.to_string(), enrol::fingerprint(&verdict.root));
    let state = texts.word("state", case.state.word());
    let held = [
        ("number", &number as &dyn Display),
        ("state", &state),
        ("events", &case.events),
        ("charters", &verdict.charters),
    ];
    let anchored = if verdict.anchored { "case.root_compared" } else { "case.root_not_compared" };
    let mut lines = vec![
        texts.filled("case.verified", &held),
        texts.say(anchored, &[("root", &root)]),
        texts.say("case.head", &[("head", &case.head.to_string())]),
    ];
    lines.extend(verdict.rulings.iter().map(|(sequence, ruling)| {
        texts.filled("case.rests_on_ruling", &[("sequence", sequence), ("ruling", ruling)])
    }));
    lines.extend([render::next(
        texts,
        &texts.say("case.verify_next", &[("dir", &dir.display().to_string())]),
    )]);
    let json = json!({
        "number": number,
        "id": case.id.to_string(),
        "state": case.state.word(),
        "granted": case.granted,
        "events": case.events,
        "charters": verdict.charters,
        "head": case.head.to_string(),
        "root": root,
        "anchored": verdict.anchored,
        "rulings": verdict.rulings.iter().map(|(_, ruling)| ruling.to_string()).collect::<Vec<_>>(),
    });
    let exit = if verdict.rulings.is_empty() { Exit::Done } else { Exit::Warnings };
    Ok(Report::new(&json, lines)?.ending(exit))
}
