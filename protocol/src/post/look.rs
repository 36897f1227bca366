//! What waits in the queue about a case, read from the rows: nothing here changes it.

use super::queue::{Filed, Queued, destinations, locate};
use super::{OWN, What};
use crate::ids::{CaseId, HallId};
use crate::limits::SILENT_COPIES_MAX;
use crate::rows;
use crate::step::View;

/// The event that hands a case over to a hall, if a letter about that waits: the hand-over itself, or the question after it.
pub(crate) fn hand_over_in(view: &dyn View, to: HallId, case: CaseId) -> Option<u32> {
    let Filed { sequence, .. } = locate(view, What::HandOver { case, upto: 0 }.reference(to))?;
    let Queued { what, .. } = rows::read(view, &rows::posted(to, sequence))?;
    match what {
        What::HandOver { upto, .. } => Some(upto),
        What::Ask(asked) => Some(asked.sequence),
        What::Copy { .. } | What::Fence { .. } | What::AskFence { .. } | What::Relay(_) | What::Answer(_) => {
            None
        }
    }
}

/// Copies that no mirror has answered for longer than `most` milliseconds: for whom, and of which case. At most
/// [`SILENT_COPIES_MAX`] for each hall, oldest first.
pub(crate) fn silent_copies(view: &dyn View, wall: u64, most: u64) -> Vec<(HallId, CaseId)> {
    let late = |since: u64| wall.saturating_sub(since) > most;
    let silent = destinations(view, None, usize::MAX).into_iter().filter(|it| it.own.is_some_and(late));
    let mut found = Vec::new();
    for to in silent.map(|it| it.to) {
        let mut looked = 0_usize;
        view.scan(&rows::ages_for(to, OWN), &[], &mut |key, _| {
            looked = looked.saturating_add(1);
            let place = rows::age_place(key).map(|sequence| rows::posted(to, sequence));
            let queued: Option<Queued> = place.and_then(|place| rows::read(view, &place));
            if let Some(Queued { what: What::Copy { case }, .. }) = queued {
                found.push((to, case));
            }
            looked < SILENT_COPIES_MAX && rows::since(key).is_some_and(late)
        });
    }
    found
}
