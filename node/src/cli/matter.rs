//! `hallmesh matter`: the list of matters, from a spreadsheet to every hall.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use hallmesh_protocol::ids::{DivisionCode, MatterCode};
use hallmesh_protocol::record::Body;
use serde_json::{Value, json};

use super::args::Signer;
use super::drafts;
use super::exit::Exit;
use super::lists;
use super::problem;
use super::render;
use super::report::Report;
use super::session::Session;
use super::values;
use crate::lists::{Finding, Import, ListFiles, Severity, import as read_lists};
use crate::ops::{Ask, Problem};
use crate::texts::Texts;

#[derive(Debug, Subcommand)]
pub(super) enum Matter {
    Import(ImportFiles),
    Export(lists::ExportTo),
    Template {
        file: PathBuf,
    },
    Site(lists::SiteTo),
    Publish {
        #[arg(long, value_name = "NAME")]
        draft: Option<String>,
        #[command(flatten)]
        signer: Signer,
    },
    List {
        #[arg(long, value_name = "CODE")]
        after: Option<String>,
        #[arg(long, value_name = "N", default_value_t = 100)]
        count: usize,
    },
    Show {
        #[arg(value_parser = values::matter)]
        code: MatterCode,
    },
    Search {
        #[arg(required = true)]
        text: Vec<String>,
        #[arg(long, value_name = "N", default_value_t = 20)]
        count: usize,
    },
}

#[derive(Debug, Args)]
pub(super) struct ImportFiles {
    #[arg(long, value_name = "FILE", conflicts_with = "exchange")]
    matters: Option<PathBuf>,
    #[arg(long, value_name = "FILE", conflicts_with = "exchange")]
    materials: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    delegations: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    calendar: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    bundles: Option<PathBuf>,
    #[arg(long, value_name = "PATH")]
    exchange: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    #[arg(long, value_name = "CODE", value_parser = values::division)]
    area: Option<DivisionCode>,
}

pub(super) fn run(session: &Session, matter: &Matter) -> Result<Report, Problem> {
    match matter {
        Matter::Import(files) => import(session, files),
        Matter::Export(to) => lists::export(session, to),
        Matter::Template { file } => lists::template(session, file),
        Matter::Site(to) => lists::site(session, to),
        Matter::Publish { draft, signer } => drafts::publish(session, draft.as_deref(), signer),
        Matter::List { after, count } => {
            ask(session, &Ask::Matters { after: after.clone().unwrap_or_default(), count: *count })
        }
        Matter::Show { code } => ask(session, &Ask::Matter { code: code.clone() }),
        Matter::Search { text, count } => {
            ask(session, &Ask::SearchMatters { text: text.join(" "), count: *count })
        }
    }
}

fn ask(session: &Session, ask: &Ask) -> Result<Report, Problem> {
    Report::of(&session.texts, &session.ask(ask)?)
}

/// Checks everything and writes a draft, or nothing at all.
fn import(session: &Session, files: &ImportFiles) -> Result<Report, Problem> {
    let home = session.home()?;
    let area = files.area.unwrap_or_else(|| home.hall().division());
    let given = ListFiles {
        matters: files.matters.clone(),
        delegations: files.delegations.clone(),
        calendar: files.calendar.clone(),
        bundles: files.bundles.clone(),
        materials: files.materials.clone(),
        exchange: files.exchange.clone(),
        mapping: files.mapping.clone(),
    };
    let import = read_lists(&given, area)
        .map_err(|why| Problem { code: why.code().to_owned(), params: why.params() })?;
    if import.is_refused() {
        return refused(session, &import);
    }
    let draft = drafts::write(&home.drafts(), &import.bodies)?;
    drafted(session, &import, &draft)
}

fn refused(session: &Session, import: &Import) -> Result<Report, Problem> {
    let texts = &session.texts;
    let mut lines = findings(texts, &import.findings);
    let errors = count(&import.findings, Severity::Error);
    lines.push(texts.filled("matter.draft_refused", &[("errors", &errors)]));
    lines.push(render::next(texts, "hallmesh matter import --help"));
    let json = json!({ "draft": Value::Null, "findings": as_json(texts, &import.findings) });
    Ok(Report::new(&json, lines)?.ending(Exit::Errors))
}

