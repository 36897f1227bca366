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

/// Whether one more letter to a destination may come from a neighbour: while more room is free than what it has brought
/// for that destination takes up. So a dead hall for which much waits takes half of the room, and letters for others pass:
/// the dynamic threshold of shared buffers (Choudhury and Hahne, IEEE/ACM Transactions on Networking 6, 1998).
pub(super) fn has_room(view: &dyn View, from: HallId, to: HallId) -> bool {
    let (all, there) = (read(view, &rows::burden(from)), read(view, &rows::burden_for(from, to)));
    let letters = RELAY_FROM_LETTERS_MAX.saturating_sub(all.letters);
    let bytes = RELAY_FROM_BYTES_MAX.saturating_sub(all.bytes);
    there.letters < letters && there.bytes < bytes
}

/// A letter to a destination was taken along.
pub(super) fn more(cx: &mut Cx<'_>, from: Option<HallId>, to: HallId, what: &What) {
    change(cx, (from, to), |burden| Burden {
        letters: burden.letters.saturating_add(1),
        bytes: burden.bytes.saturating_add(size(what)),
    });
}

/// A letter to a destination is off this hall's hands.
pub(super) fn less(cx: &mut Cx<'_>, from: Option<HallId>, to: HallId, what: &What) {
    change(cx, (from, to), |burden| Burden {
        letters: burden.letters.saturating_sub(1),
        bytes: burden.bytes.saturating_sub(size(what)),
    });
}

fn change(cx: &mut Cx<'_>, (from, to): (Option<HallId>, HallId), change: impl Fn(Burden) -> Burden) {
    let Some(from) = from else { return };
    for key in [rows::burden(from), rows::burden_for(from, to)] {
        let burden = change(read(cx, &key));
        if burden.letters == 0 {
            cx.remove(key);
        } else {
            rows::write(cx, key, &burden);
        }
    }
}

fn read(view: &dyn View, key: &[u8]) -> Burden {
    rows::read(view, key).unwrap_or_default()
}

/// The hops that a letter has made are written with a fixed length: its size stays the same.
fn size(what: &What) -> u64 {
    u64::try_from(wire::encode(what).len()).unwrap_or(u64::MAX)
}
