//! Two machines that live as one life of a hall: a copy of its data directory was started somewhere. Each start of a node
//! draws a boot id, and a node that has started anew never greets with an earlier one. Who greets with one boot id, then
//! with another, and with the first again is two. How often that happens is counted over all of its boot ids: three machines
//! take turns, and one of two may be started anew each time.
//!
//! The later line takes the place of the earlier one, whichever machine that is: what is refused is not what runs twice,
//! but what signs without remembering, and that the logs tell (see `audit`). Here it is noticed and shown, also where
//! neither of the two has signed anything.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::ids::{HallAt, HallId};
use crate::limits::{BOOTS_MAX, STARTS_MAX, TWINS_LAPSE_MS};
use crate::rows;
use crate::step::{Cx, Happening};

/// One return may be chance: boot ids are short, and a start may draw one that was there before.
const RETURNS: u8 = 2;
/// What is written down is renewed at most so often.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// The starts of neighbours that this node has heard of. Losing them costs a later notice.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Starts(BTreeMap<HallId, Start>);

#[derive(Debug, Serialize, Deserialize)]
struct Start {
    at: HallAt,
    boot: u32,
    /// Boot ids that another one has taken the place of, the last one last.
    before: VecDeque<u32>,
    /// How often any of these came back, whatever started anew meanwhile.
    returns: u8,
}

impl Starts {
    /// A neighbour greets.
    pub(super) fn greeted(&mut self, cx: &mut Cx<'_>, at: HallAt, boot: u32) {
        let known = self.0.remove(&at.hall).filter(|start| start.at == at);
        let fresh = || Start { at, boot, before: VecDeque::new(), returns: 0 };
        let mut start = known.unwrap_or_else(fresh);
        if start.returns_with(boot) && start.returns >= RETURNS {
            notice(cx, at);
        }
        if self.0.len() >= STARTS_MAX {
            self.0.pop_first();
        }
        self.0.insert(at.hall, start);
    }
}

/// Writes down that two machines were seen: the first time, and once a day as long as they are.
fn notice(cx: &mut Cx<'_>, at: HallAt) {
    let (seen, wall) = (rows::read::<u64>(cx, &rows::twin(at)), cx.now.wall);
    if seen.is_none_or(|seen| seen.abs_diff(wall) > TWINS_LAPSE_MS) {
        cx.happened(Happening::Twins(at));
    }
    if seen.is_none_or(|seen| seen.abs_diff(wall) > DAY_MS) {
        rows::write(cx, rows::twin(at), &wall);
    }
}

impl Start {
    /// Takes a greeting; whether its boot id is one that another had taken the place of.
    fn returns_with(&mut self, boot: u32) -> bool {
        if boot == self.boot {
            return false;
        }
        let returned = self.before.iter().position(|before| *before == boot);
        if let Some(place) = returned {
            self.before.remove(place);
            self.returns = self.returns.saturating_add(1);
        }
        self.before.push_back(std::mem::replace(&mut self.boot, boot));
        if self.before.len() > BOOTS_MAX {
            self.before.pop_front();
        }
        returned.is_some()
    }
}
