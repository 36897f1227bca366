//! Clerks: no human act without one. Each has a key of their own; an act is signed before it enters.

use std::collections::{BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::ids::{ClerkId, Digest, HallId};
use crate::limits::{ACT_GOOD_MS, ACTS_REMEMBERED, CLERKS_MAX, NAME_MAX};
use crate::planted::{Bug, planted};
use crate::rows;
use crate::seal::{Context, PublicKey};
use crate::signed::{Signable, Signed, Unverified, Verified};
use crate::step::{Cx, Now, View};

/// What a clerk may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "roles are independent of each other")]
pub struct Roles {
    /// Take in, supplement and deliver at the window (综合窗口).
    pub window: bool,
    /// Accept, ask for corrections and decide (审批).
    pub decide: bool,
    /// Approve what the law keeps for the head of the authority (负责人批准): putting a decision off.
    pub head: bool,
    /// Publish lists (清单管理).
    pub publish: bool,
    /// Issue charters to halls below (系统管理).
    pub admit: bool,
}

/// A clerk of this hall.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClerkCard {
    /// Hall and number.
    pub id: ClerkId,
    /// The name staff know them by.
    pub name: String,
    /// The key that signs their acts.
    pub key: PublicKey,
    /// What they may do.
    pub roles: Roles,
    /// Disabled clerks stay on record.
    pub active: bool,
}

impl ClerkCard {
    /// Whether the card is one of this hall.
    pub fn fits(&self, hall: HallId) -> bool {
        let numbered = (1..=CLERKS_MAX).contains(&self.id.number) && self.id.hall == hall;
        let length = self.name.chars().count();
        numbered && (1..=NAME_MAX).contains(&length) && !self.name.chars().any(char::is_control)
    }
}

/// A clerk's signature under one request to the node, good once and for this boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// Who acts.
    pub clerk: ClerkId,
    /// The boot of the node that was asked: an old act dies with it.
    pub boot: u32,
    /// Milliseconds since 1970 when it was signed: an act is good for a few minutes.
    pub wall: u64,
    /// Drawn for this act.
    pub nonce: [u8; 16],
    /// SHA-256 of the request's bytes.
    pub request: Digest,
}

impl Act {
    /// The digest of a request's bytes that an act names.
    pub fn request_digest(request: &[u8]) -> Digest {
        Digest(crate::seal::digest(Context::ACT, request))
    }
}

impl Signable for Act {
    const CONTEXT: Context = Context::ACT;
    const BYTES_MAX: usize = 256;
}

/// Why an act was refused. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum NotEntitled {
    /// No such clerk, or disabled.
    #[error("no such clerk, or disabled")]
    Clerk,
    /// The clerk lacks the role.
    #[error("the clerk lacks the role")]
    Role,
    /// The act was used before, is too old, or belongs to another boot of the node.
    #[error("the act was used before or is too old")]
    Stale,
    /// Two persons are needed, and both acts are of one clerk.
    #[error("one clerk is not two persons")]
    OnePerson,
}

/// The card of a clerk.
pub fn card(view: &dyn View, number: u16) -> Option<ClerkCard> {
    rows::read(view, &rows::clerk(number))
}

/// All clerks of this hall, by number.
pub fn cards(view: &dyn View) -> Vec<ClerkCard> {
    let mut cards = Vec::new();
    view.scan(&rows::clerks(), &[], &mut |key, value| {
        cards.push(rows::parse(key, value));
        true
    });
    cards
}

/// Checks an act's signature against its clerk's card.
pub fn verify(view: &dyn View, signed: &Signed<Act>) -> Result<Verified<Act>, Unverified> {
    let act = signed.peek()?;
    let card = card(view, act.clerk.number).ok_or(Unverified::UnknownSigner)?;
    signed.verify(&card.key)
}

/// The acts of the last minutes: an act is good once. Older ones are refused by their time.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Acts {
    seen: BTreeSet<[u8; 16]>,
    /// With the ticks at which each came: a wall clock that was ahead and is set right would keep them for ever.
    order: VecDeque<(u64, [u8; 16])>,
}

impl Acts {
    /// Lets an act pass once, if its clerk is active and has the role.
    pub(crate) fn admit(
        &mut self,
        view: &dyn View,
        (boot, now): (u32, Now),
        act: &Act,
        role: impl Fn(&Roles) -> bool,
    ) -> Result<ClerkId, NotEntitled> {
        let card = card(view, act.clerk.number).filter(|card| card.active && card.id == act.clerk);
        let card = card.ok_or(NotEntitled::Clerk)?;
        if !role(&card.roles) && !planted(Bug::RoleNotChecked) {
            return Err(NotEntitled::Role);
        }
        self.forget(now.ticks);
        let fresh = act.wall.abs_diff(now.wall) <= ACT_GOOD_MS && self.order.len() < ACTS_REMEMBERED;
        let other_boot = act.boot != boot && !planted(Bug::BootOfActNotChecked);
        if !fresh || other_boot || !(self.seen.insert(act.nonce) || planted(Bug::ActTakenTwice)) {
            return Err(NotEntitled::Stale);
        }
        self.order.push_back((now.ticks, act.nonce));
        Ok(card.id)
    }

    /// An act signed at most `ACT_GOOD_MS` ahead of time is refused for its age after twice that.
    fn forget(&mut self, ticks: u64) {
        let over = ticks.saturating_sub(ACT_GOOD_MS.saturating_mul(2));
        while self.order.front().is_some_and(|(seen, _)| *seen < over) {
            if let Some((_, nonce)) = self.order.pop_front() {
                self.seen.remove(&nonce);
            }
        }
    }
}

/// Writes a clerk's card.
pub(crate) fn write(cx: &mut Cx<'_>, card: &ClerkCard) {
    rows::write(cx, rows::clerk(card.id.number), card);
}
