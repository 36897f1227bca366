//! Two machines that live as one life of a hall: a copy of its data directory was started somewhere. Each start of a node
//! draws a boot id, and a node that has started anew never greets with an earlier one. Who greets with one boot id, then
//! with another, and with the first again is two.
//!
//! The later line takes the place of the earlier one, whichever machine that is: what is refused is not what runs twice,
//! but what signs without remembering, and that the logs tell (see `audit`). Here it is noticed and shown, also where
//! neither of the two has signed anything.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{HallAt, HallId};
use crate::limits::STARTS_MAX;
use crate::rows;
use crate::step::{Cx, Happening};

/// One return may be chance: boot ids are short, and a start may draw one that was there before.
const RETURNS: u8 = 2;

/// The starts of neighbours that this node has heard of. Losing them costs a later notice.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Starts(BTreeMap<HallId, Start>);

#[derive(Debug, Serialize, Deserialize)]
struct Start {
    at: HallAt,
    boot: u32,
    before: Option<u32>,
    returns: u8,
}

impl Starts {
    /// A neighbour greets.
    pub(super) fn greeted(&mut self, cx: &mut Cx<'_>, at: HallAt, boot: u32) {
        let known = self.0.remove(&at.hall).filter(|start| start.at == at);
        let start = known.map_or(Start { at, boot, before: None, returns: 0 }, |start| start.then(boot));
        if start.returns >= RETURNS && rows::read::<u64>(cx, &rows::twin(at)).is_none() {
            let wall = cx.now.wall;
            rows::write(cx, rows::twin(at), &wall);
            cx.happened(Happening::Twins(at));
        }
        if self.0.len() >= STARTS_MAX {
            self.0.pop_first();
        }
        self.0.insert(at.hall, start);
    }
}

impl Start {
    fn then(self, boot: u32) -> Self {
        match self.before {
            _ if boot == self.boot => self,
            Some(before) if boot == before => {
                Self { boot, before: Some(self.boot), returns: self.returns.saturating_add(1), ..self }
            }
            Some(_) | None => Self { boot, before: Some(self.boot), returns: 0, ..self },
        }
    }
}
