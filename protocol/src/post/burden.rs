//! What each neighbour has this hall carry: a bound of its own, so that none fills the room of the others.

use serde::{Deserialize, Serialize};

use super::What;
use crate::ids::HallId;
use crate::limits::{RELAY_FROM_BYTES_MAX, RELAY_FROM_LETTERS_MAX};
use crate::rows;
use crate::step::{Cx, View};
use crate::wire;

/// Letters that came from one neighbour and wait here.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Burden {
    letters: u64,
    bytes: u64,
}

/// Whether a row that says what a neighbour has brought can be read.
pub(crate) fn burden_holds(value: &[u8]) -> bool {
    rows::decodes::<Burden>(value)
}

/// Whether one more letter may come from a neighbour.
pub(super) fn has_room(view: &dyn View, from: HallId) -> bool {
    let burden: Burden = rows::read(view, &rows::burden(from)).unwrap_or_default();
    burden.letters < RELAY_FROM_LETTERS_MAX && burden.bytes < RELAY_FROM_BYTES_MAX
}

/// A letter was taken along.
pub(super) fn more(cx: &mut Cx<'_>, from: Option<HallId>, what: &What) {
    change(cx, from, |burden| Burden {
        letters: burden.letters.saturating_add(1),
        bytes: burden.bytes.saturating_add(size(what)),
    });
}

/// A letter is off this hall's hands.
pub(super) fn less(cx: &mut Cx<'_>, from: Option<HallId>, what: &What) {
    change(cx, from, |burden| Burden {
        letters: burden.letters.saturating_sub(1),
        bytes: burden.bytes.saturating_sub(size(what)),
    });
}

fn change(cx: &mut Cx<'_>, from: Option<HallId>, change: impl FnOnce(Burden) -> Burden) {
    let Some(from) = from else { return };
    let key = rows::burden(from);
    let burden = change(rows::read(cx, &key).unwrap_or_default());
    if burden.letters == 0 {
        cx.remove(key);
    } else {
        rows::write(cx, key, &burden);
    }
}

/// The hops that a letter has made are written with a fixed length: its size stays the same.
fn size(what: &What) -> u64 {
    u64::try_from(wire::encode(what).len()).unwrap_or(u64::MAX)
}
