//! What this hall has seen of the logs of others, and what others show it of its own.

use serde::{Deserialize, Serialize};

use super::checkpoint::{Checkpoint, Cosignature};
use super::fork::{self, Fork};
use super::{log, tree};
use crate::ids::{Digest, HallAt, HallId};
use crate::node::Me;
use crate::rows;
use crate::signed::{Signed, Verified};
use crate::step::{Cx, Happening, View};

/// The newest checkpoint of a life that this hall was shown by that life itself, and its own signature under it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// Its word.
    pub checkpoint: Signed<Checkpoint>,
    /// This hall's.
    pub cosignature: Signed<Cosignature>,
}

/// A life of this hall has signed what it no longer knows: its disk is older than its word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolledBack {
    /// Its own signed word, which its rows do not bear out.
    pub checkpoint: Signed<Checkpoint>,
    /// Who showed it.
    pub shown_by: HallId,
    /// Leaves that its log had when it was shown.
    pub size: u64,
    /// Milliseconds since 1970 when it was shown.
    pub wall: u64,
}

/// What comes of a checkpoint that a neighbour shows of its own log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It was new and is witnessed, or was witnessed before: the cosignature.
    Witnessed(Signed<Cosignature>),
    /// It does not begin where this hall's knowledge ends: the neighbour has to be told what is held.
    Unproven,
    /// Nothing: it contradicts what is held, or a proof that does not hold came with it.
    Refused,
}

/// What is held of a life.
pub fn held(view: &dyn View, at: HallAt) -> Option<Witness> {
    rows::read(view, &rows::witness(at))
}

/// What is held of all lives, by hall, at most `count`.
pub fn all(view: &dyn View, count: usize) -> Vec<Witness> {
    let mut found = Vec::new();
    view.scan(&rows::witnesses(), &[], &mut |key, value| {
        found.push(rows::parse(key, value));
        found.len() < count
    });
    found
}

/// Looks at what a neighbour says of its own log. `proof` leads on from the size at which it begins.
pub(crate) fn look(
    cx: &mut Cx<'_>,
    me: &Me,
    shown: &Verified<Checkpoint>,
    proof: Option<(u64, &[Digest])>,
) -> Seen {
    let new = shown.value();
    let held = held(cx, new.at);
    let old = held.as_ref().and_then(|held| held.checkpoint.peek().ok());
    if let Some((held, old)) = held.zip(old) {
        if old.size == new.size && old.root != new.root {
            rows::count(cx, "witness/forks", 1);
            fork::state(cx, me, Fork::of_checkpoints(held.checkpoint, shown.signed().clone()));
            return Seen::Refused;
        }
        if old.size == new.size {
            return Seen::Witnessed(held.cosignature);
        }
        let from_here = proof.filter(|(from, _)| *from == old.size && old.size < new.size);
        let Some((_, path)) = from_here else { return Seen::Unproven };
        if !tree::continues((old.size, &old.root), (new.size, &new.root), path) {
            rows::count(cx, "witness/refused", 1);
            return Seen::Refused;
        }
    }
    Seen::Witnessed(keep(cx, me, shown))
}

fn keep(cx: &mut Cx<'_>, me: &Me, shown: &Verified<Checkpoint>) -> Signed<Cosignature> {
    let Checkpoint { at, size, root, .. } = *shown.value();
    let cosignature = Cosignature { at, size, root, by: me.at, wall: cx.now.wall };
    let cosignature = Verified::own(cosignature, &me.key).signed().clone();
    let witness = Witness { checkpoint: shown.signed().clone(), cosignature: cosignature.clone() };
    rows::write(cx, rows::witness(at), &witness);
    cosignature
}

/// Whether this life of this hall has signed what it no longer knows, and who has shown it.
pub fn rolled_back(view: &dyn View, at: HallAt) -> Option<RolledBack> {
    rows::read(view, &rows::rolled_back(at))
}

/// Whether it has, asked often.
pub(crate) fn is_rolled_back(view: &dyn View, at: HallAt) -> bool {
    view.get(&rows::rolled_back(at)).is_some()
}

/// A neighbour shows a checkpoint of this very life. If the rows do not bear it out, this life is over: it may have
/// signed things since that it has forgotten.
pub(crate) fn shown_own(cx: &mut Cx<'_>, at: HallAt, shown: &Verified<Checkpoint>, by: HallId) {
    let said = shown.value();
    if said.at != at || is_rolled_back(cx, at) {
        return;
    }
    let size = log::size(cx, at);
    if said.size <= size && log::root(cx, at, said.size) == Some(said.root) {
        return;
    }
    let found = RolledBack { checkpoint: shown.signed().clone(), shown_by: by, size, wall: cx.now.wall };
    rows::write(cx, rows::rolled_back(at), &found);
    cx.happened(Happening::RolledBack { shown_by: by });
}
