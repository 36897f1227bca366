//! A way through the states, told line by line.

use hallmesh_protocol::cases::Deed;

use super::halls::{Account, Halls};
use super::letters::words;
use super::promises::{accounts, stage};
use super::rest;
use super::seen::{By, End, Scene, State};

/// Rounds of the fault-free part that are told.
const ROUNDS_TOLD: usize = 8;

/// Tells how the last state of a way was reached.
pub(super) fn tell(halls: &Halls, way: &[State]) -> anyhow::Result<Vec<String>> {
    let mut lines = Vec::new();
    let mut before: Option<&State> = None;
    for state in way {
        let changed = changes(halls, before.map(|state| &state.scene), &state.scene)?;
        lines.push(format!("{}{changed}", happened(halls, state.by)));
        before = Some(state);
    }
    Ok(lines)
}

/// Tells what becomes of a scene when nothing goes wrong any more.
pub(super) fn tell_rest(halls: &mut Halls, mut scene: Scene) -> anyhow::Result<Vec<String>> {
    let mut lines = Vec::new();
    for number in 1..=ROUNDS_TOLD {
        let before = scene;
        rest::round(halls, &mut scene)?;
        if scene == before {
            lines.push("nothing changes any more".to_owned());
            return Ok(lines);
        }
        lines.push(format!(
            "round {number}: all is sent and delivered{}",
            changes(halls, Some(&before), &scene)?
        ));
    }
    Ok(lines)
}

fn happened(halls: &Halls, by: By) -> String {
    match by {
        By::Start => "the case was received".to_owned(),
        By::Letter(letter, end) => match halls.archive.letter(letter) {
            Some(written) => {
                let from = halls.seat(written.letter.from.hall).map_or("nobody", |seat| halls.name(seat));
                let to = halls.name(written.to);
                format!("{to} hears from {from}: {}{}", words(&written.letter), ended(end))
            }
            None => "an unknown letter".to_owned(),
        },
        By::Deed(seat, deed, end) => {
            let deed = match deed {
                Deed::Accept => "accepts",
                Deed::RequestCorrection => "asks for a correction",
                Deed::Supplement => "supplements",
                Deed::Decide { .. } => "decides",
                Deed::Deliver => "delivers",
            };
            format!("a clerk of {} {deed}{}", halls.name(seat), ended(end))
        }
        By::Wake(seat) => format!("{} starts and sends what waits", halls.name(seat)),
        By::Loss(seat) => format!("{} loses its disk for ever", halls.name(seat)),
        By::Backup(seat) => format!("a copy is made of the disk of {}", halls.name(seat)),
        By::Restore(seat) => format!("{} begins anew from the copy of its disk", halls.name(seat)),
    }
}

const fn ended(end: End) -> &'static str {
    match end {
        End::Done => "",
        End::Unsent => "; it crashes before it sends anything",
        End::Unkept => "; it sends its answer, then crashes before anything is kept",
    }
}

/// How the halls whose rows changed stand now.
fn changes(halls: &Halls, before: Option<&Scene>, after: &Scene) -> anyhow::Result<String> {
    let mut told = String::new();
    for (seat, account) in accounts(halls, after)?.into_iter().enumerate() {
        let changed = before.is_none_or(|before| before.kept(seat) != after.kept(seat));
        if changed && account.case.is_some() {
            let sign = if told.is_empty() { " -> " } else { ", " };
            told = format!("{told}{sign}{}: {}", halls.name(seat), stands(account));
        }
    }
    Ok(told)
}

fn stands(account: &Account) -> String {
    let last = account.headers.last().map_or("nothing", |header| header.facts.word());
    let last_place = account.log.len().saturating_sub(1);
    let Some(custody) = account.custody else { return "no part".to_owned() };
    let mirror = if custody.mirror { ", mirror" } else { "" };
    let (stage, epoch) = (stage(account).word(), custody.position.epoch);
    format!("{stage}{mirror}, epoch {epoch}, log ends with {last_place} {last}, {:?}", custody.grade)
}