fn drafted(session: &Session, import: &Import, draft: &Path) -> Result<Report, Problem> {
    let texts = &session.texts;
    let name = drafts::name(draft);
    let counts = Counts::of(&import.bodies);
    let mut lines = findings(texts, &import.findings);
    lines.push(texts.filled(
        "matter.draft_written",
        &[
            ("draft", &name),
            ("matters", &counts.matters),
            ("delegations", &counts.delegations),
            ("calendars", &counts.calendars),
            ("bundles", &counts.bundles),
        ],
    ));
    if counts.unofficial > 0 {
        lines.push(format!("! {}", texts.filled("matter.unofficial", &[("count", &counts.unofficial)])));
    }
    let clerk = texts.say("placeholder.clerk", &[]);
    lines.push(render::next(texts, &format!("hallmesh matter publish --draft {name} --clerk {clerk}")));
    let json = json!({
        "draft": name,
        "matters": counts.matters,
        "delegations": counts.delegations,
        "calendars": counts.calendars,
        "bundles": counts.bundles,
        "unofficial": counts.unofficial,
        "findings": as_json(texts, &import.findings),
    });
    Report::new(&json, lines)
}

/// What is in a draft.
#[derive(Debug, Default)]
struct Counts {
    matters: usize,
    delegations: usize,
    calendars: usize,
    bundles: usize,
    unofficial: usize,
}

impl Counts {
    fn of(bodies: &[Body]) -> Self {
        let count = |holds: fn(&Body) -> bool| bodies.iter().filter(|body| holds(body)).count();
        Self {
            matters: count(|body| matches!(body, Body::Matter(_))),
            delegations: count(|body| matches!(body, Body::Delegation(_))),
            calendars: count(|body| matches!(body, Body::Calendar(_))),
            bundles: count(|body| matches!(body, Body::Bundle(_))),
            unofficial: count(|body| match body {
                Body::Matter(matter) => !matter.verified,
                Body::Delegation(delegation) => !delegation.verified,
                Body::Bundle(bundle) => !bundle.verified,
                Body::Policy(_)
                | Body::Charter(_)
                | Body::Contact(_)
                | Body::Revocation(_)
                | Body::Fork(_)
                | Body::Ruling(_)
                | Body::Destruction(_)
                | Body::Voice(_)
                | Body::Heard(_)
                | Body::Calendar(_) => false,
            }),
        }
    }
}

/// Every finding with its place, then how many there were.
fn findings(texts: &Texts, findings: &[Finding]) -> Vec<String> {
    let mut lines: Vec<String> = findings.iter().flat_map(|finding| say(texts, finding)).collect();
    if !findings.is_empty() {
        let (errors, warnings) = (count(findings, Severity::Error), count(findings, Severity::Warning));
        lines.push(texts.filled("matter.findings", &[("errors", &errors), ("warnings", &warnings)]));
    }
    lines
}

fn say(texts: &Texts, finding: &Finding) -> Vec<String> {
    let label = match finding.severity {
        Severity::Error => "label.error",
        Severity::Warning => "label.warning",
    };
    let place = place(texts, finding);
    let meant = finding.suggestion.iter().map(|it| texts.say("lists.meant", &[("suggestion", it)]));
    problem::found_at(
        texts,
        &worded(finding),
        label,
        &std::iter::once(place).chain(meant).collect::<Vec<_>>(),
    )
}

/// File, sheet, line or cell, and column, as far as they are known.
fn place(texts: &Texts, finding: &Finding) -> String {
    let mut place = finding.file.clone();
    let mut add = |key: &str, value: &dyn std::fmt::Display| {
        place.push_str(&texts.filled(key, &[("value", value)]));
    };
    if let Some(sheet) = &finding.sheet {
        add("lists.place_sheet", sheet);
    }
    match &finding.cell {
        Some(cell) => add("lists.place_cell", cell),
        None => add("lists.place_line", &finding.line),
    }
    if let Some(column) = &finding.column {
        add("lists.place_column", column);
    }
    place
}

fn as_json(texts: &Texts, findings: &[Finding]) -> Vec<Value> {
    let one = |finding: &Finding| {
        let mut value = problem::json(texts, &worded(finding));
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let place = [
            ("severity", json!(severity)),
            ("file", json!(finding.file)),
            ("sheet", json!(finding.sheet)),
            ("line", json!(finding.line)),
            ("cell", json!(finding.cell)),
            ("column", json!(finding.column)),
            ("suggestion", json!(finding.suggestion)),
        ];
        if let Value::Object(fields) = &mut value {
            fields.extend(place.map(|(name, value)| (name.to_owned(), value)));
        }
        value
    };
    findings.iter().map(one).collect()
}

fn worded(finding: &Finding) -> Problem {
    Problem { code: finding.code.to_owned(), params: finding.params.clone() }
}

fn count(findings: &[Finding], severity: Severity) -> usize {
    findings.iter().filter(|finding| finding.severity == severity).count()
}
