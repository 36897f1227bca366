//! What stands in a letter about a case: made when it is sent, from the rows as they are then.

use super::log;
use super::recovery::{fence_letter, fence_written};
use super::statements;
use crate::node::Me;
use crate::post::{LetterBody, What};
use crate::step::{Cx, View};

/// The words of a queued letter for a line, made from the rows at the time of sending.
pub(crate) fn outgoing(cx: &mut Cx<'_>, me: &Me, what: &What) -> Option<LetterBody> {
    if let What::Fence { case, of } = what {
        return fence_letter(cx, me, *case, *of);
    }
    written(cx, what)
}

/// The words of a queued letter for a stick, from the rows alone: nothing is signed for them.
pub(crate) fn written(view: &dyn View, what: &What) -> Option<LetterBody> {
    match what {
        What::HandOver { case, upto } => Some(LetterBody::HandOver(log::file(view, *case, *upto))),
        What::Copy { case } => {
            let events = log::case(view, *case)?.events;
            Some(LetterBody::Copy(log::file(view, *case, events.saturating_sub(1))))
        }
        What::Ask(asked) => Some(LetterBody::Ask(*asked)),
        What::Fence { case, of } => fence_written(view, *case, *of),
        What::AskFence { case, of } => Some(LetterBody::AskFence { case: *case, of: *of }),
        What::Statement { number, of } => statements::written(view, *number, of),
        What::Relay(letter) | What::Answer(letter) => Some(letter.body.clone()),
    }
}
