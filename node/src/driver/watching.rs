//! Looking on at a node from inside its process, without asking it: what it holds, and when that changed.

use std::sync::{Arc, Weak};

use hallmesh_protocol::message::Roots;
use hallmesh_protocol::query;

use super::shared::Shared;
use crate::ops::Problem;

/// A node that is looked at. It keeps nothing open: once the node has ended there is nothing to be seen.
#[derive(Clone)]
pub(crate) struct Watching(Weak<Shared>);

impl Watching {
    pub(super) fn of(shared: &Arc<Shared>) -> Self {
        Self(Arc::downgrade(shared))
    }

    /// What it holds, and how many lines it has.
    pub(crate) fn look(&self) -> Result<(Roots, usize), Problem> {
        let shared = self.shared()?;
        let roots = query::roots(&shared.snapshot()?);
        Ok((roots, shared.live().connected.len()))
    }

    /// Waits until it holds what is wanted.
    pub(crate) async fn until(&self, fits: impl Fn(&Roots) -> bool) -> Result<(), Problem> {
        let mut changes = self.shared()?.follow();
        loop {
            changes.mark_unchanged();
            if fits(&self.look()?.0) {
                return Ok(());
            }
            if changes.changed().await.is_err() {
                return Err(ended());
            }
        }
    }

    fn shared(&self) -> Result<Arc<Shared>, Problem> {
        self.0.upgrade().ok_or_else(ended)
    }
}

fn ended() -> Problem {
    Problem::new("node.not_running")
}
