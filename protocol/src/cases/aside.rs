//! What comes beside the log that counts: it moves nothing, and is kept and shown.

use super::Office;
use super::fold::Case;
use super::log;
use crate::audit;
use crate::rows;
use crate::verify::CheckedFile;

/// A log that contradicts what is held: stated if one life has signed both in one term, and counted. One of an earlier
/// term comes late: what it says more is kept and shown.
pub(super) fn contradicted(office: &mut Office<'_, '_>, held: &Case, checked: &CheckedFile) {
    audit::meet(office.cx, office.me, held.id, &checked.file.events);
    if checked.case.position.term >= held.position.term {
        rows::count(office.cx, "forks", 1);
        return;
    }
    set_aside(office, "letters/late", checked);
}

/// A log came from a life that was revoked: it moves nothing, and what it says more of a case that is held is shown.
pub(crate) fn came_late(office: &mut Office<'_, '_>, checked: &CheckedFile) {
    if log::case(office.cx, checked.case.id).is_some() {
        set_aside(office, "letters/late", checked);
    }
}

/// Keeps apart what a log says beside the one that is held.
pub(super) fn set_aside(office: &mut Office<'_, '_>, count: &str, checked: &CheckedFile) {
    rows::count(office.cx, count, 1);
    for (sequence, event) in (0_u32..).zip(&checked.file.events) {
        if log::event(office.cx, checked.case.id, sequence).as_ref() != Some(event) {
            log::keep_orphan(office.cx, checked.case.id, event);
        }
    }
}
