//! `hallmesh clerk`: the staff of this hall.

use clap::Subcommand;
use hallmesh_protocol::seal::PublicKey;
use serde_json::json;

use super::render;
use super::report::Report;
use super::session::{Session, unexpected};
use super::values;
use crate::home::{Home, HomeError};
use crate::ops::{Answer, Ask, Problem, RoleWords, hex};

#[derive(Debug, Subcommand)]
pub(super) enum Clerk {
    Add {
        #[arg(long)]
        name: String,
        #[arg(long, required = true, value_name = "ROLE,...")]
        #[arg(value_delimiter = ',', value_parser = values::role)]
        roles: Vec<String>,
        #[arg(long, value_name = "N")]
        number: Option<u16>,
    },
    List,
    Disable {
        #[arg(value_name = "N")]
        number: u16,
    },
}

pub(super) fn run(session: &Session, clerk: &Clerk) -> Result<Report, Problem> {
    match clerk {
        Clerk::Add { name, roles, number } => add(session, name, roles, *number),
        Clerk::List => Report::of(&session.texts, &session.ask(&Ask::Clerks)?),
        Clerk::Disable { number } => {
            session.ask(&Ask::DisableClerk { number: *number })?;
            let said = session.texts.filled("clerk.disabled", &[("number", number)]);
            let lines = vec![said, render::next(&session.texts, "hallmesh clerk list")];
            Report::new(&json!({ "number": number }), lines)
        }
    }
}

fn add(session: &Session, name: &str, roles: &[String], number: Option<u16>) -> Result<Report, Problem> {
    let Answer::Clerks { clerks } = session.ask(&Ask::Clerks)? else { return Err(unexpected()) };
    let taken = |number: u16| clerks.iter().any(|clerk| clerk.number == number);
    let number = number.unwrap_or_else(|| (1..u16::MAX).find(|number| !taken(*number)).unwrap_or(u16::MAX));
    if taken(number) {
        return Err(Problem::new("clerk.exists").with("clerk", number));
    }
    let key = hex(key(&session.home_with_keys()?, number)?.as_bytes());
    let roles = RoleWords(roles.to_vec());
    session.ask(&Ask::AddClerk { name: name.to_owned(), number: Some(number), key, roles: roles.clone() })?;
    let texts = &session.texts;
    let held: Vec<String> = roles.0.iter().map(|role| texts.word("role", role)).collect();
    let added = [("number", &number as &dyn std::fmt::Display), ("name", &name), ("roles", &held.join(", "))];
    let next = texts.filled("clerk.added.next", &[("number", &number)]);
    let lines = vec![texts.filled("clerk.added", &added), render::next(texts, &next)];
    Report::new(&json!({ "number": number, "name": name, "roles": roles }), lines)
}

/// A new key; or the one that an attempt left which did not come as far as the node.
fn key(home: &Home, number: u16) -> Result<PublicKey, Problem> {
    match home.new_clerk_key(number) {
        Err(HomeError::ClerkKeyExists { .. }) => Ok(home.clerk_key(number)?.public()),
        drawn => Ok(drawn?),
    }
}
