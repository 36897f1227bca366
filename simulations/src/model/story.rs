//! A way through the states, told line by line.

use super::halls::{Account, Halls};
use super::letters::words;
use super::promises::stage;
use super::rest;
use super::seen::{By, End, NONE, REPLACED, Scene, State};
use super::setting::Seat;

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
    scene = rest::begun(&scene);
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

/// What people call the machine at a place.
fn machine(halls: &Halls, place: Seat) -> &'static str {
    if place == REPLACED { "the machine that was replaced" } else { halls.name(place) }
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
            format!("a clerk of {} does {}{}", machine(halls, seat), deed.word(), ended(end))
        }
        By::Wake(seat) => format!("{} starts and sends what waits", machine(halls, seat)),
        By::Life(seat, of, number) => {
            let (who, of) = (machine(halls, seat), halls.name(of));
            format!("{who} learns of life {} of {of}", number.saturating_add(1))
        }
        By::Loss(seat) => format!("{} loses its disk for ever", halls.name(seat)),
        By::Rebirth(seat) => format!("{} loses its disk, and a new life of it begins", halls.name(seat)),
        By::Shown(seat) => format!("{} is shown what it has forgotten", halls.name(seat)),
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
    for slot in 0..=REPLACED {
        let changed = before.is_none_or(|before| before.kept(slot) != after.kept(slot));
        if !changed || after.kept(slot) == NONE {
            continue;
        }
        let kept = halls.kept(after.kept(slot))?;
        if kept.said.case.is_some() {
            let sign = if told.is_empty() { " -> " } else { ", " };
            let old = if slot == REPLACED { "old machine of " } else { "" };
            told = format!("{told}{sign}{old}{}: {}", halls.name(kept.seat), stands(&kept.said));
        }
    }
    Ok(told)
}

fn stands(account: &Account) -> String {
    let last = account.headers.last().map_or("nothing", |header| header.facts.word());
    let last_place = account.log.len().saturating_sub(1);
    let Some(custody) = account.custody else { return format!("no part, log ends with {last_place} {last}") };
    let mirror = if custody.mirror { ", mirror" } else { "" };
    let (stage, position) = (stage(account).word(), custody.position);
    let forgot = if account.rolled_back { ", knows that it forgot" } else { "" };
    let (term, epoch) = (position.term, position.epoch);
    format!(
        "{stage}{mirror}{forgot}, term {term}, epoch {epoch}, log ends with {last_place} {last}, {:?}",
        custody.grade
    )
}
