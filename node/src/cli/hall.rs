//! `hallmesh hall`: how a hall joins its city, and the directory of halls.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args, Subcommand};
use hallmesh_protocol::ids::{DivisionCode, HallAt, HallId};
use serde_json::json;

use super::args::Signer;
use super::declare::{self, Destroyed};
use super::keys::{self, Reseal};
use super::register;
use super::render;
use super::report::Report;
use super::revoke::{self, Revoke};
use super::session::{Session, unexpected};
use super::time::wall;
use super::{files, time, values};
use crate::enrol::{self, EnrolError, Papers};
use crate::home::{Home, HomeError, Sealing, Secret};
use crate::ops::{Answer, Ask, Problem};

/// A year and a month: time to renew before it runs out.
const DAYS: u16 = 400;

#[derive(Debug, Subcommand)]
pub(super) enum Hall {
    Init(Init),
    Rejoin(Rejoin),
    Reseal(Reseal),
    Request {
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[arg(long, value_name = "MULTIADDR", value_parser = values::address)]
        address: Vec<String>,
    },
    Issue(Issue),
    Card {
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    Join {
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[arg(long, value_name = "FINGERPRINT")]
        root: String,
    },
    Revoke(Revoke),
    Destroyed(Destroyed),
    Heed {
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    List {
        #[arg(default_value = "")]
        text: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct Init {
    #[arg(long, value_parser = values::division)]
    code: DivisionCode,
    #[arg(long)]
    name: String,
    #[arg(long, value_name = "N", default_value_t = 0)]
    serial: u8,
    #[arg(long, value_name = "FILE")]
    divisions: Option<PathBuf>,
    #[arg(long, conflicts_with_all = ["credential_file", "passphrase_file"])]
    unsealed: bool,
}

#[derive(Debug, Args)]
pub(super) struct Rejoin {
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[arg(long, value_name = "MULTIADDR", value_parser = values::address)]
    address: Vec<String>,
    #[arg(long, value_parser = values::division, requires = "name")]
    code: Option<DivisionCode>,
    #[arg(long, requires = "code")]
    name: Option<String>,
    #[arg(long, value_name = "N", default_value_t = 0, requires = "code")]
    serial: u8,
    #[arg(long, value_name = "FILE", requires = "code")]
    divisions: Option<PathBuf>,
    #[arg(long, conflicts_with_all = ["credential_file", "passphrase_file"])]
    unsealed: bool,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("issuer").required(true).args(["root", "clerk"]))]
pub(super) struct Issue {
    #[arg(value_name = "REQUEST")]
    request: PathBuf,
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    #[arg(long, value_name = "CARDFILE", requires = "root")]
    superior: Option<PathBuf>,
    #[arg(long, value_name = "N", default_value_t = 1)]
    incarnation: u32,
    #[arg(long, conflicts_with = "incarnation")]
    replacement: bool,
    #[arg(long, value_name = "N", default_value_t = DAYS)]
    days: u16,
    #[arg(long, value_name = "N")]
    clerk: Option<u16>,
    #[arg(long, value_name = "FILE", requires = "clerk")]
    clerk_key: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    divisions: Option<PathBuf>,
}

pub(super) fn run(session: &Session, hall: &Hall) -> Result<Report, Problem> {
    match hall {
        Hall::Init(init) => self::init(session, init),
        Hall::Rejoin(rejoin) => self::rejoin(session, rejoin),
        Hall::Reseal(reseal) => keys::reseal(session, reseal),
        Hall::Request { out, address } => request(session, &session.home_with_keys()?, out, address),
        Hall::Issue(issue) => self::issue(session, issue),
        Hall::Card { out } => card(session, out),
        Hall::Join { file, root } => join(session, file, root),
        Hall::Revoke(revoke) => revoke::run(session, revoke),
        Hall::Destroyed(destroyed) => declare::destroyed(session, destroyed),
        Hall::Heed { file } => revoke::heed(session, file),
        Hall::List { text } => Report::of(&session.texts, &session.ask(&Ask::Halls { text: text.clone() })?),
    }
}

fn init(session: &Session, init: &Init) -> Result<Report, Problem> {
    let (home, secret) = create(session, init)?;
    let sealing = secret.map_or(Sealing::None, |secret| secret.sealing());
    let (hall, dir) = (home.hall(), home.dir().display().to_string());
    let texts = &session.texts;
    let made = [("name", &init.name as &dyn std::fmt::Display), ("hall", &hall), ("dir", &dir)];
    let file = texts.say("placeholder.file", &[]);
    let mut lines = vec![texts.filled("hall.made", &made)];
    lines.extend(keys::said(session, sealing)?);
    lines.push(render::next(texts, &format!("hallmesh hall request --out {file}")));
    let json =
        json!({ "hall": home.hall().to_string(), "name": home.name(), "dir": dir, "sealed": sealing.word() });
    Report::new(&json, lines)
}

/// The home of a hall, and what its keys were sealed under.
fn create(session: &Session, init: &Init) -> Result<(Home, Option<Secret>), Problem> {
    let hall = HallId::new(init.code, init.serial).map_err(|why| {
        Problem::new("usage.value")
            .with("arg", "--serial")
            .with("value", init.serial)
            .with("reason", values::malformed(&session.texts, &why))
    })?;
    register::compare(init.divisions.as_deref(), hall, &init.name)?;
    let dir = session.data_dir()?;
    let secret = keys::of_init(session, init.unsealed)?;
    let home = match &secret {
        Some(secret) => Home::create_sealed(&dir, hall, &init.name, secret)?,
        None => Home::create(&dir, hall, &init.name)?,
    };
    Ok((home, secret))
}

/// Asks for a new life: over the rows that are here, or on a machine where nothing is.
fn rejoin(session: &Session, rejoin: &Rejoin) -> Result<Report, Problem> {
    files::refuse_existing(&rejoin.out)?;
    let (home, before) = match (rejoin.code, &rejoin.name) {
        (Some(code), Some(name)) => {
            let (name, divisions) = (name.clone(), rejoin.divisions.clone());
            let init = Init { code, name, serial: rejoin.serial, divisions, unsealed: rejoin.unsealed };
            let (home, secret) = create(session, &init)?;
            (home.opened_by(keys::opening(session, secret.as_ref())?), None)
        }
        (_, _) => new_life(session, rejoin.unsealed)?,
    };
    let texts = &session.texts;
    let mut report = request(session, &home, &rejoin.out, &rejoin.address)?;
    let life = before.map(|at| at.incarnation);
    let said = match life {
        Some(life) => texts.filled("hall.renewed", &[("hall", &home.hall()), ("life", &life)]),
        None => texts.filled("hall.renewed_empty", &[("hall", &home.hall())]),
    };
    let sealing = home.sealing()?;
    report.lines.splice(0..0, [said].into_iter().chain(keys::said(session, sealing)?));
    report.lines.pop();
    let (file, join) = (rejoin.out.display(), texts.say("placeholder.file", &[]));
    let above = texts.say("label.at_superior", &[]);
    let next = format!("hallmesh hall issue {file} --out {join} --replacement {above}");
    report.lines.push(render::next(texts, &next));
    report.json.insert("hall".to_owned(), json!(home.hall().to_string()));
    report.json.insert("life_before".to_owned(), json!(life));
    report.json.insert("sealed".to_owned(), json!(sealing.word()));
    Ok(report)
}

/// Draws the keys of a new life, unless an earlier attempt has: those may have been asked for already.
fn new_life(session: &Session, unsealed: bool) -> Result<(Home, Option<HallAt>), Problem> {
    let config = session.config()?;
    let home = Home::of_any_life(&config.data_dir).map_err(whose)?;
    if home.has_keys_to_join()? {
        let outside = session.outside(&config, &home)?;
        let (home, before) = enrol::new_life(home.dir(), None)?;
        return Ok((home.opened_by(outside), before));
    }
    let secret = keys::of_init(session, unsealed)?;
    let (home, before) = enrol::new_life(home.dir(), secret.as_ref())?;
    Ok((home.opened_by(keys::opening(session, secret.as_ref())?), before))
}

/// Where nothing is, it has to be said whose machine this is.
fn whose(why: HomeError) -> Problem {
    let problem = Problem::from(why);
    if problem.code == "home.missing" {
        Problem { code: "hall.rejoin_whose".to_owned(), ..problem }
    } else {
        problem
    }
}

fn request(session: &Session, home: &Home, out: &Path, addresses: &[String]) -> Result<Report, Problem> {
    let text = enrol::request(home, addresses)?;
    let asked = enrol::read_request(&text)?;
    files::write_new(out, &text)?;
    let (file, fingerprint) = (out.display().to_string(), enrol::request_fingerprint(&asked));
    let texts = &session.texts;
    let join = texts.say("placeholder.file", &[]);
    let said = texts.say("hall.requested", &[("file", &file), ("fingerprint", &fingerprint)]);
    let above = texts.say("label.at_superior", &[]);
    let lines = vec![said, render::next(texts, &format!("hallmesh hall issue {file} --out {join} {above}"))];
    Report::new(&json!({ "file": file, "fingerprint": fingerprint, "addresses": addresses }), lines)
}

fn issue(session: &Session, issue: &Issue) -> Result<Report, Problem> {
    let request = files::read(&issue.request)?;
    let asked = enrol::read_request(&request)?;
    let asked = asked.value();
    let hall = enrol::hall_of(asked).map_err(EnrolError::from)?;
    register::compare(issue.divisions.as_deref(), hall, &asked.name)?;
    let text = match (&issue.root, issue.clerk) {
        (Some(dir), _) => {
            let card = issue.superior.as_ref().map(|file| files::read(file)).transpose()?;
            let life =
                if issue.replacement { enrol::next_life_by_root(dir, &request)? } else { issue.incarnation };
            enrol::issue_by_root(dir, &request, card.as_deref(), life, wall(), issue.days)?
        }
        (None, Some(clerk)) => {
            let signer = Signer { clerk, clerk_key: issue.clerk_key.clone() };
            let (incarnation, days) = (issue.incarnation, issue.days);
            let ask = if issue.replacement {
                Ask::Replace { request, days }
            } else {
                Ask::Issue { request, incarnation, days }
            };
            let Answer::Issued { text, .. } = session.act(&ask, &signer)? else { return Err(unexpected()) };
            text
        }
        (None, None) => return Err(Problem::new("usage.missing").with("args", "--root, --clerk")),
    };
    files::write_new(&issue.out, &text)?;
    issued(session, &text, &issue.out)
}

fn issued(session: &Session, text: &str, out: &Path) -> Result<Report, Problem> {
    let papers = Papers::read_bundle(text).map_err(EnrolError::from)?;
    let charter = papers.charter();
    let (file, root) = (out.display().to_string(), enrol::fingerprint(&papers.anchor()));
    let hall = format!("{} {}", charter.name, charter.hall);
    let until = time::day(charter.valid_to);
    let texts = &session.texts;
    let lines = vec![
        texts.say("hall.issued", &[("hall", &hall)]),
        texts.say("hall.issued_until", &[("until", &until)]),
        texts.say("hall.issued_file", &[("file", &file)]),
        texts.say("hall.issued_root", &[("fingerprint", &root)]),
        render::next(texts, &format!("hallmesh hall join {file} --root {root}")),
    ];
    let json = json!({
        "hall": charter.hall.to_string(),
        "name": charter.name,
        "incarnation": charter.incarnation,
        "parent": charter.parent.map(|parent| parent.to_string()),
        "valid_to": charter.valid_to,
        "root": root,
        "file": file,
    });
    Report::new(&json, lines)
}

fn card(session: &Session, out: &Path) -> Result<Report, Problem> {
    let Answer::Card { text } = session.ask(&Ask::Card)? else { return Err(unexpected()) };
    files::write_new(out, &text)?;
    let (file, texts) = (out.display().to_string(), &session.texts);
    let (request, dir) = (texts.say("placeholder.file", &[]), texts.say("placeholder.dir", &[]));
    let next = format!("hallmesh hall issue {request} --out {request} --root {dir} --superior {file}");
    let lines = vec![texts.say("hall.card_written", &[("file", &file)]), render::next(texts, &next)];
    Report::new(&json!({ "file": file }), lines)
}

fn join(session: &Session, file: &Path, root: &str) -> Result<Report, Problem> {
    let (home, bundle) = (session.home_to_join()?, files::read(file)?);
    let joined = enrol::join_as_typed(&home, &bundle, root, wall())?;
    let hall = joined.at.hall.to_string();
    let said = [("name", home.name()), ("hall", hall.as_str()), ("city", joined.city.as_str())];
    let lines = vec![session.texts.say("hall.joined", &said), render::next(&session.texts, "hallmesh run")];
    let json = json!({
        "hall": hall,
        "incarnation": joined.at.incarnation,
        "city": joined.city,
        "parent": joined.superior.map(|superior| superior.to_string()),
        "root": enrol::fingerprint(&joined.anchor),
    });
    Report::new(&json, lines)
}
