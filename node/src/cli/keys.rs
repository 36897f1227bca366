//! How the secret keys of this machine's hall lie on its disk: decided by `hall init`, changed by `hall reseal`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::passphrase;
use super::render;
use super::report::Report;
use super::session::Session;
use crate::home::{Home, Sealing, Secret};
use crate::ops::Problem;

#[derive(Debug, Args)]
pub(super) struct Reseal {
    #[arg(long, value_name = "FILE", conflicts_with = "new_passphrase_file")]
    new_credential_file: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    new_passphrase_file: Option<PathBuf>,
}

/// What the keys of a new hall are sealed under; nothing only if that was said. Who says nothing is asked for a
/// passphrase: it protects whatever is stolen, and needs no other thing that can be stolen with it.
pub(super) fn of_init(session: &Session, unsealed: bool) -> Result<Option<Secret>, Problem> {
    let config = session.config()?;
    match (config.credential_file, config.passphrase_file) {
        _ if unsealed => Ok(None),
        (Some(_), Some(_)) => Err(Problem::new("seal.both")),
        (Some(file), None) => Ok(Some(Secret::new_credential_in(&file, &config.data_dir)?)),
        (None, Some(file)) => Ok(Some(Secret::new_passphrase_in(&file, &config.data_dir)?)),
        (None, None) => typed(session).map(Some),
    }
}

/// `hall reseal`.
pub(super) fn reseal(session: &Session, reseal: &Reseal) -> Result<Report, Problem> {
    let home: Home = session.home_with_keys()?;
    // Whoever cannot open the keys is not asked for a new secret.
    home.keys()?;
    let secret = match (&reseal.new_credential_file, &reseal.new_passphrase_file) {
        (Some(file), _) => Secret::new_credential_in(file, home.dir())?,
        (None, Some(file)) => Secret::new_passphrase_in(file, home.dir())?,
        (None, None) => typed(session)?,
    };
    let before = home.sealing()?;
    home.reseal(&secret)?;
    let texts = &session.texts;
    let mut lines = vec![texts.say("hall.resealed", &[])];
    if before == Sealing::None {
        lines.push(texts.say("hall.resealed_from_clear", &[]));
    }
    let shown = reseal.new_credential_file.as_ref().map(|file| file.display().to_string());
    lines.extend(told(session, secret.sealing(), shown));
    lines.push(render::next(texts, "hallmesh status"));
    Report::new(&json!({ "sealed": secret.sealing().word(), "before": before.word() }), lines)
}

/// What the people of a hall have to know about how its keys are sealed.
pub(super) fn said(session: &Session, sealing: Sealing) -> Result<Vec<String>, Problem> {
    let file = session.config()?.credential_file.map(|file| file.display().to_string());
    Ok(told(session, sealing, file))
}

fn told(session: &Session, sealing: Sealing, file: Option<String>) -> Vec<String> {
    let texts = &session.texts;
    match sealing {
        Sealing::None => vec![format!("! {}", texts.say("hall.sealed_none", &[]))],
        Sealing::Passphrase => vec![texts.say("hall.sealed_passphrase", &[])],
        Sealing::Credential => {
            vec![texts.filled("hall.sealed_credential", &[("file", &file.unwrap_or_default())])]
        }
    }
}

fn typed(session: &Session) -> Result<Secret, Problem> {
    if passphrase::is_somebody_there() {
        Ok(Secret::new_passphrase(passphrase::ask_new(&session.texts)?)?)
    } else {
        Err(Problem::new("seal.undecided"))
    }
}
